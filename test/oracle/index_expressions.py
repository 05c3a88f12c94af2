"""Writes test/ops/index_expressions.txt: random expressions x[...] with what PyTorch reads, writes and differentiates.

Needs PyTorch. Run from the root: python test/oracle/index_expressions.py

A case is five lines and an empty one. x holds 0, 1, 2, ... in row-major order.
  shape of x
  the indices: i3 (integer), s1:5:2 (slice), n (new axis), e (ellipsis), m2x2:0110 (mask), t2:0,-1 (int64 tensor), j2:0,1 (int32 tensor)
  shape of x[...], its values
  shape of v (values -1, -2, ...), x after x[...] = v; "-" where a place is selected twice
  gradient of sum(x[...] * w) with w = 1, 2, ...
"""
import random

import torch

rng = random.Random(20)


def shape_text(shape):
    return "x".join(str(s) for s in shape)


def values(t):
    return ",".join(str(int(v)) for v in t.flatten().tolist())


def random_slice(n):
    part = lambda: rng.choice([None, rng.randint(-n - 2, n + 2)])
    start, stop, step = part(), part(), rng.choice([None, 1, 2, 3])
    if rng.random() < 0.2:
        return slice(None), "s::"
    return slice(start, stop, step), "s" + ":".join("" if v is None else str(v) for v in (start, stop, step))


def random_mask(shape):
    m = torch.tensor([rng.random() < 0.5 for _ in range(int(torch.Size(shape).numel()))], dtype=torch.bool).reshape(shape)
    return m, f"m{shape_text(shape)}:" + "".join(str(int(v)) for v in m.flatten().tolist())


def random_tensor(n, picks):
    shape = rng.choice([picks, picks[-1:], (1,) + picks[-1:], (1,), ()]) if picks else ()
    dtype = rng.choice([torch.int64, torch.int64, torch.int32])
    t = torch.tensor([rng.randint(-n, n - 1) for _ in range(int(torch.Size(shape).numel()))], dtype=dtype).reshape(shape)
    return t, ("t" if dtype == torch.int64 else "j") + shape_text(shape) + ":" + values(t)


def random_case():
    rank = rng.randint(1, 4)
    shape = tuple(rng.choice([1, 2, 3, 3, 4]) for _ in range(rank))
    if rng.random() < 0.04:
        shape = shape[:-1] + (0,)
    if torch.Size(shape).numel() > 36:
        return None
    picks = rng.choice([(2,), (3,), (2, 2), (1, 3), (0,)])
    indices, texts, axis, ellipsis = [], [], 0, False
    while axis < rank or rng.random() < 0.15:
        kind = rng.choice("isssttttmnne")
        if kind in "ist" and axis < rank:
            n = shape[axis]
            if kind in "it" and n == 0:
                kind = "s"
            if kind == "i":
                index = rng.randint(-n, n - 1)
                text = f"i{index}"
            elif kind == "s":
                index, text = random_slice(n)
            else:
                index, text = random_tensor(n, picks)
            axis += 1
        elif kind == "m":
            width = rng.choice([1, 1, 2, 0])
            if axis + width > rank:
                continue
            index, text = random_mask(shape[axis:axis + width])
            axis += width
        elif kind == "n":
            index, text = None, "n"
        elif kind == "e" and not ellipsis:
            index, text, ellipsis = Ellipsis, "e", True
            axis += rng.randint(0, rank - axis) if axis < rank else 0
        else:
            continue
        indices.append(index)
        texts.append(text)
        if rng.random() < 0.1:
            break
    if not indices:
        return None
    x = torch.arange(float(torch.Size(shape).numel()), dtype=torch.float64).reshape(shape).requires_grad_()
    try:
        y = x[tuple(indices)]
    except (IndexError, RuntimeError):
        return None  # index shapes that do not broadcast
    if y.numel() > 48 or y.dim() > 6:
        return None
    (y * torch.arange(1.0, y.numel() + 1).reshape(y.shape)).sum().backward()
    written = "-"
    picked = y.detach().flatten().tolist()
    if len(set(picked)) == len(picked):
        v_shape = rng.choice([tuple(y.shape), tuple(y.shape[1:]), (), tuple(1 if rng.random() < 0.5 else s for s in y.shape)])
        z = x.detach().clone()
        z[tuple(indices)] = -torch.arange(1.0, torch.Size(v_shape).numel() + 1, dtype=torch.float64).reshape(v_shape)
        written = f"{shape_text(v_shape)} {values(z)}"
    return "\n".join([shape_text(shape), " ".join(texts), f"{shape_text(y.shape)} {values(y)}", written, values(x.grad)])


cases = set()
ordered = []
while len(ordered) < 320:
    case = random_case()
    if case is not None and case not in cases:
        cases.add(case)
        ordered.append(case)
open("test/ops/index_expressions.txt", "w").write("\n\n".join(ordered) + "\n")
