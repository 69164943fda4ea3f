#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often an account may call: the rates that privlinkd has by itself, those that it is given, and none; and that whoever
calls too often, or all the time, keeps nobody else from calling.

BUILD is the build directory.
"""
import http.client
import json
import socket
import sys
import threading
import time

from caller import Client, Refused, Seen
from privlinkd import Daemon, acs3, done, is_equal, ok, raw, wait_for


def headers_of(daemon, request):
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as s:
        s.sendall(request)
        answer = http.client.HTTPResponse(s)
        answer.begin()
        return answer.status, json.loads(answer.read()), dict(answer.getheaders())


def account(daemon, name):
    admin = Client(daemon, daemon.key(), Seen())
    key = admin.call("privlink", "CreateAccessKey", AccountId=admin.call("privlink", "CreateAccount", AccountName=name)["AccountId"])
    return key["AccessKeyId"], key["AccessKeySecret"]


def is_rate(client, per_minute, name, *arguments, **parameters):
    """As many calls go through at once as a minute has, and those that are earned back meanwhile."""
    began = time.monotonic()
    n = how_many(client, 3 * per_minute, *arguments, **parameters)
    earned = (time.monotonic() - began) * per_minute / 60
    ok(per_minute <= n <= per_minute + earned + 2, name, f"it could {n} times, {earned:.1f} of them earned meanwhile")


def how_many(client, most, *arguments, **parameters):
    """How many calls go through before one is refused for the rate."""
    for n in range(most):
        try:
            client.call(*arguments, **parameters)
        except Refused as refused:
            if str(refused) == "Throttling.User":
                return n
    return most


def code_of(client, *arguments, **parameters):
    try:
        client.call(*arguments, **parameters)
        return "none"
    except Refused as refused:
        return str(refused)


def until_throttled(daemon, key):
    """A call is earned back in 60 ms, and a busy machine may need longer to ask once more."""
    for _ in range(50):
        answer = headers_of(daemon, acs3(key, "GetVersion", {"RegionId": "cn-hangzhou"}))
        if answer[0] != 200:
            break
    return answer


def test_defaults():
    daemon = Daemon()
    daemon.rates = []
    try:
        daemon.start()
        keys = [account(daemon, name) for name in ("often", "other")]
        often, other = (Client(daemon, key, Seen()) for key in keys)
        vpc = often.call("vpc", "CreateVpc", CidrBlock="10.0.0.0/8")["VpcId"]
        is_rate(often, 200, "an account may change something 200 times a minute", "vpc", "ModifyVpcAttribute", VpcId=vpc,
                VpcName="name")
        elsewhere = {"VpcId": vpc, "RegionId": "cn-beijing"}
        # A call is earned back in 300 ms; another region's rate would be 200 of them.
        ok(any(code_of(often, "vpc", "ModifyVpcAttribute", VpcName="name", **elsewhere) == "Throttling.User" for _ in range(50)),
           "it has no more calls by naming a region that is not asked for")
        is_rate(often, 200, "an action that asks for a region has its rate there", "ecs", "CreateSecurityGroup", VpcId="vpc-none")
        is_equal(code_of(often, "ecs", "CreateSecurityGroup", **elsewhere), "InvalidVpcId.NotFound",
                 "in another region it may still ask")
        is_equal(often.call("vpc", "DescribeVpcs")["TotalCount"], 1, "so may it ask for another action")
        mine = other.call("vpc", "CreateVpc", CidrBlock="10.0.0.0/8")["VpcId"]
        is_equal(how_many(other, 20, "vpc", "ModifyVpcAttribute", VpcId=mine, VpcName="name"), 20, "so may another account")
        is_rate(often, 1000, "an account may read 1000 times a minute", "privlink", "GetVersion")
        status, body, headers = until_throttled(daemon, keys[0])
        is_equal((status, body.get("Code")), (400, "Throttling.User"), "then it is throttled")
        left = headers.get("x-ratelimit-user-api", "")
        ok(left.startswith("Limit:1000,Remain:0,TimeLeft:") and 0 < int(headers.get("x-acs-retry-after", "0")) <= 61,
           "and told when it may again", headers)
    finally:
        daemon.remove()


def test_options():
    daemon = Daemon("--reads-per-minute", "5", "--writes-per-minute", "2")
    daemon.rates = []
    try:
        daemon.start()
        for _ in range(20):
            daemon.send(raw("GET", "/?Action=GetVersion&Version=2026-11-01", {"host": "localhost"}))
            daemon.send(acs3((daemon.key()[0], "another secret"), "GetVersion", {}))
        is_equal(how_many(Client(daemon, daemon.key(), Seen()), 20, "privlink", "GetVersion"), 5,
                 "the rate is as it was given, and calls that are not the account's do not count")
    finally:
        daemon.remove()


def test_others():
    """While one account calls on many connections, without limits of its rate."""
    daemon = Daemon()
    try:
        daemon.start()
        busy, other = account(daemon, "busy"), account(daemon, "other")
        over = threading.Event()
        seen = [Seen() for _ in range(16)]

        def flood(mine):
            client = Client(daemon, busy, mine)
            while not over.is_set():
                try:
                    client.call("vpc", "CreateVpc", CidrBlock="10.0.0.0/8")
                except Refused:
                    pass

        threads = [threading.Thread(target=flood, args=(mine,)) for mine in seen]
        for thread in threads:
            thread.start()
        client = Client(daemon, other, Seen())
        try:
            is_equal(how_many(client, 100, "privlink", "GetVersion"), 100, "while one account floods, another one is answered")
            client.call("vpc", "CreateVpc", CidrBlock="10.0.0.0/8")
            ok(True, "and changes what it likes")
            wait_for(lambda: all(sum(m.refused.values()) > 0 for m in seen))  # each has had its turn
        finally:
            over.set()
            for thread in threads:
                thread.join()
        is_equal([m.broken for m in seen if m.broken], [], "and the flood, too, gets its answers")
        ok(all(sum(m.refused.values()) > 0 for m in seen), "on each of its connections", [m.refused for m in seen])
    finally:
        daemon.remove()


def main():
    test_defaults()
    test_options()
    test_others()
    return done()


sys.exit(main())
