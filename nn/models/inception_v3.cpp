#include <rill/nn/models/inception_v3.h>

#include <algorithm>

#include <rill/nn/init.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/pool.h>
#include <rill/ops/softmax.h>

#include "lib/core/check.h"

namespace rill::nn::models {
namespace {

constexpr const char* kBody[] = {"Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "MaxPool_3a_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "MaxPool_5a_3x3", "Mixed_5b", "Mixed_5c",
                                 "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7a", "Mixed_7b", "Mixed_7c"};
constexpr const char* kHeads[] = {"AuxLogits", "PreLogits", "Logits", "Predictions"};

/// Everything that makes the grid smaller, in order.
struct Shrink { const char* layer; std::int64_t kernel, stride; };
constexpr Shrink kShrink[] = {{"Conv2d_1a_3x3", 3, 2}, {"Conv2d_2a_3x3", 3, 1}, {"MaxPool_3a_3x3", 3, 2}, {"Conv2d_4a_3x3", 3, 1}, {"MaxPool_5a_3x3", 3, 2}, {"Mixed_6a", 3, 2}, {"Mixed_7a", 3, 2}};

std::int64_t after(std::int64_t size, std::int64_t kernel, std::int64_t stride) { return size < kernel ? 0 : (size - kernel) / stride + 1; }

/// The size of the grid that the auxiliary head sees; 0: no grid is left.
std::int64_t mixed_6e_size(std::int64_t image) {
  for (const Shrink& s : kShrink)
    if (std::string(s.layer) != "Mixed_7a") image = after(image, s.kernel, s.stride);
  return image;
}

void check_image(const Tensor& x) {
  constexpr const char* op = "InceptionV3";
  check_defined(op, x, "the image");
  check<ShapeError>(x.dim() == 4 && x.size(1) == 3, op, "x has shape {}; expected [N, 3, H, W]", x.shape());
  std::int64_t size = std::min(x.size(2), x.size(3));
  for (const Shrink& s : kShrink) {
    size = after(size, s.kernel, s.stride);
    check<ShapeError>(size > 0, op, "{} would be empty for an image of {}x{} pixels; at least {} are needed", s.layer, x.size(2), x.size(3), InceptionV3::min_input());
  }
}

/// The kernel of the auxiliary head: as large as what its pool leaves, up to 5.
std::int64_t aux_kernel(const InceptionV3Options& o) {
  if (o.blocks.head_pool == HeadPool::adaptive) return 5;
  const std::int64_t left = after(mixed_6e_size(o.image_size), 5, 3);
  check<ValueError>(!o.aux_head || left > 0, "InceptionV3", "images of {} pixels leave nothing for the auxiliary head, which needs 107; build without it", o.image_size);
  return std::clamp<std::int64_t>(left, 1, 5);
}

/// From (v - mean) / deviation of ImageNet to 2 v - 1, per channel.
Tensor to_unit_range(const Tensor& x) {
  const Options like{.dtype = x.dtype(), .device = x.device()};
  const Tensor factor = tensor({0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5}, like), offset = tensor({(0.485 - 0.5) / 0.5, (0.456 - 0.5) / 0.5, (0.406 - 0.5) / 0.5}, like);
  return x * factor.view({3, 1, 1}) + offset.view({3, 1, 1});
}

}  // namespace

InceptionV3::InceptionV3(const InceptionV3Options& o)
    : options(o), stem(o.blocks), mixed_5b(stem.out_channels(), 32, o.blocks), mixed_5c(mixed_5b.out_channels(), 64, o.blocks), mixed_5d(mixed_5c.out_channels(), 64, o.blocks),
      mixed_6a(mixed_5d.out_channels(), o.blocks), mixed_6b(mixed_6a.out_channels(), 128, o.blocks), mixed_6c(mixed_6b.out_channels(), 160, o.blocks),
      mixed_6d(mixed_6c.out_channels(), 160, o.blocks), mixed_6e(mixed_6d.out_channels(), 192, o.blocks), mixed_7a(mixed_6e.out_channels(), o.blocks),
      mixed_7b(mixed_7a.out_channels(), o.blocks), mixed_7c(mixed_7b.out_channels(), o.blocks), dropout(o.dropout), fc(mixed_7c.out_channels(), o.classes, {.tensor = o.blocks.tensor}) {
  const std::int64_t kernel = aux_kernel(o);
  if (o.aux_head) aux_logits.emplace(mixed_6e.out_channels(), o.classes, o.blocks, kernel);
  init::truncated_normal_(fc.weight, {.std = 0.1});
  init::zeros_(fc.bias);
}

void InceptionV3::parts(Parts& p) {
  stem.parts(p);
  p("Mixed_5b", mixed_5b)("Mixed_5c", mixed_5c)("Mixed_5d", mixed_5d)("Mixed_6a", mixed_6a)("Mixed_6b", mixed_6b)("Mixed_6c", mixed_6c)("Mixed_6d", mixed_6d);
  p("Mixed_6e", mixed_6e)("AuxLogits", aux_logits)("Mixed_7a", mixed_7a)("Mixed_7b", mixed_7b)("Mixed_7c", mixed_7c)("dropout", dropout)("fc", fc);
}

Tensor InceptionV3::body(const Tensor& x, const std::function<bool(const char*, const Tensor&)>& show) const {
  check_image(x);
  Tensor y = options.transform_input ? to_unit_range(x) : x;
  const auto pool = [](const Tensor& x) { return max_pool2d(x, 3, {.stride = 2}); };
  const std::function<Tensor(const Tensor&)> stages[] = {
      std::cref(stem.conv_1a), std::cref(stem.conv_2a), std::cref(stem.conv_2b), pool, std::cref(stem.conv_3b), std::cref(stem.conv_4a), pool,
      std::cref(mixed_5b), std::cref(mixed_5c), std::cref(mixed_5d), std::cref(mixed_6a), std::cref(mixed_6b), std::cref(mixed_6c), std::cref(mixed_6d), std::cref(mixed_6e),
      std::cref(mixed_7a), std::cref(mixed_7b), std::cref(mixed_7c)};
  static_assert(std::size(stages) == std::size(kBody));
  for (std::size_t i = 0; i < std::size(stages); ++i) {
    y = stages[i](y);
    if (show && show(kBody[i], y)) break;
  }
  return y;
}

Tensor InceptionV3::pool(const Tensor& y) const {
  if (options.blocks.head_pool == HeadPool::adaptive) return adaptive_avg_pool2d(y, 1);
  const Tensor means = avg_pool2d(y, {std::min<std::int64_t>(y.size(2), 8), std::min<std::int64_t>(y.size(3), 8)}, {.stride = 2});
  check<ShapeError>(means.size(2) * means.size(3) == 1, "InceptionV3", "the 8x8 windows of HeadPool::fixed leave {}x{} elements of Mixed_7c {}; take HeadPool::adaptive for such images", means.size(2),
                    means.size(3), y.shape());
  return means;
}

Tensor InceptionV3::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return fc(dropout(pool(body(x, nullptr)).flatten(1))); });
}
InceptionOutput InceptionV3::with_aux(const Tensor& x) const {
  check<FailedPrecondition>(aux_logits.has_value(), "InceptionV3", "the network was built without the auxiliary head; build it with .aux_head = true");
  return call(x, [&](const Tensor& x) {
    InceptionOutput result;
    const Tensor y = body(x, [&](const std::string& name, const Tensor& y) {
      if (name == "Mixed_6e") result.aux = (*aux_logits)(y);
      return false;
    });
    result.output = fc(dropout(pool(y).flatten(1)));
    return result;
  });
}
Tensor InceptionV3::features(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return pool(body(x, nullptr)).flatten(1); });
}

NamedTensors InceptionV3::end_points(const Tensor& x, const std::string& last) const {
  const bool known = std::ranges::find(kBody, last) != std::end(kBody) || (std::ranges::find(kHeads, last) != std::end(kHeads) && (aux_logits || last != "AuxLogits"));
  check<ValueError>(known, "InceptionV3", "there is no end point \"{}\"; the names are Conv2d_1a_3x3, ..., Mixed_7c, {}PreLogits, Logits and Predictions", last, aux_logits ? "AuxLogits, " : "");
  NamedTensors found;
  const auto add = [&](const char* name, Tensor y) {
    found.emplace_back(name, std::move(y));
    return name == last;
  };
  const Tensor y = body(x, add);
  if (found.back().first == last) return found;
  if (aux_logits && add("AuxLogits", (*aux_logits)(rill::find(found, "Mixed_6e")))) return found;
  const Tensor features = dropout(pool(y));
  if (add("PreLogits", features)) return found;
  const Tensor logits = fc(features.flatten(1));
  if (!add("Logits", logits)) add("Predictions", softmax(logits, 1));
  return found;
}

std::int64_t InceptionV3::min_input() {
  std::int64_t size = 1;
  for (auto s = std::rbegin(kShrink); s != std::rend(kShrink); ++s) size = (size - 1) * s->stride + s->kernel;
  return size;
}

}  // namespace rill::nn::models
