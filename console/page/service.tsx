// SPDX-License-Identifier: Apache-2.0
// One endpoint service of one's own: what it is, its load balancers, who may connect, and who has.
import { useState } from "react";
import type { ReactNode } from "react";
import { descriptionRule } from "../lib/form";
import { formatTime } from "../lib/time";
import { Button } from "../ui/button";
import { Copied } from "../ui/copy";
import { Status } from "../ui/status";
import { Tabs } from "../ui/tabs";
import { useApp, useCall, useGo, useLanguage, useText } from "./context";
import type { PageProps } from "./context";
import { EndpointMonitor } from "./endpoint_monitor";
import { FormDialog, useForm, useValues } from "./form";
import { Facts, ObjectPage } from "./object";
import { ActButton } from "./object_list";
import { isServiceBusy, useConnections } from "./provider";
import type { Service } from "./provider";
import { ServiceConnections } from "./service_connections";
import { ServiceResources } from "./service_resources";
import { ServiceUsers } from "./service_users";
import { useDeleteService } from "./services";
import { stateOf } from "./states";

const tabs = ["basic", "resources", "users", "connections", "monitor"] as const;
type TabName = (typeof tabs)[number];

export function ServicePage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const id = place.id as string;
	const asked = useCall<Service>("privatelink", "GetVpcEndpointServiceAttribute", { ServiceId: id }, { every: 5000, busy: isServiceBusy });
	const remove = useDeleteService();
	const [isEditing, setEditing] = useState(false);
	return (
		<ObjectPage
			id={id} list={{ page: "services" }} listTitle={t.services.title} asked={asked} object={asked.answer} nameOf={(row) => row.ServiceDescription}
			acts={(row) => (
				<>
					<Button icon="edit" onClick={() => setEditing(true)}>{t.services.edit}</Button>
					<ActButton act={remove} row={row} name={row.ServiceDescription || id} after={() => go({ page: "services", id: undefined })} />
				</>
			)}
		>
			{(row) => (
				<>
					<Body service={row} />
					{isEditing && <EditDialog service={row} onClose={() => setEditing(false)} />}
				</>
			)}
		</ObjectPage>
	);
}

function Body({ service }: { service: Service; }) {
	const t = useText();
	const go = useGo();
	const { place } = useApp();
	const id = service.ServiceId;
	const waiting = useConnections(id).rows.filter((row) => row.AcceptanceStatus === "Waiting").length;
	const active: TabName = tabs.find((tab) => tab === place.tab) ?? "basic";
	const body: Record<TabName, () => ReactNode> = {
		basic: () => <Basic service={service} />,
		resources: () => <ServiceResources service={id} />,
		users: () => <ServiceUsers service={id} />,
		connections: () => <ServiceConnections service={service} />,
		monitor: () => <EndpointMonitor serviceId={id} />,
	};
	const shown = tabs.map((key) => ({ key, title: t.services.tab[key], ...(key === "connections" && waiting > 0 ? { badge: t.services.waitingBadge(waiting) } : {}) }));
	return (
		<Tabs label={t.services.tabs} tabs={shown} active={active} onSelect={(tab) => go({ tab, query: { q: "", sort: "", endpoint: "", range: "", zone: "", from: "", to: "" } })}>
			{body[active]()}
		</Tabs>
	);
}

function Basic({ service }: { service: Service; }) {
	const t = useText();
	const language = useLanguage();
	return (
		<Facts label={t.network.basics} facts={[
			[t.network.status, <Status {...stateOf(service.ServiceStatus, t)} />],
			[t.services.name, <Copied text={service.ServiceName} />],
			[t.services.domain, service.ServiceDomain && <Copied text={service.ServiceDomain} />],
			[t.services.acceptance, service.AutoAcceptEnabled ? t.services.automatic : t.services.byHand],
			[t.services.zones, (service.Zones ?? []).join(", ")],
			[t.services.affinity, service.ZoneAffinityEnabled ? t.services.on : t.services.off],
			[t.services.bandwidth, t.services.mbits(service.ConnectBandwidth)],
			[t.services.ipVersion, service.AddressIpVersion],
			[t.network.created, formatTime(service.CreateTime, language)],
		]} />
	);
}

function EditDialog({ service, onClose }: { service: Service; onClose: () => void; }) {
	const t = useText();
	const before = {
		ServiceDescription: service.ServiceDescription, AutoAcceptEnabled: String(service.AutoAcceptEnabled), ZoneAffinityEnabled: String(service.ZoneAffinityEnabled),
		ConnectBandwidth: String(service.ConnectBandwidth),
	};
	const [values, set] = useValues(before);
	const now: Record<string, string> = { ...values, AutoAcceptEnabled: values["AutoAcceptEnabled"] || "false", ZoneAffinityEnabled: values["ZoneAffinityEnabled"] || "false" };
	const changed = Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== before[name as keyof typeof before]));
	const form = useForm({
		product: "privatelink", action: "UpdateVpcEndpointServiceAttribute", values, set, params: { ServiceId: service.ServiceId, ...changed }, done: onClose,
		fields: [
			{ name: "ServiceDescription", label: t.network.description, optional: true, rules: [descriptionRule] },
			{ name: "AutoAcceptEnabled", label: t.services.autoAccept, kind: "check", optional: true, hint: t.services.autoAcceptHint },
			{ name: "ZoneAffinityEnabled", label: t.services.affinity, kind: "check", optional: true, hint: t.services.affinityHint },
			{ name: "ConnectBandwidth", label: t.services.bandwidth, hint: t.services.bandwidthHint(service.MinBandwidth, service.MaxBandwidth) },
		],
	});
	return <FormDialog title={t.services.edit} form={form} submit={t.common.save} onClose={onClose} />;
}
