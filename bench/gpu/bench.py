"""On a GPU: the index, the user tower and training against torch in Python on the same GPU, and whole retrieval against
the same machine's CPU. The first three are the benchmarks of those names with another device: each proves first that
both sides compute the same.
"""
import argparse
import importlib.util
import os
import pathlib
import subprocess
import sys

from harness import OURS, ROOT, Side, median_and_spread, write

HERE = pathlib.Path(__file__).parent
PARTS = ("index", "tower", "training", "retrieval")


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh gpu", description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64, 256], help="of the index")
    parser.add_argument("--tower-batches", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--users", type=int, default=1024)
    parser.add_argument("--shows", type=int, default=70_000, help="of whole retrieval")
    parser.add_argument("--training-batch", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=max(1, os.cpu_count() // 2))
    return parser.parse_args()


def device_name(device):
    """What torch calls the device; None where it has none."""
    code = f"import torch; print(torch.cuda.get_device_name() if '{device}' == 'cuda' else '{device}')"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return found.stdout.strip() if found.returncode == 0 else None


def benchmark(name):
    spec = importlib.util.spec_from_file_location(f"{name}_bench", HERE.parent / name / "bench.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def with_defaults(module, options, **more):
    """The options of another benchmark, some of them ours."""
    sys.argv = [sys.argv[0]]
    chosen = module.arguments()
    for name, value in {"device": options.device, "rounds": options.rounds, **more}.items():
        setattr(chosen, name, value)
    return chosen


def index(options):
    module = benchmark("index")
    chosen = with_defaults(module, options, batches=options.batches, queries=1024, data=["even"], threads=options.threads)
    return module.measure(chosen, "even", {})


def tower(options):
    module = benchmark("tower")
    chosen = with_defaults(module, options, batches=options.tower_batches, users=options.users)
    return [line for precision in ("Float32", "BFloat16") for line in module.run(options.threads, precision, chosen)]


def training(options):
    module = benchmark("training")
    lines = module.run("simulated", with_defaults(module, options, batch=options.training_batch, batches=2, threads=options.threads))
    # Memory and time of the host say little of work on a GPU.
    return [line for line in lines if options.device == "cpu" or line["unit"] == "samples/s"]


def retrieval(options):
    """From histories to sets, a user in the simulated world's four scenarios."""
    rates, about = {}, {}
    for place in (options.device, "cpu"):
        side = Side(["dotnet", OURS, "retrieval", "--device", place, "--shows", options.shows, "--users", options.users,
                     "--threads", options.threads], {"OMP_WAIT_POLICY": "PASSIVE"})
        about[place] = side.greeting
        print(f"retrieval on {place}: {side.greeting['index']}", flush=True)
        for batch in (64, 256):
            for number in range(options.rounds + 1 if place == options.device else 3):
                measured = side.ask(f"round {batch}")
                if number > 0:
                    rates.setdefault((place, batch), []).append(measured)
        side.close()
    for batch in (64, 256):
        ours, theirs = (median_and_spread([r["users"] / r["seconds"] for r in rates[place, batch]]) for place in (options.device, "cpu"))
        share = rates[options.device, batch][-1]
        yield {
            "bench": "gpu", "case": f"retrieval, {options.shows:,} shows, {about['cpu']['scenarios']} scenarios a user, top 300, batch {batch}",
            "peer": f"ours on {os.cpu_count()} CPU cores", "unit": "users/s", "ours": round(ours[0], 1), "peer_value": round(theirs[0], 1),
            "ratio": round(ours[0] / theirs[0], 2), "spread": [round(ours[1], 2), round(theirs[1], 2)], "rounds": options.rounds,
            "tower_ms": round(share["tower_ms"], 2), "index_ms": round(share["index_ms"], 2)}


def main():
    options = arguments()
    name = device_name(options.device)
    if name is None:
        print(f"gpu: {sys.executable} has no torch that sees a CUDA device: nothing is measured")
        return
    lines = []
    for part in PARTS:
        if part in options.parts:
            for line in globals()[part](options):
                lines.append({**line, "bench": "gpu", "case": line["case"] if part == "retrieval" else f"{part}, {line['case']}"})
    if options.device == "cuda":
        write("gpu", lines, device=name)


main()
