// SPDX-License-Identifier: Apache-2.0
// The security groups that an endpoint's network interfaces are in: what they let in, in short, and how groups come and go.
import { useState } from "react";
import { hasPorts, ruleRows } from "../lib/rules";
import type { GroupRule, RuleRow } from "../lib/rules";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Combobox } from "../ui/combobox";
import { Copied } from "../ui/copy";
import { Confirm, Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { Name } from "../ui/name";
import { Status } from "../ui/status";
import { whenFree } from "./acts";
import { useApp, useCall, useList, useText } from "./context";
import { CopyCall } from "./copy_call";
import type { TabProps } from "./endpoint_detail";
import { errorText, Failed, fieldError } from "./errors";
import { Link } from "./link";
import { stateOf } from "./states";

interface Attached {
	SecurityGroupId: string;
	SecurityGroupStatus: string;
}

interface Group {
	SecurityGroupId: string;
	SecurityGroupName: string;
	SecurityGroupType: string;
	Description: string;
	RuleCount: number;
}

interface GroupDetail {
	SecurityGroupName: string;
	InnerAccessPolicy: string;
	Permissions: { Permission: GroupRule[]; };
	NextToken?: string;
}

const isMoving = (row: Attached): boolean => /ing$/.test(row.SecurityGroupStatus);
const shownRules = 8;

export function EndpointGroups({ endpoint }: TabProps) {
	const t = useText();
	const { client, place } = useApp();
	const id = endpoint.EndpointId;
	const [isAttaching, setAttaching] = useState(false);
	const [detached, setDetached] = useState<Attached | null>(null);
	const list = useList<Attached>("privatelink", "ListVpcEndpointSecurityGroups", { EndpointId: id }, { items: "SecurityGroups", size: 50, every: 5000, busy: isMoving, key: (row) => row.SecurityGroupId });
	const all = useList<Group>("ecs", "DescribeSecurityGroups", { VpcId: endpoint.VpcId }, { items: "SecurityGroups.SecurityGroup", size: 100, every: 30_000, key: (row) => row.SecurityGroupId });
	if (list.state === "loading") return <p className="loading">{t.common.loading}</p>;
	if (list.state === "failed" && list.rows.length === 0) return <Failed error={list.error} reload={list.reload} />;
	const isLast = list.rows.filter((row) => row.SecurityGroupStatus !== "Detaching").length <= 1;
	return (
		<>
			<div className="toolbar">
				<Button kind="primary" icon="plus" onClick={() => setAttaching(true)}>{t.endpointGroups.attach}</Button>
				<p className="muted grow">{t.endpointGroups.intro}</p>
			</div>
			<div className="group-cards">
				{list.rows.map((row) => (
					<GroupCard key={row.SecurityGroupId} row={row} group={all.rows.find((group) => group.SecurityGroupId === row.SecurityGroupId)} onDetach={() => setDetached(row)} />
				))}
			</div>
			{isAttaching && <AttachDialog endpoint={endpoint} groups={all.rows} attached={list.rows.map((row) => row.SecurityGroupId)} onClose={() => setAttaching(false)} />}
			{detached && (
				<Confirm
					title={t.endpointGroups.detachTitle} text={<><p>{isLast ? t.endpointGroups.detachLast : t.endpointGroups.detachText}</p><CopyCall calls={{ product: "privatelink", action: "DetachSecurityGroupFromVpcEndpoint", region: place.region, params: { EndpointId: id, SecurityGroupId: detached.SecurityGroupId } }} /></>} danger confirmText={t.endpointGroups.detach}
					items={[{ key: detached.SecurityGroupId, name: detached.SecurityGroupId, effect: t.endpointGroups.detachEffect }]} onClose={() => setDetached(null)} errorText={(error) => errorText(error, t)}
					act={(group) => whenFree(() => client.write("privatelink", "DetachSecurityGroupFromVpcEndpoint", { EndpointId: id, SecurityGroupId: group }, place.region))}
				/>
			)}
		</>
	);
}

function GroupCard({ row, group, onDetach }: { row: Attached; group: Group | undefined; onDetach: () => void; }) {
	const t = useText();
	const asked = useCall<GroupDetail>("ecs", "DescribeSecurityGroupAttribute", { SecurityGroupId: row.SecurityGroupId, Direction: "ingress", MaxResults: 1000 }, { every: 10_000 });
	const name = group?.SecurityGroupName || asked.answer?.SecurityGroupName;
	const rows = ruleRows(asked.answer?.Permissions.Permission ?? [], "ingress", group?.SecurityGroupType ?? "", asked.answer?.InnerAccessPolicy ?? "");
	const rules = rows.filter((rule) => rule.kind === "rule").sort((a, b) => a.order - b.order || Number(b.policy === "Drop") - Number(a.policy === "Drop"));
	const implicit = rows.filter((rule) => rule.kind === "default" || rule.policy === "Accept").filter((rule) => rule.kind !== "rule");
	const editor = { page: "securitygroups", id: row.SecurityGroupId, query: {} };
	return (
		<section className="card group-card" aria-label={name || row.SecurityGroupId}>
			<header>
				<div className="grow two">
					<Link to={editor}><Name text={name || row.SecurityGroupId} /></Link>
					<Copied text={row.SecurityGroupId} />
				</div>
				<Status {...stateOf(row.SecurityGroupStatus, t)} />
				<Button kind="quiet" icon="unplug" disabled={row.SecurityGroupStatus === "Detaching"} aria-label={`${t.endpointGroups.detach} ${name || row.SecurityGroupId}`} title={t.endpointGroups.detach} onClick={onDetach} />
			</header>
			{asked.answer === undefined && asked.state === "failed" && <Banner kind="bad">{errorText(asked.error, t)}</Banner>}
			{asked.answer && (
				<ul className="rules" aria-label={t.endpointGroups.rules}>
					{rules.slice(0, shownRules).map((rule) => (
						<li key={rule.key}>
							<Judgement rule={rule} />
							<span className="mono">{portsText(rule)}</span>
							<span className="mono">{t.endpointGroups.from(rule.peer)}</span>
							<span className="muted">{t.endpointGroups.priority(String(rule.order))}</span>
						</li>
					))}
					{rules.length > shownRules && <li className="implicit"><Link to={editor}>{t.endpointGroups.moreRules(rules.length - shownRules)}</Link></li>}
					{implicit.map((rule) => (
						<li key={rule.key} className="implicit">
							<Judgement rule={rule} />
							<span>{rule.kind === "inner" ? t.endpointGroups.inner : t.endpointGroups.rest}</span>
							<span className="muted">{t.endpointGroups.implicit}</span>
						</li>
					))}
				</ul>
			)}
			<footer><Link to={editor}>{t.endpointGroups.editRules}</Link></footer>
		</section>
	);
}

function Judgement({ rule }: { rule: RuleRow; }) {
	const t = useText();
	return rule.policy === "Drop" ? <Status kind="bad" text={t.endpointGroups.drop} /> : <Status kind="ok" text={t.endpointGroups.accept} />;
}

/** `TCP 443`, `TCP 8000-8080`, `ICMP`. */
function portsText(rule: RuleRow): string {
	const [from = "", to = ""] = rule.ports.split("/");
	if (!hasPorts(rule.protocol) || from === "-1") return rule.protocol;
	return from === to ? `${rule.protocol} ${from}` : `${rule.protocol} ${from}-${to}`;
}

function AttachDialog({ endpoint, groups, attached, onClose }: TabProps & { groups: Group[]; attached: string[]; onClose: () => void; }) {
	const t = useText();
	const { client, place } = useApp();
	const [group, setGroup] = useState("");
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>();
	const options = groups.filter((row) => !attached.includes(row.SecurityGroupId)).map((row) => ({
		value: row.SecurityGroupId, text: row.SecurityGroupName || row.SecurityGroupId, detail: [row.SecurityGroupId, t.endpointGroups.ruleCount(row.RuleCount), row.Description].filter(Boolean).join(" · "),
	}));
	const params = { EndpointId: endpoint.EndpointId, SecurityGroupId: group };
	const save = async (): Promise<void> => {
		setBusy(true);
		try {
			await whenFree(() => client.write("privatelink", "AttachSecurityGroupToVpcEndpoint", params, place.region));
			onClose();
		} catch (failure) {
			setError(failure);
			setBusy(false);
		}
	};
	const said = error === undefined ? undefined : fieldError(error, "SecurityGroupId", t) ?? errorText(error, t);
	const foot = (
		<>
			<Button onClick={onClose}>{t.ui.cancel}</Button>
			<Button kind="primary" type="submit" busy={busy} disabled={!group}>{t.endpointGroups.attach}</Button>
		</>
	);
	return (
		<Dialog title={t.endpointGroups.attachTitle} onClose={onClose} onSubmit={() => { if (group) void save(); }} foot={foot}>
			<Field label={t.endpointGroups.group} error={said}>
				<Combobox value={group} options={options} onChange={setGroup} placeholder={t.endpointGroups.choose} empty={t.endpointGroups.noOther} />
			</Field>
			{group && <CopyCall calls={{ product: "privatelink", action: "AttachSecurityGroupToVpcEndpoint", region: place.region, params: params }} />}
		</Dialog>
	);
}
