#include "test/cuda/emulation.h"

#include <sys/mman.h>
#include <ucontext.h>

#if __has_include(<sanitizer/common_interface_defs.h>)
#include <sanitizer/common_interface_defs.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "backends/api/unimplemented.h"
#include "backends/cuda/caching_allocator.h"
#include "backends/cuda/kernels/dense.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/launch.h"
#include "backends/cuda/kernels/matmul.h"
#include "lib/core/capture.h"
#include <rill/core/error.h>

namespace rill::emulated {

void fill_solver(LinalgKernels& k);    // emulated_solver.cpp
void fill_whole_rnn(RnnKernels& k);   // emulated_rnn.cpp

// ---- threads of a block as coroutines ---------------------------------------------------------------------------------------------

namespace {

#if defined(__SANITIZE_ADDRESS__)
#define RILL_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RILL_ADDRESS_SANITIZER
#endif
#endif

/// A stack as the address sanitizer wants to know it when execution moves from one to another.
struct Stack {
  const void* bottom = nullptr;
  std::size_t size = 0;
  void* fake = nullptr;
};

struct Coroutine {
  ucontext_t context;
  Stack home;
  std::unique_ptr<char[]> stack{new char[kStack]};
  bool done = false;
  static constexpr std::size_t kStack = 64 << 10;
};
struct Scheduler {
  std::vector<std::unique_ptr<Coroutine>> threads;  // kept for the next block
  ucontext_t main;
  Stack home;
  int current = 0;
  void (*body)(void*, int) = nullptr;
  void* context = nullptr;
};
Scheduler g_scheduler;

/// Goes on elsewhere; `last`: this stack is not returned to.
void switch_to(ucontext_t& from, [[maybe_unused]] Stack& own, ucontext_t& to, [[maybe_unused]] const Stack& other, [[maybe_unused]] bool last = false) {
#ifdef RILL_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(last ? nullptr : &own.fake, other.bottom, other.size);
#endif
  swapcontext(&from, &to);
#ifdef RILL_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(own.fake, nullptr, nullptr);
#endif
}
void enter() {
  Scheduler& s = g_scheduler;
#ifdef RILL_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(nullptr, &s.home.bottom, &s.home.size);
#endif
  const int i = s.current;
  s.body(s.context, i);
  Coroutine& c = *s.threads[static_cast<std::size_t>(i)];
  c.done = true;
  switch_to(c.context, c.home, s.main, s.home, true);
}

}  // namespace

void run_threads(int count, void (*body)(void*, int), void* context) {
  Scheduler& s = g_scheduler;
  while (static_cast<int>(s.threads.size()) < count) s.threads.push_back(std::make_unique<Coroutine>());
  s.body = body, s.context = context;
  for (int i = 0; i < count; ++i) {
    Coroutine& c = *s.threads[static_cast<std::size_t>(i)];
    c.done = false;
    c.home = {c.stack.get(), Coroutine::kStack, nullptr};
    getcontext(&c.context);
    c.context.uc_stack.ss_sp = c.stack.get();
    c.context.uc_stack.ss_size = Coroutine::kStack;
    c.context.uc_link = nullptr;
    makecontext(&c.context, enter, 0);
  }
  for (int running = count; running > 0;) {
    for (s.current = 0; s.current < count; ++s.current) {  // each runs to its next barrier
      Coroutine& c = *s.threads[static_cast<std::size_t>(s.current)];
      if (c.done) continue;
      switch_to(s.main, s.home, c.context, c.home);
      if (c.done) --running;
    }
    if (running != 0 && running != count) {
      std::fprintf(stderr, "emulation: some threads of a block ended while others wait at a barrier\n");
      std::abort();
    }
  }
}
void barrier() {
  Scheduler& s = g_scheduler;
  Coroutine& c = *s.threads[static_cast<std::size_t>(s.current)];
  switch_to(c.context, c.home, s.main, s.home);
}

// ---- memory and the backend -------------------------------------------------------------------------------------------------------

namespace {

constexpr int kDevices = 2;
thread_local int t_device = 0;
thread_local int t_stream[kDevices] = {};

// Note [Locked memory]: device memory can be read and written only inside of kernels and copies, so that an op which takes a device pointer
// for one of the host crashes here as it would on a device.
class HostMemory final : public cuda::RawMemory {
 public:
  void* allocate(std::size_t bytes) override {
    void* data = mmap(nullptr, bytes, depth_ ? PROT_READ | PROT_WRITE : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return nullptr;
    segments_[data] = bytes;
    return data;
  }
  void release(void* data) noexcept override {
    munmap(data, segments_[data]);
    segments_.erase(data);
  }
  void unlock() {
    if (depth_++ == 0) protect(PROT_READ | PROT_WRITE);
  }
  void lock() {
    if (--depth_ == 0) protect(PROT_NONE);
  }
  std::size_t free_bytes() noexcept override { return 0; }
  void* record_event(int) override { return this; }
  bool query_event(void*) noexcept override { return true; }
  void wait_event(void*) noexcept override {}
  void destroy_event(void*) noexcept override {}

 private:
  void protect(int how) {
    for (const auto& [data, bytes] : segments_) mprotect(data, bytes, how);
  }
  std::map<void*, std::size_t> segments_;
  int depth_ = 0;
};
HostMemory& memory() {
  static auto* m = new HostMemory;
  return *m;
}
struct Unlocked {
  Unlocked() { memory().unlock(); }
  ~Unlocked() { memory().lock(); }
};
cuda::CachingAllocator& allocator_of(int device) {
  static cuda::CachingAllocator* all[kDevices] = {new cuda::CachingAllocator(memory(), "cuda:0"), new cuda::CachingAllocator(memory(), "cuda:1")};
  return *all[device];
}
/// What is recorded, and the memory that it works in.
struct Graph {
  int device, pool;
  std::vector<std::function<void()>> work;
};
constinit thread_local Graph* t_captured = nullptr;
int order(int device) { return t_captured && t_captured->device == device ? t_captured->pool : t_stream[device]; }
cuda::CachingAllocator::Block* block_of(void* handle) { return static_cast<cuda::CachingAllocator::Block*>(handle); }

struct Name {
  static constexpr const char* text = "cuda";
};
/// What the library does in one pass, in two.
bool linear_bias(const View& x, const View& w, const View& b, const View& y) {
  if (!x.contiguous || y.numel == 0 || y.dtype != Dtype::float32) return false;
  const std::int64_t n = y.numel / w.sizes[0], from_sizes[] = {n, w.sizes[1]}, from_strides[] = {w.sizes[1], 1}, to_sizes[] = {n, w.sizes[0]}, to_strides[] = {w.sizes[0], 1},
                     turned_sizes[] = {w.sizes[1], w.sizes[0]}, turned_strides[] = {w.strides[1], w.strides[0]};
  copies().copy(b, y);
  matmul({x.data, x.dtype, 2, from_sizes, from_strides, x.numel, true}, {w.data, w.dtype, 2, turned_sizes, turned_strides, w.numel, false}, {y.data, y.dtype, 2, to_sizes, to_strides, y.numel, true},
         true);
  ++one_pass_calls;
  return true;
}
bool linear_gradients(const View& g, const View& x, const View& dw, const View& db) {
  if (!g.contiguous || !x.contiguous || g.numel == 0 || g.dtype != Dtype::float32) return false;
  const std::int64_t sizes[] = {g.sizes[1], g.sizes[0]}, strides[] = {1, g.sizes[1]}, one_sizes[] = {1, g.sizes[0]}, no_strides[] = {0, 0}, row_sizes[] = {1, g.sizes[1]}, row_strides[] = {g.sizes[1], 1};
  matmul({g.data, g.dtype, 2, sizes, strides, g.numel, false}, x, dw, false);
  const Scratch one(static_cast<std::int64_t>(size_of(g.dtype)));
  const std::int64_t scalar[] = {1, 1};
  const View ones{one.as<void>(), g.dtype, 2, scalar, no_strides, 1, true};
  const float value = 1;
  copies().fill(&value, ones);
  matmul({one.as<void>(), g.dtype, 2, one_sizes, no_strides, g.sizes[0], false}, g, {db.data, db.dtype, 2, row_sizes, row_strides, db.numel, true}, false);
  ++one_pass_calls;
  return true;
}
Kernels make_kernels() {
  Kernels k;
  fill_all(k), fill_solver(k), fill_whole_rnn(k);
  k.gemm = &matmul;
  k.linear = {&linear_bias, &linear_gradients};
  unimplemented::complete_table<Name>(k);
  return k;
}

class Backend final : public DeviceBackend {
 public:
  int device_count() noexcept override { return kDevices; }
  std::string why_none() override { return ""; }
  const Kernels& kernels(int device) override {
    t_device = device;
    static const Kernels table = make_kernels();
    return table;
  }
  DeviceMemory allocate(int device, std::size_t bytes) override {
    auto* block = allocator_of(device).allocate(bytes, order(device));
    const Unlocked here;
    std::memset(block->data, 0xff, block->bytes);  // what nobody wrote shows
    return {block->data, block};
  }
  void release(int device, void* handle) noexcept override { allocator_of(device).release(block_of(handle)); }
  void record_stream(int device, void* handle, int stream) override { allocator_of(device).record_stream(block_of(handle), stream); }
  cuda::MemoryStats memory_stats(int device) override { return allocator_of(device).stats(); }
  void reset_peak_memory(int device) override { allocator_of(device).reset_peak(); }
  void empty_cache(int device) override { allocator_of(device).empty_cache(); }
  void use_growing_segments(int device, bool on) override { allocator_of(device).use_growing_segments(on); }
  void* allocate_pinned(std::size_t bytes) override { return std::malloc(bytes ? bytes : 1); }
  void release_pinned(void* data) noexcept override { std::free(data); }
  void copy(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes) override {
    if (to_device.is_cpu() || from_device.is_cpu()) check_not_captured("a copy between host and device");
    copy_on_device(to, from, static_cast<std::int64_t>(bytes));
  }
  void synchronize(int) override { check_not_captured("synchronize"); }
  void set_blocking(bool on) noexcept override { blocking_ = on; }
  bool is_blocking() noexcept override { return blocking_; }
  int next_stream(int) override { return next_ = next_ % 32 + 1; }
  int current_stream(int device) override { return t_stream[device]; }
  void set_current_stream(int device, int stream) override { t_stream[device] = stream; }
  void synchronize_stream(int, int) override {}
  bool query_stream(int, int) override { return true; }
  void* native_stream(int, int) override { return nullptr; }
  void stream_wait(int, int, void*) override {}
  void* make_event(int) override { return new char; }
  void destroy_event(int, void* event) noexcept override { delete static_cast<char*>(event); }
  void record_event(int, void*, int) override {}
  bool query_event(int, void*) override { return true; }
  void synchronize_event(int, void*) override {}
  double elapsed_time(void*, void*) override { return 0; }
  void begin_capture(int device) override {
    if (t_stream[device] == 0) std::abort();  // CUDA refuses that
    t_captured = new Graph{device, allocator_of(device).make_pool(), {}};
  }
  DeviceMemory allocate_apart(int device, std::size_t bytes) override {
    auto* block = allocator_of(device).allocate(bytes, 33);  // no stream's
    return {block->data, block};
  }
  void* end_capture(int) override { return std::exchange(t_captured, nullptr); }
  void abort_capture(int device) noexcept override { destroy_graph(device, std::exchange(t_captured, nullptr)); }
  void launch_graph(int, void* graph) override {
    if (current_capture) std::abort();
    for (const auto& work : static_cast<Graph*>(graph)->work) work();
  }
  void destroy_graph(int device, void* graph) noexcept override {
    allocator_of(device).drop_pool(static_cast<Graph*>(graph)->pool);
    delete static_cast<Graph*>(graph);
  }
  void upload(int device, void* to, const void* from, std::size_t bytes) override {
    t_device = device;
    emulated::upload(to, from, static_cast<std::int64_t>(bytes));
  }
  bool sum(std::span<const DeviceSum>) override { return false; }

 private:
  bool blocking_ = false;
  int next_ = 0;
};

}  // namespace

DeviceBackend& backend() {
  static Backend b;
  return b;
}

// ---- what kernels ask for ---------------------------------------------------------------------------------------------------------

void* stream() { return nullptr; }
namespace {
std::int64_t g_launches = 0;
}  // namespace
void launched() { ++g_launches; }
std::int64_t launches() noexcept { return g_launches; }
bool capturing() { return current_capture != nullptr; }
void record(std::function<void()> work) { t_captured->work.push_back(std::move(work)); }
void trap() {
  leave_device();
  throw DeviceLost("emulation", "a kernel ended itself");
}
void enter_device() { memory().unlock(); }
void leave_device() { memory().lock(); }
void copy_to_host(void* to, const void* from, std::int64_t bytes) {
  check_not_captured("a copy to the host");
  const Unlocked here;
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}
void copy_to_device(void* to, const void* from, std::int64_t bytes) { upload(to, from, bytes); }
void copy_on_device(void* to, const void* from, std::int64_t bytes) {
  if (capturing()) return record([=] { copy_on_device(to, from, bytes); });
  const Unlocked here;
  std::memmove(to, from, static_cast<std::size_t>(bytes));
}
void clear(void* data, std::int64_t bytes) {
  if (capturing()) return record([=] { clear(data, bytes); });
  const Unlocked here;
  std::memset(data, 0, static_cast<std::size_t>(bytes));
}
void sort_keys(const std::int64_t* keys, std::int64_t n, std::int64_t* sorted, std::int64_t* order) {
  if (capturing()) return record([=] { sort_keys(keys, n, sorted, order); });
  const Unlocked here;
  std::iota(order, order + n, std::int64_t{0});
  std::stable_sort(order, order + n, [&](std::int64_t a, std::int64_t b) { return static_cast<std::uint64_t>(keys[a]) < static_cast<std::uint64_t>(keys[b]); });
  for (std::int64_t i = 0; i < n; ++i) sorted[i] = keys[order[i]];
}
Scratch::Scratch(std::int64_t bytes) : device_(t_device) {
  if (bytes == 0) return;
  auto* block = allocator_of(device_).allocate(static_cast<std::size_t>(bytes), order(device_));
  const Unlocked here;
  std::memset(block->data, 0xff, block->bytes);
  data_ = block->data, handle_ = block;
}
Scratch::~Scratch() {
  if (handle_) allocator_of(device_).release(block_of(handle_));
}

}  // namespace rill::emulated
