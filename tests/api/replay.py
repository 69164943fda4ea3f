#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A request that was recorded is carried out once, whatever happens to privlinkd in between: by its bytes, in each scheme
of signing, with clocks that are late, right and early. Whoever signs anew is served at once.

BUILD is the build directory.
"""
import os
import signal
import struct
import sys
import time

from privlinkd import Daemon, acs3, done, is_equal, ok, roa, v1

LATE, RIGHT, EARLY = -600, 0, 600
CLOCKS = {"ten minutes late": LATE, "right": RIGHT, "ten minutes early": EARLY}
SCHEMES = {
    "V1 in the query": lambda *a, **k: v1(*a, method="GET", **k),
    "V1 in a form": v1,
    "ACS3": acs3,
}
made = 0


def accounts(daemon):
    return {a["AccountName"] for a in daemon.call("ListAccounts", MaxResults="1000")[1]["Accounts"]}


IN_TIME = {clock: offset_s for clock, offset_s in CLOCKS.items() if offset_s != LATE}


def record(daemon, clocks=CLOCKS):
    """Requests that make an account each and were carried out; by what they are."""
    global made
    requests = {}
    for scheme, sign in SCHEMES.items():
        for clock, offset_s in clocks.items():
            made += 1
            request = sign(daemon.key(), "CreateAccount", {"AccountName": f"account-{made}"}, offset_s=offset_s)
            status, answer = daemon.send(request)
            if status != 200:
                raise RuntimeError(f"{scheme}, {clock}: {answer}")
            requests[f"{scheme}, clock {clock}"] = request
    return requests


def replay(daemon, requests, when, codes):
    """Nothing of it is carried out again. (Names would collide, so the code tells that it did not come to that.)"""
    for what, request in requests.items():
        code = daemon.send(request)[1].get("Code")
        ok(code in codes, f"{when}: a recorded request is refused ({what})", f"got: {code}")


USED = ("SignatureNonceUsed",)
USED_OR_LOST = ("SignatureNonceUsed", "InvalidTimeStamp.Expired")


def anew(daemon, when, clocks):
    for scheme, sign in SCHEMES.items():
        for clock, offset_s in clocks.items():
            answer = daemon.send(sign(daemon.key(), "ListAccounts", {}, offset_s=offset_s))
            is_equal(answer[0], 200, f"{when}: a new request is carried out ({scheme}, clock {clock})")


def test_restarts(daemon):
    daemon.start()
    anew(daemon, "at the very first start", CLOCKS)
    requests = record(daemon)
    replay(daemon, requests, "while it runs", USED)
    for how in signal.SIGTERM, signal.SIGKILL:
        when = f"after {how.name} and a start"
        daemon.restart(how)
        replay(daemon, requests, when, USED)
        anew(daemon, when, CLOCKS)
        requests = record(daemon)
    daemon.restart()
    daemon.restart()
    replay(daemon, requests, "after two starts", USED)


def test_lost_memory(daemon):
    """The file of nonces is gone: what was stamped before is refused for that; those who are in time notice nothing."""
    requests = record(daemon)
    past = {what: r for what, r in requests.items() if "early" not in what}
    daemon.stop()
    os.unlink(os.path.join(daemon.state, "nonces"))
    daemon.start()
    when = "after the file of nonces was removed"
    anew(daemon, when, IN_TIME)
    replay(daemon, past, when, USED_OR_LOST)
    code = daemon.send(acs3(daemon.key(), "ListAccounts", {}, offset_s=LATE))[1].get("Code")
    is_equal(code, "InvalidTimeStamp.Expired", f"{when}: who is late is told that it is the time")
    ok("remembering no nonces" in daemon.said(), f"{when}: the log says so", daemon.said())


def put_in_header(daemon, place, data):
    """As privlinkd would have written it: with the header's sum."""
    with open(os.path.join(daemon.state, "nonces"), "r+b") as f:
        header = bytearray(f.read(72))
        header[place:place + len(data)] = data
        total = 0xcbf29ce484222325
        for byte in header:
            total = (total ^ byte) * 0x100000001b3 % 2**64
        f.seek(0)
        f.write(header + struct.pack("<Q", total))


def test_other_boot(daemon):
    """After a reboot the file may lack its end; what was stamped ahead was made sure of."""
    requests = record(daemon, IN_TIME)
    daemon.stop(signal.SIGKILL)
    put_in_header(daemon, 8, b"00000000-0000-0000-0000-000000000000")
    daemon.start()
    anew(daemon, "after a reboot", {"right": RIGHT})
    replay(daemon, requests, "after a reboot", USED_OR_LOST)


def test_spoilt(daemon):
    daemon.stop()
    for name, content, what in (("nonces", b"", "empty"), ("nonces", b"x" * 1000, "something else"),
                                ("nonces.2", b"", "empty, the second one")):
        with open(os.path.join(daemon.state, name), "wb") as f:
            f.write(content)
        daemon.start()
        anew(daemon, f"with a file of nonces that is {what}", {"right": RIGHT})
        requests = record(daemon, IN_TIME)
        daemon.restart(signal.SIGKILL)
        replay(daemon, requests, f"with a file of nonces that was {what}, one start later", USED)
        daemon.stop()
    daemon.start()


def test_clock_behind(daemon):
    """The clock is an hour behind what was signed and forgotten: nothing is accepted, and what to do is said."""
    daemon.stop()
    path = os.path.join(daemon.state, "nonces")
    put_in_header(daemon, 48, struct.pack("<q", int(time.time()) + 3600))
    daemon.start()
    code = daemon.send(acs3(daemon.key(), "ListAccounts", {}))[1].get("Code")
    is_equal(code, "InvalidTimeStamp.Expired", "with a clock that was set back, what could have been carried out is refused")
    ok(f"set the clock, or remove file={path} and start again" in daemon.said(), "and the log says what to do", daemon.said())
    daemon.stop()
    os.unlink(path)
    daemon.start()
    anew(daemon, "once that is done", {"right": RIGHT})


def test_roa(daemon):
    request = roa(daemon.key(), "CreateAccount", {"AccountName": "by-roa"})
    before = accounts(daemon)
    for when in "while it runs", "after a start":
        is_equal(daemon.send(request)[1].get("Code"), "UnsupportedSignatureMethod", f"the older scheme is refused, {when}")
        daemon.restart()
    is_equal(accounts(daemon), before, "and makes nothing")


def test_files(daemon):
    for name in "nonces", "nonces.2":
        status = os.stat(os.path.join(daemon.state, name))
        is_equal((status.st_mode & 0o777, status.st_uid), (0o600, os.geteuid()), f"the file {name} is the starter's alone")


def main():
    daemon = Daemon()
    try:
        test_restarts(daemon)
        test_files(daemon)
        test_lost_memory(daemon)
        test_other_boot(daemon)
        test_spoilt(daemon)
        test_clock_behind(daemon)
        test_roa(daemon)
    finally:
        daemon.remove()
    return done()


sys.exit(main())
