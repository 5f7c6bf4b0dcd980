#include "extraction/extraction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "common/error.h"
#include "common/status_macros.h"
#include "common/text.h"
#include "common/url.h"
#include "extraction/article_builder.h"
#include "extraction/charset.h"
#include "extraction/dates.h"
#include "extraction/html_body.h"
#include "extraction/html_document.h"
#include "extraction/html_metadata.h"
#include "extraction/page_text.h"
#include "extraction/source_reader.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

absl::Status Reject(absl::string_view reason, absl::string_view message) {
  return common::WithReason(common::InvalidField("content", message), reason);
}

// The media type without its parameters, lower case.
std::string BareMediaType(absl::string_view media_type) {
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(media_type.substr(0, media_type.find(';'))));
}

std::string CharsetOf(const Document& document) {
  if (!document.charset.empty()) {
    return document.charset;
  }
  const std::string lower = absl::AsciiStrToLower(document.media_type);
  const size_t at = lower.find("charset=");
  if (at == std::string::npos) {
    return "";
  }
  absl::string_view value = absl::string_view(document.media_type).substr(at + 8);
  value = value.substr(0, value.find(';'));
  return std::string(absl::StripAsciiWhitespace(value));
}

enum class Kind { kHtml, kText, kUnsupported, kUnknown };

Kind KindOfMediaType(absl::string_view media_type) {
  if (media_type.empty() || media_type == "application/octet-stream" || media_type == "text/*" || media_type == "*/*") {
    return Kind::kUnknown;
  }
  if (media_type == "text/html" || media_type == "application/xhtml+xml" || media_type == "application/xml" ||
      media_type == "text/xml") {
    return Kind::kHtml;
  }
  if (media_type == "text/plain" || media_type == "text/markdown") {
    return Kind::kText;
  }
  return Kind::kUnsupported;
}

void MergeBody(HtmlBody* body, Article* article) {
  if (article->authors.empty()) {
    article->authors = std::move(body->authors);
  }
  if (!article->publish_time && body->date) {
    article->publish_time = body->date->time;
    article->publish_time_precision = body->date->precision;
  }
  if (article->summary.empty()) {
    article->summary = std::move(body->standfirst);
  }
  for (const SourceLabel& label : body->labels) {
    AddLabel(label.kind, label.name, article);
  }
}

// <title> as a last resort: most sites put their name after the last bar or dash.
std::string TitleOfPage(absl::string_view title, absl::string_view site) {
  std::string stripped = StripSiteName(title, site);
  if (stripped != title) {
    return stripped;
  }
  for (const absl::string_view separator : {" | ", " │ ", " » ", " - ", " – ", " — "}) {
    const size_t at = title.rfind(separator);
    if (at != absl::string_view::npos && CountWords(title.substr(0, at)) >= 2 &&
        CountWords(title.substr(at + separator.size())) <= 4) {
      return std::string(title.substr(0, at));
    }
  }
  return stripped;
}

std::string ChooseTitle(const HtmlBody& body, const HtmlMetadata& metadata) {
  if (!body.title.empty()) {
    return StripSiteName(body.title, metadata.article.source);
  }
  // A stated title that is the page's own has the site's name in it, too.
  if (!metadata.titles.empty() && metadata.titles.front() != metadata.page_title) {
    return StripSiteName(metadata.titles.front(), metadata.article.source);
  }
  return TitleOfPage(metadata.page_title, metadata.article.source);
}

// Text that is too little, or nothing but links, is no article.
constexpr double kMinText = 140.0;
constexpr double kMinTextIfStated = 40.0;
constexpr double kMinTextOfLinkPage = 600.0;
constexpr double kLinkPage = 0.75;

absl::StatusOr<Extraction> ExtractHtml(absl::string_view html, const Document& document, const Options& options,
                                       absl::Time now) {
  absl::StatusOr<HtmlDocument> parsed = HtmlDocument::Parse(html);
  if (!parsed.ok()) {
    return Reject(kDocumentTooLarge, parsed.status().message());
  }
  HtmlMetadata metadata = ReadHtmlMetadata(*parsed, document.url, now);
  HtmlBody body = ExtractHtmlBody(*parsed, metadata, options.explain);
  const double least = metadata.states_article       ? kMinTextIfStated
                       : body.link_share > kLinkPage ? kMinTextOfLinkPage
                                                     : kMinText;
  if (body.parts.empty() || body.text_score < least) {
    return Reject(kNotAnArticle,
                  "no article found in the page; send the page of one article, not a list or a front page");
  }
  Extraction extraction;
  extraction.warnings = parsed->warnings();
  extraction.warnings.insert(extraction.warnings.end(), metadata.warnings.begin(), metadata.warnings.end());
  std::string title = ChooseTitle(body, metadata);
  extraction.article = std::move(metadata.article);
  extraction.article.title = std::move(title);
  MergeBody(&body, &extraction.article);
  SetBody(body.parts, &extraction.article, &extraction.warnings);
  extraction.blocks = std::move(body.blocks);
  return extraction;
}

absl::StatusOr<Extraction> ExtractText(absl::string_view text, const Options& options) {
  HtmlBody body = ExtractPageText(text, options.explain);
  if (body.parts.empty()) {
    return Reject(kNotAnArticle, "no article found in the text; it holds no paragraphs");
  }
  Extraction extraction;
  extraction.article.title = body.title;
  MergeBody(&body, &extraction.article);
  SetBody(body.parts, &extraction.article, &extraction.warnings);
  extraction.blocks = std::move(body.blocks);
  return extraction;
}

bool IsBlank(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\0' || absl::ascii_isspace(static_cast<unsigned char>(c)); });
}

}  // namespace

absl::StatusOr<Extraction> Extract(const Document& document, const Options& options) {
  const absl::string_view content = document.content;
  if (content.size() > kMaxDocumentBytes) {
    return Reject(kDocumentTooLarge,
                  absl::StrCat("has ", content.size(), " bytes; at most ", kMaxDocumentBytes, " are taken"));
  }
  if (IsBlank(content)) {
    return Reject(kEmptyDocument, "is empty; send the page itself");
  }
  Kind kind = KindOfMediaType(BareMediaType(document.media_type));
  if (kind == Kind::kUnsupported || IsBinary(content)) {
    return Reject(
        kUnsupportedMediaType,
        absl::StrCat("holds no text", document.media_type.empty() ? "" : " (", document.media_type.substr(0, 80),
                     document.media_type.empty() ? "" : ")", "; send HTML or plain text in UTF-8 or another charset"));
  }
  DecodedText decoded = DecodeText(content, CharsetOf(document));
  if (IsBlank(decoded.text)) {
    return Reject(kEmptyDocument, "is empty; send the page itself");
  }
  const Format format = DetectFormat("", decoded.text);
  if (kind == Kind::kUnknown || (kind == Kind::kText && format == Format::kHtml)) {
    kind = format == Format::kHtml ? Kind::kHtml : Kind::kText;
  }
  if (format == Format::kFeed) {
    return Reject(kNotAnArticle, "is a feed of several articles; send its articles one by one");
  }
  absl::Time now = options.now == absl::InfiniteFuture() ? absl::Now() : options.now;
  if (document.fetch_time) {
    now = std::min(now, *document.fetch_time);
  }
  ASSIGN_OR_RETURN(Extraction extraction, kind == Kind::kHtml ? ExtractHtml(decoded.text, document, options, now)
                                                              : ExtractText(decoded.text, options));
  extraction.warnings.insert(extraction.warnings.begin(), decoded.warnings.begin(), decoded.warnings.end());
  FinishArticle(document.url, now, &extraction.article, &extraction.warnings);
  return extraction;
}

}  // namespace dateline::extraction
