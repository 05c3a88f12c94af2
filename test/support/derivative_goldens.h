// Runs an op on golden lines with "grad" and "second" sections (test/oracle/nn_goldens.py) and compares values and derivatives.
#pragma once

#include <fstream>
#include <functional>

#include <rill/autograd/backward.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>

#include "test/support/goldens.h"

namespace rill {

using List = std::vector<Tensor>;
using RunGolden = std::function<List(const Golden&, const List&)>;

/// An argument that may be left out: written as an empty tensor.
inline Tensor optional(const Tensor& t) { return t.numel() ? t : Tensor(); }

inline Tensor ramp(const Tensor& t, double start = 1) { return arange(start, start + static_cast<double>(t.numel()), 1, {.dtype = float64}).reshape(t.shape()); }

/// The same values in other memory: axes in reverse order, or every second element of a larger tensor.
inline Tensor strided(const Tensor& x, bool reversed) {
  if (x.dim() == 0) return x;
  if (reversed) return x.transpose(0, -1).clone(MemoryFormat::contiguous).transpose(0, -1);
  return narrow(stack({x, x}, -1), -1, 1, 1).squeeze(-1);
}

/// The outputs, also of inputs in other memory.
inline void check_outputs(const Golden& g, const RunGolden& run, Within within) {
  for (const int layout : {0, 1, 2}) {
    List inputs;
    for (const Tensor& t : g.inputs) inputs.push_back(layout && t.numel() ? strided(t, layout == 2) : t);
    const List have = run(g, inputs), &want = g.sections.at("");
    REQUIRE(have.size() == want.size());
    for (std::size_t k = 0; k < have.size(); ++k) check_same(have[k], want[k], within);
  }
}

/// The sections "grad" and "second", also of leaves in channels-last memory.
inline void check_derivatives(const Golden& g, const RunGolden& run, Within within) {
  const std::string& marks = g.arguments.back();
  for (const bool last : {false, true}) {
    bool other_layout = false;
    List leaves, wanted;
    for (std::size_t k = 0; k < g.inputs.size(); ++k) {
      const Tensor& t = g.inputs[k];
      if (marks.at(k) == '1') wanted.push_back(t.clone().requires_grad_());
      leaves.push_back(marks.at(k) == '1' ? wanted.back() : t);
      if (last && t.dim() == 4) leaves.back() = leaves.back().contiguous(MemoryFormat::channels_last), other_layout = true;
    }
    if (last && !other_layout) return;
    const List y = run(g, leaves);
    Tensor linear = zeros({}, {.dtype = float64}), squares = linear;
    double start = 1;
    for (const Tensor& t : y) {
      const Tensor w = ramp(t, start);
      linear = linear + sum(t * w), squares = squares + sum(t * t * w);
      start += static_cast<double>(t.numel());
    }
    auto compare = [&](const List& have, const char* section) {
      INFO(section);
      for (std::size_t k = 0; k < wanted.size(); ++k)
        check_same(have[k].defined() ? have[k] : zeros(wanted[k].shape(), {.dtype = float64}), g.sections.at(section).at(k), within);
    };
    compare(grad({linear}, wanted, {}, {.retain_graph = true, .allow_unused = true}), "grad");
    if (!g.sections.contains("second")) continue;
    const auto first = grad({squares}, wanted, {}, {.create_graph = true, .allow_unused = true});
    Tensor total = zeros({}, {.dtype = float64});
    for (const Tensor& t : first)
      if (t.defined()) total = total + sum(t * ramp(t));
    compare(total.requires_grad() ? grad({total}, wanted, {}, {.allow_unused = true}) : List(wanted.size()), "second");
  }
}

/// What a family of ops allows outputs and derivatives to differ by.
struct GoldenBounds {
  std::function<Within(const Golden&)> outputs = [](const Golden& g) {
    const Dtype d = g.sections.at("")[0].dtype();
    const double t = d == bfloat16 ? 8e-3 : d == float16 ? 1e-3 : d == float32 ? 2e-6 : 1e-13;
    return Within{t, t};
  };
  std::function<Within(const Golden&)> derivatives = [](const Golden&) { return Within{1e-11, 1e-11}; };
};

/// All lines of a file; every op must occur.
inline void check_goldens(const char* path, const std::map<std::string, RunGolden>& ops, const GoldenBounds& bounds = {}) {
  std::ifstream file(path);
  REQUIRE(file);
  std::map<std::string, int> seen;
  for (std::string line; std::getline(file, line);) {
    INFO(line.substr(0, 120));
    const Golden g = parse_golden(line);
    ++seen[g.op];
    try {
      check_outputs(g, ops.at(g.op), bounds.outputs(g));
      if (g.sections.contains("grad")) check_derivatives(g, ops.at(g.op), bounds.derivatives(g));
    } catch (const Error& e) {
      FAIL_CHECK(e.what());
    }
  }
  CHECK(seen.size() == ops.size());
}

}  // namespace rill
