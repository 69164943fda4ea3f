// SPDX-License-Identifier: Apache-2.0
// The table of the command line's commands that change something, which the build asks the command line for (src/cli/command_table.c).
declare module "console/commands.json" {
	export interface Option {
		/** `--vpc`, or `VPC` for an argument by position. */
		name: string;
		parameter: string;
		/** `own`: the command line makes parameters of its value in a way of its own. */
		type: "text" | "flag" | "list" | "tuple" | "own";
		required?: boolean;
		members?: string[];
	}
	export interface Command {
		group: string;
		name: string;
		product: string;
		action: string;
		/** Parameters that the command always sends. */
		fixed: Record<string, string>;
		options: Option[];
	}
	const commands: Command[];
	export default commands;
}
