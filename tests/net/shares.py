#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two accounts of one node: one takes all that its quotas allow and changes it without end, the other one goes on as ever.

  shares.py fill PORT KEY              takes all; prints which quota ended what, or what went wrong
  shares.py churn PORT KEY             changes what it has as fast as it is let, until it is ended; then prints how often
  shares.py change PORT KEY ADMIN INSTANCE VPC VSWITCH SERVICE N [PID]   an account's own changes, one after another, N rounds, or more
                                       while that process runs; prints after how long each was in force, or what went wrong

KEY and ADMIN are files with an access key. What is used of bench/ has no part in its figures.
"""
import itertools
import json
import os
import signal
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(TOP, "bench"), os.path.join(TOP, "tests/api")]
os.environ.setdefault("BUILD", os.path.join(TOP, "build"))

from caller import REGION, VERSIONS, ZONES  # noqa: E402  (after the lines that say where modules are)
from lab import Failure  # noqa: E402
from scale_probe import Prober, Silence  # noqa: E402
from scale_world import Account, wait_for  # noqa: E402

VERSIONS.setdefault("resourcemanager", "2020-03-31")
CALLERS = 4
RULES_PER_CALL, SERVERS_PER_CALL, SERVERS_PER_PORT = 25, 4, 60
NEVER = 1000000  # a quota of so many is none
BEFORE_S, PAUSE_S = 0.02, 0.005


class Spent(Exception):
    """There is nothing that more could be made of."""


def account_of(port, path):
    with open(path, encoding="utf-8") as lines:
        key = dict(line.strip().split("=", 1) for line in lines if "=" in line)
    return Account(int(port), (key["PRIVLINK_ACCESS_KEY_ID"], key["PRIVLINK_ACCESS_KEY_SECRET"]))


def numbered(name, values, **more):
    """name_1_Key … of a list of objects."""
    return {f"{name}_{i}_{key}": value for i, v in enumerate(values, 1) for key, value in v.items()} | more


def rules(first, count):
    """Rules that differ in port and source."""
    return numbered("Permissions", [{"IpProtocol": "TCP", "PortRange": f"{n % 60000 + 1}/{n % 60000 + 1}",
                                     "SourceCidrIp": f"10.{n % 250}.{n // 250 % 250}.0/24"} for n in range(first, first + count)])


class Hostile:
    """An account that takes what it gets. Each thing is made until a quota ends it, which its error names."""

    def __init__(self, account, on_instance=lambda _: None):
        self.call, self.account, self.on_instance = account.call, account, on_instance
        self.quotas = {q["QuotaName"]: q["Value"] for q in self.call("privlink", "ListQuotas")["Quotas"]}
        self.vpcs, self.groups, self.instances, self.balancers, self.server_groups = [], [], [], [], []
        self.endpoints, self.services, self.ended, self.wrong = [], [], {}, []

    def note(self, failure, quotas):
        """Which of the quotas it was."""
        text = str(failure)
        quota = next((q for q in quotas if f"Quota {q}, usage" in text), None)
        if quota:
            self.ended.setdefault(quota, text.split(": ")[1])
        elif text:
            self.wrong.append(f"{text} (not by {' or '.join(quotas)})")
        return quota

    def ends(self, quotas, make, callers=1):
        """Makes 0, 1, 2 … of something until one of the quotas ends it, or there is nothing to make it of: which of them."""
        numbers, ended = itertools.count(), set()

        def more(_):
            try:
                while True:
                    make(next(numbers))
            except (Failure, Spent) as failure:
                ended.add(self.note(failure, quotas))

        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(more, range(callers)))
        return ended

    def until(self, quota, others, make, things, callers=1):
        """The same with one thing after another, as long as the last quota has not ended it."""
        for thing in things:
            if quota in self.ends([*others, quota], lambda n, thing=thing: make(thing, n), callers):
                return

    # What it makes.

    def vpc(self, _, **region):
        vpc = self.call("vpc", "CreateVpc", CidrBlock="10.0.0.0/8", **region)["VpcId"]
        self.account.wait("vpc", "DescribeVpcAttribute", lambda r: r["Status"] == "Available", VpcId=vpc, **region)
        return {"id": vpc, "vswitches": {}, "instances": 0}

    def vswitch(self, vpc, n):
        zone = ZONES[n % 2]
        made = self.call("vpc", "CreateVSwitch", VpcId=vpc["id"], ZoneId=zone, CidrBlock=f"10.{n}.0.0/16")["VSwitchId"]
        self.account.wait("vpc", "DescribeVSwitchAttributes", lambda r: r["Status"] == "Available", VSwitchId=made)
        vpc["vswitches"].setdefault(zone, made)

    def group(self, vpc, **region):
        made = self.call("ecs", "CreateSecurityGroup", VpcId=vpc["id"], **region)["SecurityGroupId"]
        self.groups.append({"id": made, "vpc": vpc["id"], "rules": 0, "region": region})

    def other_regions(self):
        return [r["RegionId"] for r in self.call("vpc", "DescribeRegions")["Regions"]["Region"] if r["RegionId"] != REGION]

    def vpcs_elsewhere(self):
        """VPCs of all regions count."""
        for region in self.other_regions():
            if "vpcs_of_all_regions" in self.ends(["vpcs", "vpcs_of_all_regions"], lambda _, r=region: self.vpc(0, RegionId=r), CALLERS):
                return

    def groups_elsewhere(self):
        """Groups of all regions count."""
        for region in self.other_regions():
            vpc = self.vpc(0, RegionId=region)
            if "security_groups_of_all_regions" in self.ends(["security_groups", "security_groups_of_all_regions"],
                                                             lambda _, v=vpc, r=region: self.group(v, RegionId=r), CALLERS):
                return

    def rules_in(self, group, count):
        self.call("ecs", "AuthorizeSecurityGroup", SecurityGroupId=group["id"], **rules(group["rules"], count), **group["region"])
        group["rules"] += count

    def instance(self, n):
        """One in each VPC, all others in the first, where servers are."""
        vpc = self.vpcs[n if n < len(self.vpcs) else 0]
        group = next(g["id"] for g in self.groups if g["vpc"] == vpc["id"])
        made = self.call("ecs", "RunInstances", VSwitchId=vpc["vswitches"][ZONES[0]], SecurityGroupId=group, ImageId="debian",
                         InstanceType="netns")["InstanceIdSets"]["InstanceIdSet"][0]
        self.on_instance(made)
        self.account.wait("ecs", "DescribeInstances", lambda r: r["Instances"]["Instance"][0]["Status"] == "Running",
                          InstanceIds=json.dumps([made]))
        if vpc is self.vpcs[0]:
            self.instances.append(made)

    def balancer(self, _):
        vpc = self.vpcs[0]
        made = self.call("nlb", "CreateLoadBalancer", AddressType="Intranet", VpcId=vpc["id"], **numbered(
            "ZoneMappings", [{"ZoneId": zone, "VSwitchId": vpc["vswitches"][zone]} for zone in ZONES]))["LoadbalancerId"]
        self.account.wait("nlb", "GetLoadBalancerAttribute", lambda r: r["LoadBalancerStatus"] == "Active", LoadBalancerId=made)
        self.balancers.append(made)

    def server_group(self, _):
        self.server_groups.append(self.call("nlb", "CreateServerGroup", ServerGroupName="more", VpcId=self.vpcs[0]["id"],
                                            Protocol="TCP", HealthCheckConfig_HealthCheckEnabled="false")["ServerGroupId"])

    def servers(self, group, _):
        """An instance has so many places at most."""
        first = next(self.server_numbers)
        if first + SERVERS_PER_CALL > SERVERS_PER_PORT * len(self.instances):
            raise Spent
        self.call("nlb", "AddServersToServerGroup", ServerGroupId=group, **numbered("Servers", [
            {"ServerId": self.instances[n // SERVERS_PER_PORT], "ServerType": "Ecs", "Port": 1000 + n}
            for n in range(first, first + SERVERS_PER_CALL)]))

    def listener(self, balancer, n):
        """Behind each a group of its own, until these have no more places."""
        which = 0 if "balancing_places" in self.ended else next(self.listener_numbers)
        try:
            self.listen(balancer, n, self.server_groups[which if which < len(self.server_groups) else 0])
        except Failure as failure:
            if "Quota balancing_places," not in str(failure):
                raise
            self.note(failure, ["balancing_places"])
            self.listen(balancer, n, self.server_groups[0])

    def listen(self, balancer, n, group):
        self.call("nlb", "CreateListener", LoadBalancerId=balancer, ListenerProtocol="TCP", ListenerPort=n + 1, ServerGroupId=group)

    def service(self, n):
        """The second one accepts nobody by itself."""
        made = self.call("privatelink", "CreateVpcEndpointService", ServiceResourceType="nlb", AutoAcceptEnabled=str(n != 1).lower(),
                         **numbered("Resource", [{"ResourceId": self.balancers[0], "ResourceType": "nlb", "ZoneId": zone}
                                                 for zone in ZONES]))["ServiceId"]
        self.account.wait("privatelink", "GetVpcEndpointServiceAttribute", lambda r: r["ServiceStatus"] == "Active", ServiceId=made)
        self.services.append(made)

    def resources(self, service, places):
        def attach(n):
            if n >= len(places):
                raise Spent
            self.call("privatelink", "AttachResourceToVpcEndpointService", ServiceId=service, ResourceId=places[n][0],
                      ResourceType="nlb", ZoneId=places[n][1])

        self.ends(["pvl_quota_epsrv_resource_per_service", "pvl_quota_epsrv_resource_per_zone_per_srv", "service_resources"], attach)

    def services_elsewhere(self):
        """Services of all regions count; these have no resources."""
        for region in self.other_regions():
            if "services" in self.ends(["pvl_quota_total_epsrv", "services"],
                                       lambda _, r=region: self.call("privatelink", "CreateVpcEndpointService", RegionId=r)):
                return

    def user(self, service, n):
        self.call("privatelink", "AddUserToVpcEndpointService", ServiceId=service, UserARN=f"acs:ram:*:{10 ** 15 + n}:*")

    def is_connected(self, endpoint):
        answer = self.call("privatelink", "GetVpcEndpointAttribute", EndpointId=endpoint)
        return answer["EndpointStatus"] == "Active" and answer["ConnectionStatus"] == "Connected"

    def endpoint(self, vpc, n, zones=ZONES, service=0, waits=False):
        groups = [g["id"] for g in self.groups if g["vpc"] == vpc["id"]]
        made = self.call("privatelink", "CreateVpcEndpoint", VpcId=vpc["id"], ServiceId=self.services[service],
                         SecurityGroupId_1=groups[n % len(groups)], **numbered(
                             "Zone", [{"ZoneId": zone, "VSwitchId": vpc["vswitches"][zone]} for zone in zones]))["EndpointId"]
        self.endpoints.append(made)
        if waits:
            wait_for(f"{made} connected", lambda: self.is_connected(made))
        return made

    def idle_endpoints(self):
        """As long as nobody accepts one there is no other."""
        vpc = self.vpcs[-1]
        self.ends(["idle_endpoints"], lambda n: self.endpoint(vpc, n, ZONES[:1], 1))
        for endpoint in self.endpoints:
            self.call("privatelink", "EnableVpcEndpointConnection", ServiceId=self.services[1], EndpointId=endpoint)
            wait_for(f"{endpoint} connected", lambda e=endpoint: self.is_connected(e))

    def fill_tables(self):
        """VPCs, vSwitches, groups with their rules."""
        self.ends(["vpcs"], lambda n: self.vpcs.append(self.vpc(n)), CALLERS)
        self.until("vswitches", ["vswitches_per_vpc"], self.vswitch, self.vpcs)
        for vpc in self.vpcs:
            self.group(vpc)
        self.ends(["security_groups"], lambda _: self.group(self.vpcs[0]), CALLERS)
        self.groups_elsewhere()
        self.vpcs_elsewhere()
        for count in (RULES_PER_CALL, 1):
            self.until("security_group_rules", ["rules_per_security_group"], lambda g, _, c=count: self.rules_in(g, c), self.groups)

    def fill_serving(self):
        """What stands behind services."""
        self.server_numbers, self.listener_numbers = itertools.count(0, SERVERS_PER_CALL), itertools.count()
        self.ends(["instances"], self.instance, CALLERS)
        self.ends(["load_balancers"], self.balancer, CALLERS)
        self.ends(["server_groups"], self.server_group, CALLERS)
        self.until("servers", ["servers_per_server_group"], self.servers, self.server_groups)
        self.until("listeners", ["listeners_per_load_balancer"], self.listener, self.balancers)
        self.ends(["pvl_quota_total_epsrv"], self.service)
        self.resources(self.services[0], [(b, zone) for b in self.balancers[1:] for zone in ZONES])
        self.resources(self.services[1], [(b, ZONES[0]) for b in self.balancers[1:]])
        self.resources(self.services[1], [(b, ZONES[1]) for b in self.balancers[1:]])
        self.services_elsewhere()
        self.until("service_users", ["users_per_service"], self.user, self.services)

    def fill_endpoints(self):
        """Of two zones, then of one. Where only few may be idle, each is waited for."""
        waits = self.quotas["idle_endpoints"] < NEVER
        if waits:
            self.idle_endpoints()
        for zones in (ZONES, ZONES[:1]):
            self.until("endpoints", ["pvl_quota_total_ep_per_vpc", "network_interfaces"],
                       lambda vpc, n, z=zones: self.endpoint(vpc, n, z, waits=waits), self.vpcs, 1 if waits else CALLERS)
        self.ends(["flow_logs"], lambda n: self.call("privlink", "SetEndpointFlowLog", EndpointId=self.endpoints[n], FlowLog="On"))
        self.ends(["resource_groups"], lambda n: self.call("resourcemanager", "CreateResourceGroup", Name=f"more-{n}", DisplayName="more"))

    def fill(self):
        for step in (self.fill_tables, self.fill_serving, self.fill_endpoints):
            step()


class Churn:
    """Changes what an account has, each kind from a thread of its own, over and over."""

    def __init__(self, account):
        self.call, self.over, self.done, self.refused = account.call, threading.Event(), {}, {}
        self.left = None  # the service of an endpoint that is gone
        self.threads = [threading.Thread(target=self.run, args=(kind, change), daemon=True) for kind, change in self.changes().items()]

    def begin(self):
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()

    def end(self):
        """How often each was changed, and how many changes a second that were."""
        took = time.monotonic() - self.began
        self.over.set()
        for thread in self.threads:
            thread.join()
        return {"done": self.done, "refused": self.refused, "per_s": sum(self.done.values()) / took}

    def run(self, kind, change):
        self.done[kind] = n = 0
        while not self.over.is_set():
            try:
                change(n)
                n, self.done[kind] = n + 1, self.done[kind] + 1
            except Failure as failure:
                code = str(failure).split(": ")[1]
                self.refused[code] = self.refused.get(code, 0) + 1
                n += not code.startswith("Throttling")
                self.over.wait(PAUSE_S)

    def groups_of(self, vpc):
        return [g["SecurityGroupId"] for g in self.call("ecs", "DescribeSecurityGroups", VpcId=vpc, PageSize=50)["SecurityGroups"]["SecurityGroup"]]

    def rules_of(self, group):
        return len(self.call("ecs", "DescribeSecurityGroupAttribute", SecurityGroupId=group)["Permissions"]["Permission"])

    def groups_of_endpoint(self, endpoint):
        return [g["SecurityGroupId"] for g in self.call("privatelink", "ListVpcEndpointSecurityGroups", EndpointId=endpoint)["SecurityGroups"]]

    def changes(self):
        """There and back, in turns, of each kind."""
        vpc, groups = max(((v["VpcId"], self.groups_of(v["VpcId"])) for v in self.call("vpc", "DescribeVpcs", PageSize=50)["Vpcs"]["Vpc"]),
                          key=lambda pair: len(pair[1]))
        full, n_rules = max(((g, self.rules_of(g)) for g in groups), key=lambda pair: pair[1])
        endpoints = [e["EndpointId"] for e in self.call("privatelink", "ListVpcEndpoints", VpcId=vpc)["Endpoints"]]
        members = [(e, next(g for g in groups if g not in self.groups_of_endpoint(e))) for e in endpoints[:-1]]
        listener = self.call("nlb", "ListListeners")["Listeners"][0]
        server = self.call("nlb", "ListServerGroupServers", ServerGroupId=listener["ServerGroupId"])["Servers"][0]
        servers = numbered("Servers", [{key: server[key] for key in ("ServerId", "ServerType", "Port")}],
                           ServerGroupId=listener["ServerGroupId"])

        def member(n):
            endpoint, group = members[n // 2 % len(members)]
            self.call("privatelink", ("AttachSecurityGroupToVpcEndpoint", "DetachSecurityGroupFromVpcEndpoint")[n % 2],
                      EndpointId=endpoint, SecurityGroupId=group)

        return {
            "rules": lambda n: self.call("ecs", ("RevokeSecurityGroup", "AuthorizeSecurityGroup")[n % 2], SecurityGroupId=full,
                                         **rules(0, min(n_rules, RULES_PER_CALL))),
            "members": member,
            "servers": lambda n: self.call("nlb", ("RemoveServersFromServerGroup", "AddServersToServerGroup")[n % 2], **servers),
            "listeners": lambda n: self.call("nlb", ("StopListener", "StartListener")[n % 2], ListenerId=listener["ListenerId"]),
            "endpoints": lambda _: self.endpoint(vpc, groups[0], endpoints),
        }

    def endpoint(self, vpc, group, endpoints):
        """One goes, and another one comes in its place."""
        if self.left is None:
            gone = endpoints[-1]
            service = self.call("privatelink", "GetVpcEndpointAttribute", EndpointId=gone)["ServiceId"]
            for zone in self.call("privatelink", "ListVpcEndpointZones", EndpointId=gone)["Zones"]:
                self.call("privatelink", "RemoveZoneFromVpcEndpoint", EndpointId=gone, ZoneId=zone["ZoneId"])
            wait_for(f"{gone} without zones", lambda: self.over.is_set() or not self.call(
                "privatelink", "ListVpcEndpointZones", EndpointId=gone)["Zones"])
            self.call("privatelink", "DeleteVpcEndpoint", EndpointId=gone)
            self.left = service
        else:
            vswitch = self.call("vpc", "DescribeVSwitches", VpcId=vpc)["VSwitches"]["VSwitch"][0]
            endpoints[-1] = self.call("privatelink", "CreateVpcEndpoint", VpcId=vpc, ServiceId=self.left, SecurityGroupId_1=group,
                                      Zone_1_ZoneId=vswitch["ZoneId"], Zone_1_VSwitchId=vswitch["VSwitchId"])["EndpointId"]
            self.left = None


class Neighbour:
    """An account's own changes, and probes that see when each is in force. What is refused or never seen ends it."""

    def __init__(self, account, admin, prober, vpc, vswitch, service, addresses, pause_s=0):
        self.account, self.call, self.admin, self.prober, self.service, self.pause_s = account, account.call, admin, prober, service, pause_s
        self.vpc, self.vswitch, self.addresses = vpc, vswitch, itertools.cycle(addresses)
        self.took, self.late = {}, []
        self.closed, self.open = (self.call("ecs", "CreateSecurityGroup", VpcId=vpc)["SecurityGroupId"] for _ in range(2))
        self.rule("AuthorizeSecurityGroup", self.open)()
        self.address = next(self.addresses)
        self.endpoint = self.make_endpoint(self.closed, self.address)()[0]["EndpointId"]
        self.settle(self.endpoint)

    def timed(self, product, action, **parameters):
        return lambda: self.account.timed(product, action, **parameters)

    def rule(self, action, group):
        return self.timed("ecs", action, SecurityGroupId=group, Permissions_1_IpProtocol="ICMP", Permissions_1_PortRange="-1/-1",
                          Permissions_1_SourceCidrIp="10.0.0.0/8")

    def make_endpoint(self, group, address):
        return self.timed("privatelink", "CreateVpcEndpoint", VpcId=self.vpc, ServiceId=self.service, SecurityGroupId_1=group,
                          Zone_1_ZoneId=ZONES[0], Zone_1_VSwitchId=self.vswitch, Zone_1_ip=address)

    def is_settled(self, endpoint):
        answer = self.call("privatelink", "GetVpcEndpointAttribute", EndpointId=endpoint)
        return answer["EndpointStatus"] == "Active" and answer["ConnectionStatus"] == "Connected"

    def settle(self, endpoint):
        wait_for(f"{endpoint} in force", lambda: self.is_settled(endpoint))

    def zones(self, endpoint):
        return self.call("privatelink", "ListVpcEndpointZones", EndpointId=endpoint)["Zones"]

    def reported(self):
        """When the nodes say that all that is in the store by now is in force."""
        revision = self.admin.call("privlink", "ListNodes")["Revision"]
        wait_for("a report", lambda: self.admin.call("privlink", "ListNodes")["LiveRevision"] >= revision, pause_s=PAUSE_S)
        return time.monotonic()

    def change(self, kind, address, until, act):
        """What a probe finds that is sent after the report is what the change was to bring."""
        time.sleep(self.pause_s)
        self.prober.begin("echo", address, until)
        time.sleep(BEFORE_S)
        answer, answered, _ = act()
        reported = self.reported()
        first, probes = self.prober.wait()
        self.took.setdefault(kind, []).append(max(0, first - answered) * 1000)
        if any(reported < sent < first for sent, _, _ in probes):
            self.late.append(f"{kind}: the node had said that it was in force")
        return answer

    def round(self):
        self.change("rule added", self.address, "answered", self.rule("AuthorizeSecurityGroup", self.closed))
        self.change("rule revoked", self.address, "silent", self.rule("RevokeSecurityGroup", self.closed))
        for kind, until, action in (("member added", "answered", "AttachSecurityGroupToVpcEndpoint"),
                                    ("member removed", "silent", "DetachSecurityGroupFromVpcEndpoint")):
            self.change(kind, self.address, until, self.timed("privatelink", action, EndpointId=self.endpoint, SecurityGroupId=self.open))
        address = next(self.addresses)
        endpoint = self.change("endpoint created", address, "answered", self.make_endpoint(self.open, address))["EndpointId"]
        self.settle(endpoint)
        self.change("zone removed", address, "silent", self.timed("privatelink", "RemoveZoneFromVpcEndpoint", EndpointId=endpoint,
                                                                  ZoneId=ZONES[0]))
        self.delete(endpoint)

    def delete(self, endpoint):
        wait_for(f"{endpoint} without zones", lambda: not self.zones(endpoint))
        self.call("privatelink", "DeleteVpcEndpoint", EndpointId=endpoint)

    def close(self):
        self.call("privatelink", "RemoveZoneFromVpcEndpoint", EndpointId=self.endpoint, ZoneId=ZONES[0])
        self.delete(self.endpoint)

    def told(self):
        return {kind: {"n": len(ms), "median": statistics.median(ms), "p99": sorted(ms)[min(len(ms) - 1, len(ms) * 99 // 100)]}
                for kind, ms in {**self.took, "all": [ms for kind in self.took.values() for ms in kind]}.items()}


def main_fill(port, key):
    hostile = Hostile(account_of(port, key))
    hostile.fill()
    for quota, code in sorted(hostile.ended.items()):
        print(f"{quota} {code}")
    for wrong in hostile.wrong:
        print(f"WRONG {wrong}")
    return bool(hostile.wrong)


def main_churn(port, key):
    churn = Churn(account_of(port, key))
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    churn.begin()
    print("begun", flush=True)
    over.wait()
    told = churn.end()
    print(f"{told['per_s']:.0f} changes a second: {told['done']}, refused: {told['refused']}", flush=True)
    return 0


def main_change(port, key, admin, instance, vpc, vswitch, service, least, while_runs=None):
    prober = Prober(instance)
    try:
        neighbour = Neighbour(account_of(port, key), account_of(port, admin), prober, vpc, vswitch, service,
                              [f"10.0.1.{n}" for n in range(100, 200)])
        for n in itertools.count(1):
            neighbour.round()
            if n >= int(least) and not (while_runs and os.path.exists(f"/proc/{while_runs}")):
                break
        neighbour.close()
    except (Failure, Silence) as failure:
        print(f"WRONG {failure}")
        return 1
    finally:
        prober.close()
    for kind, ms in neighbour.told().items():
        print(f"{kind}: {ms['n']}, in force after {ms['median']:.1f} ms (median), {ms['p99']:.1f} (p99)")
    for late in neighbour.late:
        print(f"WRONG {late}")
    return bool(neighbour.late)


if __name__ == "__main__":
    sys.exit({"fill": main_fill, "churn": main_churn, "change": main_change}[sys.argv[1]](*sys.argv[2:]))
