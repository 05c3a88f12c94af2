// float32 and bfloat16 convolutions through oneDNN. The batch is cut into pieces that depend on the shape only; every piece runs on one thread, so
// neither oneDNN's blocking nor the order of additions knows how many threads there are. Gradients of weights are summed in the order of the pieces.
#ifdef RILL_WITH_ONEDNN
#include <dnnl.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "backends/cpu/onednn.h"
#include "lib/core/check.h"
#include "backends/cpu/one_thread.h"
#include "backends/cpu/scratch.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

using Int = std::int64_t;
using dnnl::memory;
using Desc = memory::desc;
using Tag = memory::format_tag;

constexpr Int kPieces = 16, kPieceWork = 2 << 20;        // multiply-adds that are worth a thread
constexpr Int kPartialBytes = 64 << 20;                  // for the weight gradients of all pieces
constexpr Int kPositions = 1024;                         // of y that pay for a weight gradient of their own: for writing, reordering and adding it
constexpr Int kTurnWork = 32 << 10;                      // weights moved that are worth a thread
constexpr std::size_t kPlans = 512;                      // primitives kept
constexpr Int kFewImages = 2, kPartChannels = 16;
constexpr Int kSmallest = 16 << 10;                      // below this many multiply-adds the way to oneDNN costs more than the work

enum class Kind : Int { forward, input, weight };

const dnnl::engine& engine() {
  static const dnnl::engine e(dnnl::engine::kind::cpu, 0);
  return e;
}
dnnl::stream& stream() {
  static thread_local dnnl::stream s(engine());
  return s;
}

bool has_avx512() {
  constexpr auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
  static const bool has = (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
  return has;
}

/// What decides about a primitive: the key of the cache.
struct Problem {
  Kind kind;
  memory::data_type type;  // bfloat16 has float32 sums, and float32 gradients of weights
  bool last, bias;
  int axes;
  Int n, c, o, groups, in[3], out[3], kernel[3], stride[3], dilation[3], before[3];
  Int c_all, o_all;        // channels of the tensors, of which the problem may take some

  auto key() const {
    std::array<Int, 28> k{static_cast<Int>(kind) + 16 * static_cast<Int>(type), last, bias, axes, n, c, o, groups, c_all, o_all};
    for (int i = 0; i < axes; ++i) {
      const Int values[] = {in[i], out[i], kernel[i], stride[i], dilation[i], before[i]};
      std::copy(values, values + 6, k.begin() + 10 + 6 * i);
    }
    return k;
  }
  memory::dims dims(Int batch, Int channels, const Int* spatial) const {
    memory::dims d{batch, channels};
    d.insert(d.end(), spatial, spatial + axes);
    return d;
  }
  Tag tag() const {
    constexpr Tag rows[] = {Tag::ncw, Tag::nchw, Tag::ncdhw}, channels[] = {Tag::nwc, Tag::nhwc, Tag::ndhwc};
    return (last ? channels : rows)[axes - 1];
  }
  Desc x() const { return {dims(n, c, in), type, tag()}; }
  Desc y() const { return {dims(n, o, out), type, tag()}; }
  Desc x_own() const { return c == c_all ? x() : part_of(c_all, c, in); }
  Desc y_own() const { return o == o_all ? y() : part_of(o_all, o, out); }
  /// Some channels of a tensor with `all` of them.
  Desc part_of(Int all, Int channels, const Int* spatial) const {
    memory::dims strides(2 + axes);
    Int step = last ? all : 1;
    for (int i = axes - 1; i >= 0; --i) strides[2 + i] = step, step *= spatial[i];
    strides[1] = last ? 1 : step, strides[0] = last ? step : step * all;
    return {dims(n, channels, spatial), type, strides};
  }
  memory::dims w_dims() const {
    memory::dims d = dims(o / groups, c / groups, kernel);
    if (groups > 1) d.insert(d.begin(), groups);
    return d;
  }
  Desc w() const {
    if (c != c_all) {
      memory::dims strides(2 + axes, 1);
      for (int i = axes - 1; i >= 0; --i) strides[1 + i] = strides[2 + i] * kernel[i];
      strides[0] = c_all * strides[1];
      return {w_dims(), type, strides};
    }
    constexpr Tag plain[] = {Tag::abc, Tag::abcd, Tag::abcde, Tag::abcdef};
    return {w_dims(), kind == Kind::weight ? memory::data_type::f32 : type, plain[axes - 1 + (groups > 1)]};
  }
  /// The layout that a primitive is asked to take. Channels-last is fast with AVX-512 only; else oneDNN's blocked layouts pay for two reorders.
  Desc free(const Desc& d) const {
    return last && has_avx512() ? d : Desc(d.dims(), d.data_type(), Tag::any);
  }
  Int work() const {
    Int r = n * o * (c / groups);
    for (int i = 0; i < axes; ++i) r *= out[i] * kernel[i];
    return r;
  }
};

Problem problem(Kind kind, const View& x, const View& y, bool bias, const WindowGeometry& g) {
  Problem p{kind, x.dtype == Dtype::bfloat16 ? memory::data_type::bf16 : memory::data_type::f32, !x.contiguous || !y.contiguous, bias, g.axes, x.sizes[0], x.sizes[1], y.sizes[1], g.groups, {}, {}, {}, {}, {}, {}, x.sizes[1], y.sizes[1]};
  for (int i = 0; i < g.axes; ++i)
    p.in[i] = x.sizes[2 + i], p.out[i] = y.sizes[2 + i], p.kernel[i] = g.kernel[i], p.stride[i] = g.stride[i], p.dilation[i] = g.dilation[i], p.before[i] = g.before[i];
  return p;
}

/// A primitive and the layouts it wants. `from` are the layouts of the caller's x, w, y.
struct Plan {
  dnnl::primitive primitive;
  Desc x, w, y, scratch, x_own, w_own, y_own;

  explicit Plan(const Problem& p) : x_own(p.x_own()), w_own(p.w()), y_own(p.y_own()) {
    memory::dims stride, dilation, before, after;
    for (int i = 0; i < p.axes; ++i) {
      stride.push_back(p.stride[i]), dilation.push_back(p.dilation[i] - 1), before.push_back(p.before[i]);
      after.push_back((p.out[i] - 1) * p.stride[i] + p.dilation[i] * (p.kernel[i] - 1) + 1 - p.in[i] - p.before[i]);
    }
    const Desc xd = p.free(p.x()), yd = p.free(p.y()), wd(p.w_dims(), p.type, Tag::any), gradient(p.w_dims(), memory::data_type::f32, Tag::any);
    const Desc bd = p.bias ? Desc({p.o}, p.type, Tag::a) : Desc();
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    constexpr auto direct = dnnl::algorithm::convolution_direct;
    const dnnl::convolution_forward::primitive_desc f({dnnl::prop_kind::forward_training, direct, xd, wd, bd, yd, stride, dilation, before, after}, attr, engine());
    if (p.kind == Kind::forward) {
      primitive = dnnl::convolution_forward(f);
      x = f.src_desc(), w = f.weights_desc(), y = f.dst_desc(), scratch = f.scratchpad_desc();
    } else if (p.kind == Kind::input) {
      const dnnl::convolution_backward_data::primitive_desc d({direct, xd, wd, yd, stride, dilation, before, after}, attr, engine(), f);
      primitive = dnnl::convolution_backward_data(d);
      x = d.diff_src_desc(), w = d.weights_desc(), y = d.diff_dst_desc(), scratch = d.scratchpad_desc();
    } else {
      const dnnl::convolution_backward_weights::primitive_desc d({direct, xd, gradient, yd, stride, dilation, before, after}, attr, engine(), f);
      primitive = dnnl::convolution_backward_weights(d);
      x = d.src_desc(), w = d.diff_weights_desc(), y = d.diff_dst_desc(), scratch = d.scratchpad_desc();
    }
  }
};

/// The plans used last; null: oneDNN has nothing for the problem.
std::shared_ptr<const Plan> plan_for(const Problem& p) {
  using Key = decltype(p.key());
  struct Cache {
    std::mutex mutex;
    std::list<std::pair<Key, std::shared_ptr<const Plan>>> recent;
    std::map<Key, decltype(recent)::iterator> places;
  };
  static Cache* const cache = new Cache;  // never destroyed: threads may still run at exit
  const Key key = p.key();
  const std::lock_guard lock(cache->mutex);
  if (const auto found = cache->places.find(key); found != cache->places.end()) {
    cache->recent.splice(cache->recent.begin(), cache->recent, found->second);
    return found->second->second;
  }
  std::shared_ptr<const Plan> made;
  try {
    const OneThread guard;
    made = std::make_shared<const Plan>(p);
  } catch (const dnnl::error&) {
  }
  cache->recent.emplace_front(key, made);
  cache->places[key] = cache->recent.begin();
  if (cache->recent.size() > kPlans) cache->places.erase(cache->recent.back().first), cache->recent.pop_back();
  return made;
}

/// Memory in the layout of a primitive: the caller's own if it fits, else a copy.
class Operand {
 public:
  Operand(const Desc& own, const Desc& wanted, const void* data) : own_(own, engine(), const_cast<void*>(data)), copy_(own == wanted ? 0 : static_cast<Int>(wanted.get_size())) {
    memory_ = copy_.get() ? memory(wanted, engine(), copy_.get()) : own_;
  }
  void load() { if (copy_.get()) dnnl::reorder(own_, memory_).execute(stream(), own_, memory_); }
  void store() { if (copy_.get()) dnnl::reorder(memory_, own_).execute(stream(), memory_, own_); }
  const memory& get() const { return memory_; }

 private:
  memory own_, memory_;
  Scratch copy_;
};

/// Pieces of at most `images`; the last one may be smaller and has a plan of its own.
struct Pieces {
  Int images, count;
  std::shared_ptr<const Plan> full, rest;
  const Plan& plan(Int piece) const { return piece + 1 == count ? *rest : *full; }

  Pieces(Problem p, Int most) {
    const Int n = p.n, each = std::max<Int>(1, p.work() / n);
    images = std::min(n, std::max((n + most - 1) / most, (kPieceWork + each - 1) / each));
    count = (n + images - 1) / images;
    p.n = images;
    full = plan_for(p);
    p.n = n - (count - 1) * images;
    rest = plan_for(p);
  }
  explicit operator bool() const { return full && rest; }
};

void* image(const View& v, Int n) { return v.as<char>() + n * (v.numel / v.sizes[0]) * static_cast<Int>(size_of(v.dtype)); }

/// Parts of the channels of the result, where there are too few images to keep threads busy.
Int parts_of(const Problem& p) {
  const Int channels = p.kind == Kind::forward ? p.o : p.c;
  if (p.groups == 1)
    for (Int parts = kFewImages / p.n; parts > 1; --parts)
      if (channels % (kPartChannels * parts) == 0 && p.work() / parts >= kPieceWork) return parts;
  return 1;
}

/// Forward and input gradient: `from` and `to` are x and y, or y and x.
bool run(Problem p, const View& from, const View& w, const void* bias, const View& to) {
  if (p.work() < kSmallest) return false;
  const bool forward = p.kind == Kind::forward;
  const Int parts = parts_of(p), element = static_cast<Int>(size_of(to.dtype)), channels = (forward ? p.o : p.c) /= parts;
  const Pieces pieces(p, kPieces);
  if (!pieces) return false;
  // from one part of the channels to the next, in bytes
  const Int to_step = channels * element * (p.last ? 1 : to.numel / to.sizes[0] / to.sizes[1]), w_step = w.numel / (forward ? w.sizes[0] : w.sizes[0] * w.sizes[1]) * channels * element;
  const bool same = pieces.full->w == pieces.rest->w;
  std::deque<Operand> weights;  // of the full pieces and of the last one, part by part
  for (Int i = 0; i < parts; ++i) {
    weights.emplace_back(pieces.full->w_own, pieces.full->w, w.as<char>() + i * w_step);
    if (!same) weights.emplace_back(pieces.rest->w_own, pieces.rest->w, w.as<char>() + i * w_step);
  }
  parallel_for(std::ssize(weights), std::max<Int>(1, kTurnWork * std::ssize(weights) / w.numel), [&](Int begin, Int end) {
    const OneThread guard;
    for (Int i = begin; i < end; ++i) weights[static_cast<std::size_t>(i)].load();
  });
  parallel_for(pieces.count * parts, 1, [&](Int begin, Int end) {
    const OneThread guard;
    for (Int i = begin; i < end; ++i) {
      const Int piece = i / parts, part = i % parts;
      const Plan& plan = pieces.plan(piece);
      Operand in(forward ? plan.x_own : plan.y_own, forward ? plan.x : plan.y, image(from, piece * pieces.images));
      Operand out(forward ? plan.y_own : plan.x_own, forward ? plan.y : plan.x, static_cast<char*>(image(to, piece * pieces.images)) + part * to_step);
      in.load();
      const Scratch scratch(static_cast<Int>(plan.scratch.get_size()));
      const Int weight = same ? part : 2 * part + (piece + 1 == pieces.count);
      std::unordered_map<int, memory> args{{DNNL_ARG_WEIGHTS, weights[static_cast<std::size_t>(weight)].get()},
                                           {DNNL_ARG_SCRATCHPAD, memory(plan.scratch, engine(), scratch.get())},
                                           {forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, in.get()},
                                           {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, out.get()}};
      if (bias) args[DNNL_ARG_BIAS] = memory(Desc({p.o}, p.type, Tag::a), engine(), static_cast<char*>(const_cast<void*>(bias)) + part * channels * element);
      plan.primitive.execute(stream(), args);
      out.store();
    }
  });
  return true;
}

/// The input gradient of a convolution with stride 1 is a convolution of g with the filters turned around, inputs and outputs exchanged.
/// oneDNN has faster kernels for that one where channels-last is fast.
std::optional<Problem> as_forward(const Problem& p) {
  if (!p.last || !has_avx512()) return {};
  Problem f = p;
  f.kind = Kind::forward;
  std::swap(f.c, f.o), std::swap(f.c_all, f.o_all);
  for (int i = 0; i < p.axes; ++i) {
    f.before[i] = p.dilation[i] * (p.kernel[i] - 1) - p.before[i];
    if (p.stride[i] != 1 || f.before[i] < 0) return {};
    std::swap(f.in[i], f.out[i]);
  }
  return f;
}

/// w [O, C / groups, kernel] -> [C, O / groups, kernel turned around], group by group.
template <class T> void turn_filters(const Problem& p, const T* w, T* to) {
  Int taps = 1;
  for (int i = 0; i < p.axes; ++i) taps *= p.kernel[i];
  const Int o = p.o / p.groups, c = p.c / p.groups;
  parallel_for(p.groups * c, std::max<Int>(1, kTurnWork / (o * taps)), [&](Int begin, Int end) {
    for (Int row = begin; row < end; ++row)
      for (Int k = 0; k < o; ++k) {
        const T* from = w + ((row / c * o + k) * c + row % c) * taps;
        for (Int t = 0; t < taps; ++t) to[(row * o + k) * taps + t] = from[taps - 1 - t];
      }
  });
}

/// What oneDNN reports while it runs, as an error of ours.
template <class F> bool reported(F f) {
  try {
    return f();
  } catch (const dnnl::error& e) {
    fail<Internal>("conv", "oneDNN failed with status {}: {}; build with -DRILL_ONEDNN=OFF to do without it", static_cast<int>(e.status), e.what());
  }
}

}  // namespace

bool onednn_conv(const View& x, const View& w, const View& b, const View& y, const WindowGeometry& window) {
  if (x.numel == 0) return false;
  return reported([&] { return run(problem(Kind::forward, x, y, b.data, window), x, w, b.data, y); });
}

bool onednn_conv_input_gradient(const View& g, const View& w, const View& dx, const WindowGeometry& window) {
  if (g.numel == 0) return false;
  return reported([&] {
    const Problem p = problem(Kind::input, dx, g, false, window);
    const std::optional<Problem> forward = as_forward(p);
    if (!forward) return run(p, g, w, nullptr, dx);
    const Scratch turned(w.numel * static_cast<Int>(size_of(w.dtype)));
    if (w.dtype == Dtype::float32) turn_filters(p, w.as<float>(), static_cast<float*>(turned.get()));
    else turn_filters(p, w.as<BFloat16>(), static_cast<BFloat16*>(turned.get()));
    View filters = w;
    filters.data = turned.get();
    return run(*forward, g, filters, nullptr, dx);
  });
}

bool onednn_conv_weight_gradient(const View& g, const View& x, const View& dw, const WindowGeometry& window) {
  if (g.numel == 0 || x.numel == 0) return false;
  return reported([&] {
    const Problem p = problem(Kind::weight, x, g, false, window);
    if (p.work() < kSmallest) return false;
    const Int bytes = dw.numel * 4;
    const Int most = std::min(kPartialBytes / bytes, std::max<Int>(4, g.numel / p.o / kPositions));
    const Pieces pieces(p, std::clamp<Int>(most, 2, kPieces));
    if (!pieces) return false;
    const Scratch partial((pieces.count - 1) * bytes);
    parallel_for(pieces.count, 1, [&](Int begin, Int end) {
      const OneThread guard;
      for (Int i = begin; i < end; ++i) {
        const Plan& plan = pieces.plan(i);
        Operand from(plan.x_own, plan.x, image(x, i * pieces.images)), gradient(plan.y_own, plan.y, image(g, i * pieces.images));
        Operand result(plan.w_own, plan.w, i == 0 ? dw.data : static_cast<char*>(partial.get()) + (i - 1) * bytes);
        from.load(), gradient.load();
        const Scratch scratch(static_cast<Int>(plan.scratch.get_size()));
        plan.primitive.execute(stream(), {{DNNL_ARG_SRC, from.get()}, {DNNL_ARG_DIFF_DST, gradient.get()}, {DNNL_ARG_DIFF_WEIGHTS, result.get()},
                                          {DNNL_ARG_SCRATCHPAD, memory(plan.scratch, engine(), scratch.get())}});
        result.store();
      }
    });
    float* total = dw.as<float>();
    const float* parts = static_cast<const float*>(partial.get());
    parallel_for(dw.numel, 16 << 10, [&](Int begin, Int end) {
      for (Int k = 0; k + 1 < pieces.count; ++k)
        for (Int i = begin; i < end; ++i) total[i] += parts[k * dw.numel + i];
    });
    return true;
  });
}

}  // namespace rill::cpu
#endif
