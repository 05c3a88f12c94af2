"""Writes test/ops/unary_goldens.txt and test/ops/binary_goldens.txt: elementwise functions of one, two and three operands with PyTorch.

Needs PyTorch. Run from the root: python test/oracle/pointwise_goldens.py

The format is that of test/oracle/goldens.py. Lines without a gradient hold special values, lines with one hold points between and on kinks.
Where PyTorch's own double values have fewer than 15 digits, mpmath gives them (`exact`).
"""
import math

import mpmath
import torch
import torch.nn.functional as F

from goldens import Goldens

T = torch
inf, nan = math.inf, math.nan
D, S, H, B = torch.float64, torch.float32, torch.float16, torch.bfloat16
INTS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]


mpmath.mp.dps = 50


def exact(f, g, limit=1e3):
    """f, but float64 values are those of g in many digits; extreme values and derivatives stay PyTorch's."""

    def run(a, x):
        y = f(a, x)
        if x.requires_grad or x.dtype != D:
            return y
        return T.tensor([float(g(a, mpmath.mpf(t))) if 1e-300 < abs(t) < limit and math.isfinite(v) else v for t, v in zip(x.tolist(), y.tolist())], dtype=D)

    return run


def one(f):
    return lambda a, x: f(x)


UNARY = {name: one(getattr(T, name)) for name in (
    "abs neg square sign sqrt rsqrt reciprocal floor ceil round trunc frac exp exp2 expm1 log log1p log2 log10 sin cos tan asin acos atan sinh cosh "
    "tanh asinh acosh atanh erf erfc lgamma deg2rad rad2deg relu selu logical_not isnan isinf isfinite bitwise_not").split()}
UNARY |= {name: one(getattr(F, name)) for name in "relu6 logsigmoid softsign hardswish tanhshrink".split()}
UNARY |= {
    "erfinv": exact(one(T.erfinv), lambda a, x: mpmath.erfinv(x)),
    "digamma": exact(one(T.digamma), lambda a, x: mpmath.digamma(x)),
    "trigamma": exact(lambda a, x: T.polygamma(1, x), lambda a, x: mpmath.inf if x < 0 and x == mpmath.floor(x) else mpmath.psi(1, x), inf),
    "sinc": exact(one(T.sinc), lambda a, x: mpmath.sincpi(x), inf),
    "sigmoid": exact(one(T.sigmoid), lambda a, x: 1 / (1 + mpmath.exp(-x))),
    "silu": exact(one(F.silu), lambda a, x: x / (1 + mpmath.exp(-x))),
    "mish": exact(one(F.mish), lambda a, x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x)))),
    # PyTorch's derivative has 1/6 in float32
    "hardsigmoid": one(lambda x: F.relu6(x + 3) / 6 if x.requires_grad else F.hardsigmoid(x)),
    "clamp": lambda a, x: T.clamp(x, *[None if b == "-" else b for b in a]),
    "nan_to_num": lambda a, x: T.nan_to_num(x, *a),
    "logit": lambda a, x: T.logit(x, *a),
    "crelu": lambda a, x: F.relu(T.cat([x, -x], a[0])),
    "elu": lambda a, x: F.elu(x, *a),
    "celu": lambda a, x: F.celu(x, *a),
    "leaky_relu": lambda a, x: F.leaky_relu(x, *a),
    "prelu": lambda a, x, w: F.prelu(x, w),
    "softplus": lambda a, x: F.softplus(x, *a),
    "gelu": exact(lambda a, x: F.gelu(x, approximate=a[0]),
                  lambda a, x: x * mpmath.ncdf(x) if a[0] == "none" else x / (1 + mpmath.exp(-2 * mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)))),
    "hardtanh": lambda a, x: F.hardtanh(x, *a),
    "softshrink": lambda a, x: F.softshrink(x, *a),
    "hardshrink": lambda a, x: F.hardshrink(x, *a),
    "threshold": lambda a, x: F.threshold(x, *a),
    "glu": lambda a, x: F.glu(x, a[0]),
}

FLOATS_ONLY = set("frac logit sinc crelu elu celu leaky_relu prelu softplus gelu hardtanh softshrink hardshrink glu selu logsigmoid softsign silu mish "
                  "hardswish hardsigmoid tanhshrink relu6 erfinv bitwise_not threshold".split())
NOT_ON_BOOL = set("abs neg square sign floor ceil round trunc relu clamp".split())
QUESTIONS = set("logical_not isnan isinf isfinite".split())

# where the derivatives are looked at: name -> points; otherwise MIDDLE
MIDDLE = [-2.5, -1.0, -0.375, 0.0, 0.125, 0.5, 1.0, 3.0, 20.0, -20.0, 1e-9]
POSITIVE = [0.125, 0.5, 1.0, 2.0, 10.0, 1e-9, 1e9]
INSIDE = [-0.9375, -0.5, -0.125, 0.0, 0.25, 0.75, 0.99609375]
POINTS = {name: POSITIVE for name in "log log2 log10 rsqrt reciprocal lgamma digamma trigamma".split()}
POINTS |= {"asin": INSIDE, "acos": INSIDE, "atanh": INSIDE, "erfinv": INSIDE, "acosh": [1.125, 1.5, 2.0, 10.0, 1e9], "log1p": [-0.75, -0.125, 0.0, 1e-9, 0.5, 3.0, 1e9],
           "sqrt": [0.0] + POSITIVE, "logit": [0.125, 0.5, 0.75, 1e-9], "lgamma": POSITIVE + [-0.5, -2.25],
           "digamma": POSITIVE + [-0.5, -2.25, 1.4616321449683623], "tan": [-1.25, -0.5, 0.0, 0.75, 1.5, 4.0],
           "clamp": [-2.5, -0.375, 0.0, 0.125, 0.75, 1.5, 3.0],  # at a bound PyTorch's derivative has become 0; ours is 1
           "gelu": [-2.5, -1.0, -0.375, 0.0, 0.5, 1.0, 3.0, 20.0, 1e-9], "logsigmoid": [-700.0, -2.5, -1.0, 0.0, 0.5, 3.0, 1e-9],
           "softplus": [-2.5, -1.0, -0.375, 0.0, 0.5, 1.0, 3.0, 1e-9],  # at the threshold PyTorch's second derivative is 0
           "tanhshrink": [-2.5, -1.0, -0.375, 0.0, 0.125, 0.5, 3.0, 20.0],
           "sinc": [-2.5, -1.0, -0.375, 0.125, 0.5, 1.0, 3.0, 20.0],  # PyTorch's second derivative at 0 is NaN
           "sinh": [-3.0, -0.5, 0.0, 1e-9, 0.75, 20.0], "cosh": [-3.0, -0.5, 0.0, 1e-9, 0.75, 20.0]}
KINKS = {"relu6": [6.0, 5.5], "hardswish": [-3.0, 3.0, -2.0], "hardsigmoid": [-3.0, 3.0, 2.0], "hardtanh": [-1.0, 1.0, 0.5], "silu": [-100.0, -700.0],
         "mish": [-100.0, -700.0], "sigmoid": [-700.0, 40.0], "softplus": [-700.0, 20.5, 10.5], "threshold": [0.25, 0.5], "softshrink": [0.5, -0.5],
         "hardshrink": [0.5, -0.5], "floor": [2.0], "ceil": [2.0], "round": [2.5], "trunc": [2.0], "frac": [2.0]}
NO_GRADIENT = QUESTIONS | {"bitwise_not", "trigamma"}
ONCE = {"digamma"}  # the next one would be that of trigamma, which rill does not have

SPECIAL = {
    D: [0.0, -0.0, 5e-324, -1e-310, 1e-300, 1e-20, -1e-9, 0.25, -0.5, 1.0, -1.0, 1.5, -2.5, 3.0, -3.0, 6.0, 20.5, -40.0, 100.0, -740.0, 709.5, 1e20, -1e20,
        1.7976931348623157e308, inf, -inf, nan],
    S: [0.0, -0.0, 1e-45, -1e-40, 1e-38, 1e-20, -1e-5, 0.25, -0.5, 1.0, -1.0, 1.5, -2.5, 3.0, -3.0, 6.0, 20.5, -40.0, 88.5, -103.0, 1e20, -1e20,
        3.4028234663852886e38, inf, -inf, nan],
    H: [0.0, -0.0, 6e-8, 0.1, -0.75, 1.0, -2.0, 3.5, 11.0, -9.0, 300.0, 65504.0, inf, -inf, nan],
    B: [0.0, -0.0, 1e-40, 0.1, -0.75, 1.0, -2.0, 3.5, 11.0, -9.0, 1e20, 3.3895313892515355e38, inf, -inf, nan],
}
ARGUMENTS = {"clamp": [(-1.0, 2.0), (0.5, "-"), ("-", 0.5), (2.0, -1.0)], "nan_to_num": [(), (7.5, 8.5, -9.5)], "logit": [(), (0.125,)], "crelu": [(0,)],
             "elu": [(), (0.75,)], "celu": [(), (0.75,)], "leaky_relu": [(), (0.25,)], "softplus": [(), (2.0, 20.0)], "gelu": [("none",), ("tanh",)],
             "hardtanh": [(), (-0.5, 2.0)], "softshrink": [(), (0.125,)], "hardshrink": [(), (0.125,)], "threshold": [(0.25, -7.5)], "glu": [(0,)]}


def unary_cases(g):
    for name in UNARY:
        if name in ("prelu", "glu"):
            continue
        for args in ARGUMENTS.get(name, [()]):
            first = args == ARGUMENTS.get(name, [()])[0]
            if name != "bitwise_not":
                for dtype in (D, S, H, B) if first else (D, S):
                    x = T.tensor(SPECIAL[dtype], dtype=dtype)
                    if name == "sinc":  # PyTorch's pi x overflows
                        x = x[x.abs() != T.finfo(dtype).max]
                    g.case(name, args, x, wanted=[])
            if name not in FLOATS_ONLY and first:
                for dtype in [T.int64, T.int32, T.uint8] + ([] if name in NOT_ON_BOOL else [T.bool]):
                    if name == "trigamma" and dtype.is_signed:
                        continue  # poles, of which PyTorch computes some number
                    values = {T.uint8: [0, 1, 2, 100, 255], T.bool: [0, 1]}.get(dtype, [0, 1, -1, 2, -2, 7, 100])
                    if name == "clamp":
                        g.case(name, (-1, 2), T.tensor(values, dtype=dtype))
                    g.case(name, args, T.tensor(values, dtype=dtype), direct=True)
            if name not in NO_GRADIENT:
                g.case(name, args, T.tensor(POINTS.get(name, MIDDLE) + KINKS.get(name, []), dtype=D))
    for dtype in INTS + [T.bool]:
        g.case("bitwise_not", [], T.tensor([0, 1, 2, 100, 127, 5], dtype=dtype))
    for dtype in (D, S, B):
        x = T.tensor([-2.0, -0.0, 0.0, 0.5, inf, -inf, nan, 3.0, -1e-20, 1e-3, -3.0, 7.0]).to(dtype)
        g.case("prelu", [], x, T.tensor([0.25], dtype=dtype), wanted=[])
        g.case("glu", [0], x, wanted=[])
        g.case("glu", [1], x.reshape(3, 4), wanted=[])
    g.case("prelu", [], T.tensor([[-2.0, 1.0, 0.5], [3.0, -1.5, -0.5]], dtype=D), T.tensor([0.25, -0.5, 2.0], dtype=D))
    g.case("prelu", [], T.tensor([[-2.0, 1.0, 0.5], [3.0, -1.5, -0.5]], dtype=D), T.tensor([0.25], dtype=D))
    g.case("glu", [-1], T.tensor([[-2.0, 0.0, 0.5, 1.5], [3.0, -1.5, -0.5, 20.0]], dtype=D))
    g.case("crelu", [-1], T.tensor([[-2.0, 0.0], [3.0, -1.5]], dtype=D))


# ---- two and three operands ---------------------------------------------------------------------------------------------------


def two(f):
    return lambda a, x, y: f(x, y)


BINARY = {name: two(getattr(T, name)) for name in (
    "remainder fmod pow maximum minimum fmax fmin atan2 hypot copysign logaddexp logaddexp2 float_power ldexp xlogy heaviside bitwise_and bitwise_or bitwise_xor "
    "bitwise_left_shift bitwise_right_shift gcd lcm eq ne lt le gt ge logical_and logical_or logical_xor mul").split()}
BINARY |= {
    "add": lambda a, x, y: T.add(x, y, alpha=a[0] if a else 1),
    "sub": lambda a, x, y: T.sub(x, y, alpha=a[0] if a else 1),
    "div": lambda a, x, y: T.div(x, y),
    "floor_divide": lambda a, x, y: T.div(x, y, rounding_mode="floor"),
    "trunc_divide": lambda a, x, y: T.div(x, y, rounding_mode="trunc"),
    "isclose": lambda a, x, y: T.isclose(x, y, a[0], a[1], bool(a[2])),
    "where": lambda a, c, x, y: T.where(c, x, y),
    "lerp": lambda a, x, y, w: T.lerp(x, y, w),
    "lerp_number": lambda a, x, y: T.lerp(x, y, a[0]),
    "addcmul": lambda a, x, y, z: T.addcmul(x, y, z, value=a[0]),
    "addcdiv": lambda a, x, y, z: T.addcdiv(x, y, z, value=a[0]),
    "clamp": lambda a, x, low, high: T.clamp(x, low, high),
    "equal": lambda a, x, y: T.tensor(T.equal(x, y)),
    "allclose": lambda a, x, y: T.tensor(T.allclose(x, y, a[0], a[1], bool(a[2]))),
}
COMPARE = "eq ne lt le gt ge logical_and logical_or logical_xor".split()
WHOLE = "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift gcd lcm".split()
SMOOTH = "add sub mul div floor_divide trunc_divide remainder fmod pow float_power ldexp maximum minimum fmax fmin atan2 hypot copysign logaddexp logaddexp2 xlogy heaviside".split()
NO_INTEGERS = {"pow", "float_power", "hypot", "logaddexp", "logaddexp2"}  # refused by PyTorch, except for pow, which we refuse
PAIRS = [(0.0, 0.0), (-0.0, 0.0), (0.0, -0.0), (1.0, 0.0), (-1.0, 0.0), (1.0, -0.0), (0.0, 1.0), (0.0, -2.0), (1.0, 1.0), (7.5, 2.0), (-7.5, 2.0), (7.5, -2.0),
         (-7.5, -2.0), (-6.0, 3.0), (6.0, -3.0), (0.3, 0.1), (-0.3, 0.1), (1e20, 3.0), (1.0, 1e-20), (2.0, 0.5), (-8.0, 3.0), (-8.0, 0.5), (0.5, 40.0),
         (inf, 1.0), (-inf, 1.0), (1.0, inf), (-1.0, inf), (1.0, -inf), (-1.0, -inf), (inf, inf), (-inf, inf), (inf, -inf), (-inf, -inf), (inf, 0.0), (0.0, inf),
         (nan, 1.0), (1.0, nan), (nan, nan), (nan, 0.0), (0.0, nan), (inf, nan), (5e-324, 1.0), (1e-40, -2.0), (-3.0, 2.0), (-3.0, 3.0)]


def columns(pairs, dtype):
    return [T.tensor(c, dtype=D).to(dtype) for c in zip(*pairs)]


def binary_cases(g):
    for name in SMOOTH + COMPARE:
        for dtype in (D, S) + ((B, H) if name in ("add", "div", "pow", "maximum", "remainder", "lt") else ()):
            pairs = PAIRS
            if name == "floor_divide" or name == "remainder" or name == "fmod" or name == "trunc_divide":  # 1e20 // 3 has no exact quotient
                pairs = [p for p in PAIRS if p not in [(1e20, 3.0)]]
            if name == "heaviside":  # a NaN is 0 in PyTorch; ours passes through, as NumPy's
                pairs = [p for p in PAIRS if p[0] == p[0]]
            g.case(name, [], *columns(pairs, dtype), wanted=[], direct=name in ("floor_divide", "trunc_divide", "remainder", "fmod"))
        for dtype in INTS:
            if name in NO_INTEGERS:
                continue
            pairs = [(7, 2), (-7, 2), (7, -2), (-7, -2), (6, 3), (-6, 3), (0, 5), (100, 100), (1, 100), (5, 1), (-1, -1), (3, 3)]
            x, y = (T.tensor(c).to(dtype) for c in zip(*pairs))
            if dtype == T.uint8 and name in ("floor_divide", "trunc_divide", "remainder", "fmod"):
                x, y = x % 128, y % 128
            g.case(name, [], x, y, direct=True)
        x, y = T.tensor([False, False, True, True]), T.tensor([False, True, False, True])
        if name in COMPARE + ["add", "mul", "div", "maximum", "minimum", "atan2", "copysign", "xlogy", "heaviside"]:
            g.case(name, [], x, y, direct=True)
    for name in WHOLE:
        for dtype in INTS + ([T.bool] if name in ("bitwise_and", "bitwise_or", "bitwise_xor") else []):
            pairs = [(12, 5), (0, 0), (0, 4), (9, 6), (-12, 5), (-5, -3), (1, 0), (60, 2), (7, 7)]
            if "shift" in name or name == "lcm":
                pairs = [(abs(a), abs(b) % 4) for a, b in pairs] + ([(-12, 2), (-1, 1)] if dtype != T.uint8 and "shift" in name else [])
            x, y = (T.tensor(c).to(dtype) for c in zip(*pairs))
            g.case(name, [], x, y)
    smooth = [(1.5, 0.5), (-1.5, 0.75), (2.0, -1.25), (0.25, 3.0), (3.5, 1.25), (-0.5, -2.0)]
    kinks = [(1.0, 1.0), (-2.0, -2.0), (0.0, 1.0), (0.0, 2.0), (2.0, 0.0), (0.0, 0.0)]
    for name in SMOOTH:
        points = smooth + {"maximum": kinks, "minimum": kinks, "fmax": kinks, "fmin": kinks, "mul": kinks, "add": kinks, "sub": kinks,
                           "atan2": [(0.0, 1.0), (0.0, -1.0), (-3.0, -1e-3)], "logaddexp": [(0.0, 0.0)], "logaddexp2": [(0.0, 0.0)],
                           "hypot": [(3.0, 4.0), (0.0, 2.0)]}.get(name, [])
        if name in ("pow", "float_power"):
            points = [(1.5, 0.5), (0.25, 3.0), (2.0, -1.5), (3.5, 2.0), (0.5, 1.0), (4.0, 0.0)]
        if name == "xlogy":
            points = [(1.5, 0.5), (-1.5, 0.75), (0.25, 3.0), (0.0, 2.0)]
        x, y = columns(points, D)
        if name != "heaviside":  # without a derivative in PyTorch
            g.case(name, [], x, y)
    g.case("logaddexp", [], *columns([(40.0, -40.0), (700.0, 701.0), (-700.0, -710.0)], D), second=False)
    # the base of a power at 0 and below, and its exponent at base 0
    g.case("pow", [], T.tensor([0.0, 0.0, 0.0, -2.0, -2.0, -0.5], dtype=D), T.tensor([1.0, 2.0, 3.0, 2.0, 3.0, -1.0], dtype=D), wanted=[0])
    g.case("pow", [], T.tensor([0.0, 0.0, 2.0], dtype=D), T.tensor([1.0, 2.0, 0.5], dtype=D), wanted=[1], second=False)  # NaN in PyTorch
    for name in ("add", "mul", "div", "maximum", "pow", "lt", "remainder"):  # broadcast
        wanted = [] if name == "lt" else None
        g.case(name, [], T.tensor([[0.5], [2.0], [1.25]], dtype=D), T.tensor([1.5, 0.75], dtype=D), wanted=wanted)
        g.case(name, [], T.tensor(2.0, dtype=D), T.tensor([[1.5, 0.75]], dtype=D), wanted=wanted)
        g.case(name, [], T.zeros(0, 3, dtype=D), T.tensor([[1.5], ], dtype=D), wanted=[])
    for name in ("add", "sub"):
        g.case(name, [2.5], *columns(smooth, D))
        g.case(name, [0.1], *columns(smooth, S))
        g.case(name, [3], T.tensor([1, 2, -3]), T.tensor([5, -7, 11]))
    close = [(1.0, 1.0 + 1e-6), (1.0, 1.1), (0.0, 1e-9), (0.0, 1e-7), (inf, inf), (inf, -inf), (inf, 1.0), (1.0, inf), (nan, nan), (nan, 1.0), (-5.0, -5.00004), (1e10, 1.00001e10)]
    for dtype in (D, S):
        for args in ([1e-5, 1e-8, 0], [1e-5, 1e-8, 1], [0.2, 0.0, 0], [0.0, 0.5, 1]):
            g.case("isclose", args, *columns(close, dtype), wanted=[], direct=True)
            for n in (1, 3, 5, 12):
                g.case("allclose", args, *[c[:n] for c in columns(close, dtype)], wanted=[], direct=True)
    g.case("isclose", [0.1, 1.0, 0], T.tensor([10, 10, 0, -5]), T.tensor([11, 13, 1, -8]))
    for x, y in [([1.0, 2.0], [1.0, 2.0]), ([1.0, 2.0], [1.0, 3.0]), ([nan], [nan]), ([0.0], [-0.0]), ([1.0], [[1.0]]), ([], [])]:
        g.case("equal", [], T.tensor(x, dtype=D), T.tensor(y, dtype=D), wanted=[])
    three_operands(g)


def three_operands(g):
    c = T.tensor([True, False, True, False, True])
    x, y = T.tensor([1.0, nan, -0.0, 2.0, inf], dtype=D), T.tensor([nan, 0.5, 3.0, -0.0, -inf], dtype=D)
    for dtype in (D, S, B, H, T.int32, T.uint8, T.bool):
        a, b = (T.nan_to_num(t, 3.0, 4.0, 5.0).to(dtype) if not dtype.is_floating_point else t.to(dtype) for t in (x, y))
        g.case("where", [], c, a, b, wanted=[])
    v = lambda *values: T.tensor(values, dtype=D)
    g.case("where", [], T.tensor([[True], [False]]), v(1.5, 2.5, -1.0), v(4.0, 0.5, 2.0))
    g.case("where", [], T.tensor(True), v(1.5, 2.5, -1.0), T.tensor(4.0, dtype=D))
    ends = [v(1.0, -2.0, 0.1, 3.0, 1e20, 0.0, inf, nan), v(3.0, 5.0, 0.7, 3.0, -1e20, 1.0, 1.0, 1.0), v(0.0, 1.0, 0.25, 0.5, 0.75, 2.0, 0.5, 0.5)]
    for dtype in (D, S, B, H):
        cut = [t[:4] if dtype == H else t for t in ends]
        g.case("lerp", [], *[t.to(dtype) for t in cut], wanted=[])
        g.case("lerp_number", [0.25], *[t.to(dtype) for t in cut[:2]], wanted=[])
        g.case("addcmul", [0.5], *[t.to(dtype) for t in cut], wanted=[])
        g.case("addcdiv", [0.5], *[t.to(dtype) for t in cut[:2]], (cut[2] - 0.375).to(dtype), wanted=[])
        g.case("clamp", [], v(-3.0, 0.5, 7.0, nan, inf, 1.0, 0.0).to(dtype), v(-1.0, -1.0, -1.0, 0.0, 0.0, 3.0, nan).to(dtype), v(2.0, 2.0, 2.0, 1.0, 1.0, 2.0, 1.0).to(dtype), wanted=[])
    g.case("clamp", [], T.tensor([-3, 0, 7, 5]), T.tensor([-1, 1, 0, 9]), T.tensor([2, 3, 4, 6]))
    g.case("clamp", [], T.tensor([[-3, 7]], dtype=T.int32), T.tensor([[-1], [1]], dtype=T.int32), T.tensor(4, dtype=T.int32))
    g.case("lerp", [], v(1.0, -2.0, 0.5), v(3.0, 5.0, 0.5), v(0.25, 0.75, -1.0))
    g.case("lerp", [], v(1.0, -2.0, 0.5).reshape(3, 1), v(3.0, 5.0), v(0.25, 0.75))
    g.case("lerp_number", [0.25], v(1.0, -2.0, 0.5), v(3.0, 5.0, 0.5))
    for op in ("addcmul", "addcdiv"):
        g.case(op, [1.0], v(1.0, -2.0, 0.5), v(3.0, 5.0, 0.5), v(0.25, 0.75, -1.0))
        g.case(op, [-0.5], v(1.0, -2.0), v(3.0, 5.0, 0.5).reshape(3, 1), v(0.25, 0.75))
    # clamp between tensors: x inside, outside and on a bound; crossed bounds
    g.case("clamp", [], v(-3.0, 0.5, 7.0, 1.0), v(-1.0, -1.0, -1.0, 3.0), v(2.0, 2.0, 2.0, 2.0))


unary = Goldens(UNARY, ONCE)
unary_cases(unary)
unary.write("test/ops/unary_goldens.txt")
binary = Goldens(BINARY)
binary_cases(binary)
binary.write("test/ops/binary_goldens.txt")
