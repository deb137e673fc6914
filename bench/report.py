"""What was measured, as a table for people and a picture for the documentation."""

from html import escape

from bench.load import Run


def table(runs: list[Run]) -> str:
    """One row a measurement, the fastest of each selection first."""
    lines = [
        "| selection | server | requests/s | p50 | p95 | p99 ms | server CPU ms | PostgreSQL CPU ms | errors |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for run in sorted(runs, key=lambda run: (_order(runs, run.selection), -run.rate)):
        times = f"{run.p50:.2f} | {run.p95:.2f} | {run.p99:.2f}"
        costs = f"{run.server_ms:.3f} | {run.postgres_ms:.3f}"
        lines.append(f"| {run.selection} | {run.target} | {run.rate:.0f} | {times} | {costs} | {run.errors} |")
    return "\n".join(lines)


def _order(runs: list[Run], selection: str) -> int:
    return [run.selection for run in runs].index(selection)


def ratios(runs: list[Run], ours: str) -> str:
    """How this server compares, selection by selection."""
    by = {(run.selection, run.target): run for run in runs}
    lines = []
    for run in runs:
        mine = by.get((run.selection, ours))
        if mine is None or run.target == ours:
            continue
        if run.target == "by hand":  # its client is the load itself, so only PostgreSQL's work counts
            share = (mine.server_ms + mine.postgres_ms) / max(run.postgres_ms, 1e-9)
            lines.append(f"{run.selection}: {share:.2f} times the CPU of the statement written by hand")
            continue
        share = mine.server_ms / max(run.server_ms, 1e-9)
        lines.append(
            f"{run.selection}: {mine.rate / max(run.rate, 1e-9):.2f} times the requests of {run.target}, "
            f"at {share:.2f} of its server CPU"
        )
    return "\n".join(lines)


def picture(runs: list[Run], selections: list[str]) -> str:
    """Requests a second by selection and server, as bars, in SVG."""
    shown = [run for run in runs if run.selection in selections]
    rows, height = [], 30
    for selection in selections:
        group = sorted((run for run in shown if run.selection == selection), key=lambda run: -run.rate)
        rows.append(f'<text x="10" y="{height}" class="h">{escape(selection)}, requests a second</text>')
        most = max((run.rate for run in group), default=1)
        for place, run in enumerate(group):
            y = height + 12 + place * 24
            width = 480 * run.rate / most
            kind = "o" if run.target == "this server" else "b"
            rows.append(f'<rect x="170" y="{y}" width="{width:.0f}" height="17" class="{kind}"/>')
            rows.append(f'<text x="160" y="{y + 13}" class="l">{escape(run.target)}</text>')
            rows.append(f'<text x="{176 + width:.0f}" y="{y + 13}">{run.rate:.0f}</text>')
        height += 12 + len(group) * 24 + 30
    style = (
        "text{font:13px sans-serif;fill:#222}.h{font-weight:bold}.l{text-anchor:end}.o{fill:#b5452c}.b{fill:#9aa5b1}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="740" height="{height}" role="img" '
        f'aria-label="Requests a second of each server"><style>{style}</style>{"".join(rows)}</svg>\n'
    )
