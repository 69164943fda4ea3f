// SPDX-License-Identifier: Apache-2.0
// Forms from tables of fields: checks while one types, errors of the API at their field, and the call they make.
import { useRef, useState } from "react";
import type { FormEvent, ReactElement, ReactNode } from "react";
import { visible } from "../lib/visible";
import { ApiError } from "../lib/client";
import type { Params, Product } from "../lib/client";
import { concerns, paramsOf, splitList, wrongFields } from "../lib/fields";
import type { FieldRules, Values } from "../lib/fields";
import { checkTag, tagLimit } from "../lib/form";
import type { Tag } from "../lib/form";
import { Name } from "../ui/name";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Combobox } from "../ui/combobox";
import type { ComboOption } from "../ui/combobox";
import { Dialog } from "../ui/dialog";
import { Checkbox, Choice, Field, Select } from "../ui/field";
import { Icon } from "../ui/icon";
import { TagEditor } from "../ui/tags";
import { useApp, useText, useTitle } from "./context";
import type { Change } from "./context";
import { CopyCall } from "./copy_call";
import { errorText } from "./errors";
import { PageHead } from "./head";
import { Link } from "./link";

export interface FormField extends FieldRules {
	label: string;
	/** `many` takes several of its options, `check` is "true" or nothing; absent: a line of text. */
	kind?: "area" | "select" | "combo" | "choice" | "check" | "many";
	hint?: ReactNode;
	warning?: ReactNode;
	options?: ComboOption[];
	/** Where there is nothing to choose from: why. */
	empty?: string;
	placeholder?: string;
}

export interface FormSpec<A> {
	product: Product;
	action: string;
	fields: FormField[];
	values: Values;
	set: (part: Values) => void;
	/** The object gets tags. */
	tags?: boolean;
	/** In place of what the fields make by themselves. */
	params?: Params;
	/** Why the values cannot be sent as they are together. */
	refusal?: string;
	/** In place of the one call: several, in this order. The last one's answer is the form's. */
	calls?: Omit<Form["call"], "region">[];
	/** In place of sending them. */
	send?: () => Promise<A>;
	done: (answer: A) => void;
}

export interface Form {
	fields: FormField[];
	values: Values;
	change: (part: Values) => void;
	errorOf: (field: FormField) => string | undefined;
	/** What went wrong and concerns no field in sight. */
	general: string | undefined;
	busy: boolean;
	submit: () => void;
	tags: Tag[] | undefined;
	setTags: (tags: Tag[]) => void;
	call: { product: Product; action: string; region: string; params: Params; };
	/** All that will be asked of the API: mostly that call alone. */
	calls: Form["call"][];
}

/** The values of a form, kept by whoever shows it: which fields there are may depend on them. */
export function useValues(start: Values): [Values, (part: Values) => void] {
	const [values, setValues] = useState(start);
	return [values, (part) => setValues((old) => ({ ...old, ...part }))];
}

export function useForm<A>(spec: FormSpec<A>): Form {
	const t = useText();
	const { client, place } = useApp();
	const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
	const [all, setAll] = useState(false);
	const [busy, setBusy] = useState(false);
	const [failure, setFailure] = useState<{ error: unknown; values: Values; } | null>(null);
	const [tags, setTags] = useState<Tag[]>([]);
	const running = useRef(false);
	const { fields, values, product, action } = spec;
	const wrong = wrongFields(fields, values);
	const areTagsWrong = tags.some((_, i) => checkTag(tags, i) !== null);
	const params = { ...(spec.params ?? paramsOf(fields, values)), ...(tags.length > 0 ? { Tag: tags } : {}) };

	const culprit = failure?.error instanceof ApiError ? fields.find((field) => concerns(field, failure.error as ApiError)) : undefined;
	const errorOf = (field: FormField): string | undefined => {
		const rule = wrong[field.name];
		if (rule && (all || touched.has(field.name))) return t.rules[rule];
		const isOld = failure && failure.values[field.name] !== values[field.name];
		return failure && field === culprit && !isOld ? errorText(failure.error, t) : undefined;
	};
	const change = (part: Values): void => {
		setTouched((old) => new Set([...old, ...Object.keys(part)]));
		spec.set(part);
	};
	const call = { product, action, region: place.region, params };
	const calls = spec.calls?.map((one) => ({ ...one, region: place.region })) ?? [call];
	const sendAll = async (): Promise<A> => {
		let answer: unknown;
		for (const one of calls) answer = await client.write(one.product, one.action, one.params, one.region);
		return answer as A;
	};
	const send = async (): Promise<void> => {
		running.current = true;
		setBusy(true);
		setFailure(null);
		try {
			spec.done(await (spec.send ? spec.send() : sendAll()));
		} catch (error) {
			setFailure({ error, values });
		}
		running.current = false;
		setBusy(false);
	};
	const submit = (): void => {
		setAll(true);
		if (Object.keys(wrong).length === 0 && !areTagsWrong && !spec.refusal && !running.current) void send();
	};
	return {
		fields, values, change, errorOf, busy, submit, setTags, tags: spec.tags ? tags : undefined,
		general: all && spec.refusal ? spec.refusal : failure && !culprit ? errorText(failure.error, t) : undefined,
		call, calls,
	};
}

export function FormFields({ form }: { form: Form; }) {
	const t = useText();
	const { tags } = form;
	const tagError = (i: number): string | null => {
		const key = tags ? checkTag(tags, i) : null;
		return key && t.rules[key];
	};
	return (
		<>
			{form.general && <Banner kind="bad">{form.general}</Banner>}
			{form.fields.map((field) => (
				<FieldRow key={field.name} field={field} value={form.values[field.name] ?? ""} error={form.errorOf(field)} onChange={(value) => form.change({ [field.name]: value })} />
			))}
			{tags && <TagEditor label={t.network.tags} tags={tags} onChange={form.setTags} errorOf={tagError} limit={tagLimit} />}
		</>
	);
}

interface RowProps {
	field: FormField;
	value: string;
	error: string | undefined;
	onChange: (value: string) => void;
}

function FieldRow({ field, value, error, onChange }: RowProps) {
	const { kind, label, options = [] } = field;
	if (kind === "check") return <Checkbox label={label} checked={value === "true"} hint={typeof field.hint === "string" ? field.hint : undefined} onChange={(on) => onChange(on ? "true" : "")} />;
	if (kind === "choice" || kind === "many") {
		return (
			<div className="field">
				{kind === "choice"
					? <Choice label={label} value={value} options={options as { value: string; text: string; detail?: string; }[]} onChange={onChange} />
					: <Many field={field} value={value} onChange={onChange} />}
				{field.hint && <p className="hint">{field.hint}</p>}
				{field.warning && <p className="field-warning"><Icon name="warning" />{field.warning}</p>}
				{error && <p className="field-error" role="alert"><Icon name="stop" />{error}</p>}
			</div>
		);
	}
	return <Field label={label} hint={field.hint} warning={field.warning} error={error} optional={field.optional}>{controlOf(field, value, onChange)}</Field>;
}

function controlOf({ kind, options = [], empty, placeholder }: FormField, value: string, onChange: (value: string) => void): ReactElement {
	if (kind === "combo") return <Combobox value={value} options={options} placeholder={placeholder} empty={empty} onChange={onChange} />;
	if (kind === "select") return <Select value={value} options={options} onChange={onChange} />;
	if (kind === "area") return <textarea rows={3} value={value} onChange={(event) => onChange(event.target.value)} />;
	return <input value={value} placeholder={placeholder} autoComplete="off" spellCheck={false} onChange={(event) => onChange(event.target.value)} />;
}

/** Several of what there is, as check boxes. */
function Many({ field, value, onChange }: { field: FormField; value: string; onChange: (value: string) => void; }) {
	const chosen = splitList(value);
	const toggle = (entry: string, on: boolean): void => onChange((on ? [...chosen, entry] : chosen.filter((other) => other !== entry)).join(","));
	return (
		<fieldset className="many">
			<legend>{field.label}</legend>
			{(field.options ?? []).map((option) => (
				<Checkbox key={option.value} label={<Name text={option.text} />} hint={typeof option.detail === "string" ? visible(option.detail) : undefined} checked={chosen.includes(option.value)} onChange={(on) => toggle(option.value, on)} />
			))}
			{field.options?.length === 0 && <p className="hint">{field.empty}</p>}
		</fieldset>
	);
}

export interface FormDialogProps {
	title: string;
	text?: ReactNode;
	form: Form;
	submit: string;
	onClose: () => void;
	children?: ReactNode;
}

export function FormDialog({ title, text, form, submit, onClose, children }: FormDialogProps) {
	const t = useText();
	const foot = (
		<>
			<Button onClick={onClose}>{t.ui.cancel}</Button>
			<Button kind="primary" type="submit" busy={form.busy}>{submit}</Button>
		</>
	);
	return (
		<Dialog title={title} onClose={onClose} onSubmit={form.submit} foot={foot}>
			{typeof text === "string" ? <p className="muted">{text}</p> : text}
			<FormFields form={form} />
			{children}
			<CopyCall calls={form.calls} />
		</Dialog>
	);
}

export interface CreatePageProps {
	title: string;
	text?: ReactNode;
	form: Form;
	submit: string;
	/** The list that the new object will be in. */
	back: Change;
	backText: string;
	children?: ReactNode;
}

/** A page that makes one object. */
export function CreatePage({ title, text, form, submit, back, backText, children }: CreatePageProps) {
	useTitle(title);
	const onSubmit = (event: FormEvent): void => {
		event.preventDefault();
		form.submit();
	};
	return (
		<>
			<PageHead title={title} text={text} before={<Link to={back} className="back"><Icon name="left" />{backText}</Link>} />
			<div className="create">
				<form className="card form" onSubmit={onSubmit} noValidate>
					<FormFields form={form} />
					{children}
					<div className="row"><Button kind="primary" type="submit" busy={form.busy}>{submit}</Button></div>
				</form>
				<CopyCall calls={form.calls} />
			</div>
		</>
	);
}
