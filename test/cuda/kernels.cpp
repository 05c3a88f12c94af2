// Each family of kernels at sizes that the op table does not reach: several blocks, ragged ends, all kinds of layouts, 16-bit floats.
#include <rill/rill.h>

#include <functional>

#include "backends/api/backend.h"
#include "backends/cuda/kernels/window.h"
#include "test/cuda/backends.h"

using namespace rill;

namespace {

const Options kWide{.dtype = float64};

Tensor numbers(const Shape& shape, Dtype dtype, double step = 0.7311) {
  std::int64_t n = 1;
  for (const auto s : shape) n *= s;
  return (sin(arange(n, kWide) * step) * 3).reshape(shape).to(dtype);
}
/// f on the device against f on the host, there in float64 for floating inputs: within `unit` of the larger of 1 and the value.
/// 0: the same bits as the host gives in the dtype itself.
void compare(const std::vector<Tensor>& inputs, const std::function<Tensor(const std::vector<Tensor>&)>& f, double unit) {
  std::vector<Tensor> moved, wide;
  for (const Tensor& t : inputs) moved.push_back(t.to(Device::cuda())), wide.push_back(unit > 0 && is_floating(t.dtype()) ? t.to(float64) : t);
  const Tensor want = f(wide), out = f(moved);
  REQUIRE(out.device() == Device::cuda());
  REQUIRE(out.shape() == want.shape());
  if (unit == 0) REQUIRE(out.dtype() == want.dtype());
  const auto x = out.to_vector<double>(), y = want.to_vector<double>();
  std::size_t wrong = 0, first = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool same = x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i])) || std::fabs(x[i] - y[i]) <= unit * std::max(1.0, std::fabs(y[i]));
    if (!same && wrong++ == 0) first = i;
  }
  CAPTURE(first, wrong == 0 ? 0 : x[first], wrong == 0 ? 0 : y[first]);
  CHECK(wrong == 0);
}

void elementwise() {
  for (const Dtype d : {float32, float64, bfloat16, float16, int32, int64, uint8}) {
    INFO(to_string(d));
    const double unit = d == bfloat16 ? 0x1p-7 : d == float16 ? 0x1p-10 : 0;
    const Tensor a = numbers({37, 129}, d), b = numbers({37, 129}, d, 0.313);
    compare({a, b}, [](auto& x) { return x[0] + x[1]; }, 0);
    compare({a, b}, [](auto& x) { return x[0] * x[1]; }, 0);
    compare({a, b[0]}, [](auto& x) { return x[0] - x[1]; }, 0);                                  // a row for every row
    compare({a, b.select(1, 0).unsqueeze(1)}, [](auto& x) { return x[0] - x[1]; }, 0);          // a column for every column
    compare({a.t(), b}, [](auto& x) { return x[0] + x[1].t(); }, 0);
    compare({a, b}, [](auto& x) { return narrow(x[0], 1, 3, 100) + narrow(x[1], 1, 1, 100); }, 0);  // rows that begin anywhere
    compare({a}, [](auto& x) { return x[0] * 3 + 1; }, is_floating(d) && d != float64 ? 4 * std::max(unit, 0x1p-23) : 0);
    compare({a, b}, [](auto& x) { return x[0] < x[1]; }, 0);
    compare({a, b}, [](auto& x) { return where(x[0] < x[1], x[0], x[1]); }, 0);
    compare({a}, [](auto& x) { return x[0].to(float64); }, 0);
    compare({a}, [](auto& x) { return x[0].t().to(float32).contiguous(); }, 0);
  }
  const Tensor x = numbers({5, 7, 11, 13}, float32);
  compare({x}, [](auto& v) { return exp(v[0]); }, 1e-6);
  compare({x}, [](auto& v) { return v[0].permute({3, 1, 0, 2}).contiguous(); }, 0);
  compare({x}, [](auto& v) { return lerp(v[0], v[0] * 2, 0.25); }, 1e-6);
  compare({x, numbers({7, 1, 13}, float64)}, [](auto& v) { return v[0] / v[1]; }, 1e-14);
}

/// 16-bit floats that lie so that a thread loads 16 bytes, and so that it does not.
void halves() {
  for (const Dtype d : {bfloat16, float16}) {
    const Tensor a = numbers({5003}, d), b = numbers({5003}, d, 0.31);
    for (const std::int64_t first : {0, 8, 4, 1})
      for (const std::int64_t count : {8, 2048, 2056, 4999 - 8}) {
        INFO(to_string(d) << ", " << count << " from " << first);
        const auto part = [=](const Tensor& t) { return narrow(t, 0, first, count); };
        compare({a, b}, [&](auto& x) { return part(x[0]) * part(x[1]); }, 0);
        compare({a}, [&](auto& x) { return part(x[0]) * 0.3; }, 0);
        compare({a, b}, [&](auto& x) { return lerp(part(x[0]), part(x[1]), x[1][7]); }, 0);
        compare({a}, [&](auto& x) { return abs(part(x[0])); }, 0);
        compare({a, numbers({5003}, float32)}, [&](auto& x) { return part(x[0]) + part(x[1]); }, 0);
      }
  }
}

void random_numbers() {
  const Options on{.device = Device::cuda()};
  for (const std::int64_t n : {1, 15, 16, 63, 64, 65, 1000, 5000}) {
    INFO(n);
    const auto same = [&](const Tensor& device, const Tensor& host) { CHECK(device.to_vector<double>() == host.to_vector<double>()); };
    for (const Dtype d : {float32, float64, float16, bfloat16}) {
      INFO(to_string(d));
      const auto both = [&](auto fill) {
        const Tensor device = empty({n}, {.dtype = d, .device = Device::cuda()}), host = empty({n}, {.dtype = d});
        fill(device, Generator(5)), fill(host, Generator(5));
        same(device, host);
      };
      both([](const Tensor& t, const Generator& g) { uniform_(t, -1, 2, g); });
      both([](const Tensor& t, const Generator& g) { normal_(t, 1, 3, g); });
      both([](const Tensor& t, const Generator& g) { exponential_(t, 2, g); });
      both([](const Tensor& t, const Generator& g) { bernoulli_(t, 0.3, g); });
    }
    same(randint(-5, 1000, {n}, on, Generator(9)), randint(-5, 1000, {n}, {}, Generator(9)));
  }
}

void optimizers() {
  const auto train = [](Device device, Dtype dtype, const std::function<std::unique_ptr<optim::Optimizer>(std::vector<Tensor>)>& make) {
    std::vector<Tensor> parameters = {numbers({33, 65}, dtype), numbers({1}, dtype), numbers({5000}, dtype), numbers({4, 3, 5, 5}, dtype).contiguous(MemoryFormat::channels_last), numbers({6, 4}, dtype).t()};
    for (Tensor& p : parameters) p = p.to(device).requires_grad_();
    const auto method = make(parameters);
    for (int step = 0; step < 3; ++step) {
      method->zero_grad();
      for (Tensor& p : parameters) sum(p * p * p).backward();
      method->step();
    }
    std::vector<double> all;
    for (const Tensor& p : parameters)
      for (const double v : p.detach().to_vector<double>()) all.push_back(v);
    return all;
  };
  const std::function<std::unique_ptr<optim::Optimizer>(std::vector<Tensor>)> methods[] = {
      [](std::vector<Tensor> p) { return std::make_unique<optim::Sgd>(p, optim::SgdOptions{.lr = 0.01, .momentum = 0.9}); },
      [](std::vector<Tensor> p) { return std::make_unique<optim::Adam>(p, optim::AdamOptions{.lr = 0.01}); }};
  for (const auto& make : methods)
    for (const Dtype d : {float32, float64}) {
      const auto host = train(Device::cpu(), d, make), device = train(Device::cuda(), d, make);
      REQUIRE(host.size() == device.size());
      double worst = 0;
      for (std::size_t i = 0; i < host.size(); ++i) worst = std::max(worst, std::fabs(host[i] - device[i]) / std::max(1.0, std::fabs(host[i])));
      CHECK(worst <= (d == float32 ? 1e-6 : 1e-14));
    }
}

void reductions() {
  for (const Shape& shape : {Shape{70001}, Shape{3, 20000}, Shape{20000, 3}, Shape{300, 257}, Shape{7, 40, 50}, Shape{2, 3, 4, 5, 6}}) {
    INFO(to_string(shape));
    const Tensor x = numbers(shape, float32);
    const int rank = static_cast<int>(shape.rank());
    for (int mask = 1; mask < 1 << rank; ++mask) {
      Dims axes;
      for (int a = 0; a < rank; ++a)
        if (mask >> a & 1) axes.push_back(a);
      compare({x}, [&](auto& v) { return sum(v[0], axes); }, 1e-6);
      compare({x}, [&](auto& v) { return amax(v[0], axes); }, 0);
      compare({x.to(int32)}, [&](auto& v) { return sum(v[0], axes); }, 0);
    }
    compare({x}, [](auto& v) { return mean(v[0].transpose(0, -1)); }, 1e-6);
    compare({x}, [](auto& v) { return argmax(v[0], -1); }, 0);
    compare({x}, [](auto& v) { return argmin(v[0], 0); }, 0);
  }
  const Tensor nan = numbers({500}, float32);
  nan[77].fill_(std::nan(""));
  compare({nan}, [](auto& v) { return argmax(v[0], 0); }, 0);
  compare({zeros({0, 5})}, [](auto& v) { return sum(v[0], {0}); }, 0);
}

void softmaxes() {
  for (const Shape& shape : {Shape{300, 10}, Shape{3, 5000}, Shape{4, 9, 40}, Shape{1, 1}, Shape{33, 257}}) {
    INFO(to_string(shape));
    for (int axis = 0; axis < static_cast<int>(shape.rank()); ++axis) {
      compare({numbers(shape, float32) * 20}, [&](auto& v) { return softmax(v[0], axis); }, 1e-6);
      compare({numbers(shape, float32) * 20}, [&](auto& v) { return log_softmax(v[0], axis); }, 1e-6);
    }
  }
  const Tensor logits = numbers({129, 37}, float32), target = arange(129) * 11 % 37;
  compare({logits, target}, [](auto& v) { return cross_entropy(v[0], v[1]); }, 1e-6);
  compare({logits, target}, [](auto& v) {
    const Tensor x = v[0].detach().requires_grad_();
    cross_entropy(x, v[1]).backward();
    return x.grad();
  }, 1e-6);
  CHECK_THROWS_AS(cross_entropy(logits.cuda(), full({129}, 40).cuda()), IndexError);
}

void indices() {
  const Tensor x = numbers({50, 31}, float32), at = arange(400) * 7 % 50;
  compare({x, at}, [](auto& v) { return index_select(v[0], 0, v[1]); }, 0);
  compare({x, arange(9) * 3}, [](auto& v) { return index_select(v[0], 1, v[1]); }, 0);
  compare({x, at, numbers({400, 31}, float32)}, [](auto& v) { return index_add(v[0], 0, v[1], v[2]); }, 0);  // duplicates in index order: the same bits
  compare({x, at, numbers({400, 31}, float32)}, [](auto& v) { return index_copy(v[0], 0, v[1], v[2]); }, 0);
  compare({x, (arange(50 * 31) % 31).reshape({50, 31})}, [](auto& v) { return gather(v[0], 1, v[1]); }, 0);
  compare({x}, [](auto& v) { return masked_select(v[0], v[0] > 0.5); }, 0);
  compare({numbers({9001}, float32)}, [](auto& v) { return masked_select(v[0], v[0] > 0.5); }, 0);
  compare({x, x}, [](auto& v) { return cat({v[0], v[1]}, 1); }, 0);
  CHECK_THROWS_AS(index_select(x.cuda(), 0, tensor({3, 50}).cuda()), IndexError);
}

void norms() {
  for (const Shape& shape : {Shape{64, 7, 9, 11}, Shape{5, 33, 40}, Shape{300, 40}, Shape{2, 8, 3000}}) {
    INFO(to_string(shape));
    const Tensor x = numbers(shape, float32) + 100, w = numbers({shape[1]}, float32), b = numbers({shape[1]}, float32, 0.2);
    const auto loss = [](const Tensor& y) { return sum(y * numbers(y.shape(), y.dtype(), 1).to(y.device())); };
    const auto gradient = [&](auto f, int which) {
      return [=](auto& v) {
        std::vector<Tensor> leaves;
        for (const Tensor& t : v) leaves.push_back(t.detach().requires_grad_());
        loss(f(leaves)).backward();
        return leaves[static_cast<std::size_t>(which)].grad();
      };
    };
    const auto batch = [](const std::vector<Tensor>& v) { return batch_norm(v[0], {}, {}, v[1], v[2], {.training = true}); };
    const auto rectified = [](const std::vector<Tensor>& v) { return batch_norm(v[0], {}, {}, v[1], v[2], {.training = true, .relu = true}); };
    const auto layer = [](const std::vector<Tensor>& v) { return layer_norm(v[0], {v[0].shape().back()}); };
    const auto group = [](const std::vector<Tensor>& v) { return group_norm(v[0], 1, v[1], v[2]); };
    compare({x, w, b}, batch, 1e-4), compare({x, w, b}, layer, 1e-4), compare({x, w, b}, group, 1e-4);
    for (int which = 0; which < 3; ++which) compare({x, w, b}, gradient(batch, which), 1e-3), compare({x, w, b}, gradient(group, which), 1e-3);
    compare({x}, gradient(layer, 0), 1e-3);
    compare({x - 100, w, b}, rectified, 1e-4);
    for (int which = 0; which < 3; ++which) compare({x - 100, w, b}, gradient(rectified, which), 1e-3);
    const auto joined = [&](const std::vector<Tensor>& v) { return cat({v[0], rectified(v), batch(v)}, 1); };  // their gradients are parts of one
    for (int which = 0; which < 3; ++which) compare({x - 100, w, b}, gradient(joined, which), 1e-3);
    for (const Dtype half : {float16, bfloat16}) {
      const Tensor h = (x - 100).to(half);
      compare({h, w, b}, rectified, half == bfloat16 ? 0x1p-8 : 0x1p-11), compare({h, w, b}, gradient(rectified, 0), 0x1p-6);
    }
  }
}

void average_pools() {
  for (const Dtype d : {float32, float64, float16, bfloat16}) {
    INFO(to_string(d));
    const double unit = d == bfloat16 ? 0x1p-8 : d == float16 ? 0x1p-11 : 1e-6;
    const auto pools = [](const std::vector<Tensor>& v) {
      const AvgPoolOptions o{.stride = 2, .padding = 1};
      return cat({avg_pool1d(v[0].flatten(2), 3, o).flatten(), avg_pool2d(v[0].flatten(3), 3, o).flatten(), avg_pool3d(v[0], 3, o).flatten()}, 0);
    };
    for (const MemoryFormat format : {MemoryFormat::contiguous, MemoryFormat::channels_last}) compare({numbers({3, 5, 7, 6, 9}, d).contiguous(format)}, pools, unit);
  }
}

void scans_and_sorts() {
  for (const Shape& shape : {Shape{5000}, Shape{3, 700}, Shape{40, 9, 33}}) {
    INFO(to_string(shape));
    const Tensor x = numbers(shape, float32);
    for (int axis = 0; axis < static_cast<int>(shape.rank()); ++axis) {
      compare({x}, [&](auto& v) { return cumsum(v[0], axis); }, 1e-5);
      compare({x.to(int32)}, [&](auto& v) { return cumsum(v[0], axis); }, 0);
      compare({x}, [&](auto& v) { return cummax(v[0], axis).indices; }, 0);
      compare({x}, [&](auto& v) { return logcumsumexp(v[0], axis); }, 1e-6);
      for (const Dtype d : {float32, int64, bfloat16, uint8}) {
        compare({x.to(d)}, [&](auto& v) { return sort(v[0], axis).values; }, 0);
        compare({x.to(d)}, [&](auto& v) { return argsort(v[0], axis); }, 0);
      }
      compare({x}, [&](auto& v) { return topk(v[0], 3, axis).indices; }, 0);
    }
  }
}

/// Few different values, in any order.
Tensor repeating(const Shape& shape, Dtype dtype) { return round(numbers(shape, float64) * 2).to(dtype); }

void order_statistics() {
  for (const Shape& shape : {Shape{2500}, Shape{3, 700}, Shape{40, 9, 33}, Shape{5, 1}}) {
    INFO(to_string(shape));
    for (int axis = 0; axis < static_cast<int>(shape.rank()); ++axis)
      for (const Dtype d : {float32, float64, bfloat16, int64, uint8}) {
        INFO(to_string(d));
        Tensor x = repeating(shape, d);
        if (is_floating(d)) x = where(gt(numbers(shape, float64, 0.91), 2.5), std::nan(""), x);
        const std::int64_t k = (x.size(axis) + 1) / 2;
        for (const bool nan : {true, false}) {
          if (!nan && is_floating(d)) x = repeating(shape, d);
          compare({x}, [&](auto& v) { return median(v[0], axis).indices; }, 0);
          compare({x}, [&](auto& v) { return nanmedian(v[0], axis).indices; }, 0);
          compare({x}, [&](auto& v) { return mode(v[0], axis).indices; }, 0);
          compare({x}, [&](auto& v) { return kthvalue(v[0], k, axis).indices; }, 0);
        }
      }
  }
  compare({full({7}, std::nan(""))}, [](auto& v) { return nanmedian(v[0], 0).indices; }, 0);
  compare({numbers({4, 5}, float64)}, [](auto& v) {
    const Tensor x = v[0].detach().requires_grad_();
    sum(median(x, 1).values * 3).backward();
    return x.grad();
  }, 0);
}

void searches() {
  for (const Dtype d : {float32, float64, bfloat16, int64, int8}) {
    INFO(to_string(d));
    const Tensor x = repeating({3, 1700}, d), sorted = sort(repeating({3, 90}, d)).values;
    for (const bool right : {false, true}) {
      compare({sorted, x}, [&](auto& v) { return searchsorted(v[0], v[1], right); }, 0);
      compare({sorted, x}, [&](auto& v) { return bucketize(v[1], v[0][1], right); }, 0);
    }
    compare({x, sorted}, [](auto& v) { return isin(v[0], v[1]); }, 0);
    for (const Tensor& t : {x.reshape({5100}), x, x.reshape({1700, 3}), x.reshape({3, 17, 100}).transpose(0, 2)})
      for (int axis = -1; axis < 2 && axis < static_cast<int>(t.dim()); ++axis) {
        const UniqueOptions o{.inverse = true, .counts = true, .axis = axis < 0 ? std::nullopt : std::optional<std::int64_t>(axis)};
        for (const auto what : {&Unique::values, &Unique::inverse, &Unique::counts}) {
          compare({t}, [&](auto& v) { return unique(v[0], o).*what; }, 0);
          compare({t}, [&](auto& v) { return unique_consecutive(v[0], o).*what; }, 0);
        }
      }
  }
  compare({tensor({1., std::nan(""), std::nan(""), -0., 0.})}, [](auto& v) { return unique(v[0]).values; }, 0);
  compare({tensor({3, 0, 7})}, [](auto& v) { return one_hot(v[0]); }, 0);
  CHECK_THROWS_AS(one_hot(tensor({7}).cuda(), 3), IndexError);
}

void draws() {
  const auto same = [](const std::function<Tensor(Device)>& f) { CHECK(f(Device::cuda()).to_vector<double>() == f(Device::cpu()).to_vector<double>()); };
  for (const std::int64_t n : {0, 1, 2, 7, 256, 5000})
    same([&](Device d) { return randperm(n, {.device = d}, Generator(11)); });
  const Tensor weights = abs(numbers({7, 611}, float64)) * gt(numbers({7, 611}, float64, 0.37), -2).to(float64);
  for (const bool replacement : {false, true}) {
    same([&](Device d) { return multinomial(weights.to(d), 300, {.replacement = replacement}, Generator(12)); });
    same([&](Device d) { return multinomial(weights[3].to(d), 1, {.replacement = replacement}, Generator(13)); });
  }
  const Tensor rates = cat({zeros({5}, kWide), linspace(0.01, 40, 3000, kWide), full({20}, 3e9, kWide)});
  same([&](Device d) { return poisson(rates.to(d), Generator(14)); });
  const auto torch = [] { return Generator::torch_compatible(15); };  // one after the other, in host memory
  same([&](Device d) { return rand({100}, {.device = d}, torch()); });
  same([&](Device d) { return randn({100}, {.device = d}, torch()); });
  same([&](Device d) { return randint(0, 9, {100}, {.device = d}, torch()); });
  same([&](Device d) { return randperm(100, {.device = d}, torch()); });
  same([&](Device d) { return bernoulli(full({100}, 0.3, {.device = d}), torch()); });
  same([&](Device d) { return multinomial(weights.to(d), 20, {}, torch()); });
}

void paths() {
  const Tensor x = log_softmax(numbers({23, 5, 7}, float64) * 2, 2);
  Tensor targets = (arange(5 * 9) * 5 % 6 + 1).reshape({5, 9});
  targets[1].fill_(3);  // one label again and again
  targets[2][4].copy_(targets[2][3]);
  const Tensor inputs = tensor({23, 20, 23, 7, 0}), lengths = tensor({9, 4, 8, 9, 0});  // the fourth is too short for its target
  const auto loss = [&](const Tensor& p, Device d, bool zero) { return ctc_loss(p, targets.to(d), inputs.to(d), lengths.to(d), {.zero_infinity = zero, .reduction = Reduction::none}); };
  for (const Dtype dtype : {float32, float64})
    for (const bool zero : {false, true}) {
      const double unit = dtype == float32 ? 1e-5 : 1e-12;
      compare({x.to(dtype)}, [&](auto& v) { return loss(v[0], v[0].device(), zero); }, unit);
      compare({x.to(dtype)}, [&](auto& v) {
        const Tensor p = v[0].detach().requires_grad_();
        sum(loss(p, p.device(), zero) * (arange(5, {.device = p.device()}) + 1)).backward();
        return p.grad();
      }, unit);
    }
}

void windows() {
  const Tensor x = numbers({3, 4, 17, 19}, float32), w = numbers({6, 2, 3, 3}, float32), b = numbers({6}, float32);
  for (const bool last : {false, true}) {
    const Tensor in = last ? x.contiguous(MemoryFormat::channels_last) : x;
    compare({in, w.contiguous(MemoryFormat::channels_last)}, [](auto& v) {
      const Tensor leaf = v[1].detach().requires_grad_(), y = conv2d(v[0], leaf, {}, {.groups = 2});
      sum(y * y).backward();
      return leaf.grad();
    }, 1e-3);
    for (const Dtype d : {bfloat16, float16})
      compare({in.to(d), w.to(d), b.to(d)}, [](auto& v) { return conv2d(v[0], v[1], v[2], {.stride = {2, 1}, .groups = 2}); }, d == bfloat16 ? 0x1p-7 : 0x1p-10);
    for (const ConvPadding& pad : {ConvPadding{0, 0}, ConvPadding{1, 2}}) {
      const auto f = [&](const std::vector<Tensor>& v) { return conv2d(v[0], v[1], v[2], {.stride = {2, 1}, .padding = pad, .groups = 2}); };
      compare({in, w, b}, f, 1e-4);
      for (const int which : {0, 1, 2})
        compare({in, w, b}, [&](auto& v) {
          std::vector<Tensor> leaves;
          for (const Tensor& t : v) leaves.push_back(t.detach().requires_grad_());
          const Tensor y = f(leaves);
          sum(y * y).backward();
          return leaves[static_cast<std::size_t>(which)].grad();
        }, 1e-3);
    }
    compare({in}, [](auto& v) { return max_pool2d(v[0], {3, 3}, {.stride = {1, 2}, .padding = {1, 1}}).contiguous(); }, 0);
    compare({in}, [](auto& v) {
      const Tensor leaf = v[0].detach().requires_grad_(), y = max_pool2d(leaf, {3, 3}, {.stride = {1, 2}, .padding = {1, 1}});
      sum(y * y).backward();
      return leaf.grad();
    }, 1e-5);
  }
}

void scaled_steps() {
  const auto train = [](Device device) {
    const Tensor p = numbers({33, 65}, float32).to(device).requires_grad_();
    optim::Sgd sgd(std::vector<Tensor>{p}, {.lr = 0.01, .momentum = 0.9});
    amp::GradScaler scaler({.init_scale = 8, .growth_interval = 2});
    for (int step = 0; step < 5; ++step) {
      sgd.zero_grad();
      const Tensor loss = sum(p * p * p);
      scaler.scale(step == 2 ? loss * INFINITY : loss).backward();  // that step changes nothing
      scaler.step(sgd);
      scaler.update();
    }
    std::vector<double> all = p.detach().to_vector<double>();
    all.push_back(scaler.get_scale());
    return all;
  };
  const auto host = train(Device::cpu()), device = train(Device::cuda());
  REQUIRE(host.size() == device.size());
  double worst = 0;
  for (std::size_t i = 0; i < host.size(); ++i) worst = std::max(worst, std::fabs(host[i] - device[i]) / (1 + std::fabs(host[i])));
  CHECK(worst < 1e-6);
  CHECK(host.back() == 16);  // doubled, halved, doubled
}

}  // namespace

TEST_CASE("linear layers and their gradients take one pass where they can, emulated", "[cuda][emulated][matmul]") {
  const emulated::Emulation here;
  struct Case { Shape x, bias; Dtype dtype; bool one_pass; };
  for (const Case& c : {Case{{7, 5}, {3}, float32, true}, {{2, 4, 5}, {3}, float32, true}, {{5}, {3}, float32, true}, {{7, 5}, {1, 3}, float32, false}, {{7, 5}, {1}, float32, false},
                        {{7, 5}, {3}, float64, false}, {{7, 5}, {3}, bfloat16, false}, {{0, 5}, {3}, float32, false}}) {
    const int before = emulated::one_pass_calls;
    const auto gradients = [&](Device device) {
      std::vector<Tensor> all;
      for (const Tensor& t : {numbers(c.x, c.dtype), numbers({3, 5}, c.dtype), numbers(c.bias, c.dtype)}) all.push_back(t.to(device).requires_grad_());
      const Tensor y = linear(all[0], all[1], all[2]);
      sum(y * y).backward();
      std::vector<Tensor> out = {y.detach().cpu()};
      for (const Tensor& t : all) out.push_back(t.grad().cpu());
      return out;
    };
    const auto found = gradients(Device::cuda()), want = gradients(Device::cpu());
    CHECK(emulated::one_pass_calls - before == (c.one_pass ? 2 : 0));
    const double unit = c.dtype == bfloat16 ? 0x1p-6 : 1e-5;
    for (std::size_t i = 0; i < want.size(); ++i) CHECK(allclose(found[i], want[i], unit, unit));
  }
  const auto gradgrad = [](Device device) {  // differentiable again
    const Tensor x = numbers({4, 5}, float32).to(device).requires_grad_(), w = numbers({3, 5}, float32).to(device).requires_grad_(), b = numbers({3}, float32).to(device).requires_grad_();
    const Tensor y = linear(x, w, b), gw = grad({sum(y * y * y)}, {w, b}, {}, {.create_graph = true})[0];
    return grad({sum(gw * gw)}, {x})[0].cpu();
  };
  CHECK(allclose(gradgrad(Device::cuda()), gradgrad(Device::cpu()), 1e-4, 1e-4));
}

TEST_CASE("a bias is added to each channel in both formats, emulated", "[cuda][emulated][conv]") {
  const emulated::Emulation here;
  for (const Dtype d : {float32, float64, bfloat16})
    for (const bool last : {false, true}) {
      const Tensor x = numbers({3, 4, 5, 7}, d).contiguous(last ? MemoryFormat::channels_last : MemoryFormat::contiguous), b = numbers({4}, d), want = x + b.reshape({4, 1, 1});
      const Tensor y = x.to(Device::cuda()), bias = b.to(Device::cuda());
      emulated::add_bias(view(bias), view(y));
      CHECK(allclose(y.cpu(), want, 0, 0));
    }
}

namespace {

void products() {
  for (const Dtype d : {float32, float64, bfloat16, int64}) {
    INFO(to_string(d));
    const double unit = d == float32 ? 5e-5 : d == float64 ? 1e-13 : d == bfloat16 ? 0x1p-6 : 0;
    compare({numbers({70, 33}, d), numbers({33, 45}, d)}, [](auto& v) { return matmul(v[0], v[1]); }, unit);
    compare({numbers({33, 70}, d), numbers({45, 33}, d)}, [](auto& v) { return matmul(v[0].t(), v[1].t()); }, unit);
    compare({numbers({3, 20, 17}, d), numbers({17, 9}, d)}, [](auto& v) { return matmul(v[0], v[1]); }, unit);
    compare({numbers({2, 3, 20, 17}, d), numbers({3, 17, 9}, d)}, [](auto& v) { return matmul(v[0], v[1]); }, unit);
    compare({numbers({5, 0}, d), numbers({0, 4}, d)}, [](auto& v) { return matmul(v[0], v[1]); }, 0);
  }
}

}  // namespace

RILL_DEVICE_TEST(elementwise, "elementwise kernels take any layout and dtype", "[map][sanitize]")
RILL_DEVICE_TEST(halves, "16-bit floats of any alignment", "[map][sanitize]")
RILL_DEVICE_TEST(random_numbers, "random numbers have the bits of the host", "[random][sanitize]")
RILL_DEVICE_TEST(optimizers, "optimizers update many tensors in one launch", "[update][sanitize]")
RILL_DEVICE_TEST(scaled_steps, "a step with infinite gradients is skipped on the device", "[update][sanitize]")
RILL_DEVICE_TEST(reductions, "reductions over any axes", "[reduce][sanitize]")
RILL_DEVICE_TEST(softmaxes, "softmax and cross entropy along any axis", "[softmax][sanitize]")
RILL_DEVICE_TEST(indices, "indices with duplicates, masks, joining", "[index][sanitize]")
RILL_DEVICE_TEST(norms, "norms of rows and channels and their gradients", "[norm][sanitize]")
RILL_DEVICE_TEST(average_pools, "average pools in every floating dtype", "[pool][sanitize]")
RILL_DEVICE_TEST(scans_and_sorts, "running sums and order along any axis", "[scan][sanitize]")
RILL_DEVICE_TEST(order_statistics, "order statistics along any axis", "[sort][sanitize]")
RILL_DEVICE_TEST(searches, "searching and different elements", "[sort][sanitize]")
RILL_DEVICE_TEST(draws, "permutations, choices and counts have the bits of the host", "[random][sanitize]")
RILL_DEVICE_TEST(paths, "connectionist temporal classification", "[ctc][sanitize]")
RILL_DEVICE_TEST(windows, "convolutions and maximum pools", "[conv][sanitize]")
RILL_DEVICE_TEST(products, "matrix products", "[matmul][sanitize]")
