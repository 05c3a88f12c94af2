"""Writes test/core/print_goldens.h: the texts that PyTorch prints for some tensors, next to the same tensors in C++.

Needs PyTorch. Run from the root: python test/oracle/print_goldens.py
"""
import torch

nan, inf = float("nan"), float("inf")
CASES = [  # C++, Python
    ("tensor({1., 2., 3.})", "torch.tensor([1., 2., 3.])"),
    ("tensor({{1., 2.}, {3., 4.5}})", "torch.tensor([[1., 2.], [3., 4.5]])"),
    ("tensor(3.25)", "torch.tensor(3.25)"),
    ("tensor(5)", "torch.tensor(5)"),
    ("tensor(5.)", "torch.tensor(5.)"),
    ("tensor(true)", "torch.tensor(True)"),
    ("tensor({0.0001, 1.})", "torch.tensor([0.0001, 1.])"),
    ("tensor({0.00001, 0.5})", "torch.tensor([0.00001, 0.5])"),
    ("tensor({0.001, 1.})", "torch.tensor([0.001, 1.])"),
    ("tensor({0.001, 1.001})", "torch.tensor([0.001, 1.001])"),
    ("tensor({1., 1001.})", "torch.tensor([1., 1001.])"),
    ("tensor({1., 1000.})", "torch.tensor([1., 1000.])"),
    ("tensor({1e8})", "torch.tensor([1e8])"),
    ("tensor({1.5e8, 1e8})", "torch.tensor([1.5e8, 1e8])"),
    ("tensor({-1e-7})", "torch.tensor([-1e-7])"),
    ("tensor({-1.5, 0., 22.25})", "torch.tensor([-1.5, 0., 22.25])"),
    ("tensor({0., 0.})", "torch.tensor([0., 0.])"),
    ("tensor({-0., 0.})", "torch.tensor([-0., 0.])"),
    ("tensor({nan, inf, -inf})", "torch.tensor([nan, inf, -inf])"),
    ("tensor({nan, 1., -inf})", "torch.tensor([nan, 1., -inf])"),
    ("tensor({nan, 1.5, -inf})", "torch.tensor([nan, 1.5, -inf])"),
    ("tensor({nan, 1e-9, -inf})", "torch.tensor([nan, 1e-9, -inf])"),
    ("tensor({nan, 1e-130, 5e200}, {.dtype = float64})", "torch.tensor([nan, 1e-130, 5e200], dtype=torch.float64)"),
    ("tensor({1, -20, 300})", "torch.tensor([1, -20, 300])"),
    ("tensor({true, false})", "torch.tensor([True, False])"),
    ("tensor({true, true})", "torch.tensor([True, True])"),
    ("tensor({1, 2}, {.dtype = int32})", "torch.tensor([1, 2], dtype=torch.int32)"),
    ("tensor({1, 200}, {.dtype = uint8})", "torch.tensor([1, 200], dtype=torch.uint8)"),
    ("tensor({-1, 100}, {.dtype = int8})", "torch.tensor([-1, 100], dtype=torch.int8)"),
    ("tensor({-1, 100}, {.dtype = int16})", "torch.tensor([-1, 100], dtype=torch.int16)"),
    ("tensor({0.1, 2.}, {.dtype = float64})", "torch.tensor([0.1, 2.], dtype=torch.float64)"),
    ("tensor({0.1, 2.}, {.dtype = float16})", "torch.tensor([0.1, 2.], dtype=torch.float16)"),
    ("tensor({0.1, 2048.}, {.dtype = bfloat16})", "torch.tensor([0.1, 2048.], dtype=torch.bfloat16)"),
    ("tensor({9007199254740993, 1})", "torch.tensor([9007199254740993, 1])"),
    ("zeros({0})", "torch.zeros(0)"),
    ("zeros({0, 3})", "torch.zeros(0, 3)"),
    ("zeros({0}, {.dtype = int64})", "torch.zeros(0, dtype=torch.int64)"),
    ("zeros({2, 0, 1}, {.dtype = boolean})", "torch.zeros(2, 0, 1, dtype=torch.bool)"),
    ("zeros({0}).requires_grad_()", "torch.zeros(0, requires_grad=True)"),
    ("tensor({1., 2.}).requires_grad_()", "torch.tensor([1., 2.], requires_grad=True)"),
    ("tensor({1.5, 2.}, {.dtype = float64}).requires_grad_()", "torch.tensor([1.5, 2.], dtype=torch.float64, requires_grad=True)"),
    ("arange(24).reshape({2, 3, 4})", "torch.arange(24).reshape(2, 3, 4)"),
    ("arange(24).reshape({2, 3, 4}).transpose(0, 2)", "torch.arange(24).reshape(2, 3, 4).transpose(0, 2)"),
    ("arange(8.).reshape({2, 1, 2, 2})", "torch.arange(8.).reshape(2, 1, 2, 2)"),
    ("arange(40)", "torch.arange(40)"),
    ("arange(40.)", "torch.arange(40.)"),
    ("linspace(0, 1, 30)", "torch.linspace(0, 1, 30)"),
    ("linspace(0, 1, 60).reshape({2, 30})", "torch.linspace(0, 1, 60).reshape(2, 30)"),
    ("arange(1000)", "torch.arange(1000)"),
    ("arange(1001)", "torch.arange(1001)"),
    ("arange(1001.)", "torch.arange(1001.)"),
    ("arange(1200).reshape({30, 40})", "torch.arange(1200).reshape(30, 40)"),
    ("arange(1200.).reshape({300, 4}) / 7", "torch.arange(1200.).reshape(300, 4) / 7"),
    ("arange(1200).reshape({2, 2, 300})", "torch.arange(1200).reshape(2, 2, 300)"),
    ("arange(2000).reshape({10, 10, 20})", "torch.arange(2000).reshape(10, 10, 20)"),
    ("arange(1200).reshape({1, 1200}).expand({7, 1200})", "torch.arange(1200).reshape(1, 1200).expand(7, 1200)"),
    ("ones({7, 7, 7, 7})", "torch.ones(7, 7, 7, 7)"),
    ("ones({4, 4}, {.dtype = float64}).requires_grad_()", "torch.ones(4, 4, dtype=torch.float64, requires_grad=True)"),
    ("arange(1, 1e7, 1e6)", "torch.arange(1, 1e7, 1e6)"),
    ("arange(13.) * 1234.5", "torch.arange(13.) * 1234.5"),
    ("arange(6.).reshape({2, 3}) * -1e-5", "torch.arange(6.).reshape(2, 3) * -1e-5"),
    ("tensor({0.99996, 9.99996})", "torch.tensor([0.99996, 9.99996])"),
    ("tensor({-9.99996, 9.5})", "torch.tensor([-9.99996, 9.5])"),
    ("tensor({65504., 1.}, {.dtype = float16})", "torch.tensor([65504., 1.], dtype=torch.float16)"),
]
OPTIONS = [  # C++ options, Python options, C++, Python
    (".precision = 2", dict(precision=2), "linspace(0, 1, 4)", "torch.linspace(0, 1, 4)"),
    (".precision = 0", dict(precision=0), "linspace(0, 1, 4)", "torch.linspace(0, 1, 4)"),
    (".precision = 8", dict(precision=8), "arange(12.) / 11", "torch.arange(12.) / 11"),
    (".threshold = 5", dict(threshold=5), "arange(7)", "torch.arange(7)"),
    (".threshold = 5", dict(threshold=5), "arange(6)", "torch.arange(6)"),
    (".threshold = 5, .edgeitems = 1", dict(threshold=5, edgeitems=1), "arange(30.).reshape({5, 6})", "torch.arange(30.).reshape(5, 6)"),
    (".threshold = 5, .edgeitems = 2", dict(threshold=5, edgeitems=2), "arange(150).reshape({5, 5, 6})", "torch.arange(150).reshape(5, 5, 6)"),
    (".linewidth = 30", dict(linewidth=30), "arange(20)", "torch.arange(20)"),
    (".linewidth = 30", dict(linewidth=30), "ones({3}, {.dtype = float64}).requires_grad_()", "torch.ones(3, dtype=torch.float64, requires_grad=True)"),
    (".linewidth = 5", dict(linewidth=5), "arange(3)", "torch.arange(3)"),
    (".linewidth = 200", dict(linewidth=200), "arange(50)", "torch.arange(50)"),
    (".sci_mode = true", dict(sci_mode=True), "tensor({1., 2., 300.})", "torch.tensor([1., 2., 300.])"),
    (".sci_mode = true", dict(sci_mode=True), "tensor({1.5, -2.5})", "torch.tensor([1.5, -2.5])"),
    (".sci_mode = true", dict(sci_mode=True), "tensor({0., nan})", "torch.tensor([0., nan])"),
    (".sci_mode = false", dict(sci_mode=False), "tensor({1e-6, 1.5})", "torch.tensor([1e-6, 1.5])"),
    (".sci_mode = false", dict(sci_mode=False), "tensor({1., 1e9})", "torch.tensor([1., 1e9])"),
    (".precision = 1, .sci_mode = true", dict(precision=1, sci_mode=True), "tensor({1.5, -2.5e10})", "torch.tensor([1.5, -2.5e10])"),
]


def golden(python):
    return repr(eval(python)).replace("dtype=torch.", "dtype=")


def row(options, cpp, text):
    lines = text.split("\n")
    quoted = "\n     ".join('"' + line + ("\\n" if k + 1 < len(lines) else "") + '"' for k, line in enumerate(lines))
    return f"    {{{{{options}}}, [] {{ return Tensor({cpp}); }},\n     {quoted}}},\n".replace("Tensor(tensor(", "Tensor(rill::tensor(")


out = """// Written by test/oracle/print_goldens.py with PyTorch %s. Do not edit.
#pragma once

// clang-format off
inline const PrintGolden kPrintGoldens[] = {
""" % torch.__version__.split("+")[0]
for cpp, python in CASES:
    out += row("", cpp, golden(python))
for options, python_options, cpp, python in OPTIONS:
    torch.set_printoptions(profile="default")
    torch.set_printoptions(**python_options)
    out += row(options, cpp, golden(python))
out += "};\n// clang-format on\n"
open("test/core/print_goldens.h", "w").write(out)
