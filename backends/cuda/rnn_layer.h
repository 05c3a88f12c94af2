// Whole recurrent layers as calls of a library that keeps weights in a layout of its own. cuDNN is one (rnn.cpp); tests put another one in its place.
//
// A Library is made for one RnnLayerSpec and has
//   weight_bytes(), reserve_bytes()
//   matrix(weights, id), bias(weights, id): where a part lies in the library's memory for weights. Parts count the gates i, f, g, o (or r, z, n, or the one): first
//     those of the input's matrices, [units, features], then those of the state's, [units, state], last the projection, [state, units], without bias
//   forward(in, out, weights, reserve), gradient(in, y, g, gradients, weights, weight_gradients, reserve), which may change reserve
#pragma once

#include "backends/api/kernels/rnn.h"
#include "backends/cuda/kernels/runtime.h"
#include <rill/core/dtype.h>

namespace rill::RILL_GPU {

/// Rows of one of the parameters, and the number of the library's part for them.
struct RnnPart {
  int id;
  void* RnnInputs::*matrix;
  void* RnnInputs::*bias;  // null: none
  std::int64_t first, rows, columns;
};
template <class F> void for_each_part(const RnnLayerSpec& l, const F& f) {
  const int gates = gates_of(l.cell);
  for (int g = 0; g < gates; ++g) {
    const std::int64_t first = l.block[static_cast<std::size_t>(g)] * l.units;
    f(RnnPart{g, &RnnInputs::ih, &RnnInputs::bias_ih, first, l.units, l.features});
    f(RnnPart{gates + g, &RnnInputs::hh, &RnnInputs::bias_hh, first, l.units, l.state});
  }
  if (l.state < l.units) f(RnnPart{2 * gates, &RnnInputs::hr, nullptr, 0, l.state, l.units});
}

template <class Library> class WholeLayers {
 public:
  static void fill(RnnKernels& k) { k.whole_rnn = {&reserve, &forward, &gradient}; }

 private:
  static std::int64_t reserve(const RnnLayerSpec& l) { return Library(l).reserve_bytes(); }
  static void forward(const RnnLayerSpec& l, const RnnInputs& in, const RnnOutputs& out, void* reserve) {
    Library library(l);
    const Scratch weights(library.weight_bytes());
    pack(library, l, in, weights.as<void>());
    library.forward(in, out, weights.as<void>(), reserve);
  }
  static void gradient(const RnnLayerSpec& l, const RnnInputs& in, const void* y, const RnnOutputs& g, const void* reserve, const RnnInputs& gradients) {
    Library library(l);
    const Scratch weights(library.weight_bytes()), of_weights(library.weight_bytes()), spent(library.reserve_bytes());
    pack(library, l, in, weights.as<void>());
    clear(of_weights.as<void>(), library.weight_bytes());  // gradients are added to it
    copy_on_device(spent.as<void>(), reserve, library.reserve_bytes());
    library.gradient(in, y, g, gradients, weights.as<void>(), of_weights.as<void>(), spent.as<void>());
    const auto size = static_cast<std::int64_t>(size_of(l.dtype));
    for_each_part(l, [&](const RnnPart& p) {
      if (void* to = gradients.*p.matrix) copy_on_device(static_cast<char*>(to) + p.first * p.columns * size, library.matrix(of_weights.as<void>(), p.id), p.rows * p.columns * size);
      if (void* to = p.bias ? gradients.*p.bias : nullptr) copy_on_device(static_cast<char*>(to) + p.first * size, library.bias(of_weights.as<void>(), p.id), p.rows * size);
    });
  }
  static void pack(Library& library, const RnnLayerSpec& l, const RnnInputs& in, void* weights) {
    clear(weights, library.weight_bytes());  // biases that are not there are 0
    const auto size = static_cast<std::int64_t>(size_of(l.dtype));
    for_each_part(l, [&](const RnnPart& p) {
      copy_on_device(library.matrix(weights, p.id), static_cast<const char*>(in.*p.matrix) + p.first * p.columns * size, p.rows * p.columns * size);
      if (const void* from = p.bias ? in.*p.bias : nullptr) copy_on_device(library.bias(weights, p.id), static_cast<const char*>(from) + p.first * size, p.rows * size);
    });
  }
};

}  // namespace rill::RILL_GPU
