// SPDX-License-Identifier: Apache-2.0
// For administrators: nodes, accounts with their access keys, and what stands behind the services of the catalogue.
import { useState } from "react";
import { nameRule } from "../lib/form";
import type { Fields } from "../lib/filter";
import { formatTime } from "../lib/time";
import { Name } from "../ui/name";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Copied, CopyButton } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Status } from "../ui/status";
import type { Column } from "../ui/table";
import { nameColumn, numberColumn, textColumn, useColumns } from "./columns";
import { useGo, useLanguage, useList, useText, useTitle } from "./context";
import type { List, PageProps } from "./context";
import { FormDialog, useForm, useValues } from "./form";
import { PageHead } from "./head";
import { useBalancers } from "./network";
import { Facts, ObjectPage } from "./object";
import { ObjectList } from "./object_list";
import type { ManyAct, PlainCall } from "./object_list";
import { Link } from "./link";
import { stateOf } from "./states";

interface Node {
	NodeName: string;
	Number: number;
	Live: boolean;
	StatusInfo: string;
	LostTime?: string;
	Zones: string[];
	InstanceCount: number;
	Mtu: number;
	Underlay?: string;
}

const nodeFields: Fields<Node> = {
	name: (row) => row.NodeName, live: (row) => (row.Live ? "yes" : "no"), zone: (row) => row.Zones, underlay: (row) => row.Underlay, state: (row) => row.StatusInfo,
};

export function NodesPage(_: PageProps) {
	const t = useText();
	const language = useLanguage();
	const list = useList<Node>("privlink", "ListNodes", {}, { items: "Nodes", paging: "none", every: 5000, key: (row) => row.NodeName });
	useTitle(t.nodes.title);
	const remove: ManyAct<Node> = {
		key: "delete", text: t.nodes.forget, icon: "trash", danger: true, title: t.nodes.forgetTitle, explain: t.nodes.forgetText,
		effect: (row) => (row.Live ? t.nodes.forgetLive : t.nodes.forgetInstances(row.InstanceCount)),
		call: (row) => ({ product: "privlink", action: "DeleteNode", params: { NodeName: row.NodeName, ...(row.InstanceCount > 0 ? { Force: true } : {}) } }),
	};
	const columns: Column<Node>[] = [
		textColumn("name", t.nodes.name, 22, (row) => row.NodeName, "mono"),
		{
			key: "live", title: t.network.status, width: 34, sort: (row) => (row.Live ? 1 : 0),
			cell: (row) => <Status kind={row.Live ? "ok" : "bad"} text={row.Live ? t.nodes.live : t.nodes.lost(formatTime(row.LostTime, language))} />,
		},
		textColumn("zones", t.nodes.zones, 34, (row) => row.Zones.join(", ") || t.nodes.allZones),
		numberColumn("instances", t.instances.title, 12, (row) => row.InstanceCount),
		numberColumn("mtu", "MTU", 9, (row) => row.Mtu),
		textColumn("underlay", t.nodes.underlay, 18, (row) => row.Underlay ?? "", "mono"),
		textColumn("state", t.nodes.state, 60, (row) => row.StatusInfo),
	];
	return (
		<>
			<PageHead title={t.nodes.title} text={t.nodes.intro} />
			<ObjectList label={t.nodes.title} list={list} columns={columns} fields={nodeFields} keyOf={(row) => row.NodeName} nameOf={(row) => row.NodeName} acts={[remove]} defaultSort="name" nothing={{ title: t.nodes.noneTitle, text: t.nodes.noneText }} />
		</>
	);
}

interface Account {
	AccountId: number;
	AccountName: string;
	Admin: boolean;
	CreateTime: string;
}

const accountFields: Fields<Account> = { id: (row) => String(row.AccountId), name: (row) => row.AccountName, admin: (row) => (row.Admin ? "yes" : "no") };

export function AccountsPage(_: PageProps) {
	const t = useText();
	const go = useGo();
	const [adding, setAdding] = useState(false);
	const list = useList<Account>("privlink", "ListAccounts", {}, { items: "Accounts", every: 15_000, key: (row) => String(row.AccountId) });
	const make = useColumns(Object.keys(accountFields));
	useTitle(t.accounts.title);
	const create = <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>{t.accounts.create}</Button>;
	const columns: Column<Account>[] = [
		{
			key: "name", title: t.network.name, width: 34, sort: (row) => row.AccountName,
			cell: (row) => <div className="two"><Link to={{ page: "accounts", id: String(row.AccountId) }}><Name text={row.AccountName} /></Link><Copied text={String(row.AccountId)} /></div>,
		},
		textColumn("admin", t.accounts.role, 22, (row) => (row.Admin ? t.accounts.administrator : t.accounts.ordinary)),
		make.created((row) => row.CreateTime),
	];
	return (
		<>
			<PageHead title={t.accounts.title} text={t.accounts.intro}>{create}</PageHead>
			<ObjectList
				label={t.accounts.title} list={list} columns={columns} fields={accountFields} keyOf={(row) => String(row.AccountId)} nameOf={(row) => row.AccountName} page="accounts"
				nothing={{ title: t.accounts.noneTitle, text: "", action: create }}
			/>
			{adding && <AccountDialog onClose={() => setAdding(false)} onMade={(id) => go({ page: "accounts", id })} />}
		</>
	);
}

function AccountDialog({ onClose, onMade }: { onClose: () => void; onMade: (id: string) => void; }) {
	const t = useText();
	const [values, set] = useValues({ AccountName: "", Admin: "" });
	const form = useForm<{ AccountId: number; }>({
		product: "privlink", action: "CreateAccount", values, set, done: (answer) => onMade(String(answer.AccountId)),
		fields: [
			{ name: "AccountName", label: t.network.nameField, rules: [nameRule], hint: t.network.nameHint },
			{ name: "Admin", label: t.accounts.administrator, kind: "check", optional: true, hint: t.accounts.administratorHint },
		],
	});
	return <FormDialog title={t.accounts.create} form={form} submit={t.accounts.create} onClose={onClose} />;
}

interface Key {
	AccountId: number;
	AccessKeyId: string;
	UserId?: string;
	Status: string;
	CreateTime: string;
}

interface NewKey {
	AccessKeyId: string;
	AccessKeySecret: string;
}

const keyFields: Fields<Key> = { id: (row) => row.AccessKeyId, user: (row) => row.UserId, status: (row) => row.Status };

export function AccountPage({ place }: PageProps) {
	const t = useText();
	const language = useLanguage();
	const id = place.id as string;
	const list = useList<Account>("privlink", "ListAccounts", {}, { items: "Accounts", key: (row) => String(row.AccountId) });
	return (
		<ObjectPage id={id} list={{ page: "accounts" }} listTitle={t.accounts.title} asked={list} object={list.rows.find((row) => String(row.AccountId) === id)} nameOf={(row) => row.AccountName}>
			{(row) => (
				<>
					<Facts label={t.network.basics} facts={[
						[t.frame.accountId, <Copied text={id} />],
						[t.accounts.role, row.Admin ? t.accounts.administrator : t.accounts.ordinary],
						[t.network.created, formatTime(row.CreateTime, language)],
					]} />
					<h2 className="part">{t.keysOf.title}</h2>
					<KeyList account={id} />
				</>
			)}
		</ObjectPage>
	);
}

function KeyList({ account }: { account: string; }) {
	const t = useText();
	const [made, setMade] = useState<NewKey | null>(null);
	const [adding, setAdding] = useState(false);
	const list = useList<Key>("privlink", "ListAccessKeys", { AccountId: account }, { items: "AccessKeys", every: 15_000, key: (row) => row.AccessKeyId });
	const make = useColumns(Object.keys(keyFields));
	const update = (Status: string) => (row: Key): PlainCall => ({ product: "privlink", action: "UpdateAccessKey", params: { AccessKeyId: row.AccessKeyId, Status } });
	const acts: ManyAct<Key>[] = [
		{ key: "enable", text: t.keysOf.enable, icon: "play", title: t.keysOf.enableTitle, explain: t.keysOf.enableText, effect: (row) => stateOf(row.Status, t).text, call: update("Active") },
		{ key: "disable", text: t.keysOf.disable, icon: "stop", danger: true, title: t.keysOf.disableTitle, explain: t.keysOf.disableText, effect: (row) => stateOf(row.Status, t).text, call: update("Inactive") },
		{
			key: "delete", text: t.network.delete, icon: "trash", danger: true, title: t.keysOf.deleteTitle, explain: t.keysOf.deleteText, effect: (row) => stateOf(row.Status, t).text,
			call: (row) => ({ product: "privlink", action: "DeleteAccessKey", params: { AccessKeyId: row.AccessKeyId } }),
		},
	];
	const columns: Column<Key>[] = [
		{ key: "id", title: t.activity.key, width: 34, sort: (row) => row.AccessKeyId, cell: (row) => <Copied text={row.AccessKeyId} /> },
		make.status((row) => row.Status),
		textColumn("user", t.keysOf.user, 24, (row) => row.UserId ?? t.keysOf.root),
		make.created((row) => row.CreateTime),
	];
	return (
		<>
			<ObjectList
				label={t.keysOf.title} list={list} columns={columns} fields={keyFields} keyOf={(row) => row.AccessKeyId} nameOf={(row) => row.AccessKeyId} acts={acts}
				tools={<Button kind="primary" icon="plus" onClick={() => setAdding(true)}>{t.keysOf.create}</Button>} nothing={{ title: t.keysOf.noneTitle, text: t.keysOf.noneText }}
			/>
			{adding && <CreateKey account={account} onClose={() => setAdding(false)} onMade={setMade} />}
			{made && <SecretDialog made={made} onClose={() => setMade(null)} />}
		</>
	);
}

function CreateKey({ account, onClose, onMade }: { account: string; onClose: () => void; onMade: (made: NewKey) => void; }) {
	const t = useText();
	const [values, set] = useValues({});
	const form = useForm<NewKey>({
		product: "privlink", action: "CreateAccessKey", values, set, fields: [], params: { AccountId: account },
		done: (made) => {
			onMade(made);
			onClose();
		},
	});
	return <FormDialog title={t.keysOf.createTitle} text={t.keysOf.createText} form={form} submit={t.keysOf.create} onClose={onClose} />;
}

/** The one time that the secret can be seen. */
function SecretDialog({ made, onClose }: { made: NewKey; onClose: () => void; }) {
	const t = useText();
	return (
		<Dialog title={t.keysOf.secretTitle} onClose={onClose} foot={<Button kind="primary" onClick={onClose}>{t.keysOf.saved}</Button>}>
			<Banner kind="warn">{t.keysOf.secretOnce}</Banner>
			<p>{t.activity.key}</p>
			<div className="code-line"><code>{made.AccessKeyId}</code><CopyButton text={made.AccessKeyId} label={t.activity.key} /></div>
			<p>{t.keysOf.secret}</p>
			<div className="code-line"><code>{made.AccessKeySecret}</code><CopyButton text={made.AccessKeySecret} label={t.keysOf.secret} /></div>
		</Dialog>
	);
}

interface SystemService {
	ServiceId: string;
	ServiceName: string;
	ServiceDomain: string;
	ServiceStatus: string;
	CreateTime: string;
}

interface Resource {
	ResourceId: string;
	ZoneId: string;
	Ip: string;
	RelatedEndpointCount: number;
	VpcId?: string;
}

/** Services of accounts have their id in the name; those of the catalogue have a product's. */
const isSystem = (row: SystemService): boolean => !row.ServiceName.includes("epsrv-");

const serviceFields: Fields<SystemService> = { id: (row) => row.ServiceId, name: (row) => row.ServiceName, domain: (row) => row.ServiceDomain, status: (row) => row.ServiceStatus };

/** An administrator's services are also those that belong to no account. */
function useSystemServices(): List<SystemService> {
	const all = useList<SystemService>("privatelink", "ListVpcEndpointServices", {}, { items: "Services", every: 10_000, key: (row) => row.ServiceId });
	const rows = all.rows.filter(isSystem);
	return { ...all, rows, total: rows.length };
}

export function BindingsPage({ place }: PageProps) {
	const t = useText();
	const make = useColumns(Object.keys(serviceFields));
	useTitle(t.bindings.title);
	const columns: Column<SystemService>[] = [
		nameColumn(t.bindings.service, "bindings", (row) => row.ServiceId, (row) => row.ServiceName),
		make.status((row) => row.ServiceStatus),
		{ key: "domain", title: t.endpoints.domain, width: 46, sort: (row) => row.ServiceDomain, cell: (row) => (row.ServiceDomain ? <Copied text={row.ServiceDomain} /> : null) },
	];
	columns[0] = { ...(columns[0] as Column<SystemService>), width: 50 };
	return (
		<>
			<PageHead title={t.bindings.title} text={t.bindings.intro} />
			<ObjectList
				label={t.bindings.title} list={useSystemServices()} columns={columns} fields={serviceFields} keyOf={(row) => row.ServiceId} nameOf={(row) => row.ServiceName} defaultSort="name" page="bindings"
				nothing={{ title: t.bindings.noneTitle, text: t.bindings.noneText(place.region) }}
			/>
		</>
	);
}

export function BindingPage({ place }: PageProps) {
	const t = useText();
	const id = place.id as string;
	const list = useSystemServices();
	return (
		<ObjectPage id={id} list={{ page: "bindings" }} listTitle={t.bindings.title} asked={list} object={list.rows.find((row) => row.ServiceId === id)} nameOf={(row) => row.ServiceName}>
			{(row) => (
				<>
					<Facts label={t.network.basics} facts={[
						[t.network.status, <Status {...stateOf(row.ServiceStatus, t)} />],
						[t.endpoints.domain, <Copied text={row.ServiceDomain} />],
					]} />
					<h2 className="part">{t.bindings.resources}</h2>
					<ResourceList service={row} />
				</>
			)}
		</ObjectPage>
	);
}

const resourceFields: Fields<Resource> = { id: (row) => row.ResourceId, zone: (row) => row.ZoneId, address: (row) => row.Ip, vpc: (row) => row.VpcId };

function ResourceList({ service }: { service: SystemService; }) {
	const t = useText();
	const [binding, setBinding] = useState(false);
	const keyOf = (row: Resource): string => `${row.ResourceId} ${row.ZoneId}`;
	const list = useList<Resource>("privatelink", "ListVpcEndpointServiceResources", { ServiceId: service.ServiceId }, { items: "Resources", size: 50, every: 5000, key: keyOf });
	const unbind: ManyAct<Resource> = {
		key: "unbind", text: t.bindings.unbind, icon: "minus", danger: true, title: t.bindings.unbindTitle, explain: t.bindings.unbindText,
		effect: (row) => (row.RelatedEndpointCount > 0 ? t.bindings.serves(row.RelatedEndpointCount) : t.bindings.servesNone),
		call: (row) => ({ product: "privlink", action: "UnbindSystemService", params: { ServiceName: service.ServiceName, ResourceId: row.ResourceId, ZoneId: row.ZoneId } }),
	};
	const columns: Column<Resource>[] = [
		{ key: "id", title: t.balancers.one, width: 30, sort: (row) => row.ResourceId, cell: (row) => <Copied text={row.ResourceId} /> },
		textColumn("zone", t.network.zone, 20, (row) => row.ZoneId),
		textColumn("address", t.network.address, 18, (row) => row.Ip, "mono"),
		numberColumn("endpoints", t.endpoints.title, 14, (row) => row.RelatedEndpointCount),
	];
	return (
		<>
			<ObjectList
				label={t.bindings.resources} list={list} columns={columns} fields={resourceFields} keyOf={keyOf} nameOf={keyOf} acts={[unbind]} defaultSort="zone"
				tools={<Button kind="primary" icon="plus" onClick={() => setBinding(true)}>{t.bindings.bind}</Button>} nothing={{ title: t.bindings.unserved, text: t.bindings.unservedText }}
			/>
			{binding && <BindingDialog service={service} onClose={() => setBinding(false)} />}
		</>
	);
}

function BindingDialog({ service, onClose }: { service: SystemService; onClose: () => void; }) {
	const t = useText();
	const balancers = useBalancers();
	const [values, set] = useValues({ ResourceId: "", ZoneId: "" });
	const own = balancers.rows.map((row) => row.LoadBalancerId);
	const form = useForm({
		product: "privlink", action: "BindSystemService", values, set, done: onClose,
		params: { ServiceName: service.ServiceName, ResourceId: values["ResourceId"], ...(values["ZoneId"] ? { ZoneId: values["ZoneId"] } : {}) },
		fields: [
			{ name: "ResourceId", label: t.balancers.one, placeholder: "nlb-…", hint: own.length > 0 ? t.bindings.own(own.slice(0, 3).join(", ")) : t.bindings.anyAccount, codes: /LoadBalancer|ResourceExist/ },
			{ name: "ZoneId", label: t.network.zone, optional: true, hint: t.bindings.zoneHint, codes: /Zone/ },
		],
	});
	return <FormDialog title={t.bindings.bindTitle} text={<span className="mono">{service.ServiceName}</span>} form={form} submit={t.bindings.bind} onClose={onClose} />;
}
