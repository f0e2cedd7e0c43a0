"""BLEU and chrF as sacreBLEU computes them, for tests/data/scores_test.cpp.

    python scores.py       (sacrebleu 2.6, h5py) writes scores.h5 beside itself

A case is `texts` and `references`, one a line (none of them holds U+001E, which stands between), and their scores;
`tokenized` is the texts as 13a cuts them.
"""

import os
import random

import h5py
import numpy as np
import sacrebleu
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

random.seed(5)
words = "the fox ran to a hill , and ate 35 figs . at 7:25 she lost 1,000.50 kites ! \u00e9t\u00e9 (na\u00efve) x-ray 2-3".split()


def sentence(longest):
    return " ".join(random.choice(words) for _ in range(random.randint(1, longest)))


def changed(text):
    kept = [random.choice(words) if random.random() < 0.25 else w for w in text.split() if random.random() < 0.9]
    return " ".join(kept)


long = [sentence(30) for _ in range(40)]
short = [sentence(3) for _ in range(12)]
cases = {
    "changed": ([changed(s) for s in long], long),
    "equal": (long, long),
    "longer": ([s + " and so on." for s in long[:9]], long[:9]),
    "brief": ([" ".join(s.split()[: len(s.split()) // 2]) for s in long], long),
    "short": ([changed(s) for s in short], short),
    "two words": (["the fox", "a hill"], ["the fox", "a cat"]),
    "no match": (["aaa bbb ccc ddd"], ["eee fff ggg hhh"]),
    "no match of 4": (["the fox ran away from here"], ["the fox ran to the hill"]),
    "one word": (["figs"], ["figs"]),
    "empty texts": (["", ""], ["the fox ran", "to the hill there"]),
    "empty references": (["the fox ran up", "so it is"], ["", ""]),
    "some empty": (["", "the fox ran to a hill", "five more words here now"], ["the fox", "the fox ran to the hill", ""]),
    "repeated": (["the the the the the the the"], ["the cat is on the mat"]),
    "marks": (
        [
            "He said: \"wait, don't!\" (really?) -- 3.5% of $1,000,000.99; a/b, c&d. e.g.,this",
            "&quot;Tom &amp; Jerry&quot; &lt;b&gt; 7.,8 ..., 12-13- x-1 .5 5. a.b",
            "end-\nof line\nand\ttabs  <skipped>there ~`{|}[\\]^_@#*+=",
            "na\u00efve caf\u00e9\u3000\u65e5\u672c\u8a9e\u3002\u00a0\u2028za\u017c\u00f3\u0142\u0107,g\u0119\u015bl\u0105. \U0001f600!",
        ],
        [
            "He said: \"wait, do not!\" (really?) - 3.5% of $1,000,000.9; a/b c&d. e.g., this",
            "\"Tom & Jerry\" <b> 7.,8 ..., 12-13 x-1 .5 5. a.c",
            "endof line and tabs there ~`{|}[\\]^_@#*+",
            "na\u00efve cafe \u65e5\u672c\u8a9e\u3002 za\u017c\u00f3\u0142\u0107, g\u0119\u015bl\u0105. \U0001f601!",
        ],
    ),
}

with h5py.File(os.path.join(os.path.dirname(os.path.abspath(__file__)), "scores.h5"), "w", libver=("v110", "v110")) as file:
    for name, (texts, references) in cases.items():
        group = file.create_group(name)

        def put(key, value):
            group.create_dataset(key, data=value, track_times=False)

        put("texts", "\x1e".join(texts))
        put("references", "\x1e".join(references))
        put("tokenized", "\x1e".join(Tokenizer13a()(text.rstrip()) for text in texts))
        put("bleu", np.float64(sacrebleu.corpus_bleu(texts, [references]).score))
        put("bleu_white_space", np.float64(sacrebleu.corpus_bleu(texts, [references], tokenize="none").score))
        put("chrf", np.float64(sacrebleu.corpus_chrf(texts, [references]).score))
        print(name, group["bleu"][()], group["bleu_white_space"][()], group["chrf"][()])
