"""transformers computes norms, softmaxes and angles in float32 whatever the type of the model. Here they are
computed in float64."""

from contextlib import contextmanager

import torch
from torch.nn import functional as F


@contextmanager
def in_double():
    to, to_float, softmax, default = torch.Tensor.to, torch.Tensor.float, F.softmax, torch.get_default_dtype()
    wide = lambda x: torch.float64 if x is torch.float32 else x
    torch.Tensor.to = lambda self, *args, **named: to(self, *map(wide, args), **{k: wide(v) for k, v in named.items()})
    torch.Tensor.float = lambda self: self.double()
    F.softmax = lambda x, dim, dtype=None: softmax(x, dim)
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.Tensor.to, torch.Tensor.float, F.softmax = to, to_float, softmax
        torch.set_default_dtype(default)
