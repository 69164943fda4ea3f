// SPDX-License-Identifier: Apache-2.0
// Logging in by access key. Without a secure context the browser cannot sign; then the page says why and how to come here safely.
import { useState } from "react";
import { ApiError } from "../lib/client";
import { tunnel } from "../lib/tunnel";
import type { Texts } from "../text/en";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { Checkbox, Field } from "../ui/field";
import { errorText } from "./errors";

export interface LoginProps {
	text: Texts;
	keyId: string;
	/** Why one is here again: the session ended, the key was refused. */
	notice?: string;
	login: (id: string, secret: string, stay: boolean) => Promise<void>;
}

export function LoginPage({ text: t, keyId, notice, login }: LoginProps) {
	return (
		<main className="login" id="main">
			<div className="login-box">
				<Mark />
				<h1 tabIndex={-1}>{t.login.title}</h1>
				<p className="muted">{t.login.intro}</p>
				{notice && <Banner kind="warn">{notice}</Banner>}
				{canSign() ? <LoginForm key={keyId} text={t} keyId={keyId} login={login} /> : <Insecure text={t} />}
			</div>
		</main>
	);
}

const canSign = (): boolean => typeof crypto !== "undefined" && crypto.subtle !== undefined;

function LoginForm({ text: t, keyId, login }: Pick<LoginProps, "text" | "keyId" | "login">) {
	const [id, setId] = useState(keyId);
	const [secret, setSecret] = useState("");
	const [stay, setStay] = useState(false);
	const [busy, setBusy] = useState(false);
	const [tried, setTried] = useState(false);
	const [error, setError] = useState<unknown>();
	const submit = async (): Promise<void> => {
		setTried(true);
		if (!id.trim() || !secret.trim()) return;
		setBusy(true);
		setError(undefined);
		try {
			await login(id.trim(), secret.trim(), stay);
		} catch (failure) {
			setError(failure);
			setBusy(false);
		}
	};
	const code = error instanceof ApiError ? error.code : "";
	const isId = code.startsWith("InvalidAccessKeyId");
	const isSecret = code === "SignatureDoesNotMatch" || code === "IncompleteSignature";
	const missing = (value: string): string | undefined => (tried && !value.trim() ? t.rules.required : undefined);
	return (
		<form noValidate onSubmit={(event) => { event.preventDefault(); void submit(); }}>
			{error !== undefined && !isId && !isSecret && <Banner kind="bad">{errorText(error, t)}</Banner>}
			<Field label={t.login.keyId} error={missing(id) ?? (isId ? t.login.unknownKey : undefined)}>
				<input value={id} onChange={(event) => setId(event.target.value)} autoComplete="username" spellCheck={false} autoFocus={!keyId} />
			</Field>
			<Field label={t.login.secret} hint={t.login.secretHint} error={missing(secret) ?? (isSecret ? t.login.wrongSecret : undefined)}>
				<input type="password" value={secret} onChange={(event) => setSecret(event.target.value)} autoComplete="current-password" autoFocus={!!keyId} />
			</Field>
			<Checkbox label={t.login.stay} hint={t.login.stayHint} checked={stay} onChange={setStay} />
			<Button kind="primary" type="submit" busy={busy}>{t.login.login}</Button>
		</form>
	);
}

function Insecure({ text: t }: { text: Texts; }) {
	const { command, address } = tunnel(location);
	return (
		<div className="insecure">
			<Banner kind="bad">{t.login.insecure}</Banner>
			<p>{t.login.insecureWhy}</p>
			<p>{t.login.insecureDo}</p>
			<div className="code-line"><code>{command}</code><CopyButton text={command} label="ssh" /></div>
			<p>{t.login.insecureThen}</p>
			<div className="code-line"><code>{address}</code><CopyButton text={address} label={t.login.address} /></div>
			<p className="muted">{t.login.insecureHttps}</p>
		</div>
	);
}

export function Mark() {
	return (
		<svg className="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
			<circle cx="5.5" cy="12" r="3.5" />
			<circle cx="18.5" cy="12" r="3.5" />
			<path d="M9 12h6" />
		</svg>
	);
}
