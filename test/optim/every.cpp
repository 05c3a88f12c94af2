#include "test/optim/every.h"

#include <fstream>

#include <rill/optim/adagrad.h>
#include <rill/optim/adam.h>
#include <rill/optim/layerwise.h>
#include <rill/optim/proximal.h>
#include <rill/optim/rms_prop.h>
#include <rill/optim/schedule_free.h>
#include <rill/optim/sgd.h>
#include <rill/optim/sign.h>

#include "test/support/text_tensors.h"

namespace rill {

OptionLine::OptionLine(const std::string& line) : text(line.substr(0, line.find(" =>"))) {
  const auto words = text::split(text, ' ');
  name = words.at(0);
  for (std::size_t i = 1; i < words.size(); ++i) options[words[i].substr(0, words[i].find('='))] = words[i].substr(words[i].find('=') + 1);
  const auto parts = text::split(line.substr(line.find("=> ") + 3), '|');
  numbers = text::values(parts.at(0));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto section = text::split(parts[i], ' ');  // "", title, numbers; or only numbers
    sections.emplace_back(section.size() > 2 && !section[2].empty() ? section[1] : "", text::values(section.size() > 2 && !section[2].empty() ? section[2] : section.at(1)));
  }
}
std::string OptionLine::word(const std::string& key) const {
  const auto it = options.find(key);
  if (it == options.end()) return {};
  ++used;
  return it->second;
}
double OptionLine::number(const std::string& key, double otherwise) const {
  const std::string w = word(key);
  return w.empty() ? otherwise : std::stod(w);
}
std::array<double, 2> OptionLine::pair(const std::string& key, std::array<double, 2> otherwise) const {
  const auto v = text::values(word(key));
  return v.empty() ? otherwise : std::array<double, 2>{v.at(0), v.at(1)};
}
std::vector<OptionLine> option_lines(const std::string& file) {
  std::ifstream in(std::string(RILL_SOURCE_DIR) + "/test/optim/" + file);
  REQUIRE(in);
  std::vector<OptionLine> lines;
  for (std::string line; std::getline(in, line);) lines.emplace_back(line);
  return lines;
}

const std::vector<OptionLine>& every_optimizer() {
  static const std::vector<OptionLine> all = [] {
    std::vector<OptionLine> list;
    for (const char* file : {"optim_goldens.txt", "tf_optim_goldens.txt", "research_optim_goldens.txt"})
      for (const auto& line : option_lines(file))
        if (line.name != "Lbfgs") list.push_back(line);
    return list;
  }();
  return all;
}

namespace {

using Make = std::unique_ptr<optim::Optimizer> (*)(const OptionLine&, const NamedTensors&);

/// The options that most methods have, where they have them.
template <class O> void set_common(O& o, const OptionLine& l) {
  o.lr = l.number("lr", o.lr);
  if constexpr (requires { o.betas; }) o.betas = l.pair("betas", o.betas);
  if constexpr (requires { o.eps; }) o.eps = l.number("eps", o.eps);
  if constexpr (requires { o.weight_decay; }) o.weight_decay = l.number("weight_decay", o.weight_decay);
  if constexpr (requires { o.maximize; }) o.maximize = l.flag("maximize");
  if constexpr (requires { o.amsgrad; }) o.amsgrad = l.flag("amsgrad");
  if constexpr (requires { o.decoupled_weight_decay; }) o.decoupled_weight_decay = l.flag("decoupled_weight_decay");
  if constexpr (requires { o.eps_hat; }) o.eps_hat = l.flag("eps_hat");
  if constexpr (requires { o.momentum; }) o.momentum = l.number("momentum", o.momentum);
  if constexpr (requires { o.dampening; }) o.dampening = l.number("dampening", o.dampening);
  if constexpr (requires { o.nesterov; }) o.nesterov = l.flag("nesterov");
  if constexpr (requires { o.trust_coefficient; }) o.trust_coefficient = l.number("trust_coefficient", o.trust_coefficient);
  if constexpr (requires { o.adapt; }) o.adapt = l.number("adapt", o.adapt) != 0;
  if constexpr (requires { o.warmup_steps; }) o.warmup_steps = static_cast<std::int64_t>(l.number("warmup_steps", 0)), o.r = l.number("r", 0), o.weight_lr_power = l.number("weight_lr_power", o.weight_lr_power);
  if constexpr (requires { o.momentum_decay; }) o.momentum_decay = l.number("momentum_decay", o.momentum_decay);
  if constexpr (requires { o.alpha; }) o.alpha = l.number("alpha", o.alpha);
  if constexpr (requires { o.centered; }) o.centered = l.flag("centered");
  if constexpr (requires { o.initial_mean_square; }) o.initial_mean_square = l.number("initial_mean_square", o.initial_mean_square);
  if constexpr (requires { o.eps_inside_root; }) o.eps_inside_root = l.flag("eps_inside_root");
  if constexpr (requires { o.lr_in_buffer; }) o.lr_in_buffer = l.flag("lr_in_buffer");
  if constexpr (requires { o.lr_decay; }) o.lr_decay = l.number("lr_decay", o.lr_decay);
  if constexpr (requires { o.initial_accumulator_value; }) o.initial_accumulator_value = l.number("initial_accumulator_value", o.initial_accumulator_value);
  if constexpr (requires { o.rho; }) o.rho = l.number("rho", o.rho);
  if constexpr (requires { o.etas; }) o.etas = l.pair("etas", o.etas);
  if constexpr (requires { o.step_sizes; }) o.step_sizes = l.pair("step_sizes", o.step_sizes);
  if constexpr (requires { o.l1; }) o.l1 = l.number("l1", o.l1), o.l2 = l.number("l2", o.l2);
  if constexpr (requires { o.l2_shrinkage; }) o.l2_shrinkage = l.number("l2_shrinkage", o.l2_shrinkage), o.lr_power = l.number("lr_power", o.lr_power);
}
template <class T, class O> std::unique_ptr<optim::Optimizer> make(const OptionLine& line, const NamedTensors& parameters) {
  O o;
  set_common(o, line);
  return std::make_unique<T>(parameters, o);
}

}  // namespace

std::unique_ptr<optim::Optimizer> make_optimizer(const OptionLine& line, const NamedTensors& parameters) {
  using namespace optim;
  static const std::map<std::string, Make> makers = {
      {"Sgd", &make<Sgd, SgdOptions>},         {"Adam", &make<Adam, AdamOptions>},          {"AdamW", &make<AdamW, AdamWOptions>},
      {"Adamax", &make<Adamax, AdamaxOptions>}, {"NAdam", &make<NAdam, NAdamOptions>},       {"RAdam", &make<RAdam, RAdamOptions>},
      {"RmsProp", &make<RmsProp, RmsPropOptions>}, {"Adagrad", &make<Adagrad, AdagradOptions>}, {"Adadelta", &make<Adadelta, AdadeltaOptions>},
      {"Rprop", &make<Rprop, RpropOptions>},    {"Lion", &make<Lion, LionOptions>},          {"Ftrl", &make<Ftrl, FtrlOptions>},
      {"ProximalSgd", &make<ProximalSgd, ProximalSgdOptions>}, {"ProximalAdagrad", &make<ProximalAdagrad, ProximalAdagradOptions>},
      {"AdagradDa", &make<AdagradDa, AdagradDaOptions>}, {"AdaBelief", &make<AdaBelief, AdaBeliefOptions>}, {"Lars", &make<Lars, LarsOptions>}, {"Lamb", &make<Lamb, LambOptions>},
      {"ScheduleFreeSgd", &make<ScheduleFreeSgd, ScheduleFreeSgdOptions>}, {"ScheduleFreeAdamW", &make<ScheduleFreeAdamW, ScheduleFreeAdamWOptions>}};
  line.used = 0;
  auto made = makers.at(line.name)(line, parameters);
  CHECK(line.used == line.options.size());
  return made;
}

}  // namespace rill
