// SPDX-License-Identifier: Apache-2.0
// Endpoints as ListVpcEndpoints answers them, any number of them.
'use strict';

function endpointRow(n) {
	const number = String(n).padStart(4, '0');

	return {
		EndpointId: `ep-bp1made${number}`, EndpointName: `endpoint-${number}`, EndpointDescription: '', EndpointType: 'Interface',
		EndpointDomain: `ep-bp1made${number}.epsrv-bp1made.cn-hangzhou.privatelink.aliyuncs.com`, EndpointStatus: 'Active', EndpointBusinessStatus: 'Normal',
		ConnectionStatus: n % 3 === 0 ? 'Disconnected' : 'Connected', AcceptanceStatus: 'Accepted', AddressIpVersion: 'IPv4', VpcId: `vpc-bp1made${n % 10}`,
		ServiceId: 'epsrv-bp1made', ServiceName: 'com.aliyuncs.privatelink.cn-hangzhou.epsrv-bp1made', ServiceRegionId: 'cn-hangzhou',
		CreateTime: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(), Tags: [{ Key: 'team', Value: `t${n % 7}` }],
	};
}

const endpointRows = (count) => Array.from({ length: count }, (_, n) => endpointRow(n));

module.exports = { endpointRows };
