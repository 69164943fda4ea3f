#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the store is and whose it is: symbolic links, root's files after a restore, disks that are full or read-only.

Runs in a mount namespace of its own, so that its disks go with it.
"""

import os
import re
import subprocess
import sys
import time

from world import Home, IS_ROOT, REFUSED, run, tree

if IS_ROOT and "PRIVLINK_TEST_MOUNTS" not in os.environ:
    os.environ["PRIVLINK_TEST_MOUNTS"] = "own"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


def refused(tap, home, status, name, *words):
    log = home.log()
    tap.ok(status == REFUSED, f"{name}: it refuses, with a status of its own", f"status {status}", log)
    tap.ok("No such file" not in log and all(word in log for word in words), f"{name}: the log says what it is",
           f"wanted {words}", log)


def serves(tap, home, vpcs, name):
    status = home.start()
    tap.ok(status is None and home.vpcs() == vpcs, f"{name}: it serves what was acknowledged", f"status {status}",
           home.log())
    home.end()


def with_vpc(name):
    home = Home(name)
    home.start()
    vpcs = {home.make_vpc(): "10.0.0.0/16"}
    return home, vpcs


def links(tap):
    home, vpcs = with_vpc("links")
    home.end()
    disk = os.path.join(home.top, "disk")

    os.rename(home.store, disk)
    os.symlink(disk, home.store)
    serves(tap, home, vpcs, "the store's directory behind a symbolic link")
    os.rename(disk, disk + ".away")
    refused(tap, home, home.start(), "a link to a directory that is not there", "symbolic link", "mounted")
    os.rename(disk + ".away", disk)
    os.unlink(home.store)
    os.rename(disk, home.store)

    os.mkdir(disk)
    stat = os.stat(home.db)
    os.chown(disk, stat.st_uid, stat.st_gid)
    os.rename(home.db, os.path.join(disk, "moved.db"))
    os.symlink(os.path.join(disk, "moved.db"), home.db)
    serves(tap, home, vpcs, "the database behind a symbolic link")
    os.rename(disk, disk + ".away")
    refused(tap, home, home.start(), "a link to a database that is not there", "symbolic link", "mounted")
    os.rename(disk + ".away", disk)

    os.rename(home.state, home.state + ".elsewhere")
    os.symlink(home.state + ".elsewhere", home.state)
    serves(tap, home, vpcs, "the state directory behind a symbolic link")


def owners(tap):
    if not IS_ROOT:
        tap.skip("files that are root's after a restore", "needs root")
        return
    home, vpcs = with_vpc("owners")
    home.kill()  # its log stays
    for path, name in (home.db, "a database that is root's"), (home.wal, "a log that is root's"):
        os.chown(path, 0, 0)
        status = home.start()
        refused(tap, home, status, name, path, "uid=0", "Permission denied", "chown")
        command = re.search(r"give it back with: (chown [0-9]+ [^ :]+)", home.log())
        if command:
            subprocess.run(command[1].split(), check=True)
        status = home.start()
        tap.ok(status is None and home.vpcs() == vpcs, f"{name}: the command that the log gives heals", home.log())
        home.kill()
    os.chown(home.store, 0, 0)
    serves(tap, home, vpcs, "a directory that is root's is given back by itself")


def at_rest(directory):
    """The tree, once nothing changes any more: a call's line in the log may follow its answer."""
    before, since = tree(directory), time.monotonic()
    while time.monotonic() < since + 0.5:
        time.sleep(0.1)
        if (now := tree(directory)) != before:
            before, since = now, time.monotonic()
    return before


def second(tap):
    """Another privlinkd with the same state directory, on another port and in another run directory."""
    home, vpcs = with_vpc("one")
    other = Home("two")
    other.state, other.admin = home.state, home.admin
    home.settle()
    before = at_rest(home.state)
    status = other.start()
    tap.ok(status == 1 and f"another privlinkd has state directory={home.state}" in other.log(), "a second privlinkd says that there is one",
           f"status {status}", other.log())
    after = tree(home.state)
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    tap.ok(not changed, "and has written nothing into its state directory", changed)
    vpcs[home.make_vpc("10.1.0.0/16")] = "10.1.0.0/16"
    tap.ok(None not in vpcs and home.vpcs() == vpcs, "the first one serves as before", home.last_error, home.log())
    home.kill()
    status = other.start()
    tap.ok(status is None and other.vpcs() == vpcs, "when that is gone, the second one does", f"status {status}", other.log())
    other.end()


def disks(tap):
    if not IS_ROOT:
        tap.skip("disks that are full or read-only", "needs root")
        return
    home = Home("disks")
    os.makedirs(home.store)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "none", home.store], check=True)
    try:
        on_disks(tap, home)
    finally:
        home.kill()
        subprocess.run(["umount", home.store], check=True)
    home = Home("root-disk")
    os.makedirs(home.state)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "none", home.state], check=True)
    try:
        home.start()
        vpcs = {home.make_vpc(): "10.0.0.0/16"}
        home.end()
        fill(home.state)
        serves(tap, home, vpcs, "a state directory on a full disk")
    finally:
        home.kill()
        subprocess.run(["umount", home.state], check=True)


def fill(directory):
    path = os.path.join(directory, "other")
    with open(path, "wb") as f:
        try:
            while True:
                f.write(b"x" * 4096)
                f.flush()
        except OSError:
            pass
        try:
            f.close()
        except OSError:
            pass
    return path


def on_disks(tap, home):
    other = fill(home.store)
    status = home.start()
    log = home.log()
    tap.ok(status == 1 and ("full" in log or "No space left" in log), "a first start on a full disk says so, and may be tried again",
           f"status {status}", log)
    os.unlink(other)
    status = home.start()
    tap.ok(status is None, "with room again it makes its store", home.log())
    vpcs = {home.make_vpc(): "10.0.0.0/16"}
    home.end()

    other = fill(home.store)
    status = home.start()
    tap.ok(status is None and home.vpcs() == vpcs, "a store on a full disk is served", f"status {status}", home.log())
    tap.ok(home.make_vpc() is None, "what cannot be stored is refused")
    before, began = home.log().count("cannot write the store"), time.monotonic()
    made = [home.make_vpc() for _ in range(20)]
    tries = home.log().count("cannot write the store") - before
    tap.ok(made == [None] * 20 and tries <= 1 + time.monotonic() - began,
           "the disk is tried once a second, not for each change that comes", tries, home.log())
    tap.ok(home.vpcs() == vpcs, "what is there is served meanwhile", home.last_error)
    os.unlink(other)
    deadline = time.monotonic() + 20
    while (made := home.make_vpc("10.1.0.0/16")) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    vpcs[made] = "10.1.0.0/16"
    tap.ok(made is not None, "and taken a moment after there is room again", home.log())
    home.end()
    serves(tap, home, vpcs, "after all that")

    subprocess.run(["mount", "-o", "remount,ro", home.store], check=True)
    refused(tap, home, home.start(), "a read-only disk", "Read-only file system")
    subprocess.run(["mount", "-o", "remount,rw", home.store], check=True)
    serves(tap, home, vpcs, "writable again")


run([links, owners, second, disks])
