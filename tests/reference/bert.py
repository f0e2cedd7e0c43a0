"""transformers' BERT, computed in float64, for tests/layers/bert_test.cpp.

    python bert.py           (PyTorch 2.15, transformers 5.23, h5py) writes bert.h5 beside itself
"""

import os

import numpy as np
import torch
from model_case import model_case
from store import open_to_write, randomize
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

NAMES = [
    ("bert.", ""),
    ("embeddings.word_embeddings.", "token_embedding."),
    ("embeddings.position_embeddings.", "position_embedding."),
    ("embeddings.token_type_embeddings.", "type_embedding."),
    ("embeddings.LayerNorm.", "embedding_norm."),
    ("encoder.layer.", "blocks."),
    ("attention.self.", "attention."),
    ("attention.output.LayerNorm.", "norm1."),
    ("attention.output.dense.", "attention.output."),
    ("intermediate.dense.", "feed_forward.up."),
    ("output.LayerNorm.", "norm2."),
    (".output.dense.", ".feed_forward.down."),
    ("cls.predictions.transform.LayerNorm.", "head.norm."),
    ("cls.predictions.transform.", "head."),
    ("cls.predictions.", "head."),
    ("pooler.dense.", "head.pooler."),
    ("classifier.", "head.classifier."),
]

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(50)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "bert.h5"))
B, T, V, SEP = 3, 10, 29, 5
options = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=40, max_position_embeddings=12)
config = dict(vocab_size=V, block_size=12, n_layer=2, n_head=2, n_embd=16, n_inner=40, n_type=2, dropout=0.0, layer_norm_eps=1e-12)
lengths = np.array([T, 7, 4])
padding = torch.arange(T) >= torch.from_numpy(lengths)[:, None]


def case(name, make, separator, targets, classes=0):
    model = make(BertConfig(vocab_size=V, num_labels=max(classes, 1), hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, attn_implementation="sdpa", **options)).double()
    randomize(model, rng)
    ids = torch.from_numpy(rng.integers(6, V, (B, T)))
    ids[0, 4] = ids[0, 8] = ids[1, 2] = SEP
    ended = torch.cumsum(ids == SEP, 1)
    types = torch.zeros_like(ids) if separator < 0 else torch.cat([torch.zeros(B, 1), ended[:, :-1]], 1).long().clamp(max=1)
    logits = model(ids, attention_mask=(~padding).long(), token_type_ids=types).logits
    model_case(file, name, model, NAMES, config | dict(n_class=classes, separator=separator), logits, targets, inputs=ids, lengths=lengths)


masked = torch.from_numpy(rng.integers(0, V, (B, T)))
masked[torch.from_numpy(rng.random((B, T)) < 0.6) | padding] = -100
case("masked", BertForMaskedLM, -1, masked)
case("masked with segments", BertForMaskedLM, SEP, masked)
case("classification", BertForSequenceClassification, SEP, torch.tensor([2, 0, 1]), classes=3)
file.close()
