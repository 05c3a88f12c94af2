// The layer rule of docs/architecture.md: every #include line of the project is an edge that the table allows.
#include "test/support/catch.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace fs = std::filesystem;

namespace {

const fs::path kRoot = RILL_SOURCE_DIR;

/// The layer a path (relative to the root, or as written in an #include) belongs to.
std::string layer_of(const std::string& path) {
  const std::pair<const char*, const char*> prefixes[] = {
      {"include/rill/rill.h", "umbrella"}, {"rill/rill.h", "umbrella"},
      {"include/rill/core/", "core"}, {"rill/core/", "core"}, {"lib/core/", "core"},
      {"include/rill/ops/", "ops"}, {"rill/ops/", "ops"},
      {"include/rill/cuda/", "cuda-api"}, {"rill/cuda/", "cuda-api"},
      {"include/rill/autograd/", "autograd-api"}, {"rill/autograd/", "autograd-api"},
      {"include/rill/metrics/", "metrics"}, {"rill/metrics/", "metrics"}, {"nn/metrics/", "metrics"},
      {"include/rill/nn/", "nn"}, {"rill/nn/", "nn"}, {"nn/", "nn"},
      {"include/rill/optim/", "optim"}, {"rill/optim/", "optim"}, {"optim/", "optim"},
      {"include/rill/data/", "data"}, {"rill/data/", "data"}, {"data/", "data"},
      {"include/rill/io/", "io"}, {"rill/io/", "io"}, {"lib/io/", "io"},
      {"include/rill/interop/", "interop"}, {"rill/interop/", "interop"}, {"lib/interop/", "interop"},
      {"backends/api/", "backend-api"}, {"backends/cpu/", "cpu"}, {"backends/cuda/", "cuda"}, {"backends/", "registry"},
      {"autograd/", "autograd"}, {"examples/", "examples"}};
  for (const auto& [prefix, layer] : prefixes)
    if (path.starts_with(prefix)) return layer;
  return "";
}

const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"core", {"core"}},
    {"cuda-api", {"core", "cuda-api"}},
    {"backend-api", {"core", "cuda-api", "backend-api"}},
    {"registry", {"core", "cuda-api", "backend-api", "cuda"}},
    {"cpu", {"core", "backend-api", "cpu"}},
    {"cuda", {"core", "cuda-api", "backend-api", "cuda"}},
    {"ops", {"core", "ops"}},
    {"autograd-api", {"core", "ops", "autograd-api"}},
    {"autograd", {"core", "backend-api", "ops", "autograd-api", "autograd"}},
    {"nn", {"core", "ops", "autograd-api", "nn"}},
    {"metrics", {"core", "ops", "autograd-api", "metrics"}},
    {"optim", {"core", "ops", "autograd-api", "backend-api", "optim"}},
    {"data", {"core", "ops", "data", "io"}},
    {"io", {"core", "ops", "io"}},
    {"interop", {"core", "ops", "interop"}},
    {"umbrella", {"core", "ops", "autograd-api", "nn", "metrics", "optim", "data", "io"}},
    {"examples", {"core", "ops", "autograd-api", "nn", "metrics", "optim", "data", "io", "interop", "cuda-api", "umbrella", "examples"}},
};

/// Third-party headers and the layers that may name them.
const std::map<std::string, std::set<std::string>> kThirdParty = {
    {"fmt/", {"core", "interop", "io", "data", "nn", "optim", "autograd", "examples"}}, {"xsimd/", {"cpu"}}, {"dnnl", {"cpu"}}, {"oneapi/", {"cpu"}},
    {"nlohmann/", {"io", "interop", "optim"}}, {"zlib.h", {"data", "io"}}, {"xtensor/", {"interop", "data"}}, {"omp.h", {"cpu"}}, {"jpeglib.h", {"data"}}, {"jerror.h", {"data"}},
    {"cuda_", {"cuda"}}, {"cub/", {"cuda"}}, {"cublas", {"cuda"}}, {"cudnn", {"cuda"}}, {"cusolver", {"cuda"}}, {"nccl", {"cuda"}},
};

}  // namespace

TEST_CASE("every include follows the layer rule", "[structure]") {
  int edges = 0;
  for (const char* top : {"include", "lib", "autograd", "backends", "nn", "optim", "data", "examples"}) {
    if (!fs::exists(kRoot / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / top)) {
      const auto ext = entry.path().extension();
      if (ext != ".h" && ext != ".cpp" && ext != ".cu" && ext != ".cuh") continue;
      const std::string path = fs::relative(entry.path(), kRoot).generic_string(), from = layer_of(path);
      INFO(path);
      REQUIRE(!from.empty());
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        if (!line.starts_with("#include")) continue;
        const auto open = line.find_first_of("<\"");
        if (open == std::string::npos) continue;
        const std::string name = line.substr(open + 1, line.find_first_of(">\"", open + 1) - open - 1), to = layer_of(name);
        INFO(line);
        if (!to.empty()) {
          ++edges;
          CHECK(kMayInclude.at(from).count(to) == 1);
        }
        for (const auto& [prefix, layers] : kThirdParty)
          if (name.starts_with(prefix)) CHECK(layers.count(from) == 1);
      }
    }
  }
  CHECK(edges > 100);
}

TEST_CASE("the top level holds only the agreed entries", "[structure]") {
  const std::set<std::string> allowed = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "include", "lib", "autograd", "backends", "nn", "optim",
                                         "data", "examples", "test", "scripts", "bench", "docs"};
  for (const auto& entry : fs::directory_iterator(kRoot)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".") || name.starts_with("build")) continue;
    CHECK(allowed.count(name) == 1);
  }
}
