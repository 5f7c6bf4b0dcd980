#include "cli/evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "common/calibration.h"
#include "common/printable.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace cpb = classifier::v1;

// With fewer labelled articles a threshold would be fitted to chance.
constexpr int kFewestForThreshold = 10;
constexpr int kMaxIds = 1'000;
constexpr size_t kMaxUnmapped = 1'000;
constexpr size_t kEvidenceKept = 5;
// Tags of an article named beside what it lacks.
constexpr size_t kInsteadNamed = 2;
// Values shown as text; the JSON has all.
constexpr int kValuesShown = 40;
constexpr int kUnmappedShown = 20;
constexpr int kIdsShown = 10;
constexpr double kLeastScore = 0.05;

double Rounded(double value) { return std::round(value * 1e4) / 1e4; }

void Fill(EvaluationReport::Agreement& agreement) {
  if (agreement.tagged() > 0) agreement.set_precision(Rounded(1.0 * agreement.right() / agreement.tagged()));
  if (agreement.labelled() > 0) agreement.set_recall(Rounded(1.0 * agreement.right() / agreement.labelled()));
  const int both = agreement.tagged() + agreement.labelled();
  if (both > 0) agreement.set_f1(Rounded(2.0 * agreement.right() / both));
}

// One article's score for one value, and whether it has the label.
struct Ranked {
  double score = 0;
  bool labelled = false;
};

// The threshold with the best F1, halfway between the two scores it divides; 1 if no tag at all is best.
double BestThreshold(std::vector<Ranked> ranked) {
  std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  const auto labelled = std::count_if(ranked.begin(), ranked.end(), [](const Ranked& one) { return one.labelled; });
  double best = 0;
  double threshold = 1;
  int right = 0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    right += ranked[i].labelled ? 1 : 0;
    if (i + 1 < ranked.size() && ranked[i + 1].score == ranked[i].score) continue;
    const double f1 = 2.0 * right / static_cast<double>(i + 1 + static_cast<size_t>(labelled));
    if (f1 > best) {
      best = f1;
      threshold = i + 1 < ranked.size() ? (ranked[i].score + ranked[i + 1].score) / 2 : ranked[i].score;
    }
  }
  return threshold;
}

// F1 where each half of the articles is cut at the threshold that is best for the other half.
double CrossedF1(const std::vector<Ranked>& ranked) {
  std::array<std::vector<Ranked>, 2> halves;
  for (size_t i = 0; i < ranked.size(); ++i) halves[i % 2].push_back(ranked[i]);
  int right = 0;
  int either = 0;
  for (const size_t half : {0, 1}) {
    const double threshold = BestThreshold(halves[1 - half]);
    for (const Ranked& one : halves[half]) {
      const bool tagged = one.score >= threshold;
      right += tagged && one.labelled ? 1 : 0;
      either += (tagged ? 1 : 0) + (one.labelled ? 1 : 0);
    }
  }
  return either > 0 ? 2.0 * right / either : 0.0;
}

EvaluationReport::Calibration CalibrationOf(const std::vector<std::vector<common::Prediction>>& articles) {
  std::vector<common::Prediction> all;
  for (const auto& predictions : articles) all.insert(all.end(), predictions.begin(), predictions.end());
  const common::Calibration measured = common::MeasureCalibration(all, kLeastScore);
  EvaluationReport::Calibration report;
  report.set_predictions(static_cast<int32_t>(measured.count));
  if (measured.count <= 0) return report;
  const common::Interval interval = common::CalibrationInterval(articles, kLeastScore);
  report.set_error(Rounded(measured.error));
  report.set_debiased_error(Rounded(measured.debiased_error));
  report.set_debiased_error_low(Rounded(interval.low));
  report.set_debiased_error_high(Rounded(interval.high));
  for (size_t i = 0; i < measured.bins.size(); ++i) {
    const common::CalibrationBin& bin = measured.bins[i];
    EvaluationReport::Calibration::Bin& out = *report.add_bins();
    out.set_from(Rounded(static_cast<double>(i) / static_cast<double>(measured.bins.size())));
    out.set_to(Rounded(static_cast<double>(i + 1) / static_cast<double>(measured.bins.size())));
    out.set_predictions(static_cast<int32_t>(bin.count));
    if (bin.count > 0) {
      out.set_predicted(Rounded(bin.predicted));
      out.set_observed(Rounded(bin.observed));
    }
  }
  return report;
}

// The words that speak for a tag, each once.
template <typename Evidence>
std::vector<std::string> WordsOf(const Evidence& evidence) {
  std::vector<std::string> words;
  for (const apb::Evidence& piece : evidence) {
    if (words.size() >= kEvidenceKept) break;
    if (piece.set_aside() != apb::SET_ASIDE_UNSPECIFIED || piece.text().empty()) continue;
    if (std::find(words.begin(), words.end(), piece.text()) == words.end()) words.push_back(piece.text());
  }
  return words;
}

const char* NameOf(LabelKind kind) {
  switch (kind) {
    case LabelKind::kCountry:
      return "countries";
    case LabelKind::kGroup:
      return "groups";
    case LabelKind::kIssue:
      break;
  }
  return "issues";
}

}  // namespace

Evaluator::Evaluator(const cpb::GetTaxonomyResponse& taxonomy, Options options)
    : names_(taxonomy), options_(std::move(options)) {
  const auto add = [this](LabelKind kind, const std::string& code, const auto& item) {
    if (item.names_size() > 0) display_names_[{kind, code}] = item.names(0).display_name();
    replaced_by_[{kind, code}] = {item.replaced_by().begin(), item.replaced_by().end()};
  };
  for (const auto& region : taxonomy.regions()) add(LabelKind::kCountry, region.region_code(), region);
  for (const auto& group : taxonomy.groups()) add(LabelKind::kGroup, group.group_id(), group);
  for (const auto& issue : taxonomy.issues()) add(LabelKind::kIssue, issue.issue_id(), issue);
}

std::string Evaluator::DisplayName(LabelKind kind, const std::string& code) const {
  const auto found = display_names_.find({kind, code});
  return found == display_names_.end() ? code : found->second;
}

// What a label means; counts it if that isn't known. Each name is looked up once.
std::vector<LabelTarget> Evaluator::TargetsOf(const std::string& kind, const std::string& name) {
  const auto key = std::make_pair(kind, name);
  if (const auto known = known_labels_.find(key); known != known_labels_.end()) {
    if (const auto unmapped = unmapped_.find(key); unmapped != unmapped_.end()) ++unmapped->second;
    return known->second;
  }
  std::vector<LabelTarget> targets;
  bool understood = true;
  if (std::optional<std::vector<LabelTarget>> mapped = options_.label_map.Find(name)) {
    targets = *std::move(mapped);
  } else if (options_.label_kinds.count(kind) > 0) {
    std::vector<LabelKind> kinds = {LabelKind::kIssue, LabelKind::kCountry, LabelKind::kGroup};
    if (kind == "country") kinds = {LabelKind::kCountry, LabelKind::kGroup};
    if (kind == "issue") kinds = {LabelKind::kIssue};
    for (const LabelKind dimension : kinds) {
      absl::StatusOr<std::vector<std::string>> codes = names_.Codes(dimension, name);
      if (!codes.ok()) continue;
      for (std::string& code : *codes) targets.push_back({dimension, std::move(code)});
      break;
    }
    understood = !targets.empty();
  }
  // A retired one stands for what took its place.
  std::vector<LabelTarget> live;
  for (size_t i = 0; i < targets.size() && i < 1'000; ++i) {
    const auto replaced = replaced_by_.find({targets[i].kind, targets[i].code});
    if (replaced == replaced_by_.end() || replaced->second.empty()) {
      live.push_back(targets[i]);
      continue;
    }
    const LabelKind dimension = targets[i].kind;
    for (const std::string& code : replaced->second) targets.push_back({dimension, code});
  }
  if (!understood) unmapped_[key] = 1;
  known_labels_[key] = live;
  return live;
}

void Evaluator::Add(const ClassifiedItem& classified) {
  counts_.set_articles(counts_.articles() + 1);
  if (!classified.response.ok()) {
    counts_.set_failed(counts_.failed() + 1);
    return;
  }
  const cpb::ClassifyResponse& response = *classified.response;
  counts_.set_model_version(response.model_version());
  counts_.set_taxonomy_version(response.taxonomy_version());
  counts_.set_gazetteer_version(response.gazetteer_version());
  Entry entry;
  for (const apb::SourceLabel& label : classified.article.source_labels()) {
    for (const LabelTarget& target : TargetsOf(label.kind(), label.name())) {
      entry.sides[static_cast<size_t>(target.kind)].labels.insert(target.code);
    }
  }
  Side& countries = entry.sides[static_cast<size_t>(LabelKind::kCountry)];
  Side& groups = entry.sides[static_cast<size_t>(LabelKind::kGroup)];
  Side& issues = entry.sides[static_cast<size_t>(LabelKind::kIssue)];
  countries.labelled = options_.unlabelled_is_none || !countries.labels.empty() || !groups.labels.empty();
  groups.labelled = countries.labelled;
  issues.labelled = options_.unlabelled_is_none || !issues.labels.empty();
  if (!countries.labels.empty() || !groups.labels.empty() || !issues.labels.empty()) {
    counts_.set_labelled(counts_.labelled() + 1);
  }
  entry.id = classified.article.id().empty() ? classified.item.id : classified.article.id();
  if (response.has_in_training()) counts_.set_training_known(true);
  if (response.in_training()) {
    counts_.set_in_training(counts_.in_training() + 1);
    if (counts_.in_training_ids_size() < kMaxIds) counts_.add_in_training_ids(entry.id);
    if (!options_.include_trained) issues.labelled = false;
  }
  // Groups have no model, but the labels that countries were learned from are read together with theirs.
  if (response.has_in_country_training()) counts_.set_country_training_known(true);
  if (response.in_country_training()) {
    counts_.set_in_country_training(counts_.in_country_training() + 1);
    if (counts_.in_country_training_ids_size() < kMaxIds) counts_.add_in_country_training_ids(entry.id);
    if (!options_.include_trained) countries.labelled = groups.labelled = false;
  }
  if (!countries.labelled && !issues.labelled) return;

  entry.title = classified.article.title();
  entry.source = common::Printable(classified.item.source);
  entry.position = classified.item.position;
  issues.unsupported_language = response.issue_outcome() == apb::TAG_OUTCOME_UNSUPPORTED_LANGUAGE;
  for (const cpb::TagScore& score : response.scores()) {
    Side& side = score.has_region_code() ? countries : score.has_group_id() ? groups : issues;
    const std::string& code = score.has_region_code() ? score.region_code()
                              : score.has_group_id()  ? score.group_id()
                                                      : score.issue_id();
    side.scores[code] = {score.score(), score.has_threshold() ? std::optional<double>(score.threshold()) : std::nullopt,
                         score.tagged()};
  }
  for (const cpb::CountryTag& tag : response.countries()) {
    countries.tags.push_back({tag.region_code(), tag.primary(), WordsOf(tag.evidence())});
  }
  for (const cpb::GroupTag& tag : response.groups()) {
    groups.tags.push_back({tag.group_id(), false, WordsOf(tag.evidence())});
  }
  for (const cpb::IssueTag& tag : response.issues()) {
    issues.tags.push_back({tag.issue_id(), false, WordsOf(tag.evidence())});
  }
  entries_.push_back(std::move(entry));
}

EvaluationReport::Dimension Evaluator::Measure(LabelKind kind, EvaluationReport& report) const {
  const auto side_of = [kind](const Entry& entry) -> const Side& { return entry.sides[static_cast<size_t>(kind)]; };
  EvaluationReport::Dimension dimension;
  dimension.set_name(NameOf(kind));
  std::vector<const Entry*> articles;
  std::set<std::string> used;
  for (const Entry& entry : entries_) {
    const Side& side = side_of(entry);
    if (!side.labelled) continue;
    if (side.unsupported_language) {
      dimension.set_unsupported_language(dimension.unsupported_language() + 1);
      continue;
    }
    articles.push_back(&entry);
    used.insert(side.labels.begin(), side.labels.end());
  }
  dimension.set_articles(static_cast<int32_t>(articles.size()));
  const auto counts = [&](const std::string& value) { return kind != LabelKind::kIssue || used.count(value) > 0; };

  std::map<std::string, EvaluationReport::Value> values;
  std::vector<std::vector<common::Prediction>> predictions;
  std::vector<EvaluationReport::Disagreement> disagreements;
  int with_label = 0;
  int hits = 0;
  int primary_right = 0;
  int top_three = 0;
  bool scored_below = false;
  for (const Entry* entry : articles) {
    const Side& side = side_of(*entry);
    predictions.emplace_back();
    std::vector<std::pair<double, std::string>> ranked;
    for (const auto& [value, score] : side.scores) {
      if (!counts(value)) continue;
      predictions.back().push_back({score.score, side.labels.count(value) > 0});
      ranked.emplace_back(-score.score, value);
      scored_below = scored_below || !score.tagged;
      // A country has another one in each article.
      if (score.threshold.has_value() && kind != LabelKind::kCountry) values[value].set_threshold(*score.threshold);
    }
    bool hit = false;
    std::set<std::string> tagged;
    for (const Tag& tag : side.tags) {
      if (!counts(tag.value)) {
        dimension.set_tags_of_unused_issues(dimension.tags_of_unused_issues() + 1);
        continue;
      }
      tagged.insert(tag.value);
      const bool right = side.labels.count(tag.value) > 0;
      EvaluationReport::Agreement& agreement = *values[tag.value].mutable_agreement();
      agreement.set_tagged(agreement.tagged() + 1);
      agreement.set_right(agreement.right() + (right ? 1 : 0));
      hit = hit || right;
      primary_right += right && tag.primary ? 1 : 0;
    }
    for (const std::string& label : side.labels) {
      EvaluationReport::Agreement& agreement = *values[label].mutable_agreement();
      agreement.set_labelled(agreement.labelled() + 1);
    }
    if (!side.labels.empty()) {
      ++with_label;
      hits += hit ? 1 : 0;
      std::sort(ranked.begin(), ranked.end());
      ranked.resize(std::min<size_t>(ranked.size(), 3));
      top_three +=
          std::any_of(ranked.begin(), ranked.end(), [&](const auto& one) { return side.labels.count(one.second) > 0; })
              ? 1
              : 0;
    }
    std::set<std::string> differing;
    std::set_symmetric_difference(tagged.begin(), tagged.end(), side.labels.begin(), side.labels.end(),
                                  std::inserter(differing, differing.end()));
    for (const std::string& value : differing) {
      EvaluationReport::Disagreement disagreement;
      disagreement.set_id(entry->id);
      disagreement.set_title(entry->title);
      disagreement.set_source(entry->source);
      disagreement.set_position(entry->position);
      disagreement.set_dimension(NameOf(kind));
      disagreement.set_value(value);
      disagreement.set_display_name(DisplayName(kind, value));
      disagreement.set_labelled(side.labels.count(value) > 0);
      if (const auto score = side.scores.find(value); score != side.scores.end()) {
        disagreement.set_score(score->second.score);
        if (score->second.threshold.has_value()) disagreement.set_threshold(*score->second.threshold);
      }
      for (const Tag& tag : side.tags) {
        if (tag.value == value) {
          for (const std::string& word : tag.evidence) disagreement.add_evidence(word);
        } else if (disagreement.labelled() && disagreement.tagged_instead_size() < static_cast<int>(kInsteadNamed)) {
          disagreement.add_tagged_instead(absl::StrCat(DisplayName(kind, tag.value), tag.evidence.empty() ? "" : " (",
                                                       absl::StrJoin(tag.evidence, ", "),
                                                       tag.evidence.empty() ? "" : ")"));
        }
      }
      disagreements.push_back(std::move(disagreement));
    }
  }

  double f1_sum = 0;
  for (auto& [id, value] : values) {
    EvaluationReport::Agreement& agreement = *value.mutable_agreement();
    EvaluationReport::Agreement& all = *dimension.mutable_agreement();
    Fill(agreement);
    all.set_labelled(all.labelled() + agreement.labelled());
    all.set_tagged(all.tagged() + agreement.tagged());
    all.set_right(all.right() + agreement.right());
    if (agreement.labelled() == 0) continue;
    f1_sum += agreement.f1();
    dimension.set_values_labelled(dimension.values_labelled() + 1);
    if (!scored_below || agreement.labelled() < kFewestForThreshold) continue;
    std::vector<Ranked> ranked;
    for (const Entry* entry : articles) {
      const Side& side = side_of(*entry);
      const auto score = side.scores.find(id);
      ranked.push_back({score == side.scores.end() ? 0.0 : score->second.score, side.labels.count(id) > 0});
    }
    value.set_suggested_threshold(Rounded(BestThreshold(ranked)));
    value.set_suggested_f1(Rounded(CrossedF1(ranked)));
  }
  Fill(*dimension.mutable_agreement());
  if (dimension.values_labelled() > 0) dimension.set_macro_f1(Rounded(f1_sum / dimension.values_labelled()));
  if (with_label > 0) {
    dimension.set_hit_rate(Rounded(1.0 * hits / with_label));
    if (kind == LabelKind::kCountry) dimension.set_primary_right(Rounded(1.0 * primary_right / with_label));
    if (kind == LabelKind::kIssue) dimension.set_right_in_top_three(Rounded(1.0 * top_three / with_label));
  }
  dimension.set_all_scores(scored_below);
  *dimension.mutable_calibration() = CalibrationOf(predictions);

  std::vector<std::pair<std::string, const EvaluationReport::Value*>> order;
  for (const auto& [id, value] : values) {
    if (value.agreement().labelled() > 0 || value.agreement().tagged() > 0) order.emplace_back(id, &value);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second->agreement().labelled() > b.second->agreement().labelled();
  });
  for (const auto& [id, value] : order) {
    EvaluationReport::Value& out = *dimension.add_values();
    out = *value;
    out.set_id(id);
    out.set_display_name(DisplayName(kind, id));
  }
  for (EvaluationReport::Disagreement& one : disagreements) *report.add_disagreements() = std::move(one);
  return dimension;
}

EvaluationReport Evaluator::Finish() const {
  EvaluationReport report = counts_;
  report.set_in_training_left_out(!options_.include_trained);
  for (const LabelKind kind : {LabelKind::kCountry, LabelKind::kGroup, LabelKind::kIssue}) {
    EvaluationReport::Dimension dimension = Measure(kind, report);
    // Groups say something only where a site files under groups.
    const bool speaks = kind == LabelKind::kGroup ? dimension.values_labelled() > 0 : dimension.articles() > 0;
    if (speaks || dimension.unsupported_language() > 0) *report.add_dimensions() = std::move(dimension);
  }
  auto& all = *report.mutable_disagreements();
  const auto distance = [](const EvaluationReport::Disagreement& one) {
    return one.labelled() ? 1.0 - one.score() : one.score();
  };
  // Those without a score last among equals: that it is low is only supposed.
  std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
    return distance(a) != distance(b) ? distance(a) > distance(b) : a.has_score() > b.has_score();
  });
  if (all.size() > options_.worst) all.DeleteSubrange(options_.worst, all.size() - options_.worst);
  std::vector<std::pair<std::pair<std::string, std::string>, int32_t>> unmapped(unmapped_.begin(), unmapped_.end());
  std::stable_sort(unmapped.begin(), unmapped.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  unmapped.resize(std::min(unmapped.size(), kMaxUnmapped));
  for (const auto& [label, articles] : unmapped) {
    EvaluationReport::UnmappedLabel& out = *report.add_unmapped_labels();
    out.set_kind(label.first);
    out.set_name(label.second);
    out.set_articles(articles);
  }
  return report;
}

namespace {

// From the counts: a rounded share would be rounded twice.
std::string Share(double part, int whole) { return whole > 0 ? absl::StrFormat("%.3f", part / whole) : "  -  "; }

std::string FormatAgreement(const EvaluationReport::Agreement& agreement) {
  return absl::StrCat("P ", Share(agreement.right(), agreement.tagged()), "  R ",
                      Share(agreement.right(), agreement.labelled()), "  F1 ",
                      Share(2.0 * agreement.right(), agreement.tagged() + agreement.labelled()));
}

std::string NameAndId(const EvaluationReport::Value& value) {
  return absl::StrCat(value.display_name(), " (", value.id(), ")");
}

// Which of the articles a model was trained on, a line.
std::string FormatTraining(absl::string_view model, bool known, int count,
                           const google::protobuf::RepeatedPtrField<std::string>& all_ids, bool left_out,
                           const TextStyle& style) {
  if (!known) {
    return absl::StrCat("The ", model,
                        " doesn't say what it was trained on: some of these articles may be among it.\n");
  }
  if (count == 0) return absl::StrCat("The ", model, " was trained on none of them.\n");
  const std::vector<std::string> ids(all_ids.begin(), all_ids.begin() + std::min(kIdsShown, all_ids.size()));
  return absl::StrCat(style.Yellow(absl::StrCat(
                          "The ", model, " was trained on ", count, " of them",
                          left_out ? ", which are left out of its figures" : ", which makes its figures too good")),
                      ": ", absl::StrJoin(ids, ", "), count > kIdsShown ? ", …" : "", "\n");
}

std::string FormatDimension(const EvaluationReport::Dimension& dimension, const TextStyle& style) {
  std::string heading = dimension.name();
  heading[0] = static_cast<char>(heading[0] - 'a' + 'A');
  std::string text = absl::StrCat("\n", style.Bold(heading), "  ", dimension.articles(), " articles  ",
                                  FormatAgreement(dimension.agreement()));
  if (dimension.has_macro_f1()) {
    absl::StrAppendFormat(&text, "  macro-F1 %.3f (%d)", dimension.macro_f1(), dimension.values_labelled());
  }
  if (dimension.has_hit_rate()) absl::StrAppendFormat(&text, "  hit %.3f", dimension.hit_rate());
  if (dimension.has_primary_right()) absl::StrAppendFormat(&text, "  primary %.3f", dimension.primary_right());
  if (dimension.has_right_in_top_three()) absl::StrAppendFormat(&text, "  top-3 %.3f", dimension.right_in_top_three());
  absl::StrAppend(&text, "\n");
  if (dimension.unsupported_language() > 0) {
    absl::StrAppend(&text, "  ", dimension.unsupported_language(),
                    " articles are in languages in which issues aren't tagged; left out\n");
  }
  if (dimension.tags_of_unused_issues() > 0) {
    absl::StrAppend(&text, "  ", dimension.tags_of_unused_issues(), " tags of issues that no label names; left out\n");
  }
  const EvaluationReport::Calibration& calibration = dimension.calibration();
  if (calibration.predictions() > 0) {
    absl::StrAppendFormat(&text, "  calibration: off by %.3f (95 %%: %.3f to %.3f) on %d scores of 0.05 and more%s\n",
                          calibration.debiased_error(), calibration.debiased_error_low(),
                          calibration.debiased_error_high(), calibration.predictions(),
                          dimension.all_scores() ? "" : ", those of given tags");
    for (const EvaluationReport::Calibration::Bin& bin : calibration.bins()) {
      if (bin.predictions() == 0) continue;
      absl::StrAppendFormat(&text, "    %.1f to %.1f  said %.2f  seen %.2f  (%d)\n", bin.from(), bin.to(),
                            bin.predicted(), bin.observed(), bin.predictions());
    }
  }
  const int shown = std::min(dimension.values_size(), kValuesShown);
  size_t width = 0;
  for (int i = 0; i < shown; ++i) width = std::max(width, NameAndId(dimension.values(i)).size());
  for (int i = 0; i < shown; ++i) {
    const EvaluationReport::Value& value = dimension.values(i);
    absl::StrAppendFormat(&text, "  %-*s %5d labelled %5d tagged  %s", static_cast<int>(width), NameAndId(value),
                          value.agreement().labelled(), value.agreement().tagged(), FormatAgreement(value.agreement()));
    if (value.has_threshold()) absl::StrAppendFormat(&text, "  threshold %.2f", value.threshold());
    // Worth saying only where the other half of the articles agrees that it is better.
    if (value.has_suggested_f1() && value.suggested_f1() > value.agreement().f1() + 0.01) {
      absl::StrAppend(&text, style.Green(absl::StrFormat("; %.2f would give F1 %.3f", value.suggested_threshold(),
                                                         value.suggested_f1())));
    }
    absl::StrAppend(&text, "\n");
  }
  if (dimension.values_size() > kValuesShown) {
    absl::StrAppend(&text, "  and ", dimension.values_size() - kValuesShown, " more; --output json has all\n");
  }
  return text;
}

}  // namespace

std::string FormatEvaluation(const EvaluationReport& report, const TextStyle& style) {
  std::string text = absl::StrCat(report.articles(), " articles, ", report.labelled(), " with a label that is known",
                                  report.failed() > 0 ? absl::StrCat(", ", report.failed(), " failed") : "", "\nmodel ",
                                  report.model_version(), ", taxonomy ", report.taxonomy_version(), ", gazetteer ",
                                  report.gazetteer_version(), "\n");
  absl::StrAppend(&text,
                  FormatTraining("issue model", report.training_known(), report.in_training(), report.in_training_ids(),
                                 report.in_training_left_out(), style),
                  FormatTraining("country model", report.country_training_known(), report.in_country_training(),
                                 report.in_country_training_ids(), report.in_training_left_out(), style));
  for (const EvaluationReport::Dimension& dimension : report.dimensions()) {
    absl::StrAppend(&text, FormatDimension(dimension, style));
  }
  if (report.unmapped_labels_size() > 0) {
    std::vector<std::string> names;
    for (int i = 0; i < std::min(report.unmapped_labels_size(), kUnmappedShown); ++i) {
      const EvaluationReport::UnmappedLabel& label = report.unmapped_labels(i);
      names.push_back(
          absl::StrCat("“", common::Printable(label.name()), "” (", label.kind(), ", ", label.articles(), ")"));
    }
    absl::StrAppend(&text, "\n", style.Bold("Labels of unknown meaning"), "  ", report.unmapped_labels_size(),
                    "; --label_map FILE says what they mean\n", Wrap(absl::StrJoin(names, ", "), style.columns, "  "),
                    "\n");
  }
  if (report.disagreements_size() > 0) {
    absl::StrAppend(&text, "\n", style.Bold("Farthest apart"), "\n");
    for (const EvaluationReport::Disagreement& one : report.disagreements()) {
      const std::string score = one.has_score() ? absl::StrFormat("score %.2f", one.score()) : std::string("no score");
      absl::StrAppend(&text, "  ", style.Cyan(common::Printable(one.id().empty() ? one.position() : one.id())), "  ",
                      common::Printable(one.title()), "\n      ",
                      one.labelled() ? absl::StrCat("labelled ", one.display_name(), ", not tagged (", score, ")")
                                     : absl::StrCat("tagged ", one.display_name(), ", not labelled (", score, ")"),
                      "\n");
      const std::vector<std::string> words(one.evidence().begin(), one.evidence().end());
      const std::vector<std::string> instead(one.tagged_instead().begin(), one.tagged_instead().end());
      if (!words.empty()) {
        absl::StrAppend(&text, Wrap(absl::StrCat("because of ", absl::StrJoin(words, ", ")), style.columns, "      "),
                        "\n");
      }
      if (!instead.empty()) {
        absl::StrAppend(&text, Wrap(absl::StrCat("instead ", absl::StrJoin(instead, "; ")), style.columns, "      "),
                        "\n");
      }
    }
  }
  return text;
}

}  // namespace dateline::cli
