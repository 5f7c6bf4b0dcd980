#include "tests/support/counted_memory.h"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>

namespace {

std::atomic<size_t> used_bytes{0};
std::atomic<size_t> peak_bytes{0};

}  // namespace

#ifndef NDEBUG_SANITIZER

// Memory is counted where it is taken: glibc's own functions, wrapped.
extern "C" {
void* __libc_malloc(size_t size);                // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(size_t count, size_t size);  // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* block, size_t size);  // NOLINT(bugprone-reserved-identifier)
void __libc_free(void* block);                   // NOLINT(bugprone-reserved-identifier)
}

namespace {

void Count(size_t added, size_t removed) {
  const size_t now = used_bytes.fetch_add(added - removed, std::memory_order_relaxed) + added - removed;
  if (added > removed && now > peak_bytes.load(std::memory_order_relaxed)) {
    peak_bytes.store(now, std::memory_order_relaxed);
  }
}

void* Counted(void* block) {
  if (block != nullptr) Count(malloc_usable_size(block), 0);
  return block;
}

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the library's names are reserved ones.
extern "C" {
void* malloc(size_t size) { return Counted(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return Counted(__libc_calloc(count, size)); }
void* realloc(void* block, size_t size) {
  const size_t before = block == nullptr ? 0 : malloc_usable_size(block);
  void* const moved = __libc_realloc(block, size);
  if (moved != nullptr || size == 0) Count(moved == nullptr ? 0 : malloc_usable_size(moved), before);
  return moved;
}
void free(void* block) {
  if (block != nullptr) Count(0, malloc_usable_size(block));
  __libc_free(block);
}
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)

#endif  // NDEBUG_SANITIZER

namespace dateline::testing {

bool MemoryIsCounted() {
#ifdef NDEBUG_SANITIZER
  return false;
#else
  return true;
#endif
}

MemoryPeak::MemoryPeak() : before_(used_bytes.load()) { peak_bytes.store(before_); }

size_t MemoryPeak::bytes() const { return peak_bytes.load() - before_; }

}  // namespace dateline::testing
