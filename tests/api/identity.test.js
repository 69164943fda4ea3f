// SPDX-License-Identifier: Apache-2.0
// Who calls, the account's users and keys, and its resource groups: STS, RAM and ResourceManager by the older official client (V1 signature), as Terraform's provider asks it.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const test = require('node:test');
const { accounts, acs3, raw_v1, refused, until, v1 } = require('./client');

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
	await until('the VPC is gone', async () => (await vpc('DescribeVpcs', { VpcId })).TotalCount === 0);
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

// --- users and keys

const ram = v1(accounts.consumer, 'ram');

test('a user is made, shown and listed as the older client asks', async () => {
	const { User } = await ram('CreateUser', {
		UserName: 'builder',
		DisplayName: 'The builder',
		MobilePhone: '86-18600008888',
		Email: 'builder@example.com',
		Comments: 'by a test',
	});
	assert.match(User.UserId, /^[0-9]{18}$/);
	assert.match(User.CreateDate, /^[0-9T:-]+Z$/);
	const shown = (await ram('GetUser', { UserName: 'builder' })).User;
	assert.deepEqual(shown, User);
	const listed = await ram('ListUsers', { MaxItems: 100 });
	assert.equal(listed.IsTruncated, false);
	assert.deepEqual(listed.Users.User, [User]);
	assert.equal((await refused(ram('CreateUser', { UserName: 'builder' }))).code, 'EntityAlreadyExists.User');
	const none = await refused(ram('GetUser', { UserName: 'nobody' }));
	assert.equal(none.code, 'EntityNotExist.User');
	assert.match(none.message, /NotFound/);
});

test("a user's key signs calls as that user of the account, until it is switched off", async () => {
	const { AccessKey } = await ram('CreateAccessKey', { UserName: 'builder' });
	const builder = { key: AccessKey.AccessKeyId, secret: AccessKey.AccessKeySecret };
	const who = await v1(builder, 'sts')('GetCallerIdentity');
	assert.equal(who.IdentityType, 'RAMUser');
	assert.equal(who.AccountId, accounts.consumer.uid);
	assert.equal(who.Arn, `acs:ram::${accounts.consumer.uid}:user/builder`);

	const { VpcId } = await v1(accounts.consumer, 'vpc')('CreateVpc', { CidrBlock: '10.9.0.0/16' });
	assert.equal((await acs3(builder, 'vpc')('DescribeVpcAttribute', { VpcId })).VpcId, VpcId);
	await acs3(builder, 'vpc')('DeleteVpc', { VpcId });
	assert.equal((await refused(v1(builder, 'ram')('ListUsers'))).code, 'NoPermission');
	assert.equal((await refused(v1(builder, 'ram')('CreateAccessKey', { UserName: 'other' }))).code, 'NoPermission');

	await ram('UpdateAccessKey', { UserName: 'builder', UserAccessKeyId: builder.key, Status: 'Inactive' });
	assert.equal((await refused(v1(builder, 'sts')('GetCallerIdentity'))).code, 'InvalidAccessKeyId.Inactive');
	assert.equal((await refused(ram('DeleteUser', { UserName: 'builder' }))).code, 'DeleteConflict.User.AccessKey');
	await ram('DeleteAccessKey', { UserName: 'builder', UserAccessKeyId: builder.key });
	assert.equal((await refused(v1(builder, 'sts')('GetCallerIdentity'))).code, 'InvalidAccessKeyId.NotFound');
});

// The command line with a key: its output.
function privlink(account, ...args) {
	return execFileSync(`${process.env.BUILD}/src/cmd/privlink`, [...args, '--config', '/dev/null'], {
		env: {
			PATH: process.env.PATH,
			PRIVLINK_ENDPOINT: `http://${process.env.PRIVLINK_HTTP}`,
			PRIVLINK_ACCESS_KEY_ID: account.key,
			PRIVLINK_ACCESS_KEY_SECRET: account.secret,
			PRIVLINK_REGION: 'cn-hangzhou',
		},
		encoding: 'utf8',
	});
}

const words = (text) => text.match(/PLAK[0-9a-zA-Z]{20}|[0-9a-zA-Z]{30}/g);

test('an account and its user exchange their keys on the command line, without the operator', () => {
	for (const user of [undefined, 'builder']) {
		const of_user = user ? ['--user', user] : [];
		const [key, secret] = words(privlink(accounts.consumer, 'key', 'create', ...of_user));
		const first = { key, secret };
		assert.match(privlink(first, 'account', 'whoami'), user ? /RAMUser/ : /Account/);
		const [next_key, next_secret] = words(privlink(first, 'key', 'create'));
		const next = { key: next_key, secret: next_secret };
		privlink(next, 'key', 'disable', first.key);
		assert.match(privlink(next, 'key', 'list'), new RegExp(`${first.key} +Inactive`));
		assert.throws(() => privlink(first, 'key', 'list'), /InvalidAccessKeyId.Inactive/);
		privlink(next, 'key', 'delete', first.key);
		privlink(accounts.consumer, 'key', 'delete', next.key, ...of_user);
		assert.throws(() => privlink(next, 'key', 'list'), /InvalidAccessKeyId.NotFound/);
	}
	assert.match(privlink(accounts.consumer, 'user', 'list'), /builder/);
	privlink(accounts.consumer, 'user', 'delete', 'builder');
	assert.doesNotMatch(privlink(accounts.consumer, 'user', 'list'), /builder/);
});
