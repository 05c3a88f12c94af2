// Memory from the pool for the time of a scope.
#pragma once

#include <cstdint>

#include "lib/core/memory_pool.h"

namespace rill::cpu {

class Scratch {
 public:
  explicit Scratch(std::int64_t bytes) : bytes_(static_cast<std::size_t>(bytes)), data_(bytes ? pool::allocate(bytes_) : nullptr) {}
  ~Scratch() { if (data_) pool::release(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* get() const { return data_; }  ///< null for 0 bytes

 private:
  std::size_t bytes_;
  void* data_;
};

}  // namespace rill::cpu
