// SPDX-License-Identifier: Apache-2.0
import { CopyButton } from "./copy";

/** Text for another program, to read and to copy. What turns the direction of a line stays inside. */
export function CodeBlock({ text, label, wrapped }: { text: string; label: string; wrapped?: boolean; }) {
	return (
		<div className="code-block">
			<pre className={wrapped ? "wrapped" : ""} tabIndex={0} role="region" aria-label={label} dir="ltr">{text}</pre>
			<CopyButton text={text} label={label} />
		</div>
	);
}
