// SPDX-License-Identifier: Apache-2.0
// The products beside PrivateLink by the clients that people have for them: VPC and ECS by their typed packages, NLB by the generic
// client. Each action that is served is called once at least, so that its answer is compared with the API's shape (shapes.js).
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { accounts, acs3, ecs, region, until, vpc, Ecs, Vpc } = require('./client');
const { products, seen } = require('./shapes');

const zones = ['cn-hangzhou-h', 'cn-hangzhou-i'];

// A request of a package's class from members by the API's names; and the answer's members by them.
function make(model, members) {
	const names = Object.entries(model.names());
	const types = model.types();
	const made = {};
	for (const [wire, value] of Object.entries(members)) {
		const [name] = names.find(([, of]) => of === wire) || assert.fail(`${model.name} has no ${wire}`);
		const type = types[name];
		const inner = type.itemType && typeof type.itemType === 'function' ? type.itemType : null;
		made[name] = inner ? value.map((entry) => make(inner, entry)) : typeof type === 'function' ? make(type, value) : value;
	}
	return new model(made);
}

const lower = (name) => name[0].toLowerCase() + name.slice(1);
const typed = (client, module) => async (action, members = {}) => {
	const model = module[`${action}Request`];
	const places = 'regionId' in model.names() ? { RegionId: region } : {};
	return (await client[lower(action)](make(model, { ...places, ...members }))).body.toMap();
};
const on_vpc = typed(vpc(accounts.consumer), Vpc);
const on_ecs = typed(ecs(accounts.consumer), Ecs);
const on_nlb = acs3(accounts.consumer, 'nlb');

const one = { Key: 'env', Value: 'test' };
const ids = {};

test('VPC', async () => {
	await on_vpc('DescribeRegions', { AcceptLanguage: 'en-US' });
	await on_vpc('DescribeZones');
	const { VpcId } = await on_vpc('CreateVpc', { CidrBlock: '10.0.0.0/16', VpcName: 'companions', Description: 'of tests', Tag: [one] });
	ids.VpcId = VpcId;
	await until('Available', async () => (await on_vpc('DescribeVpcAttribute', { VpcId })).Status === 'Available');
	ids.vswitches = [];
	for (const [i, ZoneId] of zones.entries()) {
		const made = await on_vpc('CreateVSwitch', { VpcId, ZoneId, CidrBlock: `10.0.${i}.0/24`, VSwitchName: `in-${ZoneId}` });
		ids.vswitches.push(made.VSwitchId);
		await until('Available', async () => {
			const { Status } = await on_vpc('DescribeVSwitchAttributes', { VSwitchId: made.VSwitchId });
			return Status === 'Available';
		});
	}
	const VSwitchId = ids.vswitches[0];
	await on_vpc('ModifyVpcAttribute', { VpcId, VpcName: 'renamed', Description: 'another' });
	await on_vpc('ModifyVSwitchAttribute', { VSwitchId, VSwitchName: 'renamed', Description: 'another' });
	const { ResourceGroupId } = await on_vpc('DescribeVpcAttribute', { VpcId });
	await on_vpc('MoveResourceGroup', { ResourceType: 'VPC', ResourceId: VpcId, NewResourceGroupId: ResourceGroupId });
	ids.ResourceGroupId = ResourceGroupId;
	const vpcs = await on_vpc('DescribeVpcs', { VpcId, VpcName: 'renamed', Tag: [one], PageNumber: 1, PageSize: 50, IsDefault: false });
	assert.equal(vpcs.Vpcs.Vpc[0].VpcName, 'renamed');
	assert.equal(vpcs.TotalCount, 1);
	const listed = await on_vpc('DescribeVSwitches', { VpcId, ZoneId: zones[0], VSwitchName: 'renamed', PageSize: 50 });
	assert.equal(listed.VSwitches.VSwitch[0].VSwitchId, VSwitchId);
	const tables = await on_vpc('DescribeRouteTableList', { VpcId, RouteTableType: 'System' });
	assert.equal(tables.RouterTableList.RouterTableListType[0].VpcId, VpcId);
	const objects = { ResourceType: 'VSWITCH', ResourceId: ids.vswitches };
	await on_vpc('TagResources', { ...objects, Tag: [one, { Key: 'team', Value: 'a' }] });
	await on_vpc('UnTagResources', { ...objects, TagKey: ['team'] });
	const tags = await on_vpc('ListTagResources', { ...objects, MaxResults: 50 });
	assert.deepEqual(tags.TagResources.TagResource.map((t) => t.TagKey), ['env', 'env']);
});

test('ECS', async () => {
	await on_ecs('DescribeRegions');
	await on_ecs('DescribeZones', { Verbose: true });
	const { VpcId, ResourceGroupId } = ids;
	const texts = { SecurityGroupName: 'companions', Description: 'of tests', SecurityGroupType: 'normal', Tag: [one] };
	const group = (await on_ecs('CreateSecurityGroup', { VpcId, ...texts })).SecurityGroupId;
	ids.group = group;
	await on_ecs('ModifySecurityGroupAttribute', { SecurityGroupId: group, SecurityGroupName: 'renamed', Description: 'another' });
	await on_ecs('ModifySecurityGroupPolicy', { SecurityGroupId: group, InnerAccessPolicy: 'Drop' });
	await on_ecs('JoinResourceGroup', { ResourceType: 'securitygroup', ResourceId: group, ResourceGroupId });
	const rule = { IpProtocol: 'TCP', PortRange: '443/443', Policy: 'accept', Priority: '1' };
	await on_ecs('AuthorizeSecurityGroup', { SecurityGroupId: group, Permissions: [{ ...rule, SourceCidrIp: '10.0.0.0/8' }] });
	await on_ecs('AuthorizeSecurityGroupEgress', { SecurityGroupId: group, Permissions: [{ ...rule, DestCidrIp: '10.0.0.0/8' }] });
	const attribute = await on_ecs('DescribeSecurityGroupAttribute', { SecurityGroupId: group, Direction: 'all' });
	assert.equal(attribute.InnerAccessPolicy, 'Drop');
	assert.deepEqual(attribute.Permissions.Permission.map((p) => p.Direction).sort(), ['egress', 'ingress']);
	const groups = await on_ecs('DescribeSecurityGroups', { VpcId, SecurityGroupName: 'renamed', Tag: [one], MaxResults: 50 });
	assert.equal(groups.SecurityGroups.SecurityGroup[0].SecurityGroupId, group);
	const by_number = await on_ecs('DescribeSecurityGroups', { VpcId, PageNumber: 1, PageSize: 50 });
	assert.equal(by_number.TotalCount, 1);
	const objects = { ResourceType: 'securitygroup', ResourceId: [group] };
	await on_ecs('TagResources', { ...objects, Tag: [{ Key: 'team', Value: 'a' }] });
	await on_ecs('UntagResources', { ...objects, TagKey: ['team'] });

	ids.instances = [];
	for (const VSwitchId of ids.vswitches) {
		const made = await on_ecs('RunInstances', {
			VSwitchId,
			SecurityGroupId: group,
			ImageId: 'debian',
			InstanceType: 'netns',
			InstanceName: 'companion',
			Amount: 1,
		});
		ids.instances.push(made.InstanceIdSets.InstanceIdSet[0]);
	}
	const status = async () => {
		const { Instances } = await on_ecs('DescribeInstances', { InstanceIds: JSON.stringify(ids.instances), PageSize: 50 });
		return Instances.Instance.map((i) => i.Status).join(' ');
	};
	await until('Running', async () => (await status()) === 'Running Running');
	const interfaces = await on_ecs('DescribeNetworkInterfaces', { InstanceId: ids.instances[0], MaxResults: 50 });
	assert.equal(interfaces.NetworkInterfaceSets.NetworkInterfaceSet[0].InstanceId, ids.instances[0]);
	await on_ecs('DescribeInstances', { VpcId, InstanceName: 'companion', MaxResults: 50 });
	await on_ecs('StopInstance', { InstanceId: ids.instances[0] });
	await until('Stopped', async () => /Stopped/.test(await status()));
	await on_ecs('StartInstance', { InstanceId: ids.instances[0] });
	await until('Running', async () => (await status()) === 'Running Running');
});

// What an action that changes a load balancer says that it will do, it has done when its job has succeeded.
async function done(answer) {
	if (answer.JobId) {
		await until('job', async () => (await on_nlb('GetJobStatus', { JobId: answer.JobId })).Status === 'Succeeded');
	}
	return answer;
}
const served = (product, action) =>
	new RegExp(`\n## ${product},[^]*?\n### ${action}\n`).test(
		fs.readFileSync(path.join(__dirname, '../../doc/api.md'), 'utf8').replace(/\n## (?!NLB|VPC|ECS)/g, '\n# '),
	);

test('NLB', async () => {
	await on_nlb('DescribeRegions');
	const places = (await on_nlb('DescribeZones')).Zones;
	assert.ok(places.length >= 2);
	const mappings = (n) =>
		Object.fromEntries(
			zones.slice(0, n).flatMap((zone, i) => [
				[`ZoneMappings.${i + 1}.ZoneId`, zone],
				[`ZoneMappings.${i + 1}.VSwitchId`, ids.vswitches[i]],
			]),
		);
	const { LoadbalancerId: LoadBalancerId } = await on_nlb('CreateLoadBalancer', {}, {
		AddressType: 'Intranet',
		VpcId: ids.VpcId,
		LoadBalancerName: 'companions',
		'Tag.1.Key': 'env',
		'Tag.1.Value': 'test',
		...mappings(2),
	});
	const balancer = { LoadBalancerId };
	const active = () =>
		until('Active', async () => (await on_nlb('GetLoadBalancerAttribute', balancer)).LoadBalancerStatus === 'Active');
	await active();
	await done(await on_nlb('UpdateLoadBalancerAttribute', {}, { ...balancer, LoadBalancerName: 'renamed' }));
	const by_id = { 'LoadBalancerIds.1': LoadBalancerId };
	const found = await on_nlb('ListLoadBalancers', { ...by_id, 'LoadBalancerNames.1': 'renamed', MaxResults: 100 });
	assert.equal(found.LoadBalancers.length, 1);

	const server_group = await on_nlb('CreateServerGroup', {}, {
		ServerGroupName: 'companions',
		VpcId: ids.VpcId,
		Protocol: 'TCP',
		'HealthCheckConfig.HealthCheckEnabled': true,
	});
	await done(server_group);
	const { ServerGroupId } = server_group;
	await done(await on_nlb('UpdateServerGroupAttribute', {}, { ServerGroupId, ServerGroupName: 'renamed' }));
	const server = { ServerGroupId, 'Servers.1.ServerId': ids.instances[0], 'Servers.1.ServerType': 'Ecs', 'Servers.1.Port': 443 };
	await done(await on_nlb('AddServersToServerGroup', {}, { ...server, 'Servers.1.Weight': 100 }));
	await done(await on_nlb('UpdateServerGroupServersAttribute', {}, { ...server, 'Servers.1.Weight': 50 }));
	const servers = await on_nlb('ListServerGroupServers', { ServerGroupId, MaxResults: 100 });
	assert.equal(servers.Servers[0].Weight, 50);
	await on_nlb('ListServerGroups', { 'ServerGroupIds.1': ServerGroupId, MaxResults: 100 });

	const listener = await on_nlb('CreateListener', {}, { ...balancer, ServerGroupId, ListenerProtocol: 'TCP', ListenerPort: 443 });
	await done(listener);
	const { ListenerId } = listener;
	const listener_is = (wanted) =>
		until(wanted, async () => (await on_nlb('GetListenerAttribute', { ListenerId })).ListenerStatus === wanted);
	await listener_is('Running');
	await done(await on_nlb('UpdateListenerAttribute', {}, { ListenerId, ListenerDescription: 'another' }));
	await on_nlb('ListListeners', { 'LoadBalancerIds.1': LoadBalancerId, ListenerProtocol: 'TCP', MaxResults: 100 });
	await on_nlb('GetListenerHealthStatus', { ListenerId });
	await listener_is('Running');
	await done(await on_nlb('StopListener', {}, { ListenerId }));
	await listener_is('Stopped');
	await done(await on_nlb('StartListener', {}, { ListenerId }));
	await listener_is('Running');

	const objects = { ResourceType: 'loadbalancer', 'ResourceId.1': LoadBalancerId };
	await on_nlb('TagResources', {}, { ...objects, 'Tag.1.Key': 'team', 'Tag.1.Value': 'a' });
	await on_nlb('UntagResources', {}, { ...objects, 'TagKey.1': 'team' });
	const tags = await on_nlb('ListTagResources', { ...objects, MaxResults: 50 });
	assert.deepEqual(tags.TagResources.map((t) => t.TagKey), ['env']);

	await more_of_balancers(balancer, active, mappings);

	await done(await on_nlb('DeleteListener', {}, { ListenerId }));
	await until('listener gone', async () => (await on_nlb('ListListeners', by_id)).Listeners.length === 0);
	await done(await on_nlb('RemoveServersFromServerGroup', {}, server));
	await done(await on_nlb('DeleteServerGroup', {}, { ServerGroupId }));
	await done(await on_nlb('DeleteLoadBalancer', {}, balancer));
	await until('balancer gone', async () => (await on_nlb('ListLoadBalancers', by_id)).LoadBalancers.length === 0);
});

async function more_of_balancers(balancer, active, mappings) {
	const call = async (action, parameters) => {
		if (served('NLB', action)) {
			await active();
			await done(await on_nlb(action, {}, { ...balancer, ...parameters }));
		}
	};
	await call('UpdateLoadBalancerProtection', { DeletionProtectionEnabled: true, DeletionProtectionReason: 'of tests' });
	if (served('NLB', 'UpdateLoadBalancerProtection')) {
		const { DeletionProtectionConfig } = await on_nlb('GetLoadBalancerAttribute', balancer);
		assert.equal(DeletionProtectionConfig.Enabled, true);
	}
	await call('UpdateLoadBalancerProtection', { DeletionProtectionEnabled: false });
	await call('LoadBalancerJoinSecurityGroup', { 'SecurityGroupIds.1': ids.group });
	await call('LoadBalancerLeaveSecurityGroup', { 'SecurityGroupIds.1': ids.group });
	const place = { 'ZoneMappings.1.ZoneId': zones[1], 'ZoneMappings.1.VSwitchId': ids.vswitches[1] };
	await call('StartShiftLoadBalancerZones', place);
	await call('CancelShiftLoadBalancerZones', place);
	await call('UpdateLoadBalancerZones', mappings(2));
	await active();
}

test('all that was made goes', async () => {
	for (const InstanceId of ids.instances) {
		await on_ecs('DeleteInstance', { InstanceId, Force: true });
	}
	await until('instances gone', async () => {
		const { TotalCount } = await on_ecs('DescribeInstances', { InstanceIds: JSON.stringify(ids.instances), PageNumber: 1 });
		return TotalCount === 0;
	});
	const SecurityGroupId = ids.group;
	const rule = { IpProtocol: 'TCP', PortRange: '443/443', Policy: 'accept', Priority: '1' };
	await on_ecs('RevokeSecurityGroup', { SecurityGroupId, Permissions: [{ ...rule, SourceCidrIp: '10.0.0.0/8' }] });
	await on_ecs('RevokeSecurityGroupEgress', { SecurityGroupId, Permissions: [{ ...rule, DestCidrIp: '10.0.0.0/8' }] });
	await on_ecs('DeleteSecurityGroup', { SecurityGroupId });
	for (const VSwitchId of ids.vswitches) {
		await on_vpc('DeleteVSwitch', { VSwitchId });
	}
	await on_vpc('DeleteVpc', { VpcId: ids.VpcId });
	await until('VPC gone', async () => (await on_vpc('DescribeVpcs', { VpcId: ids.VpcId })).TotalCount === 0);
});

for (const product of ['VPC', 'ECS', 'NLB']) {
	const actions = Object.keys(products[product.toLowerCase()].actions);
	for (const action of actions.filter((a) => !served(product, a))) {
		test(`${product} ${action}`, { skip: 'not there yet' }, () => {});
	}
	test(`every action of ${product} that is served was answered`, () => {
		const answered = (action) => (seen.get(`${product.toLowerCase()}.${action}`) || { answers: 0 }).answers > 0;
		assert.deepEqual(actions.filter((action) => served(product, action) && !answered(action)), []);
	});
}
