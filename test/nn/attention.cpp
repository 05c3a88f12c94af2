// MultiheadAttention and transformers.
#include <rill/nn/attention.h>

#include <cmath>

#include <rill/nn/print.h>
#include <rill/nn/transformer.h>
#include <rill/ops/random.h>

#include "test/support/derivative_goldens.h"
#include "test/support/message.h"
#include "test/support/put_parameters.h"

using namespace rill;

namespace {

const Options kDouble{.dtype = float64};

nn::MultiheadAttention attention(const Golden& g, std::size_t k) {
  const auto size = [&](std::size_t i) { return g.integer(k + i) ? std::optional(g.integer(k + i)) : std::nullopt; };
  return {g.integer(k), g.integer(k + 1), {.bias = g.integer(k + 2) == 1, .add_bias_kv = g.integer(k + 3) == 1, .add_zero_attn = g.integer(k + 4) == 1, .kdim = size(5), .vdim = size(6),
                                           .batch_first = g.integer(k + 7) == 1, .tensor = kDouble}};
}
nn::TransformerLayerOptions layer_options(const Golden& g, std::size_t k) {
  return {.dim_feedforward = g.integer(k + 2), .dropout = 0, .activation = static_cast<nn::TransformerActivation>(g.integer(k + 3)), .batch_first = g.integer(k + 6) == 1,
          .norm_first = g.integer(k + 4) == 1, .bias = g.integer(k + 5) == 1, .tensor = kDouble};
}
template <class L> L layer(const Golden& g, std::size_t k = 0) { return {g.integer(k), g.integer(k + 1), layer_options(g, k)}; }
nn::TransformerEncoder encoder(const Golden& g, std::size_t k = 0) { return {layer<nn::TransformerEncoderLayer>(g, k), 2, nn::LayerNorm({g.integer(k)}, {.tensor = kDouble})}; }
nn::TransformerDecoder decoder(const Golden& g) { return {layer<nn::TransformerDecoderLayer>(g), 2}; }
nn::Transformer transformer(const Golden& g, std::size_t k = 0) {
  return nn::Transformer({.d_model = g.integer(k), .nhead = g.integer(k + 1), .num_encoder_layers = 2, .num_decoder_layers = 1, .layer = layer_options(g, k)});
}

/// The module with the state of the line, which follows `count` tensors.
template <class M> M filled(M m, const Golden& g, const List& x, std::size_t count) {
  put_parameters(m, text::split(g.arguments.at(g.arguments.size() - 2), ','), std::span(x).subspan(count));
  return m;
}
template <class M> List run_encoder(M m, const Golden& g, const List& x) { return {filled(std::move(m), g, x, 3)(x[0], {.mask = optional(x[1]), .src_key_padding_mask = optional(x[2])})}; }
template <class M> List run_decoder(M m, const Golden& g, const List& x) {
  return {filled(std::move(m), g, x, 6)(x[0], x[1], {.tgt_mask = optional(x[2]), .memory_mask = optional(x[3]), .tgt_key_padding_mask = optional(x[4]), .memory_key_padding_mask = optional(x[5])})};
}

const std::map<std::string, RunGolden> kModules = {
    {"MultiheadAttention",
     [](auto& g, auto& x) -> List {
       const auto m = filled(attention(g, 0), g, x, 5);
       const bool self = g.integer(8) == 1;
       const auto [output, weights] = m(x[0], self ? x[0] : x[1], self ? x[0] : x[2],
                                        {.key_padding_mask = optional(x[3]), .need_weights = g.integer(9) == 1, .attn_mask = optional(x[4]), .average_attn_weights = g.integer(10) == 1});
       return weights.defined() ? List{output, weights} : List{output};
     }},
    {"TransformerEncoderLayer", [](auto& g, auto& x) { return run_encoder(layer<nn::TransformerEncoderLayer>(g), g, x); }},
    {"TransformerDecoderLayer", [](auto& g, auto& x) { return run_decoder(layer<nn::TransformerDecoderLayer>(g), g, x); }},
    {"TransformerEncoder", [](auto& g, auto& x) { return run_encoder(encoder(g), g, x); }},
    {"TransformerDecoder", [](auto& g, auto& x) { return run_decoder(decoder(g), g, x); }},
    {"Transformer",
     [](auto& g, auto& x) -> List {
       const auto m = filled(transformer(g), g, x, 4);
       return {m(x[0], x[1], {.tgt_mask = optional(x[2]), .src_key_padding_mask = optional(x[3]), .memory_key_padding_mask = optional(x[3])})};
     }},
    {"start",
     [](auto& g, auto&) {
       const GeneratorScope scope(Generator::torch_compatible(static_cast<std::uint64_t>(g.integer(1))));
       const std::string& kind = g.arguments.at(0);
       return kind == "MultiheadAttention" ? attention(g, 2).parameters() : kind == "Transformer" ? transformer(g, 2).parameters() : encoder(g, 2).parameters();
     }},
};

}  // namespace

TEST_CASE("attention and transformer modules agree with PyTorch: names, start, values, gradients", "[nn][attention]") {
  check_goldens(RILL_SOURCE_DIR "/test/nn/attention_goldens.txt", kModules);
}

TEST_CASE("is_causal blocks what comes later, besides the masks", "[nn][attention]") {
  const nn::MultiheadAttention m(4, 2, {.batch_first = true});
  const Tensor x = rill::rand({2, 3, 4}), later = logical_not(causal_mask(3, 3)), padding = tensor({{false, true, false}, {false, false, false}});
  const auto causal = m(x, x, x, {.is_causal = true}), masked = m(x, x, x, {.attn_mask = later});
  CHECK(equal(causal.output, masked.output));
  CHECK(equal(causal.weights, masked.weights));
  CHECK(equal(m(x, x, x, {.attn_mask = later, .is_causal = true}).output, masked.output));
  const auto both = m(x, x, x, {.key_padding_mask = padding, .is_causal = true});
  CHECK(equal(both.weights(0, 2, 1), tensor(0.f)));
  CHECK(both.weights(0, 1, 0).item<double>() == Approx(1));
  CHECK(allclose(both.output, m(x, x, x, {.key_padding_mask = padding, .attn_mask = later}).output));
  CHECK(allclose(both.output, m(x, x, x, {.key_padding_mask = padding, .attn_mask = nn::Transformer::generate_square_subsequent_mask(3)}).output, 1e-5, 1e-6));
  const auto none = m(x, x, x, {.key_padding_mask = full({2, 3}, true)});
  CHECK(equal(none.weights, zeros({2, 3, 3})));
  CHECK(allclose(none.output, m.out_proj.bias.expand({2, 3, 4})));
}

TEST_CASE("weights of attention are dropped in training only", "[nn][attention]") {
  manual_seed(8);
  nn::MultiheadAttention m(4, 2, {.dropout = 0.5});
  const Tensor x = rill::rand({6, 2, 4});
  CHECK_FALSE(equal(m(x, x, x).output, m(x, x, x).output));
  m.eval();
  CHECK(equal(m(x, x, x).output, m(x, x, x).output));
  CHECK(allclose(sum(m(x, x, x).weights, {-1}), ones({2, 6})));
  nn::TransformerEncoderLayer layer(4, 2, {.dim_feedforward = 8});
  CHECK(layer.dropout.p == 0.1);
  CHECK_FALSE(equal(layer(x), layer(x)));
  layer.eval();
  CHECK(equal(layer(x), layer(x)));
}

TEST_CASE("transformers have PyTorch's defaults, are complete and print as theirs", "[nn][transformer]") {
  CHECK(nn::TransformerLayerOptions().dim_feedforward == 2048);
  CHECK(nn::TransformerOptions().d_model == 512);
  const nn::TransformerEncoderLayer layer(4, 2, {.dim_feedforward = 3});
  CHECK(to_string(layer) == R"(TransformerEncoderLayer(
  (self_attn): MultiheadAttention(
    (out_proj): Linear(in_features=4, out_features=4, bias=True)
  )
  (linear1): Linear(in_features=4, out_features=3, bias=True)
  (dropout): Dropout(p=0.1, inplace=False)
  (linear2): Linear(in_features=3, out_features=4, bias=True)
  (norm1): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)
  (norm2): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)
  (dropout1): Dropout(p=0.1, inplace=False)
  (dropout2): Dropout(p=0.1, inplace=False)
))");
  const nn::MultiheadAttention attention(4, 2), first(4, 2, {.batch_first = true});
  CHECK(attention.flops(ones({3, 2, 4}), {}) + attention.out_proj.flops(ones({3, 2, 4}), ones({3, 2, 4})) == 1056);  // torch.utils.flop_counter
  CHECK(first.flops(ones({2, 3, 4}), {}) == 1056 - 192);
  const nn::TransformerEncoder stack(layer, 2);
  CHECK_FALSE(stack.layers[0].linear1.weight.shares_storage(stack.layers[1].linear1.weight));
  CHECK(equal(stack.layers[0].linear1.weight, stack.layers[1].linear1.weight));
  nn::check_parts(stack), nn::check_parts(nn::MultiheadAttention(4, 2, {.add_bias_kv = true, .kdim = 3})), nn::check_parts(nn::TransformerDecoderLayer(4, 2, {.dim_feedforward = 3}));
  CHECK(nn::TransformerEncoder(layer, 0)(ones({2, 4})).shape() == Shape{2, 4});
}

TEST_CASE("positions are sines and cosines of geometric frequencies", "[nn][transformer]") {
  const Tensor p = nn::sinusoidal_positions(5, 6, kDouble);
  for (int t = 0; t < 5; ++t)
    for (int i = 0; i < 6; ++i) {
      const double angle = t / std::pow(10000.0, (i - i % 2) / 6.0);
      CHECK(p(t, i).item<double>() == Approx(i % 2 ? std::cos(angle) : std::sin(angle)).margin(1e-15));
    }
  CHECK(nn::sinusoidal_positions(2, 2).dtype() == float32);
}

TEST_CASE("attention and transformer modules say what is wrong", "[nn][attention]") {
  CHECK(MESSAGE(ValueError, nn::MultiheadAttention(4, 3)) == "MultiheadAttention: embed_dim 4 cannot be split into 3 heads; use a divisor");
  CHECK(MESSAGE(ValueError, nn::MultiheadAttention(0, 1)) == "MultiheadAttention: embed_dim is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::MultiheadAttention(4, 0)) == "MultiheadAttention: num_heads is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::MultiheadAttention(4, 2, {.dropout = -1})) == "MultiheadAttention: the probability -1 is outside [0, 1]");
  CHECK(MESSAGE(ValueError, nn::MultiheadAttention(4, 2, {.kdim = 0})) == "MultiheadAttention: kdim is 0; it must be at least 1");
  const nn::MultiheadAttention m(4, 2), other(4, 2, {.kdim = 3, .batch_first = true});
  const Tensor q = zeros({5, 2, 4}), k = zeros({6, 2, 4});
  const std::string at = " (in MultiheadAttention)", op = "MultiheadAttention: ";
  CHECK(MESSAGE(ValueError, m(q, k, {})) == op + "the value is undefined; pass a tensor with values" + at);
  CHECK(MESSAGE(ShapeError, m(zeros({4}), k, k)) == op + "the query float32 [4] has rank 1; expected [L, N, E], or [L, E] without a batch" + at);
  CHECK(MESSAGE(ShapeError, other(zeros({4}), k, k)) == op + "the query float32 [4] has rank 1; expected [N, L, E], or [L, E] without a batch" + at);
  CHECK(MESSAGE(ShapeError, m(q, zeros({6, 4}), k)) == op + "the key float32 [6, 4] has rank 2, the query float32 [5, 2, 4]" + at);
  CHECK(MESSAGE(ShapeError, m(zeros({5, 2, 3}), k, k)) == op + "the query float32 [5, 2, 3] has 3 features, expected 4" + at);
  CHECK(MESSAGE(ShapeError, other(q, k, k)) == op + "the key float32 [6, 2, 4] has 4 features, expected 3" + at);
  CHECK(MESSAGE(ShapeError, m(q, zeros({6, 3, 4}), k)) == op + "batches differ: query float32 [5, 2, 4], key float32 [6, 3, 4], value float32 [6, 2, 4]" + at);
  CHECK(MESSAGE(ShapeError, m(q, k, zeros({7, 2, 4}))) == op + "the key float32 [6, 2, 4] and the value float32 [7, 2, 4] have different lengths" + at);
  CHECK(MESSAGE(ShapeError, m(q, k, k, {.attn_mask = zeros({6, 5})})) == op + "attn_mask has shape [6, 5], expected [5, 6] or [4, 5, 6]" + at);
  CHECK(MESSAGE(ShapeError, m(q, k, k, {.key_padding_mask = zeros({6, 2})})) == op + "key_padding_mask has shape [6, 2], expected [2, 6]" + at);
  CHECK(MESSAGE(DtypeError, m(q, k, k, {.attn_mask = zeros({5, 6}, {.dtype = int64})})) == op + "attn_mask is int64 [5, 6]; expected bool (true is blocked) or a floating dtype (added)" + at);
  CHECK(MESSAGE(ValueError, nn::TransformerEncoder(nn::TransformerEncoderLayer(4, 2, {.dim_feedforward = 2}), -1)) == "TransformerEncoder: num_layers is -1; it may not be negative");
  CHECK(MESSAGE(ValueError, nn::TransformerEncoderLayer(4, 2, {.dim_feedforward = 0})) == "Linear: sizes are 4 in and 0 out; both must be at least 1");
  CHECK(MESSAGE(ValueError, nn::sinusoidal_positions(0, 2)) == "sinusoidal_positions: length is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::sinusoidal_positions(2, 3)) == "sinusoidal_positions: features is 3; it must be even and at least 2");
}
