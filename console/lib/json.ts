// SPDX-License-Identifier: Apache-2.0
// JSON whose whole numbers can have 18 digits (ids of users): those that a double cannot hold become texts.

const longNumber = /[:,[]\s*-?\d{16,}/;
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

export function parseJson(text: string): unknown {
	if (!longNumber.test(text)) return JSON.parse(text);
	return JSON.parse(text.replace(stringOrNumber, (m) => (m[0] === '"' || Number.isSafeInteger(Number(m)) ? m : `"${m}"`)));
}
