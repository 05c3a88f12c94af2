"""Writes test/ops/sort_goldens.txt: sorting, order statistics, searching and counting with PyTorch.

Needs PyTorch. Run from the root: python test/oracle/sort_goldens.py

A line: op and numbers | input tensors ... => output tensors ...; a tensor is "dtype shape values". The outputs of ops that have a gradient end
with "grad" and the gradient of sum(values * (1, 2, ...)).
"""
import random

import torch

from goldens import tensor_text

rng = random.Random(8)
nan, inf = float("nan"), float("inf")
FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
INTS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
lines = []


def add(op, numbers, inputs, outputs, grad=None):
    line = " ".join([op] + [str(n) for n in numbers]) + "".join(" | " + tensor_text(t) for t in inputs)
    line += " =>" + "".join(" | " + tensor_text(t) for t in outputs)
    if grad is not None:
        line += " | grad | " + tensor_text(grad)
    lines.append(line)


def make(shape, dtype, special=True, distinct=False):
    n = torch.Size(shape).numel()
    if distinct:
        pool = [k / 8 for k in range(-n, n)]
        values = rng.sample(pool, n)
    elif dtype.is_floating_point:
        pool = [-2.5, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0] + ([nan, inf, -inf] if special else [])
        values = [rng.choice(pool) for _ in range(n)]
    elif dtype == torch.bool:
        values = [rng.random() < 0.5 for _ in range(n)]
    else:
        low = 0 if dtype == torch.uint8 else -3
        values = [rng.choice([low, 0, 1, 2, 5, 100]) for _ in range(n)]
    return torch.tensor(values, dtype=dtype).reshape(shape)


def with_grad(x, f):
    if x.dtype != torch.float64:
        return f(x), None
    x = x.clone().requires_grad_()
    out = f(x)
    values = out[0] if isinstance(out, tuple) else out
    (values * torch.arange(1.0, values.numel() + 1, dtype=torch.float64).reshape(values.shape)).sum().backward()
    detach = lambda t: t.detach()
    return (tuple(map(detach, out)) if isinstance(out, tuple) else out.detach()), x.grad


SHAPES = [(7,), (), (1,), (3, 5), (5, 3), (2, 3, 4), (4, 1, 3), (0, 3), (3, 0)]
for dtype in FLOATS + INTS + [torch.bool]:
    for shape in SHAPES:
        axis = rng.randint(-len(shape), len(shape) - 1) if shape else rng.choice([0, -1])
        n = shape[axis] if shape else 1
        x = make(shape, dtype)
        for descending in (0, 1):
            out, grad = with_grad(x, lambda x: tuple(torch.sort(x, dim=axis, descending=bool(descending), stable=True)))
            add("sort", [axis, descending], [x], out, grad)
        add("msort", [], [x], [torch.sort(x, dim=0, stable=True)[0]])
        if dtype == torch.bool:
            continue
        k = rng.randint(0 if shape else 1, n)
        for largest in (0, 1):
            y = make(shape, dtype, distinct=True) if dtype == torch.float64 else x
            out, grad = with_grad(y, lambda x: tuple(torch.topk(x, k, dim=axis, largest=bool(largest))))
            add("topk", [k, axis, largest], [y], out[:1], grad)
        if n > 0:
            y = make(shape, dtype, distinct=True) if dtype == torch.float64 else x
            keep, k = rng.randint(0, 1), rng.randint(1, n)
            out, grad = with_grad(y, lambda x: tuple(torch.kthvalue(x, k, dim=axis, keepdim=bool(keep))))
            add("kthvalue", [k, axis, keep], [y], out[:1], grad)
            out, grad = with_grad(y, lambda x: tuple(torch.median(x, dim=axis, keepdim=bool(keep))))
            add("median", [axis, keep], [y], out[:1], grad)
            add("nanmedian", [axis, keep], [x], tuple(torch.nanmedian(x, dim=axis, keepdim=bool(keep)))[:1])
            if dtype not in (torch.float16, torch.bfloat16):
                y = make(shape, dtype, special=False)
                add("mode", [axis, keep], [y], torch.mode(y, dim=axis, keepdim=bool(keep)))
        if x.numel():
            out, grad = with_grad(x, torch.median)
            add("median_all", [], [x], [out], grad)
            out, grad = with_grad(x, torch.nanmedian)
            add("nanmedian_all", [], [x], [out], grad)
for dtype in (torch.float32, torch.float64):
    for shape in [(7,), (), (3, 5), (2, 3, 4)]:
        for q in (0.0, 0.1, 0.25, 0.5, 0.9, 1.0):
            axis = rng.randint(-len(shape), len(shape) - 1) if shape else 0
            keep = rng.randint(0, 1)
            x = make(shape, dtype, distinct=True)
            out, grad = with_grad(x, lambda x: torch.quantile(x, q, dim=axis, keepdim=bool(keep)))
            add("quantile", [q, axis, keep], [x], [out], grad)
            out, grad = with_grad(x, lambda x: torch.quantile(x, q))
            add("quantile_all", [q], [x], [out], grad)
    x = torch.tensor([[1.0, nan, 2.0], [3.0, 1.0, 2.0]], dtype=dtype)
    add("quantile", [0.5, 1, 0], [x], [torch.quantile(x, 0.5, dim=1)])
for dtype in FLOATS + INTS:
    for shape, v_shape in [((6,), (5,)), ((6,), (2, 3)), ((6,), ()), ((2, 4), (2, 3)), ((2, 2, 4), (2, 2, 5)), ((0,), (3,)), ((4,), (0,))]:
        s, v = make(shape, dtype, special=False).sort(dim=-1)[0], make(v_shape, dtype)
        for right in (0, 1):
            add("searchsorted", [right], [s, v], [torch.searchsorted(s, v, right=bool(right))])
            if len(shape) == 1:
                add("bucketize", [right], [v, s], [torch.bucketize(v, s, right=bool(right))])
    for shape in [(9,), (), (3, 4), (0,), (0, 3)]:
        x = make(shape, dtype, special=dtype in FLOATS[:2])
        add("unique", [], [x], torch.unique(x, return_inverse=True, return_counts=True))
        add("unique_consecutive", [], [x], torch.unique_consecutive(x, return_inverse=True, return_counts=True))
    for shape, axis in [((6, 1), 0), ((6, 2), 0), ((2, 7), 1), ((1, 5, 2), -2)]:
        x = make(shape, dtype, special=False)
        x = torch.where(x == 0, torch.zeros_like(x), x)
        if dtype not in (torch.float16, torch.bfloat16):
            add("unique", [axis], [x], torch.unique(x, dim=axis, return_inverse=True, return_counts=True))
            add("unique_consecutive", [axis], [x], torch.unique_consecutive(x, dim=axis, return_inverse=True, return_counts=True))
    for a, b in [((3, 4), (5,)), ((), (2,)), ((40,), (2,)), ((3,), (0,)), ((0,), (3,))]:
        x, t = make(a, dtype), make(b, dtype)
        for invert in (0, 1):
            add("isin", [invert], [x, t], [torch.isin(x, t, invert=bool(invert))])
for dtype in INTS:
    for n in (0, 1, 8):
        x = make((n,), dtype).abs()
        add("bincount", [0], [x], [torch.bincount(x)])
        add("bincount", [9], [x], [torch.bincount(x, minlength=9)])
        for w_dtype in (torch.float32, torch.float64, torch.int32) if n else ():  # an empty tensor makes PyTorch forget the weights
            w = make((n,), w_dtype, special=False)
            add("bincount", [3], [x, w], [torch.bincount(x, w, minlength=3)])
for dtype in (torch.float32, torch.float64):
    for bins, low, high in [(4, 0, 0), (10, 0, 1), (3, -2, 2), (1, -1, 1), (7, 0.5, 0.5)]:
        x = make((5, 8), dtype, special=False)
        add("histc", [bins, low, high], [x], [torch.histc(x, bins, low, high)])
    x = torch.tensor([0.3, 0.6, 0.1, 0.2, 0.7, 0.9, 1.0, nan, inf, -1], dtype=dtype)
    add("histc", [10, 0, 1], [x], [torch.histc(x, 10, 0, 1)])
    add("histc", [3, 0, 0], [x[:0]], [torch.histc(x[:0], 3)])
    add("histc", [3, 0, 0], [x[:1]], [torch.histc(x[:1], 3)])
for dtype in (torch.float32, torch.float64):
    for how in ["linear", "lower", "higher", "midpoint", "nearest"]:
        for q in [0.0, 0.3, 0.5, 0.625, 1.0]:
            x = make((3, 5), dtype, distinct=True)
            out, grad = with_grad(x, lambda x: torch.quantile(x, q, dim=1, interpolation=how))
            add("quantile_how", [q, 1, how], [x], [out], grad)
            x = torch.where(torch.arange(15).reshape(3, 5) % 4 == 0, nan, x)
            add("nanquantile", [q, 1, how], [x], [torch.nanquantile(x, q, dim=1, interpolation=how)])
            add("nanquantile", [q, 0, how], [x], [torch.nanquantile(x, q, dim=0, interpolation=how)])
    x = torch.tensor([[nan, nan], [inf, 1.0], [-inf, inf]], dtype=dtype)
    add("nanquantile", [0.5, 1, "lower"], [x], [torch.nanquantile(x, 0.5, dim=1, interpolation="lower")])
    x = make((4, 3), dtype, special=False)
    add("aminmax", [1], [x], list(torch.aminmax(x, dim=1)))
    for p, axis, most in [(2.0, 0, 0.75), (1.0, 1, 2.0), (3.0, -1, 100.0)]:
        x = make((3, 4), dtype, distinct=True)
        out, grad = with_grad(x, lambda x: torch.renorm(x, p, axis, most))
        add("renorm", [p, axis, most], [x], [out], grad)
open("test/ops/sort_goldens.txt", "w").write("\n".join(lines) + "\n")
