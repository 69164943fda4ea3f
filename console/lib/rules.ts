// SPDX-License-Identifier: Apache-2.0
// Rules of security groups: the rows one sees, also those that nobody wrote, and the calls that change them.
import type { Params } from "./client";
import type { Values } from "./fields";
import { check, cidrRule, parseIpv4, portRangeRule } from "./form";
import type { Rule as FieldRule } from "./form";

export interface GroupRule {
	SecurityGroupRuleId: string;
	Direction: "ingress" | "egress";
	IpProtocol: string;
	PortRange: string;
	SourceCidrIp: string;
	DestCidrIp: string;
	Ipv6SourceCidrIp: string;
	Ipv6DestCidrIp: string;
	SourceGroupId: string;
	DestGroupId: string;
	Policy: "Accept" | "Drop";
	Priority: string;
	Description: string;
	CreateTime: string;
}

export type Direction = GroupRule["Direction"];

/** A row of the editor. Implicit rows hold where no written rule decides: `inner` between members, `default` for all else. */
export interface RuleRow {
	key: string;
	kind: "rule" | "inner" | "default";
	policy: "Accept" | "Drop";
	protocol: string;
	ports: string;
	/** A range of addresses or a group; empty in implicit rows. */
	peer: string;
	/** What comes later decides only where nothing before did. */
	order: number;
	description: string;
	rule?: GroupRule;
}

const afterAllRules = 101;

export const peerOf = (rule: GroupRule): string =>
	rule.SourceCidrIp || rule.DestCidrIp || rule.Ipv6SourceCidrIp || rule.Ipv6DestCidrIp || rule.SourceGroupId || rule.DestGroupId;

/** The rows of one direction; members of a normal group reach each other unless its policy says no. */
export function ruleRows(rules: readonly GroupRule[], direction: Direction, type: string, innerPolicy: string): RuleRow[] {
	const rows = rules.filter((rule) => rule.Direction === direction).map((rule): RuleRow => ({
		key: rule.SecurityGroupRuleId, kind: "rule", policy: rule.Policy, protocol: rule.IpProtocol.toUpperCase(), ports: rule.PortRange, peer: peerOf(rule),
		order: Number(rule.Priority), description: rule.Description, rule,
	}));
	const implicit = { protocol: "ALL", ports: "-1/-1", peer: "", description: "" };
	const isNormal = type !== "enterprise";
	if (direction === "ingress" && isNormal) {
		const opens = innerPolicy === "Accept";
		rows.push({ ...implicit, key: "inner", kind: "inner", policy: opens ? "Accept" : "Drop", order: afterAllRules });
	}
	const letsOut = direction === "egress" && isNormal;
	rows.push({ ...implicit, key: "default", kind: "default", policy: letsOut ? "Accept" : "Drop", order: afterAllRules + 1 });
	return rows;
}

export const hasPorts = (protocol: string): boolean => protocol === "TCP" || protocol === "UDP";

/** `443` and `8000-8080` are what people write. */
export function wholePorts(text: string): string {
	const parts = text.trim().split(/\s*[-/]\s*/);
	return parts.length <= 2 && parts.every((part) => /^\d+$/.test(part)) ? `${parts[0]}/${parts[1] ?? parts[0]}` : text.trim();
}

export const portsRule: FieldRule = (value) => portRangeRule(wholePorts(value));

/** One address, a range, or a range of IPv6, which the API checks. */
export const peerRule: FieldRule = (value) => {
	if (value.includes(":") || parseIpv4(value) !== undefined) return null;
	return check(value, cidrRule);
};

/** What a form for a rule starts with. */
export function valuesOfRule(rule: GroupRule | undefined, direction: Direction): Values {
	const cidr = cidrField(direction), group = groupField(direction);
	if (!rule) return { Policy: "Accept", IpProtocol: "TCP", PortRange: "", peer: "address", [cidr]: "", [group]: "", Priority: "1", Description: "" };
	const byGroup = rule.SourceGroupId || rule.DestGroupId;
	return {
		Policy: rule.Policy, IpProtocol: rule.IpProtocol.toUpperCase(), PortRange: rule.PortRange === "-1/-1" ? "" : rule.PortRange, Priority: rule.Priority, Description: rule.Description,
		peer: byGroup ? "group" : "address", [cidr]: byGroup ? "" : peerOf(rule), [group]: byGroup,
	};
}

export const cidrField = (direction: Direction): string => (direction === "ingress" ? "SourceCidrIp" : "DestCidrIp");
export const groupField = (direction: Direction): string => (direction === "ingress" ? "SourceGroupId" : "DestGroupId");

/** One entry of `Permissions`. */
export function permissionOf(values: Values, direction: Direction): Params {
	const cidr = values[cidrField(direction)] ?? "";
	const peer: Params = values["peer"] === "group" ? { [groupField(direction)]: values[groupField(direction)] }
		: cidr.includes(":") ? { [`Ipv6${cidrField(direction)}`]: cidr }
			: { [cidrField(direction)]: cidr.includes("/") ? cidr : `${cidr}/32` };
	return {
		IpProtocol: values["IpProtocol"],
		PortRange: hasPorts(values["IpProtocol"] ?? "") && values["PortRange"] ? wholePorts(values["PortRange"]) : "-1/-1",
		...peer, Policy: values["Policy"], Priority: values["Priority"], ...(values["Description"] ? { Description: values["Description"] } : {}),
	};
}

/** Whether the API holds the two for one rule: all but the description is the same. Then adding the one would add nothing. */
export function isSameRule(rule: GroupRule, permission: Params): boolean {
	const peer = permission["SourceCidrIp"] ?? permission["DestCidrIp"] ?? permission["Ipv6SourceCidrIp"] ?? permission["Ipv6DestCidrIp"] ?? permission["SourceGroupId"] ?? permission["DestGroupId"];
	return rule.IpProtocol.toUpperCase() === permission["IpProtocol"] && rule.PortRange === permission["PortRange"] && peerOf(rule) === peer
		&& rule.Policy === permission["Policy"] && rule.Priority === permission["Priority"];
}
