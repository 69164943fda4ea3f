// SPDX-License-Identifier: Apache-2.0
// What a person chose in this browser: language, colours, keys, region. A browser that keeps nothing has the defaults.

export interface Settings {
	language: "" | "en" | "zh";
	scheme: "" | "light" | "dark";
	keys: "on" | "off";
	region: string;
}

const defaults: Settings = { language: "", scheme: "", keys: "on", region: "" };

type Keep = Pick<Storage, "getItem" | "setItem">;

export function readSettings(keep: Keep): Settings {
	const read = { ...defaults };
	try {
		const kept = JSON.parse(keep.getItem("privlink.settings") ?? "{}") as Partial<Record<keyof Settings, unknown>>;
		if (kept.language === "en" || kept.language === "zh") read.language = kept.language;
		if (kept.scheme === "light" || kept.scheme === "dark") read.scheme = kept.scheme;
		if (kept.keys === "off") read.keys = "off";
		if (typeof kept.region === "string") read.region = kept.region;
	} catch {
		// As if nothing had been kept.
	}
	return read;
}

export function writeSettings(keep: Keep, settings: Settings): void {
	try {
		keep.setItem("privlink.settings", JSON.stringify(settings));
	} catch {
		// It holds until the page is closed.
	}
}
