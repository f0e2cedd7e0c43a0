"""weft's model `best` in PyTorch, as layers/models/llama.h says it: Llama with a norm of queries and keys, squared ReLU,
a soft cap of the logits, and the output layer that is the token embedding's weight. First values are drawn alike."""
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class Shape:
    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int
    logit_softcap: float = 15.0
    rope_base: float = 10000.0
    rms_norm_eps: float = 1e-6


def rotary(tokens, width, base):
    """cos and sin (T, D / 2) of the angles of pairs (i, i + D / 2)."""
    frequencies = base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.outer(torch.arange(tokens, dtype=torch.float64), frequencies)
    return angles.cos().float(), angles.sin().float()


def rotated(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width = shape.n_embd
        self.heads = shape.n_head
        self.query, self.key, self.value, self.output = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.query_norm, self.key_norm = (nn.RMSNorm(width // self.heads, shape.rms_norm_eps) for _ in range(2))

    def forward(self, x, cos, sin):
        B, T, C = x.shape
        q, k, v = (part(x).view(B, T, self.heads, -1) for part in (self.query, self.key, self.value))
        q, k, v = (part.transpose(1, 2) for part in (self.query_norm(q), self.key_norm(k), v))
        y = F.scaled_dot_product_attention(rotated(q, cos, sin), rotated(k, cos, sin), v, is_causal=True)
        return self.output(y.transpose(1, 2).reshape(B, T, C))


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.norm1, self.norm2 = (nn.RMSNorm(shape.n_embd, shape.rms_norm_eps) for _ in range(2))
        self.attention = Attention(shape)
        self.up = nn.Linear(shape.n_embd, 4 * shape.n_embd, bias=False)
        self.down = nn.Linear(4 * shape.n_embd, shape.n_embd, bias=False)

    def forward(self, x, cos, sin):
        x = x + self.attention(self.norm1(x), cos, sin)
        return x + self.down(F.relu(self.up(self.norm2(x))).square())


class Llama(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.token_embedding = nn.Embedding(shape.vocab_size, shape.n_embd)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.n_layer))
        self.norm = nn.RMSNorm(shape.n_embd, shape.rms_norm_eps)
        cos, sin = rotary(shape.block_size, shape.n_embd // shape.n_head, shape.rope_base)
        self.register_buffer("cos", cos)
        self.register_buffer("sin", sin)
        for name, p in self.named_parameters():
            if p.dim() >= 2:
                last = name.endswith(("output.weight", "down.weight"))
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * shape.n_layer) if last else 0.02)

    def forward(self, ids):
        """ids (B, T) -> logits (B, T, V)."""
        cos, sin = self.cos[:ids.shape[1]], self.sin[:ids.shape[1]]
        x = self.token_embedding(ids)
        for block in self.blocks:
            x = block(x, cos, sin)
        cap = self.shape.logit_softcap
        return cap * torch.tanh(F.linear(self.norm(x), self.token_embedding.weight) / cap)
