// Random expressions x[...] against PyTorch: test/oracle/index_expressions.py.
#include "test/support/catch.h"

#include <rill/autograd/backward.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>

#include <fstream>

#include "test/support/text_tensors.h"

using namespace rill;

namespace {

Index parse_index(const std::string& s) {
  const auto rest = s.substr(1);
  switch (s[0]) {
    case 'i': return std::stoll(rest);
    case 'n': return newaxis;
    case 'e': return Ellipsis;
    case 's': {
      std::vector<std::string> parts = text::split(rest, ':');
      parts.resize(3);
      const auto bound = [](const std::string& b) { return b.empty() ? std::optional<std::int64_t>() : std::stoll(b); };
      return Slice(bound(parts[0]), bound(parts[1]), bound(parts[2]).value_or(1));
    }
    case 'm': {
      const auto colon = rest.find(':');
      std::vector<double> flags;
      for (const char c : rest.substr(colon + 1)) flags.push_back(c - '0');
      return tensor(flags).to(boolean).reshape(text::shape(rest.substr(0, colon)));
    }
    default: {
      const auto colon = rest.find(':');
      return tensor(text::values(rest.substr(colon + 1))).to(s[0] == 'j' ? int32 : int64).reshape(text::shape(rest.substr(0, colon)));
    }
  }
}
/// "2x3 1,2,3,4,5,6".
Tensor parse_tensor(const std::string& s) { return text::tensor("float64 " + s); }
Tensor counted(const Shape& shape, double sign) {
  std::int64_t n = 1;
  for (const auto s : shape) n *= s;
  return (arange(static_cast<double>(n), {.dtype = float64}) + 1).reshape(shape) * sign;
}

}  // namespace

TEST_CASE("random index expressions read, write and differentiate like PyTorch", "[ops][index]") {
  std::ifstream file(RILL_SOURCE_DIR "/test/ops/index_expressions.txt");
  REQUIRE(file);
  int cases = 0, written = 0;
  for (std::string shape_line, line; std::getline(file, shape_line); ++cases) {
    std::string tokens, read, write, gradient, empty;
    std::getline(file, tokens), std::getline(file, read), std::getline(file, write), std::getline(file, gradient), std::getline(file, empty);
    INFO("x of shape " << shape_line << " at " << tokens);
    std::vector<Index> indices;
    for (const auto& t : text::split(tokens, ' ')) indices.push_back(parse_index(t));
    const Shape shape = text::shape(shape_line);
    const Tensor x = counted(shape, 1) - 1;

    const Tensor leaf = x.clone().requires_grad_(), y = index_get(leaf, indices), expected = parse_tensor(read);
    CHECK(y.shape() == expected.shape());
    CHECK(y.to_vector<double>() == expected.to_vector<double>());

    const Tensor w = counted(y.shape(), 1);
    const std::vector<double> expected_gradient = text::values(gradient);
    CHECK(grad({sum(y * w)}, {leaf})[0].to_vector<double>() == expected_gradient);
    const Tensor g = grad({sum(index_get(leaf, indices) * index_get(leaf, indices) * w)}, {leaf}, {}, {.create_graph = true})[0];
    CHECK(g.to_vector<double>() == (x * parse_tensor(shape_line + " " + gradient) * 2).to_vector<double>());
    CHECK(grad({sum(g)}, {leaf})[0].to_vector<double>() == (parse_tensor(shape_line + " " + gradient) * 2).to_vector<double>());
    // accumulation is what the gradient does
    CHECK(index_put(x, indices, w, true).to_vector<double>() == (x + parse_tensor(shape_line + " " + gradient)).to_vector<double>());

    if (write == "-") continue;
    ++written;
    const auto space = write.find(' ');
    const Tensor v = counted(text::shape(write.substr(0, space)), -1);
    const std::vector<double> after = text::values(write.substr(space + 1));
    const Tensor z = x.clone();
    index(z, indices) = v;
    CHECK(z.to_vector<double>() == after);
    // recorded: the gradient of sum(z w) is w outside the selection and reaches v inside
    const Tensor source = v.clone().requires_grad_(), t = index_put(leaf, indices, source), wz = counted(shape, 1);
    CHECK(t.to_vector<double>() == after);
    const auto grads = grad({sum(t * wz)}, {leaf, source}, {}, {.allow_unused = true});
    const Tensor selected = index_put(zeros(shape, {.dtype = float64}), indices, tensor(1., {.dtype = float64}));
    if (grads[0].defined()) CHECK(grads[0].to_vector<double>() == (wz * (1 - selected)).to_vector<double>());
    else CHECK(sum(selected).item<double>() == static_cast<double>(x.numel()));  // nothing of x is left
    CHECK(sum(grads[1]).item<double>() == sum(wz * selected).item<double>());
  }
  CHECK(cases >= 300);
  CHECK(written >= 200);
}

TEST_CASE("an integer next to a tensor index is applied first, as in PyTorch", "[ops][index]") {
  const Tensor x = arange(24).reshape({2, 3, 4}), i = tensor({0, 1});
  CHECK(x(0, Slice(), i).shape() == Shape{3, 2});
  CHECK(x(tensor(0), Slice(), i).shape() == Shape{3, 2});
  CHECK(x(i, Slice(), 0).shape() == Shape{2, 3});
  CHECK_FALSE(x(tensor(1)).shares_storage(x));
  CHECK_THROWS_WITH(x(0, 3), "index: index 3 is outside axis 1 of size 3; valid are -3 to 2");
}
