#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A key's secret is kept in one place: a repeated call with its ClientToken gets it from there, and not from the answer
that was kept.

BUILD is the build directory.
"""
import os
import shutil
import sqlite3
import sys
import tempfile

from privlinkd import Daemon, done, is_equal, ok


def rows_with(daemon, text):
    """The kinds of the rows in the database that hold the text. (Looked at in a copy, as a thief would.)"""
    with tempfile.TemporaryDirectory() as directory:
        for name in os.listdir(os.path.join(daemon.state, "store")):
            shutil.copy(os.path.join(daemon.state, "store", name), directory)
        database = sqlite3.connect(os.path.join(directory, "privlink.db"))
        found = []
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f"SELECT * FROM {table}"):
                values = [v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in row]
                if any(text in v for v in values):
                    found.append(next((v.split("/")[0] for v in values if "/" in v), table))
        database.close()
        return found


def main():
    daemon = Daemon()
    try:
        daemon.start()
        uid = daemon.call("CreateAccount", AccountName="someone")[1]["AccountId"]
        parameters = {"AccountId": str(uid), "ClientToken": "once"}
        status, first = daemon.call("CreateAccessKey", **parameters)
        is_equal(status, 200, "a key is made with a ClientToken")
        is_equal(rows_with(daemon, first["AccessKeyId"]), ["access_key", "token"], "the key and the token are on disk")
        is_equal(rows_with(daemon, first["AccessKeySecret"]), ["access_key"], "the secret is in the key's row alone")
        same = ("AccessKeyId", "AccessKeySecret", "AccountId", "CreateTime")
        for when in "at once", "after a restart":
            again = daemon.call("CreateAccessKey", **parameters)[1]
            is_equal([again.get(m) for m in same], [first[m] for m in same], f"the repeated call gets the first answer, {when}")
            daemon.restart()
        keys = daemon.call("ListAccessKeys", AccountId=str(uid))[1]["AccessKeys"]
        is_equal(len(keys), 1, "and makes no second key")
        daemon.call("DeleteAccessKey", AccessKeyId=first["AccessKeyId"])
        status, answer = daemon.call("CreateAccessKey", **parameters)
        is_equal(answer.get("Code"), "AccessKeyNotFound", "once the key is deleted the repeated call says so")
        ok(first["AccessKeySecret"] not in str(answer), "and shows no secret")
        is_equal(rows_with(daemon, first["AccessKeySecret"]), [], "the secret is in no row then")
    finally:
        daemon.remove()
    return done()


sys.exit(main())
