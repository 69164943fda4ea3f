// SPDX-License-Identifier: Apache-2.0
// The way to a page that was reached by plain HTTP at another machine's address: a tunnel, so that the address is this machine's own.

type Where = Pick<Location, "hostname" | "port" | "protocol" | "pathname" | "hash">;

export function tunnel(where: Where): { command: string; address: string; } {
	const port = where.port || (where.protocol === "https:" ? "443" : "80");
	const local = Number(port) < 1024 ? "8080" : port;
	const login = where.hostname.replace(/^\[|\]$/g, "");
	return {
		command: `ssh -N -L ${local}:${where.hostname}:${port} root@${login}`,
		address: `http://127.0.0.1:${local}${where.pathname}${where.hash}`,
	};
}
