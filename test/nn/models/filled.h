// Models with values that a hash gives, as in test/oracle/model_goldens.py, and the goldens of that script.
#pragma once

#include <fstream>
#include <map>
#include <sstream>

#include <rill/nn/module.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "test/support/goldens.h"

namespace rill {

inline std::vector<double> noise(std::int64_t count, std::uint32_t k) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    auto h = static_cast<std::uint32_t>(i) + k * 0x9E3779B9u;
    h = (h ^ (h >> 16)) * 0x85EBCA6Bu;
    h = (h ^ (h >> 13)) * 0xC2B2AE35u;
    values.push_back(static_cast<double>(h ^ (h >> 16)) / 4294967296.0);
  }
  return values;
}
inline Tensor image(const Shape& shape) {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  auto values = noise(count, 9999);
  for (double& v : values) v = (v - 0.5) * 4;
  return from_vector(std::move(values), shape);
}

/// Writes the hash's values into the parameters and buffers, in the order of state(). A weight that the model lacks and the script's has counts
/// where `skipped` says so.
inline void fill(nn::Module& m, bool scale_missing = false) {
  std::uint32_t k = 0;
  for (const auto& [name, t] : m.state()) {
    if (scale_missing && name.ends_with("bn.bias")) ++k;  // the script's bn.weight
    const std::uint32_t number = k++;
    if (!t.is_floating_point()) continue;
    auto u = noise(t.numel(), number);
    for (double& v : u) {
      if (t.dim() >= 2) v = (v - 0.5) * 2 * std::sqrt(6.0 / static_cast<double>(t.numel() / t.size(0)));
      else if (name.ends_with("running_var") || name.ends_with("weight")) v = 0.5 + v;
      else v = (v - 0.5) * 0.2;
    }
    t.copy_(from_vector(std::move(u), t.shape()));
  }
}

struct Summary {
  std::string shape;
  std::vector<double> numbers;  // mean, mean of absolutes, six elements
};
/// case -> tensor -> summary
inline const std::map<std::string, std::map<std::string, Summary>>& model_goldens() {
  static const auto all = [] {
    std::map<std::string, std::map<std::string, Summary>> result;
    std::ifstream file(RILL_SOURCE_DIR "/test/nn/models/model_goldens.txt");
    for (std::string line; std::getline(file, line);) {
      std::istringstream in(line);
      std::string name, tensor, shape;
      in >> name >> tensor >> shape;
      Summary s{shape, {}};
      for (double v; in >> v;) s.numbers.push_back(v);
      result[name][tensor] = s;
    }
    return result;
  }();
  return all;
}

inline std::string shape_text(const Tensor& t) {
  std::string text;
  for (const auto size : t.shape()) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

inline void check_summary(const Tensor& t, const std::string& name, const std::string& tensor, double tolerance = 1e-10) {
  INFO(name << " " << tensor);
  const auto& of_case = model_goldens().at(name);
  REQUIRE(of_case.contains(tensor));
  const Summary& want = of_case.at(tensor);
  CHECK((t.dim() == 0 ? "1" : shape_text(t)) == want.shape);
  REQUIRE(want.numbers.size() == 8);
  const auto flat = t.to_vector<double>();
  std::vector<double> have = {0, 0};
  for (const double v : flat) have[0] += v / static_cast<double>(flat.size()), have[1] += std::fabs(v) / static_cast<double>(flat.size());
  for (std::uint64_t j = 0; j < 6; ++j) have.push_back(flat[j * 2654435761u % flat.size()]);
  for (std::size_t i = 0; i < 8; ++i)
    if (!(std::fabs(have[i] - want.numbers[i]) <= tolerance * (1 + std::fabs(want.numbers[i])))) FAIL_CHECK("number " << i << " is " << have[i] << ", expected " << want.numbers[i]);
}

/// One forward and backward pass in training mode, compared with the goldens: output, gradients, running statistics. The loss is sum(y r), r a hash.
/// `run` gives the output for the input; a floating input gets a gradient.
template <class F> void check_training(nn::Module& model, const std::string& name, const Tensor& x, F run) {
  fill(model);
  if (x.is_floating_point()) x.requires_grad_();
  const Tensor y = run(x);
  auto r = noise(y.numel(), 7777);
  for (double& v : r) v -= 0.5;
  sum(y * from_vector(std::move(r), y.shape())).backward();
  check_summary(y, name, "y");
  std::size_t compared = 1;
  if (x.is_floating_point()) check_summary(x.grad(), name, "grad.x"), ++compared;
  for (const auto& [path, p] : model.named_parameters()) check_summary(p.grad(), name, "grad." + path), ++compared;
  for (const auto& [path, b] : model.named_buffers())
    if (b.is_floating_point()) check_summary(b, name, "state." + path), ++compared;
  CHECK(compared == model_goldens().at(name).size());
}
template <class M> void check_training(M& model, const std::string& name, const Tensor& x) {
  check_training(model, name, x, [&](const Tensor& x) { return model(x); });
}

/// int64 [2, 5] below 11.
inline Tensor tokens() {
  std::vector<std::int64_t> ids;
  for (const double v : noise(10, 4444)) ids.push_back(static_cast<std::int64_t>(v * 11));
  return tensor(ids).view({2, 5});
}

inline const Options kDouble{.dtype = float64};

/// The names, dtypes and shapes of the state, in order, are torchvision's.
inline void check_state_names(const nn::Module& model, const std::string& name) {
  std::ifstream file(RILL_SOURCE_DIR "/test/nn/models/torchvision_states.txt");
  REQUIRE(file);
  std::vector<std::string> want, have;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + " ")) want.push_back(line.substr(name.size() + 1));
  for (const auto& [path, t] : model.state()) have.push_back(path + " " + std::string(to_string(t.dtype())) + " " + shape_text(t));
  REQUIRE(want.size() > 100);
  CHECK(have == want);
}

}  // namespace rill
