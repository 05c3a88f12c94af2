"""Golden values for test/core/random.cpp: a plain Philox4x32-10, and PyTorch's CPU stream. Run with a Python that has torch."""
import math

import torch

M = 0xFFFFFFFF


def philox(key, counter):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & M, (a >> 32) ^ c[3] ^ k[1], a & M]
        k = [(k[0] + 0x9E3779B9) & M, (k[1] + 0xBB67AE85) & M]
    return c


def words(seed, call, block):
    return philox([seed & M, seed >> 32], [block & M, block >> 32, call & M, call >> 32])


def elements(seed, call, n):
    """The 32-bit word of elements 0..n-1 (Note [Random layout])."""
    return [words(seed, call, 16 * (i // 64) + i % 16)[i % 64 // 16] for i in range(n)]


def pairs(seed, call, n):
    """Elements 0..n-1 of a float64 draw: (low, high)."""
    out = []
    for i in range(n):
        w, k = words(seed, call, 16 * (i // 32) + i % 16), i % 32 // 16
        out.append((w[2 * k], w[2 * k + 1]))
    return out


def normal64(seed, call, i):
    w = words(seed, call, 16 * (i // 32) + i % 16)
    u = ((w[1] << 21 | w[0] >> 11) + 0.5) * 2.0**-53
    t = 2 * math.pi * (w[3] * 2.0**32 + w[2]) * 2.0**-64
    return math.sqrt(-2 * math.log(u)) * (math.sin(t) if i % 32 // 16 else math.cos(t))


def normal32(seed, call, i):
    w, k = words(seed, call, 16 * (i // 64) + i % 16), i % 64 // 16
    u = ((w[k & 2] >> 1) + 0.5) * 2.0**-31
    t = 2 * math.pi * w[(k & 2) + 1] * 2.0**-32
    return math.sqrt(-2 * math.log(u)) * (math.sin(t) if k & 1 else math.cos(t))


def show(name, values):
    print(name, "{" + ", ".join(repr(v) for v in values) + "}")


if __name__ == "__main__":
    for key, ctr in (([0, 0], [0] * 4), ([M] * 2, [M] * 4), ([0xA4093822, 0x299F31D0], [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344])):
        print("philox", [hex(v) for v in philox(key, ctr)])
    at = (0, 1, 15, 16, 17, 31, 32, 48, 63, 64, 65, 130)
    show("words", [hex(elements(42, 3, 131)[i]) for i in at])
    show("rand32", [(elements(42, 3, 131)[i] >> 8) * 2.0**-24 for i in at])
    show("rand64", [((h << 21) | (l >> 11)) * 2.0**-53 for l, h in (pairs(42, 3, 131)[i] for i in at)])
    show("randn32", [normal32(42, 3, i) for i in at])
    show("randn64", [normal64(42, 3, i) for i in at])
    show("randint", [((-7) + ((((w := words(42, 3, i // 2))[i % 2 * 2 + 1] << 32) | w[i % 2 * 2]) * 100 >> 64)) for i in range(8)])

    def golden(name, f):
        torch.manual_seed(1234)
        show(name, f().flatten().tolist())

    golden("torch rand", lambda: torch.rand(4))
    golden("torch rand64", lambda: torch.rand(3, dtype=torch.float64))
    golden("torch rand16", lambda: torch.cat([torch.rand(3, dtype=torch.float16), torch.rand(3, dtype=torch.bfloat16)]).double())
    for n in (5, 16, 17, 100):
        golden(f"torch randn {n}", lambda: torch.randn(n))
    golden("torch randn64 20", lambda: torch.randn(20, dtype=torch.float64))
    golden("torch randint", lambda: torch.randint(-5, 100, (8,)))
    golden("torch randint wide", lambda: torch.randint(0, 2**40, (3,)))
    golden("torch randperm", lambda: torch.randperm(10))
    golden("torch bernoulli", lambda: torch.empty(12).bernoulli_(0.3))
    golden("torch bernoulli tensor", lambda: torch.bernoulli(torch.full((12,), 0.3)))
    golden("torch exponential", lambda: torch.empty(3).exponential_(2.0))
    golden("torch dropout", lambda: torch.nn.functional.dropout(torch.ones(8), 0.7))
    golden("torch random_", lambda: torch.empty(3, dtype=torch.int64).random_())
    golden("torch multinomial", lambda: torch.multinomial(torch.tensor([1.0, 2, 3, 4]), 3))
    golden("torch multinomial replaced", lambda: torch.multinomial(torch.tensor([1.0, 2, 3, 4]), 8, True))
    golden("torch normal_", lambda: torch.empty(4).normal_(2, 3))
    golden("torch linear", lambda: torch.cat([p.flatten() for p in torch.nn.Linear(4, 3).parameters()]))
    golden("torch mixed", lambda: torch.cat([torch.randn(3), torch.rand(2), torch.randn(2)]))
