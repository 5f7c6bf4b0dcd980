#include "classifier_service/language.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace dateline::classifier {
namespace {

constexpr size_t kMaxBytes = 4000;
constexpr int kMinLetters = 12;       // Fewer letters than this tell nothing.
constexpr int kMinFunctionWords = 2;  // One small word may stand in a name or a quotation.

// The commonest small words of each language in Latin script. Words that several of them share ("de", "la", "en") are
// counted for each, so only the sum decides; frequencies of small words are so uneven that some thirty suffice.
struct Profile {
  const char* language;
  const char* words;
};
constexpr std::array<Profile, 16> kProfiles = {{
    {"en",
     "the of and to in a is that for on with as was by are at from it his he has have this be an not were their which "
     "will but they its or after who been said had would more about than up over what how when why into could may "
     "says"},
    {"fr",
     "le la les de des du et un une en est que qui dans pour pas sur au aux par plus ne ce se sont avec il elle ont "
     "été "
     "cette ses son mais ou leur nous vous être fait comme après selon entre"},
    {"es",
     "el la los las de del y un una en es que por para con no se su al lo como más pero sus le ha este esta fue son "
     "entre sobre también ser muy sin hasta desde está todo según cuando"},
    {"de",
     "der die das und in den von zu mit ist im auf für nicht ein eine dem des sich als auch es an wird hat sie er nach "
     "bei einer aus dass war werden sind noch über wie einem haben wurde zum zur oder aber"},
    {"pt",
     "o a os as de do da dos das e um uma em no na que para com não se por mais ao foi como mas seu sua são pelo pela "
     "nos nas também está ser entre sobre após já ou quando segundo"},
    {"it",
     "il la lo gli le di del della dei delle e un una in che per con non si da al alla dal nel nella sono è anche come "
     "più ma ha questo suo sua dopo tra fra sul sulla stato essere"},
    {"nl",
     "de het een van en in is dat op te zijn met voor niet aan er om ook als bij door naar uit hij zij wordt maar "
     "heeft "
     "over nog worden dit die tot hebben kan deze geen meer"},
    {"tr",
     "ve bir bu için ile da de olarak olan daha çok en gibi kadar sonra ise ancak göre değil var olduğu tarafından "
     "ettiği üzere her ne iki oldu dedi"},
    {"pl",
     "i w na z do się nie że to jest o jak po ale od przez za dla oraz co są jego tym także był która który przy może "
     "być tak już ich czy ze pod"},
    {"sv",
     "och i att det som en på är av för med den till inte har de ett om var men sig från vid kan så eller efter skulle "
     "också när där nu under över mot"},
    {"da",
     "og i at det som en på er af for med den til ikke har de et om var men sig fra ved kan så eller efter også hvor "
     "når blev"},
    {"no",
     "og i at det som en på er av for med den til ikke har de et om var men seg fra ved kan så eller etter også hvor "
     "når ble"},
    {"fi",
     "ja on ei että se oli hän mutta myös kun ovat sen tai joka kuin mukaan jo niin nyt vain ole sekä jos hänen vielä"},
    {"id",
     "yang dan di dengan untuk dari ini itu dalam tidak pada akan ke juga oleh adalah telah ada sebagai mereka bisa "
     "para "
     "karena saat atau kata lebih"},
    {"ro",
     "și în de la cu pe care nu un o este din pentru să mai a fost sunt ale al au prin după dar sau cea ce lui fi ca"},
    {"cs",
     "a se v na je že to s z do o i za po jako ale pro který jsou by od podle která bylo jeho být také k ve byl už"},
}};

const absl::flat_hash_map<std::string, std::vector<int>>& ProfilesOfWord() {
  static const auto* const map = [] {
    auto* words = new absl::flat_hash_map<std::string, std::vector<int>>();
    for (size_t i = 0; i < kProfiles.size(); ++i) {
      for (const absl::string_view word : absl::StrSplit(kProfiles[i].words, ' ', absl::SkipEmpty())) {
        (*words)[word].push_back(static_cast<int>(i));
      }
    }
    return words;
  }();
  return *map;
}

struct Counts {
  int letters = 0;
  int latin = 0;
  int arabic = 0;
  int cyrillic = 0;
  int han = 0;
  int kana = 0;
  int persian_letters = 0;    // Letters Persian and Urdu have and Arabic lacks.
  int urdu_letters = 0;       // Letters of Urdu alone.
  int ukrainian_letters = 0;  // Letters of Ukrainian that Russian lacks.
  int russian_letters = 0;    // Letters of Russian that Ukrainian lacks.
  int serbian_letters = 0;
  // Other scripts that are as good as one language.
  std::array<std::pair<UScriptCode, const char*>, 14> scripts = {{{USCRIPT_HEBREW, "he"},
                                                                  {USCRIPT_GREEK, "el"},
                                                                  {USCRIPT_HANGUL, "ko"},
                                                                  {USCRIPT_DEVANAGARI, "hi"},
                                                                  {USCRIPT_BENGALI, "bn"},
                                                                  {USCRIPT_TAMIL, "ta"},
                                                                  {USCRIPT_TELUGU, "te"},
                                                                  {USCRIPT_THAI, "th"},
                                                                  {USCRIPT_GEORGIAN, "ka"},
                                                                  {USCRIPT_ARMENIAN, "hy"},
                                                                  {USCRIPT_ETHIOPIC, "am"},
                                                                  {USCRIPT_GUJARATI, "gu"},
                                                                  {USCRIPT_KHMER, "km"},
                                                                  {USCRIPT_MYANMAR, "my"}}};
  std::array<int, 14> script_letters = {};
  std::array<int, kProfiles.size()> function_words = {};
  int words = 0;
};

void CountLetter(UChar32 c, Counts& counts) {
  UErrorCode error = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(c, &error);
  ++counts.letters;
  switch (script) {
    case USCRIPT_LATIN:
      ++counts.latin;
      return;
    case USCRIPT_ARABIC:
      ++counts.arabic;
      // Peh, tcheh, jeh, gaf, keheh and Farsi yeh; then tteh, ddal, rreh, noon ghunna, heh goal, yeh barree.
      counts.persian_letters +=
          c == 0x67E || c == 0x686 || c == 0x698 || c == 0x6AF || c == 0x6A9 || c == 0x6CC ? 1 : 0;
      counts.urdu_letters += c == 0x679 || c == 0x688 || c == 0x691 || c == 0x6BA || c == 0x6C1 || c == 0x6D2 ? 1 : 0;
      return;
    case USCRIPT_CYRILLIC:
      ++counts.cyrillic;
      // i, yi, ye, ghe with upturn; yery, e, io, hard sign; dje, lje, nje, tshe, dzhe, je.
      counts.ukrainian_letters += c == 0x456 || c == 0x457 || c == 0x454 || c == 0x491 ? 1 : 0;
      counts.russian_letters += c == 0x44B || c == 0x44D || c == 0x451 || c == 0x44A ? 1 : 0;
      counts.serbian_letters +=
          c == 0x452 || c == 0x459 || c == 0x45A || c == 0x45B || c == 0x45F || c == 0x458 ? 1 : 0;
      return;
    case USCRIPT_HAN:
      ++counts.han;
      return;
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
      ++counts.kana;
      return;
    default:
      for (size_t i = 0; i < counts.scripts.size(); ++i) {
        if (counts.scripts[i].first == script) {
          ++counts.script_letters[i];
          return;
        }
      }
  }
}

void EndWord(std::string& word, Counts& counts) {
  if (word.empty()) {
    return;
  }
  ++counts.words;
  if (const auto it = ProfilesOfWord().find(word); it != ProfilesOfWord().end()) {
    for (const int profile : it->second) {
      ++counts.function_words[static_cast<size_t>(profile)];
    }
  }
  word.clear();
}

void Count(absl::string_view text, Counts& counts) {
  std::string word;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto length = static_cast<int32_t>(std::min(text.size(), kMaxBytes));
  for (int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U8_NEXT(bytes, i, length, c);
    if (c < 0 || !u_isalpha(c)) {
      EndWord(word, counts);
      continue;
    }
    c = u_tolower(c);
    CountLetter(c, counts);
    if (word.size() < 32) {
      std::array<uint8_t, U8_MAX_LENGTH> utf8{};
      int32_t size = 0;
      U8_APPEND_UNSAFE(utf8.data(), size, c);
      word.append(reinterpret_cast<const char*>(utf8.data()), static_cast<size_t>(size));
    }
  }
  EndWord(word, counts);
}

std::string LatinLanguage(const Counts& counts) {
  size_t best = 0;
  int second_count = 0;
  for (size_t i = 1; i < kProfiles.size(); ++i) {
    if (counts.function_words[i] > counts.function_words[best]) {
      second_count = counts.function_words[best];
      best = i;
    } else {
      second_count = std::max(second_count, counts.function_words[i]);
    }
  }
  // In running text a quarter or more of all words are such; a table or a list of names has none.
  const int count = counts.function_words[best];
  if (count < kMinFunctionWords || count == second_count || count * 20 < counts.words) {
    return "und";
  }
  return kProfiles[best].language;
}

}  // namespace

std::string DetectLanguage(absl::string_view title, absl::string_view body) {
  Counts counts;
  Count(title, counts);
  Count(body, counts);
  if (counts.letters < kMinLetters) {
    // Two syllables of Chinese say as much as twelve letters do.
    if (counts.han + counts.kana < 4) {
      return "und";
    }
  }
  const int majority = counts.letters / 2;
  if (counts.latin > majority) {
    return LatinLanguage(counts);
  }
  if (counts.arabic > majority) {
    if (counts.urdu_letters * 40 > counts.arabic) {
      return "ur";
    }
    return counts.persian_letters * 40 > counts.arabic ? "fa" : "ar";
  }
  if (counts.cyrillic > majority) {
    if (counts.serbian_letters > counts.russian_letters && counts.serbian_letters > counts.ukrainian_letters) {
      return "sr";
    }
    return counts.ukrainian_letters > counts.russian_letters ? "uk" : "ru";
  }
  if (counts.han + counts.kana > majority) {
    return counts.kana * 10 > counts.han ? "ja" : "zh";
  }
  for (size_t i = 0; i < counts.scripts.size(); ++i) {
    if (counts.script_letters[i] > majority) {
      return counts.scripts[i].second;
    }
  }
  return "und";
}

std::string BaseLanguage(absl::string_view language_code) {
  const size_t end = language_code.find_first_of("-_");
  return absl::AsciiStrToLower(end == absl::string_view::npos ? language_code : language_code.substr(0, end));
}

}  // namespace dateline::classifier
