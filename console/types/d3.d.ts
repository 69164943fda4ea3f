// SPDX-License-Identifier: Apache-2.0
// What the charts take of d3-shape 1, for which Debian has no types. What else is used is added here.
declare module "d3-shape" {
	type Of<Row> = number | ((row: Row, index: number, rows: Row[]) => number);

	/** How points are joined. */
	export interface Curve {
		(context: unknown): unknown;
	}
	export const curveLinear: Curve;
	export const curveMonotoneX: Curve;
	export const curveStepAfter: Curve;

	/** The `d` of a path; null where there is nothing to draw. */
	export interface Line<Row> {
		(rows: readonly Row[]): string | null;
		x(of: Of<Row>): this;
		y(of: Of<Row>): this;
		/** Where it says no there is a gap. */
		defined(has: (row: Row, index: number) => boolean): this;
		curve(curve: Curve): this;
	}
	export interface Area<Row> {
		(rows: readonly Row[]): string | null;
		x(of: Of<Row>): this;
		y0(of: Of<Row>): this;
		y1(of: Of<Row>): this;
		defined(has: (row: Row, index: number) => boolean): this;
		curve(curve: Curve): this;
	}
	export function line<Row>(): Line<Row>;
	export function area<Row>(): Area<Row>;
}
