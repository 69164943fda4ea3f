// SPDX-License-Identifier: Apache-2.0
// The provider's pages: a service from nothing to a consumer that is connected, cut off and connected again.
"use strict";

const assert = require("node:assert/strict");
const { after, before, test } = require("node:test");
const { choose, home, login, obstacles, open, picture, start, stop } = require("./browser");
const { call, endpointIs, makeBalancer, makeEndpoint, makeGroup, makeVpc, makeVswitch, region, until } = require("./calls");

const zones = ["cn-hangzhou-h", "cn-hangzhou-i"];
const world = {};
let view, page;

async function network(who) {
	const vpc = await makeVpc(who);
	const vswitches = {};
	for (const [i, zone] of zones.entries()) vswitches[zone] = await makeVswitch(who, vpc, zone, `10.0.${i + 1}.0/24`);
	return { vpc, vswitches, group: await makeGroup(who, vpc, "endpoints") };
}

before(async () => {
	await start();
	[world.publisher, world.consumer] = await Promise.all([network("publisher"), network("consumer")]);
	world.balancer = await makeBalancer("publisher", world.publisher.vpc, world.publisher.vswitches, 80, []);
	view = await open();
	page = view.page;
	await login(page, process.env.PUBLISHER_AK, process.env.PUBLISHER_SK, `${region}/services`);
});

after(async () => {
	await view?.close();
	await stop();
});

const tab = (name) => page.getByRole("tab", { name }).click();
const confirm = (name) => page.getByRole("dialog").getByRole("button", { name, exact: true }).last().click();
const resources = async () => (await call("publisher", "privatelink", "ListVpcEndpointServiceResources", { ServiceId: world.service })).Resources;
const connections = async () => (await call("publisher", "privatelink", "ListVpcEndpointConnections", { ServiceId: world.service })).Connections;

test("a service is created in two zones", async () => {
	await page.getByText("No endpoint services yet").waitFor();
	await page.getByRole("button", { name: "Create endpoint service" }).first().click();
	for (const zone of zones) await page.getByLabel(new RegExp(zone)).check();
	await page.getByLabel("Description").fill("<b>tea</b> & \"cake\" \u202eevil");
	await page.getByRole("button", { name: "Create endpoint service" }).click();
	await page.getByRole("heading", { name: "<b>tea</b> & \"cake\"" }).waitFor();
	const row = await until("the service is active", async () => {
		const [service] = (await call("publisher", "privatelink", "ListVpcEndpointServices")).Services;
		return service?.ServiceStatus === "Active" && service;
	});
	world.service = row.ServiceId;
	await page.getByText(row.ServiceName).first().waitFor();
	assert.equal(row.AutoAcceptEnabled, false);
	assert.deepEqual(await obstacles(page), []);
	await picture(page, "service");
});

test("it is tagged in the list", async () => {
	await page.goto(`${home}#/${region}/services`);
	await page.getByRole("row", { name: new RegExp(world.service) }).getByRole("checkbox").check();
	await page.getByRole("button", { name: "Edit tags" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
	await page.getByLabel("Key 1").fill("env");
	await page.getByLabel("Value 1").fill("test");
	await confirm("Save");
	await until("the tag is there", async () => (await call("publisher", "privatelink", "ListVpcEndpointServices")).Services[0].Tags.some((tag) => tag.Key === "env" && tag.Value === "test"));
	await page.goto(`${home}#/${region}/services/${world.service}`);
});

test("its load balancers are shown, and one zone can be taken away and added", async () => {
	await tab("Resources");
	await page.getByRole("row", { name: new RegExp(zones[1]) }).getByRole("checkbox").check();
	await page.getByRole("button", { name: "Take away" }).click();
	await confirm("Take away");
	await until("one is left", async () => (await resources()).length === 1);
	await page.getByRole("dialog").waitFor({ state: "detached" });
	await page.getByRole("button", { name: "Add load balancer" }).click();
	await choose(page.getByRole("combobox", { name: "Load balancer" }), zones[1]);
	await confirm("Add load balancer");
	await until("both are back", async () => (await resources()).length === 2);
	await picture(page, "service-resources");
});

test("the whitelist says at its field what is wrong, and takes an account", async () => {
	await tab("Whitelist");
	await page.getByRole("button", { name: "Add to the whitelist" }).click();
	await page.getByRole("dialog").getByLabel("Account").fill("nobody");
	await confirm("Add to the whitelist");
	await page.getByText("Write an account's number").waitFor();
	await page.getByRole("dialog").getByLabel("Account").fill(process.env.CONSUMER_UID);
	await confirm("Add to the whitelist");
	await page.getByRole("row", { name: new RegExp(process.env.CONSUMER_UID) }).waitFor();
});

test("a connection waits, is allowed, cut in one zone, denied and allowed again", async () => {
	const { vpc, vswitches, group } = world.consumer;
	world.endpoint = await makeEndpoint("consumer", vpc, vswitches, group, { ServiceId: world.service, EndpointName: "waiting" });
	await endpointIs("consumer", world.endpoint, "Active", "Disconnected");
	await tab("Connections");
	await page.getByText("One connection waits for you").waitFor();
	await page.getByText("Waiting for acceptance").waitFor();
	assert.deepEqual(await obstacles(page), []);
	await picture(page, "service-connections");
	await page.getByRole("button", { name: world.endpoint, exact: true }).click();
	await confirm("Allow");
	await endpointIs("consumer", world.endpoint, "Active", "Connected");
	await page.getByRole("button", { name: `Disconnect ${zones[0]}` }).click();
	await page.getByRole("button", { name: `Connect ${zones[0]}`, exact: true }).waitFor();
	await picture(page, "service-connection");
	await page.getByRole("button", { name: `Connect ${zones[0]}`, exact: true }).click();
	await page.getByRole("button", { name: `Disconnect ${zones[0]}` }).waitFor();
	await confirm("Deny");
	await endpointIs("consumer", world.endpoint, "Active", "Disconnected");
	await page.getByText("Refused by the provider").first().waitFor();
	await confirm("Allow");
	await endpointIs("consumer", world.endpoint, "Active", "Connected");
	await confirm("Close");
});

test("bandwidth out of bounds is refused at its field", async () => {
	await page.getByRole("button", { name: world.endpoint, exact: true }).click();
	await confirm("Change bandwidth");
	await page.getByRole("dialog").getByLabel("Bandwidth").fill("1");
	await confirm("Save");
	await page.getByText("The number is out of its range.").waitFor();
	await page.getByRole("dialog").getByLabel("Bandwidth").fill("500");
	await confirm("Save");
	await until("it is set", async () => (await connections())[0].Bandwidth === 500);
	await page.getByRole("dialog").getByLabel("Bandwidth").waitFor({ state: "detached" });
	await confirm("Close");
});

test("its traffic is shown, of all endpoints together", async () => {
	await tab("Monitor");
	await page.getByRole("img", { name: "Throughput", exact: true }).waitFor();
	assert.deepEqual(await obstacles(page), []);
	await picture(page, "service-monitor");
	await tab("Connections");
});

test("a service with a connection is not deleted, and one without is", async () => {
	await page.getByRole("button", { name: "Delete", exact: true }).click();
	await confirm("Delete");
	await page.getByRole("dialog").getByRole("alert").first().waitFor();
	await page.keyboard.press("Escape");
	for (const ZoneId of zones)
		await until("the zone can go", () => call("consumer", "privatelink", "RemoveZoneFromVpcEndpoint", { EndpointId: world.endpoint, ZoneId }).catch(() => false));
	await until("the endpoint can go", () => call("consumer", "privatelink", "DeleteVpcEndpoint", { EndpointId: world.endpoint }).catch(() => false));
	await until("it is gone", async () => (await connections()).length === 0);
	await page.getByRole("button", { name: "Delete", exact: true }).click();
	await confirm("Delete");
	await page.getByText("No endpoint services yet").waitFor();
});
