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
  auto at = segments_.upper_bound(b.data);
  --at;  // the segment that holds it
  Lists& lists = free_[b.stream];
  return at->second == kSmallSegment ? lists.small : lists.large;
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
  const std::size_t size = segment_for(bytes);
  auto block = std::make_unique<Block>();
  void* data = raw_.allocate(size);
  ++stats_.device_calls;
  if (!data) return nullptr;
  try {
    segments_.emplace(static_cast<char*>(data), size);
  } catch (...) {
    raw_.release(data);
    throw;
  }
  stats_.reserved_bytes += static_cast<std::int64_t>(size);
  block->data = static_cast<char*>(data);
  block->bytes = size;
  block->stream = stream;
  return block.release();
}

void CachingAllocator::split(Block* block, std::size_t bytes) {
  const std::size_t rest = block->bytes - bytes;
  if (rest < (bytes <= kSmall ? kUnit : kSmall + 1)) return;
  auto* tail = new Block;
  tail->data = block->data + bytes;
  tail->bytes = rest;
  tail->stream = block->stream;
  tail->before = block;
  tail->after = block->after;
  if (tail->after) tail->after->before = tail;
  block->after = tail;
  block->bytes = bytes;
  insert_free(tail);
}

void CachingAllocator::insert_free(Block* block) {
  list_of(*block).insert(block);
  cached_ += static_cast<std::int64_t>(block->bytes);
}

/// Joins a block with its free neighbours and lists the result.
void CachingAllocator::make_free(Block* block) {
  block->in_use = false;
  const auto join = [&](Block* first, Block* second, Block* listed) {
    list_of(*listed).erase(listed);
    cached_ -= static_cast<std::int64_t>(listed->bytes);
    first->bytes += second->bytes;
    first->after = second->after;
    if (first->after) first->after->before = first;
    delete second;
    return first;
  };
  if (Block* b = block->before; b && !b->in_use) block = join(b, block, b);
  if (Block* a = block->after; a && !a->in_use) block = join(block, a, a);
  insert_free(block);
}

CachingAllocator::Block* CachingAllocator::allocate(std::size_t asked, int stream) {
  const std::lock_guard lock(mutex_);
  if (asked > std::size_t{1} << 60) out_of_memory(asked);
  const std::size_t bytes = rounded(asked);
  take_back_finished(false);
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
    for (FreeList* list : {&lists.small, &lists.large})
      for (auto at = list->begin(); at != list->end();) {
        Block* block = *at;
        if (block->before || block->after) {
          ++at;
          continue;
        }
        raw_.release(block->data);
        stats_.reserved_bytes -= static_cast<std::int64_t>(block->bytes);
        cached_ -= static_cast<std::int64_t>(block->bytes);
        segments_.erase(block->data);
        delete block;
        at = list->erase(at);
        any = true;
      }
  return any;
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
