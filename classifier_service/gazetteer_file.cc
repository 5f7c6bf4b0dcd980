#include "classifier_service/gazetteer_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/language_tag.h"
#include "common/printable.h"
#include "common/status_macros.h"
#include "common/text.h"

namespace dateline::classifier {
namespace {

constexpr size_t kColumns = 8;
constexpr size_t kMinOverlayColumns = 3;  // Surface, target and kind; editors cut what is empty at the end of a line.
constexpr absl::string_view kAllTargets = "*";

// As much of a file's own words as a message can hold.
std::string Quoted(absl::string_view text) {
  constexpr size_t kMaxQuoted = 60;
  const size_t kept = common::CodePointFloor(text, std::min(text.size(), kMaxQuoted));
  return absl::StrCat("\"", common::Printable(text.substr(0, kept)), kept < text.size() ? "…" : "", "\"");
}

bool IsGroupId(absl::string_view text) {
  return text.size() >= 2 && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '_';
         });
}

// "; did you mean IR?" for a country's code or a group's id in the wrong case; otherwise empty.
std::string InTheRightCase(absl::string_view text) {
  const std::string upper = absl::AsciiStrToUpper(text);
  const std::string lower = absl::AsciiStrToLower(text);
  const std::string& meant = IsRegionCode(upper) ? upper : lower;
  return meant != text && (IsRegionCode(meant) || IsGroupId(meant)) ? absl::StrCat("; did you mean ", meant, "?") : "";
}

absl::StatusOr<int> ParseYear(absl::string_view text) {
  int year = 0;
  if (text.empty()) {
    return 0;
  }
  if (!absl::SimpleAtoi(text, &year) || year < 1 || year > 9999) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is no year: write four digits or leave it empty"));
  }
  return year;
}

absl::Status ParseFlags(absl::string_view text, GazetteerFileRole role, GazetteerRow& row) {
  static const auto* const kFlags = new std::map<absl::string_view, uint16_t>{
      {"any", GazetteerEntry::kAnyCase}, {"caps", GazetteerEntry::kCaps},
      {"word", GazetteerEntry::kWord},   {"hyphen", GazetteerEntry::kHyphen},
      {"weak", GazetteerEntry::kWeak},   {"person", GazetteerEntry::kPersonName},
      {"aside", GazetteerEntry::kAside}, {"comma", GazetteerEntry::kComma},
      {"each", GazetteerEntry::kEach},   {"disputed", GazetteerEntry::kDisputed}};
  for (const absl::string_view flag : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    if (flag == "display") {
      row.display = true;
    } else if (flag == "nomatch") {
      row.no_match = true;
    } else if (flag == "alias") {
      row.alias = true;
    } else if (flag == "successor") {
      row.successor = true;
    } else if (flag == "remove" && role == GazetteerFileRole::kOverlay) {
      row.remove = true;
    } else if (const auto it = kFlags->find(flag); it != kFlags->end()) {
      row.flags = static_cast<uint16_t>(row.flags | it->second);
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown flag ", Quoted(flag),
          ": use display, nomatch, alias, any, caps, word, hyphen, comma, weak, person, aside, each, disputed",
          role == GazetteerFileRole::kOverlay ? ", successor or remove, divided by commas" : " or successor"));
    }
  }
  return absl::OkStatus();
}

absl::Status ParseKind(absl::string_view text, GazetteerRow& row) {
  if (text == "MEMBER") {
    row.member = true;
    if (!IsGroupId(row.target) || !IsRegionCode(row.surface)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a MEMBER row needs a region code as its surface and a group id as its target; groups are no members of "
          "groups: name their countries",
          IsRegionCode(row.surface) ? "" : InTheRightCase(row.surface)));
    }
  } else if (text == "SURNAME") {
    row.surname = true;
  } else if (text.empty() && row.remove) {
    row.any_kind = true;
  } else if (text != "GIVEN") {
    for (int i = 0; i < kGazetteerKindCount; ++i) {
      const auto kind = static_cast<GazetteerKind>(i);
      if (text == GazetteerKindName(kind)) {
        row.kind = kind;
        return absl::OkStatus();
      }
    }
    return absl::InvalidArgumentError(
        absl::StrCat("unknown kind ", Quoted(text), ": use NAME, DEMONYM, CAPITAL, METONYM, CITY, ",
                     "SUBDIVISION, PLACE, LEADER, PERSON, ORGANISATION, CURRENCY, MEMBER, GIVEN or SURNAME"));
  }
  return absl::OkStatus();
}

absl::StatusOr<GazetteerRow> ParseRow(const std::vector<absl::string_view>& fields, GazetteerFileRole role) {
  GazetteerRow row;
  row.surface = std::string(fields[0]);
  row.target = std::string(fields[1]);
  row.language = std::string(fields[3]);
  if (row.surface.empty() || row.surface.size() > 200 || !common::IsValidUtf8(row.surface)) {
    return absl::InvalidArgumentError("the surface form is empty, longer than 200 bytes or not UTF-8: correct it");
  }
  if (std::any_of(row.surface.begin(), row.surface.end(),
                  [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); })) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(row.surface), " holds a control character: take it out"));
  }
  RETURN_IF_ERROR(ParseFlags(fields[7], role, row));
  if (row.target != "-" && !IsRegionCode(row.target) && !IsGroupId(row.target) &&
      !(row.remove && row.target == kAllTargets)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(row.target), " is no target: write a region code (IR), a group id (gulf_states) or -",
                     row.remove ? ", or * for all meanings of the surface" : "", InTheRightCase(row.target)));
  }
  RETURN_IF_ERROR(ParseKind(fields[2], row));
  ASSIGN_OR_RETURN(row.from_year, ParseYear(fields[5]));
  ASSIGN_OR_RETURN(row.to_year, ParseYear(fields[6]));
  if (row.to_year != 0 && row.from_year > row.to_year) {
    return absl::InvalidArgumentError(
        absl::StrCat("begins in ", row.from_year, " and ends in ", row.to_year, ": put the earlier year first"));
  }
  if (row.display && row.language.empty()) {
    return absl::InvalidArgumentError("a display name needs its language: write it into the fourth field");
  }
  if (!common::CheckLanguageTag("language", row.language).ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(row.language), " is no language: write a tag such as en or zh-Hant"));
  }
  return row;
}

// Whether the bytes are text at all; otherwise what to do.
bool IsText(absl::string_view text, absl::string_view source, GazetteerProblems& problems) {
  if (absl::StartsWith(text, "\xFF\xFE") || absl::StartsWith(text, "\xFE\xFF")) {
    problems.Add(std::string(source), "is UTF-16: save it as UTF-8 text, divided by tabs");
    return false;
  }
  if (const size_t zero = text.find('\0'); zero != absl::string_view::npos) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(zero), '\n');
    problems.Add(absl::StrCat(source, ":", line),
                 "holds a zero byte, so this is no text: give a file of tab-separated UTF-8");
    return false;
  }
  if (absl::StrContains(text, '\r') && !absl::StrContains(text, '\n')) {
    problems.Add(std::string(source), "has lines that end with CR alone: save it with LF or CRLF");
    return false;
  }
  return true;
}

auto KeyOf(const GazetteerRow& row) {
  return std::make_tuple(row.surface, row.target, row.member, row.surname, row.kind, row.language, row.from_year,
                         row.to_year, row.remove, row.display, row.alias);
}

auto FlagsOf(const GazetteerRow& row) { return std::make_tuple(row.flags, row.no_match, row.successor); }

// Why a row of an overlay, each of whose columns can be read, makes no sense as a whole; empty: it does.
std::string Nonsense(const GazetteerRow& row) {
  constexpr uint16_t kBothCases = GazetteerEntry::kAnyCase | GazetteerEntry::kCaps;
  const bool shown = row.display || row.alias;
  const bool person = !row.kind && !row.member && !row.any_kind;
  if (person && row.target != "-" && !(row.remove && row.target == kAllTargets)) {
    return absl::StrCat(Quoted(row.surface), " is a ", row.surname ? "SURNAME" : "GIVEN", " of ", row.target,
                        ": names of people belong to no country; write - as its target, or the whole name of a person "
                        "as PERSON or LEADER");
  }
  if (person && (row.from_year != 0 || row.to_year != 0 || row.flags != 0 || shown || row.no_match)) {
    return "GIVEN and SURNAME have neither years nor flags: leave these columns empty";
  }
  if (row.member && (row.flags != 0 || shown || row.no_match)) {
    return "MEMBER has no flags but successor and remove: take the others out";
  }
  if (row.successor && !row.member) {
    return "successor belongs to MEMBER alone: take it out, or write a MEMBER row";
  }
  if ((row.flags & kBothCases) == kBothCases) {
    return "any and caps contradict each other: take one of them out";
  }
  if (row.target == "-" && !row.remove && (shown || row.no_match)) {
    return "words to be passed over (-) are the name of nothing, and have to be looked for: take display, alias and "
           "nomatch out, or name a target";
  }
  return "";
}

bool ShareYears(const GazetteerRow& one, const GazetteerRow& other) {
  const auto ends_before = [](const GazetteerRow& a, const GazetteerRow& b) {
    return a.to_year != 0 && a.to_year < b.from_year;
  };
  return !ends_before(one, other) && !ends_before(other, one);
}

// Whether the same words in a text are of both rows.
bool AreFoundAlike(const GazetteerRow& one, const GazetteerRow& other) {
  constexpr uint16_t kForm = GazetteerEntry::kAnyCase | GazetteerEntry::kCaps | GazetteerEntry::kWord |
                             GazetteerEntry::kHyphen | GazetteerEntry::kComma;
  return (one.flags & kForm) == (other.flags & kForm) && ShareYears(one, other);
}

// What two rows of an overlay with the same surface say against each other.
void CheckPair(const GazetteerRow& earlier, const GazetteerRow& row, GazetteerProblems& problems) {
  if (earlier.remove || row.remove || earlier.no_match || row.no_match) {
    return;
  }
  if (earlier.kind && row.kind && (earlier.target == "-") != (row.target == "-") && AreFoundAlike(earlier, row)) {
    const GazetteerRow& meaning = row.target == "-" ? earlier : row;
    problems.Add(PlaceOf(row),
                 absl::StrCat(Quoted(row.surface), " is to be passed over (-) in one of the lines ", earlier.line,
                              " and ", row.line, " and means ", meaning.target, " in the other: remove one of them"));
  }
  const bool bounded = row.from_year != 0 || row.to_year != 0 || earlier.from_year != 0 || earlier.to_year != 0;
  const bool same_years = row.from_year == earlier.from_year && row.to_year == earlier.to_year;
  if (earlier.target == row.target && earlier.member == row.member && earlier.kind == row.kind && bounded &&
      !same_years && AreFoundAlike(earlier, row)) {
    problems.Warn(PlaceOf(row), absl::StrCat("has years that are also of the same row in line ", earlier.line,
                                             ": let one begin after the other has ended, or make them one row"));
  }
}

// Says what makes no sense, in a row or between two, though each column can be read.
void CheckSense(const std::vector<GazetteerRow>& rows, GazetteerProblems& problems) {
  constexpr size_t kCompared = 20;  // Rows of one surface; more than a surface has meanings.
  absl::flat_hash_map<std::string, std::vector<const GazetteerRow*>> by_surface;
  for (const GazetteerRow& row : rows) {
    if (const std::string problem = Nonsense(row); !problem.empty()) {
      problems.Add(PlaceOf(row), problem);
      problems.AddSuspect(row.target);
      continue;
    }
    if (row.remove && (row.from_year != 0 || row.to_year != 0)) {
      problems.Warn(PlaceOf(row), "removes the row whatever its years: leave from and to empty");
    }
    const bool place = row.kind == GazetteerKind::kCapital || row.kind == GazetteerKind::kCity ||
                       row.kind == GazetteerKind::kSubdivision;
    if (place && !row.remove && IsGroupId(row.target)) {
      problems.Warn(PlaceOf(row), absl::StrCat("is a ", GazetteerKindName(*row.kind), " of the group ", row.target,
                                               ": write the code of its country, or METONYM if the words stand for "
                                               "the group"));
    }
    const bool known_in_queries = row.kind == GazetteerKind::kDemonym && !row.language.empty();
    if (row.no_match && !row.display && !row.alias && !row.remove && !known_in_queries) {
      problems.Warn(PlaceOf(row),
                    "is neither looked for, shown nor recognised: take nomatch out, or add display or alias");
    }
    std::vector<const GazetteerRow*>& earlier = by_surface[row.surface];
    for (const GazetteerRow* other : earlier) {
      CheckPair(*other, row, problems);
    }
    if (earlier.size() < kCompared) {
      earlier.push_back(&row);
    }
  }
}

// Takes out what stands twice, and says so; two that differ in their flags alone contradict each other.
void DropRepeated(std::vector<GazetteerRow>& rows, GazetteerProblems& problems) {
  std::map<decltype(KeyOf(rows.front())), const GazetteerRow*> seen;
  std::vector<bool> drop(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto [it, fresh] = seen.try_emplace(KeyOf(rows[i]), &rows[i]);
    if (fresh) {
      continue;
    }
    drop[i] = true;
    if (FlagsOf(rows[i]) == FlagsOf(*it->second)) {
      problems.Warn(PlaceOf(rows[i]), absl::StrCat("repeats line ", it->second->line, ": remove one of them"));
    } else {
      problems.Add(PlaceOf(rows[i]), absl::StrCat("has other flags than the same row in line ", it->second->line,
                                                  ": remove one of them"));
    }
  }
  size_t i = 0;
  std::erase_if(rows, [&](const GazetteerRow& /*row*/) { return drop[i++]; });
}

bool IsSameSort(const GazetteerRow& removal, const GazetteerRow& row) {
  if (removal.any_kind) {
    return !row.member;
  }
  return removal.member == row.member && removal.surname == row.surname && removal.kind == row.kind;
}

// Takes the row out of the texts. Names that are shown or recognised in queries stay so, unless `forget`.
void Withdraw(GazetteerRow& row, bool forget, bool& gone) {
  row.no_match = true;
  row.alias = row.alias && !forget;
  gone = !row.display && !row.alias;
}

// An alias means exactly one target: what the overlay says it means.
void TakeOverAliases(const std::vector<GazetteerRow>& overlay, std::vector<GazetteerRow>& shipped,
                     std::vector<bool>& gone, GazetteerProblems& problems) {
  absl::flat_hash_map<std::string, const GazetteerRow*> claims;
  for (const GazetteerRow& row : overlay) {
    if (!row.kind || row.remove || !(row.alias || row.display)) {
      continue;
    }
    const auto [it, fresh] = claims.try_emplace(common::FoldForMatch(row.surface), &row);
    if (!fresh && it->second->target != row.target) {
      problems.Add(PlaceOf(row),
                   absl::StrCat(Quoted(row.surface), " is the name or alias of ", it->second->target, " in line ",
                                it->second->line, ": an alias means one target; take the flag from one of them"));
    }
  }
  if (claims.empty()) {
    return;
  }
  for (size_t i = 0; i < shipped.size(); ++i) {
    GazetteerRow& row = shipped[i];
    if (!row.alias) {
      continue;
    }
    const auto it = claims.find(common::FoldForMatch(row.surface));
    if (it != claims.end() && it->second->target != row.target) {
      row.alias = false;
      gone[i] = row.no_match && !row.display;
    }
  }
}

}  // namespace

bool IsRegionCode(absl::string_view text) {
  return text.size() == 2 && absl::ascii_isupper(static_cast<unsigned char>(text[0])) &&
         absl::ascii_isupper(static_cast<unsigned char>(text[1]));
}

std::string PlaceOf(const GazetteerRow& row) { return absl::StrCat(row.source, ":", row.line); }

void GazetteerProblems::Add(std::string place, std::string problem) {
  ++count_;
  if (problems_.size() < kMaxListed) {
    problems_.push_back({std::move(place), std::move(problem)});
  }
}

void GazetteerProblems::Warn(absl::string_view place, absl::string_view problem) {
  if (warnings_.size() < kMaxListed) {
    warnings_.push_back(absl::StrCat(place, ": ", problem));
  }
}

absl::Status GazetteerProblems::status() const {
  if (problems_.empty()) {
    return absl::OkStatus();
  }
  const std::string more = count_ > 1 ? absl::StrCat(" (and ", count_ - 1, " more)") : "";
  std::vector<common::FieldViolation> listed = problems_;
  if (count_ > listed.size()) {
    listed.push_back({problems_.back().field, absl::StrCat("and ", count_ - listed.size(), " more after this one")});
  }
  return common::WithFieldViolations(
      absl::InvalidArgumentError(absl::StrCat(problems_[0].field, ": ", problems_[0].description, more)), listed);
}

absl::StatusOr<std::string> ReadGazetteerFile(const std::string& path, size_t max_bytes) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return absl::NotFoundError(absl::StrCat("no gazetteer at ", path, ": check the path"));
  }
  // A pipe would be waited for, and could not be read again.
  if (!std::filesystem::is_regular_file(status)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is no regular file: give the path of one"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot be read: check who may read it"));
  }
  const auto size = static_cast<size_t>(std::filesystem::file_size(path, error));
  if (error || size > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", size, " bytes are more than the ", max_bytes, " allowed: shorten it"));
  }
  std::string text(size, '\0');
  file.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

std::vector<GazetteerRow> ParseGazetteerRows(absl::string_view text, absl::string_view source, GazetteerFileRole role,
                                             GazetteerProblems& problems) {
  std::vector<GazetteerRow> rows;
  const bool overlay = role == GazetteerFileRole::kOverlay;
  if (!IsText(text, source, problems)) {
    return rows;
  }
  if (overlay) {
    absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  }
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripSuffix(line, "\r");
    if (line.empty() || line[0] == '#') {
      continue;
    }
    std::vector<absl::string_view> fields = absl::StrSplit(line, '\t');
    if (overlay) {
      for (absl::string_view& field : fields) {
        field = absl::StripAsciiWhitespace(field);
      }
      if (std::all_of(fields.begin(), fields.end(), [](absl::string_view field) { return field.empty(); }) ||
          (rows.empty() && fields.size() > 1 && fields[0] == "surface" && fields[1] == "target")) {
        continue;
      }
    }
    const std::string place = absl::StrCat(source, ":", number);
    if (fields.size() > kColumns || fields.size() < (overlay ? kMinOverlayColumns : kColumns)) {
      problems.Add(place, absl::StrCat("has ", fields.size(), " fields instead of ", kColumns,
                                       ": write surface, target, kind, language, source, from, to and flags, divided "
                                       "by tabs"));
      continue;
    }
    fields.resize(kColumns);
    absl::StatusOr<GazetteerRow> row = ParseRow(fields, role);
    if (!row.ok()) {
      problems.Add(place, std::string(row.status().message()));
      problems.AddSuspect(fields[1]);
      continue;
    }
    row->source = source;
    row->line = number;
    rows.push_back(*std::move(row));
  }
  return rows;
}

std::vector<GazetteerRow> LayOver(std::vector<GazetteerRow> shipped, std::vector<GazetteerRow> overlay,
                                  GazetteerProblems& problems) {
  DropRepeated(overlay, problems);
  CheckSense(overlay, problems);
  absl::flat_hash_set<std::string> countries;
  absl::flat_hash_set<std::string> groups;
  absl::flat_hash_map<std::string, std::vector<size_t>> by_surface;
  absl::flat_hash_map<std::string, size_t> by_folded;  // For what may have been meant.
  for (size_t i = 0; i < shipped.size(); ++i) {
    const GazetteerRow& row = shipped[i];
    by_surface[row.surface].push_back(i);
    if (row.kind && IsRegionCode(row.target)) {
      countries.insert(row.target);
    } else if (row.kind && row.target != "-") {
      groups.insert(row.target);
    }
  }
  // Display names by target and language: an overlay's takes the place of the shipped one.
  std::map<std::pair<std::string, std::string>, size_t> displays;
  for (size_t i = 0; i < shipped.size(); ++i) {
    if (shipped[i].display) {
      displays.try_emplace({shipped[i].target, shipped[i].language}, i);
    }
  }
  std::vector<bool> gone(shipped.size());
  const auto withdraw = [&](size_t i, bool forget) {
    bool is_gone = false;
    Withdraw(shipped[i], forget, is_gone);
    gone[i] = is_gone;
  };

  TakeOverAliases(overlay, shipped, gone, problems);

  // Groups of the overlay's own are named in it.
  for (const GazetteerRow& row : overlay) {
    if (row.display && !row.remove && IsGroupId(row.target)) {
      groups.insert(row.target);
    }
  }

  std::vector<GazetteerRow> rows;
  for (GazetteerRow& row : overlay) {
    if (const std::string code = absl::AsciiStrToUpper(row.target);
        IsGroupId(row.target) && !groups.contains(row.target) && countries.contains(code)) {
      problems.Add(PlaceOf(row), absl::StrCat("there is no group ", row.target, "; did you mean the country ", code,
                                              "? Codes of countries are in upper case"));
      problems.AddSuspect(row.target);
      continue;
    }
    if (IsRegionCode(row.target) && !countries.contains(row.target)) {
      const std::string group = absl::AsciiStrToLower(row.target);
      problems.Add(PlaceOf(row),
                   absl::StrCat(row.target,
                                " is no country of the gazetteer: an overlay adds groups and "
                                "names, never countries; correct the code",
                                groups.contains(group) ? absl::StrCat(", or write the group's id, ", group) : ""));
      continue;
    }
    const auto same = by_surface.find(row.surface);
    if (row.remove) {
      bool found = false;
      for (const size_t i : same == by_surface.end() ? std::vector<size_t>() : same->second) {
        const GazetteerRow& other = shipped[i];
        if (!IsSameSort(row, other) || (row.target != kAllTargets && row.target != other.target)) {
          continue;
        }
        found = true;
        if (other.kind) {
          withdraw(i, /*forget=*/true);
        } else {
          gone[i] = true;
        }
      }
      if (!found) {
        if (by_folded.empty()) {
          for (size_t i = 0; i < shipped.size(); ++i) {
            by_folded.try_emplace(common::FoldForMatch(shipped[i].surface), i);
          }
        }
        const auto near = by_folded.find(common::FoldForMatch(row.surface));
        problems.Warn(PlaceOf(row), absl::StrCat("removes nothing: the gazetteer has no such row",
                                                 near == by_folded.end()
                                                     ? ""
                                                     : absl::StrCat("; it has ", Quoted(shipped[near->second].surface),
                                                                    " of ", shipped[near->second].target),
                                                 "; correct the row or remove it"));
      }
      continue;
    }
    for (const size_t i : same == by_surface.end() ? std::vector<size_t>() : same->second) {
      if (row.kind && shipped[i].kind && (shipped[i].target == row.target || row.target == "-")) {
        withdraw(i, /*forget=*/false);  // Words to be passed over have no other meaning.
      } else if (row.member && shipped[i].member && shipped[i].target == row.target) {
        gone[i] = true;  // A membership with other years.
      }
    }
    if (row.kind && row.display) {
      if (const auto it = displays.find({row.target, row.language}); it != displays.end()) {
        GazetteerRow& other = shipped[it->second];
        other.display = false;
        other.alias = other.surface != row.surface;
        gone[it->second] = !other.alias;
      }
    }
    rows.push_back(std::move(row));
  }
  for (size_t i = 0; i < shipped.size(); ++i) {
    if (!gone[i]) {
      rows.push_back(std::move(shipped[i]));
    }
  }
  return rows;
}

}  // namespace dateline::classifier
