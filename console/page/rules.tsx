// SPDX-License-Identifier: Apache-2.0
// The editor of a security group's rules, one direction at a time. Rows that nobody wrote stand among the others: what they
// let through is let through.
import { useState } from "react";
import { visible } from "../lib/visible";
import type { Params } from "../lib/client";
import { priorityRule, ruleDescriptionRule } from "../lib/form";
import type { Fields } from "../lib/filter";
import { cidrField, groupField, hasPorts, isSameRule, peerRule, permissionOf, portsRule, ruleRows, valuesOfRule } from "../lib/rules";
import type { Direction, GroupRule, RuleRow } from "../lib/rules";
import type { Texts } from "../text/en";
import { Name } from "../ui/name";
import { Button } from "../ui/button";
import { Status } from "../ui/status";
import type { Column } from "../ui/table";
import { Ref } from "./columns";
import { useText } from "./context";
import type { Asked } from "./context";
import { FormDialog, useForm, useValues } from "./form";
import type { FormField } from "./form";
import { Listing } from "./listing";
import { useGroups } from "./network";
import type { Group } from "./network";
import { ManyConfirm } from "./object_list";
import type { ManyAct, PlainCall } from "./object_list";

export interface GroupAttribute {
	SecurityGroupId: string;
	SecurityGroupName: string;
	Description: string;
	VpcId: string;
	InnerAccessPolicy: string;
	Permissions: { Permission: GroupRule[]; };
}

const actions = { ingress: ["AuthorizeSecurityGroup", "RevokeSecurityGroup"], egress: ["AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress"] } as const;

const keyOf = (row: RuleRow): string => row.key;
const isWritten = (row: RuleRow): boolean => row.kind === "rule";

const fields: Fields<RuleRow> = {
	id: (row) => row.rule?.SecurityGroupRuleId, policy: (row) => row.policy, protocol: (row) => row.protocol, ports: (row) => row.ports, peer: (row) => row.peer,
	priority: (row) => String(row.order), description: (row) => row.description,
};

const portsText = (row: RuleRow, t: Texts): string => (row.ports === "-1/-1" ? t.sgRules.allPorts : row.ports.replace(/^(\d+)\/\1$/, "$1").replace("/", "–"));

function peerText(row: RuleRow, t: Texts): string {
	if (row.kind === "inner") return t.sgRules.members;
	return row.kind === "default" ? t.sgRules.everything : row.peer;
}

const sentence = (row: RuleRow, direction: Direction, t: Texts): string => t.sgRules.sentence(row.policy === "Accept", row.protocol, portsText(row, t), peerText(row, t), direction === "ingress");

function columnsOf(direction: Direction, t: Texts, acts: (row: RuleRow) => JSX.Element | null): Column<RuleRow>[] {
	const peerTitle = direction === "ingress" ? t.sgRules.source : t.sgRules.destination;
	const implicit: Record<RuleRow["kind"], string> = { rule: "", inner: t.sgRules.innerText, default: direction === "ingress" ? t.sgRules.defaultIn : t.sgRules.defaultOut };
	return [
		{ key: "priority", title: t.sgRules.priority, width: 11, sort: (row) => row.order, cell: (row) => (isWritten(row) ? row.order : <span className="muted">{t.sgRules.implicit}</span>) },
		{ key: "policy", title: t.sgRules.policy, width: 11, sort: (row) => row.policy, cell: (row) => <Status kind={row.policy === "Accept" ? "ok" : "bad"} text={row.policy === "Accept" ? t.sgRules.accept : t.sgRules.drop} /> },
		{ key: "protocol", title: t.sgRules.protocol, width: 11, sort: (row) => row.protocol, cell: (row) => (row.protocol === "ALL" ? t.sgRules.allProtocols : row.protocol) },
		{ key: "ports", title: t.sgRules.ports, width: 12, sort: (row) => row.ports, cell: (row) => <span className="mono">{portsText(row, t)}</span> },
		{ key: "peer", title: peerTitle, width: 25, sort: (row) => row.peer, cell: (row) => (row.peer.startsWith("sg-") ? <Ref id={row.peer} /> : <span className={row.peer ? "mono" : ""}>{peerText(row, t)}</span>) },
		{ key: "description", title: t.network.description, width: 22, sort: (row) => row.description, cell: (row) => <span className={isWritten(row) ? "" : "muted"} title={visible(row.description || implicit[row.kind])}><Name text={row.description || implicit[row.kind]} /></span> },
		{ key: "acts", title: t.sgRules.acts, width: 20, cell: acts },
	];
}

type Open = { kind: "edit"; rule?: GroupRule; } | { kind: "revoke"; rows: RuleRow[]; clear?: () => void; } | { kind: "inner"; row: RuleRow; } | null;

export function RuleList({ group, type, direction, asked }: { group: GroupAttribute; type: Group["SecurityGroupType"]; direction: Direction; asked: Asked<GroupAttribute>; }) {
	const t = useText();
	const [open, setOpen] = useState<Open>(null);
	const rows = ruleRows(group.Permissions.Permission, direction, type, group.InnerAccessPolicy);
	const close = (): void => setOpen(null);
	const acts = (row: RuleRow): JSX.Element | null => {
		if (row.kind === "default") return null;
		if (row.kind === "inner") return <Button className="small" onClick={() => setOpen({ kind: "inner", row })}>{row.policy === "Accept" ? t.sgRules.setDrop : t.sgRules.setAccept}</Button>;
		return (
			<span className="row tight">
				<Button className="small" aria-label={t.sgRules.editOne(sentence(row, direction, t))} onClick={() => setOpen({ kind: "edit", rule: row.rule })}>{t.sgRules.edit}</Button>
				<Button className="small" kind="danger" aria-label={t.sgRules.revokeOne(sentence(row, direction, t))} onClick={() => setOpen({ kind: "revoke", rows: [row] })}>{t.sgRules.revoke}</Button>
			</span>
		);
	};
	const revoke: ManyAct<RuleRow> = {
		key: "revoke", text: t.sgRules.revoke, icon: "trash", danger: true, title: t.sgRules.revokeTitle, explain: t.sgRules.revokeText, effect: (row) => visible(row.description) || t.sgRules.revokeEffect(row.order),
		call: (row) => ({ product: "ecs", action: actions[direction][1], params: { SecurityGroupId: group.SecurityGroupId, SecurityGroupRuleId: [row.key] } }),
	};
	const other = group.InnerAccessPolicy === "Accept" ? "Drop" : "Accept";
	const inner: ManyAct<RuleRow> = {
		key: "inner", text: other === "Drop" ? t.sgRules.setDrop : t.sgRules.setAccept, icon: "refresh", danger: other === "Drop", title: () => t.sgRules.innerTitle, explain: t.sgRules.innerExplain,
		effect: () => (other === "Drop" ? t.sgRules.innerToDrop : t.sgRules.innerToAccept),
		call: () => ({ product: "ecs", action: "ModifySecurityGroupPolicy", params: { SecurityGroupId: group.SecurityGroupId, InnerAccessPolicy: other } }),
	};
	const list = { rows, total: rows.length, state: asked.state, error: asked.error, reload: asked.reload };
	return (
		<>
			<Listing
				label={direction === "ingress" ? t.sgRules.ingress : t.sgRules.egress} list={list} columns={columnsOf(direction, t, acts)} fields={fields} rowKey={keyOf} rowName={(row) => sentence(row, direction, t)}
				defaultSort="priority" tools={<Button kind="primary" icon="plus" onClick={() => setOpen({ kind: "edit" })}>{t.sgRules.add}</Button>} nothing={{ title: t.sgRules.none, text: "" }}
				acts={(chosen, clear) => {
					const written = chosen.filter(isWritten);
					return <>
						<Button kind="danger" icon="trash" disabled={written.length === 0} onClick={() => setOpen({ kind: "revoke", rows: written, clear })}>{t.sgRules.revoke}</Button>
						{written.length < chosen.length && <span className="muted">{t.sgRules.notRevocable}</span>}
					</>;
				}}
			/>
			{open?.kind === "edit" && <RuleDialog group={group} direction={direction} rule={open.rule} onClose={close} />}
			{open?.kind === "revoke" && <ManyConfirm act={revoke} rows={open.rows} keyOf={keyOf} nameOf={(row) => sentence(row, direction, t)} onClose={close} onDone={open.clear} />}
			{open?.kind === "inner" && <ManyConfirm act={inner} rows={[open.row]} keyOf={keyOf} nameOf={() => group.SecurityGroupName || group.SecurityGroupId} onClose={close} />}
		</>
	);
}

const protocols = ["TCP", "UDP", "ICMP", "ICMPv6", "GRE", "ALL"];

/** Rules that people want most, as values of the form. */
const examples = [
	{ text: "HTTPS", IpProtocol: "TCP", PortRange: "443" },
	{ text: "HTTP", IpProtocol: "TCP", PortRange: "80" },
	{ text: "SSH", IpProtocol: "TCP", PortRange: "22" },
	{ text: "DNS", IpProtocol: "UDP", PortRange: "53" },
	{ text: "Ping", IpProtocol: "ICMP", PortRange: "" },
];

/** A new rule, or another in the place of one: the API changes none. It takes two that differ by their description alone for one. */
function callsFor(group: string, direction: Direction, permission: Params, old: GroupRule | undefined): PlainCall[] {
	const [authorize, revoke] = actions[direction];
	const add: PlainCall = { product: "ecs", action: authorize, params: { SecurityGroupId: group, Permissions: [permission] } };
	if (!old) return [add];
	const take: PlainCall = { product: "ecs", action: revoke, params: { SecurityGroupId: group, SecurityGroupRuleId: [old.SecurityGroupRuleId] } };
	return isSameRule(old, permission) ? [take, add] : [add, take];
}

function RuleDialog({ group, direction, rule, onClose }: { group: GroupAttribute; direction: Direction; rule: GroupRule | undefined; onClose: () => void; }) {
	const t = useText();
	const [values, set] = useValues(valuesOfRule(rule, direction));
	const others = useGroups({ VpcId: group.VpcId });
	const permission = permissionOf(values, direction);
	const byGroup = values["peer"] === "group";
	const peerLabel = direction === "ingress" ? t.sgRules.source : t.sgRules.destination;
	const ports: FormField = { name: "PortRange", label: t.sgRules.ports, rules: [portsRule], hint: t.sgRules.portsHint, placeholder: "443" };
	const options = others.rows.filter((row) => row.SecurityGroupId !== group.SecurityGroupId).map((row) => ({ value: row.SecurityGroupId, text: row.SecurityGroupName || row.SecurityGroupId, detail: row.SecurityGroupId }));
	const form = useForm({
		product: "ecs", action: actions[direction][0], values, set, params: { SecurityGroupId: group.SecurityGroupId, Permissions: [permission] }, done: onClose,
		calls: callsFor(group.SecurityGroupId, direction, permission, rule),
		fields: [
			{ name: "Policy", label: t.sgRules.policy, kind: "choice", options: [{ value: "Accept", text: t.sgRules.accept }, { value: "Drop", text: t.sgRules.drop }] },
			{ name: "IpProtocol", label: t.sgRules.protocol, kind: "select", options: protocols.map((value) => ({ value, text: value === "ALL" ? t.sgRules.allProtocols : value })), codes: /ConflictWithIpv/ },
			...(hasPorts(values["IpProtocol"] ?? "") ? [ports] : []),
			{ name: "peer", label: peerLabel, kind: "choice", options: [{ value: "address", text: t.sgRules.addresses }, { value: "group", text: t.sgRules.group }] },
			byGroup
				? { name: groupField(direction), label: t.sgRules.group, kind: "combo", options, empty: t.sgRules.noOtherGroup, placeholder: t.network.choose, codes: /InvalidParamter.Conflict/ }
				: { name: cidrField(direction), label: t.sgRules.addresses, rules: [peerRule], hint: t.sgRules.addressesHint, placeholder: "10.0.0.0/8", codes: /CidrIp|^MissingParameter\.(Source|Dest)$/ },
			{ name: "Priority", label: t.sgRules.priority, rules: [priorityRule], hint: t.sgRules.priorityHint },
			{ name: "Description", label: t.network.description, optional: true, rules: [ruleDescriptionRule], codes: /SecurityGroupDiscription/ },
		],
	});
	return (
		<FormDialog title={rule ? t.sgRules.editTitle : direction === "ingress" ? t.sgRules.addIngress : t.sgRules.addEgress} form={form} submit={rule ? t.common.save : t.sgRules.add} onClose={onClose} text={(
			<span className="row">
				<span className="muted">{t.sgRules.fill}</span>
				{examples.map(({ text, ...part }) => <Button key={text} className="small" onClick={() => form.change(part)}>{text}</Button>)}
			</span>
		)} />
	);
}
