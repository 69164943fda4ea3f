// SPDX-License-Identifier: Apache-2.0
// What bench/console measures, each in five fresh profiles of the browser. No time is asserted: what is too slow is for readers to say.
'use strict';

const fs = require('node:fs');
const { test } = require('node:test');
const browser = require('../tests/console/browser');
const { endpointRows } = require('../tests/console/rows');

const { CONSUMER_AK: ak, CONSUMER_SK: sk, CONSOLE_URL: url, PRIVLINK_BENCH_OUT: out } = process.env;
const rounds = 5;
const count = 1000;
const answer = { RequestId: 'bench', Endpoints: endpointRows(count), TotalCount: count, MaxResults: count };

async function firstPaint(page) {
	await page.goto(url);
	await page.getByLabel('Access key ID').waitFor();
	return page.evaluate(() => new Promise((resolve) => {
		new PerformanceObserver((list) => list.getEntriesByName('first-contentful-paint').forEach(({ startTime }) => resolve(startTime))).observe({ type: 'paint', buffered: true });
	}));
}

/** From the change of address until the rows stand and are painted. */
const listStands = (page) => page.evaluate(async (rows) => {
	const begun = performance.now();

	location.hash = location.hash.replace(/\/[^/]*$/, '/endpoints');
	while (!(document.querySelector('[role=grid]')?.ariaRowCount > rows))
		await new Promise(requestAnimationFrame);
	await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
	return performance.now() - begun;
}, count);

/** The longest time between two frames, from the first row to the last. */
const worstFrame = (page) => page.evaluate(async () => {
	const box = document.querySelector('[role=grid]').parentElement;
	let worst = 0, last = await new Promise(requestAnimationFrame);

	while (box.scrollTop + box.clientHeight < box.scrollHeight - 1) {
		box.scrollTop += 300;
		const now = await new Promise(requestAnimationFrame);

		worst = Math.max(worst, now - last);
		last = now;
	}
	return worst;
});

const filterTime = (page) => page.evaluate(async (rows) => {
	const field = document.querySelector('input[data-search]');
	const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
	const begun = performance.now();

	set.call(field, 'name:endpoint-09*');
	field.dispatchEvent(new Event('input', { bubbles: true }));
	while (document.querySelector('[role=grid]').ariaRowCount > rows)
		await new Promise(requestAnimationFrame);
	await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
	return performance.now() - begun;
}, count);

async function round() {
	const { page, close } = await browser.open();
	const sample = { first_paint_ms: await firstPaint(page) };

	await page.route(new URL('/', url).href, (route) => (route.request().headers()['x-acs-action'] === 'ListVpcEndpoints'
		? route.fulfill({ json: answer }) : route.continue()));
	await browser.login(page, ak, sk, 'cn-hangzhou/vpcs');
	await page.getByRole('grid').waitFor();
	sample.list_ms = await listStands(page);
	sample.worst_frame_ms = await worstFrame(page);
	sample.filter_ms = await filterTime(page);
	await page.unrouteAll({ behavior: 'ignoreErrors' });
	await close();
	return sample;
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const wanted = { first_paint_ms: 500, list_ms: 1000, worst_frame_ms: 100, filter_ms: 100 };

test('the console in a browser', async () => {
	await browser.start();
	const samples = [];

	try {
		for (let n = 0; n < rounds; n++)
			samples.push(await round());
	} finally {
		await browser.stop();
	}
	const medians = Object.fromEntries(Object.keys(wanted).map((name) => [name, Math.round(median(samples.map((sample) => sample[name])))]));

	fs.writeFileSync(out, `${JSON.stringify({ rows: count, medians, wanted, samples }, null, 1)}\n`);
});
