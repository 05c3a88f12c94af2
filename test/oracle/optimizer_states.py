"""Writes test/optim/states/*.safetensors with PyTorch: optimizers as they are saved after 10 steps, and the parameters after 10 and after 20.

Needs PyTorch 2 and safetensors. Run from the root: python test/oracle/optimizer_states.py
With a folder as argument: loads what the test "PyTorch's saved optimizers" wrote there (RILL_STATES=folder) and continues.

The problem is that of optim_goldens.py, in float64, with a third parameter r that never has a gradient. In "groups" r's group comes first.
A file holds "optimizer.<index>.<slot>", "saved.<p|q|r>", "later.<p|q|r>" and, as metadata, "param_groups" and the "name" that rill has for the optimizer.
"""
import json
import os
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

A = torch.arange(5, dtype=torch.float64)
B = torch.arange(5, 8, dtype=torch.float64)
O = torch.optim
CASES = {
    "sgd": ("Sgd", O.SGD, dict(lr=0.1, weight_decay=0.2)),
    "momentum": ("Sgd", O.SGD, dict(lr=0.1, momentum=0.9, nesterov=True)),
    "dampened": ("Sgd", O.SGD, dict(lr=0.1, momentum=0.9, dampening=0.5, maximize=True)),
    "adam": ("Adam", O.Adam, dict(lr=0.1, betas=(0.8, 0.9), weight_decay=0.3)),
    "amsgrad": ("Adam", O.Adam, dict(lr=0.1, betas=(0.9, 0.5), amsgrad=True)),
    "adamw": ("AdamW", O.AdamW, dict(lr=0.1, weight_decay=0.3)),
    "adamax": ("Adamax", O.Adamax, dict(lr=0.1, eps=0.01)),
    "nadam": ("NAdam", O.NAdam, dict(lr=0.1, momentum_decay=0.1, decoupled_weight_decay=True, weight_decay=0.3)),
    "radam": ("RAdam", O.RAdam, dict(lr=0.1, betas=(0.8, 0.9))),
    "rmsprop": ("RmsProp", O.RMSprop, dict(lr=0.1, alpha=0.8, momentum=0.5, centered=True, eps=0.1)),
    "adagrad": ("Adagrad", O.Adagrad, dict(lr=0.5, lr_decay=0.1, initial_accumulator_value=0.1)),
    "adadelta": ("Adadelta", O.Adadelta, dict(lr=2.0, rho=0.7, eps=1e-3)),
    "rprop": ("Rprop", O.Rprop, dict(lr=0.1, etas=(0.3, 1.5), step_sizes=(0.01, 0.2))),
    "groups": ("AdamW", O.AdamW, dict(lr=0.1, weight_decay=0.3)),
}


def parameters():
    return {"p": A.cos().requires_grad_(), "q": B.cos().requires_grad_(), "r": torch.ones(2, dtype=torch.float64).requires_grad_()}


def make(case, x):
    _, cls, options = CASES[case]
    if case == "groups":
        return cls([{"params": [x["r"]], "weight_decay": 0.0}, {"params": [x["p"], x["q"]], "lr": 0.2}], **options)
    return cls(list(x.values()), **options)


def take_steps(opt, x, first, last):
    for t in range(first, last + 1):
        with torch.no_grad():
            x["p"].grad = x["p"] / 2 + torch.sin(0.7 * A + 0.9 * t)
            x["q"].grad = x["q"] / 2 + torch.sin(0.7 * B + 0.9 * t) if t % 2 else None
        opt.step()


def write(case):
    x = parameters()
    opt = make(case, x)
    take_steps(opt, x, 1, 10)
    saved = opt.state_dict()
    tensors = {f"optimizer.{i}.{slot}": torch.as_tensor(v).clone() for i, slots in saved["state"].items() for slot, v in slots.items() if v is not None}
    tensors |= {f"saved.{name}": v.detach().clone() for name, v in x.items()}
    take_steps(opt, x, 11, 20)
    tensors |= {f"later.{name}": v.detach() for name, v in x.items()}
    save_file(tensors, f"test/optim/states/{case}.safetensors", {"name": CASES[case][0], "param_groups": json.dumps(saved["param_groups"])})


def read(case, folder):
    with safe_open(f"{folder}/{case}.safetensors", "pt") as f, safe_open(f"test/optim/states/{case}.safetensors", "pt") as own:
        saved = {"param_groups": json.loads(f.metadata()["param_groups"]), "state": {}}
        for name in f.keys():
            index, slot = name.split(".", 1)
            saved["state"].setdefault(int(index), {})[slot] = f.get_tensor(name)
        x = {name: own.get_tensor(f"saved.{name}").requires_grad_() for name in "pqr"}
        later = {name: own.get_tensor(f"later.{name}") for name in "pqr"}
    opt = make(case, x)
    for group in opt.param_groups:  # the options come from the file
        group["lr"], group["weight_decay"] = 7.0, 7.0
    opt.load_state_dict(saved)
    take_steps(opt, x, 11, 20)
    tolerance = 1e-8 if case == "nadam" else 1e-10  # PyTorch keeps NAdam's product of momenta in float32
    for name in x:
        torch.testing.assert_close(x[name], later[name], rtol=tolerance, atol=tolerance, msg=lambda m: f"{case} {name}: {m}")


os.makedirs("test/optim/states", exist_ok=True)
for case in CASES:
    if len(sys.argv) > 1:
        read(case, sys.argv[1])
    else:
        write(case)
print(torch.__version__, "agrees" if len(sys.argv) > 1 else "wrote", len(CASES), "files")
