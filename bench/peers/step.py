"""The training step of bench_step in PyTorch: forward, loss, backward, clip to 1, AdamW.

    python step.py --model nano|baby|gpt2 [--variant eager|fused|compiled] [--threads N] [--steps K] [--no-optimizer]
                   [--dtype float32|bfloat16]

eager: as it comes; fused: AdamW(fused=True); compiled: that, and torch.compile. bfloat16: under torch.autocast.
"""
import argparse

import torch

from gpt import GPT
from measure import MODELS, finish, peak_rss_mb, set_threads, timed

parser = argparse.ArgumentParser()
parser.add_argument("--model", choices=MODELS, default="nano")
parser.add_argument("--variant", choices=["eager", "fused", "compiled"], default="eager")
parser.add_argument("--threads", type=int, default=0)
parser.add_argument("--steps", type=int, default=0)
parser.add_argument("--no-optimizer", action="store_true")
parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
options = parser.parse_args()

at_start = peak_rss_mb()
threads = set_threads(options.threads)
shape = MODELS[options.model]
torch.manual_seed(1)
model = GPT(shape)
parameters = list(model.parameters())
optimizer = None
if not options.no_optimizer:
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
        ],
        lr=1e-3,
        betas=(0.9, 0.99),
        fused=options.variant != "eager",
    )
forward = torch.compile(model) if options.variant == "compiled" else model
ids, targets = (torch.randint(shape.vocab_size, (shape.batch, shape.tokens)) for _ in range(2))
loss = 0.0


def step():
    global loss
    with torch.autocast("cpu", torch.bfloat16, enabled=options.dtype == "bfloat16"):
        result = forward(ids, targets)
    result.backward()
    loss = result.item()
    if optimizer:
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    model.zero_grad(set_to_none=True)


steps = options.steps or shape.steps
times = timed(step, runs=steps, warm_up=2)
finish({
    "benchmark": "step",
    "variant": options.variant,
    "model": options.model,
    "threads": threads,
    "steps": steps,
    "optimizer": optimizer is not None,
    "dtype": options.dtype,
    **times,
    "tokens_per_second": 1e3 * shape.batch * shape.tokens / times["min_ms"],
    "peak_rss_mb": peak_rss_mb(),
    "rss_at_start_mb": at_start,
    "loss": loss,
})
