#include "test/nn/models/filled.h"

#include <rill/autograd/grad_mode.h>
#include <rill/nn/models/resnet.h>

#include "test/support/message.h"

using namespace rill;
using namespace rill::nn::models;

TEST_CASE("ResNet: state names, shapes and totals are torchvision's", "[nn][models]") {
  const auto check = [](ResNet m, const char* name, std::int64_t parameters) {
    check_state_names(m, name);
    nn::check_parts(m);
    CHECK(m.parameter_count() == parameters);
  };
  check(resnet18(), "resnet18", 11'689'512);
  check(resnet50(), "resnet50", 25'557'032);
}

TEST_CASE("ResNet blocks in training: values, gradients and running statistics are torchvision's", "[nn][models]") {
  const auto check = [](ResNetBlock block, const char* name) {
    ResNetBlock last = block;
    check_training(block, name, image({2, 8, 5, 6}));
    check_training(last, name, image({2, 8, 5, 6}).contiguous(MemoryFormat::channels_last));
  };
  check(ResNetBlock(8, 8, 1, {.tensor = kDouble}), "BasicBlock");
  check(ResNetBlock(8, 16, 2, {.tensor = kDouble}), "BasicBlock2");
  check(ResNetBlock(8, 4, 2, {.bottleneck = true, .tensor = kDouble}), "Bottleneck");
}

TEST_CASE("ResNet-18 and 50 in evaluation: logits are torchvision's in both layouts", "[nn][models]") {
  const NoGrad off;
  const auto check = [](ResNet m, const char* name, std::int64_t size) {
    fill(m);
    m.eval();
    const Tensor x = image({1, 3, size, size}).to(float32);
    check_summary(m(x), name, "y", 1e-4);
    check_summary(m(x.contiguous(MemoryFormat::channels_last)), name, "y", 1e-4);
    CHECK(equal(m.fc(m.features(x)), m(x)));
  };
  check(resnet18(7), "resnet18", 64);
  check(resnet50(7), "resnet50", 40);
}

TEST_CASE("ResNet: start and refusals", "[nn][models]") {
  const ResNetBlock block(8, 512, 1, {.zero_init_residual = true});
  CHECK(rill::std(block.conv2.weight).item<double>() == Approx(std::sqrt(2.0 / (512 * 9))).epsilon(0.01));
  CHECK(max(abs(block.bn2.weight)).item<double>() == 0);
  CHECK(min(block.bn1.weight).item<double>() == 1);
  CHECK(max(abs(ResNetBlock(8, 8, 1, {.bottleneck = true, .zero_init_residual = true}).bn3->weight)).item<double>() == 0);
  CHECK(MESSAGE(ValueError, ResNet({.blocks = {1, 1, 0, 1}})) == "ResNet: stage 3 has 0 blocks; each needs at least 1");
  ResNet m({.classes = 2, .width = 4});
  m.named_modules();
  CHECK(MESSAGE(ShapeError, m(ones({1, 1, 32, 32}))) == "conv2d: weight [4, 3, 7, 7] expects 3 input channels, x [1, 1, 32, 32] has 1 (in conv1)");
}
