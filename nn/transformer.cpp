#include <rill/nn/transformer.h>

#include <cmath>
#include <limits>

#include <rill/nn/init.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "nn/arguments.h"

namespace rill::nn {
namespace {

MultiheadAttentionOptions attention_options(const TransformerLayerOptions& o) { return {.dropout = o.dropout, .bias = o.bias, .batch_first = o.batch_first, .tensor = o.tensor}; }
LinearOptions linear_options(const TransformerLayerOptions& o) { return {.bias = o.bias, .tensor = o.tensor}; }
LayerNorm norm_of(std::int64_t d_model, const TransformerLayerOptions& o) { return LayerNorm({d_model}, {.eps = o.layer_norm_eps, .bias = o.bias, .tensor = o.tensor}); }

Tensor activate(TransformerActivation f, const Tensor& x) { return f == TransformerActivation::relu ? relu(x) : gelu(x); }

/// norm(x + block(x)), or x + block(norm(x)).
template <class Block> Tensor residual(const Tensor& x, const LayerNorm& norm, bool norm_first, Block block) { return norm_first ? x + block(norm(x)) : norm(x + block(x)); }

/// linear2(f(linear1(x))) of either kind of layer.
template <class L> Tensor feed_forward(const L& layer, const Tensor& x) { return layer.linear2(layer.dropout(activate(layer.activation, layer.linear1(x)))); }

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t d, std::int64_t heads, const TransformerLayerOptions& o)
    : self_attn(d, heads, attention_options(o)), linear1(d, o.dim_feedforward, linear_options(o)), dropout(o.dropout), linear2(o.dim_feedforward, d, linear_options(o)),
      norm1(norm_of(d, o)), norm2(norm_of(d, o)), dropout1(o.dropout), dropout2(o.dropout), activation(o.activation), norm_first(o.norm_first) {}
void TransformerEncoderLayer::parts(Parts& p) {
  p("self_attn", self_attn)("linear1", linear1)("dropout", dropout)("linear2", linear2)("norm1", norm1)("norm2", norm2)("dropout1", dropout1)("dropout2", dropout2);
}
Tensor TransformerEncoderLayer::operator()(const Tensor& src, const EncoderCall& o) const {
  return call(src, [&](const Tensor& src) {
    const AttentionCall how{.key_padding_mask = o.src_key_padding_mask, .need_weights = false, .attn_mask = o.mask, .is_causal = o.is_causal};
    const Tensor x = residual(src, norm1, norm_first, [&](const Tensor& x) { return dropout1(self_attn(x, x, x, how).output); });
    return residual(x, norm2, norm_first, [&](const Tensor& x) { return dropout2(feed_forward(*this, x)); });
  });
}

TransformerDecoderLayer::TransformerDecoderLayer(std::int64_t d, std::int64_t heads, const TransformerLayerOptions& o)
    : self_attn(d, heads, attention_options(o)), multihead_attn(d, heads, attention_options(o)), linear1(d, o.dim_feedforward, linear_options(o)), dropout(o.dropout),
      linear2(o.dim_feedforward, d, linear_options(o)), norm1(norm_of(d, o)), norm2(norm_of(d, o)), norm3(norm_of(d, o)), dropout1(o.dropout), dropout2(o.dropout), dropout3(o.dropout),
      activation(o.activation), norm_first(o.norm_first) {}
void TransformerDecoderLayer::parts(Parts& p) {
  p("self_attn", self_attn)("multihead_attn", multihead_attn)("linear1", linear1)("dropout", dropout)("linear2", linear2);
  p("norm1", norm1)("norm2", norm2)("norm3", norm3)("dropout1", dropout1)("dropout2", dropout2)("dropout3", dropout3);
}
Tensor TransformerDecoderLayer::operator()(const Tensor& tgt, const Tensor& memory, const DecoderCall& o) const {
  return call(tgt, [&](const Tensor& tgt) {
    const AttentionCall own{.key_padding_mask = o.tgt_key_padding_mask, .need_weights = false, .attn_mask = o.tgt_mask, .is_causal = o.tgt_is_causal};
    const AttentionCall other{.key_padding_mask = o.memory_key_padding_mask, .need_weights = false, .attn_mask = o.memory_mask, .is_causal = o.memory_is_causal};
    Tensor x = residual(tgt, norm1, norm_first, [&](const Tensor& x) { return dropout1(self_attn(x, x, x, own).output); });
    x = residual(x, norm2, norm_first, [&](const Tensor& x) { return dropout2(multihead_attn(x, memory, memory, other).output); });
    return residual(x, norm3, norm_first, [&](const Tensor& x) { return dropout3(feed_forward(*this, x)); });
  });
}

namespace {
std::size_t checked_layers(const char* module, std::int64_t n) {
  check<ValueError>(n >= 0, module, "num_layers is {}; it may not be negative", n);
  return static_cast<std::size_t>(n);
}
}  // namespace

TransformerEncoder::TransformerEncoder(const TransformerEncoderLayer& layer, std::int64_t n, std::optional<LayerNorm> end) : layers(checked_layers("TransformerEncoder", n), layer), norm(std::move(end)) {}
Tensor TransformerEncoder::operator()(const Tensor& src, const EncoderCall& o) const {
  return call(src, [&](Tensor x) {
    for (const auto& layer : layers) x = layer(x, o);
    return norm ? (*norm)(x) : x;
  });
}
TransformerDecoder::TransformerDecoder(const TransformerDecoderLayer& layer, std::int64_t n, std::optional<LayerNorm> end) : layers(checked_layers("TransformerDecoder", n), layer), norm(std::move(end)) {}
Tensor TransformerDecoder::operator()(const Tensor& tgt, const Tensor& memory, const DecoderCall& o) const {
  return call(tgt, [&](Tensor x) {
    for (const auto& layer : layers) x = layer(x, memory, o);
    return norm ? (*norm)(x) : x;
  });
}

Transformer::Transformer(const TransformerOptions& o)
    : encoder(TransformerEncoderLayer(o.d_model, o.nhead, o.layer), o.num_encoder_layers, norm_of(o.d_model, o.layer)),
      decoder(TransformerDecoderLayer(o.d_model, o.nhead, o.layer), o.num_decoder_layers, norm_of(o.d_model, o.layer)) {
  for (const Tensor& p : parameters())
    if (p.dim() > 1) init::xavier_uniform_(p);
}
Tensor Transformer::operator()(const Tensor& src, const Tensor& tgt, const TransformerCall& o) const {
  return call(src, [&](const Tensor& src) {
    const Tensor memory = encoder(src, {o.src_mask, o.src_key_padding_mask, o.src_is_causal});
    return decoder(tgt, memory, {o.tgt_mask, o.memory_mask, o.tgt_key_padding_mask, o.memory_key_padding_mask, o.tgt_is_causal, o.memory_is_causal});
  });
}
Tensor Transformer::generate_square_subsequent_mask(std::int64_t n, const Options& options) {
  return where(causal_mask(n, n, options.device), zeros({}, options), -std::numeric_limits<double>::infinity());
}

Tensor sinusoidal_positions(std::int64_t length, std::int64_t features, const Options& options) {
  constexpr const char* op = "sinusoidal_positions";
  check_size(op, "length", length);
  check<ValueError>(features >= 2 && features % 2 == 0, op, "features is {}; it must be even and at least 2", features);
  const Options wide{.dtype = float64, .device = options.device};
  const Tensor rates = exp(arange(features / 2, wide) * (-2 * std::log(10000.0) / static_cast<double>(features))), angles = arange(length, wide).unsqueeze(1) * rates;
  return flatten(stack({sin(angles), cos(angles)}, -1), 1, 2).to(options.dtype.value_or(default_dtype()));
}

}  // namespace rill::nn
