// Turns a raw document into an article. The service's own implementation asks the classifier service, so that hostile
// bytes are parsed in the process that holds no data.
#ifndef DATELINE_SEARCH_SERVICE_DOCUMENT_EXTRACTOR_H_
#define DATELINE_SEARCH_SERVICE_DOCUMENT_EXTRACTOR_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "dateline/article/v1/article.pb.h"

namespace dateline::search {

// Of ResourceExhausted: the document's article is too large to be answered, now and later.
inline constexpr char kReasonResponseTooLarge[] = "RESPONSE_TOO_LARGE";

struct ExtractedDocument {
  article::v1::Article article;
  std::vector<std::string> warnings;
};

// Thread-safe.
class DocumentExtractor {
 public:
  virtual ~DocumentExtractor() = default;

  // Blocks until the article is there. Unavailable, with a retry delay, if the question could not be asked or the
  // answer was lost; any other error is the document's own and stays: InvalidArgument if it holds no article, for one.
  virtual absl::StatusOr<ExtractedDocument> Extract(const article::v1::RawDocument& document, absl::Time deadline) = 0;
};

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_DOCUMENT_EXTRACTOR_H_
