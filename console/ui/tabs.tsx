// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useRef } from "react";
import type { KeyboardEvent, ReactNode } from "react";

export interface Tab {
	key: string;
	title: string;
	/** A number or mark behind the title. */
	badge?: ReactNode;
}

/** Tabs with the arrow keys; the page keeps which is active (in its address) and gives what stands below. */
export function Tabs({ label, tabs, active, onSelect, children }: { label: string; tabs: Tab[]; active: string; onSelect: (key: string) => void; children: ReactNode; }) {
	const id = useId();
	const list = useRef<HTMLDivElement>(null);
	// On a phone there may be more tabs than room.
	useEffect(() => { list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" }); }, [active]);
	const onKey = (event: KeyboardEvent): void => {
		const i = tabs.findIndex((tab) => tab.key === active);
		const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[event.key];
		if (to === undefined) return;
		event.preventDefault();
		const n = (to + tabs.length) % tabs.length;
		onSelect((tabs[n] as Tab).key)
			; (list.current?.children[n] as HTMLElement | undefined)?.focus();
	};
	return (
		<>
			<div className="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKey}>
				{tabs.map((tab) => (
					<button key={tab.key} type="button" role="tab" id={`${id}${tab.key}`} aria-selected={tab.key === active} aria-controls={`${id}panel`} tabIndex={tab.key === active ? 0 : -1} onClick={() => onSelect(tab.key)}>
						{tab.title}
						{tab.badge !== undefined && <span className="badge">{tab.badge}</span>}
					</button>
				))}
			</div>
			<div role="tabpanel" id={`${id}panel`} aria-labelledby={`${id}${active}`} className="tab-panel">{children}</div>
		</>
	);
}
