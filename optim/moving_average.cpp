#include <rill/optim/moving_average.h>

#include <algorithm>

#include "lib/core/capture.h"
#include "optim/hyper.h"
#include "optim/state.h"

namespace rill::optim {

MovingAverage::MovingAverage(NamedTensors parameters, MovingAverageOptions options)
    : Average("MovingAverage", std::move(parameters), options.names), options_(std::move(options)), decay_product_(number(1)) {
  check_share("MovingAverage", "decay", options_.decay);
}

double MovingAverage::decay_at(std::int64_t step) const {
  const float decay = static_cast<float>(options_.decay), n = static_cast<float>(step);
  return options_.warmup ? std::min(decay, (1 + n) / (10 + n)) : decay;
}
void MovingAverage::update(std::int64_t step) {
  check<ValueError>(step >= 0, "update", "step {} is negative", step);
  in_each_replay([this, ahead = step - updates_] {
    const double d = decay_at(updates_ + ahead);
    double share = 1 - static_cast<float>(d);
    // With B = d B + (1 - d) x from 0 and P the product of all d, the average V = B / (1 - P) itself obeys V += (1 - d) / (1 - P) (x - V).
    if (options_.zero_debias && d < 1) share = (1 - d) / (1 - multiply(decay_product_, d));
    approach(options_.copy_first && updates_ == 0 ? 1 : share);
    ++updates_;
  });
}

NamedTensors MovingAverage::state() const {
  NamedTensors list = shadows();
  if (options_.zero_debias) list.emplace_back(names_.of("decay_product"), decay_product_);
  return list;
}
void MovingAverage::load(const NamedTensors& given, std::int64_t updates) {
  load_into(state(), given);
  updates_ = updates;
}

}  // namespace rill::optim
