// Where time and memory go: by op, by module and on a time line.
//
//   profiler::Profile profile;
//   train_step();
//   profile.stop();
//   std::puts(profile.table().c_str());
//   profile.write_chrome_trace("trace.json");
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rill::profiler {

struct Recording;  // lib/core/recording.h

struct ProfileOptions {
  bool shapes = false;  ///< keep the shapes of inputs: the trace shows them, and rows are split by them
};

/// What a row of the table or a bar of the trace stands for: an op, its part of a backward pass ("conv2d backward"), one run of a
/// module (named by its path), or a Range.
enum class Kind : std::uint8_t { op, backward, module, range };

/// All calls under one name. Times are in nanoseconds. "Self" is without the ops, modules and ranges inside.
struct Row {
  std::string name;
  Kind kind = Kind::op;
  std::string shapes = {};           ///< "[8, 3, 28, 28], [64, 3, 7, 7]" with ProfileOptions::shapes; undefined inputs are left out
  std::int64_t calls = 0;            ///< an op that calls itself (another overload) counts once
  std::int64_t self_time = 0, total_time = 0;
  std::int64_t allocations = 0;      ///< blocks taken from the pool: tensors with their storages, steps of the tape, scratch memory
  std::int64_t allocated_bytes = 0;  ///< in these blocks, as in MemoryStats; self, as all that follows
  std::int64_t released_bytes = 0;   ///< in blocks given back meanwhile, whoever took them
};

/// Memory by the module and op that took it.
struct MemoryRow {
  std::string module, op;            ///< empty: outside of modules or ops. Backward ops belong to the module of their forward op
  std::int64_t allocations = 0, allocated_bytes = 0;
  std::int64_t live_bytes = 0;       ///< still in use at the end of the profile
  std::int64_t peak_bytes = 0;       ///< of this row alone, at any time
  std::int64_t bytes_at_peak = 0;    ///< at the moment when the whole program used most: these add up to Profile::peak_bytes()
};

enum class Sort : std::uint8_t { self_time, total_time, calls, allocated_bytes, name };
struct TableOptions {
  Sort by = Sort::self_time;
  std::int64_t rows = 100;           ///< at most; the last line says how many were left out
};

/// Records every op of every thread from its construction to stop() or its end. One profile may run at a time: FailedPrecondition
/// otherwise. While it runs, an op costs about a microsecond more; while none runs, the ops test one flag.
class Profile {
 public:
  explicit Profile(ProfileOptions options = {});
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// Ends the recording; calling it again does nothing. Whatever runs at that moment is counted up to it.
  void stop() noexcept;

  // Results, after stop(); FailedPrecondition before.
  /// From start to stop, in nanoseconds.
  std::int64_t duration() const;
  /// The largest number of bytes in use, memory taken before the profile included.
  std::int64_t peak_bytes() const;
  /// One row per name and kind, in decreasing self time.
  std::vector<Row> rows() const;
  /// One row per module and op, in decreasing bytes at the peak; memory taken before the profile has the op "(before)".
  std::vector<MemoryRow> memory() const;
  /// Ops, backward ops and ranges as text.
  std::string table(const TableOptions& options = {}) const;
  /// Modules as text; their self time is what they spend outside of ops and other modules.
  std::string module_table(const TableOptions& options = {}) const;
  /// The rows of memory() as text.
  std::string memory_table(std::int64_t rows = 100) const;
  /// The time line in the Trace Event Format, for https://ui.perfetto.dev or chrome://tracing. Throws as io::write_file.
  void write_chrome_trace(const std::string& path) const;

 private:
  const Recording& finished(const char* what) const;
  std::unique_ptr<Recording> recording_;
};

/// Names a stretch of the program: `profiler::Range r("data");` is a row and a bar while a profile runs, and nothing otherwise.
class Range {
 public:
  explicit Range(std::string_view name);
  ~Range();
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
};

/// True while a profile runs in this process.
bool running() noexcept;

namespace detail {
/// One run of the module at this path (a string that lives as long as the program); null: nothing.
class ModuleRange {
 public:
  explicit ModuleRange(const std::string* path);
  ~ModuleRange();
  ModuleRange(const ModuleRange&) = delete;
  ModuleRange& operator=(const ModuleRange&) = delete;
};
}  // namespace detail

}  // namespace rill::profiler
