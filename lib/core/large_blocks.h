// Large blocks of host memory, cut from segments of address space: the smallest free range that fits is split, and what is freed joins its neighbours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>

namespace rill::pool {

/// Not for several threads at a time. Ranges that are freed keep their pages for the next block, whatever its size, until trim().
class LargeBlocks {
 public:
  LargeBlocks() = default;
  LargeBlocks(const LargeBlocks&) = delete;
  LargeBlocks& operator=(const LargeBlocks&) = delete;

  /// What a block of so many bytes takes: steps of 1/64 of its size at most, and whole pages.
  static std::size_t rounded(std::size_t bytes);
  /// `bytes` are rounded; the block starts on a page. Null when the system has no more.
  void* allocate(std::size_t bytes);
  void release(void* block) noexcept;
  /// Gives the pages of all free ranges back, and segments that are free as a whole.
  void trim() noexcept;

  std::int64_t reserved() const { return reserved_; }          ///< bytes of pages that were touched and not given back
  std::int64_t system_calls() const { return system_calls_; }  ///< how often a block needed new pages

 private:
  // Places are ordered by size and then by address: low addresses are used up first, and the end of a segment stays untouched for long.
  using Places = std::set<std::pair<std::size_t, std::byte*>>;
  struct Range {
    std::size_t size, touched;  // pages of the first `touched` bytes may be there
    bool segment;               // starts one
    bool free;
    Places::node_type place;    // while in use: its place among the free ones, so that release needs no memory
  };
  using Ranges = std::map<std::byte*, Range>;

  bool grow(std::size_t bytes);
  void take(Ranges::iterator at);
  Ranges::iterator join(Ranges::iterator left, Ranges::iterator right) noexcept;

  Ranges ranges_;
  Places free_;
  std::int64_t reserved_ = 0, system_calls_ = 0;
};

}  // namespace rill::pool
