// SPDX-License-Identifier: Apache-2.0
// Calls of the API beside the browser, by the command line: what a test needs to be there before its page is opened, and what must
// be so after.
'use strict';

const { execFile } = require('node:child_process');
const { promisify } = require('node:util');

const run = promisify(execFile);
const region = 'cn-hangzhou';

function environment(who) {
	return {
		...process.env, PRIVLINK_REGION: region, PRIVLINK_ENDPOINT: new URL(process.env.CONSOLE_URL).origin,
		PRIVLINK_ACCESS_KEY_ID: process.env[`${who.toUpperCase()}_AK`], PRIVLINK_ACCESS_KEY_SECRET: process.env[`${who.toUpperCase()}_SK`],
	};
}

// The command line, as one of the lab's accounts: consumer, publisher, admin. What it printed; its failure is thrown.
async function privlink(who, ...args) {
	const { stdout } = await run(process.env.PRIVLINK_PROGRAM, args, { env: environment(who), maxBuffer: 1 << 26 });
	return stdout;
}

function flat(params, prefix = '') {
	return Object.entries(params).flatMap(([name, value]) => {
		const at = Array.isArray(params) ? `${prefix}${Number(name) + 1}` : `${prefix}${name}`;

		return typeof value === 'object' ? flat(value, `${at}.`) : [`${at}=${value}`];
	});
}

async function call(who, product, action, params = {}) {
	return JSON.parse(await privlink(who, 'call', product, action, ...flat(params)));
}

// Until what is asked is true (or anything else that counts as true, which is returned).
async function until(what, ask, seconds = 40) {
	const end = Date.now() + seconds * 1000;

	for (; ;) {
		const answer = await ask();

		if (answer)
			return answer;
		if (Date.now() > end)
			throw new Error(`not within ${seconds} s: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}

async function makeVpc(who, cidr = '10.0.0.0/16', name = 'vpc') {
	const { VpcId } = await call(who, 'vpc', 'CreateVpc', { CidrBlock: cidr, VpcName: name });

	await until('the VPC is there', async () => (await call(who, 'vpc', 'DescribeVpcAttribute', { VpcId })).Status === 'Available');
	return VpcId;
}

async function makeVswitch(who, VpcId, ZoneId, CidrBlock) {
	const { VSwitchId } = await call(who, 'vpc', 'CreateVSwitch', { VpcId, ZoneId, CidrBlock });

	await until('the vSwitch is there', async () => (await call(who, 'vpc', 'DescribeVSwitchAttributes', { VSwitchId })).Status === 'Available');
	return VSwitchId;
}

// `rules`: ["TCP", "443/443", "10.0.0.0/16"] each.
async function makeGroup(who, VpcId, name, rules = []) {
	const { SecurityGroupId } = await call(who, 'ecs', 'CreateSecurityGroup', { VpcId, SecurityGroupName: name });

	for (const [IpProtocol, PortRange, SourceCidrIp] of rules)
		await call(who, 'ecs', 'AuthorizeSecurityGroup', { SecurityGroupId, Permissions: [{ IpProtocol, PortRange, SourceCidrIp }] });
	return SecurityGroupId;
}

async function makeInstance(who, VSwitchId, SecurityGroupId) {
	const { InstanceIdSets } = await call(who, 'ecs', 'RunInstances', { VSwitchId, SecurityGroupId, ImageId: 'debian', InstanceType: 'netns' });
	const id = InstanceIdSets.InstanceIdSet[0];

	await until('the instance runs', async () => {
		const { Instances } = await call(who, 'ecs', 'DescribeInstances', { InstanceIds: JSON.stringify([id]) });

		return Instances.Instance[0]?.Status === 'Running';
	});
	return id;
}

// A load balancer in the vSwitches (by zone) with one TCP listener; its servers are the instances.
async function makeBalancer(who, VpcId, vswitches, port, instances) {
	const ZoneMappings = Object.entries(vswitches).map(([ZoneId, VSwitchId]) => ({ ZoneId, VSwitchId }));
	const { LoadbalancerId: LoadBalancerId } = await call(who, 'nlb', 'CreateLoadBalancer', { AddressType: 'Intranet', VpcId, ZoneMappings });
	const { ServerGroupId } = await call(who, 'nlb', 'CreateServerGroup', { ServerGroupName: 'servers', VpcId, Protocol: 'TCP' });
	const Servers = instances.map((ServerId) => ({ ServerId, ServerType: 'Ecs', Port: port }));

	await until('the load balancer is there', async () => (await call(who, 'nlb', 'GetLoadBalancerAttribute', { LoadBalancerId })).LoadBalancerStatus === 'Active');
	if (Servers.length > 0)
		await call(who, 'nlb', 'AddServersToServerGroup', { ServerGroupId, Servers });
	await call(who, 'nlb', 'CreateListener', { LoadBalancerId, ListenerProtocol: 'TCP', ListenerPort: port, ServerGroupId });
	return LoadBalancerId;
}

// `more`: parameters of CreateVpcEndpoint beside these.
async function makeEndpoint(who, VpcId, vswitches, SecurityGroupId, more) {
	const Zone = Object.entries(vswitches).map(([ZoneId, VSwitchId]) => ({ ZoneId, VSwitchId }));
	const { EndpointId } = await call(who, 'privatelink', 'CreateVpcEndpoint', { VpcId, SecurityGroupId: [SecurityGroupId], Zone, ...more });

	return EndpointId;
}

const endpointIs = (who, EndpointId, status, connection) => until(`the endpoint is ${status} and ${connection}`, async () => {
	const row = await call(who, 'privatelink', 'GetVpcEndpointAttribute', { EndpointId });

	return row.EndpointStatus === status && row.ConnectionStatus === connection;
});

module.exports = { region, privlink, call, until, makeVpc, makeVswitch, makeGroup, makeInstance, makeBalancer, makeEndpoint, endpointIs };
