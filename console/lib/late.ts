// SPDX-License-Identifier: Apache-2.0
// Parts of the console that come when they are wanted.

const pauseMs = 1000;
const tries = 10;

/**
 * Loads a part, again and again while privlinkd is away. What is not to be had for long is of another version of privlinkd than
 * the page: then the page begins anew.
 */
export async function late<T>(load: () => Promise<T>, restart: () => void, sleep: (ms: number) => Promise<void>): Promise<T> {
	for (let n = 1; ; n++) {
		try {
			return await load();
		} catch {
			if (n % tries === 0) restart();
			await sleep(pauseMs);
		}
	}
}
