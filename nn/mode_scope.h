// All training flags of a model in one state for a while.
#pragma once

#include <rill/nn/module.h>

namespace rill::nn {

/// Sets every training flag; gives each its own value back.
class ModeScope {
 public:
  ModeScope(Module& model, bool training) {
    class Collect final : public Parts {
     public:
      explicit Collect(std::vector<std::pair<bool*, bool>>& flags) : flags_(flags) {}
      Parts& mode(bool& training) override { return flags_.emplace_back(&training, training), *this; }

     private:
      std::vector<std::pair<bool*, bool>>& flags_;
    } collect(flags_);
    model.parts(collect);
    for (const auto& [flag, value] : flags_) *flag = training;
  }
  ~ModeScope() {
    for (const auto& [flag, value] : flags_) *flag = value;
  }
  ModeScope(const ModeScope&) = delete;
  ModeScope& operator=(const ModeScope&) = delete;

 private:
  std::vector<std::pair<bool*, bool>> flags_;
};

}  // namespace rill::nn
