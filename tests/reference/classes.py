"""Decoders that tell the class of a text by its last token: in PyTorch and transformers, computed in float64, for
tests/layers/models/classes_test.cpp.

    python classes.py        (PyTorch 2.15, transformers 5.24, h5py) writes classes.h5 beside itself
"""

import os

import numpy as np
import torch
from gpt import GPT, weft_names
from in_double import in_double
from llama_names import NAMES
from model_case import model_case
from store import open_to_write, randomize
from torch import nn
from transformers import LlamaConfig, LlamaForSequenceClassification

rng = np.random.default_rng(70)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "classes.h5"))
B, T, V, C, CLASSES, PAD = 3, 9, 29, 24, 4, 0
lengths, targets = np.array([T, 6, 1]), torch.tensor([2, 0, 3])
ids = torch.from_numpy(rng.integers(1, V, (B, T)))
ids[torch.arange(T) >= torch.from_numpy(lengths)[:, None]] = PAD
last = torch.arange(B), torch.from_numpy(lengths) - 1


class GPTClassifier(GPT):
    def __init__(self):
        super().__init__(V, 12, 2, 2, C, True)
        self.classifier = nn.Linear(C, CLASSES, bias=False)

    def forward(self, ids):
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        return self.classifier(self.ln_f(x)[last])


class RecurrentClassifier(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.token_embedding = nn.Embedding(V, C)
        self.recurrent = kind(C, C, num_layers=2, batch_first=True)
        self.classifier = nn.Linear(C, CLASSES, bias=False)

    def forward(self, ids):
        return self.classifier(self.recurrent(self.token_embedding(ids))[0][last])


def case(name, model, names, config, run):
    randomize(model, rng)
    with in_double():
        logits = run(model)
    model_case(file, name, model, names, config | dict(vocab_size=V, n_layer=2, n_embd=C, dropout=0.0, n_class=CLASSES),
               logits, targets, inputs=ids, lengths=lengths)


with in_double():
    gpt = GPTClassifier()
    # It takes the last token that is not pad_token_id for the last.
    llama = LlamaForSequenceClassification(LlamaConfig(
        vocab_size=V, hidden_size=C, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=12, rms_norm_eps=1e-6, num_labels=CLASSES, pad_token_id=PAD,
        attn_implementation="eager")).double()
    lstm, gru = RecurrentClassifier(nn.LSTM), RecurrentClassifier(nn.GRU)
case("gpt", gpt, weft_names, dict(block_size=12, n_head=2, bias=1), lambda model: model(ids))
case("llama", llama, NAMES, dict(block_size=12, n_head=4, n_kv_head=2, n_inner=40, rms_norm_eps=1e-6, tie_embeddings=0),
     lambda model: model(ids, attention_mask=(ids != PAD).long()).logits)
for name, model in (("lstm", lstm), ("gru", gru)):
    case(name, model, [], dict(cell=name), lambda model: model(ids))
file.close()
