"""Writes test/ops/weighted_loss_goldens.txt: tf.losses, in_top_k, bias_add and others with TensorFlow.

Needs TensorFlow 2. Run from the root: python test/oracle/tf_losses.py

A line: op and arguments and one digit per input (1: wants a gradient) | input tensors ... => | output [| grad | d sum(y w) / d input ...], w = 1, 2, ...; see test/oracle/nn_goldens.py.
"""
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
L = v1.losses
rng = np.random.RandomState(3)
lines = []
REDUCTIONS = [L.Reduction.NONE, L.Reduction.SUM, L.Reduction.SUM_OVER_BATCH_SIZE, L.Reduction.SUM_BY_NONZERO_WEIGHTS, L.Reduction.MEAN]
NONE = L.Reduction.NONE

OPS = {
    "weighted_loss": lambda a, l, w: L.compute_weighted_loss(l, w, reduction=REDUCTIONS[a[0]]),
    "mean_squared_error": lambda a, x, y, w: L.mean_squared_error(y, x, w),
    "hinge_loss": lambda a, x, y: L.hinge_loss(y, x, reduction=NONE),
    "log_loss": lambda a, x, y: L.log_loss(y, x, reduction=NONE),
    "cosine_distance": lambda a, x, y: L.cosine_distance(y, x, axis=a[0], reduction=NONE),
    # with a weight for each sample: with a plain number TensorFlow counts the elements of the whole batch
    "mean_pairwise_squared_error": lambda a, x, y: L.mean_pairwise_squared_error(y, x, tf.ones([len(x)] + [1] * (x.ndim - 1))),
    "weighted_cross_entropy": lambda a, x, y: tf.nn.weighted_cross_entropy_with_logits(y, x, a[0]),
    "log_poisson_loss": lambda a, x, y: tf.nn.log_poisson_loss(y, x, compute_full_loss=bool(a[0])),
    "in_top_k": lambda a, x, t: tf.math.in_top_k(t, x, a[0]),
    "bias_add": lambda a, x, b: tf.nn.bias_add(x, b, data_format=["NHWC", "NCHW"][a[0]]),
}


def text(t):
    t = np.asarray(t)
    number = (lambda v: f"{v:.17g}") if t.dtype.kind == "f" else (lambda v: str(int(v)))
    return f"{t.dtype.name} {'x'.join(map(str, t.shape))} {','.join(number(v) for v in t.flatten().tolist())}"


def add(op, args, *inputs, wanted=()):
    wanted = wanted if inputs[0].dtype == np.float64 else ()  # gradients are compared in double
    x = [tf.constant(t) for t in inputs]
    with tf.GradientTape() as tape:
        for k in wanted:
            tape.watch(x[k])
        y = OPS[op](args, *x)
        total = tf.reduce_sum(y * tf.reshape(tf.range(1, tf.size(y) + 1, dtype=tf.int32), tf.shape(y)).numpy().astype(np.asarray(y).dtype)) if wanted else None
    marks = "".join("1" if k in wanted else "0" for k in range(len(inputs)))
    line = " | ".join([" ".join([op] + [str(a) for a in args] + [marks])] + [text(t) for t in inputs]) + " => | " + text(y)
    if wanted:
        line += " | grad" + "".join(" | " + text(g) for g in tape.gradient(total, [x[k] for k in wanted], unconnected_gradients="zero"))
    lines.append(line)


def r(*shape):
    return np.round(rng.randn(*shape) * 64) / 64


def u(*shape):
    return (np.floor(rng.rand(*shape) * 62) + 1) / 64


f32 = lambda t: t.astype(np.float32)  # tf.losses compute in float32 whatever they are given
for k in range(5):
    add("weighted_loss", [k], f32(r(2, 3)), f32(u(2, 3)), wanted=[0, 1])
    add("weighted_loss", [k], f32(r(2, 3)), f32(np.array([[0.5], [0.0]])), wanted=[0])
    add("weighted_loss", [k], f32(r(2, 3)), f32(np.zeros((2, 3))), wanted=[0])
add("mean_squared_error", [], f32(r(4)), f32(r(4)), f32(np.array([1, 0, 2, 0.5])), wanted=[0])
add("hinge_loss", [], f32(r(2, 3)), f32(rng.randint(0, 2, (2, 3))), wanted=[0])
add("log_loss", [], f32(u(2, 3)), f32(u(2, 3)), wanted=[0])
add("cosine_distance", [-1], f32(r(2, 3)), f32(r(2, 3)), wanted=[0])
add("cosine_distance", [0], f32(r(2, 3)), f32(r(2, 3)), wanted=[0])
add("mean_pairwise_squared_error", [], f32(r(3, 4)), f32(r(3, 4)), wanted=[0])
add("mean_pairwise_squared_error", [], f32(r(2, 2, 3)), f32(r(2, 2, 3)), wanted=[0])
add("mean_pairwise_squared_error", [], f32(r(3, 1)), f32(r(3, 1)), wanted=[0])
add("weighted_cross_entropy", [2.5], r(2, 3) * 4, u(2, 3), wanted=[0])
for full in (0, 1):
    add("log_poisson_loss", [full], r(6), np.array([0, 0.5, 1, 1.5, 2, 7.0]), wanted=[0])
scores = f32(np.array([[0.1, 0.9, 0.5, 0.9], [1, 1, 1, 1], [np.nan, 0, 1, 2], [np.inf, 0, 1, 2], [3, 2, 1, 0]]))
for k in (0, 1, 2, 3, 9):
    for t in ([1, 0, 3, 3, 2], [0, 3, 0, 0, 9], [2, 2, 1, 2, -1]):
        add("in_top_k", [k], scores, np.array(t))
add("bias_add", [0], r(2, 2, 3), r(3), wanted=[0, 1])
add("bias_add", [1], r(2, 3, 2, 2), r(3), wanted=[0, 1])
open("test/ops/weighted_loss_goldens.txt", "w").write("\n".join(lines) + "\n")
