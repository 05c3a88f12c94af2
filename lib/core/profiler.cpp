// What a profile tells: rows, tables.
#include <rill/core/profiler.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "lib/core/check.h"
#include "lib/core/recording.h"
#include "lib/core/text_table.h"

namespace rill::profiler {
namespace {

using Lines = std::vector<std::vector<std::string>>;

std::string percent(std::int64_t part, std::int64_t whole) { return fmt::format("{:.1f} %", whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0); }

/// The rows that `wanted` chooses as text, in the order that the options ask for. Percentages are of their own self times.
template <class Wanted> std::string rows_text(const char* title, std::vector<Row> rows, bool shapes, const TableOptions& o, Wanted wanted) {
  check<ValueError>(o.rows >= 0, "table", "rows is {}; it must be at least 0", o.rows);
  std::erase_if(rows, [&](const Row& r) { return !wanted(r.kind); });
  const auto first = [&](auto key) { std::stable_sort(rows.begin(), rows.end(), [key](const Row& a, const Row& b) { return key(b) < key(a); }); };
  switch (o.by) {
    case Sort::self_time: break;  // as they are
    case Sort::total_time: first([](const Row& r) { return r.total_time; }); break;
    case Sort::calls: first([](const Row& r) { return r.calls; }); break;
    case Sort::allocated_bytes: first([](const Row& r) { return r.allocated_bytes; }); break;
    case Sort::name: std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.name < b.name; }); break;
  }
  std::int64_t whole = 0;
  for (const Row& r : rows) whole += r.self_time;
  Lines lines = {{title, "self", "self %", "total", "mean", "calls", "allocations", "allocated", "kept"}};
  if (shapes) lines[0].insert(lines[0].begin() + 1, "shapes");
  for (const Row& r : rows) {
    if (static_cast<std::int64_t>(lines.size()) > o.rows) break;
    lines.push_back({r.name, time_text(r.self_time), percent(r.self_time, whole), time_text(r.total_time), time_text(r.total_time / r.calls), grouped(r.calls), grouped(r.allocations),
                     bytes_text(r.allocated_bytes), bytes_text(r.allocated_bytes - r.released_bytes)});
    if (shapes) lines.back().insert(lines.back().begin() + 1, r.shapes);
  }
  std::string text = text_table(lines, shapes ? 2 : 1);
  if (const std::size_t left = rows.size() + 1 - lines.size()) text += fmt::format("{} more rows\n", left);
  return text + fmt::format("self time: {}\n", time_text(whole));
}

std::string totals(const Recording& r) {
  std::set<int> threads;
  for (const Event& e : r.events) threads.insert(e.thread);
  return fmt::format("from start to stop: {}, threads: {}, peak memory: {}\n", time_text(r.stopped - r.started), threads.size(), bytes_text(r.owners.peak_bytes()));
}

}  // namespace

std::int64_t Profile::duration() const {
  const Recording& r = finished("duration");
  return r.stopped - r.started;
}
std::int64_t Profile::peak_bytes() const { return finished("peak_bytes").owners.peak_bytes(); }

std::vector<Row> Profile::rows() const {
  std::map<std::tuple<const std::string*, Kind, const std::string*>, Row> found;  // a recording holds every text once
  for (const Event& e : finished("rows").events) {
    Row& row = found[{e.name, e.kind, e.shapes}];
    if (row.calls++ == 0) row.name = full_name(*e.name, e.kind), row.kind = e.kind, row.shapes = e.shapes ? *e.shapes : "";
    row.self_time += e.self_time(), row.total_time += e.total_time();
    row.allocations += e.allocations, row.allocated_bytes += e.allocated_bytes, row.released_bytes += e.released_bytes;
  }
  std::vector<Row> rows;
  for (auto& entry : found) rows.push_back(std::move(entry.second));
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return std::tie(b.self_time, a.name, a.kind, a.shapes) < std::tie(a.self_time, b.name, b.kind, b.shapes); });
  return rows;
}

std::vector<MemoryRow> Profile::memory() const {
  const Owners& owners = finished("memory").owners;
  std::vector<MemoryRow> rows;
  for (const auto& o : owners.list())
    rows.push_back({.module = o.module ? *o.module : "", .op = &o == &owners.list()[Owners::kBefore] ? "(before)" : o.op ? full_name(*o.op, o.kind) : "", .allocations = o.allocations,
                    .allocated_bytes = o.allocated_bytes, .live_bytes = o.live_bytes, .peak_bytes = o.peak_bytes, .bytes_at_peak = owners.bytes_at_peak(o)});
  std::sort(rows.begin(), rows.end(), [](const MemoryRow& a, const MemoryRow& b) { return std::tie(b.bytes_at_peak, a.module, a.op) < std::tie(a.bytes_at_peak, b.module, b.op); });
  return rows;
}

std::string Profile::table(const TableOptions& options) const {
  const Recording& r = finished("table");
  return rows_text("op", rows(), r.options.shapes, options, [](Kind k) { return k != Kind::module; }) + totals(r);
}
std::string Profile::module_table(const TableOptions& options) const {
  const Recording& r = finished("module_table");
  return rows_text("module", rows(), r.options.shapes, options, [](Kind k) { return k == Kind::module; }) + totals(r);
}

std::string Profile::memory_table(std::int64_t most) const {
  check<ValueError>(most >= 0, "memory_table", "rows is {}; it must be at least 0", most);
  const Recording& r = finished("memory_table");
  const auto rows = memory();
  Lines lines = {{"module", "op", "at peak", "at peak %", "own peak", "live", "allocations", "allocated"}};
  for (const MemoryRow& m : rows) {
    if (static_cast<std::int64_t>(lines.size()) > most) break;
    lines.push_back({m.module, m.op, bytes_text(m.bytes_at_peak), percent(m.bytes_at_peak, r.owners.peak_bytes()), bytes_text(m.peak_bytes), bytes_text(m.live_bytes), grouped(m.allocations),
                     bytes_text(m.allocated_bytes)});
  }
  std::string text = text_table(lines, 2);
  if (const std::size_t left = rows.size() + 1 - lines.size()) text += fmt::format("{} more rows\n", left);
  return text + totals(r);
}

}  // namespace rill::profiler
