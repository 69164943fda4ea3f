// SPDX-License-Identifier: Apache-2.0
// Every text of the console, in Chinese.
import type {Texts} from "./en"

export const zh: Texts = {
	title: "privlink 控制台",
}
