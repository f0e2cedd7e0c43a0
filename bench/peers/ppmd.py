"""How many bytes PPMd (variant H, as 7-Zip has it) makes of files, joined.

    python ppmd.py [--order N] [--memory BYTES] FILE...
"""
import argparse
import json

import pyppmd

parser = argparse.ArgumentParser()
parser.add_argument("--order", type=int, default=16)
parser.add_argument("--memory", type=int, default=1 << 30)
parser.add_argument("files", nargs="+")
options = parser.parse_args()
encoder = pyppmd.Ppmd7Encoder(options.order, options.memory)
size = 0
for path in options.files:
    with open(path, "rb") as file:
        size += len(encoder.encode(file.read()))
print(json.dumps({"pyppmd": pyppmd.__version__, "bytes": size + len(encoder.flush())}))
