// The version of this release: what `--version` prints and servers report. The project() call in CMakeLists.txt and
// CHANGELOG.md name the same; a test compares them.
#ifndef DATELINE_COMMON_VERSION_H_
#define DATELINE_COMMON_VERSION_H_

namespace dateline::common {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace dateline::common

#endif  // DATELINE_COMMON_VERSION_H_
