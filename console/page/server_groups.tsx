// SPDX-License-Identifier: Apache-2.0
// Server groups: the list, a new one with its health check, and one with its servers and how they are.
import { useState } from "react";
import { addressRule, nameRule, numberRule, portRule, weightRule } from "../lib/form";
import type { Fields } from "../lib/filter";
import { splitList } from "../lib/fields";
import type { Values } from "../lib/fields";
import type { Texts } from "../text/en";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Status } from "../ui/status";
import type { ListenerHealth } from "./balancers";
import { Ref, nameColumn, numberColumn, refColumn, tagWords, textColumn, useColumns } from "./columns";
import { useCall, useGo, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { CreatePage, FormDialog, useForm, useValues } from "./form";
import type { FormField } from "./form";
import { PageHead } from "./head";
import { keyOfServer, useInstances, useListeners, useServerGroups, useServers, useVpcs } from "./network";
import type { Server, ServerGroup } from "./network";
import { Facts, ObjectPage } from "./object";
import { ActButton, ObjectList } from "./object_list";
import type { ManyAct } from "./object_list";
import { stateOf } from "./states";
import type { Shown } from "./states";
import { vpcOption } from "./vswitches";

const keyOf = (row: ServerGroup): string => row.ServerGroupId;
const nameOf = (row: ServerGroup): string => row.ServerGroupName;

const fields: Fields<ServerGroup> = {
	id: keyOf, name: nameOf, status: (row) => row.ServerGroupStatus, type: (row) => row.ServerGroupType, protocol: (row) => row.Protocol, vpc: (row) => row.VpcId,
	balancer: (row) => row.RelatedLoadBalancerIds, tag: (row) => tagWords(row.Tags),
};

function checkText({ HealthCheck: check }: ServerGroup, t: Texts): string {
	return check.HealthCheckEnabled ? t.serverGroups.checkText(check.HealthCheckType, check.HealthCheckInterval, check.HealthCheckConnectPort, check.HealthCheckUrl ?? "") : t.states.NotChecked;
}

function useDelete(): ManyAct<ServerGroup> {
	const t = useText();
	return {
		key: "delete", text: t.network.delete, icon: "trash", danger: true, title: t.serverGroups.deleteTitle, explain: t.serverGroups.deleteText,
		effect: (row) => (row.RelatedLoadBalancerIds.length > 0 ? t.serverGroups.deleteUsed(row.RelatedLoadBalancerIds.join(", ")) : t.serverGroups.count(row.ServerCount)),
		call: (row) => ({ product: "nlb", action: "DeleteServerGroup", params: { ServerGroupId: row.ServerGroupId } }),
	};
}

export function ServerGroupsPage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const list = useServerGroups();
	const make = useColumns(Object.keys(fields));
	useTitle(t.serverGroups.title);
	const create = <Button kind="primary" icon="plus" onClick={() => go({ page: "servergroups", id: "create" })}>{t.serverGroups.create}</Button>;
	const columns = [
		nameColumn<ServerGroup>(t.network.name, "servergroups", keyOf, nameOf),
		make.status<ServerGroup>((row) => row.ServerGroupStatus),
		textColumn<ServerGroup>("protocol", t.sgRules.protocol, 11, (row) => row.Protocol),
		numberColumn<ServerGroup>("servers", t.serverGroups.servers, 11, (row) => row.ServerCount),
		textColumn<ServerGroup>("check", t.serverGroups.check, 30, (row) => checkText(row, t)),
		refColumn<ServerGroup>("vpc", t.network.vpc, (row) => row.VpcId),
		refColumn<ServerGroup>("balancer", t.balancers.one, (row) => row.RelatedLoadBalancerIds[0] ?? ""),
		make.tags<ServerGroup>((row) => row.Tags),
	];
	return (
		<>
			<PageHead title={t.serverGroups.title} text={t.serverGroups.intro}>{create}</PageHead>
			<ObjectList
				label={t.serverGroups.title} list={list} columns={columns} fields={fields} keyOf={keyOf} nameOf={nameOf} page="servergroups" acts={[useDelete()]} defaultSort="name"
				tagging={{ kind: "servers", tagsOf: (row) => row.Tags }} nothing={{ title: t.serverGroups.noneTitle, text: t.serverGroups.noneText(place.region), action: create }}
			/>
		</>
	);
}

/** What the health check is to be; an HTTP one has a path. */
function checkFields(values: Values, t: Texts): FormField[] {
	if (!values["HealthCheckEnabled"]) return [];
	const number = (name: string, label: string, least: number, most: number): FormField => ({ name, label, rules: [numberRule(least, most)], hint: t.serverGroups.between(least, most) });
	const types = values["Protocol"] === "UDP" ? ["UDP", "TCP", "HTTP"] : ["TCP", "HTTP"];
	return [
		{ name: "HealthCheckType", label: t.serverGroups.checkType, kind: "select", options: types.map((value) => ({ value, text: value })) },
		...(values["HealthCheckType"] === "HTTP" ? [{ name: "HealthCheckUrl", label: t.serverGroups.path, placeholder: "/healthz" }] : []),
		{ ...number("HealthCheckConnectPort", t.serverGroups.checkPort, 0, 65535), hint: t.serverGroups.checkPortHint },
		number("HealthCheckInterval", t.serverGroups.interval, 1, 50),
		number("HealthCheckConnectTimeout", t.serverGroups.timeout, 1, 300),
		number("HealthyThreshold", t.serverGroups.healthyAfter, 2, 10),
		number("UnhealthyThreshold", t.serverGroups.unhealthyAfter, 2, 10),
	];
}

export function CreateServerGroupPage(_: PageProps) {
	const t = useText();
	const go = useGo();
	const vpcs = useVpcs();
	const [values, set] = useValues({
		ServerGroupName: "", VpcId: "", ServerGroupType: "Instance", Protocol: "TCP", Scheduler: "Wrr", HealthCheckEnabled: "true", HealthCheckType: "TCP", HealthCheckUrl: "",
		HealthCheckConnectPort: "0", HealthCheckInterval: "5", HealthCheckConnectTimeout: "5", HealthyThreshold: "2", UnhealthyThreshold: "2",
	});
	const checks = checkFields(values, t);
	const pick = (names: string[]): Record<string, string> => Object.fromEntries(names.filter((name) => values[name]).map((name) => [name, values[name] as string]));
	const form = useForm<{ ServerGroupId: string; }>({
		product: "nlb", action: "CreateServerGroup", values, set, tags: true, done: (answer) => go({ page: "servergroups", id: answer.ServerGroupId }, true),
		params: {
			...pick(["ServerGroupName", "VpcId", "ServerGroupType", "Protocol", "Scheduler"]),
			HealthCheckConfig: { HealthCheckEnabled: values["HealthCheckEnabled"] === "true" ? "true" : "false", ...pick(checks.map((field) => field.name)) },
		},
		fields: [
			{ name: "ServerGroupName", label: t.network.nameField, rules: [nameRule], hint: t.network.nameHint },
			{ name: "VpcId", label: t.network.vpc, kind: "combo", options: vpcs.rows.map(vpcOption), empty: t.network.noVpcs, placeholder: t.network.choose, codes: /^ResourceNotFound.Vpc$/ },
			{
				name: "ServerGroupType", label: t.serverGroups.type, kind: "choice",
				options: [{ value: "Instance", text: t.serverGroups.instance, detail: t.serverGroups.instanceText }, { value: "Ip", text: t.serverGroups.ip, detail: t.serverGroups.ipText }],
			},
			{ name: "Protocol", label: t.sgRules.protocol, kind: "choice", options: ["TCP", "UDP"].map((value) => ({ value, text: value })) },
			{ name: "Scheduler", label: t.serverGroups.scheduler, kind: "select", options: [{ value: "Wrr", text: t.serverGroups.wrr }, { value: "Tch", text: t.serverGroups.tch }] },
			{ name: "HealthCheckEnabled", label: t.serverGroups.checkOn, kind: "check", optional: true, hint: t.serverGroups.checkOnHint },
			...checks,
		],
	});
	return <CreatePage title={t.serverGroups.create} text={t.serverGroups.createText} form={form} submit={t.serverGroups.create} back={{ page: "servergroups" }} backText={t.serverGroups.title} />;
}

export function ServerGroupPage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const id = place.id as string;
	const list = useServerGroups({ ServerGroupIds: [id] });
	const remove = useDelete();
	return (
		<ObjectPage
			id={id} list={{ page: "servergroups" }} listTitle={t.serverGroups.title} asked={list} object={list.rows[0]} nameOf={nameOf}
			acts={(row) => <ActButton act={remove} row={row} name={nameOf(row) || id} after={() => go({ page: "servergroups", id: undefined })} />}
		>
			{(row) => (
				<>
					<Facts label={t.network.basics} facts={[
						[t.network.status, <Status {...stateOf(row.ServerGroupStatus, t)} />],
						[t.network.vpc, <Ref id={row.VpcId} />],
						[t.sgRules.protocol, row.Protocol],
						[t.serverGroups.scheduler, row.Scheduler.toLowerCase() === "tch" ? t.serverGroups.tch : t.serverGroups.wrr],
						[t.serverGroups.check, checkText(row, t)],
						[t.balancers.one, row.RelatedLoadBalancerIds.length === 0 ? "" : <>{row.RelatedLoadBalancerIds.map((balancer) => <div key={balancer}><Ref id={balancer} /></div>)}</>],
					]} />
					<h2 className="part">{t.serverGroups.servers}</h2>
					<ServerList group={row} />
				</>
			)}
		</ObjectPage>
	);
}

/** How each server is. Health is what listeners' probes found, so a group without a listener has none. */
function useHealth(group: ServerGroup): (server: Server) => Shown & { detail?: string; } {
	const t = useText();
	const used = group.RelatedLoadBalancerIds.length > 0;
	const listeners = useListeners(used ? { LoadBalancerIds: group.RelatedLoadBalancerIds } : null);
	const listener = listeners.rows.find((row) => row.ServerGroupId === group.ServerGroupId);
	const asked = useCall<ListenerHealth>("nlb", "GetListenerHealthStatus", listener ? { ListenerId: listener.ListenerId } : null, { every: 3000 });
	const info = asked.answer?.ListenerHealthStatus[0]?.ServerGroupInfos[0];
	return (server) => {
		if (!group.HealthCheck.HealthCheckEnabled) return stateOf("NotChecked", t);
		if (!used || (listeners.state === "ready" && !listener)) return stateOf("Unused", t);
		if (!info) return { kind: "wait", text: t.common.loading };
		const bad = info.NonNormalServers.find((entry) => entry.ServerId === server.ServerId && entry.Port === server.Port);
		if (!bad) return stateOf("Healthy", t);
		if (server.Weight === 0) return { kind: "off", text: t.serverGroups.weightless };
		return { ...stateOf(bad.Status, t), ...(bad.Reason ? { detail: bad.Reason.ReasonCode } : {}) };
	};
}

function ServerList({ group }: { group: ServerGroup; }) {
	const t = useText();
	const [adding, setAdding] = useState(false);
	const list = useServers(group.ServerGroupId);
	const healthOf = useHealth(group);
	const make = useColumns([]);
	const serverFields: Fields<Server> = {
		id: (row) => row.ServerId, address: (row) => row.ServerIp, port: (row) => String(row.Port), zone: (row) => row.ZoneId, status: (row) => row.Status, health: (row) => healthOf(row).text,
		description: (row) => row.Description,
	};
	const remove: ManyAct<Server> = {
		key: "remove", text: t.serverGroups.remove, icon: "minus", danger: true, title: t.serverGroups.removeTitle, explain: t.serverGroups.removeText, effect: (row) => `${row.ServerIp}:${row.Port}`,
		call: (row) => ({ product: "nlb", action: "RemoveServersFromServerGroup", params: { ServerGroupId: group.ServerGroupId, Servers: [{ ServerId: row.ServerId, ServerType: row.ServerType, Port: row.Port }] } }),
	};
	const columns = [
		refColumn<Server>("server", t.serverGroups.server, (row) => row.ServerId),
		{
			key: "health", title: t.balancers.health, width: 30, sort: (row: Server) => healthOf(row).text,
			cell: (row: Server) => { const shown = healthOf(row); return <><Status {...shown} />{shown.detail && <span className="muted"> {shown.detail}</span>}</>; },
		},
		textColumn<Server>("address", t.network.address, 16, (row) => row.ServerIp, "mono"),
		numberColumn<Server>("port", t.balancers.port, 9, (row) => row.Port),
		numberColumn<Server>("weight", t.serverGroups.weight, 10, (row) => row.Weight),
		textColumn<Server>("zone", t.network.zone, 16, (row) => row.ZoneId),
		make.status<Server>((row) => row.Status),
		textColumn<Server>("description", t.network.description, 20, (row) => row.Description),
	];
	const add = <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>{t.serverGroups.add}</Button>;
	return (
		<>
			{group.RelatedLoadBalancerIds.length === 0 && <Banner kind="info">{t.serverGroups.noListener}</Banner>}
			<ObjectList
				label={t.serverGroups.servers} list={list} columns={columns} fields={serverFields} keyOf={keyOfServer} nameOf={(row) => row.ServerId} acts={[remove]} defaultSort="server" tools={add}
				nothing={{ title: t.serverGroups.noServers, text: t.serverGroups.noServersText }}
			/>
			{adding && <ServerDialog group={group} onClose={() => setAdding(false)} />}
		</>
	);
}

function ServerDialog({ group, onClose }: { group: ServerGroup; onClose: () => void; }) {
	const t = useText();
	const byAddress = group.ServerGroupType === "Ip";
	const instances = useInstances(byAddress ? null : { VpcId: group.VpcId });
	const [values, set] = useValues({ Servers: "", Port: "", Weight: "100" });
	const options = instances.rows.map((row) => ({ value: row.InstanceId, text: row.InstanceName || row.InstanceId, detail: `${row.InstanceId} · ${row.VpcAttributes.PrivateIpAddress.IpAddress[0] ?? ""} · ${row.ZoneId}` }));
	const codes = /^ResourceNotFound\.(Ecs|Eni)$|BackendServer|^IllegalParam\.(IP|ServerId)$|^Mismatch|^QuotaExceeded/;
	const servers = splitList(values["Servers"] ?? "").map((id) => ({ ServerId: id.trim(), ServerType: byAddress ? "Ip" : "Ecs", Port: values["Port"], Weight: values["Weight"] }));
	const form = useForm({
		product: "nlb", action: "AddServersToServerGroup", values, set, params: { ServerGroupId: group.ServerGroupId, Servers: servers }, done: onClose,
		fields: [
			byAddress
				? { name: "Servers", label: t.network.address, rules: [addressRule], hint: t.serverGroups.addressHint, codes }
				: { name: "Servers", label: t.instances.title, kind: "many", options, empty: t.serverGroups.noInstances, codes },
			{ name: "Port", label: t.balancers.port, rules: [portRule], hint: t.serverGroups.portHint, placeholder: "443" },
			{ name: "Weight", label: t.serverGroups.weight, rules: [weightRule], hint: t.serverGroups.weightHint },
		],
	});
	return <FormDialog title={t.serverGroups.add} form={form} submit={t.serverGroups.add} onClose={onClose} />;
}
