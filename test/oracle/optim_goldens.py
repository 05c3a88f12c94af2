"""Writes test/optim/optim_goldens.txt and test/optim/lr_goldens.txt with PyTorch.

Needs PyTorch 2. Run from the root: python test/oracle/optim_goldens.py

The problem of optim_goldens.txt, in float64: p_i = cos(i) for i < 5, q_i = cos(5 + i) for i < 3. In step t = 1..20 the gradient of element i (0..7 over
both) is p_i / 2 + sin(0.7 i + 0.9 t); q has none when t is even; from t = 11 on the rate is halved.
A line: optimizer options => p and q after steps 1, 2, 3, 5, 10, 20 (48 values) | slot values ... (state of p, then of q).
The line of Lbfgs: three calls of step on f(p) = sum_i (1 + i) (p_i - sin i)^2 + sum_i p_i^4 / 4, i < 5, from p_i = cos(3 i): p after each | loss before each.

lr_goldens.txt: scheduler options => the rate before each of 60 steps [| momentum].
"""
import math

import torch

torch.set_default_dtype(torch.float64)
SHOWN = [1, 2, 3, 5, 10, 20]
A = torch.arange(5.0)
B = torch.arange(5.0, 8.0)


def text(values):
    return ",".join(f"{float(v):.17g}" for v in values)


def option_text(options):
    def value(v):
        if isinstance(v, bool):
            return str(int(v))
        if isinstance(v, (tuple, list)):
            return ",".join(map(str, v))
        return str(v)
    return "".join(f" {k}={value(v)}" for k, v in options.items())


def run_optimizer(name, cls, **options):
    p, q = A.cos().requires_grad_(), B.cos().requires_grad_()
    opt = cls([p, q], **options)
    seen = []
    for t in range(1, 21):
        if t == 11:
            opt.param_groups[0]["lr"] *= 0.5
        with torch.no_grad():
            p.grad = p / 2 + torch.sin(0.7 * A + 0.9 * t)
            q.grad = q / 2 + torch.sin(0.7 * B + 0.9 * t) if t % 2 else None
        opt.step()
        if t in SHOWN:
            seen += p.tolist() + q.tolist()
    slots = ""
    for x in (p, q):
        for slot, v in opt.state[x].items():
            if torch.is_tensor(v):
                slots += f" | {slot} {text(v.flatten().tolist())}"
    return f"{name}{option_text(options)} => {text(seen)}{slots}"


def run_lbfgs(**options):
    p = torch.cos(3 * A).requires_grad_()
    opt = torch.optim.LBFGS([p], **options)

    def closure():
        opt.zero_grad()
        loss = ((1 + A) * (p - torch.sin(A)) ** 2).sum() + (p ** 4).sum() / 4
        loss = -loss if options.get("maximize") else loss
        loss.backward()
        return loss.detach()

    seen, losses = [], []
    for _ in range(3):
        losses.append(float(opt.step(closure)))
        seen += p.tolist()
    counts = opt.state[p]
    return f"Lbfgs{option_text(options)} => {text(seen)} | losses {text(losses)} | counts {counts['n_iter']},{counts['func_evals']}"


O = torch.optim
OPTIMIZERS = [
    ("Sgd", O.SGD, [dict(lr=0.1), dict(lr=0.1, weight_decay=0.2), dict(lr=0.1, maximize=True, weight_decay=0.2), dict(lr=0.1, momentum=0.9),
                    dict(lr=0.1, momentum=0.9, dampening=0.5), dict(lr=0.1, momentum=0.9, nesterov=True),
                    dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1, maximize=True)]),
    ("Adam", O.Adam, [dict(lr=0.1), dict(), dict(lr=0.1, betas=(0.8, 0.9), eps=0.1), dict(lr=0.1, betas=(0.9, 0.5), amsgrad=True), dict(lr=0.1, weight_decay=0.3),
                      dict(lr=0.1, weight_decay=0.3, decoupled_weight_decay=True), dict(lr=0.1, weight_decay=0.3, maximize=True, amsgrad=True)]),
    ("AdamW", O.AdamW, [dict(), dict(lr=0.1, weight_decay=0.3), dict(lr=0.1, betas=(0.9, 0.5), amsgrad=True), dict(lr=0.1, maximize=True)]),
    ("Adamax", O.Adamax, [dict(), dict(lr=0.1, betas=(0.8, 0.7), eps=0.01), dict(lr=0.1, weight_decay=0.3), dict(lr=0.1, weight_decay=0.3, maximize=True)]),
    ("NAdam", O.NAdam, [dict(), dict(lr=0.1, betas=(0.8, 0.9), momentum_decay=0.1), dict(lr=0.1, weight_decay=0.3),
                        dict(lr=0.1, weight_decay=0.3, decoupled_weight_decay=True, maximize=True)]),
    ("RAdam", O.RAdam, [dict(), dict(lr=0.1, betas=(0.8, 0.9)), dict(lr=0.1, betas=(0.8, 0.5)), dict(lr=0.1, weight_decay=0.3),
                        dict(lr=0.1, weight_decay=0.3, decoupled_weight_decay=True, maximize=True)]),
    ("RmsProp", O.RMSprop, [dict(), dict(lr=0.1, alpha=0.9), dict(lr=0.1, momentum=0.9), dict(lr=0.1, centered=True), dict(lr=0.1, alpha=0.8, momentum=0.5, centered=True, eps=0.1),
                            dict(lr=0.1, weight_decay=0.3, maximize=True)]),
    ("Adagrad", O.Adagrad, [dict(), dict(lr=0.5, lr_decay=0.1), dict(lr=0.5, initial_accumulator_value=0.1, eps=0.0), dict(lr=0.5, weight_decay=0.3, maximize=True)]),
    ("Adadelta", O.Adadelta, [dict(), dict(lr=2.0, rho=0.7, eps=1e-3), dict(weight_decay=0.3, maximize=True)]),
    ("Rprop", O.Rprop, [dict(), dict(lr=0.1, etas=(0.3, 1.5), step_sizes=(0.01, 0.2)), dict(lr=0.1, maximize=True)]),
]
lines = [run_optimizer(name, cls, **o) for name, cls, all_options in OPTIMIZERS for o in all_options]
for o in [dict(), dict(lr=0.1, max_iter=4), dict(line_search_fn="strong_wolfe", max_iter=3, history_size=2), dict(lr=5.0, line_search_fn="strong_wolfe", max_iter=2),
          dict(lr=1e-3, line_search_fn="strong_wolfe", max_iter=2), dict(max_iter=8, max_eval=3, lr=0.2),
          dict(lr=1e-3, line_search_fn="strong_wolfe", max_iter=9), dict(line_search_fn="strong_wolfe", max_iter=6, maximize=True)]:
    lines.append(run_lbfgs(**o))
open("test/optim/optim_goldens.txt", "w").write("\n".join(lines) + "\n")

# ---- rates --------------------------------------------------------------------------------------------------------------------------

S = torch.optim.lr_scheduler
METRICS = [1 / (1 + e) if e < 12 else 0.08 + 0.02 * math.sin(e) for e in range(60)]


def run_scheduler(name, make, base=0.1, momentum=False, **options):
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base, momentum=0.5)
    scheduler = make(opt, **options)
    rates, momenta = [], []
    for e in range(60):
        rates.append(opt.param_groups[0]["lr"])
        momenta.append(opt.param_groups[0]["momentum"])
        if e == 30:  # the state survives a round trip
            saved = scheduler.state_dict()
            group = dict(opt.param_groups[0])
            scheduler = make(opt, **options)
            scheduler.load_state_dict(saved)
            opt.param_groups[0].update(group)
        if e == 59:
            break
        opt.step()
        if name == "ReduceLrOnPlateau":
            scheduler.step(METRICS[e])
        else:
            scheduler.step()
    shown = {} if name in ("OneCycleLr", "CyclicLr") else {"base": base}
    shown.update({k: v for k, v in options.items() if not callable(v)})
    return f"{name}{option_text(shown)} => {text(rates)}" + (f" | {text(momenta)}" if momentum else "")


def sequential(opt):
    return S.SequentialLR(opt, [S.LinearLR(opt, start_factor=0.25, total_iters=10), S.ExponentialLR(opt, gamma=0.9), S.StepLR(opt, step_size=5, gamma=0.5)], milestones=[10, 30])


def chained(opt):
    return S.ChainedScheduler([S.ConstantLR(opt, factor=0.1, total_iters=7), S.ExponentialLR(opt, gamma=0.9), S.MultiStepLR(opt, milestones=[20, 40], gamma=0.5)])


rates = [
    run_scheduler("StepLr", S.StepLR, step_size=7, gamma=0.5),
    run_scheduler("StepLr", S.StepLR, step_size=1),
    run_scheduler("MultiStepLr", S.MultiStepLR, milestones=[3, 10, 10, 41], gamma=0.3),
    run_scheduler("ExponentialLr", S.ExponentialLR, gamma=0.93),
    run_scheduler("CosineAnnealingLr", S.CosineAnnealingLR, T_max=25),
    run_scheduler("CosineAnnealingLr", S.CosineAnnealingLR, T_max=20, eta_min=0.01),
    run_scheduler("CosineAnnealingWarmRestarts", S.CosineAnnealingWarmRestarts, T_0=7),
    run_scheduler("CosineAnnealingWarmRestarts", S.CosineAnnealingWarmRestarts, T_0=4, T_mult=2, eta_min=0.003),
    run_scheduler("LambdaLr", S.LambdaLR, lr_lambda=lambda e: 1 / (1 + e)),
    run_scheduler("MultiplicativeLr", S.MultiplicativeLR, lr_lambda=lambda e: 1 - 0.5 / (1 + e)),
    run_scheduler("LinearLr", S.LinearLR),
    run_scheduler("LinearLr", S.LinearLR, start_factor=0.9, end_factor=0.05, total_iters=40),
    run_scheduler("ConstantLr", S.ConstantLR),
    run_scheduler("ConstantLr", S.ConstantLR, factor=0.5, total_iters=17),
    run_scheduler("PolynomialLr", S.PolynomialLR),
    run_scheduler("PolynomialLr", S.PolynomialLR, total_iters=45, power=2.0),
    run_scheduler("OneCycleLr", S.OneCycleLR, max_lr=0.4, total_steps=60, momentum=True),
    run_scheduler("OneCycleLr", S.OneCycleLR, max_lr=0.4, total_steps=61, pct_start=0.37, anneal_strategy="linear", base_momentum=0.7, max_momentum=0.9, div_factor=10.0,
                  final_div_factor=100.0, momentum=True),
    run_scheduler("OneCycleLr", S.OneCycleLR, max_lr=0.4, total_steps=60, three_phase=True, momentum=True),
    run_scheduler("CyclicLr", S.CyclicLR, base_lr=0.01, max_lr=0.3, step_size_up=7, momentum=True),
    run_scheduler("CyclicLr", S.CyclicLR, base_lr=0.01, max_lr=0.3, step_size_up=4, step_size_down=9, mode="triangular2", base_momentum=0.6, max_momentum=0.95, momentum=True),
    run_scheduler("CyclicLr", S.CyclicLR, base_lr=0.01, max_lr=0.3, step_size_up=5, mode="exp_range", gamma=0.97, momentum=True),
    run_scheduler("SequentialLr", sequential),
    run_scheduler("ChainedScheduler", chained),
    run_scheduler("SwaLr", torch.optim.swa_utils.SWALR, swa_lr=0.02),
    run_scheduler("SwaLr", torch.optim.swa_utils.SWALR, swa_lr=0.5, anneal_epochs=25, anneal_strategy="linear"),
    run_scheduler("SwaLr", torch.optim.swa_utils.SWALR, swa_lr=0.5, anneal_epochs=0),
    run_scheduler("ReduceLrOnPlateau", S.ReduceLROnPlateau, patience=3),
    run_scheduler("ReduceLrOnPlateau", S.ReduceLROnPlateau, mode="max", factor=0.5, patience=2, cooldown=4, min_lr=0.004),
    run_scheduler("ReduceLrOnPlateau", S.ReduceLROnPlateau, factor=0.3, patience=1, threshold=0.01, threshold_mode="abs", eps=0.0009),
]
open("test/optim/lr_goldens.txt", "w").write("\n".join(rates) + "\n")
