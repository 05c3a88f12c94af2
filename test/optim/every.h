// Every optimizer with every combination of options that has golden values (optim_goldens.txt, tf_optim_goldens.txt, research_optim_goldens.txt).
#pragma once

#include "test/support/near.h"

#include <array>
#include <map>
#include <memory>
#include <string>

#include <rill/optim/optimizer.h>

namespace rill {

/// "name key=value ... => numbers | title numbers | ...".
struct OptionLine {
  std::string text, name;
  std::map<std::string, std::string> options;
  std::vector<double> numbers;
  std::vector<std::pair<std::string, std::vector<double>>> sections;
  mutable std::size_t used = 0;  // options that were asked for and are there

  explicit OptionLine(const std::string& line);
  double number(const std::string& key, double otherwise) const;
  bool flag(const std::string& key) const { return number(key, 0) != 0; }
  std::array<double, 2> pair(const std::string& key, std::array<double, 2> otherwise) const;
  std::string word(const std::string& key) const;
};
std::vector<OptionLine> option_lines(const std::string& file);

/// The lines of all files, without those of Lbfgs.
const std::vector<OptionLine>& every_optimizer();
/// With the options of the line; fails the test when an option of the line is not known.
std::unique_ptr<optim::Optimizer> make_optimizer(const OptionLine& line, const NamedTensors& parameters);

}  // namespace rill
