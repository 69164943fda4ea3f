// SPDX-License-Identifier: Apache-2.0
// What Alibaba's Terraform provider does with an API: how it signs and where it puts parameters, what it waits for and how,
// which refusals it repeats a call after, what it takes for "not found", which members it crashes without, and the
// calls of each of its resources. Its pauses are left out: it polls at once. An acceptance test of the provider is a list of
// configurations (steps) that are applied one after the other, and destroyed in the end.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { percent, send, stamp } = require('./client');

const versions = {
	privatelink: '2020-04-15',
	vpc: '2016-04-28',
	ecs: '2014-05-26',
	nlb: '2022-04-30',
	slb: '2014-05-15',
	ram: '2015-05-01',
	resourcemanager: '2020-03-31',
	sts: '2015-04-01',
};
const patience_s = 60; // for what the provider waits minutes for
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class ApiError extends Error {
	constructor(action, answer) {
		super(`${action}: ${answer.status} ${answer.text}`);
		this.code = answer.json && answer.json.Code;
		this.status = answer.status;
		this.body = answer.text;
		this.text = (answer.json && answer.json.Message) || '';
	}
}

// The three ways of "not found": by status, by a word of the message, by the codes of the call.
const is_gone = (e, ...codes) =>
	e instanceof ApiError && (e.status === 404 || e.text.includes('NotFound') || codes.includes(e.code));

const plus = (s) => percent(s).replace(/%20/g, '+');

// Lists and objects become flat keys; what is undefined is not sent, what is empty is.
function flat(parameters, prefix = '') {
	const found = {};
	for (const [name, value] of Object.entries(parameters)) {
		if (Array.isArray(value)) {
			value.forEach((entry, i) =>
				Object.assign(
					found,
					typeof entry === 'object' ? flat(entry, `${prefix}${name}.${i + 1}.`) : { [`${prefix}${name}.${i + 1}`]: String(entry) },
				),
			);
		} else if (value !== null && typeof value === 'object') {
			Object.assign(found, flat(value, `${prefix}${name}.`));
		} else if (value !== undefined && value !== null) {
			found[prefix + name] = String(value);
		}
	}
	return found;
}

// One request, signed with V1. Common parameters are in the query, the call's own in the form but for those in `query`.
async function request(account, product, action, form, query) {
	const common = {
		AccessKeyId: account.key,
		Action: action,
		Format: 'json',
		SignatureMethod: 'HMAC-SHA1',
		SignatureNonce: crypto.randomUUID(),
		SignatureVersion: '1.0',
		Timestamp: stamp(),
		Version: versions[product],
		...flat(query),
	};
	const body_parameters = flat(form);
	const all = { ...common, ...body_parameters };
	const canonical = Object.keys(all).sort().map((k) => `${percent(k)}=${percent(all[k])}`).join('&');
	common.Signature = crypto
		.createHmac('sha1', `${account.secret}&`)
		.update(`POST&%2F&${percent(canonical)}`)
		.digest('base64');
	const text = (parameters) => Object.entries(parameters).map(([k, v]) => `${plus(k)}=${plus(v)}`).join('&');
	const body = text(body_parameters);
	return send({
		method: 'POST',
		path: `/?${text(common)}`,
		headers: {
			'content-type': 'application/x-www-form-urlencoded',
			'content-length': Buffer.byteLength(body),
			'accept-encoding': 'gzip',
			'x-acs-action': action,
			'x-acs-version': versions[product],
			'user-agent': 'AlibabaCloud (linux; amd64) Golang/1.24 Core/0.01 TeaDSL/1 HashiCorp-Terraform/1.11.4 Terraform-Provider/1.289.0',
		},
		body,
	});
}

// The older client: everything in the query, an empty body, and an empty SignatureType that is signed.
const older = new Set(['ram', 'sts']);

const token_of = (action) => `TF-${action}-${Math.floor(Date.now() / 1000)}-${crypto.randomUUID()}`.slice(0, 64);

// The calls of one account in one region.
class Api {
	constructor(account, region) {
		Object.assign(this, { account, region, retries: 0 });
	}

	in_region(region) {
		return new Api(this.account, region);
	}

	async once(product, action, form = {}, query = {}) {
		const everything = older.has(product)
			? [{}, { Format: 'JSON', SignatureType: '', RegionId: this.region, ...form, ...query }]
			: [form, query];
		const answer = await request(this.account, product, action, ...everything);
		const failed = answer.json && answer.json.Code && !['200', '0', 'OK', 'Success'].includes(String(answer.json.Code));
		if (answer.status >= 400 || (failed && answer.json.Message)) {
			throw new ApiError(action, answer);
		}
		Object.defineProperty(answer.json, 'text', { value: answer.text });
		return answer.json;
	}

	// Repeated after some codes until its time is over. `token`: the same for each try, or (renew) another.
	async call(product, action, form = {}, { query, retry = [], token = false, renew = false } = {}) {
		const always = /Throttling|ServiceUnavailable|Rejected\.Throttling/;
		const deadline = Date.now() + patience_s * 1000;
		let with_token = token ? { ClientToken: token_of(action) } : {};
		for (;;) {
			try {
				return await this.once(product, action, { ...form, ...with_token }, query);
			} catch (e) {
				const again = e instanceof ApiError && (always.test(e.code) || e.status >= 500 || retry.includes(e.code));
				if (!again || Date.now() > deadline) {
					throw e;
				}
				this.retries++;
				with_token = renew ? { ClientToken: token_of(action) } : with_token;
				await pause(100);
			}
		}
	}

	privatelink(action, form, options) {
		return this.call('privatelink', action, { RegionId: this.region, ...form }, options);
	}
}

// Polls until the value is the wanted one; any other keeps waiting.
async function wait(what, probe, ...wanted) {
	const deadline = Date.now() + patience_s * 1000;
	let value;
	do {
		value = await probe();
		if (wanted.includes(value)) {
			return;
		}
		await pause(20);
	} while (Date.now() < deadline);
	throw new Error(`${what}: ${value} and not ${wanted}`);
}

const absent = async (what, read) => wait(`${what} is gone`, async () => (await read()) === null, true);

// Members that the provider reads without asking whether they are there; it crashes without.
function need(object, ...paths) {
	for (const path of paths) {
		const value = path.split('.').reduce((o, name) => (o === undefined || o === null ? undefined : o[name]), object);
		assert.notEqual(value === undefined ? null : value, null, `${path} is there: ${JSON.stringify(object).slice(0, 400)}`);
	}
	return object;
}

async function or_null(read, ...codes) {
	try {
		return await read();
	} catch (e) {
		if (is_gone(e, ...codes)) {
			return null;
		}
		throw e;
	}
}

const tags_sent = (tags) => (tags ? Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) : undefined);
const tags_read = (list, key = 'Key', value = 'Value') => Object.fromEntries((list || []).map((t) => [t[key], t[value]]));

async function read_tags(api, ResourceType, id) {
	const answer = await api.privatelink('ListTagResources', { ResourceType, ResourceId: [id] }, { token: true });
	return tags_read(answer.TagResources, 'TagKey', 'TagValue');
}

// What was taken away first, then all that there shall be.
async function update_tags(api, ResourceType, id, before, after) {
	const gone = Object.keys(before).filter((k) => !(k in after));
	const form = { ResourceType, ResourceId: [id] };
	if (gone.length) {
		await api.privatelink('UntagResources', { ...form, TagKey: gone }, { token: true });
	}
	if (Object.keys(after).length) {
		await api.privatelink('TagResources', { ...form, Tag: tags_sent(after) }, { token: true });
	}
}

const changed_of = (before, after, names) =>
	Object.fromEntries(
		names.filter((n) => n in after && JSON.stringify(after[n]) !== JSON.stringify(before[n])).map((n) => [n, after[n]]),
	);

async function change_group(api, type, id, ResourceGroupId, read) {
	await api.call('privatelink', 'ChangeResourceGroup', { ResourceId: id, ResourceGroupId, ResourceType: type });
	await wait('resource group', async () => (await read()).ResourceGroupId, ResourceGroupId);
}

const busy_service = ['EndpointServiceOperationDenied', 'ConcurrentCallNotSupported', 'EndpointServiceLocked'];
const busy_endpoint = [
	'EndpointLocked',
	'ConcurrentCallNotSupported',
	'EndpointConnectionOperationDenied',
	'EndpointOperationDenied',
];

// Each resource: create(api, config) -> id, read(api, id) -> attributes or null, update(api, id, before, after), remove(api, id).
// Attributes have the API's names, and `Tags` is an object.
const resources = {};

resources.endpoint = {
	async create(api, config) {
		const { Tags, ...form } = config;
		const { EndpointId } = await api.privatelink('CreateVpcEndpoint', { ...form, Tag: tags_sent(Tags) }, { token: true });
		const attribute = () => api.privatelink('GetVpcEndpointAttribute', { EndpointId });
		await attribute(); // it must be there at once
		await wait('EndpointStatus', async () => (await attribute()).EndpointStatus, 'Active');
		if (Tags) {
			await update_tags(api, 'VpcEndpoint', EndpointId, {}, Tags);
		}
		return EndpointId;
	},
	async read(api, EndpointId) {
		const got = await or_null(() => api.privatelink('GetVpcEndpointAttribute', { EndpointId }), 'EndpointNotFound');
		if (!got) {
			return null;
		}
		need(got, 'EndpointStatus', 'ConnectionStatus', 'ServiceId', 'VpcId', 'Bandwidth', 'ZonePrivateIpAddressCount');
		assert.equal(typeof got.EndpointStatus, 'string');
		const groups = await api.privatelink('ListVpcEndpointSecurityGroups', { EndpointId });
		need(groups, 'SecurityGroups');
		return {
			...got,
			Tags: await read_tags(api, 'VpcEndpoint', EndpointId),
			SecurityGroupId: groups.SecurityGroups.map((g) => g.SecurityGroupId).sort(),
		};
	},
	async update(api, EndpointId, before, after) {
		const read = () => api.privatelink('GetVpcEndpointAttribute', { EndpointId });
		const names = [
			'EndpointName', 'EndpointDescription', 'PolicyDocument', 'AddressIpVersion', 'CrossRegionBandwidth',
		];
		const changed = changed_of(before, after, names);
		if (Object.keys(changed).length) {
			const options = { token: true, retry: busy_endpoint };
			await api.privatelink('UpdateVpcEndpointAttribute', { EndpointId, ...changed }, options);
		}
		if ('ResourceGroupId' in changed_of(before, after, ['ResourceGroupId'])) {
			await change_group(api, 'VpcEndpoint', EndpointId, after.ResourceGroupId, read);
		}
		await update_tags(api, 'VpcEndpoint', EndpointId, before.Tags || {}, after.Tags || {});
		const groups = after.SecurityGroupId || before.SecurityGroupId;
		const move = async (action, SecurityGroupId) => {
			const options = { token: true, query: { EndpointId }, retry: ['ConcurrentCallNotSupported'] };
			await api.privatelink(action, { SecurityGroupId, DryRun: false }, options);
			await wait('EndpointStatus', async () => (await read()).EndpointStatus, 'Active');
		};
		for (const id of groups.filter((g) => !before.SecurityGroupId.includes(g))) {
			await move('AttachSecurityGroupToVpcEndpoint', id);
		}
		for (const id of before.SecurityGroupId.filter((g) => !groups.includes(g))) {
			await move('DetachSecurityGroupFromVpcEndpoint', id);
		}
	},
	async remove(api, EndpointId) {
		const retry = ['ConcurrentCallNotSupported', 'EndpointOperationDenied'];
		await or_null(
			() => api.privatelink('DeleteVpcEndpoint', { EndpointId }, { token: true, renew: true, retry }),
			'EndpointNotFound',
		);
		await absent('endpoint', () =>
			or_null(() => api.privatelink('GetVpcEndpointAttribute', { EndpointId }), 'EndpointNotFound'),
		);
	},
};

resources.service = {
	async create(api, config) {
		const { Tags, ConnectBandwidth, ...form } = config;
		const { ServiceId } = await api.privatelink(
			'CreateVpcEndpointService',
			{ ...form, Tag: tags_sent(Tags) },
			{ token: true },
		);
		await this.active(api, ServiceId);
		if (ConnectBandwidth) {
			const options = { token: true, retry: busy_service };
			await api.privatelink('UpdateVpcEndpointServiceAttribute', { ServiceId, ConnectBandwidth }, options);
		}
		if (Tags) {
			await update_tags(api, 'VpcEndpointService', ServiceId, {}, Tags);
		}
		return ServiceId;
	},
	active(api, ServiceId) {
		const status = async () => (await api.privatelink('GetVpcEndpointServiceAttribute', { ServiceId })).ServiceStatus;
		return wait('ServiceStatus', status, 'Active');
	},
	async read(api, ServiceId) {
		const got = await or_null(
			() => api.privatelink('GetVpcEndpointServiceAttribute', { ServiceId }),
			'EndpointServiceNotFound',
		);
		if (!got) {
			return null;
		}
		need(got, 'ServiceStatus', 'ConnectBandwidth', 'ServiceName', 'ServiceDomain', 'SupportedRegionSet');
		assert.equal(typeof got.ServiceSupportIPv6, 'boolean');
		const Resource = [];
		let page;
		do {
			const more = page ? { NextToken: page.NextToken } : {};
			page = await api.privatelink('ListVpcEndpointServiceResources', { ServiceId, MaxResults: 50, ...more });
			need(page, 'Resources');
			Resource.push(...page.Resources);
		} while (page.NextToken);
		const key = (r) => `${r.ResourceType} ${r.ResourceId} ${r.ZoneId}`;
		return {
			...got,
			Tags: await read_tags(api, 'VpcEndpointService', ServiceId),
			SupportedRegionList: got.SupportedRegionSet.filter((r) => r.RegionServiceStatus !== 'Closed')
				.map((r) => r.SupportedRegionId)
				.sort(),
			Resource: Resource.map(({ ResourceType, ResourceId, ZoneId }) => ({ ResourceType, ResourceId, ZoneId })).sort(
				(a, b) => key(a).localeCompare(key(b)),
			),
		};
	},
	async update(api, ServiceId, before, after) {
		const read = () => api.privatelink('GetVpcEndpointServiceAttribute', { ServiceId });
		const options = { token: true, retry: busy_service };
		const update = (form) => api.privatelink('UpdateVpcEndpointServiceAttribute', { ServiceId, ...form }, options);
		const names = [
			'ServiceDescription', 'AutoAcceptEnabled', 'ServiceSupportIPv6', 'ZoneAffinityEnabled', 'ConnectBandwidth',
			'AddressIpVersion',
		];
		const changed = changed_of(before, after, names);
		if (Object.keys(changed).length) {
			await update(changed);
		}
		const regions = after.SupportedRegionList || before.SupportedRegionList;
		const added = regions.filter((r) => !before.SupportedRegionList.includes(r));
		const deleted = before.SupportedRegionList.filter((r) => !regions.includes(r));
		for (const form of [
			added.length && { AddSupportedRegionSet: added },
			deleted.length && { DeleteSupportedRegionSet: deleted },
		].filter(Boolean)) {
			await update(form);
			await this.active(api, ServiceId);
		}
		const blocks = after.Resource || before.Resource;
		const same = (a) => (b) => JSON.stringify(a) === JSON.stringify(b);
		for (const resource of before.Resource.filter((r) => !blocks.some(same(r)))) {
			await api.privatelink('DetachResourceFromVpcEndpointService', { ServiceId, ...resource }, options);
			await this.active(api, ServiceId);
		}
		for (const resource of blocks.filter((r) => !before.Resource.some(same(r)))) {
			await api.privatelink('AttachResourceToVpcEndpointService', { ServiceId, ...resource }, options);
			await this.active(api, ServiceId);
		}
		if ('ResourceGroupId' in changed_of(before, after, ['ResourceGroupId'])) {
			await change_group(api, 'VpcEndpointService', ServiceId, after.ResourceGroupId, read);
		}
		await update_tags(api, 'VpcEndpointService', ServiceId, before.Tags || {}, after.Tags || {});
	},
	async remove(api, ServiceId) {
		const retry = ['EndpointServiceConnectionDependence', 'ConcurrentCallNotSupported'];
		await or_null(
			() => api.privatelink('DeleteVpcEndpointService', { ServiceId }, { token: true, renew: true, retry }),
			'EndpointServiceNotFound',
		);
		await absent('service', () =>
			or_null(() => api.privatelink('GetVpcEndpointServiceAttribute', { ServiceId }), 'EndpointServiceNotFound'),
		);
	},
};

const connection_busy = ['ConcurrentCallNotSupported', 'EndpointConnectionOperationDenied'];

resources.connection = {
	async create(api, { EndpointId, ServiceId, Bandwidth }) {
		const options = { token: true, retry: connection_busy };
		await api.privatelink('EnableVpcEndpointConnection', { EndpointId, ServiceId, Bandwidth }, options);
		const id = `${ServiceId}:${EndpointId}`;
		await wait('ConnectionStatus', async () => (await this.read(api, id)).ConnectionStatus, 'Connected');
		return id;
	},
	// A service that is not found is an error here, unless the message says NotFound.
	async read(api, id) {
		const [ServiceId, EndpointId] = id.split(':');
		const got = await or_null(() => api.privatelink('ListVpcEndpointConnections', { EndpointId, ServiceId }));
		if (!got) {
			return null;
		}
		need(got, 'Connections');
		return got.Connections[0] || null;
	},
	async update(api, id, before, after) {
		const [ServiceId, EndpointId] = id.split(':');
		const changed = changed_of(before, after, ['Bandwidth']);
		if (!Object.keys(changed).length) {
			return;
		}
		const options = { token: true, retry: ['ConcurrentCallNotSupported'] };
		await api.privatelink('UpdateVpcEndpointConnectionAttribute', { EndpointId, ServiceId, ...changed }, options);
		await wait('ConnectionStatus', async () => (await this.read(api, id)).ConnectionStatus, 'Connected');
	},
	async remove(api, id) {
		const [ServiceId, EndpointId] = id.split(':');
		const options = { token: true, renew: true, retry: connection_busy };
		await or_null(() => api.privatelink('DisableVpcEndpointConnection', { EndpointId, ServiceId }, options));
		const status = async () => {
			const got = await this.read(api, id);
			return got ? got.ConnectionStatus : 'Disconnected';
		};
		await wait('ConnectionStatus', status, 'Disconnected');
	},
};

resources.service_resource = {
	async create(api, { ServiceId, ResourceId, ResourceType, ZoneId = '' }) {
		const retry = ['EndpointServiceOperationDenied', 'ConcurrentCallNotSupported'];
		const form = { ServiceId, ResourceId, ResourceType, ZoneId };
		await api.privatelink('AttachResourceToVpcEndpointService', form, { token: true, retry });
		const id = [ServiceId, ResourceId, ...(ResourceType === 'slb' ? [] : [ZoneId])].join(':');
		await wait('resource is listed', async () => (await this.read(api, id)) !== null, true);
		return id;
	},
	// By the first page alone.
	async read(api, id) {
		const [ServiceId, ResourceId, ZoneId] = id.split(':');
		const list = () => api.privatelink('ListVpcEndpointServiceResources', { ServiceId, MaxResults: 50 });
		const got = await or_null(list, 'EndpointServiceNotFound');
		if (!got) {
			return null;
		}
		need(got, 'Resources');
		const found = got.Resources.find((r) => r.ResourceId === ResourceId && (!ZoneId || r.ZoneId === ZoneId));
		return found ? { ServiceId, ...found } : null;
	},
	async remove(api, id, state) {
		const [ServiceId, ResourceId, ZoneId = ''] = id.split(':');
		const retry = ['EndpointServiceConnectionDependence', 'ConcurrentCallNotSupported'];
		const form = { ServiceId, ResourceId, ResourceType: state.ResourceType, ZoneId };
		const options = { token: true, renew: true, retry };
		await or_null(() => api.privatelink('DetachResourceFromVpcEndpointService', form, options), 'EndpointServiceNotFound');
		await absent('service resource', () => this.read(api, id));
	},
};

resources.service_user = {
	async create(api, { ServiceId, UserId, UserARN }) {
		const options = { token: true, retry: ['ConcurrentCallNotSupported'] };
		await api.privatelink('AddUserToVpcEndpointService', { ServiceId, UserId, UserARN }, options);
		return `${ServiceId}:${UserId}`;
	},
	// Read once, at once; a number with all its digits, which a double does not have.
	async read(api, id) {
		const [ServiceId, UserId] = id.split(':');
		const list = () => api.privatelink('ListVpcEndpointServiceUsers', {}, { query: { ServiceId, UserId } });
		const got = await or_null(list, 'EndpointServiceNotFound');
		const first = got && /"Users":\s*\[\s*\{\s*"UserId":\s*([^\s,}]+)/.exec(got.text);
		need(got || { Users: [] }, 'Users');
		return first ? { ServiceId, UserId: first[1] } : null;
	},
	async remove(api, id) {
		const [ServiceId, UserId] = id.split(':');
		const options = { token: true, renew: true, retry: ['ConcurrentCallNotSupported'] };
		await or_null(() => api.privatelink('RemoveUserFromVpcEndpointService', { ServiceId, UserId }, options), 'EndpointServiceNotFound');
	},
};

resources.endpoint_zone = {
	async create(api, { EndpointId, ZoneId, VSwitchId, ip }) {
		let zone = ZoneId;
		if (!zone) {
			const form = { RegionId: api.region };
			zone = (await api.call('vpc', 'DescribeVSwitchAttributes', form, { query: { VSwitchId } })).ZoneId;
		}
		const options = { token: true, retry: busy_endpoint };
		await api.privatelink('AddZoneToVpcEndpoint', { EndpointId, ZoneId: zone, VSwitchId, ip }, options);
		const id = `${EndpointId}:${zone}`;
		await wait('ZoneStatus', async () => (await this.read(api, id)).ZoneStatus, 'Wait', 'Connected');
		return id;
	},
	async read(api, id) {
		const [EndpointId, ZoneId] = id.split(':');
		const list = () => api.privatelink('ListVpcEndpointZones', {}, { query: { EndpointId } });
		const got = await or_null(list, 'EndpointNotFound');
		const zone = got && need(got, 'Zones').Zones.find((z) => z.ZoneId === ZoneId);
		return zone ? { ...need(zone, 'ZoneStatus', 'VSwitchId', 'EniIp'), EndpointId, ip: zone.EniIp } : null;
	},
	async remove(api, id) {
		const [EndpointId, ZoneId] = id.split(':');
		const options = { token: true, renew: true, retry: busy_endpoint };
		await or_null(
			() => api.privatelink('RemoveZoneFromVpcEndpoint', { EndpointId, ZoneId }, options),
			'EndpointZoneNotFound',
			'EndpointNotFound',
		);
		await absent('zone', () => this.read(api, id));
	},
};

// --- what the tests need beside PrivateLink

resources.vpc = {
	async create(api, config) {
		const options = { token: true, retry: ['TaskConflict', 'UnknownError'] };
		const { VpcId } = await api.call('vpc', 'CreateVpc', { RegionId: api.region, ...config }, options);
		await wait('VPC', async () => (await this.read(api, VpcId)).Status, 'Available');
		return VpcId;
	},
	async read(api, VpcId) {
		const got = await or_null(() => api.call('vpc', 'DescribeVpcAttribute', { RegionId: api.region, VpcId }));
		if (!got || !got.VpcId) {
			return null;
		}
		need(got, 'SecondaryCidrBlocks', 'UserCidrs', 'Status', 'VRouterId');
		const tables = await api.call('vpc', 'DescribeRouteTableList', { RegionId: api.region, VpcId });
		need(tables, 'RouterTableList.RouterTableListType');
		const table = tables.RouterTableList.RouterTableListType.find(
			(t) => t.RouteTableType === 'System' && t.VpcId === VpcId,
		);
		need(table, 'RouteTableId', 'RouterId');
		return { ...got, route_table: table.RouteTableId };
	},
	async remove(api, VpcId) {
		const retry = ['DependencyViolation.VSwitch', 'DependencyViolation.SecurityGroup', 'IncorrectVpcStatus'];
		const options = { token: true, renew: true, retry };
		await or_null(() => api.call('vpc', 'DeleteVpc', { RegionId: api.region, VpcId }, options));
		await absent('VPC', () => or_null(() => api.call('vpc', 'DescribeVpcAttribute', { RegionId: api.region, VpcId })));
	},
};

resources.vswitch = {
	async create(api, config) {
		const options = { token: true, renew: true, retry: ['TaskConflict', 'UnknownError', 'InvalidStatus.RouteEntry'] };
		const { VSwitchId } = await api.call('vpc', 'CreateVSwitch', { RegionId: api.region, ...config }, options);
		await wait('vSwitch', async () => (await this.read(api, VSwitchId)).Status, 'Available');
		return VSwitchId;
	},
	async read(api, VSwitchId) {
		const form = { RegionId: api.region };
		const got = await or_null(() => api.call('vpc', 'DescribeVSwitchAttributes', form, { query: { VSwitchId } }));
		if (!got || !got.VSwitchId) {
			return null;
		}
		assert.equal(got.Ipv6CidrBlock, '', 'anything else turns IPv6 on');
		return got;
	},
	async remove(api, VSwitchId) {
		const retry = ['DependencyViolation', 'IncorrectVSwitchStatus', 'TaskConflict', 'OperationConflict', 'SystemBusy'];
		for (const kind of ['Instance', 'NetworkInterface', 'CloudServiceResource', 'CloudService']) {
			retry.push(`DependencyViolation.${kind}`);
		}
		const options = { token: true, renew: true, retry };
		await or_null(() => api.call('vpc', 'DeleteVSwitch', { RegionId: api.region, VSwitchId }, options));
		await absent('vSwitch', () => this.read(api, VSwitchId));
	},
};

resources.group = {
	async create(api, config) {
		const answer = await api.call('ecs', 'CreateSecurityGroup', { RegionId: api.region, ...config }, { token: true });
		return answer.SecurityGroupId;
	},
	async read(api, SecurityGroupId) {
		const form = { RegionId: api.region, SecurityGroupId };
		const got = await or_null(() => api.call('ecs', 'DescribeSecurityGroups', form));
		const group = got && need(got, 'SecurityGroups.SecurityGroup').SecurityGroups.SecurityGroup[0];
		if (!group) {
			return null;
		}
		const attribute = await api.call('ecs', 'DescribeSecurityGroupAttribute', form);
		assert.equal(attribute.InnerAccessPolicy, 'Accept');
		return group;
	},
	async remove(api, SecurityGroupId) {
		const options = { renew: true, retry: ['DependencyViolation'] };
		await or_null(() => api.call('ecs', 'DeleteSecurityGroup', { RegionId: api.region, SecurityGroupId }, options));
		await absent('security group', () => this.read(api, SecurityGroupId));
	},
};

async function nlb_job(api, answer) {
	const query = { JobId: answer.JobId };
	const status = async () => (await api.call('nlb', 'GetJobStatus', {}, { query, token: true })).Status;
	await wait('job', status, 'Succeeded');
}

resources.nlb = {
	async create(api, { ZoneMappings, ...config }) {
		const mappings = ZoneMappings.map((m) => ({ ...m, AllocationId: '', Ipv6Address: '' }));
		const form = { RegionId: api.region, ...config, ZoneMappings: mappings };
		const { LoadbalancerId } = await api.call('nlb', 'CreateLoadBalancer', form, { token: true });
		await wait('load balancer', async () => (await this.read(api, LoadbalancerId)).LoadBalancerStatus, 'Active');
		return LoadbalancerId;
	},
	async read(api, LoadBalancerId) {
		const form = { RegionId: api.region, LoadBalancerId };
		const get = () => api.call('nlb', 'GetLoadBalancerAttribute', form, { token: true });
		const got = await or_null(get, 'ResourceNotFound.loadBalancer');
		return got && need(got, 'LoadBalancerStatus', 'ZoneMappings', 'LoadBalancerBillingConfig.PayType', 'DNSName');
	},
	// Sent once: a balancer that is in use is the end.
	async remove(api, LoadBalancerId) {
		const form = { RegionId: api.region, LoadBalancerId };
		const answer = await or_null(() => api.call('nlb', 'DeleteLoadBalancer', form, { token: true, renew: true }));
		if (answer) {
			await nlb_job(api, answer);
		}
		await absent('load balancer', () => this.read(api, LoadBalancerId));
	},
};

resources.server_group = {
	async create(api, { HealthCheck, ...config }) {
		const form = { RegionId: api.region, ...config, HealthCheckConfig: HealthCheck };
		const { ServerGroupId } = await api.call('nlb', 'CreateServerGroup', form, { token: true });
		await this.available(api, ServerGroupId);
		return ServerGroupId;
	},
	available(api, id) {
		return wait('server group', async () => (await this.read(api, id)).ServerGroupStatus, 'Available');
	},
	async read(api, id) {
		const form = { RegionId: api.region, ServerGroupIds: [id] };
		const { ServerGroups } = need(await api.call('nlb', 'ListServerGroups', form, { token: true }), 'ServerGroups');
		return ServerGroups.length ? need(ServerGroups[0], 'ServerGroupStatus', 'HealthCheck', 'Scheduler') : null;
	},
	// Of probes that changed all members are sent: those that nobody configured as they were read.
	async update(api, ServerGroupId, before, after) {
		const names = ['Scheduler', 'ConnectionDrainEnabled', 'ConnectionDrainTimeout', 'PreserveClientIpEnabled'];
		const changed = changed_of(before, after, names);
		const probes = Object.fromEntries(never_computed.map((name) => [name, '']));
		const HealthCheckConfig = { ...before.HealthCheck, ...probes, ...after.HealthCheck };
		if (after.HealthCheck && probe_changes(after.HealthCheck, before.HealthCheck).length) {
			Object.assign(changed, { HealthCheckConfig });
		}
		if (Object.keys(changed).length || after.ServerGroupName !== before.ServerGroupName) {
			const form = { RegionId: api.region, ServerGroupId, ServerGroupName: after.ServerGroupName, ...changed };
			await api.call('nlb', 'UpdateServerGroupAttribute', form, { token: true });
			await this.available(api, ServerGroupId);
		}
	},
	async remove(api, ServerGroupId) {
		const form = { RegionId: api.region, ServerGroupId };
		const answer = await or_null(() => api.call('nlb', 'DeleteServerGroup', form, { token: true, renew: true }));
		if (answer) {
			await nlb_job(api, answer);
		}
		await absent('server group', () => this.read(api, ServerGroupId));
	},
};

resources.slb = {
	async create(api, config) {
		const { LoadBalancerId } = await api.call('slb', 'CreateLoadBalancer', { RegionId: api.region, ...config }, { token: true });
		await wait('load balancer', async () => (await this.read(api, LoadBalancerId)).LoadBalancerStatus, 'active');
		return LoadBalancerId;
	},
	async read(api, LoadBalancerId) {
		const form = { RegionId: api.region, LoadBalancerId };
		const get = () => api.call('slb', 'DescribeLoadBalancerAttribute', form);
		const got = await or_null(get, 'InvalidLoadBalancerId.NotFound');
		if (!got) {
			return null;
		}
		const tags = { RegionId: api.region, ResourceType: 'instance', ResourceId: [LoadBalancerId] };
		need(await api.call('slb', 'ListTagResources', tags), 'TagResources.TagResource');
		return need(got, 'Address', 'AddressType', 'LoadBalancerName', 'MasterZoneId', 'VSwitchId');
	},
	async remove(api, LoadBalancerId) {
		const form = { RegionId: api.region, LoadBalancerId };
		await or_null(() => api.call('slb', 'DeleteLoadBalancer', form, { token: true, renew: true }));
		await absent('load balancer', () => this.read(api, LoadBalancerId));
	},
};

resources.ram_user = {
	async create(api, config) {
		return (await api.call('ram', 'CreateUser', config)).User.UserId;
	},
	async read(api, id) {
		const users = [];
		let page;
		do {
			page = await api.call('ram', 'ListUsers', { MaxItems: 100, ...(page ? { Marker: page.Marker } : {}) });
			users.push(...need(page, 'Users.User').Users.User);
		} while (page.IsTruncated);
		const user = users.find((u) => u.UserId === id);
		return user ? (await api.call('ram', 'GetUser', { UserName: user.UserName })).User : null;
	},
	async remove(api, id, state) {
		await or_null(() => api.call('ram', 'DeleteUser', { UserName: state.UserName }), 'EntityNotExist.User');
		await absent('RAM user', () => this.read(api, id));
	},
};

// --- data sources: read anew in each step

const data = {
	async vpcs(api, { name }) {
		const found = [];
		for (let PageNumber = 1; ; PageNumber++) {
			const page = await api.call('vpc', 'DescribeVpcs', { RegionId: api.region, PageNumber, PageSize: 50 });
			assert.equal(typeof page.TotalCount, 'number');
			const list = need(page, 'Vpcs.Vpc').Vpcs.Vpc;
			found.push(...list);
			if (list.length < 50) {
				break;
			}
		}
		const wanted = found.filter((v) => v.Status === 'Available' && (!name || new RegExp(name).test(v.VpcName)));
		for (const vpc of wanted) {
			need(vpc, 'SecondaryCidrBlocks', 'UserCidrs', 'VSwitchIds');
			const tables = await api.call('vpc', 'DescribeRouteTableList', { RegionId: api.region, VpcId: vpc.VpcId });
			need(tables, 'RouterTableList.RouterTableListType');
		}
		return { id: wanted.map((v) => v.VpcId) };
	},
	async vswitches(api) {
		const page = await api.call('vpc', 'DescribeVSwitches', { RegionId: api.region, PageNumber: 1, PageSize: 50, IsDefault: true });
		need(page, 'VSwitches.VSwitch').VSwitches.VSwitch.forEach((v) => need(v, 'RouteTable'));
		return { id: page.VSwitches.VSwitch.map((v) => v.VSwitchId) };
	},
	async nlb_zones(api) {
		const { Zones } = need(await api.call('nlb', 'DescribeZones', { RegionId: api.region }), 'Zones');
		assert.ok(Zones.length >= 2, 'two zones at least');
		Zones.forEach((z) => need(z, 'ZoneId', 'LocalName'));
		return { id: Zones.map((z) => z.ZoneId) };
	},
	async slb_zones(api) {
		const answer = await api.call('slb', 'DescribeAvailableResource', {}, { query: { RegionId: api.region } });
		const list = need(answer, 'AvailableResources.AvailableResource').AvailableResources.AvailableResource;
		assert.ok(list.length >= 2, 'two zones at least');
		list.forEach((z) => need(z, 'MasterZoneId', 'SlaveZoneId', 'SupportResources.SupportResource'));
		return { id: list.map((z) => z.MasterZoneId) };
	},
	async resource_groups(api) {
		const form = { PageNumber: 1, PageSize: 50, Status: 'OK' };
		const answer = await api.call('resourcemanager', 'ListResourceGroups', form);
		const list = need(answer, 'ResourceGroups.ResourceGroup').ResourceGroups.ResourceGroup;
		assert.ok(list.length >= 2, 'two groups at least');
		return { id: list.map((g) => g.Id) };
	},
	// Opened now or before: the error says so anywhere in its body.
	async opened(api) {
		try {
			await api.once('privatelink', 'OpenPrivateLinkService');
		} catch (e) {
			assert.ok(e.body.includes('OrderOpend'), e.message);
		}
		return { id: 'PrivateLinkServiceHasBeenOpened' };
	},
	async list(api, { action, list, filters, id }) {
		const found = [];
		let page;
		do {
			const more = page ? { NextToken: page.NextToken } : {};
			page = await api.privatelink(action, { ...filters, MaxResults: 50, ...more });
			found.push(...need(page, list)[list]);
		} while (page.NextToken);
		return { id: found.map((o) => o[id]), found };
	},
};

// --- configurations

// One resource or data source of a configuration: what it is, and its attributes by the state of others. `region`: another one than
// the test's; `late`: made after those, though nothing of them is in its attributes.
class Part {
	constructor(kind, attributes, options = {}) {
		Object.assign(this, { kind, attributes, ...options });
	}
}
const resource = (kind, attributes, options) => new Part(kind, attributes, options);
const source = (kind, attributes = () => ({}), options = {}) => new Part(kind, attributes, { ...options, is_data: true });

// The parts that an entry names, by letting it run on names alone.
function needs_of(part) {
	const names = new Set();
	const of_any = (name) =>
		name === Symbol.toPrimitive ? () => '' : name === Symbol.iterator ? [][Symbol.iterator] : any;
	const any = new Proxy(() => any, { get: (_, name) => of_any(name) });
	const state = new Proxy({}, { get: (_, name) => (names.add(name), any) });
	part.attributes(state);
	return [...names];
}

// Runs a job for each name as soon as those of `before` have run; ten at a time, as Terraform does.
async function in_order(names, before, job) {
	const running = new Map();
	const run = (name) => {
		if (!running.has(name)) {
			running.set(name, Promise.all(before(name).filter((n) => names.includes(n)).map(run)).then(() => job(name)));
		}
		return running.get(name);
	};
	const results = await Promise.allSettled(names.map(run));
	const failed = results.find((r) => r.status === 'rejected');
	if (failed) {
		throw failed.reason;
	}
}

// Members of probes that are in no plan unless they are configured: read where nobody configured them they are a change.
const never_computed = ['HttpCheckMethod', 'HealthCheckReq', 'HealthCheckExp'];

// Which members of probes a plan would change.
function probe_changes(wanted, got) {
	const text = (value) => (value === undefined ? '' : JSON.stringify(value));
	const names = [...Object.keys(wanted), ...never_computed];
	return names.filter((name) => text(wanted[name]) !== text(got[name]));
}

// What was configured is what was read; else the provider plans a change for ever.
function assert_as_configured(name, wanted, got) {
	for (const [key, value] of Object.entries(wanted)) {
		if (key === 'HealthCheck') {
			assert.deepEqual(probe_changes(value, got[key]), [], `${name}.${key} is as it was configured`);
		} else if (value !== undefined && key !== 'ZoneMappings') {
			const sorted = (v) => (Array.isArray(v) && v.every((x) => typeof x === 'string') ? v.slice().sort() : v);
			assert.deepEqual(sorted(got[key]), sorted(value), `${name}.${key} is as it was configured`);
		}
	}
}

class Terraform {
	constructor(account, region) {
		Object.assign(this, { account, region, state: {}, parts: {} });
	}

	api(part) {
		return new Api(this.account, part.region || this.region);
	}

	async apply(configuration) {
		const names = Object.keys(configuration);
		const needs = Object.fromEntries(names.map((name) => [name, needs_of(configuration[name])]));
		await this.destroy(Object.keys(this.parts).filter((name) => !names.includes(name)));
		const before = (name) => [...needs[name], ...(configuration[name].late || [])];
		await in_order(names, before, (name) => this.apply_part(name, configuration[name], needs[name]));
		await this.refresh();
	}

	async apply_part(name, part, needs) {
		const api = this.api(part);
		const wanted = part.attributes(this.state);
		if (part.is_data) {
			this.state[name] = await data[part.kind](api, wanted);
			this.parts[name] = { part, needs };
			return;
		}
		const kind = resources[part.kind];
		const known = this.parts[name];
		if (!known) {
			const id = await kind.create(api, wanted);
			this.parts[name] = { part, needs, wanted };
			this.state[name] = { id };
		} else {
			if (kind.update) {
				await kind.update(api, this.state[name].id, this.state[name], wanted);
			}
			this.parts[name] = { part, needs, wanted };
		}
		const got = await kind.read(api, this.state[name].id);
		assert.ok(got, `${name} is there right after it was made or changed`);
		this.state[name] = { ...got, id: this.state[name].id };
	}

	// As a plan after the apply does it: everything is read again, and nothing is to be changed.
	async refresh() {
		for (const [name, { part, wanted }] of Object.entries(this.parts)) {
			if (part.is_data) {
				continue;
			}
			const { id } = this.state[name];
			const got = await resources[part.kind].read(this.api(part), id);
			assert.ok(got, `${name} is there`);
			assert_as_configured(name, wanted, got);
			this.state[name] = { ...got, id };
		}
	}

	// Read by the id alone: what is found is what is known. (Without pauses a state may have gone on since.)
	async import(name, ...ignored) {
		const { id, ...known } = this.state[name];
		const got = await resources[this.parts[name].part.kind].read(this.api(this.parts[name].part), id);
		const less = (o) => Object.fromEntries(Object.entries(o).filter(([k]) => ![...ignored, 'RequestId'].includes(k) && !/Status$/.test(k)));
		assert.deepEqual(less(got), less(known), `import of ${name}`);
	}

	// What others need goes after them, the rest side by side.
	async destroy(names = Object.keys(this.parts)) {
		const users = (name) => Object.keys(this.parts).filter((other) => this.parts[other].needs.includes(name));
		await in_order(names, users, async (name) => {
			const { part } = this.parts[name];
			if (!part.is_data) {
				await resources[part.kind].remove(this.api(part), this.state[name].id, this.state[name]);
			}
			delete this.parts[name];
			delete this.state[name];
		});
	}
}

module.exports = { Api, ApiError, Terraform, resource, source };
