// SPDX-License-Identifier: Apache-2.0
// A whole list by as few calls as the API allows, whichever way its pages go.
import type { Client, Params, Product } from "./client";

export interface ListQuestion {
	product: Product;
	action: string;
	params: Params;
	/** Where the rows are in the answer: `Endpoints`, `Vpcs.Vpc`. */
	items: string;
	/** `token`: MaxResults and NextToken; `number`: PageNumber and PageSize; `none`: all in one answer. */
	paging?: "token" | "number" | "none";
	/** Rows on a page; 1000 by token, 50 by number. */
	size?: number;
	region?: string;
}

export interface Answered<T> {
	rows: T[];
	total: number;
}

/** A value in an answer: `at(answer, "Vpcs.Vpc")`. */
export function at(answer: unknown, path: string): unknown {
	return path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], answer);
}

export async function listAll<T>(client: Client, question: ListQuestion): Promise<Answered<T>> {
	const paging = question.paging ?? "token";
	const size = question.size ?? (paging === "token" ? 1000 : 50);
	const rows: T[] = [];
	let token: string | undefined;
	for (let page = 1; ; page++) {
		const more: Params =
			paging === "token" ? { MaxResults: size, NextToken: token } : paging === "number" ? { PageNumber: page, PageSize: size } : {};
		const answer = await client.call<Params>(question.product, question.action, { ...question.params, ...more }, question.region);
		const part = (at(answer, question.items) ?? []) as T[];
		rows.push(...part);
		token = answer["NextToken"] as string | undefined;
		const total = Number(answer["TotalCount"] ?? rows.length);
		const isLast = paging === "token" ? !token : paging === "none" || part.length === 0 || rows.length >= total;
		if (isLast) return { rows, total: Math.max(total, rows.length) };
	}
}

/** The new rows, but the old object where a row is as it was, so that what shows it need not be drawn again. */
export function keepSame<T>(old: T[], rows: T[], key: (row: T) => string): T[] {
	const before = new Map(old.map((row) => [key(row), row]));
	let same = old.length === rows.length;
	const kept = rows.map((row, i) => {
		const known = before.get(key(row));
		const entry = known && JSON.stringify(known) === JSON.stringify(row) ? known : row;
		same &&= old[i] === entry;
		return entry;
	});
	return same ? old : kept;
}
