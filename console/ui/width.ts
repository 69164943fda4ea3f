// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "react";
import type { RefObject } from "react";

/** The width that an element has, in whole pixels; 0 until it is known. */
export function useWidth<T extends HTMLElement>(): [RefObject<T>, number] {
	const ref = useRef<T>(null);
	const [width, setWidth] = useState(0);
	useEffect(() => {
		const element = ref.current;
		if (!element) return;
		const measure = (): void => setWidth(Math.floor(element.clientWidth));
		const observer = new ResizeObserver(measure);
		observer.observe(element);
		measure();
		return () => observer.disconnect();
	}, []);
	return [ref, width];
}
