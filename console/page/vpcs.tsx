// SPDX-License-Identifier: Apache-2.0
// VPCs: the list, a new one, and one with all that is in it.
import { nameRule, descriptionRule, vpcCidrRule } from "../lib/form";
import type { Fields } from "../lib/filter";
import { Button } from "../ui/button";
import { Status } from "../ui/status";
import { Tabs } from "../ui/tabs";
import { formatTime } from "../lib/time";
import { nameColumn, numberColumn, tagWords, textColumn, useColumns } from "./columns";
import { useCall, useGo, useLanguage, useLeave, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { CreatePage, useForm, useValues } from "./form";
import { GroupList } from "./security_groups";
import { PageHead } from "./head";
import { InstanceList } from "./instances";
import { useVpcs } from "./network";
import type { Vpc } from "./network";
import { Facts, ObjectPage } from "./object";
import { ActButton, ObjectList } from "./object_list";
import type { ManyAct } from "./object_list";
import { stateOf } from "./states";
import { VswitchList } from "./vswitches";
import { EndpointsInVpc } from "./vpc_endpoints";

const keyOf = (row: Vpc): string => row.VpcId;
const nameOf = (row: Vpc): string => row.VpcName;

const fields: Fields<Vpc> = {
	id: keyOf, name: nameOf, description: (row) => row.Description, status: (row) => row.Status, cidr: (row) => row.CidrBlock,
	vswitch: (row) => row.VSwitchIds.VSwitchId, tag: (row) => tagWords(row.Tags.Tag),
};

function useDelete(): ManyAct<Vpc> {
	const t = useText();
	return {
		key: "delete", text: t.network.delete, icon: "trash", danger: true, title: t.vpcs.deleteTitle, explain: t.vpcs.deleteText,
		effect: (row) => (row.VSwitchIds.VSwitchId.length > 0 ? t.vpcs.deleteFull(row.VSwitchIds.VSwitchId.length) : t.vpcs.deleteEmpty(row.CidrBlock)),
		call: (row) => ({ product: "vpc", action: "DeleteVpc", params: { VpcId: row.VpcId } }),
	};
}

export function VpcsPage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const list = useVpcs();
	const make = useColumns(Object.keys(fields));
	const remove = useDelete();
	useTitle(t.vpcs.title);
	const create = <Button kind="primary" icon="plus" onClick={() => go({ page: "vpcs", id: "create" })}>{t.vpcs.create}</Button>;
	const columns = [
		nameColumn<Vpc>(t.network.name, "vpcs", keyOf, nameOf),
		make.status<Vpc>((row) => row.Status),
		textColumn<Vpc>("cidr", t.network.cidr, 20, (row) => row.CidrBlock, "mono"),
		numberColumn<Vpc>("vswitches", t.vswitches.title, 13, (row) => row.VSwitchIds.VSwitchId.length),
		make.tags<Vpc>((row) => row.Tags.Tag),
		make.created<Vpc>((row) => row.CreationTime),
	];
	return (
		<>
			<PageHead title={t.vpcs.title} text={t.vpcs.intro}>{create}</PageHead>
			<ObjectList
				label={t.vpcs.title} list={list} columns={columns} fields={fields} keyOf={keyOf} nameOf={nameOf} page="vpcs" acts={[remove]}
				tagging={{ kind: "vpc", tagsOf: (row) => row.Tags.Tag }} nothing={{ title: t.vpcs.noneTitle, text: t.vpcs.noneText(place.region), action: create }}
			/>
		</>
	);
}

export function CreateVpcPage(_: PageProps) {
	const t = useText();
	const leave = useLeave();
	const [values, set] = useValues({ VpcName: "", CidrBlock: "10.0.0.0/16", Description: "" });
	const form = useForm<{ VpcId: string; }>({
		product: "vpc", action: "CreateVpc", values, set, tags: true, done: (answer) => leave({ page: "vpcs", id: answer.VpcId }, { vpc: answer.VpcId }),
		fields: [
			{ name: "VpcName", label: t.network.nameField, optional: true, rules: [nameRule], hint: t.network.nameHint },
			{ name: "CidrBlock", label: t.network.cidr, rules: [vpcCidrRule], hint: t.vpcs.cidrHint },
			{ name: "Description", label: t.network.description, optional: true, rules: [descriptionRule] },
		],
	});
	return <CreatePage title={t.vpcs.create} text={t.vpcs.createText} form={form} submit={t.vpcs.create} back={{ page: "vpcs" }} backText={t.vpcs.title} />;
}

const tabs = ["vswitches", "securitygroups", "instances", "endpoints"] as const;

export function VpcPage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const language = useLanguage();
	const id = place.id as string;
	const asked = useCall<Vpc>("vpc", "DescribeVpcAttribute", { VpcId: id }, { every: 10_000, busy: (row) => row.Status !== "Available" });
	const remove = useDelete();
	const active = tabs.find((tab) => tab === place.tab) ?? "vswitches";
	const titles = { vswitches: t.vswitches.title, securitygroups: t.securityGroups.title, instances: t.instances.title, endpoints: t.endpoints.title };
	return (
		<ObjectPage
			id={id} list={{ page: "vpcs" }} listTitle={t.vpcs.title} asked={asked} object={asked.answer} nameOf={nameOf}
			acts={(row) => <ActButton act={remove} row={row} name={nameOf(row) || id} after={() => go({ page: "vpcs", id: undefined })} />}
		>
			{(row) => (
				<>
					<Facts label={t.network.basics} facts={[
						[t.network.status, <Status {...stateOf(row.Status, t)} />],
						[t.network.cidr, <span className="mono">{row.CidrBlock}</span>],
						[t.network.description, row.Description],
						[t.network.created, formatTime(row.CreationTime, language)],
					]} />
					<Tabs label={t.vpcs.contents} active={active} tabs={tabs.map((key) => ({ key, title: titles[key] }))} onSelect={(tab) => go({ tab, query: { q: "", sort: "" } })}>
						{active === "vswitches" && <VswitchList vpc={id} />}
						{active === "securitygroups" && <GroupList vpc={id} />}
						{active === "instances" && <InstanceList vpc={id} />}
						{active === "endpoints" && <EndpointsInVpc vpc={id} />}
					</Tabs>
				</>
			)}
		</ObjectPage>
	);
}
