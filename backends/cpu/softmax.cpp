// Shares out the lines of softmax and cross entropy to threads.
#include "backends/cpu/softmax.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "backends/api/backend.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

constexpr std::int64_t kGrain = 16 << 10;  // elements per task
constexpr std::int64_t kColumns = 64;

const NormKernels::SoftmaxLines& lines(Dtype d) { return cpu_kernels().softmax_lines[d == Dtype::float64]; }

/// Calls run(byte offset, width) for groups of lines along the axis; stride and n are set before.
template <class Run> void walk(const View& x, int axis, std::int64_t& n, std::int64_t& stride, Run run) {
  n = x.rank ? x.sizes[axis] : 1;
  stride = 1;
  for (int a = axis + 1; a < x.rank; ++a) stride *= x.sizes[a];
  if (x.numel == 0) return;
  const std::int64_t inner = stride, blocks = (inner + kColumns - 1) / kColumns, outer = x.numel / (n * inner);
  const std::int64_t task = n * std::min(inner, kColumns);
  parallel_for(outer * blocks, std::max<std::int64_t>(1, kGrain / task), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t column = t % blocks * kColumns;
      run((t / blocks * n * inner + column) * static_cast<std::int64_t>(size_of(x.dtype)), std::min(kColumns, inner - column));
    }
  });
}
const char* at(const View& v, std::int64_t offset) { return static_cast<const char*>(v.data) + offset; }
char* place(const View& v, std::int64_t offset) { return static_cast<char*>(v.data) + offset; }

void softmax(const View& x, int axis, bool log, const View& out) {
  std::int64_t n, stride;
  walk(x, axis, n, stride, [&](std::int64_t o, std::int64_t width) { lines(x.dtype).forward(at(x, o), place(out, o), n, stride, width, log); });
}
void softmax_gradient(const View& g, const View& y, int axis, bool log, const View& out) {
  std::int64_t n, stride;
  walk(y, axis, n, stride, [&](std::int64_t o, std::int64_t width) { lines(y.dtype).backward(at(g, o), at(y, o), place(out, o), n, stride, width, log); });
}

template <class T> std::int64_t cross_entropy_as(const View& x, const View& target, std::int64_t ignore, const View& losses, const View& lse) {
  const std::int64_t rows = target.numel, classes = x.sizes[1];
  const std::int64_t* t = target.as<const std::int64_t>();
  std::atomic<std::int64_t> bad{rows};
  parallel_for(rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, classes)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      if (t[r] == ignore) {
        losses.as<T>()[r] = 0, lse.as<double>()[r] = 0;
        continue;
      }
      if (t[r] < 0 || t[r] >= classes) {
        std::int64_t seen = bad.load();
        while (r < seen && !bad.compare_exchange_weak(seen, r)) {}
        return;
      }
      const T* row = x.as<const T>() + r * classes;
      const double total = lines(x.dtype).log_sum(row, classes);
      lse.as<double>()[r] = total;
      losses.as<T>()[r] = static_cast<T>(total - static_cast<double>(row[t[r]]));
    }
  });
  return bad.load() == rows ? -1 : bad.load();
}
std::int64_t cross_entropy(const View& x, const View& target, std::int64_t ignore, const View& losses, const View& lse) {
  return x.dtype == Dtype::float64 ? cross_entropy_as<double>(x, target, ignore, losses, lse) : cross_entropy_as<float>(x, target, ignore, losses, lse);
}

template <class T> void cross_entropy_gradient_as(const View& x, const View& target, std::int64_t ignore, const View& lse, const View& g, const View& out) {
  const std::int64_t rows = target.numel, classes = x.sizes[1], step = g.strides[0];
  const std::int64_t* t = target.as<const std::int64_t>();
  parallel_for(rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, classes)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      T* to = out.as<T>() + r * classes;
      if (t[r] == ignore) {
        std::memset(to, 0, static_cast<std::size_t>(classes) * sizeof(T));
        continue;
      }
      const T scale = g.as<const T>()[r * step];
      lines(x.dtype).scaled_exp(x.as<const T>() + r * classes, to, classes, lse.as<const double>()[r], static_cast<double>(scale));
      to[t[r]] -= scale;
    }
  });
}
void cross_entropy_gradient(const View& x, const View& target, std::int64_t ignore, const View& lse, const View& g, const View& out) {
  if (x.dtype == Dtype::float64) cross_entropy_gradient_as<double>(x, target, ignore, lse, g, out);
  else cross_entropy_gradient_as<float>(x, target, ignore, lse, g, out);
}

}  // namespace

void add_softmax(NormKernels& k) {
  k.softmax = &softmax;
  k.softmax_gradient = &softmax_gradient;
  k.cross_entropy = &cross_entropy;
  k.cross_entropy_gradient = &cross_entropy_gradient;
}

}  // namespace rill::cpu
