"""The worker from event to servable set, on this machine with Kafka (librdkafka's mock), Redis and producer beside it.

Throughput: events/s end to end, against what tower and index do alone in a process with the same threads. Latency: events
at random times at a share of that throughput, from before the producer has them until the announcement of the user's new
sets arrives, with the mean of each stage. Soak: the same for long, with what the worker's process holds.
"""
import argparse
import json
import pathlib
import statistics
import time

from harness import OURS, ROOT, Side, write
from soak_chart import draw


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh worker", description=__doc__)
    parser.add_argument("--config", default="m5-paper")
    parser.add_argument("--shows", type=int, default=70_000)
    parser.add_argument("--users", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--precisions", nargs="+", default=["Float32", "BFloat16"], choices=["Float32", "BFloat16"])
    parser.add_argument("--seconds", type=float, default=20, help="of a measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of bare and flood, in turns")
    parser.add_argument("--warm", type=float, default=30, help="seconds at half the throughput before latency is measured")
    parser.add_argument("--soak", type=float, default=0, help="minutes of soak at 70 %% of the throughput, in the first precision; 0: none")
    parser.add_argument("--set", nargs="*", default=[], help="settings of the worker, such as Worker:BatchMaxUsers=64")
    return parser.parse_args()


def measure(precision, soak, options):
    # As the product picks it for itself where nothing else is set.
    environment = {"OPENBLAS_CORETYPE": "SKYLAKEX"} if "avx512bw" in pathlib.Path("/proc/cpuinfo").read_text() else {}
    settings = [argument for setting in options.set for argument in ("--set", setting)]
    side = Side(["dotnet", OURS, "worker", "--config", options.config, "--shows", options.shows, "--users", options.users,
                 "--batch", options.batch, "--precision", precision, *settings], environment)
    about = side.greeting
    print(f"{about['users']} users with {about['behaviours']:.1f} behaviours, {about['scenarios']} scenarios, "
          f"{about['threads']} torch thread(s); index: {about['index']}", flush=True)
    case = f"{options.config}{'' if precision == 'Float32' else ' in bfloat16'}, {about['scenarios']} scenarios, {about['shows']:,} shows"
    line = {"bench": "worker", "case": case}

    bares, floods = [], []
    for number in range(options.rounds):
        bare, flood = side.ask(f"bare {options.seconds / 2}"), side.ask(f"flood {options.seconds}")
        bares.append(bare["users"] / bare["seconds"])
        floods.append(flood["events"] / flood["seconds"])
        print(f"round {number + 1}: bare {bares[-1]:.0f} users/s (tower {bare['tower_ms']:.2f} ms, index {bare['index_ms']:.2f} ms a user); "
              f"end to end {floods[-1]:.0f} events/s, {flood['users_of_batch']:.0f} users a batch, cores busy: "
              + ", ".join(f"{name} {used:.2f}" for name, used in flood["cpu"].items()), flush=True)
        print("  stages, ms: " + ", ".join(f"{n} {ms:.1f}" for n, ms in flood["stages"].items()), flush=True)
    throughput = statistics.median(floods)
    lines = [{**line, "case": case + ", throughput", "peer": "tower and index alone", "unit": "events/s", "ours": round(throughput),
              "peer_value": round(statistics.median(bares)), "ratio": round(throughput / statistics.median(bares), 2),
              "users_of_batch": round(flood["users_of_batch"]), "threads": round(flood["cpu"]["worker"], 2), "cores_busy": {n: round(v, 2) for n, v in flood["cpu"].items()}}]

    # Small batches take other ways through the code than large ones, and the compiler comes back to them.
    side.ask(f"rate {throughput * 0.5} {options.warm}")
    rate = side.ask(f"rate {throughput * 0.5} {options.seconds * 3}")
    stages = {name: round(ms, 2) for name, ms in rate["stages"].items() if ms > 0}
    lines.append({**line, "case": case + f", latency at {throughput * 0.5:.0f} events/s, half the throughput", "unit": "ms",
                  **{name: round(rate[name], 1) for name in ("p50", "p90", "p99", "max", "mean")}, "events": rate["events"],
                  "stages": stages, "stages_sum": round(sum(stages.values()), 2), "users_of_batch": round(rate["users_of_batch"], 1)})
    print(lines[-1], flush=True)
    stored = {name: round(value) for name, value in side.ask("stored").items()}
    lines.append({**line, "case": f"stored of a user with {about['behaviours']:.0f} behaviours: state, watched shows, a set of {stored.pop('shows')} shows",
                  "unit": "bytes in Redis", **stored})
    print(lines[-1], flush=True)

    if soak > 0:
        samples, begin = [], time.monotonic()
        while time.monotonic() - begin < soak * 60:
            part = side.ask(f"rate {throughput * 0.7} 10")
            samples.append({"minutes": (time.monotonic() - begin) / 60, **side.ask("usage"),
                            **{name: part[name] for name in ("p50", "p99", "events")}})
            print(samples[-1], flush=True)
        half = samples[len(samples) // 2:]
        grown = {name: half[-1][name] - half[0][name] for name in ("rss_mi_b", "heap_mi_b", "native_tensors")}
        lines.append({**line, "case": case + f", soak of {soak:g} min at {throughput * 0.7:.0f} events/s, 70 % of the throughput", "unit": "ms",
                      "events": sum(s["events"] for s in samples), "rss_mi_b": [round(f(s["rss_mi_b"] for s in half)) for f in (min, max)],
                      "heap_mi_b": [round(f(s["heap_mi_b"] for s in half)) for f in (min, max)],
                      "native_tensors": [f(s["native_tensors"] for s in half) for f in (min, max)],
                      "grown_in_second_half": {n: round(v, 1) for n, v in grown.items()},
                      "p50": round(statistics.median(s["p50"] for s in samples), 1), "p99": round(statistics.median(s["p99"] for s in samples), 1)})
        (ROOT / "docs/soak.svg").write_text(draw(samples, lines[-1]["case"]))
    side.close()
    return lines


def kept(options):
    """What this run does not measure, from the one before: the soak, and other precisions."""
    path = ROOT / "bench/results/worker.json"
    if not path.exists():
        return []
    before = json.loads(path.read_text())
    return [{"commit": before["commit"], **line} for line in before["lines"]
            if (", soak of" in line["case"] and not options.soak) or
            ("in bfloat16" in line["case"] and "BFloat16" not in options.precisions)]


def main():
    options = arguments()
    before = kept(options)
    write("worker", [line for number, precision in enumerate(options.precisions)
                     for line in measure(precision, options.soak if number == 0 else 0, options)] + before)


main()
