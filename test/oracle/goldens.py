"""What the scripts that write golden files share: the text format of test/support/goldens.h, and values and derivatives with PyTorch.

A line: op, arguments and one digit per input (1: wants a gradient) | input tensors ... => | output tensors ... [| grad | ... | second | ...].
A tensor is "dtype shape values", a list argument "2,3". With w = 1, 2, ... over all outputs y: grad is the gradient of sum(y w) for each wanted
input, second that of sum(g v) with v = 1, 2, ... and g the gradient of sum(y y w).
"""
import torch


def number_text(v, dtype):
    """The shortest decimal that is v again after rounding to dtype."""
    if not dtype.is_floating_point:
        return str(int(v))
    text = repr(v)
    if dtype != torch.float64 and v == v:
        for digits in range(1, 10):
            text = f"{v:.{digits}g}"
            if torch.tensor(float(text), dtype=torch.float64).to(dtype).item() == v:
                break
    return text.removesuffix(".0")


def tensor_text(t):
    return f"{str(t.dtype).replace('torch.', '')} {'x'.join(map(str, t.shape))} {','.join(number_text(v, t.dtype) for v in t.flatten().tolist())}"


def argument_text(a):
    return ",".join(map(str, a)) if isinstance(a, (list, tuple)) else str(int(a) if isinstance(a, bool) else a)


def ramp(t, start=1.0):
    return torch.arange(start, start + t.numel(), dtype=torch.float64).reshape(t.shape)


def listed(y):
    return [y] if isinstance(y, torch.Tensor) else list(y)


def derivatives(f, leaves, second=True):
    """The fields "grad" and "second" of f(*leaves) for the leaves that require a gradient."""
    wanted = [t for t in leaves if t.requires_grad]
    y = listed(f(*leaves))
    if not any(t.requires_grad for t in y):
        return []
    w, start = [], 1.0
    for t in y:
        w.append(ramp(t, start))
        start += t.numel()
    texts = lambda grads: [tensor_text(torch.zeros_like(t) if g is None else g.detach()) for g, t in zip(grads, wanted)]
    fields = ["grad"] + texts(torch.autograd.grad(sum((t * v).sum() for t, v in zip(y, w)), wanted, retain_graph=True, allow_unused=True))
    if second:
        first = torch.autograd.grad(sum((t * t * v).sum() for t, v in zip(y, w)), wanted, create_graph=True, allow_unused=True)
        total = sum(((g * ramp(g)).sum() for g in first if g is not None), torch.zeros((), dtype=torch.float64))
        fields += ["second"] + texts(torch.autograd.grad(total, wanted, allow_unused=True) if total.requires_grad else [None] * len(wanted))
    return fields


class Goldens:
    """Collects lines. ops: name -> f(arguments, *inputs); once: ops without a second derivative in PyTorch."""

    def __init__(self, ops, once=()):
        self.ops, self.once, self.lines = ops, once, []

    def case(self, op, arguments, *inputs, wanted=None, second=True, direct=False):
        """wanted: the inputs to differentiate (default: float64 ones with elements). Other floating dtypes are computed in double and rounded
        once, unless direct says that the op means something else in double."""
        f = lambda *x: self.ops[op](arguments, *x)
        y = listed(f(*inputs))
        if not any(t.dtype == torch.float64 for t in y):
            wanted = []
        leaves = [t.clone().requires_grad_() if t.dtype == torch.float64 and t.numel() and (wanted is None or k in wanted) else t for k, t in enumerate(inputs)]
        if not direct and any(t.dtype.is_floating_point and t.dtype != torch.float64 for t in inputs):
            exact = listed(f(*(t.double() if t.dtype.is_floating_point else t for t in inputs)))
            y = [e.to(t.dtype) for e, t in zip(exact, y)]
        fields = [tensor_text(t.detach()) for t in y]
        if any(t.requires_grad for t in leaves):
            fields += derivatives(f, leaves, second and op not in self.once)
        marks = "".join("1" if t.requires_grad else "0" for t in leaves)
        head = " ".join([op] + [argument_text(a) for a in arguments] + [marks])
        self.lines.append(" | ".join([head] + [tensor_text(t) for t in inputs]) + " => | " + " | ".join(fields))

    def write(self, path):
        with open(path, "w") as f:
            f.write("\n".join(self.lines) + "\n")
        self.lines.clear()
