// SPDX-License-Identifier: Apache-2.0
// Both sides of a connection as two accounts, from the publishing of a load balancer to the end, with what each side sees in
// each state; and a third account, for whom none of it exists.
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { acs3, refused, region, until, versions } = require('./client');
const { products } = require('./shapes');
const { accounts, endpoint_parameters, load_balancer, network, zones } = require('./world');

Object.assign(versions, { privlink: '2026-11-01' });
const consumer = acs3(accounts.consumer, 'privatelink');
const provider = acs3(accounts.provider, 'privatelink');

let consumer_net, provider_net, balancer, stranger, stranger_net, ServiceId, ServiceName, EndpointId;

test('there are three accounts, each with a network', async () => {
	const admin = acs3(accounts.admin, 'privlink');
	const { AccountId } = await admin('CreateAccount', { AccountName: 'stranger' });
	const key = await admin('CreateAccessKey', { AccountId });
	const account = { key: key.AccessKeyId, secret: key.AccessKeySecret, uid: String(AccountId) };
	stranger = acs3(account, 'privatelink');
	stranger_net = await network(account);
	consumer_net = await network(accounts.consumer);
	provider_net = await network(accounts.provider);
	balancer = (await load_balancer(accounts.provider, provider_net)).LoadBalancerId;
});

const block = (i) => ({
	[`Resource.${i + 1}.ResourceType`]: 'nlb',
	[`Resource.${i + 1}.ResourceId`]: balancer,
	[`Resource.${i + 1}.ZoneId`]: zones[i],
});
const publish = async (more) => {
	const parameters = { ServiceResourceType: 'nlb', ...block(0), ...block(1), ...more };
	const made = await provider('CreateVpcEndpointService', parameters);
	await until('service Active', async () => {
		const { ServiceStatus } = await provider('GetVpcEndpointServiceAttribute', { ServiceId: made.ServiceId });
		return ServiceStatus === 'Active';
	});
	return made;
};

test('the provider publishes its load balancer; nobody else finds it or may connect', async () => {
	({ ServiceId, ServiceName } = await publish({ ServiceDescription: 'of the provider' }));
	for (const [account, net] of [[consumer, consumer_net], [stranger, stranger_net]]) {
		for (const filter of [{ ServiceId }, { ServiceName }, {}]) {
			const { Services } = await account('ListVpcEndpointServicesByEndUser', { ...filter, MaxResults: 1000 });
			assert.ok(!Services.some((s) => s.ServiceId === ServiceId));
		}
		const e = await refused(account('CreateVpcEndpoint', endpoint_parameters(net, { ServiceId })));
		assert.equal(e.code, 'EndpointServiceNotAuthorized');
	}
});

// What each side sees of the connection: the endpoint's and the connection's states, the zones' in the order of `zones`, as the
// consumer sees them and as the provider does.
async function seen() {
	const endpoint = await consumer('GetVpcEndpointAttribute', { EndpointId });
	const listed = (await consumer('ListVpcEndpoints', { EndpointId })).Endpoints[0];
	const { Connections } = await provider('ListVpcEndpointConnections', { ServiceId, EndpointId });
	const { Zones } = await consumer('ListVpcEndpointZones', { EndpointId });
	assert.equal(listed.ConnectionStatus, endpoint.ConnectionStatus);
	assert.equal(Connections.length, 1);
	assert.equal(String(Connections[0].EndpointOwnerId), accounts.consumer.uid);
	const states = (list) => zones.map((id) => (list.find((z) => z.ZoneId === id) || { ZoneStatus: '-' }).ZoneStatus).join(' ');
	assert.equal(Connections[0].ConnectionStatus, endpoint.ConnectionStatus);
	assert.equal(states(Connections[0].Zones), states(Zones));
	return `${endpoint.EndpointStatus}, ${endpoint.ConnectionStatus} (${endpoint.AcceptanceStatus}): ${states(Zones)}`;
}

// Both sides see it so at last. (Two calls do not see one moment, so what they say may differ on the way.)
async function both_see(wanted) {
	let last;
	await until(wanted, async () => {
		last = await seen().catch((e) => e.message);
		return last === wanted;
	}).catch((e) => assert.fail(`${e.message}; last: ${last}`));
}

test('whitelisted, the consumer finds it, and connects; the stranger still does not', async () => {
	await provider('AddUserToVpcEndpointService', { ServiceId, UserId: accounts.consumer.uid });
	const { Services } = await consumer('ListVpcEndpointServicesByEndUser', { ServiceName });
	assert.deepEqual(Services.map((s) => [s.ServiceId, s.AutoAcceptEnabled, s.Zones.slice().sort()]), [[ServiceId, false, zones]]);
	assert.deepEqual((await stranger('ListVpcEndpointServicesByEndUser', { ServiceName })).Services, []);
	({ EndpointId } = await consumer('CreateVpcEndpoint', endpoint_parameters(consumer_net, { ServiceId })));
	await both_see('Active, Disconnected (Waiting): Wait Wait');
});

test('it is accepted, refused, and accepted again', async () => {
	const ends = { ServiceId, EndpointId };
	await provider('EnableVpcEndpointConnection', ends);
	await both_see('Active, Connected (Accepted): Connected Connected');
	await provider('DisableVpcEndpointConnection', ends);
	await both_see('Active, Disconnected (Refused): Disconnected Disconnected');
	await provider('EnableVpcEndpointConnection', ends);
	await both_see('Active, Connected (Accepted): Connected Connected');
});

test('each zone is cut and joined by itself', async () => {
	for (const [i, cut] of [[0, 'Disconnected Connected'], [1, 'Connected Disconnected']]) {
		const zone = { ServiceId, EndpointId, ZoneId: zones[i] };
		await provider('DisableVpcEndpointZoneConnection', zone);
		await both_see(`Active, Connected (Accepted): ${cut}`);
		await provider('EnableVpcEndpointZoneConnection', zone);
		await both_see('Active, Connected (Accepted): Connected Connected');
	}
});

test('off the whitelist, what is connected stays, and nothing new comes', async () => {
	await provider('RemoveUserFromVpcEndpointService', { ServiceId, UserId: accounts.consumer.uid });
	await both_see('Active, Connected (Accepted): Connected Connected');
	assert.deepEqual((await consumer('ListVpcEndpointServicesByEndUser', { ServiceId })).Services, []);
	const e = await refused(consumer('CreateVpcEndpoint', endpoint_parameters(consumer_net, { ServiceId })));
	assert.equal(e.code, 'EndpointServiceNotAuthorized');
});

test('one that waits is refused without ever having been connected', async () => {
	await provider('AddUserToVpcEndpointService', { ServiceId, UserARN: `acs:ram:*:${accounts.consumer.uid}:*` });
	const first = EndpointId;
	({ EndpointId } = await consumer('CreateVpcEndpoint', endpoint_parameters(consumer_net, { ServiceId })));
	await both_see('Active, Disconnected (Waiting): Wait Wait');
	await provider('DisableVpcEndpointConnection', { ServiceId, EndpointId });
	await until('refused', async () => / \(Refused\): /.test(await seen().catch((e) => e.message)));
	await remove(EndpointId);
	EndpointId = first;
});

test('where the service accepts by itself, nobody is asked', async () => {
	const first = [ServiceId, EndpointId];
	({ ServiceId } = await publish({ AutoAcceptEnabled: true }));
	await provider('AddUserToVpcEndpointService', { ServiceId, UserARN: '*' });
	assert.equal((await stranger('ListVpcEndpointServicesByEndUser', { ServiceId })).Services.length, 1);
	({ EndpointId } = await consumer('CreateVpcEndpoint', endpoint_parameters(consumer_net, { ServiceId })));
	await both_see('Active, Connected (Accepted): Connected Connected');
	await provider('DisableVpcEndpointConnection', { ServiceId, EndpointId });
	await both_see('Active, Disconnected (Refused): Disconnected Disconnected');
	await remove(EndpointId);
	await provider('DeleteVpcEndpointService', { ServiceId });
	[ServiceId, EndpointId] = first;
});

async function remove(id) {
	for (const { ZoneId } of (await consumer('ListVpcEndpointZones', { EndpointId: id })).Zones) {
		await consumer('RemoveZoneFromVpcEndpoint', { EndpointId: id, ZoneId });
	}
	await consumer('DeleteVpcEndpoint', { EndpointId: id });
	await until('endpoint gone', async () => (await consumer('ListVpcEndpoints', { EndpointId: id })).TotalCount === 0);
}

test('the stranger is answered as if none of it existed', async () => {
	const real = {
		EndpointId,
		ServiceId,
		VpcId: consumer_net.VpcId,
		VSwitchId: consumer_net.vswitches[0],
		SecurityGroupId: consumer_net.SecurityGroupId,
		ResourceId: balancer,
		ZoneId: zones[0],
		ResourceType: 'nlb',
		UserId: accounts.consumer.uid,
		AutoAllocatedEnabled: true,
	};
	const unknown = {
		...real,
		EndpointId: 'ep-00000000000000000000',
		ServiceId: 'epsrv-00000000000000000000',
		VpcId: 'vpc-00000000000000000000',
		VSwitchId: 'vsw-00000000000000000000',
		SecurityGroupId: 'sg-00000000000000000000',
		ResourceId: 'nlb-00000000000000000000',
	};
	// Of one's own where only one thing is another's.
	const own_endpoint = { VpcId: stranger_net.VpcId, 'SecurityGroupId.1': stranger_net.SecurityGroupId };
	const special = {
		CreateVpcEndpoint: (ids) => ({ VpcId: ids.VpcId, 'SecurityGroupId.1': ids.SecurityGroupId, ServiceName: system }),
		CreateVpcEndpointService: (ids) => ({
			ServiceResourceType: 'nlb',
			'Resource.1.ResourceType': 'nlb',
			'Resource.1.ResourceId': ids.ResourceId,
			'Resource.1.ZoneId': zones[0],
		}),
		TagResources: (ids) => ({ ResourceType: 'vpcendpoint', 'ResourceId.1': ids.EndpointId, 'Tag.1.Key': 'k', 'Tag.1.Value': 'v' }),
		UntagResources: (ids) => ({ ResourceType: 'vpcendpointservice', 'ResourceId.1': ids.ServiceId, 'TagKey.1': 'k' }),
		ListTagResources: (ids) => ({ ResourceType: 'vpcendpoint', 'ResourceId.1': ids.EndpointId }),
		ChangeResourceGroup: (ids) => ({ ResourceId: ids.EndpointId, ResourceGroupId: 'rg-default' }),
		ListVpcEndpoints: (ids) => ({ EndpointId: ids.EndpointId }),
		ListVpcEndpointServices: (ids) => ({ ServiceId: ids.ServiceId }),
		ListVpcEndpointServicesByEndUser: (ids) => ({ ServiceId: ids.ServiceId }),
	};
	const system = `com.aliyuncs.privatelink.${region}.pai-dlc`;
	const text = (told) =>
		JSON.stringify(told, (k, v) => (k === 'RequestId' || k === 'HostId' ? 0 : v)).replace(/(ep|epsrv|vpc|vsw|sg|nlb)-[a-z0-9]+/g, '$1');
	const answered = async (action, ids) => {
		const takes = products.privatelink.actions[action].takes;
		const parameters = (special[action] || ((all) => Object.fromEntries(Object.entries(all).filter(([k]) => k in takes))))(ids);
		return stranger(action, parameters).then(text, (e) => text({ code: e.code, status: e.statusCode, data: e.data }));
	};
	let compared = 0;
	for (const action of Object.keys(products.privatelink.actions)) {
		const takes = Object.keys(products.privatelink.actions[action].takes);
		if (takes.some((name) => /^(Endpoint|Service|Resource|Vpc)Id$|^Resource$/.test(name))) {
			assert.equal(await answered(action, real), await answered(action, unknown), action);
			compared++;
		}
	}
	assert.ok(compared > 30, `${compared} actions`);
	const mixed = { ...own_endpoint, ServiceName: system, 'SecurityGroupId.1': real.SecurityGroupId };
	const e = await refused(stranger('CreateVpcEndpoint', mixed));
	assert.equal(e.code, 'SecurityGroupNotFound');
	await both_see('Active, Connected (Accepted): Connected Connected');
});

test('the service goes when nobody is connected, and leaves the endpoint to its owner', async () => {
	const e = await refused(provider('DeleteVpcEndpointService', { ServiceId }));
	assert.equal(e.code, 'EndpointServiceConnectionDependence');
	await provider('DisableVpcEndpointConnection', { ServiceId, EndpointId });
	await both_see('Active, Disconnected (Refused): Disconnected Disconnected');
	await provider('DeleteVpcEndpointService', { ServiceId });
	await until('ServiceDeleted', async () => {
		const { ConnectionStatus } = await consumer('GetVpcEndpointAttribute', { EndpointId });
		return ConnectionStatus === 'ServiceDeleted';
	});
	await remove(EndpointId);
});
