// SPDX-License-Identifier: Apache-2.0
// The steps of a connectivity test, as they are told: first what concerns all zones, then zone by zone.

export interface TestStep {
	Kind: string;
	Target?: string;
	ZoneId?: string;
	/** Absent: none yet. */
	Result?: string;
	Code?: string;
	Text?: string;
	LatencyUs?: number;
}

export interface StepGroup {
	zone: string;
	steps: TestStep[];
	state: "Ok" | "Failed" | "Skipped" | "Pending";
}

const isOpen = (step: TestStep): boolean => !step.Result;

/** What a zone's steps come to. A ping that a security group keeps out says nothing about the service. */
function stateOf(steps: readonly TestStep[]): StepGroup["state"] {
	if (steps.some(isOpen)) return "Pending";
	const decisive = steps.filter((step) => step.Kind !== "Ping");
	const judged = decisive.length > 0 ? decisive : steps;
	if (judged.some((step) => step.Result === "Failed")) return "Failed";
	return judged.some((step) => step.Result === "Ok") ? "Ok" : "Skipped";
}

export function groupSteps(steps: readonly TestStep[]): StepGroup[] {
	const groups = new Map<string, TestStep[]>();
	for (const step of steps) groups.set(step.ZoneId ?? "", [...(groups.get(step.ZoneId ?? "") ?? []), step]);
	return [...groups.entries()]
		.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
		.map(([zone, of]) => ({ zone, steps: of, state: stateOf(of) }));
}

/** Whether what the configuration says and what packets did are the same; undefined while one of them is not known. */
export function agreement(test: { Agree?: boolean; Verdict?: string; Path?: { Verdict?: string; }; }): boolean | undefined {
	if (typeof test.Agree === "boolean") return test.Agree;
	if (!test.Verdict || !test.Path?.Verdict) return undefined;
	return test.Verdict === test.Path.Verdict;
}

/** "850 µs", "12.4 ms", "3 s". */
export function formatLatency(us: number | undefined, language: string): string {
	if (!us) return "";
	const [value, unit] = us < 1000 ? [us, "µs"] : us < 1_000_000 ? [us / 1000, "ms"] : [us / 1_000_000, "s"];
	return `${new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)} ${unit}`;
}
