// SPDX-License-Identifier: Apache-2.0
// Columns that many lists have.
import type { ReactNode } from "react";
import { toggleTerm } from "../lib/filter";
import type { Tag } from "../lib/form";
import { formatTime } from "../lib/time";
import { Name } from "../ui/name";
import { Copied, CopyButton } from "../ui/copy";
import { Status } from "../ui/status";
import type { Column } from "../ui/table";
import { TagList } from "../ui/tags";
import { useLanguage, useQuery, useText } from "./context";
import { Link } from "./link";
import { stateOf } from "./states";

/** Which page shows objects whose ids begin so. */
const pagesByPrefix: [RegExp, string][] = [
	[/^vpc-/, "vpcs"], [/^vsw-/, "vswitches"], [/^sg-/, "securitygroups"], [/^i-/, "instances"], [/^nlb-/, "balancers"], [/^sgp-/, "servergroups"],
	[/^ep-/, "endpoints"], [/^epsrv-/, "services"],
];

export const pageOf = (id: string): string | undefined => pagesByPrefix.find(([prefix]) => prefix.test(id))?.[1];

/** An id that leads to its object and can be copied. */
export function Ref({ id }: { id: string; }) {
	const page = pageOf(id);
	if (!id) return null;
	return (
		<span className="copied">
			{page ? <Link to={{ page, id }} className="mono">{id}</Link> : <span className="mono">{id}</span>}
			<CopyButton text={id} label={id} />
		</span>
	);
}

/** Name and id, one below the other. */
export function nameColumn<T>(title: string, page: string, idOf: (row: T) => string, nameOf: (row: T) => string): Column<T> {
	return {
		key: "name", title, width: 30, sort: (row) => nameOf(row) || idOf(row),
		cell: (row) => (
			<div className="two">
				<Link to={{ page, id: idOf(row) }}><Name text={nameOf(row) || idOf(row)} /></Link>
				<Copied text={idOf(row)} />
			</div>
		),
	};
}

export function refColumn<T>(key: string, title: string, idOf: (row: T) => string): Column<T> {
	return { key, title, width: 27, sort: idOf, cell: (row) => <Ref id={idOf(row)} /> };
}

export function textColumn<T>(key: string, title: string, width: number, textOf: (row: T) => string | number, className?: string): Column<T> {
	return { key, title, width, sort: textOf, cell: (row) => <span className={className}><Name text={String(textOf(row))} /></span> };
}

export function numberColumn<T>(key: string, title: string, width: number, numberOf: (row: T) => number): Column<T> {
	return { key, title, width, align: "right", sort: numberOf, cell: numberOf as (row: T) => ReactNode };
}

/** Columns that need the reader's language or the list's filter. */
export function useColumns(fields: readonly string[]) {
	const t = useText();
	const language = useLanguage();
	const [filter, setFilter] = useQuery("q");
	const onTag = (tag: Tag): void => setFilter(toggleTerm(filter, { field: "tag", value: tag.Value ? `${tag.Key}=${tag.Value}` : tag.Key, exclude: false }, fields));
	return {
		status: <T,>(wordOf: (row: T) => string, detailOf?: (row: T) => string): Column<T> => ({
			key: "status", title: t.network.status, width: 14, sort: wordOf, cell: (row) => <Status {...stateOf(wordOf(row), t)} detail={detailOf?.(row) || undefined} />,
		}),
		tags: <T,>(tagsOf: (row: T) => Tag[]): Column<T> => ({ key: "tags", title: t.network.tags, width: 22, cell: (row) => <TagList tags={tagsOf(row)} onTag={onTag} /> }),
		created: <T,>(timeOf: (row: T) => string): Column<T> => ({ key: "created", title: t.network.created, width: 24, sort: timeOf, cell: (row) => formatTime(timeOf(row), language) }),
	};
}

export const tagWords = (tags: Tag[]): string[] => tags.flatMap((tag) => [tag.Key, `${tag.Key}=${tag.Value}`]);
