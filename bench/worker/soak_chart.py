"""The soak's chart, as SVG: what the worker's process held, and how late sets were."""

WIDTH, HEIGHT, LEFT, GAP = 860, 130, 90, 44
ROWS = [
    ("resident memory, MiB", [("rss_mi_b", "#1f77b4")]),
    ("GC heap, MiB", [("heap_mi_b", "#2ca02c")]),
    ("native tensors", [("native_tensors", "#9467bd")]),
    ("event to servable, ms: p50, p99", [("p50", "#ff7f0e"), ("p99", "#d62728")]),
]


def draw(samples, title):
    total = GAP + len(ROWS) * (HEIGHT + GAP) + 10
    end = samples[-1]["minutes"]
    x = lambda minutes: LEFT + (WIDTH - LEFT - 20) * minutes / end
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{total}" font-family="sans-serif" font-size="12">',
             '<rect width="100%" height="100%" fill="white"/>', f'<text x="{LEFT}" y="20" font-weight="bold">{title}</text>']
    for number, (name, lines) in enumerate(ROWS):
        top = GAP + number * (HEIGHT + GAP)
        highest = max(s[key] for s in samples for key, _ in lines) * 1.1 or 1
        y = lambda value: top + HEIGHT - HEIGHT * value / highest
        parts.append(f'<text x="{LEFT}" y="{top - 6}">{name}</text>')
        for step in range(3):
            value = highest * step / 2
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
                         f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0f}</text>')
        for key, colour in lines:
            points = " ".join(f"{x(s['minutes']):.1f},{y(s[key]):.1f}" for s in samples)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    for minute in range(0, int(end) + 1, max(1, int(end) // 5)):
        parts.append(f'<text x="{x(minute):.1f}" y="{total - 22}" text-anchor="middle">{minute} min</text>')
    return "\n".join([*parts, "</svg>", ""])
