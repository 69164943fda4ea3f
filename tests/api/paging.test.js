// SPDX-License-Identifier: Apache-2.0
// Pages of every list of PrivateLink: the bounds of MaxResults, each entry once, and a NextToken that survives what comes and
// goes between two pages. What answers look like is compared below all clients (shapes.js).
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { acs3, refused, region, until } = require('./client');
const { products } = require('./shapes');
const { accounts, load_balancer, network, zones } = require('./world');

const consumer = acs3(accounts.consumer, 'privatelink');
const provider = acs3(accounts.provider, 'privatelink');
const nlb = acs3(accounts.provider, 'nlb');

let net, provider_net, balancer, group;
const services = [];
const endpoints = [];

async function new_service(more = {}) {
	const { ServiceId } = await provider('CreateVpcEndpointService', { ServiceResourceType: 'nlb', ...more });
	await provider('AddUserToVpcEndpointService', { ServiceId, UserId: accounts.consumer.uid });
	return ServiceId;
}

async function new_endpoint(more = {}) {
	const parameters = { VpcId: net.VpcId, ServiceId: services[0], 'SecurityGroupId.1': group, ...more };
	return (await consumer('CreateVpcEndpoint', parameters)).EndpointId;
}

const forget = (list, id) => list.includes(id) && list.splice(list.indexOf(id), 1);

async function endpoint_gone(EndpointId) {
	forget(endpoints, EndpointId);
	await consumer('DeleteVpcEndpoint', { EndpointId });
	await until('endpoint gone', async () => (await consumer('ListVpcEndpoints', { EndpointId })).TotalCount === 0);
}

test('there is enough to fill pages', async () => {
	net = await network(accounts.consumer);
	provider_net = await network(accounts.provider);
	group = net.SecurityGroupId;
	balancer = (await load_balancer(accounts.provider, provider_net)).LoadBalancerId;
	for (let i = 0; i < 5; i++) {
		services.push(await new_service());
	}
	for (const [ResourceId, ZoneId] of zones.map((zone) => [balancer, zone])) {
		await provider('AttachResourceToVpcEndpointService', { ServiceId: services[0], ResourceId, ResourceType: 'nlb', ZoneId });
	}
	for (let i = 0; i < 5; i++) {
		endpoints.push(await new_endpoint());
	}
	await until('endpoints Active', async () => {
		const { Endpoints } = await consumer('ListVpcEndpoints', { EndpointStatus: 'Active' });
		return Endpoints.length === 5;
	});
});

// Of each list: who calls it and with what, the member, what tells an entry, how one comes and how one goes (`id` tells which).
const lists = {
	ListVpcEndpoints: {
		call: consumer, member: 'Endpoints', key: (e) => e.EndpointId, max: 1000,
		add: () => new_endpoint(),
		remove: (id) => endpoint_gone(id),
	},
	ListVpcEndpointConnections: {
		call: provider, member: 'Connections', key: (c) => c.EndpointId, max: 1000,
		parameters: () => ({ ServiceId: services[0] }),
		add: () => new_endpoint(),
		remove: (id) => endpoint_gone(id),
	},
	ListVpcEndpointServices: {
		call: provider, member: 'Services', key: (s) => s.ServiceId, max: 1000,
		add: () => new_service(),
		remove: (ServiceId) => service_gone(ServiceId),
	},
	ListVpcEndpointServicesByEndUser: {
		call: consumer, member: 'Services', key: (s) => s.ServiceId, max: 1000,
		add: () => new_service(),
		remove: (ServiceId) => service_gone(ServiceId),
	},
	ListVpcEndpointServiceUsers: {
		call: provider, member: 'Users', key: (u) => String(u.UserId), max: 50,
		parameters: () => ({ ServiceId: services[0] }),
		fill: async () => {
			for (let UserId = 1000; UserId < 1005; UserId++) {
				await provider('AddUserToVpcEndpointService', { ServiceId: services[0], UserId });
			}
		},
		add: async () => {
			await provider('AddUserToVpcEndpointService', { ServiceId: services[0], UserId: 999999 });
			return '999999';
		},
		remove: (UserId) => provider('RemoveUserFromVpcEndpointService', { ServiceId: services[0], UserId }),
	},
	ListVpcEndpointServiceResources: {
		call: provider, member: 'Resources', key: (r) => `${r.ResourceId} ${r.ZoneId}`, max: 50,
		parameters: () => ({ ServiceId: services[0] }),
		fill: () => attach_another(),
		add: async () => `${await attach_another(1)} ${zones[0]}`,
		remove: (key) => {
			const [ResourceId, ZoneId] = key.split(' ');
			return provider('DetachResourceFromVpcEndpointService', { ServiceId: services[0], ResourceId, ZoneId });
		},
	},
	ListVpcEndpointZones: {
		call: consumer, member: 'Zones', key: (z) => z.ZoneId, max: 1000,
		parameters: () => ({ EndpointId: endpoints[0] }),
		fill: async () => {
			for (const i of [0, 1]) {
				await consumer('AddZoneToVpcEndpoint', { EndpointId: endpoints[0], ZoneId: zones[i], VSwitchId: net.vswitches[i] });
			}
		},
	},
	ListVpcEndpointSecurityGroups: {
		call: consumer, member: 'SecurityGroups', key: (g) => g.SecurityGroupId, max: 50,
		fill: async () => {
			const groups = { 'SecurityGroupId.1': group };
			for (let n = 2; n <= 5; n++) {
				const made = await acs3(accounts.consumer, 'ecs')('CreateSecurityGroup', { VpcId: net.VpcId });
				groups[`SecurityGroupId.${n}`] = made.SecurityGroupId;
			}
			endpoints.push(await new_endpoint(groups));
		},
		parameters: () => ({ EndpointId: endpoints[endpoints.length - 1] }),
	},
	ListTagResources: {
		call: consumer, member: 'TagResources', key: (t) => `${t.ResourceId} ${t.TagKey}`, fixed: 50,
		fill: async () => {
			for (const id of endpoints.slice(0, 5)) {
				const tags = Array.from({ length: 15 }, (_, i) => [`Tag.${i + 1}.Key`, `k${String(i).padStart(2, '0')}`]);
				await consumer('TagResources', { ResourceType: 'vpcendpoint', 'ResourceId.1': id, ...Object.fromEntries(tags) });
			}
		},
		parameters: () => ({
			ResourceType: 'vpcendpoint',
			...Object.fromEntries(endpoints.slice(0, 5).map((id, i) => [`ResourceId.${i + 1}`, id])),
		}),
		add: async () => {
			const tag = { 'Tag.1.Key': 'a-late-one', 'Tag.1.Value': '' };
			await consumer('TagResources', { ResourceType: 'vpcendpoint', 'ResourceId.1': endpoints[0], ...tag });
			return `${endpoints[0]} a-late-one`;
		},
		remove: (key) => {
			const [id, tag] = key.split(' ');
			return consumer('UntagResources', { ResourceType: 'vpcendpoint', 'ResourceId.1': id, 'TagKey.1': tag });
		},
	},
};

async function service_gone(ServiceId) {
	forget(services, ServiceId);
	await provider('DeleteVpcEndpointService', { ServiceId });
	await until('service gone', async () => (await provider('ListVpcEndpointServices', { ServiceId })).TotalCount === 0);
}

async function attach_another(only = 2) {
	const { LoadbalancerId } = await nlb('CreateLoadBalancer', {
		AddressType: 'Intranet',
		VpcId: provider_net.VpcId,
		'ZoneMappings.1.ZoneId': zones[0],
		'ZoneMappings.1.VSwitchId': provider_net.vswitches[0],
		'ZoneMappings.2.ZoneId': zones[1],
		'ZoneMappings.2.VSwitchId': provider_net.vswitches[1],
	});
	for (const ZoneId of zones.slice(0, only)) {
		const resource = { ResourceId: LoadbalancerId, ResourceType: 'nlb', ZoneId };
		await provider('AttachResourceToVpcEndpointService', { ServiceId: services[0], ...resource });
	}
	return LoadbalancerId;
}

async function all_pages(list, action, parameters, size, between = async () => {}) {
	const found = [];
	let token, total;
	for (let n = 0; ; n++) {
		const page = await list.call(action, { ...parameters, ...size, ...(token ? { NextToken: token } : {}) });
		found.push(...page[list.member].map(list.key));
		if (!list.fixed) {
			assert.equal(page.MaxResults, size.MaxResults);
			assert.ok(page[list.member].length <= size.MaxResults);
		}
		total = n === 0 ? page.TotalCount : total;
		assert.equal(page.TotalCount, total, 'the total of the first page, whatever comes and goes');
		token = page.NextToken;
		if (!token) {
			return { found, pages: n + 1, total };
		}
		await between(n, found);
	}
}

test('every list that has pages is among them', () => {
	const with_pages = Object.entries(products.privatelink.actions).filter(([, a]) => 'NextToken' in a.answers);
	assert.deepEqual(with_pages.map(([action]) => action).sort(), Object.keys(lists).sort());
});

for (const [action, list] of Object.entries(lists)) {
	const size = list.fixed ? {} : { MaxResults: 1 };

	test(`${action}: pages are bounded, and together the whole list`, async () => {
		await (list.fill && list.fill());
		const parameters = list.parameters ? list.parameters() : {};
		const whole = list.fixed ? null : (await list.call(action, { ...parameters, MaxResults: list.max }))[list.member].map(list.key);
		const { found, pages, total } = await all_pages(list, action, parameters, size);
		assert.ok(pages >= 2, `${pages} pages`);
		assert.equal(new Set(found).size, found.length, 'each entry once');
		if (whole) {
			assert.deepEqual(found, whole, 'in the same order');
		}
		if (total !== undefined) {
			assert.equal(Number(total), found.length);
		}
		if (!list.fixed) {
			for (const MaxResults of [0, list.max + 1, -1, 'many']) {
				const e = await refused(list.call(action, { ...parameters, MaxResults }));
				assert.equal(e.code, 'IllegalParamFormat.MaxResults', `MaxResults=${MaxResults}`);
			}
			const by_default = await list.call(action, parameters);
			assert.equal(by_default.MaxResults, 50);
		}
		for (const NextToken of ['damaged', '00', `${'f'.repeat(64)}`]) {
			const e = await refused(list.call(action, { ...parameters, ...size, NextToken }));
			assert.equal(e.code, 'IllegalParamFormat.NextToken');
		}
	});

	if (!list.add) {
		continue;
	}
	test(`${action}: a token survives what comes and goes`, async () => {
		const parameters = list.parameters ? list.parameters() : {};
		const before = (await all_pages(list, action, parameters, size)).found;
		const gone = [];
		const come = [];
		// What was listed last, and with it the place of the token, goes; something comes.
		const { found } = await all_pages(list, action, parameters, size, async (n, so_far) => {
			if (n === 0) {
				const removable = so_far.filter((key) => can_go(action, key));
				come.push(await list.add());
				if (removable.length) {
					gone.push(removable[removable.length - 1]);
					await list.remove(gone[0]);
				}
			}
		});
		assert.equal(new Set(found).size, found.length, 'each entry once');
		for (const key of before.filter((k) => !gone.includes(k))) {
			assert.ok(found.includes(key), `${key} was there all the time and is listed`);
		}
		assert.deepEqual(found.filter((key) => !before.includes(key) && !come.includes(key)), []);
	});
}

// What the other lists need stays.
function can_go(action, key) {
	if (/Service/.test(action) && [services[0], balancer].some((id) => key.startsWith(id))) {
		return false;
	}
	if (action === 'ListVpcEndpointServicesByEndUser') {
		return services.includes(key);
	}
	return !(/Endpoints|Connections/.test(action) && endpoints.slice(0, 1).includes(key)) && key !== accounts.provider.uid;
}

test('a token is of its action', async () => {
	const { NextToken } = await consumer('ListVpcEndpoints', { MaxResults: 1 });
	const e = await refused(provider('ListVpcEndpointServices', { MaxResults: 1, NextToken }));
	assert.equal(e.code, 'IllegalParamFormat.NextToken');
	assert.equal(region, 'cn-hangzhou');
});

test('a token is of its question', async () => {
	const VpcId = net.VpcId;
	const { NextToken } = await consumer('ListVpcEndpoints', { VpcId, MaxResults: 1 });
	assert.ok((await consumer('ListVpcEndpoints', { VpcId, MaxResults: 2, NextToken })).Endpoints.length > 0, 'of any size');
	for (const other of [{}, { VpcId: 'vpc-other' }, { VpcId, EndpointStatus: 'Active' }]) {
		const e = await refused(consumer('ListVpcEndpoints', { ...other, MaxResults: 1, NextToken }));
		assert.equal(e.code, 'IllegalParamFormat.NextToken');
	}
	const of_first = { ServiceId: services[0], MaxResults: 1 };
	const resources = await provider('ListVpcEndpointServiceResources', of_first);
	assert.ok(resources.NextToken);
	const e = await refused(provider('ListVpcEndpointServiceResources',
		{ ...of_first, ServiceId: services[1], NextToken: resources.NextToken }));
	assert.equal(e.code, 'IllegalParamFormat.NextToken', 'of another service');
});
