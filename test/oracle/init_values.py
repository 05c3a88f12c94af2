"""Writes test/nn/init_goldens.txt with PyTorch: what the functions of torch.nn.init leave in a tensor after a seed.

Needs PyTorch. Run from the root: python test/oracle/init_values.py

A line: function, seed and arguments => | values ("dtype shape values").
"""
import math

import torch
from torch.nn import init

lines = []


def tensor_text(t):
    return f"{str(t.dtype).replace('torch.', '')} {'x'.join(map(str, t.shape))} {','.join(f'{v:.9g}' for v in t.flatten().tolist())}"


def case(name, shape, f, *arguments):
    seed = 30 + len(lines)
    torch.manual_seed(seed)
    w = torch.full(shape, 7.0)
    f(w)
    lines.append(f"{name} {seed} {' '.join(str(a) for a in arguments)} => | {tensor_text(w)}")


def trunc_normal_(w, mean, std, a, b):
    """By inversion, as torch.nn.init.trunc_normal_ for many years; the newest releases reject values instead."""
    low, high = [(1 + math.erf((v - mean) / std / math.sqrt(2))) / 2 for v in (a, b)]
    return w.uniform_(2 * low - 1, 2 * high - 1).erfinv_().mul_(std * math.sqrt(2)).add_(mean).clamp_(min=a, max=b)


case("uniform_", (2, 3), lambda w: init.uniform_(w, -1, 3), -1, 3)
case("normal_", (3, 6), lambda w: init.normal_(w, 1, 0.5), 1, 0.5)
case("trunc_normal_", (2, 3), lambda w: trunc_normal_(w, 0.5, 1.5, -1, 2), 0.5, 1.5, -1, 2)
for shape in [(2, 3), (4, 2, 2, 1)]:
    case("xavier_uniform_", shape, lambda w: init.xavier_uniform_(w, 2.0), 2.0)
    case("xavier_normal_", shape, lambda w: init.xavier_normal_(w), 1.0)
    for mode in ["fan_in", "fan_out"]:
        case("kaiming_uniform_", shape, lambda w: init.kaiming_uniform_(w, math.sqrt(5), mode), math.sqrt(5), mode, "leaky_relu")
        case("kaiming_normal_", shape, lambda w: init.kaiming_normal_(w, mode=mode, nonlinearity="relu"), 0, mode, "relu")
for shape in [(3, 3), (4, 2), (2, 5), (2, 3, 2), (6, 2, 1)]:
    case("orthogonal_", shape, lambda w: init.orthogonal_(w, 1.5), 1.5)
case("eye_", (2, 3), init.eye_)
case("eye_", (3, 2), init.eye_)
for shape, groups in [((3, 2, 3), 1), ((2, 3, 4), 1), ((2, 2, 3, 2), 1), ((1, 1, 2, 3, 1), 1), ((4, 1, 3), 2), ((6, 2, 1, 1), 3)]:
    case("dirac_", shape, lambda w: init.dirac_(w, groups), groups)
for shape, sparsity in [((4, 3), 0.3), ((5, 2), 0.8), ((3, 2), 0.0), ((2, 2), 1.0)]:
    case("sparse_", shape, lambda w: init.sparse_(w, sparsity, 0.1), sparsity, 0.1)

with open("test/nn/init_goldens.txt", "w") as f:
    f.write("\n".join(lines) + "\n")
