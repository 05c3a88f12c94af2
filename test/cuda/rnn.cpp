// Recurrent layers on a device against the host: as a whole (backends/cuda/rnn_layer.h) and step by step, where a library does not know them.
#include <rill/rill.h>

#include <functional>

#include "backends/cuda/rnn_descriptors.h"
#include "test/cuda/backends.h"
#include "test/cuda/from_cudnn.h"

using namespace rill;

namespace {

using List = std::vector<Tensor>;
constexpr std::int64_t kFeatures = 3, kUnits = 4;

Tensor numbers(const Shape& shape, double step) {
  std::int64_t n = 1;
  for (const auto s : shape) n *= s;
  return sin(arange(n, {.dtype = float64}) * step).reshape(shape);
}
/// Outputs, gradients and second derivatives of f on the device and on the host, there in double where the device rounds to 16 bits. f gets leaves.
void compare(const List& inputs, const std::function<List(const List&)>& f, Dtype dtype) {
  const bool narrow = size_of(dtype) == 2;
  const auto all = [&](Device device) {
    const Dtype own = narrow && device.is_cpu() ? float64 : dtype;
    List leaves, values;
    for (const Tensor& t : inputs) leaves.push_back(t.to(dtype).to(own).to(device).requires_grad_());
    const List out = f(leaves);
    Tensor loss;
    for (std::size_t k = 0; k < out.size(); ++k) {
      const Tensor part = sum(out[k] * numbers(out[k].shape(), 0.3 + static_cast<double>(k)).to(own).to(device));
      loss = loss.defined() ? loss + part : part;
      values.push_back(out[k]);
    }
    for (int repeated = 0; repeated < 2; ++repeated)  // what backward reads stays as it is
      for (const Tensor& g : grad({loss}, leaves, {}, {.retain_graph = true})) values.push_back(g);
    const List first = grad({loss}, leaves, {}, {.retain_graph = true, .create_graph = true});
    Tensor squares;
    for (const Tensor& g : first) squares = squares.defined() ? squares + sum(g * g) : sum(g * g);
    for (const Tensor& g : grad({squares}, leaves)) values.push_back(g);
    return values;
  };
  const List found = all(Device::cuda()), want = all(Device::cpu());
  REQUIRE(found.size() == want.size());
  const double unit = dtype == float64 ? 1e-11 : dtype == float32 ? 2e-4 : dtype == float16 ? 8e-3 : 6e-2;
  for (std::size_t k = 0; k < found.size(); ++k) {
    INFO("value " << k);
    const Tensor expected = want[k].detach();
    CHECK(allclose(found[k].detach().cpu().to(expected.dtype()), expected, unit, narrow ? unit * max(abs(expected)).item<double>() : unit));
  }
}

const std::vector<std::int64_t> kSizes = {4, 4, 2, 1, 1};
constexpr Dtype kDtypes[] = {float64, float32, float16, bfloat16};

void lstm_layers() {
  for (const Dtype dtype : kDtypes)
    for (const bool packed : {false, true})
      for (const bool reverse : {false, true})
        for (const bool projected : {false, true})
          for (const bool biased : {false, true}) {
            INFO(to_string(dtype) << (packed ? " packed" : "") << (reverse ? " reverse" : "") << (projected ? " projected" : "") << (biased ? " biased" : ""));
            const std::int64_t state = projected ? 2 : kUnits;
            List in{numbers(packed ? Shape{12, kFeatures} : Shape{3, 4, kFeatures}, 0.7), numbers({4, state}, 0.9), numbers({4, kUnits}, 1.3), numbers({4 * kUnits, kFeatures}, 0.51),
                    numbers({4 * kUnits, state}, 0.43)};
            if (projected) in.push_back(numbers({state, kUnits}, 0.8));
            if (biased) in.push_back(numbers({4 * kUnits}, 0.6)), in.push_back(numbers({4 * kUnits}, 0.35));
            LstmOptions o{.reverse = reverse, .gates = reverse ? LstmGates::igfo : LstmGates::ifgo, .forget_bias = packed ? 1. : 0.};
            if (packed) o.batch_sizes = kSizes;
            compare(in, [=](const List& t) {
              LstmWeights w{.ih = t[3], .hh = t[4]};
              std::size_t next = 5;
              if (projected) w.hr = t[next++];
              if (biased) w.bias_ih = t[next], w.bias_hh = t[next + 1];
              const auto r = lstm_layer(t[0], t[1], t[2], w, o);
              return List{r.output, r.h, r.c};
            }, dtype);
          }
}

void gru_layers() {
  for (const Dtype dtype : kDtypes)
    for (const bool packed : {false, true})
      for (const bool reverse : {false, true})
        for (const bool biased : {false, true}) {
          INFO(to_string(dtype) << (packed ? " packed" : "") << (reverse ? " reverse" : "") << (biased ? " biased" : ""));
          List in{numbers(packed ? Shape{12, kFeatures} : Shape{3, 4, kFeatures}, 0.7), numbers({4, kUnits}, 0.9), numbers({3 * kUnits, kFeatures}, 0.51), numbers({3 * kUnits, kUnits}, 0.43)};
          if (biased) in.push_back(numbers({3 * kUnits}, 0.6)), in.push_back(numbers({3 * kUnits}, 0.35));
          SequenceOptions o{.reverse = reverse};
          if (packed) o.batch_sizes = kSizes;
          compare(in, [=](const List& t) {
            RecurrentWeights w{.ih = t[2], .hh = t[3]};
            if (biased) w.bias_ih = t[4], w.bias_hh = t[5];
            const auto r = gru_layer(t[0], t[1], w, o);
            return List{r.output, r.h};
          }, dtype);
        }
}

void plain_layers() {
  for (const Dtype dtype : kDtypes)
    for (const RnnNonlinearity f : {RnnNonlinearity::tanh, RnnNonlinearity::relu})
      for (const bool packed : {false, true})
        for (const bool reverse : {false, true})
          for (const bool biased : {false, true}) {
            INFO(to_string(dtype) << (f == RnnNonlinearity::relu ? " relu" : " tanh") << (packed ? " packed" : "") << (reverse ? " reverse" : "") << (biased ? " biased" : ""));
            List in{numbers(packed ? Shape{12, kFeatures} : Shape{3, 4, kFeatures}, 0.7), numbers({4, kUnits}, 0.9), numbers({kUnits, kFeatures}, 0.51), numbers({kUnits, kUnits}, 0.43)};
            if (biased) in.push_back(numbers({kUnits}, 0.6)), in.push_back(numbers({kUnits}, 0.35));
            SequenceOptions o{.reverse = reverse};
            if (packed) o.batch_sizes = kSizes;
            compare(in, [=](const List& t) {
              RecurrentWeights w{.ih = t[2], .hh = t[3]};
              if (biased) w.bias_ih = t[4], w.bias_hh = t[5];
              const auto r = rnn_layer(t[0], t[1], w, f, o);
              return List{r.output, r.h};
            }, dtype);
          }
}

void layers_step_by_step() {
  const Tensor x = numbers({12, kFeatures}, 0.7);
  compare({x, numbers({4, kUnits}, 0.9), numbers({4, kUnits}, 1.3), numbers({4 * kUnits, kFeatures}, 0.51), numbers({4 * kUnits, kUnits}, 0.43), numbers({kUnits}, 0.2), numbers({kUnits}, 0.5), numbers({kUnits}, 0.8)},
          [](const List& t) {
            const auto r = lstm_layer(t[0], t[1], t[2], {.ih = t[3], .hh = t[4], .peephole_i = t[5], .peephole_f = t[6], .peephole_o = t[7]}, {.batch_sizes = kSizes, .cell_clip = 0.6});
            return List{r.output, r.h, r.c};
          }, float64);
  const List gru{x, numbers({6, kUnits}, 0.9), numbers({3 * kUnits, kFeatures}, 0.51), numbers({3 * kUnits, kUnits}, 0.43)};  // two rows of the state never begin
  compare(gru, [](const List& t) {
    const auto r = gru_layer(t[0], t[1], {.ih = t[2], .hh = t[3]}, {.batch_sizes = kSizes});
    return List{r.output, r.h};
  }, float64);
  compare({x, numbers({6, kUnits}, 0.9), numbers({kUnits, kFeatures}, 0.51), numbers({kUnits, kUnits}, 0.43)}, [](const List& t) {
    const auto r = rnn_layer(t[0], t[1], {.ih = t[2], .hh = t[3]}, RnnNonlinearity::tanh, {.batch_sizes = kSizes});
    return List{r.output, r.h};
  }, float64);
}

}  // namespace

TEST_CASE("cuDNN accepts what it is told about layers", "[cuda][rnn]") {
  for (const Dtype dtype : kDtypes)
    for (const RnnCell cell : {RnnCell::lstm, RnnCell::gru, RnnCell::tanh, RnnCell::relu})
      for (const std::int64_t state : {4, 2}) {
        if (cell != RnnCell::lstm && state < 4) continue;
        const cuda::RnnDescriptors d({.cell = cell, .dtype = dtype, .total = 12, .features = 3, .units = 4, .state = state, .block = {0, 1, 2, 3}, .lengths = {5, 3, 2, 2}}, false);
        cudnnDataType_t type, compute;
        cudnnRNNMode_t mode;
        cudnnMathType_t math;
        cudnnRNNAlgo_t algorithm;
        cudnnRNNBiasMode_t bias;
        cudnnDirectionMode_t direction;
        cudnnRNNInputMode_t input;
        cudnnDropoutDescriptor_t dropout;
        std::int32_t features = 0, units = 0, projected = 0, layers = 0;
        std::uint32_t flags = 0;
        REQUIRE(FROM_CUDNN(cudnnGetRNNDescriptor_v8)(d.layer, &algorithm, &mode, &bias, &direction, &input, &type, &compute, &math, &features, &units, &projected, &layers, &dropout, &flags) == CUDNN_STATUS_SUCCESS);
        CHECK(mode == (cell == RnnCell::lstm ? CUDNN_LSTM : cell == RnnCell::gru ? CUDNN_GRU : cell == RnnCell::tanh ? CUDNN_RNN_TANH : CUDNN_RNN_RELU));
        CHECK(type == (dtype == float64 ? CUDNN_DATA_DOUBLE : dtype == float32 ? CUDNN_DATA_FLOAT : dtype == float16 ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16));
        CHECK(compute == (dtype == float64 ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT));
        CHECK(math == (dtype == float32 ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH));
        CHECK((features == 3 && units == 4 && projected == state && layers == 1 && bias == CUDNN_RNN_DOUBLE_BIAS));
        cudnnRNNDataLayout_t layout;
        int longest = 0, batch = 0, width = 0, lengths[4] = {};
        char fill[8] = {};
        REQUIRE(FROM_CUDNN(cudnnGetRNNDataDescriptor)(d.y, &type, &layout, &longest, &batch, &width, 4, lengths, fill) == CUDNN_STATUS_SUCCESS);
        CHECK((layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED && longest == 5 && batch == 4 && width == state && lengths[1] == 3));
      }
}

RILL_DEVICE_TEST(lstm_layers, "LSTM layers as a whole", "[rnn][sanitize]")
RILL_DEVICE_TEST(gru_layers, "GRU layers as a whole", "[rnn][sanitize]")
RILL_DEVICE_TEST(plain_layers, "plain recurrent layers as a whole", "[rnn][sanitize]")
RILL_DEVICE_TEST(layers_step_by_step, "recurrent layers step by step", "[rnn][sanitize]")
