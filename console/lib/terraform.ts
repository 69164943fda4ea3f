// SPDX-License-Identifier: Apache-2.0
// What a call makes as resources of Alibaba's Terraform provider. A call that makes nothing (it changes or deletes) has none; what the
// provider has no argument for is said in a comment.
import type { ApiCall } from "./command_line";
import { flatten } from "./encode";
import { hclString } from "./quote";

/** Something already in HCL's words: a reference, a number, a truth. */
class Word {
	constructor(readonly text: string) { }
}

type Value = string | Word | string[] | Record<string, string> | undefined;

interface Block {
	/** A nested block's name, or undefined for the resource itself. */
	name: string;
	attributes: [string, Value][];
}

interface Resource {
	type: string;
	label: string;
	attributes: [string, Value][];
	blocks?: Block[];
	/** Parameters that the provider has no argument for. */
	unsaid?: string[];
}

function valueText(value: string | Word | string[]): string {
	if (value instanceof Word) return value.text;
	return Array.isArray(value) ? `[${value.map(hclString).join(", ")}]` : hclString(value);
}

const isMap = (value: Value): value is Record<string, string> => typeof value === "object" && !Array.isArray(value) && !(value instanceof Word);

function aligned(rows: [string, string][], indent: string): string[] {
	const width = Math.max(0, ...rows.map(([name]) => [...name].length));
	return rows.map(([name, value]) => `${indent}${name.padEnd(width)} = ${value}`);
}

/** As `terraform fmt` would write it. */
function linesOf(attributes: [string, Value][], indent: string): string[] {
	const given = attributes.filter(([, value]) => value !== undefined && !(isMap(value) && Object.keys(value).length === 0));
	const plain = given.filter(([, value]) => !isMap(value)).map(([name, value]): [string, string] => [name, valueText(value as string | Word | string[])]);
	const maps = given.filter((entry): entry is [string, Record<string, string>] => isMap(entry[1]));
	const inner = maps.flatMap(([name, value]) => [
		`${indent}${name} = {`,
		...aligned(Object.entries(value).map(([key, text]) => [hclString(key), hclString(text)]), `${indent}  `),
		`${indent}}`,
	]);
	return [...aligned(plain, indent), ...inner];
}

function resourceText({ type, label, attributes, blocks = [], unsaid = [] }: Resource): string {
	const nested = blocks.flatMap((block) => ["", `  ${block.name} {`, ...linesOf(block.attributes, "    "), "  }"]);
	const notes = unsaid.map((name) => `  # ${name}: the provider has no argument for it`);
	return [`resource "${type}" "${label}" {`, ...linesOf(attributes, "  "), ...notes, ...nested, "}"].join("\n");
}

/** The call's parameters, by their flat names; each is to be asked for, or it is said not to be there. */
class Parameters {
	private readonly flat: Map<string, string>;

	constructor(call: ApiCall) {
		this.flat = new Map(Object.entries(flatten(call.params)));
		for (const name of ["RegionId", "ClientToken"]) this.flat.delete(name);
	}

	text(name: string): string | undefined {
		const value = this.flat.get(name);
		this.flat.delete(name);
		return value;
	}

	/** A number or a truth: needs no quotes. */
	word(name: string): Word | undefined {
		const value = this.text(name);
		return value === undefined ? undefined : /^(true|false|-?\d+)$/.test(value) ? new Word(value) : new Word(hclString(value));
	}

	lower(name: string): string | undefined {
		return this.text(name)?.toLowerCase();
	}

	count(name: string): number {
		return Math.max(0, ...[...this.flat.keys()].filter((key) => key.startsWith(`${name}.`)).map((key) => Number(key.slice(name.length + 1).split(".")[0]) || 0));
	}

	list(name: string): string[] | undefined {
		const values = Array.from({ length: this.count(name) }, (_, i) => this.text(`${name}.${i + 1}`) ?? "");
		return values.length > 0 ? values : undefined;
	}

	tags(): Record<string, string> {
		const n = this.count("Tag");
		return Object.fromEntries(Array.from({ length: n }, (_, i) => [this.text(`Tag.${i + 1}.Key`) ?? "", this.text(`Tag.${i + 1}.Value`) ?? ""]));
	}

	/** What nobody asked for. */
	left(): string[] {
		return [...this.flat.keys()];
	}
}

function endpoint(p: Parameters): Resource[] {
	const zones = Array.from({ length: p.count("Zone") }, (_, i): Resource => ({
		type: "alicloud_privatelink_vpc_endpoint_zone",
		label: `zone_${i + 1}`,
		attributes: [
			["endpoint_id", new Word("alicloud_privatelink_vpc_endpoint.endpoint.id")],
			["zone_id", p.text(`Zone.${i + 1}.ZoneId`)],
			["vswitch_id", p.text(`Zone.${i + 1}.VSwitchId`)],
			["eni_ip", p.text(`Zone.${i + 1}.ip`)],
		],
	}));
	const own: Resource = {
		type: "alicloud_privatelink_vpc_endpoint",
		label: "endpoint",
		attributes: [
			["vpc_endpoint_name", p.text("EndpointName")],
			["endpoint_description", p.text("EndpointDescription")],
			["endpoint_type", p.text("EndpointType")],
			["service_id", p.text("ServiceId")],
			["service_name", p.text("ServiceName")],
			["service_region_id", p.text("ServiceRegionId")],
			["cross_region_bandwidth", p.word("CrossRegionBandwidth")],
			["vpc_id", p.text("VpcId")],
			["security_group_ids", p.list("SecurityGroupId")],
			["address_ip_version", p.text("AddressIpVersion")],
			["zone_private_ip_address_count", p.word("ZonePrivateIpAddressCount")],
			["policy_document", p.text("PolicyDocument")],
			["protected_enabled", p.word("ProtectedEnabled")],
			["resource_group_id", p.text("ResourceGroupId")],
			["dry_run", p.word("DryRun")],
			["tags", p.tags()],
		],
	};
	return [own, ...zones];
}

function endpointZone(p: Parameters): Resource[] {
	return [{
		type: "alicloud_privatelink_vpc_endpoint_zone",
		label: "zone",
		attributes: [
			["endpoint_id", p.text("EndpointId")], ["zone_id", p.text("ZoneId")], ["vswitch_id", p.text("VSwitchId")], ["eni_ip", p.text("ip")],
			["dry_run", p.word("DryRun")],
		],
	}];
}

function service(p: Parameters): Resource[] {
	const blocks = Array.from({ length: p.count("Resource") }, (_, i): Block => ({
		name: "resource",
		attributes: [
			["resource_id", p.text(`Resource.${i + 1}.ResourceId`)], ["resource_type", p.text(`Resource.${i + 1}.ResourceType`)],
			["zone_id", p.text(`Resource.${i + 1}.ZoneId`)],
		],
	}));
	return [{
		type: "alicloud_privatelink_vpc_endpoint_service",
		label: "service",
		attributes: [
			["service_description", p.text("ServiceDescription")],
			["service_resource_type", p.text("ServiceResourceType")],
			["auto_accept_connection", p.word("AutoAcceptEnabled")],
			["zone_affinity_enabled", p.word("ZoneAffinityEnabled")],
			["address_ip_version", p.text("AddressIpVersion")],
			["service_support_ipv6", p.word("ServiceSupportIPv6")],
			["payer", p.text("Payer")],
			["supported_region_list", p.list("SupportedRegionList")],
			["resource_group_id", p.text("ResourceGroupId")],
			["dry_run", p.word("DryRun")],
			["tags", p.tags()],
		],
		blocks,
	}];
}

function connection(p: Parameters): Resource[] {
	return [{
		type: "alicloud_privatelink_vpc_endpoint_connection",
		label: "connection",
		attributes: [["service_id", p.text("ServiceId")], ["endpoint_id", p.text("EndpointId")], ["bandwidth", p.word("Bandwidth")], ["dry_run", p.word("DryRun")]],
	}];
}

function serviceUser(p: Parameters): Resource[] {
	return [{
		type: "alicloud_privatelink_vpc_endpoint_service_user",
		label: "user",
		attributes: [["service_id", p.text("ServiceId")], ["user_id", p.text("UserId")], ["user_arn", p.text("UserARN")], ["dry_run", p.word("DryRun")]],
	}];
}

function serviceResource(p: Parameters): Resource[] {
	return [{
		type: "alicloud_privatelink_vpc_endpoint_service_resource",
		label: "resource",
		attributes: [
			["service_id", p.text("ServiceId")], ["resource_id", p.text("ResourceId")], ["resource_type", p.text("ResourceType")], ["zone_id", p.text("ZoneId")],
			["dry_run", p.word("DryRun")],
		],
	}];
}

function vpc(p: Parameters): Resource[] {
	return [{
		type: "alicloud_vpc",
		label: "vpc",
		attributes: [
			["vpc_name", p.text("VpcName")], ["cidr_block", p.text("CidrBlock")], ["description", p.text("Description")],
			["resource_group_id", p.text("ResourceGroupId")], ["dry_run", p.word("DryRun")], ["tags", p.tags()],
		],
	}];
}

function vswitch(p: Parameters): Resource[] {
	return [{
		type: "alicloud_vswitch",
		label: "vswitch",
		attributes: [
			["vswitch_name", p.text("VSwitchName")], ["vpc_id", p.text("VpcId")], ["zone_id", p.text("ZoneId")], ["cidr_block", p.text("CidrBlock")],
			["description", p.text("Description")], ["tags", p.tags()],
		],
	}];
}

function securityGroup(p: Parameters): Resource[] {
	return [{
		type: "alicloud_security_group",
		label: "group",
		attributes: [
			["security_group_name", p.text("SecurityGroupName")], ["vpc_id", p.text("VpcId")], ["description", p.text("Description")],
			["security_group_type", p.text("SecurityGroupType")], ["resource_group_id", p.text("ResourceGroupId")], ["tags", p.tags()],
		],
	}];
}

const ruleTypes = { ingress: ["SourceCidrIp", "SourceGroupId"], egress: ["DestCidrIp", "DestGroupId"] } as const;

const rules = (type: keyof typeof ruleTypes) => (p: Parameters): Resource[] => {
	const [cidr, group] = ruleTypes[type];
	const id = p.text("SecurityGroupId");
	return Array.from({ length: p.count("Permissions") }, (_, i): Resource => {
		const of = (name: string): string => `Permissions.${i + 1}.${name}`;
		return {
			type: "alicloud_security_group_rule",
			label: `rule_${i + 1}`,
			attributes: [
				["type", type], ["security_group_id", id], ["ip_protocol", p.lower(of("IpProtocol"))], ["port_range", p.text(of("PortRange"))],
				["cidr_ip", p.text(of(cidr))], ["source_security_group_id", p.text(of(group))], ["policy", p.lower(of("Policy"))],
				["priority", p.word(of("Priority"))], ["description", p.text(of("Description"))],
			],
		};
	});
};

function balancer(p: Parameters): Resource[] {
	const blocks = Array.from({ length: p.count("ZoneMappings") }, (_, i): Block => ({
		name: "zone_mappings",
		attributes: [
			["zone_id", p.text(`ZoneMappings.${i + 1}.ZoneId`)], ["vswitch_id", p.text(`ZoneMappings.${i + 1}.VSwitchId`)],
			["private_ipv4_address", p.text(`ZoneMappings.${i + 1}.PrivateIPv4Address`)],
		],
	}));
	return [{
		type: "alicloud_nlb_load_balancer",
		label: "balancer",
		attributes: [
			["load_balancer_name", p.text("LoadBalancerName")], ["address_type", p.text("AddressType")], ["vpc_id", p.text("VpcId")],
			["address_ip_version", p.text("AddressIpVersion")], ["load_balancer_type", p.text("LoadBalancerType")],
			["cross_zone_enabled", p.word("CrossZoneEnabled")], ["resource_group_id", p.text("ResourceGroupId")], ["tags", p.tags()],
		],
		blocks,
	}];
}

const healthCheck: [string, string][] = [
	["health_check_enabled", "HealthCheckEnabled"], ["health_check_type", "HealthCheckType"], ["health_check_connect_port", "HealthCheckConnectPort"],
	["healthy_threshold", "HealthyThreshold"], ["unhealthy_threshold", "UnhealthyThreshold"], ["health_check_connect_timeout", "HealthCheckConnectTimeout"],
	["health_check_interval", "HealthCheckInterval"], ["health_check_domain", "HealthCheckDomain"], ["health_check_url", "HealthCheckUrl"],
	["http_check_method", "HttpCheckMethod"],
];

function serverGroup(p: Parameters): Resource[] {
	const check: [string, Value][] = healthCheck.map(([argument, member]) => [argument, p.word(`HealthCheckConfig.${member}`)]);
	const codes = p.list("HealthCheckConfig.HealthCheckHttpCode");
	const attributes: [string, Value][] = [...check, ["health_check_http_code", codes]];
	return [{
		type: "alicloud_nlb_server_group",
		label: "servers",
		attributes: [
			["server_group_name", p.text("ServerGroupName")], ["server_group_type", p.text("ServerGroupType")], ["vpc_id", p.text("VpcId")],
			["protocol", p.text("Protocol")], ["scheduler", p.text("Scheduler")], ["address_ip_version", p.text("AddressIPVersion")],
			["preserve_client_ip_enabled", p.word("PreserveClientIpEnabled")], ["connection_drain_enabled", p.word("ConnectionDrainEnabled")],
			["connection_drain_timeout", p.word("ConnectionDrainTimeout")], ["any_port_enabled", p.word("AnyPortEnabled")],
			["resource_group_id", p.text("ResourceGroupId")], ["tags", p.tags()],
		],
		blocks: attributes.some(([, value]) => value !== undefined) ? [{ name: "health_check", attributes }] : [],
	}];
}

function servers(p: Parameters): Resource[] {
	const id = p.text("ServerGroupId");
	return Array.from({ length: p.count("Servers") }, (_, i): Resource => {
		const of = (name: string): string => `Servers.${i + 1}.${name}`;
		return {
			type: "alicloud_nlb_server_group_server_attachment",
			label: `server_${i + 1}`,
			attributes: [
				["server_group_id", id], ["server_type", p.text(of("ServerType"))], ["server_id", p.text(of("ServerId"))], ["server_ip", p.text(of("ServerIp"))],
				["port", p.word(of("Port"))], ["weight", p.word(of("Weight"))], ["description", p.text(of("Description"))],
			],
		};
	});
}

function listener(p: Parameters): Resource[] {
	const header = ([["vpc", "VpcId"], ["private_link_ep", "PrivateLinkEpId"], ["private_link_eps", "PrivateLinkEpsId"]] as const).map(([argument, member]): [string, Value] =>
		[`proxy_protocol_config_${argument}_id_enabled`, p.word(`ProxyProtocolV2Config.Ppv2${member}Enabled`)]);
	return [{
		type: "alicloud_nlb_listener",
		label: "listener",
		attributes: [
			["load_balancer_id", p.text("LoadBalancerId")], ["listener_protocol", p.text("ListenerProtocol")], ["listener_port", p.word("ListenerPort")],
			["server_group_id", p.text("ServerGroupId")], ["listener_description", p.text("ListenerDescription")], ["idle_timeout", p.word("IdleTimeout")],
			["proxy_protocol_enabled", p.word("ProxyProtocolEnabled")], ["cps", p.word("Cps")], ["mss", p.word("Mss")], ["tags", p.tags()],
		],
		blocks: header.some(([, value]) => value !== undefined) ? [{ name: "proxy_protocol_config", attributes: header }] : [],
	}];
}

const makers: Record<string, (p: Parameters) => Resource[]> = {
	"privatelink CreateVpcEndpoint": endpoint,
	"privatelink AddZoneToVpcEndpoint": endpointZone,
	"privatelink CreateVpcEndpointService": service,
	"privatelink EnableVpcEndpointConnection": connection,
	"privatelink AddUserToVpcEndpointService": serviceUser,
	"privatelink AttachResourceToVpcEndpointService": serviceResource,
	"vpc CreateVpc": vpc,
	"vpc CreateVSwitch": vswitch,
	"ecs CreateSecurityGroup": securityGroup,
	"ecs AuthorizeSecurityGroup": rules("ingress"),
	"ecs AuthorizeSecurityGroupEgress": rules("egress"),
	"nlb CreateLoadBalancer": balancer,
	"nlb CreateServerGroup": serverGroup,
	"nlb AddServersToServerGroup": servers,
	"nlb CreateListener": listener,
};

export function terraformText(call: ApiCall): string | null {
	const make = makers[`${call.product} ${call.action}`];
	if (!make) return null;
	const parameters = new Parameters(call);
	const [first, ...others] = make(parameters);
	return first ? [{ ...first, unsaid: parameters.left() }, ...others].map(resourceText).join("\n\n") + "\n" : null;
}
