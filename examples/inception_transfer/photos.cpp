#include "examples/inception_transfer/photos.h"

#include <algorithm>
#include <filesystem>
#include <span>

#include <rill/data/jpeg.h>
#include <rill/rill.h>

namespace transfer {

namespace fs = std::filesystem;
using namespace rill;

std::uint64_t hash(const std::string& bytes, std::uint64_t h) {
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

std::vector<const Photo*> Photos::of(Part part) const {
  std::vector<const Photo*> found;
  for (const Photo& p : list)
    if (p.part == part) found.push_back(&p);
  return found;
}

Photos find_photos(const std::string& root, std::int64_t validation_percent, std::int64_t test_percent) {
  if (!fs::is_directory(root)) throw NotFound("find_photos", "there is no folder \"" + root + "\"; expected one folder per class in it");
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.is_directory()) folders.push_back(entry.path().filename().string());
  std::ranges::sort(folders);

  Photos photos{root, {}, {}};
  for (const std::string& folder : folders) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(fs::path(root) / folder)) {
      std::string ending = entry.path().extension().string();
      std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
      if (entry.is_regular_file() && (ending == ".jpg" || ending == ".jpeg")) names.push_back(folder + "/" + entry.path().filename().string());
    }
    if (names.empty()) continue;
    std::ranges::sort(names);
    for (const std::string& name : names) {
      const double percent = static_cast<double>(hash(name.substr(0, name.find("_nohash_"))) >> 32) * 100 / 4294967296.0;
      const Part part = percent < static_cast<double>(validation_percent) ? Part::validation : percent < static_cast<double>(validation_percent + test_percent) ? Part::test : Part::train;
      photos.list.push_back({name, static_cast<std::int64_t>(photos.classes.size()), part});
    }
    photos.classes.push_back(folder);
  }
  if (photos.classes.size() < 2) throw ValueError("find_photos", "\"" + root + "\" has " + std::to_string(photos.classes.size()) + " folders with JPEG files; at least 2 classes are needed");
  return photos;
}

Tensor preprocess(const std::string& jpeg, const std::string& name, std::int64_t size) {
  const Tensor pixels = data::decode_jpeg(std::as_bytes(std::span(jpeg)), name);
  const Tensor image = pixels.permute({2, 0, 1}).unsqueeze(0).to(float32) * (2 / 255.0) - 1;
  return interpolate(image.contiguous(MemoryFormat::channels_last), {.size = size, .mode = ResizeMode::linear});
}

}  // namespace transfer
