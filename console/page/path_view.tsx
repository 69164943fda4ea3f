// SPDX-License-Identifier: Apache-2.0
// Why a connection works or does not: the path of one endpoint, its first broken hop in words, and the call that mends it. Instance,
// protocol and port are in the address.
import { useState } from "react";
import type { ReactNode } from "react";
import { formatPlace } from "../lib/address";
import { optional, portRule } from "../lib/form";
import { versions } from "../lib/client";
import type { Product } from "../lib/client";
import { visible } from "../lib/visible";
import type { Texts } from "../text/en";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Combobox } from "../ui/combobox";
import { Dialog } from "../ui/dialog";
import { Field, Select } from "../ui/field";
import { changePlace, useApp, useCall, useGo, useList, useQuery, useText } from "./context";
import { CopyCall } from "./copy_call";
import { errorText, Failed } from "./errors";
import { kindText, PathPicture, PathTable, placeOfHop } from "./path_picture";
import type { EndpointPath, Fix } from "./path_picture";

export interface InstanceRow {
	InstanceId: string;
	InstanceName: string;
	Status: string;
	ZoneId: string;
	VpcAttributes: { VpcId: string; PrivateIpAddress: { IpAddress: string[]; }; };
}

/** The instances of a VPC; none is asked for while the VPC is not known. */
export function useInstances(vpcId: string | undefined) {
	return useList<InstanceRow>("ecs", "DescribeInstances", vpcId ? { VpcId: vpcId } : null, { items: "Instances.Instance", size: 100, every: 30_000, key: (row) => row.InstanceId });
}

export function instanceOptions(rows: readonly InstanceRow[], t: Texts) {
	const states = t.states as Record<string, string>;
	return rows.map((row) => ({
		value: row.InstanceId,
		text: row.InstanceName && row.InstanceName !== row.InstanceId ? `${visible(row.InstanceName)} (${row.InstanceId})` : row.InstanceId,
		detail: [row.ZoneId, row.VpcAttributes.PrivateIpAddress.IpAddress.join(", "), states[row.Status] ?? row.Status].filter(Boolean).join(" · "),
	}));
}

export const protocols = ["TCP", "UDP", "ICMP"];

export interface PathViewProps {
	endpointId: string;
	/** The consumer's VPC, whose instances can be chosen from; a provider has none. */
	vpcId?: string;
	region?: string;
	children?: ReactNode;
}

export function PathView({ endpointId, vpcId, region }: PathViewProps) {
	const t = useText();
	const { place } = useApp();
	const go = useGo();
	const [protocol] = useQuery("protocol");
	const [instance] = useQuery("instance");
	const [port] = useQuery("port");
	const hasPort = protocol !== "ICMP";
	const isPortGood = optional(portRule)(port) === null;
	const params = { EndpointId: endpointId, InstanceId: instance || undefined, Protocol: protocol || undefined, Port: hasPort && isPortGood && port ? port : undefined };
	const asked = useCall<EndpointPath>("privlink", "GetEndpointPath", params, { every: 5000, busy: (path) => path.Cause?.Turn === "Time", ...(region ? { region } : {}) });
	const set = (query: Record<string, string>): void => go({ query: { ...query, hop: "" } }, true);
	return (
		<>
			<div className="asking">
				{vpcId && <InstanceField vpcId={vpcId} value={place.query["instance"] ?? ""} any={t.path.anyInstance} onChange={(value) => set({ instance: value })} />}
				<Field label={t.path.protocol}>
					<Select value={protocol || "TCP"} options={protocols.map((value) => ({ value, text: value === "ICMP" ? t.path.ping : value }))} onChange={(value) => set({ protocol: value === "TCP" ? "" : value })} />
				</Field>
				{hasPort && (
					<Field label={t.path.port} error={isPortGood ? undefined : t.rules.port}>
						<input inputMode="numeric" value={port} placeholder={asked.answer?.Port ? String(asked.answer.Port) : t.path.firstPort} onChange={(event) => set({ port: event.target.value.trim() })} />
					</Field>
				)}
			</div>
			{asked.answer === undefined && asked.state === "loading" && <p className="loading">{t.common.loading}</p>}
			{asked.answer === undefined && asked.state === "failed" && <Failed error={asked.error} reload={asked.reload} />}
			{asked.answer && <PathAnswer path={asked.answer} endpointId={endpointId} reload={asked.reload} />}
		</>
	);
}

export function InstanceField({ vpcId, value, onChange, any, label, error, hint }: { vpcId: string; value: string; onChange: (value: string) => void; any?: string; label?: string; error?: ReactNode; hint?: ReactNode; }) {
	const t = useText();
	const list = useInstances(vpcId);
	const options = [...(any ? [{ value: "", text: any }] : []), ...instanceOptions(list.rows, t)];
	return (
		<Field label={label ?? t.path.instance} error={error} hint={hint}>
			<Combobox value={value} options={options} onChange={onChange} empty={t.path.noInstances} placeholder={any ?? t.path.chooseInstance} />
		</Field>
	);
}

/** Verdict, cause and fix, picture and table. */
export function PathAnswer({ path, endpointId, reload }: { path: EndpointPath; endpointId?: string; reload?: () => void; }) {
	const t = useText();
	return (
		<>
			<Verdict path={path} endpointId={endpointId} reload={reload} />
			<PathPicture path={path} endpointId={endpointId} />
			<PathTable path={path} endpointId={endpointId} />
			<p className="muted">{t.path.note}</p>
		</>
	);
}

function serviceWords(path: EndpointPath, t: Texts): string {
	if (path.Protocol === "ICMP") return t.path.ping;
	return [path.Protocol ?? "TCP", path.Port].filter(Boolean).join(" ");
}

function Verdict({ path, endpointId, reload }: { path: EndpointPath; endpointId: string | undefined; reload: (() => void) | undefined; }) {
	const t = useText();
	const { place, hasPage } = useApp();
	const [isFixing, setFixing] = useState(false);
	const words = serviceWords(path, t);
	const cause = path.Cause && path.Hops.find((hop) => hop.Id === path.Cause?.HopId);
	const title = { Reachable: t.path.reachable(words), Partial: t.path.partial(words), Unreachable: t.path.unreachable(words) }[path.Verdict] ?? path.Verdict;
	const kind = path.Verdict === "Reachable" ? "ok" : path.Verdict === "Partial" ? "warn" : "bad";
	const turns = t.path.turns as Record<string, string>;
	const target = cause && changePlace(place, placeOfHop(cause, endpointId));
	return (
		<Banner kind={kind} action={path.Fix && reload && <Button kind="primary" icon="edit" onClick={() => setFixing(true)}>{t.path.fix}</Button>}>
			<strong>{title}</strong>
			{path.Cause && (
				<p>
					{cause && <>{target && hasPage(target) && target.id ? <a href={formatPlace(target)}>{kindText(cause.Kind, t)}</a> : kindText(cause.Kind, t)}{cause.ZoneId ? ` (${cause.ZoneId})` : ""}: </>}
					<span lang="en">{path.Cause.Text}</span>
				</p>
			)}
			{path.Cause?.Turn && turns[path.Cause.Turn] && <p className="muted">{turns[path.Cause.Turn]}</p>}
			{isFixing && path.Fix && <FixDialog fix={path.Fix} onClose={() => setFixing(false)} onDone={() => { setFixing(false); reload?.(); }} />}
		</Banner>
	);
}

/** Shows the call with its parameters, and makes it when told so. */
export function FixDialog({ fix, onClose, onDone }: { fix: Fix; onClose: () => void; onDone: () => void; }) {
	const t = useText();
	const { client } = useApp();
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>();
	// What is shown is what is done, also when the path behind has changed meanwhile.
	const [kept] = useState(fix);
	const isKnown = kept.Product in versions;
	const make = async (): Promise<void> => {
		setBusy(true);
		try {
			await client.write(kept.Product as Product, kept.Action, kept.Parameters, kept.RegionId);
			onDone();
		} catch (failure) {
			setError(failure);
			setBusy(false);
		}
	};
	const foot = (
		<>
			<Button onClick={onClose}>{t.ui.cancel}</Button>
			<Button kind="primary" type="submit" busy={busy} disabled={!isKnown} autoFocus>{t.path.makeCall}</Button>
		</>
	);
	return (
		<Dialog title={t.path.fixTitle} onClose={onClose} onSubmit={() => { if (isKnown) void make(); }} foot={foot}>
			{error !== undefined && <Banner kind="bad">{errorText(error, t)}</Banner>}
			<p lang="en">{kept.Text}</p>
			<div className="sheet-box">
				<table className="sheet" aria-label={t.path.callLabel}>
					<tbody>
						<tr><th scope="row">{t.path.action}</th><td className="mono">{kept.Product} {kept.Version} {kept.Action}</td></tr>
						<tr><th scope="row">RegionId</th><td className="mono">{kept.RegionId}</td></tr>
						{Object.entries(kept.Parameters).map(([name, value]) => <tr key={name}><th scope="row">{name}</th><td className="mono">{String(value)}</td></tr>)}
					</tbody>
				</table>
			</div>
			{isKnown && <CopyCall calls={{ product: kept.Product as Product, action: kept.Action, region: kept.RegionId, params: kept.Parameters }} />}
		</Dialog>
	);
}
