#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server of HTTPS on port 443 that behaves as a file says, which it reads for each connection: good, other (its certificate is of
another name), huge (a certificate of 1 MB), silent (it never says anything), plain (no TLS), endless (headers without end), babble
(a status line without end)."""
import socket
import ssl
import sys
import threading

folder = sys.argv[1]


def context(name):
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.load_cert_chain(f"{folder}/{name}.crt", f"{folder}/{name}.key")
    return result


def speak(sock, mode):
    if mode == "babble":
        sock.sendall(b"HTTP/1.1 200 ")
        while True:
            sock.sendall(b"x" * 1000)
    request = b""
    while b"\r\n\r\n" not in request:
        more = sock.recv(1000)
        if not more:
            return
        request += more
    with open(f"{folder}/request", "wb") as f:
        f.write(request)
    sock.sendall(b"HTTP/1.1 204 No Content\r\n")
    while mode == "endless":
        sock.sendall(b"X-More: and more\r\n" * 100)
    sock.sendall(b"\r\n")


def serve(sock):
    with open(f"{folder}/mode", encoding="ascii") as f:
        mode = f.read().strip()
    try:
        if mode == "silent":
            threading.Event().wait(30)
        elif mode == "plain":
            sock.sendall(b"220 this is no TLS, whatever you say\r\n" * 20)
        else:
            with context(mode if mode in ("other", "huge") else "good").wrap_socket(sock, server_side=True) as tls:
                speak(tls, mode)
    except OSError:
        pass
    finally:
        sock.close()


listener = socket.create_server(("0.0.0.0", 443), backlog=64)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
