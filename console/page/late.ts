// SPDX-License-Identifier: Apache-2.0
// Parts of the console that come when they are wanted, so that the page is there sooner.
import { lazy } from "react";
import type { ComponentType, LazyExoticComponent } from "react";
import { late } from "../lib/late";
import type { PageProps } from "./context";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const part = <T>(load: () => Promise<T>): Promise<T> => late(load, () => location.reload(), sleep);

/** A page that comes with a part. */
export function latePage<M>(load: () => Promise<M>, page: (module: M) => ComponentType<PageProps>): LazyExoticComponent<ComponentType<PageProps>> {
	return lazy(() => part(load).then((module) => ({ default: page(module) })));
}
