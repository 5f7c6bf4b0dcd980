// What the user named on the command line, one article after another: files, folders, URLs, standard input.
#ifndef DATELINE_CLI_INPUT_H_
#define DATELINE_CLI_INPUT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "cli/byte_source.h"
#include "cli/checkpoint.h"
#include "cli/fetch_state.h"
#include "cli/http_fetch.h"
#include "extraction/extraction.h"
#include "extraction/site_rules.h"
#include "extraction/source_reader.h"

namespace dateline::cli {

class Inventory;

// Standard input, as a place.
inline constexpr char kStandardInput[] = "-";

// Whether pages are fetched that a source names without holding their text: entries of feeds with a summary only,
// addresses in sitemaps and tables.
enum class Follow {
  kAuto,  // If the source was itself fetched: a file on disk makes nobody go to the network.
  kAlways,
  kNever,
};

struct InputOptions {
  extraction::Format format = extraction::Format::kUnknown;  // kUnknown: told from each input's first bytes.
  std::string url = {};                                      // The address of a page that is not fetched from there.
  bool explain = false;                                      // Fill Extraction::blocks.
  bool locate = false;                                       // With `explain`: say where each of them stands.
  std::vector<extraction::Block>* rejected = nullptr;        // As in extraction::Options.
  std::shared_ptr<const extraction::SiteRules> site_rules = {};  // What a person says about some sites' pages.
  std::string site_rules_digest = {};                            // Of their text; empty without.
  // Give one item for each line of JSON Lines, in order: also for blank ones, as an error.
  bool every_line = false;
  std::vector<extraction::FieldMapping> field_map = {};
  std::vector<std::string> post_types = {"post"};  // Of exports of WordPress: see SourceOptions.
  std::vector<std::string> post_statuses = {"publish"};
  FetchOptions fetch = {};
  Follow follow = Follow::kAuto;
  int64_t max_fetches = 1000;  // Pages and sitemaps that are fetched because a source names them, in all.
  // What was fetched before, so that what has not changed is passed over; null: everything is new. Is told of what was
  // read here, and outlives the reader.
  FetchState* fetch_state = nullptr;
  // Whether an article is stored that has this id, which may be empty, or this address: a page whose article is not
  // stored is fetched anew, whatever `fetch_state` has of it. Null: nobody knows, and `fetch_state` is trusted.
  std::function<bool(const std::string& id, const std::string& url)> is_stored = {};
  // Which local files were taken before, or how far, so that these articles are passed over; null: none. Is told of
  // what is read and passed over here, not of what becomes of the items that are given out. Outlives the reader.
  Checkpoint* checkpoint = nullptr;
  // Is told of all that the sources name, also of what is passed over; sources are then read however little they have
  // changed. Null: nobody is. Outlives the reader.
  Inventory* inventory = nullptr;
  // The local files that were read before, each with its state then: what is still the same is passed over. Null: none
  // was. Is told of those that are read here. Outlives the reader.
  std::map<std::string, FileStamp>* read_before = nullptr;
  // A file in a folder or by itself that changed so shortly ago may still be written to, and is passed over for now.
  absl::Duration settling = absl::ZeroDuration();
};

// One article, or why there is none.
struct InputItem {
  std::string source;    // A path, a URL without name and password, or "-".
  std::string position;  // "line 12", "entry 3", "page"; empty if the source as a whole could not be read.
  std::string id;        // The input's own id, as far as it could be read: with `every_line` also beside an error.
  extraction::Format format = extraction::Format::kUnknown;
  // The text is a summary, and its page was not fetched or gave no more, or it is what stands before a paywall: not to
  // stand in the place of an article.
  bool summary_only = false;
  absl::StatusOr<extraction::Extraction> extraction = absl::UnknownError("not read");
  // Beside an error: the source can't be read (any further), and how many articles are missing is not known.
  bool cuts_off = false;
  // Beside an error: the line of JSON Lines that it is of, as far as it is UTF-8 and not too long to be passed on.
  std::string line = {};
  // Beside an error: the page that a source names, and that answers 404 or 410; empty if that isn't it.
  std::string gone = {};
  // Which item of which file it is, for the checkpoint: 0 if it is of none.
  int64_t file = 0;
  int64_t number = 0;
  // Beside an article: another time there may be more of it.
  bool unfinished = false;
  // What `fetch_state` calls the page that it was fetched from; empty if it has no entry of it.
  std::string state_url = {};
  // It had one before, and was fetched anew because no article of it is stored.
  bool missed = false;
};

// Of all that is in a file these decide what articles come out of it.
Checkpoint::Settings SettingsOf(const InputOptions& options);

// InvalidArgument if `options.url`, which is the address of one page, would be that of several.
absl::Status CheckUrlIsOfOne(const std::vector<std::string>& places, const InputOptions& options);

// Reads all inputs in order, holding one article in memory at a time. What cannot be read is an
// item with an error, and the rest is unharmed. Folders are read recursively in the order of their paths: hidden files
// and files whose names say that they hold no articles (pictures, scripts, …) are passed over. Not thread-safe.
class InputReader {
 public:
  // Lists the folders among `places`. Finds nothing wrong: that comes with the items.
  InputReader(const std::vector<std::string>& places, InputOptions options);
  InputReader(const InputReader&) = delete;
  InputReader& operator=(const InputReader&) = delete;

  // The next article; nullopt at the end, and once the process was interrupted (interrupt.h). May block.
  std::optional<InputItem> Next();

  // Whether Next() may have to wait for somebody to write: time to hand out what is held back.
  bool MayWait();

  int64_t bytes_read() const { return bytes_read_; }
  // The size of all inputs together, where it is known.
  std::optional<int64_t> total_bytes() const { return total_bytes_; }
  // Files in folders and archives that were passed over because of their names, and drafts and the like in exports.
  int64_t skipped_files() const { return skipped_files_; }
  // Pages and sources that have not changed since they were fetched last.
  int64_t unchanged() const { return unchanged_; }
  // Files that have not changed since the checkpoint had them as taken, and articles of others that it had as answered.
  int64_t unchanged_files() const { return unchanged_files_; }
  int64_t answered_before() const { return answered_before_; }
  // Articles that are summaries because their pages were not to be fetched.
  int64_t summaries() const { return summaries_; }

  // Asks for a page that was not named by the sources read, as politely as for those that were, and within
  // max_fetches (else ResourceExhausted): whether it is there. Errors as of HttpFetcher.
  absl::Status LookForPage(const std::string& url);

  // At the end: what the user should know of it all, a sentence each.
  std::vector<std::string> Notes() const;

 private:
  struct Source {
    std::string place;
    absl::Status listing_error;  // Of a folder that could not be listed.
    int depth = 0;               // How many sources lead to this one; 0: the user named it.
    std::optional<absl::Time> modified;
  };

  void List(const std::string& folder, int depth);
  absl::Status Open(const Source& source);
  absl::Status OpenDescriptor(int descriptor, bool owned);
  // Whether a local file, which is open now, is to be read; it is known from then on.
  bool BeginFile(int descriptor);
  // The file is at its end.
  void EndFile();
  // Of an item that says all there is to it.
  void TellInventory(const extraction::SourceItem& item, const std::string& id);
  // Of one with a link to a page: what the source said of it, and what became of it (null: it was passed over).
  void TellInventory(const extraction::Article& named, const extraction::Link& link, const InputItem* followed) const;
  absl::Status OpenStream(extraction::ReadFunction read, extraction::SourceOptions source_options);
  // OK and no reader if the source has not changed since it was fetched last.
  absl::Status OpenUrl(const Source& source);
  std::optional<InputItem> NextOfSource();
  // How pages are read, wherever they come from.
  extraction::Options ExtractOptions() const;
  extraction::SourceItem ParseLine(LineReader::Line line, std::string* id) const;
  // What becomes of an item that says where to go on: the item itself, completed or not, or nothing.
  std::optional<InputItem> FollowLink(const extraction::Link& link, InputItem item);
  std::optional<InputItem> FetchPage(const extraction::Link& link, InputItem item);
  void QueueSource(const extraction::Link& link);
  bool HasChanged(const std::string& url, const std::optional<absl::Time>& modified) const;
  // Whether what the state has of the page of `link` counts, since its article, which the source calls `id`, is where
  // it should be.
  bool IsInPlace(const extraction::Link& link, const std::string& id) const;
  void CloseSource();

  const InputOptions options_;
  const std::shared_ptr<std::vector<bool>> mappings_used_;
  std::vector<std::string> empty_folders_;
  std::vector<std::string> source_notes_;  // What the sources' readers have to say.
  bool records_read_ = false;              // Something that mappings are for.
  std::vector<Source> sources_;
  size_t next_source_ = 0;
  HttpFetcher fetcher_;
  int64_t fetches_ = 0;
  std::set<size_t> seen_urls_;  // Hashes of what was followed.
  // The source being read; both readers are null between sources.
  std::string place_;
  int descriptor_ = -1;  // Of a file or standard input; owned by the reader.
  extraction::Format format_ = extraction::Format::kUnknown;
  std::unique_ptr<extraction::SourceReader> reader_;
  std::unique_ptr<LineReader> lines_;  // JSON Lines.
  int depth_ = 0;
  bool following_ = false;
  std::optional<FetchedPage> fetched_;  // Without its content.
  std::optional<absl::Time> modified_;  // As whoever named the source has it.
  bool failed_ = false;                 // There was an error among its items.
  std::string digest_;                  // Of what was fetched, if it is short enough to be held.
  bool latest_only_ = false;            // As of its items.
  int64_t good_items_ = 0;              // That are no errors.
  // Of a local file: what the checkpoint calls it, or 0; how many of its items were answered before, and were read now.
  int64_t file_ = 0;
  int64_t file_answered_ = 0;
  int64_t file_items_ = 0;  // Of any source.
  FileStamp file_stamp_;
  std::vector<Source> found_;  // Sources that it names.
  int64_t bytes_read_ = 0;
  std::optional<int64_t> total_bytes_ = 0;
  int64_t skipped_files_ = 0;
  int64_t unchanged_ = 0;
  int64_t unchanged_files_ = 0;
  int64_t answered_before_ = 0;
  int64_t summaries_ = 0;
};

}  // namespace dateline::cli

#endif  // DATELINE_CLI_INPUT_H_
