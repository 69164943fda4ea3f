#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Both ends of connections with PROXY headers, strict.

    proxy_peer.py server PORT [first]          reads the header and nothing else, says what it said in a line, then sends back what comes;
                                               `first`: it greets before it has read anything
    proxy_peer.py client ADDR PORT HOW N SIZE  N connections at once, each with SIZE bytes there and back, after that line; HOW is one of
        silent     the client says nothing until it has the line
        late       its first bytes take the place of the handshake's ACK
        shut       it sends nothing, and says so right after the handshake
        first      the server greets
    The client prints a line for each connection that went wrong, and "VPC ENDPOINT SERVICE" of those that went well.
"""
import hashlib
import os
import socket
import struct
import sys
import threading

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
GREETING = b"220 first\n"


def exactly(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ValueError(f"the stream ends after {data!r}")
        data += more
    return data


def read_header(sock):
    head = exactly(sock, 16)
    if head[:12] != SIGNATURE or head[12] != 0x21 or head[13] != 0x11:
        raise ValueError(f"no header: {head!r}")
    rest = exactly(sock, struct.unpack("!H", head[14:])[0])
    addrs, ports, ids, at = [socket.inet_ntoa(rest[i:i + 4]) for i in (0, 4)], struct.unpack("!HH", rest[8:12]), {}, 12
    while at < len(rest):
        kind, length, subtype = struct.unpack("!BHB", rest[at:at + 4])
        if kind != 0xE1 or subtype in ids or at + 3 + length > len(rest):
            raise ValueError(f"a strange TLV: {rest[at:]!r}")
        ids[subtype] = rest[at + 4:at + 3 + length].decode("ascii")
        at += 3 + length
    return f"{addrs[0]}:{ports[0]} {addrs[1]}:{ports[1]} {' '.join(ids.get(i, '-') for i in (1, 2, 3))}"


def serve(sock, first):
    with sock:
        try:
            if first:
                sock.sendall(GREETING)
            try:
                said = read_header(sock)
            except ValueError as e:
                said = f"bad: {e}"
            sock.sendall(said.encode() + b"\n")
            while data := sock.recv(1 << 20):
                sock.sendall(data)
        except OSError:
            pass


def server(port, first=None):
    listener = socket.create_server(("", int(port)), backlog=128)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock, first), daemon=True).start()


def exchange(addr, port, how, size):
    sock = socket.socket()
    sock.settimeout(70)  # in a bad network a SYN may have to be said seven times
    if how == "late":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    sock.connect((addr, port))
    data = os.urandom(size)
    sender = threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
    with sock:
        reader = sock.makefile("rb")
        if how in ("late", "shut"):
            sender.start()
        if how == "first" and (greeting := reader.readline()) != GREETING:
            raise ValueError(f"greeted by {greeting!r}")
        ends = "{}:{} {}:{} ".format(*sock.getsockname(), addr, port)
        said = reader.readline().decode()
        if not said.startswith(ends):
            raise ValueError(f"the server says {said!r}, not {ends!r}")
        if how in ("silent", "first"):
            sender.start()
        if hashlib.sha256(reader.read()).digest() != hashlib.sha256(data).digest():
            raise ValueError("other bytes came back")
        sender.join()
    return said.strip()[len(ends):]


def client(addr, port, how, n, size):
    ids, bad = set(), []

    def one():
        try:
            ids.add(exchange(addr, int(port), how, int(size)))
        except (OSError, ValueError) as e:
            bad.append(str(e))

    threads = [threading.Thread(target=one) for _ in range(int(n))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(*bad, *ids, sep="\n")
    sys.exit(bool(bad))


{"server": server, "client": client}[sys.argv[1]](*sys.argv[2:])
