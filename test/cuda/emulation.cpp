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
#include <map>
#include <memory>
#include <numeric>
#include <vector>

#include "backends/api/unimplemented.h"
#include "backends/cuda/caching_allocator.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/launch.h"
#include "backends/cuda/kernels/matmul.h"

namespace rill::emulated {

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
cuda::CachingAllocator::Block* block_of(void* handle) { return static_cast<cuda::CachingAllocator::Block*>(handle); }

struct Name {
  static constexpr const char* text = "cuda";
};
Kernels make_kernels() {
  Kernels k;
  fill_all(k);
  k.gemm = &matmul;
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
    auto* block = allocator_of(device).allocate(bytes, t_stream[device]);
    const Unlocked here;
    std::memset(block->data, 0xff, block->bytes);  // what nobody wrote shows
    return {block->data, block};
  }
  void release(int device, void* handle) noexcept override { allocator_of(device).release(block_of(handle)); }
  void record_stream(int device, void* handle, int stream) override { allocator_of(device).record_stream(block_of(handle), stream); }
  cuda::MemoryStats memory_stats(int device) override { return allocator_of(device).stats(); }
  void reset_peak_memory(int device) override { allocator_of(device).reset_peak(); }
  void empty_cache(int device) override { allocator_of(device).empty_cache(); }
  void* allocate_pinned(std::size_t bytes) override { return std::malloc(bytes ? bytes : 1); }
  void release_pinned(void* data) noexcept override { std::free(data); }
  void copy(void* to, Device, const void* from, Device, std::size_t bytes) override {
    const Unlocked here;
    std::memcpy(to, from, bytes);
  }
  void synchronize(int) override {}
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
void launched() {}
void enter_device() { memory().unlock(); }
void leave_device() { memory().lock(); }
void copy_to_host(void* to, const void* from, std::int64_t bytes) {
  const Unlocked here;
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}
void copy_to_device(void* to, const void* from, std::int64_t bytes) { copy_to_host(to, from, bytes); }
void copy_on_device(void* to, const void* from, std::int64_t bytes) {
  const Unlocked here;
  std::memmove(to, from, static_cast<std::size_t>(bytes));
}
void clear(void* data, std::int64_t bytes) {
  const Unlocked here;
  std::memset(data, 0, static_cast<std::size_t>(bytes));
}
void sort_keys(const std::int64_t* keys, std::int64_t n, std::int64_t* sorted, std::int64_t* order) {
  const Unlocked here;
  std::iota(order, order + n, std::int64_t{0});
  std::stable_sort(order, order + n, [&](std::int64_t a, std::int64_t b) { return static_cast<std::uint64_t>(keys[a]) < static_cast<std::uint64_t>(keys[b]); });
  for (std::int64_t i = 0; i < n; ++i) sorted[i] = keys[order[i]];
}
Scratch::Scratch(std::int64_t bytes) : device_(t_device) {
  if (bytes == 0) return;
  auto* block = allocator_of(device_).allocate(static_cast<std::size_t>(bytes), t_stream[device_]);
  const Unlocked here;
  std::memset(block->data, 0xff, block->bytes);
  data_ = block->data, handle_ = block;
}
Scratch::~Scratch() {
  if (handle_) allocator_of(device_).release(block_of(handle_));
}

}  // namespace rill::emulated
