#include "search_service/index_match.h"

#include <xapian.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

#include "search_service/index_document.h"
#include "search_service/label_pack.h"
#include "search_service/text_analysis.h"

namespace dateline::search {
namespace {

// BM25: k1 1.2 and b 0.75 gain 0.014 nDCG@10 on average over Xapian's defaults, over fifteen judged collections.
constexpr double kK1 = 1.2;
constexpr double kB = 0.75;
// Of the word as it is written, beside its stem: enough to rank it above other forms.
constexpr double kExactWordWeight = 0.2;
// The same of a word that is being typed.
constexpr double kUnfinishedWordWeight = 0.05;
// Of having all words, where not all are demanded: 1 costs 0.004 nDCG@10 on average (docs/quality.md), and 0 leaves it
// to the words.
constexpr double kAllWordsWeight = 0.1;
// Of a word that is spelled nearly as the one that was asked for.
constexpr double kCorrectionWeight = 0.8;
// Of a word with synonyms: what it is worth for itself, beside what all of them together are. So an article with a
// synonym has less than one that has the word as often, however rare the synonym is.
constexpr double kOwnWeight = 0.2;
// Of words that begin as one that is typed: the most frequent are searched for.
constexpr int kMaxExpansion = 200;
// Of having all words of the query in the title, in words of the title: a short text with all of them is what somebody
// who types two or three words is looking for, though a long one may have each more often.
constexpr double kAllInTitleWeight = 1.0;
// A question's expansion (docs/adr/0007): how many of the best hits it is taken from, how many stems, and what the
// first of these is worth beside a word of the query. A hit counts by this power of its score, so that one that is far
// ahead speaks alone.
constexpr Xapian::doccount kFeedbackHits = 5;
constexpr size_t kFeedbackStems = 40;
constexpr double kFeedbackWeight = 0.4;
constexpr double kFeedbackPower = 4.0;
// Of one hit, those that occur most often; what a long article has once says little of it.
constexpr size_t kMaxStemsOfHit = 200;
constexpr size_t kMinStemBytes = 3;
// Hits that change their places by it; those behind them keep theirs, as no score falls.
constexpr size_t kMaxExpandedHits = 1'000;
// Hits that are looked at to fold those that belong together.
constexpr int kMaxFolded = 10'000;
constexpr size_t kMaxExplained = 100;
// How often a match looks at the clock.
constexpr uint32_t kCheckEvery = 256;

Xapian::BM25Weight TextWeight() { return Xapian::BM25Weight(kK1, 0, 1, kB, 0.5); }

struct TimeIsUp {};
struct CallCancelled {};

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

// All documents that count, until time is up. A match that goes through all of them, or through few that are asked for
// one by one, looks at the clock here.
class LiveDocuments final : public Xapian::PostingSource {
 public:
  LiveDocuments(const IndexReader& reader, Watch* watch) : reader_(reader), watch_(watch) {}
  Xapian::PostingSource* clone() const override { return new LiveDocuments(reader_, watch_); }
  // Called with each database of the set, on a clone of its own.
  void init(const Xapian::Database& database) override {
    hidden_ = reader_.HiddenIn(database.get_uuid());
    last_ = database.get_lastdocid();
    count_ = last_;
    if (hidden_ != nullptr) count_ -= static_cast<Xapian::doccount>(std::count(hidden_->begin(), hidden_->end(), true));
    current_ = 0;
  }
  Xapian::doccount get_termfreq_min() const override { return count_; }
  Xapian::doccount get_termfreq_est() const override { return count_; }
  Xapian::doccount get_termfreq_max() const override { return count_; }
  void next(double) override {
    ++current_;
    PassHidden();
  }
  void skip_to(Xapian::docid document, double) override {
    if (document > current_) current_ = document;
    PassHidden();
  }
  bool check(Xapian::docid document, double) override {
    current_ = document;
    watch_->Step();
    return !IsHidden(document);
  }
  bool at_end() const override { return watch_->expired || current_ > last_; }
  Xapian::docid get_docid() const override { return current_; }

 private:
  bool IsHidden(Xapian::docid document) const {
    return hidden_ != nullptr && document < hidden_->size() && (*hidden_)[document];
  }
  void PassHidden() {
    watch_->Step();
    while (current_ <= last_ && IsHidden(current_)) {
      ++current_;
      watch_->Step();
    }
  }

  const IndexReader& reader_;
  Watch* watch_;
  const DocumentBitmap* hidden_ = nullptr;
  Xapian::docid current_ = 0;
  Xapian::docid last_ = 0;
  Xapian::doccount count_ = 0;
};

// Some documents of the set, by their numbers in all of it.
class GivenDocuments final : public Xapian::PostingSource {
 public:
  GivenDocuments(const IndexReader& reader, const std::vector<Xapian::docid>& documents, Watch* watch)
      : reader_(reader), documents_(documents), watch_(watch) {}
  Xapian::PostingSource* clone() const override { return new GivenDocuments(reader_, documents_, watch_); }
  void init(const Xapian::Database& database) override {
    const size_t parts = reader_.parts.size();
    const std::string uuid = database.get_uuid();
    here_.clear();
    for (const Xapian::docid document : documents_) {
      if (reader_.parts[(document - 1) % parts].uuid == uuid) {
        here_.push_back(static_cast<Xapian::docid>((document - 1) / parts + 1));
      }
    }
    std::sort(here_.begin(), here_.end());
    next_ = 0;
  }
  Xapian::doccount get_termfreq_min() const override { return get_termfreq_max(); }
  Xapian::doccount get_termfreq_est() const override { return get_termfreq_max(); }
  Xapian::doccount get_termfreq_max() const override { return static_cast<Xapian::doccount>(here_.size()); }
  void next(double) override {
    ++next_;
    watch_->Step();
  }
  void skip_to(Xapian::docid document, double) override {
    // What lies before the present one is passed already.
    const size_t from = next_ == 0 ? 0 : next_ - 1;
    const auto first = here_.begin() + static_cast<std::ptrdiff_t>(from);
    next_ = static_cast<size_t>(std::lower_bound(first, here_.end(), document) - here_.begin()) + 1;
    watch_->Step();
  }
  bool at_end() const override { return watch_->expired || next_ > here_.size(); }
  Xapian::docid get_docid() const override { return here_[next_ - 1]; }

 private:
  const IndexReader& reader_;
  const std::vector<Xapian::docid>& documents_;
  Watch* watch_;
  std::vector<Xapian::docid> here_;  // Their numbers in this database.
  size_t next_ = 0;                  // One more than the place of the present one.
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

// A Monday, from which weeks are counted.
constexpr absl::CivilDay kFirstMonday(1970, 1, 5);
constexpr int64_t kDaySeconds = 86'400;
// Memory of an answer that nobody could read.
constexpr size_t kMaxTrendKeys = 1'000'000;

struct TooManyTrends {};

int64_t BucketOf(int64_t seconds, TrendBucket bucket, absl::TimeZone zone) {
  const absl::TimeZone in = seconds % kDaySeconds == 0 ? absl::UTCTimeZone() : zone;
  const absl::CivilDay day = absl::ToCivilDay(absl::FromUnixSeconds(seconds), in);
  switch (bucket) {
    case TrendBucket::kNone:
      return 0;
    case TrendBucket::kDay:
      return day - absl::CivilDay();
    case TrendBucket::kWeek: {
      const int64_t days = day - kFirstMonday;
      return days >= 0 ? days / 7 : -((6 - days) / 7);
    }
    case TrendBucket::kMonth:
      return absl::CivilMonth(day) - absl::CivilMonth();
    case TrendBucket::kYear:
      return absl::CivilYear(day) - absl::CivilYear();
  }
  return 0;
}

// Counts articles by values and time over all matches.
class TrendCounter final : public Xapian::MatchSpy {
 public:
  TrendCounter(const TrendCounts& counts, const LabelOptions& labels) : counts_(counts), labels_(labels) {}

  void operator()(const Xapian::Document& document, double) override {
    TrendKey key{0, std::vector<std::string>(counts_.dimensions.size())};
    if (counts_.bucket != TrendBucket::kNone) {
      const std::string time = document.get_value(kPublishSlot);
      if (time.empty()) return;
      const auto seconds = static_cast<int64_t>(Xapian::sortable_unserialise(time));
      const auto [bucket, is_new] = buckets_.emplace(seconds, 0);
      if (is_new) bucket->second = BucketOf(seconds, counts_.bucket, counts_.zone);
      key.first = bucket->second;
    }
    std::vector<std::set<std::string>> values;
    for (const FieldRef& ref : counts_.dimensions) values.push_back(ValuesOf(document, ref));
    Count(0, values, key);
  }

  std::map<TrendKey, int64_t> Take() { return std::move(cells_); }

 private:
  std::set<std::string> ValuesOf(const Xapian::Document& document, const FieldRef& ref) const {
    std::set<std::string> values;
    const bool is_label = ref.field <= Field::kIssue;
    ForEachPacked(document.get_value(is_label ? kLabelSlot : kFacetSlot), [&](const PackedValue& entry) {
      if (static_cast<int>(ref.field) != entry.kind || (is_label && !LabelCounts(entry, labels_))) return;
      values.emplace(entry.value);
    });
    return values;
  }

  void Count(size_t dimension, const std::vector<std::set<std::string>>& values, TrendKey& key) {
    if (dimension == counts_.dimensions.size()) {
      ++cells_[key];
      if (cells_.size() > kMaxTrendKeys) throw TooManyTrends();
      return;
    }
    for (const std::string& value : values[dimension]) {
      key.second[dimension] = value;
      Count(dimension + 1, values, key);
    }
  }

  const TrendCounts& counts_;
  const LabelOptions& labels_;
  absl::flat_hash_map<int64_t, int64_t> buckets_;  // By seconds: many articles have the same.
  std::map<TrendKey, int64_t> cells_;
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
      case QueryNode::Kind::kNear:
        return NearQuery(node);
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
        // Each word counts; having all of them counts a little more.
        return Xapian::Query(Xapian::Query::OP_AND_MAYBE, Combine(Xapian::Query::OP_OR, node.children),
                             Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT,
                                           Combine(Xapian::Query::OP_AND, node.children), kAllWordsWeight));
    }
    return Xapian::Query();
  }

  // Of the terms that words of a field are.
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

  static Xapian::Query Beginning(const std::string& term) {
    return Xapian::Query(Xapian::Query::OP_WILDCARD, term, kMaxExpansion, Xapian::Query::WILDCARD_LIMIT_MOST_FREQUENT,
                         Xapian::Query::OP_SYNONYM);
  }

  static Xapian::Query WordQuery(const QueryNode& node) {
    const std::string& word = node.words.front();
    const std::string& stem = node.stems.front();
    const std::string prefix = WordPrefix(node.scope);
    std::vector<Xapian::Query> forms;
    if (node.scope == TextScope::kAny || node.scope == TextScope::kTitle) {
      const char* stem_prefix = node.scope == TextScope::kTitle ? kTitleStemPrefix : kStemPrefix;
      if (node.prefix) {
        // As one term that occurs as often as all that it may become: a rare word that is the beginning of a frequent
        // one would rank before it.
        const std::array<Xapian::Query, 2> words = {Beginning(prefix + word),
                                                    Xapian::Query(absl::StrCat(stem_prefix, stem))};
        forms.emplace_back(Xapian::Query::OP_SYNONYM, words.begin(), words.end());
      } else if (node.synonyms.empty()) {
        forms.emplace_back(absl::StrCat(stem_prefix, stem));
      } else {
        forms.push_back(WithSynonyms(node));
      }
      forms.emplace_back(Xapian::Query::OP_SCALE_WEIGHT, Xapian::Query(prefix + word),
                         node.prefix ? kUnfinishedWordWeight : kExactWordWeight);
    } else {
      forms.push_back(node.prefix ? Beginning(prefix + word) : Xapian::Query(prefix + word));
    }
    if (!node.corrections.empty()) {
      std::vector<Xapian::Query> corrected;
      for (size_t i = 0; i < node.corrections.size(); ++i) {
        corrected.emplace_back(
            Xapian::Query::OP_OR, Xapian::Query(kStemPrefix + node.correction_stems[i]),
            Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, Xapian::Query(node.corrections[i]), kExactWordWeight));
      }
      // Not OP_MAX: when a list under it ends, Xapian 1.4.22 goes on reading it, and may crash.
      forms.emplace_back(Xapian::Query::OP_SCALE_WEIGHT,
                         Xapian::Query(Xapian::Query::OP_OR, corrected.begin(), corrected.end()), kCorrectionWeight);
    }
    Xapian::Query any(Xapian::Query::OP_OR, forms.begin(), forms.end());
    if (node.repeated == 1) return any;
    return Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, any, std::sqrt(node.repeated));
  }

  // The stem of a word, or one of its synonyms': as one term that occurs as often as all of them.
  static Xapian::Query WithSynonyms(const QueryNode& node) {
    const Xapian::Query own(kStemPrefix + node.stems.front());
    std::vector<Xapian::Query> stems = {own};
    for (const std::string& stem : node.synonym_stems) stems.emplace_back(kStemPrefix + stem);
    const Xapian::Query any(Xapian::Query::OP_SYNONYM, stems.begin(), stems.end());
    return Xapian::Query(Xapian::Query::OP_OR, Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, any, 1.0 - kOwnWeight),
                         Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, own, kOwnWeight));
  }

  static Xapian::Query PhraseQuery(const QueryNode& node) {
    std::vector<Xapian::Query> words;
    const std::string prefix = WordPrefix(node.scope);
    for (const std::string& word : node.words) words.emplace_back(prefix + word);
    return Xapian::Query(Xapian::Query::OP_PHRASE, words.begin(), words.end(),
                         static_cast<Xapian::termcount>(words.size()));
  }

  static Xapian::Query NearQuery(const QueryNode& node) {
    static_assert(kMaxNearDistance < kFieldGap);
    std::vector<Xapian::Query> words;
    const std::string prefix = WordPrefix(node.scope);
    for (const std::string& word : node.words) words.emplace_back(prefix + word);
    // Xapian's window counts the words at both ends, and has room for each.
    const auto window = std::max<size_t>(static_cast<size_t>(node.distance) + 1, words.size());
    return Xapian::Query(Xapian::Query::OP_NEAR, words.begin(), words.end(), static_cast<Xapian::termcount>(window));
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

// All words of the request in the title.
Xapian::Query TitleQuery(const QueryBuilder& builder, const MatchRequest& request) {
  return Xapian::Query(Xapian::Query::OP_SCALE_WEIGHT, builder.Build(QueryNode::And(request.title_words)),
                       kAllInTitleWeight);
}

Xapian::Query WithTitles(const Xapian::Query& query, const QueryBuilder& builder, const MatchRequest& request) {
  if (request.title_words.empty() || request.sort != SortOrder::kRelevance) return query;
  return Xapian::Query(Xapian::Query::OP_AND_MAYBE, query, TitleQuery(builder, request));
}

Xapian::Query BoostQuery(const Boost& boost, const QueryBuilder& builder) {
  // A condition has no weight of its own.
  auto* source = new Xapian::FixedWeightPostingSource(boost.weight);
  return Xapian::Query(Xapian::Query::OP_FILTER, Xapian::Query(source->release()), builder.Build(boost.condition));
}

Xapian::Query Boosted(const Xapian::Query& query, const QueryBuilder& builder, const MatchRequest& request) {
  std::vector<Xapian::Query> phrases = {query};
  std::vector<Xapian::Query> boosts;
  for (const Boost& boost : request.boosts) {
    (boost.is_phrase_of_query ? phrases : boosts).push_back(BoostQuery(boost, builder));
  }
  // Not by OP_AND_MAYBE, under which Xapian 1.4.22 takes documents that have the words for such as have the phrase.
  Xapian::Query base(Xapian::Query::OP_OR, phrases.begin(), phrases.end());
  if (boosts.empty()) return base;
  return Xapian::Query(Xapian::Query::OP_AND_MAYBE, base,
                       Xapian::Query(Xapian::Query::OP_OR, boosts.begin(), boosts.end()));
}

Xapian::Query WithFilters(const QueryBuilder& builder, const MatchRequest& request, Xapian::Query query,
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
bool HasEmbargoesIn(Xapian::Database& database, absl::Time now) {
  return database.get_termfreq(kEmbargoTerm) > 0 && database.get_value_upper_bound(kVisibleSlot) > SortableTime(now);
}

// A hit while its place is being decided.
struct RankedHit {
  HitRef hit;
  Xapian::docid document = 0;
  std::string key;  // Where hits are sorted by a time.
  float text_score = 0.0F;
  double freshness = 1.0;  // Factors of the score.
  double labels = 1.0;
};

// Hits that rank alike come in the order of their rows, so that the order doesn't depend on which segments they are in.
void OrderTies(SortOrder sort, std::vector<RankedHit>& hits) {
  const auto alike = [&](const RankedHit& a, const RankedHit& b) {
    return sort == SortOrder::kRelevance ? a.hit.score == b.hit.score : a.key == b.key;
  };
  for (size_t begin = 0; begin < hits.size();) {
    size_t end = begin + 1;
    while (end < hits.size() && alike(hits[begin], hits[end])) ++end;
    const auto first = hits.begin() + static_cast<std::ptrdiff_t>(begin);
    std::sort(first, hits.begin() + static_cast<std::ptrdiff_t>(end), [sort](const RankedHit& a, const RankedHit& b) {
      return sort == SortOrder::kNewestFirst ? a.hit.row > b.hit.row : a.hit.row < b.hit.row;
    });
    begin = end;
  }
}

// 1 for what is from now, half for what is one half life old, 0 for what has no date.
double FreshnessOf(const Xapian::Document& document, const MatchRequest& request) {
  const std::string value = document.get_value(kPublishSlot);
  if (value.empty()) return 0.0;
  const double age = static_cast<double>(absl::ToUnixSeconds(request.now)) - Xapian::sortable_unserialise(value);
  return std::exp2(-std::max(age, 0.0) / absl::ToDoubleSeconds(request.ranking.freshness_half_life));
}

// The best score of a label that was asked for; nullopt if it has none of them.
std::optional<double> LabelScoreOf(const Xapian::Document& document, const MatchRequest& request) {
  std::optional<double> best;
  ForEachPacked(document.get_value(kLabelSlot), [&](const PackedValue& label) {
    if (!LabelCounts(label, request.labels)) return;
    for (const WantedLabel& wanted : request.wanted_labels) {
      if (static_cast<char>(wanted.dimension) != label.kind || wanted.id != label.value) continue;
      best = std::max(best.value_or(0.0), label.score / 10'000.0);
    }
  });
  return best;
}

void Reorder(const MatchRequest& request, const Xapian::Database& database, Watch& watch,
             std::vector<RankedHit>& hits) {
  const RankingOptions& ranking = request.ranking;
  const bool by_age = ranking.freshness_half_life > absl::ZeroDuration() && ranking.freshness_weight > 0.0;
  for (RankedHit& hit : hits) {
    watch.Step();
    const Xapian::Document document = database.get_document(hit.document, Xapian::DOC_ASSUME_VALID);
    if (by_age) {
      hit.freshness = 1.0 - ranking.freshness_weight + ranking.freshness_weight * FreshnessOf(document, request);
    }
    if (ranking.label_weight > 0.0 && !request.wanted_labels.empty()) {
      if (const std::optional<double> score = LabelScoreOf(document, request)) {
        hit.labels = 1.0 - ranking.label_weight + ranking.label_weight * *score;
      }
    }
    hit.hit.score = static_cast<float>(hit.text_score * hit.freshness * hit.labels);
  }
  std::stable_sort(hits.begin(), hits.end(),
                   [](const RankedHit& a, const RankedHit& b) { return a.hit.score > b.hit.score; });
}

// What hits that belong together have in common; empty if the hit belongs to none.
std::string GroupOf(const Xapian::Document& document, CollapseKind kind) {
  if (kind == CollapseKind::kNearDuplicate) return document.get_value(kDuplicateSlot);
  const Field field = kind == CollapseKind::kSource ? Field::kSource : Field::kAuthor;
  std::string group;
  ForEachPacked(document.get_value(kFacetSlot), [&](const PackedValue& entry) {
    if (group.empty() && static_cast<int>(field) == entry.kind) group = std::string(entry.value);
  });
  return group;
}

// By hit, as GroupOf. Documents are read in their order, which is much faster than in that of the hits.
std::vector<std::string> GroupsOf(const std::vector<RankedHit>& hits, CollapseKind kind,
                                  const Xapian::Database& database, Watch& watch) {
  std::vector<std::string> groups(hits.size());
  if (kind == CollapseKind::kNearDuplicate && database.get_value_freq(kDuplicateSlot) == 0) return groups;
  std::vector<size_t> order(hits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return hits[a].document < hits[b].document; });
  absl::flat_hash_map<Xapian::docid, size_t> places;
  std::set<std::string> heads;
  for (const size_t i : order) {
    watch.Step();
    if (watch.expired) return groups;
    groups[i] = GroupOf(database.get_document(hits[i].document, Xapian::DOC_ASSUME_VALID), kind);
    if (kind != CollapseKind::kNearDuplicate) continue;
    if (groups[i].empty()) {
      places.emplace(hits[i].document, i);
    } else {
      heads.insert(groups[i]);
    }
  }
  // A head has no link of its own: its id is what the others are linked to.
  for (const std::string& head : heads) {
    watch.Step();
    const std::string term = TermFor({Field::kId, ""}, head);
    for (auto document = database.postlist_begin(term); document != database.postlist_end(term); ++document) {
      if (const auto found = places.find(*document); found != places.end()) groups[found->second] = head;
    }
  }
  return groups;
}

// Leaves the best hit of each group, and gives what it stands for.
std::map<int64_t, FoldedHits> Fold(const MatchRequest& request, const Xapian::Database& database, Watch& watch,
                                   std::vector<RankedHit>& hits) {
  std::map<int64_t, FoldedHits> folded;
  absl::flat_hash_map<std::string, int64_t> first_of_group;
  std::vector<std::string> groups = GroupsOf(hits, request.collapse, database, watch);
  size_t next = 0;
  std::erase_if(hits, [&](const RankedHit& hit) {
    std::string& group = groups[next++];
    if (group.empty()) return false;
    const auto [first, is_new] = first_of_group.emplace(std::move(group), hit.hit.row);
    if (is_new) return false;
    FoldedHits& others = folded[first->second];
    ++others.count;
    if (others.rows.size() < static_cast<size_t>(request.max_alternates)) others.rows.push_back(hit.hit.row);
    return true;
  });
  return folded;
}

// The words and phrases that a text's score is the sum of.
void AddScored(const QueryNode& node, std::vector<const QueryNode*>& scored) {
  switch (node.kind) {
    case QueryNode::Kind::kWord:
    case QueryNode::Kind::kPhrase:
    case QueryNode::Kind::kNear:
      if (std::none_of(scored.begin(), scored.end(), [&](const QueryNode* other) { return *other == node; })) {
        scored.push_back(&node);
      }
      break;
    case QueryNode::Kind::kAnd:
    case QueryNode::Kind::kOr:
    case QueryNode::Kind::kSome:
      for (const QueryNode& child : node.children) AddScored(child, scored);
      break;
    default:
      break;
  }
}

// The first hits, to be looked for once more.
struct FirstHits {
  std::vector<Xapian::docid> documents;
  absl::flat_hash_map<Xapian::docid, size_t> places;  // Of each document among the hits.
};

FirstHits FirstOf(const std::vector<RankedHit>& hits, size_t count) {
  FirstHits first;
  first.documents.reserve(count);
  first.places.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    first.documents.push_back(hits[i].document);
    first.places.emplace(hits[i].document, i);
  }
  return first;
}

// "7.31 = iran 3.21 + oil 4.1, times 0.83 for its age": by a search for each word alone.
std::map<int64_t, std::string> Explain(const MatchRequest& request, const QueryBuilder& builder, IndexReader& reader,
                                       Watch& watch, const std::vector<RankedHit>& hits) {
  const size_t count = std::min(hits.size(), kMaxExplained);
  const FirstHits first = FirstOf(hits, count);
  std::vector<const QueryNode*> scored;
  AddScored(request.query, scored);
  std::vector<std::string> sums(count);
  std::vector<double> totals(count);
  const auto add = [&](const Xapian::Query& query, const std::string& name) {
    auto* given = new GivenDocuments(reader, first.documents, &watch);
    Xapian::Enquire enquire(*reader.all);
    enquire.set_weighting_scheme(TextWeight());
    enquire.set_query(Xapian::Query(Xapian::Query::OP_FILTER, query, Xapian::Query(given->release())));
    const Xapian::MSet weights = enquire.get_mset(0, static_cast<Xapian::doccount>(count));
    for (Xapian::MSetIterator match = weights.begin(); match != weights.end(); ++match) {
      const size_t i = first.places.at(*match);
      if (match.get_weight() <= 0.0) continue;
      absl::StrAppend(&sums[i], sums[i].empty() ? "" : " + ", name, " ", absl::StrFormat("%.2f", match.get_weight()));
      totals[i] += match.get_weight();
    }
  };
  for (const QueryNode* node : scored) add(builder.Build(*node), ToString(*node));
  if (!request.title_words.empty()) add(TitleQuery(builder, request), "all in the title");
  for (const Boost& boost : request.boosts) {
    if (!boost.reason.empty()) add(BoostQuery(boost, builder), boost.reason);
  }
  std::map<int64_t, std::string> explanations;
  for (size_t i = 0; i < count; ++i) {
    std::string text = absl::StrFormat("%.2f = ", hits[i].hit.score);
    absl::StrAppend(&text, sums[i].empty() ? "no word counts" : sums[i]);
    // Having all words of a relaxed query, labels that it names, and what it was expanded by.
    if (const double more = hits[i].text_score - totals[i]; totals[i] > 0.0 && more > 0.005) {
      absl::StrAppend(&text, absl::StrFormat(" + %.2f for all its words", more),
                      request.expand ? ", labels or what the best have in common" : " or labels");
    }
    if (hits[i].freshness != 1.0)
      absl::StrAppend(&text, absl::StrFormat(", times %.2f for its age", hits[i].freshness));
    if (hits[i].labels != 1.0) absl::StrAppend(&text, absl::StrFormat(", times %.2f for its labels", hits[i].labels));
    explanations.emplace(hits[i].hit.row, std::move(text));
  }
  return explanations;
}

struct WeightedStem {
  std::string stem;
  double weight = 0.0;
};

// What the best hits have in common, and others have not: Rocchio's feedback with the hits taken for relevant ones, on
// BM25's weights. J. Rocchio, "Relevance feedback in information retrieval", 1971.
std::vector<WeightedStem> FeedbackOf(const Xapian::Database& database, const Xapian::MSet& hits, Watch& watch) {
  struct Stem {
    Xapian::doccount frequency = 0;
    double weight = 0.0;
  };
  const auto documents = static_cast<double>(database.get_doccount());
  const double average_length = std::max(database.get_avlength(), 1.0);
  absl::flat_hash_map<std::string, Stem> stems;
  Xapian::doccount count = 0;
  for (Xapian::MSetIterator hit = hits.begin(); hit != hits.end() && count < kFeedbackHits; ++hit, ++count) {
    if (hit.get_weight() <= 0.0) break;
    std::vector<std::pair<Xapian::termcount, std::string>> terms;
    const Xapian::TermIterator end = database.termlist_end(*hit);
    Xapian::TermIterator term = database.termlist_begin(*hit);
    for (term.skip_to(kStemPrefix); term != end; ++term) {
      std::string name = *term;
      if (!absl::StartsWith(name, kStemPrefix)) break;
      name.erase(0, sizeof(kStemPrefix) - 1);
      if (name.size() < kMinStemBytes || IsStopWord(name)) continue;
      terms.emplace_back(term.get_wdf(), std::move(name));
    }
    watch.Look();
    if (terms.size() > kMaxStemsOfHit) {
      std::stable_sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
      terms.resize(kMaxStemsOfHit);
    }
    const double length = static_cast<double>(database.get_doclength(*hit)) / average_length;
    const double share = std::pow(hit.get_weight(), kFeedbackPower);
    for (const auto& [frequency, name] : terms) {
      Stem& stem = stems[name];
      if (stem.frequency == 0) stem.frequency = database.get_termfreq(kStemPrefix + name);
      const auto in_documents = static_cast<double>(stem.frequency);
      const double idf = std::log(1.0 + (documents - in_documents + 0.5) / (in_documents + 0.5));
      const auto in_hit = static_cast<double>(frequency);
      stem.weight += share * idf * in_hit / (in_hit + kK1 * (1.0 - kB + kB * length));
    }
  }
  std::vector<WeightedStem> best;
  if (count < kFeedbackHits) return best;  // So few hits are all to be seen, in whatever order.
  best.reserve(stems.size());
  for (auto& [name, stem] : stems) best.push_back({name, stem.weight});
  const size_t kept = std::min(best.size(), kFeedbackStems);
  std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(kept), best.end(),
                    [](const WeightedStem& a, const WeightedStem& b) {
                      return a.weight != b.weight ? a.weight > b.weight : a.stem < b.stem;
                    });
  best.resize(kept);
  const double first = best.empty() ? 0.0 : best.front().weight;
  for (WeightedStem& stem : best) stem.weight *= kFeedbackWeight / first;
  return best;
}

// Adds to the scores of the first hits what they have of `stems`, and puts them in order. False, and nothing is
// changed, if the time ends first.
bool Expand(IndexReader& reader, const std::vector<WeightedStem>& stems, Watch& watch, std::vector<RankedHit>& hits) {
  const size_t count = std::min(hits.size(), kMaxExpandedHits);
  const FirstHits first = FirstOf(hits, count);
  std::vector<Xapian::Query> hints;
  hints.reserve(stems.size());
  for (const WeightedStem& stem : stems) {
    hints.emplace_back(Xapian::Query::OP_SCALE_WEIGHT, Xapian::Query(kStemPrefix + stem.stem), stem.weight);
  }
  auto* given = new GivenDocuments(reader, first.documents, &watch);
  Xapian::Enquire enquire(*reader.all);
  enquire.set_weighting_scheme(TextWeight());
  enquire.set_query(Xapian::Query(Xapian::Query::OP_FILTER,
                                  Xapian::Query(Xapian::Query::OP_OR, hints.begin(), hints.end()),
                                  Xapian::Query(given->release())));
  const Xapian::MSet expanded = enquire.get_mset(0, static_cast<Xapian::doccount>(count));
  if (watch.expired) return false;
  for (Xapian::MSetIterator match = expanded.begin(); match != expanded.end(); ++match) {
    RankedHit& hit = hits[first.places.at(*match)];
    hit.text_score += static_cast<float>(match.get_weight());
    hit.hit.score = hit.text_score;
  }
  std::stable_sort(hits.begin(), hits.end(),
                   [](const RankedHit& a, const RankedHit& b) { return a.hit.score > b.hit.score; });
  return true;
}

// Whether more words begin so than are searched for.
bool IsCutIn(const Xapian::Database& database, const std::string& beginning) {
  int count = 0;
  for (auto term = database.allterms_begin(beginning); term != database.allterms_end(beginning); ++term) {
    if (++count > kMaxExpansion) return true;
  }
  return false;
}

// The beginnings in `node` of which that is so, each once.
void AddCut(const Xapian::Database& database, const QueryNode& node, std::vector<std::string>& cut) {
  for (const QueryNode& child : node.children) AddCut(database, child, cut);
  if (node.kind != QueryNode::Kind::kWord || !node.prefix) return;
  const std::string& word = node.words.front();
  if (std::find(cut.begin(), cut.end(), word) != cut.end()) return;
  if (IsCutIn(database, QueryBuilder::WordPrefix(node.scope) + word)) cut.push_back(word);
}

MatchResult MatchIn(IndexReader& reader, const MatchRequest& request) {
  Xapian::Database& database = *reader.all;
  MatchResult result;
  result.applied_seq = reader.view->applied_seq;
  result.visible_seq = reader.view->visible_seq;
  result.commit_time = reader.view->commit_time;
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
  const Xapian::Query base = Boosted(WithTitles(builder.Build(request.query), builder, request), builder, request);
  AddCut(database, request.query, result.cut_beginnings);
  const auto watched = [&](const Xapian::Query& query) {
    auto* source = new LiveDocuments(reader, &watch);
    return Xapian::Query(Xapian::Query::OP_FILTER, query, Xapian::Query(source->release()));
  };
  // Facets whose field has a condition are counted without it, in a search of their own.
  std::vector<size_t> shared;
  std::vector<size_t> own;
  for (size_t i = 0; i < request.facets.size(); ++i) {
    const bool conditioned = std::any_of(request.filters.begin(), request.filters.end(),
                                         [&](const IndexFilter& filter) { return filter.field == request.facets[i]; });
    (conditioned ? own : shared).push_back(i);
  }

  Xapian::Enquire enquire(database);
  OldestFirstKey oldest_first;
  if (request.sort == SortOrder::kRelevance) {
    enquire.set_weighting_scheme(TextWeight());
  } else {
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
  std::optional<TrendCounter> trends;
  if (request.trends) {
    trends.emplace(*request.trends, request.labels);
    enquire.add_matchspy(&*trends);
  }
  const int max_matches = request.collapse == CollapseKind::kNone ? request.max_hits : kMaxFolded;
  const Xapian::MSet matches = enquire.get_mset(0, static_cast<Xapian::doccount>(max_matches), documents);
  result.total = matches.get_matches_estimated();
  std::vector<RankedHit> hits;
  hits.reserve(matches.size());
  for (Xapian::MSetIterator match = matches.begin(); match != matches.end(); ++match) {
    const auto score = request.sort == SortOrder::kRelevance ? static_cast<float>(match.get_weight()) : 0.0F;
    hits.push_back({.hit = {reader.StateOf(*match).row, score},
                    .document = *match,
                    .key = match.get_sort_key(),
                    .text_score = score,
                    .freshness = 1.0,
                    .labels = 1.0});
  }
  if (request.expand && request.sort == SortOrder::kRelevance && !watch.expired) {
    const std::vector<WeightedStem> stems = FeedbackOf(database, matches, watch);
    if (!stems.empty() && !watch.expired && Expand(reader, stems, watch, hits)) {
      // Being in the title counts for itself; it is listed once, as a word.
      for (const WeightedStem& stem : stems) {
        if (!absl::StartsWith(kStemPrefix + stem.stem, kTitleStemPrefix)) result.expansion.push_back(stem.stem);
      }
    }
  }
  if (request.sort == SortOrder::kRelevance && request.ranking.reorders()) Reorder(request, database, watch, hits);
  OrderTies(request.sort, hits);
  if (request.collapse != CollapseKind::kNone) result.folded = Fold(request, database, watch, hits);
  if (hits.size() > static_cast<size_t>(request.max_hits)) hits.resize(static_cast<size_t>(request.max_hits));
  for (const RankedHit& hit : hits) result.hits.push_back(hit.hit);
  if (request.explain && request.sort == SortOrder::kRelevance) {
    result.explanations = Explain(request, builder, reader, watch, hits);
  }
  if (trends) result.trends = trends->Take();
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

// Runs `work`, which uses Xapian, and gives what it throws as a status.
template <typename Work>
auto Guarded(const Work& work) -> absl::StatusOr<std::invoke_result_t<Work>> {
  try {
    return work();
  } catch (const TimeIsUp&) {
    return SearchOutOfTime();
  } catch (const TooManyTrends&) {
    return absl::ResourceExhaustedError(absl::StrCat("there are more than ", kMaxTrendKeys,
                                                     " counts; ask for fewer dimensions, longer buckets or fewer "
                                                     "articles"));
  } catch (const CallCancelled&) {
    return SearchCancelled();
  } catch (...) {
    return CaughtIndexError();
  }
}

}  // namespace

absl::StatusOr<MatchResult> MatchDocuments(IndexReader& reader, const MatchRequest& request) {
  return Guarded([&] { return MatchIn(reader, request); });
}

absl::StatusOr<std::vector<int64_t>> StemFrequencies(IndexReader& reader, const std::vector<std::string>& stems) {
  return Guarded([&] {
    std::vector<int64_t> frequencies;
    frequencies.reserve(stems.size());
    for (const std::string& stem : stems) frequencies.push_back(reader.all->get_termfreq(kStemPrefix + stem));
    return frequencies;
  });
}

absl::Time TrendBucketStart(TrendBucket bucket, int64_t number, absl::TimeZone zone) {
  switch (bucket) {
    case TrendBucket::kNone:
      break;
    case TrendBucket::kDay:
      return absl::FromCivil(absl::CivilDay() + number, zone);
    case TrendBucket::kWeek:
      return absl::FromCivil(kFirstMonday + 7 * number, zone);
    case TrendBucket::kMonth:
      return absl::FromCivil(absl::CivilMonth() + number, zone);
    case TrendBucket::kYear:
      return absl::FromCivil(absl::CivilYear() + number, zone);
  }
  return absl::InfinitePast();
}

absl::StatusOr<bool> HasEmbargoes(IndexReader& reader, absl::Time now) {
  return Guarded([&] { return HasEmbargoesIn(*reader.all, now); });
}

}  // namespace dateline::search
