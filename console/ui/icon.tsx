// SPDX-License-Identifier: Apache-2.0
// Icons as inline SVG: lines on a field of 16 by 16, in the colour of the text.

const paths = {
	overview: "M2 2h5v6H2zM9 2h5v4H9zM9 8h5v6H9zM2 10h5v4H2z",
	endpoint: "M1 8h4M5 5h4a3 3 0 0 1 0 6H5zM12 8h3",
	service: "M2 3h12v4H2zM2 9h12v4H2zM4.5 5h.01M4.5 11h.01",
	vpc: "M4.5 12.5a3 3 0 0 1-.4-6 4 4 0 0 1 7.7-.5 3.3 3.3 0 0 1-.3 6.5z",
	vswitch: "M1 5h11l-2.5-2.5M15 11H4l2.5 2.5",
	group: "M8 1.5l5.5 2v4c0 3.5-2.5 6-5.5 7-3-1-5.5-3.5-5.5-7v-4zM5.8 8l1.6 1.6L10.4 6.5",
	instance: "M2 2.5h12v8H2zM6 13.5h4M8 10.5v3",
	balancer: "M8 2v4M8 6L3 10M8 6v4M8 6l5 4M1.5 10h3v3.5h-3zM6.5 10h3v3.5h-3zM11.5 10h3v3.5h-3z",
	servers: "M3 2h10v5H3zM3 9h10v5H3zM5.5 4.5h.01M5.5 11.5h.01M8 4.5h3M8 11.5h3",
	activity: "M1 8h3l2-5 3.5 10L12 8h3",
	node: "M8 1.5l6 3.3v6.4l-6 3.3-6-3.3V4.8zM8 8l6-3.2M8 8L2 4.8M8 8v6.5",
	account: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14.5c.5-3 2.7-4.5 5.5-4.5s5 1.5 5.5 4.5",
	search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7L14.5 14.5",
	close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
	check: "M2.5 8.5l3.5 3.5 7.5-8",
	copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
	refresh: "M13.5 3v3.5H10M2.5 13V9.5H6M13 6.5A5.5 5.5 0 0 0 3.2 5M3 9.5A5.5 5.5 0 0 0 12.8 11",
	plus: "M8 2.5v11M2.5 8h11",
	minus: "M3 8h10",
	trash: "M2.5 4h11M6 4V2h4v2M4 4l.7 10h6.6L12 4M6.7 6.5v5M9.3 6.5v5",
	edit: "M2.5 13.5l.6-3L10.5 3l2.5 2.5-7.5 7.5z",
	star: "M8 1.8l1.9 4 4.3.6-3.1 3 .8 4.3L8 11.6l-3.9 2.1.8-4.3-3.1-3 4.3-.6z",
	down: "M3.5 6L8 10.5 12.5 6",
	up: "M3.5 10L8 5.5l4.5 4.5",
	right: "M6 3.5l4.5 4.5L6 12.5",
	left: "M10 3.5L5.5 8l4.5 4.5",
	warning: "M8 1.8l6.8 12H1.2zM8 6v4M8 12h.01",
	info: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 7v4.5M8 4.5h.01",
	stop: "M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2zM8 4.5v4.5M8 11.5h.01",
	clock: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 4v4l2.7 1.7",
	lock: "M3.5 7h9v7h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2",
	unplug: "M5 11l-3.5 3.5M11 5l3.5-3.5M4 7l5 5-1.5 1.5a3.2 3.2 0 0 1-4.5 0 3.2 3.2 0 0 1 0-4.5zM12 9L7 4l1.5-1.5a3.2 3.2 0 0 1 4.5 0 3.2 3.2 0 0 1 0 4.5z",
	filter: "M1.5 2.5h13L9.5 8.5v4.5l-3 1.5v-6z",
	menu: "M2 4h12M2 8h12M2 12h12",
	keyboard: "M1 4h14v8.5H1zM3.5 6.5h.01M6.5 6.5h.01M9.5 6.5h.01M12.5 6.5h.01M4.5 10h7",
	sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
	moon: "M13.5 10A6 6 0 0 1 6 2.5a6 6 0 1 0 7.5 7.5z",
	system: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 1.5v13M10 3v10M12 4.5v7",
	language: "M1.5 4h8M5.5 2v2M8 4c-.5 3.5-3 6-6 7M3 6c.8 2.3 3 4.2 5.5 5M8.5 14.5L11.5 7l3 7.5M9.5 12h4",
	logout: "M6.5 2h-4v12h4M10 4.5L13.5 8 10 11.5M13.5 8h-8",
	external: "M6 3H2.5v10.5H13V10M9 2h5v5M14 2L7.5 8.5",
	play: "M4 2.5l9 5.5-9 5.5z",
	tag: "M2 2h6l6 6-6 6-6-6zM5 5h.01",
	more: "M3 8h.01M8 8h.01M13 8h.01",
	code: "M5 4L1.5 8 5 12M11 4l3.5 4-3.5 4M9.5 2.5l-3 11",
	chart: "M2 2v12h12M4.5 10.5L7.5 7l2.5 2 3.5-4.5",
	path: "M3.5 5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM12.5 14a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM3.5 5v3.5a4 4 0 0 0 4 4H11",
	columns: "M2 2.5h12v11H2zM6 2.5v11M10 2.5v11",
} as const;

export type IconName = keyof typeof paths;

/** Decoration beside words; with `label` it speaks for itself. */
export function Icon({ name, label }: { name: IconName; label?: string; }) {
	const speak = label ? { role: "img", "aria-label": label } : { "aria-hidden": true };
	return (
		<svg className="icon" viewBox="0 0 16 16" width="16" height="16" {...speak}>
			<path d={paths[name]} />
		</svg>
	);
}
