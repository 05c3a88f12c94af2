// Exceptions of rill. Every message is one sentence: "op: what happened with which values; what would work".
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

namespace rill {

/// Base of every exception that rill throws on purpose. `op()` names the function that refused.
class Error : public std::runtime_error {
 public:
  Error(std::string op, const std::string& sentence)
      : std::runtime_error(op.empty() ? sentence : op + ": " + sentence), op_(std::move(op)) {}
  const std::string& op() const noexcept { return op_; }
  const char* what() const noexcept override { return located_ ? located_->c_str() : std::runtime_error::what(); }
  /// Adds where in the user's model the op was called: "sentence (in net.layer3.conv2)". Only the first, innermost place counts.
  void locate(const std::string& place) {
    if (!located_) located_ = std::make_shared<const std::string>(std::string(what()) + " (in " + place + ")");
  }

 private:
  std::string op_;
  std::shared_ptr<const std::string> located_;
};

/// The caller passed something that can never work.
struct InvalidArgument : Error { using Error::Error; };
struct ShapeError : InvalidArgument { using InvalidArgument::InvalidArgument; };
struct DtypeError : InvalidArgument { using InvalidArgument::InvalidArgument; };
struct DeviceError : InvalidArgument { using InvalidArgument::InvalidArgument; };
struct IndexError : InvalidArgument { using InvalidArgument::InvalidArgument; };
struct ValueError : InvalidArgument { using InvalidArgument::InvalidArgument; };

/// The call is legal, but not in the present state (graph released, stream closed).
struct FailedPrecondition : Error { using Error::Error; };
struct GradError : FailedPrecondition { using FailedPrecondition::FailedPrecondition; };

/// The clean end of a stream or a queue; never an index error.
struct OutOfRange : Error { using Error::Error; };
/// Malformed, truncated or corrupt input.
struct DataLoss : Error { using Error::Error; };

struct ResourceExhausted : Error { using Error::Error; };
/// A parser limit was exceeded; the message names the limit and the option that raises it.
struct LimitExceeded : ResourceExhausted { using ResourceExhausted::ResourceExhausted; };
struct OutOfMemory : ResourceExhausted { using ResourceExhausted::ResourceExhausted; };

/// The operating system refused a file operation; the message holds path, operation and reason.
struct IoError : Error { using Error::Error; };
struct NotFound : IoError { using IoError::IoError; };
struct AlreadyExists : IoError { using IoError::IoError; };
/// A save failed before its commit point: the former file is untouched.
struct NotCommitted : IoError { using IoError::IoError; };
/// A save is visible but may be lost on power failure.
struct DurabilityUncertain : IoError { using IoError::IoError; };

struct Cancelled : Error { using Error::Error; };
struct DeadlineExceeded : Error { using Error::Error; };
/// Another rank failed.
struct Aborted : Error { using Error::Error; };
/// A device failed; its memory is lost and every later call on it fails, until the program starts anew.
struct DeviceLost : Error { using Error::Error; };
/// No kernel for this op, device and dtype.
struct Unimplemented : Error { using Error::Error; };
/// A bug of rill itself: please report it.
struct Internal : Error { using Error::Error; };

}  // namespace rill
