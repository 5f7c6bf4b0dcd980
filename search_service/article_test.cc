#include "search_service/article.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "search_service/article_codec.h"

namespace dateline::search {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const absl::Time kNow = absl::FromUnixSeconds(1'780'000'000);

Article Valid() {
  Article article;
  article.title = "Title";
  article.body = "Body";
  return article;
}

std::string FieldOf(const Article& article) {
  const absl::StatusOr<Normalized> normalized = Normalize(article, kNow);
  if (normalized.ok()) return "(accepted)";
  EXPECT_EQ(normalized.status().code(), absl::StatusCode::kInvalidArgument);
  const auto violations = common::FieldViolationsOf(normalized.status());
  return violations.empty() ? "" : violations.front().field;
}

TEST(NormalizeTest, EveryLimitIsEnforcedAndNamesItsField) {
  Article article;
  EXPECT_EQ(FieldOf(article), "title");
  article = Valid();
  article.body = std::string(kMaxArticleBytes, 'x');
  EXPECT_EQ(FieldOf(article), "body");
  article = Valid();
  article.id = std::string(kMaxIdBytes + 1, 'x');
  EXPECT_EQ(FieldOf(article), "id");
  article.id = "has space";
  EXPECT_EQ(FieldOf(article), "id");
  article = Valid();
  article.title = std::string(kMaxTitleBytes + 1, 'x');
  EXPECT_EQ(FieldOf(article), "title");
  article = Valid();
  article.url = "ftp://example.com/";
  EXPECT_EQ(FieldOf(article), "url");
  article = Valid();
  article.title = "broken \xFF";
  EXPECT_EQ(FieldOf(article), "title");
  article = Valid();
  article.authors.assign(kMaxAuthors + 1, "x");
  EXPECT_EQ(FieldOf(article), "authors");
  article = Valid();
  article.attributes["bad name"] = {"x"};
  EXPECT_EQ(FieldOf(article), "attributes");
  article = Valid();
  article.source_labels = {{.kind = "issue", .name = " "}};
  EXPECT_EQ(FieldOf(article), "source_labels[0].name");
  article = Valid();
  article.language_code = "not a tag";
  EXPECT_EQ(FieldOf(article), "language_code");
  article = Valid();
  article.labels.emplace_back().source = LabelSource::kSource;
  EXPECT_EQ(FieldOf(article), "labels[0]");
  article.labels[0].id = std::string(kMaxAttributeNameBytes + 1, 'x');
  EXPECT_EQ(FieldOf(article), "labels[0].issue_id");
  article = Valid();
  article.source_labels = {{"issue", "Oil"}, {std::string(kMaxKindBytes + 1, 'x'), "Oil"}};
  EXPECT_EQ(FieldOf(article), "source_labels[1].kind");
}

TEST(NormalizeTest, AnErrorInAListNamesTheElement) {
  const std::string too_long(kMaxNameBytes + 1, 'x');
  Article article = Valid();
  article.authors = {"A", "", too_long};
  EXPECT_EQ(FieldOf(article), "authors[2]");
  article.authors = {"A", "\xFF"};
  EXPECT_EQ(FieldOf(article), "authors[1]");
  article = Valid();
  article.alternate_urls = {"", "https://example.com/", "nonsense"};
  EXPECT_EQ(FieldOf(article), "alternate_urls[2]");
  article = Valid();
  article.attributes["series"] = {"A", too_long};
  EXPECT_EQ(FieldOf(article), "attributes.series.values[1]");
  article.attributes["series"] = {"A", "B", "\xFF"};
  EXPECT_EQ(FieldOf(article), "attributes.series.values[2]");
  article = Valid();
  article.source_labels = {{"issue", "Oil"}, {"issue", "\xFF"}};
  EXPECT_EQ(FieldOf(article), "source_labels[1].name");
  article.source_labels = {{"issue", "Oil"}, {"\xFF", "Oil"}};
  EXPECT_EQ(FieldOf(article), "source_labels[1].kind");
}

TEST(NormalizeTest, AnErrorNamesItsFieldOnce) {
  for (const auto& [field, url] : {std::pair("url", &Article::url), std::pair("image_url", &Article::image_url)}) {
    Article article = Valid();
    article.*url = "ftp://example.com/";
    const std::string message(Normalize(article, kNow).status().message());
    EXPECT_THAT(message, StartsWith(absl::StrCat(field, ": ")));
    EXPECT_EQ(message.find("url: ", message.find(": ")), std::string::npos) << message;
  }
}

TEST(NormalizeTest, AnArticleThatIsTooLargeSaysSoByItsReasonAlsoWhenOnlyItsNormalFormIs) {
  Article article = Valid();
  article.body = std::string(kMaxArticleBytes, 'x');
  EXPECT_EQ(common::ReasonOf(Normalize(article, kNow).status()), kReasonArticleTooLarge);
  // U+0958 is three bytes, and six in NFC.
  article.body.clear();
  for (size_t i = 0; i < kMaxArticleBytes / 4; ++i) article.body += "\xE0\xA5\x98";
  EXPECT_EQ(common::ReasonOf(Normalize(article, kNow).status()), kReasonArticleTooLarge);
}

TEST(NormalizeTest, HeadingsThatDoNotFitAreDropped) {
  Article article = Valid();
  article.body = "One\n\nTwo\n\nThree";
  const Heading one{0, 3, 1};
  const Heading two{5, 8, 6};
  article.headings = {one, {2, 4, 2}, two, {0, 3, 2}, {10, 15, 0}, {10, 15, 7}, {10, 16, 2}, {15, 15, 2}};
  EXPECT_THAT(Normalize(article, kNow)->article.headings, ElementsAre(one, two));
  article.body = std::string(3 * kMaxHeadings, 'x');
  article.headings.clear();
  for (int32_t i = 0; i < static_cast<int32_t>(kMaxHeadings) + 10; ++i) article.headings.push_back({i, i + 1, 2});
  EXPECT_EQ(Normalize(article, kNow)->article.headings.size(), kMaxHeadings);
}

TEST(NormalizeTest, TextIsNormalisedOnce) {
  Article article = Valid();
  article.title = "  Cafe\xCC\x81 \n society ";
  article.body = "One\r\n\r\n\r\nTwo\x07";
  const absl::StatusOr<Normalized> once = Normalize(article, kNow);
  ASSERT_TRUE(once.ok());
  EXPECT_EQ(once->article.title, "Caf\xC3\xA9 society");
  EXPECT_EQ(once->article.body, "One\n\nTwo");
  const absl::StatusOr<Normalized> twice = Normalize(once->article, kNow);
  EXPECT_EQ(twice->article.body, once->article.body);
  EXPECT_EQ(twice->article.content_hash, once->article.content_hash);
}

TEST(NormalizeTest, IdsAreDerivedFromTheCanonicalUrlOrTheContent) {
  Article article = Valid();
  const std::string from_content = Normalize(article, kNow)->article.id;
  EXPECT_EQ(from_content.size(), 32U);
  article.url = "https://example.com/a/?utm_source=x#top";
  const std::string from_url = Normalize(article, kNow)->article.id;
  EXPECT_NE(from_url, from_content);
  EXPECT_EQ(from_url, IdFromUrl("http://EXAMPLE.com/a"));
  article.id = "mine";
  EXPECT_EQ(Normalize(article, kNow)->article.id, "mine");
}

TEST(NormalizeTest, ADerivedIdStaysWhenTextAndSourceDo) {
  Article article = Valid();
  article.source = "Review";
  const std::string id = Normalize(article, kNow)->article.id;
  Article corrected = article;
  corrected.summary = "A summary";
  corrected.authors = {"Ada"};
  corrected.publish_time = kNow;
  corrected.attributes["series"] = {"x"};
  EXPECT_EQ(Normalize(corrected, kNow)->article.id, id);
  for (std::string Article::*field : {&Article::title, &Article::body, &Article::source}) {
    Article other = article;
    other.*field += " of another";
    EXPECT_NE(Normalize(other, kNow)->article.id, id);
  }
}

TEST(NormalizeTest, HtmlThatIsTakenForTextIsSaid) {
  Article article = Valid();
  article.body = "<p>Iran's budget</p>";
  const absl::StatusOr<Normalized> normalized = Normalize(article, kNow);
  ASSERT_TRUE(normalized.ok());
  EXPECT_EQ(normalized->article.body, article.body);
  EXPECT_THAT(normalized->warnings, ElementsAre(HasSubstr("body: holds tags of HTML")));
}

TEST(NormalizeTest, AbsurdDatesAreDroppedWithAWarning) {
  Article article = Valid();
  article.publish_time = absl::FromUnixSeconds(-30'000'000'000);
  article.update_time = kNow + absl::Hours(48);
  const absl::StatusOr<Normalized> normalized = Normalize(article, kNow);
  ASSERT_TRUE(normalized.ok());
  EXPECT_FALSE(normalized->article.publish_time.has_value());
  EXPECT_FALSE(normalized->article.update_time.has_value());
  EXPECT_THAT(normalized->warnings, ElementsAre(HasSubstr("publish_time"), HasSubstr("update_time")));
  article = Valid();
  article.publish_time = absl::InfiniteFuture();
  article.update_time = absl::InfinitePast();
  article.visible_from = absl::InfiniteFuture();
  EXPECT_TRUE(Normalize(article, kNow).ok());
}

TEST(NormalizeTest, ContentHashCoversEverythingButUpdateTime) {
  Article article = Valid();
  const std::string hash = Normalize(article, kNow)->article.content_hash;
  article.update_time = kNow;
  EXPECT_EQ(Normalize(article, kNow)->article.content_hash, hash);
  article.attributes["series"] = {"x"};
  EXPECT_NE(Normalize(article, kNow)->article.content_hash, hash);
}

Label MakeLabel(Dimension dimension, std::string id, LabelSource source, double score = 1.0) {
  Label label;
  label.dimension = dimension;
  label.id = std::move(id);
  label.source = source;
  label.score = score;
  return label;
}

TEST(NormalizeTest, LabelsOfTheClassifierAndASecondPrimaryAreIgnoredWithAWarning) {
  Article article = Valid();
  article.labels = {MakeLabel(Dimension::kCountry, "", LabelSource::kClassifier),
                    MakeLabel(Dimension::kCountry, "IR", LabelSource::kSource),
                    MakeLabel(Dimension::kCountry, "RU", LabelSource::kSource)};
  article.labels[1].primary = article.labels[2].primary = true;
  const absl::StatusOr<Normalized> normalized = Normalize(article, kNow);
  ASSERT_TRUE(normalized.ok());
  ASSERT_EQ(normalized->article.labels.size(), 2U);
  EXPECT_TRUE(normalized->article.labels[0].primary);
  EXPECT_FALSE(normalized->article.labels[1].primary);
  EXPECT_THAT(normalized->warnings, ElementsAre(HasSubstr("labels[2].primary"), HasSubstr("1 ignored")));
}

TEST(NormalizeTest, ALabelThatIsGivenTwiceIsPrimaryIfItIsSoInEitherPlace) {
  for (const size_t which : {0, 1}) {
    Article article = Valid();
    article.labels = {MakeLabel(Dimension::kCountry, "IR", LabelSource::kSource),
                      MakeLabel(Dimension::kCountry, "IR", LabelSource::kSource),
                      MakeLabel(Dimension::kCountry, "RU", LabelSource::kSource)};
    article.labels[which].primary = article.labels[2].primary = true;
    const absl::StatusOr<Normalized> normalized = Normalize(article, kNow);
    ASSERT_TRUE(normalized.ok());
    ASSERT_EQ(normalized->article.labels.size(), 2U);
    EXPECT_TRUE(normalized->article.labels[0].primary) << which;
    EXPECT_FALSE(normalized->article.labels[1].primary) << which;
    EXPECT_THAT(normalized->warnings,
                ElementsAre(absl::StrCat("labels[2].primary: ignored; labels[", which, "] is primary already")));
  }
  Article article = Valid();
  article.labels.assign(2, MakeLabel(Dimension::kCountry, "IR", LabelSource::kSource));
  article.labels[0].primary = article.labels[1].primary = true;
  EXPECT_TRUE(Normalize(article, kNow)->warnings.empty());
}

TEST(NormalizeTest, OnlyACountryIsPrimary) {
  Article article = Valid();
  article.labels = {MakeLabel(Dimension::kCountry, "IR", LabelSource::kSource),
                    MakeLabel(Dimension::kIssue, "energy", LabelSource::kSource),
                    MakeLabel(Dimension::kGroup, "gcc", LabelSource::kSource)};
  article.labels[1].primary = article.labels[2].primary = true;
  const absl::StatusOr<Normalized> normalized = Normalize(article, kNow);
  ASSERT_TRUE(normalized.ok());
  for (const Label& label : normalized->article.labels) EXPECT_FALSE(label.primary) << label.id;
  EXPECT_THAT(normalized->warnings, ElementsAre("labels[1].primary: ignored; only a country can be primary",
                                                "labels[2].primary: ignored; only a country can be primary"));
}

TEST(NormalizeTest, OnlyAnEditorRejectsALabel) {
  Article article = Valid();
  article.labels = {MakeLabel(Dimension::kCountry, "IR", LabelSource::kSource),
                    MakeLabel(Dimension::kCountry, "RU", LabelSource::kEditor),
                    MakeLabel(Dimension::kIssue, "energy", LabelSource::kSource)};
  article.labels[1].verdict = LabelVerdict::kRejected;
  EXPECT_EQ(FieldOf(article), "(accepted)");
  article.labels[2].verdict = LabelVerdict::kRejected;
  EXPECT_EQ(FieldOf(article), "labels[2].state");
}

std::vector<std::string> EffectiveIds(const Article& article, const LabelOptions& options = {}) {
  std::vector<std::string> ids;
  for (const Label& label : EffectiveLabels(article, options)) ids.push_back(label.id);
  return ids;
}

TEST(EffectiveLabelsTest, SourceLabelsReplaceTheClassifiersInTheirDimensionOnly) {
  Article article;
  article.labels = {MakeLabel(Dimension::kCountry, "RU", LabelSource::kClassifier, 0.9),
                    MakeLabel(Dimension::kCountry, "IR", LabelSource::kSource),
                    MakeLabel(Dimension::kIssue, "energy", LabelSource::kClassifier, 0.4)};
  EXPECT_THAT(EffectiveIds(article), ElementsAre("IR", "energy"));
  EXPECT_THAT(EffectiveIds(article, {{LabelSource::kClassifier}, 0.0}), ElementsAre("RU", "energy"));
  EXPECT_THAT(EffectiveIds(article, {{}, 0.5}), ElementsAre("IR"));
}

TEST(EffectiveLabelsTest, AnEditorDecidesForOneIdOrForADimension) {
  Article article;
  article.labels = {MakeLabel(Dimension::kCountry, "RU", LabelSource::kClassifier, 0.9),
                    MakeLabel(Dimension::kCountry, "IR", LabelSource::kClassifier, 0.8),
                    MakeLabel(Dimension::kCountry, "RU", LabelSource::kEditor)};
  article.labels.back().verdict = LabelVerdict::kRejected;
  EXPECT_THAT(EffectiveIds(article), ElementsAre("IR"));
  article.replaced_dimensions = 1U << static_cast<int>(Dimension::kCountry);
  EXPECT_THAT(EffectiveIds(article), IsEmpty());
  article.labels.push_back(MakeLabel(Dimension::kCountry, "AE", LabelSource::kEditor));
  EXPECT_THAT(EffectiveIds(article), ElementsAre("AE"));
}

TEST(EffectiveLabelsTest, TwoSourcesThatGiveTheSameIdAreBothReachable) {
  Article article;
  article.labels = {MakeLabel(Dimension::kIssue, "energy", LabelSource::kClassifier, 0.4),
                    MakeLabel(Dimension::kIssue, "energy", LabelSource::kSource)};
  EXPECT_THAT(EffectiveIds(article), ElementsAre("energy"));
  EXPECT_THAT(EffectiveIds(article, {{LabelSource::kClassifier, LabelSource::kSource}, 0.0}),
              ElementsAre("energy", "energy"));
}

TEST(EffectiveLabelsTest, PrimaryCountryComesFirstThenByScore) {
  Article article;
  article.labels = {MakeLabel(Dimension::kIssue, "energy", LabelSource::kClassifier, 1.0),
                    MakeLabel(Dimension::kCountry, "RU", LabelSource::kClassifier, 0.9),
                    MakeLabel(Dimension::kCountry, "IR", LabelSource::kClassifier, 0.8),
                    MakeLabel(Dimension::kCountry, "AE", LabelSource::kClassifier, 0.7)};
  article.labels[3].primary = true;
  EXPECT_THAT(EffectiveIds(article), ElementsAre("AE", "RU", "IR", "energy"));
}

TEST(EffectiveLabelsTest, OneCountryAtMostIsPrimary) {
  Article article;
  article.labels = {MakeLabel(Dimension::kCountry, "IR", LabelSource::kSource),
                    MakeLabel(Dimension::kCountry, "RU", LabelSource::kEditor)};
  article.labels[0].primary = article.labels[1].primary = true;
  const std::vector<Label> labels = EffectiveLabels(article);
  ASSERT_EQ(labels.size(), 2U);
  EXPECT_EQ(labels[0].id, "RU");
  EXPECT_TRUE(labels[0].primary);
  EXPECT_FALSE(labels[1].primary);
}

TEST(ArticleCodecTest, EverythingComesBackAsItWas) {
  Article article = Valid();
  article.url = "https://example.com/a";
  article.alternate_urls = {"https://example.com/b"};
  article.authors = {"A", "B"};
  article.publish_time = absl::FromUnixMicros(-5);
  article.publish_time_precision = TimePrecision::kDay;
  article.visible_from = kNow;
  article.attributes["series"] = {"x", "y"};
  article.source_labels = {{"issue", "Oil"}};
  article.headings = {{0, 4, 2}};
  article.create_time = kNow;
  article.labels = {MakeLabel(Dimension::kGroup, "gcc", LabelSource::kClassifier, 0.25)};
  article.labels[0].evidence = {{TextSpan{"body", 0, 4}, "Body", "NAME", 0.5, SetAside::kByline}, {}};
  article.country_outcome = TagOutcome::kAbstained;
  const EncodedArticle encoded = EncodeArticle(article);
  Article back;
  ASSERT_TRUE(DecodeHead(encoded.head, back).ok());
  ASSERT_TRUE(DecodeLabels(encoded.labels, back).ok());
  ASSERT_TRUE(DecodeEvidence(encoded.evidence, back).ok());
  EXPECT_EQ(back.url, article.url);
  EXPECT_EQ(back.authors, article.authors);
  EXPECT_EQ(back.publish_time, article.publish_time);
  EXPECT_EQ(back.publish_time_precision, article.publish_time_precision);
  EXPECT_EQ(back.visible_from, article.visible_from);
  EXPECT_EQ(back.attributes, article.attributes);
  EXPECT_EQ(back.source_labels, article.source_labels);
  EXPECT_EQ(back.headings, article.headings);
  EXPECT_EQ(back.labels, article.labels);
  EXPECT_EQ(back.country_outcome, article.country_outcome);
  EXPECT_EQ(DecodeHead("\xFF\xFF", back).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace dateline::search
