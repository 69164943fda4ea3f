#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a node's own IP stack hears of its instances, and what instances hear of the node.

  stack.py hear                              prints the source of each echo request that the stack of this network
                                             namespace takes in, a line each
  stack.py frames DEVICE                     prints the source MAC of each frame that arrives there, a line each
  stack.py echo DEVICE MAC SOURCE DESTINATION N   sends N echo requests in frames to that MAC
  stack.py say DEVICE TYPE N                 sends N broadcast frames of that ethertype, as a daemon of the node might
"""
import contextlib
import socket
import struct
import sys

ETH_P_ALL = 3
ETH_P_IP = 0x0800


def hear():
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    print("listening", flush=True)
    while True:
        data, (source, _) = s.recvfrom(2048)
        if data[(data[0] & 15) * 4] == 8:
            print(source, flush=True)


def frames(device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.bind((device, ETH_P_ALL))
    print("listening", flush=True)
    while True:
        data, address = s.recvfrom(2048)
        if address[2] != socket.PACKET_OUTGOING:
            print(data[6:12].hex(":"), flush=True)


def checksum(data):
    words = sum(struct.unpack(f"!{len(data) // 2}H", data))
    words = (words & 0xFFFF) + (words >> 16)
    return ~(words + (words >> 16)) & 0xFFFF


def echo(device, mac, source, destination, count):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.bind((device, 0))
    own = s.getsockname()[4]
    for i in range(int(count)):
        icmp = struct.pack("!BBHHH", 8, 0, 0, 7, i) + bytes(16)
        icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), i, 0, 64, 1, 0)
        ip += socket.inet_aton(source) + socket.inet_aton(destination)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        s.send(bytes.fromhex(mac.replace(":", "")) + own + struct.pack("!H", ETH_P_IP) + ip + icmp)


def say(device, ethertype, count):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.bind((device, 0))
    own = s.getsockname()[4]
    for _ in range(int(count)):
        with contextlib.suppress(OSError):  # whoever sends into a qdisc that drops is told
            s.send(b"\xff" * 6 + own + struct.pack("!H", int(ethertype, 16)) + bytes(46))


COMMANDS = {"hear": hear, "frames": frames, "echo": echo, "say": say}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
