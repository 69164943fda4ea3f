// SPDX-License-Identifier: Apache-2.0
// The searchable select: the ARIA combobox pattern with a list box. The focus stays in the text field; the arrow keys move
// the active option, Enter takes it, Escape closes the list.
import { useEffect, useId, useMemo, useRef, useState } from "react";
import type { KeyboardEvent, ReactNode } from "react";
import { Icon } from "./icon";
import { Name } from "./name";
import { useWords } from "./words";

export interface ComboOption {
	value: string;
	text: string;
	/** A second line: what it is. */
	detail?: ReactNode;
	/** More words that the search finds. */
	search?: string;
	disabled?: boolean;
}

export interface ComboboxProps {
	id?: string;
	value: string;
	options: ComboOption[];
	onChange: (value: string) => void;
	placeholder?: string;
	disabled?: boolean;
	/** What stands in the list when there is nothing to choose from at all. */
	empty?: string;
	"aria-label"?: string;
	"aria-describedby"?: string;
	"aria-invalid"?: boolean;
}

const shown = 50;

function matches(option: ComboOption, words: string[]): boolean {
	const text = `${option.text} ${option.value} ${option.search ?? ""} ${typeof option.detail === "string" ? option.detail : ""}`.toLowerCase();
	return words.every((word) => text.includes(word));
}

export function Combobox({ id, value, options, onChange, placeholder, disabled, empty, ...aria }: ComboboxProps) {
	const own = useId();
	const words = useWords();
	const inputId = id ?? own;
	const listId = `${own}list`;
	const chosen = options.find((option) => option.value === value);
	const [typed, setTyped] = useState<string | null>(null);
	const [isOpen, setOpen] = useState(false);
	const [active, setActive] = useState(0);
	const root = useRef<HTMLDivElement>(null);
	const input = useRef<HTMLInputElement>(null);
	const found = useMemo(() => {
		const wanted = (typed ?? "").toLowerCase().split(/\s+/).filter(Boolean);
		return options.filter((option) => matches(option, wanted));
	}, [options, typed]);
	const visible = found.slice(0, shown);

	const open = (): void => {
		if (disabled || isOpen) return;
		setOpen(true);
		setActive(Math.max(0, options.findIndex((option) => option.value === value)));
	};
	const close = (): void => {
		setOpen(false);
		setTyped(null);
	};
	const take = (option: ComboOption | undefined): void => {
		if (!option || option.disabled) return;
		onChange(option.value);
		close();
	};
	useEffect(() => {
		if (isOpen) document.getElementById(`${listId}${active}`)?.scrollIntoView({ block: "nearest" });
	}, [isOpen, active, listId]);

	const move = (to: number): void => {
		if (!isOpen) return open();
		setActive(Math.max(0, Math.min(visible.length - 1, to)));
	};
	const onKey = (event: KeyboardEvent): void => {
		const acts: Record<string, () => void> = {
			ArrowDown: () => move(active + 1),
			ArrowUp: () => move(active - 1),
			PageDown: () => move(active + 8),
			PageUp: () => move(active - 8),
			Enter: () => (isOpen ? take(visible[active]) : open()),
			Escape: close,
		};
		const act = acts[event.key];
		if (!act || (event.key === "Escape" && !isOpen)) return;
		event.preventDefault();
		event.stopPropagation();
		act();
	};
	return (
		<div className="combobox" ref={root} onBlur={(event) => { if (!root.current?.contains(event.relatedTarget)) close(); }}>
			<input
				{...aria} ref={input} id={inputId} role="combobox" autoComplete="off" spellCheck={false} disabled={disabled}
				aria-expanded={isOpen} aria-controls={listId} aria-autocomplete="list" aria-activedescendant={isOpen && visible.length ? `${listId}${active}` : undefined}
				placeholder={placeholder} value={typed ?? chosen?.text ?? value}
				onChange={(event) => { setTyped(event.target.value); setOpen(true); setActive(0); }}
				onClick={open} onKeyDown={onKey} onFocus={(event) => event.target.select()}
			/>
			<Icon name="down" />
			<div id={listId} role="listbox" hidden={!isOpen} aria-label={aria["aria-label"] ?? placeholder ?? words.noMatch} className="listbox" onMouseDown={(event) => event.preventDefault()}>
				{isOpen && visible.map((option, i) => (
					<div
						key={option.value} id={`${listId}${i}`} role="option" aria-selected={option.value === value} aria-disabled={option.disabled || undefined}
						className={`option ${i === active ? "active" : ""}`} onMouseMove={() => setActive(i)} onClick={() => take(option)}
					>
						<span className="option-text"><Name text={option.text} />{option.value === value && <Icon name="check" />}</span>
						{option.detail && <small>{option.detail}</small>}
					</div>
				))}
				{isOpen && found.length > shown && <div className="option muted" role="option" aria-disabled="true" aria-selected="false">{words.moreMatches(found.length - shown)}</div>}
				{isOpen && found.length === 0 && <div className="option muted" role="option" aria-disabled="true" aria-selected="false">{options.length === 0 && empty ? empty : words.noMatch}</div>}
			</div>
		</div>
	);
}
