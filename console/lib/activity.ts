// SPDX-License-Identifier: Apache-2.0
// The log of calls, newest first, as one list out of many answers.
import type { Client, Params } from "./client";

export interface AuditEvent {
	Time: string;
	Kind: string;
	RequestId: string;
	AccountId?: number;
	UserId?: string;
	AccessKeyId?: string;
	Product?: string;
	Version?: string;
	Action?: string;
	RegionId?: string;
	SourceAddress?: string;
	Https?: boolean;
	UserAgent?: string;
	Parameters?: { Name: string; Value: string; }[];
	ParametersOmitted?: number;
	Status?: number;
	Code?: string;
	DurationMs?: number;
	Omitted?: number;
	Why?: string;
}

export interface EventPage {
	events: AuditEvent[];
	/** Where older ones begin; absent: there are none. */
	next?: string;
}

/** An answer can have few lines, or none, and still have a next one: so many are asked for in a row. */
const answersInARow = 20;

export const keyOfEvent = (event: AuditEvent): string => `${event.Time} ${event.RequestId} ${event.Action ?? event.Why ?? ""}`;

/** The next events: at least one, unless there is none or it took too long to find. */
export async function readEvents(client: Client, params: Params, from: string | undefined, size: number): Promise<EventPage> {
	const events: AuditEvent[] = [];
	let next = from;
	for (let n = 0; n < answersInARow; n++) {
		const answer = await client.call<{ Events: AuditEvent[]; NextToken?: string; }>("privlink", "ListAuditEvents", { ...params, MaxResults: size, NextToken: next });
		events.push(...answer.Events);
		next = answer.NextToken || undefined;
		if (!next || events.length >= size / 2) break;
	}
	return { events, ...(next ? { next } : {}) };
}

/** The newest page in front of what was there. Where the two do not meet, what was there goes: a gap would look like silence. */
export function withNewest(old: EventPage | undefined, fresh: EventPage): EventPage {
	if (!old) return fresh;
	const known = new Set(old.events.map(keyOfEvent));
	const added = fresh.events.filter((event) => !known.has(keyOfEvent(event)));
	if (added.length === fresh.events.length && fresh.events.length > 0 && fresh.next) return fresh;
	return added.length === 0 ? old : { ...old, events: [...added, ...old.events] };
}

/** What a time says in a field of a form, and back: both in the reader's zone there, in UTC in the address. */
export function toLocalInput(stamp: string): string {
	const ms = Date.parse(stamp);
	if (Number.isNaN(ms)) return "";
	const shifted = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
	return shifted.toISOString().slice(0, 16);
}

export function fromLocalInput(text: string): string {
	const ms = Date.parse(text);
	return Number.isNaN(ms) ? "" : new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
