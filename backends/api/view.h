// What a kernel sees of a tensor: trivially copyable, no tape, no library types.
#pragma once

#include <cstdint>

#include <rill/core/dtype.h>

namespace rill {

struct View {
  void* data;
  Dtype dtype;
  int rank;
  const std::int64_t* sizes;
  const std::int64_t* strides;  // in elements
  std::int64_t numel;
  bool contiguous;

  template <class T> T* as() const { return static_cast<T*>(data); }
};

}  // namespace rill
