"""transformers' T5, computed in float64, for tests/layers/t5_test.cpp; and its buckets of relative positions.

    python t5.py             (PyTorch 2.15, transformers 5.23, h5py) writes t5.h5 beside itself
"""

import os
import re

import numpy as np
import torch
from in_double import in_double
from model_case import model_case
from store import open_to_write, put, randomize
from torch import nn
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention

NAMES = [
    (r"^shared\.", "token_embedding."),
    (r"^lm_head\.", "output."),
    (r"block\.0\.layer\.0\.SelfAttention\.relative_attention_bias\.", "position_bias."),
    (r"\.final_layer_norm\.", ".norm."),
    (r"\.block\.", ".blocks."),
    (r"\.layer\.0\.SelfAttention\.", ".attention."),
    (r"\.layer\.1\.EncDecAttention\.", ".cross_attention."),
    (r"\.layer\.[12]\.DenseReluDense\.", ".feed_forward."),
    (r"\.layer\.0\.layer_norm\.", ".norm1."),
    (r"\.layer\.1\.layer_norm\.", ".norm2."),
    (r"\.layer\.2\.layer_norm\.", ".norm3."),
    (r"\.q\.", ".query."),
    (r"\.k\.", ".key."),
    (r"\.v\.", ".value."),
    (r"\.o\.", ".output."),
    (r"\.wi\.|\.wi_1\.", ".up."),
    (r"\.wi_0\.", ".gate."),
    (r"\.wo\.", ".down."),
]


def rename(tensors):
    found = {}
    for name, tensor in tensors.items():
        for theirs, ours in NAMES:
            name = re.sub(theirs, ours, name)
        found[name] = tensor
    return found


rng = np.random.default_rng(70)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "t5.h5"))
B, S, T, V = 3, 13, 9, 29
options = dict(vocab_size=V, d_model=16, d_kv=6, d_ff=20, num_layers=2, num_heads=2, relative_attention_num_buckets=8,
               relative_attention_max_distance=10, dropout_rate=0.0, decoder_start_token_id=0)
config = dict(vocab_size=V, block_size=16, n_layer=2, n_decoder_layer=0, n_head=2, n_embd=16, head_width=6, n_inner=20, n_bucket=8,
              max_distance=10, start_id=0, rms_norm_eps=1e-6, dropout=0.0, gated=False, tie_embeddings=True, scale_output=True)
lengths = np.array([S, 8, 1])
padding = torch.arange(S) >= torch.from_numpy(lengths)[:, None]


def case(name, changed, untied=False, **theirs):
    with in_double():
        model = T5ForConditionalGeneration(T5Config(attn_implementation="eager", **options, **theirs)).double()
    if untied:
        model.lm_head.weight = nn.Parameter(torch.zeros(V, 16, dtype=torch.float64))
    randomize(model, rng)
    ids, targets = torch.from_numpy(rng.integers(1, V, (B, S))), torch.from_numpy(rng.integers(1, V, (B, T)))
    ids[padding] = 0
    targets[1, 5:] = -100
    with in_double():
        logits = model(input_ids=ids, attention_mask=(~padding).long(), labels=targets).logits
    model_case(file, name, model, rename, config | changed, logits, targets, inputs=ids, lengths=lengths)


case("first version", dict())
case("version 1.1", dict(gated=True, tie_embeddings=False, scale_output=False, n_decoder_layer=1), untied=True, feed_forward_proj="gated-gelu",
     tie_word_embeddings=False, num_decoder_layers=1)
distances = torch.arange(-300, 301)
for direction, both in [("both", True), ("back", False)]:
    for buckets, most in [(32, 128), (8, 20)]:
        put(file, f"buckets {direction} {buckets} {most}", T5Attention._relative_position_bucket(distances, both, buckets, most).numpy())
file.close()
