// SPDX-License-Identifier: Apache-2.0
// "As code": what a form or an act is about to do, as text for other clients.
import { useEffect, useState } from "react";
import type { ApiCall, CallTexts, describeCall } from "../lib/copy";
import type { Texts } from "../text/en";
import { CodeBlock } from "../ui/code";
import { Icon } from "../ui/icon";
import { Name } from "../ui/name";
import { Tabs } from "../ui/tabs";
import { useText } from "./context";
import { part } from "./late";

const forms = ["privlink", "aliyun", "terraform", "api"] as const;
type FormName = (typeof forms)[number];

const titles: Record<FormName, string> = { privlink: "privlink", aliyun: "aliyun", terraform: "Terraform", api: "API" };

/** What was looked at last stands open the next time. */
let latest: FormName = "privlink";

const server = { host: location.host, isPlain: location.protocol === "http:" };

/** One text of all calls, or null where there is none for any of them. */
function joined(all: CallTexts[], form: FormName): string | null {
	const texts = all.map((texts) => texts[form]).filter((text): text is string => text !== null);
	return texts.length > 0 ? texts.join(form === "api" || form === "terraform" ? "\n\n" : "\n") : null;
}

function Parameters({ all, t }: { all: CallTexts[]; t: Texts; }) {
	const rows = all.flatMap((texts) => texts.parameters).slice(0, 60);
	return (
		<details className="parameters">
			<summary>{t.code.parameters}</summary>
			<dl>
				{rows.map(([name, value], i) => (
					<div key={i}>
						<dt className="mono">{name}</dt>
						<dd className="mono"><Name text={value} /></dd>
					</div>
				))}
			</dl>
		</details>
	);
}

/** The tables of other clients' words come when they are wanted. */
function useDescribe(): typeof describeCall | null {
	const [describe, setDescribe] = useState<typeof describeCall | null>(null);
	useEffect(() => {
		let gone = false;
		void part(() => import("../lib/copy")).then((module) => { if (!gone) setDescribe(() => module.describeCall); });
		return () => { gone = true; };
	}, []);
	return describe;
}

function Body({ calls }: { calls: ApiCall[]; }) {
	const t = useText();
	const [form, setForm] = useState(latest);
	const describe = useDescribe();
	if (!describe) return <p className="loading">{t.common.loading}</p>;
	const all = calls.map((call) => describe(call, server));
	const text = joined(all, form);
	const hints: Record<FormName, string> = { privlink: t.code.privlinkHint, aliyun: t.code.aliyunHint, terraform: t.code.terraformHint, api: t.code.apiHint };
	const none: Record<FormName, string> = { privlink: "", aliyun: t.code.noAliyun, terraform: t.code.noTerraform, api: "" };
	const select = (key: string): void => setForm(latest = key as FormName);
	return (
		<Tabs label={t.code.title} tabs={forms.map((key) => ({ key, title: titles[key] }))} active={form} onSelect={select}>
			<p className="hint">{text === null ? none[form] : hints[form]}</p>
			{text !== null && <CodeBlock text={text} label={titles[form]} wrapped={form === "api"} />}
			{form === "api" && <Parameters all={all} t={t} />}
		</Tabs>
	);
}

/** Stands beside a form or an act. `calls`: what it would ask of the API, in this order. */
export function CopyCall({ calls }: { calls: ApiCall | ApiCall[]; }) {
	const t = useText();
	const [isOpen, setOpen] = useState(false);
	return (
		<details className="as-code" onToggle={(event) => { if (event.target === event.currentTarget) setOpen(event.currentTarget.open); }}>
			<summary><Icon name="code" />{t.code.title}</summary>
			{isOpen && <Body calls={Array.isArray(calls) ? calls : [calls]} />}
		</details>
	);
}
