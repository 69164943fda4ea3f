// SPDX-License-Identifier: Apache-2.0
// The form for a new endpoint: what is in it, what its call is, what is wrong with it, and where an error of the API belongs.
import type { Params } from "./client";
import { addressIn, check, checkTag, descriptionRule, nameRule, numberRule, optional, tagLimit } from "./form";
import type { RuleKey, Tag } from "./form";

export interface ZoneRow {
	zone: string;
	vswitch: string;
	/** Empty: any address of the vSwitch. */
	address: string;
}

export interface Draft {
	region: string;
	name: string;
	kind: "alibaba" | "other";
	/** The name of one of Alibaba Cloud's services. */
	service: string;
	/** Of others: what was typed, and what of it was looked up. */
	other: string;
	verified: string;
	/** Empty: the endpoint's. */
	serviceRegion: string;
	bandwidth: string;
	vpc: string;
	/** Null while nobody chose: what is proposed counts. */
	zones: ZoneRow[] | null;
	ipVersion: string;
	groups: string[];
	affinity: boolean;
	tags: Tag[];
	description: string;
	resourceGroup: string;
	dryRun: boolean;
	/** A call that was sent and whose answer has not been seen. Its token stays, so that its repetition makes nothing new. */
	sent?: Sent;
}

export interface Sent {
	token: string;
	params: Params;
	at: number;
}

/** What one can connect to (ListVpcEndpointServicesByEndUser). */
export interface Service {
	ServiceId: string;
	ServiceName: string;
	ServiceDomain: string;
	AddressIpVersion: string;
	AutoAcceptEnabled: boolean;
	ZoneAffinityEnabled: boolean;
	Zones: string[];
}

export interface VSwitch {
	VSwitchId: string;
	VSwitchName: string;
	ZoneId: string;
	CidrBlock: string;
	Status: string;
	AvailableIpAddressCount: number;
}

export const newDraft = (region: string): Draft => ({
	region, name: "", kind: "alibaba", service: "", other: "", verified: "", serviceRegion: "", bandwidth: "", vpc: "", zones: null, ipVersion: "IPv4",
	groups: [], affinity: false, tags: [], description: "", resourceGroup: "", dryRun: false,
});

const usualName = (region: string, product: string): string => `com.aliyuncs.privatelink.${region}.${product}`;

/** The product in a name that Alibaba Cloud's services usually have; empty: it is none. */
export function productOf(service: string): string {
	const product = /^com\.aliyuncs\.privatelink\.[a-z0-9-]+\.([a-z0-9-]+)$/.exec(service)?.[1] ?? "";
	return product.startsWith("epsrv-") ? "" : product;
}

/** Services of users end in their id. */
export const isAlibaba = (service: Service): boolean => !service.ServiceName.endsWith(service.ServiceId);

/** What stays of a form when its region becomes another: all but what is in the region. */
export function moveDraft(draft: Draft, region: string): Draft {
	const product = draft.serviceRegion ? "" : productOf(draft.service);
	return {
		...newDraft(region), name: draft.name, kind: draft.kind, service: product ? usualName(region, product) : "", affinity: draft.affinity, tags: draft.tags,
		description: draft.description, resourceGroup: draft.resourceGroup, dryRun: draft.dryRun,
	};
}

/** What of a query fills in the form. */
export const prefillNames = ["service", "vpc", "name", "group", "zone", "vswitch"] as const;

/** A zone that waited for its vSwitch has it now. */
function putVSwitch(zones: readonly ZoneRow[], zone: string, vswitch: string): ZoneRow[] {
	const rows = zones.map((row) => (row.zone === zone ? { ...row, vswitch } : row));
	return rows.some((row) => row.zone === zone) ? rows : [...usedZones(rows), { zone, vswitch, address: "" }];
}

/** Fills in what an address asks for: `service` is a product, a name or an id; the others are ids. */
export function prefill(draft: Draft, query: Record<string, string>): Draft {
	const { service = "", vpc = "", name = "", group = "", zone = "", vswitch = "" } = query;
	const region = draft.serviceRegion || draft.region;
	const full = /^[a-z][a-z0-9-]*$/.test(service) && !service.startsWith("epsrv-") ? usualName(region, service) : service;
	const chosen: Partial<Draft> = !full ? {} : productOf(full) ? { kind: "alibaba", service: full } : { kind: "other", other: full, verified: full };
	const filled: Draft = { ...draft, ...chosen, ...(vpc && vpc !== draft.vpc ? { vpc, zones: null, groups: [] } : {}), ...(name ? { name } : {}) };
	if (group && !filled.groups.includes(group)) filled.groups = [...filled.groups, group];
	if (zone && vswitch && filled.zones) filled.zones = putVSwitch(filled.zones, zone, vswitch);
	return filled;
}

/** How a service of others is looked up by what was typed. */
export function serviceQuestion(typed: string, region: string): Params {
	const text = typed.trim();
	if (text.startsWith("epsrv-")) return { ServiceId: text };
	return { ServiceName: text.includes(".") ? text : usualName(region, text) };
}

/** Two zones that the service has and the VPC has vSwitches in; else as many as there are. `served` null: any zone will do. */
export function proposeZones(served: readonly string[] | null, vswitches: readonly VSwitch[]): ZoneRow[] {
	const rows: ZoneRow[] = [];
	for (const vswitch of [...vswitches].sort((a, b) => (a.ZoneId < b.ZoneId ? -1 : 1))) {
		const fits = vswitch.Status === "Available" && vswitch.AvailableIpAddressCount > 0 && (!served || served.includes(vswitch.ZoneId));
		if (fits && rows.length < 2 && !rows.some((row) => row.zone === vswitch.ZoneId)) rows.push({ zone: vswitch.ZoneId, vswitch: vswitch.VSwitchId, address: "" });
	}
	return rows.length > 0 ? rows : [{ zone: "", vswitch: "", address: "" }];
}

const given = (text: string): string | undefined => text.trim() || undefined;

/** Rows in which nothing was chosen are not there. */
export const usedZones = (zones: readonly ZoneRow[]): ZoneRow[] => zones.filter((row) => row.zone || row.vswitch || row.address);

/** CreateVpcEndpoint's parameters, in the order of the form. */
export function endpointParams(draft: Draft, zones: readonly ZoneRow[], service: Service | undefined): Params {
	const isCross = draft.serviceRegion !== "" && draft.serviceRegion !== draft.region;
	const isOther = draft.kind === "other";
	const name = isOther ? service?.ServiceName : draft.service;
	return {
		EndpointName: given(draft.name),
		EndpointType: "Interface",
		ServiceId: isOther ? service?.ServiceId : undefined,
		ServiceName: isOther && service ? undefined : given(name ?? draft.other),
		ServiceRegionId: isCross ? draft.serviceRegion : undefined,
		CrossRegionBandwidth: isCross ? given(draft.bandwidth) : undefined,
		VpcId: given(draft.vpc),
		Zone: usedZones(zones).map((row) => ({ ZoneId: given(row.zone), VSwitchId: given(row.vswitch), ip: given(row.address) })),
		AddressIpVersion: draft.ipVersion === "IPv4" ? undefined : draft.ipVersion,
		SecurityGroupId: draft.groups,
		ZoneAffinityEnabled: draft.affinity || undefined,
		Tag: draft.tags.filter((tag) => tag.Key !== "").map((tag) => ({ Key: tag.Key, Value: given(tag.Value) })),
		EndpointDescription: given(draft.description),
		ResourceGroupId: given(draft.resourceGroup),
		DryRun: draft.dryRun || undefined,
	};
}

/** Fields of the form: `zone.0`, `vswitch.0`, `address.0` of the rows. */
export type FieldName = "region" | "name" | "service" | "serviceRegion" | "bandwidth" | "vpc" | "zones" | "ipVersion" | "groups" | "tags" | "description" | "resourceGroup"
	| `zone.${number}` | `vswitch.${number}` | `address.${number}`;

export type Wrong = Partial<Record<FieldName, RuleKey>>;

function wrongZones(zones: readonly ZoneRow[], vswitches: readonly VSwitch[]): Wrong {
	const wrong: Wrong = {};
	zones.forEach((row, i) => {
		if (!row.zone && !row.vswitch && !row.address) return;
		if (!row.zone) wrong[`zone.${i}`] = "required";
		if (!row.vswitch) wrong[`vswitch.${i}`] = "required";
		const range = vswitches.find((vswitch) => vswitch.VSwitchId === row.vswitch)?.CidrBlock ?? "";
		const said = check(row.address.trim(), optional(addressIn(range)));
		if (said) wrong[`address.${i}`] = said;
	});
	return wrong;
}

/** What the form's own rules refuse. */
export function wrongFields(draft: Draft, zones: readonly ZoneRow[], vswitches: readonly VSwitch[], service: Service | undefined): Wrong {
	const wrong: Wrong = wrongZones(zones, vswitches);
	const put = (field: FieldName, said: RuleKey | null): void => { if (said) wrong[field] = said; };
	put("name", check(draft.name.trim(), optional(nameRule)));
	put("service", service || (draft.kind === "alibaba" && draft.service) ? null : "required");
	put("vpc", draft.vpc ? null : "required");
	put("groups", draft.groups.length > 0 ? null : "required");
	put("bandwidth", draft.serviceRegion ? check(draft.bandwidth.trim(), optional(numberRule(100, 10240))) : null);
	put("description", check(draft.description.trim(), optional(descriptionRule)));
	put("tags", draft.tags.length > tagLimit || draft.tags.some((tag, i) => (tag.Key || tag.Value) && checkTag(draft.tags, i)) ? "tagKeyLength" : null);
	return wrong;
}

const fieldsOfParameters: Record<string, FieldName> = {
	EndpointName: "name", EndpointDescription: "description", ServiceId: "service", ServiceName: "service", ServiceRegionId: "serviceRegion",
	CrossRegionBandwidth: "bandwidth", VpcId: "vpc", SecurityGroupId: "groups", AddressIpVersion: "ipVersion", ResourceGroupId: "resourceGroup", Tag: "tags", Zone: "zones",
};

const fieldsOfCodes: Record<string, FieldName> = {
	EndpointServiceNotFound: "service", EndpointServiceNotAuthorized: "service", EndpointServiceDeleted: "service", "Mismatch.EndpointType": "service",
	"IncorrectStatus.VpcEndpointService": "service", UnsupportedRegion: "serviceRegion", RegionNotFound: "serviceRegion",
	VpcNotFound: "vpc", EndpointDuplicated: "vpc", "QuotaExceeded.totalEpPerVpc": "vpc",
	SecurityGroupNotFound: "groups", SecurityGroupTypeNotSupport: "groups", SecurityGroupTypeOnlySingleTypeSupporteded: "groups", EndpointMustContainSecurityGroup: "groups",
	EniIpUnavailable: "zones", VSwitchNotFound: "zones", VSwitchStatusNotAllowed: "zones", "ResourceNotEnough.VSwitchIp": "zones", UnsupportedZone: "zones",
	EndpointServiceNotSupportedZone: "zones", EndpointServiceResourceNotFound: "zones", EndpointZoneDuplicated: "zones", "QuotaExceeded.epZonePerEndpoint": "zones",
	"QuotaExceeded.IpQuotaPerEp": "zones", EndpointServiceNotSupportIpv6: "ipVersion", InvalidResourceGroup: "resourceGroup",
	MissingTagKeyParam: "tags", IllegalTagKeyParam: "tags", IllegalTagValueParam: "tags", DuplicatedTagKey: "tags", "QuotaExceed.TagsPerResource": "tags",
};

const fieldsOfMembers: Record<string, "zone" | "vswitch" | "address"> = { ZoneId: "zone", VSwitchId: "vswitch", ip: "address" };

/** Places of the used rows among all. */
function usedPlaces(zones: readonly ZoneRow[]): number[] {
	return zones.flatMap((row, i) => (usedZones([row]).length > 0 ? [i] : []));
}

/** The row that an error of the zones means: the one it names, or the only one that can be meant. */
function placeInZones(code: string, message: string, zones: readonly ZoneRow[]): FieldName {
	const kind = code === "EniIpUnavailable" ? "address" : /VSwitch/.test(code) ? "vswitch" : "zone";
	const places = usedPlaces(zones);
	const rows = places.filter((i) => (kind === "address" ? zones[i]?.address !== "" : true));
	const named = rows.filter((i) => [zones[i]?.zone, zones[i]?.vswitch].some((word) => word && message.includes(word)));
	const found = named.length === 1 ? named : rows;
	return found.length === 1 ? `${kind}.${found[0] as number}` : "zones";
}

/** Where an error of CreateVpcEndpoint belongs; null: to the form as a whole. */
export function placeOfError(error: { code: string; message: string; field?: string | undefined; }, zones: readonly ZoneRow[]): FieldName | null {
	const inRow = /^Zone\.(\d+)\.(\w+)$/.exec(error.field ?? "");
	const place = inRow && usedPlaces(zones)[Number(inRow[1]) - 1];
	if (inRow && place !== undefined && place !== null) return `${fieldsOfMembers[inRow[2] as string] ?? "zone"}.${place}`;
	const field = fieldsOfCodes[error.code] ?? fieldsOfParameters[(error.field ?? "").split(".")[0] ?? ""] ?? null;
	return field === "zones" ? placeInZones(error.code, error.message, zones) : field;
}

/* ---- what a browser keeps of it ---- */

const keyOf = (account: string): string => `privlink:create-endpoint:${account}`;

export function keepDraft(storage: Pick<Storage, "setItem" | "removeItem">, account: string, draft: Draft | null): void {
	try {
		if (draft) storage.setItem(keyOf(account), JSON.stringify(draft));
		else storage.removeItem(keyOf(account));
	} catch {
		// Without room for it, it lives as long as the page.
	}
}

/** What is not as it should be is as in a new form. */
export function readDraft(storage: Pick<Storage, "getItem">, account: string, region: string): Draft {
	const fresh = newDraft(region);
	let kept: Partial<Draft>;
	try {
		kept = JSON.parse(storage.getItem(keyOf(account)) ?? "{}") as Partial<Draft>;
	} catch {
		return fresh;
	}
	const draft = { ...fresh, ...kept };
	const isWhole = (Object.keys(fresh) as (keyof Draft)[]).every((key) => fresh[key] === null || (typeof draft[key] === typeof fresh[key] && Array.isArray(draft[key]) === Array.isArray(fresh[key])));
	if (!isWhole) return fresh;
	return draft.region === region ? draft : moveDraft(draft, region);
}
