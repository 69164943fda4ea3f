// SPDX-License-Identifier: Apache-2.0
// A browser for the tests: Debian's Chromium, driven by Playwright. Whatever goes wrong in a page (an error that nobody caught, a
// refusal by its content security policy) fails the test that had the page open.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { chromium } = require('playwright-core');

const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const home = process.env.CONSOLE_URL;
const pictures = path.join(process.env.BUILD, 'console-pictures');

let browser;

async function start() {
	browser = await chromium.launch({ executablePath: '/usr/bin/chromium', timeout: 120_000 });
}

async function stop() {
	await browser.close();
}

// The browser's own lines on answers above 399 are no errors of the page.
function watch(page, faults) {
	page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
	page.on('console', (message) => {
		if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
			faults.push(`console: ${message.text()}`);
	});
}

// A fresh browser profile with one page. `options` are those of Playwright's newContext (locale, colorScheme, viewport …).
async function open(options = {}) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US', permissions: ['clipboard-read', 'clipboard-write'], ...options });
	const page = await context.newPage();
	const faults = [];

	page.setDefaultTimeout(40_000); // some pages ask every 15 s only, and a busy machine takes its time
	watch(page, faults);
	return {
		context, page, faults,
		async close() {
			await context.close();
			assert.deepEqual(faults, [], 'nothing went wrong in the page');
		},
	};
}

// `stay`: the session outlives a reload. In any language.
async function login(page, id, secret, to = '', { stay = false } = {}) {
	await page.goto(`${home}#/login?key=${encodeURIComponent(id)}`);
	await page.locator('input[type=password]').fill(secret);
	if (stay)
		await page.locator('input[type=checkbox]').check();
	await page.locator('button[type=submit]').click();
	await page.waitForURL(/#\/(?!login)[^/]+\/./);
	if (to)
		await page.goto(`${home}#/${to}`);
}

// Until the open list offers something. An Enter before its rows have come takes nothing.
async function offered(page) {
	await page.locator('.listbox:not([hidden]) [role=option]:not([aria-disabled])').first().waitFor();
}

// Takes the first option that fits what is typed into a box.
async function choose(box, text) {
	await box.fill(text);
	await offered(box.page());
	await box.press('Enter');
}

// What axe finds of the kinds that keep people out, as lines.
async function obstacles(page) {
	await page.evaluate(axe);
	const found = await page.evaluate(() => globalThis.axe.run());

	return found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
		.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`));
}

async function picture(page, name) {
	await page.screenshot({ path: path.join(pictures, `${name}.png`) });
}

module.exports = { start, stop, open, login, choose, offered, obstacles, picture, home };
