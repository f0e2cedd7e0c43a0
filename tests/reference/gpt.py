"""GPT-2 in PyTorch, in nanoGPT's layout, and the names that weft gives its parameters."""

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, width, heads, bias):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width, bias=bias)
        self.c_proj = nn.Linear(width, width, bias=bias)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (t.view(B, T, self.heads, C // self.heads).transpose(1, 2) for t in self.c_attn(x).split(C, 2))
        scores = q @ k.mT / (C // self.heads) ** 0.5
        future = torch.ones(T, T, dtype=torch.bool).triu(1)
        y = scores.masked_fill(future, float("-inf")).softmax(-1) @ v
        return self.c_proj(y.transpose(1, 2).reshape(B, T, C))


class Norm(nn.Module):
    def __init__(self, width, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias)


class MLP(nn.Module):
    def __init__(self, width, bias):
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width, bias=bias)
        self.c_proj = nn.Linear(4 * width, width, bias=bias)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x)))


class Block(nn.Module):
    def __init__(self, width, heads, bias):
        super().__init__()
        self.ln_1, self.attn = Norm(width, bias), Attention(width, heads, bias)
        self.ln_2, self.mlp = Norm(width, bias), MLP(width, bias)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """The output layer is the token embedding."""

    def __init__(self, vocab_size, block_size, n_layer, n_head, n_embd, bias):
        super().__init__()
        self.config = dict(vocab_size=vocab_size, block_size=block_size, n_layer=n_layer, n_head=n_head, n_embd=n_embd)
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(block_size, n_embd)
        self.h = nn.ModuleList(Block(n_embd, n_head, bias) for _ in range(n_layer))
        self.ln_f = Norm(n_embd, bias)

    def forward(self, ids):
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        return F.linear(self.ln_f(x), self.wte.weight)


NAMES = [
    ("wte.", "token_embedding."),
    ("wpe.", "position_embedding."),
    ("h.", "blocks."),
    ("ln_1.", "norm1."),
    ("ln_2.", "norm2."),
    ("ln_f.", "norm."),
    ("attn.c_proj.", "attention.output."),
    ("mlp.c_fc.", "feed_forward.up."),
    ("mlp.c_proj.", "feed_forward.down."),
]


def weft_names(tensors):
    """The tensors of a dict under weft's names; the joint projection as three."""
    renamed = {}
    for name, tensor in tensors.items():
        for theirs, ours in NAMES:
            name = name.replace(theirs, ours)
        if "attn.c_attn." in name:
            for part, third in zip(("query", "key", "value"), tensor.chunk(3)):
                renamed[name.replace("attn.c_attn.", f"attention.{part}.")] = third
        else:
            renamed[name] = tensor
    return renamed
