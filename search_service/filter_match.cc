#include "search_service/filter_match.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/time/time.h"

#include "search_service/article_terms.h"

namespace dateline::search {
namespace {

// Every value that a filter can ask for, as the term that the index would have for it.
absl::flat_hash_set<std::string> TermsOf(const Article& article) {
  const std::vector<std::string> given = CallersTerms(article);
  absl::flat_hash_set<std::string> terms(given.begin(), given.end());
  const auto add = [&](const FieldRef& ref, absl::string_view value) { terms.insert(TermFor(ref, value)); };
  if (!article.language_code.empty()) {
    // "pt" finds "pt-BR" as well.
    add({Field::kLanguage, ""}, article.language_code);
    add({Field::kLanguage, ""}, article.language_code.substr(0, article.language_code.find('-')));
  }
  for (const Label& label : EffectiveLabels(article)) add(FieldOf(label.dimension), label.id);
  return terms;
}

bool IsWithin(const std::optional<absl::Time>& time, const QueryNode& node) {
  if (!node.from && !node.until) return true;
  if (!time) return false;  // An undated article is not from before anything.
  const int64_t seconds = absl::ToUnixSeconds(*time);
  return (!node.from || seconds >= *node.from) && (!node.until || seconds < *node.until);
}

bool Passes(const QueryNode& node, const Article& article, const absl::flat_hash_set<std::string>& terms) {
  const auto passes = [&](const QueryNode& child) { return Passes(child, article, terms); };
  switch (node.kind) {
    case QueryNode::Kind::kAll:
      return true;
    case QueryNode::Kind::kTerm:
      return terms.contains(node.term);
    case QueryNode::Kind::kTime:
      return IsWithin(node.time_field == Field::kUpdateTime ? article.update_time : article.publish_time, node);
    case QueryNode::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), passes);
    case QueryNode::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), passes);
    case QueryNode::Kind::kNot:
      return !Passes(node.children.front(), article, terms);
    case QueryNode::Kind::kNone:
    case QueryNode::Kind::kWord:  // Words are in queries only.
    case QueryNode::Kind::kPhrase:
    case QueryNode::Kind::kNear:
    case QueryNode::Kind::kSome:
      break;
  }
  return false;
}

}  // namespace

bool PassesFilter(const QueryNode& condition, const Article& article) {
  if (condition.kind == QueryNode::Kind::kAll) return true;
  return Passes(condition, article, TermsOf(article));
}

}  // namespace dateline::search
