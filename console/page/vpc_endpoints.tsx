// SPDX-License-Identifier: Apache-2.0
// The endpoints in a VPC.
import type { Fields } from "../lib/filter";
import { Status } from "../ui/status";
import { Button } from "../ui/button";
import { nameColumn, textColumn, useColumns } from "./columns";
import { useApp, useGo, useList, useText } from "./context";
import type { Endpoint } from "./endpoints";
import { Listing } from "./listing";
import { connectionState, connectionWords } from "./states";

const keyOf = (row: Endpoint): string => row.EndpointId;
const fields: Fields<Endpoint> = { id: keyOf, name: (row) => row.EndpointName, status: (row) => row.EndpointStatus, connection: connectionWords, service: (row) => [row.ServiceName, row.ServiceId] };

export function EndpointsInVpc({ vpc }: { vpc: string; }) {
	const t = useText();
	const go = useGo();
	const { hasPage, place } = useApp();
	const list = useList<Endpoint>("privatelink", "ListVpcEndpoints", { VpcId: vpc }, { items: "Endpoints", every: 5000, key: keyOf });
	const make = useColumns(Object.keys(fields));
	const columns = [
		nameColumn<Endpoint>(t.endpoints.name, "endpoints", keyOf, (row) => row.EndpointName),
		make.status<Endpoint>((row) => row.EndpointStatus),
		{ key: "connection", title: t.endpoints.connection, width: 22, sort: (row: Endpoint) => connectionState(row, t).text, cell: (row: Endpoint) => <Status {...connectionState(row, t)} /> },
		textColumn<Endpoint>("service", t.endpoints.service, 42, (row) => row.ServiceName, "mono"),
		make.created<Endpoint>((row) => row.CreateTime),
	];
	const canCreate = hasPage({ ...place, page: "endpoints", id: "create" });
	const create = canCreate && <Button icon="plus" onClick={() => go({ page: "endpoints", id: "create", query: { vpc } })}>{t.endpoints.create}</Button>;
	return <Listing label={t.endpoints.title} list={list} columns={columns} fields={fields} rowKey={keyOf} defaultSort="-created" nothing={{ title: t.endpoints.noneTitle, text: t.vpcs.noEndpoints, action: create }} />;
}
