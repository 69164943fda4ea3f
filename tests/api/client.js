// SPDX-License-Identifier: Apache-2.0
// Clients of the API for the tests: the official packages, and a raw one that signs by itself so that it can also
// send what no official client would. Where to reach the API and the keys come from the environment (see ./run).
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const OpenApi = require('@alicloud/openapi-core');
const Rpc = require('@alicloud/pop-core').RPCClient;
const Vpc = require('@alicloud/vpc20160428');
const Ecs = require('@alicloud/ecs20140526');
const $dara = require('@darabonba/typescript');
const assert = require('node:assert/strict');
const { after } = require('node:test');
const shapes = require('./shapes');

// Whatever a test file calls, and by which client: the answers have the API's shapes.
shapes.listen();
after(() => assert.deepEqual(shapes.take_faults(), []));

const region = 'cn-hangzhou';
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
const http_host = process.env.PRIVLINK_HTTP;
const https_host = process.env.PRIVLINK_ENDPOINT;
const ca = process.env.PRIVLINK_CA ? fs.readFileSync(process.env.PRIVLINK_CA) : undefined;

const accounts = {
	admin: { key: process.env.ADMIN_AK, secret: process.env.ADMIN_SK },
	consumer: { key: process.env.CONSUMER_AK, secret: process.env.CONSUMER_SK, uid: process.env.CONSUMER_UID },
	provider: { key: process.env.PROVIDER_AK, secret: process.env.PROVIDER_SK, uid: process.env.PROVIDER_UID },
};

// The settings that every generated client takes.
function settings(account, secure = false) {
	return new OpenApi.$OpenApiUtil.Config({
		accessKeyId: account.key,
		accessKeySecret: account.secret,
		regionId: region,
		endpoint: secure ? https_host : http_host,
		protocol: secure ? 'HTTPS' : 'HTTP',
		ca: secure ? ca.toString() : undefined,
	});
}

// Generic calls in the current style (ACS3 signature): call('CreateVpcEndpoint', {…}) -> body
function acs3(account, product, { secure = false, method = 'POST' } = {}) {
	const client = new OpenApi.default(settings(account, secure));
	return async (action, query = {}, body) => {
		const params = new OpenApi.$OpenApiUtil.Params({
			action,
			version: versions[product],
			protocol: secure ? 'HTTPS' : 'HTTP',
			pathname: '/',
			method,
			authType: 'AK',
			style: 'RPC',
			reqBodyType: 'formData',
			bodyType: 'json',
		});
		const request = new OpenApi.$OpenApiUtil.OpenApiRequest({ query: { RegionId: region, ...query }, body });
		const answer = await client.callApi(params, request, new $dara.RuntimeOptions({}));
		return answer.body;
	};
}

// The older style (V1 signature).
function v1(account, product, secure = false) {
	const client = new Rpc({
		accessKeyId: account.key,
		accessKeySecret: account.secret,
		endpoint: secure ? `https://${https_host}` : `http://${http_host}`,
		apiVersion: versions[product],
		opts: secure ? { agent: new https.Agent({ ca, keepAlive: true }) } : {},
	});
	return (action, query = {}, options = { method: 'POST' }) =>
		client.request(action, { RegionId: region, ...query }, options);
}

const vpc = (account) => new Vpc.default(settings(account));
const ecs = (account) => new Ecs.default(settings(account));

// Runs a call that must fail; gives its code, status, message and data.
async function refused(promise) {
	try {
		await promise;
	} catch (e) {
		const data = e.data || {};
		return {
			code: e.code || data.Code,
			status: e.statusCode || (e.entry && e.entry.response && e.entry.response.statusCode) || data.statusCode,
			message: e.message || data.Message,
			data,
		};
	}
	throw new Error('the call succeeded');
}

async function until(what, probe, seconds = 60) {
	const end = Date.now() + seconds * 1000;
	for (;;) {
		const value = await probe();
		if (value) {
			return value;
		}
		if (Date.now() > end) {
			throw new Error(`not reached in ${seconds} s: ${what}`);
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

// --- raw requests

const percent = (s) =>
	encodeURIComponent(s).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');
const stamp = (offset_s = 0) => new Date(Date.now() + offset_s * 1000).toISOString().replace(/\.\d+Z/, 'Z');

function send({ method = 'POST', path = '/', headers = {}, body = '', secure = false }) {
	const [host, port] = (secure ? https_host : http_host).split(':');
	return new Promise((resolve, reject) => {
		const request = (secure ? https : http).request(
			{ method, host, port, path, headers, ca, agent: false },
			(response) => {
				let text = '';
				response.on('data', (chunk) => (text += chunk));
				response.on('end', () => {
					let json;
					try {
						json = JSON.parse(text);
					} catch {
						json = undefined;
					}
					resolve({ status: response.statusCode, headers: response.headers, text, json });
				});
			},
		);
		request.on('error', reject);
		request.end(body);
	});
}

// An ACS3 request by hand; `change` may alter its parts after signing.
function raw_acs3(account, product, action, query = {}, { date, nonce, body = '', change = (r) => r } = {}) {
	const text = Object.keys(query)
		.sort()
		.map((k) => `${percent(k)}=${percent(query[k])}`)
		.join('&');
	const headers = {
		host: http_host,
		'x-acs-action': action,
		'x-acs-version': versions[product] || product,
		'x-acs-date': date || stamp(),
		'x-acs-signature-nonce': nonce || crypto.randomUUID(),
		'x-acs-content-sha256': sha256(body),
	};
	if (body) {
		headers['content-type'] = 'application/x-www-form-urlencoded';
	}
	const names = Object.keys(headers).sort();
	const canonical = [
		'POST',
		'/',
		text,
		names.map((n) => `${n}:${headers[n]}\n`).join(''),
		names.join(';'),
		headers['x-acs-content-sha256'],
	].join('\n');
	const signature = crypto
		.createHmac('sha256', account.secret)
		.update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
		.digest('hex');
	headers.authorization = `ACS3-HMAC-SHA256 Credential=${account.key},SignedHeaders=${names.join(';')},Signature=${signature}`;
	return send(change({ method: 'POST', path: text ? `/?${text}` : '/', headers, body }));
}

// A V1 request by hand.
function raw_v1(account, product, action, query = {}, { change = (p) => p, method = 'GET' } = {}) {
	const params = {
		Action: action,
		Version: versions[product] || product,
		Format: 'JSON',
		AccessKeyId: account.key,
		SignatureMethod: 'HMAC-SHA1',
		SignatureVersion: '1.0',
		SignatureNonce: crypto.randomUUID(),
		Timestamp: stamp(),
		...query,
	};
	const canonical = Object.keys(params)
		.sort()
		.map((k) => `${percent(k)}=${percent(params[k])}`)
		.join('&');
	params.Signature = crypto
		.createHmac('sha1', `${account.secret}&`)
		.update(`${method}&%2F&${percent(canonical)}`)
		.digest('base64');
	const sent = change(params);
	const text = Object.keys(sent)
		.map((k) => `${percent(k)}=${percent(sent[k])}`)
		.join('&');
	return send({ method, path: `/?${text}` });
}

module.exports = {
	accounts, acs3, ecs, percent, raw_acs3, raw_v1, refused, region, send, settings, stamp, until, v1, versions, vpc, Ecs, Vpc,
};
