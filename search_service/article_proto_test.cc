#include "search_service/article_proto.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "common/rpc/timestamp.h"
#include "tests/support/status_matchers.h"

namespace dateline::search {
namespace {

namespace pb = article::v1;

using ::dateline::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

pb::Article FullProto() {
  pb::Article proto;
  proto.set_id("a-1");
  proto.set_url("https://example.org/a");
  proto.add_alternate_urls("https://example.org/b");
  proto.set_title("Title");
  proto.set_body("Heading\n\nBody.");
  proto.set_summary("Summary");
  proto.add_authors("Ada");
  proto.set_source("Example");
  proto.mutable_publish_time()->set_seconds(1'600'000'000);
  proto.set_publish_time_precision(pb::TIME_PRECISION_DAY);
  proto.mutable_update_time()->set_seconds(-5);
  proto.mutable_update_time()->set_nanos(7);
  proto.set_language_code("en");
  proto.set_image_url("https://example.org/i.png");
  proto.set_content_type("commentary");
  (*proto.mutable_attributes())["series"].add_values("One");
  proto.mutable_visible_from()->set_seconds(1'600'000'001);
  pb::SourceLabel& source_label = *proto.add_source_labels();
  source_label.set_kind("issue");
  source_label.set_name("Geopolitics");
  pb::Label& label = *proto.add_labels();
  label.set_region_code("IR");
  label.set_primary(true);
  proto.set_etag("e");
  pb::Heading& heading = *proto.add_headings();
  heading.mutable_span()->set_field("body");
  heading.mutable_span()->set_start(0);
  heading.mutable_span()->set_end(7);
  heading.set_level(2);
  return proto;
}

TEST(ArticleProtoTest, CarriesEveryFieldOfTheCallerThereAndBack) {
  const pb::Article in = FullProto();
  ASSERT_OK_AND_ASSIGN(const Article article, FromProto(in));
  EXPECT_EQ(article.publish_time_precision, TimePrecision::kDay);
  ASSERT_THAT(article.labels, SizeIs(1));
  EXPECT_EQ(article.labels[0].source, LabelSource::kSource) << "a label whose source isn't said is the caller's";

  pb::Article out;
  ToProto(article, {}, Taxonomy(), out);
  // What the service says of itself is not the caller's, and a written label says more than one that came in.
  out.clear_create_time();
  out.clear_label_state();
  ASSERT_THAT(out.labels(), SizeIs(1));
  EXPECT_EQ(out.labels(0).region_code(), "IR");
  EXPECT_EQ(out.labels(0).source(), pb::LABEL_SOURCE_SOURCE);
  EXPECT_EQ(out.labels(0).state(), pb::Label::STATE_APPLIED);
  EXPECT_EQ(out.labels(0).score(), 1.0);
  pb::Article expected = in;
  expected.clear_labels();
  out.clear_labels();
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(expected, out)) << difference;
}

TEST(ArticleProtoTest, ViewsLeaveOutWhatTheyShould) {
  ASSERT_OK_AND_ASSIGN(Article article, FromProto(FullProto()));
  article.labels[0].evidence.push_back({.span = std::nullopt, .text = "why", .kind = "NAME"});
  pb::Article basic;
  ToProto(article, {.view = pb::ARTICLE_VIEW_BASIC, .display_language = "", .labels = {}}, Taxonomy(), basic);
  EXPECT_EQ(basic.body(), "");
  EXPECT_EQ(basic.headings_size(), 0);
  EXPECT_EQ(basic.labels(0).evidence_size(), 0);
  pb::Article snippet;
  ToProto(article, {.view = pb::ARTICLE_VIEW_SNIPPET, .display_language = "", .labels = {}}, Taxonomy(), snippet);
  EXPECT_EQ(snippet.body(), "");
  EXPECT_EQ(snippet.labels(0).evidence_size(), 1);
}

TEST(ArticleProtoTest, RefusesALabelWithoutATargetByItsPlace) {
  pb::Article proto = FullProto();
  proto.add_labels();
  const absl::Status status = FromProto(proto).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("labels[1]")));
  ASSERT_THAT(common::FieldViolationsOf(status), SizeIs(1));
  EXPECT_EQ(common::FieldViolationsOf(status)[0].field, "labels[1]");
}

TEST(ArticleProtoTest, LeavesItToTheCoreToSayThatTheClassifiersLabelsAreIgnored) {
  pb::Article proto;
  proto.set_title("Title");
  proto.add_labels()->set_source(pb::LABEL_SOURCE_CLASSIFIER);
  proto.mutable_labels(0)->set_issue_id("energy");
  proto.add_labels()->set_source(pb::LABEL_SOURCE_CLASSIFIER);
  ASSERT_OK_AND_ASSIGN(Article article, FromProto(proto));
  ASSERT_OK_AND_ASSIGN(const Normalized normalized, Normalize(std::move(article), absl::Now()));
  EXPECT_THAT(normalized.article.labels, SizeIs(0));
  EXPECT_THAT(normalized.warnings, ElementsAre(HasSubstr("labels: 2 ignored")));
}

TEST(ArticleProtoTest, RefusesNumbersThatAnEnumDoesNotHave) {
  const std::vector<std::pair<std::string, std::function<void(pb::Article&)>>> cases = {
      {"publish_time_precision",
       [](pb::Article& a) { a.set_publish_time_precision(static_cast<pb::TimePrecision>(9)); }},
      {"labels[0].state", [](pb::Article& a) { a.mutable_labels(0)->set_state(static_cast<pb::Label::State>(9)); }},
      {"labels[0].source", [](pb::Article& a) { a.mutable_labels(0)->set_source(static_cast<pb::LabelSource>(9)); }},
  };
  for (const auto& [field, set] : cases) {
    pb::Article proto = FullProto();
    set(proto);
    EXPECT_THAT(FromProto(proto), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  }
}

TEST(ArticleProtoTest, TheLimitIsTheSerialisedSize) {
  pb::Article proto = FullProto();
  for (int i = 0; i < 1'000; ++i) *proto.add_headings() = proto.headings(0);
  proto.set_body(std::string(1'900'000, 'x'));
  proto.mutable_body()->append(kMaxArticleBytes - proto.ByteSizeLong(), 'x');
  ASSERT_EQ(proto.ByteSizeLong(), kMaxArticleBytes);
  EXPECT_OK(FromProto(proto));
  proto.mutable_body()->append("x");
  EXPECT_EQ(common::ReasonOf(FromProto(proto).status()), kReasonArticleTooLarge);
}

TEST(ArticleProtoTest, RefusesTimesThatAreNone) {
  for (const int64_t seconds : {-62135596801, 253402300800, INT64_MAX, INT64_MIN}) {
    pb::Article proto;
    proto.mutable_publish_time()->set_seconds(seconds);
    EXPECT_THAT(FromProto(proto), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("publish_time"))) << seconds;
  }
  pb::Article proto;
  proto.mutable_update_time()->set_nanos(-1);
  EXPECT_THAT(FromProto(proto), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("update_time")));
}

TEST(ArticleProtoTest, KeepsAtMostTwentyPiecesOfEvidence) {
  pb::Label label;
  for (int i = 0; i < 30; ++i) label.add_evidence()->set_text("x");
  EXPECT_THAT(EvidenceFromProto(label.evidence()), SizeIs(kMaxEvidencePerLabel));
}

TEST(ArticleProtoTest, TimesBeforeTheEpochRoundDown) {
  const absl::Time time = absl::FromUnixSeconds(-2) + absl::Nanoseconds(1);
  const google::protobuf::Timestamp proto = TimestampToProto(time);
  EXPECT_EQ(proto.seconds(), -2);
  EXPECT_EQ(proto.nanos(), 1);
  EXPECT_THAT(common::rpc::TimeFromProto("t", proto), ::dateline::testing::IsOkAndHolds(time));
}

}  // namespace
}  // namespace dateline::search
