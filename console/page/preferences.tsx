// SPDX-License-Identifier: Apache-2.0
// Language and colours, before the login and in the account's menu.
import type { Settings } from "../lib/settings";
import type { Texts } from "../text/en";

export function Preferences({ text, settings, setSettings }: { text: Texts; settings: Settings; setSettings: (change: Partial<Settings>) => void; }) {
	return (
		<>
			<label>
				<span className="label">{text.frame.language}</span>
				<select value={settings.language} onChange={(event) => setSettings({ language: event.target.value as Settings["language"] })}>
					<option value="">{text.frame.asBrowser}</option>
					<option value="en" lang="en">English</option>
					<option value="zh" lang="zh-CN">中文</option>
				</select>
			</label>
			<label>
				<span className="label">{text.frame.scheme}</span>
				<select value={settings.scheme} onChange={(event) => setSettings({ scheme: event.target.value as Settings["scheme"] })}>
					<option value="">{text.frame.asSystem}</option>
					<option value="light">{text.frame.light}</option>
					<option value="dark">{text.frame.dark}</option>
				</select>
			</label>
		</>
	);
}
