#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""New connections at a given pace, for dead.sh.

    pace.py server PORT                           says a byte to each connection and closes it
    pace.py client ADDRESS PORT RATE SECONDS      RATE connections a second, by several processes; prints how many there were, how
                                                  many failed, how many had to say something twice, and the most that were due at once
"""
import os
import socket
import sys
import time

PROCESSES = 4
PATIENCE_S = 10
TCP_TOTAL_RETRANS = slice(100, 104)  # in struct tcp_info


def server(port):
    listener = socket.create_server(("0.0.0.0", int(port)), backlog=4096)
    while True:
        sock, _ = listener.accept()
        try:
            sock.send(b"x")
        except OSError:
            pass  # a probe resets
        sock.close()


def connect(address):
    """Whether it was answered, and how often something had to be said again."""
    with socket.socket() as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect(address)
        if sock.recv(1) != b"x":
            raise ConnectionError("closed without a word")
        return int.from_bytes(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[TCP_TOTAL_RETRANS], sys.byteorder)


def paced(address, rate, seconds, result):
    """One process: what is due by the clock, one after another; the totals go into a pipe."""
    done = failed = repeated = late = 0
    words = ""
    start = time.monotonic()
    while (now := time.monotonic() - start) < seconds:
        due = int(now * rate) - done
        late = max(late, due)
        if due < 1:
            time.sleep(0.001)
            continue
        try:
            repeated += connect(address) > 0
        except OSError as error:
            failed += 1
            words = words or f"number {done}: {error}"
        done += 1
    os.write(result, f"{done} {failed} {repeated} {late} {words}\n".encode())


def client(address, port, rate, seconds):
    parent, child = os.pipe()
    for _ in range(PROCESSES):
        if os.fork() == 0:
            paced((address, int(port)), float(rate) / PROCESSES, float(seconds), child)
            os._exit(0)
    os.close(child)
    totals, words = [0, 0, 0, 0], []
    with os.fdopen(parent) as lines:
        for line in lines:
            *numbers, text = line.rstrip("\n").split(" ", 4)
            totals = [a + int(b) for a, b in zip(totals, numbers)]
            words += [text] if text else []
    print("{} connections, {} failed, {} repeated, {} due at once".format(*totals), *words, sep="; ")


{"server": server, "client": client}[sys.argv[1]](*sys.argv[2:])
