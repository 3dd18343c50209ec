"""Training speed: Nearline.Model against PyTorch running the same architecture on the same batches, padded.

Both first prove that they compute the same: from equal weights and without dropout each batch's losses and gradient
norm agree, and still do after a step. Then they train in turns, equally many threads each.
"""
import argparse
import pathlib
import sys
import tempfile

from harness import OURS, ROOT, Side, median_and_spread, write

HERE = pathlib.Path(__file__).parent
NAMES = ("loss", "match", "mlm", "disagreement", "gradient norm")


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh training", description=__doc__)
    parser.add_argument("--data", default=ROOT.parent / "shared/data", help="directory of MovieLens 100K")
    parser.add_argument("--cases", nargs="+", default=["ml-100k", "simulated"], choices=["ml-100k", "simulated"])
    parser.add_argument("--config", default="m5-paper")
    parser.add_argument("--batch", type=int, default=256, help="instances a step; the peer needs about 11 MiB of memory for each")
    parser.add_argument("--batches", type=int, default=2, help="steps a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def difference(ours, peer):
    """The largest difference of the losses, and the largest relative one of the gradient norms, over all steps."""
    pairs = list(zip(ours["steps"], peer["steps"]))
    return (max(abs(a - b) for o, p in pairs for a, b in zip(o[:4], p[:4])),
            max(abs(o[4] - p[4]) / p[4] for o, p in pairs))


def run(case, options):
    # The product sleeps while threads wait and picks its matrix kernels; the peer gets the same of both.
    environment = {"OMP_WAIT_POLICY": "PASSIVE"}
    if "avx512bw" in pathlib.Path("/proc/cpuinfo").read_text():
        environment["OPENBLAS_CORETYPE"] = "SKYLAKEX"
    data = ["--data", "simulated"] if case == "simulated" else ["--data", options.data, "--dataset", case]
    with tempfile.TemporaryDirectory() as directory:
        sides = {"ours": Side(
            ["dotnet", OURS, "training", *data, "--config", options.config, "--batch", options.batch,
             "--batches", options.batches, "--threads", options.threads, "--device", options.device,
             "--out", directory], environment)}
        sides["peer"] = Side([sys.executable, HERE / "peer.py", directory, options.device], environment)
    about = sides["ours"].greeting
    print(f"{case}: {about['instances']} instances, sequences of {about['mean_length']:.1f} behaviours on average, "
          f"{about['longest']} at most; {about['behaviours']} behaviours in {about['tokens']} places", flush=True)

    losses, norms = difference(*(side.ask("check") for side in sides.values()))
    print(f"{case}: losses differ by at most {losses:.1e}, gradient norms by {norms:.1e} of themselves", flush=True)
    if losses > 1e-4 or norms > 1e-3:
        raise SystemExit(f"{case}: the two do not compute the same; {', '.join(NAMES)} must agree to 1e-4")

    rounds = {name: [] for name in sides}
    for number in range(options.rounds + 1):
        for name, side in sides.items():
            measured = side.ask("round")
            if number > 0:  # the first warms up
                rounds[name].append(measured)
                print(f"{case} round {number} {name}: {measured['samples'] / measured['seconds']:.1f} samples/s, "
                      f"{measured['samples'] / measured['cpu_seconds']:.1f} a CPU second", flush=True)
    for side in sides.values():
        side.close()
    rate = {n: median_and_spread([r["samples"] / r["seconds"] for r in rs]) for n, rs in rounds.items()}
    cpu = {n: median_and_spread([r["samples"] / r["cpu_seconds"] for r in rs]) for n, rs in rounds.items()}
    memory = {n: max(r["peak_mi_b"] for r in rs) for n, rs in rounds.items()}
    label = f"{case} {options.config} batch {options.batch}, {options.threads} thread{'s' if options.threads > 1 else ''}"
    peer = f"torch {sides['peer'].greeting['torch']} padded"
    line = {"bench": "training", "case": label, "peer": peer}
    return [
        {**line, "unit": "samples/s", "ours": round(rate["ours"][0], 1), "peer_value": round(rate["peer"][0], 1),
         "ratio": round(rate["ours"][0] / rate["peer"][0], 2), "spread": [round(rate[n][1], 2) for n in sides],
         "rounds": options.rounds, "mean_length": round(about["mean_length"], 1), "longest": about["longest"],
         "losses_differ": float(f"{losses:.1e}")},
        {**line, "unit": "samples per CPU second", "ours": round(cpu["ours"][0], 1), "peer_value": round(cpu["peer"][0], 1),
         "ratio": round(cpu["ours"][0] / cpu["peer"][0], 2), "spread": [round(cpu[n][1], 2) for n in sides]},
        {**line, "unit": "peak MiB", "ours": round(memory["ours"]), "peer_value": round(memory["peer"]),
         "ratio": round(memory["peer"] / memory["ours"], 2)},
    ]


def main():
    options = arguments()
    write("training", [line for case in options.cases for line in run(case, options)])


if __name__ == "__main__":
    main()
