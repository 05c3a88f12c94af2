#include "optim/state_dict.h"

#include <cmath>
#include <map>
#include <set>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <rill/autograd/grad_mode.h>

#include "lib/core/check.h"
#include "optim/state.h"

namespace rill::optim {

// ---- writing ---------------------------------------------------------------------------------------------------------------

void GroupWriter::add(const char* option, const std::string& json) { text_ += fmt::format("{}\"{}\": {}", text_.ends_with('{') ? "" : ", ", option, json); }
void GroupWriter::begin(double lr, double initial_lr) {
  text_ += text_.empty() ? "{" : ", {";
  (*this)("lr", lr);
  (*this)("initial_lr", initial_lr);
}
void GroupWriter::operator()(const char* option, bool value) { add(option, value ? "true" : "false"); }
void GroupWriter::operator()(const char* option, double value) { add(option, nlohmann::json(value).dump()); }
void GroupWriter::operator()(const char* option, std::int64_t value) { add(option, std::to_string(value)); }
void GroupWriter::operator()(const char* option, const std::array<double, 2>& value) { add(option, nlohmann::json(value).dump()); }
void GroupWriter::end(const std::vector<std::string>& parameter_names) {
  std::vector<std::size_t> indices(parameter_names.size());
  for (auto& index : indices) index = parameters_++;
  add("params", nlohmann::json(indices).dump());
  add("param_names", nlohmann::json(parameter_names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  text_ += "}";
}

// ---- reading ---------------------------------------------------------------------------------------------------------------

struct GroupReader::Json {
  nlohmann::json groups;
  std::size_t next = 0;
  nlohmann::json* group = nullptr;              // the present one; what was read is taken out
  std::map<std::string, std::size_t> place_of;  // the place of a parameter by its index in the file
};

GroupReader::GroupReader(const char* optimizer, const std::string& text, const std::vector<std::size_t>& sizes) : json_(std::make_unique<Json>()), name_(optimizer) {
  constexpr const char* op = "load_state_dict";
  json_->groups = nlohmann::json::parse(text, nullptr, false);
  const auto& groups = json_->groups;
  check<DataLoss>(groups.is_array(), op, "param_groups is no JSON list; expected what json.dumps(state_dict[\"param_groups\"]) gives in Python");
  check<ValueError>(groups.size() == sizes.size(), op, "there are {} parameter groups in the saved state and {} in {}", groups.size(), sizes.size(), optimizer);
  std::size_t place = 0;
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    check<DataLoss>(groups[g].is_object() && groups[g].contains("params") && groups[g]["params"].is_array(), op, "param_groups[{}] is no JSON object with a list \"params\"", g);
    const auto& params = groups[g]["params"];
    check<ValueError>(params.size() == sizes[g], op, "group {} has {} parameters in the saved state and {} in {}", g, params.size(), sizes[g], optimizer);
    for (const auto& index : params) {
      check<DataLoss>(index.is_number_unsigned(), op, "param_groups[{}][\"params\"] holds {}; expected indices of parameters", g, index.dump(-1, ' ', true));
      check<DataLoss>(json_->place_of.emplace(index.dump(), place++).second, op, "parameter {} appears twice in param_groups", index.dump());
    }
  }
}
GroupReader::~GroupReader() = default;

void GroupReader::fault(const std::string& sentence) { faults_.push_back(fmt::format("group {}: {}", json_->next - 1, sentence)); }
void GroupReader::begin(double& lr, double& initial_lr) {
  json_->group = &json_->groups[json_->next++];
  if (!json_->group->contains("lr")) fault("lr is missing");
  (*this)("lr", lr);
  initial_lr = lr;
  (*this)("initial_lr", initial_lr);
}

namespace {

std::string shown(const nlohmann::json& value) {
  std::string text = value.dump(-1, ' ', true);
  if (text.size() > 40) text.replace(37, std::string::npos, "...");
  return text;
}
bool is_pair(const nlohmann::json& v) { return v.is_array() && v.size() == 2 && v[0].is_number() && v[1].is_number(); }

}  // namespace

template <class T, class Fits> void GroupReader::take(const char* option, T& value, const char* expected, Fits fits) {
  const auto found = json_->group->find(option);
  if (found == json_->group->end()) return;
  if (fits(*found)) value = found->template get<T>();
  else fault(fmt::format("{} is {}; expected {}", option, shown(*found), expected));
  json_->group->erase(found);
}
void GroupReader::operator()(const char* option, bool& value) {
  take(option, value, "true or false", [](const auto& v) { return v.is_boolean(); });
}
void GroupReader::operator()(const char* option, double& value) {
  take(option, value, "a number", [](const auto& v) { return v.is_number(); });
}
void GroupReader::operator()(const char* option, std::int64_t& value) {
  double number = static_cast<double>(value);
  (*this)(option, number);
  if (number == std::floor(number) && std::fabs(number) < 0x1p53) value = static_cast<std::int64_t>(number);
  else fault(fmt::format("{} is {}; expected an integer", option, number));
}
void GroupReader::operator()(const char* option, std::array<double, 2>& value) { take(option, value, "two numbers", is_pair); }
void GroupReader::fixed(const char* option, bool value) {
  bool found = value;
  (*this)(option, found);
  if (found != value) fault(fmt::format("{} is {}; {} has it at {}", option, found, name_, value));
}
void GroupReader::end() {
  static const std::set<std::string> about_speed = {"params", "param_names", "foreach", "fused", "capturable", "differentiable"};
  for (const auto& [option, value] : json_->group->items()) {
    const bool off = value.is_null() || value == false || value == 0;
    if (!off && !about_speed.contains(option)) fault(fmt::format("{} has no option {} (it is {})", name_, option, shown(value)));
  }
}
void GroupReader::finish() const {
  check<ValueError>(faults_.empty(), "load_state_dict", "{}; nothing was changed", fmt::join(faults_, ", "));
}

NamedTensors GroupReader::by_parameter(const NamedTensors& state, const NamedTensors& parameters) const {
  NamedTensors list;
  for (const auto& [name, value] : state) {
    const auto dot = name.find('.');
    const auto it = json_->place_of.find(name.substr(0, dot));
    if (it == json_->place_of.end() || dot == std::string::npos) list.emplace_back("state[\"" + name + "\"]", value);
    else list.emplace_back(parameters[it->second].first + name.substr(dot), value);
  }
  return list;
}

// ---- state tensors ---------------------------------------------------------------------------------------------------------

namespace {

/// In the dtype of the slot, which differs where PyTorch counts in float32 or keeps the moments of 16-bit parameters in 16 bits.
Tensor converted(const std::string& name, const Tensor& slot, const Tensor& found) {
  if (!found.defined() || found.shape() != slot.shape()) return found;
  if (slot.dtype() != Dtype::int64) return found.detach().to(slot.dtype());
  const auto steps = found.item<double>();
  check<ValueError>(steps >= 0 && steps == std::floor(steps) && steps < 0x1p53, "load_state_dict", "{} is {}; expected a number of updates", name, steps);
  return full({}, steps, {.dtype = int64});
}

}  // namespace

void fill_slots(std::vector<NamedTensors>& slots, const NamedTensors& parameters, const NamedTensors& found, std::int64_t first_step) {
  std::map<std::string, Tensor> values(found.begin(), found.end());
  NamedTensors mine;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::string prefix = parameters[i].first + ".";
    std::size_t there = 0;
    for (const auto& entry : slots[i]) there += values.contains(prefix + entry.first);
    if (there == 0) continue;
    if (first_step > 0 && there + 1 == slots[i].size()) values.emplace(prefix + "step", full({}, first_step, {.dtype = int64}));
    for (const auto& [slot, start] : slots[i]) {
      mine.emplace_back(prefix + slot, start);
      if (const auto it = values.find(prefix + slot); it != values.end()) it->second = converted(it->first, start, it->second);
    }
  }
  load_into(mine, NamedTensors(values.begin(), values.end()), "load_state_dict");
}

}  // namespace rill::optim
