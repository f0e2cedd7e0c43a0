"""PyTorch's optimizers, clipping and schedules, computed in float64, for tests/optim.

    python optim.py          (PyTorch 2.15, h5py) writes optim.h5 beside itself

`start` holds two parameters, `gradients` ten gradients of each; each optimizer's group the parameters after
the first and after the tenth.
"""

import os

import numpy as np
import torch
from schedule import get_lr
from store import floats, open_to_write, put, put_arrays

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(40)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "optim.h5"))


def rand(*shape, scale=1.0):
    return torch.from_numpy(rng.normal(0, scale, shape).astype(np.float32).astype(np.float64))


start = {"weight": rand(5, 7), "bias": rand(7)}
# From large to tiny, with a step of zeros, as training has them.
gradients = [{k: rand(*p.shape, scale=s) for k, p in start.items()} for s in (3, 1, 0, 0.3, 1, 1e-2, 1e-4, 1e-9, 1, 0.1)]
put_arrays(file.create_group("start"), floats(start))
for k in start:
    put(file.require_group("gradients"), k, torch.stack([g[k] for g in gradients]).float().numpy())


def run(name, make):
    parameters = {k: p.clone().requires_grad_() for k, p in start.items()}
    optimizer = make(list(parameters.values()))
    for step, gradient in enumerate(gradients):
        for k, p in parameters.items():
            p.grad = gradient[k].clone()
        optimizer.step()
        if step in (0, 9):
            put_arrays(file.require_group(name).create_group("first" if step == 0 else "tenth"), floats(parameters))


run("AdamW", lambda p: torch.optim.AdamW(p))
run("AdamW nanoGPT", lambda p: torch.optim.AdamW(p, lr=1e-2, betas=(0.9, 0.99), weight_decay=0.1))
run("AdamW groups", lambda p: torch.optim.AdamW([{"params": p[:1], "weight_decay": 0.1}, {"params": p[1:], "weight_decay": 0.0}], lr=1e-2))
run("Adam", lambda p: torch.optim.Adam(p))
run("Adam with decay", lambda p: torch.optim.Adam(p, lr=1e-2, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1))
run("SGD", lambda p: torch.optim.SGD(p, lr=1e-2))
run("SGD with decay", lambda p: torch.optim.SGD(p, lr=1e-2, weight_decay=0.1))
run("SGD with momentum", lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9, weight_decay=0.1))
run("SGD with Nesterov", lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9, nesterov=True))

for name, limit in [("clipped", 1.0), ("not clipped", 1e3)]:
    parameters = {k: p.clone().requires_grad_() for k, p in start.items()}
    for k, p in parameters.items():
        p.grad = gradients[0][k].clone()
    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), limit)
    group = file.create_group(name)
    put_arrays(group.create_group("gradients"), floats({k: p.grad for k, p in parameters.items()}))
    put(group, "norm", norm.numpy())


schedules = file.create_group("schedules")
put(schedules, "cosine", np.array([get_lr(k) for k in range(120)]))
put(schedules, "inverse_square_root", np.array([512**-0.5 * min(k**-0.5, k * 40**-1.5) for k in range(1, 121)]))
file.close()
