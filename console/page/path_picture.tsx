// SPDX-License-Identifier: Apache-2.0
// The picture of a path and the table beside it, which says the same. Each mark leads to where its cause can be looked at.
import { useMemo } from "react";
import { formatPlace } from "../lib/address";
import { fitText, layoutPath } from "../lib/path_layout";
import type { Hop, HopLink, HopState, PathCard, PathLayout, PlacedHop } from "../lib/path_layout";
import type { Texts } from "../text/en";
import { Status } from "../ui/status";
import type { StatusKind } from "../ui/status";
import { useWidth } from "../ui/width";
import { changePlace, useApp, useText } from "./context";
import type { Change } from "./context";

/** A call of the API that mends what a path found. */
export interface Fix {
	Product: string;
	Version: string;
	Action: string;
	RegionId: string;
	Parameters: Record<string, string>;
	Text: string;
}

/** As GetEndpointPath answers. */
export interface EndpointPath {
	Verdict: "Reachable" | "Partial" | "Unreachable";
	Protocol?: string;
	Port?: number;
	Zones?: { ZoneId: string; State: HopState; }[];
	Hops: Hop[];
	Links: HopLink[];
	Cause?: { HopId: string; Code: string; Text: string; Turn?: string; };
	Fix?: Fix;
}

const kinds: Record<HopState, StatusKind> = { Ok: "ok", Warn: "warn", Unknown: "off", Broken: "bad" };

export function hopStatus(state: HopState, t: Texts): { kind: StatusKind; text: string; } {
	return { kind: kinds[state] ?? "off", text: t.path.states[state] ?? state };
}

export function kindText(kind: string, t: Texts): string {
	return (t.path.kinds as Record<string, string>)[kind] ?? kind;
}

/** Shapes that differ without colour: disc with a tick, triangle, octagon with a cross, ring. */
const marks: Record<StatusKind, { shape: string; sign: string; }> = {
	ok: { shape: "M0 -9A9 9 0 1 1 0 9A9 9 0 1 1 0 -9Z", sign: "M-4 0.5L-1.2 3.3L4 -3" },
	warn: { shape: "M0 -9.5L10 8H-10Z", sign: "M0 -3V2.5M0 5.2V5.3" },
	bad: { shape: "M-3.9 -9.4H3.9L9.4 -3.9V3.9L3.9 9.4H-3.9L-9.4 3.9V-3.9Z", sign: "M-3.2 -3.2L3.2 3.2M3.2 -3.2L-3.2 3.2" },
	off: { shape: "M0 -8.5A8.5 8.5 0 1 1 0 8.5A8.5 8.5 0 1 1 0 -8.5Z", sign: "M-2.6 -2A2.6 2.6 0 1 1 0.8 0.9Q0 1.4 0 2.3M0 4.9V5" },
	wait: { shape: "M0 -8.5A8.5 8.5 0 1 1 0 8.5A8.5 8.5 0 1 1 0 -8.5Z", sign: "M0 -4V0L3 2" },
};

/** Where the object of a hop is shown. */
export function placeOfHop(hop: Hop, endpointId: string | undefined): Change {
	const id = hop.ResourceId || undefined;
	const endpoint = (tab: string): Change => ({ page: "endpoints", id: endpointId, tab, query: {} });
	switch (hop.Kind) {
		case "Instance":
			return { page: "instances", id, query: {} };
		case "Node":
			return { page: "nodes", id, query: {} };
		case "GroupOut":
		case "GroupIn":
		case "BalancerGroup": {
			const rule = hop.SecurityGroupRuleId && hop.SecurityGroupRuleId !== "implicit" ? hop.SecurityGroupRuleId : undefined;
			return { page: "securitygroups", id, tab: hop.Kind === "GroupOut" ? "egress" : "ingress", query: rule ? { q: rule } : {} };
		}
		case "Name":
			return endpoint("basic");
		case "EndpointZone":
		case "ServiceZone":
			return endpoint("zones");
		case "LoadBalancer":
		case "Listener":
			return { page: "balancers", id, query: {} };
		case "ServerGroup":
			return { page: "servergroups", id, query: {} };
		case "Service":
			return { page: "services", id, query: {} };
		default:
			return endpoint("basic");
	}
}

/** The hop's own page, or, where there is none for the reader, its row of the table. */
function useHopHref(endpointId: string | undefined): (hop: Hop) => string {
	const { place, hasPage } = useApp();
	return (hop) => {
		const change = placeOfHop(hop, endpointId);
		const target = changePlace(place, change);
		const isShown = change.id !== undefined && hasPage(target) && !(target.page === place.page && target.id === place.id && target.tab === place.tab);
		return formatPlace(isShown ? target : changePlace(place, { query: { hop: hop.Id } }));
	};
}

export function PathPicture({ path, endpointId }: { path: EndpointPath; endpointId?: string; }) {
	const t = useText();
	const [box, width] = useWidth<HTMLDivElement>();
	const layout = useMemo(() => (width > 0 ? layoutPath(path.Hops, path.Links, width) : null), [path, width]);
	return (
		<div className="path-box" ref={box}>
			{layout && <Drawing path={path} layout={layout} endpointId={endpointId} label={t.path.pictureOf(t.states[path.Verdict] ?? path.Verdict, path.Hops.length)} />}
		</div>
	);
}

function Drawing({ path, layout, endpointId, label }: { path: EndpointPath; layout: PathLayout; endpointId: string | undefined; label: string; }) {
	const hrefOf = useHopHref(endpointId);
	// A picture whose parts are links is a group for those who hear it: role img would take the links away from them.
	return (
		<svg className="path" width={layout.width} height={layout.height} viewBox={`0 0 ${layout.width} ${layout.height}`} role="group" aria-roledescription="img" aria-label={label}>
			{layout.cards.map((card) => <Card key={card.key} card={card} />)}
			{layout.wires.map((wire) => <path key={wire.key} className={wire.isReached ? "wire" : "wire cut"} d={wire.d} />)}
			{layout.cards.flatMap((card) => card.hops).map((placed) => (
				<HopMark key={placed.hop.Id} placed={placed} isCause={placed.hop.Id === path.Cause?.HopId} href={hrefOf(placed.hop)} />
			))}
		</svg>
	);
}

function Card({ card }: { card: PathCard; }) {
	return (
		<>
			<rect className="path-card" x={card.x + 0.5} y={card.y + 0.5} width={card.width - 1} height={card.height - 1} rx={8} />
			{card.zone && <text className="path-zone" x={card.x + 12} y={card.y + 24}>{fitText(card.zone, card.width - 24, 7.4)}</text>}
		</>
	);
}

const textX = 44;

function HopMark({ placed, isCause, href }: { placed: PlacedHop; isCause: boolean; href: string; }) {
	const t = useText();
	const { hop, x, y, width, height, mark, isNarrow } = placed;
	const { kind, text } = hopStatus(hop.State, t);
	const { shape, sign } = marks[kind];
	const words = kindText(hop.Kind, t);
	const resource = fitText(hop.ResourceId ?? "", width - textX - 12, 7);
	return (
		<a href={href} className={`hop ${kind} ${placed.isReached ? "" : "cut"} ${isCause ? "cause" : ""}`}>
			<title>{[words, text, resource, hop.ZoneId, hop.Text].filter(Boolean).join(" ")}</title>
			<rect className="hop-field" x={x + 4} y={y - 2} width={width - 8} height={height - 2} rx={5} />
			<g transform={`translate(${mark.x} ${mark.y})`}>
				<path className="hop-back" d={shape} />
				<path className="hop-shape" d={shape} />
				<path className="hop-sign" d={sign} />
			</g>
			<text className="hop-kind" x={x + textX} y={y + 15}>{words}</text>
			{isNarrow
				? <text className="hop-state" x={x + textX} y={y + 30}>{text}</text>
				: <text className="hop-state" x={x + width - 12} y={y + 15} textAnchor="end">{text}</text>}
			<text className="hop-resource" x={x + textX} y={y + (isNarrow ? 45 : 32)}>{resource}</text>
		</a>
	);
}

/** What the picture says, as a table: in the order of the way. */
export function PathTable({ path, endpointId }: { path: EndpointPath; endpointId?: string; }) {
	const t = useText();
	const { place } = useApp();
	const wanted = place.query["hop"];
	return (
		<div className="sheet-box">
			<table className="sheet cards" aria-label={t.path.tableLabel}>
				<thead>
					<tr>
						<th scope="col">{t.path.hop}</th>
						<th scope="col">{t.path.zone}</th>
						<th scope="col">{t.path.state}</th>
						<th scope="col">{t.path.object}</th>
						<th scope="col">{t.path.found}</th>
					</tr>
				</thead>
				<tbody>
					{path.Hops.map((hop) => <HopRow key={hop.Id} hop={hop} endpointId={endpointId} isCause={hop.Id === path.Cause?.HopId} isWanted={hop.Id === wanted} />)}
				</tbody>
			</table>
		</div>
	);
}

function HopRow({ hop, endpointId, isCause, isWanted }: { hop: Hop; endpointId: string | undefined; isCause: boolean; isWanted: boolean; }) {
	const t = useText();
	const { place, hasPage } = useApp();
	const change = placeOfHop(hop, endpointId);
	const target = changePlace(place, change);
	const isLink = change.id !== undefined && hasPage(target);
	const status = hopStatus(hop.State, t);
	const rule = hop.SecurityGroupRuleId;
	return (
		<tr
			className={`${isCause ? "cause" : ""} ${isWanted ? "wanted" : ""}`} tabIndex={isWanted ? -1 : undefined}
			ref={(row) => { if (isWanted && row && row.dataset["met"] !== hop.Id) { row.dataset["met"] = hop.Id; row.scrollIntoView({ block: "center" }); row.focus({ preventScroll: true }); } }}
		>
			<th scope="row" data-title={t.path.hop}><span>{kindText(hop.Kind, t)}{isCause && <span className="badge bad">{t.path.cause}</span>}</span></th>
			<td className="mono" data-title={t.path.zone}>{hop.ZoneId}</td>
			<td data-title={t.path.state}><Status kind={status.kind} text={status.text} /></td>
			<td className="mono object" data-title={t.path.object}>{isLink ? <a href={formatPlace(target)}>{hop.ResourceId || t.path.show}</a> : hop.ResourceId}</td>
			<td className="said" data-title={t.path.found}>
				<span><span lang="en">{hop.Text}</span>{rule && <small className="muted">{rule === "implicit" ? t.path.implicitRule : t.path.rule(rule, hop.Priority ?? 0)}</small>}</span>
			</td>
		</tr>
	);
}
