// Articles as documents of the index: its terms and values. docs/store-format.md lists them.
#ifndef DATELINE_SEARCH_SERVICE_INDEX_DOCUMENT_H_
#define DATELINE_SEARCH_SERVICE_INDEX_DOCUMENT_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "search_service/article.h"
#include "search_service/query_node.h"
#include "search_service/text_analysis.h"
#include "search_service/visible_prefix.h"

namespace Xapian {  // NOLINT(readability-identifier-naming): the library chose it.
class Document;
}  // namespace Xapian

namespace dateline::search {

// Values of a document.
enum IndexSlot : uint32_t {
  kPublishSlot = 0,
  kUpdateSlot = 1,
  kVisibleSlot = 2,
  kLabelSlot = 3,
  kFacetSlot = 4,
  kRowSlot = 5,        // EncodeRowState.
  kDuplicateSlot = 6,  // The id of the article that this one nearly repeats, if any.
};

// Terms beside those of TermFor: words stand as they are, in lower case.
inline constexpr char kStemPrefix[] = "Z";
inline constexpr char kTitlePrefix[] = "S";
inline constexpr char kTitleStemPrefix[] = "ZS";
inline constexpr char kAuthorPrefix[] = "A";
inline constexpr char kSourcePrefix[] = "XN";
inline constexpr char kEmbargoTerm[] = "XEMBARGO";
inline constexpr std::array<const char*, kDimensionCount> kLabelPrefixes = {"XC:", "XG:", "XI:"};
inline constexpr size_t kLabelPrefixBytes = 3;

// Between the positions of title, body and authors, so that no phrase spans two of them, nor words that are NEAR.
inline constexpr uint32_t kFieldGap = 100;

// The document of an article that stands at `state` in the store.
Xapian::Document MakeDocument(const RowState& state, const Article& article, TextAnalyzer& analyzer);

// Which state of which row a document shows, as its value in kRowSlot: 16 bytes.
std::string EncodeRowState(const RowState& state);
// Row 0 where `value` is none.
RowState DecodeRowState(absl::string_view value);

// A time as values hold it: seconds, in an order of bytes.
std::string SortableTime(absl::Time time);

// The status of an exception that Xapian threw, for the handler that caught it (`catch (...)`); exceptions of others go
// on their way. Chosen by what the caller should do; the message names the remedy.
absl::Status CaughtIndexError();

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_INDEX_DOCUMENT_H_
