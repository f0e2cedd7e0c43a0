"""Word and character error rates as jiwer computes them, for tests/data/scores.

    python error_rates.py       (jiwer 4.0, h5py) writes error_rates.h5 beside itself

A case is `texts` and `references`, one a line, and their rates.
"""

import os
import random

import h5py
import jiwer
import numpy as np

random.seed(9)
words = "zero one two three four five six seven eight nine na\u00efve \u00e9t\u00e9 2-3 it's".split()


def sentence(longest):
    return " ".join(random.choice(words) for _ in range(random.randint(1, longest)))


def changed(text):
    kept = [random.choice(words) if random.random() < 0.2 else w for w in text.split() if random.random() < 0.9]
    return " ".join(kept + ([random.choice(words)] if random.random() < 0.3 else []))


long = [sentence(12) for _ in range(40)]
cases = {
    "changed": ([changed(s) for s in long], long),
    "equal": (long, long),
    "nothing": (["" for _ in long], long),
    "longer": ([s + " and so on and on" for s in long], ["one" for _ in long]),
    "spaces": (["  one   two ", "three"], ["one two", " three  four"]),
    "letters": (["sevn", "thre"], ["seven", "three"]),
}
with h5py.File(os.path.join(os.path.dirname(os.path.abspath(__file__)), "error_rates.h5"), "w", libver=("v110", "v110")) as file:
    for name, (texts, references) in cases.items():
        group = file.create_group(name)
        group.create_dataset("texts", data="\n".join(texts), track_times=False)
        group.create_dataset("references", data="\n".join(references), track_times=False)
        group.create_dataset("wer", data=np.float64(jiwer.wer(references, texts)), track_times=False)
        group.create_dataset("cer", data=np.float64(jiwer.cer(references, texts)), track_times=False)
