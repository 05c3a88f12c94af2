// CUDA's libraries: which functions are asked for, and that programs which use no device do without them.
#include "backends/cuda/libraries.h"

#include <fstream>

#include <rill/rill.h>

#include "lib/core/op_range.h"
#include "test/cuda/emulation.h"
#include "test/support/catch.h"
#include "test/support/message.h"

using namespace rill;

namespace {

/// The paths of the shared libraries in this process that are CUDA's.
std::vector<std::string> loaded() {
  std::vector<std::string> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    for (const char* name : {"libcudart", "libcublas", "libcusolver", "libcusparse", "libcudnn", "libnccl", "libnvJitLink"})
      if (line.find(name) != std::string::npos) found.push_back(line.substr(line.find('/')));
  return found;
}

namespace missing {
extern cuda::Library library;
constinit const cuda::Function<int(int)> twice{library, "rill_twice"};
constexpr const cuda::AnyFunction* kFunctions[] = {&twice};
constinit cuda::Library library{"cuTwice", "librill-twice.so.3", kFunctions};
}  // namespace missing

namespace incomplete {
extern cuda::Library library;
constinit const cuda::Function<int(int)> absolute{library, "abs"}, twice{library, "rill_twice"};
constexpr const cuda::AnyFunction* kFunctions[] = {&absolute, &twice};
constinit cuda::Library library{"the C library", "libc.so.6", kFunctions};
}  // namespace incomplete

}  // namespace

TEST_CASE("tensors on the CPU need none of CUDA's libraries", "[.][unloaded]") {  // a process of its own: test/CMakeLists.txt
  const Tensor x = randn({8, 8}).requires_grad_(), w = randn({8, 8, 3, 3});
  sum(matmul(x, x) + inverse(x) + conv2d(x.reshape({1, 8, 8, 1}).expand({1, 8, 8, 8}), w, {}, {.padding = 1})[0][0]).backward();
  CHECK(x.grad().defined());
  CHECK(loaded().empty());
  cuda::cublaslt::library.load();
  CHECK_FALSE(loaded().empty());
}

TEST_CASE("CUDA's libraries have every function that is asked of them", "[cuda]") {
  const auto all = cuda::libraries();
  CHECK(all.size() >= 4);
  for (cuda::Library* library : all) {
    INFO(library->name());
    CHECK_NOTHROW(library->load());
  }
  CHECK(std::string(cuda::cublasGetStatusString(CUBLAS_STATUS_ALLOC_FAILED)) == "the resource allocation failed");
}

TEST_CASE("a library that is missing, or a function in it, is named with the op that needs it", "[cuda]") {
  const emulated::Emulation here;
  const OpRange running("some_op", ones({2}));
  CHECK(MESSAGE(Error, missing::twice(2)) == "some_op: cuTwice cannot be loaded (librill-twice.so.3: cannot open shared object file: No such file or directory); install it, or name its folder "
                                             "in LD_LIBRARY_PATH before the program starts, or move the operands with .to(Device::cpu())");
  CHECK(MESSAGE(Error, incomplete::twice(2)) == "some_op: the C library (libc.so.6) has no function rill_twice; install the version that rill was built with or a later one");
  CHECK(incomplete::absolute(-3) == 3);
}
