# SPDX-License-Identifier: Apache-2.0
"""Tables from samples.

Neighbouring samples on a virtual machine differ by a quarter for reasons of its own, and the machine has fast and slow
minutes. So absolute numbers are for orientation, and the comparison is the paired ratio: within each round, where the
variants ran next to each other, one variant's value by the reference's; then the median of the rounds.
"""

import json
from statistics import median

METRICS = {
    # name: title, unit, format of a value, cost of a unit of work
    "tcp": ("TCP throughput, one stream", "Gbit/s", "{:.1f}", "CPU s/GB"),
    "rr": ("Request and response, one connection", "per s", "{:,.0f}", "CPU µs each"),
    "rr16": ("Request and response, 16 connections", "per s", "{:,.0f}", "CPU µs each"),
    "crr": ("Connect, request, response, close; 16 at a time", "per s", "{:,.0f}", "CPU µs each"),
    "udp": ("UDP, 64 bytes, one flow, received", "per s", "{:,.0f}", "CPU µs each"),
}


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def ratio(samples, variant, reference):
    """Median over rounds of variant by reference; None without a round that has both."""
    by_round = {}
    for s in samples:
        by_round.setdefault(s["round"], {})[s["variant"]] = s["value"]
    ratios = [r[variant] / r[reference] for r in by_round.values() if r.get(reference) and variant in r]
    return median(ratios) if ratios else None


def row(samples, variant, form):
    own = [s for s in samples if s["variant"] == variant]
    values = [s["value"] for s in own]
    costs = [s["cpu"] for s in own if s["cpu"] is not None]
    latencies = [s["p50_us"] for s in own if "p50_us" in s]
    cells = [variant,
             f"{form.format(median(values))} ({form.format(min(values))} .. {form.format(max(values))})",
             f"{median(latencies):.0f}" if latencies else "",
             f"{median(costs):.3g}" if costs else ""]
    for reference in ("straight", "nft"):
        r = ratio(samples, variant, reference)
        cells.append(f"{r:.2f}" if r is not None else "")
    return cells


def table(samples, metric):
    title, unit, form, cost = METRICS[metric]
    variants = list(dict.fromkeys(s["variant"] for s in samples))
    head = ["", f"{unit}: median (min .. max)", "p50 µs", cost, "by straight", "by nft"]
    rows = [row(samples, v, form) for v in sorted(variants)]
    rounds = len({s["round"] for s in samples})
    lines = [f"**{title}** ({rounds} rounds)", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in rows]) + "\n"


def report(samples, noise_max):
    """All tables, without the samples that failed or were disturbed."""
    parts, failed = [], [s for s in samples if "error" in s]
    kept = [s for s in samples if "error" not in s and s["noise"] <= noise_max]
    for metric in METRICS:
        of_metric = [s for s in kept if s["metric"] == metric]
        if of_metric:
            parts.append(table(of_metric, metric))
    disturbed = len(samples) - len(kept) - len(failed)
    parts.append(f"{len(kept)} samples; {disturbed} left out, because more than {noise_max:.0%} of the CPU time went "
                 f"elsewhere; {len(failed)} failed.")
    parts += [f"failed: {s['variant']} {s['metric']} in round {s['round']}: {s['error']}" for s in failed]
    return "\n".join(parts)
