// SPDX-License-Identifier: Apache-2.0
// Every text of the console, in English; what is here is what every other language must have.
export const en = {
	title: "privlink console",
}

type Shape<T> = {[K in keyof T]: T[K] extends string ? string : T[K] extends (...args: infer A) => string ? (...args: A) => string : Shape<T[K]>}

/** The same texts in another language. */
export type Texts = Shape<typeof en>
