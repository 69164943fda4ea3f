# SPDX-License-Identifier: Apache-2.0
"""Traffic that tells when a change is in force: a probe each millisecond, from a process of its own.

A change is in force with the first probe that it has decided, by the time that this one was sent. Times are those of the
monotonic clock, which all processes share.
"""

import contextlib
import ctypes
import multiprocessing
import os
import select
import socket
import struct
import threading
import time

CLONE_NEWNET = 0x40000000
INTERVAL_S = 0.001
SILENT = 20  # so many probes in a row without an answer, and nothing answers
LATE_S = 0.2  # an answer that has not come by then does not come
PATIENCE_S = 60


class Silence(Exception):
    """What was waited for has not come."""


def socket_in(namespace, *arguments):
    """A socket of another network namespace. Only a thread of its own goes there."""
    made = []

    def make():
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{namespace}", encoding="ascii") as place:
            if libc.setns(place.fileno(), CLONE_NEWNET) == 0:
                made.append(socket.socket(*arguments))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if not made:
        raise OSError(f"no socket in {namespace}")
    return made[0]


class Servers:
    """Says who it is to each datagram, in the places of several servers."""

    def __init__(self, namespaces, port):
        self.sockets = [socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM) for namespace in namespaces]
        for s in self.sockets:
            s.bind(("", port))
        self.process = multiprocessing.Process(target=self.serve, daemon=True)
        self.process.start()

    def serve(self):
        while True:
            for s in select.select(self.sockets, [], [])[0]:
                with contextlib.suppress(OSError):
                    data, peer = s.recvfrom(2048)
                    s.sendto(data + bytes([self.sockets.index(s)]), peer)

    def close(self):
        self.process.kill()
        self.process.join()
        for s in self.sockets:
            s.close()


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def question(name, number):
    """Asks for the addresses of a name."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", number & 0xffff, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


class Prober:
    """Probes from one instance: echo requests, datagrams, questions to the resolver."""

    def __init__(self, namespace):
        self.echo = socket_in(namespace, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.udp = socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM)
        self.dns = socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM)
        self.number = os.getpid() & 0xffff  # of the run of probes, in each of them
        self.pipe, self.other_pipe = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=self.run, daemon=True)
        self.process.start()

    def close(self):
        self.process.kill()
        self.process.join()
        for s in (self.echo, self.udp, self.dns):
            s.close()

    # What the caller asks.

    def begin(self, kind, target, until=None, interval_s=INTERVAL_S):
        """Probes until something: "answered", "silent", "another" (server); None: until stop()."""
        self.pipe.send((kind, target, until, interval_s))

    def wait(self):
        """When the first probe was sent that found it so, and all probes: when each was sent and answered, and by whom."""
        told = self.pipe.recv()
        if told[0] is None:
            raise Silence(told[1])
        return told

    def stop(self):
        self.pipe.send(None)
        return self.wait()

    # The process.

    def run(self):
        while True:
            kind, target, until, interval_s = self.other_pipe.recv()
            self.number = self.number * 17 + 1 & 0xffff
            self.other_pipe.send(self.probe(getattr(self, f"send_{kind}"), target, until, interval_s,
                                            {"echo": self.echo, "udp": self.udp, "dns": self.dns}[kind]))

    def probe(self, send, target, until, interval_s, s):
        sent, answers, first = [], {}, None
        end, due = time.monotonic() + (PATIENCE_S if until else 10 * PATIENCE_S), time.monotonic()
        while time.monotonic() < end:
            now = time.monotonic()
            if now >= due:
                sent.append(now)
                with contextlib.suppress(OSError):
                    send(target, len(sent) - 1)
                due = max(due + interval_s, now)
            if select.select([s, self.other_pipe], [], [], max(0, due - time.monotonic()))[0]:
                self.take(s, answers, len(sent))
                if self.other_pipe.poll():
                    self.other_pipe.recv()
                    first = sent[0]
                    break
            first = self.found(until, sent, answers)
            if first is not None:
                break
        if until is None:
            self.take_late(s, sent, answers)
        if first is None:
            return None, f"not {until} within {PATIENCE_S} s"
        return first, [(at, *answers.get(i, (None, None))) for i, at in enumerate(sent)]

    def found(self, until, sent, answers):
        if until == "answered" and answers:
            return sent[min(answers)]
        if until == "silent":
            last = max(answers, default=-1)
            if len(sent) - 1 - last > SILENT and time.monotonic() - sent[last + 1] > SILENT * INTERVAL_S:
                return sent[last + 1]
        if until == "another":
            by = {who: i for i, (_, who) in sorted(answers.items(), reverse=True)}
            if len(by) > 1:
                return sent[max(by.values())]
        return None

    def take_late(self, s, sent, answers):
        while select.select([s], [], [], LATE_S)[0]:
            self.take(s, answers, len(sent))

    def take(self, s, answers, n):
        """Takes what has come; what is of an earlier run has a number that is not ours."""
        while select.select([s], [], [], 0)[0]:
            try:
                data = s.recv(2048)
            except OSError:
                return
            now = time.monotonic()
            number, who = self.read(s, data)
            if number is None:
                continue
            number = n - 1 - (n - 1 - number & 0xffff)  # the last one that could be meant
            if number >= 0 and number not in answers:
                answers[number] = (now, who)

    def read(self, s, data):
        if s is self.echo:
            kind, _, _, run, number = struct.unpack("!BBHHH", data[20:28])
            return (number, None) if kind == 0 and run == self.number else (None, None)
        if s is self.udp:
            run, number, who = struct.unpack("!HHB", data[:5]) if len(data) >= 5 else (None, None, None)
            return (number, who) if run == self.number else (None, None)
        return struct.unpack("!H", data[:2])[0] - self.number & 0xffff, data[3] & 15

    def send_echo(self, target, number):
        head = struct.pack("!BBHHH", 8, 0, 0, self.number, number & 0xffff)
        self.echo.sendto(struct.pack("!BBHHH", 8, 0, checksum(head), self.number, number & 0xffff), (target, 0))

    def send_udp(self, target, number):
        self.udp.sendto(struct.pack("!HH", self.number, number & 0xffff), target)

    def send_dns(self, target, number):
        self.dns.sendto(question(target, number + self.number), ("100.100.2.136", 53))
