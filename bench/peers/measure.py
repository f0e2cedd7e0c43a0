"""What the peers share: the models of bench/models.h, times, memory, and one object of JSON."""
import json
import statistics
import sys
import time
from dataclasses import dataclass

import torch


@dataclass
class Model:
    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int
    tokens: int  # of a training step, in each of
    batch: int  # so many rows
    steps: int  # that take a few seconds


MODELS = {
    "nano": Model(65, 64, 4, 4, 128, 64, 12, 200),
    "baby": Model(65, 256, 6, 6, 384, 256, 16, 10),
    "gpt2": Model(50304, 1024, 12, 12, 768, 64, 4, 8),
}


def set_threads(threads):
    """The threads asked for, or those that PyTorch takes by itself."""
    if threads:
        torch.set_num_threads(threads)
    return torch.get_num_threads()


def peak_rss_mb():
    """The most memory of this process that was resident at once, as bench_step gives it."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6


def timed(run, before=lambda: None, seconds=0.0, runs=3, warm_up=1):
    """Milliseconds of each of at least `runs` runs, for at least `seconds`; `before` each is not timed."""
    for _ in range(warm_up):
        before()
        run()
    times = []
    begin = time.perf_counter()
    while len(times) < runs or time.perf_counter() - begin < seconds:
        before()
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return {"min_ms": min(times), "median_ms": statistics.median(times)}


def finish(result):
    json.dump({"torch": torch.__version__, **result}, sys.stdout, indent=2)
    print()
