#include "classifier_service/taxonomy_diff.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace dateline::classifier {
namespace {

using Kind = TaxonomyChange::Kind;

std::string Joined(const std::vector<std::string>& words) { return absl::StrJoin(words, ", "); }

// Names other than the English one, by language: "fr" → "Commerce".
std::map<std::string, std::string> Translations(const Issue& issue) {
  std::map<std::string, std::string> names;
  for (const IssueNames& localized : issue.names) {
    if (localized.language_code != "en") names[localized.language_code] = localized.display_name;
  }
  return names;
}

std::set<std::string> Aliases(const Issue& issue) {
  std::set<std::string> aliases;
  for (const IssueNames& localized : issue.names) aliases.insert(localized.aliases.begin(), localized.aliases.end());
  return aliases;
}

// What a model learns it from: “a seed phrase”, label trade.
std::set<std::string> Lessons(const Issue& issue) {
  std::set<std::string> lessons;
  for (const std::string& phrase : issue.seed_phrases) lessons.insert(absl::StrCat("“", phrase, "”"));
  for (const std::string& label : issue.trained_from) lessons.insert(absl::StrCat("label ", label));
  return lessons;
}

std::vector<std::string> Without(const std::set<std::string>& all, const std::set<std::string>& others) {
  std::vector<std::string> rest;
  std::set_difference(all.begin(), all.end(), others.begin(), others.end(), std::back_inserter(rest));
  return rest;
}

void DiffIssue(const Issue& before, const Issue& after, std::vector<TaxonomyChange>& changes) {
  const auto add = [&](Kind kind, std::string from, std::string to) {
    changes.push_back({kind, after.id, std::move(from), std::move(to)});
  };
  const auto add_if_other = [&](Kind kind, const std::string& from, const std::string& to) {
    if (from != to) add(kind, from, to);
  };
  if (before.replaced_by != after.replaced_by) {
    const Kind kind = before.replaced_by.empty()  ? Kind::kRetired
                      : after.replaced_by.empty() ? Kind::kRevived
                                                  : Kind::kReplaced;
    add(kind, Joined(before.replaced_by), Joined(after.replaced_by));
  }
  add_if_other(Kind::kRenamed, before.names.front().display_name, after.names.front().display_name);
  std::map<std::string, std::string> old_names = Translations(before);
  const std::map<std::string, std::string> new_names = Translations(after);
  for (const auto& [language, name] : new_names) {
    std::string& old_name = old_names[language];
    if (old_name != name) {
      add(Kind::kTranslated, old_name.empty() ? "" : absl::StrCat(language, ": ", old_name),
          absl::StrCat(language, ": ", name));
    }
  }
  for (const auto& [language, name] : old_names) {
    if (new_names.count(language) == 0) add(Kind::kTranslated, absl::StrCat(language, ": ", name), "");
  }
  const std::set<std::string> old_aliases = Aliases(before);
  const std::set<std::string> new_aliases = Aliases(after);
  if (old_aliases != new_aliases) {
    add(Kind::kAliases, Joined(Without(old_aliases, new_aliases)), Joined(Without(new_aliases, old_aliases)));
  }
  add_if_other(Kind::kMoved, before.parent_id, after.parent_id);
  add_if_other(Kind::kRedefined, before.definition, after.definition);
  const std::set<std::string> old_lessons = Lessons(before);
  const std::set<std::string> new_lessons = Lessons(after);
  if (old_lessons != new_lessons) {
    add(Kind::kRetrained, Joined(Without(old_lessons, new_lessons)), Joined(Without(new_lessons, old_lessons)));
  }
  const auto codes = [](const Issue& issue) {
    return absl::StrCat("IPTC ", Joined(issue.iptc_media_topics), "; CAP ", Joined(issue.comparative_agendas_codes));
  };
  add_if_other(Kind::kCodes, codes(before), codes(after));
}

}  // namespace

std::vector<TaxonomyChange> DiffTaxonomies(const Taxonomy& before, const Taxonomy& after) {
  std::vector<TaxonomyChange> changes;
  for (const Issue& issue : after.issues()) {
    if (const Issue* old_issue = before.Find(issue.id); old_issue != nullptr) {
      DiffIssue(*old_issue, issue, changes);
    } else {
      changes.push_back({Kind::kAdded, issue.id, "", issue.names.front().display_name});
    }
  }
  for (const Issue& issue : before.issues()) {
    if (after.Find(issue.id) == nullptr) {
      changes.push_back({Kind::kRemoved, issue.id, issue.names.front().display_name, ""});
    }
  }
  return changes;
}

std::vector<std::string> IssuesWithoutModel(const Taxonomy& before, const Taxonomy& after) {
  std::vector<std::string> ids;
  const std::vector<const Issue*> known = before.LiveIssues();
  for (const Issue* issue : after.LiveIssues()) {
    // Its labels, and those of what it stands for, as the tagger takes them.
    std::set<std::string> labels(issue->trained_from.begin(), issue->trained_from.end());
    for (const Issue& other : after.issues()) {
      const std::vector<std::string> stand_in = other.retired() ? after.Resolve(other.id) : std::vector<std::string>();
      if (std::find(stand_in.begin(), stand_in.end(), issue->id) != stand_in.end()) {
        labels.insert(other.id);
      }
    }
    const bool judged = std::any_of(known.begin(), known.end(), [&](const Issue* one) {
      return one->id == issue->id || std::all_of(one->trained_from.begin(), one->trained_from.end(),
                                                 [&](const std::string& label) { return labels.count(label) > 0; });
    });
    if (!judged) {
      ids.push_back(issue->id);
    }
  }
  return ids;
}

}  // namespace dateline::classifier
