#!/usr/bin/env python3
"""A plain PyTorch training loop of the CIFAR-10 configurations, as a user would write it: pictures a second.

It trains what trainer/configs/cifar10-sparse.toml and its siblings describe (a ResNet of some width, one head, SGD with
momentum, random crop and flip) on random pictures, since only the time counts. Modules, losses and loop are written from
docs/spec/cifar-heads.md with torch.nn, nothing else; augmentation is done on whole batches, which costs next to nothing.
scripts/bench-training runs it in turn with `trainer train`.
"""
import argparse
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != channels:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class Expert(nn.Sequential):
    def __init__(self, inputs, hidden, classes, dropout):
        super().__init__(nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, classes))


class DenseHead(Expert):
    def forward(self, x):
        return super().forward(x), 0.0


class SoftHead(nn.Module):
    def __init__(self, inputs, hidden, classes, experts, dropout):
        super().__init__()
        self.gate = nn.Linear(inputs, experts)
        self.experts = nn.ModuleList(Expert(inputs, hidden, classes, dropout) for _ in range(experts))

    def forward(self, x):
        probs = self.gate(x).softmax(1)
        answers = torch.stack([expert(x) for expert in self.experts], 1)
        mean = probs.mean(0)
        balance = -(mean.clamp_min(1e-8).log().mean() + torch.log(torch.tensor(float(len(self.experts)))))
        return (probs.unsqueeze(2) * answers).sum(1), 0.2 * balance / len(self.experts)


class SparseHead(nn.Module):
    """Noisy top-k (Shazeer et al. 2017): every expert on the pictures that chose it."""

    def __init__(self, inputs, hidden, classes, experts, k, dropout):
        super().__init__()
        self.w_gate = nn.Linear(inputs, experts)
        self.w_noise = nn.Linear(inputs, experts)
        self.experts = nn.ModuleList(Expert(inputs, hidden, classes, dropout) for _ in range(experts))
        self.k, self.classes, self.dropout = k, classes, dropout

    def forward(self, x):
        gate_input = F.dropout(x, self.dropout, self.training)
        scores = self.w_gate(gate_input)
        scores = (scores - scores.mean(1, keepdim=True)) / (scores.std(1, keepdim=True) + 1e-5)
        scores = scores + torch.randn_like(scores) * (F.softplus(self.w_noise(gate_input)) + 0.3)
        chosen = scores.topk(self.k, 1).indices
        mask = torch.zeros_like(scores, dtype=torch.bool).scatter(1, chosen, True)
        probs = scores.masked_fill(~mask, float("-inf")).softmax(1)
        logits = x.new_zeros(x.size(0), self.classes)
        for e, expert in enumerate(self.experts):
            rows = mask[:, e].nonzero().squeeze(1)
            if len(rows):
                logits = logits.index_add(0, rows, probs[rows, e, None] * expert(x[rows]))
        mass = probs.sum(0)
        importance = mass.var() / (mass.mean() ** 2 + 1e-10)
        return logits, 0.2 * importance + 0.2 * importance


class Net(nn.Module):
    def __init__(self, width, head):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        blocks, inputs = [], width
        for stage in range(4):
            for i in range(2):
                blocks.append(Block(inputs, width << stage, 2 if stage and i == 0 else 1))
                inputs = width << stage
        self.blocks = nn.Sequential(*blocks)
        features = width * 8
        self.head = {
            "dense": lambda: DenseHead(features, features, 10, 0.1),
            "soft": lambda: SoftHead(features, features // 8, 10, 8, 0.1),
            "sparse": lambda: SparseHead(features, features // 8, 10, 8, 2, 0.1),
            "hard": lambda: SparseHead(features, features // 8, 10, 8, 1, 0.1),
        }[head]()

    def forward(self, x, bf16):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            x = self.blocks(F.relu(self.bn1(self.conv1(x)))).mean((2, 3))
        return self.head(x.float())


def augment(images):
    """Random crop of the padded batch and random mirror images, picture by picture."""
    n, _, height, width = images.shape
    padded = F.pad(images, (4, 4, 4, 4), "reflect")
    rows = torch.randint(0, 9, (n, 1)) + torch.arange(height)
    columns = torch.randint(0, 9, (n, 1)) + torch.arange(width)
    columns = torch.where(torch.rand(n, 1) < 0.5, columns.flip(1), columns)
    return padded[torch.arange(n)[:, None, None, None], torch.arange(3)[:, None, None], rows[:, None, :, None], columns[:, None, None, :]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--head", default="sparse", choices=["dense", "soft", "sparse", "hard"])
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--image", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, default=40, help="timed, after 5 more")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    images = torch.randint(0, 256, (4096, 3, args.image, args.image), dtype=torch.uint8)
    labels = torch.randint(0, 10, (4096,))
    layout = torch.channels_last if args.channels_last else torch.contiguous_format
    net = Net(args.width, args.head).to(memory_format=layout).train()
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4, nesterov=True)
    start = 0.0
    for batch in range(args.batches + 5):
        if batch == 5:
            start = time.perf_counter()
        rows = torch.randint(0, len(images), (args.batch,))
        x = augment(images[rows].float().div(255).sub(0.47).div(0.25)).contiguous(memory_format=layout)
        optimizer.zero_grad(set_to_none=True)
        logits, auxiliary = net(x, args.bf16)
        loss = F.cross_entropy(logits, labels[rows], label_smoothing=0.1) + auxiliary
        loss.backward()
        optimizer.step()
    seconds = time.perf_counter() - start
    print(f"{args.batches * args.batch / seconds:.0f} images/s")


if __name__ == "__main__":
    main()
