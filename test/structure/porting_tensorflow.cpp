// The snippets of docs/porting-from-tensorflow1.md (porting.cpp compares) with what they are said to do.
#include "test/support/catch.h"

#include <cmath>

#include <rill/nn/cell_wrappers.h>
#include <rill/nn/dynamic_rnn.h>
#include <rill/nn/models.h>
#include <rill/nn/tf_cells.h>
#include <rill/nn/variable_store.h>
#include <rill/rill.h>

#include "test/support/scratch.h"

using namespace rill;

namespace {

struct Mlp : nn::Module {
  nn::Linear layer1{784, 500}, layer2{500, 10};

  Mlp() {
    for (const nn::Linear* layer : {&layer1, &layer2}) {
      nn::init::truncated_normal_(layer->weight, {.std = 0.1});
      nn::init::zeros_(layer->bias);
    }
  }
  Tensor operator()(const Tensor& x) const { return layer2(relu(layer1(x))); }
  void parts(nn::Parts& p) override { p("layer1", layer1)("layer2", layer2); }
};

}  // namespace

TEST_CASE("porting from TensorFlow: no graph, no session", "[structure][porting]") {
  const Tensor w1 = nn::init::normal_(empty({2, 3})), w2 = nn::init::normal_(empty({3, 1}));
  const auto y = [&](const Tensor& x) { return matmul(matmul(x, w1), w2); };
  const float value = y(tensor({{0.7, 0.9}})).item<float>();
  CHECK(std::isfinite(value));
}

TEST_CASE("porting from TensorFlow: the random stream", "[structure][porting]") {
  const Tensor w1 = normal_(empty({2, 3}), 0, 1, Generator::tensorflow_compatible(1));
  const Tensor w2 = normal_(empty({3, 1}), 0, 1, Generator::tensorflow_compatible(1));
  CHECK(matmul(matmul(tensor({{0.7, 0.9}}), w1), w2).item<float>() == Approx(3.9575779f));
}

TEST_CASE("porting from TensorFlow: the best practice of the course", "[structure][porting]") {
  const ScratchFolder scratch;
  const std::string folder = scratch / "checkpoints";
  const Tensor images = rand({20, 784}), labels = randint(10, {20});
  {
    Mlp model;
    optim::Sgd sgd(model.named_parameters(), {.lr = 0.8});
    optim::MovingAverage average(model.named_parameters(), {.decay = 0.99});
    const optim::ExponentialDecay rate{.base = 0.8, .steps = 550, .decay = 0.99, .staircase = true};
    const std::vector<Tensor> weights = optim::decayable(model.named_parameters());
    for (std::int64_t step = 0; step < 3; ++step) {
      const Tensor loss = cross_entropy(model(images), labels) + optim::l2(weights, 1e-4);
      sgd.zero_grad();
      loss.backward();
      sgd.set_lr(rate(step));
      sgd.step();
      average.update(step + 1);
    }
    NamedTensors tensors = model.state();
    for (const auto& shadow : average.state()) tensors.push_back(shadow);
    io::save_checkpoint(folder, 3, tensors, {{"lr", sgd.lr()}});
    CHECK(find(tensors, "layer1.weight/ExponentialMovingAverage").defined());
  }

  Mlp model;
  const auto newest = io::load_latest_checkpoint(folder).checkpoint;
  model.load(optim::averaged(newest->tensors));
  CHECK(newest->step == 3);
}

TEST_CASE("porting from TensorFlow: variables by name", "[structure][porting]") {
  nn::VariableStore store;
  const auto inference = [&](const Tensor& x, nn::Reuse reuse) {
    const auto scope = store.scope("layer1", {.reuse = reuse, .initializer = [](const Tensor& w) { nn::init::truncated_normal_(w, {.std = 0.1}); }});
    const Tensor weights = store.get("weights", {784, 500}, {.regularizer = [](const Tensor& w) { return optim::l2({w}, 1e-4); }});
    const Tensor biases = store.get("biases", {500}, {.initializer = [](const Tensor& b) { nn::init::zeros_(b); }});
    return relu(matmul(x, weights) + biases);
  };
  inference(rand({1, 784}), nn::Reuse::create);
  inference(rand({1, 784}), nn::Reuse::reuse);
  CHECK(store.named_parameters().size() == 2);
  CHECK(store.losses().size() == 1);
  CHECK(store.contains("layer1/weights"));
}

TEST_CASE("porting from TensorFlow: collections", "[structure][porting]") {
  Mlp model;
  const Tensor images = rand({20, 784}), labels = randint(10, {20});
  optim::LossCollector losses;
  losses.add(cross_entropy(model(images), labels));
  losses.add_regularization(optim::l2({model.layer1.weight}, 1e-4));
  const Tensor objective = losses.total();
  CHECK(objective.item<double>() > losses.loss().item<double>());
}

TEST_CASE("porting from TensorFlow: SAME padding and layouts", "[structure][porting]") {
  const auto same = [](const Tensor& x, std::int64_t kernel, std::int64_t stride) {  // of the last two axes
    Dims pads;
    for (const int axis : {3, 2}) {
      const std::int64_t n = x.size(axis), out = (n + stride - 1) / stride, total = std::max<std::int64_t>((out - 1) * stride + kernel - n, 0);
      pads.push_back(total / 2), pads.push_back(total - total / 2);
    }
    return pad(x, pads);
  };
  const Tensor nhwc = tensor({{{{1.}, {-1.}, {0.}}, {{-1.}, {2.}, {1.}}, {{0.}, {2.}, {-2.}}}}), hwio = tensor({{{{1.}}, {{-1.}}}, {{{0.}}, {{2.}}}});
  const Tensor x = nhwc.permute({0, 3, 1, 2}), w = hwio.permute({3, 2, 0, 1});
  const Tensor y = conv2d(same(x, 2, 2), w, tensor({1.}), {.stride = 2});
  CHECK(x.is_contiguous(MemoryFormat::channels_last));
  CHECK(equal(y, tensor({{{{7., 1.}, {-1., -1.}}}})));

  const Tensor means = avg_pool2d(x, 3, {.stride = 1, .padding = 1, .count_include_pad = false});
  CHECK(means[0][0][0][0].item<float>() == Approx(0.25));
}

TEST_CASE("porting from TensorFlow: a dense layer after flattening", "[structure][porting]") {
  nn::models::LeNet5 net;
  const Tensor kernel = rand({3136, 512}), conv = rand({5, 5, 32, 64});
  {
    const NoGrad off;
    net.conv2.weight.copy_(conv.permute({3, 2, 0, 1}));
    net.fc[0].weight.copy_(kernel.view({7, 7, 64, 512}).permute({3, 2, 0, 1}).reshape({512, 3136}));
  }
  // pixel (2, 3) of channel 5 is row 2 * 7 * 64 + 3 * 64 + 5 there and column 5 * 49 + 2 * 7 + 3 here
  CHECK(net.fc[0].weight[100][5 * 49 + 2 * 7 + 3].item<float>() == kernel[2 * 448 + 3 * 64 + 5][100].item<float>());
  CHECK(net.conv2.weight[63][31][4][0].item<float>() == conv[4][0][31][63].item<float>());
}

TEST_CASE("porting from TensorFlow: batch normalisation", "[structure][porting]") {
  const nn::BatchNorm2d norm(64, {.eps = 1e-3, .momentum = 1 - 0.9997});
  CHECK(norm.options.momentum == Approx(0.0003));
}

TEST_CASE("porting from TensorFlow: optimizers", "[structure][porting]") {
  const NamedTensors parameters = Mlp().named_parameters();
  optim::Adam adam(parameters, {.eps = 0.1, .eps_hat = true});
  optim::RmsProp rms_prop(parameters, {.lr = 0.045, .alpha = 0.9, .eps = 1, .momentum = 0.9, .initial_mean_square = 1, .eps_inside_root = true, .lr_in_buffer = true});
  optim::Adagrad adagrad(parameters, {.lr = 0.1, .initial_accumulator_value = 0.1, .eps = 0});
  optim::Adadelta adadelta(parameters, {.lr = 0.001, .rho = 0.95, .eps = 1e-8});
  CHECK(adam.lr() == 1e-3);

  const std::vector<Tensor> gradients = {tensor({3., 4.}), tensor({0., 12.})};
  const auto [clipped, norm] = optim::clip_by_global_norm(gradients, 5);
  CHECK(norm.item<double>() == 13);
  CHECK(clipped[1][1].item<float>() == Approx(4.6153846));
}

TEST_CASE("porting from TensorFlow: recurrent cells", "[structure][porting]") {
  const nn::MultiRNNCell cell({nn::DropoutWrapper(nn::tf::BasicLSTMCell(10, 20), {.output_keep_prob = 0.9}), nn::tf::BasicLSTMCell(20, 20)});
  const auto [output, state] = nn::dynamic_rnn(cell, rand({3, 5, 10}), {.lengths = {5, 2, 4}});
  CHECK(output.shape() == Shape{3, 5, 20});
  CHECK(sum(abs(output[1].narrow(0, 2, 3))).item<double>() == 0);
  const NamedTensors variables = nn::tf::variables(cell);
  CHECK(find(variables, "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel").shape() == Shape{30, 80});

  const Tensor kernel = rand({30, 80}), bias = rand({80});
  const LstmWeights same_numbers = nn::tf::import_tf_lstm(kernel, bias);
  CHECK(same_numbers.ih.shape() == Shape{80, 10});
}

TEST_CASE("porting from TensorFlow: towers", "[structure][porting]") {
  using Model = nn::Linear;
  Model model(4, 3);
  optim::Sgd optimizer(model.named_parameters(), {.lr = 0.1});
  const Tensor images = rand({6, 4}), labels = randint(0, 3, {6}), before = cross_entropy(model(images), labels).detach();
  nn::DataParallel parallel(model, {Device::cpu(), Device::cpu()});  // or Device::cuda(0), Device::cuda(1), ...
  const Tensor loss = parallel.backward({images, labels}, [](Model& tower, const std::vector<Tensor>& in) { return cross_entropy(tower(in[0]), in[1]); });
  optimizer.step();
  CHECK(allclose(loss, before, 1e-5));
  CHECK(cross_entropy(model(images), labels).item<float>() < loss.item<float>());
}

TEST_CASE("porting from TensorFlow: losses that need a second look", "[structure][porting]") {
  const Tensor logits = tensor({{2., -1., 3.}, {1., 0., -0.5}}), labels = tensor({2, 0});
  const Tensor per_example = cross_entropy(logits, labels, {.reduction = Reduction::none});
  const Tensor objective = mean(per_example);
  CHECK(per_example[0].item<float>() == Approx(0.32656264));
  CHECK(objective.item<float>() == Approx((0.32656264 + 0.46436878) / 2));

  const Tensor kept = dropout(ones({1000}), 1 - 0.9);  // keep_prob = 0.9
  const Tensor rows = ones({8, 5, 6}) * dropout(ones({8, 5, 1}), 0.5);  // noise_shape = [8, 5, 1]
  CHECK(equal(rows, rows.select(2, 0).unsqueeze(2).expand({8, 5, 6})));
  CHECK(sum(kept == 0).item<int>() < 200);
}
