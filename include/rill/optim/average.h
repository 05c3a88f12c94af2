// What all averages of parameters share: shadows, their names, and the swap for an evaluation.
#pragma once

#include <string>
#include <vector>

#include <rill/core/named_tensors.h>

namespace rill::optim {

/// The shadow of parameter p is called prefix + p + suffix: TensorFlow's names, or `{.prefix = "ema.", .suffix = ""}`. Several averages of one
/// model in one file need different names.
struct ShadowNames {
  std::string prefix = "", suffix = "/ExponentialMovingAverage";
  std::string of(const std::string& parameter) const { return prefix + parameter + suffix; }
};

/// Keeps a shadow of every parameter, which starts as the parameter is now; 16-bit parameters have float32 shadows. Buffers stay as they
/// are unless they are among the tensors (PyTorch's use_buffers; floating ones only).
class Average {
 public:
  Average(const Average&) = delete;
  Average& operator=(const Average&) = delete;
  /// The average of a parameter given by name, or an undefined tensor.
  Tensor average(const std::string& parameter) const;

  /// While it lives, the parameters hold the averages; afterwards they hold the trained values again, bit for bit. Not to be nested.
  class Scope {
   public:
    explicit Scope(Average& average) : average_(&average) { average_->swap_in_values(); }
    ~Scope() { average_->swap_out(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Average* average_;
  };
  /// FailedPrecondition when the averages are in already.
  [[nodiscard]] Scope swap_in() { return Scope(*this); }

 protected:
  /// DtypeError for a parameter that is not floating point, ValueError for one that is undefined.
  Average(const char* op, NamedTensors parameters, ShadowNames names);
  ~Average() = default;
  /// shadow += share (parameter - shadow), all in one pass.
  void approach(double share);
  NamedTensors shadows() const;
  ShadowNames names_;

 private:
  void swap_in_values();
  void swap_out() noexcept;
  NamedTensors parameters_;
  std::vector<Tensor> shadows_, trained_;  // trained_: while the averages are in
};

/// What an evaluation loads from a file that holds both: each tensor under its own name, with the value of its average where there
/// is one (TensorFlow's variables_to_restore). Shadows themselves are dropped.
NamedTensors averaged(const NamedTensors& state, const ShadowNames& names = {});
/// The shadows of such a file alone, or everything else.
NamedTensors only_averages(const NamedTensors& state, const ShadowNames& names = {});
NamedTensors without_averages(const NamedTensors& state, const ShadowNames& names = {});

}  // namespace rill::optim
