// SPDX-License-Identifier: Apache-2.0
// Activity: the calls of one's account, from whatever client, newest first. What is looked for is in the address.
import { useMemo, useState } from "react";
import { visible } from "../lib/visible";
import type { Params } from "../lib/client";
import { fromLocalInput, keyOfEvent, readEvents, toLocalInput, withNewest } from "../lib/activity";
import type { AuditEvent, EventPage } from "../lib/activity";
import { formatTime } from "../lib/time";
import type { Texts } from "../text/en";
import { Name } from "../ui/name";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Copied } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Empty } from "../ui/empty";
import { Field, Select } from "../ui/field";
import { Status } from "../ui/status";
import { Table } from "../ui/table";
import type { Column } from "../ui/table";
import { Ref, pageOf } from "./columns";
import { useApp, useAsked, useGo, useLanguage, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { Failed, errorText } from "./errors";
import { PageHead } from "./head";
import { Facts } from "./object";

const everyMs = 10_000;
const pageSize = 100;
const filters = ["action", "resource", "key", "code", "from", "to"] as const;

function paramsOf(query: Record<string, string>): Params {
	const kind = query["kind"] ?? "Change";
	return {
		EventKind: kind === "All" ? undefined : kind, EventAction: query["action"], EventAccessKeyId: query["key"], EventResourceId: query["resource"], EventCode: query["code"], StartTime: query["from"], EndTime: query["to"],
	};
}

/** A line of the log, short. */
function summaryOf(event: AuditEvent, t: Texts): string {
	if (event.Omitted) return t.activity.omitted(event.Omitted);
	return (event.Parameters ?? []).filter(({ Name }) => !/^(RegionId|ClientToken)$/.test(Name)).map(({ Name, Value }) => `${Name}=${Value}`).join(" ");
}

const isOk = (event: AuditEvent): boolean => (event.Status ?? 200) < 400;

function columnsOf(t: Texts, language: string, open: (event: AuditEvent) => void): Column<AuditEvent>[] {
	return [
		{ key: "time", title: t.activity.time, width: 25, cell: (event) => formatTime(event.Time, language) },
		{ key: "action", title: t.activity.action, width: 30, cell: (event) => <button type="button" className="plain" onClick={() => open(event)}><Name text={event.Action ?? event.Why ?? "–"} /></button> },
		{ key: "result", title: t.activity.result, width: 18, cell: (event) => <Status kind={isOk(event) ? "ok" : "bad"} text={isOk(event) ? t.states.Ok : event.Code ?? String(event.Status)} /> },
		{ key: "parameters", title: t.activity.parameters, width: 48, cell: (event) => <span className="mono" title={visible(summaryOf(event, t))}><Name text={summaryOf(event, t)} /></span> },
		{ key: "key", title: t.activity.key, width: 28, cell: (event) => <span className="mono">{event.AccessKeyId ?? "–"}</span> },
		{ key: "client", title: t.activity.client, width: 24, cell: (event) => <span title={visible(event.UserAgent ?? "")}><Name text={event.UserAgent ?? "–"} /></span> },
	];
}

export function ActivityPage({ place }: PageProps) {
	const t = useText();
	const language = useLanguage();
	const { client } = useApp();
	const [open, setOpen] = useState<AuditEvent | null>(null);
	const [older, setOlder] = useState<{ of: string; page: EventPage; } | null>(null);
	const [more, setMore] = useState<{ busy: boolean; error?: unknown; }>({ busy: false });
	const { query } = place;
	const params = paramsOf(query);
	const key = JSON.stringify(params);
	const asked = useAsked<EventPage>(key, () => readEvents(client, params, undefined, pageSize), () => everyMs, withNewest);
	const columns = useMemo(() => columnsOf(t, language, setOpen), [t, language]);
	useTitle(t.activity.title);
	const behind = older?.of === key ? older.page : undefined;
	const events = useMemo(() => {
		const first = asked.answer?.events ?? [];
		const known = new Set(first.map(keyOfEvent));
		return [...first, ...(behind?.events ?? []).filter((event) => !known.has(keyOfEvent(event)))];
	}, [asked.answer, behind]);
	const next = behind ? behind.next : asked.answer?.next;
	const loadOlder = async (): Promise<void> => {
		setMore({ busy: true });
		try {
			const page = await readEvents(client, params, next, pageSize);
			setOlder({ of: key, page: { events: [...(behind?.events ?? []), ...page.events], ...(page.next ? { next: page.next } : {}) } });
			setMore({ busy: false });
		} catch (error) {
			setMore({ busy: false, error });
		}
	};
	const isFiltered = filters.some((name) => query[name]) || (query["kind"] ?? "Change") !== "All";
	const empty = asked.state === "loading" ? <p className="loading">{t.common.loading}</p>
		: asked.state === "failed" && !asked.answer ? <Failed error={asked.error} reload={asked.reload} />
			: <Empty kind={isFiltered ? "filtered" : "nothing"} title={t.activity.noneTitle} text={next ? t.activity.noneYet : t.activity.noneText} />;
	return (
		<>
			<PageHead title={t.activity.title} text={t.activity.intro} />
			<Filters key={key} query={query} reload={asked.reload} />
			<Table label={t.activity.title} rows={events} columns={columns} rowKey={keyOfEvent} onOpen={setOpen} empty={empty} />
			{more.error !== undefined && <Banner kind="bad">{errorText(more.error, t)}</Banner>}
			<div className="row">
				<span className="muted" aria-live="polite">{t.activity.shown(new Intl.NumberFormat(language).format(events.length))}</span>
				{next && <Button busy={more.busy} icon="down" onClick={() => void loadOlder()}>{t.activity.older}</Button>}
			</div>
			{open && <EventDialog event={open} onClose={() => setOpen(null)} />}
		</>
	);
}

/** A field's value goes into the address when one leaves it or presses Enter. */
function Filters({ query, reload }: { query: Record<string, string>; reload: () => void; }) {
	const t = useText();
	const go = useGo();
	const take = (name: string, value: string): void => { if ((query[name] ?? "") !== value) go({ query: { [name]: value } }, true); };
	const field = (name: (typeof filters)[number], label: string, placeholder: string): JSX.Element => (
		<Field label={label}>
			<input
				defaultValue={query[name] ?? ""} placeholder={placeholder} autoComplete="off" spellCheck={false} onBlur={(event) => take(name, event.target.value.trim())}
				onKeyDown={(event) => { if (event.key === "Enter") take(name, event.currentTarget.value.trim()); }}
			/>
		</Field>
	);
	const time = (name: "from" | "to", label: string): JSX.Element => (
		<Field label={label}>
			<input type="datetime-local" defaultValue={toLocalInput(query[name] ?? "")} onBlur={(event) => take(name, fromLocalInput(event.target.value))} onKeyDown={(event) => { if (event.key === "Enter") take(name, fromLocalInput(event.currentTarget.value)); }} />
		</Field>
	);
	const kinds = [["Change", t.activity.changes], ["Refused", t.activity.refused], ["Read", t.activity.reads], ["All", t.activity.all]] as const;
	return (
		<div className="filters" role="search">
			<Field label={t.activity.kind}><Select value={query["kind"] ?? "Change"} options={kinds.map(([value, text]) => ({ value, text }))} onChange={(kind) => take("kind", kind === "Change" ? "" : kind)} /></Field>
			{field("action", t.activity.action, "CreateVpcEndpoint")}
			{field("resource", t.activity.resource, "ep-…")}
			{field("key", t.activity.key, "PLAK…")}
			{field("code", t.activity.code, "OK")}
			{time("from", t.activity.from)}
			{time("to", t.activity.to)}
			<div className="row">
				{[...filters, "kind"].some((name) => query[name]) && <Button kind="quiet" icon="close" onClick={() => go({ query: Object.fromEntries([...filters, "kind"].map((name) => [name, ""])) }, true)}>{t.list.clearFilter}</Button>}
				<Button kind="quiet" icon="refresh" aria-label={t.list.refresh} title={t.list.refresh} onClick={reload} />
			</div>
		</div>
	);
}

function EventDialog({ event, onClose }: { event: AuditEvent; onClose: () => void; }) {
	const t = useText();
	const language = useLanguage();
	const parameters = event.Parameters ?? [];
	return (
		<Dialog wide title={visible(event.Action ?? event.Why ?? t.activity.title)} onClose={onClose} foot={<Button kind="primary" onClick={onClose}>{t.ui.close}</Button>}>
			<Facts label={t.network.basics} facts={[
				[t.activity.time, formatTime(event.Time, language)],
				[t.activity.result, <Status kind={isOk(event) ? "ok" : "bad"} text={event.Code ?? t.states.Ok} />],
				[t.activity.product, `${event.Product ?? "–"} ${event.Version ?? ""}`],
				[t.frame.region, event.RegionId ?? "–"],
				[t.activity.key, event.AccessKeyId ? <Copied text={event.AccessKeyId} /> : "–"],
				[t.frame.accountId, String(event.AccountId ?? "–")],
				[t.activity.source, `${event.SourceAddress ?? "–"} · ${event.Https ? "HTTPS" : "HTTP"}`],
				[t.activity.client, event.UserAgent ?? "–"],
				["RequestId", <Copied text={event.RequestId} />],
				[t.activity.took, event.DurationMs === undefined ? "–" : `${event.DurationMs} ms`],
			]} />
			<h3>{t.activity.parameters}</h3>
			<dl className="pairs">
				{parameters.map(({ Name: name, Value: value }, i) => (
					<div key={i}>
						<dt className="mono">{visible(name)}</dt>
						<dd className="mono">{pageOf(value) ? <Ref id={value} /> : <Name text={value} />}</dd>
					</div>
				))}
			</dl>
			{parameters.length === 0 && <p className="muted">{t.activity.noParameters}</p>}
			{!!event.ParametersOmitted && <p className="muted">{t.activity.omittedParameters(event.ParametersOmitted)}</p>}
		</Dialog>
	);
}
