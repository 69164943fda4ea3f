// SPDX-License-Identifier: Apache-2.0
// The API's words for states, as a colour, a mark and a word of the reader's language.
import type { Texts } from "../text/en";
import type { StatusKind } from "../ui/status";

export interface Shown {
	kind: StatusKind;
	text: string;
}

const kinds: Record<string, StatusKind> = {
	Active: "ok", Available: "ok", Connected: "ok", Running: "ok", Normal: "ok", InUse: "ok", Healthy: "ok", Accepted: "ok", Ok: "ok", Reachable: "ok", Finished: "ok", Attached: "ok",
	Creating: "wait", Pending: "wait", Connecting: "wait", Disconnecting: "wait", Deleting: "wait", Migrating: "wait", Starting: "wait", Stopping: "wait",
	Wait: "wait", Waiting: "wait", Configuring: "wait", Provisioning: "wait", Attaching: "wait", Detaching: "wait", Initial: "wait", Adding: "wait", Removing: "wait",
	Partial: "warn", Warn: "warn", Migrated: "warn",
	Disconnected: "off", Stopped: "off", Inactive: "off", Unknown: "off", Skipped: "off", Unused: "off", NotChecked: "off",
	ServiceDeleted: "bad", Refused: "bad", Failed: "bad", Broken: "bad", Unreachable: "bad", Expired: "bad", Abnormal: "bad", CreateFailed: "bad", Unhealthy: "bad", Unavailable: "bad",
};

/** A state of any object; a word that is not known stands as it is. */
export function stateOf(word: string | undefined, text: Texts): Shown {
	const known = text.states as Record<string, string>;
	return { kind: kinds[word ?? ""] ?? "off", text: known[word ?? ""] ?? word ?? "" };
}

/** "Waiting for acceptance" and "refused" both read Disconnected in the API; AcceptanceStatus tells them apart. */
export function connectionState(row: { ConnectionStatus?: string; AcceptanceStatus?: string; }, text: Texts): Shown {
	const isApart = row.ConnectionStatus === "Disconnected" || row.ConnectionStatus === "Pending";
	if (isApart && (row.AcceptanceStatus === "Waiting" || row.AcceptanceStatus === "Refused")) return stateOf(row.AcceptanceStatus, text);
	return stateOf(row.ConnectionStatus, text);
}

/** The words a filter on the connection's state finds. */
export function connectionWords(row: { ConnectionStatus?: string; AcceptanceStatus?: string; }): string[] {
	return [row.ConnectionStatus ?? "", ...(row.ConnectionStatus === "Connected" ? [] : [row.AcceptanceStatus ?? ""])];
}
