#include "classifier_service/taxonomy.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

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

// Keeps the first error of the text format parser with its place.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (message_.empty()) {
      message_ = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
    }
  }
  const std::string& message() const { return message_; }

 private:
  std::string message_;
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

// What can be said of one issue without looking at the others. Messages lack the source, which the caller adds.
absl::Status CheckAlone(const Issue& issue) {
  if (!IsValidId(issue.id)) {
    return absl::InvalidArgumentError(absl::StrCat("issue \"", issue.id,
                                                   "\": the id must be 1 to 64 of a-z, 0-9 and _; write for example "
                                                   "id: \"energy_policy\""));
  }
  if (issue.names.empty() || issue.names.front().language_code != "en") {
    return absl::InvalidArgumentError(
        absl::StrCat("issue \"", issue.id, "\": no English name; add names { language: \"en\" display_name: \"…\" }"));
  }
  absl::flat_hash_set<std::string> languages;
  for (const IssueNames& names : issue.names) {
    if (names.language_code.empty() || names.display_name.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("issue \"", issue.id, "\": a names block lacks language or display_name; give both"));
    }
    if (!common::CheckLanguageTag("language", names.language_code).ok()) {
      return absl::InvalidArgumentError(absl::StrCat("issue \"", issue.id, "\": language \"", names.language_code,
                                                     "\" is no BCP 47 tag; write for example \"fr\" or \"pt-BR\""));
    }
    if (std::any_of(names.aliases.begin(), names.aliases.end(),
                    [](const std::string& alias) { return absl::StripAsciiWhitespace(alias).empty(); })) {
      return absl::InvalidArgumentError(absl::StrCat("issue \"", issue.id, "\": an alias is empty; remove it"));
    }
    if (!languages.insert(names.language_code).second) {
      return absl::InvalidArgumentError(absl::StrCat("issue \"", issue.id, "\": two names blocks for language \"",
                                                     names.language_code, "\"; merge them"));
    }
  }
  if (!issue.retired() && issue.definition.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "issue \"", issue.id, "\": no definition; say in a sentence what belongs here, or retire it with replaced_by"));
  }
  for (const std::string& code : issue.iptc_media_topics) {
    if (code.size() != 8 || !IsDigits(code)) {
      return absl::InvalidArgumentError(absl::StrCat("issue \"", issue.id, "\": iptc_media_topic \"", code,
                                                     "\" has not eight digits; write for example \"20000638\""));
    }
  }
  for (const std::string& code : issue.comparative_agendas_codes) {
    if (code.empty() || code.size() > 4 || !IsDigits(code)) {
      return absl::InvalidArgumentError(absl::StrCat("issue \"", issue.id, "\": comparative_agendas_code \"", code,
                                                     "\" is none; write for example \"19\" or \"1906\""));
    }
  }
  return absl::OkStatus();
}

// Orders parents before children, otherwise as given. Of a circle, and of what is below it, `circle` gets the ids.
std::vector<Issue> ParentsFirst(std::vector<Issue> issues, std::vector<std::string>* circle) {
  std::vector<Issue> ordered;
  absl::flat_hash_set<std::string> placed;
  while (!issues.empty()) {
    const size_t before = ordered.size();
    std::vector<Issue> waiting;
    for (Issue& issue : issues) {
      if (issue.parent_id.empty() || placed.contains(issue.parent_id)) {
        placed.insert(issue.id);
        ordered.push_back(std::move(issue));
      } else {
        waiting.push_back(std::move(issue));
      }
    }
    if (ordered.size() == before) {
      for (const Issue& issue : waiting) {
        circle->push_back(issue.id);
      }
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
  const auto invalid = [source](absl::string_view message) {
    return absl::InvalidArgumentError(absl::StrCat("taxonomy ", source, ": ", message));
  };
  if (text.size() > kMaxFileBytes) {
    return invalid(absl::StrCat("larger than ", kMaxFileBytes, " bytes; this is no taxonomy"));
  }
  storage::v1::TaxonomyFile file;
  FirstError error;
  google::protobuf::TextFormat::ParseInfoTree places;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&places);
  parser.SetRecursionLimit(10);
  if (!parser.ParseFromString(std::string(text), &file)) {
    return invalid(absl::StrCat(error.message(), "; compare with classifier_service/data/taxonomy/default.textproto"));
  }
  if (file.version().empty()) {
    return invalid("no version; add a line such as version: \"my-site-1\"");
  }
  if (!common::IsValidUtf8(file.version())) {
    return invalid("the version is not UTF-8; save the file as UTF-8");
  }
  if (file.issue().empty()) {
    return invalid("no issues; add at least one issue { … } block");
  }
  if (static_cast<size_t>(file.issue_size()) > kMaxIssues) {
    return invalid(absl::StrCat(file.issue_size(), " issues; at most ", kMaxIssues, " are taken: merge some"));
  }

  Taxonomy taxonomy;
  taxonomy.version_ = file.version();
  std::vector<Issue> issues;
  std::vector<common::FieldViolation> problems;
  const google::protobuf::FieldDescriptor* const issue_field =
      storage::v1::TaxonomyFile::descriptor()->FindFieldByNumber(storage::v1::TaxonomyFile::kIssueFieldNumber);
  const auto line_of = [&](size_t issue) { return places.GetLocation(issue_field, static_cast<int>(issue)).line + 1; };
  const auto note = [&](size_t issue, absl::string_view problem) {
    problems.push_back({absl::StrCat(source, ":", line_of(issue)), std::string(problem)});
  };
  const auto all_problems = [&] {
    const std::string more = problems.size() > 1 ? absl::StrCat(" (and ", problems.size() - 1, " more)") : "";
    return common::WithFieldViolations(
        absl::InvalidArgumentError(absl::StrCat("taxonomy ", problems[0].field, ": ", problems[0].description, more)),
        problems);
  };
  absl::flat_hash_map<std::string, size_t> places_of;  // By id: where in the file.
  for (const storage::v1::TaxonomyIssue& entry : file.issue()) {
    const size_t place = issues.size();
    issues.push_back(FromFile(entry));
    if (!IsUtf8(entry)) {
      note(place, absl::StrCat("issue ", place + 1, " of the file holds what is not UTF-8; save the file as UTF-8"));
      continue;
    }
    if (const absl::Status status = CheckAlone(issues.back()); !status.ok()) {
      note(place, status.message());
    }
    if (!places_of.emplace(entry.id(), place).second) {
      note(place, absl::StrCat("issue \"", entry.id(), "\" is defined twice; rename or remove one"));
    }
  }
  for (size_t i = 0; i < issues.size(); ++i) {
    const Issue& issue = issues[i];
    if (const auto parent = places_of.find(issue.parent_id); !issue.parent_id.empty() && parent == places_of.end()) {
      note(i, absl::StrCat("issue \"", issue.id, "\": parent \"", issue.parent_id,
                           "\" is not defined; define it or remove the line"));
    } else if (!issue.parent_id.empty() && !issue.retired() && issues[parent->second].retired()) {
      note(i, absl::StrCat("issue \"", issue.id, "\": parent \"", issue.parent_id,
                           "\" is retired; name what stands for it, or remove the line"));
    }
    for (const std::string& replacement : issue.replaced_by) {
      if (!places_of.contains(replacement)) {
        note(i, absl::StrCat("issue \"", issue.id, "\": replaced_by \"", replacement,
                             "\" is not defined; name an issue of this file"));
      }
    }
  }
  if (!problems.empty()) {
    return all_problems();
  }
  std::vector<std::string> circle;
  taxonomy.issues_ = ParentsFirst(std::move(issues), &circle);
  for (const std::string& id : circle) {
    note(places_of[id], absl::StrCat("issue \"", id, "\": its parents form a circle; take one parent: line out"));
  }
  if (!problems.empty()) {
    return all_problems();
  }

  for (size_t i = 0; i < taxonomy.issues_.size(); ++i) {
    taxonomy.by_id_.emplace(taxonomy.issues_[i].id, i);
  }
  bool any_live = false;
  for (size_t i = 0; i < taxonomy.issues_.size(); ++i) {
    const Issue& issue = taxonomy.issues_[i];
    const size_t place = places_of[issue.id];
    any_live = any_live || !issue.retired();
    if (issue.retired() && taxonomy.Resolve(issue.id).empty()) {
      note(place,
           absl::StrCat("issue \"", issue.id, "\": its replacements form a circle; let one of them be a live issue"));
    }
    std::vector<std::string> names = {issue.id};
    for (const IssueNames& localized : issue.names) {
      names.push_back(localized.display_name);
      names.insert(names.end(), localized.aliases.begin(), localized.aliases.end());
    }
    for (const std::string& name : names) {
      const auto [it, inserted] = taxonomy.by_name_.emplace(FoldName(name), i);
      // A retired issue may have the name of one that took its place.
      if (!inserted && it->second != i && !issue.retired() && !taxonomy.issues_[it->second].retired()) {
        const std::string& other = taxonomy.issues_[it->second].id;
        note(place,
             absl::StrCat("issue \"", issue.id, "\": the name \"", name, "\" belongs to issue \"", other, "\" of line ",
                          line_of(places_of[other]), " as well; an alias means one issue: remove one"));
      }
      if (!inserted && taxonomy.issues_[it->second].retired()) {
        it->second = i;
      }
    }
  }
  if (!problems.empty()) {
    return all_problems();
  }
  if (!any_live) {
    return invalid("every issue is retired; keep at least one live");
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
