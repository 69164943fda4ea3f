// SPDX-License-Identifier: Apache-2.0
// Lines over time as SVG. A gap is null and stays a gap. What the pointer or the arrow keys point at is told in the legend;
// the same numbers stand in a table, one click away.
import { line } from "d3-shape";
import { useEffect, useRef, useState } from "react";
import type { KeyboardEvent, PointerEvent } from "react";
import { linear, ticks, timeTicks } from "../lib/scale";
import { Icon } from "./icon";
import { Table } from "./table";
import type { Column } from "./table";
import { useWords } from "./words";

export type Points = readonly (number | null)[];

export interface Series {
	key: string;
	title: string;
	/** One a period, from the start; null where nothing is known. */
	points: Points;
}

export interface ChartProps {
	title: string;
	series: readonly Series[];
	/** The time of the first point, in ms since 1970, and how far they are apart. */
	start: number;
	periodMs: number;
	format: (value: number) => string;
	formatTime: (ms: number) => string;
	height?: number;
}

const room = { top: 8, right: 12, bottom: 22, left: 64 };

/** A point that has no neighbour to be joined with would not be seen as a line: it becomes a dot. */
export function lonePoints(points: Points): number[] {
	const known = (i: number): boolean => points[i] !== null && points[i] !== undefined;
	return points.flatMap((_, i) => (known(i) && !known(i - 1) && !known(i + 1) ? [i] : []));
}

export function Chart({ title, series, start, periodMs, format, formatTime, height = 200 }: ChartProps) {
	const words = useWords();
	const [asTable, setAsTable] = useState(false);
	const [at, setAt] = useState<number | null>(null);
	const count = Math.max(0, ...series.map((one) => one.points.length));
	const shown = at === null ? null : Math.min(at, count - 1);
	const isEmpty = series.every((one) => one.points.every((point) => point === null));
	return (
		<figure className="chart">
			<figcaption>
				<strong>{title}</strong>
				<span className="muted">{shown === null ? "" : formatTime(start + shown * periodMs)}</span>
				<span className="grow" />
				<button type="button" className="plain" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}><Icon name={asTable ? "chart" : "columns"} /> {asTable ? words.asChart : words.asTable}</button>
			</figcaption>
			{asTable
				? <ChartTable title={title} series={series} start={start} periodMs={periodMs} count={count} format={format} formatTime={formatTime} />
				: isEmpty
					? <p className="chart-empty">{words.noData}</p>
					: <Plot title={title} series={series} start={start} periodMs={periodMs} count={count} format={format} height={height} at={shown} setAt={setAt} />}
			{!asTable && <Legend series={series} at={shown} format={format} />}
		</figure>
	);
}

interface PlotProps extends Pick<ChartProps, "title" | "series" | "start" | "periodMs" | "format"> {
	count: number;
	height: number;
	at: number | null;
	setAt: (at: number | null) => void;
}

function useWidth() {
	const box = useRef<HTMLDivElement>(null);
	const [width, setWidth] = useState(0);
	useEffect(() => {
		const element = box.current;
		if (!element) return;
		const observer = new ResizeObserver(() => setWidth(element.clientWidth));
		observer.observe(element);
		return () => observer.disconnect();
	}, []);
	return { box, width };
}

function Plot({ title, series, start, periodMs, count, format, height, at, setAt }: PlotProps) {
	const { box, width } = useWidth();
	const end = start + Math.max(1, count - 1) * periodMs;
	const top = Math.max(0, ...series.flatMap((one) => one.points.map((point) => point ?? 0)));
	const yTicks = ticks(top, 4);
	const x = linear([start, end], [room.left, Math.max(room.left + 1, width - room.right)]);
	const y = linear([0, yTicks[yTicks.length - 1] as number], [height - room.bottom, room.top]);
	const timeOf = (i: number): number => start + i * periodMs;
	const draw = line<number | null>().defined((point) => point !== null).x((_, i) => x(timeOf(i))).y((point) => y(point ?? 0));
	const onMove = (event: PointerEvent<SVGSVGElement>): void => {
		const part = (event.clientX - event.currentTarget.getBoundingClientRect().left - room.left) / Math.max(1, width - room.left - room.right);
		setAt(Math.max(0, Math.min(count - 1, Math.round(part * (count - 1)))));
	};
	const onKey = (event: KeyboardEvent): void => {
		const to = { ArrowLeft: (at ?? count) - 1, ArrowRight: (at ?? -1) + 1, Home: 0, End: count - 1 }[event.key];
		if (event.key === "Escape") setAt(null);
		if (to === undefined) return;
		event.preventDefault();
		setAt(Math.max(0, Math.min(count - 1, to)));
	};
	const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", ...(end - start < 300_000 ? { second: "2-digit" } : {}) });
	return (
		<div ref={box} className="chart-box">
			{width > 0 && (
				<svg width={width} height={height} role="img" aria-label={title} tabIndex={0} onPointerMove={onMove} onPointerLeave={() => setAt(null)} onKeyDown={onKey} onBlur={() => setAt(null)}>
					{yTicks.map((tick) => (
						<g key={tick}>
							<line className="chart-grid" x1={room.left} x2={width - room.right} y1={y(tick)} y2={y(tick)} />
							<text className="chart-text" x={room.left - 8} y={y(tick) + 4} textAnchor="end">{format(tick)}</text>
						</g>
					))}
					{timeTicks(start, end, Math.max(2, Math.floor(width / 140))).map((tick) => (
						<text key={tick} className="chart-text" x={x(tick)} y={height - 5} textAnchor="middle">{clock.format(tick)}</text>
					))}
					{series.map((one, n) => (
						<g key={one.key} className={`series series-${n % 6}`}>
							<path d={draw(one.points) ?? ""} />
							{lonePoints(one.points).map((i) => <circle key={i} cx={x(timeOf(i))} cy={y(one.points[i] ?? 0)} r={2} />)}
							{at !== null && one.points[at] != null && <circle cx={x(timeOf(at))} cy={y(one.points[at] as number)} r={3.5} />}
						</g>
					))}
					{at !== null && <line className="chart-at" x1={x(timeOf(at))} x2={x(timeOf(at))} y1={room.top} y2={height - room.bottom} />}
				</svg>
			)}
		</div>
	);
}

/** Which line is which, by colour and dashes, with the value pointed at, or the last one that is known. */
function Legend({ series, at, format }: { series: readonly Series[]; at: number | null; format: (value: number) => string; }) {
	const words = useWords();
	const valueOf = (points: Points): string => {
		const value = at === null ? [...points].reverse().find((point) => point !== null) : points[at];
		return value === null || value === undefined ? words.noData : format(value);
	};
	return (
		<ul className="legend" aria-live={at === null ? "off" : "polite"}>
			{series.map((one, n) => (
				<li key={one.key}>
					<svg width="22" height="8" aria-hidden="true" className={`series series-${n % 6}`}><path d="M1 4h20" /></svg>
					<span>{one.title}</span>
					<strong>{valueOf(one.points)}</strong>
				</li>
			))}
		</ul>
	);
}

interface Line {
	time: number;
	values: (number | null)[];
}

function ChartTable({ title, series, start, periodMs, count, format, formatTime }: ChartProps & { count: number; }) {
	const words = useWords();
	const [sort, setSort] = useState("-time");
	const rows: Line[] = Array.from({ length: count }, (_, i) => ({ time: start + i * periodMs, values: series.map((one) => one.points[i] ?? null) }));
	const columns: Column<Line>[] = [
		{ key: "time", title: words.time, width: 24, sort: (row) => row.time, cell: (row) => formatTime(row.time) },
		...series.map((one, n): Column<Line> => ({
			key: one.key, title: one.title, width: 18, align: "right", sort: (row) => row.values[n] ?? -1,
			cell: (row) => (row.values[n] === null ? <span className="muted">{words.noData}</span> : format(row.values[n] as number)),
		})),
	];
	return <Table label={title} rows={rows} columns={columns} rowKey={(row) => String(row.time)} sort={sort} onSort={setSort} />;
}
