// SPDX-License-Identifier: Apache-2.0
// Who may see a service and connect to it: the whitelist, by account and by ARN.
import { useState } from "react";
import type { Fields } from "../lib/filter";
import { accountRule } from "../lib/form";
import { Button } from "../ui/button";
import { textColumn } from "./columns";
import { useApp, useText } from "./context";
import type { List } from "./context";
import { FormDialog, useForm, useValues } from "./form";
import { ObjectList } from "./object_list";
import type { ManyAct } from "./object_list";
import { useUserArns, useUsers } from "./provider";
import type { Guest } from "./provider";

const keyOf = (row: Guest): string => row.name;
const fields: Fields<Guest> = { account: keyOf };
const parameterOf = (name: string, isArn: boolean): Record<string, string> => (isArn ? { UserARN: name } : { UserId: name });

function useGuests(service: string): List<Guest> {
	const users = useUsers(service);
	const arns = useUserArns(service);
	const rows = [...users.rows.map((row) => ({ name: String(row.UserId), isArn: false })), ...arns.rows.map((row) => ({ name: row.UserARN, isArn: true }))];
	const state = users.state === "ready" ? arns.state : users.state;
	return { rows, total: rows.length, state, error: users.error ?? arns.error, reload: () => { users.reload(); arns.reload(); } };
}

export function ServiceUsers({ service }: { service: string; }) {
	const t = useText();
	const { client, place } = useApp();
	const list = useGuests(service);
	const [isAdding, setAdding] = useState(false);
	const remove: ManyAct<Guest> = {
		key: "remove", text: t.services.removeUser, icon: "minus", danger: true, title: t.services.removeUserTitle, explain: t.services.removeUserText,
		effect: (row) => t.services.removeUserEffect(row.name),
		act: (row) => client.write("privatelink", "RemoveUserFromVpcEndpointService", { ServiceId: service, ...parameterOf(row.name, row.isArn) }, place.region),
	};
	return (
		<>
			<div className="tab-acts"><Button kind="primary" icon="plus" onClick={() => setAdding(true)}>{t.services.addUser}</Button></div>
			<ObjectList
				label={t.services.tab.users} list={list} fields={fields} keyOf={keyOf} nameOf={keyOf} acts={[remove]} defaultSort="account"
				columns={[
					textColumn<Guest>("account", t.services.account, 50, keyOf, "mono"),
					textColumn<Guest>("form", t.services.form, 20, (row) => (row.isArn ? "ARN" : t.services.accountId)),
				]}
				nothing={{ title: t.services.noUsers, text: t.services.noUsersText }}
			/>
			{isAdding && <AddDialog service={service} onClose={() => setAdding(false)} />}
		</>
	);
}

function AddDialog({ service, onClose }: { service: string; onClose: () => void; }) {
	const t = useText();
	const [values, set] = useValues({ UserId: "" });
	const name = (values["UserId"] ?? "").trim();
	const isArn = !/^\d+$/.test(name);
	const form = useForm({
		product: "privatelink", action: "AddUserToVpcEndpointService", values, set, done: onClose,
		params: { ServiceId: service, ...parameterOf(name === "*" ? "acs:ram:*:*:*" : name, isArn) },
		fields: [{ name: "UserId", label: t.services.account, hint: t.services.accountHint, rules: name.startsWith("acs:") ? [] : [accountRule], codes: /User/ }],
	});
	return <FormDialog title={t.services.addUser} form={form} submit={t.services.addUser} onClose={onClose} />;
}
