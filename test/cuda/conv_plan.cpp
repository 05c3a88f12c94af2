// What cuDNN is told about a convolution: sizes that it agrees with, and padded inputs that hold the same windows. Descriptors need no device.
#include "backends/cuda/conv_graph.h"

#include <numeric>
#include <random>

#include <rill/core/error.h>

#include "test/cuda/from_cudnn.h"
#include "test/support/catch.h"
#include "test/support/message.h"

using namespace rill;
using cuda::ConvDirection;

namespace {

struct Sizes {
  std::vector<std::int64_t> sizes, strides;
  explicit Sizes(std::vector<std::int64_t> s, bool last = false) : sizes(std::move(s)), strides(sizes.size()) {
    std::int64_t step = 1;
    if (last) strides[1] = 1, step = sizes[1];
    for (std::size_t a = sizes.size(); a-- > 0;)
      if (!last || a != 1) strides[a] = step, step *= sizes[a];
  }
  std::int64_t numel() const { return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>{}); }
  View view(void* data) const { return {data, Dtype::float64, static_cast<int>(sizes.size()), sizes.data(), strides.data(), numel(), true}; }
};

/// The number of positions that cuDNN finds.
std::vector<int> positions(const cuda::ConvPlan& p) {
  const cuda::TensorDescriptor x;
  const cuda::FilterDescriptor w;
  const cuda::ConvDescriptor c;
  const int rank = p.axes + 2;
  std::vector<int> steps(p.x.size(), 1), out(p.x.size());
  for (std::size_t a = steps.size() - 1; a-- > 0;) steps[a] = steps[a + 1] * p.x[a + 1];
  REQUIRE(cuda::cudnnSetTensorNdDescriptor(x, CUDNN_DATA_DOUBLE, rank, p.x.data(), steps.data()) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cuda::cudnnSetFilterNdDescriptor(w, CUDNN_DATA_DOUBLE, CUDNN_TENSOR_NCHW, rank, p.w.data()) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cuda::cudnnSetConvolutionNdDescriptor(c, p.axes, p.pad.data(), p.stride.data(), p.dilation.data(), CUDNN_CROSS_CORRELATION, CUDNN_DATA_DOUBLE) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cuda::cudnnSetConvolutionGroupCount(c, p.groups) == CUDNN_STATUS_SUCCESS);
  REQUIRE(FROM_CUDNN(cudnnGetConvolutionNdForwardOutputDim)(c, x, w, rank, out.data()) == CUDNN_STATUS_SUCCESS);
  return out;
}

}  // namespace

TEST_CASE("cuDNN finds the positions that the plan of a convolution names", "[cuda][conv]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  int uneven = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto up_to = [&](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(n)) + 1; };
    WindowGeometry g{};
    g.axes = static_cast<int>(up_to(3)), g.groups = up_to(2);
    std::vector<std::int64_t> x = {up_to(3), g.groups * up_to(3)}, w = {g.groups * up_to(3), x[1] / g.groups}, y = {x[0], w[0]};
    for (int a = 0; a < g.axes; ++a) {
      g.kernel[a] = up_to(4), g.stride[a] = up_to(3), g.dilation[a] = up_to(2), g.before[a] = up_to(4) - 1;
      const std::int64_t after = random() % 2 ? g.before[a] : up_to(4) - 1, reach = g.dilation[a] * (g.kernel[a] - 1) + 1;
      x.push_back(std::max(reach - g.before[a] - after, std::int64_t{0}) + up_to(6));
      w.push_back(g.kernel[a]);
      y.push_back((x.back() + g.before[a] + after - reach) / g.stride[a] + 1);
    }
    const Sizes in(x), weight(w), out(y);
    const cuda::ConvPlan p(in.view(nullptr), weight.view(nullptr), out.view(nullptr), g);
    CAPTURE(round);
    REQUIRE(positions(p) == p.y);
    if (!p.padded) continue;
    ++uneven;
    // the padded input holds element i of the input at i + before
    Sizes large(p.shape);
    std::vector<double> from(static_cast<std::size_t>(in.numel())), to(static_cast<std::size_t>(large.numel()), 0);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<double>(i + 1);
    p.with_common_part(large.view(to.data()), in.view(from.data()), [&](const View& part, const View& source) {
      std::vector<std::int64_t> index(x.size());
      for (std::int64_t i = 0; i < part.numel; ++i) {
        std::int64_t rest = i, a_part = 0, a_source = 0;
        for (int a = part.rank - 1; a >= 0; --a) {
          const std::int64_t k = rest % part.sizes[a];
          rest /= part.sizes[a], a_part += k * part.strides[a], a_source += k * source.strides[a];
        }
        part.as<double>()[a_part] = source.as<double>()[a_source];
      }
    });
    for (std::int64_t i = 0; i < large.numel(); ++i) {
      std::int64_t rest = i, at = 0;
      bool inside = true;
      for (std::size_t a = p.shape.size(); a-- > 0;) {
        const std::int64_t k = rest % p.shape[a] - (a >= 2 ? g.before[a - 2] : 0);
        rest /= p.shape[a], inside = inside && k >= 0 && k < x[a], at += k * in.strides[a];
      }
      REQUIRE(to[static_cast<std::size_t>(i)] == (inside ? from[static_cast<std::size_t>(at)] : 0));
    }
  }
  CHECK(uneven > 100);
}

namespace {
struct Case {
  WindowGeometry g{};
  std::vector<std::int64_t> x, w, y;
  explicit Case(std::mt19937& random) {
    const auto up_to = [&](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(n)) + 1; };
    g.axes = static_cast<int>(up_to(3)), g.groups = up_to(2);
    x = {up_to(3), g.groups * up_to(3)}, w = {g.groups * up_to(3), x[1] / g.groups}, y = {x[0], w[0]};
    for (int a = 0; a < g.axes; ++a) {
      g.kernel[a] = up_to(4), g.stride[a] = up_to(3), g.dilation[a] = up_to(2), g.before[a] = up_to(3) - 1;
      const std::int64_t reach = g.dilation[a] * (g.kernel[a] - 1) + 1;
      x.push_back(std::max(reach - 2 * g.before[a], std::int64_t{0}) + up_to(6)), w.push_back(g.kernel[a]);
      y.push_back((x.back() + 2 * g.before[a] - reach) / g.stride[a] + 1);
    }
  }
};
}  // namespace

TEST_CASE("cuDNN accepts the operations of its graph interface in both formats and every dtype", "[cuda][conv]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const Case c(random);
    const bool last = random() % 2;
    const Sizes x(c.x, last), w(c.w, random() % 2), y(c.y, last);
    cuda::ConvPlan p(x.view(nullptr), w.view(nullptr), y.view(nullptr), c.g);
    CHECK(has_format(x.view(nullptr), p.last));
    CHECK(has_format(y.view(nullptr), p.last));
    for (const Dtype dtype : {Dtype::float32, Dtype::float16, Dtype::bfloat16, Dtype::float64})
      for (const ConvDirection direction : {ConvDirection::forward, ConvDirection::input, ConvDirection::weight}) {
        CAPTURE(round, to_string(dtype), static_cast<int>(direction));
        REQUIRE(cuda::conv_operations(direction, p, dtype, 16).size() == 1);
        if (direction == ConvDirection::forward) REQUIRE(cuda::conv_operations(direction, p, dtype, 16, true).size() == 2);
      }
    const auto strides = p.strides<std::int64_t>(p.x);
    const std::size_t spatial = strides.size() - static_cast<std::size_t>(c.g.axes);
    for (std::size_t a = 0; a < x.sizes.size(); ++a)  // an axis of size 1 has no stride of its own
      if (x.sizes[a] > 1 && !p.padded) CHECK(strides[a < 2 ? a : a - 2 + spatial] == x.strides[a]);
    p.y.back() += 1;
    CHECK(MESSAGE(Error, cuda::conv_operations(ConvDirection::forward, p, Dtype::float32, 16)).starts_with("cudnn: the description of a convolution of cuDNN failed: CUDNN_STATUS_BAD_PARAM"));
  }
}

TEST_CASE("engines are chosen by their numerical notes", "[cuda][conv]") {
  using Notes = std::vector<cudnnBackendNumericalNote_t>;
  const cuda::DnnRules strict{false, false}, tf32{true, false}, free{true, true};
  CHECK(cuda::allowed(Notes{}, strict));
  CHECK(cuda::allowed(Notes{CUDNN_NUMERICAL_NOTE_FFT, CUDNN_NUMERICAL_NOTE_WINOGRAD}, strict));
  CHECK_FALSE(cuda::allowed(Notes{CUDNN_NUMERICAL_NOTE_FFT, CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, strict));
  CHECK(cuda::allowed(Notes{CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, tf32));
  CHECK_FALSE(cuda::allowed(Notes{CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, tf32));
  CHECK(cuda::allowed(Notes{CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, free));
  CHECK_FALSE(cuda::allowed(Notes{CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}, free));
  CHECK_FALSE(cuda::allowed(Notes{CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION}, free));
}

namespace {

/// The properties of an H200 as cuDNN writes them, so that it makes plans for one without one; other versions (sm_80: 800) as if they were as large.
const std::string kH200 = R"({"maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64], "regsPerBlock": 65536, "multiProcessorCount": 132, "warpSize": 32,
  "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448, "reservedSharedMemoryPerBlock": 1024, "maxRegistersPerSM": 65536, "maxCtasPerSM": 32,
  "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "pciDeviceId": 0, "isTccDriver": 0, "supportCoopLaunch": 1, "smClockRateKHz": 1980000, "memClockRateKHz": 3201000,
  "l2CacheSize": 52428800, "deviceName": "NVIDIA H200", "totalGlobalMem": 150754820096, "driverVer": 13000, "deviceVer": 900, "cudaDeviceId": 0})";

cuda::DnnDescriptor device_of(int version) {
  std::string text = kH200;
  const std::string given = "\"deviceVer\": 900";
  text.replace(text.find(given), given.size(), "\"deviceVer\": " + std::to_string(version));
  cuda::DnnDescriptor d(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  d.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, text.c_str(), static_cast<std::int64_t>(text.size() + 1));
  REQUIRE(d.finish() == CUDNN_STATUS_SUCCESS);
  return d;
}
constexpr std::size_t kMost = std::size_t{1} << 30;

}  // namespace

TEST_CASE("cuDNN has plans for the convolutions of a network on an H200", "[cuda][conv]") {
  const cuda::DnnDescriptor device = device_of(900);
  const auto plans = [&](ConvDirection direction, Dtype dtype, bool last, const cuda::DnnRules& rules, int count, bool bias = false) {
    const Sizes x({32, 64, 56, 56}, last), w({128, 64, 3, 3}, last), y({32, 128, 56, 56}, last);
    const WindowGeometry g{2, {3, 3, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 0}, 1};
    return cuda::DnnPlan::candidates({.properties = &device}, cuda::conv_operations(direction, {x.view(nullptr), w.view(nullptr), y.view(nullptr), g}, dtype, 16, bias), rules, kMost, count, !bias);
  };
  for (const bool last : {false, true}) {  // with a bias in the same pass
    CHECK(!plans(ConvDirection::forward, Dtype::bfloat16, last, {true, false}, 1, true).empty());
    CHECK(!plans(ConvDirection::forward, Dtype::float16, last, {true, false}, 1, true).empty());
    CHECK(!plans(ConvDirection::forward, Dtype::float32, last, {true, false}, 1, true).empty());
  }
  for (const ConvDirection direction : {ConvDirection::forward, ConvDirection::input, ConvDirection::weight})
    for (const bool last : {false, true}) {
      CAPTURE(static_cast<int>(direction), last);
      for (const Dtype dtype : {Dtype::bfloat16, Dtype::float16}) {
        const auto list = plans(direction, dtype, last, {true, false}, 4);
        REQUIRE(list.size() == 4);
        if (last) CHECK(list[0].workspace < 32 * 64 * 56 * 56 * 2);  // no copy of an operand in another format
      }
      const auto strict = plans(direction, Dtype::float32, last, {false, false}, 8), tf32 = plans(direction, Dtype::float32, last, {true, false}, 8);
      CHECK(!strict.empty());
      CHECK(tf32.size() > strict.size());
      CHECK(!plans(direction, Dtype::float64, last, {true, false}, 1).empty());
    }
}

TEST_CASE("cuDNN has plans for convolutions of any kind on the architectures that are built for", "[cuda][conv]") {
  const cuda::DnnDescriptor device = device_of(GENERATE(800, 900, 1000));
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  int asked = 0, found = 0;
  for (int round = 0; round < 25; ++round) {
    const Case c(random);
    const bool last = random() % 2;
    const Sizes x(c.x, last), w(c.w, last), y(c.y, last);
    const cuda::ConvPlan p(x.view(nullptr), w.view(nullptr), y.view(nullptr), c.g);
    for (const Dtype dtype : {Dtype::float32, Dtype::bfloat16, Dtype::float64})
      for (const ConvDirection direction : {ConvDirection::forward, ConvDirection::input, ConvDirection::weight}) {
        ++asked;
        found += !cuda::DnnPlan::candidates({.properties = &device}, cuda::conv_operations(direction, p, dtype, 16), {dtype != Dtype::float32, false}, kMost, 1).empty();
      }
  }
  CHECK(found > asked * 9 / 10);  // the others are for the older calls
}
