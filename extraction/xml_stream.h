// XML of any length, one record at a time: what feeds, exports and sitemaps are read through. Internal to extraction/.
//
// A record is an element right below the elements that hold feeds and sitemaps together (<rss>, <channel>, <feed>,
// <rdf:RDF>, <urlset>, <sitemapindex>): an entry, an address, or a field of the feed itself. An element around entries
// that no format has is one of those that hold records, too.
//
// What is not well-formed costs no more than the record that it stands in, and mostly less. Bounded on hostile
// documents: nothing is fetched, no entity is ever declared or expanded, nesting and attributes are limited, and a
// record takes no more bytes than a document may.
#ifndef DATELINE_EXTRACTION_XML_STREAM_H_
#define DATELINE_EXTRACTION_XML_STREAM_H_

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "extraction/text_stream.h"

namespace dateline::extraction {

// Makes XML as it is found into XML as parsers want it, piece by piece: named entities of HTML become characters; stray
// ampersands and angle brackets are escaped; characters and references to them that XML does not know go, and so do
// comments, processing instructions, the declaration and a document type with all that it declares. Each element is
// closed, and nothing is that was not open: an end tag closes what was left open within, and one that fits nothing
// goes. Attributes are given quotes and lose what is none, names lose what not every parser takes. Text between records
// goes; what is in a record beyond its limit goes; and so do tags more than kMaxXmlDepth deep and the attributes of
// elements with more than kMaxXmlAttributes of them.
//
// What was done to a record is said within it by a processing instruction of one of the names below; no document has
// others, since its own go.
class XmlCleaner {
 public:
  static constexpr absl::string_view kMended =
      "dateline-mended";  // Tags or attributes were added, dropped or put right.
  static constexpr absl::string_view kTooLong = "dateline-too-long";  // What is beyond the limit was dropped.
  static constexpr absl::string_view kCutOff = "dateline-cut-off";    // The document ends here.

  explicit XmlCleaner(size_t max_record_bytes) : max_record_bytes_(max_record_bytes) {}

  // Appends to `clean` what can be told from `xml` and what came before; the last piece comes with `last`.
  void Clean(absl::string_view xml, bool last, std::string* clean);

  // After the last piece: whether the document ended before its root did.
  bool cut_off() const { return cut_off_; }
  // Whether something that looks like another document follows the root. It is not read.
  bool goes_on() const { return goes_on_; }
  int line() const { return line_; }  // From 1: that of the end of what was read.

 private:
  enum class State { kText, kCdata, kDoctype, kSkip, kLongTag };

  // How each deals with `rest`, the input from here on: how many bytes it was, 0 if more are needed.
  size_t CleanText(absl::string_view rest, bool last, std::string* clean);
  size_t CleanMarkup(absl::string_view rest, bool last, std::string* clean);
  size_t CleanReference(absl::string_view rest, bool last, std::string* clean);
  size_t CleanCdata(absl::string_view rest, bool last, std::string* clean);
  size_t CleanStartTag(absl::string_view rest, bool last, std::string* clean);
  // All attributes of a tag; false if they were not well-formed: what can be told of them is kept then.
  bool CleanAttributes(absl::string_view found, std::string* clean);
  size_t CleanInstruction(absl::string_view rest, bool last, std::string* clean);
  size_t CleanEndTag(absl::string_view rest, bool last, std::string* clean);
  size_t SkipDoctype(absl::string_view rest);
  size_t SkipLongTag(absl::string_view rest, std::string* clean);
  // All of `rest` through `skip_end_`, or so much of it as can't be the beginning of that.
  size_t Skip(absl::string_view rest, bool last);

  // False if the element is none that may stand here: it is dropped then.
  bool Open(absl::string_view name, absl::string_view attributes, bool empty, std::string* clean);
  // Closes all elements from the innermost to the one at `level`.
  void CloseThrough(size_t level, std::string* clean);
  void Mark(absl::string_view what, std::string* clean);
  bool in_record() const { return open_.size() > record_level_; }
  // Whether text is dropped here.
  bool drops() const { return !in_record() || too_long_; }

  const size_t max_record_bytes_;
  State state_ = State::kText;
  std::string kept_;  // Input that is not yet understood.
  bool in_subset_ = false;
  char quote_ = 0;
  absl::string_view skip_end_;
  char before_ = 0;  // Of a long tag: the last character that is no blank.
  bool long_tag_opened_ = false;
  std::vector<std::string> open_;  // Names of the elements that are open, the root first.
  size_t record_level_ = 0;        // How many of them hold records together.
  size_t too_deep_ = 0;            // Tags that were dropped and not yet closed.
  size_t record_bytes_ = 0;        // Of the record so far.
  bool mended_ = false;            // The record is marked so.
  bool too_long_ = false;          // The record is.
  bool ended_ = false;             // The root is closed.
  bool cut_off_ = false;
  bool goes_on_ = false;
  int line_ = 1;
  absl::flat_hash_map<std::string, std::string> entities_;  // What named entities stand for, as XML.
};

// Deeper than any feed; and more attributes than any element has that is no attack (comparing each with each, as
// parsers do, takes the square of their number).
inline constexpr size_t kMaxXmlDepth = 200;
inline constexpr size_t kMaxXmlAttributes = 100;

// Names are local ones for RSS, Atom, RDF and sitemaps, and carry the customary prefix for the other namespaces that
// feeds use ("dc:creator", "content:encoded", "media:content", "wp:status"), whatever prefix this document uses, and
// also if it forgot to declare it.
std::string NameOf(const xmlNode* node);

// A node's text with all that is in it; an attribute's value, "" if it isn't there; the markup within.
std::string TextOf(const xmlNode* node);
std::string AttributeOf(const xmlNode* node, const char* name);
std::string MarkupOf(const xmlNode* node);

// The elements right below a node, by the names that NameOf gives them.
class Children {
 public:
  explicit Children(const xmlNode* node) : node_(node) {}

  std::vector<const xmlNode*> All(absl::string_view name) const;
  const xmlNode* First(absl::string_view name) const;
  std::string Text(absl::string_view name) const;  // Of the first, white space collapsed; "" if there is none.

 private:
  const xmlNode* node_;
};

// One record with all that is in it.
struct XmlRecord {
  const xmlNode* node = nullptr;  // Valid until the next one is asked for.
  bool mended = false;            // It was not well-formed; what was made of it may not be all of it.
  bool too_long = false;          // It has more bytes than it may have; `node` holds its beginning.
  bool cut_off = false;           // The document ends within it.
};

// Not thread-safe. Different objects may be used from different threads.
class XmlStream {
 public:
  XmlStream(Input input, std::string charset, size_t max_record_bytes);
  ~XmlStream();
  XmlStream(const XmlStream&) = delete;
  XmlStream& operator=(const XmlStream&) = delete;

  // The root with its attributes; null if there is none (see status()). Valid as long as the stream.
  const xmlNode* Root();
  // The next record; nullopt at the end, and when the document can't be read on: status() then says why.
  std::optional<XmlRecord> Next();

  // After the end: OK if the document was read as a whole. InvalidArgument, with reason MALFORMED_XML and without a
  // field, or what the source failed with.
  const absl::Status& status() const { return status_; }
  int line() const { return cleaner_.line(); }  // From 1, about where the reader is.

 private:
  struct ParserCloser {
    void operator()(xmlParserCtxt* parser) const;
  };

  static XmlStream* Of(void* parser);
  void OnOpened(xmlNode* node);
  void OnClosed(xmlNode* node);
  void OnInstruction(absl::string_view target);
  // Reads one piece. False at the end.
  bool ReadMore();
  void FreeRecord();

  ReadFunction read_;
  XmlCleaner cleaner_;
  std::string clean_;
  bool ended_ = false;
  absl::Status status_;
  std::unique_ptr<xmlParserCtxt, ParserCloser> parser_;
  xmlNode* root_ = nullptr;
  xmlNode* open_ = nullptr;  // The record that is being read.
  XmlRecord about_open_;     // What is known about it.
  struct Owned {
    xmlNode* node;
    XmlRecord record;
  };
  std::deque<Owned> whole_;   // Read, and not yet given.
  xmlNode* given_ = nullptr;  // The record that Next() gave last.
};

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_XML_STREAM_H_
