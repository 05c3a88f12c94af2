// Transfer learning: the body of Inception-v3 is frozen, a new last layer learns to tell the classes of a folder of photographs apart.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>

#include <rill/nn/models.h>
#include <rill/rill.h>

#include "examples/inception_transfer/feature_cache.h"
#include "examples/inception_transfer/photos.h"
#include "examples/support/checkpoints.h"
#include "examples/support/progress.h"

using namespace rill;

namespace {

struct Settings {
  std::string data, weights, cache = "inception-features.safetensors", output;
  std::int64_t size = 299, steps = 4000, batch = 100, validation = 10, test = 10, seed = 1, eval_every = 500, report_every = 500;
  double lr = 0.01, width = 1;
};

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw IoError("open", "\"" + path + "\" cannot be read");
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Network {
  nn::models::InceptionV3 model;
  std::string key;  // tells one set of weights from another
};

/// With the weights of a file under torchvision's names, or with random ones.
Network network(const Settings& s) {
  nn::models::InceptionV3Options options{.aux_head = false};
  options.blocks.depth_multiplier = s.width;
  if (s.weights.empty()) {
    std::printf("no --weights are given: the features are those of a random network, far from what trained weights give\n");
    options.classes = 1;
    return {nn::models::InceptionV3(options), "random " + std::to_string(s.seed) + " width " + std::to_string(s.width)};
  }
  const auto file = io::load_safetensors(s.weights);
  const Tensor bias = file.find("fc.bias");
  if (!bias.defined()) throw ValueError("load", "\"" + s.weights + "\" has no tensor fc.bias; expected Inception-v3 under torchvision's names");
  options.classes = bias.numel();
  nn::models::InceptionV3 model(options);
  model.load(file.tensors, {.allow_unexpected = true});  // the auxiliary head is not needed
  std::printf("%lld tensors from \"%s\"\n", static_cast<long long>(file.tensors.size()), s.weights.c_str());
  return {std::move(model), "weights " + std::to_string(transfer::hash(contents(s.weights)))};
}

struct Examples { Tensor features, labels; };

/// Features of all photographs of a part; the network runs for those that the cache lacks.
Examples gather(const std::vector<const transfer::Photo*>& photos, const std::string& root, const nn::models::InceptionV3& model, std::int64_t size, transfer::FeatureCache& cache) {
  const InferenceMode inference;
  std::vector<Tensor> rows;
  std::vector<std::int64_t> labels;
  for (const transfer::Photo* photo : photos) {
    const std::string bytes = contents(root + "/" + photo->name);
    const std::uint64_t content = transfer::hash(bytes);
    Tensor features = cache.find(photo->name, content);
    if (!features.defined()) {
      features = model.features(transfer::preprocess(bytes, photo->name, size)).squeeze(0);
      cache.add(photo->name, content, features);
      if (cache.added() % 50 == 0) {  // so that little is lost when the program is stopped
        cache.save();
        std::printf("%lld new photographs\n", static_cast<long long>(cache.added()));
        std::fflush(stdout);
      }
    }
    rows.push_back(features);
    labels.push_back(photo->label);
  }
  if (rows.empty()) return {};
  return {stack(rows), tensor(labels)};
}

double accuracy(const nn::Linear& head, const Examples& set) {
  if (!set.labels.defined()) return std::nan("");
  const InferenceMode inference;
  return mean(eq(argmax(head(set.features), 1), set.labels).to(float32)).item<double>();
}

/// A new last layer for so many classes; only it is trained.
void replace_head(nn::models::InceptionV3& model, std::int64_t classes) {
  nn::Linear head(model.fc.weight.size(1), classes);
  nn::init::truncated_normal_(head.weight, {.std = 0.001});
  nn::init::zeros_(head.bias);
  model.fc = head;
  model.requires_grad_(false);
  model.fc.requires_grad_();
}

void train(nn::models::InceptionV3& model, const Settings& s, const Examples& known, const Examples& validation) {
  const auto trained = optim::partition(model.named_parameters(), [](const std::string&, const Tensor& p) { return p.requires_grad(); });
  optim::Sgd sgd(trained.chosen, {.lr = s.lr});
  examples::Progress progress(0, s.steps, s.batch, s.report_every);
  for (std::int64_t step = 1; step <= s.steps; ++step) {
    const Tensor rows = randint(known.labels.numel(), {s.batch});
    const Tensor loss = cross_entropy(model.fc(index_select(known.features, 0, rows)), index_select(known.labels, 0, rows));
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    examples::check_loss(loss.item<double>(), step);
    progress.update(step, loss.item<double>());
    if (step % s.eval_every == 0) {
      progress.clear();
      std::printf("step %lld  validation accuracy: %.4f\n", static_cast<long long>(step), accuracy(model.fc, validation));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run([&] {
    Settings s;
    examples::Flags flags("inception_transfer", "teaches the last layer of Inception-v3 new classes");
    flags.add("data", s.data, "folder with one folder of JPEG photographs per class")
        .add("weights", s.weights, "safetensors file with torchvision's Inception-v3; empty: a random network")
        .add("cache", s.cache, "file for the features of the photographs")
        .add("output", s.output, "safetensors file for the whole network with its new head; empty: none")
        .add("size", s.size, "photographs are scaled to so many pixels")
        .add("steps", s.steps, "training steps of the head")
        .add("batch", s.batch, "photographs per step")
        .add("lr", s.lr, "learning rate")
        .add("validation", s.validation, "percentage of the photographs that is kept for validation")
        .add("test", s.test, "percentage that is kept for the test")
        .add("eval-every", s.eval_every, "steps between looks at the validation accuracy")
        .add("width", s.width, "factor of the numbers of channels of a random network")
        .add("seed", s.seed, "of random weights and of the batches")
        .add("report-every", s.report_every, "steps between lines of progress where there is no terminal; 0: silent");
    if (!flags.parse(argc, argv)) return;
    if (s.data.empty()) throw examples::UsageError("inception_transfer", "--data is missing; --help lists the flags");
    if (!s.weights.empty() && s.width != 1) throw examples::UsageError("inception_transfer", "--width is for random networks; --weights fixes it");
    examples::check_least("batch", s.batch, 1), examples::check_least("eval-every", s.eval_every, 1), examples::check_least("size", s.size, nn::models::InceptionV3::min_input());
    manual_seed(static_cast<std::uint64_t>(s.seed));

    const auto photos = transfer::find_photos(s.data, s.validation, s.test);
    const auto of = [&](transfer::Part part) { return photos.of(part); };
    using transfer::Part;
    std::printf("%zu classes, %zu training, %zu validation, %zu test photographs\n", photos.classes.size(), of(Part::train).size(), of(Part::validation).size(), of(Part::test).size());
    if (of(Part::train).empty()) throw ValueError("train", "no photograph is left for training; lower --validation and --test");

    auto [model, key] = network(s);
    model.eval();
    transfer::FeatureCache cache(s.cache, key + ", " + std::to_string(s.size) + " pixels, bilinear, [-1, 1]");
    if (!cache.discarded().empty()) std::printf("\"%s\" is not used: %s\n", s.cache.c_str(), cache.discarded().c_str());
    const Examples train_set = gather(of(Part::train), s.data, model, s.size, cache);
    const Examples validation = gather(of(Part::validation), s.data, model, s.size, cache), test = gather(of(Part::test), s.data, model, s.size, cache);
    cache.drop_unused();
    cache.save();
    std::printf("features of %zu photographs, %lld of them new\n", photos.list.size(), static_cast<long long>(cache.added()));

    replace_head(model, static_cast<std::int64_t>(photos.classes.size()));
    train(model, s, train_set, validation);
    std::printf("training accuracy: %.4f\ntest accuracy: %.4f\n", accuracy(model.fc, train_set), accuracy(model.fc, test));
    if (s.output.empty()) return;
    std::string names;
    for (const auto& name : photos.classes) names += name + "\n";
    io::save_safetensors(s.output, model.state(), {{"classes", names}, {"size", std::to_string(s.size)}});
  });
}
