// Transformers (Vaswani et al. 2017) with PyTorch's names, start and defaults. Tensors are [L, N, E], [N, L, E] with batch_first, or [L, E]
// without a batch. Masks are those of MultiheadAttention: boolean true is blocked, floating ones are added.
#pragma once

#include <optional>
#include <vector>

#include <rill/nn/attention.h>
#include <rill/nn/dropout.h>
#include <rill/nn/norm.h>

namespace rill::nn {

enum class TransformerActivation : std::uint8_t { relu, gelu };

struct TransformerLayerOptions {
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  TransformerActivation activation = TransformerActivation::relu;
  double layer_norm_eps = 1e-5;
  bool batch_first = false;
  bool norm_first = false;   ///< normalises what goes into a block instead of what comes out
  bool bias = true;          ///< of projections and norms
  Options tensor = {};
};

struct EncoderCall {
  Tensor mask = {};                   ///< [L, L] or [N * heads, L, L]
  Tensor src_key_padding_mask = {};   ///< [N, L]
  bool is_causal = false;             ///< blocks what comes later, besides the masks
};
/// x = norm1(x + self_attn(x)); x = norm2(x + linear2(f(linear1(x)))), with dropout in both sums and between the linear layers.
class TransformerEncoderLayer : public Module {
 public:
  TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead, const TransformerLayerOptions& options = {});
  Tensor operator()(const Tensor& src, const EncoderCall& options = {}) const;
  void parts(Parts& p) override;

  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;
  TransformerActivation activation;
  bool norm_first;
};

struct DecoderCall {
  Tensor tgt_mask = {}, memory_mask = {};                             ///< [T, T], [T, S]; or [N * heads, ..]
  Tensor tgt_key_padding_mask = {}, memory_key_padding_mask = {};     ///< [N, T], [N, S]
  bool tgt_is_causal = false, memory_is_causal = false;
};
/// As the encoder's layer, with attention to the encoder's output (`memory`) in the middle.
class TransformerDecoderLayer : public Module {
 public:
  TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead, const TransformerLayerOptions& options = {});
  Tensor operator()(const Tensor& tgt, const Tensor& memory, const DecoderCall& options = {}) const;
  void parts(Parts& p) override;

  MultiheadAttention self_attn, multihead_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2, norm3;
  Dropout dropout1, dropout2, dropout3;
  TransformerActivation activation;
  bool norm_first;
};

/// Copies of a layer, which all start with its weights, and a norm at the end.
class TransformerEncoder : public Module {
 public:
  /// ValueError for num_layers below 0.
  TransformerEncoder(const TransformerEncoderLayer& layer, std::int64_t num_layers, std::optional<LayerNorm> norm = {});
  Tensor operator()(const Tensor& src, const EncoderCall& options = {}) const;
  void parts(Parts& p) override { p("layers", layers)("norm", norm); }

  std::vector<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;
};
class TransformerDecoder : public Module {
 public:
  TransformerDecoder(const TransformerDecoderLayer& layer, std::int64_t num_layers, std::optional<LayerNorm> norm = {});
  Tensor operator()(const Tensor& tgt, const Tensor& memory, const DecoderCall& options = {}) const;
  void parts(Parts& p) override { p("layers", layers)("norm", norm); }

  std::vector<TransformerDecoderLayer> layers;
  std::optional<LayerNorm> norm;
};

struct TransformerOptions {
  std::int64_t d_model = 512, nhead = 8;
  std::int64_t num_encoder_layers = 6, num_decoder_layers = 6;
  TransformerLayerOptions layer = {};
};
struct TransformerCall {
  Tensor src_mask = {}, tgt_mask = {}, memory_mask = {};
  Tensor src_key_padding_mask = {}, tgt_key_padding_mask = {}, memory_key_padding_mask = {};
  bool src_is_causal = false, tgt_is_causal = false, memory_is_causal = false;
};
/// Encoder and decoder. Every matrix starts as xavier_uniform.
class Transformer : public Module {
 public:
  explicit Transformer(const TransformerOptions& options = {});
  Tensor operator()(const Tensor& src, const Tensor& tgt, const TransformerCall& options = {}) const;
  void parts(Parts& p) override { p("encoder", encoder)("decoder", decoder); }
  /// [n, n] to be added: 0 up to the diagonal, -inf behind it.
  static Tensor generate_square_subsequent_mask(std::int64_t n, const Options& options = {});

  TransformerEncoder encoder;
  TransformerDecoder decoder;
};

/// What a model adds to its embeddings to know positions: [length, features] with sin(p / 10000^(i / features)) on even places i and the cosine of
/// the same angle on the odd one behind. ValueError for sizes below 1 and an odd number of features.
Tensor sinusoidal_positions(std::int64_t length, std::int64_t features, const Options& options = {});

}  // namespace rill::nn
