// SPDX-License-Identifier: Apache-2.0
// A table of any length: only the rows in sight, and some around them, are in the document, all of one height. It knows sorting,
// selection and the keyboard; what is sorted or selected is kept by whoever shows it.
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { KeyboardEvent, MouseEvent, ReactNode } from "react";
import { Icon } from "./icon";
import { useWords } from "./words";

export interface Column<T> {
	key: string;
	title: string;
	cell: (row: T) => ReactNode;
	/** What to sort by; without it the column cannot be sorted. */
	sort?: (row: T) => string | number;
	/** In characters of the font, roughly. */
	width?: number;
	align?: "right";
}

export interface TableProps<T> {
	/** What the table is, for those who cannot see it. */
	label: string;
	rows: readonly T[];
	columns: readonly Column<T>[];
	rowKey: (row: T) => string;
	/** The key of the column to sort by, with `-` in front for descending. */
	sort?: string;
	onSort?: (sort: string) => void;
	selected?: ReadonlySet<string>;
	onSelect?: (selected: ReadonlySet<string>) => void;
	/** Enter on a row. */
	onOpen?: (row: T) => void;
	/** A name for the row's check box. */
	rowName?: (row: T) => string;
	/** What stands below the heads when there are no rows. */
	empty?: ReactNode;
}

const rowHeight = 44;
const headHeight = 38;
/** Rows in the document at most, the head and two that take up room included. */
const maxRows = 56;
const step = 4;

export function sortRows<T>(rows: readonly T[], columns: readonly Column<T>[], sort: string | undefined): readonly T[] {
	const down = sort?.startsWith("-");
	const by = columns.find((column) => column.key === sort?.replace(/^-/, ""))?.sort;
	if (!by) return rows;
	const collator = new Intl.Collator(undefined, { numeric: true });
	const keyed = rows.map((row) => ({ row, key: by(row) }));
	keyed.sort(({ key: a }, { key: b }) => (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b))) * (down ? -1 : 1));
	return keyed.map(({ row }) => row);
}

interface Window {
	first: number;
	count: number;
}

function useWindow(total: number) {
	const box = useRef<HTMLDivElement>(null);
	const [view, setView] = useState<Window>({ first: 0, count: 30 });
	const measure = useCallback(() => {
		const element = box.current;
		if (!element) return;
		const inSight = Math.ceil(element.clientHeight / rowHeight);
		const around = Math.max(step, Math.floor((maxRows - inSight) / 2));
		const first = Math.max(0, Math.floor((Math.floor(element.scrollTop / rowHeight) - Math.min(around, 2 * step)) / step) * step);
		const count = Math.min(maxRows, inSight + 4 * step);
		setView((old) => (old.first === first && old.count === count ? old : { first, count }));
	}, []);
	useLayoutEffect(measure, [measure, total]);
	useEffect(() => {
		if (!box.current) return;
		const observer = new ResizeObserver(measure);
		observer.observe(box.current);
		return () => observer.disconnect();
	}, [measure]);
	const first = Math.max(0, Math.min(view.first, total - view.count));
	return { box, measure, first, last: Math.min(total, first + view.count) };
}

export function Table<T>({ label, rows, columns, rowKey, sort, onSort, selected, onSelect, onOpen, rowName, empty }: TableProps<T>) {
	const words = useWords();
	const sorted = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort]);
	const { box, measure, first, last } = useWindow(sorted.length);
	const [focus, setFocus] = useState(0);
	const anchor = useRef(0);
	const wantFocus = useRef(false);
	const at = Math.min(focus, Math.max(0, sorted.length - 1));

	useEffect(() => {
		if (!wantFocus.current) return;
		const row = box.current?.querySelector<HTMLElement>(`[data-index="${at}"]`);
		if (!row) return;
		wantFocus.current = false;
		row.focus({ preventScroll: true });
	});
	const go = (to: number): void => {
		const n = Math.max(0, Math.min(sorted.length - 1, to));
		const element = box.current as HTMLDivElement;
		const top = n * rowHeight;
		const height = element.clientHeight - headHeight;
		if (top < element.scrollTop) element.scrollTop = top;
		else if (top + rowHeight > element.scrollTop + height) element.scrollTop = top + rowHeight - height;
		wantFocus.current = true;
		setFocus(n);
		measure();
	};

	const state = useRef({ sorted, selected, onSelect, rowKey });
	state.current = { sorted, selected, onSelect, rowKey };
	const toggle = useCallback((i: number, range: boolean) => {
		const { sorted, selected, onSelect, rowKey } = state.current;
		const next = new Set(selected);
		const on = !next.has(rowKey(sorted[i] as T));
		const [from, to] = range ? [Math.min(anchor.current, i), Math.max(anchor.current, i)] : [i, i];
		for (let n = from; n <= to && n < sorted.length; n++) {
			if (on) next.add(rowKey(sorted[n] as T));
			else next.delete(rowKey(sorted[n] as T));
		}
		anchor.current = i;
		onSelect?.(next);
	}, []);

	const onKey = (event: KeyboardEvent): void => {
		const row = (event.target as HTMLElement).closest<HTMLElement>("tr[data-index]");
		const isOnRow = row === event.target;
		if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
		const i = Number(row.dataset["index"]);
		const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / rowHeight) - 2);
		const acts: Record<string, (() => void) | undefined> = {
			ArrowDown: () => go(i + 1),
			ArrowUp: () => go(i - 1),
			PageDown: () => go(i + page),
			PageUp: () => go(i - page),
			Home: () => go(0),
			End: () => go(sorted.length - 1),
			" ": isOnRow && onSelect ? () => toggle(i, event.shiftKey) : undefined,
			Enter: isOnRow && onOpen ? () => onOpen(sorted[i] as T) : undefined,
		};
		const act = acts[event.key];
		if (!act) return;
		event.preventDefault();
		act();
	};

	const chosen = useMemo(() => (selected ? sorted.filter((row) => selected.has(rowKey(row))).length : 0), [sorted, selected, rowKey]);
	const all = chosen > 0 && chosen === sorted.length;
	const some = chosen > 0 && !all;
	const span = columns.length + (onSelect ? 1 : 0);
	return (
		<div className="table-box" ref={box} onScroll={measure} onKeyDown={onKey}>
			<table role="grid" aria-label={label} aria-rowcount={sorted.length + 1} aria-multiselectable={onSelect ? true : undefined}>
				<colgroup>
					{onSelect && <col className="col-check" />}
					{columns.map((column) => <col key={column.key} style={{ width: `${column.width ?? 16}ch` }} />)}
				</colgroup>
				<thead>
					<tr aria-rowindex={1}>
						{onSelect && (
							<th className="col-check" scope="col">
								<input type="checkbox" aria-label={words.selectAll} checked={all} disabled={sorted.length === 0}
									ref={(input) => { if (input) input.indeterminate = some; }}
									onChange={() => onSelect(all ? new Set() : new Set(sorted.map(rowKey)))} />
							</th>
						)}
						{columns.map((column) => <Head key={column.key} column={column} sort={sort} onSort={onSort} />)}
					</tr>
				</thead>
				<tbody>
					{first > 0 && <tr aria-hidden="true" className="room" style={{ height: `${first * rowHeight}px` }}><td colSpan={span} /></tr>}
					{sorted.slice(first, last).map((row, n) => (
						<MemoRow
							key={rowKey(row)} row={row} index={first + n} columns={columns as readonly Column<unknown>[]} isFocus={first + n === at}
							isSelected={onSelect ? !!selected?.has(rowKey(row)) : undefined} toggle={toggle} name={rowName?.(row) ?? rowKey(row)} onFocus={setFocus}
						/>
					))}
					{last < sorted.length && <tr aria-hidden="true" className="room" style={{ height: `${(sorted.length - last) * rowHeight}px` }}><td colSpan={span} /></tr>}
				</tbody>
			</table>
			{sorted.length === 0 && empty}
		</div>
	);
}

function Head<T>({ column, sort, onSort }: { column: Column<T>; sort: string | undefined; onSort: ((sort: string) => void) | undefined; }) {
	const words = useWords();
	const is = sort === column.key ? "ascending" : sort === `-${column.key}` ? "descending" : undefined;
	const able = column.sort && onSort;
	return (
		<th scope="col" aria-sort={is} className={column.align}>
			{able
				? <button type="button" title={words.sortBy(column.title)} onClick={() => onSort(is === "ascending" ? `-${column.key}` : column.key)}>
					{column.title}
					{is && <Icon name={is === "ascending" ? "up" : "down"} />}
				</button>
				: column.title}
		</th>
	);
}

interface RowProps {
	row: unknown;
	index: number;
	columns: readonly Column<unknown>[];
	isFocus: boolean;
	isSelected: boolean | undefined;
	toggle: (index: number, range: boolean) => void;
	name: string;
	onFocus: (index: number) => void;
}

const MemoRow = memo(function Row({ row, index, columns, isFocus, isSelected, toggle, name, onFocus }: RowProps) {
	const words = useWords();
	const onCheck = (event: MouseEvent): void => toggle(index, event.shiftKey);
	return (
		<tr aria-rowindex={index + 2} data-index={index} tabIndex={isFocus ? 0 : -1} aria-selected={isSelected} onFocus={() => onFocus(index)}>
			{isSelected !== undefined && (
				<td className="col-check">
					<input type="checkbox" tabIndex={-1} aria-label={words.selectRow(name)} checked={isSelected} onClick={onCheck} onChange={() => undefined} />
				</td>
			)}
			{columns.map((column) => <td key={column.key} className={column.align}>{column.cell(row)}</td>)}
		</tr>
	);
});
