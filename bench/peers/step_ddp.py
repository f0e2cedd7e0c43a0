"""The training step of step.py by several processes: DistributedDataParallel over gloo, each with a part of the batch.

    python step_ddp.py --model nano|baby|gpt2 [--processes P] [--threads N] [--steps K]
"""
import argparse
import os
import socket
import time

import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing
from torch.nn.parallel import DistributedDataParallel

from gpt import GPT
from measure import MODELS, finish, set_threads

parser = argparse.ArgumentParser()
parser.add_argument("--model", choices=MODELS, default="nano")
parser.add_argument("--processes", type=int, default=2)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--steps", type=int, default=0)


def work(rank, options, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    distributed.init_process_group("gloo", rank=rank, world_size=options.processes)
    set_threads(options.threads)
    shape = MODELS[options.model]
    torch.manual_seed(1)
    plain = GPT(shape)
    model = DistributedDataParallel(plain)
    parameters = list(plain.parameters())
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
         {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}], lr=1e-3, betas=(0.9, 0.99))
    rows = shape.batch // options.processes
    ids, targets = (torch.randint(shape.vocab_size, (rows, shape.tokens))
                    for _ in range(2))

    def step():
        model(ids, targets).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        model.zero_grad(set_to_none=True)

    times = []
    for k in range(2 + (options.steps or shape.steps)):
        distributed.barrier()
        start = time.perf_counter()
        step()
        distributed.barrier()
        if k >= 2:
            times.append(time.perf_counter() - start)
    if rank == 0:
        times.sort()
        finish({"benchmark": "step_ddp", "model": options.model, "processes": options.processes,
                "threads": options.threads, "min_ms": 1e3 * times[0], "median_ms": 1e3 * times[len(times) // 2]})
    distributed.destroy_process_group()


if __name__ == "__main__":
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(work, (options, port), nprocs=options.processes)
