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

inline void check_golden(const Golden& g, const RunGolden& run, double tolerance) {
  auto outputs = [&](const List& inputs) {
    const List have = run(g, inputs), &want = g.sections.at("");
    REQUIRE(have.size() == want.size());
    for (std::size_t k = 0; k < have.size(); ++k) check_same(have[k], want[k], tolerance);
  };
  outputs(g.inputs);
  for (const bool reversed : {false, true}) {
    List inputs;
    for (const Tensor& t : g.inputs) inputs.push_back(t.numel() ? strided(t, reversed) : t);
    outputs(inputs);
  }
  if (!g.sections.contains("grad")) return;
  for (const bool format : {false, true}) {
    const std::string marks = g.arguments.back();
    List leaves, wanted;
    for (std::size_t k = 0; k < g.inputs.size(); ++k) {
      const Tensor& t = g.inputs[k];
      if (marks.at(k) == '1') wanted.push_back(t.clone().requires_grad_());
      Tensor leaf = marks.at(k) == '1' ? wanted.back() : t;
      if (format && leaf.dim() == 4) leaf = leaf.contiguous(MemoryFormat::channels_last);
      leaves.push_back(leaf);
    }
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
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        INFO("of the wanted input " << k << " " << to_string(wanted[k].shape()));
        check_same(have[k].defined() ? have[k] : zeros(wanted[k].shape(), {.dtype = float64}), g.sections.at(section).at(k), 1e-11);
      }
    };
    compare(grad({linear}, wanted, {}, {.retain_graph = true, .allow_unused = true}), "grad");
    if (!g.sections.contains("second")) continue;
    const auto first = grad({squares}, wanted, {}, {.create_graph = true, .allow_unused = true});
    Tensor total = zeros({}, {.dtype = float64});
    for (const Tensor& t : first)
      if (t.defined()) total = total + sum(t * ramp(t));
    compare(grad({total}, wanted, {}, {.allow_unused = true}), "second");
  }
}

/// All lines of a file; every op must occur.
inline void check_goldens(const char* path, const std::map<std::string, RunGolden>& ops) {
  std::ifstream file(path);
  REQUIRE(file);
  std::map<std::string, int> seen;
  for (std::string line; std::getline(file, line);) {
    INFO(line.substr(0, 120));
    const Golden g = parse_golden(line);
    ++seen[g.op];
    const Dtype d = g.inputs[0].dtype();
    try {
      check_golden(g, ops.at(g.op), d == bfloat16 ? 8e-3 : d == float16 ? 1e-3 : d == float32 ? 2e-6 : 1e-13);
    } catch (const Error& e) {
      FAIL_CHECK(e.what());
    }
  }
  CHECK(seen.size() == ops.size());
}

}  // namespace rill
