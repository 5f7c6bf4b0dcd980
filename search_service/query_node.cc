#include "search_service/query_node.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

#include "common/hash.h"
#include "common/url.h"

namespace dateline::search {
namespace {

struct NameOfField {
  const char* name;
  Field field;
};
constexpr std::array<NameOfField, 17> kNames = {{
    {"region_code", Field::kRegion},
    {"country", Field::kRegion},
    {"group_id", Field::kGroup},
    {"group", Field::kGroup},
    {"issue_id", Field::kIssue},
    {"issue", Field::kIssue},
    {"source", Field::kSource},
    {"author", Field::kAuthor},
    {"language_code", Field::kLanguage},
    {"language", Field::kLanguage},
    {"content_type", Field::kContentType},
    {"year", Field::kYear},
    {"month", Field::kMonth},
    {"publish_time", Field::kPublishTime},
    {"update_time", Field::kUpdateTime},
    {"id", Field::kId},
    {"url", Field::kUrl},
}};
constexpr absl::string_view kAttributePrefix = "attributes.";

// Xapian takes 245 bytes, and a NUL byte counts twice; longer values are hashed.
constexpr size_t kMaxTermBytes = 220;

QueryNode Combined(QueryNode::Kind kind, QueryNode::Kind of_none, std::vector<QueryNode> nodes) {
  // (a AND (b AND c)) is (a AND b AND c): what is the same reads the same.
  std::vector<QueryNode> children;
  for (QueryNode& node : nodes) {
    if (node.kind == kind && kind != QueryNode::Kind::kSome) {
      children.insert(children.end(), std::make_move_iterator(node.children.begin()),
                      std::make_move_iterator(node.children.end()));
    } else {
      children.push_back(std::move(node));
    }
  }
  if (children.size() == 1) return std::move(children.front());
  QueryNode node;
  node.kind = children.empty() ? of_none : kind;
  node.children = std::move(children);
  return node;
}

// A day where it is the beginning of one.
std::string TimeText(int64_t seconds) {
  constexpr int64_t kDay = 24 * 60 * 60;
  return absl::FormatTime(seconds % kDay == 0 ? "%E4Y-%m-%d" : "%E4Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(seconds),
                          absl::UTCTimeZone());
}

std::string TimeQuery(const QueryNode& node) {
  const bool published = node.time_field == Field::kPublishTime;
  const std::string name = FieldName({node.time_field, ""});
  std::vector<std::string> parts;
  if (node.from) parts.push_back(absl::StrCat(published ? "after:" : name + ">=", TimeText(*node.from)));
  if (node.until) parts.push_back(absl::StrCat(published ? "before:" : name + "<", TimeText(*node.until)));
  if (parts.size() == 2) return absl::StrCat("(", parts[0], " AND ", parts[1], ")");
  return parts.empty() ? "*" : parts[0];
}

// The name in the query language, where that has the field.
std::string QueryName(const FieldRef& ref) {
  switch (ref.field) {
    case Field::kRegion:
      return "country";
    case Field::kGroup:
      return "group";
    case Field::kIssue:
      return "issue";
    case Field::kLanguage:
      return "language";
    default:
      return FieldName(ref);
  }
}

}  // namespace

std::optional<FieldRef> ParseFieldName(absl::string_view name) {
  for (const NameOfField& known : kNames) {
    if (name == known.name) return FieldRef{known.field, ""};
  }
  if (absl::StartsWith(name, kAttributePrefix) && name.size() > kAttributePrefix.size()) {
    return FieldRef{Field::kAttribute, std::string(name.substr(kAttributePrefix.size()))};
  }
  return std::nullopt;
}

std::string FieldName(const FieldRef& ref) {
  if (ref.field == Field::kAttribute) return absl::StrCat(kAttributePrefix, ref.attribute);
  for (const NameOfField& known : kNames) {
    if (ref.field == known.field) return known.name;
  }
  return std::string();
}

bool IsFacet(Field field) { return field <= Field::kAttribute; }

std::string TermFor(const FieldRef& ref, absl::string_view value) {
  std::string term;
  switch (ref.field) {
    case Field::kRegion:
      term = absl::StrCat("XC:", value);
      break;
    case Field::kGroup:
      term = absl::StrCat("XG:", value);
      break;
    case Field::kIssue:
      term = absl::StrCat("XI:", value);
      break;
    case Field::kSource:
      term = absl::StrCat("XS:", value);
      break;
    case Field::kAuthor:
      term = absl::StrCat("XA:", value);
      break;
    case Field::kLanguage:
      term = absl::StrCat("L", absl::AsciiStrToLower(value));
      break;
    case Field::kContentType:
      term = absl::StrCat("XT:", value);
      break;
    case Field::kYear:
      term = absl::StrCat("Y", value);
      break;
    case Field::kMonth:
      term = absl::StrCat("M", value);
      break;
    case Field::kAttribute:
      term = absl::StrCat("XF:", ref.attribute, ":", value);
      break;
    case Field::kId:
      term = absl::StrCat("Q", value);
      break;
    case Field::kUrl: {
      const absl::StatusOr<std::string> canonical = common::CanonicalUrl(value);
      term = absl::StrCat("XU:", common::Hash128Hex(canonical.ok() ? absl::string_view(*canonical) : value));
      break;
    }
    case Field::kPublishTime:
    case Field::kUpdateTime:
      break;
  }
  const auto nul_bytes = static_cast<size_t>(std::count(term.begin(), term.end(), '\0'));
  if (term.size() + nul_bytes <= kMaxTermBytes) return term;
  return absl::StrCat(term.substr(0, term[0] == 'X' ? 3 : 1), "#", common::Hash128Hex(term));
}

QueryNode QueryNode::None() {
  QueryNode node;
  node.kind = Kind::kNone;
  return node;
}

QueryNode QueryNode::Term(const FieldRef& ref, absl::string_view value) {
  const bool plain = std::all_of(value.begin(), value.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
  });
  QueryNode node;
  node.kind = Kind::kTerm;
  node.term = TermFor(ref, value);
  node.term_query = plain ? absl::StrCat(QueryName(ref), ":", value) : absl::StrCat(QueryName(ref), ":\"", value, "\"");
  return node;
}

QueryNode QueryNode::Not(QueryNode child) {
  QueryNode node;
  node.kind = Kind::kNot;
  node.children.push_back(std::move(child));
  return node;
}

QueryNode QueryNode::And(std::vector<QueryNode> children) {
  return Combined(Kind::kAnd, Kind::kAll, std::move(children));
}
QueryNode QueryNode::Or(std::vector<QueryNode> children) {
  return Combined(Kind::kOr, Kind::kNone, std::move(children));
}
QueryNode QueryNode::Some(std::vector<QueryNode> children) {
  return Combined(Kind::kSome, Kind::kNone, std::move(children));
}

std::string ToString(const QueryNode& node) {
  constexpr std::array<const char*, 4> kScopes = {"", "title:", "author:", "source:"};
  const char* scope = kScopes[static_cast<size_t>(node.scope)];
  const auto joined = [&](const char* separator) {
    return absl::StrCat(
        "(",
        absl::StrJoin(node.children, separator,
                      [](std::string* out, const QueryNode& child) { absl::StrAppend(out, ToString(child)); }),
        ")");
  };
  switch (node.kind) {
    case QueryNode::Kind::kAll:
      return "*";
    case QueryNode::Kind::kNone:
      return "()";
    case QueryNode::Kind::kWord:
      if (node.quoted) return absl::StrCat(scope, "\"", node.words.front(), "\"");
      return absl::StrCat(scope, node.words.front(), node.prefix ? "*" : "");
    case QueryNode::Kind::kPhrase:
      return absl::StrCat(scope, "\"", absl::StrJoin(node.words, " "), "\"");
    case QueryNode::Kind::kNear: {
      const std::string near =
          node.distance == kDefaultNearDistance ? " NEAR " : absl::StrCat(" NEAR/", node.distance, " ");
      return absl::StrCat("(", scope, absl::StrJoin(node.words, absl::StrCat(near, scope)), ")");
    }
    case QueryNode::Kind::kTerm:
      return node.term_query;
    case QueryNode::Kind::kTime:
      return TimeQuery(node);
    case QueryNode::Kind::kAnd:
      return joined(" AND ");
    case QueryNode::Kind::kOr:
      return joined(" OR ");
    case QueryNode::Kind::kSome:
      return joined(" ");
    case QueryNode::Kind::kNot:
      return absl::StrCat("NOT ", ToString(node.children.front()));
  }
  return std::string();
}

}  // namespace dateline::search
