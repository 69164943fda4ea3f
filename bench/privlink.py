# SPDX-License-Identifier: Apache-2.0
"""The product as a variant: a real endpoint, made by calls of the API.

privlinkd and privlink-agent run in a namespace that stands for the host, with state of their own, so that a privlink
on this machine is not touched. Both VPCs use the same range, as tenants may.

    consumer VPC 10.0.0.0/16                          provider VPC 10.0.0.0/16
      instance = client ── ENI of an endpoint ──────── instance = server behind a load balancer
"""

import json
import os
import subprocess
import time

from lab import Failure, inside, set_sysctls
from variants import PORTS, Variant

REGION, ZONES = "cn-hangzhou", ("cn-hangzhou-h", "cn-hangzhou-i")
CIDR, CIDRS = "10.0.0.0/16", ("10.0.1.0/24", "10.0.2.0/24")
SERVER_ADDRESS, CLIENT_ADDRESS = "10.0.1.10", "10.0.1.20"
API = "127.0.0.1:18080"
PATIENCE_S = 20


def wait_for(what, condition):
    """The first true value of the condition."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failure(f"privlink: {what} did not happen within {PATIENCE_S} s")
        time.sleep(0.05)
    return value


class Account:
    """Calls of the API, signed with one access key."""

    def __init__(self, variant, key_id, secret):
        self.variant = variant
        self.environment = {**os.environ, "PRIVLINK_ENDPOINT": f"http://{API}", "PRIVLINK_REGION": REGION,
                            "PRIVLINK_ACCESS_KEY_ID": key_id, "PRIVLINK_ACCESS_KEY_SECRET": secret}

    def call(self, product, action, check=True, **parameters):
        """One call; underscores in the names of parameters stand for dots. None if it failed and may."""
        words = [f"{name.replace('_', '.')}={value}" for name, value in parameters.items()]
        done = subprocess.run([*inside(self.variant.host_ns), self.variant.program("privlink"), "--json",
                               "call", product, action, *words], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode == 0:
            return json.loads(done.stdout)
        if check:
            raise Failure(f"{action}: {done.stderr.strip()}")
        return None

    def wait(self, product, action, condition, **parameters):
        """Calls until the answer meets the condition."""
        def answer():
            reply = self.call(product, action, check=False, **parameters)
            return reply if reply and condition(reply) else None
        return wait_for(f"the end of {action} {parameters}", answer)


class Network:
    """A VPC with a vSwitch in each zone and a security group."""

    def __init__(self, account):
        self.account = account
        self.vpc = account.call("vpc", "CreateVpc", CidrBlock=CIDR)["VpcId"]
        account.wait("vpc", "DescribeVpcAttribute", lambda r: r["Status"] == "Available", VpcId=self.vpc)
        self.vswitches = [self.make_vswitch(zone, cidr) for zone, cidr in zip(ZONES, CIDRS)]
        self.group = account.call("ecs", "CreateSecurityGroup", VpcId=self.vpc,
                                  SecurityGroupName="bench")["SecurityGroupId"]

    def make_vswitch(self, zone, cidr):
        vswitch = self.account.call("vpc", "CreateVSwitch", VpcId=self.vpc, ZoneId=zone, CidrBlock=cidr)["VSwitchId"]
        self.account.wait("vpc", "DescribeVSwitchAttributes", lambda r: r["Status"] == "Available", VSwitchId=vswitch)
        return vswitch

    def allow(self, protocol, ports):
        self.account.call("ecs", "AuthorizeSecurityGroup", SecurityGroupId=self.group,
                          **{"Permissions_1_IpProtocol": protocol, "Permissions_1_PortRange": ports,
                             "Permissions_1_SourceCidrIp": CIDR})

    def make_instance(self, address):
        """The id of a running instance, which is also the name of its namespace."""
        made = self.account.call("ecs", "RunInstances", VSwitchId=self.vswitches[0], SecurityGroupId=self.group,
                                 ImageId="debian", InstanceType="netns", PrivateIpAddress=address)
        instance = made["InstanceIdSets"]["InstanceIdSet"][0]
        self.account.variant.lab.note("netns", name=instance)
        self.account.wait("ecs", "DescribeInstances",
                          lambda r: r["Instances"]["Instance"][0]["Status"] == "Running",
                          InstanceIds=json.dumps([instance]))
        set_sysctls(instance)
        return instance


class Privlink(Variant):
    name = "privlink"

    def program(self, name):
        return os.path.abspath(f"{self.arguments.build}/src/cmd/{name}")

    def set_up(self):
        self.server_address = SERVER_ADDRESS
        try:
            self.set_up_endpoint()
        except Failure as failure:
            raise Failure(f"{failure}\n{self.logs()}") from failure

    def set_up_endpoint(self):
        self.start_daemons()
        self.make_accounts()
        consumer, provider = Network(self.consumer), Network(self.provider)
        consumer.allow("TCP", f"{PORTS['tcp']}/{PORTS['tcp']}")
        consumer.allow("TCP", f"{PORTS['rr']}/{PORTS['crr']}")
        consumer.allow("UDP", f"{PORTS['udp']}/{PORTS['udp']}")
        self.client_ns = consumer.make_instance(CLIENT_ADDRESS)
        self.server_ns = provider.make_instance(SERVER_ADDRESS)
        self.target = self.connect(consumer, self.make_service(provider))

    def start_daemons(self):
        self.directory = self.lab.directory()
        self.node = f"bench{os.getpid()}"
        self.host_ns = self.lab.netns("privlink-host")
        places = ["--state-dir", f"{self.directory}/state", "--run-dir", f"{self.directory}/run"]
        catalogue = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/catalogue.json")
        for place in places[1::2]:
            os.makedirs(place)
        with open(f"{self.directory}/resolv.conf", "w", encoding="ascii") as resolver:
            resolver.write("nameserver 127.0.0.53\n")

        agent = [self.program("privlink-agent"), "--node", self.node, *places]
        self.lab.note("undo", command=[*inside(self.host_ns), *agent, "--remove"])
        self.privlinkd = self.daemon("privlinkd", self.program("privlinkd"), *places, "--http", API, "--user", "root", "--no-rate-limits",
                                     "--catalogue", catalogue)
        wait_for("an administrator's key", lambda: self.read_environment(f"{self.directory}/state/admin.env"))
        self.agent = self.daemon("agent", *agent, "--resolv-conf", f"{self.directory}/resolv.conf",
                                 "--catalogue", catalogue)

    def daemon(self, name, *words):
        with open(f"{self.directory}/{name}.log", "w", encoding="utf-8") as log:
            return self.lab.spawn(*words, namespace=self.host_ns, output=log)

    def logs(self):
        """The last lines of both daemons."""
        tails = []
        for name in ("privlinkd", "agent"):
            if os.path.exists(path := f"{self.directory}/{name}.log"):
                with open(path, encoding="utf-8", errors="replace") as log:
                    tails += [f"{name}: {line.rstrip()}" for line in log.readlines()[-10:]]
        return "\n".join(tails)

    @staticmethod
    def read_environment(path):
        try:
            with open(path, encoding="utf-8") as lines:
                return dict(line.strip().split("=", 1) for line in lines if "=" in line)
        except OSError:
            return None

    def make_accounts(self):
        key = self.read_environment(f"{self.directory}/state/admin.env")
        admin = Account(self, key["PRIVLINK_ACCESS_KEY_ID"], key["PRIVLINK_ACCESS_KEY_SECRET"])
        admin.wait("privlink", "ListNodes",
                   lambda r: any(n["NodeName"] == self.node and n["Live"] for n in r["Nodes"]))
        self.uids = {}
        for name in ("consumer", "provider"):
            self.uids[name] = admin.call("privlink", "CreateAccount", AccountName=name)["AccountId"]
            made = admin.call("privlink", "CreateAccessKey", AccountId=self.uids[name])
            setattr(self, name, Account(self, made["AccessKeyId"], made["AccessKeySecret"]))

    def make_service(self, network):
        """The id of an endpoint service whose load balancer leads to the server, for all ports."""
        account = self.provider
        zones = {}
        for i, (zone, vswitch) in enumerate(zip(ZONES, network.vswitches), 1):
            zones |= {f"ZoneMappings_{i}_ZoneId": zone, f"ZoneMappings_{i}_VSwitchId": vswitch}
        balancer = account.call("nlb", "CreateLoadBalancer", AddressType="Intranet", VpcId=network.vpc,
                                **zones)["LoadbalancerId"]
        account.wait("nlb", "GetLoadBalancerAttribute", lambda r: r["LoadBalancerStatus"] == "Active",
                     LoadBalancerId=balancer)
        for metric, port in PORTS.items():
            self.make_listener(network, balancer, "UDP" if metric == "udp" else "TCP", port)
        service = account.call("privatelink", "CreateVpcEndpointService",
                               ServiceResourceType="nlb", AutoAcceptEnabled="true", Resource_1_ResourceId=balancer,
                               Resource_1_ResourceType="nlb", Resource_1_ZoneId=ZONES[0])["ServiceId"]
        account.wait("privatelink", "GetVpcEndpointServiceAttribute", lambda r: r["ServiceStatus"] == "Active",
                     ServiceId=service)
        account.call("privatelink", "AddUserToVpcEndpointService", ServiceId=service, UserId=self.uids["consumer"])
        return service

    def make_listener(self, network, balancer, protocol, port):
        # No probes: iperf3 serves one client at a time and would take a probe for it.
        group = self.provider.call("nlb", "CreateServerGroup", ServerGroupName=f"port-{port}", VpcId=network.vpc,
                                   Protocol=protocol, HealthCheckConfig_HealthCheckEnabled="false")["ServerGroupId"]
        self.provider.call("nlb", "AddServersToServerGroup", ServerGroupId=group, Servers_1_ServerId=self.server_ns,
                           Servers_1_ServerType="Ecs", Servers_1_Port=port)
        self.provider.call("nlb", "CreateListener", LoadBalancerId=balancer, ListenerProtocol=protocol,
                           ListenerPort=port, ServerGroupId=group)

    def connect(self, network, service):
        """Makes the endpoint; the address of its ENI once it is connected."""
        endpoint = self.consumer.call("privatelink", "CreateVpcEndpoint", VpcId=network.vpc, ServiceId=service,
                                      SecurityGroupId_1=network.group, EndpointName="bench", Zone_1_ZoneId=ZONES[0],
                                      Zone_1_VSwitchId=network.vswitches[0])["EndpointId"]
        self.consumer.wait("privatelink", "GetVpcEndpointAttribute",
                           lambda r: r["EndpointStatus"] == "Active" and r["ConnectionStatus"] == "Connected",
                           EndpointId=endpoint)
        return self.consumer.call("privatelink", "ListVpcEndpointZones", EndpointId=endpoint)["Zones"][0]["EniIp"]
