// SPDX-License-Identifier: Apache-2.0
// What the console offers to copy is the call beside which it stands: the request, a line of privlink and one of aliyun (if it is
// installed), run by a shell against a server that writes down what it is asked, and Terraform's text, whose arguments are the provider's.
'use strict';

const assert = require('node:assert/strict');
const { execFile, spawnSync } = require('node:child_process');
const http = require('node:http');
const path = require('node:path');
const { promisify } = require('node:util');
const { after, before, test } = require('node:test');
const { build, load } = require('./load');
const fields = require('./terraform_fields.json');

const { copy: { describeCall }, encode: { flatten }, quote: { hclString } } = load();
const run = promisify(execFile);
const has = (program) => !spawnSync(program, ['version'], { stdio: 'ignore' }).error;

const id = (prefix) => `${prefix}-abcdefghij0123456789`;
const strange = 'it\'s "quoted" $(touch x) `y` ${a} $${b} %{c} %%{d} \\ \\\\ !x #z\nnew line\ttab 中文 \u202eright to left <script>';

// One call of each kind that forms and acts make, and such whose values a line has to take care of.
const calls = {
	'endpoint': ['privatelink', 'CreateVpcEndpoint', {
		EndpointName: 'privateLink_dlc', EndpointType: 'Interface', ServiceName: 'com.aliyuncs.privatelink.cn-hangzhou.pai-dlc', VpcId: id('vpc'),
		Zone: [{ ZoneId: 'cn-hangzhou-h', VSwitchId: id('vsw'), ip: '10.0.0.9' }, { ZoneId: 'cn-hangzhou-i', VSwitchId: id('vsw') }],
		SecurityGroupId: [id('sg'), 'sg-bbcdefghij0123456789'], ZoneAffinityEnabled: true, ResourceGroupId: id('rg'),
		EndpointDescription: strange, Tag: [{ Key: 'env', Value: 'test' }, { Key: strange.slice(0, 30) }],
	}, 'endpoint create'],
	'endpoint, by the id of a service of another region': ['privatelink', 'CreateVpcEndpoint', {
		EndpointType: 'Interface', ServiceId: id('epsrv'), ServiceRegionId: 'cn-beijing', CrossRegionBandwidth: 200, VpcId: id('vpc'), SecurityGroupId: [id('sg')],
	}, 'endpoint create'],
	'endpoint, of a description like an option': ['privatelink', 'CreateVpcEndpoint', {
		EndpointType: 'Interface', ServiceId: id('epsrv'), VpcId: id('vpc'), SecurityGroupId: [id('sg')], EndpointDescription: '--json',
	}, 'endpoint create'],
	'endpoint, with what no option says': ['privatelink', 'CreateVpcEndpoint', {
		EndpointType: 'Interface', ServiceId: id('epsrv'), VpcId: id('vpc'), SecurityGroupId: [id('sg')], DryRun: true, Tag: [{ Key: 'a,b', Value: strange }],
		PolicyDocument: '{"Version": "1",  "Statement": []}', ZoneAffinityEnabled: false,
	}, 'call privatelink'],
	'zone': ['privatelink', 'AddZoneToVpcEndpoint', { EndpointId: id('ep'), ZoneId: 'cn-hangzhou-h', VSwitchId: id('vsw'), ip: '10.0.0.9' }, 'endpoint add-zone'],
	'zone, away': ['privatelink', 'RemoveZoneFromVpcEndpoint', { EndpointId: id('ep'), ZoneId: 'cn-hangzhou-h' }, 'endpoint remove-zone'],
	'endpoint, changed': ['privatelink', 'UpdateVpcEndpointAttribute', { EndpointId: id('ep'), EndpointDescription: '', ZoneAffinityEnabled: false }, 'endpoint update'],
	'endpoint, in a group': ['privatelink', 'AttachSecurityGroupToVpcEndpoint', { EndpointId: id('ep'), SecurityGroupId: id('sg') }, 'endpoint attach-group'],
	'endpoint, tagged': ['privatelink', 'TagResources', { ResourceType: 'vpcendpoint', ResourceId: [id('ep')], Tag: [{ Key: 'a', Value: strange }] }, 'call privatelink'],
	'endpoint, away': ['privatelink', 'DeleteVpcEndpoint', { EndpointId: id('ep') }, 'endpoint delete'],
	'service': ['privatelink', 'CreateVpcEndpointService', {
		ServiceDescription: strange, ServiceResourceType: 'nlb', AutoAcceptEnabled: true, ZoneAffinityEnabled: true, SupportedRegionList: ['cn-beijing'],
		Resource: [{ ResourceType: 'nlb', ResourceId: id('nlb'), ZoneId: 'cn-hangzhou-h' }],
	}],
	'service, changed': ['privatelink', 'UpdateVpcEndpointServiceAttribute', { ServiceId: id('epsrv'), AutoAcceptEnabled: false, AddSupportedRegionSet: ['cn-beijing'] }],
	'service, of a balancer': ['privatelink', 'AttachResourceToVpcEndpointService', {
		ServiceId: id('epsrv'), ResourceType: 'nlb', ResourceId: id('nlb'), ZoneId: 'cn-hangzhou-h',
	}, 'service attach'],
	'service, of a classic balancer no more': ['privatelink', 'DetachResourceFromVpcEndpointService', {
		ServiceId: id('epsrv'), ResourceType: 'slb', ResourceId: id('lb'), ZoneId: 'cn-hangzhou-h',
	}],
	'service, for an account': ['privatelink', 'AddUserToVpcEndpointService', { ServiceId: id('epsrv'), UserId: '1234567890123456' }, 'service allow'],
	'service, for all': ['privatelink', 'AddUserToVpcEndpointService', { ServiceId: id('epsrv'), UserARN: '*' }, 'service allow'],
	'connection': ['privatelink', 'EnableVpcEndpointConnection', { ServiceId: id('epsrv'), EndpointId: id('ep'), Bandwidth: 200 }],
	'connection, refused': ['privatelink', 'DisableVpcEndpointConnection', { ServiceId: id('epsrv'), EndpointId: id('ep') }, 'service reject'],
	'resource, not automatic': ['privatelink', 'UpdateVpcEndpointServiceResourceAttribute', {
		ServiceId: id('epsrv'), ResourceId: id('nlb'), ZoneId: 'cn-hangzhou-h', AutoAllocatedEnabled: false,
	}, 'service resource-update'],
	'VPC': ['vpc', 'CreateVpc', { CidrBlock: '10.0.0.0/16', VpcName: strange, Tag: [{ Key: 'env', Value: 'test' }] }, 'vpc create'],
	'vSwitch': ['vpc', 'CreateVSwitch', { VpcId: id('vpc'), ZoneId: 'cn-hangzhou-h', CidrBlock: '10.0.1.0/24', VSwitchName: 'a' }, 'vswitch create'],
	'group': ['ecs', 'CreateSecurityGroup', { VpcId: id('vpc'), SecurityGroupName: 'web' }, 'sg create'],
	'group, without consent inside': ['ecs', 'ModifySecurityGroupPolicy', { SecurityGroupId: id('sg'), InnerAccessPolicy: 'Drop' }, 'sg inside'],
	'rule': ['ecs', 'AuthorizeSecurityGroup', {
		SecurityGroupId: id('sg'), Permissions: [{ IpProtocol: 'TCP', PortRange: '443/443', SourceCidrIp: '10.0.0.0/16', Policy: 'accept', Priority: 1 }],
	}, 'sg authorize'],
	'rule for ping, as the API proposes it': ['ecs', 'AuthorizeSecurityGroup', {
		SecurityGroupId: id('sg'), 'Permissions.1.IpProtocol': 'ICMP', 'Permissions.1.PortRange': '-1/-1', 'Permissions.1.SourceGroupId': id('sg'),
	}, 'sg authorize'],
	'rules, two': ['ecs', 'AuthorizeSecurityGroup', {
		SecurityGroupId: id('sg'),
		Permissions: [{ IpProtocol: 'TCP', PortRange: '443/443', SourceCidrIp: '10.0.0.0/16' }, { IpProtocol: 'ICMP', PortRange: '-1/-1', SourceCidrIp: '10.0.0.0/16' }],
	}, 'call ecs'],
	'rule for what goes out': ['ecs', 'AuthorizeSecurityGroupEgress', {
		SecurityGroupId: id('sg'), Permissions: [{ IpProtocol: 'UDP', PortRange: '8000/9000', DestCidrIp: '0.0.0.0/0', Description: strange }],
	}, 'sg authorize-egress'],
	'instance': ['ecs', 'RunInstances', { VSwitchId: id('vsw'), SecurityGroupId: id('sg'), InstanceName: 'web' }],
	'balancer': ['nlb', 'CreateLoadBalancer', {
		AddressType: 'Intranet', VpcId: id('vpc'), LoadBalancerName: 'web',
		ZoneMappings: [{ ZoneId: 'cn-hangzhou-h', VSwitchId: id('vsw') }, { ZoneId: 'cn-hangzhou-i', VSwitchId: id('vsw'), PrivateIPv4Address: '10.0.2.9' }],
	}, 'nlb create'],
	'server group': ['nlb', 'CreateServerGroup', {
		VpcId: id('vpc'), ServerGroupName: 'web', Protocol: 'TCP', Scheduler: 'Tch', HealthCheckConfig: { HealthCheckEnabled: true, HealthCheckInterval: 5 },
	}],
	'servers': ['nlb', 'AddServersToServerGroup', {
		ServerGroupId: id('sgp'), Servers: [{ ServerId: id('i'), ServerType: 'Ecs', Port: 443, Weight: 50 }, { ServerId: '10.0.0.7', ServerType: 'Ip', Port: 443 }],
	}, 'nlb group-add'],
	'listener': ['nlb', 'CreateListener', { LoadBalancerId: id('nlb'), ServerGroupId: id('sgp'), ListenerProtocol: 'TCP', ListenerPort: 443 }, 'nlb listener-create'],
	'listener with PROXY headers': ['nlb', 'CreateListener', {
		LoadBalancerId: id('nlb'), ServerGroupId: id('sgp'), ListenerProtocol: 'TCP', ListenerPort: 443, ProxyProtocolEnabled: true,
		ProxyProtocolV2Config: { Ppv2VpcIdEnabled: true, Ppv2PrivateLinkEpIdEnabled: true, Ppv2PrivateLinkEpsIdEnabled: false },
	}],
	'classic balancer, stopped': ['slb', 'SetLoadBalancerStatus', { LoadBalancerId: id('lb'), LoadBalancerStatus: 'inactive' }, 'slb stop'],
	'key, switched off': ['ram', 'UpdateAccessKey', { UserAccessKeyId: 'AKabc', Status: 'Inactive' }, 'key disable'],
	'resource group': ['resourcemanager', 'CreateResourceGroup', { Name: 'prod', DisplayName: strange }],
	'node, away': ['privlink', 'DeleteNode', { NodeName: 'node-1' }],
};

const region = 'cn-hangzhou';
let server, host, asked;

before(async () => {
	server = http.createServer((request, response) => {
		let body = '';
		request.on('data', (part) => { body += part; });
		request.on('end', () => {
			asked.push({ request, params: { ...Object.fromEntries(new URL(request.url, 'http://x').searchParams), ...Object.fromEntries(new URLSearchParams(body)) } });
			response.setHeader('content-type', 'application/json');
			response.end('{"RequestId": "1"}');
		});
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	host = `127.0.0.1:${server.address().port}`;
});
after(() => server.close());

const describe = ([product, action, params]) => describeCall({ product, action, region, params: { ClientToken: 'of-the-form', ...params } }, { host, isPlain: true });
const wanted = ([, , params]) => flatten({ RegionId: region, ...params });

// What a shell made of the line was asked of the server: its action, version, and parameters but those of signing.
async function send(line) {
	asked = [];
	await run('sh', ['-c', line], {
		env: {
			PATH: `${path.join(build, 'src/cmd')}:${process.env.PATH}`, HOME: '/nonexistent',
			PRIVLINK_ENDPOINT: `http://${host}`, PRIVLINK_ACCESS_KEY_ID: 'id', PRIVLINK_ACCESS_KEY_SECRET: 'secret',
			ALIBABA_CLOUD_ACCESS_KEY_ID: 'id', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret',
		},
	});
	assert.equal(asked.length, 1, line);
	return asked[0];
}

for (const [name, call] of Object.entries(calls)) {
	test(`privlink: ${name}`, async () => {
		const { privlink } = describe(call);
		if (call[3])
			assert.ok(privlink.startsWith(`privlink ${call[3]}`), privlink);
		const { request, params } = await send(privlink);
		assert.deepEqual(params, wanted(call), privlink);
		assert.equal(request.headers['x-acs-action'], call[1]);
	});

	test(`request: ${name}`, () => {
		const [head, body] = describe(call).api.split('\n\n');
		assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), wanted(call));
		assert.ok(head.startsWith('POST / HTTP/1.1\n'));
		assert.ok(head.includes(`x-acs-action: ${call[1]}`) && /\nx-acs-version: \d{4}-\d\d-\d\d/.test(head), head);
		assert.ok(!body.includes('ClientToken'));
	});
}

// A list or an object that aliyun sends as JSON text, as it is with dots and numbers.
function spread(params) {
	return Object.assign({}, ...Object.entries(params).map(([name, value]) => (/^[[{]/.test(value) && name !== 'PolicyDocument' ? flatten({ [name]: JSON.parse(value) }) : { [name]: value })));
}

test('aliyun: lines are the same calls', { skip: !has('aliyun') && 'aliyun is not installed' }, async () => {
	const signing = /^(AccessKeyId|Action|Format|Signature.*|Timestamp|Version)$/;
	for (const call of Object.values(calls)) {
		const { aliyun } = describe(call);
		if (!aliyun) continue;
		const { params } = await send(aliyun);
		assert.equal(params.Action, call[1]);
		assert.deepEqual(spread(Object.fromEntries(Object.entries(params).filter(([name]) => !signing.test(name)))), wanted(call), aliyun);
	}
});

// Without aliyun: its words, as a shell takes them apart.
test('aliyun: words', async () => {
	for (const [name, call] of Object.entries(calls)) {
		const { aliyun } = describe(call);
		if (call[0] === 'privlink') {
			assert.equal(aliyun, null);
			continue;
		}
		const { stdout } = await run('sh', ['-c', `aliyun() { for word; do printf '%s\\0' "$word"; done; }; ${aliyun}`]);
		const [product, action, ...words] = stdout.split('\0').slice(0, -1);
		const params = {};
		for (let i = 0; i < words.length;) {
			const [, option, value] = /^--([^=]+)(?:=(.*))?$/s.exec(words[i++]);
			params[option] = value ?? (option === 'insecure' ? '' : words[i++]);
		}
		const { region: place, endpoint, insecure, ...rest } = params;
		assert.deepEqual([product, action, place, endpoint, insecure], [call[0], call[1], region, host, '']);
		assert.deepEqual(spread({ RegionId: region, ...rest }), wanted(call), name);
	}
	assert.match(describe(calls['rule for ping, as the API proposes it']).aliyun, /--Permissions '\[\{"IpProtocol":"ICMP"/);
	assert.match(describe(calls['server group']).aliyun, /--HealthCheckConfig '\{"HealthCheckEnabled":true/);
	assert.match(describe(calls.endpoint).aliyun, /--Zone\.1\.ZoneId cn-hangzhou-h/);
});

/* ---- Terraform ---- */

const unquote = (text) => JSON.parse(text.replace(/\$\$\{/g, '${').replace(/%%\{/g, '%{'));

// Resources of a text: type, label, arguments (a list of values each), and the arguments of blocks in it.
function parse(text) {
	const found = [];
	let at;
	for (const line of text.split('\n')) {
		const open = /^resource "(\w+)" "(\w+)" \{$/.exec(line);
		const inner = /^ {2}(\w+)( =)? \{$/.exec(line);
		const row = /^ {2,4}("(?:[^"\\]|\\.)*"|\w+) += (.*)$/.exec(line);
		const note = /^ {2}# ([\w.]+): the provider has no argument for it$/.exec(line);
		if (open) found.push(at = { type: open[1], label: open[2], arguments: {}, blocks: [], notes: [] });
		else if (inner) at.blocks.push(at.inside = { name: inner[1], isMap: Boolean(inner[2]), arguments: {} });
		else if (line === '  }') at.inside = undefined;
		else if (note) at.notes.push(note[1]);
		else if (row) (at.inside ?? at).arguments[row[1]] = row[2];
		else assert.match(line, /^(\}|)$/);
	}
	return found;
}

function values(text) {
	if (text.startsWith('[')) return text.slice(1, -1).split(', ').map(unquote);
	return [text.startsWith('"') ? unquote(text) : text];
}

function checkArguments(args, table, said, where) {
	for (const [name, text] of Object.entries(args)) {
		assert.equal(typeof table?.[name], 'string', `${where} has no argument ${name}`);
		said.push(...values(text).filter(() => table[name]));
	}
}

for (const [name, call] of Object.entries(calls)) {
	test(`Terraform: ${name}`, () => {
		const { terraform } = describe(call);
		const makes = /^(Create(?!ResourceGroup)|Authorize|AddZone|AddUser|AddServers|AttachResource|EnableVpcEndpointConnection)/.test(call[1]);
		assert.equal(terraform !== null, makes);
		if (!terraform) return;
		const said = [], notes = [];
		for (const resource of parse(terraform)) {
			const table = fields[resource.type];
			assert.ok(table, resource.type);
			checkArguments(resource.arguments, table, said, resource.type);
			for (const block of resource.blocks) {
				if (block.isMap) {
					assert.equal(block.name, 'tags');
					said.push(...Object.entries(block.arguments).flatMap(([key, value]) => [unquote(key), unquote(value)]));
				} else {
					checkArguments(block.arguments, table[block.name], said, `${resource.type}.${block.name}`);
				}
			}
			notes.push(...resource.notes);
		}
		// Every value of the call is said, or that there is no argument for it.
		const lower = said.map((value) => value.toLowerCase());
		for (const [parameter, value] of Object.entries(flatten(call[2])))
			assert.ok(notes.includes(parameter) || lower.includes(value.toLowerCase()), `${parameter} is left out:\n${terraform}`);
	});
}

test('Terraform: what has no argument is said', () => {
	assert.deepEqual(parse(describe(calls.endpoint).terraform)[0].notes, ['ZoneAffinityEnabled']);
	const [{ blocks, notes }] = parse(describe(calls['listener with PROXY headers']).terraform);
	assert.deepEqual([blocks.map((block) => block.name), notes], [['proxy_protocol_config'], []]);
});

test('Terraform: it is HCL as terraform writes it', { skip: !has('terraform') && 'terraform is not installed' }, () => {
	for (const call of Object.values(calls)) {
		const { terraform } = describe(call);
		if (!terraform) continue;
		const { stdout, stderr, status } = spawnSync('terraform', ['fmt', '-no-color', '-'], { input: terraform, encoding: 'utf8' });
		assert.equal(status, 0, stderr);
		assert.equal(stdout, terraform);
	}
});

test('Terraform: a text is what it was', { skip: !has('terraform') && 'terraform is not installed' }, () => {
	for (const text of [strange, '$${x', '%%%{', '$', '${', '\u0000\u0007', 'a\u2028b', '😀']) {
		const { stdout, stderr } = spawnSync('terraform', ['console', '-no-color'], { input: `jsonencode(${hclString(text)})\n`, encoding: 'utf8', cwd: '/' });
		assert.equal(JSON.parse(JSON.parse(stdout)), text, stderr);
	}
});
