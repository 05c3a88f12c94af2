// Shapes and strides: short lists of 64-bit sizes without a heap allocation up to rank 5.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace rill {

/// The largest rank a tensor may have.
inline constexpr int kMaxRank = 64;

/// A list of at most kMaxRank integers; `Shape` holds sizes, `Strides` holds steps in elements.
class Dims {
 public:
  Dims() noexcept {}  // the unused places stay as they are: a Dims is copied several times in every op
  Dims(std::initializer_list<std::int64_t> values) : Dims(std::span(values.begin(), values.size())) {}
  Dims(const std::vector<std::int64_t>& values) : Dims(std::span(values)) {}
  /// Throws ShapeError when there are more than kMaxRank values.
  explicit Dims(std::span<const std::int64_t> values) {
    resize(static_cast<std::int64_t>(values.size()));
    for (int i = 0; i < rank_; ++i) data()[i] = values[static_cast<std::size_t>(i)];
  }
  Dims(std::int64_t count, std::int64_t value) {
    resize(count);
    for (auto& d : *this) d = value;
  }
  Dims(const Dims& other) : rank_(other.rank_) {
    if (rank_ <= kInline) [[likely]] __builtin_memcpy(inline_, other.inline_, sizeof inline_);
    else copy_long(other);
  }
  Dims(Dims&& other) noexcept { steal(other); }
  Dims& operator=(const Dims& other) {
    if (rank_ <= kInline && other.rank_ <= kInline) [[likely]] {
      __builtin_memmove(inline_, other.inline_, sizeof inline_);
      rank_ = other.rank_;
    } else if (this != &other) {
      *this = Dims(other);
    }
    return *this;
  }
  Dims& operator=(Dims&& other) noexcept {
    if (this != &other) clear(), steal(other);
    return *this;
  }
  ~Dims() { if (rank_ > kInline) delete[] heap_; }

  int rank() const noexcept { return rank_; }
  std::size_t size() const noexcept { return static_cast<std::size_t>(rank_); }
  bool empty() const noexcept { return rank_ == 0; }
  std::int64_t* data() noexcept { return rank_ > kInline ? heap_ : inline_; }
  const std::int64_t* data() const noexcept { return rank_ > kInline ? heap_ : inline_; }
  std::int64_t* begin() noexcept { return data(); }
  std::int64_t* end() noexcept { return data() + rank_; }
  const std::int64_t* begin() const noexcept { return data(); }
  const std::int64_t* end() const noexcept { return data() + rank_; }
  template <class I> std::int64_t& operator[](I i) noexcept { return data()[i]; }
  template <class I> std::int64_t operator[](I i) const noexcept { return data()[i]; }
  std::int64_t back() const noexcept { return data()[rank_ - 1]; }
  operator std::span<const std::int64_t>() const noexcept { return {data(), size()}; }
  std::vector<std::int64_t> vec() const { return {begin(), end()}; }

  void push_back(std::int64_t v) { insert(rank_, v); }
  void insert(int position, std::int64_t v);
  void erase(int position);

  friend bool operator==(const Dims& a, const Dims& b) noexcept {
    if (a.rank_ != b.rank_) return false;
    const std::int64_t *x = a.data(), *y = b.data();
    for (int i = 0; i < a.rank_; ++i)
      if (x[i] != y[i]) return false;
    return true;
  }

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // unused places are copied along: cheaper than a loop
#endif

 private:
  static constexpr int kInline = 5;
  void resize(std::int64_t rank);  // only on an empty list; throws ShapeError above kMaxRank
  void clear() noexcept {
    if (rank_ > kInline) delete[] heap_;
    rank_ = 0;
  }
  void copy_long(const Dims& other);   // into an object whose rank is set
  void steal(Dims& other) noexcept {
    __builtin_memcpy(inline_, other.inline_, sizeof inline_);  // the pointer of a long list lies in the same bytes
    rank_ = other.rank_;
    other.rank_ = 0;
  }

  union {
    std::int64_t inline_[kInline];
    std::int64_t* heap_;
  };
  int rank_ = 0;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
};

using Shape = Dims;
using Strides = Dims;

/// "[2, 3]".
std::string to_string(const Dims& d);

/// The common shape of two operands, aligned at the right; `op` is named when a pair of sizes differs and neither is 1.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op = "broadcast_shapes");

}  // namespace rill
