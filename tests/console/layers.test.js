// SPDX-License-Identifier: Apache-2.0
// The console's sources by their text: imports point one way, every text is used, nothing asks for what the policy refuses.
const test = require("node:test");
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { root, sources, load } = require("./load");

const files = sources().map((name) => ({ name, text: fs.readFileSync(path.join(root, name), "utf8") }));
const layerOf = (name) => (name.includes("/") ? name.split("/")[0] : "main");

/** Which layers, and which packages, a layer may import. */
const may = {
	lib: { layers: ["lib"], packages: ["console/commands.json"] },
	text: { layers: ["text"], packages: [] },
	ui: { layers: ["lib", "ui"], packages: ["react", "d3-shape"] },
	page: { layers: ["lib", "ui", "text", "page"], packages: ["react"] },
	main: { layers: ["page"], packages: ["react-dom/client"] },
};

function importsOf({ name, text }) {
	return [...text.matchAll(/^(?:import|export)\b(?:[^;"]*\bfrom)? "([^"]+)";?$/gm)].map(([, from]) =>
		from.startsWith(".") ? { file: path.join(path.dirname(name), from) } : { package: from });
}

function wrongImports(file) {
	const allowed = may[layerOf(file.name)];
	return importsOf(file).filter((entry) => (entry.package ? !allowed.packages.includes(entry.package) : entry.file !== "style.css" && !allowed.layers.includes(layerOf(entry.file))))
		.map((entry) => `${file.name} imports ${entry.package ?? entry.file}`);
}

test("imports point one way: lib and text, ui, page", () => {
	assert.deepStrictEqual(files.flatMap(wrongImports), []);
	assert.ok(files.flatMap(importsOf).length > 100, "imports were found");
});

test("an import the wrong way would be found", () => {
	assert.deepStrictEqual(wrongImports({ name: "lib/a.ts", text: 'import { x } from "../ui/b";\nimport type { y } from "react";\nexport * from "./c";\n' }),
		["lib/a.ts imports ui/b", "lib/a.ts imports react"]);
});

/** Imports in a circle: modules that cannot be understood one by one. */
test("no modules import each other in a circle", () => {
	const graph = new Map(files.map((file) => [file.name.replace(/\.tsx?$/, ""), importsOf(file).map((entry) => entry.file).filter(Boolean)]));
	const done = new Set();
	const visit = (name, trail) => {
		assert.ok(!trail.includes(name), `${trail.join(" → ")} → ${name}`);
		if (done.has(name)) return;
		for (const next of graph.get(name) ?? []) visit(next, [...trail, name]);
		done.add(name);
	};
	for (const name of graph.keys()) visit(name, []);
});

function* leaves(texts, place = []) {
	for (const [key, value] of Object.entries(texts)) {
		if (typeof value === "object") yield* leaves(value, [...place, key]);
		else yield [...place, key];
	}
}

/**
 * A text is used where a file names its group and itself: `t.endpoints.title`. A group that is looked up by a word of the
 * API (`t.states[…]`, or handed over as a whole) is used as a whole.
 */
function isUsed([...place], users) {
	const key = place.pop();
	const group = place.join("\\.");
	const whole = new RegExp(`\\.${group}(?:\\[|\\b(?!\\.))`);
	const named = new RegExp(`\\.${group}\\b`);
	const self = new RegExp(`\\.${key}\\b`);
	return users.some((text) => whole.test(text) || (named.test(text) && self.test(text)));
}

test("every text is used somewhere", () => {
	const { en } = load();
	const users = files.filter((file) => layerOf(file.name) === "page").map((file) => file.text);
	const all = [...leaves(en.en)];
	assert.ok(all.length > 100);
	assert.deepStrictEqual(all.filter((place) => place[0] !== "ui" && !isUsed(place, users)).map((place) => place.join(".")), []);
	assert.ok(!isUsed(["frame", "nobody"], users), "one that nobody uses would be found");
});

test("every word that widgets say is used by one", () => {
	const { en } = load();
	const users = files.filter((file) => layerOf(file.name) !== "text").map((file) => file.text);
	assert.deepStrictEqual(Object.keys(en.en.ui).filter((key) => !users.some((text) => new RegExp(`\\b(?:words|say|ui)\\.${key}\\b`).test(text))), []);
});

test("the Chinese texts are Chinese, and take what the English ones take", () => {
	const { en, zh } = load();
	const get = (texts, place) => place.reduce((value, key) => value[key], texts);
	const names = new Set(["AccessKey ID", "AccessKey Secret"]);
	for (const place of leaves(en.en)) {
		const [a, b] = [get(en.en, place), get(zh.zh, place)];
		assert.strictEqual(typeof b, typeof a, place.join("."));
		const [english, said] = [a, b].map((text) => (typeof text === "function" ? text(...Array(a.length).fill("x")) : text));
		const isName = names.has(said) || (said === english && /^[A-Z][\w .,:/-]{0,19}$/.test(said));
		assert.ok(/[\u4e00-\u9fff]/.test(said) || isName, `${place.join(".")}: ${said}`);
	}
});

test("the style sheet nests nothing and fetches nothing", () => {
	const css = fs.readFileSync(path.join(root, "style.css"), "utf8").replace(/\/\*[^]*?\*\//g, "");
	assert.doesNotMatch(css, /url\(|@import/);
	let depth = 0;
	let media = 0;
	for (const [, before, mark] of css.matchAll(/([^{}]*)([{}])/g)) {
		if (mark === "}") {
			depth--;
			media = Math.min(media, depth);
			continue;
		}
		if (/@(media|keyframes|supports)/.test(before)) media++;
		else assert.ok(depth === media, `nested: ${before.trim()}`);
		depth++;
	}
	assert.strictEqual(depth, 0);
});

test("nothing writes HTML by hand or evaluates text, and every source says its licence", () => {
	for (const { name, text } of files) {
		assert.doesNotMatch(text, /innerHTML|outerHTML|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, name);
		assert.ok(text.startsWith("// SPDX-License-Identifier: Apache-2.0\n"), name);
	}
	assert.doesNotMatch(fs.readFileSync(path.join(root, "index.html"), "utf8"), / style=|<style|<script(?![^>]* src=)| on\w+=/);
});
