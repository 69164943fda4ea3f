// SPDX-License-Identifier: Apache-2.0
// The acceptance tests of Alibaba's Terraform provider for PrivateLink, one by one under their own names (TestAccAlicloudPrivateLink…),
// and those for NLB's server groups, replayed by what the provider does with an API (terraform.js): each has an account of its
// own, and all run at once. Left out is the one that needs gateway load balancers.
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { accounts, acs3, versions } = require('./client');
const { Api, Terraform, resource, source } = require('./terraform');

Object.assign(versions, { privlink: '2026-11-01' });
const admin = acs3(accounts.admin, 'privlink');

async function new_account(name) {
	const { AccountId } = await admin('CreateAccount', { AccountName: `terraform-${name}` });
	const { AccessKeyId, AccessKeySecret } = await admin('CreateAccessKey', { AccountId });
	return { key: AccessKeyId, secret: AccessKeySecret, uid: String(AccountId) };
}

const oss = 'epsrv-k1apjysze8u1l9t6uyg9'; // ./run puts it into the catalogue
const oss_name = 'com.aliyuncs.privatelink.ap-southeast-5.oss';

// Pre-conditions of the account in a region: a VPC that the tests look up, and two resource groups.
async function prepare(account, region, needs) {
	const terraform = new Terraform(account, region);
	await terraform.apply({
		vpc: resource('vpc', () => ({ CidrBlock: '172.16.0.0/12', VpcName: 'default-NODELETING' })),
	});
	if (needs.includes('groups')) {
		for (const name of ['terraform-one', 'terraform-two']) {
			await terraform.api({}).call('resourcemanager', 'CreateResourceGroup', { Name: name, DisplayName: name });
		}
	}
	return terraform;
}

// A test: the region, whether it needs resource groups, and its steps: each is a configuration, or a function that is called
// with the Terraform between two of them.
function acceptance(name, region, needs, steps) {
	test(name, { concurrency: true }, async () => {
		const account = await new_account(name.replace(/_/g, '-').toLowerCase().slice(0, 40));
		const prepared = await prepare(account, region, needs);
		const terraform = new Terraform(account, region);
		for (const step of typeof steps === 'function' ? steps(account) : steps) {
			if (typeof step === 'function') {
				await step(terraform);
			} else {
				await terraform.apply(step);
			}
		}
		await terraform.destroy();
		const left = new Api(account, region);
		assert.deepEqual((await left.privatelink('ListVpcEndpoints', {})).Endpoints, []);
		assert.deepEqual((await left.privatelink('ListVpcEndpointServices', {})).Services, []);
		await prepared.destroy();
	});
}

const imported = (name, ...ignored) => (terraform) => terraform.import(name, ...ignored);
const tags = { Created: 'TF', For: 'Test' };
const other_tags = { Created: 'TF-update', For: 'Test-update' };

// --- parts that many tests have

const looked_up = {
	vpcs: source('vpcs', () => ({ name: '^default-NODELETING$' })),
	group: resource('group', (s) => ({ VpcId: s.vpcs.id[0], SecurityGroupName: 'tf-testacc' })),
};
const own_network = {
	zones: source('nlb_zones'),
	vpc: resource('vpc', () => ({ CidrBlock: '10.0.0.0/8', VpcName: 'tf-testacc', Description: 'tf-testacc' })),
	vswitch: resource('vswitch', (s) => ({ VpcId: s.vpc.id, CidrBlock: '10.1.0.0/16', ZoneId: s.zones.id[0], VSwitchName: 'tf-testacc' })),
	second_vswitch: resource('vswitch', (s) => ({ VpcId: s.vpc.id, CidrBlock: '10.2.0.0/16', ZoneId: s.zones.id[1] })),
};
const own_group = { group: resource('group', (s) => ({ VpcId: s.vpc.id, SecurityGroupName: 'tf-testacc' })) };
const own_balancer = {
	balancer: resource('nlb', (s) => ({
		AddressType: 'Intranet',
		LoadBalancerType: 'Network',
		AddressIpVersion: 'Ipv4',
		VpcId: s.vpc.id,
		LoadBalancerName: 'tf-testacc',
		ZoneMappings: [
			{ ZoneId: s.zones.id[0], VSwitchId: s.vswitch.id },
			{ ZoneId: s.zones.id[1], VSwitchId: s.second_vswitch.id },
		],
	})),
};
const plain_service = {
	service: resource('service', () => ({ ServiceDescription: 'tf-testacc', ConnectBandwidth: 103, AutoAcceptEnabled: false })),
};
const endpoint_in = (vpc) => (s) => ({
	ServiceId: s.service.id,
	SecurityGroupId: [s.group.id],
	VpcId: vpc(s),
	EndpointName: 'tf-testacc',
});
const default_vpc = (s) => s.vpcs.id[0];
const vpc_of_test = (s) => s.vpc.id;

// --- services

{
	const base = () => ({ ServiceDescription: 'test-zejun', ServiceResourceType: 'gwlb', Payer: 'Endpoint', AutoAcceptEnabled: false });
	const at = (more) => ({ service: resource('service', () => ({ ...base(), ...more })) });
	acceptance('VpcEndpointService_case9628', 'cn-hangzhou', [], [
		at({ AddressIpVersion: 'IPv4', ZoneAffinityEnabled: false, ServiceSupportIPv6: false }),
		at({ ServiceDescription: '终端节点服务，已更新' }),
		at({ AddressIpVersion: 'DualStack', ZoneAffinityEnabled: true, AutoAcceptEnabled: true }),
		at({ AddressIpVersion: 'DualStack', Tags: tags }),
		at({ AddressIpVersion: 'DualStack', Tags: other_tags }),
		at({ AddressIpVersion: 'DualStack', Tags: {} }),
		imported('service'),
	]);
}

{
	const lookup = (filters) =>
		source('list', (s) => ({ action: 'ListVpcEndpointServices', list: 'Services', id: 'ServiceId', filters: filters(s) }));
	const service = resource('service', () => ({ ServiceDescription: 'tf-testacc', AutoAcceptEnabled: true, Tags: tags }));
	const finds = (wanted) => (terraform) =>
		assert.deepEqual(terraform.state.services.id, wanted ? [terraform.state.service.id] : []);
	const step = (filters) => ({ service, services: lookup(filters) });
	const tag = [{ Key: 'Created', Value: 'TF' }];
	acceptance('VpcEndpointServicesDataSource_basic0', 'cn-hangzhou', [], [
		step(() => ({ AutoAcceptEnabled: true })), finds(true),
		step((s) => ({ ServiceName: s.service.ServiceName })), finds(true),
		step((s) => ({ ServiceName: `${s.service.ServiceName}-fake` })), finds(false),
		step((s) => ({ ServiceName: s.service.ServiceName, ServiceBusinessStatus: 'Normal', ServiceStatus: 'Active' })), finds(true),
		step((s) => ({ ServiceName: s.service.ServiceName, ServiceStatus: 'Pending' })), finds(false),
		step((s) => ({ ServiceName: s.service.ServiceName, Tag: tag })), finds(true),
		step((s) => ({ ServiceName: s.service.ServiceName, Tag: [{ Key: 'Created', Value: 'TF-fake' }] })), finds(false),
		(terraform) =>
			terraform.apply(step((s) => ({ ServiceName: s.service.ServiceName }))).then(() => {
				const [found] = terraform.state.services.found;
				assert.equal(found.ConnectBandwidth, 3072);
				assert.deepEqual(Object.fromEntries(found.Tags.map((t) => [t.Key, t.Value])), tags);
			}),
	]);
}

acceptance('VpcEndpointServiceUser_basic4876', 'cn-hangzhou', [], (account) => [
	{ ...plain_service, user: resource('service_user', (s) => ({ ServiceId: s.service.id, UserId: account.uid })) },
	imported('user'),
]);

acceptance('ServiceDataSource', 'cn-hangzhou', [], [{ opened: source('opened') }, { opened: source('opened') }]);

{
	const opened = { opened: source('opened') };
	const at = (more) => ({
		...opened,
		service: resource('service', () => ({ ServiceDescription: 'tf-testacc', ConnectBandwidth: 103, AutoAcceptEnabled: false, ...more })),
	});
	acceptance('VpcEndpointService_base', 'eu-central-1', [], [
		at({}),
		imported('service'),
		at({ ConnectBandwidth: 600 }),
		at({ ServiceDescription: 'tf-testacc-update' }),
		at({ AutoAcceptEnabled: true }),
		at({ ConnectBandwidth: 103, ServiceDescription: 'tf-testacc', AutoAcceptEnabled: false }),
	]);
}

// --- connections

const connected = (network, vpc, Bandwidth) => ({
	...network,
	...plain_service,
	endpoint: resource('endpoint', endpoint_in(vpc)),
	connection: resource('connection', (s) => ({ EndpointId: s.endpoint.id, ServiceId: s.service.id, Bandwidth })),
});

acceptance('VpcEndpointConnection_basic', 'cn-hangzhou', [], [
	connected(looked_up, default_vpc, 1024),
	imported('connection'),
	connected(looked_up, default_vpc, 200),
]);

const group_in_own_vpc = { vpc: own_network.vpc, ...own_group };
acceptance('VpcEndpointConnection_basic4902', 'cn-hangzhou', [], [
	connected(group_in_own_vpc, vpc_of_test, undefined),
	(terraform) => assert.equal(terraform.state.connection.Bandwidth, 103),
	connected(group_in_own_vpc, vpc_of_test, 2000),
	imported('connection'),
]);

acceptance('VpcEndpointConnection_basic4902_twin', 'cn-hangzhou', [], [
	connected(group_in_own_vpc, vpc_of_test, 1024),
	imported('connection'),
]);

{
	const lookup = (filters) =>
		source('list', (s) => ({
			action: 'ListVpcEndpointConnections',
			list: 'Connections',
			id: 'EndpointId',
			filters: { ServiceId: s.service.id, EndpointId: s.connection.EndpointId, ...filters(s) },
		}));
	const step = (filters) => ({ ...connected(looked_up, default_vpc, 1024), connections: lookup(filters) });
	const finds = (wanted) => (terraform) =>
		assert.deepEqual(terraform.state.connections.id, wanted ? [terraform.state.endpoint.id] : []);
	acceptance('VpcEndpointConnectionsDataSource', 'eu-central-1', [], (account) => [
		step(() => ({})), finds(true),
		step(() => ({ EndpointOwnerId: account.uid })), finds(true),
		step(() => ({ EndpointOwnerId: 1 })), finds(false),
		step(() => ({ ConnectionStatus: 'Connected' })), finds(true),
		step(() => ({ ConnectionStatus: 'Deleting' })), finds(false),
	]);
}

// --- endpoints

{
	const lookup = (filters) =>
		source('list', (s) => ({ action: 'ListVpcEndpoints', list: 'Endpoints', id: 'EndpointId', filters: filters(s) }));
	const step = (filters) => ({
		...looked_up,
		...plain_service,
		endpoint: resource('endpoint', (s) => ({ ...endpoint_in(default_vpc)(s), Tags: tags })),
		endpoints: lookup(filters),
	});
	const finds = (wanted) => (terraform) =>
		assert.deepEqual(terraform.state.endpoints.id, wanted ? [terraform.state.endpoint.id] : []);
	acceptance('VpcEndpointsDataSource', 'eu-central-1', [], [
		step((s) => ({ EndpointName: s.endpoint.EndpointName })), finds(true),
		step((s) => ({ EndpointName: s.endpoint.EndpointName, ConnectionStatus: 'Disconnected' })), finds(true),
		step((s) => ({ EndpointName: s.endpoint.EndpointName, ConnectionStatus: 'Connecting' })), finds(false),
		step((s) => ({ EndpointName: s.endpoint.EndpointName, ServiceName: s.service.ServiceName })), finds(true),
		step((s) => ({ EndpointName: s.endpoint.EndpointName, EndpointStatus: 'Active' })), finds(true),
		step((s) => ({ EndpointName: s.endpoint.EndpointName, EndpointStatus: 'Creating' })), finds(false),
		step((s) => ({ VpcId: s.endpoint.VpcId, Tag: [{ Key: 'Created', Value: 'TF' }] })), finds(true),
		step((s) => ({ VpcId: s.endpoint.VpcId, Tag: [{ Key: 'Created', Value: 'fake' }] })), finds(false),
		async (terraform) => {
			for (const endpoint of (await terraform.api({}).privatelink('ListVpcEndpoints', {})).Endpoints) {
				const groups = await terraform.api({}).privatelink('ListVpcEndpointSecurityGroups', endpoint);
				assert.ok(groups.SecurityGroups.length > 0);
			}
		},
	]);
}

{
	const second_group = { second: resource('group', (s) => ({ VpcId: s.vpcs.id[0], SecurityGroupName: 'tf-testacc' })) };
	const at = (more) => ({
		...looked_up,
		...second_group,
		...plain_service,
		endpoint: resource('endpoint', (s) => ({ ...endpoint_in(default_vpc)(s), ...more(s) })),
	});
	acceptance('VpcEndpoint_base', 'eu-central-1', [], [
		at(() => ({})),
		imported('endpoint'),
		at((s) => ({ SecurityGroupId: [s.group.id, s.second.id] })),
		at((s) => ({ SecurityGroupId: [s.second.id] })),
		at((s) => ({ SecurityGroupId: [s.second.id], EndpointDescription: 'tf-testacc' })),
		at((s) => ({ SecurityGroupId: [s.second.id], EndpointDescription: 'tf-testacc', EndpointName: 'tf-testacc-update' })),
		at(() => ({ EndpointDescription: 'tf-testacc-all', EndpointName: 'tf-testacc' })),
		at(() => ({ EndpointDescription: '', EndpointName: '' })),
	]);
}

// A zone of an endpoint over a balancer of the test's own. The zone and the service's resource are made and go side by side, but
// for the pause before the zone that the provider makes: here it waits for the resource.
const zoned = (zone) => ({
	...own_network,
	...own_group,
	...own_balancer,
	service: resource('service', () => ({ ServiceDescription: 'tf-testacc', ServiceResourceType: 'nlb', AutoAcceptEnabled: false })),
	resource: resource('service_resource', (s) => ({
		ServiceId: s.service.id,
		ResourceId: s.balancer.id,
		ResourceType: 'nlb',
		ZoneId: s.zones.id[0],
	})),
	endpoint: resource('endpoint', endpoint_in(vpc_of_test)),
	zone: resource('endpoint_zone', zone, { late: ['resource'] }),
});

acceptance('VpcEndpointZone_basic4898', 'cn-hangzhou', [], [
	zoned((s) => ({ EndpointId: s.endpoint.id, ZoneId: s.zones.id[0], VSwitchId: s.vswitch.id, ip: '10.1.0.245' })),
	imported('zone'),
]);

acceptance('VpcEndpointZone_basic_without_zoneid', 'cn-hangzhou', [], [
	zoned((s) => ({ EndpointId: s.endpoint.id, VSwitchId: s.vswitch.id, ip: '10.1.0.245' })),
	imported('zone'),
]);

// --- services with balancers in them, which are never detached

const block = (s, i) => ({ ResourceType: 'nlb', ResourceId: s.balancer.id, ZoneId: s.zones.id[i] });
const service_over_balancer = (more) => ({
	...own_network,
	...own_balancer,
	service: resource('service', (s) => ({
		ServiceDescription: 'tf-testacc',
		ServiceResourceType: 'nlb',
		AutoAcceptEnabled: false,
		Resource: [block(s, 0)],
		...more(s),
	})),
});

acceptance('VpcEndpointService_resource', 'eu-central-1', [], [
	{ ...service_over_balancer(() => ({})), opened: source('opened') },
	service_over_balancer((s) => ({ Resource: [0, 1].map((i) => block(s, i)).sort((a, b) => `${a.ZoneId}`.localeCompare(`${b.ZoneId}`)) })),
	service_over_balancer((s) => ({ Resource: [block(s, 1)] })),
	imported('service'),
]);

acceptance('VpcEndpointService_supportedRegionList', 'cn-hangzhou', [], [
	service_over_balancer(() => ({ SupportedRegionList: ['cn-hangzhou'] })),
	service_over_balancer(() => ({ SupportedRegionList: ['cn-hangzhou', 'cn-beijing'] })),
	service_over_balancer(() => ({ SupportedRegionList: ['cn-hangzhou'] })),
	imported('service'),
]);

{
	const beijing = { region: 'cn-beijing' };
	const at = (more) => ({
		...service_over_balancer(() => ({ SupportedRegionList: ['cn-hangzhou', 'cn-beijing'] })),
		far_vpc: resource('vpc', () => ({ CidrBlock: '10.0.0.0/8', VpcName: 'tf-testacc' }), beijing),
		group: resource('group', (s) => ({ VpcId: s.far_vpc.id, SecurityGroupName: 'tf-testacc' }), beijing),
		endpoint: resource(
			'endpoint',
			(s) => ({ ...endpoint_in((x) => x.far_vpc.id)(s), ServiceRegionId: 'cn-hangzhou', CrossRegionBandwidth: 1000, ...more }),
			beijing,
		),
	});
	acceptance('VpcEndpoint_crossRegion', 'cn-hangzhou', [], [
		at({}),
		at({ CrossRegionBandwidth: 500 }),
		imported('endpoint'),
	]);
}

// --- resource groups

{
	const at = (i, more) => ({
		groups: source('resource_groups'),
		service: resource('service', (s) => ({
			ServiceDescription: 'tf-testacc',
			Payer: 'Endpoint',
			ServiceSupportIPv6: false,
			ConnectBandwidth: 1000,
			ResourceGroupId: s.groups.id[i],
			...more,
		})),
	});
	acceptance('VpcEndpointService_case4837', 'eu-central-1', ['groups'], [
		at(0, { Tags: tags }),
		at(1, { Tags: tags, ZoneAffinityEnabled: true }),
		at(1, { Tags: other_tags, AutoAcceptEnabled: true }),
		at(1, { Tags: {} }),
		imported('service'),
	]);
}

{
	const group = (n) => resource('group', (s) => ({ VpcId: s.vpc.id, SecurityGroupName: `tf-testacc-${n}` }));
	const at = (more) => ({
		groups: source('resource_groups'),
		vpc: own_network.vpc,
		group: group(1),
		second: group(2),
		third: group(3),
		...plain_service,
		endpoint: resource('endpoint', (s) => ({
			...endpoint_in(vpc_of_test)(s),
			EndpointType: 'Interface',
			ZonePrivateIpAddressCount: 1,
			ProtectedEnabled: false,
			...more(s),
		})),
	});
	acceptance('VpcEndpoint_case4793Main', 'cn-hangzhou', ['groups'], [
		at((s) => ({ ResourceGroupId: s.groups.id[0], Tags: tags })),
		at((s) => ({ ResourceGroupId: s.groups.id[1], Tags: tags, EndpointDescription: 'tf-testacc' })),
		at((s) => ({ ResourceGroupId: s.groups.id[1], SecurityGroupId: [s.second.id, s.third.id], Tags: other_tags })),
		at((s) => ({ ResourceGroupId: s.groups.id[0], SecurityGroupId: [s.group.id], Tags: {} })),
		imported('endpoint'),
	]);
	acceptance('VpcEndpoint_case4793Twin', 'cn-hangzhou', ['groups'], [
		at((s) => ({ ResourceGroupId: s.groups.id[0], Tags: tags, EndpointDescription: 'tf-testacc' })),
		imported('endpoint'),
	]);
}

for (const [name, more, steps] of [
	[
		'Main',
		{ EndpointDescription: 'tf-testacc' },
		[{ EndpointName: 'renamed' }, { EndpointDescription: 'another' }, { Tags: tags }, { Tags: {} }],
	],
	['Twin', { Tags: tags }, []],
	['Raw', {}, [{ EndpointDescription: 'another', EndpointName: 'renamed', Tags: other_tags }]],
]) {
	const policy = (effect) =>
		`{ "Version" : "1",\n  "Statement": [ {"Effect": "${effect}", "Action": ["*"], "Resource": ["*"], "Principal": ["*"]} ] }`;
	const at = (...changes) => ({
		vpcs: source('vpcs'),
		groups: source('resource_groups'),
		group: resource('group', (s) => ({ VpcId: s.vpcs.id[0], SecurityGroupName: 'tf-testacc' })),
		endpoint: resource('endpoint', (s) => ({
			VpcId: s.vpcs.id[0],
			ServiceId: oss,
			ServiceName: oss_name,
			EndpointName: 'tf-testacc',
			EndpointType: 'Interface',
			SecurityGroupId: [s.group.id],
			ResourceGroupId: s.groups.id[0],
			PolicyDocument: policy('Deny'),
			...Object.assign({}, more, ...changes),
		})),
	});
	acceptance(`VpcEndpoint_case6705${name}`, 'ap-southeast-5', ['groups'], [
		at(),
		...steps.map((step) => at(step)),
		at({ PolicyDocument: policy('Allow') }),
		imported('endpoint'),
	]);
}

// --- users

{
	const listed = {
		...looked_up,
		...plain_service,
		person: resource('ram_user', () => ({
			UserName: 'tf-testacc',
			DisplayName: 'tf-testacc',
			MobilePhone: '86-18688888888',
			Email: 'hello.uuu@aaa.com',
			Comments: 'yoyoyo',
		})),
		user: resource('service_user', (s) => ({ ServiceId: s.service.id, UserId: s.person.UserId })),
	};
	acceptance('VpcEndpointServiceUser_basic', 'eu-central-1', [], [listed, imported('user')]);
	const lookup = (filters) =>
		source('list', (s) => ({
			action: 'ListVpcEndpointServiceUsers',
			list: 'Users',
			id: 'UserId',
			filters: { ServiceId: s.user.ServiceId, ...filters(s) },
		}));
	acceptance('VpcEndpointServiceUsersDataSource', 'eu-central-1', [], [
		{ ...listed, users: lookup(() => ({})) },
		(terraform) => assert.equal(terraform.state.users.id.length, 2),
		{ ...listed, users: lookup((s) => ({ UserId: s.person.UserId })) },
		(terraform) => assert.equal(terraform.state.users.id.length, 1),
	]);
}

// --- classic load balancers

{
	const network = {
		zones: source('slb_zones'),
		vpc: own_network.vpc,
		vswitch: own_network.vswitch,
		balancer: resource('slb', (s) => ({
			LoadBalancerName: 'tf-testacc',
			LoadBalancerSpec: 'slb.s1.small',
			AddressType: 'intranet',
			InstanceChargeType: 'PayBySpec',
			VSwitchId: s.vswitch.id,
			MasterZoneId: s.zones.id[0],
			DeleteProtection: 'off',
		})),
		...plain_service,
		resource: resource('service_resource', (s) => ({ ServiceId: s.service.id, ResourceId: s.balancer.id, ResourceType: 'slb' })),
	};
	acceptance('VpcEndpointServiceResource_basic', 'eu-west-1', [], [network, imported('resource')]);
	acceptance('VpcEndpointZone_basic', 'eu-west-1', [], [
		{
			...network,
			defaults: source('vswitches'),
			...own_group,
			endpoint: resource('endpoint', endpoint_in(vpc_of_test)),
			zone: resource(
				'endpoint_zone',
				(s) => ({ EndpointId: s.endpoint.id, ZoneId: s.zones.id[0], VSwitchId: s.vswitch.id }),
				{ late: ['resource'] },
			),
		},
		imported('zone'),
	]);
}

// --- server groups

const server_group = (more) => ({
	vpc: own_network.vpc,
	servers: resource('server_group', (s) => ({ VpcId: s.vpc.id, ServerGroupName: 'tf-testacc', ...more })),
});
const probes_by = (HealthCheckType, more = { HttpCheckMethod: 'GET' }) => ({
	HealthCheckEnabled: true,
	HealthCheckType,
	HealthCheckConnectPort: 0,
	HealthyThreshold: 2,
	UnhealthyThreshold: 2,
	HealthCheckConnectTimeout: 5,
	HealthCheckInterval: 10,
	HealthCheckUrl: '/test/index.html',
	HealthCheckDomain: 'tf-testAcc.com',
	HealthCheckHttpCode: ['http_2xx', 'http_3xx', 'http_4xx'],
	...more,
});

acceptance('NlbServerGroup_basic0', 'cn-hangzhou', [], [
	server_group({
		ServerGroupType: 'Instance',
		Scheduler: 'Wrr',
		PreserveClientIpEnabled: true,
		Protocol: 'TCP',
		AddressIPVersion: 'Ipv4',
		ConnectionDrainEnabled: true,
		ConnectionDrainTimeout: 60,
		HealthCheck: probes_by('HTTP'),
	}),
	imported('servers'),
]);

acceptance('NlbServerGroup_basic1', 'cn-hangzhou', [], [
	server_group({ HealthCheck: { HealthCheckEnabled: false } }),
	server_group({ HealthCheck: { HealthCheckEnabled: false }, ServerGroupName: 'tf-testacc_update' }),
	server_group({ HealthCheck: { HealthCheckEnabled: false }, Scheduler: 'Wrr' }),
	server_group({ HealthCheck: probes_by('TCP'), Scheduler: 'Wrr' }),
	server_group({ HealthCheck: probes_by('TCP', {}), Scheduler: 'Wrr' }),
	server_group({ HealthCheck: probes_by('TCP'), ConnectionDrainEnabled: true, ConnectionDrainTimeout: 100 }),
	// The provider's own step has Rr, which is not served.
	server_group({ HealthCheck: probes_by('TCP'), Scheduler: 'Tch' }),
	imported('servers'),
]);
