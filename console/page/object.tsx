// SPDX-License-Identifier: Apache-2.0
// The page of one object: where it belongs, what it is, what can be done with it.
import type { ReactNode } from "react";
import { Name } from "../ui/name";
import { visible } from "../lib/visible";
import { Banner } from "../ui/banner";
import { Copied } from "../ui/copy";
import { Empty } from "../ui/empty";
import { Icon } from "../ui/icon";
import { useText, useTitle } from "./context";
import type { Asked, Change } from "./context";
import { Failed, errorText } from "./errors";
import { PageHead } from "./head";
import { Link } from "./link";

export type Fact = [label: string, value: ReactNode];

export function Facts({ facts, label }: { facts: Fact[]; label: string; }) {
	return (
		<section className="card" aria-label={label}>
			<dl className="facts">
				{facts.map(([name, value]) => (
					<div key={name}>
						<dt>{name}</dt>
						<dd>{typeof value === "string" ? <Name text={value || "–"} /> : value}</dd>
					</div>
				))}
			</dl>
		</section>
	);
}

export interface ObjectPageProps<T> {
	id: string;
	/** The list that the object is in. */
	list: Change;
	listTitle: string;
	/** The object itself, undefined where the answer has none. */
	asked: Pick<Asked<unknown>, "state" | "error" | "reload">;
	object: T | undefined;
	nameOf: (object: T) => string;
	acts?: (object: T) => ReactNode;
	children: (object: T) => ReactNode;
}

export function ObjectPage<T>({ id, list, listTitle, asked, object, nameOf, acts, children }: ObjectPageProps<T>) {
	const t = useText();
	const name = object ? nameOf(object) || id : id;
	useTitle(visible(name));
	const gone = !object && asked.state === "ready";
	return (
		<>
			<PageHead
				title={<Name text={name} />} before={<Link to={list} className="back"><Icon name="left" />{listTitle}</Link>}
				text={name === id ? undefined : <Copied text={id} />}
			>
				{object && acts?.(object)}
			</PageHead>
			{object && asked.state === "failed" && <Banner kind="warn">{errorText(asked.error, t)}</Banner>}
			{object ? children(object)
				: gone ? <Empty kind="notFound" title={t.errors.notFoundTitle} text={t.errors.notFoundAdvice}><Link to={list}>{listTitle}</Link></Empty>
					: asked.state === "failed" ? <Failed error={asked.error} reload={asked.reload}><Link to={list}>{listTitle}</Link></Failed>
						: <p className="loading">{t.common.loading}</p>}
		</>
	);
}
