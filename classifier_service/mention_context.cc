#include "classifier_service/mention_context.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace dateline::classifier {
namespace {

using WordSet = absl::flat_hash_set<absl::string_view>;

bool IsLower(char c) { return absl::ascii_islower(static_cast<unsigned char>(c)); }
bool IsUpper(char c) { return absl::ascii_isupper(static_cast<unsigned char>(c)); }

// The next word of `text`, which is taken off with the space before it; empty if something else than one space and a
// word follows. Letters and hyphens; bytes beyond ASCII are taken for letters.
absl::string_view TakeWord(absl::string_view& text) {
  if (!absl::ConsumePrefix(&text, " ")) {
    return {};
  }
  size_t end = 0;
  while (end < text.size() && (absl::ascii_isalpha(static_cast<unsigned char>(text[end])) || text[end] == '-' ||
                               static_cast<unsigned char>(text[end]) >= 0x80)) {
    ++end;
  }
  const absl::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// Whether `text` ends with these words, which begin at a word's beginning, in either case of the first letter.
bool EndsWithWords(absl::string_view text, absl::string_view words) {
  if (text.size() < words.size()) {
    return false;
  }
  const absl::string_view end = text.substr(text.size() - words.size());
  if (end.substr(1) != words.substr(1) || absl::ascii_tolower(static_cast<unsigned char>(end[0])) != words[0]) {
    return false;
  }
  return text.size() == words.size() ||
         !absl::ascii_isalnum(static_cast<unsigned char>(text[text.size() - words.size() - 1]));
}

// Whether the last word before the mention ends any of the phrases that are signs below: most are none, and all phrases
// would be compared in vain.
bool MayEndSign(absl::string_view before) {
  static const auto* const kLast =
      new WordSet{"another", "at",   "from", "her", "his",    "in",  "it",    "its",    "like", "my",
                  "near",    "next", "of",   "our", "second", "the", "their", "unlike", "with"};
  if (!absl::ConsumeSuffix(&before, " ")) {
    return false;
  }
  absl::string_view word = before.substr(before.find_last_of(" \n-") + 1);
  std::string lower;
  if (!word.empty() && IsUpper(word.front())) {
    lower = absl::AsciiStrToLower(word);
    word = lower;
  }
  return kLast->contains(word);
}

template <size_t kCount>
bool EndsWithOneOf(absl::string_view text, const std::array<absl::string_view, kCount>& endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](absl::string_view ending) { return EndsWithWords(text, ending); });
}

// Trades and callings in which somebody's nationality is told by the way. Not those of politics, war, crime and
// protest: an Iranian minister, a Russian soldier and a Saudi dissident are their countries' news.
bool IsTrade(absl::string_view word) {
  static const auto* const kTrades =
      new WordSet{"academic",    "actor",         "actress",        "anthropologist", "archaeologist", "architect",
                  "artist",      "astronomer",    "author",         "ballerina",      "baritone",      "bassist",
                  "billionaire", "biochemist",    "biologist",      "biographer",     "boxer",         "cartoonist",
                  "cellist",     "chef",          "chemist",        "choreographer",  "climatologist", "coach",
                  "comedian",    "composer",      "conductor",      "consultant",     "couturier",     "curator",
                  "cyclist",     "dancer",        "defender",       "dentist",        "dermatologist", "designer",
                  "director",    "doctor",        "dramatist",      "drummer",        "ecologist",     "economist",
                  "engineer",    "entrepreneur",  "epidemiologist", "essayist",       "film-maker",    "filmmaker",
                  "financier",   "gallerist",     "geneticist",     "geologist",      "goalkeeper",    "golfer",
                  "guitarist",   "gymnast",       "historian",      "illustrator",    "immunologist",  "inventor",
                  "linguist",    "mathematician", "midfielder",     "millionaire",    "mountaineer",   "musician",
                  "naturalist",  "neurologist",   "neuroscientist", "novelist",       "nurse",         "oceanographer",
                  "painter",     "pediatrician",  "paediatrician",  "philosopher",    "photographer",  "physician",
                  "physicist",   "pianist",       "player",         "playwright",     "poet",          "pope",
                  "printmaker",  "professor",     "programmer",     "psychiatrist",   "psychoanalyst", "psychologist",
                  "publisher",   "pundit",        "rapper",         "researcher",     "restaurateur",  "rower",
                  "runner",      "scholar",       "scientist",      "screenwriter",   "sculptor",      "sailor",
                  "singer",      "skater",        "skier",          "sociologist",    "songwriter",    "soprano",
                  "sprinter",    "striker",       "surgeon",        "surfer",         "swimmer",       "tenor",
                  "theologian",  "theorist",      "translator",     "tycoon",         "veterinarian",  "violinist",
                  "violist",     "virologist",    "virtuoso",       "winemaker",      "winger",        "wrestler",
                  "writer",      "zoologist"};
  return kTrades->contains(word);
}

// Those who are asked for their opinion, whatever it is about.
bool IsExpert(absl::string_view word) {
  static const auto* const kExperts =
      new WordSet{"academic",      "analyst",     "anthropologist", "astronomer",   "biologist",      "chemist",
                  "climatologist", "economist",   "epidemiologist", "expert",       "geologist",      "historian",
                  "immunologist",  "linguist",    "mathematician",  "neurologist",  "neuroscientist", "philosopher",
                  "physicist",     "professor",   "psychiatrist",   "psychologist", "researcher",     "scholar",
                  "scientist",     "sociologist", "theologian",     "virologist"};
  return kExperts->contains(word);
}

// Words for one person from a country that are no adjectives: "a Slovak court" is one of Slovakia's.
bool IsOnePerson(absl::string_view demonym) {
  static const auto* const kPersons =
      new WordSet{"Brit",     "Briton",     "Dane",        "Dutchman", "Dutchwoman", "Englishman", "Englishwoman",
                  "Finn",     "Frenchman",  "Frenchwoman", "Irishman", "Irishwoman", "Pole",       "Scot",
                  "Scotsman", "Scotswoman", "Spaniard",    "Swede",    "Turk",       "Welshman",   "Welshwoman"};
  return kPersons->contains(demonym);
}

// Whether "the ..." may be all of the people: "the Iranians", "the French", "the Chinese".
bool IsOfMany(absl::string_view demonym) {
  if (demonym == "Swiss") {
    return false;
  }
  return absl::EndsWith(demonym, "s") || absl::EndsWith(demonym, "ese") || absl::EndsWith(demonym, "sh") ||
         absl::EndsWith(demonym, "ch");
}

// What one person does: "the Swiss won", but not "the Swiss government", "the Swiss are".
bool IsOnesVerb(absl::string_view word) {
  static const auto* const kVerbs = new WordSet{"beat", "finished", "has", "held", "is",   "leads", "led",
                                                "lost", "scored",   "was", "who",  "wins", "won"};
  return kVerbs->contains(word);
}

bool IsFunctionWord(absl::string_view word) {
  static const auto* const kWords =
      new WordSet{"and", "as", "at", "but",  "by",   "for", "from", "had",  "has",   "if",    "in",  "is",  "lay",
                  "of",  "on", "or", "that", "then", "to",  "was",  "when", "where", "which", "who", "with"};
  return kWords->contains(word);
}

// Whether a name ends the phrase: "another Vietnam." and "the next Greece and", not "another Iran deal".
bool EndsPhrase(absl::string_view after) {
  if (!absl::StartsWith(after, " ")) {
    return !absl::StartsWith(after, "-") && !absl::StartsWith(after, "'") && !absl::StartsWith(after, "’");
  }
  const absl::string_view word = TakeWord(after);
  return word.empty() || IsFunctionWord(word);
}

// Countries that many write with an article, or that it belongs to.
bool TakesArticle(absl::string_view name) {
  static const auto* const kNames = new WordSet{
      "Bahamas",     "Cameroon", "Cameroons", "Comoros",     "Congo",       "Crimea",     "Emirates", "Gambia",
      "Ivory Coast", "Lebanon",  "Maldives",  "Netherlands", "Philippines", "Seychelles", "Sudan",    "UAE",
      "UK",          "US",       "USA",       "USSR",        "Ukraine",     "Vatican",    "Yemen"};
  return kNames->contains(name) || absl::StrContains(name, ' ') || absl::StrContains(name, '.');
}

// What follows the name of a place in the names of its institutions and events, which do stand for it; and days ("in
// Kabul Tuesday").
bool IsOfAPlace(absl::string_view word) {
  static const auto* const kWords =
      new WordSet{"Accord",         "Accords",       "Affairs",    "Agreement",   "Air",
                  "Airlines",       "Airport",       "Airways",    "April",       "Army",
                  "Assembly",       "Association",   "August",     "Authority",   "Bank",
                  "Basin",          "Border",        "Central",    "Chamber",     "City",
                  "Coast",          "Commission",    "Committee",  "Communist",   "Congress",
                  "Constitutional", "Council",       "County",     "Coup",        "Court",
                  "Cricket",        "Crisis",        "Cup",        "Deal",        "December",
                  "Declaration",    "Defence",       "Defense",    "Democratic",  "Department",
                  "Development",    "District",      "Doctors",    "Earthquake",  "East",
                  "Economic",       "Election",      "Elections",  "Electoral",   "Electricity",
                  "Embassy",        "Exchange",      "February",   "Federation",  "Football",
                  "Foreign",        "Friday",        "Games",      "Gas",         "General",
                  "Government",     "Governor",      "High",       "Human",       "Institute",
                  "Interior",       "International", "Investment", "Islamic",     "Island",
                  "Islands",        "January",       "July",       "June",        "King",
                  "Labor",          "Labour",        "Liberation", "March",       "May",
                  "Mayor",          "Medical",       "Mining",     "Minister",    "Ministry",
                  "Monday",         "Monetary",      "National",   "Nationalist", "Navy",
                  "North",          "November",      "Nuclear",    "October",     "Oil",
                  "Olympic",        "Olympics",      "Open",       "Parliament",  "Party",
                  "Peace",          "Peninsula",     "People",     "Petroleum",   "Police",
                  "Port",           "Power",         "President",  "Prime",       "Prince",
                  "Province",       "Public",        "Queen",      "Radio",       "Railways",
                  "Region",         "Republic",      "Reserve",    "Revenue",     "Revolution",
                  "River",          "Saturday",      "School",     "Secretary",   "Security",
                  "Senator",        "September",     "Socialist",  "South",       "State",
                  "Stock",          "Strategic",     "Strip",      "Students",    "Summit",
                  "Sunday",         "Supreme",       "Symphony",   "Task",        "Teachers",
                  "Technical",      "Telecom",       "Television", "Territory",   "Thursday",
                  "Tourism",        "Treaty",        "Tuesday",    "Union",       "University",
                  "Valley",         "War",           "Water",      "Wednesday",   "West",
                  "Women",          "Workers"};
  return kWords->contains(word);
}

bool IsPlaceName(GazetteerKind kind) {
  return kind == GazetteerKind::kName || kind == GazetteerKind::kCapital || kind == GazetteerKind::kCity ||
         kind == GazetteerKind::kSubdivision || kind == GazetteerKind::kPlace;
}

// "US", "UK", "U.S."
bool IsAbbreviation(absl::string_view name) { return std::none_of(name.begin(), name.end(), IsLower); }

// "Bombay-born", "born in Ethiopia", "London-based". Not "Somalia-based militants", nor "half of them were born in
// Gaza".
bool IsOrigin(const GazetteerEntry& entry, const MentionContext& context, bool may_end_sign) {
  absl::string_view after = context.after;
  if (absl::ConsumePrefix(&after, "-")) {
    for (const absl::string_view origin : {"born", "bred", "educated", "raised", "trained"}) {
      if (absl::StartsWith(after, origin)) {
        return true;
      }
    }
    return absl::StartsWith(after, "based") && (IsTown(entry.kind) || IsAbbreviation(context.words));
  }
  if (!may_end_sign) {
    return false;
  }
  constexpr std::array<absl::string_view, 3> kOrigins = {"born in ", "born and raised in ", "native of "};
  return (EndsWithOneOf(context.before, kOrigins) && !absl::EndsWith(context.before, "were born in ")) ||
         (IsTown(entry.kind) && EndsWithWords(context.before, "based in "));
}

// The last word of `text`, without the space behind it.
absl::string_view LastWord(absl::string_view text) {
  text = absl::StripTrailingAsciiWhitespace(text);
  return text.substr(text.find_last_of(" \n-") + 1);
}

// "coalition talks in Berlin" are about Germany.
bool IsHome(absl::string_view attribute) {
  static const auto* const kWords =
      new WordSet{"budget", "Budget", "cabinet", "coalition", "Coalition", "party", "pay", "strike"};
  return kWords->contains(attribute);
}

// "reporters in Geneva", "at a conference in Singapore", "economists in Chicago": a town in which others met to speak
// of something else, or where somebody works who is asked. Talks in a country are mostly its own.
bool IsVenue(const GazetteerEntry& entry, const MentionContext& context) {
  absl::string_view before = context.before;
  const bool is_town = IsTown(entry.kind);
  if (EndsWithWords(before, "visiting from ")) {
    return true;
  }
  // A state's university is news of the state.
  if (EndsWithWords(before, "university of ")) {
    return entry.kind != GazetteerKind::kSubdivision;
  }
  const bool is_placed = absl::ConsumeSuffix(&before, " in ") || absl::ConsumeSuffix(&before, " at ") ||
                         absl::ConsumeSuffix(&before, " near ");
  if (!is_placed) {
    return false;
  }
  absl::string_view noun = before.substr(before.find_last_of(" \n-") + 1);
  static const auto* const kVenues = new WordSet{
      "auditorium",   "congress",     "conference", "conferences", "fair",      "forum",        "gathering",
      "headquarters", "interview",    "meeting",    "meetings",    "met",       "retreat",      "seminar",
      "speaking",     "Speaking",     "speech",     "spoke",       "spokesman", "spokesperson", "spokeswoman",
      "summit",       "symposium",    "talks",      "tribunal",    "workshop",  "Conference",   "Congress",
      "Forum",        "Headquarters", "Meeting",    "Summit"};
  const absl::string_view attribute = LastWord(before.substr(0, before.size() - noun.size()));
  if (kVenues->contains(noun) && (is_town || noun == "summit" || noun == "Summit")) {
    return !IsHome(attribute);
  }
  const bool is_press = noun == "reporters" || noun == "journalists";
  if (is_press) {
    return absl::EndsWith(before, absl::StrCat("told ", noun));
  }
  absl::ConsumeSuffix(&noun, "s");
  const std::string lower = absl::AsciiStrToLower(noun);  // "Economists in Chicago"
  return is_town && IsExpert(lower);
}

// "Jordan, 34, a plumber", "Jordan scored 40 points", "Chad, a software engineer": somebody who is called so.
bool IsGivenName(const MentionContext& context) {
  absl::string_view after = context.after;
  const auto is_digit = [&after](size_t i) {
    return i < after.size() && absl::ascii_isdigit(static_cast<unsigned char>(after[i]));
  };
  const bool is_apposition = absl::ConsumePrefix(&after, ", ");
  if (is_apposition && is_digit(0) && is_digit(1) && after.size() > 2 && after[2] == ',') {
    return true;
  }
  static const auto* const kNames = new WordSet{"Chad", "Georgia", "Israel", "Jordan", "Kenya", "Paris", "Sydney"};
  if (!kNames->contains(context.words)) {
    return false;
  }
  if (!is_apposition) {
    static const auto* const kVerbs =
        new WordSet{"dribbled", "grinned", "married", "nodded", "sang", "texted", "tweeted", "whispered"};
    const absl::string_view verb = TakeWord(after);
    return kVerbs->contains(verb) || (verb == "scored" && is_digit(1));
  }
  if (!absl::ConsumePrefix(&after, "a")) {
    return false;
  }
  absl::ConsumePrefix(&after, "n");
  for (absl::string_view word = TakeWord(after); !word.empty() && IsLower(word.front()); word = TakeWord(after)) {
    if (IsTrade(word)) {
      return word != "player";
    }
  }
  return false;
}

// Whether what follows is news of a state and one of its own: an Iranian rapper who is jailed is Iran's affair.
bool IsPersecuted(absl::string_view after) {
  for (const absl::string_view sign :
       {"sentenced", "jail", "prison", "arrest", "detain", "kill", "execut", "charged", "convict", "tortur", "murder",
        "air strike", "expelled", "exile", "raped", "persecut"}) {
    if (absl::StrContains(after, sign)) {
      return true;
    }
  }
  return false;
}

// "a Swiss dermatologist", "the Italian film director", "the 41-year-old Fijian", "the Spaniard", "the Mexican, known".
// Not "is a Swiss painter", as works of reference introduce the subject.
bool IsPerson(const MentionContext& context) {
  constexpr std::array<absl::string_view, 4> kIntroductions = {"is a ", "is an ", "was a ", "was an "};
  if (EndsWithOneOf(context.before, kIntroductions)) {
    return false;
  }
  if (IsOnePerson(context.words)) {
    return true;
  }
  absl::string_view after = context.after;
  const bool is_aged = absl::EndsWith(context.before, "-year-old ");
  const bool may_be_one = is_aged || (EndsWithWords(context.before, "the ") && !IsOfMany(context.words));
  if (may_be_one && absl::StartsWith(after, ",")) {
    return true;
  }
  if ((is_aged || EndsWithWords(context.before, "ethnic ")) && EndsPhrase(after)) {
    return true;
  }
  absl::string_view word = TakeWord(after);
  if (may_be_one && IsOnesVerb(word)) {
    return true;
  }
  for (int i = 0; i < 2 && !word.empty() && IsLower(word.front()); ++i) {
    if (IsTrade(word)) {
      return true;
    }
    word = TakeWord(after);
  }
  return false;
}

// "the Switzerland of Central America", "another Vietnam", "unlike Athens", "the size of Belgium", "aboard the Norway".
bool IsFigure(const GazetteerEntry& entry, const MentionContext& context) {
  constexpr std::array<absl::string_view, 7> kComparisons = {
      "unlike ", "the size of ", "call it ", "calls it ", "called it ", "compared with ", "reminiscent of "};
  constexpr std::array<absl::string_view, 9> kOthers = {"another ", "the next ", "a second ", "our ",  "my ",
                                                        "his ",     "her ",      "its ",      "their "};
  if (EndsWithOneOf(context.before, kComparisons)) {
    return true;
  }
  // "looks like Greece"; but not "Like Greece, few states", nor "a place like Eritrea".
  if (absl::EndsWith(context.before, " like ") && !absl::EndsWith(context.before, "place like ") &&
      !absl::EndsWith(context.before, "thing like ")) {
    return true;
  }
  if (EndsWithOneOf(context.before, kOthers)) {
    return EndsPhrase(context.after);
  }
  if (entry.kind != GazetteerKind::kName) {
    return EndsWithWords(context.before, "the ") && absl::StartsWith(context.after, " of ");
  }
  return EndsWithWords(context.before, "the ") && !TakesArticle(context.words) && EndsPhrase(context.after);
}

// "Denmark Vesey", "Poland Spring": the name of somebody or something else. Abbreviations stand before any name ("the
// US Census Bureau").
bool IsPartOfName(const MentionContext& context) {
  if (absl::StartsWith(context.words, "United ") || std::none_of(context.words.begin(), context.words.end(), IsLower)) {
    return false;
  }
  absl::string_view after = context.after;
  const absl::string_view word = TakeWord(after);
  if (word.size() < 3 || !IsUpper(word.front()) || !IsLower(word[1]) || IsOfAPlace(word)) {
    return false;
  }
  // "Uganda Law Society" is one of Uganda's.
  const absl::string_view next = TakeWord(after);
  return next.empty() || !IsUpper(next.front());
}

}  // namespace

MentionContext ContextOf(absl::string_view text, size_t start, size_t end) {
  const size_t from = start - std::min(start, kContextBytes);
  return {text.substr(from, start - from), text.substr(start, end - start), text.substr(end, kContextBytes)};
}

bool IsRelation(absl::string_view after) {
  for (const absl::string_view word :
       {"relation",      "talk",        "tie",         "deal",       "war",    "allianc", "trade",   "agreement",
        "summit",        "cooperation", "conflict",    "negotiat",   "treaty", "pact",    "tension", "rivalry",
        "border",        "dialogue",    "partnership", "friendship", "accord", "détente", "diploma", "confrontation",
        "rapprochement", "military",    "strategic",   "axis",       "dispute"}) {
    if (absl::StartsWith(after, word)) {
      return true;
    }
  }
  return false;
}

bool IsWork(absl::string_view after) {
  if (!absl::ConsumePrefix(&after, ", the ")) {
    return false;
  }
  for (const absl::string_view work :
       {"film", "movie", "band", "novel", "album", "song", "musical", "magazine", "racehorse", "rapper", "singer"}) {
    if (absl::ConsumePrefix(&after, work)) {
      const absl::string_view next = TakeWord(after);
      return (next.empty() && !absl::StartsWith(after, " ")) || IsFunctionWord(next) || next == "about" ||
             next == "starring" || next == "directed";
    }
  }
  return false;
}

bool StandsAsTown(const MentionContext& context) {
  absl::string_view before = context.before;
  if (!absl::EndsWith(before, " ")) {
    return false;
  }
  before = absl::StripTrailingAsciiWhitespace(before);
  const absl::string_view word = before.substr(before.find_last_of(" \n") + 1);
  for (const absl::string_view preposition : {"in", "In", "near", "Near", "from", "From", "at", "outside", "around"}) {
    if (word == preposition) {
      return true;
    }
  }
  const bool in_sentence = !word.empty() && IsLower(word.front());
  const bool in_list = absl::EndsWith(word, ",");
  const bool name_goes_on = context.after.size() > 1 && context.after[0] == ' ' && IsUpper(context.after[1]);
  return (in_sentence || in_list) && !absl::EndsWith(word, ".") && !name_goes_on;
}

bool IsCurrency(const MentionContext& context) {
  static const auto* const kUnits = new WordSet{
      "baht", "cent", "dinar",   "dirham", "dollar", "franc", "krona", "krone",  "lira",     "naira", "peso", "pound",
      "rand", "rial", "ringgit", "riyal",  "rouble", "ruble", "rupee", "rupiah", "shilling", "yen",   "yuan"};
  absl::string_view after = context.after;
  const absl::string_view word = absl::StripSuffix(TakeWord(after), "s");
  return !word.empty() && IsLower(word.front()) && kUnits->contains(word);
}

bool NameGoesOn(const MentionContext& context) {
  absl::string_view after = context.after;
  const absl::string_view joint = TakeWord(after);
  if (joint != "de" && joint != "del" && joint != "du" && joint != "des") {
    return false;
  }
  absl::string_view name = TakeWord(after);
  if (name == "la" || name == "las" || name == "los" || name == "el") {
    name = TakeWord(after);
  }
  return !name.empty() && IsUpper(name.front());
}

SetAside DoubtOf(const GazetteerEntry& entry, const MentionContext& context, bool capitals_are_names) {
  const bool is_demonym = entry.kind == GazetteerKind::kDemonym;
  // Of weak towns the words around them told already that they are meant; parties and companies mean themselves.
  if (entry.has(GazetteerEntry::kWeak) && !entry.has(GazetteerEntry::kDisputed) &&
      (is_demonym || entry.kind == GazetteerKind::kName || entry.kind == GazetteerKind::kSubdivision)) {
    return SetAside::kPeripheral;
  }
  if (!is_demonym && !IsPlaceName(entry.kind)) {
    return SetAside::kNone;
  }
  const bool may_end_sign = MayEndSign(context.before);
  if (IsOrigin(entry, context, may_end_sign) ||
      (is_demonym ? IsPerson(context) && !IsPersecuted(context.after) : may_end_sign && IsFigure(entry, context))) {
    return SetAside::kPeripheral;
  }
  if (!is_demonym && may_end_sign && capitals_are_names && IsVenue(entry, context)) {
    return SetAside::kPeripheral;
  }
  if (!is_demonym && IsGivenName(context)) {
    return SetAside::kPersonName;
  }
  const bool is_name =
      !is_demonym && capitals_are_names && entry.kind != GazetteerKind::kPlace && IsPartOfName(context);
  return is_name ? SetAside::kPersonName : SetAside::kNone;
}

}  // namespace dateline::classifier
