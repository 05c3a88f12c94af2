#!/usr/bin/env python3
"""The rows of whole models (rill_bench.cpp, `models`) and those in bfloat16 in PyTorch and torchvision: a peer program for scripts/bench.

Flags and lines are those of rill_bench. What Python adds to a step is far below one part in a hundred here.
"""
import time

import torch
import torch.nn.functional as F

import peer


def run(name, f, share=1):
    def once():
        start = time.perf_counter()
        f()
        return time.perf_counter() - start
    peer.run(name, once, share)


def autocast(on=True):
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=on)


def bfloat16():
    x, y = torch.randn(1024, 1024).bfloat16(), torch.randn(1024, 1024).bfloat16()
    run("sgemm_1024_bf16", lambda: x @ y)
    net = peer.lenet()
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    images, labels = torch.rand(100, 1, 28, 28), torch.randint(10, (100,))

    def step():
        adam.zero_grad()
        with autocast():
            loss = F.cross_entropy(net(images), labels)
        loss.backward()
        adam.step()
    run("lenet_train_step_b100_bf16", step)
    lstm, sequence = torch.nn.LSTM(650, 650, num_layers=2), torch.randn(35, 20, 650)

    def recur():
        lstm.zero_grad()
        with autocast():
            total = lstm(sequence)[0].float().sum()
        total.backward()
    run("lstm_2x650_t35_b20_fwd_bwd_bf16", recur, share=2)


def language_model():
    model = peer.LanguageModel()
    sgd = torch.optim.SGD(model.parameters(), lr=1.0)
    words, following = torch.randint(10000, (20, 35)), torch.randint(10000, (20, 35))

    def step():
        sgd.zero_grad()
        F.cross_entropy(model(words).reshape(700, 10000), following.reshape(700)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        sgd.step()
    run("ptb_lstm_train_step", step, share=2)


def inception():
    net = peer.inception()
    sgd = torch.optim.SGD(net.parameters(), lr=0.01)
    images = torch.randn(32, 3, 299, 299).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(1000, (32,))

    def train(low):
        sgd.zero_grad()
        with autocast(low):
            y, aux = net(images)
            loss = F.cross_entropy(y, labels) + 0.4 * F.cross_entropy(aux, labels)
        loss.backward()
        sgd.step()
    run("inception_v3_train_b32", lambda: train(False))
    run("inception_v3_train_b32_bf16", lambda: train(True))
    net.eval()

    def infer(low):
        with torch.no_grad(), autocast(low):
            net(images)
    run("inception_v3_infer_b32", lambda: infer(False))
    run("inception_v3_infer_b32_bf16", lambda: infer(True))


bfloat16()
if peer.wanted("ptb_lstm_train_step"):
    language_model()
if "inception_v3" in peer.args.only:
    inception()
peer.print_peak_memory()
