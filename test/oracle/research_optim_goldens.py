"""Writes test/optim/research_optim_goldens.txt: optimizers that are not part of PyTorch, with the packages that notebooks take them from.

Needs PyTorch 2, timm (Lars, Lamb), adabelief-pytorch and schedulefree. Run from the root: python test/oracle/research_optim_goldens.py

The problem and the format are those of test/oracle/optim_goldens.py. p and q have an optimizer each, since those packages count the updates of a group and
rill counts those of a parameter. The sections "average" of the schedule-free methods are what their eval() puts into p and q after step 20.
"""
import contextlib
import io

import torch
from schedulefree import AdamWScheduleFree, SGDScheduleFree
from timm.optim import Lamb, Lars

with contextlib.redirect_stdout(io.StringIO()):
    from adabelief_pytorch import AdaBelief

torch.set_default_dtype(torch.float64)
SHOWN = [1, 2, 3, 5, 10, 20]
STARTS = [torch.arange(5.0), torch.arange(5.0, 8.0)]


def text(values):
    return ",".join(f"{float(v):.17g}" for v in values)


def option_text(options):
    value = lambda v: str(int(v)) if isinstance(v, bool) else ",".join(map(str, v)) if isinstance(v, tuple) else str(v)
    return "".join(f" {k}={value(v)}" for k, v in options.items())


def numbers(opt, x):
    """What the package keeps about x, under rill's names."""
    state, group = opt.state[x], opt.param_groups[0]
    found = {k: v.flatten().tolist() for k, v in state.items() if torch.is_tensor(v) and k != "step"}
    steps = state.get("step", group.get("step", group.get("k")))
    if steps is not None:
        found["step"] = [steps]
    for k in ("weight_sum", "lr_max"):
        if k in group:
            found[k] = [group[k]]
    return found


def run(name, make, maximize=False, **options):
    tensors = [s.cos().requires_grad_() for s in STARTS]
    with contextlib.redirect_stdout(io.StringIO()):
        opts = [make(x, **options) for x in tensors]
    free = hasattr(opts[0], "eval")
    for opt in opts if free else []:
        opt.train()
    seen = []
    for t in range(1, 21):
        for k, (x, i, opt) in enumerate(zip(tensors, STARTS, opts)):
            if t == 11:
                opt.param_groups[0]["lr"] *= 0.5
            if k == 1 and t % 2 == 0:
                continue
            g = x.detach() / 2 + torch.sin(0.7 * i + 0.9 * t)
            x.grad = -g if maximize else g
            opt.step()
        if t in SHOWN:
            seen += [v for x in tensors for v in x.tolist()]
    slots = "".join(f" | {slot} {text(v)}" for opt, x in zip(opts, tensors) for slot, v in numbers(opt, x).items())
    for opt, x in zip(opts, tensors) if free else []:
        opt.eval()
        slots += f" | average {text(x.tolist())}"
    if maximize:
        options["maximize"] = True
    return f"{name}{option_text(options)} => {text(seen)}{slots}"


def lars(x, trust_coefficient=1e-3, adapt=True, momentum=0.9, **o):
    return Lars([x], trust_coeff=trust_coefficient if adapt else 1.0, always_adapt=adapt, momentum=momentum, foreach=False, **o)


def lamb(x, adapt=True, weight_decay=0.01, **o):
    opt = Lamb([x], always_adapt=True, max_grad_norm=None, weight_decay=weight_decay, foreach=False, **o)
    return opt


def adabelief(x, decoupled_weight_decay=True, **o):
    return AdaBelief([x], weight_decouple=decoupled_weight_decay, rectify=False, print_change_log=False, **o)


LINES = [
    ("Lars", lars, dict()), ("Lars", lars, dict(lr=10.0, weight_decay=0.3)), ("Lars", lars, dict(lr=2.0, momentum=0, trust_coefficient=0.05, eps=0.1)),
    ("Lars", lars, dict(lr=0.1, adapt=False)), ("Lars", lars, dict(lr=10.0, weight_decay=0.3, maximize=True)),
    ("Lamb", lamb, dict()), ("Lamb", lamb, dict(lr=0.1, betas=(0.8, 0.9), eps=0.01)), ("Lamb", lamb, dict(lr=0.1, weight_decay=0)), ("Lamb", lamb, dict(lr=0.05, weight_decay=0.3, maximize=True)),
    ("AdaBelief", adabelief, dict()), ("AdaBelief", adabelief, dict(lr=0.1, betas=(0.8, 0.9), eps=0.01)),
    ("AdaBelief", adabelief, dict(lr=0.1, weight_decay=0.3, decoupled_weight_decay=True)), ("AdaBelief", adabelief, dict(lr=0.1, weight_decay=0.3, decoupled_weight_decay=False, maximize=True)),
]
for name, cls in [("ScheduleFreeSgd", SGDScheduleFree), ("ScheduleFreeAdamW", AdamWScheduleFree)]:
    make = lambda x, cls=cls, **o: cls([x], foreach=False, **o)
    beta = dict(momentum=0.8) if cls is SGDScheduleFree else dict(betas=(0.8, 0.9), eps=0.01)
    LINES += [(name, make, dict()), (name, make, dict(lr=0.1, warmup_steps=7, **beta)), (name, make, dict(lr=0.1, weight_decay=0.3, r=1.5, weight_lr_power=1.0)), (name, make, dict(lr=0.1, maximize=True))]
open("test/optim/research_optim_goldens.txt", "w").write("\n".join(run(name, make, **o) for name, make, o in LINES) + "\n")
