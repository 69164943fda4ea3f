#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What nodes say of traffic, from the feed to the API and the command line, without a node: two agents that this test plays
tell numbers, and so again when privlinkd was killed.

BUILD is the build directory.
"""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

from caller import VERSIONS
from privlinkd import BUILD, Daemon, done, is_equal, ok, v1, wait_for

REGION, ZONES = "cn-hangzhou", ("cn-hangzhou-h", "cn-hangzhou-i")


class Feed(http.client.HTTPConnection):
    """One request to privlinkd's socket, as an agent."""

    def __init__(self, daemon):
        super().__init__("feed")
        self.path = os.path.join(daemon.run, "feed.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


class Agent:
    """What an agent says. It has everything in force at once."""

    def __init__(self, daemon, node):
        self.daemon, self.node, self.store, self.held = daemon, node, None, {}

    def ask(self, path, body):
        feed = Feed(self.daemon)
        feed.request("POST", path, json.dumps(body))
        answer = feed.getresponse()
        text = json.loads(answer.read())
        feed.close()
        self.store = text.get("store", self.store)
        return answer.status, text

    def register(self):
        return self.ask("/feed/v1/node", {"name": self.node, "zones": [], "mtu": 1500})

    def report(self):
        return self.ask("/feed/v1/report", {"node": self.node, "revision": 10**9, "failures": [], "health": []})

    def tell(self, *times):
        intervals = [{"time": t, "zones": self.held[t]} for t in times]
        return self.ask("/feed/v1/metrics", {"node": self.node, "store": self.store, "intervals": intervals})


class World:
    """An endpoint of the administrator's, in two zones of a VPC in which there is no instance."""

    def __init__(self, daemon, agents):
        self.daemon, self.agents = daemon, agents
        vpc = self.made("vpc", "CreateVpc", CidrBlock="10.0.0.0/16")["VpcId"]
        switches = [self.made("vpc", "CreateVSwitch", VpcId=vpc, ZoneId=zone, CidrBlock=f"10.0.{i}.0/24")["VSwitchId"]
                    for i, zone in enumerate(ZONES)]
        group = self.made("ecs", "CreateSecurityGroup", VpcId=vpc)["SecurityGroupId"]
        mappings = {f"ZoneMappings.{i + 1}.{k}": v for i, pair in enumerate(zip(ZONES, switches))
                    for k, v in zip(("ZoneId", "VSwitchId"), pair)}
        nlb = self.made("nlb", "CreateLoadBalancer", AddressType="Intranet", VpcId=vpc, **mappings)["LoadbalancerId"]
        self.service = self.made("privatelink", "CreateVpcEndpointService", AutoAcceptEnabled="true", **{
            "Resource.1.ResourceType": "nlb", "Resource.1.ResourceId": nlb, "Resource.1.ZoneId": ZONES[0],
            "Resource.2.ResourceType": "nlb", "Resource.2.ResourceId": nlb, "Resource.2.ZoneId": ZONES[1]})["ServiceId"]
        self.endpoint = self.made("privatelink", "CreateVpcEndpoint", VpcId=vpc, ServiceId=self.service, **{
            "SecurityGroupId.1": group, "Zone.1.ZoneId": ZONES[0], "Zone.1.VSwitchId": switches[0],
            "Zone.2.ZoneId": ZONES[1], "Zone.2.VSwitchId": switches[1]})["EndpointId"]

    def call(self, product, action, **parameters):
        request = v1(self.daemon.key(), action, {"RegionId": REGION, **parameters}, version=VERSIONS[product])
        return self.daemon.send(request)

    def made(self, product, action, **parameters):
        """In force, too: some calls are refused before."""
        answer = {}

        def try_it():
            for agent in self.agents:
                agent.report()
            status, text = self.call(product, action, **parameters)
            answer.update(text)
            return status == 200

        if not wait_for(try_it):
            raise RuntimeError(f"{action}: {answer}")
        for agent in self.agents:
            agent.report()
        return answer

    def points(self, metric, zone=ZONES[0], **parameters):
        """Up to the newest interval that the agents have told, whatever the time is meanwhile."""
        of = parameters or {"EndpointId": self.endpoint}
        _, answer = self.call("privlink", "GetEndpointMetrics", EndTime=self.end, **of)
        return next((s["Points"] for s in answer["Series"] if s["ZoneId"] == zone and s["Metric"] == metric), None)

    def run(self, how, *arguments, **more):
        key = self.daemon.key()
        environment = {**os.environ, "PRIVLINK_ACCESS_KEY_ID": key[0], "PRIVLINK_ACCESS_KEY_SECRET": key[1],
                       "PRIVLINK_REGION": REGION, "PRIVLINK_ENDPOINT": f"http://127.0.0.1:{self.daemon.port}"}
        return how([f"{BUILD}/src/cmd/privlink", *arguments, "--config", "/dev/null"], env=environment, text=True, **more)

    def command(self, *arguments):
        return self.run(subprocess.run, *arguments, capture_output=True, timeout=60)

    def followed(self, word, *arguments):
        """What a command has said that does not end by itself, up to the word."""
        path = os.path.join(self.daemon.dir, "followed")

        def text():
            with open(path) as f:
                return f.read()
        with open(path, "w") as out:
            process = self.run(subprocess.Popen, *arguments, stdout=out, stderr=subprocess.DEVNULL)
        wait_for(lambda: word in text() or process.poll() is not None)
        process.kill()
        process.wait()
        return text()


def traffic(world, packets):
    return [{"endpoint": world.endpoint, "zone": ZONES[0], "in": [packets, 100 * packets], "out": [packets, 1000 * packets],
             "flows": [1, 2], "in_drop": [3, 180], "drops": {"policy_in": 3}}]


def test_numbers(world, first, second, newest):
    for i, t in enumerate(range(newest - 50, newest + 10, 10)):
        first.held[t] = traffic(world, i + 1) if i != 2 else []
        second.held[t] = traffic(world, 10) if i == 5 else []
    gap = newest - 20
    told = [t for t in first.held if t != gap]
    status, answer = first.tell(newest)
    ok(status == 200 and 0 < answer["since"] <= newest - 50, "a node that is not known is asked for what it holds", answer)
    status, answer = first.tell(*told)
    is_equal((status, "since" in answer), (200, False), "and then for nothing more")
    second.tell(*[t for t in second.held if t != gap])
    points = world.points("InPps")
    is_equal(points[-6:], [0.1, 0.2, 0, None, 0.5, 1.6], "sums over nodes, zeros and a gap are told")
    is_equal(points[:-6], [None] * 84, "before that nothing is known")
    is_equal(world.points("OutBps")[-1], 16 * 1000 * 8 / 10, "in bits a second")
    is_equal(world.points("Drops.policy_in")[-6:], [3, 3, 0, None, 3, 6], "drops by reason are counted")
    is_equal(world.points("InPps", ZONES[1])[-6:], [0, 0, 0, None, 0, 0], "the other zone is idle")
    is_equal(world.points("InPps", ServiceId=world.service)[-6:], points[-6:], "the service's owner sees it, too")
    return points


def test_killed(world, agents, points):
    world.daemon.restart(signal.SIGKILL)
    is_equal(world.points("InPps"), [None] * 90, "a privlinkd that was killed knows nothing")
    for agent in agents:
        agent.register()
        times = sorted(agent.held)
        del times[3]
        agent.tell(times[-1])
        agent.tell(*times)
        agent.tell(*times)
    shift = [p for p in world.points("InPps") if p is not None]
    is_equal(shift, [p for p in points if p is not None], "and all again when the nodes have told it, each number once")


def test_command(world):
    shown = world.command("endpoint", "monitor", world.endpoint, "--since", "15m")
    lines = shown.stdout.splitlines()
    ok(shown.returncode == 0 and lines[0].split()[:3] == ["Time", "Zone", "In"], "the command line shows a table", shown.stderr,
       shown.stdout[:300])
    ok(all(len(line) <= 80 for line in lines), "in 80 columns")
    ok(any(line.split()[1] == ZONES[0] and line.endswith("policy_in 6") for line in lines), "with drops by reason", shown.stdout[-800:])
    ok(any(set(line.split()[2:]) == {"-"} for line in lines), "and what is not known as such", shown.stdout[-800:])
    shown = world.command("service", "monitor", world.service, "--zone", ZONES[0], "-o", "json")
    answer = json.loads(shown.stdout or "{}")
    is_equal({s["ZoneId"] for s in answer.get("Series", [])}, {ZONES[0]}, "a service's numbers as JSON, of one zone")
    shown = world.command("endpoint", "monitor", world.endpoint, "--period", "11")
    ok(shown.returncode == 1 and "InvalidParameter.Period" in shown.stderr, "a period that there is not is refused", shown.stderr)
    text = world.followed(ZONES[0], "endpoint", "monitor", world.endpoint, "-f", "--since", "40s")
    ok(text.startswith("Time") and ZONES[0] in text, "--follow shows it as it comes", text)


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP only root may speak to the feed")
        return 0
    daemon = Daemon()
    try:
        daemon.start()
        agents = [Agent(daemon, "n1"), Agent(daemon, "n2")]
        for agent in agents:
            agent.register()
        world = World(daemon, agents)
        newest = (int(time.time()) - 3) // 10 * 10 - 10
        world.end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(newest + 10))
        points = test_numbers(world, *agents, newest)
        test_killed(world, agents, points)
        test_command(world)
    finally:
        daemon.remove()
    return done()


sys.exit(main())
