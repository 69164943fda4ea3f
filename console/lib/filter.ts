// SPDX-License-Identifier: Apache-2.0
// The filter language of lists: `status:Active -zone:cn-hangzhou-h "two words" tag:env=prod`.
// A word is looked for everywhere; `field:value` wants the whole value, `*` in it stands for anything; `-` in front excludes.
// Values of one field are alternatives, everything else must hold together.

export interface Term {
	/** Absent: anywhere. */
	field?: string;
	value: string;
	exclude: boolean;
}

/** What a row has to say in each field; a field can have several values. */
export type Fields<T> = Record<string, (row: T) => string | string[] | undefined>;

export interface Filtered<T> {
	rows: T[];
	/** How many rows the filter keeps from sight. */
	hidden: number;
}

const word = /(-?)(?:([A-Za-z]+):)?(?:"((?:[^"\\]|\\.)*)"|(\S+))/g;

/** Terms of a text. A prefix that is no field (`http:`) belongs to the word. */
export function parseFilter(text: string, fields: readonly string[]): Term[] {
	const terms: Term[] = [];
	for (const match of text.matchAll(word)) {
		const [, minus = "", prefix, quoted, bare] = match;
		const plain = quoted === undefined ? (bare as string) : quoted.replace(/\\(.)/g, "$1");
		const field = fields.find((name) => name.toLowerCase() === prefix?.toLowerCase());
		const value = prefix && !field ? `${prefix}:${plain}` : plain;
		const exclude = minus === "-";
		if (value) terms.push(field ? { field, value, exclude } : { value, exclude });
	}
	return terms;
}

export function formatFilter(terms: readonly Term[]): string {
	return terms.map((term) => `${term.exclude ? "-" : ""}${term.field ? `${term.field}:` : ""}${quote(term)}`).join(" ");
}

function quote(term: Term): string {
	const clear = /^[^\s"\\]+$/.test(term.value) && (term.field || !/^-|^[A-Za-z]+:/.test(term.value));
	return clear ? term.value : `"${term.value.replace(/["\\]/g, "\\$&")}"`;
}

/** The text with that term in it, or, if it was there, without. */
export function toggleTerm(text: string, term: Term, fields: readonly string[]): string {
	const terms = parseFilter(text, fields);
	const rest = terms.filter((t) => !(t.field === term.field && t.value === term.value));
	const was = terms.find((t) => t.field === term.field && t.value === term.value);
	return formatFilter(was && was.exclude === term.exclude ? rest : [...rest, term]);
}

function pattern(value: string): RegExp {
	const escaped = value.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
	return new RegExp(`^${escaped.join(".*")}$`, "is");
}

type Test<T> = (row: T) => boolean;

function valuesOf<T>(row: T, get: (row: T) => string | string[] | undefined): string[] {
	const value = get(row);
	return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function termTest<T>(term: Term, fields: Fields<T>): Test<T> {
	if (term.field) {
		const get = fields[term.field] as Fields<T>[string];
		const wanted = pattern(term.value);
		return (row) => valuesOf(row, get).some((value) => wanted.test(value));
	}
	const wanted = term.value.toLowerCase();
	const all = Object.values(fields);
	return (row) => all.some((get) => valuesOf(row, get).some((value) => value.toLowerCase().includes(wanted)));
}

export function applyFilter<T>(rows: readonly T[], text: string, fields: Fields<T>): Filtered<T> {
	const terms = parseFilter(text, Object.keys(fields));
	const tests: Test<T>[] = [];
	const alternatives = new Map<string, Test<T>[]>();
	for (const term of terms) {
		const test = termTest(term, fields);
		if (term.exclude) tests.push((row) => !test(row));
		else if (!term.field) tests.push(test);
		else alternatives.set(term.field, [...(alternatives.get(term.field) ?? []), test]);
	}
	for (const group of alternatives.values()) tests.push((row) => group.some((test) => test(row)));
	const kept = rows.filter((row) => tests.every((test) => test(row)));
	return { rows: kept, hidden: rows.length - kept.length };
}
