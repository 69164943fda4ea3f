// SPDX-License-Identifier: Apache-2.0
// One endpoint: what it is and how it stands, and its tabs.
import { useState } from "react";
import type { ReactNode } from "react";
import { check, descriptionRule, nameRule, optional } from "../lib/form";
import { formatTime } from "../lib/time";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { CopyButton, Copied } from "../ui/copy";
import { Confirm, Dialog } from "../ui/dialog";
import { Checkbox, Field } from "../ui/field";
import { Name } from "../ui/name";
import { Status } from "../ui/status";
import { Tabs } from "../ui/tabs";
import { deleteEndpoint } from "./acts";
import { useApp, useCall, useGo, useLanguage, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { CopyCall } from "./copy_call";
import { EndpointBasic } from "./endpoint_basic";
import type { EndpointDetail, TabProps } from "./endpoint_detail";
import { EndpointGroups } from "./endpoint_groups";
import { EndpointMonitor } from "./endpoint_monitor";
import { EndpointTest } from "./endpoint_test";
import { EndpointZones } from "./endpoint_zones";
import { errorText, Failed, fieldError } from "./errors";
import { PageHead } from "./head";
import { Link } from "./link";
import type { EndpointPath } from "./path_picture";
import { PathView } from "./path_view";
import { connectionState, stateOf } from "./states";

const tabs = ["basic", "zones", "groups", "path", "test", "monitor"] as const;
type TabName = (typeof tabs)[number];

/** What tabs share in the address; the rest is a tab's own. */
const shared = ["instance", "port"];

const isChanging = (row: EndpointDetail): boolean => /ing$/.test(row.EndpointStatus) || /ing$/.test(row.ConnectionStatus) || row.AcceptanceStatus === "Waiting";

export function EndpointPage({ place }: PageProps) {
	const t = useText();
	const id = place.id as string;
	const [isGone, setGone] = useState(false);
	const asked = useCall<EndpointDetail>("privatelink", "GetVpcEndpointAttribute", isGone ? null : { EndpointId: id }, { every: 5000, busy: isChanging });
	useTitle(asked.answer?.EndpointName || id);
	if (asked.state === "failed" && (asked.answer === undefined || isGoneNow(asked.error)))
		return (
			<>
				<PageHead title={id} before={<Trail />} />
				<Failed error={asked.error} reload={asked.reload}><Link to={{ page: "endpoints", id: undefined, query: {} }} className="button normal">{t.missing.toEndpoints}</Link></Failed>
			</>
		);
	if (!asked.answer) return <p className="loading">{t.common.loading}</p>;
	return <Shown endpoint={asked.answer} onGone={() => setGone(true)} />;
}

function isGoneNow(error: unknown): boolean {
	return typeof error === "object" && error !== null && (error as { code?: string; }).code === "EndpointNotFound";
}

function Trail() {
	const t = useText();
	return <nav className="trail" aria-label={t.endpoint.trail}><Link to={{ page: "endpoints", id: undefined, query: {} }}>{t.endpoints.title}</Link></nav>;
}

type Act = "edit" | "delete";

function Shown({ endpoint, onGone }: TabProps & { onGone: () => void; }) {
	const t = useText();
	const go = useGo();
	const { place, client } = useApp();
	const [act, setAct] = useState<Act | null>(null);
	const active: TabName = tabs.find((tab) => tab === place.tab) ?? "basic";
	const id = endpoint.EndpointId;
	const name = endpoint.EndpointName || id;
	const toTab = (tab: string): void => {
		const query = Object.fromEntries(Object.keys(place.query).filter((key) => !shared.includes(key)).map((key) => [key, undefined]));
		go({ tab, query });
	};
	const body: Record<TabName, () => ReactNode> = {
		basic: () => <EndpointBasic endpoint={endpoint} />,
		zones: () => <EndpointZones endpoint={endpoint} />,
		groups: () => <EndpointGroups endpoint={endpoint} />,
		path: () => <PathView endpointId={id} vpcId={endpoint.VpcId} />,
		test: () => <EndpointTest endpoint={endpoint} />,
		monitor: () => <EndpointMonitor endpointId={id} />,
	};
	return (
		<>
			<PageHead title={<Name text={name} />} before={<Trail />} text={<span className="states">
				<Copied text={id} />
				<Status {...stateOf(endpoint.EndpointStatus, t)} detail={t.endpoints.status} />
				<Status {...connectionState(endpoint, t)} detail={t.endpoints.connection} />
			</span>}>
				<Button icon="edit" onClick={() => setAct("edit")}>{t.endpoint.edit}</Button>
				<Button kind="danger" icon="trash" onClick={() => setAct("delete")}>{t.endpoints.delete}</Button>
			</PageHead>
			<Connection endpoint={endpoint} />
			<Tabs label={t.endpoint.tabs} tabs={tabs.map((key) => ({ key, title: t.endpoint.tab[key] }))} active={active} onSelect={toTab}>{body[active]()}</Tabs>
			{act === "edit" && <EditDialog endpoint={endpoint} onClose={() => setAct(null)} />}
			{act === "delete" && (
				<Confirm
					title={t.endpoints.deleteTitle(1)} text={<><p>{t.endpoints.deleteText}</p><CopyCall calls={{ product: "privatelink", action: "DeleteVpcEndpoint", region: place.region, params: { EndpointId: id } }} /></>} danger confirmText={t.endpoints.delete}
					items={[{ key: id, name, effect: endpoint.ConnectionStatus === "Connected" ? t.endpoints.deleteConnected(endpoint.ServiceName) : t.endpoints.deleteOther(id) }]}
					onClose={() => setAct(null)} errorText={(error) => errorText(error, t)}
					act={async () => {
						await deleteEndpoint(client, place.region, id);
						onGone();
						go({ page: "endpoints", id: undefined, query: {} });
					}}
				/>
			)}
		</>
	);
}

/** What there is to say of the connection: whom one waits for and what to do, or that it was refused. */
function Connection({ endpoint }: TabProps) {
	const t = useText();
	const { identity, place } = useApp();
	const language = useLanguage();
	const isWaiting = endpoint.AcceptanceStatus === "Waiting";
	const isRefused = endpoint.AcceptanceStatus === "Refused";
	// Since when it waits is known to the path alone.
	const path = useCall<EndpointPath>("privlink", "GetEndpointPath", isWaiting || isRefused ? { EndpointId: endpoint.EndpointId } : null);
	const hop = path.answer?.Hops.find((one) => one.Kind === "Connection");
	const letter = t.endpoint.letter(endpoint.EndpointId, identity.accountId, endpoint.ServiceName, endpoint.ServiceId, endpoint.ServiceRegionId || place.region);
	if (endpoint.StatusInfo && !isWaiting && !isRefused) return <Banner kind="bad"><strong>{t.endpoint.notInForce}</strong> <span lang="en">{endpoint.StatusInfo}</span></Banner>;
	if (endpoint.ConnectionStatus === "ServiceDeleted") return <Banner kind="bad"><strong>{t.states.ServiceDeleted}</strong> {t.endpoint.serviceDeleted}</Banner>;
	if (!isWaiting && !isRefused) return null;
	return (
		<Banner kind={isWaiting ? "warn" : "bad"}>
			<strong>{isWaiting ? t.endpoint.waiting : t.endpoint.refused}</strong>
			<p>{isWaiting ? t.endpoint.waitingText(formatTime(endpoint.CreateTime, language)) : t.endpoint.refusedText}</p>
			{hop?.Text && <p className="muted" lang="en">{hop.Text}</p>}
			<details className="letter">
				<summary>{t.endpoint.letterTitle}</summary>
				<pre>{letter}</pre>
				<CopyButton text={letter} label={t.endpoint.letterTitle} words />
			</details>
		</Banner>
	);
}

/** Name, description, affinity and, to another region, bandwidth. Sends what was changed. */
function EditDialog({ endpoint, onClose }: TabProps & { onClose: () => void; }) {
	const t = useText();
	const { client, place } = useApp();
	const [name, setName] = useState(endpoint.EndpointName);
	const [description, setDescription] = useState(endpoint.EndpointDescription);
	const [affinity, setAffinity] = useState(endpoint.ZoneAffinityEnabled);
	const [bandwidth, setBandwidth] = useState(String(endpoint.CrossRegionBandwidth ?? ""));
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>();
	const changes = {
		...(name !== endpoint.EndpointName ? { EndpointName: name } : {}),
		...(description !== endpoint.EndpointDescription ? { EndpointDescription: description } : {}),
		...(affinity !== endpoint.ZoneAffinityEnabled ? { ZoneAffinityEnabled: affinity } : {}),
		...(bandwidth !== String(endpoint.CrossRegionBandwidth ?? "") ? { CrossRegionBandwidth: bandwidth } : {}),
	};
	const nameWrong = "EndpointName" in changes ? check(name, nameRule) : null;
	const descriptionWrong = "EndpointDescription" in changes ? check(description, optional(descriptionRule)) : null;
	const isReady = Object.keys(changes).length > 0 && !nameWrong && !descriptionWrong;
	const params = { EndpointId: endpoint.EndpointId, ...changes };
	const fields = ["EndpointName", "EndpointDescription", "CrossRegionBandwidth"];
	const save = async (): Promise<void> => {
		setBusy(true);
		try {
			await client.write("privatelink", "UpdateVpcEndpointAttribute", params, place.region);
			onClose();
		} catch (failure) {
			setError(failure);
			setBusy(false);
		}
	};
	const foot = (
		<>
			<Button onClick={onClose}>{t.ui.cancel}</Button>
			<Button kind="primary" type="submit" busy={busy} disabled={!isReady}>{t.common.save}</Button>
		</>
	);
	return (
		<Dialog title={t.endpoint.editTitle} onClose={onClose} onSubmit={() => { if (isReady) void save(); }} foot={foot}>
			{error !== undefined && !fields.some((field) => fieldError(error, field, t)) && <Banner kind="bad">{errorText(error, t)}</Banner>}
			<Field label={t.endpoint.name} error={(nameWrong && t.rules[nameWrong]) ?? fieldError(error, "EndpointName", t)}>
				<input value={name} autoFocus onChange={(event) => setName(event.target.value)} />
			</Field>
			<Field label={t.endpoint.description} optional error={(descriptionWrong && t.rules[descriptionWrong]) ?? fieldError(error, "EndpointDescription", t)}>
				<textarea rows={3} value={description} onChange={(event) => setDescription(event.target.value)} />
			</Field>
			{endpoint.CrossRegionBandwidth !== undefined && (
				<Field label={t.endpoint.crossBandwidth} error={fieldError(error, "CrossRegionBandwidth", t)}>
					<input inputMode="numeric" value={bandwidth} onChange={(event) => setBandwidth(event.target.value.trim())} />
				</Field>
			)}
			<Checkbox label={t.endpoint.affinity} hint={t.endpoint.affinityHint} checked={affinity} onChange={setAffinity} />
			<CopyCall calls={{ product: "privatelink", action: "UpdateVpcEndpointAttribute", region: place.region, params: params }} />
		</Dialog>
	);
}
