// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { formatPlace } from "../lib/address";
import { changePlace, useApp } from "./context";
import type { Change } from "./context";

/** A link to another place of the console; plain text where there is no such page. */
export function Link({ to, children, className }: { to: Change; children: ReactNode; className?: string; }) {
	const { place, hasPage } = useApp();
	const target = changePlace(place, to);
	if (!hasPage(target)) return <span className={className}>{children}</span>;
	return <a href={formatPlace(target)} className={className}>{children}</a>;
}
