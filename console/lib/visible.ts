// SPDX-License-Identifier: Apache-2.0
// Texts that others wrote, such that what one reads is what stands there.

const unseen = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Characters that turn the direction of a line, or that cannot be seen, by their numbers: `abc[U+202E]gnp.exe`. */
export function visible(text: string): string {
	return text.replace(unseen, (c) => `[U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
}
