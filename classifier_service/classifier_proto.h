// The only translator between the classifier's plain types and dateline.classifier.v1.
#ifndef DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_PROTO_H_
#define DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_PROTO_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "classifier_service/classification.h"
#include "classifier_service/classifier.h"
#include "dateline/article/v1/article.pb.h"
#include "dateline/classifier/v1/classifier_service.pb.h"
#include "extraction/extraction.h"

namespace dateline::classifier {

// The largest article, serialised (MB is 10^6).
inline constexpr size_t kMaxArticleBytes = 2'000'000;
inline constexpr size_t kMaxUrlBytes = 2'000;
inline constexpr int kMaxMentions = 2'000;

// The text of the article that stands at `path` of a request, normalised. A publish_time that no article has, before
// the year 1400 or more than a year after `now`, is left out with a warning. InvalidArgument names the field: neither
// title nor body, too large, a publish_time that is no time between the years 1 and 9999.
absl::StatusOr<ArticleText> FromProto(const article::v1::Article& article, absl::string_view path, absl::Time now,
                                      google::protobuf::RepeatedPtrField<std::string>& warnings);

// How a request wants its article tagged. InvalidArgument names the field: a display_language that is no BCP 47 tag, an
// unknown profile, too many priors, one without a target that `gazetteer` knows, a target twice, log-odds out of range.
absl::StatusOr<ClassifyOptions> OptionsFromProto(const v1::ClassifyRequest& request, const Gazetteer& gazetteer);

// The `document` of a request, for extraction. InvalidArgument names the field: no content, a `url` that is too long or
// none of http or https, a `fetch_time` that is no time between the years 1 and 9999.
absl::StatusOr<extraction::Document> FromProto(const article::v1::RawDocument& document);

// The article of an extraction, with each field that is set in `known` in the place of what was found, and its text
// normalised: spans are offsets into it as it is. InvalidArgument, reason ARTICLE_TOO_LARGE, if it has more than
// kMaxArticleBytes; the field is the part of `document` that made it so.
absl::StatusOr<article::v1::Article> ToProto(const extraction::Extraction& extraction,
                                             const article::v1::Article& known);

// Everything but `article` and `warnings`.
void ToProto(const Classification& classification, const Classifier& classifier, v1::ClassifyResponse& response);

void ToProto(const Classifier& classifier, v1::GetTaxonomyResponse& response);
void ToProto(const Classifier& classifier, v1::GetModelInfoResponse& response);

}  // namespace dateline::classifier

#endif  // DATELINE_CLASSIFIER_SERVICE_CLASSIFIER_PROTO_H_
