// SPDX-License-Identifier: Apache-2.0
// All of PrivateLink's actions, by the current client and by the classic one, through the whole life of an endpoint and a
// service; and every error that the public API lists for an action. What answers look like is compared below all clients
// (shapes.js). At the end it is counted: each action was answered, each of its parameters was taken, each of its listed
// codes was answered by some call, or doc/api.md says why not.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { acs3, ecs, refused, region, until, v1, versions, vpc, Ecs, Vpc } = require('./client');
const { products, seen } = require('./shapes');
const { accounts, endpoint_parameters, instance, load_balancer, network, service, zones } = require('./world');

Object.assign(versions, { privlink: '2026-11-01' });
const consumer = acs3(accounts.consumer, 'privatelink');
const provider = acs3(accounts.provider, 'privatelink');
const admin = acs3(accounts.admin, 'privlink');
const nlb = acs3(accounts.provider, 'nlb');

let net, provider_net, first, second, group, enterprise, own, consumer_group, provider_group;

test('both sides have what they need, by the typed clients', async () => {
	net = await network(accounts.consumer);
	provider_net = await network(accounts.provider);
	first = await load_balancer(accounts.provider, provider_net);
	second = await nlb('CreateLoadBalancer', {
		AddressType: 'Intranet',
		VpcId: provider_net.VpcId,
		'ZoneMappings.1.ZoneId': zones[0],
		'ZoneMappings.1.VSwitchId': provider_net.vswitches[0],
		'ZoneMappings.2.ZoneId': zones[1],
		'ZoneMappings.2.VSwitchId': provider_net.vswitches[1],
	});
	second = { LoadBalancerId: second.LoadbalancerId };
	const groups = ecs(accounts.consumer);
	const make = async (securityGroupType) =>
		(
			await groups.createSecurityGroup(
				new Ecs.CreateSecurityGroupRequest({ regionId: region, vpcId: net.VpcId, securityGroupType }),
			)
		).body.securityGroupId;
	group = await make('normal');
	enterprise = await make('enterprise');
	await until('second load balancer Active', async () => {
		const { LoadBalancerStatus } = await nlb('GetLoadBalancerAttribute', second);
		return LoadBalancerStatus === 'Active';
	});
	consumer_group = await resource_group(accounts.consumer);
	provider_group = await resource_group(accounts.provider);
	own = await service(accounts.provider, first);
	await provider('AddUserToVpcEndpointService', { ServiceId: own.ServiceId, UserId: accounts.consumer.uid });
});

const resource = (balancer, zone, more = {}) => ({
	ResourceType: 'nlb',
	ResourceId: balancer.LoadBalancerId,
	ZoneId: zone,
	...more,
});
const numbered = (name, objects) =>
	Object.fromEntries(
		objects.flatMap((o, i) => Object.entries(o).map(([key, value]) => [`${name}.${i + 1}.${key}`, value])),
	);

const endpoint_status = async (EndpointId) => {
	const endpoint = await consumer('GetVpcEndpointAttribute', { EndpointId });
	return `${endpoint.EndpointStatus} ${endpoint.ConnectionStatus}`;
};
const endpoint_is = (EndpointId, connection) =>
	until(`endpoint Active ${connection}`, async () => (await endpoint_status(EndpointId)) === `Active ${connection}`);
const service_active = (ServiceId) =>
	until(
		'service Active',
		async () => (await provider('GetVpcEndpointServiceAttribute', { ServiceId })).ServiceStatus === 'Active',
	);
async function zone_is(EndpointId, zone, ...wanted) {
	let status;
	const reached = until(`zone ${wanted}`, async () => {
		const { Zones } = await consumer('ListVpcEndpointZones', { EndpointId });
		status = (Zones.find((z) => z.ZoneId === zone) || { ZoneStatus: 'gone' }).ZoneStatus;
		return wanted.includes(status);
	});
	await reached.catch((e) => assert.fail(`${e.message}; it is ${status}`));
}
const endpoint_gone = (EndpointId) =>
	until('endpoint gone', async () => (await consumer('ListVpcEndpoints', { EndpointId })).TotalCount === 0);

async function connect(ServiceId, more = {}) {
	const { EndpointId } = await consumer('CreateVpcEndpoint', {
		VpcId: net.VpcId,
		ServiceId,
		'SecurityGroupId.1': group,
		...more,
	});
	await until('endpoint Active', async () => /^Active/.test(await endpoint_status(EndpointId)));
	return EndpointId;
}
const zone_parameters = (i, more = {}) => ({ ZoneId: zones[i], VSwitchId: net.vswitches[i], ...more });
const in_zone = (i) => numbered('Zone', [zone_parameters(i)]);

async function remove(EndpointId) {
	const { Zones } = await consumer('ListVpcEndpointZones', { EndpointId });
	for (const zone of Zones) {
		await consumer('RemoveZoneFromVpcEndpoint', { EndpointId, ZoneId: zone.ZoneId });
	}
	await consumer('DeleteVpcEndpoint', { EndpointId });
	await endpoint_gone(EndpointId);
}

async function remove_service(ServiceId) {
	await provider('DeleteVpcEndpointService', { ServiceId });
	await until('service gone', async () => (await provider('ListVpcEndpointServices', { ServiceId })).TotalCount === 0);
}

// A group of each side; where nobody keeps groups yet, any name is one.
async function resource_group(account) {
	const made = acs3(account, 'resourcemanager')('CreateResourceGroup', { Name: 'conformance', DisplayName: 'conformance' });
	return made.then(
		(answer) => answer.ResourceGroup.Id,
		(e) => {
			assert.match(String(e.code), /InvalidVersion|NoSuchVersion|InvalidAction.NotFound/);
			return 'rg-conformance';
		},
	);
}

// --- the life of a service and an endpoint

// What nothing may have changed: all that the two accounts see of PrivateLink.
async function everything() {
	const endpoints = (await consumer('ListVpcEndpoints', { MaxResults: 1000 })).Endpoints;
	const services = (await provider('ListVpcEndpointServices', { MaxResults: 1000 })).Services;
	const parts = [];
	for (const { EndpointId } of endpoints) {
		parts.push((await consumer('ListVpcEndpointZones', { EndpointId })).Zones);
		parts.push((await consumer('ListVpcEndpointSecurityGroups', { EndpointId })).SecurityGroups);
	}
	for (const { ServiceId } of services) {
		parts.push((await provider('ListVpcEndpointServiceResources', { ServiceId })).Resources);
		parts.push((await provider('ListVpcEndpointServiceUsers', { ServiceId })).Users);
		parts.push((await provider('ListVpcEndpointServiceUsers', { ServiceId, UserListType: 'UserARNs' })).UserARNs);
	}
	parts.push((await provider('ListVpcEndpointConnections', { MaxResults: 1000 })).Connections);
	return JSON.stringify([endpoints, services, parts]);
}

// The same when nothing is on its way any more.
async function settled() {
	let all;
	const moving = /"\w+Status":"(Attaching|Connecting|Creating|Deleting|Detaching|Disconnecting|Migrating|Pending)"/;
	await until('nothing moves', async () => !moving.test((all = await everything())));
	return all;
}

// One life by one client; `name` tells the two apart. A changing call is made dry first, then twice with one token, then with
// that token and another object.
async function live(t, name, of_consumer, of_provider) {
	const life = {};
	async function change(call, action, parameters, options) {
		const before = await settled();
		const takes = products.privatelink.actions[action].takes;
		if (takes.DryRun) {
			const dry = await refused(call(action, { ...parameters, DryRun: true }, options));
			assert.equal(dry.code, 'DryRunOperation', `${action}, dry`);
			assert.equal(dry.status || 400, 400);
			assert.equal(await everything(), before, `${action}, dry, changed nothing`);
		}
		const token = takes.ClientToken ? { ClientToken: `${name}-${action}-${Object.keys(life).length}` } : {};
		life[action + Object.keys(life).length] = true;
		const [answer, at_once] = token.ClientToken
			? await Promise.all([1, 2].map(() => call(action, { ...parameters, ...token }, options)))
			: [await call(action, parameters, options)];
		if (token.ClientToken) {
			const again = await call(action, { ...parameters, ...token }, options);
			for (const other of [at_once, again]) {
				assert.deepEqual({ ...other, RequestId: 0 }, { ...answer, RequestId: 0 }, `${action}, the same token`);
			}
			const key = Object.keys(parameters).find((k) => /Id(\.1)?$/.test(k)) || Object.keys(parameters)[0];
			const mismatch = await refused(
				call(action, { ...parameters, ...token, [key]: `${parameters[key]}0` }, options),
			);
			assert.equal(mismatch.code, 'IdempotenceSignatureMismatch', `${action}, the token with another ${key}`);
		}
		return answer;
	}

	const consume = (action, parameters) => change(of_consumer, action, parameters);
	const provide = (action, parameters) => change(of_provider, action, parameters);

	await of_provider('OpenPrivateLinkService', { OwnerId: 1 }).catch((e) => assert.match(String(e.code), /OrderOpend/));
	assert.equal((await of_provider('CheckProductOpen')).Success, true);
	await of_provider('DescribeRegions', { ServiceResourceType: 'nlb' });
	await of_provider('DescribeZones', { ServiceResourceType: 'nlb', CrossRegion: false, CrossRegionSide: 'Endpoint' });

	const { ServiceId } = await provide('CreateVpcEndpointService', {
		ServiceDescription: 'a service',
		ResourceGroupId: provider_group,
		ServiceResourceType: 'nlb',
		ServiceSupportIPv6: false,
		AddressIpVersion: 'IPv4',
		AutoAcceptEnabled: false,
		ZoneAffinityEnabled: false,
		Payer: 'Endpoint',
		'SupportedRegionList.1': region,
		'Tag.1.Key': 'side',
		'Tag.1.Value': 'provider',
		...numbered('Resource', [resource(first, zones[0]), resource(first, zones[1])]),
	});
	await service_active(ServiceId);
	const all = (await of_provider('GetVpcEndpointServiceAttribute', { ServiceId })).Zones;
	assert.deepEqual(all.slice().sort(), zones);

	await provide('AddUserToVpcEndpointService', { ServiceId, UserId: accounts.consumer.uid });
	await provide('AddUserToVpcEndpointService', { ServiceId, UserARN: `acs:ram:*:${accounts.consumer.uid}:*` });
	const users = await of_provider('ListVpcEndpointServiceUsers', { ServiceId, UserId: accounts.consumer.uid, MaxResults: 50 });
	assert.deepEqual(users.Users.map((u) => String(u.UserId)), [accounts.consumer.uid]);
	const arns = await of_provider('ListVpcEndpointServiceUsers', { ServiceId, UserListType: 'UserARNs' });
	assert.equal(arns.UserARNs.length, 1);

	await provide('AttachResourceToVpcEndpointService', { ServiceId, ...resource(second, zones[0]) });
	await provide('UpdateVpcEndpointServiceResourceAttribute', {
		ServiceId,
		ResourceId: second.LoadBalancerId,
		ZoneId: zones[0],
		AutoAllocatedEnabled: false,
	});
	await provide('UpdateVpcEndpointServiceAttribute', {
		ServiceId,
		ServiceDescription: 'another description',
		ServiceSupportIPv6: false,
		AddressIpVersion: 'IPv4',
		AutoAcceptEnabled: false,
		ZoneAffinityEnabled: true,
		ConnectBandwidth: 1000,
		'AddSupportedRegionSet.1': region,
		'DeleteSupportedRegionSet.1': 'cn-beijing',
	});
	await service_active(ServiceId);

	const name_of = { ServiceName: (await of_provider('GetVpcEndpointServiceAttribute', { ServiceId })).ServiceName };
	const found = await of_consumer('ListVpcEndpointServicesByEndUser', {
		ServiceId,
		...name_of,
		ServiceRegionId: region,
		ServiceType: 'Interface',
		MaxResults: 1000,
	});
	assert.equal(found.Services.length, 1);
	assert.equal(found.TotalCount, '1');

	const { EndpointId } = await consume('CreateVpcEndpoint', {
		VpcId: net.VpcId,
		ServiceId,
		...name_of,
		ServiceRegionId: region,
		EndpointName: `endpoint-${name}`,
		ResourceGroupId: consumer_group,
		EndpointDescription: 'an endpoint',
		EndpointType: 'Interface',
		AddressIpVersion: 'IPv4',
		ProtectedEnabled: false,
		ZoneAffinityEnabled: false,
		ZonePrivateIpAddressCount: 1,
		'SecurityGroupId.1': net.SecurityGroupId,
		'Tag.1.Key': 'side',
		'Tag.1.Value': 'consumer',
		...numbered('Zone', [zone_parameters(0, { ip: '10.0.1.200', Ipv6Address: '' })]),
	});
	await endpoint_is(EndpointId, 'Disconnected');
	assert.equal((await of_consumer('GetVpcEndpointAttribute', { EndpointId })).Bandwidth, 1000);
	await consume('AddZoneToVpcEndpoint', { EndpointId, ...zone_parameters(1, { ip: '10.0.2.200', Ipv6Address: '' }) });
	await zone_is(EndpointId, zones[1], 'Wait');
	await consume('UpdateVpcEndpointAttribute', {
		EndpointId,
		EndpointName: `renamed-${name}`,
		EndpointDescription: 'another description',
		AddressIpVersion: 'IPv4',
		ZoneAffinityEnabled: true,
		ResetPolicy: true,
	});
	await endpoint_is(EndpointId, 'Disconnected');
	for (const action of ['AttachSecurityGroupToVpcEndpoint', 'DetachSecurityGroupFromVpcEndpoint']) {
		await consume(action, { EndpointId, SecurityGroupId: group });
		await endpoint_is(EndpointId, 'Disconnected');
	}

	const ends = { ServiceId, EndpointId };
	await provide('UpdateVpcEndpointZoneConnectionResourceAttribute', {
		...ends,
		...resource(second, zones[0]),
		ResourceAllocateMode: 'Manual',
	});
	await provide('EnableVpcEndpointConnection', { ...ends, Bandwidth: 200, TrafficControlMode: 'BandwidthLimit' });
	await endpoint_is(EndpointId, 'Connected');
	await provide('UpdateVpcEndpointConnectionAttribute', { ...ends, Bandwidth: 300, TrafficControlMode: 'Scalability' });
	await endpoint_is(EndpointId, 'Connected');
	await provide('UpdateVpcEndpointZoneConnectionResourceAttribute', {
		...ends,
		...resource(first, zones[0]),
		ResourceReplaceMode: 'Force',
	});
	await endpoint_is(EndpointId, 'Connected');
	await service_active(ServiceId);
	await provide('DisableVpcEndpointZoneConnection', { ...ends, ZoneId: zones[0], ReplacedResource: false });
	await zone_is(EndpointId, zones[0], 'Disconnected');
	await provide('EnableVpcEndpointZoneConnection', { ...ends, ZoneId: zones[0] });
	await zone_is(EndpointId, zones[0], 'Connected');

	await tags_and_groups(t, change, of_consumer, of_provider, { EndpointId, ServiceId });
	await read_all(of_consumer, of_provider, { EndpointId, ServiceId, ...name_of });

	await provide('DisableVpcEndpointConnection', ends);
	await endpoint_is(EndpointId, 'Disconnected');
	for (const ZoneId of zones) {
		await consume('RemoveZoneFromVpcEndpoint', { EndpointId, ZoneId });
		await zone_is(EndpointId, ZoneId, 'gone');
	}
	await consume('DeleteVpcEndpoint', { EndpointId });
	await endpoint_gone(EndpointId);
	await provide('DetachResourceFromVpcEndpointService', { ServiceId, ...resource(second, zones[0]) });
	await service_active(ServiceId);
	await provide('RemoveUserFromVpcEndpointService', { ServiceId, UserId: accounts.consumer.uid });
	await provide('RemoveUserFromVpcEndpointService', { ServiceId, UserARN: `acs:ram:*:${accounts.consumer.uid}:*` });
	await provide('DeleteVpcEndpointService', { ServiceId });
	await until('service gone', async () => (await provider('ListVpcEndpointServices', { ServiceId })).TotalCount === 0);
}

async function tags_and_groups(t, change, of_consumer, of_provider, { EndpointId, ServiceId }) {
	for (const [call, ResourceType, id, ResourceGroupId] of [
		[of_consumer, 'vpcendpoint', EndpointId, consumer_group],
		[of_provider, 'VpcEndpointService', ServiceId, provider_group],
	]) {
		await change(call, 'ChangeResourceGroup', { ResourceId: id, ResourceGroupId, ResourceType });
		const object = { ResourceType, 'ResourceId.1': id };
		await change(call, 'TagResources', { ...object, 'Tag.1.Key': 'a', 'Tag.1.Value': 'b', 'Tag.2.Key': 'c', 'Tag.2.Value': '' });
		const tags = await call('ListTagResources', { ...object, 'Tag.1.Key': 'a', 'Tag.1.Value': 'b', ClientToken: 'read' });
		assert.deepEqual(tags.TagResources.map((x) => [x.TagKey, x.TagValue]), [['a', 'b']]);
		await change(call, 'UntagResources', { ...object, 'TagKey.1': 'a' });
		await change(call, 'UntagResources', { ...object, All: true });
		assert.deepEqual((await call('ListTagResources', object)).TagResources, []);
		await call('TagResources', { ...object, 'Tag.1.Key': 'side', 'Tag.1.Value': 'again' });
	}
}

async function read_all(of_consumer, of_provider, { EndpointId, ServiceId, ServiceName }) {
	const endpoint = await of_consumer('GetVpcEndpointAttribute', { EndpointId });
	const only = async (call, action, list, parameters) => {
		const answer = await call(action, parameters);
		assert.equal(answer[list].length, 1, `${action} ${JSON.stringify(parameters)}`);
		return answer[list][0];
	};
	await only(of_consumer, 'ListVpcEndpoints', 'Endpoints', {
		EndpointId,
		EndpointName: endpoint.EndpointName,
		EndpointStatus: 'Active',
		EndpointType: 'Interface',
		ConnectionStatus: 'Connected',
		AddressIpVersion: 'IPv4',
		VpcId: net.VpcId,
		ServiceName,
		ServiceRegionId: region,
		ResourceGroupId: consumer_group,
		'Tag.1.Key': 'side',
		'Tag.1.Value': 'again',
		MaxResults: 1000,
	});
	const listed = (await of_consumer('ListVpcEndpointZones', { EndpointId, MaxResults: 1000 })).Zones;
	assert.deepEqual(listed.map((z) => z.ZoneStatus), ['Connected', 'Connected']);
	await only(of_consumer, 'ListVpcEndpointSecurityGroups', 'SecurityGroups', { EndpointId, MaxResults: 50 });
	await only(of_provider, 'ListVpcEndpointServices', 'Services', {
		ServiceId,
		ServiceName,
		ServiceStatus: 'Active',
		ServiceBusinessStatus: 'Normal',
		ServiceResourceType: 'nlb',
		AddressIpVersion: 'IPv4',
		AutoAcceptEnabled: false,
		ZoneAffinityEnabled: true,
		ResourceId: second.LoadBalancerId,
		ResourceGroupId: provider_group,
		'Tag.1.Key': 'side',
		'Tag.1.Value': 'again',
		MaxResults: 1000,
	});
	await only(of_provider, 'ListVpcEndpointServicesByEndUser', 'Services', {
		ServiceId,
		ResourceGroupId: provider_group,
		'Tag.1.Key': 'side',
		'Tag.1.Value': 'again',
	});
	const resources = await of_provider('ListVpcEndpointServiceResources', { ServiceId, MaxResults: 50 });
	assert.equal(resources.Resources.length, 3);
	const connection = await only(of_provider, 'ListVpcEndpointConnections', 'Connections', {
		ServiceId,
		EndpointId,
		EndpointOwnerId: accounts.consumer.uid,
		ConnectionStatus: 'Connected',
		EniId: listed[0].EniId,
		ResourceId: first.LoadBalancerId,
		ResourceGroupId: provider_group,
		MaxResults: 1000,
	});
	assert.equal(connection.Bandwidth, 300);
	const replaced = await of_provider('ListVpcEndpointConnections', { ServiceId, ReplacedResourceId: first.LoadBalancerId });
	assert.deepEqual(replaced.Connections, []);
}

test('a life by the current client', (t) => live(t, 'acs3', consumer, provider));

test('a life by the classic client', (t) =>
	live(t, 'v1', v1(accounts.consumer, 'privatelink'), v1(accounts.provider, 'privatelink')));

test('an endpoint of a service that takes policies keeps its policy, byte for byte', async () => {
	const ServiceName = `com.aliyuncs.privatelink.${region}.aiworkspace`;
	const policy = '{ "Version": "1", "Statement": [ { "Effect": "Allow", "Action": ["*"], "Principal": ["*"], "Resource": ["*"] } ] }';
	const { EndpointId } = await consumer('CreateVpcEndpoint', {
		VpcId: net.VpcId,
		ServiceName,
		'SecurityGroupId.1': group,
		PolicyDocument: policy,
	});
	const document = async () => (await consumer('GetVpcEndpointAttribute', { EndpointId })).PolicyDocument;
	assert.equal(await document(), policy);
	const other = policy.replace('Allow', 'Deny');
	await consumer('UpdateVpcEndpointAttribute', { EndpointId, PolicyDocument: other });
	assert.equal(await document(), other);
	await consumer('UpdateVpcEndpointAttribute', { EndpointId, ResetPolicy: true });
	assert.notEqual(await document(), other);
	const twice = await refused(consumer('CreateVpcEndpoint', { VpcId: net.VpcId, ServiceName, 'SecurityGroupId.1': group }));
	assert.equal(twice.code, 'EndpointDuplicated');
	await remove(EndpointId);
});


// --- errors

const of_provider = /Service(?!sByEndUser)|Connection/;
const side = (action) => (of_provider.test(action) && !/OpenPrivate/.test(action) ? provider : consumer);

async function refuses(action, code, parameters, call = side(action)) {
	const e = await refused(call(action, parameters));
	const pattern = `^${code.replace(/\./g, '\\.').replace('{name}', '[A-Za-z0-9.]+')}$`;
	assert.match(String(e.code), new RegExp(pattern), `${action} ${JSON.stringify(parameters)}: ${e.message}`);
	assert.equal(e.status || 400, /^ResourceNotFound\./.test(code) ? 404 : 400);
}

const nobody = { EndpointId: 'ep-0000000000000000000', ServiceId: 'epsrv-0000000000000000000' };

test('the product can be opened once', async () => {
	const fresh = acs3(accounts.consumer, 'privatelink');
	await refused(fresh('CheckProductOpen')).then(
		(e) => assert.equal(e.code, 'NeedOpenProduct'),
		() => assert.fail('it was open before anybody opened it'),
	);
	await fresh('OpenPrivateLinkService');
	await refuses('OpenPrivateLinkService', 'OrderOpend', {});
});

test('what does not exist, or is of others', async () => {
	const zone = { ZoneId: zones[0] };
	for (const [action, code, more] of [
		['GetVpcEndpointAttribute', 'EndpointNotFound'],
		['UpdateVpcEndpointAttribute', 'EndpointNotFound'],
		['DeleteVpcEndpoint', 'EndpointNotFound'],
		['AddZoneToVpcEndpoint', 'EndpointNotFound', { ...zone, VSwitchId: net.vswitches[0] }],
		['RemoveZoneFromVpcEndpoint', 'EndpointNotFound', zone],
		['ListVpcEndpointZones', 'EndpointNotFound'],
		['ListVpcEndpointSecurityGroups', 'EndpointNotFound'],
		['AttachSecurityGroupToVpcEndpoint', 'EndpointNotFound', { SecurityGroupId: group }],
		['DetachSecurityGroupFromVpcEndpoint', 'EndpointNotFound', { SecurityGroupId: group }],
		['GetVpcEndpointServiceAttribute', 'EndpointServiceNotFound'],
		['UpdateVpcEndpointServiceAttribute', 'EndpointServiceNotFound'],
		['DeleteVpcEndpointService', 'EndpointServiceNotFound'],
		['AttachResourceToVpcEndpointService', 'EndpointServiceNotFound', resource(first, zones[0])],
		['DetachResourceFromVpcEndpointService', 'EndpointServiceNotFound', resource(first, zones[0])],
		[
			'UpdateVpcEndpointServiceResourceAttribute',
			'EndpointServiceNotFound',
			{ ...zone, ResourceId: first.LoadBalancerId, AutoAllocatedEnabled: true },
		],
		['ListVpcEndpointServiceResources', 'EndpointServiceNotFound'],
		['AddUserToVpcEndpointService', 'EndpointServiceNotFound', { UserId: 1 }],
		['RemoveUserFromVpcEndpointService', 'EndpointServiceNotFound', { UserId: 1 }],
		['ListVpcEndpointServiceUsers', 'EndpointServiceNotFound'],
		['ListVpcEndpointConnections', 'EndpointServiceNotFound'],
	]) {
		await refuses(action, code, { ...nobody, ...more });
	}
	const at_ends = [
		'EnableVpcEndpointConnection',
		'DisableVpcEndpointConnection',
		'UpdateVpcEndpointConnectionAttribute',
		'EnableVpcEndpointZoneConnection',
		'DisableVpcEndpointZoneConnection',
		'UpdateVpcEndpointZoneConnectionResourceAttribute',
	];
	for (const action of at_ends) {
		await refuses(action, 'EndpointServiceNotFound', { ...nobody, ...zone });
		await refuses(action, 'EndpointConnectionNotFound', { ...nobody, ...zone, ServiceId: own.ServiceId });
	}
});

test('CreateVpcEndpoint refuses', async () => {
	const base = (more) => endpoint_parameters(net, { ServiceId: own.ServiceId, ...more });
	const eleven = numbered('Zone', Array.from({ length: 11 }, () => zone_parameters(0)));
	const secret = (await provider('CreateVpcEndpointService', {})).ServiceId;
	for (const [code, more] of [
		['EndpointZoneDuplicated', numbered('Zone', [zone_parameters(0), zone_parameters(0)])],
		['EndpointServiceNotFound', { ServiceId: nobody.ServiceId }],
		['EndpointServiceNotAuthorized', { ServiceId: secret }],
		['EndpointServiceNotSupportedZone', numbered('Zone', [{ ZoneId: zones[0], VSwitchId: net.vswitches[0] }]), 'empty'],
		['VSwitchNotFound', { 'Zone.1.VSwitchId': net.vswitches[1] }],
		['SecurityGroupNotFound', { 'SecurityGroupId.1': 'sg-0000000000000000000' }],
		['VpcNotFound', { VpcId: provider_net.VpcId }],
		['EndpointMustContainSecurityGroup', { 'SecurityGroupId.1': undefined }],
		['EniIpUnavailable', { 'Zone.1.ip': '10.0.9.1' }],
		['SecurityGroupTypeOnlySingleTypeSupporteded', { 'SecurityGroupId.2': enterprise }],
		['QuotaExceeded.IpQuotaPerEp', { ZonePrivateIpAddressCount: 2 }],
		['QuotaExceeded.epZonePerEndpoint', eleven],
		['Mismatch.EndpointType', { EndpointType: 'GatewayLoadBalancer' }],
		['OperationDenied.EndpointPolicyNotSupport', { PolicyDocument: '{"Version":"1","Statement":[{}]}' }],
	]) {
		const parameters = base(more);
		if (code === 'EndpointServiceNotSupportedZone') {
			await provider('AddUserToVpcEndpointService', { ServiceId: secret, UserId: accounts.consumer.uid });
			parameters.ServiceId = secret;
		}
		for (const name of Object.keys(parameters)) {
			if (parameters[name] === undefined) {
				delete parameters[name];
			}
		}
		await refuses('CreateVpcEndpoint', code, parameters);
	}
	await remove_service(secret);
});

test('a vSwitch without a free address gives none', async () => {
	const client = vpc(accounts.consumer);
	const made = await client.createVSwitch(
		new Vpc.CreateVSwitchRequest({ regionId: region, vpcId: net.VpcId, zoneId: zones[0], cidrBlock: '10.0.3.0/29' }),
	);
	const { vSwitchId } = made.body;
	const describe = async () =>
		(await client.describeVSwitchAttributes(new Vpc.DescribeVSwitchAttributesRequest({ regionId: region, vSwitchId }))).body;
	await until('vSwitch Available', async () => (await describe()).status === 'Available');
	const zone = { ZoneId: zones[0], VSwitchId: vSwitchId };
	const endpoints = [];
	for (let free = (await describe()).availableIpAddressCount; free > 0; free--) {
		endpoints.push(await connect(own.ServiceId, numbered('Zone', [zone])));
	}
	const parameters = endpoint_parameters(net, { ServiceId: own.ServiceId, 'Zone.1.VSwitchId': vSwitchId });
	await refuses('CreateVpcEndpoint', 'ResourceNotEnough.VSwitchIp', parameters);
	const other = await connect(own.ServiceId);
	await refuses('AddZoneToVpcEndpoint', 'ResourceNotEnough.VSwitchIp', { EndpointId: other, ...zone });
	for (const id of [...endpoints, other]) {
		await remove(id);
	}
});

test('the endpoint and its zones refuse', async () => {
	const EndpointId = await connect(own.ServiceId, in_zone(0));
	const add = (more) => ({ EndpointId, ...zone_parameters(1), ...more });
	await refuses('AddZoneToVpcEndpoint', 'EndpointZoneDuplicated', { EndpointId, ...zone_parameters(0) });
	await refuses('AddZoneToVpcEndpoint', 'VSwitchNotFound', add({ VSwitchId: net.vswitches[0] }));
	await refuses('AddZoneToVpcEndpoint', 'EniIpUnavailable', add({ ip: '10.0.2.0' }));
	await refuses('RemoveZoneFromVpcEndpoint', 'EndpointZoneNotFound', { EndpointId, ZoneId: zones[1] });
	await refuses('DeleteVpcEndpoint', 'EndpointDependenceViolation', { EndpointId });
	await refuses('UpdateVpcEndpointAttribute', 'OperationDenied.EndpointPolicyNotSupport', {
		EndpointId,
		PolicyDocument: '{"Version":"1","Statement":[{}]}',
	});
	for (const action of ['EnableVpcEndpointZoneConnection', 'DisableVpcEndpointZoneConnection']) {
		const zone = { ServiceId: own.ServiceId, EndpointId, ZoneId: zones[0] };
		await refuses(action, 'IncorrectStatus.VpcEndpointConnection', zone);
	}
	await remove(EndpointId);

	const bare = (await provider('CreateVpcEndpointService', { AutoAcceptEnabled: true })).ServiceId;
	await provider('AddUserToVpcEndpointService', { ServiceId: bare, UserId: accounts.consumer.uid });
	const of_bare = await connect(bare);
	await refuses('AddZoneToVpcEndpoint', 'EndpointServiceNotSupportedZone', { EndpointId: of_bare, ...zone_parameters(0) });
	await remove(of_bare);
	await remove_service(bare);
});

test('security groups of an endpoint refuse', async () => {
	const EndpointId = await connect(own.ServiceId);
	const call = (action, code, SecurityGroupId) => refuses(action, code, { EndpointId, SecurityGroupId });
	await call('AttachSecurityGroupToVpcEndpoint', 'SecurityGroupExist', group);
	await call('AttachSecurityGroupToVpcEndpoint', 'SecurityGroupNotFound', 'sg-0000000000000000000');
	await call('AttachSecurityGroupToVpcEndpoint', 'SecurityGroupTypeOnlySingleTypeSupporteded', enterprise);
	await call('DetachSecurityGroupFromVpcEndpoint', 'SecurityGroupNotFound', 'sg-0000000000000000000');
	await call('DetachSecurityGroupFromVpcEndpoint', 'EndpointMustContainSecurityGroup', group);
	await remove(EndpointId);
});

test('services and their resources refuse', async () => {
	const create = (code, more) => refuses('CreateVpcEndpointService', code, more);
	const one = (object) => numbered('Resource', [object]);
	await create('AlbNotFound', one(resource(first, zones[0], { ResourceType: 'alb' })));
	await create('LoadBalancerNotFound', one(resource({ LoadBalancerId: 'nlb-0000000000000000000' }, zones[0])));
	await create('EndpointServiceNotSupportedZone', one(resource(first, 'cn-hangzhou-b')));
	await create('Mismatch.ResourceType', { ServiceResourceType: 'slb', ...one(resource(first, zones[0])) });
	await create('EndpointServicePayerForbidden', { Payer: 'EndpointService' });
	await create('IllegalParamFormat.{name}', { Payer: 'Nobody' });
	await create('MissingParam.{name}', { 'Resource.1.ResourceType': 'nlb', 'Resource.1.ZoneId': zones[0] });
	await create('EndpointServiceNotSupportIpv6', { ServiceResourceType: 'slb', AddressIpVersion: 'DualStack' });
	await refuses('UpdateVpcEndpointServiceAttribute', 'IllegalParamFormat.{name}', {
		ServiceId: own.ServiceId,
		ConnectBandwidth: 1,
	});

	const attach = (code, more) =>
		refuses('AttachResourceToVpcEndpointService', code, { ServiceId: own.ServiceId, ...resource(first, zones[0]), ...more });
	await attach('EndpointServiceResourceExist', {});
	await attach('LoadBalancerNotFound', { ResourceId: 'nlb-0000000000000000000' });
	await attach('EndpointServiceNotSupportedZone', { ZoneId: 'cn-hangzhou-b' });
	await attach('EndpointServiceResourceTypeNotEqual', { ResourceType: 'slb' });
	const dual = (await provider('CreateVpcEndpointService', { ServiceResourceType: 'nlb' })).ServiceId;
	await provider('UpdateVpcEndpointServiceAttribute', { ServiceId: dual, AddressIpVersion: 'DualStack' });
	assert.equal((await provider('GetVpcEndpointServiceAttribute', { ServiceId: dual })).AddressIpVersion, 'DualStack');
	const version = (code, ServiceId, AddressIpVersion) =>
		refuses('UpdateVpcEndpointServiceAttribute', code, { ServiceId, AddressIpVersion });
	await version('EndpointServiceDowngradeNotAllowed', dual, 'IPv4');
	await version('ServiceResourceNotSupportIpv6', own.ServiceId, 'DualStack');
	await attach('ServiceResourceNotSupportIpv6', { ServiceId: dual });
	await remove_service(dual);
	for (const [type, code] of [
		['alb', 'AlbNotFound'],
		['gwlb', 'EndpointServiceResourceTypeNotSupport'],
		['slb', 'Mismatch.ResourceType'],
	]) {
		const kind = type === 'slb' ? 'nlb' : type;
		const { ServiceId } = await provider('CreateVpcEndpointService', { ServiceResourceType: kind });
		await attach(code, { ServiceId, ResourceType: type });
		await remove_service(ServiceId);
	}
	const update = (code, more) =>
		refuses('UpdateVpcEndpointServiceResourceAttribute', code, {
			ServiceId: own.ServiceId,
			ResourceId: first.LoadBalancerId,
			ZoneId: zones[0],
			AutoAllocatedEnabled: false,
			...more,
		});
	await update('ResourceAutoAllocateViolation', {});
	await update('EndpointServiceResourceNotFound', { ResourceId: second.LoadBalancerId });
	await refuses('DetachResourceFromVpcEndpointService', 'EndpointServiceResourceNotFound', {
		ServiceId: own.ServiceId,
		...resource(second, zones[0]),
	});
	for (const action of ['AddUserToVpcEndpointService', 'RemoveUserFromVpcEndpointService']) {
		await refuses(action, 'MissingParam.UserArn', { ServiceId: own.ServiceId });
		await refuses(action, 'Mismatch.UserIdAndUserArn', { ServiceId: own.ServiceId, UserId: 1, UserARN: 'acs:ram:*:2:*' });
	}
	await refuses(
		'DeleteVpcEndpointService',
		'EndpointServiceOperationDenied',
		{ ServiceId: await system_service() },
		acs3(accounts.admin, 'privatelink'),
	);
});

const system_service = async () =>
	(await consumer('ListVpcEndpointServicesByEndUser', { ServiceName: `com.aliyuncs.privatelink.${region}.pai-dlc` }))
		.Services[0].ServiceId;

test('what is in use stays, and what has nothing to serve with is not connected', async () => {
	const { ServiceId } = await service(accounts.provider, first, { AutoAcceptEnabled: true });
	await provider('AddUserToVpcEndpointService', { ServiceId, UserId: accounts.consumer.uid });
	const EndpointId = await connect(ServiceId, in_zone(0));
	await endpoint_is(EndpointId, 'Connected');
	const ends = { ServiceId, EndpointId };
	const detach = { ServiceId, ...resource(first, zones[0]) };
	await refuses('DetachResourceFromVpcEndpointService', 'EndpointServiceConnectionDependence', detach);
	await refuses('DeleteVpcEndpointService', 'EndpointServiceConnectionDependence', { ServiceId });
	const zone = { ...ends, ZoneId: zones[0] };
	await refuses('EnableVpcEndpointZoneConnection', 'IncorrectStatus.VpcEndpointZone', zone);
	await refuses('DisableVpcEndpointZoneConnection', 'IncorrectStatus.VpcEndpointZone', { ...zone, ReplacedResource: true });
	for (const action of ['EnableVpcEndpointZoneConnection', 'DisableVpcEndpointZoneConnection']) {
		await refuses(action, 'ResourceNotFound.VpcEndpointZone', { ...zone, ZoneId: zones[1] });
	}

	// The last one that is given out by itself leaves: what stays in the zone takes its place.
	await provider('DisableVpcEndpointConnection', ends);
	await endpoint_is(EndpointId, 'Disconnected');
	await provider('AttachResourceToVpcEndpointService', { ServiceId, ...resource(second, zones[0]) });
	await provider('UpdateVpcEndpointServiceResourceAttribute', {
		ServiceId,
		ResourceId: second.LoadBalancerId,
		ZoneId: zones[0],
		AutoAllocatedEnabled: false,
	});
	await provider('DetachResourceFromVpcEndpointService', detach);
	const { Resources } = await provider('ListVpcEndpointServiceResources', { ServiceId });
	assert.deepEqual(
		Resources.filter((r) => r.ZoneId === zones[0]).map((r) => [r.ResourceId, r.AutoAllocatedEnabled]),
		[[second.LoadBalancerId, true]],
	);

	// Nothing is left in the zone.
	await provider('DetachResourceFromVpcEndpointService', { ServiceId, ...resource(second, zones[0]) });
	await refuses('EnableVpcEndpointConnection', 'OperationDenied.NoAvailableServiceResource', ends);
	const parameters = endpoint_parameters(net, { ServiceId });
	await refuses('CreateVpcEndpoint', 'EndpointServiceNotSupportedZone', parameters);
	const other = await connect(ServiceId);
	await endpoint_is(other, 'Connected');
	await refuses('AddZoneToVpcEndpoint', 'EndpointServiceNotSupportedZone', { EndpointId: other, ...zone_parameters(0) });
	await remove(EndpointId);
	await remove(other);
	await remove_service(ServiceId);
});

test('numbers that an account may have are used up', async () => {
	const EndpointId = await connect(own.ServiceId);
	const used_up = async (account, QuotaName, Value, action, code, parameters) => {
		await admin('SetQuota', { AccountId: account.uid, QuotaName, Value });
		await refuses(action, code, parameters);
		await admin('DeleteQuota', { AccountId: account.uid, QuotaName });
	};
	const one_more = { ServiceId: own.ServiceId, ...resource(second, zones[0]) };
	await used_up(accounts.provider, 'pvl_quota_total_epsrv', 1, 'CreateVpcEndpointService', 'QuotaMisMatched', {});
	await used_up(
		accounts.provider, 'pvl_quota_epsrv_resource_per_service', 2, 'AttachResourceToVpcEndpointService', 'QuotaMisMatched', one_more,
	);
	const parameters = endpoint_parameters(net, { ServiceId: own.ServiceId });
	for (const [quota, code] of [
		['pvl_quota_total_ep_per_vpc', 'QuotaExceeded.totalEpPerVpc'],
		['idle_endpoints', 'QuotaExceeded.totalIdleEndpoint'],
	]) {
		await used_up(accounts.consumer, quota, 1, 'CreateVpcEndpoint', code, parameters);
	}
	await remove(EndpointId);
});

test('the load balancer of a zone is replaced while it serves', async () => {
	const { ServiceId } = await service(accounts.provider, first, { AutoAcceptEnabled: true });
	await provider('AddUserToVpcEndpointService', { ServiceId, UserId: accounts.consumer.uid });
	const EndpointId = await connect(ServiceId, in_zone(0));
	await endpoint_is(EndpointId, 'Connected');
	await provider('AttachResourceToVpcEndpointService', { ServiceId, ...resource(second, zones[0]) });
	await provider('AttachResourceToVpcEndpointService', { ServiceId, ...resource(second, zones[1]) });
	const zone = { ServiceId, EndpointId, ZoneId: zones[0] };
	const refuse = (code, more) => refuses('UpdateVpcEndpointZoneConnectionResourceAttribute', code, { ...zone, ...more });
	const by = (ResourceReplaceMode, balancer = second) => ({ ResourceReplaceMode, ResourceId: balancer.LoadBalancerId });
	await refuse('IllegalParam.ResourceAllocateMode', { ResourceAllocateMode: 'Somehow' });
	await refuse('IllegalParam.ResourceReplaceMode', { ResourceReplaceMode: 'Somehow' });
	await refuse('MissingParam.ResourceAllocateMode', {});
	await refuse('MissingParam.ResourceId', { ResourceReplaceMode: 'Force' });
	await refuse('EndpointZoneNotFound', { ...by('Force'), ZoneId: zones[1] });
	await refuse('ZoneOperationDenied', { ResourceAllocateMode: 'Auto' });
	await refuse('EndpointServiceResourceNotFound', { ResourceReplaceMode: 'Force', ResourceId: 'nlb-0000000000000000000' });
	await refuse('EndpointServiceResourceTypeNotSupport', { ...by('Force'), ResourceType: 'slb' });

	const before = (await provider('ListVpcEndpointConnections', { ServiceId })).Connections[0].Zones[0];
	await provider('UpdateVpcEndpointZoneConnectionResourceAttribute', { ...zone, ...by('Graceful'), ResourceType: 'nlb' });
	const migrated = async () => (await provider('ListVpcEndpointConnections', { ServiceId })).Connections[0].Zones[0].ZoneStatus;
	await until('Migrated, for the provider', async () => (await migrated()) === 'Migrated');
	await zone_is(EndpointId, zones[0], 'Connected');
	const replaced = { ServiceId, ReplacedResourceId: first.LoadBalancerId };
	const during = (await provider('ListVpcEndpointConnections', replaced)).Connections[0].Zones[0];
	assert.deepEqual([during.ReplacedEniId, during.ReplacedResourceId], [before.EniId, first.LoadBalancerId]);
	assert.equal(during.ResourceId, second.LoadBalancerId);
	assert.notEqual(during.EniId, before.EniId);
	await provider('DisableVpcEndpointZoneConnection', { ...zone, ReplacedResource: true });
	await until('the old one is gone', async () => (await migrated()) === 'Connected');
	const after = (await provider('ListVpcEndpointConnections', { ServiceId })).Connections[0].Zones[0];
	assert.deepEqual([after.EniId, 'ReplacedEniId' in after], [during.EniId, false]);

	await provider('DetachResourceFromVpcEndpointService', { ServiceId, ...resource(first, zones[0]) });
	await refuse('Mismatch.ZoneId', by('Force', first));
	await provider('DisableVpcEndpointConnection', { ServiceId, EndpointId });
	await endpoint_is(EndpointId, 'Disconnected');
	await refuse('EndpointConnectionOperationDenied', by('Force'));
	await provider('UpdateVpcEndpointZoneConnectionResourceAttribute', { ...zone, ResourceAllocateMode: 'Auto' });
	await refuse('OperationDenied.CurrentResourceAutoAllocated', { ResourceAllocateMode: 'Auto' });
	await remove(EndpointId);
	await remove_service(ServiceId);
});

test('an endpoint in another region than its service', async () => {
	const far = 'cn-beijing';
	const ServiceId = (await service(accounts.provider, first, { AutoAcceptEnabled: true, 'SupportedRegionList.1': region })).ServiceId;
	await provider('AddUserToVpcEndpointService', { ServiceId, UserId: accounts.consumer.uid });
	await provider('UpdateVpcEndpointServiceAttribute', { ServiceId, 'AddSupportedRegionSet.1': far });
	await service_active(ServiceId);
	const { SupportedRegionSet } = await provider('GetVpcEndpointServiceAttribute', { ServiceId });
	assert.ok(SupportedRegionSet.some((r) => r.SupportedRegionId === far));

	const there = (call) => (action, parameters) => call(action, { RegionId: far, ...parameters });
	const { VpcId } = await there(acs3(accounts.consumer, 'vpc'))('CreateVpc', { CidrBlock: '10.0.0.0/16' });
	const { SecurityGroupId } = await there(acs3(accounts.consumer, 'ecs'))('CreateSecurityGroup', { VpcId });
	const far_consumer = there(consumer);
	const found = await far_consumer('ListVpcEndpointServicesByEndUser', { ServiceId, ServiceRegionId: region });
	assert.equal(found.Services.length, 1);
	await far_consumer('DescribeZones', { CrossRegion: true, CrossRegionSide: 'Endpoint' });
	const { EndpointId } = await far_consumer('CreateVpcEndpoint', {
		VpcId,
		ServiceId,
		ServiceRegionId: region,
		CrossRegionBandwidth: 200,
		'SecurityGroupId.1': SecurityGroupId,
	});
	const get = () => far_consumer('GetVpcEndpointAttribute', { EndpointId });
	await until('Connected', async () => (await get()).ConnectionStatus === 'Connected');
	assert.equal((await get()).CrossRegionBandwidth, 200);
	assert.equal((await get()).ServiceRegionId, region);
	await far_consumer('UpdateVpcEndpointAttribute', { EndpointId, CrossRegionBandwidth: 300 });
	assert.equal((await get()).CrossRegionBandwidth, 300);
	const listed = await far_consumer('ListVpcEndpoints', { ServiceRegionId: region });
	assert.deepEqual(listed.Endpoints.map((e) => e.EndpointId), [EndpointId]);
	const [connection] = (await provider('ListVpcEndpointConnections', { ServiceId })).Connections;
	assert.equal(connection.EndpointRegionId, far);
	await far_consumer('DeleteVpcEndpoint', { EndpointId });
	await until('gone', async () => (await far_consumer('ListVpcEndpoints', { EndpointId })).TotalCount === 0);
	await remove_service(ServiceId);
});

test('an endpoint whose service is gone can only be deleted', async () => {
	const { ServiceId } = await service(accounts.provider, first);
	await provider('AddUserToVpcEndpointService', { ServiceId, UserId: accounts.consumer.uid });
	const EndpointId = await connect(ServiceId, in_zone(0));
	await remove_service(ServiceId);
	assert.match(await endpoint_status(EndpointId), /ServiceDeleted/);
	await refuses('AddZoneToVpcEndpoint', 'EndpointServiceDeleted', { EndpointId, ...zone_parameters(1) });
	await refuses('UpdateVpcEndpointAttribute', 'EndpointServiceDeleted', { EndpointId, EndpointName: 'other' });
	for (const action of ['AttachSecurityGroupToVpcEndpoint', 'DetachSecurityGroupFromVpcEndpoint']) {
		await refuses(action, 'EndpointServiceDeleted', { EndpointId, SecurityGroupId: group });
	}
	await remove(EndpointId);
});

// While the agent stands still nothing gets in force of what it is told, and what is on its way stays there.
async function while_nothing_settles(run) {
	const pid = Number(process.env.PRIVLINK_AGENT_PID);
	process.kill(pid, 'SIGSTOP');
	try {
		await run();
	} finally {
		process.kill(pid, 'SIGCONT');
	}
}

test('what is on its way refuses', async () => {
	const { ServiceId } = await service(accounts.provider, first);
	await provider('AddUserToVpcEndpointService', { ServiceId, UserId: accounts.consumer.uid });
	const going = await connect(own.ServiceId);
	const many = [];
	for (let i = 0; i < 12; i++) {
		many.push((await acs3(accounts.consumer, 'ecs')('CreateSecurityGroup', { VpcId: net.VpcId })).SecurityGroupId);
	}
	const crowded = await connect(own.ServiceId, Object.fromEntries(many.slice(0, 10).map((id, i) => [`SecurityGroupId.${i + 1}`, id])));
	const left = await connect(ServiceId, in_zone(0));
	const waiting = await connect(own.ServiceId, in_zone(0));
	await instance(accounts.consumer, net.vswitches[0], group); // so the node is told of the VPC, and waited for
	await while_nothing_settles(async () => {
		const new_one = await acs3(accounts.consumer, 'vpc')('CreateVSwitch', {
			VpcId: net.VpcId,
			ZoneId: zones[1],
			CidrBlock: '10.0.4.0/24',
		});
		const zone = { ZoneId: zones[1], VSwitchId: new_one.VSwitchId };
		await refuses('AddZoneToVpcEndpoint', 'VSwitchStatusNotAllowed', { EndpointId: waiting, ...zone });
		await refuses(
			'CreateVpcEndpoint',
			'VSwitchStatusNotAllowed',
			endpoint_parameters(net, { ServiceId: own.ServiceId, ...numbered('Zone', [zone, zone_parameters(0)]) }),
		);

		await provider('EnableVpcEndpointConnection', { ServiceId: own.ServiceId, EndpointId: waiting });
		await refuses('EnableVpcEndpointConnection', 'EndpointConnectionOperationDenied', {
			ServiceId: own.ServiceId,
			EndpointId: waiting,
		});
		await consumer('RemoveZoneFromVpcEndpoint', { EndpointId: waiting, ZoneId: zones[0] });
		await refuses('AddZoneToVpcEndpoint', 'EndpointLocked', { EndpointId: waiting, ...zone_parameters(0) });

		await consumer('DeleteVpcEndpoint', { EndpointId: going });
		const ends = { ServiceId: own.ServiceId, EndpointId: going };
		await refuses('UpdateVpcEndpointAttribute', 'EndpointOperationDenied', { EndpointId: going, EndpointName: 'late' });
		await refuses('AddZoneToVpcEndpoint', 'EndpointOperationDenied', { EndpointId: going, ...zone_parameters(0) });
		await refuses('RemoveZoneFromVpcEndpoint', 'EndpointOperationDenied', { EndpointId: going, ZoneId: zones[0] });
		await refuses('EnableVpcEndpointConnection', 'EndpointOperationDenied', ends);
		await refuses('UpdateVpcEndpointConnectionAttribute', 'EndpointConnectionOperationDenied', { ...ends, Bandwidth: 101 });
		for (const action of ['EnableVpcEndpointZoneConnection', 'DisableVpcEndpointZoneConnection']) {
			await refuses(action, 'IncorrectStatus.VpcEndpoint', { ...ends, ZoneId: zones[0] });
		}
		const automatic = { ZoneId: zones[0], ResourceAllocateMode: 'Auto' };
		await refuses('UpdateVpcEndpointZoneConnectionResourceAttribute', 'EndpointLocked', { ...ends, ...automatic });
		for (const action of ['AttachSecurityGroupToVpcEndpoint', 'DetachSecurityGroupFromVpcEndpoint']) {
			await refuses(action, 'EndpointOperationDenied', { EndpointId: going, SecurityGroupId: group });
		}

		// As many groups as it may be in are on their way out.
		const group_call = (action, SecurityGroupId) => consumer(action, { EndpointId: crowded, SecurityGroupId });
		for (const id of many.slice(1, 10)) {
			await group_call('DetachSecurityGroupFromVpcEndpoint', id);
		}
		for (const id of many.slice(10)) {
			await group_call('AttachSecurityGroupToVpcEndpoint', id);
		}
		await group_call('DetachSecurityGroupFromVpcEndpoint', many[10]);
		const last = { EndpointId: crowded, SecurityGroupId: many[11] };
		await refuses('DetachSecurityGroupFromVpcEndpoint', 'EndpointLocked', last);

		await provider('DeleteVpcEndpointService', { ServiceId });
		const of_left = { ServiceId, EndpointId: left };
		await refuses('CreateVpcEndpoint', 'EndpointServiceDeleted', endpoint_parameters(net, { ServiceId }));
		await refuses('UpdateVpcEndpointServiceAttribute', 'EndpointServiceOperationDenied', { ServiceId, AutoAcceptEnabled: true });
		await refuses('AttachResourceToVpcEndpointService', 'EndpointServiceOperationDenied', {
			ServiceId,
			...resource(second, zones[0]),
		});
		await refuses('UpdateVpcEndpointServiceResourceAttribute', 'EndpointServiceOperationDenied', {
			ServiceId,
			ResourceId: first.LoadBalancerId,
			ZoneId: zones[0],
			AutoAllocatedEnabled: true,
		});
		for (const action of ['EnableVpcEndpointZoneConnection', 'DisableVpcEndpointZoneConnection']) {
			await refuses(action, 'IncorrectStatus.VpcEndpointService', { ...of_left, ZoneId: zones[0] });
		}
		await refuses('UpdateVpcEndpointZoneConnectionResourceAttribute', 'EndpointServiceLocked', { ...of_left, ...automatic });
	});
	await remove(crowded);
	await remove(left);
	await remove(waiting);
	await endpoint_gone(going);
});

test('tags and resource groups refuse', async () => {
	const EndpointId = await connect(own.ServiceId);
	const object = { ResourceType: 'vpcendpoint', 'ResourceId.1': EndpointId };
	const tag = (Key, Value = 'v', n = 1) => ({ [`Tag.${n}.Key`]: Key, [`Tag.${n}.Value`]: Value });
	const many = Object.assign({}, ...Array.from({ length: 20 }, (_, i) => tag(`k${i}`, 'v', i + 1)));
	for (const action of ['TagResources', 'ListTagResources']) {
		await refuses(action, 'MissingTagKeyParam', { ...object, 'Tag.1.Value': 'v' });
		await refuses(action, 'IllegalTagKeyParam', { ...object, ...tag('acs:no') });
		await refuses(action, 'IllegalTagValueParam', { ...object, ...tag('k', 'http://no') });
		await refuses(action, 'DuplicatedTagKey', { ...object, ...tag('k'), ...tag('k', 'w', 2) });
	}
	await consumer('TagResources', { ...object, ...many });
	await refuses('TagResources', 'QuotaExceed.TagsPerResource', { ...object, ...tag('one-more') });
	const unknown = { ...object, 'ResourceId.1': nobody.EndpointId };
	await refuses('TagResources', 'InvalidResourceId.NotFound', { ...unknown, ...tag('k') });
	await refuses('UntagResources', 'InvalidResourceId.NotFound', { ...unknown, 'TagKey.1': 'k' });
	await refuses('ListTagResources', 'MissingResourceIdOrTagParam', { ResourceType: 'vpcendpoint' });

	await refuses('ChangeResourceGroup', 'MissingParameter.ResourceId', { ResourceGroupId: consumer_group });
	await refuses('ChangeResourceGroup', 'MissingParameter.ResourceGroupId', { ResourceId: EndpointId });
	await refuses('ChangeResourceGroup', 'InvalidResourceGroup', { ResourceId: EndpointId, ResourceGroupId: 'r'.repeat(200) });
	await refuses('ChangeResourceGroup', 'ResourceNotFound', { ResourceId: nobody.EndpointId, ResourceGroupId: consumer_group });
	await remove(EndpointId);
});

// --- the count

const notes = [...fs.readFileSync(path.join(__dirname, '../../doc/api.md'), 'utf8').matchAll(
	/^\| (every one|\w+) \| (never answered|refused): `(\S+)` \| (.+) \|$/gm,
)].map(([, action, kind, what]) => ({ action, what, kind }));
const noted = (kind, action, what) =>
	notes.some((n) => n.kind === kind && n.what === what && (n.action === action || n.action === 'every one'));

for (const [action, shape] of Object.entries(products.privatelink.actions)) {
	const of_action = () => seen.get(`privatelink.${action}`) || { answers: 0, codes: new Set(), parameters: new Set() };

	test(`${action} was answered by both clients`, () => assert.ok(of_action().answers >= 2));

	test(`${action} took each of its parameters`, () => {
		const names = (object, prefix) =>
			Object.entries(object).flatMap(([name, type]) => {
				const inner = Array.isArray(type) ? type[0] : type;
				const place = `${prefix}${name}${Array.isArray(type) ? '.N' : ''}`;
				return typeof inner === 'object' ? names(inner, `${place}.`) : [place];
			});
		const pages = (name) => name === 'NextToken'; // paging.test.js
		const missing = names(shape.takes, '').filter((n) => !of_action().parameters.has(n) && !pages(n));
		assert.deepEqual(missing.filter((n) => !noted('refused', action, n.replace(/\.N$/, ''))), []);
	});

	test(`${action} answered the codes that are listed for it`, () => {
		const is = (code, answered) =>
			new RegExp(`^${code.replace(/\./g, '\\.').replace('{name}', '[A-Za-z0-9.]+')}$`).test(answered);
		const reached = (code) => [...of_action().codes].some((answered) => is(code, answered));
		const explained = (code) => noted('never answered', action, code);
		const missing = shape.errors.filter((code) => !reached(code) && !explained(code));
		assert.deepEqual(missing, []);
		assert.deepEqual(shape.errors.filter((code) => reached(code) && explained(code)), [], 'explained, and reached');
	});
}

test('what is said to be never answered is listed for some action', () => {
	const lists = (n) =>
		Object.entries(products.privatelink.actions).some(
			([action, shape]) =>
				(n.action === 'every one' || n.action === action) &&
				(n.kind === 'refused' || shape.errors.includes(n.what)),
		);
	assert.deepEqual(notes.filter((n) => !lists(n)), []);
});
