// RETURN_IF_ERROR and ASSIGN_OR_RETURN: the happy path runs down the left margin.
// (Abseil 20220623, the version Debian 12 ships, has none of its own.)
#ifndef DATELINE_COMMON_STATUS_MACROS_H_
#define DATELINE_COMMON_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define DATELINE_CONCAT_INNER_(a, b) a##b
#define DATELINE_CONCAT_(a, b) DATELINE_CONCAT_INNER_(a, b)

// Returns from the enclosing function, with the status that `expression` gives, unless that is OK.
#define RETURN_IF_ERROR(expression)                                             \
  do {                                                                          \
    if (absl::Status dateline_status_ = (expression); !dateline_status_.ok()) { \
      return dateline_status_;                                                  \
    }                                                                           \
  } while (false)

// Evaluates a StatusOr; assigns its value to `lhs` (which may declare a variable), or returns its status.
#define ASSIGN_OR_RETURN(lhs, expression) \
  DATELINE_ASSIGN_OR_RETURN_(DATELINE_CONCAT_(dateline_status_or_, __LINE__), lhs, expression)
#define DATELINE_ASSIGN_OR_RETURN_(result, lhs, expression) \
  auto result = (expression);                               \
  if (!result.ok()) {                                       \
    return std::move(result).status();                      \
  }                                                         \
  lhs = std::move(result).value()

#endif  // DATELINE_COMMON_STATUS_MACROS_H_
