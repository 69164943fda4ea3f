# SPDX-License-Identifier: Apache-2.0
"""One sample: run a client against a server through a variant's path, and see what it cost.

The client is pinned to CPU 0 and the server to CPU 1, in every variant; a proxy or a daemon runs where the kernel puts
it. "cpu" is the busy time of all CPUs during the sample per unit of work, so it has client, server and everything
between in it. A sample also says how disturbed it was: CPU time that the hypervisor took, and CPU time that programs
used that are none of ours.
"""

import json
import os
import subprocess
import time

from lab import Failure
from variants import PORTS

CLIENT_CPU, SERVER_CPU = 0, 1
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_times():
    """(busy, stolen) seconds of all CPUs since boot."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = (int(x) for x in stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq) / TICKS, steal / TICKS


def foreign_time():
    """CPU seconds of all processes that do not descend from this one, kernel threads aside."""
    parents, times = {}, {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(name)] = int(fields[1])
        times[int(name)] = sum(int(x) for x in fields[11:15]) / TICKS

    def is_foreign(pid):
        while pid in parents:
            if pid in (os.getpid(), 2):
                return False
            pid = parents[pid]
        return True

    return sum(spent for pid, spent in times.items() if is_foreign(pid))


def wait_for_quiet(patience_s):
    """Waits, no longer than that, until nothing else runs."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        before = foreign_time()
        time.sleep(0.25)
        if foreign_time() - before < 0.015:
            return


class Sampler:
    """Runs samples for `seconds` each, with the load generator of the build."""

    def __init__(self, lab, lg, seconds):
        self.lab, self.lg, self.seconds = lab, lg, seconds

    def serve(self, variant):
        """Starts the servers that stay up for the whole run."""
        for what in ("rr", "crr"):
            process = self.lab.spawn(self.lg, f"serve-{what}", variant.server_address, str(PORTS[what]),
                                     namespace=variant.server_ns, cpu=SERVER_CPU)
            self.lab.wait_listening(process, PORTS[what])

    def client(self, variant, *words):
        """Runs a client to its end; its JSON."""
        process = self.lab.spawn(*words, namespace=variant.client_ns, cpu=CLIENT_CPU, output=subprocess.PIPE)
        try:
            output = process.communicate(timeout=self.seconds + 15)[0]
        except subprocess.TimeoutExpired as error:
            raise Failure("the client did not end") from error
        finally:
            self.lab.end(process)
        if process.returncode != 0:
            raise Failure(f"{words[0]}: {output.strip()[:200] or 'status %d' % process.returncode}")
        return json.loads(output)

    def tcp(self, variant):
        server = self.lab.spawn("iperf3", "-s", "-1", "-B", variant.server_address, "-p", str(PORTS["tcp"]),
                                namespace=variant.server_ns, cpu=SERVER_CPU)
        try:
            self.lab.wait_listening(server, PORTS["tcp"])
            answer = self.client(variant, "iperf3", "-c", variant.target, "-p", str(PORTS["tcp"]),
                                 "-t", str(self.seconds), "-O", "0.5", "-J")
        finally:
            self.lab.end(server)
        control = answer["end"].get("sender_tcp_congestion")
        if control != "cubic":
            raise Failure(f"congestion control is {control}")
        n_bytes = sum(interval["sum"]["bytes"] for interval in answer["intervals"])
        return {"value": answer["end"]["sum_received"]["bits_per_second"] / 1e9, "units": n_bytes / 1e9,
                "retransmits": answer["end"]["sum_sent"].get("retransmits")}

    def lg_client(self, variant, what, port, n):
        answer = self.client(variant, self.lg, what, variant.target, str(port), str(n), str(self.seconds))
        return {"value": answer["per_s"], "units": answer["n"] / 1e6, **answer}

    def rr(self, variant):
        return self.lg_client(variant, "rr", PORTS["rr"], 1)

    def rr16(self, variant):
        return self.lg_client(variant, "rr", PORTS["rr"], 16)

    def crr(self, variant):
        return self.lg_client(variant, "crr", PORTS["crr"], 16)

    def udp(self, variant):
        sink = self.lab.spawn(self.lg, "udp-sink", variant.server_address, str(PORTS["udp"]),
                              str(self.seconds + 0.8), namespace=variant.server_ns, cpu=SERVER_CPU,
                              output=subprocess.PIPE)
        try:
            self.lab.wait_listening(sink, PORTS["udp"], "udp")
            sent = self.client(variant, self.lg, "udp-flood", variant.target, str(PORTS["udp"]), "1",
                               str(self.seconds))
            answer = json.loads(sink.communicate(timeout=5)[0])
        finally:
            self.lab.end(sink)
        return {"value": answer["per_s"], "units": answer["n"] / 1e6, "sent": sent["n"], "received": answer["n"]}

    def sample(self, metric, variant):
        """One sample with its cost and its disturbance."""
        foreign, (busy, stolen), start = foreign_time(), cpu_times(), time.monotonic()
        result = getattr(self, metric)(variant)
        wall, (busy_after, stolen_after) = time.monotonic() - start, cpu_times()
        result["cpu"] = (busy_after - busy) / result["units"] if result["units"] else None
        result["noise"] = (foreign_time() - foreign + stolen_after - stolen) / (wall * os.cpu_count())
        return result
