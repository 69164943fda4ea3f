#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line against a privlinkd, as people use it: names in place of ids, lists that fit a terminal and say whose they are,
errors that say of what, the whitelist, the audit log.

BUILD is the build directory.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../api"))
from privlinkd import BUILD, Daemon, done, is_equal, ok, wait_for  # noqa: E402

LONG = "a name that is much too long for a table of eighty columns, 端点"


class People(Daemon):
    def privlink(self, *arguments, key=None, **more):
        key = key or self.key()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PRIVLINK_")}
        environment |= {"PRIVLINK_ENDPOINT": f"http://127.0.0.1:{self.port}", "HOME": self.dir, "LC_ALL": "C.UTF-8"}
        if key != "none":
            environment |= {"PRIVLINK_ACCESS_KEY_ID": key[0], "PRIVLINK_ACCESS_KEY_SECRET": key[1]}
        return subprocess.run([f"{BUILD}/src/cmd/privlink", *arguments, "--state-dir", self.state, "--config", "/dev/null"],
                              capture_output=True, text=True, timeout=60, env=environment, **more)

    def get(self, *arguments, **more):
        result = self.privlink(*arguments, **more)
        if result.returncode != 0:
            raise RuntimeError(f"{arguments}: {result.stderr}")
        return result.stdout.strip()


def width(line):
    """端 and 点 take two columns each."""
    return len(line) + sum(c in "端点" for c in line)


def test_names(people):
    vpc = people.get("vpc", "create", "--cidr", "10.0.0.0/16", "--name", "web")
    vswitch = people.get("vswitch", "create", "--vpc", "web", "--zone", "cn-hangzhou-h", "--cidr", "10.0.1.0/24", "--name", "first")
    ok(vswitch.startswith("vsw-"), "an option takes the name of an object")
    is_equal(json.loads(people.get("vswitch", "list", "-o", "json"))["VSwitches"]["VSwitch"][0]["VpcId"], vpc, "and it is that object")
    group = people.get("sg", "create", "--vpc", "web", "--name", "doors")
    people.get("sg", "create", "--vpc", "web", "--name", "inside")
    people.get("sg", "authorize", "inside", "--protocol", "TCP", "--ports", "443", "--source-group", "doors")
    ok(group in people.get("sg", "rules", "inside", "-o", "wide"), "also within a structure")
    other = people.get("vpc", "create", "--cidr", "10.0.0.0/16", "--name", "web")
    result = people.privlink("vpc", "delete", "web")
    ok(result.returncode == 1 and vpc in result.stderr and other in result.stderr and "2 VPCs are called web" in result.stderr
       and "Available" in result.stderr, "a name that two have is refused, with both and their states", result.stderr)
    people.get("vpc", "delete", other)
    result = people.privlink("vpc", "delete", "nowhere")
    account = people.get("account", "whoami").split()
    ok(result.returncode == 1 and "no VPC is called nowhere" in result.stderr and "cn-hangzhou" in result.stderr
       and any(word in result.stderr for word in account if word.isdigit()),
       "a name that none has is refused, with account and region", result.stderr)
    prefixed = people.get("vpc", "create", "--name", "vpc-prod")
    people.get("vpc", "delete", "vpc-prod", "--wait")
    ok(prefixed not in people.get("vpc", "list"), "a name may look like an id")
    result = people.privlink("vpc", "delete", "vpc-" + "0" * 20)
    ok(result.stderr.startswith("InvalidVpcId.NotFound: "), "an id that nobody has is the API's to refuse", result.stderr)
    return vpc


def test_errors(people, vpc):
    result = people.privlink("vpc", "delete", "web")
    ok(result.returncode == 1 and f"privlink: refused: vpc delete {vpc}\n" in result.stderr
       and result.stderr.startswith("DependencyViolation"), "an error says of which object", result.stderr)


def test_lists(people, key):
    for name in (LONG, LONG[::-1], "short"):
        people.get("vpc", "create", "--name", name)
    for group, verb in (("vpc", "list"), ("vswitch", "list"), ("sg", "list"), ("account", "key-list"), ("account", "list"), ("audit", "")):
        text = people.get(group, *filter(None, [verb]))
        ok(max(map(width, text.splitlines())) <= 80, f"{group} {verb} fits 80 columns", text)
    narrow, wide = people.get("vpc", "list"), people.get("vpc", "list", "-o", "wide")
    ok("…" in narrow and LONG not in narrow and LONG in wide, "-o wide shows what is cut", narrow, wide)
    ok("Created" not in narrow and "Created" in wide, "and the columns that are left out")
    is_equal(*({**json.loads(people.get("vpc", "list", *form)), "RequestId": ""} for form in (["-o", "json"], ["--json"])),
             "-o json is --json")
    result = people.privlink("endpoint", "list", key=key)
    ok(result.stdout == "" and result.stderr.startswith("No endpoints for account ") and "in region cn-hangzhou." in result.stderr,
       "an empty list says so, for which account and region", result.stdout, result.stderr)
    result = people.privlink("endpoint", "list", "-o", "json", key=key)
    ok(json.loads(result.stdout)["Endpoints"] == [] and result.stderr == "", "in JSON it says nothing else")
    result = people.privlink("vpc", "list")
    ok(result.stderr == "", "who gives a key is not told whose objects these are", result.stderr)
    result = people.privlink("vpc", "list", key="none")
    if os.geteuid() == 0:
        ok("These are the VPCs of account" in result.stderr and "the administrator's (no key was given)" in result.stderr,
           "root who gives none is told", result.stderr)
    result = people.privlink("vpc", "list", "-o", "xml")
    ok(result.returncode == 2 and "table, wide or json" in result.stderr, "another form is refused", result.stderr)


def test_whitelist(people, alice, key):
    service = people.get("service", "create", "--description", "mine")
    people.get("service", "allow", service, "*")
    people.get("service", "allow", service, str(alice))
    shown = people.get("service", "get", service)
    ok("acs:ram:*:*" in shown or "*" in shown.split("Allowed", 1)[-1], "service get shows the whitelist", shown)
    ok(str(alice) in shown, "with accounts", shown)
    ok(service in people.get("service", "find", key=key), "everybody finds it")
    people.get("service", "deny", service, str(alice))
    ok(service in people.get("service", "find", key=key), "still, without an entry of one's own")
    people.get("service", "deny", service, "*")
    ok(service not in people.privlink("service", "find", key=key).stdout, "what was given to all can be taken back")
    ok("*" not in people.get("service", "get", service), "and is not shown any more", people.get("service", "get", service))


def test_newcomer(people, alice, key):
    """What somebody meets who tries one command after the other."""
    for more in (["--account", "alice"], ["--action", "Nothing"]):
        result = people.privlink("audit", *more, key="none")
        ok("of account" not in result.stderr and "for account" not in result.stderr, "audit says of nobody's calls that they are the caller's",
           result.stderr)
    vpc = people.get("vpc", "create", "--name", "lbs", "--cidr", "10.9.0.0/16")
    zones = [f"{zone},{people.get('vswitch', 'create', '--vpc', vpc, '--zone', zone, '--cidr', cidr)}"
             for zone, cidr in (("cn-hangzhou-h", "10.9.1.0/24"), ("cn-hangzhou-i", "10.9.2.0/24"))]
    nlb = people.get("nlb", "create", "--name", "front", "--vpc", "lbs", "--zone", zones[0], "--zone", zones[1])
    service = people.get("service", "create", "--resource", "nlb,front,cn-hangzhou-h")
    ok(nlb in people.get("service", "resources", service), "a service's first resources may be named")
    people.get("service", "detach", service, "front", "--zone", "cn-hangzhou-h")
    ok(nlb not in people.privlink("service", "resources", service).stdout, "and so may one that leaves")
    result = people.privlink("service", "detach", service, "nobody")
    ok("no load balancer is called nobody" in result.stderr, "one that is not there is refused", result.stderr)
    people.get("nlb", "protect", "front", "--deletion-protection")
    refused = people.privlink("nlb", "delete", "front")
    ok(refused.stderr.startswith("OperationDenied.DeletionProtection"), "a protected load balancer stays", refused.stderr)
    people.get("nlb", "protect", "front", "--no-deletion-protection")
    group = people.get("resource-group", "create", "people", "--display-name", "People")
    people.get("sg", "create", "--vpc", "lbs", "--name", "sg-lbs")
    endpoint = people.get("endpoint", "create", "--vpc", "lbs", "--service", service, "--name", "moved",
                          "--security-group", "sg-lbs")
    people.get("resource-group", "move", "moved", "--to", "people")
    ok(endpoint in people.get("endpoint", "list", "--resource-group", group), "an endpoint is moved by its name")
    shown = people.get("endpoint", "show", "moved").splitlines()
    is_equal(next(line.split()[1] for line in shown if line.startswith("Acceptance")), "Waiting",
             "an endpoint shows its acceptance where that stands")
    result = people.privlink("service", "allow", service, "alice")
    ok(result.returncode == 2 and "account number" in result.stderr, "who may come in is a number", result.stderr)
    for group, whats in (("user", "users"), ("resource-group", "resource groups")):
        result = people.privlink(group, "list", *(["--name", "none"] if group == "resource-group" else []), key=key)
        ok(f"No {whats} for account {alice}" in result.stderr, f"no {whats} are spoken of", result.stderr)


def test_audit(people, alice, key):
    text = people.get("audit", "--action", "CreateVpc", "--code", "OK")
    ok("CreateVpc" in text and "DeleteVpc" not in text, "the audit log is shown by action", text)
    people.privlink("vpc", "list", key=key)
    own = json.loads(people.get("audit", "-o", "json", key=key))["Events"]
    ok(own and {e["AccountId"] for e in own} == {alice}, "an account sees its own calls", f"got: {own[:2]}")
    ok(all(e["AccountId"] == alice for e in json.loads(people.get("audit", "--account", "alice", "--json"))["Events"]),
       "the administrator those of one account, by its name")
    is_equal(len(json.loads(people.get("audit", "--limit", "3", "--json"))["Events"]), 3, "as many as are wanted")
    ok(json.loads(people.get("audit", "--since", "1h", "--json"))["Events"]
       and not json.loads(people.get("audit", "--until", "2d", "--json"))["Events"], "from a time on, and until one")
    result = people.privlink("audit", "--since", "lately")
    ok(result.returncode == 2 and "--since lately" in result.stderr, "what is no time is refused", result.stderr)
    environment = {"PRIVLINK_ENDPOINT": f"http://127.0.0.1:{people.port}", "PRIVLINK_ACCESS_KEY_ID": people.key()[0],
                   "PRIVLINK_ACCESS_KEY_SECRET": people.key()[1], "PATH": os.environ["PATH"]}
    with open(os.path.join(people.dir, "followed"), "w") as out:
        following = subprocess.Popen([f"{BUILD}/src/cmd/privlink", "audit", "-f", "--config", "/dev/null", "--state-dir", people.state],
                                     stdout=out, stderr=subprocess.STDOUT, env=environment)
    try:
        def followed():
            with open(os.path.join(people.dir, "followed")) as f:
                return f.read()

        ok(wait_for(lambda: len(followed().splitlines()) > 3), "-f shows the last ones", followed())
        time.sleep(1.5)
        people.get("vpc", "create", "--name", "followed")
        ok(wait_for(lambda: followed().splitlines()[-1].split()[3:] == ["CreateVpc", "OK"]), "and those that come", followed())
        lines = followed().splitlines()
        ok(len(set(lines)) == len(lines) and "ListAuditEvents" not in followed() and following.poll() is None,
           "each once, and not its own", followed())
    finally:
        following.kill()
        following.wait()


def main():
    people = People()
    try:
        people.start()
        alice = int(people.get("account", "create", "--name", "alice"))
        made = json.loads(people.get("account", "key-create", "alice", "-o", "json"))
        key = (made["AccessKeyId"], made["AccessKeySecret"])
        vpc = test_names(people)
        test_errors(people, vpc)
        test_lists(people, key)
        test_whitelist(people, alice, key)
        test_newcomer(people, alice, key)
        test_audit(people, alice, key)
    finally:
        people.remove()
    return done()


sys.exit(main())
