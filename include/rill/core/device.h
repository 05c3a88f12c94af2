// Where a tensor lives.
#pragma once

#include <cstdint>
#include <string>

namespace rill {

/// A kind of device and its index: `Device::cpu()`, `Device::cuda(1)`.
class Device {
 public:
  enum class Kind : std::uint8_t { cpu, cuda };
  constexpr Device() noexcept = default;
  static constexpr Device cpu() noexcept { return {}; }
  static constexpr Device cuda(int index = 0) noexcept { return Device(Kind::cuda, static_cast<std::int8_t>(index)); }
  constexpr Kind kind() const noexcept { return kind_; }
  constexpr int index() const noexcept { return index_; }
  constexpr bool is_cpu() const noexcept { return kind_ == Kind::cpu; }
  friend constexpr bool operator==(Device, Device) noexcept = default;

 private:
  constexpr Device(Kind kind, std::int8_t index) noexcept : kind_(kind), index_(index) {}
  Kind kind_ = Kind::cpu;
  std::int8_t index_ = 0;
};

/// "cpu" or "cuda:0".
std::string to_string(Device d);

}  // namespace rill
