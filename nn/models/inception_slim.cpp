#include <rill/nn/models/inception_slim.h>

#include <span>

#include <rill/ops/create.h>

#include "lib/core/check.h"

namespace rill::nn::models {
namespace {

using Names = std::vector<std::pair<std::string, std::string>>;
using Name = std::pair<const char*, const char*>;

constexpr Name kA[] = {{"branch1x1", "Branch_0/Conv2d_0a_1x1"},      {"branch5x5_1", "Branch_1/Conv2d_0a_1x1"},    {"branch5x5_2", "Branch_1/Conv2d_0b_5x5"},
                  {"branch3x3dbl_1", "Branch_2/Conv2d_0a_1x1"}, {"branch3x3dbl_2", "Branch_2/Conv2d_0b_3x3"}, {"branch3x3dbl_3", "Branch_2/Conv2d_0c_3x3"},
                  {"branch_pool", "Branch_3/Conv2d_0b_1x1"}};
constexpr Name kB[] = {{"branch3x3", "Branch_0/Conv2d_1a_1x1"}, {"branch3x3dbl_1", "Branch_1/Conv2d_0a_1x1"}, {"branch3x3dbl_2", "Branch_1/Conv2d_0b_3x3"}, {"branch3x3dbl_3", "Branch_1/Conv2d_1a_1x1"}};
constexpr Name kC[] = {{"branch1x1", "Branch_0/Conv2d_0a_1x1"},      {"branch7x7_1", "Branch_1/Conv2d_0a_1x1"},    {"branch7x7_2", "Branch_1/Conv2d_0b_1x7"},
                  {"branch7x7_3", "Branch_1/Conv2d_0c_7x1"},    {"branch7x7dbl_1", "Branch_2/Conv2d_0a_1x1"}, {"branch7x7dbl_2", "Branch_2/Conv2d_0b_7x1"},
                  {"branch7x7dbl_3", "Branch_2/Conv2d_0c_1x7"}, {"branch7x7dbl_4", "Branch_2/Conv2d_0d_7x1"}, {"branch7x7dbl_5", "Branch_2/Conv2d_0e_1x7"},
                  {"branch_pool", "Branch_3/Conv2d_0b_1x1"}};
constexpr Name kD[] = {{"branch3x3_1", "Branch_0/Conv2d_0a_1x1"},   {"branch3x3_2", "Branch_0/Conv2d_1a_3x3"},   {"branch7x7x3_1", "Branch_1/Conv2d_0a_1x1"},
                  {"branch7x7x3_2", "Branch_1/Conv2d_0b_1x7"}, {"branch7x7x3_3", "Branch_1/Conv2d_0c_7x1"}, {"branch7x7x3_4", "Branch_1/Conv2d_1a_3x3"}};
constexpr Name kE[] = {{"branch1x1", "Branch_0/Conv2d_0a_1x1"},      {"branch3x3_1", "Branch_1/Conv2d_0a_1x1"},     {"branch3x3_2a", "Branch_1/Conv2d_0b_1x3"},
                  {"branch3x3_2b", "Branch_1/Conv2d_0b_3x1"},   {"branch3x3dbl_1", "Branch_2/Conv2d_0a_1x1"},  {"branch3x3dbl_2", "Branch_2/Conv2d_0b_3x3"},
                  {"branch3x3dbl_3a", "Branch_2/Conv2d_0c_1x3"}, {"branch3x3dbl_3b", "Branch_2/Conv2d_0d_3x1"}, {"branch_pool", "Branch_3/Conv2d_0b_1x1"}};

/// Two blocks have names of their own for what their sisters have as well.
std::string historical(const std::string& block, const std::string& unit, const std::string& scope) {
  if (block == "Mixed_5c" && unit == "branch5x5_1") return "Branch_1/Conv2d_0b_1x1";
  if (block == "Mixed_5c" && unit == "branch5x5_2") return "Branch_1/Conv_1_0c_5x5";
  if (block == "Mixed_7c" && unit == "branch3x3_2b") return "Branch_1/Conv2d_0c_3x1";
  return scope;
}

}  // namespace

Names slim_scopes(const InceptionV3& model) {
  const std::string root = "InceptionV3/";
  Names all;
  for (const char* unit : {"Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3"}) all.emplace_back(unit, root + unit);
  const std::pair<std::string, std::span<const Name>> blocks[] = {{"Mixed_5b", kA}, {"Mixed_5c", kA}, {"Mixed_5d", kA}, {"Mixed_6a", kB}, {"Mixed_6b", kC}, {"Mixed_6c", kC},
                                                         {"Mixed_6d", kC}, {"Mixed_6e", kC}, {"Mixed_7a", kD}, {"Mixed_7b", kE}, {"Mixed_7c", kE}};
  for (const auto& [block, names] : blocks)
    for (const auto& [unit, scope] : names) all.emplace_back(block + "." + unit, root + block + "/" + historical(block, unit, scope));
  if (model.aux_logits) {
    const auto kernel = std::to_string(model.aux_logits->conv1.conv.options.kernel[0]);  // the scope tells how far it has shrunk
    all.emplace_back("AuxLogits.conv0", root + "AuxLogits/Conv2d_1b_1x1");
    all.emplace_back("AuxLogits.conv1", root + "AuxLogits/Conv2d_2a_" + kernel + "x" + kernel);
    all.emplace_back("AuxLogits.fc", root + "AuxLogits/Conv2d_2b_1x1");
  }
  all.emplace_back("fc", root + "Logits/Conv2d_1c_1x1");
  return all;
}

NamedTensors from_slim(const InceptionV3& model, const NamedTensors& variables) {
  constexpr const char* op = "from_slim";
  const NamedTensors own = model.state();
  std::string missing;
  const auto take = [&](const std::string& name, int rank) {
    const Tensor found = rill::find(variables, name);
    if (!found.defined()) missing += (missing.empty() ? "" : ", ") + name;
    else if (found.dim() != rank) missing += fmt::format("{}{} of rank {} (found {})", missing.empty() ? "" : ", ", name, rank, found.shape());
    else return found;
    return zeros(Shape(std::int64_t{rank}, std::int64_t{1}));
  };
  NamedTensors state;
  for (const auto& [unit, scope] : slim_scopes(model)) {
    const Tensor kernel = take(scope + "/weights", 4);
    if (unit.ends_with("fc")) {
      const Tensor bias = take(scope + "/biases", 1);
      const std::int64_t classes = rill::find(own, unit + ".bias").numel(), background = bias.numel() == classes + 1 ? 1 : 0;
      state.emplace_back(unit + ".weight", kernel.flatten(0, 2).t().narrow(0, background, kernel.size(3) - background));
      state.emplace_back(unit + ".bias", bias.narrow(0, background, bias.numel() - background));
      continue;
    }
    state.emplace_back(unit + ".conv.weight", kernel.permute({3, 2, 0, 1}));
    const std::string norm = scope + "/BatchNorm/";
    if (const Tensor weight = rill::find(own, unit + ".bn.weight"); weight.defined()) {
      const Tensor gamma = rill::find(variables, norm + "gamma");
      state.emplace_back(unit + ".bn.weight", gamma.defined() ? gamma : ones_like(weight));
    }
    for (const auto& [name, variable] : {std::pair("bias", "beta"), std::pair("running_mean", "moving_mean"), std::pair("running_var", "moving_variance")})
      state.emplace_back(unit + ".bn." + name, take(norm + variable, 1));
    state.emplace_back(unit + ".bn.num_batches_tracked", rill::find(own, unit + ".bn.num_batches_tracked"));
  }
  check<ValueError>(missing.empty(), op, "variables are missing: {}", missing);
  return state;
}

}  // namespace rill::nn::models
