"""Writes test/optim/tf_optim_goldens.txt with TensorFlow's training kernels (and Keras for Lion), and test/optim/tf_lr_goldens.txt with the rates of
tf.compat.v1.train in float32 at the steps STEPS.

Needs TensorFlow 2. Run from the root: python test/oracle/tf_optim_vectors.py

The problem and the format are those of test/oracle/optim_goldens.py, without slot values. Each variable is given to the raw op that TensorFlow 1's
optimizer of that name calls; AdagradDA counts the updates of each variable.
It also checks the constant-gradient vectors: w = (1, -2), g = (0.1, -0.4), rate 0.1 (Ftrl 0.5), printed to 10 digits.
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

RAW = tf.raw_ops
SHOWN = [1, 2, 3, 5, 10, 20]
INDEX = np.arange(8.0)
F64 = np.float64


def text(values):
    return ",".join(f"{float(v):.17g}" for v in values)


def variable(shape_like, value=0.0):
    return tf.Variable(np.full(np.shape(shape_like), value), dtype=tf.float64)


class Ftrl:
    def __init__(self, w, l1=0.0, l2=0.0, l2_shrinkage=0.0, lr_power=-0.5, initial_accumulator_value=0.1):
        self.w, self.n, self.z = w, variable(w, initial_accumulator_value), variable(w)
        self.args = [F64(x) for x in (l1, l2, l2_shrinkage, lr_power)]

    def step(self, g, lr):
        l1, l2, shrink, power = self.args
        RAW.ResourceApplyFtrlV2(var=self.w.handle, accum=self.n.handle, linear=self.z.handle, grad=g, lr=F64(lr), l1=l1, l2=l2, l2_shrinkage=shrink, lr_power=power)


class ProximalSgd:
    def __init__(self, w, l1=0.0, l2=0.0):
        self.w, self.l1, self.l2 = w, F64(l1), F64(l2)

    def step(self, g, lr):
        RAW.ResourceApplyProximalGradientDescent(var=self.w.handle, alpha=F64(lr), l1=self.l1, l2=self.l2, delta=g)


class ProximalAdagrad:
    def __init__(self, w, l1=0.0, l2=0.0, initial_accumulator_value=0.1):
        self.w, self.s, self.l1, self.l2 = w, variable(w, initial_accumulator_value), F64(l1), F64(l2)

    def step(self, g, lr):
        RAW.ResourceApplyProximalAdagrad(var=self.w.handle, accum=self.s.handle, lr=F64(lr), l1=self.l1, l2=self.l2, grad=g)


class AdagradDa:
    def __init__(self, w, l1=0.0, l2=0.0):
        self.w, self.g, self.s, self.l1, self.l2, self.t = w, variable(w), variable(w, 0.1), F64(l1), F64(l2), 0

    def step(self, g, lr):
        self.t += 1
        RAW.ResourceApplyAdagradDA(var=self.w.handle, gradient_accumulator=self.g.handle, gradient_squared_accumulator=self.s.handle, grad=g, lr=F64(lr),
                                   l1=self.l1, l2=self.l2, global_step=np.int64(self.t))


class RmsProp:
    def __init__(self, w, alpha=0.9, momentum=0.0, eps=1e-10, centered=False, initial_mean_square=1.0, eps_inside_root=True, lr_in_buffer=True):
        self.w, self.ms, self.mg, self.mom, self.centered = w, variable(w, initial_mean_square), variable(w), variable(w), centered
        self.args = dict(rho=F64(alpha), momentum=F64(momentum), epsilon=F64(eps))

    def step(self, g, lr):
        if self.centered:
            RAW.ResourceApplyCenteredRMSProp(var=self.w.handle, mg=self.mg.handle, ms=self.ms.handle, mom=self.mom.handle, lr=F64(lr), grad=g, **self.args)
        else:
            RAW.ResourceApplyRMSProp(var=self.w.handle, ms=self.ms.handle, mom=self.mom.handle, lr=F64(lr), grad=g, **self.args)


class Adam:
    def __init__(self, w, betas=(0.9, 0.999), eps=1e-8, eps_hat=True):
        self.w, self.m, self.v, self.b, self.eps, self.t = w, variable(w), variable(w), betas, F64(eps), 0

    def step(self, g, lr):
        self.t += 1
        b1, b2 = self.b
        RAW.ResourceApplyAdam(var=self.w.handle, m=self.m.handle, v=self.v.handle, beta1_power=F64(b1 ** self.t), beta2_power=F64(b2 ** self.t), lr=F64(lr),
                              beta1=F64(b1), beta2=F64(b2), epsilon=self.eps, grad=g)


class Adagrad:
    def __init__(self, w, initial_accumulator_value=0.1, eps=0.0):
        self.w, self.s = w, variable(w, initial_accumulator_value)

    def step(self, g, lr):
        RAW.ResourceApplyAdagrad(var=self.w.handle, accum=self.s.handle, lr=F64(lr), grad=g)


class Adadelta:
    def __init__(self, w, rho=0.95, eps=1e-8):
        self.w, self.s, self.u, self.rho, self.eps = w, variable(w), variable(w), F64(rho), F64(eps)

    def step(self, g, lr):
        RAW.ResourceApplyAdadelta(var=self.w.handle, accum=self.s.handle, accum_update=self.u.handle, lr=F64(lr), rho=self.rho, epsilon=self.eps, grad=g)


class Sgd:
    def __init__(self, w, momentum=0.0, nesterov=False):
        self.w, self.a, self.mu, self.nesterov = w, variable(w), F64(momentum), nesterov

    def step(self, g, lr):
        RAW.ResourceApplyMomentum(var=self.w.handle, accum=self.a.handle, lr=F64(lr), grad=g, momentum=self.mu, use_nesterov=self.nesterov)


class Lion:
    def __init__(self, w, betas=(0.9, 0.99), weight_decay=0.0):
        tf.keras.backend.set_floatx("float64")
        self.w = tf.keras.Variable(w.numpy(), dtype="float64")
        self.opt = tf.keras.optimizers.Lion(learning_rate=1.0, beta_1=betas[0], beta_2=betas[1], weight_decay=weight_decay or None)

    def step(self, g, lr):
        self.opt.learning_rate = lr
        self.opt.apply([tf.constant(g)], [self.w])


def run(cls, lr, **options):
    p, q = (cls(tf.Variable(np.cos(i)), **options) for i in (INDEX[:5], INDEX[5:]))
    seen = []
    for t in range(1, 21):
        rate = lr if t < 11 else lr * 0.5
        for x, i in ((p, INDEX[:5]), (q, INDEX[5:])):
            if x is p or t % 2:
                x.step(np.asarray(x.w) / 2 + np.sin(0.7 * i + 0.9 * t), rate)
        if t in SHOWN:
            seen += list(np.asarray(p.w)) + list(np.asarray(q.w))
    return seen


def option_text(options):
    def value(v):
        return str(int(v)) if isinstance(v, bool) else ",".join(map(str, v)) if isinstance(v, tuple) else str(v)
    return "".join(f" {k}={value(v)}" for k, v in options.items())


TF_RMS = dict(alpha=0.9, initial_mean_square=1.0, eps_inside_root=True, lr_in_buffer=True)
CASES = [
    (Ftrl, dict(lr=0.5)), (Ftrl, dict(lr=0.5, l1=0.05, l2=0.1)), (Ftrl, dict(lr=0.5, l1=0.05, l2=0.1, l2_shrinkage=0.01)),
    (Ftrl, dict(lr=0.2, lr_power=-0.3, initial_accumulator_value=0.5, l1=0.2)),
    (ProximalSgd, dict(lr=0.1)), (ProximalSgd, dict(lr=0.1, l1=0.5, l2=0.1)),
    (ProximalAdagrad, dict(lr=0.1)), (ProximalAdagrad, dict(lr=0.1, l1=0.5, l2=0.1, initial_accumulator_value=0.3)),
    (AdagradDa, dict(lr=0.1)), (AdagradDa, dict(lr=0.5, l1=0.1, l2=0.05)),
    (RmsProp, dict(lr=0.1, eps=1e-10, **TF_RMS)), (RmsProp, dict(lr=0.1, momentum=0.9, eps=1e-10, **TF_RMS)), (RmsProp, dict(lr=0.1, momentum=0.9, eps=1.0, **TF_RMS)),
    (RmsProp, dict(lr=0.1, momentum=0.9, eps=1e-10, centered=True, **TF_RMS)),
    (Adam, dict(lr=0.1, eps_hat=True)), (Adam, dict(lr=0.1, betas=(0.8, 0.9), eps=0.1, eps_hat=True)),
    (Adagrad, dict(lr=0.1, initial_accumulator_value=0.1, eps=0.0)), (Adadelta, dict(lr=0.001, rho=0.95, eps=1e-8)),
    (Sgd, dict(lr=0.1, momentum=0.9)), (Sgd, dict(lr=0.1, momentum=0.9, nesterov=True)),
    (Lion, dict(lr=0.125)), (Lion, dict(lr=0.0625, betas=(0.7, 0.9), weight_decay=0.25)),  # Keras keeps rates in float32
]

STEPS = [0, 1, 25, 50, 99, 100, 101, 150, 199, 200, 201, 250, 300, 699, 700, 1500]
TRAIN = tf.compat.v1.train


def run_schedule(name, make, **options):
    values = [make(tf.constant(s, tf.int64))() for s in STEPS]
    return f"{name}{option_text(options)} => {text(values)}"


RATE = tf.constant(0.1, tf.float32)  # cosines exist in float32 only
SCHEDULES = [
    *(run_schedule(name, lambda s: f(RATE, s, 100, 0.9, staircase=stair), base=0.1, steps=100, decay=0.9, staircase=stair)
      for name, f in [("ExponentialDecay", TRAIN.exponential_decay), ("NaturalExpDecay", TRAIN.natural_exp_decay), ("InverseTimeDecay", TRAIN.inverse_time_decay)]
      for stair in (False, True)),
    run_schedule("PolynomialDecay", lambda s: TRAIN.polynomial_decay(RATE, s, 100), base=0.1, steps=100),
    run_schedule("PolynomialDecay", lambda s: TRAIN.polynomial_decay(RATE, s, 100, 0.01, 0.5), base=0.1, steps=100, end=0.01, power=0.5),
    run_schedule("PolynomialDecay", lambda s: TRAIN.polynomial_decay(RATE, s, 100, 0.01, 0.5, cycle=True), base=0.1, steps=100, end=0.01, power=0.5, cycle=True),
    run_schedule("PiecewiseConstant", lambda s: TRAIN.piecewise_constant(s, [100, 200], [tf.constant(v, tf.float32) for v in (1.0, 0.5, 0.1)])),
    run_schedule("CosineDecay", lambda s: TRAIN.cosine_decay(RATE, s, 100), base=0.1, steps=100),
    run_schedule("CosineDecay", lambda s: TRAIN.cosine_decay(RATE, s, 100, 0.1), base=0.1, steps=100, alpha=0.1),
    run_schedule("CosineDecayRestarts", lambda s: TRAIN.cosine_decay_restarts(RATE, s, 100), base=0.1, first_steps=100),
    run_schedule("CosineDecayRestarts", lambda s: TRAIN.cosine_decay_restarts(RATE, s, 100, 2.0, 0.5, 0.1), base=0.1, first_steps=100, t_mul=2.0, m_mul=0.5, alpha=0.1),
    run_schedule("CosineDecayRestarts", lambda s: TRAIN.cosine_decay_restarts(RATE, s, 90, 1.0, 0.7), base=0.1, first_steps=90, t_mul=1.0, m_mul=0.7),
    run_schedule("CosineDecayRestarts", lambda s: TRAIN.cosine_decay_restarts(RATE, s, 70, 1.5, 0.9), base=0.1, first_steps=70, t_mul=1.5, m_mul=0.9),
    run_schedule("LinearCosineDecay", lambda s: TRAIN.linear_cosine_decay(RATE, s, 100), base=0.1, steps=100),
    run_schedule("LinearCosineDecay", lambda s: TRAIN.linear_cosine_decay(RATE, s, 100, 1.5, 0.2, 0.01), base=0.1, steps=100, periods=1.5, alpha=0.2, beta=0.01),
]

if __name__ == "__main__":
    open("test/optim/tf_lr_goldens.txt", "w").write("\n".join(SCHEDULES) + "\n")
    lines = [f"{cls.__name__}{option_text(o)} => {text(run(cls, **o))}" for cls, o in CASES]
    open("test/optim/tf_optim_goldens.txt", "w").write("\n".join(lines) + "\n")
    for name, cls, lr, o in [("Ftrl", Ftrl, 0.5, {}), ("Ftrl l1 l2", Ftrl, 0.5, dict(l1=0.05, l2=0.1)), ("... shrinkage", Ftrl, 0.5, dict(l1=0.05, l2=0.1, l2_shrinkage=0.01)),
                             ("ProximalSgd", ProximalSgd, 0.1, dict(l1=0.5, l2=0.1)), ("ProximalAdagrad", ProximalAdagrad, 0.1, dict(l1=0.5, l2=0.1)),
                             ("AdagradDa", AdagradDa, 0.1, {}), ("RmsProp", RmsProp, 0.1, {}), ("RmsProp 0.9", RmsProp, 0.1, dict(momentum=0.9)),
                             ("centered", RmsProp, 0.1, dict(momentum=0.9, centered=True)), ("eps 1", RmsProp, 0.1, dict(momentum=0.9, eps=1.0)),
                             ("Adam", Adam, 0.1, {}), ("Adam eps 0.1", Adam, 0.1, dict(eps=0.1)), ("Adagrad", Adagrad, 0.1, {}), ("Adadelta", Adadelta, 1.0, {})]:
        x = cls(tf.Variable(np.array([1.0, -2.0])), **o)
        row = []
        for _ in range(3):
            x.step(np.array([0.1, -0.4]), lr)
            row.append(" ".join(f"{v:.10f}" for v in np.asarray(x.w)))
        print(f"{name:16} {' | '.join(row)}")
