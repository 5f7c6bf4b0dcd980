// Labelled articles of the optional data, for measuring and fitting the country tagger.
#ifndef DATELINE_TESTS_QUALITY_COUNTRIES_DATA_H_
#define DATELINE_TESTS_QUALITY_COUNTRIES_DATA_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "classifier_service/classification.h"

namespace dateline::quality {

struct LabelledArticle {
  std::string id;
  std::string source;  // Of the article within its file: the outlet.
  std::string subset;
  std::string split;
  classifier::ArticleText text;        // Normalised; `publish_time` is the middle of the year, if that is known.
  std::vector<std::string> topics;     // As the collection names them.
  std::vector<std::string> countries;  // Sorted.
  bool labelled = false;               // Has the field `countries`, and the list is complete.
};

// Calls `visit` with each article of a file of JSON Lines, packed with zstd or plain. Returns NotFound if there is no
// such file, DataLoss with the line if it is not well formed.
absl::Status ForEachArticle(const std::string& path, const std::function<void(LabelledArticle)>& visit);

}  // namespace dateline::quality

#endif  // DATELINE_TESTS_QUALITY_COUNTRIES_DATA_H_
