#include "extraction/source_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "extraction/charset.h"
#include "extraction/extraction.h"
#include "extraction/feed_reader.h"
#include "extraction/json_lines.h"

namespace dateline::extraction {
namespace {

constexpr size_t kHeadBytes = 8192;
constexpr size_t kReadBytes = 65'536;

// `text` without what may stand before the first element: declarations, comments, document types.
absl::string_view SkipProlog(absl::string_view text) {
  while (true) {
    text = absl::StripLeadingAsciiWhitespace(text);
    size_t end = absl::string_view::npos;
    if (absl::StartsWith(text, "<!--")) {
      end = text.find("-->");
      end = end == absl::string_view::npos ? end : end + 3;
    } else if (absl::StartsWith(text, "<?")) {
      end = text.find('>');
      end = end == absl::string_view::npos ? end : end + 1;
    } else if (absl::StartsWithIgnoreCase(text, "<!doctype")) {
      const size_t bracket = text.find('[');
      end = text.find('>');
      if (bracket != absl::string_view::npos && bracket < end) {
        end = text.find("]>", bracket);
        end = end == absl::string_view::npos ? end : end + 2;
      } else {
        end = end == absl::string_view::npos ? end : end + 1;
      }
    } else {
      return text;
    }
    if (end == absl::string_view::npos) {
      return text;
    }
    text = text.substr(end);
  }
}

bool StartsWithTag(absl::string_view text, absl::string_view name) {
  return text.size() > name.size() + 1 && text[0] == '<' && absl::StartsWithIgnoreCase(text.substr(1), name) &&
         !absl::ascii_isalnum(static_cast<unsigned char>(text[name.size() + 1]));
}

// Tags that plain text never holds by chance, at least two of them.
bool HoldsHtml(absl::string_view text) {
  size_t found = 0;
  size_t at = 0;
  while (found < 2 && (at = text.find('<', at)) != absl::string_view::npos) {
    const absl::string_view rest = text.substr(at);
    for (const absl::string_view tag :
         {"p", "/p",   "div",   "/div", "br",    "h1", "h2", "html",   "head", "body",   "article",
          "a", "span", "title", "meta", "table", "ul", "li", "strong", "em",   "section"}) {
      if (StartsWithTag(rest, tag)) {
        ++found;
        break;
      }
    }
    ++at;
  }
  return found >= 2;
}

bool HasSuffix(absl::string_view path, std::initializer_list<absl::string_view> suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [path](absl::string_view suffix) { return absl::EndsWithIgnoreCase(path, suffix); });
}

absl::Time NowFor(const SourceOptions& options) {
  const absl::Time now = options.extract.now == absl::InfiniteFuture() ? absl::Now() : options.extract.now;
  return options.fetch_time ? std::min(now, *options.fetch_time) : now;
}

// Bytes of the source, of which some were read ahead.
class Input {
 public:
  explicit Input(ReadFunction read) : read_(std::move(read)) {}

  // Reads until `size` bytes are buffered or the source ends.
  absl::Status Fill(size_t size) {
    while (!ended_ && buffer_.size() - start_ < size) {
      RETURN_IF_ERROR(ReadMore());
    }
    return absl::OkStatus();
  }

  absl::string_view buffered() const { return absl::string_view(buffer_).substr(start_); }

  // The next line without its end; nullopt after the last. Of a line beyond `limit` bytes only the first `limit` + 1
  // are returned; the rest of it is passed over.
  absl::StatusOr<std::optional<std::string>> ReadLine(size_t limit) {
    size_t searched = 0;
    while (true) {
      const size_t end = buffered().find('\n', searched);
      if (end != absl::string_view::npos) {
        std::string line(buffered().substr(0, std::min(end, limit + 1)));
        Consume(end + 1);
        return std::optional<std::string>(std::move(line));
      }
      searched = buffered().size();
      if (searched > limit) {
        std::string line(buffered().substr(0, limit + 1));
        RETURN_IF_ERROR(SkipLine());
        return std::optional<std::string>(std::move(line));
      }
      if (ended_) {
        if (searched == 0) {
          return std::optional<std::string>();
        }
        std::string line(buffered());
        Consume(searched);
        return std::optional<std::string>(std::move(line));
      }
      RETURN_IF_ERROR(ReadMore());
    }
  }

  // All that is left, or its first `limit` + 1 bytes.
  absl::StatusOr<std::string> ReadAll(size_t limit) {
    RETURN_IF_ERROR(Fill(limit + 1));
    std::string all(buffered().substr(0, limit + 1));
    Consume(all.size());
    return all;
  }

 private:
  absl::Status ReadMore() {
    Compact();
    const size_t size = buffer_.size();
    buffer_.resize(size + kReadBytes);
    absl::StatusOr<size_t> read = read_(buffer_.data() + size, kReadBytes);
    buffer_.resize(size + (read.ok() ? std::min(*read, kReadBytes) : 0));
    if (!read.ok()) {
      ended_ = true;
      return read.status();
    }
    ended_ = *read == 0;
    return absl::OkStatus();
  }

  absl::Status SkipLine() {
    while (true) {
      const size_t end = buffered().find('\n');
      if (end != absl::string_view::npos) {
        Consume(end + 1);
        return absl::OkStatus();
      }
      Consume(buffered().size());
      if (ended_) {
        return absl::OkStatus();
      }
      RETURN_IF_ERROR(ReadMore());
    }
  }

  void Consume(size_t bytes) { start_ += bytes; }

  void Compact() {
    if (start_ > 0) {
      buffer_.erase(0, start_);
      start_ = 0;
    }
  }

  ReadFunction read_;
  std::string buffer_;
  size_t start_ = 0;
  bool ended_ = false;
};

class JsonLinesReader final : public SourceReader {
 public:
  JsonLinesReader(Input input, const SourceOptions& options)
      : SourceReader(Format::kJsonLines),
        input_(std::move(input)),
        limit_(options.max_item_bytes),
        now_(NowFor(options)) {}

  std::optional<SourceItem> Next() override {
    while (!done_) {
      SourceItem item;
      item.number = ++line_;
      item.position = absl::StrCat("line ", line_);
      absl::StatusOr<std::optional<std::string>> line = input_.ReadLine(limit_);
      if (!line.ok()) {
        done_ = true;
        item.extraction = line.status();
        return item;
      }
      if (!line->has_value()) {
        done_ = true;
        return std::nullopt;
      }
      absl::string_view text = **line;
      if (line_ == 1) {
        absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
      }
      if (text.size() > limit_) {
        item.extraction = common::WithReason(
            common::InvalidField(item.position, absl::StrCat("is longer than ", limit_, " bytes")), kDocumentTooLarge);
        return item;
      }
      text = absl::StripAsciiWhitespace(text);
      if (text.empty()) {
        continue;
      }
      item.extraction = ReadJsonArticle(text, now_);
      if (!item.extraction.ok()) {
        item.extraction = common::WithFieldPrefix(item.extraction.status(), item.position);
      }
      return item;
    }
    return std::nullopt;
  }

 private:
  Input input_;
  const size_t limit_;
  const absl::Time now_;
  int64_t line_ = 0;
  bool done_ = false;
};

// A page or a text: one article.
class PageReader final : public SourceReader {
 public:
  PageReader(Format format, Input input, SourceOptions options)
      : SourceReader(format), input_(std::move(input)), options_(std::move(options)) {}

  std::optional<SourceItem> Next() override {
    if (done_) {
      return std::nullopt;
    }
    done_ = true;
    SourceItem item;
    item.number = 1;
    item.position = "page";
    item.extraction = Read();
    return item;
  }

 private:
  absl::StatusOr<Extraction> Read() {
    Document document;
    ASSIGN_OR_RETURN(document.content, input_.ReadAll(options_.max_item_bytes));
    if (document.content.size() > options_.max_item_bytes) {
      return common::WithReason(
          common::InvalidField("content", absl::StrCat("has more than ", options_.max_item_bytes, " bytes")),
          kDocumentTooLarge);
    }
    document.media_type = options_.media_type;
    if (document.media_type.empty()) {
      document.media_type = format() == Format::kHtml ? "text/html" : "text/plain";
    }
    document.charset = options_.charset;
    document.url = options_.url;
    document.fetch_time = options_.fetch_time;
    return Extract(document, options_.extract);
  }

  Input input_;
  const SourceOptions options_;
  bool done_ = false;
};

}  // namespace

absl::string_view FormatName(Format format) {
  switch (format) {
    case Format::kHtml:
      return "html";
    case Format::kText:
      return "text";
    case Format::kFeed:
      return "feed";
    case Format::kJsonLines:
      return "jsonl";
    case Format::kUnknown:
      break;
  }
  return "unknown";
}

std::optional<Format> FormatFromName(absl::string_view name) {
  for (const Format format : {Format::kHtml, Format::kText, Format::kFeed, Format::kJsonLines}) {
    if (name == FormatName(format)) {
      return format;
    }
  }
  return std::nullopt;
}

Format DetectFormat(absl::string_view path, absl::string_view head) {
  if (IsBinary(head)) {
    return Format::kUnknown;
  }
  std::string decoded;
  absl::string_view text = head.substr(0, kHeadBytes);
  if (absl::StartsWith(text, "\xFF\xFE") || absl::StartsWith(text, "\xFE\xFF") ||
      text.find('\0') != absl::string_view::npos) {
    decoded = DecodeText(text, "").text;
    text = decoded;
  }
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  text = absl::StripLeadingAsciiWhitespace(text);
  if (absl::StartsWith(text, "<")) {
    const absl::string_view root = SkipProlog(text);
    for (const absl::string_view name : {"rss", "feed", "rdf:RDF"}) {
      if (StartsWithTag(root, name)) {
        return Format::kFeed;
      }
    }
    if (absl::StartsWith(text, "<?xml") && root.empty() && HasSuffix(path, {".rss", ".atom", ".xml", ".rdf"})) {
      return Format::kFeed;
    }
    return Format::kHtml;
  }
  if (absl::StartsWith(text, "{")) {
    const absl::string_view inside = absl::StripLeadingAsciiWhitespace(text.substr(1));
    if (absl::StartsWith(inside, "\"") || absl::StartsWith(inside, "}")) {
      return Format::kJsonLines;
    }
  }
  if (HasSuffix(path, {".jsonl", ".ndjson", ".jsonlines"})) {
    return Format::kJsonLines;
  }
  if (HasSuffix(path, {".rss", ".atom"})) {
    return Format::kFeed;
  }
  if (HasSuffix(path, {".html", ".htm", ".xhtml"}) || HoldsHtml(text)) {
    return Format::kHtml;
  }
  return Format::kText;
}

absl::StatusOr<std::unique_ptr<SourceReader>> SourceReader::Open(ReadFunction read, SourceOptions options) {
  Input input(std::move(read));
  RETURN_IF_ERROR(input.Fill(kHeadBytes));
  if (options.format == Format::kUnknown) {
    options.format = DetectFormat(options.path, input.buffered());
  }
  switch (options.format) {
    case Format::kUnknown:
      return common::WithReason(
          common::InvalidField("content", "holds no text; HTML, plain text, RSS, Atom and JSON Lines are read"),
          kUnsupportedMediaType);
    case Format::kJsonLines:
      return std::make_unique<JsonLinesReader>(std::move(input), options);
    case Format::kFeed: {
      ASSIGN_OR_RETURN(const std::string bytes, input.ReadAll(options.max_item_bytes));
      if (bytes.size() > options.max_item_bytes) {
        return common::WithReason(
            common::InvalidField("content", absl::StrCat("is a feed of more than ", options.max_item_bytes, " bytes")),
            kDocumentTooLarge);
      }
      const absl::Time now = NowFor(options);
      return MakeFeedReader(DecodeText(bytes, options.charset).text, options, now);
    }
    case Format::kHtml:
    case Format::kText:
      break;
  }
  const Format format = options.format;
  return std::make_unique<PageReader>(format, std::move(input), std::move(options));
}

absl::StatusOr<std::unique_ptr<SourceReader>> SourceReader::OpenFile(const std::string& path, SourceOptions options) {
  const std::shared_ptr<std::FILE> file(std::fopen(path.c_str(), "rb"), [](std::FILE* f) {
    if (f != nullptr) {
      std::fclose(f);
    }
  });
  if (file == nullptr) {
    const std::string message = absl::StrCat(path, ": ", std::strerror(errno));
    return errno == ENOENT   ? absl::NotFoundError(message)
           : errno == EACCES ? absl::PermissionDeniedError(message)
                             : absl::UnknownError(message);
  }
  options.path = path;
  return Open(
      [file, path](char* buffer, size_t size) -> absl::StatusOr<size_t> {
        const size_t read = std::fread(buffer, 1, size, file.get());
        if (read == 0 && std::ferror(file.get()) != 0) {
          return absl::DataLossError(absl::StrCat(path, ": could not be read"));
        }
        return read;
      },
      std::move(options));
}

}  // namespace dateline::extraction
