"""Writes test/nn/models/torchvision_states.txt (names and shapes of torchvision's models) and test/nn/models/model_goldens.txt (values of
models, most of them torchvision's, in float64).

Needs PyTorch and torchvision. Run from the root: python test/oracle/model_goldens.py

States and inputs are filled with a hash, so that no weights have to be stored (test/nn/models/filled.h does the same). A line of the
goldens: case tensor shape mean mean-of-absolutes and six elements.
"""
import numpy as np
import torch
import torch.nn.functional as F
import torchvision.models as tv
from torchvision.models import inception

torch.set_default_dtype(torch.float64)
lines = []


def noise(count, k):
    """Uniform in [0, 1): the 32-bit finaliser of MurmurHash3."""
    mask = np.uint64(0xFFFFFFFF)
    h = (np.arange(count, dtype=np.uint64) + np.uint64(k) * np.uint64(0x9E3779B9)) & mask
    h ^= h >> np.uint64(16)
    h = (h * np.uint64(0x85EBCA6B)) & mask
    h ^= h >> np.uint64(13)
    h = (h * np.uint64(0xC2B2AE35)) & mask
    h ^= h >> np.uint64(16)
    return h.astype(np.float64) / 2.0**32


def filled(shape, name, k):
    shape = tuple(shape)
    u = noise(int(np.prod(shape, dtype=np.int64)), k)
    if len(shape) >= 2:
        u = (u - 0.5) * 2 * np.sqrt(6.0 / (np.prod(shape[1:], dtype=np.int64)))
    elif name.endswith("running_var") or name.endswith("weight"):
        u = 0.5 + u
    else:
        u = (u - 0.5) * 0.2
    return torch.tensor(u.reshape(shape))


def fill(module):
    with torch.no_grad():
        for k, (name, t) in enumerate(module.state_dict().items()):
            if t.is_floating_point():
                t.copy_(filled(t.shape, name, k))
    return module


def image(*shape):
    return torch.tensor((noise(int(np.prod(shape)), 9999) - 0.5) * 4).reshape(shape)


def put(case, name, t):
    t = t.detach()
    flat = t.reshape(-1)
    picks = [flat[(j * 2654435761) % flat.numel()].item() for j in range(6)]
    numbers = [flat.mean().item(), flat.abs().mean().item()] + picks
    lines.append(f"{case} {name} {'x'.join(map(str, t.shape))} " + " ".join(f"{v:.17g}" for v in numbers))


def train_step(case, module, x):
    """Training mode: the output, gradients of sum(y r) with r from the hash, and the state afterwards."""
    module.train()
    if x.is_floating_point():
        x.requires_grad_()
    y = module(x)
    put(case, "y", y)
    (y * torch.tensor(noise(y.numel(), 7777) - 0.5).reshape(y.shape)).sum().backward()
    if x.is_floating_point():
        put(case, "grad.x", x.grad)
    for name, p in module.named_parameters():
        put(case, "grad." + name, p.grad)
    for name, b in module.named_buffers():
        if b.is_floating_point():
            put(case, "state." + name, b)


# ---- names ----
with open("test/nn/models/torchvision_states.txt", "w") as out:
    models = [("inception_v3", tv.inception_v3(weights=None, init_weights=False)), ("resnet18", tv.resnet18(weights=None)), ("resnet50", tv.resnet50(weights=None))]
    for model_name, model in models:
        for name, t in model.state_dict().items():
            out.write(f"{model_name} {name} {str(t.dtype).replace('torch.', '').replace('float64', 'float32')} {'x'.join(map(str, t.shape))}\n")

# ---- blocks in training ----
for name, block, shape in [
    ("InceptionA", inception.InceptionA(6, 5), (2, 6, 5, 6)),
    ("InceptionB", inception.InceptionB(6), (2, 6, 7, 6)),
    ("InceptionC", inception.InceptionC(6, 4), (2, 6, 5, 6)),
    ("InceptionD", inception.InceptionD(6), (2, 6, 7, 6)),
    ("InceptionE", inception.InceptionE(6), (2, 6, 5, 6)),
    ("InceptionAux", inception.InceptionAux(6, 3), (2, 6, 17, 18)),
    ("BasicBlock", tv.resnet.BasicBlock(8, 8), (2, 8, 5, 6)),
    ("BasicBlock2", tv.resnet.BasicBlock(8, 16, 2, torch.nn.Sequential(torch.nn.Conv2d(8, 16, 1, 2, bias=False), torch.nn.BatchNorm2d(16))), (2, 8, 5, 6)),
    ("Bottleneck", tv.resnet.Bottleneck(8, 4, 2, torch.nn.Sequential(torch.nn.Conv2d(8, 16, 1, 2, bias=False), torch.nn.BatchNorm2d(16))), (2, 8, 5, 6)),
]:
    train_step(name, fill(block), image(*shape))

# ---- whole networks in evaluation ----
STAGES = ("Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 maxpool1 Conv2d_3b_1x1 Conv2d_4a_3x3 maxpool2 Mixed_5b Mixed_5c Mixed_5d Mixed_6a Mixed_6b Mixed_6c Mixed_6d Mixed_6e "
          "Mixed_7a Mixed_7b Mixed_7c").split()
SLIM = {"maxpool1": "MaxPool_3a_3x3", "maxpool2": "MaxPool_5a_3x3"}


def inception_case(case, transform_input):
    model = fill(inception.Inception3(num_classes=7, aux_logits=False, transform_input=transform_input, init_weights=False)).eval()
    x = image(1, 3, 75, 82)
    for stage in STAGES:
        getattr(model, stage).register_forward_hook(lambda m, i, y, s=stage: put(case, SLIM.get(s, s), y))
    with torch.no_grad():
        y = model(x)
        put(case, "Logits", y)
        put(case, "Predictions", y.softmax(1))


inception_case("inception_v3", True)
plain = F.avg_pool2d
inception.F.avg_pool2d = lambda x, kernel_size, stride, padding=0: plain(x, kernel_size, stride, padding, count_include_pad=False)
unscaled = filled


def filled(shape, name, k):  # TF-Slim has no gamma
    return torch.ones(shape) if name.endswith("bn.weight") else unscaled(shape, name, k)


inception_case("inception_v3_slim", False)
inception.F.avg_pool2d = plain
filled = unscaled

for name, model, size in [("resnet18", tv.resnet18(weights=None, num_classes=7), 64), ("resnet50", tv.resnet50(weights=None, num_classes=7), 40)]:
    with torch.no_grad():
        put(name, "y", fill(model).eval()(image(1, 3, size, size)))

# ---- LeNet-5 and the perceptron ----


class LeNet(torch.nn.Module):
    def __init__(self, a, b, padding, sizes):
        super().__init__()
        self.conv1, self.conv2 = torch.nn.Conv2d(1, a, 5, padding=2), torch.nn.Conv2d(a, b, 5, padding=padding)
        self.fc = torch.nn.ModuleList(torch.nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        for layer in self.fc[:-1]:
            x = F.relu(layer(x))
        return self.fc[-1](x)


train_step("lenet5", fill(LeNet(32, 64, 2, [3136, 512, 10])), image(2, 1, 28, 28))
train_step("lenet5_modern", fill(LeNet(6, 16, 0, [400, 120, 84, 10])), image(2, 1, 28, 28))


class Mlp(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(7, 5), torch.nn.Linear(5, 3)])

    def forward(self, x):
        return self.layers[1](torch.tanh(self.layers[0](x)))


train_step("mlp", fill(Mlp()), image(4, 7))


class Attention(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.c_attn, self.c_proj, self.heads = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width), heads

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (m.view(n, t, self.heads, c // self.heads).transpose(1, 2) for m in self.c_attn(x).split(c, 2))
        scores = (q @ k.transpose(2, 3)) / np.sqrt(c // self.heads)
        scores = scores.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), float("-inf"))
        return self.c_proj((scores.softmax(3) @ v).transpose(1, 2).reshape(n, t, c))


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1, self.attn, self.ln_2 = torch.nn.LayerNorm(width), Attention(width, heads), torch.nn.LayerNorm(width)
        self.mlp = torch.nn.ModuleDict({"c_fc": torch.nn.Linear(width, 4 * width), "c_proj": torch.nn.Linear(4 * width, width)})

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x)), approximate="tanh"))


class Gpt(torch.nn.Module):
    def __init__(self, vocabulary, context, layers, heads, width):
        super().__init__()
        self.transformer = torch.nn.ModuleDict({"wte": torch.nn.Embedding(vocabulary, width), "wpe": torch.nn.Embedding(context, width),
                                                "h": torch.nn.ModuleList(Block(width, heads) for _ in range(layers)), "ln_f": torch.nn.LayerNorm(width)})
        self.lm_head = torch.nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.transformer["wte"].weight

    def forward(self, tokens):
        t = self.transformer
        x = t["wte"](tokens) + t["wpe"](torch.arange(tokens.shape[1]))
        for block in t["h"]:
            x = block(x)
        return self.lm_head(t["ln_f"](x))


class LanguageModel(torch.nn.Module):
    def __init__(self, vocabulary, embedding, hidden, tied):
        super().__init__()
        self.encoder = torch.nn.Embedding(vocabulary, embedding)
        self.rnn = torch.nn.LSTM(embedding, hidden, 2, batch_first=True)
        self.decoder = torch.nn.Linear(hidden, vocabulary)
        if tied:
            self.decoder.weight = self.encoder.weight

    def forward(self, tokens):
        first, state = self.rnn(self.encoder(tokens[:, :2]))  # in two pieces, the state handed on
        second, _ = self.rnn(self.encoder(tokens[:, 2:]), state)
        return self.decoder(torch.cat([first, second], 1))


tokens = torch.tensor((noise(10, 4444) * 11).astype(np.int64)).view(2, 5)
train_step("gpt", fill(Gpt(11, 6, 2, 2, 8)), tokens)
train_step("lstm_language_model", fill(LanguageModel(11, 4, 6, False)), tokens)
train_step("lstm_language_model_tied", fill(LanguageModel(11, 6, 6, True)), tokens)


class LeNet1998(torch.nn.Module):
    """The paper's network with the missing connections of C3 as zeros in a dense kernel."""

    INPUTS = [[i, (i + 1) % 6, (i + 2) % 6] for i in range(6)] + [[(i + j) % 6 for j in range(4)] for i in range(6)]
    INPUTS += [[0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 2, 3, 4, 5]]

    def __init__(self):
        super().__init__()
        self.c1 = torch.nn.Conv2d(1, 6, 5)
        self.s2 = torch.nn.ParameterDict({"weight": torch.nn.Parameter(torch.zeros(6)), "bias": torch.nn.Parameter(torch.zeros(6))})
        self.c3 = torch.nn.ParameterDict({"weight": torch.nn.Parameter(torch.zeros(60, 5, 5)), "bias": torch.nn.Parameter(torch.zeros(16))})
        self.s4 = torch.nn.ParameterDict({"weight": torch.nn.Parameter(torch.zeros(16)), "bias": torch.nn.Parameter(torch.zeros(16))})
        self.c5, self.f6 = torch.nn.Conv2d(16, 120, 5), torch.nn.Linear(120, 84)

    @staticmethod
    def squash(x):
        return 1.7159 * torch.tanh(2 * x / 3)

    @staticmethod
    def subsample(x, s):
        four = x[:, :, 0::2, 0::2] + x[:, :, 0::2, 1::2] + x[:, :, 1::2, 0::2] + x[:, :, 1::2, 1::2]
        return four * s["weight"][None, :, None, None] + s["bias"][None, :, None, None]

    def forward(self, x):
        x = self.squash(self.subsample(self.squash(self.c1(x)), self.s2))
        kernel, at = torch.zeros(16, 6, 5, 5), 0
        for out, inputs in enumerate(self.INPUTS):
            for i in sorted(inputs):
                kernel[out, i] = self.c3["weight"][at]
                at += 1
        x = self.squash(F.conv2d(x, kernel, self.c3["bias"]))
        x = self.squash(self.subsample(x, self.s4))
        return self.squash(self.f6(self.squash(self.c5(x)).flatten(1)))


net = LeNet1998()
order = "c1.weight c1.bias s2.weight s2.bias c3.weight c3.bias c3.table s4.weight s4.bias c5.weight c5.bias f6.weight f6.bias".split()
with torch.no_grad():
    for k, name in enumerate(order):
        if name != "c3.table":  # a buffer of the C++ network, which takes a number as well
            p = dict(net.named_parameters())[name]
            p.copy_(filled(p.shape, name, k))
digits = torch.tensor(noise(840, 5555) - 0.5).reshape(10, 84)  # any codes will do here
units = net(image(2, 1, 32, 32))
penalties = ((units[:, None, :] - digits[None]) ** 2).sum(2)
put("lenet5_1998", "y", penalties)
loss = penalties[torch.arange(2), torch.tensor([3, 8])].mean() + torch.log(np.exp(-0.25) + torch.exp(-penalties).sum(1)).mean()
put("lenet5_1998", "loss", loss.reshape(1))
loss.backward()
for name, p in net.named_parameters():
    put("lenet5_1998", "grad." + name, p.grad)

with open("test/nn/models/model_goldens.txt", "w") as out:
    out.write("\n".join(lines) + "\n")
print(len(lines), "lines")
