// SPDX-License-Identifier: Apache-2.0
// What an endpoint is: everything one may want to take along has a button to copy it.
import { useState } from "react";
import type { ReactNode } from "react";
import type { Tag } from "../lib/form";
import { formatTime } from "../lib/time";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Combobox } from "../ui/combobox";
import { Copied, CopyButton } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { Name } from "../ui/name";
import { TagList } from "../ui/tags";
import { useApp, useLanguage, useList, useText } from "./context";
import { CopyCall } from "./copy_call";
import type { TabProps } from "./endpoint_detail";
import { TaggingDialog } from "./tagging";
import { errorText, fieldError } from "./errors";
import { Link } from "./link";

interface TagRow {
	TagKey: string;
	TagValue: string;
}

interface ZoneDomain {
	ZoneId: string;
	ZoneDomain: string;
}

export interface ResourceGroup {
	Id: string;
	Name: string;
	DisplayName: string;
}

function Fact({ title, children, wide }: { title: string; children: ReactNode; wide?: boolean; }) {
	return (
		<div className={wide ? "wide" : undefined}>
			<dt>{title}</dt>
			<dd>{children}</dd>
		</div>
	);
}

export function EndpointBasic({ endpoint }: TabProps) {
	const t = useText();
	const language = useLanguage();
	const { place } = useApp();
	const [act, setAct] = useState<"tags" | "group" | null>(null);
	const id = endpoint.EndpointId;
	const tagRows = useList<TagRow>("privatelink", "ListTagResources", { ResourceType: "vpcendpoint", ResourceId: [id] }, { items: "TagResources", every: 15_000 });
	const zones = useList<ZoneDomain>("privatelink", "ListVpcEndpointZones", { EndpointId: id }, { items: "Zones", every: 15_000 });
	const tags: Tag[] = tagRows.rows.map((row) => ({ Key: row.TagKey, Value: row.TagValue }));
	const isRemote = endpoint.ServiceRegionId && endpoint.ServiceRegionId !== place.region;
	return (
		<section className="card" aria-label={t.endpoint.tab.basic}>
			<dl className="facts">
				<Fact title={t.endpoint.id}><Copied text={id} /></Fact>
				<Fact title={t.endpoint.name}>{endpoint.EndpointName ? <span className="copied"><Name text={endpoint.EndpointName} /><CopyButton text={endpoint.EndpointName} label={t.endpoint.name} /></span> : "–"}</Fact>
				<Fact title={t.endpoint.description}>{endpoint.EndpointDescription ? <Name text={endpoint.EndpointDescription} /> : "–"}</Fact>
				<Fact title={t.endpoint.service} wide>
					<Copied text={endpoint.ServiceName} />
				</Fact>
				<Fact title={t.endpoint.serviceId}><Copied text={endpoint.ServiceId} />{endpoint.ResourceOwner && <> <Link to={{ page: "services", id: endpoint.ServiceId, query: {} }}>{t.endpoint.ownService}</Link></>}</Fact>
				<Fact title={t.endpoint.domain} wide>{endpoint.EndpointDomain ? <Copied text={endpoint.EndpointDomain} /> : "–"}</Fact>
				<Fact title={t.endpoint.zoneDomains} wide>
					{zones.rows.length === 0 ? "–" : <ul className="lines">{zones.rows.map((zone) => <li key={zone.ZoneId}><span className="muted">{zone.ZoneId}</span> {zone.ZoneDomain ? <Copied text={zone.ZoneDomain} /> : "–"}</li>)}</ul>}
				</Fact>
				<Fact title={t.endpoint.vpc}><span className="copied"><Link to={{ page: "vpcs", id: endpoint.VpcId, query: {} }} className="mono">{endpoint.VpcId}</Link><CopyButton text={endpoint.VpcId} label={endpoint.VpcId} /></span></Fact>
				<Fact title={t.endpoint.ipVersion}>{endpoint.AddressIpVersion}</Fact>
				<Fact title={t.endpoint.bandwidth}>{endpoint.Bandwidth ? `${endpoint.Bandwidth} Mbit/s` : t.endpoint.unlimited}</Fact>
				{endpoint.CrossRegionBandwidth !== undefined && <Fact title={t.endpoint.crossBandwidth}>{`${endpoint.CrossRegionBandwidth} Mbit/s`}</Fact>}
				{isRemote && <Fact title={t.endpoint.serviceRegion}>{endpoint.ServiceRegionId}</Fact>}
				<Fact title={t.endpoint.affinity}>{endpoint.ZoneAffinityEnabled ? t.endpoint.on : t.endpoint.off}</Fact>
				<Fact title={t.endpoint.created}>{formatTime(endpoint.CreateTime, language)}</Fact>
				<Fact title={t.endpoint.resourceGroup}>
					<span className="row"><Copied text={endpoint.ResourceGroupId} /><Button kind="quiet" icon="edit" aria-label={t.endpoint.changeGroup} title={t.endpoint.changeGroup} onClick={() => setAct("group")} /></span>
				</Fact>
				<Fact title={t.endpoints.tags} wide>
					<span className="row all-tags">{tags.length > 0 ? <TagList tags={tags} /> : <span className="muted">{t.endpoint.noTags}</span>}<Button kind="quiet" icon="edit" onClick={() => setAct("tags")}>{t.endpoints.editTags}</Button></span>
				</Fact>
			</dl>
			{act === "tags" && <TaggingDialog kind="endpoint" objects={[{ id, name: endpoint.EndpointName || id, tags }]} onClose={() => setAct(null)} />}
			{act === "group" && <GroupDialog endpoint={endpoint} onClose={() => setAct(null)} />}
		</section>
	);
}

function GroupDialog({ endpoint, onClose }: TabProps & { onClose: () => void; }) {
	const t = useText();
	const { client, place } = useApp();
	const list = useList<ResourceGroup>("resourcemanager", "ListResourceGroups", {}, { items: "ResourceGroups.ResourceGroup", paging: "number", size: 100 });
	const [group, setGroup] = useState(endpoint.ResourceGroupId);
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>();
	const isReady = group !== "" && group !== endpoint.ResourceGroupId;
	const params = { ResourceId: endpoint.EndpointId, ResourceType: "VpcEndpoint", ResourceGroupId: group };
	const save = async (): Promise<void> => {
		setBusy(true);
		try {
			await client.write("privatelink", "ChangeResourceGroup", params, place.region);
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
	const said = error ?? (list.state === "failed" ? list.error : undefined);
	return (
		<Dialog title={t.endpoint.changeGroup} onClose={onClose} onSubmit={() => { if (isReady) void save(); }} foot={foot}>
			{said !== undefined && !fieldError(said, "ResourceGroupId", t) && <Banner kind="bad">{errorText(said, t)}</Banner>}
			<Field label={t.endpoint.resourceGroup} error={fieldError(said, "ResourceGroupId", t)}>
				<Combobox value={group} onChange={setGroup} options={list.rows.map((row) => ({ value: row.Id, text: row.DisplayName || row.Name || row.Id, detail: row.Id }))} />
			</Field>
			<CopyCall calls={{ product: "privatelink", action: "ChangeResourceGroup", region: place.region, params: params }} />
		</Dialog>
	);
}
