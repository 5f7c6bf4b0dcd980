#include "search_service/taxonomy.h"

#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"

#include "common/language_tag.h"
#include "common/status_macros.h"
#include "search_service/storage.pb.h"
#include "search_service/text_analysis.h"

namespace dateline::search {
namespace {

// Whether it has letters beside those of English.
bool HasForeignLetters(absl::string_view text) {
  const icu::UnicodeString units = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  for (int32_t i = 0; i < units.length(); i = units.moveIndex32(i, 1)) {
    const UChar32 c = units.char32At(i);
    if (c >= 0x80 && u_isalpha(c) != 0) return true;
  }
  return false;
}

void ToStored(const TaxonomyEntry& entry, storage::v1::TaxonomyEntry& stored) {
  stored.set_id(entry.id);
  for (const LocalizedNames& names : entry.names) {
    storage::v1::LocalizedNames& stored_names = *stored.add_names();
    stored_names.set_language_code(names.language_code);
    stored_names.set_display_name(names.display_name);
    for (const std::string& alias : names.aliases) stored_names.add_aliases(alias);
    for (const std::string& demonym : names.demonyms) stored_names.add_demonyms(demonym);
  }
  for (const std::string& id : entry.replaced_by) stored.add_replaced_by(id);
  stored.set_parent_id(entry.parent_id);
  for (const GroupMember& member : entry.members) {
    storage::v1::GroupMember& stored_member = *stored.add_members();
    stored_member.set_region_code(member.region_code);
    stored_member.set_start_year(member.start_year);
    stored_member.set_end_year(member.end_year);
  }
}

TaxonomyEntry FromStored(const storage::v1::TaxonomyEntry& stored) {
  TaxonomyEntry entry;
  entry.id = stored.id();
  for (const storage::v1::LocalizedNames& names : stored.names()) {
    entry.names.push_back({names.language_code(),
                           names.display_name(),
                           {names.aliases().begin(), names.aliases().end()},
                           {names.demonyms().begin(), names.demonyms().end()}});
  }
  entry.replaced_by.assign(stored.replaced_by().begin(), stored.replaced_by().end());
  entry.parent_id = stored.parent_id();
  for (const storage::v1::GroupMember& member : stored.members()) {
    entry.members.push_back({member.region_code(), member.start_year(), member.end_year()});
  }
  return entry;
}

}  // namespace

std::string NameKey(absl::string_view name) {
  const std::string folded = Fold(name);
  std::string key;
  bool gap = false;
  for (const char c : folded) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '.' || byte == '\'') continue;
    if (byte < 0x80 && !absl::ascii_isalnum(byte) && byte != '&') {
      gap = !key.empty();
      continue;
    }
    if (gap) key.push_back(' ');
    gap = false;
    key.push_back(c);
  }
  return key;
}

bool IsRegionCode(absl::string_view code) {
  static const std::set<absl::string_view>* const kCodes = [] {
    auto* codes = new std::set<absl::string_view>({"XK"});
    for (const char* const* next = uloc_getISOCountries(); *next != nullptr; ++next) codes->insert(*next);
    return codes;
  }();
  return kCodes->contains(code);
}

Taxonomy::Taxonomy(TaxonomyData data) : data_(std::move(data)) {
  for (const Dimension dimension : {Dimension::kCountry, Dimension::kGroup, Dimension::kIssue}) {
    const std::vector<TaxonomyEntry>& entries = Entries(dimension);
    for (size_t i = 0; i < entries.size(); ++i) {
      const TaxonomyEntry& entry = entries[i];
      by_id_[static_cast<size_t>(dimension)].emplace(entry.id, i);
      const auto add = [&](NameIndex& index, absl::string_view name, absl::string_view language) {
        const std::string key = NameKey(name);
        if (key.empty()) return;
        std::vector<Named>& all = index[key];
        const Target target{dimension, entry.id};
        auto named = std::find_if(all.begin(), all.end(), [&](const Named& other) { return other.target == target; });
        if (named == all.end()) named = all.insert(all.end(), {target, {}});
        named->languages.push_back(common::BaseLanguage(language));
      };
      if (dimension != Dimension::kCountry)
        add(by_name_, entry.id, "");  // "IT" and "IN" are words; issue ids are names.
      for (const LocalizedNames& names : entry.names) {
        add(by_name_, names.display_name, names.language_code);
        for (const std::string& alias : names.aliases) add(by_name_, alias, names.language_code);
        for (const std::string& demonym : names.demonyms) add(by_demonym_, demonym, names.language_code);
      }
    }
  }
}

bool Taxonomy::empty() const { return data_.regions.empty() && data_.groups.empty() && data_.issues.empty(); }

const std::vector<TaxonomyEntry>& Taxonomy::Entries(Dimension dimension) const {
  switch (dimension) {
    case Dimension::kCountry:
      return data_.regions;
    case Dimension::kGroup:
      return data_.groups;
    case Dimension::kIssue:
      break;
  }
  return data_.issues;
}

const TaxonomyEntry* Taxonomy::Find(Dimension dimension, absl::string_view id) const {
  const auto& ids = by_id_[static_cast<size_t>(dimension)];
  const auto found = ids.find(id);
  return found == ids.end() ? nullptr : &Entries(dimension)[found->second];
}

std::vector<std::string> Taxonomy::Current(Dimension dimension, absl::string_view id) const {
  std::vector<std::string> current;
  std::set<std::string> seen;
  std::vector<std::string> waiting = {std::string(id)};
  while (!waiting.empty()) {
    const std::string next = std::move(waiting.back());
    waiting.pop_back();
    if (!seen.insert(next).second) continue;  // Retired ids may point at each other by mistake.
    const TaxonomyEntry* entry = Find(dimension, next);
    if (entry == nullptr) continue;
    if (entry->replaced_by.empty()) {
      current.push_back(next);
    } else {
      waiting.insert(waiting.end(), entry->replaced_by.rbegin(), entry->replaced_by.rend());
    }
  }
  return current;
}

std::string Taxonomy::DisplayName(Dimension dimension, absl::string_view id, absl::string_view language_code) const {
  const TaxonomyEntry* entry = Find(dimension, id);
  if (entry == nullptr) return std::string(id);
  const absl::string_view base = language_code.substr(0, language_code.find('-'));
  for (const absl::string_view wanted : {language_code, base, absl::string_view("en")}) {
    for (const LocalizedNames& names : entry->names) {
      if (!names.display_name.empty() && names.language_code == wanted) return names.display_name;
    }
  }
  return std::string(id);
}

std::vector<Taxonomy::Target> Taxonomy::ByName(absl::string_view name) const {
  std::vector<Target> targets;
  const auto found = by_name_.find(NameKey(name));
  if (found == by_name_.end()) return targets;
  for (const Named& named : found->second) targets.push_back(named.target);
  return targets;
}

std::vector<Taxonomy::Target> Taxonomy::ByNameInQuery(absl::string_view name,
                                                      const std::vector<std::string>& languages) const {
  const std::string key = NameKey(name);
  const bool foreign = HasForeignLetters(name);
  const auto counts = [&](const std::string& language) {
    return foreign || language.empty() || language == "en" ||
           std::find(languages.begin(), languages.end(), language) != languages.end();
  };
  std::vector<Target> targets;
  for (const NameIndex* index : {&by_name_, &by_demonym_}) {
    const auto found = index->find(key);
    if (found == index->end()) continue;
    for (const Named& named : found->second) {
      if (std::any_of(named.languages.begin(), named.languages.end(), counts)) targets.push_back(named.target);
    }
    if (!targets.empty()) break;
  }
  return targets;
}

std::vector<Taxonomy::Target> Taxonomy::MapSourceLabel(const SourceLabel& label) const {
  std::vector<Target> targets;
  for (const Target& target : ByName(label.name)) {
    const bool is_issue = target.dimension == Dimension::kIssue;
    if (label.kind == "issue" && !is_issue) continue;
    if (label.kind == "country" && is_issue) continue;
    for (std::string& id : Current(target.dimension, target.id)) targets.push_back({target.dimension, std::move(id)});
  }
  // A bare code is a country only where a country is meant.
  if (targets.empty() && label.kind == "country") {
    for (std::string& id : Current(Dimension::kCountry, absl::AsciiStrToUpper(label.name))) {
      targets.push_back({Dimension::kCountry, std::move(id)});
    }
  }
  return targets;
}

std::string Taxonomy::Serialize() const {
  storage::v1::Taxonomy stored;
  for (const TaxonomyEntry& entry : data_.regions) ToStored(entry, *stored.add_regions());
  for (const TaxonomyEntry& entry : data_.groups) ToStored(entry, *stored.add_groups());
  for (const TaxonomyEntry& entry : data_.issues) ToStored(entry, *stored.add_issues());
  stored.set_taxonomy_version(data_.taxonomy_version);
  stored.set_gazetteer_version(data_.gazetteer_version);
  stored.set_etag(data_.etag);
  return stored.SerializeAsString();
}

absl::StatusOr<Taxonomy> Taxonomy::Parse(absl::string_view bytes) {
  storage::v1::Taxonomy stored;
  if (!stored.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("the stored copy of the taxonomy cannot be read");
  }
  TaxonomyData data;
  for (const auto& entry : stored.regions()) data.regions.push_back(FromStored(entry));
  for (const auto& entry : stored.groups()) data.groups.push_back(FromStored(entry));
  for (const auto& entry : stored.issues()) data.issues.push_back(FromStored(entry));
  data.taxonomy_version = stored.taxonomy_version();
  data.gazetteer_version = stored.gazetteer_version();
  data.etag = stored.etag();
  return Taxonomy(std::move(data));
}

}  // namespace dateline::search
