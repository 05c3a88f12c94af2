// New tensors against PyTorch: lengths, values and dtypes. test/oracle/create_goldens.py.
#include "test/support/goldens.h"

#include <fstream>

using namespace rill;

namespace {

/// Arguments as in Python; the last one is the dtype.
struct Call {
  const Golden& g;
  Scalar number(std::size_t k) const {
    const std::string& s = g.arguments.at(k);
    if (s == "True") return true;
    return s.find_first_of(".e") == std::string::npos ? Scalar(g.integer(k)) : Scalar(g.number(k));
  }
  Shape shape() const { return text::shape(g.arguments.at(0)); }
  Options options() const {
    const std::string& d = g.arguments.back();
    return d == "-" ? Options{} : Options{.dtype = text::dtype(d)};
  }
  Tensor like() const { return rill::tensor({{1.5, 2.5}}).to(text::dtype(g.arguments.at(0))); }
  std::size_t count() const { return g.arguments.size() - 1; }
};

const std::map<std::string, Tensor (*)(const Call&)> kOps = {
    {"arange",
     [](const Call& c) {
       if (c.count() == 1) return arange(c.number(0), c.options());
       return arange(c.number(0), c.number(1), c.count() == 3 ? c.number(2) : Scalar(1), c.options());
     }},
    {"linspace", [](const Call& c) { return linspace(c.number(0), c.number(1), c.g.integer(2), c.options()); }},
    {"logspace", [](const Call& c) { return logspace(c.number(0), c.number(1), c.g.integer(2), c.g.number(3), c.options()); }},
    {"zeros", [](const Call& c) { return zeros(c.shape(), c.options()); }},
    {"ones", [](const Call& c) { return ones(c.shape(), c.options()); }},
    {"full", [](const Call& c) { return full(c.shape(), c.number(1), c.options()); }},
    {"eye", [](const Call& c) { return eye(c.g.integer(0), c.g.integer(1), c.options()); }},
    {"zeros_like", [](const Call& c) { return zeros_like(c.like(), c.options()); }},
    {"ones_like", [](const Call& c) { return ones_like(c.like(), c.options()); }},
    {"full_like", [](const Call& c) { return full_like(c.like(), 3, c.options()); }},
    {"tensor",
     [](const Call& c) {
       const std::map<std::string, Tensor> literals = {
           {"3", tensor(3)}, {"2.5", tensor(2.5)}, {"True", tensor(true)}, {"[1,2]", tensor({1, 2})}, {"[1.0,2.0]", tensor({1., 2.})}, {"[True,False]", tensor({true, false})},
           {"[1,2.5]", tensor({1, 2.5})}, {"[True,2]", tensor({true, 2})}, {"[[1,2],[3,4]]", tensor({{1, 2}, {3, 4}})}, {"[]", tensor(std::initializer_list<Literal>{})}};
       return literals.at(c.g.arguments.at(0));
     }},
};

}  // namespace

TEST_CASE("new tensors have PyTorch's lengths, values and dtypes", "[ops][golden]") {
  std::ifstream file(RILL_SOURCE_DIR "/test/ops/create_goldens.txt");
  REQUIRE(file);
  std::map<std::string, int> seen;
  for (std::string line; std::getline(file, line);) {
    INFO(line);
    const Golden g = parse_golden(line);
    ++seen[g.op];
    const Tensor& want = g.sections.at("")[0];
    const bool computed = g.op == "linspace" || g.op == "logspace" || g.op == "arange";
    try {
      check_same(kOps.at(g.op)({g}), want, Within{!computed ? 0 : want.dtype() == float64 ? 4 * 0x1p-52 : want.dtype() == float32 ? 0x1p-23 : 0, want.dtype() == float64 ? 1e-15 : 1e-7});
    } catch (const Error& e) {
      FAIL_CHECK(e.what());
    }
  }
  CHECK(seen.size() == kOps.size());
}
