# SPDX-License-Identifier: Apache-2.0
"""A privlinkd of the tests' own: directories below a temporary one, a port that is free, and what people do to them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../api"))
from privlinkd import BUILD, SOURCE, free_port  # noqa: E402

PRIVLINKD = os.path.join(BUILD, "src/cmd/privlinkd")
PRIVLINK = os.path.join(BUILD, "src/cmd/privlink")
REFUSED = 65
IS_ROOT = os.geteuid() == 0
USER = "nobody"  # whom root's privlinkd becomes


class Tap:
    def __init__(self):
        self.n = self.bad = 0

    def ok(self, good, name, *notes):
        self.n += 1
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}", flush=True)
        if not good:
            self.bad += 1
            for note in notes:
                for line in str(note).splitlines()[-12:]:
                    print(f"# {line}", flush=True)
        return good

    def skip(self, name, why):
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {why}", flush=True)

    def done(self):
        print(f"1..{self.n}")
        sys.exit(1 if self.bad else 0)


class Home:
    """A machine's state directory and run directory. `start` returns None when it serves, else its exit status."""

    made = []

    def __init__(self, name):
        # Not below a directory that only we may enter: privlinkd becomes another user.
        self.top = tempfile.mkdtemp(prefix=f"privlink-test-{name}-")
        os.chmod(self.top, 0o755)
        self.state = os.path.join(self.top, "state")
        self.run = os.path.join(self.top, "run")
        self.store = os.path.join(self.state, "store")
        self.db = os.path.join(self.store, "privlink.db")
        self.wal = self.db + "-wal"
        self.admin = os.path.join(self.state, "admin.env")
        self.record = os.path.join(self.state, "store.revision")
        self.logs = os.path.join(self.top, "log")
        self.port = free_port()
        self.process = None
        self.last_error = ""
        Home.made.append(self)

    @property
    def arguments(self):
        return [PRIVLINKD, "--no-rate-limits", "--state-dir", self.state, "--run-dir", self.run, "--user", USER, "--http",
                f"127.0.0.1:{self.port}", "--catalogue", os.path.join(SOURCE, "data/catalogue.json")]

    def start_only(self, *options):
        self.log_from = os.path.getsize(self.logs) if os.path.exists(self.logs) else 0
        with open(self.logs, "ab") as log:
            self.process = subprocess.Popen(self.arguments + list(options), stderr=log, stdout=log)

    def start(self, *options):
        self.start_only(*options)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = self.process.poll()
            if status is not None:
                self.process = None
                return status
            if self.serves():
                return None
            time.sleep(0.02)
        raise TimeoutError(self.log())

    def serves(self):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        # The socket is there before the store is: what says that it serves is an answer to anybody.
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=20) as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return s.recv(16).startswith(b"HTTP/1.1")
        except OSError:
            return False

    def end(self, number=signal.SIGTERM):
        if self.process:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None

    def kill(self):
        self.end(signal.SIGKILL)

    def log(self):
        """What the last start said."""
        with open(self.logs, encoding="utf-8", errors="replace") as f:
            f.seek(self.log_from)
            return f.read()

    # --- calls

    def cli(self, *arguments, env=None, **options):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PRIVLINK_")}
        clean.update({"PRIVLINK_STATE_DIR": self.state, "PRIVLINK_RUN_DIR": self.run, "HOME": self.top,
                      "PRIVLINK_ENDPOINT": f"http://127.0.0.1:{self.port}", "XDG_CONFIG_HOME": self.top})
        clean.update(env or {})
        return subprocess.run([PRIVLINK, *arguments], env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False, **options)

    def key(self):
        """The administrator's key as an environment, read by hand: what the CLI thinks of the file is a test of its own."""
        with open(self.admin, encoding="utf-8") as f:
            return dict(line.strip().split("=", 1) for line in f if "=" in line)

    def call(self, product, action, *parameters, key=None):
        done = self.cli("call", product, action, *parameters, env=key or self.key())
        self.last_error = done.stderr
        return json.loads(done.stdout) if done.returncode == 0 else None

    def make_vpc(self, cidr="10.0.0.0/16", key=None):
        answer = self.call("vpc", "CreateVpc", f"CidrBlock={cidr}", key=key)
        return answer and answer["VpcId"]

    def vpcs(self, key=None):
        """Ids and ranges of all VPCs; None if the API does not answer."""
        found = {}
        for page in range(1, 20):
            answer = self.call("vpc", "DescribeVpcs", "PageSize=50", f"PageNumber={page}", key=key)
            if answer is None:
                return None
            for vpc in answer["Vpcs"]["Vpc"]:
                found[vpc["VpcId"]] = vpc["CidrBlock"]
            if len(found) >= answer["TotalCount"]:
                break
        return found

    def settle(self, key=None):
        """Until control has nothing left to move: what comes next is the last change."""
        for _ in range(1000):
            answer = self.call("vpc", "DescribeVpcs", "PageSize=50", key=key)
            if answer and all(vpc["Status"] == "Available" for vpc in answer["Vpcs"]["Vpc"]):
                return
            time.sleep(0.01)
        raise TimeoutError("VPCs do not become Available")

    # --- files

    def identity(self):
        try:
            with open(os.path.join(self.state, "store.id"), encoding="utf-8") as f:
                return f.readline().strip()
        except OSError:
            return None

    def copy(self, name):
        """The store's directory as it is now, owners and modes too."""
        to = os.path.join(self.top, name)
        subprocess.run(["cp", "-a", self.store, to], check=True)
        if os.path.exists(self.record):
            shutil.copyfile(self.record, to + ".revision")
        return to

    def put_back(self, copy):
        shutil.rmtree(self.store, ignore_errors=True)
        subprocess.run(["cp", "-a", copy, self.store], check=True)

    def set_back(self, copy):
        """To the moment of the copy: a start in between may have moved a row on."""
        self.put_back(copy)
        if os.path.exists(copy + ".revision"):
            shutil.copyfile(copy + ".revision", self.record)

    def forget(self):
        self.kill()
        shutil.rmtree(self.top, ignore_errors=True)


def tree(directory):
    """All that a directory holds, byte by byte."""
    found = {}
    for root, directories, files in os.walk(directory):
        for name in directories:
            found[os.path.join(root, name)] = None
        for name in files:
            path = os.path.join(root, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    found[path] = f.read()
    return found


def flip(path, offset, mask=0x01):
    with open(path, "r+b") as f:
        f.seek(offset)
        byte = f.read(1)
        f.seek(offset)
        f.write(bytes([byte[0] ^ mask]))


def run(cases):
    """Runs functions that take a Tap; what they made goes with them."""
    tap = Tap()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        for case in cases:
            try:
                case(tap)
            except Exception as error:  # a case that breaks is a case that fails, and the next one runs
                tap.ok(False, f"{case.__name__} runs to its end", f"{type(error).__name__}: {error}")
            while Home.made:
                Home.made.pop().forget()
    finally:
        for home in Home.made:
            home.forget()
    tap.done()
