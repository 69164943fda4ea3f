#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The administrator's key: lost, empty, readable by others; and what the command line says when nobody serves."""

import os
import socket
import stat
import subprocess

from world import Home, IS_ROOT, PRIVLINK, REFUSED, USER, run


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def lost(tap):
    home = Home("lost")
    home.start()
    first = home.key()
    vpcs = {home.make_vpc(): "10.0.0.0/16"}
    if not IS_ROOT:
        done = home.cli("admin", "new-key")
        tap.ok(done.returncode == 1 and "needs root" in done.stderr, "a new key is root's to make", done.stderr)
        tap.skip("a lost key is replaced", "needs root")
        return
    os.unlink(home.admin)
    said = home.cli("account", "list").stderr
    tap.ok("privlink admin new-key" in said, "without a key, the command line says how root makes one", said)
    done = home.cli("admin", "new-key")
    tap.ok(done.returncode == 0 and os.path.exists(home.admin), "a lost key is replaced while privlinkd runs", done.stderr)
    second = home.key()
    tap.ok(mode(home.admin) == 0o600 and os.stat(home.admin).st_uid == 0, "its file is root's alone")
    tap.ok(second["PRIVLINK_ACCOUNT_ID"] == first["PRIVLINK_ACCOUNT_ID"] and home.vpcs(second) == vpcs,
           "it is the same account's", second)
    tap.ok(home.vpcs(first) == vpcs, "the key before goes on working")
    done = home.cli("admin", "new-key", "--revoke-others")
    third = home.key()
    tap.ok(done.returncode == 0 and home.vpcs(third) == vpcs, "--revoke-others makes another one", done.stderr)
    tap.ok(home.vpcs(first) is None and home.vpcs(second) is None, "and ends those before")
    home.kill()
    home.start()
    tap.ok(home.vpcs(third) == vpcs and home.vpcs(first) is None, "for good")
    for _ in range(4):
        home.cli("admin", "new-key")
    kept = home.key()
    done = home.cli("admin", "new-key")
    tap.ok(done.returncode == 1 and "--revoke-others" in done.stderr,
           "above five keys it says that others have to go", done.stderr)
    tap.ok(home.key() == kept and home.vpcs(kept) == vpcs, "and leaves the file and its key alone")
    done = home.cli("admin", "new-key", "--account", "17")
    tap.ok(done.returncode == 1 and "no administrator" in done.stderr, "for a stranger's number there is none", done.stderr)
    done = home.cli("admin", "new-key", "--account", "x")
    tap.ok(done.returncode == 2, "what is no number is none", done.stderr)
    os.chmod(home.top, 0o755)
    done = subprocess.run(["setpriv", "--reuid", USER, "--clear-groups", PRIVLINK, "admin", "new-key", "--run-dir", home.run],
                          env={"PRIVLINK_STATE_DIR": home.state}, stderr=subprocess.PIPE, text=True, check=False)
    tap.ok(done.returncode == 1 and "needs root" in done.stderr, "nobody else gets one", done.stderr)
    os.chmod(f"{home.run}/feed.sock", 0o666)  # who may speak there is told by the kernel, not by the file's mode
    done = subprocess.run(["setpriv", "--reuid", USER, "--clear-groups", "curl", "-sS", "--unix-socket",
                           f"{home.run}/feed.sock", "-d", "{}", "http://x/admin/v1/key"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    tap.ok("only root" in done.stdout and "PLAK" not in done.stdout, "not from the socket either", done.stdout)


def spoken_of(tap):
    home = Home("spoken")
    home.start()
    home.end()
    with open(home.admin, encoding="utf-8") as f:
        text = f.read()
    key = home.key()

    os.chmod(home.admin, 0o644)
    home.start()
    tap.ok("others may read" in home.log() and "chmod 600" in home.log(), "the log speaks of a key that others can read",
           home.log())
    if IS_ROOT:
        done = home.cli("account", "list")
        tap.ok(done.returncode == 1 and "chmod 600" in done.stderr, "and the command line does not use it", done.stderr)
        tap.ok(home.cli("account", "list", env=key).returncode == 0, "who brings a key of his own is not bothered")
    home.end()

    os.chmod(home.admin, 0o600)
    with open(home.admin, "w", encoding="utf-8"):
        pass
    home.start()
    tap.ok("there is no access key in file" in home.log() and "privlink admin new-key" in home.log(),
           "the log speaks of an empty file", home.log())
    if IS_ROOT:
        done = home.cli("account", "list")
        tap.ok(done.returncode == 1 and "privlink admin new-key" in done.stderr, "and so does the command line", done.stderr)
    home.end()

    os.unlink(home.admin)
    home.start()
    tap.ok("privlink admin new-key" in home.log(), "the log speaks of a missing file", home.log())
    tap.ok(not os.path.exists(home.admin), "no key is made unasked")
    home.end()

    with open(home.admin, "w", encoding="utf-8") as f:
        f.write(text.replace("PRIVLINK_ACCESS_KEY_ID=PLAK", "PRIVLINK_ACCESS_KEY_ID=PLAX"))
    os.chmod(home.admin, 0o600)
    home.start()
    tap.ok("is not in the store any more" in home.log(), "the log speaks of a key that was deleted", home.log())
    home.end()


def cut_off(tap):
    """A first start that was killed between the key's file and the account, and one that was killed just after."""
    home = Home("cut")
    os.makedirs(home.state)
    pending = os.path.join(home.state, "admin.env.pending")
    with open(pending, "w", encoding="utf-8") as f:
        f.write("PRIVLINK_ACCESS_KEY_ID=PLAKnone\nPRIVLINK_ACCESS_KEY_SECRET=x\nPRIVLINK_ACCOUNT_ID=1\n")
    status = home.start()
    tap.ok(status is None and home.vpcs() == {}, "a key whose account never was is made anew", home.log())
    home.end()
    os.rename(home.admin, pending)
    status = home.start()
    tap.ok(status is None and os.path.exists(home.admin) and home.vpcs() == {},
           "a key whose account is in the store gets its name", home.log())
    tap.ok(not os.path.exists(pending), "and only that")


def nobody_serves(tap):
    home = Home("silent")
    home.start()
    key = home.key()
    home.end()
    os.rename(home.store, home.store + ".away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(os.path.join(home.top, "notify"))
        manager.settimeout(10)
        os.environ["NOTIFY_SOCKET"] = manager.getsockname()
        status = home.start()
        del os.environ["NOTIFY_SOCKET"]
        said = manager.recv(4096).decode()
    tap.ok(status == REFUSED, "without its store privlinkd refuses", home.log())
    tap.ok("STATUS=refusing to start" in said and "mount its disk" in said, "the service manager is told why", said)
    said = home.cli("node", "list", env=key).stderr
    tap.ok("does not serve" in said and "mount its disk" in said, "the command line says why nobody answers", said)
    if IS_ROOT:
        said = home.cli("store", "show").stderr
        tap.ok("does not serve" in said and "mount its disk" in said, "root's own commands, too", said)
    os.rename(home.store + ".away", home.store)
    home.start()
    home.end()
    said = home.cli("node", "list", env=key).stderr
    tap.ok("does not serve" not in said, "once it has served, what it said before is forgotten", said)


run([lost, spoken_of, cut_off, nobody_serves])
