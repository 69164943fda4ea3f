// SPDX-License-Identifier: Apache-2.0
// What the pages of networks stand on: ranges of addresses, forms as tables of fields, rules of security groups.
const test = require("node:test");
const assert = require("node:assert");
const { activity, client, each, fields, form, rules } = require("./load").load();

test("a free range is found between those that are taken", () => {
	assert.strictEqual(form.freeRange("10.0.0.0/16", [], 24), "10.0.0.0/24");
	assert.strictEqual(form.freeRange("10.0.0.0/16", ["10.0.0.0/24", "10.0.1.0/24"], 24), "10.0.2.0/24");
	assert.strictEqual(form.freeRange("10.0.0.0/16", ["10.0.0.128/25"], 24), "10.0.1.0/24");
	assert.strictEqual(form.freeRange("10.0.0.0/16", ["10.0.0.0/17"], 24), "10.0.128.0/24");
	assert.strictEqual(form.freeRange("10.0.0.0/24", ["10.0.0.0/25"], 24), undefined);
	assert.strictEqual(form.freeRange("10.0.0.0/28", [], 24), undefined);
	assert.strictEqual(form.freeRange("255.255.255.0/24", ["255.255.255.0/25"], 25), "255.255.255.128/25");
});

test("a range lies inside another, and apart from those that are there", () => {
	const inside = form.cidrInside("10.0.0.0/16");
	assert.deepStrictEqual(["10.0.0.0/24", "10.0.0.0/16", "10.0.0.0/15", "10.1.0.0/24", "x"].map(inside), [null, null, "cidrOutside", "cidrOutside", null]);
	const apart = form.cidrApart(["10.0.1.0/24"]);
	assert.deepStrictEqual(["10.0.0.0/24", "10.0.1.0/24", "10.0.1.64/26", "10.0.0.0/16"].map(apart), [null, "cidrTaken", "cidrTaken", "cidrTaken"]);
});

test("fields refuse what is missing or wrong, and make the parameters of the others", () => {
	const table = [{ name: "A" }, { name: "B", optional: true, rules: [form.portRule] }, { name: "C", rules: [form.portRule] }];
	assert.deepStrictEqual(fields.wrongFields(table, { A: " ", B: "", C: "0" }), { A: "required", C: "port" });
	assert.deepStrictEqual(fields.wrongFields(table, { A: "x", B: "70000", C: "1" }), { B: "port" });
	assert.deepStrictEqual(fields.paramsOf(table, { A: "x", B: "", C: "1", D: "no field" }), { A: "x", C: "1" });
});

test("an error belongs to the field that its code names", () => {
	const error = (code) => new client.ApiError(code, "", 400, "");
	const field = { name: "CidrBlock", codes: /^Mismatch\.Range$/ };
	for (const code of ["InvalidCidrBlock.Overlapped", "InvalidParameter.CidrBlock", "MissingCidrBlock", "Mismatch.Range", "IllegalParam.CidrBlock.1"]) {
		assert.ok(fields.concerns(field, error(code)), code);
	}
	for (const code of ["InvalidCidrBlockList.Overlapped", "QuotaExceeded.Vpc", "Mismatch.VpcId"]) assert.ok(!fields.concerns(field, error(code)), code);
});

const written = (part) => ({
	SecurityGroupRuleId: "sgr-1", Direction: "ingress", IpProtocol: "TCP", PortRange: "443/443", SourceCidrIp: "10.0.0.0/8", DestCidrIp: "", Ipv6SourceCidrIp: "", Ipv6DestCidrIp: "",
	SourceGroupId: "", DestGroupId: "", Policy: "Accept", Priority: "1", Description: "", CreateTime: "", ...part,
});

test("implicit rules stand behind the written ones", () => {
	const brief = (rows) => rows.map((row) => `${row.kind} ${row.policy}`);
	const all = [written(), written({ SecurityGroupRuleId: "sgr-2", Direction: "egress", Policy: "Drop" })];
	assert.deepStrictEqual(brief(rules.ruleRows(all, "ingress", "normal", "Accept")), ["rule Accept", "inner Accept", "default Drop"]);
	assert.deepStrictEqual(brief(rules.ruleRows(all, "ingress", "normal", "Drop")), ["rule Accept", "inner Drop", "default Drop"]);
	assert.deepStrictEqual(brief(rules.ruleRows(all, "egress", "normal", "Accept")), ["rule Drop", "default Accept"]);
	assert.deepStrictEqual(brief(rules.ruleRows([], "ingress", "enterprise", "Drop")), ["default Drop"]);
	assert.deepStrictEqual(brief(rules.ruleRows([], "egress", "enterprise", "Drop")), ["default Drop"]);
	const orders = rules.ruleRows([written({ Priority: "100" })], "ingress", "normal", "Accept").map((row) => row.order);
	assert.deepStrictEqual(orders, [...orders].sort((a, b) => a - b));
});

test("a form's values become a permission, and a rule the form's values", () => {
	const start = rules.valuesOfRule(undefined, "ingress");
	const permission = rules.permissionOf({ ...start, PortRange: "8000-8080", SourceCidrIp: "10.1.2.3" }, "ingress");
	assert.deepStrictEqual(permission, { IpProtocol: "TCP", PortRange: "8000/8080", SourceCidrIp: "10.1.2.3/32", Policy: "Accept", Priority: "1" });
	assert.deepStrictEqual(rules.permissionOf({ ...start, IpProtocol: "ICMP", PortRange: "443", SourceCidrIp: "fd00::/8" }, "ingress").Ipv6SourceCidrIp, "fd00::/8");
	assert.strictEqual(rules.permissionOf({ ...start, IpProtocol: "ICMP", PortRange: "443", SourceCidrIp: "0.0.0.0/0" }, "ingress").PortRange, "-1/-1");
	const byGroup = rules.permissionOf({ ...rules.valuesOfRule(undefined, "egress"), peer: "group", DestGroupId: "sg-2", PortRange: "1" }, "egress");
	assert.deepStrictEqual([byGroup.DestGroupId, byGroup.DestCidrIp], ["sg-2", undefined]);
	const rule = written({ Description: "old" });
	const again = rules.permissionOf(rules.valuesOfRule(rule, "ingress"), "ingress");
	assert.ok(rules.isSameRule(rule, again));
	assert.ok(rules.isSameRule(rule, { ...again, Description: "new" }), "the description makes no other rule");
	for (const change of [{ PortRange: "1/443" }, { Priority: "2" }, { Policy: "Drop" }, { SourceCidrIp: "10.0.0.0/9" }, { IpProtocol: "UDP" }]) assert.ok(!rules.isSameRule(rule, { ...again, ...change }));
});

test("ports are read as people write them", () => {
	assert.deepStrictEqual(["443", "8000-8080", "8000 - 8080", "1/65535"].map(rules.wholePorts), ["443/443", "8000/8080", "8000/8080", "1/65535"]);
	assert.deepStrictEqual(["443", "8080-8000", "0", "70000", "x", "1-2-3", "443-"].map(rules.portsRule), [null, "portRange", "portRange", "portRange", "portRange", "portRange", "portRange"]);
});

test("a rule's other end is an address, a range, or something that the API checks", () => {
	assert.deepStrictEqual(["10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "10.0.0.1/8", "abc"].map(rules.peerRule), [null, null, null, null, "cidrHostBits", "cidr"]);
});

const event = (n, parameters = []) => ({ Time: `t${n}`, RequestId: `r${n}`, Kind: "Change", Action: "A", Parameters: parameters.map((Value) => ({ Name: "Id", Value })) });
const pages = (...answers) => {
	const asked = [];
	return { asked, call: async (_product, _action, params) => { asked.push(params); return answers[asked.length - 1]; } };
};

test("answers without lines are followed until there are some", async () => {
	const log = pages({ Events: [], NextToken: "a" }, { Events: [event(3), event(2)], NextToken: "b" }, { Events: [event(1)] });
	const page = await activity.readEvents(log, { EventKind: "Change" }, undefined, 4);
	assert.deepStrictEqual(page, { events: [event(3), event(2)], next: "b" });
	assert.deepStrictEqual(log.asked.map((params) => params.NextToken), [undefined, "a"]);
	assert.deepStrictEqual(await activity.readEvents(pages({ Events: [event(1)] }), {}, "b", 4), { events: [event(1)] });
});

test("a log that never has what is wanted is not read for ever", async () => {
	let n = 0;
	const endless = { call: async () => ({ Events: [], n: n++, NextToken: "more" }) };
	const page = await activity.readEvents(endless, {}, undefined, 100);
	assert.deepStrictEqual([page.events.length, page.next, n <= 20], [0, "more", true]);
});

test("newest events come in front; a gap drops what was there", () => {
	const old = { events: [event(2), event(1)], next: "b" };
	assert.strictEqual(activity.withNewest(old, { events: [event(2), event(1)], next: "c" }), old);
	assert.deepStrictEqual(activity.withNewest(old, { events: [event(3), event(2)], next: "c" }), { events: [event(3), event(2), event(1)], next: "b" });
	const apart = { events: [event(9), event(8)], next: "c" };
	assert.strictEqual(activity.withNewest(old, apart), apart);
	assert.strictEqual(activity.withNewest(undefined, apart), apart);
});

test("times go into a field in the reader's zone and into the address in UTC", () => {
	const stamp = "2026-01-02T03:04:00Z";
	assert.strictEqual(activity.fromLocalInput(activity.toLocalInput(stamp)), stamp);
	assert.deepStrictEqual([activity.toLocalInput("x"), activity.fromLocalInput("")], ["", ""]);
});

test("of many, some are done at a time", async () => {
	let running = 0;
	let most = 0;
	const done = [];
	await each.eachOf([1, 2, 3, 4, 5], 2, async (n) => {
		most = Math.max(most, ++running);
		await new Promise((resolve) => setTimeout(resolve, 1));
		running--;
		done.push(n);
	});
	assert.deepStrictEqual([done.sort(), most], [[1, 2, 3, 4, 5], 2]);
	await assert.rejects(each.eachOf([1], 2, async () => { throw new Error("no"); }), /no/);
});
