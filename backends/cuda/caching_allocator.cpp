#include "backends/cuda/caching_allocator.h"

#include <algorithm>
#include <memory>

#include "lib/core/check.h"

namespace rill::cuda {

std::size_t CachingAllocator::segment_for(std::size_t rounded) {
  if (rounded <= kSmall) return kSmallSegment;
  if (rounded <= kMedium) return kMediumSegment;
  return (rounded + kLargeUnit - 1) / kLargeUnit * kLargeUnit;
}

/// Small blocks live in segments of their own, so that they do not cut large ones into pieces.
CachingAllocator::FreeList& CachingAllocator::list_of(const Block& b) {
  Lists& lists = free_[b.stream];
  return b.small ? lists.small : lists.large;
}

CachingAllocator::Block* CachingAllocator::find(std::size_t bytes, int stream) {
  Lists& lists = free_[stream];
  FreeList& list = bytes <= kSmall ? lists.small : lists.large;
  Block wanted;
  wanted.bytes = bytes;
  const auto at = list.lower_bound(&wanted);
  if (at == list.end()) return nullptr;
  Block* block = *at;
  list.erase(at);
  cached_ -= static_cast<std::int64_t>(block->bytes);
  return block;
}

CachingAllocator::Block* CachingAllocator::new_segment(std::size_t bytes, int stream) {
  if (grow_ && stream < kFirstPool) return grow(bytes, stream);
  const std::size_t size = segment_for(bytes);
  auto block = std::make_unique<Block>();
  void* data = raw_.allocate(size);
  ++stats_.device_calls;
  if (!data) return nullptr;
  stats_.reserved_bytes += static_cast<std::int64_t>(size);
  block->data = static_cast<char*>(data);
  block->bytes = size;
  block->stream = stream;
  block->small = size == kSmallSegment;
  return block.release();
}

/// Shortens a block to so many bytes; the rest becomes a block behind it, of the same kind and in no list.
CachingAllocator::Block* CachingAllocator::cut(Block* block, std::size_t bytes) {
  auto* tail = new Block;
  tail->data = block->data + bytes;
  tail->bytes = block->bytes - bytes;
  tail->stream = block->stream;
  tail->small = block->small, tail->grows = block->grows, tail->mapped = block->mapped;
  tail->before = block;
  tail->after = block->after;
  if (tail->after) tail->after->before = tail;
  block->after = tail;
  block->bytes = bytes;
  return tail;
}
/// Neighbours become one block.
CachingAllocator::Block* CachingAllocator::joined(Block* first, Block* second) {
  first->bytes += second->bytes;
  first->after = second->after;
  if (first->after) first->after->before = first;
  delete second;
  return first;
}

void CachingAllocator::split(Block* block, std::size_t bytes) {
  if (block->bytes - bytes >= (bytes <= kSmall ? kUnit : kSmall + 1)) insert_free(cut(block, bytes));
}

void CachingAllocator::insert_free(Block* block) {
  list_of(*block).insert(block);
  cached_ += static_cast<std::int64_t>(block->bytes);
}
void CachingAllocator::unlist(Block* block) {
  list_of(*block).erase(block);
  cached_ -= static_cast<std::int64_t>(block->bytes);
}

/// Joins a block with its free neighbours and lists the result.
void CachingAllocator::make_free(Block* block) {
  block->in_use = false;
  const auto is_free = [](const Block* b) { return b && !b->in_use && b->mapped; };
  if (Block* b = block->before; is_free(b)) unlist(b), block = joined(b, block);
  if (Block* a = block->after; is_free(a)) unlist(a), block = joined(block, a);
  insert_free(block);
}

// ---- segments that grow -------------------------------------------------------------------------------------------------------------

/// Puts memory where, with free neighbours, it makes a block of so many bytes: at the lowest address where that fits.
CachingAllocator::Block* CachingAllocator::grow(std::size_t bytes, int stream) {
  const bool small = bytes <= kSmall;
  const std::size_t granule = granule_of(small);
  std::unique_ptr<Block>& first = growing_[{stream, small}];
  if (!first) {
    auto segment = std::make_unique<Block>();
    segment->data = static_cast<char*>(raw_.reserve());
    if (!segment->data) {
      grow_ = false;  // the device has no such thing
      return new_segment(bytes, stream);
    }
    segment->bytes = raw_.reservation() / granule * granule;
    segment->stream = stream, segment->small = small, segment->grows = true, segment->mapped = false;
    first = std::move(segment);
  }
  const auto free_bytes = [](const Block* b) { return b && !b->in_use && b->mapped ? b->bytes : 0; };
  for (Block* hole = first.get(); hole; hole = hole->after) {
    if (hole->mapped) continue;
    const std::size_t front = free_bytes(hole->before), missing = (bytes - front + granule - 1) / granule * granule;
    const std::size_t wanted = std::min(missing, hole->bytes), back = wanted == hole->bytes ? free_bytes(hole->after) : 0;
    if (front + wanted + back < bytes) continue;
    ++stats_.device_calls;
    if (!raw_.map(hole->data, wanted, granule)) return nullptr;
    stats_.reserved_bytes += static_cast<std::int64_t>(wanted);
    if (wanted < hole->bytes) cut(hole, wanted);
    hole->mapped = true;
    Block* block = hole;
    if (front) unlist(block->before), block = joined(block->before, block);
    if (back) unlist(block->after), block = joined(block, block->after);
    return block;
  }
  return nullptr;
}

/// Gives the whole granules of a free block that is in no list back; what remains at its ends is listed. False when there are none.
bool CachingAllocator::shrink(Block* block) {
  const std::size_t granule = granule_of(block->small);
  const std::size_t start = static_cast<std::size_t>(block->data - growing_[{block->stream, block->small}]->data);
  const std::size_t begin = (start + granule - 1) / granule * granule, end = (start + block->bytes) / granule * granule;
  if (begin >= end) return insert_free(block), false;
  if (begin > start) {
    Block* rest = cut(block, begin - start);
    insert_free(block);
    block = rest;
  }
  if (block->bytes > end - begin) insert_free(cut(block, end - begin));
  if (!raw_.unmap(block->data, block->bytes)) return make_free(block), false;
  stats_.reserved_bytes -= static_cast<std::int64_t>(block->bytes);
  block->mapped = false;
  if (Block* b = block->before; b && !b->mapped) block = joined(b, block);
  if (Block* a = block->after; a && !a->mapped) joined(block, a);
  return true;
}

void CachingAllocator::use_growing_segments(bool on) {
  const std::lock_guard lock(mutex_);
  grow_ = on;
}

CachingAllocator::Block* CachingAllocator::allocate(std::size_t asked, int stream) {
  const std::lock_guard lock(mutex_);
  if (asked > std::size_t{1} << 60) out_of_memory(asked);
  const std::size_t bytes = rounded(asked);
  if (stream < kFirstPool) take_back_finished(false);  // events cannot be asked during a capture
  Block* block = find(bytes, stream);
  if (!block) block = new_segment(bytes, stream);
  if (!block) {
    ++stats_.retries;
    take_back_finished(true);
    block = find(bytes, stream);
    if (!block && trim()) block = new_segment(bytes, stream);
    if (!block) out_of_memory(asked);
  }
  split(block, bytes);
  block->in_use = true;
  ++stats_.blocks;
  stats_.allocated_bytes += static_cast<std::int64_t>(block->bytes);
  stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.allocated_bytes);
  return block;
}

void CachingAllocator::release(Block* block) noexcept {
  const std::lock_guard lock(mutex_);
  --stats_.blocks;
  stats_.allocated_bytes -= static_cast<std::int64_t>(block->bytes);
  try {
    for (const int stream : block->other_streams) block->pending.push_back(raw_.record_event(stream));
    block->other_streams.clear();
    if (!block->pending.empty()) return waiting_.push_back(block);
    make_free(block);
  } catch (...) {  // the device is lost, or the host has no memory: nobody gets this block again
  }
}

void CachingAllocator::record_stream(Block* block, int stream) {
  const std::lock_guard lock(mutex_);
  if (stream != block->stream) block->other_streams.insert(stream);
}

/// Blocks whose events are done become free; with `wait`, all of them.
void CachingAllocator::take_back_finished(bool wait) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    Block* block = *at;
    std::erase_if(block->pending, [&](void* event) {
      if (wait) raw_.wait_event(event);
      else if (!raw_.query_event(event)) return false;
      raw_.destroy_event(event);
      return true;
    });
    if (!block->pending.empty()) {
      ++at;
      continue;
    }
    at = waiting_.erase(at);
    make_free(block);
  }
}

/// Free blocks that are whole segments go back to the device; true when there was one.
bool CachingAllocator::trim() {
  bool any = false;
  for (auto& [stream, lists] : free_)
    if (pools_.count(stream) == 0) any |= trim(lists);
  return any;
}
bool CachingAllocator::trim(Lists& lists) {
  bool any = false;
  for (FreeList* list : {&lists.small, &lists.large}) {
    const std::vector<Block*> blocks(list->begin(), list->end());
    for (Block* block : blocks) {
      if (block->grows) {
        unlist(block);
        any |= shrink(block);
      } else if (!block->before && !block->after) {
        unlist(block);
        raw_.release(block->data);
        stats_.reserved_bytes -= static_cast<std::int64_t>(block->bytes);
        delete block;
        any = true;
      }
    }
  }
  return any;
}

int CachingAllocator::make_pool() {
  const std::lock_guard lock(mutex_);
  pools_.insert(next_pool_);
  return next_pool_++;
}
void CachingAllocator::drop_pool(int pool) noexcept {
  const std::lock_guard lock(mutex_);
  pools_.erase(pool);
  if (const auto at = free_.find(pool); at != free_.end()) trim(at->second);
}

void CachingAllocator::empty_cache() {
  const std::lock_guard lock(mutex_);
  take_back_finished(true);
  trim();
}

MemoryStats CachingAllocator::stats() {
  const std::lock_guard lock(mutex_);
  return stats_;
}
void CachingAllocator::reset_peak() {
  const std::lock_guard lock(mutex_);
  stats_.peak_bytes = stats_.allocated_bytes;
}

void CachingAllocator::out_of_memory(std::size_t asked) {
  fail<OutOfMemory>("allocate", "{} bytes are not available on {} ({} bytes are in use, {} cached in pieces that are too small, {} free on the device); use smaller tensors or release some",
                    asked, device_, stats_.allocated_bytes, cached_, raw_.free_bytes());
}

}  // namespace rill::cuda
