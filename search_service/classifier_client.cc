#include "search_service/classifier_client.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"

#include "common/error.h"
#include "common/rpc/item_error.h"
#include "common/rpc/status.h"
#include "common/status_macros.h"
#include "search_service/article_proto.h"

namespace dateline::search {
namespace {

namespace apb = article::v1;
namespace cpb = classifier::v1;

// What a document that could not be asked about is told to wait.
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

// Whether the same question may get a better answer later. What an operator has to mend counts as that too: it is no
// fault of the document.
bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return true;
    case absl::StatusCode::kResourceExhausted:
      return common::ReasonOf(status) != kReasonResponseTooLarge;
    default:
      return false;
  }
}

template <typename TagProto>
Label LabelOf(Dimension dimension, const std::string& id, const TagProto& tag, const cpb::ClassifyResponse& response) {
  Label label;
  label.dimension = dimension;
  label.id = id;
  label.score = std::clamp(tag.score(), 0.0, 1.0);
  label.source = LabelSource::kClassifier;
  label.model_version = response.model_version();
  label.taxonomy_version = response.taxonomy_version();
  label.label_time = absl::Now();
  label.evidence = EvidenceFromProto(tag.evidence());
  return label;
}

Labeling LabelingFromProto(const cpb::ClassifyResponse& response) {
  Labeling labeling;
  for (const cpb::CountryTag& tag : response.countries()) {
    labeling.labels.push_back(LabelOf(Dimension::kCountry, tag.region_code(), tag, response));
    labeling.labels.back().primary = tag.primary();
  }
  for (const cpb::GroupTag& tag : response.groups()) {
    labeling.labels.push_back(LabelOf(Dimension::kGroup, tag.group_id(), tag, response));
  }
  for (const cpb::IssueTag& tag : response.issues()) {
    labeling.labels.push_back(LabelOf(Dimension::kIssue, tag.issue_id(), tag, response));
  }
  labeling.country_outcome = static_cast<TagOutcome>(response.country_outcome());
  labeling.issue_outcome = static_cast<TagOutcome>(response.issue_outcome());
  if (response.language_code() != "und") labeling.language_code = response.language_code();
  labeling.taxonomy_version = response.taxonomy_version();
  labeling.gazetteer_version = response.gazetteer_version();
  return labeling;
}

std::vector<LocalizedNames> NamesFromProto(const google::protobuf::RepeatedPtrField<cpb::LocalizedNames>& protos) {
  std::vector<LocalizedNames> names;
  for (const cpb::LocalizedNames& proto : protos) {
    names.push_back({.language_code = proto.language_code(),
                     .display_name = proto.display_name(),
                     .aliases = {proto.aliases().begin(), proto.aliases().end()},
                     .demonyms = {proto.demonyms().begin(), proto.demonyms().end()}});
  }
  return names;
}

TaxonomyData TaxonomyFromProto(const cpb::GetTaxonomyResponse& response) {
  TaxonomyData data;
  for (const cpb::Region& region : response.regions()) {
    TaxonomyEntry entry;
    entry.id = region.region_code();
    entry.names = NamesFromProto(region.names());
    entry.replaced_by = {region.replaced_by().begin(), region.replaced_by().end()};
    data.regions.push_back(std::move(entry));
  }
  for (const cpb::Group& group : response.groups()) {
    TaxonomyEntry entry;
    entry.id = group.group_id();
    entry.names = NamesFromProto(group.names());
    entry.replaced_by = {group.replaced_by().begin(), group.replaced_by().end()};
    for (const cpb::GroupMember& member : group.members()) {
      entry.members.push_back(
          {.region_code = member.region_code(), .start_year = member.start_year(), .end_year = member.end_year()});
    }
    data.groups.push_back(std::move(entry));
  }
  for (const cpb::Issue& issue : response.issues()) {
    TaxonomyEntry entry;
    entry.id = issue.issue_id();
    entry.names = NamesFromProto(issue.names());
    entry.replaced_by = {issue.replaced_by().begin(), issue.replaced_by().end()};
    entry.parent_id = issue.parent_issue_id();
    data.issues.push_back(std::move(entry));
  }
  data.taxonomy_version = response.taxonomy_version();
  data.gazetteer_version = response.gazetteer_version();
  data.etag = response.etag();
  return data;
}

// Whether the classifier refuses how it is asked to tag, whatever the article.
bool IsOfTagging(const absl::Status& status) {
  const std::vector<common::FieldViolation> violations = common::FieldViolationsOf(status);
  return std::any_of(violations.begin(), violations.end(), [](const common::FieldViolation& violation) {
    return violation.field == "profile" || absl::StartsWith(violation.field, "priors");
  });
}

// Whether the taxonomy knows what the priors are for.
absl::Status CheckPriors(const std::vector<cpb::CountryPrior>& priors, const cpb::GetTaxonomyResponse& taxonomy) {
  for (const cpb::CountryPrior& prior : priors) {
    const bool known =
        prior.has_region_code()
            ? std::any_of(taxonomy.regions().begin(), taxonomy.regions().end(),
                          [&](const cpb::Region& region) { return region.region_code() == prior.region_code(); })
            : std::any_of(taxonomy.groups().begin(), taxonomy.groups().end(),
                          [&](const cpb::Group& group) { return group.group_id() == prior.group_id(); });
    if (known) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "--prior: \"", prior.has_region_code() ? prior.region_code() : prior.group_id(),
        "\" is in no taxonomy that the classifier has; correct or remove the flag and restart, `dateline taxonomy` "
        "lists what there is"));
  }
  return absl::OkStatus();
}

}  // namespace

// The context of a call that Cancel ends.
class ClassifierClient::CancellableCall {
 public:
  CancellableCall(ClassifierClient& client, absl::Time deadline) : client_(client) {
    context_.set_deadline(absl::ToChronoTime(deadline));
    const common::MutexLock lock(client_.mutex_);
    client_.running_.insert(&context_);
    if (client_.cancelled_) context_.TryCancel();
  }
  ~CancellableCall() {
    const common::MutexLock lock(client_.mutex_);
    client_.running_.erase(&context_);
  }
  CancellableCall(const CancellableCall&) = delete;
  CancellableCall& operator=(const CancellableCall&) = delete;
  grpc::ClientContext* context() { return &context_; }

 private:
  ClassifierClient& client_;
  grpc::ClientContext context_;
};

void ClassifierClient::Cancel() {
  const common::MutexLock lock(mutex_);
  cancelled_ = true;
  for (grpc::ClientContext* context : running_) context->TryCancel();
}

ClassifierClient::ClassifierClient(const std::shared_ptr<grpc::Channel>& channel, Tagging tagging)
    : stub_(cpb::ClassifierService::NewStub(channel)), tagging_(std::move(tagging)) {}

absl::StatusOr<std::vector<absl::StatusOr<Labeling>>> ClassifierClient::Label(
    const std::vector<LabelingInput>& articles, absl::Time deadline) {
  cpb::BatchClassifyRequest request;
  for (const LabelingInput& input : articles) {
    cpb::ClassifyRequest& one = *request.add_requests();
    one.set_profile(tagging_.profile);
    for (const cpb::CountryPrior& prior : tagging_.priors) *one.add_priors() = prior;
    apb::Article& article = *one.mutable_article();
    article.set_id(input.id);
    article.set_title(input.title);
    article.set_body(input.body);
    article.set_language_code(input.language_code);
    if (input.publish_time.has_value()) *article.mutable_publish_time() = TimestampToProto(*input.publish_time);
  }
  CancellableCall call(*this, deadline);
  cpb::BatchClassifyResponse response;
  RETURN_IF_ERROR(common::rpc::FromGrpcStatus(stub_->BatchClassify(call.context(), request, &response)));
  if (response.results_size() != request.requests_size()) {
    return absl::InternalError(absl::StrCat("the classifier answered ", response.results_size(), " results to ",
                                            request.requests_size(), " requests"));
  }
  std::vector<absl::StatusOr<Labeling>> labelings;
  labelings.reserve(articles.size());
  for (const cpb::BatchClassifyResult& result : response.results()) {
    if (result.has_response()) {
      const cpb::ClassifyResponse& tags = result.response();
      labelings.emplace_back(LabelingFromProto(tags));
      labelings.back()->version = VersionOf(tags.model_version(), tags.taxonomy_version(), tags.gazetteer_version());
    } else if (result.has_error() && result.error().code() != 0) {
      const absl::Status error = common::rpc::FromItemError(result.error());
      if (IsOfTagging(error)) {
        // No article's fault: the classifier has another taxonomy by now. Fetching it says what is wrong.
        const common::MutexLock lock(mutex_);
        checked_etag_.clear();
        return absl::FailedPreconditionError(
            absl::StrCat("the classifier refuses --profile or --prior: ", error.message()));
      }
      labelings.emplace_back(error);
    } else {
      labelings.emplace_back(absl::InternalError("the classifier gave neither tags nor an error"));
    }
  }
  return labelings;
}

absl::StatusOr<std::optional<TaxonomyData>> ClassifierClient::FetchTaxonomy(absl::string_view etag,
                                                                            absl::Time deadline) {
  bool checked = tagging_.priors.empty();
  if (!checked) {
    const common::MutexLock lock(mutex_);
    checked = etag == checked_etag_;
  }
  cpb::GetTaxonomyRequest request;
  if (checked) request.set_etag(std::string(etag));  // Otherwise the whole is needed to check against.
  CancellableCall call(*this, deadline);
  cpb::GetTaxonomyResponse response;
  RETURN_IF_ERROR(common::rpc::FromGrpcStatus(stub_->GetTaxonomy(call.context(), request, &response)));
  if (response.not_modified()) return std::optional<TaxonomyData>();
  RETURN_IF_ERROR(CheckPriors(tagging_.priors, response));
  {
    const common::MutexLock lock(mutex_);
    checked_etag_ = response.etag();
  }
  if (!etag.empty() && response.etag() == etag) return std::optional<TaxonomyData>();
  return std::optional<TaxonomyData>(TaxonomyFromProto(response));
}

std::string ClassifierClient::VersionOf(absl::string_view model, absl::string_view taxonomy,
                                        absl::string_view gazetteer) const {
  std::string version = absl::StrCat(model, " ", taxonomy, " ", gazetteer);
  if (tagging_.profile != cpb::COUNTRY_PROFILE_UNSPECIFIED) {
    absl::StrAppend(&version, " ", cpb::CountryProfile_Name(tagging_.profile));
  }
  for (const cpb::CountryPrior& prior : tagging_.priors) {
    absl::StrAppend(&version, " ", prior.has_region_code() ? prior.region_code() : prior.group_id(), "=",
                    prior.log_odds());
  }
  return version;
}

absl::StatusOr<std::string> ClassifierClient::FetchVersion(absl::Time deadline) {
  CancellableCall call(*this, deadline);
  cpb::GetModelInfoResponse response;
  const absl::Status status =
      common::rpc::FromGrpcStatus(stub_->GetModelInfo(call.context(), cpb::GetModelInfoRequest(), &response));
  // A classifier of another make need not have it.
  if (absl::IsUnimplemented(status)) return std::string();
  RETURN_IF_ERROR(status);
  return VersionOf(response.model_version(), response.taxonomy_version(), response.gazetteer_version());
}

absl::StatusOr<ExtractedDocument> ClassifierClient::Extract(const apb::RawDocument& document, absl::Time deadline) {
  cpb::ExtractArticleRequest request;
  *request.mutable_document() = document;
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(deadline));
  cpb::ExtractArticleResponse response;
  const absl::Status status = common::rpc::FromGrpcStatus(stub_->ExtractArticle(&context, request, &response));
  if (!status.ok() && !MayPass(status)) return status;
  if (!status.ok()) {
    return common::WithReason(
        common::Unavailable(
            absl::StrCat("the classifier, which extracts articles from documents, did not answer: ", status.message()),
            common::RetryDelayOf(status).value_or(kRetryDelay)),
        "CLASSIFIER_UNAVAILABLE");
  }
  ExtractedDocument extracted;
  extracted.article = std::move(*response.mutable_article());
  extracted.warnings = {response.warnings().begin(), response.warnings().end()};
  return extracted;
}

}  // namespace dateline::search
