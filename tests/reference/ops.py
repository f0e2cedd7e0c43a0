"""PyTorch's values and gradients of every operation, in float64, for tests/autograd.

    python ops.py            (PyTorch 2.15, h5py) writes ops.h5 beside itself

A case is a group: in0, in1, ... the inputs; y the value; g the gradient to start from; d0, d1, ... the
gradients. Its name is that of a row of the table in tests/autograd/*_test.cpp, whose function must be the
same as the one here.
"""

import os

import numpy as np
import torch
import torch.nn.functional as F
from store import open_to_write, put, put_integer

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(20)
inf, nan = float("inf"), float("nan")
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops.h5"))


def rand(*shape, low=-1.5, high=1.5):
    """Numbers that float32 holds exactly, so that one file serves both types."""
    return torch.from_numpy(rng.uniform(low, high, shape).astype(np.float32).astype(np.float64))


def case(name, f, *inputs):
    inputs = [torch.as_tensor(x, dtype=torch.float64).clone().requires_grad_() for x in inputs]
    y = f(*inputs)
    g = rand(*y.shape, low=0.5)
    grads = torch.autograd.grad(y, inputs, g, allow_unused=True)
    group = file.create_group(name)
    put_integer(group, "inputs", len(inputs))
    for k, (x, d) in enumerate(zip(inputs, grads)):
        put(group, f"in{k}", x.detach().numpy())
        if d is not None:
            put(group, f"d{k}", d.numpy())
    put(group, "y", y.detach().numpy())
    put(group, "g", g.numpy())


# Arithmetic
for name, f, low, high in [
    ("add", torch.add, -1.5, 1.5),
    ("sub", torch.sub, -1.5, 1.5),
    ("mul", torch.mul, -1.5, 1.5),
    ("div", torch.div, 0.5, 2),
    ("pow", torch.pow, 0.5, 2),
    ("maximum", torch.maximum, -1.5, 1.5),
    ("minimum", torch.minimum, -1.5, 1.5),
    ("operator+", lambda a, b: a + b, -1.5, 1.5),
    ("operator-", lambda a, b: a - b, -1.5, 1.5),
    ("operator*", lambda a, b: a * b, -1.5, 1.5),
    ("operator over", lambda a, b: a / b, 0.5, 2),
]:
    case(f"{name}: same", f, rand(2, 3, low=low, high=high), rand(2, 3, low=low, high=high))
    case(f"{name}: broadcast", f, rand(4, 1, 3, low=low, high=high), rand(2, 1, low=low, high=high))
    case(f"{name}: size 0", f, rand(0, 3), rand(3))
for name, f, low, high in [
    ("plus number", lambda x: x + 2.5, -1.5, 1.5),
    ("minus number", lambda x: x - 2.5, -1.5, 1.5),
    ("times number", lambda x: x * 2.5, -1.5, 1.5),
    ("over number", lambda x: x / 2.5, -1.5, 1.5),
    ("number plus", lambda x: 2.5 + x, -1.5, 1.5),
    ("number minus", lambda x: 2.5 - x, -1.5, 1.5),
    ("number times", lambda x: 2.5 * x, -1.5, 1.5),
    ("number over", lambda x: 2.5 / x, 0.5, 2),
    ("neg", torch.neg, -1.5, 1.5),
    ("pow number", lambda x: x**2.5, 0, 2),
    ("pow 3", lambda x: x**3.0, -1.5, 1.5),
    ("pow 0", lambda x: x**0.0, -1.5, 1.5),
    ("pow 1", lambda x: x**1.0, -1.5, 1.5),
    ("pow -1", lambda x: x**-1.0, 0.5, 2),
]:
    case(name, f, rand(3, 4, low=low, high=high))
case("div: zeros and infinities", torch.div, [1.0, -1.0, 0.0, inf, 1.0, inf], [0.0, 0.0, 0.0, 2.0, inf, inf])
case("pow: zeros", torch.pow, [0.0, 0.0, 0.0, 0.0, 2.0, -2.0, 1.0], [0.0, 2.0, 1.0, -1.0, 0.0, 3.0, 5.0])
case("pow 2: zeros", lambda x: x**2.0, [0.0, -1.0, inf])
ties = [1.0, 1.0, nan, 2.0, -inf], [1.0, 2.0, 0.0, nan, inf]
case("maximum: ties and NaN", torch.maximum, *ties)
case("minimum: ties and NaN", torch.minimum, *ties)

# Functions of each element: ordinary numbers, and the edges where a formula may lose its digits.
edges = [0.0, 1e-6, -1e-6, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 6.0, -6.0, 9.0, -9.0, 12.0, -12.0, 20.0, -20.0]
for name, f, low, high, special in [
    ("exp", torch.exp, -2, 2, edges + [-80.0, -inf]),
    ("log", torch.log, 0.2, 3, [1e-6, 0.5, 1.0, 1.0009765625, 0.9990234375, 2.0, 1e6, 1e30, inf]),
    ("sqrt", torch.sqrt, 0.2, 3, [1e-6, 0.25, 1.0, 2.0, 1e6, 1e30, inf]),
    ("square", torch.square, -2, 2, edges),
    ("sin", torch.sin, -2, 2, edges + [100.0, -1000.0]),
    ("cos", torch.cos, -2, 2, edges + [100.0, -1000.0]),
    ("erf", torch.erf, -2, 2, edges + [inf, -inf]),
    ("abs", torch.abs, -2, 2, edges + [inf, -inf]),
    ("tanh", torch.tanh, -2, 2, edges + [100.0, -100.0, inf, -inf]),
    ("sigmoid", torch.sigmoid, -2, 2, edges + [100.0, -100.0, inf, -inf]),
    ("relu", torch.relu, -2, 2, edges + [inf, -inf]),
    ("silu", F.silu, -2, 2, edges + [80.0, -80.0]),
    ("gelu", F.gelu, -2, 2, edges + [100.0, -100.0]),
    ("gelu tanh", lambda x: F.gelu(x, approximate="tanh"), -2, 2, edges + [100.0, -100.0]),
    ("clamp", lambda x: torch.clamp(x, -1.0, 0.5), -2, 2, [0.0, 0.25, -0.75, 0.75, -1.25, 3.0, -3.0, inf, -inf]),
]:
    case(name, f, rand(3, 5, low=low, high=high))
    case(f"{name}: edges", f, np.float32(special).astype(np.float64))
condition = torch.tensor([[True, False, False], [True, True, False]])
case("where", lambda a, b: torch.where(condition, a, b), rand(2, 3), rand(2, 3))
case("where: broadcast", lambda a, b: torch.where(condition, a, b), rand(4, 1, 3), rand(1))
case("masked_fill", lambda x: x.masked_fill(condition, 0.25), rand(2, 3))
case("masked_fill: broadcast", lambda x: x.masked_fill(condition, 0.25), rand(2, 1))

# Reductions
for name, f in [("sum", torch.sum), ("mean", torch.mean), ("max", torch.amax)]:
    case(f"{name}: all", f, rand(2, 3, 4))
    case(f"{name}: last axis", lambda x: f(x, -1), rand(3, 35))
    case(f"{name}: first axis", lambda x: f(x, 0), rand(35, 3))
    case(f"{name}: last axis kept", lambda x: f(x, -1, keepdim=True), rand(3, 5))
    case(f"{name}: two axes", lambda x: f(x, (0, -1)), rand(2, 3, 4))
    case(f"{name}: scalar", f, rand())
    case(f"{name}: size 0 kept apart", lambda x: f(x, 1), rand(0, 3))
case("sum: over size 0", lambda x: torch.sum(x, 0), rand(0, 3))
case("max: ties and NaN", lambda x: torch.amax(x, 1), [[1.0, 1.0, 0.0], [2.0, 3.0, 1.0], [-inf, -inf, -inf]])
case("var: all", torch.var, rand(2, 3, 4))
case("var: last axis", lambda x: torch.var(x, -1), rand(3, 5))
case("var: uncorrected", lambda x: torch.var(x, -1, correction=0, keepdim=True), rand(3, 5))
case("var: two axes", lambda x: torch.var(x, (0, 2)), rand(2, 3, 4))
case("sum_to: leading", lambda x: x.sum_to_size(3), rand(4, 2, 3))
case("sum_to: kept", lambda x: x.sum_to_size(4, 1, 3), rand(4, 2, 3))

# Shapes; each result squared, so that its gradient is not constant.
for name, f, *shapes in [
    ("reshape", lambda x: x.reshape(3, -1), (2, 6)),
    ("reshape: to scalar", lambda x: x.reshape(()), (1, 1)),
    ("permute", lambda x: x.permute(2, 0, 1), (2, 3, 4)),
    ("permute: negative", lambda x: x.permute(-1, 0, -2), (2, 3, 4)),
    ("transpose", lambda x: x.transpose(0, -1), (2, 3, 4)),
    ("expand", lambda x: x.expand(4, 2, 5, 3), (2, 1, 3)),
    ("slice", lambda x: x[:, 1:4], (3, 5)),
    ("slice: negative", lambda x: x[-2:-1], (3, 5)),
    ("unslice", lambda x: F.pad(x, (3, 1)), (3, 2)),
    ("cat", lambda *x: torch.cat(x, 1), (2, 3), (2, 1), (2, 4)),
    ("cat: size 0", lambda *x: torch.cat(x, 0), (0, 3), (2, 3)),
    ("stack", lambda *x: torch.stack(x), (2, 3), (2, 3)),
    ("stack: last axis", lambda *x: torch.stack(x, -1), (2, 3), (2, 3), (2, 3)),
    ("split", lambda x: torch.stack([(k + 1) * part.sum() for k, part in enumerate(x.split(2, 1))]), (2, 5)),
]:
    case(name, lambda *x: torch.square(f(*x)), *[rand(*shape) for shape in shapes])

# Products
for name, a, b in [
    ("matrices", (3, 4), (4, 2)),
    ("batch", (2, 3, 4), (2, 4, 2)),
    ("batch by matrix", (2, 3, 4), (4, 2)),
    ("matrix by batch", (3, 4), (2, 4, 2)),
    ("broadcast batches", (2, 1, 3, 4), (3, 4, 2)),
    ("row", (4,), (4, 2)),
    ("column", (3, 4), (4,)),
    ("dot", (4,), (4,)),
    ("row by batch", (4,), (2, 4, 3)),
    ("batch by column", (2, 3, 4), (4,)),
    ("no inner", (2, 0), (0, 3)),
]:
    case(f"matmul: {name}", torch.matmul, rand(*a), rand(*b))
for ta in (False, True):
    for tb in (False, True):
        case(
            f"matmul {str(ta).lower()} {str(tb).lower()}: batch",
            lambda a, b: (a.mT if ta else a) @ (b.mT if tb else b),
            rand(*((2, 4, 3) if ta else (2, 3, 4))),
            rand(*((2, 2, 4) if tb else (2, 4, 2))),
        )
case("linear", F.linear, rand(5, 4), rand(3, 4), rand(3))
case("linear: no bias", F.linear, rand(2, 5, 4), rand(3, 4))
case("linear: one row", F.linear, rand(4), rand(3, 4), rand(3))

# Indexing
ids = torch.tensor([[2, 0, 2], [4, 2, 1]])
index = torch.tensor([[2, 2, 0, 1], [0, 0, 2, 1]])
case("embedding", lambda w: torch.square(F.embedding(ids, w)), rand(5, 3))
case("gather: last axis", lambda x: torch.square(torch.gather(x, 1, index)), rand(2, 3))
case("gather: first axis", lambda x: torch.square(torch.gather(x, 0, torch.tensor([[1, 0], [1, 1]]))), rand(3, 2))
case("gather: part", lambda x: torch.square(torch.gather(x, 1, torch.tensor([[2]]))), rand(2, 3))
case("scatter_add: last axis", lambda x: torch.square(torch.zeros(2, 3).scatter_add(1, index, x)), rand(2, 4))

# Normalization
large = [[1000.0, 999.0, 0.0, -1000.0], [-inf, 0.0, 1.0, -inf], [88.0, 89.0, 87.0, 88.5]]
for name, f in [("softmax", F.softmax), ("log_softmax", F.log_softmax)]:
    case(f"{name}: last axis", lambda x: f(x, -1), rand(3, 5))
    case(f"{name}: first axis", lambda x: f(x, 0), rand(3, 5))
    case(f"{name}: middle axis", lambda x: f(x, 1), rand(2, 3, 4))
    case(f"{name}: wide", lambda x: f(x, -1), rand(2, 35))
    case(f"{name}: size 1", lambda x: f(x, 1), rand(3, 1))
    case(f"{name}: large numbers", lambda x: f(x, -1), large)
case("layer_norm", lambda x, w, b: F.layer_norm(x, (6,), w, b), rand(3, 6), rand(6), rand(6))
case("layer_norm: three axes", lambda x, w, b: F.layer_norm(x, (6,), w, b), rand(2, 3, 6), rand(6), rand(6))
case("layer_norm: weight alone", lambda x, w: F.layer_norm(x, (6,), w), rand(3, 6), rand(6))
case("layer_norm: bias alone", lambda x, b: F.layer_norm(x, (6,), None, b), rand(3, 6), rand(6))
case("layer_norm: plain", lambda x: F.layer_norm(x, (6,)), rand(3, 6))
case("layer_norm: eps", lambda x, w, b: F.layer_norm(x, (6,), w, b, 0.5), rand(3, 6), rand(6), rand(6))

# Attention. PyTorch refuses some rows that attend to nothing and gives NaN for others; such rows are not here.
B, H, T, S, D = 2, 3, 4, 5, 2


def qkv(*more):
    return rand(B, H, T, D), rand(B, H, S, D), rand(B, H, S, D), *more


sdpa = F.scaled_dot_product_attention
lengths = (torch.arange(S) < torch.tensor([5, 3])[:, None])[:, None, None, :]
case("attention: plain", sdpa, *qkv())
case("attention: causal", lambda q, k, v: sdpa(q, k, v, is_causal=True), *qkv())
case("attention: causal with offset", lambda q, k, v: sdpa(q, k, v, torch.ones(T, S).tril(1).bool()), *qkv())
case("attention: lengths", lambda q, k, v: sdpa(q, k, v, lengths), *qkv())
case("attention: scale", lambda q, k, v: sdpa(q, k, v, scale=0.3), *qkv())
for name, shape in [("bias", (B, H, T, S)), ("bias for all heads", (B, 1, T, S)), ("bias of keys", (B, 1, 1, S))]:
    case(f"attention: {name}", lambda q, k, v, bias: sdpa(q, k, v, bias), *qkv(rand(*shape)))


def heads(x):
    return x.unflatten(-1, (-1, D)).transpose(1, 2)


for name, causal in [("", False), (": causal", True)]:
    case(
        "multi_head_attention" + name,
        lambda q, k, v: sdpa(heads(q), heads(k), heads(v), is_causal=causal).transpose(1, 2).flatten(-2),
        rand(B, T, H * D), rand(B, S, H * D), rand(B, S, H * D),
    )

# Losses: sums.
labels = torch.tensor([[1, 4, 0], [-100, 2, 2]])


def entropy(x, y, **options):
    return F.cross_entropy(x.flatten(0, -2), y.flatten(), reduction="sum", **options)


case("cross_entropy", lambda x: entropy(x, labels), rand(2, 3, 5))
case("cross_entropy: smoothing", lambda x: entropy(x, labels, label_smoothing=0.1), rand(2, 3, 5))
case("cross_entropy: smoothing alone", lambda x: entropy(x, labels, label_smoothing=1.0), rand(2, 3, 5))
case("cross_entropy: ignore a class", lambda x: entropy(x, torch.tensor([1, 2, 2]), ignore_index=2), rand(3, 4))
case("cross_entropy: all ignored", lambda x: entropy(x, torch.full((3,), -100)), rand(3, 4))
case("cross_entropy: large numbers", lambda x: entropy(x, torch.tensor([0, 1])), [[1000.0, 0.0, -1000.0], [12.0, -60.0, 11.0]])

# Dropout that does nothing; which numbers it drops is our own affair.
case("dropout: none", lambda x: F.dropout(torch.square(x), 0.0, training=True), rand(4, 6))
case("dropout: not training", lambda x: F.dropout(torch.square(x), 0.5, training=False), rand(4, 6))

# What came after the first file, so that the numbers above stay.
case("rms_norm", lambda x, w: F.rms_norm(x, (6,), w, 1e-6), rand(3, 6), rand(6))
case("rms_norm: three axes", lambda x, w: F.rms_norm(x, (6,), w, 1e-6), rand(2, 3, 6), rand(6))
case("rms_norm: plain", lambda x: F.rms_norm(x, (6,), None, 1e-6), rand(3, 6))
case("rms_norm: eps", lambda x, w: F.rms_norm(x, (6,), w, 0.5), rand(3, 6), rand(6))


def rotary(x, heads, base=10000.0, offset=0, places=None):
    """transformers' apply_rotary_pos_emb, as Llama calls it; places (B, T)."""
    x = x.unflatten(-1, (heads, -1))
    width = x.shape[-1]
    frequencies = base ** (-torch.arange(0, width, 2).double() / width)
    if places is None:
        places = torch.arange(x.shape[1]) + offset
    angles = places.double()[..., None] * frequencies
    angles = torch.cat((angles, angles), -1)[..., None, :]
    rotated_half = torch.cat((-x[..., width // 2 :], x[..., : width // 2]), -1)
    return (x * angles.cos() + rotated_half * angles.sin()).flatten(-2)


case("rotary", lambda x: torch.square(rotary(x, 2)), rand(2, 5, 12))
case("rotary: offset", lambda x: torch.square(rotary(x, 3, offset=7)), rand(2, 4, 12))
case("rotary: base", lambda x: torch.square(rotary(x, 1, 50.0, 1)), rand(1, 4, 8))

# Heads of keys and values that several heads of queries share.
for name, G, causal in [("shared heads", 2, False), ("one head for all", 1, True)]:
    case(
        f"attention: {name}",
        lambda q, k, v: sdpa(q, k, v, is_causal=causal, enable_gqa=True),
        rand(B, 4, T, D), rand(B, G, S, D), rand(B, G, S, D),
    )
case(
    "multi_head_attention: shared heads",
    lambda q, k, v: sdpa(heads(q), heads(k), heads(v), enable_gqa=True).transpose(1, 2).flatten(-2),
    rand(B, T, 6 * D), rand(B, S, 2 * D), rand(B, S, 2 * D),
)


def recurrence(name, biases=True, state=True, lengths=None, reverse=False):
    """PyTorch's lstm and gru, each sample alone; y, then the last state."""

    def f(x, w_ih, w_hh, *rest):
        H, rest = w_hh.shape[1], list(rest)
        weights = [w_ih, w_hh] + ([rest.pop(0), rest.pop(0)] if biases else [])
        states = [rest.pop(0) if state else x.new_zeros(len(x), H) for _ in range(2 if name == "lstm" else 1)]
        rows = []
        for b in range(len(x)):
            n = x.shape[1] if lengths is None else lengths[b]
            first = [s[b : b + 1] for s in states]
            y, last = x.new_zeros(1, 0, H), [s[None] for s in first]
            if n > 0:
                tokens = x[b : b + 1, :n]
                first = [s[None] for s in first]
                y, *last = getattr(torch, name)(
                    tokens.flip(1) if reverse else tokens,
                    first if name == "lstm" else first[0],
                    weights, biases, 1, 0.0, False, False, True,
                )
                y = y.flip(1) if reverse else y
            rows.append(torch.cat([F.pad(y, (0, 0, 0, x.shape[1] - n)), *last], 1))
        return torch.cat(rows)

    return f


for name, gates in [("lstm", 4), ("gru", 3)]:
    B, T, I, H = 3, 4, 3, 2
    given = [rand(B, T, I), rand(gates * H, I), rand(gates * H, H), rand(gates * H), rand(gates * H)]
    given += [rand(B, H) for _ in range(2 if name == "lstm" else 1)]
    case(f"{name}: all", recurrence(name), *given)
    case(f"{name}: weights alone", recurrence(name, False, False), *given[:3])
    case(f"{name}: reverse", recurrence(name, reverse=True), *given)
    case(f"{name}: lengths", recurrence(name, lengths=[4, 1, 2]), *given)
    case(f"{name}: lengths, reverse", recurrence(name, lengths=[2, 4, 1], reverse=True), *given)
    case(f"{name}: no tokens in a sample", recurrence(name, lengths=[0, 3, 0]), *given)

for name, x, weight, options in [
    ("plain", (2, 3, 4, 5), (4, 3, 2, 3), {}),
    ("stride", (2, 3, 5, 6), (4, 3, 2, 3), dict(stride=(2, 3))),
    ("padding", (2, 3, 3, 4), (4, 3, 2, 3), dict(padding=(1, 2))),
    ("dilation", (2, 3, 5, 6), (4, 3, 2, 3), dict(dilation=(3, 2))),
    ("groups", (2, 6, 4, 4), (4, 3, 2, 2), dict(groups=2)),
    ("depthwise", (2, 3, 4, 4), (6, 1, 3, 3), dict(padding=(1, 1), groups=3)),
    ("all together", (1, 4, 7, 6), (6, 2, 3, 2), dict(stride=(2, 1), padding=(2, 1), dilation=(2, 3), groups=2)),
]:
    case(f"conv2d: {name}", lambda x, w, b: F.conv2d(x, w, b, **options), rand(*x), rand(*weight), rand(weight[0]))
case("conv2d: no bias", F.conv2d, rand(2, 3, 4, 5), rand(4, 3, 2, 3))
case("conv1d: plain", F.conv1d, rand(2, 3, 6), rand(4, 3, 3), rand(4))
case(
    "conv1d: all together",
    lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=3, dilation=2, groups=2),
    rand(2, 4, 7), rand(6, 2, 3), rand(6),
)
window = dict(kernel_size=(2, 3), stride=(2, 1), padding=(1, 0), dilation=(1, 2))
case("unfold", lambda x: torch.square(F.unfold(x, **window).mT), rand(2, 3, 4, 6))
case("fold", lambda x: torch.square(F.fold(x.mT, (4, 6), **window)), rand(2, 6, 18))
case("grouped_linear: 1", lambda x, w, b: F.linear(x, w.flatten(1), b), rand(2, 5, 4), rand(6, 2, 2), rand(6))
case(
    "grouped_linear: 3",
    lambda x, w, b: torch.cat([F.linear(*part) for part in zip(x.chunk(3, -1), w.flatten(1).chunk(3), b.chunk(3))], -1),
    rand(2, 5, 12), rand(6, 2, 2), rand(6),
)
case(
    "additive_scores: plain",
    lambda q, k, v: torch.tanh(q[:, :, None] + k[:, None]) @ v,
    rand(2, 3, 5), rand(2, 4, 5), rand(5),
)
case(
    "linears",
    lambda x, w, v, c: torch.cat([F.linear(x, w), F.linear(x, v, c)], -1),
    rand(2, 3, 4), rand(3, 4), rand(2, 4), rand(2),
)

# Drawn apart, so that what stands above keeps its numbers. The numbers in ops.h5 are those of NumPy, which are the
# same to rounding: they were made where there was no PyTorch.
rng = np.random.default_rng(21)
for name, f, *shapes in [
    ("view", lambda x: x.view(3, -1), (2, 6)),
    ("flatten", torch.flatten, (2, 3, 4)),
    ("flatten: some axes", lambda x: x.flatten(1, -1), (2, 3, 4)),
    ("squeeze", torch.squeeze, (1, 3, 1)),
    ("squeeze: an axis", lambda x: x.squeeze(-1), (1, 3, 1)),
    ("unsqueeze", lambda x: x.unsqueeze(1), (2, 3)),
    ("unsqueeze: last", lambda x: x.unsqueeze(-1), (2, 3)),
    ("clone", torch.clone, (2, 3)),
    ("chunk", lambda x: torch.stack([(k + 1) * part.sum() for k, part in enumerate(x.chunk(2, 1))]), (2, 5)),
]:
    case(name, lambda *x: torch.square(f(*x)), *[rand(*shape) for shape in shapes])
case("min: last axis", lambda x: torch.amin(x, -1), rand(3, 18))
case("logsumexp: last axis", lambda x: torch.logsumexp(x, -1), rand(3, 18))
case("logsumexp: two axes", lambda x: torch.logsumexp(x, (0, -1)), rand(2, 3, 4))
case("mse_loss", F.mse_loss, rand(2, 3), rand(2, 3))
for equation, *shapes in [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("bthd,bshd->bhts", (2, 3, 2, 2), (2, 4, 2, 2)),
    ("ij,jk,kl->li", (2, 3), (3, 2), (2, 4)),
    ("ijm,jk->ik", (2, 3, 2), (3, 4)),
]:
    case(
        f"einsum: {equation}",
        lambda *x: torch.square(torch.einsum(equation, *x)),
        *[rand(*shape) for shape in shapes],
    )

rng = np.random.default_rng(22)
places = torch.tensor([[0, 1, 0, 7], [0, 1, 2, 3]])
case("rotary: places", lambda x: torch.square(rotary(x, 3, places=places)), rand(2, 4, 12))
begins = torch.tensor([[0, 1, 1, 2, 2], [0, 0, 1, 1, 1]])  # which of its row's documents each token is of
inside = (begins[:, :, None] == begins[:, None]) & torch.ones(5, 5).tril().bool()
case(
    "attention: documents",
    lambda q, k, v: sdpa(q, k, v, attn_mask=inside[:, None], enable_gqa=True),
    rand(2, 4, 5, 2), rand(2, 2, 5, 2), rand(2, 2, 5, 2),
)

rng = np.random.default_rng(23)


def ctc(x, targets, lengths, sizes, blank):
    """From classes last and the batch first."""
    return F.ctc_loss(
        F.log_softmax(x, -1).transpose(0, 1), torch.tensor(targets), torch.tensor(lengths), torch.tensor(sizes), blank, "sum"
    )


case("ctc_loss: lengths", lambda x: ctc(x, [[1, 2, 2], [3, 1, 1]], [7, 5], [3, 2], 0), rand(2, 7, 4))
case("ctc_loss: blank last", lambda x: ctc(x, [[0, 0, 1, 2]], [6], [4], 3), rand(1, 6, 4))
case("ctc_loss: no labels", lambda x: ctc(x, [[1, 1], [2, 1]], [4, 4], [0, 1], 0), rand(2, 4, 3))
case("ctc_loss: just enough frames", lambda x: ctc(x, [[1, 1, 2]], [4], [3], 0), rand(1, 4, 3))
rng = np.random.default_rng(23)
case("to", lambda x: torch.square(x.to(torch.float64)), rand(2, 3))
file.close()
