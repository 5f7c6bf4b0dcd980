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
    TakeBackTail();
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
    if (size == sizeof(GumboNode)) {
      last_node_ = header + 1;
      std::memset(last_node_, 0, sizeof(int));  // A document, until gumbo says what it is.
    }
    return header + 1;
  }

  void Free(void* block) {
    if (block == nullptr) {
      return;
    }
    if (block == last_node_) last_node_ = nullptr;
    Header* const header = static_cast<Header*>(block) - 1;
    const size_t units = header->units;
    if (units < free_.size()) {
      header->next = free_[units];
      free_[units] = header;
    }
  }

  std::jmp_buf* escape() { return &escape_; }

 private:
  // Gumbo takes as much for a text as for an element, which is twice what a text has fields for, and says at once which
  // of them it is. Texts are most of the nodes of a large page. What else it takes of just that size can't be mistaken
  // for one by its first four bytes, which would have to be a small number: characters of a string, of which none is
  // NUL, or half of a pointer, which is a multiple of eight.
  void TakeBackTail() {
    static_assert(offsetof(GumboNode, type) == 0 && sizeof(GumboNodeType) == sizeof(int));
    int type = GUMBO_NODE_DOCUMENT;
    if (last_node_ != nullptr) std::memcpy(&type, last_node_, sizeof(type));
    if (type == GUMBO_NODE_TEXT || type == GUMBO_NODE_CDATA || type == GUMBO_NODE_WHITESPACE) {
      constexpr size_t kTail = (sizeof(GumboNode) - offsetof(GumboNode, v) - sizeof(GumboText)) / kUnit * kUnit;
      next_ -= kTail;
      left_ += kTail;
      (static_cast<Header*>(last_node_) - 1)->units -= kTail / kUnit;
    }
    last_node_ = nullptr;
  }

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
  // What was handed out last, if it is of the size of a node and of the current chunk.
  void* last_node_ = nullptr;
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

// Assigning an empty string would keep the memory.
void Free(std::string* text) { std::string().swap(*text); }

// How many nodes lie below and at `root`, and how many bytes of text.
std::pair<size_t, size_t> CountNodes(const GumboNode* root) {
  size_t nodes = 0;
  size_t bytes = 0;
  std::vector<const GumboNode*> stack = {root};
  while (!stack.empty()) {
    const GumboNode* const node = stack.back();
    stack.pop_back();
    ++nodes;
    if (IsText(node)) {
      bytes += std::strlen(node->v.text.text);
    } else if (const GumboVector* const children = ChildrenOf(node)) {
      for (unsigned i = 0; i < children->length; ++i) {
        stack.push_back(static_cast<const GumboNode*>(children->data[i]));
      }
    }
  }
  return {nodes, bytes};
}

}  // namespace

absl::StatusOr<HtmlDocument> HtmlDocument::Parse(absl::string_view html) { return Parse(ScrubHtml(html), html.size()); }

absl::StatusOr<HtmlDocument> HtmlDocument::ParseAndFree(std::string html) {
  ScrubbedHtml scrubbed = ScrubHtml(html);
  const size_t size = html.size();
  Free(&html);
  return Parse(std::move(scrubbed), size);
}

absl::StatusOr<HtmlDocument> HtmlDocument::Parse(ScrubbedHtml scrubbed, size_t size) {
  HtmlDocument document;
  document.language_ = std::move(scrubbed.language);
  constexpr size_t kMaxBareBytes = 1500;
  document.has_script_ = scrubbed.has_script;
  document.bare_ = size <= kMaxBareBytes && !scrubbed.has_script;
  document.direction_ = std::move(scrubbed.direction);
  document.json_ld_ = std::move(scrubbed.json_ld);
  document.warnings_ = std::move(scrubbed.warnings);
  document.attributes_ = std::move(scrubbed.attributes);
  document.values_ = std::move(scrubbed.values);
  scrubbed.html.shrink_to_fit();
  std::vector<Seed> seeds;
  {
    Arena arena(std::min(kMaxArenaBytes, std::max(kMinArenaBytes, scrubbed.html.size() * kArenaBytesPerByte)));
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = &Arena::AllocateForGumbo;
    options.deallocator = &Arena::FreeForGumbo;
    options.userdata = &arena;
    options.max_errors = 0;
    const GumboOutput* const output =
        ParseGuarded(&options, scrubbed.html.data(), scrubbed.html.size(), arena.escape());
    if (output == nullptr) {
      return absl::ResourceExhaustedError("the page's markup needs too much memory");
    }
    const auto markup = reinterpret_cast<uintptr_t>(scrubbed.html.data());
    Free(&scrubbed.html);  // What gumbo made of it is its own.
    seeds = document.TakeTexts(output->root, scrubbed.tags, markup);
  }
  scrubbed.tags = std::vector<ScrubbedTag>();
  document.Grow(seeds);
  return document;
}

// What gumbo's tree holds, in document order.
std::vector<HtmlDocument::Seed> HtmlDocument::TakeTexts(const GumboNode* root, const std::vector<ScrubbedTag>& tags,
                                                        uintptr_t markup) {
  std::vector<Seed> seeds;
  const auto [nodes, bytes] = CountNodes(root);
  seeds.reserve(nodes);
  strings_.reserve(bytes);
  struct Frame {
    const GumboNode* node;
    int32_t index;
    unsigned next_child;
  };
  std::vector<Frame> stack;
  const auto add = [&](const GumboNode* node) {
    Seed seed;
    seed.parent = stack.empty() ? kNoNode : stack.back().index;
    if (IsElement(node)) {
      ReadElement(node->v.element, tags, markup, &seed);
    } else if (IsText(node)) {
      const absl::string_view text = node->v.text.text;
      seed.is_text = true;
      seed.value = static_cast<uint32_t>(text.size());
      strings_.insert(strings_.end(), text.begin(), text.end());
    } else {
      return;
    }
    seeds.push_back(seed);
    stack.push_back({node, static_cast<int32_t>(seeds.size()) - 1, 0});
  };
  add(root);
  while (!stack.empty()) {
    Frame& frame = stack.back();
    const GumboVector* const children = ChildrenOf(frame.node);
    if (children == nullptr || frame.next_child >= children->length) {
      stack.pop_back();
      continue;
    }
    add(static_cast<const GumboNode*>(children->data[frame.next_child++]));
  }
  return seeds;
}

// `markup`: where the markup began that gumbo read; elements remember the places of their tags in it, and those that
// gumbo itself put in have none.
void HtmlDocument::ReadElement(const GumboElement& element, const std::vector<ScrubbedTag>& tags, uintptr_t markup,
                               Seed* seed) {
  seed->tag = static_cast<uint16_t>(element.tag);
  const size_t offset =
      element.original_tag.data == nullptr ? 0 : reinterpret_cast<uintptr_t>(element.original_tag.data) - markup;
  const auto tag =
      std::lower_bound(tags.begin(), tags.end(), offset, [](const ScrubbedTag& t, size_t at) { return t.offset < at; });
  uint8_t count = 0;
  if (offset > 0 && tag != tags.end() && tag->offset == offset) {
    seed->value = tag->attributes;
    seed->bold = tag->bold;
    seed->link = tag->link;
    count = tag->attribute_count;
  }
  const GumboVector& own = element.attributes;
  if (own.length > 0) {  // Those with entities, now decoded. All of an element stand together.
    const uint32_t first = seed->value;
    seed->value = static_cast<uint32_t>(attributes_.size());
    for (uint8_t i = 0; i < count; ++i) {
      const ScrubbedAttribute attribute = attributes_[first + i];
      attributes_.push_back(attribute);
    }
    for (unsigned i = 0; i < own.length; ++i) {
      const auto* const attribute = static_cast<const GumboAttribute*>(own.data[i]);
      const absl::string_view value = attribute->value;
      if (const int name = AttributeNumber(attribute->name); name >= 0) {
        attributes_.push_back({.name = static_cast<uint8_t>(name),
                               .value_start = static_cast<uint32_t>(values_.size()),
                               .value_size = static_cast<uint32_t>(value.size())});
        values_.append(value.data(), value.size());
        ++count;
      }
    }
  }
  seed->attribute_count = count;
}

void HtmlDocument::Grow(const std::vector<Seed>& seeds) {
  nodes_.reserve(seeds.size());
  size_t text_start = 0;
  for (const Seed& seed : seeds) {
    HtmlNode node;
    node.parent = seed.parent;
    node.is_text = seed.is_text;
    if (seed.is_text) {
      node.text = absl::string_view(strings_.data() + text_start, seed.value);
      text_start += seed.value;
    } else {
      node.tag = static_cast<GumboTag>(seed.tag);
      node.bold = seed.bold;
      node.link = seed.link;
      node.first_attribute = seed.value;
      node.attribute_count = seed.attribute_count;
    }
    nodes_.push_back(node);
  }
  for (int32_t i = size() - 1; i >= 0; --i) {
    HtmlNode& node = nodes_[static_cast<size_t>(i)];
    node.end = std::max(node.end, i + 1);
    if (node.parent != kNoNode) {
      int32_t& end = nodes_[static_cast<size_t>(node.parent)].end;
      end = std::max(end, node.end);
    }
  }
}

const ScrubbedAttribute* HtmlDocument::Find(int32_t node_index, absl::string_view name) const {
  const HtmlNode& n = node(node_index);
  const auto* const begin = attributes_.data() + n.first_attribute;
  const auto* const end = begin + n.attribute_count;
  const auto* const found =
      std::find_if(begin, end, [name](const ScrubbedAttribute& a) { return AttributeName(a.name) == name; });
  return found == end ? nullptr : found;
}

absl::string_view HtmlDocument::Attribute(int32_t node_index, absl::string_view name) const {
  const ScrubbedAttribute* const attribute = Find(node_index, name);
  return attribute == nullptr ? absl::string_view()
                              : absl::string_view(values_).substr(attribute->value_start, attribute->value_size);
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
