// rill::amp::GradScaler against PyTorch's (test/oracle/grad_scaler_goldens.py), its rules of use, and training with it.
#include <rill/optim/grad_scaler.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include <rill/rill.h>

#include "test/support/message.h"
#include "test/support/near.h"

using namespace rill;
using amp::GradScaler;

namespace {

Tensor leaf3() { return tensor({0.5f, -1.f, 2.f}).requires_grad_(); }
void give_gradient(const Tensor& p, double value) { p.set_grad(full(p.shape(), value)); }

}  // namespace

TEST_CASE("GradScaler takes the steps of PyTorch's, infinite gradients included", "[optim][scaler]") {
  std::ifstream file(RILL_SOURCE_DIR "/test/optim/grad_scaler_goldens.txt");
  REQUIRE(file);
  const Tensor p = leaf3(), q = leaf3();
  optim::Sgd sgd(std::vector<Tensor>{p}, {.lr = 0.1, .momentum = 0.9, .dampening = 0.5});
  optim::Adam adam(std::vector<Tensor>{q}, {.lr = 0.1});
  const amp::GradScalerOptions options{.init_scale = 1024, .growth_factor = 4, .backoff_factor = 0.25, .growth_interval = 3};
  GradScaler of_sgd(options), of_adam(options);
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    INFO(line);
    std::istringstream in(line);
    std::string name, step;
    in >> name >> step;
    const bool first = name == "sgd";
    GradScaler& scaler = first ? of_sgd : of_adam;
    if (step == "state") {
      const NamedTensors state = scaler.state_dict();
      CHECK(state.size() == 5);
      for (const auto& [key, value] : state) {
        std::string word;
        in >> word;
        CHECK(word.substr(0, word.find('=')) == key);
        CHECK(std::stod(word.substr(word.find('=') + 1)) == value.item<double>());
      }
      continue;
    }
    const int t = std::stoi(step);
    const Tensor& x = first ? p : q;
    optim::Optimizer& optimizer = first ? static_cast<optim::Optimizer&>(sgd) : adam;
    Tensor c = sin(arange(3, {.dtype = float32}) * 0.7 + 0.9 * t);
    if (t == 4 || t == 11) c[t % 3] = t == 4 ? INFINITY : -INFINITY;
    if (t == 5) c[t % 3] = NAN;
    optimizer.zero_grad();
    scaler.scale(sum(x * c) + sum(x * x)).backward();
    if (t % 2) {
      scaler.unscale_(optimizer);
      optim::clip_grad_value_({x}, 1.5);
    }
    scaler.step(optimizer);
    scaler.update();
    double scale, tracker;
    in >> scale >> tracker;
    CHECK(scaler.get_scale() == scale);
    CHECK(find(scaler.state_dict(), "_growth_tracker").item<double>() == tracker);
    for (int k = 0; k < 3; ++k) {
      double want;
      in >> want;
      CHECK(x.detach()[k].item<double>() == Approx(want).epsilon(2e-6).margin(1e-6));
    }
  }
  CHECK(lines == 30);
}

TEST_CASE("GradScaler: one update for several optimizers, of which one found an infinity", "[optim][scaler]") {
  const Tensor p = leaf3(), q = leaf3();
  optim::Sgd a(std::vector<Tensor>{p}, {.lr = 1}), b(std::vector<Tensor>{q}, {.lr = 1});
  GradScaler scaler({.init_scale = 2});
  give_gradient(p, 2), give_gradient(q, INFINITY);
  scaler.step(a), scaler.step(b);
  scaler.update();
  CHECK(equal(p.detach(), leaf3().detach() - 1));
  CHECK(equal(q.detach(), leaf3().detach()));
  CHECK(scaler.get_scale() == 1);
  scaler.update(8);
  CHECK(scaler.get_scale() == 8);
}

TEST_CASE("GradScaler keeps a factor that would overflow, and its state", "[optim][scaler]") {
  const Tensor p = leaf3();
  optim::Sgd sgd(std::vector<Tensor>{p}, {.lr = 1});
  GradScaler scaler({.init_scale = 0x1p127, .growth_interval = 1}), other;
  give_gradient(p, 0);
  scaler.step(sgd);
  scaler.update();
  CHECK(scaler.get_scale() == 0x1p127);
  other.load_state_dict(scaler.state_dict());
  CHECK(other.get_scale() == 0x1p127);
  CHECK(find(other.state_dict(), "growth_interval").item<std::int64_t>() == 1);
  CHECK(MESSAGE(ValueError, other.load_state_dict({})) == "GradScaler: the state has no number \"scale\"; it comes from a scaler that was not enabled");
}

TEST_CASE("GradScaler says what is out of order", "[optim][scaler]") {
  const Tensor p = leaf3(), half = ones({2}, {.dtype = float16}).requires_grad_();
  optim::Sgd sgd(std::vector<Tensor>{p}, {.lr = 1}), low(std::vector<Tensor>{half}, {.lr = 1});
  GradScaler scaler;
  CHECK(MESSAGE(FailedPrecondition, scaler.update()) == "update: no gradients were looked at since the last update(); call step() or unscale_() first");
  CHECK(MESSAGE(FailedPrecondition, scaler.step(sgd)) == "step: no parameter of this optimizer has a gradient; call backward() on the scaled loss first");
  scaler.update(4);
  give_gradient(p, 1);
  scaler.unscale_(sgd);
  CHECK(MESSAGE(FailedPrecondition, scaler.unscale_(sgd)) == "unscale_: the gradients of this optimizer have been divided since the last update()");
  scaler.step(sgd);
  const std::string twice = "step() has been called on this optimizer since the last update(); call update() once per step of the loop";
  CHECK(MESSAGE(FailedPrecondition, scaler.step(sgd)) == "step: " + twice);
  CHECK(MESSAGE(FailedPrecondition, scaler.unscale_(sgd)) == "unscale_: " + twice);
  half.set_grad(ones({2}, {.dtype = float16}));
  CHECK(MESSAGE(DtypeError, scaler.unscale_(low)) == "unscale_: the gradient of \"0\" is float16, which has no range left; keep parameters in float32 and use amp::autocast");
  CHECK(MESSAGE(ValueError, GradScaler({.growth_factor = 1})) == "GradScaler: growth_factor is 1; expected a finite number > 1");
  CHECK(MESSAGE(ValueError, GradScaler({.backoff_factor = 1})) == "GradScaler: backoff_factor is 1; expected a number between 0 and 1");
  CHECK(MESSAGE(DtypeError, sgd.step_unless(ones({2}))) == "step_unless: the flag is float32 [2]; expected one float32 number");
}

TEST_CASE("a GradScaler that is off does nothing", "[optim][scaler]") {
  const Tensor p = leaf3();
  optim::Sgd sgd(std::vector<Tensor>{p}, {.lr = 1});
  GradScaler off({.enabled = false});
  const Tensor loss = ones({});
  CHECK(off.scale(loss).is_same(loss));
  give_gradient(p, 1);
  off.unscale_(sgd), off.step(sgd), off.update();
  CHECK(equal(p.detach(), leaf3().detach() - 1));
  CHECK(off.get_scale() == 1);
  CHECK(off.state_dict().empty());
}

TEST_CASE("float16 autocast with a GradScaler learns what gradients too small for float16 teach", "[optim][scaler]") {
  const auto distance = [](bool scaled) {
    manual_seed(1);
    const Tensor x = randn({64, 8}), target = randn({8, 1}), w = zeros({8, 1}).requires_grad_();
    optim::Sgd sgd(std::vector<Tensor>{w}, {.lr = 2e6});
    GradScaler scaler({.enabled = scaled});
    for (int step = 0; step < 60; ++step) {
      sgd.zero_grad();
      Tensor loss;
      {
        const amp::autocast scope(float16);
        loss = mse_loss(matmul(x, w), matmul(x, target)) * 1e-7;  // gradients of the products are below 6e-8 and vanish
      }
      scaler.scale(loss).backward();
      scaler.step(sgd);
      scaler.update();
    }
    return max(abs(w.detach() - target)).item<double>();
  };
  CHECK(distance(true) < 0.05);
  CHECK(distance(false) > 0.5);
}
