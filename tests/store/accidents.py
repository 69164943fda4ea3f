#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What happens to a store in life: a disk that is not mounted, another one, an older copy, bytes that change.

privlinkd itself, with files that are really moved, cut and changed. Never is anything lost without a word: it serves all
that was acknowledged, or it refuses to serve, says why and what to do, and doing that heals.
"""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess

from world import Home, IS_ROOT, REFUSED, flip, run, tree


def refused(tap, home, status, name, *words):
    log = home.log()
    tap.ok(status == REFUSED, f"{name}: it refuses, with a status of its own", f"status {status}", log)
    errors = [line for line in log.splitlines() if "refusing to start" in line]
    tap.ok(len(errors) == 1 and all(word in errors[0] for word in words), f"{name}: one sentence says what and what to do",
           f"wanted {words}", log)


def serves(tap, home, vpcs, name, key=None):
    status = home.start()
    tap.ok(status is None, f"{name}: it starts", f"status {status}", home.log())
    found = home.vpcs(key) if status is None else None
    tap.ok(found == vpcs, f"{name}: with all that was acknowledged", f"{found} and not {vpcs}", home.last_error,
           home.log())


def first_start(tap):
    home = Home("first")
    home.start()
    identity = home.identity()
    tap.ok(bool(identity and re.fullmatch("[0-9a-f]{32}", identity)), "a new store has an identity outside of it, too",
           identity)
    home.end()
    home.start()
    tap.ok(bool(identity) and home.identity() == identity, "it is the same after a restart")


def not_mounted(tap):
    home = Home("mount")
    home.start()
    vpcs = {home.make_vpc(): "10.0.0.0/16"}
    home.end()
    key = home.key()
    away = os.path.join(home.top, "disk")
    for name in "an empty directory", "no directory":
        os.rename(home.store, away)
        if name == "an empty directory":
            os.mkdir(home.store, 0o700)
        before = tree(home.state)
        status = home.start()
        refused(tap, home, status, f"{name} in the store's place", "mount", "--new-store")
        tap.ok(tree(home.state) == before, f"{name} in the store's place: nothing is written")
        home.end()
        shutil.rmtree(home.store, ignore_errors=True)
        os.rename(away, home.store)
        serves(tap, home, vpcs, f"the store mounted again after {name}", key)
        home.end()
    with open(home.db, "r+b") as f:
        f.truncate(0)
    before = tree(home.state)
    status = home.start()
    refused(tap, home, status, "a database cut to nothing", "backup", "--new-store")
    tap.ok(tree(home.state) == before, "a database cut to nothing: nothing is written")


def new_store(tap):
    home = Home("new")
    home.start()
    home.make_vpc()
    home.end()
    identity, key = home.identity(), home.key()
    status = home.start("--new-store")
    tap.ok(status == REFUSED and "there is one" in home.log(), "--new-store does not touch a store that is there",
           home.log())
    shutil.rmtree(home.store)
    status = home.start("--new-store")
    tap.ok(status == 0, "--new-store makes one where it is missing, and ends", f"status {status}", home.log())
    serves(tap, home, {}, "the new store")
    tap.ok(home.identity() not in (None, identity), "it has another identity")
    tap.ok(home.key() != key, "it has another administrator")
    with open(home.admin + ".old", encoding="utf-8") as f:
        tap.ok(key["PRIVLINK_ACCESS_KEY_ID"] in f.read(), "the key of the one before is set aside, not overwritten")


def anothers(tap):
    mine, yours = Home("mine"), Home("yours")
    mine.start()
    vpcs = {mine.make_vpc(): "10.0.0.0/16"}
    mine.end()
    yours.start()
    others = {yours.make_vpc("10.9.0.0/16"): "10.9.0.0/16"}
    yours.end()
    kept = mine.copy("kept")
    shutil.rmtree(mine.store)
    shutil.copytree(yours.store, mine.store)
    shutil.chown(mine.store, os.stat(yours.store).st_uid)
    mine.put_back(yours.store)
    key, before = mine.key(), tree(mine.state)
    status = mine.start()
    refused(tap, mine, status, "another installation's store", str(mine.identity()), str(yours.identity()), "--accept-store")
    tap.ok({k: v for k, v in tree(mine.state).items() if k.endswith("admin.env") or "/store" in k} ==
           {k: v for k, v in before.items() if k.endswith("admin.env") or "/store" in k},
           "another installation's store: neither it nor the key is touched")
    mine.put_back(kept)
    serves(tap, mine, vpcs, "the right store put back", key)
    mine.end()
    mine.put_back(yours.store)
    status = mine.start("--accept-store")
    tap.ok(status == 0, "--accept-store takes another's store, and ends", f"status {status}", mine.log())
    serves(tap, mine, others, "the accepted store", yours.key())
    tap.ok(mine.identity() == yours.identity(), "it keeps its own identity, so that its agents go on")


def identity_lost(tap):
    home = Home("adopt")
    home.start()
    vpcs = {home.make_vpc(): "10.0.0.0/16"}
    home.end()
    identity = home.identity()
    for name in "store.id", "store.revision":
        path = os.path.join(home.state, name)
        if os.path.exists(path):
            os.unlink(path)
    serves(tap, home, vpcs, "a store of which nothing is known outside")
    tap.ok(bool(identity) and home.identity() == identity, "it is adopted and written down", home.identity())
    tap.ok("adopting" in home.log(), "the log says so", home.log())


def identity_damaged(tap):
    """Each character of the file, one at a time; and as a file from before there was a sum."""
    home = Home("digit")
    home.start()
    vpcs = {home.make_vpc(): "10.0.0.0/16"}
    home.end()
    path = os.path.join(home.state, "store.id")
    with open(path, encoding="utf-8") as f:
        good = f.read()
    for place, what in (0, "a digit"), (31, "the last digit"), (40, "a digit of its sum"):
        spoilt = good[:place] + ("1" if good[place] == "0" else "0") + good[place + 1:]
        with open(path, "w", encoding="utf-8") as f:
            f.write(spoilt)
        serves(tap, home, vpcs, f"a store whose identity outside has {what} changed")
        tap.ok(f"file={path}, it is damaged" in home.log(), f"with {what} changed: the log says that the file is damaged", home.log())
        home.end()
        with open(path, encoding="utf-8") as f:
            tap.ok(f.read() == good, f"with {what} changed: it is written anew")
    with open(path, "w", encoding="utf-8") as f:
        f.write(good.splitlines()[0] + "\n")
    serves(tap, home, vpcs, "a store whose identity outside is from before there were sums")
    tap.ok("damaged" not in home.log(), "nothing is said of it", home.log())
    with open(path, encoding="utf-8") as f:
        tap.ok(f.read() == good, "and it has its sum from now on")


def identity_damaged_and_anothers(tap):
    """The record knows whose store it was; here not even the key says that it is another's."""
    mine, yours = Home("damaged"), Home("other")
    for home in mine, yours:
        home.start()
        home.end()
    path = os.path.join(mine.state, "store.id")
    with open(path, "r+", encoding="utf-8") as f:
        f.write("x")
    mine.put_back(yours.store)
    shutil.copyfile(yours.admin, mine.admin)
    status = mine.start()
    refused(tap, mine, status, "another store beside a damaged identity", str(yours.identity()), "--accept-store")


def older_copy(tap):
    home = Home("older")
    home.start()
    first = {home.make_vpc(): "10.0.0.0/16"}
    home.end()
    older = home.copy("older")
    home.start()
    vpcs = dict(first)
    for i in range(3):
        vpcs[home.make_vpc(f"10.{i + 1}.0.0/16")] = f"10.{i + 1}.0.0/16"
    home.end()
    newer = home.copy("newer")
    identity = home.identity()
    home.put_back(older)
    before = tree(home.store)
    status = home.start()
    refused(tap, home, status, "an older copy", "revision=", "--accept-store")
    tap.ok(tree(home.store) == before, "an older copy: not a byte of it is changed")
    home.end()
    home.put_back(newer)
    serves(tap, home, vpcs, "the newer one put back")
    home.end()
    home.put_back(older)
    status = home.start("--accept-store")
    tap.ok(status == 0, "--accept-store takes the older one, and ends", f"status {status}", home.log())
    serves(tap, home, first, "the accepted older copy")
    tap.ok(home.identity() not in (None, identity), "it is another store now, so that every agent notices")
    accepted = home.identity()
    first[home.make_vpc("10.8.0.0/16")] = "10.8.0.0/16"
    home.end()
    serves(tap, home, first, "and once more, without being told again")
    tap.ok(home.identity() == accepted, "under the identity that it got")


def all_older(tap):
    """The whole state directory, with what is written there about the store, while the machine goes on."""
    home = Home("all")
    home.start()
    first = {home.make_vpc(): "10.0.0.0/16"}
    home.settle()
    home.end()
    copy = os.path.join(home.top, "copy")
    subprocess.run(["cp", "-a", home.state, copy], check=True)
    home.start()
    home.make_vpc("10.1.0.0/16")
    identity = home.identity()
    home.end()
    shutil.rmtree(home.state)
    os.rename(copy, home.state)
    status = home.start()
    refused(tap, home, status, "an older copy of the whole state directory", "revision=", "--accept-store")
    status = home.start("--accept-store")
    tap.ok(status == 0, "it can be accepted", home.log())
    serves(tap, home, first, "the accepted older copy of the whole")
    tap.ok(home.identity() not in (None, identity), "as another store")


def record_lost(tap):
    home = Home("record")
    home.start()
    vpcs = {home.make_vpc(): "10.0.0.0/16"}
    home.end()
    for name, damage in (("deleted", os.unlink), ("emptied", lambda path: os.truncate(path, 0)),
                         ("damaged", lambda path: [flip(path, 3), flip(path, 515)])):
        if os.path.exists(home.record):
            damage(home.record)
        shutil.rmtree(home.run)
        serves(tap, home, vpcs, f"store.revision {name}")
        tap.ok("recording" in home.log(), f"store.revision {name}: the log says so", home.log())
        home.end()
        serves(tap, home, vpcs, f"store.revision {name}, the start after")
        tap.ok("recording" not in home.log(), f"store.revision {name}: it is whole again", home.log())
        home.end()


def newer_version(tap):
    """Whoever goes back to an older privlink must not throw away what that does not know."""
    home = Home("newer")
    home.start()
    vpcs = {home.make_vpc(): "10.0.0.0/16"}
    home.settle()
    home.end()
    known = version(home)
    version(home, known + 1)
    before = tree(home.store)
    for option in [], ["--accept-store"]:
        name = " ".join(["a store of a newer version", *option])
        refused(tap, home, home.start(*option), name, "newer version of privlink")
        tap.ok("--accept-store" not in home.log() and "damaged" not in home.log(), f"{name}: nothing is said of taking it", home.log())
        tap.ok(tree(home.store) == before, f"{name}: not a byte of it is changed")
    version(home, known - 1)
    serves(tap, home, vpcs, "a store of the version before")
    vpcs[home.make_vpc("10.1.0.0/16")] = "10.1.0.0/16"
    home.end()
    tap.ok(version(home) == known, "with the first change it is of the present version", version(home))
    serves(tap, home, vpcs, "the store that was taken over")


def version(home, number=None):
    with contextlib.closing(sqlite3.connect(home.db)) as db:
        if number is not None:
            db.execute(f"PRAGMA user_version = {number}")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return db.execute("PRAGMA user_version").fetchone()[0]


def mixed(tap):
    """A database is put back, and the log of a later one is left beside it."""
    home = Home("mixed")
    home.start()
    vpcs = {}
    for i in range(30):
        vpcs[home.make_vpc(f"10.{i}.0.0/16")] = f"10.{i}.0.0/16"
    home.end()
    older = home.copy("older")
    home.start()
    for vpc in list(vpcs)[:20]:
        home.call("vpc", "DeleteVpc", f"VpcId={vpc}")
    home.end()
    home.start()
    home.make_vpc("10.99.0.0/16")
    home.kill()
    with open(home.wal, "rb") as f:
        log = f.read()
    home.put_back(older)
    with open(home.wal, "wb") as f:
        f.write(log)
    os.chown(home.wal, os.stat(home.db).st_uid, os.stat(home.db).st_gid)
    status = home.start()
    refused(tap, home, status, "a database with the log of a later one", "-wal", "backup")
    os.unlink(home.wal)
    status = home.start("--accept-store")
    tap.ok(status == 0, "without that log it can be accepted", home.log())
    serves(tap, home, vpcs, "the older one without the later one's log")


def killed_with_log(home, n):
    """A store whose last changes are in its log only."""
    home.start()
    vpcs = {}
    for i in range(n):
        vpcs[home.make_vpc(f"10.{i}.0.0/16")] = f"10.{i}.0.0/16"
    home.settle()
    home.kill()
    return vpcs


def log_damaged(tap):
    home = Home("wal")
    vpcs = killed_with_log(home, 20)
    kept = home.copy("kept")
    size = os.path.getsize(home.wal)
    silent, wrong, unhealed = [], [], []
    places = [0, 17, 32, 40, 56] + [32 + int((size - 33) * k / 24) for k in range(1, 25)]
    for offset in places:
        home.set_back(kept)
        flip(home.wal, offset)
        damaged = tree(home.store)
        status = home.start()
        if status is None and home.vpcs() != vpcs:
            silent.append(offset)
        elif status is not None and (status != REFUSED or "refusing to start" not in home.log()):
            wrong.append((offset, status, home.log()))
        elif status is not None and tree(home.store) != damaged:
            wrong.append((offset, "the files were changed"))
        home.kill()
    tap.ok(not silent, f"no byte of {len(places)} places of the log takes acknowledged changes away unsaid", silent)
    tap.ok(not wrong, "each is refused in a sentence, and the files stay as they are", wrong)
    for name, damage in (("the log without its last byte", lambda: os.truncate(home.wal, size - 1)),
                         ("the log cut in the middle", lambda: os.truncate(home.wal, size // 2)),
                         ("the log cut to its head", lambda: os.truncate(home.wal, 32)),
                         ("the log cut to nothing", lambda: os.truncate(home.wal, 0)),
                         ("the log deleted", lambda: os.unlink(home.wal))):
        home.set_back(kept)
        damage()
        status = home.start()
        refused(tap, home, status, name, "revision=", "--accept-store")
        home.kill()
        home.set_back(kept)
        status = home.start()
        found = home.vpcs() if status is None else None
        if found != vpcs:
            unhealed.append((name, status, found, home.last_error, home.log()))
        home.kill()
    tap.ok(not unhealed, "the whole log put back heals each", unhealed)
    home.set_back(kept)
    os.truncate(home.wal, size // 2)
    status = home.start("--accept-store")
    tap.ok(status == 0, "--accept-store takes what is left", f"status {status}", home.log())
    status = home.start()
    found = home.vpcs() if status is None else None
    tap.ok(bool(found) and found.items() < vpcs.items(), "and that is served, without what was cut off",
           found, home.log())


def database_damaged(tap):
    home = Home("db")
    home.start()
    vpcs = {home.make_vpc("10.77.0.0/16"): "10.77.0.0/16"}
    for i in range(5):
        vpcs[home.make_vpc(f"10.{i}.0.0/16")] = f"10.{i}.0.0/16"
    home.end()
    kept = home.copy("kept")
    key = home.key()
    with open(home.db, "rb") as f:
        data = f.read()
    silent, wrong = [], []
    places = [int(len(data) * k / 41) for k in range(41)]
    for offset in places:
        home.set_back(kept)
        flip(home.db, offset)
        status = home.start()
        if status is None and home.vpcs(key) != vpcs:
            silent.append(offset)
        elif status is not None and status != REFUSED:
            wrong.append((offset, status, home.log()))
        home.kill()
    tap.ok(not silent, f"no byte of {len(places)} places of the database changes anything unsaid", silent)
    tap.ok(not wrong, "each is refused, or does no harm", wrong)

    vpc = next(v for v, cidr in vpcs.items() if cidr == "10.77.0.0/16")
    home.set_back(kept)
    flip(home.db, data.index(b"10.77.0.0/16") + 4, mask=0x0f)  # 10.78.0.0/16: a good row, but not what was written
    status = home.start()
    refused(tap, home, status, "a digit of an address changed", "damaged", "backup", "--accept-store")
    tap.ok(f"vpc/{vpc}" in home.log(), "a digit of an address changed: the log names the row", home.log())
    home.set_back(kept)
    serves(tap, home, vpcs, "the backup put back", key)
    home.end()

    home.set_back(kept)
    flip(home.db, data.index(b'"10.77.0.0/16"'), mask=0x04)  # & for the quotation mark: no JSON
    status = home.start()
    refused(tap, home, status, "a row that is no JSON any more", "damaged", "backup", "--accept-store")
    tap.ok(f"vpc/{vpc}" in home.log(), "a row that is no JSON any more: the log names it", home.log())
    status = home.start("--accept-store")
    tap.ok(status == 0 and f"dropping key=vpc/{vpc}" in home.log(), "--accept-store goes on without it, and says so",
           f"status {status}", home.log())
    rest = {v: cidr for v, cidr in vpcs.items() if v != vpc}
    serves(tap, home, rest, "the accepted rest", key)
    home.end()

    home.set_back(kept)
    for found in re.finditer(f"vpc/{vpc}".encode(), data):
        flip(home.db, found.start())  # wpc/…: a key of nothing, in a place where its order does not lead
    status = home.start()
    refused(tap, home, status, "a letter of a key changed", "damaged", "backup", "--accept-store")
    tap.ok(f"wpc/{vpc}" in home.log(), "a letter of a key changed: the log names it", home.log())
    status = home.start("--accept-store")
    tap.ok(status == 0 and f"dropping key=wpc/{vpc}" in home.log(), "--accept-store goes on without it, too",
           f"status {status}", home.log())
    serves(tap, home, rest, "the rest of the changed key", key)
    rest[home.make_vpc("10.66.0.0/16", key)] = "10.66.0.0/16"
    home.end()
    serves(tap, home, rest, "and once more, with what came after", key)
    home.end()

    # 3ervice/…: a key of nothing, and not where its order leads
    keys = sorted(set(re.findall(b"service/epsrv-[0-9a-z]{20}", data)))
    lasting, unhealed = [], []
    for name in keys[::max(1, len(keys) // 10)]:
        home.set_back(kept)
        for found in re.finditer(name, data):
            flip(home.db, found.start(), mask=0x40)
        if home.start() != REFUSED or "3" + name.decode()[1:] not in home.log():
            lasting.append(home.log())
        home.kill()
        status = home.start("--accept-store")
        if status == 0:
            status = home.start()
        if status is not None or home.vpcs(key) != vpcs:
            unhealed.append((name, status, home.log()))
        home.kill()
    tap.ok(not lasting, "a letter of a key changed: it refuses, and names the row", *lasting)
    tap.ok(keys and not unhealed, "--accept-store goes on without each such row, at the next start, too", *unhealed)

    home.set_back(kept)
    os.truncate(home.db, len(data) // 2)
    status = home.start()
    refused(tap, home, status, "a database cut in the middle", "backup")

    home.set_back(kept)
    flip(home.db, 100)  # the kind of the first page
    refused(tap, home, home.start(), "a page that is none", "damaged", "backup", "--accept-store")
    status = home.start("--accept-store")
    refused(tap, home, status, "one that cannot even be accepted", "nothing can be read", "backup", "--new-store")


def key_without_store(tap):
    """As an installation of the first version is left without its disk: nothing but admin.env says that there was one."""
    home, other = Home("key"), Home("other")
    home.start()
    home.end()
    vpcs = {}
    for name in "store.id", "store.revision":
        if os.path.exists(os.path.join(home.state, name)):
            os.unlink(os.path.join(home.state, name))
    kept = home.copy("kept")
    shutil.rmtree(home.store)
    os.mkdir(home.store)
    key = home.key()
    status = home.start()
    refused(tap, home, status, "a key and an empty store", "key", "mount", "--new-store")
    tap.ok(home.key() == key, "a key and an empty store: the key is not overwritten")
    home.end()
    other.start()
    other.end()
    home.put_back(other.store)
    status = home.start()
    refused(tap, home, status, "a key whose account is not in the store", "admin.env", "--accept-store")
    tap.ok(home.key() == key, "a key whose account is not in the store: it is not overwritten")
    home.end()
    home.put_back(kept)
    serves(tap, home, vpcs, "the right store put back", key)


def removed_while_open(tap):
    """What is written to files without a name goes with the process. So nothing is, and what it has can be saved."""
    ways = {"the store's files are deleted": lambda home: [os.unlink(p) for p in (home.db, home.wal)],
            "the log is deleted": lambda home: os.unlink(home.wal),
            "another database is put over it": lambda home: os.replace(shutil.copy(home.db, home.db + ".x"), home.db)}
    for name, damage in ways.items():
        home = Home("open")
        home.start()
        vpcs = {home.make_vpc(): "10.0.0.0/16"}
        damage(home)
        tap.ok(home.make_vpc() is None, f"{name} while it is open: nothing is taken any more")
        tap.ok(home.vpcs() == vpcs, f"{name} while it is open: what it has can be read")
        tap.ok("store backup" in home.log(), f"{name} while it is open: the log says how to save it", home.log())
        if not IS_ROOT:
            continue
        saved = os.path.join(home.top, "saved")
        done = home.cli("store", "backup", saved)
        tap.ok(done.returncode == 0, f"{name} while it is open: it can be saved", done.stderr)
        owner = os.stat(home.store)
        home.kill()
        shutil.rmtree(home.store)
        os.mkdir(home.store)
        shutil.copyfile(saved, home.db)
        for path in home.store, home.db:
            os.chown(path, owner.st_uid, owner.st_gid)
        serves(tap, home, vpcs, f"{name} while it is open, and the saved one put there")


run([first_start, not_mounted, new_store, anothers, identity_lost, identity_damaged, identity_damaged_and_anothers,
     older_copy, all_older, record_lost, newer_version, mixed, log_damaged, database_damaged, key_without_store, removed_while_open])
