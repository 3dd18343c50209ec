"""The content graph at size: what training it costs on a generated catalog, and what its embeddings find there.

No peer trains beside it: the figures are costs. That they bought something is what the hidden groups of the catalog are
for: the share of a show's ten nearest that are of its group, beside what chance and the linear decomposition give.
"""
import argparse
import sys

from harness import OURS, Side, write


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh graph", description=__doc__)
    parser.add_argument("--shows", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=2_000_000, help="of the metagraph, about")
    parser.add_argument("--epochs", type=int, default=1, help="the product's default is 10, at ten times the time")
    parser.add_argument("--walks", type=int, help="from each show an epoch; default: the product's")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main():
    options = arguments()
    command = ["dotnet", OURS, "graph"]
    for name, value in vars(options).items():
        if value is not None:
            command += [f"--{name}", value]
    ours = Side(command, {"OMP_WAIT_POLICY": "PASSIVE"})
    trained = ours.ask("train")
    print(f"trained: {trained}", file=sys.stderr, flush=True)
    quality = ours.ask("quality")
    ours.close()
    threads = f"{options.threads} thread" + "s" * (options.threads > 1)
    line = {"bench": "graph", "case": f"{ours.greeting['shows']:,} shows, {trained['edges']:,} edges, {trained['pairs']:,} pairs, {threads}"}

    def cost(unit, value, digits):
        return {**line, "unit": unit, "ours": round(value, digits) if digits else round(value)}

    precision = {**line, "unit": "of the 10 nearest, in the show's group", "ours": round(quality["ours"], 4)}
    write("graph", [
        {**cost("s, building the graph", trained["build_seconds"], 1), "nodes": trained["nodes"]},
        {**cost("s, training", trained["training_seconds"], 1), "loss": round(trained["loss"], 4)},
        cost("pairs/s", trained["pairs_per_second"], 0),
        cost("pairs per CPU second", trained["pairs_per_cpu_second"], 0),
        cost("s, embedding all shows", trained["other_seconds"], 1),
        cost("peak MiB", trained["peak_mi_b"], 0),
        {**precision, "peer": "linear decomposition", "peer_value": round(quality["linear"], 4),
         "ratio": round(quality["ours"] / quality["linear"], 2)},
        {**precision, "peer": "chance", "peer_value": round(quality["chance"], 4),
         "ratio": round(quality["ours"] / quality["chance"], 1)},
    ])


main()
