#include <rill/optim/swa.h>

#include "lib/core/capture.h"
#include "optim/state.h"

namespace rill::optim {

SwaAverage::SwaAverage(NamedTensors parameters, ShadowNames names) : Average("SwaAverage", std::move(parameters), std::move(names)), n_averaged_(counter()) {}

void SwaAverage::update() {
  in_each_replay([this] { approach(1 / static_cast<double>(advance(n_averaged_))); });
}
std::int64_t SwaAverage::n_averaged() const { return count(n_averaged_); }

NamedTensors SwaAverage::state() const {
  NamedTensors list = shadows();
  list.emplace_back(names_.of("n_averaged"), n_averaged_);
  return list;
}
void SwaAverage::load(const NamedTensors& given) { load_into(state(), given); }

}  // namespace rill::optim
