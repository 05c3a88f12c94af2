// Failures of a device, made up from the codes of the CUDA runtime: which ops they name.
#include <rill/core/error.h>

#include "backends/cuda/runtime.h"
#include "lib/core/op_range.h"
#include "test/support/catch.h"
#include "test/support/message.h"

using namespace rill;

TEST_CASE("a failure that shows later names the ops that can have caused it", "[cuda][errors]") {
  profiler::remember_names();
  cuda::mark_well(0);
  for (const char* op : {"relu", "conv2d", "conv2d", "add"}) {
    const OpRange here(op);
    cuda::remember_launch(0);
  }
  CHECK(MESSAGE(DeviceLost, cuda::check_runtime(cudaErrorIllegalAddress, "synchronize")) ==
        "synchronize: cuda:0 failed: an illegal memory access was encountered; it was one of the ops launched since the device was last known to be well: relu, conv2d, add; run with "
        "RILL_CUDA_BLOCKING=1 to see which");
  cuda::mark_well(0);
  {
    const OpRange here("matmul");
    cuda::remember_launch(0);
  }
  CHECK(MESSAGE(DeviceLost, cuda::check_runtime(cudaErrorLaunchFailure, "copy")).find(": matmul;") != std::string::npos);
  cuda::mark_well(0);
}

TEST_CASE("in blocking mode a failure belongs to its op", "[cuda][errors]") {
  profiler::remember_names();
  const bool before = cuda::blocking_mode();
  cuda::set_blocking_mode(true);
  {
    const OpRange outer("linear");
    const OpRange here("gemm");
    CHECK(MESSAGE(DeviceLost, cuda::check_runtime(cudaErrorIllegalAddress, "launch")) == "gemm: cuda:0 failed: an illegal memory access was encountered; its memory is lost, start the program anew");
  }
  cuda::set_blocking_mode(before);
}

TEST_CASE("other failures are errors of the op that runs", "[cuda][errors]") {
  profiler::remember_names();
  const OpRange here("softmax");
  CHECK(MESSAGE(Error, cuda::check_runtime(cudaErrorInvalidValue, "launch")) == "softmax: launch on cuda:0: invalid argument");
  CHECK(MESSAGE(OutOfMemory, cuda::check_runtime(cudaErrorMemoryAllocation, "cudaHostAlloc")).starts_with("softmax: cudaHostAlloc: no memory is left on cuda:0"));
  CHECK_NOTHROW(cuda::check_runtime(cudaSuccess, "launch"));
}

TEST_CASE("open ops are known by name, the innermost first", "[cuda][errors]") {
  profiler::remember_names();
  CHECK(std::string(profiler::current_op()).empty());
  {
    const OpRange outer("a");
    {
      const OpRange inner("b");
      CHECK(std::string(profiler::current_op()) == "b");
    }
    CHECK(std::string(profiler::current_op()) == "a");
  }
  CHECK(std::string(profiler::current_op()).empty());
}
