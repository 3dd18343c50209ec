"""The user tower, users a second: ours, packed, against torch eager on the same weights and users, padded as usual.

Both first prove that they compute the same queries. Ours is timed from encoded features (layout and tensors included)
and from users' histories; the peer from padded tensors that are ready.
"""
import argparse
import pathlib
import sys
import tempfile

from harness import OURS, Side, median_and_spread, write

HERE = pathlib.Path(__file__).parent


# What rounding of float32 and of bfloat16 leaves of a query, as a share of the largest number in any.
TOLERANCE = {"Float32": 1e-4, "BFloat16": 5e-2}


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh tower", description=__doc__)
    parser.add_argument("--config", default="m5-paper")
    parser.add_argument("--shows", type=int, default=2000)
    parser.add_argument("--users", type=int, default=512)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 16, 64, 256])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--precisions", nargs="+", default=list(TOLERANCE), choices=list(TOLERANCE))
    return parser.parse_args()


def run(threads, precision, options):
    # The product sleeps while threads wait and picks its matrix kernels; the peer gets the same of both.
    environment = {"OMP_WAIT_POLICY": "PASSIVE"}
    if "avx512bw" in pathlib.Path("/proc/cpuinfo").read_text():
        environment["OPENBLAS_CORETYPE"] = "SKYLAKEX"
    with tempfile.TemporaryDirectory() as directory:
        ours = Side(["dotnet", OURS, "tower", "--config", options.config, "--shows", options.shows, "--users", options.users,
                     "--threads", threads, "--precision", precision, "--device", options.device,
                     "--out", directory], environment)
        peer = Side([sys.executable, HERE / "tower_peer.py", directory, options.device], environment)
    about = ours.greeting
    difference = peer.ask("check")["difference"]
    print(f"{threads} threads, {precision}: {about['users']} users, {about['scenarios']} scenarios, {about['behaviours'] / about['users']:.1f} behaviours a user in "
          f"{about['sequences'] / about['users']:.1f} sequences, {about['longest']} at most; queries differ by {difference:.1e} of the largest", flush=True)
    if not difference < TOLERANCE[precision]:
        raise SystemExit(f"queries differ by {difference:.1e}; the two do not compute the same")
    lines = []
    for batch in options.batches:
        rates = {name: [] for name in ("encoded", "histories", "peer")}
        for number in range(options.rounds + 1):
            for name in rates:
                measured = peer.ask(f"round {batch}") if name == "peer" else ours.ask(f"{name} {batch}")
                if number > 0:  # the first warms up
                    rates[name].append(measured["users"] / measured["seconds"])
            if number == 1:
                allocated = ours.ask(f"histories {batch}")["allocated_per_user"]
        middle = {name: median_and_spread(values) for name, values in rates.items()}
        lines.append({
            "bench": "tower", "case": f"{options.config}, {about['scenarios']} scenarios, batch {batch}, {threads} thread{'s' if threads > 1 else ''}{'' if precision == 'Float32' else ', ours in bfloat16'}",
            "peer": f"torch {peer.greeting['torch']} eager, padded", "unit": "users/s",
            "ours": round(middle["encoded"][0], 1), "peer_value": round(middle["peer"][0], 1),
            "ratio": round(middle["encoded"][0] / middle["peer"][0], 2), "from_histories": round(middle["histories"][0], 1),
            "allocated_per_user": allocated, "spread": [round(middle[n][1], 2) for n in ("encoded", "peer")], "rounds": options.rounds,
            "queries_differ": float(f"{difference:.1e}")})
        print(lines[-1], flush=True)
    ours.close()
    peer.close()
    return lines


def main():
    options = arguments()
    write("tower", [line for precision in options.precisions for threads in options.threads for line in run(threads, precision, options)])


if __name__ == "__main__":
    main()
