// SPDX-License-Identifier: Apache-2.0
// The mission by the pages alone: from an empty account to an endpoint of PAI-DLC that answers in two zones, a rule that is revoked and
// mended, the rule that nobody wrote, and the end of it all.
"use strict";

const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const { promisify } = require("node:util");
const { after, before, test } = require("node:test");
const { choose: take, home, login, obstacles, offered, open, picture, start, stop } = require("./browser");
const { region, until } = require("./calls");

const run = promisify(execFile);
const zones = [`${region}-h`, `${region}-i`];
const name = `pai-dlc-vpc.${region}.aliyuncs.com`;
const ids = {};
let view, page;

before(async () => {
	await start();
	view = await open();
	page = view.page;
	await login(page, process.env.CONSUMER_AK, process.env.CONSUMER_SK);
});

after(async () => {
	await view?.close();
	await stop();
});

const go = (to) => page.goto(`${home}#/${region}/${to}`);
const button = (text) => page.getByRole("button", { name: text, exact: true });
const inDialog = (text) => page.getByRole("dialog").getByRole("button", { name: text, exact: true }).last();
const heading = (text) => page.getByRole("heading", { name: text, level: 1, exact: true }).waitFor();
const idOfPage = () => new URL(page.url()).hash.split(/[/?]/).find((part) => /^(vpc|vsw|sg|i|ep)-\w{10,}$/.test(part));

/** A command in the instance's network, with the resolver and the trust store that it has there. */
async function inside(...command) {
	const { stdout } = await run("ip", ["netns", "exec", ids.instance, ...command]);
	return stdout;
}

const choose = (label, text) => take(page.getByLabel(label, { exact: true }), text);

test("a VPC, a vSwitch in each of two zones, a group for instances and one for endpoints, an instance", async () => {
	await go("vpcs/create");
	await page.getByLabel("Address range").fill("10.0.0.0/16");
	await page.getByLabel("Name").fill("mission");
	await button("Create VPC").click();
	await heading("mission");
	ids.vpc = idOfPage();
	for (const [i, zone] of zones.entries()) {
		await go(`vswitches/create?vpc=${ids.vpc}`);
		await choose("Zone", zone);
		await page.getByLabel("Address range").fill(`10.0.${i + 1}.0/24`);
		await page.getByLabel("Name").fill(zone);
		await button("Create vSwitch").click();
		await heading(zone);
	}
	for (const group of ["workstation", "endpoints"]) {
		await go(`securitygroups/create?vpc=${ids.vpc}`);
		await page.getByLabel("Name").fill(group);
		await button("Create security group").click();
		await heading(group);
		ids[group] = idOfPage();
	}
	for (const preset of ["HTTPS", "Ping"]) {
		await button("Add rule").click();
		await page.getByRole("dialog").getByRole("button", { name: new RegExp(preset) }).click();
		await page.getByRole("dialog").getByRole("textbox", { name: "Addresses" }).fill("10.0.0.0/16");
		await inDialog("Add rule").click();
		await page.getByRole("dialog").waitFor({ state: "detached" });
	}
	await go(`instances/create?vpc=${ids.vpc}`);
	await choose("vSwitch", zones[0]);
	await page.getByRole("checkbox", { name: "workstation" }).check();
	await page.getByLabel("Name", { exact: false }).first().fill("workstation");
	await button("Run instance").click();
	await heading("workstation");
	ids.instance = idOfPage();
	await page.getByText("Running").first().waitFor();
});

test("privateLink_dlc is created in two zones, and is Active and Connected", async () => {
	await go("endpoints");
	await button("Create endpoint").first().click();
	await page.getByLabel("Endpoint name").fill("privateLink_dlc");
	await choose("Endpoint service", "pai-dlc");
	await choose("VPC", "mission");
	await page.getByLabel("vSwitch 2", { exact: true }).waitFor();
	await page.getByLabel(/^endpoints sg-/).check();
	assert.deepEqual(await obstacles(page), []);
	await picture(page, "mission-create");
	await page.getByRole("main").getByRole("button", { name: "Create endpoint", exact: true }).last().click();
	await page.getByRole("link", { name: /endpoint/i }).filter({ hasText: /privateLink_dlc|To the endpoint|Open/i }).first().waitFor();
	ids.endpoint = /made=(ep-\w+)/.exec(page.url())?.[1];
	assert.match(ids.endpoint ?? page.url(), /^ep-/);
	await go(`endpoints/${ids.endpoint}/zones`);
	await heading("privateLink_dlc");
	await page.getByText("Active", { exact: true }).first().waitFor();
	await page.getByText("Connected", { exact: true }).first().waitFor();
});

test("both ENIs' addresses are shown; they answer ping, and the service answers by its name", async () => {
	const table = page.getByRole("table", { name: "Zones and ENIs" });
	for (const zone of zones) await table.getByRole("row", { name: new RegExp(zone) }).getByText("Connected", { exact: true }).waitFor();
	ids.addresses = [];
	for (const zone of zones) ids.addresses.push(/\b10\.0\.\d+\.\d+\b/.exec(await table.getByRole("row", { name: new RegExp(zone) }).innerText())[0]);
	await picture(page, "mission-zones");
	for (const address of ids.addresses) assert.match(await inside("ping", "-c", "1", "-W", "5", address), / 0% packet loss/);
	const head = await until("the service answers", () => inside("curl", "-sI", "-m", "5", `https://${name}`).catch(() => false));
	assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
	assert.match(head, /X-Service: pai-dlc/);
});

async function runTest() {
	await go(`endpoints/${ids.endpoint}/test?instance=${ids.instance}`);
	await button("Run test").click();
}

test("the connectivity test says Reachable", async () => {
	await runTest();
	await page.getByText("Reachable: every zone answers.").waitFor();
	await page.getByText("Configuration and packets agree.").waitFor();
	await picture(page, "mission-test");
});

test("the rule for 443 is revoked: test and path name group and missing rule, and the fix heals it", async () => {
	await go(`securitygroups/${ids.endpoints}`);
	await button("Revoke: Accept TCP 443 from 10.0.0.0/16").click();
	await inDialog("Revoke").click();
	await page.getByRole("dialog").waitFor({ state: "detached" });
	await until("the node has revoked it", () => inside("curl", "-sI", "-m", "2", `https://${name}`).then(() => false, () => true));
	await runTest();
	await page.getByText(/^Unreachable:/).first().waitFor();
	await picture(page, "mission-test-unreachable");
	await page.getByText(new RegExp(`implicit rule.*no rule of ${ids.endpoints}`)).filter({ visible: true }).first().waitFor();
	await go(`endpoints/${ids.endpoint}/path?instance=${ids.instance}`);
	await page.getByText("TCP 443 does not get through.").waitFor();
	await page.getByText(new RegExp(`implicit rule.*no rule of ${ids.endpoints}`)).filter({ visible: true }).first().waitFor();
	await picture(page, "mission-path-broken");
	await button("Fix…").click();
	await inDialog("Make this call").click();
	await page.getByText("TCP 443 gets through.").waitFor();
	await until("the service answers again", () => inside("curl", "-sI", "-m", "5", `https://${name}`).catch(() => false));
	await picture(page, "mission-path");
});

test("with the instance in the endpoint's group, the rule that nobody wrote is shown as what lets it through", async () => {
	await go(`endpoints/${ids.endpoint}/groups`);
	await button("Attach security group").click();
	await take(page.getByRole("dialog").getByRole("combobox", { name: "Security group" }), "workstation");
	await inDialog("Attach security group").click();
	const card = (group) => page.getByRole("region", { name: group, exact: true });
	await card("workstation").getByText("Attached").waitFor();
	await button("Detach endpoints").click();
	await inDialog("Detach").click();
	await card("endpoints").waitFor({ state: "detached" });
	await go(`endpoints/${ids.endpoint}/path?instance=${ids.instance}`);
	await page.getByText("TCP 443 gets through.").waitFor();
	await page.getByText(new RegExp(`${ids.workstation}.*(members|InnerAccessPolicy|inner access)`, "i")).filter({ visible: true }).first().waitFor();
	await until("the service answers", () => inside("curl", "-sI", "-m", "5", `https://${name}`).catch(() => false));
});

/** Tab by tab to what has that name; the mouse is never used. */
async function tabTo(keys, role, label) {
	const wanted = keys.getByRole(role, { name: label });
	await wanted.first().waitFor();
	for (let n = 0; n < 80; n++) {
		if (await wanted.first().evaluate((element) => element === document.activeElement)) return;
		await keys.keyboard.press("Tab");
	}
	assert.fail(`no way by the keyboard to ${role} ${label}`);
}

test("by the keyboard alone: log in, create an endpoint, delete it", async () => {
	const other = await open();
	const keys = other.page;
	const type = (text) => keys.keyboard.type(text);
	const press = async (...names) => { for (const one of names) await keys.keyboard.press(one); };
	/** Two keys are one when the second comes soon after the first, which a busy machine may not manage. */
	const toEndpoints = () => until("the page of the endpoints", async () => {
		await press("g", "e");
		return keys.getByRole("heading", { name: "Endpoints", level: 1 }).waitFor({ timeout: 5000 }).then(() => true, () => false);
	});
	await keys.goto(home);
	await tabTo(keys, "textbox", "Access key ID");
	await type(process.env.CONSUMER_AK);
	await press("Tab");
	await type(process.env.CONSUMER_SK);
	await press("Enter");
	await keys.getByRole("navigation", { name: "Navigation" }).waitFor();
	await toEndpoints();
	await press("c");
	await tabTo(keys, "textbox", /^Endpoint name/);
	await type("by-keys");
	await tabTo(keys, "combobox", "Endpoint service");
	await type("pai-dsw");
	await offered(keys);
	await press("Enter");
	await tabTo(keys, "combobox", "VPC");
	await type("mission");
	await offered(keys);
	await press("Enter");
	await keys.getByLabel("vSwitch 2", { exact: true }).waitFor();
	await tabTo(keys, "checkbox", /^endpoints sg-/);
	await press("Space");
	await tabTo(keys, "button", /^Create endpoint$/);
	await press("Enter");
	await keys.waitForURL(/made=ep-/);
	await toEndpoints();
	await tabTo(keys, "row", /by-keys/);
	await press("Space");
	await tabTo(keys, "button", "Delete");
	await press("Enter");
	await keys.getByRole("dialog").waitFor();
	for (let n = 0; n < 10 && !/^Delete$/.test(await keys.evaluate(() => document.activeElement.textContent)); n++) await press("Tab");
	await press("Enter");
	await keys.getByRole("checkbox", { name: "Select by-keys" }).waitFor({ state: "detached" });
	await other.close();
});

test("everything is deleted", async () => {
	for (const [place, what] of [["endpoints", "privateLink_dlc"], ["instances", "workstation"], ["securitygroups", "workstation"], ["securitygroups", "endpoints"], ["vswitches", zones[0]], ["vswitches", zones[1]], ["vpcs", "mission"]]) {
		await go(`${place}?q=name:${what}`);
		await page.getByRole("checkbox", { name: `Select ${what}` }).check();
		await button("Delete").click();
		await inDialog("Delete").click();
		await page.getByText("The filter hides everything").or(page.getByRole("heading", { name: /^No .* yet$/ })).waitFor();
	}
});
