#include "search_service/label_correction.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "common/error.h"
#include "common/status_macros.h"

namespace dateline::search {
namespace {

using Target = std::pair<Dimension, std::string>;

// Until the taxonomy is there: it comes with the first answer of the classifier.
constexpr absl::Duration kTaxonomyRetry = absl::Seconds(5);

bool IsEditors(const Label& label) { return label.source == LabelSource::kEditor; }

uint32_t BitOf(Dimension dimension) { return 1U << static_cast<unsigned>(dimension); }

// The path of a target in a list of the request: "add[2].issue_id".
std::string TargetPath(absl::string_view list, size_t index, Dimension dimension) {
  const std::string path = LabelPath(index, dimension);
  return absl::StrCat(list, path.substr(path.find('[')));
}

// The ids that stand for the label's today.
absl::StatusOr<std::vector<std::string>> CurrentIds(const Label& label, const std::string& path,
                                                    const Taxonomy& taxonomy) {
  if (taxonomy.empty()) {
    if (label.dimension == Dimension::kCountry && IsRegionCode(label.id)) return std::vector<std::string>{label.id};
    if (label.dimension != Dimension::kCountry) {
      return common::WithReason(
          common::Unavailable(
              absl::StrCat(path, ": can't be checked, the classifier was never reached; try again later"),
              kTaxonomyRetry),
          kReasonTaxonomyUnavailable);
    }
  }
  std::vector<std::string> ids = taxonomy.Current(label.dimension, label.id);
  if (ids.empty()) {
    return common::InvalidField(path, absl::StrCat("\"", absl::Utf8SafeCHexEscape(label.id),
                                                   "\" is not in the taxonomy; GetTaxonomy lists what is"));
  }
  return ids;
}

// The labels of one list by their current ids, each once. `taken` says in which list a target stands already.
absl::StatusOr<std::vector<Label>> CheckList(absl::string_view list, const std::vector<Label>& labels,
                                             const Taxonomy& taxonomy, std::map<Target, absl::string_view>& taken) {
  if (labels.size() > kMaxLabels) {
    return common::InvalidField(list,
                                absl::StrCat("has ", labels.size(), " entries; at most ", kMaxLabels, " are allowed"));
  }
  std::vector<Label> result;
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::string path = TargetPath(list, i, labels[i].dimension);
    ASSIGN_OR_RETURN(const std::vector<std::string> ids, CurrentIds(labels[i], path, taxonomy));
    bool primary = labels[i].primary;
    for (const std::string& id : ids) {
      const auto [place, is_new] = taken.emplace(Target(labels[i].dimension, id), list);
      if (place->second != list) {
        return common::InvalidField(
            path, absl::StrCat("\"", id, "\" is in ", place->second, " too; a label is in one of the lists only"));
      }
      if (is_new) {
        Label& label = result.emplace_back();
        label.dimension = labels[i].dimension;
        label.id = id;
      }
      // Of several that replaced it one is enough.
      if (!std::exchange(primary, false)) continue;
      for (Label& label : result) {
        if (label.dimension == labels[i].dimension && label.id == id) label.primary = true;
      }
    }
  }
  return result;
}

// What counts of an editor's decision, to be compared.
std::set<std::tuple<Dimension, std::string, LabelVerdict, bool>> DecisionsOf(const std::vector<Label>& labels) {
  std::set<std::tuple<Dimension, std::string, LabelVerdict, bool>> result;
  for (const Label& label : labels) {
    if (IsEditors(label)) result.emplace(label.dimension, label.id, label.verdict, label.primary);
  }
  return result;
}

}  // namespace

absl::StatusOr<LabelCorrection> CheckCorrection(const LabelCorrection& correction, const Taxonomy& taxonomy) {
  if (correction.add.empty() && correction.remove.empty() && correction.clear.empty() && correction.replace.empty() &&
      correction.restore.empty()) {
    return common::InvalidField("add", "is empty, and so is all else: there is nothing to correct");
  }
  std::optional<size_t> primary;
  for (size_t i = 0; i < correction.add.size(); ++i) {
    if (!correction.add[i].primary) continue;
    const std::string path = absl::StrCat("add[", i, "].primary");
    if (correction.add[i].dimension != Dimension::kCountry) {
      return common::InvalidField(path, "only a country can be primary");
    }
    if (primary) return common::InvalidField(path, absl::StrCat("add[", *primary, "] is primary already"));
    primary = i;
  }
  for (size_t i = 0; i < correction.restore.size(); ++i) {
    if (std::find(correction.replace.begin(), correction.replace.end(), correction.restore[i]) !=
        correction.replace.end()) {
      return common::InvalidField(absl::StrCat("restore_dimensions[", i, "]"), "is in replace_dimensions too");
    }
  }
  LabelCorrection checked = correction;
  std::map<Target, absl::string_view> taken;
  ASSIGN_OR_RETURN(checked.add, CheckList("add", correction.add, taxonomy, taken));
  ASSIGN_OR_RETURN(checked.remove, CheckList("remove", correction.remove, taxonomy, taken));
  ASSIGN_OR_RETURN(checked.clear, CheckList("clear", correction.clear, taxonomy, taken));
  return checked;
}

bool ApplyCorrection(const LabelCorrection& correction, const Taxonomy& taxonomy, absl::Time now, Article& article) {
  uint32_t replaced = 0;
  for (const Dimension dimension : correction.replace) replaced |= BitOf(dimension);
  uint32_t alone = article.replaced_dimensions | replaced;
  for (const Dimension dimension : correction.restore) alone &= ~BitOf(dimension);

  const std::vector<Label> before = article.labels;
  std::erase_if(article.labels, [&](const Label& label) {
    const auto is_same = [&](const Label& other) { return other.dimension == label.dimension && other.id == label.id; };
    const auto names = [&](const std::vector<Label>& list) { return std::any_of(list.begin(), list.end(), is_same); };
    return IsEditors(label) && ((replaced & BitOf(label.dimension)) != 0 || names(correction.add) ||
                                names(correction.remove) || names(correction.clear));
  });
  const bool primary =
      std::any_of(correction.add.begin(), correction.add.end(), [](const Label& label) { return label.primary; });
  for (Label& label : article.labels) {
    if (primary && IsEditors(label)) label.primary = false;
  }
  const auto decide = [&](const Label& target, LabelVerdict verdict) {
    Label label;
    label.dimension = target.dimension;
    label.id = target.id;
    label.source = LabelSource::kEditor;
    label.verdict = verdict;
    label.primary = verdict == LabelVerdict::kApplied && target.primary;
    label.taxonomy_version = taxonomy.data().taxonomy_version;
    label.label_time = absl::FromUnixMicros(absl::ToUnixMicros(now));
    // What was decided so before keeps its time.
    const auto same = std::find_if(before.begin(), before.end(), [&](const Label& other) {
      return IsEditors(other) && other.dimension == label.dimension && other.id == label.id &&
             other.verdict == label.verdict && other.primary == label.primary;
    });
    if (same != before.end()) label = *same;
    article.labels.push_back(std::move(label));
  };
  for (const Label& label : correction.add) decide(label, LabelVerdict::kApplied);
  for (const Label& label : correction.remove) decide(label, LabelVerdict::kRejected);
  if (DecisionsOf(before) == DecisionsOf(article.labels) && alone == article.replaced_dimensions) {
    article.labels = before;
    return false;
  }
  article.replaced_dimensions = alone;
  return true;
}

}  // namespace dateline::search
