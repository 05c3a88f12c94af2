"""Writes test/ops/reduce_goldens.txt: reductions, norms, scans and order statistics with PyTorch.

Needs PyTorch. Run from the root: python test/oracle/reduce_goldens.py

The format is that of test/oracle/goldens.py. Axes are a list ("" for all), then keepdim.
"""
import math
import warnings

import torch

from goldens import Goldens

T = torch
warnings.filterwarnings("ignore", "(var|std).*degrees of freedom")
inf, nan = math.inf, math.nan
D, S, H, B = torch.float64, torch.float32, torch.float16, torch.bfloat16
INTS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]
P = {"inf": inf, "-inf": -inf}


def axes(a):
    return tuple(a) if a else None


def along(f):  # f(x, axes, keepdim)
    return lambda a, x: f(x, axes(a[0]), bool(a[1]))


def one_axis(f):  # f(x, axis, keepdim), or of everything
    return lambda a, x: f(x, a[0][0], keepdim=bool(a[1])) if a and a[0] else f(x)


OPS = {
    "sum": lambda a, x: T.sum(x, axes(a[0]), bool(a[1])),
    "prod": one_axis(T.prod),
    "mean": along(lambda x, d, k: T.mean(x, d, k)),
    "nansum": along(lambda x, d, k: T.nansum(x, d, k)),
    "nanmean": along(lambda x, d, k: T.nanmean(x, d, k)),
    "var": lambda a, x: T.var(x, axes(a[0]), correction=a[2], keepdim=bool(a[1])),
    "std": lambda a, x: T.std(x, axes(a[0]), correction=a[2], keepdim=bool(a[1])),
    "var_mean": lambda a, x: T.var_mean(x, axes(a[0]), correction=a[2], keepdim=bool(a[1])),
    "std_mean": lambda a, x: T.std_mean(x, axes(a[0]), correction=a[2], keepdim=bool(a[1])),
    "max": one_axis(T.max),
    "min": one_axis(T.min),
    "amax": along(lambda x, d, k: T.amax(x, d or (), k)),
    "amin": along(lambda x, d, k: T.amin(x, d or (), k)),
    "aminmax": lambda a, x: T.aminmax(x),
    "argmax": one_axis(T.argmax),
    "argmin": one_axis(T.argmin),
    "all": one_axis(T.all),
    "any": one_axis(T.any),
    "count_nonzero": lambda a, x: T.count_nonzero(x, axes(a[0])),
    "norm": lambda a, x: T.linalg.vector_norm(x, P.get(a[0], a[0]), axes(a[1]), bool(a[2])),
    "logsumexp": lambda a, x: T.logsumexp(x, axes(a[0]) or tuple(range(x.dim())), bool(a[1])),
    "cumsum": lambda a, x: T.cumsum(x, a[0]),
    "cumprod": lambda a, x: T.cumprod(x, a[0]),
    "cummax": lambda a, x: T.cummax(x, a[0]),
    "cummin": lambda a, x: T.cummin(x, a[0]),
    "logcumsumexp": lambda a, x: T.logcumsumexp(x, a[0]),
    "diff": lambda a, x: T.diff(x, a[0], a[1]),
    "median": one_axis(T.median),
    "nanmedian": one_axis(T.nanmedian),
    "mode": lambda a, x: T.mode(x, a[0][0], bool(a[1])),
    "kthvalue": lambda a, x: T.kthvalue(x, a[2], a[0][0], bool(a[1])),
    "quantile": lambda a, x: T.quantile(x, a[2], a[0][0] if a[0] else None, bool(a[1])),
    "renorm": lambda a, x: T.renorm(x, *a),
    "argsort": lambda a, x: T.argsort(x, dim=a[0], descending=bool(a[1]), stable=True),
    "softmax": lambda a, x: T.softmax(x, a[0]),
    "log_softmax": lambda a, x: T.log_softmax(x, a[0]),
    "softmin": lambda a, x: T.nn.functional.softmin(x, a[0]),
}
g = Goldens(OPS)


def v(*values):
    return T.tensor(values, dtype=D)


X = v([1.5, -0.5, 2.25, 0.75], [-3.0, 0.25, 1.0, -1.25], [0.5, 4.0, -2.0, 3.5])
Z = v([1.5, 0.0, 2.25, 0.75], [0.0, 0.25, 0.0, -1.25], [0.5, 4.0, -2.0, 3.5])  # one zero, two zeros, none
TIES = v([1.0, 3.0, 3.0, -2.0], [-2.0, -2.0, 0.5, 0.5], [3.0, 3.0, 3.0, 3.0])
ODD = v([1.0, nan, 2.0, -1.0], [inf, 1.0, 2.0, 3.0], [-inf, -inf, -inf, -inf], [inf, -inf, 0.0, 1.0], [nan, nan, nan, nan], [-0.0, 0.0, 1e300, 5e-324])
CUBE = v([[1.5, -0.5], [2.25, 0.75], [0.125, 1.0]], [[-3.0, 0.25], [1.0, -1.25], [2.0, -0.75]])
EMPTY = T.zeros(3, 0, dtype=D)
MANY = [([], 0), ([0], 0), ([1], 1), ([-1], 0), ([0, 1], 0)]
SINGLE = [([0], 0), ([1], 1), ([-1], 0)]
ROUNDED = (S, H, B)


def reduction(name, forms, *more, data=X, ints=True, odd=True, extra=(), empty=True):
    """forms: axes and keepdim; extra: arguments behind them."""
    for a, k in forms:
        g.case(name, [a, k, *extra], data)
    g.case(name, [[0], 0, *extra], v(2.5, -1.0, 0.5))
    g.case(name, [[1], 0, *extra], CUBE)
    for dtype in ROUNDED:
        g.case(name, [[1], 0, *extra], data.to(dtype))
    if odd:
        for dtype in (D, S):
            g.case(name, [[1], 0, *extra], ODD.to(dtype), wanted=[])
    if empty:
        g.case(name, [[1], 0, *extra], EMPTY, wanted=[])
        g.case(name, [[0], 0, *extra], EMPTY, wanted=[])
    if ints:
        for dtype in INTS:
            g.case(name, [[1], 0, *extra], T.tensor([[3, 0, 2, 1], [100, 100, 100, 7], [0, 0, 0, 0]]).to(dtype), direct=True)


def sums():
    reduction("sum", MANY)
    reduction("prod", SINGLE + [([], 0)])
    for a, k in SINGLE + [([], 0)]:
        g.case("prod", [a, k], Z)
    g.case("prod", [[0], 0], v(0.0, 0.0, 3.0, 2.0))
    reduction("mean", MANY, ints=False)
    for name in ("nansum", "nanmean"):
        reduction(name, MANY, ints=False)
        holes = v([1.5, nan, 2.25, 0.75], [nan, nan, nan, -1.0], [0.5, 4.0, -2.0, nan])
        for a, k in MANY:
            g.case(name, [a, k], holes)
    for name in ("sum", "prod", "mean", "nansum", "nanmean"):
        g.case(name, [[], 0], T.tensor(2.5, dtype=D))
        g.case(name, [[], 0], T.zeros(0, dtype=D), wanted=[])
    g.case("sum", [[0, 2], 1], CUBE)
    g.case("mean", [[0, -1], 0], CUBE)
    for name in ("var", "std", "var_mean", "std_mean"):
        for correction in (1, 0, 2.5):
            for a, k in MANY if correction == 1 else MANY[1:3]:
                g.case(name, [a, k, correction], X)
        g.case(name, [[0, 2], 0, 1], CUBE)
        for dtype in ROUNDED:
            g.case(name, [[1], 0, 1], X.to(dtype))
        for dtype in (D, S):
            rows = [0, 4] if "mean" in name else range(6)  # the mean of a row with infinities is NaN here in PyTorch, ours is that of mean
            g.case(name, [[1], 0, 1], ODD[list(rows)].to(dtype), wanted=[])
            g.case(name, [[1], 0, 1], T.tensor([[1e6 + 1, 1e6 - 1, 1e6, 1e6 + 2]], dtype=dtype), wanted=[])
        g.case(name, [[0], 0, 1], T.tensor([1e20, -1e20, 0.0]), wanted=[])
        g.case(name, [[1], 0, 1], v([1.0], [2.0]), wanted=[])  # one element
        g.case(name, [[1], 0, 0], v([1.0], [2.0]), wanted=[])
        g.case(name, [[1], 0, 1], EMPTY, wanted=[])


def extremes():
    for name in ("max", "min", "amax", "amin"):
        forms = [([0], 0), ([1], 1)] if name in ("max", "min") else MANY
        for data in (X, TIES):
            for a, k in forms:
                if data is TIES and name in ("max", "min"):
                    continue  # to which of equal ones the index points is open
                g.case(name, [a, k], data)
            g.case(name, [[], 0], data)
        for dtype in ROUNDED + tuple(INTS):
            data = X if dtype.is_floating_point else T.tensor([[3, 0, 2, 1], [100, 101, 7, 5]])
            if dtype == T.bool and name in ("max", "min"):
                data = T.tensor([[False, True], [True, False]])
            g.case(name, [[1], 0], data.to(dtype), direct=True)
        for dtype in (D, S):
            if name in ("amax", "amin"):
                g.case(name, [[1], 0], ODD.to(dtype), wanted=[])
            g.case(name, [[], 0], T.tensor([1.0, nan, 3.0], dtype=dtype), wanted=[])
    g.case("amax", [[0, 2], 1], CUBE)
    g.case("aminmax", [], X)
    g.case("aminmax", [], TIES)
    g.case("aminmax", [], T.tensor([3, -1, 7]))
    for name in ("argmax", "argmin"):
        for data in (X, TIES, X.to(B), T.tensor([[3, 0, 2, 0], [100, 101, 7, 101]]), T.tensor([[nan, 1.0, nan], [inf, -inf, inf]])):
            for a, k in ([0], 0), ([1], 1), ([], 0):
                g.case(name, [a, k], data, wanted=[])
    for name in ("all", "any"):
        for data in (T.tensor([[True, False, True], [True, True, True], [False, False, False]]), T.tensor([[0, 2], [3, 4], [0, 0]]),
                     v([0.0, 1.0], [-0.0, 0.0], [nan, 0.0], [inf, 2.0]), T.zeros(2, 0), T.tensor(True)):
            for a, k in [([], 0)] + ([([0], 0), ([1], 1)] if data.dim() == 2 else []):
                # PyTorch's uint8 result is the only one that is not bool, so uint8 is left out
                g.case(name, [a, k], data, wanted=[])
    for data in (T.tensor([[True, False, True], [True, True, True]]), T.tensor([[0, 2], [3, 4]]), v([0.0, 1.0], [-0.0, 0.0], [nan, 0.0])):
        for a in ([], [0], [1], [0, 1]):
            g.case("count_nonzero", [a], data, wanted=[])


def norms():
    for p in (2.0, 1.0, 0.0, "inf", "-inf", 3.0, 0.5, 1.5, -1.0):
        smooth = p not in (0.0, "inf", "-inf")
        for a, k in ([], 0), ([0], 0), ([1], 1):
            g.case("norm", [p, a, k], X)
        g.case("norm", [p, [0, 2], 0], CUBE)
        for dtype in ROUNDED:
            g.case("norm", [p, [1], 0], X.to(dtype))
        if p not in (-1.0, "-inf"):
            g.case("norm", [p, [1], 0], v([0.0, 0.0], [3.0, -4.0]), wanted=None if p in (2.0, 1.0) else [], second=False)
            g.case("norm", [p, [1], 0], ODD[:4], wanted=[])
        if p not in (-1.0, "-inf", "inf", 0.5):
            g.case("norm", [p, [1], 0], EMPTY, wanted=[])
    g.case("norm", [1.0, [1], 0], Z)
    g.case("norm", ["inf", [1], 0], TIES)
    g.case("norm", [2.0, [0], 0], v(1e200, 1e200), wanted=[])
    g.case("norm", [2.0, [0], 0], v(1e-200, 3e-200), wanted=[])
    g.case("norm", [2.0, [0], 0], T.tensor([1e20, 1e20]))
    g.case("norm", [2.0, [0], 0], T.tensor([1e-30, 1e-30]))
    g.case("norm", [2.0, [], 0], T.tensor(-2.5, dtype=D))
    for a, k in MANY:
        g.case("logsumexp", [a, k], X)
    g.case("logsumexp", [[0, 2], 0], CUBE)
    for dtype in ROUNDED:
        g.case("logsumexp", [[1], 0], X.to(dtype))
    for dtype in (D, S):
        g.case("logsumexp", [[1], 0], ODD.to(dtype), wanted=[])
        g.case("logsumexp", [[1], 0], T.tensor([[1e4, 1e4, -1e4], [-1e4, -1e4, -1e4], [-inf, -inf, -inf]], dtype=dtype), wanted=[])
    g.case("logsumexp", [[1], 0], EMPTY, wanted=[])
    g.case("logsumexp", [[1], 0], v([-inf, 1.0, 0.5], [700.0, 710.0, -700.0]), second=False)
    for name in ("softmax", "log_softmax", "softmin"):
        for a in (0, 1, -1):
            g.case(name, [a], X)
        g.case(name, [1], CUBE)
        for dtype in ROUNDED:
            g.case(name, [1], X.to(dtype))
        for dtype in (D, S):
            g.case(name, [1], ODD.to(dtype), wanted=[])
            g.case(name, [1], T.tensor([[1e4, 9999.0, -1e4], [-100.0, 0.0, 100.0]], dtype=dtype), wanted=[])


def scans():
    for name in ("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"):
        for data in (X, Z) if name == "cumprod" else (X,):
            for a in (0, 1, -1):
                g.case(name, [a], data)
        g.case(name, [1], CUBE)
        g.case(name, [0], T.tensor(2.5, dtype=D))
        if name != "logcumsumexp":
            for dtype in INTS:
                g.case(name, [1], T.tensor([[3, 1, 2, 4], [100, 99, 101, 1]]).to(dtype), direct=True)
        for dtype in ROUNDED:
            g.case(name, [1], X.to(dtype))
        for dtype in (D, S):
            g.case(name, [1], ODD[:4].to(dtype) if name != "cumprod" else ODD[:3].to(dtype), wanted=[])
        g.case(name, [1], EMPTY, wanted=[])
    g.case("cumprod", [0], v(0.0, 2.0, 0.0, 3.0))
    g.case("cumprod", [0], v(2.0, 0.0, 5.0, 3.0))
    g.case("cummax", [1], TIES)
    g.case("cummin", [1], TIES)
    for n, a in (1, -1), (2, 1), (1, 0), (3, 1), (0, 1), (5, 1):
        g.case("diff", [n, a], X)
    g.case("diff", [1, 0], T.tensor([5, 3, 9, -2]))
    g.case("diff", [2, 0], T.tensor([True, False, False, True]))
    g.case("diff", [1, 0], v(1.0, inf, inf, nan, 2.0), wanted=[])


def statistics():
    distinct = v([7.0, 1.5, -0.5, 2.25], [0.75, -3.0, 0.25, 1.0], [-1.25, 0.5, 4.0, -2.0])
    for name in ("median", "nanmedian"):
        for data in (distinct, T.tensor([[3, 0, 2, 1], [100, 101, 7, 5]]), distinct.to(S), distinct.to(B)):
            for a, k in ([0], 0), ([1], 1), ([], 0):
                if a or name == "median":
                    g.case(name, [a, k], data)
        g.case(name, [[], 0], v(1.0, 3.0, 3.0, 3.0, 7.0))
    g.case("nanmedian", [[], 0], v(nan, 3.0, 1.0, 2.0))
    g.case("median", [[], 0], v(nan, 3.0, 1.0, 2.0), wanted=[])
    for a, k in ([0], 0), ([1], 1):
        g.case("mode", [a, k], TIES[:2], wanted=[])
        for rank in (1, 2, 3):
            g.case("kthvalue", [a, k, rank], distinct)
    for q in (0.0, 0.3, 0.5, 1.0):
        for a, k in ([0], 0), ([1], 1), ([], 0):
            g.case("quantile", [a, k, q], distinct)
    for p in (2.0, 1.0, 3.0):
        for axis in (0, 1):
            g.case("renorm", [p, axis, 2.5], X)
        g.case("renorm", [p, -1, 1.5], CUBE)
    for axis, down in (0, 0), (1, 1), (-1, 0):
        g.case("argsort", [axis, down], TIES, wanted=[])
        g.case("argsort", [axis, down], ODD[:4].to(S), wanted=[])


sums()
extremes()
norms()
scans()
statistics()
g.write("test/ops/reduce_goldens.txt")
