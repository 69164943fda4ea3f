// SPDX-License-Identifier: Apache-2.0
import { Icon } from "./icon";
import type { IconName } from "./icon";

export type StatusKind = "ok" | "warn" | "bad" | "wait" | "off";

const marks: Record<StatusKind, IconName> = { ok: "check", warn: "warning", bad: "stop", wait: "clock", off: "minus" };

/** A state by colour, mark and word: none of them alone. */
export function Status({ kind, text, detail }: { kind: StatusKind; text: string; detail?: string; }) {
	return (
		<span className={`status ${kind}`} title={detail}>
			<Icon name={marks[kind]} />
			{text}
		</span>
	);
}
