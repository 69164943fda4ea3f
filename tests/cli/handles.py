#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line in people's hands, with a privlinkd: names in place of ids, tables of 80 columns, what empty lists and
errors say.

BUILD is the build directory.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../api"))
from caller import ZONES  # noqa: E402
from privlinkd import BUILD, Daemon, acs3, done, is_equal, ok, wait_for  # noqa: E402

class Person:
    """Whoever types."""

    def __init__(self, daemon, key):
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PRIVLINK_")}
        self.environment |= {"PRIVLINK_STATE_DIR": daemon.state, "PRIVLINK_ENDPOINT": f"http://127.0.0.1:{daemon.port}",
                             "HOME": daemon.dir, "XDG_CONFIG_HOME": daemon.dir}
        if key:
            self.environment |= {"PRIVLINK_ACCESS_KEY_ID": key[0], "PRIVLINK_ACCESS_KEY_SECRET": key[1]}

    def types(self, line, *more):
        result = subprocess.run([f"{BUILD}/src/cmd/privlink", *line.split(), *more], env=self.environment, text=True,
                                capture_output=True, timeout=60)
        return result.returncode, result.stdout, result.stderr

    def gets(self, line, *more):
        status, out, error = self.types(line, *more)
        if status != 0:
            raise RuntimeError(f"privlink {line}: {error}")
        return out.strip()


def account(daemon, name):
    uid = daemon.call("CreateAccount", AccountName=name)[1]["AccountId"]
    made = daemon.send(acs3(daemon.key(), "CreateAccessKey", {"AccountId": str(uid)}))[1]
    return str(uid), Person(daemon, (made["AccessKeyId"], made["AccessKeySecret"]))


def test_empty(uid, person):
    for group in ("vpc", "vswitch", "sg", "instance", "nlb", "slb", "service", "endpoint"):
        status, out, error = person.types(f"{group} list")
        ok(status == 0 and f" for account {uid} in region cn-hangzhou." in error and out == "",
           f"{group} list: of whom there is nothing", out + error)
    _, _, error = person.types("endpoint list --region cn-beijing")
    ok("in region cn-beijing" in error, "the region is the one that was asked", error)


def build_up(person):
    """A network, a load balancer, a service and an endpoint: by names alone, from the first one on."""
    person.gets("vpc create --name shop --cidr 10.0.0.0/16 --wait")
    for zone, name, cidr in zip(ZONES, ("front", "back"), ("10.0.1.0/24", "10.0.2.0/24")):
        person.gets(f"vswitch create --vpc shop --zone {zone} --cidr {cidr} --name {name} --wait")
    person.gets("sg create --vpc shop --name web")
    person.gets("sg authorize web --protocol TCP --ports 443 --source 10.0.0.0/16")
    zones = f"--zone {ZONES[0]},front --zone {ZONES[1]},back"
    person.gets(f"nlb create --vpc shop --name scales {zones} --wait")
    person.gets("nlb group-create --type Ip --vpc shop --name servers --protocol TCP --wait")
    person.gets("nlb group-add servers --server 10.0.1.7,80")
    person.gets("nlb listener-create --nlb scales --protocol TCP --port 443 --server-group servers --wait")
    person.gets("service create --resource-type nlb --auto-accept --wait --description", "our shop")
    for zone in ZONES:
        person.gets(f"service attach --nlb scales --zone {zone}", "our shop")
    service = json.loads(person.gets("service list -o json"))["Services"][0]["ServiceId"]
    person.gets(f"endpoint create --vpc shop --service {service} --security-group web --name door {zones} --wait")


def test_names(uid, person, other):
    ok("Connected" in person.gets("endpoint show door"), "an endpoint is shown by its name")
    is_equal(len(person.gets("endpoint zones door").splitlines()), 3, "its zones are")
    ok("Active" in person.gets("service show", "our shop"), "a service by its description")
    ok("443/443" in person.gets("sg rules web"), "a group's rules by its name")
    is_equal(len(person.gets("vswitch list --vpc shop").splitlines()), 3, "a list is filtered by a name")
    status, _, error = person.types("endpoint show window")
    is_equal((status, error), (1, f"privlink: no endpoint is called window (account {uid}, region cn-hangzhou)\n"),
             "a name that nothing has: which kind, whose, where")
    status, _, error = other.types("endpoint show door")
    ok(status == 1 and "no endpoint is called door" in error, "another account's names are none", error)
    person.gets("sg create --vpc shop --name web")
    status, _, error = person.types("sg rules web")
    ids = [g["SecurityGroupId"] for g in json.loads(person.gets("sg list -o json"))["SecurityGroups"]["SecurityGroup"]]
    ok(status == 1 and "2 security groups are called web" in error and all(f"  {i}  web" in error for i in ids),
       "a name that two have: both are shown", error)
    ok("443/443" in person.gets(f"sg rules {ids[0]}") + person.gets(f"sg rules {ids[1]}"), "their ids tell them apart")


def test_errors(person):
    door = json.loads(person.gets("endpoint list -o json"))["Endpoints"][0]["EndpointId"]
    status, _, error = person.types("endpoint delete door")
    ok(status == 1 and error.startswith("EndpointDependenceViolation: ") and door in error,
       "an error names the object that the call was about", error)


LISTS = ("vpc list", "vswitch list", "sg list", "nlb list", "nlb group-list", "nlb listener-list", "service list",
         "service find", "endpoint list", "endpoint zones door", "endpoint groups door", "account key-list", "resource-group list", "region list",
         "zone list")


def test_tables(person, admin):
    for line in (*LISTS, "account list"):
        who = admin if line.startswith("account ") else person
        narrow, wide = who.gets(line).splitlines(), who.gets(f"{line} -o wide").splitlines()
        longest = max(narrow, key=len)
        ok(len(longest) <= 80 and len(narrow) > 1, f"{line} fits 80 columns", longest)
        ok(len(wide) > 1 and len(max(wide, key=len)) >= len(longest), f"{line} -o wide shows no less")
    services = json.loads(person.gets("service list -o json"))["Services"]
    person.gets(f"service connections {services[0]['ServiceId']}")
    for line in (f"service connections {services[0]['ServiceId']}", f"service resources {services[0]['ServiceId']}"):
        longest = max(person.gets(line).splitlines(), key=len)
        ok(len(longest) <= 80, f"{line.rsplit(' ', 1)[0]} fits 80 columns", longest)
    status, _, error = person.types("vpc list -o narrow")
    ok(status == 2 and "table, wide or json" in error, "another form is refused with those there are", error)


def test_acceptance(person):
    person.gets("service update --no-auto-accept", "our shop")
    service = json.loads(person.gets("service list -o json"))["Services"][0]["ServiceId"]
    person.gets(f"endpoint create --vpc shop --service {service} --security-group {group_of(person)} --name gate")
    ok(wait_for(lambda: "Waiting" in person.gets("endpoint list")), "a connection that waits reads Waiting",
       person.gets("endpoint list"))
    gate = next(e for e in json.loads(person.gets("endpoint list -o json"))["Endpoints"] if e["EndpointName"] == "gate")
    person.gets(f"service reject {service} {gate['EndpointId']}")
    ok(wait_for(lambda: "Refused" in person.gets("endpoint list")), "one that was refused reads Refused",
       person.gets("endpoint list"))
    ok("Refused" in person.gets(f"service connections {service}"), "its provider sees the same")


def group_of(person):
    return json.loads(person.gets("sg list -o json"))["SecurityGroups"]["SecurityGroup"][0]["SecurityGroupId"]


def main():
    daemon = Daemon()
    try:
        daemon.start()
        uid, person = account(daemon, "person")
        _, other = account(daemon, "other")
        admin = Person(daemon, None)
        test_empty(uid, person)
        build_up(person)
        test_names(uid, person, other)
        test_errors(person)
        test_tables(person, admin)
        test_acceptance(person)
    except (RuntimeError, KeyError, IndexError) as error:
        ok(False, "it runs to its end", error)
    finally:
        daemon.remove()
    return done()


sys.exit(main())
