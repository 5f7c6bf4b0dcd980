#include "cli/evaluation.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace cpb = classifier::v1;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

cpb::GetTaxonomyResponse Taxonomy() {
  cpb::GetTaxonomyResponse taxonomy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        regions {
          region_code: "IR"
          names { language_code: "en" display_name: "Iran" }
        }
        regions {
          region_code: "OM"
          names { language_code: "en" display_name: "Oman" }
        }
        groups {
          group_id: "gcc"
          names { language_code: "en" display_name: "GCC" }
        }
        issues {
          issue_id: "energy"
          names { language_code: "en" display_name: "Energy" aliases: "Oil" }
        }
        issues {
          issue_id: "trade"
          names { language_code: "en" display_name: "Trade" }
        }
        issues {
          issue_id: "sport"
          names { language_code: "en" display_name: "Sport" }
        }
        issues {
          issue_id: "old"
          names { language_code: "en" display_name: "Commerce" }
          replaced_by: "trade"
        }
      )pb",
      &taxonomy));
  return taxonomy;
}

struct Given {
  std::string id;
  std::vector<std::string> countries = {};
  std::vector<std::string> issues = {};
  double energy = 0;  // Scores; tags from 0.5 on.
  double trade = 0;
  double sport = 0;
  std::vector<std::string> tagged_countries = {};
  bool in_training = false;
  bool in_country_training = false;
};

ClassifiedItem Item(const Given& given) {
  ClassifiedItem item;
  item.item.id = given.id;
  item.article.set_title(absl::StrCat("About ", given.id));
  const auto label = [&](const char* kind, const std::string& name) {
    apb::SourceLabel& out = *item.article.add_source_labels();
    out.set_kind(kind);
    out.set_name(name);
  };
  for (const std::string& name : given.countries) label("country", name);
  for (const std::string& name : given.issues) label("issue", name);
  cpb::ClassifyResponse response;
  response.set_model_version("m1");
  response.set_in_training(given.in_training);
  response.set_in_country_training(given.in_country_training);
  for (size_t i = 0; i < given.tagged_countries.size(); ++i) {
    cpb::CountryTag& tag = *response.add_countries();
    tag.set_region_code(given.tagged_countries[i]);
    tag.set_score(0.9);
    tag.set_primary(i == 0);
    cpb::TagScore& score = *response.add_scores();
    score.set_region_code(given.tagged_countries[i]);
    score.set_score(0.9);
    score.set_tagged(true);
  }
  for (const auto& [issue, value] :
       {std::pair("energy", given.energy), std::pair("trade", given.trade), std::pair("sport", given.sport)}) {
    cpb::TagScore& score = *response.add_scores();
    score.set_issue_id(issue);
    score.set_score(value);
    score.set_threshold(0.5);
    score.set_tagged(value >= 0.5);
    if (value < 0.5) continue;
    cpb::IssueTag& tag = *response.add_issues();
    tag.set_issue_id(issue);
    tag.set_score(value);
    tag.add_evidence()->set_text(absl::StrCat("word of ", issue));
  }
  item.response = std::move(response);
  return item;
}

EvaluationReport Evaluate(const std::vector<Given>& articles, Evaluator::Options options = {}) {
  Evaluator evaluator(Taxonomy(), std::move(options));
  for (const Given& given : articles) evaluator.Add(Item(given));
  return evaluator.Finish();
}

const EvaluationReport::Dimension& Dimension(const EvaluationReport& report, const std::string& name) {
  for (const EvaluationReport::Dimension& dimension : report.dimensions()) {
    if (dimension.name() == name) return dimension;
  }
  static const EvaluationReport::Dimension none;
  ADD_FAILURE() << "no dimension " << name;
  return none;
}

TEST(EvaluationTest, CountsTagsAgainstLabels) {
  const EvaluationReport report = Evaluate({
      {.id = "a", .countries = {"Iran"}, .issues = {"Oil"}, .energy = 0.9, .tagged_countries = {"IR", "OM"}},
      {.id = "b", .countries = {"OM"}, .issues = {"energy", "Trade"}, .energy = 0.6, .trade = 0.2},
      {.id = "c", .countries = {}, .issues = {"Commerce"}, .energy = 0.7, .trade = 0.8},
      {.id = "d", .countries = {"Oman"}, .issues = {}, .tagged_countries = {"OM"}},
  });
  EXPECT_EQ(report.articles(), 4);
  EXPECT_EQ(report.labelled(), 4);
  EXPECT_EQ(report.model_version(), "m1");
  const EvaluationReport::Dimension& countries = Dimension(report, "countries");
  EXPECT_EQ(countries.articles(), 3);
  EXPECT_EQ(countries.agreement().right(), 2);
  EXPECT_NEAR(countries.agreement().precision(), 2.0 / 3, 1e-4);
  EXPECT_NEAR(countries.agreement().recall(), 2.0 / 3, 1e-4);
  EXPECT_NEAR(countries.hit_rate(), 2.0 / 3, 1e-4);
  EXPECT_NEAR(countries.primary_right(), 2.0 / 3, 1e-4);
  EXPECT_FALSE(countries.all_scores());
  const EvaluationReport::Dimension& issues = Dimension(report, "issues");
  EXPECT_EQ(issues.articles(), 3) << "an article without issues was not filed under any";
  EXPECT_EQ(issues.agreement().tagged(), 4);
  EXPECT_EQ(issues.agreement().labelled(), 4);
  EXPECT_EQ(issues.agreement().right(), 3) << "a retired issue is the one that took its place";
  EXPECT_EQ(issues.values_labelled(), 2);
  // Energy: 2 labels, 3 tags, 2 right; trade: 2 labels, 1 tag, 1 right.
  EXPECT_NEAR(issues.macro_f1(), (0.8 + 2.0 / 3) / 2, 1e-4);
  EXPECT_TRUE(issues.all_scores());
  EXPECT_EQ(issues.calibration().predictions(), 5);
}

TEST(EvaluationTest, IssuesThatNoLabelNamesAreLeftOut) {
  const EvaluationReport report = Evaluate({{.id = "a", .issues = {"energy"}, .energy = 0.9, .sport = 0.9}});
  const EvaluationReport::Dimension& issues = Dimension(report, "issues");
  EXPECT_DOUBLE_EQ(issues.agreement().precision(), 1.0);
  EXPECT_EQ(issues.tags_of_unused_issues(), 1);
  EXPECT_THAT(report.disagreements(), IsEmpty());
}

TEST(EvaluationTest, UnlabelledArticlesCountOnlyWhenAsked) {
  const std::vector<Given> articles = {{.id = "a", .issues = {"energy"}, .energy = 0.9}, {.id = "b", .energy = 0.8}};
  EXPECT_DOUBLE_EQ(Dimension(Evaluate(articles), "issues").agreement().precision(), 1.0);
  Evaluator::Options options;
  options.unlabelled_is_none = true;
  EXPECT_DOUBLE_EQ(Dimension(Evaluate(articles, options), "issues").agreement().precision(), 0.5);
}

TEST(EvaluationTest, WhatTheModelWasTrainedOnIsLeftOutAndListed) {
  const std::vector<Given> articles = {{.id = "a", .issues = {"energy"}, .energy = 0.9, .in_training = true},
                                       {.id = "b", .issues = {"energy"}, .energy = 0.1}};
  const EvaluationReport report = Evaluate(articles);
  EXPECT_TRUE(report.training_known());
  EXPECT_EQ(report.in_training(), 1);
  EXPECT_THAT(report.in_training_ids(), ElementsAre("a"));
  EXPECT_EQ(Dimension(report, "issues").articles(), 1);
  EXPECT_DOUBLE_EQ(Dimension(report, "issues").agreement().recall(), 0.0);
  Evaluator::Options options;
  options.include_trained = true;
  EXPECT_EQ(Dimension(Evaluate(articles, options), "issues").articles(), 2);
}

TEST(EvaluationTest, EachModelsFiguresLeaveOutWhatItWasTrainedOn) {
  const std::vector<Given> articles = {
      {.id = "a", .countries = {"OM"}, .issues = {"energy"}, .energy = 0.9, .in_country_training = true},
      {.id = "b", .countries = {"OM"}, .issues = {"energy"}, .energy = 0.9, .in_training = true}};
  const EvaluationReport report = Evaluate(articles);
  EXPECT_TRUE(report.country_training_known());
  EXPECT_EQ(report.in_country_training(), 1);
  EXPECT_THAT(report.in_country_training_ids(), ElementsAre("a"));
  EXPECT_EQ(Dimension(report, "countries").articles(), 1);
  EXPECT_EQ(Dimension(report, "issues").articles(), 1);
  const std::string text = FormatEvaluation(report, TextStyle());
  EXPECT_THAT(text, HasSubstr("The issue model was trained on 1 of them, which are left out of its figures: b\n"));
  EXPECT_THAT(text, HasSubstr("The country model was trained on 1 of them, which are left out of its figures: a\n"));
  Evaluator::Options options;
  options.include_trained = true;
  const EvaluationReport all = Evaluate(articles, options);
  EXPECT_EQ(Dimension(all, "countries").articles(), 2);
  EXPECT_EQ(Dimension(all, "issues").articles(), 2);
}

TEST(EvaluationTest, UnknownLabelsAreCountedAndTheMapGivesThemAMeaning) {
  const std::vector<Given> articles = {{.id = "a", .issues = {"Petrol desk", "trade"}, .energy = 0.9, .trade = 0.9},
                                       {.id = "b", .issues = {"Petrol desk"}, .energy = 0.9},
                                       {.id = "c", .issues = {"Opinion"}, .energy = 0.9}};
  const EvaluationReport report = Evaluate(articles);
  ASSERT_EQ(report.unmapped_labels_size(), 2);
  EXPECT_EQ(report.unmapped_labels(0).name(), "Petrol desk");
  EXPECT_EQ(report.unmapped_labels(0).articles(), 2);
  EXPECT_EQ(report.labelled(), 1);
  Evaluator::Options options;
  ASSERT_OK_AND_ASSIGN(options.label_map,
                       LabelMap::Parse("petrol desk = energy, GCC\nopinion =", TaxonomyNames(Taxonomy())));
  const EvaluationReport mapped = Evaluate(articles, options);
  EXPECT_THAT(mapped.unmapped_labels(), IsEmpty());
  EXPECT_EQ(mapped.labelled(), 2);
  EXPECT_EQ(Dimension(mapped, "issues").agreement().right(), 3);
  EXPECT_EQ(Dimension(mapped, "groups").agreement().labelled(), 2);
}

TEST(EvaluationTest, TheFarthestApartComesFirstWithItsReasons) {
  Evaluator::Options options;
  options.worst = 2;
  const EvaluationReport report = Evaluate({{.id = "near", .issues = {"energy"}, .energy = 0.45},
                                            {.id = "missed", .issues = {"energy"}, .energy = 0.02, .trade = 0.8},
                                            {.id = "wrong", .issues = {"trade"}, .energy = 0.97, .trade = 0.9}},
                                           options);
  ASSERT_EQ(report.disagreements_size(), 2);
  EXPECT_EQ(report.disagreements(0).id(), "missed");
  EXPECT_TRUE(report.disagreements(0).labelled());
  EXPECT_THAT(report.disagreements(0).tagged_instead(), ElementsAre("Trade (word of trade)"));
  EXPECT_EQ(report.disagreements(1).id(), "wrong");
  EXPECT_FALSE(report.disagreements(1).labelled());
  EXPECT_THAT(report.disagreements(1).evidence(), ElementsAre("word of energy"));
}

TEST(EvaluationTest, SuggestsAThresholdThatTheOtherHalfConfirms) {
  std::vector<Given> articles;
  for (int i = 0; i < 40; ++i) {
    // Labelled articles score 0.3 to 0.35: all missed at 0.5.
    articles.push_back({.id = absl::StrCat(i),
                        .issues = {i % 4 < 2 ? "energy" : "trade"},
                        .energy = i % 4 < 2 ? 0.3 + i * 0.001 : 0.1 + i * 0.001,
                        .trade = 0.6});
  }
  const EvaluationReport report = Evaluate(articles);
  for (const EvaluationReport::Value& value : Dimension(report, "issues").values()) {
    if (value.id() != "energy") continue;
    EXPECT_DOUBLE_EQ(value.threshold(), 0.5);
    EXPECT_DOUBLE_EQ(value.agreement().f1(), 0.0);
    EXPECT_GT(value.suggested_threshold(), 0.14);
    EXPECT_LT(value.suggested_threshold(), 0.3);
    EXPECT_DOUBLE_EQ(value.suggested_f1(), 1.0);
  }
  const std::string text = FormatEvaluation(report, TextStyle());
  EXPECT_THAT(text, HasSubstr("would give F1 1.000"));
  EXPECT_THAT(text, HasSubstr("The issue model was trained on none of them"));
  articles.resize(12);
  EXPECT_THAT(FormatEvaluation(Evaluate(articles), TextStyle()), Not(HasSubstr("would give")))
      << "six labelled articles are too few";
}

TEST(EvaluationTest, WhatFailedIsCounted) {
  Evaluator evaluator(Taxonomy(), {});
  ClassifiedItem item;
  item.response = absl::InvalidArgumentError("broken");
  evaluator.Add(item);
  const EvaluationReport report = evaluator.Finish();
  EXPECT_EQ(report.failed(), 1);
  EXPECT_THAT(report.dimensions(), IsEmpty());
  EXPECT_THAT(FormatEvaluation(report, TextStyle()), HasSubstr("1 failed"));
}

}  // namespace
}  // namespace dateline::cli
