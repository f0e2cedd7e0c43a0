"""The page that bench/compare writes, from what the programs said: a section for each kind of processor that it was run on.
Every figure is the best of its rounds."""
import re
import statistics
import subprocess
from pathlib import Path

VARIANTS = {"eager": "PyTorch eager", "fused": "fused AdamW", "compiled": "compiled"}


def last_loss(log):
    """The last validation loss in the log of weft or of nanoGPT."""
    found = re.findall(r"^step .*(?:validation|val) loss (\d+\.\d+)", log, re.M)
    return float(found[-1]) if found else None


def best(objects, key="min_ms"):
    """The object that is smallest by `key`, or None."""
    return min(objects or [], key=lambda found: found[key], default=None)


def best_rows(objects, name, key, smallest=True):
    """Of all rows of all objects, the best of each `name` by `key`."""
    rows = {}
    for row in (row for found in objects or [] for row in found["rows"]):
        here = rows.setdefault(row[name], row)
        if (row[key] < here[key]) == smallest:
            rows[row[name]] = row
    return rows


def number(value):
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def percent(value):
    return "-" if value is None else f"{100 * value:.0f} %"


def times(ratio):
    return "-" if ratio is None else f"{ratio:.2f}x"


def counted(count, what):
    return f"{count} {what}" + ("" if count == 1 else "s")


def ratio(above, below):
    return above / below if above and below else None


def table(heads, rows):
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(number(cell) for cell in line) + " |" for line in lines) + "\n"


def field(found, key):
    return found and found[key]


def step(said):
    variants = [name for name in VARIANTS if any(sides.get(name) for sides in said.values())]
    heads = ["step", "weft ms", "of peak"]
    heads += [head for name in variants for head in (f"{VARIANTS[name]} ms", "ratio")]
    speed, memory = [], []
    for what, sides in said.items():
        model, optimizer = what.split()
        title = model if optimizer == "with" else f"{model} without optimizer"
        ours, peers = best(sides.get("weft")), {name: best(sides.get(name)) for name in variants}
        line = [title, field(ours, "min_ms"), percent(field(ours, "fraction_of_peak"))]
        for peer in peers.values():
            line += [field(peer, "min_ms"), times(ratio(field(peer, "min_ms"), field(ours, "min_ms")))]
        speed.append(line)
        allocated = field(best(sides.get("weft"), "peak_anonymous_mb"), "peak_anonymous_mb")
        rss = [field(best(sides.get(side), "peak_rss_mb"), "peak_rss_mb") for side in ["weft", *variants]]
        memory.append([title, rss[0], allocated, *rss[1:]])
    starts = [found["rss_at_start_mb"] for sides in said.values() for name in variants for found in sides.get(name, [])]
    text = table(heads, speed) + "\nPeak memory, MB resident"
    if starts:
        text += f"; PyTorch's processes hold {number(min(starts))} MB of it before any work"
    return text + ":\n\n" + table(["step", "weft", "of it allocated", *(VARIANTS[name] for name in variants)], memory)


def bfloat16(said):
    rows = []
    for model, sides in said.items():
        ours, floats, peer = (best(sides.get(name)) for name in ("bfloat16", "float32", "PyTorch"))
        mine = field(ours, "min_ms")
        rows.append([model, mine, times(ratio(field(floats, "min_ms"), mine)), field(peer, "min_ms"),
                     times(ratio(field(peer, "min_ms"), mine)), field(ours, "peak_rss_mb"), field(floats, "peak_rss_mb"),
                     field(peer, "peak_rss_mb")])
    return table(["step", "weft ms", "ratio to its float32", "PyTorch autocast ms", "ratio", "weft MB", "its float32 MB",
                  "PyTorch MB"], rows)


def generation(said):
    rows = []
    for model, sides in said.items():
        ours = best_rows(sides.get("weft"), "batch", "tokens_per_second", smallest=False)
        peer = best_rows(sides.get("transformers"), "batch", "tokens_per_second", smallest=False)
        for batch in sorted({*ours, *peer}):
            here, there = ours.get(batch), peer.get(batch)
            rate, other = field(here, "tokens_per_second"), field(there, "tokens_per_second")
            rows.append([f"{model}, batch {batch}", rate, percent(field(here, "of_reading")), other,
                         times(ratio(rate, other))])
    return table(["tokens a second", "weft", "of reading the weights", "transformers with cache", "ratio"], rows)


def attention(said):
    ways = {way: [best_rows(said.get(side), "tokens", f"{way}_ms") for side in ("weft", "torch")]
            for way in ("forward", "backward")}
    rows = []
    for tokens in sorted({tokens for sides in ways.values() for side in sides for tokens in side}):
        line = [str(tokens)]
        for way, (ours, theirs) in ways.items():
            here, there = ours.get(tokens), theirs.get(tokens)
            mine, other = field(here, f"{way}_ms"), field(there, f"{way}_ms")
            line += [mine, percent(field(here, f"{way}_of_peak")), other, times(ratio(other, mine))]
        extra = [row["extra_mb"] for found in said.get("weft", []) for row in found["rows"] if row["tokens"] == tokens]
        rows.append([*line, max(extra, default=None)])
    columns = [f"{way} {head}".strip() for way in ways for head in ("weft ms", "of peak", "PyTorch ms", "ratio")]
    return table(["tokens", *columns, "weft's extra MB"], rows)


def threads(said):
    rows, estimated = [], []
    for what, objects in said.items():
        model = what.split()[0]
        if what != model:
            found = best_rows(objects, "threads", "estimated_ms")
            estimated += [[f"{model}, {count}", row["estimated_ms"], times(row["speed_up"]), percent(row["efficiency"])]
                          for count, row in found.items()]
            continue
        found = best_rows(objects, "threads", "min_ms")
        for count, row in found.items():
            speed_up = found[1]["min_ms"] / row["min_ms"]
            rows.append([f"{model}, {count}", row["min_ms"], times(speed_up), percent(speed_up / count),
                         percent(row["fraction_of_peak"])])
    text = table(["step, threads", "ms", "speed-up", "efficiency", "of peak"], rows)
    if estimated:
        text += ("\nOn a machine of more cores, estimated from the tiles of a step on one thread (`bench_threads --estimate`): each "
                 "core with caches and memory as\nfast as one has alone here.\n\n"
                 + table(["step, threads", "ms", "speed-up", "efficiency"], estimated))
    return text


def family(row):
    """Of a product: its model, or "square"; of batched ones what they compute, without how many."""
    return row["product"].split()[0] if "product" in row else "batched " + " ".join(row["batched"].split()[2:4])


def matmul(said):
    products, lines = [], []
    for count, found in said.items():
        families = {}
        for row in found["rows"]:
            if "rows" in row:
                lines.append([row["rows"], str(count), row["microseconds"], row["gb_per_second"],
                              percent(row["fraction_of_reading"])])
            else:
                families.setdefault(family(row), []).append(row)
        for name, rows in families.items():
            fractions = [row["fraction_of_peak"] for row in rows]
            worst = best([row for row in rows if "ratio" in row], "ratio")
            products.append([name, str(count), percent(min(fractions)), percent(statistics.median(fractions)),
                             times(field(worst, "ratio")),
                             worst and f"{worst['product']} ({worst['openblas_core_type']})"])
    return "\n".join([
        table(["products", "threads", "least of peak", "median of peak", "least ratio to OpenBLAS", "of"], products),
        table(["one row", "threads", "microseconds", "GB/s", "of reading"], lines)])


def tokenizers(said):
    packages = [name for name in ("tokenizers", "tiktoken") if said.get(name)]
    sides = {name: best_rows(said.get(name), "what", "mb_per_second", smallest=False) for name in ["weft", *packages]}
    lines = []
    for what in ("train", "encode"):
        ours = sides["weft"].get(what)
        line = [what, ours and str(ours["threads"]), field(ours, "tokens"), field(ours, "mb_per_second")]
        for name in packages:
            theirs = sides[name].get(what)
            line += [field(theirs, "mb_per_second"),
                     times(ratio(field(ours, "mb_per_second"), field(theirs, "mb_per_second")))]
        lines.append(line)
    heads = ["byte-level BPE", "threads", "tokens", "weft MB/s"]
    heads += [head for name in packages for head in (f"{name} MB/s", "ratio")]
    sums = {found["ids"] for name in ["weft", *packages] for found in said.get(name, [])}
    return table(heads, lines) + f"\nThe ids of all are {'the same' if len(sums) == 1 else 'NOT the same'}.\n"


def nanogpt(said):
    ours, peer = best(said.get("weft"), "seconds"), best(said.get("nanoGPT"), "seconds")
    updates = field(ours or peer, "updates")
    return table(["nanoGPT's recipe", "seconds", "last validation loss"], [
        [f"weft, {updates} updates", field(ours, "seconds"), field(ours, "val_loss")],
        [f"nanoGPT, {updates} updates", field(peer, "seconds"), field(peer, "val_loss")],
        ["ratio", times(ratio(field(peer, "seconds"), field(ours, "seconds"))), ""]])


TITLES = {
    "step": (step, "A training step", "Forward, loss, backward, clip to 1, AdamW; float32, no dropout, no bias. "
             "Ratios are the peer's time by ours."),
    "bfloat16": (bfloat16, "A training step in bfloat16", "The same step; ratios are the other's time by ours, MB the most "
                 "that was resident."),
    "generation": (generation, "Generation", "From a one-token prompt to a full context (gpt2: 256 tokens), sampled."),
    "attention": (attention, "Attention", "Causal, 6 heads of 64; extra memory is beyond inputs, outputs and "
                  "gradients."),
    "threads": (threads, "Threads", "The whole step."),
    "matmul": (matmul, "Products", "Every transposition of the shapes in bench_matmul, against the best core type of "
               "OpenBLAS for each."),
    "tokenizers": (tokenizers, "Tokenizers", "8,192 tokens learned from a folder of books in memory, and the books encoded "
                   "with those merges. Ratios are our rate by the peer's."),
    "nanogpt": (nanogpt, "From the command to the end", "`weft train` and nanoGPT's `train.py` with its recipe for a "
                "CPU on Tiny Shakespeare, evaluations and checkpoints included."),
}


def objects_in(said):
    if isinstance(said, dict):
        if "peak_gflops" in said and "benchmark" in said:
            yield said
        said = list(said.values())
    if isinstance(said, list):
        for part in said:
            yield from objects_in(part)


def shell(*command, cwd=None):
    try:
        return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def kind_of_processor():
    """What it is tuned and compared as, and how it names itself."""
    info = Path("/proc/cpuinfo").read_text()

    def read(key):
        found = re.search(rf"^{key}\s*:\s*(.*)$", info, re.M)
        return found.group(1) if found else ""

    vendor, family, model = read("vendor_id"), *(int(read(key) or 0) for key in ("cpu family", "model"))
    flags = set(read("flags").split())
    level = "AVX-512" if "avx512f" in flags else "AVX2" if {"avx2", "fma"} <= flags else "neither AVX2 nor AVX-512"
    kind = f"{vendor or 'A processor'}, family {family}, model {model}"
    if vendor == "AuthenticAMD" and family in (25, 26):
        # Family 25 is Zen 3 and Zen 4, which has AVX-512.
        kind = "AMD Zen 5" if family == 26 else "AMD Zen 4" if "avx512f" in flags else "AMD Zen 3"
    elif vendor == "GenuineIntel" and family == 6 and model in (143, 207):
        kind = "Intel Sapphire Rapids" if model == 143 else "Intel Emerald Rapids"
    return kind, f"{read('model name') or 'an unnamed processor'}, {level}"


def commit_of(root):
    commit = shell("git", "rev-parse", "--short", "HEAD", cwd=root) or "of no commit"
    besides = ["--", ".", ":(exclude)bench/RESULTS.md"]  # which is written while it is measured
    return commit + (" with changes" if shell("git", "status", "--porcelain", "--untracked-files=no", *besides, cwd=root) else "")


def machine(build, options, versions, commit, said):
    """Lines about the machine and the versions."""
    lines = [f"{kind_of_processor()[1]}, {counted(options.threads, 'thread')}"]
    found = list(objects_in(said))
    for count in sorted({one["threads"] for one in found}):
        peak, reading = (max(one[key] for one in found if one["threads"] == count)
                         for key in ("peak_gflops", "read_gb_per_second"))
        lines.append(f"{counted(count, 'thread')}: {peak:.0f} GFLOP/s of multiply-adds and {reading:.1f} GB/s read "
                     "from memory at the most; fractions are of what their own run measured")
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.M)
    compiler = compiler and (shell(compiler.group(1), "--version").splitlines() or [""])[0]
    lines.append(f"weft {commit}, {compiler or 'an unknown compiler'}")
    versions |= {"OpenBLAS": one["openblas"].split()[1] for one in found if "openblas" in one}
    lines.append(", ".join(f"{what} {version}" for what, version in versions.items()) or "no peers")
    hint = ", quick: no figures to go by" if options.quick else ""
    lines.append(f"the best of {counted(options.rounds, 'round')}, all sides in turn{hint}")
    return lines


HEAD = """# weft beside its peers

Written by `bench/compare`, a section for each kind of processor that it was run on; run it again for figures of another.
"""


def section(kind, machine_lines, said, older, remarks):
    parts = [f"## {kind}\n", "".join(f"- {line}\n" for line in machine_lines)]
    for name, (tables, title, text) in TITLES.items():
        if said.get(name):
            of = f" Of weft {older[name]}." if name in older else ""
            parts.append(f"### {title}\n\n{text}{of}\n\n{tables(said[name])}")
    if remarks:
        parts.append("### Not measured\n\n" + "".join(f"- {remark}\n" for remark in remarks))
    return "\n".join(parts)


def page(before, kind, *about):
    """The page `before` with this kind's section in the place of its old one, or at the end."""
    sections = dict(re.findall(r"^## (.*)\n((?:(?!## ).*\n?)*)", before, re.M))
    sections = {name: f"## {name}\n{text.rstrip()}\n" for name, text in sections.items()}
    sections[kind] = section(kind, *about)
    return "\n".join([HEAD, *sections.values()])
