// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { Icon } from "./icon";
import type { IconName } from "./icon";

/** Why there is nothing to see. */
export type EmptyKind = "nothing" | "filtered" | "forbidden" | "unreachable" | "notFound";

const marks: Record<EmptyKind, IconName> = { nothing: "info", filtered: "filter", forbidden: "lock", unreachable: "unplug", notFound: "search" };

/** An empty view: which of the five it is, and what to do next (`children`: buttons, links). */
export function Empty({ kind, title, text, children }: { kind: EmptyKind; title: string; text?: ReactNode; children?: ReactNode; }) {
	return (
		<div className={`empty ${kind}`} data-kind={kind}>
			<Icon name={marks[kind]} />
			<h2>{title}</h2>
			{text && <p>{text}</p>}
			{children && <div className="row">{children}</div>}
		</div>
	);
}
