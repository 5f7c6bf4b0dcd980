#include "cli/run_report.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

#include "cli/text_output.h"
#include "common/version.h"

namespace dateline::cli {
namespace {

namespace spb = search::v1;

constexpr size_t kMaxRejectionsListed = 10'000;

constexpr spb::IngestOutcome kOutcomes[] = {spb::INGEST_OUTCOME_CREATED, spb::INGEST_OUTCOME_UPDATED,
                                            spb::INGEST_OUTCOME_UNCHANGED, spb::INGEST_OUTCOME_STALE,
                                            spb::INGEST_OUTCOME_REJECTED};

// Warnings say it in words, of the extraction and of the service alike: "date: "30/30/2024" is no date that …",
// "publish_time: "1970-01-01" cannot be right and was dropped".
bool IsOfDate(absl::string_view warning) {
  const bool of_time = absl::StartsWith(warning, "publish_time: ") || absl::StartsWith(warning, "update_time: ");
  return absl::StrContains(warning, "\" is no date") || absl::EndsWith(warning, "in the future and was dropped") ||
         (of_time && absl::EndsWith(warning, "was dropped"));
}

bool IsOfLanguage(absl::string_view warning) {
  return absl::StartsWith(warning, "language_code: ") && absl::EndsWith(warning, "was left out");
}

}  // namespace

absl::StatusOr<RejectLimit> RejectLimit::Parse(absl::string_view text) {
  const absl::Status error = absl::InvalidArgumentError("is neither a number such as 10 nor a share such as 2.5%");
  RejectLimit limit;
  if (absl::ConsumeSuffix(&text, "%")) {
    if (!absl::SimpleAtod(text, &limit.percent_) || !(limit.percent_ >= 0 && limit.percent_ <= 100)) return error;
    return limit;
  }
  if (!absl::SimpleAtoi(text, &limit.count_) || limit.count_ < 0) return error;
  return limit;
}

bool RejectLimit::Allows(int64_t rejected, int64_t total) const {
  if (percent_ < 0) return rejected <= count_;
  return static_cast<double>(rejected) * 100 <= percent_ * static_cast<double>(total);
}

void RunReport::Add(const IngestLine& line, bool cuts_off) {
  ++total_;
  cut_off_ += cuts_off ? 1 : 0;
  ++counts_[line.outcome()];
  would_be_sent_ += line.would_be_sent() ? 1 : 0;
  if (!line.warnings().empty()) ++with_warnings_;
  for (const std::string& warning : line.warnings()) {
    dates_dropped_ += IsOfDate(warning) ? 1 : 0;
    languages_dropped_ += IsOfLanguage(warning) ? 1 : 0;
  }
  if (!line.duplicate_of().empty()) ++near_duplicates_;
  if (line.outcome() != spb::INGEST_OUTCOME_REJECTED) {
    const bool is_new = line.id().empty() || stored_.insert(std::hash<std::string>()(line.id())).second;
    if (!is_new && line.outcome() == spb::INGEST_OUTCOME_UPDATED && replaced_in_run_++ == 0) {
      first_replaced_ =
          absl::StrCat("\"", line.id(), "\", ", line.source(), line.position().empty() ? "" : ", ", line.position());
    }
    return;
  }
  ++rejected_;
  ++reasons_[line.error().reason()];
  if (rejections_.size() == kMaxRejectionsListed) return;
  rejections_.push_back(
      {line.source(), line.position(), line.id(), line.error().reason(), line.error().message(), cuts_off});
}

void RunReport::AddGone(const std::string& url) {
  ++gone_;
  if (gone_urls_.size() < kMaxRejectionsListed) gone_urls_.push_back(url);
}

std::string RunReport::GoneNote() const {
  if (gone_ == 0) return "";
  return absl::StrCat(gone_,
                      gone_ == 1 ? " page that the places name is gone (404 or 410): "
                                 : " pages that the places name are gone (404 or 410); the first: ",
                      gone_urls_.front());
}

std::string RunReport::ReplacedNote() const {
  if (replaced_in_run_ == 0) return "";
  return absl::StrCat(replaced_in_run_, replaced_in_run_ == 1 ? " article has" : " articles have",
                      " replaced one that this run had stored under the same id (the first: ", first_replaced_,
                      "); if they are not the same articles, give each an id of its own, or none");
}

int64_t RunReport::count(spb::IngestOutcome outcome) const {
  const auto found = counts_.find(outcome);
  return found == counts_.end() ? 0 : found->second;
}

std::string RunReport::Summary(const End& end) const {
  std::string text = absl::StrCat(total_, total_ == 1 ? " article" : " articles");
  std::string separator = ": ";
  for (const spb::IngestOutcome outcome : kOutcomes) {
    if (count(outcome) == 0) continue;
    absl::StrAppend(&text, separator, count(outcome), " ", OutcomeName(outcome));
    separator = ", ";
  }
  if (would_be_sent_ > 0) {
    absl::StrAppend(&text, separator, would_be_sent_, " would be sent");
    separator = ", ";
  }
  if (cut_off_ > 0) {
    absl::StrAppend(&text, separator, cut_off_, cut_off_ == 1 ? " source" : " sources", " not read to the end");
    separator = ", ";
  }
  if (gone_ > 0) {
    absl::StrAppend(&text, separator, gone_, gone_ == 1 ? " page gone" : " pages gone");
    separator = ", ";
  }
  if (end.unanswered > 0) {
    absl::StrAppend(&text, separator, end.unanswered, " without an answer");
    separator = ", ";
  }
  if (end.deletions) {
    absl::StrAppend(&text, separator, end.deletions->deleted_ids.size(), end.dry_run ? " would be deleted" : " deleted",
                    " of ", end.deletions->stored, " stored");
  }
  const double seconds = absl::ToDoubleSeconds(end.time - start_);
  absl::StrAppend(&text, absl::StrFormat("; %.1f s", seconds));
  if (seconds > 0 && total_ > 0) {
    const double rate = static_cast<double>(total_) / seconds;
    absl::StrAppend(&text, absl::StrFormat(", %.*f/s", rate < 10 ? 1 : 0, rate));
  }
  if (!end.reached.empty()) absl::StrAppend(&text, "; ", end.reached);
  if (!end.shortfall.empty()) absl::StrAppend(&text, ", not ", end.waited_for);
  if (dates_dropped_ > 0) {
    absl::StrAppend(&text, "; ", dates_dropped_, dates_dropped_ == 1 ? " date" : " dates", " could not be read (-v)");
  }
  if (languages_dropped_ > 0) {
    absl::StrAppend(&text, "; ", languages_dropped_, languages_dropped_ == 1 ? " language" : " languages",
                    " could not be read (-v)");
  }
  if (end.skipped_files > 0) {
    absl::StrAppend(&text, "; ", end.skipped_files,
                    " others passed over (files by their names, posts by type and status)");
  }
  return text;
}

std::string RunReport::Json(const End& end) const {
  const double seconds = absl::ToDoubleSeconds(end.time - start_);
  nlohmann::ordered_json outcomes;
  for (const spb::IngestOutcome outcome : kOutcomes) outcomes[OutcomeName(outcome)] = count(outcome);
  nlohmann::ordered_json rejected = nlohmann::ordered_json::array();
  for (const Rejection& rejection : rejections_) {
    rejected.push_back({{"source", rejection.source},
                        {"position", rejection.position},
                        {"id", rejection.id},
                        {"reason", rejection.reason},
                        {"message", rejection.message},
                        {"cutsOff", rejection.cuts_off}});
  }
  nlohmann::ordered_json report = {
      {"version", common::kVersion},
      {"startTime", absl::FormatTime(absl::RFC3339_sec, start_, absl::UTCTimeZone())},
      {"endTime", absl::FormatTime(absl::RFC3339_sec, end.time, absl::UTCTimeZone())},
      {"exitCode", static_cast<int>(end.exit_code)},
      {"error", end.error},
      {"total", total_},
      {"outcomes", outcomes},
      {"nearDuplicates", near_duplicates_},
      {"replacedInRun", replaced_in_run_},
      {"dryRun", end.dry_run},
      {"wouldBeSent", would_be_sent_},
      {"withWarnings", with_warnings_},
      {"datesDropped", dates_dropped_},
      {"languagesDropped", languages_dropped_},
      {"cutOff", cut_off_},
      {"gone", gone_},
      {"goneUrls", gone_urls_},
      {"unanswered", end.unanswered},
      {"skippedFiles", end.skipped_files},
      {"unchangedInputs", end.unchanged_inputs},
      {"answeredBefore", end.answered_before},
      {"bytesRead", end.bytes},
      {"durationSeconds", seconds},
      {"articlesPerSecond", seconds > 0 ? static_cast<double>(total_) / seconds : 0.0},
      {"waitedFor", end.waited_for},
      {"reached", end.reached},
      {"shortfall", end.shortfall},
      {"commitToken", end.commit_token},
      {"rejectedByReason", reasons_},
      {"rejected", rejected},
      {"rejectedListComplete", rejected_ == static_cast<int64_t>(rejections_.size())},
  };
  if (end.deletions) {
    report["deletions"] = {{"stored", end.deletions->stored},
                           {"missing", end.deletions->missing},
                           {"deleted", end.deletions->deleted_ids.size()},
                           {"kept", end.deletions->kept},
                           {"heldBack", end.deletions->held_back},
                           {"deletedIds", end.deletions->deleted_ids}};
  }
  // File names need not be UTF-8.
  return report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace dateline::cli
