// SPDX-License-Identifier: Apache-2.0
// Each way to break a link (../path/cases.json), as the page of the endpoint shows it: the answer that the API gives in that case is
// given to the page, which must say the same cause in the same words and offer the same fix.
"use strict";

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { home, login, open, picture, start, stop } = require("./browser");
const { makeEndpoint, makeGroup, makeVpc, makeVswitch, region, until } = require("./calls");

const file = path.join(process.env.PRIVLINK_LAB, "answers.json");
let view, page, endpoint, current;

before(async () => {
	execFileSync(path.join(__dirname, "../path/cases.py"), ["--answers", file], { env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" } });
	await start();
	const vpc = await makeVpc("consumer");
	const vswitch = await makeVswitch("consumer", vpc, "cn-hangzhou-h", "10.0.1.0/24");
	endpoint = await makeEndpoint("consumer", vpc, { "cn-hangzhou-h": vswitch }, await makeGroup("consumer", vpc, "endpoint"), { ServiceName: `com.aliyuncs.privatelink.${region}.pai-dlc` });
	view = await open();
	page = view.page;
	await page.route((url) => url.pathname === "/", async (route) => {
		if (route.request().headers()["x-acs-action"] !== "GetEndpointPath" || !current) return route.continue();
		return route.fulfill({ json: current });
	});
	await login(page, process.env.CONSUMER_AK, process.env.CONSUMER_SK, `${region}/endpoints/${endpoint}/path`);
	await page.getByRole("table", { name: /path/i }).waitFor();
});

after(async () => {
	await view?.close();
	await stop();
});

test("every case is shown as the API says it", async () => {
	const cases = JSON.parse(fs.readFileSync(file, "utf8"));
	assert.ok(cases.length >= 60, `${cases.length} cases`);
	for (const [i, { name, cause, fix, answer }] of cases.entries()) {
		current = answer;
		// Another question, so that the page asks at once.
		await Promise.all([
			page.waitForResponse((response) => response.request().headers()["x-acs-action"] === "GetEndpointPath"),
			page.goto(`${home}#/${region}/endpoints/${endpoint}/path?port=${1000 + i}`),
		]);
		if (cause) await page.getByText(answer.Cause.Text, { exact: true }).first().waitFor();
		else assert.equal(answer.Cause, undefined, name);
		const table = page.getByRole("table", { name: /path/i });
		for (const hop of answer.Hops) await table.getByText(hop.Text, { exact: true }).first().waitFor();
		await until(`${name}: the fix`, async () => await page.getByRole("button", { name: "Fix…" }).count() === (fix ? 1 : 0));
		if (fix && i % 8 === 0) {
			await page.getByRole("button", { name: "Fix…" }).click();
			const dialog = page.getByRole("dialog");
			await dialog.getByText(`${answer.Fix.Product} ${answer.Fix.Version} ${answer.Fix.Action}`, { exact: true }).waitFor();
			for (const value of Object.values(answer.Fix.Parameters)) assert.ok(await dialog.getByText(String(value), { exact: true }).count() > 0, `${name}: ${value}`);
			await page.keyboard.press("Escape");
		}
	}
	await picture(page, "path-case");
});
