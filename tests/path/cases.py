#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each way to break a link (cases.json), by the API and by the command line: the same cause, a fix that mends it, and of the other
side no id and no address.

     cases.py [NAME]…           only the cases whose names have one of these words; BUILD is the build directory
     cases.py --answers FILE    writes what the API answers in each case, for the test of the page
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import table  # noqa: E402
from privlinkd import done, ok, wait_for  # noqa: E402

WIDTH = 80
# What both sides of a connection know.
SHARED = {"endpoint", "endpoint_2", "service", "service_2"}


def check_answer(case, answer):
    cause, fix = answer.get("Cause", {}), answer.get("Fix", {})
    got = [answer.get("Verdict"), cause.get("Code", ""), cause.get("Turn", ""), fix.get("Action", "")]
    want = [case["verdict"], case["cause"], case["turn"], case["fix"]]
    codes = {hop["Code"] for hop in answer.get("Hops", [])}
    return ok(got == want and (not case["seen"] or case["seen"] in codes), f"{case['name']}: {case['cause'] or 'no cause'}",
              f"got:  {got}", f"want: {want}", f"seen: {case['seen']}", json.dumps(answer, indent=1, ensure_ascii=False))


def check_graph(answer):
    """Links lead from hops to hops, and each hop but the first ones is led to."""
    ids = [hop["Id"] for hop in answer["Hops"]]
    led_to = {link["To"] for link in answer["Links"]}
    return (len(set(ids)) == len(ids) and all(link["From"] in ids and link["To"] in ids for link in answer["Links"]) and
            set(ids) - led_to == {ids[0]} and (not answer.get("Cause") or answer["Cause"]["HopId"] in ids))


def others_in(world, side, answer):
    """What of the other side stands in the answer."""
    other = table.SIDES[1 - table.SIDES.index(side)]
    known = {world.ids[name] for name in SHARED if name in world.ids}
    known |= {word for word in world.own[side]}
    text = json.dumps(answer, ensure_ascii=False)
    return sorted(word for word in world.own[other] - known if re.search(rf"(?<![\w.]){re.escape(word)}(?![\w])", text))


def check_sides(world, case):
    """Both sides ask; whoever has nothing to do with it gets what nobody's endpoint gets."""
    world.learn()
    wrong = []
    for side in table.SIDES:
        asked = {k: v for k, v in case["ask"].items() if k != "InstanceId" or side == case["view"]}
        status, answer = world.ask({"view": side, "ask": asked})
        wrong += others_in(world, side, answer) if status == 200 else []
    return wrong


def command_of(world, case):
    asked = {k: world.fill(v) for k, v in case["ask"].items()}
    if "InstanceId" in asked and "EndpointId" in asked:
        target = asked["EndpointId"] + (f":{asked['Port']}" if "Port" in asked else "")
        return f"privlink diagnose {asked['InstanceId']} {target} --no-probe" + (f" --protocol {asked['Protocol']}" if "Protocol" in asked else "")
    if "EndpointId" in asked:
        return f"privlink endpoint path {asked['EndpointId']}" + "".join(
            f" --{name.lower()} {asked[name]}" for name in ("Port", "Protocol") if name in asked)
    return ""


def too_wide(text):
    """Lines that could have been broken and were not."""
    return [line for line in text.splitlines() if len(line) > WIDTH and max(map(len, line.split())) <= WIDTH - 8]


def check_command(world, case):
    """The same by the command line; what it prints is for people, and ends with the fix."""
    command = command_of(world, case)
    if not command:
        return None
    said = world.shell(case["view"], command)
    cause = re.search(r"^Cause \((\w+)\)", said.stdout, re.M)
    verdict = said.stdout.split(":")[0]
    good = (verdict == case["verdict"] and (cause[1] if cause else "") == case["cause"] and
            said.returncode == (0 if case["verdict"] == "Reachable" else 3) and not too_wide(said.stdout))
    ok(good, f"{case['name']}: so says the command line", command, said.returncode, said.stdout, said.stderr, *too_wide(said.stdout))
    fix = re.search(r"^Fix: .*?\n  (privlink .*)\Z", said.stdout, re.M | re.S)
    return fix[1] if fix else None


def check_fix(world, case, answer, line):
    fix = answer["Fix"]
    status, tried = world.call(case["view"], fix["Product"], fix["Action"],
                               fix["Parameters"] | {"RegionId": fix["RegionId"], "DryRun": "true"})
    ok(tried.get("Code", "").startswith("DryRun"), f"{case['name']}: {fix['Action']} is a call that can be made", status, tried)
    if line:
        said = world.shell(case["view"], line)
        ok(said.returncode == 0, f"{case['name']}: the command of the fix works", line, said.stdout, said.stderr)
    else:
        world.call(case["view"], fix["Product"], fix["Action"], fix["Parameters"] | {"RegionId": fix["RegionId"]})
    world.tests.node.settle()
    _, after = world.ask(case)
    ok(after.get("Verdict") == case["after"], f"{case['name']}: and it is {case['after']}",
       json.dumps(after.get("Cause", after)), line or "")


def run_case(tests, table_, case):
    world = table.World(tests, case.get("united", False))
    for act in table_["world"] + case["acts"]:
        world.act(act)
    if case.get("slow"):  # a lease ends
        wait_for(lambda: world.ask(case)[1].get("Verdict") == case["verdict"], 90)
    status, answer = world.ask(case)
    if not check_answer(case, answer) or status != 200:
        return
    ok(check_graph(answer), f"{case['name']}: hops and links are one graph", json.dumps(answer["Links"]))
    if not case.get("united"):
        wrong = check_sides(world, case)
        ok(not wrong, f"{case['name']}: neither side sees the other", wrong)
    line = check_command(world, case)
    if case["fix"]:
        check_fix(world, case, answer, line)


def check_codes(cases):
    """Each code that breaks a link and that calls can bring about is some case's."""
    path = os.path.join(table.HERE, "../../src/model/path_codes.h")
    with open(path) as f:
        broken = set(re.findall(r"X\((\w+), BROKEN", f.read()))
    rows_only = {  # of rows that calls do not make; tests/unit/test_path.c has them
        "BalancerDeleting", "BalancerFailed", "BalancerMissing", "ConnectionDeleting", "ConnectionMissing", "EniMissing",
        "GroupMissing", "InstanceDeleting", "ServerGroupMissing", "ServersElsewhere", "ServersGone", "ServersNodeLost",
        "ServiceDeleting", "ServiceMissing", "ZoneWithoutResource"}
    met = {case["cause"] for case in cases}
    ok(not broken - met - rows_only, "each code that breaks a link has a case", sorted(broken - met - rows_only))
    ok(not rows_only & met, "or is one that no call brings about", sorted(rows_only & met))


def check_targets(tests, table_):
    """By whatever leads to the endpoint."""
    world = table.World(tests, False)
    for act in table_["world"]:
        world.act(act)
    _, endpoint = world.call("consumer", "privatelink", "GetVpcEndpointAttribute",
                             {"RegionId": table.REGION, "EndpointId": world.ids["endpoint"]})
    _, zones = world.call("consumer", "privatelink", "ListVpcEndpointZones",
                          {"RegionId": table.REGION, "EndpointId": world.ids["endpoint"]})
    zone = zones["Zones"][0]
    for what, target in (("name", endpoint["EndpointDomain"]), ("zone's name", zone["ZoneDomain"].upper()), ("address", zone["EniIp"])):
        said = world.shell("consumer", f"privlink diagnose {world.ids['instance']} {target}:443 --no-probe")
        ok(said.returncode == 0, f"the endpoint's {what} leads to it", said.stdout, said.stderr)
    for what, target in (("name of nobody", "ep-none.example"), ("address of nobody", "10.0.3.77"),
                         ("instance's address", "10.0.1.1")):
        said = world.shell("consumer", f"privlink diagnose {world.ids['instance']} {target}")
        ok(said.returncode == 1 and "EndpointNotFound" in said.stderr, f"the {what} does not", said.stdout, said.stderr)
    said = world.shell("consumer", f"privlink diagnose {world.ids['instance']} {world.ids['endpoint']}:x")
    ok(said.returncode == 2, "a port that is none is a wrong use", said.stdout, said.stderr)
    said = world.shell("consumer", f"privlink endpoint path {world.ids['endpoint']} -o json")
    ok(said.returncode == 0 and json.loads(said.stdout)["Verdict"] == "Reachable", "-o json prints the API's answer", said.stdout)
    for name, parameters in (("Port with ICMP", {"EndpointId": world.ids["endpoint"], "Protocol": "ICMP", "Port": "80"}),
                             ("nothing that it is about", {})):
        status, answer = world.call("consumer", "privlink", "GetEndpointPath", {"RegionId": table.REGION} | parameters)
        ok(status == 400, f"{name}: refused", status, answer)


def processor_s(process):
    """What it has had of the processors, in seconds: that does not depend on who else wants one."""
    with open(f"/proc/{process.pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check_time(tests, table_):
    """An answer about many rules costs no more than a read may."""
    world = table.World(tests, False)
    for act in table_["world"]:
        world.act(act)
    for first in range(0, 180, 60):
        parameters = {"RegionId": table.REGION, "SecurityGroupId": world.ids["sg_endpoint"]}
        for i in range(60):
            parameters |= {f"Permissions.{i + 1}.IpProtocol": "TCP", f"Permissions.{i + 1}.PortRange": f"{1000 + first + i}/1999",
                           f"Permissions.{i + 1}.SourceCidrIp": "10.0.0.0/16"}
        world.call("consumer", "ecs", "AuthorizeSecurityGroup", parameters)
    case = {"view": "consumer", "ask": {"EndpointId": "{endpoint}", "InstanceId": "{instance}"}}
    before, n = processor_s(tests.process), 20
    statuses = [world.ask(case)[0] for _ in range(n)]
    each = (processor_s(tests.process) - before) / n
    ok(statuses == [200] * n and each < 0.1, f"a path over 180 rules is answered in {each * 1000:.1f} ms of a processor", statuses)


def write_answers(path):
    """Each case once, with nothing tried of it but whether its answer is right."""
    tests, table_, answers = table.Tests(), table.load(), []
    try:
        tests.begin()
        for case in (case for case in table_["cases"] if not case.get("slow")):
            world = table.World(tests, case.get("united", False))
            for act in table_["world"] + case["acts"]:
                world.act(act)
            status, answer = world.ask(case)
            if check_answer(case, answer) and status == 200:
                answers.append({"name": case["name"], "cause": case["cause"], "fix": case["fix"], "answer": answer})
    finally:
        tests.remove()
    with open(path, "w", encoding="utf-8") as file:
        json.dump(answers, file)
    return done()


def main():
    if sys.argv[1:2] == ["--answers"]:
        return write_answers(sys.argv[2])
    words, table_ = sys.argv[1:], table.load()
    tests = table.Tests()
    try:
        tests.begin()
        for case in table_["cases"]:
            if not words or any(word in case["name"] for word in words):
                run_case(tests, table_, case)
        if not words:
            check_codes(table_["cases"])
            tests.node.forget()
            check_targets(tests, table_)
            check_time(tests, table_)
    finally:
        tests.remove()
    return done()


sys.exit(main())
