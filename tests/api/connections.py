#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Connections alone do not shut the API: strangers who hold as many as they can, and drip, keep nobody from a call; a
handshake, a head and a body have their time, and no more.

BUILD is the build directory.
"""
import http.client
import json
import os
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import time

from privlinkd import Daemon, acs3, done, free_port, is_equal, make_certificate, ok

STRANGERS = "127.0.0.1", "127.0.0.2"
EACH = 256
CUT_S = 10  # how long a handshake, a head and a body may take
HANDSHAKE = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
HEAD = b"GET /?Action=GetVersion&Version="
BODY = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n"


def secured():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Drip(threading.Thread):
    """So many connections from each address, each of which sends `first`, and then a byte every two seconds. Who is cut
    comes again."""

    def __init__(self, port, first):
        super().__init__(daemon=True)
        self.port, self.first, self.over = port, first, threading.Event()
        self.connections = {}
        self.cut = 0
        for source in STRANGERS:
            for i in range(EACH):
                self.open((source, i))
        self.start()

    def open(self, who):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(who[0], 0))
        s.setblocking(False)
        self.connections[who] = s
        self.send(who, self.first)

    def send(self, who, data):
        try:
            self.connections[who].send(data)
        except BlockingIOError:
            pass
        except OSError:
            self.connections[who].close()
            self.cut += 1
            return False
        return True

    def run(self):
        while not self.over.wait(2):
            for who in list(self.connections):
                if not self.send(who, b"a"):
                    try:
                        self.open(who)
                    except OSError:
                        pass

    def stop(self):
        self.over.set()
        self.join()
        for s in self.connections.values():
            s.close()


def call(daemon, port, tls, source):
    """A signed call on a connection of its own: the status, and how long it took."""
    begun = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0)) as plain:
            with (secured().wrap_socket(plain) if tls else plain) as s:
                s.sendall(acs3(daemon.key(), "GetVersion", {}))
                answer = http.client.HTTPResponse(s)
                answer.begin()
                json.loads(answer.read())
                return answer.status, time.monotonic() - begun
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}", time.monotonic() - begun


def test_strangers(daemon):
    for tls, what, first in (
        (False, "say nothing", b""), (False, "drip a head", HEAD), (False, "drip a body", BODY),
        (True, "say nothing", b""), (True, "drip a handshake", HANDSHAKE),
    ):
        port, scheme = (daemon.https, "HTTPS") if tls else (daemon.port, "HTTP")
        drip = Drip(port, first)
        try:
            for source in "127.0.0.3", *STRANGERS:
                results = [call(daemon, port, tls, source) for _ in range(3)]
                slowest = max(took for _, took in results)
                ok([status for status, _ in results] == [200] * 3 and slowest < CUT_S / 2,
                   f"while 512 strangers {what}, a call from {source} does not wait for their end over {scheme}", results)
        finally:
            drip.stop()
    is_equal(daemon.process.poll(), None, "and it still runs")


def wait_until_cut(s, drip, results, name, begun):
    """How long a connection lasts that drips."""
    s.settimeout(1)
    while time.monotonic() - begun < 3 * CUT_S:
        try:
            if drip:
                s.send(drip)
            if not s.recv(100):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    results[name] = time.monotonic() - begun
    s.close()


def test_time(daemon):
    results, threads = {}, []
    for name, port, tls, first, drip in (
        ("silence on HTTP", daemon.port, False, b"", b""),
        ("a head that drips", daemon.port, False, HEAD, b"a"),
        ("a body that drips", daemon.port, False, BODY, b"a"),
        ("silence on HTTPS", daemon.https, False, b"", b""),
        ("a handshake that drips", daemon.https, False, HANDSHAKE, b"a"),
        ("a head that drips within TLS", daemon.https, True, HEAD, b"a"),
        ("a body that drips within TLS", daemon.https, True, BODY, b"a"),
    ):
        begun = time.monotonic()  # so what is measured is never less than what it had
        s = socket.create_connection(("127.0.0.1", port), timeout=20)
        s = secured().wrap_socket(s) if tls else s
        s.sendall(first)
        threads.append(threading.Thread(target=wait_until_cut, args=(s, drip, results, name, begun)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    for name, took in results.items():
        ok(CUT_S - 0.1 < took < 2 * CUT_S, f"{name} is cut after ten seconds", f"after: {took:.1f} s")


def test_kept(daemon):
    """Who is done with a request may take longer for the next."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as s:
        for pause in 0, CUT_S + 2:
            time.sleep(pause)
            s.sendall(acs3(daemon.key(), "GetVersion", {}))
            answer = http.client.HTTPResponse(s)
            answer.begin()
            answer.read()
            is_equal(answer.status, 200, f"a connection that rested for {pause} seconds takes a request")


def test_root_socket(daemon):
    mode = os.stat(os.path.join(daemon.run, "feed.sock")).st_mode & 0o777
    is_equal(mode, 0o600, "the socket for root cannot be filled by others: they cannot open it")


def main():
    directory = tempfile.mkdtemp(prefix="privlinkd-test-")
    daemon = Daemon()
    try:
        crt, key = make_certificate(directory, "api")
        daemon.https = free_port()
        daemon.more = ["--https", f"127.0.0.1:{daemon.https}", "--cert", crt, "--key", key]
        daemon.start()
        test_strangers(daemon)
        test_time(daemon)
        test_kept(daemon)
        test_root_socket(daemon)
    finally:
        daemon.remove()
        shutil.rmtree(directory)
    return done()


os.environ.pop("SSLKEYLOGFILE", None)
sys.exit(main())
