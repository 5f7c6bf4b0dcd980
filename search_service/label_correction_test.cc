#include "search_service/label_correction.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "search_service/engine_test_util.h"

namespace dateline::search {
namespace {

using ::testing::ElementsAre;

Label Of(Dimension dimension, const std::string& id, bool primary = false) {
  Label label;
  label.dimension = dimension;
  label.id = id;
  label.primary = primary;
  return label;
}
Label Country(const std::string& id, bool primary = false) { return Of(Dimension::kCountry, id, primary); }
Label Issue(const std::string& id) { return Of(Dimension::kIssue, id); }

Label From(LabelSource source, Label label, double score = 1.0) {
  label.source = source;
  label.score = score;
  return label;
}

// "IR*", "energy": what counts.
std::vector<std::string> Counting(const Article& article) {
  std::vector<std::string> ids;
  for (const Label& label : EffectiveLabels(article)) ids.push_back(label.primary ? label.id + "*" : label.id);
  return ids;
}

LabelCorrection Correction(std::vector<Label> add, std::vector<Label> remove = {}, std::vector<Label> clear = {},
                           std::vector<Dimension> replace = {}, std::vector<Dimension> restore = {}) {
  LabelCorrection correction;
  correction.add = std::move(add);
  correction.remove = std::move(remove);
  correction.clear = std::move(clear);
  correction.replace = std::move(replace);
  correction.restore = std::move(restore);
  return correction;
}

class LabelCorrectionTest : public ::testing::Test {
 protected:
  bool Apply(const LabelCorrection& correction, absl::Time now = absl::UnixEpoch()) {
    const absl::StatusOr<LabelCorrection> checked = CheckCorrection(correction, taxonomy_);
    EXPECT_TRUE(checked.ok()) << checked.status();
    return checked.ok() && ApplyCorrection(*checked, taxonomy_, now, article_);
  }

  const Taxonomy taxonomy_{TestTaxonomy()};
  // The classifier says Iran (mainly) and energy, the publisher geopolitics.
  Article article_ = [] {
    Article article;
    article.labels = {From(LabelSource::kClassifier, Country("IR", true), 0.9),
                      From(LabelSource::kClassifier, Issue("energy"), 0.6),
                      From(LabelSource::kSource, Issue("geopolitics"))};
    return article;
  }();
};

TEST_F(LabelCorrectionTest, AnEditorDecidesForEachIdAlone) {
  ASSERT_THAT(Counting(article_), ElementsAre("IR*", "geopolitics"));
  EXPECT_TRUE(Apply(Correction({Country("RU"), Issue("energy")}, {Country("IR")})));
  EXPECT_THAT(Counting(article_), ElementsAre("RU", "energy", "geopolitics"));
  // The other way round; and then nothing any more.
  EXPECT_TRUE(Apply(Correction({Country("IR")}, {Country("RU")}, {Issue("energy")})));
  EXPECT_THAT(Counting(article_), ElementsAre("IR", "geopolitics"));
  EXPECT_TRUE(Apply(Correction({}, {}, {Country("IR"), Country("RU")})));
  EXPECT_THAT(Counting(article_), ElementsAre("IR*", "geopolitics"));
  EXPECT_EQ(article_.labels.size(), 3U);
}

TEST_F(LabelCorrectionTest, WhatIsDecidedSoAlreadyIsNoChangeAndKeepsItsTime) {
  const absl::Time first = absl::FromUnixSeconds(1'000);
  EXPECT_TRUE(Apply(Correction({Country("RU")}, {Issue("energy")}), first));
  const std::vector<Label> labels = article_.labels;
  EXPECT_FALSE(Apply(Correction({Country("RU")}, {Issue("energy")}), absl::FromUnixSeconds(2'000)));
  EXPECT_FALSE(Apply(Correction({}, {}, {Country("AE")})));
  EXPECT_FALSE(Apply(Correction({}, {}, {}, {}, {Dimension::kIssue})));
  EXPECT_EQ(article_.labels, labels);
  EXPECT_TRUE(Apply(Correction({Country("AE"), Country("RU")}), absl::FromUnixSeconds(3'000)));
  for (const Label& label : article_.labels) {
    if (label.id == "RU") {
      EXPECT_EQ(label.label_time, first);
    }
    if (label.id == "AE") {
      EXPECT_EQ(label.label_time, absl::FromUnixSeconds(3'000));
    }
  }
}

TEST_F(LabelCorrectionTest, AReplacedDimensionIsTheEditorsAloneEvenWithNothing) {
  EXPECT_TRUE(Apply(Correction({}, {Country("AE")})));
  EXPECT_TRUE(Apply(Correction({Country("RU")}, {}, {}, {Dimension::kCountry, Dimension::kIssue})));
  EXPECT_THAT(Counting(article_), ElementsAre("RU"));
  LabelOptions editors;
  editors.sources = {LabelSource::kEditor};
  editors.with_rejected = true;
  EXPECT_EQ(EffectiveLabels(article_, editors).size(), 1U);  // The rejection is forgotten.
  // What comes to it later is added, and replacing again is exact.
  EXPECT_TRUE(Apply(Correction({Country("IR", true)})));
  EXPECT_THAT(Counting(article_), ElementsAre("IR*", "RU"));
  EXPECT_TRUE(Apply(Correction({Country("RU")}, {}, {}, {Dimension::kCountry})));
  EXPECT_THAT(Counting(article_), ElementsAre("RU"));
  EXPECT_TRUE(Apply(Correction({}, {}, {}, {}, {Dimension::kCountry, Dimension::kIssue})));
  EXPECT_THAT(Counting(article_), ElementsAre("IR*", "RU", "geopolitics"));
}

TEST_F(LabelCorrectionTest, OneLabelOfAnEditorIsPrimaryAtMost) {
  EXPECT_TRUE(Apply(Correction({Country("RU", true)})));
  EXPECT_THAT(Counting(article_), ElementsAre("RU*", "IR", "geopolitics"));
  EXPECT_TRUE(Apply(Correction({Country("AE", true)})));
  EXPECT_THAT(Counting(article_), ElementsAre("AE*", "RU", "IR", "geopolitics"));
  for (const Label& label : article_.labels) {
    if (label.id == "RU") {
      EXPECT_FALSE(label.primary);
    }
  }
}

TEST_F(LabelCorrectionTest, RetiredIdsStandForWhatReplacedThem) {
  EXPECT_TRUE(Apply(Correction({}, {Issue("old_energy")})));
  EXPECT_EQ(article_.labels.back().id, "energy");
  EXPECT_TRUE(Apply(Correction({}, {}, {Issue("old_energy")})));
  EXPECT_EQ(article_.labels.size(), 3U);
}

TEST_F(LabelCorrectionTest, RejectedLabelsFollowTheAppliedOnesWhereTheyAreAskedFor) {
  EXPECT_TRUE(Apply(Correction({Country("RU")}, {Country("AE"), Issue("energy")})));
  LabelOptions options;
  options.sources = {LabelSource::kEditor, LabelSource::kSource};
  options.with_rejected = true;
  std::vector<std::string> ids;
  for (const Label& label : EffectiveLabels(article_, options)) {
    ids.push_back(label.verdict == LabelVerdict::kRejected ? "-" + label.id : label.id);
  }
  EXPECT_THAT(ids, ElementsAre("RU", "geopolitics", "-AE", "-energy"));
  options.with_rejected = false;
  EXPECT_EQ(EffectiveLabels(article_, options).size(), 2U);
}

TEST_F(LabelCorrectionTest, WhatCantBeDecidedNamesTheField) {
  const auto field_of = [&](const LabelCorrection& correction) {
    const absl::Status status = CheckCorrection(correction, taxonomy_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    const std::vector<common::FieldViolation> violations = common::FieldViolationsOf(status);
    return violations.empty() ? std::string() : violations[0].field;
  };
  EXPECT_EQ(field_of({}), "add");
  EXPECT_EQ(field_of(Correction({Country("RU"), Country("QQ")})), "add[1].region_code");
  EXPECT_EQ(field_of(Correction({}, {Issue("nonsense")})), "remove[0].issue_id");
  EXPECT_EQ(field_of(Correction({}, {}, {Of(Dimension::kGroup, "nato")})), "clear[0].group_id");
  EXPECT_EQ(field_of(Correction({Issue("energy")}, {Issue("old_energy")})), "remove[0].issue_id");
  EXPECT_EQ(field_of(Correction({Country("IR", true), Country("RU", true)})), "add[1].primary");
  EXPECT_EQ(field_of(Correction({Of(Dimension::kIssue, "energy", true)})), "add[0].primary");
  EXPECT_EQ(field_of(Correction({}, {}, {}, {Dimension::kIssue}, {Dimension::kCountry, Dimension::kIssue})),
            "restore_dimensions[1]");
  EXPECT_EQ(field_of(Correction({}, {}, std::vector<Label>(101, Country("IR")))), "clear");
  // Twice in one list is once.
  EXPECT_TRUE(Apply(Correction({Country("RU"), Country("RU", true)})));
  EXPECT_THAT(Counting(article_), ElementsAre("RU*", "IR", "geopolitics"));
}

TEST_F(LabelCorrectionTest, WithoutATaxonomyCountriesAloneCanBeDecided) {
  const Taxonomy none;
  EXPECT_TRUE(CheckCorrection(Correction({Country("IR")}), none).ok());
  EXPECT_EQ(CheckCorrection(Correction({Country("QQ")}), none).status().code(), absl::StatusCode::kInvalidArgument);
  const absl::Status status = CheckCorrection(Correction({Issue("energy")}), none).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(common::ReasonOf(status), kReasonTaxonomyUnavailable);
}

}  // namespace
}  // namespace dateline::search
