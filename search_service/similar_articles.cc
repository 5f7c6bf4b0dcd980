#include "search_service/similar_articles.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "search_service/article_terms.h"
#include "search_service/engine.h"
#include "search_service/near_duplicates.h"
#include "search_service/query_parser.h"

namespace dateline::search {
namespace {

// Words that are searched for: more of them cost time and hardly move the order.
constexpr size_t kMaxWords = 30;
// Of the text; what is further back says less.
constexpr size_t kMaxReadBytes = 30'000;
constexpr int kTitleWeight = 3;
// What a shared label is worth beside words, of which each brings 2 to 10.
constexpr double kLabelWeight = 1.0;
constexpr size_t kMaxBoosts = 8;
// Hits beyond the page, which take the places of duplicates.
constexpr int kSpareHits = 50;

struct Source {
  int64_t row = 0;  // 0: a text that is not stored.
  Article article;
};

absl::StatusOr<Source> ReadSource(const ArticleStore& store, const SimilarQuery& query) {
  if (query.id.empty() == query.text.empty()) return common::InvalidField("like", "needs an id or a text");
  Source source;
  if (query.id.empty()) {
    if (query.text.size() > kMaxSimilarBytes) {
      return common::InvalidField("text", absl::StrCat("is longer than ", kMaxSimilarBytes, " bytes"));
    }
    if (!common::IsValidUtf8(query.text)) return common::InvalidField("text", "is not valid UTF-8");
    source.article.body = query.text;
    return source;
  }
  if (!common::IsValidUtf8(query.id)) return common::InvalidField("id", "is not valid UTF-8");
  ASSIGN_OR_RETURN(std::optional<StoredArticle> stored, store.Find(query.id, Parts::kBody));
  const bool hidden =
      stored && !query.include_embargoed && stored->article.visible_from && *stored->article.visible_from > absl::Now();
  if (!stored || hidden) {
    return common::WithReason(absl::NotFoundError(absl::StrCat("no article has the id or URL \"", query.id, "\"")),
                              kReasonNotFound);
  }
  source.row = stored->row;
  source.article = std::move(stored->article);
  return source;
}

// Of an article and its near-duplicates the same.
const std::string& StoryOf(const Article& article) {
  return article.duplicate_of.empty() ? article.id : article.duplicate_of;
}

// The words that tell the article from others, the most telling first.
absl::StatusOr<std::vector<QueryNode>> TellingWords(const Article& article, const SearchIndex& index,
                                                    TextAnalyzer& analyzer) {
  struct Count {
    std::string folded;
    int count = 0;
  };
  absl::flat_hash_map<std::string, Count> counts;  // By stem.
  const auto read = [&](absl::string_view text, int weight) {
    for (const Token& token : analyzer.Tokenize(text, article.language_code)) {
      // Of a script without spaces the pairs are the words.
      if (token.single || IsStopWord(token.word->folded)) continue;
      Count& count = counts[token.word->stem];
      if (count.folded.empty()) count.folded = token.word->folded;
      count.count += weight;
    }
  };
  read(article.title, kTitleWeight);
  const absl::string_view body = article.body;
  read(body.substr(0, common::CodePointFloor(body, std::min(body.size(), kMaxReadBytes))), 1);
  std::vector<std::string> stems;
  stems.reserve(counts.size());
  for (const auto& [stem, count] : counts) stems.push_back(stem);
  std::sort(stems.begin(), stems.end());
  ASSIGN_OR_RETURN(const std::vector<int64_t> frequencies, index.StemFrequencies(stems));
  const auto documents = static_cast<double>(std::max<int64_t>(index.document_count(), 1));
  std::vector<std::pair<double, const std::string*>> scored;
  for (size_t i = 0; i < stems.size(); ++i) {
    // What only this one has finds no other.
    if (frequencies[i] < 2) continue;
    const double idf = std::log(1.0 + documents / static_cast<double>(frequencies[i]));
    scored.emplace_back((1.0 + std::log(counts[stems[i]].count)) * idf, &stems[i]);
  }
  std::stable_sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (scored.size() > kMaxWords) scored.resize(kMaxWords);
  std::vector<QueryNode> words;
  for (const auto& [score, stem] : scored) {
    QueryNode& word = words.emplace_back();
    word.kind = QueryNode::Kind::kWord;
    word.words = {counts[*stem].folded};
    word.stems = {*stem};
  }
  return words;
}

}  // namespace

absl::StatusOr<std::vector<Hit>> FindSimilarArticles(const ArticleStore& store, const SearchIndex& index,
                                                     const Taxonomy& taxonomy, TextAnalyzer& analyzer,
                                                     const SimilarQuery& query) {
  if (query.page_size < 0) return common::InvalidField("page_size", "must not be negative");
  const int page_size = query.page_size == 0 ? kDefaultPageSize : std::min(query.page_size, kMaxPageSize);
  const LabelNames names{taxonomy, /*expand_groups=*/false};
  ASSIGN_OR_RETURN(QueryNode condition, ParseFilter(query.filter, names));
  ASSIGN_OR_RETURN(const Source source, ReadSource(store, query));
  ASSIGN_OR_RETURN(std::vector<QueryNode> words, TellingWords(source.article, index, analyzer));
  std::vector<Hit> hits;
  if (words.empty()) return hits;
  MatchRequest request;
  request.query = QueryNode::Or(std::move(words));
  if (condition.kind != QueryNode::Kind::kAll) request.filters.push_back({std::nullopt, std::move(condition)});
  for (const Label& label : EffectiveLabels(source.article)) {
    if (request.boosts.size() == kMaxBoosts) break;
    request.boosts.push_back({QueryNode::Term(FieldOf(label.dimension), label.id), kLabelWeight, "", false});
  }
  if (!query.include_embargoed) request.embargoed_after = absl::ToUnixSeconds(absl::Now());
  request.max_hits = page_size + kSpareHits;
  request.deadline = query.deadline;
  request.cancelled = query.cancelled;
  ASSIGN_OR_RETURN(const MatchResult matches, index.Match(request));

  const Shingles shingles(source.article.body);
  // Each story once, the best hit of it; not the article's own.
  absl::flat_hash_set<std::string> stories;
  if (source.row != 0) stories.insert(StoryOf(source.article));
  for (size_t begin = 0; begin < matches.hits.size() && hits.size() < static_cast<size_t>(page_size);) {
    const size_t end = std::min(matches.hits.size(), begin + static_cast<size_t>(page_size));
    std::vector<int64_t> rows;
    for (size_t i = begin; i < end; ++i) rows.push_back(matches.hits[i].row);
    ASSIGN_OR_RETURN(std::vector<std::optional<StoredArticle>> articles,
                     store.GetRows(rows, query.view == View::kBasic ? Parts::kBody : Parts::kAll));
    for (size_t i = begin; i < end && hits.size() < static_cast<size_t>(page_size); ++i) {
      std::optional<StoredArticle>& other = articles[i - begin];
      if (!other || other->row == source.row) continue;
      Article& article = other->article;
      if (stories.contains(StoryOf(article))) continue;
      RETURN_IF_ERROR(CheckTime(query.deadline, query.cancelled));
      if (shingles.Resemblance(Shingles(article.body)) >= kNearDuplicate) continue;
      if (!query.include_embargoed && article.visible_from && *article.visible_from > absl::Now()) continue;
      stories.insert(StoryOf(article));
      Hit& hit = hits.emplace_back();
      hit.score = matches.hits[i].score;
      article.labels = EffectiveLabels(article);
      if (query.view != View::kFull) article.body.clear();
      hit.article = std::move(article);
    }
    begin = end;
  }
  return hits;
}

}  // namespace dateline::search
