#include "extraction/mail_reader.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <iterator>
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
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
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
#include "extraction/pdf_reader.h"
#include "extraction/records.h"
#include "extraction/text_lines.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

constexpr size_t kMaxLineBytes = 1'000'000;  // Of a mailbox: RFC 5322 allows 998, and some programs write more.
constexpr int kMaxPartDepth = 50;            // Of parts within parts and messages within messages.
constexpr int kMaxParts = 1000;              // Of a message with all that lie in it.
constexpr size_t kMaxDividers = 50'000;      // Lines that may divide parts; GMime takes about 2.4 KB for each part.
constexpr size_t kMaxNamed = 5;              // Attachments that a warning names.
constexpr size_t kMaxNameBytes = 80;
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

bool HasText(absl::string_view content) {
  return std::any_of(content.begin(), content.end(),
                     [](char c) { return !absl::ascii_isspace(static_cast<unsigned char>(c)) && c != '\0'; });
}

std::string MediaTypeOf(GMimePart* part) {
  GMimeContentType* const type = g_mime_object_get_content_type(GMIME_OBJECT(part));
  char* const name = type == nullptr ? nullptr : g_mime_content_type_get_mime_type(type);
  std::string media_type = absl::AsciiStrToLower(common::NormalizeLine(Text(name)));
  g_free(name);
  return media_type;
}

std::string NameOf(GMimePart* part) {
  const std::string name = common::NormalizeLine(Text(g_mime_part_get_filename(part)));
  return name.substr(0, common::CodePointFloor(name, kMaxNameBytes));
}

// What becomes of a part.
enum class Use {
  kText,
  kHtml,
  kPdf,
  kUnread,   // It may hold text, and nothing here reads it.
  kNothing,  // A picture, a signature, a date for a calendar: no text to miss.
};

bool EndsIn(absl::string_view name, std::initializer_list<absl::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](absl::string_view ending) { return absl::EndsWithIgnoreCase(name, ending); });
}

Use UseOf(const std::string& media_type, absl::string_view name) {
  if (media_type == "text/html" || media_type == "application/xhtml+xml") {
    return Use::kHtml;
  }
  if (media_type == "application/pdf" || media_type == "application/x-pdf") {
    return Use::kPdf;
  }
  const bool unknown = media_type == "application/octet-stream";
  if (media_type == "text/plain" || unknown) {
    if (EndsIn(name, {".html", ".htm", ".xhtml"})) {
      return Use::kHtml;
    }
    if (EndsIn(name, {".pdf"})) {
      return Use::kPdf;
    }
    // Tables, patches and logs are sent as plain text, too.
    const bool is_text = EndsIn(name, {".txt", ".text", ".md"}) || (!unknown && !absl::StrContains(name, "."));
    return is_text ? Use::kText : Use::kUnread;
  }
  for (const absl::string_view kind : {"image/", "audio/", "video/", "font/"}) {
    if (absl::StartsWith(media_type, kind)) {
      return Use::kNothing;
    }
  }
  for (const absl::string_view kind :
       {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature",
        "application/pgp-keys", "application/pgp-encrypted", "application/ics", "text/calendar", "text/vcard",
        "text/x-vcard", "text/x-amp-html", "text/rfc822-headers", "message/delivery-status",
        "message/disposition-notification"}) {
    if (media_type == kind) {
      return Use::kNothing;
    }
  }
  return Use::kUnread;
}

std::string ObjectHeader(GMimeObject* object, const char* name) {
  return CollapseSpace(Text(g_mime_object_get_header(object, name)));
}

// The HTML of a page that a browser or an editor saved as MHTML, with its pictures and styles as further parts; null if
// `message` is a letter, which may be made alike, and has a receiver or has been on its way. `named`: the file's name
// says that it is such a page.
GMimePart* SavedPage(GMimeMessage* message, bool named) {
  for (const char* name : {"To", "Cc", "Message-ID", "Received", "Return-Path", "Delivered-To"}) {
    if (!HeaderOf(message, name).empty()) {
      return nullptr;
    }
  }
  GMimeObject* root = g_mime_message_get_mime_part(message);
  if (root != nullptr && GMIME_IS_MULTIPART(root)) {
    if (g_mime_content_type_is_type(g_mime_object_get_content_type(root), "multipart", "related") == 0) {
      return nullptr;
    }
    auto* const parts = GMIME_MULTIPART(root);
    const char* const start = g_mime_object_get_content_type_parameter(root, "start");
    std::string id = Text(start);
    id.erase(std::remove_if(id.begin(), id.end(), [](char c) { return c == '<' || c == '>'; }), id.end());
    GMimeObject* const named_root =
        id.empty() ? nullptr : g_mime_multipart_get_subpart_from_content_id(parts, id.c_str());
    root = named_root != nullptr                   ? named_root
           : g_mime_multipart_get_count(parts) > 0 ? g_mime_multipart_get_part(parts, 0)
                                                   : nullptr;
  }
  if (root == nullptr || !GMIME_IS_PART(root) || UseOf(MediaTypeOf(GMIME_PART(root)), "") != Use::kHtml) {
    return nullptr;
  }
  const bool saved = named || absl::StrContains(absl::AsciiStrToLower(HeaderOf(message, "From")), "saved by") ||
                     !HeaderOf(message, "Snapshot-Content-Location").empty() ||
                     !ObjectHeader(root, "Content-Location").empty();
  return saved ? GMIME_PART(root) : nullptr;
}

// A part of the letter's own text.
struct Part {
  std::string content;
  std::string charset;
  bool is_html = false;
  // Parts of the same multipart/alternative say the same if they are not of the same branch of it.
  const GMimeObject* alternatives = nullptr;
  int branch = 0;
};

// An attachment, or a message that is passed on.
struct Enclosure {
  GMimeObject* object = nullptr;  // Of the message that is being read; a message or a part.
  Use use = Use::kNothing;        // Of a part.
  std::string position = {};      // Within the message; empty for itself.
  int depth = 0;
  std::shared_ptr<const Article> letter = {};  // What the header of the message says in which a part lies.
};

// What a message holds.
struct Contents {
  std::vector<Part> texts;
  std::vector<Enclosure> enclosures;
  std::vector<std::string> unread;  // Names of attachments that nothing here reads.
  bool too_deep = false;
  bool too_many = false;
};

// Takes a message apart.
class PartWalker {
 public:
  // `parts` and `forwarded` count through a message and all that lie in it.
  PartWalker(std::string position, int* parts, int* forwarded)
      : position_(std::move(position)), parts_(parts), forwarded_(forwarded) {}

  Contents Walk(GMimeObject* object, int depth) {
    Visit(object, depth, {});
    return std::move(contents_);
  }

 private:
  struct Branch {
    const GMimeObject* alternatives = nullptr;
    int number = 0;
    bool is_whole = false;  // The part is a branch by itself.
  };

  void Visit(GMimeObject* object, int depth, Branch branch) {  // NOLINT(misc-no-recursion): to kMaxPartDepth.
    if (object == nullptr) {
      return;
    }
    if (depth > kMaxPartDepth || *parts_ >= kMaxParts) {
      (depth > kMaxPartDepth ? contents_.too_deep : contents_.too_many) = true;
      return;
    }
    ++*parts_;
    if (GMIME_IS_MULTIPART(object)) {
      GMimeContentType* const type = g_mime_object_get_content_type(object);
      const bool alternative = branch.alternatives == nullptr && type != nullptr &&
                               g_mime_content_type_is_type(type, "multipart", "alternative") != 0;
      auto* const multipart = GMIME_MULTIPART(object);
      const int count = g_mime_multipart_get_count(multipart);
      branch.is_whole = alternative;
      for (int i = 0; i < count && !contents_.too_many; ++i) {
        if (alternative) {
          branch.alternatives = object;
          branch.number = i;
        }
        Visit(g_mime_multipart_get_part(multipart, i), depth + 1, branch);
      }
    } else if (GMIME_IS_MESSAGE_PART(object)) {
      if (GMimeMessage* const message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object))) {
        contents_.enclosures.push_back({.object = GMIME_OBJECT(message),
                                        .position = absl::StrCat("forwarded message ", ++*forwarded_),
                                        .depth = depth + 1});
      }
    } else if (GMIME_IS_PART(object)) {
      TakePart(GMIME_PART(object), depth, branch);
    }
  }

  void TakePart(GMimePart* part, int depth, const Branch& branch) {
    const std::string name = NameOf(part);
    const std::string media_type = MediaTypeOf(part);
    const Use use = UseOf(media_type, name);
    const bool attached = g_mime_part_is_attachment(part) != 0 ||
                          (!name.empty() && !contents_.texts.empty() && branch.alternatives == nullptr);
    if (use == Use::kNothing || (use == Use::kUnread && branch.is_whole)) {
      return;
    }
    if (use == Use::kUnread) {
      contents_.unread.push_back(name.empty() ? media_type : absl::StrCat("\"", name, "\" (", media_type, ")"));
      return;
    }
    if (use == Use::kPdf || attached) {
      ++attachments_;
      contents_.enclosures.push_back({.object = GMIME_OBJECT(part),
                                      .use = use,
                                      .position = absl::StrCat(position_, position_.empty() ? "" : ", ", "attachment ",
                                                               name.empty() ? absl::StrCat(attachments_) : name),
                                      .depth = depth});
      return;
    }
    std::string content = ContentOf(part);
    if (HasText(content)) {
      contents_.texts.push_back(
          {.content = std::move(content),
           .charset = Text(g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset")),
           .is_html = use == Use::kHtml,
           .alternatives = branch.alternatives,
           .branch = branch.number});
    }
  }

  const std::string position_;
  int* const parts_;
  int* const forwarded_;
  int attachments_ = 0;
  Contents contents_;
};

// Lists of mail add a part that says how to leave them, below a line.
bool IsFooterOfList(const Part& part) {
  return !part.is_html && absl::StartsWith(absl::StripLeadingAsciiWhitespace(part.content), "__________");
}

// The parts that make the text, in order. HTML if there is any: its headings and paragraphs are sure, and many letters
// say in plain text only where to read them. `left` counts those of the other kind that stand for themselves.
std::vector<const Part*> ChooseTexts(const std::vector<Part>& parts, size_t* left) {
  const bool html = std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.is_html; });
  std::vector<const Part*> chosen;
  for (const Part& part : parts) {
    if (part.is_html == html && (chosen.empty() || !IsFooterOfList(part))) {
      chosen.push_back(&part);
    }
  }
  *left = 0;
  for (const Part& part : parts) {
    const bool is_said = std::any_of(chosen.begin(), chosen.end(), [&](const Part* other) {
      return part.alternatives != nullptr && part.alternatives == other->alternatives && part.branch != other->branch;
    });
    *left += part.is_html == html || is_said || IsFooterOfList(part) ? 0 : 1;
  }
  return chosen;
}

// What of a message is not read, for people; empty if all of it is.
std::string DescribeUnread(const Contents& contents) {
  std::vector<std::string> sentences;
  if (!contents.unread.empty()) {
    const size_t named = std::min(contents.unread.size(), kMaxNamed);
    std::string names = absl::StrJoin(contents.unread.begin(), contents.unread.begin() + named, ", ");
    if (contents.unread.size() > named) {
      absl::StrAppend(&names, " and ", contents.unread.size() - named, " more");
    }
    sentences.push_back(absl::StrCat("not read: ", names, "; attachments may be text, HTML, PDF and messages"));
  }
  if (contents.too_deep) {
    sentences.push_back(absl::StrCat("parts that lie more than ", kMaxPartDepth, " deep in others are not read"));
  }
  if (contents.too_many) {
    sentences.push_back(absl::StrCat("parts after the first ", kMaxParts, " are not read"));
  }
  return absl::StrJoin(sentences, "; ");
}

// GMime takes memory for each part, and compares each line that may divide parts with the dividers of all parts around
// it: without this, letters made for it would take a gigabyte, or a minute.
absl::Status CheckDividers(absl::string_view text) {
  bool divided = false;
  for (size_t at = text.find_first_of("bB"); !divided && at != absl::string_view::npos;
       at = text.find_first_of("bB", at + 1)) {
    divided = absl::StartsWithIgnoreCase(text.substr(at), "boundary");
  }
  size_t dividers = 0;
  for (size_t at = divided ? text.find("\n--") : absl::string_view::npos; at != absl::string_view::npos;
       at = text.find("\n--", at + 1)) {
    ++dividers;
  }
  return dividers <= kMaxDividers
             ? absl::OkStatus()
             : common::WithReason(
                   absl::InvalidArgumentError(absl::StrCat("is made of too many parts: ", dividers,
                                                           " lines may begin one, and ", kMaxDividers, " are taken")),
                   kMalformedMessage);
}

// Plain text without the signature, which two dashes and a blank introduce (RFC 3676), often without the blank; and
// without the footer that list managers add below a line.
std::string WithoutSignature(const std::string& text) {
  constexpr size_t kMaxFooter = 1500;
  size_t end = text.size();
  for (const absl::string_view line : {"\n-- \n", "\n-- \r\n", "\n--\n", "\n--\r\n", "\n____________________"}) {
    const size_t at = absl::string_view(text).rfind(line);
    const bool standard = absl::StrContains(line, "-- ");
    if (at == std::string::npos || (!standard && text.size() - at > kMaxFooter)) {
      continue;
    }
    const std::string footer = common::FoldForMatch(absl::string_view(text).substr(at));
    const bool drawn = absl::StrContains(line, "__");
    if (!drawn || absl::StrContains(footer, "mailing list") || absl::StrContains(footer, "unsubscribe")) {
      end = std::min(end, at + 1);
    }
  }
  return text.substr(0, end);
}

// True of "On Tuesday, Jane Roe wrote:" and its like: what introduces a quotation.
bool IntroducesQuotation(absl::string_view line) {
  constexpr size_t kMaxBytes = 200;
  const std::string folded = common::FoldForMatch(line.substr(0, common::CodePointFloor(line, kMaxBytes)));
  for (const absl::string_view end : {"wrote:", "writes:", "schrieb:", "a ecrit :", "a ecrit:", "escribio:",
                                      "ha scritto:", "escreveu:", "schreef:", "пишет:", "написал:", "написал(а):"}) {
    if (absl::EndsWith(absl::StripAsciiWhitespace(folded), end)) {
      return true;
    }
  }
  return false;
}

// A reply without the letter that it quotes below itself. What is quoted between its own words stays.
std::string WithoutQuotedLetter(const std::string& text) {
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  const auto drop_blank = [&lines] {
    while (!lines.empty() && absl::StripAsciiWhitespace(lines.back()).empty()) {
      lines.pop_back();
    }
  };
  bool quoted = false;
  drop_blank();
  while (!lines.empty() && absl::StartsWith(lines.back(), ">")) {
    quoted = true;
    lines.pop_back();
    drop_blank();
  }
  if (!quoted || lines.empty()) {
    return text;
  }
  if (IntroducesQuotation(lines.back())) {
    // Long ones are set on two lines.
    const bool begun = absl::StartsWith(lines.back(), "On ") || lines.size() < 2;
    lines.pop_back();
    if (!begun && absl::StartsWith(lines.back(), "On ")) {
      lines.pop_back();
    }
  }
  std::string own = absl::StrJoin(lines, "\n");
  return absl::StripAsciiWhitespace(own).empty() ? text : own;
}

// A sender's name without the house in brackets after it: "Roe, Jane (Institute)".
absl::string_view WithoutNote(absl::string_view name) {
  const size_t bracket = name.rfind(" (");
  return absl::EndsWith(name, ")") && bracket != absl::string_view::npos ? name.substr(0, bracket) : name;
}

class MailReader final : public SourceReader {
 public:
  MailReader(Input input, const SourceOptions& options, absl::Time now)
      : SourceReader(Format::kMail), input_(std::move(input)), options_(options), now_(now) {
    static std::once_flag once;
    std::call_once(once, [] { g_mime_init(); });
  }

  std::optional<SourceItem> Next() override {
    while (true) {
      while (!enclosures_.empty()) {
        const Enclosure enclosure = std::move(enclosures_.front());
        enclosures_.pop_front();
        if (std::optional<SourceItem> item = Read(enclosure)) {
          return item;
        }
      }
      message_.reset();
      if (done_) {
        return std::nullopt;
      }
      absl::StatusOr<std::optional<std::string>> text = NextMessage();
      if (text.ok() && !text->has_value()) {
        done_ = true;
        return std::nullopt;
      }
      ++number_;
      done_ = !text.ok();
      absl::Status status = text.ok() ? Parse(**text) : text.status();
      if (!status.ok()) {
        SourceItem item = ItemAt("message", number_, std::move(status));
        item.cuts_off = !text.ok();
        return item;
      }
      const bool named =
          absl::EndsWithIgnoreCase(options_.path, ".mht") || absl::EndsWithIgnoreCase(options_.path, ".mhtml");
      if (GMimePart* const page = mailbox_ ? nullptr : SavedPage(message_.get(), named)) {
        return ReadPage(page);
      }
    }
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
      if (after_blank ? IsMailboxLine(*line) : IsWholeMailboxLine(*line)) {
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

  // Makes `text` the message that is being read.
  absl::Status Parse(const std::string& text) {
    if (text.size() > options_.max_item_bytes) {
      return common::WithReason(
          absl::InvalidArgumentError(absl::StrCat("is longer than ", options_.max_item_bytes, " bytes")),
          kDocumentTooLarge);
    }
    RETURN_IF_ERROR(CheckDividers(text));
    const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(text.data(), text.size()));
    const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    g_mime_parser_set_persist_stream(parser.get(), 0);
    message_.reset(g_mime_parser_construct_message(parser.get(), nullptr));
    if (message_ == nullptr) {
      return common::WithReason(absl::InvalidArgumentError("is no message: it has no header"), kMalformedMessage);
    }
    parts_ = 0;
    forwarded_ = 0;
    enclosures_.push_back({.object = GMIME_OBJECT(message_.get())});
    return absl::OkStatus();
  }

  SourceItem ReadPage(GMimePart* page) {
    enclosures_.clear();
    Document document;
    document.content = ContentOf(page);
    document.media_type = "text/html";
    document.charset = Text(g_mime_object_get_content_type_parameter(GMIME_OBJECT(page), "charset"));
    for (const std::string& address : {HeaderOf(message_.get(), "Snapshot-Content-Location"),
                                       ObjectHeader(GMIME_OBJECT(page), "Content-Location"), options_.url}) {
      document.url = document.url.empty() ? ResolveUrl(address, "") : document.url;
    }
    document.fetch_time = options_.fetch_time;
    if (GDateTime* const saved = g_mime_message_get_date(message_.get()); saved != nullptr && !document.fetch_time) {
      document.fetch_time = absl::FromUnixSeconds(g_date_time_to_unix(saved));
    }
    SourceItem item = ItemAt("message", number_, Extract(document, options_.extract));
    item.position = "page";
    item.format = Format::kHtml;
    return item;
  }

  // Nothing for a message that is nothing but what it encloses, and for an attachment that is blank.
  std::optional<SourceItem> Read(const Enclosure& enclosure) {
    const bool is_message = GMIME_IS_MESSAGE(enclosure.object);
    std::optional<absl::StatusOr<Extraction>> extraction =
        is_message ? ReadMessage(GMIME_MESSAGE(enclosure.object), enclosure) : ReadAttachment(enclosure);
    if (!extraction) {
      return std::nullopt;
    }
    SourceItem item = ItemAt("message", number_, *std::move(extraction));
    if (!enclosure.position.empty()) {
      absl::StrAppend(&item.position, ", ", enclosure.position);
    }
    return item;
  }

  std::optional<absl::StatusOr<Extraction>> ReadMessage(GMimeMessage* message, const Enclosure& enclosure) {
    Contents contents = PartWalker(enclosure.position, &parts_, &forwarded_)
                            .Walk(g_mime_message_get_mime_part(message), enclosure.depth);
    auto header = std::make_shared<Article>();
    ReadHeader(message, header.get());
    for (Enclosure& inner : contents.enclosures) {
      inner.letter = header;
    }
    // Before those of the message around it: they are read in the order in which they stand.
    enclosures_.insert(enclosures_.begin(), std::make_move_iterator(contents.enclosures.begin()),
                       std::make_move_iterator(contents.enclosures.end()));
    const std::string unread = DescribeUnread(contents);
    if (contents.texts.empty()) {
      if (unread.empty() && !contents.enclosures.empty()) {
        return std::nullopt;
      }
      return common::WithReason(
          absl::InvalidArgumentError(absl::StrCat("holds no text", unread.empty() ? "" : "; ", unread)), kNotAnArticle);
    }
    size_t left = 0;
    Extraction extraction;
    extraction.article = *header;
    for (const Part* const part : ChooseTexts(contents.texts, &left)) {
      Append(ReadPart(*part), &extraction);
    }
    if (extraction.article.title.empty() && extraction.article.body.empty()) {
      return common::WithReason(absl::InvalidArgumentError("has neither subject nor text"), kNotAnArticle);
    }
    if (left > 0) {
      extraction.warnings.push_back(absl::StrCat("body: what the letter says in HTML; ", left,
                                                 left == 1 ? " part" : " parts", " in plain text beside it ",
                                                 left == 1 ? "is" : "are", " not read"));
    }
    if (!unread.empty()) {
      extraction.warnings.push_back(absl::StrCat("attachments: ", unread));
    }
    FinishArticle("", now_, &extraction.article, &extraction.warnings);
    return extraction;
  }

  // What a letter says goes for what is attached to it where that says nothing itself.
  std::optional<absl::StatusOr<Extraction>> ReadAttachment(const Enclosure& enclosure) const {
    Document document;
    document.content = ContentOf(GMIME_PART(enclosure.object));
    if (!HasText(document.content)) {
      return std::nullopt;
    }
    document.media_type = enclosure.use == Use::kHtml ? "text/html" : "text/plain";
    document.charset = Text(g_mime_object_get_content_type_parameter(enclosure.object, "charset"));
    document.fetch_time = options_.fetch_time;
    absl::StatusOr<Extraction> extraction =
        enclosure.use == Use::kPdf ? ExtractPdf(document.content, "", now_) : Extract(document, options_.extract);
    if (!extraction.ok()) {
      return extraction;
    }
    Article& article = extraction->article;
    if (article.title.empty()) {
      article.title = enclosure.letter->title;
    }
    if (article.source.empty()) {
      article.source = enclosure.letter->source;
    }
    if (!article.publish_time) {
      article.publish_time = enclosure.letter->publish_time;
      article.publish_time_precision = enclosure.letter->publish_time_precision;
    }
    FinishArticle("", now_, &article, &extraction->warnings);
    return extraction;
  }

  // Adds the text of a further part.
  static void Append(Extraction part, Extraction* extraction) {
    Article& article = extraction->article;
    if (!article.body.empty() && !part.article.body.empty()) {
      article.body += "\n\n";
    }
    const auto start = static_cast<int32_t>(article.body.size());
    for (Heading& heading : part.article.headings) {
      article.headings.push_back({.start = start + heading.start, .end = start + heading.end, .level = heading.level});
    }
    article.body += part.article.body;
    if (article.language_code.empty()) {
      article.language_code = std::move(part.article.language_code);
    }
    std::move(part.warnings.begin(), part.warnings.end(), std::back_inserter(extraction->warnings));
    std::move(part.blocks.begin(), part.blocks.end(), std::back_inserter(extraction->blocks));
  }

  // The text; what the extractor makes of it if it finds an article, and all of it if not.
  Extraction ReadPart(const Part& part) const {
    Extraction extraction;
    const DecodedText decoded = DecodeText(part.content, part.charset);
    extraction.warnings = decoded.warnings;
    if (!part.is_html) {
      extraction.article.body =
          common::NormalizeText(Unwrap(common::NormalizeText(WithoutQuotedLetter(WithoutSignature(decoded.text)))));
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
    } else if (std::string author = CleanAuthorName(Uninverted(WithoutNote(name))); !author.empty()) {
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
  Owned<GMimeMessage> message_;       // The one that is being read.
  std::deque<Enclosure> enclosures_;  // What of it is still to be read; at first the message itself.
  int parts_ = 0;
  int forwarded_ = 0;
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
