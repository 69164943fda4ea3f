// SPDX-License-Identifier: Apache-2.0
// Who is logged in. The secret becomes a key that signs and cannot be read, and is forgotten. "Stay logged in" keeps that key in
// IndexedDB, for at most 8 hours; logging out deletes it, in every tab.
import type { Client, Credentials } from "./client";
import { ApiError } from "./client";
import { importKey } from "./sign";

export interface Identity {
	accountId: string;
	userId: string;
	type: string;
	arn: string;
	isAdmin: boolean;
}

export interface Session extends Credentials {
	/** When it ends, in ms since 1970. */
	until: number;
}

export const sessionMs = 8 * 3600_000;

export async function newSession(id: string, secret: string, now: number): Promise<Session> {
	return { id, key: await importKey(secret), until: now + sessionMs };
}

/** Who one is, as the API says; whether one administrates is seen from what one may list. */
export async function whoAmI(client: Client): Promise<Identity> {
	const said = await client.call<Record<string, string>>("sts", "GetCallerIdentity", {});
	return {
		accountId: String(said["AccountId"] ?? ""),
		userId: String(said["UserId"] ?? ""),
		type: String(said["IdentityType"] ?? ""),
		arn: String(said["Arn"] ?? ""),
		isAdmin: await mayAdministrate(client),
	};
}

async function mayAdministrate(client: Client): Promise<boolean> {
	try {
		await client.call("privlink", "ListAccounts", { MaxResults: 1 });
		return true;
	} catch (error) {
		if (error instanceof ApiError && error.status === 403) return false;
		throw error;
	}
}

const databaseName = "privlink";
const storeName = "session";
const onlyKey = "current";

function open(): Promise<IDBDatabase> {
	return new Promise((resolve, reject) => {
		const request = indexedDB.open(databaseName, 1);
		request.onupgradeneeded = () => request.result.createObjectStore(storeName);
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}

async function inStore<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
	const database = await open();
	try {
		return await new Promise<T>((resolve, reject) => {
			const transaction = database.transaction(storeName, mode);
			const request = act(transaction.objectStore(storeName));
			transaction.oncomplete = () => resolve(request.result);
			transaction.onabort = transaction.onerror = () => reject(transaction.error);
		});
	} finally {
		database.close();
	}
}

export async function keepSession(session: Session): Promise<void> {
	await inStore("readwrite", (store) => store.put(session, onlyKey));
}

/** The kept session, unless its time is over: then it is deleted. */
export async function readSession(now: number): Promise<Session | null> {
	try {
		const session = (await inStore<Session | undefined>("readonly", (store) => store.get(onlyKey))) ?? null;
		if (session && session.until > now && session.until <= now + sessionMs) return session;
		if (session) await forgetSession();
	} catch {
		// A browser that keeps nothing (a private window) has no session to give.
	}
	return null;
}

export async function forgetSession(): Promise<void> {
	try {
		await inStore("readwrite", (store) => store.delete(onlyKey));
	} catch {
		// Nothing was kept.
	}
}
