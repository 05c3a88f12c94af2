#include "test/nn/models/filled.h"

#include <rill/nn/models/inception_blocks.h>

#include "test/support/message.h"

using namespace rill;
using namespace rill::nn::models;

namespace {
const InceptionOptions kOptions{.tensor = kDouble};
}

TEST_CASE("Inception blocks, alone, in training: values, gradients and running statistics are torchvision's", "[nn][models]") {
  const auto check = [](auto block, const char* name, const Shape& shape) {
    nn::check_parts(block);
    auto last = block;
    check_training(block, name, image(shape));
    check_training(last, name, image(shape).contiguous(MemoryFormat::channels_last));
  };
  check(InceptionA(6, 5, InceptionOptions{.min_depth = 1, .tensor = kDouble}), "InceptionA", {2, 6, 5, 6});
  check(InceptionB(6, kOptions), "InceptionB", {2, 6, 7, 6});
  check(InceptionC(6, 4, InceptionOptions{.min_depth = 1, .tensor = kDouble}), "InceptionC", {2, 6, 5, 6});
  check(InceptionD(6, kOptions), "InceptionD", {2, 6, 7, 6});
  check(InceptionE(6, kOptions), "InceptionE", {2, 6, 5, 6});
  check(InceptionAux(6, 3, kOptions), "InceptionAux", {2, 6, 17, 18});
}

TEST_CASE("Inception blocks: channels, and channels-last results for channels-last inputs", "[nn][models]") {
  const Tensor x = image({1, 6, 9, 8}).to(float32).contiguous(MemoryFormat::channels_last);
  const auto check = [&](const auto& block, std::int64_t channels, std::int64_t rows) {
    const Tensor y = block(x);
    CHECK(block.out_channels() == channels);
    CHECK(y.size(1) == channels);
    CHECK(y.size(2) == rows);
    CHECK(y.is_contiguous(MemoryFormat::channels_last));
    CHECK_FALSE(y.is_contiguous());
  };
  check(InceptionA(6, 32), 256, 9);
  check(InceptionB(6), 486, 4);
  check(InceptionC(6, 128), 768, 9);
  check(InceptionD(6), 518, 4);
  check(InceptionE(6), 2048, 9);
  check(InceptionA(6, 32, {.depth_multiplier = 0.5}), 128, 9);
  check(InceptionA(6, 32, {.depth_multiplier = 0.25}), 16 + 16 + 24 + 16, 9);
  CHECK(InceptionStem({.depth_multiplier = 0.5}).out_channels() == 96);
  CHECK(InceptionStem()(ones({1, 3, 75, 75})).shape() == Shape{1, 192, 7, 7});
}

TEST_CASE("Inception blocks: start of the weights", "[nn][models]") {
  const auto deviation = [](const Tensor& w) { return rill::std(w).item<double>() / 0.87962566; };  // of a normal cut at two deviations
  CHECK(deviation(InceptionE(1280).branch3x3dbl_2.conv.weight) == Approx(0.1).epsilon(0.01));
  CHECK(deviation(InceptionE(1280, InceptionOptions::slim()).branch3x3dbl_2.conv.weight) == Approx(std::sqrt(2.6 / (448 * 9))).epsilon(0.01));
  for (const auto& options : {InceptionOptions{}, InceptionOptions::slim()}) {
    const InceptionAux aux(768, 1000, options);
    CHECK(deviation(aux.conv1.conv.weight) == Approx(0.01).epsilon(0.01));
    CHECK(deviation(aux.fc.weight) == Approx(0.001).epsilon(0.01));
    CHECK(max(abs(aux.fc.bias)).item<double>() == 0);
    CHECK(max(abs(aux.fc.weight)).item<double>() < 0.002001);
  }
  CHECK_FALSE(InceptionB(6, InceptionOptions::slim()).branch3x3.bn.weight.defined());
  CHECK(InceptionB(6, InceptionOptions::slim()).branch3x3.bn.options.momentum == 0.0003);
  CHECK(InceptionB(6).branch3x3.bn.options.momentum == 0.1);
  CHECK(InceptionB(6).branch3x3.bn.options.eps == 0.001);
}

TEST_CASE("Inception blocks refuse what cannot work", "[nn][models]") {
  CHECK(MESSAGE(ValueError, InceptionB(6, {.depth_multiplier = 0})) == "InceptionOptions: depth_multiplier is 0; it must be above 0");
  CHECK(MESSAGE(ShapeError, InceptionAux(6, 3)(ones({1, 6, 16, 17}))) == "InceptionAux: a grid [1, 6, 16, 17] is too small for the kernel 5x5; it needs 17x17 or more (in InceptionAux)");
  CHECK(MESSAGE(ShapeError, InceptionAux(6, 3, InceptionOptions::slim())(ones({1, 6, 20, 17}))) ==
        "InceptionAux: a grid [1, 6, 20, 17] leaves 2x1 elements per channel; take HeadPool::adaptive for images of this size (in InceptionAux)");
  InceptionA block(6, 32);
  block.named_modules();
  CHECK(MESSAGE(ShapeError, block(ones({1, 5, 9, 9}))) == "conv2d: weight [64, 6, 1, 1] expects 6 input channels, x [1, 5, 9, 9] has 5 (in branch1x1.conv)");
}
