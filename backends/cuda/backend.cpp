// CUDA devices behind the interface of device backends.
#include "backends/cuda/backend.h"

#include <atomic>
#include <memory>

#include "backends/cuda/nccl.h"
#include "backends/cuda/runtime.h"
#include "backends/cuda/table.h"
#define RILL_GPU cuda
#include "backends/cuda/kernels/runtime.h"
#include "lib/core/capture.h"
#include "lib/core/check.h"

namespace rill::cuda {
namespace {

/// The calling thread works on a device; what it did before is of no interest, since every op says where it works.
int on(int device) {
  use_device(device);
  return device;
}
cudaEvent_t event_of(void* event) { return static_cast<cudaEvent_t>(event); }

class CudaBackend final : public DeviceBackend {
 public:
  CudaBackend() : count_(count_devices(why_)) {}

  int device_count() noexcept override { return count_; }
  std::string why_none() override { return why_; }
  const Kernels& kernels(int device) override {
    use_device(device);
    static const Kernels table = make_kernels();
    return table;
  }

  DeviceMemory allocate(int device, std::size_t bytes) override {
    CachingAllocator::Block* block = allocator_of(device).allocate(bytes, allocation_order(device));
    return {block->data, block};
  }
  void release(int device, void* handle) noexcept override { allocator_of(device).release(static_cast<CachingAllocator::Block*>(handle)); }
  void record_stream(int device, void* handle, int stream) override { allocator_of(device).record_stream(static_cast<CachingAllocator::Block*>(handle), stream); }
  MemoryStats memory_stats(int device) override { return allocator_of(device).stats(); }
  void reset_peak_memory(int device) override { allocator_of(device).reset_peak(); }
  void empty_cache(int device) override { allocator_of(device).empty_cache(); }
  void use_growing_segments(int device, bool on) override { allocator_of(device).use_growing_segments(on); }
  void* allocate_pinned(std::size_t bytes) override {
    void* data = nullptr;
    check_runtime(cudaHostAlloc(&data, bytes ? bytes : 1, cudaHostAllocPortable), "cudaHostAlloc");
    return data;
  }
  void release_pinned(void* data) noexcept override { (void)cudaFreeHost(data); }

  void copy(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes) override {
    const int device = on(to_device.is_cpu() ? from_device.index() : to_device.index());
    const cudaStream_t s = stream_of(device, current_stream_index(device));
    if (!to_device.is_cpu() && !from_device.is_cpu() && !(to_device == from_device)) {  // what the source's stream has to do comes first
      check_not_captured("a copy between devices");
      cudaEvent_t done = nullptr;
      on(from_device.index());
      check_runtime(cudaEventCreateWithFlags(&done, cudaEventDisableTiming), "copy");
      check_runtime(cudaEventRecord(done, stream_of(from_device.index(), current_stream_index(from_device.index()))), "copy");
      on(device);
      check_runtime(cudaStreamWaitEvent(s, done, 0), "copy");
      check_runtime(cudaEventDestroy(done), "copy");
      check_runtime(cudaMemcpyPeerAsync(to, device, from, from_device.index(), bytes, s), "copy");
      check_runtime(cudaStreamSynchronize(s), "copy");  // the source may be reused on its own stream from now on
      return;
    }
    if (to_device.is_cpu() || from_device.is_cpu()) check_not_captured("a copy between host and device");
    check_runtime(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, s), "copy");
    if (to_device.is_cpu() || from_device.is_cpu()) check_runtime(cudaStreamSynchronize(s), "copy");
  }
  void synchronize(int device) override {
    check_not_captured("synchronize");
    on(device);
    check_runtime(cudaDeviceSynchronize(), "synchronize");
    mark_well(device);
  }
  void set_blocking(bool on) noexcept override { set_blocking_mode(on); }
  bool is_blocking() noexcept override { return blocking_mode(); }

  int next_stream(int device) override {
    static std::atomic<unsigned> next{0};
    const int index = 1 + static_cast<int>(next.fetch_add(1) % kStreams);
    (void)stream_of(device, index);
    return index;
  }
  int current_stream(int device) override { return current_stream_index(device); }
  void set_current_stream(int device, int stream) override { set_current_stream_index(device, stream); }
  void synchronize_stream(int device, int stream) override { check_runtime(cudaStreamSynchronize(stream_of(on(device), stream)), "synchronize"); }
  bool query_stream(int device, int stream) override { return is_done(cudaStreamQuery(stream_of(on(device), stream))); }
  void* native_stream(int device, int stream) override { return stream_of(device, stream); }
  void stream_wait(int device, int stream, void* event) override { check_runtime(cudaStreamWaitEvent(stream_of(on(device), stream), event_of(event), 0), "wait"); }
  void* make_event(int device) override {
    on(device);
    cudaEvent_t event = nullptr;
    check_runtime(cudaEventCreate(&event), "cudaEventCreate");
    return event;
  }
  void destroy_event(int, void* event) noexcept override { (void)cudaEventDestroy(event_of(event)); }
  void record_event(int device, void* event, int stream) override { check_runtime(cudaEventRecord(event_of(event), stream_of(on(device), stream)), "record"); }
  bool query_event(int device, void* event) override { return on(device), is_done(cudaEventQuery(event_of(event))); }
  void synchronize_event(int device, void* event) override { on(device), check_runtime(cudaEventSynchronize(event_of(event)), "synchronize"); }
  bool sum(std::span<const DeviceSum> sums) override { return sum_by_nccl(sums); }
  double elapsed_time(void* begin, void* end) override {
    float milliseconds = 0;
    check_runtime(cudaEventElapsedTime(&milliseconds, event_of(begin), event_of(end)), "elapsed_time");
    return milliseconds;
  }

  void begin_capture(int device) override {
    on(device);
    const int pool = allocator_of(device).make_pool();
    const cudaError_t status = cudaStreamBeginCapture(stream_of(device, current_stream_index(device)), cudaStreamCaptureModeThreadLocal);
    if (status != cudaSuccess) allocator_of(device).drop_pool(pool);
    check_runtime(status, "cudaStreamBeginCapture");
    set_capture_pool(device, pool);
  }
  DeviceMemory allocate_apart(int device, std::size_t bytes) override {
    CachingAllocator::Block* block = allocator_of(device).allocate(bytes, kApart);
    return {block->data, block};
  }
  void* end_capture(int device) override {
    auto graph = std::make_unique<Graph>(device, allocation_order(device));
    cudaGraph_t captured = nullptr;
    set_capture_pool(device, -1);
    check_runtime(cudaStreamEndCapture(stream_of(on(device), current_stream_index(device)), &captured), "cudaStreamEndCapture");
    const cudaError_t status = cudaGraphInstantiate(&graph->exec, captured, 0);
    (void)cudaGraphDestroy(captured);
    check_runtime(status, "cudaGraphInstantiate");
    return graph.release();
  }
  void abort_capture(int device) noexcept override {
    const int pool = allocation_order(device);
    set_capture_pool(device, -1);
    cudaGraph_t captured = nullptr;
    (void)cudaStreamEndCapture(stream_of(device, current_stream_index(device)), &captured);
    if (captured) (void)cudaGraphDestroy(captured);
    (void)cudaGetLastError();
    allocator_of(device).drop_pool(pool);
  }
  void launch_graph(int device, void* graph) override {
    check_runtime(cudaGraphLaunch(static_cast<Graph*>(graph)->exec, stream_of(on(device), current_stream_index(device))), "cudaGraphLaunch");
    launched();
  }
  void destroy_graph(int device, void* graph) noexcept override {
    try {
      on(device);
    } catch (const Error&) {  // the device is lost
    }
    (void)cudaDeviceSynchronize();  // a launch may still run in its memory
    delete static_cast<Graph*>(graph);
  }
  void upload(int device, void* to, const void* from, std::size_t bytes) override {
    on(device);
    cuda::upload(to, from, static_cast<std::int64_t>(bytes));
  }

 private:
  struct Graph {
    cudaGraphExec_t exec = nullptr;
    int device, pool;
    Graph(int d, int p) : device(d), pool(p) {}
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;
    ~Graph() {
      if (exec) (void)cudaGraphExecDestroy(exec);
      allocator_of(device).drop_pool(pool);
    }
  };
  static bool is_done(cudaError_t status) {
    if (status == cudaErrorNotReady) return (void)cudaGetLastError(), false;
    return check_runtime(status, "query"), true;
  }
  std::string why_;
  int count_;
};

}  // namespace

DeviceBackend& backend() {
  static auto* b = new CudaBackend;  // never destroyed: tensors may outlive static destructors
  return *b;
}

}  // namespace rill::cuda
