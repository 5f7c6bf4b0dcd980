// What the shape of a line or paragraph tells: how long it is, how it ends, whether it is a phrase that publishers put
// around articles. Shared by the HTML and the plain text extractors. Internal to extraction/.
//
// All functions are pure; all take valid UTF-8 and give valid UTF-8.
#ifndef DATELINE_EXTRACTION_TEXT_SHAPE_H_
#define DATELINE_EXTRACTION_TEXT_SHAPE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "extraction/extraction.h"

namespace dateline::extraction {

// What one line or paragraph is, judged from its words alone.
enum class LineKind {
  kNone,            // Nothing special: text.
  kRelatedHeading,  // "Related articles", "Read more": what follows are teasers.
  kCommentHeading,  // "3 comments", "Leave a reply": what follows are readers' words.
  kAboutAuthor,     // "About the author": what follows is a biography.
  kReadMore,        // "Read also: …": one teaser in a line.
  kNewsletter,      // "Subscribe to our newsletter …"
  kDisclaimer,      // "The views expressed are those of the author …"
  kShare,           // "Share this article", "Facebook", "Print"
  kConsent,         // Cookies, sign-in, JavaScript.
  kCopyright,       // "© 2023 …", "All rights reserved"
  kAdvertisement,   // "Advertisement"
  kCredit,          // "Photo: …", "Image credit: …"
  kByline,          // "By Jane Roe"
  kDate,            // Nothing but a date, perhaps with "Published on", a time or a reading time.
  kLabel,           // "Issue: Geopolitics"
  kReadingTime,     // "5 min read"
  kPaywall,         // "Subscribe to continue reading": what follows is not there.
  kNavigation,      // "Home", "Back to top", "Next article", "Skip to content"
  kFeedNote,        // "The post … appeared first on …." below a text; above one, somebody's sentence.
};

// The name of `kind` for people, as in `Block::reason`.
absl::string_view LineKindName(LineKind kind);

LineKind ClassifyLine(absl::string_view text);

// Every run of white space (no-break spaces too) becomes one space; none at the ends. Zero-width and soft hyphens go.
std::string CollapseSpace(absl::string_view text);

// Letters and digits alone, folded: what two copies of a title have in common.
std::string MatchKey(absl::string_view text);

// True if a good part of the words of `text` stand in one of `keys`, which are titles by MatchKey(): the same said in
// another way. True if no key holds anything.
bool SharesWords(absl::string_view text, const std::vector<std::string>& keys);

// Number of code points; number of words. A run of CJK counts as a word for every two characters.
size_t CountCodePoints(absl::string_view text);
size_t CountWords(absl::string_view text);

// True if `text` ends as a sentence ends (. ! ? : … and their kin, quotes and brackets after them set aside).
bool EndsSentence(absl::string_view text);
// True if `text` ends in an ellipsis: cut off, as teasers are.
bool EndsCutOff(absl::string_view text);

// True of what somebody says in an interview or briefing: "Q: Why?", "THE MINISTER: No." Where there is but one such
// line, it may as well be furniture.
bool IsSpeech(absl::string_view text);

// `text` without the note that WordPress adds to texts in feeds, if it ends with one: "The post … appeared first on
// ….", and the same in other languages.
absl::string_view WithoutFeedNote(absl::string_view text);

// The publisher's labels in a line such as "Topics: Energy, Trade" or "Issue: Trade Country: Nigeria"; empty if it is
// no such line. Kinds come out lower case and singular ("topic").
std::vector<SourceLabel> ParseLabelLine(absl::string_view line);

// `name` as an author's name without "By", honorifics, degrees and addresses; empty if nothing like a name is left.
std::string CleanAuthorName(absl::string_view name);
// "Jane Roe" for "Roe, Jane", as libraries and address books write one name; anything else as it is.
std::string Uninverted(absl::string_view name);
// The names in what a catalogue states of a text's creators: "Roe, Jane; Doe, John", but also "Jane Roe, John Doe".
std::vector<std::string> ParseCatalogNames(absl::string_view text);

// The names in a byline such as "By Dr. Jane Roe and John Doe, Senior Fellows" or "By Jane Roe, April 22, 2024"; empty
// if it is no byline.
std::vector<std::string> ParseByline(absl::string_view line);
// True for a line of fields as sites in Chinese and Japanese have it: "来源：海港报 作者：王小明".
bool IsFieldLine(absl::string_view line);
// The names in a list such as "Jane Roe, John Doe and Ann Poe", with or without "By"; empty if it isn't one.
std::vector<std::string> ParseNameList(absl::string_view text);

// The names in what is known to name authors, be it a person, a house ("Reuters") or "Jane Roe (with John Doe)".
std::vector<std::string> ParseAuthors(absl::string_view text);

// The people whom a paragraph such as "Dr. Jane Roe is a senior fellow at …" introduces; empty if it is no biography.
std::vector<std::string> ParseBiography(absl::string_view paragraph);
// True if `paragraph` begins by saying who one of `names` is or what they do ("Jane Roe writes about water."). Of the
// authors of a text that is a note on them: in their own text they say "I".
bool IsAboutPerson(absl::string_view paragraph, const std::vector<std::string>& names);

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_TEXT_SHAPE_H_
