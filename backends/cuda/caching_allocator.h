// Memory of one device, kept for reuse in the order of streams: best fit among the free blocks of a stream, blocks are split and
// merged inside the segments that the device gave. Plain host code over `RawMemory`, so tests run it with a device made up by them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
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
  /// Addresses without memory, in multiples of the allocator's granules, enough for all memory of the device; null where it has no such thing.
  virtual void* reserve() { return nullptr; }
  /// Puts memory behind a part of what `reserve` returned, whole granules of so many bytes. False when the device has none left.
  virtual bool map(void* /*data*/, std::size_t /*bytes*/, std::size_t /*granule*/) { return false; }
  /// Takes it away again, after the work that may use it. False when that cannot be waited for now (in a capture): nothing has changed.
  virtual bool unmap(void* /*data*/, std::size_t /*bytes*/) noexcept { return false; }
  /// The size of what `reserve` returns.
  virtual std::size_t reservation() noexcept { return 0; }
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
    bool small = false;          // of a segment of small blocks
    bool grows = false;          // of a segment that grows
    bool mapped = true;          // there is memory behind its addresses
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
  /// A number to allocate with instead of a stream's: memory of a captured graph. Nothing of it is given back before `drop_pool`, as the
  /// graph uses addresses that no block holds any more.
  int make_pool();
  void drop_pool(int pool) noexcept;
  /// Gives segments without a used block back to the device.
  void empty_cache();
  MemoryStats stats();
  void reset_peak();
  /// Whether new memory for streams goes to segments that grow.
  void use_growing_segments(bool on);

  // Note [Segments]: requests up to kSmall are cut from segments of kSmallSegment, those up to kMedium from segments of kMediumSegment,
  // larger ones get a segment of their own, rounded up to kLargeUnit. A block keeps what is left over when less than kUnit (small) or
  // kSmall (others) would be split off.
  //
  // Note [Segments that grow]: with use_growing_segments(true) a stream has one segment for small and one for other requests. It has addresses for
  // all memory of the device, and memory, in granules of the sizes of segments above, only where blocks have needed it. A free block that is too
  // small is continued by new memory behind it instead of waiting for its like, and granules that no block uses go back to the device wherever they
  // lie. Graphs keep to the other kind.
  static constexpr std::size_t kUnit = 512, kSmall = 1 << 20, kSmallSegment = 2 << 20, kMedium = 10 << 20, kMediumSegment = 20 << 20, kLargeUnit = 2 << 20;
  static std::size_t rounded(std::size_t bytes) { return bytes < kUnit ? kUnit : (bytes + kUnit - 1) / kUnit * kUnit; }
  static std::size_t segment_for(std::size_t rounded);

 private:
  struct BySize {
    bool operator()(const Block* a, const Block* b) const { return a->bytes != b->bytes ? a->bytes < b->bytes : a->data < b->data; }
  };
  using FreeList = std::set<Block*, BySize>;
  struct Lists { FreeList small, large; };
  static std::size_t granule_of(bool small) { return small ? kSmallSegment : kMediumSegment; }

  FreeList& list_of(const Block& b);
  Block* find(std::size_t bytes, int stream);
  Block* new_segment(std::size_t bytes, int stream);
  void split(Block* block, std::size_t bytes);
  void insert_free(Block* block);
  void make_free(Block* block);
  void unlist(Block* block);
  Block* joined(Block* first, Block* second);
  Block* cut(Block* block, std::size_t bytes);
  Block* grow(std::size_t bytes, int stream);
  bool shrink(Block* block);
  void take_back_finished(bool wait);
  bool trim();
  bool trim(Lists& lists);
  [[noreturn]] void out_of_memory(std::size_t asked);

  RawMemory& raw_;
  const std::string device_;
  std::mutex mutex_;
  std::unordered_map<int, Lists> free_;
  std::map<std::pair<int, bool>, std::unique_ptr<Block>> growing_;  // by stream and kind: the first block of a segment that grows, which stays
  bool grow_ = false;
  std::list<Block*> waiting_;              // released, but other streams may still use them
  static constexpr int kFirstPool = 1 << 16;
  std::set<int> pools_;                    // of graphs that live
  int next_pool_ = kFirstPool;
  MemoryStats stats_;
  std::int64_t cached_ = 0;                // bytes in free blocks
};

}  // namespace rill::cuda
