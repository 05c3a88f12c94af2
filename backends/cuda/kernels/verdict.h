// Whether the elements of an operand are legal: kernels find the first that is not.
#pragma once

#include <limits>

#include "backends/cuda/kernels/launch.h"

namespace rill::RILL_GPU {

inline constexpr std::int64_t kAllLegal = std::numeric_limits<std::int64_t>::max();

struct TrapKernel {
  static constexpr int kThreads = 32;
  const std::int64_t* first;
  RILL_DEVICE void operator()(Team& team) const {
    if (team.thread() == 0 && *first != kAllLegal) trap();
  }
};

/// The smallest place that kernels give to atomic_min(first(), ..).
class Verdict {
 public:
  Verdict() : memory_(sizeof(std::int64_t)) { copy_to_device(first(), &kAllLegal, sizeof kAllLegal); }
  std::int64_t* first() const { return memory_.as<std::int64_t>(); }
  /// Waits for it. In a captured step the host cannot ask: a step that meets an illegal element then ends with an error of the device.
  std::int64_t read() const {
    std::int64_t place = kAllLegal;
    if (capturing()) launch(TrapKernel{first()}, 1);
    else copy_to_host(&place, first(), sizeof place);
    return place;
  }

 private:
  Scratch memory_;
};

}  // namespace rill::RILL_GPU
