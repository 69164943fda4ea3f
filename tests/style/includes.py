#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: one way, folder by folder. Read from the sources; a folder that is not in the table may nothing."""
import os
import re
import sys
from pathlib import Path

root = Path(os.environ["PRIVLINK_SOURCE_ROOT"])

# Each folder, below those that it may include. Nothing above is ever included from below.
may = {
    "bpf": "",
    "src/lib": "",
    "src/sign": "src/lib",
    "src/http": "src/lib src/sign",
    "src/audit": "src/lib",
    "src/model": "src/lib",
    "src/schema": "src/lib src/model",
    "src/policy": "bpf src/lib",
    "src/plan": "bpf src/lib src/model src/policy",
    "src/metrics": "src/lib src/model",
    "src/store": "src/lib src/model",
    "src/control": "src/lib src/model src/store",
    "src/feed": "src/lib src/http src/model src/metrics src/store src/control",
    "src/api/frame": "src/lib src/sign src/http src/audit src/model src/schema src/store src/control",
    "src/api/common": "src/lib src/model src/store src/schema src/api/frame",
    "src/api/privatelink": "src/lib src/model src/schema src/api/frame src/api/common",
    "src/api/vpc": "src/model src/schema src/api/frame src/api/common",
    "src/api/ecs": "src/model src/schema src/api/frame src/api/common",
    "src/api/nlb": "src/model src/schema src/api/frame src/api/common",
    "src/api/ram": "src/lib src/model src/schema src/api/frame src/api/common src/api/admin",
    "src/api/slb": "src/model src/schema src/api/frame src/api/common",
    "src/api/resourcemanager": "src/model src/schema src/api/frame src/api/common",
    "src/api/sts": "src/schema src/api/frame",
    "src/api/admin": "src/lib src/http src/audit src/metrics src/model src/store src/schema src/api/frame src/api/common src/api/privatelink",
    "src/api": "src/api/common src/api/privatelink src/api/vpc src/api/ecs src/api/nlb src/api/ram src/api/resourcemanager src/api/slb src/api/sts src/api/admin",
    "src/dns": "src/lib src/plan",
    "src/ports": "src/lib src/plan",
    "src/datapath": "bpf src/lib src/plan src/policy src/ports",
    "src/agent": "src/lib src/http src/model src/plan src/dns src/ports src/datapath",
    "src/cli": "src/lib src/sign src/model src/schema",
    "src/cmd": "src/lib src/metrics src/model src/store src/control src/feed src/http src/audit src/api/frame src/api/admin src/agent src/cli",
}

include = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
made = {"pl.skel.h"}  # by the build


def find(source, name):
    for base in (source.parent, root, root / "src"):
        path = (base / name).resolve()
        if path.is_file():
            return path.relative_to(root)
    return None


def sources():
    for top in ("bpf", "src"):
        yield from sorted(p for p in (root / top).rglob("*.[ch]"))


def look(source):
    """What is wrong with a file's includes."""
    own = str(source.parent.relative_to(root))
    for name in include.findall(source.read_text()):
        if name in made:
            continue
        path = find(source, name)
        if path is None:
            yield f"{source.relative_to(root)} includes {name}, which is not there"
            continue
        folder = str(path.parent)
        if folder != own and folder not in may.get(own, "").split():
            yield f"{source.relative_to(root)} includes {path}"


def circle():
    """A folder that may include itself through others, or None."""
    done = set()

    def walk(folder, way):
        if folder in way:
            return way[way.index(folder):] + [folder]
        if folder in done:
            return None
        for below in may[folder].split():
            found = walk(below, way + [folder])
            if found:
                return found
        done.add(folder)
        return None

    return next((c for c in (walk(folder, []) for folder in may) if c), None)


def main():
    wrong = {}
    folders = {str(p.parent.relative_to(root)) for p in sources()}
    for source in sources():
        wrong.setdefault(str(source.parent.relative_to(root)), []).extend(look(source))
    used = {folder: set() for folder in may}
    for source in sources():
        for name in include.findall(source.read_text()):
            path = find(source, name)
            if path is not None:
                used.setdefault(str(source.parent.relative_to(root)), set()).add(str(path.parent))
    n = bad = 0

    def ok(passed, name, *notes):
        nonlocal n, bad
        n += 1
        bad += not passed
        print(f"{'ok' if passed else 'not ok'} {n} - {name}")
        for line in notes:
            print(f"# {line}")

    ok(circle() is None, "no folder may include itself through others", *([" <- ".join(circle())] if circle() else []))
    for folder in sorted(folders):
        ok(folder in may, f"{folder} is in the table")
        ok(not wrong[folder], f"{folder} includes only what is below it", *wrong[folder])
    for folder in sorted(may):
        idle = sorted(set(may[folder].split()) - used[folder])
        ok(not idle, f"{folder} needs all that it may", *idle)
    print(f"1..{n}")
    return 1 if bad else 0


sys.exit(main())
