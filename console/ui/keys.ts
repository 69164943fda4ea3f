// SPDX-License-Identifier: Apache-2.0
// Keys of the page: one character, or two one after the other (`g e`). They rest while one writes, while a dialog is open, and
// while they are switched off (screen readers have keys of their own).
import { useEffect, useRef } from "react";

export type Keys = Record<string, () => void>;

const pauseMs = 1200;

function isWriting(target: EventTarget | null): boolean {
	const element = target as HTMLElement | null;
	return !!element?.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], [role=combobox]");
}

/** Which entry the keys pressed so far mean: one of it, the beginning of one, or none. */
export function matchKeys(pressed: string, names: readonly string[]): { name?: string; begins: boolean; } {
	const name = names.find((n) => n === pressed);
	return { ...(name ? { name } : {}), begins: names.some((n) => n.startsWith(`${pressed} `)) };
}

export function useKeys(keys: Keys, enabled: boolean): void {
	const current = useRef(keys);
	current.current = keys;
	useEffect(() => {
		if (!enabled) return;
		let pressed = "";
		let at = 0;
		const onKey = (event: KeyboardEvent): void => {
			if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || event.key.length !== 1) return;
			if (isWriting(event.target) || document.querySelector("dialog[open]")) return;
			pressed = pressed && event.timeStamp - at < pauseMs ? `${pressed} ${event.key}` : event.key;
			at = event.timeStamp;
			const names = Object.keys(current.current);
			let found = matchKeys(pressed, names);
			if (!found.name && !found.begins) found = matchKeys((pressed = event.key), names);
			if (!found.name) {
				if (!found.begins) pressed = "";
				return;
			}
			pressed = "";
			event.preventDefault();
			current.current[found.name]?.();
		};
		document.addEventListener("keydown", onKey);
		return () => document.removeEventListener("keydown", onKey);
	}, [enabled]);
}
