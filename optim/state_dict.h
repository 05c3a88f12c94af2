// PyTorch's layout of a saved optimizer: groups of options as JSON text, state tensors by the index of their parameter.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <rill/optim/optimizer.h>

namespace rill::optim {

/// Writes the groups. Options come by name: `writer("momentum", o.momentum)`.
class GroupWriter {
 public:
  /// Of the next group, whose parameters continue the numbering.
  void begin(double lr, double initial_lr);
  void operator()(const char* option, bool value);
  void operator()(const char* option, double value);
  void operator()(const char* option, std::int64_t value);
  void operator()(const char* option, const std::array<double, 2>& value);
  /// What PyTorch has as an option and the method does not.
  void fixed(const char* option, bool value) { (*this)(option, value); }
  void end(const std::vector<std::string>& parameter_names);
  std::string text() const { return "[" + text_ + "]"; }

 private:
  void add(const char* option, const std::string& json);
  std::string text_;
  std::size_t parameters_ = 0;
};

/// Reads what GroupWriter or PyTorch wrote. Faults are collected, so that finish() names all of them.
class GroupReader {
 public:
  /// DataLoss when the text is not JSON of this form; `sizes` are the numbers of parameters of the groups.
  GroupReader(const char* optimizer, const std::string& text, const std::vector<std::size_t>& sizes);
  ~GroupReader();
  GroupReader(const GroupReader&) = delete;
  GroupReader& operator=(const GroupReader&) = delete;

  /// Of the next group. `lr` has to be there; `initial_lr` is the same where it is not.
  void begin(double& lr, double& initial_lr);
  /// An option that is not there keeps its value.
  void operator()(const char* option, bool& value);
  void operator()(const char* option, double& value);
  void operator()(const char* option, std::int64_t& value);
  void operator()(const char* option, std::array<double, 2>& value);
  void fixed(const char* option, bool value);
  /// Options that are left count as faults, unless they are off or concern speed only.
  void end();
  /// ValueError for all faults.
  void finish() const;
  /// The tensors under "<parameter>.<slot>".
  NamedTensors by_parameter(const NamedTensors& state, const NamedTensors& parameters) const;

 private:
  struct Json;
  /// Takes the option out of the group; a value that is not as `fits` wants it is a fault.
  template <class T, class Fits> void take(const char* option, T& value, const char* expected, Fits fits);
  void fault(const std::string& sentence);
  std::unique_ptr<Json> json_;
  const char* name_;
  std::vector<std::string> faults_;
};

/// Puts the values that were found in place of those in `slots`, one list for each parameter; a parameter of which nothing was found keeps them.
/// `first_step`: what the counter "step" is where all but it was found; 0: that is a fault. ValueError lists every difference.
void fill_slots(std::vector<NamedTensors>& slots, const NamedTensors& parameters, const NamedTensors& found, std::int64_t first_step);

}  // namespace rill::optim
