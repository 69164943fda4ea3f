// SPDX-License-Identifier: Apache-2.0
// The small pure modules: address, filters, rules of fields, times, what a browser keeps.
const test = require("node:test");
const assert = require("node:assert");
const { address, filter, form, late, link, saved, scale, settings, time, tunnel, visible } = require("./load").load();

const places = [
	["#/cn-hangzhou/endpoints", { region: "cn-hangzhou", page: "endpoints", query: {} }],
	["#/cn-hangzhou/endpoints/ep-1", { region: "cn-hangzhou", page: "endpoints", id: "ep-1", query: {} }],
	["#/cn-hangzhou/endpoints/ep-1/zones?sort=-name", { region: "cn-hangzhou", page: "endpoints", id: "ep-1", tab: "zones", query: { sort: "-name" } }],
	["#/cn-hangzhou/endpoints?q=status%3AActive%20-zone%3Ah%20%22a%20b%22", { region: "cn-hangzhou", page: "endpoints", query: { q: 'status:Active -zone:h "a b"' } }],
	["#/login?key=AK%2F1", { region: "", page: "login", query: { key: "AK/1" } }],
	["#/r/p/a%2Fb%3Fc/%E4%B8%AD?x=%26%3D%23", { region: "r", page: "p", id: "a/b?c", tab: "中", query: { x: "&=#" } }],
];
for (const [text, place] of places) {
	test(`the address ${text} is read, and written again`, () => {
		assert.deepStrictEqual(address.parsePlace(text), place);
		assert.strictEqual(address.formatPlace(place), text);
	});
}

test("an address that was cut or typed by hand is read as far as it goes", () => {
	assert.deepStrictEqual(address.parsePlace(""), { region: "", page: "", query: {} });
	assert.deepStrictEqual(address.parsePlace("#/"), { region: "", page: "", query: {} });
	assert.deepStrictEqual(address.parsePlace("#/r/p?q=%E4%B8&x"), { region: "r", page: "p", query: { q: "%E4%B8", x: "" } });
});

test("empty values are not in the address, and a tab needs its object", () => {
	assert.strictEqual(address.formatPlace({ region: "r", page: "p", query: { q: "", a: "1" } }), "#/r/p?a=1");
	assert.strictEqual(address.formatPlace({ region: "r", page: "p", tab: "t", query: {} }), "#/r/p");
});

const rows = [
	{ name: "orders", status: "Active", zones: ["h", "i"], tags: ["env", "env=prod"] },
	{ name: "billing two", status: "Inactive", zones: ["h"], tags: [] },
	{ name: "Search", status: "Creating", zones: [], tags: ["env", "env=test"] },
];
const fields = { name: (r) => r.name, status: (r) => r.status, zone: (r) => r.zones, tag: (r) => r.tags };
const filters = [
	["", ["orders", "billing two", "Search"]],
	["search", ["Search"]],
	["SEARCH", ["Search"]],
	["status:Active", ["orders"]],
	["status:*active", ["orders", "billing two"]],
	["status:active status:creating", ["orders", "Search"]],
	["-status:Active", ["billing two", "Search"]],
	["-zone:i", ["billing two", "Search"]],
	["zone:h -zone:i", ["billing two"]],
	['"billing two"', ["billing two"]],
	['name:"billing two"', ["billing two"]],
	["-billing", ["orders", "Search"]],
	["tag:env=prod", ["orders"]],
	["tag:env", ["orders", "Search"]],
	["tag:env=*", ["orders", "Search"]],
	["http://x", []],
	["nofield:x", []],
	["active in", ["billing two"]],
	["status:Active zone:h env", ["orders"]],
	["name:.*", []],
	['name:"', []],
];
for (const [text, names] of filters) {
	test(`the filter ${text || "(none)"} keeps ${names.join(", ") || "nothing"} and counts the others`, () => {
		const got = filter.applyFilter(rows, text, fields);
		assert.deepStrictEqual(got.rows.map((r) => r.name), names);
		assert.strictEqual(got.hidden, rows.length - names.length);
	});
}

test("terms of a filter are written as they are read", () => {
	const names = Object.keys(fields);
	for (const text of ["status:Active -zone:h", '-"a b" tag:"x \\" y"', '"status:x"', '"-a"', "a\\b"]) {
		const terms = filter.parseFilter(text, names);
		assert.deepStrictEqual(filter.parseFilter(filter.formatFilter(terms), names), terms, text);
	}
});

test("a term is put into a filter and taken out again", () => {
	const term = { field: "tag", value: "env=prod", exclude: false };
	const names = Object.keys(fields);
	const on = filter.toggleTerm("orders", term, names);
	assert.strictEqual(on, "orders tag:env=prod");
	assert.strictEqual(filter.toggleTerm(on, term, names), "orders");
	assert.strictEqual(filter.toggleTerm(on, { ...term, exclude: true }, names), "orders -tag:env=prod");
});

const rules = {
	nameRule: {
		ok: ["ab", "privateLink_dlc", "a-1_b", "中文名", "a".repeat(128)],
		nameLength: ["a", "", "a".repeat(129)],
		nameStart: ["1a", "-a", "_a", "é1"],
		nameCharacters: ["a b", "a.b", "a<script>", "a\u202eb"],
	},
	descriptionRule: { ok: ["ab", "x http://y"], descriptionLength: ["a", "a".repeat(257)], descriptionStart: ["http://a", "https://a", "HTTP://a"] },
	vpcCidrRule: { ok: ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "10.0.0.16/28"], cidr: ["", "10.0.0.0", "10.0.0/8", "256.0.0.0/8", "10.0.0.0/33", "010.0.0.0/8"], cidrHostBits: ["10.0.0.1/8"], vpcPrefix: ["10.0.0.0/29", "0.0.0.0/0"] },
	vswitchCidrRule: { ok: ["10.0.1.0/24", "10.0.0.8/29"], vswitchPrefix: ["10.0.0.0/8", "10.0.0.0/30"] },
	addressRule: { ok: ["10.0.0.1", "255.255.255.255"], address: ["10.0.0", "10.0.0.256", "a", "10.0.0.01", "1.2.3.4.5"] },
	portRule: { ok: ["1", "443", "65535"], port: ["0", "65536", "", "a", "1.5", "-1"] },
	portRangeRule: { ok: ["443/443", "1/65535", "-1/-1"], portRange: ["443", "443/442", "0/1", "1/2/3", "a/b", "1/65536"] },
	accountRule: { ok: ["*", "1", "123456789012345678"], account: ["", "a", "1234567890123456789", "**"] },
	tagKeyRule: { ok: ["env", "中"], tagKeyLength: ["", "a".repeat(65)], tagKeyWords: ["aliyun-x", "acs:x", "a http://b"] },
	tagValueRule: { ok: ["", "a".repeat(128)], tagValueLength: ["a".repeat(129)], tagKeyWords: ["https://x"] },
	required: { ok: ["a"], required: ["", "  "] },
};
for (const [name, cases] of Object.entries(rules)) {
	for (const [said, values] of Object.entries(cases)) {
		test(`${name} says ${said} to ${values.length} values`, () => {
			for (const value of values) assert.strictEqual(form[name](value), said === "ok" ? null : said, JSON.stringify(value));
		});
	}
}

test("an address of a vSwitch is neither outside nor one that it keeps", () => {
	const rule = form.addressIn("10.0.1.0/24");
	for (const [value, said] of [["10.0.1.1", null], ["10.0.1.252", null], ["10.0.1.0", "addressReserved"], ["10.0.1.253", "addressReserved"], ["10.0.1.255", "addressReserved"], ["10.0.2.1", "addressOutside"], ["10.0.0.255", "addressOutside"], ["x", "address"]]) {
		assert.strictEqual(rule(value), said, value);
	}
});

test("a field that may be empty is checked when it is not; the first rule that says no is told", () => {
	const rule = form.optional(form.nameRule);
	assert.strictEqual(rule(""), null);
	assert.strictEqual(rule("1"), "nameLength");
	assert.strictEqual(form.check("", form.required, form.nameRule), "required");
	assert.deepStrictEqual(form.checkAll({ a: "", b: "x1" }, { a: form.required, b: form.nameRule }), { a: "required" });
});

test("of tags, a key that is there twice and one too many are told", () => {
	const tags = [{ Key: "a", Value: "1" }, { Key: "a", Value: "2" }];
	assert.strictEqual(form.checkTag(tags, 0), null);
	assert.strictEqual(form.checkTag(tags, 1), "tagKeyTwice");
	const many = Array.from({ length: 21 }, (_, i) => ({ Key: `k${i}`, Value: "" }));
	assert.strictEqual(form.checkTag(many, 19), null);
	assert.strictEqual(form.checkTag(many, 20), "tagCount");
});

const keep = () => {
	const kept = new Map();
	return { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v) };
};

test("filters are saved page by page, replaced by name, deleted, and at most 30", () => {
	const k = keep();
	saved.addSaved(k, "endpoints", { name: "a", filter: "1" });
	saved.addSaved(k, "vpcs", { name: "a", filter: "3" });
	saved.addSaved(k, "endpoints", { name: "b", filter: "2" });
	assert.deepStrictEqual(saved.addSaved(k, "endpoints", { name: "a", filter: "9" }), [{ name: "b", filter: "2" }, { name: "a", filter: "9" }]);
	assert.deepStrictEqual(saved.removeSaved(k, "endpoints", "b"), [{ name: "a", filter: "9" }]);
	assert.deepStrictEqual(saved.readSaved(k, "vpcs"), [{ name: "a", filter: "3" }]);
	for (let i = 0; i < 40; i++) saved.addSaved(k, "endpoints", { name: `n${i}`, filter: "x" });
	assert.strictEqual(saved.readSaved(k, "endpoints").length, saved.savedLimit);
});

test("what a browser kept and is damaged counts as nothing; one that keeps nothing does no harm", () => {
	const broken = { getItem: () => "{", setItem: () => { throw new Error("full"); } };
	assert.deepStrictEqual(saved.readSaved(broken, "p"), []);
	assert.deepStrictEqual(saved.readSaved({ getItem: () => '[1,null,{"name":2},{"name":"a","filter":"b"}]' }, "p"), [{ name: "a", filter: "b" }]);
	assert.deepStrictEqual(saved.addSaved(broken, "p", { name: "a", filter: "b" }), [{ name: "a", filter: "b" }]);
	assert.strictEqual(settings.readSettings(broken).keys, "on");
	settings.writeSettings(broken, settings.readSettings(broken));
});

test("settings come back as they were kept, and nothing that is none", () => {
	const k = keep();
	const chosen = { language: "zh", scheme: "dark", keys: "off", region: "cn-shanghai" };
	settings.writeSettings(k, chosen);
	assert.deepStrictEqual(settings.readSettings(k), chosen);
	k.setItem("privlink.settings", '{"language":"xx","scheme":"<","keys":1,"region":5}');
	assert.deepStrictEqual(settings.readSettings(k), { language: "", scheme: "", keys: "on", region: "" });
});

test("times are written as the API has them, and read in the reader's language", () => {
	assert.strictEqual(time.stampOf(Date.parse("2026-01-02T03:04:05.678Z")), "2026-01-02T03:04:05Z");
	assert.match(time.formatTime("2026-01-02T03:04:05Z", "en"), /2026/);
	assert.strictEqual(time.formatTime("soon", "en"), "soon");
	assert.strictEqual(time.formatTime(undefined, "en"), "");
	const now = Date.parse("2026-01-02T03:04:05Z");
	assert.strictEqual(time.formatSince("2026-01-02T03:01:00Z", now, "en"), "3 minutes ago");
	assert.strictEqual(time.formatSince("2026-01-02T03:01:00Z", now, "zh"), "3分钟前");
	assert.strictEqual(time.formatSince("2026-01-02T09:01:00Z", now, "en"), "now");
});

const tunnels = [
	["http://10.9.9.9:8080/console/#/login?key=AK", "ssh -N -L 8080:10.9.9.9:8080 root@10.9.9.9", "http://127.0.0.1:8080/console/#/login?key=AK"],
	["http://gate.example/console/", "ssh -N -L 8080:gate.example:80 root@gate.example", "http://127.0.0.1:8080/console/"],
	["http://[fd00::1]:8080/console/", "ssh -N -L 8080:[fd00::1]:8080 root@fd00::1", "http://127.0.0.1:8080/console/"],
];
for (const [from, command, to] of tunnels) {
	test(`from ${from} a tunnel leads to this machine`, () => assert.deepStrictEqual(tunnel.tunnel(new URL(from)), { command, address: to }));
}

test("what turns the direction of a line, or cannot be seen, is shown by its number; all else stays", () => {
	assert.strictEqual(visible.visible("abc\u202egnp.exe"), "abc[U+202E]gnp.exe");
	assert.strictEqual(visible.visible("a\u200bb\u2066c\ufeffd\ne"), "a[U+200B]b[U+2066]c[U+FEFF]d[U+000A]e");
	const plain = "<script>alert(1)</script>\"'& 中文 עברית é 😀";
	assert.strictEqual(visible.visible(plain), plain);
});

test("an axis has round values, from 0 to one that is not below the top", () => {
	assert.deepStrictEqual(scale.ticks(10, 4), [0, 5, 10]);
	assert.deepStrictEqual(scale.ticks(0.3, 4), [0, 0.1, 0.2, 0.3]);
	assert.deepStrictEqual(scale.ticks(0, 4), [0, 0.5, 1]);
	for (const top of [1, 3, 7, 99, 12345, 1e9, 0.004]) {
		const all = scale.ticks(top, 4);
		assert.ok(all.at(-1) >= top && all.at(-2) < top && all.length <= 6, `${top}: ${all}`);
	}
});

test("an axis of time has round times inside it, and no more than there is room for", () => {
	const start = Date.parse("2026-11-28T12:00:07Z");
	const got = scale.timeTicks(start, start + 15 * 60_000, 5).map((ms) => new Date(ms).toISOString().slice(11, 19));
	assert.deepStrictEqual(got, ["12:05:00", "12:10:00", "12:15:00"]);
	for (const minutes of [1, 15, 180, 3000]) assert.ok(scale.timeTicks(start, start + minutes * 60_000, 6).length <= 7);
});

test("a value stands where its part of the range is; a range without extent is no error", () => {
	assert.strictEqual(scale.linear([0, 10], [100, 0])(2.5), 75);
	assert.strictEqual(scale.linear([5, 5], [0, 10])(5), 0);
});

test("a part that comes late is asked for until it is there, and the page begins anew when it never comes", async () => {
	let asked = 0;
	let restarts = 0;
	const waits = [];
	const load = async () => {
		if (++asked <= 12) throw new TypeError("Failed to fetch");
		return "the part";
	};
	assert.strictEqual(await late.late(load, () => restarts++, async (ms) => { waits.push(ms); }), "the part");
	assert.strictEqual(asked, 13);
	assert.strictEqual(restarts, 1);
	assert.ok(waits.length === 12 && waits.every((ms) => ms > 0));
});

/** When the link was known to be down, by a clock of the test's own that runs for so long; `fetcher` asks in the browser's place. */
async function lostAfter(ms, fetcher) {
	const real = { setInterval, clearInterval, setTimeout, clearTimeout };
	const realNow = Date.now;
	const due = new Map();
	const server = new link.Link();
	let now = 0, n = 0, lost;
	const planner = (repeats) => (act, after) => {
		due.set(++n, { act, at: now + after, every: repeats ? after : 0 });
		return n;
	};
	const drop = (id) => due.delete(id);
	Object.assign(globalThis, { setInterval: planner(true), clearInterval: drop, setTimeout: planner(false), clearTimeout: drop });
	Date.now = () => now;
	try {
		server.subscribe((up) => { if (!up) lost = now; });
		const end = link.watchLink(server, "/console/", () => true, fetcher);
		for (; now <= ms; now += 100) {
			for (const [id, entry] of [...due].filter(([, { at }]) => at <= now)) {
				if (entry.every > 0) entry.at += entry.every;
				else due.delete(id);
				entry.act();
			}
			for (let turn = 0; turn < 10; turn++) await null;
		}
		end();
	} finally {
		Object.assign(globalThis, real);
		Date.now = realNow;
	}
	return lost;
}

const waysToBeGone = {
	"not there": () => Promise.reject(new TypeError("Failed to fetch")),
	silent: (_, { signal }) => new Promise((_resolve, reject) => { signal.addEventListener("abort", () => reject(signal.reason)); }),
};
for (const [how, fetcher] of Object.entries(waysToBeGone)) {
	test(`that privlinkd is ${how} is known within 5 s`, async () => assert.ok(await lostAfter(5000, fetcher) > 0));
}

test("one that answers is not lost, and is asked every 2 s", async () => {
	let asked = 0;
	assert.strictEqual(await lostAfter(10_000, async () => { asked++; }), undefined);
	assert.strictEqual(asked, 5);
});
