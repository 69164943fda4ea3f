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
    cells = [variant, str(len(own)),
             f"{form.format(median(values))} ({form.format(min(values))} .. {form.format(max(values))})",
             f"{median(latencies):.0f}" if latencies else "",
             f"{median(costs):.3g}" if costs else ""]
    for reference in ("straight", "nft"):
        r = ratio(samples, variant, reference)
        cells.append(f"{r:.2f}" if r is not None else "")
    return cells


def table(samples, metric, order):
    title, unit, form, cost = METRICS[metric]
    variants = [v for v in order if any(s["variant"] == v for s in samples)]
    head = ["", "n", f"{unit}: median (min .. max)", "p50 µs", cost, "by straight", "by nft"]
    rows = [row(samples, v, form) for v in variants]
    lines = [f"**{title}**", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in rows]) + "\n"


def report(lines, noise_max):
    """All tables, without the samples that failed or were disturbed."""
    parts = [f"{line['machine']}, {time.strftime('%Y-%m-%d', time.gmtime(line['time']))}.\n"
             for line in lines if "machine" in line]
    samples = [line for line in lines if "variant" in line]
    order = list(dict.fromkeys(s["variant"] for s in samples))
    failed = [s for s in samples if "error" in s]
    kept = [s for s in samples if "error" not in s and s["noise"] <= noise_max]
    for metric in METRICS:
        of_metric = [s for s in kept if s["metric"] == metric]
        if of_metric:
            parts.append(table(of_metric, metric, order))
    disturbed = len(samples) - len(kept) - len(failed)
    parts.append(f"{len(kept)} samples; {disturbed} left out, because more than {noise_max:.0%} of the CPU time went "
                 f"elsewhere; {len(failed)} failed.")
    parts += [f"failed: {s['variant']} {s['metric']} in round {s['round']}: {s['error']}" for s in failed]
    return "\n".join(parts)
