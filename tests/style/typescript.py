#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The types of the console's sources agree, as console/tsconfig.json wants them."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(os.environ["PRIVLINK_SOURCE_ROOT"])


def check(project):
    done = subprocess.run(["tsc", "--project", str(project), "--pretty", "false"], cwd=root, stdout=subprocess.PIPE, text=True)
    return done.returncode, done.stdout.splitlines()


def check_broken():
    """A text that Chinese lacks, and a word that is not of a type, as they would be found."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "tsconfig.json").write_text(f'{{"extends": "{root}/console/tsconfig.json", "include": ["*.ts"]}}')
        (place / "texts.ts").write_text(f'import {{zh}} from "{root}/console/text/zh"\n'
                                        'export const broken: typeof zh = {}\nexport const number: number = "one"\n')
        return [re.sub(r".*error (TS\d+).*", r"\1", line) for line in check(place)[1] if "error" in line]


def main():
    status, said = check("console")
    print(f"{'not ok' if status else 'ok'} 1 - the console's types agree")
    for line in said:
        print(f"# {line}")
    found = check_broken()
    is_found = len(found) == 2 and found[0] in ("TS2739", "TS2740", "TS2741") and found[1] == "TS2322"
    print(f"{'ok' if is_found else 'not ok'} 2 - what is missing or wrong would be found")
    if not is_found:
        print(f"# {found}")
    print("1..2")
    return 1 if status or not is_found else 0


sys.exit(main())
