// SPDX-License-Identifier: Apache-2.0
// Filters that a person saved, page by page, in this browser.

export interface SavedFilter {
	name: string;
	filter: string;
}

export const savedLimit = 30;

type Keep = Pick<Storage, "getItem" | "setItem">;

const keyOf = (page: string): string => `privlink.filters.${page}`;

function isSaved(entry: unknown): entry is SavedFilter {
	const saved = entry as SavedFilter | null;
	return typeof saved?.name === "string" && typeof saved.filter === "string";
}

export function readSaved(keep: Keep, page: string): SavedFilter[] {
	try {
		const list: unknown = JSON.parse(keep.getItem(keyOf(page)) ?? "[]");
		return Array.isArray(list) ? list.filter(isSaved).slice(0, savedLimit) : [];
	} catch {
		return [];
	}
}

/** The list with that filter in it; one of the same name is replaced, the oldest goes when there are too many. */
export function addSaved(keep: Keep, page: string, saved: SavedFilter): SavedFilter[] {
	return write(keep, page, [...readSaved(keep, page).filter((s) => s.name !== saved.name), saved].slice(-savedLimit));
}

export function removeSaved(keep: Keep, page: string, name: string): SavedFilter[] {
	return write(keep, page, readSaved(keep, page).filter((s) => s.name !== name));
}

function write(keep: Keep, page: string, list: SavedFilter[]): SavedFilter[] {
	try {
		keep.setItem(keyOf(page), JSON.stringify(list));
	} catch {
		// A browser that keeps nothing still filters.
	}
	return list;
}
