// SPDX-License-Identifier: Apache-2.0
// vSwitches: the list, a new one inside its VPC's range, and one with its network interfaces.
import { cidrApart, cidrInside, descriptionRule, freeRange, nameRule, vswitchCidrRule } from "../lib/form";
import type { Fields } from "../lib/filter";
import { formatTime } from "../lib/time";
import { Button } from "../ui/button";
import { Status } from "../ui/status";
import { Ref, nameColumn, numberColumn, refColumn, tagWords, textColumn, useColumns } from "./columns";
import { useApp, useCall, useGo, useLanguage, useLeave, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { CreatePage, useForm, useValues } from "./form";
import { PageHead } from "./head";
import { InterfaceList } from "./interfaces";
import { useVpcs, useVswitches, useZones } from "./network";
import type { Vpc, Vswitch } from "./network";
import { Facts, ObjectPage } from "./object";
import { ActButton, ObjectList } from "./object_list";
import type { ManyAct } from "./object_list";
import { stateOf } from "./states";

const keyOf = (row: Vswitch): string => row.VSwitchId;
const nameOf = (row: Vswitch): string => row.VSwitchName;

const fields: Fields<Vswitch> = {
	id: keyOf, name: nameOf, description: (row) => row.Description, status: (row) => row.Status, vpc: (row) => row.VpcId, zone: (row) => row.ZoneId,
	cidr: (row) => row.CidrBlock, tag: (row) => tagWords(row.Tags.Tag),
};

function useDelete(): ManyAct<Vswitch> {
	const t = useText();
	return {
		key: "delete", text: t.network.delete, icon: "trash", danger: true, title: t.vswitches.deleteTitle, explain: t.vswitches.deleteText,
		effect: (row) => t.vswitches.deleteEffect(row.CidrBlock, row.ZoneId),
		call: (row) => ({ product: "vpc", action: "DeleteVSwitch", params: { VSwitchId: row.VSwitchId } }),
	};
}

/** The vSwitches of a VPC, or all. */
export function VswitchList({ vpc }: { vpc?: string; }) {
	const t = useText();
	const go = useGo();
	const { place } = useApp();
	const list = useVswitches(vpc ? { VpcId: vpc } : {});
	const make = useColumns(Object.keys(fields));
	const columns = [
		nameColumn<Vswitch>(t.network.name, "vswitches", keyOf, nameOf),
		make.status<Vswitch>((row) => row.Status),
		textColumn<Vswitch>("zone", t.network.zone, 18, (row) => row.ZoneId),
		textColumn<Vswitch>("cidr", t.network.cidr, 20, (row) => row.CidrBlock, "mono"),
		numberColumn<Vswitch>("free", t.vswitches.free, 15, (row) => row.AvailableIpAddressCount),
		...(vpc ? [] : [refColumn<Vswitch>("vpc", t.network.vpc, (row) => row.VpcId)]),
		make.tags<Vswitch>((row) => row.Tags.Tag),
		make.created<Vswitch>((row) => row.CreationTime),
	];
	const create = <Button kind="primary" icon="plus" onClick={() => go({ page: "vswitches", id: "create", query: { vpc } })}>{t.vswitches.create}</Button>;
	return (
		<ObjectList
			label={t.vswitches.title} list={list} columns={columns} fields={fields} keyOf={keyOf} nameOf={nameOf} page="vswitches" acts={[useDelete()]} tools={vpc && create}
			tagging={{ kind: "vswitch", tagsOf: (row) => row.Tags.Tag }}
			nothing={{ title: t.vswitches.noneTitle, text: vpc ? t.vswitches.noneInVpc : t.vswitches.noneText(place.region), action: !vpc && create }}
		/>
	);
}

export function VswitchesPage(_: PageProps) {
	const t = useText();
	const go = useGo();
	useTitle(t.vswitches.title);
	return (
		<>
			<PageHead title={t.vswitches.title} text={t.vswitches.intro}>
				<Button kind="primary" icon="plus" onClick={() => go({ page: "vswitches", id: "create" })}>{t.vswitches.create}</Button>
			</PageHead>
			<VswitchList />
		</>
	);
}

export const vpcOption = (row: Vpc): { value: string; text: string; detail: string; } => ({ value: row.VpcId, text: row.VpcName || row.VpcId, detail: `${row.VpcId} · ${row.CidrBlock}` });

export function CreateVswitchPage({ place }: PageProps) {
	const t = useText();
	const leave = useLeave();
	const vpcs = useVpcs();
	const zones = useZones();
	const [values, set] = useValues({ VpcId: place.query["vpc"] ?? "", ZoneId: place.query["zone"] ?? "", CidrBlock: "", VSwitchName: "", Description: "" });
	const vpc = vpcs.rows.find((row) => row.VpcId === values["VpcId"]);
	const siblings = useVswitches(vpc ? { VpcId: vpc.VpcId } : null);
	const taken = siblings.rows.map((row) => row.CidrBlock);
	const free = vpc && freeRange(vpc.CidrBlock, taken, 24);
	const form = useForm<{ VSwitchId: string; }>({
		product: "vpc", action: "CreateVSwitch", values, set, tags: true, done: (answer) => leave({ page: "vswitches", id: answer.VSwitchId }, { zone: values["ZoneId"] ?? "", vswitch: answer.VSwitchId }),
		fields: [
			{ name: "VpcId", label: t.network.vpc, kind: "combo", options: vpcs.rows.map(vpcOption), empty: t.network.noVpcs, placeholder: t.network.choose },
			{ name: "ZoneId", label: t.network.zone, kind: "combo", options: zones.map((zone) => ({ value: zone.ZoneId, text: zone.ZoneId, detail: zone.LocalName })), placeholder: t.network.choose },
			{
				name: "CidrBlock", label: t.network.cidr, rules: [vswitchCidrRule, cidrInside(vpc?.CidrBlock ?? ""), cidrApart(taken)], placeholder: free,
				hint: !vpc ? t.vswitches.cidrHint : <>{t.vswitches.cidrInside(vpc.CidrBlock)} {free && free !== values["CidrBlock"] && <button type="button" className="plain" onClick={() => form.change({ CidrBlock: free })}>{t.vswitches.useFree(free)}</button>}</>,
			},
			{ name: "VSwitchName", label: t.network.nameField, optional: true, rules: [nameRule], hint: t.network.nameHint },
			{ name: "Description", label: t.network.description, optional: true, rules: [descriptionRule] },
		],
	});
	return <CreatePage title={t.vswitches.create} text={t.vswitches.createText} form={form} submit={t.vswitches.create} back={{ page: "vswitches" }} backText={t.vswitches.title} />;
}

export function VswitchPage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const language = useLanguage();
	const id = place.id as string;
	const asked = useCall<Vswitch>("vpc", "DescribeVSwitchAttributes", { VSwitchId: id }, { every: 10_000, busy: (row) => row.Status !== "Available" });
	const remove = useDelete();
	return (
		<ObjectPage
			id={id} list={{ page: "vswitches" }} listTitle={t.vswitches.title} asked={asked} object={asked.answer} nameOf={nameOf}
			acts={(row) => <ActButton act={remove} row={row} name={nameOf(row) || id} after={() => go({ page: "vswitches", id: undefined })} />}
		>
			{(row) => (
				<>
					<Facts label={t.network.basics} facts={[
						[t.network.status, <Status {...stateOf(row.Status, t)} />],
						[t.network.vpc, <Ref id={row.VpcId} />],
						[t.network.zone, row.ZoneId],
						[t.network.cidr, <span className="mono">{row.CidrBlock}</span>],
						[t.vswitches.free, row.AvailableIpAddressCount],
						[t.network.description, row.Description],
						[t.network.created, formatTime(row.CreationTime, language)],
					]} />
					<h2 className="part">{t.interfaces.title}</h2>
					<InterfaceList params={{ VSwitchId: id }} nothing={t.interfaces.noneInVswitch} />
				</>
			)}
		</ObjectPage>
	);
}
