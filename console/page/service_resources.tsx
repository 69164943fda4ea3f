// SPDX-License-Identifier: Apache-2.0
// The load balancers of a service, zone by zone.
import { useState } from "react";
import { splitList } from "../lib/fields";
import type { Fields } from "../lib/filter";
import { Button } from "../ui/button";
import { numberColumn, refColumn, textColumn } from "./columns";
import { useApp, useText } from "./context";
import { FormDialog, useForm, useValues } from "./form";
import { useBalancers } from "./network";
import { ObjectList } from "./object_list";
import type { ManyAct } from "./object_list";
import { keyOfResource, useResources } from "./provider";
import type { Resource } from "./provider";
import { resourceOf, resourceOptions } from "./services";

const fields: Fields<Resource> = {
	id: (row) => row.ResourceId, zone: (row) => row.ZoneId, vpc: (row) => row.VpcId, vswitch: (row) => row.VSwitchId, address: (row) => row.Ip,
};

function useDetach(service: string): ManyAct<Resource> {
	const t = useText();
	const { client, place } = useApp();
	return {
		key: "detach", text: t.services.detach, icon: "minus", danger: true, title: t.services.detachTitle, explain: t.services.detachText,
		effect: (row) => t.services.detachEffect(row.ZoneId, row.RelatedEndpointCount),
		act: ({ ResourceId, ResourceType, ZoneId }) =>
			client.write("privatelink", "DetachResourceFromVpcEndpointService", { ServiceId: service, ResourceId, ResourceType, ZoneId }, place.region),
	};
}

export function ServiceResources({ service }: { service: string; }) {
	const t = useText();
	const list = useResources(service);
	const detach = useDetach(service);
	const [isAdding, setAdding] = useState(false);
	const columns = [
		textColumn<Resource>("zone", t.network.zone, 18, (row) => row.ZoneId),
		refColumn<Resource>("id", t.services.balancer, (row) => row.ResourceId),
		textColumn<Resource>("address", t.services.address, 16, (row) => row.Ip, "mono"),
		refColumn<Resource>("vswitch", t.network.vswitch, (row) => row.VSwitchId),
		numberColumn<Resource>("endpoints", t.services.endpoints, 12, (row) => row.RelatedEndpointCount),
		textColumn<Resource>("auto", t.services.allocation, 16, (row) => (row.AutoAllocatedEnabled ? t.services.automatic : t.services.byHand)),
	];
	return (
		<>
			<div className="tab-acts"><Button kind="primary" icon="plus" onClick={() => setAdding(true)}>{t.services.attach}</Button></div>
			<ObjectList
				label={t.services.tab.resources} list={list} columns={columns} fields={fields} keyOf={keyOfResource} nameOf={(row) => `${row.ResourceId} · ${row.ZoneId}`}
				acts={[detach]} defaultSort="zone" nothing={{ title: t.services.noResources, text: t.services.noResourcesText }}
			/>
			{isAdding && <AttachDialog service={service} present={list.rows} onClose={() => setAdding(false)} />}
		</>
	);
}

function AttachDialog({ service, present, onClose }: { service: string; present: Resource[]; onClose: () => void; }) {
	const t = useText();
	const balancers = useBalancers();
	const taken = new Set(present.map(keyOfResource));
	const [values, set] = useValues({ Resource: "" });
	const chosen = resourceOf(splitList(values["Resource"] ?? "")[0] ?? "");
	const form = useForm({
		product: "privatelink", action: "AttachResourceToVpcEndpointService", values, set, params: { ServiceId: service, ...chosen }, done: onClose,
		fields: [{
			name: "Resource", label: t.services.balancer, kind: "combo", options: resourceOptions(balancers.rows).filter((one) => !taken.has(one.value)),
			empty: t.services.noBalancers, placeholder: t.network.choose, codes: /Resource/,
		}],
	});
	return <FormDialog title={t.services.attach} form={form} submit={t.services.attach} onClose={onClose} />;
}
