#include <rill/nn/summary.h>

#include <algorithm>

#include <rill/autograd/grad_mode.h>

#include "lib/core/check.h"
#include "lib/core/text_table.h"
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
  return text_table(table, 2) + fmt::format("parameters: {} ({} trainable, {} frozen), {}\nflops: {}\noutputs: {}\n", grouped(s.trainable() + s.frozen()), grouped(s.trainable()), grouped(s.frozen()),
                            bytes_text(s.parameter_bytes), count_text(s.flops()), bytes_text(s.activation_bytes()));
}

}  // namespace rill::nn
