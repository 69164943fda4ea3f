// SPDX-License-Identifier: Apache-2.0
// Of the form for a new endpoint: its zones, a row each.
import type { Service, VSwitch, ZoneRow } from "../lib/endpoint_draft";
import { usedZones } from "../lib/endpoint_draft";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Combobox } from "../ui/combobox";
import { Field, Select } from "../ui/field";
import { formatPlace } from "../lib/address";
import { visible } from "../lib/visible";
import { useApp, useText } from "./context";
import { Link } from "./link";

export interface Zone {
	ZoneId: string;
	LocalName: string;
}

export interface ZonesPartProps {
	rows: ZoneRow[];
	onChange: (rows: ZoneRow[]) => void;
	vpc: string;
	zones: Zone[];
	vswitches: VSwitch[];
	service: Service | undefined;
	/** The service is in another region: its zones are not the endpoint's. */
	isCross: boolean;
	errorOf: (field: string) => string | undefined;
}

/** The zones to choose from: what the service has, if that is known. */
function zonesOf({ zones, service, isCross }: ZonesPartProps): Zone[] {
	return service && !isCross ? zones.filter((zone) => service.Zones.includes(zone.ZoneId)) : zones;
}

export function ZonesPart(props: ZonesPartProps) {
	const { rows, onChange, vpc, service, errorOf } = props;
	const t = useText();
	const choices = zonesOf(props);
	const put = (i: number, part: Partial<ZoneRow>): void => onChange(rows.map((row, j) => (j === i ? { ...row, ...part } : row)));
	const n = usedZones(rows).length;
	const error = errorOf("zones");
	return (
		<fieldset className="zone-rows">
			<legend>{t.create.zones}</legend>
			<p className="hint">{t.create.zonesHint}</p>
			{service && !props.isCross && service.Zones.length === 0 && <Banner kind="warn">{t.create.serviceWithoutZones}</Banner>}
			{rows.map((row, i) => <Row key={i} {...props} choices={choices} row={row} i={i} put={(part) => put(i, part)} remove={() => onChange(rows.filter((_, j) => j !== i))} />)}
			<div className="row">
				<Button icon="plus" disabled={rows.length >= Math.max(choices.length, 1)} onClick={() => onChange([...rows, { zone: "", vswitch: "", address: "" }])}>{t.create.addZone}</Button>
			</div>
			{vpc && n < 2 && <Banner kind="warn">{n === 0 ? t.create.noZone : t.create.oneZone}</Banner>}
			{error && <Banner kind="bad">{error}</Banner>}
		</fieldset>
	);
}

interface RowProps extends ZonesPartProps {
	choices: Zone[];
	row: ZoneRow;
	i: number;
	put: (part: Partial<ZoneRow>) => void;
	remove: () => void;
}

function Row({ rows, vpc, vswitches, choices, row, i, put, remove, errorOf }: RowProps) {
	const t = useText();
	const { place } = useApp();
	const here = vswitches.filter((vswitch) => vswitch.ZoneId === row.zone);
	const chosen = vswitches.find((vswitch) => vswitch.VSwitchId === row.vswitch);
	const choose = (zone: string): void => {
		const [only, ...others] = vswitches.filter((vswitch) => vswitch.ZoneId === zone);
		put({ zone, vswitch: only && others.length === 0 ? only.VSwitchId : "", address: "" });
	};
	const options = choices.map((zone) => {
		const has = vswitches.some((vswitch) => vswitch.ZoneId === zone.ZoneId);
		const isTaken = rows.some((other, j) => j !== i && other.zone === zone.ZoneId);
		return { value: zone.ZoneId, text: `${zone.ZoneId} (${zone.LocalName})${!vpc || has ? "" : ` – ${t.create.zoneWithoutVSwitch}`}`, disabled: isTaken };
	});
	return (
		<div className="zone-row">
			<Field label={t.create.zone(i + 1)} error={errorOf(`zone.${i}`)}>
				<Select value={row.zone} onChange={choose} options={[{ value: "", text: t.create.choose }, ...withValue(options, row.zone)]} />
			</Field>
			<Field
				label={t.create.vswitch(i + 1)} error={errorOf(`vswitch.${i}`)}
				warning={vpc && row.zone && here.length === 0 ? <span>{t.create.noVSwitch} <Link to={{ page: "vswitches", id: "create", query: { vpc, zone: row.zone, back: formatPlace(place) } }}>{t.create.makeVSwitch}</Link></span> : undefined}
			>
				<Combobox
					value={row.vswitch} placeholder={t.create.choose} disabled={!row.zone} onChange={(vswitch) => put({ vswitch })} empty={t.create.noVSwitch}
					options={here.map((vswitch) => ({
						value: vswitch.VSwitchId, text: vswitch.VSwitchName ? `${visible(vswitch.VSwitchName)} (${vswitch.VSwitchId})` : vswitch.VSwitchId,
						detail: `${vswitch.CidrBlock} · ${t.create.free(vswitch.AvailableIpAddressCount)}`, disabled: vswitch.Status !== "Available",
					}))}
				/>
			</Field>
			<Field label={t.create.address(i + 1)} error={errorOf(`address.${i}`)}>
				<input value={row.address} placeholder={chosen ? t.create.anyOf(chosen.CidrBlock) : t.create.anyAddress} spellCheck={false} autoComplete="off" onChange={(event) => put({ address: event.target.value })} />
			</Field>
			<Button kind="quiet" icon="trash" aria-label={t.create.removeZone(i + 1)} title={t.create.removeZone(i + 1)} disabled={rows.length === 1 && !row.zone} onClick={remove} />
		</div>
	);
}

/** What is chosen stays to be seen, also when it is none of the choices any more. */
function withValue(options: { value: string; text: string; disabled: boolean; }[], value: string): { value: string; text: string; disabled?: boolean; }[] {
	return !value || options.some((option) => option.value === value) ? options : [...options, { value, text: value }];
}
