#include "search_service/search_index.h"

#include <string>
#include <utility>

#include "absl/memory/memory.h"

#include "common/status_macros.h"
#include "search_service/index_match.h"
#include "search_service/index_set.h"
#include "search_service/index_spelling.h"

namespace dateline::search {

SearchIndex::SearchIndex(std::unique_ptr<IndexSet> set) : set_(std::move(set)) {}
SearchIndex::~SearchIndex() = default;

absl::StatusOr<std::unique_ptr<SearchIndex>> SearchIndex::Open(const std::string& path, const std::string& log_uuid,
                                                               uint64_t last_seq, const Options& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<IndexSet> set, IndexSet::Open({.path = path,
                                                                  .log_uuid = log_uuid,
                                                                  .last_seq = last_seq,
                                                                  .threads = options.threads,
                                                                  .sync_interval = options.sync_interval,
                                                                  .on_damage = options.on_damage}));
  return absl::WrapUnique(new SearchIndex(std::move(set)));
}

bool SearchIndex::IsIn(const std::string& path) { return IndexSet::IsIn(path); }

absl::Status SearchIndex::Apply(absl::Span<const IndexChange> changes, uint64_t applied_seq, uint64_t visible_seq) {
  return set_->Apply(changes, applied_seq, visible_seq);
}
absl::Status SearchIndex::Sync() { return set_->Sync(); }
absl::Status SearchIndex::Compact(const std::function<bool()>& cancelled) {
  return set_->Merge(IndexSet::MergeGoal::kOne, cancelled);
}
absl::Status SearchIndex::DropDead() { return set_->DropDead(); }
absl::Status SearchIndex::Verify(const std::function<bool()>& cancelled) const { return set_->Verify(cancelled); }
void SearchIndex::ReportDamage() const { set_->ReportDamage(); }
std::vector<RowState> SearchIndex::States() const { return set_->States(); }
bool SearchIndex::opened_after_boot() const { return set_->opened_after_boot(); }
uint64_t SearchIndex::applied_seq() const { return set_->view()->applied_seq; }
uint64_t SearchIndex::visible_seq() const { return set_->view()->visible_seq; }

absl::StatusOr<MatchResult> SearchIndex::Match(const MatchRequest& request) const {
  ASSIGN_OR_RETURN(IndexSet::Lease reader, set_->Read());
  absl::StatusOr<MatchResult> result = MatchDocuments(*reader, request);
  if (!result.ok()) {
    reader.Drop();
    if (absl::IsDataLoss(result.status())) set_->ReportDamage();
  }
  if (result.ok()) result->state = set_->StateOf(*(*reader).view);
  return result;
}

absl::StatusOr<Corrections> SearchIndex::Correct(const SearchedWord& word, const Neighbours& neighbours,
                                                 size_t max_words, absl::Time deadline) const {
  ASSIGN_OR_RETURN(IndexSet::Lease reader, set_->Read());
  return CorrectWord(*reader, word, neighbours, max_words, deadline);
}

absl::StatusOr<bool> SearchIndex::IsOneWord(const std::string& first, const std::string& second,
                                            absl::Time deadline) const {
  ASSIGN_OR_RETURN(IndexSet::Lease reader, set_->Read());
  return ::dateline::search::IsOneWord(*reader, first, second, deadline);
}

absl::StatusOr<std::vector<int64_t>> SearchIndex::StemFrequencies(const std::vector<std::string>& stems) const {
  ASSIGN_OR_RETURN(IndexSet::Lease reader, set_->Read());
  return ::dateline::search::StemFrequencies(*reader, stems);
}

absl::StatusOr<bool> SearchIndex::HasEmbargoes(absl::Time now) const {
  ASSIGN_OR_RETURN(IndexSet::Lease reader, set_->Read());
  return ::dateline::search::HasEmbargoes(*reader, now);
}

int64_t SearchIndex::document_count() const { return set_->view()->document_count; }
int64_t SearchIndex::segment_count() const { return static_cast<int64_t>(set_->view()->parts.size()); }
std::string SearchIndex::generation() const { return set_->generation(); }
std::string SearchIndex::state() const { return set_->StateOf(*set_->view()); }
absl::Time SearchIndex::commit_time() const { return set_->view()->commit_time; }

int64_t SearchIndex::DiskBytes() const { return set_->DiskBytes(); }

}  // namespace dateline::search
