// SPDX-License-Identifier: Apache-2.0
// The application: who is logged in, where one is, and the frame around every page.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ReactNode } from "react";
import { formatPlace, loginPage, parsePlace } from "../lib/address";
import type { Place } from "../lib/address";
import { ApiError, HttpClient, Unreachable } from "../lib/client";
import type { Client } from "../lib/client";
import { Link as ServerLink, watchLink } from "../lib/link";
import { forgetSession, keepSession, newSession, readSession, whoAmI } from "../lib/session";
import type { Identity, Session } from "../lib/session";
import { readSettings, writeSettings } from "../lib/settings";
import type { Settings } from "../lib/settings";
import type { Texts } from "../text/en";
import { Banner } from "../ui/banner";
import { Spinner } from "../ui/button";
import { WordsContext } from "../ui/words";
import { AppContext } from "./context";
import type { App as AppValue, Region } from "./context";
import { Frame } from "./frame";
import { LoginPage } from "./login";
import { Preferences } from "./preferences";
import { errorText } from "./errors";
import { findRoute, routes } from "./routes";

interface LoggedIn {
	session: Session;
	client: Client;
	identity: Identity;
	regions: Region[];
}

type Who = { state: "starting"; } | { state: "out"; notice?: (t: Texts) => string; } | { state: "in"; who: LoggedIn; };

const link = new ServerLink();
const changes = new EventTarget();
/** Other tabs learn here that one logged out. */
const tabs = typeof BroadcastChannel === "function" ? new BroadcastChannel("privlink") : undefined;

function usePlaceOfAddress(): [Place, (place: Place, replace: boolean) => void] {
	const [hash, setHash] = useState(location.hash);
	useEffect(() => {
		const onHash = (): void => setHash(location.hash);
		addEventListener("hashchange", onHash);
		return () => removeEventListener("hashchange", onHash);
	}, []);
	const go = useCallback((place: Place, replace: boolean) => {
		const to = formatPlace(place);
		if (replace) history.replaceState(null, "", to);
		else location.hash = to;
		setHash(to);
	}, []);
	return [useMemo(() => parsePlace(hash), [hash]), go];
}

function useSettings(): [Settings, (change: Partial<Settings>) => void] {
	const [settings, setSettings] = useState(() => readSettings(localStorage));
	const change = useCallback((part: Partial<Settings>) => {
		setSettings((old) => {
			const next = { ...old, ...part };
			writeSettings(localStorage, next);
			return next;
		});
	}, []);
	useEffect(() => {
		const root = document.documentElement;
		if (settings.scheme) root.dataset["scheme"] = settings.scheme;
		else delete root.dataset["scheme"];
	}, [settings.scheme]);
	return [settings, change];
}

function makeClient(session: Session, refused: (error: ApiError) => void): Client {
	return new HttpClient(session, {
		host: location.host,
		fetch: (url, init) => fetch(url, init),
		now: Date.now,
		sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
		random: () => crypto.randomUUID(),
		link,
		wrote: () => changes.dispatchEvent(new Event("changed")),
		refused,
	});
}

interface RegionRow {
	RegionId: string;
	LocalName: string;
}

async function readRegions(client: Client): Promise<Region[]> {
	const answer = await client.call<{ Regions: { Region: RegionRow[]; }; }>("privatelink", "DescribeRegions", {});
	return answer.Regions.Region.map((region) => ({ id: region.RegionId, name: region.LocalName }));
}

/** Until privlinkd answers: a page that is opened while it restarts comes up by itself. */
async function whenReachable<T>(act: () => Promise<T>): Promise<T> {
	for (; ;) {
		try {
			return await act();
		} catch (error) {
			if (!(error instanceof Unreachable)) throw error;
			await new Promise((resolve) => setTimeout(resolve, 1000));
		}
	}
}

/** A reader loads one language. */
const languages = {
	en: (): Promise<Texts> => import("../text/en").then((module) => module.en),
	zh: (): Promise<Texts> => import("../text/zh").then((module) => module.zh),
};

interface Spoken {
	language: keyof typeof languages;
	text: Texts;
}

/** The texts of a language; those of the one before until they have come. */
function useTexts(language: keyof typeof languages): Spoken | null {
	const [spoken, setSpoken] = useState<Spoken | null>(null);
	useEffect(() => {
		let ended = false;
		void whenLoaded(languages[language]).then((text) => { if (!ended) setSpoken({ language, text }); });
		return () => { ended = true; };
	}, [language]);
	return spoken;
}

/** While privlinkd restarts a file may not come at once. */
async function whenLoaded<T>(load: () => Promise<T>): Promise<T> {
	for (; ;) {
		try {
			return await load();
		} catch {
			await new Promise((resolve) => setTimeout(resolve, 1000));
		}
	}
}

export function App() {
	const [settings, setSettings] = useSettings();
	const wanted = settings.language || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
	const spoken = useTexts(wanted);
	return spoken && <Application {...spoken} settings={settings} setSettings={setSettings} />;
}

function Application({ language, text, settings, setSettings }: Spoken & { settings: Settings; setSettings: (change: Partial<Settings>) => void; }) {
	const [place, go] = usePlaceOfAddress();
	const [who, setWho] = useState<Who>({ state: "starting" });
	const placeRef = useRef(place);
	placeRef.current = place;
	/** Where to go after the login. */
	const wanted = useRef<Place | null>(null);

	const leave = useCallback((notice?: (t: Texts) => string) => {
		void forgetSession();
		if (placeRef.current.page !== loginPage) wanted.current = notice ? placeRef.current : null;
		setWho({ state: "out", ...(notice ? { notice } : {}) });
		go({ region: "", page: loginPage, query: {} }, true);
	}, [go]);

	const enter = useCallback(async (session: Session): Promise<void> => {
		const client = makeClient(session, (error) => leave((t) => `${t.login.refused} ${errorText(error, t)}`));
		const [identity, regions] = await Promise.all([whoAmI(client), readRegions(client)]);
		setWho({ state: "in", who: { session, client, identity, regions } });
	}, [leave]);

	useEffect(() => {
		void readSession(Date.now()).then(async (session) => {
			if (!session) return setWho({ state: "out" });
			try {
				await whenReachable(() => enter(session));
			} catch (error) {
				leave((t) => errorText(error, t));
			}
		});
	}, [enter, leave]);

	const until = who.state === "in" ? who.who.session.until : 0;
	useEffect(() => {
		if (!until) return;
		const timer = setTimeout(() => leave((t) => t.login.ended), Math.max(0, until - Date.now()));
		const onTab = (event: MessageEvent): void => { if (event.data === "logout") leave(); };
		tabs?.addEventListener("message", onTab);
		return () => {
			clearTimeout(timer);
			tabs?.removeEventListener("message", onTab);
		};
	}, [until, leave]);

	useEffect(() => watchLink(link, location.pathname, () => document.visibilityState !== "hidden"), []);
	useEffect(() => { document.documentElement.lang = language === "zh" ? "zh-CN" : "en"; }, [language]);

	const login = async (id: string, secret: string, stay: boolean): Promise<void> => {
		const session = await newSession(id, secret, Date.now());
		await enter(session);
		const to = wanted.current;
		wanted.current = null;
		if (placeRef.current.page === loginPage) go(to ?? { region: "", page: "", query: {} }, true);
		if (stay) await keepSession(session);
		else await forgetSession();
	};
	const logout = (): void => {
		tabs?.postMessage("logout");
		leave();
	};

	return (
		<WordsContext.Provider value={text.ui}>
			{who.state === "starting" && <Starting text={text} />}
			{who.state === "out" && (
				<Entrance text={text} settings={settings} setSettings={setSettings}>
					<LoginPage text={text} keyId={place.page === loginPage ? place.query["key"] ?? "" : ""} notice={who.notice?.(text)} login={login} />
				</Entrance>
			)}
			{who.state === "in" && <Inside who={who.who} place={place} go={go} text={text} language={language} settings={settings} setSettings={setSettings} logout={logout} />}
		</WordsContext.Provider>
	);
}

function useReachable(): boolean {
	const [up, setUp] = useState(link.up);
	useEffect(() => link.subscribe(setUp), []);
	return up;
}

function Starting({ text }: { text: Texts; }) {
	const up = useReachable();
	return (
		<main className="login">
			{up ? <p className="loading"><Spinner /> {text.common.loading}</p> : <Banner kind="bad">{text.frame.lost}</Banner>}
		</main>
	);
}

/** Around the login page: what can be chosen before one is anybody. */
function Entrance({ text, settings, setSettings, children }: { text: Texts; settings: Settings; setSettings: (change: Partial<Settings>) => void; children: ReactNode; }) {
	const up = useReachable();
	useEffect(() => { document.title = `${text.login.title} · privlink`; }, [text]);
	return (
		<div className="entrance">
			{!up && <Banner kind="bad">{text.frame.lost}</Banner>}
			{children}
			<footer className="entrance-foot">
				<Preferences text={text} settings={settings} setSettings={setSettings} />
			</footer>
		</div>
	);
}

interface InsideProps {
	who: LoggedIn;
	place: Place;
	go: (place: Place, replace: boolean) => void;
	text: Texts;
	language: string;
	settings: Settings;
	setSettings: (change: Partial<Settings>) => void;
	logout: () => void;
}

/** The address with what it left open: the region one had last, the page one lands on. */
function complete(place: Place, regions: Region[], last: string): Place {
	const isLogin = place.page === loginPage;
	const known = (id: string): boolean => regions.some((region) => region.id === id);
	const region = !isLogin && place.region ? place.region : known(last) ? last : regions[0]?.id ?? "cn-hangzhou";
	if (isLogin || !place.page) return { region, page: routes[0]?.page ?? "", query: {} };
	return { ...place, region };
}

function Inside({ who, place, go, text, language, settings, setSettings, logout }: InsideProps) {
	const full = useMemo(() => complete(place, who.regions, settings.region), [place, who.regions, settings.region]);
	const up = useReachable();
	const address = formatPlace(full);
	useEffect(() => {
		if (formatPlace(place) !== address) history.replaceState(null, "", address);
	}, [place, address]);
	useEffect(() => { if (settings.region !== full.region) setSettings({ region: full.region }); }, [settings.region, full.region, setSettings]);
	const value: AppValue = useMemo(() => ({
		client: who.client, identity: who.identity, regions: who.regions, place: full, text, language, link, changes, go,
		hasPage: (other) => {
			const route = findRoute(other);
			return !!route && (!route.admin || who.identity.isAdmin);
		},
	}), [who, full, text, language, go]);
	return (
		<AppContext.Provider value={value}>
			<Frame up={up} settings={settings} setSettings={setSettings} logout={logout} />
		</AppContext.Provider>
	);
}
