#include "extraction/site_learner.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "common/printable.h"
#include "common/text.h"
#include "common/url.h"
#include "extraction/text_shape.h"

namespace dateline::extraction {
namespace {

// Shorter ones may be an author's own habit, such as a heading "What comes next" in every piece: they are no reason to
// drop anything. In bytes of letters and digits.
constexpr uint32_t kMinRepeatedBytes = 24;
constexpr size_t kMaxSelectors = 200'000;  // That are looked at, of a host.
constexpr size_t kMaxRules = 20;
constexpr size_t kExcerptBytes = 70;
constexpr uint32_t kNoPlace = ~uint32_t{0};

size_t HashOf(absl::string_view text) { return std::hash<std::string_view>()({text.data(), text.size()}); }

// Names that a program made up are others after the next release of the site, and so are numbers; "css-1wa7u5r",
// "post-4711", "bdVaJa", "sc-abc" are such.
bool IsStableName(absl::string_view name) {
  constexpr int kMaxConsonants = 5;
  for (const absl::string_view prefix : {"css-", "sc-", "jsx-", "svelte-", "emotion-", "jss", "ng-", "is-", "has-"}) {
    if (absl::StartsWith(name, prefix)) {
      return false;
    }
  }
  int consonants = 0;
  size_t letters = 0;
  size_t humps = 0;  // Capitals within a word.
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (absl::ascii_isdigit(c)) {
      return false;
    }
    if (!absl::ascii_isalpha(c)) {
      consonants = 0;
      continue;
    }
    ++letters;
    humps += absl::ascii_isupper(c) && i > 0 && absl::ascii_islower(static_cast<unsigned char>(name[i - 1])) ? 1 : 0;
    const char lower = absl::ascii_tolower(c);
    consonants = absl::StrContains("aeiouy", absl::string_view(&lower, 1)) ? 0 : consonants + 1;
    if (consonants > kMaxConsonants) {
      return false;
    }
  }
  return name.size() >= 2 && humps * 4 <= letters;
}

// Elements whose very kind says something.
bool IsTellingElement(absl::string_view tag) {
  static constexpr std::array<absl::string_view, 10> kTelling = {
      "aside", "footer", "header", "nav", "section", "figure", "figcaption", "details", "article", "main"};
  return std::find(kTelling.begin(), kTelling.end(), tag) != kTelling.end();
}

// One element of a place.
struct Step {
  std::string tag;
  std::vector<std::string> names;  // "#promo", "div.promo": what it may be called.
};

std::vector<Step> ParsePlace(absl::string_view place) {
  std::vector<Step> steps;
  for (const absl::string_view text : absl::StrSplit(place, " > ", absl::SkipEmpty())) {
    Step step;
    size_t at = std::min(text.find_first_of("#."), text.size());
    step.tag = std::string(text.substr(0, at));
    while (at < text.size()) {
      const char sign = text[at];
      const size_t end = std::min(text.find_first_of("#.", at + 1), text.size());
      const absl::string_view name = text.substr(at + 1, end - at - 1);
      if (IsStableName(name)) {
        step.names.push_back(sign == '#' ? absl::StrCat("#", name)
                                         : absl::StrCat(step.tag == "*" ? "" : step.tag, ".", name));
      }
      at = end;
    }
    if (IsTellingElement(step.tag)) {
      step.names.push_back(step.tag);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

// The selectors that match an element of `place`: by its name, by its name within another one, or as the child of a
// named one.
std::vector<std::string> SelectorsOf(absl::string_view place) {
  constexpr size_t kMaxWithin = 4;  // Innermost elements that are looked for within others.
  std::vector<std::string> selectors;
  const std::vector<Step> steps = ParsePlace(place);
  for (size_t i = 0; i < steps.size(); ++i) {
    selectors.insert(selectors.end(), steps[i].names.begin(), steps[i].names.end());
    if (i > 0 && steps[i].tag != "*") {
      for (const std::string& parent : steps[i - 1].names) {
        selectors.push_back(absl::StrCat(parent, " > ", steps[i].tag));
      }
    }
    if (i + kMaxWithin < steps.size()) {
      continue;
    }
    for (size_t around = 0; around < i; ++around) {
      for (const std::string& outer : steps[around].names) {
        for (const std::string& inner : steps[i].names) {
          selectors.push_back(absl::StrCat(outer, " ", inner));
        }
      }
    }
  }
  return selectors;
}

bool Contains(const std::vector<uint32_t>& sorted, uint32_t id) {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

bool IsAboutArticle(absl::string_view reason) {
  return reason == "title" || reason == LineKindName(LineKind::kByline) || reason == LineKindName(LineKind::kDate) ||
         reason == LineKindName(LineKind::kLabel);
}

// What a rule must not change.
size_t FieldsOf(const Article& article) {
  std::string all = absl::StrCat(article.title, "\n");
  for (const std::string& author : article.authors) {
    absl::StrAppend(&all, author, "\n");
  }
  for (const SourceLabel& label : article.source_labels) {
    absl::StrAppend(&all, label.kind, "=", label.name, "\n");
  }
  absl::StrAppend(&all, article.publish_time ? absl::FormatTime(*article.publish_time, absl::UTCTimeZone()) : "");
  return HashOf(all);
}

template <typename T>
void SortUnique(std::vector<T>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

}  // namespace

uint32_t SiteLearner::PlaceId(absl::string_view place, Host* host) {
  if (const auto found = host->place_ids.find(place); found != host->place_ids.end()) {
    return found->second;
  }
  if (place_bytes_ + place.size() > kMaxLearnedPlaceBytes) {
    return kNoPlace;
  }
  place_bytes_ += place.size();
  const auto id = static_cast<uint32_t>(host->places.size());
  host->places.emplace_back(place);
  host->place_ids.emplace(std::string(place), id);
  return id;
}

SiteLearner::Page SiteLearner::ReadPage(const Extraction& page, Host* host) {
  Page read;
  read.fields = FieldsOf(page.article);
  for (const Block& block : page.blocks) {
    const std::string key = MatchKey(block.text);
    if (key.empty()) {
      continue;
    }
    const uint32_t place = PlaceId(block.place, host);
    if (!block.kept) {
      if (place != kNoPlace) {
        read.others.push_back(place);
        if (IsAboutArticle(block.reason)) {
          read.guarded.push_back(place);
        }
      }
      continue;
    }
    read.kept.push_back({.text = HashOf(key), .size = static_cast<uint32_t>(key.size()), .place = place});
    read.size += key.size();
  }
  SortUnique(&read.others);
  SortUnique(&read.guarded);
  return read;
}

void SiteLearner::Add(absl::string_view name, absl::string_view url, const Extraction& page) {
  const bool located =
      std::any_of(page.blocks.begin(), page.blocks.end(), [](const Block& block) { return !block.place.empty(); });
  if (!located) {
    return;
  }
  const absl::StatusOr<std::string> address = common::UrlHost(url.empty() ? page.article.url : url);
  if (!address.ok()) {
    ++homeless_;
    return;
  }
  if (pages_ >= kMaxLearnedPages || page.blocks.size() > kMaxLearnedBlocksOfPage ||
      blocks_ + page.blocks.size() > kMaxLearnedBlocks) {
    ++beyond_;
    return;
  }
  Host& host = hosts_[std::string(absl::StripPrefix(*address, "www."))];
  if (host.pages.size() >= kMaxLearnedPagesOfHost) {
    ++beyond_;
    return;
  }
  const auto longest = std::max_element(page.blocks.begin(), page.blocks.end(), [](const Block& a, const Block& b) {
    return (a.kept ? a.text.size() : 0) < (b.kept ? b.text.size() : 0);
  });
  if (!host.seen.emplace(HashOf(absl::StrCat(page.article.title, "\n", longest->text)), true).second) {
    ++host.copies;
    return;
  }
  Page read = ReadPage(page, &host);
  absl::flat_hash_set<size_t> here;
  for (const Block& block : page.blocks) {
    const std::string key = block.kept ? MatchKey(block.text) : "";
    const size_t hash = HashOf(key);
    if (key.empty() || !here.insert(hash).second) {
      continue;
    }
    Text& text = host.texts[hash];
    if (++text.pages == 2) {
      const std::string line = CollapseSpace(block.text);
      const size_t cut = common::CodePointFloor(line, kExcerptBytes);
      text.excerpt = absl::StrCat(common::Printable(line.substr(0, cut)), cut < line.size() ? "…" : "");
    }
  }
  host.page_ids.emplace(HashOf(name), host.pages.size());
  host.pages.push_back(std::move(read));
  ++pages_;
  blocks_ += page.blocks.size();
}

bool SiteLearner::Repeats(const Host& host, size_t text) {
  const auto found = host.texts.find(text);
  return found != host.texts.end() && found->second.pages >= kMinLearnedPages &&
         found->second.pages >= kMinLearnedShare * static_cast<double>(host.pages.size());
}

// The selectors of the elements around what repeats, and where each of them matches.
void SiteLearner::FindSelectors(const std::vector<size_t>& repeated, const std::vector<bool>& own, Host* host) {
  host->selectors.clear();
  host->matches.assign(host->places.size(), {});
  absl::flat_hash_map<std::string, uint32_t> ids;
  for (size_t place = 0; place < host->places.size(); ++place) {
    if (repeated[place] == 0 || own[place]) {
      continue;
    }
    for (const std::string& selector : SelectorsOf(host->places[place])) {
      if (ids.size() < kMaxSelectors && ids.emplace(selector, static_cast<uint32_t>(host->selectors.size())).second) {
        host->selectors.push_back(selector);
      }
    }
  }
  for (size_t place = 0; place < host->places.size() && !ids.empty(); ++place) {
    for (const std::string& selector : SelectorsOf(host->places[place])) {
      if (const auto known = ids.find(selector); known != ids.end()) {
        host->matches[place].push_back(known->second);
      }
    }
    SortUnique(&host->matches[place]);
  }
}

// The elements that hold nothing but what repeats, those first that hold most of it.
void SiteLearner::Learn(Host* host) {
  host->rules.clear();
  if (host->pages.size() < kMinLearnedPages) {
    return;
  }
  const size_t places = host->places.size();
  // By place: whether it holds what is an article's own; what repeats there, on all pages together.
  std::vector<bool> own = host->spared;
  own.resize(places, false);
  std::vector<size_t> repeated(places, 0);
  for (const Page& page : host->pages) {
    for (const uint32_t place : page.guarded) {
      own[place] = true;
    }
    for (const Piece& piece : page.kept) {
      if (piece.place == kNoPlace) {
        continue;
      }
      if (!Repeats(*host, piece.text)) {
        own[piece.place] = true;
      } else if (piece.size >= kMinRepeatedBytes) {
        repeated[piece.place] += piece.size;
      }
    }
  }
  FindSelectors(repeated, own, host);
  const size_t selectors = host->selectors.size();
  std::vector<bool> refused(selectors, false);
  std::vector<std::vector<uint32_t>> places_of(selectors);
  for (uint32_t place = 0; place < places; ++place) {
    for (const uint32_t selector : host->matches[place]) {
      refused[selector] = refused[selector] || own[place];
      if (repeated[place] > 0) {
        places_of[selector].push_back(place);
      }
    }
  }
  // Too much of a page.
  for (const Page& page : host->pages) {
    absl::flat_hash_map<uint32_t, size_t> dropped;
    for (const Piece& piece : page.kept) {
      if (piece.place == kNoPlace || own[piece.place]) {
        continue;
      }
      for (const uint32_t selector : host->matches[piece.place]) {
        if (!refused[selector]) {
          dropped[selector] += piece.size;
        }
      }
    }
    for (const auto& [selector, size] : dropped) {
      refused[selector] =
          refused[selector] || static_cast<double>(size) > kMaxDroppedShare * static_cast<double>(page.size);
    }
  }
  while (host->rules.size() < kMaxRules) {
    uint32_t best = 0;
    size_t most = 0;
    for (uint32_t selector = 0; selector < selectors; ++selector) {
      if (refused[selector]) {
        continue;
      }
      size_t gain = 0;
      for (const uint32_t place : places_of[selector]) {
        gain += repeated[place];
      }
      const std::string& name = host->selectors[selector];
      const bool shorter = name.size() < host->selectors[best].size() ||
                           (name.size() == host->selectors[best].size() && name < host->selectors[best]);
      if (gain > most || (gain == most && gain > 0 && shorter)) {
        best = selector;
        most = gain;
      }
    }
    if (most == 0) {
      return;
    }
    Rule rule{.selector = best};
    uint32_t seen = 0;
    for (const Page& page : host->pages) {
      bool here = false;
      for (const Piece& piece : page.kept) {
        if (piece.place != kNoPlace && piece.size >= kMinRepeatedBytes && repeated[piece.place] > 0 &&
            Contains(host->matches[piece.place], best)) {
          here = true;
          const uint32_t pages = host->texts.at(piece.text).pages;
          rule.text = pages > seen ? piece.text : rule.text;
          seen = std::max(seen, pages);
        }
      }
      rule.pages += here ? 1 : 0;
    }
    for (const uint32_t place : places_of[best]) {
      repeated[place] = 0;
    }
    refused[best] = true;
    if (rule.pages >= kMinLearnedPages) {
      host->rules.push_back(rule);
    }
  }
}

// Withdraws from `host` the rules that touch what stood on `page`. Returns whether there were any.
bool SiteLearner::Withdraw(const Page& page, Host* host) {
  // The places are spared, not the selector: another one for the same element would do the same.
  host->spared.resize(host->places.size(), false);
  bool any = false;
  const auto spare = [&](uint32_t place) {
    const bool touched = place != kNoPlace && !host->spared[place] &&
                         std::any_of(host->rules.begin(), host->rules.end(),
                                     [&](const Rule& rule) { return Contains(host->matches[place], rule.selector); });
    if (touched) {
      host->spared[place] = true;
      any = true;
    }
  };
  for (const Piece& piece : page.kept) {
    spare(piece.place);
  }
  std::for_each(page.others.begin(), page.others.end(), spare);
  return any;
}

// Whether rules changed more of a page than they should: `now` is what came of it with them.
bool SiteLearner::HasChanged(const Host& host, const Page& before, const absl::StatusOr<Extraction>& now) {
  if (!now.ok() || FieldsOf(now->article) != before.fields) {
    return true;
  }
  absl::flat_hash_set<size_t> kept_before;
  for (const Piece& piece : before.kept) {
    kept_before.insert(piece.text);
  }
  absl::flat_hash_set<size_t> kept_now;
  for (const Block& block : now->blocks) {
    const std::string key = block.kept ? MatchKey(block.text) : "";
    if (!key.empty()) {
      kept_now.insert(HashOf(key));
    }
  }
  return std::any_of(kept_now.begin(), kept_now.end(), [&](size_t text) { return !kept_before.contains(text); }) ||
         std::any_of(kept_before.begin(), kept_before.end(),
                     [&](size_t text) { return !kept_now.contains(text) && !Repeats(host, text); });
}

bool SiteLearner::Check(absl::string_view name, const absl::StatusOr<Extraction>& page) {
  const size_t id = HashOf(name);
  for (auto& entry : hosts_) {
    Host& host = entry.second;
    if (const auto found = host.page_ids.find(id); found != host.page_ids.end()) {
      const Page& before = host.pages[found->second];
      return HasChanged(host, before, page) && Withdraw(before, &host);
    }
  }
  return false;
}

void SiteLearner::Describe(const std::string& name, const Host& host, std::string* out) {
  absl::StrAppend(out, out->empty() ? "" : "\n", "# Learned from ", host.pages.size(), " pages");
  if (host.copies > 0) {
    absl::StrAppend(out, "; ", host.copies, " copies were passed over");
  }
  absl::StrAppend(out, ".\n[", name, "]\n");
  for (const Rule& rule : host.rules) {
    absl::StrAppend(out, "# On ", rule.pages, " pages: \"", host.texts.at(rule.text).excerpt,
                    "\"\ndrop = ", host.selectors[rule.selector], "\n");
  }
}

std::string SiteLearner::Rules() {
  std::string out;
  learned_ = 0;
  size_t most = 0;
  for (auto& [name, host] : hosts_) {
    Learn(&host);
    most = std::max(most, host.pages.size());
    if (!host.rules.empty()) {
      ++learned_;
      Describe(name, host, &out);
    }
  }
  if (learned_ > 0) {
    return out;
  }
  if (most < kMinLearnedPages) {
    return absl::StrCat("# Nothing to be learned: no host has ", kMinLearnedPages, " different articles or more (",
                        pages_, " pages of ", hosts_.size(), " hosts)\n");
  }
  return absl::StrCat("# Nothing to be learned: no element holds what repeats in the texts, and nothing else (", pages_,
                      " pages of ", hosts_.size(), " hosts)\n");
}

}  // namespace dateline::extraction
