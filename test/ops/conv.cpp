// Convolutions, pools, padding and resizing against PyTorch, up to the second derivative: test/oracle/conv_goldens.py.
#include "test/support/goldens.h"

#include <rill/autograd/backward.h>
#include <rill/ops/conv.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/pad.h>
#include <rill/ops/pool.h>
#include <rill/ops/reduce.h>
#include <rill/ops/resize.h>
#include <rill/ops/shape.h>

#include <fstream>
#include <functional>

using namespace rill;

namespace {

using List = std::vector<Tensor>;
using Run = std::function<List(const Golden&, const List&)>;

ConvPadding padding(const Golden& g, std::size_t k) { return g.arguments[k] == "same" ? ConvPadding::same() : ConvPadding(g.list(k)); }

template <auto F> List conv(const Golden& g, const List& x) {
  return {F(x[0], x[1], x.size() > 2 ? x[2] : Tensor(), {.stride = g.list(0), .padding = padding(g, 1), .dilation = g.list(2), .groups = g.integer(3)})};
}
template <auto F> List transposed(const Golden& g, const List& x) {
  return {F(x[0], x[1], x.size() > 2 ? x[2] : Tensor(),
            {.stride = g.list(0), .padding = g.list(1), .output_padding = g.list(2), .dilation = g.list(4), .groups = g.integer(3)})};
}

template <auto F> List max_pool(const Golden& g, const List& x) {
  const PoolResult r = F(x[0], g.list(0), {.stride = g.list(1), .padding = g.list(2), .dilation = g.list(3), .ceil_mode = g.integer(4) != 0});
  return {r.values, r.indices};
}
template <auto F> List avg_pool(const Golden& g, const List& x) {
  return {F(x[0], g.list(0), {.stride = g.list(1), .padding = g.list(2), .ceil_mode = g.integer(3) != 0, .count_include_pad = g.integer(4) != 0, .divisor_override = g.integer(5)})};
}
template <auto F> List adaptive_avg(const Golden& g, const List& x) { return {F(x[0], g.list(0))}; }
template <auto F> List adaptive_max(const Golden& g, const List& x) {
  const PoolResult r = F(x[0], g.list(0));
  return {r.values, r.indices};
}
List pads(const Golden& g, const List& x) {
  const std::map<std::string, PadMode> modes = {{"constant", PadMode::constant}, {"reflect", PadMode::reflect}, {"replicate", PadMode::replicate}, {"circular", PadMode::circular}};
  return {pad(x[0], g.list(0), {.mode = modes.at(g.arguments[1]), .value = g.number(2)})};
}
ResizeOptions resize_options(const Golden& g) {
  const std::map<std::string, ResizeMode> modes = {{"nearest", ResizeMode::nearest}, {"nearest-exact", ResizeMode::nearest_exact}, {"linear", ResizeMode::linear}, {"bilinear", ResizeMode::linear},
                                                   {"trilinear", ResizeMode::linear}, {"bicubic", ResizeMode::cubic}, {"area", ResizeMode::area}};
  return {.mode = modes.at(g.arguments[0]), .align_corners = g.integer(2) == 1};
}
List resize(const Golden& g, const List& x) {
  ResizeOptions o = resize_options(g);
  o.size = g.list(1);
  return {interpolate(x[0], o)};
}
List filtered(const Golden& g, const List& x) {
  ResizeOptions o = resize_options(g);
  o.size = g.list(1), o.antialias = true;
  return {interpolate(x[0], o)};
}
template <auto F> List lp_pool(const Golden& g, const List& x) { return {F(x[0], g.number(0), g.list(1), {.stride = g.list(2), .ceil_mode = g.integer(3) != 0})}; }
template <auto F> List unpool(const Golden& g, const List& x) {
  return {F(x[0], x[1], g.list(0), {.stride = g.list(1), .padding = g.list(2), .output_size = g.arguments.size() > 3 ? PerAxis(g.list(3)) : PerAxis()})};
}
template <auto F> List fractional(const Golden& g, const List& x) {
  const PoolResult r = F(x[0], g.list(0), {.size = g.list(1), .samples = x[1]}, Generator());
  return {r.values, r.indices};
}
List rescale(const Golden& g, const List& x) {
  ResizeOptions o = resize_options(g);
  o.scale = text::values(g.arguments[1]);
  return {interpolate(x[0], o)};
}

const std::map<std::string, Run> kOps = {
    {"conv1d", conv<conv1d>},
    {"conv2d", conv<conv2d>},
    {"conv3d", conv<conv3d>},
    {"conv_transpose1d", transposed<conv_transpose1d>},
    {"conv_transpose2d", transposed<conv_transpose2d>},
    {"conv_transpose3d", transposed<conv_transpose3d>},
    {"max_pool1d", max_pool<max_pool1d_with_indices>},
    {"avg_pool1d", avg_pool<avg_pool1d>},
    {"adaptive_avg_pool1d", adaptive_avg<adaptive_avg_pool1d>},
    {"adaptive_max_pool1d", adaptive_max<adaptive_max_pool1d_with_indices>},
    {"max_pool2d", max_pool<max_pool2d_with_indices>},
    {"avg_pool2d", avg_pool<avg_pool2d>},
    {"adaptive_avg_pool2d", adaptive_avg<adaptive_avg_pool2d>},
    {"adaptive_max_pool2d", adaptive_max<adaptive_max_pool2d_with_indices>},
    {"max_pool3d", max_pool<max_pool3d_with_indices>},
    {"avg_pool3d", avg_pool<avg_pool3d>},
    {"adaptive_avg_pool3d", adaptive_avg<adaptive_avg_pool3d>},
    {"adaptive_max_pool3d", adaptive_max<adaptive_max_pool3d_with_indices>},
    {"pad", pads},
    {"interpolate_size", resize},
    {"interpolate_scale", rescale},
    {"interpolate_antialias", filtered},
    {"lp_pool1d", lp_pool<lp_pool1d>},
    {"lp_pool2d", lp_pool<lp_pool2d>},
    {"lp_pool3d", lp_pool<lp_pool3d>},
    {"max_unpool1d", unpool<max_unpool1d>},
    {"max_unpool2d", unpool<max_unpool2d>},
    {"max_unpool3d", unpool<max_unpool3d>},
    {"fractional_max_pool2d", fractional<fractional_max_pool2d_with_indices>},
    {"fractional_max_pool3d", fractional<fractional_max_pool3d_with_indices>},
    {"unfold", [](auto& g, auto& x) -> List { return {unfold(x[0], g.list(0), {.stride = g.list(1), .padding = g.list(2), .dilation = g.list(3)})}; }},
    {"fold", [](auto& g, auto& x) -> List { return {fold(x[0], g.list(0), g.list(1), {.stride = g.list(2), .padding = g.list(3), .dilation = g.list(4)})}; }},
};

Tensor ramp(const Tensor& t) { return arange(1, t.numel() + 1, 1, {.dtype = float64}).reshape(t.shape()); }

/// The same values in other memory: channels-last, or every second element of a larger tensor.
Tensor strided(const Tensor& x, bool last) {
  if (last) return x.dim() >= 3 && x.dim() <= 5 ? x.contiguous(MemoryFormat::channels_last) : x;
  return x.dim() ? narrow(stack({x, x}, -1), -1, 1, 1).squeeze(-1) : x;
}

void check_derivatives(const Golden& g, const Run& run, bool last) {
  List leaves, inputs;
  for (const Tensor& t : g.inputs) {
    inputs.push_back((last ? strided(t, true) : t).clone());
    if (leaves.size() < g.sections.at("grad").size()) leaves.push_back(inputs.back().requires_grad_());
  }
  const Tensor y = run(g, inputs)[0];
  const auto first = grad({sum(y * ramp(y))}, leaves, {}, {.retain_graph = true});
  for (std::size_t k = 0; k < leaves.size(); ++k) check_same(first[k], g.sections.at("grad").at(k), 1e-11);
  if (!g.sections.contains("second")) return;
  const auto of_squares = grad({sum(y * y * ramp(y))}, leaves, {}, {.create_graph = true});
  Tensor total = zeros({}, {.dtype = float64});
  for (const Tensor& t : of_squares) total = total + sum(t * ramp(t));
  const auto second = grad({total}, leaves);
  for (std::size_t k = 0; k < leaves.size(); ++k) check_same(second[k], g.sections.at("second").at(k), 1e-11);
}

}  // namespace

TEST_CASE("convolutions, pools, padding and resizing agree with PyTorch up to the second derivative", "[ops][conv]") {
  std::ifstream file(RILL_SOURCE_DIR "/test/ops/conv_goldens.txt");
  REQUIRE(file);
  std::map<std::string, int> seen;
  for (std::string line; std::getline(file, line);) {
    INFO(line);
    const Golden g = parse_golden(line);
    ++seen[g.op];
    const Run& run = kOps.at(g.op);
    const Dtype d = g.inputs[0].dtype();
    const double tolerance = d == bfloat16 ? 8e-3 : d == float16 ? 1e-3 : d == float32 ? 2e-6 : 1e-13;
    try {
      for (const int layout : {0, 1, 2}) {
        List inputs;
        for (const Tensor& t : g.inputs) inputs.push_back(layout ? strided(t, layout == 1) : t);
        const List y = run(g, inputs);
        const List& want = g.sections.at("");
        REQUIRE(y.size() == want.size());
        for (std::size_t k = 0; k < y.size(); ++k) check_same(y[k], want[k], tolerance);
      }
      if (g.sections.contains("grad"))
        for (const bool last : {false, true}) check_derivatives(g, run, last);
    } catch (const Error& e) {
      FAIL_CHECK(e.what());
    }
  }
  CHECK(seen.size() == kOps.size());
}
