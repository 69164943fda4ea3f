// SPDX-License-Identifier: Apache-2.0
// Of the form for a new endpoint: which service it leads to.
import { useEffect, useState } from "react";
import { isAlibaba, productOf, serviceQuestion } from "../lib/endpoint_draft";
import type { Draft, Service } from "../lib/endpoint_draft";
import type { Texts } from "../text/en";
import { Button } from "../ui/button";
import { Combobox } from "../ui/combobox";
import type { ComboOption } from "../ui/combobox";
import { Choice, Field, Select } from "../ui/field";
import { Status } from "../ui/status";
import { useApp, useCall, useList, useText } from "./context";
import type { List } from "./context";
import { errorText } from "./errors";

export interface PartProps {
	draft: Draft;
	change: (part: Partial<Draft>) => void;
	/** What is wrong with a field, in words. */
	errorOf: (field: string) => string | undefined;
}

export interface ServiceFinding {
	service: Service | undefined;
	services: List<Service>;
	/** Of a service of others: how its look-up stands. */
	lookUp: "none" | "busy" | "found" | "unknown" | "failed";
	error: unknown;
	again: () => void;
}

interface Found {
	Services: Service[];
}

/** The services that one may choose from, and the one that is chosen. */
export function useService(draft: Draft): ServiceFinding {
	const where = draft.serviceRegion && draft.serviceRegion !== draft.region ? { ServiceRegionId: draft.serviceRegion } : {};
	const services = useList<Service>("privatelink", "ListVpcEndpointServicesByEndUser", where, { items: "Services", every: 10_000, region: draft.region, key: (row) => row.ServiceId });
	const isOther = draft.kind === "other";
	const question = isOther && draft.verified ? { ...serviceQuestion(draft.verified, draft.serviceRegion || draft.region), ...where } : null;
	const found = useCall<Found>("privatelink", "ListVpcEndpointServicesByEndUser", question, { every: 10_000, region: draft.region });
	if (!isOther) return { service: services.rows.find((row) => row.ServiceName === draft.service), services, lookUp: "none", error: undefined, again: found.reload };
	const service = found.answer?.Services[0];
	const lookUp = !question ? "none" : service ? "found" : found.answer ? "unknown" : found.state === "failed" ? "failed" : "busy";
	return { service, services, lookUp, error: found.error, again: found.reload };
}

/** What the service is, in words; of services that are not known here, their domain. */
function whatItIs(service: Service, t: Texts): string {
	const known = t.create.products as Record<string, string>;
	return known[productOf(service.ServiceName)] ?? service.ServiceDomain;
}

function optionOf(service: Service, t: Texts): ComboOption {
	const zones = service.Zones.length > 0 ? service.Zones.join(", ") : t.create.noZones;
	return {
		value: service.ServiceName,
		text: productOf(service.ServiceName) || service.ServiceName,
		search: `${service.ServiceName} ${service.ServiceId} ${service.ServiceDomain}`,
		detail: [whatItIs(service, t), service.ServiceName, zones].filter(Boolean).join(" · "),
	};
}

export function ServicePart({ draft, change, errorOf, finding }: PartProps & { finding: ServiceFinding; }) {
	const t = useText();
	const { regions } = useApp();
	const elsewhere = regions.filter((region) => region.id !== draft.region);
	return (
		<>
			<Choice
				label={t.create.kind} value={draft.kind} onChange={(kind) => change({ kind: kind as Draft["kind"] })}
				options={[{ value: "alibaba", text: t.create.alibaba, detail: t.create.alibabaDetail }, { value: "other", text: t.create.other, detail: t.create.otherDetail }]}
			/>
			{draft.kind === "alibaba" ? <AlibabaService draft={draft} change={change} errorOf={errorOf} finding={finding} /> : <OtherService draft={draft} change={change} errorOf={errorOf} finding={finding} />}
			{finding.service && <ServiceFacts service={finding.service} region={draft.serviceRegion || draft.region} />}
			<Field label={t.create.serviceRegion} hint={t.create.serviceRegionHint} error={errorOf("serviceRegion")}>
				<Select
					value={draft.serviceRegion} onChange={(serviceRegion) => change({ serviceRegion, service: "", verified: "" })}
					options={[{ value: "", text: t.create.sameRegion }, ...elsewhere.map((region) => ({ value: region.id, text: `${region.name} (${region.id})` }))]}
				/>
			</Field>
			{draft.serviceRegion && (
				<Field label={t.create.bandwidth} hint={t.create.bandwidthHint} error={errorOf("bandwidth")} optional>
					<input inputMode="numeric" value={draft.bandwidth} onChange={(event) => change({ bandwidth: event.target.value })} />
				</Field>
			)}
		</>
	);
}

function AlibabaService({ draft, change, errorOf, finding }: PartProps & { finding: ServiceFinding; }) {
	const t = useText();
	const { services } = finding;
	const options = services.rows.filter(isAlibaba).map((service) => optionOf(service, t));
	const error = errorOf("service") ?? (services.state === "failed" && services.rows.length === 0 ? errorText(services.error, t) : undefined);
	const isGone = draft.service !== "" && services.state === "ready" && !finding.service;
	return (
		<Field label={t.create.service} error={error ?? (isGone ? t.create.notOffered(draft.service) : undefined)}>
			<Combobox
				value={draft.service} options={options} placeholder={t.create.servicePlaceholder} onChange={(service) => change({ service, zones: null })}
				empty={services.state === "loading" ? t.common.loading : t.create.noServices}
			/>
		</Field>
	);
}

function OtherService({ draft, change, errorOf, finding }: PartProps & { finding: ServiceFinding; }) {
	const t = useText();
	const others = finding.services.rows.filter((service) => !isAlibaba(service));
	const isChanged = draft.other.trim() !== draft.verified;
	const verify = (): void => (isChanged ? change({ verified: draft.other.trim(), zones: null }) : finding.again());
	const says = finding.lookUp === "unknown" ? t.create.unknownService : finding.lookUp === "failed" ? errorText(finding.error, t) : undefined;
	return (
		<>
			<div className="verify">
				<Field label={t.create.otherService} hint={t.create.otherServiceHint} error={(isChanged ? undefined : says) ?? errorOf("service")}>
					<input
						value={draft.other} placeholder="com.aliyuncs.privatelink.…" spellCheck={false} autoComplete="off"
						onChange={(event) => change({ other: event.target.value })} onBlur={() => { if (draft.other.trim() && isChanged) verify(); }}
					/>
				</Field>
				<Button onClick={verify} disabled={!draft.other.trim()} busy={!isChanged && finding.lookUp === "busy"}>{t.create.verify}</Button>
			</div>
			{!isChanged && finding.lookUp === "found" && <p role="status"><Status kind="ok" text={t.create.verified} /></p>}
			{others.length > 0 && (
				<Field label={t.create.available} optional>
					<Combobox
						value={finding.service?.ServiceName ?? ""} options={others.map((service) => optionOf(service, t))} placeholder={t.create.servicePlaceholder}
						onChange={(name) => change({ other: name, verified: name, zones: null })}
					/>
				</Field>
			)}
		</>
	);
}

function ServiceFacts({ service, region }: { service: Service; region: string; }) {
	const t = useText();
	const [isOpen, setOpen] = useState(false);
	return (
		<dl className="facts service-facts">
			<div>
				<dt>{t.create.what}</dt>
				<dd>{whatItIs(service, t) || "–"}</dd>
			</div>
			<div>
				<dt>{t.create.zonesOf}</dt>
				<dd>{service.Zones.join(", ") || t.create.noZones}</dd>
			</div>
			<div>
				<dt>{t.create.acceptance}</dt>
				<dd>{service.AutoAcceptEnabled ? t.create.acceptsAtOnce : t.create.acceptsByHand}</dd>
			</div>
			<div>
				<dt>{t.create.regionsOf}</dt>
				<dd>
					{productOf(service.ServiceName)
						? <details onToggle={(event) => setOpen(event.currentTarget.open)}><summary>{region}</summary>{isOpen && <Regions product={productOf(service.ServiceName)} />}</details>
						: region}
				</dd>
			</div>
		</dl>
	);
}

/** Where else the service is offered: each region is asked, when somebody wants to know. */
function Regions({ product }: { product: string; }) {
	const t = useText();
	const { client, regions } = useApp();
	const [found, setFound] = useState<string[] | null>(null);
	useEffect(() => {
		let ended = false;
		const ask = async (region: string): Promise<string | null> => {
			const { Services } = await client.call<Found>("privatelink", "ListVpcEndpointServicesByEndUser", { MaxResults: 1000 }, region);
			return Services.some((service) => productOf(service.ServiceName) === product) ? region : null;
		};
		void Promise.allSettled(regions.map((region) => ask(region.id))).then((answers) => {
			if (!ended) setFound(answers.flatMap((answer) => (answer.status === "fulfilled" && answer.value ? [answer.value] : [])));
		});
		return () => { ended = true; };
	}, [client, regions, product]);
	return <span>{found ? found.join(", ") : t.common.loading}</span>;
}
