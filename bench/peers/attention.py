"""The causal attention of bench_attention in PyTorch: 6 heads of 64, forward and backward.

    python attention.py [--tokens N...] [--threads N] [--seconds S]
"""
import argparse

import torch
from torch.nn.functional import scaled_dot_product_attention

from measure import finish, peak_rss_mb, set_threads, timed

HEADS, WIDTH = 6, 64

parser = argparse.ArgumentParser()
parser.add_argument("--tokens", type=int, nargs="+", default=[1024, 2048, 4096, 8192])
parser.add_argument("--threads", type=int, default=0)
parser.add_argument("--seconds", type=float, default=0.3)
options = parser.parse_args()

threads = set_threads(options.threads)
torch.manual_seed(1)
rows = []
for tokens in options.tokens:
    # (B, T, H D), as the projections leave it.
    q, k, v = (torch.randn(1, tokens, HEADS * WIDTH, requires_grad=True) for _ in range(3))
    gradient = torch.randn(1, HEADS, tokens, WIDTH)
    out = None

    def forward():
        global out
        heads = (x.view(1, tokens, HEADS, WIDTH).transpose(1, 2) for x in (q, k, v))
        out = scaled_dot_product_attention(*heads, is_causal=True)

    def prepare():
        q.grad = k.grad = v.grad = None
        forward()

    ahead = timed(forward, seconds=options.seconds)
    back = timed(lambda: out.backward(gradient), before=prepare, seconds=options.seconds)
    rows.append({
        "tokens": tokens,
        "forward_ms": ahead["min_ms"],
        "forward_median_ms": ahead["median_ms"],
        "backward_ms": back["min_ms"],
        "backward_median_ms": back["median_ms"],
        "peak_rss_mb": peak_rss_mb(),
    })
finish({"benchmark": "attention", "threads": threads, "rows": rows})
