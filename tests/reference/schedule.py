"""nanoGPT's learning rate."""

import math


def get_lr(it, learning_rate=1e-3, min_lr=1e-4, warmup_iters=10, lr_decay_iters=100):
    if it < warmup_iters:
        return learning_rate * (it + 1) / (warmup_iters + 1)
    if it > lr_decay_iters:
        return min_lr
    decay_ratio = (it - warmup_iters) / (lr_decay_iters - warmup_iters)
    coeff = 0.5 * (1.0 + math.cos(math.pi * decay_ratio))
    return min_lr + coeff * (learning_rate - min_lr)
