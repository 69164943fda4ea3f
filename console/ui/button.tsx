// SPDX-License-Identifier: Apache-2.0
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { Icon } from "./icon";
import type { IconName } from "./icon";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
	kind?: "primary" | "normal" | "danger" | "quiet";
	icon?: IconName;
	/** Shows that the act is under way and takes no second click. */
	busy?: boolean;
	children?: ReactNode;
}

/** Without words in it, it needs an aria-label. */
export function Button({ kind = "normal", icon, busy, children, disabled, className = "", ...rest }: ButtonProps) {
	return (
		<button type="button" {...rest} className={`button ${kind} ${children ? "" : "bare"} ${className}`} disabled={disabled || busy} aria-busy={busy || undefined}>
			{busy ? <Spinner /> : icon && <Icon name={icon} />}
			{children}
		</button>
	);
}

export function Spinner() {
	return <span className="spinner" aria-hidden="true" />;
}
