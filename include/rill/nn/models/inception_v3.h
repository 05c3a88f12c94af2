// Inception-v3 (Szegedy et al. 2016), 299x299x3 -> classes. State names are torchvision's (Conv2d_1a_3x3.conv.weight, Mixed_5b.branch1x1.bn.bias,
// AuxLogits.fc.weight, fc.bias), names of end points TF-Slim's. Channels-last images are the fast path.
#pragma once

#include <functional>

#include <rill/nn/dropout.h>
#include <rill/nn/models/inception_blocks.h>

namespace rill::nn::models {

struct InceptionV3Options {
  std::int64_t classes = 1000;
  bool aux_head = true;
  double dropout = 0.5;           ///< before the last layer
  bool transform_input = false;   ///< x is normalised with ImageNet's mean and deviation: map it to [-1, 1], as torchvision's published weights expect
  std::int64_t image_size = 299;  ///< with HeadPool::fixed: what the kernel of the auxiliary head is made for
  InceptionOptions blocks = {};
  static InceptionV3Options slim() { return {.dropout = 0.2, .blocks = InceptionOptions::slim()}; }
};

/// Logits of the classifier and of the auxiliary one, each [N, classes].
struct InceptionOutput { Tensor output, aux; };

/// InceptionV3({.classes = 5}) is torchvision's, InceptionV3(InceptionV3Options::slim()) TF-Slim's.
class InceptionV3 : public Module {
 public:
  /// ValueError for options that fit no network.
  explicit InceptionV3(const InceptionV3Options& options = {});

  /// [N, 3, H, W] -> logits [N, classes]; H and W at least min_input(), else ShapeError names the layer that would be empty.
  Tensor operator()(const Tensor& x) const;
  /// Also the logits of the auxiliary head, for training (0.4 of its loss is usual). With HeadPool::adaptive, it needs 299 pixels.
  /// FailedPrecondition without that head.
  InceptionOutput with_aux(const Tensor& x) const;
  /// What the classifier sees: the means of Mixed_7c, [N, 2048].
  Tensor features(const Tensor& x) const;
  /// Every end point up to `last` in order: Conv2d_1a_3x3, ..., Mixed_7c, then AuxLogits (if there is the head), PreLogits [N, 2048, 1, 1], Logits,
  /// Predictions. ValueError for a `last` that is none.
  NamedTensors end_points(const Tensor& x, const std::string& last = "Predictions") const;
  /// 75: the smallest image.
  static std::int64_t min_input();

  void parts(Parts& p) override;

  InceptionV3Options options;
  InceptionStem stem;
  InceptionA mixed_5b, mixed_5c, mixed_5d;
  InceptionB mixed_6a;
  InceptionC mixed_6b, mixed_6c, mixed_6d, mixed_6e;
  std::optional<InceptionAux> aux_logits;
  InceptionD mixed_7a;
  InceptionE mixed_7b, mixed_7c;
  Dropout dropout;
  Linear fc;

 private:
  /// Runs the body and shows each end point; stops after one for which `show` is true.
  Tensor body(const Tensor& x, const std::function<bool(const char* name, const Tensor& y)>& show) const;
  /// The mean of Mixed_7c, [N, 2048, 1, 1].
  Tensor pool(const Tensor& y) const;
};

}  // namespace rill::nn::models
