#include "search_service/query_node.h"

#include <algorithm>
#include <array>
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

QueryNode Combined(QueryNode::Kind kind, QueryNode::Kind of_none, std::vector<QueryNode> children) {
  if (children.size() == 1) return std::move(children.front());
  QueryNode node;
  node.kind = children.empty() ? of_none : kind;
  node.children = std::move(children);
  return node;
}

std::string TimeText(const std::optional<int64_t>& seconds) {
  return seconds ? absl::FormatTime(absl::RFC3339_sec, absl::FromUnixSeconds(*seconds), absl::UTCTimeZone()) : "*";
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

QueryNode QueryNode::Term(std::string term) {
  QueryNode node;
  node.kind = Kind::kTerm;
  node.term = std::move(term);
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
      return absl::StrCat(scope, node.words.front(), node.prefix ? "*" : "");
    case QueryNode::Kind::kPhrase:
      return absl::StrCat(scope, "\"", absl::StrJoin(node.words, " "), "\"");
    case QueryNode::Kind::kTerm:
      return absl::StrCat("[", node.term, "]");
    case QueryNode::Kind::kTime:
      return absl::StrCat(FieldName({node.time_field, ""}), ":", TimeText(node.from), "..", TimeText(node.until));
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
