// CUDA graphs: a training step that is launched as a whole.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <rill/core/tensor.h>

namespace rill::cuda {

struct GraphOptions {
  int warmup = 3;  ///< calls for each shape that run op by op before one is captured; at least 1
  int graphs = 4;  ///< kept at a time, one for each list of input shapes and dtypes; the one used longest ago makes room
  Device device = Device::cuda();
};

/// A step - forward, backward, update - that is captured once and then launched as one graph, which takes away the host's time for
/// each op:
///
///   cuda::GraphStep step([&](const std::vector<Tensor>& in) {
///     optimizer.zero_grad();
///     const Tensor loss = cross_entropy(model(in[0]), in[1]);
///     loss.backward();
///     optimizer.step();
///     return std::vector{loss};
///   });
///   for (const auto& [x, y] : loader) losses += step({x, y})[0];
///
/// Every call is one step. The first calls for each shape run as they are. Then f runs once more while its device work is recorded, and every
/// later call copies its inputs into the tensors that f was given and launches the graph. It computes what f computes: random numbers go on
/// as without a graph, and optimizers take the rates and corrections of the present step. Everything else that f does on the host - branches,
/// numbers, printing, tensors of the host - happens during the capture only and stays as it was then. f must not wait for the device (item(),
/// copies to the host, masks whose result has a size of its own); FailedPrecondition names the op. An illegal index or class, which is
/// IndexError otherwise, ends a captured step with DeviceLost.
///
/// The optimizers and the modules that f uses must live as long as the step, and parameters must keep their memory.
class GraphStep {
 public:
  using Function = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;
  /// Nothing runs yet. ValueError for illegal options.
  explicit GraphStep(Function f, GraphOptions options = {});
  ~GraphStep();
  GraphStep(GraphStep&&) noexcept;
  GraphStep& operator=(GraphStep&&) noexcept;

  /// One step. Inputs may live anywhere; those of the device are copied without waiting. Results of a captured step belong to it: the next
  /// call with these shapes overwrites them, so clone() what is to be kept. They carry no history.
  std::vector<Tensor> operator()(const std::vector<Tensor>& inputs);
  /// How many graphs are captured.
  int graphs() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rill::cuda
