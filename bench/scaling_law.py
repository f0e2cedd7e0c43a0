"""The law of bench/scaling: its fit to measured losses, its error, and the page that tells of them."""
import math

LAW_GROUPS = ("law",)


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
        """`points`: (parameters, bytes, bits a byte). The exponents by search, the rest by least squares."""
        def at(a, b):
            rows = [[1.0, (n / 1e6)**-a, (d / 1e6)**-b] for n, d, _ in points]
            found = solve(rows, [loss for *_, loss in points])
            error = sum((sum(x * y for x, y in zip(row, found)) - loss)**2 for row, (*_, loss) in zip(rows, points))
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


def page(found, machine):
    return "# Scaling\n"
