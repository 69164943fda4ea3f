// SPDX-License-Identifier: Apache-2.0
// A list page's body: search with the filter language, saved filters, how many rows are hidden, selection with its acts, and the
// table. Filter and sort are in the address (`q`, `sort`).
import { useMemo, useState } from "react";
import type { ReactNode } from "react";
import { applyFilter } from "../lib/filter";
import type { Fields } from "../lib/filter";
import { addSaved, readSaved, removeSaved } from "../lib/saved";
import { Button } from "../ui/button";
import { Empty } from "../ui/empty";
import { Field } from "../ui/field";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { Menu } from "../ui/menu";
import { Name } from "../ui/name";
import { Table } from "../ui/table";
import type { Column } from "../ui/table";
import { useLanguage, usePlace, useQuery, useText } from "./context";
import type { List } from "./context";
import { Failed } from "./errors";

export interface ListingProps<T> {
	/** What is listed: the table's name. */
	label: string;
	list: List<T>;
	columns: readonly Column<T>[];
	fields: Fields<T>;
	rowKey: (row: T) => string;
	rowName?: (row: T) => string;
	/** The sort when the address has none. */
	defaultSort?: string;
	onOpen?: (row: T) => void;
	/** Acts on the selected rows; without it nothing can be selected. */
	acts?: (rows: T[], clear: () => void) => ReactNode;
	/** What can be begun here, at the end of the tool bar. */
	tools?: ReactNode;
	/** Shown when there is nothing at all. */
	nothing: { title: string; text: ReactNode; action?: ReactNode; };
}

export function Listing<T>({ label, list, columns, fields, rowKey, rowName, defaultSort, onOpen, acts, tools, nothing }: ListingProps<T>) {
	const t = useText();
	const [filter, setFilter] = useQuery("q");
	const [sort, setSort] = useQuery("sort");
	const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
	const { rows, hidden } = useMemo(() => applyFilter(list.rows, filter, fields), [list.rows, filter, fields]);
	const chosen = useMemo(() => rows.filter((row) => selected.has(rowKey(row))), [rows, selected, rowKey]);
	const clear = (): void => setSelected(new Set());
	const empty =
		list.state === "loading" ? <p className="loading">{t.common.loading}</p>
			: list.rows.length === 0 && list.state === "failed" ? <Failed error={list.error} reload={list.reload} />
				: list.rows.length === 0 ? <Empty kind="nothing" title={nothing.title} text={nothing.text}>{nothing.action}</Empty>
					: <Empty kind="filtered" title={t.list.filteredTitle} text={t.list.filteredText(hidden)}>
						<Button icon="close" onClick={() => setFilter("")}>{t.list.clearFilter}</Button>
					</Empty>;
	return (
		<div className="listing">
			<div className="toolbar">
				<SearchField value={filter} onChange={setFilter} fields={Object.keys(fields)} />
				{(list.state === "ready" || list.rows.length > 0) && <Count shown={rows.length} hidden={hidden} clear={() => setFilter("")} />}
				<span className="grow" />
				<Button kind="quiet" icon="refresh" aria-label={t.list.refresh} title={t.list.refresh} onClick={list.reload} />
				{tools}
			</div>
			{acts && chosen.length > 0 && (
				<div className="selection" role="region" aria-label={t.list.selection}>
					<strong>{t.list.selected(chosen.length)}</strong>
					{acts(chosen, clear)}
					<Button kind="quiet" onClick={clear}>{t.list.clearSelection}</Button>
				</div>
			)}
			<Table
				label={label} rows={rows} columns={columns} rowKey={rowKey} rowName={rowName} sort={sort || defaultSort} onSort={setSort}
				selected={acts ? selected : undefined} onSelect={acts ? setSelected : undefined} onOpen={onOpen} empty={empty}
			/>
		</div>
	);
}

function Count({ shown, hidden, clear }: { shown: number; hidden: number; clear: () => void; }) {
	const t = useText();
	const number = new Intl.NumberFormat(useLanguage());
	return (
		<span className="count" aria-live="polite">
			{t.list.rows(number.format(shown))}
			{hidden > 0 && (
				<>
					{" · "}
					<button type="button" className="plain" title={t.list.clearFilter} onClick={clear}>{t.list.hidden(number.format(hidden))}</button>
				</>
			)}
		</span>
	);
}

function SearchField({ value, onChange, fields }: { value: string; onChange: (value: string) => void; fields: string[]; }) {
	const t = useText();
	const page = usePlace().page;
	const [saved, setSaved] = useState(() => readSaved(localStorage, page));
	const [naming, setNaming] = useState(false);
	return (
		<div className="search">
			<Icon name="search" />
			<input
				type="search" aria-label={t.list.search} placeholder={t.list.searchHint} title={t.list.searchFields(fields.join(", "))} spellCheck={false} autoComplete="off"
				data-search value={value} onChange={(event) => onChange(event.target.value)}
				onKeyDown={(event) => { if (event.key === "Escape") { onChange(""); event.currentTarget.blur(); } }}
			/>
			<Menu label={t.list.savedFilters} icon="star">
				{(close) => (
					<>
						{saved.length === 0 && <p className="menu-note">{t.list.noSaved}</p>}
						{saved.map((entry) => (
							<div key={entry.name} className="menu-row">
								<button type="button" onClick={() => { onChange(entry.filter); close(); }}>
									<Name text={entry.name} />
									<small className="mono">{entry.filter}</small>
								</button>
								<button type="button" className="copy" aria-label={t.list.deleteSaved(entry.name)} onClick={() => setSaved(removeSaved(localStorage, page, entry.name))}><Icon name="trash" /></button>
							</div>
						))}
						<button type="button" className="menu-item" disabled={!value.trim()} onClick={() => { close(); setNaming(true); }}><Icon name="plus" />{t.list.saveFilter}</button>
						<p className="menu-note">{t.list.language} <span className="mono">name:web* -status:Active "two words"</span><br />{t.list.searchFields(fields.join(", "))}</p>
					</>
				)}
			</Menu>
			{naming && <NameFilter filter={value} onClose={() => setNaming(false)} onSave={(name) => { setSaved(addSaved(localStorage, page, { name, filter: value })); setNaming(false); }} />}
		</div>
	);
}

function NameFilter({ filter, onClose, onSave }: { filter: string; onClose: () => void; onSave: (name: string) => void; }) {
	const t = useText();
	const [name, setName] = useState("");
	const ready = name.trim() !== "";
	const save = (): void => { if (ready) onSave(name.trim()); };
	const foot = (
		<>
			<Button onClick={onClose}>{t.ui.cancel}</Button>
			<Button kind="primary" type="submit" disabled={!ready}>{t.list.saveFilter}</Button>
		</>
	);
	return (
		<Dialog title={t.list.saveFilter} onClose={onClose} onSubmit={save} foot={foot}>
			<p className="mono">{filter}</p>
			<Field label={t.list.filterName}><input value={name} maxLength={60} autoFocus onChange={(event) => setName(event.target.value)} /></Field>
		</Dialog>
	);
}
