#include "extraction/extraction_proto.h"

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::extraction {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(ExtractionProtoTest, WritesEveryFieldThatWasFound) {
  Article article;
  article.id = "id";
  article.url = "https://example.org/a";
  article.alternate_urls = {"https://example.org/b"};
  article.title = "Title";
  article.body = "Heading\n\nBody";
  article.headings = {{.start = 0, .end = 7, .level = 3}};
  article.summary = "Summary";
  article.authors = {"Ada", "Bo"};
  article.source = "Source";
  article.publish_time = absl::FromUnixMillis(-1'500);
  article.publish_time_precision = TimePrecision::kDay;
  article.update_time = absl::FromUnixSeconds(7);
  article.language_code = "en";
  article.image_url = "https://example.org/i.png";
  article.content_type = "Opinion";
  article.attributes["series"] = {"One", "Two"};
  article.source_labels = {{.kind = "issue", .name = "Geopolitics"}};
  const article::v1::Article proto = ToProto(article);
  EXPECT_EQ(proto.id(), "id");
  EXPECT_EQ(proto.url(), "https://example.org/a");
  EXPECT_THAT(proto.alternate_urls(), ElementsAre("https://example.org/b"));
  EXPECT_EQ(proto.title(), "Title");
  EXPECT_EQ(proto.body(), "Heading\n\nBody");
  ASSERT_THAT(proto.headings(), SizeIs(1));
  EXPECT_EQ(proto.headings(0).span().field(), "body");
  EXPECT_TRUE(proto.headings(0).span().has_start());
  EXPECT_EQ(proto.headings(0).span().end(), 7);
  EXPECT_EQ(proto.headings(0).level(), 3);
  EXPECT_THAT(proto.authors(), ElementsAre("Ada", "Bo"));
  EXPECT_EQ(proto.source(), "Source");
  EXPECT_EQ(proto.publish_time().seconds(), -2) << "a Timestamp rounds down";
  EXPECT_EQ(proto.publish_time().nanos(), 500'000'000);
  EXPECT_EQ(proto.publish_time_precision(), article::v1::TIME_PRECISION_DAY);
  EXPECT_EQ(proto.update_time().seconds(), 7);
  EXPECT_EQ(proto.summary(), "Summary");
  EXPECT_EQ(proto.language_code(), "en");
  EXPECT_EQ(proto.image_url(), "https://example.org/i.png");
  EXPECT_EQ(proto.content_type(), "Opinion");
  EXPECT_THAT(proto.attributes().at("series").values(), ElementsAre("One", "Two"));
  ASSERT_THAT(proto.source_labels(), SizeIs(1));
  EXPECT_EQ(proto.source_labels(0).name(), "Geopolitics");
  EXPECT_THAT(proto.labels(), SizeIs(0));
}

TEST(ExtractionProtoTest, WhatIsUnknownStaysUnset) {
  const article::v1::Article proto = ToProto(Article());
  EXPECT_EQ(proto.ByteSizeLong(), 0U);
}

}  // namespace
}  // namespace dateline::extraction
