// SPDX-License-Identifier: Apache-2.0
// After the form for a new endpoint: how it comes up, zone by zone.
import { ApiError } from "../lib/client";
import type { Texts } from "../text/en";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { Copied } from "../ui/copy";
import { Name } from "../ui/name";
import { Progress } from "../ui/progress";
import type { Step } from "../ui/progress";
import { useApp, useCall, useGo, useHref, useList, useText } from "./context";
import { Failed } from "./errors";
import { connectionState, stateOf } from "./states";

interface Made {
	EndpointId: string;
	EndpointName: string;
	EndpointStatus: string;
	ConnectionStatus: string;
	AcceptanceStatus: string;
	ServiceName: string;
	ServiceId: string;
}

interface MadeZone {
	ZoneId: string;
	EniIp: string;
	ZoneStatus: string;
}

const isMoving = (status: string): boolean => status === "Pending" || /ing$/.test(status);

function stepsOf(made: Made, zones: MadeZone[], t: Texts): Step[] {
	const isUp = made.EndpointStatus === "Active";
	const endpoint = stateOf(made.EndpointStatus, t);
	const connection = connectionState(made, t);
	return [
		{ key: "endpoint", title: t.create.stepEndpoint, ...endpoint },
		...zones.map((zone): Step => ({ key: zone.ZoneId, title: zone.EniIp ? `${zone.ZoneId} · ${zone.EniIp}` : zone.ZoneId, ...stateOf(zone.ZoneStatus, t) })),
		{ key: "connection", title: t.create.stepConnection, ...(isUp ? connection : { ...connection, kind: connection.kind === "ok" ? "ok" : "wait" }) },
	];
}

/** Rows that the first answer does not have yet are worth asking for again soon. */
export function EndpointMade({ id }: { id: string; }) {
	const t = useText();
	const go = useGo();
	const href = useHref();
	const { hasPage, place } = useApp();
	const asked = useCall<Made>("privatelink", "GetVpcEndpointAttribute", { EndpointId: id }, { every: 3000, busy: (made) => isMoving(made.EndpointStatus) || isMoving(made.ConnectionStatus) });
	const zones = useList<MadeZone>("privatelink", "ListVpcEndpointZones", { EndpointId: id }, {
		items: "Zones", every: 3000, key: (zone) => zone.ZoneId, busy: (zone) => isMoving(zone.ZoneStatus) || zone.ZoneStatus === "Wait",
	});
	const made = asked.answer;
	const isGone = asked.error instanceof ApiError;
	if (isGone || (!made && asked.state === "failed")) return <Failed error={asked.error} reload={asked.reload} />;
	if (!made) return <p className="loading">{t.common.loading}</p>;
	const steps = stepsOf(made, zones.rows, t);
	const isReady = steps.every((step) => step.kind === "ok");
	const target = { page: "endpoints", id };
	const canOpen = hasPage({ ...place, ...target, query: {} });
	return (
		<section className="card stack made" aria-label={t.create.progress}>
			<h2><Name text={made.EndpointName || made.EndpointId} /></h2>
			<p className="muted">{t.create.madeId} <Copied text={made.EndpointId} /></p>
			<Progress label={t.create.progress} steps={steps} />
			{isReady && <Banner kind="ok">{t.create.ready}</Banner>}
			{made.AcceptanceStatus === "Waiting" && <Waiting made={made} />}
			<div className="row">
				<a className="button primary" href={href(canOpen ? target : { page: "endpoints" })}>{canOpen ? t.create.toEndpoint : t.create.toEndpoints}</a>
				<Button onClick={() => go({ query: { made: "" } })}>{t.create.another}</Button>
			</div>
		</section>
	);
}

function Waiting({ made }: { made: Made; }) {
	const t = useText();
	const { identity } = useApp();
	return (
		<>
			<Banner kind="warn">{t.create.waiting}</Banner>
			<p className="hint">{t.create.textForProvider}</p>
			<CodeBlock wrapped label={t.create.textForProvider} text={t.create.pleaseAccept(made.EndpointId, identity.accountId, made.ServiceName, `privlink service accept ${made.ServiceId} ${made.EndpointId}`)} />
		</>
	);
}
