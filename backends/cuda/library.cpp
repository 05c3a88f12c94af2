#include "backends/cuda/library.h"

#include <dlfcn.h>

#include "lib/core/check.h"
#include "lib/core/op_range.h"

namespace rill::cuda {

void* AnyFunction::loaded() const {
  library_.load();
  return address_.load(std::memory_order_acquire);
}

void Library::load() {
  const std::lock_guard lock(mutex_);
  const char* op = profiler::current_op();
  if (!handle_) handle_ = dlopen(file_, RTLD_NOW | RTLD_LOCAL);
  if (!handle_) {
    const char* why = dlerror();
    fail<Error>(op, "{} cannot be loaded ({}); install it, or name its folder in LD_LIBRARY_PATH before the program starts, or move the operands with .to(Device::cpu())",
                name_, why ? why : file_);
  }
  for (const AnyFunction* f : functions_) {
    void* at = dlsym(handle_, f->name_);
    check<Error>(at, op, "{} ({}) has no function {}; install the version that rill was built with or a later one", name_, file_, f->name_);
    f->address_.store(at, std::memory_order_release);
  }
}

void* Library::find(const char* function) {
  load();
  return dlsym(handle_, function);
}

}  // namespace rill::cuda
