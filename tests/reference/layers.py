"""Weights, values and gradients of PyTorch's layers, computed in float64, for tests/layers.

    python layers.py         (PyTorch 2.15, h5py) writes layers.h5 beside itself

A case is a group: `weights` under weft's names; x (and memory, where there is one); y; g, the gradient to
start from; `grads` of the weights; dx (and dmemory).
"""

import os

import numpy as np
import torch
import torch.nn.functional as F
from gpt import GPT, weft_names
from store import floats, open_to_write, put, put_arrays, put_integer, randomize
from torch import nn

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(30)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers.h5"))
B, T, S, C, H = 2, 5, 7, 8, 2


def rand(*shape):
    return torch.from_numpy(rng.uniform(-1.5, 1.5, shape).astype(np.float32).astype(np.float64))


def renamed(tensors, names):
    """PyTorch's names to weft's; joint projections of queries, keys and values as three."""
    found = {}
    for name, tensor in tensors.items():
        for theirs, ours in names:
            name = name.replace(theirs, ours)
        if "in_proj_" in name:
            for part, third in zip(("query.", "key.", "value."), tensor.chunk(3)):
                found[name.replace("in_proj_", part)] = third
        else:
            found[name] = tensor
    return found


def case(name, module, f, names, **inputs):
    randomize(module, rng)
    inputs = {key: x.clone().requires_grad_() for key, x in inputs.items()}
    y = f(module, **inputs)
    g = rand(*y.shape)
    y.backward(g)
    group = file.create_group(name)
    parameters = dict(module.named_parameters())
    put_arrays(group.create_group("weights"), floats(renamed(parameters, names)))
    put_arrays(group.create_group("grads"), floats(renamed({k: p.grad for k, p in parameters.items()}, names)))
    put_arrays(group, floats({"y": y, "g": g}))
    put_arrays(group, floats(inputs))
    put_arrays(group, floats({"d" + key: x.grad for key, x in inputs.items()}))


case("linear", nn.Linear(C, 3), lambda m, x: m(x), [], x=rand(B, T, C))
case("linear without bias", nn.Linear(C, 3, bias=False), lambda m, x: m(x), [], x=rand(B, T, C))
case("layer_norm", nn.LayerNorm(C), lambda m, x: m(x), [], x=rand(B, T, C))
ids = torch.tensor([[1, 0, 4], [4, 4, 2]])
case("embedding", nn.Embedding(5, C), lambda m: m(ids), [])
for activation, f in [
    ("relu", F.relu),
    ("gelu", F.gelu),
    ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh")),
    ("silu", F.silu),
]:
    module = nn.ModuleDict({"up": nn.Linear(C, 12), "down": nn.Linear(12, C)})
    case(f"feed_forward {activation}", module, lambda m, x: m["down"](f(m["up"](x))), [], x=rand(B, T, C))

# Masks: PyTorch's true means may not.
future = torch.ones(T, T, dtype=torch.bool).triu(1)
padding = torch.arange(S) >= torch.tensor([7, 4])[:, None]
attention = [("out_proj.", "output.")]


def attend(m, x, memory=None, **masks):
    memory = x if memory is None else memory
    return m(x, memory, memory, need_weights=False, **masks)[0]


def heads():
    return nn.MultiheadAttention(C, H, batch_first=True)


case("attention", heads(), attend, attention, x=rand(B, T, C))
case("attention causal", heads(), lambda m, x: attend(m, x, attn_mask=future), attention, x=rand(B, T, C))
case(
    "attention cross",
    heads(),
    lambda m, x, memory: attend(m, x, memory, key_padding_mask=padding),
    attention,
    x=rand(B, T, C),
    memory=rand(B, S, C),
)
weights = file["attention cross"]
module = heads()
module.load_state_dict(
    {
        "in_proj_weight": torch.cat([torch.from_numpy(weights[f"weights/{p}.weight"][()]) for p in ("query", "key", "value")]),
        "in_proj_bias": torch.cat([torch.from_numpy(weights[f"weights/{p}.bias"][()]) for p in ("query", "key", "value")]),
        "out_proj.weight": torch.from_numpy(weights["weights/output.weight"][()]),
        "out_proj.bias": torch.from_numpy(weights["weights/output.bias"][()]),
    }
)
x, memory = (torch.from_numpy(weights[key][()]).double() for key in ("x", "memory"))
seen = module(x, memory, memory, key_padding_mask=padding, average_attn_weights=False)[1]
put_arrays(weights, floats({"seen": seen}))

block = [
    ("self_attn.out_proj.", "attention.output."),
    ("multihead_attn.out_proj.", "cross_attention.output."),
    ("self_attn.", "attention."),
    ("multihead_attn.", "cross_attention."),
    ("linear1.", "feed_forward.up."),
    ("linear2.", "feed_forward.down."),
]
for placement in ("pre", "post"):
    options = dict(dim_feedforward=12, dropout=0.0, activation="gelu", batch_first=True, norm_first=placement == "pre")
    case(
        f"encoder {placement}",
        nn.TransformerEncoderLayer(C, H, **options),
        lambda m, x: m(x, src_key_padding_mask=padding),
        block,
        x=rand(B, S, C),
    )
    case(
        f"decoder {placement}",
        nn.TransformerDecoderLayer(C, H, **options),
        lambda m, x, memory: m(x, memory, tgt_mask=future, memory_key_padding_mask=padding),
        block,
        x=rand(B, T, C),
        memory=rand(B, S, C),
    )

# Vaswani et al. 2017, section 3.5.
places, columns = np.arange(40)[:, None], np.arange(C) // 2
angles = places / 10000 ** (2 * columns / C)
put(file.create_group("sinusoidal"), "table", np.where(np.arange(C) % 2 == 0, np.sin(angles), np.cos(angles)))

for bias in (False, True):
    model = GPT(vocab_size=29, block_size=12, n_layer=2, n_head=2, n_embd=16, bias=bias)
    randomize(model, rng)
    ids = torch.from_numpy(rng.integers(0, 29, (3, 12)))
    targets = torch.from_numpy(rng.integers(0, 29, (3, 12)))
    targets[1, 9:] = -100
    logits = model(ids)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    group = file.create_group(f"gpt {'with' if bias else 'without'} bias")
    config = group.create_group("config")
    for key, value in model.config.items():
        put_integer(config, key, value)
    put_integer(config, "bias", int(bias))
    config.create_dataset("dropout", data=np.float64(0), track_times=False)
    parameters = dict(model.named_parameters())
    put_arrays(group.create_group("weights"), floats(weft_names(parameters)))
    put_arrays(group.create_group("grads"), floats(weft_names({k: p.grad for k, p in parameters.items()})))
    put_arrays(group, {"ids": ids, "targets": targets, "logits": logits.float(), "loss": loss})

# What came after the first file, so that the numbers above stay.
case("rms_norm", nn.RMSNorm(C, eps=1e-5), lambda m, x: m(x), [], x=rand(B, T, C))
for activation, f in [
    ("relu", F.relu),
    ("gelu", F.gelu),
    ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh")),
    ("silu", F.silu),
]:
    module = nn.ModuleDict({"gate": nn.Linear(C, 12), "up": nn.Linear(C, 12), "down": nn.Linear(12, C)})
    case(
        f"feed_forward gated {activation}",
        module,
        lambda m, x: m["down"](f(m["gate"](x)) * m["up"](x)),
        [],
        x=rand(B, T, C),
    )


class GroupedAttention(nn.Module):
    """4 heads of queries, of which each two share one of keys and values."""

    def __init__(self):
        super().__init__()
        self.query, self.output = nn.Linear(C, C), nn.Linear(C, C)
        self.key, self.value = nn.Linear(C, C // 2), nn.Linear(C, C // 2)

    def forward(self, x):
        q, k, v = (f(x).unflatten(-1, (-1, C // 4)).transpose(1, 2) for f in (self.query, self.key, self.value))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.output(y.transpose(1, 2).flatten(-2))


case("attention grouped", GroupedAttention(), lambda m, x: m(x), [], x=rand(B, T, C))

def recur(m, x, memory=None, lengths=None):
    """y, then all last states; `memory` holds the first ones, (B, states, H)."""
    H, lstm = m.hidden_size, isinstance(m, nn.LSTM)
    states = None if memory is None else memory.transpose(0, 1).contiguous()
    if states is not None and lstm:
        states = tuple(half.contiguous() for half in states.chunk(2))
    if lengths is None:
        y, last = m(x, states)
    else:
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, last = m(packed, states)
        y = nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])[0]
    last = torch.cat(last) if lstm else last
    return torch.cat([y.reshape(len(x), -1, H), last.transpose(0, 1)], 1)


for name, kind in [("lstm", nn.LSTM), ("gru", nn.GRU)]:
    deep = dict(num_layers=2, bidirectional=True, batch_first=True)
    states = rand(B, 8 if name == "lstm" else 4, 6)
    case(name, kind(C, 6, batch_first=True), recur, [], x=rand(B, T, C))
    case(f"{name} without bias", kind(C, 6, bias=False, batch_first=True), recur, [], x=rand(B, T, C))
    case(f"{name} deep", kind(C, 6, **deep), recur, [], x=rand(B, T, C), memory=states)
    case(f"{name} padded", kind(C, 6, **deep), lambda m, x, memory: recur(m, x, memory, [2, 5]), [], x=rand(B, T, C), memory=states)

case("conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), lambda m, x: m(x), [], x=rand(B, 4, 9))
case("conv2d", nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=1, dilation=(2, 1)), lambda m, x: m(x), [], x=rand(B, 4, 7, 6))
case("conv2d without bias", nn.Conv2d(4, 6, 3, bias=False), lambda m, x: m(x), [], x=rand(B, 4, 5, 5))
case("patch_embedding", nn.Conv2d(3, C, 4, stride=4), lambda m, x: m(x).flatten(2).mT, [], x=rand(B, 3, 8, 12))


class AdditiveAttention(nn.Module):
    """Bahdanau et al. 2015, section A.1.2."""

    def __init__(self):
        super().__init__()
        self.query, self.key = nn.Linear(C, 6, bias=False), nn.Linear(C, 6)
        self.score = nn.Parameter(torch.zeros(6))

    def forward(self, x, memory):
        scores = torch.tanh(self.query(x)[:, :, None] + self.key(memory)[:, None]) @ self.score
        return scores.masked_fill(padding[:, None], float("-inf")).softmax(-1) @ memory


case("additive_attention", AdditiveAttention(), lambda m, x, memory: m(x, memory), [], x=rand(B, T, C), memory=rand(B, S, C))

file.close()
