"""Writes docs/figures.md from bench/results/*.json, so that no figure is copied by hand; --check says whether it is current."""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "figures.md"
INTRO = """# Figures
Every figure that this project claims, with the command that prints it again. Written by `make figures` from the files in
`bench/results`, each of which names the commit, date and cores of its measurement; a commit with `-dirty` or `+` had
changes that were not committed. What has no file here is not claimed. How the figures of quality are defined:
docs/evaluation.md.
"""


def number(value):
    if isinstance(value, float):
        return f"{value:.4f}".lstrip("0") if 0 < abs(value) < 1 else f"{value:g}"
    return "" if value is None else str(value)


def spread(line, name):
    text = number(line.get(name))
    return text + (f" ±{number(line[name + '_sd'])}" if name + "_sd" in line else "")


def table(header, rows):
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


VIEWS = {"by_cg": "by the CG channel alone", "known": "as served, known shows (validation)"}


def quality(lines):
    unfiltered = any("unfiltered" in line for line in lines)
    header = ["model", "entry", "seeds", "HR@20", "HR@100", "NDCG@10", "to reference (95 %)"]
    if unfiltered:
        header[6:6] = ["Recall@10", "Recall@10, NDCG@10 with watched shows"]
    is_cold = any("by_cg" in line for line in lines)
    if is_cold:
        header[6:6] = ["Recall@10"] + [f"Recall@10, HR@20, HR@100 {view}" for view in VIEWS.values()]
    rows = []
    for line in lines:
        to = line.get("to_reference")
        row = [line["model"], f"`{line['entry']}`", str(line["seeds"])] + [spread(line, n) for n in ("hr20", "hr100", "ndcg10")]
        if unfiltered:
            with_watched = line.get("unfiltered", {})
            row += [spread(line, "r10"), f"{spread(with_watched, 'r10')}, {spread(with_watched, 'n10')}"]
        if is_cold:
            row.append(spread(line, "r10"))
            row += [", ".join(filter(None, (spread(line.get(view, {}), n) for n in ("r10", "r20", "r100")))) for view in VIEWS]
        row.append("" if to is None else
                   f"{to['hr20']:+.4f} ({to['hr20_low']:+.4f} to {to['hr20_high']:+.4f}) to {to['reference']}")
        rows.append(row)
    return table(header, rows)


def percentiles(line):
    return ", ".join(f"{name} {line[name]:g}" for name in ("p50", "p90", "p99") if name in line)


def details(lines):
    """What a line says beyond its row."""
    for line in lines:
        if "stages" in line:
            parts = ", ".join(f"{name.replace('_', ' ')} {ms:g}" for name, ms in line["stages"].items())
            yield f"\nMeans of the stages, ms, {line['case']}: {parts}; together {line['stages_sum']:g}, as heard from outside {line['mean']:g}."
        if "state_bytes" in line:
            parts = ", ".join(f"{what} {line[name + '_bytes']:,} ({line[name + '_memory']:,})"
                              for name, what in (("state", "state"), ("watched", "watched shows"), ("set", "set")))
            yield f"\nBytes of a value, and with its key and what Redis adds: {parts}."
        if "grown_in_second_half" in line:
            grown = line["grown_in_second_half"]
            yield (f"\nThe soak, {line['events']:,} events: from half time on resident memory {line['rss_mi_b'][0]} to {line['rss_mi_b'][1]} MiB "
                   f"({grown['rss_mi_b']:+g} from first to last), GC heap {line['heap_mi_b'][0]} to {line['heap_mi_b'][1]} MiB, native tensors "
                   f"{line['native_tensors'][0]:g} to {line['native_tensors'][1]:g}.\n\n![resident memory, heap, tensors and latency over time](soak.svg)")


def ratios(lines):
    rows = []
    for line in lines:
        ours, peer = line.get("ours", line.get("ours_ms")), line.get("peer_value", line.get("peer_ms"))
        unit = line.get("unit", "ms" if "ours_ms" in line else "")
        shown = percentiles(line) if ours is None else number(ours)
        rows.append([line.get("case", ""), line.get("peer", ""), unit, shown, number(peer), number(line.get("ratio"))])
    return table(["case", "peer", "unit", "ours", "peer's", "ratio (above 1: ours is better)"], rows)


def command(name, lines):
    return f"make {name}" if lines[0]["bench"] == "quality" else f"make bench-{name}"


def page():
    yield INTRO
    for path in sorted((ROOT / "bench" / "results").glob("*.json")):
        result = json.loads(path.read_text())
        lines = [line for line in result["lines"] if "bench" in line]
        if not lines:
            continue
        yield f"## {path.stem}"
        yield f"`{command(path.stem, lines)}`; commit {result['commit']}, {result['date'][:10]}, {result['cores']} cores" + (f", {result['device']}" if "device" in result else "")
        if lines[0]["bench"] == "quality":
            yield f"Protocol {lines[0]['protocol']}, {lines[0]['data']}, {lines[0]['targets']:,} targets; figures averaged over scenarios."
        yield ""
        yield from quality(lines) if lines[0]["bench"] == "quality" else ratios(lines)
        yield from details(lines)
        yield ""


text = "\n".join(page()).rstrip() + "\n"
if "--check" in sys.argv:
    if not PAGE.exists() or PAGE.read_text() != text:
        sys.exit("docs/figures.md is not what bench/results says; run make figures")
else:
    PAGE.write_text(text)
