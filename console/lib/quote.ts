// SPDX-License-Identifier: Apache-2.0
// Texts of any kind as words of a shell's line and as strings of HCL.

/** A word of a POSIX shell's line. What ids, addresses and the API's words are made of needs no quotes. */
export function shellWord(text: string): string {
	if (/^[A-Za-z0-9_./:@%+,-][A-Za-z0-9_./:=@%+,-]*$/.test(text)) return text;
	return `'${text.replace(/'/g, "'\\''")}'`;
}

/** Words as a line, or as several that a shell joins: `groups` stay together on a line each. */
export function shellLine(groups: string[][]): string {
	const lines = groups.map((words) => words.map(shellWord).join(" "));
	const line = lines.join(" ");
	return line.length <= 80 && !line.includes("\n") ? line : lines.join(" \\\n  ");
}

const hclEscapes: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\"": "\\\"", "\\": "\\\\" };

/** A string of HCL. Nothing in it is a template; what cannot be seen or turns the direction of a line is written by its number. */
export function hclString(text: string): string {
	const inner = text
		.replace(/[\n\r\t"\\]/g, (c) => hclEscapes[c] as string)
		.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"))
		.replace(/[$%](?=\{)/g, (c) => c + c);
	return `"${inner}"`;
}
