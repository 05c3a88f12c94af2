#include <rill/nn/summary.h>

#include <algorithm>

#include <rill/autograd/grad_mode.h>

#include "lib/core/check.h"
#include "nn/mode_scope.h"
#include "nn/place.h"

namespace rill::nn {
namespace {

struct Hooks {
  std::vector<HookHandle> handles = {};
  ~Hooks() {
    for (HookHandle& h : handles) h.remove();
  }
};

bool inside(const std::string& outer, const std::string& name) { return outer.empty() || name.starts_with(outer + "."); }

/// 1234567 as 1,234,567.
std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}
/// Three significant digits and a unit: "1.23 G" of 1,230,000,000 with step 1000.
std::string scaled(std::int64_t n, int step, const char* const* units) {
  double value = static_cast<double>(n);
  int k = 0;
  for (; value >= step && k < 4; ++k) value /= step;
  if (k == 0) return fmt::format("{}{}", n, units[0]);
  return fmt::format("{:.{}f}{}", value, value < 10 ? 2 : value < 100 ? 1 : 0, units[k]);
}
std::string bytes_text(std::int64_t n) {
  static constexpr const char* kUnits[] = {" B", " KiB", " MiB", " GiB", " TiB"};
  return scaled(n, 1024, kUnits);
}
std::string count_text(std::int64_t n) {
  static constexpr const char* kUnits[] = {"", " K", " M", " G", " T"};
  return scaled(n, 1000, kUnits);
}
std::int64_t total(const std::vector<SummaryRow>& rows, std::int64_t SummaryRow::*member) {
  std::int64_t sum = 0;
  for (const SummaryRow& row : rows) sum += row.*member;
  return sum;
}

}  // namespace

std::int64_t Summary::trainable() const { return total(rows, &SummaryRow::trainable); }
std::int64_t Summary::frozen() const { return total(rows, &SummaryRow::frozen); }
std::int64_t Summary::flops() const { return total(rows, &SummaryRow::flops); }
std::int64_t Summary::activation_bytes() const {
  std::int64_t sum = 0;
  for (const SummaryRow& row : rows) sum += row.is_leaf ? row.activation_bytes : 0;
  return sum;
}

Summary summary(Module& model, const std::function<void()>& forward) {
  Summary result;
  auto& rows = result.rows;
  const auto modules = model.named_modules();
  rows.reserve(modules.size());  // hooks hold places in it
  for (std::size_t i = 0; i < modules.size(); ++i)
    rows.push_back({.path = modules[i].first, .type = class_name(*modules[i].second), .is_leaf = i + 1 == modules.size() || !inside(modules[i].first, modules[i + 1].first)});
  for (const auto& [name, p] : model.named_parameters()) {
    const auto owner = std::find_if(rows.rbegin(), rows.rend(), [&, &name = name](const SummaryRow& row) { return inside(row.path, name); });
    (p.requires_grad() ? owner->trainable : owner->frozen) += p.numel();
    result.parameter_bytes += static_cast<std::int64_t>(p.nbytes());
  }
  const ModeScope evaluation(model, false);
  const NoGrad off;
  Hooks hooks;
  for (std::size_t i = 0; i < modules.size(); ++i)
    hooks.handles.push_back(modules[i].second->register_forward_hook([&row = rows[i]](const Module& m, const Tensor& x, const Tensor& y) {
      ++row.calls;
      row.output = y.shape();
      row.flops += m.flops(x, y);
      row.activation_bytes += static_cast<std::int64_t>(y.nbytes());
      return Tensor();
    }));
  forward();
  return result;
}

std::string to_string(const Summary& s) {
  std::vector<std::vector<std::string>> table = {{"module", "output", "parameters", "flops", "output size"}};
  std::vector<std::string> above;  // modules that hold the present one
  for (const SummaryRow& row : s.rows) {
    while (!above.empty() && !inside(above.back(), row.path)) above.pop_back();
    const std::size_t depth = above.size(), known = depth < 2 ? 0 : above.back().size() + 1;
    const std::string name = row.path.substr(known), own = grouped(row.trainable + row.frozen);
    above.push_back(row.path);
    table.push_back({std::string(2 * depth, ' ') + (depth == 0 ? row.type : name + " " + row.type), row.calls ? rill::to_string(row.output) + (row.calls > 1 ? fmt::format(" x{}", row.calls) : "") : "-",
                     row.trainable + row.frozen == 0 ? "-" : row.frozen == 0 ? own : row.trainable == 0 ? own + " frozen" : own + fmt::format(" ({} frozen)", grouped(row.frozen)),
                     row.flops ? count_text(row.flops) : "-", row.calls ? bytes_text(row.activation_bytes) : "-"});
  }
  std::vector<std::size_t> widths(table[0].size());
  for (const auto& line : table)
    for (std::size_t k = 0; k < line.size(); ++k) widths[k] = std::max(widths[k], line[k].size());
  std::string text;
  for (const auto& line : table) {
    for (std::size_t k = 0; k < line.size(); ++k) {
      const std::string space(widths[k] - line[k].size(), ' ');
      text += (k ? "  " : "") + (k < 2 ? line[k] + space : space + line[k]);  // words to the left, numbers to the right
    }
    text += "\n";
  }
  return text + fmt::format("parameters: {} ({} trainable, {} frozen), {}\nflops: {}\noutputs: {}\n", grouped(s.trainable() + s.frozen()), grouped(s.trainable()), grouped(s.frozen()),
                            bytes_text(s.parameter_bytes), count_text(s.flops()), bytes_text(s.activation_bytes()));
}

}  // namespace rill::nn
