#include "search_service/search_handler.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"

#include "common/error.h"
#include "common/hash.h"
#include "common/language_tag.h"
#include "common/rpc/item_error.h"
#include "common/rpc/unary.h"
#include "common/status_macros.h"
#include "search_service/article_proto.h"
#include "search_service/document_extractor.h"
#include "search_service/search_proto.h"

namespace dateline::search {

namespace apb = article::v1;

namespace {

// Kept back of the caller's time where a partial answer is wanted: hits are still to be read and sent.
constexpr absl::Duration kAnswerTime = absl::Milliseconds(250);

constexpr int kMaxBatchIds = 100;
constexpr size_t kFraming = 16;  // Of a message in an answer, and of the lengths around it.

constexpr absl::Duration kWaitRetryDelay = absl::Milliseconds(500);

absl::Duration AnswerTime(absl::Time now, absl::Time deadline) { return std::min(kAnswerTime, (deadline - now) / 4); }

// For HTTP caches between here and the caller, such as the gateway tells: `etag` says which state the answer is of, and
// what another moment may change without that is not to be kept at all.
void ForbidCaching(const common::rpc::Call& call) { call.context().AddInitialMetadata("cache-control", "no-store"); }
void AllowCaching(const common::rpc::Call& call, absl::string_view state) {
  call.context().AddInitialMetadata("etag", common::Hash128Hex(state));
}

}  // namespace

absl::Status SearchHandler::AwaitToken(const SearchQuery& query) {
  if (query.min_commit_token.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const uint64_t seq, engine_.SeqOf("min_commit_token", query.min_commit_token));
  if (seq <= engine_.visible_seq()) return absl::OkStatus();
  const bool room = waiting_.fetch_add(1) < max_waiting_;
  // What was reached is for the search to say: it looks again.
  if (room) engine_.WaitFor(seq, Progress::kVisible, query.deadline, query.cancelled);
  waiting_.fetch_sub(1);
  if (room) return absl::OkStatus();
  return common::ResourceExhausted("too many searches wait for their min_commit_token; wait with WaitForCommit first",
                                   kWaitRetryDelay);
}

grpc::ServerUnaryReactor* SearchHandler::Search(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::SearchRequest, v1::SearchResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& call, const v1::SearchRequest& in, v1::SearchResponse& out) -> absl::Status {
        const absl::Time start = absl::Now();
        ASSIGN_OR_RETURN(SearchQuery query, FromProto(in));
        query.deadline = call.deadline();
        if (query.partial_on_timeout) {
          const absl::Duration kept_back = AnswerTime(start, call.deadline());
          query.deadline -= kept_back;
          query.passages_until = call.deadline() - kept_back / 2;
        }
        query.cancelled = [&call] { return call.CallerLeft(); };
        RETURN_IF_ERROR(AwaitToken(query));
        ASSIGN_OR_RETURN(SearchResult result, engine_.Search(query));
        while (true) {
          ToProto(result, query, *engine_.taxonomy(), out);
          // Default clients take no longer answer: the page is made shorter, and its token goes on from there.
          if (out.ByteSizeLong() <= common::rpc::kMaxResponseBytes || result.hits.size() <= 1) break;
          out.Clear();
          const size_t fewer = result.hits.size() / 2;
          if (result.degraded) {
            // There is no time for another search: what is cut off goes the way of what was not found.
            result.hits.resize(fewer);
            result.next_page_token.clear();
          } else {
            query.page_size = static_cast<int>(fewer);
            ASSIGN_OR_RETURN(result, engine_.Search(query));
          }
        }
        if (result.degraded || result.incomplete || result.embargoes || result.relative ||
            !in.min_commit_token().empty() || !in.page_token().empty()) {
          ForbidCaching(call);
        } else {
          AllowCaching(call, absl::StrCat(result.commit_token, " ", result.state));
        }
        out.mutable_timing()->set_total_ms(absl::ToDoubleMilliseconds(absl::Now() - start));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchHandler::Suggest(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::SuggestRequest, v1::SuggestResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& call, const v1::SuggestRequest& in, v1::SuggestResponse& out) -> absl::Status {
        ASSIGN_OR_RETURN(const SuggestQuery query, FromProto(in));
        // Before the read: the token must claim nothing that the answer may lack.
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        const std::string taxonomy = engine_.taxonomy()->data().etag;
        ASSIGN_OR_RETURN(const std::vector<Suggestion> suggestions, engine_.Suggest(query));
        ToProto(suggestions, out);
        ASSIGN_OR_RETURN(const bool embargoes, engine_.HasEmbargoes());
        if (embargoes) {
          ForbidCaching(call);
        } else {
          AllowCaching(call, absl::StrCat(out.commit_token(), " ", taxonomy));
        }
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchHandler::GetArticle(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::GetArticleRequest, v1::GetArticleResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& call, const v1::GetArticleRequest& in,
             v1::GetArticleResponse& out) -> absl::Status {
        if (in.id().empty()) return common::InvalidField("id", "is missing; give the article's id or URL");
        ArticleFormat format;
        ASSIGN_OR_RETURN(format.view, ViewFromProto(in.view(), apb::ARTICLE_VIEW_FULL));
        RETURN_IF_ERROR(common::CheckLanguageTag("display_language", in.display_language()));
        format.display_language = in.display_language();
        ASSIGN_OR_RETURN(format.labels.sources, LabelSourcesFromProto(in.label_sources()));
        format.labels.with_rejected = true;
        // Before the read: the token must claim nothing that the answer may lack.
        out.set_commit_token(engine_.TokenOf(engine_.durable_seq()));
        ASSIGN_OR_RETURN(const Article article, engine_.Get(in.id()));
        const std::shared_ptr<const Taxonomy> taxonomy = engine_.taxonomy();
        ToProto(article, format, *taxonomy, *out.mutable_article());
        ToProto(article.replaced_dimensions, *out.mutable_replaced_dimensions());
        // An embargo that ends makes an error an answer, and errors are not kept.
        AllowCaching(call, absl::StrCat(out.commit_token(), " ", taxonomy->data().etag));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchHandler::BatchGetArticles(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::BatchGetArticlesRequest, v1::BatchGetArticlesResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& call, const v1::BatchGetArticlesRequest& in,
             v1::BatchGetArticlesResponse& out) -> absl::Status {
        if (in.ids_size() == 0 || in.ids_size() > kMaxBatchIds) {
          return common::InvalidField(
              "ids", absl::StrCat("holds ", in.ids_size(), " ids; 1 to ", kMaxBatchIds, " are answered"));
        }
        ArticleFormat format;
        ASSIGN_OR_RETURN(format.view, ViewFromProto(in.view(), apb::ARTICLE_VIEW_BASIC));
        RETURN_IF_ERROR(common::CheckLanguageTag("display_language", in.display_language()));
        format.display_language = in.display_language();
        // Before the reads: the token must claim nothing that the answer may lack.
        out.set_commit_token(engine_.TokenOf(engine_.durable_seq()));
        const std::shared_ptr<const Taxonomy> taxonomy = engine_.taxonomy();
        const absl::Status no_room = common::WithReason(
            absl::ResourceExhaustedError("the answer has no room for this article; read it with GetArticle"),
            kReasonResponseTooLarge);
        // Each of the rest may come to need this error.
        const size_t reserved = common::rpc::ToItemError(no_room).ByteSizeLong() + kFraming;
        size_t used = out.ByteSizeLong() + reserved * static_cast<size_t>(in.ids_size());
        bool all = true;
        for (int i = 0; i < in.ids_size(); ++i) {
          if (call.CallerLeft()) return absl::CancelledError("the caller went away");
          if (call.IsCancelled()) return absl::DeadlineExceededError("the deadline came before all articles were read");
          v1::BatchGetArticlesResult& result = *out.add_results();
          absl::StatusOr<Article> article = common::InvalidField(absl::StrCat("ids[", i, "]"), "is empty");
          if (!in.ids(i).empty()) article = engine_.Get(in.ids(i));
          if (article.ok()) {
            ToProto(*article, format, *taxonomy, *result.mutable_article());
            const size_t bytes = result.ByteSizeLong() + kFraming;
            if (used + bytes <= common::rpc::kMaxResponseBytes) {
              used += bytes;
              continue;
            }
            article = no_room;
          }
          all = false;
          *result.mutable_error() = common::rpc::ToItemError(article.status());
        }
        if (all) {
          AllowCaching(call, absl::StrCat(out.commit_token(), " ", taxonomy->data().etag));
        } else {
          ForbidCaching(call);  // The end of an embargo makes an article of an error.
        }
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchHandler::FindSimilarArticles(grpc::CallbackServerContext* context,
                                                             const grpc::ByteBuffer* request,
                                                             grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::FindSimilarArticlesRequest, v1::FindSimilarArticlesResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& call, const v1::FindSimilarArticlesRequest& in,
             v1::FindSimilarArticlesResponse& out) -> absl::Status {
        ASSIGN_OR_RETURN(SimilarQuery query, FromProto(in));
        query.deadline = call.deadline();
        query.cancelled = [&call] { return call.CallerLeft(); };
        // Before the read: the token must claim nothing that the answer may lack.
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        ASSIGN_OR_RETURN(std::vector<Hit> hits, engine_.FindSimilarArticles(query));
        while (true) {
          ToProto(hits, in, query.view, *engine_.taxonomy(), out);
          if (out.ByteSizeLong() <= common::rpc::kMaxResponseBytes || hits.size() <= 1) break;
          out.clear_hits();
          hits.resize(hits.size() / 2);
        }
        ForbidCaching(call);  // Labels and embargoes may change the answer without a commit.
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchHandler::AnalyzeTrends(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::AnalyzeTrendsRequest, v1::AnalyzeTrendsResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& call, const v1::AnalyzeTrendsRequest& in,
             v1::AnalyzeTrendsResponse& out) -> absl::Status {
        ASSIGN_OR_RETURN(TrendQuery query, FromProto(in));
        query.selection.deadline = call.deadline();
        query.selection.cancelled = [&call] { return call.CallerLeft(); };
        RETURN_IF_ERROR(AwaitToken(query.selection));
        ASSIGN_OR_RETURN(const TrendResult result, engine_.AnalyzeTrends(query));
        ToProto(result, out);
        out.set_commit_token(engine_.TokenOf(result.visible_seq));
        ForbidCaching(call);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchHandler::ListArticles(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::ListArticlesRequest, v1::ListArticlesResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& call, const v1::ListArticlesRequest& in,
             v1::ListArticlesResponse& out) -> absl::Status {
        ListQuery query;
        query.filter = in.filter();
        query.page_size = in.page_size();
        query.page_token = in.page_token();
        ASSIGN_OR_RETURN(query.label_sources, LabelSourcesFromProto(in.label_sources()));
        query.deadline = call.deadline();
        query.cancelled = [&call] { return call.CallerLeft(); };
        // Before the read: the token must claim nothing that the answer may lack.
        out.set_commit_token(engine_.TokenOf(engine_.durable_seq()));
        ASSIGN_OR_RETURN(const ArticleList list, engine_.ListArticles(query));
        // A page of the longest ids and URLs fits an answer.
        static_assert(kMaxListSize * (kMaxIdBytes + kMaxUrlBytes + 200) < common::rpc::kMaxResponseBytes);
        ToProto(list, out);
        ForbidCaching(call);  // How far a page comes depends on the time.
        return absl::OkStatus();
      });
}

}  // namespace dateline::search
