// XML of any length, one element at a time: what feeds, exports and sitemaps are read through. Internal to extraction/.
//
// Bounded on hostile documents: nothing is fetched, no entity is ever declared or expanded, nesting is limited, and an
// element that is expanded may take no more bytes than a document may.
#ifndef DATELINE_EXTRACTION_XML_STREAM_H_
#define DATELINE_EXTRACTION_XML_STREAM_H_

#include <libxml/tree.h>
#include <libxml/xmlreader.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "extraction/text_stream.h"

namespace dateline::extraction {

// Makes XML as it is found into XML as parsers want it, piece by piece: named entities of HTML become characters, stray
// ampersands are escaped, characters and references to them that XML does not know go, and so do the declaration and a
// document type with all that it declares.
class XmlCleaner {
 public:
  // Appends to `clean` what can be told from `xml` and what came before; the last piece comes with `last`.
  void Clean(absl::string_view xml, bool last, std::string* clean);

 private:
  enum class State { kText, kCdata, kDoctype };

  // What stands at `rest`, the input from here on; how many bytes it was, 0 if more are needed.
  size_t CleanReference(absl::string_view rest, bool last, std::string* clean);
  size_t SkipDoctype(absl::string_view rest);

  State state_ = State::kText;
  std::string kept_;  // Input that is not yet understood.
  bool in_subset_ = false;
  char quote_ = 0;
  absl::flat_hash_map<std::string, std::string> entities_;  // What named entities stand for, as XML.
};

// A node's text with all that is in it; an attribute's value, "" if it isn't there; the markup within.
std::string TextOf(const xmlNode* node);
std::string AttributeOf(const xmlNode* node, const char* name);
std::string MarkupOf(const xmlNode* node);

// The elements right below a node. Names are local ones for RSS, Atom, RDF and sitemaps, and carry the customary prefix
// for the other namespaces that feeds use ("dc:creator", "content:encoded", "media:content", "wp:status"), whatever
// prefix this document uses, and also if it forgot to declare it.
class Children {
 public:
  explicit Children(const xmlNode* node) : node_(node) {}

  std::vector<const xmlNode*> All(absl::string_view name) const;
  const xmlNode* First(absl::string_view name) const;
  std::string Text(absl::string_view name) const;  // Of the first, white space collapsed; "" if there is none.

 private:
  const xmlNode* node_;
};

// Not thread-safe. Different objects may be used from different threads.
class XmlStream {
 public:
  XmlStream(Input input, std::string charset, size_t max_element_bytes);
  XmlStream(const XmlStream&) = delete;
  XmlStream& operator=(const XmlStream&) = delete;

  // Goes to the start of the next element, passing over what is in this one if it was expanded. False at the end of the
  // document, and when it can't be read on: status() then says why.
  bool Next();

  // OK until something went wrong. InvalidArgument, with reason MALFORMED_XML or DOCUMENT_TOO_LARGE and without a
  // field, or what the source failed with.
  const absl::Status& status() const { return status_; }
  int line() const;  // From 1, about where the reader is.

  // Of the element that Next() went to.
  std::string name() const;  // As in Children.
  int depth() const;         // 0 for the root.
  std::string Attribute(const char* attribute) const;
  // With all that is in it; null if that can't be read (see status()). Valid until Next().
  const xmlNode* Expand();

 private:
  struct ReaderCloser {
    void operator()(xmlTextReader* reader) const { xmlFreeTextReader(reader); }
  };

  static int ReadFor(void* stream, char* buffer, int size);
  int Read(char* buffer, size_t size);
  void Fail();

  ReadFunction read_;
  const size_t max_element_bytes_;
  XmlCleaner cleaner_;
  std::string clean_;  // From `given_` on not yet handed to the parser.
  size_t given_ = 0;
  size_t since_element_ = 0;  // Bytes handed out since the element began that is being read.
  bool read_all_ = false;
  bool expanded_ = false;
  absl::Status status_;
  std::unique_ptr<xmlTextReader, ReaderCloser> reader_;
};

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_XML_STREAM_H_
