// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";
import { Icon } from "./icon";
import { useWords } from "./words";

/** Copies a text; `label` says what it is. Shows words with `words`, else the icon alone. */
export function CopyButton({ text, label, words }: { text: string; label?: string; words?: boolean; }) {
	const say = useWords();
	const [copied, setCopied] = useState(false);
	useEffect(() => {
		if (!copied) return;
		const timer = setTimeout(() => setCopied(false), 1500);
		return () => clearTimeout(timer);
	}, [copied]);
	const name = label ? `${say.copy}: ${label}` : say.copy;
	return (
		<button type="button" className={words ? "button normal" : "copy"} aria-label={name} title={copied ? say.copied : name} onClick={() => void copyText(text).then(setCopied)}>
			<Icon name={copied ? "check" : "copy"} />
			{words && (copied ? say.copied : say.copy)}
			{copied && !words && <span className="hidden" role="status">{say.copied}</span>}
		</button>
	);
}

/** Whether it could be copied: a page without a secure context has to do it the old way. */
async function copyText(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		const area = document.createElement("textarea");
		area.value = text;
		area.className = "hidden";
		document.body.append(area);
		area.select();
		const done = document.execCommand("copy");
		area.remove();
		return done;
	}
}

/** A text that one wants to take along: an id, an address, a name. */
export function Copied({ text, label }: { text: string; label?: string; }) {
	return (
		<span className="copied">
			<span className="mono">{text}</span>
			<CopyButton text={text} label={label ?? text} />
		</span>
	);
}
