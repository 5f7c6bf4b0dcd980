// The fields that can be searched by, and a query as a tree of them: what the parsers of `query` and `filter` make and
// the index matches.
#ifndef DATELINE_SEARCH_SERVICE_QUERY_NODE_H_
#define DATELINE_SEARCH_SERVICE_QUERY_NODE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dateline::search {

enum class Field {
  kRegion,
  kGroup,
  kIssue,
  kSource,
  kAuthor,
  kLanguage,
  kContentType,
  kYear,
  kMonth,
  kAttribute,
  // From here on: no facets.
  kPublishTime,
  kUpdateTime,
  kId,
  kUrl,
};

struct FieldRef {
  Field field = Field::kRegion;
  std::string attribute;  // The name, for kAttribute.
  friend bool operator==(const FieldRef&, const FieldRef&) = default;
  friend auto operator<=>(const FieldRef&, const FieldRef&) = default;
};

// By the names of search_query.h; nullopt if there is no such field.
std::optional<FieldRef> ParseFieldName(absl::string_view name);
std::string FieldName(const FieldRef& ref);
bool IsFacet(Field field);
// All of those, for messages.
inline constexpr char kFacetFields[] =
    "region_code, group_id, issue_id, source, author, language_code, content_type, year, month and attributes.NAME";

// The term of the index that articles with this value carry; ≤ 245 bytes as the index demands. `value` as stored:
// a language in any case; a URL canonical or not.
std::string TermFor(const FieldRef& ref, absl::string_view value);

// How far apart words that NEAR joins may be, where it doesn't say and at most.
inline constexpr int kDefaultNearDistance = 10;
inline constexpr int kMaxNearDistance = 50;

// Which words of an article are meant.
enum class TextScope { kAny, kTitle, kAuthor, kSource };

struct QueryNode {
  enum class Kind {
    kAll,     // Every article.
    kNone,    // No article.
    kWord,    // words[0] or its stem, or what begins with words[0].
    kPhrase,  // words in this order.
    kNear,    // words in any order, none further than `distance` from another.
    kTerm,    // Articles with the field's value `term`; says nothing about relevance.
    kTime,    // A time from `from` to before `until`.
    kAnd,     // All children.
    kOr,      // Any child.
    kSome,    // Any child; the more the better, all together best.
    kNot,     // Not children[0].
  };

  Kind kind = Kind::kAll;
  std::vector<QueryNode> children;

  TextScope scope = TextScope::kAny;
  std::vector<std::string> words;  // Folded.
  std::vector<std::string> stems;  // Of each word.
  bool prefix = false;             // kWord: the word may go on.
  bool quoted = false;             // kWord: without other forms.
  bool joined = false;             // kPhrase: by the signs between its words, not by quotation marks.
  int repeated = 1;                // kWord: how often the query says it.
  int distance = 0;                // kNear: from word to word; neighbours are 1 apart.
  // kWord: words that count for less in its place, and their stems.
  std::vector<std::string> corrections;
  std::vector<std::string> correction_stems;
  std::vector<std::string> synonyms;  // kWord: words that an operator wants to be found for it, and their stems.
  std::vector<std::string> synonym_stems;

  std::string term;        // Of the index.
  std::string term_query;  // What it means, in the query language.

  Field time_field = Field::kPublishTime;
  std::optional<int64_t> from;  // Seconds since 1970-01-01 UTC; absent: open.
  std::optional<int64_t> until;

  static QueryNode All() { return {}; }
  static QueryNode None();
  // The articles that have this value.
  static QueryNode Term(const FieldRef& ref, absl::string_view value);
  static QueryNode Not(QueryNode child);
  // One child stands for itself; none: kAll for And, kNone for Or and Some. And takes the children of an And among
  // `children` in its place; so does Or.
  static QueryNode And(std::vector<QueryNode> children);
  static QueryNode Or(std::vector<QueryNode> children);
  static QueryNode Some(std::vector<QueryNode> children);

  friend bool operator==(const QueryNode&, const QueryNode&) = default;
};

// In the query language: (iran AND "nuclear talks" AND NOT title:oil AND country:IR), so that it can be sent again.
// Fields that only filters know stand by their names.
std::string ToString(const QueryNode& node);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_QUERY_NODE_H_
