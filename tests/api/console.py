#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The console's files as privlinkd serves them, plain and by TLS: exact heads, what is not sent again, other methods, other
addresses, many at once; and that all that the page loads stays small.

BUILD is the build directory; CONSOLE says whether the console was built: yes, no (it was switched off), missing.
"""
import glob
import gzip
import hashlib
import http.client
import io
import json
import os
import re
import shutil
import socket
import ssl
import sys
import tempfile
import time
from html.parser import HTMLParser

from privlinkd import Daemon, acs3, done, free_port, is_equal, make_certificate, ok, wait_for

LIMIT = 150_000  # bytes, gzip: all that the page loads
LATE_LIMIT = 30_000  # what few look at
TAKEN_S = 60  # how long an answer waits to be taken
POLICY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                               "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
TYPES = {
    "": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
}
NOW = re.compile(r'(?:from|import)"\./([\w.-]+\.js)"')
WHEN_WANTED = re.compile(r'import\("\./([\w.-]+\.js)"\)')
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
# Nothing of this is a file of the console, so the API refuses it as any address that it does not know.
UNKNOWN = [
    "/console/nothing", "/console/index.html", "/console/console.js/", "/console//console.js", "//console/", "/console/.",
    "/console/..", "/console/../console/console.js", "/console/./console.js", "/console/../../etc/passwd",
    "/console/%2e%2e/%2e%2e/etc/passwd", "/console/..%2f..%2fetc%2fpasswd", "/console/..\\..\\etc\\passwd",
    "/console/%63onsole.js", "/console/console.js%00", "/console/console.js%00.css", "/console/console.js;a", "/Console/",
    "/console/CONSOLE.JS", "/console/console.js.map", "/consol", "/consolee", "/console/con", "/console/admin.env", "/favicon.ico",
    "/console%2f", "console/", "http://127.0.0.1/consol", "http:///console/", "/console/" + "../" * 5000 + "etc/passwd", "/console/" + "a" * 30000,
]


class Answer:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()
        self.pairs = [(name.lower(), value) for name, value in response.getheaders()]
        self.headers = dict(self.pairs)

    def header(self, name):
        return self.headers.get(name)


def ask(connection, method, path, headers=None, body=None):
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    return Answer(connection.getresponse())


def test_files(connect, how):
    c = connect()
    for path, kind in ((path, TYPES[path.rpartition(".")[2] if "." in path else ""]) for path in found(c)):
        plain = ask(c, "GET", path)
        packed = ask(c, "GET", path, {"Accept-Encoding": "gzip, deflate, br"})
        ok(plain.status == 200 and packed.status == 200 and plain.body, f"{path} is there, {how}")
        is_equal(gzip.decompress(packed.body), plain.body, f"{path}: both codings are of one content, {how}")
        for answer, coding in (plain, {}), (packed, {"content-encoding": "gzip"}):
            got = {k: v for k, v in answer.headers.items() if k not in ("date", "etag")}
            want = {"connection": "keep-alive", "content-length": str(len(answer.body)), "content-type": kind,
                    "vary": "Accept-Encoding", **POLICY, **coding}
            is_equal(got, want, f"{path}: its head is exactly so ({'gzip' if coding else 'plain'}), {how}")
            ok(len(answer.pairs) == len(answer.headers), f"{path}: each line of it is there once, {how}")
            is_equal(answer.header("etag"), f'"{hashlib.sha256(answer.body).hexdigest()[:24]}"',
                     f"{path}: its tag is made of what it holds, {how}")
        ok(packed.header("etag") != plain.header("etag"), f"{path}: each coding has a tag of its own, {how}")
        test_head(c, path, plain, packed, how)
        test_unchanged(c, path, plain, packed, how)
    is_equal(ask(c, "GET", "/console/?a=b&Action=GetVersion").status, 200, f"a query changes nothing, {how}")
    is_equal(ask(c, "GET", "/console/", body=b"a=b").status, 200, f"nor does a body, {how}")
    is_equal(ask(c, "GET", "/console/", body=b"a" * 300_000).status, 413, f"one that is too large is refused, {how}")
    is_equal(ask(c, "GET", "/console/").status, 200, f"and the connection goes on, {how}")


def test_head(c, path, plain, packed, how):
    for answer, headers in (plain, {}), (packed, {"Accept-Encoding": "gzip"}):
        head = ask(c, "HEAD", path, headers)
        same = {k: v for k, v in answer.headers.items() if k != "date"}
        is_equal((head.status, head.body, {k: v for k, v in head.headers.items() if k != "date"}), (200, b"", same),
                 f"{path}: HEAD gives the same head and nothing else, {how}")


def test_unchanged(c, path, plain, packed, how):
    for answer, headers in (plain, {}), (packed, {"Accept-Encoding": "gzip"}):
        tag = answer.header("etag")
        for method in "GET", "HEAD":
            again = ask(c, method, path, {**headers, "If-None-Match": tag})
            is_equal((again.status, again.body, again.header("etag"), again.header("content-length")), (304, b"", tag, None),
                     f"{path}: {method} of what one has is not answered again, {how}")
            is_equal({k: again.header(k) for k in POLICY}, POLICY, f"{path}: that, too, says what the page may, {how}")
        for other in '"other"', packed.header("etag") if answer is plain else plain.header("etag"):
            is_equal(ask(c, "GET", path, {**headers, "If-None-Match": other}).status, 200,
                     f"{path}: with another tag it is, {how}")


def test_ways(daemon, connect, how):
    c = connect()
    for method in "GET", "HEAD":
        answer = ask(c, method, "/console")
        is_equal((answer.status, answer.header("location")), (308, "/console/"), f"{method} /console leads to /console/, {how}")
    answer = ask(c, "GET", "/", {"Accept": BROWSER})
    is_equal((answer.status, answer.header("location")), (302, "/console/"), f"a browser's / leads to the console, {how}")
    is_equal({k: answer.header(k) for k in POLICY}, POLICY, f"and nobody may keep that, {how}")
    as_before = {
        "without a word of pages": ("GET", "/", {}, None),
        "that takes anything": ("GET", "/", {"Accept": "*/*"}, None),
        "that wants JSON": ("GET", "/", {"Accept": "application/json"}, None),
        "with a parameter": ("GET", "/?Action=GetVersion", {"Accept": BROWSER}, None),
        "with a key": ("GET", "/", {"Accept": BROWSER, "Authorization": "acs a:b"}, None),
        "with a body": ("GET", "/", {"Accept": BROWSER}, b"Action=GetVersion"),
        "that posts": ("POST", "/", {"Accept": BROWSER}, b"Action=GetVersion"),
    }
    for name, request in as_before.items():
        answer = ask(c, *request)
        ok(answer.status in (400, 403, 404) and "Code" in json.loads(answer.body), f"a request for / {name} is the API's, {how}",
           answer.status, answer.body)
    for method in "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "PROPFIND":
        for path in (*found(c), "/console"):
            answer = ask(c, method, path, body=b"")
            is_equal((answer.status, answer.header("allow"), {k: answer.header(k) for k in POLICY}), (405, "GET, HEAD", POLICY),
                     f"{method} {path} is not allowed, and the answer says what is, {how}")
    answer = ask(c, "OPTIONS", "/console/", {"Origin": "http://elsewhere", "Access-Control-Request-Method": "POST"})
    names = [n for n in (*answer.headers, *ask(c, "GET", "/console/", {"Origin": "http://elsewhere"}).headers)
             if n.startswith("access-control") or n == "set-cookie"]
    is_equal(names, [], f"other origins are told nothing, and no cookie is set, {how}")


def test_unknown(connect, how):
    c = connect()
    is_equal(ask(c, "GET", "http://127.0.0.1/console/").body, ask(c, "GET", "/console/").body,
             f"a path behind a host's name is that path, {how}")
    for path in UNKNOWN:
        answer = ask(c, "GET", path)
        shown = path if len(path) < 60 else f"{path[:40]}… ({len(path)})"
        is_equal((answer.status, json.loads(answer.body).get("Code")), (404, "InvalidApi.NotFound"),
                 f"{shown} is nothing that is served, {how}")


class Loads(HTMLParser):
    """What a page asks for: of its elements, whatever has an address."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href") and tag != "a"]


def test_unrecorded(daemon, connect, how):
    """Files are no calls: no line stands between those of two calls. (One that only counts what was refused before may.)"""
    def calls():
        paths = glob.glob(os.path.join(daemon.state, "audit", "*.jsonl"))
        lines = (json.loads(line) for path in paths for line in open(path, "rb").read().split(b"\n")[:-1])
        return [line["RequestId"] for line in lines if "RequestId" in line]

    def call():
        """The calls that stand there with this one's line."""
        request_id = daemon.call("GetVersion")[1]["RequestId"]
        ok(wait_for(lambda: request_id in calls()), f"a call is in the audit log, {how}")
        return set(calls()), request_id
    c = connect()
    before, _ = call()
    for _ in range(20):
        ask(c, "GET", "/console/")
        ask(c, "GET", "/", {"Accept": BROWSER})
    after, last = call()
    is_equal(after - before, {last}, f"what is read of the console is not, {how}")


def found(connection):
    """The paths of all that the page can load, and of each whether it is loaded at once."""
    page = Loads()
    page.feed(ask(connection, "GET", "/console/").body.decode())
    files, todo = {"/console/": True}, [(name, True) for name in page.found]
    while todo:
        name, now = todo.pop()
        path = f"/console/{name}"
        if path in files and (files[path] or not now):
            continue
        files[path] = now
        if name.endswith(".js"):
            script = ask(connection, "GET", path).body.decode()
            todo += [(part, now) for part in NOW.findall(script)] + [(part, False) for part in WHEN_WANTED.findall(script)]
    return files


def test_size(connect):
    c = connect()
    page = Loads()
    page.feed(ask(c, "GET", "/console/").body.decode())
    ok({"console.js", "console.css"} <= set(page.found), "the page names its script and its styles", page.found)
    is_equal([n for n in page.found if "/" in n or ":" in n], [], "and nothing from elsewhere")
    files = found(c)
    sizes = {path: len(ask(c, "GET", path, {"Accept-Encoding": "gzip"}).body) for path in files}
    texts = [path for path in files if re.match(r"/console/(en|zh)-", path)]
    is_equal([files[path] for path in texts], [False, False], "and asks for a language's texts when it is wanted")
    total = sum(sizes[path] for path, now in files.items() if now) + max(sizes[path] for path in texts)  # a reader has one language
    late = sum(sizes[path] for path, now in files.items() if not now and path not in texts)
    print(f"# {total} bytes, and {late} that come when they are wanted: {sizes}")
    ok(total <= LIMIT, f"all that the page loads is at most {LIMIT} bytes", sizes)
    ok(late <= LATE_LIMIT, f"and what it may load later at most {LATE_LIMIT}", sizes)
    styles = ask(c, "GET", "/console/console.css").body.decode()
    ok(not re.search(r"@import|url\((?!['\"]?#)", styles), "the styles load nothing more")
    script = ask(c, "GET", "/console/console.js").body
    ok(b"react.development" not in script and b"sourceMappingURL" not in script, "the script is the one for users")


def requests(*lines):
    return b"".join(line.encode() + b"\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n" for line in lines)


class Shared(io.BufferedIOBase):
    """What a connection gives, for one HTTPResponse after the other; each would close it."""

    def __init__(self, s):
        self.file = s.makefile("rb")

    def makefile(self, *_):
        return self

    def readline(self, *size):
        return self.file.readline(*size)

    def read(self, *size):
        return self.file.read(*size)

    def readinto(self, buffer):
        return self.file.readinto(buffer)

    def close(self):
        pass


def test_pipeline(daemon, open_socket, how):
    lines = ["GET /console/console.js HTTP/1.1", "HEAD /console/console.js HTTP/1.1", "GET /console/ HTTP/1.1",
             "GET /nothing HTTP/1.1"] * 20
    statuses = []
    with open_socket() as s:
        s.sendall(b"".join(f"{line}\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n".encode() for line in lines) +
                  acs3(daemon.key(), "GetVersion", {}))
        shared = Shared(s)
        for line in [*lines, "POST"]:
            response = http.client.HTTPResponse(shared, method=line.split()[0])
            response.begin()
            response.read()
            statuses.append(response.status)
    is_equal(statuses, [200, 200, 200, 404] * 20 + [200], f"files and calls, one behind the other, are all answered, {how}")


def test_slow_readers(daemon, connect, open_socket, how):
    """Who asks and takes nothing costs no memory and keeps nobody waiting."""
    script = ask(connect(), "GET", "/console/console.js").body
    request = b"GET /console/console.js HTTP/1.1\r\nHost: a\r\n\r\n"
    idle = [open_socket() for _ in range(100)]
    before = daemon.memory()
    for s in idle:
        s.sendall(request * 39 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    began = time.monotonic()
    status, _ = daemon.call("GetVersion")
    ok(status == 200 and time.monotonic() - began < TAKEN_S / 2,
       f"beside a hundred that take nothing, calls are answered, {how}")
    grown = daemon.memory() - before
    print(f"# {grown} KiB more")
    ok(grown < len(idle) * len(script) // 1024 // 2, f"and what they do not take is not kept for them, {how}", f"{grown} KiB")
    for s in idle[1:]:
        s.close()
    got = b""
    while piece := idle[0].recv(1 << 16):
        got += piece
    idle[0].close()
    is_equal(got.count(script), 40, f"one that takes late gets all of it, {how}")


def test_without(connect):
    """Switched off, or not to be built here."""
    c = connect()
    for path in "/console", "/console/":
        answer = ask(c, "GET", path)
        is_equal((answer.status, answer.body), (404, b"This privlinkd was built without the console.\n"), f"{path} says why it is not there")
    for request in ("GET", "/console/console.js", {}), ("GET", "/", {"Accept": BROWSER}):
        answer = ask(c, *request)
        ok(answer.status in (400, 404) and "Code" in json.loads(answer.body), f"{request[1]} is the API's")


class Measured(Daemon):
    def memory(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup") as f:
            return int(re.search(r"^Private_Dirty: *(\d+)", f.read(), re.MULTILINE)[1])


def test_all(daemon, https):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def plain():
        return socket.create_connection(("127.0.0.1", daemon.port), timeout=60)

    def by_tls():
        return context.wrap_socket(socket.create_connection(("127.0.0.1", https), timeout=60))

    ways = [(lambda: http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60), plain, "plain"),
            (lambda: http.client.HTTPSConnection("127.0.0.1", https, timeout=60, context=context), by_tls, "by TLS")]
    for connect, open_socket, how in ways:
        test_files(connect, how)
        test_ways(daemon, connect, how)
        test_unknown(connect, how)
        test_pipeline(daemon, open_socket, how)
        test_unrecorded(daemon, connect, how)
        test_slow_readers(daemon, connect, open_socket, how)
    test_size(ways[0][0])


def main():
    directory = tempfile.mkdtemp(prefix="privlinkd-test-")
    daemon = Measured()
    try:
        crt, key = make_certificate(directory, "api")
        https = free_port()
        daemon.more = ["--https", f"127.0.0.1:{https}", "--cert", crt, "--key", key]
        # Else AddressSanitizer keeps what was freed, which is measured here.
        daemon.environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
        daemon.start()
        ok(os.environ["CONSOLE"] != "missing", "the packages that the console is built from are there")
        if os.environ["CONSOLE"] == "yes":
            test_all(daemon, https)
        else:
            test_without(lambda: http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60))
        is_equal(daemon.process.poll(), None, "and it still runs")
    finally:
        daemon.remove()
        shutil.rmtree(directory)
    return done()


sys.exit(main())
