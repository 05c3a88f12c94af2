"""What the peer programs in PyTorch share: flags and lines of bench/harness.h, and the networks of several rows."""
import argparse
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--only", default="")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--budget", type=float, default=2.0)
args = parser.parse_args()
torch.set_num_threads(args.threads)


def wanted(*names):
    return any(args.only in name for name in names)


def run(name, once, share=1):
    """Median and best of the times that `once` returns."""
    if not wanted(name):
        return
    for _ in range(3):
        once()
    times, start = [], time.perf_counter()
    while len(times) < 5 or (time.perf_counter() - start < args.budget * share and len(times) < 2000):
        times.append(once())
    times.sort()
    print(f"{name:28s}\t{times[len(times) // 2]:.4g}\t{times[0]:.4g}\t{len(times)}", flush=True)


def lenet():
    return torch.nn.Sequential(torch.nn.Conv2d(1, 32, 5, padding=2), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Conv2d(32, 64, 5, padding=2), torch.nn.ReLU(),
                               torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(3136, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))


class LanguageModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Embedding(10000, 650)
        self.rnn = torch.nn.LSTM(650, 650, num_layers=2)
        self.decoder = torch.nn.Linear(650, 10000)

    def forward(self, words):
        return self.decoder(self.rnn(self.encoder(words.t()))[0].transpose(0, 1))


def inception():
    from torchvision.models import inception_v3
    return inception_v3(weights=None, init_weights=False).to(memory_format=torch.channels_last)


def print_peak_memory():
    with open("/proc/self/status") as f:
        print("peak_rss\t" + next(line for line in f if line.startswith("VmHWM")).split(":")[1].strip())
