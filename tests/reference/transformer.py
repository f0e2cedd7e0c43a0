"""The Transformer of 2017 composed of PyTorch's layers, computed in float64, for
tests/layers/transformer_model_test.cpp.

    python transformer.py    (PyTorch 2.15, h5py) writes transformer.h5 beside itself
"""

import os

import numpy as np
import torch
import torch.nn.functional as F
from model_case import model_case, renamed
from store import open_to_write, randomize
from torch import nn

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(60)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "transformer.h5"))
B, S, T, V, START = 3, 9, 7, 23, 2
C, H, INNER, LAYERS = 16, 2, 40, 2


def sinusoids(length):
    places, columns = torch.arange(length)[:, None], torch.arange(C) // 2
    angles = places / 10000 ** (2 * columns / C)
    return torch.where(torch.arange(C) % 2 == 0, angles.sin(), angles.cos())


class Transformer(nn.Module):
    def __init__(self, pre_norm):
        super().__init__()
        options = dict(dim_feedforward=INNER, dropout=0.0, activation="relu", batch_first=True, norm_first=pre_norm)
        self.embedding = nn.Embedding(V, C)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(C, H, **options), LAYERS, nn.LayerNorm(C) if pre_norm else None, enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(C, H, **options), LAYERS, nn.LayerNorm(C) if pre_norm else None)

    def embed(self, ids):
        return self.embedding(ids) * C**0.5 + sinusoids(ids.shape[1])

    def forward(self, source, padding, target):
        future = torch.ones(T, T, dtype=torch.bool).triu(1)
        memory = self.encoder(self.embed(source), src_key_padding_mask=padding)
        y = self.decoder(self.embed(target), memory, tgt_mask=future, memory_key_padding_mask=padding)
        return F.linear(y, self.embedding.weight)


NAMES = [
    ("embedding.", "token_embedding."),
    ("layers.", "blocks."),
    ("self_attn.out_proj.", "attention.output."),
    ("multihead_attn.out_proj.", "cross_attention.output."),
    ("self_attn.", "attention."),
    ("multihead_attn.", "cross_attention."),
    ("linear1.", "feed_forward.up."),
    ("linear2.", "feed_forward.down."),
]


def weft_names(tensors):
    """Joint projections of queries, keys and values as three."""
    found = {}
    for name, tensor in renamed(tensors, NAMES).items():
        if "in_proj_" in name:
            for part, third in zip(("query.", "key.", "value."), tensor.chunk(3)):
                found[name.replace("in_proj_", part)] = third
        else:
            found[name] = tensor
    return found


lengths = np.array([6, S, 3])
padding = torch.arange(S) >= torch.from_numpy(lengths)[:, None]
for pre_norm, smoothing in [(False, 0.0), (True, 0.1)]:
    model = Transformer(pre_norm)
    randomize(model, rng)
    source = torch.from_numpy(rng.integers(0, V, (B, S)))
    targets = torch.from_numpy(rng.integers(0, V, (B, T)))
    targets[1, 5:] = targets[2, 1:] = -100
    read = torch.cat([torch.full((B, 1), START), targets[:, :-1]], 1)
    read[read == -100] = START
    config = dict(vocab_size=V, block_size=12, n_layer=LAYERS, n_head=H, n_embd=C, n_inner=INNER, start_id=START, pre_norm=int(pre_norm), dropout=0.0, layer_norm_eps=1e-5)
    name = "pre-norm" if pre_norm else "post-norm"
    model_case(file, name, model, weft_names, config, model(source, padding, read), targets, label_smoothing=smoothing, inputs=source, lengths=lengths)
file.close()
