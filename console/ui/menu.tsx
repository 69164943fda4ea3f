// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef } from "react";
import type { ReactNode } from "react";
import { Icon } from "./icon";
import type { IconName } from "./icon";

export interface MenuProps {
	label: string;
	icon?: IconName;
	/** Words beside the icon; else the label is spoken only. */
	text?: ReactNode;
	children: (close: () => void) => ReactNode;
	align?: "right";
}

/** Something that opens below a button: the browser's own disclosure, closed by Escape, by a click elsewhere, and by leaving it. */
export function Menu({ label, icon, text, children, align }: MenuProps) {
	const details = useRef<HTMLDetailsElement>(null);
	const close = (): void => { if (details.current) details.current.open = false; };
	useEffect(() => {
		const onDown = (event: Event): void => {
			if (details.current?.open && !details.current.contains(event.target as Node)) close();
		};
		document.addEventListener("pointerdown", onDown);
		return () => document.removeEventListener("pointerdown", onDown);
	}, []);
	return (
		<details
			className={`menu ${align ?? ""}`} ref={details}
			onKeyDown={(event) => {
				if (event.key !== "Escape" || !details.current?.open) return;
				event.stopPropagation();
				close();
				details.current.querySelector("summary")?.focus();
			}}
			onBlur={(event) => { if (event.relatedTarget && !details.current?.contains(event.relatedTarget)) close(); }}
		>
			<summary aria-label={text ? undefined : label} title={label}>
				{icon && <Icon name={icon} />}
				{text}
			</summary>
			<div className="menu-body">{children(close)}</div>
		</details>
	);
}
