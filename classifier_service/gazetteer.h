// The gazetteer: which words name which country, territory or group of countries.
//
// One tab-separated file (classifier_service/data/gazetteer/gazetteer.tsv; made by scripts/make_gazetteer.py) holds it
// all: names, adjectives, capitals and cities, leaders with their years, organisations, and the members of groups. Its
// columns, one row a surface form:
//
//   surface  target  kind  language  source  from  to  flags
//
// `target` is a region code (CLDR/ISO 3166-1 alpha-2, or XK), a group id (lower case), or `-` for words that are to be
// passed over ("New England", "Bank of America"). `from` and `to` are years, empty where unbounded. `kind` is one of
// those below; MEMBER: `surface` is the region code of a member of the group `target`; or GIVEN and SURNAME: `surface`
// is a name of people, target `-` (GIVEN with the flag `weak`: a place that people are named after, "Kenya"). A form
// may stand in several rows: the first is its usual meaning. `flags`, separated by commas:
//   display   the name to show, in that language; every region and group has one in English
//   nomatch   a name to show or to recognise in a query, not one to look for in texts
//   alias     means exactly the target: returned as an alias in Region::names and Group::names
//   any       found in lower case too ("iran"); otherwise the first letter must be upper case where scripts have case
//   caps      found only in upper case or with dots ("US", "U.S.")
//   word      also an English word when written in capitals ("US" in "TELL US"): not found in texts all in capitals
//   hyphen    only before a hyphen ("Russo-")
//   comma     an abbreviation that follows a town: only behind a comma, with its dot or before another comma ("Boston,
//             Mass.")
//   weak      counts less: ambiguous, or says little of the subject; of names, demonyms and subdivisions, only where
//             something else names the region
//   person    part of a person's name ("Michael Jordan"): seen, set aside
//   aside     named, yet says nothing of the subject ("New York Times"): seen, set aside as peripheral
//   each      means all of its targets at once ("the two Koreas"): counts for each, at most eight
//   disputed  claimed by all of its targets ("Kashmir"): counts for those that the text names otherwise, for all of
//             them if it names none; at most eight
//   successor (MEMBER only) while the group lasted, archives file its affairs under this member
// A form that ends in `+` is found with it only, and before the same without ("OPEC+"). A country that was in a group
// more than once has a MEMBER row for each time. A group without members says nothing of any country: all are in the
// United Nations.
//
// Lines that begin with `#` and empty lines are skipped.
//
// An overlay is a file of an operator's own in the same format, laid over the shipped one (docs/gazetteer.md). Its rows
// are the usual meanings of their forms; one of the same form and target (a membership too), and a display name in the
// same language, take the place of the shipped one; words with the target `-` lose all other meanings. It adds groups,
// never countries. One more flag:
//   remove    the shipped rows of this form and target (`*`: whatever target) and kind (empty: all but MEMBER) are not
//             looked for in texts, and are no aliases; with MEMBER, the country is no member of the group
#ifndef DATELINE_CLASSIFIER_SERVICE_GAZETTEER_H_
#define DATELINE_CLASSIFIER_SERVICE_GAZETTEER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace dateline::classifier {

class ScannedText;  // word_scan.h

// What a surface form is to its target.
enum class GazetteerKind : uint8_t {
  kName,          // "Iran", "Islamic Republic of Iran"
  kDemonym,       // "Iranian", "Iranians", "Russo-"
  kCapital,       // "Tehran": the city, and the government by its seat
  kMetonym,       // "Kremlin", "Downing Street"
  kCity,          // "Isfahan"
  kSubdivision,   // "Khuzestan"
  kPlace,         // straits, fields, rivers, mountains, bases
  kLeader,        // heads of state and government, foreign ministers
  kPerson,        // other politicians and commanders
  kOrganisation,  // parties, armed groups, ministries, companies
  kCurrency,      // "rial"
};
inline constexpr int kGazetteerKindCount = 11;

inline constexpr bool IsTown(GazetteerKind kind) {
  return kind == GazetteerKind::kCity || kind == GazetteerKind::kCapital;
}

// "NAME", "DEMONYM", ...: as in the file, and as `Evidence::kind`.
absl::string_view GazetteerKindName(GazetteerKind kind);

// The names of one region or group in one language.
struct GazetteerNames {
  std::string language_code;         // BCP 47.
  std::string display_name;          // Never empty.
  std::vector<std::string> aliases;  // Other names that mean exactly this; sorted.
  // Words for what is of it and for its people, of those that mean it in lower case too; sorted.
  std::vector<std::string> demonyms = {};
};

// A country or territory.
struct GazetteerRegion {
  std::string region_code;
  std::vector<GazetteerNames> names;  // English first, then by language code.
  std::vector<int16_t> groups = {};   // That it is or was a member of: indices into Gazetteer::groups(), in order.
};

// A country's membership in a group. Years are inclusive; 0: unbounded.
struct GazetteerMember {
  std::string region_code;
  int start_year = 0;
  int end_year = 0;
  bool successor = false;  // A historical state's affairs are filed under this country.
  int16_t region = 0;      // The same as `region_code`: index into Gazetteer::regions().
};

// A bloc, a region of the world, or a historical state. Never a country.
struct GazetteerGroup {
  std::string group_id;
  std::vector<GazetteerNames> names;     // English first, then by language code.
  std::vector<GazetteerMember> members;  // By region code.
};

// What a surface form may mean.
struct GazetteerEntry {
  enum Flag : uint16_t {
    kAnyCase = 1,
    kCaps = 2,
    kWord = 4,
    kHyphen = 8,
    kWeak = 16,
    kPersonName = 32,
    kAside = 64,
    kComma = 128,
    kEach = 256,
    kDisputed = 512,
    kPlus = 1024,  // Followed by a plus sign; from the form, not from a flag of the file.
  };
  static constexpr int16_t kNone = -1;
  static constexpr size_t kMaxAtOnce = 8;  // Targets of one form with kEach or kDisputed.

  int16_t region = kNone;  // Index into regions(); or
  int16_t group = kNone;   // index into groups(); neither: the words are to be passed over.
  GazetteerKind kind = GazetteerKind::kName;
  uint16_t flags = 0;     // Of Flag.
  int16_t from_year = 0;  // Inclusive; 0: unbounded.
  int16_t to_year = 0;

  bool has(Flag flag) const { return (flags & flag) != 0; }
};

// One place in a text where a surface form stands: half-open byte offsets on code-point boundaries, and what it may
// mean (one entry, or several where the form is ambiguous: "Congo", "Georgia"). `entries` points into the gazetteer.
struct GazetteerMatch {
  size_t start = 0;
  size_t end = 0;
  absl::Span<const GazetteerEntry> entries;
  bool hyphen_before = false;      // "US-[China]"
  bool hyphen_after = false;       // "[Saudi]-led"
  bool given_name_before = false;  // "Michael [Jordan]"
  bool surname_after = false;      // "[Kenya] Moore"; only of places that people are named after
};

// Immutable and safe to use from any number of threads.
class Gazetteer {
 public:
  // Reads the file, and the overlay if `overlay_path` is not empty. Returns NotFound if there is none, InvalidArgument
  // if a row is not well formed, a member or target is unknown, or a region or group has no English display name: the
  // message is the first problem with path, line and remedy; all are in FieldViolationsOf() (common/error.h), with
  // "PATH:LINE" as fields.
  static absl::StatusOr<std::unique_ptr<Gazetteer>> Load(const std::string& path, const std::string& overlay_path = "");

  // The same for text in memory; `source` stands for the path in messages.
  struct Overlay {
    absl::string_view text;
    absl::string_view source;
  };
  static absl::StatusOr<std::unique_ptr<Gazetteer>> Parse(absl::string_view text, absl::string_view source,
                                                          std::optional<Overlay> overlay = std::nullopt);

  ~Gazetteer();
  Gazetteer(const Gazetteer&) = delete;
  Gazetteer& operator=(const Gazetteer&) = delete;

  // Hash of the file: 16 hex digits; with an overlay, then `+` and the hash of that.
  const std::string& version() const;

  // What is odd about the overlay and yet was taken, "PATH:LINE: what, and what to do" each: a row that stands twice,
  // one that removes nothing. At most 100.
  const std::vector<std::string>& warnings() const;

  const std::vector<GazetteerRegion>& regions() const;  // By region code.
  const std::vector<GazetteerGroup>& groups() const;    // By group id.

  // Null if there is none. Codes are compared as they stand: "IR", "gcc".
  const GazetteerRegion* FindRegion(absl::string_view region_code) const;
  const GazetteerGroup* FindGroup(absl::string_view group_id) const;

  // The display name of a region or group in the language asked for, else in its base language ("fr" for "fr-CA"),
  // else in English. Returns the id itself if it is unknown.
  std::string DisplayName(absl::string_view id, absl::string_view language_code) const;

  // The region or group whose id, display name or alias in any language is exactly `name`, compared without regard to
  // case, diacritics and surrounding space; empty if there is none, or more than one. For publishers' labels and
  // queries; never guesses.
  std::string FindByName(absl::string_view name) const;

  // Finds all surface forms in `text` in one pass, leftmost first and the longest at each place, in time linear in the
  // length of the text whatever it holds. Words are matched whole: possessives, hyphens and clitics of Arabic and
  // Hebrew are no part of them; scripts written without spaces match anywhere. Case decides as the flags say, years do
  // not. Bytes that are not UTF-8 match nothing.
  std::vector<GazetteerMatch> Match(absl::string_view text) const;

  // The same for a text whose words are found already.
  std::vector<GazetteerMatch> Match(const ScannedText& scanned) const;

  // Surface forms that are looked for in texts.
  size_t surface_count() const;

  static constexpr size_t kMaxFileBytes = 64'000'000;
  static constexpr size_t kMaxOverlayBytes = 16'000'000;

 private:
  struct Impl;
  explicit Gazetteer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_GAZETTEER_H_
