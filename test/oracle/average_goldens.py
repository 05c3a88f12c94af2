"""Writes test/optim/average_goldens.txt: averages of weights with torch.optim.swa_utils.

Needs PyTorch 2. Run from the root: python test/oracle/average_goldens.py

Before update t = 1..6 a parameter is cos(i) + t, a buffer sin(i) t, i < 3, in float64. A line: method options => parameter and buffer of the average after each update.
"""
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, get_swa_multi_avg_fn

I = torch.arange(3, dtype=torch.float64)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.p = torch.nn.Parameter(torch.full((3,), 100.0, dtype=torch.float64))
        self.register_buffer("b", torch.full((3,), 100.0, dtype=torch.float64))


def run(text, function, use_buffers):
    model = Model()
    average = AveragedModel(model, multi_avg_fn=function, use_buffers=use_buffers)
    seen = []
    for t in range(1, 7):
        with torch.no_grad():
            model.p.copy_(I.cos() + t)
            model.b.copy_(I.sin() * t)
        average.update_parameters(model)
        seen += average.module.p.tolist() + average.module.b.tolist()
    assert list(average.state_dict()) == ["n_averaged", "module.p", "module.b"]
    return f"{text} use_buffers={int(use_buffers)} => {','.join(f'{v:.17g}' for v in seen)}"


lines = [run(f"MovingAverage decay={d}", get_ema_multi_avg_fn(d), b) for d in (0.75, 0.9375) for b in (False, True)]
lines += [run("SwaAverage", get_swa_multi_avg_fn(), b) for b in (False, True)]
open("test/optim/average_goldens.txt", "w").write("\n".join(lines) + "\n")
