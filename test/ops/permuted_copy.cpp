// Copies between layouts: squares of registers, borders, elements of every size. Reference: the address of each element.
#include "test/support/catch.h"

#include <rill/autograd/grad_mode.h>
#include <rill/core/threads.h>
#include <rill/ops/create.h>
#include <rill/ops/binary.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

using namespace rill;

namespace {

Tensor numbers(const Shape& shape, Dtype d) {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return remainder(arange(0, static_cast<double>(count), 1, {.dtype = int64}), d == boolean ? 2 : 113).view(shape).to(d);
}

/// The elements in logical order, one address at a time.
std::vector<double> elements(const Tensor& t) {
  std::vector<double> all;
  std::vector<std::int64_t> at(static_cast<std::size_t>(t.dim()), 0);
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    Tensor x = t;
    for (const auto k : at) x = x[k];
    all.push_back(x.item<double>());
    for (int a = t.dim() - 1; a >= 0 && ++at[static_cast<std::size_t>(a)] == t.size(a); --a) at[static_cast<std::size_t>(a)] = 0;
  }
  return all;
}

}  // namespace

TEST_CASE("copies of permuted tensors have the same elements", "[ops][copy]") {
  const NoGrad off;
  for (const Dtype d : {float32, float64, float16, uint8, int64, boolean})
    for (const Shape& s : {Shape{4, 4}, Shape{3, 70}, Shape{8, 8}, Shape{17, 9}, Shape{33, 67}, Shape{70, 130}}) {
      INFO(to_string(d) << " " << to_string(s));
      const Tensor x = numbers(s, d), y = x.t().contiguous();
      CHECK(y.is_contiguous());
      CHECK(elements(y) == elements(x.t()));
    }
  for (const Shape& s : {Shape{2, 5, 9, 11}, Shape{3, 16, 8, 8}, Shape{1, 3, 20, 21}}) {
    const Tensor x = numbers(s, float32), last = x.contiguous(MemoryFormat::channels_last);
    CHECK(elements(last) == elements(x));
    CHECK(elements(last.contiguous(MemoryFormat::contiguous)) == elements(x));
    CHECK(elements(x.permute({3, 1, 0, 2}).contiguous()) == elements(x.permute({3, 1, 0, 2})));
    CHECK(elements(x.permute({1, 3, 2, 0}).contiguous()) == elements(x.permute({1, 3, 2, 0})));
  }
}

TEST_CASE("copies into parts of permuted tensors leave the rest alone", "[ops][copy]") {
  const NoGrad off;
  const Tensor whole = full({40, 60}, -1.0), x = numbers({30, 50}, float32);
  const Tensor part = whole.narrow(0, 5, 30).narrow(1, 7, 50);
  part.copy_(x.t().contiguous().t());
  CHECK(elements(part) == elements(x));
  CHECK(sum(whole).item<double>() == sum(x).item<double>() - (40 * 60 - 30 * 50));
}

TEST_CASE("copies of permuted tensors do not depend on threads", "[ops][copy]") {
  const int before = num_threads();
  const Tensor x = numbers({1000, 333}, float32);
  set_num_threads(1);
  const Tensor one = x.t().contiguous();
  set_num_threads(3);
  CHECK(equal(x.t().contiguous(), one));
  set_num_threads(before);
}
