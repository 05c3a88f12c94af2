// Type promotion against PyTorch: every pair of dtypes as tensors, 0-dim tensors and numbers. test/oracle/promotion_goldens.py.
#include "test/support/goldens.h"

#include <rill/ops/elementwise.h>

#include <fstream>
#include <functional>
#include <set>

using namespace rill;

namespace {

struct Forms {
  std::function<Tensor(const Tensor&, const Tensor&)> tensors;
  std::function<Tensor(const Tensor&, Scalar)> number = {};
  std::function<Tensor(Scalar, const Tensor&)> number_first = {};
};
#define RILL_FORM(op) [](auto&&... x) { return rill::op(x...); }
#define RILL_TENSORS(op) {#op, {RILL_FORM(op)}}
#define RILL_NUMBER(op) {#op, {RILL_FORM(op), RILL_FORM(op)}}
#define RILL_OPERATOR(sign) [](auto&&... x) { return (x sign ...); }

const std::map<std::string, Forms> kOps = {
    {"add", {RILL_FORM(add), RILL_FORM(add), RILL_OPERATOR(+)}},
    {"sub", {RILL_FORM(sub), RILL_FORM(sub), RILL_OPERATOR(-)}},
    {"div", {RILL_FORM(div), RILL_FORM(div), RILL_OPERATOR(/)}},
    {"pow", {RILL_FORM(pow), RILL_FORM(pow), RILL_FORM(pow)}},
    RILL_NUMBER(mul), RILL_NUMBER(floor_divide), RILL_NUMBER(remainder), RILL_NUMBER(fmod), RILL_NUMBER(eq), RILL_NUMBER(lt),
    {"where", {[](auto& a, auto& b) { return where(tensor(true), a, b); }, [](auto& a, Scalar b) { return where(tensor(true), a, b); },
               [](Scalar a, auto& b) { return where(tensor(true), a, b); }}},
    RILL_TENSORS(trunc_divide), RILL_TENSORS(maximum), RILL_TENSORS(minimum), RILL_TENSORS(fmax), RILL_TENSORS(fmin), RILL_TENSORS(atan2), RILL_TENSORS(hypot),
    RILL_TENSORS(copysign), RILL_TENSORS(logaddexp), RILL_TENSORS(xlogy), RILL_TENSORS(heaviside), RILL_TENSORS(bitwise_and), RILL_TENSORS(bitwise_or),
    RILL_TENSORS(bitwise_left_shift), RILL_TENSORS(gcd), RILL_TENSORS(lcm), RILL_TENSORS(logical_and),
};

Scalar number(const std::string& text) {
  if (text == "True") return true;
  return text.find('.') == std::string::npos ? Scalar(std::stoll(text)) : Scalar(std::stod(text));
}
Tensor run(const Forms& op, const std::string& first, const std::string& second, const Tensor& a, const Tensor& b, Scalar n) {
  return second == "number" ? op.number(a, n) : first == "number" ? op.number_first(n, b) : op.tensors(a, b);
}

/// Where rill refuses or answers otherwise than PyTorch, on purpose.
bool differs(const std::string& op, Dtype a, Dtype b, const std::string& want, const std::string& have) {
  const bool whole = !is_floating(a) && !is_floating(b);
  if (op == "pow" && whole) return have == "-" || want == "-" || want == "bool";  // integers to an integer tensor are refused; True ** True is the integer 1
  if (want != "-") return false;
  if (op == "sub") return have != "-" && (a != boolean || b != boolean);  // one bool operand is 0 or 1
  if (op == "heaviside" || op == "gcd" || op == "lcm" || op == "copysign") return have != "-";
  if (op == "hypot" || op == "logaddexp") return whole && have == "float32";  // as the other functions of integers
  return false;
}

}  // namespace

TEST_CASE("mixed dtypes give PyTorch's dtypes and values", "[ops][golden]") {
  std::ifstream file(RILL_SOURCE_DIR "/test/ops/promotion_goldens.txt");
  REQUIRE(file);
  std::set<std::string> seen;
  int values = 0;
  for (std::string line; std::getline(file, line);) {
    INFO(line);
    const auto words = text::split(line.substr(0, line.find(" =>")), ' ');
    const std::string &op = words[1], &first = words[2], &second = words[3];
    seen.insert(op);
    if (words[0] == "value") {
      const Golden g = parse_golden(line);
      const Scalar n = first == "number" || second == "number" ? number(g.arguments.back()) : Scalar();
      const Tensor have = run(kOps.at(op), first, second, g.inputs[0], g.inputs.back(), n);
      const Dtype d = have.dtype();
      check_same(have, g.sections.at("")[0], Within{d == float64 ? 0x1p-52 : d == float32 ? 0x1p-23 : 0});
      ++values;
      continue;
    }
    const auto make = [](Dtype d, const std::string& form) { return ones(form == "tensor" ? Shape{2} : Shape{}, {.dtype = d}); };
    const Dtype a = text::dtype(words[4]);
    const auto wanted = text::split(line.substr(line.find(" => ") + 4), ',');
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      const std::vector<Scalar> numbers = {true, 3, 0.3};
      const bool plain = first == "number" || second == "number";
      const Scalar n = plain ? numbers[k] : Scalar();
      const Dtype b = plain ? n.dtype() : static_cast<Dtype>(k);
      std::string have = "-";
      try {
        have = to_string(run(kOps.at(op), first, second, make(a, first), make(plain ? a : b, second), n).dtype());
      } catch (const DtypeError&) {
      }
      if (!differs(op, a, b, wanted[k], have)) {
        INFO("second: " << to_string(b));
        CHECK(have == wanted[k]);
      }
    }
  }
  CHECK(values > 1300);
  CHECK(seen.size() == kOps.size());
}
