// SPDX-License-Identifier: Apache-2.0
// Parameters as the API's clients write them: flattened with dots and counters from 1, percent-encoded without exception.

/** Percent-encodes UTF-8; what stays is A-Z a-z 0-9 - _ . ~ and nothing else. */
export function encode(text: string): string {
	return encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
}

/** `{Zone: [{ZoneId: "h"}]}` becomes `{"Zone.1.ZoneId": "h"}`. What is undefined or null is left out; an empty text is a value. */
export function flatten(params: Record<string, unknown>): Record<string, string> {
	const flat: Record<string, string> = {};
	const put = (name: string, value: unknown): void => {
		if (value === undefined || value === null) return;
		if (Array.isArray(value)) value.forEach((entry, i) => put(`${name}.${i + 1}`, entry));
		else if (typeof value === "object") for (const [key, entry] of Object.entries(value as object)) put(`${name}.${key}`, entry);
		else flat[name] = String(value);
	};
	for (const [name, value] of Object.entries(params)) put(name, value);
	return flat;
}

/** `name=value&…`, sorted by name in byte order, as the signature and the wire want it. */
export function formEncode(flat: Record<string, string>): string {
	return Object.keys(flat)
		.sort()
		.map((name) => `${encode(name)}=${encode(flat[name] as string)}`)
		.join("&");
}
