// SPDX-License-Identifier: Apache-2.0
// ACS3-HMAC-SHA256, the header signature of the API's clients, by WebCrypto. The key is a CryptoKey that only signs: nothing can
// read it back, neither from memory nor from where the browser keeps it.

export interface Signed {
	method: string;
	path: string;
	/** Encoded and sorted already (formEncode). */
	query: string;
	body: string;
	/** Lower-case names; `host` among them, without x-acs-content-sha256. */
	headers: Record<string, string>;
}

const utf8 = new TextEncoder();

function hex(bytes: ArrayBuffer): string {
	return Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
}

export async function sha256(text: string): Promise<string> {
	return hex(await crypto.subtle.digest("SHA-256", utf8.encode(text)));
}

/** The secret as a key that signs and cannot be read. */
export function importKey(secret: string): Promise<CryptoKey> {
	return crypto.subtle.importKey("raw", utf8.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

export function canonical(request: Signed, bodyHash: string): { text: string; names: string; } {
	const headers: Record<string, string> = { ...request.headers, "x-acs-content-sha256": bodyHash };
	const sorted = Object.keys(headers).sort();
	const block = sorted.map((name) => `${name}:${(headers[name] as string).trim()}\n`).join("");
	const names = sorted.join(";");
	return { text: [request.method, request.path, request.query, block, names, bodyHash].join("\n"), names };
}

/** The headers to send: those of the request but `host`, the body's hash, and Authorization. */
export async function sign(keyId: string, key: CryptoKey, request: Signed): Promise<Record<string, string>> {
	const bodyHash = await sha256(request.body);
	const { text, names } = canonical(request, bodyHash);
	const mac = await crypto.subtle.sign("HMAC", key, utf8.encode(`ACS3-HMAC-SHA256\n${await sha256(text)}`));
	const { host: _, ...sent } = request.headers;
	return {
		...sent,
		"x-acs-content-sha256": bodyHash,
		authorization: `ACS3-HMAC-SHA256 Credential=${keyId},SignedHeaders=${names},Signature=${hex(mac)}`,
	};
}
