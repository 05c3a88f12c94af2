// Training on several devices of one host: towers, each a copy of the module on a device of its own, each with a part of the batch.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <rill/nn/module.h>

namespace rill::nn {

namespace detail {

/// Rows [at[k], at[k + 1]) of a batch belong to tower k; at most `towers`, none of them empty. ShapeError unless all inputs have the same number of rows.
std::vector<std::int64_t> rows_of_towers(const std::vector<Tensor>& inputs, std::size_t towers);
/// Those rows on that device.
std::vector<Tensor> part_of(const std::vector<Tensor>& inputs, std::int64_t begin, std::int64_t end, Device device);
/// f(0), f(1), ..., f(n - 1), the first on the calling thread and the others on threads of their own. Each draws random numbers from a stream of its own that
/// follows from the calling thread's. Returns when all are done; then the first error, in order of towers, is thrown.
void run_towers(std::size_t n, const std::function<void(std::size_t)>& f);
/// Sets the gradients of the first module to the sum over k of shares[k] times those of module k, plus `before`.
void average_gradients(const std::vector<Module*>& towers, const std::vector<double>& shares, const std::vector<Tensor>& before);
/// The gradients of the parameters, which have none afterwards.
std::vector<Tensor> take_gradients(Module& module);
Tensor weighted_sum(const std::vector<Tensor>& losses, const std::vector<double>& shares);
void check_devices(const Module& module, const std::vector<Device>& devices);

}  // namespace detail

/// Data parallelism as in PyTorch's DataParallel and TensorFlow's towers. The module is the first tower and stays on the first device; the others are copies
/// of it, made for each call, so that modes, frozen parameters and hooks are those of the module. Optimizers, checkpoints and metrics see the module only.
///
///   nn::DataParallel parallel(model, {Device::cuda(0), Device::cuda(1)});
///   const Tensor loss = parallel.backward({x, y}, [](Model& m, const std::vector<Tensor>& in) { return cross_entropy(m(in[0]), in[1]); });
///   optimizer.step();
///
/// A device may be named several times: towers on the CPU run in threads. Buffers (the running statistics of batch norm) are those of the first tower, and
/// each tower normalises with its own part of the batch. Switches such as autocast belong to a thread: open them inside the function.
template <class M> class DataParallel {
 public:
  /// ValueError without devices, DeviceError unless the module is on the first one.
  DataParallel(M& module, std::vector<Device> devices) : module_(module), devices_(std::move(devices)) { detail::check_devices(module_, devices_); }

  /// Every tower computes the mean loss of its rows (axis 0 of each input), `loss(tower, inputs)`, and its gradients. Adds to the module's gradients what one
  /// pass over the whole batch would and returns the loss of the whole batch. After an error the module's gradients are as before.
  template <class Loss> Tensor backward(const std::vector<Tensor>& inputs, Loss loss) {
    Towers t(*this, inputs);
    std::vector<Tensor> losses(t.modules.size());
    const std::vector<Tensor> before = detail::take_gradients(module_);
    try {
      detail::run_towers(losses.size(), [&](std::size_t k) {
        const Tensor value = loss(static_cast<M&>(*t.modules[k]), t.inputs[k]);
        value.backward();
        losses[k] = value.detach();
      });
    } catch (...) {
      detail::take_gradients(module_);
      detail::average_gradients({&module_}, {1}, before);
      throw;
    }
    detail::average_gradients(t.modules, t.shares, before);
    return detail::weighted_sum(losses, t.shares);
  }

 private:
  struct Towers {
    std::vector<std::unique_ptr<M>> copies;
    std::vector<Module*> modules;
    std::vector<std::vector<Tensor>> inputs;
    std::vector<double> shares;  // of the rows

    Towers(DataParallel& p, const std::vector<Tensor>& batch) {
      const std::vector<std::int64_t> at = detail::rows_of_towers(batch, p.devices_.size());
      for (std::size_t k = 0; k + 1 < at.size(); ++k) {
        if (k > 0) copies.push_back(std::make_unique<M>(p.module_)), copies.back()->zero_grad(), copies.back()->to({.device = p.devices_[k]});
        modules.push_back(k > 0 ? copies.back().get() : &p.module_);
        inputs.push_back(detail::part_of(batch, at[k], at[k + 1], p.devices_[k]));
        shares.push_back(static_cast<double>(at[k + 1] - at[k]) / static_cast<double>(at.back()));
      }
    }
  };

  M& module_;
  std::vector<Device> devices_;
};

}  // namespace rill::nn
