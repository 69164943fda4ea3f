// SPDX-License-Identifier: Apache-2.0
// The console's modules for tests: all of lib and the texts, bundled by esbuild into one file in a temporary folder.
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const root = path.resolve(__dirname, "../../console");
/** Where the build keeps what it makes for the console. */
const build = process.env.BUILD ?? path.resolve(root, "../build");

/** Files of a folder of the console, from its root. */
function sources(folder = "") {
	return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
		const name = path.join(folder, entry.name);
		return entry.isDirectory() ? sources(name) : /\.tsx?$/.test(name) ? [name] : [];
	});
}

function bundle(names) {
	const place = fs.mkdtempSync(path.join(os.tmpdir(), "privlink-console-"));
	try {
		const out = path.join(place, "modules.cjs");
		const input = names.map((name) => `export * as ${path.basename(name, path.extname(name)).replace(/\W/g, "_")} from "./${name}";`).join("\n");
		execFileSync("esbuild", ["--bundle", "--platform=node", "--format=cjs", "--log-level=warning", "--loader=ts", `--outfile=${out}`],
			{ cwd: root, input, stdio: ["pipe", "inherit", "inherit"], env: { ...process.env, NODE_PATH: build } });
		return require(out);
	} finally {
		fs.rmSync(place, { recursive: true });
	}
}

// Node 18 has WebCrypto, but not as a global name.
globalThis.crypto ??= require("node:crypto").webcrypto;

module.exports = { root, build, sources, load: () => bundle([...sources("lib"), "text/en.ts", "text/zh.ts"]) };
