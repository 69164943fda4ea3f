// SPDX-License-Identifier: Apache-2.0
// What the page shows is in its address: `#/cn-hangzhou/endpoints/ep-…/zones?q=…`. The login page has no region: `#/login?key=ID`.
import { encode } from "./encode";

export interface Place {
	region: string;
	page: string;
	id?: string;
	tab?: string;
	query: Record<string, string>;
}

export const loginPage = "login";

function decode(text: string): string {
	try {
		return decodeURIComponent(text.replace(/\+/g, " "));
	} catch {
		return text;
	}
}

export function parsePlace(hash: string): Place {
	const [path = "", search = ""] = splitOnce(hash.replace(/^#?\/?/, ""), "?");
	const parts = path.split("/").filter(Boolean).map(decode);
	const query: Record<string, string> = {};
	for (const pair of search.split("&").filter(Boolean)) {
		const [name = "", value = ""] = splitOnce(pair, "=");
		query[decode(name)] = decode(value);
	}
	if (parts[0] === loginPage) return { region: "", page: loginPage, query };
	const [region = "", page = "", id, tab] = parts;
	return { region, page, ...(id ? { id } : {}), ...(tab ? { tab } : {}), query };
}

export function formatPlace(place: Place): string {
	const parts = place.page === loginPage ? [loginPage] : [place.region, place.page, place.id, place.id && place.tab];
	const path = parts.filter(Boolean).map((part) => encode(part as string)).join("/");
	const query = Object.keys(place.query)
		.filter((name) => place.query[name] !== "")
		.sort()
		.map((name) => `${encode(name)}=${encode(place.query[name] as string)}`)
		.join("&");
	return `#/${path}${query && `?${query}`}`;
}

function splitOnce(text: string, by: string): [string, string?] {
	const i = text.indexOf(by);
	return i < 0 ? [text] : [text.slice(0, i), text.slice(i + by.length)];
}
