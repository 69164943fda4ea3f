#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""doc/architecture.md says where things are decided: each file is there, and has the word that one is told to look for."""
import os
import re
import sys
from pathlib import Path

root = Path(os.environ["PRIVLINK_SOURCE_ROOT"])
row = re.compile(r"^\| (?P<what>[^|]+) \| `(?P<file>[^`]+)` \| `(?P<word>[^`]+)` \|$")


def section(text, title):
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def main():
    lines = section((root / "doc/architecture.md").read_text(), "Where is decided …").splitlines()
    rows = [m for m in map(row.match, lines) if m]
    bad = 0
    for n, m in enumerate(rows, 1):
        path = root / m["file"]
        found = path.is_file() and m["word"] in path.read_text()
        bad += not found
        print(f"{'ok' if found else 'not ok'} {n} - {m['what']}: {m['word']} in {m['file']}")
    if len(rows) < 20:
        print(f"Bail out! {len(rows)} lines were understood")
        return 1
    print(f"1..{len(rows)}")
    return 1 if bad else 0


sys.exit(main())
