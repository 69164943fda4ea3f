// SPDX-License-Identifier: Apache-2.0
// A provider's and a consumer's life with an endpoint service, as the official clients drive it.
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { acs3, ecs, Ecs, refused, until, v1, vpc, Vpc } = require('./client');
const { accounts, endpoint_parameters, load_balancer, network, region, service, zones } = require('./world');

const consumer = acs3(accounts.consumer, 'privatelink');
const provider = acs3(accounts.provider, 'privatelink');
let consumer_net, provider_net, lb, own;

test('networks, a load balancer and a service exist', async () => {
	consumer_net = await network(accounts.consumer);
	provider_net = await network(accounts.provider);
	lb = await load_balancer(accounts.provider, provider_net);
	own = await service(accounts.provider, lb);
	assert.match(own.ServiceId, /^epsrv-[a-z0-9]+$/);
	assert.equal(own.ServiceName, `com.aliyuncs.privatelink.${region}.${own.ServiceId}`);
});

test('regions and zones are listed, wrapped', async () => {
	const regions = await consumer('DescribeRegions');
	assert.ok(regions.Regions.Region.some((r) => r.RegionId === region));
	const listed = await consumer('DescribeZones');
	assert.ok(listed.Zones.Zone.some((z) => z.ZoneId === zones[0]));
});

test('the product is opened once', async () => {
	await consumer('OpenPrivateLinkService').catch((e) => assert.equal(e.code, 'OrderOpend'));
	assert.equal((await consumer('CheckProductOpen')).Success, true);
});

test('the system service of the mission is offered, with its name', async () => {
	const name = `com.aliyuncs.privatelink.${region}.pai-dlc`;
	const found = await consumer('ListVpcEndpointServicesByEndUser', { ServiceName: name });
	assert.equal(found.Services.length, 1);
	assert.equal(found.Services[0].ServiceName, name);
	assert.equal(found.Services[0].AutoAcceptEnabled, true);
	assert.equal(typeof found.TotalCount, 'string');
});

test('a service that does not list the account cannot be found nor connected', async () => {
	const found = await consumer('ListVpcEndpointServicesByEndUser', { ServiceId: own.ServiceId });
	assert.deepEqual(found.Services, []);
	const e = await refused(consumer('CreateVpcEndpoint', endpoint_parameters(consumer_net, { ServiceId: own.ServiceId })));
	assert.equal(e.code, 'EndpointServiceNotAuthorized');
	assert.equal(e.status, 400);
});

let EndpointId;

test('a listed account connects and waits for acceptance', async () => {
	await provider('AddUserToVpcEndpointService', { ServiceId: own.ServiceId, UserId: accounts.consumer.uid });
	const found = await consumer('ListVpcEndpointServicesByEndUser', { ServiceId: own.ServiceId });
	assert.deepEqual(found.Services[0].Zones.slice().sort(), zones);
	const made = await consumer(
		'CreateVpcEndpoint',
		endpoint_parameters(consumer_net, { ServiceId: own.ServiceId, ClientToken: 'one', 'Zone.2.ip': '10.0.2.77' }),
	);
	EndpointId = made.EndpointId;
	assert.match(EndpointId, /^ep-[a-z0-9]+$/);
	assert.equal(made.EndpointStatus, 'Creating');
	assert.equal(made.ConnectionStatus, 'Disconnected');
	assert.equal(made.EndpointDomain, `${EndpointId}.${own.ServiceId}.${region}.privatelink.aliyuncs.com`);
	await until(
		'endpoint Active',
		async () => (await consumer('GetVpcEndpointAttribute', { EndpointId })).EndpointStatus === 'Active',
	);
	assert.equal((await consumer('GetVpcEndpointAttribute', { EndpointId })).ConnectionStatus, 'Disconnected');
	const listed = await consumer('ListVpcEndpointZones', { EndpointId });
	assert.deepEqual(
		listed.Zones.map((z) => z.ZoneStatus),
		['Wait', 'Wait'],
	);
	assert.equal(listed.Zones.find((z) => z.ZoneId === zones[1]).EniIp, '10.0.2.77');
	assert.equal(listed.TotalCount, 2);
});

test('the same token gives the same endpoint, other parameters are refused', async () => {
	const parameters = { ServiceId: own.ServiceId, ClientToken: 'one', 'Zone.2.ip': '10.0.2.77' };
	const again = await consumer('CreateVpcEndpoint', endpoint_parameters(consumer_net, parameters));
	assert.equal(again.EndpointId, EndpointId);
	const e = await refused(
		consumer('CreateVpcEndpoint', endpoint_parameters(consumer_net, { ...parameters, EndpointName: 'other' })),
	);
	assert.equal(e.code, 'IdempotenceSignatureMismatch');
});

test('calls with one token in parallel make one endpoint', async () => {
	const parameters = endpoint_parameters(consumer_net, {
		ServiceId: own.ServiceId,
		ClientToken: 'parallel',
		EndpointName: 'parallel',
	});
	const made = await Promise.all(Array.from({ length: 8 }, () => consumer('CreateVpcEndpoint', parameters)));
	assert.equal(new Set(made.map((m) => m.EndpointId)).size, 1);
	const listed = await consumer('ListVpcEndpoints', { EndpointName: 'parallel' });
	assert.equal(listed.TotalCount, 1);
});

test('the provider sees the connection, accepts it, and the zones connect', async () => {
	const seen = await provider('ListVpcEndpointConnections', { ServiceId: own.ServiceId, EndpointId });
	assert.equal(seen.Connections.length, 1);
	assert.equal(String(seen.Connections[0].EndpointOwnerId), accounts.consumer.uid);
	await provider('EnableVpcEndpointConnection', { ServiceId: own.ServiceId, EndpointId });
	await until(
		'Connected',
		async () => (await consumer('GetVpcEndpointAttribute', { EndpointId })).ConnectionStatus === 'Connected',
	);
	const { Zones } = await consumer('ListVpcEndpointZones', { EndpointId });
	assert.ok(Zones.every((z) => z.ZoneStatus === 'Connected'));
	assert.ok(Zones.every((z) => z.ZoneDomain.startsWith(`${EndpointId}-${z.ZoneId}.`)));
});

test('the endpoint ENIs are shown by ECS as managed by the service', async () => {
	const client = ecs(accounts.consumer);
	const answer = await client.describeNetworkInterfaces(
		new Ecs.DescribeNetworkInterfacesRequest({ regionId: region, vSwitchId: consumer_net.vswitches[0] }),
	);
	const sets = answer.body.networkInterfaceSets.networkInterfaceSet;
	assert.ok(sets.length >= 1);
	assert.ok(sets.every((s) => s.serviceManaged === true));
});

test('the classic client (V1) sees the same endpoint', async () => {
	const answer = await v1(accounts.consumer, 'privatelink')('GetVpcEndpointAttribute', { EndpointId });
	assert.equal(answer.EndpointId, EndpointId);
	assert.equal(answer.ConnectionStatus, 'Connected');
});

test('both signatures work over HTTPS with the local CA', async () => {
	const current = await acs3(accounts.consumer, 'privatelink', { secure: true })('GetVpcEndpointAttribute', { EndpointId });
	assert.equal(current.EndpointId, EndpointId);
	const classic = await v1(accounts.consumer, 'privatelink', true)('GetVpcEndpointAttribute', { EndpointId });
	assert.equal(classic.EndpointId, EndpointId);
});

test('an account does not see what belongs to another', async () => {
	const e = await refused(provider('GetVpcEndpointAttribute', { EndpointId }));
	assert.equal(e.code, 'EndpointNotFound');
	assert.match(e.message, /NotFound/);
	const services = await consumer('ListVpcEndpointServices', { ServiceId: own.ServiceId });
	assert.deepEqual(services.Services, []);
});

test('endpoint and service are tagged, by query and by form', async () => {
	await consumer('TagResources', {
		ResourceType: 'vpcendpoint',
		'ResourceId.1': EndpointId,
		'Tag.1.Key': 'env',
		'Tag.1.Value': 'test',
		'Tag.2.Key': 'team',
		'Tag.2.Value': '',
	});
	await provider('TagResources', {}, {
		ResourceType: 'VpcEndpointService',
		'ResourceId.1': own.ServiceId,
		'Tag.1.Key': 'env',
		'Tag.1.Value': 'test',
	});
	const listed = await consumer('ListTagResources', { ResourceType: 'vpcendpoint', ResourceId: JSON.stringify([EndpointId]) });
	assert.deepEqual(
		listed.TagResources.map((t) => [t.ResourceId, t.ResourceType, t.TagKey, t.TagValue]),
		[
			[EndpointId, 'vpcendpoint', 'env', 'test'],
			[EndpointId, 'vpcendpoint', 'team', ''],
		],
	);
	assert.deepEqual(Object.keys(listed).sort(), ['RequestId', 'TagResources']);
	const services = await provider('ListVpcEndpointServices', { 'Tag.1.Key': 'env', 'Tag.1.Value': 'test' });
	assert.equal(services.Services[0].ServiceId, own.ServiceId);
	await consumer('UntagResources', {}, { ResourceType: 'vpcendpoint', 'ResourceId.1': EndpointId, 'TagKey.1': 'env' });
	const left = await consumer('ListTagResources', { ResourceType: 'vpcendpoint', 'ResourceId.1': EndpointId });
	assert.deepEqual(left.TagResources.map((t) => t.TagKey), ['team']);
});

test('endpoint, service and connection are changed and settle', async () => {
	await consumer('UpdateVpcEndpointAttribute', { EndpointId, EndpointName: 'renamed', EndpointDescription: 'of tests' });
	await provider('UpdateVpcEndpointServiceAttribute', {
		ServiceId: own.ServiceId,
		ServiceDescription: 'another',
		ConnectBandwidth: 1024,
	});
	await provider('UpdateVpcEndpointConnectionAttribute', { ServiceId: own.ServiceId, EndpointId, Bandwidth: 2048 });
	await until('all Active', async () => {
		const endpoint = await consumer('GetVpcEndpointAttribute', { EndpointId });
		const changed = await provider('GetVpcEndpointServiceAttribute', { ServiceId: own.ServiceId });
		return (
			endpoint.EndpointStatus === 'Active' &&
			endpoint.ConnectionStatus === 'Connected' &&
			changed.ServiceStatus === 'Active'
		);
	});
	const endpoint = await consumer('GetVpcEndpointAttribute', { EndpointId });
	assert.equal(endpoint.EndpointName, 'renamed');
	assert.equal(endpoint.Bandwidth, 2048);
	assert.equal((await provider('GetVpcEndpointServiceAttribute', { ServiceId: own.ServiceId })).ConnectBandwidth, 1024);
});

test('one zone is cut and joined again', async () => {
	const zone = { ServiceId: own.ServiceId, EndpointId, ZoneId: zones[0] };
	const status = async () =>
		(await consumer('ListVpcEndpointZones', { EndpointId })).Zones.find((z) => z.ZoneId === zones[0]).ZoneStatus;
	await provider('DisableVpcEndpointZoneConnection', zone);
	await until('zone Disconnected', async () => (await status()) === 'Disconnected');
	assert.equal((await consumer('GetVpcEndpointAttribute', { EndpointId })).ConnectionStatus, 'Connected');
	const e = await refused(provider('DisableVpcEndpointZoneConnection', zone));
	assert.equal(e.code, 'IncorrectStatus.VpcEndpointZone');
	await provider('EnableVpcEndpointZoneConnection', zone);
	await until('zone Connected', async () => (await status()) === 'Connected');
	const missing = await refused(provider('EnableVpcEndpointZoneConnection', { ...zone, ZoneId: 'cn-hangzhou-z' }));
	assert.equal(missing.code, 'ResourceNotFound.VpcEndpointZone');
	assert.equal(missing.status, 404);
});

test('the whitelist is read and taken back', async () => {
	const users = await provider('ListVpcEndpointServiceUsers', { ServiceId: own.ServiceId });
	assert.deepEqual(users.Users.map((u) => String(u.UserId)).sort(), [accounts.consumer.uid, accounts.provider.uid].sort());
	assert.deepEqual(users.UserARNs, []);
	assert.equal(users.TotalCount, '2');
	await provider('AddUserToVpcEndpointService', { ServiceId: own.ServiceId, UserARN: '*' });
	const arns = await provider('ListVpcEndpointServiceUsers', { ServiceId: own.ServiceId, UserListType: 'UserARNs' });
	assert.deepEqual(arns.UserARNs, [{ UserARN: '*' }]);
	await provider('RemoveUserFromVpcEndpointService', { ServiceId: own.ServiceId, UserARN: '*' });
	const after = await provider('ListVpcEndpointServiceUsers', { ServiceId: own.ServiceId, UserListType: 'UserARNs' });
	assert.deepEqual(after.UserARNs, []);
});

test('what serves a connection stays attached, and things move between resource groups', async () => {
	const e = await refused(
		provider('DetachResourceFromVpcEndpointService', {
			ServiceId: own.ServiceId,
			ResourceId: lb.LoadBalancerId,
			ResourceType: 'nlb',
			ZoneId: zones[0],
		}),
	);
	assert.equal(e.code, 'EndpointServiceConnectionDependence');
	const groups = acs3(accounts.consumer, 'resourcemanager');
	const { Id } = (await groups('CreateResourceGroup', { Name: 'tests', DisplayName: 'Tests' })).ResourceGroup;
	await consumer('ChangeResourceGroup', { ResourceId: EndpointId, ResourceType: 'VpcEndpoint', ResourceGroupId: Id });
	assert.equal((await consumer('GetVpcEndpointAttribute', { EndpointId })).ResourceGroupId, Id);
});

test('an endpoint with zones cannot be deleted, a service with connections neither', async () => {
	assert.equal((await refused(consumer('DeleteVpcEndpoint', { EndpointId }))).code, 'EndpointDependenceViolation');
	assert.equal(
		(await refused(provider('DeleteVpcEndpointService', { ServiceId: own.ServiceId }))).code,
		'EndpointServiceConnectionDependence',
	);
});

test('zones are removed and added, and their addresses are freed', async () => {
	const client = vpc(accounts.consumer);
	const free = async () =>
		(
			await client.describeVSwitchAttributes(
				new Vpc.DescribeVSwitchAttributesRequest({ regionId: region, vSwitchId: consumer_net.vswitches[1] }),
			)
		).body.availableIpAddressCount;
	const before = await free();
	await consumer('RemoveZoneFromVpcEndpoint', { EndpointId, ZoneId: zones[1] });
	await until(
		'zone gone',
		async () => (await consumer('ListVpcEndpointZones', { EndpointId })).Zones.length === 1,
	);
	assert.equal(await free(), before + 1);
	await consumer('AddZoneToVpcEndpoint', {
		EndpointId,
		ZoneId: zones[1],
		VSwitchId: consumer_net.vswitches[1],
		ip: '10.0.2.78',
	});
	await until('zone Connected', async () => {
		const { Zones } = await consumer('ListVpcEndpointZones', { EndpointId });
		return Zones.length === 2 && Zones.every((z) => z.ZoneStatus === 'Connected');
	});
	assert.equal(await free(), before);
});

test('the provider cuts the connection', async () => {
	await provider('DisableVpcEndpointConnection', { ServiceId: own.ServiceId, EndpointId });
	await until(
		'Disconnected',
		async () => (await consumer('GetVpcEndpointAttribute', { EndpointId })).ConnectionStatus === 'Disconnected',
	);
});

test('lists page by token and count all matches', async () => {
	const first = await consumer('ListVpcEndpoints', { MaxResults: 1 });
	assert.equal(first.Endpoints.length, 1);
	assert.ok(first.TotalCount >= 2);
	assert.ok(first.NextToken);
	const second = await consumer('ListVpcEndpoints', { MaxResults: 1, NextToken: first.NextToken });
	assert.notEqual(second.Endpoints[0].EndpointId, first.Endpoints[0].EndpointId);
	const e = await refused(consumer('ListVpcEndpoints', { NextToken: 'damaged!' }));
	assert.ok(e.code, 'a damaged token is an error');
});

test('a system service that nothing was bound to serves no zone', async () => {
	const name = `com.aliyuncs.privatelink.${region}.pai-dlc`;
	const found = await consumer('ListVpcEndpointServicesByEndUser', { ServiceName: name });
	assert.deepEqual(found.Services[0].Zones, []);
	const e = await refused(consumer('CreateVpcEndpoint', endpoint_parameters(consumer_net, { ServiceName: name })));
	assert.equal(e.code, 'EndpointServiceNotSupportedZone');
});

test('endpoints and the service go, in the documented order', async () => {
	for (const endpoint of (await consumer('ListVpcEndpoints')).Endpoints) {
		const id = endpoint.EndpointId;
		for (const zone of (await consumer('ListVpcEndpointZones', { EndpointId: id })).Zones) {
			await consumer('RemoveZoneFromVpcEndpoint', { EndpointId: id, ZoneId: zone.ZoneId });
		}
		await until(
			'zones gone',
			async () => (await consumer('ListVpcEndpointZones', { EndpointId: id })).Zones.length === 0,
		);
		await consumer('DeleteVpcEndpoint', { EndpointId: id });
		await until('endpoint gone', async () => {
			try {
				await consumer('GetVpcEndpointAttribute', { EndpointId: id });
				return false;
			} catch (e) {
				return e.code === 'EndpointNotFound';
			}
		});
	}
	await provider('DeleteVpcEndpointService', { ServiceId: own.ServiceId });
	await until('service gone', async () => {
		try {
			await provider('GetVpcEndpointServiceAttribute', { ServiceId: own.ServiceId });
			return false;
		} catch (e) {
			return e.code === 'EndpointServiceNotFound';
		}
	});
	const e = await refused(provider('ListVpcEndpointConnections', { ServiceId: own.ServiceId }));
	assert.equal(e.code, 'EndpointServiceNotFound');
	assert.match(e.message, /NotFound/);
});
