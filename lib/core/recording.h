// What a profile has seen.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <rill/core/profiler.h>
#include <rill/core/tensor.h>

namespace rill::profiler {

inline constexpr std::int64_t kOpen = -1;

/// One call of an op, module or range. Times are in nanoseconds since the start of the recording.
struct Event {
  const std::string* name;
  Kind kind;
  int thread;                             // from 1, in the order of their first events
  Event* around;                          // on the same thread
  const std::string* module;              // null: outside of modules
  const std::string* shapes;              // null: not asked for
  std::int64_t start = 0, end = kOpen;
  std::int64_t inside = 0;                // time of the events right inside
  std::int64_t allocations = 0, allocated_bytes = 0, released_bytes = 0;  // not in events inside
  std::int64_t live_bytes = 0;            // of the program, at the end of the event
  int again = 0;                          // how often the op is inside itself just now: such calls have no event

  std::int64_t total_time() const { return end - start; }
  std::int64_t self_time() const { return end - start - inside; }
};

/// Memory by who took it. What every owner held when the program used most is found without looking at all of them at every peak: an
/// owner notes its share the first time it changes after the peak.
class Owners {
 public:
  struct Owner {
    const std::string *module, *op;       // null: outside
    Kind kind;
    std::int64_t allocations = 0, allocated_bytes = 0, live_bytes = 0, peak_bytes = 0, at_peak = 0;
    std::uint64_t noted = 0;              // the peak that at_peak belongs to
  };
  static constexpr std::size_t kBefore = 0;  // memory taken before the recording

  explicit Owners(std::int64_t live_bytes);
  void take(void* block, std::int64_t bytes, const std::string* module, const std::string* op, Kind kind);
  void give(void* block, std::int64_t bytes) noexcept;
  std::int64_t live_bytes() const { return live_; }
  std::int64_t peak_bytes() const { return peak_; }
  std::int64_t bytes_at_peak(const Owner& o) const { return o.noted == peaks_ ? o.at_peak : o.live_bytes; }
  const std::deque<Owner>& list() const { return owners_; }

 private:
  struct Block {
    std::size_t owner;
    std::int64_t bytes;
  };
  void change(Owner& owner, std::int64_t bytes) noexcept;
  std::int64_t live_ = 0, peak_ = 0;
  std::uint64_t peaks_ = 1;                // how many peaks there were
  std::deque<Owner> owners_;
  std::map<std::tuple<const std::string*, const std::string*, Kind>, std::size_t> index_;
  std::unordered_map<void*, Block> blocks_;
};

struct Recording {
  explicit Recording(ProfileOptions options);

  ProfileOptions options;
  std::int64_t started, stopped = 0;      // nanoseconds of the steady clock; 0: running
  std::deque<Event> events;               // in the order of their starts
  int threads = 0;
  Owners owners;

  /// One string per text, as long as the recording lives.
  const std::string* intern(std::string_view text);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  std::unordered_set<std::string, Hash, std::equal_to<>> names_;
};

/// "conv2d backward".
std::string full_name(const std::string& name, Kind kind);

}  // namespace rill::profiler
