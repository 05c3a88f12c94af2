// Tensors on a device: moving, making, memory, streams.
#include <rill/rill.h>
#include <rill/cuda/memory.h>

#include <functional>

#include "test/cuda/backends.h"
#include "test/support/message.h"

using namespace rill;

namespace {

void tensors_move() {
  const Tensor x = arange(24).reshape({2, 3, 4}).to(float32);
  const Tensor on = x.to(Device::cuda());
  CHECK(on.device() == Device::cuda());
  CHECK(on.cuda().is_same(on));
  CHECK(on.to_vector<float>() == x.to_vector<float>());
  CHECK(on.cpu().device() == Device::cpu());
  const Tensor turned = x.transpose(0, 2).to(Device::cuda());  // dense: keeps its layout
  CHECK(turned.strides() == x.transpose(0, 2).strides());
  CHECK(turned.cpu().to_vector<float>() == x.transpose(0, 2).to_vector<float>());
  const Tensor part = narrow(on, 2, 1, 2);                        // not dense
  CHECK(part.cpu().to_vector<float>() == narrow(x, 2, 1, 2).to_vector<float>());
  CHECK(on[1][2][3].item<float>() == 23);
  CHECK(zeros({0, 3}).cuda().cpu().shape() == Shape{0, 3});
  CHECK(MESSAGE(DeviceError, on.data<float>()) == "data: float32 [2, 3, 4] on cuda:0 lives on cuda:0; copy it with .to(Device::cpu())");
  CHECK(MESSAGE(DeviceError, add(on, x)) == "add: tensors live on cuda:0 and cpu; move one with .to(Device)");
}

void gradients_cross_devices() {
  const Tensor x = tensor({1.f, 2.f, 3.f}).requires_grad_();
  sum(x.to(Device::cuda()).cpu() * 2).backward();
  CHECK(x.grad().device() == Device::cpu());
  CHECK(x.grad().to_vector<float>() == std::vector<float>{2, 2, 2});
}

void sums_cross_devices() {
  const Device first = Device::cuda(), second = cuda::device_count() > 1 ? Device::cuda(1) : Device::cpu();
  const Tensor x = tensor({1.f, 2.f, 3.f});
  for (const Device third : {Device::cpu(), first}) {
    const auto sums = sum_across_devices({{x.to(first), {}}, {(x * 10).to(second), x.to(second)}, {(x * 100).to(third), x.to(third)}});
    CHECK(sums[0].device() == first);
    CHECK(sums[0].to_vector<float>() == std::vector<float>{111, 222, 333});
    CHECK(sums[1].to_vector<float>() == std::vector<float>{2, 4, 6});
  }
  CHECK(sum_across_devices({{x.to(first)}, {x.to(second)}})[0].to_vector<float>() == std::vector<float>{2, 4, 6});
}

void towers_on_two_kinds_of_device() {
  nn::Linear net(6, 3);
  const Tensor x = randn({7, 6}), y = randint(0, 3, {7}), loss = cross_entropy(net(x), y);
  loss.backward();
  const Tensor want = net.weight.grad();
  nn::Linear on = net;
  on.zero_grad();
  on.to({.device = Device::cuda()});
  const Tensor have = nn::DataParallel(on, {Device::cuda(), Device::cpu()}).backward({x, y}, [](nn::Linear& m, const std::vector<Tensor>& in) { return cross_entropy(m(in[0]), in[1]); });
  CHECK(have.device() == Device::cuda());
  CHECK(have.item<float>() == Approx(loss.item<float>()));
  CHECK(on.weight.grad().device() == Device::cuda());
  CHECK(allclose(on.weight.grad().cpu(), want, 1e-5, 1e-7));
}

void tensors_are_made() {
  const Options on{.device = Device::cuda()};
  CHECK(zeros({3}, on).to_vector<float>() == std::vector<float>{0, 0, 0});
  CHECK(full({3}, 2.5, on).to_vector<float>() == std::vector<float>{2.5, 2.5, 2.5});
  CHECK(full({3}, true, on).to_vector<bool>() == std::vector<bool>{true, true, true});
  CHECK(arange(4, on).to_vector<int>() == std::vector<int>{0, 1, 2, 3});
  CHECK(eye(2, -1, on).to_vector<float>() == std::vector<float>{1, 0, 0, 1});
  CHECK(tensor({{1, 2}, {3, 4}}, on).to_vector<int>() == std::vector<int>{1, 2, 3, 4});
  const Tensor x = ones({2, 2}, on);
  CHECK(zeros_like(x).device() == Device::cuda());
  CHECK(empty_like(x, {.device = Device::cuda()}).device() == Device::cuda());
  x.fill_(7);
  CHECK(x.to_vector<float>() == std::vector<float>{7, 7, 7, 7});
  x.copy_(tensor({1.f, 2.f}));
  CHECK(x.to_vector<float>() == std::vector<float>{1, 2, 1, 2});
  CHECK(tril_indices(2, 2, 0, on).device() == Device::cuda());
}

void numbers_go_along() {
  const Tensor x = tensor({1.f, -2.f, 3.f}).cuda(), one = full({}, 4.f).cuda(), half = x.to(bfloat16);
  CHECK((1 - x).to_vector<float>() == std::vector<float>{0, 3, -2});
  CHECK((2 / one).item<float>() == 0.5f);
  CHECK((x + full({}, 0.5f)).to_vector<float>() == std::vector<float>{1.5f, -1.5f, 3.5f});
  CHECK((full({}, 2) * x).device() == Device::cuda());
  CHECK((x > 0).to_vector<bool>() == std::vector<bool>{true, false, true});
  CHECK((half * 0.1).to_vector<float>() == (half.cpu() * 0.1).to_vector<float>());
  CHECK((half > 1.5).to_vector<bool>() == std::vector<bool>{false, false, true});
  CHECK(where(x > 0, x, 0).to_vector<float>() == std::vector<float>{1, 0, 3});
  CHECK(where(full({}, true), x, x + 1).to_vector<float>() == x.to_vector<float>());
  CHECK(where(full({}, false), full({}, 1.f), one).item<float>() == 4);
  CHECK(lerp(x, x + 2, 0.5).to_vector<float>() == std::vector<float>{2, -1, 4});
  CHECK(masked_fill(x, x < 0, 9).to_vector<float>() == std::vector<float>{1, 9, 3});
  CHECK(pow(x, 3).to_vector<float>() == std::vector<float>{1, -8, 27});
  x.mul_(2), x.add_(full({}, 1));
  CHECK(x.to_vector<float>() == std::vector<float>{3, -3, 7});
  CHECK(bitwise_not(tensor({0, 5}).cuda()).to_vector<int>() == std::vector<int>{-1, -6});
  CHECK(MESSAGE(DeviceError, full({}, 1.f).add_(one)) == "add: tensors live on cpu and cuda:0; move one with .to(Device)");
  CHECK(MESSAGE(DeviceError, where(x > 0, x.cpu(), x)) == "where: tensors live on cpu and cuda:0; move one with .to(Device)");
}

void numbers_have_gradients() {
  const Tensor x = tensor({1., 2.}).cuda().requires_grad_(), n = full({}, 3.).requires_grad_();
  sum(x * n + pow(n, x) + lerp(x, n, n) + where(x > 1, n, x)).backward();
  const Tensor y = x.detach().cpu().requires_grad_(), m = full({}, 3.).requires_grad_();
  sum(y * m + pow(m, y) + lerp(y, m, m) + where(y > 1, m, y)).backward();
  CHECK(n.grad().device() == Device::cpu());
  CHECK(n.grad().item<double>() == m.grad().item<double>());
  CHECK(x.grad().to_vector<double>() == y.grad().to_vector<double>());
  const Tensor z = tensor({1., 2.}).cuda().requires_grad_();
  const Tensor first = grad({sum(pow(z, 3.5) / 2)}, {z}, {}, {.create_graph = true})[0];
  CHECK(grad({sum(first)}, {z})[0].to_vector<double>()[0] == 3.5 * 2.5 / 2);
}

void memory_is_counted() {
  const auto before = cuda::memory_stats();
  {
    const Tensor x = zeros({1000}, {.device = Device::cuda()});
    CHECK(cuda::memory_stats().allocated_bytes == before.allocated_bytes + 4096);
    CHECK(cuda::memory_stats().blocks == before.blocks + 1);
  }
  CHECK(cuda::memory_stats().allocated_bytes == before.allocated_bytes);
  cuda::reset_peak_memory();
  CHECK(cuda::memory_stats().peak_bytes == before.allocated_bytes);
  const auto calls = cuda::memory_stats().device_calls;
  for (int i = 0; i < 10; ++i) zeros({1000}, {.device = Device::cuda()});
  CHECK(cuda::memory_stats().device_calls == calls);
  CHECK_THROWS_AS(zeros({std::int64_t{1} << 57}, {.device = Device::cuda()}), OutOfMemory);
}

void streams_are_current() {
  CHECK(cuda::Stream::current() == cuda::Stream::of_device());
  const cuda::Stream side;
  {
    const cuda::StreamGuard guard(side);
    CHECK(cuda::Stream::current() == side);
    const Tensor x = ones({100}, {.device = Device::cuda()});
    cuda::Event ready;
    ready.record();
    cuda::Stream::of_device().wait(ready);
    cuda::record_stream(x, cuda::Stream::of_device());
    CHECK(x.to_vector<float>() == std::vector<float>(100, 1));
  }
  CHECK(cuda::Stream::current() == cuda::Stream::of_device());
  side.synchronize();
  CHECK(side.query());
  cuda::Event begin, end;
  begin.record(), end.record();
  CHECK(begin.elapsed_time(end) >= 0);
}

void pinned_memory_holds_a_copy() {
  const Tensor x = arange(6).reshape({2, 3});
  const Tensor y = cuda::pin_memory(x.t());
  CHECK(y.device() == Device::cpu());
  CHECK(y.to_vector<int>() == x.t().to_vector<int>());
  CHECK(y.cuda().to_vector<int>() == x.t().to_vector<int>());
}

}  // namespace

RILL_DEVICE_TEST(sums_cross_devices, "sums of tensors on several devices", "")
RILL_DEVICE_TEST(towers_on_two_kinds_of_device, "towers on a GPU and on the CPU", "")
RILL_DEVICE_TEST(tensors_move, "tensors move between devices", "[tensors]")
RILL_DEVICE_TEST(gradients_cross_devices, "gradients cross devices", "[tensors]")
RILL_DEVICE_TEST(tensors_are_made, "tensors are made on a device", "[tensors]")
RILL_DEVICE_TEST(numbers_go_along, "numbers stand beside tensors of any device", "[tensors]")
RILL_DEVICE_TEST(numbers_have_gradients, "numbers beside tensors have gradients where they live", "[tensors]")

TEST_CASE("a number takes no launch of its own, emulated", "[cuda][emulated][tensors]") {
  const emulated::Emulation here;
  const Tensor x = ones({5, 7}, {.device = Device::cuda()}), c = x > 0, one = ones({}, {.device = Device::cuda()});
  const auto launches_of = [](const std::function<void()>& f) {
    const auto before = emulated::launches();
    f();
    return emulated::launches() - before;
  };
  CHECK(launches_of([&] { x * 2; }) == 1);
  CHECK(launches_of([&] { 1 - x; }) == 1);
  CHECK(launches_of([&] { one / 3; }) == 1);
  CHECK(launches_of([&] { x.t() + 0.5; }) == 1);
  CHECK(launches_of([&] { x >= 0.5; }) == 1);
  CHECK(launches_of([&] { x.add_(1); }) == 1);
  CHECK(launches_of([&] { where(c, x, 0); }) == 1);
  CHECK(launches_of([&] { masked_fill(x, c, -1); }) == 1);
  CHECK(launches_of([&] { lerp(x, x, 0.5); }) == 1);
}

RILL_DEVICE_TEST(memory_is_counted, "device memory is counted and reused", "[memory]")
RILL_DEVICE_TEST(streams_are_current, "streams and events order work", "[streams]")
RILL_DEVICE_TEST(pinned_memory_holds_a_copy, "pinned memory holds a copy", "[memory]")
