// Attention of 16-bit floats against the same values in float64.
#include <rill/rill.h>

#include "test/support/catch.h"

#ifdef RILL_WITH_CUDA
#include "test/cuda/backends.h"
#endif

using namespace rill;

namespace {

/// Result and gradients, by norm, where rounding weights once more than the result is allowed.
void agrees(Device device, Dtype dtype, double tolerance) {
  for (const bool causal : {true, false}) {
    Generator gen(7);
    const auto values = [&](std::int64_t length, std::int64_t width) { return randn({2, length, width}, {}, gen).to(dtype); };
    const std::vector<Tensor> in = {values(70, 12), values(90, 12), values(90, 8)};
    const Tensor weight = values(70, 8);
    const auto run = [&](Dtype d, Device at) {
      std::vector<Tensor> x;
      for (const Tensor& t : in) x.push_back(t.to(d).to(at).requires_grad_());
      const Tensor y = scaled_dot_product_attention(x[0], x[1], x[2], {.is_causal = causal});
      CHECK(y.dtype() == d);
      y.backward(weight.to(d).to(at));
      return std::vector<Tensor>{y.detach(), x[0].grad(), x[1].grad(), x[2].grad()};
    };
    const auto want = run(float64, Device::cpu()), found = run(dtype, device);
    for (std::size_t i = 0; i < want.size(); ++i) {
      INFO(to_string(dtype) << (causal ? ", causal, " : ", ") << (i ? "gradient " : "result ") << i);
      CHECK(found[i].dtype() == dtype);
      CHECK((norm(found[i].cpu().to(float64) - want[i]) / norm(want[i])).item<double>() < tolerance);
    }
  }
}
void agrees_on(Device device) { agrees(device, bfloat16, 6e-3), agrees(device, float16, 8e-4); }

}  // namespace

TEST_CASE("attention of 16-bit floats is that of their values", "[ops][attention]") { agrees_on(Device::cpu()); }

#ifdef RILL_WITH_CUDA
namespace {
void agrees_on_cuda() { agrees_on(Device::cuda()); }
}  // namespace
RILL_DEVICE_TEST(agrees_on_cuda, "attention of 16-bit floats on CUDA is that of their values", "[ops]")
#endif
