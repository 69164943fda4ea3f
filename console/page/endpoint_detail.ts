// SPDX-License-Identifier: Apache-2.0
// What the tabs of an endpoint's page share.

/** As GetVpcEndpointAttribute answers. */
export interface EndpointDetail {
	EndpointId: string;
	EndpointName: string;
	EndpointDescription: string;
	EndpointDomain: string;
	EndpointStatus: string;
	EndpointType: string;
	ConnectionStatus: string;
	AcceptanceStatus: string;
	StatusInfo?: string;
	AddressIpVersion: string;
	Bandwidth?: number;
	CrossRegionBandwidth?: number;
	ZoneAffinityEnabled: boolean;
	VpcId: string;
	ServiceId: string;
	ServiceName: string;
	ServiceRegionId: string;
	ResourceGroupId: string;
	ResourceOwner: boolean;
	CreateTime: string;
	RegionId: string;
	Payer?: string;
}

/** What every tab gets. */
export interface TabProps {
	endpoint: EndpointDetail;
}
