#include "cli/taxonomy_names.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "common/nearest.h"
#include "common/printable.h"
#include "common/text.h"

namespace dateline::cli {
namespace {

// How many that may have been meant are named.
constexpr size_t kGuesses = 3;
// Several aliases of one country may be near; so many of them are looked at.
constexpr size_t kNearest = 20;

struct KindText {
  LabelKind kind;
  const char* one;   // "country"
  const char* flag;  // That of `dateline search`.
  const char* show;  // The value of `dateline taxonomy --show`.
};
constexpr KindText kKinds[] = {{LabelKind::kCountry, "country", "--country", "countries"},
                               {LabelKind::kGroup, "group", "--group", "groups"},
                               {LabelKind::kIssue, "issue", "--issue", "issues"}};

const KindText& TextOf(LabelKind kind) { return kKinds[static_cast<size_t>(kind)]; }

std::vector<std::string> Parts(absl::string_view text) {
  std::vector<std::string> parts;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const absl::string_view bare = absl::StripAsciiWhitespace(part);
    if (!bare.empty()) parts.emplace_back(bare);
  }
  return parts;
}

// Names are compared without what typing varies: case, diacritics, the space around and between words.
std::string Key(absl::string_view name) { return common::FoldForMatch(common::NormalizeLine(name)); }

}  // namespace

std::optional<std::vector<std::string>> CodesByForm(LabelKind kind, absl::string_view text) {
  std::vector<std::string> codes = Parts(text);
  for (std::string& code : codes) {
    const bool is_code =
        kind == LabelKind::kCountry
            ? code.size() == 2 && absl::ascii_isalpha(static_cast<unsigned char>(code[0])) &&
                  absl::ascii_isalpha(static_cast<unsigned char>(code[1]))
            : std::all_of(code.begin(), code.end(), [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
    if (!is_code) return std::nullopt;
    kind == LabelKind::kCountry ? absl::AsciiStrToUpper(&code) : absl::AsciiStrToLower(&code);
  }
  return codes;
}

TaxonomyNames::TaxonomyNames(const classifier::v1::GetTaxonomyResponse& taxonomy) {
  for (const auto& region : taxonomy.regions()) Add(LabelKind::kCountry, region.region_code(), region);
  for (const auto& group : taxonomy.groups()) Add(LabelKind::kGroup, group.group_id(), group);
  for (const auto& issue : taxonomy.issues()) Add(LabelKind::kIssue, issue.issue_id(), issue);
}

template <typename Item>
void TaxonomyNames::Add(LabelKind kind, const std::string& code, const Item& item) {
  Names& names = names_[static_cast<size_t>(kind)];
  AddName(names, code, code, Rank::kCode);
  names.display_of[code] =
      item.names().empty() ? code : absl::StrCat(item.names().Get(0).display_name(), " (", code, ")");
  for (const auto& language : item.names()) {
    AddName(names, language.display_name(), code, Rank::kName);
    for (const std::string& alias : language.aliases()) AddName(names, alias, code, Rank::kAlias);
  }
}

void TaxonomyNames::AddName(Names& names, absl::string_view name, const std::string& code, Rank rank) {
  const auto [place, is_new] = names.meanings.try_emplace(Key(name), Meaning{rank, {code}});
  Meaning& meaning = place->second;
  if (rank < meaning.rank) {
    meaning = {rank, {code}};
  } else if (rank == meaning.rank &&
             std::find(meaning.codes.begin(), meaning.codes.end(), code) == meaning.codes.end()) {
    meaning.codes.push_back(code);
  }
  // The same spelling in many languages is looked at once.
  if (is_new) {
    names.spellings.emplace_back(name);
    names.codes.push_back(code);
  }
}

absl::Status TaxonomyNames::Unknown(LabelKind kind, absl::string_view name) const {
  const KindText& text = TextOf(kind);
  std::string message = absl::StrCat("“", common::Printable(name), "” is no ", text.one);
  for (const KindText& other : kKinds) {
    const auto found = of(other.kind).meanings.find(Key(name));
    if (found == of(other.kind).meanings.end()) continue;
    return absl::InvalidArgumentError(absl::StrCat(message, ", but a", other.kind == LabelKind::kIssue ? "n " : " ",
                                                   other.one, ": ", other.flag, " ", found->second.codes.front()));
  }
  std::vector<std::string> guesses;
  for (const size_t place : common::NearestNames(name, of(kind).spellings, kNearest)) {
    const std::string& display = of(kind).display_of.at(of(kind).codes[place]);
    if (guesses.size() < kGuesses && std::find(guesses.begin(), guesses.end(), display) == guesses.end()) {
      guesses.push_back(display);
    }
  }
  if (!guesses.empty()) absl::StrAppend(&message, "; did you mean ", absl::StrJoin(guesses, " or "), "?");
  return absl::InvalidArgumentError(absl::StrCat(message, guesses.empty() ? "; " : " ", "`dateline taxonomy --show ",
                                                 text.show, "` lists what there is"));
}

absl::StatusOr<std::vector<std::string>> TaxonomyNames::Codes(LabelKind kind, absl::string_view text) const {
  const Names& names = of(kind);
  const std::vector<std::string> parts = Parts(text);
  std::vector<std::string> codes;
  for (size_t first = 0; first < parts.size();) {
    // The longest name that begins here: "Climate, environment, water & food" is one.
    size_t end = parts.size();
    auto found = names.meanings.end();
    for (; end > first; --end) {
      found = names.meanings.find(Key(absl::StrJoin(parts.begin() + static_cast<std::ptrdiff_t>(first),
                                                    parts.begin() + static_cast<std::ptrdiff_t>(end), ", ")));
      if (found != names.meanings.end()) break;
    }
    if (found == names.meanings.end()) return Unknown(kind, parts[first]);
    if (found->second.codes.size() > 1) {
      std::vector<std::string> all;
      for (const std::string& code : found->second.codes) all.push_back(names.display_of.at(code));
      return absl::InvalidArgumentError(
          absl::StrCat("“", common::Printable(parts[first]), "” may be ", absl::StrJoin(all, " or ")));
    }
    codes.push_back(found->second.codes.front());
    first = end;
  }
  return codes;
}

}  // namespace dateline::cli
