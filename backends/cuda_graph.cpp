// Steps that are captured once and launched as a whole, over the graphs of the device's backend.
#include <rill/cuda/graph.h>

#include <cstring>
#include <list>

#include <rill/cuda/stream.h>

#include "backends/api/backend.h"
#include "backends/api/device_backend.h"
#include "lib/core/capture.h"
#include "lib/core/op_range.h"
#include "lib/core/random.h"

namespace rill::cuda {
namespace {

/// The calling thread captures for the time of a scope, or collects constants.
class CaptureScope {
 public:
  explicit CaptureScope(Capture& capture) {
    check<FailedPrecondition>(!current_capture, "GraphStep", "a captured step cannot contain another one");
    current_capture = &capture;
  }
  ~CaptureScope() { current_capture = nullptr; }
  CaptureScope(const CaptureScope&) = delete;
  CaptureScope& operator=(const CaptureScope&) = delete;
};

/// What a graph reads from device memory, written before each launch.
class StepCapture final : public Capture {
 public:
  StepCapture(DeviceBackend& backend, int device) : backend_(backend), device_(device) {}
  StepCapture(const StepCapture&) = delete;
  StepCapture& operator=(const StepCapture&) = delete;
  ~StepCapture() override {
    for (const Source& s : sources_) backend_.release(device_, s.memory.handle);
    for (const Block& b : blocks_) backend_.release(device_, b.memory.handle);
  }

  Draw draw(const Generator& generator) override {
    check<FailedPrecondition>(!before_replay_, "GraphStep", "a replay drew random numbers on the host for the device");
    for (Source& s : sources_)
      if (s.generator.is_same(generator)) return {0, s.draws++, static_cast<const std::uint64_t*>(s.memory.data)};
    sources_.push_back({generator, 1, backend_.allocate_apart(device_, 2 * sizeof(std::uint64_t))});
    return {0, 0, static_cast<const std::uint64_t*>(sources_.back().memory.data)};
  }
  void repeat(std::function<void()> f) override {
    repeats_.push_back(std::move(f));
    run(repeats_.back());
  }
  std::byte* constants(std::span<const std::byte> bytes) override {
    check<Internal>(repeating_, "GraphStep", "constants outside of what is repeated");
    if (!before_replay_) {
      blocks_.push_back({{bytes.begin(), bytes.end()}, backend_.allocate_apart(device_, bytes.size())});
      return static_cast<std::byte*>(blocks_.back().memory.data);
    }
    check_same(next_ < blocks_.size() && blocks_[next_].bytes.size() == bytes.size());
    std::memcpy(blocks_[next_++].bytes.data(), bytes.data(), bytes.size());
    return nullptr;
  }

  bool before_replay() const override { return before_replay_; }

  /// The host's part of a launch. The first one has its constants from the capture.
  void prepare() {
    if (launched_) {
      const CaptureScope here(*this);
      before_replay_ = true, next_ = 0;
      for (const auto& f : repeats_) run(f);
      before_replay_ = false;
      check_same(next_ == blocks_.size());
    }
    launched_ = true;
    for (const Block& b : blocks_) backend_.upload(device_, b.memory.data, b.bytes.data(), b.bytes.size());
    for (const Source& s : sources_) {
      const Draw first = take_draws(s.generator, s.draws);
      const std::uint64_t words[] = {first.seed, first.call};
      backend_.upload(device_, s.memory.data, words, sizeof words);
    }
  }

 private:
  void run(const std::function<void()>& f) {
    repeating_ = true;
    f();
    repeating_ = false;
  }
  static void check_same(bool same) {
    check<FailedPrecondition>(same, "GraphStep", "an optimizer updates other parameters than when the step was captured; make a new GraphStep");
  }
  struct Source {
    Generator generator;
    std::uint64_t draws;  // of one step
    DeviceMemory memory;  // seed and call
  };
  struct Block {
    std::vector<std::byte> bytes;
    DeviceMemory memory;
  };
  DeviceBackend& backend_;
  int device_;
  std::vector<Source> sources_;
  std::vector<Block> blocks_;
  std::vector<std::function<void()>> repeats_;
  std::size_t next_ = 0;
  bool repeating_ = false, before_replay_ = false, launched_ = false;
};

std::vector<Tensor> detached(std::vector<Tensor> list) {
  for (Tensor& t : list)
    if (t.defined()) t = t.detach();
  return list;
}

/// The steps of one list of input shapes.
struct Steps {
  DeviceBackend& backend;
  int device;
  std::vector<Tensor> inputs, outputs;
  int run = 0;  // op by op
  std::unique_ptr<StepCapture> capture;
  void* graph = nullptr;

  Steps(DeviceBackend& b, const std::vector<Tensor>& like, Device d) : backend(b), device(d.index()) {
    for (const Tensor& t : like) inputs.push_back(make_tensor(t.shape(), t.dtype(), d));
  }
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;
  ~Steps() {
    outputs.clear();
    if (graph) backend.destroy_graph(device, graph);  // waits for its launches, which read what `capture` holds
  }
  bool fits(const std::vector<Tensor>& given) const {
    bool same = given.size() == inputs.size();
    for (std::size_t i = 0; same && i < given.size(); ++i) same = given[i].shape() == inputs[i].shape() && given[i].dtype() == inputs[i].dtype();
    return same;
  }
  void record(const GraphStep::Function& f) {
    const StreamGuard stream(Stream(Device::cuda(device)));  // the one that threads start on cannot be captured
    auto now = std::make_unique<StepCapture>(backend, device);
    std::vector<Tensor> results;
    backend.begin_capture(device);
    try {
      const CaptureScope here(*now);
      results = detached(f(inputs));
    } catch (...) {
      results.clear(), now.reset();
      backend.abort_capture(device);
      throw;
    }
    graph = backend.end_capture(device);
    capture = std::move(now), outputs = std::move(results);
  }
};

}  // namespace

struct GraphStep::Impl {
  Function f;
  GraphOptions options;
  std::list<Steps> steps;  // used last: first

  Steps& steps_for(const std::vector<Tensor>& inputs) {
    for (auto at = steps.begin(); at != steps.end(); ++at)
      if (at->fits(inputs)) return steps.splice(steps.begin(), steps, at), steps.front();
    DeviceBackend& backend = backend_of("GraphStep", options.device);
    while (static_cast<int>(steps.size()) >= options.graphs) steps.pop_back();
    return steps.emplace_front(backend, inputs, options.device);
  }
};

GraphStep::GraphStep(Function f, GraphOptions options) : impl_(new Impl{std::move(f), options, {}}) {
  check<ValueError>(static_cast<bool>(impl_->f), "GraphStep", "there is no function; give it the step to capture");
  check<ValueError>(options.warmup >= 1, "GraphStep", "warmup is {}; libraries are loaded and plans made in the first calls, so at least 1 is needed", options.warmup);
  check<ValueError>(options.graphs >= 1, "GraphStep", "graphs is {}; keep at least 1", options.graphs);
  check<DeviceError>(!options.device.is_cpu(), "GraphStep", "{} is no CUDA device; use Device::cuda()", options.device);
}
GraphStep::~GraphStep() = default;
GraphStep::GraphStep(GraphStep&&) noexcept = default;
GraphStep& GraphStep::operator=(GraphStep&&) noexcept = default;

std::vector<Tensor> GraphStep::operator()(const std::vector<Tensor>& inputs) {
  for (const Tensor& t : inputs) check_defined("GraphStep", t, "an input");
  check<FailedPrecondition>(!current_capture, "GraphStep", "a captured step cannot contain another one");
  Steps& s = impl_->steps_for(inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) s.inputs[i].copy_(inputs[i].detach());
  if (s.run < impl_->options.warmup) return ++s.run, detached(impl_->f(s.inputs));
  if (!s.graph) s.record(impl_->f);
  const OpRange here("GraphStep");
  s.capture->prepare();
  s.backend.launch_graph(s.device, s.graph);
  return s.outputs;
}
int GraphStep::graphs() const {
  int n = 0;
  for (const Steps& s : impl_->steps) n += s.graph != nullptr;
  return n;
}

}  // namespace rill::cuda
