#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the build makes of the console's sources: the same bytes each time, a list of all that they were made from, and an error
that names it where a text is missing.

    console_build.py SOURCE ESBUILD NODE MODULES MADE
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

source, (esbuild, node, modules, built) = Path(sys.argv[1]), sys.argv[2:]
count = bad = 0


def ok(passed, name, *notes):
    global count, bad
    count += 1
    bad += not passed
    print(f"{'ok' if passed else 'not ok'} {count} - {name}")
    for line in [] if passed else "\n".join(map(str, notes)).splitlines():
        print(f"# {line}")


def make(place, console, out="files.c"):
    done = subprocess.run([source / "scripts/console.py", "--out", place / out, "--depfile", place / f"{out}.d",
                           "--esbuild", esbuild, "--node", node, "--modules", modules, "--made", built, console],
                          stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr


def test_same(place, console):
    status, said = make(place, console)
    ok(status == 0, "the console is built", said)
    made = (place / "files.c").read_bytes()
    (place / "elsewhere").mkdir()
    shutil.copytree(console, place / "elsewhere/console")
    make(place, place / "elsewhere/console", "again.c")
    ok((place / "again.c").read_bytes() == made, "another time, in another place, it is the same to a byte")
    ok(str(place).encode() not in made and modules.encode() not in made, "and says nothing of where it was built")
    ok(b"License" in made and b"Facebook" in made, "the licences of what it is made of are in it")


def test_depends(place, console):
    """What the build looks at again when it has changed."""
    said = (place / "files.c.d").read_text().split(": ", 1)[1].split()
    for name in "main.tsx", "style.css", "index.html", "icon.svg", "text/en.ts", "text/zh.ts":
        ok(str(console / name) in said, f"{name} is known to be a part")
    ok([p for p in said if "/react-dom/" in p], "so are the files of the packages")
    ok([p for p in said if not Path(p).is_file()] == [], "and all that are named are there", said)


def test_texts(place, console):
    cases = {
        "a text that is missing": ("", r"console/text/zh\.ts: \S+ is missing"),
        "an empty one": ('\\1""', r"console/text/zh\.ts: \S+ is empty"),
        "one of another kind": (r"\1() => \2", r"console/text/zh\.ts: \S+ is a function and should be a string"),
        "one that nobody asks for": (r"\1\2,\n\tnobody_asks: \2", r"console/text/zh\.ts: \S*nobody_asks is not wanted"),
    }
    zh = console / "text/zh.ts"
    text = zh.read_text()
    for name, (instead, pattern) in cases.items():
        changed, n = re.subn(r'^(\t+\w+: )("[^"\n]*")(?=,$)', instead, text, count=1, flags=re.M)
        zh.write_text(changed if instead else re.sub(r"^,\n", "", changed, count=1, flags=re.M))
        status, said = make(place, console, "broken.c")
        ok(n == 1 and status != 0 and re.search(pattern, said), f"{name} fails the build, and the error names it", status, said)
        ok(not (place / "broken.c").exists(), "and nothing is made")
    zh.write_text(text)


def main():
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve()
        console = place / "console"
        shutil.copytree(source / "console", console)
        test_same(place, console)
        test_depends(place, console)
        test_texts(place, console)
    print(f"1..{count}")
    return 1 if bad else 0


sys.exit(main())
