#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Copies of a store, of a running one and of one that is stopped, and what it takes to go back to them."""

import os
import shutil
import stat
import subprocess
import threading

from world import Home, IS_ROOT, REFUSED, run


def restore(home, copy):
    """As doc/architecture.md says: the copy alone, in an empty directory that is the daemon's."""
    owner = os.stat(home.store)
    shutil.rmtree(home.store)
    os.mkdir(home.store, 0o700)
    shutil.copyfile(copy, home.db)
    for path in home.store, home.db:
        os.chown(path, owner.st_uid, owner.st_gid)
    os.chmod(home.db, 0o600)


def copy_last_moment(home, copy):
    """Until nothing has moved on between the copy and the end."""
    for _ in range(20):
        said = home.cli("store", "backup", copy).stdout
        home.end()
        with open(home.record, encoding="utf-8") as f:
            recorded = max(int(line.split("revision=")[1].split()[0]) for line in f if "revision=" in line)
        if f"revision={recorded}\n" in said:
            return
        home.start()


def while_it_runs(tap):
    if not IS_ROOT:
        tap.skip("a running store is copied", "needs root")
        return
    home = Home("running")
    home.start()
    vpcs = {home.make_vpc(): "10.0.0.0/16"}
    copy = os.path.join(home.top, "copy")
    busy, made = threading.Event(), []

    def load():
        for i in range(40):
            made.append(home.make_vpc(f"10.{i + 1}.0.0/16"))
            if i == 5:
                busy.set()

    writer = threading.Thread(target=load)
    writer.start()
    busy.wait()
    with open(copy + ".new", "w", encoding="utf-8") as f:
        f.write("an operator's")
    done = home.cli("store", "backup", copy)
    at_least = [v for v in made if v]
    writer.join()
    tap.ok(done.returncode == 0 and f"store={home.identity()} revision=" in done.stdout,
           "a store is copied while it is written, and the command says at which revision", done.stderr)
    tap.ok(stat.S_IMODE(os.stat(copy).st_mode) == 0o600, "the copy is its owner's alone")
    tap.ok(sorted(os.listdir(home.store)) == ["privlink.db", "privlink.db-wal"], "nothing is left beside the store",
           os.listdir(home.store))
    copy_last_moment(home, copy)
    tap.ok(sorted(n for n in os.listdir(home.top) if n.startswith("copy")) == ["copy", "copy.new"],
           "a second copy takes the first one's place, and no other file's", os.listdir(home.top))
    now = set(made) | set(vpcs)

    restore(home, copy)
    status = home.start()
    tap.ok(status is None and set(home.vpcs() or ()) == now,
           "a copy of the last moment is served without further ado", f"status {status}", home.log())
    home.end()

    home.start()
    late = home.make_vpc("10.99.0.0/16")
    home.end()
    restore(home, copy)
    status = home.start()
    tap.ok(status == REFUSED and "--accept-store" in home.log(), "an older one has to be accepted", home.log())
    tap.ok(home.start("--accept-store") == 0, "which is one command", home.log())
    status = home.start()
    found = home.vpcs() if status is None else None
    tap.ok(found is not None and set(found) == now and late not in found, "and then is served", home.log())
    tap.ok(len(at_least) > 5, "(writes went on during the copy)", at_least)

    copies = [os.path.join(home.top, f"at-once-{i}") for i in range(6)]
    threads = [threading.Thread(target=home.cli, args=("store", "backup", c)) for c in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sizes = [os.path.getsize(c) if os.path.exists(c) else None for c in copies]
    tap.ok(all(sizes), "copies that are asked for at once are all whole", sizes)
    home.end()

    done = home.cli("store", "backup", copy)
    tap.ok(done.returncode == 1 and "no privlinkd answers" in done.stderr, "without privlinkd there is no such copy", done.stderr)
    home.start()
    done = home.cli("store", "backup", os.path.join(home.top, "no", "such", "place"))
    tap.ok(done.returncode == 1 and "No such file" in done.stderr, "a place that is not there is named", done.stderr)
    tap.ok(not os.path.exists(home.db + ".backup"), "and nothing is left of the attempt")


def while_it_is_stopped(tap):
    """cp -a of the state directory, on the same machine and on a new one."""
    home = Home("stopped")
    home.start()
    vpcs = {home.make_vpc(): "10.0.0.0/16"}
    home.end()
    copy = os.path.join(home.top, "copy")
    subprocess.run(["cp", "-a", home.state, copy], check=True)
    identity = home.identity()
    shutil.rmtree(home.state)
    os.rename(copy, home.state)
    status = home.start()
    tap.ok(status is None and home.vpcs() == vpcs, "a state directory that was lost is copied back, and served",
           f"status {status}", home.log())
    tap.ok(home.identity() == identity, "as the same store")
    home.kill()

    # Killed, so with a log: both files are the store.
    subprocess.run(["cp", "-a", home.state, copy], check=True)
    shutil.rmtree(home.state)
    os.rename(copy, home.state)
    status = home.start()
    tap.ok(status is None and home.vpcs() == vpcs, "also one of a privlinkd that was killed", f"status {status}", home.log())
    home.end()

    os.unlink(home.db + "-wal") if os.path.exists(home.wal) else None
    kept = home.key()
    for name in os.listdir(home.state):
        if name.startswith("store."):
            os.unlink(os.path.join(home.state, name))
    status = home.start()
    tap.ok(status is None and home.vpcs(kept) == vpcs and home.identity() == identity,
           "on a machine that is new, the database and admin.env are enough", f"status {status}", home.log())


run([while_it_runs, while_it_is_stopped])
