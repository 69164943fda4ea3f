// SPDX-License-Identifier: Apache-2.0
import { visible } from "../lib/visible";
import { Button } from "./button";
import { useWords } from "./words";

export interface TagEntry {
	Key: string;
	Value: string;
}

/** Tags to read; a click on one can filter by it. */
export function TagList({ tags, onTag }: { tags: TagEntry[]; onTag?: (tag: TagEntry) => void; }) {
	return (
		<span className="tags">
			{tags.map((tag) => {
				const text = visible(tag.Value ? `${tag.Key}: ${tag.Value}` : tag.Key);
				return onTag
					? <button key={tag.Key} type="button" className="tag" title={text} onClick={() => onTag(tag)}><bdi>{text}</bdi></button>
					: <span key={tag.Key} className="tag" title={text}><bdi>{text}</bdi></span>;
			})}
		</span>
	);
}

export interface TagEditorProps {
	tags: TagEntry[];
	onChange: (tags: TagEntry[]) => void;
	/** What is wrong with entry i, in words. */
	errorOf: (i: number) => string | null;
	limit: number;
	label: string;
}

/** Tags to write: a row each. */
export function TagEditor({ tags, onChange, errorOf, limit, label }: TagEditorProps) {
	const words = useWords();
	const set = (i: number, part: Partial<TagEntry>): void => onChange(tags.map((tag, j) => (j === i ? { ...tag, ...part } : tag)));
	return (
		<fieldset className="tag-editor">
			<legend>{label}</legend>
			{tags.map((tag, i) => {
				const error = errorOf(i);
				const describe = { "aria-invalid": error ? true : undefined, "aria-describedby": error ? `tag-error-${i}` : undefined };
				return (
					<div key={i} className="tag-row">
						<input aria-label={`${words.tagKey} ${i + 1}`} placeholder={words.tagKey} value={tag.Key} onChange={(event) => set(i, { Key: event.target.value })} {...describe} />
						<input aria-label={`${words.tagValue} ${i + 1}`} placeholder={words.tagValue} value={tag.Value} onChange={(event) => set(i, { Value: event.target.value })} {...describe} />
						<Button kind="quiet" icon="trash" aria-label={`${words.remove} ${tag.Key || i + 1}`} onClick={() => onChange(tags.filter((_, j) => j !== i))} />
						{error && <p id={`tag-error-${i}`} className="field-error" role="alert">{error}</p>}
					</div>
				);
			})}
			<Button icon="plus" disabled={tags.length >= limit} onClick={() => onChange([...tags, { Key: "", Value: "" }])}>{words.add}</Button>
		</fieldset>
	);
}
