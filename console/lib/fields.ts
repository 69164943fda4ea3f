// SPDX-License-Identifier: Apache-2.0
// A form as a table of fields: which values may not stand, what the call's parameters are, and at which field an error of the API belongs.
import type { ApiError, Params } from "./client";
import { check } from "./form";
import type { Rule, RuleKey } from "./form";

export type Values = Record<string, string>;

export interface FieldRules {
	/** The parameter that the field is. */
	name: string;
	optional?: boolean;
	rules?: Rule[];
	/** Codes of errors that concern the field without naming it. */
	codes?: RegExp;
}

/** What a value with several entries is made of. */
export const splitList = (value: string): string[] => value.split(",").filter(Boolean);

/** The fields whose values cannot be sent, and why. */
export function wrongFields(fields: readonly FieldRules[], values: Values): Record<string, RuleKey> {
	const wrong: Record<string, RuleKey> = {};
	for (const { name, optional, rules = [] } of fields) {
		const value = values[name] ?? "";
		const said = value.trim() === "" ? (optional ? null : "required") : check(value, ...rules);
		if (said) wrong[name] = said;
	}
	return wrong;
}

/** The parameters that the fields make; a field without a value makes none. */
export function paramsOf(fields: readonly FieldRules[], values: Values): Params {
	const params: Params = {};
	for (const { name } of fields) if (values[name]) params[name] = values[name];
	return params;
}

/** Whether an error is about that field: its code names the field, or is one of the field's own. */
export function concerns(field: FieldRules, error: ApiError): boolean {
	const name = field.name.toLowerCase();
	const named = error.field?.toLowerCase();
	if (named !== undefined && (named === name || named.startsWith(`${name}.`))) return true;
	const code = error.code.toLowerCase();
	return code === `invalid${name}` || code.startsWith(`invalid${name}.`) || (field.codes?.test(error.code) ?? false);
}
