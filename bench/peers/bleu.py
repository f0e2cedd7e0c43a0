"""sacreBLEU of standard input, a line a sentence, against the lines of a file of references.

    python bleu.py REFERENCES < translations
"""
import json
import sys

import sacrebleu

references = open(sys.argv[1], encoding="utf-8").read().split("\n")[:-1]
said = sys.stdin.buffer.read().decode("utf-8").split("\n")[:-1]
if len(said) != len(references):
    sys.exit(f"bleu.py: {len(said)} lines for the {len(references)} of {sys.argv[1]}")
metric = sacrebleu.BLEU()
print(json.dumps({"sacrebleu": sacrebleu.__version__, "bleu": metric.corpus_score(said, [references]).score,
                  "chrf": sacrebleu.CHRF().corpus_score(said, [references]).score,
                  "signature": str(metric.get_signature())}))
