"""The peers of the index benchmark, torch and faiss: answers like `nearline-bench index`, on the same case."""
import json
import os
import sys
import time

import numpy as np

directory, kind, dimension, limit, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
device = sys.argv[6] if len(sys.argv) > 6 else "cpu"


def read(name, dtype, columns):
    return np.fromfile(os.path.join(directory, name), dtype).reshape(-1, columns)


class Torch:
    """Matrix product and topk; a mask puts minus infinity in place of scores. Masks are on the device already."""

    def __init__(self, rows, masks):
        import torch
        self.torch, self.version = torch, f"torch {torch.__version__}"
        torch.set_num_threads(threads)
        self.columns = torch.from_numpy(rows).to(device).T
        self.masks = {kind: torch.from_numpy(mask == 0).to(device) for kind, mask in masks.items()}

    def search(self, queries, masks, first):
        with self.torch.inference_mode():
            scores = self.torch.from_numpy(queries).to(device) @ self.columns
            if masks != "all":
                scores.masked_fill_(self.masks[masks][first:first + len(queries)], -float("inf"))
            found = self.torch.topk(scores, limit)
            return found.indices.cpu().numpy(), found.values.cpu().numpy()


class Faiss:
    """IndexFlatIP."""

    def __init__(self, rows, masks):
        import faiss
        self.version = f"faiss {faiss.__version__} IndexFlatIP"
        faiss.omp_set_num_threads(threads)
        self.index = faiss.IndexFlatIP(dimension)
        self.index.add(rows)

    def search(self, queries, masks, first):
        scores, rows = self.index.search(queries, limit)
        return rows, scores


def main():
    rows, queries = read("rows.f32", np.float32, dimension), read("queries.f32", np.float32, dimension)
    masks = {kind: read(f"{kind}.u8", np.uint8, len(rows)) for kind in ("pool", "own")}
    peer = {"torch": Torch, "faiss": Faiss}[kind](rows, masks)

    def search(batch, which):
        for start in range(0, len(queries), batch):
            yield peer.search(queries[start:start + batch], which, start)

    def check(batch, which):
        found = list(search(batch, which))
        np.concatenate([r for r, _ in found]).astype(np.int32).tofile(os.path.join(directory, f"{kind}.rows"))
        np.concatenate([s for _, s in found]).astype(np.float32).tofile(os.path.join(directory, f"{kind}.scores"))
        return {"queries": len(queries)}

    def measure(batch, which):
        cpu, clock = time.process_time(), time.perf_counter()
        for _ in search(batch, which):
            pass
        return {"queries": len(queries), "seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - cpu}

    print(json.dumps({"version": peer.version}), flush=True)
    for line in sys.stdin:
        what, batch, which = line.split()
        print(json.dumps({"check": check, "round": measure}[what](int(batch), which)), flush=True)


main()
