#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""privlinkd killed -9 at random moments, while a provider and a consumer make calls of every kind.

    mixed.py [KILLS [CALLS]]

Each worker knows what its acknowledged calls have made. After each kill it repeats the call that was not answered, with its
ClientToken; then what the API says of its objects must be what it knows, object by object. Ids and addresses are given once.

BUILD is the build directory; SEED repeats a run's choices.
"""
import collections
import itertools
import os
import random
import re
import signal
import sys
import threading
import time

from caller import ZONES, Client, Gone, Refused, Seen
from privlinkd import SOURCE, Daemon, done, is_equal, ok

KILLS, CALLS = (int(a) for a in sys.argv[1:] or (10, 4000))
PAIRS = 2  # of a provider and a consumer, side by side
AT_MOST = 6  # endpoints, services of a worker
MORE = 10 * CALLS  # at most, until each action was acknowledged

CREATES = {"CreateVpcEndpoint": "EndpointId", "CreateVpcEndpointService": "ServiceId"}

tokens = itertools.count()


def actions_of_privatelink():
    with open(f"{SOURCE}/doc/api.md") as f:
        part = re.search(r"\n## PrivateLink,.*?(?=\n## )", f.read(), re.S)[0]
    return set(re.findall(r"^### (\w+)$", part, re.M))


class Worker:
    """Makes one call after another, and knows what each acknowledged one has done."""

    def __init__(self, client, chance):
        self.client, self.chance = client, chance
        self.pending = None  # the call that was not answered: (change, action, parameters)
        self.made = None  # the last that made an object: (action, parameters, its id)

    def change(self, change, action, **parameters):
        """A call with a ClientToken; `change` is what it does to what we know, given the answer."""
        parameters["ClientToken"] = f"token-{next(tokens)}"
        self.pending = (change, action, parameters)
        self.finish()

    def finish(self):
        """Makes the pending call, for the first time or again."""
        if not self.pending:
            return
        change, action, parameters = self.pending
        try:
            answer = self.client.call("privatelink", action, **parameters)
        except Refused:
            answer = None
        self.pending = None
        if answer is None:
            return
        change(answer)
        member = CREATES.get(action)
        if member:
            self.made = (action, parameters, member, answer[member])

    def made_again(self):
        """What the call that made the last object gives with the same token, and what it gave."""
        if not self.made:
            return "nothing", None, None
        action, parameters, member, name = self.made
        try:
            again = self.client.call("privatelink", action, **parameters)[member]
        except Refused as refused:
            again = refused
        return "the same ClientToken again", again, name

    def read(self, action, **parameters):
        try:
            self.client.call("privatelink", action, **parameters)
        except Refused:
            pass

    def tag(self, owner, kind):
        key, value = self.chance.choice("abc"), str(self.chance.randrange(100))
        self.change(lambda _: owner["tags"].update({key: value}), "TagResources",
                    **{"ResourceType": kind, "ResourceId.1": owner["id"], "Tag.1.Key": key, "Tag.1.Value": value})

    def untag(self, owner, kind):
        key = self.chance.choice("abc")
        self.change(lambda _: owner["tags"].pop(key, None), "UntagResources",
                    **{"ResourceType": kind, "ResourceId.1": owner["id"], "TagKey.1": key})

    def move(self, owner, kind):
        group = self.chance.choice(self.resource_groups)
        self.change(lambda _: owner.update(resource_group=group), "ChangeResourceGroup", ResourceId=owner["id"],
                    ResourceType=kind, ResourceGroupId=group)

    def make_network(self, cidr):
        call = self.client.call
        self.vpc = call("vpc", "CreateVpc", CidrBlock=f"{cidr}.0.0/16")["VpcId"]
        self.vswitches = {zone: call("vpc", "CreateVSwitch", VpcId=self.vpc, ZoneId=zone,
                                     CidrBlock=f"{cidr}.{i}.0/24")["VSwitchId"] for i, zone in enumerate(ZONES)}
        self.resource_groups = [call("resourcemanager", "CreateResourceGroup", DisplayName=name,
                                     Name=f"{name}-{cidr.replace('.', '-')}")["ResourceGroup"]["Id"]
                                for name in ("one", "two")]


class Provider(Worker):
    def begin(self, cidr):
        self.make_network(cidr)
        mappings = {f"ZoneMappings.{i}.{n}": v for i, (zone, vswitch) in enumerate(self.vswitches.items(), 1)
                    for n, v in (("ZoneId", zone), ("VSwitchId", vswitch))}
        self.balancers = [self.client.call("nlb", "CreateLoadBalancer", AddressType="Intranet", VpcId=self.vpc,
                                           **mappings)["LoadbalancerId"] for _ in range(2)]
        self.services = {}

    def create(self):
        auto, parameters = self.chance.random() < 0.5, {"ServiceResourceType": "nlb", "ServiceDescription": "new"}
        for i, zone in enumerate(ZONES, 1):
            parameters |= {f"Resource.{i}.ResourceId": self.balancers[0], f"Resource.{i}.ResourceType": "nlb",
                           f"Resource.{i}.ZoneId": zone}
        parameters["AutoAcceptEnabled"] = str(auto).lower()

        def made(answer):
            name = answer["ServiceId"]
            if name not in self.services:
                self.client.seen.new_id(name)
            self.services[name] = {
                "id": name, "description": "new", "auto": auto, "bandwidth": None, "tags": {}, "resource_group": None,
                "users": {self.uid}, "arns": set(), "resources": {(self.balancers[0], zone): True for zone in ZONES},
                "connections": {}}
        self.change(made, "CreateVpcEndpointService", **parameters)

    def act(self):
        if len(self.services) < 2 or (len(self.services) < AT_MOST and self.chance.random() < 0.05):
            return self.create()
        service = self.chance.choice(list(self.services.values()))
        return self.chance.choice((
            self.describe, self.limit, self.attach, self.detach, self.allocate, self.add_user, self.add_user, self.remove_user,
            self.enable, self.enable, self.enable, self.disable, self.enable_zone, self.disable_zone, self.cut_and_join,
            self.bandwidth, self.replace, self.delete, self.look, lambda s: self.tag(s, "vpcendpointservice"),
            lambda s: self.untag(s, "vpcendpointservice"), lambda s: self.move(s, "VpcEndpointService")))(service)

    def describe(self, service):
        text, auto = f"text {self.chance.randrange(1000)}", self.chance.random() < 0.5
        self.change(lambda _: service.update(description=text, auto=auto), "UpdateVpcEndpointServiceAttribute",
                    ServiceId=service["id"], ServiceDescription=text, AutoAcceptEnabled=str(auto).lower())

    def limit(self, service):
        limit = self.chance.randrange(100, 10240)
        self.change(lambda _: service.update(bandwidth=limit), "UpdateVpcEndpointServiceAttribute",
                    ServiceId=service["id"], ConnectBandwidth=limit)

    def attach(self, service):
        resource = (self.balancers[1], self.chance.choice(ZONES))
        self.change(lambda _: service["resources"].update({resource: True}), "AttachResourceToVpcEndpointService",
                    ServiceId=service["id"], ResourceId=resource[0], ResourceType="nlb", ZoneId=resource[1])

    def detach(self, service):
        resource = (self.balancers[1], self.chance.choice(ZONES))

        def detached(_):
            """A zone keeps one that is allocated automatically: the other load balancer's."""
            resources = service["resources"]
            if resources.pop(resource, None):
                resources[self.balancers[0], resource[1]] = True
        self.change(detached, "DetachResourceFromVpcEndpointService", ServiceId=service["id"], ResourceId=resource[0],
                    ResourceType="nlb", ZoneId=resource[1])

    def allocate(self, service):
        resource, on = self.chance.choice(list(service["resources"])), self.chance.random() < 0.5
        self.change(lambda _: service["resources"].update({resource: on}), "UpdateVpcEndpointServiceResourceAttribute",
                    ServiceId=service["id"], ResourceId=resource[0], ZoneId=resource[1],
                    AutoAllocatedEnabled=str(on).lower())

    def add_user(self, service):
        if self.chance.random() < 0.3:
            arn = f"acs:ram:*:{self.partner.uid}:*"
            return self.change(lambda _: service["arns"].add(arn), "AddUserToVpcEndpointService", ServiceId=service["id"],
                               UserARN=arn)
        return self.change(lambda _: service["users"].add(self.partner.uid), "AddUserToVpcEndpointService",
                           ServiceId=service["id"], UserId=self.partner.uid)

    def remove_user(self, service):
        arn = f"acs:ram:*:{self.partner.uid}:*"
        self.change(lambda _: (service["users"].discard(self.partner.uid), service["arns"].discard(arn)),
                    "RemoveUserFromVpcEndpointService", ServiceId=service["id"], UserId=self.partner.uid, UserARN=arn)

    def of_connection(self, service, change, action, **parameters):
        endpoints = [e["id"] for e in list(self.partner.endpoints.values()) if e["service"] == service["id"]]
        if not endpoints:
            return
        endpoint = self.chance.choice(endpoints)
        self.change(lambda _: change(service["connections"].setdefault(endpoint, {})), action, ServiceId=service["id"],
                    EndpointId=endpoint, **parameters)

    def enable(self, service):
        self.of_connection(service, lambda c: c.update(enabled=True), "EnableVpcEndpointConnection")

    def disable(self, service):
        self.of_connection(service, lambda c: c.update(enabled=False), "DisableVpcEndpointConnection")

    def bandwidth(self, service):
        limit = self.chance.randrange(100, 10240)
        self.of_connection(service, lambda c: c.update(bandwidth=limit), "UpdateVpcEndpointConnectionAttribute", Bandwidth=limit)

    def enable_zone(self, service):
        self.of_connection(service, lambda c: None, "EnableVpcEndpointZoneConnection", ZoneId=self.chance.choice(ZONES))

    def disable_zone(self, service):
        self.of_connection(service, lambda c: None, "DisableVpcEndpointZoneConnection", ZoneId=self.chance.choice(ZONES))

    def cut_and_join(self, service):
        """One zone of one connection, which chance alone would enable once in some thousand calls after it was disabled."""
        endpoints = [e["id"] for e in list(self.partner.endpoints.values()) if e["service"] == service["id"]]
        if not endpoints:
            return
        endpoint, zone = self.chance.choice(endpoints), self.chance.choice(ZONES)
        for action in "DisableVpcEndpointZoneConnection", "EnableVpcEndpointZoneConnection":
            self.change(lambda _: None, action, ServiceId=service["id"], EndpointId=endpoint, ZoneId=zone)

    def replace(self, service):
        zone = self.chance.choice(ZONES)
        self.of_connection(service, lambda c: None, "UpdateVpcEndpointZoneConnectionResourceAttribute", ZoneId=zone,
                           ResourceReplaceMode="Force", ResourceId=self.balancers[1], ResourceType="nlb")

    def delete(self, service):
        if len(self.services) > 2:
            self.change(lambda _: self.services.pop(service["id"]), "DeleteVpcEndpointService", ServiceId=service["id"])

    def look(self, service):
        one = {"ServiceId": service["id"]}
        action, parameters = self.chance.choice((
            ("GetVpcEndpointServiceAttribute", one), ("ListVpcEndpointServices", {}), ("ListVpcEndpointServiceUsers", one),
            ("ListVpcEndpointServiceResources", one), ("ListVpcEndpointConnections", one), ("DescribeRegions", {}),
            ("DescribeZones", {}), ("OpenPrivateLinkService", {}), ("CheckProductOpen", {}),
            ("ListTagResources", {"ResourceType": "vpcendpointservice", "ResourceId.1": service["id"]})))
        self.read(action, **parameters)

    def differences(self):
        """What the API says otherwise than we know."""
        found = {}
        for told in self.client.pages("ListVpcEndpointServices", "Services"):
            if told["ServiceStatus"] != "Deleting":
                found[told["ServiceId"]] = told
        yield "services", set(found), set(self.services)
        for name, service in self.services.items():
            told = found.get(name)
            if not told:
                continue
            yield name, told["ServiceDescription"], service["description"]
            yield name, told["AutoAcceptEnabled"], service["auto"]
            yield name, {t["Key"]: t["Value"] for t in told["Tags"]}, service["tags"]
            if service["bandwidth"]:
                yield name, told["ConnectBandwidth"], service["bandwidth"]
            if service["resource_group"]:
                yield name, told["ResourceGroupId"], service["resource_group"]
            users = self.client.pages("ListVpcEndpointServiceUsers", "Users", ServiceId=name)
            yield name, {u["UserId"] for u in users}, service["users"]
            arns = self.client.pages("ListVpcEndpointServiceUsers", "UserARNs", ServiceId=name, UserListType="UserARNs")
            yield name, {u["UserARN"] for u in arns}, service["arns"]
            resources = self.client.pages("ListVpcEndpointServiceResources", "Resources", ServiceId=name)
            yield name, {(r["ResourceId"], r["ZoneId"]): r["AutoAllocatedEnabled"] for r in resources}, service["resources"]
            yield from self.connections(service)

    def connections(self, service):
        of_service = {e["id"]: e for e in self.partner.endpoints.values() if e["service"] == service["id"]}
        told = {c["EndpointId"]: c for c in self.client.pages("ListVpcEndpointConnections", "Connections",
                                                               ServiceId=service["id"])
                if c["ConnectionStatus"] != "Deleting"}
        yield f"connections of {service['id']}", set(told), set(of_service)
        for endpoint, connection in told.items():
            known = service["connections"].get(endpoint, {})
            zones = {z["ZoneId"] for z in connection["Zones"] if z["ZoneStatus"] != "Deleting"}
            yield f"zones of {endpoint}", zones, set(of_service.get(endpoint, {"zones": ()})["zones"])
            if "bandwidth" in known:
                yield f"bandwidth of {endpoint}", connection["Bandwidth"], known["bandwidth"]
            if "enabled" in known:
                up = connection["ConnectionStatus"] in ("Connecting", "Connected", "Pending")
                yield f"connection of {endpoint}", up, known["enabled"]


class Consumer(Worker):
    def begin(self, cidr):
        self.make_network(cidr)
        self.groups = [self.client.call("ecs", "CreateSecurityGroup", VpcId=self.vpc, SecurityGroupName=f"group-{i}")
                       ["SecurityGroupId"] for i in range(3)]
        self.endpoints = {}

    def create(self):
        services = list(self.partner.services)
        if not services:
            return self.read("ListVpcEndpoints")
        service, zones = self.chance.choice(services), ZONES[:self.chance.randrange(3)]
        parameters = {"VpcId": self.vpc, "ServiceId": service, "SecurityGroupId.1": self.groups[0], "EndpointName": "new"}
        for i, zone in enumerate(zones, 1):
            parameters |= {f"Zone.{i}.ZoneId": zone, f"Zone.{i}.VSwitchId": self.vswitches[zone]}

        def made(answer):
            name = answer["EndpointId"]
            if name not in self.endpoints:
                self.client.seen.new_id(name)
            self.endpoints[name] = {"id": name, "name": "new", "service": service, "zones": set(zones), "tags": {},
                                    "groups": {self.groups[0]}, "affinity": False, "resource_group": None}
        return self.change(made, "CreateVpcEndpoint", **parameters)

    def act(self):
        if len(self.endpoints) < 2 or (len(self.endpoints) < AT_MOST and self.chance.random() < 0.1):
            return self.create()
        endpoint = self.chance.choice(list(self.endpoints.values()))
        return self.chance.choice((
            self.rename, self.add_zone, self.add_zone, self.remove_zone, self.attach, self.detach, self.delete, self.look,
            self.look, lambda e: self.tag(e, "vpcendpoint"), lambda e: self.untag(e, "vpcendpoint"),
            lambda e: self.move(e, "VpcEndpoint")))(endpoint)

    def rename(self, endpoint):
        name, affinity = f"name-{self.chance.randrange(1000)}", self.chance.random() < 0.5
        self.change(lambda _: endpoint.update(name=name, affinity=affinity), "UpdateVpcEndpointAttribute",
                    EndpointId=endpoint["id"], EndpointName=name, ZoneAffinityEnabled=str(affinity).lower())

    def add_zone(self, endpoint):
        zone = self.chance.choice(ZONES)
        self.change(lambda _: endpoint["zones"].add(zone), "AddZoneToVpcEndpoint", EndpointId=endpoint["id"], ZoneId=zone,
                    VSwitchId=self.vswitches[zone])

    def remove_zone(self, endpoint):
        zone = self.chance.choice(ZONES)
        self.change(lambda _: endpoint["zones"].discard(zone), "RemoveZoneFromVpcEndpoint", EndpointId=endpoint["id"],
                    ZoneId=zone)

    def attach(self, endpoint):
        group = self.chance.choice(self.groups)
        self.change(lambda _: endpoint["groups"].add(group), "AttachSecurityGroupToVpcEndpoint", EndpointId=endpoint["id"],
                    SecurityGroupId=group)

    def detach(self, endpoint):
        group = self.chance.choice(self.groups)
        self.change(lambda _: endpoint["groups"].discard(group), "DetachSecurityGroupFromVpcEndpoint",
                    EndpointId=endpoint["id"], SecurityGroupId=group)

    def delete(self, endpoint):
        if self.chance.random() < 0.5:
            self.change(lambda _: self.endpoints.pop(endpoint["id"]), "DeleteVpcEndpoint", EndpointId=endpoint["id"])

    def look(self, endpoint):
        one = {"EndpointId": endpoint["id"]}
        action, parameters = self.chance.choice((
            ("GetVpcEndpointAttribute", one), ("ListVpcEndpoints", {}), ("ListVpcEndpointZones", one),
            ("ListVpcEndpointSecurityGroups", one), ("ListVpcEndpointServicesByEndUser", {}), ("DescribeRegions", {}),
            ("ListTagResources", {"ResourceType": "vpcendpoint", "ResourceId.1": endpoint["id"]})))
        self.read(action, **parameters)

    def differences(self):
        found = {}
        for told in self.client.pages("ListVpcEndpoints", "Endpoints"):
            if told["EndpointStatus"] != "Deleting":
                found[told["EndpointId"]] = told
        yield "endpoints", set(found), set(self.endpoints)
        addresses = collections.Counter()
        for name, endpoint in self.endpoints.items():
            told = found.get(name)
            if not told:
                continue
            yield name, told["EndpointName"], endpoint["name"]
            yield name, told["ZoneAffinityEnabled"], endpoint["affinity"]
            yield name, {t["Key"]: t["Value"] for t in told["Tags"]}, endpoint["tags"]
            if endpoint["resource_group"]:
                yield name, told["ResourceGroupId"], endpoint["resource_group"]
            zones = [z for z in self.client.pages("ListVpcEndpointZones", "Zones", EndpointId=name)
                     if z["ZoneStatus"] != "Deleting"]
            yield name, {z["ZoneId"] for z in zones}, endpoint["zones"]
            groups = self.client.pages("ListVpcEndpointSecurityGroups", "SecurityGroups", EndpointId=name)
            yield name, {g["SecurityGroupId"] for g in groups if g["SecurityGroupStatus"] != "Detaching"}, endpoint["groups"]
            for zone in zones:
                addresses[zone["EniIp"]] += 1
                yield from self.interface(name, zone, endpoint)
        yield "addresses that two interfaces have", [a for a, n in addresses.items() if n > 1], []
        for zone, vswitch in self.vswitches.items():
            told = self.client.call("vpc", "DescribeVSwitchAttributes", VSwitchId=vswitch)
            used = sum(zone in endpoint["zones"] for endpoint in self.endpoints.values())
            yield f"free addresses in {zone}", told["AvailableIpAddressCount"], 252 - used

    def interface(self, name, zone, endpoint):
        told = self.client.call("ecs", "DescribeNetworkInterfaces", **{"NetworkInterfaceId.1": zone["EniId"]})
        interfaces = told["NetworkInterfaceSets"]["NetworkInterfaceSet"]
        yield f"interfaces of {name}", len(interfaces), 1
        for interface in interfaces:
            yield name, interface["PrivateIpAddress"], zone["EniIp"]
            yield name, set(interface["SecurityGroupIds"]["SecurityGroupId"]), endpoint["groups"]


def make_workers(daemon, chance):
    seen = Seen()
    admin = Client(daemon, daemon.key(), seen)
    workers = []
    for n in range(PAIRS):
        pair = []
        for kind in (Provider, Consumer):
            uid = admin.call("privlink", "CreateAccount", AccountName=f"{kind.__name__}-{n}")["AccountId"]
            key = admin.call("privlink", "CreateAccessKey", AccountId=uid)
            client = Client(daemon, (key["AccessKeyId"], key["AccessKeySecret"]), seen)
            worker = kind(client, random.Random(chance.random()))
            worker.uid = int(uid)
            worker.begin(f"10.{n * 2 + len(pair)}")
            pair.append(worker)
        pair[0].partner, pair[1].partner = pair[1], pair[0]
        workers += pair
    return workers, seen


def work(worker, budget):
    """Until the budget of calls is used up or nobody answers."""
    try:
        while next(budget, None) is not None:
            worker.act()
    except Gone:
        pass


def settled(worker):
    """What control still moves has moved: nobody is Deleting or in between."""
    def statuses():
        for action, list_name, member in (("ListVpcEndpoints", "Endpoints", "EndpointStatus"),
                                          ("ListVpcEndpointServices", "Services", "ServiceStatus")):
            for told in worker.client.pages(action, list_name):
                yield told[member]
                if "ConnectionStatus" in told:
                    yield told["ConnectionStatus"]
    return all(s in ("Active", "Connected", "Disconnected", "ServiceDeleted") for s in statuses())


def make_the_rest(workers, seen):
    """Chance may have left out an action: more calls, until none is. Those that are left out all the same."""
    missing = actions_of_privatelink() - set(seen.acknowledged)
    for worker in itertools.islice(itertools.cycle(workers), MORE):
        if not missing:
            break
        worker.act()
        missing -= set(seen.acknowledged)
    return missing


def compare(workers, round_name):
    for worker in workers:
        deadline = time.monotonic() + 60
        while not settled(worker) and time.monotonic() < deadline:
            time.sleep(0.02)
    wrong = [f"{what}: the API says {told}, acknowledged was {known}" for worker in workers
             for what, told, known in (worker.made_again(), *worker.differences()) if told != known]
    ok(not wrong, f"{round_name}: all that was acknowledged is there, and nothing else", *wrong[:10])


def main():
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    print(f"# SEED={seed}", flush=True)
    chance, daemon = random.Random(seed), Daemon()
    try:
        daemon.start()
        workers, seen = make_workers(daemon, chance)
        for n in range(KILLS):
            budget = iter(range(CALLS // KILLS))
            threads = [threading.Thread(target=work, args=(worker, budget)) for worker in workers]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.05, CALLS / KILLS * 0.002))
            daemon.restart(signal.SIGKILL)
            for thread in threads:
                thread.join()
            unanswered = sum(worker.pending is not None for worker in workers)
            for worker in workers:
                worker.client.connection = None
                worker.finish()
            compare(workers, f"kill {n + 1}, {unanswered} calls without an answer")
            for worker in workers:
                work(worker, budget)
            compare(workers, f"after kill {n + 1}")
        missing = make_the_rest(workers, seen)
        is_equal(missing, set(), f"every action was acknowledged in {sum(seen.acknowledged.values())} calls")
        is_equal(seen.broken, [], "no answer says that something broke")
        is_equal(seen.twice, [], f"none of {len(seen.ids)} ids was given twice")
        print(f"# refused: {dict(seen.refused.most_common())}")
    finally:
        daemon.remove()
    return done()


sys.exit(main())
