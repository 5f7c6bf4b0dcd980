// The only translator between the search core's articles and dateline.article.v1.
//
// FromProto reads the caller's fields (and `headings`); what the service sets is ignored on the way in. It refuses
// what cannot be said in the core's types at all; the core's Normalize() judges the rest, once.
#ifndef DATELINE_SEARCH_SERVICE_ARTICLE_PROTO_H_
#define DATELINE_SEARCH_SERVICE_ARTICLE_PROTO_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

#include "dateline/article/v1/article.pb.h"
#include "search_service/article.h"
#include "search_service/taxonomy.h"

namespace dateline::search {

// InvalidArgument names the field that is wrong: a time outside years 1 to 9999, a label without a target, a number
// that an enum doesn't have; and says ARTICLE_TOO_LARGE. Labels of the classifier are carried over by their source
// only.
absl::StatusOr<Article> FromProto(const article::v1::Article& proto);

// What a label is about, and nothing else of it. InvalidArgument naming `field` if it has no target.
absl::StatusOr<Label> TargetFromProto(absl::string_view field, const article::v1::Label& proto);

// How an article is written into an answer.
struct ArticleFormat {
  article::v1::ArticleView view = article::v1::ARTICLE_VIEW_FULL;  // Never UNSPECIFIED.
  std::string display_language;                                    // Of labels; empty: English.
  LabelOptions labels;                                             // Which labels are written.
};

// Writes the labels that `format.labels` lets through; `taxonomy` names them.
void ToProto(const Article& article, const ArticleFormat& format, const Taxonomy& taxonomy,
             article::v1::Article& proto);

// A label of the classifier's, as its own service returns evidence.
std::vector<Evidence> EvidenceFromProto(const google::protobuf::RepeatedPtrField<article::v1::Evidence>& protos);

google::protobuf::Timestamp TimestampToProto(absl::Time time);

// The sources of a request; an unspecified one is InvalidArgument.
absl::StatusOr<std::vector<LabelSource>> LabelSourcesFromProto(const google::protobuf::RepeatedField<int>& protos);

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_ARTICLE_PROTO_H_
