// Memory of one device, kept for reuse in the order of streams: best fit among the free blocks of a stream, blocks are split and
// merged inside the segments that the device gave. Plain host code over `RawMemory`, so tests run it with a device made up by them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <vector>

#include <rill/cuda/memory.h>

namespace rill::cuda {

/// What the allocator needs of a device. Events mark a point in the work of a stream.
class RawMemory {
 public:
  virtual ~RawMemory() = default;
  /// Null when the device has no memory left.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* data) noexcept = 0;
  /// Bytes that the device still has.
  virtual std::size_t free_bytes() noexcept = 0;
  virtual void* record_event(int stream) = 0;
  virtual bool query_event(void* event) noexcept = 0;
  virtual void wait_event(void* event) noexcept = 0;
  virtual void destroy_event(void* event) noexcept = 0;
};

class CachingAllocator {
 public:
  /// A piece of a segment. Only the allocator changes it.
  struct Block {
    char* data = nullptr;
    std::size_t bytes = 0;       // in use: rounded up from what was asked for
    int stream = 0;              // where it was made
    bool in_use = false;
    Block *before = nullptr, *after = nullptr;  // neighbours in the segment
    std::set<int> other_streams;                // used there, too
    std::vector<void*> pending;                 // events to wait for before it is free
  };

  /// `device` is how messages call it.
  CachingAllocator(RawMemory& raw, std::string device) : raw_(raw), device_(std::move(device)) {}
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  /// For work on `stream`; aligned to kUnit. Throws OutOfMemory after everything cached was given back in vain.
  Block* allocate(std::size_t bytes, int stream);
  /// Free for later work on its stream; where other streams used it, once they have come so far.
  void release(Block* block) noexcept;
  void record_stream(Block* block, int stream);
  /// Gives segments without a used block back to the device.
  void empty_cache();
  MemoryStats stats();
  void reset_peak();

  // Note [Segments]: requests up to kSmall are cut from segments of kSmallSegment, those up to kMedium from segments of kMediumSegment,
  // larger ones get a segment of their own, rounded up to kLargeUnit. A block keeps what is left over when less than kUnit (small) or
  // kSmall (others) would be split off.
  static constexpr std::size_t kUnit = 512, kSmall = 1 << 20, kSmallSegment = 2 << 20, kMedium = 10 << 20, kMediumSegment = 20 << 20, kLargeUnit = 2 << 20;
  static std::size_t rounded(std::size_t bytes) { return bytes < kUnit ? kUnit : (bytes + kUnit - 1) / kUnit * kUnit; }
  static std::size_t segment_for(std::size_t rounded);

 private:
  struct BySize {
    bool operator()(const Block* a, const Block* b) const { return a->bytes != b->bytes ? a->bytes < b->bytes : a->data < b->data; }
  };
  using FreeList = std::set<Block*, BySize>;
  struct Lists { FreeList small, large; };

  FreeList& list_of(const Block& b);
  Block* find(std::size_t bytes, int stream);
  Block* new_segment(std::size_t bytes, int stream);
  void split(Block* block, std::size_t bytes);
  void insert_free(Block* block);
  void make_free(Block* block);
  void take_back_finished(bool wait);
  bool trim();
  [[noreturn]] void out_of_memory(std::size_t asked);

  RawMemory& raw_;
  const std::string device_;
  std::mutex mutex_;
  std::unordered_map<int, Lists> free_;
  std::map<char*, std::size_t> segments_;  // start and size
  std::list<Block*> waiting_;              // released, but other streams may still use them
  MemoryStats stats_;
  std::int64_t cached_ = 0;                // bytes in free blocks
};

}  // namespace rill::cuda
