#include "classifier_service/issue_trainer.h"

#include <zstd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "classifier_service/issue_seeds.h"
#include "classifier_service/issue_thresholds.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::ReadFile;
using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

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

TEST_F(IssueTrainerTest, AnIssueWithOneExampleIsNotGivenToEverything) {
  ASSERT_OK_AND_ASSIGN(const Taxonomy wider, Taxonomy::Parse(absl::StrCat(kTaxonomy, R"(
      issue { id: "chess" names { language: "en" display_name: "Chess" } definition: "d" })"),
                                                             "wider"));
  Corpus corpus = SmallCorpus();
  corpus.train.push_back(Article(999, "The queen took the rook and the grandmaster resigned.", {"chess"}));
  ASSERT_OK_AND_ASSIGN(TrainResult result, TrainIssueModel(corpus, wider, SmallOptions(), Quiet));
  EXPECT_GT(result.gold_folds.quality.f1, 0.9);
  ASSERT_OK(WriteIssueModel(dir_.File("one.model"), result.model));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(dir_.File("one.model"), wider));
  for (const IssueModelInfo& info : tagger->info().issues) {
    if (info.issue_id == "chess") {
      EXPECT_EQ(info.examples_needed, kEnoughExamples - 1);
    }
  }
  ArticleText text;
  text.body = "Crude from the refineries was short.";
  for (const auto& tag : tagger->Tag(text).tags) EXPECT_NE(tag.id, "chess");
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

// Articles about darts: the small model of oil and sport knows nothing of them.
std::vector<LabelledArticle> Corrections(int count, const char* issue) {
  std::vector<LabelledArticle> articles;
  for (int i = 0; i < count; ++i) {
    articles.push_back(
        Article(1000 + 2 * i, absl::StrCat("A pipeline of goals for the crude team, day ", i, "."), {issue}));
    articles.push_back(
        Article(1001 + 2 * i, absl::StrCat("The match at the refineries was cancelled, day ", i, "."), {"oil"}));
  }
  return articles;
}

AdaptOptions SmallAdaptOptions() {
  AdaptOptions options;
  options.train_time = absl::FromUnixSeconds(1'700'086'400);
  options.notes = "a test";
  return options;
}

TEST_F(IssueTrainerTest, CorrectionsTeachAModelWithoutWhatItWasMadeFrom) {
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  const std::vector<LabelledArticle> corrections = Corrections(20, "sport");
  ASSERT_OK_AND_ASSIGN(AdaptResult taught,
                       AdaptIssueModel(base.model, *taxonomy_, corrections, SmallAdaptOptions(), Quiet));
  EXPECT_GT(taught.after.quality.f1, taught.before.quality.f1);
  EXPECT_EQ(taught.after.quality.article_count, 40);
  EXPECT_THAT(taught.new_issues, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, TaggerOf(taught.model));
  ArticleText text;
  text.body = "A pipeline of goals for the crude team.";
  EXPECT_EQ(tagger->Score(text).front().issue_id, "sport");
  text.body = "Crude from the refineries was short.";
  EXPECT_EQ(tagger->Score(text).front().issue_id, "oil") << "what it knew before stays";
  text.body = corrections.front().body;
  EXPECT_EQ(tagger->InTraining(text), std::optional<bool>(true));
  EXPECT_NE(taught.model.training_notes.find("a test"), std::string::npos);

  AdaptOptions other_threads = SmallAdaptOptions();
  other_threads.threads = 1;
  ASSERT_OK_AND_ASSIGN(AdaptResult again, AdaptIssueModel(base.model, *taxonomy_, corrections, other_threads, Quiet));
  EXPECT_EQ(EncodeIssueModel(taught.model), EncodeIssueModel(again.model));
}

// Articles of one wrong label confirm each other: figures by folds get better, and only the model before can tell.
TEST_F(IssueTrainerTest, CorrectionsThatContradictWhatTheModelIsSureOfAreNamed) {
  Corpus corpus;
  for (int i = 0; i < 400; ++i) {
    corpus.train.push_back(Article(2 * i, "Crude barrels left the refineries, and pipelines were full.", {"oil"}));
    corpus.train.push_back(Article(2 * i + 1, "The goalkeeper won the match, and the league began.", {"sport"}));
  }
  TrainOptions options = SmallOptions();
  options.cost = 100;  // Sure of what it knows.
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(corpus, *taxonomy_, options, Quiet));
  std::vector<LabelledArticle> wrong;
  std::vector<LabelledArticle> right;
  for (int i = 0; i < 54; ++i) {
    const std::string body =
        absl::StrCat("Crude barrels left the refineries, and pipelines were full of crude, day ", i);
    wrong.push_back(Article(3000 + i, body, {"sport"}));
    right.push_back(Article(4000 + i, body, {"oil"}));
  }
  ASSERT_OK_AND_ASSIGN(AdaptResult taught, AdaptIssueModel(base.model, *taxonomy_, wrong, SmallAdaptOptions(), Quiet));
  EXPECT_GE(taught.after.quality.f1, taught.before.quality.f1);
  ASSERT_EQ(taught.contradictions.size(), 1U);
  EXPECT_EQ(taught.contradictions[0].issue_id, "sport");
  EXPECT_TRUE(taught.contradictions[0].applied);
  EXPECT_EQ(taught.contradictions[0].labels, 54);
  EXPECT_EQ(taught.contradictions[0].contradicting, 54);
  EXPECT_EQ(taught.contradictions[0].examples.size(), 10U);

  for (LabelledArticle& article : wrong) {
    article.labelling = Labelling::kPartial;
    article.issues = {};
    article.assertable = {"oil"};
  }
  ASSERT_OK_AND_ASSIGN(AdaptResult rejected,
                       AdaptIssueModel(base.model, *taxonomy_, wrong, SmallAdaptOptions(), Quiet));
  ASSERT_EQ(rejected.contradictions.size(), 1U);
  EXPECT_EQ(rejected.contradictions[0].issue_id, "oil");
  EXPECT_FALSE(rejected.contradictions[0].applied);

  // What it agrees with, a few surprises among many, and what it is not sure of, are no news.
  right.insert(right.end(), wrong.begin(), wrong.begin() + 9);
  ASSERT_OK_AND_ASSIGN(AdaptResult agreed, AdaptIssueModel(base.model, *taxonomy_, right, SmallAdaptOptions(), Quiet));
  EXPECT_TRUE(agreed.contradictions.empty());
  ASSERT_OK_AND_ASSIGN(AdaptResult unsure,
                       AdaptIssueModel(base.model, *taxonomy_, Corrections(20, "sport"), SmallAdaptOptions(), Quiet));
  EXPECT_TRUE(unsure.contradictions.empty());
}

TrainOptions SvmOptions() {
  TrainOptions options = SmallOptions();
  options.learner = Learner::kSvm;
  return options;
}

TEST_F(IssueTrainerTest, SupportVectorsGiveTheSameBytesWhateverTheThreads) {
  TrainOptions options = SvmOptions();
  options.threads = 1;
  ASSERT_OK_AND_ASSIGN(TrainResult one, TrainIssueModel(SmallCorpus(), *taxonomy_, options, Quiet));
  options.threads = 3;
  ASSERT_OK_AND_ASSIGN(TrainResult three, TrainIssueModel(SmallCorpus(), *taxonomy_, options, Quiet));
  EXPECT_EQ(EncodeIssueModel(one.model), EncodeIssueModel(three.model));
  EXPECT_GT(one.gold_folds.quality.f1, 0.95);
}

TEST_F(IssueTrainerTest, SupportVectorsGiveMarginsThatAreLogOdds) {
  ASSERT_OK_AND_ASSIGN(TrainResult result, TrainIssueModel(SmallCorpus(), *taxonomy_, SvmOptions(), Quiet));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, TaggerOf(result.model));
  EXPECT_EQ(tagger->info().issues.front().slope, 1.0);
  EXPECT_EQ(tagger->info().issues.front().intercept, 0.0);
  ArticleText text;
  text.body = "Crude from the refineries was short, field 7.";
  const IssueScore best = tagger->Score(text).front();
  EXPECT_EQ(best.issue_id, "oil");
  EXPECT_GT(best.score, 0.6);
  EXPECT_NEAR(best.score, 1.0 / (1.0 + std::exp(-best.raw.value())), 2e-4);
}

TEST_F(IssueTrainerTest, SupportVectorsGiveIssuesOfThreeExamples) {
  std::string text(kTaxonomy);
  Corpus corpus = SmallCorpus();
  const std::vector<std::string> rare = {"copra", "rye", "palladium", "castor"};
  for (size_t k = 0; k < rare.size(); ++k) {
    absl::StrAppend(&text, "issue { id: \"", rare[k], "\" names { language: \"en\" display_name: \"", rare[k],
                    "\" } definition: \"d\" }\n");
    for (int i = 0; i < 3; ++i) {
      corpus.train.push_back(Article(static_cast<int>(1000 + 10 * k) + i,
                                     absl::StrCat("Traders of ", rare[k], " sold ", rare[k], ", lot ", i, "."),
                                     {rare[k]}));
    }
  }
  ASSERT_OK_AND_ASSIGN(const Taxonomy wider, Taxonomy::Parse(text, "wider"));
  ASSERT_OK_AND_ASSIGN(TrainResult result, TrainIssueModel(corpus, wider, SvmOptions(), Quiet));
  ASSERT_OK(WriteIssueModel(dir_.File("rare.model"), result.model));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(dir_.File("rare.model"), wider));
  for (const std::string& issue : rare) {
    ArticleText article;
    article.body = absl::StrCat("Much ", issue, " was sold.");
    const IssueResult tagged = tagger->Tag(article);
    ASSERT_EQ(tagged.tags.size(), 1U) << issue;
    EXPECT_EQ(tagged.tags.front().id, issue);
  }
}

TEST_F(IssueTrainerTest, CorrectionsTeachAModelOfSupportVectorsToo) {
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(SmallCorpus(), *taxonomy_, SvmOptions(), Quiet));
  ASSERT_OK_AND_ASSIGN(AdaptResult taught,
                       AdaptIssueModel(base.model, *taxonomy_, Corrections(20, "sport"), SmallAdaptOptions(), Quiet));
  EXPECT_GT(taught.after.quality.f1, taught.before.quality.f1);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, TaggerOf(taught.model));
  ArticleText text;
  text.body = "A pipeline of goals for the crude team.";
  EXPECT_EQ(tagger->Score(text).front().issue_id, "sport");
  text.body = "Crude barrels and refineries, field 50.";
  EXPECT_EQ(tagger->Score(text).front().issue_id, "oil") << "what it knew before stays";
}

// `kTaxonomy` with an issue that the small model doesn't know.
std::string WithWorks(const std::string& seeds) {
  return absl::StrCat(kTaxonomy,
                      "issue { id: \"works\" names { language: \"en\" display_name: \"Works\" } definition: \"d\" ",
                      seeds, " }");
}

// As Corrections(), but no text nearly repeats another one: every other word is its own.
std::vector<LabelledArticle> DifferentCorrections(int count, const char* issue) {
  std::vector<LabelledArticle> articles = Corrections(count, issue);
  for (size_t i = 0; i < articles.size(); ++i) {
    std::string body;
    for (const absl::string_view word : absl::StrSplit(articles[i].body, ' ')) {
      absl::StrAppend(&body, word, " name", std::string(1, static_cast<char>('a' + i % 26)),
                      std::string(1 + i / 26, 'q'), body.size(), " ");
    }
    articles[i].body = body;
  }
  return articles;
}

ArticleText TextOf(std::string body) {
  ArticleText text;
  text.body = std::move(body);
  return text;
}

double ScoreOf(const IssueTagger& tagger, const ArticleText& text, absl::string_view issue) {
  for (const IssueScore& score : tagger.Score(text)) {
    if (score.issue_id == issue) return score.score;
  }
  ADD_FAILURE() << "no issue " << issue;
  return 0.0;
}

TEST_F(IssueTrainerTest, CorrectionsOfOneIssueLeaveTheOthersAsTheyWere) {
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  base.model.report.training_article_count = 40'000;
  std::vector<LabelledArticle> corrections;
  for (int i = 0; i < 52; ++i) {
    corrections.push_back(
        Article(1000 + i, absl::StrCat("The goalkeeper of the crude team won, cup ", i, "."), {"sport"}));
  }
  ASSERT_OK_AND_ASSIGN(AdaptResult taught,
                       AdaptIssueModel(base.model, *taxonomy_, corrections, SmallAdaptOptions(), Quiet));
  const ArticleText neither = TextOf("The minister spoke on Monday.");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> before, TaggerOf(base.model));
  const double sport = ScoreOf(*before, neither, "sport");
  const double oil = ScoreOf(*before, neither, "oil");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> after, TaggerOf(taught.model));
  EXPECT_NEAR(ScoreOf(*after, neither, "sport"), sport, 0.05) << "nothing was said of how often sport comes";
  EXPECT_NEAR(ScoreOf(*after, neither, "oil"), oil, 0.05);
}

TEST_F(IssueTrainerTest, ANewIssueGetsBetterWithEveryExampleThatComes) {
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  ASSERT_OK_AND_ASSIGN(const Taxonomy wider, Taxonomy::Parse(WithWorks("seed_phrase: \"bridge repairs\""), "wider"));
  const ArticleText silent = TextOf("The pipeline of goals made the crude team strong, day 77 of the cup.");
  const ArticleText speaking =
      TextOf("Bridge repairs at the stadium: a pipeline of goals for the crude team, said the mayor.");
  IssueModel model = base.model;
  double silent_score = 0.0;
  for (const int examples : {2, 6, kEnoughExamples - 1, kEnoughExamples, kEnoughExamples + 10}) {
    SCOPED_TRACE(examples);
    // All that editors ever said, as `dateline labels export` writes it: what was learned before counts once.
    ASSERT_OK_AND_ASSIGN(AdaptResult taught, AdaptIssueModel(model, wider, DifferentCorrections(examples, "works"),
                                                             SmallAdaptOptions(), Quiet));
    EXPECT_EQ(taught.new_issues.size(), examples == 2 ? 1U : 0U);
    model = taught.model;
    ASSERT_OK(WriteIssueModel(dir_.File("wider.model"), model));
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(dir_.File("wider.model"), wider));
    ASSERT_EQ(tagger->info().issues.size(), 3U);
    const IssueModelInfo& info = tagger->info().issues[2];
    EXPECT_EQ(info.example_count, examples);
    EXPECT_EQ(info.examples_needed, std::max(0, kEnoughExamples - examples));
    const Provenance provenance = examples < kEnoughExamples ? Provenance::kSeed : Provenance::kModel;
    EXPECT_EQ(info.provenance, provenance);
    EXPECT_GT(ScoreOf(*tagger, silent, "works"), silent_score);
    silent_score = ScoreOf(*tagger, silent, "works");
    // The seed phrase still speaks, and is a reason beside the words that were learned.
    const IssueResult result = tagger->Tag(speaking);
    const auto tag =
        std::find_if(result.tags.begin(), result.tags.end(), [](const auto& one) { return one.id == "works"; });
    ASSERT_NE(tag, result.tags.end());
    EXPECT_EQ(tag->provenance, provenance);
    ASSERT_FALSE(tag->evidence.empty());
    EXPECT_TRUE(std::any_of(tag->evidence.begin(), tag->evidence.end(),
                            [](const Evidence& reason) { return reason.text == "Bridge repairs"; }));
  }
  EXPECT_GT(silent_score, 0.5);
}

TEST_F(IssueTrainerTest, OfCompleteLabelsANewIssueLearnsHowOftenItComes) {
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  ASSERT_OK_AND_ASSIGN(const Taxonomy wider, Taxonomy::Parse(WithWorks("seed_phrase: \"bridge repairs\""), "wider"));
  std::vector<LabelledArticle> articles = DifferentCorrections(kEnoughExamples, "works");
  ASSERT_OK_AND_ASSIGN(const AdaptResult sample,
                       AdaptIssueModel(base.model, wider, articles, SmallAdaptOptions(), Quiet));
  EXPECT_EQ(sample.model.report.issues[2].provenance, Provenance::kModel);
  EXPECT_NE(sample.model.report.issues[2].threshold, sample.model.report.issues[1].threshold);
  EXPECT_NE(sample.model.issues[2].slope, 1.0F);
  EXPECT_GT(sample.model.issues[2].seed_weight, 0.0F);
  // What editors said of single issues is no sample.
  for (LabelledArticle& article : articles) {
    article.labelling = Labelling::kPartial;
    article.assertable = {article.issues.front() == "works" ? "oil" : "works"};
  }
  ASSERT_OK_AND_ASSIGN(const AdaptResult corrections,
                       AdaptIssueModel(base.model, wider, articles, SmallAdaptOptions(), Quiet));
  EXPECT_EQ(corrections.model.report.issues[2].provenance, Provenance::kModel);
  EXPECT_EQ(corrections.model.report.issues[2].threshold, SeedScorer::kThreshold);
  EXPECT_EQ(corrections.model.issues[2].slope, 1.0F);
}

TEST_F(IssueTrainerTest, RejectionsAloneTakeAwayTagsOfSeedPhrases) {
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  ASSERT_OK_AND_ASSIGN(const Taxonomy wider, Taxonomy::Parse(WithWorks("seed_phrase: \"league tables\""), "wider"));
  std::vector<LabelledArticle> rejections;
  for (int i = 0; i < 12; ++i) {
    rejections.push_back(
        Article(3000 + i, absl::StrCat("League tables: the goalkeeper won match ", i, " of the round."), {}));
    rejections.back().labelling = Labelling::kPartial;
    rejections.back().assertable = {"works"};
  }
  ASSERT_OK_AND_ASSIGN(AdaptResult taught, AdaptIssueModel(base.model, wider, rejections, SmallAdaptOptions(), Quiet));
  EXPECT_THAT(taught.new_issues, ElementsAre("works"));
  EXPECT_EQ(taught.before.stray_tags, 12);
  EXPECT_EQ(taught.after.stray_tags, 0);
  ASSERT_OK(WriteIssueModel(dir_.File("wider.model"), taught.model));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(dir_.File("wider.model"), wider));
  EXPECT_EQ(tagger->info().issues[2].examples_needed, kEnoughExamples);
  EXPECT_LT(ScoreOf(*tagger, TextOf("League tables: the goalkeeper won match 70 of the round."), "works"),
            tagger->info().issues[2].threshold);
  EXPECT_GE(ScoreOf(*tagger, TextOf("League tables of bridges and roads were shown."), "works"),
            tagger->info().issues[2].threshold);
  // A list of all issues of an article may be older than the issue.
  for (LabelledArticle& article : rejections) {
    article.labelling = Labelling::kComplete;
    article.assertable.clear();
  }
  ASSERT_OK_AND_ASSIGN(taught, AdaptIssueModel(base.model, wider, rejections, SmallAdaptOptions(), Quiet));
  EXPECT_THAT(taught.new_issues, IsEmpty());
}

TEST_F(IssueTrainerTest, ModelsWithoutSeedPhrasesAreWrittenAsBefore) {
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  const std::string bytes = EncodeIssueModel(base.model);
  ASSERT_OK_AND_ASSIGN(IssueModel read, DecodeIssueModel(bytes, "small"));
  EXPECT_EQ(EncodeIssueModel(read), bytes);
  const std::string shipped = ReadFile("classifier_service/data/model/issues.model");
  ASSERT_OK_AND_ASSIGN(IssueModel model, DecodeIssueModel(shipped, "shipped"));
  EXPECT_EQ(EncodeIssueModel(model), shipped);
}

TEST_F(IssueTrainerTest, ANewIssueWithoutSeedPhrasesIsLearnedOnceThereAreEnoughExamples) {
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  ASSERT_OK_AND_ASSIGN(const Taxonomy wider, Taxonomy::Parse(WithWorks(""), "wider"));
  ASSERT_OK_AND_ASSIGN(
      const AdaptResult few,
      AdaptIssueModel(base.model, wider, Corrections(kEnoughExamples - 1, "works"), SmallAdaptOptions(), Quiet));
  EXPECT_THAT(few.new_issues, IsEmpty());
  ASSERT_OK_AND_ASSIGN(AdaptResult enough, AdaptIssueModel(base.model, wider, Corrections(kEnoughExamples, "works"),
                                                           SmallAdaptOptions(), Quiet));
  EXPECT_THAT(enough.new_issues, ElementsAre("works"));
  ASSERT_OK(WriteIssueModel(dir_.File("wider.model"), enough.model));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, IssueTagger::Load(dir_.File("wider.model"), wider));
  ASSERT_EQ(tagger->info().issues.size(), 3U);
  EXPECT_EQ(tagger->info().issues[2].provenance, Provenance::kModel);
  EXPECT_EQ(tagger->info().issues[2].example_count, kEnoughExamples);
  ArticleText text;
  text.body = "A pipeline of goals for the crude team, day 7.";
  EXPECT_EQ(tagger->Score(text).front().issue_id, "works");
}

TEST_F(IssueTrainerTest, TooFewCorrectionsAreRefused) {
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  EXPECT_THAT(AdaptIssueModel(base.model, *taxonomy_, Corrections(1, "sport"), SmallAdaptOptions(), Quiet),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at least 4")));
}

TEST_F(IssueTrainerTest, PublishingKeepsTheModelBeforeAndRollingBackSwapsThem) {
  ASSERT_OK_AND_ASSIGN(TrainResult one, TrainIssueModel(SmallCorpus(), *taxonomy_, SmallOptions(), Quiet));
  IssueModel two = one.model;
  two.training_notes = "another";
  const std::string path = dir_.File("live.model");
  ASSERT_OK(PublishIssueModel(path, one.model));
  EXPECT_THAT(RollBackIssueModel(path), StatusIs(absl::StatusCode::kNotFound, AllOf(HasSubstr("live.model.previous"),
                                                                                    HasSubstr("none to bring back"))));
  ASSERT_OK(PublishIssueModel(path, two));
  const auto version = [&] { return ReadIssueModel(path)->report.model_version; };
  EXPECT_EQ(version(), two.report.model_version);
  ASSERT_OK_AND_ASSIGN(const std::string back, RollBackIssueModel(path));
  EXPECT_EQ(back, one.model.report.model_version);
  EXPECT_EQ(version(), one.model.report.model_version);
  ASSERT_OK(RollBackIssueModel(path).status());
  EXPECT_EQ(version(), two.report.model_version);
  dir_.Write("live.model", "damaged");
  ASSERT_OK(RollBackIssueModel(path).status());
  EXPECT_EQ(version(), one.model.report.model_version);
  ASSERT_OK(WriteIssueModel(path, two));
  dir_.Write("live.model.previous", "no model");
  EXPECT_THAT(RollBackIssueModel(path), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(version(), two.report.model_version) << "nothing is swapped for what is no model";
}

TEST_F(IssueTrainerTest, ThresholdsAreChosenForWhatASiteWants) {
  Corpus corpus = SmallCorpus();
  for (LabelledArticle& article : corpus.train) {
    article.body += " So it went on for days and days.";
  }
  ASSERT_OK_AND_ASSIGN(TrainResult base, TrainIssueModel(corpus, *taxonomy_, SmallOptions(), Quiet));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> tagger, TaggerOf(base.model));
  // Half of what speaks of crude is about oil, all that speaks of crude and barrels is.
  std::vector<LabelledArticle> articles;
  for (int i = 0; i < 40; ++i) {
    articles.push_back(Article(
        900 + i, absl::StrCat("Crude barrels from refineries and fields in year ", i * 31, " of it."), {"oil"}));
    articles.push_back(Article(1000 + i,
                               absl::StrCat("A crude joke of the goalkeeper in match ", i * 31, " of the long season."),
                               i % 2 == 0 ? std::vector<std::string>{"oil"} : std::vector<std::string>()));
  }
  const auto choose = [&](double min_precision) {
    return ChooseThresholds(base.model, *tagger, *taxonomy_, articles, {.min_precision = min_precision});
  };
  ASSERT_OK_AND_ASSIGN(const ThresholdChoice best_f1, choose(0.0));
  EXPECT_EQ(best_f1.articles, 80);
  ASSERT_EQ(best_f1.issues.size(), 2U);
  EXPECT_EQ(best_f1.issues[0].issue_id, "oil");
  EXPECT_EQ(best_f1.issues[0].positives, 60);
  EXPECT_THAT(best_f1.issues[0].reason, HasSubstr("no other is clearly better"));
  EXPECT_EQ(best_f1.issues[1].reason, "fewer than 10 articles have it");
  ASSERT_OK_AND_ASSIGN(const ThresholdChoice precise, choose(0.95));
  EXPECT_GT(precise.issues[0].after, best_f1.issues[0].after);
  EXPECT_EQ(precise.issues[0].quality_after.precision, 1.0);
  EXPECT_EQ(precise.issues[1].after, precise.issues[1].before);
  EXPECT_THAT(FormatThresholds(precise), HasSubstr("stays: fewer than 10 articles have it"));
  EXPECT_THAT(choose(1.5), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("min_precision")));
  EXPECT_THAT(ChooseThresholds(base.model, *tagger, *taxonomy_, corpus.train, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("learned from all")));

  base.model.report.quality = Quality{};
  base.model.report.issues[0].quality = Quality{};
  base.model.report.issues[1].quality = Quality{};
  ASSERT_OK(SetThreshold(base.model, "oil", base.model.report.issues[0].threshold));
  EXPECT_TRUE(base.model.report.quality.has_value()) << "nothing has changed";
  ASSERT_OK(SetThreshold(base.model, "sport", 0.75));
  EXPECT_FALSE(base.model.report.quality.has_value());
  EXPECT_TRUE(base.model.report.issues[0].quality.has_value());
  EXPECT_FALSE(base.model.report.issues[1].quality.has_value());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IssueTagger> set, TaggerOf(base.model));
  EXPECT_EQ(set->info().issues[1].threshold, 0.75);
  EXPECT_THAT(SetThreshold(base.model, "none", 0.5),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"none\"")));
  EXPECT_THAT(SetThreshold(base.model, "sport", 2), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("0 to 1")));
}

TEST_F(IssueTrainerTest, OwnArticlesAreNamedByTheTaxonomyAndCountedOnce) {
  std::vector<LabelledArticle> articles = {
      Article(1, "One text of the site.", {"Oil", "nonsense"}), Article(2, "Another text of the site.", {"sport"}),
      Article(3, "ONE text of the site.", {"oil"}), Article(2, "Another text of the site, corrected.", {"sport"})};
  const OwnArticles own = PrepareOwnArticles(std::move(articles), *taxonomy_);
  ASSERT_EQ(own.articles.size(), 2U);
  EXPECT_THAT(own.articles[0].issues, ElementsAre("oil"));
  EXPECT_EQ(own.articles[1].body, "Another text of the site, corrected.");
  EXPECT_THAT(own.unknown_labels, ElementsAre(Pair("nonsense", 1)));
  EXPECT_EQ(own.contradictions, 0U);

  const OwnArticles torn =
      PrepareOwnArticles({Article(1, "The same text.", {"oil"}), Article(2, "The same text.", {"sport"})}, *taxonomy_);
  ASSERT_EQ(torn.articles.size(), 1U);
  EXPECT_THAT(torn.articles[0].issues, ElementsAre("sport"));
  EXPECT_THAT(torn.contradicting, ElementsAre("test/1 and test/2"));
}

TEST_F(IssueTrainerTest, EveryUnknownLabelIsCountedHoweverOftenAnotherCame) {
  std::vector<LabelledArticle> articles;
  for (int i = 0; i < 30; ++i) {
    articles.push_back(Article(i, absl::StrCat("Text number ", i), {"Opinion"}));
  }
  articles.push_back(Article(30, "The last text", {"Levant Desk"}));
  EXPECT_THAT(PrepareOwnArticles(std::move(articles), *taxonomy_).unknown_labels,
              ElementsAre(Pair("Levant Desk", 1), Pair("Opinion", 30)));
}

TEST_F(IssueTrainerTest, WhatIsBothAppliedAndRejectedSaysNothing) {
  LabelledArticle article = Article(1, "One text of the site.", {"Oil", "sport"});
  article.labelling = Labelling::kPartial;
  article.assertable = {"oil"};
  const OwnArticles own = PrepareOwnArticles({article}, *taxonomy_);
  ASSERT_EQ(own.articles.size(), 1U);
  EXPECT_EQ(StateOf(own.articles[0], "oil"), LabelState::kUnknown);
  EXPECT_EQ(StateOf(own.articles[0], "sport"), LabelState::kYes);
  EXPECT_EQ(own.undecided, 1U);
  EXPECT_THAT(own.undecided_in, ElementsAre("test/1 (oil)"));
}

TEST_F(IssueTrainerTest, ArticlesInOtherLanguagesAreLeftOutAndCounted) {
  const std::string french =
      "Le gouvernement a annoncé mardi une réforme des retraites qui sera votée avant la fin de l'année.";
  std::vector<LabelledArticle> articles = {
      Article(1, french, {"oil"}), Article(2, "The government said on Tuesday that it would reform pensions.", {"oil"}),
      Article(3, "1, 2, 3", {"sport"}), Article(4, "The editors know better what this is in.", {"oil"}),
      Article(5, french + " Peut-être.", {"sport"})};
  articles[3].language = "pt-BR";
  articles[4].language = "en-GB";
  const OwnArticles own = PrepareOwnArticles(articles, *taxonomy_, {}, {"en"});
  EXPECT_THAT(own.other_languages, ElementsAre(Pair("fr", 1), Pair("pt", 1)));
  ASSERT_EQ(own.articles.size(), 3U);
  EXPECT_EQ(own.articles[0].id, "test/2");
  EXPECT_EQ(PrepareOwnArticles(articles, *taxonomy_).articles.size(), 5U);
}

TEST_F(IssueTrainerTest, AMapSaysWhatTheSitesOwnNamesMean) {
  const std::string path = dir_.Write("names.txt",
                                      "# Our desks.\n"
                                      "Gulf Desk = issue:oil, group:gcc, country:OM\n"
                                      "Sport     =          # the dog pages\n");
  ASSERT_OK_AND_ASSIGN(const IssueLabelMap map, ReadIssueLabelMap(path, *taxonomy_));
  const OwnArticles own = PrepareOwnArticles(
      {Article(1, "One text.", {"gulf  desk"}), Article(2, "Another text.", {"sport", "oil"})}, *taxonomy_, map);
  ASSERT_EQ(own.articles.size(), 2U);
  EXPECT_THAT(own.articles[0].issues, ElementsAre("oil"));
  EXPECT_THAT(own.articles[1].issues, ElementsAre("oil")) << "the map outranks the taxonomy";
  EXPECT_TRUE(own.unknown_labels.empty());

  EXPECT_THAT(ReadIssueLabelMap(dir_.Write("wrong.txt", "\nGulf Desk = oyl\n"), *taxonomy_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("wrong.txt, line 2: “oyl” is no issue"), HasSubstr("country: or group:"))));
  EXPECT_THAT(ReadIssueLabelMap(dir_.File("none.txt"), *taxonomy_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cannot be read")));
}

TEST_F(IssueTrainerTest, OwnArticlesTakeThePlaceOfWhatTheyRepeatAndSomeAreHeldOut) {
  Corpus corpus = SmallCorpus();
  std::vector<LabelledArticle> own;
  for (int i = 0; i < 50; ++i) {
    own.push_back(
        Article(500 + i, absl::StrCat("A text of the site itself about number ", i * 37, " and more."), {"oil"}));
  }
  own.push_back(Article(0, "Crude barrels again.", {"sport"}));
  EXPECT_EQ(AddOwnArticles(own, 5, corpus), 1U) << "test/0 was there";
  ASSERT_EQ(corpus.held_out.size(), 1U);
  EXPECT_EQ(corpus.held_out[0].name, "own");
  const size_t held_out = corpus.held_out[0].articles.size();
  EXPECT_GT(held_out, 3U);
  EXPECT_LT(held_out, 20U);
  EXPECT_EQ(corpus.train.size(), 79 + own.size() - held_out);
}

TEST(LabelStateTest, WhatAnEditorSaidOfSomeIssuesLeavesTheOthersOpen) {
  LabelledArticle article;
  article.labelling = Labelling::kPartial;
  article.issues = {"trade"};
  article.assertable = {"economy"};
  EXPECT_EQ(StateOf(article, "trade"), LabelState::kYes);
  EXPECT_EQ(StateOf(article, "economy"), LabelState::kNo);
  EXPECT_EQ(StateOf(article, "culture"), LabelState::kUnknown);
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

TEST(ReadLabelledArticlesTest, BrokenLinesCanBeLeftOut) {
  const TempDir dir;
  const std::string path = dir.Write("a.jsonl",
                                     "{\"id\":\"1\",\"body\":\"B\",\"issues\":[]}\n{\"id\":\n[1]\n"
                                     "{\"id\":\"2\",\"body\":\"B\",\"issues\":\"oil\"}\n"
                                     "{\"id\":\"3\",\"title\":\"T\",\"applied\":[\"oil\"],\"rejected\":[\"sport\"]}\n"
                                     "{\"id\":\"4\",\"body\":\"B\",\"applied\":[],\"issues\":[]}\n"
                                     "{\"id\":\"5\",\"titel\":\"T\",\"text\":\"B\",\"issues\":[]}\n"
                                     "{\"id\":\"6\",\"title\":\"T\"}\n"
                                     "{\"id\":\"7\",\"title\":7,\"issues\":[]}\n");
  BrokenLines broken;
  ASSERT_OK_AND_ASSIGN(const std::vector<LabelledArticle> articles, ReadLabelledArticles(path, &broken));
  ASSERT_EQ(articles.size(), 2U);
  EXPECT_EQ(articles[1].labelling, Labelling::kPartial);
  EXPECT_EQ(StateOf(articles[1], "sport"), LabelState::kNo);
  EXPECT_EQ(broken.count, 7U);
  EXPECT_THAT(broken.problems,
              ElementsAre(HasSubstr("line 2"), HasSubstr("line 3"),
                          AllOf(HasSubstr("line 4"), HasSubstr("issues: must be a list")),
                          AllOf(HasSubstr("line 6"), HasSubstr("not both")), HasSubstr("line 7: no text"),
                          HasSubstr("line 8: no labels"), HasSubstr("line 9: title: must be a string")));
}

TEST(ReadLabelledArticlesTest, BrokenLinesAreNamed) {
  const TempDir dir;
  EXPECT_THAT(ReadLabelledArticles(dir.Write("a.jsonl", "{\"id\":\"1\",\"title\":\"T\",\"issues\":[]}\n{\"id\":")),
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
