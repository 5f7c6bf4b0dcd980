#include "tests/fuzz/fuzz_source.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/text.h"
#include "common/url.h"
#include "extraction/source_reader.h"

namespace dateline::testing {
namespace {

// Small, so that limits are reached by small inputs.
constexpr size_t kMaxItemBytes = 100'000;

void Require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "a promise is broken: %s\n", what);
    std::abort();
  }
}

void CheckArticle(const extraction::Article& article) {
  for (const std::string* text : {&article.title, &article.body, &article.summary, &article.source}) {
    Require(common::IsValidUtf8(*text), "texts are UTF-8");
  }
  Require(common::NormalizeText(article.body) == article.body, "the body is normalised");
  int after = 0;
  for (const extraction::Heading& heading : article.headings) {
    Require(heading.start >= after && heading.end > heading.start &&
                static_cast<size_t>(heading.end) <= article.body.size(),
            "headings lie in the body, in order");
    after = heading.end;
  }
}

}  // namespace

SourceCounts ReadSource(extraction::Format format, absl::string_view bytes) {
  SourceCounts counts;
  size_t position = 0;
  // In pieces of changing size: a reader must not depend on where they end.
  const auto read = [&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    const size_t count = std::min({size, bytes.size() - position, 1 + (position * 7919) % 4096});
    std::memcpy(buffer, bytes.data() + position, count);
    position += count;
    return count;
  };
  extraction::SourceOptions options;
  options.format = format;
  options.url = "https://example.org/source";
  options.max_item_bytes = kMaxItemBytes;
  options.extract.now = absl::FromUnixSeconds(1'700'000'000);
  const absl::StatusOr<std::unique_ptr<extraction::SourceReader>> reader =
      extraction::SourceReader::Open(read, options);
  if (!reader.ok()) {
    Require(absl::IsInvalidArgument(reader.status()), "what can't be opened is an invalid argument");
    ++counts.errors;
    return counts;
  }
  while (const std::optional<extraction::SourceItem> item = (*reader)->Next()) {
    if (!item->extraction.ok()) {
      Require(!item->extraction.status().message().empty(), "an error has a message");
      ++counts.errors;
    } else {
      CheckArticle(item->extraction->article);
      ++counts.articles;
    }
    if (item->link) {
      Require(common::LooksLikeUrl(item->link->url), "a link is an http or https URL");
      ++counts.links;
    }
    const auto items = static_cast<size_t>(counts.articles) + static_cast<size_t>(counts.errors);
    Require(items <= 2 * bytes.size() + 2, "there is an end");
  }
  Require(!(*reader)->Next().has_value(), "the end is the end");
  return counts;
}

}  // namespace dateline::testing
