# SPDX-License-Identifier: Apache-2.0
"""The paths that are compared, but for privlink's own (privlink.py).

    straight  client ───────────────────────────── server   one veth pair: the physical limit
    handover  client ── hub: hands over ────────── server   privlink's place, and a program that does nothing but hand over
    routing   client ── hub: forwards ──────────── server   a Linux router that does nothing but forward
    nft       client ── hub: dnat, snat, filter ── server   a Linux router doing the same job
    haproxy   client ── hub: TCP proxy ─────────── server   a proxy doing it
    nginx     client ── hub: TCP proxy ─────────── server   another one

In the last three the client, 10.0.0.2, knows the service by an address of its own network, 10.0.0.100, and the server,
10.9.0.10, sees an address of its own, 10.9.0.200: the same full NAT as privlink's, behind the same kind of filter.
The first two of a hub translate nothing, so there the client knows the server by its own address.
"""

import os
import shutil
import subprocess

import lab as lab_module

PORTS = {"tcp": 5201, "rr": 7001, "crr": 7002, "udp": 7003}
PROXIED = [PORTS[metric] for metric in ("tcp", "rr", "crr")]

CLIENT, GATEWAY, SERVICE = "10.0.0.2", "10.0.0.1", "10.0.0.100"
SERVER, SERVER_GATEWAY, TRANSLATED = "10.9.0.10", "10.9.0.1", "10.9.0.200"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

NFT_RULES = f"""
table ip bench {{
    chain pre {{
        type nat hook prerouting priority dstnat;
        iifname "client" ip daddr {SERVICE} dnat to {SERVER};
    }}
    chain post {{
        type nat hook postrouting priority srcnat;
        ct status dnat snat to {TRANSLATED};
    }}
    set group {{
        type ipv4_addr . inet_service;
        flags interval;
        elements = {{ 10.0.0.0/24 . 80, 10.0.0.0/24 . 443, 10.0.0.0/24 . 5201, 10.0.0.0/24 . 7000-7003 }}
    }}
    chain filter {{
        type filter hook forward priority filter; policy drop;
        ct state established,related accept;
        ct state new iifname "client" ip saddr . th dport @group accept;
    }}
}}
"""

HAPROXY_HEAD = """
global
    maxconn 4000
    stats timeout 2s
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option splice-auto
"""

HAPROXY_LISTEN = """
listen port{port}
    bind {service}:{port} backlog 8192
    source {translated}
    tcp-request connection reject unless {{ src 10.0.0.0/24 }}
    server one {server}:{port}
"""


NGINX_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"

# One worker for each CPU, as it is set up for such work.
NGINX_HEAD = """
load_module {module};
user root;
worker_processes auto;
worker_rlimit_nofile 65536;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{
    worker_connections 16384;
    multi_accept on;
}}
stream {{
    access_log off;
    allow 10.0.0.0/24;
    deny all;
    proxy_bind {translated};
"""

NGINX_SERVER = """
    server {{
        listen {service}:{port} backlog=8192 reuseport;
        proxy_pass {server}:{port};
    }}
"""


class Variant:
    """A client, a server and an address that leads from the one to the other."""

    name = ""
    has_udp = True
    needs = {}  # program, or file: the package of Debian that has it

    def __init__(self, lab):
        self.lab = lab
        self.client_ns = self.server_ns = None
        self.target = None  # where the client connects to
        self.server_address = SERVER  # where the server listens

    def set_up(self):
        raise NotImplementedError

    def namespaces(self):
        return [self.client_ns, self.server_ns]

    @classmethod
    def check(cls):
        """Fails with what is missing on this machine."""
        for what, package in cls.needs.items():
            if not (os.path.exists(what) if what.startswith("/") else shutil.which(what, path=PATH)):
                raise lab_module.Failure(f"{cls.name} needs {what}: apt-get install --no-install-recommends {package}")


class Straight(Variant):
    name = "straight"

    def set_up(self):
        self.client_ns = self.lab.netns("straight-client")
        self.server_ns = self.lab.netns("straight-server")
        self.lab.cable(self.client_ns, "eth0", "10.9.0.2/24", self.server_ns, "eth0", f"{SERVER}/24")
        self.target = SERVER


class Hub(Variant):
    """Client, hub and server in a row; the hub has the service's address and the translated one."""

    def set_up(self):
        self.client_ns = self.lab.netns(f"{self.name}-client")
        self.hub_ns = self.lab.netns(f"{self.name}-hub")
        self.server_ns = self.lab.netns(f"{self.name}-server")
        self.lab.cable(self.client_ns, "eth0", f"{CLIENT}/24", self.hub_ns, "client", f"{GATEWAY}/24")
        self.lab.cable(self.server_ns, "eth0", f"{SERVER}/24", self.hub_ns, "server", f"{SERVER_GATEWAY}/24")
        lab_module.command("ip", "-n", self.hub_ns, "addr", "add", f"{SERVICE}/32", "dev", "client")
        lab_module.command("ip", "-n", self.hub_ns, "addr", "add", f"{TRANSLATED}/32", "dev", "server")
        lab_module.command("ip", "-n", self.client_ns, "route", "add", "default", "via", GATEWAY)
        lab_module.command("ip", "-n", self.server_ns, "route", "add", "default", "via", SERVER_GATEWAY)
        self.target = SERVICE

    def namespaces(self):
        return [self.client_ns, self.hub_ns, self.server_ns]

    def hub_sysctl(self, setting):
        lab_module.command(*lab_module.inside(self.hub_ns), "sysctl", "-qw", setting)


class Handover(Hub):
    """What privlink's place costs before anything is asked, judged, remembered or translated there."""

    name = "handover"

    def set_up(self):
        super().set_up()
        process = self.lab.spawn(os.path.abspath(f"{self.arguments.build}/bench/handover"), "client", "server",
                                 namespace=self.hub_ns, output=subprocess.PIPE)
        if process.stdout.readline() != "ready\n":
            raise lab_module.Failure("bench/handover has ended")
        self.target = SERVER


class Routing(Hub):
    """No NAT, no filter, and so no connection tracking: what forwarding alone costs."""

    name = "routing"

    def set_up(self):
        super().set_up()
        self.hub_sysctl("net.ipv4.ip_forward=1")
        self.target = SERVER


class Nft(Hub):
    name = "nft"
    needs = {"nft": "nftables"}

    def set_up(self):
        super().set_up()
        path = f"{self.lab.directory()}/rules.nft"
        with open(path, "w", encoding="ascii") as rules:
            rules.write(NFT_RULES)
        lab_module.command(*lab_module.inside(self.hub_ns), "nft", "-f", path)
        self.hub_sysctl("net.ipv4.ip_forward=1")
        # Closed connections must not fill its table, which is sized by the host: that would be unfair.
        self.hub_sysctl("net.netfilter.nf_conntrack_tcp_timeout_time_wait=5")


class Haproxy(Hub):
    name = "haproxy"
    has_udp = False
    needs = {"haproxy": "haproxy"}

    def set_up(self):
        super().set_up()
        path = f"{self.lab.directory()}/haproxy.cfg"
        with open(path, "w", encoding="ascii") as config:
            config.write(HAPROXY_HEAD)
            for port in PROXIED:
                config.write(HAPROXY_LISTEN.format(port=port, service=SERVICE, translated=TRANSLATED, server=SERVER))
        process = self.lab.spawn("haproxy", "-db", "-q", "-f", path, namespace=self.hub_ns)
        self.lab.wait_listening(process, PORTS["crr"])


class Nginx(Hub):
    name = "nginx"
    has_udp = False
    needs = {"nginx": "nginx", NGINX_MODULE: "libnginx-mod-stream"}

    def set_up(self):
        super().set_up()
        directory = self.lab.directory()
        path = f"{directory}/nginx.conf"
        with open(path, "w", encoding="ascii") as config:
            config.write(NGINX_HEAD.format(module=NGINX_MODULE, directory=directory, translated=TRANSLATED))
            for port in PROXIED:
                config.write(NGINX_SERVER.format(port=port, service=SERVICE, server=SERVER))
            config.write("}\n")
        process = self.lab.spawn("nginx", "-e", f"{directory}/nginx.log", "-c", path, namespace=self.hub_ns)
        self.lab.wait_listening(process, PORTS["crr"])
