"""HNSW: Nearline.Model's graph index against hnswlib with the same links and construction breadth, and against our exact one.

The data are rows in clusters of unequal sizes, normally distributed around their centres, norms spread as given; queries
are drawn from the same and are none of the rows. What is best is told by our exact index. For each recall both sides take
the smallest breadth (ef) that reaches it, found by halving, and are then timed at it in turns. hnswlib is compiled here with -O3
-march=native; it searches by inner product, and by distance between points of a sphere with one more coordinate, where
the nearest has the highest inner product ("lifted"): the faster one at a recall is the peer. Memory is what a process
holds that is no file's, after building less before.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

from harness import OURS, Side, median_and_spread, write

HERE = pathlib.Path(__file__).parent


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh hnsw", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--smaller", type=int, nargs="*", default=[100_000, 300_000], help="sizes at which ours is measured alone")
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--norms", type=float, nargs="+", default=[0.2, 0.0], help="spreads of the logarithm of norms, a case each")
    parser.add_argument("--links", type=int, default=16)
    parser.add_argument("--construction", type=int, default=200)
    parser.add_argument("--spaces", nargs="+", default=["ip", "lifted"], choices=["ip", "lifted"])
    parser.add_argument("--recalls", type=float, nargs="+", default=[0.95, 0.99])
    parser.add_argument("--masks", type=float, nargs="*", default=[0.5, 0.1, 0.01], help="shares of the rows that masks allow")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--broadest", type=int, default=8192, help="the largest breadth tried")
    return parser.parse_args()


def compile_peer(directory):
    if not pathlib.Path("/usr/include/hnswlib/hnswlib.h").exists():
        print("hnsw: installing libhnswlib-dev", flush=True)
        if subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "libhnswlib-dev"], capture_output=True).returncode:
            raise SystemExit("hnsw: this Debian package is needed: libhnswlib-dev")
    peer = directory / "peer"
    subprocess.run(["g++", "-O3", "-march=native", "-pthread", "-w", "-o", peer, HERE / "peer.cpp"], check=True)
    return peer


def make(directory, options, rows, norms):
    import numpy as np
    random = np.random.default_rng(1)
    clusters = max(1, rows // 150)
    centres = random.standard_normal((clusters, options.dimension), dtype=np.float32)
    sizes = random.pareto(1.5, clusters) + 0.2

    def draw(count, name):
        with open(directory / name, "wb") as file:
            for start in range(0, count, 100_000):
                size = min(100_000, count - start)
                values = 0.7 * centres[random.choice(clusters, size, p=sizes / sizes.sum())]
                values += 0.7 * random.standard_normal((size, options.dimension), dtype=np.float32)
                if norms == 0:
                    values /= np.linalg.norm(values, axis=1, keepdims=True)
                else:
                    values *= np.exp(norms * random.standard_normal((size, 1), dtype=np.float32)) / np.sqrt(options.dimension)
                values.astype(np.float32).tofile(file)

    directory.mkdir()
    draw(rows, "rows.f32")
    draw(options.queries, "queries.f32")


class Case:
    """Some data, the sides that search them, and what is best in them."""

    def __init__(self, directory, options, rows, norms, peer):
        self.directory, self.options = directory, options
        self.name = f"{rows:,} x {options.dimension}, top {options.limit}, {options.threads} threads"
        self.name += f", norms spread by {norms:g}" if norms else ", norms equal"
        print(f"{self.name}: making the data", flush=True)
        make(directory, options, rows, norms)
        shape = [options.dimension, options.limit, options.links, options.construction, options.threads]
        self.sides = {}
        self._start("ours", ["dotnet", OURS, "hnsw", "--case", directory, "--dimension", shape[0], "--limit", shape[1],
                             "--links", shape[2], "--construction", shape[3], "--threads", shape[4]])
        # Where norms are equal the spaces are one.
        for space in options.spaces[:None if norms else 1] if peer else []:
            self._start(space, [peer, directory, space, *shape])
        self.exact = self._rate("ours", "exact")
        self.best = self._found()
        self.recalls = {}
        print(f"exact: {self.exact:.0f} queries/s", flush=True)

    def close(self):
        for side in self.sides.values():
            side.close()
        for file in self.directory.iterdir():
            file.unlink()

    def recall(self, side, breadth, question="round {}", best=None):
        key = side, breadth, question
        if key not in self.recalls:
            self._rate(side, question.format(breadth))
            self.recalls[key] = self.share_of(self.best if best is None else best)
            print(f"{side}: breadth {breadth}: recall {self.recalls[key]:.4f}", flush=True)
        return self.recalls[key]

    def share_of(self, best):
        """The share of the best rows that are among those found last."""
        import numpy as np
        found = self._found()
        return float(np.mean([len(np.intersect1d(f, b[b >= 0])) / max(1, (b >= 0).sum()) for f, b in zip(found, best)]))

    def breadth(self, side, wanted):
        """The smallest breadth that reaches a recall, to a fiftieth, or the broadest."""
        least = high = self.options.limit
        while self.recall(side, high) < wanted:
            if high == self.options.broadest:
                return high
            least, high = high + 1, min(2 * high, self.options.broadest)
        while high - least > high / 50:
            middle = (least + high) // 2
            least, high = (least, middle) if self.recall(side, middle) >= wanted else (middle + 1, high)
        return high

    def rates(self, questions):
        """Queries/s of each side and question, all in turns."""
        rates = {question: [] for question in questions}
        for number in range(self.options.rounds + 1):
            for side, question in questions:
                rate = self._rate(side, question)
                if number > 0:  # the first warms up
                    rates[side, question].append(rate)
                    print(f"round {number}: {side}: {question}: {rate:.0f} queries/s", flush=True)
        return {question: median_and_spread(values) for question, values in rates.items()}

    def best_masked(self, share):
        self._rate("ours", f"masked-exact {share}")
        return self._found()

    def _start(self, name, command):
        self.sides[name] = Side(command, {})
        about = self.sides[name].greeting
        print(f"{name}: built in {about['build_seconds']:.1f} s, {about['anonymous_bytes'] / 1e6:.0f} MB", flush=True)

    def _rate(self, side, question):
        answer = self.sides[side].ask(question)
        return answer["queries"] / answer["seconds"]

    def _found(self):
        import numpy as np
        return np.fromfile(self.directory / "found.i32", np.int32).reshape(-1, self.options.limit)


def lines(case, options):
    def line(what, unit, peer, ours, theirs, ratio, **more):
        return {"bench": "hnsw", "case": f"{case.name}, {what}", "peer": peer, "unit": unit, "ours": ours, "peer_value": theirs,
                "ratio": round(ratio, 3), **more}

    about = {name: side.greeting for name, side in case.sides.items()}
    peers = [name for name in case.sides if name != "ours"]
    breadths = {(side, recall): case.breadth(side, recall) for side in case.sides for recall in options.recalls}
    timed = sorted({(side, f"round {breadth}") for (side, _), breadth in breadths.items()})
    rates = case.rates([*timed, ("ours", "exact")])
    for recall in options.recalls:
        breadth = breadths["ours", recall]
        reached = case.recall("ours", breadth)
        rate, spread = rates["ours", f"round {breadth}"]
        if peers:
            # The fastest of those that reach it, else the one that comes nearest, which its line says.
            nearest = {side: min(recall, case.recall(side, breadths[side, recall])) for side in peers}
            side = max(peers, key=lambda p: (nearest[p], rates[p, f"round {breadths[p, recall]}"]))
            other, other_spread = rates[side, f"round {breadths[side, recall]}"]
            misses = "" if nearest[side] == recall else f", which reaches {nearest[side]:.3f}"
            yield line(f"recall {recall:g}", "queries/s", about[side]["version"] + misses, round(rate), round(other), rate / other,
                       breadth=[breadth, breadths[side, recall]], recall=[round(reached, 4), round(case.recall(side, breadths[side, recall]), 4)],
                       spread=[round(spread, 2), round(other_spread, 2)])
        exact, exact_spread = rates["ours", "exact"]
        yield line(f"recall {recall:g}", "queries/s", "our exact index", round(rate), round(exact), rate / exact,
                   breadth=breadth, recall=round(reached, 4), spread=[round(spread, 2), round(exact_spread, 2)])
    for side in peers:
        ours, theirs = about["ours"], about[side]
        yield line("build", "seconds", theirs["version"], round(ours["build_seconds"], 1), round(theirs["build_seconds"], 1),
                   theirs["build_seconds"] / ours["build_seconds"])
        yield line("memory", "bytes an item", theirs["version"], round(ours["anonymous_bytes"] / ours["count"], 1),
                   round(theirs["anonymous_bytes"] / ours["count"], 1), ours["anonymous_bytes"] / theirs["anonymous_bytes"],
                   by_own_count=round(ours["memory_bytes"] / ours["count"], 1))
    breadth = breadths["ours", options.recalls[0]]
    for share in options.masks:
        best = case.best_masked(share)
        recall = case.recall("ours", breadth, f"masked {{}} {share}", best)
        pair = ("ours", f"masked {breadth} {share}"), ("ours", f"masked-exact {share}")
        (rate, spread), (exact, exact_spread) = case.rates(pair).values()
        yield line(f"{100 * share:g} % mask, breadth {breadth}", "queries/s", "our exact index", round(rate), round(exact), rate / exact,
                   recall=round(recall, 4), spread=[round(spread, 2), round(exact_spread, 2)])
    built = rates["ours", f"round {breadth}"][0]
    saved = case.sides["ours"].ask("reopen")
    mapped, spread = case.rates([("ours", f"round {breadth}")])["ours", f"round {breadth}"]
    yield line("mapped file", "queries/s", "as built", round(mapped), round(built), mapped / built, spread=round(spread, 2),
               **{key: round(saved[key], 2) for key in ("save_seconds", "open_seconds")})


def main():
    options = arguments()
    every = []
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        peer = compile_peer(directory)
        for rows in [*options.smaller, options.rows]:
            for norms in options.norms if rows == options.rows else options.norms[:1]:
                case = Case(directory / f"{rows}-{norms}", options, rows, norms, peer if rows == options.rows else None)
                every += lines(case, options)
                case.close()
    write("hnsw", every)


main()
