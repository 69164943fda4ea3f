// SPDX-License-Identifier: Apache-2.0

/** Does something with each entry, some at a time; the first failure ends it. */
export async function eachOf<T>(entries: readonly T[], width: number, act: (entry: T) => Promise<void>): Promise<void> {
	const queue = [...entries];
	const worker = async (): Promise<void> => {
		for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) await act(entry);
	};
	await Promise.all(Array.from({ length: Math.min(width, queue.length) }, worker));
}
