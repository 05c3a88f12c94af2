"""Writes test/ops/create_goldens.txt: lengths, values and dtypes of new tensors with PyTorch.

Needs PyTorch. Run from the root: python test/oracle/create_goldens.py

The format is that of test/oracle/goldens.py without inputs and marks. Numbers are written as in Python: 3 is an integer, 3.0 is not; the last argument is the dtype or "-".
"""
import torch

from goldens import tensor_text

T = torch
lines = []
ALL = ["-", "float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]


def add(f, op, *args, dtype="-"):
    options = {} if dtype == "-" else {"dtype": getattr(torch, dtype)}
    t = f(**options)
    shape = lambda a: "x".join(map(str, a)) if isinstance(a, tuple) else str(a)
    lines.append(f"{' '.join([op] + [shape(a) for a in args] + [dtype])} => | {tensor_text(t)}")


for args in [(5,), (5.0,), (0,), (2.5,), (1, 4), (1, 4, 2), (0, 1, 0.1), (1.0, 0.0, -0.3), (5, -1, -2), (0, 1, 0.3), (1, 1), (3, 2, -1), (-2.5, 2.5), (0, 10, 3), (10, 0, -3),
             (0.0, 1.0, 0.2), (1, 2, 0.25), (1e10, 1e10 + 3, 1), (0, 5, 5), (0, 6, 5), (7, 0, -7)]:
    for dtype in ALL[:-1]:
        if dtype in ("int8", "uint8", "int16") and max(map(abs, args)) > 100 or dtype == "uint8" and min(args) < 0 or dtype in ("float16", "bfloat16", "int32") and max(map(abs, args)) > 1e9:
            continue
        if dtype.startswith(("int", "uint")) and any(isinstance(a, float) and a != int(a) for a in args):
            continue  # PyTorch truncates every number first and may end with a step of 0
        add(lambda **o: T.arange(*args, **o), "arange", *args, dtype=dtype)
for start, end, n in [(0, 1, 5), (0, 1, 11), (-2.5, 2.5, 7), (3, 3, 3), (5, -1, 4), (0, 10, 1), (0, 10, 0), (0, 1, 2), (-1e3, 1e3, 9), (0, 100, 6), (1, 10, 4)]:
    for dtype in ALL[:5] + ["int64", "int32"]:
        add(lambda **o: T.linspace(start, end, n, **o), "linspace", start, end, n, dtype=dtype)
for start, end, n, base in [(0, 2, 3, 10), (-2, 2, 5, 10), (0, 3, 4, 2), (0, 1, 3, 10), (1, 1, 2, 10), (0, 2, 0, 10), (0, 4, 5, 0.5)]:
    for dtype in ALL[:3]:
        add(lambda **o: T.logspace(start, end, n, base, **o), "logspace", start, end, n, base, dtype=dtype)
for dtype in ALL:
    for shape in [(2, 3), (0, 2), ()]:
        add(lambda **o: T.zeros(shape, **o), "zeros", shape, dtype=dtype)
        add(lambda **o: T.ones(shape, **o), "ones", shape, dtype=dtype)
        for value in (3, 2.5, True, 0):
            add(lambda **o: T.full(shape, value, **o), "full", shape, value, dtype=dtype)
    for n, m in [(3, 3), (2, 4), (4, 2), (0, 0), (1, 0)]:
        add(lambda **o: T.eye(n, m, **o), "eye", n, m, dtype=dtype)
    x = T.tensor([[1.5, 2.5]]).to(T.float64)
    for like in ("float64", "int32", "bool"):
        add(lambda **o: T.zeros_like(x.to(getattr(T, like)), **o), "zeros_like", like, dtype=dtype)
        add(lambda **o: T.ones_like(x.to(getattr(T, like)), **o), "ones_like", like, dtype=dtype)
        add(lambda **o: T.full_like(x.to(getattr(T, like)), 3, **o), "full_like", like, dtype=dtype)
for values in ("3", "2.5", "True", "[1, 2]", "[1.0, 2.0]", "[True, False]", "[1, 2.5]", "[True, 2]", "[[1, 2], [3, 4]]", "[]"):
    lines.append(f"tensor {values.replace(' ', '')} => | {tensor_text(T.tensor(eval(values)))}")
open("test/ops/create_goldens.txt", "w").write("\n".join(lines) + "\n")
