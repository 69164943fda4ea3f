// SPDX-License-Identifier: Apache-2.0
// Every page, light and dark, in both languages, wide and on a phone: nothing on it keeps people out, nothing is cut off, and a
// picture of it is there to be looked at.
"use strict";

const assert = require("node:assert/strict");
const { after, before, test } = require("node:test");
const { home, obstacles, open, picture, start, stop } = require("./browser");
const { makeGroup, makeVpc, makeVswitch, region } = require("./calls");

const places = [
	"overview", "endpoints", "endpoints/create", "services", "services/create", "vpcs", "vpcs/create", "vswitches", "vswitches/create",
	"securitygroups", "securitygroups/create", "instances", "instances/create", "balancers", "balancers/create", "servergroups",
	"servergroups/create", "activity", "nodes", "accounts", "bindings", "nothing",
];
const looks = [
	{ name: "light-en", options: {}, loading: "Loading…" },
	{ name: "dark-zh-phone", options: { colorScheme: "dark", locale: "zh-CN", viewport: { width: 390, height: 844 } }, loading: "加载中…" },
];

before(async () => {
	await start();
	const vpc = await makeVpc("admin", "10.0.0.0/16", "pages");
	await makeVswitch("admin", vpc, `${region}-h`, "10.0.1.0/24");
	await makeGroup("admin", vpc, "pages", [["TCP", "443/443", "10.0.0.0/16"]]);
});
after(stop);

for (const { name, options, loading } of looks) {
	test(`nothing keeps people out, ${name}`, async () => {
		const view = await open(options);
		const { page } = view;
		await page.goto(`${home}#/login?key=${process.env.ADMIN_AK}`);
		await page.locator("input[type=password]").waitFor();
		assert.deepEqual(await obstacles(page), [], "login");
		await picture(page, `page-login-${name}`);
		await page.locator("input[type=password]").fill(process.env.ADMIN_SK);
		await page.keyboard.press("Enter");
		await page.getByRole("main").waitFor();
		for (const place of places) {
			await page.goto(`${home}#/${region}/${place}`);
			await page.getByRole("heading", { level: 1 }).waitFor();
			await page.getByText(loading).first().waitFor({ state: "detached" });
			assert.deepEqual(await obstacles(page), [], place);
			assert.ok(await page.evaluate(() => { const main = document.querySelector("main"); return main.scrollWidth <= main.clientWidth; }), `${place} is not cut off`);
			await picture(page, `page-${place.replace("/", "-")}-${name}`);
		}
		await view.close();
	});
}
