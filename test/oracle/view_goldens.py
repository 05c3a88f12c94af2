"""Writes test/ops/view_goldens.txt: views and functions that only rearrange, with PyTorch.

Needs PyTorch. Run from the root: python test/oracle/view_goldens.py

The format is that of test/oracle/goldens.py. "-" stands for a missing bound of a slice; a shape is a list.
"""
import torch

from goldens import Goldens

T = torch
D = torch.float64
bound = lambda v: None if v == "-" else v


def part(a, x):
    at = [slice(None)] * x.dim()
    at[a[0]] = slice(*map(bound, a[1:]))
    return x[tuple(at)]


OPS = {
    "view": lambda a, x: x.view(a[0]),
    "reshape": lambda a, x: x.reshape(a[0]),
    "flatten": lambda a, x: T.flatten(x, *a),
    "unflatten": lambda a, x: T.unflatten(x, a[0], a[1]),
    "expand": lambda a, x: x.expand(a[0]),
    "broadcast_to": lambda a, x: T.broadcast_to(x, a[0]),
    "broadcast_tensors": lambda a, *x: T.broadcast_tensors(*x),
    "transpose": lambda a, x: T.transpose(x, *a),
    "swapaxes": lambda a, x: T.swapaxes(x, *a),
    "permute": lambda a, x: T.permute(x, a[0]),
    "movedim": lambda a, x: T.movedim(x, a[0], a[1]),
    "squeeze": lambda a, x: T.squeeze(x, tuple(a[0])) if a else T.squeeze(x),
    "unsqueeze": lambda a, x: T.unsqueeze(x, a[0]),
    "select": lambda a, x: T.select(x, *a),
    "narrow": lambda a, x: T.narrow(x, *a),
    "slice": part,
    "diagonal": lambda a, x: T.diagonal(x, *a),
    "unfold": lambda a, x: x.unfold(*a),
    "as_strided": lambda a, x: T.as_strided(x, a[0], a[1], a[2]),
}
g = Goldens(OPS)


def r(*shape, dtype=D):
    n = torch.Size(shape).numel()
    return ((T.arange(n, dtype=D) * 7 % 11 - 4) / 4).to(dtype).reshape(shape)


for dtype in (D, torch.bfloat16, torch.int32, torch.bool):
    x = lambda *shape: r(*shape, dtype=dtype)
    case = lambda op, a, *inputs: g.case(op, a, *inputs, direct=True)
    case("view", [[3, -1]], x(2, 6))
    case("reshape", [[-1]], x(2, 3))
    case("reshape", [[2, 0, 3]], x(0, 6))
    case("flatten", [0, -1], x(2, 3, 2))
    case("flatten", [1, 2], x(2, 3, 2))
    case("flatten", [0, -1], x())
    case("unflatten", [1, [2, -1]], x(2, 6))
    case("expand", [[2, -1, 3]], x(2, 1))
    case("broadcast_to", [[2, 3]], x(3))
    case("broadcast_tensors", [], x(2, 1), x(3), x())
    case("transpose", [0, -1], x(2, 3, 2))
    case("swapaxes", [1, 0], x(2, 3))
    case("permute", [[2, 0, 1]], x(2, 3, 2))
    case("movedim", [[0, -1], [1, 0]], x(2, 3, 2))
    case("squeeze", [], x(1, 3, 1))
    case("squeeze", [[0, 1]], x(1, 3, 1))
    case("unsqueeze", [-1], x(2, 3))
    case("select", [1, -2], x(2, 3))
    case("narrow", [1, 1, 2], x(2, 4))
    case("slice", [1, 1, "-", 2], x(2, 5))
    case("slice", [0, -3, 9, 1], x(5))
    case("slice", [0, 3, 1, 1], x(5))
    case("diagonal", [0, 0, 1], x(3, 4))
    case("diagonal", [-1, 0, 2], x(3, 2, 4))
    case("unfold", [0, 3, 2], x(7))
    case("unfold", [-1, 2, 1], x(2, 4))
g.case("as_strided", [[2, 2], [1, 2], 1], r(6))  # elements shared by several places
g.write("test/ops/view_goldens.txt")
