// Early return of a status that is not OK.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define GUILDER_CONCAT_INNER_(a, b) a##b
#define GUILDER_CONCAT_(a, b) GUILDER_CONCAT_INNER_(a, b)

#define GUILDER_RETURN_IF_ERROR(expression)                                 \
  do {                                                                      \
    if (absl::Status guilder_status_ = (expression); !guilder_status_.ok()) \
      return guilder_status_;                                               \
  } while (false)

// `GUILDER_ASSIGN_OR_RETURN(const int x, Parse(text));`
#define GUILDER_ASSIGN_OR_RETURN(declaration, expression) \
  GUILDER_ASSIGN_OR_RETURN_(GUILDER_CONCAT_(guilder_result_, __LINE__), declaration, expression)

#define GUILDER_ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                                      \
  if (!result.ok()) return std::move(result).status();             \
  declaration = *std::move(result)
