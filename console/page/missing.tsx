// SPDX-License-Identifier: Apache-2.0
// What stands where no page is.
import { Button } from "../ui/button";
import { Empty } from "../ui/empty";
import { useGo, useText, useTitle } from "./context";
import type { PageProps } from "./context";
import { PageHead } from "./head";
import { formatPlace } from "../lib/address";

export function MissingPage({ place }: PageProps) {
	const t = useText();
	const go = useGo();
	useTitle(t.missing.title);
	return (
		<>
			<PageHead title={t.missing.title} />
			<Empty kind="notFound" title={t.missing.what} text={<><span className="mono">{formatPlace(place)}</span><br />{t.missing.text}</>}>
				<Button onClick={() => go({ page: "endpoints" })}>{t.missing.toEndpoints}</Button>
			</Empty>
		</>
	);
}
