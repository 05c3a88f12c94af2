// The snippets of docs/porting-from-pytorch.md (porting.cpp compares) with what they are said to do.
#include "test/support/catch.h"

#include <rill/nn/attention.h>
#include <rill/nn/models.h>
#include <rill/nn/rnn.h>
#include <rill/rill.h>

#include "test/support/scratch.h"

using namespace rill;

namespace {

struct Block : nn::Module {
  nn::Linear fc1{8, 16}, fc2{16, 8};
  nn::LayerNorm norm{{8}};
  nn::Dropout drop{0.1};

  Tensor operator()(const Tensor& x) const {
    return call(x, [&](const Tensor& x) { return x + drop(fc2(gelu(fc1(norm(x))))); });
  }
  void parts(nn::Parts& p) override { p("fc1", fc1)("fc2", fc2)("norm", norm)("drop", drop); }
};

struct Net : nn::Module {
  std::vector<Block> blocks = std::vector<Block>(2);
  nn::Buffer mean{zeros({8})};
  std::optional<nn::Linear> head = nn::Linear(8, 3);

  Tensor operator()(const Tensor& x) const {
    Tensor y = x - mean;
    for (const Block& block : blocks) y = block(y);
    return head ? (*head)(y) : y;
  }
  void parts(nn::Parts& p) override { p("blocks", blocks)("mean", mean)("head", head); }
};


}  // namespace

TEST_CASE("porting from PyTorch: tensors", "[structure][porting]") {
  Tensor x = zeros({2, 3}), y = tensor({{1., 2.}, {3., 4.}}), i = arange(6, {.dtype = int64}).view({2, 3});
  x(Slice(), 0) = 5;
  x(x > 4) = 1;
  const Tensor row = x[0], part = y(Slice(0, 1), Ellipsis), picked = y(tensor({1, 0}), 1);
  const float first = y[0][1].item<float>();
  CHECK(x.to_vector<float>() == std::vector<float>{1, 0, 0, 1, 0, 0});
  CHECK(row.shares_storage(x));
  CHECK(part.shape() == Shape{1, 2});
  CHECK(picked.to_vector<float>() == std::vector<float>{4, 2});
  CHECK(first == 2);
  CHECK(i.dtype() == int64);

  const Tensor literal = tensor({1.0, 2.0}), values = tensor(std::vector<double>{1, 2});
  CHECK(literal.dtype() == float32);
  CHECK(values.dtype() == float64);

  Tensor a = ones({2}), b = a;
  b += 1;
  const Tensor c = a.clone();
  CHECK(a.to_vector<float>() == std::vector<float>{2, 2});
  CHECK_FALSE(c.shares_storage(a));
}

TEST_CASE("porting from PyTorch: a module, its names, a file", "[structure][porting]") {
  Net net;
  const ScratchFolder folder;
  const std::string path = folder / "net.safetensors";
  io::save_safetensors(path, net.state());
  net.load(io::load_safetensors(path).tensors);
  const LoadResult left = net.load(io::load_safetensors(path).tensors, {.allow_missing = true, .allow_unexpected = true});
  CHECK(left.missing.empty());
  nn::check_parts(net);
  std::vector<std::string> names;
  for (const auto& [name, t] : net.state()) names.push_back(name);
  CHECK(names.front() == "blocks.0.fc1.weight");
  CHECK(names.back() == "head.bias");

  const Net best = net;
  {
    const NoGrad off;
    net.head->bias += 1;
  }
  net = best;
  CHECK(equal(net.head->bias, best.head->bias));
}

TEST_CASE("porting from PyTorch: a training loop", "[structure][porting]") {
  manual_seed(0);
  Net net;
  const Tensor images = randn({32, 8}), labels = randint(3, {32});
  const std::int64_t epochs = 2;
  const auto [weights, others] = optim::partition(net.named_parameters(), optim::is_weight);
  optim::AdamW adam({{weights, {.lr = 3e-4, .weight_decay = 0.1}}, {others, {.lr = 3e-4, .weight_decay = 0}}});
  const optim::CosineAnnealingLr rate{.T_max = epochs};
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    net.train();
    const Tensor loss = cross_entropy(net(images), labels, {.label_smoothing = 0.1});
    adam.zero_grad();
    loss.backward();
    optim::clip_grad_norm_(net.parameters(), 1.0);
    adam.step();
    adam.scale_lr(rate(epoch + 1));
  }
  net.eval();
  const NoGrad off;
  const double accuracy = mean(eq(argmax(net(images), 1), labels).to(float32)).item<double>();
  CHECK(accuracy >= 0);
  CHECK(adam.lr() == Approx(0).margin(1e-12));

  const ScratchFolder folder;
  const std::string path = folder / "adam.safetensors";
  io::save_safetensors(path, adam.state_dict().state, {{"param_groups", adam.state_dict().param_groups}});
  const auto saved = io::load_safetensors(path);
  adam.load_state_dict({saved.tensors, saved.metadata.at("param_groups")});
  CHECK(adam.lr() == Approx(0).margin(1e-12));
  CHECK(saved.tensors.size() == 3 * adam.parameters().size());
}

TEST_CASE("porting from PyTorch: averages of weights", "[structure][porting]") {
  nn::Sequential net{nn::Linear(2, 3), nn::BatchNorm1d(3), relu};
  const Tensor images = randn({8, 2});
  const std::vector<Tensor> batches = {images, images + 1};
  const Tensor before = net[1].as<nn::BatchNorm1d>().running_mean.clone(), weight = net[0].as<nn::Linear>().weight.detach().clone();
  optim::SwaAverage swa(net.named_parameters());
  swa.update();
  {
    const auto scope = swa.swap_in();
    nn::update_bn(net, batches);
    const Tensor predicted = argmax(net(images), 1);
  }
  CHECK_FALSE(equal(net[1].as<nn::BatchNorm1d>().running_mean, before));
  CHECK(equal(net[0].as<nn::Linear>().weight, weight));
  const nn::Linear unfilled = nn::skip_init<nn::Linear>(8, 8);
  CHECK(unfilled.weight.shape() == Shape{8, 8});
}

TEST_CASE("porting from PyTorch: the same random numbers", "[structure][porting]") {
  const GeneratorScope torch(Generator::torch_compatible(0));
  const Tensor x = rand({3});
  const nn::Linear same_weights_as_pytorch(4, 2);
  CHECK(x.to_vector<float>() == std::vector<float>{0.49625658988952637f, 0.7682217955589294f, 0.08847743272781372f});  // torch.manual_seed(0); torch.rand(3)
}

TEST_CASE("porting from PyTorch: recurrent layers", "[structure][porting]") {
  nn::LSTM lstm(10, 20, {.num_layers = 2, .batch_first = true});
  const Tensor x = randn({3, 5, 10}), next = randn({3, 5, 10});
  const auto [output, state] = lstm(x);
  const auto later = lstm(next, {.initial = {state.h.detach(), state.c.detach()}, .lengths = {5, 3, 1}});
  CHECK(output.shape() == Shape{3, 5, 20});
  CHECK(later.state.h.shape() == Shape{2, 3, 20});
}

TEST_CASE("porting from PyTorch: masks of attention", "[structure][porting]") {
  const Tensor q = randn({1, 4, 8}), keep = causal_mask(4, 4);
  const Tensor a = scaled_dot_product_attention(q, q, q, {.attn_mask = keep});
  const nn::MultiheadAttention attention(8, 2, {.batch_first = true});
  const auto [b, weights] = attention(q, q, q, {.attn_mask = logical_not(keep)});
  CHECK(allclose(a, scaled_dot_product_attention(q, q, q, {.is_causal = true})));
  CHECK(weights[0][0][1].item<float>() == 0);
  CHECK(b.shape() == q.shape());
}

TEST_CASE("porting from PyTorch: hooks, gradients, checkpointing", "[structure][porting]") {
  Net net;
  Tensor seen;
  auto handle = net.blocks[1].register_forward_hook([&](const nn::Module&, const Tensor&, const Tensor& y) { return seen = y, Tensor(); });
  const Tensor x = randn({2, 8}).requires_grad_();
  const auto gradients = grad({sum(net(x))}, {x});
  handle.remove();
  CHECK(seen.shape() == Shape{2, 8});
  CHECK(gradients[0].shape() == x.shape());
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("porting from PyTorch: a part is replaced and the rest frozen", "[structure][porting]") {
  auto net = nn::models::ResNet({.classes = 10, .width = 4});
  net.requires_grad_(false);
  net.fc = nn::Linear(net.fc.weight.size(1), 5);
  const auto trained = optim::partition(net.named_parameters(), [](const std::string&, const Tensor& p) { return p.requires_grad(); });
  optim::Sgd sgd(trained.chosen, {.lr = 0.01, .momentum = 0.9});
  CHECK(trained.chosen.size() == 2);
  CHECK(trained.others.size() == 60);
}

TEST_CASE("porting from PyTorch: mixed precision", "[structure][porting]") {
  nn::Linear net(4, 3);
  optim::Sgd optimizer(net.named_parameters(), {.lr = 0.1});
  const Tensor x = randn({8, 4}), y = randint(0, 3, {8}), before = net.weight.detach().clone();
  Tensor loss;
  {
    const amp::autocast scope(bfloat16);
    loss = cross_entropy(net(x), y);
  }
  loss.backward();
  optimizer.step();
  CHECK(net.weight.dtype() == float32);
  CHECK_FALSE(equal(net.weight, before));

  const Tensor again = net.weight.detach().clone(), scaled_loss = cross_entropy(net(x), y);
  optimizer.zero_grad();
  amp::GradScaler scaler;
  scaler.scale(scaled_loss).backward();
  scaler.unscale_(optimizer);  // only for code that reads gradients
  optim::clip_grad_norm_(net.parameters(), 1.0);
  scaler.step(optimizer);
  scaler.update();
  CHECK_FALSE(equal(net.weight, again));
  CHECK(scaler.get_scale() == 65536);
}

TEST_CASE("porting from PyTorch: traps that have a line of code", "[structure][porting]") {
  const Tensor w = nn::init::trunc_normal_(empty({100}), {.std = 1.5});         // PyTorch's: cut at -2 and 2
  const Tensor v = nn::init::truncated_normal_(empty({100}), {.std = 1.5});     // TensorFlow's: cut at -3 and 3
  CHECK(max(abs(w)).item<double>() <= 2);
  CHECK(max(abs(v)).item<double>() <= 3);

  const Tensor log_p = log_softmax(randn({4, 3}), 1), q = softmax(randn({4, 3}), 1);
  const Tensor per_element = kl_div(log_p, q), per_sample = kl_div(log_p, q, {.batch_mean = true});
  CHECK(allclose(per_sample, per_element * 3));

  const Tensor ints = tensor({7, 2});
  const Tensor quotient = ints / 2, floored = floor_divide(ints, 2), average = mean(ints.to(float32));
  CHECK(quotient.dtype() == float32);
  CHECK(floored.dtype() == int64);
  CHECK(average.item<float>() == 4.5f);
  CHECK_THROWS_AS(mean(ints), DtypeError);

  const Tensor p = tensor({3., 4.}).requires_grad_();
  sum(p * p / 2).backward();
  const double norm_before_clipping = optim::clip_grad_norm_({p}, 1.0);
  CHECK(norm_before_clipping == Approx(5));

  const Tensor biased = rill::std(tensor({1., 3.}), {}, {.correction = 0});
  CHECK(biased.item<float>() == 1);
  CHECK(rill::std(tensor({1., 3.})).item<double>() == Approx(std::sqrt(2.0)));

  const nn::BatchNorm1d norm(1, {.momentum = 1.0});
  norm(tensor({{1.}, {3.}}));
  CHECK(norm.running_var.item<double>() == 2);  // unbiased, though 1 was divided by
}
