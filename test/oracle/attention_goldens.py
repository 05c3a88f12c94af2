"""Writes test/ops/attention_goldens.txt (scaled_dot_product_attention) and test/nn/attention_goldens.txt (modules) with PyTorch.

Run from the root: python test/oracle/attention_goldens.py
Format: goldens.py. Op: causal, scale (0: default), grouped heads; inputs q, k, v, mask (an empty one: none).
Modules: numbers of the constructor, options of the call, names of the state; inputs are the tensors of the call (empty ones: left out), then the
state's. "start" lines hold what a module begins with after torch.manual_seed.
"""
import torch
import torch.nn.functional as F

from goldens import Goldens

gen = torch.Generator().manual_seed(31)
NONE = torch.empty(0, dtype=torch.float64)
INF = float("inf")


def t(*shape, scale=0.7):
    return (torch.randn(shape, generator=gen, dtype=torch.float64) * scale * 64).round() / 64


def opt(x):
    return x if x.numel() else None


def attention(a, q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, opt(mask), 0.0, bool(a[0]), scale=a[1] or None, enable_gqa=bool(a[2]))


def ops():
    g = Goldens({"scaled_dot_product_attention": attention})
    case = lambda a, *x, **o: g.case("scaled_dot_product_attention", a, *x, **o)
    some = torch.tensor([[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]]).bool()
    case([0, 0, 0], t(2, 3, 2), t(2, 4, 2), t(2, 4, 3), NONE)
    case([0, 0.25, 0], t(3, 2), t(4, 2), t(4, 2), NONE)
    case([1, 0, 0], t(2, 3, 2), t(2, 4, 2), t(2, 4, 2), NONE)
    case([1, 0, 0], t(1, 4, 2), t(1, 2, 2), t(1, 2, 2), NONE)
    case([0, 0, 0], t(2, 3, 2), t(2, 4, 2), t(2, 4, 2), some)
    case([0, 0, 0], t(1, 2, 3, 2), t(2, 1, 4, 2), t(1, 2, 4, 2), t(2, 1, 3, 4))
    added = torch.where(some, 0.5, -INF).double()
    case([0, 0, 0], t(2, 3, 2), t(2, 4, 2), t(2, 4, 2), added, wanted=[0, 1, 2])
    case([0, 0, 1], t(1, 4, 2, 2), t(1, 2, 3, 2), t(1, 2, 3, 2), NONE)
    case([0, 0, 1], t(1, 4, 2, 2), t(1, 2, 3, 2), t(1, 2, 3, 3), t(1, 4, 2, 3) > 0)
    for dtype in [torch.float32, torch.float16, torch.bfloat16]:
        case([0, 0, 0], *(x.to(dtype) for x in (t(2, 3, 2), t(2, 4, 2), t(2, 4, 2))), NONE)
    g.write("test/ops/attention_goldens.txt")


# ---- modules --------------------------------------------------------------------------------------------------------------------


def mha(a):
    e, heads, bias, bias_kv, zero, kdim, vdim, first = a[:8]
    return torch.nn.MultiheadAttention(e, heads, bias=bool(bias), add_bias_kv=bool(bias_kv), add_zero_attn=bool(zero), kdim=kdim or None, vdim=vdim or None, batch_first=bool(first), dtype=torch.float64)


def layer(kind, a):
    d, heads, ff, gelu, norm_first, bias, first = a[:7]
    options = dict(dim_feedforward=ff, dropout=0.0, activation="gelu" if gelu else "relu", norm_first=bool(norm_first), bias=bool(bias), batch_first=bool(first), dtype=torch.float64)
    if kind == "TransformerEncoderLayer":
        return torch.nn.TransformerEncoderLayer(d, heads, **options)
    if kind == "TransformerDecoderLayer":
        return torch.nn.TransformerDecoderLayer(d, heads, **options)
    if kind == "TransformerEncoder":
        return torch.nn.TransformerEncoder(layer("TransformerEncoderLayer", a), 2, torch.nn.LayerNorm(d, dtype=torch.float64), enable_nested_tensor=False)
    if kind == "TransformerDecoder":
        return torch.nn.TransformerDecoder(layer("TransformerDecoderLayer", a), 2)
    return torch.nn.Transformer(d, heads, 2, 1, **options)


def make(kind, a):
    return mha(a) if kind == "MultiheadAttention" else layer(kind, a)


def call_of(kind, a, x):
    """Arguments of the module from the tensors of the line, and how many there are."""
    if kind == "MultiheadAttention":
        q, k, v, padding, mask = x[:5]
        q, k, v = (q, q, q) if a[8] else (q, k, v)
        return (q, k, v), dict(key_padding_mask=opt(padding), attn_mask=opt(mask), need_weights=bool(a[9]), average_attn_weights=bool(a[10])), 5
    if kind.startswith("TransformerEncoder"):
        key = "src_mask" if kind.endswith("Layer") else "mask"
        return (x[0],), {key: opt(x[1]), "src_key_padding_mask": opt(x[2])}, 3
    if kind.startswith("TransformerDecoder"):
        return (x[0], x[1]), dict(tgt_mask=opt(x[2]), memory_mask=opt(x[3]), tgt_key_padding_mask=opt(x[4]), memory_key_padding_mask=opt(x[5])), 6
    return (x[0], x[1]), dict(tgt_mask=opt(x[2]), src_key_padding_mask=opt(x[3]), memory_key_padding_mask=opt(x[3])), 4


def run(kind):
    def f(a, *x):
        m = make(kind, a)
        arguments, options, count = call_of(kind, a, x)
        weights = dict(zip(a[-1], x[count:]))
        assert list(weights) == list(m.state_dict())
        y = torch.func.functional_call(m, weights, arguments, options)
        return [r for r in y if r is not None] if isinstance(y, tuple) else y

    return f


def start(a, _):
    kind, seed, *rest = a
    torch.manual_seed(seed)
    return [p.detach() for p in make(kind, rest).state_dict().values()]


def modules():
    kinds = ["MultiheadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer", "TransformerEncoder", "TransformerDecoder", "Transformer"]
    g = Goldens({**{k: run(k) for k in kinds}, "start": start})

    def case(kind, a, *x):
        state = make(kind, a).state_dict()
        inputs = [*x, *(t(*p.shape) for p in state.values())]
        # whole stacks recognise a causal mask and then do not look at its values: PyTorch has no gradient for them
        wanted = set(range(len(inputs))) - ({2} if kind in ("TransformerDecoder", "Transformer") else set())
        g.case(kind, [*a, list(state)], *inputs, wanted=wanted, second=False)

    # embed, heads, bias, bias_kv, zero, kdim, vdim, batch first; self attention, weights, averaged
    padding = torch.tensor([[0, 0, 1], [0, 1, 0]]).bool()
    mask = torch.tensor([[0, 1, 0], [0, 0, 1]]).bool()
    case("MultiheadAttention", [4, 2, 1, 0, 0, 0, 0, 0, 1, 1, 1], t(3, 2, 4), NONE, NONE, NONE, NONE)
    case("MultiheadAttention", [4, 2, 1, 0, 0, 0, 0, 1, 0, 1, 0], t(2, 2, 4), t(2, 3, 4), t(2, 3, 4), padding, mask)
    case("MultiheadAttention", [4, 2, 0, 0, 0, 3, 5, 0, 0, 0, 1], t(2, 2, 4), t(3, 2, 3), t(3, 2, 5), padding.double() * -0.5, mask.double() * -1.25)
    case("MultiheadAttention", [4, 2, 1, 1, 1, 0, 0, 0, 0, 1, 1], t(2, 2, 4), t(3, 2, 4), t(3, 2, 4), padding, t(4, 2, 3))
    case("MultiheadAttention", [4, 1, 1, 1, 0, 3, 0, 1, 0, 1, 0], t(2, 4), t(3, 3), t(3, 4), padding[0], mask)
    # d, heads, feed-forward, gelu, norm first, bias, batch first
    causal = torch.nn.Transformer.generate_square_subsequent_mask(3, dtype=torch.float64)
    case("TransformerEncoderLayer", [4, 2, 3, 0, 0, 1, 0], t(3, 2, 4), NONE, NONE)
    case("TransformerEncoderLayer", [4, 2, 3, 1, 1, 0, 1], t(2, 3, 4), causal.isinf(), padding)
    case("TransformerDecoderLayer", [4, 2, 3, 0, 1, 1, 1], t(2, 3, 4), t(2, 2, 4), causal, NONE, NONE, padding[:, :2].double() * -2)
    case("TransformerDecoderLayer", [4, 2, 3, 1, 0, 0, 0], t(3, 2, 4), t(2, 2, 4), NONE, torch.tensor([[0, 1], [0, 0], [1, 0]]).bool(), padding, NONE)
    case("TransformerEncoder", [4, 2, 3, 0, 0, 1, 1], t(2, 3, 4), NONE, padding)
    case("TransformerDecoder", [4, 2, 3, 0, 0, 1, 0], t(3, 2, 4), t(2, 2, 4), causal, NONE, NONE, NONE)
    case("Transformer", [4, 2, 3, 0, 0, 1, 0], t(2, 2, 4), t(3, 2, 4), causal, padding[:, :2])
    g.case("start", ["MultiheadAttention", 3, 4, 2, 1, 1, 0, 3, 0, 0, 0, 0, 0], NONE)
    g.case("start", ["MultiheadAttention", 3, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0], NONE)
    g.case("start", ["TransformerEncoder", 3, 4, 2, 3, 0, 0, 1, 0], NONE)
    g.case("start", ["Transformer", 3, 4, 2, 3, 0, 0, 1, 0], NONE)
    g.write("test/nn/attention_goldens.txt")


with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):  # the one that can be differentiated twice
    ops()
    modules()
