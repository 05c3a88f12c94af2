// What a model is made of and what one run of it costs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <rill/nn/module.h>
#include <rill/ops/create.h>

namespace rill::nn {

struct SummaryRow {
  std::string path, type;             ///< "" is the model itself
  std::int64_t calls = 0;             ///< how often the module ran
  Shape output = {};                  ///< of its last run; empty when it did not run
  std::int64_t trainable = 0, frozen = 0;  ///< elements of its own parameters, not of the modules in it; tied ones under their first name
  std::int64_t flops = 0;             ///< of all runs, without the modules in it; see Module::flops
  std::int64_t activation_bytes = 0;  ///< of the outputs of all runs
  bool is_leaf = true;                ///< holds no other module
};

struct Summary {
  std::vector<SummaryRow> rows;  ///< the model first, then every module in it

  std::int64_t parameter_bytes = 0;

  std::int64_t trainable() const;
  std::int64_t frozen() const;
  std::int64_t flops() const;
  /// Outputs of the modules that hold no other: what a training step keeps in memory, but for ops outside of modules.
  std::int64_t activation_bytes() const;
};
/// A table, one line per module, and the totals.
std::string to_string(const Summary& summary);

/// Runs `forward` (which calls the model) in evaluation mode and without recording, and lists what its modules did. Flags and hooks of the
/// model are as before when it returns or throws.
Summary summary(Module& model, const std::function<void()>& forward);
template <class M> Summary summary(M& model, const Tensor& x) {
  return summary(model, std::function<void()>([&] { model(x); }));
}
/// With zeros of that shape, float32.
template <class M> Summary summary(M& model, const Shape& shape) { return summary(model, zeros(shape)); }

}  // namespace rill::nn
