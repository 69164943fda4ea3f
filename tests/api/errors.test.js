// SPDX-License-Identifier: Apache-2.0
// Bad input: each kind gets its code and changes nothing.
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { acs3, raw_acs3, raw_v1, refused, send, stamp, until } = require('./client');
const { accounts, endpoint_parameters, load_balancer, network, region, service, zones } = require('./world');

const consumer = acs3(accounts.consumer, 'privatelink');
let net, own;

test('a network and an auto-accepting service exist', async () => {
	net = await network(accounts.consumer);
	const provider_net = await network(accounts.provider);
	own = await service(accounts.provider, await load_balancer(accounts.provider, provider_net), {
		AutoAcceptEnabled: true,
	});
	await acs3(accounts.provider, 'privatelink')('AddUserToVpcEndpointService', {
		ServiceId: own.ServiceId,
		UserId: accounts.consumer.uid,
	});
});

// What a refused call must leave as it was.
async function state() {
	const vpc = acs3(accounts.consumer, 'vpc');
	const endpoints = await consumer('ListVpcEndpoints');
	const counts = [];
	for (const VSwitchId of net.vswitches) {
		counts.push((await vpc('DescribeVSwitchAttributes', { VSwitchId })).AvailableIpAddressCount);
	}
	return JSON.stringify([endpoints.TotalCount, counts]);
}

const base = (more) => endpoint_parameters(net, { ServiceId: own.ServiceId, ...more });
const without = (name) => {
	const parameters = base();
	delete parameters[name];
	return parameters;
};

const cases = [
	['a missing VPC', () => without('VpcId'), 'MissingVpcId', 400],
	['a VPC that does not exist', () => base({ VpcId: 'vpc-none' }), 'VpcNotFound', 400],
	['a service that does not exist', () => base({ ServiceId: 'epsrv-none' }), 'EndpointServiceNotFound', 400],
	['a vSwitch that does not exist', () => base({ 'Zone.1.VSwitchId': 'vsw-none' }), 'VSwitchNotFound', 400],
	['a group that does not exist', () => base({ 'SecurityGroupId.1': 'sg-none' }), 'SecurityGroupNotFound', 400],
	['no group', () => without('SecurityGroupId.1'), 'EndpointMustContainSecurityGroup', 400],
	['the same zone twice', () => base({ 'Zone.2.ZoneId': zones[0], 'Zone.2.VSwitchId': net.vswitches[0] }), 'EndpointZoneDuplicated', 400],
	['an address outside the vSwitch', () => base({ 'Zone.1.ip': '10.9.9.9' }), 'EniIpUnavailable', 400],
	['a reserved address', () => base({ 'Zone.1.ip': '10.0.1.253' }), 'EniIpUnavailable', 400],
	['an address that is none', () => base({ 'Zone.1.ip': 'ten' }), /^(IllegalParamFormat\.|EniIpUnavailable)/, 400],
	['a name that starts with a digit', () => base({ EndpointName: '1x' }), /^IllegalParamFormat\.EndpointName/, 400],
	['a description that starts with http://', () => base({ EndpointDescription: 'http://x' }), /^IllegalParamFormat\.EndpointDescription/, 400],
	['a boolean that is none', () => base({ DryRun: 'maybe' }), /^IllegalParamFormat\.DryRun/, 400],
	['an unknown region', () => base({ RegionId: 'xx-nowhere-1' }), 'RegionNotFound', 400],
	['a dry run of a good call', () => base({ DryRun: 'true' }), 'DryRunOperation', 400],
	['a token that is too long', () => base({ ClientToken: 'x'.repeat(65) }), /ClientToken/, 400],
	[
		'a service outside its regions',
		() => base({ ServiceId: '', ServiceName: 'com.aliyuncs.privatelink.cn-hangzhou.no-such-product' }),
		'EndpointServiceNotFound',
		400,
	],
];

for (const [name, parameters, code, status] of cases) {
	test(`CreateVpcEndpoint with ${name} is refused and changes nothing`, async () => {
		const before = await state();
		const e = await refused(consumer('CreateVpcEndpoint', parameters()));
		if (code instanceof RegExp) {
			assert.match(e.code, code);
		} else {
			assert.equal(e.code, code);
		}
		assert.equal(e.status, status);
		assert.ok(e.message);
		assert.equal(await state(), before);
	});
}

test('a taken address is refused', async () => {
	const made = await consumer('CreateVpcEndpoint', base({ 'Zone.1.ip': '10.0.1.50' }));
	const e = await refused(consumer('CreateVpcEndpoint', base({ 'Zone.1.ip': '10.0.1.50' })));
	assert.equal(e.code, 'EniIpUnavailable');
	assert.ok(made.EndpointId);
});

test('a zone without vSwitch of that zone is refused', async () => {
	const before = await state();
	const e = await refused(consumer('CreateVpcEndpoint', base({ 'Zone.1.VSwitchId': net.vswitches[1] })));
	assert.ok(['VSwitchNotFound', 'Mismatch.ZoneId'].includes(e.code), e.code);
	const missing = base();
	delete missing['Zone.1.VSwitchId'];
	assert.match((await refused(consumer('CreateVpcEndpoint', missing))).code, /VSwitch/);
	assert.equal(await state(), before);
});

test('a zone where the service has no resource is refused', async () => {
	const vpc = acs3(accounts.consumer, 'vpc');
	const { VSwitchId } = await vpc('CreateVSwitch', {
		VpcId: net.VpcId,
		ZoneId: 'cn-hangzhou-g',
		CidrBlock: '10.0.9.0/24',
	});
	await until('vSwitch Available', async () => (await vpc('DescribeVSwitchAttributes', { VSwitchId })).Status === 'Available');
	const e = await refused(
		consumer('CreateVpcEndpoint', base({ 'Zone.1.ZoneId': 'cn-hangzhou-g', 'Zone.1.VSwitchId': VSwitchId })),
	);
	assert.equal(e.code, 'EndpointServiceNotSupportedZone');
});

// --- the protocol

const good = () => ['GetVpcEndpointAttribute', { RegionId: region, EndpointId: 'ep-none' }];

test('an unknown action, version and key are told', async () => {
	const action = await raw_acs3(accounts.consumer, 'privatelink', 'MakeCoffee', { RegionId: region });
	assert.equal(action.status, 404);
	assert.match(action.json.Code, /^Invalid(Action|Api)\.NotFound$/);
	const version = await raw_acs3(accounts.consumer, '1999-01-01', 'DescribeRegions', {});
	assert.match(version.json.Code, /^(InvalidVersion|NoSuchVersion)$/);
	const key = await raw_acs3({ key: 'nobody', secret: 'x' }, 'privatelink', ...good());
	assert.equal(key.status, 404);
	assert.equal(key.json.Code, 'InvalidAccessKeyId.NotFound');
});

test('a wrong signature is refused in both schemes', async () => {
	const bad = { ...accounts.consumer, secret: 'wrong' };
	assert.equal((await raw_acs3(bad, 'privatelink', ...good())).json.Code, 'SignatureDoesNotMatch');
	assert.equal((await raw_v1(bad, 'privatelink', ...good())).json.Code, 'SignatureDoesNotMatch');
});

test('a parameter changed after signing is refused', async () => {
	const v3 = await raw_acs3(accounts.consumer, 'privatelink', ...good(), {
		change: (r) => ({ ...r, path: r.path.replace('ep-none', 'ep-else') }),
	});
	assert.equal(v3.json.Code, 'SignatureDoesNotMatch');
	const old = await raw_v1(accounts.consumer, 'privatelink', ...good(), {
		change: (p) => ({ ...p, EndpointId: 'ep-else' }),
	});
	assert.equal(old.json.Code, 'SignatureDoesNotMatch');
});

test('a body that is not the signed one is refused', async () => {
	const answer = await raw_acs3(accounts.consumer, 'privatelink', ...good(), {
		body: 'A=1',
		change: (r) => ({ ...r, body: 'A=2' }),
	});
	assert.ok(['SignatureDoesNotMatch', 'IncompleteSignature'].includes(answer.json.Code), answer.json.Code);
});

test('a time stamp more than 15 minutes off, or unreadable, is refused', async () => {
	for (const offset of [-16 * 60, 16 * 60]) {
		const answer = await raw_acs3(accounts.consumer, 'privatelink', ...good(), { date: stamp(offset) });
		assert.equal(answer.json.Code, 'InvalidTimeStamp.Expired');
	}
	const answer = await raw_v1(accounts.consumer, 'privatelink', 'DescribeRegions', { Timestamp: 'yesterday' });
	assert.equal(answer.json.Code, 'InvalidTimeStamp.Format');
});

test('a nonce is good once', async () => {
	const nonce = `nonce-${Date.now()}`;
	const first = await raw_acs3(accounts.consumer, 'privatelink', 'DescribeRegions', {}, { nonce });
	assert.equal(first.status, 200);
	const second = await raw_acs3(accounts.consumer, 'privatelink', 'DescribeRegions', {}, { nonce });
	assert.equal(second.json.Code, 'SignatureNonceUsed');
});

test('a refused signature does not spend its nonce', async () => {
	const nonce = `nonce-b-${Date.now()}`;
	await raw_acs3({ ...accounts.consumer, secret: 'wrong' }, 'privatelink', 'DescribeRegions', {}, { nonce });
	const good_one = await raw_acs3(accounts.consumer, 'privatelink', 'DescribeRegions', {}, { nonce });
	assert.equal(good_one.status, 200);
});

test('a body above the limit is refused', async () => {
	const answer = await send({
		headers: { 'content-type': 'application/x-www-form-urlencoded' },
		body: `A=${'x'.repeat(2 * 1024 * 1024)}`,
	});
	assert.equal(answer.status, 413);
	assert.equal(answer.json.Code, 'InvalidRequest.BodyTooLarge');
	assert.ok(answer.json.RequestId);
});

test('a request without any parameter gets a clear error', async () => {
	const answer = await send({ method: 'GET' });
	assert.ok(answer.status >= 400);
	assert.ok(answer.json.Code);
	assert.match(answer.json.RequestId, /^[0-9A-F-]{36}$/);
	assert.equal(answer.headers['x-acs-request-id'], answer.json.RequestId);
});

test('errors carry everything that clients read', async () => {
	const answer = await raw_acs3(accounts.consumer, 'privatelink', ...good());
	assert.equal(answer.status, 400);
	assert.equal(answer.json.Code, 'EndpointNotFound');
	for (const name of ['RequestId', 'HostId', 'Message', 'Recommend']) {
		assert.ok(answer.json[name], name);
	}
	assert.match(answer.headers['content-type'], /^application\/json/);
});

test('arrays come flat or as JSON text under the bare name', async () => {
	const flat = await acs3(accounts.consumer, 'privatelink')('ListVpcEndpoints', { 'Tag.1.Key': 'none', 'Tag.1.Value': 'x' });
	assert.deepEqual(flat.Endpoints, []);
	const text = await acs3(accounts.consumer, 'privatelink')('ListVpcEndpoints', { Tag: '[{"Key":"none","Value":"x"}]' });
	assert.deepEqual(text.Endpoints, []);
	const broken = await refused(acs3(accounts.consumer, 'privatelink')('ListVpcEndpoints', { Tag: '[{' }));
	assert.match(broken.code, /^IllegalParamFormat\.Tag/);
});
