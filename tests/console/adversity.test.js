// SPDX-License-Identifier: Apache-2.0
// What goes wrong around a page: privlinkd is killed, a key is revoked, a clock is off, the page comes by a way that is not safe, another
// page wants to use it, texts are hostile, lists are long.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { createServer } = require('node:http');
const { after, before, test } = require('node:test');
const browser = require('./browser');
const { call, endpointIs, makeEndpoint, makeVpc, makeVswitch, region, until } = require('./calls');
const daemon = require('./daemon');
const { sign } = require('./load').load();
const { endpointRows } = require('./rows');

const { CONSUMER_AK: ak, CONSUMER_SK: sk, CONSUMER_UID: uid, CONSOLE_URL: url } = process.env;
const { origin, port } = new URL(url);
const pageOf = (route) => `${url}#/${region}/${route}`;
const zones = ['h', 'i'].map((zone) => `${region}-${zone}`);
const net = {};

before(async () => {
	await browser.start();
	net.vpc = await makeVpc('consumer', '10.0.0.0/16', 'hostile');
	net.vswitches = {};
	for (const [i, zone] of zones.entries())
		net.vswitches[zone] = await makeVswitch('consumer', net.vpc, zone, `10.0.${i + 1}.0/24`);
	net.group = (await call('consumer', 'ecs', 'CreateSecurityGroup', { VpcId: net.vpc, SecurityGroupName: 'hostile', Description: 'hostile' })).SecurityGroupId;
});
after(() => browser.stop());

async function inside(route, options = {}, stay = false) {
	const view = await browser.open(options);

	await browser.login(view.page, ak, sk, `${region}/${route}`, { stay });
	return view;
}

const endpoints = async () => (await call('consumer', 'privatelink', 'ListVpcEndpoints')).Endpoints;
const lost = (page) => page.getByRole('alert').filter({ hasText: 'privlinkd does not answer.' });

async function choose(page, label, text) {
	await page.getByLabel(label, { exact: true }).click();
	await page.getByRole('option', { name: text }).click();
}

/** What the browser keeps of a session. */
const kept = (page) => page.evaluate(() => new Promise((resolve, reject) => {
	const request = indexedDB.open('privlink', 1);

	request.onupgradeneeded = () => request.result.createObjectStore('session');
	request.onerror = () => reject(request.error);
	request.onsuccess = () => {
		const all = request.result.transaction('session').objectStore('session').getAll();

		all.onsuccess = () => {
			request.result.close();
			resolve(all.result.map((session) => ({ id: session.id, extractable: session.key.extractable, usages: session.key.usages })));
		};
	};
}));

test('privlinkd is killed while a form is half filled', async () => {
	const view = await inside('endpoints/create');
	const { page } = view;

	await page.getByLabel('Endpoint name').fill('survivor');
	await page.getByLabel('Description').fill('half "filled"');
	await choose(page, 'Endpoint service', 'pai-dlc');
	await daemon.end();
	await lost(page).waitFor();
	await page.getByLabel('Description').fill('half "filled", and on while it was away');
	await browser.picture(page, 'adversity-lost');
	await daemon.start();
	await lost(page).waitFor({ state: 'detached' });
	assert.equal(await page.getByLabel('Endpoint name').inputValue(), 'survivor');
	assert.equal(await page.getByLabel('Description').inputValue(), 'half "filled", and on while it was away');
	assert.equal(await page.getByLabel('Endpoint service', { exact: true }).inputValue(), 'pai-dlc');
	await choose(page, 'VPC', 'hostile');
	await page.getByLabel(/hostile sg-/).check();
	await page.getByLabel('vSwitch 2', { exact: true }).waitFor();

	// The call was carried out, and privlinkd dies before it can say so.
	let sent = 0;

	await page.route('**/*', async (route) => {
		if (route.request().headers()['x-acs-action'] !== 'CreateVpcEndpoint' || sent++ > 0)
			return route.continue();
		await route.fetch();
		await daemon.end();
		return route.abort();
	});
	await page.getByRole('button', { name: 'Create endpoint' }).click();
	await lost(page).waitFor();
	await page.getByText('The call is repeated').waitFor();
	await daemon.start();
	await page.getByText('The endpoint is ready.').waitFor();
	await lost(page).waitFor({ state: 'detached' });
	assert.ok(sent > 1);
	assert.deepEqual((await endpoints()).map(({ EndpointName }) => EndpointName), ['survivor']);
	await page.unrouteAll({ behavior: 'ignoreErrors' });
	await view.close();
});

test('privlinkd is killed with a call in its hands', async () => {
	const view = await inside(`endpoints/create?service=pai-dsw&vpc=${net.vpc}&name=unheard`);
	const { page } = view;

	await page.getByLabel(/hostile sg-/).check();
	await page.getByLabel('vSwitch 2', { exact: true }).waitFor();
	const sent = page.waitForRequest((request) => request.headers()['x-acs-action'] === 'CreateVpcEndpoint');

	daemon.kill('SIGSTOP');
	await page.getByRole('button', { name: 'Create endpoint' }).click();
	await sent;
	await daemon.end();
	await lost(page).waitFor();
	await daemon.start();
	await page.getByText('The endpoint is ready.').waitFor();
	assert.deepEqual((await endpoints()).map(({ EndpointName }) => EndpointName).sort(), ['survivor', 'unheard']);
	await view.close();
});

for (const [what, product, action, params] of [['disabled', 'ram', 'UpdateAccessKey', { Status: 'Inactive' }], ['deleted', 'ram', 'DeleteAccessKey', {}]])
	test(`a key is ${what} while one is logged in with it`, async () => {
		const { AccessKey: { AccessKeyId: UserAccessKeyId, AccessKeySecret } } = await call('consumer', 'ram', 'CreateAccessKey');
		const view = await browser.open();
		const { page } = view;

		await browser.login(page, UserAccessKeyId, AccessKeySecret, `${region}/endpoints`, { stay: true });
		await page.getByRole('link', { name: 'survivor' }).or(page.getByText('survivor')).first().waitFor();
		assert.equal((await kept(page)).length, 1);
		await call('consumer', product, action, { UserAccessKeyId, ...params });
		await page.getByText('You were logged out because the access key is no longer accepted.').waitFor();
		await until('the browser has forgotten the key', async () => (await kept(page)).length === 0);
		await browser.login(page, ak, sk);
		assert.equal(new URL(page.url()).hash, `#/${region}/endpoints`);
		if (what === 'disabled')
			await call('consumer', 'ram', 'DeleteAccessKey', { UserAccessKeyId });
		await view.close();
	});

for (const hours of [2, -2])
	test(`the browser's clock is off by ${hours} hours`, async () => {
		const view = await browser.open();
		const { page } = view;

		await view.context.addInitScript((offset) => {
			const Real = Date;

			globalThis.Date = class extends Real {
				constructor(...args) {
					super(...(args.length > 0 ? args : [Real.now() + offset]));
				}

				static now() {
					return Real.now() + offset;
				}
			};
		}, hours * 3600_000);
		await browser.login(page, ak, sk, `${region}/vpcs/create`);
		assert.ok(Math.abs(await page.evaluate(() => Date.now()) - Date.now()) > 3600_000);
		const name = `clock${hours > 0 ? 'ahead' : 'behind'}`;

		await page.getByLabel(/Name/).first().fill(name);
		await page.getByRole('button', { name: 'Create VPC' }).click();
		await page.getByRole('heading', { name }).waitFor();
		await view.close();
	});

test('staying logged in survives a reload, and logging out ends it', async () => {
	const view = await inside('vpcs', {}, true);
	const { page } = view;

	await page.getByRole('link', { name: 'hostile' }).waitFor();
	assert.deepEqual(await kept(page), [{ id: ak, extractable: false, usages: ['sign'] }]);
	await page.reload();
	await page.getByRole('link', { name: 'hostile' }).waitFor();
	await page.locator('summary', { hasText: uid }).click();
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByLabel('Access key secret').waitFor();
	await until('the session is gone', async () => (await kept(page)).length === 0);
	await page.goto(pageOf('vpcs'));
	await page.reload();
	await page.getByLabel('Access key secret').waitFor();
	const everything = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));

	assert.ok(!everything.includes(sk), 'the secret is nowhere');
	await view.close();
});

test('without staying, a reload ends the session', async () => {
	const view = await inside('vpcs');
	const { page } = view;

	await page.getByRole('link', { name: 'hostile' }).waitFor();
	assert.deepEqual(await kept(page), []);
	await page.reload();
	await page.getByLabel('Access key secret').waitFor();
	await view.close();
});

/** A page of somebody else's. */
async function foreign(body) {
	const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(body));

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	return { address: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

test('another page cannot embed the console', async () => {
	const server = await foreign(`<iframe src="${url}"></iframe>`);
	const { context, page, faults } = await browser.open();

	await page.goto(server.address);
	await until('the frame is refused', () => faults.some((line) => line.includes('frame-ancestors')));
	assert.equal(await page.frames()[1].getByRole('heading').count(), 0);
	assert.ok(faults.every((line) => line.includes('frame-ancestors')), faults.join('\n'));
	await context.close();
	server.close();
});

test('a call from another origin does not get there', async () => {
	const server = await foreign('<title>foreign</title>');
	const { context, page } = await browser.open();
	const secret = await crypto.subtle.importKey('raw', new TextEncoder().encode(sk), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
	const signed = await sign.sign(ak, secret, {
		method: 'POST', path: '/', query: '', body: '', headers: {
			host: new URL(url).host, 'content-type': 'application/x-www-form-urlencoded', 'x-acs-action': 'GetCallerIdentity', 'x-acs-version': '2015-04-01',
			'x-acs-date': new Date().toISOString().replace(/\.\d+/, ''), 'x-acs-signature-nonce': crypto.randomUUID(),
		},
	});
	const headers = Object.fromEntries(Object.entries(signed).filter(([name]) => name.toLowerCase() !== 'host'));

	await page.goto(server.address);
	const outcome = await page.evaluate(([to, sent]) => fetch(to, { method: 'POST', headers: sent }).then(({ status }) => status, String), [`${origin}/`, headers]);

	assert.match(String(outcome), /TypeError: Failed to fetch/);
	// It would have been taken: the same call, its nonce unused, is, from elsewhere than a browser.
	const answer = await fetch(`${origin}/`, { method: 'POST', headers });

	assert.equal(answer.status, 200, await answer.text());
	assert.equal(answer.headers.get('access-control-allow-origin'), null);
	await context.close();
	server.close();
});

const script = '<script>globalThis.hit = 1</script>';
const hostile = `${script}<img src=x onerror="globalThis.hit=1">"'&amp;\u202egnp.exe\u2066`;
const harmless = `${script}<img src=x onerror="globalThis.hit=1">"'&amp;[U+202E]gnp.exe[U+2066]`;

test('hostile names are text everywhere', async () => {
	const more = await Promise.all([
		call('consumer', 'privatelink', 'CreateVpcEndpointService', { ServiceDescription: 'hostile' }),
		call('consumer', 'nlb', 'CreateLoadBalancer', {
			LoadBalancerName: 'hostile', AddressType: 'Intranet', VpcId: net.vpc, ZoneMappings: zones.map((ZoneId) => ({ ZoneId, VSwitchId: net.vswitches[ZoneId] })),
		}),
		call('consumer', 'nlb', 'CreateServerGroup', { ServerGroupName: 'hostile', VpcId: net.vpc, Protocol: 'TCP' }),
		makeEndpoint('consumer', net.vpc, net.vswitches, net.group, { ServiceName: 'com.aliyuncs.privatelink.cn-hangzhou.aiworkspace', EndpointName: 'hostile', EndpointDescription: 'hostile' }),
	]);
	const [{ ServiceId }, { LoadbalancerId }, { ServerGroupId }, EndpointId] = more;

	await call('consumer', 'privatelink', 'TagResources', { ResourceType: 'vpcendpoint', ResourceId: [EndpointId], Tag: [{ Key: 'hostile', Value: 'hostile' }] });
	await call('consumer', 'vpc', 'ModifyVSwitchAttribute', { VSwitchId: net.vswitches[zones[0]], VSwitchName: 'hostile' });
	const view = await browser.open();
	const { page } = view;

	// Whoever answers may say anything, even what privlinkd takes as no name.
	await page.route(`${origin}/`, async (route) => {
		if (route.request().method() !== 'POST')
			return route.continue();
		const response = await route.fetch();

		return route.fulfill({ response, body: (await response.text()).replaceAll('"hostile"', JSON.stringify(hostile)) });
	});
	await browser.login(page, ak, sk);
	const isText = async (where) => {
		await page.getByText(harmless).first().waitFor();
		const seen = await page.evaluate(() => ({ text: document.documentElement.textContent + document.title, hit: globalThis.hit, made: document.querySelectorAll('#root script, body img, main script').length }));

		assert.equal(seen.hit, undefined, where);
		assert.equal(seen.made, 0, where);
		assert.doesNotMatch(seen.text, /[\u202e\u2066]/, where);
	};

	for (const list of ['endpoints', 'services', 'vpcs', 'vswitches', 'securitygroups', 'balancers', 'servergroups']) {
		await page.goto(pageOf(list));
		await isText(list);
	}
	for (const [list, id] of [['endpoints', EndpointId], ['services', ServiceId], ['vpcs', net.vpc], ['vswitches', net.vswitches[zones[0]]], ['securitygroups', net.group], ['balancers', LoadbalancerId], ['servergroups', ServerGroupId]]) {
		await page.goto(pageOf(`${list}/${id}`));
		await isText(list);
		await page.getByRole('heading', { level: 1, name: '<script>' }).waitFor();
		await until('the title is the name', async () => (await page.title()).includes('<script>'));
	}
	await browser.picture(page, 'adversity-hostile');
	await page.goto(pageOf('endpoints'));
	await page.getByRole('row', { name: harmless }).getByRole('checkbox').check();
	for (const act of ['Delete', 'tags']) {
		await page.getByRole('region', { name: 'Selected rows' }).getByRole('button', { name: act }).click();
		await page.getByRole('dialog').getByText(act === 'tags' ? /gnp\.exe/ : harmless).first().waitFor();
		await isText(`${act} dialog`);
		await page.keyboard.press('Escape');
		await page.getByRole('dialog').waitFor({ state: 'detached' });
	}
	await page.unrouteAll({ behavior: 'ignoreErrors' });
	await view.close();
});

test('of a thousand rows, few are in the document', async () => {
	const view = await browser.open();
	const { page } = view;

	await page.route(`${origin}/`, (route) => (route.request().headers()['x-acs-action'] === 'ListVpcEndpoints'
		? route.fulfill({ json: { RequestId: 'x', Endpoints: endpointRows(1000), TotalCount: 1000, MaxResults: 1000 } })
		: route.continue()));
	await browser.login(page, ak, sk, `${region}/endpoints?sort=name`);
	await page.getByText('1,000 rows').waitFor();
	const { most, names, steps } = await page.evaluate(async () => {
		const box = document.querySelector('[role=grid]').parentElement;
		const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
		// What keeps the place of rows that are not there is out of sight when those in sight are drawn.
		const isDrawn = () => {
			const { top, bottom } = box.getBoundingClientRect();

			return [...box.querySelectorAll('tr.room')].map((row) => row.getBoundingClientRect()).every((row) => row.bottom <= top || row.top >= bottom);
		};
		const seen = new Set();
		let rows = 0, moves = 0;

		for (let top = 0; ; top += 400, moves++) {
			box.scrollTop = top;
			for (let n = 0; n === 0 || (n < 200 && !isDrawn()); n++) await frame();
			rows = Math.max(rows, document.querySelectorAll('tr, [role=row]').length);
			for (const link of box.querySelectorAll('tbody a')) seen.add(link.textContent);
			if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1) break;
		}
		return { most: rows, names: seen.size, steps: moves };
	});

	assert.ok(most > 10 && most <= 60, `${most} rows in the document`);
	assert.equal(names, 1000, 'each was to be seen');
	assert.ok(steps > 50);
	await page.getByRole('searchbox', { name: 'Search' }).fill('name:endpoint-09*');
	await page.getByText('900 hidden by the filter').waitFor();
	assert.ok((await page.getByText('100 rows').count()) > 0);
	await page.getByRole('searchbox', { name: 'Search' }).fill('name:nothing');
	await page.getByText('The filter hides everything').waitFor();
	await page.getByRole('button', { name: 'Clear the filter' }).first().click();
	await page.getByText('1,000 rows').waitFor();
	await page.unrouteAll({ behavior: 'ignoreErrors' });
	await view.close();
});

test('plain HTTP from another machine: the page says why it cannot, and what helps', async () => {
	execFileSync('ip', ['address', 'add', '192.0.2.7/32', 'dev', 'lo']);
	await daemon.end();
	await daemon.start('--http', `0.0.0.0:${port}`, '--http-anywhere');
	const view = await browser.open();
	const { page } = view;

	await page.goto(`http://192.0.2.7:${port}/console/#/${region}/vpcs`);
	await page.getByText('lets it sign nothing here').waitFor();
	await page.getByText(`ssh -N -L ${port}:192.0.2.7:${port} root@192.0.2.7`, { exact: true }).waitFor();
	await page.getByText(`http://127.0.0.1:${port}/console/`).waitFor();
	assert.equal(await page.getByRole('textbox').count(), 0, 'nobody types a secret here');
	assert.deepEqual(await browser.obstacles(page), []);
	await browser.picture(page, 'adversity-insecure');
	await view.close();
});
