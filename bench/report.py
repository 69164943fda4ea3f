# SPDX-License-Identifier: Apache-2.0
"""Tables from samples.

Neighbouring samples on a virtual machine differ by a quarter for reasons of its own, and the machine has fast and slow
minutes. So absolute numbers are for orientation, and the comparison is the paired ratio: within each round, where the
variants ran next to each other, one variant's value by the reference's; then the median of the rounds.
"""

import json
import os
import time
from statistics import median

from lab import Failure

REFERENCES = ("straight", "handover", "routing", "nft")

METRICS = {
    # name: title, unit, format of a value, cost of a unit of work
    "tcp": ("TCP throughput, one stream", "Gbit/s", "{:.1f}", "CPU s/GB"),
    "rr": ("Request and response, one connection", "per s", "{:,.0f}", "CPU µs each"),
    "rr16": ("Request and response, 16 connections", "per s", "{:,.0f}", "CPU µs each"),
    "crr": ("Connect, request, response, close; 16 at a time", "per s", "{:,.0f}", "CPU µs each"),
    "udp": ("UDP, 64 bytes, one flow, received", "per s", "{:,.0f}", "CPU µs each"),
}


def describe_machine():
    """One line about where this runs."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "unknown CPU")
    return f"{os.cpu_count()} × {model}, Linux {os.uname().release}"


def read(path):
    """The lines of a run's output; what is no such file is a Failure."""
    try:
        with open(path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    except (OSError, ValueError) as error:
        raise Failure(f"{path}: {getattr(error, 'strerror', None) or 'is not the output of a run'}") from error


def spread(values):
    """Median, min, max and number of values; None without any."""
    return {"median": median(values), "min": min(values), "max": max(values), "n": len(values)} if values else None


def ratios(samples, variant, reference):
    """Over rounds that have both: variant by reference."""
    by_round = {}
    for s in samples:
        by_round.setdefault(s["round"], {})[s["variant"]] = s["value"]
    return spread([r[variant] / r[reference] for r in by_round.values() if r.get(reference) and variant in r])


def summarize_variant(samples, variant):
    own = [s for s in samples if s["variant"] == variant]
    row = {"value": spread([s["value"] for s in own])}
    for name in ("p50_us", "p99_us", "cpu"):
        row[name] = spread([s[name] for s in own if s.get(name) is not None])
    return {**row, "by": {reference: ratios(samples, variant, reference) for reference in REFERENCES}}


def summarize(lines, noise_max):
    """All that the tables say, without the samples that failed or were disturbed."""
    samples = [line for line in lines if "variant" in line]
    order = list(dict.fromkeys(s["variant"] for s in samples))
    failed = [s for s in samples if "error" in s]
    kept = [s for s in samples if "error" not in s and s["noise"] <= noise_max]
    metrics = {}
    for metric, (title, unit, _, cost) in METRICS.items():
        of_metric = [s for s in kept if s["metric"] == metric]
        variants = [v for v in order if any(s["variant"] == v for s in of_metric)]
        if variants:
            metrics[metric] = {"title": title, "unit": unit, "cost": cost,
                               "variants": {v: summarize_variant(of_metric, v) for v in variants}}
    return {"runs": [{"machine": line["machine"], "time": line["time"]} for line in lines if "machine" in line],
            "noise_max": noise_max, "metrics": metrics, "kept": len(kept),
            "disturbed": len(samples) - len(kept) - len(failed),
            "failed": [{name: s[name] for name in ("variant", "metric", "round", "error")} for s in failed]}


def cells(name, row, form):
    value = row["value"]
    latencies = [f"{row[q]['median']:.0f}" if row[q] else "" for q in ("p50_us", "p99_us")]
    by = [f"{row['by'][reference]['median']:.2f}" if row["by"][reference] else "" for reference in REFERENCES]
    return [name, str(value["n"]),
            f"{form.format(value['median'])} ({form.format(value['min'])} .. {form.format(value['max'])})",
            *latencies, f"{row['cpu']['median']:.3g}" if row["cpu"] else "", *by]


def table(metric, summary):
    form = METRICS[metric][2]
    head = ["", "n", f"{summary['unit']}: median (min .. max)", "p50 µs", "p99 µs", summary["cost"],
            *(f"by {reference}" for reference in REFERENCES)]
    rows = [head, ["---"] * len(head), *(cells(name, row, form) for name, row in summary["variants"].items())]
    return f"**{summary['title']}**\n\n" + "\n".join("| " + " | ".join(r) + " |" for r in rows) + "\n"


def report(lines, noise_max):
    """All tables."""
    summary = summarize(lines, noise_max)
    parts = [f"{run['machine']}, {time.strftime('%Y-%m-%d', time.gmtime(run['time']))}.\n" for run in summary["runs"]]
    parts += [table(metric, of_metric) for metric, of_metric in summary["metrics"].items()]
    parts.append(f"{summary['kept']} samples; {summary['disturbed']} left out, because more than {noise_max:.0%} of the "
                 f"CPU time went elsewhere; {len(summary['failed'])} failed.")
    parts += [f"failed: {s['variant']} {s['metric']} in round {s['round']}: {s['error']}" for s in summary["failed"]]
    return "\n".join(parts)
