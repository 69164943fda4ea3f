// SPDX-License-Identifier: Apache-2.0
// Of the form for a new endpoint: its security groups, and whether they would let in what the endpoint is for. That is for
// GetEndpointPath to say, which judges the endpoint as CreateVpcEndpoint would make it.
import { useState } from "react";
import { formatPlace } from "../lib/address";
import type { Params, Product } from "../lib/client";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Checkbox } from "../ui/field";
import { Icon } from "../ui/icon";
import { Name } from "../ui/name";
import { useApp, useCall, useText } from "./context";
import type { List } from "./context";
import { errorText } from "./errors";
import { Link } from "./link";

export interface SecurityGroup {
	SecurityGroupId: string;
	SecurityGroupName: string;
	SecurityGroupType: string;
	Description: string;
}

export interface GroupsPartProps {
	vpc: string;
	groups: List<SecurityGroup>;
	chosen: string[];
	onChange: (groups: string[]) => void;
	error: string | undefined;
}

const searchFrom = 8;
const shown = 40;

export function GroupsPart({ vpc, groups, chosen, onChange, error }: GroupsPartProps) {
	const t = useText();
	const { place } = useApp();
	const [search, setSearch] = useState("");
	const words = search.toLowerCase().split(/\s+/).filter(Boolean);
	const nameOf = (group: SecurityGroup): string => group.SecurityGroupName || group.SecurityGroupId;
	const isFound = (group: SecurityGroup): boolean => words.every((word) => `${group.SecurityGroupName} ${group.SecurityGroupId} ${group.Description}`.toLowerCase().includes(word));
	const found = groups.rows.filter((group) => chosen.includes(group.SecurityGroupId) || isFound(group));
	const toggle = (id: string, on: boolean): void => onChange(on ? [...chosen, id] : chosen.filter((other) => other !== id));
	const make = <Link to={{ page: "securitygroups", id: "create", query: { vpc, back: formatPlace(place) } }}>{t.create.makeGroup}</Link>;
	return (
		<fieldset className="group-choice" aria-describedby={error ? "groups-error" : undefined}>
			<legend>{t.create.groups}</legend>
			<p className="hint">{t.create.groupsHint}</p>
			{!vpc && <p className="muted">{t.create.vpcFirst}</p>}
			{vpc && groups.state === "loading" && <p className="muted">{t.common.loading}</p>}
			{vpc && groups.state === "ready" && groups.rows.length === 0 && <Banner kind="warn" action={make}>{t.create.noGroups}</Banner>}
			{groups.rows.length > searchFrom && <input type="search" aria-label={t.create.searchGroups} placeholder={t.create.searchGroups} value={search} onChange={(event) => setSearch(event.target.value)} />}
			{found.length > 0 && (
				<div className="checks">
					{found.slice(0, shown).map((group) => (
						<Checkbox
							key={group.SecurityGroupId} checked={chosen.includes(group.SecurityGroupId)} onChange={(on) => toggle(group.SecurityGroupId, on)}
							label={<><Name text={nameOf(group)} /> <span className="mono muted">{group.SecurityGroupId}</span></>}
						/>
					))}
				</div>
			)}
			{found.length > shown && <p className="muted">{t.ui.moreMatches(found.length - shown)}</p>}
			{error && <p id="groups-error" className="field-error" role="alert"><Icon name="stop" />{error}</p>}
		</fieldset>
	);
}

interface Hop {
	Kind: string;
	State: string;
	Code: string;
	Text: string;
	SecurityGroupRuleId?: string;
}

interface Fix {
	Product: string;
	Action: string;
	RegionId: string;
	Parameters: Params;
	Text: string;
}

interface Path {
	Port?: number;
	Hops: Hop[];
	Fix?: Fix;
}

const usePath = (params: Params | null, protocol: string) =>
	useCall<Path>("privlink", "GetEndpointPath", params && { ...params, Protocol: protocol }, { every: 10_000 });

export interface GroupWarningsProps {
	/** Those of CreateVpcEndpoint, or null while they are not complete. */
	params: Params | null;
	/** The group that gets a rule, and for whom: the VPC's range. */
	group: string;
	range: string;
}

export function GroupWarnings({ params, group, range }: GroupWarningsProps) {
	const t = useText();
	const { place } = useApp();
	const traffic = usePath(params, "TCP");
	const ping = usePath(params, "ICMP");
	const port = traffic.answer?.Port;
	const rule = (protocol: string, ports: string): Fix => ({
		Product: "ecs", Action: "AuthorizeSecurityGroup", RegionId: place.region,
		Parameters: { SecurityGroupId: group, Permissions: [{ IpProtocol: protocol, PortRange: ports, SourceCidrIp: range }] },
		Text: `${group}: ${protocol} ${ports}, ${range}`,
	});
	return (
		<>
			<Warning
				path={traffic.answer} rule={port ? rule("TCP", `${port}/${port}`) : undefined}
				blocked={port ? t.create.portBlocked(String(port)) : t.create.portsBlocked} some={port ? t.create.portDepends(String(port)) : t.create.portsDepend}
			/>
			<Warning path={ping.answer} rule={rule("ICMP", "-1/-1")} blocked={t.create.pingBlocked} some={t.create.pingDepends} />
		</>
	);
}

/** What the API proposes; where nothing is broken and no rule speaks of it, a rule that says yes. */
function fixOf(path: Path, hop: Hop, rule: Fix | undefined): Fix | undefined {
	if (path.Fix) return path.Fix.Action === "AuthorizeSecurityGroup" ? path.Fix : undefined;
	return hop.SecurityGroupRuleId === "implicit" ? rule : undefined;
}

function Warning({ path, rule, blocked, some }: { path: Path | undefined; rule: Fix | undefined; blocked: string; some: string; }) {
	const t = useText();
	const { client } = useApp();
	const [state, setState] = useState<{ busy: boolean; error?: unknown; }>({ busy: false });
	const hop = path?.Hops.find((each) => each.Kind === "GroupIn" && (each.State === "Broken" || each.State === "Warn"));
	if (!path || !hop) return null;
	const fix = fixOf(path, hop, rule);
	const add = async (): Promise<void> => {
		if (!fix) return;
		setState({ busy: true });
		try {
			await client.write(fix.Product.toLowerCase() as Product, fix.Action, fix.Parameters, fix.RegionId);
			setState({ busy: false });
		} catch (error) {
			setState({ busy: false, error });
		}
	};
	return (
		<Banner kind="warn" action={fix && <Button onClick={() => void add()} busy={state.busy}>{t.create.addRule}</Button>}>
			<p>{hop.State === "Broken" ? blocked : some}</p>
			<p className="hint">{hop.Text}</p>
			{fix && <p className="hint">{t.create.ruleToAdd} <span className="mono">{fix.Text}</span></p>}
			{state.error !== undefined && <p className="field-error" role="alert"><Icon name="stop" />{errorText(state.error, t)}</p>}
		</Banner>
	);
}
