// An operator's overlay over a small gazetteer and over the shipped one: what it changes, and what is said of one that
// is wrong.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "classifier_service/country_model.h"
#include "classifier_service/country_tagger.h"
#include "classifier_service/gazetteer.h"
#include "common/error.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

using ::dateline::testing::StatusIs;
using ::dateline::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kShipped[] = "classifier_service/data/gazetteer/gazetteer.tsv";

// Iran, Iraq, Oman, two Congos, a town, a group of Iran and Iraq.
constexpr char kSmall[] =
    "Iran\tIR\tNAME\ten\tt\t\t\tdisplay,any\n"
    "Persia\tIR\tNAME\ten\tt\t\t\talias\n"
    "Iraq\tIQ\tNAME\ten\tt\t\t\tdisplay,any\n"
    "Oman\tOM\tNAME\ten\tt\t\t\tdisplay,any\n"
    "DR Congo\tCD\tNAME\ten\tt\t\t\tdisplay\n"
    "Congo Republic\tCG\tNAME\ten\tt\t\t\tdisplay\n"
    "Congo\tCD\tNAME\t\tt\t\t\t\n"
    "Congo\tCG\tNAME\t\tt\t\t\t\n"
    "Muscat\tOM\tCAPITAL\t\tt\t\t\t\n"
    "Two Rivers\trivers\tNAME\ten\tt\t\t\tdisplay\n"
    "IR\trivers\tMEMBER\t\tt\t\t\t\n"
    "IQ\trivers\tMEMBER\t\tt\t\t\t\n";

absl::StatusOr<std::unique_ptr<Gazetteer>> With(absl::string_view overlay) {
  return Gazetteer::Parse(kSmall, "g.tsv", Gazetteer::Overlay{.text = overlay, .source = "o.tsv"});
}

// "words=TARGET,TARGET" for each match, meanings in their order.
std::vector<std::string> Found(const Gazetteer& gazetteer, absl::string_view text) {
  std::vector<std::string> found;
  for (const GazetteerMatch& match : gazetteer.Match(text)) {
    std::vector<std::string> targets;
    for (const GazetteerEntry& entry : match.entries) {
      targets.push_back(entry.region >= 0  ? gazetteer.regions()[static_cast<size_t>(entry.region)].region_code
                        : entry.group >= 0 ? gazetteer.groups()[static_cast<size_t>(entry.group)].group_id
                                           : "-");
    }
    found.push_back(absl::StrCat(text.substr(match.start, match.end - match.start), "=", absl::StrJoin(targets, ",")));
  }
  return found;
}

// Everything that is wrong, "PLACE: PROBLEM" each.
std::vector<std::string> ProblemsOf(const absl::Status& status) {
  std::vector<std::string> problems;
  for (const common::FieldViolation& violation : common::FieldViolationsOf(status)) {
    problems.push_back(absl::StrCat(violation.field, ": ", violation.description));
  }
  return problems;
}

TEST(GazetteerOverlayTest, AddsSurfacesAndGroups) {
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, With("# ours\n"
                                                  "Bandar Abbas Port\tIR\tPLACE\t\tdesk\t\t\t\n"
                                                  "Northern Pact\tnorthern_pact\tNAME\ten\tdesk\t\t\tdisplay\n"
                                                  "Pacte du Nord\tnorthern_pact\tNAME\tfr\tdesk\t\t\tdisplay\n"
                                                  "IR\tnorthern_pact\tMEMBER\t\tdesk\t2020\t\t\n"));
  EXPECT_THAT(Found(*gazetteer, "The Northern Pact met at Bandar Abbas Port in Iran."),
              ElementsAre("Northern Pact=northern_pact", "Bandar Abbas Port=IR", "Iran=IR"));
  ASSERT_NE(gazetteer->FindGroup("northern_pact"), nullptr);
  ASSERT_THAT(gazetteer->FindGroup("northern_pact")->members, SizeIs(1));
  EXPECT_EQ(gazetteer->FindGroup("northern_pact")->members[0].start_year, 2020);
  EXPECT_EQ(gazetteer->DisplayName("northern_pact", "fr"), "Pacte du Nord");
  EXPECT_THAT(gazetteer->warnings(), IsEmpty());
}

TEST(GazetteerOverlayTest, OutranksWhatIsShipped) {
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, With("Congo\tCG\tNAME\ten\tdesk\t\t\tany\n"
                                                  "Sultanate\tOM\tNAME\ten\tdesk\t\t\tdisplay\n"
                                                  "Persia\tIQ\tNAME\ten\tdesk\t\t\talias\n"));
  EXPECT_THAT(Found(*gazetteer, "In congo, in Congo, in Oman and the Sultanate"),
              ElementsAre("congo=CG", "Congo=CG,CD", "Oman=OM", "Sultanate=OM"));
  EXPECT_EQ(gazetteer->DisplayName("OM", "en"), "Sultanate");
  EXPECT_EQ(gazetteer->FindByName("Oman"), "OM") << "the old name is still a name";
  EXPECT_EQ(gazetteer->FindByName("persia"), "IQ");
  EXPECT_THAT(gazetteer->FindRegion("IR")->names.front().aliases, IsEmpty());
}

TEST(GazetteerOverlayTest, GivesMembershipsOtherYears) {
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, With("IR\trivers\tMEMBER\t\t\t\t1999\n"
                                                  "IR\trivers\tMEMBER\t\t\t2010\n"));
  const std::vector<GazetteerMember>& members = gazetteer->FindGroup("rivers")->members;
  ASSERT_THAT(members, SizeIs(3)) << "Iraq, and Iran twice";
  EXPECT_EQ(members[1].region_code, "IR");
  EXPECT_EQ(members[1].end_year, 1999);
  EXPECT_EQ(members[2].start_year, 2010);
}

TEST(GazetteerOverlayTest, RemovesWhatIsShipped) {
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, With("Muscat\tOM\t\t\t\t\t\tremove\n"
                                                  "Congo\t*\t\t\t\t\t\tremove\n"
                                                  "Persia\tIR\tNAME\t\t\t\t\tremove\n"
                                                  "Oman\tOM\tNAME\t\t\t\t\tremove\n"
                                                  "IQ\trivers\tMEMBER\t\t\t\t\tremove\n"));
  EXPECT_THAT(Found(*gazetteer, "Congo, Muscat, Oman, Persia and DR Congo"), ElementsAre("DR Congo=CD"));
  EXPECT_EQ(gazetteer->FindByName("Persia"), "");
  EXPECT_EQ(gazetteer->DisplayName("OM", "en"), "Oman") << "what is shown stays";
  ASSERT_THAT(gazetteer->FindGroup("rivers")->members, SizeIs(1));
  EXPECT_THAT(gazetteer->warnings(), IsEmpty());
}

TEST(GazetteerOverlayTest, WordsToBePassedOverHaveNoOtherMeaning) {
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, With("Congo Bar\t-\tNAME\nMuscat\t-\tNAME\n"));
  EXPECT_THAT(Found(*gazetteer, "The Congo Bar in Muscat"), ElementsAre("Congo Bar=-", "Muscat=-"));
}

TEST(GazetteerOverlayTest, VersionNamesBothFiles) {
  ASSERT_OK_AND_ASSIGN(const auto plain, Gazetteer::Parse(kSmall, "g.tsv"));
  ASSERT_OK_AND_ASSIGN(const auto one, With("Ctesiphon\tIQ\tCITY\n"));
  ASSERT_OK_AND_ASSIGN(const auto other, With("Ctesiphon\tIQ\tPLACE\n"));
  EXPECT_THAT(one->version(), StartsWith(plain->version() + "+"));
  EXPECT_THAT(one->version(), SizeIs(2 * plain->version().size() + 1));
  EXPECT_NE(one->version(), other->version());
}

TEST(GazetteerOverlayTest, TakesWhatSpreadsheetsAndEditorsMakeOfIt) {
  ASSERT_OK_AND_ASSIGN(const auto gazetteer,
                       With("\xEF\xBB\xBFsurface\ttarget\tkind\tlanguage\tsource\tfrom\tto\tflags\r\n"
                            "Ctesiphon \tIQ\tCITY\r\n"
                            "\t\t\t\t\t\t\t\r\n"
                            "\r\n"
                            "Sohar\tOM\tCITY\t\tdesk\t\t\t\r\n"));
  EXPECT_THAT(Found(*gazetteer, "From Sohar to Ctesiphon"), ElementsAre("Sohar=OM", "Ctesiphon=IQ"));
  EXPECT_THAT(gazetteer->warnings(), IsEmpty());
}

TEST(GazetteerOverlayTest, NamesEveryProblemWithLineAndRemedyAtOnce) {
  const absl::Status status = With(
                                  "Oz\tZZ\tNAME\n"
                                  "Oz\tIR\tTOWN\n"
                                  "Oz IR NAME\n"
                                  "Oz\tIR\tNAME\ten\tdesk\tsoon\n"
                                  "Oz\tIR\tNAME\ten\tdesk\t2020\t2010\n"
                                  "Oz\tIR\tNAME\ten\tdesk\t\t\tloud\n"
                                  "gcc\trivers\tMEMBER\n"
                                  "OM\tnowhere\tMEMBER\n"
                                  "Emerald City\temerald\tNAME\ten\n"
                                  "???\tIR\tNAME\n"
                                  "Oz\tIR\tNAME\te n\n"
                                  "Oz\tIR\n"
                                  "Oz\tIR\tNAME\t\tdesk\t\t\tany\textra\n")
                                  .status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(StartsWith("o.tsv:"), HasSubstr("(and 12 more)"))));
  EXPECT_THAT(ProblemsOf(status),
              ::testing::UnorderedElementsAre(
                  AllOf(StartsWith("o.tsv:1: "), HasSubstr("ZZ is no country"), HasSubstr("correct the code")),
                  AllOf(StartsWith("o.tsv:2: "), HasSubstr("\"TOWN\""), HasSubstr("use NAME")),
                  AllOf(StartsWith("o.tsv:3: "), HasSubstr("divided by tabs")),
                  AllOf(StartsWith("o.tsv:4: "), HasSubstr("\"soon\" is no year")),
                  AllOf(StartsWith("o.tsv:5: "), HasSubstr("put the earlier year first")),
                  AllOf(StartsWith("o.tsv:6: "), HasSubstr("\"loud\""), HasSubstr("remove")),
                  AllOf(StartsWith("o.tsv:7: "), HasSubstr("groups are no members of groups")),
                  AllOf(StartsWith("o.tsv:8: "), HasSubstr("nowhere is unknown")),
                  AllOf(StartsWith("o.tsv:9: "), HasSubstr("emerald has no English display name")),
                  AllOf(StartsWith("o.tsv:10: "), HasSubstr("0 words")),
                  AllOf(StartsWith("o.tsv:11: "), HasSubstr("\"e n\" is no language")),
                  AllOf(StartsWith("o.tsv:12: "), HasSubstr("divided by tabs")),
                  AllOf(StartsWith("o.tsv:13: "), HasSubstr("9 fields instead of 8"))));
}

TEST(GazetteerOverlayTest, OneMistakeIsOneProblem) {
  const absl::Status status = With(
                                  "Emerald City\temerald\tNAME\ten\tdesk\t\t\tdisplya\n"
                                  "Emeralds\temerald\tNAME\n"
                                  "OM\temerald\tMEMBER\n")
                                  .status();
  EXPECT_THAT(ProblemsOf(status), ElementsAre(HasSubstr("\"displya\"")));
}

TEST(GazetteerOverlayTest, WhatStandsTwiceIsToldAndWhatContradictsItselfRefused) {
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, With("Sohar\tOM\tCITY\nSohar\tOM\tCITY\n"));
  EXPECT_THAT(gazetteer->warnings(), ElementsAre(AllOf(StartsWith("o.tsv:2: "), HasSubstr("repeats line 1"))));
  EXPECT_THAT(Found(*gazetteer, "Sohar"), ElementsAre("Sohar=OM"));
  EXPECT_THAT(With("Sohar\tOM\tCITY\nSohar\tOM\tCITY\t\t\t\t\tany\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(StartsWith("o.tsv:2: "), HasSubstr("line 1"))));
  EXPECT_THAT(With("Magan\tOM\tNAME\ten\t\t\t\talias\nMagan\tIR\tNAME\ten\t\t\t\talias\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(StartsWith("o.tsv:2: "), HasSubstr("one target"))));
}

// Each column can be read, and all together mean nothing.
TEST(GazetteerOverlayTest, RowsThatMakeNoSenseAreRefusedWithLineAndRemedy) {
  const absl::Status status = With(
                                  "Smith\tOM\tSURNAME\n"
                                  "Ada\trivers\tGIVEN\n"
                                  "Jones\t-\tSURNAME\t\t\t1990\n"
                                  "Bert\t-\tGIVEN\t\t\t\t\tany\n"
                                  "OM\trivers\tMEMBER\ten\t\t\t\tdisplay\n"
                                  "Sohar\tOM\tCITY\t\t\t\t\tsuccessor\n"
                                  "Sur\tOM\tCITY\t\t\t\t\tany,caps\n"
                                  "Nizwa\t-\tNAME\ten\t\t\t\talias\n"
                                  "Nizwa Bar\t-\tNAME\ten\t\t\t\tnomatch\n"
                                  "RIVERS\tRI\tNAME\n"
                                  "Bahla\tOM\tCITY\n"
                                  "Bahla\t-\tNAME\n")
                                  .status();
  EXPECT_THAT(
      ProblemsOf(status),
      ::testing::UnorderedElementsAre(
          AllOf(StartsWith("o.tsv:1: "), HasSubstr("\"Smith\" is a SURNAME of OM"), HasSubstr("write - as its target")),
          AllOf(StartsWith("o.tsv:2: "), HasSubstr("\"Ada\" is a GIVEN of rivers")),
          AllOf(StartsWith("o.tsv:3: "), HasSubstr("neither years nor flags")),
          AllOf(StartsWith("o.tsv:4: "), HasSubstr("neither years nor flags")),
          AllOf(StartsWith("o.tsv:5: "), HasSubstr("no flags but successor and remove")),
          AllOf(StartsWith("o.tsv:6: "), HasSubstr("successor belongs to MEMBER alone")),
          AllOf(StartsWith("o.tsv:7: "), HasSubstr("any and caps contradict each other")),
          AllOf(StartsWith("o.tsv:8: "), HasSubstr("take display, alias and nomatch out")),
          AllOf(StartsWith("o.tsv:9: "), HasSubstr("take display, alias and nomatch out")),
          AllOf(StartsWith("o.tsv:10: "), HasSubstr("RI is no country"), Not(HasSubstr("group's id"))),
          AllOf(StartsWith("o.tsv:12: "), HasSubstr("\"Bahla\""), HasSubstr("lines 11 and 12"),
                HasSubstr("means OM in the other"))));
  EXPECT_THAT(With("Pact\tRIVERS\tNAME\n"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no target")));
  EXPECT_THAT(Gazetteer::Parse(absl::StrCat(kSmall, "EU\teu\tNAME\ten\tt\t\t\tdisplay,caps\n"), "g.tsv",
                               Gazetteer::Overlay{.text = "Brussels\tEU\tMETONYM\n", .source = "o.tsv"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("or write the group's id, eu")));
}

TEST(GazetteerOverlayTest, CodesInTheWrongCaseAreOfferedInTheRightOne) {
  const absl::Status status = With(
                                  "Harbour Street\tom\tMETONYM\n"
                                  "Harbour Lane\tOm\tMETONYM\n"
                                  "Rivermen\tRivers\tDEMONYM\n"
                                  "om\trivers\tMEMBER\n"
                                  "Muscat\tom\t\t\t\t\t\tremove\n"
                                  "Some Pact\tsp\tNAME\n")
                                  .status();
  EXPECT_THAT(ProblemsOf(status),
              ::testing::UnorderedElementsAre(
                  AllOf(StartsWith("o.tsv:1: "), HasSubstr("there is no group om; did you mean the country OM?")),
                  AllOf(StartsWith("o.tsv:2: "), HasSubstr("is no target"), HasSubstr("did you mean OM?")),
                  AllOf(StartsWith("o.tsv:3: "), HasSubstr("is no target"), HasSubstr("did you mean rivers?")),
                  AllOf(StartsWith("o.tsv:4: "), HasSubstr("needs a region code"), HasSubstr("did you mean OM?")),
                  AllOf(StartsWith("o.tsv:5: "), HasSubstr("did you mean the country OM?")),
                  AllOf(StartsWith("o.tsv:6: "), HasSubstr("no English display name"))));
  // A group may be called so, if it has a name.
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, With("Oil Movement\tom\tNAME\ten\t\t\t\tdisplay\nOM\tom\tMEMBER\n"));
  EXPECT_THAT(Found(*gazetteer, "Oman joined the Oil Movement"), ElementsAre("Oman=OM", "Oil Movement=om"));
}

TEST(GazetteerOverlayTest, NoMoreTargetsAtOnceThanCount) {
  std::string shipped = kSmall;
  std::string rows;
  for (const char code : {'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I'}) {
    absl::StrAppend(&shipped, "Isle ", std::string(1, code), "\tX", std::string(1, code),
                    "\tNAME\ten\tt\t\t\tdisplay\n");
    absl::StrAppend(&rows, "Nine Isles\tX", std::string(1, code), "\tNAME\t\t\t\t\teach\n");
  }
  const auto with = [&](absl::string_view overlay) {
    return Gazetteer::Parse(shipped, "g.tsv", Gazetteer::Overlay{.text = overlay, .source = "o.tsv"});
  };
  EXPECT_THAT(ProblemsOf(with(rows).status()),
              ElementsAre(AllOf(StartsWith("o.tsv:9: "), HasSubstr("\"Nine Isles\" means more than 8 targets at once"),
                                HasSubstr("make a group"))));
  const std::string eight = rows.substr(0, rows.rfind("Nine"));
  ASSERT_OK(with(eight).status());
  // What makes them too many is the overlay's row, and one of both files counts once.
  shipped += eight;
  EXPECT_THAT(ProblemsOf(with("nine isles\tXI\tNAME\t\t\t\t\teach\n").status()), ElementsAre(StartsWith("o.tsv:1: ")));
  ASSERT_OK(with("Nine Isles\tXH\tNAME\t\t\t\t\teach\n").status());
}

TEST(GazetteerOverlayTest, RowsThatMaySayWhatTheySayAreTold) {
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, With("Gulfburg\trivers\tCITY\n"
                                                  "Sohar\tOM\tCITY\t\t\t1990\t2000\n"
                                                  "Sohar\tOM\tCITY\t\t\t2000\t2010\n"
                                                  "Sohar\tOM\tCITY\t\t\t2011\n"
                                                  "IR\trivers\tMEMBER\t\t\t\t1999\n"
                                                  "IR\trivers\tMEMBER\t\t\t1995\n"
                                                  "Muscat\tOM\tCAPITAL\t\t\t1990\t\tremove\n"
                                                  "Sur\tOM\tCITY\t\t\t\t\tnomatch\n"
                                                  "Smith\t-\tSURNAME\n"
                                                  "Jordan-\t-\tNAME\t\t\t\t\thyphen\n"
                                                  "Jordan-\tOM\tNAME\n"));
  EXPECT_THAT(gazetteer->warnings(),
              ElementsAre(AllOf(StartsWith("o.tsv:1: "), HasSubstr("METONYM if the words stand for the group")),
                          AllOf(StartsWith("o.tsv:3: "), HasSubstr("the same row in line 2")),
                          AllOf(StartsWith("o.tsv:6: "), HasSubstr("the same row in line 5")),
                          AllOf(StartsWith("o.tsv:7: "), HasSubstr("whatever its years")),
                          AllOf(StartsWith("o.tsv:8: "), HasSubstr("take nomatch out"))));
}

TEST(GazetteerOverlayTest, ARemovalOfNothingIsToldWithWhatWasMeant) {
  ASSERT_OK_AND_ASSIGN(const auto gazetteer,
                       With("muscat\tOM\tCAPITAL\t\t\t\t\tremove\nSohar\tOM\t\t\t\t\t\tremove\n"));
  EXPECT_THAT(gazetteer->warnings(), ElementsAre(AllOf(StartsWith("o.tsv:1: "), HasSubstr("it has \"Muscat\" of OM")),
                                                 AllOf(StartsWith("o.tsv:2: "), HasSubstr("removes nothing"))));
}

TEST(GazetteerOverlayTest, AnEmptyOneChangesNothingAndSaysSo) {
  for (const absl::string_view empty : {"", "\n\n", "# nothing yet\n", "\xEF\xBB\xBF"}) {
    ASSERT_OK_AND_ASSIGN(const auto gazetteer, With(empty));
    EXPECT_THAT(gazetteer->warnings(), ElementsAre(HasSubstr("has no rows")));
    EXPECT_THAT(Found(*gazetteer, "Oman"), ElementsAre("Oman=OM"));
  }
}

TEST(GazetteerOverlayTest, WhatIsNoTextIsOneProblem) {
  std::string binary =
      "\x7F"
      "ELF\n";
  binary.append(100'000, '\0');
  EXPECT_THAT(ProblemsOf(With(binary).status()), ElementsAre(AllOf(StartsWith("o.tsv:2: "), HasSubstr("no text"))));
  EXPECT_THAT(ProblemsOf(With(std::string("\xFF\xFEO\0", 4)).status()), ElementsAre(HasSubstr("save it as UTF-8")));
  EXPECT_THAT(ProblemsOf(With("Caf\xE9\tOM\tCITY\n").status()), ElementsAre(HasSubstr("not UTF-8")));
  EXPECT_THAT(ProblemsOf(With("Sohar\tOM\tCITY\rSur\tOM\tCITY\r").status()), ElementsAre(HasSubstr("CR alone")));
  EXPECT_THAT(ProblemsOf(With("So\x1B[31mhar\tOM\tCITY\n").status()),
              ElementsAre(AllOf(StartsWith("o.tsv:1: "), HasSubstr("control character"), Not(HasSubstr("\x1B")))));
  std::string bad;
  for (int i = 0; i < 5'000; ++i) {
    bad += "Oz\tIR\tTOWN\n";
  }
  const std::vector<std::string> problems = ProblemsOf(With(bad).status());
  EXPECT_THAT(problems, SizeIs(101)) << "as many as one reads, and how many more there are";
  EXPECT_THAT(problems.back(), HasSubstr("and 4900 more"));
}

TEST(GazetteerOverlayTest, FilesThatCannotBeReadAreNamed) {
  const TempDir dir;
  const std::string shipped = dir.File("g.tsv");
  std::ofstream(shipped) << kSmall;
  const auto load = [&](const std::string& overlay) { return Gazetteer::Load(shipped, overlay).status(); };
  EXPECT_THAT(load(dir.File("none.tsv")), StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.tsv")));
  std::filesystem::create_directory(dir.File("folder"));
  EXPECT_THAT(load(dir.File("folder")), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no regular file")));
  ASSERT_EQ(mkfifo(dir.File("pipe").c_str(), 0600), 0);
  EXPECT_THAT(load(dir.File("pipe")), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no regular file")));
  std::ofstream(dir.File("large.tsv")).seekp(100'000'000).put('\n');  // Sparse: it takes no room.
  EXPECT_THAT(load(dir.File("large.tsv")), StatusIs(absl::StatusCode::kInvalidArgument,
                                                    AllOf(HasSubstr("100000001 bytes"), HasSubstr("shorten it"))));
}

TEST(GazetteerOverlayTest, ChangesTheTagsOfArticles) {
  const TempDir dir;
  std::ofstream(dir.File("o.tsv")) << "Sokovia Accords Council\tsokovia_council\tNAME\ten\tdesk\t\t\tdisplay\n"
                                      "AT\tsokovia_council\tMEMBER\n"
                                      "Harbour Street\tOM\tMETONYM\t\tdesk\n";
  ASSERT_OK_AND_ASSIGN(const auto plain, Gazetteer::Load(kShipped));
  ASSERT_OK_AND_ASSIGN(const auto changed, Gazetteer::Load(kShipped, dir.File("o.tsv")));
  ArticleText article;
  article.title = "Harbour Street answers the Sokovia Accords Council";
  article.body =
      "Harbour Street said on Monday that it would wait. The Sokovia Accords Council wrote to Harbour Street.";
  ASSERT_OK_AND_ASSIGN(const auto model, CountryModel::Load("classifier_service/data/model/countries.model"));
  EXPECT_THAT(CountryTagger(*plain, *model).Tag(article, {}).countries, IsEmpty());
  const CountryTags tags = CountryTagger(*changed, *model).Tag(article, {});
  ASSERT_THAT(tags.countries, SizeIs(1));
  EXPECT_EQ(tags.countries[0].id, "OM");
  ASSERT_THAT(tags.groups, SizeIs(1));
  EXPECT_EQ(tags.groups[0].display_name, "Sokovia Accords Council");
  EXPECT_THAT(changed->warnings(), IsEmpty());
}

// As docs/gazetteer.md has it: a party of these years only.
TEST(GazetteerOverlayTest, FormsCountInTheirYears) {
  const TempDir dir;
  std::ofstream(dir.File("o.tsv")) << "Harbour League\tOM\tORGANISATION\t\tdesk\t1972\t2018\n";
  ASSERT_OK_AND_ASSIGN(const auto gazetteer, Gazetteer::Load(kShipped, dir.File("o.tsv")));
  ASSERT_OK_AND_ASSIGN(const auto model, CountryModel::Load("classifier_service/data/model/countries.model"));
  const auto set_aside_in = [&](int year) {
    ArticleText article;
    article.body = "The Harbour League won.";
    article.publish_time = absl::FromCivil(absl::CivilDay(year, 7, 1), absl::UTCTimeZone());
    const CountryTags tags = CountryTagger(*gazetteer, *model).Tag(article, {.want_mentions = true});
    return tags.mentions.size() == 1 ? tags.mentions[0].set_aside : SetAside::kBloc;
  };
  EXPECT_EQ(set_aside_in(1965), SetAside::kHistorical);
  EXPECT_EQ(set_aside_in(2000), SetAside::kNone);
  EXPECT_EQ(set_aside_in(2024), SetAside::kHistorical);
}

}  // namespace
}  // namespace dateline::classifier
