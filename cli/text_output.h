// Answers as text for people.
#ifndef DATELINE_CLI_TEXT_OUTPUT_H_
#define DATELINE_CLI_TEXT_OUTPUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "cli/output.pb.h"
#include "dateline/article/v1/article.pb.h"
#include "dateline/classifier/v1/classifier_service.pb.h"
#include "dateline/search/v1/ingest_service.pb.h"
#include "dateline/search/v1/search_admin_service.pb.h"
#include "dateline/search/v1/search_service.pb.h"
#include "extraction/extraction.h"

namespace dateline::cli {

// What the output may look like.
struct TextStyle {
  bool color = false;  // Use ANSI sequences. Without, marks that colour would carry are spelt out: [word].
  int columns = 100;   // Where to wrap.

  std::string Bold(absl::string_view text) const { return Paint("1", text); }
  std::string Dim(absl::string_view text) const { return Paint("2", text); }
  std::string Red(absl::string_view text) const { return Paint("31", text); }
  std::string Green(absl::string_view text) const { return Paint("32", text); }
  std::string Yellow(absl::string_view text) const { return Paint("33", text); }
  std::string Cyan(absl::string_view text) const { return Paint("36", text); }

 private:
  std::string Paint(absl::string_view code, absl::string_view text) const;
};

// `text` broken at spaces into lines of at most `columns` code points, each after `indent`; no line end at the end.
// Words that are longer stay whole.
std::string Wrap(absl::string_view text, int columns, absl::string_view indent);

// `text` with what `ranges` (byte offsets) cover made to stand out. Ranges that don't fit the text are passed over.
std::string Highlight(absl::string_view text, const google::protobuf::RepeatedPtrField<search::v1::TextRange>& ranges,
                      const TextStyle& style);

// All of these end in a line end.
std::string FormatArticle(const article::v1::Article& article, const TextStyle& style);
std::string FormatBlocks(const std::vector<extraction::Block>& blocks, const TextStyle& style);
std::string FormatWarnings(const std::vector<std::string>& warnings, const TextStyle& style);
// `article` is what was classified.
std::string FormatTags(const article::v1::Article& article, const classifier::v1::ClassifyResponse& response,
                       const TextStyle& style);
// What a search was asked, as far as its answer doesn't say.
struct SearchAsked {
  int skip = 0;                          // Hits before the first, for numbering.
  std::vector<std::string> facet_names;  // Of the facets, as asked for; by default their fields' names.
};
std::string FormatSearch(const search::v1::SearchResponse& response, const SearchAsked& asked, const TextStyle& style);
std::string FormatHit(const search::v1::SearchHit& hit, int number, const TextStyle& style);
// A line for each cell: when, which values, how many, and what was expected.
std::string FormatTrends(const search::v1::AnalyzeTrendsResponse& response,
                         const search::v1::AnalyzeTrendsRequest& request, const TextStyle& style);
std::string FormatSuggestions(const search::v1::SuggestResponse& response, const TextStyle& style);
// One line, and one more for each warning if `verbose` or not taken.
std::string FormatIngestLine(const IngestLine& line, bool verbose, const TextStyle& style);
// One line: what became of it, which, why.
std::string FormatDeletion(const DeletionLine::Deletion& deletion, const TextStyle& style);
// One line: when, what, which.
std::string FormatChange(const search::v1::Change& change, const TextStyle& style);
// The labels that count, with who gave them.
std::string FormatLabels(const search::v1::UpdateArticleLabelsResponse& response, const TextStyle& style);
// Lines for one job.
std::string FormatJob(const search::v1::Job& job, const TextStyle& style);
std::string FormatIndexInfo(const search::v1::GetIndexInfoResponse& info, const TextStyle& style);
std::string FormatModelInfo(const classifier::v1::GetModelInfoResponse& info, const TextStyle& style);

enum class TaxonomyPart { kIssues, kRegions, kGroups };
std::string FormatTaxonomy(const classifier::v1::GetTaxonomyResponse& taxonomy, TaxonomyPart part,
                           const TextStyle& style);

// "durable", "visible", "labelled".
std::string StageName(search::v1::CommitStage stage);
// "created", "rejected", …
std::string OutcomeName(search::v1::IngestOutcome outcome);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_TEXT_OUTPUT_H_
