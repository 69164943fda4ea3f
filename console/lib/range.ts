// SPDX-License-Identifier: Apache-2.0
// A stretch of time in an address: `range=15m` moves on with the clock, `from` and `to` stand still, so that who gets the link sees
// what its sender saw.
import { stampOf } from "./time";

export interface Range {
	/** Milliseconds since 1970. */
	from: number;
	to: number;
	/** Seconds from one point to the next. */
	period: number;
	isLive: boolean;
}

export const ranges = ["5m", "15m", "1h", "3h"] as const;
export type RangeName = (typeof ranges)[number];

const lengths: Record<RangeName, number> = { "5m": 5 * 60, "15m": 15 * 60, "1h": 3600, "3h": 3 * 3600 };
/** So far back there are points every 10 s. */
const shortKept = 15 * 60;
/** After the end of an interval its numbers are known. */
const reportedMs = 3000;

function periodOf(from: number, to: number, now: number): number {
	return now - from <= (shortKept + 30) * 1000 && to - from <= shortKept * 1000 ? 10 : 60;
}

export function rangeName(text: string | undefined): RangeName {
	return ranges.find((name) => name === text) ?? "15m";
}

/** What the address asks for; what is no time in it, or ends before it begins, counts as not said. */
export function parseRange(query: Record<string, string>, now: number): Range {
	const from = Date.parse(query["from"] ?? "");
	const to = Date.parse(query["to"] ?? "");
	if (!Number.isNaN(from) && !Number.isNaN(to) && from < to) return { from, to, period: periodOf(from, to, now), isLive: false };
	const length = lengths[rangeName(query["range"])] * 1000;
	const period = length > shortKept * 1000 ? 60 : 10;
	const end = Math.floor((now - reportedMs) / period / 1000) * period * 1000;
	return { from: end - length, to: end, period, isLive: true };
}

/** The same stretch of time for an address, with its ends written out. */
export function frozen(range: Range): { from: string; to: string; } {
	return { from: stampOf(range.from), to: stampOf(range.to) };
}
