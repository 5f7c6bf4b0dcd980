#include "search_service/article_proto.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error.h"
#include "common/rpc/timestamp.h"
#include "common/status_macros.h"

namespace dateline::search {

namespace pb = article::v1;

using common::InvalidField;

// The enums of the core have the numbers of the wire, so that a cast is the translation.
static_assert(static_cast<int>(LabelSource::kClassifier) == pb::LABEL_SOURCE_CLASSIFIER);
static_assert(static_cast<int>(LabelSource::kSource) == pb::LABEL_SOURCE_SOURCE);
static_assert(static_cast<int>(LabelSource::kEditor) == pb::LABEL_SOURCE_EDITOR);
static_assert(static_cast<int>(LabelVerdict::kApplied) == pb::Label::STATE_APPLIED);
static_assert(static_cast<int>(LabelVerdict::kRejected) == pb::Label::STATE_REJECTED);
static_assert(static_cast<int>(LabelState::kPending) == pb::LABEL_STATE_PENDING);
static_assert(static_cast<int>(LabelState::kDone) == pb::LABEL_STATE_DONE);
static_assert(static_cast<int>(LabelState::kFailed) == pb::LABEL_STATE_FAILED);
static_assert(static_cast<int>(TagOutcome::kTagged) == pb::TAG_OUTCOME_TAGGED);
static_assert(static_cast<int>(TagOutcome::kAbstained) == pb::TAG_OUTCOME_ABSTAINED);
static_assert(static_cast<int>(TagOutcome::kUnsupportedLanguage) == pb::TAG_OUTCOME_UNSUPPORTED_LANGUAGE);
static_assert(static_cast<int>(SetAside::kHistorical) == pb::SET_ASIDE_HISTORICAL);
static_assert(static_cast<int>(SetAside::kPeripheral) == pb::SET_ASIDE_PERIPHERAL);
static_assert(static_cast<int>(SetAside::kByline) == pb::SET_ASIDE_BYLINE);
static_assert(static_cast<int>(SetAside::kDateline) == pb::SET_ASIDE_DATELINE);
static_assert(static_cast<int>(SetAside::kPersonName) == pb::SET_ASIDE_PERSON_NAME);
static_assert(static_cast<int>(SetAside::kBloc) == pb::SET_ASIDE_BLOC);

namespace {

std::vector<std::string> Strings(const google::protobuf::RepeatedPtrField<std::string>& strings) {
  return {strings.begin(), strings.end()};
}

absl::StatusOr<std::optional<absl::Time>> OptionalTime(absl::string_view field, bool present,
                                                       const google::protobuf::Timestamp& timestamp) {
  if (!present) return std::optional<absl::Time>();
  ASSIGN_OR_RETURN(const absl::Time time, common::rpc::TimeFromProto(field, timestamp));
  return std::optional<absl::Time>(time);
}

absl::StatusOr<Label> LabelFromProto(const std::string& field, const pb::Label& proto) {
  Label label;
  // What a service wrote, and a caller sends back, is not the caller's own opinion: the core leaves it out, and says
  // so.
  label.source = LabelSource::kClassifier;
  if (proto.source() == pb::LABEL_SOURCE_CLASSIFIER) return label;
  if (!pb::LabelSource_IsValid(proto.source())) {
    return InvalidField(absl::StrCat(field, ".source"), "is no known label source");
  }
  if (!pb::Label::State_IsValid(proto.state())) {
    return InvalidField(absl::StrCat(field, ".state"), "is no known state of a label");
  }
  ASSIGN_OR_RETURN(label, TargetFromProto(field, proto));
  label.source =
      proto.source() == pb::LABEL_SOURCE_UNSPECIFIED ? LabelSource::kSource : static_cast<LabelSource>(proto.source());
  label.verdict = proto.state() == pb::Label::STATE_REJECTED ? LabelVerdict::kRejected : LabelVerdict::kApplied;
  label.primary = proto.primary();
  return label;
}

void EvidenceToProto(const Evidence& evidence, pb::Evidence& proto) {
  if (evidence.span.has_value()) {
    proto.mutable_span()->set_field(evidence.span->field);
    proto.mutable_span()->set_start(evidence.span->start);
    proto.mutable_span()->set_end(evidence.span->end);
  }
  proto.set_text(evidence.text);
  proto.set_kind(evidence.kind);
  proto.set_weight(evidence.weight);
  proto.set_set_aside(static_cast<pb::SetAside>(evidence.set_aside));
}

void LabelToProto(const Label& label, const ArticleFormat& format, const Taxonomy& taxonomy, pb::Label& proto) {
  switch (label.dimension) {
    case Dimension::kCountry:
      proto.set_region_code(label.id);
      break;
    case Dimension::kGroup:
      proto.set_group_id(label.id);
      break;
    case Dimension::kIssue:
      proto.set_issue_id(label.id);
      break;
  }
  proto.set_score(label.score);
  proto.set_source(static_cast<pb::LabelSource>(label.source));
  proto.set_state(static_cast<pb::Label::State>(label.verdict));
  proto.set_primary(label.primary);
  proto.set_model_version(label.model_version);
  proto.set_taxonomy_version(label.taxonomy_version);
  if (label.label_time.has_value()) *proto.mutable_label_time() = TimestampToProto(*label.label_time);
  if (format.view != pb::ARTICLE_VIEW_BASIC) {
    for (const Evidence& evidence : label.evidence) EvidenceToProto(evidence, *proto.add_evidence());
  }
  proto.set_display_name(taxonomy.DisplayName(label.dimension, label.id, format.display_language));
}

}  // namespace

absl::StatusOr<Label> TargetFromProto(absl::string_view field, const pb::Label& proto) {
  Label label;
  switch (proto.target_case()) {
    case pb::Label::kRegionCode:
      label.dimension = Dimension::kCountry;
      label.id = proto.region_code();
      break;
    case pb::Label::kGroupId:
      label.dimension = Dimension::kGroup;
      label.id = proto.group_id();
      break;
    case pb::Label::kIssueId:
      label.dimension = Dimension::kIssue;
      label.id = proto.issue_id();
      break;
    case pb::Label::TARGET_NOT_SET:
      return InvalidField(field, "has no target; set region_code, group_id or issue_id");
  }
  return label;
}

absl::StatusOr<Article> FromProto(const pb::Article& proto) {
  if (const size_t bytes = proto.ByteSizeLong(); bytes > kMaxArticleBytes) {
    return common::WithReason(
        InvalidField("article", absl::StrCat("has ", bytes, " bytes serialised; at most ", kMaxArticleBytes)),
        kReasonArticleTooLarge);
  }
  if (!pb::TimePrecision_IsValid(proto.publish_time_precision())) {
    return InvalidField("publish_time_precision", "is no known precision of a time");
  }
  Article article;
  article.id = proto.id();
  article.url = proto.url();
  article.alternate_urls = Strings(proto.alternate_urls());
  article.title = proto.title();
  article.body = proto.body();
  article.summary = proto.summary();
  article.authors = Strings(proto.authors());
  article.source = proto.source();
  ASSIGN_OR_RETURN(article.publish_time, OptionalTime("publish_time", proto.has_publish_time(), proto.publish_time()));
  article.publish_time_precision =
      proto.publish_time_precision() == pb::TIME_PRECISION_DAY ? TimePrecision::kDay : TimePrecision::kSecond;
  ASSIGN_OR_RETURN(article.update_time, OptionalTime("update_time", proto.has_update_time(), proto.update_time()));
  article.language_code = proto.language_code();
  article.image_url = proto.image_url();
  article.content_type = proto.content_type();
  for (const auto& [name, list] : proto.attributes()) article.attributes[name] = Strings(list.values());
  ASSIGN_OR_RETURN(article.visible_from, OptionalTime("visible_from", proto.has_visible_from(), proto.visible_from()));
  for (const pb::SourceLabel& label : proto.source_labels()) {
    article.source_labels.push_back({.kind = label.kind(), .name = label.name()});
  }
  for (int i = 0; i < proto.labels_size(); ++i) {
    ASSIGN_OR_RETURN(Label label, LabelFromProto(absl::StrCat("labels[", i, "]"), proto.labels(i)));
    article.labels.push_back(std::move(label));
  }
  article.etag = proto.etag();
  for (const pb::Heading& heading : proto.headings()) {
    if (!heading.span().field().empty() && heading.span().field() != "body") continue;
    article.headings.push_back(
        {.start = heading.span().start(), .end = heading.span().end(), .level = heading.level()});
  }
  return article;
}

void ToProto(const Article& article, const ArticleFormat& format, const Taxonomy& taxonomy, pb::Article& proto) {
  proto.set_id(article.id);
  proto.set_url(article.url);
  for (const std::string& url : article.alternate_urls) proto.add_alternate_urls(url);
  proto.set_title(article.title);
  for (const std::string& author : article.authors) proto.add_authors(author);
  proto.set_source(article.source);
  if (article.publish_time.has_value()) {
    *proto.mutable_publish_time() = TimestampToProto(*article.publish_time);
    proto.set_publish_time_precision(article.publish_time_precision == TimePrecision::kDay ? pb::TIME_PRECISION_DAY
                                                                                           : pb::TIME_PRECISION_SECOND);
  }
  if (article.update_time.has_value()) *proto.mutable_update_time() = TimestampToProto(*article.update_time);
  proto.set_language_code(article.language_code);
  proto.set_image_url(article.image_url);
  proto.set_content_type(article.content_type);
  for (const auto& [name, values] : article.attributes) {
    pb::StringList& list = (*proto.mutable_attributes())[name];
    for (const std::string& value : values) list.add_values(value);
  }
  if (article.visible_from.has_value()) *proto.mutable_visible_from() = TimestampToProto(*article.visible_from);
  for (const SourceLabel& label : article.source_labels) {
    pb::SourceLabel& source_label = *proto.add_source_labels();
    source_label.set_kind(label.kind);
    source_label.set_name(label.name);
  }
  for (const Label& label : EffectiveLabels(article, format.labels)) {
    LabelToProto(label, format, taxonomy, *proto.add_labels());
  }
  proto.set_etag(article.etag);
  *proto.mutable_create_time() = TimestampToProto(article.create_time);
  proto.set_content_hash(article.content_hash);
  proto.set_label_state(static_cast<pb::LabelState>(article.label_state));
  proto.set_country_outcome(static_cast<pb::TagOutcome>(article.country_outcome));
  proto.set_issue_outcome(static_cast<pb::TagOutcome>(article.issue_outcome));
  proto.set_duplicate_of(article.duplicate_of);
  if (format.view == pb::ARTICLE_VIEW_FULL) {
    proto.set_body(article.body);
    proto.set_summary(article.summary);
    for (const Heading& heading : article.headings) {
      pb::Heading& out = *proto.add_headings();
      out.mutable_span()->set_field("body");
      out.mutable_span()->set_start(heading.start);
      out.mutable_span()->set_end(heading.end);
      out.set_level(heading.level);
    }
  }
}

std::vector<Evidence> EvidenceFromProto(const google::protobuf::RepeatedPtrField<pb::Evidence>& protos) {
  std::vector<Evidence> result;
  for (const pb::Evidence& proto : protos) {
    if (result.size() == kMaxEvidencePerLabel) break;
    Evidence evidence;
    if (proto.has_span()) {
      evidence.span = TextSpan{.field = proto.span().field(), .start = proto.span().start(), .end = proto.span().end()};
    }
    evidence.text = proto.text();
    evidence.kind = proto.kind();
    evidence.weight = proto.weight();
    evidence.set_aside = static_cast<SetAside>(proto.set_aside());
    result.push_back(std::move(evidence));
  }
  return result;
}

google::protobuf::Timestamp TimestampToProto(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t seconds = absl::ToUnixSeconds(time);  // Rounds down, as Timestamp wants it.
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

absl::StatusOr<std::vector<LabelSource>> LabelSourcesFromProto(const google::protobuf::RepeatedField<int>& protos) {
  std::vector<LabelSource> sources;
  for (int i = 0; i < protos.size(); ++i) {
    if (protos[i] == pb::LABEL_SOURCE_UNSPECIFIED || !pb::LabelSource_IsValid(protos[i])) {
      return InvalidField(absl::StrCat("label_sources[", i, "]"), "is no known label source");
    }
    const auto source = static_cast<LabelSource>(protos[i]);
    // However often it is named, each label is compared with it once.
    if (std::find(sources.begin(), sources.end(), source) == sources.end()) sources.push_back(source);
  }
  return sources;
}

}  // namespace dateline::search
