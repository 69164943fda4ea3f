// SPDX-License-Identifier: Apache-2.0
// Endpoint services and what belongs to them, as the API answers them to their owner.
import type { Params } from "../lib/client";
import type { Tag } from "../lib/form";
import { useList } from "./context";
import type { List } from "./context";

export interface Service {
	ServiceId: string;
	ServiceName: string;
	ServiceDescription: string;
	ServiceDomain: string;
	ServiceStatus: string;
	ServiceResourceType: string;
	AddressIpVersion: string;
	AutoAcceptEnabled: boolean;
	ConnectBandwidth: number;
	MinBandwidth: number;
	MaxBandwidth: number;
	Payer: string;
	ZoneAffinityEnabled: boolean;
	CreateTime: string;
	Tags?: Tag[];
	/** The one service's answer alone. */
	Zones?: string[];
}

export interface Resource {
	ResourceId: string;
	ResourceType: string;
	ZoneId: string;
	VpcId: string;
	VSwitchId: string;
	Ip: string;
	AutoAllocatedEnabled: boolean;
	RelatedEndpointCount: number;
}

export interface ZoneConnection {
	ZoneId: string;
	ZoneStatus: string;
	ResourceId: string;
	ZoneDomain: string;
}

export interface Connection {
	EndpointId: string;
	EndpointOwnerId: number;
	EndpointRegionId: string;
	ServiceId: string;
	ConnectionStatus: string;
	AcceptanceStatus: string;
	Bandwidth: number;
	ModifiedTime: string;
	Zones: ZoneConnection[];
}

export interface Guest {
	/** An account's number, or an ARN. */
	name: string;
	isArn: boolean;
}

const everyMs = 5000;

export const isServiceBusy = (row: Service): boolean => /^(Creating|Pending|Deleting)$/.test(row.ServiceStatus);

export const useServices = (params: Params | null = {}): List<Service> =>
	useList("privatelink", "ListVpcEndpointServices", params, { items: "Services", every: everyMs, key: (row) => row.ServiceId, busy: isServiceBusy });

export const keyOfResource = (row: Resource): string => `${row.ResourceId}:${row.ZoneId}`;

export const useResources = (service: string): List<Resource> =>
	useList("privatelink", "ListVpcEndpointServiceResources", { ServiceId: service }, { items: "Resources", size: 50, every: everyMs, key: keyOfResource });

export const isConnectionBusy = (row: Connection): boolean => /ing$/.test(row.ConnectionStatus) || row.Zones.some((zone) => /ing$/.test(zone.ZoneStatus));

/** The connections of a service, or of all services. */
export const useConnections = (service?: string): List<Connection> =>
	useList("privatelink", "ListVpcEndpointConnections", service ? { ServiceId: service } : {}, { items: "Connections", every: everyMs, key: (row) => row.EndpointId, busy: isConnectionBusy });

export const useUsers = (service: string): List<{ UserId: number; }> =>
	useList("privatelink", "ListVpcEndpointServiceUsers", { ServiceId: service, UserListType: "Users" }, { items: "Users", size: 50, every: everyMs, key: (row) => String(row.UserId) });

export const useUserArns = (service: string): List<{ UserARN: string; }> =>
	useList("privatelink", "ListVpcEndpointServiceUsers", { ServiceId: service, UserListType: "UserARNs" }, { items: "UserARNs", size: 50, every: everyMs, key: (row) => row.UserARN });
