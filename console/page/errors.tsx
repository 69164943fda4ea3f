// SPDX-License-Identifier: Apache-2.0
// What went wrong, in words, and views that say why they are empty.
import type { ReactNode } from "react";
import { ApiError, Unreachable } from "../lib/client";
import type { Texts } from "../text/en";
import { Button } from "../ui/button";
import { Empty } from "../ui/empty";
import type { EmptyKind } from "../ui/empty";
import { useText } from "./context";

export function errorText(error: unknown, text: Texts): string {
	if (error instanceof Unreachable) return text.errors.unreachable;
	if (error instanceof ApiError) return error.message ? `${error.message} (${error.code})` : error.code;
	return String(error);
}

/** The error's text where it concerns that field: `field("VpcId")`; whatever no field takes stands above the form. */
export function fieldError(error: unknown, field: string, text: Texts): string | undefined {
	if (!(error instanceof ApiError) || !error.field) return undefined;
	const concerns = error.field.toLowerCase() === field.toLowerCase() || error.field.toLowerCase().startsWith(`${field.toLowerCase()}.`);
	return concerns ? errorText(error, text) : undefined;
}

export function failureKind(error: unknown): EmptyKind | "error" {
	if (error instanceof Unreachable) return "unreachable";
	if (!(error instanceof ApiError)) return "error";
	if (error.status === 403 || /^(Forbidden|NoPermission)/.test(error.code)) return "forbidden";
	return /NotFound/.test(error.code) ? "notFound" : "error";
}

/** In place of what could not be shown. */
export function Failed({ error, reload, children }: { error: unknown; reload?: () => void; children?: ReactNode; }) {
	const t = useText();
	const kind = failureKind(error);
	const titles = { unreachable: t.errors.unreachableTitle, forbidden: t.errors.forbiddenTitle, notFound: t.errors.notFoundTitle, error: t.errors.errorTitle };
	const advice = { unreachable: t.errors.unreachableAdvice, forbidden: t.errors.forbiddenAdvice, notFound: t.errors.notFoundAdvice, error: t.errors.errorAdvice };
	const shown = kind === "nothing" || kind === "filtered" ? "error" : kind;
	const said = error instanceof ApiError ? <>{advice[shown]}<br /><span className="mono">{errorText(error, t)}</span></> : advice[shown];
	return (
		<Empty kind={shown === "error" ? "nothing" : shown} title={titles[shown]} text={said}>
			{reload && <Button icon="refresh" onClick={reload}>{t.common.tryAgain}</Button>}
			{children}
		</Empty>
	);
}
