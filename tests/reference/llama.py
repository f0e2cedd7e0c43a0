"""transformers' Llama, computed in float64, for tests/layers/llama_test.cpp.

    python llama.py          (PyTorch 2.15, transformers 5.23, h5py) writes llama.h5 beside itself
"""

import os

import numpy as np
import torch
from in_double import in_double
from llama_names import NAMES
from model_case import model_case
from store import open_to_write, randomize
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

rng = np.random.default_rng(60)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "llama.h5"))
B, T, V = 3, 11, 29
options = dict(vocab_size=V, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=12)
config = dict(vocab_size=V, block_size=12, n_layer=2, n_head=4, n_kv_head=4, n_embd=24, head_width=6, n_inner=40, window=0,
              rope_base=10000.0, rms_norm_eps=1e-6, dropout=0.0, tie_embeddings=False)


def case(name, lengths, changed, make=LlamaForCausalLM, settings=LlamaConfig, **theirs):
    with in_double():
        model = make(settings(attn_implementation="eager", **{"rms_norm_eps": 1e-6, **options, **theirs})).double()
    randomize(model, rng)
    ids, targets = (torch.from_numpy(rng.integers(0, V, (B, T))) for _ in range(2))
    padding = torch.arange(T) >= torch.from_numpy(lengths)[:, None]
    targets[padding] = -100
    with in_double():
        logits = model(ids, attention_mask=(~padding).long()).logits
    model_case(file, name, model, NAMES, config | changed, logits, targets, inputs=ids, lengths=lengths)


whole, ragged = np.array([T, T, T]), np.array([T, 7, 1])
case("plain", whole, {})
case("shared heads, padding", ragged, dict(n_kv_head=2, rope_base=500000.0, rms_norm_eps=1e-5), num_key_value_heads=2,
     rope_parameters=dict(rope_type="default", rope_theta=500000.0), rms_norm_eps=1e-5)
case("tied, wide heads, padding", ragged, dict(n_kv_head=1, head_width=10, tie_embeddings=True), num_key_value_heads=1, head_dim=10, tie_word_embeddings=True)
case("window", whole, dict(n_kv_head=2, window=4), MistralForCausalLM, MistralConfig, num_key_value_heads=2, sliding_window=4, head_dim=6)
file.close()
