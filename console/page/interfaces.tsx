// SPDX-License-Identifier: Apache-2.0
// Network interfaces (ENIs): of instances, endpoints and load balancers.
import type { Params } from "../lib/client";
import type { Fields } from "../lib/filter";
import { Copied } from "../ui/copy";
import { Ref, refColumn, textColumn, useColumns } from "./columns";
import { useText } from "./context";
import { Listing } from "./listing";
import { holderOf, useInterfaces } from "./network";
import type { Interface } from "./network";

const keyOf = (row: Interface): string => row.NetworkInterfaceId;

/** What kind of thing an id belongs to, for the filter. */
const kindOf = (id: string): string => (id.startsWith("ep-") ? "endpoint" : id.startsWith("i-") ? "instance" : "balancer");

const fields: Fields<Interface> = {
	id: keyOf, of: holderOf, kind: (row) => kindOf(holderOf(row)), address: (row) => row.PrivateIpAddress, mac: (row) => row.MacAddress, status: (row) => row.Status,
	zone: (row) => row.ZoneId, vswitch: (row) => row.VSwitchId, group: (row) => row.SecurityGroupIds.SecurityGroupId,
};

export function InterfaceList({ params, nothing }: { params: Params; nothing: string; }) {
	const t = useText();
	const list = useInterfaces(params);
	const make = useColumns(Object.keys(fields));
	const kinds: Record<string, string> = { endpoint: t.interfaces.ofEndpoint, instance: t.interfaces.ofInstance, balancer: t.interfaces.ofBalancer };
	const columns = [
		refColumn<Interface>("id", t.interfaces.id, keyOf),
		{
			key: "of", title: t.interfaces.of, width: 26, sort: holderOf,
			cell: (row: Interface) => <div className="two"><span>{kinds[kindOf(holderOf(row))]}</span><Ref id={holderOf(row)} /></div>,
		},
		{ key: "address", title: t.network.address, width: 16, sort: (row: Interface) => row.PrivateIpAddress, cell: (row: Interface) => <Copied text={row.PrivateIpAddress} /> },
		make.status<Interface>((row) => row.Status),
		textColumn<Interface>("zone", t.network.zone, 16, (row) => row.ZoneId),
		textColumn<Interface>("mac", t.interfaces.mac, 18, (row) => row.MacAddress, "mono"),
	];
	return <Listing label={t.interfaces.title} list={list} columns={columns} fields={fields} rowKey={keyOf} defaultSort="address" nothing={{ title: t.interfaces.noneTitle, text: nothing }} />;
}
