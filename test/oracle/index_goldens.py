"""Writes test/ops/index_goldens.txt: the ops of rill/ops/index.h and rill/ops/shape.h with PyTorch.

Needs PyTorch. Run from the root: python test/oracle/index_goldens.py

The format is that of test/oracle/goldens.py.
"""
import random

import torch

from goldens import Goldens

rng = random.Random(4)
T = torch
REDUCE = ["sum", "prod", "mean", "amax", "amin"]


def vander(a, x):
    if x.dtype != torch.float64 or a[0] == 0:
        return T.vander(x, a[0], bool(a[1]))
    powers = T.stack([x**k for k in range(a[0])], -1)  # PyTorch's own cannot be differentiated
    return powers if a[1] else powers.flip(-1)


OPS = {
    "gather": lambda a, x, i: T.gather(x, a[0], i),
    "scatter": lambda a, x, i, s: T.scatter(x, a[0], i, s),
    "scatter_value": lambda a, x, i: T.scatter(x, a[0], i, a[1]),
    "scatter_add": lambda a, x, i, s: T.scatter_add(x, a[0], i, s),
    "scatter_reduce": lambda a, x, i, s: T.scatter_reduce(x, a[0], i, s, REDUCE[a[1]], include_self=bool(a[2])),
    "index_select": lambda a, x, i: T.index_select(x, a[0], i),
    "index_add": lambda a, x, i, s: T.index_add(x, a[0], i, s, alpha=a[1]),
    "index_copy": lambda a, x, i, s: T.index_copy(x, a[0], i, s),
    "index_fill": lambda a, x, i: T.index_fill(x, a[0], i, a[1]),
    "take": lambda a, x, i: T.take(x, i),
    "take_along_dim": lambda a, x, i: T.take_along_dim(x, i, a[0]),
    "masked_fill": lambda a, x, m: T.masked_fill(x, m, a[0]),
    "masked_select": lambda a, x, m: T.masked_select(x, m),
    "masked_scatter": lambda a, x, m, s: T.masked_scatter(x, m, s),
    "nonzero": lambda a, x: T.nonzero(x),
    "where": lambda a, x: T.where(x),
    "one_hot": lambda a, x: T.nn.functional.one_hot(x, a[0]),
    "cat": lambda a, *x: T.cat(x, a[0]),
    "stack": lambda a, *x: T.stack(x, a[0]),
    "hstack": lambda a, *x: T.hstack(x),
    "vstack": lambda a, *x: T.vstack(x),
    "dstack": lambda a, *x: T.dstack(x),
    "split": lambda a, x: T.split(x, a[0], a[1]),
    "split_with_sizes": lambda a, x: T.split(x, a[0], a[1]),
    "chunk": lambda a, x: T.chunk(x, a[0], a[1]),
    "tensor_split": lambda a, x: T.tensor_split(x, a[0], a[1]),
    "unbind": lambda a, x: T.unbind(x, a[0]),
    "repeat": lambda a, x: x.repeat(a[0]),
    "tile": lambda a, x: T.tile(x, a[0]),
    "repeat_interleave_flat": lambda a, x: T.repeat_interleave(x, a[0]),
    "repeat_interleave": lambda a, x: T.repeat_interleave(x, a[0], a[1]),
    "repeat_interleave_tensor": lambda a, x, r: T.repeat_interleave(x, r, a[0]),
    "flip": lambda a, x: T.flip(x, a[0]),
    "roll_flat": lambda a, x: T.roll(x, a[0]),
    "roll": lambda a, x: T.roll(x, a[0], a[1]),
    "rot90": lambda a, x: T.rot90(x, a[0], (a[1], a[2])),
    "tril": lambda a, x: T.tril(x, a[0]),
    "triu": lambda a, x: T.triu(x, a[0]),
    "diag": lambda a, x: T.diag(x, a[0]),
    "diag_embed": lambda a, x: T.diag_embed(x, a[0]),
    "meshgrid": lambda a, *x: T.meshgrid(*x, indexing="ij"),
    "atleast_2d": lambda a, *x: T.atleast_2d(x),
    "block_diag": lambda a, *x: T.block_diag(*x),
    "pixel_shuffle": lambda a, x: T.pixel_shuffle(x, a[0]),
    "pixel_unshuffle": lambda a, x: T.pixel_unshuffle(x, a[0]),
    "channel_shuffle": lambda a, x: T.channel_shuffle(x, a[0]),
    "column_stack": lambda a, *x: T.column_stack(x),
    "tensor_split_at": lambda a, x: T.tensor_split(x, a[0], a[1]),
    "meshgrid_xy": lambda a, *x: T.meshgrid(*x, indexing="xy"),
    "cartesian_prod": lambda a, *x: T.cartesian_prod(*x),
    "combinations": lambda a, x: T.combinations(x, a[0], bool(a[1])),
    "atleast_1d": lambda a, *x: T.atleast_1d(x),
    "atleast_3d": lambda a, *x: T.atleast_3d(x),
    "vander": vander,
    "tril_indices": lambda a: T.tril_indices(*a),
    "triu_indices": lambda a: T.triu_indices(*a),
}


goldens = Goldens(OPS)


def add(op, arguments, *inputs):
    goldens.case(op, arguments, *inputs, direct=True)


def real(*shape, dtype=torch.float64):
    n = torch.Size(shape).numel()
    if dtype == torch.bool:
        return torch.tensor([rng.random() < 0.5 for _ in range(n)], dtype=dtype).reshape(shape)
    low = 1 if dtype == torch.uint8 else -n
    pool = [k for k in range(low, max(n, 1) + abs(low) + 1) if k != 0]
    values = rng.sample(pool, n)
    return (torch.tensor(values, dtype=torch.float64) / (4 if dtype.is_floating_point else 1)).to(dtype).reshape(shape)


def index(n, *shape, low=0, dtype=torch.int64):
    return torch.tensor([rng.randint(low, n - 1) for _ in range(torch.Size(shape).numel())], dtype=dtype).reshape(shape)


def distinct_along(n, axis, *shape):
    moved = [s for k, s in enumerate(shape) if k != axis % len(shape)]
    rows = [rng.sample(range(n), shape[axis]) for _ in range(torch.Size(moved).numel())]
    return torch.tensor(rows).reshape(moved + [shape[axis]]).movedim(-1, axis)


OTHERS = [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool]
for d in [torch.float64, torch.float64] + OTHERS:
    r = lambda *shape: real(*shape, dtype=d)
    value = {torch.bool: True}.get(d, 7)
    add("gather", [1], r(2, 4), index(4, 2, 3))
    add("gather", [0], r(3, 4, 2), index(3, 5, 2, 2))
    add("gather", [0], r(), index(1))
    add("gather", [-1], r(2, 3), index(3, 2, 0))
    add("scatter", [1], r(2, 4), distinct_along(4, 1, 2, 3), r(2, 3))
    bigger = 0 if d == torch.float64 else 1  # PyTorch cannot differentiate a source larger than the index
    add("scatter", [0], r(4, 3), distinct_along(4, 0, 2, 2), r(2 + bigger, 2 + bigger))
    if d != torch.bool:
        add("scatter_value", [1, value], r(2, 4), index(4, 2, 3))
        add("scatter_add", [1], r(2, 4), index(4, 2, 3), r(2, 3))
        add("scatter_add", [0], r(2, 3), index(2, 4, 2), r(4 + bigger, 2 + bigger))
        add("index_add", [0, 1], r(3, 2), index(3, 4), r(4, 2))
        add("index_add", [-1, 2], r(3, 2), index(2, 2), r(3, 2))
        add("index_fill", [1, value], r(2, 3), index(3, 2))
        add("masked_fill", [value], r(2, 3), real(3, dtype=torch.bool))
    for reduce in range(5):
        for include in (0, 1):
            if d not in (torch.bool, torch.uint8, torch.float16, torch.bfloat16):
                # PyTorch lets an equal value of x share the gradient of amax and amin although it is left out
                apart = 0 if include or not d.is_floating_point else 0.125
                add("scatter_reduce", [1, reduce, include], r(2, 4) + apart, index(4, 2, 5), r(2, 5 + bigger))
                add("scatter_reduce", [0, reduce, include], r(3) + apart, index(3, 7), r(7))
    add("index_select", [1], r(2, 3, 2), index(3, 4))
    add("index_select", [0], r(3), index(3))
    add("index_copy", [0], r(4, 2), distinct_along(4, 0, 3), r(3, 2))
    add("take", [], r(2, 3), index(6, 2, 2, low=-6))
    add("take_along_dim", [1], r(2, 3), index(3, 1, 4, low=-3))
    add("masked_select", [], r(3, 2), real(2, dtype=torch.bool))
    add("masked_select", [], r(2, 3), real(2, 3, dtype=torch.bool))
    add("masked_scatter", [], r(2, 3), real(2, 3, dtype=torch.bool), r(7))
    add("cat", [0], r(2, 3), r(1, 3), r(0), r(3, 3))
    add("cat", [-1], r(2, 3), r(2, 0), r(2, 1))
    add("stack", [1], r(2, 3), r(2, 3))
    add("stack", [-1], r(), r())
    add("hstack", [], r(2), r(), r(1))
    add("hstack", [], r(2, 3), r(2, 1))
    add("vstack", [], r(3), r(2, 3))
    add("dstack", [], r(3), r(1, 3))
    add("dstack", [], r(2, 3), r(2, 3, 2))
    add("split", [2, 0], r(5, 2))
    add("split", [3, -1], r(2, 3))
    add("split_with_sizes", [[1, 0, 3], 1], r(2, 4))
    add("chunk", [4, 0], r(6, 2))
    add("chunk", [2, 1], r(2, 5))
    add("tensor_split", [4, 0], r(6, 2))
    add("tensor_split", [3, 1], r(2, 2))
    add("unbind", [1], r(2, 3, 2))
    add("repeat", [[2, 1, 3]], r(2, 2))
    add("repeat", [[3]], r())
    add("repeat", [[0, 2]], r(2))
    add("tile", [[2]], r(2, 2))
    add("tile", [[2, 2, 1]], r(3))
    add("repeat_interleave_flat", [2], r(2, 2))
    add("repeat_interleave", [3, 1], r(2, 2))
    add("repeat_interleave", [0, 0], r(2, 2))
    add("repeat_interleave_tensor", [0], r(3, 2), torch.tensor([2, 0, 3]))
    add("repeat_interleave_tensor", [1], r(2, 3), torch.tensor([2], dtype=torch.int32))
    add("flip", [[0, -1]], r(2, 3, 2))
    add("flip", [[1]], r(2, 4))
    add("flip", [[0]], r(0, 4))
    add("roll_flat", [2], r(2, 3))
    add("roll", [[1, -4], [0, 1]], r(2, 3))
    add("roll", [[1, 1], [0, 0]], r(5))
    for times in range(-1, 4):
        add("rot90", [times, 0, 1], r(2, 3))
    add("rot90", [1, 2, 0], r(2, 3, 2))
    for k in (-1, 0, 2):
        add("tril", [k], r(3, 4))
        add("triu", [k], r(2, 3, 2))
        add("diag", [k], r(3, 4))
        add("diag", [k], r(2))
        add("diag_embed", [k], r(2, 3))
    add("meshgrid", [], r(2), r(3), r())
    add("atleast_2d", [], r(2), r(), r(2, 1))
    add("block_diag", [], r(2, 3), r(2), r(), r(1, 1))
    add("pixel_shuffle", [2], r(1, 8, 2, 3))
    add("pixel_shuffle", [3], r(9, 1, 1))
    add("pixel_unshuffle", [2], r(2, 2, 4, 2))
    add("channel_shuffle", [3], r(1, 6, 2))
    add("nonzero", [], r(2, 3) * real(2, 3, dtype=torch.bool).to(d))
    add("where", [], r(3, 2) * real(3, 2, dtype=torch.bool).to(d))
add("nonzero", [], torch.tensor(3.0))
add("nonzero", [], torch.tensor(0.0))
add("one_hot", [-1], index(4, 2, 3))
add("one_hot", [6], index(4, 5))
for d in [torch.float64] + OTHERS:
    r = lambda *shape: real(*shape, dtype=d)
    add("column_stack", [], r(3), r(3, 2), r(3))
    add("column_stack", [], r(), r(1))
    add("tensor_split_at", [[1, 1, 4], 0], r(5, 2))
    add("tensor_split_at", [[-2, 9, 3], 1], r(2, 5))
    add("meshgrid_xy", [], r(2), r(3), r(2))
    add("meshgrid_xy", [], r(2))
    add("cartesian_prod", [], r(2), r(3), r(2))
    add("cartesian_prod", [], r(2))
    for n, again in [(0, 0), (1, 0), (2, 0), (3, 0), (5, 0), (2, 1), (3, 1)]:
        add("combinations", [n, again], r(4))
    add("atleast_1d", [], r(), r(2))
    add("atleast_3d", [], r(), r(2), r(2, 3), r(1, 2, 1))
    if d not in (torch.float16, torch.bfloat16, torch.uint8, torch.bool):
        for n, increasing in [(3, 0), (4, 1), (0, 0), (1, 1)]:
            add("vander", [n, increasing], r(3))
for rows, columns, diagonal in [(3, 3, 0), (3, 4, -1), (4, 2, 1), (2, 5, 3), (2, 3, -5), (2, 3, 9), (0, 3, 0), (3, 0, 0)]:
    add("tril_indices", [rows, columns, diagonal])
    add("triu_indices", [rows, columns, diagonal])
goldens.write("test/ops/index_goldens.txt")
