// Checks with formatted sentences. The only place of the core that formats: fmt stays out of every public header.
#pragma once

#include <algorithm>

#include <fmt/core.h>  // not format.h, and the compiled library: every source includes this file

#include <rill/core/tensor.h>

namespace rill::detail {
struct TextFormatter {  // "{}" only
  constexpr auto parse(fmt::format_parse_context& c) { return c.begin(); }
  static auto write(std::string_view text, fmt::format_context& c) { return std::copy(text.begin(), text.end(), c.out()); }
};
}  // namespace rill::detail
template <> struct fmt::formatter<rill::Dims> : rill::detail::TextFormatter {
  auto format(const rill::Dims& d, fmt::format_context& c) const { return write(rill::to_string(d), c); }
};
template <> struct fmt::formatter<rill::Dtype> : rill::detail::TextFormatter {
  auto format(rill::Dtype d, fmt::format_context& c) const { return write(rill::to_string(d), c); }
};
template <> struct fmt::formatter<rill::Device> : rill::detail::TextFormatter {
  auto format(rill::Device d, fmt::format_context& c) const { return write(rill::to_string(d), c); }
};

namespace rill {

namespace detail {
template <class E> [[noreturn, gnu::cold, gnu::noinline]] void throw_formatted(std::string_view op, fmt::string_view f, fmt::format_args args) {
  throw E(std::string(op), fmt::vformat(f, args));
}
}  // namespace detail

/// Throws E: "op: sentence".
template <class E, class... A>
[[noreturn, gnu::cold, gnu::noinline]] void fail(std::string_view op, fmt::format_string<A...> f, A&&... args) {
  detail::throw_formatted<E>(op, f, fmt::make_format_args(args...));
}

/// Formats only on failure.
template <class E, class... A>
[[gnu::always_inline]] inline void check(bool ok, std::string_view op, fmt::format_string<A...> f, A&&... args) {
  if (!ok) [[unlikely]] fail<E, A...>(op, f, std::forward<A>(args)...);
}

/// "float32 [2, 3]", with the name and the device where they matter: how messages show a tensor.
std::string describe(const Tensor& t);

/// Throws ValueError when `t` is undefined.
inline void check_defined(std::string_view op, const Tensor& t, std::string_view argument = "input") {
  check<ValueError>(t.defined(), op, "{} is undefined; pass a tensor with values", argument);
}

/// Maps an axis in [-rank, rank) to [0, rank); throws IndexError otherwise. Rank 0 accepts -1 and 0.
std::int64_t wrap_axis(std::string_view op, std::int64_t axis, std::int64_t rank);

}  // namespace rill
