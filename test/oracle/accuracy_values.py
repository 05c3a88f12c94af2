"""Writes test/ops/accuracy_values.txt: functions where they are hard to compute, in 17 digits with mpmath.

Needs mpmath. Run from the root: python test/oracle/accuracy_values.py

A line: op | inputs => | values, as test/support/goldens.h reads them. A second line of an op holds inputs that float32 has too.
"""
import mpmath as mp

mp.mp.dps = 80
ROOT = 2 * mp.sqrt(2 / mp.pi)
F = {
    "gelu": lambda x: x * mp.ncdf(x),
    "gelu_tanh": lambda x: x / (1 + mp.exp(-ROOT * (x + mp.mpf("0.044715") * x**3))),
    "digamma": mp.digamma,
    "trigamma": lambda x: mp.psi(1, x),
    "lgamma": lambda x: mp.log(abs(mp.gamma(x))),
    "log1p": mp.log1p,
    "expm1": mp.expm1,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "logsigmoid": lambda x: -mp.log1p(mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
    "erfc": mp.erfc,
    "erfinv": mp.erfinv,
    "logit": lambda x: mp.log(x / (1 - x)),
    "sinc": mp.sincpi,
    "tan": mp.tan,
    "sin": mp.sin,
}
CASES = [
    ("gelu", [-6, -6.5, -7, -7.5, -8, -9, -10.25, -11.5, -12, -12.75, -13]), ("gelu_tanh", [-6, -6.5, -7.5, -8, -9]),
    ("digamma", [1.46, 1.4616, 1.461632, 1.4616321449683622, 1.4616321449683625, 1.4617, 1.47, 1.35, 1.6, -1e-9, -1e-300, 1e-300, 1e9]),
    ("digamma", [1.4616321325302124, 1.461632251739502, 1.5, -0.0009765625, -1.9990234375, 1048576]), ("trigamma", [-0.0009765625, -2.9990234375, -1000.5, 1e-3, 1e6]),
    ("lgamma", [1.0009765625, 1.9990234375, 2.0009765625, -0.5, -2.25, 1e6, 0.0009765625]), ("log1p", [1e-5, 1e-10, -1e-10, 1e-300, -0.5]),
    ("log1p", [2.0**-20, -(2.0**-20), 2.0**-40, 2.0**-100]), ("expm1", [1e-5, 1e-10, -1e-10, 1e-300]), ("expm1", [2.0**-20, -(2.0**-20), 2.0**-40, -40.0, 80.0]),
    ("sigmoid", [-87, -80.5, -40, 40, 17]), ("silu", [-85, -40, 40]), ("logsigmoid", [-80, 80, 40, 17.5]), ("softplus", [-80, -40, 19.5]), ("mish", [-80, -40, 19]), ("erfc", [9, 5.5, -3]),
    ("erfinv", [1 - 2.0**-24, -1 + 2.0**-20, 2.0**-30, 0.5]), ("erfinv", [1 - 2.0**-53, 1 - 1e-12]), ("logit", [0.5 + 2.0**-20, 0.5 - 2.0**-24, 2.0**-30, 1 - 2.0**-24]),
    ("sinc", [1 + 2.0**-20, 3 - 2.0**-20, 2.0**-20, 1000.5]), ("tan", [1.5703125, 11, 1e5]), ("sin", [3.140625, 22, 1e5]),
]
lines = []
for op, points in CASES:
    values = [repr(float(F[op](mp.mpf(x)))) for x in points]
    lines.append(f"{op} | float64 {len(points)} {','.join(map(repr, points))} => | float64 {len(points)} {','.join(values)}")
open("test/ops/accuracy_values.txt", "w").write("\n".join(lines) + "\n")
