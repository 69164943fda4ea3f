// SPDX-License-Identifier: Apache-2.0
// What the pages of an endpoint compute: where hops stand in the picture of a path, series of numbers, stretches of time, the steps of
// a connectivity test.
const test = require("node:test");
const assert = require("node:assert");
const { connectivity, path_layout, range, series } = require("./load").load();

const states = { "GroupIn/h": "Broken" };
const hop = (id) => ({ Id: id, Kind: id.split("/")[0], ZoneId: id.split("/")[1] ?? "", State: states[id] ?? "Ok", Code: "", Text: "", ResourceId: "" });
const chain = (...ids) => ids.slice(1).map((id, i) => ({ From: ids[i], To: id }));

/** An instance, two zones, an endpoint, two zones of its service. */
const hops = ["Instance", "Name", "GroupOut/h", "EndpointZone/h", "GroupIn/h", "GroupOut/i", "EndpointZone/i", "GroupIn/i", "Endpoint", "Connection", "ServiceZone/h", "ServiceZone/i"].map(hop);
const links = [
	...chain("Instance", "Name", "GroupOut/h", "EndpointZone/h", "GroupIn/h", "Endpoint", "Connection", "ServiceZone/h"),
	...chain("Name", "GroupOut/i", "EndpointZone/i", "GroupIn/i", "Endpoint"),
	...chain("Connection", "ServiceZone/i"),
];

const cardsOf = (layout) => layout.cards.map((card) => card.hops.map((placed) => placed.hop.Id).join(" "));
const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test("hops that follow one another in one zone share a card", () => {
	assert.deepStrictEqual(cardsOf(path_layout.layoutPath(hops, links, 1100)), [
		"Instance Name", "GroupOut/h EndpointZone/h GroupIn/h", "GroupOut/i EndpointZone/i GroupIn/i", "Endpoint Connection", "ServiceZone/h", "ServiceZone/i",
	]);
});

for (const width of [320, 366, 700, 950, 1016, 2000]) {
	test(`in ${width} pixels all hops are placed, nothing lies on anything else, and nothing is outside`, () => {
		const layout = path_layout.layoutPath(hops, links, width);
		assert.strictEqual(layout.cards.flatMap((card) => card.hops).length, hops.length);
		assert.strictEqual(layout.wires.length, links.length);
		assert.ok(layout.width <= width, `${layout.width}`);
		layout.cards.forEach((card, i) => {
			assert.ok(card.x >= 0 && card.y >= 0 && card.x + card.width <= layout.width && card.y + card.height <= layout.height);
			for (const other of layout.cards.slice(i + 1)) assert.ok(!overlap(card, other), `${card.key} ${other.key}`);
			for (const placed of card.hops) assert.ok(placed.y >= card.y && placed.y + placed.height <= card.y + card.height);
		});
	});
}

test("with room the way goes from left to right, without from top to bottom", () => {
	const wide = path_layout.layoutPath(hops, links, 1016);
	const tall = path_layout.layoutPath(hops, links, 366);
	const at = (layout, id) => layout.cards.find((card) => card.key === id);
	assert.ok(wide.isWide && at(wide, "Instance").x < at(wide, "GroupOut/h").x && at(wide, "GroupOut/h").x < at(wide, "Endpoint").x);
	assert.strictEqual(at(wide, "GroupOut/h").x, at(wide, "GroupOut/i").x);
	assert.ok(!tall.isWide && at(tall, "Instance").y < at(tall, "GroupOut/h").y && at(tall, "GroupOut/h").y < at(tall, "Endpoint").y);
	assert.strictEqual(at(tall, "GroupOut/h").y, at(tall, "GroupOut/i").y);
});

test("nothing goes on behind what is broken, and everything by another way", () => {
	const reached = path_layout.reachedHops(hops, links);
	assert.ok(reached.has("GroupIn/h") && reached.has("ServiceZone/h"));
	const layout = path_layout.layoutPath(hops, links, 1016);
	const wire = (key) => layout.wires.find((one) => one.key === key).isReached;
	assert.strictEqual(wire("GroupIn/h Endpoint"), false);
	assert.strictEqual(wire("GroupIn/i Endpoint"), true);
	const both = hops.map((one) => (one.Kind === "GroupIn" ? { ...one, State: "Broken" } : one));
	assert.ok(!path_layout.reachedHops(both, links).has("Endpoint"));
});

test("an answer without hops, with links to nowhere, or with a circle ends, too", () => {
	assert.deepStrictEqual(path_layout.layoutPath([], [], 1000).cards, []);
	assert.strictEqual(path_layout.layoutPath([hop("Endpoint")], chain("Endpoint", "Nowhere"), 1000).wires.length, 0);
	const circle = [...chain("A", "B", "C"), { From: "C", To: "A" }];
	assert.strictEqual(path_layout.layoutPath(["A", "B", "C"].map(hop), circle, 1000).cards.flatMap((card) => card.hops).length, 3);
});

test("a text is cut in its middle, by whole characters", () => {
	assert.strictEqual(path_layout.fitText("ep-123", 100, 7), "ep-123");
	assert.strictEqual(path_layout.fitText("ep-0123456789abcdef", 70, 7), "ep-01…cdef");
	assert.strictEqual(path_layout.fitText("😀😀😀😀😀", 30, 10), "😀…😀");
});

const numbers = [
	{ ZoneId: "i", Metric: "InBps", Points: [1, null, 3] },
	{ ZoneId: "h", Metric: "InBps", Points: [10, 20, 30] },
	{ ZoneId: "h", Metric: "Drops.policy_in", Points: [0, 5, null] },
	{ ZoneId: "h", Metric: "Drops.no_flow", Points: [9, 9, 9] },
];

test("a sum of which a part is not known is not known", () => {
	assert.deepStrictEqual(series.linesOf(numbers, ["InBps", "OutBps"], false).map((line) => line.points), [[11, null, 33]]);
	assert.deepStrictEqual(series.linesOf(numbers, ["InBps"], true).map((line) => [line.zone, line.points]), [["i", [1, null, 3]], ["h", [10, 20, 30]]]);
	assert.deepStrictEqual(series.addUp([], 2), [null, null]);
});

test("zones and reasons are in an order that does not depend on the answer's", () => {
	assert.deepStrictEqual(series.zonesOf(numbers), ["h", "i"]);
	assert.deepStrictEqual(series.dropMetrics(numbers), ["Drops.no_flow", "Drops.policy_in"]);
	assert.strictEqual(series.reasonOf("Drops.policy_in"), "policy_in");
});

for (const [value, unit, text] of [[null, "bit/s", "–"], [0, "bit/s", "0 bit/s"], [999, "", "999"], [1250, "bit/s", "1.25 kbit/s"], [123456789, "bit/s", "123 Mbit/s"], [0.5, "pkt/s", "0.5 pkt/s"], [12.34, "pkt/s", "12.3 pkt/s"]])
	test(`${value} is written ${text}`, () => assert.strictEqual(series.formatNumber(value, unit, "en"), text));

const now = Date.UTC(2026, 10, 28, 20, 0, 7);

test("a range moves with the clock, and its frozen form stands still", () => {
	const live = range.parseRange({ range: "5m" }, now);
	assert.deepStrictEqual(live, { from: Date.UTC(2026, 10, 28, 19, 55), to: Date.UTC(2026, 10, 28, 20), period: 10, isLive: true });
	assert.notDeepStrictEqual(range.parseRange({ range: "5m" }, now + 60_000), live);
	const still = range.parseRange(range.frozen(live), now + 60_000);
	assert.deepStrictEqual(still, { ...live, isLive: false });
});

test("a range of more than a quarter of an hour, or of longer ago, has points of a minute", () => {
	assert.strictEqual(range.parseRange({}, now).period, 10);
	assert.strictEqual(range.parseRange({ range: "3h" }, now).period, 60);
	assert.strictEqual(range.parseRange({ from: "2026-11-28T18:00:00Z", to: "2026-11-28T18:05:00Z" }, now).period, 60);
});

test("a range that makes no sense is as if not said", () => {
	for (const query of [{ range: "2y" }, { from: "x", to: "y" }, { from: "2026-11-28T18:00:00Z", to: "2026-11-28T17:00:00Z" }, { from: "2026-11-28T18:00:00Z" }])
		assert.deepStrictEqual(range.parseRange(query, now), range.parseRange({}, now));
});

const step = (Kind, ZoneId, Result) => ({ Kind, ZoneId, Result });

test("steps are told zone by zone, and a ping that is refused condemns nothing", () => {
	const groups = connectivity.groupSteps([step("Name", undefined, "Ok"), step("Ping", "i", "Failed"), step("Connect", "i", "Ok"), step("Connect", "h", "Failed"), step("Tls", "h", "Skipped"), step("Ping", "j", "Ok"), step("Connect", "j")]);
	assert.deepStrictEqual(groups.map((group) => [group.zone, group.state]), [["", "Ok"], ["h", "Failed"], ["i", "Ok"], ["j", "Pending"]]);
	assert.strictEqual(connectivity.groupSteps([step("Ping", "h", "Failed")])[0].state, "Failed");
	assert.strictEqual(connectivity.groupSteps([step("Connect", "h", "Skipped")])[0].state, "Skipped");
});

test("configuration and packets agree, or do not, or it is not known", () => {
	assert.strictEqual(connectivity.agreement({ Agree: false, Verdict: "Reachable", Path: { Verdict: "Reachable" } }), false);
	assert.strictEqual(connectivity.agreement({ Verdict: "Reachable", Path: { Verdict: "Reachable" } }), true);
	assert.strictEqual(connectivity.agreement({ Verdict: "Reachable", Path: { Verdict: "Unreachable" } }), false);
	assert.strictEqual(connectivity.agreement({ Verdict: "Reachable" }), undefined);
});

for (const [us, text] of [[undefined, ""], [0, ""], [850, "850 µs"], [1500, "1.5 ms"], [25_000, "25 ms"], [3_000_000, "3 s"]])
	test(`${us} µs is written "${text}"`, () => assert.strictEqual(connectivity.formatLatency(us, "en"), text));
