#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What ./check makes of tests that end in odd ways: scripts/tap-total and tests/kernel/repeat-tap on logs made here."""
import json
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ["PRIVLINK_SOURCE_ROOT"]
TOTAL = os.path.join(SOURCE, "scripts/tap-total")
REPEAT = os.path.join(SOURCE, "tests/kernel/repeat-tap")
GOOD = {"name": "good", "result": "OK", "stdout": "ok 1 - a\nok 2 - b\n1..2\n"}

# What is odd, meson's result, the program's output, the totals, and what is said of it.
PROGRAMS = [
    ("all cases pass", "OK", "ok 1 - a\nok 2 - b\n1..2\n", "2 passed, 0 failed, 0 skipped", ""),
    ("the plan comes first", "OK", "TAP version 13\n1..1\nok 1 - a\n", "1 passed, 0 failed, 0 skipped", ""),
    ("a case fails", "ERROR", "ok 1 - a\nnot ok 2 - b\n1..2\n", "1 passed, 1 failed, 0 skipped", "failed: odd: b"),
    ("a case is skipped", "OK", "ok 1 - a\nok 2 - b # SKIP no root\n1..2\n", "1 passed, 0 failed, 1 skipped",
     "skipped: odd: b (no root)"),
    ("a case fails and says that this was to be expected", "EXPECTEDFAIL", "not ok 1 - a # TODO later\n1..1\n",
     "0 passed, 1 failed, 0 skipped", "failed: odd: a"),
    ("a case is skipped in small letters", "OK", "ok 1 - a\nok 2 - b # skip no root\n1..2\n",
     "1 passed, 0 failed, 1 skipped", "skipped: odd: b (no root)"),
    ("it skips itself", "SKIP", "1..0 # SKIP no root\n", "0 passed, 0 failed, 1 skipped",
     "skipped: odd: all of it (no root)"),
    ("it crashes", "ERROR", "ok 1 - a\n", "1 passed, 1 failed, 0 skipped", "failed: odd: ended with ERROR"),
    ("it crashes at once", "ERROR", "", "0 passed, 1 failed, 0 skipped", "failed: odd: ended with ERROR"),
    ("it gives up", "ERROR", "ok 1 - a\nBail out! no kernel\n# --- a log\n", "1 passed, 1 failed, 0 skipped",
     "failed: odd: ended with ERROR (no kernel)"),
    ("it runs out of time", "TIMEOUT", "ok 1 - a\n", "1 passed, 1 failed, 0 skipped", "failed: odd: ended with TIMEOUT"),
    ("it stops before its plan is fulfilled", "ERROR", "1..3\nok 1 - a\n", "1 passed, 1 failed, 0 skipped",
     "failed: odd: ended with ERROR"),
    ("it plans and runs nothing", "SKIP", "1..3\n", "0 passed, 1 failed, 0 skipped", "failed: odd: printed no case"),
    ("it prints nothing", "SKIP", "", "0 passed, 1 failed, 0 skipped", "failed: odd: printed no case"),
    ("it stops early without a plan", "OK", "ok 1 - a\n", "1 passed, 1 failed, 0 skipped",
     "failed: odd: printed no plan"),
    ("a nested list is not counted", "OK", "    ok 1 - inner\n    1..1\nok 1 - a\n1..1\n",
     "1 passed, 0 failed, 0 skipped", ""),
]

count = bad = 0


def ok(passed, name, output=""):
    global count, bad
    count += 1
    bad += not passed
    print(f"{'ok' if passed else 'not ok'} {count} - {name}")
    if not passed:
        print("".join(f"# {line}\n" for line in output.splitlines()), end="")


def write(path, entries):
    with open(path, "w", encoding="utf-8") as log:
        log.writelines(json.dumps(entry) + "\n" for entry in entries)


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def test_programs(path):
    for name, result, stdout, totals, said in PROGRAMS:
        failed = not totals.split(", ")[1].startswith("0")
        write(path, [{"name": "odd", "result": result, "stdout": stdout}])
        status, output = run(TOTAL, f"{int(failed)}:{path}")
        nothing = totals.startswith("0")
        ok(output.splitlines()[-1] == totals and said in output and status == int(failed or nothing),
           f"{name}: {totals}", output)
        status, output = run(REPEAT, str(int(failed)), path, "6.1")
        ok(status == int(failed) and ("\nnot ok" in "\n" + output) == failed, f"{name}: repeated as it is", output)


def test_logs(path):
    write(path, [GOOD])
    status, output = run(TOTAL, f"0:{path}", f"0:{path}")
    ok(status == 0 and output == "4 passed, 0 failed, 0 skipped\n", "logs add up", output)
    status, output = run(TOTAL, f"2:{path}")
    ok(status == 1 and "meson ended with 2" in output, "meson says that something failed and the log has nothing", output)
    status, output = run(REPEAT, "2", path, "6.1")
    ok(status == 1 and "not ok 3" in output and output.endswith("1..3\n"), "also when it is repeated", output)
    status, output = run(TOTAL, f"0:{path}", f"0:{path}.none")
    ok(status == 1 and output.endswith("\n2 passed, 1 failed, 0 skipped\n"), "a log that is missing is a failure", output)
    write(path, [])
    status, output = run(TOTAL, f"0:{path}")
    ok(status == 1 and "no test ran" in output, "an empty one, too", output)
    status, output = run(TOTAL)
    ok(status == 1 and output == "0 passed, 0 failed, 0 skipped\n", "and so is no log at all", output)


def main():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "log.json")
        test_programs(path)
        test_logs(path)
    print(f"1..{count}")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
