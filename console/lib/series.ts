// SPDX-License-Identifier: Apache-2.0
// Numbers over time, as GetEndpointMetrics answers them: chosen by metric, added up over zones, written for people. A gap is null and
// stays one: what is not known is never taken for zero.

export type Points = (number | null)[];

export interface Series {
	ZoneId?: string;
	Metric: string;
	Points: Points;
}

/** What stands in one chart: a name for its legend, and its points. */
export interface Line {
	key: string;
	metric: string;
	zone: string;
	points: Points;
}

/** The sum of each interval; unknown where one of them is: a part of a sum would look like less traffic. */
export function addUp(all: readonly Points[], length: number): Points {
	return Array.from({ length }, (_, i) => {
		let sum = 0;
		for (const points of all) {
			const value = points[i] ?? null;
			if (value === null) return null;
			sum += value;
		}
		return all.length === 0 ? null : sum;
	});
}

/** How many points the answer has. */
export function countPoints(series: readonly Series[]): number {
	return series.reduce((most, one) => Math.max(most, one.Points.length), 0);
}

/** The zones that are spoken of, in order. */
export function zonesOf(series: readonly Series[]): string[] {
	return [...new Set(series.map((one) => one.ZoneId ?? ""))].filter(Boolean).sort();
}

/** The lines of these metrics: one a metric, added up over the zones, or one a metric and zone. */
export function linesOf(series: readonly Series[], metrics: readonly string[], perZone: boolean): Line[] {
	const length = countPoints(series);
	const lines: Line[] = [];
	for (const metric of metrics) {
		const of = series.filter((one) => one.Metric === metric);
		if (of.length === 0) continue;
		if (!perZone) lines.push({ key: metric, metric, zone: "", points: addUp(of.map((one) => one.Points), length) });
		else for (const one of of) lines.push({ key: `${metric} ${one.ZoneId ?? ""}`, metric, zone: one.ZoneId ?? "", points: addUp([one.Points], length) });
	}
	return lines;
}

const dropPrefix = "Drops.";

/** The metrics of drops, a reason each; those that dropped something come first. */
export function dropMetrics(series: readonly Series[]): string[] {
	const sums = new Map<string, number>();
	for (const one of series) {
		if (!one.Metric.startsWith(dropPrefix)) continue;
		sums.set(one.Metric, (sums.get(one.Metric) ?? 0) + one.Points.reduce<number>((sum, value) => sum + (value ?? 0), 0));
	}
	return [...sums.keys()].sort((a, b) => (sums.get(b) as number) - (sums.get(a) as number) || a.localeCompare(b));
}

export function reasonOf(metric: string): string {
	return metric.slice(dropPrefix.length);
}

/** The last value that is known. */
export function lastKnown(points: Points): number | null {
	for (let i = points.length - 1; i >= 0; i--) if (points[i] !== null && points[i] !== undefined) return points[i] as number;
	return null;
}

const steps = ["", "k", "M", "G", "T", "P"];

/** A number with a unit: 1.25 Mbit/s. Numbers of the language, prefixes of the SI. */
export function formatNumber(value: number | null, unit: string, language: string): string {
	if (value === null) return "–";
	let step = 0;
	let scaled = value;
	while (Math.abs(scaled) >= 1000 && step < steps.length - 1) {
		scaled /= 1000;
		step++;
	}
	const digits = Math.abs(scaled) >= 100 || (step === 0 && Number.isInteger(scaled)) ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
	const text = new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(scaled);
	const suffix = `${steps[step] as string}${unit}`;
	return suffix ? `${text} ${suffix}` : text;
}
