// SPDX-License-Identifier: Apache-2.0
// Classic load balancers by the older official client (V1 signature), in the steps of Terraform's provider: made, put behind an
// endpoint service with an empty ZoneId, taken off, deleted once; and load balancers that a deleted service sets free.
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { accounts, refused, until, v1 } = require('./client');
const { instance, load_balancer, network, zones } = require('./world');

const account = accounts.provider;
const slb = v1(account, 'slb');
const nlb = v1(account, 'nlb');
const privatelink = v1(account, 'privatelink');

async function make_balancer(net) {
	const answer = await slb('CreateLoadBalancer', {
		LoadBalancerName: 'tf-testacc',
		LoadBalancerSpec: 'slb.s2.small',
		AddressType: 'intranet',
		AddressIPVersion: 'ipv4',
		Bandwidth: 1,
		InternetChargeType: 'paybytraffic',
		InstanceChargeType: 'PayBySpec',
		DeleteProtection: 'off',
		VSwitchId: net.vswitches[0],
		VpcId: net.VpcId,
		MasterZoneId: zones[0],
		SlaveZoneId: zones[1],
		ClientToken: `TF-CreateLoadBalancer-${Date.now()}`,
	});
	await until('load balancer active', async () => (await shown(answer.LoadBalancerId)).LoadBalancerStatus === 'active');
	return answer.LoadBalancerId;
}

const shown = (LoadBalancerId) => slb('DescribeLoadBalancerAttribute', { LoadBalancerId });
const resources = async (ServiceId) =>
	(await privatelink('ListVpcEndpointServiceResources', { ServiceId, MaxResults: 50, NextToken: '' })).Resources;
const service_gone = (ServiceId) =>
	until('service gone', () =>
		privatelink('GetVpcEndpointServiceAttribute', { ServiceId }).then(
			() => false,
			(e) => e.code === 'EndpointServiceNotFound',
		),
	);

// One call, as the provider sends it: a refusal would be final.
async function deleted_at_once(LoadBalancerId) {
	await slb('DeleteLoadBalancer', { LoadBalancerId });
	await until('load balancer gone', () =>
		shown(LoadBalancerId).then(
			() => false,
			(e) => e.code === 'InvalidLoadBalancerId.NotFound' && /NotFound/.test(e.message),
		),
	);
}

test('zones for it are found, and tell master and slave', async () => {
	const { AvailableResources } = await slb('DescribeAvailableResource', {}, { method: 'GET' });
	const pairs = AvailableResources.AvailableResource;
	assert.ok(new Set(pairs.map((p) => p.MasterZoneId)).size >= 2);
	for (const pair of pairs) {
		assert.notEqual(pair.MasterZoneId, pair.SlaveZoneId);
		const [{ AddressType, AddressIPVersion }] = pair.SupportResources.SupportResource;
		assert.deepEqual([AddressType, AddressIPVersion], ['vpc', 'ipv4']);
	}
});

test('a service resource comes and goes, and the load balancer with it', async () => {
	const net = await network(account);
	const id = await make_balancer(net);
	const balancer = await shown(id);
	assert.match(id, /^lb-[a-z0-9]+$/);
	assert.equal(typeof balancer.Bandwidth, 'number');
	assert.equal(balancer.MasterZoneId, zones[0]);
	assert.equal(balancer.SlaveZoneId, zones[1]);
	assert.equal(balancer.AddressType, 'intranet');
	assert.equal(balancer.InstanceChargeType, 'PayBySpec');
	assert.deepEqual(balancer.ListenerPorts.ListenerPort, []);
	const tags = await slb('ListTagResources', { ResourceType: 'instance', 'ResourceId.1': id });
	assert.deepEqual(tags.TagResources.TagResource, []);

	const { ServiceId } = await privatelink('CreateVpcEndpointService', { ServiceDescription: 'tests' });
	await privatelink('AttachResourceToVpcEndpointService', { ServiceId, ResourceId: id, ResourceType: 'slb', ZoneId: '' });
	const [resource] = await resources(ServiceId);
	assert.equal(resource.ResourceId, id);
	assert.equal(resource.ResourceType, 'slb');
	assert.equal(resource.ZoneId, zones[0]);
	assert.equal(resource.Ip, balancer.Address);
	const used = await refused(slb('DeleteLoadBalancer', { LoadBalancerId: id }));
	assert.equal(used.code, 'ResourceInUse.LoadBalancer');

	await privatelink('DetachResourceFromVpcEndpointService', { ServiceId, ResourceId: id, ResourceType: 'slb', ZoneId: '' });
	await until('resource gone', async () => (await resources(ServiceId)).length === 0);
	await deleted_at_once(id);
	await privatelink('DeleteVpcEndpointService', { ServiceId });
	await service_gone(ServiceId);
});

test('an endpoint gets and loses the zone that it serves', async () => {
	const net = await network(account);
	const id = await make_balancer(net);
	const { ServiceId } = await privatelink('CreateVpcEndpointService', {
		AutoAcceptEnabled: true,
		'Resource.1.ResourceType': 'slb',
		'Resource.1.ResourceId': id,
	});
	const { EndpointId } = await privatelink('CreateVpcEndpoint', {
		VpcId: net.VpcId,
		ServiceId,
		'SecurityGroupId.1': net.SecurityGroupId,
	});
	const listed = async () => (await privatelink('ListVpcEndpointZones', { EndpointId })).Zones;
	await until('endpoint Active', async () =>
		(await privatelink('GetVpcEndpointAttribute', { EndpointId })).EndpointStatus === 'Active');
	await privatelink('AddZoneToVpcEndpoint', { EndpointId, ZoneId: zones[0], VSwitchId: net.vswitches[0] });
	await until('zone Connected', async () => (await listed())[0].ZoneStatus === 'Connected');
	await privatelink('RemoveZoneFromVpcEndpoint', { EndpointId, ZoneId: zones[0] });
	await until('zone gone', async () => (await listed()).length === 0);
	await privatelink('DeleteVpcEndpoint', { EndpointId });
	await until('endpoint gone', async () => (await privatelink('ListVpcEndpoints', { EndpointId })).Endpoints.length === 0);
	await privatelink('DeleteVpcEndpointService', { ServiceId });
	await service_gone(ServiceId);
	await deleted_at_once(id);
});

test('servers and listeners, as the command lines and libraries write them', async () => {
	const net = await network(account);
	const id = await make_balancer(net);
	const ServerId = await instance(account, net.vswitches[1], net.SecurityGroupId);
	const BackendServers = JSON.stringify([{ ServerId, Weight: '100', Type: 'ecs', Port: '80' }]);
	const added = await slb('AddBackendServers', { LoadBalancerId: id, BackendServers });
	assert.equal(added.BackendServers.BackendServer[0].ServerId, ServerId);
	await slb('CreateLoadBalancerTCPListener', {
		LoadBalancerId: id,
		ListenerPort: 80,
		BackendServerPort: 8080,
		Bandwidth: -1,
		Scheduler: 'wrr',
		HealthCheckConnectPort: 8080,
		healthCheckInterval: 1,
	});
	const listener = () => slb('DescribeLoadBalancerTCPListenerAttribute', { LoadBalancerId: id, ListenerPort: 80 });
	assert.equal((await listener()).Status, 'stopped');
	await slb('StartLoadBalancerListener', { LoadBalancerId: id, ListenerPort: 80 });
	await until('listener running', async () => (await listener()).Status === 'running');
	const health = async () =>
		(await slb('DescribeHealthStatus', { LoadBalancerId: id, ListenerPort: 80 })).BackendServers.BackendServer;
	await until('nobody listens there', async () => (await health())[0].ServerHealthStatus === 'abnormal');
	await slb('RemoveBackendServers', { LoadBalancerId: id, BackendServers });
	await until('server gone', async () => (await health()).length === 0);
	await slb('DeleteLoadBalancerListener', { LoadBalancerId: id, ListenerPort: 80, ListenerProtocol: 'tcp' });
	await until('listener gone', () =>
		listener().then(
			() => false,
			(e) => e.code === 'ListenerNotFound',
		),
	);
	await deleted_at_once(id);
});

test('a service that is deleted with its resources has freed them when it is gone', async () => {
	const net = await network(account);
	const id = await make_balancer(net);
	const { LoadBalancerId } = await load_balancer(account, net);
	for (const Resource of [
		{ 'Resource.1.ResourceType': 'slb', 'Resource.1.ResourceId': id, 'Resource.1.ZoneId': '' },
		{ 'Resource.1.ResourceType': 'nlb', 'Resource.1.ResourceId': LoadBalancerId, 'Resource.1.ZoneId': zones[1] },
	]) {
		const ServiceResourceType = Resource['Resource.1.ResourceType'];
		const { ServiceId } = await privatelink('CreateVpcEndpointService', { ServiceResourceType, ...Resource });
		assert.equal((await resources(ServiceId)).length, 1);
		await privatelink('DeleteVpcEndpointService', { ServiceId });
		await service_gone(ServiceId);
		if (ServiceResourceType === 'slb') {
			await deleted_at_once(id);
			continue;
		}
		const { JobId } = await nlb('DeleteLoadBalancer', { LoadBalancerId });
		await until('job Succeeded', async () => (await nlb('GetJobStatus', { JobId })).Status === 'Succeeded');
	}
});
