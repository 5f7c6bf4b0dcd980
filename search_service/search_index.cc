#include "search_service/search_index.h"

#include <fcntl.h>
#include <unistd.h>
#include <xapian.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/error.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "search_service/label_pack.h"
#include "search_service/text_analysis.h"

namespace dateline::search {
namespace {

// Values of a document.
enum Slot : Xapian::valueno { kPublishSlot = 0, kUpdateSlot = 1, kVisibleSlot = 2, kLabelSlot = 3, kFacetSlot = 4 };

// Terms beside those of TermFor: words stand as they are, in lower case.
constexpr char kStemPrefix[] = "Z";
constexpr char kTitlePrefix[] = "S";
constexpr char kTitleStemPrefix[] = "ZS";
constexpr char kAuthorPrefix[] = "A";
constexpr char kSourcePrefix[] = "XN";
constexpr char kEmbargoTerm[] = "XEMBARGO";
constexpr std::array<const char*, kDimensionCount> kLabelPrefixes = {"XC:", "XG:", "XI:"};
constexpr size_t kLabelPrefixBytes = 3;

// A headline says three times what a line of the body says: worth 0.009 nDCG@10 over fifteen judged collections.
constexpr int kTitleWeight = 3;
// Between title, body and authors, so that no phrase spans two of them.
constexpr uint32_t kFieldGap = 100;
// BM25: k1 1.2 and b 0.75 gain 0.014 nDCG@10 on average over Xapian's defaults on the same collections.
constexpr double kK1 = 1.2;
constexpr double kB = 0.75;
// Of the word as it is written, beside its stem: enough to rank it above other forms.
constexpr double kExactWordWeight = 0.2;
constexpr int kMaxExpansion = 50;
// Shorter beginnings are looked for in titles only: in all text there are too many words that begin so.
constexpr size_t kMinBodyPrefixBytes = 3;
// How often a match looks at the clock.
constexpr uint32_t kCheckEvery = 256;
constexpr int kMaxTries = 3;
constexpr size_t kMaxIdleReaders = 32;
// The longest that a search, at its last try, may hold off the next commit.
constexpr absl::Duration kMaxHold = absl::Seconds(5);
// A correction must occur at least this often.
constexpr Xapian::doccount kMinCorrectionFrequency = 2;

constexpr char kVersionKey[] = "dateline.version";
constexpr char kLogKey[] = "dateline.log";
constexpr char kAppliedKey[] = "dateline.applied";
constexpr char kVisibleKey[] = "dateline.visible";
constexpr char kGenerationKey[] = "dateline.generation";
constexpr char kTimeKey[] = "dateline.time";

struct TimeIsUp {};
struct CallCancelled {};

// Chosen by what the caller should do; the message names the remedy.
absl::Status ToStatus(const Xapian::Error& error) {
  const std::string text = error.get_description();
  // Xapian's classes have no virtual functions: their name is what tells them apart here.
  const absl::string_view type = error.get_type();
  if (type == "DatabaseModifiedError") {
    return common::Unavailable("the index kept changing during the search; try again", absl::Milliseconds(50));
  }
  if (type == "DatabaseLockError") {
    return absl::FailedPreconditionError(absl::StrCat("another process writes the index: ", text));
  }
  if (type == "DatabaseCorruptError" || type == "DatabaseVersionError") {
    return absl::DataLossError(absl::StrCat("the index is damaged; restart the service to rebuild it: ", text));
  }
  if (absl::StartsWith(type, "Database")) {
    return common::Unavailable(absl::StrCat("index: ", text, "; check the disk of the data folder"), absl::Seconds(5));
  }
  return absl::InternalError(absl::StrCat("index: ", text));
}

// Lets readers hold off the next commit. A reader dies of the second commit after its revision: one that takes longer
// than that, while articles trickle in, would never end. Commits go first: whoever holds one off began before it was
// due, and who comes later waits until it is done.
class CommitGate {
 public:
  // As a reader: no commit while this lives, but for one that is not willing to wait longer than until `limit`.
  class Hold {
   public:
    Hold(CommitGate& gate, absl::Time limit) : gate_(gate) {
      const common::MutexLock lock(gate_.mutex_);
      while (gate_.due_ && absl::Now() < limit) gate_.changed_.WaitUntil(gate_.mutex_, limit);
      ++gate_.holds_;
      gate_.limit_ = std::max(gate_.limit_, limit);
    }
    ~Hold() {
      const common::MutexLock lock(gate_.mutex_);
      if (--gate_.holds_ == 0) gate_.limit_ = absl::InfinitePast();
      gate_.changed_.NotifyAll();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    CommitGate& gate_;
  };

  // As the writer: the commit happens while this lives.
  class Commit {
   public:
    explicit Commit(CommitGate& gate) : gate_(gate) {
      const common::MutexLock lock(gate_.mutex_);
      gate_.due_ = true;
      while (gate_.holds_ > 0 && absl::Now() < gate_.limit_) gate_.changed_.WaitUntil(gate_.mutex_, gate_.limit_);
    }
    ~Commit() {
      const common::MutexLock lock(gate_.mutex_);
      gate_.due_ = false;
      gate_.changed_.NotifyAll();
    }
    Commit(const Commit&) = delete;
    Commit& operator=(const Commit&) = delete;

   private:
    CommitGate& gate_;
  };

 private:
  common::Mutex mutex_;
  common::CondVar changed_;
  int holds_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time limit_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();  // Of the holds: the latest.
  bool due_ ABSL_GUARDED_BY(mutex_) = false;
};

// Runs `work`, which uses Xapian, and gives its errors as a status.
template <typename Work>
auto Guarded(const Work& work) -> std::invoke_result_t<Work> {
  try {
    return work();
  } catch (const Xapian::Error& error) {
    return ToStatus(error);
  }
}

std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::string NewGeneration() {
  std::random_device random;
  return absl::StrFormat("%08x%08x", random(), random());
}

absl::Status SyncFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && fsync(file) == 0;
  if (file >= 0) close(file);
  if (synced) return absl::OkStatus();
  return common::Unavailable(absl::StrCat("cannot sync ", path, "; check the disk of the data folder"),
                             absl::Seconds(5));
}

std::string SortableTime(absl::Time time) {
  return Xapian::sortable_serialise(static_cast<double>(absl::ToUnixSeconds(time)));
}

// The clock of one match. When time is up it throws or, for a partial answer, has expired.
struct Watch {
  absl::Time deadline;
  std::function<bool()> cancelled;
  bool partial = false;
  bool expired = false;
  uint32_t calls = 0;

  void Look() {
    if (cancelled && cancelled()) throw CallCancelled();
    if (absl::Now() < deadline) return;
    if (!partial) throw TimeIsUp();
    expired = true;
  }
  // For whoever steps through documents: looks at the clock now and then.
  void Step() {
    if (++calls % kCheckEvery == 0) Look();
  }
};

// All documents, until time is up.
class DeadlineSource final : public Xapian::PostingSource {
 public:
  explicit DeadlineSource(Watch* watch) : watch_(watch) {}
  Xapian::PostingSource* clone() const override { return new DeadlineSource(watch_); }
  void init(const Xapian::Database& database) override {
    last_ = database.get_lastdocid();
    count_ = database.get_doccount();
    current_ = 0;
  }
  Xapian::doccount get_termfreq_min() const override { return count_; }
  Xapian::doccount get_termfreq_est() const override { return count_; }
  Xapian::doccount get_termfreq_max() const override { return count_; }
  void next(double) override {
    ++current_;
    watch_->Step();
  }
  void skip_to(Xapian::docid document, double) override {
    if (document > current_) current_ = document;
    watch_->Step();
  }
  bool check(Xapian::docid document, double) override {
    current_ = document;
    watch_->Step();
    return true;
  }
  bool at_end() const override { return watch_->expired || current_ > last_; }
  Xapian::docid get_docid() const override { return current_; }

 private:
  Watch* watch_;
  Xapian::docid current_ = 0;
  Xapian::docid last_ = 0;
  Xapian::doccount count_ = 0;
};

// Documents that have one of some labels by other rules than the ordinary ones, for which there are terms. It may have
// to pass many documents between two that match, and so looks at the clock itself.
class LabelPostings final : public Xapian::ValuePostingSource {
 public:
  LabelPostings(const LabelOptions& options, char dimension, std::set<std::string> ids, Watch* watch)
      : Xapian::ValuePostingSource(kLabelSlot),
        options_(options),
        dimension_(dimension),
        ids_(std::move(ids)),
        watch_(watch) {}
  Xapian::PostingSource* clone() const override { return new LabelPostings(options_, dimension_, ids_, watch_); }
  void next(double min_weight) override {
    Xapian::ValuePostingSource::next(min_weight);
    Settle(min_weight);
  }
  void skip_to(Xapian::docid document, double min_weight) override {
    Xapian::ValuePostingSource::skip_to(document, min_weight);
    Settle(min_weight);
  }
  bool check(Xapian::docid document, double min_weight) override {
    watch_->Step();
    if (!Xapian::ValuePostingSource::check(document, min_weight)) return false;
    if (at_end()) return true;
    return get_docid() == document && Matches();
  }
  bool at_end() const override { return watch_->expired || Xapian::ValuePostingSource::at_end(); }
  void init(const Xapian::Database& database) override {
    Xapian::ValuePostingSource::init(database);
    set_termfreq_min(0);
    set_maxweight(0.0);
  }

 private:
  bool Matches() const {
    const std::string pack = get_value();
    bool found = false;
    ForEachPacked(pack, [&](const PackedValue& label) {
      found = found ||
              (label.kind == dimension_ && LabelCounts(label, options_) && ids_.contains(std::string(label.value)));
    });
    return found;
  }
  void Settle(double min_weight) {
    watch_->Step();
    while (!at_end() && !Matches()) {
      Xapian::ValuePostingSource::next(min_weight);
      watch_->Step();
    }
  }

  LabelOptions options_;
  char dimension_;
  std::set<std::string> ids_;
  Watch* watch_;
};

// Undated documents last, whichever way the others are sorted.
class OldestFirstKey final : public Xapian::KeyMaker {
 public:
  std::string operator()(const Xapian::Document& document) const override {
    std::string value = document.get_value(kPublishSlot);
    return value.empty() ? "\xFF\xFF" : value;
  }
};

// Counts values of some facets over all matches.
class FacetCounter final : public Xapian::MatchSpy {
 public:
  FacetCounter(std::vector<FieldRef> fields, LabelOptions options)
      : fields_(std::move(fields)), options_(std::move(options)), counts_(fields_.size()) {
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].field <= Field::kIssue) {
        labels_[static_cast<size_t>(fields_[i].field)].push_back(i);
        any_label_ = true;
      } else {
        any_other_ = true;
      }
    }
  }

  void operator()(const Xapian::Document& document, double) override {
    if (any_label_) CountLabels(document.get_value(kLabelSlot));
    if (any_other_) CountOthers(document.get_value(kFacetSlot));
  }

  std::map<std::string, int64_t> Counts(size_t i) const {
    std::map<std::string, int64_t> counts;
    for (const auto& [value, count] : counts_[i]) counts.emplace(value, count);
    return counts;
  }

 private:
  void CountLabels(const std::string& pack) {
    seen_.clear();
    ForEachPacked(pack, [&](const PackedValue& label) {
      const auto dimension = static_cast<size_t>(static_cast<unsigned char>(label.kind));
      if (dimension >= labels_.size() || labels_[dimension].empty() || !LabelCounts(label, options_)) return;
      // Two sources may give the same label.
      const std::pair<char, absl::string_view> key{label.kind, label.value};
      if (std::find(seen_.begin(), seen_.end(), key) != seen_.end()) return;
      seen_.push_back(key);
      for (const size_t facet : labels_[dimension]) Count(facet, label.value);
    });
  }

  void CountOthers(const std::string& pack) {
    ForEachPacked(pack, [&](const PackedValue& entry) {
      for (size_t i = 0; i < fields_.size(); ++i) {
        if (static_cast<int>(fields_[i].field) != entry.kind) continue;
        absl::string_view value = entry.value;
        if (fields_[i].field == Field::kAttribute) {
          // "name\0value"
          const size_t end = value.find('\0');
          if (end == absl::string_view::npos || value.substr(0, end) != fields_[i].attribute) continue;
          value.remove_prefix(end + 1);
        }
        Count(i, value);
      }
    });
  }

  void Count(size_t field, absl::string_view value) {
    const auto found = counts_[field].find(value);
    if (found != counts_[field].end()) {
      ++found->second;
    } else {
      counts_[field].emplace(std::string(value), 1);
    }
  }

  std::vector<FieldRef> fields_;
  LabelOptions options_;
  std::array<std::vector<size_t>, kDimensionCount> labels_;  // The facets of each dimension, by their index.
  bool any_label_ = false;
  bool any_other_ = false;
  std::vector<absl::flat_hash_map<std::string, int64_t>> counts_;
  std::vector<std::pair<char, absl::string_view>> seen_;
};

// Builds Xapian's queries out of ours, for one database and one call.
class QueryBuilder {
 public:
  QueryBuilder(const LabelOptions& labels, Watch* watch)
      : labels_(labels), plain_labels_(labels.sources.empty() && labels.min_score <= 0.0), watch_(watch) {}

  Xapian::Query Build(const QueryNode& node) const {
    switch (node.kind) {
      case QueryNode::Kind::kAll:
        return Everything();
      case QueryNode::Kind::kNone:
        return Xapian::Query();
      case QueryNode::Kind::kWord:
        return WordQuery(node);
      case QueryNode::Kind::kPhrase:
        return PhraseQuery(node);
      case QueryNode::Kind::kTerm:
        return TermQuery(node.term);
      case QueryNode::Kind::kTime:
        return TimeQuery(node);
      case QueryNode::Kind::kNot:
        return Xapian::Query(Xapian::Query::OP_AND_NOT, Everything(), Build(node.children.front()));
      case QueryNode::Kind::kAnd:
        return AndQuery(node.children);
      case QueryNode::Kind::kOr:
        return OrQuery(node.children);
      case QueryNode::Kind::kSome:
        // Each word counts; having all of them counts once more.
        return Xapian::Query(Xapian::Query::OP_AND_MAYBE, Combine(Xapian::Query::OP_OR, node.children),
                             Combine(Xapian::Query::OP_AND, node.children));
    }
    return Xapian::Query();
  }

  // Not Query::MatchAll: its reference count is shared between threads.
  static Xapian::Query Everything() { return Xapian::Query(std::string()); }

 private:
  Xapian::Query Combine(Xapian::Query::op op, const std::vector<QueryNode>& nodes) const {
    std::vector<Xapian::Query> queries;
    queries.reserve(nodes.size());
    for (const QueryNode& node : nodes) queries.push_back(Build(node));
    return Xapian::Query(op, queries.begin(), queries.end());
  }

  // A term counts once, however often it is asked for; labels that must be looked up in each document are looked up
  // together.
  Xapian::Query OrQuery(const std::vector<QueryNode>& nodes) const {
    std::vector<Xapian::Query> queries;
    std::set<std::string> terms;
    std::array<std::set<std::string>, kDimensionCount> labels;
    for (const QueryNode& node : nodes) {
      if (node.kind != QueryNode::Kind::kTerm) {
        queries.push_back(Build(node));
      } else if (const std::optional<size_t> dimension = LookedUp(node.term)) {
        labels[*dimension].insert(node.term.substr(kLabelPrefixBytes));
      } else if (terms.insert(node.term).second) {
        queries.push_back(TermQuery(node.term));
      }
    }
    for (size_t dimension = 0; dimension < labels.size(); ++dimension) {
      if (!labels[dimension].empty()) queries.push_back(LabelQuery(dimension, std::move(labels[dimension])));
    }
    return Xapian::Query(Xapian::Query::OP_OR, queries.begin(), queries.end());
  }

  // Words first, conditions as filters, exclusions last.
  Xapian::Query AndQuery(const std::vector<QueryNode>& nodes) const {
    std::vector<Xapian::Query> wanted;
    std::vector<Xapian::Query> conditions;
    std::vector<Xapian::Query> unwanted;
    for (const QueryNode& node : nodes) {
      if (node.kind == QueryNode::Kind::kNot) {
        unwanted.push_back(Build(node.children.front()));
      } else if (node.kind == QueryNode::Kind::kTerm || node.kind == QueryNode::Kind::kTime) {
        conditions.push_back(Build(node));
      } else {
        wanted.push_back(Build(node));
      }
    }
    Xapian::Query query =
        wanted.empty() ? Everything() : Xapian::Query(Xapian::Query::OP_AND, wanted.begin(), wanted.end());
    for (const Xapian::Query& condition : conditions) {
      query = Xapian::Query(Xapian::Query::OP_FILTER, query, condition);
    }
    if (!unwanted.empty()) {
      query = Xapian::Query(Xapian::Query::OP_AND_NOT, query,
                            Xapian::Query(Xapian::Query::OP_OR, unwanted.begin(), unwanted.end()));
    }
    return query;
  }

  static const char* WordPrefix(TextScope scope) {
    switch (scope) {
      case TextScope::kTitle:
        return kTitlePrefix;
      case TextScope::kAuthor:
        return kAuthorPrefix;
      case TextScope::kSource:
        return kSourcePrefix;
      case TextScope::kAny:
        break;
    }
    return "";
  }

  static Xapian::Query WordQuery(const QueryNode& node) {
    const std::string& word = node.words.front();
    const std::string& stem = node.stems.front();
    const std::string prefix = WordPrefix(node.scope);
    std::vector<Xapian::Query> forms;
    if (node.scope == TextScope::kAny || node.scope == TextScope::kTitle) {
      const char* stem_prefix = node.scope == TextScope::kTitle ? kTitleStemPrefix : kStemPrefix;
      forms.emplace_back(absl::StrCat(stem_prefix, stem));
      forms.emplace_back(Xapian::Query::OP_SCALE_WEIGHT, Xapian::Query(prefix + word), kExactWordWeight);
    } else {
      forms.emplace_back(prefix + word);
    }
    if (node.prefix) {
      const bool titles = node.scope == TextScope::kAny && word.size() < kMinBodyPrefixBytes;
      forms.emplace_back(Xapian::Query::OP_WILDCARD, (titles ? kTitlePrefix : prefix) + word, kMaxExpansion,
                         Xapian::Query::WILDCARD_LIMIT_MOST_FREQUENT, Xapian::Query::OP_SYNONYM);
    }
    return Xapian::Query(Xapian::Query::OP_OR, forms.begin(), forms.end());
  }

  static Xapian::Query PhraseQuery(const QueryNode& node) {
    std::vector<Xapian::Query> words;
    const std::string prefix = WordPrefix(node.scope);
    for (const std::string& word : node.words) words.emplace_back(prefix + word);
    return Xapian::Query(Xapian::Query::OP_PHRASE, words.begin(), words.end(),
                         static_cast<Xapian::termcount>(words.size()));
  }

  // The dimension of a label that terms don't answer for.
  std::optional<size_t> LookedUp(absl::string_view term) const {
    if (plain_labels_) return std::nullopt;
    for (size_t dimension = 0; dimension < kLabelPrefixes.size(); ++dimension) {
      if (absl::StartsWith(term, kLabelPrefixes[dimension])) return dimension;
    }
    return std::nullopt;
  }

  Xapian::Query LabelQuery(size_t dimension, std::set<std::string> ids) const {
    auto* source = new LabelPostings(labels_, static_cast<char>(dimension), std::move(ids), watch_);
    return Xapian::Query(source->release());
  }

  Xapian::Query TermQuery(const std::string& term) const {
    if (const std::optional<size_t> dimension = LookedUp(term)) {
      return LabelQuery(*dimension, {term.substr(kLabelPrefixBytes)});
    }
    return Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, Xapian::Query(term), 0.0);
  }

  static Xapian::Query TimeQuery(const QueryNode& node) {
    const Xapian::valueno slot = node.time_field == Field::kPublishTime ? kPublishSlot : kUpdateSlot;
    const auto value = [](int64_t seconds) { return Xapian::sortable_serialise(static_cast<double>(seconds)); };
    if (node.from && node.until) {
      if (*node.from >= *node.until) return Xapian::Query();
      return Xapian::Query(Xapian::Query::OP_VALUE_RANGE, slot, value(*node.from), value(*node.until - 1));
    }
    if (node.from) return Xapian::Query(Xapian::Query::OP_VALUE_GE, slot, value(*node.from));
    if (!node.until) return Everything();
    // VALUE_LE takes documents without a value as well: an undated article is not from before anything.
    return Xapian::Query(Xapian::Query::OP_VALUE_RANGE, slot, std::string(1, '\0'), value(*node.until - 1));
  }

  const LabelOptions& labels_;
  const bool plain_labels_;
  Watch* const watch_;
};

// Damerau-Levenshtein distance in code units, given up beyond `limit`.
size_t EditDistance(absl::string_view a, absl::string_view b, size_t limit) {
  constexpr size_t kMax = kMaxWordBytes + 1;
  if (a.size() >= kMax || b.size() >= kMax) return limit + 1;
  std::array<std::array<size_t, kMax>, 3> rows{};
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    auto& current = rows[i % 3];
    const auto& last = rows[(i - 1) % 3];
    const auto& before_last = rows[(i + 1) % 3];
    current[0] = i;
    size_t best = current[0];
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
      best = std::min(best, current[j]);
    }
    if (best > limit) return limit + 1;
  }
  return rows[a.size() % 3][b.size()];
}

// Labels, language and what facets count: the part of a document that tagging changes.
void SetLabels(const Article& article, Xapian::Document& document) {
  const std::vector<Label> effective = EffectiveLabels(article);
  std::string pack;
  for (const Label& label : article.labels) {
    if (label.verdict != LabelVerdict::kApplied) continue;
    const bool counts = std::any_of(effective.begin(), effective.end(), [&](const Label& other) {
      return other.source == label.source && other.dimension == label.dimension && other.id == label.id;
    });
    const auto flags = static_cast<char>(static_cast<int>(label.source) | (counts ? kCounts : 0));
    AppendPacked(static_cast<char>(label.dimension), flags, PackScore(label.score), label.id, pack);
  }
  document.add_value(kLabelSlot, pack);
  for (const Label& label : effective) {
    document.add_boolean_term(absl::StrCat(kLabelPrefixes[static_cast<size_t>(label.dimension)], label.id));
  }

  std::string facets;
  const auto add = [&](Field field, absl::string_view value) {
    AppendPacked(static_cast<char>(field), 0, 0, value, facets);
  };
  add(Field::kSource, article.source);
  add(Field::kContentType, article.content_type);
  std::set<absl::string_view> authors(article.authors.begin(), article.authors.end());
  for (const absl::string_view author : authors) add(Field::kAuthor, author);
  if (!article.language_code.empty()) {
    const std::string language = absl::AsciiStrToLower(article.language_code);
    const std::string base = language.substr(0, language.find('-'));
    add(Field::kLanguage, base);
    document.add_boolean_term(TermFor({Field::kLanguage, ""}, base));
    document.add_boolean_term(TermFor({Field::kLanguage, ""}, language));
  }
  if (article.publish_time) {
    const std::string month = absl::FormatTime("%Y-%m", *article.publish_time, absl::UTCTimeZone());
    add(Field::kYear, month.substr(0, month.find('-')));
    add(Field::kMonth, month);
  }
  for (const auto& [name, values] : article.attributes) {
    const std::set<absl::string_view> unique(values.begin(), values.end());
    for (const absl::string_view value : unique) {
      std::string entry = name;
      entry.push_back('\0');
      absl::StrAppend(&entry, value);
      add(Field::kAttribute, entry);
    }
  }
  document.add_value(kFacetSlot, facets);
}

bool IsLabelTerm(absl::string_view term) {
  return term.front() == 'L' || std::any_of(kLabelPrefixes.begin(), kLabelPrefixes.end(),
                                            [&](const char* prefix) { return absl::StartsWith(term, prefix); });
}

// The row, and what decides whether the words of the document are still right: the state of the content, and the
// language they were stemmed by.
std::string DocumentData(int64_t row, const Article& article) {
  return absl::StrCat(row, " ", article.content_seq, " ", StemmerLanguage(article.language_code));
}

int64_t RowOf(absl::string_view document_data) {
  int64_t row = 0;
  return absl::SimpleAtoi(document_data.substr(0, document_data.find(' ')), &row) ? row : 0;
}

Xapian::Document MakeDocument(int64_t row, const Article& article, TextAnalyzer& analyzer) {
  Xapian::Document document;
  document.set_data(DocumentData(row, article));
  absl::flat_hash_map<std::string, uint32_t> stems;
  uint32_t offset = 1;
  const std::string language = article.language_code;

  const std::vector<Token> title = analyzer.Tokenize(article.title, language);
  for (const Token& token : title) {
    document.add_posting(token.word->folded, offset + token.position, kTitleWeight);
    document.add_posting(kTitlePrefix + token.word->folded, 1 + token.position);
    document.add_term(kTitleStemPrefix + token.word->stem);
    stems[token.word->stem] += kTitleWeight;
  }
  if (!title.empty()) offset += title.back().position + kFieldGap;
  const std::vector<Token> body = analyzer.Tokenize(article.body, language);
  for (const Token& token : body) {
    document.add_posting(token.word->folded, offset + token.position);
    ++stems[token.word->stem];
  }
  if (!body.empty()) offset += body.back().position + kFieldGap;
  uint32_t author_offset = 1;
  for (const std::string& author : article.authors) {
    const std::vector<Token> tokens = analyzer.Tokenize(author, language);
    for (const Token& token : tokens) {
      // Who types a name means the author as well as whom the text is about.
      document.add_posting(token.word->folded, offset + token.position);
      document.add_posting(kAuthorPrefix + token.word->folded, author_offset + token.position);
      ++stems[token.word->stem];
    }
    if (tokens.empty()) continue;
    offset += tokens.back().position + kFieldGap;
    author_offset += tokens.back().position + kFieldGap;
  }
  for (const Token& token : analyzer.Tokenize(article.source, language)) {
    document.add_posting(kSourcePrefix + token.word->folded, 1 + token.position);
  }
  for (const auto& [stem, count] : stems) document.add_term(kStemPrefix + stem, count);

  const auto add = [&](const FieldRef& ref, absl::string_view value) {
    if (!value.empty()) document.add_boolean_term(TermFor(ref, value));
  };
  add({Field::kId, ""}, article.id);
  add({Field::kUrl, ""}, article.url);
  for (const std::string& url : article.alternate_urls) add({Field::kUrl, ""}, url);
  add({Field::kSource, ""}, article.source);
  add({Field::kContentType, ""}, article.content_type);
  for (const std::string& author : article.authors) add({Field::kAuthor, ""}, author);
  for (const auto& [name, values] : article.attributes) {
    for (const std::string& value : values) add({Field::kAttribute, name}, value);
  }
  if (article.publish_time) {
    const std::string month = absl::FormatTime("%Y-%m", *article.publish_time, absl::UTCTimeZone());
    add({Field::kMonth, ""}, month);
    add({Field::kYear, ""}, month.substr(0, month.find('-')));
    document.add_value(kPublishSlot, SortableTime(*article.publish_time));
  }
  if (article.update_time) document.add_value(kUpdateSlot, SortableTime(*article.update_time));
  if (article.visible_from) {
    document.add_boolean_term(kEmbargoTerm);
    document.add_value(kVisibleSlot, SortableTime(*article.visible_from));
  }
  SetLabels(article, document);
  return document;
}

}  // namespace

class SearchIndex::Impl {
 public:
  Impl(std::string path, std::string log_uuid, uint64_t last_seq)
      : path_(std::move(path)), log_uuid_(std::move(log_uuid)), last_seq_(last_seq) {}

  // What was not committed goes without the sequence that belongs to it. Nothing is lost: the store has it all.
  ~Impl() { Discard(); }

  absl::Status Open() {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error) {
      return absl::FailedPreconditionError(absl::StrCat("cannot make ", path_, ": ", error.message()));
    }
    if (!TryOpen()) {
      std::filesystem::remove_all(DatabasePath(), error);
      RETURN_IF_ERROR(Guarded([&]() -> absl::Status {
        writer_ = Xapian::WritableDatabase(DatabasePath(), Xapian::DB_CREATE_OR_OVERWRITE | Xapian::DB_NO_SYNC);
        writer_.set_metadata(kVersionKey, absl::StrCat(kIndexVersion));
        writer_.set_metadata(kLogKey, log_uuid_);
        writer_.set_metadata(kGenerationKey, NewGeneration());
        return absl::OkStatus();
      }));
      RETURN_IF_ERROR(Commit(0, 0, /*durable=*/true));
    }
    return Guarded([&]() -> absl::Status {
      const common::MutexLock lock(mutex_);
      generation_ = writer_.get_metadata(kGenerationKey);
      if (!absl::SimpleAtoi(writer_.get_metadata(kAppliedKey), &applied_seq_)) applied_seq_ = 0;
      if (!absl::SimpleAtoi(writer_.get_metadata(kVisibleKey), &visible_seq_)) visible_seq_ = 0;
      return absl::OkStatus();
    });
  }

  absl::Status Upsert(int64_t row, const Article& article) {
    return Guarded([&]() -> absl::Status {
      const std::string key = TermFor({Field::kId, ""}, article.id);
      const Xapian::PostingIterator found = writer_.postlist_begin(key);
      if (found == writer_.postlist_end(key)) {
        writer_.add_document(MakeDocument(row, article, analyzer_));
        return absl::OkStatus();
      }
      Xapian::Document stored = writer_.get_document(*found);
      if (stored.get_data() == DocumentData(row, article)) {
        ChangeLabels(*found, article, stored);
      } else {
        writer_.replace_document(*found, MakeDocument(row, article, analyzer_));
      }
      return absl::OkStatus();
    });
  }

  // Forgets what was not committed.
  absl::Status Recover() {
    Discard();
    return Guarded([&]() -> absl::Status {
      writer_ = Xapian::WritableDatabase(DatabasePath(), Xapian::DB_OPEN | Xapian::DB_NO_SYNC);
      return absl::OkStatus();
    });
  }

  absl::Status Remove(absl::string_view id) {
    return Guarded([&]() -> absl::Status {
      writer_.delete_document(TermFor({Field::kId, ""}, id));
      return absl::OkStatus();
    });
  }

  absl::Status Commit(uint64_t applied_seq, uint64_t visible_seq, bool durable) {
    const absl::Time now = absl::Now();
    // What the machine's next boot must know: whether all of the index is on the disk. So the mark goes first when it
    // says no, and last when it says yes.
    if (!durable && (marked_clean_ || !marked_)) RETURN_IF_ERROR(Mark(false));
    RETURN_IF_ERROR(Guarded([&]() -> absl::Status {
      writer_.set_metadata(kAppliedKey, absl::StrCat(applied_seq));
      writer_.set_metadata(kVisibleKey, absl::StrCat(visible_seq));
      writer_.set_metadata(kTimeKey, absl::StrCat(absl::ToUnixMicros(now)));
      const CommitGate::Commit turn(gate_);
      writer_.commit();
      return absl::OkStatus();
    }));
    if (durable) {
      RETURN_IF_ERROR(SyncFiles());
      if (!marked_clean_) RETURN_IF_ERROR(Mark(true));
    }
    const common::MutexLock lock(mutex_);
    applied_seq_ = applied_seq;
    visible_seq_ = visible_seq;
    commit_time_ = now;
    return absl::OkStatus();
  }

  uint64_t applied_seq() const {
    const common::MutexLock lock(mutex_);
    return applied_seq_;
  }
  uint64_t visible_seq() const {
    const common::MutexLock lock(mutex_);
    return visible_seq_;
  }
  std::string generation() const {
    const common::MutexLock lock(mutex_);
    return generation_;
  }
  absl::Time commit_time() const {
    const common::MutexLock lock(mutex_);
    return commit_time_;
  }

  // Calls `use` with a reader of the latest revision; again with a fresh one when commits got in the way. The last time
  // they have to wait, though not beyond `deadline`.
  template <typename Use>
  auto Read(absl::Time deadline, const Use& use) const -> std::invoke_result_t<Use, Xapian::Database&> {
    std::optional<CommitGate::Hold> hold;
    for (int attempt = 1;; ++attempt) {
      if (attempt == kMaxTries) hold.emplace(gate_, std::min(deadline, absl::Now() + kMaxHold));
      try {
        std::unique_ptr<Xapian::Database> database = Take();
        if (database == nullptr) {
          database = std::make_unique<Xapian::Database>(DatabasePath());
        } else {
          database->reopen();
        }
        auto result = use(*database);
        const common::MutexLock lock(mutex_);
        if (idle_.size() < kMaxIdleReaders) idle_.push_back(std::move(database));
        return result;
      } catch (const Xapian::DatabaseError& error) {
        // Not only DatabaseModifiedError tells of a commit that got in the way: where the root block of a table is
        // written over, Xapian 1.4 finds it at the wrong level and calls that corrupt. What is damaged stays so.
        if (attempt == kMaxTries) return ToStatus(error);
      } catch (const Xapian::Error& error) {
        return ToStatus(error);
      } catch (const TimeIsUp&) {
        return absl::DeadlineExceededError(
            "the search did not finish before its deadline; ask for less, or allow more time");
      } catch (const CallCancelled&) {
        return absl::CancelledError("the caller cancelled the search");
      }
    }
  }

  absl::StatusOr<MatchResult> Match(const MatchRequest& request) const {
    return Read(request.deadline,
                [&](Xapian::Database& database) -> absl::StatusOr<MatchResult> { return MatchIn(database, request); });
  }

  absl::StatusOr<std::vector<int64_t>> Resolve(const std::vector<HitRef>& hits) const {
    return Read(absl::InfiniteFuture(), [&](Xapian::Database& database) -> absl::StatusOr<std::vector<int64_t>> {
      std::vector<int64_t> rows;
      rows.reserve(hits.size());
      for (const HitRef& hit : hits) {
        int64_t row = 0;
        try {
          row = RowOf(database.get_document(hit.document).get_data());
        } catch (const Xapian::DocNotFoundError&) {
          row = 0;  // Deleted since.
        }
        rows.push_back(row);
      }
      return rows;
    });
  }

  absl::StatusOr<std::optional<std::string>> Correct(const SearchedWord& searched, absl::Time deadline) const {
    using Found = absl::StatusOr<std::optional<std::string>>;
    Found found = Read(deadline, [&](Xapian::Database& database) -> Found {
      const std::string& word = searched.word.folded;
      if (word.size() < 4 || absl::ascii_isdigit(static_cast<unsigned char>(word.front()))) return std::nullopt;
      if (database.term_exists(word) || database.term_exists(kStemPrefix + searched.word.stem)) return std::nullopt;
      const size_t limit = word.size() < 8 ? 1 : 2;
      const std::string first(1, word.front());
      std::optional<std::string> best;
      size_t best_distance = limit + 1;
      Xapian::doccount best_frequency = 0;
      uint32_t looked = 0;
      for (Xapian::TermIterator term = database.allterms_begin(first); term != database.allterms_end(first); ++term) {
        if (++looked % kCheckEvery == 0 && absl::Now() > deadline) break;
        const std::string candidate = *term;
        const size_t difference =
            candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
        if (difference > limit || term.get_termfreq() < kMinCorrectionFrequency) continue;
        const size_t distance = EditDistance(word, candidate, limit);
        if (distance < best_distance ||
            (distance == best_distance && distance <= limit && term.get_termfreq() > best_frequency)) {
          best = candidate;
          best_distance = distance;
          best_frequency = term.get_termfreq();
        }
      }
      return best;
    });
    // It is an extra of a search that has its answer.
    if (absl::IsUnavailable(found.status())) return std::nullopt;
    return found;
  }

  absl::StatusOr<bool> HasEmbargoes(absl::Time now) const {
    return Read(absl::InfiniteFuture(),
                [&](Xapian::Database& database) -> absl::StatusOr<bool> { return HasEmbargoesIn(database, now); });
  }

  absl::StatusOr<int64_t> document_count() const {
    return Read(absl::InfiniteFuture(),
                [&](Xapian::Database& database) -> absl::StatusOr<int64_t> { return database.get_doccount(); });
  }

  int64_t DiskBytes() const {
    int64_t bytes = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_, error)) {
      std::error_code ignored;
      if (entry.is_regular_file(ignored)) bytes += static_cast<int64_t>(entry.file_size(ignored));
    }
    return bytes;
  }

 private:
  std::string DatabasePath() const { return absl::StrCat(path_, "/main"); }
  std::string MarkPath() const { return absl::StrCat(path_, "/state"); }

  // Gives up the writer, with all that it has not committed, and its lock.
  void Discard() {
    try {
      // Outside a transaction close() commits what there is: half a batch, perhaps of a commit that has just failed;
      // and if it fails again, the lock stays. Inside one it drops all changes, those from before the transaction as
      // well.
      writer_.begin_transaction(/*flushed=*/false);
    } catch (const Xapian::Error&) {
      // There is no database, or it is in a transaction already.
    }
    try {
      writer_.close();
    } catch (const Xapian::Error&) {
      // It is of no use any more, whatever it says.
    }
    // Only now the old one is gone; a new one could not be opened beside it.
    writer_ = Xapian::WritableDatabase();
  }

  // True if the index that is there can be used.
  bool TryOpen() {
    std::error_code error;
    if (!std::filesystem::exists(DatabasePath(), error)) return false;
    try {
      std::ifstream mark(MarkPath());
      std::string state;
      std::string boot;
      mark >> state >> boot;
      // An id that could not be read, then or now, says nothing: better one check too many.
      const bool machine_went_down = state != "clean" && (boot.empty() || boot != BootId());
      if (machine_went_down && Xapian::Database::check(DatabasePath(), 0, nullptr) != 0) return false;
      writer_ = Xapian::WritableDatabase(DatabasePath(), Xapian::DB_OPEN | Xapian::DB_NO_SYNC);
      int64_t micros = 0;
      if (absl::SimpleAtoi(writer_.get_metadata(kTimeKey), &micros)) {
        const common::MutexLock lock(mutex_);
        commit_time_ = absl::FromUnixMicros(micros);
      }
      marked_ = true;
      marked_clean_ = state == "clean";
      uint64_t applied = 0;
      if (writer_.get_metadata(kVersionKey) == absl::StrCat(kIndexVersion) &&
          writer_.get_metadata(kLogKey) == log_uuid_ && absl::SimpleAtoi(writer_.get_metadata(kAppliedKey), &applied) &&
          applied <= last_seq_) {
        return true;
      }
      Discard();
      return false;
    } catch (const Xapian::Error&) {
      Discard();
      return false;  // Whatever is wrong with it, the store can make it again.
    }
  }

  absl::Status Mark(bool clean) {
    std::ofstream file(MarkPath(), std::ios::trunc);
    file << (clean ? "clean " : "open ") << BootId() << "\n";
    file.close();
    if (!file)
      return common::Unavailable(absl::StrCat("cannot write ", MarkPath(), "; check the disk"), absl::Seconds(5));
    RETURN_IF_ERROR(SyncFile(MarkPath()));
    RETURN_IF_ERROR(SyncFile(path_));
    marked_ = true;
    marked_clean_ = clean;
    return absl::OkStatus();
  }

  absl::Status SyncFiles() const;

  // `document` as fetched knows what is stored: only the lists of terms that changed are written again.
  void ChangeLabels(Xapian::docid document_id, const Article& article, Xapian::Document& document) {
    std::vector<std::string> old_terms;
    for (Xapian::TermIterator term = document.termlist_begin(); term != document.termlist_end(); ++term) {
      const std::string text = *term;
      if (IsLabelTerm(text)) old_terms.push_back(text);
    }
    for (const std::string& term : old_terms) document.remove_term(term);
    SetLabels(article, document);
    writer_.replace_document(document_id, document);
  }

  std::unique_ptr<Xapian::Database> Take() const {
    const common::MutexLock lock(mutex_);
    if (idle_.empty()) return nullptr;
    std::unique_ptr<Xapian::Database> database = std::move(idle_.back());
    idle_.pop_back();
    return database;
  }

  static Xapian::Query WithFilters(const QueryBuilder& builder, const MatchRequest& request, Xapian::Query query,
                                   const std::optional<FieldRef>& left_out) {
    for (const IndexFilter& filter : request.filters) {
      if (left_out && filter.field == left_out) continue;
      query = Xapian::Query(Xapian::Query::OP_FILTER, query, builder.Build(filter.condition));
    }
    if (request.embargoed_after) {
      const Xapian::Query embargoed(
          Xapian::Query::OP_AND, Xapian::Query(kEmbargoTerm),
          Xapian::Query(Xapian::Query::OP_VALUE_GE, kVisibleSlot,
                        Xapian::sortable_serialise(static_cast<double>(*request.embargoed_after + 1))));
      query = Xapian::Query(Xapian::Query::OP_AND_NOT, query, embargoed);
    }
    return query;
  }

  // By the greatest time that was ever stored, which costs nothing.
  static bool HasEmbargoesIn(Xapian::Database& database, absl::Time now) {
    return database.get_termfreq(kEmbargoTerm) > 0 && database.get_value_upper_bound(kVisibleSlot) > SortableTime(now);
  }

  static absl::StatusOr<MatchResult> MatchIn(Xapian::Database& database, const MatchRequest& request) {
    MatchResult result;
    if (!absl::SimpleAtoi(database.get_metadata(kVisibleKey), &result.visible_seq)) result.visible_seq = 0;
    if (!absl::SimpleAtoi(database.get_metadata(kAppliedKey), &result.applied_seq)) result.applied_seq = 0;
    int64_t micros = 0;
    if (absl::SimpleAtoi(database.get_metadata(kTimeKey), &micros)) result.commit_time = absl::FromUnixMicros(micros);
    result.embargoes = HasEmbargoesIn(database, absl::Now());
    const Xapian::doccount documents = database.get_doccount();
    Watch watch{request.deadline, request.cancelled, request.partial_on_timeout};
    if (request.cancelled && request.cancelled()) throw CallCancelled();
    result.facets.resize(request.facets.size());
    if (absl::Now() >= request.deadline) {
      if (!request.partial_on_timeout) throw TimeIsUp();
      result.complete = false;
      return result;
    }

    const QueryBuilder builder(request.labels, &watch);
    const Xapian::Query base = builder.Build(request.query);
    const auto watched = [&](const Xapian::Query& query) {
      auto* source = new DeadlineSource(&watch);
      return Xapian::Query(Xapian::Query::OP_FILTER, query, Xapian::Query(source->release()));
    };
    // Facets whose field has a condition are counted without it, in a search of their own.
    std::vector<size_t> shared;
    std::vector<size_t> own;
    for (size_t i = 0; i < request.facets.size(); ++i) {
      const bool conditioned =
          std::any_of(request.filters.begin(), request.filters.end(),
                      [&](const IndexFilter& filter) { return filter.field == request.facets[i]; });
      (conditioned ? own : shared).push_back(i);
    }

    Xapian::Enquire enquire(database);
    enquire.set_weighting_scheme(Xapian::BM25Weight(kK1, 0, 1, kB, 0.5));
    OldestFirstKey oldest_first;
    if (request.sort != SortOrder::kRelevance) {
      enquire.set_weighting_scheme(Xapian::BoolWeight());
      if (request.sort == SortOrder::kNewestFirst) {
        enquire.set_docid_order(Xapian::Enquire::DESCENDING);
        enquire.set_sort_by_value(kPublishSlot, /*reverse=*/true);
      } else {
        enquire.set_sort_by_key(&oldest_first, /*reverse=*/false);
      }
    }
    enquire.set_query(watched(WithFilters(builder, request, base, std::nullopt)));
    std::vector<FieldRef> shared_fields;
    for (const size_t i : shared) shared_fields.push_back(request.facets[i]);
    FacetCounter counter(shared_fields, request.labels);
    if (!shared.empty()) enquire.add_matchspy(&counter);
    const Xapian::MSet matches = enquire.get_mset(0, static_cast<Xapian::doccount>(request.max_hits), documents);
    result.total = matches.get_matches_estimated();
    result.hits.reserve(matches.size());
    for (Xapian::MSetIterator match = matches.begin(); match != matches.end(); ++match) {
      result.hits.push_back({*match, static_cast<float>(match.get_weight())});
    }
    for (size_t k = 0; k < shared.size(); ++k) result.facets[shared[k]] = counter.Counts(k);

    const absl::Time counting = absl::Now();
    for (const size_t i : own) {
      watch.Look();  // A short search steps too little to look by itself.
      if (watch.expired) break;
      Xapian::Enquire facet_enquire(database);
      facet_enquire.set_weighting_scheme(Xapian::BoolWeight());
      facet_enquire.set_query(watched(WithFilters(builder, request, base, request.facets[i])));
      FacetCounter own_counter({request.facets[i]}, request.labels);
      facet_enquire.add_matchspy(&own_counter);
      facet_enquire.get_mset(0, 0, documents);
      result.facets[i] = own_counter.Counts(0);
    }
    result.facets_time = absl::Now() - counting;
    result.complete = !watch.expired;
    if (watch.expired)
      result.total = std::max<int64_t>(matches.get_matches_lower_bound(), static_cast<int64_t>(result.hits.size()));
    return result;
  }

  const std::string path_;
  const std::string log_uuid_;
  const uint64_t last_seq_;  // Of the log, when the index was opened.
  // The writing thread's.
  Xapian::WritableDatabase writer_;
  TextAnalyzer analyzer_;
  bool marked_ = false;
  bool marked_clean_ = false;

  mutable CommitGate gate_;
  mutable common::Mutex mutex_;
  mutable std::vector<std::unique_ptr<Xapian::Database>> idle_ ABSL_GUARDED_BY(mutex_);
  uint64_t applied_seq_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t visible_seq_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string generation_ ABSL_GUARDED_BY(mutex_);
  absl::Time commit_time_ ABSL_GUARDED_BY(mutex_);
};

absl::Status SearchIndex::Impl::SyncFiles() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(DatabasePath(), error)) {
    std::error_code ignored;
    if (!entry.is_regular_file(ignored)) continue;
    RETURN_IF_ERROR(SyncFile(entry.path().string()));
  }
  return SyncFile(DatabasePath());
}

SearchIndex::SearchIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SearchIndex::~SearchIndex() = default;

absl::StatusOr<std::unique_ptr<SearchIndex>> SearchIndex::Open(const std::string& path, const std::string& log_uuid,
                                                               uint64_t last_seq) {
  auto impl = std::make_unique<Impl>(path, log_uuid, last_seq);
  RETURN_IF_ERROR(impl->Open());
  return absl::WrapUnique(new SearchIndex(std::move(impl)));
}

absl::Status SearchIndex::Upsert(int64_t row, const Article& article) { return impl_->Upsert(row, article); }
absl::Status SearchIndex::Recover() { return impl_->Recover(); }
absl::Status SearchIndex::Remove(absl::string_view id) { return impl_->Remove(id); }
absl::Status SearchIndex::Commit(uint64_t applied_seq, uint64_t visible_seq, bool durable) {
  return impl_->Commit(applied_seq, visible_seq, durable);
}
uint64_t SearchIndex::applied_seq() const { return impl_->applied_seq(); }
uint64_t SearchIndex::visible_seq() const { return impl_->visible_seq(); }
absl::StatusOr<MatchResult> SearchIndex::Match(const MatchRequest& request) const { return impl_->Match(request); }
absl::StatusOr<std::vector<int64_t>> SearchIndex::Resolve(const std::vector<HitRef>& hits) const {
  return impl_->Resolve(hits);
}
absl::StatusOr<std::optional<std::string>> SearchIndex::Correct(const SearchedWord& word, absl::Time deadline) const {
  return impl_->Correct(word, deadline);
}
absl::StatusOr<bool> SearchIndex::HasEmbargoes(absl::Time now) const { return impl_->HasEmbargoes(now); }
absl::StatusOr<int64_t> SearchIndex::document_count() const { return impl_->document_count(); }
std::string SearchIndex::generation() const { return impl_->generation(); }
int64_t SearchIndex::DiskBytes() const { return impl_->DiskBytes(); }
absl::Time SearchIndex::commit_time() const { return impl_->commit_time(); }

}  // namespace dateline::search
