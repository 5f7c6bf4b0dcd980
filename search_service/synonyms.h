// Words that an operator wants to be found for one another: a file of groups.
#ifndef DATELINE_SEARCH_SERVICE_SYNONYMS_H_
#define DATELINE_SEARCH_SERVICE_SYNONYMS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::search {

inline constexpr size_t kMaxSynonymBytes = 1'000'000;  // Of the file.
inline constexpr size_t kMaxSynonymGroups = 10'000;
inline constexpr size_t kMaxSynonymsOfWord = 16;  // Also the words of a line, on either side of "=>".

// Immutable, and so thread-safe.
class Synonyms {
 public:
  // None.
  Synonyms() = default;

  // Reads lines of single words: "oil, petroleum, crude" are found for one another; "uk => britain" finds Britain for
  // UK and not the other way round. What follows # is a remark. InvalidArgument naming the line and the remedy.
  static absl::StatusOr<Synonyms> Parse(absl::string_view text);
  // The same of a file. NotFound if it can't be read. Messages begin with the path.
  static absl::StatusOr<Synonyms> Load(const std::string& path);

  // The words, folded, that are to be found for any form of a word, whose stem by its script is this; in the order of
  // the file.
  const std::vector<std::string>& Of(absl::string_view stem) const;
  bool empty() const { return by_stem_.empty(); }
  size_t size() const { return by_stem_.size(); }  // Words that have synonyms.
  // Another one for other synonyms.
  const std::string& version() const { return version_; }

 private:
  absl::flat_hash_map<std::string, std::vector<std::string>> by_stem_;
  std::string version_;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_SYNONYMS_H_
