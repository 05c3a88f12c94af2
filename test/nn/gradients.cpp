// Gradients of the modules that test/nn/layer_goldens.cpp does not hold: recurrent layers, cells, attention, transformers.
#include "test/support/catch.h"

#include <rill/autograd/gradcheck.h>
#include <rill/core/random.h>
#include <rill/nn/cell_wrappers.h>
#include <rill/nn/dynamic_rnn.h>
#include <rill/nn/rnn_cell.h>
#include <rill/nn/tf_cells.h>
#include <rill/nn/transformer.h>
#include <rill/ops/create.h>
#include <rill/ops/random.h>
#include <rill/ops/shape.h>

#include "test/support/names.h"
#include "test/support/put_parameters.h"

using namespace rill;

namespace {

using List = std::vector<Tensor>;
const Options kDouble{.dtype = float64};

Tensor input(const Shape& shape) { return randn(shape, kDouble); }
/// All elements of the tensors side by side: gradcheck takes one output.
Tensor joined(const List& tensors) {
  List flat;
  for (const Tensor& t : tensors) flat.push_back(t.reshape({-1}));
  return cat(flat);
}

/// With respect to the inputs and every parameter. run(module, inputs) may draw random numbers.
template <class M, class F> void check(const char* name, M m, List inputs, F run) {
  INFO(name);
  const std::size_t given = inputs.size();
  const auto parameters = names(m.named_parameters());
  for (const Tensor& p : m.parameters()) inputs.push_back(p.detach().clone());
  for (Tensor& t : inputs) t.requires_grad_();
  const auto f = [&](const List& x) -> Tensor {
    const GeneratorScope scope(Generator(7));
    M copy = m;
    put_parameters(copy, parameters, std::span(x).subspan(given));
    return run(copy, x);
  };
  CHECK(gradcheck(f, inputs).message == "");
}

}  // namespace

TEST_CASE("recurrent layers and cells have right gradients", "[nn][gradients]") {
  manual_seed(3);
  const Tensor x = input({4, 2, 3});
  check("RNN", nn::RNN(3, 2, {.nonlinearity = RnnNonlinearity::tanh, .bidirectional = true, .tensor = kDouble}), {x, input({2, 2, 2})}, [](const nn::RNN& m, const List& x) {
    const auto [y, h] = m(x[0], {.initial = x[1], .lengths = {4, 2}});
    return joined({y, h});
  });
  check("GRU", nn::GRU(3, 2, {.num_layers = 2, .dropout = 0.5, .tensor = kDouble}), {x, input({2, 2, 2})}, [](const nn::GRU& m, const List& x) {
    const auto [y, h] = m(x[0], {.initial = x[1], .lengths = {1, 4}});
    return joined({y, h});
  });
  check("LSTM", nn::LSTM(3, 3, {.num_layers = 2, .batch_first = true, .bidirectional = true, .proj_size = 1, .tensor = kDouble}), {x}, [](const nn::LSTM& m, const List& x) {
    const auto [y, state] = m(x[0], {.lengths = {2, 1, 0, 2}});
    return joined({y, state.h, state.c});
  });
  check("RNNCell", nn::RNNCell(3, 2, {.tensor = kDouble}), {input({2, 3}), input({2, 2})}, [](const nn::RNNCell& m, const List& x) { return m(x[0], x[1]); });
  check("GRUCell", nn::GRUCell(3, 2, {.tensor = kDouble}), {input({2, 3}), input({2, 2})}, [](const nn::GRUCell& m, const List& x) { return m(x[0], x[1]); });
  check("LSTMCell", nn::LSTMCell(3, 2, {.tensor = kDouble}), {input({2, 3}), input({2, 2}), input({2, 2})}, [](const nn::LSTMCell& m, const List& x) {
    const auto [h, c] = m(x[0], {x[1], x[2]});
    return joined({h, c});
  });
}

TEST_CASE("TensorFlow's cells and wrappers have right gradients over sequences", "[nn][gradients]") {
  manual_seed(4);
  const auto run = [](const nn::Cell& cell, const List& x) {
    const auto [y, state] = nn::dynamic_rnn(cell, x[0], {.lengths = {3, 1}});
    List all{y};
    all.insert(all.end(), state.begin(), state.end());
    return joined(all);
  };
  const Tensor x = input({2, 3, 3});
  check("BasicRNNCell", nn::tf::BasicRNNCell(3, 2, {.tensor = kDouble}), {x}, run);
  check("GRUCell", nn::tf::GRUCell(3, 2, {.tensor = kDouble}), {x}, run);
  check("BasicLSTMCell", nn::tf::BasicLSTMCell(3, 2, {.tensor = kDouble}), {x}, run);
  check("LSTMCell", nn::tf::LSTMCell(3, 2, {.use_peepholes = true, .num_proj = 1, .tensor = kDouble}), {x}, run);
  check("wrapped",
        nn::MultiRNNCell({nn::DropoutWrapper(nn::tf::BasicLSTMCell(3, 2, {.tensor = kDouble}), {.output_keep_prob = 0.5, .state_keep_prob = 0.5, .mask = nn::DropoutMask::per_sequence}),
                          nn::tf::GRUCell(2, 2, {.tensor = kDouble})}),
        {x}, run);
}

TEST_CASE("attention and transformers have right gradients", "[nn][gradients]") {
  manual_seed(5);
  const nn::TransformerLayerOptions layer{.dim_feedforward = 3, .activation = nn::TransformerActivation::gelu, .batch_first = true, .tensor = kDouble};
  nn::TransformerLayerOptions first = layer;
  first.norm_first = true;
  const Tensor q = input({2, 3, 4}), k = input({2, 2, 4});
  check("MultiheadAttention", nn::MultiheadAttention(4, 2, {.dropout = 0.5, .add_bias_kv = true, .kdim = 3, .batch_first = true, .tensor = kDouble}), {q, input({2, 2, 3}), k},
        [](const nn::MultiheadAttention& m, const List& x) {
          const auto [y, weights] = m(x[0], x[1], x[2], {.key_padding_mask = tensor({{false, true}, {false, false}})});
          return joined({y, weights});
        });
  check("TransformerEncoder", nn::TransformerEncoder(nn::TransformerEncoderLayer(4, 2, layer), 2, nn::LayerNorm({4}, {.tensor = kDouble})), {q},
        [](const nn::TransformerEncoder& m, const List& x) { return m(x[0], {.is_causal = true}); });
  check("TransformerDecoder", nn::TransformerDecoder(nn::TransformerDecoderLayer(4, 2, first), 1), {q, k},
        [](const nn::TransformerDecoder& m, const List& x) { return m(x[0], x[1], {.tgt_is_causal = true}); });
  check("Transformer", nn::Transformer({.d_model = 2, .nhead = 1, .num_encoder_layers = 1, .num_decoder_layers = 1, .layer = first}), {input({1, 2, 2}), input({1, 3, 2})},
        [](const nn::Transformer& m, const List& x) { return m(x[0], x[1]); });
}
