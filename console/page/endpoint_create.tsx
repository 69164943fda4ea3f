// SPDX-License-Identifier: Apache-2.0
// The form for a new endpoint. What is typed is kept by the browser until the endpoint is there; what was sent keeps its token until
// its answer was seen, so that however often it is repeated one endpoint is made.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { FormEvent } from "react";
import { formatPlace } from "../lib/address";
import { ApiError } from "../lib/client";
import type { Params } from "../lib/client";
import { endpointParams, keepDraft, moveDraft, newDraft, placeOfError, prefill, prefillNames, proposeZones, readDraft, usedZones, wrongFields } from "../lib/endpoint_draft";
import type { Draft, Sent, VSwitch, ZoneRow } from "../lib/endpoint_draft";
import { check, checkTag, nameRule, optional, tagLimit } from "../lib/form";
import { visible } from "../lib/visible";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Combobox } from "../ui/combobox";
import { Checkbox, Field, Select } from "../ui/field";
import { TagEditor } from "../ui/tags";
import { useApp, useCall, useGo, useHref, useList, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { CopyCall } from "./copy_call";
import { GroupWarnings, GroupsPart } from "./create_groups";
import type { SecurityGroup } from "./create_groups";
import { EndpointMade } from "./create_made";
import { ServicePart, useService } from "./create_service";
import { ZonesPart } from "./create_zones";
import type { Zone } from "./create_zones";
import { errorText } from "./errors";
import { PageHead } from "./head";
import { Link } from "./link";

export function EndpointCreatePage({ place }: PageProps) {
	const t = useText();
	const made = place.query["made"];
	const title = made ? t.create.madeTitle : t.create.title;
	useTitle(title);
	return (
		<>
			<PageHead title={title} text={made ? undefined : t.create.intro} />
			{made ? <EndpointMade id={made} /> : <CreateForm />}
		</>
	);
}

/** The form's values, kept over reloads. An address may fill in some. */
function useDraft(): [Draft, (part: Partial<Draft>) => void] {
	const { identity, place } = useApp();
	const go = useGo();
	const [draft, setDraft] = useState(() => prefill(readDraft(sessionStorage, identity.accountId, place.region), place.query));
	useEffect(() => keepDraft(sessionStorage, identity.accountId, draft), [identity.accountId, draft]);
	useEffect(() => {
		if (prefillNames.some((name) => place.query[name])) go({ query: Object.fromEntries(prefillNames.map((name) => [name, ""])) }, true);
	}, [go, place.query]);
	useEffect(() => setDraft((old) => (old.region === place.region ? old : moveDraft(old, place.region))), [place.region]);
	return [draft, useCallback((part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part })), [])];
}

/** A call that a reload interrupted goes on by itself, unless that was long ago. */
const resumeMs = 10 * 60_000;

interface Submission {
	busy: boolean;
	/** What came back, and for which values that was. */
	error: unknown;
	/** A dry run found nothing wrong. */
	isFine: boolean;
	send: (params: Params) => void;
	forget: () => void;
}

function useSubmission(draft: Draft, change: (part: Partial<Draft>) => void): Submission {
	const { client, identity, place } = useApp();
	const go = useGo();
	const [state, setState] = useState<{ busy: boolean; error?: unknown; isFine?: boolean; }>({ busy: false });
	const shown = useRef(true);
	useEffect(() => {
		shown.current = true;
		return () => { shown.current = false; };
	}, []);

	const run = async (sent: Sent): Promise<void> => {
		setState({ busy: true });
		// At once, not with the next drawing: the page may be gone before.
		keepDraft(sessionStorage, identity.accountId, { ...draft, sent });
		change({ sent });
		try {
			const answer = await client.write<{ EndpointId: string; }>("privatelink", "CreateVpcEndpoint", { ...sent.params, ClientToken: sent.token }, draft.region);
			if (shown.current) change({ ...newDraft(draft.region), sent: undefined });
			keepDraft(sessionStorage, identity.accountId, null);
			if (shown.current) go({ region: draft.region, page: "endpoints", id: "create", query: { made: answer.EndpointId } }, true);
		} catch (error) {
			const isAnswer = error instanceof ApiError;
			if (isAnswer) change({ sent: undefined });
			setState(isAnswer && error.code === "DryRunOperation" ? { busy: false, isFine: true } : { busy: false, error });
		}
	};

	const send = (params: Params): void => {
		if (state.busy) return;
		const isSame = draft.sent && JSON.stringify(draft.sent.params) === JSON.stringify(params);
		void run(isSame && draft.sent ? draft.sent : { token: crypto.randomUUID(), params, at: Date.now() });
	};
	const resumed = useRef(false);
	useEffect(() => {
		if (resumed.current) return;
		resumed.current = true;
		if (draft.sent && draft.region === place.region && Date.now() - draft.sent.at < resumeMs) void run(draft.sent);
	});
	return { busy: state.busy, error: state.error, isFine: state.isFine ?? false, send, forget: () => setState((old) => (old.busy ? old : { busy: false })) };
}

interface Vpc {
	VpcId: string;
	VpcName: string;
	CidrBlock: string;
	Status: string;
}

interface ResourceGroup {
	Id: string;
	Name: string;
	DisplayName: string;
}

function useNetwork(draft: Draft) {
	const ofVpc = draft.vpc ? { VpcId: draft.vpc } : null;
	const slow = { paging: "number" as const, every: 10_000, region: draft.region };
	const vpcs = useList<Vpc>("vpc", "DescribeVpcs", {}, { ...slow, items: "Vpcs.Vpc", key: (row) => row.VpcId });
	const vswitches = useList<VSwitch>("vpc", "DescribeVSwitches", ofVpc, { ...slow, items: "VSwitches.VSwitch", key: (row) => row.VSwitchId });
	const groups = useList<SecurityGroup>("ecs", "DescribeSecurityGroups", ofVpc, { ...slow, items: "SecurityGroups.SecurityGroup", key: (row) => row.SecurityGroupId });
	const zones = useCall<{ Zones: { Zone: Zone[]; }; }>("privatelink", "DescribeZones", {}, { region: draft.region });
	return { vpcs, vswitches, groups, zones: zones.answer?.Zones.Zone ?? noZones };
}

const noZones: Zone[] = [];

function CreateForm() {
	const t = useText();
	const go = useGo();
	const href = useHref();
	const { regions, place } = useApp();
	const [draft, setDraft] = useDraft();
	const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
	const [all, setAll] = useState(false);
	const form = useRef<HTMLFormElement>(null);
	const submission = useSubmission(draft, setDraft);
	const finding = useService(draft);
	const { service } = finding;
	const network = useNetwork(draft);
	const isCross = draft.serviceRegion !== "" && draft.serviceRegion !== draft.region;
	const proposed = useMemo(() => proposeZones(isCross || !service ? null : service.Zones, network.vswitches.rows), [isCross, service, network.vswitches.rows]);
	const rows: ZoneRow[] = draft.zones ?? proposed;
	const params = endpointParams(draft, rows, service);
	const wrong = wrongFields(draft, rows, network.vswitches.rows, service);

	const change = (part: Partial<Draft>): void => {
		setDraft(part);
		submission.forget();
	};
	const { error } = submission;
	const at = error instanceof ApiError ? placeOfError(error, rows) : null;
	const errorOf = (field: string): string | undefined => {
		if (at === field) return errorText(error, t);
		const rule = wrong[field as keyof typeof wrong];
		if (!rule || !(all || touched.has(field) || /^address/.test(field))) return undefined;
		return field === "service" && draft.kind === "other" && draft.other ? t.create.verifyFirst : t.rules[rule];
	};
	const touch = (field: string) => (): void => setTouched((old) => new Set([...old, field]));
	const submit = (event: FormEvent): void => {
		event.preventDefault();
		setAll(true);
		if (Object.keys(wrong).length === 0) submission.send(params);
	};
	useEffect(() => {
		if (!all && error === undefined) return;
		const first = form.current?.querySelector<HTMLElement>('[aria-invalid="true"], fieldset:has(.field-error) input');
		first?.focus();
	}, [all, error]);

	const pathParams = isComplete(draft, rows, wrong) ? withoutTexts(params) : null;
	const makeVpc = <Link to={{ page: "vpcs", id: "create", query: { back: formatPlace(place) } }}>{t.create.makeVpc}</Link>;
	return (
		<div className="with-aside">
			<form className="form" ref={form} onSubmit={submit} noValidate aria-label={t.create.title}>
				<section className="card form">
					<Field label={t.create.region} error={errorOf("region")}>
						<Select value={draft.region} onChange={(region) => go({ region })} options={regions.map((region) => ({ value: region.id, text: `${region.name} (${region.id})` }))} />
					</Field>
					<Field label={t.create.name} hint={t.create.nameHint} error={nameError(draft.name, t.rules) ?? errorOf("name")} optional>
						<input value={draft.name} maxLength={200} spellCheck={false} autoComplete="off" onChange={(event) => change({ name: event.target.value })} />
					</Field>
				</section>
				<section className="card form">
					<h2>{t.create.serviceTitle}</h2>
					<ServicePart draft={draft} change={change} errorOf={errorOf} finding={finding} />
				</section>
				<section className="card form">
					<h2>{t.create.networkTitle}</h2>
					<Field label={t.create.vpc} error={errorOf("vpc")} warning={network.vpcs.state === "ready" && network.vpcs.rows.length === 0 ? <span>{t.create.noVpcs} {makeVpc}</span> : undefined}>
						<Combobox
							value={draft.vpc} placeholder={t.create.choose} empty={t.create.noVpcs} onChange={(vpc) => change({ vpc, zones: null, groups: vpc === draft.vpc ? draft.groups : [] })}
							options={network.vpcs.rows.map((vpc) => ({ value: vpc.VpcId, text: vpc.VpcName ? `${visible(vpc.VpcName)} (${vpc.VpcId})` : vpc.VpcId, detail: vpc.CidrBlock }))}
						/>
					</Field>
					<ZonesPart
						rows={rows} onChange={(zones) => change({ zones })} vpc={draft.vpc} zones={network.zones} vswitches={network.vswitches.rows} service={service}
						isCross={isCross} errorOf={errorOf}
					/>
					<IpVersion draft={draft} change={change} offered={service?.AddressIpVersion ?? "IPv4"} error={errorOf("ipVersion")} />
				</section>
				<section className="card form">
					<GroupsPart vpc={draft.vpc} groups={network.groups} chosen={draft.groups} onChange={(groups) => { touch("groups")(); change({ groups }); }} error={errorOf("groups")} />
					<GroupWarnings params={pathParams} group={draft.groups[0] ?? ""} range={network.vpcs.rows.find((vpc) => vpc.VpcId === draft.vpc)?.CidrBlock ?? ""} />
				</section>
				<section className="card form">
					<h2>{t.create.moreTitle}</h2>
					<MoreFields draft={draft} change={change} errorOf={errorOf} touch={touch} canAffinity={!service || service.ZoneAffinityEnabled} />
				</section>
				<Outcome submission={submission} at={at} />
				<div className="row form-foot">
					<Button kind="primary" type="submit" busy={submission.busy}>{draft.dryRun ? t.create.check : t.create.submit}</Button>
					<a className="button normal" href={href({ page: "endpoints" })}>{t.ui.cancel}</a>
					<Button kind="quiet" disabled={submission.busy} onClick={() => { change({ ...newDraft(draft.region), sent: undefined }); setAll(false); setTouched(new Set()); }}>{t.create.startAgain}</Button>
				</div>
			</form>
			<aside aria-label={t.code.title}>
				<CopyCall calls={{ product: "privatelink", action: "CreateVpcEndpoint", region: draft.region, params }} />
			</aside>
		</div>
	);
}

/** While one types: what can still become right is not wrong yet. */
function nameError(name: string, rules: Record<string, string>): string | undefined {
	const said = name.length < 2 ? null : check(name.trim(), optional(nameRule));
	return said ? rules[said] : undefined;
}

function isComplete(draft: Draft, rows: readonly ZoneRow[], wrong: object): boolean {
	return draft.groups.length > 0 && usedZones(rows).length > 0 && !Object.keys(wrong).some((field) => !["name", "description", "tags"].includes(field));
}

/** What CreateVpcEndpoint and GetEndpointPath both take. */
function withoutTexts({ EndpointName: _n, EndpointDescription: _d, Tag: _t, ResourceGroupId: _r, DryRun: _y, ...params }: Params): Params {
	return params;
}

function Outcome({ submission, at }: { submission: Submission; at: string | null; }) {
	const t = useText();
	const { link } = useApp();
	if (submission.busy) return <p className="muted" role="status">{link.up ? t.create.sending : t.create.waitingForServer}</p>;
	if (submission.isFine) return <Banner kind="ok">{t.create.dryRunFine}</Banner>;
	if (submission.error === undefined) return null;
	if (submission.error instanceof ApiError) return <Banner kind="bad">{at ? t.create.refusedAtField : errorText(submission.error, t)}</Banner>;
	return <Banner kind="bad">{errorText(submission.error, t)} {t.create.sendAgain}</Banner>;
}

const ipVersions: Record<string, string[]> = { IPv4: ["IPv4"], DualStack: ["IPv4", "DualStack"], IPv6: ["IPv6"] };

/** Only what the service has. */
function IpVersion({ draft, change, offered, error }: { draft: Draft; change: (part: Partial<Draft>) => void; offered: string; error: string | undefined; }) {
	const t = useText();
	const versions = ipVersions[offered] ?? ["IPv4"];
	return (
		<Field label={t.create.ipVersion} hint={versions.length === 1 ? t.create.onlyIpVersion(versions[0] as string) : undefined} error={error}>
			<Select value={draft.ipVersion} onChange={(ipVersion) => change({ ipVersion })} options={versions.map((version) => ({ value: version, text: version }))} />
		</Field>
	);
}

interface MoreProps {
	draft: Draft;
	change: (part: Partial<Draft>) => void;
	errorOf: (field: string) => string | undefined;
	touch: (field: string) => () => void;
	/** The service spreads names by zones, too: else the switch does nothing. */
	canAffinity: boolean;
}

function MoreFields({ draft, change, errorOf, touch, canAffinity }: MoreProps) {
	const t = useText();
	const groups = useList<ResourceGroup>("resourcemanager", "ListResourceGroups", {}, { items: "ResourceGroups.ResourceGroup", paging: "number", key: (row) => row.Id });
	const tagError = (i: number): string | null => {
		const tag = draft.tags[i];
		const key = tag && (tag.Key || tag.Value) ? checkTag(draft.tags, i) : null;
		return key && t.rules[key];
	};
	return (
		<>
			<Checkbox label={t.create.affinity} checked={draft.affinity} onChange={(affinity) => change({ affinity })} hint={canAffinity ? t.create.affinityHint : t.create.affinityOff} />
			<TagEditor label={t.create.tags} tags={draft.tags} onChange={(tags) => change({ tags })} errorOf={tagError} limit={tagLimit} />
			{errorOf("tags") && !draft.tags.some((_, i) => tagError(i)) && <Banner kind="bad">{errorOf("tags")}</Banner>}
			<Field label={t.create.description} error={errorOf("description")} optional>
				<textarea rows={2} value={draft.description} onBlur={touch("description")} onChange={(event) => change({ description: event.target.value })} />
			</Field>
			<Field label={t.create.resourceGroup} error={errorOf("resourceGroup")} optional>
				<Combobox
					value={draft.resourceGroup} placeholder={t.create.defaultGroup} onChange={(resourceGroup) => change({ resourceGroup })}
					options={[{ value: "", text: t.create.defaultGroup }, ...groups.rows.map((group) => ({ value: group.Id, text: group.DisplayName || group.Name, detail: group.Id }))]}
				/>
			</Field>
			<Checkbox label={t.create.dryRun} checked={draft.dryRun} onChange={(dryRun) => change({ dryRun })} hint={t.create.dryRunHint} />
		</>
	);
}
