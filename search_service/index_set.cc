#include "search_service/index_set.h"

#include <malloc.h>
#include <sys/resource.h>
#include <xapian.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/error.h"
#include "common/hash.h"
#include "common/log.h"
#include "common/parallel.h"
#include "common/status_macros.h"
#include "search_service/files.h"
#include "search_service/index_document.h"
#include "search_service/search_index.h"
#include "search_service/storage.pb.h"

namespace dateline::search {
namespace {

constexpr char kSetFile[] = "set";
constexpr char kDurableFile[] = "set.durable";
constexpr size_t kDigestChars = 64;

// Sizes of segments go in levels, each so many times the one before: as many of one level become one of the next. Fewer
// would be rewritten more often; of more, each costs every search some 45 microseconds (docs/adr/0005).
constexpr size_t kMergeFactor = 4;
constexpr size_t kMostInputs = 2 * kMergeFactor;
// Documents of the lowest level: below this all segments count alike, as to merge any of them takes little.
constexpr size_t kLowestLevel = 256;
// Of more documents together a merge is not a small one. It takes some tenths of a second.
constexpr size_t kSmallMerge = kLowestLevel * kMergeFactor * kMergeFactor;
// Where nothing has come in for so long there is time to make fewer of them: each that is not more than so many times
// as large as all smaller ones together is merged with these. So whoever is rewritten has grown by half.
constexpr absl::Duration kIdle = absl::Seconds(1);
constexpr size_t kIdleFactor = 2;
// A segment of which more is dead is written anew: the dead cost searches and disk.
constexpr double kMostDead = 0.25;
constexpr size_t kLeastToClean = 64;
// While there are more segments than this, what comes in waits for the merges, though not longer than so long.
constexpr size_t kManyParts = 64;
constexpr absl::Duration kMergePatience = absl::Seconds(2);
constexpr absl::Duration kErrorPause = absl::Seconds(5);
// Documents for which a second thread is worth its start.
constexpr size_t kLeastForThread = 16;
constexpr size_t kMaxIdleReaders = 16;
// Of the thread that merges what is large: it gives way to what somebody waits for.
constexpr int kMergeNice = 5;

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

std::string WithDigest(const storage::v1::SegmentSet& set) {
  std::string content = set.SerializeAsString();
  content += common::Sha256Hex(content);
  return content;
}

// Nullopt if it is missing or not as it was written.
std::optional<storage::v1::SegmentSet> ReadSet(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file || content.size() < kDigestChars) return std::nullopt;
  const std::string digest = content.substr(content.size() - kDigestChars);
  content.resize(content.size() - kDigestChars);
  storage::v1::SegmentSet set;
  if (common::Sha256Hex(content) != digest || !set.ParseFromString(content)) return std::nullopt;
  return set;
}

// What writing and merging took lies in the allocator's arenas, in many small pieces, which it keeps for as long as it
// runs.
void ReturnFreeMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

size_t LevelOf(size_t documents) {
  size_t level = 0;
  for (size_t limit = kLowestLevel; documents >= limit; limit *= kMergeFactor) ++level;
  return level;
}

size_t LiveIn(const IndexView::Part& part) { return part.segment->document_count() - part.dead_count; }

bool Holds(const IndexView& view, const IndexSegment* segment) {
  return std::any_of(view.parts.begin(), view.parts.end(),
                     [segment](const IndexView::Part& part) { return part.segment.get() == segment; });
}

bool FilesAreThere(const IndexView& view) {
  return std::all_of(view.parts.begin(), view.parts.end(), [](const IndexView::Part& part) {
    std::error_code error;
    return std::filesystem::exists(part.segment->path(), error);
  });
}

// Marks documents of a view's parts as dead, copying each bitmap once.
class DeadMarker {
 public:
  explicit DeadMarker(IndexView& view) : bitmaps_(view.parts.size()) {
    for (size_t i = 0; i < view.parts.size(); ++i) index_.emplace(view.parts[i].segment.get(), i);
  }
  // `erase`: its row is gone.
  void Mark(IndexView& view, const IndexSegment* segment, uint32_t document, bool erase = false) {
    const auto found = index_.find(segment);
    if (found == index_.end()) return;
    view.parts[found->second].erase |= erase;
    std::shared_ptr<DocumentBitmap>& bitmap = bitmaps_[found->second];
    if (bitmap == nullptr) {
      const std::shared_ptr<const DocumentBitmap>& old = view.parts[found->second].dead;
      bitmap = std::make_shared<DocumentBitmap>(old != nullptr ? *old : segment->vacant());
    }
    (*bitmap)[document] = true;
  }
  // Into the view it was made for.
  void Finish(IndexView& view) {
    for (size_t i = 0; i < bitmaps_.size(); ++i) {
      if (bitmaps_[i] == nullptr) continue;
      const IndexSegment& segment = *view.parts[i].segment;
      const auto hidden = static_cast<size_t>(std::count(bitmaps_[i]->begin(), bitmaps_[i]->end(), true));
      view.parts[i].dead_count = hidden - (segment.documents().size() - segment.document_count());
      view.parts[i].dead = std::move(bitmaps_[i]);
    }
  }

 private:
  absl::flat_hash_map<const IndexSegment*, size_t> index_;
  std::vector<std::shared_ptr<DocumentBitmap>> bitmaps_;
};

void CountLive(IndexView& view) {
  view.document_count = 0;
  for (const IndexView::Part& part : view.parts) view.document_count += static_cast<int64_t>(LiveIn(part));
}

// Where a document of all parts together stands: Xapian deals the documents of several databases out by turns.
struct PlaceInParts {
  PlaceInParts(uint32_t document, size_t parts)
      : part((document - 1) % parts), number((document - 1) / static_cast<uint32_t>(parts) + 1) {}
  size_t part;
  uint32_t number;  // There; from 1.
};

}  // namespace

IndexReader::IndexReader() : all(std::make_unique<Xapian::Database>()) {}
IndexReader::~IndexReader() = default;

RowState IndexReader::StateOf(uint32_t document) const {
  const PlaceInParts place(document, parts.size());
  const std::vector<RowState>& states = parts[place.part].segment->documents();
  return place.number <= states.size() ? states[place.number - 1] : RowState();
}

bool IndexReader::IsHidden(uint32_t document) const {
  const PlaceInParts place(document, parts.size());
  const DocumentBitmap& hidden = *parts[place.part].hidden;
  return place.number < hidden.size() && hidden[place.number];
}

const DocumentBitmap* IndexReader::HiddenIn(const std::string& uuid) const {
  const auto part = std::find_if(parts.begin(), parts.end(), [&](const Part& one) { return one.uuid == uuid; });
  return part != parts.end() ? part->hidden : nullptr;
}

IndexSet::IndexSet(const Options& options) : options_(options), generation_(NewGeneration()) {
  for (int i = 0; i < std::max(options.threads, 1); ++i) analyzers_.push_back(std::make_unique<TextAnalyzer>());
  view_ = std::make_shared<IndexView>();
}

IndexSet::~IndexSet() {
  {
    const common::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (maintenance_.joinable()) maintenance_.join();
  if (small_merges_.joinable()) small_merges_.join();
  if (const absl::Status synced = Sync(); !synced.ok()) {
    // The next boot goes on from the last time that it was.
    common::Log(common::LogLevel::kWarning, "index_not_synced", {{"error", synced}});
  }
}

absl::StatusOr<std::unique_ptr<IndexSet>> IndexSet::Open(const Options& options) {
  std::error_code error;
  std::filesystem::create_directories(options.path, error);
  if (error) {
    return absl::FailedPreconditionError(absl::StrCat("cannot make ", options.path, ": ", error.message()));
  }
  auto set = absl::WrapUnique(new IndexSet(options));
  RETURN_IF_ERROR(set->OpenFiles());
  set->maintenance_ = std::thread([set = set.get()] { set->RunMaintenance(); });
  set->small_merges_ = std::thread([set = set.get()] { set->RunSmallMerges(); });
  return set;
}

bool IndexSet::IsIn(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(absl::StrCat(path, "/", kSetFile), ignored) ||
         std::filesystem::exists(absl::StrCat(path, "/", kDurableFile), ignored);
}

absl::Status IndexSet::CheckLog(const storage::v1::SegmentSet& set) const {
  if (set.log_uuid() != options_.log_uuid || set.applied_seq() <= options_.last_seq) return absl::OkStatus();
  // The index never shows what is not on disk in the store.
  return absl::FailedPreconditionError(absl::StrCat(
      "the article store has lost changes, or is an older copy: it ends at change ", options_.last_seq,
      ", and the index ", options_.path, " has come to ", set.applied_seq(),
      "; put a snapshot or another backup copy in its place, or move the index away to go on with what there is"));
}

absl::Status IndexSet::OpenFiles() {
  const std::string path = options_.path + "/";
  const std::optional<storage::v1::SegmentSet> durable = ReadSet(path + kDurableFile);
  const std::optional<storage::v1::SegmentSet> latest = ReadSet(path + kSetFile);
  if (durable) RETURN_IF_ERROR(CheckLog(*durable));
  if (latest) RETURN_IF_ERROR(CheckLog(*latest));
  // An id that could not be read, then or now, says nothing: better to do some work again.
  const bool same_boot = latest && !latest->boot_id().empty() && latest->boot_id() == BootId();
  opened_after_boot_ = (latest || durable) && !same_boot;
  const bool opened = (same_boot && TryOpen(*latest)) || (durable && TryOpen(*durable));
  {
    const common::MutexLock lock(mutex_);
    // Names of what was lost are not given again, either.
    if (latest) next_segment_ = std::max(next_segment_, latest->next_segment());
  }
  if (opened && durable) {
    const common::MutexLock lock(mutex_);
    next_segment_ = std::max(next_segment_, durable->next_segment());
    for (const storage::v1::Segment& entry : durable->segments()) {
      if (!entry.digest().empty()) digests_.emplace(entry.name(), entry.digest());
      const auto known = std::find_if(view_->parts.begin(), view_->parts.end(), [&](const IndexView::Part& part) {
        return part.segment->name() == entry.name();
      });
      if (known != view_->parts.end()) {
        durable_.push_back(known->segment);
      } else if (auto segment = IndexSegment::Load(options_.path, entry.name(), entry.bytes()); segment.ok()) {
        durable_.push_back(*std::move(segment));
      }
    }
  }
  RemoveStrangers();
  if (opened) return absl::OkStatus();
  // What is there now must not be taken for a part of the new index.
  std::error_code ignored;
  std::filesystem::remove(path + kSetFile, ignored);
  std::filesystem::remove(path + kDurableFile, ignored);
  return WriteSet(*view());
}

// The state of every row that counts is the one with the highest sequence.
bool IndexSet::TryOpen(const storage::v1::SegmentSet& set) {
  if (set.version() != kIndexVersion || set.log_uuid() != options_.log_uuid) return false;
  auto view = std::make_shared<IndexView>();
  for (const storage::v1::Segment& entry : set.segments()) {
    absl::StatusOr<std::shared_ptr<const IndexSegment>> segment =
        IndexSegment::Load(options_.path, entry.name(), entry.bytes());
    if (!segment.ok()) {
      common::Log(common::LogLevel::kWarning, "index_unusable", {{"error", segment.status()}});
      return false;
    }
    view->parts.push_back({.segment = *std::move(segment)});
  }
  struct Best {
    uint64_t seq = 0;
    Place place;  // Of no segment: the row is gone.
  };
  absl::flat_hash_map<int64_t, Best> best;
  DeadMarker dead(*view);
  const auto offer = [&](const RowState& state, const Place& place) {
    Best& known = best[state.row];
    const bool newer = state.seq > known.seq;
    const Place& loser = newer ? known.place : place;
    if (loser.segment != nullptr) {
      dead.Mark(*view, loser.segment, loser.document, /*erase=*/newer && place.segment == nullptr);
    }
    if (newer) known = {state.seq, place};
  };
  for (const IndexView::Part& part : view->parts) {
    const std::vector<RowState>& documents = part.segment->documents();
    for (size_t i = 0; i < documents.size(); ++i) {
      if (documents[i].row != 0) offer(documents[i], {part.segment.get(), static_cast<uint32_t>(i + 1)});
    }
    for (const RowState& removal : part.segment->removals()) offer(removal, {});
  }
  dead.Finish(*view);
  CountLive(*view);
  view->revision = 1;
  view->applied_seq = set.applied_seq();
  view->visible_seq = set.visible_seq();
  view->commit_time = absl::FromUnixMicros(set.time_us());
  generation_ = set.generation();
  const common::MutexLock publish(publish_mutex_);
  for (const auto& [row, state] : best) {
    if (state.place.segment != nullptr) places_.emplace(row, state.place);
  }
  const common::MutexLock lock(mutex_);
  next_segment_ = std::max(next_segment_, set.next_segment());
  revision_ = 1;
  view_ = std::move(view);
  return true;
}

// What a process left that was killed, or an index of before.
void IndexSet::RemoveStrangers() {
  std::set<std::string> names = {kSetFile, kDurableFile};
  {
    const common::MutexLock lock(mutex_);
    for (const IndexView::Part& part : view_->parts) names.insert(part.segment->name());
    for (const auto& segment : durable_) names.insert(segment->name());
  }
  std::error_code error;
  std::vector<std::filesystem::path> strangers;
  for (const auto& entry : std::filesystem::directory_iterator(options_.path, error)) {
    if (!names.contains(entry.path().filename().string())) strangers.push_back(entry.path());
  }
  for (const std::filesystem::path& path : strangers) std::filesystem::remove_all(path, error);
}

std::string IndexSet::NewName() {
  const common::MutexLock lock(mutex_);
  return absl::StrFormat("s%08d", next_segment_++);
}

std::shared_ptr<const IndexView> IndexSet::view() const {
  const common::MutexLock lock(mutex_);
  return view_;
}

std::vector<RowState> IndexSet::States() const {
  const common::MutexLock publish(publish_mutex_);
  std::vector<RowState> states;
  states.reserve(places_.size());
  for (const auto& [row, place] : places_) states.push_back(place.segment->documents()[place.document - 1]);
  return states;
}

int64_t IndexSet::DiskBytes() const {
  const common::MutexLock lock(mutex_);
  int64_t bytes = 0;
  for (const IndexView::Part& part : view_->parts) bytes += part.segment->bytes();
  for (const auto& segment : durable_) {
    if (!Holds(*view_, segment.get())) bytes += segment->bytes();
  }
  return bytes;
}

std::string IndexSet::StateOf(const IndexView& view) const {
  std::string state = absl::StrCat(generation_, "/", view.applied_seq);
  for (const IndexView::Part& part : view.parts) absl::StrAppend(&state, "/", part.segment->name());
  return state;
}

storage::v1::SegmentSet IndexSet::Describe(const IndexView& view) const {
  storage::v1::SegmentSet set;
  set.set_version(kIndexVersion);
  set.set_log_uuid(options_.log_uuid);
  set.set_generation(generation_);
  set.set_applied_seq(view.applied_seq);
  set.set_visible_seq(view.visible_seq);
  set.set_time_us(absl::ToUnixMicros(view.commit_time));
  set.set_boot_id(BootId());
  for (const IndexView::Part& part : view.parts) {
    storage::v1::Segment& entry = *set.add_segments();
    entry.set_name(part.segment->name());
    entry.set_bytes(part.segment->bytes());
  }
  const common::MutexLock lock(mutex_);
  set.set_next_segment(next_segment_);
  return set;
}

absl::Status IndexSet::WriteSet(const IndexView& view) const {
  return ReplaceFile(absl::StrCat(options_.path, "/", kSetFile), WithDigest(Describe(view)), /*durable=*/false);
}

void IndexSet::Show(std::shared_ptr<IndexView> view) {
  bool any_left = false;
  for (const IndexView::Part& part : view_->parts) {
    if (Holds(*view, part.segment.get())) continue;
    any_left = true;
    if (std::find(durable_.begin(), durable_.end(), part.segment) == durable_.end()) part.segment->Discard();
  }
  view->revision = ++revision_;
  view_ = std::move(view);
  if (any_left) {
    // They would hold what has left.
    idle_.clear();
    left_revision_ = revision_;
  }
  changed_.NotifyAll();
}

absl::StatusOr<std::vector<std::shared_ptr<const IndexSegment>>> IndexSet::BuildSegments(
    absl::Span<const IndexChange> changes) {
  std::vector<std::shared_ptr<const IndexSegment>> segments;
  if (changes.empty()) return segments;
  const size_t count = std::clamp<size_t>(changes.size() / kLeastForThread, 1, analyzers_.size());
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(NewName());
  std::vector<absl::StatusOr<std::shared_ptr<const IndexSegment>>> built(count);
  common::RunParallel(static_cast<int>(count), count, [&](size_t i) {
    const size_t first = changes.size() * i / count;
    const size_t end = changes.size() * (i + 1) / count;
    built[i] = IndexSegment::Build(options_.path, names[i], changes.subspan(first, end - first), *analyzers_[i]);
  });
  absl::Status status;
  for (auto& segment : built) {
    if (segment.ok()) {
      segments.push_back(*std::move(segment));
    } else {
      status.Update(segment.status());
    }
  }
  if (status.ok()) return segments;
  for (const auto& segment : segments) segment->Discard();
  return status;
}

absl::Status IndexSet::Apply(absl::Span<const IndexChange> changes, uint64_t applied_seq, uint64_t visible_seq) {
  {
    const common::MutexLock lock(mutex_);
    const common::SteadyTime limit = common::SteadyAfter(kMergePatience);
    while (view_->parts.size() > kManyParts && !stopping_ && changed_.WaitUntil(mutex_, limit)) {
    }
  }
  ASSIGN_OR_RETURN(const std::vector<std::shared_ptr<const IndexSegment>> segments, BuildSegments(changes));
  const common::MutexLock publish(publish_mutex_);
  auto view = std::make_shared<IndexView>(*this->view());
  DeadMarker dead(*view);
  for (const IndexChange& change : changes) {
    const auto found = places_.find(change.state.row);
    if (found == places_.end()) continue;
    dead.Mark(*view, found->second.segment, found->second.document, /*erase=*/change.article == nullptr);
  }
  dead.Finish(*view);
  // Nothing in them counts; what they removed may still have to be kept from coming back.
  std::erase_if(view->parts,
                [](const IndexView::Part& part) { return LiveIn(part) == 0 && part.segment->removals().empty(); });
  for (const auto& segment : segments) view->parts.push_back({.segment = segment});
  CountLive(*view);
  view->applied_seq = applied_seq;
  view->visible_seq = visible_seq;
  view->commit_time = absl::Now();
  if (absl::Status written = WriteSet(*view); !written.ok()) {
    for (const auto& segment : segments) segment->Discard();
    return written;
  }
  for (const IndexChange& change : changes) {
    if (change.article == nullptr) places_.erase(change.state.row);
  }
  for (const auto& segment : segments) {
    const std::vector<RowState>& documents = segment->documents();
    for (size_t i = 0; i < documents.size(); ++i) {
      places_[documents[i].row] = {segment.get(), static_cast<uint32_t>(i + 1)};
    }
  }
  const common::MutexLock lock(mutex_);
  Show(std::move(view));
  return absl::OkStatus();
}

absl::Status IndexSet::Sync() {
  const common::MutexLock one_at_a_time(sync_mutex_);
  std::shared_ptr<const IndexView> view;
  std::vector<std::shared_ptr<const IndexSegment>> fresh;
  {
    const common::MutexLock lock(mutex_);
    view = view_;
    if (durable_revision_ == view->revision) return absl::OkStatus();
    for (const IndexView::Part& part : view->parts) {
      if (std::find(durable_.begin(), durable_.end(), part.segment) == durable_.end()) fresh.push_back(part.segment);
    }
  }
  absl::flat_hash_map<std::string, std::string> digests;
  for (const auto& segment : fresh) {
    RETURN_IF_ERROR(segment->Sync());
    ASSIGN_OR_RETURN(digests[segment->name()], segment->Digest());
  }
  storage::v1::SegmentSet set = Describe(*view);
  {
    const common::MutexLock lock(mutex_);
    for (storage::v1::Segment& entry : *set.mutable_segments()) {
      const auto known = digests_.find(entry.name());
      if (known != digests_.end()) digests.emplace(entry.name(), known->second);
      const auto digest = digests.find(entry.name());
      if (digest != digests.end()) entry.set_digest(digest->second);
    }
  }
  RETURN_IF_ERROR(SyncPath(options_.path));
  RETURN_IF_ERROR(ReplaceFile(absl::StrCat(options_.path, "/", kDurableFile), WithDigest(set), /*durable=*/true));
  const common::MutexLock lock(mutex_);
  for (const auto& segment : std::exchange(durable_, {})) {
    if (!Holds(*view_, segment.get()) && !Holds(*view, segment.get())) segment->Discard();
  }
  for (const IndexView::Part& part : view->parts) {
    durable_.push_back(part.segment);
    part.segment->Keep();  // It may have left the view meanwhile.
  }
  digests_ = std::move(digests);
  durable_revision_ = view->revision;
  return absl::OkStatus();
}

absl::Status IndexSet::VerifySegment(const IndexSegment& segment) const {
  std::string expected;
  {
    const common::MutexLock lock(mutex_);
    const auto known = digests_.find(segment.name());
    if (known == digests_.end()) return absl::OkStatus();
    expected = known->second;
  }
  ASSIGN_OR_RETURN(const std::string digest, segment.Digest());
  if (digest == expected) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the index is damaged: ", segment.path(), " is not as it was written; RebuildIndex mends it"));
}

absl::Status IndexSet::Verify(const std::function<bool()>& cancelled) const {
  std::vector<std::shared_ptr<const IndexSegment>> segments;
  {
    const common::MutexLock lock(mutex_);
    segments = durable_;
  }
  for (const auto& segment : segments) {
    if (cancelled && cancelled()) return absl::CancelledError("stopped");
    RETURN_IF_ERROR(VerifySegment(*segment));
  }
  return absl::OkStatus();
}

std::vector<IndexSegment::Input> IndexSet::ChooseMerge(MergeGoal goal, const IndexView& view) const {
  std::vector<IndexSegment::Input> inputs;
  const auto add = [&](const IndexView::Part& part) { inputs.push_back({part.segment, part.dead}); };
  std::vector<const IndexView::Part*> parts;
  for (const IndexView::Part& part : view.parts) {
    if (!merging_.contains(part.segment.get())) parts.push_back(&part);
  }
  if (goal == MergeGoal::kOne) {
    const bool any_dead =
        std::any_of(parts.begin(), parts.end(), [](const auto* part) { return part->dead_count > 0; });
    if (parts.size() < 2 && !any_dead) return inputs;
    for (const IndexView::Part* part : parts) add(*part);
    return inputs;
  }
  if (goal == MergeGoal::kErase) {
    const auto found = std::find_if(parts.begin(), parts.end(), [](const auto* part) { return part->erase; });
    if (found == parts.end()) return inputs;
    add(**found);
    // What only says that something is removed has perhaps said it to all by then.
    for (const IndexView::Part* part : parts) {
      if (part != *found && part->segment->document_count() == 0) add(*part);
    }
    return inputs;
  }
  std::vector<std::vector<const IndexView::Part*>> levels;
  for (const IndexView::Part* part : parts) {
    const size_t level = LevelOf(LiveIn(*part));
    if (level >= levels.size()) levels.resize(level + 1);
    levels[level].push_back(part);
  }
  for (const auto& level : levels) {
    if (level.size() < kMergeFactor) continue;
    size_t documents = 0;
    for (size_t i = 0; i < std::min(level.size(), kMostInputs); ++i) {
      documents += LiveIn(*level[i]);
      if (goal == MergeGoal::kSmall && documents > kSmallMerge) break;
      add(*level[i]);
    }
    if (inputs.size() >= kMergeFactor || goal != MergeGoal::kSmall) return inputs;
    inputs.clear();
  }
  if (goal == MergeGoal::kSmall) return inputs;
  for (const IndexView::Part* part : parts) {
    const size_t documents = part->segment->document_count();
    if (documents >= kLeastToClean &&
        static_cast<double>(part->dead_count) > kMostDead * static_cast<double>(documents)) {
      add(*part);
      return inputs;
    }
  }
  if (goal == MergeGoal::kSteady) return inputs;
  std::stable_sort(parts.begin(), parts.end(), [](const auto* a, const auto* b) { return LiveIn(*a) < LiveIn(*b); });
  size_t count = 0;
  size_t smaller = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && LiveIn(*parts[i]) <= kIdleFactor * smaller) count = i + 1;
    smaller += LiveIn(*parts[i]);
  }
  for (size_t i = 0; i < count; ++i) add(*parts[i]);
  return inputs;
}

std::vector<IndexSegment::Input> IndexSet::ClaimMerge(MergeGoal goal) {
  const common::MutexLock lock(mutex_);
  std::vector<IndexSegment::Input> inputs = ChooseMerge(goal, *view_);
  for (const IndexSegment::Input& input : inputs) merging_.insert(input.segment.get());
  return inputs;
}

absl::Status IndexSet::MergeOnce(const std::vector<IndexSegment::Input>& inputs,
                                 const std::function<bool()>& cancelled) {
  const absl::Cleanup release = [&] {
    const common::MutexLock lock(mutex_);
    for (const IndexSegment::Input& input : inputs) merging_.erase(input.segment.get());
    changed_.NotifyAll();
  };
  std::set<const IndexSegment*> merged_away;
  absl::flat_hash_map<int64_t, uint64_t> removed;
  for (const IndexSegment::Input& input : inputs) {
    merged_away.insert(input.segment.get());
    for (const RowState& removal : input.segment->removals()) {
      uint64_t& seq = removed[removal.row];
      seq = std::max(seq, removal.seq);
    }
  }
  // A removal goes when nothing is left that it removed. What came since has a higher sequence.
  std::set<int64_t> needed;
  if (!removed.empty()) {
    for (const IndexView::Part& part : view()->parts) {
      if (merged_away.contains(part.segment.get())) continue;
      for (const RowState& state : part.segment->documents()) {
        const auto found = removed.find(state.row);
        if (found != removed.end() && state.seq < found->second) needed.insert(state.row);
      }
    }
  }
  const auto keep_removal = [&](const RowState& removal) {
    return needed.contains(removal.row) && removed[removal.row] == removal.seq;
  };
  const auto stop = [&] {
    if (cancelled && cancelled()) return true;
    const common::MutexLock lock(mutex_);
    return stopping_;
  };
  // What is damaged must not be copied into what is not known to be.
  for (const IndexSegment::Input& input : inputs) RETURN_IF_ERROR(VerifySegment(*input.segment));
  ASSIGN_OR_RETURN(const std::shared_ptr<const IndexSegment> merged,
                   IndexSegment::Merge(options_.path, NewName(), inputs, keep_removal, stop));

  const common::MutexLock publish(publish_mutex_);
  auto view = std::make_shared<IndexView>(*this->view());
  std::erase_if(view->parts, [&](const IndexView::Part& part) { return merged_away.contains(part.segment.get()); });
  view->parts.push_back({.segment = merged});
  DeadMarker dead(*view);
  const std::vector<RowState>& documents = merged->documents();
  // While it was being written some of it may have been superseded.
  const auto counts = [&](const RowState& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(publish_mutex_) {
    const auto found = places_.find(state.row);
    return found != places_.end() && merged_away.contains(found->second.segment) &&
           found->second.segment->documents()[found->second.document - 1].seq == state.seq;
  };
  std::vector<uint32_t> live;
  for (size_t i = 0; i < documents.size(); ++i) {
    if (documents[i].row == 0) continue;
    if (counts(documents[i])) {
      live.push_back(static_cast<uint32_t>(i + 1));
    } else {
      dead.Mark(*view, merged.get(), static_cast<uint32_t>(i + 1));
    }
  }
  dead.Finish(*view);
  if (live.empty() && merged->removals().empty()) view->parts.pop_back();
  CountLive(*view);
  if (absl::Status written = WriteSet(*view); !written.ok()) {
    merged->Discard();
    return written;
  }
  for (const uint32_t document : live) places_[documents[document - 1].row] = {merged.get(), document};
  if (live.empty() && merged->removals().empty()) merged->Discard();
  const common::MutexLock lock(mutex_);
  Show(std::move(view));
  return absl::OkStatus();
}

absl::Status IndexSet::Merge(MergeGoal goal, const std::function<bool()>& cancelled) {
  if (goal == MergeGoal::kSmall) return MergeSmall();
  const common::MutexLock one_at_a_time(merge_mutex_);
  while (true) {
    std::vector<IndexSegment::Input> inputs;
    if (goal == MergeGoal::kErase || goal == MergeGoal::kOne) {
      // These want all, also what a small merge is about to replace.
      const common::MutexLock none_small(small_merge_mutex_);
      inputs = ClaimMerge(goal);
    } else {
      inputs = ClaimMerge(goal);
    }
    if (inputs.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(MergeOnce(inputs, cancelled));
    // What came in meanwhile would have all of it written again, and again.
    if (goal == MergeGoal::kOne) return absl::OkStatus();
  }
}

absl::Status IndexSet::MergeSmall() {
  while (true) {
    const common::MutexLock one_at_a_time(small_merge_mutex_);
    const std::vector<IndexSegment::Input> inputs = ClaimMerge(MergeGoal::kSmall);
    if (inputs.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(MergeOnce(inputs, {}));
  }
}

absl::Status IndexSet::DropDead() {
  const common::MutexLock one_at_a_time(merge_mutex_);
  const common::MutexLock none_small(small_merge_mutex_);
  const common::MutexLock publish(publish_mutex_);
  auto view = std::make_shared<IndexView>(*this->view());
  std::set<const IndexSegment*> dropped;
  for (const IndexView::Part& part : view->parts) {
    if (LiveIn(part) == 0) dropped.insert(part.segment.get());
  }
  // A removal is needed while a document stays that it removed. Whatever stays for that has documents of its own.
  bool changed = !dropped.empty();
  while (changed) {
    absl::flat_hash_map<int64_t, uint64_t> oldest;
    for (const IndexView::Part& part : view->parts) {
      if (dropped.contains(part.segment.get())) continue;
      for (const RowState& state : part.segment->documents()) {
        const auto [known, is_new] = oldest.emplace(state.row, state.seq);
        if (!is_new) known->second = std::min(known->second, state.seq);
      }
    }
    changed =
        std::erase_if(dropped, [&](const IndexSegment* segment) {
          return std::any_of(segment->removals().begin(), segment->removals().end(), [&](const RowState& removal) {
            const auto found = oldest.find(removal.row);
            return found != oldest.end() && found->second < removal.seq;
          });
        }) > 0;
  }
  if (dropped.empty()) return absl::OkStatus();
  std::erase_if(view->parts, [&](const IndexView::Part& part) { return dropped.contains(part.segment.get()); });
  RETURN_IF_ERROR(WriteSet(*view));
  const common::MutexLock lock(mutex_);
  Show(std::move(view));
  return absl::OkStatus();
}

void IndexSet::RunMaintenance() {
  setpriority(PRIO_PROCESS, 0, kMergeNice);  // On Linux of this thread alone. If it is refused, it goes on as it is.
  common::SteadyTime next_sync = common::SteadyAfter(options_.sync_interval);
  uint64_t seen = 0;
  uint64_t applied_seen = 0;
  bool tidy = false;  // Nothing has come since the last merge of an idle time.
  while (true) {
    bool idle = false;
    {
      const common::MutexLock lock(mutex_);
      const common::SteadyTime quiet = tidy ? next_sync : std::min(next_sync, common::SteadyAfter(kIdle));
      while (!stopping_ && view_->revision == seen && changed_.WaitUntil(mutex_, quiet)) {
      }
      if (stopping_) return;
      idle = view_->revision == seen && !tidy;
      seen = view_->revision;
    }
    absl::Status status = Merge(idle ? MergeGoal::kIdle : MergeGoal::kSteady);
    if (status.ok() && common::SteadyNow() >= next_sync) {
      status = Merge(MergeGoal::kErase);
      if (status.ok()) status = Sync();
      next_sync = common::SteadyAfter(options_.sync_interval);
    }
    if (idle) ReturnFreeMemory();
    if (status.ok()) {
      const common::MutexLock lock(mutex_);
      // What was merged here is no news.
      tidy = idle && view_->applied_seq == applied_seen;
      applied_seen = view_->applied_seq;
      seen = view_->revision;
      continue;
    }
    if (absl::IsCancelled(status)) continue;
    common::Log(common::LogLevel::kError, "index_maintenance_failed", {{"error", status}});
    if (absl::IsDataLoss(status)) ReportDamage();
    Pause();
    next_sync = std::max(next_sync, common::SteadyNow());
  }
}

void IndexSet::RunSmallMerges() {
  uint64_t seen = 0;
  while (true) {
    {
      const common::MutexLock lock(mutex_);
      while (!stopping_ && view_->revision == seen) changed_.Wait(mutex_);
      if (stopping_) return;
      seen = view_->revision;
    }
    const absl::Status status = MergeSmall();
    if (status.ok() || absl::IsCancelled(status)) continue;
    common::Log(common::LogLevel::kError, "index_merge_failed", {{"error", status}});
    if (absl::IsDataLoss(status)) ReportDamage();
    Pause();
  }
}

void IndexSet::Pause() {
  const common::MutexLock lock(mutex_);
  const common::SteadyTime until = common::SteadyAfter(kErrorPause);
  while (!stopping_ && changed_.WaitUntil(mutex_, until)) {
  }
}

absl::StatusOr<IndexSet::Lease> IndexSet::Read() const {
  std::unique_ptr<IndexReader> reader;
  std::shared_ptr<const IndexView> view;
  {
    const common::MutexLock lock(mutex_);
    view = view_;
    if (!idle_.empty()) {
      reader = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (reader == nullptr) reader = std::make_unique<IndexReader>();
  if (reader->view != view) {
    try {
      std::vector<IndexReader::Part> parts;
      for (const IndexView::Part& shown : view->parts) {
        if (shown.segment->document_count() == 0) continue;
        const auto known = std::find_if(reader->parts.begin(), reader->parts.end(),
                                        [&](const IndexReader::Part& part) { return part.segment == shown.segment; });
        if (known != reader->parts.end()) {
          parts.push_back(std::move(*known));
          known->segment = nullptr;
        } else {
          auto database = std::make_unique<Xapian::Database>(shown.segment->path());
          std::string uuid = database->get_uuid();
          parts.push_back({shown.segment, std::move(database), std::move(uuid)});
        }
        parts.back().hidden = shown.dead != nullptr ? shown.dead.get() : &shown.segment->vacant();
      }
      reader->parts = std::move(parts);
      // Of no database nothing can be asked.
      reader->all = reader->parts.empty()
                        ? std::make_unique<Xapian::Database>(std::string(), Xapian::DB_BACKEND_INMEMORY)
                        : std::make_unique<Xapian::Database>();
      for (const IndexReader::Part& part : reader->parts) reader->all->add_database(*part.database);
      reader->view = std::move(view);
    } catch (...) {
      absl::Status status = CaughtIndexError();
      // Too many open files, say, are no damage; a file that somebody took away is.
      if (absl::IsDataLoss(status) || !FilesAreThere(*view)) ReportDamage();
      return status;
    }
  }
  return Lease(this, std::move(reader));
}

void IndexSet::Return(std::unique_ptr<IndexReader> reader) const {
  const common::MutexLock lock(mutex_);
  if (idle_.size() < kMaxIdleReaders && reader->view->revision >= left_revision_) idle_.push_back(std::move(reader));
}

}  // namespace dateline::search
