#include "classifier_service/language.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace dateline::classifier {
namespace {

struct Sample {
  const char* language;
  const char* text;
};

class LanguageTest : public ::testing::TestWithParam<Sample> {};

TEST_P(LanguageTest, IsToldFromTwoSentences) {
  EXPECT_EQ(DetectLanguage("", GetParam().text), GetParam().language) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Sentences, LanguageTest,
    ::testing::Values(
        Sample{"en", "The ministers of both states met in Oman. They have not said what the talks were about."},
        Sample{"fr",
               "Les ministres des deux pays se sont rencontrés à Oman. Ils n'ont pas dit de quoi il a été question."},
        Sample{"es", "Los ministros de ambos países se reunieron en Omán. No dijeron de qué se habló en la reunión."},
        Sample{"de", "Die Minister der beiden Staaten trafen sich in Oman. Worüber sie sprachen, wurde nicht gesagt."},
        Sample{"pt", "Os ministros dos dois países reuniram-se em Omã. Não disseram o que foi discutido na reunião."},
        Sample{"it", "I ministri dei due paesi si sono incontrati in Oman. Non hanno detto di che cosa si è parlato."},
        Sample{"nl", "De ministers van beide landen ontmoetten elkaar in Oman. Zij zeiden niet waar het over ging."},
        Sample{"tr", "İki ülkenin bakanları Umman'da bir araya geldi. Görüşmenin ne için olduğu ise açıklanmadı."},
        Sample{"pl", "Ministrowie obu państw spotkali się w Omanie. Nie powiedzieli, o czym była ta rozmowa."},
        Sample{"id",
               "Pemerintah mengatakan bahwa kedua menteri belum bisa bertemu karena perbedaan pendapat soal harga "
               "minyak."},
        Sample{"ar", "التقى وزيرا خارجية البلدين في سلطنة عمان ولم يكشفا عن مضمون المحادثات."},
        Sample{"fa",
               "وزیران امور خارجه دو کشور در عمان دیدار کردند و دربارهٔ "
               "گفت‌وگوها "
               "چیزی "
               "نگفتند."},
        Sample{"ur", "دونوں ملکوں کے وزرائے خارجہ نے عمان میں ملاقات کی اور بات چیت کے بارے میں کچھ نہیں بتایا۔"},
        Sample{"he", "שרי החוץ של שתי המדינות נפגשו בעומאן ולא מסרו על מה דיברו."},
        Sample{"ru", "Министры обеих стран встретились в Омане. Они не сказали, о чём были эти переговоры."},
        Sample{"uk", "Міністри обох країн зустрілися в Омані. Вони не сказали, про що були ці переговори."},
        Sample{"zh", "两国外长在阿曼会晤，没有透露会谈内容。"},
        Sample{"ja", "両国の外相はオマーンで会談したが、内容は明らかにしなかった。"},
        Sample{"ko", "양국 외교장관은 오만에서 만났지만 회담 내용은 밝히지 않았다."},
        Sample{"bg", "Министрите на двете страни се срещнаха в Оман. Те не казаха за какво са разговаряли."},
        Sample{"vi", "Bộ trưởng hai nước đã gặp nhau tại Oman nhưng không cho biết nội dung cuộc hội đàm."},
        Sample{"zh-Hant", "兩國外長在阿曼會晤，沒有透露會談內容，雙方將於下週繼續磋商。"},
        Sample{"el", "Οι υπουργοί των δύο χωρών συναντήθηκαν στο Ομάν."}),
    [](const ::testing::TestParamInfo<Sample>& test) {
      return absl::StrReplaceAll(test.param.language, {{"-", "_"}});
    });

TEST(LanguageDetectionTest, SaysUndWhereThereIsTooLittle) {
  EXPECT_EQ(DetectLanguage("", ""), "und");
  EXPECT_EQ(DetectLanguage("OK", ""), "und");
  EXPECT_EQ(DetectLanguage("", "12345 67890 --- 4711"), "und");
  EXPECT_EQ(DetectLanguage("", "Oman 3, Iran 2"), "und");
}

TEST(LanguageDetectionTest, TakesAnyBytes) {
  EXPECT_EQ(DetectLanguage("The ministers of both states met in Oman, and said so.", "\xc3 broken"), "en");
  EXPECT_EQ(DetectLanguage("\xff\xfe\xc3", std::string(100'000, '\x80')), "und");
}

TEST(LanguageDetectionTest, QuotedWordsOfAnotherLanguageDoNotDecide) {
  EXPECT_EQ(DetectLanguage("",
                           "The party \"La France de la liberté\" said that it would not take part in the vote, and "
                           "that it had been asked to do so by its members."),
            "en");
}

}  // namespace
}  // namespace dateline::classifier
