// SPDX-License-Identifier: Apache-2.0
// Acts on a service that take more than one call.
import type { Client } from "../lib/client";
import { listAll } from "../lib/list";
import { whenFree } from "./acts";
import type { Resource } from "./provider";

/** Takes its load balancers away, and the service when they are gone: the API wants it in this order. */
export async function deleteService(client: Client, region: string, id: string): Promise<void> {
	const { rows } = await listAll<Resource>(client, { product: "privatelink", action: "ListVpcEndpointServiceResources", params: { ServiceId: id }, items: "Resources", size: 50, region });
	for (const { ResourceId, ResourceType, ZoneId } of rows)
		await whenFree(() => client.write("privatelink", "DetachResourceFromVpcEndpointService", { ServiceId: id, ResourceId, ResourceType, ZoneId }, region));
	await whenFree(() => client.write("privatelink", "DeleteVpcEndpointService", { ServiceId: id }, region));
}
