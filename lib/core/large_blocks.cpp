#include "lib/core/large_blocks.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <new>
#include <utility>

namespace rill::pool {
namespace {

constexpr std::size_t kPage = 4096, kHuge = 2 << 20;  // segments are whole huge pages
constexpr std::size_t kSegment = 512 << 20;           // of address space; memory is taken page by page as it is touched

constexpr std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

std::size_t LargeBlocks::rounded(std::size_t bytes) { return round_up(bytes, std::max(kPage, std::bit_floor(bytes) / 64)); }

void* LargeBlocks::allocate(std::size_t bytes) {
  auto place = free_.lower_bound({bytes, nullptr});
  try {
    if (place == free_.end()) {
      if (!grow(bytes)) return nullptr;
      place = free_.lower_bound({bytes, nullptr});
    }
    const auto at = ranges_.find(place->second);
    Range& r = at->second;
    if (r.size > bytes) {  // the rest becomes a range of its own; nothing has changed yet when this throws
      const std::size_t touched = r.touched > bytes ? r.touched - bytes : 0;
      const auto rest = ranges_.emplace_hint(std::next(at), at->first + bytes, Range{r.size - bytes, touched, false, true, {}});
      try {
        free_.emplace(rest->second.size, rest->first);
      } catch (...) {
        ranges_.erase(rest);
        throw;
      }
      r.size = bytes, r.touched -= touched;
    }
    r.place = free_.extract(place);
    r.free = false;
    if (r.touched < bytes) reserved_ += static_cast<std::int64_t>(bytes - r.touched), r.touched = bytes, ++system_calls_;
    return at->first;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

bool LargeBlocks::grow(std::size_t bytes) {
  // first a little more address space than is used, to begin on a huge page
  for (const std::size_t wanted : {std::max(kSegment, round_up(bytes, kHuge)), round_up(bytes, kHuge)}) {
    void* p = mmap(nullptr, wanted + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) continue;
    auto* const from = static_cast<std::byte*>(p);
    auto* const begin = reinterpret_cast<std::byte*>(round_up(reinterpret_cast<std::uintptr_t>(p), kHuge));
    if (begin > from) munmap(from, static_cast<std::size_t>(begin - from));
    if (const auto after = static_cast<std::size_t>(from + wanted + kHuge - (begin + wanted)); after > 0) munmap(begin + wanted, after);
    madvise(begin, wanted, MADV_HUGEPAGE);
    try {
      const auto at = ranges_.emplace(begin, Range{wanted, 0, true, true, {}}).first;
      try {
        free_.emplace(wanted, begin);
      } catch (...) {
        ranges_.erase(at);
        throw;
      }
    } catch (...) {
      munmap(begin, wanted);
      throw;
    }
    return true;
  }
  return false;
}

LargeBlocks::Ranges::iterator LargeBlocks::join(Ranges::iterator left, Ranges::iterator right) noexcept {
  Range &a = left->second, &b = right->second;
  a.touched += b.touched, a.size += b.size;
  ranges_.erase(right);
  return left;
}

void LargeBlocks::release(void* block) noexcept {
  auto at = ranges_.find(static_cast<std::byte*>(block));
  Places::node_type place = std::move(at->second.place);
  at->second.free = true;
  if (const auto next = std::next(at); next != ranges_.end() && next->second.free && !next->second.segment) {
    free_.erase({next->second.size, next->first});
    join(at, next);
  }
  if (!at->second.segment && at != ranges_.begin() && std::prev(at)->second.free) {
    const auto before = std::prev(at);
    free_.erase({before->second.size, before->first});
    at = join(before, at);
  }
  place.value() = {at->second.size, at->first};
  free_.insert(std::move(place));
}

void LargeBlocks::trim() noexcept {
  for (auto it = ranges_.begin(); it != ranges_.end();) {
    Range& r = it->second;
    const auto next = std::next(it);
    if (r.free) {
      reserved_ -= static_cast<std::int64_t>(r.touched);
      if (r.segment && (next == ranges_.end() || next->second.segment)) {
        free_.erase({r.size, it->first});
        munmap(it->first, r.size);
        ranges_.erase(it);
      } else if (r.touched > 0) {
        madvise(it->first, r.size, MADV_DONTNEED);
        r.touched = 0;
      }
    }
    it = next;
  }
}

}  // namespace rill::pool
