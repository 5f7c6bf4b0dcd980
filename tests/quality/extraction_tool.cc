// What extraction makes of a file of pages, for the programs that measure it (extraction_quality.py).
//
//   extraction_tool pages.jsonl.zst [keep|explain|unpack]
//
// Writes one object a line: the record as it came but for the page itself, and "extraction": the article's fields, or
// "error".
#include <zstd.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"

#include "CLI/CLI.hpp"
#include "common/program.h"
#include "extraction/extraction.h"

namespace dateline::extraction {
namespace {

using Json = nlohmann::json;

// The bytes of a file, unpacked if its name ends in .zst; nothing, and a line on standard error, if that fails.
bool ReadFile(const std::string& path, std::string* text) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << path << ": cannot be opened\n";
    return false;
  }
  std::ostringstream content;
  content << file.rdbuf();
  std::string bytes = std::move(content).str();
  if (!absl::EndsWith(path, ".zst")) {
    *text = std::move(bytes);
    return true;
  }
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::vector<char> buffer(ZSTD_DStreamOutSize());
  while (in.pos < in.size) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    if (ZSTD_isError(ZSTD_decompressStream(context.get(), &out, &in)) != 0) {
      std::cerr << path << ": is not zstd to its end\n";
      return false;
    }
    text->append(buffer.data(), out.pos);
  }
  return true;
}

std::string Take(Json* record, const char* key) {
  const auto found = record->find(key);
  if (found == record->end()) {
    return "";
  }
  std::string value = found->is_string() ? found->get<std::string>() : "";
  record->erase(found);
  return value;
}

Json DescribeBlocks(const std::vector<Block>& blocks) {
  Json described = Json::array();
  for (const Block& block : blocks) {
    described.push_back(
        {{"kept", block.kept}, {"reason", block.reason}, {"score", block.score.value_or(0.0)}, {"text", block.text}});
  }
  return described;
}

Json Describe(const absl::StatusOr<Extraction>& extraction) {
  if (!extraction.ok()) {
    return {{"error", std::string(extraction.status().message())}};
  }
  const Article& article = extraction->article;
  Json labels = Json::array();
  for (const SourceLabel& label : article.source_labels) {
    labels.push_back({{"kind", label.kind}, {"name", label.name}});
  }
  Json described = {{"title", article.title},
                    {"body", article.body},
                    {"summary", article.summary},
                    {"authors", article.authors},
                    {"source", article.source},
                    {"language", article.language_code},
                    {"url", article.url},
                    {"image", article.image_url},
                    {"attributes", article.attributes},
                    {"labels", std::move(labels)},
                    {"warnings", extraction->warnings}};
  if (article.publish_time) {
    const bool day = article.publish_time_precision == TimePrecision::kDay;
    described["published"] =
        absl::FormatTime(day ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", *article.publish_time, absl::UTCTimeZone());
  }
  if (!extraction->blocks.empty()) {
    described["blocks"] = DescribeBlocks(extraction->blocks);
  }
  return described;
}

bool Run(const std::string& path, bool keep, bool explain) {
  std::string text;
  if (!ReadFile(path, &text)) {
    return false;
  }
  std::istringstream lines(std::move(text));
  std::string line;
  while (std::getline(lines, line)) {
    Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!record.is_object()) {
      std::cerr << path << ": holds a line that is no JSON object\n";
      return false;
    }
    Document document{.media_type = "text/html", .url = record.value("url", "")};
    const Json page = keep ? record : Json();
    if (!absl::Base64Unescape(Take(&record, "html_base64"), &document.content)) {
      document.content.clear();
    }
    if (document.content.empty()) {
      document.content = Take(&record, "html");
    }
    if (document.content.empty()) {
      document.content = Take(&record, "text");
      document.media_type = "text/plain";
    }
    if (keep) {
      record = page;
    }
    record["bytes"] = document.content.size();
    record["extraction"] = Describe(Extract(document, {.explain = explain}));
    std::cout << record.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  }
  return true;
}

}  // namespace
}  // namespace dateline::extraction

int main(int argc, char** argv) {
  std::string file;
  std::string how;
  CLI::App app("What extraction makes of a file of pages: one JSON object a line.", "extraction_tool");
  app.add_option("PAGES", file, "JSON Lines with id or url, and html, html_base64 or text; plain or zstd")
      ->type_name("FILE")
      ->required();
  app.add_option("HOW", how,
                 "explain: with what became of each block; keep: with the page itself; unpack: only the file, unpacked")
      ->check(CLI::IsMember({"explain", "keep", "unpack"}));
  if (const std::optional<int> status = dateline::common::StartProgram(app, argc, argv)) return *status;
  if (how == "unpack") {
    std::string text;
    const bool read = dateline::extraction::ReadFile(file, &text);
    std::cout << text;
    return read ? 0 : 1;
  }
  return dateline::extraction::Run(file, how == "keep", how == "explain") ? 0 : 1;
}
