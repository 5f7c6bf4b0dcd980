// What is kept of rejected articles can be read again.
#include "cli/rejected_file.h"

#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "extraction/extraction_proto.h"
#include "extraction/source_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::cli {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::ReadFile;
using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::StartsWith;

IngestLine Rejection() {
  IngestLine line;
  line.set_source("in.jsonl");
  line.set_position("line 3");
  line.set_outcome(search::v1::INGEST_OUTCOME_REJECTED);
  line.mutable_error()->set_reason("FIELD_INVALID");
  line.mutable_error()->set_message("url: is no address");
  return line;
}

article::v1::Article ReadRecord(std::string record) {
  extraction::SourceOptions options;
  options.format = extraction::Format::kJsonLines;
  auto reader = extraction::SourceReader::Open(
      [record = std::move(record), at = size_t{0}](char* buffer, size_t size) mutable -> absl::StatusOr<size_t> {
        const size_t got = record.copy(buffer, size, at);
        at += got;
        return got;
      },
      options);
  EXPECT_THAT(reader, IsOk());
  auto item = (*reader)->Next();
  EXPECT_TRUE(item && item->extraction.ok());
  return extraction::ToProto(item->extraction->article);
}

TEST(RejectedFileTest, WithoutAnArticleItIsTheFieldsOfTheLineOrTheLine) {
  EXPECT_THAT(RejectedRecord(Rejection(), nullptr, R"({"headline":"One","body":7})"),
              StartsWith(R"({"headline":"One","body":7,"rejection":{)"));
  EXPECT_THAT(RejectedRecord(Rejection(), nullptr, R"({"headline":"One)"),
              StartsWith(R"({"rejected_line":"{\"headline\":\"One","rejection":{)"));
  EXPECT_THAT(RejectedRecord(Rejection(), nullptr, "[1]"), StartsWith(R"({"rejected_line":"[1]","rejection":{)"));
}

TEST(RejectedFileTest, ARecordIsTheArticleAndWhyItWasRejected) {
  const std::string line =
      R"({"id":"a1","url":"https://x.example/1","alternate_urls":["https://x.example/one"],"title":"The Lease",)"
      R"("body":"One.\n\nTwo.","summary":"Short.","authors":["Jane Roe"],"source":"The Meridian","date":"2023-09-19",)"
      R"("update_time":"2023-09-20T10:00:00Z","language":"en","content_type":"report",)"
      R"("source_labels":[{"kind":"desk","name":"Asia"}]})";
  const article::v1::Article article = ReadRecord(line);
  const std::string record = RejectedRecord(Rejection(), &article);
  EXPECT_THAT(record, HasSubstr(R"("rejection":{"source":"in.jsonl","position":"line 3","reason":"FIELD_INVALID",)"
                                R"("message":"url: is no address"}})"));
  EXPECT_EQ(ReadRecord(record).SerializeAsString(), article.SerializeAsString()) << record;
}

TEST(RejectedFileTest, WhatCouldNotBeReadHasTheReasonAlone) {
  IngestLine line = Rejection();
  line.set_source("na\xffme");
  line.set_id("a1");
  EXPECT_THAT(RejectedRecord(line, nullptr), HasSubstr("{\"id\":\"a1\",\"rejection\":{\"source\":\"na\uFFFDme\""));
}

TEST(RejectedFileTest, TheRunBeforeIsForgottenWhenTheNextBegins) {
  const dateline::testing::TempDir folder;
  const std::string path = folder.path() + "/rejected.jsonl";
  std::ofstream(path) << "before\n";
  const absl::StatusOr<std::unique_ptr<RejectedFile>> file = RejectedFile::Open(path, {});
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(ReadFile(path), "before\n") << "a run that can't begin leaves it";
  (*file)->Clear();
  (*file)->Add(Rejection(), nullptr);
  EXPECT_EQ(ReadFile(path), RejectedRecord(Rejection(), nullptr)) << "written at once";
  EXPECT_THAT((*file)->status(), IsOk());
}

TEST(RejectedFileTest, WhatIsReadIsNotWritten) {
  const dateline::testing::TempDir folder;
  folder.Write("in/a.jsonl", "{}");
  const std::string in = folder.path() + "/in";
  for (const std::string& path : {in + "/a.jsonl", in + "/../in/new.jsonl"}) {
    EXPECT_THAT(RejectedFile::Open(path, {"-", in}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("would be read as well")))
        << path;
  }
  EXPECT_THAT(RejectedFile::Open(in + "/a.jsonl", {in + "/a.jsonl"}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(RejectedFile::Open(folder.path() + "/a.jsonl", {in, "https://x.example/"}), IsOk());
  EXPECT_THAT(RejectedFile::Open("/dev/null", {"/dev/null"}), IsOk());
}

}  // namespace
}  // namespace dateline::cli
