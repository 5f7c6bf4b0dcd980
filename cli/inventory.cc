#include "cli/inventory.h"

#include <functional>
#include <optional>

#include "absl/status/statusor.h"

#include "common/url.h"

namespace dateline::cli {
namespace {

size_t HashOf(absl::string_view text) { return std::hash<std::string>()(std::string(text)); }

std::optional<size_t> HashOfUrl(absl::string_view url) {
  const absl::StatusOr<std::string> canonical = common::CanonicalUrl(url);
  if (!canonical.ok()) return std::nullopt;
  return HashOf(*canonical);
}

}  // namespace

void Inventory::AddId(absl::string_view id) {
  if (id.empty()) return;
  const common::MutexLock lock(mutex_);
  ids_.insert(HashOf(id));
}

void Inventory::AddUrl(absl::string_view url) {
  const std::optional<size_t> hash = HashOfUrl(url);
  if (!hash) return;
  const common::MutexLock lock(mutex_);
  urls_.insert(*hash);
}

void Inventory::Add(const extraction::Article& article) {
  AddId(article.id);
  AddUrl(article.url);
  for (const std::string& url : article.alternate_urls) AddUrl(url);
  if (!article.id.empty() || !article.url.empty()) return;
  const common::MutexLock lock(mutex_);
  ++nameless_;
}

void Inventory::AddTaken(absl::string_view id) {
  AddId(id);
  const common::MutexLock lock(mutex_);
  taken_.insert(HashOf(id));
}

void Inventory::AddGone(absl::string_view url) {
  const std::optional<size_t> hash = HashOfUrl(url);
  if (!hash) return;
  const common::MutexLock lock(mutex_);
  gone_.insert(*hash);
}

void Inventory::AddUnreadable() {
  const common::MutexLock lock(mutex_);
  ++unreadable_;
}

void Inventory::AddLatestOnly() {
  const common::MutexLock lock(mutex_);
  latest_only_ = true;
}

void Inventory::AddSource(bool is_list_of_site) {
  const common::MutexLock lock(mutex_);
  (is_list_of_site ? lists_ : others_) = true;
}

bool Inventory::HasId(absl::string_view id) const {
  const common::MutexLock lock(mutex_);
  return ids_.count(HashOf(id)) > 0;
}

bool Inventory::HasUrl(absl::string_view url) const {
  const std::optional<size_t> hash = HashOfUrl(url);
  if (!hash) return false;
  const common::MutexLock lock(mutex_);
  return urls_.count(*hash) > 0;
}

bool Inventory::IsGone(absl::string_view url) const {
  const std::optional<size_t> hash = HashOfUrl(url);
  if (!hash) return false;
  const common::MutexLock lock(mutex_);
  return gone_.count(*hash) > 0 && urls_.count(*hash) == 0;
}

bool Inventory::WasTaken(absl::string_view id) const {
  const common::MutexLock lock(mutex_);
  return taken_.count(HashOf(id)) > 0;
}

int64_t Inventory::taken() const {
  const common::MutexLock lock(mutex_);
  return static_cast<int64_t>(taken_.size());
}

int64_t Inventory::nameless() const {
  const common::MutexLock lock(mutex_);
  return nameless_;
}

int64_t Inventory::unreadable() const {
  const common::MutexLock lock(mutex_);
  return unreadable_;
}

bool Inventory::latest_only() const {
  const common::MutexLock lock(mutex_);
  return latest_only_;
}

bool Inventory::all_lists_of_site() const {
  const common::MutexLock lock(mutex_);
  return lists_ && !others_;
}

}  // namespace dateline::cli
