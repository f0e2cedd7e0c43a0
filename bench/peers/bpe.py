"""What bench_tokenizers does, by the packages tokenizers and tiktoken: learn byte-level BPE, and encode with its merges.

    python bpe.py --package tokenizers|tiktoken --data FILE|DIR... --merges FILE.json [--vocab-size N] [--threads N]
                  [--seconds S]

--merges is the tokenizer.json that bench_tokenizers --write left, so that all encode with the same merges. tiktoken
learns none. Texts are in memory; training takes --threads, encoding one.
"""
import argparse
import json
import os
import sys
import time
from itertools import chain
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--package", choices=["tokenizers", "tiktoken"], required=True)
parser.add_argument("--data", nargs="+", type=Path, required=True)
parser.add_argument("--merges", type=Path, required=True)
parser.add_argument("--vocab-size", type=int, default=8192)
parser.add_argument("--threads", type=int, default=0)
parser.add_argument("--seconds", type=float, default=0.3)
parser.add_argument("--train-only", action="store_true", help=argparse.SUPPRESS)
options = parser.parse_args()


def best_seconds(run):
    """As bench/measure.h has it."""
    run()
    times = []
    begin = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < options.seconds:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def paths():
    for path in options.data:
        yield from sorted(path.iterdir()) if path.is_dir() else [path]


texts = [path.read_bytes().decode() for path in paths()]
megabytes = sum(len(text.encode()) for text in texts) / 1e6
threads = options.threads or len(os.sched_getaffinity(0))
pattern = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
ids = []


def row(what, count, tokens, run):
    return {"what": what, "threads": count, "tokens": tokens(), "mb_per_second": megabytes / best_seconds(run)}


def train():
    """The same bytes, pattern and least count of a pair as weft."""
    import tokenizers

    learned = tokenizers.Tokenizer(tokenizers.models.BPE())
    learned.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    learned.train_from_iterator(texts, tokenizers.trainers.BpeTrainer(
        vocab_size=options.vocab_size, min_frequency=2, show_progress=False, special_tokens=["<|endoftext|>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()))
    return learned


def encode_by_tokenizers():
    import tokenizers

    merges = tokenizers.Tokenizer.from_file(str(options.merges))

    def encode():
        ids[:] = [merges.encode(text).ids for text in texts]

    return encode


def encode_by_tiktoken():
    import tiktoken

    model = json.loads(options.merges.read_text())
    # GPT-2's characters for bytes, and back.
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    byte_of = {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(others)}
    special = {token["content"]: token["id"] for token in model["added_tokens"]}
    ranks = {bytes(byte_of[c] for c in token): rank for token, rank in model["model"]["vocab"].items()
             if token not in special}
    merges = tiktoken.Encoding("merges", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)

    def encode():
        ids[:] = [merges.encode_ordinary(text) for text in texts]

    return encode


rows = []
if options.package == "tokenizers":
    # Both are read once, when the package first takes threads: training comes in a process of its own.
    os.environ |= {"TOKENIZERS_PARALLELISM": "true", "RAYON_NUM_THREADS": str(threads if options.train_only else 1)}
    if options.train_only:
        found = []
        rows.append(row("train", threads, lambda: options.vocab_size, train))
    else:
        import subprocess

        apart = subprocess.run([sys.executable, *sys.argv, "--train-only"], check=True, capture_output=True, text=True)
        rows += json.loads(apart.stdout)["rows"]
if not options.train_only:
    encode = encode_by_tokenizers() if options.package == "tokenizers" else encode_by_tiktoken()
    seconds = best_seconds(encode)
    rows.append({"what": "encode", "threads": 1, "tokens": sum(map(len, ids)), "mb_per_second": megabytes / seconds})
module = sys.modules.get("tokenizers") or sys.modules.get("tiktoken")
json.dump({"benchmark": "tokenizers", "package": options.package, "version": module.__version__,
           "ids": sum(one * (1 + i % 65521) for i, one in enumerate(chain(*ids))), "rows": rows}, sys.stdout, indent=2)
print()
