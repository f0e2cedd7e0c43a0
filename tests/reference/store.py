"""How the programs here write PyTorch's numbers: HDF5 files that weft reads as a StateDict."""

import h5py
import numpy as np
import torch


def put(group, key, value):
    """An array; a mark tells an array of shape () from a number."""
    array = np.asarray(value)
    data = group.create_dataset(key, data=array, track_times=False)
    if array.shape == () and array.dtype in (np.float64, np.int64):
        data.attrs["array"] = np.int8(1)


def put_integer(group, key, value):
    group.create_dataset(key, data=np.int64(value), track_times=False)


def put_arrays(group, tensors):
    """Every tensor of a dict, in its own type."""
    for key, tensor in tensors.items():
        put(group, key, tensor.detach().numpy())


def open_to_write(path):
    return h5py.File(path, "w", libver=("v110", "v110"))


def randomize(module, rng):
    """Weights that float32 holds exactly, none of them 0 or 1 as fresh biases and norms are."""
    for name, parameter in module.named_parameters():
        middle = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
        values = rng.normal(middle, 0.2, tuple(parameter.shape)).astype(np.float32)
        parameter.data.copy_(torch.from_numpy(values))


def floats(tensors):
    """Results of float64 as float32, which is closer than what they are held to."""
    return {name: tensor.detach().float() for name, tensor in tensors.items()}
