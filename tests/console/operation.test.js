// SPDX-License-Identifier: Apache-2.0
// Overview, activity, and what administrators see.
"use strict";

const { test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const browser = require("./browser");
const calls = require("./calls");

const zone = "cn-hangzhou-h";
let mine;
let admin;
const made = {};

before(async () => {
	const who = "consumer";
	made.vpc = await calls.makeVpc(who, "10.40.0.0/16", "watched");
	made.vswitch = await calls.makeVswitch(who, made.vpc, zone, "10.40.0.0/24");
	made.group = await calls.makeGroup(who, made.vpc, "watched");
	await browser.start();
	mine = await browser.open();
	admin = await browser.open();
	await browser.login(mine.page, process.env.CONSUMER_AK, process.env.CONSUMER_SK);
	await browser.login(admin.page, process.env.ADMIN_AK, process.env.ADMIN_SK);
});
after(async () => {
	await mine.close();
	await admin.close();
	await browser.stop();
});

const go = (tab, to) => tab.page.goto(`${browser.home}#/cn-hangzhou/${to}`);
const dialogOf = (tab) => tab.page.getByRole("dialog");

test("one lands on the overview, which counts", async () => {
	await mine.page.getByRole("heading", { name: "Overview" }).waitFor();
	const tile = mine.page.getByRole("main").getByRole("link", { name: /^VPCs/ });
	await tile.waitFor();
	await mine.page.waitForFunction((name) => !document.querySelector("main").textContent.includes(name), "…");
	const { TotalCount } = await calls.call("consumer", "vpc", "DescribeVpcs", { PageSize: 1 });
	assert.match(await tile.textContent(), new RegExp(`VPCs${TotalCount}$`));
	assert.deepEqual(await browser.obstacles(mine.page), []);
});

test("what is broken is named with its cause, and who waits for whom", async () => {
	const { page } = mine;
	const name = `watched-${process.pid}`;
	const own = { [zone]: made.vswitch };
	const provider = await calls.makeVpc("publisher", "10.41.0.0/16", "offered");
	const vswitches = {};
	for (const [i, each] of [zone, "cn-hangzhou-i"].entries()) vswitches[each] = await calls.makeVswitch("publisher", provider, each, `10.41.${i}.0/24`);
	const balancer = await calls.makeBalancer("publisher", provider, vswitches, 443, []);
	const { ServiceId } = await calls.call("publisher", "privatelink", "CreateVpcEndpointService", {
		AutoAcceptEnabled: false, Resource: Object.keys(vswitches).map((ZoneId) => ({ ResourceId: balancer, ResourceType: "nlb", ZoneId })),
	});
	await calls.call("publisher", "privatelink", "AddUserToVpcEndpointService", { ServiceId, UserId: process.env.CONSUMER_UID });
	const EndpointId = await calls.makeEndpoint("consumer", made.vpc, own, made.group, { ServiceId, EndpointName: name });
	await calls.endpointIs("consumer", EndpointId, "Active", "Disconnected");
	await go(mine, "vpcs"); // the page that one is on stays as it is, and asks every 15 s
	await page.getByRole("heading", { name: "VPCs" }).waitFor();
	await go(mine, "overview");
	const waiting = page.getByRole("region", { name: "You wait for others" });
	await waiting.getByText(EndpointId).waitFor();
	const broken = page.getByRole("region", { name: "Broken now" }).getByRole("listitem").filter({ hasText: name });
	assert.equal(await broken.count(), 0, "what waits is not broken");
	const other = await browser.open();
	await browser.login(other.page, process.env.PUBLISHER_AK, process.env.PUBLISHER_SK);
	await other.page.getByRole("region", { name: "Waiting for you" }).getByText(EndpointId).waitFor();
	await other.close();
	await calls.call("publisher", "privatelink", "EnableVpcEndpointConnection", { ServiceId, EndpointId });
	await calls.endpointIs("consumer", EndpointId, "Active", "Connected");
	await go(mine, "vpcs");
	await page.getByRole("heading", { name: "VPCs" }).waitFor();
	await go(mine, "overview");
	await broken.filter({ hasText: /nothing answers on TCP 443/ }).waitFor(); // once that was found out
	assert.deepEqual(await browser.obstacles(page), []);
	await calls.call("consumer", "privatelink", "RemoveZoneFromVpcEndpoint", { EndpointId, ZoneId: zone });
	await calls.until("the endpoint can go", () => calls.call("consumer", "privatelink", "DeleteVpcEndpoint", { EndpointId }).catch(() => false));
	const ResourceId = balancer;
	for (const ZoneId of Object.keys(vswitches)) {
		await calls.until("the resource can go", () => calls.call("publisher", "privatelink", "DetachResourceFromVpcEndpointService", { ServiceId, ResourceId, ResourceType: "nlb", ZoneId }).catch(() => false));
	}
	await calls.until("the service can go", () => calls.call("publisher", "privatelink", "DeleteVpcEndpointService", { ServiceId }).catch(() => false));
	await calls.call("publisher", "nlb", "DeleteLoadBalancer", { LoadBalancerId: balancer });
});

test("activity shows what every client did; filters are in the address", async () => {
	await go(mine, "activity");
	await mine.page.getByRole("button", { name: "CreateVpc", exact: true }).first().waitFor();
	assert.equal(await mine.page.getByRole("button", { name: /^Describe/ }).count(), 0, "reads are not shown at first");
	await mine.page.getByLabel("Resource ID").fill(made.vpc);
	await mine.page.keyboard.press("Enter");
	await mine.page.getByRole("button", { name: "CreateVpc", exact: true }).waitFor({ state: "detached" });
	assert.ok(mine.page.url().includes(`resource=${made.vpc}`));
	await mine.page.getByRole("button", { name: "CreateVSwitch" }).first().click();
	await dialogOf(mine).getByRole("link", { name: made.vpc }).waitFor();
	await dialogOf(mine).getByText("10.40.0.0/24").waitFor();
	await dialogOf(mine).getByRole("button", { name: "Close" }).last().click();
	await mine.page.getByLabel("Action", { exact: true }).fill("NoSuchAction");
	await mine.page.keyboard.press("Enter");
	await mine.page.getByText("No such calls").waitFor();
	await mine.page.getByRole("button", { name: "Clear the filter" }).click();
	await mine.page.getByRole("button", { name: "CreateVpc", exact: true }).first().waitFor();
	assert.deepEqual(await browser.obstacles(mine.page), []);
});

test("who is no administrator has no pages of theirs", async () => {
	for (const page of ["nodes", "accounts", "bindings"]) {
		await go(mine, page);
		await mine.page.getByText("There is no such page").waitFor();
	}
});

test("nodes report, and what is behind a service of the catalogue can be seen", async () => {
	await go(admin, "nodes");
	await admin.page.getByRole("row").filter({ hasText: "Reports" }).waitFor();
	assert.deepEqual(await browser.obstacles(admin.page), []);
	await go(admin, "bindings");
	await admin.page.getByRole("link", { name: /pai-dlc$/ }).click();
	await admin.page.getByRole("row").filter({ hasText: zone }).waitFor();
	await admin.page.getByRole("button", { name: "Bind load balancer" }).click();
	await dialogOf(admin).getByLabel("Load balancer").fill("nlb-unknown");
	await dialogOf(admin).getByRole("button", { name: "Bind load balancer" }).click();
	await dialogOf(admin).getByText("LoadBalancerNotFound").waitFor();
	await dialogOf(admin).getByRole("button", { name: "Cancel" }).click();
});

test("an account gets a key, whose secret is shown once", async () => {
	await go(admin, "accounts");
	await admin.page.getByRole("button", { name: "Create account" }).first().click();
	await dialogOf(admin).getByLabel("Name").fill(`tried-${process.pid}`);
	await dialogOf(admin).getByRole("button", { name: "Create account" }).click();
	await admin.page.getByText("No access keys").waitFor();
	await admin.page.getByRole("button", { name: "Create access key" }).click();
	await dialogOf(admin).getByRole("button", { name: "Create access key" }).click();
	await admin.page.getByRole("dialog", { name: "The new access key" }).waitFor();
	const [id, secret] = await dialogOf(admin).locator("code").allTextContents();
	assert.match(secret, /^\w{30}$/);
	await dialogOf(admin).getByRole("button", { name: "I have saved it" }).click();
	await admin.page.getByRole("checkbox", { name: `Select ${id}` }).check();
	assert.equal(await admin.page.getByText(secret).count(), 0);
	await admin.page.getByRole("button", { name: "Disable" }).click();
	await dialogOf(admin).getByRole("button", { name: "Disable" }).click();
	await admin.page.getByRole("row").filter({ hasText: "Inactive" }).waitFor();
	assert.deepEqual(await browser.obstacles(admin.page), []);
});
