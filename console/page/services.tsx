// SPDX-License-Identifier: Apache-2.0
// Endpoint services of one's own: the list, and a new one in front of load balancers.
import type { Params } from "../lib/client";
import { splitList } from "../lib/fields";
import type { Fields } from "../lib/filter";
import { descriptionRule } from "../lib/form";
import { Button } from "../ui/button";
import { nameColumn, tagWords, textColumn, useColumns } from "./columns";
import { useApp, useGo, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { CreatePage, useForm, useValues } from "./form";
import { PageHead } from "./head";
import { useBalancers } from "./network";
import type { Balancer } from "./network";
import { ObjectList } from "./object_list";
import type { ManyAct } from "./object_list";
import { useServices } from "./provider";
import type { Service } from "./provider";
import { deleteService } from "./service_acts";

export const keyOfService = (row: Service): string => row.ServiceId;

const fields: Fields<Service> = {
	id: keyOfService, name: (row) => row.ServiceName, description: (row) => row.ServiceDescription, status: (row) => row.ServiceStatus,
	accept: (row) => (row.AutoAcceptEnabled ? "auto" : "manual"), tag: (row) => tagWords(row.Tags ?? []),
};

export function useDeleteService(): ManyAct<Service> {
	const t = useText();
	const { client, place } = useApp();
	return {
		key: "delete", text: t.network.delete, icon: "trash", danger: true, title: t.services.deleteTitle, explain: t.services.deleteText,
		effect: (row) => t.services.deleteEffect(row.ServiceId), act: (row) => deleteService(client, place.region, row.ServiceId),
	};
}

export function ServicesPage(_: PageProps) {
	const t = useText();
	const go = useGo();
	const { place } = useApp();
	const list = useServices();
	const make = useColumns(Object.keys(fields));
	useTitle(t.services.title);
	const create = <Button kind="primary" icon="plus" onClick={() => go({ page: "services", id: "create" })}>{t.services.create}</Button>;
	const columns = [
		nameColumn<Service>(t.services.service, "services", keyOfService, (row) => row.ServiceDescription),
		make.status<Service>((row) => row.ServiceStatus),
		textColumn<Service>("servicename", t.services.name, 44, (row) => row.ServiceName, "mono"),
		textColumn<Service>("accept", t.services.acceptance, 18, (row) => (row.AutoAcceptEnabled ? t.services.automatic : t.services.byHand)),
		textColumn<Service>("kind", t.services.kind, 10, (row) => row.ServiceResourceType.toUpperCase()),
		make.tags<Service>((row) => row.Tags ?? []),
		make.created<Service>((row) => row.CreateTime),
	];
	return (
		<>
			<PageHead title={t.services.title} text={t.services.intro}>{create}</PageHead>
			<ObjectList
				label={t.services.title} list={list} columns={columns} fields={fields} keyOf={keyOfService} nameOf={(row) => row.ServiceDescription} page="services"
				tagging={{ kind: "service", tagsOf: (row) => row.Tags ?? [] }} acts={[useDeleteService()]} nothing={{ title: t.services.noneTitle, text: t.services.noneText(place.region), action: create }}
			/>
		</>
	);
}

/** One option for each zone of each load balancer: that is what a service is made of. */
export function resourceOptions(balancers: Balancer[]): { value: string; text: string; detail: string; }[] {
	return balancers.flatMap((row) => row.ZoneMappings.map((zone) => ({
		value: `${row.LoadBalancerId}:${zone.ZoneId}`, text: `${row.LoadBalancerName || row.LoadBalancerId} · ${zone.ZoneId}`,
		detail: `${row.LoadBalancerId} · ${row.VpcId}`,
	})));
}

export function resourceOf(value: string): { ResourceId: string; ResourceType: string; ZoneId: string; } {
	const [id = "", zone = ""] = value.split(":");
	return { ResourceId: id, ResourceType: "nlb", ZoneId: zone };
}

function serviceParams(values: Record<string, string>): Params {
	return {
		ServiceResourceType: "nlb", AutoAcceptEnabled: values["AutoAcceptEnabled"] === "true", ZoneAffinityEnabled: values["ZoneAffinityEnabled"] === "true",
		...(values["ServiceDescription"] ? { ServiceDescription: values["ServiceDescription"] } : {}),
		Resource: splitList(values["Resource"] ?? "").map(resourceOf),
	};
}

export function CreateServicePage(_: PageProps) {
	const t = useText();
	const go = useGo();
	const balancers = useBalancers();
	const [values, set] = useValues({ Resource: "", AutoAcceptEnabled: "", ZoneAffinityEnabled: "true", ServiceDescription: "" });
	const chosen = splitList(values["Resource"] ?? "").map(resourceOf);
	const form = useForm<{ ServiceId: string; }>({
		product: "privatelink", action: "CreateVpcEndpointService", values, set, tags: true, params: serviceParams(values),
		done: (answer) => go({ page: "services", id: answer.ServiceId }, true),
		fields: [
			{
				name: "Resource", label: t.services.resources, kind: "many", options: resourceOptions(balancers.rows), empty: t.services.noBalancers,
				hint: t.services.resourcesHint, warning: chosen.length > 0 && new Set(chosen.map((one) => one.ZoneId)).size < 2 ? t.services.oneZone : undefined,
			},
			{ name: "ServiceDescription", label: t.network.description, optional: true, rules: [descriptionRule] },
			{ name: "AutoAcceptEnabled", label: t.services.autoAccept, kind: "check", optional: true, hint: t.services.autoAcceptHint },
			{ name: "ZoneAffinityEnabled", label: t.services.affinity, kind: "check", optional: true, hint: t.services.affinityHint },
		],
	});
	return <CreatePage title={t.services.create} text={t.services.createText} form={form} submit={t.services.create} back={{ page: "services" }} backText={t.services.title} />;
}
