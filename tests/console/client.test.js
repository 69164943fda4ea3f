// SPDX-License-Identifier: Apache-2.0
// Calls against a fetch of the tests' own: what is sent, what is sent again, and what is made of answers.
const test = require("node:test");
const assert = require("node:assert");
const { client: lib, sign, link: links, list, session, json } = require("./load").load();

const start = Date.parse("2026-11-28T12:00:00Z");

/** A client whose server answers with what the script says, call by call; "lost" is an answer that did not come. */
async function world(...script) {
	const sent = [];
	const w = { sent, now: start, wrote: 0, refused: [], link: new links.Link() };
	let n = 0;
	w.client = new lib.HttpClient({ id: "AK", key: await sign.importKey("secret") }, {
		host: "127.0.0.1:8080",
		fetch: async (url, init) => {
			sent.push({ url, headers: init.headers, params: Object.fromEntries(new URLSearchParams(init.body)) });
			const next = script.shift();
			if (next === "lost") throw new TypeError("Failed to fetch");
			if (next === "cut") return new Response(new ReadableStream({ start: (c) => c.error(new Error("cut")) }));
			assert.ok(next, "one call more than the script has");
			const { status = 200, headers = {}, ...body } = typeof next === "function" ? next(sent.at(-1)) : next;
			return new Response(JSON.stringify(body), { status, headers });
		},
		now: () => w.now,
		sleep: async (ms) => { w.now += ms; },
		random: () => `random-${++n}`,
		link: w.link,
		wrote: () => w.wrote++,
		refused: (error) => w.refused.push(error.code),
	});
	return w;
}

test("a call is signed, and says product and action by its headers", async () => {
	const w = await world({ VpcId: "vpc-1" });
	assert.deepStrictEqual(await w.client.call("vpc", "DescribeVpcAttribute", { VpcId: "vpc-1" }, "cn-hangzhou"), { VpcId: "vpc-1" });
	const [{ url, headers, params }] = w.sent;
	assert.strictEqual(url, "/");
	assert.strictEqual(headers["x-acs-action"], "DescribeVpcAttribute");
	assert.strictEqual(headers["x-acs-version"], "2016-04-28");
	assert.strictEqual(headers["x-acs-date"], "2026-11-28T12:00:00Z");
	assert.match(headers.authorization, /^ACS3-HMAC-SHA256 Credential=AK,SignedHeaders=content-type;host;x-acs-action;/);
	assert.deepStrictEqual(params, { RegionId: "cn-hangzhou", VpcId: "vpc-1" });
});

test("lists and objects are flattened; a call without a region has none", async () => {
	const w = await world({});
	await w.client.call("privatelink", "CreateVpcEndpoint", { Zone: [{ ZoneId: "h" }, { ZoneId: "i" }], SecurityGroupId: ["sg-1"], X: undefined });
	assert.deepStrictEqual(w.sent[0].params, { "Zone.1.ZoneId": "h", "Zone.2.ZoneId": "i", "SecurityGroupId.1": "sg-1" });
});

test("a changing call whose answer was lost is repeated with the same token, signed anew", async () => {
	const w = await world("lost", "cut", { status: 503, Code: "ServiceUnavailable" }, { EndpointId: "ep-1" });
	assert.deepStrictEqual(await w.client.write("privatelink", "CreateVpcEndpoint", { VpcId: "vpc-1" }), { EndpointId: "ep-1" });
	const tokens = new Set(w.sent.map(({ params }) => params.ClientToken));
	const nonces = new Set(w.sent.map(({ headers }) => headers["x-acs-signature-nonce"]));
	assert.strictEqual(w.sent.length, 4);
	assert.strictEqual(tokens.size, 1);
	assert.ok([...tokens][0]);
	assert.strictEqual(nonces.size, 4, "a nonce is good once");
	assert.strictEqual(w.wrote, 1);
});

test("while the first try is still running it is asked again", async () => {
	const w = await world("lost", { status: 400, Code: "IdempotenceProcessing" }, { EndpointId: "ep-1" });
	assert.strictEqual((await w.client.write("privatelink", "CreateVpcEndpoint", {})).EndpointId, "ep-1");
	assert.strictEqual(new Set(w.sent.map(({ params }) => params.ClientToken)).size, 1);
});

test("two changing calls have two tokens; a token that the caller chose stays", async () => {
	const w = await world({}, {}, {});
	await w.client.write("vpc", "CreateVpc", {});
	await w.client.write("vpc", "CreateVpc", {});
	await w.client.write("vpc", "CreateVpc", { ClientToken: "mine" });
	const [a, b, c] = w.sent.map(({ params }) => params.ClientToken);
	assert.notStrictEqual(a, b);
	assert.strictEqual(c, "mine");
});

test("a changing call is given up when nothing answers for two minutes", async () => {
	const w = await world(...Array(500).fill("lost"));
	await assert.rejects(w.client.write("vpc", "CreateVpc", {}), lib.Unreachable);
	assert.ok(w.now - start >= lib.repeatLimitMs && w.now - start < lib.repeatLimitMs + 5000);
	assert.strictEqual(w.wrote, 0);
});

test("a refusal is not repeated", async () => {
	const w = await world({ status: 400, Code: "EndpointDuplicated", Message: "There is one.", RequestId: "R" });
	await assert.rejects(w.client.write("privatelink", "CreateVpcEndpoint", {}), (error) => {
		assert.ok(error instanceof lib.ApiError);
		assert.deepStrictEqual([error.code, error.message, error.status, error.requestId], ["EndpointDuplicated", "There is one.", 400, "R"]);
		return true;
	});
	assert.strictEqual(w.sent.length, 1);
	assert.strictEqual(w.wrote, 0);
});

test("a reading call that gets no answer is not repeated by itself", async () => {
	const w = await world("lost");
	await assert.rejects(w.client.call("vpc", "DescribeVpcs", {}), lib.Unreachable);
	assert.strictEqual(w.sent.length, 1);
});

const late = () => ({ status: 400, Code: "InvalidTimeStamp.Expired", headers: { date: "Sat, 28 Nov 2026 10:00:00 GMT" } });

test("a clock two hours off is corrected once, from the answer", async () => {
	const w = await world(late(), { ok: 1 }, { ok: 2 });
	await w.client.call("vpc", "DescribeVpcs", {});
	await w.client.call("vpc", "DescribeVpcs", {});
	assert.deepStrictEqual(w.sent.map(({ headers }) => headers["x-acs-date"]), ["2026-11-28T12:00:00Z", "2026-11-28T10:00:00Z", "2026-11-28T10:00:00Z"]);
});

test("calls that were under way together while the clock was off are all sent again", async () => {
	const w = await world(late(), late(), { ok: 1 }, { ok: 2 });
	await Promise.all([w.client.call("vpc", "DescribeVpcs", {}), w.client.call("vpc", "DescribeVSwitches", {})]);
	assert.deepStrictEqual(w.sent.map(({ headers }) => headers["x-acs-date"].slice(11, 13)), ["12", "12", "10", "10"]);
});

test("a clock that cannot be corrected is an error, not a loop", async () => {
	const w = await world(late(), late());
	await assert.rejects(w.client.call("vpc", "DescribeVpcs", {}), { code: "InvalidTimeStamp.Expired" });
	assert.strictEqual(w.sent.length, 2);
});

test("too many calls: it waits and asks again, four times at most", async () => {
	const w = await world({ status: 429, Code: "Throttling.User" }, { ok: 1 });
	await w.client.call("vpc", "DescribeVpcs", {});
	assert.ok(w.now > start);
	const full = await world(...Array(9).fill({ status: 429, Code: "Throttling.User" }));
	await assert.rejects(full.client.call("vpc", "DescribeVpcs", {}), { code: "Throttling.User" });
	assert.strictEqual(full.sent.length, 4);
});

test("a key that is no longer taken is told of", async () => {
	const w = await world({ status: 404, Code: "InvalidAccessKeyId.NotFound" });
	await assert.rejects(w.client.call("vpc", "DescribeVpcs", {}));
	assert.deepStrictEqual(w.refused, ["InvalidAccessKeyId.NotFound"]);
});

test("an answer that is no JSON is an error with its beginning", async () => {
	const w = await world({});
	w.client.around.fetch = async () => new Response("<html>proxy</html>", { status: 502 });
	await assert.rejects(w.client.call("vpc", "DescribeVpcs", {}), { code: "UnreadableAnswer", message: "<html>proxy</html>", status: 502 });
});

const fields = {
	"IllegalParamFormat.EndpointName": "EndpointName",
	"IllegalParamFormat.Zone.1.ip": "Zone.1.ip",
	"MissingParam.Zone": "Zone",
	"InvalidParameter.CidrBlock": "CidrBlock",
	"MissingParameter.VpcName": "VpcName",
	MissingVpcId: "VpcId",
	MissingParameter: undefined,
	"InvalidVpcId.NotFound": "VpcId",
	"InvalidCidrBlock.Malformed": "CidrBlock",
	EndpointDuplicated: undefined,
	"Throttling.User": undefined,
};
for (const [code, field] of Object.entries(fields)) {
	test(`${code} is at the field ${field ?? "(none)"}`, () => assert.strictEqual(lib.fieldOf(code), field));
}

test("the link goes down with a lost answer and up with the next one, and tells of changes alone", async () => {
	const w = await world("lost", "lost", { ok: 1 }, { status: 500, Code: "InternalError" });
	const heard = [];
	const end = w.link.subscribe((up) => heard.push(up));
	for (let i = 0; i < 4; i++) await w.client.call("vpc", "DescribeVpcs", {}).catch(() => undefined);
	assert.deepStrictEqual(heard, [false, true]);
	end();
	w.link.lost();
	assert.deepStrictEqual(heard, [false, true], "nothing after it was ended");
	assert.ok(w.link.isSilent(w.now, 1000), "while it is down there is reason to ask");
});

test("a list is fetched by 1000 and token, all of it", async () => {
	const pages = [{ Endpoints: [{ n: 1 }, { n: 2 }], NextToken: "t", TotalCount: 3 }, { Endpoints: [{ n: 3 }], TotalCount: 3 }];
	const w = await world(...pages);
	const got = await list.listAll(w.client, { product: "privatelink", action: "ListVpcEndpoints", params: { VpcId: "v" }, items: "Endpoints", region: "r" });
	assert.deepStrictEqual(got, { rows: [{ n: 1 }, { n: 2 }, { n: 3 }], total: 3 });
	assert.deepStrictEqual(w.sent.map(({ params }) => params), [
		{ RegionId: "r", VpcId: "v", MaxResults: "1000" },
		{ RegionId: "r", VpcId: "v", MaxResults: "1000", NextToken: "t" },
	]);
});

test("a list of numbered pages is fetched to its end, and one that shrinks meanwhile ends", async () => {
	const w = await world({ Vpcs: { Vpc: [1, 2] }, TotalCount: 3 }, { Vpcs: { Vpc: [3] }, TotalCount: 3 });
	const question = { product: "vpc", action: "DescribeVpcs", params: {}, items: "Vpcs.Vpc", paging: "number", size: 2 };
	assert.deepStrictEqual((await list.listAll(w.client, question)).rows, [1, 2, 3]);
	assert.deepStrictEqual(w.sent.map(({ params }) => params.PageNumber), ["1", "2"]);
	const shrunk = await world({ Vpcs: { Vpc: [1, 2] }, TotalCount: 5 }, { Vpcs: { Vpc: [] }, TotalCount: 5 });
	assert.deepStrictEqual((await list.listAll(shrunk.client, question)).rows, [1, 2]);
});

test("rows that did not change stay the same objects", () => {
	const old = [{ id: "a", s: 1 }, { id: "b", s: 1 }];
	const key = (row) => row.id;
	assert.strictEqual(list.keepSame(old, [{ id: "a", s: 1 }, { id: "b", s: 1 }], key), old);
	const next = list.keepSame(old, [{ id: "a", s: 1 }, { id: "b", s: 2 }], key);
	assert.strictEqual(next[0], old[0]);
	assert.deepStrictEqual(next[1], { id: "b", s: 2 });
	const turned = list.keepSame(old, [{ id: "b", s: 1 }, { id: "a", s: 1 }], key);
	assert.deepStrictEqual(turned.map(key), ["b", "a"], "another order is a change");
});

test("numbers with 18 digits keep all of them; texts that look so are left alone", () => {
	const text = String.raw`{"UserId":123456789012345678,"AccountId":6306361450967203,"Name":"a \"1\":12345678901234567890","L":[999999999999999999]}`;
	assert.deepStrictEqual(json.parseJson(text),
		{ UserId: "123456789012345678", AccountId: 6306361450967203, Name: 'a "1":12345678901234567890', L: ["999999999999999999"] });
});

test("who one is comes from GetCallerIdentity; who may not list accounts is no administrator", async () => {
	const said = { AccountId: "42", UserId: "7", IdentityType: "RAMUser", Arn: "acs:ram::42:user/x" };
	const admin = await world(said, { Accounts: [] });
	assert.deepStrictEqual(await session.whoAmI(admin.client), { accountId: "42", userId: "7", type: "RAMUser", arn: "acs:ram::42:user/x", isAdmin: true });
	const other = await world(said, { status: 403, Code: "Forbidden.RAM" });
	assert.strictEqual((await session.whoAmI(other.client)).isAdmin, false);
	const gone = await world(said, "lost");
	await assert.rejects(session.whoAmI(gone.client), lib.Unreachable, "an answer that did not come says nothing about rights");
});

test("a session ends after 8 hours", async () => {
	const made = await session.newSession("AK", "secret", start);
	assert.strictEqual(made.until - start, 8 * 3600 * 1000);
	assert.deepStrictEqual(Object.keys(made).sort(), ["id", "key", "until"], "the secret is not in it");
});
