// SPDX-License-Identifier: Apache-2.0
// Where one lands: how much there is, what is broken and why, and who waits for whom. Numbers are asked for as numbers.
import { useMemo } from "react";
import type { ReactNode } from "react";
import { ApiError } from "../lib/client";
import type { Client, Params, Product } from "../lib/client";
import { eachOf } from "../lib/each";
import { at } from "../lib/list";
import { formatSince } from "../lib/time";
import { Name } from "../ui/name";
import { Icon } from "../ui/icon";
import type { IconName } from "../ui/icon";
import { Status } from "../ui/status";
import { Ref } from "./columns";
import { useApp, useAsked, useLanguage, useText, useTitle } from "./context";
import type { Asked, Change, PageProps } from "./context";
import type { Endpoint } from "./endpoints";
import { Failed } from "./errors";
import { PageHead } from "./head";
import { Link } from "./link";

/** How many rows of a list are looked at; where there are more, the page says so. */
const looked = 50;
const everyMs = 15_000;

interface Connection {
	ServiceId: string;
	EndpointId: string;
	EndpointOwnerId: number;
	ConnectionStatus: string;
	AcceptanceStatus: string;
	ModifiedTime: string;
}

interface PathAnswer {
	Verdict: string;
	Cause?: { Code: string; Text: string; };
}

interface Broken {
	endpoint: Endpoint;
	kind: "bad" | "warn";
	text: string;
}

interface Found {
	counts: Record<string, number>;
	broken: Broken[];
	waiting: Endpoint[];
	asking: Connection[];
	/** Endpoints that were not looked at. */
	unseen: number;
}

interface Counted {
	key: string;
	product: Product;
	action: string;
	params: Params;
}

const one = { MaxResults: 1 };
const counted: Counted[] = [
	{ key: "endpoints", product: "privatelink", action: "ListVpcEndpoints", params: one },
	{ key: "connected", product: "privatelink", action: "ListVpcEndpoints", params: { ...one, ConnectionStatus: "Connected" } },
	{ key: "services", product: "privatelink", action: "ListVpcEndpointServices", params: one },
	{ key: "vpcs", product: "vpc", action: "DescribeVpcs", params: { PageSize: 1 } },
	{ key: "instances", product: "ecs", action: "DescribeInstances", params: one },
	{ key: "balancers", product: "nlb", action: "ListLoadBalancers", params: one },
];

async function rowsOf<T>(client: Client, region: string, action: string, items: string, params: Params): Promise<T[]> {
	const answer = await client.call("privatelink", action, { MaxResults: looked, ...params }, region);
	return (at(answer, items) ?? []) as T[];
}

/** Why an endpoint does not work, where it does not. The endpoint may go meanwhile: then there is nothing to tell. */
async function brokenOf(client: Client, region: string, endpoint: Endpoint): Promise<Broken | null> {
	try {
		const path = await client.call<PathAnswer>("privlink", "GetEndpointPath", { EndpointId: endpoint.EndpointId }, region);
		if (path.Verdict === "Reachable" || !path.Cause?.Text) return null;
		return { endpoint, kind: path.Verdict === "Partial" ? "warn" : "bad", text: path.Cause.Text };
	} catch (error) {
		if (error instanceof ApiError) return null;
		throw error;
	}
}

const isWaiting = (row: { AcceptanceStatus: string; ConnectionStatus: string; }): boolean => row.AcceptanceStatus === "Waiting" && row.ConnectionStatus !== "Connected" && row.ConnectionStatus !== "Connecting";

async function look(client: Client, region: string): Promise<Found> {
	const counts: Record<string, number> = {};
	const endpoints: Endpoint[] = [];
	const connections: Connection[] = [];
	await Promise.all([
		...counted.map(async ({ key, product, action, params }) => { counts[key] = Number((await client.call(product, action, params, region)).TotalCount ?? 0); }),
		...["Connected", "Disconnected", "Pending", "ServiceDeleted"].map(async (status) => { endpoints.push(...await rowsOf<Endpoint>(client, region, "ListVpcEndpoints", "Endpoints", { ConnectionStatus: status })); }),
		...["Disconnected", "Pending"].map(async (status) => { connections.push(...await rowsOf<Connection>(client, region, "ListVpcEndpointConnections", "Connections", { ConnectionStatus: status })); }),
	]);
	const broken: Broken[] = [];
	await eachOf(endpoints.filter((row) => !isWaiting(row)), 4, async (row) => {
		const found = await brokenOf(client, region, row);
		if (found) broken.push(found);
	});
	broken.sort((a, b) => a.kind.localeCompare(b.kind) || (a.endpoint.EndpointName || a.endpoint.EndpointId).localeCompare(b.endpoint.EndpointName || b.endpoint.EndpointId));
	return { counts, broken, waiting: endpoints.filter(isWaiting), asking: connections.filter(isWaiting), unseen: Math.max(0, (counts["endpoints"] ?? 0) - endpoints.length) };
}

function useOverview(): Asked<Found> {
	const { client, place } = useApp();
	const merge = (old: Found | undefined, fresh: Found): Found => (old && JSON.stringify(old) === JSON.stringify(fresh) ? old : fresh);
	return useAsked(`overview ${place.region}`, () => look(client, place.region), () => everyMs, merge);
}

function Tile({ to, icon, title, number, text }: { to: Change; icon: IconName; title: string; number: number | undefined; text?: string; }) {
	const language = useLanguage();
	return (
		<Link to={to} className="tile">
			<Icon name={icon} />
			<span className="tile-title">{title}</span>
			<strong>{number === undefined ? "…" : new Intl.NumberFormat(language).format(number)}</strong>
			{text && <span className="muted">{text}</span>}
		</Link>
	);
}

function Part({ title, empty, children }: { title: string; empty?: string; children?: ReactNode; }) {
	return (
		<section className="card" aria-label={title}>
			<h2>{title}</h2>
			{children}
			{empty && <p className="muted">{empty}</p>}
		</section>
	);
}

const shown = 12;

export function OverviewPage({ place }: PageProps) {
	const t = useText();
	const language = useLanguage();
	const asked = useOverview();
	const found = asked.answer;
	const now = useMemo(() => Date.now(), [found]);
	useTitle(t.overview.title);
	if (!found && asked.state === "failed") return <><PageHead title={t.overview.title} /><Failed error={asked.error} reload={asked.reload} /></>;
	const counts = found?.counts ?? {};
	const more = (n: number): ReactNode => n > shown && <p className="muted">{t.overview.more(n - shown)}</p>;
	return (
		<>
			<PageHead title={t.overview.title} text={t.overview.intro(place.region)} />
			<div className="tiles">
				<Tile to={{ page: "endpoints", id: undefined }} icon="endpoint" title={t.endpoints.title} number={counts["endpoints"]} text={found && t.overview.connected(counts["connected"] ?? 0)} />
				<Tile to={{ page: "services", id: undefined }} icon="service" title={t.overview.services} number={counts["services"]} />
				<Tile to={{ page: "vpcs", id: undefined }} icon="vpc" title={t.vpcs.title} number={counts["vpcs"]} />
				<Tile to={{ page: "instances", id: undefined }} icon="instance" title={t.instances.title} number={counts["instances"]} />
				<Tile to={{ page: "balancers", id: undefined }} icon="balancer" title={t.balancers.title} number={counts["balancers"]} />
			</div>
			{!found ? <p className="loading">{t.common.loading}</p> : (
				<>
					<Part title={t.overview.broken} empty={found.broken.length === 0 ? (counts["endpoints"] ? t.overview.nothingBroken : t.overview.noEndpoints) : undefined}>
						<ul className="findings">
							{found.broken.slice(0, shown).map(({ endpoint, kind, text }) => (
								<li key={endpoint.EndpointId}>
									<Status kind={kind} text={kind === "bad" ? t.states.Unreachable : t.states.Partial} />
									<Link to={{ page: "endpoints", id: endpoint.EndpointId, tab: "path" }}><Name text={endpoint.EndpointName || endpoint.EndpointId} /></Link>
									<span>{text}</span>
								</li>
							))}
						</ul>
						{more(found.broken.length)}
						{found.unseen > 0 && <p className="hint">{t.overview.unseen(looked)}</p>}
					</Part>
					<Part title={t.overview.asking} empty={found.asking.length === 0 ? t.overview.nobodyAsks : undefined}>
						<ul className="findings">
							{found.asking.slice(0, shown).map((row) => (
								<li key={`${row.ServiceId} ${row.EndpointId}`}>
									<Status kind="wait" text={formatSince(row.ModifiedTime, now, language)} />
									<Link to={{ page: "services", id: row.ServiceId, tab: "connections" }} className="mono">{row.EndpointId}</Link>
									<span>{t.overview.asks(String(row.EndpointOwnerId), row.ServiceId)}</span>
								</li>
							))}
						</ul>
						{more(found.asking.length)}
					</Part>
					<Part title={t.overview.waiting} empty={found.waiting.length === 0 ? t.overview.waitsForNobody : undefined}>
						<ul className="findings">
							{found.waiting.slice(0, shown).map((row) => (
								<li key={row.EndpointId}>
									<Status kind="wait" text={formatSince(row.CreateTime, now, language)} />
									<Ref id={row.EndpointId} />
									<span>{t.overview.waits(row.ServiceName)}</span>
								</li>
							))}
						</ul>
						{more(found.waiting.length)}
					</Part>
				</>
			)}
		</>
	);
}
