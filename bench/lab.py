# SPDX-License-Identifier: Apache-2.0
"""Namespaces, links and processes of one run.

Everything that outlives a crash of this program is written down first, in /run/privlink-bench/<pid>, so that
`bench/run --clean` can remove what a killed run left behind, by name, and nothing else.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

RECORDS = "/run/privlink-bench"

# The same for every namespace, so that only the path between client and server differs. The server closes first and
# keeps TIME_WAIT; a wide port range lets the client go on.
SYSCTLS = {
    "net.ipv4.ip_local_port_range": "1024 65000",
    "net.ipv4.tcp_max_syn_backlog": "8192",
    "net.core.somaxconn": "8192",
    "net.ipv4.tcp_syncookies": "0",
}


class Failure(Exception):
    """Something that the user must know; printed without a trace."""


def command(*words, check=True):
    """Runs a program to its end and returns what it printed."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def process_start(pid):
    """The time a process was started, in ticks; None if there is none, or one that has ended and that nobody has waited
    for yet. Tells a reused pid from the old one."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return None if fields[0] in "ZX" else int(fields[19])
    except (OSError, IndexError):
        return None


def inside(namespace):
    """Words in front of a command that is to run in a namespace. Only its network: `ip netns exec` would also give it
    mounts of its own, and what the agent mounts must be seen by others."""
    return ["nsenter", f"--net=/run/netns/{namespace}"]


def set_sysctls(namespace):
    for name, value in SYSCTLS.items():
        command(*inside(namespace), "sysctl", "-qw", f"{name}={value}")


def use_cubic(namespace):
    """Makes cubic the congestion control of all connections, whatever the machine's default is.

    By the routes, because the namespace's own sysctl takes only what the host allows to everyone, and the host's
    settings are not ours to change.
    """
    for line in command("ip", "-4", "-n", namespace, "route", "show").splitlines():
        if "congctl" not in line:
            command("ip", "-n", namespace, "route", "replace", *line.split(), "congctl", "cubic")


def is_listening(pid, port, protocol="tcp"):
    """Whether the namespace of a process has a socket on the port."""
    wanted = {"tcp": "0A", "udp": "07"}[protocol]
    try:
        with open(f"/proc/{pid}/net/{protocol}", encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
    except OSError:
        return False
    return any(row[1].endswith(f":{port:04X}") and row[3] == wanted for row in rows)


class Lab:
    """Makes things and takes them away again, last made first."""

    def __init__(self):
        self.prefix = f"plb{os.getpid()}"
        self.path = f"{RECORDS}/{os.getpid()}"
        self.processes = []
        self.directory_path = None
        self.record_file = self.open_record()
        self.note("owner", pid=os.getpid(), start=process_start(os.getpid()))

    def open_record(self):
        """Another run that ends may take the empty directory away from under us."""
        for _ in range(10):
            os.makedirs(RECORDS, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                return open(self.path, "w", encoding="utf-8")
        raise Failure(f"{RECORDS}: does not stay")

    def note(self, kind, **what):
        """Writes down what is about to be, or has been, made."""
        self.record_file.write(json.dumps({"kind": kind, **what}) + "\n")
        self.record_file.flush()

    def directory(self):
        """A directory for files of this run."""
        if not self.directory_path:
            self.directory_path = tempfile.mkdtemp(prefix="privlink-bench-")
            self.note("directory", path=self.directory_path)
        return self.directory_path

    def netns(self, name):
        """A namespace with loopback up and the run's settings; returns its full name."""
        full = f"{self.prefix}-{name}"
        self.note("netns", name=full)
        command("ip", "netns", "add", full)
        command("ip", "-n", full, "link", "set", "lo", "up")
        set_sysctls(full)
        return full

    def cable(self, a, a_device, a_address, b, b_device, b_address):
        """A veth pair between two namespaces, with an address at each end."""
        command("ip", "link", "add", a_device, "netns", a, "type", "veth", "peer", "name", b_device, "netns", b)
        for namespace, device, address in ((a, a_device, a_address), (b, b_device, b_address)):
            command("ip", "-n", namespace, "addr", "add", address, "dev", device)
            command("ip", "-n", namespace, "link", "set", device, "up")

    def spawn(self, *words, namespace=None, cpu=None, output=subprocess.DEVNULL, environment=None):
        """Starts a process, in a namespace and on a CPU if asked."""
        prefix = inside(namespace) if namespace else []
        if cpu is not None:
            prefix += ["taskset", "-c", str(cpu)]
        process = subprocess.Popen([*prefix, *words], stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT if output != subprocess.PIPE else None, text=True,
                                   env=environment)
        self.note("process", pid=process.pid, start=process_start(process.pid))
        self.processes.append(process)
        return process

    def wait_listening(self, process, port, protocol="tcp", seconds=5):
        """Waits until the process's namespace listens on the port."""
        end = time.monotonic() + seconds
        while not is_listening(process.pid, port, protocol):
            if process.poll() is not None:
                raise Failure(f"{' '.join(process.args)}: ended with status {process.returncode}")
            if time.monotonic() > end:
                raise Failure(f"{' '.join(process.args)}: does not listen on port {port}")
            time.sleep(0.01)

    def end(self, process):
        """Ends a process of ours."""
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)

    def close(self):
        """Removes all that was made."""
        for process in reversed(self.processes[:]):
            self.end(process)
        self.record_file.close()
        remove_recorded(self.path)
        remove_records_directory()


def read_record(path):
    with open(path, encoding="utf-8") as record:
        return [json.loads(line) for line in record if line.endswith("\n")]


def remove_entry(entry):
    if entry["kind"] == "process" and process_start(entry["pid"]) == entry["start"]:
        command("kill", "-KILL", str(entry["pid"]), check=False)
    elif entry["kind"] == "undo":
        subprocess.run(entry["command"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    elif entry["kind"] == "netns":
        # Who is still in there: the workers of a proxy whose first process was killed.
        for pid in command("ip", "netns", "pids", entry["name"], check=False).split():
            command("kill", "-KILL", pid, check=False)
        command("ip", "netns", "del", entry["name"], check=False)
    elif entry["kind"] == "directory":
        shutil.rmtree(entry["path"], ignore_errors=True)


def remove_recorded(path):
    """Removes what a record names, and then the record. The agent takes away its own while its instances are there."""
    entries = read_record(path)
    for kind in ("process", "undo", "netns", "directory"):
        for entry in reversed(entries):
            if entry["kind"] == kind:
                remove_entry(entry)
    os.unlink(path)


def remove_records_directory():
    """Unless another run has its record there."""
    with contextlib.suppress(OSError):
        os.rmdir(RECORDS)


def clean():
    """Removes what runs left behind whose program is gone. Returns how many there were."""
    n_cleaned = 0
    for name in sorted(os.listdir(RECORDS)) if os.path.isdir(RECORDS) else []:
        path = f"{RECORDS}/{name}"
        entries = read_record(path)
        if entries and process_start(entries[0]["pid"]) == entries[0]["start"]:
            continue
        remove_recorded(path)
        n_cleaned += 1
    remove_records_directory()
    return n_cleaned
