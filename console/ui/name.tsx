// SPDX-License-Identifier: Apache-2.0
import { visible } from "../lib/visible";

/** A text that somebody wrote: a name, a description, a tag. It turns no other text's direction, and hides nothing. */
export function Name({ text }: { text: string; }) {
	return <bdi>{visible(text)}</bdi>;
}
