"""How the programs here write PyTorch's numbers: HDF5 files that weft reads as a StateDict."""

import h5py
import numpy as np


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
