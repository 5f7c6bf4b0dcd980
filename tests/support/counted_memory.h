// How much memory a piece of code takes at its peak. A program that asks compiles counted_memory.cc in, which puts
// counting in the place of malloc and its kin; glibc only.
#ifndef DATELINE_TESTS_SUPPORT_COUNTED_MEMORY_H_
#define DATELINE_TESTS_SUPPORT_COUNTED_MEMORY_H_

#include <cstddef>

namespace dateline::testing {

// False in builds with a sanitizer, which has a malloc of its own: then nothing is counted.
bool MemoryIsCounted();

// Counts from its making on. One at a time: a second one ends the first one's count. All threads count alike.
class MemoryPeak {
 public:
  MemoryPeak();
  // The most that was taken at one moment beyond what was taken at the beginning.
  size_t bytes() const;

 private:
  size_t before_;
};

}  // namespace dateline::testing

#endif  // DATELINE_TESTS_SUPPORT_COUNTED_MEMORY_H_
