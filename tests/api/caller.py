# SPDX-License-Identifier: Apache-2.0
"""An account's calls over a connection that is kept, and what many callers have met together."""
import collections
import http.client
import json
import threading

from privlinkd import v1

REGION = "cn-hangzhou"
ZONES = ("cn-hangzhou-h", "cn-hangzhou-i")
VERSIONS = {"privatelink": "2020-04-15", "vpc": "2016-04-28", "ecs": "2014-05-26", "nlb": "2022-04-30",
            "resourcemanager": "2020-03-31", "privlink": "2026-11-01"}


class Refused(Exception):
    """An answer that says no: an answer all the same."""


class Gone(Exception):
    """No answer: privlinkd was killed."""


class Client:
    """An account's calls over one connection that is kept."""

    def __init__(self, daemon, key, seen):
        self.daemon, self.key, self.seen = daemon, key, seen
        self.connection = None

    def call(self, product, action, **parameters):
        parameters = {"RegionId": REGION, **{k: str(v) for k, v in parameters.items()}}
        body = v1(self.key, action, parameters, version=VERSIONS[product]).partition(b"\r\n\r\n")[2]
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=60)
            self.connection.request("POST", "/", body, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = self.connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection = None
            raise Gone from error
        told = json.loads(text)
        self.seen.count(product, action, status, told.get("Code"))
        if status != 200:
            raise Refused(told["Code"])
        return told

    def pages(self, action, list_name, **parameters):
        found, token = [], ""
        while True:
            answer = self.call("privatelink", action, **parameters, **({"NextToken": token} if token else {}))
            found += answer[list_name]
            token = answer.get("NextToken")
            if not token:
                return found


class Seen:
    """What all workers have met."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged, self.refused = collections.Counter(), collections.Counter()
        self.broken, self.ids, self.twice = [], set(), []

    def count(self, product, action, status, code):
        with self.lock:
            if status == 200 and product == "privatelink":
                self.acknowledged[action] += 1
            elif status >= 500:
                self.broken.append((action, status, code))
            elif status != 200:
                self.refused[code] += 1

    def new_id(self, name):
        with self.lock:
            if name in self.ids:
                self.twice.append(name)
            self.ids.add(name)
