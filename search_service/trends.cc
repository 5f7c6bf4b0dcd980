#include "search_service/trends.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "common/error.h"
#include "common/hash.h"
#include "common/status_macros.h"
#include "search_service/engine.h"
#include "search_service/query_parser.h"
#include "search_service/selection.h"

namespace dateline::search {
namespace {

constexpr int64_t kPastBuckets = 8;

absl::StatusOr<FieldRef> DimensionOf(const TrendQuery& query, size_t i) {
  const std::optional<FieldRef> ref = ParseFieldName(query.dimensions[i]);
  if (ref && (ref->field <= Field::kIssue || ref->field == Field::kSource)) return *ref;
  return common::InvalidField(
      absl::StrCat("dimensions[", i, "]"),
      absl::StrCat("\"", query.dimensions[i], "\" is none of region_code, group_id, issue_id and source"));
}

absl::StatusOr<TrendCounts> CountsOf(const TrendQuery& query) {
  TrendCounts counts;
  if (query.dimensions.size() > kMaxTrendDimensions) {
    return common::InvalidField("dimensions", absl::StrCat("has ", query.dimensions.size(), " entries; at most ",
                                                           kMaxTrendDimensions, " are counted by"));
  }
  for (size_t i = 0; i < query.dimensions.size(); ++i) {
    ASSIGN_OR_RETURN(FieldRef ref, DimensionOf(query, i));
    if (std::find(counts.dimensions.begin(), counts.dimensions.end(), ref) != counts.dimensions.end()) {
      return common::InvalidField(absl::StrCat("dimensions[", i, "]"), "is there twice");
    }
    counts.dimensions.push_back(std::move(ref));
  }
  counts.bucket = query.bucket;
  counts.zone = absl::UTCTimeZone();
  if (!query.time_zone.empty() && !absl::LoadTimeZone(query.time_zone, &counts.zone)) {
    return common::InvalidField("time_zone",
                                absl::StrCat("\"", query.time_zone, "\" is no IANA time zone, such as Europe/London"));
  }
  return counts;
}

// What decides which cells there are.
std::string SelectionOf(const TrendQuery& query) {
  const SearchQuery& selection = query.selection;
  std::string all =
      absl::StrCat(selection.query, "\n", selection.filter, "\n", absl::StrJoin(selection.region_codes, ","), "\n",
                   absl::StrJoin(selection.group_ids, ","), "\n", absl::StrJoin(selection.issue_ids, ","), "\n",
                   selection.expand_groups, selection.include_embargoed, selection.labels.min_score, "\n",
                   absl::StrJoin(query.dimensions, ","), "\n", static_cast<int>(query.bucket), query.time_zone);
  for (const Selection& one : selection.selections) {
    absl::StrAppend(&all, "\n", one.field, "=", one.match_all, absl::StrJoin(one.values, ","));
  }
  for (const LabelSource source : selection.labels.sources) absl::StrAppend(&all, "/", static_cast<int>(source));
  return all;
}

std::string Digest(absl::string_view text) { return common::Hash128Hex(text).substr(0, 12); }

struct TrendToken {
  std::string selection;  // Digests.
  std::string state;
  uint64_t offset = 0;
  int64_t time = 0;  // Of the first page, by which all of them go.
};

std::string EncodeToken(const TrendToken& token) {
  const std::string place =
      absl::StrCat(token.selection, ".", token.state, ".", token.offset, ".", token.time, ".trends");
  return absl::WebSafeBase64Escape(absl::StrCat(place, ".", Digest(place)));
}

absl::StatusOr<TrendToken> ParseToken(const std::string& text, const std::string& selection) {
  constexpr size_t kMaxTokenBytes = 200;
  std::string plain;
  std::vector<std::string> parts;
  if (text.size() <= kMaxTokenBytes && absl::WebSafeBase64Unescape(text, &plain)) parts = absl::StrSplit(plain, '.');
  TrendToken token;
  // To the letter what was given out, or nothing.
  if (parts.size() != 6 || !absl::SimpleAtoi(parts[2], &token.offset) || !absl::SimpleAtoi(parts[3], &token.time) ||
      EncodeToken({parts[0], parts[1], token.offset, token.time}) != text) {
    return common::InvalidField("page_token", "is not a token of this method");
  }
  if (parts[0] != Digest(selection)) {
    return common::InvalidField("page_token", "belongs to other counts: all but page_size must stay the same");
  }
  token.selection = std::move(parts[0]);
  token.state = std::move(parts[1]);
  return token;
}

// From the counts of the same values before; nullopt in the first bucket of all.
std::optional<double> ExpectedOf(const std::map<TrendKey, int64_t>& counts, const TrendKey& key, int64_t first) {
  const int64_t past = std::min(kPastBuckets, key.first - first);
  if (past <= 0) return std::nullopt;
  int64_t sum = 0;
  for (int64_t back = 1; back <= past; ++back) {
    const auto found = counts.find({key.first - back, key.second});
    if (found != counts.end()) sum += found->second;
  }
  return static_cast<double>(sum) / static_cast<double>(past);
}

}  // namespace

absl::StatusOr<TrendResult> AnalyzeTrends(const SearchIndex& index, const Taxonomy& taxonomy, TextAnalyzer& analyzer,
                                          const TrendQuery& query) {
  const SearchQuery& selection = query.selection;
  if (query.page_size < 0 || query.page_size > kMaxTrendCells) {
    return common::InvalidField("page_size",
                                absl::StrCat("must be 0, for ", kDefaultTrendCells, ", or 1 to ", kMaxTrendCells));
  }
  const LabelNames names{taxonomy, selection.expand_groups};
  MatchRequest request;
  ASSIGN_OR_RETURN(request.trends, CountsOf(query));
  const std::string selected = SelectionOf(query);
  TrendToken token{.selection = Digest(selected),
                   .state = "",
                   .offset = 0,
                   .time = absl::ToUnixSeconds(selection.time.value_or(absl::Now()))};
  if (!query.page_token.empty()) {
    ASSIGN_OR_RETURN(token, ParseToken(query.page_token, selected));
  }
  ASSIGN_OR_RETURN(ParsedQuery parsed, ParseQuery(selection.query, MatchMode::kFullQuery, selection.language_code,
                                                  names, absl::FromUnixSeconds(token.time), analyzer));
  request.query = std::move(parsed.strict);
  ASSIGN_OR_RETURN(request.filters, FiltersOf(selection, names));
  request.labels = selection.labels;
  if (!selection.include_embargoed) request.embargoed_after = token.time;
  request.max_hits = 0;
  request.sort = SortOrder::kNewestFirst;  // Nothing has to be weighed.
  request.deadline = selection.deadline;
  request.cancelled = selection.cancelled;
  ASSIGN_OR_RETURN(const MatchResult matches, index.Match(request));

  const std::string state = Digest(absl::StrCat(matches.state, "/", taxonomy.data().etag));
  if (!query.page_token.empty() && token.state != state) {
    return common::WithReason(absl::FailedPreconditionError(
                                  "page_token: has expired, as articles have come; start again from the first page"),
                              kReasonPageTokenExpired);
  }
  token.state = state;
  TrendResult result;
  result.visible_seq = matches.visible_seq;
  const auto page_size = static_cast<size_t>(query.page_size == 0 ? kDefaultTrendCells : query.page_size);
  uint64_t place = 0;
  for (const auto& [key, count] : matches.trends) {
    if (place++ < token.offset) continue;
    if (result.cells.size() == page_size) {
      token.offset += page_size;
      result.next_page_token = EncodeToken(token);
      break;
    }
    TrendCell& cell = result.cells.emplace_back();
    cell.values = key.second;
    cell.count = count;
    if (query.bucket == TrendBucket::kNone) continue;
    cell.bucket_start = TrendBucketStart(query.bucket, key.first, request.trends->zone);
    cell.expected_count = ExpectedOf(matches.trends, key, matches.trends.begin()->first.first);
  }
  return result;
}

}  // namespace dateline::search
