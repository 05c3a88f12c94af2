// The softmax family and cross entropy. Values: test/oracle/softmax_values.py.
#include <rill/autograd/gradcheck.h>
#include <rill/core/threads.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/loss.h>
#include <rill/ops/reduce.h>
#include <rill/ops/softmax.h>
#include <rill/ops/view.h>

#include <cmath>
#include <limits>

#include "test/support/catch.h"
#include "test/support/message.h"

using namespace rill;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const Options kDouble{.dtype = float64};

Tensor wave(const Shape& shape, Dtype dtype = float64) {
  std::int64_t n = 1;
  for (const auto s : shape) n *= s;
  return (3 * sin(arange(static_cast<double>(n), kDouble))).to(dtype).reshape(shape);
}
void check_values(const Tensor& have, const std::vector<double>& want, double tolerance = 2e-14) {
  const auto x = have.to_vector<double>();
  REQUIRE(x.size() == want.size());
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::fabs(x[i] - want[i]) <= tolerance * (1 + std::fabs(want[i])));
}

struct Family {
  const char* name;
  Tensor (*op)(const Tensor&, std::int64_t);
  std::int64_t axis;
  std::vector<double> values, gradient;
};
const std::vector<Family>& families() {
  static const std::vector<Family> table = {
    {"softmax", softmax, 0,
     {0.0486435768457868, 0.781056416952323, 0.9605744375507, 0.174435476112295, 0.00502342657824472, 0.00352352393115573, 0.0271504250773936,
      0.819877288459759, 0.946332996575968, 0.215420059116522, 0.0122751373719064, 0.00568723542794531},
     {-0.369241604472327, -1.35705004001252, -0.198649482606932, -0.579999185621634, -0.0180379075603267, 0.00797213297266484, 0.102986916401796,
      0.553411400018559, 0.387279512032654, 1.34907790703986, 0.0956625662051348, 0.0265877856030751}},
    {"softmax", softmax, 1,
     {0.0329910486701323, 0.411845890287591, 0.504782958997192, 0.0503801020450851, 0.0132915296461873, 0.00724826134459118, 0.0556614582477735,
      0.923798750761448, 0.84062607525352, 0.148773893151679, 0.0084486686214464, 0.00215136297335495},
     {-0.0518801433430582, -0.235803235298207, 0.215768408501564, 0.0719149701397009, -0.0384120877740152, -0.0136989778663076, -0.0495368849537522,
      0.101647950594075, -0.144693031627225, 0.123166139287264, 0.0154431074586428, 0.00608378488131444}},
    {"log_softmax", log_softmax, 0,
     {-3.0232355069024, -0.24710789493665, -0.0402238010250191, -1.74620037011882, -5.29364299282618, -5.64829367334976, -3.60636257609884,
      -0.198600598142056, -0.0551607670322508, -1.53516539363507, -4.40017941417017, -5.16953101395053},
     {-0.583722922149442, -10.7158462542848, -15.2903398759126, -0.663144998358201, 3.93971888106106, 4.94714714103266, 5.51129234860692, -10.2174230576549,
      -3.35599595891162, 5.76869911325218, 9.77904752730569, 10.8805680560131}},
    {"log_softmax", log_softmax, 1,
     {-3.41151900673148, -0.887106052307794, -0.683626726254439, -2.98815898255188, -4.32062831534917, -4.92699365341481, -2.88846732402217,
      -0.079261033269023, -0.173608337080758, -1.90532762122563, -4.77374640961901, -6.14165369660301},
     {-0.197946292020794, -1.47107534172555, -1.02869775398315, 2.69771938772949, 3.70758634778388, 4.84053825041899, 4.77544791854898, -13.3235725167519,
      -23.9437908596337, 3.34659206023619, 9.67895059238504, 10.9182482070125}},
    {"softmin", softmin, 0,
     {0.093155423732049, 0.0044190135598668, 0.00872346250197464, 0.0313635373495152, 0.902056184624304, 0.979558806742994, 0.308633660889016,
      0.00667284439651478, 0.00478839164364696, 0.0160221796971393, 0.68264287660901, 0.96196361825397},
     {0.339694221655641, 0.0178811524334592, 0.0584094929611603, 0.242201790977696, -0.318848111248949, 0.0454639343034709, 0.831976863680139,
      0.0248389981410379, -0.0208461104066918, -0.0633450867369288, -0.8903863566413, -0.267040789118736}},
    {"softmin", softmin, 1,
     {0.555461418890636, 0.0444954171867667, 0.0363032356349883, 0.363739928287609, 0.32394597954514, 0.594037298903473, 0.0773558172285152,
      0.00466090432287158, 0.00201251956985797, 0.011371460351957, 0.200241778105267, 0.786374241972918},
     {0.671176071138396, 0.00926935976339962, -0.0287404848405929, -0.651704946061203, 0.247083850300164, -0.140946251929924, -0.0957099046291906,
      -0.0104276937410484, 0.00557664693438435, 0.0201386031828238, 0.154381954034029, -0.180097204151236}},
  };
  return table;
}

}  // namespace

TEST_CASE("softmax, log_softmax and softmin agree with PyTorch along both axes and in every layout", "[ops][softmax]") {
  for (const auto& f : families()) {
    INFO(f.name << " axis " << f.axis);
    for (const bool transposed : {false, true}) {
      const Tensor x = (transposed ? wave({3, 4}).t().contiguous() : wave({3, 4})).requires_grad_();
      const Tensor y = f.op(transposed ? x.t() : x, transposed ? f.axis - 2 : f.axis);
      check_values(y, f.values);
      sum(y * arange(12).reshape({3, 4})).backward();
      check_values(transposed ? x.grad().t() : x.grad(), f.gradient, 1e-13);
    }
    check_values(f.op(wave({3, 4}, float32), f.axis), f.values, 1e-6);
    check_values(f.op(wave({3, 4}, bfloat16), f.axis), f.values, 0.04);
    CHECK(f.op(wave({3, 4}, float16), f.axis).dtype() == float16);
  }
}

TEST_CASE("softmax and cross entropy can be differentiated twice", "[ops][softmax][loss]") {
  const auto input = [](const Shape& s) { return wave(s).requires_grad_(); };
  for (const auto& f : families()) {
    const auto op = [&](const std::vector<Tensor>& x) { return f.op(x[0], f.axis); };
    for (const Shape& s : {Shape{3, 4}, Shape{2, 3, 2}}) {
      CHECK(gradcheck(op, {input(s)}).message == "");
      CHECK(gradgradcheck(op, {input(s)}).message == "");
    }
  }
  const Tensor target = tensor({2, 0, -100}), weight = tensor({0.5, 1., 2., 0.25}, kDouble), soft = softmax(-wave({3, 4}), 1);
  for (const auto reduction : {Reduction::none, Reduction::mean, Reduction::sum})
    for (const bool weighted : {false, true})
      for (const double smoothing : {0., 0.1}) {
        const CrossEntropyOptions o{.weight = weighted ? weight : Tensor(), .label_smoothing = smoothing, .reduction = reduction};
        const auto classes = [&](const std::vector<Tensor>& x) { return cross_entropy(x[0], target, o); };
        CHECK(gradcheck(classes, {input({3, 4})}).message == "");
        CHECK(gradgradcheck(classes, {input({3, 4})}).message == "");
        const auto both = [&](const std::vector<Tensor>& x) { return cross_entropy(x[0], x[1], o); };
        CHECK(gradcheck(both, {input({3, 4}), soft.clone().requires_grad_()}).message == "");
        CHECK(gradgradcheck(both, {input({3, 4}), soft.clone().requires_grad_()}).message == "");
      }
}

TEST_CASE("cross entropy agrees with PyTorch", "[ops][loss]") {
  const Tensor kTarget = tensor({2, 0, -100}), kWeight = tensor({0.5, 1., 2., 0.25}, kDouble);
  struct Case {
    const char* name;
    Tensor target;
    CrossEntropyOptions options;
    std::vector<double> none;
    double mean, sum;
    std::vector<double> gradient;
  };
  const std::vector<Case> cases = {
      {"classes", kTarget, {},
       {0.683626726254439, 4.32062831534917, 0.}, 2.50212752080181, 5.00425504160361,
       {0.0164955243350661, 0.205922945143795, -0.247608520501404, 0.0251900510225425, -0.493354235176906, 0.00362413067229559, 0.0278307291238868,
       0.461899375380724, 0., 0., 0., 0.}},
      {"weight", kTarget, {.weight = kWeight},
       {1.36725345250888, 2.16031415767459, 0.}, 1.41102704407339, 3.52756761018346,
       {0.0263928389361058, 0.329476712230073, -0.396173632802247, 0.0403040816360681, -0.197341694070763, 0.00144965226891824, 0.0111322916495547,
       0.18475975015229, 0., 0., 0., 0.}},
      {"smoothing", kTarget, {.label_smoothing = 0.1},
       {0.814524322825135, 4.19394924196564, 0.}, 2.50423678239539, 5.00847356479077,
       {0.00399552433506612, 0.193422945143795, -0.210108520501404, 0.0126900510225425, -0.455854235176906, -0.00887586932770441, 0.0153307291238868,
       0.449399375380724, 0., 0., 0., 0.}},
      {"weight and smoothing", kTarget, {.weight = kWeight, .label_smoothing = 0.1},
       {1.3482070761035, 2.2663841848434, 0.}, 1.44583650437876, 3.6145912609469,
       {0.0199907193676252, 0.30197326189285, -0.357626908559627, 0.035662927299152, -0.182109092301954, -0.00842350315755142, -0.00789363283110925,
       0.198426228290615, 0., 0., 0., 0.}},
      {"ignore class 0", tensor({2, 0, 1}), {.ignore_index = 0},
       {0.683626726254439, 0., 1.90532762122563}, 1.29447717374004, 2.58895434748007,
       {0.0164955243350661, 0.205922945143795, -0.247608520501404, 0.0251900510225425, 0., 0., 0., 0., 0.42031303762676, -0.42561305342416,
       0.0042243343107232, 0.00107568148667748}},
      {"probabilities", softmax(-wave({3, 4}), 1), {.weight = kWeight, .label_smoothing = 0.1},
       {1.29516665895534, 3.98835489372478, 3.15382775365281}, 2.81244976877764, 8.43734930633293,
       {-0.0816471146673324, 0.0512066400162915, 0.0508880183422513, -0.0204475436912104, -0.0487070907736686, -0.184335135925074, -0.0461136458887395,
       0.279155872587482, 0.175498108510816, 0.020105703355141, -0.135002988048545, -0.0606008238174115}},
  };
  for (Case c : cases) {
    INFO(c.name);
    const Tensor x = wave({3, 4}).requires_grad_();
    const Tensor mean = cross_entropy(x, c.target, c.options);
    check_values(mean, {c.mean});
    mean.backward();
    check_values(x.grad(), c.gradient);
    const bool classes = !c.target.is_floating_point();
    if (classes && c.options.label_smoothing == 0) {
      const NllOptions o{.weight = c.options.weight, .ignore_index = c.options.ignore_index};
      check_values(nll_loss(log_softmax(wave({3, 4}), 1), c.target, o), {c.mean});
    }
    c.options.reduction = Reduction::sum;
    check_values(cross_entropy(x, c.target, c.options), {c.sum});
    c.options.reduction = Reduction::none;
    check_values(cross_entropy(x, c.target, c.options), c.none);
    if (classes)  // one sample without a batch axis
      for (std::int64_t i = 0; i < 3; ++i) check_values(cross_entropy(x[i], c.target[i], c.options), {c.none[static_cast<std::size_t>(i)]});
  }
  const Tensor maps = cross_entropy(wave({2, 3, 2}), tensor({{0, 2}, {1, 1}}), {.reduction = Reduction::none});
  CHECK(maps.shape() == Shape{2, 2});
  check_values(maps, {2.79751750932355, 5.52060195664248, 0.0317701950425734, 1.1311174375619});
}

TEST_CASE("softmax and cross entropy at the edges", "[ops][softmax][loss]") {
  CHECK(isnan(softmax(full({2}, -kInf))).to_vector<bool>() == std::vector<bool>{true, true});
  CHECK(isnan(log_softmax(full({2, 3}, -kInf), 0)).to_vector<bool>() == std::vector<bool>(6, true));
  CHECK(isnan(softmax(tensor({kInf, 0.}))).to_vector<bool>() == std::vector<bool>{true, true});
  CHECK(isnan(softmax(tensor({0., std::nan(""), 1.}))).to_vector<bool>() == std::vector<bool>(3, true));
  CHECK(softmax(tensor({-kInf, 5., -kInf})).to_vector<double>() == std::vector<double>{0, 1, 0});
  CHECK(softmax(tensor({1000., 1000.})).to_vector<double>() == std::vector<double>{0.5, 0.5});
  check_values(log_softmax(tensor({0., 1000.}, kDouble)), {-1000, 0});
  CHECK(softmax(tensor(3.5), 0).item<double>() == 1);
  CHECK(softmax(zeros({0, 4})).shape() == Shape{0, 4});
  CHECK(softmax(zeros({4, 0})).shape() == Shape{4, 0});
  // a row that the target masks with -inf costs infinity; ignored rows and empty batches leave nothing to average
  CHECK(cross_entropy(tensor({{-kInf, 0.}}), tensor({0})).item<double>() == kInf);
  CHECK(std::isnan(cross_entropy(wave({3, 4}), full({3}, -100)).item<double>()));
  CHECK(cross_entropy(wave({3, 4}), full({3}, -100), {.reduction = Reduction::sum}).item<double>() == 0);
  CHECK(std::isnan(cross_entropy(zeros({0, 4}), zeros({0}, {.dtype = int64})).item<double>()));
}

TEST_CASE("softmax and cross entropy of long rows are accurate and do not depend on threads", "[ops][softmax][loss]") {
  for (const std::int64_t n : {1, 7, 15, 16, 17, 63, 1000}) {
    const Tensor x = wave({37, n}, float32), target = remainder(arange(37), n);
    for (const std::int64_t axis : {0, 1}) {
      CHECK(allclose(softmax(x, axis).to(float64), softmax(x.to(float64), axis), 3e-6, 1e-12));
      CHECK(allclose(log_softmax(x, axis).to(float64), log_softmax(x.to(float64), axis), 1e-6, 1e-6));
      CHECK(allclose(sum(softmax(x, axis), {axis}), ones({axis == 0 ? n : 37}), 1e-6));
    }
    CHECK(allclose(cross_entropy(x, target).to(float64), cross_entropy(x.to(float64), target), 1e-6));
  }
  const auto run = [] {
    const Tensor x = wave({301, 257}, float32).requires_grad_();
    (cross_entropy(x, remainder(arange(301), 257)) + sum(softmax(x, 0) * x) + sum(log_softmax(x, 1) * x)).backward();
    return x.grad();
  };
  const int threads = num_threads();
  set_num_threads(1);
  const Tensor one = run();
  set_num_threads(4);
  const Tensor four = run();
  set_num_threads(threads);
  CHECK(equal(one, four));
}

TEST_CASE("softmax and cross entropy say what is wrong", "[ops][softmax][loss]") {
  const Tensor x = wave({3, 4});
  CHECK(MESSAGE(DtypeError, softmax(arange(3))) == "softmax: int64 is not supported (expected a floating dtype); convert with .to(float32)");
  CHECK(MESSAGE(IndexError, log_softmax(x, 2)).starts_with("log_softmax: "));
  CHECK(MESSAGE(ValueError, softmin({})).find("undefined") != std::string::npos);
  CHECK(MESSAGE(IndexError, cross_entropy(x, tensor({0, 4, -1}))) == "cross_entropy: target 4 at position 1 is outside [0, 4); classes count from 0");
  CHECK(MESSAGE(IndexError, cross_entropy(x, tensor({0, 1, -1}), {.label_smoothing = 0.1})) == "cross_entropy: target -1 at position 2 is outside [0, 4); classes count from 0");
  CHECK(MESSAGE(IndexError, nll_loss(x, tensor({0, 1, 7}))) == "nll_loss: target 7 at position 2 is outside [0, 4); classes count from 0");
  CHECK(MESSAGE(ShapeError, cross_entropy(x, tensor({0, 1}))) == "cross_entropy: target [2] does not fit logits [3, 4]; expected classes of shape [3]");
  CHECK(MESSAGE(ShapeError, cross_entropy(x, wave({3, 3}))) == "cross_entropy: probabilities [3, 3] must have the shape of the logits [3, 4]");
  CHECK(MESSAGE(ShapeError, cross_entropy(x, tensor({0, 1, 2}), {.weight = ones({3})})) == "cross_entropy: weight [3] must have one element per class, [4]");
  CHECK(MESSAGE(ValueError, cross_entropy(x, tensor({0, 1, 2}), {.label_smoothing = 2})) == "cross_entropy: label_smoothing is 2; expected a value in [0, 1]");
  CHECK(MESSAGE(DtypeError, nll_loss(x, wave({3}))).starts_with("nll_loss: target has dtype float64"));
}
