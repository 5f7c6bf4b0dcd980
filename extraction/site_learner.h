// Learns site rules (site_rules.h) from several pages of one host: what stands in the text of many of them is the
// site's, not an article's, and the elements that hold nothing else are to be dropped. `select` is not learned: an
// element that held the whole text of all pages seen may leave out the lead of the next (docs/quality.md).
//
//   SiteLearner learner;
//   for each page: learner.Add(name, url, extraction);                extracted with Options::explain and ::locate
//   SiteRules rules = *SiteRules::Parse(learner.Rules());
//   for each page: learner.Check(name, extracted with these rules);   withdraws what does more than it should
//   learner.Rules()
//
// Of a page, hashes are held and no text but excerpts of what repeats: some kilobytes a page, with limits on pages,
// hosts and names (below). What is beyond them is not learned from, and is counted. Not thread-safe.
#ifndef DATELINE_EXTRACTION_SITE_LEARNER_H_
#define DATELINE_EXTRACTION_SITE_LEARNER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "extraction/extraction.h"

namespace dateline::extraction {

// What repeats: a block of text that is found on so many pages of a host, and on this share of them. How they were
// chosen, and what they bring, is in docs/quality.md.
inline constexpr size_t kMinLearnedPages = 3;
inline constexpr double kMinLearnedShare = 0.25;
// The most that an element may hold of the text of any page, if it is to be dropped.
inline constexpr double kMaxDroppedShare = 0.5;

inline constexpr size_t kMaxLearnedPages = 10'000;  // In all.
inline constexpr size_t kMaxLearnedPagesOfHost = 1'000;
inline constexpr size_t kMaxLearnedBlocksOfPage = 2'000;     // A page of more is no article.
inline constexpr size_t kMaxLearnedBlocks = 1'000'000;       // Of all pages: about 200 MB, should all of them repeat.
inline constexpr size_t kMaxLearnedPlaceBytes = 64'000'000;  // Of names of elements, each once a host.

class SiteLearner {
 public:
  // Takes in what extraction made of the page `name` (any name that no other page has). `url` is the document's own, as
  // it was extracted with: rules are sought by it; if it is empty, by the address that the page states. Passed over are
  // pages without places, that is such as are no HTML, those without an address, and those seen before under another
  // name (title and longest paragraph the same).
  void Add(absl::string_view name, absl::string_view url, const Extraction& page);

  // Takes in what the rules given out last make of the page `name`, or the error that comes of them. If the page lost
  // text that is its own, gained any, or its title, authors, date or labels changed, the rules that had to do with it
  // are withdrawn. Returns whether they were.
  bool Check(absl::string_view name, const absl::StatusOr<Extraction>& page);

  // The text of a file of rules, with comments that say what was found where. One comment alone if there is nothing to
  // be learned.
  std::string Rules();

  // How many hosts have rules, as given out last.
  size_t learned() const { return learned_; }
  // How many pages said no address, so that nobody knows whose they are.
  size_t homeless() const { return homeless_; }
  // How many pages were passed over because of the limits above.
  size_t beyond() const { return beyond_; }

 private:
  // A block of text on a page.
  struct Piece {
    size_t text = 0;    // Hash.
    uint32_t size = 0;  // In bytes of letters and digits.
    uint32_t place = 0;
  };
  struct Page {
    std::vector<Piece> kept;
    std::vector<uint32_t> others;   // Places of what was not kept. Sorted.
    std::vector<uint32_t> guarded;  // Those among them that title, byline, date and labels were read from.
    size_t fields = 0;              // Hash.
    size_t size = 0;                // Of all that was kept.
  };
  struct Text {
    uint32_t pages = 0;
    std::string excerpt;  // Of what was found twice.
  };
  struct Rule {
    uint32_t selector = 0;
    size_t pages = 0;
    size_t text = 0;  // The hash of one that it drops.
  };
  struct Host {
    absl::flat_hash_map<std::string, uint32_t> place_ids;
    std::vector<std::string> places;
    // Made by Learn(): the selectors that may be rules, and by place those that match an element there or around it.
    std::vector<std::string> selectors;
    std::vector<std::vector<uint32_t>> matches;
    std::vector<bool> spared;  // By place: whether a rule for what stands there was withdrawn.
    absl::flat_hash_map<size_t, Text> texts;
    absl::flat_hash_map<size_t, size_t> page_ids;  // By the hash of the name.
    std::vector<Page> pages;
    absl::flat_hash_map<size_t, bool> seen;  // Hashes of title and longest paragraph.
    size_t copies = 0;
    std::vector<Rule> rules;
  };

  Page ReadPage(const Extraction& page, Host* host);
  uint32_t PlaceId(absl::string_view place, Host* host);
  static bool Repeats(const Host& host, size_t text);
  static void Learn(Host* host);
  static void FindSelectors(const std::vector<size_t>& repeated, const std::vector<bool>& own, Host* host);
  static bool HasChanged(const Host& host, const Page& before, const absl::StatusOr<Extraction>& now);
  static bool Withdraw(const Page& page, Host* host);
  static void Describe(const std::string& name, const Host& host, std::string* out);

  std::map<std::string, Host> hosts_;
  size_t pages_ = 0;
  size_t blocks_ = 0;
  size_t place_bytes_ = 0;
  size_t homeless_ = 0;
  size_t beyond_ = 0;
  size_t learned_ = 0;
};

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_SITE_LEARNER_H_
