"""Rows of bench/learn on real data: what weft learns beside what others do, from the same files, in a given time.

ROWS[row][peer](work, recipe) gives the figures of one seed, by name. Test files are read for the last figure alone:
what is chosen, weights and settings, is chosen by parts of the training files or by files that validate.
"""
import array
import gzip
import json
import lzma
import pickle
import re
import subprocess
import time
from pathlib import Path

import learn_sounds
from learn_work import Failed, Missing


def trained(seconds, updates, stopped):
    """What every row tells of a training."""
    return {"seconds": seconds, "updates": updates, "stopped before the end of its schedule": int(stopped)}


# Books: bits per byte of three books by other authors than the 29 that are learned from.

def books_weft(work, recipe):
    train, validation = work.data("books/train"), work.data("books/validation")
    minutes = recipe.pop("minutes")
    run, *told = work.train_for("weft", minutes, recipe, "--model", "best", "--data", train, "--val-data", validation)
    said = work.eval(run, "--last", "--data", validation)
    return {"bits per byte": said["bits_per_byte"], **trained(*told)}


def in_order(folder):
    return sorted(Path(folder).glob("*.txt"))


def ids(work, run, name, text):
    """The file of ids, as weft's tokenizer makes them of a text, that PyTorch reads."""
    made = work.folder / f"{name}.bin"
    work.weft("tokenizer", "encode", run, "--layout", "nanogpt", "--out", made, text=text)
    return made


def without_first(work, run, text):
    """Bytes of a text that its ids but the first stand for: the first is not foretold."""
    first = json.loads(work.weft("tokenizer", "encode", run, text=text[:4096], told=False))[:1]
    return len(text) - len(work.weft("tokenizer", "decode", run, text=json.dumps(first).encode(), told=False))


def books_torch(work, recipe):
    run = work.folder / "weft"
    if not (run / "config.toml").exists():
        raise Missing("PyTorch learns the ids of weft's tokenizer: measure weft's books of this seed first")
    # weft eval too reads files of a folder as one text, in the order of their names.
    train, validation = (b"".join(path.read_bytes() for path in in_order(work.data(f"books/{part}")))
                         for part in ("train", "validation"))
    recipe = dict(recipe)
    seconds, optimizer = work.seconds_of(recipe.pop("minutes")), recipe.pop("optimizer", "adamw")
    known = {"vocab_size", "block_size", "n_layer", "n_head", "n_embd", "batch_size", "learning_rate", "min_lr", "warmup",
             "weight_decay", "beta2", "schedule"}
    settings = [f"{key}={value}" for key, value in recipe.items() if key in known]
    said = work.peer("learn.py", "--train", ids(work, run, "train", train), "--validation",
                     ids(work, run, "validation", validation), "--validation-bytes", without_first(work, run, validation),
                     "--seconds", seconds, "--seed", work.seed, "--threads", work.options.threads, "--optimizer", optimizer,
                     "--set", *settings, needs=["torch", "numpy"])
    return {"bits per byte": said["bits_per_byte"], **trained(said["seconds"], said["updates"], said["stopped"])}


def compressed(sizes):
    """Figures of a compressor, from a function of files to bytes."""
    def figures(work, recipe):
        train, validation = (in_order(work.data(f"books/{part}")) for part in ("train", "validation"))
        start, length = time.monotonic(), sum(path.stat().st_size for path in validation)
        given = sizes(work, train)
        figures = {"bits per byte, alone": 8 * sizes(work, validation) / length,
                   "bits per byte, after the training books": 8 * (sizes(work, train + validation) - given) / length}
        return {**figures, "seconds": time.monotonic() - start}
    return figures


def xz(work, files):
    """What xz -9e makes of files, joined: its dictionary of 64 MiB holds them all."""
    return len(lzma.compress(b"".join(path.read_bytes() for path in files), preset=9 | lzma.PRESET_EXTREME))


def ppmd(work, files):
    return work.peer("ppmd.py", *files, needs=["pyppmd"])["bytes"]


# Tiny Shakespeare by characters: nanoGPT's recipe for a CPU.

GOAL = 1.913


def timed_losses(command, folder, environment, log):
    """Runs it: its seconds, and (seconds, validation loss) of each evaluation it prints."""
    start, found = time.monotonic(), []
    with log.open("w") as copy, subprocess.Popen([str(word) for word in command], cwd=folder, env=environment, text=True,
                                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            copy.write(line)
            loss = re.match(r"step .*(?:validation|val) loss (\d+\.\d+)", line)
            if loss:
                found.append((time.monotonic() - start, float(loss.group(1))))
    if process.returncode != 0 or not found:
        raise Failed(f"{command[0]}: exit code {process.returncode}: {log.read_text()[-2000:]}")
    return time.monotonic() - start, found


def prepared(text, folder):
    """What nanoGPT's prepare.py writes, which would fetch the text: characters in order, the last tenth validates."""
    letters = sorted(set(text))
    number = {letter: place for place, letter in enumerate(letters)}
    codes = array.array("H", (number[letter] for letter in text))
    cut = int(len(codes) * 0.9)
    folder.mkdir(parents=True, exist_ok=True)
    for part, values in ("train", codes[:cut]), ("val", codes[cut:]):
        (folder / f"{part}.bin").write_bytes(values.tobytes())
    meta = {"vocab_size": len(letters), "stoi": number, "itos": dict(enumerate(letters))}
    (folder / "meta.pkl").write_bytes(pickle.dumps(meta))


def nanogpt(work, recipe):
    peer, python = work.options.nanogpt, work.options.python
    if not peer or not (peer / "train.py").exists():
        raise Missing("--nanogpt names a checkout of nanoGPT")
    if not python:
        raise Missing("nanoGPT needs a Python with torch and numpy: --python names it")
    folder = work.folder / "nanogpt"
    prepared(Path(work.data("tinyshakespeare.txt")).read_text(), folder / "data" / "shakespeare_char")
    for name in "train.py", "model.py", "configurator.py", "config/train_shakespeare_char.py":
        (folder / name).parent.mkdir(exist_ok=True)
        # It has no setting of its seed.
        (folder / name).write_text((peer / name).read_text().replace("manual_seed(1337", f"manual_seed({work.seed}"))
    updates = max(8, int(recipe.pop("max_iters") * work.options.minutes_scale))
    recipe |= {"max_iters": updates, "lr_decay_iters": updates, "eval_interval": updates // 8}
    command = [python, "train.py", "config/train_shakespeare_char.py", "--device=cpu", "--compile=False", "--out_dir=out",
               *(f"--{key}={value}" for key, value in recipe.items())]
    work.remember(command)
    seconds, found = timed_losses(command, folder, work.environment, folder / "log")
    reached = next((at for at, loss in found if loss <= GOAL), None)
    return {"seconds": seconds, "best validation loss": min(loss for _, loss in found),
            **({f"seconds until {GOAL}": reached} if reached else {})}


def shakespeare_fast(work, recipe):
    run = work.folder / "weft"
    updates = max(8, int(recipe.pop("max_iters") * work.options.minutes_scale))
    recipe |= {"max_iters": updates, "eval_interval": updates, "seed": work.seed,
               "warmup_iters": max(1, int(recipe.pop("warmup") * updates))}
    command = work.train_command(run, ["--model", recipe.pop("model"), "--data", work.data("tinyshakespeare.txt"),
                                       "--set", *(f"{key}={value}" for key, value in recipe.items())])
    work.remember(command)
    seconds, _ = timed_losses(command, None, work.environment, work.folder / "log")
    loss = work.eval(run, "--last")["loss"]
    return {"seconds": seconds, "validation loss": loss, f"reached {GOAL}": int(loss <= GOAL)}


def shakespeare_best(work, recipe):
    told = work.options.store.get("shakespeare-fast", "nanoGPT")
    if not told:
        raise Missing("its time is nanoGPT's: measure that first, --only shakespeare-fast")
    whole = sum(entry["figures"]["seconds"] for entry in told) / len(told)
    # The store has times of the scale that is asked for.
    model = recipe.pop("model")
    run, *rest = work.train_for("weft", whole / 60 / work.options.minutes_scale, recipe, "--model", model, "--data",
                                work.data("tinyshakespeare.txt"))
    return {"validation loss": work.eval(run)["loss"], **trained(*rest)}


# Multi30k, English to French, as it is written: no lower case, no tokens cut before.

def multi30k(work, recipe):
    train, validation = (work.data(f"multi30k-en-fr/{part}.en", f"multi30k-en-fr/{part}.fr") for part in ("train", "val"))
    minutes, beams, penalty = recipe.pop("minutes"), recipe.pop("beams"), recipe.pop("length_penalty")
    run, *told = work.train_for("weft", minutes, recipe, "--task", "pairs", "--model", "transformer", "--data", train,
                                "--val-data", validation)
    source, target = work.data("multi30k-en-fr/test_2016_flickr.en"), work.data("multi30k-en-fr/test_2016_flickr.fr")
    said = work.weft("translate", run, "--beams", beams, "--length-penalty", penalty, text=Path(source).read_bytes())
    score = work.peer("bleu.py", target, needs=["sacrebleu"], text=said)
    ours = work.eval(run, "--data", f"{source},{target}", "--beams", beams)
    return {"sacreBLEU": score["bleu"], "chrF": score["chrf"], "BLEU as weft eval says": ours["bleu"], **trained(*told)}


# Sentences and their classes: TREC's six kinds of questions, subjective or objective.

TABLES = {"trec": ("trec/train.tsv", "trec/test.tsv", {"text": 2, "label": 1}, []),
          "subj": ("subj/train.csv", "subj/test.csv", {"text": 1, "label": 2}, ["--header"])}


def classes(work, recipe):
    train, test, columns, header = TABLES[work.row]
    train, test = work.data(train), work.data(test)
    shared = ["header=yes"] if header else []
    pretraining, tuning, model = ({**recipe.pop(part)} for part in ("masked", "classify", "both"))
    begin = time.monotonic()
    run, _, first, stopped = work.train_for(
        "masked", pretraining.pop("minutes"), {**model, **pretraining}, "--model", "bert", "--task", "masked", "--data",
        train, "--set", f"text={columns['text']}", *shared)
    columns = [f"{key}={value}" for key, value in columns.items()]
    base, seconds, updates, also = work.train_for(
        "classes", tuning.pop("minutes"), {**model, **tuning}, "--model", "bert", "--task", "classify", "--data", train,
        "--init-from", run, "--set", *columns, *shared)
    said = work.eval(base, "--last", "--data", test)
    return {"accuracy": said["accuracy"], "seconds with measuring rates": time.monotonic() - begin,
            "updates of pretraining": first, **trained(seconds, updates, stopped or also)}


def words(work, recipe):
    train, test, columns, header = TABLES[work.row]
    said = work.peer("words.py", "--train", work.data(train), "--test", work.data(test), "--text", columns["text"],
                     "--label", columns["label"], *header, needs=["sklearn"])
    return {key: said[key] for key in ("accuracy", "cross_validation", "seconds")}


# Chats about a story, whose answers are known.

def chat(work, recipe):
    train, unseen = work.folder / "train.jsonl", work.folder / "unseen.jsonl"
    work.run([work.options.weft, "stories", "--kind", "dialogues", "--bytes", recipe.pop("bytes"), "--seed", work.seed,
              "--out", train])
    work.run([work.options.weft, "stories", "--kind", "dialogues", "--split", "validation", "--count",
              recipe.pop("unseen"), "--seed", work.seed, "--out", unseen])
    minutes, model = recipe.pop("minutes"), recipe.pop("model")
    run, *told = work.train_for("weft", minutes, recipe, "--model", model, "--task", "chat", "--data", train)
    said = work.eval(run, "--data", unseen)
    return {"exact match": said["exact_match"], **trained(*told)}


# Pictures of digits: of the 10,000 that test MNIST the first 9,000 train, and the others test.

def digits(work, part):
    """IDX files of a part: pictures and labels."""
    made = []
    for name in "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte":
        data = gzip.decompress(Path(work.data(f"mnist-10k/{name}.gz")).read_bytes())
        head = 4 + 4 * data[3]
        size = (len(data) - head) // 10000
        first, count = (0, 9000) if part == "train" else (9000, 1000)
        path = work.folder / f"{part}-{name}"
        path.write_bytes(data[:4] + count.to_bytes(4, "big") + data[8:head] +
                         data[head + first * size:head + (first + count) * size])
        made.append(path)
    return made


def mnist(work, recipe):
    (train, _), (test, _) = digits(work, "train"), digits(work, "test")
    run, *told = work.train_for("weft", recipe.pop("minutes"), recipe, "--model", "vit", "--task", "classify", "--data", train)
    said = work.eval(run, "--last", "--data", test)
    return {"accuracy": said["accuracy"], **trained(*told)}


def svm(work, recipe):
    said = work.peer("svm.py", "--train", *digits(work, "train"), "--test", *digits(work, "test"), needs=["sklearn", "numpy"])
    return {key: said[key] for key in ("accuracy", "seconds")}


ROWS = {
    "books": {"weft": books_weft, "PyTorch": books_torch, "xz": compressed(xz), "PPMd": compressed(ppmd)},
    "shakespeare-fast": {"nanoGPT": nanogpt, "weft": shakespeare_fast},
    "shakespeare-best": {"weft": shakespeare_best},
    "multi30k": {"weft": multi30k},
    "trec": {"weft": classes, "words": words},
    "subj": {"weft": classes, "words": words},
    "chat": {"weft": chat},
    "mnist": {"weft": mnist, "SVM": svm},
    **learn_sounds.ROWS,
}
# What a seed does not change.
SEEDLESS = {"xz", "PPMd", "words", "SVM"}
