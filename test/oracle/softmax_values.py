"""Prints the values in test/ops/softmax.cpp: the softmax family and cross entropy with PyTorch in float64.

Needs PyTorch. Run: python test/oracle/softmax_values.py. Inputs are 3 sin(k), k = 0, 1, ... in row-major order.
"""
import torch
import torch.nn.functional as F


def wave(*shape):
    return (3 * torch.sin(torch.arange(torch.Size(shape).numel(), dtype=torch.float64))).reshape(shape).requires_grad_()


def show(name, t):
    print(name, ", ".join(f"{v:.15g}" for v in t.detach().flatten().tolist()))


for name, op in (("softmax", F.softmax), ("log_softmax", F.log_softmax), ("softmin", F.softmin)):
    for axis in (0, 1):
        x = wave(3, 4)
        y = op(x, axis)
        show(f"{name} axis {axis}", y)
        (y * torch.arange(12).reshape(3, 4)).sum().backward()
        show(f"{name} axis {axis} gradient", x.grad)

target = torch.tensor([2, 0, -100])
weight = torch.tensor([0.5, 1.0, 2.0, 0.25], dtype=torch.float64)
soft = torch.softmax(-wave(3, 4).detach(), 1)
for name, t, options in (
    ("classes", target, {}),
    ("weight", target, {"weight": weight}),
    ("smoothing", target, {"label_smoothing": 0.1}),
    ("weight and smoothing", target, {"weight": weight, "label_smoothing": 0.1}),
    ("ignore class 0", torch.tensor([2, 0, 1]), {"ignore_index": 0}),
    ("probabilities", soft, {"weight": weight, "label_smoothing": 0.1}),
):
    for reduction in ("none", "mean", "sum"):
        show(f"{name} {reduction}", F.cross_entropy(wave(3, 4), t, reduction=reduction, **options))
    x = wave(3, 4)
    F.cross_entropy(x, t, **options).backward()
    show(f"{name} gradient of mean", x.grad)
x = wave(2, 3, 2)
show("maps none", F.cross_entropy(x, torch.tensor([[0, 2], [1, 1]]), reduction="none"))
show("nothing left", F.cross_entropy(wave(3, 4), torch.full((3,), -100)))
show("empty mean", F.cross_entropy(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)))
show("all -inf", F.softmax(torch.full((2,), -torch.inf), 0))
show("an inf", F.softmax(torch.tensor([torch.inf, 0.0]), 0))
