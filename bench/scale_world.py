# SPDX-License-Identifier: Apache-2.0
"""A privlink of the benchmark's own that grows: its daemons, an account's calls, VPCs, services, endpoints.

Everything is made by signed calls of the API. privlinkd listens on this machine's loopback; the agent's devices are in a
namespace that stands for the host.
"""

import contextlib
import http.client
import ipaddress
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from caller import VERSIONS, ZONES  # of tests/api
from lab import Failure, inside
from privlinkd import free_port, v1

REGION = "cn-hangzhou"
UDP_PORT = 7000
PATIENCE_S = 60
CALLERS = 4  # at a time, while the world is filled
SERVICES_PER_INSTANCE = 50
RULES_PER_GROUP = 900  # one group may have 1,000, and some come and go
QUIET_MS, QUIET_CPU_MS = 50, 0.5  # nothing goes on: so little CPU time in so long
RAISED = {"pvl_quota_total_epsrv": 1000, "pvl_quota_total_ep_per_vpc": 1000000, "vpcs": 10000, "security_groups": 100000,
          "rules_per_security_group": 1000, "instances": 10000, "load_balancers": 10000, "server_groups": 10000,
          # Shares of a node's tables: here all is one account's.
          "network_interfaces": 1000000, "endpoints": 1000000, "vpcs_of_all_regions": 10000, "vswitches": 1000000, "security_groups_of_all_regions": 1000000,
          "security_group_rules": 1000000, "listeners": 1000000, "servers": 1000000, "balancing_places": 1000000000,
          "services": 10000, "service_users": 1000000, "service_resources": 1000000}


def wait_for(what, condition, patience_s=PATIENCE_S, pause_s=0.02):
    """The first true value of the condition."""
    end = time.monotonic() + patience_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failure(f"{what} did not happen within {patience_s} s")
        time.sleep(pause_s)
    return value


class Account:
    """Calls of one account, over a connection for each thread. The time of a call is from its sending to its answer."""

    def __init__(self, port, key):
        self.port, self.key, self.own = port, key, threading.local()

    def call(self, product, action, **parameters):
        return self.timed(product, action, **parameters)[0]

    def timed(self, product, action, **parameters):
        """The answer, when it was there, and how long that took."""
        parameters = {"RegionId": REGION, **{k.replace("_", "."): str(v) for k, v in parameters.items()}}
        # Stamped as by the clients of others, by whole seconds: never ahead of the clock, for which privlinkd would wait for the disk.
        body = v1(self.key, action, parameters, version=VERSIONS[product]).partition(b"\r\n\r\n")[2]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        for attempt in range(2):
            if not getattr(self.own, "connection", None):
                self.own.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
            begin = time.monotonic()
            try:
                self.own.connection.request("POST", "/", body, headers)
                answer = self.own.connection.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self.own.connection = None  # the daemon was started anew meanwhile
                if attempt:
                    raise
        end = time.monotonic()
        told = json.loads(text)
        if answer.status != 200:
            raise Failure(f"{action}: {told.get('Code')}: {told.get('Message')}")
        return told, end, end - begin

    def wait(self, product, action, condition, **parameters):
        return wait_for(f"the end of {action} {parameters}",
                        lambda: (lambda r: r if condition(r) else None)(self.call(product, action, **parameters)))


class Process:
    """One of the daemons."""

    def __init__(self, lab, name, words, namespace=None):
        self.lab, self.name, self.words, self.namespace = lab, name, words, namespace
        self.log = f"{lab.directory()}/{name}.log"
        self.process = None

    def start(self):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = self.lab.spawn(*self.words, namespace=self.namespace, output=log)

    def stop(self):
        self.lab.end(self.process)

    def cpu_s(self):
        """Of all its threads, in nanoseconds as the kernel counts."""
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{self.process.pid}/task/{task}/schedstat",
                                                               encoding="ascii") as stat:
                total += int(stat.read().split()[0])
        return total / 1e9

    def memory_mib(self):
        """Resident: now, at most, and what of it is its own (not files, not the kernel's tables)."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            kib = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in status)
                   if name in ("VmRSS", "VmHWM", "RssAnon")}
        return {"now": kib["VmRSS"] / 1024, "most": kib["VmHWM"] / 1024, "own": kib["RssAnon"] / 1024}

    def is_running(self):
        return self.process.poll() is None


class World:
    """The daemons, and what is in the store. The first VPC is the one that is looked at closely."""

    def __init__(self, lab, build, n_vpcs, group_size, n_rules, n_services):
        self.lab, self.n_vpcs, self.group_size, self.n_rules, self.n_services = lab, n_vpcs, group_size, n_rules, n_services
        self.directory = lab.directory()
        self.port = free_port()
        self.node = f"bench{os.getpid()}"
        self.make_daemons(build)
        self.vpcs, self.services, self.groups, self.servers, self.endpoints = [], [], [], [], 0
        self.rules = self.n_addresses = 0

    # The daemons.

    def make_daemons(self, build):
        host = self.lab.netns("privlink-host")
        places = ["--state-dir", f"{self.directory}/state", "--run-dir", f"{self.directory}/run"]
        for place in places[1::2]:
            os.makedirs(place)
        with open(f"{self.directory}/resolv.conf", "w", encoding="ascii") as resolver:
            resolver.write("nameserver 127.0.0.53\n")
        program = os.path.join(os.path.abspath(build), "src/cmd")
        catalogue = ["--catalogue", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/catalogue.json")]
        agent = [f"{program}/privlink-agent", "--node", self.node, *places]
        self.lab.note("undo", command=[*inside(host), *agent, "--remove"])
        self.agent = Process(self.lab, "agent", [*agent, "--resolv-conf", f"{self.directory}/resolv.conf", *catalogue], host)
        self.privlinkd = Process(self.lab, "privlinkd", [f"{program}/privlinkd", *places, "--http", f"127.0.0.1:{self.port}",
                                                         "--user", "root", "--no-rate-limits", *catalogue])

    def logs(self):
        """The last lines of both."""
        tails = []
        for daemon in (self.privlinkd, self.agent):
            if os.path.exists(daemon.log):
                with open(daemon.log, encoding="utf-8", errors="replace") as log:
                    tails += [f"{daemon.name}: {line.rstrip()}" for line in log.readlines()[-8:]]
        return "\n".join(tails)

    def serves(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/x")
            return connection.getresponse().status == 404
        except (OSError, http.client.HTTPException):
            if not self.privlinkd.is_running():
                raise Failure(f"privlinkd has ended:\n{self.logs()}") from None
            return False

    def start_privlinkd(self):
        """Seconds until it answered."""
        begin = time.monotonic()
        self.privlinkd.start()
        wait_for("privlinkd's first answer", self.serves, pause_s=0.002)
        return time.monotonic() - begin

    def wait_quiet(self, cpu=None, beside_ms=0):
        """Until neither daemon does anything beside what takes so much CPU time in QUIET_MS. What both have used since `cpu`, in ms."""
        daemons = (self.privlinkd, self.agent)
        begin = cpu or [d.cpu_s() for d in daemons]
        end, last = time.monotonic() + PATIENCE_S, [d.cpu_s() for d in daemons]
        while time.monotonic() < end:
            time.sleep(QUIET_MS / 1000)
            now = [d.cpu_s() for d in daemons]
            if sum(now) - sum(last) < (QUIET_CPU_MS + beside_ms) / 1000:
                break
            last = now
        return [(n - b) * 1000 for n, b in zip(now, begin)]

    def cpu(self):
        return [d.cpu_s() for d in (self.privlinkd, self.agent)]

    def feed_bytes(self):
        """Of the rows that the agent was told: it keeps its answers as they came (node.rows)."""
        try:
            return os.stat(f"{self.directory}/run/node.rows").st_size
        except OSError:
            return 0

    # What is in the store.

    def begin(self):
        self.start_privlinkd()
        path = f"{self.directory}/state/admin.env"
        wait_for("an administrator's key", lambda: os.path.exists(path) and os.path.getsize(path))
        with open(path, encoding="utf-8") as lines:
            key = dict(line.strip().split("=", 1) for line in lines if "=" in line)
        self.admin = Account(self.port, (key["PRIVLINK_ACCESS_KEY_ID"], key["PRIVLINK_ACCESS_KEY_SECRET"]))
        self.agent.start()
        self.admin.wait("privlink", "ListNodes", lambda r: any(n["NodeName"] == self.node and n["Live"] for n in r["Nodes"]))
        uid, self.account = self.make_account("bench")
        known = {q["QuotaName"] for q in self.admin.call("privlink", "ListQuotas", AccountId=uid)["Quotas"]}
        for name, value in RAISED.items():
            if name in known:
                self.admin.call("privlink", "SetQuota", AccountId=uid, QuotaName=name, Value=value)
        self.vpcs = self.each(self.make_vpc, range(self.n_vpcs))
        self.provider = self.make_vpc("provider")
        self.clients = self.each(lambda v: self.make_instance(v, v["base"]), self.vpcs)
        self.service = self.make_service(0, "UDP", UDP_PORT, [self.make_server() for _ in range(2)])

    def make_account(self, name):
        """Its number, and its calls."""
        uid = self.admin.call("privlink", "CreateAccount", AccountName=name)["AccountId"]
        key = self.admin.call("privlink", "CreateAccessKey", AccountId=uid)
        return uid, Account(self.port, (key["AccessKeyId"], key["AccessKeySecret"]))

    def each(self, function, items):
        """A function's results for all items, by several callers at a time."""
        with ThreadPoolExecutor(CALLERS) as pool:
            return list(pool.map(function, items))

    def make_vpc(self, name):
        call = self.account.call
        vpc = call("vpc", "CreateVpc", CidrBlock="10.0.0.0/8", VpcName=f"vpc-{name}")["VpcId"]
        self.account.wait("vpc", "DescribeVpcAttribute", lambda r: r["Status"] == "Available", VpcId=vpc)
        vswitches = {}
        for i, zone in enumerate(ZONES):
            vswitches[zone] = call("vpc", "CreateVSwitch", VpcId=vpc, ZoneId=zone, CidrBlock=f"10.{i}.0.0/16")["VSwitchId"]
        probed = call("vpc", "CreateVSwitch", VpcId=vpc, ZoneId=ZONES[0], CidrBlock="10.200.0.0/16")["VSwitchId"]
        for vswitch in (*vswitches.values(), probed):
            self.account.wait("vpc", "DescribeVSwitchAttributes", lambda r: r["Status"] == "Available", VSwitchId=vswitch)
        base = call("ecs", "CreateSecurityGroup", VpcId=vpc)["SecurityGroupId"]
        return {"id": vpc, "vswitches": vswitches, "probed": probed, "base": base, "groups": []}

    def make_instance(self, vpc, group):
        """Its id, which is also the name of its namespace."""
        made = self.account.call("ecs", "RunInstances", VSwitchId=vpc["vswitches"][ZONES[0]], SecurityGroupId=group,
                                 ImageId="debian", InstanceType="netns")["InstanceIdSets"]["InstanceIdSet"][0]
        self.lab.note("netns", name=made)
        self.account.wait("ecs", "DescribeInstances", lambda r: r["Instances"]["Instance"][0]["Status"] == "Running",
                          InstanceIds=json.dumps([made]))
        return made

    def make_server(self):
        self.servers.append(self.make_instance(self.provider, self.provider["base"]))
        return self.servers[-1]

    def make_service(self, number, protocol, port, servers):
        """A service with a load balancer, a listener and a server group of its own."""
        call, zones, resources = self.account.call, {}, {}
        for i, (zone, vswitch) in enumerate(self.provider["vswitches"].items(), 1):
            zones |= {f"ZoneMappings_{i}_ZoneId": zone, f"ZoneMappings_{i}_VSwitchId": vswitch}
        balancer = call("nlb", "CreateLoadBalancer", AddressType="Intranet", VpcId=self.provider["id"],
                        **zones)["LoadbalancerId"]
        group = call("nlb", "CreateServerGroup", ServerGroupName=f"group-{number}", VpcId=self.provider["id"], Protocol=protocol,
                     HealthCheckConfig_HealthCheckEnabled="false")["ServerGroupId"]
        added = {}
        for i, server in enumerate(servers, 1):
            added |= {f"Servers_{i}_ServerId": server, f"Servers_{i}_ServerType": "Ecs", f"Servers_{i}_Port": port}
        call("nlb", "AddServersToServerGroup", ServerGroupId=group, **added)
        self.account.wait("nlb", "GetLoadBalancerAttribute", lambda r: r["LoadBalancerStatus"] == "Active",
                          LoadBalancerId=balancer)
        call("nlb", "CreateListener", LoadBalancerId=balancer, ListenerProtocol=protocol, ListenerPort=port, ServerGroupId=group)
        for i, zone in enumerate(self.provider["vswitches"], 1):
            resources |= {f"Resource_{i}_ResourceId": balancer, f"Resource_{i}_ResourceType": "nlb", f"Resource_{i}_ZoneId": zone}
        service = call("privatelink", "CreateVpcEndpointService", ServiceResourceType="nlb", AutoAcceptEnabled="true",
                       **resources)["ServiceId"]
        self.account.wait("privatelink", "GetVpcEndpointServiceAttribute", lambda r: r["ServiceStatus"] == "Active",
                          ServiceId=service)
        return {"id": service, "group": group, "servers": list(servers)}

    def fill_services(self, wanted):
        """So many services, each with two servers; an instance serves several."""
        first = len(self.services)
        while len(self.servers) - 2 < 2 * ((wanted - 1) // SERVICES_PER_INSTANCE + 1):
            self.make_server()

        def make(number):
            server = 2 + 2 * (number // SERVICES_PER_INSTANCE)
            return self.make_service(number, "TCP", 443, self.servers[server:server + 2])

        self.services += self.each(make, range(first, wanted))

    def address(self):
        """One to be probed, that no endpoint has had."""
        self.n_addresses += 1
        return f"10.200.{self.n_addresses // 200 + 1}.{self.n_addresses % 200 + 10}"

    def make_endpoint(self, vpc, service, group, name, address=None):
        zones = {}
        for i, zone in enumerate(ZONES, 1):
            zones |= {f"Zone_{i}_ZoneId": zone, f"Zone_{i}_VSwitchId": vpc["vswitches"][zone]}
        if address:
            zones |= {"Zone_1_VSwitchId": vpc["probed"], "Zone_1_ip": address}
        return self.account.timed("privatelink", "CreateVpcEndpoint", VpcId=vpc["id"], ServiceId=service,
                                  SecurityGroupId_1=group, EndpointName=name, **zones)

    def make_groups(self, wanted):
        """The groups of so many endpoints, by VPC, with a rule for each endpoint while there are few enough."""
        missing = []
        for number in range(self.endpoints, wanted):
            vpc, in_vpc = self.vpcs[number % self.n_vpcs], number // self.n_vpcs
            if in_vpc // self.group_size >= len(vpc["groups"]):
                vpc["groups"].append(None)
                missing.append((vpc, len(vpc["groups"]) - 1))

        def make(place):
            vpc, i = place
            vpc["groups"][i] = self.account.call("ecs", "CreateSecurityGroup", VpcId=vpc["id"])["SecurityGroupId"]

        self.each(make, missing)

    def has_rule(self, number):
        """Whether the endpoint brings a rule into its group."""
        return number < self.n_rules and number // self.n_vpcs % self.group_size < RULES_PER_GROUP

    def add_endpoint(self, number):
        vpc, in_vpc = self.vpcs[number % self.n_vpcs], number // self.n_vpcs
        group = vpc["groups"][in_vpc // self.group_size]
        _, _, took = self.make_endpoint(vpc, self.services[number % len(self.services)]["id"], group, f"endpoint-{number}")
        if self.has_rule(number):
            source = ipaddress.ip_network((0x0a640000 + (number % self.group_size) * 16, 28))
            self.account.call("ecs", "AuthorizeSecurityGroup", SecurityGroupId=group, Permissions_1_IpProtocol="TCP",
                              Permissions_1_PortRange=f"{1 + number % 60000}/{1 + number % 60000}",
                              Permissions_1_SourceCidrIp=str(source))
        return took

    def fill(self, wanted):
        """Up to so many endpoints; while nobody applies them, which is faster. Seconds that took."""
        begin = time.monotonic()
        self.fill_services(min(self.n_services, wanted))
        self.agent.stop()
        self.make_groups(wanted)
        self.each(self.add_endpoint, range(self.endpoints, wanted))
        self.endpoints, self.rules = wanted, sum(self.has_rule(number) for number in range(wanted))
        return time.monotonic() - begin
