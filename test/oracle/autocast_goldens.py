"""Writes test/ops/autocast_goldens.txt: the dtype of each op's result under PyTorch's autocast with bfloat16.

A line: op, dtypes of its first and of its other operands, dtype of the result on the CPU and on CUDA ("-": refused). CUDA's come from PyTorch's
fake tensors, which pass its dispatcher without a device.
"""
import warnings

import torch
import torch.nn.functional as F
from torch._subclasses.fake_tensor import FakeTensorMode

warnings.filterwarnings("ignore")
f32, b16 = torch.float32, torch.bfloat16


def square(dtype, device):
    return torch.full((4, 4), 0.5, dtype=dtype, device=device)


def image(dtype, device, axes=2):
    return torch.full((1, 2) + (4,) * axes, 0.5, dtype=dtype, device=device)


def classes(device):
    return torch.zeros(4, dtype=torch.int64, device=device)


def weight(dtype, device, axes):
    return torch.ones((2, 2) + (3,) * axes, dtype=dtype, device=device)


# op: (dtype of the first operand, dtype of the others, device) -> result
CASES = {name: (lambda g: lambda p, q, d: g(square(p, d), square(q, d)))(g) for name, g in {
    "matmul": torch.matmul, "mm": torch.mm, "mv": lambda a, b: torch.mv(a, b[0]), "dot": lambda a, b: torch.dot(a[0], b[0]), "outer": lambda a, b: torch.outer(a[0], b[0]),
    "bmm": lambda a, b: torch.bmm(a[None], b[None]), "addmm": lambda a, b: torch.addmm(a, b, b), "baddbmm": lambda a, b: torch.baddbmm(a[None], b[None], b[None]),
    "addmv": lambda a, b: torch.addmv(a[0], b, b[0]), "linear": lambda a, b: F.linear(a, b, b[0]), "einsum": lambda a, b: torch.einsum("ij,jk->ik", a, b),
    "multi_dot": lambda a, b: torch.linalg.multi_dot([a, b, b]), "tensordot": lambda a, b: torch.tensordot(a, b, 1), "inner": torch.inner, "kron": torch.kron,
    "bilinear": lambda a, b: F.bilinear(a, b, b[None].expand(2, 4, 4)), "cross": lambda a, b: torch.cross(a[:, :3], b[:, :3], -1), "prelu": lambda a, b: F.prelu(a, b[0, :1]),
    "scaled_dot_product_attention": lambda a, b: F.scaled_dot_product_attention(a[None], b[None], b[None]),
    "pow": torch.pow, "add": torch.add, "mul": torch.mul, "atan2": torch.atan2, "cat": lambda a, b: torch.cat([a, b]), "stack": lambda a, b: torch.stack([a, b]),
    "addcmul": lambda a, b: torch.addcmul(a, b, b), "addcdiv": lambda a, b: torch.addcdiv(a, b, b),
    "scatter_add": lambda a, b: torch.scatter_add(a, 0, torch.zeros((4, 4), dtype=torch.int64, device=a.device), b),
    "index_put": lambda a, b: torch.index_put(a, (torch.zeros(1, dtype=torch.int64, device=a.device),), b[0]),
    "mse_loss": F.mse_loss, "l1_loss": F.l1_loss, "smooth_l1_loss": F.smooth_l1_loss, "huber_loss": F.huber_loss, "kl_div": F.kl_div, "soft_margin_loss": F.soft_margin_loss,
    "poisson_nll_loss": F.poisson_nll_loss, "binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits,
    "binary_cross_entropy": F.binary_cross_entropy, "cosine_embedding_loss": lambda a, b: F.cosine_embedding_loss(a, b, torch.ones(4, device=a.device)),
    "margin_ranking_loss": lambda a, b: F.margin_ranking_loss(a, b, torch.ones((4, 4), device=a.device)),
    "hinge_embedding_loss": F.hinge_embedding_loss, "triplet_margin_loss": lambda a, b: F.triplet_margin_loss(a, b, b),
    "cosine_similarity": F.cosine_similarity, "pairwise_distance": F.pairwise_distance, "cdist": torch.cdist, "dist": torch.dist,
    "layer_norm": lambda a, b: F.layer_norm(a, (4,), b[0], b[0]), "rms_norm": lambda a, b: F.rms_norm(a, (4,), b[0]), "group_norm": lambda a, b: F.group_norm(a, 2, b[0], b[0]),
    "batch_norm": lambda a, b: F.batch_norm(a, torch.zeros(4, device=a.device), torch.ones(4, device=a.device), b[0], b[0], True),
}.items()}
CASES |= {name: (lambda g: lambda p, q, d: g(square(p, d)))(g) for name, g in {
    "exp": torch.exp, "expm1": torch.expm1, "log": torch.log, "log2": torch.log2, "log10": torch.log10, "log1p": torch.log1p, "acos": torch.acos, "asin": torch.asin, "cosh": torch.cosh,
    "sinh": torch.sinh, "tan": torch.tan, "erfinv": torch.erfinv, "reciprocal": torch.reciprocal, "rsqrt": torch.rsqrt, "softplus": F.softplus, "pow_number": lambda a: a ** 1.5,
    "pow_of_number": lambda a: 2.0 ** a, "exp2": torch.exp2, "sqrt": torch.sqrt, "sin": torch.sin, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "gelu": F.gelu,
    "abs": torch.abs, "square": torch.square, "softmax": lambda a: F.softmax(a, 1), "log_softmax": lambda a: F.log_softmax(a, 1), "softmin": lambda a: F.softmin(a, 1),
    "sum": torch.sum, "sum_axis": lambda a: torch.sum(a, 0), "mean": torch.mean, "prod": torch.prod, "prod_axis": lambda a: torch.prod(a, 0), "cumsum": lambda a: torch.cumsum(a, 0),
    "cumprod": lambda a: torch.cumprod(a, 0), "norm": torch.norm, "matrix_norm": torch.linalg.matrix_norm, "logsumexp": lambda a: torch.logsumexp(a, 0),
    "renorm": lambda a: torch.renorm(a, 2, 0, 1), "amax": torch.amax, "var": torch.var, "normalize": F.normalize,
    "cross_entropy": lambda a: F.cross_entropy(a, classes(a.device)), "nll_loss": lambda a: F.nll_loss(a, classes(a.device)), "multi_margin_loss": lambda a: F.multi_margin_loss(a, classes(a.device)),
    "multilabel_margin_loss": lambda a: F.multilabel_margin_loss(a, torch.zeros((4, 4), dtype=torch.int64, device=a.device)),
}.items()}
CASES |= {
    **{f"conv{k}d": (lambda k: lambda p, q, d: getattr(F, f"conv{k}d")(image(p, d, k), weight(q, d, k), weight(q, d, k).flatten()[:2]))(k) for k in (1, 2, 3)},
    **{f"conv_transpose{k}d": (lambda k: lambda p, q, d: getattr(F, f"conv_transpose{k}d")(image(p, d, k), weight(q, d, k)))(k) for k in (1, 2, 3)},
    "interpolate": lambda p, q, d: F.interpolate(image(p, d), size=(3, 3), mode="bilinear"),
    "grid_sample": lambda p, q, d: F.grid_sample(image(p, d), torch.zeros((1, 2, 2, 2), dtype=q, device=d)),
    "max_pool2d": lambda p, q, d: F.max_pool2d(image(p, d), 2), "avg_pool2d": lambda p, q, d: F.avg_pool2d(image(p, d), 2),
    "lstm_cell": lambda p, q, d: torch.lstm_cell(square(p, d), (square(q, d), square(q, d)), torch.ones((16, 4), dtype=q, device=d), torch.ones((16, 4), dtype=q, device=d))[0],
    "gru_cell": lambda p, q, d: torch.gru_cell(square(p, d), square(q, d), torch.ones((12, 4), dtype=q, device=d), torch.ones((12, 4), dtype=q, device=d)),
    "rnn_tanh_cell": lambda p, q, d: torch.rnn_tanh_cell(square(p, d), square(q, d), torch.ones((4, 4), dtype=q, device=d), torch.ones((4, 4), dtype=q, device=d)),
}


def dtype_of(case, p, q, device):
    torch.set_autocast_enabled(device, True)
    torch.set_autocast_dtype(device, b16)
    try:
        if device == "cpu":
            return str(case(p, q, device).dtype)[6:]
        with FakeTensorMode():
            return str(case(p, q, device).dtype)[6:]
    except Exception:  # what PyTorch refuses
        return "-"
    finally:
        torch.set_autocast_enabled(device, False)


with open("test/ops/autocast_goldens.txt", "w") as out:
    for name in sorted(CASES):
        for p, q in ((f32, f32), (b16, b16), (f32, b16), (b16, f32)):
            print(name, str(p)[6:], str(q)[6:], dtype_of(CASES[name], p, q, "cpu"), dtype_of(CASES[name], p, q, "cuda"), file=out)
