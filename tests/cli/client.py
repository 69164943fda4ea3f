#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line as a client: it says why it does not trust a server, and tells its secret to nobody.

BUILD is the build directory.
"""
import calendar
import contextlib
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../api"))
from privlinkd import BUILD, done, make_certificate, ok, wait_for  # noqa: E402

SECRET = "SECRETsecretSECRETsecretSECRET"


@contextlib.contextmanager
def server(pair=None):
    """Takes connections and answers none; by TLS if it has certificate and key. Gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    context = None
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
    held = []

    def serve():
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with contextlib.suppress(OSError):
                held.append(context.wrap_socket(connection, server_side=True) if context else connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in held:
            connection.close()


def command(directory, *arguments):
    return [f"{BUILD}/src/cmd/privlink", "call", "privlink", "ListNodes", "--state-dir", directory, "--config", "/dev/null",
            *arguments]


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PRIVLINK_")}
    return {**kept, **more}


KEY = {"PRIVLINK_ACCESS_KEY_ID": "id", "PRIVLINK_ACCESS_KEY_SECRET": SECRET}


PATIENCE = "60"  # where there is an end without it
SHORT = "2"  # where nobody answers


def said(directory, url, ca, patience=PATIENCE):
    result = subprocess.run(command(directory, "--endpoint", url, *(["--ca", ca] if ca else []), "--timeout", patience),
                            capture_output=True, text=True, timeout=120, env=environment(**KEY))
    return result.returncode, result.stderr


def test_trust(directory):
    good = make_certificate(directory, "good")
    other = make_certificate(directory, "other")
    ended = make_certificate(directory, "ended", days=(-40, -1))
    early = make_certificate(directory, "early", days=(2, 40))
    named = make_certificate(directory, "named", names="DNS:elsewhere.example")
    # The same name and another key: an authority that was made anew.
    os.mkdir(os.path.join(directory, "again"))
    again = make_certificate(os.path.join(directory, "again"), "good")
    for pair, ca, want, what in (
        (ended, ended[0], "has expired (", "that has expired"),
        (early, early[0], "is not valid yet (is the clock of this machine right?)", "that is not valid yet"),
        (named, named[0], "is for other names", "for another name"),
        (good, other[0], "comes from an authority that is not among those to trust", "of an unknown authority"),
        (good, again[0], "ca.crt with --ca", "of an authority that was made anew"),
    ):
        with server(pair) as port:
            status, text = said(directory, f"https://127.0.0.1:{port}", ca)
        ok(status == 1 and want in text and ca in text, f"it says why it refuses a certificate {what}", text)
    with server(good) as port:
        status, text = said(directory, f"https://127.0.0.1:{port}", good[0], SHORT)
        ok("cannot trust" not in text and "certificate" not in text, "one that is good is none of the reasons", text)
        status, text = said(directory, f"https://127.0.0.1:{port}", "/nowhere/ca.crt")
        ok(status == 1 and "cannot read the certificates to trust, /nowhere/ca.crt" in text,
           "it says when it cannot read whom to trust", text)


def test_own_authority(directory):
    """Where nobody says whom to trust, and this machine has an authority of its own."""
    own, public = (make_certificate(directory, name) for name in ("own", "public"))
    state = os.path.join(directory, "own-state")
    os.mkdir(state)
    shutil.copy(own[0], os.path.join(state, "ca.crt"))
    with server(public) as port:
        call = command(state, "--endpoint", f"https://127.0.0.1:{port}", "--timeout", "2")
        for options, is_own in (([], True), (["--ca", own[0]], False)):
            result = subprocess.run([*call, *options], capture_output=True, text=True, timeout=20, env=environment(**KEY))
            ok(result.returncode == 1 and "cannot trust the API" in result.stderr and
               ("--ca /etc/ssl/certs/ca-certificates.crt" in result.stderr) is is_own,
               f"how to trust the system's authorities is told {'where nobody said whom' if is_own else 'to nobody who did'}",
               result.stderr)


def test_only_whom_is_named(directory):
    """Where this machine trusts an authority, and --ca names another one."""
    trusted, named = (make_certificate(directory, name) for name in ("system", "named-alone"))
    trusting = 'mount -t tmpfs none /etc/ssl/certs && cp "$0" /etc/ssl/certs && cp "$0" /etc/ssl/certs/ca-certificates.crt && "$@"'
    with server(trusted) as port:
        for options, patience, want in ((["--ca", named[0]], PATIENCE, "cannot trust the API"), ([], SHORT, "cannot reach the API")):
            result = subprocess.run(["unshare", "--mount", "sh", "-c", trusting, trusted[0], *command(
                directory, "--endpoint", f"https://127.0.0.1:{port}", "--timeout", patience, *options)],
                                    capture_output=True, text=True, timeout=120, env=environment(**KEY))
            ok(want in result.stderr, f"an authority of the system, {' '.join(options[:1]) or 'no --ca'}: {want}", result.stderr)


def test_no_certificate(directory):
    pair = make_certificate(directory, "trusted")
    text, empty = (os.path.join(directory, name) for name in ("text", "empty"))
    with open(text, "w") as f:
        f.write("hello\n")
    open(empty, "w").close()
    with server(pair) as port:
        for ca, want in (
            (text, "holds no certificate in PEM"), (empty, "is empty"), (pair[1], "holds a private key and no certificate"),
            (directory, "Is a directory"),
        ):
            status, said_text = said(directory, f"https://127.0.0.1:{port}", ca)
            ok(status == 1 and f"cannot read the certificates to trust, {ca}: " in said_text and want in said_text,
               f"it says that the file of certificates {want}", said_text)


@contextlib.contextmanager
def web_server(pair=None):
    """One that answers, if only that it does not know what is wanted."""
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        web.socket = context.wrap_socket(web.socket, server_side=True)
    web.RequestHandlerClass.log_message = lambda *_: None
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    try:
        yield web.server_port
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


def test_other_scheme(directory):
    pair = make_certificate(directory, "scheme")
    with web_server() as port:
        status, text = said(directory, f"https://127.0.0.1:{port}", pair[0])
        ok(status == 1 and "the port does not speak TLS" in text and f"(http://127.0.0.1:{port})" in text,
           "https:// to a port of plain HTTP is told", text)
    with web_server(pair) as port:
        status, text = said(directory, f"http://127.0.0.1:{port}", pair[0])
        ok(status == 1 and "the port speaks TLS" in text and f"(https://127.0.0.1:{port})" in text,
           "http:// to a port of TLS is told", text)


@contextlib.contextmanager
def api(throttled, answers=None):
    """Answers that there is nothing, and what an action has of its own; the calls of these numbers, that they come too often,
    so many milliseconds too early."""
    calls = []

    class Api(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            calls.append((time.time(), form, self.headers["x-acs-signature-nonce"]))
            wait_ms = throttled.get(len(calls))
            answer = {"RequestId": "R", "Events": [], "Nodes": [], "TotalCount": 0} | (answers or {}).get(self.headers["x-acs-action"], {})
            body = json.dumps({"Code": "Throttling.User", "Message": "Too many.", "RequestId": "R"} if wait_ms else answer).encode()
            self.send_response(400 if wait_ms else 200)
            if wait_ms and wait_ms > 0:
                self.send_header("X-Acs-Retry-After", str(wait_ms))
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{web.server_port}", calls
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


def test_throttled(directory):
    with api({1: 1, 2: 1}) as (url, calls):
        status, text = said(directory, url, None)
        ok(status == 0 and len(calls) == 3 and len({nonce for *_, nonce in calls}) == 3,
           "a call that came too often is made again when it may be, under a signature of its own", status, text, calls)
    with api({1: 100_000}) as (url, calls):
        status, text = said(directory, url, None)
        ok(status == 1 and len(calls) == 1 and "Throttling.User: Too many." in text, "but not beyond --timeout", status, text, calls)
    with api({1: -1}) as (url, calls):
        status, text = said(directory, url, None)
        ok(status == 1 and len(calls) == 1 and "Throttling.User" in text, "nor where nobody says when it may be", status, text, calls)


def test_follow_throttled(directory):
    """The third call is the second one again, which was throttled for longer than its --timeout; the fourth goes on from there."""
    with api({2: 2100}) as (url, calls):
        follow = subprocess.Popen([f"{BUILD}/src/cmd/privlink", "audit", "--follow", "--state-dir", directory, "--config", "/dev/null",
                                   "--endpoint", url, "--timeout", "1"], stderr=subprocess.PIPE, text=True, env=environment(**KEY))
        ok(wait_for(lambda: len(calls) >= 4 or follow.poll() is not None) and follow.poll() is None,
           "audit --follow waits for its turn however long that takes, and goes on", len(calls))
        follow.kill()
        text = follow.communicate()[1]
    ok("the account calls too often; waiting 3 s" in text, "and says so", text)
    since = [calendar.timegm(time.strptime(form["StartTime"][0], "%Y-%m-%dT%H:%M:%SZ")) for _, form, _ in calls[1:4]]
    ok(since[0] == since[1] and since[2] <= calls[1][0] - 60, "without a gap of the time that it has waited", since, calls)


def test_no_verdict(directory):
    """A connectivity test whose node was gone has neither steps nor a verdict."""
    answers = {"GetEndpointPath": {"Verdict": "Reachable", "Protocol": "TCP", "Port": 443, "Hops": []},
               "CreateConnectivityTest": {"TestId": "ct-1"},
               "GetConnectivityTest": {"TestId": "ct-1", "Status": "Expired", "StatusInfo": "Its node did not answer.", "Verdict": "", "Steps": []}}
    for options in [], ["-o", "json"]:
        with api({}, answers) as (url, _):
            result = subprocess.run([f"{BUILD}/src/cmd/privlink", "diagnose", "i-1", "10.0.1.100:443", "--state-dir", directory, "--config",
                                     "/dev/null", "--endpoint", url, *options], capture_output=True, text=True, timeout=120,
                                    env=environment(**KEY))
        ok(result.returncode == 1 and "ct-1: Expired: Its node did not answer." in result.stderr,
           f"diagnose{' in JSON' if options else ''} fails with the reason where its test ended without a verdict", result)


def test_text_only(directory):
    for words in ["ca", "init"], ["ca", "issue"], ["ca", "show"], ["admin", "new-key"], ["store", "backup"], ["node", "accept-store"]:
        for place in [*words, "-o", "json"], ["--json", *words]:
            result = subprocess.run([f"{BUILD}/src/cmd/privlink", "--state-dir", directory, *place], capture_output=True, text=True,
                                    timeout=60, env=environment())
            ok(result.returncode == 2 and f"{' '.join(words)} prints no JSON" in result.stderr, f"{' '.join(place)} is refused", result)


class Named(http.server.BaseHTTPRequestHandler):
    """A privlinkd that says which file its copy of the store is."""
    def do_POST(self):
        body = json.dumps({"file": self.server.file, "store": "s", "revision": 1}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "feed"

    def log_message(self, *_):
        pass


class Feed(http.server.HTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)


def test_backup(directory):
    """What privlinkd names is not root's word."""
    if os.geteuid() != 0:
        return
    state = os.path.join(directory, "backup")
    os.makedirs(os.path.join(state, "store"))
    os.chown(os.path.join(state, "store"), 65534, 65534)
    secret, copy = os.path.join(state, "secret"), os.path.join(state, "copy")
    own = os.path.join(state, "store", "privlink.db.backup")
    feed = Feed(os.path.join(state, "feed.sock"), Named)
    thread = threading.Thread(target=feed.serve_forever)
    thread.start()

    def backup():
        return subprocess.run([f"{BUILD}/src/cmd/privlink", "--state-dir", state, "store", "backup", copy, "--run-dir", state],
                              capture_output=True, text=True, timeout=60, env=environment())

    with open(secret, "w", encoding="utf-8") as f:
        f.write("secret")
    for name, named, make in [("another file", secret, lambda: None), ("a link to another file", own, lambda: os.symlink(secret, own)),
                              ("another name of another's file", own, lambda: os.link(secret, own))]:
        feed.file = named
        make()
        result = backup()
        ok(result.returncode == 1 and not os.path.exists(copy) and os.path.exists(secret),
           f"store backup neither copies nor removes {name} that privlinkd names", result)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(own)
    with open(own, "w", encoding="utf-8") as f:
        f.write("store")
    os.chown(own, 65534, 65534)
    result = backup()
    ok(result.returncode == 0 and os.path.getsize(copy) == 5 and not os.path.exists(own), "but its own file", result)
    os.rename(os.path.join(state, "store"), os.path.join(state, "elsewhere"))
    result = backup()
    ok(result.returncode == 1 and f"cannot open the store's directory {state}/store: No such file" in result.stderr and
       "--state-dir says where" in result.stderr, "where there is no store, it says which option tells where", result)
    feed.shutdown()
    thread.join()
    feed.server_close()


def shown(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return f.read()


def connected(pid):
    """Whether it has a socket: its arguments are read by then."""
    with contextlib.suppress(OSError):
        return any(os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:") for fd in os.listdir(f"/proc/{pid}/fd"))
    return False


def test_secret(directory):
    with server() as port:
        url = f"http://127.0.0.1:{port}"
        for arguments, stdin, more, how in (
            (["--access-key-id", "id", "--access-key-secret", SECRET], None, {}, "as an option"),
            (["--access-key-id", "id", "--access-key-secret", "-"], SECRET + "\n", {}, "on standard input"),
            ([], None, KEY, "in the environment"),
        ):
            process = subprocess.Popen(command(directory, "--endpoint", url, *arguments), stdin=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True, env=environment(**more))
            if stdin:
                process.stdin.write(stdin)
            process.stdin.close()
            ok(wait_for(lambda: connected(process.pid)), f"a secret {how} is taken")
            ok(SECRET.encode() not in shown(process.pid), f"a secret {how} is not in the list of processes",
               shown(process.pid))
            process.kill()
            process.wait()
            process.stderr.close()
    result = subprocess.run(command(directory, "--access-key-id", "id", "--access-key-secret", "-"), capture_output=True,
                            text=True, timeout=120, stdin=subprocess.DEVNULL, env=environment())
    ok(result.returncode == 2 and "nothing on standard input" in result.stderr, "no secret on standard input is an error",
       result.stderr)


def test_settings(directory):
    config = os.path.join(directory, "config")
    call = lambda path: subprocess.run([f"{BUILD}/src/cmd/privlink", "vpc", "list", "--config", path], capture_output=True,
                                       text=True, timeout=120, env=environment())
    for text, want in (
        ("# who\nregoin = cn-beijing\n", 'line=2: there is no option "regoin"'),
        ("region = a\nPRIVLINK_REGION = b\n", "line=2: option region stands in line=1 already"),
    ):
        with open(config, "w") as f:
            f.write(text)
        result = call(config)
        ok(result.returncode == 1 and f"privlink: cannot read config={config} {want}" in result.stderr,
           "a bad line of its settings is told with file and line", result.stderr)
    result = call(directory)
    ok(result.returncode == 1 and f"cannot read config={directory}: it is a directory" in result.stderr,
       "so is a directory", result.stderr)


def test_show(directory):
    state = os.path.join(directory, "state")
    os.makedirs(os.path.join(state, "tls"))
    show = lambda *files: subprocess.run([f"{BUILD}/src/cmd/privlink", "ca", "show", "--state-dir", state, "--config", "/dev/null",
                                          *files], capture_output=True, text=True, timeout=120, env=environment())
    result = show()
    ok(result.returncode == 1 and f"cannot read {state}/ca.crt" in result.stderr, "ca show: a missing authority is told",
       result.stderr)
    shutil.copy(make_certificate(directory, "authority")[0], os.path.join(state, "ca.crt"))
    shutil.copy(make_certificate(directory, "api")[0], os.path.join(state, "tls/api.crt"))
    result = show()
    ok(result.returncode == 0 and f"{state}/ca.crt  authority  is valid until 20" in result.stdout and
       f"{state}/tls/api.crt  api  is valid until 20" in result.stdout, "ca show: the authority's and the API's, and until when",
       result.stdout, result.stderr)
    for days, want in ((-40, -1), "has expired on"), ((1, 40), "is not valid before"), ((-300, 29), "expires on"):
        result = show(make_certificate(directory, "timed", days=days)[0])
        ok(result.returncode == 1 and f"timed  {want}" in result.stdout, f"ca show: one that {want} … is told by the status, too",
           result.stdout, result.stderr)
    result = show("/dev/null", os.path.join(directory, "timed.key"))
    ok(result.returncode == 1 and "cannot read /dev/null" in result.stderr and "are the two swapped?" in result.stderr,
       "ca show: what is no certificate is told", result.stderr)


def test_expired_authority(directory):
    if os.geteuid() != 0:
        return
    state = os.path.join(directory, "expired")
    os.makedirs(os.path.join(state, "ca"))
    crt, key = make_certificate(directory, "old-authority", days=(-40, -1))
    shutil.copy(crt, os.path.join(state, "ca.crt"))
    shutil.copy(key, os.path.join(state, "ca/ca.key"))
    ca = lambda *words: subprocess.run([f"{BUILD}/src/cmd/privlink", "ca", *words, "--state-dir", state], capture_output=True,
                                       text=True, timeout=120, env=environment())
    issue = "issue", "--name", "x", "--out", state, "--san", "DNS:x"
    for words in ("init",), issue:
        result = ca(*words)
        ok(result.returncode == 1 and "has expired: remove" in result.stderr,
           f"ca {words[0]}: an authority that has expired is told, with what to do", result.stderr)
    ok(not os.path.exists(os.path.join(state, "x.crt")), "and issues nothing")
    os.unlink(os.path.join(state, "ca.crt"))
    ok(ca("init").returncode == 0 and ca(*issue).returncode == 0, "doing it mends it")


def main():
    directory = tempfile.mkdtemp(prefix="privlink-client-")
    try:
        test_trust(directory)
        test_own_authority(directory)
        test_only_whom_is_named(directory)
        test_no_certificate(directory)
        test_other_scheme(directory)
        test_throttled(directory)
        test_follow_throttled(directory)
        test_no_verdict(directory)
        test_backup(directory)
        test_text_only(directory)
        test_secret(directory)
        test_settings(directory)
        test_show(directory)
        test_expired_authority(directory)
    finally:
        shutil.rmtree(directory)
    return done()


sys.exit(main())
