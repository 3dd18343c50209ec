"""M5 in PyTorch, padded: each sequence of a batch to the longest of its kind, the usual way.

Names of modules are those of Nearline's weights file, so that one state dict serves both.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

SUBSIDIARIES = 5
EXCLUDED = -1e9


class SwishMlp(nn.Module):
    def __init__(self, inputs, hidden, outputs, dropout):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, outputs)
        self.dropout = dropout

    def forward(self, x):
        return self.second(F.silu(self.first(F.dropout(x, self.dropout, self.training))))


class EncoderLayer(nn.Module):
    def __init__(self, width, head_width, feed_forward, dropout):
        super().__init__()
        self.heads = width // head_width
        self.head_width = head_width
        self.dropout = dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.attentionNorm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, feed_forward * width)
        self.outer = nn.Linear(feed_forward * width, width)
        self.feedForwardNorm = nn.LayerNorm(width)

    def forward(self, x, bias):
        rows, length, width = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, self.heads, self.head_width).permute(2, 0, 3, 1, 4)
        scores = q.matmul(k.transpose(-2, -1)) * (1 / math.sqrt(self.head_width)) + bias
        attended = scores.softmax(-1).matmul(v).transpose(1, 2).reshape(rows, length, width)
        x = self.attentionNorm(x + F.dropout(self.attended(attended), self.dropout, self.training))
        fed = self.outer(F.relu(self.inner(x)))
        return self.feedForwardNorm(x + F.dropout(fed, self.dropout, self.training))


class SelfAttentionEncoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.dropout = c["encoder_dropout"]
        self.layers = nn.ModuleList(
            EncoderLayer(c["width"], c["head_width"], c["feed_forward"], self.dropout) for _ in range(c["layers"]))

    def forward(self, x, mask):
        x = F.dropout(x, self.dropout, self.training)
        bias = ((mask - 1) * 1e9)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, bias)
        return x


class SubsidiaryIntensity(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        widths = [width * (1 + SUBSIDIARIES) + SUBSIDIARIES, *hidden, 1]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, main, subsidiaries):
        crosses = subsidiaries.matmul(main.unsqueeze(-1)).squeeze(-1)
        x = torch.cat([main, subsidiaries.flatten(-2), crosses], -1)
        for i, layer in enumerate(self.layers):
            x = layer(x if i == 0 else F.relu(x))
        return x.squeeze(-1).exp()


class ScenarioCrossing(nn.Module):
    def __init__(self, widths, scenario_width):
        super().__init__()
        self.of = [None] * len(widths)
        made = []
        for i, width in enumerate(widths):
            if width != scenario_width:
                self.of[i] = len(made)
                made.append(nn.Linear(width, scenario_width, bias=False))
        self.projections = nn.ModuleList(made)
        self.outputs = sum(widths) + scenario_width + len(widths)

    def forward(self, fields, scenario):
        comparable = [f if p is None else self.projections[p](f) for f, p in zip(fields, self.of)]
        crossed = torch.stack(comparable, 1).matmul(scenario.unsqueeze(-1)).squeeze(-1)
        return torch.cat([*fields, scenario, crossed], 1)


class SplitMixtureOfExperts(nn.Module):
    def __init__(self, inputs, outputs, scenarios, c):
        super().__init__()
        hidden, dropout, width = c["hidden"], c["input_dropout"], c["expert_width"]
        self.experts = nn.ModuleList(SwishMlp(inputs, hidden, width, dropout) for _ in range(c["experts"]))
        self.gate = SwishMlp(inputs, hidden, c["experts"], dropout)
        self.post = nn.ModuleList(SwishMlp(width, hidden, outputs, dropout) for _ in range(scenarios))
        self.outputs = outputs

    def forward(self, features, rows_of):
        experts = torch.stack([e(features) for e in self.experts], 1)
        mixed = self.gate(features).softmax(-1).unsqueeze(1).bmm(experts).squeeze(1)
        users = mixed.new_zeros(len(mixed), self.outputs)
        for rows, post in zip(rows_of, self.post):
            if len(rows):
                users = users.index_copy(0, rows, post(mixed[rows]))
        return users, experts


class DynamicWeighting(nn.Module):
    def __init__(self, inputs, c):
        super().__init__()
        self.mlp = SwishMlp(inputs, c["hidden"], 1, c["input_dropout"])

    def forward(self, x):
        return self.mlp(x).sigmoid()


class MultiModalEmbedding(nn.Module):
    def __init__(self, shapes):
        super().__init__()
        for name in ("id", "cg", "subsidiary", "scenario"):
            setattr(self, name, nn.Embedding(*shapes[f"embedding.{name}.weight"]))
        self.fields = nn.EmbeddingBag(*shapes["embedding.fields.weight"], mode="mean")
        self.tags = nn.EmbeddingBag(*shapes["embedding.tags.weight"], mode="sum")


class M5(nn.Module):
    """The paper's M5: ID channel with self-attention and SIN, CG channel with SIN, SMoE, weighting."""

    def __init__(self, case, weights):
        super().__init__()
        c = self.config = case["config"]
        wanted = {"channels": "IdAndCg", "cg_source": "Graph", "id_interests": "SelfAttentionSin", "cg_interests": "Sin",
                  "categorize": True, "decorate": True, "scenario_indicator": True, "mixing": "SplitExperts", "mean_pooling": False,
                  "causal": False, "pre_norm": False, "content_in_id": False}
        for name, value in wanted.items():
            if c[name] != value:
                raise SystemExit(f"{name} is {c[name]}; the peer has {value} only")
        self.first_show, self.mask_row, self.shows = case["first_show_row"], case["mask_row"], case["shows"]
        self.used_slots = case["used_slots"]
        slots, width = len(self.used_slots), c["width"]
        self.embedding = MultiModalEmbedding({name: w.shape for name, w in weights.items()})
        self.attention = SelfAttentionEncoder(c)
        self.idIntensity = SubsidiaryIntensity(width, [])
        self.cgIntensity = SubsidiaryIntensity(width, c["sin_hidden"])
        fields = [width] * (slots + c["last_watch"]) + [c["tag_width"]] + [c["field_width"]] * case["fields"]
        self.idCrossing = ScenarioCrossing(fields, c["scenario_width"])
        self.cgCrossing = ScenarioCrossing(fields, c["scenario_width"])
        self.idExperts = SplitMixtureOfExperts(self.idCrossing.outputs, width, case["scenarios"], c)
        self.cgExperts = SplitMixtureOfExperts(self.cgCrossing.outputs, width, case["scenarios"], c)
        self.weighting = DynamicWeighting(c["tag_width"] + case["fields"] * c["field_width"] + c["scenario_width"], c)
        if c["last_watch"]:
            self.idResidual = nn.Linear(width, width, bias=False)
            self.cgResidual = nn.Linear(width, width, bias=False)
        self.load_state_dict(weights)
        self.embedding.cg.weight.requires_grad_(c["train_cg"])

    def encode(self, slot, subsidiaries, shows):
        return self.attention(self.embedding.id(shows) + subsidiaries.sum(-2), slot["mask"])

    def forward(self, batch, masked=None):
        """Query, hidden states a slot (of `masked` shows where given), and the experts of both channels."""
        e, users = self.embedding, len(batch["scenarios"])
        ids, cgs, hiddens, subsidiaries = [], [], [], []
        for i, slot in enumerate(batch["slots"]):
            if slot is None:
                ids.append(e.id.weight.new_zeros(users, self.config["width"]))
                cgs.append(ids[-1])
                hiddens.append(None)
                subsidiaries.append(None)
                continue
            decoration = e.subsidiary(slot["subsidiaries"])
            hidden = self.encode(slot, decoration, slot["shows"] if masked is None else masked[i])
            content = e.cg(slot["shows"])
            for pooled, tokens, intensity in ((ids, hidden, self.idIntensity), (cgs, content, self.cgIntensity)):
                weights = intensity(tokens, decoration) * slot["mask"]
                pooled.append(weights.unsqueeze(1).bmm(tokens).squeeze(1))
            hiddens.append(hidden)
            subsidiaries.append(decoration)

        # A model has no part for sequences that nobody in the training data has.
        ids, cgs = ([pooled[s] for s in self.used_slots] for pooled in (ids, cgs))
        if self.config["last_watch"]:
            lasts = [self.last_watch(batch, hiddens), self.last_watch(batch, [
                None if s is None else e.cg(s["shows"]) for s in batch["slots"]])]
            ids.append(lasts[0])
            cgs.append(lasts[1])
        tags = e.tags(batch["tags"], batch["tag_starts"], batch["tag_weights"])
        narrow = e.fields(batch["fields"], batch["field_starts"]).view(users, -1, self.config["field_width"])
        scenario = e.scenario(batch["scenarios"])
        rest = [tags, *narrow.unbind(1)]
        u_id, id_experts = self.idExperts(self.idCrossing([*ids, *rest], scenario), batch["scenario_rows"])
        u_cg, cg_experts = self.cgExperts(self.cgCrossing([*cgs, *rest], scenario), batch["scenario_rows"])
        if self.config["last_watch"]:
            u_id = u_id + self.idResidual(lasts[0])
            u_cg = u_cg + self.cgResidual(lasts[1])
        w = self.weighting(torch.cat([tags, narrow.flatten(1), scenario], 1))
        return torch.cat([w * u_id, (1 - w) * u_cg], 1), hiddens, subsidiaries, (id_experts, cg_experts)

    def last_watch(self, batch, tokens):
        last = tokens_of = None
        for slot, x in zip(batch["slots"], tokens):
            if x is not None and slot["last"] is not None:
                rows, places = slot["last"]
                last = last if last is not None else x.new_zeros(len(batch["scenarios"]), x.shape[-1])
                last = last.index_copy(0, rows, x[rows, places])
                tokens_of = x
        if tokens_of is None:
            return self.embedding.id.weight.new_zeros(len(batch["scenarios"]), self.config["width"])
        return last

    def losses(self, batch, options, masks):
        """The total of equation 9 and its parts. `masks` tells which behaviours are hidden, a tensor a slot."""
        e = self.embedding
        masked = [None if s is None else s["shows"].masked_fill(m, self.mask_row) for s, m in zip(batch["slots"], masks)]
        apart = options["separate_masked_pass"]
        query, hiddens, subsidiaries, experts = self(batch, None if apart else masked)
        ids = e.id.weight[self.first_show:]
        items = torch.cat([ids, e.cg.weight[self.first_show:]], 1)
        scores = query.matmul(items.t())
        if options["watched_weight"] == 0:
            scores = scores.masked_fill(batch["watched"], EXCLUDED)
        else:
            scores = scores + batch["watched"] * math.log(options["watched_weight"])
        picked = scores.log_softmax(1)[batch["target_rows"], batch["targets"]]
        match = -(picked * batch["target_weights"]).sum() / len(query)
        found, wanted = [], []
        for i, slot in enumerate(batch["slots"]):
            if slot is None:
                continue
            hidden = self.encode(slot, subsidiaries[i], masked[i]) if apart else hiddens[i]
            found.append(hidden[masks[i]])
            wanted.append(slot["shows"][masks[i]] - self.first_show)
        mlm = F.cross_entropy(torch.cat(found).matmul(ids.t()), torch.cat(wanted))
        directions = [F.normalize(x, dim=2, eps=1e-8) for x in experts]
        disagreement = sum(d.bmm(d.transpose(1, 2)).abs().mean() for d in directions) / len(directions)
        total = match + options["alpha"] * mlm + options["beta"] * disagreement
        return total, match, mlm, disagreement
