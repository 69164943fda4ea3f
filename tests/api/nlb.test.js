// SPDX-License-Identifier: Apache-2.0
// Load balancers as the official clients drive them, in the order and with the parameters of a Terraform provider: made,
// looked at, changed, guarded, and deleted with a job that is asked about.
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { acs3, refused, until, v1 } = require('./client');
const { accounts, network, instance, region, zones } = require('./world');

const nlb = acs3(accounts.provider, 'nlb');
const stranger = acs3(accounts.consumer, 'nlb');
let net, LoadBalancerId, ServerGroupId, ListenerId, server;

const get = () => nlb('GetLoadBalancerAttribute', { LoadBalancerId });
const active = () => until('load balancer Active', async () => (await get()).LoadBalancerStatus === 'Active');
const done = (JobId) => until('job', async () => (await nlb('GetJobStatus', { JobId, ClientToken: 'x' })).Status === 'Succeeded');
const mapping = (n, zone, VSwitchId, more = {}) => ({
	[`ZoneMappings.${n}.ZoneId`]: zone,
	[`ZoneMappings.${n}.VSwitchId`]: VSwitchId,
	...Object.fromEntries(Object.entries(more).map(([k, v]) => [`ZoneMappings.${n}.${k}`, v])),
});

test('zones are a plain list', async () => {
	const { Zones } = await nlb('DescribeZones');
	assert.ok(Zones.some((z) => z.ZoneId === zones[0] && z.LocalName));
	assert.ok((await nlb('DescribeRegions')).Regions.some((r) => r.RegionId === region));
});

test('a load balancer is made with what clients always send', async () => {
	net = await network(accounts.provider);
	const made = await nlb('CreateLoadBalancer', {}, {
		AddressType: 'Intranet',
		VpcId: net.VpcId,
		LoadBalancerName: 'front',
		AddressIpVersion: 'ipv4',
		'LoadBalancerBillingConfig.PayType': 'PostPay',
		DeletionProtectionConfig: JSON.stringify({ Enabled: true, Reason: 'in use' }),
		ZoneMappings: JSON.stringify([
			{ ZoneId: zones[0], VSwitchId: net.vswitches[0], AllocationId: '', Ipv6Address: '' },
			{ ZoneId: zones[1], VSwitchId: net.vswitches[1], PrivateIPv4Address: '10.0.2.99' },
		]),
	});
	LoadBalancerId = made.LoadbalancerId;
	assert.match(LoadBalancerId, /^nlb-[a-z0-9]+$/);
	await active();
});

test('its attributes are those that a provider reads', async () => {
	const lb = await get();
	assert.equal(lb.AddressType, 'Intranet');
	assert.equal(lb.AddressIpVersion, 'Ipv4');
	assert.equal(lb.LoadBalancerType, 'Network');
	assert.equal(lb.LoadBalancerBusinessStatus, 'Normal');
	assert.equal(lb.LoadBalancerBillingConfig.PayType, 'PostPay');
	assert.equal(lb.CrossZoneEnabled, true);
	assert.equal(lb.RegionId, region);
	assert.match(lb.ResourceGroupId, /^rg-/);
	assert.match(lb.CreateTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
	assert.ok(lb.DNSName.startsWith(LoadBalancerId));
	assert.equal(lb.DeletionProtectionConfig.Enabled, true);
	assert.equal(lb.DeletionProtectionConfig.Reason, 'in use');
	assert.equal(lb.ModificationProtectionConfig.Status, 'NonProtection');
	assert.deepEqual(lb.SecurityGroupIds, []);
	assert.deepEqual(lb.Tags, []);
	assert.deepEqual(lb.OperationLocks, []);
	assert.deepEqual(lb.ZoneMappings.map((z) => [z.ZoneId, z.VSwitchId, z.Status]), [
		[zones[0], net.vswitches[0], 'Active'],
		[zones[1], net.vswitches[1], 'Active'],
	]);
	const [address] = lb.ZoneMappings[1].LoadBalancerAddresses;
	assert.equal(address.PrivateIPv4Address, '10.0.2.99');
	assert.match(address.EniId, /^eni-/);
});

test('it is not another account\'s', async () => {
	const e = await refused(stranger('GetLoadBalancerAttribute', { LoadBalancerId }));
	assert.equal(e.code, 'ResourceNotFound.loadBalancer');
	assert.equal(e.status, 404);
	assert.match(e.message, /NotFound/);
});

test('a protected one is not deleted, and says why', async () => {
	const e = await refused(nlb('DeleteLoadBalancer', { LoadBalancerId }));
	assert.equal(e.code, 'OperationDenied.DeletionProtection');
	assert.match(e.message, /in use/);
	const answer = await nlb('UpdateLoadBalancerProtection', {
		LoadBalancerId,
		DeletionProtectionEnabled: false,
		ModificationProtectionStatus: 'ConsoleProtection',
		ModificationProtectionReason: 'frozen',
	});
	assert.deepEqual(Object.keys(answer), ['RequestId']);
	const lb = await get();
	assert.equal(lb.DeletionProtectionConfig.Enabled, false);
	assert.equal(lb.ModificationProtectionConfig.Status, 'ConsoleProtection');
	assert.equal(lb.ModificationProtectionConfig.Reason, 'frozen');
});

test('names say their rule', async () => {
	const e = await refused(nlb('UpdateLoadBalancerAttribute', { LoadBalancerId, LoadBalancerName: '1' }));
	assert.equal(e.code, 'IllegalParam.LoadBalancerName');
	assert.match(e.message, /2 to 128 characters/);
});

test('its zones change, and the addresses that went are free', async () => {
	const { JobId } = await nlb('UpdateLoadBalancerZones', {
		LoadBalancerId,
		...mapping(1, zones[0], net.vswitches[0]),
		...mapping(2, zones[1], net.vswitches[1], { PrivateIPv4Address: '10.0.2.98' }),
	});
	await done(JobId);
	await active();
	const lb = await get();
	assert.equal(lb.ZoneMappings[1].LoadBalancerAddresses[0].PrivateIPv4Address, '10.0.2.98');
	const back = { ...mapping(1, zones[0], net.vswitches[0]), ...mapping(2, zones[1], net.vswitches[1], { PrivateIPv4Address: '10.0.2.99' }) };
	await until('the address is free', () => nlb('UpdateLoadBalancerZones', { LoadBalancerId, ...back }).catch((e) => {
		assert.equal(e.code, 'ResourceInUse.IP');
	}));
	await active();
});

test('a zone is shifted and comes back', async () => {
	await nlb('StartShiftLoadBalancerZones', { LoadBalancerId, ...mapping(1, zones[0], net.vswitches[0]) });
	await until('Shifted', async () => (await get()).ZoneMappings[0].Status === 'Shifted');
	await nlb('CancelShiftLoadBalancerZones', { LoadBalancerId, ...mapping(1, zones[0], net.vswitches[0]) });
	await active();
	assert.equal((await get()).ZoneMappings[0].Status, 'Active');
});

test('it joins and leaves a security group, by jobs', async () => {
	await done((await nlb('LoadBalancerJoinSecurityGroup', { LoadBalancerId, 'SecurityGroupIds.1': net.SecurityGroupId })).JobId);
	assert.deepEqual((await get()).SecurityGroupIds, [net.SecurityGroupId]);
	await done((await nlb('LoadBalancerLeaveSecurityGroup', { LoadBalancerId, 'SecurityGroupIds.1': net.SecurityGroupId })).JobId);
	assert.deepEqual((await get()).SecurityGroupIds, []);
	const e = await refused(nlb('UpdateLoadBalancerAddressTypeConfig', { LoadBalancerId, AddressType: 'Internet' }));
	assert.equal(e.code, 'OperationDenied.AddressTypeNotSupported');
});

test('a server group with probes by HTTP, a server and a listener', async () => {
	server = await instance(accounts.provider, net.vswitches[0], net.SecurityGroupId);
	const made = await nlb('CreateServerGroup', {}, {
		ServerGroupName: 'web',
		VpcId: net.VpcId,
		Scheduler: 'Wrr',
		PreserveClientIpEnabled: true,
		ConnectionDrainEnabled: false,
		HealthCheckConfig: JSON.stringify({ HealthCheckType: 'HTTP', HealthCheckUrl: '/up', HealthCheckHttpCode: ['http_2xx', 'http_3xx'] }),
	});
	ServerGroupId = made.ServerGroupId;
	await done(made.JobId);
	await done((await nlb('AddServersToServerGroup', {}, {
		ServerGroupId,
		Servers: JSON.stringify([{ ServerId: server, ServerType: 'Ecs', Port: 80 }]),
	})).JobId);
	const { ServerGroups } = await nlb('ListServerGroups', { 'ServerGroupIds.1': ServerGroupId });
	const check = ServerGroups[0].HealthCheck;
	assert.equal(check.HealthCheckType, 'HTTP');
	assert.equal(check.HealthCheckUrl, '/up');
	assert.equal(check.HttpCheckMethod, 'GET');
	assert.equal(check.HealthCheckInterval, 5);
	assert.deepEqual(check.HealthCheckHttpCode, ['http_2xx', 'http_3xx']);
	assert.equal(ServerGroups[0].ServerCount, 1);
	const listener = await nlb('CreateListener', {
		LoadBalancerId, ServerGroupId, ListenerProtocol: 'TCP', ListenerPort: 80,
		Cps: 0, Mss: 0, ProxyProtocolEnabled: false, SecSensorEnabled: false,
	});
	ListenerId = listener.ListenerId;
	await done(listener.JobId);
	assert.equal((await nlb('GetListenerAttribute', { ListenerId })).ListenerStatus, 'Running');
	await until('the server, where nothing listens, is Unhealthy', async () => {
		const { ListenerHealthStatus } = await nlb('GetListenerHealthStatus', { ListenerId });
		const [ill] = ListenerHealthStatus[0].ServerGroupInfos[0].NonNormalServers;
		return ill && ill.ServerId === server && ill.Status === 'Unhealthy' && ill.Reason.ReasonCode === 'CONNECT_FAILED';
	});
});

test('what nothing reads is refused, with the reason', async () => {
	for (const [name, value] of Object.entries({ Mss: 100, SecSensorEnabled: true, AlpnEnabled: true })) {
		const e = await refused(nlb('UpdateListenerAttribute', { ListenerId, [name]: value }));
		assert.equal(e.code, `IllegalParam.${name}`);
		assert.match(e.message, /here/);
	}
});

test('connection draining and a largest segment are taken and told', async () => {
	await done((await nlb('UpdateServerGroupAttribute', { ServerGroupId, ConnectionDrainEnabled: true, ConnectionDrainTimeout: 30 })).JobId);
	const { ServerGroups } = await nlb('ListServerGroups', { 'ServerGroupIds.1': ServerGroupId });
	assert.equal(ServerGroups[0].ConnectionDrainEnabled, true);
	assert.equal(ServerGroups[0].ConnectionDrainTimeout, 30);
	await done((await nlb('UpdateListenerAttribute', { ListenerId, Mss: 1400 })).JobId);
	assert.equal((await nlb('GetListenerAttribute', { ListenerId })).Mss, 1400);
});

test('tags, filters and the older signature', async () => {
	await nlb('TagResources', {}, {
		ResourceType: 'loadbalancer',
		ResourceId: JSON.stringify([LoadBalancerId]),
		Tag: JSON.stringify([{ Key: 'env', Value: 'test' }]),
	});
	assert.deepEqual((await get()).Tags, [{ TagKey: 'env', TagValue: 'test' }]);
	const older = v1(accounts.provider, 'nlb');
	const { LoadBalancers, TotalCount } = await older('ListLoadBalancers', { 'Tag.1.Key': 'env', 'VpcIds.1': net.VpcId, ZoneId: zones[1] });
	assert.equal(TotalCount, 1);
	assert.equal(LoadBalancers[0].LoadBalancerId, LoadBalancerId);
	assert.equal((await nlb('ListLoadBalancers', { 'Tag.1.Key': 'env', 'Tag.1.Value': 'live' })).TotalCount, 0);
	await nlb('UntagResources', {}, {
		ResourceType: 'loadbalancer',
		ResourceId: JSON.stringify([LoadBalancerId]),
		TagKey: JSON.stringify(['env']),
	});
	assert.equal((await nlb('ListTagResources', { ResourceType: 'loadbalancer', 'ResourceId.1': LoadBalancerId })).TagResources.length, 0);
});

test('it is deleted by a job, and is gone', async () => {
	await done((await nlb('StopListener', { ListenerId })).JobId);
	await done((await nlb('DeleteListener', { ListenerId })).JobId);
	await done((await nlb('RemoveServersFromServerGroup', {
		ServerGroupId, 'Servers.1.ServerId': server, 'Servers.1.ServerType': 'Ecs', 'Servers.1.Port': 80,
	})).JobId);
	await done((await nlb('DeleteServerGroup', { ServerGroupId })).JobId);
	await done((await nlb('DeleteLoadBalancer', { LoadBalancerId })).JobId);
	await until('it is gone', async () => get().then(() => false, (e) => e.code === 'ResourceNotFound.loadBalancer'));
});
