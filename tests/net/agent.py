#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent alone, against a feed that this test serves: what it makes of rows, what it reports, and that nothing
breaks while the feed or the agent itself is away.

     agent-<pid> (the "host")                                  this process: feed.sock
       | pl64           | pl65          | pl66        | pl0
     i-…c (vpc-c)     i-…p1 (vpc-p)   i-…p2 (vpc-p)  privlink-<node>

One consumer and two providers' servers (zones h and i) with the same addresses; an endpoint in both zones.
Needs root. BUILD is the build directory.
"""
import contextlib
import http.server
import json
import math
import os
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

BUILD = os.environ["BUILD"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEER = os.path.join(SOURCE, "tests/net/peer.py")
PID = os.getpid()
LAB = f"agent-{PID}"
NODE = f"a{PID}"
DIR = f"/run/privlink-tests/{PID}"
# As in lib.sh: a busy disk alone can hold an agent up for seconds, and an emulated machine is slow.
PATIENCE = 6 if os.environ.get("PRIVLINK_KERNEL_LAYER") else 3
H, I = "cn-hangzhou-h", "cn-hangzhou-i"
C, P1, P2 = (f"i-{PID}{name}" for name in ("c", "p1", "p2"))

count = bad = 0


def ok(passed, name):
    global count, bad
    count += 1
    bad += not passed
    print(f"{'ok' if passed else 'not ok'} {count} - {name}", flush=True)
    return passed


def note(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def still_lacking(report):
    """Instances whose devices are still to be made or removed."""
    return [f["key"] for f in report["failures"] if "is still to be" in f["reason"]]


class Feed:
    """The rows, their revisions, and what was reported."""

    def __init__(self):
        self.changed = threading.Condition()
        self.revision = 1
        self.rows = {}  # key -> (created, revision, value)
        self.deleted = []  # (revision, key)
        self.reports = []
        self.server = None  # whose reports count: what is still on its way to one that has gone does not
        self.agent = None  # the number of the agent's process, likewise
        self.traffic = []  # what was told of it
        self.refused = None  # number of reports refused; None: they are taken
        self.nodes = []
        self.lease_s = 3
        self.held = False  # nothing is answered
        self.run = "b" * 16
        self.store = "0123456789abcdef" * 2
        self.history = {"a" * 16: None}  # timeline -> where it ended; the last one goes on

    def had(self, timeline, revision):
        """Whether the store ever stood there."""
        end = self.history.get(timeline, 0)
        return not timeline or revision <= (self.revision if end is None else end)

    def change(self, rows, deleted=()):
        with self.changed:
            self.revision += 1
            for key, value in rows.items():
                created = self.rows.get(key, (self.revision,))[0]
                self.rows[key] = (created, self.revision, value)
            for key in deleted:
                if self.rows.pop(key, None):
                    self.deleted.append((self.revision, key))
            self.changed.notify_all()
            return self.revision

    def hold(self, held):
        with self.changed:
            self.held = held
            self.changed.notify_all()

    def edit(self, key, **members):
        return self.change({key: {**self.rows[key][2], **members}})

    def answer(self, server, query):
        after, wait_s = int(query["after"]), float(query["wait"])
        with self.changed:
            self.changed.wait_for(lambda: not self.held, 60)
            if after == self.revision and server.has_told:
                self.changed.wait(wait_s)
            if after > self.revision or not server.has_told:
                after, server.has_told = 0, True
            rows = [
                {"key": k, "created": c, "revision": r, "value": v} for k, (c, r, v) in self.rows.items() if r > after
            ]
            deleted = [k for r, k in self.deleted if r > after and k not in self.rows]
            return {"revision": self.revision, "timeline": list(self.history)[-1],
                    "continues": self.had(query.get("timeline", ""), int(query["in_force"])), "run": self.run,
                    "full": after == 0, "rows": rows, "deleted": deleted if after else []}

    def take_report(self, server, agent, report):
        """Those of before are others', also if they come late."""
        with self.changed:
            if server is self.server and agent == self.agent:
                self.reports.append(report)

    def told(self, revision):
        """Reports of it; devices may still be missing."""
        return [r for r in self.reports if r["revision"] >= revision]

    def reported(self, revision):
        return any(not still_lacking(r) for r in self.told(revision))

    def last(self):
        return self.reports[-1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    feed = None

    def address_string(self):
        return "agent"

    def log_message(self, *_):
        pass

    def agent(self):
        """The number of the process that has connected."""
        return struct.unpack("iII", self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    def reply(self, body, status=200):
        if self.feed.store is not None:
            body["store"] = self.feed.store
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(self.path).query))
        self.reply(self.feed.answer(self.server, query))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/feed/v1/node":
            self.feed.nodes.append(body)
            self.reply({"number": 7, "lease_s": self.feed.lease_s})
        elif self.path == "/feed/v1/metrics":
            self.feed.traffic.append(body)
            self.reply({})
        elif self.feed.refused is not None:
            self.feed.refused += 1
            self.reply({"error": "not now"}, 503)
        elif body["store"] and body["store"] != self.feed.store:
            self.reply({"error": "for another store"}, 409)
        else:
            body["at"] = time.monotonic()
            self.feed.take_report(self.server, self.agent(), body)
            self.reply({"lease_s": self.feed.lease_s})


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    has_told = False  # the first answer has all rows

    def handle_error(self, request, client_address):
        """An agent that is killed leaves its requests behind."""

    def get_request(self):
        request, _ = super().get_request()
        self.open.append(request)
        return request, ("agent", 0)


def serve_feed(feed):
    path = f"{DIR}/run/feed.sock"
    if os.path.exists(path):
        os.unlink(path)
    Handler.feed = feed
    Server.open = []
    server = feed.server = Server(path, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def stop_feed(feed, server):
    with feed.changed:
        feed.server = None
    server.shutdown()
    server.server_close()
    for connection in server.open:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
    os.unlink(f"{DIR}/run/feed.sock")


def vpc(name, number):
    rows = {f"vpc/vpc-{name}": dict(id=f"vpc-{name}", number=number, cidr="10.0.0.0/16", status="Available")}
    for i, zone in enumerate((H, I)):
        id = f"vsw-{name}-{zone[-1]}"
        rows[f"vswitch/{id}"] = dict(id=id, vpc=f"vpc-{name}", zone=zone, cidr=f"10.0.{i + 1}.0/24", status="Available")
    return rows


def instance(id, number, vpc, zone, addr, group):
    vswitch = f"vsw-{vpc}-{zone[-1]}"
    return {
        f"instance/{id}": dict(id=id, zone=zone, vpc=f"vpc-{vpc}", vswitch=vswitch, node=NODE, kind="netns",
                               host_name=id[-2:], port=f"eni-{id}", status="Running"),
        f"port/eni-{id}": dict(id=f"eni-{id}", number=number, kind="instance", zone=zone, vpc=f"vpc-{vpc}",
                               vswitch=vswitch, addr=addr, mac=f"02:00:00:00:00:{number & 255:02x}", mtu=1500,
                               groups=[group], holder=id, node=NODE, status="InUse"),
    }


def group(id, vpc):
    return {f"security_group/{id}": dict(id=id, vpc=f"vpc-{vpc}", type="normal", inner_accept=True)}


def rule(group, id, protocol, first, last):
    return {f"sg_rule/{group}/{id}": dict(id=id, group=group, direction="ingress", policy="Accept", priority=1,
                                          protocol=protocol, port_first=first, port_last=last, cidr="10.0.0.0/16")}


def server(id, zone, addr):
    return {f"server/sgp-1/{id}/443": dict(group="sgp-1", server_id=id, type="Ecs", addr=addr, port=443, weight=100,
                                           zone=zone, port_id=f"eni-{id}", node=NODE, status="Available")}


def endpoint_zone(zone, number, addr):
    port = f"eni-ep-{zone[-1]}"
    return {
        f"port/{port}": dict(id=port, number=number, kind="endpoint", zone=zone, vpc="vpc-c",
                             vswitch=f"vsw-c-{zone[-1]}", addr=addr, mac=f"02:00:00:00:01:{number & 255:02x}",
                             mtu=1500, groups=["sg-ep"], holder="ep-1", status="InUse"),
        f"endpoint_zone/ep-1/{zone}": dict(endpoint="ep-1", zone=zone, vswitch=f"vsw-c-{zone[-1]}", port=port,
                                           addr=addr, domain=f"ep-1-{zone}.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com",
                                           resource="nlb-1", status="Connected"),
    }


def world():
    rows = {f"node/{NODE}": dict(name=NODE, number=7, mtu=1500)}
    rows |= vpc("c", 10) | vpc("p", 11)
    rows |= group("sg-c", "c") | group("sg-p", "p") | group("sg-ep", "c")
    rows |= rule("sg-ep", "sgr-tcp", "TCP", 443, 443) | rule("sg-ep", "sgr-icmp", "ICMP", -1, -1)
    rows |= instance(C, 100, "c", H, "10.0.1.10", "sg-c")
    rows |= instance(P1, 101, "p", H, "10.0.1.10", "sg-p")
    rows |= instance(P2, 102, "p", I, "10.0.2.10", "sg-p")
    rows |= server(P1, H, "10.0.1.10") | server(P2, I, "10.0.2.10")
    rows |= {
        "load_balancer/nlb-1": dict(id="nlb-1", vpc="vpc-p", zones=[H, I], cross_zone=True, status="Active"),
        "listener/lsn-1": dict(id="lsn-1", load_balancer="nlb-1", server_group="sgp-1", protocol="TCP", port=443,
                               idle_timeout_s=900, status="Running"),
        "server_group/sgp-1": dict(id="sgp-1", vpc="vpc-p", protocol="TCP", health_enabled=True, health_interval_s=1,
                                   health_timeout_s=1, healthy_threshold=2, unhealthy_threshold=2,
                                   status="Available"),
        f"nat_range/vpc-p/{NODE}": dict(vpc="vpc-p", node=NODE, range="100.64.0.16/28"),
        "service/epsrv-1": dict(id="epsrv-1", region="cn-hangzhou", domain="epsrv-1.cn-hangzhou.privatelink.aliyuncs.com",
                                private_domain="pai-dlc-vpc.cn-hangzhou.aliyuncs.com", product="pai-dlc",
                                zone_affinity=True, status="Active"),
        "endpoint/ep-1": dict(id="ep-1", vpc="vpc-c", service="epsrv-1", type="Interface", zone_affinity=True,
                              domain="ep-1.pai-dlc.cn-hangzhou.privatelink.aliyuncs.com", groups=["sg-ep"],
                              status="Active"),
        "connection/ep-1": dict(endpoint="ep-1", service="epsrv-1", status="Connected"),
    }
    for zone in (H, I):
        rows[f"service_resource/epsrv-1/nlb-1/{zone}"] = dict(service="epsrv-1", resource="nlb-1", type="nlb", zone=zone)
    rows |= endpoint_zone(H, 201, "10.0.1.50") | endpoint_zone(I, 202, "10.0.2.50")
    return rows


def in_netns(name, *command):
    return ["nsenter", f"--net=/run/netns/{name}", *command]


def run(*command, timeout=20 * PATIENCE):
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def inside(instance, *command):
    return run(*in_netns(instance, *command))


def echoes(client, address):
    """The kernel tells an instance of its carrier by a queue of its own, which waits for who makes or removes other devices."""
    return wait_for(lambda: inside(client, "ping", "-c", "1", "-W", "1", address).returncode == 0, 2)


def connects(instance, address, want=None):
    result = inside(instance, "python3", PEER, "tcp", address, "443", "2")
    return result.returncode == 0 and (want is None or result.stdout.startswith(want))


class Agent:
    def __init__(self, feed):
        self.feed = feed
        self.log = open(f"{DIR}/agent.log", "a")
        self.process = None

    def arguments(self):
        return [f"{BUILD}/src/cmd/privlink-agent", "--node", NODE, "--run-dir", f"{DIR}/run", "--state-dir",
                f"{DIR}/state", "--resolv-conf", f"{DIR}/resolv.conf", "--catalogue", f"{SOURCE}/data/catalogue.json",
                "--log-level", "debug"]

    def start(self):
        with self.feed.changed:
            self.process = subprocess.Popen(in_netns(LAB, "env", "--ignore-signal=CHLD", *self.arguments()), stderr=self.log,
                                            umask=0o077)
            self.feed.agent = self.process.pid

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        status = self.process.wait(10 * PATIENCE)
        with self.feed.changed:
            self.feed.agent = None
        return status

    def remove(self):
        return run(*in_netns(LAB, *self.arguments(), "--remove"))


def counters():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(f"{DIR}/run/agent.sock")
        s.sendall(b'{"command": "counters"}\n')
        answer = json.loads(s.makefile().readline())
    return {c["reason"]: c["packets"] for c in answer["counters"]}


def resolve(instance, name):
    """Addresses that the instance's own resolver gives, through its /etc/netns files."""
    result = run("ip", "netns", "exec", instance, "python3", "-c",
                 "import socket, sys\n"
                 "for a in socket.getaddrinfo(sys.argv[1], 443, socket.AF_INET, socket.SOCK_STREAM): print(a[4][0])",
                 name)
    return result.stdout.split()


def test_first_rows(feed):
    revision = feed.change(world())
    started = time.monotonic()
    if not ok(wait_for(lambda: feed.reported(revision)), "the first full list is applied and reported"):
        return False
    note(f"{(feed.last()['at'] - started) * 1000:.0f} ms")
    ok(feed.last()["failures"] == [], "without failures")
    ok(feed.nodes[-1]["name"] == NODE and feed.nodes[-1]["zones"] == [], "the node has said its name and zones")
    modes = [os.stat(path).st_mode & 0o777 for path in (f"/etc/netns/{C}", f"/etc/netns/{C}/resolv.conf")]
    ok(modes == [0o755, 0o644], "its users may read what is written for it, whatever the umask")
    with open(f"/proc/{feed.agent}/status") as status:
        ignored = next(int(line.split()[1], 16) for line in status if line.startswith("SigIgn:"))
    ok(not ignored >> (signal.SIGCHLD - 1) & 1, "nobody takes its children from it, also if it was started so")
    ok(echoes(C, "10.0.1.253"), "an instance reaches its gateway")
    ok(echoes(P1, "10.0.2.10"), "and another instance of its VPC")
    return True


def test_endpoint(servers):
    for id, text in ((P1, "zone-h"), (P2, "zone-i")):
        servers.append(subprocess.Popen(in_netns(id, "python3", PEER, "tcp-server", "443", text)))
    ok(wait_for(lambda: connects(C, "10.0.1.50", "zone-h"), 5), "the ENI of zone h reaches the server in h")
    ok(wait_for(lambda: connects(C, "10.0.2.50", "zone-i"), 5), "the ENI of zone i reaches the server in i")
    ok(inside(C, "ping", "-c", "2", "-i", "0.2", "-W", "2", "10.0.1.50").returncode == 0, "an ENI answers ping")
    ok(not connects(P1, "10.0.1.50"), "from another VPC nothing is there")
    ok(resolve(C, "pai-dlc-vpc.cn-hangzhou.aliyuncs.com")[:1] == ["10.0.1.50"],
       "the service's name resolves inside the consumer, its own zone first")
    ok(resolve(P1, "pai-dlc-vpc.cn-hangzhou.aliyuncs.com") == [], "and nowhere else")


def test_health(feed, servers):
    ok(wait_for(lambda: len(feed.last()["health"]) == 2 and all(h["healthy"] for h in feed.last()["health"]), 8),
       "both servers are reported healthy")
    servers[0].kill()
    servers[0].wait()
    ok(wait_for(lambda: any(not h["healthy"] for h in feed.last()["health"]), 8), "a stopped server is reported")
    ok(connects(C, "10.0.1.50", "zone-i"), "its zone's ENI is served by the other zone")
    servers[0] = subprocess.Popen(in_netns(P1, "python3", PEER, "tcp-server", "443", "zone-h"))
    ok(wait_for(lambda: connects(C, "10.0.1.50", "zone-h"), 8), "and by its own again when it is back")


def revoke(feed):
    """After how many seconds the report comes that the rule is gone; infinity: it does not."""
    started = time.monotonic()
    revision = feed.change({}, deleted=["sg_rule/sg-ep/sgr-tcp"])
    if not wait_for(lambda: feed.reported(revision), 2):
        return math.inf
    return next(r["at"] for r in feed.reports if r["revision"] >= revision) - started


def test_change(feed):
    took = revoke(feed)
    ok(took < math.inf, "a revoked rule is in force")
    for _ in range(9):  # something else may have had the processor
        if took < 0.1:
            break
        note(f"once more: {took * 1000:.1f} ms")
        revision = feed.change(rule("sg-ep", "sgr-tcp", "TCP", 443, 443))
        wait_for(lambda: feed.reported(revision))
        took = revoke(feed)
    note(f"{took * 1000:.1f} ms from the row to the report")
    ok(took < 0.1, "within 100 ms")
    before = counters()["policy_in"]
    ok(not connects(C, "10.0.1.50"), "a connect is refused")
    ok(counters()["policy_in"] > before, "and counted by its reason")
    feed.change(rule("sg-ep", "sgr-tcp", "TCP", 443, 443))
    ok(wait_for(lambda: connects(C, "10.0.1.50"), 2), "authorized again, it opens")


def talk(port):
    """A client that talks until its connection ends; None: it cannot begin to."""
    def begun():
        return client.poll() is not None or "ESTAB" in inside(C, "ss", "-Htn", "dport", "=", port).stdout

    for _ in range(10):
        client = subprocess.Popen(in_netns(C, "python3", PEER, "pingpong", "10.0.1.50", port, "1000000000"),
                                  stderr=subprocess.DEVNULL)
        if wait_for(begun, 3) and client.poll() is None:
            return client
        client.kill()
        client.wait()
        time.sleep(0.2)
    return None


def test_open_flow(feed):
    """A flow that was opened is judged again by each change that concerns it."""
    rows = {"listener/lsn-3": dict(id="lsn-3", load_balancer="nlb-1", server_group="sgp-3", protocol="TCP", port=445,
                                   idle_timeout_s=900, status="Running"),
            "server_group/sgp-3": dict(id="sgp-3", vpc="vpc-p", protocol="TCP", status="Available"),
            f"server/sgp-3/{P1}/445": dict(group="sgp-3", server_id=P1, type="Ecs", addr="10.0.1.10", port=445,
                                           weight=100, zone=H, port_id=f"eni-{P1}", node=NODE, status="Available")}
    rows |= rule("sg-ep", "sgr-445", "TCP", 445, 445)
    server = subprocess.Popen(in_netns(P1, "python3", PEER, "echo-server", "445"))
    revision = feed.change(rows)
    wait_for(lambda: feed.reported(revision), 3)
    wait_for(lambda: ":445 " in inside(P1, "ss", "-Hltn").stdout)
    client = talk("445")
    ok(client, "a connection is open")
    before = counters()
    feed.change({}, deleted=["sg_rule/sg-ep/sgr-445"])
    ok(client and wait_for(lambda: client.poll() is not None, 3), "it ends when its rule is revoked")
    ok(counters()["policy_in"] > before["policy_in"], "by that reason")
    feed.change(rule("sg-ep", "sgr-445", "TCP", 445, 445))
    client = talk("445")
    ok(client, "another one opens when the rule is back")
    before = counters()
    feed.edit("connection/ep-1", status="Disconnecting")
    ok(client and wait_for(lambda: client.poll() is not None, 3), "it ends when the endpoint's connection is cut")
    ok(counters()["eni_not_connected"] > before["eni_not_connected"], "by that reason")
    feed.edit("connection/ep-1", status="Connected")
    client = talk("445")
    ok(client, "another one opens when that is up again")
    if client:
        client.kill()
    server.kill()
    revision = feed.change({}, deleted=list(rows))
    ok(wait_for(lambda: feed.reported(revision), 3), "all of it goes")


def test_failure(feed):
    rows = instance(f"i-{PID}x", 110, "c", H, "10.0.1.11", "sg-c")
    rows[f"instance/i-{PID}x"].update(kind="attached", path=f"/run/netns/{LAB}-x")
    revision = feed.change(rows)
    ok(wait_for(lambda: feed.reported(revision), 2), "a revision with an object that fails is reported")
    ok([f["key"] for f in feed.last()["failures"]] == [f"instance/i-{PID}x"], "with the object's key")
    ok("namespace" in feed.last()["failures"][0]["reason"], "and why")
    for _ in range(30):  # rows that change elsewhere, all the time
        revision = feed.edit("vpc/vpc-c", description="")
        wait_for(lambda: feed.reported(revision), 2)
        time.sleep(0.05)
    other = instance(f"i-{PID}y", 111, "c", H, "10.0.1.12", "sg-c")
    revision = feed.change(other)
    ok(wait_for(lambda: feed.reported(revision), 2) and
       [f["key"] for f in feed.last()["failures"]] == [f"instance/i-{PID}x"], "another one comes meanwhile")
    other[f"instance/i-{PID}y"].update(kind="attached", path=f"/run/netns/{LAB}-y")
    revision = feed.change(other)
    ok(wait_for(lambda: feed.reported(revision), 2) and
       sorted(f["key"] for f in feed.last()["failures"]) == [f"instance/i-{PID}{n}" for n in "xy"], "and fails, too")
    revision = feed.change({}, deleted=list(other))
    ok(wait_for(lambda: feed.reported(revision), 2) and
       [f["key"] for f in feed.last()["failures"]] == [f"instance/i-{PID}x"], "which nobody says any more when it is gone")
    run("ip", "netns", "add", f"{LAB}-x")
    ok(wait_for(lambda: not feed.last()["failures"], 5), "it is tried again, without a change in the feed")
    ok(wait_for(lambda: run(*in_netns(f"{LAB}-x", "ping", "-c", "1", "-W", "1", "10.0.1.10")).returncode == 0, 2),
       "the attached namespace reaches its VPC")
    revision = feed.change({}, deleted=list(rows))
    ok(wait_for(lambda: feed.reported(revision), 2), "it is deleted")
    ok("eth0" not in run(*in_netns(f"{LAB}-x", "ip", "link")).stdout, "the namespace is without it")
    run("ip", "netns", "del", f"{LAB}-x")


def test_stop_and_start(feed):
    revision = feed.edit(f"instance/{P2}", status="Stopped")
    ok(wait_for(lambda: feed.reported(revision), 2), "an instance is stopped")
    ok(inside(P1, "ping", "-c", "1", "-W", "1", "10.0.2.10").returncode != 0, "it does not answer")
    revision = feed.edit(f"instance/{P2}", status="Running")
    ok(wait_for(lambda: feed.reported(revision), 2), "and started")
    ok(echoes(P1, "10.0.2.10"), "it answers")


def is_by_slices(revision):
    with open(f"{DIR}/agent.log", encoding="utf-8") as f:
        return any(f"pass of slices revision={revision} " in line for line in f)


def test_one_of_several(feed):
    """An instance of a VPC and a group that have others here: no pass of the whole, unless one is due in any case."""
    id, address = f"i-{PID}v", "10.0.1.20"
    rows = instance(id, 120, "c", H, address, "sg-c")
    by_slices, good = set(), True
    for _ in range(3):
        for what, change, answers in (
                ("comes", lambda: feed.change(rows), True),
                ("stops", lambda: feed.edit(f"instance/{id}", status="Stopped"), False),
                ("starts", lambda: feed.edit(f"instance/{id}", status="Running"), True),
                ("goes", lambda: feed.change({}, deleted=list(rows)), False)):
            revision = change()
            good &= wait_for(lambda: feed.reported(revision), 5)
            good &= echoes(C, address) if answers else inside(C, "ping", "-c", "1", "-W", "1", address).returncode != 0
            if is_by_slices(revision):
                by_slices.add(what)
        good &= id not in os.listdir("/run/netns") and "pl78" not in run("ip", "-n", LAB, "-br", "link").stdout
    ok(good, "an instance of several comes, stops, starts and goes, and answers while it runs")
    ok(by_slices == {"comes", "stops", "starts", "goes"}, f"by slices (by these: {' '.join(sorted(by_slices))})")
    links = [n for n in os.listdir(f"/sys/fs/bpf/privlink/{NODE}") if n.startswith(("link_", "guard_"))]
    ok(len(links) in (0, 2 * 4), "no link of a device that has gone is left")


def test_many_instances(feed):
    """More at once than one pass has time for."""
    names = [f"i-{PID}m{n}" for n in range(60)]
    rows = {}
    for n, name in enumerate(names):
        rows |= instance(name, 300 + n, "c", H, f"10.0.1.{100 + n}", "sg-c")
    revision = feed.change(rows)
    ok(wait_for(lambda: feed.told(revision)), "many instances come at once: their revision is reported")
    ok(0 < len(still_lacking(feed.told(revision)[0])) <= 60 and not feed.reported(revision),
       "with those among the failures that have no device yet")
    other = feed.edit("vpc/vpc-c", description="other")
    ok(wait_for(lambda: feed.told(other)) and not feed.reported(other), "and so is what others change, before they are there")
    ok(wait_for(lambda: feed.reported(revision)), "many instances that come at once are reported")
    ok(set(names) <= set(os.listdir("/run/netns")) and feed.last()["failures"] == [], "when all of them are there")
    revision = feed.change({}, deleted=list(rows))
    ok(wait_for(lambda: feed.told(revision)) and still_lacking(feed.told(revision)[0]), "they go, which is told before they are gone")
    ok(wait_for(lambda: feed.reported(revision)) and not set(names) & set(os.listdir("/run/netns")), "until they are")


def remove_pins(pins):
    for pin in os.listdir(pins):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{pins}/{pin}")


def test_surprises(feed):
    run("ip", "-n", LAB, "link", "del", "pl65")
    ok(wait_for(lambda: connects(C, "10.0.1.50", "zone-h"), 3), "a device that someone deleted is made again")
    pins = f"/sys/fs/bpf/privlink/{NODE}"
    before = set(os.listdir(pins))
    while os.path.exists(pins):  # the agent may pin in between
        with contextlib.suppress(OSError):
            remove_pins(pins)
            os.rmdir(pins)
    run("ip", "-n", LAB, "link", "del", "pl65")
    ok(wait_for(lambda: connects(C, "10.0.1.50", "zone-h"), 8), "also if its pins are gone")
    ok(wait_for(lambda: os.path.exists(pins) and set(os.listdir(pins)) == before, 8), "all is pinned again")
    ok(wait_for(lambda: feed.last()["failures"] == [], 3), "nothing is reported as failed any more")


def test_service_port(feed):
    for command in ("link set pl0 down", "link set pl0 name mine0", "link add pl0 type veth peer name theirs0",
                    "link set mine0 up"):
        run("ip", "-n", LAB, *command.split())
    run("ip", "netns", "del", f"privlink-{NODE}")
    remove_pins(f"/sys/fs/bpf/privlink/{NODE}")  # so that it looks at everything
    ok(wait_for(lambda: os.path.exists(f"/run/netns/privlink-{NODE}"), 8), "VPC 0 gets its name again")
    revision = feed.edit(f"instance/{P2}", status="Stopped")
    ok(wait_for(lambda: inside(P1, "ping", "-c", "1", "-W", "1", "10.0.2.10").returncode != 0, 3),
       "while another device has the node's port's name, instances are looked after")
    ok(not feed.reported(revision), "and nothing is said to be in force")
    run("ip", "-n", LAB, "link", "del", "pl0")
    revision = feed.edit(f"instance/{P2}", status="Running")
    ok(wait_for(lambda: feed.reported(revision), 8), "until it is ours again")
    ok("privlink/" in run("ip", "-n", LAB, "link", "show", "pl0").stdout, "the device has its name again")
    ok(resolve(C, "pai-dlc-vpc.cn-hangzhou.aliyuncs.com") != [], "names resolve as before")


def test_refused_report(feed):
    feed.refused = 0
    revision = feed.edit("vpc/vpc-c", description="")
    wait_for(lambda: feed.refused)
    time.sleep(1.5)
    ok(1 <= feed.refused <= 10, "a report that is refused is not sent again and again")
    feed.refused = None
    ok(wait_for(lambda: feed.reported(revision), 3), "it comes when reports are taken again")


def test_feed_away(feed, server, servers):
    stop_feed(feed, server)
    time.sleep(0.3)
    ok(connects(C, "10.0.1.50"), "with the feed away, connections open")
    ok(resolve(C, "pai-dlc-vpc.cn-hangzhou.aliyuncs.com") != [], "and names resolve")
    servers[0].kill()
    servers[0].wait()
    ok(wait_for(lambda: connects(C, "10.0.1.50", "zone-i"), 8), "probes go on: a server that stops is left out")
    servers[0] = subprocess.Popen(in_netns(P1, "python3", PEER, "tcp-server", "443", "zone-h"))
    ok(wait_for(lambda: connects(C, "10.0.1.50", "zone-h"), 8), "and taken in when it is back")
    feed.reports.clear()
    revision = feed.change({}, deleted=["sg_rule/sg-ep/sgr-icmp"])
    server = serve_feed(feed)
    ok(wait_for(lambda: feed.reported(revision), 3), "when it is back, the change made meanwhile is in force")
    ok(inside(C, "ping", "-c", "1", "-W", "1", "10.0.1.50").returncode != 0, "ping is refused")
    ok(wait_for(lambda: len(feed.reports) >= 3, 4), "the lease is renewed again and again")
    return server


def ask_agent(command):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(f"{DIR}/run/agent.sock")
        s.sendall(json.dumps({"command": command}).encode() + b"\n")
        return json.loads(s.makefile().readline())


def hears(feed, server, **others):
    """The feed comes back as that of another privlinkd; what was reported to it."""
    stop_feed(feed, server)
    for name, value in others.items():
        setattr(feed, name, value)
    feed.reports.clear()
    return serve_feed(feed)


def holds(feed):
    return wait_for(lambda: feed.reports and all("hold" in r for r in feed.reports), 5)


def test_hold(feed, server):
    right = dict(store=feed.store, rows=feed.rows, revision=feed.revision, deleted=feed.deleted, history=feed.history)
    wrong = [("another store, empty", dict(store="f" * 32, rows={}, revision=3, deleted=[])),
             ("one that does not say which store", dict(store=None, rows={}, revision=10**6, deleted=[])),
             ("an older copy, without an instance", dict(
                 rows={k: v for k, v in feed.rows.items() if P2 not in k and v[1] <= 2}, revision=2, deleted=[])),
             ("a copy that was changed apart", dict(
                 rows=dict(feed.rows), deleted=[], revision=feed.revision + 50,
                 history={"a" * 16: feed.revision - 1, "b" * 16: None}))]
    ok(ask_agent("accept-store").get("error"), "nothing is accepted where nothing is held")
    for name, others in wrong:
        server = hears(feed, server, **others)
        ok(holds(feed), f"{name}: the agent holds, and reports why")
        ok(all(r["revision"] == 0 and not r["health"] for r in feed.reports), f"{name}: nothing is said to be in force")
        ok(wait_for(lambda: len(feed.reports) > 2, 6), f"{name}: the lease is renewed")
        feed.change(instance(f"i-{PID}z", 130, "c", H, "10.0.1.13", "sg-c"))
        ok(connects(C, "10.0.1.50") and os.path.exists(f"/run/netns/{P2}"), f"{name}: what stands goes on")
        ok(resolve(C, "pai-dlc-vpc.cn-hangzhou.aliyuncs.com") != [], f"{name}: names resolve")
        ok(not os.path.exists(f"/run/netns/i-{PID}z"), f"{name}: nothing of it is made")
        server = hears(feed, server, **right)
        ok(wait_for(lambda: feed.reported(right["revision"]), 5), f"{name}: the right store ends it")
        ok("hold" not in feed.last(), f"{name}: without a word")
    return server


def test_agent_away(feed, agent):
    hold = subprocess.Popen(in_netns(P1, "python3", PEER, "source", "444", "3000000", "1000000"))
    rows = {"listener/lsn-2": dict(id="lsn-2", load_balancer="nlb-1", server_group="sgp-2", protocol="TCP", port=444,
                                   idle_timeout_s=900, status="Running"),
            "server_group/sgp-2": dict(id="sgp-2", vpc="vpc-p", protocol="TCP", status="Available"),
            f"server/sgp-2/{P1}/444": dict(group="sgp-2", server_id=P1, type="Ecs", addr="10.0.1.10", port=444,
                                           weight=100, zone=H, port_id=f"eni-{P1}", node=NODE, status="Available")}
    rows |= rule("sg-ep", "sgr-444", "TCP", 444, 444)
    revision = feed.change(rows)
    wait_for(lambda: feed.reported(revision), 3)
    wait_for(lambda: ":444 " in inside(P1, "ss", "-Hltn").stdout)
    download = subprocess.Popen(in_netns(C, "python3", PEER, "fetch", "10.0.1.50", "444"), stdout=subprocess.PIPE,
                                text=True)
    ok(wait_for(lambda: "ESTAB" in inside(C, "ss", "-Htn", "dport", "=", "444").stdout), "a download is open")
    agent.stop(signal.SIGKILL)
    ok(connects(C, "10.0.1.50"), "with the agent killed, connections open")
    feed.reports.clear()
    feed.hold(True)
    agent.start()
    took = inside(C, "python3", PEER, "first-answer", "100.100.2.136", "pai-dlc-vpc.cn-hangzhou.aliyuncs.com",
                  str(5 * PATIENCE)).stdout
    note(f"names resolve again after {took.strip()} ms")
    ok(took.strip().isdigit() and feed.reports == [], "its successor resolves names before it has heard privlinkd")
    feed.hold(False)
    ok(wait_for(lambda: feed.reported(revision), 5), "and reports")
    ok(feed.last()["failures"] == [], "without failures")
    want = run("python3", PEER, "digest", "3000000").stdout
    ok(download.communicate(timeout=20 * PATIENCE)[0] == want, "a download over all of this is complete")
    hold.kill()
    ok(agent.stop() == 0, "it stops cleanly")
    ok(connects(C, "10.0.1.50"), "and leaves everything in force")
    gone = [key for key in feed.rows if P2 in key]
    feed.change({}, deleted=gone)
    feed.reports.clear()
    agent.start()
    ok(wait_for(lambda: feed.reports, 5), "an agent that starts after an instance was deleted reports")
    ok(wait_for(lambda: not os.path.exists(f"/run/netns/{P2}"), 2), "and has removed the instance")
    ok(agent.stop() == 0, "it stops again")
    stray, mark = f"i-{PID}s", json.loads(inside(P1, "ip", "-j", "link", "show", "lo").stdout)[0]["ifalias"]
    run("ip", "netns", "add", stray)
    inside(stray, "ip", "link", "set", "lo", "alias", mark)
    feed.reports.clear()
    agent.start()
    ok(wait_for(lambda: feed.reported(feed.revision), 5), "an agent that starts where no row has changed reports")
    ok(wait_for(lambda: not os.path.exists(f"/run/netns/{stray}"), 2), "and has removed a namespace of its own that no row wants")


def test_stopped_process(feed, agent):
    agent.process.send_signal(signal.SIGSTOP)
    revision = feed.change(instance(f"i-{PID}y", 120, "c", H, "10.0.1.12", "sg-c"))
    time.sleep(0.5)
    ok(not feed.reported(revision), "an agent that is stopped reports nothing")
    agent.process.send_signal(signal.SIGCONT)
    ok(wait_for(lambda: feed.reported(revision), 2), "and goes on when it is let")


def test_stranger():
    """Who may ask is told by the kernel, not by the socket's mode."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(2 * PATIENCE)
        os.chmod(f"{DIR}/run/agent.sock", 0o777)
        os.seteuid(65534)
        try:
            s.connect(f"{DIR}/run/agent.sock")
            s.sendall(b'{"command": "counters"}\n')
            answer = s.recv(1)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
        finally:
            os.seteuid(0)
    ok(answer == b"", "only root may ask the agent")


def test_remove(agent):
    ok("runs already" in agent.remove().stderr, "nothing is removed under a running agent")
    with open(f"{DIR}/agent.log", encoding="utf-8") as f:
        found = [line for line in f if "runtime error" in line or "Sanitizer" in line]
    if not ok(not found, "no sanitizer has found anything"):
        note("".join(found))
    agent.process.kill()  # and not waited for: it may still be dying
    result = agent.remove()
    if not ok(result.returncode == 0, "everything is removed"):
        note(result.stderr)
    ok("pl" not in run("ip", "-n", LAB, "-br", "link").stdout, "no device is left")
    ok(not [n for n in os.listdir("/run/netns") if str(PID) in n and n != LAB], "no namespace")
    ok(not os.path.exists(f"/sys/fs/bpf/privlink/{NODE}"), "no pin")
    ok(not [n for n in os.listdir("/etc/netns") if str(PID) in n] if os.path.exists("/etc/netns") else True, "no file")


def run_tests(feed, agent):
    servers = []
    server = serve_feed(feed)
    agent.start()
    try:
        if not test_first_rows(feed):
            return
        test_endpoint(servers)
        test_health(feed, servers)
        test_change(feed)
        test_open_flow(feed)
        test_failure(feed)
        test_stop_and_start(feed)
        test_one_of_several(feed)
        test_many_instances(feed)
        test_surprises(feed)
        test_service_port(feed)
        test_refused_report(feed)
        server = test_feed_away(feed, server, servers)
        server = test_hold(feed, server)
        test_agent_away(feed, agent)
        test_stopped_process(feed, agent)
        test_stranger()
        test_remove(agent)
    finally:
        for process in servers:
            process.kill()


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    os.makedirs(f"{DIR}/run")
    os.makedirs(f"{DIR}/state")
    with open(f"{DIR}/resolv.conf", "w", encoding="ascii") as f:
        f.write("nameserver 127.0.0.53\n")
    run("ip", "netns", "add", LAB)
    run("ip", "-n", LAB, "link", "set", "lo", "up")
    feed = Feed()
    agent = Agent(feed)
    try:
        run_tests(feed, agent)
    finally:
        if agent.process and agent.process.poll() is None:
            agent.stop(signal.SIGKILL)
        agent.remove()
        run("ip", "netns", "del", LAB)
        if bad:
            with open(f"{DIR}/agent.log", encoding="utf-8") as f:
                note("".join(f.readlines()[-60:]))
        shutil.rmtree(DIR)
    print(f"1..{count}")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
