#include "test/examples/workbench.h"

#include <fstream>

#include <rill/io/safetensors.h>
#include <rill/nn/models/inception_v3.h>

using namespace rill;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// Folders "fine" and "coarse" with copies of two pictures of test/data/jpeg_goldens.txt.
void write_photos(const ScratchFolder& folder, int copies) {
  std::ifstream in(RILL_SOURCE_DIR "/test/data/jpeg_goldens.txt");
  std::string name, bytes, height, width, pixels;
  while (in >> name >> bytes >> height >> width >> pixels) {
    if (name != "baseline" && name != "grey") continue;
    std::string file;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) file.push_back(static_cast<char>(std::stoi(bytes.substr(i, 2), nullptr, 16)));
    const fs::path to = folder.path / "photos" / (name == "grey" ? "coarse" : "fine");
    fs::create_directories(to);
    for (int i = 0; i < copies; ++i) spill(to / ("p" + std::to_string(i) + (i % 2 ? ".JPG" : ".jpeg")), file);
  }
  fs::create_directories(folder.path / "photos/empty");
  spill(folder / "photos/LICENSE.txt", "free");
}

}  // namespace

#ifdef RILL_WITH_JPEG

TEST_CASE("inception_transfer: features are computed once, kept while nothing changes, and tell the classes apart", "[examples]") {
  Workbench w;
  write_photos(w, 12);
  const std::string common = "--data photos --size 75 --steps 60 --batch 10 --lr 1 --eval-every 30 --report-every 30 ";
  REQUIRE(w.run(INCEPTION_TRANSFER, common + "--width 0.1 --output out.safetensors") == 0);
  CHECK_THAT(w.output, Contains("2 classes, ") && Contains("no --weights are given: the features are those of a random network") && Contains("features of 24 photographs, 24 of them new") &&
                           Contains("step 60  validation accuracy: "));
  CHECK(w.number_after("training accuracy: ") == 1);
  const auto saved = io::load_safetensors(w / "out.safetensors");
  CHECK(saved.metadata.at("classes") == "coarse\nfine\n");
  CHECK(saved.find("fc.weight").size(0) == 2);

  REQUIRE(w.run(INCEPTION_TRANSFER, common + "--width 0.1") == 0);
  CHECK_THAT(w.output, Contains("features of 24 photographs, 0 of them new"));
  fs::copy_file(w.path / "photos/fine/p0.jpeg", w.path / "photos/coarse/p0.jpeg", fs::copy_options::overwrite_existing);
  fs::remove(w.path / "photos/coarse/p2.jpeg");
  REQUIRE(w.run(INCEPTION_TRANSFER, common + "--width 0.1") == 0);
  CHECK_THAT(w.output, Contains("features of 23 photographs, 1 of them new"));
  CHECK(io::load_safetensors(w / "inception-features.safetensors").tensors.size() == 23);

  REQUIRE(w.run(INCEPTION_TRANSFER, common + "--width 0.1 --seed 2") == 0);
  CHECK_THAT(w.output, Contains("\"inception-features.safetensors\" is not used: it was made with other weights or settings") && Contains("features of 23 photographs, 23 of them new"));
  const std::string cache = slurp(w / "inception-features.safetensors");
  spill(w / "inception-features.safetensors", cache.substr(0, cache.size() / 2));
  REQUIRE(w.run(INCEPTION_TRANSFER, common + "--width 0.1 --seed 2") == 0);
  CHECK_THAT(w.output, Contains("is not used: load_safetensors: ") && Contains("23 of them new"));

  spill(w / "photos/fine/p1.JPG", slurp(w / "photos/fine/p1.JPG").substr(0, 200));
  check_calls(w, INCEPTION_TRANSFER, {{"--help", 0, "--weights TEXT"},
                                      {"", 2, "inception_transfer: --data is missing; --help lists the flags"},
                                      {"--data nowhere", 1, "error: find_photos: there is no folder \"nowhere\""},
                                      {"--data photos/fine", 1, "error: find_photos: \"photos/fine\" has 0 folders with JPEG files; at least 2 classes are needed"},
                                      {"--data photos --weights x --width 0.5", 2, "inception_transfer: --width is for random networks; --weights fixes it"},
                                      {"--data photos --size 74", 1, "error: train: size is 74; expected at least 75"},
                                      {"--data photos --weights out.safetensors", 1, "error: load: "},
                                      {"--data photos --weights inception-features.safetensors", 1, "has no tensor fc.bias; expected Inception-v3 under torchvision's names"},
                                      {"--data photos --validation 100 --test 0", 1, "error: train: no photograph is left for training; lower --validation and --test"},
                                      {common + "--width 0.1", 1, "error: decode_jpeg: \"fine/p1.JPG\" is damaged or no JPEG file: "}});
}

TEST_CASE("inception_transfer takes torchvision's weights", "[examples]") {
  Workbench w;
  write_photos(w, 2);
  nn::models::InceptionV3 model({.classes = 3});
  io::save_safetensors(w / "weights.safetensors", model.state());
  REQUIRE(w.run(INCEPTION_TRANSFER, "--data photos --validation 0 --test 0 --size 75 --steps 5 --batch 4 --weights weights.safetensors --output out.safetensors") == 0);
  CHECK_THAT(w.output, Contains("580 tensors from \"weights.safetensors\"") && !Contains("random network") && Contains("test accuracy: nan"));
  const auto saved = io::load_safetensors(w / "out.safetensors");
  CHECK(slurp(w / "out.safetensors").size() > 80'000'000);
  CHECK(saved.find("Mixed_7c.branch_pool.conv.weight").to_vector<float>() == model.mixed_7c.branch_pool.conv.weight.to_vector<float>());
}

#else

TEST_CASE("inception_transfer without libjpeg says so", "[examples]") {
  Workbench w;
  write_photos(w, 2);
  check_calls(w, INCEPTION_TRANSFER, {{"--data photos --width 0.1 --size 75", 1, "error: decode_jpeg: this build has no JPEG decoder"}});
}

#endif
