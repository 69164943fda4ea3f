// SPDX-License-Identifier: Apache-2.0
// Compares the texts of two languages: console_texts.mjs EN.mjs OTHER.mjs. Each text of the one must be in the other, nothing
// else may be, and none may be empty.
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const load = async (file) => Object.values(await import(pathToFileURL(file).href))[0];
const kindOf = (value) => (typeof value === "object" ? "group" : typeof value);

function* compare(wanted, got, place) {
	for (const key of Object.keys(wanted)) {
		const path = [...place, key];
		if (!Object.hasOwn(got, key))
			yield `${path.join(".")} is missing`;
		else if (kindOf(got[key]) !== kindOf(wanted[key]))
			yield `${path.join(".")} is a ${kindOf(got[key])} and should be a ${kindOf(wanted[key])}`;
		else if (kindOf(wanted[key]) === "group")
			yield* compare(wanted[key], got[key], path);
		else if (got[key] === "")
			yield `${path.join(".")} is empty`;
	}
	for (const key of Object.keys(got))
		if (!Object.hasOwn(wanted, key))
			yield `${[...place, key].join(".")} is not wanted`;
}

const [en, other] = process.argv.slice(2);
const language = basename(other).replace(/\.mjs$/, "");
let bad = 0;
for (const fault of compare(await load(en), await load(other), [])) {
	console.error(`console/text/${language}.ts: ${fault}`);
	bad++;
}
process.exit(bad > 0 ? 1 : 0);
