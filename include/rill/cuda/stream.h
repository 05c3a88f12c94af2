// Streams and events: the order of work on a CUDA device.
#pragma once

#include <memory>

#include <rill/core/device.h>

namespace rill::cuda {

class Event;

/// A queue of work. Ops go to the current stream of the calling thread; those on different streams may overlap. A handle is a value:
/// copies name the same queue, which lives as long as the program. There are 32 for each device, handed out in turn.
class Stream {
 public:
  /// The next of the device's streams.
  explicit Stream(Device device = Device::cuda());
  /// The stream that every thread starts on.
  static Stream of_device(Device device = Device::cuda()) { return {device, 0}; }
  /// Where the ops of the calling thread go.
  static Stream current(Device device = Device::cuda());

  Device device() const noexcept { return device_; }
  int index() const noexcept { return index_; }
  /// Waits on the host until all work is done.
  void synchronize() const;
  /// True when all work is done.
  bool query() const;
  /// Later work on this stream starts after the event; the host does not wait.
  void wait(const Event& event) const;
  /// The cudaStream_t.
  void* native() const;
  friend bool operator==(const Stream&, const Stream&) noexcept = default;

 private:
  friend class StreamGuard;
  Stream(Device device, int index) noexcept : device_(device), index_(index) {}
  Device device_;
  int index_;
};

/// Makes a stream the current one of its device for the calling thread; the former one returns at the end of the scope.
class StreamGuard {
 public:
  explicit StreamGuard(const Stream& stream);
  ~StreamGuard();
  StreamGuard(const StreamGuard&) = delete;
  StreamGuard& operator=(const StreamGuard&) = delete;

 private:
  Stream before_;
};

/// A point in the work of a stream.
class Event {
 public:
  explicit Event(Device device = Device::cuda());
  /// Marks the point that the stream has been filled to.
  void record(const Stream& stream);
  void record() { record(Stream::current(device_)); }
  bool query() const;
  void synchronize() const;
  /// Milliseconds between two recorded events; waits for both.
  double elapsed_time(const Event& end) const;

 private:
  friend class Stream;
  Device device_;
  std::shared_ptr<void> handle_;
};

}  // namespace rill::cuda
