#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every C file is as .clang-format says; clang-tidy has nothing to say of any that is built (.clang-tidy), nor shellcheck of any
script (.shellcheckrc). A test's script stops when what it sources is not there, and deletes nothing by a variable that may be empty.
Nothing that is committed is a link: it would lead out of the project."""
import json
import os
import re
import subprocess
import sys
from multiprocessing.pool import ThreadPool
from pathlib import Path

root = Path(os.environ["PRIVLINK_SOURCE_ROOT"])
build = Path(os.environ["PRIVLINK_BUILD_ROOT"])
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


def built():
    """What clang can compile as it is built here: all but the BPF programs, which have a compiler of their own."""
    entries = json.loads((build / "compile_commands.json").read_text())
    files = {(build / entry["file"]).resolve() for entry in entries}
    return sorted(f for f in files if f.suffix == ".c" and root in f.parents and build not in f.parents
                  and not f.name.endswith(".bpf.c"))


def complaints(command, path):
    done = subprocess.run([*command, str(path)], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                          if command[0] == "clang-tidy" else subprocess.STDOUT, text=True)
    return done.stdout.splitlines() or (["it failed without a word"] if done.returncode else [])


def hazards(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if re.match(r"""\s*(\.|source) \S.*\.sh["']?\s*(#.*)?$""", line):
            yield f"{path.name}:{number}: goes on without what it sources (|| exit 1): {line.strip()}"
        for command in re.findall(r"\brm (?:-\S*[rR]\S* .*|.*\*.*)|\bfind .*-delete.*", line):
            command = re.split(r"[;|]|&&", command)[0]
            if re.search(r"\$(\w|\{\w+\})", command):
                yield f"{path.name}:{number}: deletes by a variable that may be empty (${{name:?}}): {line.strip()}"


def links():
    """What is committed as a symbolic link; nothing where this is no clone."""
    listed = subprocess.run(["git", "ls-files", "--stage"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return [line.partition("\t")[2] for line in listed.stdout.splitlines() if line.startswith("120000 ")]


def main():
    everything = list(files())
    sources = [p for p in everything if p.suffix in (".c", ".h")]
    scripts = [p for p in everything if is_script(p)]
    n = bad = 0
    for what, paths, command in (
        ("formatted", sources, ["clang-format", "--dry-run", "--Werror"]),
        ("checked", scripts, ["shellcheck", "--format=gcc"]),
        ("tidy", built(), ["clang-tidy", "-p", str(build), "--quiet"]),
    ):
        if len(paths) < 20:
            print(f"Bail out! only {len(paths)} files were found to be {what}")
            return 1
        with ThreadPool(os.cpu_count()) as pool:
            results = pool.map(lambda path, command=command: complaints(command, path), paths)
        for path, said in zip(paths, results):
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
    n += 1
    found = links()
    bad += bool(found)
    print(f"{'not ok' if found else 'ok'} {n} - no file is a link {' '.join(found)}".rstrip())
    print(f"1..{n}")
    return 1 if bad else 0


sys.exit(main())
