#include "search_service/search_handler.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"

#include "common/error.h"
#include "common/rpc/unary.h"
#include "common/status_macros.h"
#include "search_service/article_proto.h"
#include "search_service/search_proto.h"

namespace dateline::search {

namespace apb = article::v1;

grpc::ServerUnaryReactor* SearchHandler::Search(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::SearchRequest, v1::SearchResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& call, const v1::SearchRequest& in, v1::SearchResponse& out) -> absl::Status {
        const absl::Time start = absl::Now();
        ASSIGN_OR_RETURN(SearchQuery query, FromProto(in));
        query.deadline = call.deadline();
        query.cancelled = [&call] { return call.IsCancelled(); };
        while (true) {
          ASSIGN_OR_RETURN(const SearchResult result, engine_.Search(query));
          ToProto(result, query, *engine_.taxonomy(), out);
          // Default clients take no longer answer: the page is made shorter, and its token goes on from there.
          if (out.ByteSizeLong() <= common::rpc::kMaxResponseBytes || result.hits.size() <= 1) break;
          query.page_size = static_cast<int>(result.hits.size() / 2);
          out.Clear();
        }
        out.mutable_timing()->set_total_ms(absl::ToDoubleMilliseconds(absl::Now() - start));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchHandler::Suggest(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::SuggestRequest, v1::SuggestResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::SuggestRequest& in,
             v1::SuggestResponse& out) -> absl::Status {
        ASSIGN_OR_RETURN(const SuggestQuery query, FromProto(in));
        ASSIGN_OR_RETURN(const std::vector<Suggestion> suggestions, engine_.Suggest(query));
        ToProto(suggestions, out);
        out.set_commit_token(engine_.TokenOf(engine_.visible_seq()));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchHandler::GetArticle(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::GetArticleRequest, v1::GetArticleResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::GetArticleRequest& in,
             v1::GetArticleResponse& out) -> absl::Status {
        if (in.id().empty()) return common::InvalidField("id", "is missing; give the article's id or URL");
        ArticleFormat format;
        ASSIGN_OR_RETURN(format.view, ViewFromProto(in.view(), apb::ARTICLE_VIEW_FULL));
        format.display_language = in.display_language();
        ASSIGN_OR_RETURN(format.labels.sources, LabelSourcesFromProto(in.label_sources()));
        ASSIGN_OR_RETURN(const Article article, engine_.Get(in.id()));
        ToProto(article, format, *engine_.taxonomy(), *out.mutable_article());
        out.set_commit_token(engine_.TokenOf(engine_.durable_seq()));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SearchAdminHandler::GetIndexInfo(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return common::rpc::RunUnary<v1::GetIndexInfoRequest, v1::GetIndexInfoResponse>(
      context, request, response, pool_, {},
      [this](const common::rpc::Call& /*call*/, const v1::GetIndexInfoRequest& /*in*/,
             v1::GetIndexInfoResponse& out) -> absl::Status {
        ASSIGN_OR_RETURN(const IndexInfo info, engine_.GetIndexInfo());
        ToProto(info, engine_, out);
        return absl::OkStatus();
      });
}

}  // namespace dateline::search
