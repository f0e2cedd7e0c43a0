"""Rows of bench/learn whose data weft draws itself: what is right is known, and often the best that can be reached.

Each row takes a Learner and yields (what, figure), as they are found. The recipes are examples/configs/.
"""
from pathlib import Path

CONFIGS = Path(__file__).resolve().parent.parent / "examples" / "configs"


class Learner:
    """Trains and scores for one seed; adds up the seconds that training took."""

    def __init__(self, work, text):
        self.work, self.text = work, text
        self.seconds = 0.0

    def train(self, name, config, *arguments):
        """A run of this seed; its folder."""
        run, seconds = self.work.weft_train(name, "--config", CONFIGS / config, *arguments)
        self.seconds += seconds
        return run

    def eval(self, run, *arguments):
        return self.work.eval(run, "--last", *arguments)


def text(learner):
    for model in "gpt2", "llama":
        run = learner.train(f"{model}-text", f"{model}-text.toml", "--data", learner.text)
        yield f"{model}: validation loss", learner.eval(run)["loss"]


def bert(learner):
    base = learner.train("bert-masked", "bert-masked.toml")
    yield "masked words: accuracy", learner.eval(base)["accuracy"]
    few = ("--set", "samples=500")
    runs = {
        "500 reviews, from scratch": learner.train("bert-scratch", "bert-reviews.toml", *few),
        "500 reviews, pretrained": learner.train("bert-tuned", "bert-reviews.toml", *few, "--init-from", base),
        "endless reviews, pretrained": learner.train("bert-full", "bert-reviews.toml", "--init-from", base, "--set",
                                                     "max_iters=1500", "dropout=0.0", "eval_interval=500"),
    }
    for name, run in runs.items():
        scores = learner.eval(run, "--samples", 4000)
        yield f"{name}: accuracy", scores["accuracy"]
    yield "the best possible", scores["best_accuracy"]


def sequences(learner):
    for task in "copy", "reverse", "sort":
        run = learner.train(f"transformer-{task}", "transformer-reverse.toml", "--task", task)
        yield f"{task}: exact", learner.eval(run, "--samples", 2000)["exact_match"]
        for length in 18, 20:
            yield f"{task}, {length} letters (trained on 1 to 16): exact", learner.eval(
                run, "--samples", 500, "--length", length)["exact_match"]
    run = learner.train("transformer-post", "transformer-reverse.toml", "--set", "norm=post")
    yield "reverse, post-norm: exact", learner.eval(run, "--samples", 2000)["exact_match"]


def translation(learner):
    for model in "transformer", "lstm":
        run = learner.train(f"{model}-translation", f"{model}-translation.toml")
        scores = learner.eval(run, "--samples", 2000)
        yield f"{model}: exact", scores["exact_match"]
        yield f"{model}: BLEU", scores["bleu"]


def t5(learner):
    spans = learner.train("t5-spans", "t5-single.toml", "--task", "spans")
    yield "span corruption: perplexity", learner.eval(spans, "--samples", 2000)["perplexity"]
    mixed = learner.train("t5-mixed", "t5-text-to-text.toml", "--init-from", spans)
    for task in "summarize", "sentiment", "translate", "fill":
        # As many samples of a task alone as of the same task in the mixture.
        updates = ("--set", "max_iters=2500") if task == "sentiment" else ()
        alone = learner.train(f"t5-{task}", "t5-single.toml", "--task", task, *updates)
        # What fills a gap is seldom certain, so that the whole is seldom met exactly.
        score, shown = ("bleu", "BLEU") if task == "fill" else ("exact_match", "exact")
        for name, run in (f"{task}, alone", alone), (f"{task}, one model of four tasks", mixed):
            yield f"{name}: {shown}", learner.eval(run, "--task", task, "--samples", 2000)[score]


def vit(learner):
    for task, score in ("which", "accuracy"), ("count", "accuracy"), ("where", "accuracy"), ("segments", "iou"):
        # Small figures far from each other: patches as big as they are, four times as fast, and more updates.
        other = ("--set", "patch_size=8", "max_iters=5000") if task == "count" else ()
        run = learner.train(f"vit-{task}", "vit-which.toml", "--task", task, *other)
        yield f"{task}: {score}", learner.eval(run, "--samples", 2000)[score]


ROWS = {"text": text, "bert": bert, "sequences": sequences, "translation": translation, "t5": t5, "vit": vit}
