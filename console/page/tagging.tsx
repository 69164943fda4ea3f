// SPDX-License-Identifier: Apache-2.0
// Tags of any kind of object: each product has its own words for the same act.
import { useState } from "react";
import { visible } from "../lib/visible";
import type { ApiCall } from "../lib/copy";
import { checkTag, tagLimit } from "../lib/form";
import type { Tag } from "../lib/form";
import { Banner } from "../ui/banner";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { TagEditor } from "../ui/tags";
import { useApp, useText } from "./context";
import { CopyCall } from "./copy_call";
import { errorText } from "./errors";

const kinds = {
	endpoint: { product: "privatelink", type: "vpcendpoint", untag: "UntagResources" },
	service: { product: "privatelink", type: "vpcendpointservice", untag: "UntagResources" },
	vpc: { product: "vpc", type: "VPC", untag: "UnTagResources" },
	vswitch: { product: "vpc", type: "VSWITCH", untag: "UnTagResources" },
	group: { product: "ecs", type: "securitygroup", untag: "UntagResources" },
	instance: { product: "ecs", type: "instance", untag: "UntagResources" },
	balancer: { product: "nlb", type: "loadbalancer", untag: "UntagResources" },
	servers: { product: "nlb", type: "servergroup", untag: "UntagResources" },
} as const;

export type TaggedKind = keyof typeof kinds;

export interface Tagged {
	id: string;
	name: string;
	tags: Tag[];
}

/** What makes the tags of an object what `after` says. */
function callsFor(kind: TaggedKind, region: string, id: string, before: Tag[], after: Tag[]): ApiCall[] {
	const { product, type, untag } = kinds[kind];
	const gone = before.filter((tag) => !after.some((other) => other.Key === tag.Key)).map((tag) => tag.Key);
	const put = after.filter((tag) => !before.some((other) => other.Key === tag.Key && other.Value === tag.Value));
	const which = { ResourceType: type, ResourceId: [id] };
	return [
		...(gone.length > 0 ? [{ product, action: untag, region, params: { ...which, TagKey: gone } }] : []),
		...(put.length > 0 ? [{ product, action: "TagResources", region, params: { ...which, Tag: put } }] : []),
	];
}

/** One object: its tags as they are. Several: tags that all of them get. */
export function TaggingDialog({ kind, objects, onClose }: { kind: TaggedKind; objects: Tagged[]; onClose: () => void; }) {
	const t = useText();
	const { client, place } = useApp();
	const only = objects.length === 1 ? objects[0] : undefined;
	const [tags, setTags] = useState<Tag[]>(only ? only.tags : [{ Key: "", Value: "" }]);
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>();
	const wrong = (i: number): string | null => {
		const key = checkTag(tags, i);
		return key && t.rules[key];
	};
	const isWrong = tags.some((_, i) => checkTag(tags, i) !== null);
	const calls = objects.flatMap((object) => callsFor(kind, place.region, object.id, only ? object.tags : [], tags));
	const save = async (): Promise<void> => {
		setBusy(true);
		try {
			for (const { product, action, params, region } of calls) await client.write(product, action, params, region);
			onClose();
		} catch (failure) {
			setError(failure);
			setBusy(false);
		}
	};
	const foot = (
		<>
			<Button onClick={onClose}>{t.ui.cancel}</Button>
			<Button kind="primary" type="submit" busy={busy} disabled={isWrong}>{t.common.save}</Button>
		</>
	);
	return (
		<Dialog title={only ? t.network.tagsOf(visible(only.name)) : t.network.tagsForAll(objects.length)} onClose={onClose} onSubmit={() => { if (!isWrong) void save(); }} foot={foot}>
			{error !== undefined && <Banner kind="bad">{errorText(error, t)}</Banner>}
			<TagEditor label={t.network.tags} tags={tags} onChange={setTags} errorOf={wrong} limit={tagLimit} />
			{calls.length > 0 && !isWrong && <CopyCall calls={calls} />}
		</Dialog>
	);
}
