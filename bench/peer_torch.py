#!/usr/bin/env python3
"""The rows of whole models (rill_bench.cpp, `models`) in PyTorch and torchvision: a peer program for scripts/bench.

Flags and lines are those of rill_bench. What Python adds to a step is far below one part in a hundred here.
"""
import argparse
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--only", default="")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--budget", type=float, default=2.0)
args = parser.parse_args()
torch.set_num_threads(args.threads)


def run(name, f, share=1):
    if args.only not in name:
        return
    for _ in range(3):
        f()
    times, start = [], time.perf_counter()
    while len(times) < 5 or (time.perf_counter() - start < args.budget * share and len(times) < 2000):
        a = time.perf_counter()
        f()
        times.append(time.perf_counter() - a)
    times.sort()
    print(f"{name:28s}\t{times[len(times) // 2]:.4g}\t{times[0]:.4g}\t{len(times)}", flush=True)


class Lm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Embedding(10000, 650)
        self.rnn = torch.nn.LSTM(650, 650, num_layers=2)
        self.decoder = torch.nn.Linear(650, 10000)

    def forward(self, words):
        return self.decoder(self.rnn(self.encoder(words.t()))[0].transpose(0, 1))


def language_model():
    model = Lm()
    sgd = torch.optim.SGD(model.parameters(), lr=1.0)
    words, following = torch.randint(10000, (20, 35)), torch.randint(10000, (20, 35))

    def step():
        sgd.zero_grad()
        F.cross_entropy(model(words).reshape(700, 10000), following.reshape(700)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        sgd.step()
    run("ptb_lstm_train_step", step, share=2)


def inception():
    from torchvision.models import inception_v3
    net = inception_v3(weights=None, init_weights=False).to(memory_format=torch.channels_last)
    sgd = torch.optim.SGD(net.parameters(), lr=0.01)
    images = torch.randn(32, 3, 299, 299).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(1000, (32,))

    def train():
        sgd.zero_grad()
        y, aux = net(images)
        (F.cross_entropy(y, labels) + 0.4 * F.cross_entropy(aux, labels)).backward()
        sgd.step()
    run("inception_v3_train_b32", train)
    net.eval()

    def infer():
        with torch.no_grad():
            net(images)
    run("inception_v3_infer_b32", infer)


if args.only in "ptb_lstm_train_step":
    language_model()
if "inception_v3" in args.only:
    inception()
with open("/proc/self/status") as f:
    print("peak_rss\t" + next(line for line in f if line.startswith("VmHWM")).split(":")[1].strip())
