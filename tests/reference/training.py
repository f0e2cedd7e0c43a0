"""Ten steps of training a GPT in PyTorch, in float64, for tests/training.

    python training.py       (PyTorch 2.15, h5py) writes training.h5 beside itself

As nanoGPT trains: decay for matrices only, gradients clipped to 1, cosine schedule with warm-up.
"""

import os

import numpy as np
import torch
import torch.nn.functional as F
from gpt import GPT, weft_names
from schedule import get_lr
from store import floats, open_to_write, put, put_arrays, put_integer, randomize

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(50)
steps, B, T = 10, 4, 12
model = GPT(vocab_size=29, block_size=T, n_layer=2, n_head=2, n_embd=16, bias=True)
randomize(model, rng)
ids = torch.from_numpy(rng.integers(0, 29, (steps, B, T)))
targets = torch.from_numpy(rng.integers(0, 29, (steps, B, T)))

with open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "training.h5")) as file:
    config = file.create_group("config")
    for key, value in model.config.items():
        put_integer(config, key, value)
    put_integer(config, "bias", 1)
    config.create_dataset("dropout", data=np.float64(0), track_times=False)
    put_arrays(file.create_group("start"), floats(weft_names(dict(model.named_parameters()))))

    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.99))
    losses, norms = [], []
    for step in range(steps):
        loss = F.cross_entropy(model(ids[step]).flatten(0, 1), targets[step].flatten())
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
        for group in optimizer.param_groups:
            group["lr"] = get_lr(step, learning_rate=1e-2, min_lr=1e-3, warmup_iters=3, lr_decay_iters=8)
        optimizer.step()
        losses.append(float(loss))
    put_arrays(file.create_group("end"), floats(weft_names(dict(model.named_parameters()))))
    put_arrays(file, {"ids": ids, "targets": targets})
    put(file, "losses", np.array(losses))
    put(file, "norms", np.array(norms))
