// SPDX-License-Identifier: Apache-2.0
// Axes of charts: where a value stands, and which round values are written beside it. (d3-scale does this, too, at 14 kB gzip.)

/** From one range of numbers to another. */
export function linear(from: readonly [number, number], to: readonly [number, number]): (value: number) => number {
	const factor = (to[1] - to[0]) / (from[1] - from[0] || 1);
	return (value) => to[0] + (value - from[0]) * factor;
}

/** The step of 1, 2 or 5 times a power of ten that makes about so many. */
function niceStep(top: number, count: number): number {
	const raw = top / Math.max(1, count);
	const power = 10 ** Math.floor(Math.log10(raw));
	const digit = raw / power;
	return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

/** Round values from 0 to the first one that is not below the top. */
export function ticks(top: number, count: number): number[] {
	const step = niceStep(top > 0 ? top : 1, count);
	const last = Math.ceil((top > 0 ? top : 1) / step - 1e-9);
	return Array.from({ length: last + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

const secondsBetween = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** Round times between two, in ms, at most so many. */
export function timeTicks(start: number, end: number, most: number): number[] {
	const wanted = (end - start) / 1000 / Math.max(1, most);
	const step = (secondsBetween.find((seconds) => seconds >= wanted) ?? Math.ceil(wanted / 86400) * 86400) * 1000;
	const first = Math.ceil(start / step) * step;
	return Array.from({ length: Math.max(0, Math.floor((end - first) / step) + 1) }, (_, i) => first + i * step);
}
