// SPDX-License-Identifier: Apache-2.0
// The form for a new endpoint, against a real privlinkd: from an empty account to an endpoint whose zones are connected; what the form
// offers to copy makes the same endpoint; errors of the API stand at their fields; nothing is lost while privlinkd is away.
'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const { after, before, test } = require('node:test');
const browser = require('./browser');
const { sign } = require('./load').load();

const run = promisify(execFile);
const { CONSUMER_AK: ak, CONSUMER_SK: sk, CONSUMER_UID: uid, PUBLISHER_AK, PUBLISHER_SK, PRIVLINK_PROGRAM: program, CONSOLE_URL: url } = process.env;
const region = 'cn-hangzhou';

/** What a line for a shell says, as the consumer or the publisher. */
async function shell(line, [id, secret] = [ak, sk]) {
	const { stdout } = await run('sh', ['-c', line], {
		env: { ...process.env, PATH: `${path.dirname(program)}:${process.env.PATH}`, PRIVLINK_ENDPOINT: new URL(url).origin, PRIVLINK_ACCESS_KEY_ID: id, PRIVLINK_ACCESS_KEY_SECRET: secret, PRIVLINK_REGION: region },
	});
	return stdout.trim();
}
const api = async (product, action, ...pairs) => JSON.parse(await shell(`privlink call ${product} ${action} ${pairs.join(' ')}`));

let net;

before(async () => {
	await browser.start();
	const vpc = await shell('privlink vpc create --cidr 10.1.0.0/16 --name web --wait');
	const vswitches = [];
	for (const zone of ['h', 'i'])
		vswitches.push(await shell(`privlink vswitch create --vpc ${vpc} --zone ${region}-${zone} --cidr 10.1.${vswitches.length + 1}.0/24 --name web-${zone} --wait`));
	net = { vpc, vswitches, group: await shell(`privlink sg create --vpc ${vpc} --name endpoints`) };
});
after(() => browser.stop());

async function form(options, query = '') {
	const session = await browser.open(options);
	await browser.login(session.page, ak, sk, `${region}/endpoints/create${query}`, { stay: true });
	return session;
}

async function choose(page, label, text) {
	await page.getByLabel(label, { exact: true }).click();
	await page.getByRole('option', { name: text }).click();
}

/** The form, filled in but for what the test is about. */
async function fill(page, name) {
	await page.getByLabel('Endpoint name').fill(name);
	await choose(page, 'Endpoint service', 'pai-dlc');
	await choose(page, 'VPC', 'web');
	await page.getByLabel(/endpoints sg-/).check();
	await page.getByLabel('vSwitch 2', { exact: true }).waitFor();
}

const made = (page) => /made=(ep-\w+)/.exec(page.url())[1];
const endpoints = async () => (await api('privatelink', 'ListVpcEndpoints')).Endpoints;

async function remove(id) {
	for (const zone of ['h', 'i'])
		await shell(`privlink endpoint remove-zone ${id} --zone ${region}-${zone} --wait`).catch(() => undefined);
	await shell(`privlink endpoint delete ${id} --wait`);
}

/** What an endpoint is, without what each has of its own. */
async function shape(id) {
	const { EndpointName, EndpointDescription, VpcId, ServiceName, ZoneAffinityEnabled } = await api('privatelink', 'GetVpcEndpointAttribute', `EndpointId=${id}`);
	const { Zones } = await api('privatelink', 'ListVpcEndpointZones', `EndpointId=${id}`);
	const { SecurityGroups } = await api('privatelink', 'ListVpcEndpointSecurityGroups', `EndpointId=${id}`);
	const { TagResources } = await api('privatelink', 'ListTagResources', 'ResourceType=vpcendpoint', `ResourceId.1=${id}`);
	return {
		EndpointName, EndpointDescription, VpcId, ServiceName, ZoneAffinityEnabled, groups: SecurityGroups.map((group) => group.SecurityGroupId),
		zones: Zones.map((zone) => [zone.ZoneId, zone.VSwitchId]).sort(), tags: TagResources.map((tag) => [tag.TagKey, tag.TagValue]).sort(),
	};
}

/** A request as the form shows it, signed and sent. */
async function request(text) {
	const [head, body] = text.split('\n\n');
	const headers = Object.fromEntries(head.split('\n').slice(1).map((line) => line.split(': ')));
	const secret = await crypto.subtle.importKey('raw', new TextEncoder().encode(sk), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
	const date = new Date().toISOString().replace(/\.\d+/, '');
	const signed = await sign.sign(ak, secret, {
		method: 'POST', path: '/', query: '', body, headers: { ...headers, 'x-acs-date': date, 'x-acs-signature-nonce': crypto.randomUUID() },
	});
	const answer = await fetch(new URL(url).origin, { method: 'POST', headers: signed, body });
	return answer.json();
}

async function copied(page, tab, of) {
	await page.getByRole('tab', { name: tab }).click();
	await page.getByRole('button', { name: `Copy: ${of}` }).click();
	return page.evaluate(() => navigator.clipboard.readText());
}

test('an endpoint, its rules, and the same from what is offered to copy', async () => {
	const s = await form({});
	const { page } = s;
	await fill(page, 'privateLink_dlc');
	await page.getByText('These groups let some instances of the VPC reach the service\'s port 443').waitFor();
	await page.getByText('These groups let some instances of the VPC ping the endpoint\'s addresses').waitFor();
	await browser.picture(page, 'create-warnings');
	for (const words of ['port 443', 'ping']) {
		const warning = page.getByRole('status').filter({ hasText: words });
		await warning.getByRole('button', { name: 'Add rule' }).click();
		await warning.waitFor({ state: 'detached' });
	}
	await page.getByRole('button', { name: 'Remove zone 2' }).click();
	await page.getByText('With one zone').waitFor();
	await page.getByRole('button', { name: 'Add zone' }).click();
	await page.getByLabel('Zone 2', { exact: true }).selectOption(`${region}-i`);
	await page.getByText('With one zone').waitFor({ state: 'detached' });
	await page.getByLabel('Zone affinity').check();
	await page.getByRole('group', { name: 'Tags' }).getByRole('button', { name: 'Add' }).click();
	await page.getByLabel('Key 1').fill('it\'s');
	await page.getByLabel('Value 1').fill('$(x), <b>');
	await page.getByLabel('Description').fill('a "b" \'c\' $(d) 中文');

	await page.getByText('As code').click();
	const shapes = [];
	const line = await copied(page, 'privlink', 'privlink');
	const { EndpointId } = JSON.parse(await shell(`${line} --json`));
	shapes.push(await shape(EndpointId));
	await remove(EndpointId);
	const answer = await request(await copied(page, 'API', 'API'));
	shapes.push(await shape(answer.EndpointId));
	await remove(answer.EndpointId);
	assert.match(await copied(page, 'Terraform', 'Terraform'), /^resource "alicloud_privatelink_vpc_endpoint" "endpoint" \{/);
	assert.match(await copied(page, 'aliyun', 'aliyun'), /^aliyun privatelink CreateVpcEndpoint/);

	await page.getByRole('button', { name: 'Create endpoint' }).click();
	await page.getByText('The endpoint is ready.').waitFor();
	await browser.picture(page, 'create-made');
	const id = made(page);
	shapes.push(await shape(id));
	assert.deepEqual(shapes[0], shapes[2]);
	assert.deepEqual(shapes[1], shapes[2]);
	assert.deepEqual(shapes[2].tags, [['it\'s', '$(x), <b>']]);
	assert.equal(shapes[2].zones.length, 2);
	await page.reload();
	await page.getByText('The endpoint is ready.').waitFor();
	await page.getByRole('button', { name: 'Create another' }).click();
	assert.equal(await page.getByLabel('Endpoint name').inputValue(), '');
	assert.ok(!(await page.evaluate(() => JSON.stringify(sessionStorage))).includes('token'), 'nothing is left that was sent');
	await remove(id);
	await s.close();
});

test('what is wrong stands at its field', async () => {
	const s = await form({});
	const { page } = s;
	const error = async (label, text) => {
		const field = page.getByLabel(label, { exact: true });
		await page.getByText(text).first().waitFor();
		assert.equal(await field.getAttribute('aria-invalid'), 'true');
		assert.ok(await field.evaluate((element, words) => element.getAttribute('aria-describedby').split(' ').some((id) => document.getElementById(id).textContent.includes(words)), text));
	};
	const send = () => page.getByRole('button', { name: 'Create endpoint' }).click();
	await send();
	await error('Endpoint service', 'This is needed.');
	await error('VPC', 'This is needed.');
	assert.ok(await page.getByLabel('Endpoint service', { exact: true }).evaluate((element) => element === document.activeElement));
	await page.getByLabel('Endpoint name').fill('1a');
	await error('Endpoint name (optional)', 'A name begins with a letter');
	await fill(page, 'good');
	await page.getByLabel('Address 1').fill('10.9.9.9');
	await error('Address 1', 'outside the vSwitch');
	const other = await shell(`privlink endpoint create --service pai-dsw --vpc ${net.vpc} --security-group ${net.group} --zone ${region}-h,${net.vswitches[0]},10.1.1.77 --wait`);
	await page.getByLabel('Address 1').fill('10.1.1.77');
	await send();
	await error('Address 1', 'The address is taken');
	await page.getByLabel('Address 1').fill('');
	await choose(page, 'Endpoint service', 'pai-dsw');
	await send();
	await error('VPC', 'The service has this endpoint already');
	await browser.picture(page, 'create-errors');
	await remove(other);

	await page.getByLabel('Other endpoint services').check();
	await page.getByLabel('Endpoint service name or ID').fill('epsrv-nobodyhasthis00000000');
	await page.getByRole('button', { name: 'Verify' }).click();
	await error('Endpoint service name or ID', 'There is no such service');
	await page.getByLabel('Endpoint service name or ID').fill('pai-dlc');
	await page.getByRole('button', { name: 'Verify' }).click();
	await page.getByText('The service exists').waitFor();
	await page.getByLabel('Dry run').check();
	await page.getByRole('button', { name: 'Check' }).click();
	await page.getByText('Everything is in order').waitFor();
	assert.deepEqual(await endpoints(), []);
	await s.close();
});

test('a lost answer makes one endpoint, and a reload loses nothing', async () => {
	const s = await form({}, `?service=pai-dlc&vpc=${net.vpc}&name=once`);
	const { page } = s;
	await page.getByLabel(/endpoints sg-/).check();
	await page.getByLabel('Description').fill('<script>alert(1)</script> \u202e');
	await page.reload();
	await page.getByLabel(/endpoints sg-/).waitFor();
	assert.ok(!page.url().includes('service='));
	assert.equal(await page.getByLabel('Endpoint name').inputValue(), 'once');
	assert.equal(await page.getByLabel('Endpoint service', { exact: true }).inputValue(), 'pai-dlc');
	assert.equal(await page.getByLabel('Description').inputValue(), '<script>alert(1)</script> \u202e');
	assert.ok(await page.getByLabel(/endpoints sg-/).isChecked());

	// The first answer is lost, the second call does not get there, and the page is loaded again meanwhile.
	const tokens = [];
	let isLoadedAgain = false;
	await page.route('**/*', async (route) => {
		const sent = route.request();
		if (sent.headers()['x-acs-action'] !== 'CreateVpcEndpoint') return route.continue();
		tokens.push(new URLSearchParams(sent.postData()).get('ClientToken'));
		if (tokens.length === 1) await route.fetch();
		return tokens.length > 4 && isLoadedAgain ? route.continue() : route.abort();
	});
	await page.getByRole('button', { name: 'Create endpoint' }).click();
	await page.getByText('privlinkd does not answer. The call is repeated').waitFor();
	while (tokens.length < 3) await page.waitForTimeout(50);
	await page.reload();
	isLoadedAgain = true;
	await page.getByText('The endpoint is ready.').waitFor();
	assert.ok(tokens.length >= 5 && new Set(tokens).size === 1, String(tokens));
	const all = await endpoints();
	assert.deepEqual(all.map((each) => each.EndpointName), ['once']);
	assert.equal(made(page), all[0].EndpointId);
	await page.unrouteAll({ behavior: 'ignoreErrors' });
	await remove(all[0].EndpointId);
	await s.close();
});

test('a service of others: verified, waited for, accepted by the text for its provider', async () => {
	const publisher = [PUBLISHER_AK, PUBLISHER_SK];
	const service = await shell('privlink service create --description "by hand" --wait', publisher);
	const s = await form({});
	const { page } = s;
	await page.getByLabel('Other endpoint services').check();
	await page.getByLabel('Endpoint service name or ID').fill(service);
	await page.getByRole('button', { name: 'Verify' }).click();
	await page.getByText('There is no such service').waitFor();
	await shell(`privlink service allow ${service} ${uid}`, publisher);
	await page.getByRole('button', { name: 'Verify' }).click();
	await page.getByText('The service exists').waitFor();
	await page.getByText('wait until the provider accepts them').waitFor();
	await choose(page, 'VPC', 'web');
	await page.getByLabel(/endpoints sg-/).check();
	await page.getByText('Without a zone the endpoint has no address').waitFor();
	await page.getByRole('button', { name: 'Create endpoint' }).click();
	await page.getByText('The provider has to accept the connection').waitFor();
	await browser.picture(page, 'create-waiting');
	await page.getByRole('button', { name: 'Copy: Text for the provider' }).click();
	const [, command] = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
	await shell(command, publisher);
	await page.getByText('The endpoint is ready.').waitFor();
	await remove(made(page));
	await shell(`privlink service delete ${service}`, publisher);
	await s.close();
});

test('an address survives the login, and a region with nothing in it says what is missing', async () => {
	const s = await browser.open();
	const { page } = s;
	await page.goto(`${url}#/${region}/endpoints/create`);
	await page.getByLabel('Access key ID').fill(ak);
	await page.getByLabel('Access key secret').fill(sk);
	await page.getByRole('button', { name: 'Log in' }).click();
	await page.getByRole('form').getByLabel('Region', { exact: true }).selectOption('cn-beijing');
	await page.getByText('There is no VPC in this region.').first().waitFor();
	await page.getByText('Choose a VPC first.').waitFor();
	await page.getByLabel('Endpoint name').fill('kept');

	// Each is made where it is made, and leads back.
	await page.getByRole('link', { name: 'Create a VPC' }).click();
	await page.getByRole('button', { name: 'Create VPC' }).click();
	await page.getByText('The VPC has no security group').waitFor();
	assert.match(await page.getByLabel('VPC', { exact: true }).inputValue(), /^vpc-/);
	await page.getByLabel('Zone 1', { exact: true }).selectOption({ index: 1 });
	await page.getByRole('link', { name: 'Create a vSwitch' }).click();
	await page.getByRole('button', { name: /^Use 10/ }).click();
	await page.getByRole('button', { name: 'Create vSwitch' }).click();
	await page.getByLabel('vSwitch 1', { exact: true }).waitFor();
	assert.match(await page.getByLabel('vSwitch 1', { exact: true }).inputValue(), /^vsw-/);
	await page.getByRole('link', { name: 'Create a security group' }).click();
	await page.getByRole('button', { name: 'Create security group' }).click();
	assert.ok(await page.getByLabel(/^sg-/).isChecked());
	assert.equal(await page.getByLabel('Endpoint name').inputValue(), 'kept');
	assert.match(page.url(), /#\/cn-beijing\/endpoints\/create/);
	await s.close();
});

for (const [name, options] of [['light', {}], ['zh', { locale: 'zh-CN', colorScheme: 'dark' }], ['phone', { viewport: { width: 390, height: 800 } }]])
	test(`nothing keeps people out: ${name}`, async () => {
		const s = await form(options, `?service=pai-dlc&vpc=${net.vpc}`);
		const { page } = s;
		await page.locator('summary', { hasText: name === 'zh' ? '以代码表示' : 'As code' }).click();
		await page.getByRole('tabpanel').locator('pre').waitFor();
		assert.deepEqual(await browser.obstacles(page), []);
		assert.ok(await page.evaluate(() => document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth), 'nothing sticks out');
		const { width } = page.viewportSize();
		await page.setViewportSize({ width, height: await page.evaluate(() => document.querySelector('main').scrollHeight + 48) });
		await browser.picture(page, `create-${name}`);
		await s.close();
	});
