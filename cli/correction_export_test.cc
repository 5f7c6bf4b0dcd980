#include "cli/correction_export.h"

#include <string>

#include "gtest/gtest.h"

namespace dateline::cli {
namespace {

namespace apb = article::v1;
namespace spb = search::v1;

spb::GetArticleResponse Corrected() {
  spb::GetArticleResponse response;
  apb::Article& article = *response.mutable_article();
  article.set_id("a/1");
  article.set_title("Oil “again”");
  article.set_body("One.\n\nTwo.");
  return response;
}

apb::Label& Add(spb::GetArticleResponse& response, apb::Label::State state = apb::Label::STATE_APPLIED) {
  apb::Label& label = *response.mutable_article()->add_labels();
  label.set_state(state);
  return label;
}

TEST(CorrectionExportTest, IssuesAreWhatWasAppliedAndRejectedOrAllOfAReplacedDimension) {
  spb::GetArticleResponse article = Corrected();
  EXPECT_EQ(IssueExample(article), "");
  Add(article).set_region_code("IR");
  EXPECT_EQ(IssueExample(article), "");
  Add(article).set_issue_id("energy");
  Add(article, apb::Label::STATE_REJECTED).set_issue_id("trade");
  EXPECT_EQ(IssueExample(article),
            "{\"id\":\"a/1\",\"title\":\"Oil “again”\",\"body\":\"One.\\n\\nTwo.\",\"applied\":[\"energy\"],"
            "\"rejected\":[\"trade\"]}\n");
  article.add_replaced_dimensions(spb::LABEL_DIMENSION_ISSUE);
  EXPECT_EQ(IssueExample(article),
            "{\"id\":\"a/1\",\"title\":\"Oil “again”\",\"body\":\"One.\\n\\nTwo.\",\"issues\":[\"energy\"]}\n");
  // The trainer leaves out what is in a language that it doesn't know.
  article.mutable_article()->set_language_code("fr");
  EXPECT_EQ(IssueExample(article),
            "{\"id\":\"a/1\",\"title\":\"Oil “again”\",\"body\":\"One.\\n\\nTwo.\",\"language\":\"fr\",\"issues\":"
            "[\"energy\"]}\n");
  article.mutable_article()->clear_language_code();
  // None is an answer, too.
  article.mutable_article()->clear_labels();
  EXPECT_EQ(IssueExample(article),
            "{\"id\":\"a/1\",\"title\":\"Oil “again”\",\"body\":\"One.\\n\\nTwo.\",\"issues\":[]}\n");
}

TEST(CorrectionExportTest, CountriesAreCompleteWhereAnEditorReplacedThemOrTheyAreTakenForIt) {
  spb::GetArticleResponse article = Corrected();
  article.mutable_article()->mutable_publish_time()->set_seconds(1'700'000'000);
  article.mutable_article()->set_source("The Post");
  const std::string text =
      "{\"id\":\"a/1\",\"title\":\"Oil “again”\",\"body\":\"One.\\n\\nTwo.\",\"date\":\"2023-11-14\",\"source\":\"The "
      "Post\",";
  EXPECT_EQ(CountryExample(article, nullptr), "");
  Add(article, apb::Label::STATE_REJECTED).set_region_code("RU");
  EXPECT_EQ(CountryExample(article, nullptr), text + "\"countries\":[],\"countries_complete\":false}\n");
  spb::GetArticleResponse counting = Corrected();
  Add(counting).set_region_code("IR");
  Add(counting).set_group_id("gcc");
  EXPECT_EQ(CountryExample(article, &counting), text + "\"countries\":[\"IR\"]}\n");
  Add(article).set_region_code("AE");
  article.add_replaced_dimensions(spb::LABEL_DIMENSION_REGION);
  EXPECT_EQ(CountryExample(article, nullptr), text + "\"countries\":[\"AE\"]}\n");
}

}  // namespace
}  // namespace dateline::cli
