// SPDX-License-Identifier: Apache-2.0
// Calls of the API. A call is signed anew each time it is sent. A changing call has a ClientToken and is sent again with the same one
// when its answer was lost, so that it is carried out once. A clock that is off is corrected from the first answer that says so.
import { flatten, formEncode } from "./encode";
import { parseJson } from "./json";
import { Link } from "./link";
import { sign } from "./sign";
import { stampOf } from "./time";

export type Params = Record<string, unknown>;
export type Product = "privatelink" | "vpc" | "ecs" | "nlb" | "slb" | "privlink" | "ram" | "sts" | "resourcemanager";

export const versions: Record<Product, string> = {
	privatelink: "2020-04-15",
	vpc: "2016-04-28",
	ecs: "2014-05-26",
	nlb: "2022-04-30",
	slb: "2014-05-15",
	privlink: "2026-11-01",
	ram: "2015-05-01",
	sts: "2015-04-01",
	resourcemanager: "2020-03-31",
};

/** An answer of the API that says no. `field` is the parameter at fault, where the code names one. */
export class ApiError extends Error {
	readonly field?: string;
	constructor(readonly code: string, message: string, readonly status: number, readonly requestId: string) {
		super(message);
		this.name = "ApiError";
		this.field = fieldOf(code);
	}
}

/** No answer came. Whether the call was carried out is not known. */
export class Unreachable extends Error {
	constructor() {
		super("privlinkd does not answer");
		this.name = "Unreachable";
	}
}

export interface Client {
	call<T = any>(product: Product, action: string, params: Params, region?: string): Promise<T>;
	write<T = any>(product: Product, action: string, params: Params, region?: string): Promise<T>;
}

export interface Credentials {
	id: string;
	key: CryptoKey;
}

/** What the client takes from outside; the page gives the browser's, tests give their own. */
export interface Surroundings {
	host: string;
	fetch: (url: string, init: RequestInit) => Promise<Response>;
	now: () => number;
	sleep: (ms: number) => Promise<void>;
	random: () => string;
	link: Link;
	/** Told of every changing call that succeeded, so that lists ask again at once. */
	wrote?: () => void;
	/** Told when the key is no longer taken. */
	refused?: (error: ApiError) => void;
}

const answerLimitMs = 30_000;
/** How long a changing call whose answer was lost is repeated. */
export const repeatLimitMs = 120_000;
const repeatPausesMs = [200, 500, 1000, 2000];
const throttledTries = 4;

const notFields = new Set(["NotFound", "Expired", "Format", "Malformed", "Duplicate", "User"]);

/** The parameter that an error's code names: `IllegalParamFormat.Zone.1.ip`, `MissingVpcId`, `InvalidParameter.CidrBlock`. */
export function fieldOf(code: string): string | undefined {
	const missing = /^Missing([A-Z]\w*)$/.exec(code);
	if (missing && missing[1] !== "Parameter") return missing[1];
	const dotted = /^(?:IllegalParamFormat|IllegalParam|MissingParam|MissingParameter|InvalidParam|InvalidParameter)\.(.+)$/.exec(code);
	if (dotted) return dotted[1];
	const inner = /^Invalid([A-Z]\w*)\.(\w+)$/.exec(code);
	return inner && notFields.has(inner[2] as string) ? inner[1] : undefined;
}

const keyRefusals = new Set(["InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive", "Forbidden.AccessKeyDisabled"]);

export class HttpClient implements Client {
	private clockOffsetMs = 0;
	private clockCorrected = false;

	constructor(private readonly credentials: Credentials, private readonly around: Surroundings) { }

	call<T = any>(product: Product, action: string, params: Params, region?: string): Promise<T> {
		return this.patiently(() => this.send<T>(product, action, withRegion(params, region)));
	}

	async write<T = any>(product: Product, action: string, params: Params, region?: string): Promise<T> {
		const all = withRegion({ ClientToken: this.around.random(), ...params }, region);
		const deadline = this.around.now() + repeatLimitMs;
		for (let n = 0; ; n++) {
			try {
				const answer = await this.patiently(() => this.send<T>(product, action, all));
				this.around.wrote?.();
				return answer;
			} catch (error) {
				if (!isWorthRepeating(error) || this.around.now() >= deadline) throw error;
				await this.around.sleep(repeatPausesMs[Math.min(n, repeatPausesMs.length - 1)] as number);
			}
		}
	}

	/** Waits out the answer "too many calls". */
	private async patiently<T>(send: () => Promise<T>): Promise<T> {
		for (let n = 1; ; n++) {
			try {
				return await send();
			} catch (error) {
				if (!(error instanceof ApiError) || !error.code.includes("Throttling") || n === throttledTries) throw error;
				await this.around.sleep(n * 500);
			}
		}
	}

	private async send<T>(product: Product, action: string, params: Params): Promise<T> {
		const offset = this.clockOffsetMs;
		const response = await this.post(product, action, formEncode(flatten(params)));
		const answer = await readAnswer(response);
		if (response.ok) return answer as T;
		const error = toError(response, answer);
		if (error.code.startsWith("InvalidTimeStamp") && this.correctClock(response, offset)) return this.send(product, action, params);
		if (keyRefusals.has(error.code)) this.around.refused?.(error);
		throw error;
	}

	private async post(product: Product, action: string, body: string): Promise<Response> {
		const headers = await sign(this.credentials.id, this.credentials.key, {
			method: "POST",
			path: "/",
			query: "",
			body,
			headers: {
				host: this.around.host,
				"content-type": "application/x-www-form-urlencoded",
				"x-acs-action": action,
				"x-acs-version": versions[product],
				"x-acs-date": stampOf(this.around.now() + this.clockOffsetMs),
				"x-acs-signature-nonce": this.around.random(),
			},
		});
		const abort = new AbortController();
		const limit = setTimeout(() => abort.abort(), answerLimitMs);
		try {
			const response = await this.around.fetch("/", {
				method: "POST", headers, body, signal: abort.signal, cache: "no-store", credentials: "omit", redirect: "error",
			});
			this.around.link.answered(this.around.now());
			return response;
		} catch {
			this.around.link.lost();
			throw new Unreachable();
		} finally {
			clearTimeout(limit);
		}
	}

	/** Whether the clock is another one now than when the call was sent: calls that were under way together are all sent again. */
	private correctClock(response: Response, sentWithMs: number): boolean {
		const date = Date.parse(response.headers.get("date") ?? "");
		if (this.clockOffsetMs !== sentWithMs) return true;
		if (this.clockCorrected || Number.isNaN(date)) return false;
		this.clockCorrected = true;
		this.clockOffsetMs = date - this.around.now();
		return this.clockOffsetMs !== sentWithMs;
	}
}

function withRegion(params: Params, region?: string): Params {
	return region ? { RegionId: region, ...params } : params;
}

/** Nothing is known of the first try, or it is still running. */
function isWorthRepeating(error: unknown): boolean {
	if (error instanceof Unreachable) return true;
	return error instanceof ApiError && (error.code === "IdempotenceProcessing" || error.status === 503);
}

async function readAnswer(response: Response): Promise<Record<string, unknown>> {
	let text: string;
	try {
		text = await response.text();
	} catch {
		throw new Unreachable();
	}
	try {
		return parseJson(text) as Record<string, unknown>;
	} catch {
		throw new ApiError("UnreadableAnswer", text.slice(0, 200), response.status, "");
	}
}

function toError(response: Response, answer: Record<string, unknown>): ApiError {
	const text = (name: string): string => (typeof answer[name] === "string" ? (answer[name] as string) : "");
	return new ApiError(text("Code") || "Unknown", text("Message"), response.status, text("RequestId"));
}
