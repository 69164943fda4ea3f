#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""https_server.py PORT CERT KEY DIR: serves a directory."""
import functools
import http.server
import ssl
import sys


def main(port, certificate, key, directory):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=directory)
    server = http.server.ThreadingHTTPServer(("0.0.0.0", int(port)), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
