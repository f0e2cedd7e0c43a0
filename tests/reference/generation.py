"""What transformers' generate draws from, and the tokens of its greedy and beam search, for tests/lib/sampling_test.cpp
and tests/layers/generation_test.cpp.

    python generation.py     (PyTorch 2.15, transformers 5.23, h5py) writes generation.h5 beside itself
"""

import os

import numpy as np
import torch
from gpt import weft_names
from model_case import put_config
from store import floats, open_to_write, put, put_arrays
from searches import random_weights, searches
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.generation import logits_process as process

rng = np.random.default_rng(60)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "generation.h5"))


def sampling_case(name, read, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.0):
    """The order of GenerationMixin._get_logits_processor."""
    logits = torch.from_numpy(rng.normal(0, 2, (1, 17)).astype(np.float32))
    scores = logits.clone()
    ids = torch.tensor([read])
    if repetition_penalty != 1.0:
        scores = process.RepetitionPenaltyLogitsProcessor(repetition_penalty)(ids, scores)
    scores = process.TemperatureLogitsWarper(temperature)(ids, scores)
    if top_k:
        scores = process.TopKLogitsWarper(top_k)(ids, scores)
    if top_p < 1:
        scores = process.TopPLogitsWarper(top_p)(ids, scores)
    if min_p > 0:
        scores = process.MinPLogitsWarper(min_p)(ids, scores)
    group = file["sampling"].create_group(name)
    options = dict(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, repetition_penalty=repetition_penalty)
    put_config(group.create_group("options"), options)
    put_arrays(group, {"logits": logits[0], "read": ids[0], "probabilities": scores.double().softmax(-1)[0]})


file.create_group("sampling")
sampling_case("all", [0])
sampling_case("temperature", [0], temperature=0.6)
sampling_case("top k", [0], top_k=4)
sampling_case("top p", [0], top_p=0.8)
sampling_case("min p", [0], min_p=0.1)
sampling_case("min p behind temperature", [0], temperature=2.5, min_p=0.3)
sampling_case("penalty", [3, 5, 3, 16, 0, 1, 2], repetition_penalty=1.7)
sampling_case("penalty below 1", [3, 5, 3, 16, 0, 1, 2], repetition_penalty=0.4)
sampling_case("everything", list(range(9)), temperature=1.5, top_k=12, top_p=0.9, min_p=0.05, repetition_penalty=1.3)


V = 23
config = dict(vocab_size=V, block_size=32, n_layer=2, n_head=2, n_embd=8, dropout=0.0, bias=1)
gpt2 = GPT2LMHeadModel(
    GPT2Config(vocab_size=V, n_positions=32, n_embd=8, n_layer=2, n_head=2, activation_function="gelu", bos_token_id=None, eos_token_id=None)
)
random_weights(gpt2, rng)
gpt2 = gpt2.double().eval()
group = file.create_group("gpt2")
put_config(group.create_group("config"), config)
weights = {}
for name, tensor in gpt2.named_parameters():
    # Conv1D keeps its matrix the other way round.
    turned = tensor.T if "c_" in name and name.endswith("weight") else tensor
    weights[name.removeprefix("transformer.")] = turned
put_arrays(group.create_group("weights"), floats(weft_names(weights)))
cases = group.create_group("cases")
for key, values in searches(gpt2, rng, V).items():
    put(cases, key, values)
file.close()
