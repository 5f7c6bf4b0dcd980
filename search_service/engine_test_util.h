// What the tests of the engine share: a folder that goes away, a labeler in memory, and calls that wait.
#ifndef DATELINE_SEARCH_SERVICE_ENGINE_TEST_UTIL_H_
#define DATELINE_SEARCH_SERVICE_ENGINE_TEST_UTIL_H_

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/mutex.h"
#include "search_service/engine.h"

namespace dateline::search {

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dateline_test_XXXXXX").string();
    const char* made = mkdtemp(pattern.data());
    if (made != nullptr) path_ = made;
  }
  ~TempDir() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline TaxonomyEntry Entry(std::string id, std::string name, std::vector<std::string> aliases = {}) {
  TaxonomyEntry entry;
  entry.id = std::move(id);
  entry.names.push_back({"en", std::move(name), std::move(aliases)});
  return entry;
}

inline TaxonomyData TestTaxonomy() {
  TaxonomyData data;
  data.regions = {Entry("IR", "Iran", {"Islamic Republic of Iran"}), Entry("RU", "Russia", {"Russian Federation"}),
                  Entry("AE", "United Arab Emirates", {"UAE", "Emirates"})};
  data.regions[0].names[0].demonyms = {"Iranian", "Iranians"};
  data.regions[0].names.push_back({"ar", "إيران", {}});
  data.groups = {Entry("gcc", "Gulf Cooperation Council", {"GCC"})};
  data.groups[0].members.push_back({"AE", 0, 0});
  data.groups.push_back(Entry("old_gulf", "Old Gulf"));
  data.groups[1].members.push_back({"RU", 0, 0});
  data.groups[1].replaced_by = {"gcc"};
  data.issues = {Entry("geopolitics", "Geopolitics"), Entry("energy", "Energy", {"Oil and gas"}),
                 Entry("old_energy", "Fuels")};
  data.issues[2].replaced_by = {"energy"};
  data.taxonomy_version = "t1";
  data.gazetteer_version = "g1";
  data.etag = "e1";
  return data;
}

// Tags "iran", "russia", "emirates" and "oil" by the word. Can be away; chokes on a "poison", dies of a "killer", and
// refuses what is "unlabelable".
class FakeLabeler final : public ArticleLabeler {
 public:
  absl::StatusOr<std::vector<absl::StatusOr<Labeling>>> Label(const std::vector<LabelingInput>& articles,
                                                              absl::Time) override {
    const common::MutexLock lock(mutex_);
    ++calls_;
    if (restarting_ > 0) {
      --restarting_;
      return absl::UnavailableError("the labeler is starting");
    }
    if (away_) return absl::UnavailableError("the labeler is away");
    const std::string model = model_;
    std::vector<absl::StatusOr<Labeling>> result;
    for (const LabelingInput& article : articles) {
      if (absl::StrContains(article.title, "poison")) return absl::DeadlineExceededError("choked");
      if (absl::StrContains(article.title, "killer")) {
        restarting_ = kCallsToRestart;
        return absl::UnavailableError("the labeler died");
      }
      if (busy_) {
        result.emplace_back(absl::UnavailableError("later: there is no time for this article now"));
        continue;
      }
      if (absl::StrContains(article.title, "unlabelable") && model_ == "fake") {
        result.emplace_back(absl::InvalidArgumentError("not this one"));
        continue;
      }
      Labeling labeling;
      const std::string text = absl::AsciiStrToLower(absl::StrCat(article.title, " ", article.body));
      const auto tag = [&](const char* word, Dimension dimension, const char* id, double score) {
        if (!absl::StrContains(text, word)) return;
        search::Label label;
        label.dimension = dimension;
        label.id = id;
        label.score = score;
        label.model_version = model;
        label.evidence.push_back({std::nullopt, word, "NAME", 1.0, SetAside::kNone});
        labeling.labels.push_back(label);
      };
      tag("iran", Dimension::kCountry, "IR", 0.9);
      tag("russia", Dimension::kCountry, "RU", 0.8);
      tag("emirates", Dimension::kCountry, "AE", 0.7);
      tag("oil", Dimension::kIssue, "energy", 0.6);
      if (model != "fake") tag("talks", Dimension::kIssue, "geopolitics", 0.6);
      labeling.country_outcome = labeling.labels.empty() ? TagOutcome::kAbstained : TagOutcome::kTagged;
      labeling.issue_outcome = TagOutcome::kAbstained;
      labeling.language_code = "en";
      labeling.taxonomy_version = taxonomy_.taxonomy_version;
      labeling.gazetteer_version = taxonomy_.gazetteer_version;
      labeling.version = model;
      result.emplace_back(std::move(labeling));
    }
    return result;
  }
  absl::StatusOr<std::optional<TaxonomyData>> FetchTaxonomy(absl::string_view etag, absl::Time) override {
    const common::MutexLock lock(mutex_);
    if (restarting_ > 0) {
      --restarting_;
      return absl::UnavailableError("the labeler is starting");
    }
    if (away_) return absl::UnavailableError("the labeler is away");
    if (etag == taxonomy_.etag) return std::nullopt;
    return taxonomy_;
  }
  absl::StatusOr<std::string> FetchVersion(absl::Time) override {
    const common::MutexLock lock(mutex_);
    if (away_) return absl::UnavailableError("the labeler is away");
    return model_;
  }
  void SetTaxonomy(TaxonomyData taxonomy) {
    const common::MutexLock lock(mutex_);
    taxonomy_ = std::move(taxonomy);
  }
  void SetAway(bool away) {
    const common::MutexLock lock(mutex_);
    away_ = away;
  }
  // It answers, and of each article: later.
  void SetBusy(bool busy) {
    const common::MutexLock lock(mutex_);
    busy_ = busy;
  }
  // Another model, which labels what the first can't, and "talks" too.
  void Upgrade() {
    const common::MutexLock lock(mutex_);
    model_ = "fake2";
  }
  int calls() const {
    const common::MutexLock lock(mutex_);
    return calls_;
  }

 private:
  mutable common::Mutex mutex_;
  bool away_ ABSL_GUARDED_BY(mutex_) = false;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  TaxonomyData taxonomy_ ABSL_GUARDED_BY(mutex_) = TestTaxonomy();
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
  static constexpr int kCallsToRestart = 3;
  int restarting_ ABSL_GUARDED_BY(mutex_) = 0;  // Calls that it can't answer yet.
  std::string model_ ABSL_GUARDED_BY(mutex_) = "fake";
};

// Engine::Options::before_index_commit that lets the indexer commit so many times and no more.
class CommitGate {
 public:
  std::function<void()> Hook() {
    return [this] {
      const common::MutexLock lock(mutex_);
      ++arrived_;
      changed_.NotifyAll();
      while (arrived_ > allowed_) changed_.Wait(mutex_);
    };
  }
  // The indexer may pass `commits` times in all.
  void Allow(int commits) {
    const common::MutexLock lock(mutex_);
    allowed_ = commits;
    changed_.NotifyAll();
  }
  void Open() { Allow(std::numeric_limits<int>::max()); }
  // The indexer stands before its `commit`-th commit: what earlier ones published is there.
  void AwaitCommit(int commit) {
    const common::MutexLock lock(mutex_);
    while (arrived_ < commit) changed_.Wait(mutex_);
  }
  int arrived() const {
    const common::MutexLock lock(mutex_);
    return arrived_;
  }

 private:
  mutable common::Mutex mutex_;
  common::CondVar changed_;
  int arrived_ ABSL_GUARDED_BY(mutex_) = 0;
  int allowed_ ABSL_GUARDED_BY(mutex_) = 0;
};

inline Article MakeArticle(std::string id, std::string title, std::string body) {
  Article article;
  article.id = std::move(id);
  article.title = std::move(title);
  article.body = std::move(body);
  return article;
}

inline IngestResult IngestAndWait(Engine& engine, Article article, const IngestOptions& options = {}) {
  common::Mutex mutex;
  common::CondVar changed;
  std::optional<IngestResult> result;
  engine.Ingest(std::move(article), options, [&](IngestResult done) {
    const common::MutexLock lock(mutex);
    result = std::move(done);
    changed.NotifyAll();
  });
  const common::MutexLock lock(mutex);
  while (!result) changed.Wait(mutex);
  return *std::move(result);
}

inline absl::Time Soon() { return absl::Now() + absl::Seconds(60); }

// Everything that was ingested so far is visible, and labelled if there is a labeler.
inline void Settle(Engine& engine, Progress progress = Progress::kVisible) {
  ASSERT_EQ(std::min(engine.WaitFor(engine.durable_seq(), progress, Soon()), progress), progress);
}

inline SuggestQuery Typed(std::string prefix) {
  SuggestQuery query;
  query.prefix = std::move(prefix);
  return query;
}

inline std::vector<FacetRequest> Facets(const std::vector<std::string>& fields) {
  std::vector<FacetRequest> facets;
  for (const std::string& field : fields) facets.emplace_back().field = field;
  return facets;
}

inline std::vector<std::string> Ids(const SearchResult& result) {
  std::vector<std::string> ids;
  for (const Hit& hit : result.hits) ids.push_back(hit.article.id);
  return ids;
}

}  // namespace dateline::search

#endif  // DATELINE_SEARCH_SERVICE_ENGINE_TEST_UTIL_H_
