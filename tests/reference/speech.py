"""The model speech in plain PyTorch, computed in float64, for tests/layers/models/speech_test.cpp.

    python speech.py            (PyTorch 2.15, h5py) writes speech.h5 beside itself
"""

import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from model_case import put_config
from store import floats, open_to_write, put, put_arrays, randomize
from torch import nn

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(80)
B, T, M, C, H, INNER, LAYERS, VOCAB, CLASSES = 3, 13, 6, 16, 2, 40, 2, 9, 5
PAD, START, END = 2, 7, 8


def rotated(x):
    """Rotary positions, x (B, H, T, D), halves turned, as transformers' Llama."""
    D = x.shape[-1]
    angles = torch.arange(x.shape[2])[:, None] * 10000 ** (-torch.arange(0, D, 2) / D)
    cos, sin = (f(torch.cat([angles, angles], -1)) for f in (torch.cos, torch.sin))
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Attention(nn.Module):
    def __init__(self, rotary):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(C, C) for _ in range(4))
        self.rotary = rotary

    def forward(self, x, context, mask):
        q, k, v = (f(y).view(B, -1, H, C // H).transpose(1, 2) for f, y in ((self.query, x), (self.key, context), (self.value, context)))
        if self.rotary:
            q, k = rotated(q), rotated(k)
        scores = (q @ k.transpose(-1, -2) / math.sqrt(C // H)).masked_fill(~mask, -math.inf)
        return self.output((scores.softmax(-1) @ v).transpose(1, 2).reshape(x.shape))


class FeedForward(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.up, self.down, self.activation = nn.Linear(C, INNER), nn.Linear(INNER, C), activation

    def forward(self, x):
        return self.down(self.activation(self.up(x)))


class EncoderBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(C), nn.LayerNorm(C)
        self.attention, self.feed_forward = Attention(True), FeedForward(F.gelu)

    def forward(self, x, mask):
        y = self.norm1(x)
        x = x + self.attention(y, y, mask)
        return x + self.feed_forward(self.norm2(x))


class DecoderBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(C) for _ in range(3))
        self.attention, self.cross_attention, self.feed_forward = Attention(False), Attention(False), FeedForward(F.relu)

    def forward(self, x, memory, mask):
        y = self.norm1(x)
        x = x + self.attention(y, y, torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril())
        x = x + self.cross_attention(self.norm2(x), memory, mask)
        return x + self.feed_forward(self.norm3(x))


class Stack(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.blocks, self.norm = nn.ModuleList(block() for _ in range(LAYERS)), nn.LayerNorm(C)

    def forward(self, x, *rest):
        for block in self.blocks:
            x = block(x, *rest)
        return self.norm(x)


class Speech(nn.Module):
    def __init__(self, subsampling, outputs, decodes):
        super().__init__()
        strides = [1] + [2] * int(math.log2(subsampling))
        self.convolutions = nn.ModuleList(nn.Conv1d(C if i else M, C, 3, stride, 1) for i, stride in enumerate(strides))
        self.encoder = Stack(EncoderBlock)
        self.head = nn.Linear(C, outputs)
        if decodes:
            self.token_embedding, self.decoder = nn.Embedding(VOCAB, C), Stack(DecoderBlock)

    def encode(self, frames, lengths):
        x = frames.transpose(1, 2)
        for convolution in self.convolutions:
            # What lies behind a length is as if it were not there.
            x = x * (torch.arange(x.shape[2]) < lengths[:, None])[:, None]
            x = F.gelu(convolution(x))
            lengths = (lengths + convolution.stride[0] - 1) // convolution.stride[0]
        mask = torch.arange(x.shape[2]) < lengths[:, None]
        x = x * mask[:, None]
        return self.encoder(x.transpose(1, 2), mask[:, None, None]), lengths, mask

    def decode(self, targets, memory, mask):
        ids = torch.cat([torch.full((B, 1), START), targets[:, :-1]], 1)
        ids = torch.where(ids == -100, START, ids)
        place = torch.arange(ids.shape[1])[:, None] / 10000 ** (torch.arange(0, C, 2) / C)
        positions = torch.stack([place.sin(), place.cos()], -1).flatten(1)
        x = self.token_embedding(ids) * math.sqrt(C) + positions
        return self.decoder(x, memory, mask[:, None, None]) @ self.token_embedding.weight.T


def ctc(logits, lengths, labels, sizes):
    return F.ctc_loss(logits.log_softmax(-1).transpose(0, 1), labels, lengths, sizes, PAD, "sum")


file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "speech.h5"))
lengths = torch.tensor([13, 9, 10])
frames = torch.from_numpy(rng.uniform(-1, 1, (B, T, M)).astype(np.float32).astype(np.float64))
frames = frames * (torch.arange(T) < lengths[:, None])[:, :, None]
texts = torch.tensor([[0, 3, 3, END], [5, END, -100, -100], [6, 1, END, -100]])
sizes = torch.tensor([3, 1, 2])
common = dict(n_mels=M, sample_rate=8000, n_fft=200, hop_length=80, n_layer=LAYERS, n_head=H, n_embd=C, n_inner=INNER, dropout=0.0, drop_path=0.0, layer_norm_eps=1e-5)
words = dict(vocab_size=VOCAB, pad_id=PAD, start_id=START, end_id=END)
for name, subsampling, config in [
    ("classes", 4, dict(n_class=CLASSES)),
    ("ctc", 2, dict(words, head="ctc")),
    ("ctc of every frame", 1, dict(words, head="ctc")),
    ("decoder", 2, dict(words, head="decoder", ctc_weight=0.3, block_size=6)),
]:
    model = Speech(subsampling, CLASSES if name == "classes" else VOCAB, name == "decoder").double()
    randomize(model, rng)
    x, left, mask = model.encode(frames, lengths)
    targets = texts
    if name == "classes":
        targets = torch.tensor([4, 0, 2])
        logits = model.head((x * mask[:, :, None]).sum(1) / left[:, None])
        loss = F.cross_entropy(logits, targets)
    elif name == "decoder":
        logits = model.decode(texts, x, mask)
        count = (texts != -100).sum()
        loss = 0.7 * F.cross_entropy(logits.flatten(0, 1), texts.flatten()) + 0.3 * ctc(model.head(x), left, texts, sizes) / count
    else:
        logits = model.head(x)
        loss = ctc(logits, left, texts, sizes) / sizes.sum()
    loss.backward()
    parameters = dict(model.named_parameters())
    group = file.create_group(name)
    put_config(group.create_group("config"), common | config | dict(subsampling=subsampling))
    put_arrays(group.create_group("weights"), floats(parameters))
    put_arrays(group.create_group("grads"), floats({k: p.grad for k, p in parameters.items()}))
    put_arrays(group, {"targets": targets, "logits": logits.float(), "loss": loss, "inputs": frames.float(), "lengths": lengths})
file.close()
