"""Writes test/ops/promotion_goldens.txt: the complete table of type promotion with PyTorch.

Needs PyTorch. Run from the root: python test/oracle/promotion_goldens.py

Operands come in three forms: "tensor" has one axis, "zero" none, "number" is a plain bool, integer or float. Two kinds of lines:
  value OP FORM FORM [number] | first | second => | result      all pairs of dtypes; a number stands in the place of its form
  dtype OP FORM FORM FIRST => dtypes                            of the results with every second dtype (or number), "-" where PyTorch refuses
A 16-bit result is computed in double and rounded once; PyTorch rounds the other operand to 16 bits first.
"""
import torch

from goldens import tensor_text

T = torch
DTYPES = [T.bool, T.uint8, T.int8, T.int16, T.int32, T.int64, T.float16, T.bfloat16, T.float32, T.float64]
NUMBERS = [True, 3, 0.3]
name = lambda d: str(d).replace("torch.", "")
lines = []

FIRST = {T.bool: [1, 0], T.uint8: [200, 7], T.int8: [-5, 100], T.int16: [-300, 3], T.int32: [-70000, 9], T.int64: [2**40, -7]}
SECOND = {T.bool: [1, 0], T.uint8: [100, 250], T.int8: [-1, 7], T.int16: [500, -2], T.int32: [100000, 4], T.int64: [3, 2**35]}


def make(table, dtype, form, other):
    values = table.get(dtype, [1.7, -0.2] if table is FIRST else [0.3, 7.1])
    t = T.tensor(values, dtype=T.float64 if dtype.is_floating_point else None).to(dtype)
    return t if form == "tensor" else t[1 if other == "tensor" else 0]


def text_of(f, a, b):
    y = f(a, b)
    if y.dtype in (T.float16, T.bfloat16):
        wide = lambda x: x.double() if isinstance(x, T.Tensor) else x
        y = f(wide(a), wide(b)).to(y.dtype)
    return tensor_text(y)


VALUES = {"add": T.add, "div": T.div, "lt": T.lt}
for op, f in VALUES.items():
    for forms in [("tensor", "tensor"), ("tensor", "zero"), ("zero", "tensor"), ("zero", "zero")]:
        for d in DTYPES:
            for e in DTYPES:
                a, b = make(FIRST, d, forms[0], forms[1]), make(SECOND, e, forms[1], forms[0])
                lines.append(f"value {op} {' '.join(forms)} | {tensor_text(a)} | {tensor_text(b)} => | {text_of(f, a, b)}")
    for form in ("tensor", "zero"):
        for d in DTYPES:
            for number in NUMBERS:
                a = make(FIRST, d, form, "tensor")
                lines.append(f"value {op} {form} number {number} | {tensor_text(a)} => | {text_of(f, a, number)}")
                if op != "lt":
                    reverse = (lambda x, n: n + x) if op == "add" else (lambda x, n: n / x)
                    lines.append(f"value {op} number {form} {number} | {tensor_text(a)} => | {text_of(reverse, a, number)}")

OPS = {o: getattr(T, o) for o in ("add sub mul div floor_divide remainder fmod pow maximum minimum fmax fmin atan2 hypot copysign logaddexp xlogy heaviside "
                                  "bitwise_and bitwise_or bitwise_left_shift gcd lcm eq logical_and").split()}
OPS["where"] = lambda a, b: T.where(T.tensor(True), a, b)
OPS["trunc_divide"] = lambda a, b: T.div(a, b, rounding_mode="trunc")
WITH_NUMBERS = "add sub mul div floor_divide remainder fmod pow eq where".split()


def ones(dtype, form):
    return T.ones(2 if form == "tensor" else (), dtype=dtype)


def result(f, a, b):
    try:
        return name(f(a, b).dtype)
    except (RuntimeError, TypeError, NotImplementedError):
        return "-"


for op, f in OPS.items():
    for forms in [("tensor", "tensor"), ("tensor", "zero"), ("zero", "tensor")]:
        for d in DTYPES:
            lines.append(f"dtype {op} {' '.join(forms)} {name(d)} => {','.join(result(f, ones(d, forms[0]), ones(e, forms[1])) for e in DTYPES)}")
    if op in WITH_NUMBERS:
        for d in DTYPES:
            lines.append(f"dtype {op} tensor number {name(d)} => {','.join(result(f, ones(d, 'tensor'), n) for n in NUMBERS)}")
            if op in ("sub", "div", "pow", "where"):
                g = {"sub": lambda a, b: a - b, "div": lambda a, b: a / b}.get(op, f)
                lines.append(f"dtype {op} number tensor {name(d)} => {','.join(result(g, n, ones(d, 'tensor')) for n in NUMBERS)}")
open("test/ops/promotion_goldens.txt", "w").write("\n".join(lines) + "\n")
