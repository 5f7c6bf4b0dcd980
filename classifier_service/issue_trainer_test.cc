#include "classifier_service/issue_trainer.h"

#include <zstd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kTaxonomy[] = R"(
version: "small-1"
issue { id: "oil" names { language: "en" display_name: "Oil" } definition: "d" seed_phrase: "pipeline leak" }
issue { id: "sport" names { language: "en" display_name: "Sport" } definition: "d" }
)";

void Quiet(absl::string_view /*message*/) {}

LabelledArticle Article(int number, std::string body, std::vector<std::string> issues) {
  LabelledArticle article;
  article.id = absl::StrCat("test/", number);
  article.source = "test";
  article.body = std::move(body);
  article.issues = std::move(issues);
  article.gold = true;
  return article;
}

Corpus SmallCorpus() {
  Corpus corpus;
  for (int i = 0; i < 40; ++i) {
    corpus.train.push_back(Article(2 * i, absl::StrCat("Crude barrels and refineries, field ", i, "."), {"oil"}));
    corpus.train.push_back(Article(2 * i + 1, absl::StrCat("The goalkeeper won the match, round ", i, "."), {"sport"}));
  }
  return corpus;
}

TrainOptions SmallOptions() {
  TrainOptions options;
  options.max_terms = 1000;
  options.min_articles = 1;
  options.train_time = absl::FromUnixSeconds(1'700'000'000);
  return options;
}

class IssueTrainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(Taxonomy taxonomy, Taxonomy::Parse(kTaxonomy, "test"));
    taxonomy_ = std::make_unique<Taxonomy>(std::move(taxonomy));
  }

  absl::StatusOr<std::unique_ptr<IssueTagger>> TaggerOf(IssueModel& model) {
    const absl::Status written = WriteIssueModel(dir_.File("small.model"), model);
    return written.ok() ? IssueTagger::Load(dir_.File("small.model"), *taxonomy_) : written;
  }

  TempDir dir_;
  std::unique_ptr<Taxonomy> taxonomy_;
};

TEST_F(IssueTrainerTest, LearnsToTellTwoIssuesApart) {
  ASSERT_OK_AND_ASSIGN(TrainResult result, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  EXPECT_GT(result.gold_folds.quality.f1, 0.95);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, TaggerOf(result.model));
  ArticleText text;
  text.body = "Crude from the refineries was short.";
  EXPECT_EQ(tagger->Score(text).front().issue_id, "oil");
  text.body = "A match without a goalkeeper.";
  EXPECT_EQ(tagger->Score(text).front().issue_id, "sport");
}

TEST_F(IssueTrainerTest, SeedPhrasesTeachWhatNoArticleSays) {
  ASSERT_OK_AND_ASSIGN(TrainResult result, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, TaggerOf(result.model));
  ArticleText text;
  text.body = "A pipeline leak.";
  EXPECT_EQ(tagger->Score(text).front().issue_id, "oil");
}

TEST_F(IssueTrainerTest, SameArticlesGiveTheSameBytesWhateverTheThreads) {
  TrainOptions options = SmallOptions();
  options.threads = 1;
  ASSERT_OK_AND_ASSIGN(TrainResult one, TrainIssueModel(SmallCorpus(), *taxonomy_, options, Quiet));
  options.threads = 3;
  ASSERT_OK_AND_ASSIGN(TrainResult three, TrainIssueModel(SmallCorpus(), *taxonomy_, options, Quiet));
  EXPECT_EQ(EncodeIssueModel(one.model), EncodeIssueModel(three.model));
}

TEST_F(IssueTrainerTest, IssueWithNothingToLearnFromIsNamed) {
  Corpus corpus;
  for (int i = 0; i < 20; ++i) {
    corpus.train.push_back(Article(i, "Crude barrels.", {"oil"}));
  }
  EXPECT_THAT(
      TrainIssueModel(corpus, *taxonomy_, SmallOptions(), Quiet),
      StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("issue \"sport\""), HasSubstr("seed phrases"))));
}

TEST_F(IssueTrainerTest, CoarserIssuesLearnFromFinerLabels) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy coarse, Taxonomy::Parse(R"(
      version: "coarse"
      issue { id: "work" names { language: "en" display_name: "W" } definition: "d" trained_from: "oil" trained_from: "gas" }
      issue { id: "play" names { language: "en" display_name: "P" } definition: "d" trained_from: "sport" })",
                                                              "test"));
  ASSERT_OK_AND_ASSIGN(TrainResult result, TrainIssueModel(SmallCorpus(), coarse, SmallOptions(), Quiet));
  ASSERT_OK(WriteIssueModel(dir_.File("coarse.model"), result.model));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(dir_.File("coarse.model"), coarse));
  ArticleText text;
  text.body = "Crude from the refineries was short.";
  EXPECT_EQ(tagger->Score(text).front().issue_id, "work");
}

TEST_F(IssueTrainerTest, OptionsOutOfRangeAreNamed) {
  TrainOptions options = SmallOptions();
  options.folds = 1;
  EXPECT_THAT(TrainIssueModel(SmallCorpus(), *taxonomy_, options, Quiet),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("folds")));
  options = SmallOptions();
  options.cost = 0.0;
  EXPECT_THAT(TrainIssueModel(SmallCorpus(), *taxonomy_, options, Quiet),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cost")));
}

TEST_F(IssueTrainerTest, EvaluationCountsHitsAndMisses) {
  ASSERT_OK_AND_ASSIGN(TrainResult result, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, TaggerOf(result.model));
  const std::vector<LabelledArticle> articles = {Article(1, "Crude barrels and refineries.", {"oil"}),
                                                 Article(2, "Crude barrels and refineries.", {"sport"})};
  const Evaluation evaluation = EvaluateIssues(*tagger, *taxonomy_, articles);
  EXPECT_DOUBLE_EQ(evaluation.quality.precision, 0.5);
  EXPECT_DOUBLE_EQ(evaluation.quality.recall, 0.5);
  EXPECT_DOUBLE_EQ(evaluation.top1, 0.5);
  EXPECT_DOUBLE_EQ(evaluation.top3, 1.0);
  EXPECT_NEAR(evaluation.quality.macro_f1.value(), (2.0 / 3.0) / 2.0, 1e-9);
}

TEST(LabelStateTest, AbsentLabelsMeanWhatTheirSourceCouldSay) {
  LabelledArticle article;
  article.issues = {"nuclear"};
  article.labelling = Labelling::kComplete;
  EXPECT_EQ(StateOf(article, "nuclear"), LabelState::kYes);
  EXPECT_EQ(StateOf(article, "geopolitics"), LabelState::kNo);

  article.labelling = Labelling::kSingle;
  EXPECT_EQ(StateOf(article, "geopolitics"), LabelState::kUnknown) << "a neighbour of the one topic";
  EXPECT_EQ(StateOf(article, "culture"), LabelState::kNo);

  article.labelling = Labelling::kVocabulary;
  article.assertable = {"nuclear", "economy"};
  EXPECT_EQ(StateOf(article, "economy"), LabelState::kNo);
  EXPECT_EQ(StateOf(article, "culture"), LabelState::kUnknown);
}

TEST(ReadLabelledArticlesTest, ReadsJsonLines) {
  const TempDir dir;
  const std::string path =
      dir.Write("a.jsonl", "{\"id\":\"x/1\",\"title\":\"T\",\"body\":\"B\",\"issues\":[\"oil\"]}\n\n");
  ASSERT_OK_AND_ASSIGN(const std::vector<LabelledArticle> articles, ReadLabelledArticles(path));
  ASSERT_EQ(articles.size(), 1U);
  EXPECT_EQ(articles[0].title, "T");
  EXPECT_EQ(articles[0].source, "x");
  EXPECT_THAT(articles[0].issues, ElementsAre("oil"));
}

TEST(ReadLabelledArticlesTest, BrokenLinesAreNamed) {
  const TempDir dir;
  EXPECT_THAT(ReadLabelledArticles(dir.Write("a.jsonl", "{\"id\":\"1\"}\n{\"id\":")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 2")));
  EXPECT_THAT(ReadLabelledArticles(dir.Write("b.jsonl", "{\"title\":\"no id\"}\n")),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("line 1"), HasSubstr("no id"))));
  EXPECT_THAT(ReadLabelledArticles(dir.Write("c.jsonl.zst", "this is not zstd")),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("corrupted")));
  EXPECT_THAT(ReadLabelledArticles(dir.File("none.jsonl")), StatusIs(absl::StatusCode::kNotFound));
}

// A data folder of a few lines with every kind of overlap.
class LoadCorpusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"bbc", "masakhanews_eng", "cap_nyt_headlines", "dwie", "reliefweb_themes", "current_events"}) {
      dir_.Write(absl::StrCat("articles/", name, ".jsonl.zst"), Packed(""));
    }
    dir_.Write("articles/gold.jsonl.zst", Packed(Line("wikinews/1", kLong, "\"issues\":[\"culture\"]")));
    dir_.Write("articles/reuters21578.jsonl.zst",
               Packed(Line("reuters21578/1", kOther, "\"split\":\"test\"") +
                      Line("reuters21578/2", absl::StrCat("Again: ", kOther), "\"split\":\"train\"") +
                      Line("reuters21578/3", "Something of its own that nobody else has said before today.",
                           "\"split\":\"train\"")));
    dir_.Write("articles/allsides.jsonl.zst",
               Packed(Line("allsides/1", absl::StrCat(kLong, " And a little more."), "\"split\":\"train\"") +
                      Line("allsides/2", "Elections were held in a far country yesterday, to no one's surprise.",
                           "\"split\":\"train\"")));
    dir_.Write("issues/silver_issues.jsonl.zst",
               Packed("{\"id\":\"reuters21578/1\",\"issues\":[\"economy\"],\"split\":\"test\"}\n"
                      "{\"id\":\"reuters21578/2\",\"issues\":[\"economy\"],\"split\":\"train\"}\n"
                      "{\"id\":\"reuters21578/3\",\"issues\":[\"energy\"],\"split\":\"train\"}\n"
                      "{\"id\":\"allsides/1\",\"issues\":[\"culture\"],\"split\":\"train\"}\n"
                      "{\"id\":\"allsides/2\",\"issues\":[\"politics\"],\"split\":\"train\"}\n"));
  }

  static constexpr char kLong[] =
      "The museum opened its doors on Friday to a long line of visitors from all over town.";
  static constexpr char kOther[] = "The bank lowered its rates by half a point after weeks of falling prices at home.";

  static std::string Line(const std::string& id, const std::string& body, const std::string& more) {
    return absl::StrCat("{\"id\":\"", id, "\",\"title\":\"\",\"body\":\"", body, "\",", more, "}\n");
  }
  static std::string Packed(const std::string& text) {
    std::string packed(ZSTD_compressBound(text.size()), '\0');
    packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1));
    return packed;
  }

  TempDir dir_;
};

TEST_F(LoadCorpusTest, KeepsHeldOutArticlesAwayByIdAndByText) {
  CorpusOptions options;
  options.data_dir = dir_.path();
  options.gold_held_out = 0;
  ASSERT_OK_AND_ASSIGN(const Corpus corpus, LoadCorpus(options, Quiet));
  std::vector<std::string> ids;
  for (const LabelledArticle& article : corpus.train) {
    ids.push_back(article.id);
  }
  EXPECT_THAT(ids, ElementsAre("wikinews/1", "allsides/2", "reuters21578/3"));
  EXPECT_EQ(corpus.dropped_by_id, 1U);
  EXPECT_EQ(corpus.dropped_by_text, 2U) << "a copy of a test article, and a copy of a gold one";
  ASSERT_EQ(corpus.held_out.size(), 2U);
  EXPECT_EQ(corpus.held_out[1].name, "reuters21578");
}

TEST_F(LoadCorpusTest, MissingFolderIsNotFound) {
  CorpusOptions options;
  options.data_dir = "/nonexistent";
  EXPECT_THAT(LoadCorpus(options, Quiet), StatusIs(absl::StatusCode::kNotFound, HasSubstr("gold.jsonl.zst")));
}

}  // namespace
}  // namespace dateline::classifier
