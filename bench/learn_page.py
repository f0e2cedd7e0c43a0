"""bench/LEARNED.md, from the results of bench/learn."""
import re
import statistics

INTRODUCTION = """# What each model learns

Made by `bench/learn`. A figure is the mean over seeds, with its standard deviation, the least and the most; seconds are by
the wall clock. Test files are read once, at the end. A row says with what, when and where it was measured; those that say
nothing of it are of an earlier page, and measured on 2 cores (AMD EPYC) with seeds 1, 2 and 3.
"""


def number(value):
    """Four places of shares and losses, two of scores of a hundred, none of thousands and of whole numbers."""
    places = 0 if abs(value) >= 1000 or value == int(value) else 2 if abs(value) >= 10 else 4
    return f"{value:,.{places}f}"


def rows_of(entries, peer, several):
    names = dict.fromkeys(name for entry in entries for name in entry["figures"])
    for name in names:
        values = [entry["figures"][name] for entry in entries if name in entry["figures"]]
        spread = number(statistics.stdev(values)) if len(values) > 1 else "-"
        what = f"{peer}: {name}" if several else name
        cells = [what, number(statistics.fmean(values)), spread, number(min(values)), number(max(values)), len(values)]
        yield "| " + " | ".join(map(str, cells)) + " |"


def provenance(peer, by_seed):
    """What a peer was measured with, once for all seeds where it is the same."""
    lines = {}
    for seed, entry in by_seed.items():
        lines.setdefault((entry["date"], entry["weft"], entry["machine"]), []).append(seed)
    for (date, weft, machine), seeds in lines.items():
        of = "" if seeds == ["0"] else f", seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}"
        yield f"- {peer}{of}: {date}, weft {weft}, {machine}"


def section(row, peers):
    lines = [f"## {row}", "", "| what | mean | deviation | least | most | seeds |", "|---|---:|---:|---:|---:|---:|"]
    for peer, by_seed in peers.items():
        lines += rows_of(list(by_seed.values()), peer, len(peers) > 1 or peer != "weft")
    lines.append("")
    for peer, by_seed in peers.items():
        lines += provenance(peer, by_seed)
    commands = [command for by_seed in peers.values() for command in next(iter(by_seed.values()))["commands"]]
    if commands:
        lines += ["", "Commands of the first seed, in the folder of the data sets:", ""]
        lines += [f"    {command}" for command in commands]
    return "\n".join([*lines, ""])


def sections_of(page):
    """The sections of an earlier page, by row."""
    parts = re.split(r"^## (.+)$", page, flags=re.M)
    return {name: f"## {name}{text}".rstrip() + "\n" for name, text in zip(parts[1::2], parts[2::2])}


def page(rows, found, before, remarks):
    """Sections of what was found; of rows of which nothing was, those of the page before."""
    earlier = sections_of(before)
    kept = [section(row, found[row]) if row in found else earlier[row] for row in rows if row in found or row in earlier]
    missing = ["## Not measured", "", *(f"- {remark.splitlines()[0]}" for remark in remarks), ""] if remarks else []
    return "\n".join([INTRODUCTION, *kept, *missing])
