#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""privlinkd killed -9 under load, and while it starts, again and again: it never takes what it finds for damage, and has
all that was acknowledged."""

import os
import random
import threading
import time

from world import Home, run

CLIENTS = 4
ROUNDS = 25


class Client(threading.Thread):
    """Renames its VPC as long as it is answered. `acknowledged` is the last number that was."""

    def __init__(self, home, vpc, number, key):
        super().__init__()
        self.home, self.vpc, self.number, self.key = home, vpc, number, key
        self.acknowledged = number

    def run(self):
        while True:
            self.number += 1
            if self.home.call("vpc", "ModifyVpcAttribute", f"VpcId={self.vpc}", f"VpcName=n{self.number}",
                              key=self.key) is None:
                return
            self.acknowledged = self.number


def number_of(home, vpc, key):
    answer = home.call("vpc", "DescribeVpcAttribute", f"VpcId={vpc}", key=key)
    return int(answer["VpcName"][1:]) if answer else -1


def under_load(tap):
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    chance = random.Random(seed)
    print(f"# SEED={seed}", flush=True)
    home = Home("killed")
    home.start()
    key = home.key()
    vpcs = [home.make_vpc() for _ in range(CLIENTS)]
    for vpc in vpcs:
        home.call("vpc", "ModifyVpcAttribute", f"VpcId={vpc}", "VpcName=n0")
    numbers = dict.fromkeys(vpcs, 0)
    alarms, lost, total = [], [], 0
    for _ in range(ROUNDS):
        clients = [Client(home, vpc, numbers[vpc], key) for vpc in vpcs]
        for client in clients:
            client.start()
        time.sleep(chance.uniform(0.02, 0.6))
        home.kill()
        for client in clients:
            client.join()
        for _ in range(chance.randrange(3)):  # starts that are cut off, too
            home.process = None
            home.start_only()
            time.sleep(chance.uniform(0, 0.03))
            home.kill()
        if home.start() is not None:
            alarms.append(home.log())
            break
        for client in clients:
            found = number_of(home, client.vpc, key)
            if found < client.acknowledged:
                lost.append((client.vpc, client.acknowledged, found))
            total += client.acknowledged - numbers[client.vpc]
            numbers[client.vpc] = found
    tap.ok(not alarms, f"none of {ROUNDS} kills under load is taken for damage", *alarms)
    tap.ok(not lost and total > 0, f"each of {total} acknowledged changes is there", lost)


def first_starts(tap):
    """A store that was never finished is no store that is missing."""
    alarms = []
    for i in range(30):
        home = Home("first")
        for delay in (i * 0.001, 0.004, 0.008):
            home.start_only()
            time.sleep(delay)
            home.kill()
        status = home.start()
        if status is not None or home.vpcs() != {}:
            alarms.append((i, status, home.log()))
        home.forget()
    tap.ok(not alarms, "30 first starts that were cut off three times each end in a store with an administrator", *alarms)


run([under_load, first_starts])
