#include "search_service/searcher.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "common/error.h"
#include "common/language_tag.h"
#include "common/status_macros.h"
#include "search_service/article_terms.h"
#include "search_service/page_token.h"
#include "search_service/query_parser.h"
#include "search_service/recognized_names.h"
#include "search_service/selection.h"
#include "search_service/similar_articles.h"
#include "search_service/snippets.h"
#include "search_service/trends.h"

namespace dateline::search {
namespace {

// What the contract promises of a page token.
constexpr absl::Duration kPromisedAge = absl::Seconds(60);
constexpr size_t kMaxIdleAnalyzers = 16;
// From so many words on a query is a question: its words are a hint each rather than all demanded.
constexpr int kQuestionWords = 4;
// A question is relaxed if fewer articles have all its words.
constexpr int64_t kEnoughForQuestion = 10;
// For all words of a query. Those that begin with one letter take some 20 ms to look at, of 100,000 articles.
constexpr absl::Duration kCorrectionTime = absl::Milliseconds(200);
// What a label that the query names is worth beside its words, of which each brings 2 to 10.
constexpr double kNameWeight = 0.3;
// What it is worth to be titled with all that was typed and nothing else: more than any words of the title bring
// beside.
constexpr double kWholeTitleWeight = 25.0;
// What it is worth to have "the who" side by side, where each of the words says nothing: more than both in a title.
constexpr double kCommonPhraseWeight = 20.0;
// Of so many words of a question, the rarest, some are demanded where articles are sorted by time.
constexpr size_t kMaxDemandedOf = 8;
// Words that one that no article has may have been meant to be.
constexpr size_t kMaxCorrections = 3;

// Everything that decides which hits there are and in which order. Sizes of pages, snippets and views may change from
// page to page.
uint64_t FingerprintOf(const SearchQuery& query) {
  std::string all;
  const auto add = [&](absl::string_view part) { absl::StrAppend(&all, part.size(), ":", part); };
  const auto add_list = [&](const std::vector<std::string>& list) {
    add(absl::StrCat(list.size()));
    for (const std::string& item : list) add(item);
  };
  add(query.query);
  add(query.filter);
  add_list(query.region_codes);
  add_list(query.group_ids);
  add_list(query.issue_ids);
  add(absl::StrCat(query.expand_groups, query.selections.size()));
  for (const Selection& selection : query.selections) {
    add(selection.field);
    add_list(selection.values);
    add(selection.match_all ? "all" : "any");
  }
  add(query.order_by);
  add(absl::StrCat(query.facets.size()));
  for (const FacetRequest& facet : query.facets) {
    add(absl::StrCat(facet.field, "/", facet.limit, "/", facet.order_by_id));
    add(facet.prefix);
  }
  add(absl::StrCat(static_cast<int>(query.match_mode), "/", static_cast<int>(query.typo_mode), "/",
                   static_cast<int>(query.collapse), "/", query.max_alternates, "/", query.explain));
  add(absl::StrCat(static_cast<int>(query.name_mode)));
  add_list(query.ignored_names);
  add(absl::StrCat(absl::ToInt64Seconds(query.ranking.freshness_half_life), "/", query.ranking.freshness_weight, "/",
                   query.ranking.label_weight));
  add(query.language_code);
  add(query.display_language);
  add(absl::StrCat(query.labels.min_score, "/", query.include_embargoed));
  for (const LabelSource source : query.labels.sources) add(absl::StrCat(static_cast<int>(source)));
  return Fingerprint64(all);
}

// What an answer depends on beside the query and the clock; never 0.
uint64_t StateOf(absl::string_view index_state, const Taxonomy& taxonomy, const Synonyms& synonyms) {
  return Fingerprint64(absl::StrCat(index_state, "/", taxonomy.data().etag, "/", synonyms.version())) | 1;
}

// About what an answer without hits takes.
size_t BytesOf(const SearchResult& answer) {
  size_t bytes = answer.interpretation.names.size() * (sizeof(RecognizedName) + 100) +
                 answer.interpretation.normalized_query.size() + answer.interpretation.corrected_query.size();
  for (const auto* list : {&answer.interpretation.ignored_parts, &answer.interpretation.notes}) {
    for (const std::string& text : *list) bytes += sizeof(std::string) + text.size();
  }
  for (const Facet& facet : answer.facets) {
    bytes += sizeof(Facet) + facet.field.size() + facet.values.capacity() * sizeof(FacetValue);
    for (const FacetValue& value : facet.values) bytes += value.id.size() + value.display_name.size();
  }
  return bytes;
}

// What stands in place of a part of the query: half-open, in bytes.
struct Replacement {
  size_t start = 0;
  size_t end = 0;
  std::string text;
};

// The query as it was typed, with parts of it replaced; in their order.
std::string Corrected(absl::string_view query, const std::vector<Replacement>& replacements) {
  std::string corrected;
  size_t done = 0;
  for (const Replacement& replacement : replacements) {
    if (replacement.start < done) continue;
    absl::StrAppend(&corrected, query.substr(done, replacement.start - done), replacement.text);
    done = replacement.end;
  }
  absl::StrAppend(&corrected, query.substr(done));
  return corrected;
}

// Whether nothing but blanks divides a word of the query from the one before it.
bool FollowsDirectly(absl::string_view query, const WordPlace& before, const WordPlace& place) {
  if (place.start <= before.end) return false;
  const absl::string_view between = query.substr(before.end, place.start - before.end);
  return std::all_of(between.begin(), between.end(), [](unsigned char c) { return absl::ascii_isspace(c); });
}

// Of where the word first stands. What is as common as "the" stands beside anything.
Neighbours NeighboursOf(const std::string& word, absl::string_view query, const std::vector<WordPlace>& places) {
  Neighbours neighbours;
  const auto place =
      std::find_if(places.begin(), places.end(), [&](const auto& other) { return other.folded == word; });
  if (place == places.end()) return neighbours;
  if (place != places.begin() && FollowsDirectly(query, *std::prev(place), *place)) {
    if (!IsStopWord(std::prev(place)->folded)) neighbours.before = std::prev(place)->folded;
  }
  if (std::next(place) != places.end() && FollowsDirectly(query, *place, *std::next(place))) {
    if (!IsStopWord(std::next(place)->folded)) neighbours.after = std::next(place)->folded;
  }
  return neighbours;
}

// Two words in place of one, as people write them: "stock market", but "x-ray" and "al-qaeda".
std::string Divided(const std::vector<std::string>& parts) {
  const bool has_short =
      std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.size() < 3; });
  return absl::StrJoin(parts, has_short ? "-" : " ");
}

// Lets what was found stand for `word`, wherever it is searched for by itself in all of the text: within a phrase, or
// beside NEAR, it is meant as it stands. False if it is nowhere.
bool AddCorrections(const std::string& word, const Corrections& found, const std::vector<std::string>& stems,
                    QueryNode& node) {
  bool added = false;
  for (QueryNode& child : node.children) added = AddCorrections(word, found, stems, child) || added;
  if (node.kind != QueryNode::Kind::kWord || node.scope != TextScope::kAny || node.words.front() != word) return added;
  if (!found.parts.empty()) {
    // In its place, as no article has it.
    QueryNode side_by_side;
    side_by_side.kind = QueryNode::Kind::kPhrase;
    side_by_side.words = side_by_side.stems = found.parts;
    node = std::move(side_by_side);
    return true;
  }
  node.corrections = found.words;
  node.correction_stems = stems;
  return true;
}

// Words side by side, and nothing else.
bool IsPlain(const QueryNode& node) {
  if (node.kind == QueryNode::Kind::kAnd) return std::all_of(node.children.begin(), node.children.end(), IsPlain);
  return node.kind == QueryNode::Kind::kWord && node.scope == TextScope::kAny;
}

// What an article that somebody knows and looks for has in its title.
std::vector<QueryNode> TitleWordsOf(const std::vector<SearchedWord>& words) {
  std::vector<QueryNode> nodes;
  for (const SearchedWord& word : words) {
    if (word.scope != TextScope::kAny && word.scope != TextScope::kTitle) continue;
    QueryNode& node = nodes.emplace_back();
    node.kind = QueryNode::Kind::kWord;
    node.scope = TextScope::kTitle;
    node.words = {word.word.folded};
    node.stems = {word.word.stem};
    node.prefix = word.prefix;
  }
  return nodes;
}

// Whether a query is nothing but the address of a page, as somebody pastes it.
bool IsAddress(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  return (absl::StartsWithIgnoreCase(text, "https://") || absl::StartsWithIgnoreCase(text, "http://")) &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isspace(c); });
}

// What articles are ranked higher for, beside the words of the query.
std::vector<Boost> BoostsOf(const SearchQuery& query, const QueryNode& strict, TextAnalyzer& analyzer) {
  std::vector<Boost> boosts;
  const std::vector<Token> tokens = analyzer.Tokenize(query.query, query.language_code);
  if (const std::string term = TitleTerm(tokens); !term.empty()) {
    QueryNode titled;
    titled.kind = QueryNode::Kind::kTerm;
    titled.term = term;
    boosts.push_back({std::move(titled), kWholeTitleWeight, "all of the title", false});
  }
  const bool common =
      std::all_of(tokens.begin(), tokens.end(), [](const Token& token) { return IsStopWord(token.word->folded); });
  if (tokens.size() > 1 && common && IsPlain(strict) && query.match_mode != MatchMode::kPrefixLastWord) {
    QueryNode phrase;
    phrase.kind = QueryNode::Kind::kPhrase;
    for (const Token& token : tokens) {
      phrase.words.push_back(token.word->folded);
      phrase.stems.push_back(token.word->stem);
    }
    boosts.push_back({std::move(phrase), kCommonPhraseWeight, "side by side", true});
  }
  return boosts;
}

// Whether a word is spelled right, though few articles may have it, or none: an operator knows it, or it is of the name
// of a label.
bool IsKnown(const std::string& word, const ParsedQuery& parsed) {
  const auto has_synonyms = [&](const WordSynonyms& other) { return other.word == word; };
  const auto is_in = [&](const RecognizedName& name) {
    return std::any_of(parsed.places.begin(), parsed.places.end(), [&](const WordPlace& place) {
      return place.folded == word && place.start >= static_cast<size_t>(name.range.start) &&
             place.end <= static_cast<size_t>(name.range.end);
    });
  };
  const std::vector<RecognizedName>& names = parsed.interpretation.names;
  return std::any_of(parsed.synonyms.begin(), parsed.synonyms.end(), has_synonyms) ||
         std::any_of(names.begin(), names.end(), is_in);
}

std::string StemIn(const std::string& word, const std::string& language_code, TextAnalyzer& analyzer) {
  const std::vector<Token> tokens = analyzer.Tokenize(word, language_code);
  return tokens.size() == 1 ? tokens[0].word->stem : word;
}

std::string SynonymsNote(const std::vector<WordSynonyms>& words) {
  const auto say = [](std::string* out, const WordSynonyms& word) {
    absl::StrAppend(out, "\"", absl::StrJoin(word.synonyms, "\", \""), "\" for \"", word.word, "\"");
  };
  return absl::StrCat("synonyms were searched for as well: ", absl::StrJoin(words, "; ", say));
}

// The labels that filters by id ask for.
void AddWantedLabels(const SearchQuery& query, const Taxonomy& taxonomy, std::vector<WantedLabel>& wanted) {
  const auto add = [&](Dimension dimension, const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
      for (std::string& current : taxonomy.Current(dimension, id)) wanted.push_back({dimension, std::move(current)});
    }
  };
  add(Dimension::kCountry, query.region_codes);
  add(Dimension::kGroup, query.group_ids);
  add(Dimension::kIssue, query.issue_ids);
  for (const Selection& selection : query.selections) {
    const std::optional<FieldRef> ref = ParseFieldName(selection.field);
    if (!ref) continue;
    if (ref->field == Field::kRegion) add(Dimension::kCountry, selection.values);
    if (ref->field == Field::kGroup) add(Dimension::kGroup, selection.values);
    if (ref->field == Field::kIssue) add(Dimension::kIssue, selection.values);
  }
}

absl::StatusOr<SortOrder> ParseOrder(const SearchQuery& query, bool has_words) {
  const absl::string_view order = query.order_by;
  if (order.empty()) return has_words ? SortOrder::kRelevance : SortOrder::kNewestFirst;
  if (order == "relevance") return SortOrder::kRelevance;
  if (order == "publish_time desc") return SortOrder::kNewestFirst;
  if (order == "publish_time" || order == "publish_time asc") return SortOrder::kOldestFirst;
  return common::InvalidField(
      "order_by", "is none of \"relevance\", \"publish_time desc\", \"publish_time asc\" and \"publish_time\"");
}

absl::Status CheckRanking(const RankingOptions& ranking) {
  const auto is_share = [](double value) { return value >= 0.0 && value <= 1.0; };
  if (!is_share(ranking.freshness_weight)) return common::InvalidField("ranking.freshness_weight", "must be 0 to 1");
  if (!is_share(ranking.label_weight)) return common::InvalidField("ranking.label_weight", "must be 0 to 1");
  // Zero: age doesn't matter.
  if (ranking.freshness_half_life < absl::ZeroDuration() ||
      (ranking.freshness_half_life > absl::ZeroDuration() && ranking.freshness_half_life < absl::Seconds(1))) {
    return common::InvalidField("ranking.freshness_half_life", "must be a second or more");
  }
  return absl::OkStatus();
}

std::string DisplayNameOf(const FieldRef& ref, const std::string& value, const Taxonomy& taxonomy,
                          absl::string_view language) {
  switch (ref.field) {
    case Field::kRegion:
      return taxonomy.DisplayName(Dimension::kCountry, value, language);
    case Field::kGroup:
      return taxonomy.DisplayName(Dimension::kGroup, value, language);
    case Field::kIssue:
      return taxonomy.DisplayName(Dimension::kIssue, value, language);
    default:
      return value;
  }
}

Facet MakeFacet(const FacetRequest& request, const FieldRef& ref, const std::map<std::string, int64_t>& counts,
                const SearchQuery& query, const Taxonomy& taxonomy) {
  std::set<std::string> selected;
  for (const Selection& selection : query.selections) {
    if (ParseFieldName(selection.field) != ref) continue;
    for (const std::string& value : selection.values) {
      for (std::string& stored : StoredValues(ref, value, taxonomy)) selected.insert(std::move(stored));
    }
  }
  Facet facet;
  facet.field = request.field;
  const std::string prefix = Fold(request.prefix);
  std::vector<FacetValue> values;
  const auto add = [&](const std::string& id, int64_t count, bool is_selected) {
    FacetValue value{id, DisplayNameOf(ref, id, taxonomy, query.display_language), count, is_selected};
    if (!is_selected && !prefix.empty() && !absl::StartsWith(Fold(id), prefix) &&
        !absl::StartsWith(Fold(value.display_name), prefix)) {
      return;
    }
    values.push_back(std::move(value));
  };
  for (const auto& [id, count] : counts) add(id, count, selected.contains(id));
  for (const std::string& id : selected) {
    if (!counts.contains(id)) add(id, 0, true);
  }
  std::sort(values.begin(), values.end(), [&](const FacetValue& a, const FacetValue& b) {
    if (request.order_by_id) return a.id < b.id;
    return a.count != b.count ? a.count > b.count : a.id < b.id;
  });
  const auto limit = static_cast<size_t>(request.limit == 0 ? kDefaultFacetLimit : request.limit);
  for (FacetValue& value : values) {
    if (facet.values.size() < limit || value.selected) {
      facet.values.push_back(std::move(value));
    } else {
      facet.other_count += value.count;
    }
  }
  return facet;
}

}  // namespace

class Searcher::AnalyzerLease {
 public:
  explicit AnalyzerLease(const Searcher& searcher) : searcher_(searcher) {
    {
      const common::MutexLock lock(searcher_.mutex_);
      if (!searcher_.analyzers_.empty()) {
        analyzer_ = std::move(searcher_.analyzers_.back());
        searcher_.analyzers_.pop_back();
      }
    }
    if (analyzer_ == nullptr) analyzer_ = std::make_unique<TextAnalyzer>();
  }
  ~AnalyzerLease() {
    const common::MutexLock lock(searcher_.mutex_);
    if (searcher_.analyzers_.size() < kMaxIdleAnalyzers) searcher_.analyzers_.push_back(std::move(analyzer_));
  }
  AnalyzerLease(const AnalyzerLease&) = delete;
  AnalyzerLease& operator=(const AnalyzerLease&) = delete;
  TextAnalyzer& operator*() const { return *analyzer_; }

 private:
  const Searcher& searcher_;
  std::unique_ptr<TextAnalyzer> analyzer_;
};

Searcher::Searcher(const ArticleStore& store, const SearchIndex& index, const PagingLimits& limits)
    : store_(store), index_(index), limits_(limits), nonce_([] {
        std::random_device random;
        return (uint64_t{random()} << 32) | random();
      }()) {}

absl::StatusOr<std::shared_ptr<Searcher::Ranking>> Searcher::Rank(const SearchQuery& query, const Taxonomy& taxonomy,
                                                                  const Synonyms& synonyms, TextAnalyzer& analyzer,
                                                                  int64_t visible_until) const {
  const absl::Time start = absl::Now();
  const LabelNames names{taxonomy, query.expand_groups, &synonyms};
  // All that goes by the time goes by one moment, on all pages.
  const absl::Time now = absl::FromUnixSeconds(visible_until);
  ASSIGN_OR_RETURN(ParsedQuery parsed,
                   ParseQuery(query.query, query.match_mode, query.language_code, names, now, analyzer));
  if (query.match_mode != MatchMode::kLiteral && IsAddress(query.query)) {
    MatchRequest addressed;
    addressed.query = QueryNode::Term({Field::kUrl, ""}, absl::StripAsciiWhitespace(query.query));
    addressed.max_hits = 1;
    addressed.deadline = query.deadline;
    addressed.cancelled = query.cancelled;
    if (!query.include_embargoed) addressed.embargoed_after = visible_until;
    ASSIGN_OR_RETURN(const MatchResult found, index_.Match(addressed));
    if (found.total > 0) {
      parsed = ParsedQuery();
      parsed.strict = parsed.relaxed = addressed.query;
      parsed.interpretation.normalized_query = std::string(absl::StripAsciiWhitespace(query.query));
      parsed.interpretation.notes.emplace_back("articles that have this address are shown");
    }
  }
  MatchRequest request;
  request.query = parsed.strict;
  request.title_words = TitleWordsOf(parsed.words);
  ASSIGN_OR_RETURN(request.filters, FiltersOf(query, names));
  ASSIGN_OR_RETURN(request.sort, ParseOrder(query, !parsed.words.empty()));
  if (request.sort == SortOrder::kRelevance) request.boosts = BoostsOf(query, parsed.strict, analyzer);
  request.labels = query.labels;
  request.ranking = query.ranking;
  AddWantedLabels(query, taxonomy, request.wanted_labels);
  request.now = now;
  request.collapse = query.collapse;
  request.max_alternates = query.max_alternates;
  request.explain = query.explain;
  if (!query.include_embargoed) request.embargoed_after = visible_until;
  request.max_hits = kMaxDepth;
  request.deadline = query.deadline;
  request.cancelled = query.cancelled;
  request.partial_on_timeout = query.partial_on_timeout;
  if (query.facets.size() > kMaxFacets) {
    return common::InvalidField(
        "facets", absl::StrCat("holds ", query.facets.size(), " facets; at most ", kMaxFacets, " are counted"));
  }
  std::optional<std::string> exact_facet;
  for (size_t i = 0; i < query.facets.size(); ++i) {
    const FacetRequest& facet = query.facets[i];
    const std::string path = absl::StrCat("facets[", i, "]");
    const std::optional<FieldRef> ref = ParseFieldName(facet.field);
    if (!ref || !IsFacet(ref->field)) {
      return common::InvalidField(absl::StrCat(path, ".field"),
                                  absl::StrCat("\"", facet.field, "\" has no counts; there are ", kFacetFields));
    }
    if (facet.limit < 0 || facet.limit > kMaxFacetLimit) {
      return common::InvalidField(absl::StrCat(path, ".limit"),
                                  absl::StrCat("must be 0, for ", kDefaultFacetLimit, ", or 1 to ", kMaxFacetLimit));
    }
    if (facet.prefix.size() > kMaxFacetPrefixBytes) {
      return common::InvalidField(absl::StrCat(path, ".prefix"),
                                  absl::StrCat("is longer than ", kMaxFacetPrefixBytes, " bytes"));
    }
    if (facet.exact) exact_facet = facet.field;
    request.facets.push_back(*ref);
  }

  if (query.name_mode != NameMode::kOff) {
    parsed.interpretation.names = RecognizeNames(query, parsed.places, taxonomy);
    for (const RecognizedName& name : parsed.interpretation.names) {
      QueryNode condition = QueryNode::Term(FieldOf(name.dimension), name.label_id);
      if (query.name_mode == NameMode::kFilter && !name.alternative) {
        request.filters.push_back({std::nullopt, std::move(condition)});
      } else {
        request.boosts.push_back({std::move(condition), kNameWeight, "", false});
      }
    }
  }
  if (query.typo_mode != TypoMode::kOff) RETURN_IF_ERROR(CorrectWords(query, analyzer, parsed));
  parsed.words.insert(parsed.words.end(), parsed.synonym_words.begin(), parsed.synonym_words.end());
  if (!parsed.synonyms.empty()) parsed.interpretation.notes.push_back(SynonymsNote(parsed.synonyms));
  request.query = parsed.strict;
  QueryNode shown = request.query;
  ASSIGN_OR_RETURN(MatchResult matches, index_.Match(request));
  const int64_t enough = parsed.free_words >= kQuestionWords ? kEnoughForQuestion : 1;
  if (matches.complete && matches.total < enough && !(parsed.relaxed == parsed.strict)) {
    request.query = parsed.relaxed;
    size_t demanded = 1;
    if (request.sort != SortOrder::kRelevance) {
      ASSIGN_OR_RETURN(demanded, DemandEnough(request.query));
    }
    // Not while somebody types: the last word is not yet what is meant, and each letter would cost two searches.
    request.expand = parsed.free_words >= kQuestionWords && query.match_mode == MatchMode::kFullQuery;
    ASSIGN_OR_RETURN(MatchResult relaxed, index_.Match(request));
    if (relaxed.total > matches.total) {
      parsed.interpretation.relaxed = true;
      const std::string some = demanded > 1 ? absl::StrCat("at least ", demanded) : "some";
      parsed.interpretation.notes.push_back(
          matches.total == 0
              ? absl::StrCat("no article has all the words; articles with ", some, " of them are shown")
              : absl::StrCat("few articles have all the words; articles with ", some, " of them are shown"));
      matches = std::move(relaxed);
      shown = request.query;
    } else if (!relaxed.complete) {
      matches.complete = false;  // There may be more to show than these.
    }
  }
  if (matches.complete && matches.total == 0 && !parsed.interpretation.names.empty() &&
      query.name_mode != NameMode::kFilter && IsPlain(parsed.strict)) {
    // The name of a country in a language that no article is in.
    std::vector<QueryNode> labels;
    for (const RecognizedName& name : parsed.interpretation.names) {
      labels.push_back(QueryNode::Term(FieldOf(name.dimension), name.label_id));
    }
    request.query = QueryNode::And(std::move(labels));
    request.boosts.clear();
    request.sort = query.order_by.empty() ? SortOrder::kNewestFirst : request.sort;
    ASSIGN_OR_RETURN(MatchResult labelled, index_.Match(request));
    if (labelled.total > 0) {
      parsed.relaxed = request.query;
      parsed.interpretation.relaxed = true;
      parsed.interpretation.notes.emplace_back(
          "no article has the words; articles with the labels that they name are shown");
      matches = std::move(labelled);
      shown = request.query;
    }
  }
  if (!matches.cut_beginnings.empty() && query.match_mode == MatchMode::kFullQuery) {
    parsed.interpretation.notes.push_back(absl::StrCat("many words begin with \"",
                                                       absl::StrJoin(matches.cut_beginnings, "\" and with \""),
                                                       "\"; the most frequent were searched for"));
  }
  request.query = std::move(shown);
  RETURN_IF_ERROR(CountSelectedLanguages(query, request, matches));
  if (exact_facet && !matches.complete) {
    return absl::DeadlineExceededError(
        absl::StrCat("the deadline came before ", *exact_facet, " was counted, and its counts must be exact"));
  }
  if (parsed.interpretation.relaxed) parsed.interpretation.normalized_query = ToString(parsed.relaxed);
  auto ranking = std::make_shared<Ranking>();
  ranking->hits = std::move(matches.hits);
  ranking->folded = std::move(matches.folded);
  ranking->explanations = std::move(matches.explanations);
  ranking->words = std::move(parsed.words);
  ranking->phrases = std::move(parsed.phrases);
  ranking->visible_until = visible_until;
  SearchResult& answer = ranking->answer;
  answer.total = matches.total;
  answer.total_exact = matches.complete && matches.cut_beginnings.empty();
  answer.degraded = !matches.complete;
  answer.interpretation = std::move(parsed.interpretation);
  answer.interpretation.expansion = std::move(matches.expansion);
  answer.visible_seq = matches.visible_seq;
  if (matches.complete) answer.state = StateOf(matches.state, taxonomy, synonyms);
  answer.index_time = matches.commit_time;
  answer.embargoes = matches.embargoes;
  answer.relative = parsed.relative;
  for (size_t i = 0; i < query.facets.size(); ++i) {
    answer.facets.push_back(MakeFacet(query.facets[i], request.facets[i], matches.facets[i], query, taxonomy));
    answer.facets.back().exact = matches.complete;
  }
  answer.facets_time = matches.facets_time;
  answer.match_time = absl::Now() - start - answer.facets_time;
  return ranking;
}

// Sorted by time, what has a single common word of a question would come before what it is about.
absl::StatusOr<size_t> Searcher::DemandEnough(QueryNode& query) const {
  QueryNode* some = nullptr;
  if (query.kind == QueryNode::Kind::kSome) some = &query;
  for (QueryNode& child : query.children) {
    if (some == nullptr && child.kind == QueryNode::Kind::kSome) some = &child;
  }
  if (some == nullptr || some->children.size() < 3) return 1;
  std::vector<std::string> stems;
  for (const QueryNode& hint : some->children) stems.push_back(hint.stems.empty() ? "" : hint.stems.front());
  ASSIGN_OR_RETURN(const std::vector<int64_t> frequencies, index_.StemFrequencies(stems));
  // The rarest of those that occur at all say what it is about.
  std::vector<std::pair<int64_t, size_t>> order;
  for (size_t i = 0; i < stems.size(); ++i) {
    const bool is_word = some->children[i].kind == QueryNode::Kind::kWord && !some->children[i].prefix;
    if (is_word && frequencies[i] == 0 && some->children[i].corrections.empty()) continue;
    order.emplace_back(frequencies[i], i);
  }
  std::sort(order.begin(), order.end());
  if (order.size() > kMaxDemandedOf) order.resize(kMaxDemandedOf);
  if (order.size() < 3) return 1;
  const size_t demanded = order.size() < 5 ? 2 : 3;
  std::vector<QueryNode> choices;
  for (size_t a = 0; a < order.size(); ++a) {
    for (size_t b = a + 1; b < order.size(); ++b) {
      std::vector<QueryNode> pair = {some->children[order[a].second], some->children[order[b].second]};
      if (demanded == 2) {
        choices.push_back(QueryNode::And(std::move(pair)));
        continue;
      }
      for (size_t c = b + 1; c < order.size(); ++c) {
        std::vector<QueryNode> triple = pair;
        triple.push_back(some->children[order[c].second]);
        choices.push_back(QueryNode::And(std::move(triple)));
      }
    }
  }
  QueryNode enough = QueryNode::Or(std::move(choices));
  *some = std::move(enough);
  return demanded;
}

absl::Status Searcher::CountSelectedLanguages(const SearchQuery& query, const MatchRequest& request,
                                              MatchResult& matches) const {
  const FieldRef language{Field::kLanguage, ""};
  std::set<std::string> tags;
  for (const Selection& selection : query.selections) {
    if (ParseFieldName(selection.field) != language) continue;
    for (const std::string& value : selection.values) {
      if (absl::StrContains(value, '-')) tags.insert(common::CanonicalLanguageTag(value));
    }
  }
  if (std::find(request.facets.begin(), request.facets.end(), language) == request.facets.end())
    return absl::OkStatus();
  for (const std::string& tag : tags) {
    MatchRequest one = request;
    one.facets.clear();
    one.max_hits = 0;
    one.expand = false;
    one.explain = false;
    one.collapse = CollapseKind::kNone;
    // As in all counts of a facet, its own selection of any of its values is left out.
    std::erase_if(one.filters, [&](const IndexFilter& filter) { return filter.field == language; });
    one.filters.push_back({std::nullopt, QueryNode::Term(language, tag)});
    ASSIGN_OR_RETURN(const MatchResult counted, index_.Match(one));
    matches.complete = matches.complete && counted.complete;
    for (size_t i = 0; i < request.facets.size(); ++i) {
      if (request.facets[i] == language && counted.total > 0) matches.facets[i][tag] = counted.total;
    }
  }
  return absl::OkStatus();
}

absl::Status Searcher::CorrectWords(const SearchQuery& query, TextAnalyzer& analyzer, ParsedQuery& parsed) const {
  const absl::Time limit = std::min(query.deadline, absl::Now() + kCorrectionTime);
  std::map<std::string, std::string> corrections;
  std::vector<SearchedWord> added;
  std::vector<std::string>& notes = parsed.interpretation.notes;
  for (const SearchedWord& word : parsed.words) {
    if (word.scope != TextScope::kAny || IsKnown(word.word.folded, parsed)) continue;
    const Neighbours neighbours = NeighboursOf(word.word.folded, query.query, parsed.places);
    ASSIGN_OR_RETURN(const Corrections found, index_.Correct(word, neighbours, kMaxCorrections, limit));
    if (!found.complete) {
      notes.push_back(absl::StrCat("no article has \"", word.word.folded,
                                   "\"; there was not the time to look at all words that it may be"));
    }
    const bool divided = !found.parts.empty();
    if (found.words.empty() && !divided) continue;
    const std::string& offer =
        corrections.emplace(word.word.folded, divided ? Divided(found.parts) : found.words.front()).first->second;
    if (found.occurs) {
      notes.push_back(absl::StrCat("few articles have \"", word.word.folded, "\", which may be a slip for \"", offer,
                                   "\"; it was searched for as it was typed"));
      continue;
    }
    if (query.typo_mode != TypoMode::kAuto) continue;
    std::vector<std::string> stems;
    for (const std::string& near : found.words) stems.push_back(StemIn(near, query.language_code, analyzer));
    const bool in_strict = AddCorrections(word.word.folded, found, stems, parsed.strict);
    const bool in_relaxed = AddCorrections(word.word.folded, found, stems, parsed.relaxed);
    if (!in_strict && !in_relaxed) continue;
    for (size_t i = 0; i < found.words.size(); ++i) {
      added.push_back({.word = {found.words[i], stems[i]}, .prefix = false, .scope = TextScope::kAny});
    }
    if (divided) {
      parsed.phrases.push_back({found.parts, TextScope::kAny});
      for (const std::string& part : found.parts) {
        added.push_back({.word = {part, part}, .prefix = false, .scope = TextScope::kAny, .in_phrase = true});
      }
    }
    notes.push_back(absl::StrCat("no article has \"", word.word.folded, "\"; \"",
                                 divided ? offer : absl::StrJoin(found.words, "\", \""),
                                 "\" was searched for as well"));
  }
  std::vector<Replacement> replacements;
  for (size_t i = 0; i < parsed.places.size(); ++i) {
    const WordPlace& place = parsed.places[i];
    if (const auto found = corrections.find(place.folded); found != corrections.end()) {
      replacements.push_back({place.start, place.end, found->second});
      continue;
    }
    if (query.match_mode != MatchMode::kFullQuery || i == 0) continue;
    const WordPlace& before = parsed.places[i - 1];
    if (corrections.contains(before.folded) || !FollowsDirectly(query.query, before, place)) continue;
    if (IsStopWord(before.folded) && IsStopWord(place.folded)) continue;
    ASSIGN_OR_RETURN(const bool is_one, index_.IsOneWord(before.folded, place.folded, limit));
    if (!is_one) continue;
    replacements.push_back({before.start, place.end, before.folded + place.folded});
    notes.push_back(absl::StrCat("most articles write \"", before.folded, " ", place.folded, "\" as \"", before.folded,
                                 place.folded, "\"; it was searched for as it was typed"));
  }
  if (replacements.empty()) return absl::OkStatus();
  std::string corrected = Corrected(query.query, replacements);
  if (corrected != query.query) parsed.interpretation.corrected_query = std::move(corrected);
  parsed.words.insert(parsed.words.end(), added.begin(), added.end());
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Searcher::Ranking>> Searcher::Continue(
    const SearchQuery& query, const Taxonomy& taxonomy, const Synonyms& synonyms, TextAnalyzer& analyzer,
    uint64_t fingerprint, size_t& offset) const {
  if (query.skip > 0) return common::InvalidField("skip", "can't be given together with page_token");
  const std::optional<PageToken> token = ParsePageToken(query.page_token);
  if (!token) return common::InvalidField("page_token", "is not a token of this service");
  if (token->fingerprint != fingerprint) {
    return common::InvalidField("page_token",
                                "belongs to another query: what decides which hits there are must stay the same");
  }
  offset = token->offset;
  if (token->nonce == nonce_) {
    if (std::shared_ptr<const Ranking> kept = FindKept(token->id)) return kept;
  }
  // Where nothing has changed, the same search finds the same hits in the same order.
  if (token->state != 0 && token->state == StateOf(index_.state(), taxonomy, synonyms)) {
    SearchQuery again = query;
    again.partial_on_timeout = false;
    const int64_t now = absl::ToUnixSeconds(absl::Now());
    ASSIGN_OR_RETURN(std::shared_ptr<Ranking> ranking,
                     Rank(again, taxonomy, synonyms, analyzer,
                          std::min(now, static_cast<int64_t>(token->visible_until & INT64_MAX))));
    if (ranking->answer.state == token->state) {
      Keep(ranking);
      return ranking;
    }
  }
  return common::WithReason(absl::FailedPreconditionError("page_token: has expired; start again from the first page"),
                            kReasonPageTokenExpired);
}

std::shared_ptr<const Searcher::Ranking> Searcher::FindKept(uint64_t id) const {
  const absl::Time now = absl::Now();
  const common::MutexLock lock(mutex_);
  const auto found = kept_by_id_.find(id);
  if (found == kept_by_id_.end() || found->second->used + limits_.max_age < now) return nullptr;
  // It is about to hand out a token again.
  found->second->used = now;
  kept_.splice(kept_.end(), kept_, found->second);
  return found->second->ranking;
}

void Searcher::Keep(const std::shared_ptr<Ranking>& ranking) const {
  size_t bytes = BytesOf(ranking->answer) + sizeof(Ranking) + ranking->hits.capacity() * sizeof(HitRef) +
                 ranking->words.capacity() * (sizeof(SearchedWord) + 2 * kMaxWordBytes);
  for (const SearchedPhrase& phrase : ranking->phrases) {
    bytes += sizeof(phrase) + phrase.words.capacity() * (sizeof(std::string) + kMaxWordBytes);
  }
  const absl::Time now = absl::Now();
  const common::MutexLock lock(mutex_);
  const auto first_is_older = [&](absl::Duration age) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return !kept_.empty() && kept_.front().used + age < now;
  };
  while (first_is_older(limits_.max_age) || (kept_bytes_ + bytes > limits_.max_bytes && first_is_older(kPromisedAge))) {
    kept_bytes_ -= kept_.front().bytes;
    kept_by_id_.erase(kept_.front().ranking->id);
    kept_.pop_front();
  }
  if (kept_bytes_ + bytes > limits_.max_bytes) return;
  ranking->id = next_id_++;
  kept_bytes_ += bytes;
  kept_.push_back({ranking, bytes, now});
  kept_by_id_.emplace(ranking->id, std::prev(kept_.end()));
}

absl::Status Searcher::FillPage(const SearchQuery& query, const Ranking& ranking, size_t& offset,
                                TextAnalyzer& analyzer, SearchResult& result) const {
  const auto page_size =
      static_cast<size_t>(query.page_size == 0 ? kDefaultPageSize : std::min(query.page_size, kMaxPageSize));
  // Bodies are the bulk of what is read: only where they are returned, or passages are cut from them.
  const bool with_body = query.view == View::kFull || query.snippet.body;
  const bool with_evidence = query.view != View::kBasic;
  const Parts parts =
      with_body ? (with_evidence ? Parts::kAll : Parts::kBody) : (with_evidence ? Parts::kEvidence : Parts::kHead);
  const absl::Time now = absl::Now();
  // Articles that went away since the match leave gaps, which the next ones fill.
  while (result.hits.size() < page_size && offset < ranking.hits.size()) {
    const size_t count = std::min(page_size - result.hits.size(), ranking.hits.size() - offset);
    const auto first = ranking.hits.begin() + static_cast<std::ptrdiff_t>(offset);
    const std::vector<HitRef> refs(first, first + static_cast<std::ptrdiff_t>(count));
    offset += count;
    std::vector<int64_t> rows;
    rows.reserve(refs.size());
    for (const HitRef& ref : refs) rows.push_back(ref.row);
    ASSIGN_OR_RETURN(std::vector<std::optional<StoredArticle>> articles, store_.GetRows(rows, parts));
    for (size_t i = 0; i < articles.size(); ++i) {
      if (!articles[i]) continue;
      Article& article = articles[i]->article;
      if (!query.include_embargoed && article.visible_from && *article.visible_from > now) continue;
      absl::Status time = CheckTime(query.partial_on_timeout ? query.passages_until : query.deadline, query.cancelled);
      if (!time.ok() && (!query.partial_on_timeout || absl::IsCancelled(time))) return time;
      Hit hit;
      hit.score = refs[i].score;
      if (time.ok()) {
        hit.snippets = MakeSnippets(article, ranking.words, ranking.phrases, query.snippet, analyzer);
      } else if (query.snippet.title || query.snippet.body) {
        result.degraded = true;
      }
      article.labels = EffectiveLabels(article, query.labels);
      if (query.view != View::kFull) article.body.clear();
      hit.article = std::move(article);
      if (const auto explained = ranking.explanations.find(refs[i].row); explained != ranking.explanations.end()) {
        hit.explanation = explained->second;
      }
      if (const auto folded = ranking.folded.find(refs[i].row); folded != ranking.folded.end()) {
        hit.collapsed_count = folded->second.count;
        ASSIGN_OR_RETURN(std::vector<std::optional<StoredArticle>> others,
                         store_.GetRows(folded->second.rows, Parts::kHead));
        for (std::optional<StoredArticle>& other : others) {
          if (!other ||
              (!query.include_embargoed && other->article.visible_from && *other->article.visible_from > now)) {
            continue;
          }
          other->article.labels = EffectiveLabels(other->article, query.labels);
          hit.alternates.push_back(std::move(other->article));
        }
      }
      result.hits.push_back(std::move(hit));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TrendResult> Searcher::AnalyzeTrends(const TrendQuery& query, const Taxonomy& taxonomy) const {
  const AnalyzerLease analyzer(*this);
  return search::AnalyzeTrends(index_, taxonomy, *analyzer, query);
}

absl::StatusOr<std::vector<Hit>> Searcher::FindSimilarArticles(const SimilarQuery& query,
                                                               const Taxonomy& taxonomy) const {
  const AnalyzerLease analyzer(*this);
  return search::FindSimilarArticles(store_, index_, taxonomy, *analyzer, query);
}

absl::StatusOr<SearchResult> Searcher::Search(const SearchQuery& query, const Taxonomy& taxonomy,
                                              const Synonyms& synonyms) const {
  if (query.page_size < 0) return common::InvalidField("page_size", "must not be negative");
  if (query.skip < 0) return common::InvalidField("skip", "must not be negative");
  if (query.skip > kMaxDepth) {
    return common::InvalidField("skip", absl::StrCat("must not be more than ", kMaxDepth));
  }
  if (query.snippet.max_count < 1 || query.snippet.max_count > kMaxSnippetsPerHit) {
    return common::InvalidField("snippet.max_snippets", absl::StrCat("must be 1 to ", kMaxSnippetsPerHit));
  }
  if (query.snippet.max_bytes < 40 || query.snippet.max_bytes > kMaxSnippetBytes) {
    return common::InvalidField("snippet.max_bytes", absl::StrCat("must be 40 to ", kMaxSnippetBytes));
  }
  if (query.labels.min_score < 0.0 || query.labels.min_score > 1.0) {
    return common::InvalidField("min_label_score", "must be 0 to 1");
  }
  if (query.max_alternates < 0 || query.max_alternates > kMaxAlternates) {
    return common::InvalidField("collapse.max_alternates", absl::StrCat("must be 0 to ", kMaxAlternates));
  }
  RETURN_IF_ERROR(CheckRanking(query.ranking));
  if (query.ignored_names.size() > kMaxIgnoredNames) {
    return common::InvalidField("ignored_interpretations",
                                absl::StrCat("holds ", query.ignored_names.size(), " ids; at most ", kMaxIgnoredNames));
  }
  const AnalyzerLease analyzer(*this);
  const uint64_t fingerprint = FingerprintOf(query);
  auto offset = static_cast<size_t>(query.skip);
  std::shared_ptr<Ranking> made;
  std::shared_ptr<const Ranking> ranking;
  if (query.page_token.empty()) {
    ASSIGN_OR_RETURN(made,
                     Rank(query, taxonomy, synonyms, *analyzer, absl::ToUnixSeconds(query.time.value_or(absl::Now()))));
    ranking = made;
  } else {
    ASSIGN_OR_RETURN(ranking, Continue(query, taxonomy, synonyms, *analyzer, fingerprint, offset));
  }
  const absl::Time start = absl::Now();
  SearchResult result = ranking->answer;
  RETURN_IF_ERROR(FillPage(query, *ranking, offset, *analyzer, result));
  if (offset < ranking->hits.size()) {
    if (made != nullptr) Keep(made);
    result.next_page_token = EncodePageToken({.nonce = nonce_,
                                              .id = ranking->id,
                                              .fingerprint = fingerprint,
                                              .offset = offset,
                                              .state = result.state,
                                              .visible_until = static_cast<uint64_t>(ranking->visible_until)});
  }
  result.fetch_time = absl::Now() - start;
  return result;
}

}  // namespace dateline::search
