// SPDX-License-Identifier: Apache-2.0
// The pages of load balancers and server groups: what a provider makes before there is a service, and how its servers are.
"use strict";

const { test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const browser = require("./browser");
const calls = require("./calls");

const who = "publisher";
const zones = ["cn-hangzhou-h", "cn-hangzhou-i"];
let tab;
let vpc;

before(async () => {
	vpc = await calls.makeVpc(who, "10.30.0.0/16", "balanced");
	const group = await calls.makeGroup(who, vpc, "servers");
	for (const [i, zone] of zones.entries()) await calls.makeInstance(who, await calls.makeVswitch(who, vpc, zone, `10.30.${i}.0/24`), group);
	await browser.start();
	tab = await browser.open();
	await browser.login(tab.page, process.env.PUBLISHER_AK, process.env.PUBLISHER_SK, "cn-hangzhou/servergroups");
});
after(async () => {
	await tab.close();
	await browser.stop();
});

const go = (to) => tab.page.goto(`${browser.home}#/cn-hangzhou/${to}`);
const button = (name) => tab.page.getByRole("button", { name, exact: true });
const heading = (name) => tab.page.getByRole("heading", { name, level: 1 });
const dialog = () => tab.page.getByRole("dialog");

async function choose(label, text) {
	await tab.page.getByRole("combobox", { name: label }).last().fill(text);
	await tab.page.getByRole("option", { name: new RegExp(text) }).first().click();
}

test("a server group is made and gets both instances", async () => {
	await button("Create server group").first().click();
	await tab.page.getByRole("textbox", { name: "Name" }).fill("behind");
	await choose("VPC", "balanced");
	await tab.page.getByLabel("Seconds between probes").fill("99");
	await tab.page.getByText("out of its range").waitFor();
	await tab.page.getByLabel("Seconds between probes").fill("1");
	await tab.page.getByLabel("Seconds that a probe waits").fill("2");
	await button("Create server group").click();
	await heading("behind").waitFor();
	await tab.page.getByText("No listener uses this group yet").waitFor();
	await button("Add servers").click();
	await dialog().getByRole("checkbox").nth(1).waitFor();
	for (const box of await dialog().getByRole("checkbox").all()) await box.check();
	await dialog().getByLabel("Port").fill("443");
	await dialog().getByRole("button", { name: "Add servers" }).click();
	await tab.page.getByRole("row").filter({ hasText: "10.30.0." }).waitFor();
	assert.equal(await tab.page.getByRole("row").filter({ hasText: "Not used by a listener" }).count(), 2);
});

test("a server that is there already is refused at its field", async () => {
	await button("Add servers").click();
	await dialog().getByRole("checkbox").first().check();
	await dialog().getByLabel("Port").fill("443");
	await dialog().getByRole("button", { name: "Add servers" }).click();
	await dialog().getByText("ResourceAlreadyExist.BackendServer").waitFor();
	await dialog().getByRole("button", { name: "Cancel" }).click();
});

test("a load balancer wants two zones", async () => {
	await go("balancers/create");
	await tab.page.getByRole("textbox", { name: "Name" }).fill("front");
	await choose("VPC", "balanced");
	await tab.page.getByLabel(`vSwitch in ${zones[0]}`).selectOption({ index: 1 });
	await button("Create load balancer").click();
	await tab.page.getByRole("alert").getByText("two zones at least").waitFor();
	await tab.page.getByLabel(`vSwitch in ${zones[1]}`).selectOption({ index: 1 });
	await tab.page.getByLabel(`Address in ${zones[1]}`).fill("10.30.1.77");
	await button("Create load balancer").click();
	await heading("front").waitFor();
	await tab.page.getByRole("tab", { name: "Zones" }).click();
	await tab.page.getByRole("row").filter({ hasText: "10.30.1.77" }).waitFor();
	await tab.page.getByRole("tab", { name: "Listeners" }).click();
});

test("a listener is added, refused twice on one port, stopped and started", async () => {
	await tab.page.getByText("Active", { exact: true }).waitFor();
	for (const again of [false, true]) {
		await button("Add listener").click();
		await dialog().getByLabel("Port").fill("443");
		await choose("Server group", "behind");
		await dialog().getByRole("button", { name: "Add listener" }).click();
		if (again) await dialog().getByText("ResourceAlreadyExist.Listener").waitFor();
		else await tab.page.getByRole("row").filter({ hasText: "Running" }).waitFor();
	}
	await dialog().getByRole("button", { name: "Cancel" }).click();
	for (const [act, state] of [["Stop", "Stopped"], ["Start", "Running"]]) {
		await tab.page.getByRole("checkbox", { name: "Select TCP 443" }).check();
		await button(act).click();
		await dialog().getByRole("button", { name: act }).click();
		await tab.page.getByRole("row").filter({ hasText: state }).waitFor();
	}
	await tab.page.getByText("2 servers are not healthy").waitFor();
});

test("servers that nobody serves on are unhealthy, with the reason", async () => {
	await tab.page.getByRole("link", { name: /^sgp-/ }).click();
	await heading("behind").waitFor();
	await tab.page.getByRole("row").filter({ hasText: "Unhealthy" }).filter({ hasText: "CONNECT_FAILED" }).nth(1).waitFor();
	assert.deepEqual(await browser.obstacles(tab.page), []);
});

test("all is deleted again", async () => {
	for (const [page, name] of [["balancers", "front"], ["servergroups", "behind"]]) {
		await go(`${page}?q=name:${name}`);
		await tab.page.getByRole("checkbox", { name: `Select ${name}` }).check();
		await button("Delete").click();
		await dialog().getByRole("button", { name: "Delete" }).click();
		await tab.page.getByText("The filter hides everything").or(tab.page.getByRole("heading", { name: /^No .* yet$/ })).waitFor();
		assert.deepEqual(await browser.obstacles(tab.page), [], page);
	}
});
