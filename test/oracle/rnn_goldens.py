"""Writes test/ops/rnn_goldens.txt (recurrent layers as ops) with PyTorch.

Run from the root: python test/oracle/rnn_goldens.py
Format: goldens.py. Inputs: x, h, [c,] weight_ih, weight_hh, bias_ih, bias_hh [, weight_hr, peephole_i, peephole_f, peephole_o]; an empty tensor stands
for one left out. Every row of a batch is computed on its own: PyTorch's layer runs over its steps, the other way round for reverse. What PyTorch's
layer does not know (peepholes, limits, another order of gates) is written out.
"""
import torch

from goldens import Goldens

gen = torch.Generator().manual_seed(23)
NONE = torch.empty(0, dtype=torch.float64)


def t(*shape, scale=0.7):
    return ((torch.randn(shape, generator=gen, dtype=torch.float64) * scale * 64).round() / 64)


def present(*tensors):
    return [x for x in tensors if x.numel()]


def by_row(x, batch_sizes, rows, reverse, states, run):
    """run([steps, features], states of the row) -> outputs [steps, out], final states; for every row on its own."""
    packed = bool(batch_sizes)
    sizes = batch_sizes or [x.shape[1]] * x.shape[0]
    flat = x if packed else x.reshape(-1, x.shape[-1])
    first = [sum(sizes[:k]) for k in range(len(sizes))]
    outputs, finals = {}, []
    for r in range(rows):
        steps = [f + r for f, n in zip(first, sizes) if r < n]
        order = steps[::-1] if reverse else steps
        own = [s[r : r + 1] for s in states]
        if order:
            y, own = run(flat[order], own)
            outputs.update({at: y[k] for k, at in enumerate(order)})
        finals.append(own)
    y = torch.stack([outputs[k] for k in range(len(outputs))])
    y = y if packed else y.reshape(*x.shape[:2], -1)
    return (y, *(torch.cat([f[k] for f in finals]) for k in range(len(states))))


def rnn(a, x, h, ih, hh, bi, bh):
    f, reverse, sizes = a
    vf = torch._VF.rnn_relu if f else torch._VF.rnn_tanh
    return simple(vf, reverse, sizes, x, h, ih, hh, bi, bh)


def gru(a, x, h, ih, hh, bi, bh):
    reverse, sizes = a
    return simple(torch._VF.gru, reverse, sizes, x, h, ih, hh, bi, bh)


def simple(vf, reverse, sizes, x, h, ih, hh, bi, bh):
    zero = torch.zeros(hh.shape[0], dtype=x.dtype)
    weights = [ih, hh, bi if bi.numel() else zero, bh if bh.numel() else zero]
    rows = h.shape[0] if h.numel() else (sizes[0] if sizes else x.shape[1])
    h = h if h.numel() else torch.zeros(rows, hh.shape[1], dtype=x.dtype)

    def run(steps, own):
        y, last = vf(steps.unsqueeze(1), own[0].unsqueeze(0), weights, True, 1, 0.0, False, False, False)
        return y[:, 0], [last[0]]

    return by_row(x, sizes, rows, reverse, [h], run)


def lstm(a, x, h, c, ih, hh, bi, bh, hr, pi, pf, po):
    reverse, sizes, order, forget_bias, cell_clip, proj_clip = a
    units = hh.shape[0] // 4
    zero = torch.zeros(4 * units, dtype=x.dtype)
    rows = h.shape[0] if h.numel() else (sizes[0] if sizes else x.shape[1])
    h = h if h.numel() else torch.zeros(rows, hh.shape[1], dtype=x.dtype)
    c = c if c.numel() else torch.zeros(rows, units, dtype=x.dtype)
    bi, bh = (bi if bi.numel() else zero), (bh if bh.numel() else zero)

    def torch_layer(steps, own):
        y, hn, cn = torch._VF.lstm(steps.unsqueeze(1), (own[0].unsqueeze(0), own[1].unsqueeze(0)), [ih, hh, bi, bh] + present(hr), True, 1, 0.0, False, False, False)
        return y[:, 0], [hn[0], cn[0]]

    def written_out(steps, own):
        h, c = own
        ys = []
        for s in steps:
            z = (s @ ih.T + bi + h[0] @ hh.T + bh).reshape(4, units)
            i, f, g, o = (z[0], z[2], z[1], z[3]) if order else (z[0], z[1], z[2], z[3])
            f = f + forget_bias
            if pi.numel():
                i, f = i + pi * c[0], f + pf * c[0]
            c = torch.clamp(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g), -cell_clip, cell_clip)
            if po.numel():
                o = o + po * c[0]
            h = torch.sigmoid(o) * torch.tanh(c)
            if hr.numel():
                h = torch.clamp(h @ hr.T, -proj_clip, proj_clip)
            ys.append(h[0])
        return torch.stack(ys), [h, c]

    plain = not (order or forget_bias or cell_clip < 9 or proj_clip < 9 or pi.numel())
    return by_row(x, sizes, rows, reverse, [h, c], torch_layer if plain else written_out)


g = Goldens({"rnn_layer": rnn, "gru_layer": gru, "lstm_layer": lstm})
PACKED = [3, 3, 2, 1]


def simple_cases(op, gates, *lead):
    u, n, features = 3, 3, 2
    ih, hh, bi, bh = t(gates * u, features), t(gates * u, u), t(gates * u), t(gates * u)
    for reverse in [0, 1]:
        g.case(op, [*lead, reverse, []], t(3, n, features), t(n, u), ih, hh, bi, bh)
        g.case(op, [*lead, reverse, PACKED], t(9, features), t(n, u), ih, hh, bi, bh)
    g.case(op, [*lead, 1, PACKED], t(9, features), t(5, u), ih, hh, bi, NONE)  # rows 3 and 4 have no step
    g.case(op, [*lead, 0, PACKED], t(9, features), NONE, ih, hh, NONE, NONE)
    g.case(op, [*lead, 0, []], t(2, 1, features), NONE, ih, hh, NONE, bh)
    for dtype in [torch.float32, torch.float16, torch.bfloat16]:
        g.case(op, [*lead, 0, []], *(x.to(dtype) for x in (t(3, n, features), t(n, u), ih, hh, bi, bh)))


def lstm_cases():
    u, n, features, p = 3, 3, 2, 2
    big = 10.0
    ih, hh, bi, bh, hr = t(4 * u, features), t(4 * u, u), t(4 * u), t(4 * u), t(p, u)
    hhp, peep = t(4 * u, p), [t(u), t(u), t(u)]
    none = [NONE] * 3
    for reverse in [0, 1]:
        g.case("lstm_layer", [reverse, [], 0, 0, big, big], t(3, n, features), t(n, u), t(n, u), ih, hh, bi, bh, NONE, *none)
        g.case("lstm_layer", [reverse, PACKED, 0, 0, big, big], t(9, features), t(n, u), t(n, u), ih, hh, bi, bh, NONE, *none)
        g.case("lstm_layer", [reverse, PACKED, 0, 0, big, big], t(9, features), t(n, p), t(n, u), ih, hhp, bi, bh, hr, *none)
    g.case("lstm_layer", [1, PACKED, 0, 0, big, big], t(9, features), t(5, u), NONE, ih, hh, NONE, bh, NONE, *none)
    g.case("lstm_layer", [0, [], 0, 0, big, big], t(2, 1, features), NONE, NONE, ih, hh, NONE, NONE, NONE, *none)
    g.case("lstm_layer", [0, [], 1, 1, big, big], t(3, n, features), t(n, u), t(n, u), ih, hh, bi, NONE, NONE, *none)
    g.case("lstm_layer", [0, [], 1, 1.5, big, big], t(3, n, features), t(n, u), t(n, u), ih, hh, NONE, NONE, NONE, *peep)
    g.case("lstm_layer", [0, [], 0, 0, 0.375, big], t(3, n, features, scale=2), t(n, u), t(n, u), ih, hh, bi, bh, NONE, *peep)
    g.case("lstm_layer", [1, PACKED, 1, 1, 0.5, 0.125], t(9, features, scale=2), t(n, p), t(n, u), ih, hhp, bi, NONE, hr, *peep)
    for dtype in [torch.float32, torch.float16, torch.bfloat16]:
        inputs = (t(3, n, features), t(n, p), t(n, u), ih, hhp, bi, bh, hr, *peep)
        g.case("lstm_layer", [0, [], 1, 1, big, big], *(x.to(dtype) for x in inputs))


simple_cases("rnn_layer", 1, 0)
simple_cases("rnn_layer", 1, 1)
simple_cases("gru_layer", 3)
lstm_cases()
g.write("test/ops/rnn_goldens.txt")
