#include "classifier_service/issue_tagger.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "classifier_service/issue_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::ReadFile;
using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kTaxonomy[] = "classifier_service/data/taxonomy/default.textproto";
constexpr char kThinkTank[] = "classifier_service/data/taxonomy/think_tank.textproto";
constexpr char kModel[] = "classifier_service/data/model/issues.model";

// The model that is shipped.
class IssueTaggerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy, Taxonomy::Load(kTaxonomy));
    ASSERT_OK_AND_ASSIGN(tagger_, IssueTagger::Load(kModel, taxonomy));
  }

  IssueResult Tag(std::string title, std::string body) const {
    ArticleText article;
    article.title = std::move(title);
    article.body = std::move(body);
    return tagger_->Tag(article);
  }

  std::vector<std::string> Ids(std::string title, std::string body) const {
    std::vector<std::string> ids;
    for (const auto& tag : Tag(std::move(title), std::move(body)).tags) {
      ids.push_back(tag.id);
    }
    return ids;
  }

  std::unique_ptr<IssueTagger> tagger_;
};

constexpr char kOilTitle[] = "OPEC agrees to cut oil production";
constexpr char kOilBody[] =
    "Oil ministers of the producers' group agreed on Thursday to cut output by a million barrels per day, sending "
    "crude "
    "prices higher. Refiners in Asia said that they would look for supplies elsewhere.";

TEST_F(IssueTaggerTest, TagsPlainCases) {
  EXPECT_THAT(Ids(kOilTitle, kOilBody), Contains("energy"));
  EXPECT_THAT(
      Ids("Hospitals fill as virus spreads",
          "Doctors said that the outbreak of the coronavirus was filling hospitals faster than vaccines could be "
          "brought to patients, and the health ministry asked people to stay at home."),
      Contains("health"));
  EXPECT_THAT(
      Ids("Inspectors report on uranium enrichment",
          "The atomic energy agency said that the nuclear program had grown and that uranium enrichment was going on "
          "at a second plant, which makes a return to the nuclear deal harder."),
      Contains("nuclear"));
}

TEST_F(IssueTaggerTest, TagsStandBestFirstWithRoundedScores) {
  const IssueResult result = Tag(kOilTitle, kOilBody);
  EXPECT_EQ(result.outcome, Outcome::kTagged);
  for (size_t i = 0; i < result.tags.size(); ++i) {
    EXPECT_GT(result.tags[i].score, 0.0);
    EXPECT_LE(result.tags[i].score, 1.0);
    EXPECT_NEAR(result.tags[i].score * 1e4, std::round(result.tags[i].score * 1e4), 1e-6);
    EXPECT_FALSE(result.tags[i].display_name.empty());
    if (i > 0) {
      EXPECT_LE(result.tags[i].score, result.tags[i - 1].score);
    }
  }
}

TEST_F(IssueTaggerTest, EvidenceIsTheTextAtItsSpanHeaviestFirst) {
  const IssueResult result = Tag(kOilTitle, kOilBody);
  ASSERT_FALSE(result.tags.empty());
  const auto& evidence = result.tags.front().evidence;
  ASSERT_FALSE(evidence.empty());
  EXPECT_LE(evidence.size(), static_cast<size_t>(kMaxEvidencePerTag));
  double before = evidence.front().weight;
  for (const Evidence& reason : evidence) {
    ASSERT_TRUE(reason.span.has_value());
    const std::string field = reason.span->field == Field::kTitle ? kOilTitle : kOilBody;
    EXPECT_EQ(reason.text, field.substr(reason.span->start, reason.span->end - reason.span->start));
    EXPECT_TRUE(reason.kind == "WORD" || reason.kind == "PHRASE") << reason.kind;
    EXPECT_GT(reason.weight, 0.0);
    EXPECT_LE(reason.weight, before);
    before = reason.weight;
  }
}

TEST_F(IssueTaggerTest, EvidenceSpansLieOnCodePoints) {
  const std::string body =
      "Der Preis – “крude” – oil’s price: crude oil prices — naïve barrels… oil 🛢 oil barrel "
      "prices "
      "rose";
  const IssueResult result = Tag("🛢 Oil prices", body);
  for (const auto& tag : result.tags) {
    for (const Evidence& reason : tag.evidence) {
      EXPECT_NE(static_cast<unsigned char>(reason.text.front()) & 0xC0U, 0x80U) << reason.text;
    }
  }
}

TEST_F(IssueTaggerTest, AbstainsWhereNothingIsSaid) {
  EXPECT_EQ(Tag("", "").outcome, Outcome::kAbstained);
  EXPECT_EQ(Tag("", "xyzzy plugh 12345").outcome, Outcome::kAbstained);
  EXPECT_THAT(Tag("", "").tags, IsEmpty());
}

TEST_F(IssueTaggerTest, SaysThatItWasNotTrainedOnWhatItNeverSaw) {
  ArticleText article;
  article.title = kOilTitle;
  article.body = kOilBody;
  EXPECT_EQ(tagger_->InTraining(article), std::optional<bool>(false));
}

TEST_F(IssueTaggerTest, AnotherLanguageIsUnsupported) {
  ArticleText article;
  article.title = kOilTitle;
  article.body = kOilBody;
  article.language_code = "fr";
  EXPECT_EQ(tagger_->Tag(article).outcome, Outcome::kUnsupportedLanguage);
  article.language_code = "en-GB";
  EXPECT_EQ(tagger_->Tag(article).outcome, Outcome::kTagged);
}

TEST_F(IssueTaggerTest, TenMegabytesOfOneWordAreTaken) {
  std::string body;
  body.reserve(10'000'000);
  while (body.size() < 10'000'000) {
    body += "oil ";
  }
  EXPECT_THAT(Ids("", body), Contains("energy"));
  EXPECT_EQ(Tag("", std::string(10'000'000, 'x')).outcome, Outcome::kAbstained);
  EXPECT_EQ(Tag("", std::string(1'000'000, '\xff')).outcome, Outcome::kAbstained);
}

TEST_F(IssueTaggerTest, ScoreGivesEveryIssueBestFirst) {
  ArticleText article;
  article.title = kOilTitle;
  article.body = kOilBody;
  const std::vector<IssueScore> scores = tagger_->Score(article);
  ASSERT_THAT(scores, SizeIs(20));
  EXPECT_EQ(scores.front().issue_id, tagger_->Tag(article).tags.front().id);
  EXPECT_TRUE(std::is_sorted(scores.begin(), scores.end(),
                             [](const IssueScore& a, const IssueScore& b) { return a.score > b.score; }));
}

TEST_F(IssueTaggerTest, ManyThreadsGetTheSameAnswer) {
  const IssueResult expected = Tag(kOilTitle, kOilBody);
  std::vector<int> same(4, 0);
  std::vector<std::thread> threads;
  for (int& count : same) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const IssueResult result = Tag(kOilTitle, kOilBody);
        count += result.tags.size() == expected.tags.size() && result.tags.front().score == expected.tags.front().score;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(same, ::testing::Each(50));
}

TEST_F(IssueTaggerTest, InfoTellsHowTheModelWasMade) {
  const IssueModelReport& info = tagger_->info();
  EXPECT_THAT(info.model_version, ::testing::StartsWith("issues-"));
  EXPECT_GT(info.training_article_count, 10'000);
  EXPECT_THAT(info.issues, SizeIs(20));
  ASSERT_TRUE(info.quality.has_value());
  EXPECT_GT(info.quality->f1, 0.5);
  EXPECT_TRUE(info.quality->macro_f1.has_value());
  for (const IssueModelInfo& issue : info.issues) {
    EXPECT_GT(issue.example_count, 0) << issue.issue_id;
    EXPECT_GT(issue.threshold, 0.0) << issue.issue_id;
    EXPECT_LT(issue.threshold, 1.0) << issue.issue_id;
  }
}

class IssueTaggerLoadTest : public ::testing::Test {
 protected:
  absl::Status Load(const std::string& path, const std::string& taxonomy_path = kTaxonomy) const {
    const absl::StatusOr<Taxonomy> taxonomy = Taxonomy::Load(taxonomy_path);
    return taxonomy.ok() ? IssueTagger::Load(path, *taxonomy).status() : taxonomy.status();
  }

  TempDir dir_;
};

TEST_F(IssueTaggerLoadTest, MissingFileIsNotFoundWithRemedy) {
  EXPECT_THAT(
      Load(dir_.File("none.model")),
      StatusIs(absl::StatusCode::kNotFound, AllOf(HasSubstr("none.model"), HasSubstr("classifier_train issues"))));
}

TEST_F(IssueTaggerLoadTest, AnotherKindOfFileIsRefused) {
  EXPECT_THAT(Load(kTaxonomy), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no issue model")));
  EXPECT_THAT(Load(dir_.Write("empty", "")), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(IssueTaggerLoadTest, TruncatedModelIsDataLoss) {
  const std::string bytes = ReadFile(kModel);
  for (const size_t length : {size_t{8}, size_t{12}, bytes.size() / 2, bytes.size() - 1}) {
    EXPECT_THAT(Load(dir_.Write("short.model", bytes.substr(0, length))),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("truncated or corrupted")))
        << length;
  }
}

TEST_F(IssueTaggerLoadTest, EveryFlippedBitIsNoticed) {
  const std::string bytes = ReadFile(kModel);
  for (size_t at = 8; at < bytes.size(); at += bytes.size() / 20) {
    std::string corrupted = bytes;
    corrupted[at] = static_cast<char>(corrupted[at] ^ 0x10);
    EXPECT_THAT(Load(dir_.Write("corrupt.model", corrupted)), StatusIs(absl::StatusCode::kDataLoss)) << at;
  }
}

TEST_F(IssueTaggerLoadTest, ModelThatKnowsNoneOfTheIssuesIsRefusedWithRemedy) {
  const std::string taxonomy = dir_.Write("other.textproto", R"(version: "other-1"
      issue { id: "chess" names { language: "en" display_name: "Chess" } definition: "d" seed_phrase: "queen" })");
  EXPECT_THAT(Load(kModel, taxonomy),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("default-1"), HasSubstr("other-1"), HasSubstr("train a model"))));
}

// The default taxonomy with `more` at its end.
std::string DefaultAnd(const std::string& more) { return absl::StrCat(ReadFile(kTaxonomy), "\n", more); }

const IssueModelInfo& InfoOf(const IssueTagger& tagger, absl::string_view id) {
  for (const IssueModelInfo& info : tagger.info().issues) {
    if (info.issue_id == id) return info;
  }
  ADD_FAILURE() << "no issue " << id;
  return tagger.info().issues.front();
}

constexpr char kWaterIssue[] = R"(issue { id: "water_diplomacy"
  names { language: "en" display_name: "Water diplomacy" }
  definition: "How states share rivers: dams, treaties on water and disputes about it."
  seed_phrase: "river basin" seed_phrase: "water sharing" seed_phrase: "transboundary waters" seed_phrase: "dam filling"
  seed_phrase: "downstream countries" seed_phrase: "Nile waters" seed_phrase: "water treaty" seed_phrase: "upstream dam"
  seed_phrase: "water rights" seed_phrase: "Renaissance Dam" })";

TEST_F(IssueTaggerLoadTest, NewIssueWorksAtOnceByItsSeedPhrases) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy, Taxonomy::Parse(DefaultAnd(kWaterIssue), "test"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(kModel, taxonomy));
  const IssueModelInfo& info = InfoOf(*tagger, "water_diplomacy");
  EXPECT_EQ(info.provenance, Provenance::kSeed);
  EXPECT_EQ(info.examples_needed, kEnoughExamples);
  EXPECT_EQ(InfoOf(*tagger, "energy").provenance, Provenance::kModel);
  EXPECT_EQ(InfoOf(*tagger, "energy").examples_needed, 0);
  ArticleText article;
  article.title = "Egypt and Ethiopia at odds over the Renaissance Dam";
  article.body =
      "Talks on water sharing in the river basin ended without a treaty. Downstream countries fear the dam filling; "
      "Addis Ababa speaks of its own water rights. A water treaty of 1959 left the upstream states out.";
  const IssueResult result = tagger->Tag(article);
  const auto tag =
      std::find_if(result.tags.begin(), result.tags.end(), [](const auto& one) { return one.id == "water_diplomacy"; });
  ASSERT_NE(tag, result.tags.end());
  EXPECT_EQ(tag->provenance, Provenance::kSeed);
  EXPECT_EQ(tag->display_name, "Water diplomacy");
  ASSERT_FALSE(tag->evidence.empty());
  for (const Evidence& reason : tag->evidence) {
    const std::string& field = reason.span->field == Field::kTitle ? article.title : article.body;
    EXPECT_EQ(reason.text, field.substr(reason.span->start, reason.span->end - reason.span->start));
  }
  article.title = kOilTitle;
  article.body = kOilBody;
  for (const auto& other : tagger->Tag(article).tags) EXPECT_NE(other.id, "water_diplomacy");
}

TEST_F(IssueTaggerLoadTest, IssueWithNothingToGoByIsNamed) {
  const std::string taxonomy =
      dir_.Write("bare.textproto", DefaultAnd("issue { id: \"bare\" names { language: \"en\" display_name: \"Bare\" } "
                                              "definition: \"d\" }"));
  EXPECT_THAT(Load(kModel, taxonomy), StatusIs(absl::StatusCode::kFailedPrecondition,
                                               AllOf(HasSubstr("\"bare\""), HasSubstr("ten seed phrases"))));
}

TEST_F(IssueTaggerLoadTest, CoarserTaxonomyGathersTheIssuesOfTheModel) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy, Taxonomy::Load(kThinkTank));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(kModel, taxonomy));
  EXPECT_THAT(tagger->info().issues, SizeIs(9));
  for (const IssueModelInfo& info : tagger->info().issues) EXPECT_EQ(info.provenance, Provenance::kModel);
  EXPECT_FALSE(InfoOf(*tagger, "security").slope.has_value());
  ArticleText article;
  article.title = "Inspectors report on uranium enrichment";
  article.body =
      "The atomic energy agency said that the nuclear program had grown and that uranium enrichment was going on at a "
      "second plant, which makes a return to the nuclear deal harder.";
  const IssueResult result = tagger->Tag(article);
  ASSERT_FALSE(result.tags.empty());
  EXPECT_EQ(result.tags.front().id, "security") << "nuclear is part of it";
  EXPECT_FALSE(result.tags.front().evidence.empty());
}

TEST_F(IssueTaggerLoadTest, WhatARetiredIssueWasFoundByGoesToItsReplacement) {
  std::string text = ReadFile(kTaxonomy);
  const size_t at = text.find("  id: \"nuclear\"\n");
  ASSERT_NE(at, std::string::npos);
  text.insert(at, "  replaced_by: \"security\"\n");
  ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy, Taxonomy::Parse(text, "test"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(kModel, taxonomy));
  EXPECT_THAT(tagger->info().issues, SizeIs(19));
  ArticleText article;
  article.title = "Uranium enrichment goes on";
  article.body = "The atomic energy agency said that uranium enrichment for the nuclear program was going on.";
  std::vector<std::string> ids;
  for (const auto& tag : tagger->Tag(article).tags) ids.push_back(tag.id);
  EXPECT_THAT(ids, Contains("security"));
}

TEST_F(IssueTaggerLoadTest, FreelyLicensedModelServesBothTaxonomies) {
  constexpr char kFreeModel[] = "classifier_service/data/model/issues-free.model";
  EXPECT_OK(Load(kFreeModel, kTaxonomy));
  EXPECT_OK(Load(kFreeModel, kThinkTank));
}

TEST_F(IssueTaggerLoadTest, RenamedIssuesDoNotInvalidateTheModel) {
  std::string text = ReadFile(kTaxonomy);
  const std::string name = "display_name: \"Public health\"";
  text.replace(text.find(name), name.size(), "display_name: \"Medicine & hospitals\"");
  EXPECT_OK(Load(kModel, dir_.Write("renamed.textproto", text)));
}

TEST_F(IssueTaggerLoadTest, EncodedModelReadsBackTheSame) {
  ASSERT_OK_AND_ASSIGN(IssueModel model, ReadIssueModel(kModel));
  const std::string version = model.report.model_version;
  const std::string bytes = EncodeIssueModel(model);
  EXPECT_EQ(model.report.model_version, version);
  ASSERT_OK_AND_ASSIGN(const IssueModel again, DecodeIssueModel(bytes, "memory"));
  EXPECT_EQ(again.weights, model.weights);
  EXPECT_EQ(again.vocabulary.size(), model.vocabulary.size());
  EXPECT_EQ(again.report.issues.size(), model.report.issues.size());
}

// A model by which every word and every phrase speaks for each issue as much as any other.
IssueModel LevelModel(IssueModel model, std::vector<std::string> terms) {
  std::sort(terms.begin(), terms.end());
  const size_t count = terms.size();
  model.vocabulary = *Vocabulary::Create(std::move(terms), std::vector<float>(count, 1.0F));
  model.weights.assign(count * model.issues.size(), 100);
  return model;
}

TEST_F(IssueTaggerLoadTest, OfEqualReasonsThePhraseStandsForItsWordsAndEarlierOnesComeFirst) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy taxonomy, Taxonomy::Load(kTaxonomy));
  ASSERT_OK_AND_ASSIGN(const IssueModel shipped, ReadIssueModel(kModel));
  std::vector<std::string> terms;
  std::string body;
  for (char first = 'a'; first <= 'i'; ++first) {
    const std::string word = absl::StrCat(std::string(1, first), "q");
    const std::string next = absl::StrCat(std::string(1, first), "z");
    const std::string phrase = absl::StrCat(word, " ", next);
    terms.insert(terms.end(), {word, next, phrase});
    absl::StrAppend(&body, phrase, ". ");
  }
  IssueModel model = LevelModel(shipped, terms);
  const std::string path = dir_.File("level.model");
  ASSERT_OK(WriteIssueModel(path, model));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(path, taxonomy));
  ArticleText article;
  article.body = body;
  const IssueResult result = tagger->Tag(article);
  ASSERT_FALSE(result.tags.empty());
  std::vector<std::string> reasons;
  for (const Evidence& reason : result.tags.front().evidence) reasons.push_back(reason.text);
  EXPECT_THAT(reasons, ElementsAre("aq az", "bq bz", "cq cz", "dq dz", "eq ez", "fq fz", "gq gz", "hq hz", "iq iz"));
}

TEST_F(IssueTaggerLoadTest, WritingToAFolderThatIsNotThereFailsWithRemedy) {
  ASSERT_OK_AND_ASSIGN(IssueModel model, ReadIssueModel(kModel));
  EXPECT_THAT(WriteIssueModel(dir_.File("none/issues.model"), model),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("check that the folder exists")));
}

}  // namespace
}  // namespace dateline::classifier
