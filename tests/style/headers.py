#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every prototype in a header of src stands below a comment that says what it is: directly, or in a group that has one."""
import os
import re
import sys
from pathlib import Path

root = Path(os.environ["PRIVLINK_SOURCE_ROOT"])
prototype = re.compile(r"(?!static |typedef |#|extern |return )[a-z][\w *]*?\**(\w+)\(")


def bare(path):
    """Prototypes before which an empty line stands nearer than a comment."""
    is_covered = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            is_covered = False
        elif line.lstrip().startswith(("/*", "* ", "*/")):
            is_covered = True
        else:
            found = prototype.match(line)
            if found and not is_covered and "/*" not in line:
                yield f"{path.name}:{number}: {found.group(1)}() has no comment"


def main():
    headers = sorted((root / "src").rglob("*.h"))
    if len(headers) < 50:
        print(f"Bail out! only {len(headers)} headers were found")
        return 1
    bad = 0
    for n, path in enumerate(headers, 1):
        said = list(bare(path))
        bad += bool(said)
        print(f"{'not ok' if said else 'ok'} {n} - {path.relative_to(root)} says what its functions do")
        for line in said:
            print(f"# {line}")
    print(f"1..{len(headers)}")
    return 1 if bad else 0


sys.exit(main())
