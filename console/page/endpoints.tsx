// SPDX-License-Identifier: Apache-2.0
// The list of endpoints.
import { useMemo, useState } from "react";
import type { ReactNode } from "react";
import type { Tag } from "../lib/form";
import { toggleTerm } from "../lib/filter";
import type { Fields } from "../lib/filter";
import { formatTime } from "../lib/time";
import type { Texts } from "../text/en";
import { Button } from "../ui/button";
import { Copied } from "../ui/copy";
import { Confirm } from "../ui/dialog";
import { Empty } from "../ui/empty";
import { Name } from "../ui/name";
import { Status } from "../ui/status";
import type { Column } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { TagList } from "../ui/tags";
import { deleteEndpoint } from "./acts";
import { useApp, useGo, useLanguage, useList, useQuery, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { errorText } from "./errors";
import { Link } from "./link";
import { Listing } from "./listing";
import { PageHead } from "./head";
import { connectionState, connectionWords, stateOf } from "./states";
import { TaggingDialog } from "./tagging";

export interface Endpoint {
	EndpointId: string;
	EndpointName: string;
	EndpointDescription: string;
	EndpointDomain: string;
	EndpointStatus: string;
	EndpointType: string;
	ConnectionStatus: string;
	AcceptanceStatus: string;
	AddressIpVersion: string;
	VpcId: string;
	ServiceId: string;
	ServiceName: string;
	ServiceRegionId: string;
	CreateTime: string;
	Tags: Tag[];
}

const tabs = ["interface", "reverse", "gwlb"] as const;
type TabName = (typeof tabs)[number];

export function EndpointsPage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	const { hasPage } = useApp();
	const [asked] = useQuery("type");
	const active: TabName = tabs.find((tab) => tab === asked) ?? "interface";
	useTitle(t.endpoints.title);
	const titles: Record<TabName, string> = { interface: t.endpoints.interface, reverse: t.endpoints.reverse, gwlb: t.endpoints.gwlb };
	const canCreate = hasPage({ ...place, id: "create" });
	const create = canCreate && <Button kind="primary" icon="plus" onClick={() => go({ page: "endpoints", id: "create" })}>{t.endpoints.create}</Button>;
	return (
		<>
			<PageHead title={t.endpoints.title} text={t.endpoints.intro}>{create}</PageHead>
			<Tabs label={t.endpoints.types} tabs={tabs.map((key) => ({ key, title: titles[key] }))} active={active} onSelect={(key) => go({ query: { type: key === "interface" ? "" : key, q: "", sort: "" } })}>
				{active === "interface" ? <Interfaces create={create} /> : <NotOffered type={titles[active]} />}
			</Tabs>
		</>
	);
}

function NotOffered({ type }: { type: string; }) {
	const t = useText();
	const go = useGo();
	return (
		<Empty kind="nothing" title={t.endpoints.notOffered(type)} text={t.endpoints.notOfferedText}>
			<Button onClick={() => go({ query: { type: "" } })}>{t.endpoints.toInterface}</Button>
		</Empty>
	);
}

const isBusy = (row: Endpoint): boolean => row.EndpointStatus !== "Active" || /ing$/.test(row.ConnectionStatus);
const keyOf = (row: Endpoint): string => row.EndpointId;
const nameOf = (row: Pick<Endpoint, "EndpointId" | "EndpointName">): string => row.EndpointName || row.EndpointId;

const fields: Fields<Endpoint> = {
	id: (row) => row.EndpointId,
	name: (row) => row.EndpointName,
	description: (row) => row.EndpointDescription,
	status: (row) => row.EndpointStatus,
	connection: connectionWords,
	service: (row) => [row.ServiceName, row.ServiceId],
	vpc: (row) => row.VpcId,
	domain: (row) => row.EndpointDomain,
	ip: (row) => row.AddressIpVersion,
	tag: (row) => row.Tags.flatMap((tag) => [tag.Key, `${tag.Key}=${tag.Value}`]),
};

function columnsOf(t: Texts, language: string, onTag: (tag: Tag) => void): Column<Endpoint>[] {
	return [
		{
			key: "name", title: t.endpoints.name, width: 30, sort: nameOf,
			cell: (row) => (
				<div className="two">
					<Link to={{ page: "endpoints", id: row.EndpointId }}><Name text={nameOf(row)} /></Link>
					<Copied text={row.EndpointId} />
				</div>
			),
		},
		{ key: "status", title: t.endpoints.status, width: 13, sort: (row) => row.EndpointStatus, cell: (row) => <Status {...stateOf(row.EndpointStatus, t)} /> },
		{ key: "connection", title: t.endpoints.connection, width: 26, sort: (row) => connectionState(row, t).text, cell: (row) => <Status {...connectionState(row, t)} /> },
		{ key: "service", title: t.endpoints.service, width: 30, sort: (row) => row.ServiceName, cell: (row) => <span className="mono" title={row.ServiceName}>{shortService(row.ServiceName)}</span> },
		{ key: "vpc", title: t.endpoints.vpc, width: 25, sort: (row) => row.VpcId, cell: (row) => <Copied text={row.VpcId} /> },
		{ key: "domain", title: t.endpoints.domain, width: 40, cell: (row) => (row.EndpointDomain ? <Copied text={row.EndpointDomain} /> : null) },
		{ key: "ip", title: t.endpoints.ipVersion, width: 12, sort: (row) => row.AddressIpVersion, cell: (row) => row.AddressIpVersion },
		{ key: "tags", title: t.endpoints.tags, width: 24, cell: (row) => <TagList tags={row.Tags} onTag={onTag} /> },
		{ key: "created", title: t.endpoints.created, width: 24, sort: (row) => row.CreateTime, cell: (row) => formatTime(row.CreateTime, language) },
	];
}

/** What tells a service's name from others: without the part that all have. */
function shortService(name: string): string {
	return name.replace(/^com\.aliyuncs\.privatelink\./, "");
}

type Act = { kind: "delete" | "tags"; rows: Endpoint[]; clear: () => void; };

function Interfaces({ create }: { create: ReactNode; }) {
	const t = useText();
	const go = useGo();
	const language = useLanguage();
	const { client, place } = useApp();
	const [filter, setFilter] = useQuery("q");
	const [act, setAct] = useState<Act | null>(null);
	const list = useList<Endpoint>("privatelink", "ListVpcEndpoints", { EndpointType: "Interface" }, { items: "Endpoints", every: 5000, busy: isBusy, key: keyOf });
	const columns = useMemo(
		() => columnsOf(t, language, (tag) => setFilter(toggleTerm(filter, { field: "tag", value: tag.Value ? `${tag.Key}=${tag.Value}` : tag.Key, exclude: false }, Object.keys(fields)))),
		[t, language, filter, setFilter],
	);
	return (
		<>
			<Listing
				label={t.endpoints.title} list={list} columns={columns} fields={fields} rowKey={keyOf} rowName={nameOf} defaultSort="-created"
				onOpen={(row) => go({ page: "endpoints", id: row.EndpointId })}
				acts={(rows, clear) => (
					<>
						<Button icon="tag" onClick={() => setAct({ kind: "tags", rows, clear })}>{t.endpoints.editTags}</Button>
						<Button kind="danger" icon="trash" onClick={() => setAct({ kind: "delete", rows, clear })}>{t.endpoints.delete}</Button>
					</>
				)}
				nothing={{ title: t.endpoints.noneTitle, text: t.endpoints.noneText(place.region), action: create }}
			/>
			{act?.kind === "delete" && (
				<Confirm
					title={t.endpoints.deleteTitle(act.rows.length)} text={<p>{t.endpoints.deleteText}</p>} danger confirmText={t.endpoints.delete}
					items={act.rows.map((row) => ({ key: row.EndpointId, name: nameOf(row), effect: deleteEffect(row, t) }))}
					onClose={() => setAct(null)} act={(id) => deleteEndpoint(client, place.region, id)} errorText={(error) => errorText(error, t)} onDone={act.clear}
				/>
			)}
			{act?.kind === "tags" && <TaggingDialog kind="endpoint" objects={act.rows.map((row) => ({ id: row.EndpointId, name: nameOf(row), tags: row.Tags }))} onClose={() => setAct(null)} />}
		</>
	);
}

function deleteEffect(row: Endpoint, t: Texts): string {
	return row.ConnectionStatus === "Connected" ? t.endpoints.deleteConnected(shortService(row.ServiceName)) : t.endpoints.deleteOther(row.EndpointId);
}
