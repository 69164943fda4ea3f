// SPDX-License-Identifier: Apache-2.0
import { cloneElement, useId } from "react";
import type { ReactElement, ReactNode } from "react";
import { Icon } from "./icon";
import { useWords } from "./words";

export interface FieldProps {
	label: string;
	hint?: ReactNode;
	/** What is wrong with the value: stands below the control, and is read with it. */
	error?: ReactNode;
	/** Something to think about that forbids nothing. */
	warning?: ReactNode;
	optional?: boolean;
	children: ReactElement;
}

/** One control with its label. The control gets `id`, `aria-describedby` and `aria-invalid`. */
export function Field({ label, hint, error, warning, optional, children }: FieldProps) {
	const id = useId();
	const words = useWords();
	const parts = [hint && `${id}h`, warning && `${id}w`, error && `${id}e`].filter(Boolean).join(" ");
	return (
		<div className={error ? "field wrong" : "field"}>
			<label htmlFor={id}>
				{label}
				{optional && <span className="muted"> ({words.optional})</span>}
			</label>
			{cloneElement(children, { id, "aria-describedby": parts || undefined, "aria-invalid": error ? true : undefined })}
			{hint && <p id={`${id}h`} className="hint">{hint}</p>}
			{warning && <p id={`${id}w`} className="field-warning"><Icon name="warning" />{warning}</p>}
			{error && <p id={`${id}e`} className="field-error" role="alert"><Icon name="stop" />{error}</p>}
		</div>
	);
}

export interface Option {
	value: string;
	text: string;
	disabled?: boolean;
}

export interface SelectProps {
	id?: string;
	value: string;
	options: Option[];
	onChange: (value: string) => void;
	disabled?: boolean;
	"aria-label"?: string;
	"aria-describedby"?: string;
	"aria-invalid"?: boolean;
}

/** The browser's own select, for short lists. */
export function Select({ options, onChange, ...rest }: SelectProps) {
	return (
		<select {...rest} onChange={(event) => onChange(event.target.value)}>
			{options.map((option) => (
				<option key={option.value} value={option.value} disabled={option.disabled}>{option.text}</option>
			))}
		</select>
	);
}

export interface ChoiceProps {
	label: string;
	value: string;
	options: (Option & { detail?: string; })[];
	onChange: (value: string) => void;
}

/** Radio buttons: all choices in sight. */
export function Choice({ label, value, options, onChange }: ChoiceProps) {
	const name = useId();
	return (
		<fieldset className="choice">
			<legend>{label}</legend>
			{options.map((option) => (
				<label key={option.value} className={option.value === value ? "chosen" : ""}>
					<input type="radio" name={name} value={option.value} checked={option.value === value} disabled={option.disabled} onChange={() => onChange(option.value)} />
					<span>
						{option.text}
						{option.detail && <small>{option.detail}</small>}
					</span>
				</label>
			))}
		</fieldset>
	);
}

export function Checkbox({ label, checked, onChange, hint, disabled }: { label: ReactNode; checked: boolean; onChange: (checked: boolean) => void; hint?: string; disabled?: boolean; }) {
	const id = useId();
	return (
		<div className="checkbox">
			<input id={id} type="checkbox" checked={checked} disabled={disabled} aria-describedby={hint ? `${id}h` : undefined} onChange={(event) => onChange(event.target.checked)} />
			<label htmlFor={id}>{label}</label>
			{hint && <p id={`${id}h`} className="hint">{hint}</p>}
		</div>
	);
}
