#include "search_service/snippets.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/match.h"

#include "common/text.h"

namespace dateline::search {
namespace {

// Passages are looked for in this much of a body.
constexpr size_t kMaxSearchedBytes = 200'000;
// A passage begins so much before its first word, or with its sentence if that is nearer.
constexpr size_t kContextBytes = 60;

struct Match {
  TextRange range;
  size_t word = 0;            // Which of the searched words.
  bool phrase_alone = false;  // It is a word of phrases only, and
  bool in_phrase = false;     // stands in one here.
};

// For each token whether it stands in one of `phrases`.
std::vector<bool> FindPhrases(const std::vector<Token>& tokens, const std::vector<SearchedPhrase>& phrases,
                              TextScope scope) {
  std::vector<bool> found(tokens.size());
  for (const SearchedPhrase& phrase : phrases) {
    if (phrase.scope != TextScope::kAny && phrase.scope != scope) continue;
    const size_t count = phrase.words.size();
    for (size_t begin = 0; begin + count <= tokens.size(); ++begin) {
      size_t same = 0;
      while (same < count && tokens[begin + same].position == tokens[begin].position + same &&
             tokens[begin + same].word->folded == phrase.words[same]) {
        ++same;
      }
      if (same == count) std::fill_n(found.begin() + static_cast<std::ptrdiff_t>(begin), count, true);
    }
  }
  return found;
}

std::vector<Match> FindMatches(absl::string_view text, absl::string_view language_code,
                               const std::vector<SearchedWord>& words, const std::vector<SearchedPhrase>& phrases,
                               TextScope scope, TextAnalyzer& analyzer) {
  std::vector<Match> matches;
  if (words.empty()) return matches;
  // A stem begins as its words do.
  FirstBytes first_bytes;
  for (const SearchedWord& wanted : words) {
    if (!wanted.word.folded.empty()) first_bytes.set(static_cast<unsigned char>(wanted.word.folded.front()));
    if (!wanted.word.stem.empty()) first_bytes.set(static_cast<unsigned char>(wanted.word.stem.front()));
  }
  const std::vector<Token> tokens = analyzer.Tokenize(text, language_code, &first_bytes);
  const std::vector<bool> in_phrase = FindPhrases(tokens, phrases, scope);
  for (size_t at = 0; at < tokens.size(); ++at) {
    const Token& token = tokens[at];
    for (size_t i = 0; i < words.size(); ++i) {
      const SearchedWord& wanted = words[i];
      if (wanted.scope != TextScope::kAny && wanted.scope != scope) continue;
      const bool same = token.word->folded == wanted.word.folded || token.word->stem == wanted.word.stem ||
                        (wanted.prefix && absl::StartsWith(token.word->folded, wanted.word.folded));
      if (!same) continue;
      const TextRange range{static_cast<int32_t>(token.start), static_cast<int32_t>(token.end)};
      // Pairs of neighbouring characters overlap.
      if (!matches.empty() && range.start < matches.back().range.end) {
        matches.back().range.end = std::max(matches.back().range.end, range.end);
      } else {
        matches.push_back({range, i, wanted.in_phrase, in_phrase[at]});
      }
      break;
    }
  }
  return matches;
}

void RemoveApart(std::vector<Match>& matches) {
  std::erase_if(matches, [](const Match& match) { return match.phrase_alone && !match.in_phrase; });
}

bool IsBlank(char c) { return c == ' ' || c == '\n'; }

// Where the passage with a first match at `match` begins: its sentence, or the word `kContextBytes` before.
size_t PassageStart(absl::string_view text, size_t match, size_t context) {
  const size_t earliest = match > context ? match - context : 0;
  for (size_t pos = match; pos > earliest; --pos) {
    const bool paragraph = text[pos - 1] == '\n';
    const bool sentence =
        pos >= 2 && IsBlank(text[pos - 1]) && absl::string_view(".!?").find(text[pos - 2]) != absl::string_view::npos;
    if (paragraph || sentence) return pos;
  }
  if (earliest == 0) return 0;
  size_t pos = earliest;
  while (pos < match && !IsBlank(text[pos - 1])) ++pos;
  return common::CodePointFloor(text, pos);
}

size_t PassageEnd(absl::string_view text, size_t start, size_t max_bytes) {
  if (text.size() - start <= max_bytes) return text.size();
  size_t end = start + max_bytes;
  while (end > start + max_bytes / 2 && !IsBlank(text[end])) --end;
  if (!IsBlank(text[end])) return common::CodePointFloor(text, start + max_bytes);
  // Paragraphs are divided by more than one.
  while (end > start && IsBlank(text[end - 1])) --end;
  return end;
}

struct Passage {
  size_t start = 0;
  size_t end = 0;
  double score = 0.0;
};

}  // namespace

std::vector<Snippet> MakeSnippets(const Article& article, const std::vector<SearchedWord>& words,
                                  const std::vector<SearchedPhrase>& phrases, const SnippetOptions& options,
                                  TextAnalyzer& analyzer) {
  std::vector<Match> title;
  if (options.title) {
    title = FindMatches(article.title, article.language_code, words, phrases, TextScope::kTitle, analyzer);
  }
  const absl::string_view body =
      options.body ? absl::string_view(article.body).substr(0, common::CodePointFloor(article.body, kMaxSearchedBytes))
                   : absl::string_view();
  // Field words (title:, author:) don't light up in the body.
  std::vector<Match> matches = FindMatches(body, article.language_code, words, phrases, TextScope::kAny, analyzer);
  const auto stands_in_phrase = [](const Match& match) { return match.in_phrase; };
  if (std::any_of(title.begin(), title.end(), stands_in_phrase) ||
      std::any_of(matches.begin(), matches.end(), stands_in_phrase)) {
    RemoveApart(title);
    RemoveApart(matches);
  }

  std::vector<Snippet> snippets;
  if (!title.empty()) {
    Snippet& snippet = snippets.emplace_back();
    snippet.field = "title";
    snippet.text = article.title;
    for (const Match& match : title) snippet.ranges.push_back(match.range);
  }
  if (body.empty()) return snippets;
  const auto max_bytes = static_cast<size_t>(options.max_bytes);
  std::vector<Passage> passages;
  std::vector<size_t> seen(words.size(), SIZE_MAX);
  for (size_t i = 0; i < matches.size(); ++i) {
    Passage passage;
    passage.start =
        PassageStart(body, static_cast<size_t>(matches[i].range.start), std::min(kContextBytes, max_bytes / 3));
    passage.end = PassageEnd(body, passage.start, max_bytes);
    for (size_t k = i; k < matches.size() && static_cast<size_t>(matches[k].range.end) <= passage.end; ++k) {
      passage.score += seen[matches[k].word] == i ? 0.1 : 1.0;
      seen[matches[k].word] = i;
    }
    passages.push_back(passage);
  }
  // Best first; of equals the earlier one.
  std::stable_sort(passages.begin(), passages.end(),
                   [](const Passage& a, const Passage& b) { return a.score > b.score; });
  std::vector<Passage> chosen;
  for (const Passage& passage : passages) {
    if (chosen.size() == static_cast<size_t>(options.max_count)) break;
    const bool overlaps = std::any_of(chosen.begin(), chosen.end(), [&](const Passage& other) {
      return passage.start < other.end && other.start < passage.end;
    });
    if (!overlaps) chosen.push_back(passage);
  }
  if (chosen.empty()) chosen.push_back({0, PassageEnd(body, 0, max_bytes), 0.0});
  std::sort(chosen.begin(), chosen.end(), [](const Passage& a, const Passage& b) { return a.start < b.start; });

  for (const Passage& passage : chosen) {
    Snippet snippet;
    snippet.field = "body";
    snippet.text = std::string(body.substr(passage.start, passage.end - passage.start));
    std::replace(snippet.text.begin(), snippet.text.end(), '\n', ' ');
    for (const Match& match : matches) {
      const auto start = static_cast<size_t>(match.range.start);
      const auto end = static_cast<size_t>(match.range.end);
      if (start < passage.start || end > passage.end) continue;
      snippet.ranges.push_back(
          {static_cast<int32_t>(start - passage.start), static_cast<int32_t>(end - passage.start)});
    }
    snippets.push_back(std::move(snippet));
  }
  return snippets;
}

}  // namespace dateline::search
