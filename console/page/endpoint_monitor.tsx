// SPDX-License-Identifier: Apache-2.0
// Traffic over time: of an endpoint, or of a service with all its endpoints. Range, zone and view are in the address; a link that is copied
// shows the moment at which it was copied.
import { useEffect, useMemo, useState } from "react";
import { formatPlace } from "../lib/address";
import { dropMetrics, formatNumber, linesOf, reasonOf, zonesOf } from "../lib/series";
import type { Line, Series } from "../lib/series";
import { frozen, parseRange, rangeName, ranges } from "../lib/range";
import type { Range } from "../lib/range";
import { stampOf } from "../lib/time";
import type { Texts } from "../text/en";
import { Button } from "../ui/button";
import { Chart } from "../ui/chart";
import { CopyButton } from "../ui/copy";
import { Empty } from "../ui/empty";
import { Field, Select } from "../ui/field";
import { Banner } from "../ui/banner";
import { changePlace, useApp, useCall, useGo, useLanguage, useText } from "./context";
import { errorText, Failed } from "./errors";

interface Metrics {
	Period: number;
	StartTime: string;
	EndTime: string;
	Series: Series[];
}

const refreshMs = 5000;

/** The range that the address asks for; a live one moves on every few seconds. */
function useRange(query: Record<string, string>): Range {
	const [now, setNow] = useState(Date.now);
	const range = parseRange(query, now);
	useEffect(() => {
		if (!range.isLive) return;
		const timer = setInterval(() => { if (document.visibilityState !== "hidden") setNow(Date.now()); }, refreshMs);
		return () => clearInterval(timer);
	}, [range.isLive]);
	return range;
}

/** The last answer while the next one is under way: charts do not blink when the range moves on. */
function useLast<T>(value: T | undefined, key: string): T | undefined {
	const [last, setLast] = useState<{ key: string; value: T; } | null>(null);
	useEffect(() => { if (value !== undefined) setLast({ key, value }); }, [value, key]);
	return value ?? (last?.key === key ? last.value : undefined);
}

export function EndpointMonitor({ endpointId, serviceId }: { endpointId?: string; serviceId?: string; }) {
	const t = useText();
	const language = useLanguage();
	const { place } = useApp();
	const go = useGo();
	const range = useRange(place.query);
	const zone = place.query["zone"] ?? "";
	const of = endpointId ? { EndpointId: endpointId } : { ServiceId: serviceId };
	const params = { ...of, StartTime: stampOf(range.from), EndTime: stampOf(range.to), Period: range.period };
	const asked = useCall<Metrics>("privlink", "GetEndpointMetrics", params);
	const answer = useLast(asked.answer, JSON.stringify([of, range.period, range.isLive, range.to - range.from, range.isLive ? 0 : range.to]));
	const set = (query: Record<string, string | undefined>): void => go({ query }, true);
	const link = `${location.origin}${location.pathname}${formatPlace(changePlace(place, { query: { ...frozen(range), range: undefined } }))}`;
	const zones = zonesOf(answer?.Series ?? []);
	return (
		<>
			<div className="asking">
				<Field label={t.monitor.range}>
					<Select value={range.isLive ? rangeName(place.query["range"]) : "frozen"} onChange={(value) => { if (value !== "frozen") set({ range: value === "15m" ? undefined : value, from: undefined, to: undefined }); }}
						options={[...ranges.map((name) => ({ value: name, text: t.monitor.ranges[name] })), ...(range.isLive ? [] : [{ value: "frozen", text: frozenText(range, language) }])]} />
				</Field>
				<Field label={t.monitor.zone}>
					<Select value={zone} onChange={(value) => set({ zone: value })} options={[{ value: "", text: t.monitor.sum }, { value: "each", text: t.monitor.each }, ...[...new Set([...zones, ...(zone && zone !== "each" ? [zone] : [])])].map((id) => ({ value: id, text: id }))]} />
				</Field>
				<div className="row asking-acts">
					{!range.isLive && <Button icon="play" onClick={() => set({ from: undefined, to: undefined })}>{t.monitor.live}</Button>}
					<span className="copy-link"><span className="muted">{t.monitor.copyLink}</span><CopyButton text={link} label={t.monitor.copyLink} /></span>
				</div>
			</div>
			{answer && asked.state === "failed" && <Banner kind="bad">{errorText(asked.error, t)}</Banner>}
			{!answer && (asked.state === "failed" ? <Failed error={asked.error} reload={asked.reload} /> : <p className="loading">{t.common.loading}</p>)}
			{answer && <Answer answer={answer} zone={zone} />}
		</>
	);
}

function frozenText(range: Range, language: string): string {
	return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).formatRange(range.from, range.to);
}

interface Group {
	key: keyof Texts["monitor"]["charts"];
	unit: string;
	metrics: (series: readonly Series[]) => string[];
}

/** What stands together has one unit. */
const groups: Group[] = [
	{ key: "bytes", unit: "bit/s", metrics: () => ["InBps", "OutBps"] },
	{ key: "packets", unit: "pkt/s", metrics: () => ["InPps", "OutPps"] },
	{ key: "newFlows", unit: "", metrics: () => ["NewFlows"] },
	{ key: "openFlows", unit: "", metrics: () => ["OpenFlows"] },
	{ key: "drops", unit: "pkt/s", metrics: () => ["InDropPps", "OutDropPps"] },
	{ key: "reasons", unit: "", metrics: dropMetrics },
	{ key: "dropBytes", unit: "bit/s", metrics: () => ["InDropBps", "OutDropBps"] },
];

function lineTitle(line: Line, t: Texts): string {
	const names = t.monitor.metrics as Record<string, string>;
	const reasons = t.monitor.reasons as Record<string, string>;
	const name = line.metric.startsWith("Drops.") ? reasons[reasonOf(line.metric)] ?? reasonOf(line.metric) : names[line.metric] ?? line.metric;
	return line.zone ? `${name} · ${line.zone}` : name;
}

function Answer({ answer, zone }: { answer: Metrics; zone: string; }) {
	const t = useText();
	const language = useLanguage();
	const series = useMemo(() => (zone && zone !== "each" ? answer.Series.filter((one) => one.ZoneId === zone) : answer.Series), [answer, zone]);
	const shown = useMemo(
		() => groups
			.map((group) => ({ ...group, lines: linesOf(series, group.metrics(series), zone === "each").map((line) => ({ ...line, title: lineTitle(line, t) })) }))
			.filter((group) => group.lines.length > 0),
		[series, zone, t],
	);
	const start = Date.parse(answer.StartTime);
	const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
	if (shown.length === 0) return <Empty kind="nothing" title={t.monitor.noneTitle} text={t.monitor.noneText} />;
	return (
		<div className="charts">
			{shown.map((group) => (
				<Chart
					key={group.key} title={t.monitor.charts[group.key]} series={group.lines} start={start} periodMs={answer.Period * 1000}
					format={(value) => (group.unit === "" && !Number.isInteger(value) ? "" : formatNumber(value, group.unit, language))} formatTime={(ms) => time.format(ms)}
				/>
			))}
			<p className="muted chart-note">{t.monitor.note(answer.Period)}</p>
		</div>
	);
}
