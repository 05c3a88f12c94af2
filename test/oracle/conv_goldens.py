"""Writes test/ops/conv_goldens.txt: convolutions, pools, padding and resizing with PyTorch.

Needs PyTorch. Run from the root: python test/oracle/conv_goldens.py

A line: op and arguments | inputs ... => outputs ... [| grad | d sum(y w) / d input ... | second | ...]; see test/oracle/index_goldens.py.
"""
import random

import torch
import torch.nn.functional as F

from goldens import argument_text, ramp, tensor_text

rng = random.Random(7)
lines = []


def one(a):
    return a[0] if len(a) == 1 else a


def two(a):
    return list(a) * 2 if len(a) == 1 else a


def n_d(name):
    return [getattr(F, f"{name}{k}d") for k in (1, 2, 3)]


def conv(k):
    return lambda a, x, w, b=None: n_d("conv")[k](x, w, b, one(a[0]), one(a[1]) if a[1] != ["same"] else "same", one(a[2]), a[3])


def transposed(k):
    return lambda a, x, w, b=None: n_d("conv_transpose")[k](x, w, b, one(a[0]), one(a[1]), one(a[2]), a[3], one(a[4]))


def max_pool(k):
    return lambda a, x: n_d("max_pool")[k](x, one(a[0]), one(a[1]), one(a[2]), one(a[3]), a[4], return_indices=True)


def avg_pool(k):
    if k == 0:
        return lambda a, x: F.avg_pool1d(x, one(a[0]), one(a[1]), one(a[2]), a[3], a[4])
    return lambda a, x: n_d("avg_pool")[k](x, one(a[0]), one(a[1]), one(a[2]), a[3], a[4], a[5] or None)


OPS = {}
for k in range(3):
    OPS[f"conv{k + 1}d"] = conv(k)
    OPS[f"conv_transpose{k + 1}d"] = transposed(k)
    OPS[f"max_pool{k + 1}d"] = max_pool(k)
    OPS[f"avg_pool{k + 1}d"] = avg_pool(k)
    OPS[f"adaptive_avg_pool{k + 1}d"] = (lambda f: lambda a, x: f(x, one(a[0])))(n_d("adaptive_avg_pool")[k])
    OPS[f"adaptive_max_pool{k + 1}d"] = (lambda f: lambda a, x: f(x, one(a[0]), return_indices=True))(n_d("adaptive_max_pool")[k])
OPS["pad"] = lambda a, x: F.pad(x, a[0], a[1], a[2] if a[1] == "constant" else None)
OPS["interpolate_size"] = lambda a, x: F.interpolate(x, size=a[1], mode=a[0], align_corners=None if a[2] < 0 else bool(a[2]))
OPS["interpolate_scale"] = lambda a, x: F.interpolate(x, scale_factor=a[1], mode=a[0], align_corners=None if a[2] < 0 else bool(a[2]))
OPS["interpolate_antialias"] = lambda a, x: F.interpolate(x, size=a[1], mode=a[0], align_corners=bool(a[2]), antialias=True)
for k in range(3):
    OPS[f"lp_pool{k + 1}d"] = (lambda f: lambda a, x: f(x, a[0], one(a[1]), one(a[2]), a[3]))(n_d("lp_pool")[k])
    OPS[f"max_unpool{k + 1}d"] = (lambda f: lambda a, x, i: f(x, i, one(a[0]), one(a[1]), one(a[2]), a[3] or None))(n_d("max_unpool")[k])
OPS["fractional_max_pool2d"] = lambda a, x, s: F.fractional_max_pool2d(x, one(a[0]), output_size=one(a[1]), return_indices=True, _random_samples=s.flip(-1))  # PyTorch: last axis first
OPS["fractional_max_pool3d"] = lambda a, x, s: F.fractional_max_pool3d(x, one(a[0]), output_size=one(a[1]), return_indices=True, _random_samples=s)
OPS["unfold"] = lambda a, x: F.unfold(x, *(two(a[k]) for k in (0, 3, 2, 1)))
OPS["fold"] = lambda a, x: F.fold(x, *(two(a[k]) for k in (0, 1, 4, 3, 2)))


def add(op, args, *inputs):
    line = " ".join([op] + [argument_text(a) for a in args]) + "".join(" | " + tensor_text(t) for t in inputs) + " =>"
    inputs = [t.clone().requires_grad_(t.dtype == torch.float64 and not op.startswith("fractional") or k == 0 and t.dtype == torch.float64) for k, t in enumerate(inputs)]
    try:
        if op == "fold" and inputs[0].dtype.itemsize == 2:
            raise NotImplementedError  # PyTorch rounds after every addition
        y = OPS[op](args, *inputs)
    except NotImplementedError:  # for float16 in PyTorch
        y = OPS[op](args, *[t.float() for t in inputs]).to(inputs[0].dtype)
    y = list(y) if isinstance(y, tuple) else [y]
    line += "".join(" | " + tensor_text(t) for t in y)
    wanted = [t for t in inputs if t.requires_grad]
    if wanted:
        w = ramp(y[0])
        first = torch.autograd.grad((y[0] * w).sum(), wanted, retain_graph=True)
        line += " | grad" + "".join(" | " + tensor_text(t) for t in first)
        try:
            g = torch.autograd.grad((y[0] * y[0] * w).sum(), wanted, create_graph=True)
            second = torch.autograd.grad(sum((t * ramp(t)).sum() for t in g), wanted)
            line += " | second" + "".join(" | " + tensor_text(t) for t in second)
        except RuntimeError as e:  # some of PyTorch's pools have one derivative only
            print(op, args, str(e)[:90])
    lines.append(line)


def real(*shape, dtype=torch.float64):
    n = torch.Size(shape).numel()
    return (torch.tensor(rng.sample(range(-2 * n, 2 * n), n), dtype=torch.float64) / (8 if dtype.is_floating_point else 1)).to(dtype).reshape(shape)


D = torch.float64
for d in (D, torch.float32, torch.float16, torch.bfloat16):
    r = lambda *s: (torch.tensor([rng.randint(-8, 8) for _ in range(torch.Size(s).numel())], dtype=D) / 8).to(d).reshape(s)
    add("conv1d", [[1], [0], [1], 1], r(2, 3, 6), r(4, 3, 3), r(4))
    add("conv1d", [[2], [2], [2], 3], r(3, 7), r(6, 1, 2))
    add("conv1d", [[1], ["same"], [3], 1], r(1, 2, 7), r(3, 2, 4), r(3))
    add("conv2d", [[1], [1], [1], 1], r(2, 3, 5, 4), r(4, 3, 3, 3), r(4))
    add("conv2d", [[2, 1], [1, 2], [1, 2], 2], r(2, 4, 6, 5), r(2, 2, 3, 2), r(2))
    add("conv2d", [[3], [0], [1], 1], r(1, 1, 9, 7), r(1, 1, 2, 2))
    add("conv2d", [[1], ["same"], [1, 2], 1], r(2, 4, 5), r(3, 2, 2, 3), r(3))
    add("conv2d", [[1], [0], [1], 1], r(2, 3, 2, 2), r(2, 3, 1, 1), r(2))
    add("conv3d", [[1, 2, 1], [1, 0, 1], [1, 1, 2], 1], r(1, 2, 3, 4, 5), r(2, 2, 2, 2, 2), r(2))
    add("conv3d", [[2], [1], [1], 2], r(2, 3, 3, 4), r(2, 1, 3, 3, 3))
    add("conv_transpose1d", [[2], [1], [1], 1, [1]], r(2, 3, 4), r(3, 2, 3), r(2))
    add("conv_transpose2d", [[2, 1], [1, 0], [1, 0], 1, [1, 2]], r(2, 2, 3, 2), r(2, 3, 3, 2), r(3))
    add("conv_transpose2d", [[2], [0], [1], 2, [1]], r(4, 2, 3), r(4, 2, 2, 2), r(4))
    add("conv_transpose2d", [[1], [1], [2], 1, [3]], r(1, 1, 3, 3), r(1, 2, 2, 2))
    add("conv_transpose3d", [[2, 1, 2], [1], [0], 1, [1]], r(1, 2, 2, 3, 2), r(2, 1, 3, 2, 2), r(1))
    v = lambda *s: real(*s, dtype=d) if torch.Size(s).numel() < 200 else r(*s)
    add("max_pool1d", [[2], [2], [0], [1], False], v(2, 2, 7))
    add("max_pool1d", [[3], [2], [1], [2], True], v(2, 8))
    add("max_pool2d", [[2], [2], [0], [1], False], v(2, 3, 4, 5))
    add("max_pool2d", [[3, 2], [2, 1], [1, 0], [1, 2], False], v(2, 2, 6, 5))
    add("max_pool2d", [[3], [2], [1], [1], True], v(2, 5, 6))
    add("max_pool3d", [[2], [2, 1, 2], [1, 0, 1], [1], True], v(1, 2, 3, 4, 3))
    add("avg_pool1d", [[3], [2], [1], True, True, 0], v(2, 2, 7))
    add("avg_pool2d", [[3, 2], [2], [1], True, True, 0], v(2, 2, 6, 5))
    add("avg_pool2d", [[3], [2, 1], [1], True, False, 0], v(1, 2, 6, 5))
    add("avg_pool2d", [[2], [3], [0], True, True, 0], v(2, 6, 5))
    add("avg_pool2d", [[2], [2], [1], False, True, 3], v(1, 1, 4, 4))
    add("avg_pool3d", [[2], [2], [1, 0, 1], True, False, 0], v(1, 2, 3, 5, 4))
    add("adaptive_avg_pool1d", [[3]], v(2, 2, 5))
    add("adaptive_avg_pool2d", [[3, 7]], v(1, 2, 5, 4))
    add("adaptive_avg_pool2d", [[1]], v(2, 3, 2, 3))
    add("adaptive_avg_pool3d", [[2, 1, 3]], v(2, 3, 2, 4))
    add("adaptive_max_pool1d", [[3]], v(2, 2, 5))
    add("adaptive_max_pool2d", [[3, 7]], v(1, 2, 5, 4))
    add("adaptive_max_pool3d", [[2, 1, 3]], v(1, 2, 3, 2, 4))
    add("pad", [[1, 2], "constant", 0.5], v(2, 3))
    add("pad", [[-1, 2, 1, -2], "constant", 0], v(2, 3, 4))
    add("pad", [[1, 2, 0, 1], "reflect", 0], v(1, 2, 3, 4))
    add("pad", [[2, -1, 3, 1], "replicate", 0], v(1, 2, 3, 4))
    add("pad", [[2, 1, 0, 3], "circular", 0], v(1, 2, 3, 4))
    if d.itemsize >= 4:
        add("interpolate_size", ["nearest", [5], -1], v(1, 2, 3))
        add("interpolate_size", ["nearest-exact", [5, 2], -1], v(1, 2, 3, 5))
        add("interpolate_size", ["linear", [7], 0], v(2, 1, 3))
        add("interpolate_size", ["bilinear", [5, 3], 0], v(1, 2, 3, 4))
        add("interpolate_size", ["bilinear", [5, 1], 1], v(2, 1, 3, 4))
        add("interpolate_size", ["trilinear", [3, 2, 5], 0], v(1, 1, 2, 3, 3))
        add("interpolate_size", ["trilinear", [3, 2, 5], 1], v(1, 1, 2, 3, 3))
        add("interpolate_size", ["bicubic", [7, 3], 0], v(1, 1, 4, 5))
        add("interpolate_size", ["bicubic", [7, 3], 1], v(1, 1, 4, 5))
        add("interpolate_size", ["area", [2, 3], -1], v(1, 2, 5, 4))
        add("interpolate_scale", ["nearest", [2.0, 1.5], -1], v(1, 1, 3, 5))
        add("interpolate_scale", ["bilinear", [1.6, 0.7], 0], v(1, 2, 3, 4))
        add("interpolate_scale", ["bicubic", [1.3, 2.0], 0], v(1, 1, 4, 4))
    add("unfold", [[2, 3], [1, 2], [1, 0], [1]], v(2, 2, 3, 5))
    add("fold", [[4, 5], [2, 3], [1], [1, 0], [2, 1]], v(1, 12, 12))
for d in (D, torch.float32):
    v = lambda *s: real(*s, dtype=d)
    for align in (0, 1) if d == D else ():  # PyTorch makes float32 weights in float32
        add("interpolate_antialias", ["bilinear", [3, 2], align], v(1, 2, 7, 5))
        add("interpolate_antialias", ["bicubic", [3, 2], align], v(1, 1, 8, 7))
        add("interpolate_antialias", ["bilinear", [5, 9], align], v(1, 1, 3, 12))
        add("interpolate_antialias", ["bicubic", [5, 9], align], v(1, 1, 3, 12))
    add("lp_pool1d", [2.0, [3], [2], False], v(2, 2, 7))
    add("lp_pool1d", [3.0, [2], [2], True], v(2, 7).abs())
    add("lp_pool2d", [2.0, [2, 3], [1, 2], False], v(1, 2, 4, 5))
    add("lp_pool2d", [1.0, [2], [2], True], v(1, 1, 3, 5).abs())
    add("lp_pool3d", [2.0, [2, 1, 2], [2], False], v(1, 2, 3, 3, 4))
    for axes, shape, kernel, stride, pad, size in [(1, (2, 2, 7), [2], [2], [0], []), (1, (2, 8), [3], [2], [1], [8]), (2, (1, 2, 5, 4), [2], [2], [0], [1, 2, 5, 4]),
                                                   (2, (2, 6, 6), [2, 3], [2, 3], [0], []), (3, (1, 1, 4, 2, 4), [2], [2], [0], [])]:
        y, i = n_d("max_pool")[axes - 1](v(*shape), one(kernel), one(stride), one(pad), return_indices=True)
        add(f"max_unpool{axes}d", [kernel, stride, pad, size[-axes:]], y, i)
    u = lambda *s: torch.rand(*s, generator=torch.Generator().manual_seed(5), dtype=torch.float64).mul(64).floor().div(64).to(d)
    add("fractional_max_pool2d", [[2], [3, 2]], v(2, 2, 6, 5), u(2, 2, 2))
    add("fractional_max_pool2d", [[2, 3], [1, 4]], v(1, 1, 4, 9), u(1, 1, 2))
    add("fractional_max_pool3d", [[2], [2, 3, 2]], v(1, 2, 4, 5, 4), u(1, 2, 3))
nan = float("nan")
add("max_pool2d", [[2], [2], [0], [1], False], torch.tensor([[[1.0, nan, 2, 3], [nan, 5, 4, -1]]]))
add("max_pool1d", [[2], [2], [0], [1], False], torch.tensor([[-float("inf"), -float("inf"), 3, 3]]))
add("adaptive_max_pool1d", [[2]], torch.tensor([[1.0, nan, 2, 3]]))
open("test/ops/conv_goldens.txt", "w").write("\n".join(lines) + "\n")
