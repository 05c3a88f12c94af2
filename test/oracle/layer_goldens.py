"""Writes test/nn/layer_goldens.txt with PyTorch: every layer with a seed, what it starts with, and one step in float64.

Needs PyTorch. Run from the root: python test/oracle/layer_goldens.py

A line: key, seed, 1 for training, names of the state, repr with ~ for spaces and \\n for line ends | input tensors => | output | start | state ... | grad | gradients of the floating
input and of the parameters ... | after | state after the step ... (only where it differs from the start).
The layer is made after manual_seed(seed) in float32; the step is taken in float64 after manual_seed(seed + 1). The gradient is that of sum(y w) with w = 1, 2, ...
The key is that of the table in test/nn/every_layer.cpp.
"""
import torch
from torch import nn

from goldens import ramp, tensor_text

gen = torch.Generator().manual_seed(5)
lines = []


def x(*shape):
    return ((torch.randn(shape, generator=gen, dtype=torch.float64) * 1e4).round() / 1e4)


def case(key, make, *inputs, modes=(1,), step=lambda m, *inputs: m(*inputs), parametrized=False):
    for training in modes:
        seed = len(lines) + 100
        torch.manual_seed(seed)
        m = make()
        text = "-" if parametrized else repr(m).replace(" ", "~").replace("\n", "\\n")
        # rill lists what a parameter is made of in the place of the parameter
        order = (lambda items: sorted(items, key=lambda item: "bias" in item[0])) if parametrized else list
        start = {k: v.clone() for k, v in order(m.state_dict().items())}
        m.double().train(bool(training))
        leaves = [t.clone().requires_grad_() if t.dtype == torch.float64 else t for t in inputs]
        torch.manual_seed(seed + 1)
        y = step(m, *leaves)
        wanted = [t for t in leaves if t.requires_grad] + [p for _, p in order(m.named_parameters()) if p.requires_grad]
        fields = ["output", tensor_text(y.detach())]
        if start:
            fields += ["start"] + [tensor_text(t) for t in start.values()]
        if wanted:
            grads = torch.autograd.grad((y * ramp(y)).sum(), wanted, allow_unused=True)
            fields += ["grad"] + [tensor_text(torch.zeros_like(t) if g is None else g) for g, t in zip(grads, wanted)]
        after = dict(order(m.state_dict().items()))
        if any(not torch.equal(t.to(after[k].dtype), after[k]) for k, t in start.items()):
            fields += ["after"] + [tensor_text(t) for t in after.values()]
        names = ",".join(start) or "-"
        lines.append(" | ".join([f"{key} {seed} {training} {names} {text}"] + [tensor_text(t) for t in inputs]) + " => | " + " | ".join(fields))


BOTH = (1, 0)

# ---- linear, convolutions
case("linear", lambda: nn.Linear(3, 2), x(2, 3))
case("linear_no_bias", lambda: nn.Linear(3, 2, bias=False), x(2, 2, 3))
case("bilinear", lambda: nn.Bilinear(2, 3, 2), x(2, 2), x(2, 3))
case("bilinear_no_bias", lambda: nn.Bilinear(1, 2, 3, bias=False), x(2, 2, 1), x(2, 2, 2))
case("cosine_similarity", nn.CosineSimilarity, x(2, 3), x(2, 3))
case("cosine_similarity_axis", lambda: nn.CosineSimilarity(dim=0, eps=0.1), x(3, 2), x(3, 2))
case("pairwise_distance", nn.PairwiseDistance, x(2, 3), x(2, 3))
case("pairwise_distance_options", lambda: nn.PairwiseDistance(p=3.0, eps=0.01, keepdim=True), x(2, 3), x(2, 3))
case("conv1d", lambda: nn.Conv1d(2, 3, 3), x(2, 2, 5))
case("conv1d_no_batch", lambda: nn.Conv1d(2, 3, 2), x(2, 4))
case("conv1d_same", lambda: nn.Conv1d(2, 2, 4, padding="same", dilation=2), x(1, 2, 7))
case("conv2d", lambda: nn.Conv2d(1, 2, 2), x(1, 1, 3, 4))
case("conv2d_options", lambda: nn.Conv2d(4, 2, (2, 3), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2, bias=False), x(1, 4, 3, 4))
case("conv2d_depthwise", lambda: nn.Conv2d(2, 4, 2, groups=2), x(1, 2, 3, 3))
case("conv2d_same", lambda: nn.Conv2d(1, 1, (2, 3), padding="same"), x(1, 1, 3, 4))
for mode in ["reflect", "replicate", "circular"]:
    case(f"conv2d_{mode}", lambda: nn.Conv2d(1, 2, 3, stride=2, padding=(1, 2), padding_mode=mode), x(1, 1, 4, 5))
    case(f"conv1d_{mode}_same", lambda: nn.Conv1d(1, 1, 4, padding="same", padding_mode=mode), x(1, 1, 6))
case("conv3d", lambda: nn.Conv3d(1, 2, 2, padding=1), x(1, 1, 2, 2, 1))
case("conv3d_circular", lambda: nn.Conv3d(1, 1, (1, 2, 3), padding=(0, 1, 1), padding_mode="circular"), x(1, 1, 1, 3, 3))
case("conv_transpose1d", lambda: nn.ConvTranspose1d(2, 3, 3), x(1, 2, 3))
case("conv_transpose2d", lambda: nn.ConvTranspose2d(1, 2, 2, stride=2, padding=1), x(1, 1, 3, 2))
case("conv_transpose2d_options", lambda: nn.ConvTranspose2d(4, 2, (2, 3), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2, bias=False, dilation=(1, 2)), x(1, 4, 2, 2))
case("conv_transpose2d_size", lambda: nn.ConvTranspose2d(1, 1, 3, stride=(2, 3)), x(1, 1, 2, 2), step=lambda m, t: m(t, output_size=(6, 7)))
case("conv_transpose3d", lambda: nn.ConvTranspose3d(1, 2, 2, stride=2), x(1, 1, 1, 2, 2))

# ---- normalisation
case("batch_norm1d", lambda: nn.BatchNorm1d(3), x(4, 3), modes=BOTH)
case("batch_norm1d_length", lambda: nn.BatchNorm1d(2, eps=0.1, momentum=0.3), x(2, 2, 3), modes=BOTH)
case("batch_norm2d", lambda: nn.BatchNorm2d(2), x(2, 2, 2, 2), modes=BOTH)
case("batch_norm3d", lambda: nn.BatchNorm3d(2), x(2, 2, 1, 2, 2), modes=BOTH)
case("batch_norm1d_plain", lambda: nn.BatchNorm1d(2, affine=False), x(3, 2), modes=BOTH)
case("batch_norm1d_no_bias", lambda: nn.BatchNorm1d(2, bias=False), x(3, 2), modes=BOTH)
case("batch_norm1d_batch_only", lambda: nn.BatchNorm1d(2, track_running_stats=False), x(3, 2), modes=BOTH)


def three(m, t):
    m(t * 2), m(t + 1)
    return m(t)


case("batch_norm1d_average", lambda: nn.BatchNorm1d(2, momentum=None), x(3, 2), modes=BOTH, step=three)
case("batch_norm1d_thrice", lambda: nn.BatchNorm1d(2), x(3, 2), step=three)
case("instance_norm1d", lambda: nn.InstanceNorm1d(2), x(2, 2, 3), modes=BOTH)
case("instance_norm1d_no_batch", lambda: nn.InstanceNorm1d(2, affine=True), x(2, 3), modes=BOTH)
case("instance_norm2d", lambda: nn.InstanceNorm2d(2, affine=True, eps=0.01), x(2, 2, 2, 2), modes=BOTH)
case("instance_norm2d_running", lambda: nn.InstanceNorm2d(2, track_running_stats=True, momentum=0.25), x(2, 2, 2, 2), modes=BOTH)
case("instance_norm3d", lambda: nn.InstanceNorm3d(1, affine=True, bias=False), x(2, 1, 1, 2, 2), modes=BOTH)
case("layer_norm", lambda: nn.LayerNorm(4), x(2, 4))
case("layer_norm_shape", lambda: nn.LayerNorm([2, 3], eps=0.01), x(2, 2, 3))
case("layer_norm_no_bias", lambda: nn.LayerNorm(3, bias=False), x(2, 3))
case("layer_norm_plain", lambda: nn.LayerNorm(3, elementwise_affine=False), x(2, 3))
case("rms_norm", lambda: nn.RMSNorm(4), x(2, 4))
case("rms_norm_eps", lambda: nn.RMSNorm([2, 2], eps=0.1), x(2, 2, 2))
case("rms_norm_plain", lambda: nn.RMSNorm(3, elementwise_affine=False), x(2, 3))
case("group_norm", lambda: nn.GroupNorm(2, 4), x(2, 4, 2))
case("group_norm_no_bias", lambda: nn.GroupNorm(1, 3, eps=0.1, bias=False), x(2, 3))
case("group_norm_plain", lambda: nn.GroupNorm(3, 3, affine=False), x(1, 3, 2, 2))
case("local_response_norm", lambda: nn.LocalResponseNorm(3, alpha=0.5), x(1, 4, 2))
case("local_response_norm_options", lambda: nn.LocalResponseNorm(2, alpha=0.25, beta=0.5, k=2.0), x(1, 3, 2, 1))

# ---- pools
case("max_pool1d", lambda: nn.MaxPool1d(2), x(1, 2, 5))
case("max_pool2d", lambda: nn.MaxPool2d(3, stride=2, padding=1), x(1, 2, 4, 5))
case("max_pool2d_options", lambda: nn.MaxPool2d((2, 3), stride=(1, 2), padding=(0, 1), dilation=(2, 1), ceil_mode=True), x(1, 1, 4, 6))
case("max_pool3d", lambda: nn.MaxPool3d(2, stride=1), x(1, 1, 2, 3, 3))
case("avg_pool1d", lambda: nn.AvgPool1d(3, stride=2, padding=1), x(1, 2, 5))
case("avg_pool2d", lambda: nn.AvgPool2d(2), x(1, 2, 4, 5))
case("avg_pool2d_options", lambda: nn.AvgPool2d((2, 3), stride=2, padding=(1, 0), ceil_mode=True, count_include_pad=False), x(1, 1, 3, 5))
case("avg_pool2d_divisor", lambda: nn.AvgPool2d(2, divisor_override=3), x(1, 1, 2, 4))
case("avg_pool3d", lambda: nn.AvgPool3d((1, 2, 2)), x(1, 1, 2, 2, 2))
case("adaptive_avg_pool1d", lambda: nn.AdaptiveAvgPool1d(3), x(1, 2, 5))
case("adaptive_avg_pool2d", lambda: nn.AdaptiveAvgPool2d((2, 3)), x(1, 1, 3, 4))
case("adaptive_avg_pool2d_global", lambda: nn.AdaptiveAvgPool2d(1), x(2, 2, 2, 3))
case("adaptive_avg_pool3d", lambda: nn.AdaptiveAvgPool3d(2), x(1, 1, 2, 3, 3))
case("adaptive_max_pool1d", lambda: nn.AdaptiveMaxPool1d(2), x(1, 2, 5))
case("adaptive_max_pool2d", lambda: nn.AdaptiveMaxPool2d((2, 3)), x(1, 1, 3, 4))
case("adaptive_max_pool3d", lambda: nn.AdaptiveMaxPool3d((1, 2, 2)), x(1, 1, 2, 3, 3))

case("lp_pool1d", lambda: nn.LPPool1d(2.0, 3, ceil_mode=True), x(1, 2, 5))
case("lp_pool2d", lambda: nn.LPPool2d(3.0, (1, 2), stride=1), x(1, 1, 2, 3).abs())
case("lp_pool3d", lambda: nn.LPPool3d(2.0, 2), x(1, 1, 2, 2, 4))
for axes, shape, place in [(1, (1, 2, 2), [3, 0, 2, 3]), (2, (1, 1, 1, 2), [5, 2]), (3, (1, 1, 1, 1, 2), [7, 8])]:
    case(f"max_unpool{axes}d", lambda: getattr(nn, f"MaxUnpool{axes}d")(2), x(*shape), torch.tensor(place).reshape(shape))
case("max_unpool2d_options", lambda: nn.MaxUnpool2d((2, 3), stride=2, padding=(0, 1)), x(1, 1, 2, 2), torch.tensor([[[[0, 4], [10, 6]]]]), step=lambda m, t, i: m(t, i, output_size=(4, 4)))
case("fractional_max_pool2d", lambda: nn.FractionalMaxPool2d(2, output_ratio=(0.5, 0.75)), x(1, 2, 5, 5))
case("fractional_max_pool3d", lambda: nn.FractionalMaxPool3d((1, 2, 2), output_size=(2, 2, 1)), x(1, 1, 3, 4, 3))

# ---- dropout
case("dropout", lambda: nn.Dropout(0.3), x(4, 6), modes=BOTH)
case("dropout_all", lambda: nn.Dropout(1.0), x(2, 2))
case("dropout_none", lambda: nn.Dropout(0.0), x(2, 2))
case("dropout1d", lambda: nn.Dropout1d(), x(3, 4, 2), modes=BOTH)
case("dropout2d", lambda: nn.Dropout2d(0.25), x(3, 4, 1, 2), modes=BOTH)
case("dropout3d", lambda: nn.Dropout3d(), x(3, 4, 1, 1, 2), modes=BOTH)
case("alpha_dropout", lambda: nn.AlphaDropout(0.4), x(4, 5), modes=BOTH)
case("feature_alpha_dropout", lambda: nn.FeatureAlphaDropout(), x(3, 4, 2), modes=BOTH)

# ---- activations
for key, make in {
    "relu": nn.ReLU, "relu6": nn.ReLU6, "selu": nn.SELU, "silu": nn.SiLU, "mish": nn.Mish, "sigmoid": nn.Sigmoid, "log_sigmoid": nn.LogSigmoid,
    "hardswish": nn.Hardswish, "tanh": nn.Tanh, "tanhshrink": nn.Tanhshrink, "softsign": nn.Softsign, "elu": nn.ELU, "elu_alpha": lambda: nn.ELU(0.5), "celu": nn.CELU,
    "celu_alpha": lambda: nn.CELU(2.5), "leaky_relu": nn.LeakyReLU, "leaky_relu_slope": lambda: nn.LeakyReLU(0.2), "hardtanh": nn.Hardtanh, "hardtanh_bounds": lambda: nn.Hardtanh(-0.5, 2.0),
    "softplus": nn.Softplus, "softplus_options": lambda: nn.Softplus(2.0, 1.5), "softshrink": nn.Softshrink, "softshrink_lambda": lambda: nn.Softshrink(0.25), "hardshrink": nn.Hardshrink,
    "threshold": lambda: nn.Threshold(0.5, -2.0), "gelu": nn.GELU, "gelu_tanh": lambda: nn.GELU("tanh"), "glu": nn.GLU, "softmax": lambda: nn.Softmax(dim=1),
    "log_softmax": lambda: nn.LogSoftmax(dim=-1), "softmin": lambda: nn.Softmin(dim=0),
}.items():
    case(key, make, x(2, 4) * 2)
case("hardsigmoid", nn.Hardsigmoid, x(2, 4) * 2, step=lambda m, t: (t + 3).clamp(0, 6) / 6)  # PyTorch's own gradient has a float32 factor of 1 / 6
case("glu_axis", lambda: nn.GLU(dim=1), x(2, 4, 2))
case("softmax2d", nn.Softmax2d, x(1, 3, 1, 2))
case("prelu", nn.PReLU, x(2, 3))
case("prelu_channels", lambda: nn.PReLU(3, init=0.1), x(2, 3, 2))
case("rrelu", nn.RReLU, x(3, 5), modes=BOTH)
case("rrelu_bounds", lambda: nn.RReLU(0.25, 0.5), x(3, 3), modes=BOTH)

# ---- embeddings
index = torch.tensor([[1, 0, 3], [3, 3, 2]])
case("embedding", lambda: nn.Embedding(4, 3), index)
case("embedding_options", lambda: nn.Embedding(8, 4, padding_idx=-5, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True), index)
case("embedding_pretrained", lambda: nn.Embedding.from_pretrained(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), padding_idx=0, max_norm=3.0), torch.tensor([1, 0, 1]))
case("embedding_bag", lambda: nn.EmbeddingBag(4, 3), index)
case("embedding_bag_sum", lambda: nn.EmbeddingBag(6, 5, max_norm=2.0, mode="sum", include_last_offset=True, padding_idx=3), torch.tensor([1, 0, 3, 3, 2, 1]), torch.tensor([0, 2, 2, 6]))
case("embedding_bag_max", lambda: nn.EmbeddingBag(4, 3, mode="max"), index)

# ---- shapes, padding, windows
case("identity", nn.Identity, x(2, 2))
case("flatten", nn.Flatten, x(2, 2, 1, 2))
case("flatten_axes", lambda: nn.Flatten(0, 1), x(2, 2, 2))
case("unflatten", lambda: nn.Unflatten(1, (2, -1)), x(2, 4))
case("pixel_shuffle", lambda: nn.PixelShuffle(2), x(1, 4, 1, 2))
case("pixel_unshuffle", lambda: nn.PixelUnshuffle(2), x(1, 1, 2, 4))
case("channel_shuffle", lambda: nn.ChannelShuffle(2), x(1, 4, 1, 2))
case("unfold", lambda: nn.Unfold((2, 1), dilation=(1, 2), padding=1, stride=2), x(1, 2, 3, 3))
case("fold", lambda: nn.Fold((3, 4), 2, padding=(0, 1)), x(1, 4, 10))
case("upsample", lambda: nn.Upsample(scale_factor=2.0), x(1, 1, 2, 2))
case("upsample_axes", lambda: nn.Upsample(scale_factor=(2.0, 1.5)), x(1, 1, 2, 2))
case("upsample_linear", lambda: nn.Upsample(size=5, mode="linear", align_corners=True), x(1, 2, 3))
case("upsample_exact", lambda: nn.Upsample(size=(3, 5), mode="nearest-exact"), x(1, 1, 2, 2))
case("constant_pad1d", lambda: nn.ConstantPad1d(2, 3.5), x(1, 2, 2))
case("constant_pad2d", lambda: nn.ConstantPad2d((1, 0, 0, 2), -1.0), x(1, 1, 2, 2))
case("constant_pad3d", lambda: nn.ConstantPad3d((1, 0, 0, 1, 0, -1), 0.5), x(1, 1, 2, 2, 1))
for axes, shape in [(1, (1, 2, 4)), (2, (1, 1, 3, 4)), (3, (1, 1, 2, 3, 2))]:
    sides = [1, 0, 2, 1, 0, 1][: 2 * axes]
    for key, make in {"zero_pad": "ZeroPad", "reflection_pad": "ReflectionPad", "replication_pad": "ReplicationPad", "circular_pad": "CircularPad"}.items():
        case(f"{key}{axes}d", lambda: getattr(nn, f"{make}{axes}d")(tuple(sides)), x(*shape))
case("reflection_pad2d_all", lambda: nn.ReflectionPad2d(1), x(1, 1, 2, 3))

# ---- containers
case("sequential", lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2), nn.Dropout(0.5))), x(3, 3), modes=BOTH)

# ---- parametrizations
weight_norm, spectral_norm = nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm


class Symmetric(nn.Module):
    def forward(self, w):
        return w.triu() + w.triu(1).transpose(-1, -2)


def chained():
    m = weight_norm(nn.Linear(2, 2))
    nn.utils.parametrize.register_parametrization(m, "weight", Symmetric())
    return m


def symmetric():
    m = nn.Linear(3, 3)
    nn.utils.parametrize.register_parametrization(m, "weight", Symmetric())
    return m


case("weight_norm", lambda: weight_norm(nn.Linear(3, 2)), x(2, 3), parametrized=True)
case("weight_norm_all", lambda: weight_norm(nn.Conv1d(2, 2, 2), dim=None), x(1, 2, 3), parametrized=True)
case("weight_norm_axis", lambda: weight_norm(nn.Conv1d(2, 3, 2, bias=False), dim=1), x(1, 2, 3), parametrized=True)
case("weight_norm_bias", lambda: weight_norm(nn.Linear(2, 3), "bias"), x(1, 2), parametrized=True)
case("spectral_norm", lambda: spectral_norm(nn.Linear(3, 2)), x(2, 3), modes=BOTH, parametrized=True)
case("spectral_norm_conv", lambda: spectral_norm(nn.Conv1d(2, 3, 2), n_power_iterations=3, eps=1e-6), x(1, 2, 3), modes=BOTH, step=three, parametrized=True)
case("spectral_norm_transposed", lambda: spectral_norm(nn.ConvTranspose1d(2, 3, 2)), x(1, 2, 2), modes=BOTH, parametrized=True)
case("parametrization_symmetric", symmetric, x(2, 3), parametrized=True)
case("parametrization_chained", chained, x(2, 2), parametrized=True)

# ---- later ones, at the end so that the seeds of the others stay
case("embedding_bag_frequency", lambda: nn.EmbeddingBag(4, 3, scale_grad_by_freq=True, padding_idx=1), index)
case("adaptive_avg_pool2d_keep", lambda: nn.AdaptiveAvgPool2d((None, 3)), x(1, 1, 3, 4))
case("adaptive_max_pool3d_keep", lambda: nn.AdaptiveMaxPool3d((2, None, None)), x(1, 1, 3, 2, 3))

with open("test/nn/layer_goldens.txt", "w") as f:
    f.write("\n".join(lines) + "\n")
