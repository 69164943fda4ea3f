// SPDX-License-Identifier: Apache-2.0
// A call of the API as text to take along: the request itself, a line for `privlink`, one for `aliyun`, and Terraform. All are the same
// call: each, run, makes the same object. None has the ClientToken of the form beside it, of which it would be a repetition.
import { aliyunLine, privlinkLine } from "./command_line";
import type { ApiCall, Server } from "./command_line";
import { versions } from "./client";
import { flatten, formEncode } from "./encode";
import { terraformText } from "./terraform";

export type { ApiCall, Server } from "./command_line";

export interface CallTexts {
	/** The request as it goes over the wire, for any client to sign. */
	api: string;
	/** Its parameters, flat and readable. */
	parameters: [string, string][];
	privlink: string;
	/** Null: aliyun knows nothing of it. */
	aliyun: string | null;
	/** Null: the call makes nothing that the provider has a resource for. */
	terraform: string | null;
}

function requestText(call: ApiCall, parameters: Record<string, string>, host: string): string {
	return [
		"POST / HTTP/1.1",
		`host: ${host}`,
		"content-type: application/x-www-form-urlencoded",
		`x-acs-action: ${call.action}`,
		`x-acs-version: ${versions[call.product]}`,
		"",
		formEncode(parameters),
	].join("\n");
}

export function describeCall(call: ApiCall, server?: Server): CallTexts {
	const { ClientToken: _token, ...params } = call.params;
	const parameters = flatten({ RegionId: call.region || undefined, ...params });
	return {
		api: requestText(call, parameters, server?.host ?? "localhost"),
		parameters: Object.entries(parameters),
		privlink: privlinkLine(call),
		aliyun: aliyunLine(call, server),
		terraform: terraformText(call),
	};
}
