#include "extraction/html_fragment.h"

#include <gumbo.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "extraction/article_builder.h"
#include "extraction/html_body.h"
#include "extraction/html_document.h"
#include "extraction/html_metadata.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

int HeadingLevel(GumboTag tag) {
  return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6 ? static_cast<int>(tag) - static_cast<int>(GUMBO_TAG_H1) + 1 : 0;
}

// Every paragraph, whatever it is.
std::vector<BodyPart> AllParagraphs(const HtmlDocument& document) {
  std::vector<BodyPart> parts;
  BodyPart open;
  const auto close = [&parts, &open] {
    if (std::string clean = CollapseSpace(open.text); !clean.empty()) {
      parts.push_back({.text = std::move(clean), .heading_level = open.heading_level});
    }
    open = BodyPart();
  };
  std::vector<int32_t> ends;  // Of the block elements that are open.
  for (int32_t i = 0; i < document.size(); ++i) {
    while (!ends.empty() && ends.back() <= i) {
      ends.pop_back();
      close();
    }
    const HtmlNode& node = document.node(i);
    if (node.is_text) {
      absl::StrAppend(&open.text, node.text);
    } else if (node.tag == GUMBO_TAG_BR) {
      open.text.push_back(' ');
    } else if (IsBlockTag(node.tag)) {
      close();
      open.heading_level = HeadingLevel(node.tag);
      ends.push_back(node.end);
    }
  }
  close();
  if (!parts.empty() && ClassifyLine(parts.back().text) == LineKind::kFeedNote) {
    parts.pop_back();
  }
  return parts;
}

}  // namespace

void SetBodyFromFragment(absl::string_view html, Article* article, std::vector<std::string>* warnings) {
  const absl::StatusOr<HtmlDocument> document = HtmlDocument::Parse(html);
  if (!document.ok()) {
    warnings->push_back(absl::StrCat("body: ", document.status().message()));
    return;
  }
  HtmlBody body = ExtractHtmlBody(*document, HtmlMetadata(), false);
  size_t kept = 0;
  for (const BodyPart& part : body.parts) {
    kept += part.text.size();
  }
  const size_t size = document->size() > 0 ? document->Text(0).size() : 0;
  std::vector<BodyPart> all = AllParagraphs(*document);
  if (kept * 2 < size || kept == 0) {
    SetBody(all, article, warnings);
    return;
  }
  // A heading before the first paragraph would be the title of a page; here it is one of the text, unless it says the
  // title again.
  if (all.size() > 1 && all[0].heading_level > 0 && all[1].text == body.parts.front().text &&
      MatchKey(all[0].text) != MatchKey(article->title)) {
    body.parts.insert(body.parts.begin(), std::move(all[0]));
  }
  SetBody(body.parts, article, warnings);
}

}  // namespace dateline::extraction
