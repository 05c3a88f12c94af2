#include "test/support/catch.h"

#include <rill/nn/activation.h>
#include <rill/nn/conv.h>
#include <rill/nn/dropout.h>
#include <rill/nn/embedding.h>
#include <rill/nn/linear.h>
#include <rill/nn/norm.h>
#include <rill/nn/pad.h>
#include <rill/nn/pool.h>
#include <rill/nn/resize.h>
#include <rill/nn/shape.h>
#include <rill/ops/create.h>

#include "test/support/message.h"

using namespace rill;

TEST_CASE("layers refuse options that fit no input, with the range that does", "[nn][arguments]") {
  CHECK(MESSAGE(ValueError, nn::Conv2d(0, 1, {.kernel = 3})) == "Conv2d: the number of input channels is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Conv2d(1, -1, {.kernel = 3})) == "Conv2d: the number of output channels is -1; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Conv2d(1, 1, {})) == "Conv2d: no kernel size is given; write {.kernel = 3}");
  CHECK(MESSAGE(ValueError, nn::Conv2d(1, 1, {.kernel = {1, 2, 3}})) == "Conv2d: kernel has 3 values; give one, or one for each of 2 axes");
  CHECK(MESSAGE(ValueError, nn::Conv1d(1, 1, {.kernel = 0})) == "Conv1d: kernel is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Conv3d(1, 1, {.kernel = 2, .stride = {1, 0, 1}})) == "Conv3d: stride is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Conv2d(1, 1, {.kernel = 2, .padding = -1})) == "Conv2d: padding is -1; it must be at least 0");
  CHECK(MESSAGE(ValueError, nn::Conv2d(1, 1, {.kernel = 2, .dilation = 0})) == "Conv2d: dilation is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Conv2d(1, 1, {.kernel = 2, .groups = 0})) == "Conv2d: groups is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Conv2d(4, 6, {.kernel = 2, .groups = 4})) == "Conv2d: 4 groups do not divide 4 input and 6 output channels; both must be multiples of groups");
  CHECK(MESSAGE(ValueError, nn::Conv2d(1, 1, {.kernel = 2, .stride = 2, .padding = ConvPadding::same()})) == "Conv2d: padding \"same\" needs stride 1, got (2, 2); give the padding in numbers");
  CHECK(MESSAGE(ValueError, nn::ConvTranspose2d(1, 1, {.kernel = 2, .output_padding = 1})) == "ConvTranspose2d: output_padding 1 must be below the stride 1 or the dilation 1");
  CHECK(MESSAGE(ShapeError, nn::ConvTranspose1d(1, 1, {.kernel = 3, .stride = 2})(ones({1, 1, 4}), 11)) ==
        "ConvTranspose1d: output_size 11 on axis 0 is impossible for x [1, 1, 4]; possible are 9 to 10 (in ConvTranspose1d)");
  CHECK(MESSAGE(ShapeError, nn::ConvTranspose1d(1, 1, {.kernel = 3})(ones({4}), 6)) == "ConvTranspose1d: takes x [N, C, spatial..] of rank 3 or [C, spatial..] of rank 2, got [4] (in ConvTranspose1d)");

  CHECK(MESSAGE(ValueError, nn::BatchNorm1d(0)) == "BatchNorm1d: the number of channels is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::BatchNorm1d(1, {.eps = -1})) == "BatchNorm1d: eps is -1; it must be 0 or more");
  CHECK(MESSAGE(ValueError, nn::BatchNorm1d(1, {.momentum = 1.5})) == "BatchNorm1d: momentum is 1.5; it must be in [0, 1]");
  CHECK(MESSAGE(ShapeError, nn::BatchNorm1d(3)(ones({2, 3, 4, 4}))) == "BatchNorm1d: takes x [N, 3] or [N, C, L], got [2, 3, 4, 4] (in BatchNorm1d)");
  CHECK(MESSAGE(ShapeError, nn::BatchNorm2d(3)(ones({2, 4, 4, 4}))) == "BatchNorm2d: takes x [N, 3, H, W], got [2, 4, 4, 4] (in BatchNorm2d)");
  CHECK(MESSAGE(ShapeError, nn::BatchNorm3d(3)(ones({2, 3}))) == "BatchNorm3d: takes x [N, 3, D, H, W], got [2, 3] (in BatchNorm3d)");
  CHECK(MESSAGE(ShapeError, nn::InstanceNorm1d(3)(ones({2, 3}))) == "InstanceNorm1d: takes x [N, C, spatial..] of rank 3 or [C, spatial..] of rank 2 with C = 3, got [2, 3] (in InstanceNorm1d)");
  CHECK(MESSAGE(ValueError, nn::LayerNorm({})) == "LayerNorm: the normalized shape is empty; give the sizes of the last axes, as {512}");
  CHECK(MESSAGE(ValueError, nn::RMSNorm({3, 0})) == "RMSNorm: the normalized shape [3, 0] has a size below 1");
  CHECK(MESSAGE(ValueError, nn::GroupNorm(0, 3)) == "GroupNorm: the number of groups is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::GroupNorm(2, 3)) == "GroupNorm: 3 channels cannot be split into 2 groups; use a divisor of the channels");
  CHECK(MESSAGE(ValueError, nn::LocalResponseNorm(0)) == "LocalResponseNorm: the number of neighbouring channels is 0; it must be at least 1");

  CHECK(MESSAGE(ValueError, nn::MaxPool2d({})) == "MaxPool2d: no kernel size is given");
  CHECK(MESSAGE(ValueError, nn::MaxPool2d(3, {.padding = 2})) == "MaxPool2d: padding 2 is more than half of the window of 3 elements; at most 1 is possible");
  CHECK(MESSAGE(ValueError, nn::AvgPool1d(2, {.stride = 0})) == "AvgPool1d: stride is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::AdaptiveAvgPool2d({1, 0})) == "AdaptiveAvgPool2d: the output size is 0; it must be at least 1, or -1 for that of the input");
  CHECK(MESSAGE(ValueError, nn::AdaptiveMaxPool1d(-2)) == "AdaptiveMaxPool1d: the output size is -2; it must be at least 1, or -1 for that of the input");
  CHECK(MESSAGE(ValueError, nn::AdaptiveMaxPool3d({1, 2})) == "AdaptiveMaxPool3d: the output size has 2 values; give one, or one for each of 3 axes");
  CHECK(MESSAGE(ValueError, nn::LPPool2d(0, 2)) == "LPPool2d: p is 0; it must be another number");
  CHECK(MESSAGE(ValueError, nn::MaxUnpool1d(2, {.padding = 2})) == "MaxUnpool1d: padding 2 is more than half of the window of 2 elements; at most 1 is possible");
  CHECK(MESSAGE(ValueError, nn::FractionalMaxPool2d(2, {})) == "FractionalMaxPool2d: takes either size or ratio; give one of them");
  CHECK(MESSAGE(ValueError, nn::FractionalMaxPool3d(2, {.ratio = {1.5}})) == "FractionalMaxPool3d: ratio is 1.5; it must be between 0 and 1");
  CHECK(MESSAGE(ValueError, nn::Bilinear(1, 0, 2)) == "Bilinear: sizes are 1 and 0 in, 2 out; all must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Dropout(1.5)) == "Dropout: the probability 1.5 is outside [0, 1]");

  CHECK(MESSAGE(ValueError, nn::Embedding(0, 1)) == "Embedding: the number of entries is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Embedding(4, 2, {.padding_idx = 4})) == "Embedding: padding_idx 4 is outside the table of 4 entries; valid are -4 to 3");
  CHECK(MESSAGE(ValueError, nn::EmbeddingBag(4, 2, {.max_norm = 0.})) == "EmbeddingBag: max_norm is 0; it must be above 0");
  CHECK(MESSAGE(ValueError, nn::EmbeddingBag(4, 2, {.scale_grad_by_freq = true, .mode = BagMode::max})) == "EmbeddingBag: scale_grad_by_freq does not go with mode max");
  CHECK(MESSAGE(ValueError, nn::Embedding(4, 2, {.norm_type = -2})) == "Embedding: norm_type is -2; it must be above 0");
  CHECK(MESSAGE(ShapeError, nn::Embedding::from_pretrained(ones({3}))) == "Embedding: the table has shape [3]; expected [entries, features]");

  CHECK(MESSAGE(ValueError, nn::Function(nullptr)) == "Function: the function is empty");
  CHECK(MESSAGE(ValueError, nn::CELU(0)) == "CELU: alpha is 0; it must be another number");
  CHECK(MESSAGE(ValueError, nn::Hardtanh(1, 1)) == "Hardtanh: the bounds are 1 and 1; the lower one must be below the upper one");
  CHECK(MESSAGE(ValueError, nn::Softplus(0)) == "Softplus: beta is 0; it must be above 0");
  CHECK(MESSAGE(ValueError, nn::Softshrink(-1)) == "Softshrink: lambda is -1; it must be 0 or more");
  CHECK(MESSAGE(ValueError, nn::PReLU(0)) == "PReLU: the number of slopes is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::RReLU(0.5, 0.25)) == "RReLU: the slopes are from 0.5 to 0.25; the lower one must not be above the upper one");
  CHECK(MESSAGE(DtypeError, nn::RReLU()(ones({2}, {.dtype = int64}))) == "RReLU: int64 is not supported (expected a floating dtype) (in RReLU)");
  CHECK(MESSAGE(ShapeError, nn::Softmax2d()(ones({2, 3}))) == "Softmax2d: takes x [N, C, H, W] or [C, H, W], got [2, 3] (in Softmax2d)");
}

TEST_CASE("layers that reshape, pad and resize refuse what fits no input", "[nn][arguments]") {
  CHECK(MESSAGE(ValueError, nn::PixelShuffle(0)) == "PixelShuffle: the factor is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::PixelUnshuffle(-2)) == "PixelUnshuffle: the factor is -2; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::ChannelShuffle(0)) == "ChannelShuffle: the number of groups is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::ReflectionPad2d({1, 2})) == "ReflectionPad2d: 2 sides are given; give one number, or 4: before and after each axis, the last axis first");
  CHECK(MESSAGE(ValueError, nn::Upsample({})) == "Upsample: takes either size or scale; give one of them");
  CHECK(MESSAGE(ValueError, nn::Upsample({.size = 0})) == "Upsample: the size is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Upsample({.scale = {2, -1}})) == "Upsample: scale is -1; it must be above 0");
  CHECK(MESSAGE(ValueError, nn::Unfold(0)) == "Unfold: kernel is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Fold(0, 1)) == "Fold: the output size is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::Fold(4, 2, {.stride = 0})) == "Fold: stride is 0; it must be at least 1");
}
