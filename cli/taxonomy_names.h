// Countries, groups and issues as people type them, made into the codes and ids that requests take.
#ifndef DATELINE_CLI_TAXONOMY_NAMES_H_
#define DATELINE_CLI_TAXONOMY_NAMES_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "dateline/classifier/v1/classifier_service.pb.h"

namespace dateline::cli {

enum class LabelKind { kCountry, kGroup, kIssue };

// The values in `text`, which commas divide, by their form alone: two letters are a country's code, whatever their
// case; letters, digits and _ a group's or an issue's id. nullopt if one of them has another form. Whether there is
// such a code or id only a taxonomy tells.
std::optional<std::vector<std::string>> CodesByForm(LabelKind kind, absl::string_view text);

// Thread-safe: nothing changes after construction.
class TaxonomyNames {
 public:
  explicit TaxonomyNames(const classifier::v1::GetTaxonomyResponse& taxonomy);

  // The codes or ids of what `text` holds, divided by commas: codes, ids, names and aliases in any language, without
  // regard to case and diacritics. A name may hold commas itself. InvalidArgument for what is nothing of `kind`, with
  // the likeliest that is, and for an alias of several.
  absl::StatusOr<std::vector<std::string>> Codes(LabelKind kind, absl::string_view text) const;

 private:
  // A smaller one outranks: an alias that is another country's code means that country.
  enum class Rank { kCode, kName, kAlias };
  struct Meaning {
    Rank rank;
    std::vector<std::string> codes;  // One, unless an alias is shared.
  };
  struct Names {
    std::unordered_map<std::string, Meaning> meanings;  // By folded name.
    std::vector<std::string> spellings;                 // Every name and alias, for what is near to a mistyped one,
    std::vector<std::string> codes;                     // and what each of them means.
    std::unordered_map<std::string, std::string> display_of;  // "Iran (IR)" by code.
  };

  template <typename Item>
  void Add(LabelKind kind, const std::string& code, const Item& item);
  static void AddName(Names& names, absl::string_view name, const std::string& code, Rank rank);
  const Names& of(LabelKind kind) const { return names_[static_cast<size_t>(kind)]; }
  absl::Status Unknown(LabelKind kind, absl::string_view name) const;

  std::array<Names, 3> names_;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_TAXONOMY_NAMES_H_
