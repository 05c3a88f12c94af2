#include "test/nn/every_layer.h"

#include <rill/nn/activation.h>
#include <rill/nn/conv.h>
#include <rill/nn/distance.h>
#include <rill/nn/dropout.h>
#include <rill/nn/embedding.h>
#include <rill/nn/linear.h>
#include <rill/nn/norm.h>
#include <rill/nn/pad.h>
#include <rill/nn/parametrize.h>
#include <rill/nn/pool.h>
#include <rill/nn/resize.h>
#include <rill/nn/shape.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/shape.h>

using namespace rill;
using nn::AnyModule;

namespace {

template <class T> AnyModule plain() { return T(); }

struct Symmetric : nn::Module {
  Tensor operator()(const Tensor& w) const { return triu(w) + triu(w, 1).mT(); }
  void parts(nn::Parts&) override {}
};
template <class M> AnyModule weight_normed(M m, const nn::WeightNormOptions& options = {}) { return nn::weight_norm(m, options), m; }
template <class M> AnyModule spectral_normed(M m, const nn::SpectralNormOptions& options = {}) { return nn::spectral_norm(m, options), m; }

}  // namespace

const std::map<std::string, MakeLayer>& rill::every_layer() {
  static const std::map<std::string, MakeLayer> layers = {
      {"linear", []() -> AnyModule { return nn::Linear(3, 2); }},
      {"linear_no_bias", []() -> AnyModule { return nn::Linear(3, 2, {.bias = false}); }},
      {"bilinear", []() -> AnyModule { return nn::Bilinear(2, 3, 2); }},
      {"bilinear_no_bias", []() -> AnyModule { return nn::Bilinear(1, 2, 3, {.bias = false}); }},
      {"cosine_similarity", plain<nn::CosineSimilarity>},
      {"cosine_similarity_axis", []() -> AnyModule { return nn::CosineSimilarity({.axis = 0, .eps = 0.1}); }},
      {"pairwise_distance", plain<nn::PairwiseDistance>},
      {"pairwise_distance_options", []() -> AnyModule { return nn::PairwiseDistance({.p = 3, .eps = 0.01, .keepdim = true}); }},
      {"conv1d", []() -> AnyModule { return nn::Conv1d(2, 3, {.kernel = 3}); }},
      {"conv1d_no_batch", []() -> AnyModule { return nn::Conv1d(2, 3, {.kernel = 2}); }},
      {"conv1d_same", []() -> AnyModule { return nn::Conv1d(2, 2, {.kernel = 4, .padding = ConvPadding::same(), .dilation = 2}); }},
      {"conv2d", []() -> AnyModule { return nn::Conv2d(1, 2, {.kernel = 2}); }},
      {"conv2d_options", []() -> AnyModule { return nn::Conv2d(4, 2, {.kernel = {2, 3}, .stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2, .bias = false}); }},
      {"conv2d_depthwise", []() -> AnyModule { return nn::Conv2d(2, 4, {.kernel = 2, .groups = 2}); }},
      {"conv2d_same", []() -> AnyModule { return nn::Conv2d(1, 1, {.kernel = {2, 3}, .padding = ConvPadding::same()}); }},
      {"conv2d_reflect", []() -> AnyModule { return nn::Conv2d(1, 2, {.kernel = 3, .stride = 2, .padding = {1, 2}, .padding_mode = PadMode::reflect}); }},
      {"conv2d_replicate", []() -> AnyModule { return nn::Conv2d(1, 2, {.kernel = 3, .stride = 2, .padding = {1, 2}, .padding_mode = PadMode::replicate}); }},
      {"conv2d_circular", []() -> AnyModule { return nn::Conv2d(1, 2, {.kernel = 3, .stride = 2, .padding = {1, 2}, .padding_mode = PadMode::circular}); }},
      {"conv1d_reflect_same", []() -> AnyModule { return nn::Conv1d(1, 1, {.kernel = 4, .padding = ConvPadding::same(), .padding_mode = PadMode::reflect}); }},
      {"conv1d_replicate_same", []() -> AnyModule { return nn::Conv1d(1, 1, {.kernel = 4, .padding = ConvPadding::same(), .padding_mode = PadMode::replicate}); }},
      {"conv1d_circular_same", []() -> AnyModule { return nn::Conv1d(1, 1, {.kernel = 4, .padding = ConvPadding::same(), .padding_mode = PadMode::circular}); }},
      {"conv3d", []() -> AnyModule { return nn::Conv3d(1, 2, {.kernel = 2, .padding = 1}); }},
      {"conv3d_circular", []() -> AnyModule { return nn::Conv3d(1, 1, {.kernel = {1, 2, 3}, .padding = {0, 1, 1}, .padding_mode = PadMode::circular}); }},
      {"conv_transpose1d", []() -> AnyModule { return nn::ConvTranspose1d(2, 3, {.kernel = 3}); }},
      {"conv_transpose2d", []() -> AnyModule { return nn::ConvTranspose2d(1, 2, {.kernel = 2, .stride = 2, .padding = 1}); }},
      {"conv_transpose2d_options",
       []() -> AnyModule { return nn::ConvTranspose2d(4, 2, {.kernel = {2, 3}, .stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .groups = 2, .bias = false, .dilation = {1, 2}}); }},
      {"conv_transpose2d_size", []() -> AnyModule { return nn::ConvTranspose2d(1, 1, {.kernel = 3, .stride = {2, 3}}); }},
      {"conv_transpose3d", []() -> AnyModule { return nn::ConvTranspose3d(1, 2, {.kernel = 2, .stride = 2}); }},

      {"batch_norm1d", []() -> AnyModule { return nn::BatchNorm1d(3); }},
      {"batch_norm1d_length", []() -> AnyModule { return nn::BatchNorm1d(2, {.eps = 0.1, .momentum = 0.3}); }},
      {"batch_norm2d", []() -> AnyModule { return nn::BatchNorm2d(2); }},
      {"batch_norm3d", []() -> AnyModule { return nn::BatchNorm3d(2); }},
      {"batch_norm1d_plain", []() -> AnyModule { return nn::BatchNorm1d(2, {.affine = false}); }},
      {"batch_norm1d_no_bias", []() -> AnyModule { return nn::BatchNorm1d(2, {.bias = false}); }},
      {"batch_norm1d_batch_only", []() -> AnyModule { return nn::BatchNorm1d(2, {.track_running_stats = false}); }},
      {"batch_norm1d_average", []() -> AnyModule { return nn::BatchNorm1d(2, {.momentum = {}}); }},
      {"batch_norm1d_thrice", []() -> AnyModule { return nn::BatchNorm1d(2); }},
      {"instance_norm1d", []() -> AnyModule { return nn::InstanceNorm1d(2); }},
      {"instance_norm1d_no_batch", []() -> AnyModule { return nn::InstanceNorm1d(2, {.affine = true}); }},
      {"instance_norm2d", []() -> AnyModule { return nn::InstanceNorm2d(2, {.eps = 0.01, .affine = true}); }},
      {"instance_norm2d_running", []() -> AnyModule { return nn::InstanceNorm2d(2, {.momentum = 0.25, .track_running_stats = true}); }},
      {"instance_norm3d", []() -> AnyModule { return nn::InstanceNorm3d(1, {.affine = true, .bias = false}); }},
      {"layer_norm", []() -> AnyModule { return nn::LayerNorm({4}); }},
      {"layer_norm_shape", []() -> AnyModule { return nn::LayerNorm({2, 3}, {.eps = 0.01}); }},
      {"layer_norm_no_bias", []() -> AnyModule { return nn::LayerNorm({3}, {.bias = false}); }},
      {"layer_norm_plain", []() -> AnyModule { return nn::LayerNorm({3}, {.elementwise_affine = false}); }},
      {"rms_norm", []() -> AnyModule { return nn::RMSNorm({4}); }},
      {"rms_norm_eps", []() -> AnyModule { return nn::RMSNorm({2, 2}, {.eps = 0.1}); }},
      {"rms_norm_plain", []() -> AnyModule { return nn::RMSNorm({3}, {.elementwise_affine = false}); }},
      {"group_norm", []() -> AnyModule { return nn::GroupNorm(2, 4); }},
      {"group_norm_no_bias", []() -> AnyModule { return nn::GroupNorm(1, 3, {.eps = 0.1, .bias = false}); }},
      {"group_norm_plain", []() -> AnyModule { return nn::GroupNorm(3, 3, {.affine = false}); }},
      {"local_response_norm", []() -> AnyModule { return nn::LocalResponseNorm(3, {.alpha = 0.5}); }},
      {"local_response_norm_options", []() -> AnyModule { return nn::LocalResponseNorm(2, {.alpha = 0.25, .beta = 0.5, .k = 2}); }},

      {"max_pool1d", []() -> AnyModule { return nn::MaxPool1d(2); }},
      {"max_pool2d", []() -> AnyModule { return nn::MaxPool2d(3, {.stride = 2, .padding = 1}); }},
      {"max_pool2d_options", []() -> AnyModule { return nn::MaxPool2d({2, 3}, {.stride = {1, 2}, .padding = {0, 1}, .dilation = {2, 1}, .ceil_mode = true}); }},
      {"max_pool3d", []() -> AnyModule { return nn::MaxPool3d(2, {.stride = 1}); }},
      {"avg_pool1d", []() -> AnyModule { return nn::AvgPool1d(3, {.stride = 2, .padding = 1}); }},
      {"avg_pool2d", []() -> AnyModule { return nn::AvgPool2d(2); }},
      {"avg_pool2d_options", []() -> AnyModule { return nn::AvgPool2d({2, 3}, {.stride = 2, .padding = {1, 0}, .ceil_mode = true, .count_include_pad = false}); }},
      {"avg_pool2d_divisor", []() -> AnyModule { return nn::AvgPool2d(2, {.divisor_override = 3}); }},
      {"avg_pool3d", []() -> AnyModule { return nn::AvgPool3d({1, 2, 2}); }},
      {"adaptive_avg_pool1d", []() -> AnyModule { return nn::AdaptiveAvgPool1d(3); }},
      {"adaptive_avg_pool2d", []() -> AnyModule { return nn::AdaptiveAvgPool2d({2, 3}); }},
      {"adaptive_avg_pool2d_global", []() -> AnyModule { return nn::AdaptiveAvgPool2d(1); }},
      {"adaptive_avg_pool2d_keep", []() -> AnyModule { return nn::AdaptiveAvgPool2d({-1, 3}); }},
      {"adaptive_avg_pool3d", []() -> AnyModule { return nn::AdaptiveAvgPool3d(2); }},
      {"adaptive_max_pool1d", []() -> AnyModule { return nn::AdaptiveMaxPool1d(2); }},
      {"adaptive_max_pool2d", []() -> AnyModule { return nn::AdaptiveMaxPool2d({2, 3}); }},
      {"adaptive_max_pool3d", []() -> AnyModule { return nn::AdaptiveMaxPool3d({1, 2, 2}); }},
      {"adaptive_max_pool3d_keep", []() -> AnyModule { return nn::AdaptiveMaxPool3d({2, -1, -1}); }},
      {"lp_pool1d", []() -> AnyModule { return nn::LPPool1d(2, 3, {.ceil_mode = true}); }},
      {"lp_pool2d", []() -> AnyModule { return nn::LPPool2d(3, {1, 2}, {.stride = 1}); }},
      {"lp_pool3d", []() -> AnyModule { return nn::LPPool3d(2, 2); }},
      {"max_unpool1d", []() -> AnyModule { return nn::MaxUnpool1d(2); }},
      {"max_unpool2d", []() -> AnyModule { return nn::MaxUnpool2d(2); }},
      {"max_unpool3d", []() -> AnyModule { return nn::MaxUnpool3d(2); }},
      {"max_unpool2d_options", []() -> AnyModule { return nn::MaxUnpool2d({2, 3}, {.stride = 2, .padding = {0, 1}}); }},
      {"fractional_max_pool2d", []() -> AnyModule { return nn::FractionalMaxPool2d(2, {.ratio = {0.5, 0.75}}); }},
      {"fractional_max_pool3d", []() -> AnyModule { return nn::FractionalMaxPool3d({1, 2, 2}, {.size = {2, 2, 1}}); }},

      {"dropout", []() -> AnyModule { return nn::Dropout(0.3); }},
      {"dropout_all", []() -> AnyModule { return nn::Dropout(1); }},
      {"dropout_none", []() -> AnyModule { return nn::Dropout(0); }},
      {"dropout1d", plain<nn::Dropout1d>},
      {"dropout2d", []() -> AnyModule { return nn::Dropout2d(0.25); }},
      {"dropout3d", plain<nn::Dropout3d>},
      {"alpha_dropout", []() -> AnyModule { return nn::AlphaDropout(0.4); }},
      {"feature_alpha_dropout", plain<nn::FeatureAlphaDropout>},

      {"relu", plain<nn::ReLU>},
      {"relu6", plain<nn::ReLU6>},
      {"selu", plain<nn::SELU>},
      {"silu", plain<nn::SiLU>},
      {"mish", plain<nn::Mish>},
      {"sigmoid", plain<nn::Sigmoid>},
      {"log_sigmoid", plain<nn::LogSigmoid>},
      {"hardsigmoid", plain<nn::Hardsigmoid>},
      {"hardswish", plain<nn::Hardswish>},
      {"tanh", plain<nn::Tanh>},
      {"tanhshrink", plain<nn::Tanhshrink>},
      {"softsign", plain<nn::Softsign>},
      {"elu", plain<nn::ELU>},
      {"elu_alpha", []() -> AnyModule { return nn::ELU(0.5); }},
      {"celu", plain<nn::CELU>},
      {"celu_alpha", []() -> AnyModule { return nn::CELU(2.5); }},
      {"leaky_relu", plain<nn::LeakyReLU>},
      {"leaky_relu_slope", []() -> AnyModule { return nn::LeakyReLU(0.2); }},
      {"hardtanh", plain<nn::Hardtanh>},
      {"hardtanh_bounds", []() -> AnyModule { return nn::Hardtanh(-0.5, 2); }},
      {"softplus", plain<nn::Softplus>},
      {"softplus_options", []() -> AnyModule { return nn::Softplus(2, 1.5); }},
      {"softshrink", plain<nn::Softshrink>},
      {"softshrink_lambda", []() -> AnyModule { return nn::Softshrink(0.25); }},
      {"hardshrink", plain<nn::Hardshrink>},
      {"threshold", []() -> AnyModule { return nn::Threshold(0.5, -2); }},
      {"gelu", plain<nn::GELU>},
      {"gelu_tanh", []() -> AnyModule { return nn::GELU({.tanh_approximation = true}); }},
      {"glu", plain<nn::GLU>},
      {"glu_axis", []() -> AnyModule { return nn::GLU(1); }},
      {"softmax", []() -> AnyModule { return nn::Softmax(1); }},
      {"log_softmax", []() -> AnyModule { return nn::LogSoftmax(-1); }},
      {"softmin", []() -> AnyModule { return nn::Softmin(0); }},
      {"softmax2d", plain<nn::Softmax2d>},
      {"prelu", plain<nn::PReLU>},
      {"prelu_channels", []() -> AnyModule { return nn::PReLU(3, {.init = 0.1}); }},
      {"rrelu", plain<nn::RReLU>},
      {"rrelu_bounds", []() -> AnyModule { return nn::RReLU(0.25, 0.5); }},

      {"embedding", []() -> AnyModule { return nn::Embedding(4, 3); }},
      {"embedding_options", []() -> AnyModule { return nn::Embedding(8, 4, {.padding_idx = -5, .max_norm = 1, .norm_type = 1, .scale_grad_by_freq = true}); }},
      {"embedding_pretrained", []() -> AnyModule { return nn::Embedding::from_pretrained(tensor({{1., 2.}, {3., 4.}}), {.padding_idx = 0, .max_norm = 3}); }},
      {"embedding_bag", []() -> AnyModule { return nn::EmbeddingBag(4, 3); }},
      {"embedding_bag_sum", []() -> AnyModule { return nn::EmbeddingBag(6, 5, {.max_norm = 2, .mode = BagMode::sum, .include_last_offset = true, .padding_idx = 3}); }},
      {"embedding_bag_frequency", []() -> AnyModule { return nn::EmbeddingBag(4, 3, {.scale_grad_by_freq = true, .padding_idx = 1}); }},
      {"embedding_bag_max", []() -> AnyModule { return nn::EmbeddingBag(4, 3, {.mode = BagMode::max}); }},

      {"identity", plain<nn::Identity>},
      {"flatten", plain<nn::Flatten>},
      {"flatten_axes", []() -> AnyModule { return nn::Flatten(0, 1); }},
      {"unflatten", []() -> AnyModule { return nn::Unflatten(1, {2, -1}); }},
      {"pixel_shuffle", []() -> AnyModule { return nn::PixelShuffle(2); }},
      {"pixel_unshuffle", []() -> AnyModule { return nn::PixelUnshuffle(2); }},
      {"channel_shuffle", []() -> AnyModule { return nn::ChannelShuffle(2); }},
      {"unfold", []() -> AnyModule { return nn::Unfold({2, 1}, {.stride = 2, .padding = 1, .dilation = {1, 2}}); }},
      {"fold", []() -> AnyModule { return nn::Fold({3, 4}, 2, {.padding = {0, 1}}); }},
      {"upsample", []() -> AnyModule { return nn::Upsample({.scale = {2}}); }},
      {"upsample_axes", []() -> AnyModule { return nn::Upsample({.scale = {2, 1.5}}); }},
      {"upsample_linear", []() -> AnyModule { return nn::Upsample({.size = 5, .mode = ResizeMode::linear, .align_corners = true}); }},
      {"upsample_exact", []() -> AnyModule { return nn::Upsample({.size = {3, 5}, .mode = ResizeMode::nearest_exact}); }},
      {"constant_pad1d", []() -> AnyModule { return nn::ConstantPad1d(2, 3.5); }},
      {"constant_pad2d", []() -> AnyModule { return nn::ConstantPad2d({1, 0, 0, 2}, -1); }},
      {"constant_pad3d", []() -> AnyModule { return nn::ConstantPad3d({1, 0, 0, 1, 0, -1}, 0.5); }},
      {"zero_pad1d", []() -> AnyModule { return nn::ZeroPad1d({1, 0}); }},
      {"zero_pad2d", []() -> AnyModule { return nn::ZeroPad2d({1, 0, 2, 1}); }},
      {"zero_pad3d", []() -> AnyModule { return nn::ZeroPad3d({1, 0, 2, 1, 0, 1}); }},
      {"reflection_pad1d", []() -> AnyModule { return nn::ReflectionPad1d({1, 0}); }},
      {"reflection_pad2d", []() -> AnyModule { return nn::ReflectionPad2d({1, 0, 2, 1}); }},
      {"reflection_pad3d", []() -> AnyModule { return nn::ReflectionPad3d({1, 0, 2, 1, 0, 1}); }},
      {"reflection_pad2d_all", []() -> AnyModule { return nn::ReflectionPad2d(1); }},
      {"replication_pad1d", []() -> AnyModule { return nn::ReplicationPad1d({1, 0}); }},
      {"replication_pad2d", []() -> AnyModule { return nn::ReplicationPad2d({1, 0, 2, 1}); }},
      {"replication_pad3d", []() -> AnyModule { return nn::ReplicationPad3d({1, 0, 2, 1, 0, 1}); }},
      {"circular_pad1d", []() -> AnyModule { return nn::CircularPad1d({1, 0}); }},
      {"circular_pad2d", []() -> AnyModule { return nn::CircularPad2d({1, 0, 2, 1}); }},
      {"circular_pad3d", []() -> AnyModule { return nn::CircularPad3d({1, 0, 2, 1, 0, 1}); }},

      {"sequential", []() -> AnyModule { return nn::Sequential{nn::Linear(3, 4), nn::ReLU(), nn::Sequential{nn::Linear(4, 2), nn::Dropout(0.5)}}; }},

      {"weight_norm", [] { return weight_normed(nn::Linear(3, 2)); }},
      {"weight_norm_all", [] { return weight_normed(nn::Conv1d(2, 2, {.kernel = 2}), {.axis = {}}); }},
      {"weight_norm_axis", [] { return weight_normed(nn::Conv1d(2, 3, {.kernel = 2, .bias = false}), {.axis = 1}); }},
      {"weight_norm_bias", [] { return weight_normed(nn::Linear(2, 3), {.name = "bias"}); }},
      {"spectral_norm", [] { return spectral_normed(nn::Linear(3, 2)); }},
      {"spectral_norm_conv", [] { return spectral_normed(nn::Conv1d(2, 3, {.kernel = 2}), {.iterations = 3, .eps = 1e-6}); }},
      {"spectral_norm_transposed", [] { return spectral_normed(nn::ConvTranspose1d(2, 3, {.kernel = 2})); }},
      {"parametrization_symmetric",
       []() -> AnyModule {
         nn::Linear m(3, 3);
         nn::register_parametrization(m, "weight", Symmetric());
         return m;
       }},
      {"parametrization_chained",
       []() -> AnyModule {
         nn::Linear m(2, 2);
         nn::weight_norm(m);
         nn::register_parametrization(m, "weight", Symmetric());
         return m;
       }},
  };
  return layers;
}
