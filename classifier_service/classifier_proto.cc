#include "classifier_service/classifier_proto.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"

#include "common/country_prior.h"
#include "common/error.h"
#include "common/language_tag.h"
#include "common/rpc/timestamp.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "common/url.h"
#include "extraction/dates.h"
#include "extraction/extraction_proto.h"

namespace dateline::classifier {
namespace {

namespace apb = article::v1;

using common::InvalidField;

absl::string_view FieldName(Field field) { return field == Field::kTitle ? "title" : "body"; }

apb::SetAside SetAsideToProto(SetAside reason) {
  switch (reason) {
    case SetAside::kNone:
      return apb::SET_ASIDE_UNSPECIFIED;
    case SetAside::kHistorical:
      return apb::SET_ASIDE_HISTORICAL;
    case SetAside::kPeripheral:
      return apb::SET_ASIDE_PERIPHERAL;
    case SetAside::kByline:
      return apb::SET_ASIDE_BYLINE;
    case SetAside::kDateline:
      return apb::SET_ASIDE_DATELINE;
    case SetAside::kPersonName:
      return apb::SET_ASIDE_PERSON_NAME;
    case SetAside::kBloc:
      return apb::SET_ASIDE_BLOC;
  }
  return apb::SET_ASIDE_UNSPECIFIED;
}

apb::TagOutcome OutcomeToProto(Outcome outcome) {
  switch (outcome) {
    case Outcome::kTagged:
      return apb::TAG_OUTCOME_TAGGED;
    case Outcome::kAbstained:
      return apb::TAG_OUTCOME_ABSTAINED;
    case Outcome::kUnsupportedLanguage:
      return apb::TAG_OUTCOME_UNSUPPORTED_LANGUAGE;
  }
  return apb::TAG_OUTCOME_UNSPECIFIED;
}

v1::TagProvenance ProvenanceToProto(Provenance provenance) {
  switch (provenance) {
    case Provenance::kModel:
      return v1::TAG_PROVENANCE_MODEL;
    case Provenance::kSeed:
      return v1::TAG_PROVENANCE_SEED;
  }
  return v1::TAG_PROVENANCE_UNSPECIFIED;
}

void SpanToProto(const TextSpan& span, apb::TextSpan& proto) {
  proto.set_field(std::string(FieldName(span.field)));
  proto.set_start(span.start);
  proto.set_end(span.end);
}

template <typename TagProto>
void TagToProto(const Tag& tag, TagProto& proto) {
  proto.set_score(tag.score);
  proto.set_display_name(tag.display_name);
  for (const Evidence& evidence : tag.evidence) {
    apb::Evidence& out = *proto.add_evidence();
    if (evidence.span.has_value()) SpanToProto(*evidence.span, *out.mutable_span());
    out.set_text(evidence.text);
    out.set_kind(evidence.kind);
    out.set_weight(evidence.weight);
    out.set_set_aside(SetAsideToProto(evidence.set_aside));
  }
}

void ScoreToProto(const TagScore& score, v1::TagScore& proto) {
  switch (score.dimension) {
    case TagScore::Dimension::kCountry:
      proto.set_region_code(score.id);
      break;
    case TagScore::Dimension::kGroup:
      proto.set_group_id(score.id);
      break;
    case TagScore::Dimension::kIssue:
      proto.set_issue_id(score.id);
      break;
  }
  proto.set_score(score.score);
  if (score.threshold.has_value()) proto.set_threshold(*score.threshold);
  if (score.raw.has_value()) proto.set_raw(*score.raw);
  proto.set_tagged(score.tagged);
}

void QualityToProto(const Quality& quality, v1::Quality& proto) {
  proto.set_precision(quality.precision);
  proto.set_recall(quality.recall);
  proto.set_f1(quality.f1);
  if (quality.macro_f1.has_value()) proto.set_macro_f1(*quality.macro_f1);
  proto.set_article_count(quality.article_count);
}

template <typename Names>
void NamesToProto(const std::vector<Names>& names, google::protobuf::RepeatedPtrField<v1::LocalizedNames>& protos) {
  for (const Names& one : names) {
    v1::LocalizedNames& proto = *protos.Add();
    proto.set_language_code(one.language_code);
    proto.set_display_name(one.display_name);
    for (const std::string& alias : one.aliases) proto.add_aliases(alias);
    if constexpr (requires { one.demonyms; }) {
      for (const std::string& demonym : one.demonyms) proto.add_demonyms(demonym);
    }
  }
}

absl::StatusOr<CountryPrior> PriorFromProto(const v1::CountryPrior& proto, const Gazetteer& gazetteer,
                                            const std::string& path) {
  CountryPrior prior;
  prior.log_odds = proto.log_odds();
  switch (proto.target_case()) {
    case v1::CountryPrior::kRegionCode:
      prior.id = proto.region_code();
      if (gazetteer.FindRegion(prior.id) == nullptr) {
        return InvalidField(path + ".region_code",
                            absl::StrCat("\"", absl::Utf8SafeCHexEscape(prior.id),
                                         "\" is no country of the taxonomy; send a code in upper case, such as IR"));
      }
      break;
    case v1::CountryPrior::kGroupId:
      prior.id = proto.group_id();
      if (gazetteer.FindGroup(prior.id) == nullptr) {
        return InvalidField(path + ".group_id",
                            absl::StrCat("\"", absl::Utf8SafeCHexEscape(prior.id),
                                         "\" is no group of the taxonomy; send an id that GetTaxonomy lists (codes of "
                                         "countries are in upper case)"));
      }
      break;
    case v1::CountryPrior::TARGET_NOT_SET:
      return InvalidField(path, "names neither a country nor a group; set region_code or group_id");
  }
  // Written so that what is no number is out of range too.
  if (!(prior.log_odds >= -common::kMaxPriorLogOdds && prior.log_odds <= common::kMaxPriorLogOdds)) {
    return InvalidField(path + ".log_odds", absl::StrCat("is ", prior.log_odds, "; send a number from ",
                                                         -common::kMaxPriorLogOdds, " to ", common::kMaxPriorLogOdds));
  }
  return prior;
}

absl::Status ArticleTooLarge(absl::string_view field, absl::string_view what) {
  return common::WithReason(InvalidField(field, absl::StrCat(what, "; at most ", kMaxArticleBytes, " are allowed")),
                            "ARTICLE_TOO_LARGE");
}

// Spans are offsets into the text as it is returned: what a caller put in is normalised like what was found.
void NormalizeTexts(apb::Article& article) {
  article.set_title(common::NormalizeLine(article.title()));
  std::string body = common::NormalizeText(article.body());
  if (body != article.body()) {
    article.clear_headings();  // They are offsets into the text as it was.
    article.set_body(std::move(body));
  }
  article.set_summary(common::NormalizeText(article.summary()));
  article.set_source(common::NormalizeLine(article.source()));
  article.set_content_type(common::NormalizeLine(article.content_type()));
  for (std::string& author : *article.mutable_authors()) author = common::NormalizeLine(author);
  for (apb::SourceLabel& label : *article.mutable_source_labels()) {
    label.set_kind(common::NormalizeLine(label.kind()));
    label.set_name(common::NormalizeLine(label.name()));
  }
  for (auto& [name, list] : *article.mutable_attributes()) {
    for (std::string& value : *list.mutable_values()) value = common::NormalizeLine(value);
  }
}

}  // namespace

absl::StatusOr<ArticleText> FromProto(const apb::Article& article, absl::string_view path, absl::Time now,
                                      google::protobuf::RepeatedPtrField<std::string>& warnings) {
  if (const size_t bytes = article.ByteSizeLong(); bytes > kMaxArticleBytes) {
    return ArticleTooLarge(path, absl::StrCat("has ", bytes, " bytes"));
  }
  ArticleText text;
  text.title = common::NormalizeLine(article.title());
  text.body = common::NormalizeText(article.body());
  if (text.title.empty() && text.body.empty()) {
    return InvalidField(absl::StrCat(path, ".body"), "is empty, and so is the title; give at least one of them");
  }
  text.language_code = common::NormalizeLanguageTag(article.language_code());
  RETURN_IF_ERROR(common::CheckLanguageTag(absl::StrCat(path, ".language_code"), text.language_code));
  if (article.has_publish_time()) {
    const std::string field = absl::StrCat(path, ".publish_time");
    ASSIGN_OR_RETURN(const absl::Time time, common::rpc::TimeFromProto(field, article.publish_time()));
    if (extraction::IsAllowedTime(time, now)) {
      text.publish_time = time;
    } else {
      *warnings.Add() = absl::StrCat(field, ": ", absl::FormatTime("%E4Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()),
                                     " is before the year 1400 or more than a year ahead, and was dropped");
    }
  }
  return text;
}

absl::StatusOr<ClassifyOptions> OptionsFromProto(const v1::ClassifyRequest& request, const Gazetteer& gazetteer) {
  RETURN_IF_ERROR(common::CheckLanguageTag("display_language", request.display_language()));
  ClassifyOptions options;
  options.include_mentions = request.include_mentions();
  options.include_scores = request.include_scores();
  options.display_language = request.display_language();
  switch (request.profile()) {
    case v1::COUNTRY_PROFILE_UNSPECIFIED:
    case v1::COUNTRY_PROFILE_DEFAULT:
      break;
    case v1::COUNTRY_PROFILE_STRICT:
      options.profile = CountryProfile::kStrict;
      break;
    case v1::COUNTRY_PROFILE_GENEROUS:
      options.profile = CountryProfile::kGenerous;
      break;
    default:
      return InvalidField("profile", absl::StrCat(static_cast<int>(request.profile()),
                                                  " is no profile; send COUNTRY_PROFILE_STRICT, "
                                                  "COUNTRY_PROFILE_DEFAULT or COUNTRY_PROFILE_GENEROUS"));
  }
  if (request.priors_size() > static_cast<int>(common::kMaxCountryPriors)) {
    return InvalidField("priors", absl::StrCat("holds ", request.priors_size(), " priors; at most ",
                                               common::kMaxCountryPriors, " are taken"));
  }
  std::set<std::string> seen;  // Codes are upper case, ids of groups lower.
  for (int i = 0; i < request.priors_size(); ++i) {
    const std::string path = absl::StrCat("priors[", i, "]");
    ASSIGN_OR_RETURN(CountryPrior prior, PriorFromProto(request.priors(i), gazetteer, path));
    if (!seen.insert(prior.id).second) {
      const bool region = request.priors(i).has_region_code();
      return InvalidField(absl::StrCat(path, region ? ".region_code" : ".group_id"),
                          absl::StrCat("\"", prior.id, "\" has a prior already; send one for each"));
    }
    options.priors.push_back(std::move(prior));
  }
  return options;
}

absl::StatusOr<extraction::Document> FromProto(const apb::RawDocument& document) {
  if (document.content().empty()) {
    return common::WithReason(InvalidField("document.content", "is empty; send the bytes of the page"),
                              extraction::kEmptyDocument);
  }
  const absl::string_view url = absl::StripAsciiWhitespace(document.url());
  if (url.size() > kMaxUrlBytes) {
    return InvalidField("document.url",
                        absl::StrCat("is ", url.size(), " bytes long; at most ", kMaxUrlBytes, " are allowed"));
  }
  if (!url.empty()) {
    const absl::StatusOr<std::string> canonical = common::CanonicalUrl(url);
    if (!canonical.ok()) return InvalidField("document.url", canonical.status().message());
  }
  extraction::Document result;
  result.content = document.content();
  result.media_type = document.media_type();
  result.charset = document.charset();
  result.url = std::string(url);
  if (document.has_fetch_time()) {
    ASSIGN_OR_RETURN(result.fetch_time, common::rpc::TimeFromProto("document.fetch_time", document.fetch_time()));
  }
  return result;
}

absl::StatusOr<apb::Article> ToProto(const extraction::Extraction& extraction, const apb::Article& known) {
  apb::Article article = extraction::ToProto(extraction.article);
  const bool fits = article.ByteSizeLong() <= kMaxArticleBytes;
  const google::protobuf::Reflection& reflection = *apb::Article::GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(known, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) reflection.ClearField(&article, field);
  // How exact the time is that was found says nothing of the caller's; the headings are places in the body that was
  // found, and another body has others.
  if (known.has_publish_time()) article.clear_publish_time_precision();
  if (!known.body().empty()) article.clear_headings();
  article.MergeFrom(known);
  NormalizeTexts(article);
  if (const size_t bytes = article.ByteSizeLong(); bytes > kMaxArticleBytes) {
    return ArticleTooLarge(fits ? "document.known" : "document.content",
                           absl::StrCat("makes an article of ", bytes, " bytes"));
  }
  return article;
}

void ToProto(const Classification& classification, const Classifier& classifier, v1::ClassifyResponse& response) {
  for (const Tag& tag : classification.countries) {
    v1::CountryTag& proto = *response.add_countries();
    proto.set_region_code(tag.id);
    proto.set_primary(tag.primary);
    TagToProto(tag, proto);
  }
  for (const Tag& tag : classification.groups) {
    v1::GroupTag& proto = *response.add_groups();
    proto.set_group_id(tag.id);
    TagToProto(tag, proto);
  }
  for (const Tag& tag : classification.issues) {
    v1::IssueTag& proto = *response.add_issues();
    proto.set_issue_id(tag.id);
    TagToProto(tag, proto);
    proto.set_provenance(ProvenanceToProto(tag.provenance));
  }
  response.set_country_outcome(OutcomeToProto(classification.country_outcome));
  response.set_issue_outcome(OutcomeToProto(classification.issue_outcome));
  response.set_language_code(classification.language_code);
  response.set_model_version(classifier.model_version());
  response.set_taxonomy_version(classifier.taxonomy_version());
  response.set_gazetteer_version(classifier.gazetteer_version());
  const size_t mentions = std::min<size_t>(classification.mentions.size(), kMaxMentions);
  for (size_t i = 0; i < mentions; ++i) {
    const Mention& mention = classification.mentions[i];
    v1::Mention& proto = *response.add_mentions();
    SpanToProto(mention.span, *proto.mutable_span());
    proto.set_text(mention.text);
    proto.set_kind(mention.kind);
    if (!mention.region_code.empty()) {
      proto.set_region_code(mention.region_code);
    } else if (!mention.group_id.empty()) {
      proto.set_group_id(mention.group_id);
    }
    proto.set_set_aside(SetAsideToProto(mention.set_aside));
  }
  for (const TagScore& score : classification.scores) ScoreToProto(score, *response.add_scores());
  if (classification.in_training.has_value()) response.set_in_training(*classification.in_training);
  if (classification.in_country_training.has_value()) {
    response.set_in_country_training(*classification.in_country_training);
  }
  if (classification.no_country.has_value()) {
    response.mutable_no_country()->set_score(classification.no_country->score);
    response.mutable_no_country()->set_threshold(classification.no_country->threshold);
  }
}

void ToProto(const Classifier& classifier, v1::GetTaxonomyResponse& response) {
  for (const Issue& issue : classifier.taxonomy().issues()) {
    v1::Issue& proto = *response.add_issues();
    proto.set_issue_id(issue.id);
    NamesToProto(issue.names, *proto.mutable_names());
    proto.set_definition(issue.definition);
    proto.set_parent_issue_id(issue.parent_id);
    for (const std::string& id : issue.replaced_by) proto.add_replaced_by(id);
    for (const std::string& topic : issue.iptc_media_topics) proto.add_iptc_media_topics(topic);
    for (const std::string& code : issue.comparative_agendas_codes) proto.add_comparative_agendas_codes(code);
  }
  for (const GazetteerRegion& region : classifier.gazetteer().regions()) {
    v1::Region& proto = *response.add_regions();
    proto.set_region_code(region.region_code);
    NamesToProto(region.names, *proto.mutable_names());
  }
  for (const GazetteerGroup& group : classifier.gazetteer().groups()) {
    v1::Group& proto = *response.add_groups();
    proto.set_group_id(group.group_id);
    NamesToProto(group.names, *proto.mutable_names());
    for (const GazetteerMember& member : group.members) {
      v1::GroupMember& out = *proto.add_members();
      out.set_region_code(member.region_code);
      out.set_start_year(member.start_year);
      out.set_end_year(member.end_year);
    }
  }
  response.set_taxonomy_version(classifier.taxonomy_version());
  response.set_gazetteer_version(classifier.gazetteer_version());
}

void ToProto(const Classifier& classifier, v1::GetModelInfoResponse& response) {
  const IssueModelReport& report = classifier.issue_model();
  response.set_model_version(classifier.model_version());
  response.set_taxonomy_version(classifier.taxonomy_version());
  response.set_gazetteer_version(classifier.gazetteer_version());
  response.mutable_train_time()->set_seconds(absl::ToUnixSeconds(report.train_time));
  response.set_training_article_count(report.training_article_count);
  if (report.quality.has_value()) QualityToProto(*report.quality, *response.mutable_quality());
  for (const IssueModelInfo& info : report.issues) {
    v1::IssueModelInfo& proto = *response.add_issues();
    proto.set_issue_id(info.issue_id);
    proto.set_example_count(info.example_count);
    proto.set_threshold(info.threshold);
    if (info.quality.has_value()) QualityToProto(*info.quality, *proto.mutable_quality());
    if (info.slope.has_value()) proto.set_calibration_slope(*info.slope);
    if (info.intercept.has_value()) proto.set_calibration_intercept(*info.intercept);
    proto.set_provenance(ProvenanceToProto(info.provenance));
    proto.set_examples_needed(info.examples_needed);
  }
  for (const std::string& code : report.language_codes) response.add_issue_language_codes(code);
}

}  // namespace dateline::classifier
