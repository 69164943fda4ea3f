// SPDX-License-Identifier: Apache-2.0
// Rules of fields, as the API has them. A rule answers the key of a text (`t.rules`), or null where the value may stand.

export type RuleKey =
	| "required" | "nameLength" | "nameStart" | "nameCharacters" | "descriptionLength" | "descriptionStart"
	| "cidr" | "cidrHostBits" | "vpcPrefix" | "vswitchPrefix" | "address" | "addressOutside" | "addressReserved"
	| "cidrOutside" | "cidrTaken" | "ruleDescription" | "percent" | "weight"
	| "port" | "portRange" | "number" | "tagKeyLength" | "tagKeyWords" | "tagValueLength" | "tagKeyTwice" | "tagCount" | "account";

export type Rule = (value: string) => RuleKey | null;

/** The first rule that says no. */
export function check(value: string, ...rules: Rule[]): RuleKey | null {
	for (const rule of rules) {
		const said = rule(value);
		if (said) return said;
	}
	return null;
}

/** An empty field is fine; else the rule holds. */
export const optional = (rule: Rule): Rule => (value) => (value === "" ? null : rule(value));

export const required: Rule = (value) => (value.trim() === "" ? "required" : null);

const length = (text: string): number => [...text].length;

export const nameRule: Rule = (value) => {
	if (length(value) < 2 || length(value) > 128) return "nameLength";
	if (!/^[A-Za-z\u4e00-\u9fff]/.test(value)) return "nameStart";
	return /^[A-Za-z0-9\u4e00-\u9fff_-]+$/.test(value) ? null : "nameCharacters";
};

export const descriptionRule: Rule = (value) => {
	if (length(value) < 2 || length(value) > 256) return "descriptionLength";
	return /^https?:\/\//i.test(value) ? "descriptionStart" : null;
};

/** An IPv4 address as a number, or undefined. */
export function parseIpv4(text: string): number | undefined {
	const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1);
	if (!parts || parts.some((p) => Number(p) > 255 || (p.length > 1 && p[0] === "0"))) return undefined;
	return parts.reduce((sum, p) => sum * 256 + Number(p), 0);
}

export interface Cidr {
	base: number;
	bits: number;
}

export function parseCidr(text: string): Cidr | undefined {
	const match = /^([\d.]+)\/(\d{1,2})$/.exec(text);
	const base = match && parseIpv4(match[1] as string);
	return match && base !== undefined && base !== null && Number(match[2]) <= 32 ? { base, bits: Number(match[2]) } : undefined;
}

const sizeOf = (cidr: Cidr): number => 2 ** (32 - cidr.bits);

export const cidrRule: Rule = (value) => {
	const cidr = parseCidr(value);
	if (!cidr) return "cidr";
	return cidr.base % sizeOf(cidr) === 0 ? null : "cidrHostBits";
};

const prefixBetween = (least: number, most: number, key: RuleKey): Rule => (value) => {
	const bits = parseCidr(value)?.bits;
	return bits !== undefined && bits >= least && bits <= most ? null : key;
};

export const vpcCidrRule: Rule = (value) => check(value, cidrRule, prefixBetween(8, 28, "vpcPrefix"));
export const vswitchCidrRule: Rule = (value) => check(value, cidrRule, prefixBetween(16, 29, "vswitchPrefix"));

export const overlaps = (a: Cidr, b: Cidr): boolean => a.base < b.base + sizeOf(b) && b.base < a.base + sizeOf(a);

/** A range that lies inside another one. */
export const cidrInside = (outer: string): Rule => (value) => {
	const [whole, part] = [parseCidr(outer), parseCidr(value)];
	if (!whole || !part) return null;
	return part.bits >= whole.bits && overlaps(whole, part) ? null : "cidrOutside";
};

/** A range that none of the taken ones touches. */
export const cidrApart = (taken: readonly string[]): Rule => (value) => {
	const part = parseCidr(value);
	const touches = taken.some((text) => {
		const other = parseCidr(text);
		return part && other && overlaps(part, other);
	});
	return touches ? "cidrTaken" : null;
};

function formatIpv4(address: number): string {
	return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** The first range of that size in `outer` that none of the taken ones touches. */
export function freeRange(outer: string, taken: readonly string[], bits: number): string | undefined {
	const whole = parseCidr(outer);
	if (!whole || bits < whole.bits) return undefined;
	const used = taken.map(parseCidr).filter((cidr): cidr is Cidr => cidr !== undefined);
	const size = 2 ** (32 - bits);
	for (let base = whole.base; base < whole.base + sizeOf(whole);) {
		const hit = used.find((cidr) => overlaps(cidr, { base, bits }));
		if (!hit) return `${formatIpv4(base)}/${bits}`;
		base = Math.max(base + size, Math.ceil((hit.base + sizeOf(hit)) / size) * size);
	}
	return undefined;
}

export const addressRule: Rule = (value) => (parseIpv4(value) === undefined ? "address" : null);

/** An address that a vSwitch can give: in its range, neither its first address nor one of its last three. */
export const addressIn = (range: string): Rule => (value) => {
	const address = parseIpv4(value);
	const cidr = parseCidr(range);
	if (address === undefined) return "address";
	if (!cidr) return null;
	const place = address - cidr.base;
	if (place < 0 || place >= sizeOf(cidr)) return "addressOutside";
	return place === 0 || place >= sizeOf(cidr) - 3 ? "addressReserved" : null;
};

export const numberRule = (least: number, most: number): Rule => (value) =>
	/^\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most ? null : "number";

export const portRule: Rule = (value) => (numberRule(1, 65535)(value) ? "port" : null);

/** `443/443`, `1/65535`, or `-1/-1` for protocols without ports. */
export const portRangeRule: Rule = (value) => {
	if (value === "-1/-1") return null;
	const [from = "", to = "", ...rest] = value.split("/");
	return rest.length === 0 && !portRule(from) && !portRule(to) && Number(from) <= Number(to) ? null : "portRange";
};

/** What a security group's rule says of itself. */
export const ruleDescriptionRule: Rule = (value) => (length(value) > 512 || /^https?:\/\//.test(value) ? "ruleDescription" : null);

export const priorityRule: Rule = (value) => (numberRule(1, 100)(value) ? "percent" : null);
export const weightRule: Rule = (value) => (numberRule(0, 100)(value) ? "weight" : null);

export const accountRule: Rule = (value) => (value === "*" || /^\d{1,18}$/.test(value) ? null : "account");

export interface Tag {
	Key: string;
	Value: string;
}

export const tagLimit = 20;

const tagWords = (text: string): boolean => /^(aliyun|acs:)/i.test(text) || /https?:\/\//i.test(text);

export const tagKeyRule: Rule = (value) => {
	if (length(value) < 1 || length(value) > 64) return "tagKeyLength";
	return tagWords(value) ? "tagKeyWords" : null;
};

export const tagValueRule: Rule = (value) => (length(value) > 128 ? "tagValueLength" : tagWords(value) ? "tagKeyWords" : null);

/** What is wrong with a tag among all of them. */
export function checkTag(tags: readonly Tag[], i: number): RuleKey | null {
	const tag = tags[i] as Tag;
	if (i >= tagLimit) return "tagCount";
	if (tags.some((other, j) => j < i && other.Key === tag.Key)) return "tagKeyTwice";
	return tagKeyRule(tag.Key) ?? tagValueRule(tag.Value);
}

/** The fields that a form's rules refuse: `{name: "nameStart"}`, empty when it may be sent. */
export function checkAll<K extends string>(values: Record<K, string>, rules: Partial<Record<K, Rule>>): Partial<Record<K, RuleKey>> {
	const wrong: Partial<Record<K, RuleKey>> = {};
	for (const key of Object.keys(rules) as K[]) {
		const said = rules[key]?.(values[key]);
		if (said) wrong[key] = said;
	}
	return wrong;
}
