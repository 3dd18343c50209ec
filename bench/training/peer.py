"""The peer of the training benchmark: answers like `nearline-bench training`, on its case."""
import json
import os
import sys
import time

import numpy as np
import torch

from m5_torch import M5, SUBSIDIARIES

TYPES = {"F32": np.float32, "I32": np.int32, "I64": np.int64}


def read_safetensors(path):
    raw = open(path, "rb").read()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + length])
    tensors = {}
    for name, about in header.items():
        if name != "__metadata__":
            begin, end = about["data_offsets"]
            data = np.frombuffer(raw, TYPES[about["dtype"]], offset=8 + length + begin, count=(end - begin) // 4)
            tensors[name] = data.reshape(about["shape"]).copy()
    return tensors


def scenario_rows(scenarios, count):
    """The rows of each scenario: known on the host, so that a GPU need not be asked."""
    return [torch.from_numpy(np.flatnonzero(scenarios == s)) for s in range(count)]


def pad(packed, case):
    """A padded batch of a packed one."""
    slots, users = case["sequence_slots"], len(packed["scenarios"])
    starts = packed["sequence_starts"].reshape(-1)
    lengths = np.diff(starts).reshape(users, slots)
    begins = starts[:-1].reshape(users, slots)
    last = packed["last_watch"]
    made = []
    for s in range(slots):
        longest = lengths[:, s].max()
        if longest == 0:
            made.append(None)
            continue
        places = np.arange(longest)[None, :]
        real = places < lengths[:, s:s + 1]
        at = np.where(real, begins[:, s:s + 1] + places, 0)
        rows = ((last >= begins[:, s]) & (last < begins[:, s] + lengths[:, s])).nonzero()[0]
        made.append({
            "shows": torch.from_numpy(np.where(real, packed["shows"][at], 0).astype(np.int64)),
            "subsidiaries": torch.from_numpy(
                np.where(real[..., None], packed["subsidiaries"].reshape(-1, SUBSIDIARIES)[at], 0).astype(np.int64)),
            "mask": torch.from_numpy(real.astype(np.float32)),
            "masked": torch.from_numpy((packed["masked"][at] == 1) & real),
            "last": (torch.from_numpy(rows), torch.from_numpy((last - begins[:, s])[rows].astype(np.int64))) if len(rows) else None,
        })
    watched = np.zeros((users, case["shows"]), bool)
    watched[np.repeat(np.arange(users), np.diff(packed["watched_starts"])), packed["watched"]] = True
    counts = np.diff(packed["target_starts"])
    rows = np.repeat(np.arange(users), counts)
    ranks = np.arange(len(rows)) - packed["target_starts"][:-1][rows]
    weights = case["options"]["future_decay"] ** ranks.astype(np.float64)
    sums = np.zeros(users)
    np.add.at(sums, rows, weights)
    wide = {name: torch.from_numpy(packed[name].astype(np.int64)) for name in ("tags", "fields", "scenarios", "targets")}
    return {
        **wide,
        "slots": made,
        "scenario_rows": scenario_rows(packed["scenarios"], case["scenarios"]),
        "field_starts": torch.from_numpy(packed["field_starts"][:-1].astype(np.int64)),
        "tag_starts": torch.from_numpy(packed["tag_starts"][:-1].astype(np.int64)),
        "tag_weights": torch.from_numpy(packed["tag_weights"]),
        "watched": torch.from_numpy(watched),
        "target_rows": torch.from_numpy(rows),
        "target_weights": torch.from_numpy((weights / sums[rows]).astype(np.float32)),
    }


def move(value, device):
    """What is in a batch, on a device."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {name: move(v, device) for name, v in value.items()}
    return type(value)(move(v, device) for v in value) if isinstance(value, (list, tuple)) else value


class Peer:
    def __init__(self, directory, device):
        self.device = torch.device(device)
        self.case = json.load(open(os.path.join(directory, "case.json")))
        self.options = self.case["options"]
        torch.manual_seed(1)
        torch.set_num_threads(self.options["threads"])
        weights = {name: torch.from_numpy(w) for name, w in read_safetensors(os.path.join(directory, "weights.safetensors")).items()}
        self.model = M5(self.case, weights).to(self.device)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(self.parameters, self.options["learning_rate"])
        self.batches = [{} for _ in range(self.case["batches"])]
        for name, values in read_safetensors(os.path.join(directory, "batches.safetensors")).items():
            number, name = name.split(".")
            self.batches[int(number)][name] = values

    def step(self, packed, draw):
        batch = move(pad(packed, self.case), self.device)
        masks = [None if s is None else s["masked"] if draw is None else draw(s) for s in batch["slots"]]
        losses = self.model.losses(batch, self.options, masks)
        self.optimizer.zero_grad()
        losses[0].backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.options["gradient_clip"])
        self.optimizer.step()
        return [x.item() for x in (*losses, norm)]

    def check(self):
        self.model.eval()
        return {"steps": [self.step(b, None) for b in self.batches]}

    def round(self):
        self.model.train()
        rate = self.options["mask_rate"]
        cpu, clock = time.process_time(), time.perf_counter()
        for batch in self.batches:
            self.step(batch, lambda s: (torch.rand(s["mask"].shape, device=self.device) < rate) & (s["mask"] > 0))
        return {
            "samples": sum(len(b["scenarios"]) for b in self.batches),
            "seconds": time.perf_counter() - clock,
            "cpu_seconds": time.process_time() - cpu,
            "peak_mi_b": peak(),
        }


def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main():
    peer = Peer(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "cpu")
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"check": peer.check, "round": peer.round}[line.strip()]()), flush=True)


if __name__ == "__main__":
    main()
