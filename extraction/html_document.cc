#include "extraction/html_document.h"

#include <gumbo.h>

#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

#include "extraction/html_scrub.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {

namespace {

// The memory that gumbo takes for one page, freed in one go: its own clean-up recurses over the tree. What gumbo frees
// while it parses (buffers that grew, tokens) is used again. Beyond the limit it leaves the parse by longjmp, which is
// safe: gumbo is C, and all that it allocated lies in the arena.
class Arena {
 public:
  explicit Arena(size_t limit) : limit_(limit) {}
  ~Arena() {
    for (void* chunk : chunks_) {
      std::free(chunk);
    }
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* Allocate(size_t size) {
    const size_t units = std::max<size_t>(1, (size + kUnit - 1) / kUnit);
    if (units < free_.size() && free_[units] != nullptr) {
      Header* const reused = free_[units];
      free_[units] = reused->next;
      reused->units = units;
      return reused + 1;
    }
    const size_t needed = sizeof(Header) + units * kUnit;
    if (needed > left_) {
      const size_t chunk_size = std::max(needed, kChunkBytes);
      void* const chunk = total_ + chunk_size <= limit_ ? std::malloc(chunk_size) : nullptr;
      if (chunk == nullptr) {
        return nullptr;
      }
      total_ += chunk_size;
      chunks_.push_back(chunk);
      if (needed == chunk_size) {
        auto* const header = static_cast<Header*>(chunk);
        header->units = units;
        return header + 1;  // One of its own; the current chunk goes on.
      }
      next_ = static_cast<char*>(chunk);
      left_ = chunk_size;
    }
    auto* const header = reinterpret_cast<Header*>(next_);
    header->units = units;
    next_ += needed;
    left_ -= needed;
    return header + 1;
  }

  void Free(void* block) {
    if (block == nullptr) {
      return;
    }
    Header* const header = static_cast<Header*>(block) - 1;
    const size_t units = header->units;
    if (units < free_.size()) {
      header->next = free_[units];
      free_[units] = header;
    }
  }

  std::jmp_buf* escape() { return &escape_; }

 private:
  // Before each block: how large it is; once it is free, the next free one of that size.
  union Header {
    size_t units;
    Header* next;
  };
  static constexpr size_t kUnit = 8;  // All that gumbo allocates is aligned so.
  static constexpr size_t kChunkBytes = size_t{1} << 16;
  static constexpr size_t kReusedUnits = 4096;  // Larger blocks are few.

  size_t limit_;
  size_t total_ = 0;
  char* next_ = nullptr;
  size_t left_ = 0;
  std::vector<void*> chunks_;
  std::vector<Header*> free_ = std::vector<Header*>(kReusedUnits, nullptr);  // By units.
  std::jmp_buf escape_{};

 public:
  static void* AllocateForGumbo(void* arena, size_t size) {
    auto* const self = static_cast<Arena*>(arena);
    void* const result = self->Allocate(size);
    if (result == nullptr) {
      std::longjmp(*self->escape(), 1);  // NOLINT(modernize-avoid-setjmp-longjmp,cert-err52-cpp): see above.
    }
    return result;
  }
  static void FreeForGumbo(void* arena, void* block) { static_cast<Arena*>(arena)->Free(block); }
};

constexpr size_t kMinArenaBytes = 32'000'000;
constexpr size_t kArenaBytesPerByte = 24;
constexpr size_t kMaxArenaBytes = 400'000'000;

// Nothing in this function has a destructor: longjmp may leave it.
const GumboOutput* ParseGuarded(const GumboOptions* options, const char* data, size_t size, std::jmp_buf* escape) {
  if (setjmp(*escape) != 0) {  // NOLINT(modernize-avoid-setjmp-longjmp,cert-err52-cpp)
    return nullptr;
  }
  return gumbo_parse_with_options(options, data, size);
}

bool IsElement(const GumboNode* node) { return node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE; }

bool IsText(const GumboNode* node) {
  return node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_CDATA || node->type == GUMBO_NODE_WHITESPACE;
}

const GumboVector* ChildrenOf(const GumboNode* node) {
  if (IsElement(node)) {
    return &node->v.element.children;
  }
  return node->type == GUMBO_NODE_DOCUMENT ? &node->v.document.children : nullptr;
}

}  // namespace

absl::StatusOr<HtmlDocument> HtmlDocument::Parse(absl::string_view html) {
  ScrubbedHtml scrubbed = ScrubHtml(html);
  HtmlDocument document;
  document.language_ = std::move(scrubbed.language);
  constexpr size_t kMaxBareBytes = 1500;
  document.has_script_ = scrubbed.has_script;
  document.bare_ = html.size() <= kMaxBareBytes && !scrubbed.has_script;
  document.direction_ = std::move(scrubbed.direction);
  document.json_ld_ = std::move(scrubbed.json_ld);
  document.warnings_ = std::move(scrubbed.warnings);
  Arena arena(std::min(kMaxArenaBytes, std::max(kMinArenaBytes, scrubbed.html.size() * kArenaBytesPerByte)));
  GumboOptions options = kGumboDefaultOptions;
  options.allocator = &Arena::AllocateForGumbo;
  options.deallocator = &Arena::FreeForGumbo;
  options.userdata = &arena;
  options.max_errors = 0;
  const GumboOutput* const output = ParseGuarded(&options, scrubbed.html.data(), scrubbed.html.size(), arena.escape());
  if (output == nullptr) {
    return absl::ResourceExhaustedError("the page's markup needs too much memory");
  }
  scrubbed.html = std::string();  // What gumbo made of it is its own.
  document.Flatten(output->root);
  return document;
}

void HtmlDocument::Flatten(const GumboNode* root) {
  Reserve(root);
  struct Frame {
    const GumboNode* node;
    int32_t index;
    unsigned next_child;
  };
  std::vector<Frame> stack;
  const auto add = [this, &stack](const GumboNode* node) {
    HtmlNode flat;
    flat.parent = stack.empty() ? kNoNode : stack.back().index;
    if (IsElement(node)) {
      flat.tag = node->v.element.tag;
      flat.first_attribute = static_cast<int32_t>(attributes_.size());
      const GumboVector& attributes = node->v.element.attributes;
      for (unsigned i = 0; i < attributes.length; ++i) {
        const auto* const attribute = static_cast<const GumboAttribute*>(attributes.data[i]);
        if (std::strcmp(attribute->name, "data-b") == 0) {
          flat.bold = true;
          continue;
        }
        flat.link = flat.link || std::strcmp(attribute->name, "data-a") == 0;
        attributes_.push_back({Keep(attribute->name), Keep(attribute->value)});
      }
      flat.attribute_count = static_cast<int32_t>(attributes_.size()) - flat.first_attribute;
    } else if (IsText(node)) {
      flat.is_text = true;
      flat.text = Keep(node->v.text.text);
    } else {
      return;
    }
    nodes_.push_back(flat);
    stack.push_back({node, static_cast<int32_t>(nodes_.size()) - 1, 0});
  };
  add(root);
  while (!stack.empty()) {
    Frame& frame = stack.back();
    const GumboVector* const children = ChildrenOf(frame.node);
    if (children == nullptr || frame.next_child >= children->length) {
      nodes_[static_cast<size_t>(frame.index)].end = static_cast<int32_t>(nodes_.size());
      stack.pop_back();
      continue;
    }
    add(static_cast<const GumboNode*>(children->data[frame.next_child++]));
  }
}

// Makes room for all that Flatten() will add: strings must not move.
void HtmlDocument::Reserve(const GumboNode* root) {
  size_t nodes = 0;
  size_t attributes = 0;
  size_t bytes = 0;
  std::vector<const GumboNode*> stack = {root};
  while (!stack.empty()) {
    const GumboNode* const node = stack.back();
    stack.pop_back();
    ++nodes;
    if (IsText(node)) {
      bytes += std::strlen(node->v.text.text);
    } else if (IsElement(node)) {
      const GumboVector& of_node = node->v.element.attributes;
      attributes += of_node.length;
      for (unsigned i = 0; i < of_node.length; ++i) {
        const auto* const attribute = static_cast<const GumboAttribute*>(of_node.data[i]);
        bytes += std::strlen(attribute->name) + std::strlen(attribute->value);
      }
    }
    if (const GumboVector* const children = ChildrenOf(node)) {
      for (unsigned i = 0; i < children->length; ++i) {
        stack.push_back(static_cast<const GumboNode*>(children->data[i]));
      }
    }
  }
  nodes_.reserve(nodes);
  attributes_.reserve(attributes);
  strings_.reserve(bytes);
}

absl::string_view HtmlDocument::Keep(const char* text) {
  const size_t size = std::strlen(text);
  const size_t start = strings_.size();
  strings_.insert(strings_.end(), text, text + size);
  return {strings_.data() + start, size};
}

const HtmlAttribute* HtmlDocument::Find(int32_t node_index, absl::string_view name) const {
  const HtmlNode& n = node(node_index);
  const auto* const begin = attributes_.data() + n.first_attribute;
  const auto* const end = begin + n.attribute_count;
  const auto* const found = std::find_if(begin, end, [name](const HtmlAttribute& a) { return a.name == name; });
  return found == end ? nullptr : found;
}

absl::string_view HtmlDocument::Attribute(int32_t node_index, absl::string_view name) const {
  const HtmlAttribute* const attribute = Find(node_index, name);
  return attribute == nullptr ? absl::string_view() : attribute->value;
}

bool HtmlDocument::HasAttribute(int32_t node_index, absl::string_view name) const {
  return Find(node_index, name) != nullptr;
}

std::string HtmlDocument::Text(int32_t node_index) const {
  std::string text;
  const int32_t end = node(node_index).end;
  for (int32_t i = node_index; i < end; ++i) {
    const HtmlNode& n = node(i);
    if (n.is_text) {
      text.append(n.text.data(), n.text.size());
    } else if (IsBlockTag(n.tag) || n.tag == GUMBO_TAG_BR) {
      text.push_back(' ');
    }
  }
  return CollapseSpace(text);
}

std::string HtmlToText(absl::string_view html) {
  if (!absl::StrContains(html, "<") && !absl::StrContains(html, "&")) {
    return CollapseSpace(html);
  }
  const absl::StatusOr<HtmlDocument> document = HtmlDocument::Parse(html);
  return document.ok() && document->size() > 0 ? document->Text(0) : std::string();
}

bool IsBlockTag(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_ADDRESS:
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_ASIDE:
    case GUMBO_TAG_BLOCKQUOTE:
    case GUMBO_TAG_BODY:
    case GUMBO_TAG_CAPTION:
    case GUMBO_TAG_DD:
    case GUMBO_TAG_DETAILS:
    case GUMBO_TAG_DIR:
    case GUMBO_TAG_DIV:
    case GUMBO_TAG_DL:
    case GUMBO_TAG_DT:
    case GUMBO_TAG_FIELDSET:
    case GUMBO_TAG_FIGCAPTION:
    case GUMBO_TAG_FIGURE:
    case GUMBO_TAG_FOOTER:
    case GUMBO_TAG_FORM:
    case GUMBO_TAG_H1:
    case GUMBO_TAG_H2:
    case GUMBO_TAG_H3:
    case GUMBO_TAG_H4:
    case GUMBO_TAG_H5:
    case GUMBO_TAG_H6:
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_HGROUP:
    case GUMBO_TAG_HR:
    case GUMBO_TAG_HTML:
    case GUMBO_TAG_LI:
    case GUMBO_TAG_MAIN:
    case GUMBO_TAG_MENU:
    case GUMBO_TAG_NAV:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_P:
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_SECTION:
    case GUMBO_TAG_SUMMARY:
    case GUMBO_TAG_TABLE:
    case GUMBO_TAG_TBODY:
    case GUMBO_TAG_TD:
    case GUMBO_TAG_TFOOT:
    case GUMBO_TAG_TH:
    case GUMBO_TAG_THEAD:
    case GUMBO_TAG_TITLE:
    case GUMBO_TAG_TR:
    case GUMBO_TAG_UL:
      return true;
    default:
      return false;
  }
}

}  // namespace dateline::extraction
