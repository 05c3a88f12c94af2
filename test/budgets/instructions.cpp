// Workloads whose instructions valgrind counts (instructions.cmake): each measured_* function runs its op 1000 times after a warm-up.
#include <rill/rill.h>

using namespace rill;

namespace {

struct Inputs {
  Tensor a = ones({4}), b = ones({4}), w = ones({4}).requires_grad_(), m = ones({16, 16});
};

void plain_add(const Inputs& in) { const Tensor c = in.a + in.b; }
void view(const Inputs& in) { const Tensor c = in.m.view({256}); }
void select(const Inputs& in) { const Tensor c = in.m[3]; }
void small_product(const Inputs& in) { const Tensor c = matmul(in.m, in.m); }
void recorded_add(const Inputs& in) { const Tensor c = in.w + in.b; }

}  // namespace

// one function each, with a name that the profile shows
#define MEASURED(name)                                                          \
  extern "C" [[gnu::noinline, gnu::used]] void measured_##name(const Inputs& in) { \
    for (int i = 0; i < 1000; ++i) name(in);                                    \
  }
MEASURED(plain_add)
MEASURED(view)
MEASURED(select)
MEASURED(small_product)
MEASURED(recorded_add)

extern "C" [[gnu::noinline, gnu::used]] void measured_chain(const Inputs& in) {  // 1000 ops forward and backward
  Tensor x = in.w;
  for (int i = 0; i < 1000; ++i) x = x * in.b;
  x.sum().backward();
  in.w.set_grad({});
}

int main() {
  const Inputs in;
  for (int round = 0; round < 2; ++round) {  // the first one fills the pools; both are counted, so calls are averaged
    measured_chain(in);
    measured_recorded_add(in);
    const NoGrad off;
    measured_plain_add(in);
    measured_view(in);
    measured_select(in);
    measured_small_product(in);
  }
}
