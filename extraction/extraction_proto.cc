#include "extraction/extraction_proto.h"

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace dateline::extraction {
namespace {

namespace pb = article::v1;

void SetTime(absl::Time time, google::protobuf::Timestamp& proto) {
  const int64_t seconds = absl::ToUnixSeconds(time);  // Rounds down, as Timestamp wants it.
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

}  // namespace

pb::Article ToProto(const Article& article) {
  pb::Article proto;
  proto.set_id(article.id);
  proto.set_url(article.url);
  for (const std::string& url : article.alternate_urls) proto.add_alternate_urls(url);
  proto.set_title(article.title);
  proto.set_body(article.body);
  proto.set_summary(article.summary);
  for (const std::string& author : article.authors) proto.add_authors(author);
  proto.set_source(article.source);
  if (article.publish_time.has_value()) {
    SetTime(*article.publish_time, *proto.mutable_publish_time());
    proto.set_publish_time_precision(article.publish_time_precision == TimePrecision::kDay ? pb::TIME_PRECISION_DAY
                                                                                           : pb::TIME_PRECISION_SECOND);
  }
  if (article.update_time.has_value()) SetTime(*article.update_time, *proto.mutable_update_time());
  proto.set_language_code(article.language_code);
  proto.set_image_url(article.image_url);
  proto.set_content_type(article.content_type);
  for (const auto& [name, values] : article.attributes) {
    pb::StringList& list = (*proto.mutable_attributes())[name];
    for (const std::string& value : values) list.add_values(value);
  }
  for (const SourceLabel& label : article.source_labels) {
    pb::SourceLabel& source_label = *proto.add_source_labels();
    source_label.set_kind(label.kind);
    source_label.set_name(label.name);
  }
  for (const Heading& heading : article.headings) {
    pb::Heading& out = *proto.add_headings();
    out.mutable_span()->set_field("body");
    out.mutable_span()->set_start(heading.start);
    out.mutable_span()->set_end(heading.end);
    out.set_level(heading.level);
  }
  return proto;
}

}  // namespace dateline::extraction
