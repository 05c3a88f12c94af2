#include <rill/core/print.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <ostream>

#include "lib/core/check.h"
#include "lib/core/tensor_impl.h"

namespace rill {
namespace {

std::mutex options_mutex;
PrintOptions global_options;

void check_options(const PrintOptions& o) {
  constexpr const char* op = "set_print_options";
  check<ValueError>(o.precision >= 0 && o.precision <= 100, op, "precision is {}; use 0 to 100 digits", o.precision);
  check<ValueError>(o.threshold >= 0, op, "threshold is {}; it must not be negative", o.threshold);
  check<ValueError>(o.edgeitems >= 0, op, "edgeitems is {}; it must not be negative", o.edgeitems);
  check<ValueError>(o.linewidth > 0, op, "linewidth is {}; it must be positive", o.linewidth);
}

double floating_value(Dtype d, const std::byte* p) {
  switch (d) {
    case Dtype::float16: return static_cast<float>(*reinterpret_cast<const Half*>(p));
    case Dtype::bfloat16: return static_cast<float>(*reinterpret_cast<const BFloat16*>(p));
    case Dtype::float32: return *reinterpret_cast<const float*>(p);
    default: return *reinterpret_cast<const double*>(p);
  }
}
std::int64_t integer_value(Dtype d, const std::byte* p) {
  switch (d) {
    case Dtype::uint8: return *reinterpret_cast<const std::uint8_t*>(p);
    case Dtype::int8: return *reinterpret_cast<const std::int8_t*>(p);
    case Dtype::int16: return *reinterpret_cast<const std::int16_t*>(p);
    case Dtype::int32: return *reinterpret_cast<const std::int32_t*>(p);
    default: return *reinterpret_cast<const std::int64_t*>(p);
  }
}

/// One format for all shown elements of a tensor: `see` each of them, `settle`, then `text`.
class Format {
 public:
  Format(Dtype dtype, const PrintOptions& options) : dtype_(dtype), options_(options) {}

  void see(const std::byte* p) {
    if (!is_floating(dtype_)) {
      width_ = std::max(width_, plain(p).size());
      return;
    }
    const double v = floating_value(dtype_, p);
    if (v == 0 || !std::isfinite(v)) return;
    any_ = true;
    whole_ &= v == std::ceil(v);
    smallest_ = std::min(smallest_, std::fabs(v)), largest_ = std::max(largest_, std::fabs(v));
    // the widest text is that of the greatest or the least value; scientific texts differ by sign and exponent only
    greatest_ = std::max(greatest_, v), least_ = std::min(least_, v);
    widest_scientific_ = std::max(widest_scientific_, scientific_text(v).size());
  }
  void settle() {
    if (!is_floating(dtype_) || !any_) return;
    scientific_ = options_.sci_mode.value_or(largest_ / smallest_ > 1000 || largest_ > 1e8 || (!whole_ && smallest_ < 1e-4));
    width_ = scientific_ ? widest_scientific_ : std::max(fixed_text(greatest_).size(), fixed_text(least_).size());
  }
  std::size_t width() const { return width_; }
  std::string text(const std::byte* p) const {
    const std::string s = plain(p);
    return s.size() < width_ ? std::string(width_ - s.size(), ' ') + s : s;
  }

 private:
  std::string fixed_text(double v) const { return whole_ ? fmt::format("{:.0f}.", v) : fmt::format("{:.{}f}", v, options_.precision); }
  std::string scientific_text(double v) const { return fmt::format("{:.{}e}", v, options_.precision); }
  std::string plain(const std::byte* p) const {
    if (dtype_ == Dtype::boolean) return *reinterpret_cast<const std::uint8_t*>(p) ? "True" : "False";
    if (!is_floating(dtype_)) return fmt::format("{}", integer_value(dtype_, p));
    const double v = floating_value(dtype_, p);
    if (std::isnan(v)) return "nan";
    if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
    return scientific_ ? scientific_text(v) : fixed_text(v);
  }

  Dtype dtype_;
  const PrintOptions& options_;
  bool any_ = false, whole_ = true, scientific_ = false;
  double smallest_ = std::numeric_limits<double>::infinity(), largest_ = 0;
  double greatest_ = -std::numeric_limits<double>::infinity(), least_ = std::numeric_limits<double>::infinity();
  std::size_t widest_scientific_ = 1, width_ = 1;
};

/// The nested lists of a tensor with elements.
class Lists {
 public:
  Lists(const TensorImpl& t, const PrintOptions& options) : t_(t), options_(options), summary_(t.numel > options.threshold), format_(t.dtype, options) {
    see(0, t.data);
    format_.settle();
  }
  std::string text(std::size_t indent) const { return text(0, t_.data, indent); }

 private:
  const std::byte* at(int axis, const std::byte* p, std::int64_t i) const { return p + i * t_.strides[axis] * static_cast<std::int64_t>(size_of(t_.dtype)); }
  bool cut(int axis) const { return summary_ && t_.shape[axis] > 2 * std::int64_t{options_.edgeitems}; }
  /// Calls item(i) for the shown positions of an axis and gap() for what is left out.
  template <class Item, class Gap> void each(int axis, Item item, Gap gap) const {
    const std::int64_t n = t_.shape[axis], shown = cut(axis) ? options_.edgeitems : n;
    for (std::int64_t i = 0; i < shown; ++i) item(i);
    if (!cut(axis)) return;
    gap();
    for (std::int64_t i = n - shown; i < n; ++i) item(i);
  }
  void see(int axis, const std::byte* p) {
    if (axis == t_.shape.rank()) return format_.see(p);
    each(axis, [&](std::int64_t i) { see(axis + 1, at(axis, p, i)); }, [] {});
  }
  std::string text(int axis, const std::byte* p, std::size_t indent) const {
    const int left = t_.shape.rank() - axis;
    if (left == 0) return format_.text(p);
    const bool innermost = left == 1;
    const std::size_t line = static_cast<std::size_t>(options_.linewidth), step = format_.width() + 2;
    const std::size_t per_line = !innermost ? 1 : line > indent ? std::max<std::size_t>((line - indent) / step, 1) : 1;
    const std::string next_line = "," + std::string(static_cast<std::size_t>(innermost ? 1 : left - 1), '\n') + std::string(indent + 1, ' ');
    std::string out = "[";
    std::size_t count = 0;
    const auto add = [&](const std::string& s) {
      if (count > 0) out += count % per_line == 0 ? next_line : ", ";
      out += s;
      ++count;
    };
    each(axis, [&](std::int64_t i) { add(text(axis + 1, at(axis, p, i), indent + 1)); }, [&] { add(innermost && options_.edgeitems > 0 ? " ..." : "..."); });
    return out + "]";
  }

  const TensorImpl& t_;
  const PrintOptions& options_;
  bool summary_;
  Format format_;
};

/// What stands behind the values.
std::vector<std::string> attributes(const Tensor& t) {
  const TensorImpl& i = impl(t);
  std::vector<std::string> all;
  if (!i.device.is_cpu()) all.push_back("device='" + to_string(i.device) + "'");
  if (i.numel == 0 && i.shape.rank() != 1) {
    std::string size = to_string(i.shape);
    size.front() = '(', size.back() = ')';
    all.push_back("size=" + size);
  }
  const bool obvious = i.dtype == default_dtype() || (i.numel > 0 && (i.dtype == Dtype::int64 || i.dtype == Dtype::boolean));
  if (!obvious) all.push_back(fmt::format("dtype={}", i.dtype));
  if (!t.grad_fn().empty()) all.push_back(fmt::format("grad_fn=<{}>", t.grad_fn()));
  else if (t.requires_grad()) all.push_back("requires_grad=True");
  if (i.name) all.push_back(fmt::format("name=\"{}\"", *i.name));
  return all;
}

}  // namespace

void set_print_options(const PrintOptions& options) {
  check_options(options);
  const std::lock_guard lock(options_mutex);
  global_options = options;
}
PrintOptions print_options() {
  const std::lock_guard lock(options_mutex);
  return global_options;
}

std::string to_string(const Tensor& t, const PrintOptions& options) {
  check_options(options);
  if (!t.defined()) return "tensor(undefined)";
  const std::string prefix = "tensor(";
  const Tensor local = impl(t).device.is_cpu() ? t : t.detach().to(Device::cpu());
  std::string out = prefix + (impl(t).numel == 0 ? "[]" : Lists(impl(local), options).text(prefix.size()));
  const auto newline = out.rfind('\n');
  std::size_t line = newline == std::string::npos ? out.size() + 2 : out.size() - newline + 1;
  for (const std::string& a : attributes(t)) {
    if (line + a.size() + 2 > static_cast<std::size_t>(options.linewidth)) {
      out += ",\n" + std::string(prefix.size(), ' ') + a;
      line = prefix.size() + a.size();
    } else {
      out += ", " + a;
      line += a.size() + 2;
    }
  }
  return out + ")";
}
std::string to_string(const Tensor& t) { return to_string(t, print_options()); }

std::string summary(const Tensor& t) {
  if (!t.defined()) return "undefined";
  double low = 0, high = 0, total = 0;
  std::int64_t nans = 0, infinities = 0, finite = 0;
  for (const double v : t.to_vector<double>()) {
    if (std::isnan(v)) ++nans;
    else if (std::isinf(v)) ++infinities;
    else low = finite ? std::min(low, v) : v, high = finite ? std::max(high, v) : v, total += v, ++finite;
  }
  std::string line = describe(t);
  if (finite) line += fmt::format(" min {:.4g} max {:.4g} mean {:.4g}", low, high, total / static_cast<double>(finite));
  if (nans) line += fmt::format(" {} nan", nans);
  if (infinities) line += fmt::format(" {} inf", infinities);
  return line;
}

std::ostream& operator<<(std::ostream& stream, const Tensor& t) { return stream << to_string(t); }
std::ostream& operator<<(std::ostream& stream, Dtype d) { return stream << to_string(d); }
std::ostream& operator<<(std::ostream& stream, Device d) { return stream << to_string(d); }

}  // namespace rill
