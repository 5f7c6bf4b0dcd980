#include "extraction/charset.h"

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/text.h"
#include "extraction/extraction.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using ::dateline::testing::IsOk;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Utf16(absl::string_view ascii, bool big_endian, bool mark) {
  std::string out = !mark ? "" : big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : ascii) {
    out.append(big_endian ? std::string({'\0', c}) : std::string({c, '\0'}));
  }
  return out;
}

TEST(DecodeTextTest, ReadsUtf8AsItIs) {
  const DecodedText decoded = DecodeText("Z\xC3\xBCrich", "");
  EXPECT_EQ(decoded.text, "Zürich");
  EXPECT_EQ(decoded.charset, "utf-8");
  EXPECT_THAT(decoded.warnings, IsEmpty());
}

TEST(DecodeTextTest, AByteOrderMarkWins) {
  EXPECT_EQ(DecodeText("\xEF\xBB\xBFZ\xC3\xBCrich", "windows-1252").text, "Zürich");
  EXPECT_EQ(DecodeText(Utf16("Zurich", false, true), "utf-8").text, "Zurich");
  EXPECT_EQ(DecodeText(Utf16("Zurich", true, true), "").text, "Zurich");
}

TEST(DecodeTextTest, ReadsUtf16WithoutAMark) {
  EXPECT_EQ(DecodeText(Utf16("The harbour and its fence", false, false), "").text, "The harbour and its fence");
  EXPECT_EQ(DecodeText(Utf16("The harbour and its fence", true, false), "").text, "The harbour and its fence");
}

TEST(DecodeTextTest, ReadsUtf16OfOtherScriptsWithoutAMark) {
  for (const std::u16string text : {u"Правительство рассмотрело новый законопроект о портах.",
                                    u"قالت الوزارة في بيان لها اليوم إن المفاوضات سوف تستأنف، وإن"}) {
    for (const bool big_endian : {false, true}) {
      std::string bytes;
      for (const char16_t unit : text) {
        const auto high = static_cast<char>(unit >> 8);
        const auto low = static_cast<char>(unit & 0xFF);
        bytes.append({big_endian ? high : low, big_endian ? low : high});
      }
      EXPECT_FALSE(IsBinary(bytes));
      EXPECT_EQ(DecodeText(bytes, "").charset, big_endian ? "utf-16be" : "utf-16le");
      EXPECT_TRUE(IsUtf16(bytes));
    }
  }
}

TEST(DecodeTextTest, NumbersOfTwoBytesAreNoUtf16) {
  std::string sound;  // A wave, 16 bits a sample.
  for (int i = 0; i < 1000; ++i) {
    const int sample = (i * i % 97 - 48) * (i % 50);
    sound.append({static_cast<char>(sample & 0xFF), static_cast<char>(sample >> 8 & 0xFF)});
  }
  EXPECT_FALSE(IsUtf16(sound));
  EXPECT_TRUE(IsBinary(sound));
}

TEST(DecodeTextTest, ReadsWhatTheServerDeclares) {
  EXPECT_EQ(DecodeText("Z\xFCrich \x93quoted\x94", "windows-1252").text, "Zürich “quoted”");
  EXPECT_EQ(DecodeText("Z\xFCrich \x93quoted\x94", "ISO-8859-1").text, "Zürich “quoted”") << "as browsers do";
  EXPECT_EQ(DecodeText("\xEE\xCF\xD7\xCF\xD3\xD4\xC9", "koi8-r").text, "Новости");
  EXPECT_EQ(DecodeText("\x93\xFA\x96\x7B", "Shift_JIS").text, "日本");
  EXPECT_EQ(DecodeText("\xD6\xD0\xB9\xFA", "gb2312").text, "中国");
}

TEST(DecodeTextTest, ReadsEveryCharsetThatPublishersUse) {
  struct Case {
    const char* charset;
    absl::string_view bytes;
    const char* text;
  };
  for (const Case& c : std::initializer_list<Case>{{"windows-1252",
                                                    "\x80 5 \x96 na\xEF"
                                                    "ve \x85",
                                                    "€ 5 – naïve …"},
                                                   {"iso-8859-1", "\xC5rhus, S\xF8r", "Århus, Sør"},
                                                   {"iso-8859-2", "\xA3\xF3\x64\xBC \xE8\x65sky", "Łódź česky"},
                                                   {"iso-8859-5", "\xBC\xDE\xE1\xDA\xD2\xD0", "Москва"},
                                                   {"iso-8859-6", "\xC7\xE4\xD3\xE4\xC7\xE5", "السلام"},
                                                   {"iso-8859-7", "\xC1\xE8\xDE\xED\xE1", "Αθήνα"},
                                                   {"iso-8859-8", "\xF9\xEC\xE5\xED", "שלום"},
                                                   {"iso-8859-9", "\xDDstanbul", "İstanbul"},
                                                   {"iso-8859-15", "12 \xA4", "12 €"},
                                                   {"windows-1251", "\xCA\xE8\xBF\xE2", "Київ"},
                                                   {"windows-1256", "\xC8\xDB\xCF\xC7\xCF", "بغداد"},
                                                   {"koi8-r", "\xF0\xD2\xC1\xD7\xC4\xC1", "Правда"},
                                                   {"koi8-u", "\xEB\xC9\xA7\xD7", "Київ"},
                                                   {"shift_jis", "\x90\x56\x95\xB7", "新聞"},
                                                   {"euc-jp", "\xBF\xB7\xCA\xB9", "新聞"},
                                                   {"euc-kr", "\xBD\xC5\xB9\xAE", "신문"},
                                                   {"big5", "\xB7\x73\xBB\x44", "新聞"},
                                                   {"gb18030", "\xD0\xC2\xCE\xC5 \x81\x30\x84\x36", "新闻 ¥"},
                                                   {"gbk", "\xD0\xC2\xCE\xC5", "新闻"}}) {
    const DecodedText decoded = DecodeText(c.bytes, c.charset);
    EXPECT_EQ(decoded.text, c.text) << c.charset;
    EXPECT_THAT(decoded.warnings, IsEmpty()) << c.charset;
  }
}

TEST(DecodeTextTest, RepairsWhatWasEncodedTwiceOver) {
  // "It’s the café’s – “only” – façade", each of its bytes above ASCII taken for a character of Windows-1252.
  const DecodedText decoded =
      DecodeText("It\u00E2\u20AC\u2122s the caf\u00C3\u00A9\u00E2\u20AC\u2122s fa\u00C3\u00A7ade", "");
  EXPECT_EQ(decoded.text, "It’s the café’s façade");
  EXPECT_THAT(decoded.warnings, Contains(HasSubstr("twice over")));
}

TEST(DecodeTextTest, LeavesTextAloneThatOnlyMayHaveBeenEncodedTwice) {
  for (const char* text :
       {"Le ch\u00E2teau de S\u00C3O PAULO",                                       // Their own â and Ã.
        "A price of 5\u00C2\u00A0000 once",                                        // One sequence is not enough.
        "\u00C3\u00A9 \u00C3\u00A9 \u00C3\u00A9 in a text on encodings: \u00C3!",  // One Ã stands for itself.
        "Das Gr\u00F6\u00DFte: \u00FCber \u00E4hnliches"}) {
    const DecodedText decoded = DecodeText(text, "");
    EXPECT_EQ(decoded.text, text);
    EXPECT_THAT(decoded.warnings, IsEmpty());
  }
}

// Each of the bytes of UTF-8 was taken for a character of another charset: Windows-1251, KOI8-R, Windows-1252, …
TEST(DecodeTextTest, RepairsOtherScriptsThatWereEncodedTwiceOver) {
  struct Case {
    const char* damaged;
    const char* text;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"РџСЂР°РІРёС‚РµР»СЊСЃС‚РІРѕ Р\u00A0РѕСЃСЃРёРё СЂР°СЃСЃРјРѕС‚СЂРµР»Рѕ РЅРѕРІС‹Р№ Р·Р°РєРѕРЅРѕРїСЂРѕРµРєС‚. "
            "Р\u0098СЂР°РЅ Рё В«Р“Р°Р·РїСЂРѕРјВ» РјРѕР»С‡Р°С‚.",
            "Правительство России рассмотрело новый законопроект. Иран и «Газпром» молчат."},
           {"п÷я─п╟п╡п╦я┌п╣п╩я▄я│я┌п╡п╬ п═п╬я│я│п╦п╦ я─п╟я│я│п╪п╬я┌я─п╣п╩п╬ п╫п╬п╡я▀п╧ п╥п╟п╨п╬п╫п╬п©я─п╬п╣п╨я┌. "
            "п≤я─п╟п╫ п╦ б╚п⌠п╟п╥п©я─п╬п╪б╩ п╪п╬п╩я┤п╟я┌.",
            "Правительство России рассмотрело новый законопроект. Иран и «Газпром» молчат."},
           {"ÐŸÑ€Ð°Ð²Ð¸Ñ‚ÐµÐ»ÑŒÑ\u0081Ñ‚Ð²Ð¾ Ð\u00A0Ð¾Ñ\u0081Ñ\u0081Ð¸Ð¸ Ñ€Ð°Ñ\u0081Ñ\u0081Ð¼Ð¾Ñ‚Ñ€ÐµÐ»Ð¾ Ð½Ð¾Ð²Ñ‹Ð¹ "
            "Ð·Ð°ÐºÐ¾Ð½Ð¾Ð¿Ñ€Ð¾ÐµÐºÑ‚. Ð˜Ñ€Ð°Ð½ Ð¸ Â«Ð“Ð°Ð·Ð¿Ñ€Ð¾Ð¼Â» Ð¼Ð¾Ð»Ñ‡Ð°Ñ‚.",
            "Правительство России рассмотрело новый законопроект. Иран и «Газпром» молчат."},
           {"ظ‚ط§ظ„طھ ط§ظ„ظˆط²ط§ط±ط© ظپظٹ ط¨ظٹط§ظ† ظ„ظ‡ط§ ط§ظ„ظٹظˆظ… ط¥ظ† ط§ظ„ظ…ظپط§ظˆط¶ط§طھ ط³ظˆظپ طھط³طھط£ظ†ظپطŒ "
            "ظˆط¥ظ† ط§ظ„ط·ط±ظپظٹظ† ط§طھظپظ‚ط§.",
            "قالت الوزارة في بيان لها اليوم إن المفاوضات سوف تستأنف، وإن الطرفين اتفقا."},
           {"Ù‚Ø§Ù„Øª Ø§Ù„ÙˆØ²Ø§Ø±Ø© Ù\u0081ÙŠ Ø¨ÙŠØ§Ù† Ù„Ù‡Ø§ Ø§Ù„ÙŠÙˆÙ… Ø¥Ù† Ø§Ù„Ù…Ù\u0081Ø§ÙˆØ¶Ø§Øª Ø³ÙˆÙ\u0081 "
            "ØªØ³ØªØ£Ù†Ù\u0081ØŒ ÙˆØ¥Ù† Ø§Ù„Ø·Ø±Ù\u0081ÙŠÙ† Ø§ØªÙ\u0081Ù‚Ø§.",
            "قالت الوزارة في بيان لها اليوم إن المفاوضات سوف تستأنف، وإن الطرفين اتفقا."},
           {"Ξ— ΞΊΟ…Ξ²Ξ\u00ADΟ\u0081Ξ½Ξ·ΟƒΞ· ΟƒΟ…Ξ¶Ξ®Ο„Ξ·ΟƒΞµ Ο‡ΞΈΞµΟ‚ Ο„ΞΏ Ξ½Ξ\u00ADΞΏ Ξ½ΞΏΞΌΞΏΟƒΟ‡Ξ\u00ADΞ΄ΞΉΞΏ "
            "Ξ³ΞΉΞ± Ο„Ξ± Ξ»ΞΉΞΌΞ¬Ξ½ΞΉΞ±.",
            "Η κυβέρνηση συζήτησε χθες το νέο νομοσχέδιο για τα λιμάνια."},
           {"Î— ÎºÏ…Î²Î\u00ADÏ\u0081Î½Î·ÏƒÎ· ÏƒÏ…Î¶Î®Ï„Î·ÏƒÎµ Ï‡Î¸ÎµÏ‚ Ï„Î¿ Î½Î\u00ADÎ¿ Î½Î¿Î¼Î¿ÏƒÏ‡Î\u00ADÎ´Î¹Î¿ "
            "Î³Î¹Î± Ï„Î± Î»Î¹Î¼Î¬Î½Î¹Î±.",
            "Η κυβέρνηση συζήτησε χθες το νέο νομοσχέδιο για τα λιμάνια."},
       }) {
    const DecodedText decoded = DecodeText(absl::StrCat("<p>", c.damaged, " — ©</p>"), "");
    EXPECT_EQ(decoded.text, absl::StrCat("<p>", c.text, " — ©</p>"));
    EXPECT_THAT(decoded.warnings, Contains(HasSubstr("twice over")));
  }
}

TEST(DecodeTextTest, LeavesOtherScriptsAloneThatOnlyMayHaveBeenEncodedTwice) {
  for (const char* text : {"РџСЂРёРІРµС‚, as such text looks, in an article on encodings",  // A word is not enough.
                           "Вместо «Привет» читатель видел «РџСЂРёРІРµС‚РџСЂРёРІРµС‚РџСЂРёРІРµС‚РџСЂРёРІРµС‚».",
                           "Р. С. Иванов, С» и Р°: так бывает; Ростов, Самара, С…", "ط¨ط§ ظ… وسط، ظلم",
                           "Ξένος · Οίκος «ΝΑΤΟ» ΟΞ", "Ørsted og Ù í Ðorð, Ñandú, Île, Ï"}) {
    const DecodedText decoded = DecodeText(text, "");
    EXPECT_EQ(decoded.text, text);
    EXPECT_THAT(decoded.warnings, IsEmpty());
  }
}

TEST(DecodeTextTest, ReadsWhatThePageDeclares) {
  EXPECT_EQ(DecodeText("<meta charset=\"windows-1251\"><p>\xCD\xEE\xE2\xEE\xF1\xF2\xE8", "").charset, "windows-1251");
  EXPECT_THAT(DecodeText("<meta http-equiv='Content-Type' content='text/html; charset=iso-8859-2'>\xB1\xE6", "").text,
              HasSubstr("ąć"));
  EXPECT_THAT(DecodeText("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>", "").text, HasSubstr("é"));
}

TEST(DecodeTextTest, BytesThatAreUtf8AreReadSoWhateverIsDeclared) {
  const DecodedText decoded = DecodeText("Z\xC3\xBCrich", "windows-1252");
  EXPECT_EQ(decoded.text, "Zürich");
  EXPECT_THAT(decoded.warnings, Contains(HasSubstr("the bytes are UTF-8")));
}

TEST(DecodeTextTest, DetectsWhatIsNotDeclared) {
  // Russian prose in KOI8-R: letters only, enough of them to tell.
  std::string koi8;
  for (int i = 0; i < 20; ++i) {
    koi8 +=
        "\xF0\xD2\xC1\xD7\xC9\xD4\xC5\xCC\xD8\xD3\xD4\xD7\xCF \xD2\xC1\xD3\xD3\xCD\xCF\xD4\xD2\xC5\xCC\xCF "
        "\xDA\xC1\xCB\xCF\xCE\xCF\xD0\xD2\xCF\xC5\xCB\xD4. ";
  }
  const DecodedText decoded = DecodeText(koi8, "");
  EXPECT_THAT(decoded.text, HasSubstr("Правительство рассмотрело законопроект"));
  EXPECT_THAT(decoded.warnings, Contains(HasSubstr("not declared")));
}

TEST(DecodeTextTest, DamagedUtf8IsRepairedWithAWarning) {
  const DecodedText decoded = DecodeText("Z\xC3\xBCrich und K\xC3\xB6ln, dazu \xFF und \xC3", "utf-8");
  EXPECT_EQ(decoded.text, "Zürich und Köln, dazu \xEF\xBF\xBD und ") << "the end is dropped, the middle marked";
  EXPECT_TRUE(common::IsValidUtf8(decoded.text));
  EXPECT_THAT(decoded.warnings, Contains(HasSubstr("2 sequences")));
}

TEST(DecodeTextTest, UnknownNamesAreIgnoredWithAWarning) {
  for (const char* name : {"klingon-8", "utf-7", "x\"y"}) {
    const DecodedText decoded = DecodeText("Z\xC3\xBCrich", name);
    EXPECT_EQ(decoded.text, "Zürich") << name;
  }
  EXPECT_THAT(DecodeText("Zurich", "klingon-8").warnings, Contains(HasSubstr("klingon-8")));
}

TEST(DecodeTextTest, EveryByteStringGivesValidUtf8) {
  for (const char* declared :
       {"", "utf-8", "utf-16", "windows-1252", "shift_jis", "gb18030", "iso-2022-jp", "euc-jp", "big5"}) {
    std::string bytes;
    for (int i = 0; i < 3000; ++i) {
      bytes.push_back(static_cast<char>((i * 31 + i / 7) % 256));
      if (i % 100 == 0) {
        EXPECT_TRUE(common::IsValidUtf8(DecodeText(bytes, declared).text)) << declared << " " << i;
      }
    }
  }
}

TEST(IsBinaryTest, TellsTextFromOtherFiles) {
  EXPECT_TRUE(IsBinary("%PDF-1.4 text follows"));
  EXPECT_TRUE(IsBinary("\x1F\x8B\x08 gzip"));
  EXPECT_TRUE(IsBinary(absl::string_view("PK\x03\x04zip", 7)));
  EXPECT_FALSE(IsBinary("MM is how the memo began."));
  EXPECT_FALSE(IsBinary("RIFF means a short repeated phrase in music."));
  EXPECT_FALSE(IsBinary("BZhello"));
  EXPECT_FALSE(IsBinary(Utf16("The harbour and its fence", false, false)));
  EXPECT_FALSE(IsBinary("\x93\xFA\x96\x7B\x82\xCC\x90V\x95\xB7"));
}

TEST(ExtractCharsetTest, PagesInOtherCharsetsComeOutAsUtf8) {
  const std::string sentence =
      "The caf\xE9 on the quay has served its last guests, and its owner has moved to the capital for good.";
  const absl::StatusOr<Extraction> extraction =
      Extract({.content = absl::StrCat("<h1>Caf\xE9</h1><p>", sentence, "</p><p>", sentence, " Again.</p>"),
               .media_type = "text/html; charset=iso-8859-1"});
  ASSERT_THAT(extraction, IsOk());
  EXPECT_THAT(extraction->article.body, HasSubstr("The café on the quay"));
}

TEST(ExtractCharsetTest, TextComesOutComposedAndFromRightToLeftAsItStands) {
  const std::string arabic =
      "قالت الوزارة في بيان لها اليوم إن المفاوضات \u200Fبين الطرفين\u200E سوف تستأنف الأسبوع المقبل في العاصمة بحضور "
      "ممثلين عن الدول المجاورة والمنظمات الدولية.";
  const absl::StatusOr<Extraction> extraction =
      Extract({.content = absl::StrCat("<html lang=ar dir=rtl><h1>المفاوضات</h1><p>", arabic,
                                       "</p><p>Cafe\u0301: ", arabic, "</p></html>"),
               .media_type = "text/html"});
  ASSERT_THAT(extraction, IsOk());
  EXPECT_THAT(extraction->article.body, HasSubstr(arabic)) << "marks of direction stay";
  EXPECT_THAT(extraction->article.body, HasSubstr("Caf\u00E9:"));
  EXPECT_EQ(extraction->article.language_code, "ar");
  EXPECT_EQ(extraction->article.attributes.at("direction"), std::vector<std::string>{"rtl"});
}

}  // namespace
}  // namespace dateline::extraction
