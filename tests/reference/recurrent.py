"""Recurrent models in PyTorch, computed in float64, for tests/layers/recurrent_*_test.cpp.

    python recurrent.py      (PyTorch 2.15, h5py) writes recurrent.h5 beside itself
"""

import os

import numpy as np
import torch
import torch.nn.functional as F
from model_case import model_case
from store import open_to_write, randomize
from torch import nn

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(60)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "recurrent.h5"))
B, S, T, V, C, START = 3, 9, 7, 23, 12, 2


class LanguageModel(nn.Module):
    """PyTorch's word_language_model without dropout, and without a bias of the output."""

    def __init__(self, kind, tied):
        super().__init__()
        self.token_embedding = nn.Embedding(V, C)
        self.recurrent = kind(C, C, num_layers=2, batch_first=True)
        if not tied:
            self.head = nn.Linear(C, V, bias=False)
        self.tied = tied

    def forward(self, ids):
        y = self.recurrent(self.token_embedding(ids))[0]
        return F.linear(y, self.token_embedding.weight if self.tied else self.head.weight)


class AdditiveAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key = nn.Linear(C, C, bias=False), nn.Linear(C, C)
        self.score = nn.Parameter(torch.zeros(C))

    def forward(self, x, memory, padding):
        scores = torch.tanh(self.query(x)[:, :, None] + self.key(memory)[:, None]) @ self.score
        return scores.masked_fill(padding[:, None], float("-inf")).softmax(-1) @ memory


class Translator(nn.Module):
    """The decoder a token at a time, each token's state looking back by additive attention."""

    def __init__(self, layers, tied):
        super().__init__()
        self.token_embedding = nn.Embedding(V, C)
        self.encoder = nn.LSTM(C, C // 2, num_layers=layers, bidirectional=True, batch_first=True)
        self.decoder = nn.LSTM(C, C, num_layers=layers, batch_first=True)
        self.attention = AdditiveAttention()
        self.combine = nn.Linear(2 * C, C)
        if not tied:
            self.head = nn.Linear(C, V, bias=False)
        self.tied = tied

    def forward(self, source, lengths, ids):
        x = self.token_embedding(source)
        x = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        memory, last = self.encoder(x)
        memory = nn.utils.rnn.pad_packed_sequence(memory, batch_first=True, total_length=S)[0]
        padding = torch.arange(S) >= torch.as_tensor(lengths)[:, None]
        state = tuple(torch.stack([torch.cat(pair.unbind(), -1) for pair in s.split(2)]) for s in last)
        logits = []
        for t in range(ids.shape[1]):
            h, state = self.decoder(self.token_embedding(ids[:, t : t + 1]), state)
            y = torch.tanh(self.combine(torch.cat([self.attention(h, memory, padding), h], -1)))
            logits.append(F.linear(y, self.token_embedding.weight if self.tied else self.head.weight))
        return torch.cat(logits, 1)


def some_ids(*shape):
    return torch.from_numpy(rng.integers(0, V, shape))


for name, kind in [("lstm", nn.LSTM), ("gru", nn.GRU)]:
    for tied in (True, False):
        model = LanguageModel(kind, tied)
        randomize(model, rng)
        ids, targets = some_ids(B, T), some_ids(B, T)
        targets[1, 4:] = -100
        config = dict(vocab_size=V, n_layer=2, n_embd=C, dropout=0.0, tie_embeddings=int(tied))
        model_case(file, f"{name}{'' if tied else ' untied'}", model, [], config, model(ids), targets, inputs=ids)
        file[f"{name}{'' if tied else ' untied'}/config"].create_dataset("cell", data=np.bytes_(name), track_times=False)

for layers, tied in [(1, True), (2, False)]:
    model = Translator(layers, tied)
    randomize(model, rng)
    for part in (model.token_embedding, model.encoder, model.attention):  # or it would look everywhere alike
        for parameter in part.parameters():
            parameter.data *= 4
    source, targets, lengths = some_ids(B, S), some_ids(B, T), [9, 3, 6]
    ids = torch.cat([torch.full((B, 1), START), targets[:, :-1]], 1)
    targets[2, 5:] = -100
    config = dict(vocab_size=V, n_layer=layers, n_embd=C, start_id=START, dropout=0.0, tie_embeddings=int(tied))
    logits = model(source, lengths, ids)
    # What is read behind the end is ours to choose, and no target.
    logits = torch.where((targets == -100)[..., None], logits.detach() * 0, logits)
    model_case(file, f"translator {layers}", model, [], config, logits, targets, inputs=source, lengths=np.array(lengths))

file.close()
