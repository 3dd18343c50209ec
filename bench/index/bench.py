"""Exact search: Nearline.Model's index against torch (matrix product and topk) and faiss (IndexFlatIP), in fp32.

All three first prove that they find the same: equal scores to rounding, and equal rows but where scores differ by less.
Then they search in turns, equally many threads each. Items lie in clusters of unequal sizes, normally distributed around
their centres, norms spread by popularity; a query lies near the centres of a few clusters. There are two sets of data:
"even", where all directions have the same variance, which is the worst case of any bound, and "trained", where directions
have the spectrum and norms that were measured on the item matrix of M5, 12,101 x 256, trained on Amazon Beauty. A mask
allows a random part of the rows, each query of a batch its own.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

from harness import OURS, Side, median_and_spread, write

HERE = pathlib.Path(__file__).parent
# Of the item matrix of M5 on Beauty (Width=128): how much of the squared norms the first directions hold together.
SPECTRUM = {0: 0, 1: 0.084, 2: 0.116, 4: 0.170, 8: 0.247, 16: 0.357, 32: 0.499, 64: 0.667, 128: 0.874, 192: 0.962, 256: 1}
DATA = {"even": {"norms": 0.2}, "trained": {"norms": 0.06}}
MASKS = {"pool": "pool less watched", "own": "own"}
WATCHED = 30
PEERS = {"torch": "python3-torch", "faiss": "python3-faiss"}


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh index", description=__doc__)
    parser.add_argument("--count", type=int, default=70_000)
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--queries", type=int, default=256)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--mask", type=float, default=0.05, help="part of the rows that masks allow")
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cuda: exact-torch against torch, both there")
    return parser.parse_args()


def install():
    missing = [package for module, package in PEERS.items()
               if subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode]
    if missing:
        print(f"index: installing {' '.join(missing)}", flush=True)
        if subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *missing], capture_output=True).returncode:
            raise SystemExit(f"index: these Debian packages are needed: {' '.join(missing)}")


def directions(random, dimension):
    """[dimension, dimension]: gives normal vectors the measured spectrum, in directions that no column lies in."""
    import numpy as np
    place = np.arange(dimension + 1) * (256 / dimension)
    variance = np.diff(np.interp(place, list(SPECTRUM), list(SPECTRUM.values())))
    turned, _ = np.linalg.qr(random.standard_normal((dimension, dimension)))
    return (np.sqrt(variance * dimension)[:, None] * turned).astype(np.float32)


def make(directory, options, data):
    import numpy as np
    random = np.random.default_rng(1)
    clusters = max(1, options.count // 150)
    centres = random.standard_normal((clusters, options.dimension)).astype(np.float32)
    sizes = random.pareto(1.5, clusters) + 0.2
    of = random.choice(clusters, options.count, p=sizes / sizes.sum())
    rows = 0.7 * centres[of] + 0.7 * random.standard_normal((options.count, options.dimension)).astype(np.float32)
    rows *= np.exp(DATA[data]["norms"] * random.standard_normal((options.count, 1))).astype(np.float32) / np.sqrt(options.dimension)
    liked = random.integers(0, clusters, (options.queries, 5))
    queries = centres[liked].mean(1) + 0.3 * random.standard_normal((options.queries, options.dimension))
    if data == "trained":
        turned = directions(random, options.dimension)
        rows, queries = rows @ turned, queries @ turned
    own = random.random((options.queries, options.count)) < options.mask
    pool = np.tile(random.random(options.count) < options.mask, (options.queries, 1))
    for mask in pool:
        mask[random.choice(np.flatnonzero(mask), WATCHED)] = False
    rows.astype(np.float32).tofile(directory / "rows.f32")
    queries.astype(np.float32).tofile(directory / "queries.f32")
    own.astype(np.uint8).tofile(directory / "own.u8")
    pool.astype(np.uint8).tofile(directory / "pool.u8")


def differ(directory, one, other, limit):
    """The largest relative difference of scores, after rows were found to be equal but for scores closer than that."""
    import numpy as np
    read = lambda name, dtype: np.fromfile(directory / name, dtype).reshape(-1, limit)
    scores, peers = read(f"{one}.scores", np.float32), read(f"{other}.scores", np.float32)
    difference = float((np.abs(scores - peers) / np.abs(scores[:, :1])).max())
    for query, (rows, others) in enumerate(zip(read(f"{one}.rows", np.int32), read(f"{other}.rows", np.int32))):
        score = dict(zip(rows, scores[query])) | dict(zip(others, peers[query]))
        for row in set(rows) ^ set(others):
            if score[row] > scores[query, -1] + 2e-5 * abs(scores[query, 0]):
                raise SystemExit(f"index: query {query}: row {row} with {score[row]} is found by {one} or {other} alone")
    if not difference < 1e-5:
        raise SystemExit(f"index: scores of {one} and {other} differ by {difference:.1e}")
    return difference


def main():
    options = arguments()
    install()
    # Idle threads sleep: those that spin instead take the core that another of their own process needs, faiss at a third
    # of its speed.
    environment = {"OMP_WAIT_POLICY": "PASSIVE"}
    if "avx512bw" in pathlib.Path("/proc/cpuinfo").read_text():
        environment["OPENBLAS_CORETYPE"] = "SKYLAKEX"
    results = [line for data in options.data for line in measure(options, data, environment)]
    write("index", results)


def measure(options, data, environment):
    """The lines of one set of data."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        make(directory, options, data)
        sides = {"ours": Side(
            ["dotnet", OURS, "index", "--case", directory, "--dimension", options.dimension, "--limit", options.limit,
             "--threads", options.threads, "--backend", "exact-cpu" if options.device == "cpu" else "exact-torch",
             "--device", options.device], environment)}
        everyone = PEERS if options.device == "cpu" else ["torch"]
        for kind in everyone:
            sides[kind] = Side(
                [sys.executable, HERE / "peer.py", directory, kind, options.dimension, options.limit, options.threads, options.device],
                environment)
        about = sides["ours"].greeting
        differences = {}
        for batch in options.batches:
            for which, peers in (("all", everyone), *((kind, ("torch",)) for kind in MASKS)):
                for side in ("ours", *peers):
                    sides[side].ask(f"check {batch} {which}")
                differences[batch, which] = max(differ(directory, "ours", peer, options.limit) for peer in peers)
                print(f"{data} batch {batch} {which}: same rows as {' and '.join(peers)}, scores differ by {differences[batch, which]:.1e}", flush=True)

        rates = {}
        for number in range(options.rounds + 1):
            for batch in options.batches:
                for side, which in (("ours", "all"), *((kind, "all") for kind in everyone), *((side, kind) for kind in MASKS for side in ("ours", "torch"))):
                    measured = sides[side].ask(f"round {batch} {which}")
                    if number > 0:  # the first warms up
                        rates.setdefault((batch, side, which), []).append(1000 * measured["seconds"] / measured["queries"])
                        print(f"{data} round {number} batch {batch} {side} {which}: {rates[batch, side, which][-1]:.3f} ms a query, "
                              f"{1000 * measured['cpu_seconds'] / measured['queries']:.3f} of CPU", flush=True)
        versions = {kind: sides[kind].greeting["version"] for kind in everyone}
        for side in sides.values():
            side.close()
    return lines(options, data, about, versions, rates, differences)


def lines(options, data, about, versions, rates, differences):
    shape = f"{data}, {options.count:,} x {options.dimension}, top {options.limit}, " + (
        f"{options.threads} threads" if options.device == "cpu" else about["backend"])
    middle = {key: median_and_spread(values) for key, values in rates.items()}

    def line(case, peer, ours, theirs, **more):
        return {"bench": "index", "case": f"{shape}, {case}", "peer": peer, "unit": "ms a query",
                "ours": round(middle[ours][0], 4), "peer_value": round(middle[theirs][0], 4),
                "ratio": round(middle[theirs][0] / middle[ours][0], 2),
                "spread": [round(middle[key][1], 2) for key in (ours, theirs)], "rounds": options.rounds, **more}

    percent = f"{100 * options.mask:g} %"
    for batch in options.batches:
        for kind, version in versions.items():
            yield line(f"exact, batch {batch}", version, (batch, "ours", "all"), (batch, kind, "all"), kernel=about["kernel"],
                       scores_differ=float(f"{differences[batch, 'all']:.1e}"))
        for kind, name in MASKS.items():
            case = f"exact, batch {batch}, {percent} masks, {name}"
            yield line(case, "ours without a mask", (batch, "ours", kind), (batch, "ours", "all"))
            yield line(case, f"{versions['torch']} with them", (batch, "ours", kind), (batch, "torch", kind),
                       scores_differ=float(f"{differences[batch, kind]:.1e}"))
    plain = 4 * options.dimension
    for backend, size in about["bytes_an_item"].items():
        yield {"bench": "index", "case": f"{data}, {options.count:,} x {options.dimension}, {backend}", "peer": "plain fp32 matrix", "unit": "bytes an item",
               "ours": round(size, 1), "peer_value": plain, "ratio": round(plain / size, 3)}


if __name__ == "__main__":
    main()
