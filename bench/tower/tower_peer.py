"""The peer of the tower benchmark: M5 in torch eager, on users padded as usual, answers `check` and `round BATCH`."""
import json
import os
import pathlib
import sys
import time

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "training"))
from m5_torch import M5
from peer import move, pad, read_safetensors, scenario_rows


class Tower(M5):
    """Interests once a user, as ours; mixing for every (user, scenario) pair."""

    def forward(self, batch):
        e, users, scenarios = self.embedding, batch["users"], batch["scenarios"]
        count = len(scenarios) // users
        ids, cgs, hiddens = [], [], []
        for slot in batch["slots"]:
            if slot is None:
                ids.append(e.id.weight.new_zeros(users, self.config["width"]))
                cgs.append(ids[-1])
                hiddens.append(None)
                continue
            decoration = e.subsidiary(slot["subsidiaries"])
            hidden = self.encode(slot, decoration, slot["shows"])
            for pooled, tokens, intensity in ((ids, hidden, self.idIntensity), (cgs, e.cg(slot["shows"]), self.cgIntensity)):
                weights = intensity(tokens, decoration) * slot["mask"]
                pooled.append(weights.unsqueeze(1).bmm(tokens).squeeze(1))
            hiddens.append(hidden)
        ids, cgs = ([pooled[s] for s in self.used_slots] for pooled in (ids, cgs))
        tags = e.tags(batch["tags"], batch["tag_starts"], batch["tag_weights"])
        narrow = e.fields(batch["fields"], batch["field_starts"]).view(users, -1, self.config["field_width"])
        ids, cgs = ([x.repeat_interleave(count, 0) for x in pooled] for pooled in (ids, cgs))
        tags, narrow = tags.repeat_interleave(count, 0), narrow.repeat_interleave(count, 0)
        scenario = e.scenario(scenarios)
        rest = [tags, *narrow.unbind(1)]
        u_id, _ = self.idExperts(self.idCrossing([*ids, *rest], scenario), batch["scenario_rows"])
        u_cg, _ = self.cgExperts(self.cgCrossing([*cgs, *rest], scenario), batch["scenario_rows"])
        w = self.weighting(torch.cat([tags, narrow.flatten(1), scenario], 1))
        return torch.cat([w * u_id, (1 - w) * u_cg], 1)


class Peer:
    def __init__(self, directory, device):
        self.device = torch.device(device)
        self.case = json.load(open(os.path.join(directory, "case.json")))
        if self.case["config"]["last_watch"]:
            raise SystemExit("last_watch is true; this peer has the paper's model only")
        torch.set_num_threads(self.case["threads"])
        weights = {name: torch.from_numpy(w) for name, w in read_safetensors(os.path.join(directory, "weights.safetensors")).items()}
        self.model = Tower(self.case, weights).eval().to(self.device)
        self.users = read_safetensors(os.path.join(directory, "users.safetensors"))
        self.queries = torch.from_numpy(self.users.pop("queries"))
        self.batches = {}

    def check(self):
        """The largest difference of any query's number, as a share of the largest number."""
        with torch.inference_mode():
            found = torch.cat([self.query(b) for b in self.of(64)])
        return {"difference": ((found - self.queries).abs().max() / self.queries.abs().max()).item()}

    def round(self, size):
        batches = self.of(size)
        cpu, clock = time.process_time(), time.perf_counter()
        with torch.inference_mode():
            for batch in batches:
                self.query(batch)
        return {"users": self.case["users"], "seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - cpu}

    def query(self, batch):
        """From padded tensors on the host to queries on the host."""
        return self.model(move(batch, self.device)).cpu()

    def of(self, size):
        """All users in padded batches: made once, its time does not count."""
        if size not in self.batches:
            self.batches[size] = [self.slice(first, min(first + size, self.case["users"])) for first in range(0, self.case["users"], size)]
        return self.batches[size]

    def slice(self, first, end):
        u, slots, fields = self.users, self.case["sequence_slots"], self.case["fields"]
        cut = lambda starts, each=1: starts.reshape(-1)[first * each:end * each + 1]
        sequences, field_starts, tag_starts = cut(u["sequence_starts"], slots), cut(u["field_starts"], fields), cut(u["tag_starts"])
        between = lambda name, starts, width=1: u[name].reshape(-1)[starts[0] * width:starts[-1] * width]
        last = u["last_watch"][first:end]
        packed = {
            "sequence_starts": sequences - sequences[0],
            "shows": between("shows", sequences),
            "subsidiaries": between("subsidiaries", sequences, 5),
            "fields": between("fields", field_starts),
            "field_starts": field_starts - field_starts[0],
            "tags": between("tags", tag_starts),
            "tag_weights": between("tag_weights", tag_starts),
            "tag_starts": tag_starts - tag_starts[0],
            "last_watch": np.where(last < 0, last, last - sequences[0]),
            "scenarios": np.zeros(end - first, np.int32),
            "masked": np.zeros(sequences[-1] - sequences[0], np.int32),
            "watched_starts": np.zeros(end - first + 1, np.int32),
            "watched": np.zeros(0, np.int32),
            "target_starts": np.arange(end - first + 1, dtype=np.int32),
            "targets": np.zeros(end - first, np.int32),
        }
        batch = pad(packed, {**self.case, "options": {"future_decay": 1}})
        scenarios = np.tile(np.arange(self.case["scenarios"]), end - first)
        return {**batch, "users": end - first, "scenarios": torch.from_numpy(scenarios),
                "scenario_rows": scenario_rows(scenarios, self.case["scenarios"])}


def main():
    peer = Peer(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "cpu")
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        match line.split():
            case ["check"]:
                answer = peer.check()
            case ["round", size]:
                answer = peer.round(int(size))
        print(json.dumps(answer), flush=True)


main()
