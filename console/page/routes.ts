// SPDX-License-Identifier: Apache-2.0
// Which page stands at which address, and what the navigation shows. A page that is not in the table does not exist: no link leads to it.
import type { ComponentType, LazyExoticComponent } from "react";
import type { Place } from "../lib/address";
import type { Texts } from "../text/en";
import type { IconName } from "../ui/icon";
import type { PageProps } from "./context";
import { EndpointCreatePage } from "./endpoint_create";
import { EndpointPage } from "./endpoint";
import { EndpointsPage } from "./endpoints";
import { CreateInstancePage, InstancePage, InstancesPage } from "./instances";
import { latePage } from "./late";
import { OverviewPage } from "./overview";
import { CreateSecurityGroupPage, SecurityGroupPage, SecurityGroupsPage } from "./security_groups";
import { ServicePage } from "./service";
import { CreateServicePage, ServicesPage } from "./services";
import { CreateVpcPage, VpcPage, VpcsPage } from "./vpcs";
import { CreateVswitchPage, VswitchPage, VswitchesPage } from "./vswitches";

export interface Route {
	page: string;
	/** Absent: the page itself; `create`: that word; `*`: an object's id. */
	id?: "create" | "*";
	show: ComponentType<PageProps> | LazyExoticComponent<ComponentType<PageProps>>;
	/** The text of the page's name in the navigation; pages without are reached from others. */
	nav?: keyof Texts["nav"];
	group?: keyof Texts["groups"];
	icon?: IconName;
	/** `g` and this key go there. */
	key?: string;
	/** For administrators alone. */
	admin?: boolean;
}

/** What few look at comes when it is wanted. */
const admin = () => import("./admin");
const activity = () => import("./activity");
const balancers = () => import("./balancers");
const serverGroups = () => import("./server_groups");

/** In the order of the navigation; the first one is where one lands. */
export const routes: Route[] = [
	{ page: "overview", show: OverviewPage, nav: "overview", group: "privatelink", icon: "overview", key: "o" },
	{ page: "endpoints", show: EndpointsPage, nav: "endpoints", group: "privatelink", icon: "endpoint", key: "e" },
	{ page: "endpoints", id: "create", show: EndpointCreatePage },
	{ page: "services", show: ServicesPage, nav: "services", group: "privatelink", icon: "service", key: "p" },
	{ page: "services", id: "create", show: CreateServicePage },
	{ page: "services", id: "*", show: ServicePage },
	{ page: "endpoints", id: "*", show: EndpointPage },
	{ page: "vpcs", show: VpcsPage, nav: "vpcs", group: "network", icon: "vpc", key: "v" },
	{ page: "vpcs", id: "create", show: CreateVpcPage },
	{ page: "vpcs", id: "*", show: VpcPage },
	{ page: "vswitches", show: VswitchesPage, nav: "vswitches", group: "network", icon: "vswitch", key: "w" },
	{ page: "vswitches", id: "create", show: CreateVswitchPage },
	{ page: "vswitches", id: "*", show: VswitchPage },
	{ page: "securitygroups", show: SecurityGroupsPage, nav: "securityGroups", group: "network", icon: "group", key: "r" },
	{ page: "securitygroups", id: "create", show: CreateSecurityGroupPage },
	{ page: "securitygroups", id: "*", show: SecurityGroupPage },
	{ page: "instances", show: InstancesPage, nav: "instances", group: "network", icon: "instance", key: "i" },
	{ page: "instances", id: "create", show: CreateInstancePage },
	{ page: "instances", id: "*", show: InstancePage },
	{ page: "balancers", show: latePage(balancers, (m) => m.BalancersPage), nav: "balancers", group: "network", icon: "balancer", key: "l" },
	{ page: "balancers", id: "create", show: latePage(balancers, (m) => m.CreateBalancerPage) },
	{ page: "balancers", id: "*", show: latePage(balancers, (m) => m.BalancerPage) },
	{ page: "servergroups", show: latePage(serverGroups, (m) => m.ServerGroupsPage), nav: "serverGroups", group: "network", icon: "servers", key: "b" },
	{ page: "servergroups", id: "create", show: latePage(serverGroups, (m) => m.CreateServerGroupPage) },
	{ page: "servergroups", id: "*", show: latePage(serverGroups, (m) => m.ServerGroupPage) },
	{ page: "activity", show: latePage(activity, (m) => m.ActivityPage), nav: "activity", group: "operation", icon: "activity", key: "a" },
	{ page: "nodes", show: latePage(admin, (m) => m.NodesPage), nav: "nodes", group: "operation", icon: "node", key: "n", admin: true },
	{ page: "accounts", show: latePage(admin, (m) => m.AccountsPage), nav: "accounts", group: "operation", icon: "account", key: "k", admin: true },
	{ page: "accounts", id: "*", show: latePage(admin, (m) => m.AccountPage), admin: true },
	{ page: "bindings", show: latePage(admin, (m) => m.BindingsPage), nav: "bindings", group: "operation", icon: "lock", admin: true },
	{ page: "bindings", id: "*", show: latePage(admin, (m) => m.BindingPage), admin: true },
];

export function findRoute(place: Place): Route | undefined {
	const exact = routes.find((route) => route.page === place.page && route.id === place.id);
	return exact ?? (place.id ? routes.find((route) => route.page === place.page && route.id === "*") : undefined);
}
