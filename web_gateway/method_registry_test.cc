#include "web_gateway/method_registry.h"

#include <nlohmann/json.hpp>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "web_gateway/descriptor_set.h"

namespace dateline::web_gateway {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

MethodRegistry::Options DefaultOptions() {
  return {.routes = {{"dateline.search.v1", "search"}, {"dateline.classifier.v1", "classifier"}},
          .readable_services = {"dateline.search.v1.SearchService", "dateline.classifier.v1.ClassifierService"},
          .allow = {}};
}

absl::StatusOr<std::unique_ptr<MethodRegistry>> CreateWith(const std::vector<std::string>& allow) {
  MethodRegistry::Options options = DefaultOptions();
  options.allow = allow;
  return MethodRegistry::Create(DescriptorSet().front().content, options);
}

TEST(MethodRegistryTest, AllowsReadsOfTheReadableServicesOnly) {
  ASSERT_OK_AND_ASSIGN(const auto registry, CreateWith({}));
  EXPECT_THAT(registry->AllowedMethods(), Contains("dateline.search.v1.SearchService/Search"));
  EXPECT_THAT(registry->AllowedMethods(), Contains("dateline.classifier.v1.ClassifierService/GetTaxonomy"));
  EXPECT_THAT(registry->AllowedMethods(), Each(Not(HasSubstr("IngestService"))));
  EXPECT_THAT(registry->AllowedMethods(), Each(Not(HasSubstr("SearchAdminService"))));
  const Method* ingest = registry->Find("dateline.search.v1.IngestService/IngestArticles");
  ASSERT_NE(ingest, nullptr);
  EXPECT_FALSE(ingest->allowed);
  EXPECT_EQ(ingest->upstream, "search");
  EXPECT_EQ(registry->Find("dateline.search.v1.SearchService/Nothing"), nullptr);
  EXPECT_EQ(registry->Find(""), nullptr);
}

TEST(MethodRegistryTest, AllowsMoreByMethodAndByService) {
  ASSERT_OK_AND_ASSIGN(const auto registry, CreateWith({"dateline.search.v1.IngestService/DeleteArticle",
                                                        "dateline.search.v1.SearchAdminService"}));
  EXPECT_TRUE(registry->Find("dateline.search.v1.IngestService/DeleteArticle")->allowed);
  EXPECT_FALSE(registry->Find("dateline.search.v1.IngestService/IngestArticles")->allowed);
  EXPECT_TRUE(registry->Find("dateline.search.v1.SearchAdminService/GetIndexInfo")->allowed);
}

TEST(MethodRegistryTest, NeverAllowsStreams) {
  EXPECT_THAT(CreateWith({"dateline.search.v1.IngestService/StreamIngest"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("streams")));
  ASSERT_OK_AND_ASSIGN(const auto registry, CreateWith({"dateline.search.v1.IngestService"}));
  EXPECT_TRUE(registry->Find("dateline.search.v1.IngestService/IngestArticles")->allowed);
  EXPECT_FALSE(registry->Find("dateline.search.v1.IngestService/StreamIngest")->allowed);
}

TEST(MethodRegistryTest, RefusesToAllowWhatIsNotThere) {
  for (const char* name : {"dateline.search.v1.SearchService/Serach", "SearchService", "", "dateline.search.v1"}) {
    EXPECT_THAT(CreateWith({name}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("--allow: "), HasSubstr(", dateline.search.v1.IngestService, "))))
        << name;
  }
  EXPECT_THAT(MethodRegistry::Create("junk", DefaultOptions()), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(JsonTest, ReadsBothSpellingsOfAField) {
  ASSERT_OK_AND_ASSIGN(const auto registry, CreateWith({}));
  const auto& type = *registry->Find("dateline.search.v1.SearchService/Search")->input;
  ASSERT_OK_AND_ASSIGN(const std::string camel, registry->JsonToProto(type, R"({"query":"gas","pageSize":5})"));
  ASSERT_OK_AND_ASSIGN(const std::string snake, registry->JsonToProto(type, R"({"query":"gas","page_size":5})"));
  EXPECT_EQ(camel, snake);
  EXPECT_EQ(TopLevelString(type, camel, "query"), "gas");
  EXPECT_EQ(TopLevelString(type, camel, "page_size"), "");
  EXPECT_EQ(TopLevelString(type, camel, "min_commit_token"), "");
  ASSERT_OK_AND_ASSIGN(const std::string json, registry->ProtoToJson(type, camel));
  EXPECT_EQ(nlohmann::json::parse(json), nlohmann::json::parse(R"({"query":"gas","pageSize":5})"));
}

TEST(JsonTest, RefusesUnknownFieldsAndNamesOfValues) {
  ASSERT_OK_AND_ASSIGN(const auto registry, CreateWith({}));
  const auto& type = *registry->Find("dateline.search.v1.SearchService/Search")->input;
  EXPECT_THAT(registry->JsonToProto(type, R"({"regionCode":["IR"]})"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("regionCode")));
  EXPECT_THAT(registry->JsonToProto(type, R"({"selections":[{"field":"year","match":"ALL"}]})"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ALL")));
  EXPECT_OK(registry->JsonToProto(type, R"({"selections":[{"field":"year","match":"SELECTION_MATCH_ALL"}]})"));
}

TEST(JsonTest, RefusesBrokenJsonAndWrongShapes) {
  ASSERT_OK_AND_ASSIGN(const auto registry, CreateWith({}));
  const auto& type = *registry->Find("dateline.search.v1.SearchService/Search")->input;
  std::string deep(5000, '[');
  for (const std::string& json :
       {std::string("{"), std::string(""), std::string("[]"), std::string("\"x\""),
        std::string(R"({"pageSize":"many"})"), std::string(R"({"pageSize":1e99})"), std::string(R"({"query":{}})"),
        std::string("{\"query\":\"\xff\"}"), std::string(R"({"matchMode":"NO_SUCH_MODE_AT_ALL"} x)"), deep,
        R"({"unknown":)" + deep}) {
    EXPECT_THAT(registry->JsonToProto(type, json),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("SearchRequest")))
        << json.substr(0, 50);
  }
}

TEST(JsonTest, WritesValidUtf8WhateverTheBytesHold) {
  ASSERT_OK_AND_ASSIGN(const auto registry, CreateWith({}));
  const auto& type = *registry->Find("dateline.search.v1.SearchService/Search")->input;
  ASSERT_OK_AND_ASSIGN(const std::string json, registry->ProtoToJson(type, std::string("\x0a\x04g\xff\xc3s", 6)));
  EXPECT_TRUE(nlohmann::json::accept(json)) << json;
  // Cut off: what is there is written.
  ASSERT_OK_AND_ASSIGN(const std::string cut_off, registry->ProtoToJson(type, std::string("\x0a\x7fgas", 5)));
  EXPECT_TRUE(nlohmann::json::accept(cut_off)) << cut_off;
}

TEST(CheckProtoTest, RefusesWhatTheUpstreamCouldNotRead) {
  ASSERT_OK_AND_ASSIGN(const auto registry, CreateWith({}));
  const auto& type = *registry->Find("dateline.search.v1.SearchService/Search")->input;
  EXPECT_OK(registry->CheckProto(type, ""));
  EXPECT_OK(registry->CheckProto(type, std::string("\x0a\x03gas")));
  EXPECT_THAT(registry->CheckProto(type, "\x0a\x7fgas"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(registry->CheckProto(type, "\x0a\x03g\xff\xff"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("UTF-8")));
}

TEST(AnyToJsonTest, ShowsErrorDetailsAndOnlyKnownTypes) {
  ASSERT_OK_AND_ASSIGN(const auto registry, CreateWith({}));
  EXPECT_EQ(registry->AnyToJson("type.googleapis.com/google.rpc.ErrorInfo", "\x0a\x01R"), R"({"reason":"R"})");
  EXPECT_EQ(registry->AnyToJson("type.googleapis.com/no.such.Type", ""), std::nullopt);
  EXPECT_EQ(registry->AnyToJson("", "x"), std::nullopt);
}

}  // namespace
}  // namespace dateline::web_gateway
