// SPDX-License-Identifier: Apache-2.0
// The objects of a network as the API answers them, and their lists.
import type { Params } from "../lib/client";
import type { Tag } from "../lib/form";
import { useCall, useList, useLanguage } from "./context";
import type { List } from "./context";

export interface Vpc {
	VpcId: string;
	VpcName: string;
	Description: string;
	CidrBlock: string;
	Status: string;
	CreationTime: string;
	VSwitchIds: { VSwitchId: string[]; };
	Tags: { Tag: Tag[]; };
}

export interface Vswitch {
	VSwitchId: string;
	VSwitchName: string;
	Description: string;
	VpcId: string;
	ZoneId: string;
	CidrBlock: string;
	Status: string;
	AvailableIpAddressCount: number;
	CreationTime: string;
	Tags: { Tag: Tag[]; };
}

export interface EcsTag {
	TagKey: string;
	TagValue: string;
}

export interface Group {
	SecurityGroupId: string;
	SecurityGroupName: string;
	Description: string;
	SecurityGroupType: "normal" | "enterprise";
	VpcId: string;
	CreationTime: string;
	RuleCount: number;
	EcsCount: number;
	Tags: { Tag: EcsTag[]; };
}

export interface Instance {
	InstanceId: string;
	InstanceName: string;
	HostName: string;
	Description: string;
	Status: string;
	StatusInfo: string;
	ZoneId: string;
	CreationTime: string;
	VpcAttributes: { VpcId: string; VSwitchId: string; PrivateIpAddress: { IpAddress: string[]; }; };
	SecurityGroupIds: { SecurityGroupId: string[]; };
	NetworkInterfaces: { NetworkInterface: { NetworkInterfaceId: string; MacAddress: string; }[]; };
	Tags: { Tag: EcsTag[]; };
}

export interface Interface {
	NetworkInterfaceId: string;
	Status: string;
	VpcId: string;
	VSwitchId: string;
	ZoneId: string;
	PrivateIpAddress: string;
	MacAddress: string;
	ServiceManaged: boolean;
	InstanceId: string;
	Description: string;
	CreationTime: string;
	SecurityGroupIds: { SecurityGroupId: string[]; };
}

export interface Balancer {
	LoadBalancerId: string;
	LoadBalancerName: string;
	LoadBalancerStatus: string;
	AddressType: string;
	DNSName: string;
	VpcId: string;
	CreateTime: string;
	ZoneMappings: { ZoneId: string; VSwitchId: string; Status: string; LoadBalancerAddresses: { EniId: string; PrivateIPv4Address: string; }[]; }[];
	DeletionProtectionConfig: { Enabled: boolean; };
	SecurityGroupIds: string[];
	Tags: Tag[];
}

export interface Listener {
	ListenerId: string;
	ListenerDescription: string;
	ListenerProtocol: string;
	ListenerPort: number;
	ListenerStatus: string;
	LoadBalancerId: string;
	ServerGroupId: string;
	IdleTimeout: number;
}

export interface ServerGroup {
	ServerGroupId: string;
	ServerGroupName: string;
	ServerGroupStatus: string;
	ServerGroupType: string;
	VpcId: string;
	Protocol: string;
	Scheduler: string;
	ServerCount: number;
	RelatedLoadBalancerIds: string[];
	HealthCheck: {
		HealthCheckEnabled: boolean;
		HealthCheckType: string;
		HealthCheckConnectPort: number;
		HealthCheckConnectTimeout: number;
		HealthCheckInterval: number;
		HealthyThreshold: number;
		UnhealthyThreshold: number;
		HealthCheckUrl?: string;
	};
	Tags: Tag[];
}

export interface Server {
	ServerId: string;
	ServerType: string;
	ServerIp: string;
	Port: number;
	Weight: number;
	ZoneId: string;
	Description: string;
	Status: string;
}

const everyMs = 10_000;
/** The API's largest pages, by product. */
const pages = { vpc: { paging: "number", size: 50 }, ecs: { paging: "token", size: 100 }, nlb: { paging: "token", size: 100 } } as const;

export const useVpcs = (params: Params | null = {}): List<Vpc> =>
	useList("vpc", "DescribeVpcs", params, { items: "Vpcs.Vpc", ...pages.vpc, every: everyMs, key: (row) => row.VpcId, busy: (row) => row.Status !== "Available" });

export const useVswitches = (params: Params | null = {}): List<Vswitch> =>
	useList("vpc", "DescribeVSwitches", params, { items: "VSwitches.VSwitch", ...pages.vpc, every: everyMs, key: (row) => row.VSwitchId, busy: (row) => row.Status !== "Available" });

export const useGroups = (params: Params | null = {}): List<Group> =>
	useList("ecs", "DescribeSecurityGroups", params, { items: "SecurityGroups.SecurityGroup", ...pages.ecs, every: everyMs, key: (row) => row.SecurityGroupId });

export const useInstances = (params: Params | null = {}): List<Instance> =>
	useList("ecs", "DescribeInstances", params, { items: "Instances.Instance", ...pages.ecs, every: everyMs, key: (row) => row.InstanceId, busy: isInstanceBusy });

export const isInstanceBusy = (row: Instance): boolean => row.Status !== "Running" && row.Status !== "Stopped";

export const useInterfaces = (params: Params | null = {}): List<Interface> =>
	useList("ecs", "DescribeNetworkInterfaces", params, { items: "NetworkInterfaceSets.NetworkInterfaceSet", size: 500, every: everyMs, key: (row) => row.NetworkInterfaceId, busy: (row) => row.Status !== "InUse" });

export const useBalancers = (params: Params | null = {}): List<Balancer> =>
	useList("nlb", "ListLoadBalancers", params, { items: "LoadBalancers", ...pages.nlb, every: everyMs, key: (row) => row.LoadBalancerId, busy: (row) => row.LoadBalancerStatus !== "Active" });

export const useListeners = (params: Params | null = {}): List<Listener> =>
	useList("nlb", "ListListeners", params, { items: "Listeners", ...pages.nlb, every: everyMs, key: (row) => row.ListenerId, busy: (row) => !/^(Running|Stopped)$/.test(row.ListenerStatus) });

export const useServerGroups = (params: Params | null = {}): List<ServerGroup> =>
	useList("nlb", "ListServerGroups", params, { items: "ServerGroups", ...pages.nlb, every: everyMs, key: (row) => row.ServerGroupId, busy: (row) => row.ServerGroupStatus !== "Available" });

export const keyOfServer = (row: Server): string => `${row.ServerId}:${row.Port}`;

export const useServers = (group: string): List<Server> =>
	useList("nlb", "ListServerGroupServers", { ServerGroupId: group }, { items: "Servers", ...pages.nlb, every: everyMs, key: keyOfServer, busy: (row) => row.Status !== "Available" });

export interface Zone {
	ZoneId: string;
	LocalName: string;
}

/** The region's zones, in the reader's language. */
export function useZones(): Zone[] {
	const language = useLanguage() === "zh" ? "zh-CN" : "en-US";
	return useCall<{ Zones: { Zone: Zone[]; }; }>("vpc", "DescribeZones", { AcceptLanguage: language }).answer?.Zones.Zone ?? noZones;
}

const noZones: Zone[] = [];

/** Tags as the other products write them. */
export const plainTags = (tags: readonly EcsTag[]): Tag[] => tags.map((tag) => ({ Key: tag.TagKey, Value: tag.TagValue }));

/** Which endpoint or load balancer an interface belongs to: the API says it in words. */
export const holderOf = (row: Interface): string => row.InstanceId || (/\S+$/.exec(row.Description)?.[0] ?? "");
