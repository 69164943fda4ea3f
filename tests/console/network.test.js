// SPDX-License-Identifier: Apache-2.0
// The pages of networks: VPC, vSwitch, security group with its rules, instance; what the API refuses, and where the page says so.
"use strict";

const { test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const browser = require("./browser");

let tab;

before(async () => {
	await browser.start();
	tab = await browser.open();
	await browser.login(tab.page, process.env.CONSUMER_AK, process.env.CONSUMER_SK, "cn-hangzhou/vpcs");
});
after(async () => {
	await tab.close();
	await browser.stop();
});

const go = (to) => tab.page.goto(`${browser.home}#/cn-hangzhou/${to}`);
const button = (name) => tab.page.getByRole("button", { name, exact: true });
const heading = (name) => tab.page.getByRole("heading", { name, level: 1 });
const dialog = () => tab.page.getByRole("dialog");

/** What stands at a field as its error. */
async function errorAt(label) {
	const field = tab.page.getByLabel(label).and(tab.page.locator("[aria-invalid=true]"));
	await field.waitFor();
	const ids = (await field.getAttribute("aria-describedby")).split(" ");
	return tab.page.locator(`[id="${ids.at(-1)}"]`).textContent();
}

const made = {};

test("a VPC is made, with a check while one types", async () => {
	await heading("VPCs").waitFor();
	await button("Create VPC").first().click();
	await tab.page.getByLabel("Address range").fill("10.0.0.1/16");
	assert.match(await errorAt("Address range"), /bits beyond the prefix/);
	await tab.page.getByLabel("Address range").fill("10.20.0.0/16");
	await tab.page.getByLabel("Name").fill("pages");
	await button("Create VPC").click();
	await heading("pages").waitFor();
	made.vpc = new URL(tab.page.url()).hash.split("/").at(-1);
	assert.match(made.vpc, /^vpc-/);
});

test("a vSwitch lies inside its VPC's range and apart from others", async () => {
	await tab.page.getByRole("tabpanel").getByRole("button", { name: "Create vSwitch" }).click();
	await heading("Create vSwitch").waitFor();
	await browser.choose(tab.page.getByLabel("Zone"), "hangzhou-h");
	await tab.page.getByLabel("Address range").fill("192.168.0.0/24");
	assert.match(await errorAt("Address range"), /not inside/);
	await button("Use 10.20.0.0/24, which is free").click();
	await tab.page.getByLabel("Name").fill("pages-h");
	await button("Create vSwitch").click();
	await heading("pages-h").waitFor();
	await go(`vswitches/create?vpc=${made.vpc}`);
	await tab.page.getByLabel("Address range").fill("10.20.0.128/25");
	assert.match(await errorAt("Address range"), /has this range/);
});

test("a VPC that is not empty is kept, and the dialog says why", async () => {
	await go(`vpcs/${made.vpc}`);
	await button("Delete").click();
	await dialog().getByText("this will be refused").waitFor();
	await dialog().getByRole("button", { name: "Delete" }).click();
	await dialog().getByText("DependencyViolation.VSwitch").waitFor();
	await dialog().getByRole("button", { name: "Close", exact: true }).last().click();
	await heading("pages").waitFor();
});

test("rules are added, changed and revoked; implicit ones stand among them", async () => {
	await go(`securitygroups/create?vpc=${made.vpc}`);
	await tab.page.getByLabel("Name").fill("pages-group");
	await button("Create security group").click();
	await heading("pages-group").waitFor();
	made.group = new URL(tab.page.url()).hash.split("/").at(-1);
	await button("Add rule").click();
	await dialog().getByRole("button", { name: "HTTPS" }).click();
	const addresses = dialog().getByRole("textbox", { name: "Addresses" });
	await addresses.fill("10::zz/8");
	await dialog().getByRole("button", { name: "Add rule" }).click();
	assert.match(await errorAt("Addresses"), /Ipv6SourceCidrIp/);
	await addresses.fill("10.0.0.0/8");
	await dialog().getByRole("button", { name: "Add rule" }).click();
	await button("Edit: Accept TCP 443 from 10.0.0.0/8").click();
	await dialog().getByLabel("Description").fill("from <b>here</b>\u202e");
	await dialog().getByRole("button", { name: "Save" }).click();
	await tab.page.getByText("from <b>here</b>[U+202E]").waitFor();
	const rules = tab.page.getByRole("grid", { name: "Inbound rules" });
	assert.equal(await rules.getByRole("row").count(), 4);
	await rules.getByText("Members of this group").waitFor();
	await button("Set to Drop").click();
	await dialog().getByRole("button", { name: "Set to Drop" }).click();
	await button("Set to Accept").waitFor();
	await button("Revoke: Accept TCP 443 from 10.0.0.0/8").click();
	await dialog().getByRole("button", { name: "Revoke" }).click();
	await tab.page.getByText("from <b>here</b>[U+202E]").first().waitFor({ state: "detached" });
});

async function fillInstance(name, address) {
	await go(`instances/create?vpc=${made.vpc}`);
	await browser.choose(tab.page.getByLabel("vSwitch"), "pages-h");
	await tab.page.getByRole("checkbox", { name: "pages-group" }).check();
	await tab.page.getByLabel("Name", { exact: false }).first().fill(name);
	await tab.page.getByLabel("Address").fill(address);
	await button("Run instance").click();
}

test("an instance runs; an address that is taken is said at its field", async () => {
	await fillInstance("pages-client", "10.20.0.9");
	await heading("pages-client").waitFor();
	await tab.page.getByText("Running").waitFor();
	await tab.page.getByText(/^privlink exec i-\w+ -- bash$/).waitFor();
	await fillInstance("another", "10.20.0.9");
	assert.match(await errorAt("Address"), /InvalidPrivateIpAddress/);
});

test("one confirmation for many, and everything is gone again", async () => {
	for (const [page, name] of [["instances", "pages-client"], ["securitygroups", "pages-group"], ["vswitches", "pages-h"], ["vpcs", "pages"]]) {
		await go(`${page}?q=name:${name}`);
		await tab.page.getByRole("checkbox", { name: `Select ${name}` }).check();
		await button("Delete").click();
		await dialog().getByRole("button", { name: "Delete" }).click();
		await tab.page.getByText("The filter hides everything").or(tab.page.getByRole("heading", { name: /^No .* yet$/ })).waitFor();
	}
	await go("vpcs/vpc-doesnotexist");
	await tab.page.getByText("This does not exist").waitFor();
});

test("nothing keeps people out", async () => {
	for (const place of ["vpcs", "vswitches", "securitygroups", "instances", "vpcs/create", "instances/create"]) {
		await go(place);
		await tab.page.getByRole("heading", { level: 1 }).waitFor();
		assert.deepEqual(await browser.obstacles(tab.page), [], place);
	}
});
