// SPDX-License-Identifier: Apache-2.0
// Whether privlinkd can be reached. Calls report what happened to them; while nothing was heard for a while, the link asks for
// a small file, so that a loss is known within 5 s and the return of privlinkd is noticed by itself.

export type LinkListener = (up: boolean) => void;

export class Link {
	up = true;
	private heard = 0;
	private readonly listeners = new Set<LinkListener>();

	/** Calls the listener at each change; the answer ends that. */
	subscribe(listener: LinkListener): () => void {
		this.listeners.add(listener);
		return () => this.listeners.delete(listener);
	}

	/** An answer came, of whatever kind. */
	answered(now: number): void {
		this.heard = now;
		this.change(true);
	}

	lost(): void {
		this.change(false);
	}

	/** Whether it is time to ask: nothing was heard for that long, or the link is down. */
	isSilent(now: number, ms: number): boolean {
		return !this.up || now - this.heard >= ms;
	}

	private change(up: boolean): void {
		if (this.up === up) return;
		this.up = up;
		for (const listener of [...this.listeners]) listener(up);
	}
}

/** Asks for the page's own address every 2 s unless calls do; gives up on an answer after 2.5 s. Returns what ends it. */
export function watchLink(link: Link, address: string, isVisible: () => boolean, fetcher: typeof fetch = fetch): () => void {
	let asking = false;
	const timer = setInterval(() => {
		if (asking || !isVisible() || !link.isSilent(Date.now(), 1900)) return;
		asking = true;
		const abort = new AbortController();
		const limit = setTimeout(() => abort.abort(), 2500);
		fetcher(address, { method: "HEAD", cache: "no-store", credentials: "omit", signal: abort.signal })
			.then(
				() => link.answered(Date.now()),
				() => link.lost(),
			)
			.finally(() => {
				clearTimeout(limit);
				asking = false;
			});
	}, 2000);
	return () => clearInterval(timer);
}
