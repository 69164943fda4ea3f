// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useRef, useState } from "react";
import type { FormEvent, ReactNode } from "react";
import { Banner } from "./banner";
import { Button } from "./button";
import { Icon } from "./icon";
import { Name } from "./name";
import { useWords } from "./words";

export interface DialogProps {
	title: string;
	onClose: () => void;
	children: ReactNode;
	/** Buttons at the end. */
	foot?: ReactNode;
	wide?: boolean;
	onSubmit?: () => void;
}

/** The browser's dialog: it holds the focus, closes with Escape, and gives the focus back to where it came from. */
export function Dialog({ title, onClose, children, foot, wide, onSubmit }: DialogProps) {
	const dialog = useRef<HTMLDialogElement>(null);
	const id = useId();
	const words = useWords();
	useEffect(() => {
		const before = document.activeElement;
		const element = dialog.current;
		element?.showModal();
		return () => {
			element?.close();
			if (before instanceof HTMLElement && before.isConnected) before.focus();
		};
	}, []);
	const submit = (event: FormEvent): void => {
		event.preventDefault();
		onSubmit?.();
	};
	return (
		<dialog ref={dialog} className={wide ? "dialog wide" : "dialog"} aria-labelledby={id} onCancel={(event) => { event.preventDefault(); onClose(); }}>
			<form onSubmit={submit} noValidate>
				<header>
					<h2 id={id}>{title}</h2>
					<button type="button" className="copy" aria-label={words.close} onClick={onClose}><Icon name="close" /></button>
				</header>
				<div className="dialog-body">{children}</div>
				{foot && <footer>{foot}</footer>}
			</form>
		</dialog>
	);
}

export interface ConfirmItem {
	key: string;
	name: string;
	/** What will happen to it. */
	effect: string;
}

export interface ConfirmProps {
	title: string;
	text?: ReactNode;
	items: ConfirmItem[];
	confirmText: string;
	danger?: boolean;
	onClose: () => void;
	/** Does it to one; what it throws is shown at that one. */
	act: (key: string) => Promise<unknown>;
	errorText: (error: unknown) => string;
	onDone?: () => void;
	/** What stands below the list. */
	children?: ReactNode;
}

type Progress = "wait" | "busy" | "done" | { error: string; };

/**
 * One confirmation for many: lists what happens to each, does it, and says how it went. Closes by itself if all went well;
 * who closes it earlier stops what was not begun yet.
 */
export function Confirm({ title, text, items, confirmText, danger, onClose, act, errorText, onDone, children }: ConfirmProps) {
	const words = useWords();
	const [progress, setProgress] = useState<Record<string, Progress> | null>(null);
	const closed = useRef(false);
	useEffect(() => () => { closed.current = true; }, []);
	const busy = progress !== null && items.some((item) => progress[item.key] === "wait" || progress[item.key] === "busy");
	const failed = progress ? items.filter((item) => typeof progress[item.key] === "object") : [];
	const run = async (): Promise<void> => {
		const todo = progress ? failed : items;
		const note = (key: string, state: Progress): void => setProgress((old) => ({ ...old, [key]: state }));
		setProgress((old) => ({ ...old, ...Object.fromEntries(todo.map((item) => [item.key, "wait" as const])) }));
		let bad = 0;
		await eachOf(todo, 4, async ({ key }) => {
			if (closed.current) return;
			note(key, "busy");
			try {
				await act(key);
				note(key, "done");
			} catch (error) {
				bad++;
				note(key, { error: errorText(error) });
			}
		});
		if (closed.current) return;
		onDone?.();
		if (bad === 0) onClose();
	};
	const foot = (
		<>
			<Button onClick={onClose}>{progress && !busy ? words.close : words.cancel}</Button>
			<Button kind={danger ? "danger" : "primary"} busy={busy} type="submit" autoFocus>{confirmText}</Button>
		</>
	);
	return (
		<Dialog title={title} onClose={onClose} foot={foot} onSubmit={() => void run()}>
			{text}
			{!busy && failed.length > 0 && <Banner kind="bad">{words.failedRows(failed.length)}</Banner>}
			<ul className="confirm-items" tabIndex={0} aria-label={title}>
				{items.slice(0, shownItems).map((item) => (
					<li key={item.key}>
						<strong><Name text={item.name} /></strong>
						<span>{item.effect}</span>
						<ProgressMark progress={progress?.[item.key]} />
					</li>
				))}
				{items.length > shownItems && <li className="muted">{words.moreMatches(items.length - shownItems)}</li>}
			</ul>
			{children}
		</Dialog>
	);
}

const shownItems = 50;

function ProgressMark({ progress }: { progress: Progress | undefined; }) {
	const words = useWords();
	if (!progress || progress === "wait") return null;
	if (progress === "busy") return <span className="muted">{words.working}</span>;
	if (progress === "done") return <span className="status ok"><Icon name="check" />{words.done}</span>;
	return <span className="field-error" role="alert"><Icon name="stop" />{progress.error}</span>;
}

/** Does something with each entry, some at a time. */
async function eachOf<T>(entries: T[], width: number, act: (entry: T) => Promise<void>): Promise<void> {
	const queue = [...entries];
	const worker = async (): Promise<void> => {
		for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) await act(entry);
	};
	await Promise.all(Array.from({ length: width }, worker));
}
