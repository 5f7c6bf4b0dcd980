#include "tests/fuzz/fuzz_search.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/text.h"
#include "search_service/page_token.h"
#include "search_service/query_node.h"
#include "search_service/query_parser.h"
#include "search_service/search_query.h"
#include "search_service/taxonomy.h"
#include "search_service/text_analysis.h"

namespace dateline::testing {
namespace {

using search::MatchMode;
using search::ParsedQuery;
using search::QueryNode;

void Require(bool holds, absl::string_view promise, absl::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\nby: %s\n", std::string(promise).c_str(), std::string(text).c_str());
  std::abort();
}

search::TaxonomyEntry Entry(std::string id, std::string name, std::vector<std::string> aliases = {}) {
  search::TaxonomyEntry entry;
  entry.id = std::move(id);
  entry.names.push_back({"en", std::move(name), std::move(aliases)});
  return entry;
}

const search::Taxonomy& SomeTaxonomy() {
  static const auto* const kTaxonomy = [] {
    search::TaxonomyData data;
    data.regions = {Entry("IR", "Iran"), Entry("AE", "United Arab Emirates", {"UAE"})};
    data.groups = {Entry("gcc", "Gulf Cooperation Council", {"GCC"})};
    data.groups[0].members.push_back({"AE", 0, 0});
    data.issues = {Entry("energy", "Energy", {"Oil and gas"}), Entry("old_energy", "Fuels")};
    data.issues[1].replaced_by = {"energy"};
    return new search::Taxonomy(std::move(data));
  }();
  return *kTaxonomy;
}

search::TextAnalyzer& Analyzer() {
  static auto* const kAnalyzer = new search::TextAnalyzer();
  return *kAnalyzer;
}

constexpr int64_t kNow = 1'790'000'000;  // In 2026.

absl::StatusOr<ParsedQuery> Parse(absl::string_view text, MatchMode mode, bool expand_groups) {
  return search::ParseQuery(text, mode, "", {SomeTaxonomy(), expand_groups}, absl::FromUnixSeconds(kNow), Analyzer());
}

void RequireInvalid(const absl::Status& status, absl::string_view field, absl::string_view text) {
  Require(absl::IsInvalidArgument(status), absl::StrCat("errors are InvalidArgument, not ", status.ToString()), text);
  const auto violations = common::FieldViolationsOf(status);
  Require(violations.size() == 1 && violations[0].field == field, "errors name the field", text);
}

// Whether an imagined article, one of many that `seed` counts, passes: each word and value is there or not by chance.
bool Passes(const QueryNode& node, uint64_t seed) {
  const auto by_chance = [&](absl::string_view what) {
    return search::Fingerprint64(absl::StrCat(seed, "/", what)) % 3 != 0;
  };
  const auto has_word = [&](absl::string_view word) {
    return by_chance(absl::StrCat(static_cast<int>(node.scope), ":", word));
  };
  const auto passes = [&](const QueryNode& child) { return Passes(child, seed); };
  switch (node.kind) {
    case QueryNode::Kind::kAll:
      return true;
    case QueryNode::Kind::kNone:
      return false;
    case QueryNode::Kind::kWord:
      return has_word(node.words.front());
    case QueryNode::Kind::kPhrase:
    case QueryNode::Kind::kNear:
      return std::all_of(node.words.begin(), node.words.end(), has_word) && by_chance(ToString(node));
    case QueryNode::Kind::kTerm:
      return by_chance(node.term);
    case QueryNode::Kind::kTime:
      return by_chance(ToString(node));
    case QueryNode::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), passes);
    case QueryNode::Kind::kOr:
    case QueryNode::Kind::kSome:
      return std::any_of(node.children.begin(), node.children.end(), passes);
    case QueryNode::Kind::kNot:
      return !Passes(node.children.front(), seed);
  }
  return false;
}

void ForEachNode(const QueryNode& node, const std::function<void(const QueryNode&)>& visit) {
  visit(node);
  for (const QueryNode& child : node.children) ForEachNode(child, visit);
}

void CheckParsed(const ParsedQuery& parsed, absl::string_view text, MatchMode mode) {
  size_t last = 0;
  for (const search::WordPlace& place : parsed.places) {
    Require(place.start < place.end && place.end <= text.size() && place.start >= last, "words stand in the text",
            text);
    last = place.start;
  }
  const search::Interpretation& said = parsed.interpretation;
  Require(said.ignored_parts.size() <= 10 && said.notes.size() <= 11, "what is said is bounded", text);
  for (const std::string& part : said.ignored_parts) {
    Require(!part.empty() && absl::StrContains(text, part), "ignored parts are of the text", text);
  }
  for (const std::string& note : said.notes) Require(common::IsValidUtf8(note), "notes are UTF-8", text);
  ForEachNode(parsed.strict, [&](const QueryNode& node) {
    const bool words = node.kind == QueryNode::Kind::kWord || node.kind == QueryNode::Kind::kPhrase ||
                       node.kind == QueryNode::Kind::kNear;
    Require(words == !node.words.empty() && node.words.size() == node.stems.size(), "words have stems", text);
    if (node.kind == QueryNode::Kind::kNear) {
      Require(node.words.size() > 1 && node.distance >= 1 && node.distance <= search::kMaxNearDistance,
              "NEAR joins words within its bounds", text);
    }
    if (mode == MatchMode::kLiteral) {
      Require(node.kind == QueryNode::Kind::kWord || node.kind == QueryNode::Kind::kAnd ||
                  node.kind == QueryNode::Kind::kAll,
              "a literal query has words only", text);
    }
  });
  for (uint64_t article = 0; article < 8; ++article) {
    Require(!Passes(parsed.strict, article) || Passes(parsed.relaxed, article), "relaxing only adds articles", text);
  }
  Require(parsed.empty == said.normalized_query.empty(), "an empty query says nothing", text);
  if (parsed.empty) return;
  Require(said.normalized_query == ToString(parsed.strict), "what is said is what is searched", text);
  // Its groups are expanded already.
  const absl::StatusOr<ParsedQuery> again =
      Parse(said.normalized_query, MatchMode::kFullQuery, /*expand_groups=*/false);
  if (!again.ok()) {
    // It may be longer than what was typed.
    RequireInvalid(again.status(), "query", text);
    return;
  }
  Require(again->interpretation.normalized_query == said.normalized_query,
          absl::StrCat("the normalised query means the same: ", said.normalized_query, " became ",
                       again->interpretation.normalized_query),
          text);
}

}  // namespace

void CheckQuery(absl::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  const auto mode = static_cast<MatchMode>(choice % 3);
  const bool expand_groups = (choice & 0x80) != 0;
  const absl::string_view text = input.substr(1);
  const absl::StatusOr<ParsedQuery> parsed = Parse(text, mode, expand_groups);
  if (!parsed.ok()) {
    RequireInvalid(parsed.status(), "query", text);
    return;
  }
  CheckParsed(*parsed, text, mode);
}

void CheckFilter(absl::string_view text) {
  const search::LabelNames names{SomeTaxonomy()};
  const absl::StatusOr<QueryNode> parsed = search::ParseFilter(text, names);
  if (!parsed.ok()) {
    RequireInvalid(parsed.status(), "filter", text);
    return;
  }
  ForEachNode(*parsed, [&](const QueryNode& node) {
    Require(node.words.empty() && node.kind != QueryNode::Kind::kSome, "a filter has no words", text);
    Require(node.kind != QueryNode::Kind::kTerm || (!node.term.empty() && node.term.size() <= 245),
            "terms fit the index", text);
  });
  Require(!ToString(*parsed).empty(), "a filter can be told", text);
  const auto same = [&](const std::string& other, const QueryNode& expected) {
    const absl::StatusOr<QueryNode> node = search::ParseFilter(other, names);
    if (!node.ok()) {  // Too long, too deep or of too many conditions.
      RequireInvalid(node.status(), "filter", text);
      return;
    }
    Require(*node == expected, absl::StrCat("it means the same as ", other), text);
  };
  same(absl::StrCat(" ", text, "\n"), *parsed);
  if (parsed->kind == QueryNode::Kind::kAll) return;
  same(absl::StrCat("(", text, ")"), *parsed);
  same(absl::StrCat("NOT (", text, ")"), QueryNode::Not(*parsed));
}

void CheckPageToken(absl::string_view input) {
  if (const std::optional<search::PageToken> token = search::ParsePageToken(input)) {
    Require(search::EncodePageToken(*token) == input, "what is taken was given out", input);
  }
  std::array<uint64_t, 7> numbers{};
  std::memcpy(numbers.data(), input.data(), std::min(input.size(), sizeof(numbers)));
  const search::PageToken token{.nonce = numbers[0],
                                .id = numbers[1],
                                .fingerprint = numbers[2],
                                .offset = numbers[3],
                                .state = numbers[4],
                                .visible_until = numbers[5]};
  const std::string text = search::EncodePageToken(token);
  Require(search::ParsePageToken(text) == token, "a token comes back", text);
  const size_t place = numbers[6] % text.size();
  const auto refused = [&](const std::string& altered) {
    Require(altered == text || !search::ParsePageToken(altered), absl::StrCat("an altered token is refused: ", altered),
            text);
  };
  std::string altered = text;
  altered[place] = static_cast<char>(numbers[6] >> 32);
  refused(altered);
  altered = text;
  altered[place] = static_cast<char>(altered[place] ^ (1 << (numbers[6] >> 40) % 8));
  refused(altered);
  refused(text.substr(0, place));
  refused(text.substr(0, place) + text.substr(place + 1));
  refused(text + text[place]);
}

}  // namespace dateline::testing
