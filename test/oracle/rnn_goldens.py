"""Writes test/ops/rnn_goldens.txt (recurrent layers as ops) and test/nn/rnn_goldens.txt (modules) with PyTorch.

Run from the root: python test/oracle/rnn_goldens.py
Format: goldens.py. Inputs: x, h, [c,] weight_ih, weight_hh, bias_ih, bias_hh [, weight_hr, peephole_i, peephole_f, peephole_o]; an empty tensor stands
for one left out. Every row of a batch is computed on its own: PyTorch's layer runs over its steps, the other way round for reverse. What PyTorch's
layer does not know (peepholes, limits, another order of gates) is written out.

Modules: sizes, options, lengths, the form of x, names of the state; inputs are x, the initial states and the state's tensors. "start" lines hold what a module begins
with after torch.manual_seed.
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



# ---- modules --------------------------------------------------------------------------------------------------------------------

KINDS = {"RNN": torch.nn.RNN, "GRU": torch.nn.GRU, "LSTM": torch.nn.LSTM, "RNNCell": torch.nn.RNNCell, "GRUCell": torch.nn.GRUCell, "LSTMCell": torch.nn.LSTMCell}


def module(kind, a):
    size, hidden, layers, relu, bias, batch_first, bidirectional, proj = a[:8]
    options = {"bias": bool(bias), "dtype": torch.float64}
    if kind.startswith("RNN"):
        options["nonlinearity"] = "relu" if relu else "tanh"
    if not kind.endswith("Cell"):
        options |= {"num_layers": layers, "batch_first": bool(batch_first), "bidirectional": bool(bidirectional)}
    if proj:
        options["proj_size"] = proj
    return KINDS[kind](size, hidden, **options)


def run_module(kind):
    def run(a, x, h, c, *state):
        m, lengths, form, names = module(kind, a), a[8], a[9], a[10]
        weights = dict(zip(names, state))
        assert list(weights) == list(m.state_dict())
        initial = None if not h.numel() else (h, c) if c.numel() else h
        call = lambda x: torch.func.functional_call(m, weights, (x, initial))
        if kind.endswith("Cell"):
            return call(x)
        if form == "packed" or lengths:
            first = bool(a[5])
            packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=first, enforce_sorted=False)
            y, last = call(packed)
            y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=first, total_length=x.shape[1 if first else 0])
        else:
            y, last = call(x)
        return (y, *last) if isinstance(last, tuple) else (y, last)

    return run


def module_case(m, kind, a, x_shape, lengths=(), form="padded", initial=True):
    net = module(kind, a)
    state = [t(*p.shape) for p in net.state_dict().values()]
    layers, both = (a[2], 2 if a[6] else 1) if not kind.endswith("Cell") else (1, 1)
    rows = [] if len(x_shape) == (1 if kind.endswith("Cell") else 2) else [x_shape[0] if kind.endswith("Cell") or a[5] else x_shape[1]]
    lead = rows if kind.endswith("Cell") else [layers * both] + rows
    h = t(*lead, a[7] or a[1]) if initial else NONE
    c = t(*lead, a[1]) if initial and kind.startswith("LSTM") else NONE
    m.case(kind, [*a, list(lengths), form, list(net.state_dict())], t(*x_shape), h, c, *state, second=False)


def start(a, _):
    kind, seed, *rest = a
    torch.manual_seed(seed)
    return [p.detach() for p in module(kind, rest).state_dict().values()]


def modules():
    m = Goldens({**{k: run_module(k) for k in KINDS}, "start": start})
    for kind in ["RNN", "GRU", "LSTM"]:
        relu = int(kind == "RNN")
        module_case(m, kind, [2, 3, 1, 0, 1, 0, 0, 0], (3, 2, 2))
        module_case(m, kind, [2, 3, 2, relu, 1, 1, 1, 0], (2, 3, 2))
        module_case(m, kind, [2, 2, 2, 0, 0, 0, 1, 0], (4, 3, 2), lengths=[2, 4, 1])
        module_case(m, kind, [2, 2, 1, 0, 1, 1, 1, 0], (3, 4, 2), lengths=[2, 4, 4], form="packed", initial=False)
        module_case(m, kind, [2, 3, 2, 0, 1, 1, 0, 0], (3, 2))
    module_case(m, "LSTM", [2, 3, 2, 0, 1, 0, 1, 2], (3, 2, 2))
    module_case(m, "LSTM", [2, 3, 1, 0, 1, 0, 0, 2], (3, 2, 2), lengths=[1, 3], initial=False)
    for kind in ["RNNCell", "GRUCell", "LSTMCell"]:
        module_case(m, kind, [2, 3, 1, int(kind == "RNNCell"), 1, 0, 0, 0], (2, 2))
        module_case(m, kind, [2, 3, 1, 0, 0, 0, 0, 0], (2,), initial=False)
        m.case("start", [kind, 5, 2, 3, 1, 0, 1, 0, 0, 0], NONE)
    for kind in ["RNN", "GRU", "LSTM"]:
        m.case("start", [kind, 7, 2, 3, 2, 0, 1, 0, 1, 2 if kind == "LSTM" else 0], NONE)
    m.write("test/nn/rnn_goldens.txt")


simple_cases("rnn_layer", 1, 0)
simple_cases("rnn_layer", 1, 1)
simple_cases("gru_layer", 3)
lstm_cases()
g.write("test/ops/rnn_goldens.txt")
modules()
