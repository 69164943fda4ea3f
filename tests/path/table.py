# SPDX-License-Identifier: Apache-2.0
"""What the tests that are driven by cases.json share: a privlinkd with a node that this test is, accounts for each case, and the acts."""
import http.client
import json
import os
import re
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../api"))
from privlinkd import BUILD, Daemon, v1  # noqa: E402

VERSIONS = {"vpc": "2016-04-28", "ecs": "2014-05-26", "nlb": "2022-04-30", "slb": "2014-05-15", "privatelink": "2020-04-15",
            "privlink": "2026-11-01"}
EVERYTHING = 1 << 52  # a revision: whatever is durable is in force
SIDES = ("consumer", "provider")
REGION = "cn-hangzhou"


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


class Node:
    """An agent that says what a case wants it to say."""

    def __init__(self, run):
        self.path = os.path.join(run, "feed.sock")
        self.say("POST", "/feed/v1/node", {"name": "alpha", "zones": [], "mtu": 1500})
        self.store = self.say("GET", "/feed/v1/rows?node=alpha&after=0&wait=0")["store"]
        self.forget()

    def forget(self):
        self.revision, self.failures, self.health, self.hold, self.is_silent = EVERYTHING, [], {}, "", False
        self.settle()

    def say(self, method, path, body=None):
        connection = Unix(self.path)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {text}")
            return json.loads(text)
        finally:
            connection.close()

    def report(self):
        body = {"node": "alpha", "store": self.store, "revision": self.revision, "failures": self.failures,
                "health": list(self.health.values())}
        if self.hold:
            body["hold"] = self.hold
        self.say("POST", "/feed/v1/report", body)

    def settle(self):
        """What follows from one report may wait for the next."""
        for _ in range(0 if self.is_silent else 4):
            self.report()

    def pause(self):
        self.revision = self.say("GET", "/feed/v1/rows?node=alpha&after=0&wait=0")["revision"]


class World:
    """The objects of one case, of accounts of its own."""

    def __init__(self, tests, is_united):
        self.tests, self.ids, self.own = tests, {}, {side: set() for side in SIDES}
        self.keys = {"consumer": tests.account(self.ids, "consumer")}
        self.keys["provider"] = self.keys["consumer"] if is_united else tests.account(self.ids, "provider")
        if is_united:
            self.ids["provider"] = self.ids["consumer"]
        tests.node.forget()

    def fill(self, value):
        return re.sub(r"\{(\w+)\}", lambda m: str(self.ids[m[1]]), value)

    def call(self, side, product, action, parameters):
        status, answer = self.tests.send(v1(self.keys[side], action, parameters, version=VERSIONS[product]))
        return status, answer

    def act(self, act):
        if "agent" in act:
            self.act_of_node(act)
        else:
            parameters = {"RegionId": REGION} | {k: self.fill(v) for k, v in act["parameters"].items()}
            status, answer = self.call(act["as"], act["product"], act["action"], parameters)
            if status != 200:
                raise RuntimeError(f"{act['action']} {parameters}: {answer}")
            for name, path in act.get("keep", {}).items():
                self.ids[name] = find(answer, path)
                self.own[act["as"]].add(self.ids[name])
        self.tests.node.settle()

    def act_of_node(self, act):
        node = self.tests.node
        if act["agent"] == "health":
            for server in act["servers"]:
                row = {"group": self.fill(server["group"]), "server_id": self.fill(server["server"]), "port": server["port"],
                       "healthy": server["healthy"], "reason": server["reason"]}
                node.health[row["server_id"]] = row
        elif act["agent"] == "failure":
            node.failures = [{"key": self.fill(act["key"]), "reason": act["reason"]}]
        elif act["agent"] == "hold":
            node.hold = act["reason"]
        elif act["agent"] == "pause":
            node.pause()
        else:
            node.is_silent = True

    def ask(self, case, **more):
        parameters = {"RegionId": REGION} | {k: self.fill(v) for k, v in case["ask"].items()} | more
        return self.call(case["view"], "privlink", "GetEndpointPath", parameters)

    def learn(self):
        """What else the accounts have: interfaces with their addresses, rules."""
        for side in SIDES:
            interfaces = self.call(side, "ecs", "DescribeNetworkInterfaces", {"RegionId": REGION, "MaxResults": "100"})[1]
            for eni in interfaces["NetworkInterfaceSets"]["NetworkInterfaceSet"]:
                self.own[side] |= {eni["NetworkInterfaceId"], eni["PrivateIpAddress"]}
            groups = self.call(side, "ecs", "DescribeSecurityGroups", {"RegionId": REGION})[1]
            for group in groups["SecurityGroups"]["SecurityGroup"]:
                self.own[side].add(group["SecurityGroupId"])
                rules = self.call(side, "ecs", "DescribeSecurityGroupAttribute",
                                  {"RegionId": REGION, "SecurityGroupId": group["SecurityGroupId"]})[1]
                self.own[side] |= {rule["SecurityGroupRuleId"] for rule in rules["Permissions"]["Permission"]}

    def environment(self, side):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PRIVLINK_")}
        return environment | {
            "PRIVLINK_ENDPOINT": f"http://127.0.0.1:{self.tests.port}", "HOME": self.tests.dir, "LC_ALL": "C.UTF-8",
            "PRIVLINK_REGION": REGION, "PRIVLINK_STATE_DIR": self.tests.state, "PRIVLINK_CONFIG": "/dev/null",
            "PRIVLINK_ACCESS_KEY_ID": self.keys[side][0], "PRIVLINK_ACCESS_KEY_SECRET": self.keys[side][1],
            "PATH": f"{BUILD}/src/cmd:{os.environ['PATH']}"}

    def shell(self, side, command):
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, env=self.environment(side))


def find(value, path):
    for name in path.split("."):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


class Tests(Daemon):
    def begin(self):
        self.n_accounts = 0
        self.start()
        self.node = Node(self.run)

    def account(self, ids, name):
        """A new account; its key."""
        self.n_accounts += 1
        _, answer = self.call("CreateAccount", AccountName=f"{name}-{self.n_accounts}")
        ids[name] = str(answer["AccountId"])
        _, key = self.call("CreateAccessKey", AccountId=ids[name])
        return key["AccessKeyId"], key["AccessKeySecret"]


def load():
    with open(os.path.join(HERE, "cases.json")) as f:
        return json.load(f)


