// SPDX-License-Identifier: Apache-2.0
// Times: as the API writes them, and as people read them.

/** `2026-01-02T03:04:05Z` of milliseconds since 1970. */
export function stampOf(ms: number): string {
	return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** A time of the API in the reader's language and zone; the text itself where it is none. */
export function formatTime(text: string | undefined, language: string): string {
	const ms = Date.parse(text ?? "");
	if (Number.isNaN(ms)) return text ?? "";
	return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(ms);
}

const units: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** "3 minutes ago". */
export function formatSince(text: string | undefined, now: number, language: string): string {
	const ms = Date.parse(text ?? "");
	if (Number.isNaN(ms)) return "";
	const seconds = Math.max(0, Math.round((now - ms) / 1000));
	const [unit, size] = units.find(([, s]) => seconds >= s) ?? ["second", 1];
	return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-Math.floor(seconds / size), unit);
}
