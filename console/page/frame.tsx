// SPDX-License-Identifier: Apache-2.0
// The frame around every page: region on top, navigation, account, preferences, keys, and the banner when privlinkd is gone.
import { Suspense, useEffect, useRef, useState } from "react";
import type { RefObject } from "react";
import { formatPlace } from "../lib/address";
import type { Settings } from "../lib/settings";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Copied } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Checkbox } from "../ui/field";
import { Icon } from "../ui/icon";
import { useKeys } from "../ui/keys";
import type { Keys } from "../ui/keys";
import { Menu } from "../ui/menu";
import { changePlace, useApp, useGo, usePlace, useText } from "./context";
import { Link } from "./link";
import { Mark } from "./login";
import { MissingPage } from "./missing";
import { Preferences } from "./preferences";
import { findRoute, routes } from "./routes";
import type { Route } from "./routes";

export interface FrameProps {
	up: boolean;
	settings: Settings;
	setSettings: (change: Partial<Settings>) => void;
	logout: () => void;
}

export function Frame({ up, settings, setSettings, logout }: FrameProps) {
	const t = useText();
	const place = usePlace();
	const [help, setHelp] = useState(false);
	const [navOpen, setNavOpen] = useState(false);
	const main = useRef<HTMLElement>(null);
	const { hasPage } = useApp();
	const route = hasPage(place) ? findRoute(place) : undefined;
	const Page = route?.show ?? MissingPage;
	const where = `${place.region}/${place.page}/${place.id ?? ""}`;
	useFrameKeys(settings.keys === "on", () => setHelp(true));
	useFocusOnNewPage(main, where);
	useEffect(() => setNavOpen(false), [where]);
	return (
		<div className={navOpen ? "frame nav-open" : "frame"}>
			<a className="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>{t.frame.skip}</a>
			<header className="top">
				<button type="button" className="button quiet bare nav-toggle" aria-expanded={navOpen} aria-label={t.frame.navigation} onClick={() => setNavOpen(!navOpen)}><Icon name="menu" /></button>
				<Link to={{ page: routes[0]?.page ?? "", id: undefined, query: {} }} className="brand"><Mark /><span>privlink</span></Link>
				<RegionSelect />
				<span className="grow" />
				<Button kind="quiet" icon="keyboard" aria-label={t.frame.keys} title={t.frame.keys} onClick={() => setHelp(true)} />
				<Account settings={settings} setSettings={setSettings} logout={logout} />
			</header>
			{!up && <div className="lost"><Banner kind="bad"><strong>{t.frame.lost}</strong> {t.frame.lostText}</Banner></div>}
			<Navigation />
			<main id="main" ref={main} tabIndex={-1}>
				<Suspense fallback={<p className="loading">{t.common.loading}</p>}><Page key={where} place={place} /></Suspense>
			</main>
			{help && <KeysHelp settings={settings} setSettings={setSettings} onClose={() => setHelp(false)} />}
		</div>
	);
}

/** Who comes to a page by key or link begins at its heading. */
function useFocusOnNewPage(main: RefObject<HTMLElement>, where: string): void {
	const before = useRef(where);
	useEffect(() => {
		if (before.current === where) return;
		before.current = where;
		const heading = main.current?.querySelector<HTMLElement>("h1");
		if (!main.current?.contains(document.activeElement)) (heading ?? main.current)?.focus({ preventScroll: true });
		main.current?.scrollTo(0, 0);
	}, [main, where]);
}

function useFrameKeys(enabled: boolean, help: () => void): void {
	const go = useGo();
	const { hasPage, place } = useApp();
	const keys: Keys = {
		"?": help,
		"/": () => document.querySelector<HTMLInputElement>("[data-search]")?.focus(),
		c: () => { if (hasPage({ ...place, id: "create" })) go({ page: place.page, id: "create" }); },
	};
	for (const route of routes) if (route.key) keys[`g ${route.key}`] = () => go({ page: route.page, id: undefined, query: {} });
	useKeys(keys, enabled);
}

function RegionSelect() {
	const t = useText();
	const { regions, place } = useApp();
	const go = useGo();
	const known = regions.some((region) => region.id === place.region);
	return (
		<label className="region">
			<span className="hidden">{t.frame.region}</span>
			<select value={place.region} onChange={(event) => go({ region: event.target.value, page: place.page, id: undefined, query: {} })}>
				{!known && <option value={place.region}>{place.region}</option>}
				{regions.map((region) => <option key={region.id} value={region.id}>{region.name && region.name !== region.id ? `${region.name} (${region.id})` : region.id}</option>)}
			</select>
		</label>
	);
}

const groups = ["privatelink", "network", "operation"] as const;

function Navigation() {
	const t = useText();
	const { place, hasPage } = useApp();
	const shown = (route: Route): boolean => !!route.nav && hasPage({ ...place, page: route.page, id: undefined });
	return (
		<nav className="nav" aria-label={t.frame.navigation}>
			{groups.map((group) => {
				const entries = routes.filter((route) => route.group === group && shown(route));
				return entries.length > 0 && (
					<div key={group}>
						<h2>{t.groups[group]}</h2>
						<ul>
							{entries.map((route) => (
								<li key={route.page}>
									<a href={formatPlace(changePlace(place, { page: route.page, id: undefined, query: {} }))} aria-current={route.page === place.page ? "page" : undefined}>
										{route.icon && <Icon name={route.icon} />}
										{t.nav[route.nav as keyof typeof t.nav]}
									</a>
								</li>
							))}
						</ul>
					</div>
				);
			})}
		</nav>
	);
}

function Account({ settings, setSettings, logout }: Omit<FrameProps, "up">) {
	const t = useText();
	const { identity } = useApp();
	return (
		<Menu label={t.frame.account} icon="account" text={<span className="account-id">{identity.accountId}</span>} align="right">
			{() => (
				<div className="account-menu">
					<dl>
						<dt>{t.frame.accountId}</dt>
						<dd><Copied text={identity.accountId} /></dd>
						<dt>{t.frame.identity}</dt>
						<dd>{identity.type}{identity.isAdmin && ` · ${t.frame.administrator}`}</dd>
						<dt>ARN</dt>
						<dd><Copied text={identity.arn} /></dd>
					</dl>
					<Preferences text={t} settings={settings} setSettings={setSettings} />
					<Button icon="logout" onClick={logout}>{t.frame.logout}</Button>
				</div>
			)}
		</Menu>
	);
}

function KeysHelp({ settings, setSettings, onClose }: { settings: Settings; setSettings: (change: Partial<Settings>) => void; onClose: () => void; }) {
	const t = useText();
	const { hasPage, place } = useApp();
	const list: [string, string][] = [
		["/", t.keys.search],
		["c", t.keys.create],
		["?", t.keys.help],
		...routes.filter((route) => route.key && hasPage({ ...place, page: route.page, id: undefined })).map((route): [string, string] => [`g ${route.key}`, t.nav[route.nav as keyof typeof t.nav]]),
		["↑ ↓", t.keys.rows],
		["Space", t.keys.select],
		["Enter", t.keys.open],
		["Esc", t.keys.escape],
	];
	return (
		<Dialog title={t.frame.keys} onClose={onClose} foot={<Button kind="primary" onClick={onClose}>{t.ui.close}</Button>}>
			<dl className="keys">
				{list.map(([key, what]) => (
					<div key={key}>
						<dt>{key.split(" ").map((part) => <kbd key={part}>{part}</kbd>)}</dt>
						<dd>{what}</dd>
					</div>
				))}
			</dl>
			<Checkbox label={t.keys.on} hint={t.keys.onHint} checked={settings.keys === "on"} onChange={(on) => setSettings({ keys: on ? "on" : "off" })} />
		</Dialog>
	);
}
