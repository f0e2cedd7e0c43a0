"""Writes tests/reference/safetensors/*.safetensors as the safetensors library makes them; tests/lib/safetensors_test.cpp
reads them. With --check FILE it reads a file of ours and prints what the library finds in it.

    python3 tests/reference/safetensors_files.py            (safetensors 0.8, torch 2.15)
"""
import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

folder = pathlib.Path(__file__).with_name("safetensors")


def write():
    special = [0.0, -0.0, 1.0, -2.5, 65504.0, 6.1e-5, 6e-8, -3e-6, float("inf"), float("-inf"), float("nan")]
    halves = torch.tensor(special, dtype=torch.float16)
    bfloats = torch.tensor([*special, 3.4e38, 1e-40], dtype=torch.bfloat16)
    save_file(
        {
            "half": halves,
            "half as float": halves.float(),
            "bfloat": bfloats,
            "bfloat as float": bfloats.float(),
            "u8": torch.tensor([0, 255], dtype=torch.uint8),
            "i8": torch.tensor([-128, 127], dtype=torch.int8),
            "u16": torch.tensor([0, 65535], dtype=torch.uint16),
            "i16": torch.tensor([-32768, 32767], dtype=torch.int16),
            "u32": torch.tensor([0, 4294967295], dtype=torch.uint32),
        },
        folder / "narrow.safetensors",
    )
    # All of it in types that weft writes too: the bytes must be the same.
    save_file(
        {
            "float": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 7,
            "double": torch.tensor([1 / 3], dtype=torch.float64),
            "int": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
            "a/long": torch.tensor([[-(2**63), 2**63 - 1]], dtype=torch.int64),
            "bool": torch.tensor([True, False, True]),
            "scalar": torch.tensor(2.5),
            "empty": torch.zeros(0, 4),
            'a "name" ä': torch.zeros(1),
        },
        folder / "ours.safetensors",
        metadata={"format": "pt"},
    )
    save_file({}, folder / "nothing.safetensors")


def check(path):
    with safe_open(path, "pt") as file:
        print(file.metadata())
        for name in file.keys():
            tensor = file.get_tensor(name)
            print(name, tensor.dtype, tuple(tensor.shape), tensor.flatten().tolist()[:4])


if len(sys.argv) == 3 and sys.argv[1] == "--check":
    check(sys.argv[2])
else:
    write()
