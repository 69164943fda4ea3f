// SPDX-License-Identifier: Apache-2.0
// The page of an endpoint: what it says, its acts, its path with the fix, a connectivity test, charts, and what it says where there is
// nothing or nothing may be done.
"use strict";

const { test, before, after } = require("node:test");
const assert = require("node:assert/strict");
const browser = require("./browser");
const { call, until, makeVpc, makeVswitch, makeGroup, makeInstance, makeEndpoint, endpointIs } = require("./calls");

const who = "consumer";
const zones = ["cn-hangzhou-h", "cn-hangzhou-i"];
const made = {};
let tab;

before(async () => {
	await browser.start();
	made.vpc = await makeVpc(who, "172.16.0.0/12", "detail");
	for (const [i, zone] of zones.entries()) made[zone] = await makeVswitch(who, made.vpc, zone, `172.16.${i}.0/24`);
	made.own = await makeGroup(who, made.vpc, "instances");
	made.group = await makeGroup(who, made.vpc, "endpoint", [["TCP", "443/443", "172.16.0.0/12"], ["ICMP", "-1/-1", "172.16.0.0/12"]]);
	made.instance = await makeInstance(who, made[zones[0]], made.own);
	made.endpoint = await makeEndpoint(who, made.vpc, { [zones[0]]: made[zones[0]] }, made.group, { ServiceName: "com.aliyuncs.privatelink.cn-hangzhou.pai-dlc", EndpointName: "detail" });
	await endpointIs(who, made.endpoint, "Active", "Connected");
	tab = await browser.open();
	await browser.login(tab.page, process.env.CONSUMER_AK, process.env.CONSUMER_SK, `cn-hangzhou/endpoints/${made.endpoint}`);
});
after(async () => {
	await tab?.close();
	await browser.stop();
});

const go = (to) => tab.page.goto(`${browser.home}#/cn-hangzhou/${to}`);
const toTab = (name) => tab.page.getByRole("tab", { name, exact: true }).click();
const button = (name) => tab.page.getByRole("button", { name, exact: true });
const dialog = () => tab.page.getByRole("dialog");
const inDialog = (name) => dialog().getByRole("button", { name, exact: true });

test("basic information has the id, the domain and the zone's domain, each to copy", async () => {
	await tab.page.getByRole("heading", { name: "detail", level: 1 }).waitFor();
	await tab.page.getByRole("button", { name: /^Copy: ep-[^ ]*-cn-hangzhou-h\./ }).click();
	assert.match(await tab.page.evaluate(() => navigator.clipboard.readText()), new RegExp(`^${made.endpoint}-cn-hangzhou-h\\.`));
	await tab.page.getByText("3072 Mbit/s").waitFor();
});

test("the name is changed, and a wrong one is refused at its field", async () => {
	await button("Edit").click();
	await dialog().getByLabel("Name").fill("1 wrong");
	await dialog().getByText("A name begins with a letter").waitFor();
	assert.ok(await inDialog("Save").isDisabled());
	await dialog().getByLabel("Name").fill("renamed");
	await inDialog("Save").click();
	await tab.page.getByRole("heading", { name: "renamed", level: 1 }).waitFor();
});

test("tags are put", async () => {
	await button("Edit tags").click();
	await inDialog("Add").click();
	await dialog().getByLabel("Key 1").fill("env");
	await dialog().getByLabel("Value 1").fill("<b>test</b>");
	await inDialog("Save").click();
	await tab.page.getByRole("tabpanel").getByText("env: <b>test</b>").waitFor();
});

test("a zone is added, an address that is taken stands refused in the dialog, and the zone goes again", async () => {
	await toTab("Zones and ENIs");
	await tab.page.getByText("One zone alone").waitFor();
	await button("Add zone").click();
	await browser.choose(dialog().getByRole("combobox", { name: "Zone and vSwitch" }), "hangzhou-i");
	await dialog().getByLabel("Address").fill("172.16.1.255");
	await dialog().getByText("keeps its first address and its last three").waitFor();
	await dialog().getByLabel("Address").fill("172.16.1.77");
	await inDialog("Add zone").click();
	const row = tab.page.getByRole("table", { name: "Zones and ENIs" }).getByRole("row", { name: /cn-hangzhou-i/ });
	await row.getByText("172.16.1.77", { exact: true }).waitFor();
	await row.getByText("Connected").waitFor();
	await row.getByText("Answers").waitFor();
	await button("Remove zone cn-hangzhou-i").click();
	await inDialog("Remove").click();
	await row.waitFor({ state: "detached" });
});

test("security groups show their rules, also those that nobody wrote; the last one cannot be detached", async () => {
	await toTab("Security groups");
	const card = (name) => tab.page.getByRole("region", { name, exact: true });
	await card("endpoint").getByText("TCP 443").waitFor();
	await card("endpoint").getByText("Members of the group reach each other").waitFor();
	await card("endpoint").getByText("Everything else").waitFor();
	assert.match(await card("endpoint").getByRole("link", { name: "endpoint", exact: true }).getAttribute("href"), new RegExp(`/securitygroups/${made.group}`));
	await button("Detach endpoint").click();
	await inDialog("Detach").click();
	await dialog().getByText("EndpointMustContainSecurityGroup").waitFor();
	await inDialog("Close").last().click();
	await button("Attach security group").click();
	await browser.choose(dialog().getByRole("combobox", { name: "Security group" }), "instances");
	await inDialog("Attach security group").click();
	await card("instances").getByText("Attached").waitFor();
	await button("Detach instances").click();
	await inDialog("Detach").click();
	await card("instances").waitFor({ state: "detached" });
});

test("the path names group and missing rule, and the fix heals it", async () => {
	await call(who, "ecs", "RevokeSecurityGroup", { SecurityGroupId: made.group, Permissions: [{ IpProtocol: "TCP", PortRange: "443/443", SourceCidrIp: "172.16.0.0/12" }] });
	await go(`endpoints/${made.endpoint}/path?instance=${made.instance}`);
	await tab.page.getByText("TCP 443 does not get through.").waitFor();
	const picture = tab.page.getByRole("group", { name: /^Path of the endpoint: Unreachable/ });
	const cause = picture.getByRole("link", { name: /Groups, way in Broken/ });
	assert.match(await cause.getAttribute("href"), new RegExp(`/securitygroups/${made.group}/ingress`));
	const table = tab.page.getByRole("table", { name: "Hops of the path" });
	assert.equal(await table.getByRole("row").count() - 1, await picture.getByRole("link").count(), "the table says what the picture does");
	await table.getByRole("row", { name: /Groups, way in.*cause/ }).getByText("implicit rule, behind all priorities").waitFor();
	await button("Fix…").click();
	await dialog().getByText("AuthorizeSecurityGroup").first().waitFor();
	await inDialog("Make this call").click();
	await tab.page.getByText("TCP 443 gets through.").waitFor();
	assert.match(tab.page.url(), new RegExp(`instance=${made.instance}`));
});

test("protocol and port of the path are in the address, and a wrong port is refused at its field", async () => {
	await tab.page.getByLabel("Port").fill("4430");
	await tab.page.getByText("TCP 4430 does not get through.").waitFor();
	assert.match(tab.page.url(), /port=4430/);
	await tab.page.getByLabel("Port").fill("70000");
	await tab.page.getByText("A port is a number from 1 to 65535.").waitFor();
	await tab.page.getByLabel("Protocol").selectOption("ICMP");
	await tab.page.getByText("Ping (ICMP) gets through.").waitFor();
	assert.match(tab.page.url(), /protocol=ICMP/);
});

test("a connectivity test brings its steps zone by zone, and agrees with the configuration", async () => {
	await go(`endpoints/${made.endpoint}/test?instance=${made.instance}`);
	await button("Run test").click();
	await tab.page.getByText("Reachable: every zone answers.").waitFor();
	await tab.page.getByText("Configuration and packets agree.").waitFor();
	const zone = tab.page.getByRole("region", { name: zones[0], exact: true });
	for (const kind of ["Ping", "Connect", "TLS", "Request"]) await zone.getByText(kind, { exact: true }).waitFor();
	await tab.page.getByRole("table", { name: "Tests of this endpoint" }).getByText("Reachable").waitFor();
	assert.match(tab.page.url(), /test=ct-/);
});

test("charts have a value for every moment by the keyboard, a table of the same, and a link that stands still", async () => {
	await go(`endpoints/${made.endpoint}/monitor?range=5m`);
	const chart = tab.page.getByRole("img", { name: "Throughput", exact: true });
	const figure = tab.page.getByRole("figure").filter({ has: chart });
	await figure.waitFor();
	await chart.focus();
	await chart.press("End");
	await figure.getByText(/ bit\/s|kbit\/s/).first().waitFor();
	await figure.getByText(/20\d\d, /).waitFor();
	await button("Copy: Link to this moment").click();
	const link = await tab.page.evaluate(() => navigator.clipboard.readText());
	assert.match(link, /from=20.*&to=20/);
	await tab.page.getByRole("figure").filter({ hasText: "Throughput" }).first().getByRole("button").click();
	await tab.page.getByRole("grid", { name: "Throughput" }).getByText(/bit\/s/).first().waitFor();
	await tab.page.goto(link);
	await button("Back to live").click();
	assert.doesNotMatch(tab.page.url(), /from=/);
});

test("nothing on the tabs keeps people out, dark and light, in both languages, and on a phone nothing is cut off", async () => {
	for (const options of [{}, { colorScheme: "dark", locale: "zh-CN", viewport: { width: 390, height: 844 } }]) {
		const other = await browser.open(options);
		await other.page.goto(`${browser.home}#/login?key=${process.env.CONSUMER_AK}`);
		await other.page.locator("input[type=password]").fill(process.env.CONSUMER_SK);
		await other.page.keyboard.press("Enter");
		await other.page.getByRole("banner").waitFor();
		for (const name of ["basic", "zones", "groups", `path?instance=${made.instance}`, "test", "monitor"]) {
			await other.page.goto(`${browser.home}#/cn-hangzhou/endpoints/${made.endpoint}/${name}`);
			await other.page.getByRole("tabpanel").waitFor();
			await other.page.getByText(/^(Loading…|加载中…)$/).first().waitFor({ state: "detached" });
			await browser.picture(other.page, `endpoint-${name.replace(/\?.*/, "")}-${options.locale ?? "en"}`);
			assert.deepEqual(await browser.obstacles(other.page), [], name);
			assert.ok(await other.page.evaluate(() => { const main = document.querySelector("main"); return main.scrollWidth <= main.clientWidth; }), `${name} is not cut off`);
		}
		await other.close();
	}
});

test("an endpoint that is not there is said to be so, and another account's looks the same", async () => {
	await go("endpoints/ep-doesnotexist/path");
	await tab.page.getByRole("heading", { name: "This does not exist" }).waitFor();
	await tab.page.getByRole("link", { name: "To the endpoints" }).waitFor();
});

test("the endpoint is deleted after one confirmation", async () => {
	await go(`endpoints/${made.endpoint}`);
	await button("Delete").click();
	await inDialog("Delete").click();
	await tab.page.getByRole("heading", { name: "Endpoints", level: 1 }).waitFor();
	await until("the endpoint is gone", async () => (await call(who, "privatelink", "ListVpcEndpoints", { EndpointId: [made.endpoint] }).catch(() => ({ Endpoints: [] }))).Endpoints.every((row) => row.EndpointId !== made.endpoint));
});
