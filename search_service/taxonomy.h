// The names that countries, groups and issues go by: a copy of what the classifier serves, kept so that labels can be
// checked, named and completed while the classifier is away.
#ifndef DATELINE_SEARCH_SERVICE_TAXONOMY_H_
#define DATELINE_SEARCH_SERVICE_TAXONOMY_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "search_service/article.h"

namespace dateline::search {

// The reason that Unavailable carries where an id can't be checked for want of a taxonomy.
inline constexpr char kReasonTaxonomyUnavailable[] = "TAXONOMY_UNAVAILABLE";

// What an issue, a region or a group is called in one language.
struct LocalizedNames {
  std::string language_code;  // BCP 47.
  std::string display_name;
  std::vector<std::string> aliases;        // Exact ones: each of them means this and nothing else.
  std::vector<std::string> demonyms = {};  // "Iranian": in queries it means this, as a publisher's label it doesn't.
};

struct GroupMember {
  std::string region_code;
  int32_t start_year = 0;  // 0: always.
  int32_t end_year = 0;    // 0: still.
};

// One issue, region or group.
struct TaxonomyEntry {
  std::string id;
  std::vector<LocalizedNames> names;
  std::vector<std::string> replaced_by;  // Not empty: the id is retired, these took its place.
  std::string parent_id;                 // Issues only; empty at the top.
  std::vector<GroupMember> members;      // Groups only.
};

// The taxonomy as it is fetched and stored.
struct TaxonomyData {
  std::vector<TaxonomyEntry> regions;
  std::vector<TaxonomyEntry> groups;
  std::vector<TaxonomyEntry> issues;
  std::string taxonomy_version;
  std::string gazetteer_version;
  std::string etag;
};

// What names compare by, their words alone: "U.S. policy", "us-policy" and "US Policy" are one.
std::string NameKey(absl::string_view name);

// Whether this is an ISO 3166-1 alpha-2 code in use, or XK: what can be said of a country without a taxonomy.
bool IsRegionCode(absl::string_view code);

// The taxonomy with its lookups. Immutable: share it between threads as a shared_ptr<const Taxonomy>.
class Taxonomy {
 public:
  struct Target {
    Dimension dimension = Dimension::kIssue;
    std::string id;
    friend bool operator==(const Target&, const Target&) = default;
    friend auto operator<=>(const Target&, const Target&) = default;
  };

  Taxonomy() = default;
  explicit Taxonomy(TaxonomyData data);

  // True if no copy was ever had: ids can't be checked then.
  bool empty() const;
  const TaxonomyData& data() const { return data_; }

  // Null if there is no such id.
  const TaxonomyEntry* Find(Dimension dimension, absl::string_view id) const;
  // The ids that stand for `id` today: itself, or what replaced it. Empty if it is unknown.
  std::vector<std::string> Current(Dimension dimension, absl::string_view id) const;
  // The name in `language_code`, else its base language, else English, else the id itself.
  std::string DisplayName(Dimension dimension, absl::string_view id, absl::string_view language_code) const;
  // What goes by exactly this name, display name or alias, in any language: case, diacritics and punctuation ignored.
  std::vector<Target> ByName(absl::string_view name) const;
  // What a name or, where none goes by it, a demonym stands for in a query: of English, of `languages` ("de"), or,
  // where it is written with letters that English doesn't have, of any language. "Island" is Iceland in German only.
  std::vector<Target> ByNameInQuery(absl::string_view name, const std::vector<std::string>& languages) const;
  // The targets of a publisher's label; `kind` "country" and "issue" look among those only. Empty: it isn't mapped.
  std::vector<Target> MapSourceLabel(const SourceLabel& label) const;

  // For storage. Parse returns DataLoss if the bytes are not what Serialize gave.
  std::string Serialize() const;
  static absl::StatusOr<Taxonomy> Parse(absl::string_view bytes);

 private:
  struct Named {
    Target target;
    std::vector<std::string> languages;  // Of its names and demonyms of this key; "": of all.
  };
  using NameIndex = absl::flat_hash_map<std::string, std::vector<Named>>;

  const std::vector<TaxonomyEntry>& Entries(Dimension dimension) const;

  TaxonomyData data_;
  std::array<absl::flat_hash_map<std::string, size_t>, kDimensionCount> by_id_;
  NameIndex by_name_;
  NameIndex by_demonym_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_TAXONOMY_H_
