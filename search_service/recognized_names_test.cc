#include "search_service/recognized_names.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "search_service/engine_test_util.h"
#include "search_service/query_parser.h"

namespace dateline::search {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RecognizedNamesTest : public ::testing::Test {
 protected:
  RecognizedNamesTest() : taxonomy_(Names()) {}

  static TaxonomyData Names() {
    TaxonomyData data = TestTaxonomy();
    data.regions[0].names.push_back({"pt", "Irã", {}});
    data.regions[0].names.push_back({"zh", "伊朗", {}});
    data.regions[0].names.push_back({"ja", "イラン", {"中"}});
    data.regions[0].names.push_back({"fr", "Iran", {}, {"iranien", "iranienne"}});
    data.regions[0].names.push_back({"es", "Irán", {}, {"iraní"}});
    data.regions.push_back(Entry("IS", "Iceland"));
    data.regions.back().names.push_back({"de", "Island", {}});
    data.regions.back().names.push_back({"is", "Ísland", {}});
    data.regions.push_back(Entry("JE", "Jersey"));
    data.regions.push_back(Entry("MX", "Mexico"));
    data.regions.push_back(Entry("IE", "Ireland"));
    data.regions.push_back(Entry("GB", "United Kingdom", {"UK", "Northern Ireland"}));
    data.regions.push_back(Entry("US", "United States", {"US"}));
    data.regions.push_back(Entry("NC", "New Caledonia"));
    return data;
  }

  // Their ids.
  std::vector<std::string> Recognized(const std::string& text, const std::string& language_code = "",
                                      const std::string& display_language = "") {
    SearchQuery query;
    query.query = text;
    query.language_code = language_code;
    query.display_language = display_language;
    const absl::StatusOr<ParsedQuery> parsed =
        ParseQuery(text, MatchMode::kFullQuery, language_code, {taxonomy_}, absl::Now(), analyzer_);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    std::vector<std::string> ids;
    if (!parsed.ok()) return ids;
    for (const RecognizedName& name : RecognizeNames(query, parsed->places, taxonomy_)) {
      ids.push_back(absl::StrCat(name.id, name.alternative ? "?" : ""));
    }
    return ids;
  }

  const Taxonomy taxonomy_;
  TextAnalyzer analyzer_;
};

TEST_F(RecognizedNamesTest, NamesOfOtherLanguagesCountWhereTheRequestOrTheirLettersSaySo) {
  for (const char* text : {"island", "Island", "ira", "IRA bombing"}) EXPECT_THAT(Recognized(text), IsEmpty()) << text;
  EXPECT_THAT(Recognized("island", "de-AT"), ElementsAre("country:IS"));
  EXPECT_THAT(Recognized("island", "", "de"), ElementsAre("country:IS"));
  EXPECT_THAT(Recognized("island", "fr", "pt"), IsEmpty());
  EXPECT_THAT(Recognized("Irã Ísland إيران"), ElementsAre("country:IR", "country:IS", "country:IR"));
  EXPECT_THAT(Recognized("iceland’s iranian oil", "ar"), ElementsAre("country:IS", "country:IR"));
  EXPECT_THAT(Recognized("iceland iranians"), ElementsAre("country:IS", "country:IR"));
}

TEST_F(RecognizedNamesTest, DemonymsOfOtherLanguagesCountWhereTheRequestOrTheirLettersSaySo) {
  for (const char* text : {"pétrole iranien", "iranienne", "Iranien"}) {
    EXPECT_THAT(Recognized(text, "fr"), ElementsAre("country:IR")) << text;
    EXPECT_THAT(Recognized(text, "", "fr-CA"), ElementsAre("country:IR")) << text;
    EXPECT_THAT(Recognized(text), IsEmpty()) << text;
    EXPECT_THAT(Recognized(text, "en", "es"), IsEmpty()) << text;
  }
  EXPECT_THAT(Recognized("irani oil"), IsEmpty());
  EXPECT_THAT(Recognized("petróleo iraní"), ElementsAre("country:IR"));
}

TEST_F(RecognizedNamesTest, NamesAreFoundWhereNoSpacesDivideThem) {
  EXPECT_THAT(Recognized("伊朗"), ElementsAre("country:IR"));
  EXPECT_THAT(Recognized("关于伊朗的石油 iceland"), ElementsAre("country:IR", "country:IS"));
  EXPECT_THAT(Recognized("イランの石油"), ElementsAre("country:IR"));
  EXPECT_THAT(Recognized("石油 中 \"伊朗\" -伊朗"), ElementsAre("country:IR"));
  EXPECT_THAT(Recognized("石油伊 朗"), IsEmpty());
}

TEST_F(RecognizedNamesTest, NamesWithinThoseOfSomethingElseDoNotCount) {
  for (const char* text : {"new jersey", "Jersey City", "new-mexico", "Gulf of Mexico"}) {
    EXPECT_THAT(Recognized(text), IsEmpty()) << text;
  }
  EXPECT_THAT(Recognized("rhode island", "de"), IsEmpty());
  EXPECT_THAT(Recognized("northern ireland iceland"), ElementsAre("country:GB", "country:IS"));
  EXPECT_THAT(Recognized("jersey new caledonia mexico city"), ElementsAre("country:JE", "country:NC", "country:MX"));
  EXPECT_THAT(Recognized("new jersey mexico new"), ElementsAre("country:MX"));
}

TEST_F(RecognizedNamesTest, TwoLettersInLowerCaseAreANameWhereTheyAreNoWord) {
  EXPECT_THAT(Recognized("uk oil"), ElementsAre("country:GB"));
  EXPECT_THAT(Recognized("uk oil", "en-GB"), ElementsAre("country:GB"));
  EXPECT_THAT(Recognized("uk", "fr"), IsEmpty());
  EXPECT_THAT(Recognized("help us"), IsEmpty());
  EXPECT_THAT(Recognized("help US UK", "fr"), ElementsAre("country:US", "country:GB"));
}

TEST_F(RecognizedNamesTest, OneSideOfAnOrIsSaidToBeOne) {
  EXPECT_THAT(Recognized("wheat OR iran"), ElementsAre("country:IR?"));
  EXPECT_THAT(Recognized("mexico (wheat OR iran) -iceland"), ElementsAre("country:MX", "country:IR?"));
}

}  // namespace
}  // namespace dateline::search
