#include "search_service/enumeration.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "common/error.h"
#include "common/hash.h"
#include "common/status_macros.h"
#include "search_service/article_store.h"
#include "search_service/filter_match.h"
#include "search_service/query_parser.h"

namespace dateline::search {
namespace {

constexpr absl::Duration kLongestShare = absl::Seconds(1);
constexpr size_t kReadAtOnce = 500;
// Of text: a little more than what an answer can hold.
constexpr size_t kMaxShareBytes = 5'000'000;
constexpr size_t kSelectionHashChars = 12;
constexpr size_t kTokenCheckChars = 8;

// One share: what is wanted, and when it is enough.
class Share {
 public:
  static absl::StatusOr<Share> Begin(const ShareOptions& options, const Taxonomy& taxonomy) {
    if (options.page_size < 0) return common::InvalidField("page_size", "must not be negative");
    ASSIGN_OR_RETURN(QueryNode condition, ParseFilter(options.filter, {.taxonomy = taxonomy}));
    return Share(options, std::move(condition));
  }

  size_t page_size() const { return page_size_; }
  bool has_filter() const { return condition_.kind != QueryNode::Kind::kAll; }

  bool Wants(const Article& article) const {
    if (!options_.include_embargoed && article.visible_from && *article.visible_from > start_) return false;
    return PassesFilter(condition_, article);
  }

  bool IsOver() const { return absl::Now() >= end_; }

  absl::Status CheckCaller() const {
    if (options_.cancelled && options_.cancelled()) return absl::CancelledError("the caller cancelled the call");
    return absl::OkStatus();
  }

 private:
  Share(const ShareOptions& options, QueryNode condition)
      : options_(options),
        condition_(std::move(condition)),
        page_size_(
            static_cast<size_t>(options.page_size == 0 ? kDefaultListSize : std::min(options.page_size, kMaxListSize))),
        start_(absl::Now()),
        end_(start_ + std::min(kLongestShare, (options.deadline - start_) / 2)) {}

  const ShareOptions& options_;
  QueryNode condition_;
  size_t page_size_;
  absl::Time start_;  // Embargoes are judged by it.
  absl::Time end_;
};

// Where a list goes on: the log, the row, and what the list is of.
std::string EncodePageToken(absl::string_view log_uuid, int64_t row, absl::string_view selection) {
  const std::string place =
      absl::StrCat(log_uuid, ".", row, ".", common::Hash128Hex(selection).substr(0, kSelectionHashChars), ".list");
  return absl::WebSafeBase64Escape(absl::StrCat(place, ".", common::Hash128Hex(place).substr(0, kTokenCheckChars)));
}

absl::StatusOr<int64_t> ParsePageToken(absl::string_view text, absl::string_view log_uuid,
                                       absl::string_view selection) {
  constexpr size_t kMaxTokenBytes = 200;
  std::string plain;
  int64_t row = 0;
  if (text.size() > kMaxTokenBytes || !absl::WebSafeBase64Unescape(text, &plain)) {
    return common::InvalidField("page_token", "is not a token of this method");
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(plain, '.');
  const bool formed = parts.size() == 5 && parts[3] == "list" && absl::SimpleAtoi(parts[1], &row) && row >= 0;
  // What the check is of.
  const std::string place = formed ? absl::StrCat(parts[0], ".", row, ".", parts[2], ".list") : std::string();
  // Base64 can be written in several ways. What is not to the letter what was given out was damaged.
  if (!formed || parts[4] != common::Hash128Hex(place).substr(0, kTokenCheckChars) ||
      absl::WebSafeBase64Escape(plain) != text) {
    return common::InvalidField("page_token", "is not a token of this method");
  }
  if (parts[0] != log_uuid) {
    return common::WithReason(
        absl::FailedPreconditionError("page_token: is of another article log; start again from the first page"),
        kReasonPageTokenExpired);
  }
  if (parts[2] != common::Hash128Hex(selection).substr(0, kSelectionHashChars)) {
    return common::InvalidField("page_token", "belongs to another list: filter and label_sources must stay the same");
  }
  return row;
}

// Whether one of the sources has said anything of the article.
bool HasWordFrom(const std::vector<LabelSource>& sources, const Article& article) {
  return std::any_of(sources.begin(), sources.end(), [&](LabelSource source) {
    if (source == LabelSource::kEditor && article.replaced_dimensions != 0) return true;
    return std::any_of(article.labels.begin(), article.labels.end(),
                       [source](const Label& label) { return label.source == source; });
  });
}

// What decides which articles are in a list.
std::string SelectionOf(const ListQuery& query) {
  std::string selection = query.filter;
  for (const LabelSource source : query.label_sources) absl::StrAppend(&selection, "\n", static_cast<int>(source));
  return selection;
}

Parts PartsOf(View view) {
  switch (view) {
    case View::kBasic:
      return Parts::kHead;
    case View::kSnippet:
      return Parts::kEvidence;
    case View::kFull:
      break;
  }
  return Parts::kAll;
}

ChangeKind KindOf(const ArticleStore::LogEntry& entry, uint64_t base) {
  if (entry.stored.deleted) return ChangeKind::kDeleted;
  if (entry.create_seq > base) return ChangeKind::kCreated;
  if (entry.stored.article.content_seq > base) return ChangeKind::kUpdated;
  return entry.correct_seq > base ? ChangeKind::kCorrected : ChangeKind::kRelabelled;
}

}  // namespace

absl::StatusOr<ArticleList> ListArticles(const ArticleStore& store, const Taxonomy& taxonomy, const ListQuery& query) {
  ASSIGN_OR_RETURN(const Share share, Share::Begin(query, taxonomy));
  const std::string selection = SelectionOf(query);
  const bool all = !share.has_filter() && query.label_sources.empty();
  int64_t row = 0;
  if (!query.page_token.empty()) {
    ASSIGN_OR_RETURN(row, ParsePageToken(query.page_token, store.log_uuid(), selection));
  }
  ArticleList list;
  while (true) {
    RETURN_IF_ERROR(share.CheckCaller());
    // One more than is wanted tells whether there are more.
    const size_t count = all ? std::min(kReadAtOnce, share.page_size() - list.articles.size() + 1) : kReadAtOnce;
    ASSIGN_OR_RETURN(std::vector<StoredArticle> heads, store.ReadHeads(row, count));
    for (StoredArticle& stored : heads) {
      if (list.articles.size() == share.page_size()) {
        list.next_page_token = EncodePageToken(store.log_uuid(), row, selection);
        return list;
      }
      row = stored.row;
      if (stored.damaged) {
        // It is there, and is to be sent again: what can be compared is left out.
        if (all) list.articles.emplace_back().id = std::move(stored.article.id);
      } else if ((query.label_sources.empty() || HasWordFrom(query.label_sources, stored.article)) &&
                 share.Wants(stored.article)) {
        list.articles.push_back(std::move(stored.article));
      }
    }
    if (heads.size() < count) return list;
    if (share.IsOver()) {
      list.next_page_token = EncodePageToken(store.log_uuid(), row, selection);
      return list;
    }
  }
}

absl::StatusOr<ChangeList> ListChanges(const ArticleStore& store, const Taxonomy& taxonomy, const ChangeQuery& query) {
  ASSIGN_OR_RETURN(const Share share, Share::Begin(query, taxonomy));
  const Parts parts = PartsOf(query.view);
  ChangeList list;
  list.next = query.since;
  size_t bytes = 0;
  while (true) {
    RETURN_IF_ERROR(share.CheckCaller());
    const size_t count = share.has_filter() ? kReadAtOnce : std::min(kReadAtOnce, share.page_size());
    ASSIGN_OR_RETURN(ArticleStore::LogPage page, store.ReadLog(list.next.seq, count));
    list.log_seq = page.last_seq;
    for (ArticleStore::LogEntry& entry : page.entries) {
      if (list.changes.size() == share.page_size() || bytes >= kMaxShareBytes) return list;
      const uint64_t seq = entry.stored.article.seq;
      const ChangeKind kind = KindOf(entry, query.since.base);
      const bool wanted = entry.stored.deleted || (!entry.stored.damaged && share.Wants(entry.stored.article));
      if (wanted && parts != Parts::kHead && !entry.stored.deleted) {
        ASSIGN_OR_RETURN(std::vector<std::optional<StoredArticle>> whole, store.GetRows({entry.stored.row}, parts));
        // One that has changed meanwhile, or gone, has a later place.
        if (!whole[0] || whole[0]->article.seq != seq) {
          list.next.seq = seq;
          continue;
        }
        entry.stored = *std::move(whole[0]);
      }
      list.next.seq = seq;
      if (!wanted) continue;
      bytes += TextBytes(entry.stored.article);
      list.changes.push_back({kind, entry.change_time, std::move(entry.stored.article)});
    }
    if (page.complete) {
      list.next = {.base = page.last_seq, .seq = page.last_seq};
      return list;
    }
    if (share.IsOver() || list.changes.size() == share.page_size()) return list;
  }
}

}  // namespace dateline::search
