// What ops ask under rill::amp::autocast. An op of one of its lists begins with a line such as
//   if (amp::on()) [[unlikely]] return amp::low(&mm, a, b);
// which calls the op once more with converted operands and no autocast. Without a scope that is one test of a flag.
#pragma once

#include <vector>

#include <rill/core/tensor.h>

#include "lib/core/tensor_impl.h"
#include "lib/core/thread_state.h"

namespace rill::amp {

[[gnu::always_inline]] inline bool on() noexcept { return thread_state.autocast; }

/// The dtype of low precision by kind of device; float32 where nothing is converted.
struct Choice {
  Dtype low[2] = {Dtype::float32, Dtype::float32};
};
Choice choice() noexcept;
void choose(const Choice& c) noexcept;

/// While it lives, the thread has another choice; Under({}) is no autocast at all.
class Under {
 public:
  explicit Under(const Choice& c) noexcept : before_(choice()) { choose(c); }
  ~Under() { choose(before_); }
  Under(const Under&) = delete;
  Under& operator=(const Under&) = delete;

 private:
  Choice before_;
};

/// float16, bfloat16 or float32 on a kind of device that the scope acts on.
bool converts(const Tensor& x) noexcept;
/// x in the low dtype. Parameters come from the scope's copies.
Tensor to_low(const Tensor& x);
Tensor to_float32(const Tensor& x);

namespace detail {
template <class Convert, class T> decltype(auto) operand(const Convert& convert, const T& x) {
  if constexpr (std::is_same_v<T, Tensor>) {
    return convert(x);
  } else if constexpr (std::is_same_v<T, std::vector<Tensor>>) {
    std::vector<Tensor> list;
    for (const Tensor& t : x) list.push_back(convert(t));
    return list;
  } else {
    return (x);
  }
}
template <class Convert, class F, class... T> auto call(const Convert& convert, const F& op, const T&... operands) {
  return [&](const auto&... x) {
    const Under plain({});
    return op(x...);
  }(operand(convert, operands)...);
}
inline void widen(Dtype& d, const Tensor& x) {
  if (converts(x)) d = promote(d, impl(x).dtype);
}
template <class T> void widen(Dtype&, const T&) {}
}  // namespace detail

/// op(operands...) in the low dtype. Operands that are no tensors, nor lists of them, are passed on.
template <class F, class... T> [[gnu::cold, gnu::noinline]] auto low(const F& op, const T&... operands) { return detail::call(&to_low, op, operands...); }
/// op(operands...) in float32.
template <class F, class... T> [[gnu::cold, gnu::noinline]] auto in_float32(const F& op, const T&... operands) { return detail::call(&to_float32, op, operands...); }
/// op(operands...) with all of them in the widest of their dtypes.
template <class F, class... T> [[gnu::cold, gnu::noinline]] auto widest(const F& op, const T&... operands) {
  Dtype d = Dtype::boolean;
  (..., detail::widen(d, operands));
  return detail::call([d](const Tensor& x) { return converts(x) ? x.to(d) : x; }, op, operands...);
}

}  // namespace rill::amp
