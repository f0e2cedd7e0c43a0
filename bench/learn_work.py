"""What the rows of bench/learn share: commands that are run and remembered, training for a given time, the peers."""
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
PACKAGES = {"torch": "torch", "sklearn": "scikit-learn", "sacrebleu": "sacrebleu", "pyppmd": "pyppmd",
            "numpy": "numpy"}


class Missing(Exception):
    """What a row needs and does not have; the others go on."""


class Failed(Exception):
    """A command that did not end as it should."""


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def machine(threads):
    return f"{processor()}, {threads} threads"


class Work:
    """The measurement of one peer of one row for one seed. Runs lie in `folder`; `commands` are for the page."""

    def __init__(self, options, row, seed):
        self.options, self.row, self.seed = options, row, seed
        self.folder = options.runs / f"{row}-{seed}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.commands = []
        self.environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads),
                                PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1")

    def seconds_of(self, minutes):
        return 60 * minutes * self.options.minutes_scale

    def data(self, *names):
        """Files of the folder of data sets, a comma between them as weft takes them."""
        paths = [self.options.data / name for name in names]
        for path in paths:
            if not path.exists():
                raise Missing(f"there is no {path}; --data names the folder of data sets")
        return ",".join(map(str, paths))

    def remember(self, command):
        """A command as somebody would type it, who stands in the folder of the data sets."""
        words = [word.replace(f"{self.options.data}/", "").replace(f"{self.folder}/", "").replace(f"{ROOT}/", "")
                 for word in map(str, command)]
        words[0] = Path(words[0]).name
        self.commands.append(shlex.join(words))

    def run(self, command, text=None, told=True):
        """The standard output of a command that must succeed, given `text`."""
        command = [str(word) for word in command]
        if told:
            self.remember(command)
        ran = subprocess.run(command, cwd=ROOT, env=self.environment, input=text, capture_output=True)
        if ran.returncode != 0:
            raise Failed(f"{shlex.join(command)}: exit code {ran.returncode}: {ran.stderr.decode()[-2000:]}")
        return ran.stdout

    def weft(self, *arguments, text=None, told=True):
        return self.run([self.options.weft, *arguments, "--threads", self.options.threads], text, told)

    def eval(self, run, *arguments):
        return json.loads(self.weft("eval", run, "--json", *arguments))

    def train_command(self, run, arguments):
        return [self.options.weft, "train", "--threads", self.options.threads, "--out", run, "--overwrite", *arguments]

    def weft_train(self, name, *arguments):
        """A run with all of its updates: its folder and the seconds that the command took."""
        run = self.folder / name
        start = time.monotonic()
        self.run(self.train_command(run, [*arguments, "--set", f"seed={self.seed}"]))
        return run, time.monotonic() - start

    def until(self, command, seconds, begun=lambda: True):
        """Runs weft train and asks it to stop `seconds` after it has begun; whether it had to be asked, and the seconds
        of all. What is not begun in ten minutes is stopped too."""
        start = time.monotonic()
        with (self.folder / "log").open("w") as log:
            process = subprocess.Popen([str(word) for word in command], cwd=ROOT, env=self.environment, stdout=log,
                                       stderr=subprocess.STDOUT)
            try:
                while process.poll() is None and not begun() and time.monotonic() - start < 600:
                    time.sleep(0.1)
                code = process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
                code = process.wait()
            finally:
                # An interrupt of this program.
                if process.poll() is None:
                    process.terminate()
        if code not in (0, 143):
            said = (self.folder / "log").read_text()[-2000:]
            raise Failed(f"{shlex.join(map(str, command))}: exit code {code}: {said}")
        return code == 143, time.monotonic() - start

    def rate(self, arguments, seconds):
        """Of a run that is thrown away: seconds before its updates and after, and seconds of an update."""
        run = self.folder / "rate"
        shutil.rmtree(run, ignore_errors=True)

        def updates():
            metrics = run / "metrics.jsonl"
            lines = metrics.read_text().split("\n")[:-1] if metrics.exists() else []
            return [line for line in map(json.loads, lines) if "seconds" in line]

        _, whole = self.until(self.train_command(run, [*arguments, "--set", "max_iters=10000000", "warmup_iters=100",
                                                       "eval_interval=10000000", "log_interval=1"]),
                              seconds, begun=lambda: len(updates()) > 1)
        lines = updates()
        shutil.rmtree(run)
        if len(lines) < 2:
            raise Failed(f"no two updates in {whole:.0f} s of training")
        # The first updates are slower: memory is taken then, and files are read.
        first, last = lines[len(lines) // 4 if len(lines) > 8 else 0], lines[-1]
        return max(0.0, whole - last["seconds"]), (last["seconds"] - first["seconds"]) / (last["step"] - first["step"])

    def train_for(self, name, minutes, recipe, *arguments):
        """A run whose schedule fits into so many minutes by the wall clock, whatever the machine: the updates follow from
        a rate measured before, which is not counted. Of the recipe `warmup` is a share of the updates, `evaluations` how
        many there are, `most` the most updates, whatever time is left. Its folder, the seconds, the updates, and whether time was up before the last of them."""
        seconds = self.seconds_of(minutes)
        recipe = dict(recipe, seed=self.seed)
        warmup, evaluations, most = recipe.pop("warmup", 0.05), recipe.pop("evaluations", 5), recipe.pop("most", None)
        fixed = [*arguments, "--set", *(f"{key}={value}" for key, value in recipe.items())]
        around, update = self.rate(fixed, min(30.0, max(5.0, seconds / 10)))
        # The rate of one run has moved by a fifth for minutes.
        updates = max(10, int(0.85 * (seconds - around) / update))
        updates = min(updates, most or updates)
        run = self.folder / name
        command = self.train_command(run, [*fixed, f"max_iters={updates}", f"warmup_iters={max(1, int(warmup * updates))}",
                                           f"eval_interval={max(1, updates // evaluations)}"])
        self.remember(command)
        stopped, took = self.until(command, seconds)
        return run, took, updates, stopped

    def peer(self, program, *arguments, needs, text=None):
        """The JSON that a program of bench/peers prints, under the interpreter of the peers."""
        python = self.options.python
        imports = "import " + ", ".join(needs)
        try:
            found = python and subprocess.run([python, "-c", imports], capture_output=True).returncode == 0
        except OSError:
            found = False
        if not found:
            packages = " ".join(PACKAGES[name] for name in needs)
            raise Missing(f"no Python with {packages}: make a virtual environment outside the project "
                          f"(python3 -m venv DIR && DIR/bin/pip install {packages}) and name it with "
                          "--python DIR/bin/python or WEFT_PEERS_PYTHON")
        return json.loads(self.run([python, PEERS / program, *arguments], text))
