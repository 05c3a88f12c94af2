#include "lib/core/random.h"

#include <cstring>
#include <random>
#include <vector>

#include "lib/core/capture.h"
#include "lib/core/check.h"
#include "lib/core/tensor_impl.h"

namespace rill {
namespace {

using detail::GeneratorAccess;
using detail::GeneratorState;

constinit thread_local GeneratorScope* t_scope = nullptr;

struct Shared {
  std::mutex mutex;
  Generator generator;
};
Shared& shared() {
  static auto* s = new Shared;  // never destroyed: other static destructors may draw
  return *s;
}

std::uint64_t call_word(const GeneratorState& s) { return s.stream << 48 | s.calls; }

// Note [Generator state]: "rillrng", kind (1 Philox, 2 MT19937, 3 TensorFlow's), seed, then stream and calls; or the position, 1 or 0 and
// the spare normal, 624 words; or the seed of the op and the block. All numbers are 64-bit little-endian, words 32-bit.
constexpr char kStateMagic[8] = "rillrng";
constexpr std::size_t kPhiloxBytes = 8 + 4 * 8, kMersenneBytes = 8 + 5 * 8 + Mersenne::kWords * 4;

struct Writer {
  std::vector<std::uint8_t> bytes;
  void number(std::uint64_t v, int size = 8) {
    for (int i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
  }
};
struct Reader {
  const std::uint8_t* p;
  std::uint64_t number(int size = 8) {
    std::uint64_t v = 0;
    for (int i = 0; i < size; ++i) v |= std::uint64_t{*p++} << (8 * i);
    return v;
  }
};

}  // namespace

Draw next_draw(const Generator& g) { return current_capture ? current_capture->draw(g) : take_draws(g, 1); }
Draw take_draws(const Generator& g, std::uint64_t count) {
  auto& s = GeneratorAccess::state(g);
  std::lock_guard lock(s.mutex);
  check<ValueError>(!s.tensorflow, "Generator", "a TensorFlow-compatible generator makes uniform, normal and truncated normal values only; use another generator here");
  const Draw d{s.seed, call_word(s)};
  s.calls = (s.calls + count) & kCalls;
  return d;
}

Generator::Generator(std::uint64_t seed, std::uint32_t stream) : state_(std::make_shared<GeneratorState>()) {
  check<ValueError>(stream < 65536, "Generator", "stream {} is too large; streams are 0 to 65535", stream);
  state_->seed = seed;
  state_->stream = stream;
}

Generator Generator::torch_compatible(std::uint64_t seed) {
  Generator g(seed);
  g.state_->mersenne = std::make_unique<Mersenne>(seed);
  return g;
}

Generator Generator::tensorflow_compatible(std::uint64_t op_seed, std::uint64_t graph_seed) {
  Generator g(graph_seed);
  g.state_->tensorflow.emplace(graph_seed, op_seed);
  return g;
}

bool Generator::is_torch_compatible() const {
  std::lock_guard lock(state_->mutex);
  return state_->mersenne != nullptr;
}

void Generator::manual_seed(std::uint64_t seed) const {
  std::lock_guard lock(state_->mutex);
  state_->seed = seed;
  state_->calls = 0;
  if (state_->mersenne) state_->mersenne->reseed(seed);
  if (state_->tensorflow) state_->tensorflow.emplace(seed, state_->tensorflow->op_seed);
}

std::uint64_t Generator::seed() const {
  std::random_device device;
  const std::uint64_t seed = std::uint64_t{device()} << 32 | device();
  manual_seed(seed);
  return seed;
}

std::uint64_t Generator::initial_seed() const {
  std::lock_guard lock(state_->mutex);
  return state_->seed;
}

Tensor Generator::state() const {
  Writer out;
  for (char c : kStateMagic) out.bytes.push_back(static_cast<std::uint8_t>(c));
  {
    std::lock_guard lock(state_->mutex);
    const auto* m = state_->mersenne.get();
    const auto& tensorflow = state_->tensorflow;
    out.number(m ? 2 : tensorflow ? 3 : 1);
    out.number(state_->seed);
    if (tensorflow) {
      out.number(tensorflow->op_seed);
      out.number(tensorflow->block);
    } else if (m) {
      out.number(static_cast<std::uint64_t>(m->position));
      out.number(m->spare_normal.has_value());
      out.number(std::bit_cast<std::uint64_t>(m->spare_normal.value_or(0)));
      for (std::uint32_t w : m->words) out.number(w, 4);
    } else {
      out.number(state_->stream);
      out.number(state_->calls);
    }
  }
  Tensor t = make_tensor({static_cast<std::int64_t>(out.bytes.size())}, Dtype::uint8, Device::cpu());
  std::memcpy(t.data_ptr(), out.bytes.data(), out.bytes.size());
  return t;
}

void Generator::set_state(const Tensor& t) const {
  check_defined("set_state", t, "the state");
  check<ValueError>(t.dtype() == Dtype::uint8 && t.dim() == 1 && t.device().is_cpu(), "set_state", "expected a uint8 tensor of rank 1 made by Generator::state(), got {}", describe(t));
  const auto n = static_cast<std::size_t>(t.numel());
  std::vector<std::uint8_t> bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = t.data<std::uint8_t>()[static_cast<std::int64_t>(i) * t.strides()[0]];
  check<ValueError>((n == kPhiloxBytes || n == kMersenneBytes) && std::memcmp(bytes.data(), kStateMagic, 8) == 0, "set_state",
                    "{} bytes are not the state of a generator of rill; use what Generator::state() returned", n);
  Reader in{bytes.data() + 8};
  const auto kind = in.number();
  check<ValueError>(((kind == 1 || kind == 3) && n == kPhiloxBytes) || (kind == 2 && n == kMersenneBytes), "set_state", "{} bytes do not fit a generator of kind {}", n, kind);
  const auto seed = in.number();
  std::unique_ptr<Mersenne> m;
  std::optional<TensorFlowRandom> tensorflow;
  std::uint64_t stream = 0, calls = 0;
  if (kind == 2) {
    m = std::make_unique<Mersenne>(seed);
    const auto position = in.number(), spare = in.number();
    check<ValueError>(position <= Mersenne::kWords && spare <= 1, "set_state", "position {} is outside 0..{}, or the spare flag {} is neither 0 nor 1", position, Mersenne::kWords, spare);
    m->position = static_cast<int>(position);
    const auto value = std::bit_cast<double>(in.number());
    if (spare) m->spare_normal = value;
    for (auto& w : m->words) w = static_cast<std::uint32_t>(in.number(4));
  } else if (kind == 3) {
    tensorflow.emplace(seed, in.number());
    tensorflow->block = in.number();
  } else {
    stream = in.number(), calls = in.number();
    check<ValueError>(stream < 65536 && calls >> 48 == 0, "set_state", "stream {} or call {} is out of range", stream, calls);
  }
  std::lock_guard lock(state_->mutex);
  state_->seed = seed, state_->stream = stream, state_->calls = calls;
  state_->mersenne = std::move(m);
  state_->tensorflow = tensorflow;
}

Generator Generator::clone() const {
  Generator g;
  std::lock_guard lock(state_->mutex);
  g.state_->seed = state_->seed, g.state_->stream = state_->stream, g.state_->calls = state_->calls;
  if (state_->mersenne) g.state_->mersenne = std::make_unique<Mersenne>(*state_->mersenne);
  g.state_->tensorflow = state_->tensorflow;
  return g;
}

std::uint64_t Generator::random64() const {
  std::uint64_t r = 0;
  if (!with_mersenne(*this, [&](Mersenne& m) { r = m.random64(); })) r = philox_random64(take_draws(*this, 1), 0);
  return r;
}

double Generator::uniform() const {
  double u = 0;
  if (!with_mersenne(*this, [&](Mersenne& m) { u = m.uniform_double(); })) u = static_cast<double>(random64() >> 11) * 0x1p-53;
  return u;
}

std::uint64_t Generator::below(std::uint64_t bound) const {
  check<ValueError>(bound > 0, "below", "there is no integer in [0, 0); use a bound of at least 1");
  std::uint64_t r = 0;
  if (!with_mersenne(*this, [&](Mersenne& m) { r = bound < std::uint64_t{1} << 32 ? m.random() % bound : m.random64() % bound; })) r = scale_down(random64(), bound);
  return r;
}

Generator default_generator() {
  if (t_scope) return t_scope->generator_;
  auto& s = shared();
  std::lock_guard lock(s.mutex);
  return s.generator;
}

void set_default_generator(const Generator& generator) {
  auto& s = shared();
  std::lock_guard lock(s.mutex);
  s.generator = generator;
}

Generator manual_seed(std::uint64_t seed) {
  Generator g = default_generator();
  g.manual_seed(seed);
  return g;
}

GeneratorScope::GeneratorScope(Generator generator) : generator_(std::move(generator)), outer_(std::exchange(t_scope, this)) {}
GeneratorScope::~GeneratorScope() { t_scope = outer_; }

}  // namespace rill
