#include "search_service/article_codec.h"

#include <algorithm>
#include <string>
#include <utility>

#include "search_service/storage.pb.h"

namespace dateline::search {
namespace {

absl::Status Damaged() {
  return absl::DataLossError("article store: a row cannot be read; put a backup copy of the data folder in its place");
}

std::string StoredForm(const google::protobuf::MessageLite& message) { return message.SerializeAsString(); }

bool ParseStored(absl::string_view bytes, google::protobuf::MessageLite& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

EncodedArticle EncodeArticle(const Article& article) {
  storage::v1::Head head;
  head.set_url(article.url);
  for (const std::string& url : article.alternate_urls) head.add_alternate_urls(url);
  head.set_summary(article.summary);
  for (const std::string& author : article.authors) head.add_authors(author);
  head.set_source(article.source);
  if (article.publish_time) head.set_publish_time_us(absl::ToUnixMicros(*article.publish_time));
  head.set_publish_day_only(article.publish_time_precision == TimePrecision::kDay);
  if (article.update_time) head.set_update_time_us(absl::ToUnixMicros(*article.update_time));
  head.set_language_code(article.language_code);
  head.set_language_detected(article.language_detected);
  head.set_image_url(article.image_url);
  head.set_content_type(article.content_type);
  for (const auto& [name, values] : article.attributes) {
    storage::v1::StringList& list = (*head.mutable_attributes())[name];
    for (const std::string& value : values) list.add_values(value);
  }
  if (article.visible_from) head.set_visible_from_us(absl::ToUnixMicros(*article.visible_from));
  for (const SourceLabel& label : article.source_labels) {
    storage::v1::SourceLabel& stored = *head.add_source_labels();
    stored.set_kind(label.kind);
    stored.set_name(label.name);
  }
  head.set_create_time_us(absl::ToUnixMicros(article.create_time));
  for (const Heading& heading : article.headings) {
    storage::v1::Heading& stored = *head.add_headings();
    stored.set_start(heading.start);
    stored.set_end(heading.end);
    stored.set_level(heading.level);
  }
  head.set_duplicate_of(article.duplicate_of);

  storage::v1::Labels labels;
  storage::v1::LabelEvidence evidence;
  labels.set_country_outcome(static_cast<int>(article.country_outcome));
  labels.set_issue_outcome(static_cast<int>(article.issue_outcome));
  labels.set_replaced_dimensions(article.replaced_dimensions);
  for (const Label& label : article.labels) {
    storage::v1::Label& stored = *labels.add_labels();
    stored.set_dimension(static_cast<int>(label.dimension));
    stored.set_id(label.id);
    stored.set_score(label.score);
    stored.set_source(static_cast<int>(label.source));
    stored.set_verdict(static_cast<int>(label.verdict));
    stored.set_primary(label.primary);
    stored.set_model_version(label.model_version);
    stored.set_taxonomy_version(label.taxonomy_version);
    if (label.label_time) stored.set_label_time_us(absl::ToUnixMicros(*label.label_time));
    storage::v1::EvidenceList& list = *evidence.add_lists();
    for (const Evidence& item : label.evidence) {
      storage::v1::Evidence& stored_item = *list.add_evidence();
      if (item.span) {
        stored_item.set_has_span(true);
        stored_item.set_field(item.span->field);
        stored_item.set_start(item.span->start);
        stored_item.set_end(item.span->end);
      }
      stored_item.set_text(item.text);
      stored_item.set_kind(item.kind);
      stored_item.set_weight(item.weight);
      stored_item.set_set_aside(static_cast<int>(item.set_aside));
    }
  }
  return {StoredForm(head), StoredForm(labels), StoredForm(evidence)};
}

absl::Status DecodeHead(absl::string_view bytes, Article& article) {
  storage::v1::Head head;
  if (!ParseStored(bytes, head)) return Damaged();
  article.url = head.url();
  article.alternate_urls.assign(head.alternate_urls().begin(), head.alternate_urls().end());
  article.summary = head.summary();
  article.authors.assign(head.authors().begin(), head.authors().end());
  article.source = head.source();
  if (head.has_publish_time_us()) article.publish_time = absl::FromUnixMicros(head.publish_time_us());
  article.publish_time_precision = head.publish_day_only() ? TimePrecision::kDay : TimePrecision::kSecond;
  if (head.has_update_time_us()) article.update_time = absl::FromUnixMicros(head.update_time_us());
  article.language_code = head.language_code();
  article.language_detected = head.language_detected();
  article.image_url = head.image_url();
  article.content_type = head.content_type();
  for (const auto& [name, list] : head.attributes()) {
    article.attributes[name].assign(list.values().begin(), list.values().end());
  }
  if (head.has_visible_from_us()) article.visible_from = absl::FromUnixMicros(head.visible_from_us());
  for (const storage::v1::SourceLabel& label : head.source_labels()) {
    article.source_labels.push_back({label.kind(), label.name()});
  }
  article.create_time = absl::FromUnixMicros(head.create_time_us());
  for (const storage::v1::Heading& heading : head.headings()) {
    article.headings.push_back({heading.start(), heading.end(), heading.level()});
  }
  article.duplicate_of = head.duplicate_of();
  return absl::OkStatus();
}

absl::Status DecodeLabels(absl::string_view bytes, Article& article) {
  storage::v1::Labels labels;
  if (!ParseStored(bytes, labels)) return Damaged();
  article.country_outcome = static_cast<TagOutcome>(labels.country_outcome());
  article.issue_outcome = static_cast<TagOutcome>(labels.issue_outcome());
  article.replaced_dimensions = labels.replaced_dimensions();
  article.labels.clear();
  for (const storage::v1::Label& stored : labels.labels()) {
    // A label whose dimension a newer version invented is skipped.
    if (stored.dimension() < 0 || stored.dimension() >= kDimensionCount) continue;
    Label& label = article.labels.emplace_back();
    label.dimension = static_cast<Dimension>(stored.dimension());
    label.id = stored.id();
    label.score = stored.score();
    label.source = static_cast<LabelSource>(stored.source());
    label.verdict = static_cast<LabelVerdict>(stored.verdict());
    label.primary = stored.primary();
    label.model_version = stored.model_version();
    label.taxonomy_version = stored.taxonomy_version();
    if (stored.has_label_time_us()) label.label_time = absl::FromUnixMicros(stored.label_time_us());
  }
  return absl::OkStatus();
}

absl::Status DecodeEvidence(absl::string_view bytes, Article& article) {
  storage::v1::LabelEvidence evidence;
  if (!ParseStored(bytes, evidence)) return Damaged();
  const size_t count = std::min<size_t>(article.labels.size(), static_cast<size_t>(evidence.lists_size()));
  for (size_t i = 0; i < count; ++i) {
    for (const storage::v1::Evidence& stored : evidence.lists(static_cast<int>(i)).evidence()) {
      Evidence& item = article.labels[i].evidence.emplace_back();
      if (stored.has_span()) item.span = TextSpan{stored.field(), stored.start(), stored.end()};
      item.text = stored.text();
      item.kind = stored.kind();
      item.weight = stored.weight();
      item.set_aside = static_cast<SetAside>(stored.set_aside());
    }
  }
  return absl::OkStatus();
}

bool IsMapped(const Label& label) {
  return label.source == LabelSource::kSource && !label.evidence.empty() &&
         label.evidence.front().kind == kSourceLabelEvidence;
}

}  // namespace dateline::search
