#include "test/support/catch.h"

#include <rill/cuda/device.h>
#include <rill/core/accessor.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/view.h>

#include "test/support/message.h"

using namespace rill;

TEST_CASE("a tensor knows its attributes", "[core][tensor]") {
  const Tensor t = tensor({{1, 2, 3}, {4, 5, 6}});
  CHECK(t.shape() == Shape{2, 3});
  CHECK(t.dtype() == int64);
  CHECK(t.size(-1) == 3);
  CHECK((t + 1).to_vector<int>() == std::vector<int>{2, 3, 4, 5, 6, 7});
  CHECK(t.t().to_vector<int>() == std::vector<int>{1, 4, 2, 5, 3, 6});
  CHECK(t.T().to_vector<int>() == std::vector<int>{1, 4, 2, 5, 3, 6});
  CHECK(t.cpu().is_same(t));
  if (!cuda::is_available()) CHECK(MESSAGE(DeviceError, t.cuda(1)) == "to: cuda:1 cannot be used: " + cuda::why_unavailable() + ", or use Device::cpu()");
}

TEST_CASE("an accessor reads and writes elements through strides", "[core][tensor]") {
  const Tensor t = tensor({{1, 2, 3}, {4, 5, 6}});
  const auto a = accessor<std::int64_t, 2>(t.t());
  CHECK(a.size(0) == 3);
  CHECK(a(2, 1) == 6);
  a(0, 1) = 40;
  CHECK(t.to_vector<int>() == std::vector<int>{1, 2, 3, 40, 5, 6});
  CHECK(accessor<float, 0>(full({}, 2.5))() == 2.5f);
  CHECK(MESSAGE(ShapeError, (accessor<std::int64_t, 1>(t))) == "accessor: int64 [2, 3] has rank 2, but 1 indices were asked for");
  CHECK(MESSAGE(DtypeError, (accessor<float, 2>(t))) == "data: the elements of int64 [2, 3] are not float32; convert with .to(rill::float32)");
  CHECK(MESSAGE(ValueError, (accessor<float, 2>(Tensor()))) == "accessor: input is undefined; pass a tensor with values");
}
