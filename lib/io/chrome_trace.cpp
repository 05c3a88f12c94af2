// The time line of a profile in the Trace Event Format of Chrome ("X" events: a name, a start and a duration in microseconds). Viewers
// nest the events of one thread by their times.
#include <rill/core/profiler.h>
#include <rill/io/file.h>

#include <nlohmann/json.hpp>

#include "lib/core/check.h"
#include "lib/core/recording.h"

namespace rill::profiler {
namespace {

/// Nanoseconds as microseconds, exactly.
std::string microseconds(std::int64_t t) { return fmt::format("{}.{:03}", t / 1000, t % 1000); }
/// In double quotes; names come from callers and may hold any bytes.
std::string quoted(const std::string& text) { return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace); }

constexpr const char* kCategories[] = {"op", "backward", "module", "range"};

}  // namespace

void Profile::write_chrome_trace(const std::string& path) const {
  const Recording& r = finished("write_chrome_trace");
  // written line by line: a document in memory would be several times as large as the text
  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n{\"ph\": \"M\", \"pid\": 1, \"tid\": 0, \"name\": \"process_name\", \"args\": {\"name\": \"rill\"}}";
  for (int thread = 1; thread <= r.threads; ++thread)
    text += fmt::format(",\n{{\"ph\": \"M\", \"pid\": 1, \"tid\": {0}, \"name\": \"thread_name\", \"args\": {{\"name\": \"thread {0}\"}}}}", thread);
  for (const Event& e : r.events) {
    text += fmt::format(",\n{{\"ph\": \"X\", \"pid\": 1, \"tid\": {}, \"cat\": \"{}\", \"name\": {}, \"ts\": {}, \"dur\": {}, \"args\": {{\"allocations\": {}, \"allocated bytes\": {}, \"released bytes\": {}",
                        e.thread, kCategories[static_cast<int>(e.kind)], quoted(full_name(*e.name, e.kind)), microseconds(e.start), microseconds(e.total_time()), e.allocations, e.allocated_bytes,
                        e.released_bytes);
    if (e.module && e.kind != Kind::module) text += ", \"module\": " + quoted(*e.module);
    if (e.shapes) text += fmt::format(", \"shapes\": [{}]", *e.shapes);  // lists look alike here and in JSON
    text += "}}";
    if (e.around == nullptr)  // memory changes inside of it are shown by its end
      text += fmt::format(",\n{{\"ph\": \"C\", \"pid\": 1, \"tid\": {}, \"name\": \"memory\", \"ts\": {}, \"args\": {{\"bytes\": {}}}}}", e.thread, microseconds(e.end), e.live_bytes);
  }
  io::write_file(path, text + "\n]}\n");
}

}  // namespace rill::profiler
