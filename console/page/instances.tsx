// SPDX-License-Identifier: Apache-2.0
// Instances: the list, new ones, and one with the line that leads into it.
import { addressIn, descriptionRule, nameRule, numberRule, optional } from "../lib/form";
import type { Fields } from "../lib/filter";
import { paramsOf, splitList } from "../lib/fields";
import { formatTime } from "../lib/time";
import { Button } from "../ui/button";
import { Copied, CopyButton } from "../ui/copy";
import { Status } from "../ui/status";
import { Ref, nameColumn, refColumn, tagWords, textColumn, useColumns } from "./columns";
import { useApp, useGo, useLanguage, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { CreatePage, useForm, useValues } from "./form";
import type { FormField } from "./form";
import { PageHead } from "./head";
import { InterfaceList } from "./interfaces";
import { plainTags, useGroups, useInstances, useVpcs, useVswitches } from "./network";
import type { Instance } from "./network";
import { Facts, ObjectPage } from "./object";
import { ActButton, ObjectList } from "./object_list";
import type { ManyAct, PlainCall } from "./object_list";
import { stateOf } from "./states";

const keyOf = (row: Instance): string => row.InstanceId;
const nameOf = (row: Instance): string => row.InstanceName;
const addressOf = (row: Instance): string => row.VpcAttributes.PrivateIpAddress.IpAddress[0] ?? "";
const execLine = (id: string): string => `privlink exec ${id} -- bash`;

const fields: Fields<Instance> = {
	id: keyOf, name: nameOf, host: (row) => row.HostName, description: (row) => row.Description, status: (row) => row.Status, zone: (row) => row.ZoneId,
	vpc: (row) => row.VpcAttributes.VpcId, vswitch: (row) => row.VpcAttributes.VSwitchId, address: addressOf, group: (row) => row.SecurityGroupIds.SecurityGroupId,
	tag: (row) => tagWords(plainTags(row.Tags.Tag)),
};

function useActs(): { start: ManyAct<Instance>; stop: ManyAct<Instance>; remove: ManyAct<Instance>; } {
	const t = useText();
	const call = (action: string, more = {}) => (row: Instance): PlainCall => ({ product: "ecs", action, params: { InstanceId: row.InstanceId, ...more } });
	return {
		start: {
			key: "start", text: t.instances.start, icon: "play", title: t.instances.startTitle, explain: t.instances.startText,
			effect: (row) => (row.Status === "Stopped" ? t.instances.startEffect(addressOf(row)) : t.instances.nothingToDo(stateOf(row.Status, t).text)), call: call("StartInstance"),
		},
		stop: {
			key: "stop", text: t.instances.stop, icon: "stop", danger: true, title: t.instances.stopTitle, explain: t.instances.stopText,
			effect: (row) => (row.Status === "Running" ? t.instances.stopEffect(addressOf(row)) : t.instances.nothingToDo(stateOf(row.Status, t).text)), call: call("StopInstance"),
		},
		remove: {
			key: "delete", text: t.network.delete, icon: "trash", danger: true, title: t.instances.deleteTitle, explain: t.instances.deleteText,
			effect: (row) => (row.Status === "Running" ? t.instances.deleteRunning(addressOf(row)) : t.instances.deleteStopped(addressOf(row))), call: call("DeleteInstance", { Force: true }),
		},
	};
}

/** The instances of a VPC, or all. */
export function InstanceList({ vpc }: { vpc?: string; }) {
	const t = useText();
	const go = useGo();
	const { place } = useApp();
	const list = useInstances(vpc ? { VpcId: vpc } : {});
	const make = useColumns(Object.keys(fields));
	const { start, stop, remove } = useActs();
	const columns = [
		nameColumn<Instance>(t.network.name, "instances", keyOf, nameOf),
		make.status<Instance>((row) => row.Status, (row) => row.StatusInfo),
		textColumn<Instance>("zone", t.network.zone, 18, (row) => row.ZoneId),
		{ key: "address", title: t.network.address, width: 17, sort: addressOf, cell: (row: Instance) => <Copied text={addressOf(row)} /> },
		{ key: "exec", title: t.instances.enter, width: 16, cell: (row: Instance) => <span className="copied"><span className="muted">privlink exec</span><CopyButton text={execLine(row.InstanceId)} label={execLine(row.InstanceId)} /></span> },
		...(vpc ? [] : [refColumn<Instance>("vpc", t.network.vpc, (row) => row.VpcAttributes.VpcId)]),
		refColumn<Instance>("groups", t.securityGroups.title, (row) => row.SecurityGroupIds.SecurityGroupId[0] ?? ""),
		make.tags<Instance>((row) => plainTags(row.Tags.Tag)),
		make.created<Instance>((row) => row.CreationTime),
	];
	const create = <Button kind="primary" icon="plus" onClick={() => go({ page: "instances", id: "create", query: { vpc } })}>{t.instances.create}</Button>;
	return (
		<ObjectList
			label={t.instances.title} list={list} columns={columns} fields={fields} keyOf={keyOf} nameOf={nameOf} page="instances" acts={[start, stop, remove]} tools={vpc && create}
			tagging={{ kind: "instance", tagsOf: (row) => plainTags(row.Tags.Tag) }}
			nothing={{ title: t.instances.noneTitle, text: vpc ? t.instances.noneInVpc : t.instances.noneText(place.region), action: !vpc && create }}
		/>
	);
}

export function InstancesPage(_: PageProps) {
	const t = useText();
	const go = useGo();
	useTitle(t.instances.title);
	return (
		<>
			<PageHead title={t.instances.title} text={t.instances.intro}>
				<Button kind="primary" icon="plus" onClick={() => go({ page: "instances", id: "create" })}>{t.instances.create}</Button>
			</PageHead>
			<InstanceList />
		</>
	);
}

export function CreateInstancePage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const vpc = place.query["vpc"];
	const inVpc = vpc ? { VpcId: vpc } : {};
	const vpcs = useVpcs();
	const vswitches = useVswitches(inVpc);
	const [values, set] = useValues({ VSwitchId: "", SecurityGroupIds: "", InstanceName: "", PrivateIpAddress: "", HostName: "", Description: "", Amount: "1" });
	const vswitch = vswitches.rows.find((row) => row.VSwitchId === values["VSwitchId"]);
	const groups = useGroups(vswitch ? { VpcId: vswitch.VpcId } : null);
	const vpcName = (id: string): string => vpcs.rows.find((row) => row.VpcId === id)?.VpcName || id;
	const fields: FormField[] = [
		{
			name: "VSwitchId", label: t.network.vswitch, kind: "combo", empty: t.instances.noVswitches, placeholder: t.network.choose, hint: t.instances.vswitchHint, codes: /NoStock|IpNotEnough|^IncorrectVSwitchStatus$/,
			options: vswitches.rows.map((row) => ({ value: row.VSwitchId, text: row.VSwitchName || row.VSwitchId, detail: `${row.ZoneId} · ${row.CidrBlock} · ${vpcName(row.VpcId)}`, search: row.VpcId })),
		},
		{
			name: "SecurityGroupIds", label: t.securityGroups.title, kind: "many", empty: vswitch ? t.instances.noGroups : t.instances.firstVswitch, codes: /SecurityGroup|^InvalidParameter.Mismatch$/,
			options: groups.rows.map((row) => ({ value: row.SecurityGroupId, text: row.SecurityGroupName || row.SecurityGroupId, detail: row.SecurityGroupName ? row.SecurityGroupId : row.Description })),
		},
		{ name: "InstanceName", label: t.network.nameField, optional: true, rules: [nameRule], hint: t.network.nameHint },
		{ name: "PrivateIpAddress", label: t.network.address, optional: true, rules: [addressIn(vswitch?.CidrBlock ?? "")], hint: vswitch ? t.instances.addressIn(vswitch.CidrBlock) : t.instances.addressHint },
		{ name: "HostName", label: t.instances.host, optional: true },
		{ name: "Description", label: t.network.description, optional: true, rules: [descriptionRule] },
		{ name: "Amount", label: t.instances.amount, rules: [optional(numberRule(1, 20))], hint: t.instances.amountHint },
	];
	const form = useForm<{ InstanceIdSets: { InstanceIdSet: string[]; }; }>({
		product: "ecs", action: "RunInstances", values, set, tags: true, fields,
		params: { ...paramsOf(fields, values), SecurityGroupIds: splitList(values["SecurityGroupIds"] ?? "") },
		done: ({ InstanceIdSets: { InstanceIdSet: ids } }) => go({ page: "instances", id: ids.length === 1 ? ids[0] : undefined }, true),
	});
	return <CreatePage title={t.instances.create} text={t.instances.createText} form={form} submit={t.instances.create} back={{ page: "instances" }} backText={t.instances.title} />;
}

export function InstancePage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const language = useLanguage();
	const id = place.id as string;
	const list = useInstances({ InstanceIds: [id] });
	const { start, stop, remove } = useActs();
	return (
		<ObjectPage
			id={id} list={{ page: "instances" }} listTitle={t.instances.title} asked={list} object={list.rows[0]} nameOf={nameOf}
			acts={(row) => (
				<>
					{row.Status === "Stopped" && <ActButton act={start} row={row} name={nameOf(row) || id} />}
					{row.Status === "Running" && <ActButton act={stop} row={row} name={nameOf(row) || id} />}
					<ActButton act={remove} row={row} name={nameOf(row) || id} after={() => go({ page: "instances", id: undefined })} />
				</>
			)}
		>
			{(row) => (
				<>
					<Facts label={t.network.basics} facts={[
						[t.network.status, <><Status {...stateOf(row.Status, t)} />{row.StatusInfo && <span className="muted"> {row.StatusInfo}</span>}</>],
						[t.network.address, <Copied text={addressOf(row)} />],
						[t.network.zone, row.ZoneId],
						[t.network.vpc, <Ref id={row.VpcAttributes.VpcId} />],
						[t.network.vswitch, <Ref id={row.VpcAttributes.VSwitchId} />],
						[t.securityGroups.title, <>{row.SecurityGroupIds.SecurityGroupId.map((group) => <div key={group}><Ref id={group} /></div>)}</>],
						[t.instances.host, row.HostName],
						[t.network.description, row.Description],
						[t.network.created, formatTime(row.CreationTime, language)],
					]} />
					<section className="card" aria-label={t.instances.enter}>
						<h2>{t.instances.enter}</h2>
						<p className="hint">{t.instances.enterText}</p>
						<div className="code-line"><code>{execLine(id)}</code><CopyButton text={execLine(id)} label={execLine(id)} /></div>
					</section>
					<h2 className="part">{t.interfaces.title}</h2>
					<InterfaceList params={{ InstanceId: id }} nothing={t.interfaces.noneTitle} />
				</>
			)}
		</ObjectPage>
	);
}
