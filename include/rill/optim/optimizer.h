// What all optimizers share: groups of parameters, rates, and state that can be saved.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include <rill/core/named_tensors.h>

namespace rill::optim {

/// An optimizer as PyTorch saves it.
struct StateDict {
  NamedTensors state;        ///< "<index>.<slot>", the index counting the parameters of all groups; `step` is a float32 number
  std::string param_groups;  ///< JSON: for every group its options by PyTorch's names, lr, initial_lr, params (indices), param_names
};

/// Holds the parameters (as handles: the model keeps them too) and what the method remembers about each of them. Parameters form
/// groups with options of their own. `step` reads gradients and never writes to them; they may have any strides. A parameter without a
/// gradient is left alone, and its update counter does not move. A step is one pass over parameter, gradient and state, for all
/// parameters together; 16-bit parameters are computed in float32 and their state is kept in float32.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update of every parameter from its gradient.
  virtual void step() = 0;
  /// One update if `flag`, a float32 number, is 0: for loss scaling. A flag on the CPU is read at once. On a GPU the update reads it, nothing
  /// waits, and counters of updates move even if nothing else does. Parameters must be on the device of the flag (DeviceError).
  void step_unless(const Tensor& flag);
  /// Calls `loss`, which computes a loss and its gradients, while recording; then one update. Returns the loss.
  virtual Tensor step(const std::function<Tensor()>& loss);
  /// Drops all gradients.
  void zero_grad();

  std::size_t group_count() const { return rates_.size(); }
  /// IndexError for a group that does not exist; so below.
  double lr(std::size_t group = 0) const;
  /// The rate of every group, or of one. ValueError unless finite and not negative.
  void set_lr(double lr);
  void set_lr(double lr, std::size_t group);
  /// Makes the rate of every group `factor` times the one that it was given (by its options or by set_lr): what a schedule with base 1
  /// needs when groups have different rates. ValueError unless finite and not negative.
  void scale_lr(double factor);
  /// The momentum of every group, or the first beta where that plays its part. FailedPrecondition when a group has none, ValueError unless
  /// above 0 and legal as an option.
  virtual void set_momentum(double momentum) = 0;

  /// Of all groups, in order.
  const NamedTensors& parameters() const { return parameters_; }

  /// State tensors as "<parameter>.<slot>" with PyTorch's slot names, empty while the method has none. They share memory with the
  /// optimizer. Options and rates are not part of it. Loading it continues bit for bit.
  virtual NamedTensors state() const;
  /// Continues with a saved state. ValueError lists every tensor that is missing, unexpected or of another shape or dtype.
  virtual void load(const NamedTensors& state);

  /// Options, rates and state in the layout of PyTorch's state_dict(), which loads it (docs/porting-from-pytorch.md has the lines). A parameter
  /// without an update has no state. Tensors share memory with the optimizer, counters do not. Unimplemented: Lbfgs, whose history is a list.
  virtual StateDict state_dict() const = 0;
  /// Continues with what state_dict() or PyTorch saved: options, rates and new state tensors, converted to the dtypes of this optimizer.
  /// Parameters go by their place, not by their name; one without state starts afresh. ValueError lists every option and every tensor that is
  /// missing, unexpected or illegal; DataLoss when param_groups has another form; then nothing is changed.
  virtual void load_state_dict(const StateDict& saved) = 0;

 protected:
  explicit Optimizer(const char* name) : name_(name) {}
  /// Adds a group and its parameters with their slots. ValueError when one is undefined, expanded or there already; GradError when one is
  /// not a leaf that requires grad.
  void add_parameters(const NamedTensors& parameters, double lr, const std::function<NamedTensors(const Tensor&)>& slots);
  void check_not_empty() const;

  struct Rate { double given, now; };
  std::vector<Rate> rates_;            // of each group
  const char* name_;                   // in messages
  NamedTensors parameters_;
  std::vector<std::size_t> group_of_;  // of each parameter
  std::vector<NamedTensors> slots_;    // of each parameter: its state by slot name

};

/// Parameters that are treated alike: `Sgd sgd({{weights, {.weight_decay = 1e-4}}, {others}})`.
template <class Options> struct ParameterGroup {
  NamedTensors parameters;
  Options options = {};
};

/// An optimizer whose groups have Options; Sgd, Adam and so on differ in nothing else. Every constructor throws ValueError for an
/// illegal option (the sentence names the legal range) and when there are no parameters, and what Optimizer says about parameters.
template <class Options> class GroupedOptimizer : public Optimizer {
 public:
  using Group = ParameterGroup<Options>;
  explicit GroupedOptimizer(NamedTensors parameters, Options options = {});
  explicit GroupedOptimizer(const std::vector<Tensor>& parameters, Options options = {});
  explicit GroupedOptimizer(std::initializer_list<Group> groups);
  void add_group(const NamedTensors& parameters, Options options = {});
  /// With the present rate.
  Options options(std::size_t group = 0) const;

  using Optimizer::step;
  void step() override;
  void set_momentum(double momentum) override;
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& saved) override;

 private:
  template <class Gradient> void update(const Gradient& gradient);
  std::vector<Options> options_;
};

/// Names "0", "1", ... for parameters that have none, or from `first` on.
NamedTensors numbered(const std::vector<Tensor>& parameters, std::size_t first = 0);

/// Two halves of a list, for groups: `auto [weights, others] = partition(model.named_parameters(), is_weight)`.
struct Partition { NamedTensors chosen, others; };
Partition partition(const NamedTensors& parameters, const std::function<bool(const std::string& name, const Tensor&)>& choose);
/// Rank 2 and above: what is usually decayed; no biases and no scales of normalisations.
bool is_weight(const std::string& name, const Tensor& parameter);

}  // namespace rill::optim
