"""Swaps under load: queries come at a fixed rate while an index of the same size is built and swapped every few seconds.

Rounds with and without swaps take turns in one process. A batch's latency counts from when it was due, so that waiting
behind another shows. Every result must be that of the index that the batch was given, bit for bit; one that is not, or
a query that fails, ends the benchmark.
"""
import argparse

from harness import OURS, Side, median_and_spread, write


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh swap", description=__doc__)
    parser.add_argument("--count", type=int, default=70_000)
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=int, default=2000, help="queries a second")
    parser.add_argument("--every", type=float, default=2, help="seconds between swaps, the building apart")
    parser.add_argument("--seconds", type=float, default=15, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def main():
    options = arguments()
    ours = Side(["dotnet", OURS, "swap"] + [
        part for name in ("count", "dimension", "limit", "batch", "rate", "every") for part in (f"--{name}", getattr(options, name))], {})
    print(f"serving {ours.greeting['info']}", flush=True)
    found = {"with": [], "without": []}
    for number in range(options.rounds + 1):
        for which, rounds in found.items():
            measured = ours.ask(f"{which} {options.seconds if number else 3}")
            if measured["failed"] or measured["wrong"]:
                raise SystemExit(f"swap: {measured['failed']} batches failed, {measured['wrong']} are of no one index")
            if number > 0:  # the first warms up
                rounds.append(measured)
                print(f"round {number} {which} swaps: {measured['batches']} batches, {measured['swaps']} swaps, "
                      f"p50 {measured['p50']:.2f} ms, p99 {measured['p99']:.2f}, max {measured['max']:.2f}, {measured['gc_pause']:.0f} ms in collections", flush=True)
    ours.close()
    write("swap", [line(options, ours.greeting, found, at) for at in ("p50", "p99")])


def line(options, about, found, at):
    middle = {which: median_and_spread([r[at] for r in rounds]) for which, rounds in found.items()}
    return {"bench": "swap", "case": f"{options.count:,} x {options.dimension}, top {options.limit}, {about['backend']}, "
                                     f"{options.rate:,} queries/s in batches of {options.batch}, a swap every {options.every:g} s",
            "peer": "without swaps", "unit": f"ms, {at}", "ours": round(middle["with"][0], 3), "peer_value": round(middle["without"][0], 3),
            "ratio": round(middle["without"][0] / middle["with"][0], 3), "spread": [round(middle[which][1], 2) for which in ("with", "without")],
            "rounds": options.rounds, "batches": sum(r["batches"] for rounds in found.values() for r in rounds),
            "swaps": sum(r["swaps"] for r in found["with"])}


main()
