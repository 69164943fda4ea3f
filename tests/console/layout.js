// SPDX-License-Identifier: Apache-2.0
// The layout of the console's sources, as TypeScript's own formatter has it: tabs, semicolons, blanks inside braces.
//
//     layout.js console tests/console            a TAP line for each file
//     layout.js --fix console tests/console      puts them right
const fs = require("node:fs");
const path = require("node:path");
const ts = require("/usr/share/nodejs/typescript");

const settings = {
	indentSize: 4, tabSize: 4, convertTabsToSpaces: false, newLineCharacter: "\n", semicolons: "insert",
	insertSpaceAfterCommaDelimiter: true, insertSpaceAfterSemicolonInForStatements: true, insertSpaceBeforeAndAfterBinaryOperators: true,
	insertSpaceAfterKeywordsInControlFlowStatements: true, insertSpaceAfterFunctionKeywordForAnonymousFunctions: true,
	insertSpaceAfterOpeningAndBeforeClosingNonemptyBraces: true, insertSpaceBeforeFunctionParenthesis: false,
};

function filesOf(place) {
	if (!fs.statSync(place).isDirectory()) return [place];
	return fs.readdirSync(place).filter((name) => name !== "node_modules").flatMap((name) => filesOf(path.join(place, name))).filter((name) => /\.(tsx?|js)$/.test(name)).sort();
}

function formatted(name, text) {
	const host = {
		getCompilationSettings: () => ({ allowJs: true }), getScriptFileNames: () => [name], getScriptVersion: () => "1",
		getScriptSnapshot: () => ts.ScriptSnapshot.fromString(text), getCurrentDirectory: () => "", getDefaultLibFileName: () => "",
		fileExists: () => false, readFile: () => "",
	};
	const edits = ts.createLanguageService(host).getFormattingEditsForDocument(name, settings);
	return edits.sort((a, b) => b.span.start - a.span.start)
		.reduce((out, { span, newText }) => out.slice(0, span.start) + newText + out.slice(span.start + span.length), text);
}

const fix = process.argv.includes("--fix");
let bad = 0;
const files = process.argv.slice(2).filter((name) => name !== "--fix").flatMap(filesOf);
files.forEach((name, i) => {
	const text = fs.readFileSync(name, "utf8");
	const wanted = formatted(name, text);
	const lines = text.split("\n");
	const at = wanted.split("\n").findIndex((line, n) => line !== lines[n]);
	if (fix && wanted !== text) fs.writeFileSync(name, wanted);
	if (!fix && wanted !== text) bad++;
	if (!fix) console.log(`${wanted === text ? "ok" : "not ok"} ${i + 1} - ${name}${wanted === text ? "" : `: line ${at + 1}`}`);
});
if (!fix) console.log(`1..${files.length}`);
process.exit(bad > 0 ? 1 : 0);
