#include "extraction/source_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "extraction/archive_reader.h"
#include "extraction/extraction.h"
#include "extraction/feed_reader.h"
#include "extraction/html_metadata.h"
#include "extraction/json_reader.h"
#include "extraction/mail_reader.h"
#include "extraction/pdf_reader.h"
#include "extraction/table_reader.h"
#include "extraction/text_stream.h"

namespace dateline::extraction {
namespace {

// What the format is told from: the header of a tar, a prolog, the first object of JSON Lines.
constexpr size_t kHeadBytes = 8192;

absl::Time NowFor(const SourceOptions& options) {
  const absl::Time now = options.extract.now == absl::InfiniteFuture() ? absl::Now() : options.extract.now;
  return options.fetch_time ? std::min(now, *options.fetch_time) : now;
}

// A page, a text or a PDF: one article.
class PageReader final : public SourceReader {
 public:
  PageReader(Format format, Input input, SourceOptions options, absl::Time now)
      : SourceReader(format), input_(std::move(input)), options_(std::move(options)), now_(now) {}

  std::optional<SourceItem> Next() override {
    if (std::exchange(done_, true)) {
      return std::nullopt;
    }
    SourceItem item;
    item.number = 1;
    item.position = "page";
    item.format = format();
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
    if (format() == Format::kPdf) {
      return ExtractPdf(document.content, options_.url, now_);
    }
    document.media_type = options_.media_type;
    if (document.media_type.empty()) {
      document.media_type = format() == Format::kHtml ? "text/html" : "text/plain";
    } else if (const std::string type = absl::AsciiStrToLower(document.media_type);
               format() == Format::kHtml && !absl::StrContains(type, "html") && !absl::StartsWith(type, "text/plain")) {
      // Servers call an error page a feed if one was asked for. What the bytes say counts; a charset is kept.
      const size_t parameters = std::min(document.media_type.find(';'), document.media_type.size());
      document.media_type = absl::StrCat("text/html", document.media_type.substr(parameters));
    }
    document.charset = options_.charset;
    document.url = options_.url;
    document.fetch_time = options_.fetch_time;
    return Extract(document, options_.extract);
  }

  Input input_;
  const SourceOptions options_;
  const absl::Time now_;
  bool done_ = false;
};

template <typename T>
void TakeIfEmpty(T* field, T value) {
  if (field->empty()) {
    *field = std::move(value);
  }
}

}  // namespace

absl::StatusOr<Extraction> CompleteFromPage(Extraction item, const Document& page, const Options& options) {
  const bool is_pdf = DetectFormat("", absl::string_view(page.content).substr(0, kHeadBytes)) == Format::kPdf;
  const absl::Time now = options.now == absl::InfiniteFuture() ? absl::Now() : options.now;
  absl::StatusOr<Extraction> found = is_pdf ? ExtractPdf(page.content, page.url, now) : Extract(page, options);
  if (!found.ok()) {
    if (item.article.body.empty()) {
      return found.status();
    }
    item.warnings.push_back(absl::StrCat("body: the page gives no article (", found.status().message(),
                                         "); what the source holds stands for the text"));
    return item;
  }
  Article& known = item.article;
  Article& article = found->article;
  std::vector<std::string>& warnings = found->warnings;
  if (known.body.size() > article.body.size()) {
    TakeIfEmpty(&known.summary, std::move(article.summary));
    article.summary = std::move(known.summary);
    article.body = std::move(known.body);
    article.headings = std::move(known.headings);
    warnings.emplace_back("body: the source's own text is longer than the page's and was kept");
  } else {
    TakeIfEmpty(&article.summary, known.summary.empty() ? std::move(known.body) : std::move(known.summary));
  }
  // A source states titles and times by themselves; on a page they are found among other things.
  if (!known.title.empty()) {
    article.title = std::move(known.title);
  }
  if (known.publish_time) {
    article.publish_time = known.publish_time;
    article.publish_time_precision = known.publish_time_precision;
  }
  if (!article.update_time) {
    article.update_time = known.update_time;
  }
  TakeIfEmpty(&article.id, std::move(known.id));
  TakeIfEmpty(&article.authors, std::move(known.authors));
  TakeIfEmpty(&article.source, std::move(known.source));
  TakeIfEmpty(&article.language_code, std::move(known.language_code));
  TakeIfEmpty(&article.image_url, std::move(known.image_url));
  TakeIfEmpty(&article.content_type, std::move(known.content_type));
  for (auto& [name, values] : known.attributes) {
    TakeIfEmpty(&article.attributes[name], std::move(values));
  }
  for (const SourceLabel& label : known.source_labels) {
    AddLabel(label.kind, label.name, &article);
  }
  std::vector<std::string> urls = std::move(known.alternate_urls);
  urls.push_back(std::move(known.url));
  for (std::string& url : urls) {
    std::vector<std::string>& others = article.alternate_urls;
    if (!url.empty() && url != article.url && std::find(others.begin(), others.end(), url) == others.end()) {
      others.push_back(std::move(url));
    }
  }
  return found;
}

SourceItem SourceReader::ItemAt(absl::string_view unit, int64_t number, absl::StatusOr<Extraction> extraction) const {
  SourceItem item;
  item.number = number;
  item.position = absl::StrCat(unit, " ", number);
  item.format = format_;
  item.extraction = std::move(extraction);
  return item;
}

void SourceReader::AddNote(std::string note) {
  if (notes_.size() < kMaxNotes) {
    notes_.push_back(std::move(note));
  }
}

absl::StatusOr<std::unique_ptr<SourceReader>> SourceReader::Open(ReadFunction read, SourceOptions options) {
  Input input(std::move(read));
  RETURN_IF_ERROR(input.Fill(kHeadBytes));
  if (options.format == Format::kUnknown) {
    options.format = DetectFormat(options.path, input.buffered());
    // A name and what is there may say nothing where the server's answer does.
    const std::string media_type = absl::AsciiStrToLower(options.media_type);
    if (options.format == Format::kText && absl::StartsWith(media_type, "text/csv")) {
      options.format = Format::kCsv;
    }
  }
  const absl::Time now = NowFor(options);
  // The others see to it themselves.
  if ((options.format == Format::kJsonLines || options.format == Format::kMail) && BeginsAsUtf16(input.buffered())) {
    input = Input(ReadAsUtf8(std::move(input), options.charset));
  }
  switch (options.format) {
    case Format::kUnknown:
      return common::WithReason(
          common::InvalidField(
              "content",
              "holds no text that is read here: HTML, plain text, RSS, Atom, sitemaps, JSON, CSV, mail, "
              "PDF, and zip, tar, gzip, bzip2, xz and zstd of them"),
          kUnsupportedMediaType);
    case Format::kFeed:
      input.Consume(JunkBeforeXml(input.buffered()));
      return MakeFeedReader(std::move(input), options, now);
    case Format::kSitemap:
      input.Consume(JunkBeforeXml(input.buffered()));
      return MakeSitemapReader(std::move(input), options, now);
    case Format::kJsonLines:
      return MakeJsonLinesReader(std::move(input), options, now);
    case Format::kJson:
      return MakeJsonReader(std::move(input), options, now);
    case Format::kCsv:
      return MakeTableReader(std::move(input), options, now);
    case Format::kMail:
      return MakeMailReader(std::move(input), options, now);
    case Format::kArchive:
      if (options.archive_depth >= kMaxArchiveDepth) {
        return common::WithReason(
            common::InvalidField("content", absl::StrCat("is an archive within ", kMaxArchiveDepth,
                                                         " others; unpack the outer ones yourself")),
            kMalformedArchive);
      }
      return MakeArchiveReader(std::move(input), options);
    case Format::kHtml:
    case Format::kText:
    case Format::kPdf:
      break;
  }
  const Format format = options.format;
  return std::make_unique<PageReader>(format, std::move(input), std::move(options), now);
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
