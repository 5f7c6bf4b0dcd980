// Articles and taxonomies to and from the bytes that the article store keeps (storage.proto).
#ifndef DATELINE_SEARCH_SERVICE_ARTICLE_CODEC_H_
#define DATELINE_SEARCH_SERVICE_ARTICLE_CODEC_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "search_service/article.h"

namespace dateline::search {

// Everything of the article that has no column of its own, by how often it is read.
struct EncodedArticle {
  std::string head;
  std::string labels;
  std::string evidence;
};

EncodedArticle EncodeArticle(const Article& article);

// Each fills in its part of `article`; DataLoss if the bytes are not what EncodeArticle gave. Evidence comes after
// labels.
absl::Status DecodeHead(absl::string_view bytes, Article& article);
absl::Status DecodeLabels(absl::string_view bytes, Article& article);
absl::Status DecodeEvidence(absl::string_view bytes, Article& article);

// Whether a label was mapped from `source_labels` rather than given as a label: its evidence says so.
bool IsMapped(const Label& label);
inline constexpr char kSourceLabelEvidence[] = "SOURCE_LABEL";

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_ARTICLE_CODEC_H_
