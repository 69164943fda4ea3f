// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";

/** A page's heading, what the page is for, and what one can begin here. */
export function PageHead({ title, text, children, before }: { title: ReactNode; text?: ReactNode; children?: ReactNode; before?: ReactNode; }) {
	return (
		<header className="page-head">
			<div className="grow">
				{before}
				<h1 tabIndex={-1}>{title}</h1>
				{text && <p className="muted">{text}</p>}
			</div>
			{children && <div className="row">{children}</div>}
		</header>
	);
}
