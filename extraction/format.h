// What a file or an answer of a server holds, told from its first bytes and its name.
#ifndef DATELINE_EXTRACTION_FORMAT_H_
#define DATELINE_EXTRACTION_FORMAT_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"

namespace dateline::extraction {

enum class Format {
  kUnknown,    // Nothing that is read here: an image, a program, …
  kHtml,       // One page, one article.
  kText,       // Plain text of one page or article.
  kFeed,       // RSS 0.9x, 1.0 or 2.0, Atom, or an export of WordPress (WXR), which is RSS with more in it.
  kSitemap,    // A sitemap or an index of sitemaps: addresses, no text.
  kJsonLines,  // One JSON object a line.
  kJson,       // One JSON document: a JSON Feed, a list of articles, an object that holds such a list, or one article.
  kCsv,        // A table whose first row names its columns, divided by commas, semicolons, bars or tabs.
  kMail,       // One message (EML) or many (mbox); one page that a browser saved as MHTML.
  kPdf,        // One PDF, one article.
  kArchive,    // Files packed or compressed: zip, tar, gzip, bzip2, xz, zstd.
};

// "html", "text", "feed", "sitemap", "jsonl", "json", "csv", "mail", "pdf", "archive"; "unknown" for kUnknown.
absl::string_view FormatName(Format format);
// The reverse; nullopt for a name that is none of those.
std::optional<Format> FormatFromName(absl::string_view name);
// All of them but kUnknown.
const std::vector<Format>& KnownFormats();

// What a file holds, by its first bytes (1 KB or more of them serve well) and, where these don't tell, by the name of
// `path`, which may be empty or "-".
Format DetectFormat(absl::string_view path, absl::string_view head);

// How much of the beginning is what a program has said before a feed or sitemap, a warning of PHP for example; 0 where
// nothing such is there.
size_t JunkBeforeXml(absl::string_view head);

// Whether a file found in a folder or an archive may hold articles, by its name alone (".html", ".xml.gz", ".zip", …).
// A page saved by a browser has a folder of scripts and pictures beside it, and a checkout has files that speak about
// articles: the names tell them apart. Hidden files hold none.
bool MayHoldArticles(absl::string_view path);

// Whether bytes begin as text in UTF-16: with its mark, or, without one, so that they can be nothing else.
bool BeginsAsUtf16(absl::string_view head);

// The line that begins a message in a mailbox: "From jane@example.org Tue Sep 19 10:30:00 2023". Text that begins so by
// chance has no time of day in it.
bool IsMailboxLine(absl::string_view line);

// Whether such a line is in the form that mail programs write, with an address, a weekday and a month: then it begins a
// message even where no blank line stands before it.
bool IsWholeMailboxLine(absl::string_view line);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_FORMAT_H_
