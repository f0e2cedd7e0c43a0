"""One model's case in a file that tests/layers/model_reference.h reads: `config`, `weights` and `grads` under
weft's names, a batch, its logits, and the mean cross-entropy with what made the gradients."""

import numpy as np
import torch
import torch.nn.functional as F
from store import floats, put, put_arrays


def put_config(group, config):
    for key, value in config.items():
        if isinstance(value, str):
            group.create_dataset(key, data=value, track_times=False)
            continue
        group.create_dataset(key, data=np.float64(value) if isinstance(value, float) else np.int64(value), track_times=False)


def renamed(tensors, names):
    found = {}
    for name, tensor in tensors.items():
        for theirs, ours in names:
            name = name.replace(theirs, ours)
        found[name] = tensor
    return found


def model_case(file, name, model, names, config, logits, targets, label_smoothing=0.0, **batch):
    """`names` is a list of replacements in order, or a function of a dict of tensors."""
    loss = F.cross_entropy(logits.flatten(0, -2), targets.flatten(), label_smoothing=label_smoothing)
    loss.backward()
    rename = names if callable(names) else lambda tensors: renamed(tensors, names)
    parameters = dict(model.named_parameters())
    group = file.create_group(name)
    put_config(group.create_group("config"), config)
    put_arrays(group.create_group("weights"), floats(rename(parameters)))
    put_arrays(group.create_group("grads"), floats(rename({k: p.grad for k, p in parameters.items()})))
    put_arrays(group, {"targets": targets, "logits": logits.float(), "loss": loss})
    for key, value in batch.items():
        put(group, key, value)
