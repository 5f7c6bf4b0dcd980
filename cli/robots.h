// What a site's robots.txt (RFC 9309) lets a crawler fetch.
#ifndef DATELINE_CLI_ROBOTS_H_
#define DATELINE_CLI_ROBOTS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace dateline::cli {

// So much of a robots.txt is read; the RFC asks for 500 KiB at the least.
inline constexpr size_t kMaxRobotsBytes = 512'000;

// Immutable, thus thread-safe.
class RobotsRules {
 public:
  // For a site without a robots.txt.
  static RobotsRules AllowAll() { return RobotsRules(); }
  // The rules for a crawler with this product token ("dateline"): those of the groups that name it, else those for
  // everybody. Anything may stand in `text`: lines that mean nothing are passed over.
  static RobotsRules Parse(absl::string_view text, absl::string_view product_token);

  // Whether `target`, the path and query of a URL, may be fetched: the longest rule that matches decides, and of two of
  // one length the one that allows.
  bool Allows(absl::string_view target) const;

  // The pause between two fetches that the site asks for, if it does. Not in the RFC, but widely used.
  std::optional<absl::Duration> crawl_delay() const { return crawl_delay_; }

 private:
  struct Rule {
    std::string pattern;  // Percent-encoded as NormalTarget does; * stands for any text, $ at the end for the end.
    bool allow = false;
  };

  std::vector<Rule> rules_;
  std::optional<absl::Duration> crawl_delay_;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_ROBOTS_H_
