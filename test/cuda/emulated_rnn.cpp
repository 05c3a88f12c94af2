// The library behind whole recurrent layers (backends/cuda/rnn_layer.h) on made-up devices: the formulas of cuDNN's reference, part by part, in double;
// states of 16 bits are rounded after each step.
#include <rill/rill.h>

#include <algorithm>
#include <cstring>

#include "backends/cuda/kernels/launch.h"
#include "backends/cuda/rnn_layer.h"
#include "lib/core/check.h"
#include "lib/core/tensor_impl.h"

namespace rill::emulated {
namespace {

struct Unlocked {
  Unlocked() { enter_device(); }
  ~Unlocked() { leave_device(); }
};

class HostRnn {
 public:
  explicit HostRnn(const RnnLayerSpec& l) : l_(l), gates_(gates_of(l.cell)), parts_(2 * gates_ + (l.state < l.units)) {}
  std::int64_t weight_bytes() const { return place(0, true) + rows(0) * size(); }
  std::int64_t reserve_bytes() const { return sizeof kKept; }
  void* matrix(void* weights, int id) const { return static_cast<char*>(weights) + place(id, false); }
  void* bias(void* weights, int id) const { return static_cast<char*>(weights) + place(id, true); }

  void forward(const RnnInputs& in, const RnnOutputs& out, void* weights, void* reserve) {
    if (capturing()) return record([self = *this, in, out, weights, reserve]() mutable { self.forward(in, out, weights, reserve); });
    const Unlocked here;
    const Results r = run(inputs(in), parts(weights));
    write(r.y, out.y), write(r.h, out.h);
    if (is_lstm()) write(r.c, out.c);
    if (reserve) std::memcpy(reserve, &kKept, sizeof kKept);
  }
  void gradient(const RnnInputs& in, const void*, const RnnOutputs& g, const RnnInputs& gradients, void* weights, void* weight_gradients, void* reserve) {
    if (capturing()) return record([self = *this, in, g, gradients, weights, weight_gradients, reserve]() mutable { self.gradient(in, nullptr, g, gradients, weights, weight_gradients, reserve); });
    const Unlocked here;
    std::int64_t kept = 0;
    std::memcpy(&kept, reserve, sizeof kept);
    check<Internal>(kept == kKept, "rnn", "the backward pass got a reserve that is spent");
    std::memset(reserve, 0, sizeof kept);
    const EnableGrad on;
    std::vector<Tensor> leaves = inputs(in), of = parts(weights);
    const std::size_t states = leaves.size();
    leaves.insert(leaves.end(), of.begin(), of.end());
    for (Tensor& t : leaves) t.requires_grad_();
    const Results r = run({leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(states)}, {leaves.begin() + static_cast<std::ptrdiff_t>(states), leaves.end()});
    std::vector<Tensor> outputs{r.y, r.h}, incoming{read(g.y, {l_.total, l_.state}), read(g.h, {batch(), l_.state})};
    if (is_lstm()) outputs.push_back(r.c), incoming.push_back(read(g.c, {batch(), l_.units}));
    const auto found = grad(outputs, leaves, incoming, {.allow_unused = true});
    write(found[0], gradients.x), write(found[1], gradients.h);
    if (is_lstm()) write(found[2], gradients.c);
    for (int id = 0; id < parts_; ++id) {
      write(found[states + 2 * static_cast<std::size_t>(id)], matrix(weight_gradients, id));
      if (id < 2 * gates_) write(found[states + 2 * static_cast<std::size_t>(id) + 1], bias(weight_gradients, id));
    }
  }

 private:
  static constexpr std::int64_t kKept = 0x1234567;
  struct Results {
    Tensor y, h, c;
  };
  RnnLayerSpec l_;
  int gates_, parts_;

  std::int64_t size() const { return static_cast<std::int64_t>(size_of(l_.dtype)); }
  bool is_lstm() const { return l_.cell == RnnCell::lstm; }
  std::int64_t batch() const { return static_cast<std::int64_t>(l_.lengths.size()); }
  std::int64_t rows(int id) const { return id < 2 * gates_ ? l_.units : l_.state; }
  std::int64_t columns(int id) const { return id < gates_ ? l_.features : id < 2 * gates_ ? l_.state : l_.units; }
  /// The last part comes first; a bias follows its matrix.
  std::int64_t place(int id, bool bias) const {
    std::int64_t at = 0;
    for (int k = parts_ - 1; k > id; --k) at += rows(k) * (columns(k) + 1);
    return (at + (bias ? rows(id) * columns(id) : 0)) * size();
  }
  Tensor read(const void* p, const Shape& shape) const {
    const Tensor t = empty(shape, {.dtype = l_.dtype});
    std::memcpy(impl(t).data, p, static_cast<std::size_t>(t.numel() * size()));
    return t.to(float64);
  }
  void write(const Tensor& t, void* p) const {
    const Tensor rounded = t.detach().to(l_.dtype).contiguous();
    std::memcpy(p, impl(rounded).data, static_cast<std::size_t>(rounded.numel() * size()));
  }
  std::vector<Tensor> inputs(const RnnInputs& in) const {
    std::vector<Tensor> list{read(in.x, {l_.total, l_.features}), read(in.h, {batch(), l_.state})};
    if (is_lstm()) list.push_back(read(in.c, {batch(), l_.units}));
    return list;
  }
  /// Matrix and bias of each part; the projection's bias is not used.
  std::vector<Tensor> parts(void* weights) const {
    std::vector<Tensor> list;
    for (int id = 0; id < parts_; ++id) list.push_back(read(matrix(weights, id), {rows(id), columns(id)})), list.push_back(id < 2 * gates_ ? read(bias(weights, id), {rows(id)}) : zeros({1}, {.dtype = float64}));
    return list;
  }
  Tensor stored(const Tensor& state) const { return state.to(l_.dtype).to(float64); }
  Results run(const std::vector<Tensor>& in, const std::vector<Tensor>& parts) const {
    const auto product = [&](int id, const Tensor& x) { return matmul(x, parts[2 * static_cast<std::size_t>(id)].t()) + parts[2 * static_cast<std::size_t>(id) + 1]; };
    Tensor h = in[1], c = is_lstm() ? in[2] : Tensor();
    std::vector<Tensor> outputs;
    std::int64_t first = 0;
    const auto replace = [](const Tensor& state, const Tensor& now) { return cat({now, narrow(state, 0, now.size(0), state.size(0) - now.size(0))}); };
    for (int t = 0; t < l_.lengths[0]; ++t) {
      const std::int64_t n = std::count_if(l_.lengths.begin(), l_.lengths.end(), [t](int length) { return length > t; });
      const Tensor x = narrow(in[0], 0, first, n), before = narrow(h, 0, 0, n);
      Tensor now;
      if (is_lstm()) {
        const Tensor i = sigmoid(product(0, x) + product(4, before)), f = sigmoid(product(1, x) + product(5, before)), memory = tanh(product(2, x) + product(6, before)),
                     o = sigmoid(product(3, x) + product(7, before)), c_now = f * narrow(c, 0, 0, n) + i * memory;
        now = o * tanh(c_now);
        if (parts_ > 8) now = matmul(now, parts[16].t());
        c = replace(c, stored(c_now));
      } else if (l_.cell == RnnCell::gru) {
        const Tensor r = sigmoid(product(0, x) + product(3, before)), z = sigmoid(product(1, x) + product(4, before));
        now = (1 - z) * tanh(product(2, x) + r * product(5, before)) + z * before;
      } else {
        const Tensor sum = product(0, x) + product(1, before);
        now = l_.cell == RnnCell::tanh ? tanh(sum) : relu(sum);
      }
      now = stored(now);
      outputs.push_back(now);
      h = replace(h, now);
      first += n;
    }
    return {cat(outputs), h, c};
  }
};

}  // namespace

void fill_whole_rnn(RnnKernels& k) { WholeLayers<HostRnn>::fill(k); }

}  // namespace rill::emulated
