#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The two ends of the network tests: small servers and clients that say exactly what happened.

  peer.py tcp-server PORT TEXT       answers each connection with "TEXT <peer's address> <peer's port>" and closes
  peer.py udp-server PORT TEXT       answers each datagram with "TEXT <peer's address> <its payload>"
  peer.py tcp ADDRESS PORT [S]       prints the answer; exit 0, or: 1 refused or reset, 2 timed out
  peer.py many ADDRESS PORT N        N connections one after another; prints how many were answered
  peer.py udp ADDRESS PORT TEXT [S]  the same for one datagram
  peer.py first-connect ADDRESS PORT S   tries until a connect succeeds; prints the milliseconds it took
  peer.py first-answer ADDRESS NAME S    asks that resolver until it answers; prints the milliseconds it took
  peer.py source PORT BYTES RATE     sends BYTES pseudo-random bytes at RATE bytes/s to each client
  peer.py fetch ADDRESS PORT         reads all; prints size and SHA-256
  peer.py echo-server PORT           echoes each connection's bytes
  peer.py pingpong ADDRESS PORT N    N exchanges of one byte over one connection
  peer.py session ADDRESS PORT       sends each line of its input over one connection; prints "kept" for its echo, or "lost"
  peer.py crowd ADDRESS PORT N       holds N connections to an echo-server open, half of them busy all the time; for each line of
                                     its input it tries all, and prints how many were well all the time
  peer.py load ADDRESS PORT          connects all the time; prints "begun" when one has succeeded; ends when 50 in a row succeeded after
                                     some had failed, and prints how many milliseconds lay between the first and the last that
                                     failed, and when that was
  peer.py talk ADDRESS PORT          asks for an echo every 50 ms over one connection; prints "open", and what ended it
  peer.py follow ADDRESS PORT        sends a datagram every 50 ms from one socket; prints who answers, whenever it is another one,
                                     or "refused"
  peer.py digest BYTES               size and SHA-256 of what `source` sends
  peer.py bulk-server PORT           sends to a client that says "down"; reads from one that says "up", and tells how much came
  peer.py bulk ADDRESS PORT DIRECTION S   Mbit/s of S seconds of that, one line for each second and one for all
  peer.py flood KIND ADDRESS PORT S  frames as fast as they go, each from another port: KIND syn, udp, or dns (questions); prints how many
  peer.py customer ADDRESS PORT NAME S   connects and asks for the name, in turn: prints how often, what failed, which SYNs were repeated
  peer.py dns-upstream ADDRESS LOG   a resolver that answers every A question with 203.0.113.9 and notes the name
  peer.py dns-silent ADDRESS LOG     a resolver that notes the name and never answers
"""
import contextlib
import os
import socket
import sys
import threading
import time

# (hashlib is loaded where it is used: this program starts hundreds of times, and on an emulated processor that takes a second.)
PATIENCE_S = "10" if os.environ.get("PRIVLINK_KERNEL_LAYER") else "3"  # an emulated machine is slow


def tcp_server(port, text):
    server = socket.create_server(("0.0.0.0", int(port)), reuse_port=False, backlog=128)
    while True:
        connection, peer = server.accept()
        with connection, contextlib.suppress(OSError):  # a health probe ends its connection by RST
            connection.sendall(f"{text} {peer[0]} {peer[1]}\n".encode())


def udp_server(port, text):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", int(port)))
    while True:
        data, peer = server.recvfrom(65536)
        server.sendto(f"{text} {peer[0]} ".encode() + data, peer)


def tcp(address, port, timeout=PATIENCE_S):
    try:
        with socket.create_connection((address, int(port)), timeout=float(timeout)) as s:
            s.settimeout(float(timeout))
            data = b""
            while chunk := s.recv(65536):
                data += chunk
        print(data.decode().strip())
        return 0
    except TimeoutError:
        print("timed out")
        return 2
    except OSError as e:
        print(e.strerror or e)
        return 1


def many(address, port, count):
    answered = 0
    for _ in range(int(count)):
        try:
            with socket.create_connection((address, int(port)), timeout=3) as s:
                answered += bool(s.recv(100))
        except OSError:
            pass
    print(answered)
    return 0


def udp(address, port, text, timeout=PATIENCE_S):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(float(timeout))
        s.connect((address, int(port)))
        s.send(text.encode())
        try:
            print(s.recv(65536).decode())
            return 0
        except TimeoutError:
            print("timed out")
            return 2
        except OSError as e:
            print(e.strerror or e)
            return 1


def first_connect(address, port, seconds):
    start = time.monotonic()
    while time.monotonic() - start < float(seconds):
        with socket.socket() as s:
            s.settimeout(0.1)
            try:
                s.connect((address, int(port)))
                print(int((time.monotonic() - start) * 1000))
                return 0
            except OSError:
                time.sleep(0.01)
    print("never")
    return 1


def first_answer(address, name, seconds):
    query = question_of(name)
    start = time.monotonic()
    while time.monotonic() - start < float(seconds):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, contextlib.suppress(OSError):
            s.settimeout(0.05)
            s.connect((address, 53))
            s.send(query)
            if s.recv(65536)[:2] == query[:2]:
                print(int((time.monotonic() - start) * 1000))
                return 0
    print("never")
    return 1


def blocks(size):
    import hashlib

    seed = b"privlink"
    while size > 0:
        seed = hashlib.sha256(seed).digest()
        block = (seed * 2048)[: min(size, 65536)]
        size -= len(block)
        yield block


def source(port, size, rate):
    server = socket.create_server(("0.0.0.0", int(port)))

    def send(connection):
        start, sent = time.monotonic(), 0
        with connection:
            try:
                for block in blocks(int(size)):
                    connection.sendall(block)
                    sent += len(block)
                    ahead = sent / float(rate) - (time.monotonic() - start)
                    if ahead > 0:
                        time.sleep(ahead)
            except ConnectionError:
                pass  # a probe resets

    while True:
        connection, _ = server.accept()
        threading.Thread(target=send, args=(connection,), daemon=True).start()


def fetch(address, port):
    import hashlib

    digest, size = hashlib.sha256(), 0
    try:
        with socket.create_connection((address, int(port)), timeout=max(5, float(PATIENCE_S))) as s:
            s.settimeout(20)
            while chunk := s.recv(65536):
                digest.update(chunk)
                size += len(chunk)
    except OSError as e:
        print("broken after", size, e)
        return 1
    print(size, digest.hexdigest())
    return 0


def session(address, port):
    with socket.create_connection((address, int(port)), timeout=30) as s:
        print("open", flush=True)
        for line in sys.stdin:
            try:
                s.sendall(line.encode())
                kept = s.recv(4096) == line.encode()
            except OSError:
                kept = False
            print("kept" if kept else "lost", flush=True)


def silent(connections):
    """Those that are not echoed a byte within ten seconds (thirty on an emulated machine), all in all."""
    deadline, lost = time.monotonic() + max(10, 3 * float(PATIENCE_S)), set()
    for number, connection in connections.items():
        try:
            connection.sendall(b"x")
        except OSError:
            lost.add(number)
    for number, connection in connections.items():
        try:
            connection.settimeout(max(deadline - time.monotonic(), 0.01))
            if connection.recv(1) != b"x":
                lost.add(number)
        except OSError:
            lost.add(number)
    return lost


def crowd(address, port, count):
    mutex = threading.Lock()
    well = {number: socket.create_connection((address, int(port)), timeout=30) for number in range(int(count))}

    def forget(lost):
        for number in lost:
            del well[number]

    def chat():
        while True:
            for number in range(0, int(count), 2):
                with mutex:
                    forget(silent({number: well[number]} if number in well else {}))
                time.sleep(0.001)

    threading.Thread(target=chat, daemon=True).start()
    print("open", flush=True)
    for _ in sys.stdin:
        with mutex:
            forget(silent(well))
            print(len(well), "well", flush=True)
    return 0


def succeeds(address, port):
    try:
        with socket.create_connection((address, int(port)), timeout=1) as s:
            return bool(s.recv(100))
    except OSError:
        return False


def load(address, port):
    first = last = last_time = None
    in_a_row, begun = 0, False
    while first is None or in_a_row < 50:
        began = time.monotonic()
        if succeeds(address, port):
            in_a_row += 1
            if not begun:
                begun = True
                print("begun", flush=True)
        else:
            in_a_row, last, last_time = 0, time.monotonic(), time.time()
            first = first or began
        time.sleep(0.002)
    print(int((last - first) * 1000), int(last_time * 1000))
    return 0


def talk(address, port):
    with socket.create_connection((address, int(port)), timeout=10) as s:
        print("open", flush=True)
        try:
            while s.send(b"x") and s.recv(1):
                time.sleep(0.05)
            print("closed", flush=True)
        except OSError as e:
            print(e.strerror or e, flush=True)
    return 0


def answerer(s):
    try:
        s.send(b"x")
        return s.recv(1000).decode().split()[0]
    except TimeoutError:
        return None
    except ConnectionRefusedError:
        return "refused"


def follow(address, port):
    last = None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        s.connect((address, int(port)))
        while True:
            now = answerer(s)
            if now not in (None, last):
                print(now, flush=True)
                last = now
            time.sleep(0.05)


def digest_of(size):
    import hashlib

    digest = hashlib.sha256()
    for block in blocks(int(size)):
        digest.update(block)
    print(size, digest.hexdigest())
    return 0


def echo_server(port):
    server = socket.create_server(("0.0.0.0", int(port)))

    def echo(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except ConnectionError:
                pass  # a probe resets

    while True:
        connection, _ = server.accept()
        threading.Thread(target=echo, args=(connection,), daemon=True).start()


def pingpong(address, port, count):
    with socket.create_connection((address, int(port)), timeout=max(5, float(PATIENCE_S))) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(int(count)):
            s.sendall(b"x")
            if s.recv(1) != b"x":
                print("wrong answer")
                return 1
    print(count)
    return 0


def dns_answer(query, log):
    end, labels = 12, []
    while query[end]:
        labels.append(query[end + 1 : end + 1 + query[end]].decode("ascii", "replace"))
        end += 1 + query[end]
    question, kind = query[12 : end + 5], query[end + 1 : end + 3]
    with open(log, "a", encoding="ascii") as f:
        f.write(".".join(labels).lower() + "\n")
    answer = b""
    if kind == b"\x00\x01":
        answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton("203.0.113.9")
    counts = b"\x00\x01" + (b"\x00\x01" if answer else b"\x00\x00") + b"\x00" * 4
    return query[:2] + b"\x81\x80" + counts + question + answer


def dns_servers_tcp(address, log):
    server = socket.create_server((address, 53))
    while True:
        connection, _ = server.accept()
        with connection:
            size = int.from_bytes(connection.recv(2), "big")
            answer = dns_answer(connection.recv(size), log)
            connection.sendall(len(answer).to_bytes(2, "big") + answer)


def dns_servers(address, log):
    threading.Thread(target=dns_servers_tcp, args=(address, log), daemon=True).start()
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        query, peer = server.recvfrom(4096)
        server.sendto(dns_answer(query, log), peer)


def dns_silent(address, log):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        dns_answer(server.recvfrom(4096)[0], log)


def bulk_server(port):
    server = socket.create_server(("0.0.0.0", int(port)))

    def serve(connection):
        size, zeros = 0, bytes(65536)
        with connection, contextlib.suppress(OSError):  # a probe resets, and who has read enough leaves
            if connection.recv(4, socket.MSG_WAITALL) == b"down":
                while True:
                    connection.sendall(zeros)
            while data := connection.recv(1 << 20):
                size += len(data)
            connection.sendall(b"%d\n" % (size))

    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()


def mbit(size, seconds):
    return f"{size * 8 / seconds / 1e6:.1f}"


def bulk_down(s, start, seconds):
    size, second, lines = 0, [0, start], 1
    while (now := time.monotonic()) - start < seconds:
        size += len(s.recv(1 << 20))
        if now - start >= lines:
            print(mbit(size - second[0], now - second[1]), flush=True)
            second, lines = [size, now], lines + 1
    return size


def bulk_up(s, start, seconds):
    zeros = bytes(65536)
    while time.monotonic() - start < seconds:
        s.sendall(zeros)
    s.shutdown(socket.SHUT_WR)
    return int(s.recv(100))


def bulk(address, port, direction, seconds):
    with socket.create_connection((address, int(port)), timeout=20) as s:
        s.sendall(direction.ljust(4).encode())
        start = time.monotonic()
        size = (bulk_down if direction == "down" else bulk_up)(s, start, float(seconds))
        print(mbit(size, time.monotonic() - start))
    return 0


def question_of(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01" + b"\x00" * 6 + labels + b"\x00\x00\x01\x00\x01"


def ones_sum(data):
    total = sum(int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def flood_frame(kind, mac, own, address, port):
    """A frame with source port 0, and where its TCP checksum is (0: none), summed up to that port."""
    payload = {"syn": b"", "udp": b"x" * 18, "dns": question_of("flood.example.com")}[kind]
    ends = socket.inet_aton(own) + socket.inet_aton(address)
    if kind == "syn":
        l4 = b"\0\0" + port.to_bytes(2, "big") + b"\0\0\0\1" + bytes(4) + b"\x50\x02\xff\xff" + bytes(4)
    else:
        l4 = b"\0\0" + port.to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + bytes(2) + payload
    protocol = 6 if kind == "syn" else 17
    ip = b"\x45\0" + (20 + len(l4)).to_bytes(2, "big") + b"\0\0\x40\0\x40" + bytes([protocol]) + bytes(2) + ends
    ip = ip[:10] + (ones_sum(ip) ^ 0xFFFF).to_bytes(2, "big") + ip[12:]
    frame = bytearray(b"\xee\xff\xff\xff\xff\xfe" + mac + b"\x08\x00" + ip + l4)
    return frame, ones_sum(ends + bytes([0, protocol]) + len(l4).to_bytes(2, "big") + l4) if kind == "syn" else 0


def flood(kind, address, port, seconds):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((address, int(port)))
        own = s.getsockname()[0]
    sent, source = 0, 1024
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(("eth0", 0))
        frame, total = flood_frame(kind, s.getsockname()[4], own, address, int(port))
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end:
            for _ in range(100):
                source = source + 1 if source < 65535 else 1024
                frame[34:36] = source.to_bytes(2, "big")
                if total:
                    check = total + source
                    frame[50:52] = (((check & 0xFFFF) + (check >> 16)) ^ 0xFFFF).to_bytes(2, "big")
                with contextlib.suppress(OSError):  # no buffer just now
                    sent += s.send(frame) > 0
    print(sent)
    return 0


def customer(address, port, name, seconds):
    connections = questions = repeated = 0
    failed = []
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        try:
            with socket.create_connection((address, int(port)), timeout=float(PATIENCE_S)) as s:
                connections += 1
                # tcpi_total_retrans
                repeated += int.from_bytes(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[100:104], sys.byteorder)
        except OSError as e:
            failed.append(f"connection {connections}: {e}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(float(PATIENCE_S))
            s.connect(("100.100.2.136", 53))
            try:
                s.send(question_of(name))
                s.recv(4096)
                questions += 1
            except OSError as e:
                failed.append(f"question {questions}: {e}")
        time.sleep(0.005)
    print(f"{connections} connections, {questions} answers, {repeated} repeated, {len(failed)} failed", *failed[:5], sep="; ")
    return 0


COMMANDS = {
    "bulk": bulk,
    "bulk-server": bulk_server,
    "customer": customer,
    "flood": flood,
    "dns-silent": dns_silent,
    "dns-upstream": dns_servers,
    "tcp-server": tcp_server,
    "udp-server": udp_server,
    "tcp": tcp,
    "many": many,
    "udp": udp,
    "first-connect": first_connect,
    "first-answer": first_answer,
    "source": source,
    "fetch": fetch,
    "crowd": crowd,
    "digest": digest_of,
    "follow": follow,
    "load": load,
    "talk": talk,
    "echo-server": echo_server,
    "pingpong": pingpong,
    "session": session,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
