// SPDX-License-Identifier: Apache-2.0
// Security groups: the list, a new one, and one with its rules and members.
import { descriptionRule, nameRule } from "../lib/form";
import type { Fields } from "../lib/filter";
import { formatTime } from "../lib/time";
import { Button } from "../ui/button";
import { Tabs } from "../ui/tabs";
import { Ref, nameColumn, numberColumn, refColumn, tagWords, textColumn, useColumns } from "./columns";
import { useApp, useCall, useGo, useLanguage, useLeave, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { CreatePage, useForm, useValues } from "./form";
import { PageHead } from "./head";
import { InterfaceList } from "./interfaces";
import { plainTags, useGroups, useVpcs } from "./network";
import type { Group } from "./network";
import { Facts, ObjectPage } from "./object";
import { ActButton, ObjectList } from "./object_list";
import type { ManyAct } from "./object_list";
import { RuleList } from "./rules";
import type { GroupAttribute } from "./rules";
import { vpcOption } from "./vswitches";

const keyOf = (row: Group): string => row.SecurityGroupId;
const nameOf = (row: Group): string => row.SecurityGroupName;

const fields: Fields<Group> = {
	id: keyOf, name: nameOf, description: (row) => row.Description, type: (row) => row.SecurityGroupType, vpc: (row) => row.VpcId, tag: (row) => tagWords(plainTags(row.Tags.Tag)),
};

function useDelete(): ManyAct<Group> {
	const t = useText();
	return {
		key: "delete", text: t.network.delete, icon: "trash", danger: true, title: t.securityGroups.deleteTitle, explain: t.securityGroups.deleteText,
		effect: (row) => t.securityGroups.deleteEffect(row.RuleCount, row.EcsCount),
		call: (row) => ({ product: "ecs", action: "DeleteSecurityGroup", params: { SecurityGroupId: row.SecurityGroupId } }),
	};
}

/** The groups of a VPC, or all. */
export function GroupList({ vpc }: { vpc?: string; }) {
	const t = useText();
	const go = useGo();
	const { place } = useApp();
	const list = useGroups(vpc ? { VpcId: vpc } : {});
	const make = useColumns(Object.keys(fields));
	const columns = [
		nameColumn<Group>(t.network.name, "securitygroups", keyOf, nameOf),
		textColumn<Group>("type", t.securityGroups.type, 14, (row) => (row.SecurityGroupType === "enterprise" ? t.securityGroups.enterprise : t.securityGroups.normal)),
		...(vpc ? [] : [refColumn<Group>("vpc", t.network.vpc, (row) => row.VpcId)]),
		numberColumn<Group>("rules", t.securityGroups.rules, 10, (row) => row.RuleCount),
		numberColumn<Group>("instances", t.instances.title, 12, (row) => row.EcsCount),
		textColumn<Group>("description", t.network.description, 28, (row) => row.Description),
		make.tags<Group>((row) => plainTags(row.Tags.Tag)),
		make.created<Group>((row) => row.CreationTime),
	];
	const create = <Button kind="primary" icon="plus" onClick={() => go({ page: "securitygroups", id: "create", query: { vpc } })}>{t.securityGroups.create}</Button>;
	return (
		<ObjectList
			label={t.securityGroups.title} list={list} columns={columns} fields={fields} keyOf={keyOf} nameOf={nameOf} page="securitygroups" acts={[useDelete()]} tools={vpc && create}
			tagging={{ kind: "group", tagsOf: (row) => plainTags(row.Tags.Tag) }}
			nothing={{ title: t.securityGroups.noneTitle, text: vpc ? t.securityGroups.noneInVpc : t.securityGroups.noneText(place.region), action: !vpc && create }}
		/>
	);
}

export function SecurityGroupsPage(_: PageProps) {
	const t = useText();
	const go = useGo();
	useTitle(t.securityGroups.title);
	return (
		<>
			<PageHead title={t.securityGroups.title} text={t.securityGroups.intro}>
				<Button kind="primary" icon="plus" onClick={() => go({ page: "securitygroups", id: "create" })}>{t.securityGroups.create}</Button>
			</PageHead>
			<GroupList />
		</>
	);
}

export function CreateSecurityGroupPage({ place }: PageProps) {
	const t = useText();
	const leave = useLeave();
	const vpcs = useVpcs();
	const [values, set] = useValues({ VpcId: place.query["vpc"] ?? "", SecurityGroupName: "", SecurityGroupType: "normal", Description: "" });
	const form = useForm<{ SecurityGroupId: string; }>({
		product: "ecs", action: "CreateSecurityGroup", values, set, tags: true, done: (answer) => leave({ page: "securitygroups", id: answer.SecurityGroupId }, { group: answer.SecurityGroupId }),
		fields: [
			{ name: "VpcId", label: t.network.vpc, kind: "combo", options: vpcs.rows.map(vpcOption), empty: t.network.noVpcs, placeholder: t.network.choose, codes: /^IncorrectVpcStatus$/ },
			{ name: "SecurityGroupName", label: t.network.nameField, optional: true, rules: [nameRule], hint: t.network.nameHint },
			{
				name: "SecurityGroupType", label: t.securityGroups.type, kind: "choice",
				options: [{ value: "normal", text: t.securityGroups.normal, detail: t.securityGroups.normalText }, { value: "enterprise", text: t.securityGroups.enterprise, detail: t.securityGroups.enterpriseText }],
			},
			{ name: "Description", label: t.network.description, optional: true, rules: [descriptionRule], codes: /SecurityGroupDiscription/ },
		],
	});
	return <CreatePage title={t.securityGroups.create} text={t.securityGroups.createText} form={form} submit={t.securityGroups.create} back={{ page: "securitygroups" }} backText={t.securityGroups.title} />;
}

const tabs = ["ingress", "egress", "members"] as const;

export function SecurityGroupPage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const language = useLanguage();
	const id = place.id as string;
	const asked = useCall<GroupAttribute>("ecs", "DescribeSecurityGroupAttribute", { SecurityGroupId: id, MaxResults: 1000 }, { every: 5000 });
	const listed = useGroups({ SecurityGroupId: id }).rows[0];
	const remove = useDelete();
	const active = tabs.find((tab) => tab === place.tab) ?? "ingress";
	const rules = asked.answer?.Permissions.Permission ?? [];
	const count = (direction: string): number => rules.filter((rule) => rule.Direction === direction).length;
	const titles = { ingress: t.sgRules.ingress, egress: t.sgRules.egress, members: t.securityGroups.members };
	const badges = { ingress: count("ingress"), egress: count("egress"), members: undefined };
	return (
		<ObjectPage
			id={id} list={{ page: "securitygroups" }} listTitle={t.securityGroups.title} asked={asked} object={listed && asked.answer} nameOf={(row) => row.SecurityGroupName}
			acts={() => listed && <ActButton act={remove} row={listed} name={nameOf(listed) || id} after={() => go({ page: "securitygroups", id: undefined })} />}
		>
			{(row) => (
				<>
					<Facts label={t.network.basics} facts={[
						[t.network.vpc, <Ref id={row.VpcId} />],
						[t.securityGroups.type, listed?.SecurityGroupType === "enterprise" ? t.securityGroups.enterprise : t.securityGroups.normal],
						[t.network.description, row.Description],
						[t.network.created, formatTime(listed?.CreationTime, language)],
					]} />
					<Tabs label={t.securityGroups.contents} active={active} tabs={tabs.map((key) => ({ key, title: titles[key], badge: badges[key] }))} onSelect={(tab) => go({ tab, query: { q: "", sort: "" } })}>
						{active === "members"
							? <InterfaceList params={{ SecurityGroupId: id }} nothing={t.securityGroups.noMembers} />
							: <RuleList key={active} group={row} type={listed?.SecurityGroupType ?? "normal"} direction={active} asked={asked} />}
					</Tabs>
				</>
			)}
		</ObjectPage>
	);
}
