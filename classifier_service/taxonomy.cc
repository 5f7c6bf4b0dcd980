#include "classifier_service/taxonomy.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "classifier_service/model.pb.h"
#include "common/error.h"
#include "common/hash.h"
#include "common/language_tag.h"
#include "common/text.h"

namespace dateline::classifier {
namespace {

constexpr size_t kMaxIdBytes = 64;

// Names are the same issue's whatever their case and diacritics: "GEOPOLITIQUE" is "Géopolitique".
std::string FoldName(absl::string_view name) { return common::FoldForMatch(absl::StripAsciiWhitespace(name)); }

std::string ShortHash(absl::string_view content) { return common::Sha256Hex(content).substr(0, 16); }

// What is wrong with a file, by its lines.
class Problems {
 public:
  explicit Problems(absl::string_view source) : source_(source) {}

  // `line` counts from 1; `problem` says what is wrong and what would be right.
  void Add(int line, absl::string_view problem) {
    ++count_;
    if (found_.size() < kMaxListed) {
      found_.emplace_back(line, std::string(problem));
    }
  }

  bool empty() const { return found_.empty(); }

  // In the order of the file. The message is the first and how many more there are.
  absl::Status ToStatus() {
    std::stable_sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<common::FieldViolation> violations;
    for (const auto& [line, problem] : found_) {
      violations.push_back({absl::StrCat(source_, ":", line), problem});
    }
    const common::FieldViolation first = violations.front();
    if (count_ > violations.size()) {
      violations.push_back({std::string(source_), absl::StrCat("and ", count_ - violations.size(), " more")});
    }
    const std::string more = count_ > 1 ? absl::StrCat(" (and ", count_ - 1, " more)") : "";
    return common::WithFieldViolations(
        absl::InvalidArgumentError(absl::StrCat("taxonomy ", first.field, ": ", first.description, more)), violations);
  }

 private:
  static constexpr size_t kMaxListed = 100;

  absl::string_view source_;
  std::vector<std::pair<int, std::string>> found_;
  size_t count_ = 0;
};

// Notes what the text format parser complains of. Fields that don't exist are warnings to it, since it can go on.
class SyntaxProblems : public google::protobuf::io::ErrorCollector {
 public:
  explicit SyntaxProblems(Problems& problems) : problems_(problems) {}

  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    problems_.Add(line + 1, absl::StrCat("column ", column + 1, ": ", absl::StripSuffix(message, "."),
                                         "; compare with classifier_service/data/taxonomy/default.textproto"));
  }
  void AddWarning(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    AddError(line, column, message);
  }

 private:
  Problems& problems_;
};

bool IsValidId(absl::string_view id) {
  if (id.empty() || id.size() > kMaxIdBytes) {
    return false;
  }
  return std::all_of(id.begin(), id.end(),
                     [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_'; });
}

bool IsDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
}

// Whether all that the entry says can be sent to others; escapes (\377) may spell what is no UTF-8 in a file that is.
bool IsUtf8(const storage::v1::TaxonomyIssue& entry) {
  const auto are = [](const auto& texts) { return std::all_of(texts.begin(), texts.end(), common::IsValidUtf8); };
  return common::IsValidUtf8(entry.id()) && common::IsValidUtf8(entry.definition()) &&
         common::IsValidUtf8(entry.parent()) && common::IsValidUtf8(entry.notes()) && are(entry.seed_phrase()) &&
         are(entry.trained_from()) && are(entry.iptc_media_topic()) && are(entry.comparative_agendas_code()) &&
         are(entry.replaced_by()) &&
         std::all_of(entry.names().begin(), entry.names().end(), [&](const storage::v1::TaxonomyNames& names) {
           return common::IsValidUtf8(names.language()) && common::IsValidUtf8(names.display_name()) &&
                  are(names.alias());
         });
}

template <typename Repeated>
std::vector<std::string> ToVector(const Repeated& values) {
  return std::vector<std::string>(values.begin(), values.end());
}

Issue FromFile(const storage::v1::TaxonomyIssue& file) {
  Issue issue;
  issue.id = file.id();
  for (const storage::v1::TaxonomyNames& names : file.names()) {
    issue.names.push_back({names.language(), names.display_name(), ToVector(names.alias())});
  }
  std::stable_partition(issue.names.begin(), issue.names.end(),
                        [](const IssueNames& names) { return names.language_code == "en"; });
  issue.definition = file.definition();
  issue.parent_id = file.parent();
  issue.seed_phrases = ToVector(file.seed_phrase());
  issue.trained_from = ToVector(file.trained_from());
  if (issue.trained_from.empty()) {
    issue.trained_from.push_back(issue.id);
  }
  issue.iptc_media_topics = ToVector(file.iptc_media_topic());
  issue.comparative_agendas_codes = ToVector(file.comparative_agendas_code());
  issue.replaced_by = ToVector(file.replaced_by());
  issue.notes = file.notes();
  return issue;
}

// What can be said of one issue's names without looking at the others'.
void CheckNames(const Issue& issue, Problems& problems) {
  const auto note = [&](absl::string_view problem) {
    problems.Add(issue.line, absl::StrCat("issue \"", issue.id, "\": ", problem));
  };
  if (issue.names.empty() || issue.names.front().language_code != "en") {
    note("no English name; add names { language: \"en\" display_name: \"…\" }");
  }
  absl::flat_hash_set<std::string> languages;
  for (const IssueNames& names : issue.names) {
    if (names.language_code.empty() || names.display_name.empty()) {
      note("a names block lacks language or display_name; give both");
    }
    if (std::any_of(names.aliases.begin(), names.aliases.end(),
                    [](const std::string& alias) { return absl::StripAsciiWhitespace(alias).empty(); })) {
      note("an alias is empty; remove it");
    }
    if (names.language_code.empty()) {
      continue;
    }
    if (!common::CheckLanguageTag("language", names.language_code).ok()) {
      note(absl::StrCat("language \"", names.language_code,
                        "\" is no BCP 47 tag; write for example \"fr\" or \"pt-BR\""));
    }
    if (!languages.insert(names.language_code).second) {
      note(absl::StrCat("two names blocks for language \"", names.language_code, "\"; merge them"));
    }
  }
}

// What can be said of one issue without looking at the others.
void CheckAlone(const Issue& issue, Problems& problems) {
  const auto note = [&](absl::string_view problem) {
    problems.Add(issue.line, absl::StrCat("issue \"", issue.id, "\": ", problem));
  };
  if (!IsValidId(issue.id)) {
    note("the id must be 1 to 64 of a-z, 0-9 and _; write for example id: \"energy_policy\"");
  }
  CheckNames(issue, problems);
  if (!issue.retired() && issue.definition.empty()) {
    note("no definition; say in a sentence what belongs here, or retire it with replaced_by");
  }
  for (const std::string& code : issue.iptc_media_topics) {
    if (code.size() != 8 || !IsDigits(code)) {
      note(absl::StrCat("iptc_media_topic \"", code, "\" has not eight digits; write for example \"20000638\""));
    }
  }
  for (const std::string& code : issue.comparative_agendas_codes) {
    if (code.empty() || code.size() > 4 || !IsDigits(code)) {
      note(absl::StrCat("comparative_agendas_code \"", code, "\" is none; write for example \"19\" or \"1906\""));
    }
  }
}

// The issues of `file`, each checked by itself. One that is not UTF-8 keeps its id only: the others may refer to it.
std::vector<Issue> CheckedIssues(const storage::v1::TaxonomyFile& file,
                                 const google::protobuf::TextFormat::ParseInfoTree& places, int count,
                                 Problems& problems) {
  const google::protobuf::FieldDescriptor* const field =
      storage::v1::TaxonomyFile::descriptor()->FindFieldByNumber(storage::v1::TaxonomyFile::kIssueFieldNumber);
  std::vector<Issue> issues;
  absl::flat_hash_set<std::string> ids;
  for (int place = 0; place < count; ++place) {
    const storage::v1::TaxonomyIssue& entry = file.issue(place);
    const int line = places.GetLocation(field, place).line + 1;
    Issue issue;
    if (IsUtf8(entry)) {
      issue = FromFile(entry);
      issue.line = line;
      CheckAlone(issue, problems);
    } else {
      problems.Add(line,
                   absl::StrCat("issue ", place + 1, " of the file holds what is not UTF-8; save the file as UTF-8"));
      if (!common::IsValidUtf8(entry.id())) {
        continue;
      }
      issue.id = entry.id();
      issue.line = line;
    }
    if (!ids.insert(issue.id).second) {
      problems.Add(line, absl::StrCat("issue \"", issue.id, "\" is defined twice; rename or remove one"));
    }
    issues.push_back(std::move(issue));
  }
  return issues;
}

// Whether the parents of `issue` never come to a top issue. One that is not defined ends the way.
bool HasCircularParents(const Taxonomy& taxonomy, const Issue& issue) {
  const Issue* at = &issue;
  for (size_t steps = 0; at != nullptr; ++steps) {
    if (steps > taxonomy.issues().size()) {
      return true;
    }
    at = at->parent_id.empty() ? nullptr : taxonomy.Find(at->parent_id);
  }
  return false;
}

// Whether what replaces `issue` is retired too, and so on for ever. One that is not defined is another problem.
bool HasCircularReplacements(const Taxonomy& taxonomy, const Issue& issue) {
  std::vector<const Issue*> queue = {&issue};
  absl::flat_hash_set<const Issue*> seen(queue.begin(), queue.end());
  for (size_t i = 0; i < queue.size(); ++i) {
    if (!queue[i]->retired()) {
      return false;
    }
    for (const std::string& id : queue[i]->replaced_by) {
      const Issue* next = taxonomy.Find(id);
      if (next == nullptr) {
        return false;
      }
      if (seen.insert(next).second) {
        queue.push_back(next);
      }
    }
  }
  return true;
}

// What is wrong between `issue` and those that it names. `whole`: what is not in the taxonomy is not in its file.
void CheckReferences(const Taxonomy& taxonomy, const Issue& issue, bool whole, Problems& problems) {
  const auto note = [&](absl::string_view problem) {
    problems.Add(issue.line, absl::StrCat("issue \"", issue.id, "\": ", problem));
  };
  const Issue* parent = issue.parent_id.empty() ? nullptr : taxonomy.Find(issue.parent_id);
  if (parent == nullptr && !issue.parent_id.empty() && whole) {
    note(absl::StrCat("parent \"", issue.parent_id, "\" is not defined; define it or remove the line"));
  }
  if (parent != nullptr && parent->retired() && !issue.retired()) {
    note(absl::StrCat("parent \"", issue.parent_id, "\" is retired; name what stands for it, or remove the line"));
  }
  if (HasCircularParents(taxonomy, issue)) {
    note("its parents form a circle; take one parent: line out");
  }
  for (const std::string& replacement : issue.replaced_by) {
    if (whole && taxonomy.Find(replacement) == nullptr) {
      note(absl::StrCat("replaced_by \"", replacement, "\" is not defined; name an issue of this file"));
    }
  }
  if (HasCircularReplacements(taxonomy, issue)) {
    note("its replacements form a circle; let one of them be a live issue");
  }
}

// Orders parents before children, otherwise as given; those of a circle, and what is below it, at the end.
std::vector<Issue> ParentsFirst(std::vector<Issue> issues) {
  absl::flat_hash_set<std::string> unplaced;
  for (const Issue& issue : issues) {
    unplaced.insert(issue.id);
  }
  std::vector<Issue> ordered;
  while (!issues.empty()) {
    const size_t before = ordered.size();
    std::vector<Issue> waiting;
    for (Issue& issue : issues) {
      if (!issue.parent_id.empty() && unplaced.contains(issue.parent_id)) {
        waiting.push_back(std::move(issue));
      } else {
        unplaced.erase(issue.id);
        ordered.push_back(std::move(issue));
      }
    }
    if (ordered.size() == before) {
      std::move(waiting.begin(), waiting.end(), std::back_inserter(ordered));
      return ordered;
    }
    issues = std::move(waiting);
  }
  return ordered;
}

}  // namespace

absl::StatusOr<Taxonomy> Taxonomy::Load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  if (!file || std::filesystem::is_directory(path, error)) {
    return absl::NotFoundError(
        absl::StrCat("cannot read \"", path, "\"; give the path of a taxonomy in protobuf text format"));
  }
  std::string text;
  text.resize(kMaxFileBytes + 1);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return Parse(text, path);
}

absl::StatusOr<Taxonomy> Taxonomy::Parse(absl::string_view text, absl::string_view source) {
  if (text.size() > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("taxonomy ", source, ": larger than ", kMaxFileBytes, " bytes; this is no taxonomy"));
  }
  storage::v1::TaxonomyFile file;
  Problems problems(source);
  SyntaxProblems syntax(problems);
  google::protobuf::TextFormat::ParseInfoTree places;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&syntax);
  parser.WriteLocationsTo(&places);
  parser.SetRecursionLimit(10);
  parser.AllowUnknownField(true);
  // Otherwise it broke off in the last issue, or behind it: those before can be checked all the same.
  const bool whole = parser.ParseFromString(std::string(text), &file);
  const int count = whole ? file.issue_size() : std::max(0, file.issue_size() - 1);
  if (whole && file.version().empty()) {
    problems.Add(1, "no version; add a line such as version: \"my-site-1\"");
  }
  if (!common::IsValidUtf8(file.version())) {
    problems.Add(1, "the version is not UTF-8; save the file as UTF-8");
  }
  if (whole && count == 0) {
    problems.Add(1, "no issues; add at least one issue { … } block");
  }
  if (static_cast<size_t>(count) > kMaxIssues) {
    problems.Add(1, absl::StrCat(count, " issues; at most ", kMaxIssues, " are taken: merge some"));
    return problems.ToStatus();
  }

  Taxonomy taxonomy;
  taxonomy.version_ = file.version();
  taxonomy.issues_ = ParentsFirst(CheckedIssues(file, places, count, problems));
  for (size_t i = 0; i < taxonomy.issues_.size(); ++i) {
    taxonomy.by_id_.emplace(taxonomy.issues_[i].id, i);
  }
  for (size_t i = 0; i < taxonomy.issues_.size(); ++i) {
    CheckReferences(taxonomy, taxonomy.issues_[i], whole, problems);
    taxonomy.IndexNames(i, [&](const std::string& name, const Issue& other) {
      const Issue& issue = taxonomy.issues_[i];
      problems.Add(issue.line,
                   absl::StrCat("issue \"", issue.id, "\": the name \"", name, "\" belongs to issue \"", other.id,
                                "\" of line ", other.line, " as well; an alias means one issue: remove one"));
    });
  }
  if (whole && count > 0 && taxonomy.LiveIssues().empty()) {
    problems.Add(taxonomy.issues_.back().line, "every issue is retired; keep at least one live");
  }
  if (!problems.empty()) {
    return problems.ToStatus();
  }

  // Serialised rather than the text itself, so that a comment or a blank line changes nothing.
  taxonomy.content_hash_ = ShortHash(file.SerializeAsString());
  std::vector<std::string> identity;
  for (const Issue* issue : taxonomy.LiveIssues()) {
    std::vector<std::string> sources = issue->trained_from;
    std::sort(sources.begin(), sources.end());
    identity.push_back(absl::StrCat(issue->id, "=", absl::StrJoin(sources, "+")));
  }
  std::sort(identity.begin(), identity.end());
  taxonomy.fingerprint_ = ShortHash(absl::StrJoin(identity, "\n"));
  return taxonomy;
}

void Taxonomy::IndexNames(size_t place, absl::FunctionRef<void(const std::string&, const Issue&)> taken) {
  const Issue& issue = issues_[place];
  std::vector<std::string> names = {issue.id};
  for (const IssueNames& localized : issue.names) {
    names.push_back(localized.display_name);
    names.insert(names.end(), localized.aliases.begin(), localized.aliases.end());
  }
  for (const std::string& name : names) {
    // One that is missing was told already.
    const std::string folded = FoldName(name);
    if (folded.empty()) {
      continue;
    }
    const auto [it, inserted] = by_name_.emplace(folded, place);
    const Issue& other = issues_[it->second];
    // A retired issue may have the name of one that took its place. An issue that stands twice is told once.
    if (!inserted && other.id != issue.id && !issue.retired() && !other.retired()) {
      taken(name, other);
    }
    if (!inserted && other.retired()) {
      it->second = place;
    }
  }
}

std::vector<const Issue*> Taxonomy::LiveIssues() const {
  std::vector<const Issue*> live;
  for (const Issue& issue : issues_) {
    if (!issue.retired()) {
      live.push_back(&issue);
    }
  }
  return live;
}

const Issue* Taxonomy::Find(absl::string_view id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &issues_[it->second];
}

std::vector<std::string> Taxonomy::Resolve(absl::string_view id) const {
  std::vector<std::string> live;
  std::vector<std::string> queue = {std::string(id)};
  absl::flat_hash_set<std::string> seen(queue.begin(), queue.end());
  for (size_t i = 0; i < queue.size(); ++i) {
    const Issue* issue = Find(queue[i]);
    if (issue == nullptr) {
      continue;
    }
    if (!issue->retired()) {
      live.push_back(issue->id);
      continue;
    }
    for (const std::string& next : issue->replaced_by) {
      if (seen.insert(next).second) {
        queue.push_back(next);
      }
    }
  }
  return live;
}

const Issue* Taxonomy::FindByName(absl::string_view name) const {
  const auto it = by_name_.find(FoldName(name));
  return it == by_name_.end() ? nullptr : &issues_[it->second];
}

std::string Taxonomy::DisplayName(absl::string_view id, absl::string_view language_code) const {
  const Issue* issue = Find(id);
  if (issue == nullptr) {
    return std::string(id);
  }
  const std::string base = common::BaseLanguage(language_code);
  const IssueNames* same_base = nullptr;
  for (const IssueNames& names : issue->names) {
    if (names.language_code == language_code) {
      return names.display_name;
    }
    if (same_base == nullptr && common::BaseLanguage(names.language_code) == base) {
      same_base = &names;
    }
  }
  return same_base != nullptr ? same_base->display_name : issue->names.front().display_name;
}

}  // namespace dateline::classifier
