// SPDX-License-Identifier: Apache-2.0
// A call of the API as a line for `privlink` and one for `aliyun`. A command of privlink fits if its options say every parameter and
// nothing else; what none fits is said by `privlink call`.
import commands from "console/commands.json";
import type { Command, Option } from "console/commands.json";
import { flatten } from "./encode";
import type { Params, Product } from "./client";
import { shellLine } from "./quote";

export interface ApiCall {
	product: Product;
	action: string;
	region: string;
	params: Params;
}

/** What an option says, and which parameters that were. Null: it cannot say it. */
interface Said {
	values: string[];
	taken: string[];
}

type Flat = ReadonlyMap<string, string>;

const nothing: Said = { values: [], taken: [] };

function sayText(option: Option, flat: Flat): Said {
	const value = flat.get(option.parameter);
	return value === undefined ? nothing : { values: [value], taken: [option.parameter] };
}

function sayFlag(option: Option, flat: Flat, word: string): Said {
	return flat.get(option.parameter) === word ? { values: [""], taken: [option.parameter] } : nothing;
}

/** Entries `Name.1`, `Name.2` … with their parameters by member ("" for a plain list). */
function entriesOf(name: string, flat: Flat): Map<string, string>[] {
	const entries: Map<string, string>[] = [];
	for (const [key, value] of flat) {
		const match = key.startsWith(`${name}.`) && /^(\d+)(?:\.(.+))?$/.exec(key.slice(name.length + 1));
		if (!match) continue;
		const i = Number(match[1]) - 1;
		(entries[i] ??= new Map()).set(match[2] ?? "", value);
	}
	return entries.filter(Boolean);
}

function keysOf(name: string, i: number, entry: Map<string, string>): string[] {
	return [...entry.keys()].map((member) => (member ? `${name}.${i + 1}.${member}` : `${name}.${i + 1}`));
}

/** One value an entry, made by `say`; an entry that it cannot say is not taken. */
function sayEntries(name: string, flat: Flat, say: (entry: Map<string, string>) => string | null): Said {
	const said: Said = { values: [], taken: [] };
	entriesOf(name, flat).forEach((entry, i) => {
		const value = say(entry);
		if (value === null) return;
		said.values.push(value);
		said.taken.push(...keysOf(name, i, entry));
	});
	return said;
}

/** "a,b,c": no part may have a comma, and an empty one would be none. */
function joinParts(members: string[], entry: Map<string, string>): string | null {
	const parts = members.map((member) => entry.get(member) ?? "");
	const isWhole = [...entry.keys()].every((member) => members.includes(member)) && [...entry.values()].every((value) => value !== "" && !value.includes(","));
	const value = parts.join(",").replace(/,+$/, "");
	return isWhole && new TextEncoder().encode(value).length < 1000 ? value : null;
}

function sayService(flat: Flat, region: string): Said {
	const id = flat.get("ServiceId");
	const name = flat.get("ServiceName");
	if (id !== undefined && name === undefined) return id.startsWith("epsrv-") ? { values: [id], taken: ["ServiceId"] } : nothing;
	if (name === undefined || id !== undefined || !name.includes(".")) return nothing;
	const usual = `com.aliyuncs.privatelink.${region}.`;
	const product = name.startsWith(usual) ? name.slice(usual.length) : "";
	return { values: [/^[a-z][a-z0-9-]*$/.test(product) && !product.startsWith("epsrv-") ? product : name], taken: ["ServiceName"] };
}

function sayPorts(option: Option, flat: Flat): Said {
	const said = sayText(option, flat);
	const match = /^(\d+)\/(\d+)$/.exec(said.values[0] ?? "");
	return match ? { ...said, values: [match[1] === match[2] ? (match[1] as string) : `${match[1]}-${match[2]}`] } : said.values[0]?.includes("/") ? said : nothing;
}

const serverType = (id: string): string => (id.startsWith("i-") ? "Ecs" : id.startsWith("eni-") ? "Eni" : "Ip");

function sayServer(entry: Map<string, string>): string | null {
	const kind = entry.get("ServerType");
	if (kind !== serverType(entry.get("ServerId") ?? "")) return null;
	const rest = new Map([...entry].filter(([member]) => member !== "ServerType"));
	return rest.has("Port") ? joinParts(["ServerId", "Port", "Weight"], rest) : null;
}

function sayResource(option: Option, flat: Flat): Said {
	const id = flat.get("ResourceId");
	return id !== undefined && flat.get("ResourceType") === option.name.slice(2) ? { values: [id], taken: ["ResourceId", "ResourceType"] } : nothing;
}

function sayAccount(flat: Flat): Said {
	const id = flat.get("UserId");
	const arn = flat.get("UserARN");
	if (id !== undefined && arn === undefined && /^\d+$/.test(id)) return { values: [id], taken: ["UserId"] };
	return id === undefined && arn !== undefined && (arn === "*" || arn.startsWith("acs:")) ? { values: [arn], taken: ["UserARN"] } : nothing;
}

function sayYesNo(option: Option, flat: Flat): Said {
	const value = flat.get(option.parameter);
	return value === "true" || value === "false" ? { values: [value === "true" ? "yes" : "no"], taken: [option.parameter] } : nothing;
}

function sayOwn(option: Option, flat: Flat, region: string): Said {
	switch (option.name) {
		case "--service":
		case "SERVICE": return sayService(flat, region);
		case "--ports": return sayPorts(option, flat);
		case "--server":
			return option.parameter === "Servers" ? sayEntries("Servers", flat, sayServer)
				: sayEntries(option.parameter, flat, (entry) => joinParts(["ServerId", "Weight"], entry));
		case "--nlb":
		case "--slb": return sayResource(option, flat);
		case "ACCOUNT": return sayAccount(flat);
		case "--automatic": return sayYesNo(option, flat);
		default: return option.name.startsWith("--no-") ? sayFlag(option, flat, "false") : nothing;
	}
}

function say(option: Option, flat: Flat, region: string): Said {
	switch (option.type) {
		case "text": return sayText(option, flat);
		case "flag": return sayFlag(option, flat, "true");
		case "list": return sayEntries(option.parameter, flat, (entry) => entry.get("") ?? null);
		case "tuple": return sayEntries(option.parameter, flat, (entry) => joinParts(option.members ?? [], entry));
		case "own": return sayOwn(option, flat, region);
	}
}

const isPositional = (option: Option): boolean => !option.name.startsWith("-");

/** What begins with a dash would be taken for an option. */
function optionWords(option: Option, value: string): string[] {
	if (option.type === "flag" || option.name.startsWith("--no-")) return [option.name];
	return value.startsWith("-") ? [`${option.name}=${value}`] : [option.name, value];
}

/** The command's words, or null where it does not say the call. */
function fit(command: Command, flat: Flat, region: string): string[][] | null {
	const left = new Set(flat.keys());
	for (const [name, value] of Object.entries(command.fixed)) if (flat.get(name) !== value || !left.delete(name)) return null;
	const positional: string[] = [];
	const named: string[][] = [];
	for (const option of command.options) {
		const said = say(option, flat, region);
		if (option.required && said.values.length === 0) return null;
		if (said.taken.some((name) => !left.has(name))) continue;
		said.taken.forEach((name) => left.delete(name));
		if (!isPositional(option)) named.push(...said.values.map((value) => optionWords(option, value)));
		else if (said.values.some((value) => value.startsWith("-"))) return null;
		else positional.push(...said.values);
	}
	return left.size === 0 ? [["privlink", command.group, ...(command.name ? [command.name] : []), ...positional], ...named] : null;
}

/** The call's parameters in the order in which they were given. The region stands apart. */
function parametersOf(call: ApiCall): Map<string, string> {
	const flat = new Map(Object.entries(flatten(call.params)));
	for (const name of ["RegionId", "ClientToken"]) flat.delete(name);
	return flat;
}

export function privlinkLine(call: ApiCall): string {
	const flat = parametersOf(call);
	const region = call.region ? [["--region", call.region]] : [];
	for (const command of commands) {
		const words = command.product === call.product && command.action === call.action ? fit(command, flat, call.region) : null;
		if (words) return shellLine([...words, ...region]);
	}
	return shellLine([["privlink", "call", call.product, call.action], ...[...flat].map(([name, value]) => [`${name}=${value}`]), ...region]);
}

/** Parameters that aliyun takes as one value of JSON, by product and action; every other list is written entry by entry. */
const jsonParameters: Record<string, Record<string, string[]>> = {
	privatelink: {
		CreateVpcEndpointService: ["SupportedRegionList"],
		UpdateVpcEndpointServiceAttribute: ["AddSupportedRegionSet", "DeleteSupportedRegionSet"],
		TagResources: ["ResourceId", "Tag"],
		UntagResources: ["ResourceId", "TagKey"],
	},
	nlb: {
		CreateLoadBalancer: ["ZoneMappings", "DeletionProtectionConfig", "LoadBalancerBillingConfig", "ModificationProtectionConfig"],
		AddServersToServerGroup: ["Servers"],
		CreateServerGroup: ["HealthCheckConfig"],
		UpdateServerGroupAttribute: ["HealthCheckConfig"],
		TagResources: ["ResourceId", "Tag"],
		UntagResources: ["ResourceId", "TagKey"],
	},
	ecs: {
		AuthorizeSecurityGroup: ["Permissions"],
		RevokeSecurityGroup: ["Permissions"],
		AuthorizeSecurityGroupEgress: ["Permissions"],
		RevokeSecurityGroupEgress: ["Permissions"],
	},
};

/** Where the API is, as aliyun wants to know it. */
export interface Server {
	host: string;
	isPlain: boolean;
}

/** Takes `Name.1.Member` and the like out of the parameters; answers them as one value. */
function takeStructure(params: Params, name: string, flat: Record<string, string>): unknown {
	const parts = Object.entries(flat).filter(([key]) => key.startsWith(`${name}.`));
	if (parts.length === 0) return undefined;
	parts.forEach(([key]) => delete flat[key]);
	if (params[name] !== undefined) return params[name];
	const entries = entriesOf(name, new Map(parts));
	if (entries.length === 0) return Object.fromEntries(parts.map(([key, value]) => [key.slice(name.length + 1), value]));
	return entries.map((entry) => entry.get("") ?? Object.fromEntries(entry));
}

/** Null where aliyun knows nothing of the product. It is told the server, or it would call Alibaba Cloud's. */
export function aliyunLine(call: ApiCall, server?: Server): string | null {
	if (call.product === "privlink") return null;
	const flat = Object.fromEntries(parametersOf(call));
	for (const name of jsonParameters[call.product]?.[call.action] ?? []) {
		const value = takeStructure(call.params, name, flat);
		if (value !== undefined) flat[name] = JSON.stringify(value);
	}
	const options = Object.entries(flat).map(([name, value]) => (value.startsWith("-") || value === "" ? [`--${name}=${value}`] : [`--${name}`, value]));
	const where = server ? [["--endpoint", server.host, ...(server.isPlain ? ["--insecure"] : [])]] : [];
	return shellLine([["aliyun", call.product, call.action], ...(call.region ? [["--region", call.region]] : []), ...options, ...where]);
}
