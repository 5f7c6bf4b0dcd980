#include "common/program.h"

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "CLI/CLI.hpp"

namespace dateline::common {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// A program with two commands, and what a command line makes of it.
struct Program {
  CLI::App app{"Does things.", "prog"};
  std::string address;
  std::string filter;
  std::vector<std::string> queries;
  std::vector<std::string> paths;
  int page_size = 0;
  bool quiet = false;
  std::string out;
  std::string err;

  Program() {
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--address", address, "Where")->envname("PROG_TEST_ADDRESS");
    app.add_flag("--quiet", quiet, "Say nothing");
    CLI::App* search = app.add_subcommand("search", "Find things");
    search->add_option("QUERY", queries, "What to look for");
    search->add_option("--filter", filter, "A condition");
    search->add_option("--page_size", page_size, "How many")->check(CLI::Range(1, 100));
    CLI::App* load = app.add_subcommand("load", "Load files");
    load->add_option("PATH", paths, "What to load")->required()->type_name("FILE|URL");
    app.add_subcommand("info", "Tell");
  }

  std::optional<int> Run(std::vector<const char*> words) {
    words.insert(words.begin(), "/usr/bin/prog");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const std::optional<int> status = StartProgram(app, static_cast<int>(words.size()), words.data());
    out = testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    return status;
  }

  // What it says of a command line that is wrong.
  std::string Complaint(std::vector<const char*> words) {
    const std::optional<int> status = Run(std::move(words));
    EXPECT_EQ(status, kExitUsage) << err;
    EXPECT_THAT(out, IsEmpty());
    EXPECT_THAT(err, AllOf(StartsWith("prog: "), HasSubstr("--help` tells more\n")));
    return err;
  }
};

TEST(StartProgramTest, GoesOnWithWhatWasGiven) {
  Program program;
  EXPECT_EQ(program.Run({"--quiet", "search", "two", "words", "--page-size=3"}), std::nullopt);
  EXPECT_TRUE(program.quiet);
  EXPECT_EQ(program.page_size, 3);
  EXPECT_THAT(program.queries, ElementsAre("two", "words"));
  EXPECT_THAT(program.out + program.err, IsEmpty());
}

TEST(StartProgramTest, PrintsHelpAndEndsWellInBothForms) {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"search", "--help"}, std::vector<const char*>{"help", "search"}}) {
    Program program;
    EXPECT_EQ(program.Run(words), EXIT_SUCCESS);
    EXPECT_THAT(program.out, AllOf(HasSubstr("Find things"), HasSubstr("--filter")));
    EXPECT_THAT(program.err, IsEmpty());
  }
}

TEST(StartProgramTest, NamesACommandThatDoesNotExistAndTheLikeliestOne) {
  EXPECT_THAT(Program().Complaint({"serach", "iran"}),
              AllOf(HasSubstr("there is no command “serach”; did you mean search?"),
                    HasSubstr("Commands: search, load, info")));
  EXPECT_THAT(Program().Complaint({"frobnicate"}), Not(HasSubstr("did you mean")));
  EXPECT_THAT(Program().Complaint({}), AllOf(HasSubstr("a command is missing"), HasSubstr("Commands: search")));
}

TEST(StartProgramTest, NamesAFlagThatDoesNotExistAndTheLikeliestOne) {
  EXPECT_THAT(Program().Complaint({"search", "x", "--page-sise", "3"}),
              AllOf(HasSubstr("there is no flag --page_sise; did you mean --page_size?"),
                    HasSubstr("`prog search --help` tells more")));
  EXPECT_THAT(Program().Complaint({"info", "--adress=1"}), HasSubstr("did you mean --address?"));
  EXPECT_THAT(Program().Complaint({"search", "-opec"}), HasSubstr("comes after --"));
  EXPECT_THAT(Program().Complaint({"--filter", "x", "search"}),
              HasSubstr("--filter comes after the command: prog search --filter"));
  EXPECT_THAT(Program().Complaint({"--filter", "x"}),
              HasSubstr("--filter is a flag of `prog search`, and comes after"));
  EXPECT_THAT(Program().Complaint({"info", "--filter", "x"}),
              HasSubstr("--filter is a flag of `prog search`; `prog info` has none"));
}

TEST(StartProgramTest, SaysWhatIsMissingOrTooMuch) {
  EXPECT_THAT(Program().Complaint({"load"}), HasSubstr("PATH is missing: What to load"));
  EXPECT_THAT(Program().Complaint({"info", "more"}), HasSubstr("“more” is one word too many"));
  EXPECT_THAT(Program().Complaint({"search", "--filter"}), HasSubstr("--filter needs a value"));
  EXPECT_THAT(Program().Complaint({"info", "--address=a", "--address=b"}),
              HasSubstr("--address (or PROG_TEST_ADDRESS) is given 2 times"));
  EXPECT_THAT(Program().Complaint({"search", "--page_size", "101"}), HasSubstr("--page_size: "));
  EXPECT_THAT(Program().Complaint({"load", ""}), HasSubstr("PATH: one of them is empty"));
}

TEST(StartProgramTest, GivesAFlagTheEmptyValueInsteadOfTheNextWord) {
  Program program;
  EXPECT_EQ(program.Run({"search", "--filter=", "iran"}), std::nullopt);
  EXPECT_EQ(program.filter, "");
  EXPECT_THAT(program.queries, ElementsAre("iran"));
}

TEST(StartProgramTest, LeavesWordsAfterTwoDashesAlone) {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"search", "--", "iran", "--page-size=", "-x", "info"},
        std::vector<const char*>{"search", "iran", "--page_size", "3", "--", "--page-size=", "-x", "info"}}) {
    Program program;
    EXPECT_EQ(program.Run(words), std::nullopt) << program.err;
    EXPECT_THAT(program.queries, ElementsAre("iran", "--page-size=", "-x", "info"));
  }
  EXPECT_THAT(Program().Complaint({"info", "--", "-x"}), HasSubstr("“-x” is one word too many"));
  EXPECT_THAT(Program().Complaint({"search", "--", "\xff"}), HasSubstr("QUERY: “\xEF\xBF\xBD” is not UTF-8"));
}

TEST(StartProgramTest, RefusesTextThatIsNotUtf8ButTakesAnyFileName) {
  EXPECT_THAT(Program().Complaint({"search", "caf\xe9"}), HasSubstr("QUERY: “caf\xEF\xBF\xBD” is not UTF-8"));
  EXPECT_THAT(Program().Complaint({"search", "--filter", "\xff"}), HasSubstr("--filter: “\xEF\xBF\xBD” is not UTF-8"));
  EXPECT_THAT(Program().Complaint({"search", "--fil\xffter", "x"}), HasSubstr("there is no flag --fil\xEF\xBF\xBDter"));
  Program program;
  EXPECT_EQ(program.Run({"load", "caf\xe9.html"}), std::nullopt);
  EXPECT_THAT(program.paths, ElementsAre("caf\xe9.html"));
}

TEST(StartProgramTest, ChecksWhatTheEnvironmentSays) {
  setenv("PROG_TEST_ADDRESS", "\xff", 1);  // NOLINT(concurrency-mt-unsafe): no other thread runs.
  EXPECT_THAT(Program().Complaint({"info"}),
              HasSubstr("--address (or PROG_TEST_ADDRESS): “\xEF\xBF\xBD” is not UTF-8"));
  unsetenv("PROG_TEST_ADDRESS");  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace
}  // namespace dateline::common
