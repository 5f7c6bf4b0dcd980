// From what people type (`query`) and what programs write (`filter`) to a tree of conditions.
#ifndef DATELINE_SEARCH_SERVICE_QUERY_PARSER_H_
#define DATELINE_SEARCH_SERVICE_QUERY_PARSER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "search_service/query_node.h"
#include "search_service/search_query.h"
#include "search_service/synonyms.h"
#include "search_service/taxonomy.h"
#include "search_service/text_analysis.h"

namespace dateline::search {

// A word that takes part in finding and highlighting.
struct SearchedWord {
  Word word;
  bool prefix = false;  // Words that begin with it match as well.
  TextScope scope = TextScope::kAny;
  bool in_phrase = false;  // Nowhere but in phrases.
  friend bool operator==(const SearchedWord& a, const SearchedWord& b) {
    return a.word.folded == b.word.folded && a.prefix == b.prefix && a.scope == b.scope;
  }
};

// Words, folded, that stand side by side.
struct SearchedPhrase {
  std::vector<std::string> words;
  TextScope scope = TextScope::kAny;
};

// How ids and names in a query are understood.
struct LabelNames {
  const Taxonomy& taxonomy;
  bool expand_groups = false;          // A group stands for its members as well.
  const Synonyms* synonyms = nullptr;  // What other words stand for; null: none do.
};

// Where a word stands in the text of the query: half-open, in bytes.
struct WordPlace {
  std::string folded;
  size_t start = 0;
  size_t end = 0;
  bool alternative = false;  // On one side of an OR: what matches may do without it.
  bool character = false;    // Of a script without spaces: the words are not known.
};

// A word of the query, and what is searched for beside it.
struct WordSynonyms {
  std::string word;  // Folded, as all of these.
  std::vector<std::string> synonyms;
};

struct ParsedQuery {
  QueryNode strict;                         // Every word counts.
  QueryNode relaxed;                        // Some words do; equal to `strict` where nothing can be relaxed.
  int free_words = 0;                       // How many words, without quoted ones, could be relaxed.
  std::vector<SearchedWord> words;          // Not negated.
  std::vector<SearchedPhrase> phrases;      // Not negated.
  std::vector<SearchedWord> synonym_words;  // That are found for these.
  std::vector<WordSynonyms> synonyms;       // The same, for each word that has some.
  std::vector<WordPlace> places;            // Of words without a field, not negated; in the order of the text.
  Interpretation interpretation;
  bool empty = false;     // Nothing to search for: all articles.
  bool relative = false;  // It means something else at another time.
};

// Reads the query language: words, "phrases", -not, AND, OR, NOT, NEAR, parentheses, prefix*, and title: author:
// source: country: group: issue: language: before: after: newer_than: older_than:, each before a word, a phrase or
// parentheses. Words joined by & ("AT&T") are a phrase. Finished words that are not quoted, negated, beside NEAR or of
// a field get their synonyms, where the query is not meant to the letter. What makes no sense as such is searched
// literally or left out, and the interpretation says so; of words as common as "the" beside others it lists the words
// alone. `now` is what newer_than and older_than count back from: in the tree, and in the normalised query, they are
// fixed times. The only errors are InvalidArgument for a text that is too long, has too many terms, or isn't UTF-8.
absl::StatusOr<ParsedQuery> ParseQuery(absl::string_view text, MatchMode mode, absl::string_view language_code,
                                       const LabelNames& names, absl::Time now, TextAnalyzer& analyzer);

// Reads the subset of AIP-160: FIELD OP VALUE with = != < <= > >= and :, AND, OR (which binds tighter), NOT or -, and
// parentheses. Fields are those of search_query.h. InvalidArgument naming "filter", the place and the remedy.
absl::StatusOr<QueryNode> ParseFilter(absl::string_view text, const LabelNames& names);

// FIELD = VALUE, as in a filter or a selection. Ids are followed to what replaced them; an unknown one is
// InvalidArgument naming `request_field`. While there is no taxonomy, codes of regions are checked against CLDR's, and
// other ids can't be: Unavailable, reason TAXONOMY_UNAVAILABLE.
absl::StatusOr<QueryNode> ValueCondition(const FieldRef& ref, absl::string_view value, const LabelNames& names,
                                         absl::string_view request_field);

// The values that facets have where a request says `value`: ids that took its place, a language as BCP 47 writes it.
std::vector<std::string> StoredValues(const FieldRef& ref, absl::string_view value, const Taxonomy& taxonomy);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_QUERY_PARSER_H_
