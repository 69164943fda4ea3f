#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A machine behind a tap device: writes and reads Ethernet frames itself.

  tap_machine.py DEVICE ADDRESS MAC GATEWAY ENI PORT

Asks for the gateway's MAC, pings the ENI, sends a datagram to its port, and checks each answer, its checksums included.
"""
import fcntl
import os
import select
import socket
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
PATIENCE_S = 10 if os.environ.get("PRIVLINK_KERNEL_LAYER") else 3  # an emulated machine is slow


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Machine:
    def __init__(self, device, address, mac):
        self.tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
        self.address, self.mac = socket.inet_aton(address), bytes.fromhex(mac.replace(":", ""))
        self.gateway_mac = None

    def read(self, wanted, seconds=PATIENCE_S):
        """The first frame for which wanted(frame) gives something; that, or None."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.tap], [], [], left)[0]:
                break
            found = wanted(os.read(self.tap, 65536))
            if found:
                return found
        return None

    def arp(self, target):
        """Asks as often as any machine does: until a moment after it was opened the device has no carrier."""
        request = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + self.mac + self.address + b"\0" * 6 + socket.inet_aton(target)

        def reply(frame):
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2" and frame[28:32] == socket.inet_aton(target):
                return frame[22:28]
            return None

        for _ in range(4 * PATIENCE_S):
            os.write(self.tap, b"\xff" * 6 + self.mac + b"\x08\x06" + request)
            mac = self.read(reply, 0.25)
            if mac:
                return mac
        raise SystemExit("no answer to ARP")

    def send(self, protocol, target, payload):
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0, self.address,
                             socket.inet_aton(target))
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        os.write(self.tap, self.gateway_mac + self.mac + b"\x08\x00" + header + payload)

    def receive(self, protocol, source):
        def packet(frame):
            ip = frame[14:]
            if frame[12:14] != b"\x08\x00" or ip[9] != protocol or ip[12:16] != socket.inet_aton(source):
                return None
            if frame[:6] != self.mac or checksum(ip[:20]) != 0:
                raise SystemExit(f"a damaged packet: {frame.hex()}")
            return ip[20 : int.from_bytes(ip[2:4], "big")]

        found = self.read(packet)
        if found is None:
            raise SystemExit("no answer")
        return found

    def ping(self, target):
        echo = struct.pack("!BBHHH", 8, 0, 0, 77, 1) + b"a machine behind a tap"
        echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
        self.send(1, target, echo)
        answer = self.receive(1, target)
        assert answer[0] == 0 and checksum(answer) == 0 and answer[4:] == echo[4:], answer.hex()

    def datagram(self, target, port, data):
        udp = struct.pack("!HHHH", 4000, port, 8 + len(data), 0) + data
        pseudo = self.address + socket.inet_aton(target) + struct.pack("!BBH", 0, 17, len(udp))
        udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp) or 0xFFFF) + udp[8:]
        self.send(17, target, udp)
        answer = self.receive(17, target)
        pseudo = socket.inet_aton(target) + self.address + struct.pack("!BBH", 0, 17, len(answer))
        partial = answer[6:8] != b"\0\0" and checksum(pseudo + answer) not in (0, 0xFFFF)
        assert not partial, "checksum of the answer: " + answer.hex()
        assert struct.unpack("!HH", answer[:4]) == (port, 4000), answer.hex()
        return answer[8:]


def main(device, address, mac, gateway, eni, port):
    machine = Machine(device, address, mac)
    machine.gateway_mac = machine.arp(gateway)
    assert machine.arp(eni) == machine.gateway_mac, "one MAC answers for all"
    machine.ping(eni)
    answer = machine.datagram(eni, int(port), b"hello")
    assert answer.startswith(b"served ") and answer.endswith(b"hello"), answer
    print("ok", answer)


main(*sys.argv[1:])
