#include "search_service/relabeling.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "common/status_macros.h"
#include "search_service/filter_match.h"
#include "search_service/query_parser.h"

namespace dateline::search {
namespace {

// Texts of one batch, below what a call to the labeler may hold by the longest article.
constexpr size_t kMaxBatchBytes = kMaxLabelingBytes / 2;
constexpr size_t kMaxExamples = 5;
constexpr size_t kMaxChanges = 1'000;
// In which waits look whether they are still wanted.
constexpr absl::Duration kStep = absl::Milliseconds(50);

absl::Status Stopped() { return absl::CancelledError("stopped"); }

absl::Status Wait(const JobList::Run& run, absl::Time until) {
  while (absl::Now() < until) {
    if (run.cancelled()) return Stopped();
    absl::SleepFor(std::min(kStep, until - absl::Now()));
  }
  return run.cancelled() ? Stopped() : absl::OkStatus();
}

using Tag = std::pair<Dimension, std::string>;

std::set<Tag> TagsOf(const Article& article) {
  std::set<Tag> tags;
  for (Label& label : EffectiveLabels(article)) tags.emplace(label.dimension, std::move(label.id));
  return tags;
}

// Counts which tags come and go.
class ChangeCounter {
 public:
  void Count(const Article& before, const Labeling& labeling) {
    Article after = before;
    std::erase_if(after.labels, [](const Label& label) { return label.source == LabelSource::kClassifier; });
    after.labels.insert(after.labels.end(), labeling.labels.begin(), labeling.labels.end());
    const std::set<Tag> old_tags = TagsOf(before);
    const std::set<Tag> new_tags = TagsOf(after);
    ++report_.article_count;
    if (old_tags != new_tags) ++report_.changed_count;
    for (const Tag& tag : new_tags) {
      if (!old_tags.contains(tag)) Note(before.id, ChangeOf(tag).gained_count, ChangeOf(tag).gained_ids);
    }
    for (const Tag& tag : old_tags) {
      if (!new_tags.contains(tag)) Note(before.id, ChangeOf(tag).lost_count, ChangeOf(tag).lost_ids);
    }
  }
  void CountFailure() { ++report_.failed_count; }

  RelabelReport Report() const {
    RelabelReport report = report_;
    for (const auto& [tag, change] : changes_) report.changes.push_back(change);
    std::stable_sort(report.changes.begin(), report.changes.end(), [](const auto& a, const auto& b) {
      return a.gained_count + a.lost_count > b.gained_count + b.lost_count;
    });
    if (report.changes.size() > kMaxChanges) report.changes.resize(kMaxChanges);
    return report;
  }

 private:
  RelabelReport::TagChange& ChangeOf(const Tag& tag) {
    RelabelReport::TagChange& change = changes_[tag];
    change.dimension = tag.first;
    change.id = tag.second;
    return change;
  }
  static void Note(const std::string& id, int64_t& count, std::vector<std::string>& ids) {
    ++count;
    if (ids.size() < kMaxExamples) ids.push_back(id);
  }

  RelabelReport report_;
  std::map<Tag, RelabelReport::TagChange> changes_;
};

}  // namespace

absl::StatusOr<std::string> Relabeling::Run(JobList::Run& run, const RelabelRequest& request) const {
  ASSIGN_OR_RETURN(const QueryNode condition, ParseFilter(request.filter, {.taxonomy = *taxonomy_()}));
  IndexInfo info;
  RETURN_IF_ERROR(store_.FillInfo(info));
  const auto total = std::max<int64_t>(info.article_count, 1);
  const absl::Time start = absl::Now();
  ChangeCounter counter;
  std::string version;  // Of the labeler, as it told last.
  if (request.only_outdated) {
    // Where it doesn't tell, its first answers will.
    version = labeler_.FetchVersion(absl::Now() + options_.labeling_timeout).value_or(std::string());
  }
  int64_t row = 0;
  int64_t seen = 0;
  int64_t written = 0;
  absl::Duration backoff = options_.min_backoff;
  const auto report = [&](absl::string_view more) {
    run.Report(static_cast<double>(seen) / static_cast<double>(total),
               absl::StrCat(seen, " of ", total, " articles", more));
    run.Report(counter.Report());
  };
  while (true) {
    if (run.cancelled()) return Stopped();
    ASSIGN_OR_RETURN(
        std::vector<StoredArticle> batch,
        store_.ReadLabelled(row, request.only_outdated ? version : std::string(), kMaxLabelingBatch, kMaxBatchBytes));
    if (batch.empty()) break;
    const int64_t last_row = batch.back().row;
    const auto size = static_cast<int64_t>(batch.size());
    std::erase_if(
        batch, [&](const StoredArticle& stored) { return stored.damaged || !PassesFilter(condition, stored.article); });
    if (!batch.empty()) {
      std::vector<LabelingInput> inputs;
      inputs.reserve(batch.size());
      for (const StoredArticle& stored : batch) inputs.push_back(LabelingInputOf(stored.article));
      absl::StatusOr<std::vector<absl::StatusOr<Labeling>>> answer =
          labeler_.Label(inputs, absl::Now() + options_.labeling_timeout);
      if (answer.ok() && answer->size() != batch.size()) {
        answer = absl::InternalError("the classifier gave another number of answers than it was asked for");
      }
      if (!answer.ok()) {
        report(absl::StrCat("; waits for the classifier: ", answer.status().message()));
        RETURN_IF_ERROR(Wait(run, absl::Now() + backoff));
        backoff = std::min(backoff * 2, options_.max_backoff);
        continue;
      }
      backoff = options_.min_backoff;
      struct Change {
        int64_t row;
        uint64_t content_seq;
        Labeling labeling;
      };
      auto changes = std::make_shared<std::vector<Change>>();
      for (size_t i = 0; i < batch.size(); ++i) {
        absl::StatusOr<Labeling> labeling = CheckedLabeling(std::move((*answer)[i]), absl::Now());
        if (!labeling.ok()) {
          counter.CountFailure();
          continue;
        }
        version = labeling->version;
        counter.Count(batch[i].article, *labeling);
        changes->push_back({batch[i].row, batch[i].article.content_seq, *std::move(labeling)});
      }
      if (!request.validate_only && !changes->empty()) {
        const absl::Status status = write_([changes, known = taxonomy_()](ArticleStore& articles) -> absl::Status {
          for (const Change& change : *changes) {
            RETURN_IF_ERROR(articles.SetLabeling(change.row, change.content_seq, change.labeling, *known).status());
          }
          return absl::OkStatus();
        });
        RETURN_IF_ERROR(status);
        written += static_cast<int64_t>(changes->size());
        RETURN_IF_ERROR(Wait(run, start + absl::Seconds(static_cast<double>(written) / options_.rate)));
      }
    }
    row = last_row;
    seen += size;
    report("");
  }
  const RelabelReport result = counter.Report();
  run.Report(result);
  if (request.only_outdated && request.filter.empty() && !request.validate_only && result.failed_count == 0 &&
      !version.empty()) {
    RETURN_IF_ERROR(write_([version](ArticleStore& store) { return store.SetRelabelled(version); }));
  }
  return absl::StrCat(result.article_count, " articles tagged again: the tags of ", result.changed_count,
                      request.validate_only ? " would change" : " changed",
                      result.failed_count > 0 ? absl::StrCat("; the classifier refused ", result.failed_count) : "");
}

}  // namespace dateline::search
