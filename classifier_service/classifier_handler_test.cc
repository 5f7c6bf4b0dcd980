// The handler over the real classifier with the data that ships, through a channel within the process.
#include "classifier_service/classifier_handler.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"

#include "classifier_service/classifier.h"
#include "common/error.h"
#include "common/rpc/server.h"
#include "common/rpc/status.h"
#include "common/worker_pool.h"
#include "tests/support/shared_data.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::classifier {
namespace {

namespace apb = article::v1;

using ::dateline::testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

Classifier::Options ShippedFiles() {
  const std::string data = "classifier_service/data/";
  Classifier::Options options;
  options.taxonomy_path = data + "taxonomy/default.textproto";
  options.gazetteer_path = data + "gazetteer/gazetteer.tsv";
  options.model_path = data + "model/issues.model";
  options.country_model_path = data + "model/countries.model";
  return options;
}

// Loaded once: it is immutable.
std::shared_ptr<const Classifier> RealClassifier() {
  static const std::shared_ptr<const Classifier>& classifier = *[]() -> const std::shared_ptr<const Classifier>* {
    auto loaded = Classifier::Load(ShippedFiles());
    if (!loaded.ok()) {
      ADD_FAILURE() << loaded.status();
      std::abort();
    }
    return new std::shared_ptr<const Classifier>(*std::move(loaded));
  }();
  return classifier;
}

constexpr char kPage[] = R"(<html><head><title>Oil and sanctions | The Review</title>
<meta property="og:title" content="Oil and sanctions"><meta name="author" content="Ada Fell"></head><body>
<nav><a href="/">Home</a> <a href="/about">About</a></nav>
<article><h1>Oil and sanctions</h1>
<p>Iran sold more crude oil this year than in any year since sanctions were tightened, the ministry in Tehran said.
Iranian tankers carried most of it east, and the price of the barrel fell.</p>
<p>The government of Iran has built its budget on oil exports again. Analysts in Tehran doubt that the refineries can
keep up, and expect that sanctions on shipping and insurance will bite before the winter is over.</p>
<p>Iran's neighbours watch the market. A change of the quota would change the balance of supply and demand for crude,
and with it the revenue on which the Iranian state depends.</p></article></body></html>)";

class ClassifierHandlerTest : public ::testing::Test {
 protected:
  ClassifierHandlerTest() : handler_(RealClassifier(), pool_) {
    auto server =
        common::rpc::Server::Start({}, {{.name = v1::ClassifierService::service_full_name(), .service = &handler_}});
    EXPECT_OK(server);
    server_ = *std::move(server);
    stub_ = v1::ClassifierService::NewStub(server_->InProcessChannel());
  }
  ~ClassifierHandlerTest() override {
    server_->Shutdown(absl::Seconds(10));
    pool_.Shutdown();
  }

  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (v1::ClassifierService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                        Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
    return common::rpc::FromGrpcStatus((stub_.get()->*method)(&context, request, &response));
  }

  common::WorkerPool pool_{{.threads = 2, .queue_limit = 16}};
  ClassifierHandler handler_;
  std::unique_ptr<common::rpc::Server> server_;
  std::unique_ptr<v1::ClassifierService::Stub> stub_;
};

using Stub = v1::ClassifierService::Stub;

TEST_F(ClassifierHandlerTest, TagsARawPageAndReturnsItsArticle) {
  v1::ClassifyRequest request;
  request.mutable_document()->set_content(kPage);
  request.mutable_document()->mutable_known()->add_authors("Known Author");
  request.set_include_mentions(true);
  v1::ClassifyResponse response;
  ASSERT_OK(Call(&Stub::Classify, request, response));
  EXPECT_EQ(response.article().title(), "Oil and sanctions");
  EXPECT_THAT(response.article().body(), StartsWith("Iran sold more crude oil"));
  ASSERT_THAT(response.article().authors(), SizeIs(1));
  EXPECT_EQ(response.article().authors(0), "Known Author") << "what the caller knows replaces what was found";
  ASSERT_GT(response.countries_size(), 0);
  EXPECT_EQ(response.countries(0).region_code(), "IR");
  EXPECT_TRUE(response.countries(0).primary());
  EXPECT_EQ(response.countries(0).display_name(), "Iran");
  EXPECT_GT(response.mentions_size(), 3);
  for (const apb::Evidence& evidence : response.countries(0).evidence()) {
    if (!evidence.has_span()) continue;
    const std::string& field =
        evidence.span().field() == "title" ? response.article().title() : response.article().body();
    EXPECT_EQ(field.substr(static_cast<size_t>(evidence.span().start()),
                           static_cast<size_t>(evidence.span().end() - evidence.span().start())),
              evidence.text());
  }
  EXPECT_THAT(response.issues(), Not(SizeIs(0)));
  EXPECT_FALSE(response.model_version().empty());
  EXPECT_FALSE(response.taxonomy_version().empty());
  EXPECT_FALSE(response.gazetteer_version().empty());
}

TEST_F(ClassifierHandlerTest, TagsOfHtmlInAnArticleAreTold) {
  v1::ClassifyRequest request;
  request.mutable_article()->set_body("<p>Iran sold <a href=\"https://france.example\">oil</a>.</p>");
  v1::ClassifyResponse response;
  ASSERT_OK(Call(&Stub::Classify, request, response));
  EXPECT_THAT(response.warnings(),
              ElementsAre(AllOf(StartsWith("article.body: "), HasSubstr("send the page as document"))));
  request.mutable_article()->set_body("Where a < b and b > c, Iran sold oil <p> for once.");
  ASSERT_OK(Call(&Stub::Classify, request, response));
  EXPECT_THAT(response.warnings(), SizeIs(0));
}

TEST_F(ClassifierHandlerTest, TheSameRequestGetsTheSameAnswer) {
  v1::ClassifyRequest request;
  request.mutable_document()->set_content(kPage);
  v1::ClassifyResponse first;
  v1::ClassifyResponse second;
  ASSERT_OK(Call(&Stub::Classify, request, first));
  ASSERT_OK(Call(&Stub::Classify, request, second));
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
}

TEST_F(ClassifierHandlerTest, BadInputIsInvalidArgumentAndNamesTheField) {
  v1::ClassifyRequest request;
  v1::ClassifyResponse response;
  EXPECT_THAT(Call(&Stub::Classify, request, response),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("article")));
  request.mutable_article();
  EXPECT_THAT(Call(&Stub::Classify, request, response),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("article.body")));
  request.mutable_article()->set_body(std::string(2'100'000, 'a'));
  const absl::Status large = Call(&Stub::Classify, request, response);
  EXPECT_THAT(large, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most")));
  EXPECT_EQ(common::ReasonOf(large), "ARTICLE_TOO_LARGE");
  request.mutable_document()->set_content(std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16));
  EXPECT_EQ(common::ReasonOf(Call(&Stub::Classify, request, response)), "UNSUPPORTED_MEDIA_TYPE");
  request.mutable_document()->clear_content();
  EXPECT_EQ(common::ReasonOf(Call(&Stub::Classify, request, response)), "EMPTY_DOCUMENT");
  request.mutable_article()->set_title("Iran");
  request.mutable_article()->mutable_publish_time()->set_seconds(INT64_MAX);
  EXPECT_THAT(Call(&Stub::Classify, request, response),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("publish_time")));
}

TEST_F(ClassifierHandlerTest, TimesThatNoArticleHasAreDroppedWithAWarning) {
  v1::ClassifyRequest request;
  request.mutable_article()->set_title("President Rouhani of Iran speaks in Tehran");
  v1::ClassifyResponse plain;
  ASSERT_OK(Call(&Stub::Classify, request, plain));
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  constexpr int64_t kDay = 86'400;
  const auto warnings = [&](int64_t seconds) {
    request.mutable_article()->mutable_publish_time()->set_seconds(seconds);
    v1::ClassifyResponse response;
    EXPECT_OK(Call(&Stub::Classify, request, response));
    std::vector<std::string> said(response.warnings().begin(), response.warnings().end());
    response.clear_warnings();
    if (!said.empty()) {
      EXPECT_EQ(response.SerializeAsString(), plain.SerializeAsString()) << "tagged as without a date";
    }
    return said;
  };
  EXPECT_THAT(warnings(-62'135'596'800),
              ElementsAre(HasSubstr("article.publish_time: 0001-01-01T00:00:00Z is before")));
  EXPECT_THAT(warnings(253'402'300'799), ElementsAre(HasSubstr("9999-12-31T23:59:59Z")));
  EXPECT_THAT(warnings(now + 370 * kDay), ElementsAre(HasSubstr("more than a year ahead, and was dropped")));
  EXPECT_THAT(warnings(now + 360 * kDay), IsEmpty());
  EXPECT_THAT(warnings(0), IsEmpty());
  // Of a document, what is answered goes without it, too.
  request.mutable_document()->set_content(kPage);
  request.mutable_document()->mutable_known()->mutable_publish_time()->set_seconds(now + 370 * kDay);
  v1::ClassifyResponse response;
  ASSERT_OK(Call(&Stub::Classify, request, response));
  EXPECT_THAT(response.warnings(), Contains(HasSubstr("document.known.publish_time: ")));
  EXPECT_FALSE(response.article().has_publish_time());
}

TEST_F(ClassifierHandlerTest, ATimeWithNanosThatAreNoneIsRefused) {
  v1::ClassifyRequest request;
  v1::ClassifyResponse response;
  request.mutable_article()->set_title("Iran");
  for (const int nanos : {-1, 1'000'000'000}) {
    request.mutable_article()->mutable_publish_time()->set_nanos(nanos);
    EXPECT_THAT(Call(&Stub::Classify, request, response),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr(absl::StrCat("article.publish_time: has ", nanos, " nanos; send 0 to 999999999"))));
  }
  v1::ExtractArticleRequest extract;
  v1::ExtractArticleResponse extracted;
  extract.mutable_document()->set_content(kPage);
  extract.mutable_document()->mutable_fetch_time()->set_seconds(INT64_MIN);
  EXPECT_THAT(Call(&Stub::ExtractArticle, extract, extracted),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("document.fetch_time: is no time between")));
}

std::string FieldOf(const absl::Status& status) {
  const std::vector<common::FieldViolation> violations = common::FieldViolationsOf(status);
  return violations.size() == 1 ? violations.front().field : "";
}

TEST_F(ClassifierHandlerTest, ErrorsNameTheFieldByItsPathInTheRequest) {
  v1::ExtractArticleRequest request;
  v1::ExtractArticleResponse response;
  request.mutable_document()->set_content("");
  EXPECT_EQ(FieldOf(Call(&Stub::ExtractArticle, request, response)), "document.content");
  request.mutable_document()->set_content(std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16));
  const absl::Status image = Call(&Stub::ExtractArticle, request, response);
  EXPECT_EQ(FieldOf(image), "document.content");
  EXPECT_EQ(common::ReasonOf(image), "UNSUPPORTED_MEDIA_TYPE");
  EXPECT_THAT(std::string(image.message()), StartsWith("document.content: "));

  v1::ClassifyRequest classify;
  v1::ClassifyResponse classified;
  classify.mutable_article()->set_body(" \r\n ");
  EXPECT_EQ(FieldOf(Call(&Stub::Classify, classify, classified)), "article.body");
  classify.mutable_document()->set_content(kPage);
  classify.mutable_document()->mutable_known()->mutable_publish_time()->set_seconds(INT64_MAX);
  EXPECT_EQ(FieldOf(Call(&Stub::Classify, classify, classified)), "document.known.publish_time");
}

TEST_F(ClassifierHandlerTest, ADocumentsUrlIsHttpOrHttpsAndBounded) {
  v1::ExtractArticleRequest request;
  v1::ExtractArticleResponse response;
  request.mutable_document()->set_content(kPage);
  for (const std::string& url : {std::string("ftp://example.com/a"), std::string("example.com/a"),
                                 absl::StrCat("https://example.com/", std::string(2'000, 'a'))}) {
    request.mutable_document()->set_url(url);
    const absl::Status status = Call(&Stub::ExtractArticle, request, response);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("document.url"))) << url.substr(0, 40);
    EXPECT_EQ(FieldOf(status), "document.url");
  }
  request.mutable_document()->set_url("https://example.com/a");
  ASSERT_OK(Call(&Stub::ExtractArticle, request, response));
  EXPECT_EQ(response.article().url(), "https://example.com/a");
}

TEST_F(ClassifierHandlerTest, AKnownTimeIsAsExactAsTheCallerSays) {
  v1::ExtractArticleRequest request;
  std::string page = kPage;
  page.insert(page.find("<p>"), "<p>By Ada Fell</p><p>April 22, 2024</p>");
  request.mutable_document()->set_content(page);
  v1::ExtractArticleResponse response;
  ASSERT_OK(Call(&Stub::ExtractArticle, request, response));
  ASSERT_EQ(response.article().publish_time_precision(), apb::TIME_PRECISION_DAY) << "the page knows the day only";

  request.mutable_document()->mutable_known()->mutable_publish_time()->set_seconds(1'713'787'200);
  ASSERT_OK(Call(&Stub::ExtractArticle, request, response));
  EXPECT_EQ(response.article().publish_time().seconds(), 1'713'787'200);
  EXPECT_EQ(response.article().publish_time_precision(), apb::TIME_PRECISION_UNSPECIFIED);

  request.mutable_document()->mutable_known()->set_publish_time_precision(apb::TIME_PRECISION_DAY);
  ASSERT_OK(Call(&Stub::ExtractArticle, request, response));
  EXPECT_EQ(response.article().publish_time_precision(), apb::TIME_PRECISION_DAY);
}

TEST_F(ClassifierHandlerTest, SpansFitTheReturnedTextWhereTheCallerGaveItUnnormalised) {
  v1::ClassifyRequest request;
  request.mutable_document()->set_content(kPage);
  apb::Article& known = *request.mutable_document()->mutable_known();
  known.set_title("Cafe\u0301s\r\nof  Beirut");
  known.set_body("\r\nCafe\u0301s in Lebanon closed.\r\n\r\n\r\nLebanon and the Lebanese pay in dollars.\r\n");
  known.set_summary("A\u030Angstrom");
  known.add_authors(" Rene\u0301  Roe ");
  request.set_include_mentions(true);
  v1::ClassifyResponse response;
  ASSERT_OK(Call(&Stub::Classify, request, response));
  const apb::Article& article = response.article();
  EXPECT_EQ(article.title(), "Caf\u00E9s of Beirut");
  EXPECT_EQ(article.body(), "Caf\u00E9s in Lebanon closed.\n\nLebanon and the Lebanese pay in dollars.");
  EXPECT_EQ(article.summary(), "\u00C5ngstrom");
  EXPECT_EQ(article.authors(0), "Ren\u00E9 Roe");
  ASSERT_GT(response.mentions_size(), 2);
  for (const v1::Mention& mention : response.mentions()) {
    const std::string& field = mention.span().field() == "title" ? article.title() : article.body();
    EXPECT_EQ(field.substr(static_cast<size_t>(mention.span().start()),
                           static_cast<size_t>(mention.span().end() - mention.span().start())),
              mention.text());
  }
}

TEST_F(ClassifierHandlerTest, ADocumentWhoseArticleIsTooLargeIsRefused) {
  v1::ExtractArticleRequest extract;
  extract.mutable_document()->set_content(kPage);
  extract.mutable_document()->mutable_known()->set_body(std::string(2'000'000, 'a'));
  v1::ExtractArticleResponse extracted;
  v1::ClassifyRequest classify;
  *classify.mutable_document() = extract.document();
  v1::ClassifyResponse classified;
  for (const absl::Status& status :
       {Call(&Stub::ExtractArticle, extract, extracted), Call(&Stub::Classify, classify, classified)}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2000000")));
    EXPECT_EQ(common::ReasonOf(status), "ARTICLE_TOO_LARGE");
    EXPECT_EQ(FieldOf(status), "document.known");
  }
}

TEST_F(ClassifierHandlerTest, ScoresOfAllIssuesComeWhenAskedForAndFollowFromTheCalibration) {
  v1::ClassifyRequest request;
  request.mutable_document()->set_content(kPage);
  v1::ClassifyResponse response;
  ASSERT_OK(Call(&Stub::Classify, request, response));
  EXPECT_EQ(response.scores_size(), 0);
  EXPECT_FALSE(response.has_in_training());

  request.set_include_scores(true);
  ASSERT_OK(Call(&Stub::Classify, request, response));
  v1::GetModelInfoResponse info;
  ASSERT_OK(Call(&Stub::GetModelInfo, v1::GetModelInfoRequest(), info));
  std::map<std::string, const v1::IssueModelInfo*> models;
  for (const v1::IssueModelInfo& model : info.issues()) models[model.issue_id()] = &model;
  EXPECT_TRUE(response.no_country().has_score());
  EXPECT_TRUE(response.no_country().has_threshold());
  size_t issues = 0;
  size_t tagged = 0;
  for (const v1::TagScore& score : response.scores()) {
    if (!score.has_issue_id()) {
      EXPECT_TRUE(score.has_region_code() || score.has_group_id());
      EXPECT_TRUE(score.has_threshold());
      continue;
    }
    ++issues;
    tagged += score.tagged() ? 1 : 0;
    const v1::IssueModelInfo& model = *models.at(score.issue_id());
    EXPECT_EQ(score.threshold(), model.threshold());
    EXPECT_EQ(score.tagged(), score.score() >= score.threshold());
    const double expected =
        1.0 / (1.0 + std::exp(-(model.calibration_slope() * score.raw() + model.calibration_intercept())));
    EXPECT_NEAR(score.score(), expected, 1e-3) << score.issue_id();
  }
  EXPECT_EQ(issues, models.size());
  EXPECT_EQ(tagged, static_cast<size_t>(response.issues_size()));
  ASSERT_TRUE(response.has_in_training());
  EXPECT_FALSE(response.in_training());

  request.mutable_document()->mutable_known()->set_language_code("fr");
  ASSERT_OK(Call(&Stub::Classify, request, response));
  for (const v1::TagScore& score : response.scores()) EXPECT_FALSE(score.has_issue_id());
}

TEST_F(ClassifierHandlerTest, OneBadItemLeavesTheRestOfABatchUnharmed) {
  v1::BatchClassifyRequest request;
  request.add_requests()->mutable_article()->set_title("Elections in France: the French vote in Paris");
  request.add_requests();
  request.add_requests()->mutable_article()->set_title("Japan and the Japanese economy");
  request.add_requests()->mutable_article()->set_body("caf\xe9");
  v1::BatchClassifyResponse response;
  ASSERT_OK(Call(&Stub::BatchClassify, request, response));
  ASSERT_THAT(response.results(), SizeIs(4));
  EXPECT_EQ(response.results(3).error().reason(), "INVALID_UTF8");
  EXPECT_THAT(response.results(3).error().message(), HasSubstr("article.body: must be UTF-8"));
  EXPECT_EQ(response.results(0).response().countries(0).region_code(), "FR");
  EXPECT_EQ(response.results(1).error().code(), static_cast<int>(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(response.results(2).response().countries(0).region_code(), "JP");

  v1::BatchClassifyRequest none;
  EXPECT_THAT(Call(&Stub::BatchClassify, none, response),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("requests")));
  v1::BatchClassifyRequest many;
  for (int i = 0; i < 1'001; ++i) many.add_requests();
  EXPECT_THAT(Call(&Stub::BatchClassify, many, response),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1000")));
}

TEST_F(ClassifierHandlerTest, TheTaxonomyIsSentOnceToWhoKeepsItsEtag) {
  v1::GetTaxonomyRequest request;
  v1::GetTaxonomyResponse response;
  ASSERT_OK(Call(&Stub::GetTaxonomy, request, response));
  EXPECT_EQ(response.issues_size(), 20);
  EXPECT_GE(response.regions_size(), 249);
  EXPECT_GT(response.groups_size(), 10);
  EXPECT_LT(response.ByteSizeLong(), 4'000'000U);
  EXPECT_FALSE(response.not_modified());
  request.set_etag(response.etag());
  ASSERT_OK(Call(&Stub::GetTaxonomy, request, response));
  EXPECT_TRUE(response.not_modified());
  EXPECT_EQ(response.issues_size(), 0);
}

TEST_F(ClassifierHandlerTest, TheModelSaysHowItWasMeasured) {
  v1::GetModelInfoResponse response;
  ASSERT_OK(Call(&Stub::GetModelInfo, v1::GetModelInfoRequest(), response));
  EXPECT_GT(response.training_article_count(), 1'000);
  EXPECT_EQ(response.issues_size(), 20);
  EXPECT_GT(response.quality().f1(), 0.0);
}

v1::ClassifyRequest AboutOman() {
  v1::ClassifyRequest request;
  request.mutable_article()->set_title("Oman's quiet diplomacy");
  request.mutable_article()->set_body(
      "Omani officials carried messages all summer.\n\nMuscat speaks with everybody, and Oman gains from it. The "
      "sultan "
      "received guests, and Omani banks lent.\n\nMost of the talks were about Iran and its trade; Iran sent its envoys "
      "twice. Kuwait was told.");
  return request;
}

void AddPrior(v1::ClassifyRequest& request, const std::string& region_code, double log_odds) {
  v1::CountryPrior& prior = *request.add_priors();
  prior.set_region_code(region_code);
  prior.set_log_odds(log_odds);
}

TEST_F(ClassifierHandlerTest, ProfilesAndPriorsDecideWhichCountriesAreTagged) {
  v1::ClassifyRequest request = AboutOman();
  v1::ClassifyResponse standard;
  ASSERT_OK(Call(&Stub::Classify, request, standard));
  request.set_profile(v1::COUNTRY_PROFILE_DEFAULT);
  v1::ClassifyResponse named;
  ASSERT_OK(Call(&Stub::Classify, request, named));
  EXPECT_EQ(standard.SerializeAsString(), named.SerializeAsString());
  request.set_profile(v1::COUNTRY_PROFILE_STRICT);
  v1::ClassifyResponse strict;
  ASSERT_OK(Call(&Stub::Classify, request, strict));
  request.set_profile(v1::COUNTRY_PROFILE_GENEROUS);
  AddPrior(request, "IR", 1.5);
  v1::ClassifyResponse generous;
  ASSERT_OK(Call(&Stub::Classify, request, generous));
  EXPECT_LT(strict.countries_size(), generous.countries_size());
  const auto iran = std::find_if(generous.countries().begin(), generous.countries().end(),
                                 [](const v1::CountryTag& tag) { return tag.region_code() == "IR"; });
  ASSERT_NE(iran, generous.countries().end());
  const auto prior = std::find_if(iran->evidence().begin(), iran->evidence().end(),
                                  [](const apb::Evidence& evidence) { return evidence.kind() == "PRIOR"; });
  ASSERT_NE(prior, iran->evidence().end());
  EXPECT_FALSE(prior->has_span());
  EXPECT_EQ(prior->weight(), 1.5);

  v1::BatchClassifyRequest batch;
  *batch.add_requests() = request;
  *batch.add_requests() = AboutOman();
  AddPrior(*batch.mutable_requests(1), "ZZ", 1.0);
  v1::BatchClassifyResponse answers;
  ASSERT_OK(Call(&Stub::BatchClassify, batch, answers));
  EXPECT_EQ(answers.results(0).response().SerializeAsString(), generous.SerializeAsString());
  ASSERT_THAT(answers.results(1).error().field_violations(), SizeIs(1));
  EXPECT_EQ(answers.results(1).error().field_violations(0).field(), "priors[0].region_code");
}

TEST_F(ClassifierHandlerTest, ProfilesAndPriorsThatAreNoneAreNamedByTheirPath) {
  v1::ClassifyResponse response;
  const auto field_of = [&](const v1::ClassifyRequest& request) {
    return FieldOf(Call(&Stub::Classify, request, response));
  };
  v1::ClassifyRequest request = AboutOman();
  request.set_profile(static_cast<v1::CountryProfile>(9));
  EXPECT_EQ(field_of(request), "profile");
  for (const double log_odds : {2.01, -2.01, std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    request = AboutOman();
    AddPrior(request, "OM", 2.0);
    AddPrior(request, "IR", log_odds);
    EXPECT_EQ(field_of(request), "priors[1].log_odds") << log_odds;
  }
  for (const std::string code : {"ir", "ZZ", "", "gcc", "IRN"}) {
    request = AboutOman();
    AddPrior(request, code, 1.0);
    EXPECT_EQ(field_of(request), "priors[0].region_code") << code;
  }
  request = AboutOman();
  request.add_priors()->set_group_id("IR");
  EXPECT_EQ(field_of(request), "priors[0].group_id");
  request = AboutOman();
  request.add_priors()->set_log_odds(1.0);
  EXPECT_EQ(field_of(request), "priors[0]");
  request = AboutOman();
  AddPrior(request, "OM", 1.0);
  AddPrior(request, "IR", 1.0);
  AddPrior(request, "OM", 0.5);
  EXPECT_EQ(field_of(request), "priors[2].region_code");
  request = AboutOman();
  for (int i = 0; i < 21; ++i) AddPrior(request, "OM", 1.0);
  EXPECT_EQ(field_of(request), "priors");
}

TEST_F(ClassifierHandlerTest, WhatIsLoadedIsReplacedWhileCallsRunAndNoneFails) {
  const testing::TempDir dir;
  std::ofstream(dir.File("overlay.tsv")) << "Harbour Street\tOM\tMETONYM\n";
  Classifier::Options with_overlay = ShippedFiles();
  with_overlay.gazetteer_overlay_path = dir.File("overlay.tsv");
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<const Classifier> other, Classifier::Load(with_overlay));
  const std::string plain_version = RealClassifier()->gazetteer_version();
  const std::string other_version = other->gazetteer_version();
  ASSERT_NE(plain_version, other_version);

  v1::ClassifyRequest request;
  request.mutable_article()->set_title("Harbour Street waits");
  request.mutable_article()->set_body(
      "Harbour Street said on Monday that it would wait. So did all of Harbour Street.");
  v1::BatchClassifyRequest batch;
  for (int i = 0; i < 8; ++i) *batch.add_requests() = request;
  // Each answer is wholly of the one or of the other, a batch as a whole.
  std::atomic<int> plain_answers = 0;
  std::atomic<int> other_answers = 0;
  std::atomic<bool> done = false;
  const auto expect_one_version = [&](const v1::ClassifyResponse& response, const std::string& version) {
    EXPECT_EQ(response.gazetteer_version(), version);
    ASSERT_TRUE(version == plain_version || version == other_version) << version;
    EXPECT_EQ(response.countries_size(), version == other_version ? 1 : 0);
    ++(version == other_version ? other_answers : plain_answers);
  };
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&] {
      while (!done) {
        v1::ClassifyResponse response;
        ASSERT_OK(Call(&Stub::Classify, request, response));
        expect_one_version(response, response.gazetteer_version());
        v1::BatchClassifyResponse answers;
        ASSERT_OK(Call(&Stub::BatchClassify, batch, answers));
        ASSERT_THAT(answers.results(), SizeIs(8));
        for (const v1::BatchClassifyResult& result : answers.results()) {
          expect_one_version(result.response(), answers.results(0).response().gazetteer_version());
        }
      }
    });
  }
  // Until both were seen by somebody a few times over; what is broken comes in between and changes nothing.
  for (int i = 0; i < 40 || plain_answers < 100 || other_answers < 100; ++i) {
    if (i % 4 == 0) handler_.Publish(absl::InvalidArgumentError("overlay.tsv:1: broken"));
    handler_.Publish(i % 2 == 0 ? other : RealClassifier());
    v1::GetTaxonomyResponse taxonomy;
    ASSERT_OK(Call(&Stub::GetTaxonomy, v1::GetTaxonomyRequest(), taxonomy));
    EXPECT_EQ(taxonomy.gazetteer_version(), i % 2 == 0 ? other_version : plain_version);
  }
  done = true;
  for (std::thread& caller : callers) caller.join();
}

TEST_F(ClassifierHandlerTest, ABrokenReloadIsToldAndWhatWasLoadedStays) {
  v1::GetModelInfoResponse before;
  ASSERT_OK(Call(&Stub::GetModelInfo, v1::GetModelInfoRequest(), before));
  EXPECT_GT(before.load_time().seconds(), 0);
  EXPECT_FALSE(before.has_failed_reload_time());
  handler_.Publish(absl::InvalidArgumentError("overlay.tsv:1: broken"));
  v1::GetModelInfoResponse after;
  ASSERT_OK(Call(&Stub::GetModelInfo, v1::GetModelInfoRequest(), after));
  EXPECT_GE(after.failed_reload_time().seconds(), before.load_time().seconds());
  after.clear_failed_reload_time();
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
  handler_.Publish(RealClassifier());
  ASSERT_OK(Call(&Stub::GetModelInfo, v1::GetModelInfoRequest(), after));
  EXPECT_FALSE(after.has_failed_reload_time());
}

// The page the project starts from: menus, teasers, repeated sidebars and a biography around one article.
TEST_F(ClassifierHandlerTest, TheSeedPageIsAboutIranAndNotAboutItsTeasers) {
  const auto path = testing::SharedFile("data/seed/russo-iranian-alignment.txt");
  if (!path.has_value()) GTEST_SKIP() << testing::SharedFileMissing("data/seed/russo-iranian-alignment.txt");
  v1::ClassifyRequest request;
  request.mutable_document()->set_content(testing::ReadFile(*path));
  v1::ClassifyResponse response;
  ASSERT_OK(Call(&Stub::Classify, request, response));
  const apb::Article& article = response.article();
  EXPECT_EQ(article.title(), "Russo-Iranian Alignment Will Continue Despite Differences");
  EXPECT_THAT(article.body(), StartsWith("On March 15, Iranian Foreign Minister"));
  EXPECT_THAT(article.body(), EndsWith("weather the current storm clouds."));
  EXPECT_THAT(article.body(), HasSubstr("\n\nIran’s Balancing Act on the Ukraine War\n\n"));
  EXPECT_THAT(article.body(), HasSubstr("\n\nRussia’s Position on the JCPOA Negotiations\n\n"));
  EXPECT_THAT(article.body(), Not(HasSubstr("Abraham Accords")));
  EXPECT_THAT(article.body(), Not(HasSubstr("views and opinions")));
  EXPECT_THAT(article.body(), Not(HasSubstr("Subscribe")));
  ASSERT_THAT(article.authors(), SizeIs(1));
  EXPECT_EQ(article.authors(0), "Samuel Ramani");
  EXPECT_FALSE(article.has_publish_time()) << "the dates on the page are the teasers'";
  ASSERT_GT(response.countries_size(), 0);
  EXPECT_EQ(response.countries(0).region_code(), "IR");
  EXPECT_TRUE(response.countries(0).primary());
  for (const v1::CountryTag& tag : response.countries()) EXPECT_NE(tag.region_code(), "AE");
}

}  // namespace
}  // namespace dateline::classifier
