// Golden files of ops: a line is "op arguments | inputs => outputs | section | more tensors", made by a script in test/oracle.
#pragma once

#include "test/support/catch.h"

#include <cmath>
#include <iomanip>
#include <map>

#include "test/support/text_tensors.h"

namespace rill {

struct Golden {
  std::string op;
  std::vector<std::string> arguments;
  std::vector<Tensor> inputs;
  std::map<std::string, std::vector<Tensor>> sections;  // "" are the outputs

  double number(std::size_t k) const { return std::stod(arguments.at(k)); }
  std::int64_t integer(std::size_t k) const { return static_cast<std::int64_t>(number(k)); }
  Dims list(std::size_t k) const {
    Dims result;
    for (const auto& part : text::split(arguments.at(k), ',')) result.push_back(std::stoll(part));
    return result;
  }
};

inline Golden parse_golden(const std::string& line) {
  const auto fields = [](const std::string& s) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (std::size_t at; (at = s.find(" | ", from)) != std::string::npos; from = at + 3) parts.push_back(s.substr(from, at - from));
    parts.push_back(s.substr(from));
    return parts;
  };
  Golden g;
  const auto arrow = line.find(" =>");
  const auto left = fields(line.substr(0, arrow)), right = fields(line.substr(arrow + 3));
  g.arguments = text::split(left[0], ' ');
  g.op = g.arguments.front();
  g.arguments.erase(g.arguments.begin());
  for (std::size_t i = 1; i < left.size(); ++i) g.inputs.push_back(text::tensor(left[i]));
  std::vector<Tensor>* section = &g.sections[""];
  for (std::size_t i = 1; i < right.size(); ++i) {
    if (right[i].find(' ') == std::string::npos) section = &g.sections[right[i]];
    else section->push_back(text::tensor(right[i]));
  }
  return g;
}

/// How far a value may be from the expected one: absolute + relative |expected|; `zeros`: the sign of zero counts.
struct Within { double relative = 0, absolute = 0; bool zeros = false; };

/// Equal shapes, dtypes and values, NaN like NaN.
inline void check_same(const Tensor& have, const Tensor& want, Within within) {
  CHECK(to_string(have.shape()) == to_string(want.shape()));
  CHECK(to_string(have.dtype()) == to_string(want.dtype()));
  const auto x = have.to_vector<double>(), y = want.to_vector<double>();
  REQUIRE(x.size() == y.size());
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (std::isnan(x[k]) && std::isnan(y[k])) continue;
    const bool same = (x[k] == y[k] && (!within.zeros || std::signbit(x[k]) == std::signbit(y[k]))) || (x[k] != y[k] && std::fabs(x[k] - y[k]) <= within.absolute + within.relative * std::fabs(y[k]));
    if (!same) FAIL_CHECK("element " << k << " is " << std::setprecision(17) << x[k] << ", expected " << y[k]);
  }
}
inline void check_same(const Tensor& have, const Tensor& want, double tolerance = 0, bool zeros = false) {
  check_same(have, want, Within{.relative = tolerance, .absolute = tolerance, .zeros = zeros});
}

}  // namespace rill
