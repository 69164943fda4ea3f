// SPDX-License-Identifier: Apache-2.0
// A connectivity test: packets of an instance to the endpoint, step by step and zone by zone, beside what the configuration says.
import { useEffect, useRef, useState } from "react";
import { agreement, formatLatency, groupSteps } from "../lib/connectivity";
import type { StepGroup, TestStep } from "../lib/connectivity";
import { optional, portRule } from "../lib/form";
import { formatSince, formatTime } from "../lib/time";
import { Banner } from "../ui/banner";
import { Button, Spinner } from "../ui/button";
import { Empty } from "../ui/empty";
import { Field } from "../ui/field";
import { Status } from "../ui/status";
import type { StatusKind } from "../ui/status";
import { useApp, useCall, useGo, useLanguage, useList, useQuery, useText } from "./context";
import { CopyCall } from "./copy_call";
import type { TabProps } from "./endpoint_detail";
import { errorText, Failed, fieldError } from "./errors";
import { Link } from "./link";
import type { EndpointPath } from "./path_picture";
import { InstanceField, PathAnswer, useInstances } from "./path_view";
import { stateOf } from "./states";

interface TestRow {
	TestId: string;
	EndpointId: string;
	InstanceId: string;
	Port?: number;
	Status: "Pending" | "Running" | "Finished" | "Expired";
	StatusInfo?: string;
	Verdict?: string;
	CreateTime: string;
	EndTime?: string;
}

interface TestDetail extends TestRow {
	Steps?: TestStep[];
	Path?: EndpointPath;
	Agree?: boolean;
}

const isRunning = (test: TestRow): boolean => test.Status === "Pending" || test.Status === "Running";

export function EndpointTest({ endpoint }: TabProps) {
	const t = useText();
	const go = useGo();
	const id = endpoint.EndpointId;
	const [testId] = useQuery("test");
	const list = useList<TestRow>("privlink", "ListConnectivityTests", { EndpointId: id }, { items: "Tests", size: 50, every: 10_000, busy: isRunning, key: (row) => row.TestId });
	const shown = testId || list.rows[0]?.TestId;
	return (
		<>
			<TestForm endpoint={endpoint} onStarted={(test) => go({ query: { test } })} />
			{shown ? <TestResult key={shown} testId={shown} endpointId={id} /> : list.state === "failed" ? <Failed error={list.error} reload={list.reload} /> : list.state === "ready" && <Empty kind="nothing" title={t.test.noneTitle} text={t.test.noneText} />}
			{list.rows.length > 0 && <Earlier rows={list.rows} shown={shown} />}
		</>
	);
}

function TestForm({ endpoint, onStarted }: TabProps & { onStarted: (testId: string) => void; }) {
	const t = useText();
	const { client, place } = useApp();
	const [chosen, setInstance] = useQuery("instance");
	const [port, setPort] = useQuery("port");
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>();
	const instances = useInstances(endpoint.VpcId);
	const first = instances.rows.find((row) => row.Status === "Running") ?? instances.rows[0];
	const instance = chosen || first?.InstanceId || "";
	const isPortGood = optional(portRule)(port) === null;
	const isReady = instance !== "" && isPortGood;
	const params = { EndpointId: endpoint.EndpointId, InstanceId: instance, Port: port || undefined };
	const run = async (): Promise<void> => {
		setBusy(true);
		setError(undefined);
		try {
			const answer = await client.write<{ TestId: string; }>("privlink", "CreateConnectivityTest", params, place.region);
			onStarted(answer.TestId);
		} catch (failure) {
			setError(failure);
		}
		setBusy(false);
	};
	const atInstance = fieldError(error, "InstanceId", t);
	const atPort = fieldError(error, "Port", t);
	return (
		<form className="asking" noValidate onSubmit={(event) => { event.preventDefault(); if (isReady && !busy) void run(); }}>
			<InstanceField vpcId={endpoint.VpcId} value={instance} onChange={setInstance} label={t.test.instance} error={atInstance} />
			<Field label={t.path.port} error={isPortGood ? atPort : t.rules.port}>
				<input inputMode="numeric" value={port} placeholder={t.path.firstPort} onChange={(event) => setPort(event.target.value.trim())} />
			</Field>
			<Button kind="primary" icon="play" type="submit" busy={busy} disabled={!isReady}>{t.test.run}</Button>
			{isReady && <div className="asking-error"><CopyCall calls={{ product: "privlink", action: "CreateConnectivityTest", region: place.region, params: params }} /></div>}
			{error !== undefined && !atInstance && !atPort && <div className="asking-error"><Banner kind="bad">{errorText(error, t)}</Banner></div>}
		</form>
	);
}

function TestResult({ testId, endpointId }: { testId: string; endpointId: string; }) {
	const t = useText();
	const language = useLanguage();
	const [isOpen, setOpen] = useState(true);
	const asked = useCall<TestDetail>("privlink", "GetConnectivityTest", { TestId: testId }, { every: isOpen ? 700 : 0 });
	const test = asked.answer;
	const running = test ? isRunning(test) : true;
	useEffect(() => { if (test && !running) setOpen(false); }, [test, running]);
	if (!test) return asked.state === "failed" ? <Failed error={asked.error} reload={asked.reload} /> : <p className="loading"><Spinner /> {t.common.loading}</p>;
	const groups = groupSteps(test.Steps ?? []);
	return (
		<section className="stack" aria-label={t.test.result}>
			<TestVerdict test={test} />
			<p className="muted">{t.test.facts(test.InstanceId, test.Port ?? 0, formatTime(test.CreateTime, language))} <span className="mono">{test.TestId}</span></p>
			{groups.length > 0 && <div className="steps" aria-live="polite">{groups.map((group) => <StepCard key={group.zone} group={group} isRunning={running} />)}</div>}
			{test.Path && (
				<details className="test-path">
					<summary>{t.test.pathOfThen}</summary>
					<div className="stack"><PathAnswer path={test.Path} endpointId={endpointId} /></div>
				</details>
			)}
			<p><Link to={{ tab: "path", query: { instance: test.InstanceId, port: String(test.Port ?? ""), test: undefined } }}>{t.test.toPath}</Link></p>
		</section>
	);
}

function TestVerdict({ test }: { test: TestDetail; }) {
	const t = useText();
	const kinds: Record<string, "ok" | "warn" | "bad"> = { Reachable: "ok", Partial: "warn", Unreachable: "bad" };
	if (isRunning(test)) return <Banner kind="info"><strong>{test.Status === "Pending" ? t.test.pending : t.test.running}</strong> {t.test.runningText}</Banner>;
	if (test.Status === "Expired") return <Banner kind="bad"><strong>{t.test.expired}</strong> <span lang="en">{test.StatusInfo ?? ""}</span></Banner>;
	const verdict = test.Verdict ?? "";
	const words = t.test.verdicts as Record<string, string>;
	const agrees = agreement(test);
	const states = t.states as Record<string, string>;
	return (
		<Banner kind={kinds[verdict] ?? "bad"}>
			<strong>{words[verdict] ?? verdict}</strong>
			{agrees === true && <p>{t.test.agree}</p>}
			{agrees === false && <p><strong>{t.test.disagree}</strong> {t.test.disagreeText(states[test.Path?.Verdict ?? ""] ?? test.Path?.Verdict ?? "?", states[verdict] ?? verdict)}</p>}
			{test.Path?.Cause && verdict !== "Reachable" && <p><span className="muted">{t.test.cause}</span> <span lang="en">{test.Path.Cause.Text}</span></p>}
		</Banner>
	);
}

const stepStatus: Record<string, StatusKind> = { Ok: "ok", Failed: "bad", Skipped: "off" };
const groupStatus: Record<StepGroup["state"], StatusKind> = { Ok: "ok", Failed: "bad", Skipped: "off", Pending: "wait" };

function StepCard({ group, isRunning: running }: { group: StepGroup; isRunning: boolean; }) {
	const t = useText();
	const language = useLanguage();
	const kinds = t.test.kinds as Record<string, string>;
	const results = t.test.results as Record<string, string>;
	const open = running ? "Pending" : "None";
	return (
		<section className={group.zone ? "card step-card" : "card step-card wide"} aria-label={group.zone || t.test.allZones}>
			<header><h3>{group.zone || t.test.allZones}</h3><Status kind={group.state === "Pending" && !running ? "off" : groupStatus[group.state]} text={results[group.state === "Pending" ? open : group.state] ?? group.state} /></header>
			<ol>
				{group.steps.map((step, i) => (
					<li key={i}>
						<span className="step-kind">{kinds[step.Kind] ?? step.Kind}</span>
						<Status kind={step.Result ? stepStatus[step.Result] ?? "off" : running ? "wait" : "off"} text={results[step.Result ?? open] ?? step.Result ?? ""} />
						<span className="step-latency">{formatLatency(step.LatencyUs, language)}</span>
						<span className="mono step-target">{step.Target}</span>
						{(step.Text || step.Code) && <span className="step-text muted" lang="en">{step.Text || step.Code}</span>}
					</li>
				))}
			</ol>
		</section>
	);
}

function Earlier({ rows, shown }: { rows: TestRow[]; shown: string | undefined; }) {
	const t = useText();
	const language = useLanguage();
	const now = useRef(Date.now());
	now.current = Date.now();
	return (
		<section className="stack">
			<h2>{t.test.earlier}</h2>
			<p className="muted">{t.test.earlierText}</p>
			<div className="sheet-box">
				<table className="sheet" aria-label={t.test.earlier}>
					<thead><tr>{[t.test.when, t.test.instance, t.path.port, t.test.status, t.test.verdict].map((title) => <th key={title} scope="col">{title}</th>)}</tr></thead>
					<tbody>
						{rows.slice(0, 20).map((row) => (
							<tr key={row.TestId} aria-current={row.TestId === shown ? "true" : undefined} className={row.TestId === shown ? "wanted" : undefined}>
								<th scope="row"><Link to={{ query: { test: row.TestId } }}><span title={formatTime(row.CreateTime, language)}>{formatSince(row.CreateTime, now.current, language)}</span></Link></th>
								<td className="mono">{row.InstanceId}</td>
								<td>{row.Port}</td>
								<td><Status {...stateOf(row.Status, t)} /></td>
								<td>{row.Verdict ? <Status {...stateOf(row.Verdict, t)} /> : "–"}</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</section>
	);
}
