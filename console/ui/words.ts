// SPDX-License-Identifier: Apache-2.0
// The few words that widgets say by themselves. Whoever shows widgets provides them in the reader's language.
import { createContext, useContext } from "react";

export interface Words {
	cancel: string;
	close: string;
	copy: string;
	copied: string;
	add: string;
	remove: string;
	working: string;
	optional: string;
	noMatch: string;
	moreMatches: (n: number) => string;
	selectAll: string;
	selectRow: (name: string) => string;
	sortBy: (column: string) => string;
	tagKey: string;
	tagValue: string;
	failedRows: (n: number) => string;
	done: string;
	noData: string;
	asTable: string;
	asChart: string;
	time: string;
}

export const WordsContext = createContext<Words | null>(null);

export function useWords(): Words {
	const words = useContext(WordsContext);
	if (!words) throw new Error("widgets stand inside WordsContext");
	return words;
}
