// SPDX-License-Identifier: Apache-2.0
// Load balancers: the list, a new one in two zones or more, and one with its listeners and zones.
import { useState } from "react";
import { addressIn, descriptionRule, nameRule, numberRule, optional, portRule } from "../lib/form";
import type { Fields } from "../lib/filter";
import type { Values } from "../lib/fields";
import { formatTime } from "../lib/time";
import { Button } from "../ui/button";
import { Copied } from "../ui/copy";
import { Status } from "../ui/status";
import { Tabs } from "../ui/tabs";
import { Ref, nameColumn, numberColumn, refColumn, tagWords, textColumn, useColumns } from "./columns";
import { useCall, useGo, useLanguage, useText, useTitle } from "./context";
import type { Asked, PageProps } from "./context";
import { CreatePage, FormDialog, useForm, useValues } from "./form";
import type { FormField } from "./form";
import { PageHead } from "./head";
import { Listing } from "./listing";
import { useBalancers, useListeners, useServerGroups, useVpcs, useVswitches } from "./network";
import type { Balancer, EcsTag, Listener, Vswitch } from "./network";
import { Facts, ObjectPage } from "./object";
import { ActButton, ObjectList } from "./object_list";
import type { ManyAct, PlainCall } from "./object_list";
import { stateOf } from "./states";
import { vpcOption } from "./vswitches";

const keyOf = (row: Balancer): string => row.LoadBalancerId;
const nameOf = (row: Balancer): string => row.LoadBalancerName;
type Mapping = Balancer["ZoneMappings"][number];
const addressesOf = (row: Balancer): string[] => row.ZoneMappings.flatMap((zone) => zone.LoadBalancerAddresses.map((address) => address.PrivateIPv4Address));

const fields: Fields<Balancer> = {
	id: keyOf, name: nameOf, status: (row) => row.LoadBalancerStatus, vpc: (row) => row.VpcId, zone: (row) => row.ZoneMappings.map((zone) => zone.ZoneId),
	address: addressesOf, dns: (row) => row.DNSName, group: (row) => row.SecurityGroupIds, tag: (row) => tagWords(row.Tags),
};

function useDelete(): ManyAct<Balancer> {
	const t = useText();
	return {
		key: "delete", text: t.network.delete, icon: "trash", danger: true, title: t.balancers.deleteTitle, explain: t.balancers.deleteText,
		effect: (row) => t.balancers.deleteEffect(addressesOf(row).join(", ")),
		call: (row) => ({ product: "nlb", action: "DeleteLoadBalancer", params: { LoadBalancerId: row.LoadBalancerId } }),
	};
}

export function BalancersPage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const list = useBalancers();
	const make = useColumns(Object.keys(fields));
	useTitle(t.balancers.title);
	const create = <Button kind="primary" icon="plus" onClick={() => go({ page: "balancers", id: "create" })}>{t.balancers.create}</Button>;
	const columns = [
		nameColumn<Balancer>(t.network.name, "balancers", keyOf, nameOf),
		make.status<Balancer>((row) => row.LoadBalancerStatus),
		refColumn<Balancer>("vpc", t.network.vpc, (row) => row.VpcId),
		textColumn<Balancer>("zones", t.balancers.zones, 30, (row) => row.ZoneMappings.map((zone) => zone.ZoneId).join(", ")),
		textColumn<Balancer>("addresses", t.balancers.addresses, 24, (row) => addressesOf(row).join(", "), "mono"),
		make.tags<Balancer>((row) => row.Tags),
		make.created<Balancer>((row) => row.CreateTime),
	];
	return (
		<>
			<PageHead title={t.balancers.title} text={t.balancers.intro}>{create}</PageHead>
			<ObjectList
				label={t.balancers.title} list={list} columns={columns} fields={fields} keyOf={keyOf} nameOf={nameOf} page="balancers" acts={[useDelete()]}
				tagging={{ kind: "balancer", tagsOf: (row) => row.Tags }} nothing={{ title: t.balancers.noneTitle, text: t.balancers.noneText(place.region), action: create }}
			/>
		</>
	);
}

/** Two fields for each zone in which the VPC has vSwitches. */
function useZoneFields(vswitches: Vswitch[], values: Values): { fields: FormField[]; mappings: Record<string, string>[]; } {
	const t = useText();
	const zones = [...new Set(vswitches.map((row) => row.ZoneId))].sort();
	const mappings: Record<string, string>[] = [];
	const zoneFields = zones.flatMap((zone): FormField[] => {
		const own = vswitches.filter((row) => row.ZoneId === zone);
		const chosen = own.find((row) => row.VSwitchId === values[`vswitch ${zone}`]);
		const address = values[`address ${zone}`];
		if (chosen) mappings.push({ ZoneId: zone, VSwitchId: chosen.VSwitchId, ...(address ? { PrivateIPv4Address: address } : {}) });
		const options = [{ value: "", text: t.balancers.notHere }, ...own.map((row) => ({ value: row.VSwitchId, text: `${row.VSwitchName || row.VSwitchId} · ${row.CidrBlock}` }))];
		return [
			{ name: `vswitch ${zone}`, label: t.balancers.vswitchIn(zone), kind: "select", optional: true, options, codes: /VSwitch|ZoneMappings|Zone$/ },
			...(chosen ? [{ name: `address ${zone}`, label: t.balancers.addressIn(zone), optional: true, rules: [addressIn(chosen.CidrBlock)], hint: t.instances.addressHint, codes: /ResourceInUse.IP|PrivateIPv4Address/ }] : []),
		];
	});
	return { fields: zoneFields, mappings };
}

export function CreateBalancerPage(_: PageProps) {
	const t = useText();
	const go = useGo();
	const vpcs = useVpcs();
	const [values, set] = useValues({ VpcId: "", LoadBalancerName: "" });
	const vswitches = useVswitches(values["VpcId"] ? { VpcId: values["VpcId"] } : null);
	const { fields: zoneFields, mappings } = useZoneFields(vswitches.rows, values);
	const form = useForm<{ LoadbalancerId: string; }>({
		product: "nlb", action: "CreateLoadBalancer", values, set, tags: true, done: (answer) => go({ page: "balancers", id: answer.LoadbalancerId }, true),
		params: { AddressType: "Intranet", VpcId: values["VpcId"], ZoneMappings: mappings, ...(values["LoadBalancerName"] ? { LoadBalancerName: values["LoadBalancerName"] } : {}) },
		refusal: values["VpcId"] && mappings.length < 2 ? t.balancers.twoZones : undefined,
		fields: [
			{ name: "LoadBalancerName", label: t.network.nameField, optional: true, rules: [nameRule], hint: t.network.nameHint },
			{ name: "VpcId", label: t.network.vpc, kind: "combo", options: vpcs.rows.map(vpcOption), empty: t.network.noVpcs, placeholder: t.network.choose, codes: /^ResourceNotFound.Vpc$/ },
			...zoneFields,
		],
	});
	return (
		<CreatePage title={t.balancers.create} text={t.balancers.createText} form={form} submit={t.balancers.create} back={{ page: "balancers" }} backText={t.balancers.title}>
			{values["VpcId"] && vswitches.state === "ready" && zoneFields.length === 0 && <p className="field-warning">{t.balancers.noVswitches}</p>}
		</CreatePage>
	);
}

const tabs = ["listeners", "zones"] as const;

export function BalancerPage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const language = useLanguage();
	const id = place.id as string;
	const asked = useCall<Omit<Balancer, "Tags"> & { Tags: EcsTag[]; }>("nlb", "GetLoadBalancerAttribute", { LoadBalancerId: id }, { every: 5000, busy: (row) => row.LoadBalancerStatus !== "Active" });
	const remove = useDelete();
	const active = tabs.find((tab) => tab === place.tab) ?? "listeners";
	const titles = { listeners: t.balancers.listeners, zones: t.balancers.zones };
	const object: Balancer | undefined = asked.answer && { ...asked.answer, Tags: [] };
	return (
		<ObjectPage
			id={id} list={{ page: "balancers" }} listTitle={t.balancers.title} asked={asked} object={object} nameOf={nameOf}
			acts={(row) => <ActButton act={remove} row={row} name={nameOf(row) || id} after={() => go({ page: "balancers", id: undefined })} />}
		>
			{(row) => (
				<>
					<Facts label={t.network.basics} facts={[
						[t.network.status, <Status {...stateOf(row.LoadBalancerStatus, t)} />],
						[t.network.vpc, <Ref id={row.VpcId} />],
						[t.balancers.dns, row.DNSName ? <Copied text={row.DNSName} /> : ""],
						[t.securityGroups.title, row.SecurityGroupIds.length === 0 ? t.balancers.noGroups : <>{row.SecurityGroupIds.map((group) => <div key={group}><Ref id={group} /></div>)}</>],
						[t.balancers.protection, row.DeletionProtectionConfig.Enabled ? t.balancers.protected : t.balancers.notProtected],
						[t.network.created, formatTime(row.CreateTime, language)],
					]} />
					<Tabs label={t.balancers.contents} active={active} tabs={tabs.map((key) => ({ key, title: titles[key] }))} onSelect={(tab) => go({ tab, query: { q: "", sort: "" } })}>
						{active === "listeners" ? <ListenerList balancer={row} /> : <ZoneList balancer={row} asked={asked} />}
					</Tabs>
				</>
			)}
		</ObjectPage>
	);
}

const zoneFields: Fields<Mapping> = {
	zone: (row) => row.ZoneId, vswitch: (row) => row.VSwitchId, status: (row) => row.Status, address: (row) => row.LoadBalancerAddresses.map((address) => address.PrivateIPv4Address),
};

function ZoneList({ balancer, asked }: { balancer: Balancer; asked: Pick<Asked<unknown>, "state" | "error" | "reload">; }) {
	const t = useText();
	const make = useColumns(Object.keys(zoneFields));
	const first = (row: Mapping): Mapping["LoadBalancerAddresses"][number] | undefined => row.LoadBalancerAddresses[0];
	const rows = balancer.ZoneMappings;
	const columns = [
		textColumn<Mapping>("zone", t.network.zone, 20, (row) => row.ZoneId),
		make.status<Mapping>((row) => row.Status),
		{ key: "address", title: t.network.address, width: 18, sort: (row: Mapping) => first(row)?.PrivateIPv4Address ?? "", cell: (row: Mapping) => <Copied text={first(row)?.PrivateIPv4Address ?? ""} /> },
		refColumn<Mapping>("vswitch", t.network.vswitch, (row) => row.VSwitchId),
		refColumn<Mapping>("interface", t.interfaces.id, (row) => first(row)?.EniId ?? ""),
	];
	return <Listing label={t.balancers.zones} list={{ rows, total: rows.length, ...asked }} columns={columns} fields={zoneFields} rowKey={(row) => row.ZoneId} defaultSort="zone" nothing={{ title: t.balancers.noZones, text: "" }} />;
}

const listenerFields: Fields<Listener> = {
	id: (row) => row.ListenerId, status: (row) => row.ListenerStatus, protocol: (row) => row.ListenerProtocol, port: (row) => String(row.ListenerPort), servers: (row) => row.ServerGroupId,
	description: (row) => row.ListenerDescription,
};

export interface ListenerHealth {
	ListenerHealthStatus: { ServerGroupInfos: { HeathCheckEnabled: boolean; NonNormalServers: { ServerId: string; Port: number; Status: string; Reason?: { ReasonCode: string; }; }[]; }[]; }[];
}

/** How many servers behind a listener are not as they should be. */
function Health({ listener }: { listener: string; }) {
	const t = useText();
	const asked = useCall<ListenerHealth>("nlb", "GetListenerHealthStatus", { ListenerId: listener }, { every: 5000 });
	const info = asked.answer?.ListenerHealthStatus[0]?.ServerGroupInfos[0];
	if (!info) return null;
	if (!info.HeathCheckEnabled) return <Status {...stateOf("NotChecked", t)} />;
	const n = info.NonNormalServers.length;
	return <Status kind={n > 0 ? "bad" : "ok"} text={n > 0 ? t.balancers.notHealthy(n) : t.balancers.allHealthy} />;
}

function ListenerList({ balancer }: { balancer: Balancer; }) {
	const t = useText();
	const [adding, setAdding] = useState(false);
	const list = useListeners({ LoadBalancerIds: [balancer.LoadBalancerId] });
	const make = useColumns(Object.keys(listenerFields));
	const call = (action: string) => (row: Listener): PlainCall => ({ product: "nlb", action, params: { ListenerId: row.ListenerId } });
	const nameOfListener = (row: Listener): string => `${row.ListenerProtocol} ${row.ListenerPort}`;
	const acts: ManyAct<Listener>[] = [
		{ key: "start", text: t.instances.start, icon: "play", title: t.balancers.startTitle, explain: t.balancers.startText, effect: () => t.balancers.startEffect, call: call("StartListener") },
		{ key: "stop", text: t.instances.stop, icon: "stop", danger: true, title: t.balancers.stopTitle, explain: t.balancers.stopText, effect: () => t.balancers.stopEffect, call: call("StopListener") },
		{ key: "delete", text: t.network.delete, icon: "trash", danger: true, title: t.balancers.deleteListenerTitle, explain: t.balancers.stopText, effect: (row) => t.balancers.deleteListenerEffect(row.ServerGroupId), call: call("DeleteListener") },
	];
	const columns = [
		textColumn<Listener>("port", t.balancers.listener, 18, nameOfListener),
		make.status<Listener>((row) => row.ListenerStatus),
		{ key: "health", title: t.balancers.health, width: 28, cell: (row: Listener) => <Health listener={row.ListenerId} /> },
		refColumn<Listener>("servers", t.serverGroups.one, (row) => row.ServerGroupId),
		refColumn<Listener>("id", "ID", (row) => row.ListenerId),
		numberColumn<Listener>("idle", t.balancers.idle, 14, (row) => row.IdleTimeout),
		textColumn<Listener>("description", t.network.description, 24, (row) => row.ListenerDescription),
	];
	const add = <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>{t.balancers.addListener}</Button>;
	return (
		<>
			<ObjectList
				label={t.balancers.listeners} list={list} columns={columns} fields={listenerFields} keyOf={(row) => row.ListenerId} nameOf={nameOfListener} acts={acts} defaultSort="port" tools={add}
				nothing={{ title: t.balancers.noListeners, text: t.balancers.noListenersText }}
			/>
			{adding && <ListenerDialog balancer={balancer} onClose={() => setAdding(false)} />}
		</>
	);
}

function ListenerDialog({ balancer, onClose }: { balancer: Balancer; onClose: () => void; }) {
	const t = useText();
	const groups = useServerGroups({ VpcId: balancer.VpcId });
	const [values, set] = useValues({ ListenerProtocol: "TCP", ListenerPort: "", ServerGroupId: "", IdleTimeout: "", ListenerDescription: "" });
	const options = groups.rows.filter((row) => row.Protocol === values["ListenerProtocol"])
		.map((row) => ({ value: row.ServerGroupId, text: row.ServerGroupName || row.ServerGroupId, detail: `${row.ServerGroupId} · ${t.serverGroups.count(row.ServerCount)}` }));
	const fields: FormField[] = [
		{ name: "ListenerProtocol", label: t.sgRules.protocol, kind: "choice", options: ["TCP", "UDP"].map((value) => ({ value, text: value })), codes: /^Mismatch.Protocol$/ },
		{ name: "ListenerPort", label: t.balancers.port, rules: [portRule], placeholder: "443", codes: /^ResourceAlreadyExist.Listener$/ },
		{ name: "ServerGroupId", label: t.serverGroups.one, kind: "combo", options, empty: t.balancers.noServerGroups(values["ListenerProtocol"] ?? ""), placeholder: t.network.choose, codes: /serverGroup|^Mismatch.VpcId$/ },
		{ name: "IdleTimeout", label: t.balancers.idle, optional: true, rules: [optional(numberRule(1, 900))], hint: t.balancers.idleHint },
		{ name: "ListenerDescription", label: t.network.description, optional: true, rules: [descriptionRule] },
	];
	const form = useForm({
		product: "nlb", action: "CreateListener", values, set, fields, done: onClose,
		params: { LoadBalancerId: balancer.LoadBalancerId, ...Object.fromEntries(Object.entries(values).filter(([, value]) => value)) },
	});
	return <FormDialog title={t.balancers.addListener} form={form} submit={t.balancers.addListener} onClose={onClose} />;
}
