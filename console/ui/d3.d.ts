// SPDX-License-Identifier: Apache-2.0
// What the charts use of the two packages, which come without types.
declare module "d3-scale" {
	export interface LinearScale {
		(value: number): number;
		domain(values: [number, number]): LinearScale;
		range(values: [number, number]): LinearScale;
		nice(count?: number): LinearScale;
		ticks(count?: number): number[];
	}
	export interface TimeScale {
		(value: Date | number): number;
		domain(values: [number, number]): TimeScale;
		range(values: [number, number]): TimeScale;
		ticks(count?: number): Date[];
	}
	export function scaleLinear(): LinearScale;
	export function scaleTime(): TimeScale;
}

declare module "d3-shape" {
	export interface Line<T> {
		(data: readonly T[]): string | null;
		x(get: (entry: T, index: number) => number): Line<T>;
		y(get: (entry: T, index: number) => number): Line<T>;
		defined(is: (entry: T, index: number) => boolean): Line<T>;
	}
	export function line<T>(): Line<T>;
}
