// SPDX-License-Identifier: Apache-2.0
// Who is connected to a service, or would like to be: allow, deny, one zone at a time, bandwidth.
import { useState } from "react";
import type { Fields } from "../lib/filter";
import { numberRule } from "../lib/form";
import { formatTime } from "../lib/time";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Copied } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Status } from "../ui/status";
import type { Column } from "../ui/table";
import { whenFree } from "./acts";
import { useApp, useLanguage, useQuery, useText } from "./context";
import { CopyCall } from "./copy_call";
import { errorText } from "./errors";
import { FormDialog, useForm, useValues } from "./form";
import { ObjectList } from "./object_list";
import type { ManyAct } from "./object_list";
import { useConnections } from "./provider";
import type { Connection, Service, ZoneConnection } from "./provider";
import { connectionState, connectionWords, stateOf } from "./states";

const keyOf = (row: Connection): string => row.EndpointId;
const fields: Fields<Connection> = {
	endpoint: keyOf, account: (row) => String(row.EndpointOwnerId), status: connectionWords, zone: (row) => row.Zones.map((zone) => zone.ZoneId),
};
const which = (row: Connection): { ServiceId: string; EndpointId: string; } => ({ ServiceId: row.ServiceId, EndpointId: row.EndpointId });
const zonesInWords = (row: Connection): string => `${row.Zones.filter((zone) => zone.ZoneStatus === "Connected").length} / ${row.Zones.length}`;

function useActs(): ManyAct<Connection>[] {
	const t = useText();
	const { client, place } = useApp();
	const effect = (row: Connection): string => t.services.connectionOf(String(row.EndpointOwnerId));
	const act = (action: string) => (row: Connection) => whenFree(() => client.write("privatelink", action, which(row), place.region));
	return [
		{ key: "allow", text: t.services.allow, icon: "play", title: t.services.allowTitle, explain: t.services.allowText, effect, act: act("EnableVpcEndpointConnection") },
		{ key: "deny", text: t.services.deny, icon: "stop", danger: true, title: t.services.denyTitle, explain: t.services.denyText, effect, act: act("DisableVpcEndpointConnection") },
	];
}

export function ServiceConnections({ service }: { service: Service; }) {
	const t = useText();
	const language = useLanguage();
	const list = useConnections(service.ServiceId);
	const [open, setOpen] = useQuery("endpoint");
	const acts = useActs();
	const waiting = list.rows.filter((row) => row.AcceptanceStatus === "Waiting");
	const shown = list.rows.find((row) => row.EndpointId === open);
	const columns: Column<Connection>[] = [
		{
			key: "endpoint", title: t.services.endpoint, width: 32, sort: keyOf,
			cell: (row) => <button type="button" className="plain mono" onClick={() => setOpen(row.EndpointId)}>{row.EndpointId}</button>,
		},
		{ key: "account", title: t.services.account, width: 24, sort: (row) => row.EndpointOwnerId, cell: (row) => <Copied text={String(row.EndpointOwnerId)} /> },
		{ key: "status", title: t.network.status, width: 24, sort: (row) => connectionState(row, t).text, cell: (row) => <Status {...connectionState(row, t)} /> },
		{ key: "zones", title: t.services.zonesConnected, width: 16, sort: zonesInWords, cell: zonesInWords },
		{ key: "bandwidth", title: t.services.bandwidth, width: 16, align: "right", sort: (row) => row.Bandwidth, cell: (row) => t.services.mbits(row.Bandwidth) },
		{ key: "since", title: t.services.since, width: 24, sort: (row) => row.ModifiedTime, cell: (row) => formatTime(row.ModifiedTime, language) },
	];
	return (
		<>
			{waiting.length > 0 && <Banner kind="warn">{t.services.waiting(waiting.length)}</Banner>}
			<ObjectList
				label={t.services.tab.connections} list={list} columns={columns} fields={fields} keyOf={keyOf} nameOf={keyOf} acts={acts} defaultSort="-since"
				nothing={{ title: t.services.noConnections, text: t.services.noConnectionsText(service.ServiceName) }}
			/>
			{shown && <ConnectionDialog connection={shown} service={service} onClose={() => setOpen("")} />}
		</>
	);
}

/** One connection: its zones, each of which can be cut by itself, and its bandwidth. */
function ConnectionDialog({ connection, service, onClose }: { connection: Connection; service: Service; onClose: () => void; }) {
	const t = useText();
	const { client, place } = useApp();
	const [busy, setBusy] = useState("");
	const [error, setError] = useState<unknown>();
	const [isLimiting, setLimiting] = useState(false);
	const run = async (name: string, action: string, more: object): Promise<void> => {
		setBusy(name);
		setError(undefined);
		try {
			await whenFree(() => client.write("privatelink", action, { ...which(connection), ...more }, place.region));
		} catch (failure) {
			setError(failure);
		}
		setBusy("");
	};
	const accepted = connection.AcceptanceStatus === "Accepted";
	const turn = accepted ? "DisableVpcEndpointConnection" : "EnableVpcEndpointConnection";
	if (isLimiting) return <BandwidthDialog connection={connection} service={service} onClose={() => setLimiting(false)} />;
	const foot = (
		<>
			<Button onClick={() => setLimiting(true)}>{t.services.changeBandwidth}</Button>
			<Button kind={accepted ? "danger" : "primary"} busy={busy === turn} onClick={() => void run(turn, turn, {})}>{accepted ? t.services.deny : t.services.allow}</Button>
			<Button onClick={onClose}>{t.ui.close}</Button>
		</>
	);
	return (
		<Dialog title={connection.EndpointId} onClose={onClose} foot={foot} wide>
			{error !== undefined && <Banner kind="bad">{errorText(error, t)}</Banner>}
			<p><Status {...connectionState(connection, t)} /></p>
			<table className="plain-table">
				<caption className="hidden">{t.services.zones}</caption>
				<thead><tr><th>{t.network.zone}</th><th>{t.network.status}</th><th>{t.services.balancer}</th><th><span className="hidden">{t.services.act}</span></th></tr></thead>
				<tbody>
					{connection.Zones.map((zone) => (
						<ZoneRow key={zone.ZoneId} zone={zone} busy={busy === zone.ZoneId} run={(action) => void run(zone.ZoneId, action, { ZoneId: zone.ZoneId })} />
					))}
				</tbody>
			</table>
			<CopyCall calls={{ product: "privatelink", action: turn, region: place.region, params: which(connection) }} />
		</Dialog>
	);
}

function ZoneRow({ zone, busy, run }: { zone: ZoneConnection; busy: boolean; run: (action: string) => void; }) {
	const t = useText();
	const connected = zone.ZoneStatus === "Connected";
	const can = connected || zone.ZoneStatus === "Disconnected";
	return (
		<tr>
			<td>{zone.ZoneId}</td>
			<td><Status {...stateOf(zone.ZoneStatus, t)} /></td>
			<td className="mono">{zone.ResourceId}</td>
			<td>
				<Button
					disabled={!can} busy={busy} aria-label={connected ? t.services.cutZone(zone.ZoneId) : t.services.connectZone(zone.ZoneId)}
					onClick={() => run(connected ? "DisableVpcEndpointZoneConnection" : "EnableVpcEndpointZoneConnection")}
				>
					{connected ? t.services.disconnect : t.services.connect}
				</Button>
			</td>
		</tr>
	);
}

function BandwidthDialog({ connection, service, onClose }: { connection: Connection; service: Service; onClose: () => void; }) {
	const t = useText();
	const [values, set] = useValues({ Bandwidth: String(connection.Bandwidth) });
	const form = useForm({
		product: "privatelink", action: "UpdateVpcEndpointConnectionAttribute", values, set, params: { ...which(connection), Bandwidth: values["Bandwidth"] }, done: onClose,
		fields: [{
			name: "Bandwidth", label: t.services.bandwidth, hint: t.services.bandwidthHint(service.MinBandwidth, service.MaxBandwidth),
			rules: [numberRule(service.MinBandwidth, service.MaxBandwidth)],
		}],
	});
	return <FormDialog title={t.services.changeBandwidth} form={form} submit={t.common.save} onClose={onClose} />;
}
