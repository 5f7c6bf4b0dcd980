// The issues that articles are filed under: an editor's text file, checked when it is loaded.
//
// The file is protobuf text format (message TaxonomyFile of model.proto), so that it can hold comments and an editor
// needs no tool to change it. Ids are what everything else refers to: a rename, a translation, a new alias or a
// better definition changes `version` and `content_hash`, never `fingerprint`, and so never invalidates a model.
#ifndef DATELINE_CLASSIFIER_SERVICE_TAXONOMY_H_
#define DATELINE_CLASSIFIER_SERVICE_TAXONOMY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dateline::classifier {

// The names of one issue in one language.
struct IssueNames {
  std::string language_code;         // BCP 47, as written in the file.
  std::string display_name;          // Never empty.
  std::vector<std::string> aliases;  // Other names that mean exactly this; used to recognise labels and queries.
};

// One issue. All references to other issues are known to resolve.
struct Issue {
  std::string id;                                      // Lower-case letters, digits and `_`, at most 64.
  std::vector<IssueNames> names;                       // English first, at least that.
  std::string definition;                              // English; what belongs here.
  std::string parent_id;                               // Empty: a top issue.
  std::vector<std::string> seed_phrases;               // What articles about it typically say; teaches a new issue.
  std::vector<std::string> trained_from;               // Ids of training labels counted as this issue; default: its id.
  std::vector<std::string> iptc_media_topics;          // Eight-digit codes.
  std::vector<std::string> comparative_agendas_codes;  // Major or minor topic codes.
  std::vector<std::string> replaced_by;                // Not empty: retired, and these stand for it.
  std::string notes;                                   // For editors.
  int line = 0;                                        // Where its block begins in the file, from 1.

  bool retired() const { return !replaced_by.empty(); }
};

// Immutable once loaded; safe to read from any number of threads.
class Taxonomy {
 public:
  // Reads the file at `path`. Returns NotFound if there is none, and InvalidArgument with line, issue id and remedy
  // if it is not well formed: an id twice, a parent or replacement that does not exist, a retired parent, a cycle, no
  // English name, an alias that two issues claim, a live issue without definition, codes and languages that are none,
  // more than kMaxIssues issues. Of several problems the message is about the first; all (the first hundred that were
  // found) are in FieldViolationsOf() (common/error.h), with "PATH:LINE" as fields, in the order of the file. Where the
  // syntax breaks off, the issues before that are checked all the same.
  static absl::StatusOr<Taxonomy> Load(const std::string& path);

  // The same for text already in memory; `source` stands for the path in messages.
  static absl::StatusOr<Taxonomy> Parse(absl::string_view text, absl::string_view source);

  // Parents before children, otherwise in the order of the file; retired issues included.
  const std::vector<Issue>& issues() const { return issues_; }

  // Those that articles can be tagged with: not retired. Same order.
  std::vector<const Issue*> LiveIssues() const;

  // Returns null if no issue, live or retired, has this id.
  const Issue* Find(absl::string_view id) const;

  // Follows `replaced_by` to live ids: a live id gives itself, an unknown id nothing.
  std::vector<std::string> Resolve(absl::string_view id) const;

  // Returns the id of the issue that has `name` as its id, display name or alias in any language, compared without
  // regard to case and surrounding space; null if none has.
  const Issue* FindByName(absl::string_view name) const;

  // The display name in the language asked for, else in its base language ("fr" for "fr-CA"), else in English.
  // Returns the id itself if it is unknown.
  std::string DisplayName(absl::string_view id, absl::string_view language_code) const;

  // As the editor wrote it.
  const std::string& version() const { return version_; }

  // Hash of all that is served; 16 hex digits. Serves as an etag.
  const std::string& content_hash() const { return content_hash_; }

  // Hash of the live ids and of what they are trained from; 16 hex digits. A model fits a taxonomy with the same one.
  const std::string& fingerprint() const { return fingerprint_; }

  static constexpr size_t kMaxIssues = 500;
  static constexpr size_t kMaxFileBytes = 4'000'000;

 private:
  Taxonomy() = default;

  // Enters the names of issues_[place] into by_name_; calls `taken` with each that another live issue has.
  void IndexNames(size_t place, absl::FunctionRef<void(const std::string&, const Issue&)> taken);

  std::string version_;
  std::string content_hash_;
  std::string fingerprint_;
  std::vector<Issue> issues_;
  absl::flat_hash_map<std::string, size_t> by_id_;
  absl::flat_hash_map<std::string, size_t> by_name_;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_TAXONOMY_H_
