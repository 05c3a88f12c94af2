"""Writes test/optim/grad_scaler_goldens.txt: 14 steps of PyTorch's GradScaler("cpu") with SGD and Adam, some gradients of which are infinite or NaN.

A line for each step: optimizer, step, scale and growth tracker after it, parameters after it. The last line of an optimizer: its name, "state" and the
scaler's state_dict.
"""
import math

import torch

BAD = {4: math.inf, 5: math.nan, 11: -math.inf}

with open("test/optim/grad_scaler_goldens.txt", "w") as out:
    for name, make in (("sgd", lambda p: torch.optim.SGD([p], lr=0.1, momentum=0.9, dampening=0.5)), ("adam", lambda p: torch.optim.Adam([p], lr=0.1))):
        p = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
        optimizer, scaler = make(p), torch.amp.GradScaler("cpu", init_scale=1024.0, growth_factor=4.0, backoff_factor=0.25, growth_interval=3)
        for t in range(14):
            x = torch.sin(torch.arange(3) * 0.7 + 0.9 * t)
            if t in BAD:
                x[t % 3] = BAD[t]
            optimizer.zero_grad()
            scaler.scale((p * x).sum() + (p * p).sum()).backward()
            if t % 2:
                scaler.unscale_(optimizer)
                torch.nn.utils.clip_grad_value_([p], 1.5)
            scaler.step(optimizer)
            scaler.update()
            print(name, t, scaler.get_scale(), scaler.state_dict()["_growth_tracker"], *(repr(v) for v in p.tolist()), file=out)
        print(name, "state", *(f"{k}={v}" for k, v in scaler.state_dict().items()), file=out)
