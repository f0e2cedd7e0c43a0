"""The law of bench/scaling: its fit to measured losses, its error, and the page that tells of them."""
import math

LAW_GROUPS = ("law", "long runs")


def solve(rows, values):
    """Least squares by normal equations: the x for which rows x is nearest to values."""
    size = len(rows[0])
    matrix = [[sum(row[i] * row[j] for row in rows) for j in range(size)] + [sum(row[i] * v for row, v in zip(rows, values))]
              for i in range(size)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(matrix[k][i]))
        matrix[i], matrix[pivot] = matrix[pivot], matrix[i]
        for k in range(size):
            if k != i:
                factor = matrix[k][i] / matrix[i][i]
                matrix[k] = [a - factor * b for a, b in zip(matrix[k], matrix[i])]
    return [matrix[i][size] / matrix[i][i] for i in range(size)]


class Law:
    """bits a byte = E + A / N^a + B / D^b, of N parameters that each token is multiplied with and D bytes of text
    (Hoffmann et al. 2022, equation 2, in bytes instead of tokens)."""

    def __init__(self, E, A, a, B, b):
        self.E, self.A, self.a, self.B, self.b = E, A, a, B, b

    def loss(self, parameters, text):
        return self.E + self.A / (parameters / 1e6)**self.a + self.B / (text / 1e6)**self.b

    @staticmethod
    def fit(points):
        """`points`: (parameters, bytes, bits a byte). The exponents by search, the rest by least squares, in which the square
        of an error weighs as the operations of its run: the law is asked of runs that are longer than most of these."""
        weights = [(n * d)**0.5 for n, d, _ in points]
        values = [w * loss for w, (*_, loss) in zip(weights, points)]

        def at(a, b):
            rows = [[w, w * (n / 1e6)**-a, w * (d / 1e6)**-b] for w, (n, d, _) in zip(weights, points)]
            found = solve(rows, values)
            error = sum((sum(x * y for x, y in zip(row, found)) - value)**2 for row, value in zip(rows, values))
            return (error if min(found) > 0 else math.inf), found

        best, span = (0.4, 0.4), 0.35
        for _ in range(8):
            grid = [(best[0] + span * i / 5, best[1] + span * j / 5) for i in range(-5, 6) for j in range(-5, 6)]
            best = min((ab for ab in grid if min(ab) > 0.02), key=lambda ab: at(*ab)[0])
            span /= 2.5
        E, A, B = at(*best)[1]
        return Law(E, A, best[0], B, best[1])


def multiplied(recipe):
    """Parameters that each token is multiplied with: blocks and the output layer."""
    return 12 * recipe["n_layer"] * recipe["n_embd"]**2 + recipe["vocab_size"] * recipe["n_embd"]


def text_of(one):
    recipe = one["recipe"]
    return recipe["max_iters"] * recipe["batch_size"] * recipe["block_size"] * one["bytes_per_token"]


def points_of(found, groups=LAW_GROUPS):
    return [(multiplied(one["recipe"]), text_of(one), one["bits_per_byte"]) for one in found if one["group"] in groups]


def operations(one):
    recipe = one["recipe"]
    return 6 * multiplied(recipe) * recipe["max_iters"] * recipe["batch_size"] * recipe["block_size"]


def errors(law, points):
    """Root of the mean square, and the largest, in bits a byte."""
    off = [abs(law.loss(n, d) - loss) for n, d, loss in points]
    return math.sqrt(sum(x * x for x in off) / len(off)), max(off)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows] + [""]


def of_group(found, group):
    return [one for one in found if one["group"] == group]


def law_lines(found):
    runs = sorted((one for one in found if one["group"] in LAW_GROUPS), key=operations)
    if len(runs) < 8:
        return ["Too few points for a law.", ""]
    points = points_of(runs)
    law = Law.fit(points)
    half = points[len(points) // 2:]
    lines = [f"    bits a byte = {law.E:.4f} + {law.A:.4f} / N^{law.a:.4f} + {law.B:.4f} / D^{law.b:.4f}", "",
             "N: millions of parameters that a token is multiplied with (12 layers x width^2 + vocabulary x width); D: millions of "
             "bytes read.", "",
             f"Of these {len(points)} runs it is off by {errors(law, points)[0]:.4f} (root of the mean square), at most "
             f"{errors(law, points)[1]:.4f}; of the {len(half)} of the most operations, by which it is fitted above all, by "
             f"{errors(law, half)[0]:.4f}, at most {errors(law, half)[1]:.4f}.", ""]
    rows = [[f"{one['recipe']['n_layer']} x {one['recipe']['n_embd']}", f"{n / 1e6:.3f}", one["recipe"]["max_iters"],
             f"{d / 1e6:.2f}", f"{operations(one):.1e}", f"{loss:.4f}", f"{law.loss(n, d):.4f}"]
            for one, (n, d, loss) in zip(runs, points)]
    notes = [f"{one['recipe']['n_layer']} x {one['recipe']['n_embd']}, {one['recipe']['max_iters']} updates: after {one['from']}."
             for one in runs if "from" in one]
    return lines + table(["layers x width", "N", "updates", "D", "operations", "bits a byte", "law"], rows) + notes + [""]


def changed(one, base):
    return ", ".join(f"{key} {value}" for key, value in one["recipe"].items() if base.get(key) != value)


def group_lines(found, group, keys):
    runs = of_group(found, group)
    if not runs:
        return []
    rows = [[*[one["recipe"].get(key, "-") for key in keys], f"{one['bits_per_byte']:.4f}", f"{one['training_loss']:.3f}"]
            for one in runs]
    return [f"## {group.capitalize()}", ""] + table([*keys, "bits a byte", "training loss"], rows)


def page(found, machine):
    lines = ["# Scaling", "",
             "What small decoders (`--model best`) come to on books, by size, text and settings: made by `bench/scaling`. 29 books "
             "train, parts of three by other authors validate. `weft train --minutes` goes by it (train/scaling_law.h, "
             "train/time_budget.h).", "", f"Machine: {machine}.", "", "## The law", ""]
    lines += law_lines(found)
    size = ["n_layer", "n_embd", "max_iters"]
    for group, keys in {"learning rates": [*size, "learning_rate"], "batches": [*size, "batch_size", "learning_rate"],
                        "vocabularies": [*size, "vocab_size"], "contexts": [*size, "block_size", "batch_size"],
                        "shapes": [*size, "n_head"], "repeats": [*size, "bytes"]}.items():
        lines += group_lines(found, group, keys)
    return "\n".join(lines)
