// Loss scaling for float16: gradients that would fall below its range are computed from a larger loss and divided by the factor afterwards.
#pragma once

#include <rill/optim/optimizer.h>

namespace rill::amp {

struct GradScalerOptions {
  double init_scale = 65536;
  double growth_factor = 2, backoff_factor = 0.5;
  std::int64_t growth_interval = 2000;
  bool enabled = true;  ///< off: scale() returns the loss, step() is the optimizer's
};

/// PyTorch's torch.amp.GradScaler (Micikevicius et al. 2018): for every step of the loop
///   optimizer.zero_grad(); scaler.scale(loss).backward(); scaler.step(optimizer); scaler.update();
/// A step whose gradients hold an infinity or NaN changes nothing, and the factor shrinks; after growth_interval steps without one it grows.
/// Whether that happened stays on the device of the parameters: nothing waits for a GPU. bfloat16 has the range of float32 and needs no scaling.
class GradScaler {
 public:
  /// ValueError for a factor outside its range: growth above 1, backoff below 1.
  explicit GradScaler(const GradScalerOptions& options = {});

  /// The loss times the factor.
  Tensor scale(const Tensor& loss);
  /// Divides the gradients of an optimizer, in place, for code that reads them before step(), as clipping does. FailedPrecondition when they have been
  /// divided since the last update(), DtypeError for float16 gradients.
  void unscale_(optim::Optimizer& optimizer);
  /// Divides what unscale_() has not divided, then optimizer.step_unless(an infinity or NaN was found). FailedPrecondition for a second call before update()
  /// and when no parameter has a gradient.
  void step(optim::Optimizer& optimizer);
  /// The factor of the next step. FailedPrecondition when there was no step() or unscale_().
  void update();
  /// Sets the factor.
  void update(double new_scale);

  /// Waits for the device; 1 when not enabled.
  double get_scale() const;
  bool is_enabled() const { return options_.enabled; }

  /// "scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker" as numbers (float64, int64) on the CPU; empty when not enabled.
  NamedTensors state_dict() const;
  /// ValueError names what is missing.
  void load_state_dict(const NamedTensors& state);

 private:
  struct Pass {  // of one optimizer since the last update
    const optim::Optimizer* optimizer;
    Tensor found;  // float32, not 0 when a gradient was infinite or NaN
    bool stepped = false;
  };
  Pass& pass_of(const char* op, const optim::Optimizer& optimizer);
  void move_to(Device device);

  GradScalerOptions options_;
  Tensor scale_;    // float32
  Tensor tracker_;  // float32: steps since the factor changed
  std::vector<Pass> passes_;
};

}  // namespace rill::amp
