"""Writes test/nn/metrics_goldens.txt with TensorFlow's streaming metrics (tf.compat.v1.metrics) and SciPy.

Needs TensorFlow 2 and SciPy. Run from the root: python test/oracle/metrics_goldens.py

A line: metric arguments | predictions | labels | weights of three batches => the value after each batch. No weights: an empty tensor.
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import scipy.stats
import tensorflow as tf

tf1 = tf.compat.v1
M = tf1.metrics
rng = np.random.RandomState(3)


def tensor_text(a):
    a = np.asarray(a)
    name = {"float32": "float32", "float64": "float64", "int64": "int64", "bool": "bool"}[a.dtype.name]
    number = (lambda v: f"{v:.9g}") if a.dtype == np.float32 else (lambda v: f"{v:.17g}") if a.dtype == np.float64 else (lambda v: str(int(v)))
    return f"{name} {'x'.join(map(str, a.shape))} {','.join(number(v) for v in a.flatten().tolist())}"


def stream(make, batches):
    """The values after each batch; make(p, l, w) builds the metric."""
    with tf.Graph().as_default(), tf1.Session() as session:
        p, l, w = batches[0]
        slots = [tf1.placeholder(x.dtype, [None] + list(x.shape[1:])) if x is not None else None for x in (p, l, w)]
        _, update = make(*slots)
        session.run(tf1.local_variables_initializer())
        values = []
        for batch in batches:
            values.append(session.run(update, {s: x for s, x in zip(slots, batch) if s is not None}))
        return np.array(values, dtype=np.float64)


def line(name, arguments, batches, values):
    empty = np.zeros(0, np.float32)
    inputs = [tensor_text(empty if x is None else x) for b in batches for x in b]
    return f"{name}{''.join(' ' + str(a) for a in arguments)} | {' | '.join(inputs)} => | {tensor_text(values)}"


def f32(*shape):
    return rng.rand(*shape).astype(np.float32)


def batches(make):
    return [make(n) for n in (7, 4, 1)]


def weights(n):
    w = np.round(2 * f32(n), 2)
    w[0] = 0
    return w.astype(np.float32)


lines = []
for weighted in (False, True):
    W = weights if weighted else (lambda n: None)
    real = lambda: batches(lambda n: (f32(n, 3) * 4 - 2, f32(n, 3) * 4 - 2, W(n)[:, None] if weighted else None))
    for name, fn in [("mean_squared_error", M.mean_squared_error), ("root_mean_squared_error", M.root_mean_squared_error), ("mean_absolute_error", M.mean_absolute_error)]:
        b = real()
        lines.append(line(name, [], b, stream(lambda p, l, w: fn(l, p, w), b)))
    b = real()
    lines.append(line("mean_relative_error", [], b, stream(lambda p, l, w: M.mean_relative_error(l, p, tf.zeros_like(p) + [2.0, 0.0, -0.5], w), b)))
    b = real()
    lines.append(line("mean_cosine_distance", [1], b, stream(lambda p, l, w: M.mean_cosine_distance(l, p, 1, w), b)))
    b = real()
    lines.append(line("mean", [], b, stream(lambda p, l, w: M.mean(p, w), b)))
    b = real()
    lines.append(line("percentage_below", [0.25], b, stream(lambda p, l, w: M.percentage_below(p, 0.25, w), b)))

    flags = lambda: batches(lambda n: (rng.rand(n) < 0.6, rng.rand(n) < 0.5, W(n)))
    for name, fn in [("precision", M.precision), ("recall", M.recall)]:
        b = flags()
        lines.append(line(name, [], b, stream(lambda p, l, w: fn(l, p, w), b)))
    scores = lambda: batches(lambda n: (np.round(f32(n), 2), rng.rand(n) < 0.5, W(n)))
    thresholds = [0.1, 0.25, 0.5, 0.9]
    for name, fn in [("precision_at_thresholds", M.precision_at_thresholds), ("recall_at_thresholds", M.recall_at_thresholds)]:
        b = scores()
        lines.append(line(name, [",".join(map(str, thresholds))], b, stream(lambda p, l, w: fn(l, p, thresholds, w), b)))
    for curve, how, count in [("ROC", "trapezoidal", 200), ("PR", "trapezoidal", 200), ("PR", "careful_interpolation", 200), ("ROC", "trapezoidal", 5), ("PR", "careful_interpolation", 7)]:
        b = scores()
        lines.append(line("auc", [curve, how, count], b, stream(lambda p, l, w: M.auc(l, p, w, num_thresholds=count, curve=curve, summation_method=how), b)))

    classes = lambda c: batches(lambda n: (rng.randint(0, c, n), rng.randint(0, c - 1, n), W(n)))  # the last class is never a label
    b = classes(4)
    lines.append(line("accuracy", [], b, stream(lambda p, l, w: M.accuracy(l, p, w), b)))
    for name, fn in [("mean_iou", M.mean_iou), ("mean_per_class_accuracy", M.mean_per_class_accuracy)]:
        b = classes(5)
        values = []
        for k in range(3):  # the update gives the matrix: read the value after the batches up to k
            with tf.Graph().as_default(), tf1.Session() as session:
                slots = [tf1.placeholder(x.dtype, [None]) if x is not None else None for x in b[0]]
                value, update = fn(slots[1], slots[0], 6, slots[2])
                session.run(tf1.local_variables_initializer())
                for batch in b[:k + 1]:
                    session.run(update, {s: x for s, x in zip(slots, batch) if s is not None})
                values.append(session.run(value))
        lines.append(line(name, [6], b, np.array(values, dtype=np.float64)))

    for k in (1, 2, 5):
        for name, fn in [("recall_at_k", M.recall_at_k), ("precision_at_k", M.precision_at_k), ("average_precision_at_k", M.average_precision_at_k)]:
            b = batches(lambda n: (np.round(f32(n, 5), 1), np.stack([rng.permutation(7)[:3] - 1 for _ in range(n)]), W(n)))  # ties; classes outside
            lines.append(line(name, [k], b, stream(lambda p, l, w: fn(l, p, k, weights=w), b)))

score = np.round(f32(9, 5), 1)
score[2, 3] = np.inf
score[4, 0] = np.nan
score[6] = 0.5
target = np.array([0, 1, 2, 3, 4, -1, 4, 5, 2])
for k in (1, 2, 3, 5):
    lines.append(f"in_top_k {k} | {tensor_text(score)} | {tensor_text(target)} => | {tensor_text(tf.raw_ops.InTopKV2(predictions=score, targets=target, k=np.int64(k)).numpy())}")
for n in (6, 40):
    s, l = np.round(rng.randn(n), 1), np.arange(n) % 3 == 0
    area = scipy.stats.mannwhitneyu(s[l], s[~l], alternative="greater").statistic / (l.sum() * (~l).sum())
    lines.append(f"roc_auc | {tensor_text(s)} | {tensor_text(l)} => | {tensor_text(np.array([area]))}")
open("test/nn/metrics_goldens.txt", "w").write("\n".join(lines) + "\n")
