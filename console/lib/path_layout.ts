// SPDX-License-Identifier: Apache-2.0
// Where the hops of a path stand in its picture. Hops that follow one another without a choice, all of one zone or of none, share a
// card, one below the other; cards stand side by side where there is room for that, else one layer below the other.

export type HopState = "Ok" | "Warn" | "Unknown" | "Broken";

export interface Hop {
	Id: string;
	Kind: string;
	ResourceId?: string;
	ZoneId?: string;
	State: HopState;
	Code: string;
	Text: string;
	SecurityGroupRuleId?: string;
	Priority?: number;
}

export interface HopLink {
	From: string;
	To: string;
}

export interface PlacedHop {
	hop: Hop;
	/** The upper left corner, and the middle of the mark. */
	x: number;
	y: number;
	width: number;
	height: number;
	mark: { x: number; y: number; };
	/** Kind and state stand below each other where a card is narrow. */
	isNarrow: boolean;
	/** Whether something gets as far as here: nothing before it is broken. */
	isReached: boolean;
}

export interface PathCard {
	key: string;
	zone: string;
	x: number;
	y: number;
	width: number;
	height: number;
	hops: PlacedHop[];
}

export interface Wire {
	key: string;
	/** The `d` of an SVG path. */
	d: string;
	/** Whether something goes along it. */
	isReached: boolean;
}

export interface PathLayout {
	width: number;
	height: number;
	isWide: boolean;
	cards: PathCard[];
	wires: Wire[];
}

const wideCardMin = 204;
const wideCardMax = 320;
const wideGap = 44;
const tallCardMin = 164;
const tallGap = 12;
const layerGap = 28;
const cardGap = 16;
const narrowCard = 200;
const zoneHead = 30;
const padding = 8;
const rowHeight = 48;
const narrowRowHeight = 62;
const markX = 22;
const markY = 17;

interface Chain {
	hops: Hop[];
	layer: number;
	next: Chain[];
}

function groupBy(links: readonly HopLink[], from: "From" | "To", to: "From" | "To"): Map<string, string[]> {
	const groups = new Map<string, string[]>();
	for (const link of links) groups.set(link[from], [...(groups.get(link[from]) ?? []), link[to]]);
	return groups;
}

/** Hops that follow one another without a choice, in one zone or in none. */
function chainsOf(hops: readonly Hop[], links: readonly HopLink[]): Chain[] {
	const known = new Map(hops.map((hop) => [hop.Id, hop]));
	const sound = links.filter((link) => known.has(link.From) && known.has(link.To));
	const nexts = groupBy(sound, "From", "To");
	const befores = groupBy(sound, "To", "From");
	const of = new Map<string, Chain>();
	const chains: Chain[] = [];
	for (const hop of hops) {
		const before = befores.get(hop.Id) ?? [];
		const only = before.length === 1 ? known.get(before[0] as string) : undefined;
		const follows = only && (nexts.get(only.Id) ?? []).length === 1 && (only.ZoneId ?? "") === (hop.ZoneId ?? "");
		const chain = (follows && of.get(only.Id)) || { hops: [], layer: 0, next: [] };
		if (chain.hops.length === 0) chains.push(chain);
		chain.hops.push(hop);
		of.set(hop.Id, chain);
	}
	for (const link of sound) {
		const [from, to] = [of.get(link.From) as Chain, of.get(link.To) as Chain];
		if (from !== to && !from.next.includes(to)) from.next.push(to);
	}
	setLayers(chains);
	return chains;
}

/** A chain's layer is behind those of all that lead to it. Rounds are bounded: an answer with a circle in it ends, too. */
function setLayers(chains: Chain[]): void {
	for (let round = 0; round < chains.length; round++) {
		let moved = false;
		for (const chain of chains)
			for (const next of chain.next)
				if (next.layer <= chain.layer && chain.layer + 1 < chains.length) {
					next.layer = chain.layer + 1;
					moved = true;
				}
		if (!moved) return;
	}
}

/** The hops that something gets to: from a beginning, over hops that are not broken. */
export function reachedHops(hops: readonly Hop[], links: readonly HopLink[]): Set<string> {
	const state = new Map(hops.map((hop) => [hop.Id, hop.State]));
	const nexts = groupBy(links, "From", "To");
	const aims = new Set(links.map((link) => link.To));
	const reached = new Set<string>();
	const open = hops.filter((hop) => !aims.has(hop.Id)).map((hop) => hop.Id);
	for (let id = open.pop(); id !== undefined; id = open.pop()) {
		if (reached.has(id)) continue;
		reached.add(id);
		if (state.get(id) !== "Broken") open.push(...(nexts.get(id) ?? []));
	}
	return reached;
}

function heightOf(chain: Chain, row: number): number {
	return (chain.hops[0]?.ZoneId ? zoneHead : 0) + chain.hops.length * row + 2 * padding;
}

function cardAt(chain: Chain, x: number, y: number, width: number, row: number, reached: ReadonlySet<string>): PathCard {
	const zone = chain.hops[0]?.ZoneId ?? "";
	const top = y + padding + (zone ? zoneHead : 0);
	const hops = chain.hops.map((hop, i) => ({
		hop, x, y: top + i * row, width, height: row, mark: { x: x + markX, y: top + i * row + markY }, isNarrow: row === narrowRowHeight, isReached: reached.has(hop.Id),
	}));
	return { key: chain.hops[0]?.Id ?? "", zone, x, y, width, height: heightOf(chain, row), hops };
}

function layersOf(chains: readonly Chain[]): Chain[][] {
	const layers: Chain[][] = [];
	for (const chain of chains) (layers[chain.layer] ??= []).push(chain);
	return layers.filter((layer) => layer !== undefined);
}

/** Side by side: layers are columns, each in the middle of the height. */
function placeWide(layers: Chain[][], width: number, reached: ReadonlySet<string>): PathCard[][] {
	const card = Math.min(wideCardMax, Math.floor((width - wideGap * (layers.length - 1)) / layers.length));
	const heights = layers.map((layer) => layer.reduce((sum, chain) => sum + heightOf(chain, rowHeight) + cardGap, -cardGap));
	const height = Math.max(...heights);
	return layers.map((layer, i) => {
		let y = Math.round((height - (heights[i] as number)) / 2);
		return layer.map((chain) => {
			const placed = cardAt(chain, i * (card + wideGap), y, card, rowHeight, reached);
			y += placed.height + cardGap;
			return placed;
		});
	});
}

/** Below each other: the cards of a layer stand side by side as far as they fit. */
function placeTall(layers: Chain[][], width: number, reached: ReadonlySet<string>): PathCard[][] {
	const fit = Math.max(1, Math.floor((width + tallGap) / (tallCardMin + tallGap)));
	let y = 0;
	return layers.map((layer) => {
		const perRow = Math.min(fit, layer.length);
		const card = Math.min(width, Math.max(tallCardMin, Math.min(2 * wideCardMax, Math.floor((width + tallGap) / perRow) - tallGap)));
		const row = card < narrowCard ? narrowRowHeight : rowHeight;
		const cards: PathCard[] = [];
		for (let first = 0; first < layer.length; first += perRow) {
			const line = layer.slice(first, first + perRow).map((chain, i) => cardAt(chain, i * (card + tallGap), y, card, row, reached));
			cards.push(...line);
			y += Math.max(...line.map((placed) => placed.height)) + (first + perRow < layer.length ? cardGap : layerGap);
		}
		return cards;
	});
}

function curve(from: PlacedHop, to: PlacedHop, cards: Map<string, PathCard>, isWide: boolean): string {
	const [a, b] = [cards.get(from.hop.Id) as PathCard, cards.get(to.hop.Id) as PathCard];
	if (isWide) {
		const [x0, y0, x1, y1] = [a.x + a.width, from.mark.y, b.x, to.mark.y];
		const half = Math.round((x1 - x0) / 2);
		return `M${x0} ${y0}C${x0 + half} ${y0} ${x1 - half} ${y1} ${x1} ${y1}`;
	}
	const [x0, y0, x1, y1] = [from.mark.x, a.y + a.height, to.mark.x, b.y];
	const half = Math.round((y1 - y0) / 2);
	return `M${x0} ${y0}C${x0} ${y0 + half} ${x1} ${y1 - half} ${x1} ${y1}`;
}

function wiresOf(cards: readonly PathCard[], links: readonly HopLink[], isWide: boolean): Wire[] {
	const hops = new Map<string, PlacedHop>();
	const cardOf = new Map<string, PathCard>();
	for (const card of cards) for (const placed of card.hops) {
		hops.set(placed.hop.Id, placed);
		cardOf.set(placed.hop.Id, card);
	}
	const wires: Wire[] = [];
	for (const link of links) {
		const [from, to] = [hops.get(link.From), hops.get(link.To)];
		if (!from || !to) continue;
		const isInside = cardOf.get(link.From) === cardOf.get(link.To);
		const d = isInside ? `M${from.mark.x} ${from.mark.y}V${to.mark.y}` : curve(from, to, cardOf, isWide);
		wires.push({ key: `${link.From} ${link.To}`, d, isReached: from.isReached && from.hop.State !== "Broken" });
	}
	return wires;
}

/** The picture of a path in so many pixels of width. */
export function layoutPath(hops: readonly Hop[], links: readonly HopLink[], width: number): PathLayout {
	const layers = layersOf(chainsOf(hops, links));
	const reached = reachedHops(hops, links);
	const isWide = layers.length > 1 && width >= layers.length * wideCardMin + (layers.length - 1) * wideGap;
	const cards = layers.length === 0 ? [] : (isWide ? placeWide : placeTall)(layers, width, reached).flat();
	return {
		width: Math.max(0, ...cards.map((card) => card.x + card.width)),
		height: Math.max(0, ...cards.map((card) => card.y + card.height)),
		isWide,
		cards,
		wires: wiresOf(cards, links, isWide),
	};
}

/** A text cut in its middle, so that it takes no more room than that: ids differ at both ends. */
export function fitText(text: string, room: number, perCharacter: number): string {
	const most = Math.max(3, Math.floor(room / perCharacter));
	const characters = [...text];
	if (characters.length <= most) return text;
	const head = Math.ceil((most - 1) / 2);
	return `${characters.slice(0, head).join("")}…${characters.slice(characters.length - (most - 1 - head)).join("")}`;
}
