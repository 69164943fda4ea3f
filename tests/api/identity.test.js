// SPDX-License-Identifier: Apache-2.0
// Who calls: STS by the older official client (V1 signature), as Terraform's provider asks it.
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { accounts, acs3, raw_v1, v1 } = require('./client');

for (const name of ['consumer', 'provider']) {
	test(`the ${name} is told whose key it has`, async () => {
		const { uid } = accounts[name];
		const answer = await v1(accounts[name], 'sts')('GetCallerIdentity');
		const { RequestId, ...rest } = answer;
		assert.match(RequestId, /^[0-9A-F-]{36}$/);
		assert.deepEqual(rest, {
			AccountId: uid,
			IdentityType: 'Account',
			UserId: uid,
			PrincipalId: uid,
			Arn: `acs:ram::${uid}:root`,
		});
	});
}

test('the newer signature gives the same', async () => {
	const answer = await acs3(accounts.consumer, 'sts')('GetCallerIdentity');
	assert.equal(answer.AccountId, accounts.consumer.uid);
});

test('an empty SignatureType, as the Go client signs it, and no region are fine', async () => {
	for (const method of ['GET', 'POST']) {
		const answer = await raw_v1(accounts.consumer, 'sts', 'GetCallerIdentity', { SignatureType: '' }, { method });
		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.json.AccountId, accounts.consumer.uid);
	}
});
