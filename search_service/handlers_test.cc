// The handlers over a real engine, through a channel within the process: mapping, errors, streams.
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "common/mutex.h"
#include "common/rpc/server.h"
#include "common/rpc/status.h"
#include "common/worker_pool.h"
#include "dateline/search/v1/ingest_service.grpc.pb.h"
#include "dateline/search/v1/search_admin_service.grpc.pb.h"
#include "dateline/search/v1/search_service.grpc.pb.h"
#include "search_service/admin_handler.h"
#include "search_service/engine.h"
#include "search_service/ingest_handler.h"
#include "search_service/search_handler.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::search {
namespace {

namespace apb = article::v1;

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::Duration kPatience = absl::Seconds(20);  // Longer than anything here takes; never waited out.

// Tags an article with the country whose code stands in its title, as "[IR]".
class TitleLabeler final : public ArticleLabeler {
 public:
  absl::StatusOr<std::vector<absl::StatusOr<Labeling>>> Label(const std::vector<LabelingInput>& articles,
                                                              absl::Time /*deadline*/) override {
    {
      common::MutexLock lock(mutex_);
      if (away_) return absl::UnavailableError("away");
    }
    std::vector<absl::StatusOr<Labeling>> result;
    for (const LabelingInput& article : articles) {
      Labeling labeling;
      for (const char* code : {"IR", "FR"}) {
        if (!absl::StrContains(article.title, absl::StrCat("[", code, "]"))) continue;
        dateline::search::Label label;
        label.dimension = Dimension::kCountry;
        label.id = code;
        label.score = 0.9;
        label.primary = true;
        label.model_version = "by title";
        labeling.labels.push_back(std::move(label));
        labeling.country_outcome = TagOutcome::kTagged;
      }
      result.emplace_back(std::move(labeling));
    }
    return result;
  }

  absl::StatusOr<std::string> FetchVersion(absl::Time /*deadline*/) override { return std::string("1"); }
  absl::StatusOr<std::optional<TaxonomyData>> FetchTaxonomy(absl::string_view etag, absl::Time /*deadline*/) override {
    {
      common::MutexLock lock(mutex_);
      if (away_) return absl::UnavailableError("away");
    }
    if (etag == "1") return std::optional<TaxonomyData>();
    TaxonomyData data;
    data.etag = "1";
    data.taxonomy_version = "t1";
    const auto entry = [](const char* id, const char* name) {
      TaxonomyEntry result;
      result.id = id;
      result.names.push_back({.language_code = "en", .display_name = name, .aliases = {}});
      return result;
    };
    data.regions = {entry("IR", "Iran"), entry("FR", "France")};
    data.issues = {entry("geopolitics", "Geopolitics")};
    return std::optional<TaxonomyData>(std::move(data));
  }

  void SetAway(bool away) {
    common::MutexLock lock(mutex_);
    away_ = away;
  }

 private:
  common::Mutex mutex_;
  bool away_ ABSL_GUARDED_BY(mutex_) = false;
};

// Takes the first line of a document as its title, the rest as its body; refuses one that begins with "bad".
class LineExtractor final : public DocumentExtractor {
 public:
  absl::StatusOr<ExtractedDocument> Extract(const apb::RawDocument& document, absl::Time /*deadline*/) override {
    if (absl::StartsWith(document.content(), "bad")) {
      return common::WithReason(common::InvalidField("document", "holds no article"), "NOT_AN_ARTICLE");
    }
    if (absl::StartsWith(document.content(), "slow")) {
      common::MutexLock lock(mutex_);
      held_ = true;
      changed_.NotifyAll();
      while (!open_) changed_.Wait(mutex_);
    }
    if (absl::StartsWith(document.content(), "huge")) {
      return common::WithReason(absl::ResourceExhaustedError("too large"), kReasonResponseTooLarge);
    }
    if (absl::StartsWith(document.content(), "later")) return common::Unavailable("away", absl::Seconds(3));
    ExtractedDocument extracted;
    const size_t line = document.content().find('\n');
    extracted.article.set_title(document.content().substr(0, line));
    extracted.article.set_body(document.content().substr(line + 1));
    extracted.warnings = {"read by its first line"};
    return extracted;
  }

  // Lets through the documents that begin with "slow".
  void Open() {
    common::MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  // Until one of them has come.
  void AwaitSlow() {
    common::MutexLock lock(mutex_);
    while (!held_) changed_.Wait(mutex_);
  }

 private:
  common::Mutex mutex_;
  common::CondVar changed_;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

class HandlersTest : public ::testing::Test {
 protected:
  explicit HandlersTest(const IngestHandler::Options& ingest_options = {}) {
    Engine::Options options;
    options.data_dir = dir_.File("data");
    options.label_grace = absl::ZeroDuration();
    options.min_backoff = absl::Milliseconds(5);
    options.max_backoff = absl::Milliseconds(20);
    options.before_index_commit = [this] { const common::MutexLock wait(visibility_); };
    auto engine = Engine::Open(options, labeler_);
    EXPECT_THAT(engine, IsOk());
    engine_ = *std::move(engine);
    search_handler_ = std::make_unique<SearchHandler>(*engine_, pool_, /*max_waiting=*/1);
    admin_handler_ = std::make_unique<SearchAdminHandler>(*engine_, pool_);
    ingest_handler_ = std::make_unique<IngestHandler>(*engine_, &extractor_, pool_, document_pool_, ingest_options);
    auto server = common::rpc::Server::Start(
        {}, {{.name = v1::SearchService::service_full_name(), .service = search_handler_.get()},
             {.name = v1::IngestService::service_full_name(), .service = ingest_handler_.get()},
             {.name = v1::SearchAdminService::service_full_name(), .service = admin_handler_.get()}});
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
    channel_ = server_->InProcessChannel();
    search_ = v1::SearchService::NewStub(channel_);
    ingest_ = v1::IngestService::NewStub(channel_);
    admin_ = v1::SearchAdminService::NewStub(channel_);
  }

  ~HandlersTest() override {
    extractor_.Open();
    ingest_handler_->DrainStreams();
    server_->Shutdown(absl::Seconds(10));
    pool_.Shutdown();
    document_pool_.Shutdown();
    engine_->Shutdown();
  }

  static apb::Article NewArticle(const std::string& id, const std::string& title, const std::string& body) {
    apb::Article article;
    article.set_id(id);
    article.set_title(title);
    article.set_body(body);
    return article;
  }

  // Calls a method with a deadline; gives the status with its details.
  template <typename Stub, typename Request, typename Response>
  static absl::Status Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                           const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    return common::rpc::FromGrpcStatus((stub.*method)(&context, request, &response));
  }

  // What a stream answers to items that are bytes, and may be no messages at all.
  struct StreamAnswers {
    std::vector<v1::IngestAck> acks;
    absl::Status status;
  };
  StreamAnswers StreamBytes(const std::vector<std::string>& items) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    grpc::CompletionQueue queue;
    const auto stream = stub.PrepareCall(&context, "/dateline.search.v1.IngestService/StreamIngest", &queue);
    const auto done = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    stream->StartCall(this);
    EXPECT_TRUE(done());
    for (const std::string& item : items) {
      const grpc::Slice slice(item);
      stream->Write(grpc::ByteBuffer(&slice, 1), this);
      if (!done()) break;
    }
    stream->WritesDone(this);
    done();
    StreamAnswers answers;
    while (true) {
      grpc::ByteBuffer bytes;
      stream->Read(&bytes, this);
      if (!done()) break;
      grpc::ProtoBufferReader reader(&bytes);
      v1::StreamIngestResponse response;
      EXPECT_TRUE(response.ParseFromZeroCopyStream(&reader));
      if (response.has_ack()) answers.acks.push_back(response.ack());
    }
    grpc::Status status;
    stream->Finish(&status, this);
    done();
    answers.status = common::rpc::FromGrpcStatus(status);
    return answers;
  }

  // One call that runs beside others.
  template <typename Request, typename Response>
  struct Running {
    Request request;
    Response response;
    grpc::ClientContext context;
    common::Mutex mutex;
    common::CondVar changed;
    std::optional<grpc::Status> status ABSL_GUARDED_BY(mutex);

    void Done(grpc::Status result) {
      common::MutexLock lock(mutex);
      status = std::move(result);
      changed.NotifyAll();
    }
    absl::Status Wait() {
      common::MutexLock lock(mutex);
      while (!status.has_value()) changed.Wait(mutex);
      return common::rpc::FromGrpcStatus(*status);
    }
  };
  using RunningIngest = Running<v1::IngestArticlesRequest, v1::IngestArticlesResponse>;
  using RunningWait = Running<v1::WaitForCommitRequest, v1::WaitForCommitResponse>;

  std::unique_ptr<RunningIngest> BeginIngest(const std::string& id, v1::CommitStage wait_for) {
    auto call = std::make_unique<RunningIngest>();
    *call->request.add_items()->mutable_article() = NewArticle(id, "Talks [IR]", absl::StrCat("Body of ", id));
    call->request.set_wait_for(wait_for);
    call->request.set_view(apb::ARTICLE_VIEW_BASIC);
    call->context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    ingest_->async()->IngestArticles(&call->context, &call->request, &call->response,
                                     [c = call.get()](grpc::Status status) { c->Done(std::move(status)); });
    return call;
  }
  std::unique_ptr<RunningWait> BeginWait(const std::string& token, absl::Duration patience) {
    auto call = std::make_unique<RunningWait>();
    call->request.set_commit_token(token);
    call->request.set_stage(v1::COMMIT_STAGE_LABELLED);
    call->context.set_deadline(absl::ToChronoTime(absl::Now() + patience));
    ingest_->async()->WaitForCommit(&call->context, &call->request, &call->response,
                                    [c = call.get()](grpc::Status status) { c->Done(std::move(status)); });
    return call;
  }

  absl::Status Ingest(const v1::IngestArticlesRequest& request, v1::IngestArticlesResponse& response) {
    return Call(*ingest_, &v1::IngestService::Stub::IngestArticles, request, response);
  }
  absl::Status Search(const v1::SearchRequest& request, v1::SearchResponse& response) {
    return Call(*search_, &v1::SearchService::Stub::Search, request, response);
  }

  testing::TempDir dir_;
  common::Mutex visibility_;  // While it is held, nothing becomes visible.
  std::shared_ptr<TitleLabeler> labeler_ = std::make_shared<TitleLabeler>();
  LineExtractor extractor_;
  common::WorkerPool pool_{{.threads = 4, .queue_limit = 64}};
  common::WorkerPool document_pool_{{.threads = 2, .queue_limit = 64}};
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<SearchHandler> search_handler_;
  std::unique_ptr<SearchAdminHandler> admin_handler_;
  std::unique_ptr<IngestHandler> ingest_handler_;
  std::unique_ptr<common::rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::SearchService::Stub> search_;
  std::unique_ptr<v1::IngestService::Stub> ingest_;
  std::unique_ptr<v1::SearchAdminService::Stub> admin_;
};

TEST_F(HandlersTest, ABatchIsAnsweredItemByItemAndReturnsTaggedArticles) {
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks [IR]", "About the talks.");
  *request.add_items()->mutable_article() = NewArticle("", "", "");  // Nothing in it.
  request.add_items();                                               // Neither article nor document.
  request.add_items()->mutable_document()->set_content("From a page\nBody of the page.");
  request.add_items()->mutable_document()->set_content("bad page");
  request.add_items()->mutable_document()->set_content("later");
  *request.add_items()->mutable_article() = NewArticle("seven", "Title", "caf\xe9");
  request.set_view(apb::ARTICLE_VIEW_FULL);
  request.set_wait_for(v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesResponse response;
  ASSERT_OK(Ingest(request, response));
  ASSERT_THAT(response.results(), SizeIs(7));
  EXPECT_EQ(response.results(6).outcome(), v1::INGEST_OUTCOME_REJECTED);
  EXPECT_EQ(response.results(6).error().reason(), "INVALID_UTF8");
  EXPECT_EQ(response.results(0).outcome(), v1::INGEST_OUTCOME_CREATED);
  EXPECT_EQ(response.results(0).id(), "one");
  ASSERT_THAT(response.results(0).article().labels(), SizeIs(1));
  EXPECT_EQ(response.results(0).article().labels(0).region_code(), "IR");
  EXPECT_EQ(response.results(0).article().label_state(), apb::LABEL_STATE_DONE);
  EXPECT_EQ(response.results(1).outcome(), v1::INGEST_OUTCOME_REJECTED);
  EXPECT_GT(response.results(1).error().field_violations_size(), 0);
  EXPECT_EQ(response.results(2).outcome(), v1::INGEST_OUTCOME_REJECTED);
  EXPECT_EQ(response.results(3).outcome(), v1::INGEST_OUTCOME_CREATED);
  EXPECT_THAT(response.results(3).warnings(), ElementsAre("read by its first line"));
  EXPECT_EQ(response.results(4).outcome(), v1::INGEST_OUTCOME_REJECTED);
  EXPECT_EQ(response.results(4).error().reason(), "NOT_AN_ARTICLE");
  EXPECT_EQ(response.results(5).outcome(), v1::INGEST_OUTCOME_RETRY_LATER);
  EXPECT_EQ(response.results(5).error().retry_delay().seconds(), 3);
  EXPECT_EQ(response.reached(), v1::COMMIT_STAGE_LABELLED);

  // The same again changes nothing.
  ASSERT_OK(Ingest(request, response));
  EXPECT_EQ(response.results(0).outcome(), v1::INGEST_OUTCOME_UNCHANGED);
}

TEST_F(HandlersTest, SearchFindsWhatWasIngestedAndCountsFacets) {
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks [IR]", "The minister spoke of the nuclear talks.");
  *request.add_items()->mutable_article() = NewArticle("two", "Wine [FR]", "A harvest in the south.");
  request.set_wait_for(v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));

  v1::SearchRequest search;
  search.set_query("nuclear talks");
  search.mutable_snippet();
  search.set_min_commit_token(ingested.commit_token());
  v1::SearchResponse response;
  ASSERT_OK(Search(search, response));
  ASSERT_THAT(response.hits(), SizeIs(1));
  EXPECT_EQ(response.hits(0).article().id(), "one");
  EXPECT_EQ(response.total().value(), 1);
  EXPECT_EQ(response.total().relation(), v1::TOTAL_RELATION_EXACT);
  EXPECT_GT(response.hits(0).snippets_size(), 0);
  EXPECT_FALSE(response.commit_token().empty());

  v1::SearchRequest browse;
  browse.add_facets()->set_field("region_code");
  browse.add_region_codes("IR");
  v1::SearchResponse faceted;
  ASSERT_OK(Search(browse, faceted));
  ASSERT_THAT(faceted.hits(), SizeIs(1));
  EXPECT_EQ(faceted.hits(0).article().labels(0).display_name(), "Iran");
  ASSERT_THAT(faceted.facets(), SizeIs(1));
}

TEST_F(HandlersTest, BadSearchesAreInvalidArgumentAndNameTheField) {
  // Unknown ids are known to be unknown once there is a taxonomy.
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks [IR]", "Body");
  request.set_wait_for(v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));

  const std::vector<std::pair<std::string, std::function<void(v1::SearchRequest&)>>> cases = {
      {"region_codes", [](v1::SearchRequest& r) { r.add_region_codes("QQ"); }},
      {"issue_ids", [](v1::SearchRequest& r) { r.add_issue_ids("nonsense"); }},
      {"page_size", [](v1::SearchRequest& r) { r.set_page_size(-1); }},
      {"page_token", [](v1::SearchRequest& r) { r.set_page_token("not a token"); }},
      {"order_by", [](v1::SearchRequest& r) { r.set_order_by("colour"); }},
      {"order_by", [](v1::SearchRequest& r) { r.set_order_by("Relevance"); }},
      {"order_by", [](v1::SearchRequest& r) { r.set_order_by("relevance desc"); }},
      {"language_code", [](v1::SearchRequest& r) { r.set_language_code("x"); }},
      {"display_language", [](v1::SearchRequest& r) { r.set_display_language("not a tag"); }},
      {"filter", [](v1::SearchRequest& r) { r.set_filter("country ="); }},
      {"query", [](v1::SearchRequest& r) { r.set_query(std::string(5'000, 'a')); }},
      {"skip", [](v1::SearchRequest& r) { r.set_skip(-3); }},
      {"facets", [](v1::SearchRequest& r) { r.add_facets()->set_field("shoe_size"); }},
      {"min_commit_token", [](v1::SearchRequest& r) { r.set_min_commit_token("???"); }},
      {"selections",
       [](v1::SearchRequest& r) {
         for (int i = 0; i < 1'001; ++i) {
           if (i % 100 == 0) r.add_selections()->set_field("source");
           r.mutable_selections(i / 100)->add_values(absl::StrCat(i));
         }
       }},
  };
  for (const auto& [field, set] : cases) {
    v1::SearchRequest search;
    set(search);
    v1::SearchResponse response;
    const absl::Status status = Search(search, response);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field))) << field;
    EXPECT_GT(common::FieldViolationsOf(status).size(), 0U) << field;
  }
  v1::SearchRequest huge;
  huge.set_page_size(1'000'000);
  v1::SearchResponse response;
  EXPECT_OK(Search(huge, response));
}

// Words as a query has them: "w0 w1".
std::string Words(size_t count) {
  std::string words;
  for (size_t i = 0; i < count; ++i) absl::StrAppend(&words, i == 0 ? "w" : " w", i);
  return words;
}

// What is stated in search_service.proto: as many are taken, and one more is an error that names the field.
TEST_F(HandlersTest, OneMoreThanAllowedIsAnErrorThatNamesTheField) {
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks [IR]", "Body");
  request.set_wait_for(v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));

  struct Limit {
    const char* field;
    int allowed;
    std::function<void(v1::SearchRequest&, int)> set;
  };
  const auto repeated = [](int count, const std::function<void()>& add) {
    for (int i = 0; i < count; ++i) add();
  };
  const std::vector<Limit> limits = {
      {"query", 1'000, [](v1::SearchRequest& r, int n) { r.set_query(std::string(static_cast<size_t>(n), 'a')); }},
      {"query", 64, [](v1::SearchRequest& r, int n) { r.set_query(Words(static_cast<size_t>(n))); }},
      {"filter", 2'048,
       [](v1::SearchRequest& r, int n) { r.set_filter("source=" + std::string(static_cast<size_t>(n - 7), 'x')); }},
      {"filter", 64,
       [&](v1::SearchRequest& r, int n) { repeated(n, [&r] { r.mutable_filter()->append("(year=2026)"); }); }},
      {"filter", 31,
       [](v1::SearchRequest& r, int n) {
         const auto depth = static_cast<size_t>(n);
         r.set_filter(std::string(depth, '(') + "year=2026" + std::string(depth, ')'));
       }},
      {"region_codes", 100, [&](v1::SearchRequest& r, int n) { repeated(n, [&r] { r.add_region_codes("IR"); }); }},
      {"group_ids", 100, [&](v1::SearchRequest& r, int n) { repeated(n, [&r] { r.add_group_ids("gcc"); }); }},
      {"issue_ids", 100, [&](v1::SearchRequest& r, int n) { repeated(n, [&r] { r.add_issue_ids("geopolitics"); }); }},
      {"selections", 100,
       [&](v1::SearchRequest& r, int n) {
         repeated(n, [&r] {
           r.add_selections()->set_field("source");
           r.mutable_selections()->rbegin()->add_values("x");
         });
       }},
      {"selections[0].values", 100,
       [&](v1::SearchRequest& r, int n) {
         v1::Selection& selection = *r.add_selections();
         selection.set_field("source");
         repeated(n, [&] { selection.add_values("x"); });
       }},
      {"selections", 1'000,
       [&](v1::SearchRequest& r, int n) {
         repeated(11, [&r] { r.add_selections()->set_field("source"); });
         for (int i = 0; i < n; ++i) r.mutable_selections(i % 11)->add_values("x");
       }},
      {"skip", 1'000, [](v1::SearchRequest& r, int n) { r.set_skip(n); }},
      {"facets", 20, [&](v1::SearchRequest& r, int n) { repeated(n, [&r] { r.add_facets()->set_field("source"); }); }},
      {"facets[0].limit", 1'000,
       [](v1::SearchRequest& r, int n) {
         r.add_facets()->set_field("source");
         r.mutable_facets(0)->set_limit(n);
       }},
      {"facets[0].prefix", 256,
       [](v1::SearchRequest& r, int n) {
         r.add_facets()->set_field("source");
         r.mutable_facets(0)->set_prefix(std::string(static_cast<size_t>(n), 'x'));
       }},
      {"snippet.max_bytes", 2'000, [](v1::SearchRequest& r, int n) { r.mutable_snippet()->set_max_bytes(n); }},
      {"snippet.max_snippets", 10, [](v1::SearchRequest& r, int n) { r.mutable_snippet()->set_max_snippets(n); }},
      {"collapse.max_alternates", 10,
       [](v1::SearchRequest& r, int n) {
         r.mutable_collapse()->set_kind(v1::COLLAPSE_KIND_SOURCE);
         r.mutable_collapse()->set_max_alternates(n);
       }},
      {"ranking.freshness_weight", 1,
       [](v1::SearchRequest& r, int n) {
         r.mutable_ranking()->mutable_freshness_half_life()->set_seconds(1);
         r.mutable_ranking()->set_freshness_weight(n);
       }},
      {"ranking.label_weight", 1, [](v1::SearchRequest& r, int n) { r.mutable_ranking()->set_label_weight(n); }},
      {"ignored_interpretations", 64,
       [&](v1::SearchRequest& r, int n) { repeated(n, [&r] { r.add_ignored_interpretations("country:IR"); }); }},
      {"min_label_score", 1, [](v1::SearchRequest& r, int n) { r.set_min_label_score(n); }},
  };
  for (const Limit& limit : limits) {
    for (const int more : {0, 1}) {
      v1::SearchRequest search;
      limit.set(search, limit.allowed + more);
      v1::SearchResponse response;
      const absl::Status status = Search(search, response);
      const std::vector<common::FieldViolation> violations = common::FieldViolationsOf(status);
      const bool refused = !violations.empty() && violations[0].field == limit.field;
      EXPECT_EQ(refused, more == 1) << limit.field << " " << limit.allowed + more << ": " << status;
      if (more == 1) {
        EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(limit.field)));
      }
    }
  }
  const std::vector<std::pair<const char*, std::function<void(v1::SearchRequest&)>>> below = {
      {"page_size", [](v1::SearchRequest& r) { r.set_page_size(-1); }},
      {"skip", [](v1::SearchRequest& r) { r.set_skip(-1); }},
      {"facets[0].limit",
       [](v1::SearchRequest& r) {
         r.add_facets()->set_field("source");
         r.mutable_facets(0)->set_limit(-1);
       }},
      {"snippet.max_bytes", [](v1::SearchRequest& r) { r.mutable_snippet()->set_max_bytes(39); }},
      {"snippet.max_snippets", [](v1::SearchRequest& r) { r.mutable_snippet()->set_max_snippets(-1); }},
      {"collapse.max_alternates",
       [](v1::SearchRequest& r) {
         r.mutable_collapse()->set_kind(v1::COLLAPSE_KIND_SOURCE);
         r.mutable_collapse()->set_max_alternates(-1);
       }},
      {"ranking.freshness_half_life",
       [](v1::SearchRequest& r) { r.mutable_ranking()->mutable_freshness_half_life()->set_nanos(999'999'999); }},
      {"ranking.label_weight", [](v1::SearchRequest& r) { r.mutable_ranking()->set_label_weight(-0.1); }},
      {"min_label_score", [](v1::SearchRequest& r) { r.set_min_label_score(-0.1); }},
      {"selections[0].values", [](v1::SearchRequest& r) { r.add_selections()->set_field("source"); }},
      {"collapse.kind", [](v1::SearchRequest& r) { r.mutable_collapse(); }},
  };
  for (const auto& [field, set] : below) {
    v1::SearchRequest search;
    set(search);
    v1::SearchResponse response;
    const absl::Status status = Search(search, response);
    ASSERT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
    EXPECT_EQ(common::FieldViolationsOf(status).at(0).field, field);
  }
}

TEST_F(HandlersTest, OtherReadsHaveTheirLimitsToo) {
  const auto field_of = [](const absl::Status& status) {
    const std::vector<common::FieldViolation> violations = common::FieldViolationsOf(status);
    return violations.empty() ? std::string() : violations[0].field;
  };
  v1::BatchGetArticlesRequest batch;
  for (int i = 0; i < 100; ++i) batch.add_ids("a");
  v1::BatchGetArticlesResponse batch_response;
  EXPECT_OK(Call(*search_, &v1::SearchService::Stub::BatchGetArticles, batch, batch_response));
  batch.add_ids("a");
  EXPECT_EQ(field_of(Call(*search_, &v1::SearchService::Stub::BatchGetArticles, batch, batch_response)), "ids");

  v1::SuggestRequest suggest;
  v1::SuggestResponse suggest_response;
  suggest.set_query(std::string(256, 'a'));
  EXPECT_OK(Call(*search_, &v1::SearchService::Stub::Suggest, suggest, suggest_response));
  suggest.set_query(std::string(257, 'a'));
  EXPECT_EQ(field_of(Call(*search_, &v1::SearchService::Stub::Suggest, suggest, suggest_response)), "query");

  v1::FindSimilarArticlesRequest similar;
  v1::FindSimilarArticlesResponse similar_response;
  similar.set_text(std::string(100'000, 'a'));
  EXPECT_OK(Call(*search_, &v1::SearchService::Stub::FindSimilarArticles, similar, similar_response));
  similar.set_page_size(-1);
  EXPECT_EQ(field_of(Call(*search_, &v1::SearchService::Stub::FindSimilarArticles, similar, similar_response)),
            "page_size");
  similar.set_page_size(0);
  similar.set_text(std::string(100'001, 'a'));
  EXPECT_EQ(field_of(Call(*search_, &v1::SearchService::Stub::FindSimilarArticles, similar, similar_response)), "text");

  v1::AnalyzeTrendsRequest trends;
  v1::AnalyzeTrendsResponse trends_response;
  trends.set_page_size(10'000);
  trends.add_dimensions("region_code");
  trends.add_dimensions("source");
  EXPECT_OK(Call(*search_, &v1::SearchService::Stub::AnalyzeTrends, trends, trends_response));
  trends.set_page_size(10'001);
  EXPECT_EQ(field_of(Call(*search_, &v1::SearchService::Stub::AnalyzeTrends, trends, trends_response)), "page_size");
  trends.set_page_size(0);
  trends.add_dimensions("issue_id");
  EXPECT_EQ(field_of(Call(*search_, &v1::SearchService::Stub::AnalyzeTrends, trends, trends_response)), "dimensions");

  v1::ListArticlesRequest list;
  v1::ListArticlesResponse list_response;
  list.set_page_size(-1);
  EXPECT_EQ(field_of(Call(*search_, &v1::SearchService::Stub::ListArticles, list, list_response)), "page_size");
}

// An index on which one search can be made to take long.
class HeavySearchTest : public HandlersTest {
 protected:
  static constexpr int kArticles = 1'500;
  static constexpr int kFacets = 20;  // Each with a selection, and so counted by a search of its own.

  HeavySearchTest() {
    for (int i = 0; i < kArticles; ++i) {
      Article article;
      article.id = absl::StrCat("a", i);
      article.title = "Heavy";
      article.body = Words(60);
      for (int k = 0; k < kFacets; ++k) article.attributes[absl::StrCat("f", k)] = {"v"};
      engine_->Ingest(std::move(article), {}, [](const IngestResult& result) { EXPECT_OK(result.error); });
    }
    v1::IngestArticlesRequest request;
    *request.add_items()->mutable_article() = NewArticle("last", "Light", "last of all");
    request.set_wait_for(v1::COMMIT_STAGE_LABELLED);
    v1::IngestArticlesResponse ingested;
    EXPECT_OK(Ingest(request, ingested));
  }

  static v1::SearchRequest Heavy() {
    v1::SearchRequest search;
    std::string words = Words(60);
    for (size_t at = words.find(' '); at != std::string::npos; at = words.find(' ', at + 4))
      words.replace(at, 1, " OR ");
    search.set_query(words);
    for (int k = 0; k < kFacets; ++k) {
      const std::string field = absl::StrCat("attributes.f", k);
      search.add_facets()->set_field(field);
      v1::Selection& selection = *search.add_selections();
      selection.set_field(field);
      selection.add_values("v");
    }
    return search;
  }
  absl::Duration TimeOf(const v1::SearchRequest& search, int64_t total) {
    const absl::Time start = absl::Now();
    v1::SearchResponse response;
    EXPECT_OK(Search(search, response));
    EXPECT_EQ(response.total().value(), total);
    return absl::Now() - start;
  }
  static v1::SearchRequest Light() {
    v1::SearchRequest search;
    search.set_query("last");
    return search;
  }

  using RunningSearch = Running<v1::SearchRequest, v1::SearchResponse>;
  std::vector<std::unique_ptr<RunningSearch>> Begin(int count, absl::Duration patience) {
    std::vector<std::unique_ptr<RunningSearch>> calls;
    for (int i = 0; i < count; ++i) {
      RunningSearch& call = *calls.emplace_back(std::make_unique<RunningSearch>());
      call.request = Heavy();
      call.context.set_deadline(absl::ToChronoTime(absl::Now() + patience));
      search_->async()->Search(&call.context, &call.request, &call.response,
                               [&call](grpc::Status status) { call.Done(std::move(status)); });
    }
    return calls;
  }
};

TEST_F(HeavySearchTest, ADeadlineOrACallerWhoLeavesFreesTheThreads) {
  const absl::Duration heavy = TimeOf(Heavy(), kArticles);
  ASSERT_GT(heavy, absl::Milliseconds(40)) << "the search is too light to tell anything";
  // Three for each of the four threads. If they ran to their ends, what comes behind them would wait for so long.
  const auto late = Begin(12, absl::Milliseconds(5));
  for (const auto& call : late) EXPECT_THAT(call->Wait(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  const absl::Duration behind_late = TimeOf(Light(), 1);
  EXPECT_LT(behind_late, heavy);

  const auto left = Begin(12, kPatience);
  for (const auto& call : left) call->context.TryCancel();
  for (const auto& call : left) EXPECT_THAT(call->Wait(), StatusIs(absl::StatusCode::kCancelled));
  const absl::Duration behind_left = TimeOf(Light(), 1);
  EXPECT_LT(behind_left, heavy);
  RecordProperty("heavy", absl::FormatDuration(heavy));
  RecordProperty("behind_late", absl::FormatDuration(behind_late));
  RecordProperty("behind_left", absl::FormatDuration(behind_left));
}

TEST_F(HeavySearchTest, WhatIsThereByTheDeadlineIsAFirstPageWhereThatIsWanted) {
  const absl::Duration heavy = TimeOf(Heavy(), kArticles);
  v1::SearchRequest search = Heavy();
  search.set_on_timeout(v1::TIMEOUT_POLICY_RETURN_PARTIAL);
  v1::SearchResponse response;
  absl::Status status;
  // The work ends when three quarters of the time are over; all of it would take twice as long. A busy machine may take
  // the rest away: of several calls one is enough.
  for (int i = 0; i < 20 && (i == 0 || !status.ok()); ++i) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + heavy / 2));
    status = common::rpc::FromGrpcStatus(search_->Search(&context, search, &response));
  }
  ASSERT_OK(status);
  ASSERT_THAT(response.degraded(), SizeIs(1));
  EXPECT_EQ(response.degraded(0).reason(), "TIMEOUT");
  EXPECT_EQ(response.total().relation(), v1::TOTAL_RELATION_LOWER_BOUND);
  EXPECT_THAT(response.facets(), SizeIs(kFacets));
  for (const v1::FacetResult& facet : response.facets()) EXPECT_FALSE(facet.exact());
}

TEST_F(HeavySearchTest, PagesAreOfAHundredAndAThousandHitsDeepAtMost) {
  v1::SearchRequest search;
  search.set_query("heavy");
  search.set_page_size(101);
  v1::SearchResponse response;
  ASSERT_OK(Search(search, response));
  EXPECT_THAT(response.hits(), SizeIs(100));
  search.set_skip(995);
  ASSERT_OK(Search(search, response));
  EXPECT_THAT(response.hits(), SizeIs(5));
  EXPECT_EQ(response.next_page_token(), "");
  EXPECT_EQ(response.total().value(), kArticles);
}

TEST_F(HandlersTest, ADeadlineIsAnsweredAsSuchAndInTimeWhereAPartialAnswerIsWanted) {
  const common::MutexLock hold(visibility_);
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Title", "Body");
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  v1::SearchRequest search;
  search.set_min_commit_token(ingested.commit_token());
  search.set_on_timeout(v1::TIMEOUT_POLICY_RETURN_PARTIAL);
  v1::SearchResponse response;
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(1)));
  // The message is the server's: it came before the client gave up by itself.
  EXPECT_THAT(common::rpc::FromGrpcStatus(search_->Search(&context, search, &response)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("min_commit_token")));
}

TEST_F(HandlersTest, SearchesThatWaitLeaveThreadsToThoseThatDoNot) {
  const common::MutexLock hold(visibility_);
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Title", "Body");
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  std::vector<absl::StatusCode> codes(2);
  std::vector<std::thread> callers;
  for (absl::StatusCode& code : codes) {
    callers.emplace_back([this, &ingested, &code] {
      v1::SearchRequest search;
      search.set_min_commit_token(ingested.commit_token());
      v1::SearchResponse response;
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(2)));
      code = common::rpc::FromGrpcStatus(search_->Search(&context, search, &response)).code();
    });
  }
  v1::SearchResponse response;
  EXPECT_OK(Search({}, response));
  for (std::thread& caller : callers) caller.join();
  EXPECT_THAT(codes, ::testing::UnorderedElementsAre(absl::StatusCode::kDeadlineExceeded,
                                                     absl::StatusCode::kResourceExhausted));
}

TEST_F(HandlersTest, AFullPageOfLongArticlesIsShortenedToWhatAClientTakes) {
  v1::IngestArticlesRequest request;
  for (int i = 0; i < 6; ++i) {
    *request.add_items()->mutable_article() = NewArticle(absl::StrCat("long-", i), absl::StrCat("Title ", i),
                                                         std::string(900'000, static_cast<char>('a' + i)));
  }
  request.set_wait_for(v1::COMMIT_STAGE_VISIBLE);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  v1::SearchRequest search;
  search.set_view(apb::ARTICLE_VIEW_FULL);
  std::vector<std::string> ids;
  for (int page = 0; page < 6; ++page) {
    v1::SearchResponse response;
    ASSERT_OK(Search(search, response));
    EXPECT_LE(response.ByteSizeLong(), 4'000'000U);
    for (const v1::SearchHit& hit : response.hits()) ids.push_back(hit.article().id());
    if (response.next_page_token().empty()) break;
    search.set_page_token(response.next_page_token());
  }
  EXPECT_THAT(ids, ::testing::UnorderedElementsAre("long-0", "long-1", "long-2", "long-3", "long-4", "long-5"));
}

TEST_F(HandlersTest, ArticlesAreFetchedByIdOrUrlAndGoneOnceDeleted) {
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Title", "Body");
  request.mutable_items(0)->mutable_article()->set_url("https://example.org/story?utm_source=x");
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  for (const std::string id : {"one", "https://example.org/story"}) {
    v1::GetArticleRequest get;
    get.set_id(id);
    v1::GetArticleResponse got;
    ASSERT_OK(Call(*search_, &v1::SearchService::Stub::GetArticle, get, got)) << id;
    EXPECT_EQ(got.article().body(), "Body");
  }
  v1::DeleteArticleRequest wrong_version;
  wrong_version.set_id("one");
  wrong_version.set_etag("other");
  v1::DeleteArticleResponse deleted;
  EXPECT_THAT(Call(*ingest_, &v1::IngestService::Stub::DeleteArticle, wrong_version, deleted),
              StatusIs(absl::StatusCode::kAborted));
  v1::DeleteArticleRequest purge;
  purge.set_id("https://example.org/story");
  purge.set_purge(true);
  ASSERT_OK(Call(*ingest_, &v1::IngestService::Stub::DeleteArticle, purge, deleted));
  EXPECT_EQ(deleted.id(), "one");
  v1::GetArticleRequest get;
  get.set_id("one");
  v1::GetArticleResponse got;
  EXPECT_THAT(Call(*search_, &v1::SearchService::Stub::GetArticle, get, got), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK(Ingest(request, ingested));
  EXPECT_EQ(ingested.results(0).outcome(), v1::INGEST_OUTCOME_REJECTED);
  EXPECT_EQ(ingested.results(0).error().reason(), "PURGED");
}

TEST_F(HandlersTest, WaitsEndBeforeTheDeadlineWithWhatWasReached) {
  labeler_->SetAway(true);
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks [IR]", "Body");
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  v1::WaitForCommitRequest wait;
  wait.set_commit_token(ingested.commit_token());
  wait.set_stage(v1::COMMIT_STAGE_LABELLED);
  v1::WaitForCommitResponse reached;
  {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(2)));
    ASSERT_OK(common::rpc::FromGrpcStatus(ingest_->WaitForCommit(&context, wait, &reached)));
  }
  EXPECT_EQ(reached.reached(), v1::COMMIT_STAGE_VISIBLE);
  labeler_->SetAway(false);
  ASSERT_OK(Call(*ingest_, &v1::IngestService::Stub::WaitForCommit, wait, reached));
  EXPECT_EQ(reached.reached(), v1::COMMIT_STAGE_LABELLED);

  wait.set_commit_token("rubbish");
  EXPECT_THAT(Call(*ingest_, &v1::IngestService::Stub::WaitForCommit, wait, reached),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("commit_token")));
  wait.set_commit_token(EncodeCommitToken({.log_uuid = "00000000-0000-0000-0000-000000000000", .seq = 1}));
  const absl::Status foreign = Call(*ingest_, &v1::IngestService::Stub::WaitForCommit, wait, reached);
  EXPECT_THAT(foreign, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(common::ReasonOf(foreign), "COMMIT_TOKEN_UNKNOWN");
}

TEST_F(HandlersTest, AStreamAcknowledgesEachItemAndSaysHowFarItHasCome) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  const auto stream = ingest_->StreamIngest(&context);
  constexpr int kItems = 40;
  for (int i = 1; i <= kItems; ++i) {
    v1::StreamIngestRequest request;
    request.set_client_sequence(10 * i);
    if (i == 7) {
      request.mutable_article();  // Empty: refused.
    } else if (i == 8) {
      request.mutable_document()->set_content("Page\nwith a body");
    } else {
      *request.mutable_article() = NewArticle(absl::StrCat("item-", i), absl::StrCat("Title ", i), "Body");
    }
    ASSERT_TRUE(stream->Write(request));
  }
  int acks = 0;
  v1::Watermark last;
  v1::StreamIngestResponse response;
  while (last.visible_through() < 10 * kItems && stream->Read(&response)) {
    if (response.has_ack()) {
      ++acks;
      const bool refused = response.ack().client_sequence() == 70;
      EXPECT_EQ(response.ack().outcome(), refused ? v1::INGEST_OUTCOME_REJECTED : v1::INGEST_OUTCOME_CREATED);
      EXPECT_EQ(response.ack().has_error(), refused);
    } else {
      EXPECT_GE(response.watermark().durable_through(), last.durable_through());
      EXPECT_GE(response.watermark().visible_through(), last.visible_through());
      EXPECT_LE(response.watermark().visible_through(), response.watermark().durable_through());
      last = response.watermark();
    }
  }
  EXPECT_EQ(acks, kItems);
  EXPECT_EQ(last.visible_through(), 10 * kItems);
  stream->WritesDone();
  while (stream->Read(&response)) {
  }
  EXPECT_OK(common::rpc::FromGrpcStatus(stream->Finish()));
}

TEST_F(HandlersTest, AStreamThatIsHalfClosedEndsOnceAllIsAnswered) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  const auto stream = ingest_->StreamIngest(&context);
  for (int i = 1; i <= 5; ++i) {
    v1::StreamIngestRequest request;
    request.set_client_sequence(i);
    // The same id each time: taken in order, so that the last one stays.
    *request.mutable_article() = NewArticle("same", absl::StrCat("Version ", i), "Body");
    ASSERT_TRUE(stream->Write(request));
  }
  stream->WritesDone();
  int acks = 0;
  v1::StreamIngestResponse response;
  while (stream->Read(&response)) acks += response.has_ack() ? 1 : 0;
  EXPECT_OK(common::rpc::FromGrpcStatus(stream->Finish()));
  EXPECT_EQ(acks, 5);
  v1::GetArticleRequest get;
  get.set_id("same");
  v1::GetArticleResponse got;
  ASSERT_OK(Call(*search_, &v1::SearchService::Stub::GetArticle, get, got));
  EXPECT_EQ(got.article().title(), "Version 5");
}

TEST_F(HandlersTest, ASequenceThatDoesNotRiseEndsTheStreamAfterWhatCameBefore) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  const auto stream = ingest_->StreamIngest(&context);
  v1::StreamIngestRequest request;
  request.set_client_sequence(5);
  *request.mutable_article() = NewArticle("a", "Title", "Body");
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Write(request));
  int acks = 0;
  v1::StreamIngestResponse response;
  while (stream->Read(&response)) acks += response.has_ack() ? 1 : 0;
  EXPECT_EQ(acks, 1);
  EXPECT_THAT(common::rpc::FromGrpcStatus(stream->Finish()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("client_sequence")));
}

TEST_F(HandlersTest, AnItemOfAStreamThatIsNoMessageIsRefusedByItsNumberAndSparesTheOthers) {
  const auto item = [](int64_t sequence) {
    v1::StreamIngestRequest request;
    request.set_client_sequence(sequence);
    *request.mutable_article() = NewArticle(absl::StrCat("item-", sequence), "Title", "Body");
    return request.SerializeAsString();
  };
  const std::string broken_title("\x08\x02\x12\x03\x22\x01\xff", 7);  // Sequence 2; article.title is no UTF-8.
  const std::string cut_short("\x08\x03\x12\x7f\x22\x01", 6);         // Sequence 3; the article ends too early.
  const StreamAnswers answers = StreamBytes({item(1), broken_title, cut_short, item(4), item(5)});
  EXPECT_OK(answers.status);
  ASSERT_THAT(answers.acks, SizeIs(5));
  std::map<int64_t, v1::IngestAck> acks;
  for (const v1::IngestAck& ack : answers.acks) acks[ack.client_sequence()] = ack;
  for (const int64_t sequence : {1, 4, 5}) {
    EXPECT_EQ(acks[sequence].outcome(), v1::INGEST_OUTCOME_CREATED) << sequence;
  }
  for (const int64_t sequence : {2, 3}) {
    EXPECT_EQ(acks[sequence].outcome(), v1::INGEST_OUTCOME_REJECTED) << sequence;
    EXPECT_EQ(acks[sequence].error().code(), static_cast<int>(absl::StatusCode::kInvalidArgument)) << sequence;
  }
  ASSERT_THAT(acks[2].error().field_violations(), SizeIs(1));
  EXPECT_EQ(acks[2].error().field_violations(0).field(), "article.title");
}

TEST_F(HandlersTest, AnItemOfAStreamWhoseNumberCannotBeToldEndsItAfterWhatCameBefore) {
  v1::StreamIngestRequest request;
  request.set_client_sequence(1);
  *request.mutable_article() = NewArticle("one", "Title", "Body");
  const StreamAnswers answers = StreamBytes({request.SerializeAsString(), "\xff\xff"});
  EXPECT_THAT(answers.status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("StreamIngestRequest")));
  ASSERT_THAT(answers.acks, SizeIs(1));
  EXPECT_EQ(answers.acks[0].outcome(), v1::INGEST_OUTCOME_CREATED);
}

TEST_F(HandlersTest, AnItemOfAStreamBeyondTheSizeOfRequestsDoesNotEndItAsIfAllWereTaken) {
  v1::StreamIngestRequest request;
  request.set_client_sequence(1);
  *request.mutable_article() = NewArticle("one", "Title", std::string(18'000'000, 'x'));
  const StreamAnswers answers = StreamBytes({request.SerializeAsString()});
  EXPECT_THAT(answers.status, StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(HandlersTest, ADocumentWhoseArticleIsTooLargeIsRefusedForGood) {
  v1::IngestArticlesRequest request;
  request.add_items()->mutable_document()->set_content("huge");
  v1::IngestArticlesResponse response;
  ASSERT_OK(Ingest(request, response));
  EXPECT_EQ(response.results(0).outcome(), v1::INGEST_OUTCOME_REJECTED);
  EXPECT_EQ(response.results(0).error().reason(), kReasonResponseTooLarge);
  EXPECT_FALSE(response.results(0).error().has_retry_delay());
}

TEST_F(HandlersTest, ABatchHoldsSixteenMegabytesAndNotAByteMore) {
  v1::IngestArticlesRequest request;
  request.add_items()->mutable_document()->set_content(std::string(16'000'000, 'x'));
  v1::IngestArticlesResponse response;
  ASSERT_OK(Ingest(request, response));
  request.add_items()->mutable_document()->set_content("x");
  const absl::Status status = Ingest(request, response);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("16000001")));
  EXPECT_EQ(common::ReasonOf(status), "BATCH_TOO_LARGE");
}

TEST_F(HandlersTest, ABatchIsAnsweredWithAsManyArticlesAsItsAnswerHolds) {
  v1::IngestArticlesRequest request;
  constexpr int kArticles = 10;
  for (int i = 0; i < kArticles; ++i) {
    *request.add_items()->mutable_article() =
        NewArticle(absl::StrCat("long-", i), absl::StrCat("Title ", i), std::string(500'000, 'a'));
  }
  request.set_view(apb::ARTICLE_VIEW_FULL);
  v1::IngestArticlesResponse response;
  ASSERT_OK(Ingest(request, response));
  EXPECT_LE(response.ByteSizeLong(), 4'000'000U);
  ASSERT_THAT(response.results(), SizeIs(kArticles));
  int shown = 0;
  for (const v1::IngestResult& result : response.results()) {
    EXPECT_EQ(result.outcome(), v1::INGEST_OUTCOME_CREATED);
    shown += result.has_article() ? 1 : 0;
    EXPECT_THAT(result.warnings(), SizeIs(result.has_article() ? 0 : 1));
  }
  EXPECT_EQ(shown, 7);
}

TEST_F(HandlersTest, BatchesThatWaitForLabelsHoldNothingUpAndEndWhenTheyAreCancelled) {
  labeler_->SetAway(true);
  // Several times as many as there are threads.
  std::vector<std::unique_ptr<RunningIngest>> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(BeginIngest(absl::StrCat("a", i), v1::COMMIT_STAGE_LABELLED));
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Title", "Body");
  v1::IngestArticlesResponse response;
  ASSERT_OK(Ingest(request, response));
  EXPECT_EQ(response.results(0).outcome(), v1::INGEST_OUTCOME_CREATED);
  for (int i = 0; i < 10; ++i) {
    calls[i]->context.TryCancel();
    EXPECT_THAT(calls[i]->Wait(), StatusIs(absl::StatusCode::kCancelled));
  }
  labeler_->SetAway(false);
  for (int i = 10; i < 20; ++i) {
    ASSERT_OK(calls[i]->Wait());
    EXPECT_EQ(calls[i]->response.reached(), v1::COMMIT_STAGE_LABELLED);
    ASSERT_THAT(calls[i]->response.results(), SizeIs(1));
    EXPECT_THAT(calls[i]->response.results(0).article().labels(), SizeIs(1));
  }
}

TEST_F(HandlersTest, DocumentsThatWaitForTheClassifierHoldNoArticlesUp) {
  std::vector<std::unique_ptr<RunningIngest>> calls;
  for (int i = 0; i < 8; ++i) {
    auto call = std::make_unique<RunningIngest>();
    call->request.add_items()->mutable_document()->set_content(absl::StrCat("slow page ", i, "\nBody"));
    call->context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    ingest_->async()->IngestArticles(&call->context, &call->request, &call->response,
                                     [c = call.get()](grpc::Status status) { c->Done(std::move(status)); });
    calls.push_back(std::move(call));
  }
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Title", "Body");
  v1::IngestArticlesResponse response;
  ASSERT_OK(Ingest(request, response));
  v1::StreamIngestRequest document;
  document.set_client_sequence(1);
  document.mutable_document()->set_content("page\nBody");
  v1::StreamIngestRequest article;
  article.set_client_sequence(2);
  *article.mutable_article() = NewArticle("two", "Title", "Body");
  const StreamAnswers articles = StreamBytes({article.SerializeAsString()});
  EXPECT_OK(articles.status);
  EXPECT_THAT(articles.acks, SizeIs(1));
  extractor_.Open();
  const StreamAnswers both = StreamBytes({document.SerializeAsString(), article.SerializeAsString()});
  EXPECT_OK(both.status);
  EXPECT_THAT(both.acks, SizeIs(2));
  for (const auto& call : calls) {
    ASSERT_OK(call->Wait());
    EXPECT_EQ(call->response.results(0).outcome(), v1::INGEST_OUTCOME_CREATED);
  }
}

class BusyHandlersTest : public HandlersTest {
 protected:
  BusyHandlersTest() : HandlersTest({.max_streams = 2, .max_batch_bytes = 1'000}) {}
};

TEST_F(BusyHandlersTest, StreamsBeyondTheBoundAreToldToTryAgain) {
  v1::StreamIngestRequest item;
  item.set_client_sequence(1);
  *item.mutable_article() = NewArticle("one", "Title", "Body");
  v1::StreamIngestResponse response;
  std::array<grpc::ClientContext, 2> contexts;
  std::vector<std::unique_ptr<grpc::ClientReaderWriter<v1::StreamIngestRequest, v1::StreamIngestResponse>>> streams;
  for (grpc::ClientContext& context : contexts) {
    context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    streams.push_back(ingest_->StreamIngest(&context));
    ASSERT_TRUE(streams.back()->Write(item));
    ASSERT_TRUE(streams.back()->Read(&response));
  }
  const absl::Status refused = StreamBytes({item.SerializeAsString()}).status;
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_TRUE(common::RetryDelayOf(refused).has_value());
  for (const auto& stream : streams) {
    stream->WritesDone();
    while (stream->Read(&response)) {
    }
    EXPECT_OK(common::rpc::FromGrpcStatus(stream->Finish()));
  }
}

TEST_F(BusyHandlersTest, BatchesBeyondTheBytesThatMayWaitAreToldToTryAgain) {
  RunningIngest slow;
  slow.request.add_items()->mutable_document()->set_content("slow page\nBody");
  slow.context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  ingest_->async()->IngestArticles(&slow.context, &slow.request, &slow.response,
                                   [&slow](grpc::Status status) { slow.Done(std::move(status)); });
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Title", std::string(2'000, 'x'));
  v1::IngestArticlesResponse response;
  extractor_.AwaitSlow();
  const absl::Status status = Ingest(request, response);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_TRUE(common::RetryDelayOf(status).has_value());
  extractor_.Open();
  ASSERT_OK(slow.Wait());
  ASSERT_OK(Ingest(request, response));
}

TEST_F(HandlersTest, AWaitIsAnsweredInTimeHoweverManyOthersWait) {
  labeler_->SetAway(true);
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks [IR]", "Body");
  request.set_wait_for(v1::COMMIT_STAGE_VISIBLE);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  std::vector<std::unique_ptr<RunningWait>> waits;
  for (int i = 0; i < 100; ++i) waits.push_back(BeginWait(ingested.commit_token(), kPatience));
  const auto hasty = BeginWait(ingested.commit_token(), absl::Seconds(1));
  ASSERT_OK(hasty->Wait());
  EXPECT_EQ(hasty->response.reached(), v1::COMMIT_STAGE_VISIBLE);
  labeler_->SetAway(false);
  for (const auto& wait : waits) {
    ASSERT_OK(wait->Wait());
    EXPECT_EQ(wait->response.reached(), v1::COMMIT_STAGE_LABELLED);
  }
}

TEST_F(HandlersTest, AShutdownEndsWaitsWithWhatWasReached) {
  labeler_->SetAway(true);
  const auto batch = BeginIngest("one", v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("two", "Title", "Body");
  request.set_wait_for(v1::COMMIT_STAGE_VISIBLE);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  const auto wait = BeginWait(ingested.commit_token(), kPatience);
  ingest_handler_->DrainStreams();
  ASSERT_OK(wait->Wait());
  EXPECT_EQ(wait->response.reached(), v1::COMMIT_STAGE_VISIBLE);
  ASSERT_OK(batch->Wait());
  ASSERT_THAT(batch->response.results(), SizeIs(1));
  EXPECT_EQ(batch->response.results(0).outcome(), v1::INGEST_OUTCOME_CREATED);
}

TEST_F(HandlersTest, AShutdownAnswersWhatWasReadAndEndsStreamsAsUnavailable) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  const auto stream = ingest_->StreamIngest(&context);
  v1::StreamIngestRequest request;
  request.set_client_sequence(1);
  *request.mutable_article() = NewArticle("a", "Title", "Body");
  ASSERT_TRUE(stream->Write(request));
  v1::StreamIngestResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_ack());
  ingest_handler_->DrainStreams();
  while (stream->Read(&response)) {
  }
  EXPECT_THAT(common::rpc::FromGrpcStatus(stream->Finish()), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(HandlersTest, AClientThatNeverReadsItsAnswersIsHeldBackAndHarmsNobody) {
  grpc::ClientContext context;
  const auto stream = ingest_->StreamIngest(&context);
  // More than a stream holds; writes go on only as far as flow control lets them.
  common::WorkerPool writer({.threads = 1, .queue_limit = 1});
  ASSERT_TRUE(writer.TrySubmit([&stream] {
    for (int i = 1; i <= 20'000; ++i) {
      v1::StreamIngestRequest request;
      request.set_client_sequence(i);
      *request.mutable_article() = NewArticle("flood", absl::StrCat("Title ", i), std::string(2'000, 'x'));
      if (!stream->Write(request)) return;
    }
  }));
  v1::IngestArticlesRequest other;
  *other.add_items()->mutable_article() = NewArticle("other", "Title", "Body");
  v1::IngestArticlesResponse response;
  EXPECT_OK(Ingest(other, response));
  EXPECT_EQ(response.results(0).outcome(), v1::INGEST_OUTCOME_CREATED);
  context.TryCancel();
  writer.Shutdown();
  EXPECT_THAT(common::rpc::FromGrpcStatus(stream->Finish()), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(HandlersTest, ABatchOfIdsIsAnsweredItemByItem) {
  v1::IngestArticlesRequest request;
  for (const char* id : {"one", "two", "three"}) {
    *request.add_items()->mutable_article() = NewArticle(id, "Talks [IR]", std::string(1'900'000, 'x'));
    request.mutable_items()->rbegin()->mutable_article()->set_url(absl::StrCat("https://example.org/", id));
  }
  *request.add_items()->mutable_article() = NewArticle("hidden", "Later", "Body");
  request.mutable_items(3)->mutable_article()->mutable_visible_from()->set_seconds(absl::ToUnixSeconds(absl::Now()) +
                                                                                   3600);
  request.set_wait_for(v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));

  v1::BatchGetArticlesRequest get;
  for (const char* id : {"two", "https://example.org/one", "none", "", "hidden", "two"}) get.add_ids(id);
  v1::BatchGetArticlesResponse response;
  ASSERT_OK(Call(*search_, &v1::SearchService::Stub::BatchGetArticles, get, response));
  ASSERT_THAT(response.results(), SizeIs(6));
  EXPECT_EQ(response.results(0).article().id(), "two");
  EXPECT_EQ(response.results(0).article().labels(0).display_name(), "Iran");
  EXPECT_EQ(response.results(0).article().body(), "");
  EXPECT_EQ(response.results(1).article().id(), "one");
  EXPECT_EQ(response.results(2).error().reason(), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(response.results(3).error().field_violations(0).field(), "ids[3]");
  EXPECT_EQ(response.results(4).error().reason(), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(response.results(5).article().id(), "two");
  EXPECT_FALSE(response.commit_token().empty());

  // What has no room is said to have none; the rest is there.
  get.clear_ids();
  for (const char* id : {"one", "two", "three"}) get.add_ids(id);
  get.set_view(apb::ARTICLE_VIEW_FULL);
  ASSERT_OK(Call(*search_, &v1::SearchService::Stub::BatchGetArticles, get, response));
  EXPECT_EQ(response.results(1).article().body().size(), 1'900'000U);
  EXPECT_EQ(response.results(2).error().reason(), "RESPONSE_TOO_LARGE");

  for (const int count : {0, 101}) {
    get.clear_ids();
    for (int i = 0; i < count; ++i) get.add_ids("one");
    EXPECT_THAT(Call(*search_, &v1::SearchService::Stub::BatchGetArticles, get, response),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ids: holds")));
  }
}

TEST_F(HandlersTest, ListsAndChangesGoPageByPageToTheEnd) {
  v1::IngestArticlesRequest request;
  for (int i = 0; i < 7; ++i) {
    apb::Article& article = *request.add_items()->mutable_article();
    article = NewArticle(absl::StrCat("a", i), i % 2 == 0 ? "Talks [IR]" : "Wine [FR]", absl::StrCat("Body ", i));
    article.set_url(absl::StrCat("https://example.org/", i));
    article.mutable_update_time()->set_seconds(1'700'000'000 + i);
  }
  request.set_wait_for(v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));

  v1::ListArticlesRequest list;
  list.set_page_size(3);
  std::vector<std::string> ids;
  v1::ListArticlesResponse page;
  do {
    ASSERT_OK(Call(*search_, &v1::SearchService::Stub::ListArticles, list, page));
    for (const apb::Article& article : page.articles()) ids.push_back(article.id());
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_THAT(ids, ElementsAre("a0", "a1", "a2", "a3", "a4", "a5", "a6"));
  EXPECT_EQ(page.articles(0).url(), "https://example.org/6");
  EXPECT_EQ(page.articles(0).update_time().seconds(), 1'700'000'006);
  EXPECT_FALSE(page.articles(0).etag().empty());
  EXPECT_FALSE(page.articles(0).content_hash().empty());
  EXPECT_EQ(page.articles(0).title(), "");
  EXPECT_FALSE(page.commit_token().empty());

  v1::DeleteArticleRequest remove;
  remove.set_id("a1");
  v1::DeleteArticleResponse removed;
  ASSERT_OK(Call(*ingest_, &v1::IngestService::Stub::DeleteArticle, remove, removed));
  v1::ListChangesRequest changes;
  changes.set_filter("country = IR");
  changes.set_page_size(2);
  std::vector<std::string> seen;
  v1::ListChangesResponse changed;
  do {
    ASSERT_OK(Call(*ingest_, &v1::IngestService::Stub::ListChanges, changes, changed));
    for (const v1::Change& change : changed.changes()) {
      seen.push_back(absl::StrCat(change.article().id(), " ", v1::ChangeKind_Name(change.kind())));
      EXPECT_TRUE(change.has_change_time());
    }
    changes.set_since_token(changed.next_token());
  } while (changed.next_token() != changed.commit_token());
  EXPECT_THAT(seen, ElementsAre("a0 CHANGE_KIND_CREATED", "a2 CHANGE_KIND_CREATED", "a4 CHANGE_KIND_CREATED",
                                "a6 CHANGE_KIND_CREATED", "a1 CHANGE_KIND_DELETED"));
  EXPECT_EQ(changed.changes(0).article().url(), "https://example.org/1");
  EXPECT_EQ(changed.changes(0).article().ByteSizeLong(),
            changed.changes(0).article().id().size() + changed.changes(0).article().url().size() + 4);
  EXPECT_EQ(changed.commit_token(), removed.commit_token());

  // Nothing is new; an acknowledgement's token is as good.
  ASSERT_OK(Call(*ingest_, &v1::IngestService::Stub::ListChanges, changes, changed));
  EXPECT_THAT(changed.changes(), SizeIs(0));
  changes.set_since_token(removed.commit_token());
  ASSERT_OK(Call(*ingest_, &v1::IngestService::Stub::ListChanges, changes, changed));
  EXPECT_THAT(changed.changes(), SizeIs(0));
}

TEST_F(HandlersTest, ChangesWithBodiesShortenThePageToWhatAnAnswerHolds) {
  v1::IngestArticlesRequest request;
  for (int i = 0; i < 5; ++i) {
    *request.add_items()->mutable_article() =
        NewArticle(absl::StrCat("a", i), "Title", std::string(1'500'000, static_cast<char>('a' + i)));
  }
  request.set_wait_for(v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  v1::ListChangesRequest changes;
  changes.set_view(apb::ARTICLE_VIEW_FULL);
  std::vector<size_t> sizes;
  std::string letters;
  v1::ListChangesResponse changed;
  do {
    ASSERT_OK(Call(*ingest_, &v1::IngestService::Stub::ListChanges, changes, changed));
    EXPECT_LE(changed.ByteSizeLong(), 4'000'000U);
    sizes.push_back(static_cast<size_t>(changed.changes_size()));
    for (const v1::Change& change : changed.changes()) letters.push_back(change.article().body()[0]);
    changes.set_since_token(changed.next_token());
  } while (changed.next_token() != changed.commit_token());
  EXPECT_THAT(sizes, ElementsAre(2U, 2U, 1U));
  EXPECT_EQ(letters, "abcde");
}

TEST_F(HandlersTest, AnEditorsCorrectionIsAnsweredByWhatCountsThen) {
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks [IR]", "Body");
  *request.add_items()->mutable_article() = NewArticle("two", "Talks [IR]", "Body");
  request.set_wait_for(v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  const auto correct = [&](const v1::UpdateArticleLabelsRequest& update, v1::UpdateArticleLabelsResponse& response) {
    return Call(*ingest_, &v1::IngestService::Stub::UpdateArticleLabels, update, response);
  };

  v1::UpdateArticleLabelsRequest update;
  update.set_id("one");
  update.add_add()->set_region_code("FR");
  update.mutable_add(0)->set_primary(true);
  update.mutable_add(0)->set_source(apb::LABEL_SOURCE_CLASSIFIER);  // As it was returned.
  update.add_remove()->set_region_code("IR");
  update.add_replace_dimensions(v1::LABEL_DIMENSION_ISSUE);
  v1::UpdateArticleLabelsResponse updated;
  ASSERT_OK(correct(update, updated));
  ASSERT_THAT(updated.article().labels(), SizeIs(1));
  EXPECT_EQ(updated.article().labels(0).region_code(), "FR");
  EXPECT_EQ(updated.article().labels(0).source(), apb::LABEL_SOURCE_EDITOR);
  EXPECT_EQ(updated.article().labels(0).display_name(), "France");
  EXPECT_TRUE(updated.article().labels(0).primary());
  EXPECT_THAT(updated.replaced_dimensions(), ElementsAre(v1::LABEL_DIMENSION_ISSUE));
  v1::SearchRequest search;
  search.add_region_codes("IR");
  search.set_min_commit_token(updated.commit_token());
  v1::SearchResponse found;
  ASSERT_OK(Search(search, found));
  ASSERT_THAT(found.hits(), SizeIs(1));
  EXPECT_EQ(found.hits(0).article().id(), "two");

  // What an editor said, rejections too.
  v1::GetArticleRequest get;
  get.set_id("one");
  get.add_label_sources(apb::LABEL_SOURCE_EDITOR);
  v1::GetArticleResponse got;
  ASSERT_OK(Call(*search_, &v1::SearchService::Stub::GetArticle, get, got));
  ASSERT_THAT(got.article().labels(), SizeIs(2));
  EXPECT_EQ(got.article().labels(0).state(), apb::Label::STATE_APPLIED);
  EXPECT_EQ(got.article().labels(1).region_code(), "IR");
  EXPECT_EQ(got.article().labels(1).state(), apb::Label::STATE_REJECTED);
  EXPECT_THAT(got.replaced_dimensions(), ElementsAre(v1::LABEL_DIMENSION_ISSUE));
  EXPECT_EQ(got.article().etag(), updated.article().etag());
  v1::ListArticlesRequest list;
  list.add_label_sources(apb::LABEL_SOURCE_EDITOR);
  v1::ListArticlesResponse listed;
  ASSERT_OK(Call(*search_, &v1::SearchService::Stub::ListArticles, list, listed));
  ASSERT_THAT(listed.articles(), SizeIs(1));
  EXPECT_EQ(listed.articles(0).id(), "one");

  update.set_etag("another");
  EXPECT_THAT(correct(update, updated), StatusIs(absl::StatusCode::kAborted));
  update.clear_etag();
  update.set_id("none");
  EXPECT_THAT(correct(update, updated), StatusIs(absl::StatusCode::kNotFound));

  const std::vector<std::pair<std::string, std::function<void(v1::UpdateArticleLabelsRequest&)>>> cases = {
      {"id: ", [](auto& r) { r.clear_id(); }},
      {"add: ", [](auto& /*r*/) {}},
      {"add[0]: ", [](auto& r) { r.add_add(); }},
      {"add[0].region_code: ", [](auto& r) { r.add_add()->set_region_code("QQ"); }},
      {"remove[1].issue_id: ",
       [](auto& r) {
         r.add_remove()->set_region_code("IR");
         r.add_remove()->set_issue_id("nonsense");
       }},
      {"add[0].state: ",
       [](auto& r) {
         r.add_add()->set_region_code("IR");
         r.mutable_add(0)->set_state(apb::Label::STATE_REJECTED);
       }},
      {"clear[0].region_code: ",
       [](auto& r) {
         r.add_add()->set_region_code("IR");
         r.add_clear()->set_region_code("IR");
       }},
      {"replace_dimensions[0]: ", [](auto& r) { r.add_replace_dimensions(static_cast<v1::LabelDimension>(9)); }},
      {"restore_dimensions[0]: ", [](auto& r) { r.add_restore_dimensions(v1::LABEL_DIMENSION_UNSPECIFIED); }},
  };
  for (const auto& [message, set] : cases) {
    v1::UpdateArticleLabelsRequest bad;
    bad.set_id("one");
    set(bad);
    EXPECT_THAT(correct(bad, updated), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message))) << message;
  }
}

TEST_F(HandlersTest, BadListsAreInvalidArgumentAndNameTheField) {
  const auto list_error = [&](const std::function<void(v1::ListArticlesRequest&)>& set) {
    v1::ListArticlesRequest request;
    set(request);
    v1::ListArticlesResponse response;
    return Call(*search_, &v1::SearchService::Stub::ListArticles, request, response);
  };
  const auto changes_error = [&](const std::function<void(v1::ListChangesRequest&)>& set) {
    v1::ListChangesRequest request;
    set(request);
    v1::ListChangesResponse response;
    return Call(*ingest_, &v1::IngestService::Stub::ListChanges, request, response);
  };
  const auto invalid = [](const std::string& field) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(absl::StrCat(field, ": ")));
  };
  EXPECT_THAT(list_error([](auto& r) { r.set_page_size(-1); }), invalid("page_size"));
  EXPECT_THAT(list_error([](auto& r) { r.set_filter("colour = red"); }), invalid("filter"));
  EXPECT_THAT(list_error([](auto& r) { r.set_page_token("nonsense"); }), invalid("page_token"));
  EXPECT_THAT(list_error([](auto& r) { r.add_label_sources(static_cast<apb::LabelSource>(9)); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("label_sources[0]: ")));
  EXPECT_THAT(changes_error([](auto& r) { r.set_page_size(-1); }), invalid("page_size"));
  EXPECT_THAT(changes_error([](auto& r) { r.set_filter("source ="); }), invalid("filter"));
  EXPECT_THAT(changes_error([](auto& r) { r.set_since_token("nonsense"); }), invalid("since_token"));
  EXPECT_THAT(changes_error([](auto& r) { r.set_view(static_cast<apb::ArticleView>(77)); }), invalid("view"));
  EXPECT_THAT(changes_error([](auto& r) {
                r.set_since_token(EncodeCommitToken({"another", 3}));
              }),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("since_token")));
}

TEST_F(HandlersTest, SimilarArticlesAndTrendsAreAnswered) {
  v1::IngestArticlesRequest ingest;
  *ingest.add_items()->mutable_article() = NewArticle("one", "Canal treaty in Iran", "The canal treaty was signed");
  *ingest.add_items()->mutable_article() = NewArticle("two", "Canal treaty", "A canal treaty is to be signed");
  ingest.set_wait_for(v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(ingest, ingested));
  v1::FindSimilarArticlesRequest like;
  v1::FindSimilarArticlesResponse similar;
  EXPECT_THAT(Call(*search_, &v1::SearchService::Stub::FindSimilarArticles, like, similar),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("like")));
  like.set_id("one");
  ASSERT_OK(Call(*search_, &v1::SearchService::Stub::FindSimilarArticles, like, similar));
  ASSERT_EQ(similar.hits_size(), 1);
  EXPECT_EQ(similar.hits(0).article().id(), "two");
  EXPECT_FALSE(similar.commit_token().empty());
  v1::AnalyzeTrendsRequest trends;
  trends.add_dimensions("region_code");
  trends.set_query("canal");
  v1::AnalyzeTrendsResponse counts;
  ASSERT_OK(Call(*search_, &v1::SearchService::Stub::AnalyzeTrends, trends, counts));
  EXPECT_FALSE(counts.commit_token().empty());
  trends.set_bucket(static_cast<v1::TrendBucket>(99));
  EXPECT_THAT(Call(*search_, &v1::SearchService::Stub::AnalyzeTrends, trends, counts),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bucket")));
}

TEST_F(HandlersTest, ArticlesAreTaggedAgainOnOrder) {
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks in Iran", "Body");
  request.set_wait_for(v1::COMMIT_STAGE_LABELLED);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  v1::RelabelArticlesRequest order;
  order.set_filter("nonsense = 1");
  v1::RelabelArticlesResponse relabel;
  EXPECT_THAT(Call(*admin_, &v1::SearchAdminService::Stub::RelabelArticles, order, relabel),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("filter")));
  order.set_filter("");
  order.set_validate_only(true);
  ASSERT_OK(Call(*admin_, &v1::SearchAdminService::Stub::RelabelArticles, order, relabel));
  EXPECT_EQ(relabel.job().method(), "RelabelArticles");
  v1::GetJobRequest which;
  which.set_id(relabel.job().id());
  v1::GetJobResponse job;
  do {
    ASSERT_OK(Call(*admin_, &v1::SearchAdminService::Stub::GetJob, which, job));
  } while (!job.job().has_end_time());
  EXPECT_EQ(job.job().state(), v1::JOB_STATE_SUCCEEDED) << job.job().error();
  EXPECT_EQ(job.job().relabel_report().article_count(), 1);
  EXPECT_EQ(job.job().relabel_report().changed_article_count(), 0);
}

TEST_F(HandlersTest, JobsAreOrderedWatchedAndListed) {
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks", "Body");
  request.set_wait_for(v1::COMMIT_STAGE_VISIBLE);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  v1::CompactIndexResponse compact;
  ASSERT_OK(Call(*admin_, &v1::SearchAdminService::Stub::CompactIndex, v1::CompactIndexRequest(), compact));
  EXPECT_EQ(compact.job().method(), "CompactIndex");
  EXPECT_FALSE(compact.commit_token().empty());
  v1::CheckIndexRequest full;
  full.set_full(true);
  v1::CheckIndexResponse check;
  ASSERT_OK(Call(*admin_, &v1::SearchAdminService::Stub::CheckIndex, full, check));
  v1::GetJobRequest which;
  which.set_id(check.job().id());
  v1::GetJobResponse job;
  do {
    ASSERT_OK(Call(*admin_, &v1::SearchAdminService::Stub::GetJob, which, job));
  } while (!job.job().has_end_time());
  EXPECT_EQ(job.job().state(), v1::JOB_STATE_SUCCEEDED) << job.job().error();
  EXPECT_EQ(job.job().message(), "no damage found; the index has all 1 article");
  v1::ListJobsRequest list;
  list.set_page_size(1);
  v1::ListJobsResponse page;
  ASSERT_OK(Call(*admin_, &v1::SearchAdminService::Stub::ListJobs, list, page));
  ASSERT_EQ(page.jobs_size(), 1);
  EXPECT_EQ(page.jobs(0).id(), check.job().id());
  list.set_page_token(page.next_page_token());
  ASSERT_OK(Call(*admin_, &v1::SearchAdminService::Stub::ListJobs, list, page));
  ASSERT_EQ(page.jobs_size(), 1);
  EXPECT_EQ(page.jobs(0).id(), compact.job().id());
  EXPECT_EQ(page.next_page_token(), "");
  v1::CancelJobRequest cancel;
  v1::CancelJobResponse cancelled;
  EXPECT_THAT(Call(*admin_, &v1::SearchAdminService::Stub::CancelJob, cancel, cancelled),
              StatusIs(absl::StatusCode::kInvalidArgument));
  cancel.set_id("job-unknown");
  EXPECT_THAT(Call(*admin_, &v1::SearchAdminService::Stub::CancelJob, cancel, cancelled),
              StatusIs(absl::StatusCode::kNotFound));
  list.set_page_size(101);
  EXPECT_THAT(Call(*admin_, &v1::SearchAdminService::Stub::ListJobs, list, page),
              StatusIs(absl::StatusCode::kInvalidArgument));
  v1::CreateSnapshotRequest name;
  name.set_name("no/such/name");
  v1::CreateSnapshotResponse snapshot;
  EXPECT_THAT(Call(*admin_, &v1::SearchAdminService::Stub::CreateSnapshot, name, snapshot),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(HandlersTest, InfoCountsWhatIsThere) {
  labeler_->SetAway(true);
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks [IR]", "Body");
  request.set_wait_for(v1::COMMIT_STAGE_VISIBLE);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  v1::GetIndexInfoResponse info;
  ASSERT_OK(Call(*admin_, &v1::SearchAdminService::Stub::GetIndexInfo, v1::GetIndexInfoRequest(), info));
  EXPECT_EQ(info.article_count(), 1);
  EXPECT_EQ(info.visible_article_count(), 1);
  EXPECT_EQ(info.pending_article_count(), 1);
  EXPECT_FALSE(info.server_version().empty());
  EXPECT_EQ(info.purged_count(), 0);
  EXPECT_EQ(info.model_version(), "");
  labeler_->SetAway(false);
  request.Clear();
  *request.add_items()->mutable_article() = NewArticle("gone", "Title", "Body");
  v1::IngestArticlesResponse gone;
  ASSERT_OK(Ingest(request, gone));
  v1::DeleteArticleRequest purge;
  purge.set_id("gone");
  purge.set_purge(true);
  v1::DeleteArticleResponse purged;
  ASSERT_OK(Call(*ingest_, &v1::IngestService::Stub::DeleteArticle, purge, purged));
  v1::WaitForCommitRequest wait;
  wait.set_commit_token(ingested.commit_token());
  wait.set_stage(v1::COMMIT_STAGE_LABELLED);
  v1::WaitForCommitResponse reached;
  ASSERT_OK(Call(*ingest_, &v1::IngestService::Stub::WaitForCommit, wait, reached));
  ASSERT_OK(Call(*admin_, &v1::SearchAdminService::Stub::GetIndexInfo, v1::GetIndexInfoRequest(), info));
  EXPECT_GE(info.purged_count(), 1);
  EXPECT_EQ(info.model_version(), "by title");
}

TEST_F(HandlersTest, CachesAreToldWhatAnAnswerDependsOnAndToKeepNothingThatWaitsOrDependsOnTheClock) {
  labeler_->SetAway(true);
  v1::IngestArticlesRequest request;
  *request.add_items()->mutable_article() = NewArticle("one", "Talks [IR]", "Body");
  *request.add_items()->mutable_article() = NewArticle("two", "Talks again", "Body");
  request.set_wait_for(v1::COMMIT_STAGE_VISIBLE);
  v1::IngestArticlesResponse ingested;
  ASSERT_OK(Ingest(request, ingested));
  std::string page_token;
  // "no-store", or the tag.
  const auto caching = [&](const v1::SearchRequest& search) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    v1::SearchResponse response;
    EXPECT_OK(common::rpc::FromGrpcStatus(search_->Search(&context, search, &response)));
    page_token = response.next_page_token();
    const auto& metadata = context.GetServerInitialMetadata();
    const auto no_store = metadata.find("cache-control");
    const auto tag = metadata.find("etag");
    if (no_store != metadata.end()) return std::string(no_store->second.data(), no_store->second.size());
    return tag == metadata.end() ? std::string() : std::string(tag->second.data(), tag->second.size());
  };
  v1::SearchRequest plain;
  plain.set_page_size(1);
  const std::string tag = caching(plain);
  EXPECT_THAT(tag, AllOf(Not(""), Not("no-store")));
  EXPECT_EQ(caching(plain), tag);
  v1::SearchRequest next = plain;
  next.set_page_token(page_token);
  EXPECT_EQ(caching(next), "no-store");
  v1::SearchRequest waiting = plain;
  waiting.set_min_commit_token(ingested.commit_token());
  EXPECT_EQ(caching(waiting), "no-store");
  v1::SearchRequest aging;
  aging.set_query("newer_than:7d");
  EXPECT_EQ(caching(aging), "no-store");

  // With the classifier comes a taxonomy, and other names: the state is another one.
  labeler_->SetAway(false);
  v1::WaitForCommitRequest wait;
  wait.set_commit_token(ingested.commit_token());
  wait.set_stage(v1::COMMIT_STAGE_LABELLED);
  v1::WaitForCommitResponse reached;
  ASSERT_OK(Call(*ingest_, &v1::IngestService::Stub::WaitForCommit, wait, reached));
  EXPECT_THAT(caching(plain), AllOf(Not(tag), Not("no-store")));

  v1::IngestArticlesRequest embargoed;
  *embargoed.add_items()->mutable_article() = NewArticle("later", "Talks later", "Body");
  embargoed.mutable_items(0)->mutable_article()->mutable_visible_from()->set_seconds(
      absl::ToUnixSeconds(absl::Now() + absl::Hours(1)));
  embargoed.set_wait_for(v1::COMMIT_STAGE_VISIBLE);
  ASSERT_OK(Ingest(embargoed, ingested));
  EXPECT_EQ(caching(plain), "no-store");
}

TEST_F(HandlersTest, AStringThatIsNotUtf8IsInvalidArgument) {
  // Field 1 (query) with a byte that no UTF-8 has.
  const std::string bytes("\x0a\x01\xff", 3);
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::GenericStub stub(channel_);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  grpc::ByteBuffer response;
  common::Mutex mutex;
  common::CondVar answered;
  std::optional<grpc::Status> status;
  stub.UnaryCall(&context, "/dateline.search.v1.SearchService/Search", {}, &request, &response,
                 [&](grpc::Status result) {
                   common::MutexLock lock(mutex);
                   status = std::move(result);
                   answered.NotifyAll();
                 });
  common::MutexLock lock(mutex);
  while (!status.has_value()) answered.Wait(mutex);
  EXPECT_THAT(common::rpc::FromGrpcStatus(*status),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("query"), HasSubstr("UTF-8"))));
}

}  // namespace
}  // namespace dateline::search
