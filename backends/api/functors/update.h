// Update rules of optimizers, written once for numbers (CUDA threads) and SIMD packs (CPU). A rule changes the parameter p and up to
// three state arrays in one pass over memory and reads the gradient g. Everything that is the same for all elements - bias
// corrections, decayed rates - is computed by the optimizer in double and enters as a constant. Branches are on constants only.
#pragma once

#include "backends/api/functors/vocabulary.h"

namespace rill::fn {

/// What comes before every rule: the sign of the gradient and the decay of weights.
struct Prologue {
  bool negate = false;  // ascent
  double l2 = 0;        // g += l2 p
  double keep = 1;      // p *= keep: decay decoupled from the gradient (Loshchilov and Hutter 2019)
  template <class V> RILL_FN void operator()(V& p, V& g) const {
    if (negate) g = -g;
    if (l2 != 0) g = g + lit<V>(l2) * p;
    if (keep != 1) p = p * lit<V>(keep);
  }
};

// ---- gradient descent ---------------------------------------------------------------------------------------------------------

struct SgdUpdate {
  static constexpr int states = 0;
  Prologue prologue;
  double lr;
  template <class V> RILL_FN void operator()(V& p, V g) const {
    prologue(p, g);
    p = p - lit<V>(lr) * g;
  }
};
struct MomentumUpdate {  // Polyak 1964; Nesterov's form after Sutskever et al. 2013
  static constexpr int states = 1;
  Prologue prologue;
  double lr, momentum, inflow;  // inflow: 1 - dampening
  bool nesterov;
  template <class V> RILL_FN void operator()(V& p, V g, V& velocity) const {
    prologue(p, g);
    velocity = lit<V>(momentum) * velocity + lit<V>(inflow) * g;
    p = p - lit<V>(lr) * (nesterov ? g + lit<V>(momentum) * velocity : velocity);
  }
};
struct LionUpdate {  // Chen et al. 2023
  static constexpr int states = 1;
  Prologue prologue;
  double lr, beta1, beta2;
  template <class V> RILL_FN void operator()(V& p, V g, V& m) const {
    prologue(p, g);
    p = p - lit<V>(lr) * sign(m + lit<V>(1 - beta1) * (g - m));
    m = m + lit<V>(1 - beta2) * (g - m);
  }
};
struct RpropUpdate {  // Riedmiller and Braun 1993; a gradient that changed its sign counts as 0
  static constexpr int states = 2;
  Prologue prologue;
  double eta_minus, eta_plus, smallest, largest;
  template <class V> RILL_FN void operator()(V& p, V g, V& previous, V& size) const {
    prologue(p, g);
    const V same = g * previous, one = splat(g, 1);
    size = size * where(same > lit<V>(0), splat(g, eta_plus), where(same < lit<V>(0), splat(g, eta_minus), one));
    size = min(max(size, splat(g, smallest)), splat(g, largest));
    previous = where(same < lit<V>(0), zero_like(g), g);
    p = p - sign(previous) * size;
  }
};

// ---- the family of Adam: m and v are moving averages of g and g^2 ---------------------------------------------------------------

/// p -= (on_g g + on_m m) / (on_root sqrt(v) + eps); Adam, NAdam and RAdam differ in the constants. `plain`: the denominator is 1.
template <bool amsgrad> struct AdamFamilyUpdate {
  static constexpr int states = amsgrad ? 3 : 2;
  Prologue prologue;
  double beta1, beta2, on_g, on_m, on_root, eps;
  bool plain = false;
  template <class V> RILL_FN void advance(V& p, V& g, V& m, V& v) const {
    prologue(p, g);
    m = m + lit<V>(1 - beta1) * (g - m);
    v = lit<V>(beta2) * v + lit<V>(1 - beta2) * (g * g);
  }
  template <class V> RILL_FN V moved(V p, V g, V m, V v) const {
    V step = lit<V>(on_m) * m;
    if (on_g != 0) step = step + lit<V>(on_g) * g;
    if (plain) return p - step;
    return p - step / (lit<V>(on_root) * sqrt(v) + lit<V>(eps));
  }
  template <class V> RILL_FN void operator()(V& p, V g, V& m, V& v) const {
    advance(p, g, m, v);
    p = moved(p, g, m, v);
  }
  template <class V> RILL_FN void operator()(V& p, V g, V& m, V& v, V& largest) const {
    advance(p, g, m, v);
    largest = max(largest, v);
    p = moved(p, g, m, largest);
  }
};
using AdamUpdate = AdamFamilyUpdate<false>;
using AmsgradUpdate = AdamFamilyUpdate<true>;

struct AdamaxUpdate {
  static constexpr int states = 2;
  Prologue prologue;
  double beta1, beta2, on_m, eps;
  template <class V> RILL_FN void operator()(V& p, V g, V& m, V& largest) const {
    prologue(p, g);
    m = m + lit<V>(1 - beta1) * (g - m);
    largest = max(lit<V>(beta2) * largest, abs(g) + lit<V>(eps));
    p = p - lit<V>(on_m) * m / largest;
  }
};

struct AdaBeliefUpdate {  // Zhuang et al. 2020: v measures how far the gradient lies from its average
  static constexpr int states = 2;
  Prologue prologue;
  double beta1, beta2, on_m, on_root, eps;
  template <class V> RILL_FN void operator()(V& p, V g, V& m, V& v) const {
    prologue(p, g);
    m = m + lit<V>(1 - beta1) * (g - m);
    const V surprise = g - m;
    v = lit<V>(beta2) * v + lit<V>(1 - beta2) * (surprise * surprise) + lit<V>(eps);
    p = p - lit<V>(on_m) * m / (lit<V>(on_root) * sqrt(v) + lit<V>(eps));
  }
};
struct LambDirection {  // You et al. 2020: `direction` takes the place of a parameter, which is the last state and stays
  static constexpr int states = 3;
  bool negate;
  double beta1, beta2, on_m, on_root, eps, decay;
  template <class V> RILL_FN void operator()(V& direction, V g, V& m, V& v, V& p) const {
    if (negate) g = -g;
    m = m + lit<V>(1 - beta1) * (g - m);
    v = lit<V>(beta2) * v + lit<V>(1 - beta2) * (g * g);
    direction = lit<V>(on_m) * m / (lit<V>(on_root) * sqrt(v) + lit<V>(eps)) + lit<V>(decay) * p;
  }
};

// ---- schedule-free (Defazio et al. 2024): z descends, x is the average of all z, gradients are taken at y between both ---------------

/// The parameter holds y. share: of the new z in x; on_y = lr (beta (1 - share) - 1).
struct ScheduleFreeStep {
  double lr, share, on_y;
  template <class V> RILL_FN void operator()(V& y, V direction, V& z) const {
    y = y + lit<V>(share) * (z - y) + lit<V>(on_y) * direction;
    z = z - lit<V>(lr) * direction;
  }
};
struct ScheduleFreeSgdUpdate {
  static constexpr int states = 1;
  Prologue prologue;
  ScheduleFreeStep step;
  template <class V> RILL_FN void operator()(V& y, V g, V& z) const {
    prologue(y, g);
    step(y, g, z);
  }
};
struct ScheduleFreeAdamWUpdate {
  static constexpr int states = 2;
  bool negate;
  ScheduleFreeStep step;
  double beta2, on_root, eps, decay;
  template <class V> RILL_FN void operator()(V& y, V g, V& z, V& v) const {
    if (negate) g = -g;
    v = lit<V>(beta2) * v + lit<V>(1 - beta2) * (g * g);
    step(y, g / (lit<V>(on_root) * sqrt(v) + lit<V>(eps)) + lit<V>(decay) * y, z);
  }
};

// ---- scaled by past squares -----------------------------------------------------------------------------------------------------

/// States: the mean of g^2, with `centered` the mean of g, with `momentum` the step.
template <bool centered, bool with_momentum> struct RmsPropUpdate {
  static constexpr int states = 1 + centered + with_momentum;
  Prologue prologue;
  double alpha, eps, momentum, on_step, on_p;  // step = momentum step + on_step g / root; p -= on_p step
  bool eps_inside;                             // root = sqrt(v + eps), not sqrt(v) + eps
  template <class V> RILL_FN V scaled(V g, V v) const { return g / (eps_inside ? sqrt(v + lit<V>(eps)) : sqrt(v) + lit<V>(eps)); }
  template <class V> RILL_FN void apply(V& p, V g, V& square, V* mean, V* step) const {
    prologue(p, g);
    square = lit<V>(alpha) * square + lit<V>(1 - alpha) * (g * g);
    V v = square;
    if constexpr (centered) {
      *mean = *mean + lit<V>(1 - alpha) * (g - *mean);
      v = v - *mean * *mean;
    }
    V d = lit<V>(on_step) * scaled(g, v);
    if constexpr (with_momentum) {
      *step = lit<V>(momentum) * *step + d;
      d = *step;
    }
    p = p - lit<V>(on_p) * d;
  }
  template <class V> RILL_FN void operator()(V& p, V g, V& square) const { apply<V>(p, g, square, nullptr, nullptr); }
  template <class V> RILL_FN void operator()(V& p, V g, V& square, V& other) const {
    apply<V>(p, g, square, centered ? &other : nullptr, centered ? nullptr : &other);
  }
  template <class V> RILL_FN void operator()(V& p, V g, V& square, V& mean, V& step) const { apply<V>(p, g, square, &mean, &step); }
};
struct AdagradUpdate {  // Duchi et al. 2011
  static constexpr int states = 1;
  Prologue prologue;
  double lr, eps;
  template <class V> RILL_FN void operator()(V& p, V g, V& sum) const {
    prologue(p, g);
    sum = sum + g * g;
    p = p - lit<V>(lr) * g / (sqrt(sum) + lit<V>(eps));
  }
};
struct AdadeltaUpdate {  // Zeiler 2012
  static constexpr int states = 2;
  Prologue prologue;
  double lr, rho, eps;
  template <class V> RILL_FN void operator()(V& p, V g, V& square, V& change) const {
    prologue(p, g);
    square = lit<V>(rho) * square + lit<V>(1 - rho) * (g * g);
    const V d = sqrt(change + lit<V>(eps)) / sqrt(square + lit<V>(eps)) * g;
    change = lit<V>(rho) * change + lit<V>(1 - rho) * (d * d);
    p = p - lit<V>(lr) * d;
  }
};

// ---- with l1 and l2 penalties solved in closed form: weights become exactly 0 -----------------------------------------------------

/// argmin of (x - v)^2 / 2 + l1 |x| + l2 x^2 / 2.
template <class V> RILL_FN V proximal(V v, V l1, V l2) { return sign(v) * max(abs(v) - l1, zero_like(v)) / (lit<V>(1) + l2); }

struct ProximalSgdUpdate {  // Duchi and Singer 2009
  static constexpr int states = 0;
  double lr, l1, l2;
  template <class V> RILL_FN void operator()(V& p, V g) const { p = proximal(p - lit<V>(lr) * g, splat(p, lr * l1), splat(p, lr * l2)); }
};
struct ProximalAdagradUpdate {
  static constexpr int states = 1;
  double lr, l1, l2;
  template <class V> RILL_FN void operator()(V& p, V g, V& sum) const {
    sum = sum + g * g;
    const V rate = lit<V>(lr) / sqrt(sum);
    p = proximal(p - rate * g, rate * lit<V>(l1), rate * lit<V>(l2));
  }
};
struct AdagradDaUpdate {  // dual averaging, Duchi et al. 2011; l1 and l2 come multiplied by the number of the update
  static constexpr int states = 2;
  double lr, l1, l2;
  template <class V> RILL_FN void operator()(V& p, V g, V& sum, V& squares) const {
    sum = sum + g;
    squares = squares + g * g;
    p = lit<V>(-lr) * sign(sum) * max(abs(sum) - lit<V>(l1), zero_like(sum)) / (lit<V>(lr * l2) + sqrt(squares));
  }
};
struct FtrlUpdate {  // McMahan et al. 2013; shrinkage does not enter the sum of squares
  static constexpr int states = 2;
  double lr, lr_power, l1, l2, l2_shrinkage;
  template <class V> RILL_FN V root(V n) const { return lr_power == -0.5 ? sqrt(n) : pow(n, splat(n, -lr_power)); }
  template <class V> RILL_FN void operator()(V& p, V g, V& squares, V& linear) const {
    const V grown = squares + g * g, now = root(grown);
    linear = linear + g + lit<V>(2 * l2_shrinkage) * p - (now - root(squares)) / lit<V>(lr) * p;
    squares = grown;
    const V solved = (sign(linear) * lit<V>(l1) - linear) / (now / lit<V>(lr) + lit<V>(2 * l2));
    p = where(abs(linear) > lit<V>(l1), solved, zero_like(p));
  }
};

// ---- what averages and clipping need ----------------------------------------------------------------------------------------------

struct ApproachUpdate {  // p moves towards g by a share of the way; 1 gives g exactly
  static constexpr int states = 0;
  double share;
  template <class V> RILL_FN void operator()(V& p, V g) const { p = share == 1 ? g : p + lit<V>(share) * (g - p); }
};
struct ScaleUpdate {
  static constexpr int states = 0;
  double factor;
  template <class V> RILL_FN void operator()(V& p, V g) const { p = g * lit<V>(factor); }
};

using Update = List<SgdUpdate, MomentumUpdate, LionUpdate, RpropUpdate, AdamUpdate, AmsgradUpdate, AdamaxUpdate, AdaBeliefUpdate, LambDirection,
                    ScheduleFreeSgdUpdate, ScheduleFreeAdamWUpdate, RmsPropUpdate<false, false>,
                    RmsPropUpdate<false, true>, RmsPropUpdate<true, false>, RmsPropUpdate<true, true>, AdagradUpdate, AdadeltaUpdate, ProximalSgdUpdate,
                    ProximalAdagradUpdate, AdagradDaUpdate, FtrlUpdate, ApproachUpdate, ScaleUpdate>;

}  // namespace rill::fn
