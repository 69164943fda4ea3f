#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""privlinkd as a service manager and an operator meet it: SIGHUP, the notices to systemd, what it says about settings and
certificates that are wrong, what --check says, and what TLS it speaks.

BUILD is the build directory.
"""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile

from privlinkd import BUILD, SOURCE, Daemon, done, free_port, is_equal, make_certificate, ok, wait_for

ROOT = os.geteuid() == 0


class Manager:
    """What listens to $NOTIFY_SOCKET."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)
        self.socket.settimeout(60)
        self.name = name

    def next(self):
        """The next notice, as a dictionary."""
        try:
            return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
        except TimeoutError:
            return {}

    def until(self, member):
        while notice := self.next():
            if member in notice:
                return notice
        return {}


class Secure(Daemon):
    """One that serves HTTPS, with settings in a file. Certificate and key are `tls.crt` and `tls.key`, root's alone."""

    def __init__(self):
        super().__init__()
        self.https = free_port()
        self.config = os.path.join(self.dir, "privlinkd.conf")
        self.crt, self.key_file = (os.path.join(self.dir, "tls", f"tls.{kind}") for kind in ("crt", "key"))
        os.mkdir(os.path.join(self.dir, "tls"), 0o700)
        self.more = ["--config", self.config]
        self.settings()

    def settings(self, *lines):
        with open(self.config, "w") as f:
            f.write(f"cert = {self.crt}\nkey = {self.key_file}\nhttps = 127.0.0.1:{self.https}\n")
            f.writelines(line + "\n" for line in lines)

    def put(self, pair):
        for path, place in zip(pair, (self.crt, self.key_file)):
            shutil.copyfile(path, place + ".new")
            os.chmod(place + ".new", 0o600)
            os.rename(place + ".new", place)

    @staticmethod
    def make_pipe(path):
        os.unlink(path)
        os.mkfifo(path)

    def hangup(self):
        """Reloads, and waits until it has. What was said meanwhile."""
        before = len(self.said())
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: any(end in self.said()[before:] for end in ("info: reloaded", "nothing was reloaded")))
        return self.said()[before:]

    def connect(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.https), timeout=60))

    def shows(self):
        """The certificate that it shows to a new connection."""
        with self.connect() as s:
            return s.getpeercert(True)


def der(path):
    with open(path) as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


def test_hangup(directory):
    first, second = (make_certificate(directory, name) for name in ("first", "second"))
    daemon = Secure()
    try:
        daemon.put(first)
        daemon.start()
        is_equal(daemon.shows(), der(first[0]), "it shows its certificate")
        pid = daemon.process.pid
        held = daemon.connect()
        daemon.put(second)
        daemon.settings("log-level = debug")
        said = daemon.hangup()
        ok(daemon.process.poll() is None and daemon.process.pid == pid, "SIGHUP does not end it", said)
        is_equal(daemon.shows(), der(second[0]),
                 "after it new connections see the new certificate, though its key is root's alone" if ROOT else
                 "after it new connections see the new certificate")
        held.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        ok(held.recv(12).startswith(b"HTTP/1.1 "), "a connection that stood goes on")
        held.close()
        daemon.call("ListAccounts")
        ok(wait_for(lambda: "debug: call:" in daemon.said()), "and the new log level holds", daemon.said())
        if ROOT:
            with open(f"/proc/{pid}/status") as f:
                status = dict(line.split(":", 1) for line in f if ":" in line)
            is_equal((status["Uid"].split()[0] != "0", int(status["CapEff"], 16), int(status["CapPrm"], 16)), (True, 0, 0),
                     "whoever serves has no right for that")
        for spoil, what in (
            (lambda: os.unlink(daemon.crt), "certificate is gone"),
            (lambda: daemon.make_pipe(daemon.crt), "certificate is a pipe into which nobody writes"),
            (lambda: open(daemon.crt, "w").close(), "certificate is empty"),
            (lambda: open(daemon.key_file, "w").close(), "key is empty"),
            (lambda: daemon.put((second[0], first[1])), "key is another's"),
            (lambda: daemon.put((second[1], second[0])), "key and certificate are swapped"),
            (lambda: daemon.settings("log-level = loud"), "setting is wrong"),
            (lambda: os.unlink(daemon.config), "file of settings is gone"),
        ):
            spoil()
            said = daemon.hangup()
            ok("nothing was reloaded" in said, f"when the {what}, it says that nothing was reloaded", said)
            is_equal(daemon.shows(), der(second[0]), f"when the {what}, the certificate that stood stays")
            daemon.put(second)
            daemon.settings()
        daemon.put(first)
        ok("info: reloaded" in daemon.hangup(), "once that is mended it reloads")
        is_equal(daemon.shows(), der(first[0]), "and shows the certificate that is there then")
        for _ in range(20):
            daemon.process.send_signal(signal.SIGHUP)
        daemon.put(second)  # a reload of before may find a certificate and a key that do not belong together
        daemon.process.send_signal(signal.SIGHUP)
        ok(wait_for(lambda: daemon.shows() == der(second[0])) and
           wait_for(lambda: daemon.said().rfind("info: reloaded") > daemon.said().rfind("nothing was reloaded")),
           "many signals at once end in what is there last", daemon.said())
        is_equal(daemon.stop(), 0, "SIGTERM ends it cleanly")
    finally:
        daemon.remove()


def processes_of(directory):
    """Those whose command line names it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as f:
                if directory in f.read() and int(pid) != os.getpid():
                    found.append(pid)
        except OSError:
            pass
    return found


def test_no_process_stays():
    for how in signal.SIGTERM, signal.SIGKILL:
        daemon = Daemon()
        try:
            daemon.start()
            daemon.stop(how)
            ok(wait_for(lambda: not processes_of(daemon.dir)), f"after {how.name} no process of its is left")
        finally:
            daemon.remove()


def test_notices(directory):
    for name in os.path.join(directory, "notify"), f"@privlink-test-{os.getpid()}":
        kind = "in the abstract namespace" if name[0] == "@" else "in a directory"
        manager, daemon = Manager(name), Secure()
        os.chmod(directory, 0o755)
        if name[0] == "/":
            os.chmod(name, 0o777)
        try:
            daemon.environment["NOTIFY_SOCKET"] = name
            daemon.put(make_certificate(directory, "notified"))
            daemon.start(wait=False)
            ready = manager.until("READY")
            is_equal((ready.get("READY"), ready.get("STATUS")), ("1", "Serving"), f"it says when it is ready (socket {kind})")
            ok(daemon.serves(), "and serves then")
            daemon.process.send_signal(signal.SIGHUP)
            reloading = manager.until("RELOADING")
            ok(int(reloading.get("MONOTONIC_USEC", "0")) > 0, "it says when it reloads, and by which clock")
            is_equal(manager.until("READY").get("READY"), "1", "and when that is done")
            with open(daemon.key_file, "w"):
                pass
            daemon.process.send_signal(signal.SIGHUP)
            ok("failed" in manager.until("READY").get("STATUS", ""), "or that it failed")
            daemon.stop()
            is_equal(manager.until("STOPPING").get("STOPPING"), "1", "it says that it stops")
        finally:
            daemon.remove()


def run(*arguments):
    command = [f"{BUILD}/src/cmd/privlinkd", "--catalogue", f"{SOURCE}/data/catalogue.json", "--user", "nobody", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


BAD_LINES = {
    "https = everywhere": 'line=2: option https expects ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080, not "everywhere"',
    "log-level = loud": 'line=2: option log-level expects error, warning, info or debug, not "loud"',
    "no-http = perhaps": 'line=2: option no-http expects yes or no, not "perhaps"',
    "cert =": 'line=2: option cert expects FILE, not ""',
    "certificate = /x": 'line=2: there is no option "certificate" (--help lists them)',
    "no-http": 'line=2: expected "name = value", not "no-http"',
    "state-dir = " + "x" * 5000: "line=2: it is longer than 4094 characters",
}


def test_bad_lines(directory):
    config = os.path.join(directory, "bad.conf")
    for line, want in BAD_LINES.items():
        with open(config, "w") as f:
            f.write(f"# settings\n{line}\n")
        result = run("--config", config, "--state-dir", os.path.join(directory, "never"))
        ok(result.returncode != 0 and f"config={config} {want}" in result.stderr,
           f"a bad line is told with file, line, option and what it expects ({line[:24]})", result.stderr)
    with open(config, "w") as f:
        f.write("# settings\n" + "".join(f"{line}\n" for line in list(BAD_LINES)[:6]))
    said = run("--config", config).stderr
    is_equal([n for n in range(1, 9) if f"line={n}:" in said], [2, 3, 4, 5, 6, 7], "all bad lines are told at once")
    with open(config, "w") as f:
        f.write("http = 127.0.0.1:1\n\nhttp = 127.0.0.1:2\n")
    result = run("--config", config)
    ok(result.returncode == 78 and f"config={config} line=3: option http stands in line=1 already" in result.stderr,
       "an option that stands twice is told with both lines", result.stderr)
    result = run("--config", directory)
    ok(result.returncode == 78 and f"cannot read config={directory}: it is a directory" in result.stderr,
       "a directory for a file is told", result.stderr)
    result = run("--https", "everywhere")
    ok("--https: it expects ADDRESS:PORT" in result.stderr, "so is an option of the command line", result.stderr)
    ok(not os.path.exists(os.path.join(directory, "never")), "nothing is made before that")


def test_check(directory):
    crt, key = make_certificate(directory, "good")
    other = make_certificate(directory, "other")
    ended = make_certificate(directory, "ended", days=(-40, -1))
    early = make_certificate(directory, "early", days=(1, 300))
    state = ["--state-dir", os.path.join(directory, "never"), "--run-dir", os.path.join(directory, "never")]
    text = os.path.join(directory, "text")
    with open(text, "w") as f:
        f.write("hello\n")
    result = run("--check", *state, "--cert", crt, "--key", key)
    is_equal((result.returncode, result.stdout, result.stderr), (0, "OK\n", ""), "--check says OK")
    for arguments, want in (
        (["--cert", crt, "--key", other[1]], f"certificate={crt} key={other[1]}: the key does not belong to the certificate"),
        (["--cert", key, "--key", crt], "are the two swapped?"),
        (["--cert", "/nowhere", "--key", key], "cannot open certificate=/nowhere: No such file"),
        (["--cert", crt, "--key", "/nowhere"], "cannot open key=/nowhere: No such file"),
        (["--cert", "/dev/null", "--key", key], "certificate=/dev/null: it is no file"),
        (["--cert", text, "--key", key], "holds no certificate in PEM"),
        (["--cert", crt, "--key", text], "holds no private key in PEM"),
        (["--cert", crt], "go together"),
        (["--no-http"], "nothing to serve"),
        (["--http", "0.0.0.0:1"], "plain HTTP only on loopback"),
        (["--catalogue", text], f"cannot read catalogue={text}"),
        (["--config", "/nowhere"], "cannot open config=/nowhere"),
    ):
        result = run("--check", *state, *arguments)
        ok(result.returncode == 1 and want in result.stderr and "OK" not in result.stdout,
           f"--check finds: {want.replace(directory, '')}", result.stdout, result.stderr)
    result = run("--check", *state, "--cert", crt, "--key", other[1], "--catalogue", text, "--log-level", "loud")
    is_equal(result.stderr.count("error:"), 3, "every fault is told, not only the first")
    for pair, want in (ended, "has expired on"), (early, "is not valid before"):
        result = run("--check", *state, "--cert", pair[0], "--key", pair[1])
        ok(result.returncode == 1 and want in result.stderr, f"--check finds: the certificate {want} …", result.stderr)
    soon = make_certificate(directory, "soon", days=(-300, 29))
    result = run("--check", *state, "--cert", soon[0], "--key", soon[1])
    ok(result.returncode == 0 and "expires on" in result.stderr, "--check warns of one that ends soon", result.stderr)
    ok(not os.path.exists(os.path.join(directory, "never")), "--check makes nothing")


def test_status(directory):
    """78 where only an operator helps, which systemd does not start again; 1 where it may be over the next time."""
    crt, key = make_certificate(directory, "status")
    other = make_certificate(directory, "status-other")
    text = os.path.join(directory, "text")
    with open(text, "w") as f:
        f.write("hello\n")
    places = ["--state-dir", os.path.join(directory, "state"), "--run-dir", os.path.join(directory, "run")]
    http = f"127.0.0.1:{free_port()}"
    with socket.create_server(("127.0.0.1", 0)) as busy:
        for status, arguments, want in (
            (78, ["--catalogue", text], f"cannot read catalogue={text}"),
            (78, ["--catalogue", directory], f"cannot read catalogue={directory}: it is no file"),
            (1, ["--catalogue", "/nowhere"], "cannot read /nowhere: No such file"),
            (1, ["--catalogue", f"{text}/below"], f"cannot read {text}/below: Not a directory"),
            (1, ["--catalogue", "/proc/self/mem"], "cannot read /proc/self/mem: Input/output error"),
            (78, ["--cert", crt, "--key", other[1], "--http", http], "the key does not belong to the certificate"),
            (78, ["--cert", text, "--key", key, "--http", http], "holds no certificate in PEM"),
            (78, ["--http", "0.0.0.0:1"], "plain HTTP only on loopback"),
            (78, ["--no-http"], "nothing to serve"),
            (1, ["--cert", "/nowhere", "--key", key, "--http", http], "cannot open certificate=/nowhere: No such file"),
            (1, ["--cert", crt, "--key", "/nowhere", "--http", http], "cannot open key=/nowhere: No such file"),
            (1, ["--cert", f"{crt}/below", "--key", key, "--http", http], f"cannot open certificate={crt}/below: Not a directory"),
            (1, ["--http", f"127.0.0.1:{busy.getsockname()[1]}"], "Address already in use"),
        ):
            result = run(*places, *arguments)
            ok(result.returncode == status and want in result.stderr, f"it ends with {status}: {want.replace(directory, '')[:40]}",
               result.returncode, result.stderr)


def test_certificate_time(directory):
    """A certificate that is late is served: who does not look at it goes on. But it is said."""
    for days, want in (
        ((-40, -1), "has expired on"), ((1, 300), "is not valid before"), ((-300, 29), "expires on"),
        ((-300, 31), "is valid until"),
    ):
        daemon = Secure()
        try:
            daemon.put(make_certificate(directory, "timed", days=days))
            daemon.start()
            level = "info" if want == "is valid until" else "warning"
            said = [line for line in daemon.said().splitlines() if want in line]
            ok(said and f" {level}: " in said[0], f"a start says that the certificate {want} …", daemon.said())
            ok(want in daemon.hangup(), f"so does SIGHUP ({want} …)", daemon.said())
        finally:
            daemon.remove()


def test_untimely_certificate(directory):
    """One that clients accept is not given up for one that they refuse."""
    good, ended = make_certificate(directory, "good"), make_certificate(directory, "ended", days=(-40, -1))
    early = make_certificate(directory, "early", days=(1, 300))
    daemon = Secure()
    try:
        daemon.put(good)
        daemon.start()
        for pair, want in (ended, "has expired on"), (early, "is not valid before"):
            daemon.put(pair)
            said = daemon.hangup()
            ok(f"certificate={daemon.crt}: it {want}" in said and "and the one in use is valid until" in said and
               "nothing was reloaded" in said, f"SIGHUP says that a certificate that {want} … is not taken", said)
            is_equal(daemon.shows(), der(good[0]), "and the one in force stays")
        daemon.stop()
        daemon.put(ended)
        daemon.start()
        daemon.put(early)
        ok("info: reloaded" in daemon.hangup(), "where the one in force is none that clients accept, SIGHUP takes it",
           daemon.said())
        is_equal(daemon.shows(), der(early[0]), "and it is shown")
    finally:
        daemon.remove()


def handshake(port, *arguments):
    """The suite that openssl and the server agree on; None: none."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *arguments]
    result = subprocess.run(command, input="", capture_output=True, text=True, timeout=60)
    for line in result.stdout.splitlines():
        if "Cipher is" in line:
            suite = line.rsplit(" ", 1)[1]
            return None if suite == "(NONE)" else suite
    return None


KEYS = {
    "RSA": ["genrsa", "2048"],
    "RSA as OpenSSL wrote it long ago": ["genrsa", "-traditional", "2048"],
    "P-384 with its parameters in front": ["ecparam", "-genkey", "-name", "secp384r1"],
    "Ed25519": ["genpkey", "-algorithm", "ed25519"],
}


def test_suites(directory):
    daemon = Secure()
    try:
        daemon.put(make_certificate(directory, "suites"))
        daemon.start()
        ok(handshake(daemon.https, "-tls1_3"), "TLS 1.3 is spoken")
        for suite in ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"):
            is_equal(handshake(daemon.https, "-tls1_2", "-cipher", suite), suite, f"so is TLS 1.2 with {suite}")
        for suite in (
            "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384",
            "ECDHE-ECDSA-AES128-CCM", "AES128-GCM-SHA256", "AES128-SHA",
        ):
            is_equal(handshake(daemon.https, "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0"), None, f"{suite} is refused")
        for version in "-tls1", "-tls1_1":
            is_equal(handshake(daemon.https, version, "-cipher", "ALL:@SECLEVEL=0"), None, f"{version} is refused")
        is_equal(handshake(daemon.https, "-tls1_2", "-sigalgs", "ECDSA+SHA1", "-cipher", "ALL:@SECLEVEL=0"), None,
                 "so are signatures over SHA-1")
        for kind, arguments in KEYS.items():
            key = os.path.join(directory, "kind.key")
            subprocess.run(["openssl", arguments[0], "-out", key, *arguments[1:]], check=True, capture_output=True)
            daemon.put(make_certificate(directory, "kind-made", key=key))
            daemon.hangup()
            ok(handshake(daemon.https, "-tls1_2") and handshake(daemon.https, "-tls1_3"), f"a key of this kind is shown: {kind}",
               daemon.said())
    finally:
        daemon.remove()


def main():
    directory = tempfile.mkdtemp(prefix="privlinkd-test-")
    try:
        test_hangup(directory)
        test_no_process_stays()
        test_notices(directory)
        test_bad_lines(directory)
        test_check(directory)
        test_status(directory)
        test_certificate_time(directory)
        test_untimely_certificate(directory)
        test_suites(directory)
    finally:
        shutil.rmtree(directory)
    return done()


sys.exit(main())
