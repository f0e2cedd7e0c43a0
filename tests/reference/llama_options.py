"""The settings of weft's Llama that transformers' Llama lacks, as plain PyTorch formulas in float64, for
tests/layers/llama_options_test.cpp.

    python llama_options.py          (PyTorch 2.15, h5py) writes llama_options.h5 beside itself
"""

import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from model_case import model_case
from store import open_to_write, randomize
from torch import nn

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(61)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "llama_options.h5"))
B, T, V = 3, 11, 29
plain = dict(vocab_size=V, block_size=12, n_layer=2, n_head=4, n_kv_head=2, n_embd=24, n_inner=16, rms_norm_eps=1e-5,
             rope_base=100.0, window=0, window_pattern="", rope_scaling="none", rope_factor=1.0, rope_low_freq_factor=1.0,
             rope_high_freq_factor=4.0, rope_original_context=64, tie_embeddings=False, activation="silu", qk_norm=False,
             logit_softcap=0.0, value_embeddings="none", embedding_norm=False, residual_mix=False)


class Weight(nn.Module):
    """A weight under a name of its own."""

    def __init__(self, *shape):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))


def rms_norm(x, weight, eps):
    x = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
    return x if weight is None else x * weight


class Block(nn.Module):
    def __init__(self, c, i):
        super().__init__()
        C, D, F_, G = c["n_embd"], c["n_embd"] // c["n_head"], c["n_inner"], c["n_kv_head"]
        self.norm1, self.norm2 = Weight(C), Weight(C)
        self.attention, self.feed_forward = nn.Module(), nn.Module()
        a, f = self.attention, self.feed_forward
        a.query, a.key, a.value, a.output = Weight(C, C), Weight(G * D, C), Weight(G * D, C), Weight(C, C)
        if c["qk_norm"]:
            a.query_norm, a.key_norm = Weight(D), Weight(D)
        self.has_values = c["value_embeddings"] == "all" or (c["value_embeddings"] == "alternate" and i % 2 == (c["n_layer"] - 1) % 2)
        if self.has_values:
            a.value_gate = Weight(G, min(32, C))
            self.value_embedding = Weight(V, G * D)
        if c["activation"] == "silu":
            f.gate = Weight(F_, C)
        f.up, f.down = Weight(F_, C), Weight(C, F_)
        if c["residual_mix"]:
            self.carry, self.recall = nn.Parameter(torch.empty(C)), nn.Parameter(torch.empty(C))
        pattern = c["window_pattern"] or "L"
        self.window = c["window"] if pattern[i % len(pattern)] == "L" else 0


def frequencies(c, D):
    """transformers' _compute_linear_scaling_rope_parameters and _compute_llama3_parameters, one plane at a time."""
    found = []
    for i in range(D // 2):
        f = c["rope_base"] ** (-2 * i / D)
        wave = 2 * math.pi / f
        old, low, high = c["rope_original_context"], c["rope_low_freq_factor"], c["rope_high_freq_factor"]
        if c["rope_scaling"] == "linear" or (c["rope_scaling"] == "llama3" and wave > old / low):
            f = f / c["rope_factor"]
        elif c["rope_scaling"] == "llama3" and wave >= old / high:
            smooth = (old / wave - low) / (high - low)
            f = (1 - smooth) * f / c["rope_factor"] + smooth * f
        found.append(f)
    return torch.tensor(found)


def rotated(x, angles):
    """x (B, H, T, D)."""
    first, second = x.chunk(2, -1)
    return torch.cat((first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()), -1)


class Llama(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.token_embedding = Weight(V, c["n_embd"])
        self.blocks = nn.ModuleList(Block(c, i) for i in range(c["n_layer"]))
        self.norm = Weight(c["n_embd"])
        if not c["tie_embeddings"]:
            self.output = Weight(V, c["n_embd"])

    def attend(self, block, x, ids, padding):
        c, a, eps = self.c, block.attention, self.c["rms_norm_eps"]
        H, G, D = c["n_head"], c["n_kv_head"], c["n_embd"] // c["n_head"]
        apart = lambda y: y.unflatten(-1, (-1, D)).transpose(1, 2)
        q, k, v = apart(x @ a.query.weight.mT), apart(x @ a.key.weight.mT), apart(x @ a.value.weight.mT)
        if c["qk_norm"]:
            q, k = rms_norm(q, a.query_norm.weight, eps), rms_norm(k, a.key_norm.weight, eps)
        angles = torch.arange(T)[:, None] * frequencies(c, D)
        q, k = rotated(q, angles), rotated(k, angles)
        if block.has_values:
            gate = 2 * torch.sigmoid(x[..., :32] @ a.value_gate.weight.mT)  # (B, T, G)
            v = v + gate.mT[..., None] * apart(block.value_embedding.weight[ids])
        k, v = k.repeat_interleave(H // G, 1), v.repeat_interleave(H // G, 1)
        behind = torch.arange(T)[:, None] - torch.arange(T)
        may = (behind >= 0) & ((behind < block.window) if block.window else True) & ~padding[:, None, None]
        none = ~may.any(-1, keepdim=True)  # padding, behind a window: attends to nothing
        scores = (q @ k.mT / math.sqrt(D)).masked_fill(~may & ~none, -torch.inf)
        return (scores.softmax(-1).masked_fill(none, 0) @ v).transpose(1, 2).flatten(-2) @ a.output.weight.mT

    def feed(self, block, x):
        f = block.feed_forward
        up = x @ f.up.weight.mT
        hidden = F.silu(x @ f.gate.weight.mT) * up if self.c["activation"] == "silu" else up.clamp(min=0) ** 2
        return hidden @ f.down.weight.mT

    def forward(self, ids, padding):
        c, eps = self.c, self.c["rms_norm_eps"]
        x = self.token_embedding.weight[ids]
        if c["embedding_norm"]:
            x = rms_norm(x, None, eps)
        first = x
        for block in self.blocks:
            if c["residual_mix"]:
                x = block.carry * x + block.recall * first
            x = x + self.attend(block, rms_norm(x, block.norm1.weight, eps), ids, padding)
            x = x + self.feed(block, rms_norm(x, block.norm2.weight, eps))
        head = self.token_embedding if c["tie_embeddings"] else self.output
        logits = rms_norm(x, self.norm.weight, eps) @ head.weight.mT
        cap = c["logit_softcap"]
        return cap * torch.tanh(logits / cap) if cap else logits


def case(name, lengths=(T, T, T), **changed):
    lengths, config = np.array(lengths), plain | changed
    model = Llama(config)
    randomize(model, rng)
    ids, targets = (torch.from_numpy(rng.integers(0, V, (B, T))) for _ in range(2))
    padding = torch.arange(T) >= torch.from_numpy(lengths)[:, None]
    targets[padding] = -100
    model_case(file, name, model, [], config, model(ids, padding), targets, inputs=ids, lengths=lengths)


case("qk_norm", qk_norm=True)
case("logit_softcap", logit_softcap=1.5)
case("relu2", activation="relu2")
case("value_embeddings alternate", value_embeddings="alternate", n_embd=40, n_layer=3)
case("value_embeddings all", value_embeddings="all")
case("window_pattern", window=3, window_pattern="LG")
case("rope linear", rope_scaling="linear", rope_factor=4.0)
case("rope llama3", rope_scaling="llama3", rope_factor=4.0)
case("embedding_norm", embedding_norm=True)
case("residual_mix", residual_mix=True)
case("all, tied, padding", (T, 7, 1), qk_norm=True, logit_softcap=4.0, activation="relu2", value_embeddings="alternate", window=4, n_layer=3,
     window_pattern="LLG", rope_scaling="llama3", rope_factor=2.0, embedding_norm=True, residual_mix=True, tie_embeddings=True)
file.close()
