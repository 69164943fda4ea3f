// SPDX-License-Identifier: Apache-2.0
// A list of objects that can be tagged and deleted, many with one confirmation.
import { useState } from "react";
import type { ReactNode } from "react";
import type { Params, Product } from "../lib/client";
import type { Fields } from "../lib/filter";
import type { Tag } from "../lib/form";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import type { Column } from "../ui/table";
import { useApp, useGo, useText } from "./context";
import type { List } from "./context";
import { CopyCall } from "./copy_call";
import { errorText } from "./errors";
import { Listing } from "./listing";
import { TaggingDialog } from "./tagging";
import type { TaggedKind } from "./tagging";

/** A call that changes something, in the region one looks at. */
export interface PlainCall {
	product: Product;
	action: string;
	params: Params;
}

/** An act on the chosen rows that is confirmed once for all: a call for each. `act` does more than that call. */
export type ManyAct<T> = ManyActBase<T> & ({ call: CallOf<T>; act?: Act<T>; } | { call?: CallOf<T>; act: Act<T>; });
type CallOf<T> = (row: T) => PlainCall;
type Act<T> = (row: T) => Promise<unknown>;

interface ManyActBase<T> {
	key: string;
	text: string;
	title: (n: number) => string;
	explain: ReactNode;
	effect: (row: T) => string;
	icon: "trash" | "play" | "stop" | "minus" | "refresh";
	danger?: boolean;
}

export interface ObjectListProps<T> {
	label: string;
	list: List<T>;
	columns: Column<T>[];
	fields: Fields<T>;
	keyOf: (row: T) => string;
	nameOf: (row: T) => string;
	/** Absent: these have no tags. */
	tagging?: { kind: TaggedKind; tagsOf: (row: T) => Tag[]; };
	acts?: ManyAct<T>[];
	/** The page of one of them. */
	page?: string;
	defaultSort?: string;
	tools?: ReactNode;
	nothing: { title: string; text: ReactNode; action?: ReactNode; };
}

interface Chosen<T> {
	act: ManyAct<T> | "tags";
	rows: T[];
	clear: () => void;
}

export function ObjectList<T>({ label, list, columns, fields, keyOf, nameOf, tagging, acts = [], page, defaultSort = "-created", tools, nothing }: ObjectListProps<T>) {
	const t = useText();
	const go = useGo();
	const [chosen, setChosen] = useState<Chosen<T> | null>(null);
	const shownName = (row: T): string => nameOf(row) || keyOf(row);
	const buttons = (rows: T[], clear: () => void): ReactNode => (
		<>
			{tagging && <Button icon="tag" onClick={() => setChosen({ act: "tags", rows, clear })}>{t.network.editTags}</Button>}
			{acts.map((act) => <Button key={act.key} kind={act.danger ? "danger" : "normal"} icon={act.icon} onClick={() => setChosen({ act, rows, clear })}>{act.text}</Button>)}
		</>
	);
	const close = (): void => setChosen(null);
	return (
		<>
			<Listing
				label={label} list={list} columns={columns} fields={fields} rowKey={keyOf} rowName={shownName} defaultSort={defaultSort} nothing={nothing} tools={tools}
				onOpen={page ? (row) => go({ page, id: keyOf(row) }) : undefined} acts={tagging || acts.length > 0 ? buttons : undefined}
			/>
			{chosen && chosen.act !== "tags" && <ManyConfirm act={chosen.act} rows={chosen.rows} keyOf={keyOf} nameOf={shownName} onClose={close} onDone={chosen.clear} />}
			{chosen && chosen.act === "tags" && tagging && (
				<TaggingDialog kind={tagging.kind} objects={chosen.rows.map((row) => ({ id: keyOf(row), name: shownName(row), tags: tagging.tagsOf(row) }))} onClose={close} />
			)}
		</>
	);
}

/** More lines than that nobody copies from a dialog. */
const shownCalls = 50;

export interface ManyConfirmProps<T> {
	act: ManyAct<T>;
	rows: T[];
	keyOf: (row: T) => string;
	nameOf: (row: T) => string;
	onClose: () => void;
	onDone?: () => void;
	/** Runs for each row that it was done to. */
	after?: () => void;
}

export function ManyConfirm<T>({ act, rows, keyOf, nameOf, onClose, onDone, after }: ManyConfirmProps<T>) {
	const t = useText();
	const { client, place } = useApp();
	const run = async (key: string): Promise<void> => {
		const row = rows.find((one) => keyOf(one) === key) as T;
		const call = act.call?.(row);
		if (act.act) await act.act(row);
		else if (call) await client.write(call.product, call.action, call.params, place.region);
		after?.();
	};
	return (
		<Confirm
			title={act.title(rows.length)} text={<p>{act.explain}</p>} danger={act.danger} confirmText={act.text}
			items={rows.map((row) => ({ key: keyOf(row), name: nameOf(row), effect: act.effect(row) }))}
			onClose={onClose} act={run} errorText={(error) => errorText(error, t)} onDone={onDone}
		>
			{act.call && <CopyCall calls={rows.slice(0, shownCalls).map(act.call).map((call) => ({ ...call, region: place.region }))} />}
		</Confirm>
	);
}

/** A button of an object's page that asks before it acts; `after` runs when it was done. */
export function ActButton<T>({ act, row, name, after }: { act: ManyAct<T>; row: T; name: string; after?: () => void; }) {
	const [asking, setAsking] = useState(false);
	return (
		<>
			<Button kind={act.danger ? "danger" : "normal"} icon={act.icon} onClick={() => setAsking(true)}>{act.text}</Button>
			{asking && <ManyConfirm act={act} rows={[row]} keyOf={() => "only"} nameOf={() => name} onClose={() => setAsking(false)} after={after} />}
		</>
	);
}
