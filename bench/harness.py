"""What benchmarks share: processes that take turns, and the file of results."""
import datetime
import json
import os
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = ROOT / "artifacts/bin/Nearline.Bench/release/nearline-bench.dll"


class Side:
    """A process that answers each line on its input with a line of JSON."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(
            [str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **environment})
        self.greeting = self._answer()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.process.args))}: ended with {self.process.wait()}")
        return json.loads(line)


def median_and_spread(values):
    """The median, and half the range as a share of it."""
    middle = statistics.median(values)
    return middle, (max(values) - min(values)) / 2 / middle


def write(name, lines, **more):
    """Prints the lines and keeps them in bench/results/NAME.json, with more about the machine where there is more to say."""
    git = lambda *a: subprocess.run(["git", *a], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    commit = git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    results = ROOT / "bench/results"
    results.mkdir(exist_ok=True)
    about = {
        "commit": commit,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cores": os.cpu_count(),
        **more,
    }
    text = ",\n    ".join(json.dumps(line) for line in lines)
    head = json.dumps(about)[1:-1]
    (results / f"{name}.json").write_text("{" + f"{head},\n  \"lines\": [\n    {text}\n  ]\n" + "}\n")
    for line in lines:
        print(json.dumps(line), flush=True)
