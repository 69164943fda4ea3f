// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { Icon } from "./icon";
import type { IconName } from "./icon";

export type BannerKind = "info" | "ok" | "warn" | "bad";

const marks: Record<BannerKind, IconName> = { info: "info", ok: "check", warn: "warning", bad: "stop" };

/** A message that concerns the whole page or form. `bad` interrupts a screen reader, the others wait. */
export function Banner({ kind, children, action }: { kind: BannerKind; children: ReactNode; action?: ReactNode; }) {
	return (
		<div className={`banner ${kind}`} role={kind === "bad" ? "alert" : "status"}>
			<Icon name={marks[kind]} />
			<div className="grow">{children}</div>
			{action}
		</div>
	);
}
