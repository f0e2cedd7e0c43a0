"""Trains weft's model `best` in PyTorch for a given time and scores it: bits per byte of a text.

    python learn.py --train train.bin --validation validation.bin --validation-bytes N --seconds S
                    [--updates N] [--seed N] [--threads N] [--optimizer muon|adamw] [--set key=value...]

The files hold ids as nanoGPT has them, 16 bits each. The schedule is fitted into the time as bench/learn does it for weft:
from a rate measured first, which is not counted. Optimizers are those of weft: for muon torch.optim.Muon with the
step of AdamW for the blocks' matrices, and AdamW, fused, for all else. Windows lie anywhere in the text.
"""
import argparse
import json
import math
import time

import numpy
import torch
from torch.nn import functional as F

from llama import Llama, Shape
from measure import set_threads


def optimizers_of(model, settings, kind):
    matrices, tables, vectors = [], [], []
    for name, p in model.named_parameters():
        (vectors if p.dim() < 2 else tables if kind == "adamw" or "embedding" in name else matrices).append(p)
    decay = settings["weight_decay"]
    adamw = torch.optim.AdamW([{"params": tables, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}],
                              lr=settings["learning_rate"], betas=(0.9, settings["beta2"]), fused=True)
    if kind == "adamw":
        return [adamw]
    return [adamw, torch.optim.Muon(matrices, lr=settings["learning_rate"], weight_decay=decay,
                                    adjust_lr_fn="match_rms_adamw")]


def rate_at(step, updates, settings):
    """weft's schedules cosine and linear, with their warm-up."""
    warmup, highest, lowest = int(settings["warmup"] * updates), settings["learning_rate"], settings["min_lr"]
    if step < warmup:
        return highest * (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / max(1, updates - warmup))
    left = 1 - done if settings["schedule"] == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    return lowest + left * (highest - lowest)


class Training:
    def __init__(self, settings, optimizer, ids, seed):
        torch.manual_seed(seed)
        self.settings, self.ids = settings, ids
        self.random = numpy.random.default_rng(seed)
        shape = {name: settings[name] for name in ("vocab_size", "block_size", "n_layer", "n_head", "n_embd")}
        self.model = Llama(Shape(**shape))
        self.optimizers = optimizers_of(self.model, settings, optimizer)

    def batch(self):
        length = self.settings["block_size"]
        starts = self.random.integers(0, len(self.ids) - length, self.settings["batch_size"])
        rows = torch.from_numpy(numpy.stack([self.ids[at:at + length + 1] for at in starts]).astype(numpy.int64))
        return rows[:, :-1], rows[:, 1:]

    def step(self, rate):
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        inputs, targets = self.batch()
        loss = F.cross_entropy(self.model(inputs).flatten(0, 1), targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss.item()


def nats(model, ids):
    """Of all ids but the first, read in windows that lie side by side, as weft eval does."""
    length, total = model.shape.block_size, 0.0
    with torch.no_grad():
        for at in range(0, len(ids) - 1, length):
            row = torch.from_numpy(ids[at:at + length + 1].astype(numpy.int64))
            total += F.cross_entropy(model(row[None, :-1])[0], row[1:], reduction="sum").item()
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True)
    parser.add_argument("--validation", required=True)
    parser.add_argument("--validation-bytes", type=int, required=True, help="that the ids but the first stand for")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--updates", type=int, help="so many, whatever time they take")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--optimizer", choices=["adamw", "muon"], default="adamw")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    settings = {"block_size": 64, "n_layer": 4, "n_head": 4, "n_embd": 128, "batch_size": 12, "learning_rate": 1e-3,
                "min_lr": 1e-4, "warmup": 0.05, "weight_decay": 0.1, "beta2": 0.99, "schedule": "cosine"}
    settings |= {key: value if key == "schedule" else json.loads(value)
                 for key, value in (word.split("=", 1) for word in options.set)}
    set_threads(options.threads)
    ids = numpy.fromfile(options.train, dtype=numpy.uint16)
    updates = options.updates
    if not updates:
        trial, times = Training(settings, options.optimizer, ids, options.seed), []
        begin = time.perf_counter()
        while len(times) < 4 or time.perf_counter() - begin < min(30.0, options.seconds / 10):
            start = time.perf_counter()
            trial.step(0.0)
            times.append(time.perf_counter() - start)
        later = times[len(times) // 4:]
        updates = max(10, int(0.97 * options.seconds * len(later) / sum(later)))
    start = time.perf_counter()
    training = Training(settings, options.optimizer, ids, options.seed)
    done = 0
    while done < updates and (options.updates or time.perf_counter() - start < options.seconds):
        loss = training.step(rate_at(done, updates, settings))
        done += 1
    seconds = time.perf_counter() - start
    total = nats(training.model, numpy.fromfile(options.validation, dtype=numpy.uint16))
    print(json.dumps({"torch": torch.__version__, "bits_per_byte": total / math.log(2) / options.validation_bytes,
                      "train_loss": loss, "updates": done, "stopped": done < updates, "seconds": seconds}))


if __name__ == "__main__":
    main()
