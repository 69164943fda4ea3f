// SPDX-License-Identifier: Apache-2.0
// The form for a new endpoint without its page: what is proposed, what is refused, what is sent, where an error belongs, what is kept.
const test = require("node:test");
const assert = require("node:assert");
const { client, encode, endpoint_draft } = require("./load").load();
const { endpointParams, keepDraft, moveDraft, newDraft, placeOfError, prefill, productOf, proposeZones, readDraft, serviceQuestion, wrongFields } = endpoint_draft;

const region = "cn-hangzhou";
const dlc = "com.aliyuncs.privatelink.cn-hangzhou.pai-dlc";
const vswitch = (id, zone, more = {}) => ({ VSwitchId: id, VSwitchName: id, ZoneId: zone, CidrBlock: "10.1.1.0/24", Status: "Available", AvailableIpAddressCount: 9, ...more });
const vswitches = [vswitch("vsw-2", "i"), vswitch("vsw-1", "h"), vswitch("vsw-3", "h"), vswitch("vsw-4", "j")];
const service = { ServiceId: "epsrv-1", ServiceName: "com.aliyuncs.privatelink.cn-hangzhou.epsrv-1", Zones: ["h", "i"], AddressIpVersion: "IPv4" };
const whole = { ...newDraft(region), service: dlc, vpc: "vpc-1", groups: ["sg-1"] };
const row = (zone, vswitchId, address = "") => ({ zone, vswitch: vswitchId, address });

test("two zones are proposed that the service has and the VPC has vSwitches in", () => {
	assert.deepStrictEqual(proposeZones(["h", "i", "k"], vswitches), [row("h", "vsw-1"), row("i", "vsw-2")]);
	assert.deepStrictEqual(proposeZones(["j"], vswitches), [row("j", "vsw-4")]);
	assert.deepStrictEqual(proposeZones(null, vswitches), [row("h", "vsw-1"), row("i", "vsw-2")]);
	assert.deepStrictEqual(proposeZones(["h"], []), [row("", "")]);
	assert.deepStrictEqual(proposeZones(["h", "i"], [vswitch("a", "h", { AvailableIpAddressCount: 0 }), vswitch("b", "i", { Status: "Pending" })]), [row("", "")]);
});

test("the call has what was given and nothing else", () => {
	const sent = encode.flatten(endpointParams(whole, [row("h", "vsw-1"), row("i", "vsw-2", " 10.1.1.9 "), row("", "")], undefined));
	assert.deepStrictEqual(sent, {
		EndpointType: "Interface", ServiceName: dlc, VpcId: "vpc-1", "SecurityGroupId.1": "sg-1",
		"Zone.1.ZoneId": "h", "Zone.1.VSwitchId": "vsw-1", "Zone.2.ZoneId": "i", "Zone.2.VSwitchId": "vsw-2", "Zone.2.ip": "10.1.1.9",
	});
});

test("the call has all that can be given", () => {
	const draft = {
		...whole, name: "a-1", kind: "other", other: "epsrv-1", verified: "epsrv-1", serviceRegion: "cn-beijing", bandwidth: "200", affinity: true, dryRun: true,
		description: "for tests", resourceGroup: "rg-1", tags: [{ Key: "env", Value: "" }, { Key: "", Value: "" }, { Key: "a", Value: "b" }],
	};
	assert.deepStrictEqual(encode.flatten(endpointParams(draft, [], service)), {
		EndpointName: "a-1", EndpointType: "Interface", ServiceId: "epsrv-1", ServiceRegionId: "cn-beijing", CrossRegionBandwidth: "200", VpcId: "vpc-1",
		"SecurityGroupId.1": "sg-1", ZoneAffinityEnabled: "true", "Tag.1.Key": "env", "Tag.2.Key": "a", "Tag.2.Value": "b",
		EndpointDescription: "for tests", ResourceGroupId: "rg-1", DryRun: "true",
	});
	assert.strictEqual(endpointParams({ ...draft, serviceRegion: region }, [], service).ServiceRegionId, undefined);
});

test("what is missing or wrong is known by its field", () => {
	assert.deepStrictEqual(wrongFields(newDraft(region), [row("", "")], [], undefined), { service: "required", vpc: "required", groups: "required" });
	assert.deepStrictEqual(wrongFields(whole, [row("h", "vsw-1")], vswitches, undefined), {});
	assert.deepStrictEqual(
		wrongFields({ ...whole, name: "1a", description: "http://x", serviceRegion: "r", bandwidth: "9", tags: [{ Key: "acs:x", Value: "" }] },
			[row("h", "vsw-1", "10.2.0.1"), row("i", ""), row("", "vsw-2", "10.1.1.0")], vswitches, undefined),
		{ "address.0": "addressOutside", "vswitch.1": "required", "zone.2": "required", "address.2": "addressReserved", name: "nameStart", bandwidth: "number", description: "descriptionStart", tags: "tagKeyLength" });
	assert.deepStrictEqual(wrongFields({ ...whole, kind: "other", other: "x" }, [], [], undefined), { service: "required" });
	assert.deepStrictEqual(wrongFields({ ...whole, kind: "other", other: "x" }, [], [], service), {});
});

const rows = [row("cn-h", "vsw-1"), row("", ""), row("cn-i", "vsw-2", "10.1.2.9")];
const places = [
	["IllegalParamFormat.EndpointName", "", "name"], ["IllegalParamFormat.EndpointDescription", "", "description"], ["MissingVpcId", "", "vpc"],
	["EndpointServiceNotAuthorized", "", "service"], ["EndpointServiceNotFound", "", "service"], ["EndpointDuplicated", "In this VPC it is ep-1.", "vpc"],
	["SecurityGroupNotFound", "", "groups"], ["UnsupportedRegion", "", "serviceRegion"], ["IllegalParam.CrossRegionBandwidth", "", "bandwidth"],
	["IllegalParamFormat.Zone.2.ip", "", "address.2"], ["MissingParam.Zone.1.VSwitchId", "", "vswitch.0"], ["IllegalParamFormat.Zone.2.Ipv6Address", "", "zone.2"],
	["EniIpUnavailable", "The address is taken.", "address.2"], ["VSwitchNotFound", "vsw-1 is in the zone cn-h, not in cn-j.", "vswitch.0"],
	["EndpointServiceNotSupportedZone", "It is cn-i.", "zone.2"], ["EndpointServiceResourceNotFound", "None for the zone cn-h", "zone.0"],
	["QuotaExceeded.epZonePerEndpoint", "", "zones"], ["InvalidResourceGroup", "", "resourceGroup"], ["DuplicatedTagKey", "", "tags"],
	["IllegalParamFormat.Tag.1.Key", "", "tags"], ["Throttling.User", "", null], ["QuotaMisMatched", "", null], ["InternalError", "", null],
];
for (const [code, message, field] of places)
	test(`the error ${code} stands at ${field ?? "the form"}`, () => {
		assert.strictEqual(placeOfError(new client.ApiError(code, message, 400, ""), rows), field);
	});

test("an error that could mean several rows stands at none", () => {
	assert.strictEqual(placeOfError({ code: "VSwitchNotFound", message: "" }, rows), "zones");
	assert.strictEqual(placeOfError({ code: "EniIpUnavailable", message: "" }, [row("a", "b", "1.1.1.1"), row("c", "d", "1.1.1.2")]), "zones");
});

test("an address fills in a service by product, name or id, and a VPC", () => {
	const fresh = newDraft(region);
	assert.deepStrictEqual(prefill(fresh, {}), fresh);
	for (const text of ["pai-dlc", dlc])
		assert.deepStrictEqual(prefill(fresh, { service: text, vpc: "vpc-9" }), { ...fresh, service: dlc, vpc: "vpc-9" });
	for (const text of ["epsrv-1", service.ServiceName, "com.aliyuncs.dashscope"])
		assert.deepStrictEqual(prefill(fresh, { service: text }), { ...fresh, kind: "other", other: text, verified: text });
});

test("what was made elsewhere for the form is in it", () => {
	const draft = { ...whole, zones: [row("h", "vsw-1"), row("i", "")] };
	assert.deepStrictEqual(prefill(draft, { vpc: "vpc-1", group: "sg-2", zone: "i", vswitch: "vsw-2" }), { ...draft, groups: ["sg-1", "sg-2"], zones: [row("h", "vsw-1"), row("i", "vsw-2")] });
	assert.deepStrictEqual(prefill(draft, { zone: "j", vswitch: "vsw-4" }).zones, [row("h", "vsw-1"), row("i", ""), row("j", "vsw-4")]);
	assert.deepStrictEqual(prefill(draft, { vpc: "vpc-2" }), { ...draft, vpc: "vpc-2", zones: null, groups: [] });
	assert.strictEqual(prefill(whole, { zone: "i", vswitch: "vsw-2" }).zones, null);
});

test("a service is looked up by what was typed", () => {
	assert.deepStrictEqual(serviceQuestion(" epsrv-1 ", region), { ServiceId: "epsrv-1" });
	assert.deepStrictEqual(serviceQuestion("pai-dlc", region), { ServiceName: dlc });
	assert.deepStrictEqual(serviceQuestion("com.aliyuncs.dashscope", region), { ServiceName: "com.aliyuncs.dashscope" });
	assert.strictEqual(productOf(dlc), "pai-dlc");
	assert.strictEqual(productOf(service.ServiceName), "");
});

test("another region keeps what is not of a region", () => {
	const moved = moveDraft({ ...whole, name: "a", zones: [row("h", "vsw-1")], tags: [{ Key: "a", Value: "b" }], affinity: true }, "cn-beijing");
	assert.deepStrictEqual(moved, {
		...newDraft("cn-beijing"), name: "a", service: "com.aliyuncs.privatelink.cn-beijing.pai-dlc", tags: [{ Key: "a", Value: "b" }], affinity: true,
	});
});

test("what is kept comes back for the same account; what is broken does not", () => {
	const kept = new Map();
	const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
	const draft = { ...whole, zones: [row("h", "vsw-1", "10.1.1.9")], sent: { token: "t", params: { a: 1 }, at: 5 } };
	keepDraft(storage, "1", draft);
	assert.deepStrictEqual(readDraft(storage, "1", region), draft);
	assert.deepStrictEqual(readDraft(storage, "2", region), newDraft(region));
	assert.strictEqual(readDraft(storage, "1", "cn-beijing").vpc, "");
	for (const broken of ["{", "[]", "null", "7", JSON.stringify({ ...whole, groups: "sg-1" }), JSON.stringify({ ...whole, tags: null })]) {
		for (const key of kept.keys()) kept.set(key, broken);
		assert.deepStrictEqual(readDraft(storage, "1", region), newDraft(region), broken);
	}
	keepDraft(storage, "1", null);
	assert.strictEqual(kept.size, 0);
	keepDraft({ setItem: () => { throw new Error("full"); }, removeItem: () => undefined }, "1", draft);
});
