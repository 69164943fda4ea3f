// SPDX-License-Identifier: Apache-2.0
// Acts that take more than one call.
import { ApiError, Unreachable } from "../lib/client";
import type { Client } from "../lib/client";
import { listAll } from "../lib/list";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const busyCodes = new Set(["EndpointOperationDenied", "EndpointLocked", "ConcurrentCallNotSupported", "EndpointConnectionOperationDenied", "EndpointDependenceViolation"]);
const busyTries = 40;

/** Repeats what the present state forbids while other changes of the object come to their end, and what got no answer. */
export async function whenFree<T>(act: () => Promise<T>): Promise<T> {
	for (let n = 1; ; n++) {
		try {
			return await act();
		} catch (error) {
			const passes = error instanceof Unreachable || (error instanceof ApiError && busyCodes.has(error.code));
			if (!passes || n === busyTries) throw error;
			await sleep(500);
		}
	}
}

interface Zone {
	ZoneId: string;
	ZoneStatus: string;
}

/** Removes the endpoint's zones, and the endpoint when they are gone: the API wants it in this order. */
export async function deleteEndpoint(client: Client, region: string, endpointId: string): Promise<void> {
	const question = { product: "privatelink", action: "ListVpcEndpointZones", params: { EndpointId: endpointId }, items: "Zones", region } as const;
	const zones = await whenFree(() => listAll<Zone>(client, question));
	for (const zone of zones.rows.filter((z) => z.ZoneStatus !== "Deleting")) {
		await whenFree(() => client.write("privatelink", "RemoveZoneFromVpcEndpoint", { EndpointId: endpointId, ZoneId: zone.ZoneId }, region));
	}
	await whenFree(() => client.write("privatelink", "DeleteVpcEndpoint", { EndpointId: endpointId }, region));
}
