// SPDX-License-Identifier: Apache-2.0
// The zones of an endpoint: the network interface and address in each, whether the service answers behind it, and how zones come and go.
import { useState } from "react";
import { addressIn, optional } from "../lib/form";
import type { HopState } from "../lib/path_layout";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Combobox } from "../ui/combobox";
import { Copied } from "../ui/copy";
import { Confirm, Dialog } from "../ui/dialog";
import { Empty } from "../ui/empty";
import { Field } from "../ui/field";
import { Progress } from "../ui/progress";
import { Status } from "../ui/status";
import { whenFree } from "./acts";
import { useApp, useCall, useList, useText } from "./context";
import { CopyCall } from "./copy_call";
import type { TabProps } from "./endpoint_detail";
import { errorText, Failed, fieldError } from "./errors";
import { Link } from "./link";
import { hopStatus } from "./path_picture";
import type { EndpointPath } from "./path_picture";
import { stateOf } from "./states";

export interface ZoneRow {
	ZoneId: string;
	VSwitchId: string;
	EniId: string;
	EniIp: string;
	ZoneDomain: string;
	ZoneStatus: string;
}

interface VSwitch {
	VSwitchId: string;
	VSwitchName: string;
	ZoneId: string;
	CidrBlock: string;
	AvailableIpAddressCount: number;
}

interface Offered {
	ServiceId: string;
	Zones?: string[] | { Zone: string[]; };
}

const isMoving = (zone: ZoneRow): boolean => zone.ZoneStatus === "Wait" ? false : /ing$/.test(zone.ZoneStatus);

export function EndpointZones({ endpoint }: TabProps) {
	const t = useText();
	const { client, place } = useApp();
	const id = endpoint.EndpointId;
	const [isAdding, setAdding] = useState(false);
	const [removed, setRemoved] = useState<ZoneRow | null>(null);
	const list = useList<ZoneRow>("privatelink", "ListVpcEndpointZones", { EndpointId: id }, { items: "Zones", every: 5000, busy: isMoving, key: (row) => row.ZoneId });
	const path = useCall<EndpointPath>("privlink", "GetEndpointPath", { EndpointId: id }, { every: 5000 });
	const behind = new Map(path.answer?.Hops.filter((hop) => hop.Kind === "ServiceZone").map((hop) => [hop.ZoneId ?? "", hop]));
	const zones = [...list.rows].sort((a, b) => a.ZoneId.localeCompare(b.ZoneId));
	const moving = zones.filter(isMoving);
	if (list.state === "loading") return <p className="loading">{t.common.loading}</p>;
	if (list.state === "failed" && zones.length === 0) return <Failed error={list.error} reload={list.reload} />;
	const add = <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>{t.zones.add}</Button>;
	return (
		<>
			<div className="toolbar">
				{add}
				<span className="grow" />
				{zones.length === 1 && <Status kind="warn" text={t.zones.onlyOne} />}
			</div>
			{moving.length > 0 && <Progress label={t.zones.progress} steps={zones.map((zone) => ({ key: zone.ZoneId, title: zone.ZoneId, ...stateOf(zone.ZoneStatus, t) }))} />}
			{zones.length === 0
				? <Empty kind="nothing" title={t.zones.noneTitle} text={t.zones.noneText}>{add}</Empty>
				: (
					<div className="sheet-box">
						<table className="sheet cards" aria-label={t.endpoint.tab.zones}>
							<thead>
								<tr>{[t.zones.zone, `${t.zones.eni} / ${t.zones.vswitch}`, t.zones.address, t.zones.domain, t.zones.status, t.zones.behind].map((title) => <th key={title} scope="col">{title}</th>)}<th scope="col"><span className="hidden">{t.zones.acts}</span></th></tr>
							</thead>
							<tbody>
								{zones.map((zone) => {
									const hop = behind.get(zone.ZoneId);
									return (
										<tr key={zone.ZoneId}>
											<th scope="row" data-title={t.zones.zone}>{zone.ZoneId}</th>
											<td data-title={`${t.zones.eni} / ${t.zones.vswitch}`}>
												<span className="ids">{zone.EniId ? <Copied text={zone.EniId} /> : <span>–</span>}<Link to={{ page: "vswitches", id: zone.VSwitchId, query: {} }} className="mono">{zone.VSwitchId}</Link></span>
											</td>
											<td data-title={t.zones.address}>{zone.EniIp ? <Copied text={zone.EniIp} /> : "–"}</td>
											<td data-title={t.zones.domain} className="long">{zone.ZoneDomain ? <Copied text={zone.ZoneDomain} /> : "–"}</td>
											<td data-title={t.zones.status}><Status {...stateOf(zone.ZoneStatus, t)} /></td>
											<td data-title={t.zones.behind}>{hop ? <Behind state={hop.State} text={hop.Text} /> : "–"}</td>
											<td className="acts"><Button kind="quiet" icon="trash" disabled={zone.ZoneStatus === "Deleting"} aria-label={t.zones.remove(zone.ZoneId)} title={t.zones.remove(zone.ZoneId)} onClick={() => setRemoved(zone)} /></td>
										</tr>
									);
								})}
							</tbody>
						</table>
					</div>
				)}
			{isAdding && <AddZone endpoint={endpoint} taken={zones.map((zone) => zone.ZoneId)} onClose={() => setAdding(false)} />}
			{removed && (
				<Confirm
					title={t.zones.removeTitle} danger confirmText={t.zones.removeWord} text={<><p>{zones.length === 1 ? t.zones.removeLast : t.zones.removeText}</p><CopyCall calls={{ product: "privatelink", action: "RemoveZoneFromVpcEndpoint", region: place.region, params: { EndpointId: id, ZoneId: removed.ZoneId } }} /></>}
					items={[{ key: removed.ZoneId, name: removed.ZoneId, effect: t.zones.removeEffect(removed.EniIp) }]} onClose={() => setRemoved(null)} errorText={(error) => errorText(error, t)}
					act={(zone) => whenFree(() => client.write("privatelink", "RemoveZoneFromVpcEndpoint", { EndpointId: id, ZoneId: zone }, place.region))}
				/>
			)}
		</>
	);
}

/** What is known of the service's side: whether it answers. */
function Behind({ state, text }: { state: HopState; text: string; }) {
	const t = useText();
	const words: Record<HopState, string> = { Ok: t.zones.answers, Warn: t.zones.answersPartly, Broken: t.zones.silent, Unknown: t.zones.notKnown };
	return <Status kind={hopStatus(state, t).kind} text={words[state]} detail={text} />;
}

function zonesOffered(row: Offered | undefined): string[] | undefined {
	const zones = row?.Zones;
	return Array.isArray(zones) ? zones : zones?.Zone;
}

function AddZone({ endpoint, taken, onClose }: TabProps & { taken: string[]; onClose: () => void; }) {
	const t = useText();
	const { client, place } = useApp();
	const [vswitchId, setVSwitch] = useState("");
	const [address, setAddress] = useState("");
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>();
	const list = useList<VSwitch>("vpc", "DescribeVSwitches", { VpcId: endpoint.VpcId }, { items: "VSwitches.VSwitch", paging: "number" });
	const services = useList<Offered>("privatelink", "ListVpcEndpointServicesByEndUser", { ServiceName: endpoint.ServiceName, ServiceRegionId: endpoint.ServiceRegionId === place.region ? undefined : endpoint.ServiceRegionId }, { items: "Services" });
	const offered = zonesOffered(services.rows.find((row) => row.ServiceId === endpoint.ServiceId));
	const vswitch = list.rows.find((row) => row.VSwitchId === vswitchId);
	const addressWrong = vswitch ? optional(addressIn(vswitch.CidrBlock))(address) : null;
	const isReady = vswitch !== undefined && !addressWrong;
	const reason = (row: VSwitch): string => taken.includes(row.ZoneId) ? t.zones.takenZone : offered && !offered.includes(row.ZoneId) ? t.zones.notOffered : "";
	const rank = (row: VSwitch): number => (taken.includes(row.ZoneId) ? 2 : reason(row) ? 1 : 0);
	const options = [...list.rows]
		.sort((a, b) => rank(a) - rank(b) || a.ZoneId.localeCompare(b.ZoneId))
		.map((row) => ({
			value: row.VSwitchId, text: `${row.ZoneId} · ${row.VSwitchName || row.VSwitchId}`, disabled: taken.includes(row.ZoneId),
			detail: [row.VSwitchId, row.CidrBlock, t.zones.free(row.AvailableIpAddressCount), reason(row)].filter(Boolean).join(" · "),
		}));
	const params = { EndpointId: endpoint.EndpointId, ZoneId: vswitch?.ZoneId ?? "", VSwitchId: vswitchId, ip: address || undefined };
	const save = async (): Promise<void> => {
		setBusy(true);
		try {
			await whenFree(() => client.write("privatelink", "AddZoneToVpcEndpoint", params, place.region));
			onClose();
		} catch (failure) {
			setError(failure);
			setBusy(false);
		}
	};
	const atSwitch = fieldError(error, "VSwitchId", t) ?? fieldError(error, "ZoneId", t);
	const atAddress = fieldError(error, "ip", t);
	const foot = (
		<>
			<Button onClick={onClose}>{t.ui.cancel}</Button>
			<Button kind="primary" type="submit" busy={busy} disabled={!isReady}>{t.zones.add}</Button>
		</>
	);
	return (
		<Dialog title={t.zones.addTitle} onClose={onClose} onSubmit={() => { if (isReady) void save(); }} foot={foot}>
			{error !== undefined && !atSwitch && !atAddress && <Banner kind="bad">{errorText(error, t)}</Banner>}
			<p>{t.zones.addText}</p>
			<Field label={t.zones.vswitchAndZone} error={atSwitch} warning={vswitch && reason(vswitch)}>
				<Combobox value={vswitchId} options={options} onChange={setVSwitch} placeholder={t.zones.chooseVSwitch} empty={t.zones.noVSwitches} />
			</Field>
			<Field label={t.zones.address} optional hint={vswitch ? t.zones.addressHint(vswitch.CidrBlock) : undefined} error={(addressWrong && t.rules[addressWrong]) ?? atAddress}>
				<input value={address} onChange={(event) => setAddress(event.target.value.trim())} />
			</Field>
			{vswitch && <CopyCall calls={{ product: "privatelink", action: "AddZoneToVpcEndpoint", region: place.region, params: params }} />}
		</Dialog>
	);
}
