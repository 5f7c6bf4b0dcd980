// For tests: sources that are texts in memory.
#ifndef DATELINE_EXTRACTION_TESTING_SOURCES_H_
#define DATELINE_EXTRACTION_TESTING_SOURCES_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "extraction/source_reader.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {

// Hands the text out in small pieces, as pipes do.
inline ReadFunction Pieces(std::string text, size_t piece = 7) {
  auto position = std::make_shared<size_t>(0);
  return [text = std::move(text), position, piece](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    const size_t count = std::min({piece, size, text.size() - *position});
    std::memcpy(buffer, text.data() + *position, count);
    *position += count;
    return count;
  };
}

inline std::vector<SourceItem> ReadAll(const std::string& text, const SourceOptions& options = {},
                                       size_t piece = 4096) {
  std::vector<SourceItem> items;
  absl::StatusOr<std::unique_ptr<SourceReader>> reader = SourceReader::Open(Pieces(text, piece), options);
  EXPECT_THAT(reader, dateline::testing::IsOk());
  if (reader.ok()) {
    while (std::optional<SourceItem> item = (*reader)->Next()) {
      items.push_back(*std::move(item));
    }
  }
  return items;
}

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_TESTING_SOURCES_H_
