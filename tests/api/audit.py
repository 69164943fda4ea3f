#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit log of a privlinkd: whose files, what a kill leaves, a flood, what the options say, and who may read it.

BUILD is the build directory.
"""
import glob
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

from privlinkd import BUILD, Daemon, acs3, done, is_equal, make_certificate, free_port, ok, v1, wait_for

ROOT = os.geteuid() == 0
LINE = re.compile(rb'\{"Time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","Kind":"(Change|Read|Refused)",.*\}')


def files(daemon, kind="*"):
    return sorted(glob.glob(os.path.join(daemon.state, "audit", f"{kind}-*.jsonl")))


def lines(daemon, kind="*"):
    """The lines of a kind that are whole; and how many are not."""
    whole, other = [], 0
    for path in files(daemon, kind):
        with open(path, "rb") as f:
            for line in f.read().split(b"\n"):
                if LINE.fullmatch(line):
                    whole.append(json.loads(line))
                elif line:
                    other += 1
    return whole, other


def events(daemon, key=None, **query):
    """All pages."""
    found, token = [], None
    while True:
        parameters = {**query, **({"NextToken": token} if token else {})}
        status, answer = daemon.send(acs3(key or daemon.key(), "ListAuditEvents", parameters))
        if status != 200:
            raise RuntimeError(answer)
        found += answer["Events"]
        token = answer.get("NextToken")
        if not token:
            return found


def account(daemon, name):
    """A new one with a key: its number and the key."""
    number = str(daemon.call("CreateAccount", AccountName=name)[1]["AccountId"])
    key = daemon.call("CreateAccessKey", AccountId=number)[1]
    return int(number), (key["AccessKeyId"], key["AccessKeySecret"])


def test_files(daemon):
    daemon.call("CreateAccount", AccountName="first")
    directory = os.stat(os.path.join(daemon.state, "audit"))
    is_equal(directory.st_mode & 0o7777, 0o700, "nobody else looks into the directory")
    modes = {(os.stat(path).st_mode & 0o7777, os.stat(path).st_uid) for path in files(daemon)}
    is_equal(modes, {(0o600, directory.st_uid)}, "nor into the files")
    ok(directory.st_uid != 0 or not ROOT, "which are of the user that privlinkd has become")


def test_secrets(daemon):
    _, key = account(daemon, "secretive")
    daemon.send(acs3(key, "GetVersion", {"AccessKeySecret": key[1], "SecurityToken": "tokentoken"}))
    daemon.send(v1(key, "GetVersion", {"Password": "passpass"}))
    daemon.call("GetVersion")  # another turn of the loop
    everything = b"".join(open(path, "rb").read() for path in files(daemon))
    ok(everything.count(key[0].encode()) == 2, "the log names the key")
    for what, secret in {"its secret": key[1], "a token": "tokentoken", "a password": "passpass", "the administrator's secret":
                         daemon.key()[1]}.items():
        ok(secret.encode() not in everything, f"but has not {what}")
    ok(b'"Signature' not in everything, "nor a signature")


def test_readers(daemon):
    alice, alice_key = account(daemon, "alice")
    _, bob_key = account(daemon, "bob")
    daemon.send(acs3(alice_key, "GetVersion", {}))
    own = events(daemon, alice_key)
    ok([e["Action"] for e in own][-1] == "GetVersion" and {e["AccountId"] for e in own} == {alice},
       "an account sees its own calls", f"got: {own}")
    ok("alice" not in json.dumps(events(daemon, bob_key)), "another one's it does not see")
    is_equal(daemon.send(acs3(bob_key, "ListAuditEvents", {"AccountId": str(alice)}))[1].get("Code"), "Forbidden",
             "nor by asking for them")
    ok([e for e in events(daemon) if e.get("AccountId") == alice], "an administrator sees all")
    daemon.send(acs3((alice_key[0], "wrong"), "GetVersion", {}))
    refused = events(daemon, alice_key, EventKind="Refused")
    is_equal([(e["Code"], e["Signed"]) for e in refused], [("SignatureDoesNotMatch", False)],
             "an account sees that somebody tried its key")
    newest = events(daemon)
    ok(newest == sorted(newest, key=lambda e: e["Time"], reverse=True), "the newest comes first")


def test_hostile(daemon):
    value = "a\n{\"Time\":\"2026\"}\n\x1b[31m\u2028\"\\ü" + "x" * 5000
    daemon.call("CreateAccount", AccountName=value)
    daemon.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                b"User-Agent: \xff\xfe\r\nContent-Length: 28\r\n\r\nAction=%ff%fe%00x&A%0aB=%c3(")
    daemon.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                b"User-Agent: \xff\xfe\r\nContent-Length: 25\r\n\r\nAction=%ff%fex&A%0aB=%c3(")
    daemon.call("GetVersion")  # another turn of the loop
    whole, other = lines(daemon)
    is_equal(other, 0, "whatever a caller writes, a line is a line")
    found = [e for e in whole if e["Parameters"].get("AccountName", "").startswith("a\n")]
    ok(len(found) == 1 and found[0]["Parameters"]["AccountName"].endswith("…")
       and value.startswith(found[0]["Parameters"]["AccountName"][:-1]), "with the value, cut", f"got: {found}")
    ok(any(e.get("UserAgent") == "\ufffd\ufffd" and e["Parameters"] == {"A\nB": "\ufffd("} for e in whole),
       "and what is no UTF-8 replaced", f"got: {whole[-3:]}")


def test_flood(daemon):
    """Without a key: a bounded number of lines a second, the others are counted; and the files of others stay."""
    before = len(lines(daemon, "refused")[0])
    n = 400
    began = time.monotonic()
    for _ in range(n):
        daemon.send(b"GET /?Action=Flood HTTP/1.1\r\nHost: x\r\n\r\n")
    seconds = time.monotonic() - began

    def new_ones():
        return lines(daemon, "refused")[0][before:]

    def told():
        return sum(e.get("Omitted", 1) for e in new_ones())
    wait_for(lambda: told() >= n)  # what was too much of a second is counted when that is over
    is_equal(told(), n, "of a flood, each call is told or counted")
    new = new_ones()
    ok(len(new) <= (seconds + 2) * 21, "and few are told", f"got: {len(new)} lines in {seconds:.1f} s")
    ok(not lines(daemon, "changes")[1] and lines(daemon, "changes")[0], "changes have files of their own")


class Client(threading.Thread):
    """Changes a quota and reads as long as it is answered; keeps the RequestIds."""

    def __init__(self, daemon, account, quota):
        super().__init__()
        self.daemon, self.key, self.changes, self.reads = daemon, daemon.key(), [], []
        self.quota = {"AccountId": str(account), "QuotaName": quota}

    def run(self):
        try:
            for i in range(100000):
                if i % 3 == 0:
                    request, ids = acs3(self.key, "SetQuota", {**self.quota, "Value": str(100 + i)}), self.changes
                else:
                    request, ids = v1(self.key, "GetVersion", {"x": "y" * random.randrange(200)}), self.reads
                status, answer = self.daemon.send(request)
                if status == 200:
                    ids.append(answer["RequestId"])
        except (OSError, ValueError, http.client.HTTPException):
            pass


TURNS = 8
EACH = 3  # changes and reads of a client in a turn, at least
QUOTAS = "vpcs", "instances", "security_groups"  # a client each


def test_kills(daemon):
    """Each change that was answered is in the log, whenever privlinkd is killed; and each line is whole, or alone."""
    changes, reads, torn, number = set(), set(), 0, account(daemon, "kills")[0]
    for turn in range(TURNS):
        clients = [Client(daemon, number, quota) for quota in QUOTAS]
        for client in clients:
            client.start()
        wait_for(lambda: all(len(c.changes) >= EACH and len(c.reads) >= EACH for c in clients))
        time.sleep(random.uniform(0, 0.4))
        daemon.stop(signal.SIGKILL)
        for client in clients:
            client.join()
            changes.update(client.changes)
            reads.update(client.reads)
        if turn % 2:  # as a crash of the machine may leave it
            for path in files(daemon):
                with open(path, "ab") as f:
                    f.write(b'{"Time":"2026-11-28T10:00:00.000Z","Kind":"Change","RequestId":"torn')
            torn += len(files(daemon))
        daemon.start()
        daemon.call("GetVersion")
    whole, other = lines(daemon)
    logged, least = {e.get("RequestId") for e in whole}, TURNS * EACH * len(QUOTAS)
    ok(len(changes) >= least and not changes - logged, f"each of {len(changes)} answered changes is in the log after kills",
       f"missing: {sorted(changes - logged)[:5]}")
    ok(len(reads) >= least and len(reads - logged) <= TURNS * len(QUOTAS),
       f"of {len(reads)} reads, at most those of the last moment are not", f"missing: {len(reads - logged)}")
    ok(other <= torn, "lines that a crash cut are alone on theirs", f"got: {other} of {torn}")
    listed = {e.get("RequestId") for e in events(daemon)}
    ok(changes <= listed and reads & logged <= listed, "and the action gives all that is there",
       f"missing: {len(logged - listed)} of {len(logged)}")


def restarted_with(daemon, *more):
    daemon.stop()
    daemon.more = list(more)
    daemon.start()


def test_rotation(daemon):
    restarted_with(daemon, "--audit-file-size", "1", "--audit-files", "2")
    filler = {f"P{i}": "v" * 200 for i in range(9)}
    status, page = daemon.call("ListAuditEvents", MaxResults="5")
    for _ in range(1600):
        daemon.send(v1(daemon.key(), "GetVersion", filler))
    ok(len(files(daemon, "reads")) == 2 and all(os.path.getsize(p) <= 1 << 20 for p in files(daemon, "reads")),
       "there are as many files as the options say, of the size that they say",
       *[f"{p}: {os.path.getsize(p)}" for p in files(daemon, "reads")])
    ok(files(daemon, "changes") and events(daemon, EventKind="Change"), "reads do not push out changes")
    status, rest = daemon.call("ListAuditEvents", MaxResults="500", NextToken=page["NextToken"])
    ok(status == 200 and rest["Expired"] and all(e["Kind"] != "Read" for e in rest["Events"]),
       "whose place was rotated away is told so, and gets what is left", f"got: {status} {rest.get('Expired')}")


def test_levels(daemon):
    restarted_with(daemon, "--audit", "changes")
    before = [len(lines(daemon, kind)[0]) for kind in ("changes", "reads")]
    daemon.call("CreateAccount", AccountName="level-changes")
    daemon.call("GetVersion")
    is_equal([len(lines(daemon, kind)[0]) for kind in ("changes", "reads")], [before[0] + 1, before[1]],
             "--audit changes leaves out reads")
    restarted_with(daemon, "--audit", "none")
    before = len(lines(daemon)[0])
    daemon.call("CreateAccount", AccountName="level-none")
    is_equal(len(lines(daemon)[0]), before, "--audit none records nothing")
    ok(events(daemon, EventAction="CreateAccount"), "what was recorded before can still be read")
    for option in ("--audit", "some"), ("--audit-file-size", "0"), ("--audit-files", "1"):
        daemon.more = list(option)
        result = subprocess.run(daemon.command(), capture_output=True, text=True, timeout=20)
        ok(result.returncode == 78 and f"cannot use option {option[0]}: it expects" in result.stderr,
           f"{' '.join(option)} is refused", result.stderr)


def test_user(daemon):
    restarted_with(daemon)
    _, key = account(daemon, "with-a-user")
    user = daemon.send(v1(key, "CreateUser", {"UserName": "joe"}, version="2015-05-01"))[1]["User"]["UserId"]
    made = daemon.send(v1(key, "CreateAccessKey", {"UserName": "joe"}, version="2015-05-01"))[1]["AccessKey"]
    daemon.send(acs3((made["AccessKeyId"], made["AccessKeySecret"]), "GetVersion", {}))
    found = events(daemon, key=key)
    is_equal([e.get("UserId") for e in found if e["Action"] == "GetVersion"], [user], "a user's call is told as the user's")
    ok(all("UserId" not in e for e in found if e["Action"] == "CreateUser"), "and the account's own as nobody's else")


def test_https(daemon):
    certificate, key = make_certificate(daemon.dir, "api")
    port = free_port()
    restarted_with(daemon, "--cert", certificate, "--key", key, "--https", f"127.0.0.1:{port}")
    subprocess.run(["curl", "-sk", "-A", "curl/test", f"https://127.0.0.1:{port}/?Action=Look"], check=True,
                   capture_output=True, timeout=20)
    daemon.call("GetVersion")  # another turn of the loop
    found = [e for e in lines(daemon, "refused")[0] if e.get("Action") == "Look"]
    is_equal([(e["Https"], e.get("UserAgent"), e["SourceAddress"]) for e in found], [(True, "curl/test", "127.0.0.1")],
             "a call by HTTPS is known as one")


def test_directory_gone(daemon):
    restarted_with(daemon)
    directory = os.path.join(daemon.state, "audit")
    os.rename(directory, directory + ".away")
    for _ in range(3):
        is_equal(daemon.call("CreateAccount", AccountName=f"gone-{time.monotonic_ns()}")[0], 200,
                 "without a place for the log, calls go on")
    with open(directory, "w"):
        pass
    for path in glob.glob(directory + ".away/*"):
        os.unlink(path)
    daemon.call("GetVersion")
    ok(daemon.said().count("cannot write the audit log") == 1, "and the log says so, once", daemon.said())
    os.unlink(directory)
    os.rename(directory + ".away", directory)
    daemon.call("GetVersion")
    ok(wait_for(lambda: "writing the audit log again" in daemon.said()), "until it is there again", daemon.said())


def main():
    daemon = Daemon()
    try:
        daemon.start()
        test_files(daemon)
        test_secrets(daemon)
        test_readers(daemon)
        test_hostile(daemon)
        test_flood(daemon)
        test_kills(daemon)
        test_rotation(daemon)
        test_levels(daemon)
        test_user(daemon)
        test_https(daemon)
        test_directory_gone(daemon)
    finally:
        daemon.remove()
    print(f"# with {BUILD}")
    return done()


sys.exit(main())
