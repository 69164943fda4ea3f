# SPDX-License-Identifier: Apache-2.0
"""Reads meson's JSON test logs as lists of cases.

Every TAP line is a case, since one program is many. What meson lets pass is a failed case here: a program that printed
no case at all (meson takes it for skipped, even if it promised some), and one that printed no plan, which may have
stopped anywhere. So is a program that ended badly without a failed case of its own (it crashed, ran out of time,
stopped before its plan was fulfilled). A failed case stays one, whatever is announced behind it: nothing here is
expected to fail."""
import json
import re
from typing import NamedTuple

CASE = re.compile(r"^(not )?ok\b(?:\s+\d+)?\s*(?:-\s*)?([^#]*)(?:#\s*(SKIP)\b\s*(.*))?", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*SKIP\b\s*(.*))?", re.IGNORECASE)
BAIL = re.compile(r"^Bail out!\s*(.*)", re.IGNORECASE)
GOOD_ENDINGS = ("OK", "SKIP")
LAST_WORDS = 20 # lines


class Case(NamedTuple):
    ok: bool
    name: str
    skipped: bool = False
    reason: str = ""

    def __str__(self):
        return f"{self.name} ({self.reason})" if self.reason else self.name


def case_of(match):
    bad, name, directive, reason = match.groups()
    return Case(not bad, name.strip(), bool(directive), reason or "")


def last_words(entry):
    """What a program said last: why it gave up, if it says so, else the end of both outputs."""
    lines = entry.get("stdout", "").splitlines()
    given_up = [match[1] for match in map(BAIL.match, lines) if match]
    return given_up or (lines + entry.get("stderr", "").splitlines())[-LAST_WORDS:]


def cases_of(entry):
    """The cases of one program: `entry` is one line of the log."""
    lines = entry.get("stdout", "").splitlines()
    plan = next(filter(None, map(PLAN.match, lines)), None)
    cases = [case_of(match) for match in map(CASE.match, lines) if match]
    if not cases and plan and plan[2] is not None and entry["result"] == "SKIP":
        return [Case(True, "all of it", True, plan[2])]
    if all(case.ok for case in cases):
        if entry["result"] not in GOOD_ENDINGS:
            words = " | ".join(last_words(entry))
            cases.append(Case(False, f"ended with {entry['result']}", reason=words))
        elif not cases or not plan:
            cases.append(Case(False, "printed no plan" if cases else "printed no case"))
    return cases


def programs_of(path):
    """The programs that the log has: their entries."""
    with open(path, encoding="utf-8") as log:
        return [json.loads(line) for line in log]
