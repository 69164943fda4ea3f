// SPDX-License-Identifier: Apache-2.0
// Who calls, and the account's resource groups: STS and ResourceManager by the older official client (V1 signature), as Terraform's provider asks it.
'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { accounts, acs3, raw_v1, refused, v1 } = require('./client');

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

test('resource groups as the older client sees them: made, shown, listed, used, deleted', async () => {
	const groups = v1(accounts.consumer, 'resourcemanager');
	const vpc = v1(accounts.consumer, 'vpc');
	const list = async (more = {}) =>
		(await groups('ListResourceGroups', { PageNumber: 1, PageSize: 50, ...more })).ResourceGroups.ResourceGroup;

	const [first] = await list();
	assert.equal(first.Name, 'default');
	const { ResourceGroup } = await groups('CreateResourceGroup', { Name: 'team', DisplayName: 'The team' });
	assert.match(ResourceGroup.Id, /^rg-[a-z0-9]+$/);
	assert.equal(ResourceGroup.AccountId, accounts.consumer.uid);
	assert.deepEqual((await list({ Status: 'OK' })).map((g) => g.Id), [first.Id, ResourceGroup.Id]);
	const shown = (await groups('GetResourceGroup', { ResourceGroupId: ResourceGroup.Id })).ResourceGroup;
	assert.equal(shown.Status, 'OK');
	assert.ok(shown.RegionStatuses.RegionStatus.length);

	const { VpcId } = await vpc('CreateVpc', { CidrBlock: '10.0.0.0/16', ResourceGroupId: ResourceGroup.Id });
	const held = await refused(groups('DeleteResourceGroup', { ResourceGroupId: ResourceGroup.Id }));
	assert.equal(held.code, 'DeleteConflict.ResourceGroup.Resource');
	await vpc('DeleteVpc', { VpcId });
	for (const end = Date.now() + 15000; (await vpc('DescribeVpcs', { VpcId })).TotalCount; )
		assert.ok(Date.now() < end, 'the VPC goes');
	await groups('DeleteResourceGroup', { ResourceGroupId: ResourceGroup.Id });
	const gone = await refused(groups('GetResourceGroup', { ResourceGroupId: ResourceGroup.Id }));
	assert.equal(gone.code, 'EntityNotExists.ResourceGroup');
	assert.match(gone.message, /NotFound/);
	const foreign = await refused(vpc('CreateVpc', { ResourceGroupId: `rg-acct${accounts.provider.uid}` }));
	assert.match(foreign.message, /NotFound/);
});

test('no group is called by two accounts alike, and no region is needed', async () => {
	const ids = [];
	for (const account of [accounts.consumer, accounts.provider]) {
		const answer = await raw_v1(account, 'resourcemanager', 'ListResourceGroups', { SignatureType: '', PageSize: '50' });
		assert.equal(answer.status, 200, answer.text);
		ids.push(answer.json.ResourceGroups.ResourceGroup[0].Id);
	}
	assert.notEqual(ids[0], ids[1]);
});
