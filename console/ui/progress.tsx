// SPDX-License-Identifier: Apache-2.0
import { Status } from "./status";
import type { StatusKind } from "./status";

export interface Step {
	key: string;
	title: string;
	kind: StatusKind;
	text: string;
}

/** Long work, step by step; each step says how far it is. */
export function Progress({ label, steps }: { label: string; steps: Step[]; }) {
	const done = steps.filter((step) => step.kind === "ok").length;
	return (
		<div className="progress">
			<div className="progress-head">
				<progress value={done} max={steps.length} aria-label={label} />
				<span aria-live="polite">{done} / {steps.length}</span>
			</div>
			<ol>
				{steps.map((step) => (
					<li key={step.key}>
						<span>{step.title}</span>
						<Status kind={step.kind} text={step.text} />
					</li>
				))}
			</ol>
		</div>
	);
}
