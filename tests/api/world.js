// SPDX-License-Identifier: Apache-2.0
// The objects that tests start from: a VPC with vSwitches in two zones and a security group; a provider's load balancer
// with servers. Made through the API by the official clients.
'use strict';

const { accounts, acs3, region, until } = require('./client');

const zones = ['cn-hangzhou-h', 'cn-hangzhou-i'];

// A VPC with a vSwitch in each zone and a security group.
async function network(account, cidr = '10.0.0.0/16', subnets = ['10.0.1.0/24', '10.0.2.0/24']) {
	const vpc = acs3(account, 'vpc');
	const ecs = acs3(account, 'ecs');
	const { VpcId } = await vpc('CreateVpc', { CidrBlock: cidr });
	await until('VPC Available', async () => (await vpc('DescribeVpcAttribute', { VpcId })).Status === 'Available');
	const vswitches = [];
	for (let i = 0; i < zones.length; i++) {
		const { VSwitchId } = await vpc('CreateVSwitch', { VpcId, ZoneId: zones[i], CidrBlock: subnets[i] });
		await until(
			'vSwitch Available',
			async () => (await vpc('DescribeVSwitchAttributes', { VSwitchId })).Status === 'Available',
		);
		vswitches.push(VSwitchId);
	}
	const { SecurityGroupId } = await ecs('CreateSecurityGroup', { VpcId, SecurityGroupName: 'group' });
	return { VpcId, vswitches, SecurityGroupId };
}

async function instance(account, VSwitchId, SecurityGroupId) {
	const ecs = acs3(account, 'ecs');
	const answer = await ecs('RunInstances', { VSwitchId, SecurityGroupId, ImageId: 'debian', InstanceType: 'netns' });
	const id = answer.InstanceIdSets.InstanceIdSet[0];
	await until('instance Running', async () => {
		const { Instances } = await ecs('DescribeInstances', { InstanceIds: JSON.stringify([id]) });
		return Instances.Instance[0].Status === 'Running';
	});
	return id;
}

// A load balancer in both zones of a network, with a server in each and a listener on TCP 443.
async function load_balancer(account, net) {
	const nlb = acs3(account, 'nlb');
	const { LoadbalancerId } = await nlb('CreateLoadBalancer', {
		AddressType: 'Intranet',
		VpcId: net.VpcId,
		'ZoneMappings.1.ZoneId': zones[0],
		'ZoneMappings.1.VSwitchId': net.vswitches[0],
		'ZoneMappings.2.ZoneId': zones[1],
		'ZoneMappings.2.VSwitchId': net.vswitches[1],
	});
	const servers = [
		await instance(account, net.vswitches[0], net.SecurityGroupId),
		await instance(account, net.vswitches[1], net.SecurityGroupId),
	];
	const { ServerGroupId } = await nlb('CreateServerGroup', {
		ServerGroupName: 'servers',
		VpcId: net.VpcId,
		Protocol: 'TCP',
	});
	await nlb('AddServersToServerGroup', {
		ServerGroupId,
		'Servers.1.ServerId': servers[0],
		'Servers.1.ServerType': 'Ecs',
		'Servers.1.Port': 443,
		'Servers.2.ServerId': servers[1],
		'Servers.2.ServerType': 'Ecs',
		'Servers.2.Port': 443,
	});
	const { ListenerId } = await nlb('CreateListener', {
		LoadBalancerId: LoadbalancerId,
		ListenerProtocol: 'TCP',
		ListenerPort: 443,
		ServerGroupId,
	});
	await until(
		'load balancer Active',
		async () =>
			(await nlb('GetLoadBalancerAttribute', { LoadBalancerId: LoadbalancerId })).LoadBalancerStatus === 'Active',
	);
	return { LoadBalancerId: LoadbalancerId, ServerGroupId, ListenerId, servers };
}

// An endpoint service of the provider over a load balancer in both zones.
async function service(account, lb, more = {}) {
	const privatelink = acs3(account, 'privatelink');
	const answer = await privatelink('CreateVpcEndpointService', {
		ServiceResourceType: 'nlb',
		'Resource.1.ResourceType': 'nlb',
		'Resource.1.ResourceId': lb.LoadBalancerId,
		'Resource.1.ZoneId': zones[0],
		'Resource.2.ResourceType': 'nlb',
		'Resource.2.ResourceId': lb.LoadBalancerId,
		'Resource.2.ZoneId': zones[1],
		...more,
	});
	await until(
		'service Active',
		async () =>
			(await privatelink('GetVpcEndpointServiceAttribute', { ServiceId: answer.ServiceId })).ServiceStatus ===
			'Active',
	);
	return answer;
}

const endpoint_parameters = (net, more = {}) => ({
	VpcId: net.VpcId,
	'SecurityGroupId.1': net.SecurityGroupId,
	EndpointName: 'privateLink_dlc',
	'Zone.1.ZoneId': zones[0],
	'Zone.1.VSwitchId': net.vswitches[0],
	'Zone.2.ZoneId': zones[1],
	'Zone.2.VSwitchId': net.vswitches[1],
	...more,
});

module.exports = { accounts, endpoint_parameters, instance, load_balancer, network, region, service, zones };
