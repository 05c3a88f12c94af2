// Every row of the table on a CUDA device: on the emulation (test/cuda/emulation.h), and on a real device where there is one. Rows whose op has no
// kernel yet are listed in without_cuda.txt; the test fails for a line too few and for a line too many.
#ifdef RILL_WITH_CUDA
#include "test/cuda/backends.h"

#include <fstream>
#include <map>
#include <set>

#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

std::set<std::string> without_cuda() {
  std::ifstream in(RILL_SOURCE_DIR "/test/ops/table/without_cuda.txt");
  std::set<std::string> names;
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line[0] != '#') names.insert(line.substr(0, line.find(' ')));
  return names;
}
Args on_device(const Args& args) {
  Args moved;
  for (const Tensor& t : args) moved.push_back(t.defined() ? t.detach().to(Device::cuda()) : t);
  return moved;
}
/// Equal up to the bound of the row on either side; sums may be formed in another order.
bool agrees(const Row& row, const Tensor& out, const Tensor& want) {
  if (!is_floating(out.dtype())) return same_bits(out, want);
  const double unit = (2 * row.bound + 2) * epsilon(out.dtype()) * row.roundings;
  return allclose(out, want, unit, unit * std::max(1.0, row.magnitude) + smallest(out.dtype()), true);
}
/// The gradients of a weighted sum of the result.
std::vector<Tensor> gradients(const Row& row, Args args) {
  for (Tensor& t : args)
    if (t.defined() && is_floating(t.dtype())) t = t.detach().requires_grad_();
  const Tensor y = row.run(args);
  if (!y.requires_grad()) return {};
  const Tensor weights = sin(arange(y.numel()).to(float64) * 0.37).to(y.dtype()).reshape(y.shape()).to(y.device());
  sum(y * weights).backward();
  std::vector<Tensor> g;
  for (const Tensor& t : args) g.push_back(t.defined() && t.grad().defined() ? t.grad().cpu() : Tensor());
  return g;
}

/// Rows that say they cannot run there, and what they say; everything else is checked.
std::map<std::string, std::string> check_rows() {
  std::map<std::string, std::string> missing;
  for (const Row& row : rows()) {
    INFO(row.name);
    for (const Dtype dtype : dtypes_of(row.kinds)) {
      INFO(to_string(dtype));
      const Args args = draw_inputs(row.inputs, dtype, 31);
      const Tensor want = row.run(args);
      try {
        const Args moved = on_device(args);
        const Tensor out = row.run(moved);
        if (!moved.empty() && out.device() == Device::cpu()) throw Unimplemented(row.name, "its result is on the host");
        CHECK(agrees(row, out.cpu(), want));
        CHECK(out.shape() == want.shape());
        if (!row.differentiable || dtype != usual_dtype(row, true)) continue;
        const auto expected = gradients(row, args), found = gradients(row, moved);
        REQUIRE(found.size() == expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          REQUIRE(found[i].defined() == expected[i].defined());
          if (found[i].defined()) CHECK(allclose(found[i], expected[i], 1e-9, 1e-9, true));
        }
      } catch (const Unimplemented& e) {
        missing.emplace(row.name, e.what());
      } catch (const DeviceError& e) {  // a part of the op works on the host
        missing.emplace(row.name, e.what());
      }
    }
  }
  return missing;
}

void rows_run_on_the_device() {
  const auto listed = without_cuda();
  const auto missing = check_rows();
  for (const auto& [name, why] : missing) {
    INFO(why);
    INFO(name << " has no kernel on CUDA; add one, or a line in test/ops/table/without_cuda.txt");
    CHECK(listed.count(name) == 1);
  }
  for (const std::string& name : listed) {
    INFO(name << " runs on CUDA; take its line out of test/ops/table/without_cuda.txt");
    CHECK(missing.count(name) == 1);
  }
}

void gradients_on_the_device() {
  for (const Row& row : rows()) {
    if (!row.differentiable || !(row.kinds & kFloats)) continue;
    INFO(row.name);
    Args args = on_device(draw_inputs(row.inputs, float64, 11));
    for (Tensor& t : args)
      if (t.defined() && is_floating(t.dtype())) t.requires_grad_();
    CHECK(gradcheck(row.run, args, {.rtol = 1e-6, .atol = 1e-7}).message == "");
  }
}

}  // namespace

RILL_DEVICE_TEST(gradients_on_the_device, "gradients on CUDA agree with differences", "[table][gradients]")
RILL_DEVICE_TEST(rows_run_on_the_device, "every row of the table runs on CUDA or is listed", "[table]")

}  // namespace rill::optable
#endif
