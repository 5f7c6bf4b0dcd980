#include "search_service/job_list.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/error.h"
#include "common/log.h"
#include "search_service/files.h"
#include "search_service/storage.pb.h"

namespace dateline::search {
namespace {

constexpr size_t kMaxKept = 100;
constexpr size_t kMaxWaiting = 20;

std::string NewId() {
  std::random_device random;
  return absl::StrFormat("job-%08x%08x", random(), random());
}

bool HasEnded(const JobInfo& job) { return job.state != JobState::kQueued && job.state != JobState::kRunning; }

absl::Status NoSuchJob(absl::string_view id) {
  return absl::NotFoundError(absl::StrCat("no job has the id \"", id, "\"; only the last ", kMaxKept, " are kept"));
}

void ToStored(const RelabelReport& report, storage::v1::RelabelReport& stored) {
  stored.set_article_count(report.article_count);
  stored.set_changed_count(report.changed_count);
  stored.set_failed_count(report.failed_count);
  for (const RelabelReport::TagChange& change : report.changes) {
    storage::v1::TagChange& entry = *stored.add_changes();
    entry.set_dimension(static_cast<int>(change.dimension));
    entry.set_id(change.id);
    entry.set_gained_count(change.gained_count);
    entry.set_lost_count(change.lost_count);
    for (const std::string& id : change.gained_ids) entry.add_gained_ids(id);
    for (const std::string& id : change.lost_ids) entry.add_lost_ids(id);
  }
}

RelabelReport FromStored(const storage::v1::RelabelReport& stored) {
  RelabelReport report;
  report.article_count = stored.article_count();
  report.changed_count = stored.changed_count();
  report.failed_count = stored.failed_count();
  for (const storage::v1::TagChange& entry : stored.changes()) {
    report.changes.push_back({.dimension = static_cast<Dimension>(entry.dimension()),
                              .id = entry.id(),
                              .gained_count = entry.gained_count(),
                              .lost_count = entry.lost_count(),
                              .gained_ids = {entry.gained_ids().begin(), entry.gained_ids().end()},
                              .lost_ids = {entry.lost_ids().begin(), entry.lost_ids().end()}});
  }
  return report;
}

}  // namespace

bool JobList::Run::cancelled() const {
  const common::MutexLock lock(jobs_->mutex_);
  const Job* const job = jobs_->Find(id_);
  return job == nullptr || job->cancelled;
}

void JobList::Run::Report(double progress, std::string message) {
  const common::MutexLock lock(jobs_->mutex_);
  Job* const job = jobs_->Find(id_);
  if (job == nullptr) return;
  job->info.progress = std::clamp(progress, 0.0, 1.0);
  job->info.message = std::move(message);
}

void JobList::Run::Report(RelabelReport report) {
  const common::MutexLock lock(jobs_->mutex_);
  Job* const job = jobs_->Find(id_);
  if (job != nullptr) job->info.relabel_report = std::move(report);
}

JobList::JobList(std::string path) : path_(std::move(path)) {
  {
    const common::MutexLock lock(mutex_);
    Load();
  }
  for (const Lane lane : {Lane::kUpkeep, Lane::kTagging}) threads_.emplace_back([this, lane] { RunJobs(lane); });
}

JobList::~JobList() { Shutdown(); }

void JobList::Shutdown() {
  {
    const common::MutexLock lock(mutex_);
    if (closing_) return;
    closing_ = true;
    for (Job& job : jobs_) job.cancelled = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

JobList::Job* JobList::Find(absl::string_view id) {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [id](const Job& job) { return job.info.id == id; });
  return found == jobs_.end() ? nullptr : &*found;
}
const JobList::Job* JobList::Find(absl::string_view id) const {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [id](const Job& job) { return job.info.id == id; });
  return found == jobs_.end() ? nullptr : &*found;
}

absl::StatusOr<JobInfo> JobList::Start(absl::string_view method, absl::string_view key, Work work, Lane lane) {
  const common::MutexLock lock(mutex_);
  if (closing_) return common::Unavailable("the service is shutting down", absl::Seconds(2));
  size_t waiting = 0;
  for (const Job& job : jobs_) {
    if (job.info.state != JobState::kQueued) continue;
    if (job.info.method == method && job.key == key && !job.cancelled) return job.info;
    ++waiting;
  }
  if (waiting >= kMaxWaiting) {
    return common::ResourceExhausted(absl::StrCat(waiting, " jobs wait already; see ListJobs, and cancel some or wait"),
                                     absl::Seconds(10));
  }
  Job& job = jobs_.emplace_back();
  job.info.id = NewId();
  job.info.method = std::string(method);
  job.info.start_time = absl::Now();
  job.work = std::move(work);
  job.lane = lane;
  job.key = std::string(key);
  const auto ended = std::find_if(jobs_.begin(), jobs_.end(), [](const Job& other) { return HasEnded(other.info); });
  if (jobs_.size() > kMaxKept && ended != jobs_.end()) jobs_.erase(ended);
  Save();
  changed_.NotifyAll();
  return job.info;
}

absl::StatusOr<JobInfo> JobList::Get(absl::string_view id) const {
  const common::MutexLock lock(mutex_);
  const Job* const job = Find(id);
  if (job == nullptr) return NoSuchJob(id);
  return job->info;
}

std::vector<JobInfo> JobList::List(absl::string_view after, size_t max_jobs) const {
  const common::MutexLock lock(mutex_);
  std::vector<JobInfo> list;
  bool begun = after.empty();
  for (auto job = jobs_.rbegin(); job != jobs_.rend() && list.size() < max_jobs; ++job) {
    if (begun) list.push_back(job->info);
    begun = begun || job->info.id == after;
  }
  return list;
}

absl::StatusOr<JobInfo> JobList::Cancel(absl::string_view id) {
  const common::MutexLock lock(mutex_);
  Job* const job = Find(id);
  if (job == nullptr) return NoSuchJob(id);
  if (!HasEnded(job->info)) job->cancelled = true;
  if (job->info.state == JobState::kQueued) End(*job, absl::CancelledError(""));
  return job->info;
}

void JobList::End(Job& job, const absl::StatusOr<std::string>& outcome) {
  job.info.end_time = absl::Now();
  job.work = nullptr;
  if (outcome.ok()) {
    job.info.state = JobState::kSucceeded;
    job.info.progress = 1.0;
    job.info.message = *outcome;
  } else if (job.cancelled && absl::IsCancelled(outcome.status())) {
    job.info.state = JobState::kCancelled;
  } else {
    job.info.state = JobState::kFailed;
    job.info.error = std::string(outcome.status().message());
  }
  common::Log(outcome.ok() ? common::LogLevel::kInfo : common::LogLevel::kWarning, "job_ended",
              {{"job", job.info.id}, {"method", job.info.method}, {"outcome", outcome.status()}});
  Save();
  changed_.NotifyAll();
}

void JobList::RunJobs(Lane lane) {
  while (true) {
    std::string id;
    Work work;
    {
      const common::MutexLock lock(mutex_);
      const auto next = [this, lane]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return std::find_if(jobs_.begin(), jobs_.end(),
                            [lane](const Job& job) { return job.info.state == JobState::kQueued && job.lane == lane; });
      };
      auto job = next();
      while (job == jobs_.end() && !closing_) {
        changed_.Wait(mutex_);
        job = next();
      }
      if (job == jobs_.end()) return;
      if (closing_) {
        End(*job, absl::CancelledError(""));
        continue;
      }
      job->info.state = JobState::kRunning;
      id = job->info.id;
      work = job->work;
      Save();
    }
    Run run(this, id);
    const absl::StatusOr<std::string> outcome = work(run);
    const common::MutexLock lock(mutex_);
    if (Job* const job = Find(id); job != nullptr) End(*job, outcome);
  }
}

void JobList::Load() {
  std::ifstream file(path_, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  storage::v1::Jobs stored;
  if (!file || !stored.ParseFromString(content)) return;
  for (const storage::v1::Job& entry : stored.jobs()) {
    JobInfo& job = jobs_.emplace_back().info;
    job.id = entry.id();
    job.method = entry.method();
    job.state = static_cast<JobState>(entry.state());
    job.progress = entry.progress();
    job.message = entry.message();
    job.error = entry.error();
    if (entry.has_relabel_report()) job.relabel_report = FromStored(entry.relabel_report());
    job.start_time = absl::FromUnixMicros(entry.start_time_us());
    if (entry.has_end_time_us()) job.end_time = absl::FromUnixMicros(entry.end_time_us());
    if (HasEnded(job)) continue;
    job.state = JobState::kFailed;
    job.error = "the service ended before the job did; order it again";
    job.end_time = absl::Now();
  }
}

// What can't be written is lost with the process, and nothing else.
void JobList::Save() const {
  storage::v1::Jobs stored;
  for (const Job& job : jobs_) {
    storage::v1::Job& entry = *stored.add_jobs();
    entry.set_id(job.info.id);
    entry.set_method(job.info.method);
    entry.set_state(static_cast<int>(job.info.state));
    entry.set_progress(job.info.progress);
    entry.set_message(job.info.message);
    entry.set_error(job.info.error);
    if (job.info.relabel_report) ToStored(*job.info.relabel_report, *entry.mutable_relabel_report());
    entry.set_start_time_us(absl::ToUnixMicros(job.info.start_time));
    if (HasEnded(job.info)) entry.set_end_time_us(absl::ToUnixMicros(job.info.end_time));
  }
  if (const absl::Status saved = ReplaceFile(path_, stored.SerializeAsString(), /*durable=*/false); !saved.ok()) {
    common::Log(common::LogLevel::kWarning, "jobs_not_saved", {{"error", saved}});
  }
}

}  // namespace dateline::search
