#include "extraction/mail_reader.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
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
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "extraction/article_builder.h"
#include "extraction/charset.h"
#include "extraction/dates.h"
#include "extraction/format.h"
#include "extraction/html_fragment.h"
#include "extraction/html_metadata.h"
#include "extraction/records.h"
#include "extraction/text_lines.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

constexpr size_t kMaxLineBytes = 1'000'000;  // Of a mailbox: RFC 5322 allows 998, and some programs write more.
constexpr int kMaxPartDepth = 20;
constexpr size_t kMaxParts = 500;
constexpr char kMalformedMessage[] = "MALFORMED_MESSAGE";

template <typename T>
struct Unref {
  void operator()(T* object) const { g_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref<T>>;

std::string Text(const char* text) { return text == nullptr ? std::string() : std::string(text); }

std::string HeaderOf(GMimeMessage* message, const char* name) {
  return CollapseSpace(Text(g_mime_object_get_header(GMIME_OBJECT(message), name)));
}

struct Part {
  std::string content;
  std::string charset;
  bool is_html = false;
};

std::string ContentOf(GMimePart* part) {
  GMimeDataWrapper* const content = g_mime_part_get_content(part);  // Of the part.
  if (content == nullptr) {
    return "";
  }
  const Owned<GMimeStream> stream(g_mime_stream_mem_new());
  g_mime_data_wrapper_write_to_stream(content, stream.get());
  const GByteArray* const bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return bytes == nullptr ? "" : std::string(reinterpret_cast<const char*>(bytes->data), bytes->len);
}

// The parts that are text to be read: neither attachments nor messages that are passed on.
void CollectParts(GMimeObject* object, int depth, std::vector<Part>* parts) {
  if (depth > kMaxPartDepth || parts->size() >= kMaxParts || object == nullptr) {
    return;
  }
  if (GMIME_IS_MULTIPART(object)) {
    auto* const multipart = GMIME_MULTIPART(object);
    for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i) {
      CollectParts(g_mime_multipart_get_part(multipart, i), depth + 1, parts);
    }
    return;
  }
  GMimeContentType* const type = g_mime_object_get_content_type(object);
  if (!GMIME_IS_PART(object) || g_mime_part_is_attachment(GMIME_PART(object)) || type == nullptr) {
    return;
  }
  const bool html = g_mime_content_type_is_type(type, "text", "html") != 0;
  if (!html && g_mime_content_type_is_type(type, "text", "plain") == 0) {
    return;
  }
  parts->push_back({.content = ContentOf(GMIME_PART(object)),
                    .charset = Text(g_mime_object_get_content_type_parameter(object, "charset")),
                    .is_html = html});
}

bool HasText(const Part& part) {
  return std::any_of(part.content.begin(), part.content.end(),
                     [](char c) { return !absl::ascii_isspace(static_cast<unsigned char>(c)) && c != '\0'; });
}

// HTML if there is any: its headings and paragraphs are sure, and many letters say in plain text only where to read
// them.
const Part* ChoosePart(const std::vector<Part>& parts) {
  for (const bool html : {true, false}) {
    for (const Part& part : parts) {
      if (part.is_html == html && HasText(part)) {
        return &part;
      }
    }
  }
  return nullptr;
}

// Plain text without the signature, which two dashes and a blank introduce (RFC 3676).
std::string WithoutSignature(const std::string& text) {
  const size_t at = std::max(text.rfind("\n-- \n") + 1, text.rfind("\n-- \r\n") + 1);
  return at == 0 ? text : text.substr(0, at);
}

class MailReader final : public SourceReader {
 public:
  MailReader(Input input, const SourceOptions& options, absl::Time now)
      : SourceReader(Format::kMail), input_(std::move(input)), options_(options), now_(now) {
    static std::once_flag once;
    std::call_once(once, [] { g_mime_init(); });
  }

  std::optional<SourceItem> Next() override {
    if (done_) {
      return std::nullopt;
    }
    absl::StatusOr<std::optional<std::string>> message = NextMessage();
    if (message.ok() && !message->has_value()) {
      done_ = true;
      return std::nullopt;
    }
    SourceItem item = ItemAt("message", ++number_);
    if (!message.ok()) {
      done_ = true;
      item.extraction = message.status();
    } else if ((*message)->size() > options_.max_item_bytes) {
      item.extraction = common::WithReason(
          absl::InvalidArgumentError(absl::StrCat("is longer than ", options_.max_item_bytes, " bytes")),
          kDocumentTooLarge);
    } else {
      item.extraction = Read(**message);
    }
    return item;
  }

 private:
  // The next message without the line that begins it in a mailbox, or so much of it that it is over the limit.
  absl::StatusOr<std::optional<std::string>> NextMessage() {
    if (!std::exchange(begun_, true)) {
      RETURN_IF_ERROR(input_.Fill(kMaxLineBytes));
      const absl::string_view head = input_.buffered();
      mailbox_ = IsMailboxLine(head.substr(0, head.find('\n')));
      if (mailbox_) {
        RETURN_IF_ERROR(input_.ReadLine(kMaxLineBytes).status());
      }
      more_ = !head.empty();
    }
    if (!std::exchange(more_, false)) {
      return std::optional<std::string>();
    }
    if (!mailbox_) {
      ASSIGN_OR_RETURN(std::string all, input_.ReadAll(options_.max_item_bytes));
      return std::optional<std::string>(std::move(all));
    }
    std::string message;
    bool after_blank = true;
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<std::string> line, input_.ReadLine(kMaxLineBytes));
      if (!line) {
        return std::optional<std::string>(std::move(message));
      }
      if (after_blank && IsMailboxLine(*line)) {
        more_ = true;
        return std::optional<std::string>(std::move(message));
      }
      after_blank = absl::StripAsciiWhitespace(*line).empty();
      if (message.size() > options_.max_item_bytes) {
        continue;
      }
      // Mailboxes quote lines that look like the beginning of a message.
      const size_t quotes = line->find_first_not_of('>');
      const bool quoted = quotes != std::string::npos && quotes > 0 &&
                          absl::StartsWith(absl::string_view(*line).substr(quotes), "From ");
      message.append(quoted ? line->substr(1) : *line);
    }
  }

  absl::StatusOr<Extraction> Read(const std::string& text) const {
    const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(text.data(), text.size()));
    const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    g_mime_parser_set_persist_stream(parser.get(), 0);
    const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
    if (message == nullptr) {
      return common::WithReason(absl::InvalidArgumentError("is no message: it has no header"), kMalformedMessage);
    }
    std::vector<Part> parts;
    CollectParts(g_mime_message_get_mime_part(message.get()), 0, &parts);
    const Part* const part = ChoosePart(parts);
    if (part == nullptr) {
      return common::WithReason(absl::InvalidArgumentError("holds no text, or only attachments"), kNotAnArticle);
    }
    Extraction extraction = ReadPart(*part);
    Article& article = extraction.article;
    ReadHeader(message.get(), &article);
    if (article.title.empty() && article.body.empty()) {
      return common::WithReason(absl::InvalidArgumentError("has neither subject nor text"), kNotAnArticle);
    }
    FinishArticle("", now_, &article, &extraction.warnings);
    return extraction;
  }

  // The text; what the extractor makes of it if it finds an article, and all of it if not.
  Extraction ReadPart(const Part& part) const {
    Extraction extraction;
    const DecodedText decoded = DecodeText(part.content, part.charset);
    extraction.warnings = decoded.warnings;
    if (!part.is_html) {
      extraction.article.body = common::NormalizeText(Unwrap(common::NormalizeText(WithoutSignature(decoded.text))));
      return extraction;
    }
    Document document;
    document.content = decoded.text;
    document.media_type = "text/html";
    document.charset = "utf-8";
    document.fetch_time = options_.fetch_time;
    absl::StatusOr<Extraction> page = Extract(document, options_.extract);
    if (page.ok()) {
      // Who wrote the letter and when is in its header; its links and pictures are those of what it tells about.
      extraction.article.body = std::move(page->article.body);
      extraction.article.headings = std::move(page->article.headings);
      extraction.article.language_code = std::move(page->article.language_code);
      extraction.blocks = std::move(page->blocks);
      return extraction;
    }
    SetBodyFromFragment(decoded.text, &extraction.article, &extraction.warnings);
    return extraction;
  }

  void ReadHeader(GMimeMessage* message, Article* article) const {
    article->title = CollapseSpace(Text(g_mime_message_get_subject(message)));
    if (GDateTime* const date = g_mime_message_get_date(message)) {
      const absl::Time time = absl::FromUnixSeconds(g_date_time_to_unix(date));
      if (IsPlausibleTime(time, now_)) {
        article->publish_time = time;
      }
    }
    std::string name;
    InternetAddressList* const senders = g_mime_message_get_from(message);
    if (senders != nullptr && internet_address_list_length(senders) > 0) {
      name = CollapseSpace(Text(internet_address_get_name(internet_address_list_get_address(senders, 0))));
    }
    // A letter to many comes from a publication, other mail from a person.
    const std::string list_id = HeaderOf(message, "List-Id");
    const std::string list_name = std::string(absl::StripAsciiWhitespace(list_id.substr(0, list_id.find('<'))));
    const std::string precedence = absl::AsciiStrToLower(HeaderOf(message, "Precedence"));
    const bool to_many = !list_id.empty() || !HeaderOf(message, "List-Unsubscribe").empty() || precedence == "bulk" ||
                         precedence == "list";
    if (to_many) {
      article->source = list_name.empty() ? name : list_name;
      article->source.erase(std::remove(article->source.begin(), article->source.end(), '"'), article->source.end());
    } else if (std::string author = CleanAuthorName(name); !author.empty()) {
      article->authors.push_back(std::move(author));
    }
    std::string archived = HeaderOf(message, "Archived-At");
    archived.erase(std::remove_if(archived.begin(), archived.end(), [](char c) { return c == '<' || c == '>'; }),
                   archived.end());
    article->url = ResolveUrl(archived, "");
    const std::string id = Text(g_mime_message_get_message_id(message));
    if (article->url.empty() && IsUsableId(id)) {
      article->id = id;
    }
  }

  Input input_;
  const SourceOptions options_;
  const absl::Time now_;
  int64_t number_ = 0;
  bool begun_ = false;
  bool mailbox_ = false;
  bool more_ = false;  // A message begins at what is buffered.
  bool done_ = false;
};

}  // namespace

std::unique_ptr<SourceReader> MakeMailReader(Input input, const SourceOptions& options, absl::Time now) {
  return std::make_unique<MailReader>(std::move(input), options, now);
}

}  // namespace dateline::extraction
