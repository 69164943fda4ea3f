#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every C file is as .clang-format says, and shellcheck has nothing to say of any script (.shellcheckrc says what is ours). A test's
script stops when what it sources is not there, and deletes nothing by a variable that may be empty."""
import os
import re
import subprocess
import sys
from pathlib import Path

root = Path(os.environ["PRIVLINK_SOURCE_ROOT"])
skipped = {"build", "build-sanitize", "node_modules", ".git"}


def files():
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in skipped and not (Path(folder) / f / "build.ninja").exists())
        yield from (Path(folder) / name for name in sorted(names))


def is_script(path):
    if path.suffix == ".sh":
        return True
    if path.suffix or not os.access(path, os.X_OK):
        return False
    with path.open("rb") as file:
        return re.match(rb"#!\s*\S*(bash|/sh|env bash|env sh)\b", file.readline()) is not None


def complaints(command, path):
    done = subprocess.run([*command, str(path)], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.splitlines() or (["it failed without a word"] if done.returncode else [])


def hazards(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if re.match(r"""\s*(\.|source) \S.*\.sh["']?\s*(#.*)?$""", line):
            yield f"{path.name}:{number}: goes on without what it sources (|| exit 1): {line.strip()}"
        for command in re.findall(r"\brm (?:-\S*[rR]\S* .*|.*\*.*)|\bfind .*-delete.*", line):
            command = re.split(r"[;|]|&&", command)[0]
            if re.search(r"\$(\w|\{\w+\})", command):
                yield f"{path.name}:{number}: deletes by a variable that may be empty (${{name:?}}): {line.strip()}"


def main():
    everything = list(files())
    sources = [p for p in everything if p.suffix in (".c", ".h")]
    scripts = [p for p in everything if is_script(p)]
    n = bad = 0
    for what, paths, command in (
        ("formatted", sources, ["clang-format", "--dry-run", "--Werror"]),
        ("checked", scripts, ["shellcheck", "--format=gcc"]),
    ):
        if len(paths) < 20:
            print(f"Bail out! only {len(paths)} files were found to be {what}")
            return 1
        for path in paths:
            said = complaints(command, path)
            n += 1
            bad += bool(said)
            print(f"{'not ok' if said else 'ok'} {n} - {path.relative_to(root)} is {what}")
            for line in said[:10]:
                print(f"# {line}")
    tests = [p for p in scripts if root / "tests" in p.parents]
    for path in tests:
        said = list(hazards(path))
        n += 1
        bad += bool(said)
        print(f"{'not ok' if said else 'ok'} {n} - {path.relative_to(root)} deletes and sources with care")
        for line in said[:10]:
            print(f"# {line}")
    print(f"1..{n}")
    return 1 if bad else 0


sys.exit(main())
