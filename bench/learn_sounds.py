"""Rows of bench/learn on sounds: spoken digits of four speakers, alone, in strings, and by a speaker who was never heard.

Recordings 0 to 4 of each digit and speaker are kept for test, as their source has it.
"""
import array
import csv
import random
import wave
from pathlib import Path

from learn_work import Missing

WORDS = "zero one two three four five six seven eight nine".split()
KEPT = 5


def recordings(work):
    """(file, digit, speaker, kept) of each."""
    labels = Path(work.data("speech/labels.csv"))
    with labels.open(newline="") as file:
        return [(labels.parent / row["file"], int(row["label"]), row["speaker"],
                 int(Path(row["file"]).stem.split("_")[-1]) < KEPT) for row in csv.DictReader(file)]


def table(path, column, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("file", column), *rows])
    return path


def told(seconds, updates, stopped):
    return {"seconds": seconds, "updates": updates, "stopped before the end of its schedule": int(stopped)}


def digits(work, recipe):
    all_of_them = recordings(work)
    train, test = (table(work.folder / f"{name}.csv", "label", [(file, digit) for file, digit, _, kept in all_of_them if kept == keep])
                   for name, keep in (("train", False), ("test", True)))
    run, *rest = work.train_for("weft", recipe.pop("minutes"), recipe, "--model", "speech", "--task", "classify", "--data", train)
    return {"accuracy": work.eval(run, "--data", test)["accuracy"], **told(*rest)}


def speakers(work, recipe):
    """Each is tested with all recordings when nothing of his was heard, and the model with the last update: to choose one by
    speakers who were heard says nothing of him."""
    all_of_them, minutes = recordings(work), recipe.pop("minutes")
    names = sorted({speaker for _, _, speaker, _ in all_of_them})
    figures, seconds = {}, 0
    for name in names:
        train, test = (table(work.folder / f"{name}-{part}.csv", "label",
                             [(file, digit) for file, digit, speaker, _ in all_of_them if (speaker == name) == (part == "test")])
                       for part in ("train", "test"))
        run, took, _, _ = work.train_for(name, minutes / len(names), dict(recipe), "--model", "speech", "--task", "classify",
                                         "--data", train)
        figures[f"accuracy, {name}"] = work.eval(run, "--last", "--data", test)["accuracy"]
        seconds += took
    return {"accuracy, mean": sum(figures.values()) / len(figures), **figures, "seconds": seconds}


def samples_of(path):
    with wave.open(str(path)) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
        return samples, file.getframerate()


def write_strings(folder, of_speakers, count, dice):
    """Strings of 1 to 7 digits by one speaker each, with pauses of up to 0.4 s, and noise of up to a tenth of the loudness."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, noise = [], [dice.gauss(0, 1) for _ in range(1 << 18)]
    for number in range(count):
        takes = of_speakers[dice.choice(sorted(of_speakers))]
        said, together, rate = [], [], 8000
        for _ in range(dice.randint(1, 7)):
            file, digit = dice.choice(takes)
            samples, rate = samples_of(file)
            together += [0] * dice.randint(0, int(0.4 * rate)) + list(samples)
            said.append(WORDS[digit])
        together += [0] * dice.randint(0, int(0.4 * rate))
        loud = (sum(x * x for x in together) / len(together)) ** 0.5 * dice.uniform(0, 0.1)
        begin = dice.randrange(len(noise) - len(together))
        noisy = array.array("h", [max(-32768, min(32767, round(x + loud * n)))
                                  for x, n in zip(together, noise[begin:begin + len(together)])])
        path = folder / f"{number}.wav"
        with wave.open(str(path), "w") as file:
            file.setparams((1, 2, rate, len(noisy), "NONE", ""))
            file.writeframes(noisy.tobytes())
        rows.append((path, " ".join(said)))
    return table(folder.with_suffix(".csv"), "text", rows)


def strings(work, recipe):
    parts = {}
    for kept in (False, True):
        of_speakers = {}
        for file, digit, speaker, keep in recordings(work):
            if keep == kept:
                of_speakers.setdefault(speaker, []).append((file, digit))
        if not of_speakers:
            raise Missing("there are no recordings")
        name, count = ("test", recipe.pop("test")) if kept else ("train", recipe.pop("train"))
        parts[name] = write_strings(work.folder / name, of_speakers, count, random.Random(f"{work.seed} {name}"))
    beams = recipe.pop("beams")
    run, *rest = work.train_for("weft", recipe.pop("minutes"), recipe, "--model", "speech", "--task", "transcribe", "--data",
                                parts["train"])
    said = work.eval(run, "--data", parts["test"], "--beams", beams)
    return {"word error rate": said["wer"], "character error rate": said["cer"], "exact match": said["exact_match"], **told(*rest)}


ROWS = {
    "spoken-digits": {"weft": digits},
    "spoken-strings": {"weft": strings},
    "speakers": {"weft": speakers},
}
