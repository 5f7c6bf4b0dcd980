#include "search_service/suggester.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"

namespace dateline::search {
namespace {

// Titles looked at for one call: a single letter begins a word in most of them.
constexpr size_t kMaxLookedAt = 3'000;
// Names offered before titles, so that both have room.
constexpr size_t kMaxNames = 5;
constexpr size_t kMaxTitleWords = 40;

std::vector<std::string> FoldedWords(absl::string_view text, TextAnalyzer& analyzer) {
  std::vector<std::string> words;
  for (const Token& token : analyzer.Tokenize(text, "")) {
    if (!token.pair) words.push_back(token.word->folded);
    if (words.size() == kMaxTitleWords) break;
  }
  return words;
}

// Every typed word begins a word of the text, in any order.
bool AllBegin(const std::vector<std::string>& typed, const std::vector<std::string>& words) {
  return std::all_of(typed.begin(), typed.end(), [&](const std::string& prefix) {
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string& word) { return absl::StartsWith(word, prefix); });
  });
}

// Where the typed words begin words of `text`: ranges as long as what was typed, where that is a part of the original.
std::vector<TextRange> TypedRanges(absl::string_view text, const std::vector<std::string>& typed,
                                   TextAnalyzer& analyzer) {
  std::vector<TextRange> ranges;
  for (const Token& token : analyzer.Tokenize(text, "")) {
    if (token.pair) continue;
    for (const std::string& prefix : typed) {
      if (!absl::StartsWith(token.word->folded, prefix)) continue;
      // Folding may change lengths; the whole word is lit up then.
      const bool plain = token.word->folded.size() == token.end - token.start;
      const size_t end = plain ? token.start + prefix.size() : token.end;
      ranges.push_back({static_cast<int32_t>(token.start), static_cast<int32_t>(end)});
      break;
    }
  }
  return ranges;
}

}  // namespace

void Suggester::RemoveLocked(int64_t row) {
  const auto found = entries_.find(row);
  if (found == entries_.end()) return;
  for (const std::string& word : found->second.words) words_.erase({word, -row});
  for (const auto& [kind, name] : found->second.names) {
    auto& names = names_[kind];
    const auto known = names.find(name);
    if (known != names.end() && --known->second.article_count <= 0) names.erase(known);
  }
  entries_.erase(found);
}

void Suggester::Remove(int64_t row) {
  const common::MutexLock lock(mutex_);
  RemoveLocked(row);
}

void Suggester::Update(int64_t row, const Article& article) {
  Entry entry;
  entry.title = article.title;
  entry.id = article.id;
  entry.url = article.url;
  entry.publish_time = article.publish_time ? absl::ToUnixSeconds(*article.publish_time) : INT64_MIN;
  entry.visible_from = article.visible_from ? absl::ToUnixSeconds(*article.visible_from) : INT64_MIN;
  std::set<std::pair<SuggestionKind, std::string>> names;
  for (const std::string& author : article.authors) names.emplace(SuggestionKind::kAuthor, author);
  if (!article.source.empty()) names.emplace(SuggestionKind::kSource, article.source);
  for (const Label& label : EffectiveLabels(article)) {
    const SuggestionKind kind = label.dimension == Dimension::kCountry ? SuggestionKind::kCountry
                                : label.dimension == Dimension::kGroup ? SuggestionKind::kGroup
                                                                       : SuggestionKind::kIssue;
    names.emplace(kind, label.id);
  }
  // Under embargo not even the names may show; they do from the article's next change on.
  if (!article.visible_from || *article.visible_from <= absl::Now()) entry.names.assign(names.begin(), names.end());

  const common::MutexLock lock(mutex_);
  RemoveLocked(row);
  entry.words = FoldedWords(article.title, analyzer_);
  for (const std::string& word : entry.words) words_.emplace(word, -row);
  for (const auto& [kind, name] : entry.names) {
    Name& known = names_[kind][name];
    if (known.article_count++ == 0) known.words = FoldedWords(name, analyzer_);
  }
  entries_.emplace(row, std::move(entry));
}

std::vector<Suggestion> Suggester::Suggest(const SuggestQuery& query, const Taxonomy& taxonomy, absl::Time now) const {
  const auto limit = static_cast<size_t>(std::clamp(query.limit, 1, 50));
  const auto wanted = [&](SuggestionKind kind) {
    return query.kinds.empty() || std::find(query.kinds.begin(), query.kinds.end(), kind) != query.kinds.end();
  };
  TextAnalyzer analyzer;
  const std::vector<std::string> typed = FoldedWords(query.prefix, analyzer);
  if (typed.empty()) return {};

  // By name: what begins with the typed text first, then by how many articles carry it.
  std::vector<std::pair<std::tuple<bool, int64_t, std::string>, Suggestion>> names;
  std::vector<std::pair<std::tuple<bool, int64_t, int64_t>, Suggestion>> titles;
  const auto add_name = [&](SuggestionKind kind, std::string text, const std::vector<std::string>& words,
                            std::string id, int64_t count) {
    if (words.empty() || !AllBegin(typed, words)) return;
    const bool first = absl::StartsWith(words.front(), typed.front());
    Suggestion suggestion;
    suggestion.kind = kind;
    suggestion.ranges = TypedRanges(text, typed, analyzer);
    suggestion.id = std::move(id);
    suggestion.article_count = count;
    suggestion.text = text;
    names.emplace_back(std::tuple(!first, -count, std::move(text)), std::move(suggestion));
  };

  const common::MutexLock lock(mutex_);
  const auto count_of = [&](SuggestionKind kind, const std::string& name) ABSL_NO_THREAD_SAFETY_ANALYSIS -> int64_t {
    const auto by_kind = names_.find(kind);
    if (by_kind == names_.end()) return 0;
    const auto found = by_kind->second.find(name);
    return found == by_kind->second.end() ? 0 : found->second.article_count;
  };
  const auto add_taxonomy = [&](SuggestionKind kind, Dimension dimension,
                                const std::vector<TaxonomyEntry>& entries) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (!wanted(kind)) return;
    for (const TaxonomyEntry& entry : entries) {
      if (!entry.replaced_by.empty()) continue;
      std::string text = taxonomy.DisplayName(dimension, entry.id, query.display_language);
      const std::vector<std::string> words = FoldedWords(text, analyzer);
      add_name(kind, std::move(text), words, entry.id, count_of(kind, entry.id));
    }
  };
  add_taxonomy(SuggestionKind::kCountry, Dimension::kCountry, taxonomy.data().regions);
  add_taxonomy(SuggestionKind::kGroup, Dimension::kGroup, taxonomy.data().groups);
  add_taxonomy(SuggestionKind::kIssue, Dimension::kIssue, taxonomy.data().issues);
  for (const SuggestionKind kind : {SuggestionKind::kAuthor, SuggestionKind::kSource}) {
    const auto by_kind = names_.find(kind);
    if (!wanted(kind) || by_kind == names_.end()) continue;
    for (const auto& [name, known] : by_kind->second) add_name(kind, name, known.words, "", known.article_count);
  }

  if (wanted(SuggestionKind::kArticle)) {
    // The longest typed word begins the fewest words.
    const std::string& rarest =
        *std::max_element(typed.begin(), typed.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
    std::set<int64_t> seen;
    size_t looked_at = 0;
    for (auto word = words_.lower_bound({rarest, INT64_MIN});
         word != words_.end() && absl::StartsWith(word->first, rarest) && looked_at < kMaxLookedAt;
         ++word, ++looked_at) {
      const int64_t row = -word->second;
      const auto found = entries_.find(row);
      if (found == entries_.end() || found->second.visible_from > absl::ToUnixSeconds(now)) continue;
      const Entry& entry = found->second;
      if (!AllBegin(typed, entry.words) || !seen.insert(row).second) continue;
      const bool first = absl::StartsWith(entry.words.front(), typed.front());
      Suggestion suggestion;
      suggestion.kind = SuggestionKind::kArticle;
      suggestion.id = entry.id;
      suggestion.url = entry.url;
      suggestion.text = entry.title;
      suggestion.article_count = 1;
      titles.emplace_back(std::tuple(!first, -std::max<int64_t>(entry.publish_time, -INT64_MAX), -row),
                          std::move(suggestion));
    }
  }
  const auto by_rank = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::sort(names.begin(), names.end(), by_rank);
  const size_t kept_titles = std::min(limit, titles.size());
  std::partial_sort(titles.begin(), titles.begin() + static_cast<std::ptrdiff_t>(kept_titles), titles.end(), by_rank);
  titles.resize(kept_titles);

  std::vector<Suggestion> result;
  const size_t room_for_names = std::max(std::min(limit, kMaxNames), limit - kept_titles);
  for (auto& [rank, suggestion] : names) {
    if (result.size() == room_for_names) break;
    result.push_back(std::move(suggestion));
  }
  for (auto& [rank, suggestion] : titles) {
    if (result.size() == limit) break;
    suggestion.ranges = TypedRanges(suggestion.text, typed, analyzer);
    result.push_back(std::move(suggestion));
  }
  return result;
}

}  // namespace dateline::search
