// Which forward op made the NaN, and where in the program.
#pragma once

#include <string>

namespace rill {

struct AnomalyOptions {
  bool check_forward = false;  ///< also look for NaN in every recorded result
};

/// While it lives, on this thread: ops remember where they were called, and a NaN in a gradient is a GradError that names the op, its
/// result, the ops before it, the innermost Region and the call stack. Slow: for finding a mistake.
class AnomalyMode {
 public:
  explicit AnomalyMode(bool on = true, AnomalyOptions options = {});
  ~AnomalyMode();
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  bool on_, forward_;
};

/// Marks a stretch of the program for anomaly reports: `Region here("encoder");`. Costs two pointer writes.
class Region {
 public:
  explicit Region(std::string label = {}, const char* file = __builtin_FILE(), int line = __builtin_LINE(), const char* function = __builtin_FUNCTION());
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  const std::string& label() const noexcept { return label_; }
  const char* file() const noexcept { return file_; }
  int line() const noexcept { return line_; }
  const char* function() const noexcept { return function_; }
  const Region* outer() const noexcept { return outer_; }

 private:
  std::string label_;
  const char* file_;
  int line_;
  const char* function_;
  const Region* outer_;
};

}  // namespace rill
