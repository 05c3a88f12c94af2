// nn::DataParallel with towers on the CPU: gradients and losses of one big batch, random numbers, errors.
#include <rill/nn/data_parallel.h>

#include <atomic>
#include <thread>

#include <rill/nn/models/lenet.h>
#include <rill/rill.h>

#include "test/support/goldens.h"
#include "test/support/message.h"

using namespace rill;
using nn::DataParallel;

namespace {

const Options kExact = {.dtype = float64};
std::vector<Device> cpus(std::size_t n) { return std::vector<Device>(n, Device::cpu()); }
auto cross_entropy_of = [](auto& m, const std::vector<Tensor>& in) { return cross_entropy(m(in[0]), in[1]); };

/// The gradients, which are dropped.
std::vector<Tensor> take(const nn::Module& m) {
  std::vector<Tensor> list;
  for (const Tensor& p : m.parameters()) list.push_back(p.grad()), p.set_grad({});
  return list;
}

struct Noisy : nn::Module {
  nn::Linear fc{6, 3};
  nn::BatchNorm1d norm{3};
  nn::Dropout dropout{0.5};
  nn::Parameter unused = nn::Parameter(ones({2}));
  Tensor operator()(const Tensor& x) const { return dropout(norm(fc(x))); }
  void parts(nn::Parts& p) override { p("fc", fc)("norm", norm)("dropout", dropout)("unused", unused); }
};

}  // namespace

TEST_CASE("towers give the loss and the gradients of one big batch", "[nn][parallel]") {
  manual_seed(2);
  auto options = nn::models::LeNet5Options::modern();
  options.tensor = kExact;
  nn::models::LeNet5 net(options);
  const Tensor x = randn({7, 1, 28, 28}, kExact), y = randint(0, 10, {7});
  const Tensor loss = cross_entropy(net(x), y);
  loss.backward();
  const std::vector<Tensor> want = take(net);
  for (const std::size_t towers : {1, 2, 3, 7, 9}) {  // rows that do not divide, and more towers than rows
    INFO(towers << " towers");
    DataParallel parallel(net, cpus(towers));
    check_same(parallel.backward({x, y}, cross_entropy_of), loss.detach(), 1e-13);
    const std::vector<Tensor> have = take(net);
    for (std::size_t k = 0; k < want.size(); ++k) check_same(have[k], want[k], Within{.relative = 1e-9, .absolute = 1e-14});
  }
}

TEST_CASE("a training in towers takes the steps of a training without", "[nn][parallel]") {
  const auto train = [](std::size_t towers) {
    manual_seed(3);
    nn::Sequential net{nn::Linear(5, 8, {.tensor = kExact}), nn::Tanh(), nn::Linear(8, 4, {.tensor = kExact})};
    optim::Adam adam(net.named_parameters(), {.lr = 0.01});
    DataParallel parallel(net, cpus(std::max<std::size_t>(towers, 1)));
    double last = 0;
    for (int step = 0; step < 20; ++step) {
      const Tensor x = randn({9, 5}, kExact), y = randint(0, 4, {9});
      adam.zero_grad();
      if (towers) {
        last = parallel.backward({x, y}, cross_entropy_of).item<double>();
      } else {
        const Tensor loss = cross_entropy(net(x), y);
        loss.backward();
        default_generator().random64();  // as a call of backward() in towers
        last = loss.item<double>();
      }
      adam.step();
    }
    return last;
  };
  const double want = train(0);
  CHECK(train(2) == Approx(want).epsilon(1e-9));
  CHECK(train(4) == Approx(want).epsilon(1e-9));
}

TEST_CASE("towers run in threads, add to gradients that are there and draw reproducible numbers", "[nn][parallel]") {
  Noisy net;
  const Tensor x = randn({10, 6}), y = randint(0, 3, {10});
  const auto run = [&](bool before) {
    manual_seed(4);
    net.zero_grad();
    if (before) net.fc.bias.set_grad(ones({3}));
    std::atomic<int> others{0};
    const auto caller = std::this_thread::get_id();
    DataParallel(net, cpus(3)).backward({x, y}, [&](Noisy& m, const std::vector<Tensor>& in) {
      others += std::this_thread::get_id() != caller;
      return cross_entropy(m(in[0]), in[1]);
    });
    CHECK(others == 2);
    CHECK_FALSE(net.unused.grad().defined());
    return take(net);
  };
  const auto first = run(false), second = run(false), third = run(true);
  for (std::size_t k = 0; k + 1 < first.size(); ++k) CHECK(equal(first[k], second[k]));
  CHECK(equal(third[1], first[1] + 1));
}

TEST_CASE("towers normalise apart, and the running statistics are those of the first", "[nn][parallel]") {
  Noisy net;
  Noisy alone = net;
  const Tensor x = randn({8, 6}), y = randint(0, 3, {8});
  DataParallel(net, cpus(2)).backward({x, y}, cross_entropy_of);
  alone(x.narrow(0, 0, 4));
  check_same(net.norm.running_mean, alone.norm.running_mean, 1e-6);
  check_same(net.norm.running_var, alone.norm.running_var, 1e-6);
}

TEST_CASE("frozen parameters and evaluation mode hold in every tower", "[nn][parallel]") {
  Noisy net;
  net.fc.requires_grad_(false);
  net.eval();
  const Tensor x = randn({8, 6}), y = randint(0, 3, {8});
  const Tensor have = DataParallel(net, cpus(4)).backward({x, y}, cross_entropy_of);
  CHECK_FALSE(net.fc.weight.grad().defined());
  const Tensor want = cross_entropy(net(x), y);
  check_same(have, want.detach(), 1e-6);
}

TEST_CASE("an error in a tower reaches the caller and leaves the gradients as they were", "[nn][parallel]") {
  Noisy net;
  net.fc.bias.set_grad(full({3}, 2.0));
  const Tensor x = randn({6, 6}), y = tensor({0, 1, 2, 0, 9, 1});  // the second tower has a class that does not exist
  CHECK_THROWS_AS(DataParallel(net, cpus(2)).backward({x, y}, cross_entropy_of), IndexError);
  CHECK(equal(net.fc.bias.grad(), full({3}, 2.0)));
  CHECK_FALSE(net.fc.weight.grad().defined());
  CHECK(MESSAGE(ValueError, DataParallel(net, {})) == "DataParallel: the list of devices is empty; name one for each tower");
  CHECK(MESSAGE(DeviceError, DataParallel(net, {Device::cuda(0)})) == "DataParallel: parameter \"fc.weight\" is on cpu, the first tower on cuda:0; move the module with .to()");
  CHECK(MESSAGE(ShapeError, DataParallel(net, cpus(2)).backward({x, ones({5})}, cross_entropy_of)) ==
        "DataParallel: inputs have shapes [6, 6] and [5]; expected as many rows, at least one, on axis 0 of each");
  CHECK(MESSAGE(ValueError, DataParallel(net, cpus(2)).backward({}, cross_entropy_of)) == "DataParallel: there are no inputs; pass the tensors of the batch");
}

TEST_CASE("sums across devices keep the order of the devices", "[nn][parallel]") {
  const Tensor a = tensor({1e8f, 1.f}), b = tensor({-1e8f, 2.f}), c = tensor({1.f, 3.f});
  const auto sums = sum_across_devices({{a, {}, {}}, {b, b, {}}, {c, c, {}}});
  CHECK(equal(sums[0], tensor({1.f, 6.f})));
  CHECK(equal(sums[1], b + c));
  CHECK_FALSE(sums[2].defined());
  CHECK(sum_across_devices({}).empty());
  CHECK(MESSAGE(ShapeError, sum_across_devices({{a}, {ones({3})}})) == "sum_across_devices: tensor 0 has shapes [2] and [3]; they must match");
  CHECK(MESSAGE(DtypeError, sum_across_devices({{a}, {ones({2}, kExact)}})) == "sum_across_devices: tensor 0 has dtypes float32 and float64; they must match");
  CHECK(MESSAGE(ValueError, sum_across_devices({{a}, {}})) == "sum_across_devices: the first device has 1 tensors, another one 0; give as many of each");
}
