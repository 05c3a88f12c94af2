#include <rill/nn/data_parallel.h>

#include <exception>
#include <thread>

#include <rill/autograd/across_devices.h>
#include <rill/autograd/grad_mode.h>
#include <rill/core/random.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"

namespace rill::nn::detail {

std::vector<std::int64_t> rows_of_towers(const std::vector<Tensor>& inputs, std::size_t towers) {
  constexpr const char* op = "DataParallel";
  check<ValueError>(!inputs.empty(), op, "there are no inputs; pass the tensors of the batch");
  for (const Tensor& t : inputs) {
    check<ValueError>(t.defined(), op, "an input is undefined; pass a tensor with values");
    check<ShapeError>(t.dim() >= 1 && t.size(0) == inputs[0].size(0) && t.size(0) > 0, op, "inputs have shapes {} and {}; expected as many rows, at least one, on axis 0 of each",
                      inputs[0].shape(), t.shape());
  }
  const std::int64_t rows = inputs[0].size(0), used = std::min(rows, static_cast<std::int64_t>(towers));
  std::vector<std::int64_t> at;
  for (std::int64_t k = 0; k <= used; ++k) at.push_back(rows * k / used);
  return at;
}

std::vector<Tensor> part_of(const std::vector<Tensor>& inputs, std::int64_t begin, std::int64_t end, Device device) {
  std::vector<Tensor> parts;
  for (const Tensor& t : inputs) parts.push_back(narrow(t, 0, begin, end - begin).to(device));
  return parts;
}

void run_towers(std::size_t n, const std::function<void(std::size_t)>& f) {
  const std::uint64_t seed = default_generator().random64();
  std::vector<std::exception_ptr> errors(n);
  const auto tower = [&](std::size_t k) noexcept {
    try {
      const GeneratorScope scope(Generator(seed, static_cast<std::uint32_t>(k)));
      f(k);
    } catch (...) {
      errors[k] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;  // joined at the end of the block
    for (std::size_t k = 1; k < n; ++k) threads.emplace_back(tower, k);
    tower(0);
  }
  for (const auto& e : errors)
    if (e) std::rethrow_exception(e);
}

std::vector<Tensor> take_gradients(Module& module) {
  std::vector<Tensor> gradients;
  for (const Tensor& p : module.parameters()) {
    gradients.push_back(p.grad());
    if (gradients.back().defined()) p.set_grad({});
  }
  return gradients;
}

void average_gradients(const std::vector<Module*>& towers, const std::vector<double>& shares, const std::vector<Tensor>& before) {
  const NoGrad off;
  std::vector<std::vector<Tensor>> parts(towers.size());
  for (std::size_t k = 0; k < towers.size(); ++k)
    for (const Tensor& g : take_gradients(*towers[k])) parts[k].push_back(g.defined() ? g * shares[k] : g);
  const std::vector<Tensor> sums = sum_across_devices(parts);
  const std::vector<Tensor> parameters = towers[0]->parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Tensor sum = sums[i].defined() ? sums[i].to(parameters[i].device()) : Tensor();
    if (sum.defined() || before[i].defined()) parameters[i].set_grad(!sum.defined() ? before[i] : !before[i].defined() ? sum : before[i] + sum);
  }
}

Tensor weighted_sum(const std::vector<Tensor>& losses, const std::vector<double>& shares) {
  const NoGrad off;
  Tensor total = losses[0] * shares[0];
  for (std::size_t k = 1; k < losses.size(); ++k) total = total + losses[k].to(total.device()) * shares[k];
  return total;
}

void check_devices(const Module& module, const std::vector<Device>& devices) {
  constexpr const char* op = "DataParallel";
  check<ValueError>(!devices.empty(), op, "the list of devices is empty; name one for each tower");
  for (const auto& [name, p] : module.named_parameters())
    check<DeviceError>(p.device() == devices[0], op, "parameter \"{}\" is on {}, the first tower on {}; move the module with .to()", name, to_string(p.device()), to_string(devices[0]));
}

}  // namespace rill::nn::detail
