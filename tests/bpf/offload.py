#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Offload metadata from hostile and from honest senders, on real devices and without daemons: packets whose checksum is
still to be made, and packets that are still to be cut into segments. A container sets it by a packet socket with
PACKET_VNET_HDR, a virtual machine by the virtio header on its tap.

    a 10.0.0.10 (VPC 10)   a2 10.0.0.11 (VPC 10)   s1 10.0.0.10, s2 10.0.0.11 (VPC 40, servers on 8443)   z: VPC 0
          │ veth                 │ tap                │ tap                │ veth                          │ veth
        pl10                   pl11                 pl18                 pl19                             pl0
    ──────────────────────────────── n: wire_node ──────────────────────────────────────────────────────────

The ENI is 10.0.0.100 in VPC 10: TCP 443, UDP 500. What comes out of a tap without a virtio header is a frame as on a
wire: the kernel has written the checksum and cut the segments.

Usage: offload.py WIRE_NODE
"""
import contextlib
import ctypes
import fcntl
import hashlib
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

WIRE_NODE = sys.argv[1]
ID = f"off{os.getpid()}"
PATIENCE = 10 if os.environ.get("PRIVLINK_KERNEL_LAYER") else 1  # an emulated machine is slow

CLONE_NEWNET = 0x40000000
TUNSETIFF, TUNSETOFFLOAD, TUNSETVNETHDRSZ = 0x400454CA, 0x400454D0, 0x400454D8
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO_ECN = 1, 2, 8
SOL_PACKET, PACKET_VNET_HDR, SO_MARK = 263, 15, 36
VIRTIO_NEEDS_CSUM, GSO_NONE, GSO_TCPV4, GSO_UDP, GSO_UDP_L4 = 1, 0, 1, 3, 5
TCP, UDP, ICMP = 6, 17, 1
SYN, ACK = 0x02, 0x10
L4 = 34  # where the L4 header stands in a frame
CHECK = {TCP: 16, UDP: 6, ICMP: 2}

GATEWAY_MAC = bytes.fromhex("eefffffffffe")
ADDRESSES = {0: "198.18.0.1", 16: "10.0.0.10", 17: "10.0.0.11", 24: "10.0.0.10", 25: "10.0.0.11"}
ENI, SERVER_PORT = "10.0.0.100", 8443

libc = ctypes.CDLL(None, use_errno=True)
count = bad = 0


def ok(passed, name):
    global count, bad
    count += 1
    bad += not passed
    print(f"{'ok' if passed else 'not ok'} {count} - {name}", flush=True)
    return passed


def note(text):
    print(f"# {text}", flush=True)


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options).stdout


@contextlib.contextmanager
def inside(name):
    """The calling thread in another network namespace."""
    with open("/proc/thread-self/ns/net", encoding="ascii") as own, open(f"/run/netns/{ID}-{name}", encoding="ascii") as other:
        if libc.setns(other.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            libc.setns(own.fileno(), CLONE_NEWNET)


# --- packets


def mac(slot):
    return bytes.fromhex(f"00163e0010{slot:02x}")


def add(*numbers):
    """The one's-complement sum of 16-bit words."""
    total = sum(numbers)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def sum16(data):
    return add(*struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))


def difference(old, new):
    """What the sum of `old` grows by when it becomes `new`."""
    return add(0xFFFF - sum16(old), sum16(new))


def pseudo_sum(source, target, protocol, size):
    return add(sum16(socket.inet_aton(source)), sum16(socket.inet_aton(target)), protocol, size)


def ip_frame(slot, target, protocol, l4):
    """A frame to the gateway, from a slot's own MAC and address."""
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4), 1, 0x4000, 64, protocol, 0)
    ip += socket.inet_aton(ADDRESSES[slot]) + socket.inet_aton(target)
    ip = ip[:10] + struct.pack("!H", 0xFFFF - sum16(ip)) + ip[12:]
    return GATEWAY_MAC + mac(slot) + b"\x08\0" + ip + l4


def without_length(frame):
    """As the kernel writes more than 64 KB."""
    ip = frame[14:16] + b"\0\0" + frame[18:24] + b"\0\0" + frame[26:34]
    return frame[:14] + ip[:10] + struct.pack("!H", 0xFFFF - sum16(ip)) + ip[12:] + frame[34:]


def packet(slot, target, protocol, ports, payload=b"", flags=SYN, partial=False):
    """With its whole checksum, or with the pseudo header's alone."""
    if protocol == TCP:
        l4 = struct.pack("!HHIIBBHHH", *ports, 1, 1, 0x50, flags, 0xFFFF, 0, 0) + payload
    elif protocol == UDP:
        l4 = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
    else:
        l4 = struct.pack("!BBHHH", 8, 0, 0, ports[0], 1) + payload
    at = CHECK[protocol]
    total = 0 if protocol == ICMP else pseudo_sum(ADDRESSES[slot], target, protocol, len(l4))
    check = total if partial else (0xFFFF - add(total, sum16(l4))) or 0xFFFF
    return ip_frame(slot, target, protocol, l4[:at] + struct.pack("!H", check) + l4[at + 2 :])


def arp_request(slot, target):
    return (b"\xff" * 6 + mac(slot) + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac(slot)
            + socket.inet_aton(ADDRESSES[slot]) + b"\0" * 6 + socket.inet_aton(target))


def virtio(start=None, offset=0, gso=GSO_NONE, size=0, header=0):
    flags = 0 if start is None else VIRTIO_NEEDS_CSUM
    return struct.pack("=BBHHHH", flags, gso, header, size, start or 0, offset)


def is_sealed(frame):
    """Whether the checksums of a frame are true."""
    ip = frame[14:]
    size = int.from_bytes(ip[2:4], "big")
    protocol, l4 = ip[9], ip[20:size]
    if sum16(ip[:20]) != 0xFFFF:
        return False
    if protocol == ICMP:
        return sum16(l4) == 0xFFFF
    return add(pseudo_sum(socket.inet_ntoa(ip[12:16]), socket.inet_ntoa(ip[16:20]), protocol, len(l4)), sum16(l4)) == 0xFFFF


# --- devices


class Tap:
    """What a virtual machine has in hand. Frames are read as on a wire where `bare`, else with virtio headers."""

    def __init__(self, namespace, device, bare=True, offload=0):
        flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
        with inside(namespace):
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", device.encode(), flags))
        fcntl.ioctl(self.fd, TUNSETOFFLOAD, offload)
        self.bare = bare

    def send(self, header, frame):
        os.write(self.fd, header + frame)

    def read(self, seconds=0.0):
        """A frame, or None."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return None
        data = os.read(self.fd, 1 << 17)
        return data[10:] if self.bare else data


class Wire:
    """A packet socket on eth0 of a namespace."""

    def __init__(self, namespace):
        with inside(namespace):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
            self.socket.bind(("eth0", 3))

    def send(self, header, frame):
        self.socket.send(header + frame)

    def read(self, seconds=0.0):
        """A frame that came in, or None."""
        end = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            data, address = self.socket.recvfrom(1 << 17)
            if address[2] != socket.PACKET_OUTGOING:
                return data[10:]
        return None


def drain(end):
    """What is there to be read: a packet goes all its way in the run of its sender."""
    return list(iter(end.read, None))


def wait_for(end, wanted, seconds=5):
    """The first frame for which wanted(frame) is true, or None."""
    deadline = time.monotonic() + seconds * PATIENCE
    while (left := deadline - time.monotonic()) > 0:
        frame = end.read(left)
        if frame and wanted(frame):
            return frame
    return None


def add_veth(slot, name, device):
    run("ip", "netns", "add", f"{ID}-{name}")
    run("ip", "-n", f"{ID}-n", "link", "add", device, "address", "ee:ff:ff:ff:ff:fe", "type", "veth", "peer", "name", "eth0",
        "address", mac(slot).hex(":"), "netns", f"{ID}-{name}")
    quiet("n", device)
    quiet(name, "eth0")
    run("ip", "-n", f"{ID}-n", "link", "set", device, "up")
    bring_up(slot, name)


def bring_up(slot, name):
    run("ip", "-n", f"{ID}-{name}", "link", "set", "lo", "up")
    run("ip", "-n", f"{ID}-{name}", "addr", "add", f"{ADDRESSES[slot]}/24", "dev", "eth0")
    run("ip", "-n", f"{ID}-{name}", "link", "set", "eth0", "up")
    if slot:
        run("ip", "-n", f"{ID}-{name}", "route", "add", "default", "via", "10.0.0.253")


def quiet(name, device):
    """No IPv6 chatter; not every kernel has it."""
    subprocess.run(["ip", "-n", f"{ID}-{name}", "link", "set", device, "addrgenmode", "none"], stderr=subprocess.DEVNULL, check=False)


def add_tap(device, **options):
    tap = Tap("n", device, **options)
    run("ip", "-n", f"{ID}-n", "link", "set", device, "address", "ee:ff:ff:ff:ff:fe")
    quiet("n", device)
    run("ip", "-n", f"{ID}-n", "link", "set", device, "up")
    return tap


class Node:
    def __init__(self, mode):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", f"{ID}-n", WIRE_NODE, mode, "0=pl0", "16=pl10", "17=pl11:tap", "24=pl18:tap", "25=pl19"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            sys.exit("Bail out! the node is not ready")

    def count(self, reason):
        self.process.stdin.write(reason + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


# --- what the test does


class Lab:
    """The senders and receivers of one mode of the program."""

    def __init__(self, mode, ends):
        self.mode, self.node, self.ends = mode, Node(mode), ends
        self.port = 5000

    def fresh_port(self):
        self.port += 1
        return self.port

    def settle(self):
        for end in self.ends.values():
            drain(end)

    def refused(self, reason, sender, header, frame, name):
        """The packet is counted under the reason, and nobody gets anything."""
        self.settle()
        before = self.node.count(reason)
        try:
            self.ends[sender].send(header, frame)
        except OSError as error:
            return ok(True, f"{name} ({self.mode}): the kernel itself says: {error.strerror}")
        deadline = time.monotonic() + 2 * PATIENCE
        while self.node.count(reason) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        got = [frame for end in self.ends.values() for frame in drain(end)]
        passed = self.node.count(reason) == before + 1 and not got
        ok(passed, f"{name} ({self.mode}): {reason}")
        if not passed:
            note(f"counted {self.node.count(reason) - before} times; received: {[frame.hex() for frame in got]}")
        return passed

    def to_server(self, server, sender, protocol, flags=SYN):
        """Opens a flow that one server gets, with an honest packet: the sender's port, and the packet as it arrived."""
        slot = 16 if sender == "a" else 17
        for _ in range(64):
            ports = (self.fresh_port(), 443 if protocol == TCP else 500)
            self.ends[sender].send(virtio(), packet(slot, ENI, protocol, ports, b"hello", flags))
            arrived = wait_for(self.ends[server], lambda f: f[12:14] == b"\x08\0" and f[23] == protocol, 0.3)
            if arrived:
                return ports, arrived
        sys.exit(f"Bail out! no {sender} reaches {server}")


def steered(lab):
    """The exploit: the checksum is to be written over the last half of the source address, and a word behind the packet
    makes it what the sender wants."""
    ports, arrived = lab.to_server("s1", "a", TCP)
    ok(arrived[26:29] == b"\x64\x40\x00" and is_sealed(arrived), f"the server behind the tap sees a translated source ({lab.mode})")
    frame = packet(16, ENI, TCP, ports, b"evil", ACK, partial=True)
    words = frame[26:34] + frame[34:38]  # addresses, ports
    after = arrived[26:34] + arrived[34:38]
    check = difference(frame[26:34], arrived[26:34])  # that the translation adds to the pseudo header's sum
    total = add(sum16(frame[28:]), check, difference(words[2:], after[2:]))
    forged = 0x4D4D  # 100.64.77.77: nobody's translated address, or that of another tenant's client
    padding = struct.pack("!H", add(0xFFFF - forged, 0xFFFF - total))
    lab.refused("bad_checksum_offload", "a", virtio(28, 0), frame + padding,
                "a checksum that would become the source address reaches no server")


# (start, offset) of a checksum that is none of the packet's own
# (the kernel itself refuses one before the twentieth byte)
ELSEWHERE = [(28, 0, "the source address"), (22, 0, "the protocol"), (26, 0, "the source address's first half"),
             (30, 2, "the destination address"), (L4, 0, "the source port"), (L4, 2, "the destination port")]


def hostile_checksums(lab):
    local = {"a": (16, "10.0.0.11"), "a2": (17, "10.0.0.10")}
    for sender, (slot, neighbour) in local.items():
        how = "packet socket" if sender == "a" else "virtio header"
        for target, tcp_port, udp_port, where in ((neighbour, 80, 1500, "between instances"), (ENI, 443, 500, "through an endpoint")):
            for protocol, name, port in ((TCP, "TCP", tcp_port), (UDP, "UDP", udp_port)):
                for start, offset, over in ELSEWHERE:
                    frame = packet(slot, target, protocol, (lab.fresh_port(), port), b"payload", partial=True)
                    lab.refused("bad_checksum_offload", sender, virtio(start, offset), frame + b"\x12\x34",
                                f"{name} {where}, its checksum over {over} ({how})")
            frame = packet(slot, target, ICMP, (7, 0), b"payload")
            for start, offset in ((28, 0), (L4, 2)):
                lab.refused("bad_checksum_offload", sender, virtio(start, offset), frame,
                            f"echo {where} with a checksum at {start}+{offset} ({how})")
        lab.refused("bad_checksum_offload", sender, virtio(28, 0), arp_request(slot, "10.0.0.253"), f"ARP with a checksum ({how})")
        lab.refused("bad_checksum_offload", sender, virtio(28, 0), packet(slot, "10.0.0.253", ICMP, (7, 0)),
                    f"an echo request to the gateway with a checksum ({how})")
        lab.refused("bad_checksum_offload", sender, virtio(28, 0), packet(slot, "100.100.2.136", UDP, (4000, 53), partial=True),
                    f"a DNS question, its checksum over an address ({how})")
        lab.refused("bad_checksum_offload", sender, virtio(L4, 6), packet(slot, ENI, TCP, (4000, 443), partial=True),
                    f"TCP with UDP's checksum ({how})")


def checksums_behind(lab):
    """A checksum that is to be written behind the packet's own."""
    for start, offset, over in ((L4, 18, "the urgent pointer"), (L4 + 20, 16, "the payload"), (L4 + 16, 0, "only a part")):
        frame = packet(16, ENI, TCP, (lab.fresh_port(), 443), b"p" * 60, partial=True)
        lab.refused("bad_checksum_offload", "a", virtio(start, offset), frame, f"TCP, its checksum over {over}")


def hostile_answers(lab):
    """A server behind a veth, a server behind a tap, and VPC 0."""
    for server, slot, how in (("s2", 25, "packet socket"), ("s1", 24, "virtio header")):
        for protocol, name in ((TCP, "TCP"), (UDP, "UDP")):
            ports, arrived = lab.to_server(server, "a2", protocol)
            source, port = socket.inet_ntoa(arrived[26:30]), int.from_bytes(arrived[34:36], "big")
            frame = packet(slot, source, protocol, (SERVER_PORT, port), b"answer", SYN | ACK, partial=True)
            lab.refused("bad_checksum_offload", server, virtio(28, 0), frame + b"\x12\x34",
                        f"a server's {name} answer, its checksum over its source address ({how})")
            lab.ends[server].send(virtio(L4, CHECK[protocol]), frame)
            got = wait_for(lab.ends["a2"], lambda f, p=protocol: f[12:14] == b"\x08\0" and f[23] == p)
            ok(got and got[26:30] == socket.inet_aton(ENI) and int.from_bytes(got[36:38], "big") == ports[0] and is_sealed(got),
               f"an honest {name} answer reaches the client behind the tap, with a true checksum ({how}, {lab.mode})")
    port = lab.fresh_port()
    lab.ends["a2"].send(virtio(), packet(17, "100.100.2.136", UDP, (port, 53), b"question"))
    asked = wait_for(lab.ends["z"], lambda f: f[12:14] == b"\x08\0" and f[23] == UDP)
    ok(asked and asked[26:30] == socket.inet_aton("198.18.0.17"), f"a question reaches VPC 0 ({lab.mode})")
    ADDRESSES[0] = "198.18.0.2"
    answer = packet(0, "198.18.0.17", UDP, (53, int.from_bytes(asked[34:36], "big")), b"answer", partial=True)
    lab.refused("bad_checksum_offload", "z", virtio(30, 0), answer + b"\x12\x34", "an answer from VPC 0, its checksum over an address")
    lab.ends["z"].send(virtio(L4, 6), answer)
    got = wait_for(lab.ends["a2"], lambda f: f[12:14] == b"\x08\0" and f[23] == UDP)
    ok(got and got[26:30] == socket.inet_aton("100.100.2.136") and is_sealed(got), f"an honest answer arrives ({lab.mode})")


def hostile_segments(lab):
    data = b"x" * 1000
    for sender, slot, neighbour in (("a", 16, "10.0.0.11"), ("a2", 17, "10.0.0.10")):
        how = "packet socket" if sender == "a" else "virtio header"
        for target, port, where in ((neighbour, 80, "between instances"), (ENI, 443, "through an endpoint")):
            for size in (1, 63):
                frame = packet(slot, target, TCP, (lab.fresh_port(), port), data, partial=True)
                lab.refused("bad_gso", sender, virtio(L4, 16, GSO_TCPV4, size, 54), frame,
                            f"TCP {where} in segments of {size} bytes ({how})")
        frame = packet(slot, ENI, TCP, (lab.fresh_port(), 443), b"x" * 48000, partial=True)
        lab.refused("bad_gso", sender, virtio(L4, 16, GSO_TCPV4, 1, 54), frame, f"48 KB in segments of one byte ({how})")
        frame = packet(slot, ENI, UDP, (lab.fresh_port(), 500), data, partial=True)
        lab.refused("bad_gso", sender, virtio(L4, 6, GSO_UDP_L4, 10, 42), frame, f"UDP in datagrams of ten bytes ({how})")
        if sender == "a2":  # a container's own kernel cuts such packets
            frame = packet(slot, ENI, TCP, (lab.fresh_port(), 443), b"x" * 65000, partial=True) + b"x" * 20000
            lab.refused("bad_length", sender, virtio(L4, 16, GSO_TCPV4, 64, 54), frame, f"a header that says less than will be cut ({how})")
            lab.refused("bad_gso", sender, virtio(L4, 16, GSO_TCPV4, 64, 54), without_length(frame),
                        f"more than 64 KB in the smallest segments ({how})")
        lab.refused("bad_gso", sender, virtio(L4, 6, GSO_TCPV4, 100, 42), frame, f"UDP in TCP's segments ({how})")
        lab.refused("bad_checksum_offload", sender, virtio(28, 0, GSO_TCPV4, 100, 54), frame,
                    f"segments with a checksum that is none of theirs ({how})")


def fragment(slot, whole, at, size, number):
    """A part of a datagram in a frame of its own, from a byte of it on."""
    more = 0x2000 if at + size < len(whole) - L4 else 0
    ip = whole[14:16] + struct.pack("!HHH", 20 + size, number, more | at // 8) + whole[22:24] + b"\0\0" + whole[26:L4]
    return whole[:14] + ip[:10] + struct.pack("!H", 0xFFFF - sum16(ip)) + ip[12:] + whole[L4 + at : L4 + at + size]


def put_together(fragments):
    """The datagram of fragments in their order, in a frame; None: they are not of one."""
    end, l4 = 0, b""
    for frame in fragments:
        field = int.from_bytes(frame[20:22], "big")
        if (field & 0x1FFF) * 8 != end or frame[18:20] != fragments[0][18:20] or sum16(frame[14:L4]) != 0xFFFF:
            return None
        l4 += frame[L4 : 14 + int.from_bytes(frame[16:18], "big")]
        end = len(l4)
    if not fragments or int.from_bytes(fragments[-1][20:22], "big") & 0x2000:
        return None
    ip = fragments[0][14:16] + struct.pack("!HHH", 20 + end, 0, 0) + fragments[0][22:24] + b"\0\0" + fragments[0][26:L4]
    return fragments[0][:14] + ip[:10] + struct.pack("!H", 0xFFFF - sum16(ip)) + ip[12:] + l4


def hostile_cuts(lab):
    """Datagrams that are to be cut into fragments behind the program, where nothing counts those that are lost. (A
    container's own kernel cuts its own.)"""
    for size, what in ((8, "eight bytes"), (1016, "fewer bytes than there may be"), (1028, "bytes that are none of eight")):
        frame = packet(17, ENI, UDP, (lab.fresh_port(), 500), b"x" * 20000, partial=True)
        lab.refused("bad_gso", "a2", virtio(L4, 6, GSO_UDP, size, 42), frame, f"UDP in fragments of {what}")
    frame = packet(17, ENI, UDP, (lab.fresh_port(), 500), b"x" * 65000, partial=True)
    lab.refused("bad_length", "a2", virtio(L4, 6, GSO_UDP, 1480, 42), frame + b"x" * 20000, "UDP in fragments beyond 64 KB")
    frame = packet(17, ENI, UDP, (lab.fresh_port(), 500), b"x" * 4000, partial=True)
    ip = frame[14:16] + b"\0\0" + frame[18:24] + b"\0\0" + frame[26:L4]
    frame = frame[:14] + ip[:10] + struct.pack("!H", 0xFFFF - sum16(ip)) + ip[12:] + frame[L4:]
    lab.refused("bad_length", "a2", virtio(L4, 6, GSO_UDP, 1480, 42), frame, "UDP in fragments, of no length")


def honest_cuts(lab):
    """What a machine with an old kernel sends, cut by this one at the server's tap; and not while its port owes."""
    ports, _ = lab.to_server("s1", "a2", UDP)
    header, data = virtio(L4, 6, GSO_UDP, 1480, 42), bytes(range(250)) * 16
    frame, numbers = packet(17, ENI, UDP, ports, data, partial=True), set()
    for _ in range(3):
        lab.settle()
        lab.ends["a2"].send(header, frame)
        fragments = []
        while len(fragments) < 3 and (part := wait_for(lab.ends["s1"], lambda f: f[12:14] == b"\x08\0" and f[23] == UDP)):
            fragments.append(part)
        whole = put_together(fragments)
        ok(whole and is_sealed(whole) and whole[L4 + 8 :] == data and whole[26:29] == b"\x64\x40\x00",
           f"a datagram that is to be cut arrives in three fragments ({lab.mode})")
        numbers |= {part[18:20] for part in fragments}
    ok(len(numbers) > 1, f"its identification is not the sender's, which was the same each time ({lab.mode})")
    whole = packet(17, ENI, UDP, ports, data)
    lab.ends["a2"].send(virtio(), fragment(17, whole, 0, 1480, 9))
    before = lab.node.count("fragment_share")
    for n in range(1000):  # one and the same again and again, so that nothing of it will be put together
        lab.ends["a2"].send(virtio(), fragment(17, whole, 1480, 1480, 9))
        if n % 16 == 0 and lab.node.count("fragment_share") > before:
            break
    lab.refused("fragment_share", "a2", header, frame, "while its port owes for others it is refused")


def honest_segments(lab):
    """The smallest segments that are allowed, cut by the kernel at the tap."""
    ports, arrived = lab.to_server("s1", "a", TCP)
    source, port = socket.inet_ntoa(arrived[26:30]), int.from_bytes(arrived[34:36], "big")
    lab.ends["s1"].send(virtio(), packet(24, source, TCP, (SERVER_PORT, port), flags=SYN | ACK))
    for sender, slot in (("a", 16),):
        lab.settle()
        lab.ends[sender].send(virtio(L4, 16, GSO_TCPV4, 64, 54), packet(slot, ENI, TCP, ports, b"y" * 640, ACK, partial=True))
        segments = []
        while len(segments) < 10 and (frame := wait_for(lab.ends["s1"], lambda f: f[23] == TCP)):
            segments.append(frame)
        ok(len(segments) == 10 and all(len(s) == 54 + 64 and is_sealed(s) for s in segments),
           f"segments of 64 bytes pass, each with a true checksum ({lab.mode})")


def honest_checksums(lab):
    for sender, slot, receiver, address in (("a", 16, "a2", "10.0.0.11"), ("a2", 17, "a", "10.0.0.10")):
        for protocol, name, port in ((TCP, "TCP", 80), (UDP, "UDP", 1500)):
            frame = packet(slot, address, protocol, (lab.fresh_port(), port), b"hello", partial=True)
            lab.settle()
            lab.ends[sender].send(virtio(L4, CHECK[protocol]), frame)
            got = wait_for(lab.ends[receiver], lambda f, p=protocol: f[12:14] == b"\x08\0" and f[23] == p)
            # a veth's receiver gets the checksum unmade, by design
            ok(got and got[26:34] == frame[26:34] and (receiver == "a" or is_sealed(got)),
               f"an honest {name} packet whose checksum is still to be made arrives at {receiver} ({lab.mode})")


def marked_by_the_node(lab):
    """Any program of the node that may set marks could set ours, and send it into a tap."""
    frame = mac(24) + GATEWAY_MAC + packet(16, "10.0.0.10", UDP, (4000, 53), b"from the node")[12:]
    for mark in (0x706C0000, 0x706C0001, 0x706C0000 ^ 16, 0x706C0000 ^ 24):
        with inside("n"):
            sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            sender.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
            sender.bind(("pl18", 3))
        lab.settle()
        before = lab.node.count("egress_guard")
        with contextlib.suppress(OSError):  # the socket is told of the drop
            sender.send(frame)
        ok(lab.node.count("egress_guard") == before + 1 and not drain(lab.ends["s1"]),
           f"what the node itself sends to a tap does not pass with the mark {mark:x} ({lab.mode})")
        sender.close()


class Machine(threading.Thread):
    """A virtual machine: its network stack is a namespace's, and frames go between its own tap and the node's with their
    virtio headers untouched, as a hypervisor passes them."""

    def __init__(self, name, slot, tap):
        super().__init__(daemon=True)
        run("ip", "netns", "add", f"{ID}-{name}")
        offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN
        self.own, self.tap = Tap(name, "eth0", bare=False, offload=offload), tap
        fcntl.ioctl(tap.fd, TUNSETOFFLOAD, offload)
        tap.bare = False
        run("ip", "-n", f"{ID}-{name}", "link", "set", "eth0", "address", mac(slot).hex(":"))
        quiet(name, "eth0")
        bring_up(slot, name)
        self.large = {self.own.fd: 0, tap.fd: 0}  # segmented packets that were read, by where
        self.done = False

    def run(self):
        ends = {self.own.fd: self.tap.fd, self.tap.fd: self.own.fd}
        while not self.done:
            for fd in select.select(list(ends), [], [], 0.1)[0]:
                with contextlib.suppress(BlockingIOError):
                    data = os.read(fd, 1 << 17)
                    self.large[fd] += data[1] != GSO_NONE and len(data) > 10 + 14 + 1500
                    with contextlib.suppress(OSError):
                        os.write(ends[fd], data)

    def stop(self):
        self.done = True
        self.join()
        os.close(self.own.fd)
        fcntl.ioctl(self.tap.fd, TUNSETOFFLOAD, 0)
        self.tap.bare = True


def serve(name, directory):
    server = subprocess.Popen(["ip", "netns", "exec", f"{ID}-{name}", "python3", "-m", "http.server", str(SERVER_PORT)],
                              cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20 * PATIENCE
    while time.monotonic() < deadline:
        with inside(name), contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", SERVER_PORT), 1):
            return server
        time.sleep(0.05)
    sys.exit("Bail out! no server")


def fetch(name, url, digest):
    got = subprocess.run(["ip", "netns", "exec", f"{ID}-{name}", "curl", "-s", "-m", str(60 * PATIENCE), url], check=False,
                         stdout=subprocess.PIPE).stdout
    return hashlib.sha256(got).digest() == digest


def honest_streams(lab):
    """Whole files, with all the offload that a container and a virtual machine have."""
    content = os.urandom(8_000_000 // PATIENCE)
    digest = hashlib.sha256(content).digest()
    machines = [Machine("m1", 24, lab.ends["s1"]), Machine("m2", 17, lab.ends["a2"])]
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "file"), "wb") as file:
            file.write(content)
        for machine in machines:
            machine.start()
        servers = [serve("m1", directory), serve("s2", directory)]
        before = lab.node.count("bad_gso") + lab.node.count("bad_checksum_offload")
        try:
            # each server has its turn: the port of the connection decides, and it is another one each time
            for client, what in (("a", "a container"), ("m2", "a virtual machine")):
                results = [fetch(client, f"http://{ENI}:443/file", digest) for _ in range(8)]
                ok(all(results), f"files arrive whole at {what}, from servers behind a veth and a tap ({lab.mode})")
        finally:
            for server in servers:
                server.kill()
                server.wait()
            for machine in machines:
                machine.stop()
    sent, received = machines[0].large[machines[0].own.fd], machines[1].large[machines[1].tap.fd]
    ok(sent > 20 and received > 20, f"and as packets that were still to be cut, from one tap and into the other ({lab.mode})")
    note(f"{sent} large packets sent by the machine that serves, {received} received by the one that asks")
    ok(lab.node.count("bad_gso") + lab.node.count("bad_checksum_offload") == before, f"none of them was refused ({lab.mode})")
    for name in ("m1", "m2"):
        run("ip", "netns", "del", f"{ID}-{name}")


def walk(mode, ends):
    lab = Lab(mode, ends)
    try:
        steered(lab)
        hostile_checksums(lab)
        checksums_behind(lab)
        hostile_answers(lab)
        hostile_segments(lab)
        hostile_cuts(lab)
        marked_by_the_node(lab)
        honest_checksums(lab)
        honest_segments(lab)
        honest_cuts(lab)
        honest_streams(lab)
    finally:
        ADDRESSES[0] = "198.18.0.1"
        lab.node.stop()


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    try:
        run("ip", "netns", "add", f"{ID}-n")
        run("ip", "-n", f"{ID}-n", "link", "set", "lo", "up")
        add_veth(0, "z", "pl0")
        add_veth(16, "a", "pl10")
        add_veth(25, "s2", "pl19")
        ends = {"a": Wire("a"), "z": Wire("z"), "s2": Wire("s2"), "a2": add_tap("pl11"), "s1": add_tap("pl18")}
        for mode in ("direct", "helpers"):
            walk(mode, ends)
    finally:
        for name in ("n", "z", "a", "s2", "m1", "m2"):
            if os.path.exists(f"/run/netns/{ID}-{name}"):
                run("ip", "netns", "del", f"{ID}-{name}")
    print(f"1..{count}")
    return bad > 0


sys.exit(main())
