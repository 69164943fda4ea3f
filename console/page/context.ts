// SPDX-License-Identifier: Apache-2.0
// What every page stands on: the client, the place, the texts, and answers of the API that stay fresh while the page is visible.
import { createContext, useCallback, useContext, useEffect, useRef, useState } from "react";
import { formatPlace, parsePlace } from "../lib/address";
import type { Place } from "../lib/address";
import type { Client, Params, Product } from "../lib/client";
import type { Link } from "../lib/link";
import { keepSame, listAll } from "../lib/list";
import type { Answered, ListQuestion } from "../lib/list";
import type { Identity } from "../lib/session";
import { visible } from "../lib/visible";
import type { Texts } from "../text/en";

export interface PageProps {
	place: Place;
}

export interface Region {
	id: string;
	name: string;
}

/** A change of place: what is not said stays; another page starts without id, tab and query. */
export type Change = Partial<Omit<Place, "query">> & { query?: Record<string, string | undefined>; };

export interface App {
	client: Client;
	identity: Identity;
	regions: Region[];
	place: Place;
	text: Texts;
	language: string;
	link: Link;
	/** Calls that changed something announce themselves here. */
	changes: EventTarget;
	go: (place: Place, replace: boolean) => void;
	hasPage: (place: Place) => boolean;
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
	const app = useContext(AppContext);
	if (!app) throw new Error("pages stand inside AppContext");
	return app;
}

export const useClient = (): Client => useApp().client;
export const usePlace = (): Place => useApp().place;
export const useText = (): Texts => useApp().text;
export const useLanguage = (): string => useApp().language;

export function changePlace(place: Place, change: Change): Place {
	const isOther = change.page !== undefined && (change.page !== place.page || change.id !== place.id);
	const query: Record<string, string> = {};
	for (const [name, value] of Object.entries({ ...(isOther ? {} : place.query), ...change.query })) if (value) query[name] = value;
	const region = change.region ?? place.region;
	if (isOther) return { region, page: change.page as string, query, ...(change.id ? { id: change.id } : {}), ...(change.tab ? { tab: change.tab } : {}) };
	return { ...place, ...change, region, query };
}

/** Goes to another place; `replace` leaves no step to go back to. */
export function useGo(): (change: Change, replace?: boolean) => void {
	const { place, go } = useApp();
	const now = useRef(place);
	now.current = place;
	return useCallback((change, replace = false) => go(changePlace(now.current, change), replace), [go]);
}

/**
 * Where one goes when something was made: back to the form that could not do without it (`back` in the address), which is told what was
 * made, or to what was made.
 */
export function useLeave(): (made: Change, tell: Record<string, string>) => void {
	const { place, go } = useApp();
	const back = place.query["back"];
	return (made, tell) => {
		const to = back ? parsePlace(back) : changePlace(place, made);
		go(back ? { ...to, query: { ...to.query, ...tell } } : to, true);
	};
}

/** The address of another place, for links. */
export function useHref(): (change: Change) => string {
	const { place } = useApp();
	return (change) => formatPlace(changePlace(place, change));
}

/** One value of the address's query, and how to change it. */
export function useQuery(name: string): [string, (value: string) => void] {
	const { place } = useApp();
	const go = useGo();
	return [place.query[name] ?? "", useCallback((value: string) => go({ query: { [name]: value } }, true), [go, name])];
}

/** The page's title, in the browser's tab; names in it are texts that others wrote. */
export function useTitle(title: string): void {
	useEffect(() => {
		document.title = `${visible(title)} · privlink`;
	}, [title]);
}

export interface Asked<T> {
	answer: T | undefined;
	state: "loading" | "ready" | "failed";
	error: unknown;
	reload: () => void;
}

const changedPausesMs = [50, 800];

/**
 * Asks, and asks again: every so often while the page is visible, after each change, and when privlinkd is back.
 * An answer stays when the next question finds nobody; the banner says so.
 */
export function useAsked<T>(key: string | null, ask: () => Promise<T>, everyMs: (answer: T | undefined) => number, merge: (old: T | undefined, fresh: T) => T): Asked<T> {
	const { link, changes } = useApp();
	const [state, setState] = useState<{ key: string | null; answer?: T; error?: unknown; }>({ key });
	const latest = useRef({ ask, everyMs, merge });
	latest.current = { ask, everyMs, merge };
	const reloadRef = useRef(() => undefined as void);

	useEffect(() => {
		if (key === null) return;
		let ended = false;
		let running = false;
		let answer: T | undefined;
		let timer: ReturnType<typeof setTimeout> | undefined;
		const plan = (ms: number): void => {
			clearTimeout(timer);
			if (ms > 0) timer = setTimeout(() => void run(), ms);
		};
		const run = async (): Promise<void> => {
			if (document.visibilityState === "hidden" && answer !== undefined) return;
			if (running) return;
			running = true;
			try {
				const fresh = await latest.current.ask();
				answer = latest.current.merge(answer, fresh);
				if (!ended) setState((old) => (old.key === key && old.answer === answer && old.error === undefined ? old : { key, answer: answer as T }));
			} catch (error) {
				if (!ended) setState({ key, error, ...(answer === undefined ? {} : { answer }) });
			}
			running = false;
			if (!ended) plan(latest.current.everyMs(answer));
		};
		const now = (): void => void run();
		// Soon, and once more when what was changed has had time to move on; many changes at once ask no more often.
		const planned = new Set<number>();
		const onChange = (): void => changedPausesMs.forEach((ms) => {
			if (planned.has(ms)) return;
			planned.add(ms);
			setTimeout(() => {
				planned.delete(ms);
				if (!ended) now();
			}, ms);
		});
		const unlink = link.subscribe((up) => { if (up) now(); });
		document.addEventListener("visibilitychange", now);
		changes.addEventListener("changed", onChange);
		reloadRef.current = now;
		now();
		return () => {
			ended = true;
			clearTimeout(timer);
			unlink();
			document.removeEventListener("visibilitychange", now);
			changes.removeEventListener("changed", onChange);
		};
	}, [key, link, changes]);

	const reload = useCallback(() => reloadRef.current(), []);
	const current = state.key === key ? state : { key };
	const known = current.answer !== undefined;
	return { answer: current.answer, error: current.error, reload, state: current.error !== undefined ? "failed" : known ? "ready" : "loading" };
}

export interface ListOptions<T> {
	items: string;
	every?: number;
	/** Whether a row is on its way to another state: then one asks every second. */
	busy?: (row: T) => boolean;
	/** The row's key, so that unchanged rows stay the same objects. */
	key?: (row: T) => string;
	paging?: ListQuestion["paging"];
	size?: number;
	region?: string;
}

export interface List<T> {
	rows: T[];
	total: number;
	state: Asked<T>["state"];
	error: unknown;
	reload: () => void;
}

/** Per row of a list, so that a long one does not keep either side busy. */
const everyMsPerRow = 12;
const busyMs = 1000;

/** All rows of a list; `params` null asks nothing yet. */
export function useList<T = any>(product: Product, action: string, params: Params | null, options: ListOptions<T>): List<T> {
	const { client, place } = useApp();
	const region = options.region ?? place.region;
	const keyOf = options.key ?? ((row: T) => JSON.stringify(row));
	const every = (answer: Answered<T> | undefined): number => {
		if (!options.every) return 0;
		const rows = answer?.rows ?? [];
		const wanted = options.busy && rows.some(options.busy) ? Math.min(busyMs, options.every) : options.every;
		return Math.max(wanted, rows.length * everyMsPerRow);
	};
	const merge = (old: Answered<T> | undefined, fresh: Answered<T>): Answered<T> => {
		const rows = keepSame(old?.rows ?? [], fresh.rows, keyOf);
		return old && rows === old.rows && old.total === fresh.total ? old : { rows, total: fresh.total };
	};
	const { items, paging, size } = options;
	const question = { product, action, params: params ?? {}, items, paging, size, region };
	const asked = useAsked(params && JSON.stringify(question), () => listAll<T>(client, question), every, merge);
	return { rows: asked.answer?.rows ?? noRows, total: asked.answer?.total ?? 0, state: asked.state, error: asked.error, reload: asked.reload };
}

const noRows: never[] = [];

export interface CallOptions<T> {
	every?: number;
	busy?: (answer: T) => boolean;
	region?: string;
}

/** One answer; `params` null asks nothing yet. */
export function useCall<T = any>(product: Product, action: string, params: Params | null, options: CallOptions<T> = {}): Asked<T> {
	const { client, place } = useApp();
	const region = options.region ?? place.region;
	const every = (answer: T | undefined): number => {
		if (!options.every) return 0;
		return answer !== undefined && options.busy?.(answer) ? Math.min(busyMs, options.every) : options.every;
	};
	const merge = (old: T | undefined, fresh: T): T => (old !== undefined && isSame(old, fresh) ? old : fresh);
	return useAsked(params && JSON.stringify([product, action, params, region]), () => client.call<T>(product, action, params ?? {}, region), every, merge);
}

/** Equal but for the RequestId, which every answer has of its own. */
function isSame(a: unknown, b: unknown): boolean {
	const plain = (value: unknown): string => JSON.stringify(value, (key, entry: unknown) => (key === "RequestId" ? undefined : entry));
	return plain(a) === plain(b);
}
