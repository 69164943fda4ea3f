// SPDX-License-Identifier: Apache-2.0
// Which page stands at which address, and what the navigation shows. A page that is not in the table does not exist: no link leads to it.
import type { ComponentType } from "react";
import type { Place } from "../lib/address";
import type { Texts } from "../text/en";
import type { IconName } from "../ui/icon";
import type { PageProps } from "./context";
import { EndpointsPage } from "./endpoints";

export interface Route {
	page: string;
	/** Absent: the page itself; `create`: that word; `*`: an object's id. */
	id?: "create" | "*";
	show: ComponentType<PageProps>;
	/** The text of the page's name in the navigation; pages without are reached from others. */
	nav?: keyof Texts["nav"];
	group?: keyof Texts["groups"];
	icon?: IconName;
	/** `g` and this key go there. */
	key?: string;
	/** For administrators alone. */
	admin?: boolean;
}

/** In the order of the navigation; the first one is where one lands. */
export const routes: Route[] = [
	{ page: "endpoints", show: EndpointsPage, nav: "endpoints", group: "privatelink", icon: "endpoint", key: "e" },
];

export function findRoute(place: Place): Route | undefined {
	const exact = routes.find((route) => route.page === place.page && route.id === place.id);
	return exact ?? (place.id ? routes.find((route) => route.page === place.page && route.id === "*") : undefined);
}
