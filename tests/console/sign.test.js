// SPDX-License-Identifier: Apache-2.0
// The signature against vectors that the official clients' own code agrees with.
const test = require("node:test");
const assert = require("node:assert");
const { sign, encode } = require("./load").load();

const keyId = "testAccessKeyId";
const secret = "testAccessKeySecret";
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const common = {
	host: "privatelink.cn-hangzhou.aliyuncs.com",
	"x-acs-credentials-provider": "static_ak",
	"x-acs-date": "2026-01-02T03:04:05Z",
	"x-acs-signature-nonce": "0123456789abcdef0123456789abcdef",
};

const endpoint = {
	RegionId: "cn-hangzhou",
	VpcId: "vpc-test0001",
	ServiceName: "com.aliyuncs.privatelink.cn-hangzhou.pai-dlc",
	EndpointName: "dlc ep*(1)~'x'!",
	Zone: [{ ZoneId: "cn-hangzhou-h", VSwitchId: "vsw-test0001" }, { ZoneId: "cn-hangzhou-i", VSwitchId: "vsw-test0002", ip: "10.0.2.9" }],
	SecurityGroupId: ["sg-test0001", "sg-test0002"],
};

const tags = { RegionId: "cn-hangzhou", ResourceType: "vpcendpoint", ResourceId: ["ep-test0001"], Tag: [{ Key: "env", Value: "a b*c" }] };

const vectors = [
	{
		name: "parameters in the query",
		request: {
			method: "POST", path: "/", query: encode.formEncode(encode.flatten(endpoint)), body: "",
			headers: { ...common, "x-acs-action": "CreateVpcEndpoint", "x-acs-version": "2020-04-15" },
		},
		hash: "5ed42392d37bf6716376aa5b50d1875ddfb709fcdc2277172bee61bb4844e415",
		signature: "0ed400a3b76ad1b3f96fe236b8e068229254bea22b426728a145a36d216ae1d5",
	},
	{
		name: "parameters in the body",
		request: {
			method: "POST", path: "/", query: "", body: "RegionId=cn-hangzhou&ResourceType=vpcendpoint&ResourceId.1=ep-test0001&Tag.1.Key=env&Tag.1.Value=a%20b*c",
			headers: { ...common, "content-type": "application/x-www-form-urlencoded", "x-acs-action": "TagResources", "x-acs-version": "2020-04-15" },
		},
		hash: "46ae6ab92c8cbbd4e3eea2204cda06841169f6ebdd38404dfc7f8c736eb44b0c",
		signature: "76e4ba9986b046fc7a00dba0187db652f94df88dc065cb113582426b761cc63f",
	},
	{
		name: "a path of its own",
		request: {
			method: "GET", path: "/api/v1/jobs/dlc0001", query: "NeedDetail=true", body: "",
			headers: { ...common, "x-acs-action": "GetJob", "x-acs-version": "2020-12-03" },
		},
		hash: "f348a51e7553d6d5037b8e68abb0e6cdf5159020f8ecd06eab2b276e45679dc6",
		signature: "77180b26513e8dad331ee1af2db53eebfd78bd1733ecfce92fcb6c88dc14bbe7",
	},
];

for (const { name, request, hash, signature } of vectors) {
	test(`a call with ${name} is signed as the official clients sign it`, async () => {
		const bodyHash = await sign.sha256(request.body);
		assert.strictEqual(await sign.sha256(sign.canonical(request, bodyHash).text), hash);
		const headers = await sign.sign(keyId, await sign.importKey(secret), request);
		assert.ok(headers.authorization.endsWith(`,Signature=${signature}`), headers.authorization);
		assert.ok(headers.authorization.startsWith(`ACS3-HMAC-SHA256 Credential=${keyId},SignedHeaders=`));
		assert.strictEqual(headers.host, undefined, "the browser sends host by itself");
	});
}

test("an empty body has the hash of nothing", async () => assert.strictEqual(await sign.sha256(""), empty));

test("a key cannot be read back", async () => {
	const key = await sign.importKey(secret);
	assert.strictEqual(key.extractable, false);
	assert.deepStrictEqual([...key.usages], ["sign"]);
	await assert.rejects(crypto.subtle.exportKey("raw", key), { name: /^InvalidAccess/ });
});

test("everything but letters, digits, - _ . ~ is percent-encoded", () => {
	assert.strictEqual(encode.encode("aZ09-_.~"), "aZ09-_.~");
	assert.strictEqual(encode.encode("!'()* +&=%/"), "%21%27%28%29%2A%20%2B%26%3D%25%2F");
	assert.strictEqual(encode.encode("中"), "%E4%B8%AD");
});

test("lists are counted from 1, members follow a dot, what is absent is left out", () => {
	assert.deepStrictEqual(encode.flatten({ A: { B: [{ C: 1 }, { C: true }] }, D: "", E: undefined, F: null, G: ["x"], H: [] }),
		{ "A.B.1.C": "1", "A.B.2.C": "true", D: "", "G.1": "x" });
});

test("parameters are sorted in byte order", () => {
	assert.strictEqual(encode.formEncode({ b: "1", "Zone.2.ip": "2", "Zone.2.ZoneId": "3", "Zone.10.ZoneId": "4" }),
		"Zone.10.ZoneId=4&Zone.2.ZoneId=3&Zone.2.ip=2&b=1");
});
