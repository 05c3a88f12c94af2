#!/usr/bin/env python3
"""The rows of rill_cuda_bench in PyTorch (and torchvision): a peer program for scripts/bench --cuda. Flags and lines are those of rill_cuda_bench.

Rows that end in _graph are whole training steps in a CUDA graph, captured as PyTorch's documentation does it.
"""
import time

import torch
import torch.nn.functional as F

import peer

ON = {"device": "cuda"}  # said at each tensor: a default device costs every op some of the host's time


def run(name, f, calls, wait=True):
    """One of `calls` calls of f. Without `wait` the device's work is not part of it."""
    def once():
        start = time.perf_counter()
        for _ in range(calls):
            f()
        if wait:
            torch.cuda.synchronize()
        passed = time.perf_counter() - start
        torch.cuda.synchronize()
        return passed / calls
    peer.run(name, once)


def train(name, step, calls):
    """A step op by op and as a graph; its gradients live in the graph's memory."""
    run(name, step, calls)
    if not peer.wanted(name + "_graph"):
        return
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    run(name + "_graph", graph.replay, calls)


def host():
    a, b = torch.randn(4, requires_grad=True, **ON), torch.randn(4, **ON)
    run("host_add4_grad_record", lambda: a + b, 200, wait=False)
    with torch.no_grad():
        run("host_add4_nograd", lambda: a + b, 200, wait=False)


@torch.no_grad()
def kernels():
    x, y = torch.randn(1 << 26, **ON), torch.randn(1 << 26, **ON)
    run("machine_copy", lambda: y.copy_(x), 10)
    run("ew_add", lambda: x + y, 10)
    run("ew_exp", lambda: torch.exp(x), 10)
    run("sum", lambda: x.sum(), 10)
    m = torch.randn(1 << 15, 4096, **ON)
    run("softmax", lambda: m.softmax(1), 10)
    run("sum_dim0", lambda: m.sum(0), 10)
    run("transpose_copy", lambda: m.t().contiguous(), 10)
    p, q = torch.randn(8192, 8192, **ON), torch.randn(8192, 8192, **ON)
    run("matmul_fp32", lambda: p @ q, 1)
    torch.backends.cuda.matmul.allow_tf32 = True
    run("matmul_tf32", lambda: p @ q, 1)
    p, q = p.bfloat16(), q.bfloat16()
    run("matmul_bf16", lambda: p @ q, 1)


def lenet():
    net = peer.lenet().cuda()
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True, capturable=True)
    images, labels = torch.rand(128, 1, 28, 28, **ON), torch.randint(10, (128,), **ON)

    def step():
        adam.zero_grad(set_to_none=True)
        F.cross_entropy(net(images), labels).backward()
        adam.step()
    train("lenet_train_step", step, 20)


def language_model():
    model = peer.LanguageModel().cuda()
    sgd = torch.optim.SGD(model.parameters(), lr=1.0, fused=True)
    words, following = torch.randint(10000, (20, 35), **ON), torch.randint(10000, (20, 35), **ON)

    def step():
        sgd.zero_grad(set_to_none=True)
        F.cross_entropy(model(words).reshape(700, 10000), following.reshape(700)).backward()
        sgd.step()
    train("ptb_lstm_train_step", step, 2)


def inception():
    net = peer.inception().cuda()
    sgd = torch.optim.SGD(net.parameters(), lr=0.01, fused=True)
    images = torch.randn(32, 3, 299, 299, **ON).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(1000, (32,), **ON)

    def step(low):
        sgd.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=low, cache_enabled=False):
            y, aux = net(images)
        loss = F.cross_entropy(y.float(), labels) + 0.4 * F.cross_entropy(aux.float(), labels)
        loss.backward()
        sgd.step()
    train("inception_v3_train_tf32", lambda: step(False), 1)
    train("inception_v3_train_bf16", lambda: step(True), 1)


host()
kernels()
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
if peer.wanted("lenet_train_step_graph"):
    lenet()
if peer.wanted("ptb_lstm_train_step_graph"):
    language_model()
if peer.wanted("inception_v3_train_tf32_graph", "inception_v3_train_bf16_graph"):
    inception()
peer.print_peak_memory()
