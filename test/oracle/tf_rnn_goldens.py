"""Writes test/nn/tf_rnn_goldens.txt: the recurrent cells of TensorFlow 1.x under dynamic_rnn, with TensorFlow.

Needs tensorflow and tf_keras (the cells live there). Run from the root: TF_USE_LEGACY_KERAS=1 python test/oracle/tf_rnn_goldens.py
Format: goldens.py. Arguments: kind, input size, units, forget bias, cell clip, projection, projection clip, lengths, names of the variables;
inputs are x [N, T, in], the initial states (an empty one: none) and the variables. Outputs: output(s), final states.
"""
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import torch

from goldens import argument_text, ramp, tensor_text

v1 = tf.compat.v1
v1.disable_eager_execution()
v1.disable_control_flow_v2()  # gradients of the old while loop, as in 1.x
rnn_cell = v1.nn.rnn_cell
random = np.random.RandomState(5)
lines = []


def t(*shape, scale=0.7):
    return np.round(random.randn(*shape) * scale * 64) / 64


def make(kind, units, forget_bias, clip, proj, proj_clip):
    if kind == "basic_rnn":
        return rnn_cell.BasicRNNCell(units, dtype=tf.float64)
    if kind == "gru":
        return rnn_cell.GRUCell(units, dtype=tf.float64)
    if kind == "basic_lstm":
        return rnn_cell.BasicLSTMCell(units, forget_bias=forget_bias, dtype=tf.float64)
    if kind == "lstm":
        return rnn_cell.LSTMCell(units, use_peepholes=True, cell_clip=clip or None, num_proj=proj or None, proj_clip=proj_clip or None, forget_bias=forget_bias, dtype=tf.float64)
    return rnn_cell.MultiRNNCell([make("basic_lstm", units, forget_bias, 0, 0, 0), make("gru", 2, 0, 0, 0, 0)])


def text(a):
    return tensor_text(torch.tensor(np.asarray(a)))


def case(kind, size, units, forget_bias=1.0, clip=0, proj=0, proj_clip=0, lengths=(), initial=True, both=False, scale=0.7):
    with tf.Graph().as_default(), v1.Session() as session:
        n, steps = 2, 3
        x = tf.constant(t(n, steps, size, scale=scale))
        cells = [make(kind, units, forget_bias, clip, proj, proj_clip) for _ in range(2 if both else 1)]
        flat_sizes = [s for c in cells for s in tf.nest.flatten(c.state_size)]
        states = [tf.constant(t(n, s)) for s in flat_sizes] if initial else []
        count = len(flat_sizes) // len(cells)
        packed = [tf.nest.pack_sequence_as(c.state_size, states[k * count : (k + 1) * count]) if initial else None for k, c in enumerate(cells)]
        options = dict(sequence_length=list(lengths) or None, dtype=tf.float64)
        if both:
            out, last = v1.nn.bidirectional_dynamic_rnn(*cells, x, initial_state_fw=packed[0], initial_state_bw=packed[1], **options)
        else:
            out, last = v1.nn.dynamic_rnn(cells[0], x, initial_state=packed[0], **options)
        outputs = tf.nest.flatten([out, last])
        variables = v1.trainable_variables()
        start, loss = 1.0, 0.0
        for y in outputs:
            w = ramp(torch.zeros([int(d) for d in y.shape]), start).numpy()
            loss, start = loss + tf.reduce_sum(y * w), start + w.size
        values = [t(*[int(d) for d in v.shape]) for v in variables]
        for v, value in zip(variables, values):
            session.run(v.assign(value))
        wanted = [x, *states, *variables]
        y, inputs, grads = session.run([outputs, [x, *states], tf.gradients(loss, wanted)])
        names = ",".join(v.name.removesuffix(":0") for v in variables)
        slots = [text(s) for s in inputs] + ([] if initial else ["float64 0 "])
        marks = "1" * len(inputs) + ("" if initial else "0") + "1" * len(values)
        head = " ".join(argument_text(a) for a in ["both" if both else kind, size, units, forget_bias, clip, proj, proj_clip, list(lengths), names]) + " " + marks
        lines.append(" | ".join([head, *slots, *(text(v) for v in values)]) + " => | " + " | ".join([*(text(v) for v in y), "grad", *(text(g) for g in grads)]))


for lengths in [(), (1, 3)]:
    case("basic_rnn", 2, 3, lengths=lengths)
    case("gru", 2, 3, lengths=lengths, initial=not lengths)
    case("basic_lstm", 2, 3, lengths=lengths)
    case("multi", 2, 3, lengths=lengths and (2, 0))
    case("basic_lstm", 2, 2, lengths=lengths, both=True)
case("basic_lstm", 2, 3, forget_bias=0.25, initial=False)
case("lstm", 2, 3, initial=False)
case("lstm", 2, 3, clip=0.375, scale=2)
case("lstm", 2, 3, forget_bias=0.5, clip=0.5, proj=2, proj_clip=0.125, lengths=(3, 2), scale=2)
with open("test/nn/tf_rnn_goldens.txt", "w") as f:
    f.write("\n".join(lines) + "\n")
