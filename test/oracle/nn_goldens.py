"""Writes test/ops/norm_goldens.txt (normalisation, embedding), loss_goldens.txt and grid_goldens.txt beside it with PyTorch.

Needs PyTorch. Run from the root: python test/oracle/nn_goldens.py

The format is that of test/oracle/goldens.py; an empty tensor of shape 0 stands for an argument left out.
"""
import torch
import torch.nn.functional as F

from goldens import Goldens

gen = torch.Generator().manual_seed(11)
REDUCTIONS = ["none", "mean", "sum"]


def opt(t):
    return None if t.numel() == 0 else t


def loss(f):
    return lambda a, *x: f(*x, reduction=REDUCTIONS[a[0]])


def batch_norm(a, x, m, v, w, b):
    rm, rv = (m.detach().clone(), v.detach().clone())
    y = F.batch_norm(x, rm, rv, opt(w), opt(b), bool(a[0]), a[1], a[2])
    return (y, rm, rv) if a[0] else (y,)


def instance_norm(a, x, m, v, w, b):
    rm, rv = (m.detach().clone(), v.detach().clone())
    y = F.instance_norm(x, rm, rv, opt(w), opt(b), bool(a[0]), a[1], a[2])
    return (y, rm, rv) if a[0] else (y,)


def bce(a, x, y, w):
    if x.min() == 0 or x.max() == 1:
        return F.binary_cross_entropy(x, y, opt(w), reduction=REDUCTIONS[a[0]])
    each = -(y * x.log() + (1 - y) * (1 - x).log())  # PyTorch's own second derivative is off by its eps of 1e-12
    each = each if opt(w) is None else each * w
    return [each, each.mean(), each.sum()][a[0]]


def ctc(a, x, targets, inputs, lengths):
    logp = F.log_softmax(x, -1)  # PyTorch's own gradient is that of log_softmax and the loss together
    return F.ctc_loss(logp, targets, inputs, lengths, blank=a[1], reduction=REDUCTIONS[a[0]], zero_infinity=bool(a[2]))


GRID = ["bilinear", "nearest", "bicubic"]
BAG = ["sum", "mean", "max"]
OPS = {
    "layer_norm": lambda a, x, w, b: F.layer_norm(x, a[0], opt(w), opt(b), a[1]),
    "rms_norm": lambda a, x, w: F.rms_norm(x, a[0], opt(w), a[1] if a[1] >= 0 else None),
    "group_norm": lambda a, x, w, b: F.group_norm(x, a[0], opt(w), opt(b), a[1]),
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    "local_response_norm": lambda a, x: F.local_response_norm(x, a[0], a[1], a[2], a[3]),
    "embedding": lambda a, w, i: F.embedding(i, w, a[0] if a[0] != 99 else None),
    "embedding_bag": lambda a, w, i, o, p: F.embedding_bag(i, w, opt(o), mode=BAG[a[0]], padding_idx=a[1] if a[1] != 99 else None,
                                                           include_last_offset=bool(a[2]), per_sample_weights=opt(p), scale_grad_by_freq=bool(a[3])),
    "mse_loss": loss(F.mse_loss),
    "l1_loss": loss(F.l1_loss),
    "smooth_l1_loss": lambda a, x, y: F.smooth_l1_loss(x, y, reduction=REDUCTIONS[a[0]], beta=a[1]),
    "huber_loss": lambda a, x, y: F.huber_loss(x, y, reduction=REDUCTIONS[a[0]], delta=a[1]),
    "binary_cross_entropy": bce,
    "binary_cross_entropy_with_logits": lambda a, x, y, w, p: F.binary_cross_entropy_with_logits(x, y, opt(w), pos_weight=opt(p), reduction=REDUCTIONS[a[0]]),
    "kl_div": lambda a, x, y: F.kl_div(x, y, reduction=(REDUCTIONS + ["batchmean"])[a[0]], log_target=bool(a[1])),
    "cosine_embedding_loss": lambda a, x, y, t: F.cosine_embedding_loss(x, y, t, margin=a[1], reduction=REDUCTIONS[a[0]]),
    "margin_ranking_loss": lambda a, x, y, t: F.margin_ranking_loss(x, y, t, margin=a[1], reduction=REDUCTIONS[a[0]]),
    "hinge_embedding_loss": lambda a, x, t: F.hinge_embedding_loss(x, t, margin=a[1], reduction=REDUCTIONS[a[0]]),
    "triplet_margin_loss": lambda a, x, y, z: F.triplet_margin_loss(x, y, z, margin=a[1], p=a[2], swap=bool(a[3]), reduction=REDUCTIONS[a[0]]),
    "soft_margin_loss": loss(F.soft_margin_loss),
    "multi_margin_loss": lambda a, x, t, w: F.multi_margin_loss(x, t, p=a[1], margin=a[2], weight=opt(w), reduction=REDUCTIONS[a[0]]),
    "multilabel_margin_loss": loss(F.multilabel_margin_loss),
    "multilabel_soft_margin_loss": lambda a, x, t, w: F.multilabel_soft_margin_loss(x, t, weight=opt(w), reduction=REDUCTIONS[a[0]]),
    "poisson_nll_loss": lambda a, x, t: F.poisson_nll_loss(x, t, log_input=bool(a[1]), full=bool(a[2]), reduction=REDUCTIONS[a[0]]),
    "gaussian_nll_loss": lambda a, x, t, v: F.gaussian_nll_loss(x, t, v, full=bool(a[1]), eps=a[2], reduction=REDUCTIONS[a[0]]),
    "cosine_similarity": lambda a, x, y: F.cosine_similarity(x, y, dim=a[0], eps=a[1]),
    "pairwise_distance": lambda a, x, y: F.pairwise_distance(x, y, p=a[0], eps=a[1], keepdim=bool(a[2])),
    "ctc_loss": ctc,
    "triplet_margin_with_distance_loss": lambda a, x, y, z: F.triplet_margin_with_distance_loss(
        x, y, z, distance_function=lambda p, q: (p - q).abs().sum(-1), margin=a[1], swap=bool(a[2]), reduction=REDUCTIONS[a[0]]),
    "grid_sample": lambda a, x, g: F.grid_sample(x, g, mode=GRID[a[0]], padding_mode=["zeros", "border", "reflection"][a[1]], align_corners=bool(a[2])),
    "affine_grid": lambda a, t: F.affine_grid(t, a[0], align_corners=bool(a[1])),
    "normalize": lambda a, x: F.normalize(x, p=a[0], dim=a[1], eps=a[2]),
}
# PyTorch has no second derivative of these
ONCE = {"ctc_loss", "grid_sample", "embedding_bag", "multi_margin_loss", "multilabel_margin_loss"}


goldens = Goldens(OPS, ONCE)


def case(op, arguments, *inputs, **options):
    goldens.case(op, arguments, *inputs, direct=-1 in arguments, **options)  # -1: an eps that depends on the dtype


def x(*shape, scale=1.0, shift=0.0, dtype=torch.float64):
    t = torch.randn(shape, generator=gen, dtype=torch.float64) * scale + shift
    return ((t * 64).round() / 64).to(dtype)


def u(*shape):
    return ((torch.rand(shape, generator=gen, dtype=torch.float64) * 62 + 1) / 64 * 64).round() / 64


NONE = torch.empty(0, dtype=torch.float64)


def sign(*shape):
    return torch.where(torch.rand(shape, generator=gen) < 0.5, -1.0, 1.0).double()


def norm_cases():
    for shape, last in [((3, 4), [4]), ((2, 3, 5), [3, 5]), ((1, 6), [6]), ((2, 9), [9]), ((4,), [4])]:
        case("layer_norm", [last, 1e-5], x(*shape), x(*last, shift=1), x(*last))
        case("layer_norm", [last, 0.5], x(*shape), NONE, NONE)
        case("rms_norm", [last, 1e-3], x(*shape), x(*last, shift=1))
    case("layer_norm", [[4], 1e-5], x(2, 4), x(4), NONE)
    case("layer_norm", [[37], 1e-5], x(3, 37, dtype=torch.float32), x(37, dtype=torch.float32), x(37, dtype=torch.float32))
    case("layer_norm", [[150], 1e-5], x(1, 150, dtype=torch.float32, shift=1000), x(150, dtype=torch.float32), x(150, dtype=torch.float32))
    case("layer_norm", [[8], 1e-5], x(3, 8, dtype=torch.bfloat16), x(8, dtype=torch.bfloat16), x(8, dtype=torch.bfloat16))
    case("layer_norm", [[8], 1e-5], x(3, 8, dtype=torch.float16), torch.empty(0), torch.empty(0))
    case("rms_norm", [[4], -1], x(2, 4), NONE)
    case("rms_norm", [[4], -1], x(2, 4, scale=1e-3, dtype=torch.float32) * 1e-3, torch.empty(0))
    case("rms_norm", [[4], -1], x(2, 4, dtype=torch.float16) * 1e-3, torch.empty(0))
    for shape, groups in [((2, 4, 3), 2), ((2, 6), 3), ((1, 3, 2, 2), 3), ((2, 4, 2, 3), 1)]:
        case("group_norm", [groups, 1e-5], x(*shape), x(shape[1], shift=1), x(shape[1]))
        case("group_norm", [groups, 0.1], x(*shape), NONE, NONE)
    case("group_norm", [2, 1e-5], x(2, 4, 17, dtype=torch.float32), x(4, dtype=torch.float32), x(4, dtype=torch.float32))
    for shape in [(5, 3), (2, 3, 4), (2, 3, 2, 2), (2, 1, 3, 1), (2, 2, 1, 2, 2), (9, 17)]:
        c = shape[1]
        for training in [1, 0]:
            case("batch_norm", [training, 0.1, 1e-5], x(*shape, shift=2), x(c), u(c), x(c, shift=1), x(c), wanted=[0, 3, 4])
            case("batch_norm", [training, 0.25, 0.1], x(*shape), x(c), u(c), NONE, NONE, wanted=[0])
    for training in [1, 0]:
        f = dict(dtype=torch.float32)
        case("batch_norm", [training, 0.1, 1e-5], x(3, 5, 3, 3, shift=50, **f), x(5, **f), u(5).float(), x(5, **f), x(5, **f))
        case("batch_norm", [training, 0.1, 1e-5], x(3, 5, 3, 3, dtype=torch.bfloat16), x(5, **f), u(5).float(), x(5, **f), x(5, **f))
        case("instance_norm", [training, 0.1, 1e-5], x(2, 3, 4), x(3), u(3), x(3), x(3), wanted=[0, 3, 4])
        case("instance_norm", [training, 0.2, 0.1], x(2, 2, 2, 3), x(2), u(2), NONE, NONE, wanted=[0])
    case("local_response_norm", [3, 0.5, 0.75, 1.5], x(2, 5, 2))
    case("local_response_norm", [4, 1.0, 2.0, 1.0], x(1, 3, 2, 2))
    case("local_response_norm", [1, 1e-4, 0.75, 1.0], x(1, 2, 3))


def embedding_cases():
    i = torch.tensor([[1, 0, 3], [3, 3, 2]])
    for padding in [99, 3, -2]:
        case("embedding", [padding], x(4, 3), i)
    case("embedding", [99], x(4, 2), torch.tensor(2))
    case("embedding", [99], x(4, 2), torch.tensor([3, 1], dtype=torch.int32))
    case("embedding", [0], x(4, 2, dtype=torch.bfloat16), torch.tensor([0, 1]))
    flat, offsets, empty = torch.tensor([1, 0, 3, 3, 2, 1, 1]), torch.tensor([0, 2, 2, 6]), torch.empty(0, dtype=torch.int64)
    for mode in [0, 1, 2]:
        for padding in [99, 3]:
            case("embedding_bag", [mode, padding, 0, 0], x(4, 3), flat, offsets, NONE)
            case("embedding_bag", [mode, padding, 0, 0], x(4, 3), i, empty, NONE)
    case("embedding_bag", [1, 99, 1, 0], x(4, 3), flat, torch.tensor([0, 3, 7]), NONE)
    case("embedding_bag", [0, 99, 0, 0], x(4, 3), flat, offsets, x(7))
    w, factors = torch.arange(12, dtype=torch.float64).reshape(4, 3) / 8 - 0.5, torch.arange(7, dtype=torch.float64) / 4 - 0.5
    for padding in [99, 3]:
        for mode in [0, 1]:
            case("embedding_bag", [mode, padding, 0, 1], w, flat, offsets, NONE)
        case("embedding_bag", [0, padding, 0, 1], w, flat, offsets, factors)


def loss_cases():
    for r in [0, 1, 2]:
        for op in ["mse_loss", "l1_loss"]:
            case(op, [r], x(2, 3), x(2, 3))
        case("smooth_l1_loss", [r, 1.0], x(2, 3), x(2, 3))
        case("smooth_l1_loss", [r, 0.25], x(5), x(5))
        case("smooth_l1_loss", [r, 0.0], x(5), x(5))
        case("huber_loss", [r, 1.0], x(2, 3), x(2, 3))
        case("huber_loss", [r, 0.5], x(2, 3), x(2, 3))
        case("binary_cross_entropy", [r], u(2, 3), u(2, 3), NONE, wanted=[0])
        case("binary_cross_entropy", [r], u(2, 3), u(2, 3), u(3), wanted=[0])
        case("binary_cross_entropy", [r], torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=torch.float64), torch.tensor([0.0, 1.0, 1.0, 0.0], dtype=torch.float64), NONE, wanted=[])
        case("binary_cross_entropy_with_logits", [r], x(2, 3, scale=4), u(2, 3), NONE, NONE, wanted=[0])
        case("binary_cross_entropy_with_logits", [r], x(2, 3), u(2, 3), u(2, 3), u(3), wanted=[0])
        case("binary_cross_entropy_with_logits", [r], torch.tensor([300.0, -300.0, 0.0]), torch.tensor([0.0, 1.0, 1.0]), torch.empty(0), torch.empty(0))
        case("soft_margin_loss", [r], x(2, 3), sign(2, 3), wanted=[0])
        case("soft_margin_loss", [r], torch.tensor([30.0, -30.0]), torch.tensor([-1.0, 1.0]))
        for log_target in [0, 1]:
            t = u(2, 3).log() if log_target else u(2, 3)
            case("kl_div", [r, log_target], u(2, 3).log(), t)
        case("kl_div", [r, 0], u(4).log(), torch.tensor([0.5, 0.0, 0.25, 0.25], dtype=torch.float64), wanted=[0])
        for margin in [0.0, 0.25]:
            case("cosine_embedding_loss", [r, margin], x(4, 3), x(4, 3), torch.tensor([1, -1, -1, 1]))
            case("margin_ranking_loss", [r, margin], x(5), x(5), sign(5), wanted=[0, 1])
            case("hinge_embedding_loss", [r, margin + 1], x(2, 3), sign(2, 3), wanted=[0])
        case("triplet_margin_loss", [r, 1.0, 2.0, 0], x(4, 3), x(4, 3), x(4, 3))
        case("triplet_margin_loss", [r, 2.0, 3.0, 1], x(4, 3), x(4, 3), x(4, 3))
        t = torch.tensor([2, 0, 1])
        case("multi_margin_loss", [r, 1, 1.0], x(3, 4), t, NONE, wanted=[0])
        case("multi_margin_loss", [r, 2, 0.5], x(3, 4), t, u(4), wanted=[0])
        case("multi_margin_loss", [r, 1, 1.0], x(4), torch.tensor(1), NONE, wanted=[0])
        case("multilabel_margin_loss", [r], x(3, 4), torch.tensor([[3, 0, -1, 1], [-1, 2, 0, 1], [0, 1, 2, 3]]))
        case("multilabel_margin_loss", [r], x(4), torch.tensor([2, -1, 1, 0]))
        case("multilabel_soft_margin_loss", [r], x(3, 4), (u(3, 4) > 0.5).double(), NONE, wanted=[0])
        case("multilabel_soft_margin_loss", [r], x(3, 4), (u(3, 4) > 0.5).double(), u(4), wanted=[0])
        for full in [0, 1]:
            case("poisson_nll_loss", [r, 1, full], x(2, 3), torch.tensor([[0.0, 1, 2], [3, 4, 0.5]], dtype=torch.float64), wanted=[0])
            case("poisson_nll_loss", [r, 0, full], u(2, 3), torch.tensor([[0.0, 1, 2], [3, 4, 0.5]], dtype=torch.float64), wanted=[0])
            case("gaussian_nll_loss", [r, full, 1e-6], x(2, 3), x(2, 3), u(2, 3))
            case("gaussian_nll_loss", [r, full, 0.5], x(2, 3), x(2, 3), u(2, 1), wanted=[0, 1])
    case("kl_div", [3, 0], u(2, 3).log(), u(2, 3))
    case("mse_loss", [1], x(3, dtype=torch.bfloat16), x(3, dtype=torch.bfloat16))
    case("cosine_similarity", [1, 1e-8], x(3, 4), x(3, 4))
    case("cosine_similarity", [0, 1e-8], x(3, 4), x(4))
    case("cosine_similarity", [0, 1e-8], torch.zeros(3, dtype=torch.float64), x(3), wanted=[])
    for p in [1.0, 2.0, 3.0]:
        case("pairwise_distance", [p, 1e-6, 0], x(3, 4), x(3, 4))
        case("pairwise_distance", [p, 1e-6, 1], x(3, 4), x(4))
        case("normalize", [p, 1, 1e-12], x(3, 4))
    case("normalize", [2.0, 0, 1e-12], torch.zeros(3, dtype=torch.float64), wanted=[])
    case("normalize", [2.0, 0, 10.0], x(3))


def ctc_cases():
    i64 = lambda *v: torch.tensor(v, dtype=torch.int64)
    rows = torch.tensor([[1, 2, 2, 3], [3, 1, 0, 0], [2, 0, 0, 0]])
    for r in [0, 1, 2]:
        case("ctc_loss", [r, 0, 0], x(7, 3, 5), rows, i64(7, 6, 4), i64(4, 2, 1))
        case("ctc_loss", [r, 0, 0], x(7, 3, 5), i64(1, 2, 2, 3, 3, 1, 2), i64(7, 7, 7), i64(4, 2, 1))
        case("ctc_loss", [r, 4, 0], x(5, 2, 5, scale=3), torch.tensor([[0, 1], [1, 1]]), i64(5, 5), i64(2, 2))
        case("ctc_loss", [r, 0, 1], x(4, 2, 3), torch.tensor([[1, 1, 2], [1, 2, 1]]), i64(3, 4), i64(3, 3))  # the first does not fit
        case("ctc_loss", [r, 0, 0], x(6, 4), i64(1, 3, 3), i64(6), i64(3))
        case("ctc_loss", [r, 0, 0], x(4, 2, 3), torch.tensor([[1, 1], [1, 2]]), i64(4, 2), i64(0, 2))
        case("triplet_margin_with_distance_loss", [r, 1.0, 0], x(4, 3), x(4, 3), x(4, 3))
        case("triplet_margin_with_distance_loss", [r, 2.0, 1], x(4, 3), x(4, 3), x(4, 3))
    case("ctc_loss", [1, 0, 0], x(20, 3, 6, dtype=torch.float32), i64(*[1 + k % 5 for k in range(15)]), i64(20, 18, 15), i64(4, 6, 5))
    case("ctc_loss", [0, 0, 0], x(2, 1, 3, dtype=torch.float32), i64(1, 1), i64(2), i64(2))  # inf


def grid_cases():
    for mode in [0, 1, 2]:
        for padding in [0, 1, 2]:
            for align in [0, 1]:
                case("grid_sample", [mode, padding, align], x(2, 3, 4, 5), x(2, 3, 2, 2) + 1 / 256)  # off the kinks
                if mode < 2:
                    case("grid_sample", [mode, padding, align], x(1, 2, 3, 2, 4), x(1, 2, 1, 3, 3) + 1 / 256)
        case("grid_sample", [mode, 2, 0], x(1, 1, 4, 3), x(1, 2, 2, 2, scale=4) + 1 / 256)  # mirrored several times
        case("grid_sample", [mode, 2, 1], x(1, 1, 1, 3), x(1, 2, 2, 2) + 1 / 256)
    f = dict(dtype=torch.float32)
    edges = torch.tensor([-1.0, 1.0, 0.0, 3e9, -3e9, 2.0, 0.5, -0.5])
    for mode in [0, 1]:
        case("grid_sample", [mode, 0, 0], x(1, 2, 3, 3, **f), torch.stack([edges, edges.flip(0)], -1).reshape(1, 2, 4, 2))
        case("grid_sample", [mode, 1, 1], x(1, 2, 3, 3, **f), torch.stack([edges, edges.flip(0)], -1).reshape(1, 2, 4, 2))
    case("grid_sample", [0, 0, 0], x(1, 2, 3, 3, dtype=torch.bfloat16), x(1, 2, 2, 2, dtype=torch.bfloat16))
    for align in [0, 1]:
        case("affine_grid", [[2, 3, 4, 5], align], x(2, 2, 3))
        case("affine_grid", [[1, 1, 1, 3], align], x(1, 2, 3))
        case("affine_grid", [[1, 2, 2, 3, 2], align], x(1, 3, 4))


norm_cases()
embedding_cases()
goldens.write("test/ops/norm_goldens.txt")
loss_cases()
ctc_cases()
goldens.write("test/ops/loss_goldens.txt")
grid_cases()
goldens.write("test/ops/grid_goldens.txt")
