#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests whose lines or ends two readers could see differently are refused, plain and by TLS: 400, the connection closed,
and nothing of what came behind carried out. Requests one behind the other are all answered.

BUILD is the build directory.
"""
import http.client
import io
import json
import shutil
import socket
import ssl
import sys
import tempfile

from privlinkd import Daemon, acs3, done, free_port, is_equal, make_certificate, ok

HOST = b"Host: a\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\n" + HOST + b"\r\n"
REFUSED = {
    "two lengths that differ": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nabcde",
    "two lengths that agree": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
    "a list of lengths": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5, 5\r\n\r\nabcde",
    "a length with a sign": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\nabcde",
    "a length and chunks": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "chunks by another name": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks twice": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space in front of a colon": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length : 5\r\n\r\nabcde",
    "bare line feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "a bare line feed behind the first line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "a bare line feed within": b"GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n",
    "a bare line feed at the end": b"GET / HTTP/1.1\r\nHost: a\r\n\n",
    "a bare carriage return": b"GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\n" + HOST + b"X: 1\r\n 2\r\n\r\n",
    "a header folded by a tab": b"GET / HTTP/1.1\r\n" + HOST + b"X: 1\r\n\t2\r\n\r\n",
    "a first header behind a space": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "NUL in the target": b"GET /\0?Action=x HTTP/1.1\r\n" + HOST + b"\r\n",
    "a control character in the target": b"GET /\x1b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tab in the target": b"GET /?a=\tb HTTP/1.1\r\n" + HOST + b"\r\n",
    "DEL in the target": b"GET /\x7f HTTP/1.1\r\n" + HOST + b"\r\n",
    "a space in the target": b"GET /?a= b HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "no host": b"GET / HTTP/1.1\r\nX: 1\r\n\r\n",
    "another version": b"GET / HTTP/3.0\r\n" + HOST + b"\r\n",
    "no version": b"GET /\r\n" + HOST + b"\r\n",
    "a chunk behind a bare line feed": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\nabcde\r\n0\r\n\r\n",
    "a chunk longer than its size": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcdef\r\n0\r\n\r\n",
    "a chunk with an extension": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nabcde\r\n0\r\n\r\n",
    "what is no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00",
}


class Bytes:
    """For HTTPResponse: what a connection gave."""

    def __init__(self, data):
        self.file = io.BytesIO(data)

    def makefile(self, *_):
        return self.file


def everything(make, data):
    """All that comes back until the other side ends; None: it does not end."""
    with make() as s:
        s.sendall(data)
        got = b""
        try:
            while piece := s.recv(65536):
                got += piece
        except TimeoutError:
            return None
        except OSError:
            pass
        return got


def answers(data):
    """The answers in it, as status and body."""
    result = []
    while data:
        response = http.client.HTTPResponse(Bytes(data))
        response.begin()
        body = response.read()
        result.append((response.status, json.loads(body) if body else {}))
        data = data[data.index(b"\r\n\r\n") + 4 + len(body):]
    return result


def test_refused(make, how):
    for name, request in REFUSED.items():
        got = everything(make, request + HIDDEN)
        if not ok(got is not None, f"{name}, {how}: the connection is closed"):
            continue
        all_answers = answers(got)
        codes = [(status, body.get("Code")) for status, body in all_answers]
        is_equal(codes, [(400, "InvalidRequest.Malformed")], f"{name}, {how}: refused, and nothing behind it is carried out")
        ok(all_answers and all_answers[0][1]["Message"].startswith("The request cannot be read. "),
           f"{name}, {how}: the answer says why", codes)


def test_taken(daemon, make, how):
    call = acs3(daemon.key(), "GetVersion", {})
    key = daemon.key()
    last = acs3(key, "GetVersion", {}).replace(b"host: localhost", b"host: localhost\r\nconnection: close")
    got = everything(make, b"".join(acs3(key, "GetVersion", {}) for _ in range(50)) + last)
    is_equal([status for status, _ in answers(got or b"")], [200] * 51, f"requests one behind the other are answered, {how}")
    with make() as s:
        for byte in call:
            s.send(bytes([byte]))
        response = http.client.HTTPResponse(s)
        response.begin()
        is_equal(response.status, 200, f"a request that comes byte by byte is answered, {how}")
    with make() as s:
        s.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        is_equal(s.recv(100).split(b"\r\n")[0], b"HTTP/1.1 100 Continue", f"a body is asked for, {how}")
        s.sendall(b"abc")
        response = http.client.HTTPResponse(s)
        response.begin()
        is_equal(json.loads(response.read())["Code"], "MissingAction", f"and read, {how}")


def main():
    directory = tempfile.mkdtemp(prefix="privlinkd-test-")
    daemon = Daemon()
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        crt, key = make_certificate(directory, "api")
        https = free_port()
        daemon.more = ["--https", f"127.0.0.1:{https}", "--cert", crt, "--key", key]
        daemon.start()

        def plain():
            return socket.create_connection(("127.0.0.1", daemon.port), timeout=5)

        def by_tls():
            return context.wrap_socket(socket.create_connection(("127.0.0.1", https), timeout=5))

        for make, how in (plain, "plain"), (by_tls, "by TLS"):
            test_refused(make, how)
            test_taken(daemon, make, how)
        is_equal(daemon.process.poll(), None, "and it still runs")
    finally:
        daemon.remove()
        shutil.rmtree(directory)
    return done()


sys.exit(main())
