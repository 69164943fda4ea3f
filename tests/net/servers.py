#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ends of what no package brings, for servers.sh.

    names PORT              a DNS server over UDP: each TXT question gets an answer of as many bytes as its name begins with
    websocket PORT          a WebSocket server that echoes
    chat URL                a WebSocket client: says something and wants it back, ten times a second, until something fails
    chat URL COUNT          the same so many times
    ask ADDRESS PORT SIZE   asks for an answer of that size; what came of it
"""

import base64
import hashlib
import os
import socket
import struct
import sys
import time

PATIENCE_S = 1
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONNECTION = 1
TEXT, CLOSE = 1, 8


def receive(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError("the other side has closed")
        data += more
    return data


# DNS

def question(size):
    """A TXT question whose name says how long the answer is to be, by a client that takes it in one datagram."""
    name = b"".join(bytes([len(label)]) + label for label in (str(size).encode(), b"test"))
    options = b"\0" + struct.pack("!HHIH", 41, 4096, 0, 0)
    return os.urandom(2) + struct.pack("!HHHHH", 0x100, 1, 0, 0, 1) + name + b"\0" + struct.pack("!HH", 16, 1) + options


def answer(query):
    """As long as is asked for: strings of up to 255 bytes in one TXT record."""
    length = query[12]
    size = int(query[13:13 + length])
    end = query.index(b"\0", 12) + 5
    left = size - end - 12
    text = b""
    while len(text) < left:
        chunk = min(255, left - len(text) - 1)
        text += bytes([chunk]) + b"x" * chunk
    return (query[:2] + struct.pack("!HHHHH", 0x8580, 1, 1, 0, 0) + query[12:end]
            + struct.pack("!HHHIH", 0xc00c, 16, 1, 0, len(text)) + text)


def names(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("0.0.0.0", int(port)))
    while True:
        query, client = sock.recvfrom(4096)
        sock.sendto(answer(query), client)


def ask(address, port, size):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(PATIENCE_S)
    sock.connect((address, int(port)))
    query = question(int(size))
    sock.send(query)
    data = sock.recv(65535)
    print(f"{len(data)} bytes, {'right' if data == answer(query) else 'wrong'}")


# WebSocket (RFC 6455), frames below 126 bytes

def frame(opcode, data, mask=None):
    head = bytes([0x80 | opcode, len(data) | (0x80 if mask else 0)])
    return head + (mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)) if mask else data)


def receive_frame(sock):
    opcode, length = receive(sock, 2)
    mask = receive(sock, 4) if length & 0x80 else b"\0" * 4
    data = receive(sock, length & 0x7f)
    return opcode & 0xf, bytes(b ^ mask[i % 4] for i, b in enumerate(data))


def receive_head(sock):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += receive(sock, 1)
    return head


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def echo(sock):
    head = receive_head(sock)
    key = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Accept: " + accept_key(key) + b"\r\n\r\n")
    while True:
        opcode, data = receive_frame(sock)
        if opcode == CLOSE:
            return
        sock.sendall(frame(opcode, data))


def websocket(port):
    listener = socket.create_server(("127.0.0.1", int(port)))
    while True:
        sock, _ = listener.accept()
        if os.fork() == 0:
            try:
                echo(sock)
            except OSError:
                pass
            os._exit(0)
        sock.close()


def chat(url, count=0):
    address, port = url.removeprefix("ws://").rstrip("/").split(":")
    sock = socket.create_connection((address, int(port)), PATIENCE_S)
    key = base64.b64encode(os.urandom(16))
    sock.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 b"Sec-WebSocket-Key: " + key + b"\r\n\r\n")
    head = receive_head(sock)
    if b" 101 " not in head or accept_key(key) not in head:
        raise ConnectionError(head.split(b"\r\n")[0].decode())
    said = 0
    while not count or said < int(count):
        words = f"words {said}".encode()
        sock.sendall(frame(TEXT, words, os.urandom(4)))
        if receive_frame(sock) != (TEXT, words):
            raise ConnectionError("not what was said")
        said += 1
        time.sleep(0.1 if not count else 0)
    print(f"{said} times")


COMMANDS = {"names": names, "websocket": websocket, "chat": chat, "ask": ask}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    try:
        COMMANDS[sys.argv[1]](*sys.argv[2:])
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
