"""The generation of bench_generate with transformers' GPT-2 and its key/value cache: from a one-token prompt to a
full context (gpt2: 256 tokens), sampled from all of the vocabulary, batch 1 and 8.

    python generate.py --model nano|baby|gpt2 [--threads N] [--runs K]
"""
import argparse

import torch
import transformers

from measure import MODELS, finish, peak_rss_mb, set_threads, timed

parser = argparse.ArgumentParser()
parser.add_argument("--model", choices=MODELS, default="nano")
parser.add_argument("--threads", type=int, default=0)
parser.add_argument("--runs", type=int, default=3)
options = parser.parse_args()

threads = set_threads(options.threads)
shape = MODELS[options.model]
tokens = min(shape.block_size, 256)
torch.manual_seed(1)
model = transformers.GPT2LMHeadModel(
    transformers.GPT2Config(
        vocab_size=shape.vocab_size,
        n_positions=shape.block_size,
        n_layer=shape.n_layer,
        n_head=shape.n_head,
        n_embd=shape.n_embd,
        bos_token_id=None,
        eos_token_id=None,
    )
).eval()


def generate(batch, new):
    prompt = torch.zeros((batch, 1), dtype=torch.long)
    ids = model.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=new,
        do_sample=True,
        top_k=0,
        use_cache=True,
        pad_token_id=0,
    )
    assert ids.shape == (batch, 1 + new), ids.shape


rows = []
for batch in (1, 8):
    generate(batch, 4)
    times = timed(lambda: generate(batch, tokens - 1), runs=options.runs, warm_up=0)
    rows.append({
        "model": options.model,
        "batch": batch,
        "tokens": tokens,
        **times,
        "tokens_per_second": 1e3 * batch * (tokens - 1) / times["min_ms"],
    })
finish({
    "transformers": transformers.__version__,
    "benchmark": "generate",
    "threads": threads,
    "peak_rss_mb": peak_rss_mb(),
    "rows": rows,
})
