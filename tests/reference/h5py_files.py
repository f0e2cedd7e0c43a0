"""Writes h5py.h5, an HDF5 file as h5py makes it, which tests/lib/files/hdf5_file_test.cpp reads.

    python3 tests/reference/h5py_files.py            (h5py 3.16, NumPy 2.4)

`good` holds what read_hdf5 understands. `bad` holds the bytes of whole files that it must refuse, as int32.
"""
import io
import pathlib

import h5py
import numpy as np


def group_twice(file):
    file["x"] = file.create_group("group")


def virtual(file):
    layout = h5py.VirtualLayout(shape=(2,), dtype="<i4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(2,))
    file.create_virtual_dataset("x", layout)


def float_type(size, sign, exponent_at, exponent, mantissa, bias, order=h5py.h5t.ORDER_LE):
    """A floating-point type of so many bytes that HDF5 has no name for."""
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(sign, exponent_at, exponent, 0, mantissa)
    kind.set_size(size)
    kind.set_ebias(bias)
    kind.set_order(order)
    return kind


def bits(kind, values, chunks=None):
    """A dataset `x` of that type, from the bits of its values."""

    def fill(file, name="x"):
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        if chunks:
            properties.set_chunk(chunks)
            properties.set_deflate(4)
        space = h5py.h5s.create_simple(values.shape)
        data = h5py.h5d.create(file.id, name.encode(), kind, space, properties)
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, values, kind)

    return fill


bfloat16 = float_type(2, 15, 7, 8, 7, 127)


def assign(value):
    return lambda file: file.__setitem__("x", value)


bad = {
    "uint8": assign(np.array([1], dtype="u1")),
    "float16": assign(np.array([1], dtype="f2")),
    "bfloat16 of another order": bits(float_type(2, 15, 7, 8, 7, 127, h5py.h5t.ORDER_BE), np.array([1], "u2")),
    "bfloat16 of another bias": bits(float_type(2, 15, 7, 8, 7, 126), np.array([1], "u2")),
    "float of 2 bytes": bits(float_type(2, 15, 9, 6, 9, 31), np.array([1], "u2")),
    "float of 3 bytes": bits(float_type(3, 23, 15, 8, 15, 127), np.zeros(3, "u1").view("V3")),
    "complex": assign(np.array([1j])),
    "texts": assign(["a", "b"]),
    "soft link": assign(h5py.SoftLink("/y")),
    "external link": assign(h5py.ExternalLink("other.h5", "/x")),
    "external values": lambda file: file.create_dataset(
        "x", (2,), "<i4", external=[("/dev/zero", 0, h5py.h5f.UNLIMITED)]
    ),
    "type": assign(np.dtype("<f4")),
    "unwritten": lambda file: file.create_dataset("x", (10**12,), "<f4"),
    "unwritten chunks": lambda file: file.create_dataset("x", (10**12,), "<f4", chunks=(100,)),
    "group twice": group_twice,
    "rank": assign(np.zeros((1,) * 9, dtype="<f4")),
    "null": assign(h5py.Empty("<f4")),
    "virtual": virtual,
    "bad bool": assign(np.array([2], dtype="i1").view(dtype=h5py.enum_dtype({"FALSE": 0, "TRUE": 1}, "i1"))),
    "name": lambda file: file.create_dataset(b"\xff", data=1),
}

with h5py.File(pathlib.Path(__file__).with_name("h5py.h5"), "w") as file:
    good = file.create_group("good")
    good["float32"] = np.array([[1.5, -2.0], [0.0, np.inf]], dtype="<f4")
    good["float64"] = np.array([0.1, 0.2], dtype="<f8")
    good["int32"] = np.array([-1, 2**31 - 1], dtype="<i4")
    good["int64"] = np.array([-1, 2**63 - 1], dtype="<i8")
    good["bool"] = np.array([True, False, True])
    good["big endian"] = np.array([1.5, -2.0], dtype=">f4")
    good["big endian int64"] = np.array([1, -2], dtype=">i8")
    good["empty"] = np.zeros((0, 3), dtype="<f4")
    good.create_dataset("compressed", data=np.arange(1000, dtype="<i4"), chunks=(100,), compression="gzip")
    narrow = np.array([[0x3F80, 0xC020, 0x0001], [0x7F80, 0x8000, 0x7F7F]], dtype="<u2")
    bits(bfloat16, narrow)(good, "bfloat16")
    bits(bfloat16, np.arange(1000, dtype="<u2"), (100,))(good, "compressed bfloat16")
    good["integer"] = 7
    good["number"] = 0.5
    good["scalar float32"] = np.float32(0.25)
    good["text"] = "h\u00e9llo"
    good["fixed text"] = np.bytes_("hello")
    good["no text"] = ""
    good.attrs["ignored"] = 1
    for name, fill in bad.items():
        memory = io.BytesIO()
        with h5py.File(memory, "w") as inner:
            fill(inner)
        file["bad/" + name] = np.frombuffer(memory.getvalue().ljust(4096, b"\0"), dtype="<i4")
