// SPDX-License-Identifier: Apache-2.0
// Every answer that any client of a test file gets is compared with the public API's shapes (shapes/*.json), as it comes
// over the wire, so that no client's model hides anything: no member that the API does not know, each of the right
// type, none missing that applies. Kept in mind, too: which codes an action answered, and which parameters it took.
//
// shapes/PRODUCT.json are facts of the public API: of each action what it takes and what it answers, and of PrivateLink's the
// error codes that its documentation lists. "s" is a string, "n" a number, "b" a boolean, […] a list, {…} an object;
// "!" behind a parameter's type: it is required.
'use strict';

const http = require('node:http');
const { Readable } = require('node:stream');
const fs = require('node:fs');
const path = require('node:path');

const products = {};
for (const file of fs.readdirSync(path.join(__dirname, 'shapes'))) {
	const shape = JSON.parse(fs.readFileSync(path.join(__dirname, 'shapes', file)));
	products[shape.product] = shape;
}
const by_version = Object.fromEntries(Object.values(products).map((p) => [p.version, p]));

// What privlink says beside the API: who waits and who was refused, and why something is not as it should be.
const own_members = new Set(['AcceptanceStatus', 'StatusInfo']);

// Members that apply to some objects only, and to which; by product, action (* for all) and path.
const sometimes = require('./sometimes');

const seen = new Map(); // "product.Action" -> { answers, codes, parameters }
const faults = [];

function record(product, action) {
	const key = `${product}.${action}`;
	if (!seen.has(key)) {
		seen.set(key, { answers: 0, codes: new Set(), parameters: new Set() });
	}
	return seen.get(key);
}

const type_of = (value) =>
	value === null ? 'null' : Array.isArray(value) ? 'list' : { string: 's', number: 'n', boolean: 'b' }[typeof value] || 'object';

function compare(place, shape, value, applies, report) {
	if (Array.isArray(shape)) {
		if (!Array.isArray(value)) {
			report(`${place} is ${type_of(value)} and not a list`);
			return;
		}
		value.forEach((entry) => compare(`${place}[]`, shape[0], entry, applies, report));
	} else if (typeof shape === 'object') {
		if (type_of(value) !== 'object') {
			report(`${place} is ${type_of(value)} and not an object`);
			return;
		}
		for (const name of Object.keys(value)) {
			if (name in shape) {
				compare(place ? `${place}.${name}` : name, shape[name], value[name], applies, report);
			} else if (!own_members.has(name)) {
				report(`${place}.${name} is unknown to the API`);
			}
		}
		for (const name of Object.keys(shape)) {
			const path_ = place ? `${place}.${name}` : name;
			if (!(name in value) && applies(path_, value)) {
				report(`${path_} is missing`);
			}
		}
	} else if (type_of(value) !== shape) {
		report(`${place} is ${type_of(value)} and not ${shape}: ${JSON.stringify(value)}`);
	}
}

function check_answer(product, action, answer) {
	const spec = products[product].actions[action];
	if (!spec) {
		return; // an action that the shapes do not hold: privlink's own, or one that clients of other products need
	}
	compare(
		'',
		spec.answers,
		answer,
		(place, value) => !sometimes(product, action, place, value),
		(text) => faults.push(`${product} ${action}: ${text}`),
	);
}

const codes_anywhere = new Set(
	Object.values(products.privatelink.actions)
		.flatMap((a) => a.errors)
		.filter((code) => !code.includes('{')),
);

// An error has what clients read; its text names no code, and says NotFound where its code does.
function check_error(product, action, status, answer) {
	const report = (text) => faults.push(`${product} ${action}: an error ${text}: ${JSON.stringify(answer)}`);
	for (const name of ['RequestId', 'HostId', 'Code', 'Message']) {
		if (typeof answer[name] !== 'string' || !answer[name]) {
			report(`has no ${name}`);
			return;
		}
	}
	if (/NotFound/.test(answer.Code) && !/NotFound/.test(answer.Message)) {
		report('that says NotFound in its code does not in its text');
	}
	for (const word of answer.Message.match(/[A-Za-z]+(\.[A-Za-z]+)*/g) || []) {
		if (codes_anywhere.has(word) && word !== 'NotFound') {
			report(`names the code ${word} in its text`);
		}
	}
}

// "Zone.1.ZoneId" and "Tag" as JSON text -> the names of parameters that the shapes know.
function parameter_names(parameters) {
	const names = new Set();
	for (const [name, value] of parameters) {
		names.add(name.replace(/\.\d+(?=\.|$)/g, '.N'));
		if (/^\s*[[{]/.test(value)) {
			names.add(`${name}.N`);
		}
	}
	return names;
}

function finished(response, text) {
	const request = response.req;
	const query = new URLSearchParams(request.path.split('?')[1] || '');
	const form = new URLSearchParams(/form/.test(request.getHeader('content-type') || '') ? request.pl_body || '' : '');
	const parameters = [...query, ...form];
	const find = (name) => (parameters.find(([n]) => n === name) || [])[1];
	const signed_v1 = find('Signature') !== undefined;
	const action = signed_v1 ? find('Action') : request.getHeader('x-acs-action');
	const shape = by_version[signed_v1 ? find('Version') : request.getHeader('x-acs-version')];
	let answer;
	try {
		answer = JSON.parse(text);
	} catch {
		return; // not JSON: tests of the raw protocol look at that themselves
	}
	if (!shape || !action) {
		return;
	}
	const of_action = record(shape.product, action);
	if (response.statusCode === 200) {
		of_action.answers++;
		check_answer(shape.product, action, answer);
		if (!/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/.test(answer.RequestId)) {
			faults.push(`${shape.product} ${action}: RequestId is ${answer.RequestId}`);
		}
	} else {
		of_action.codes.add(answer.Code);
		check_error(shape.product, action, response.statusCode, answer);
	}
	if (response.statusCode === 200 || answer.Code === 'DryRunOperation') {
		for (const name of parameter_names(parameters)) {
			of_action.parameters.add(name);
		}
	}
}

// Beneath all clients: bodies as node sends and receives them.
function listen() {
	const { end, write } = http.ClientRequest.prototype;
	const keep = (request, chunk) => {
		if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) {
			request.pl_body = (request.pl_body || '') + chunk;
		}
	};
	http.ClientRequest.prototype.write = function (chunk, ...rest) {
		keep(this, chunk);
		return write.call(this, chunk, ...rest);
	};
	http.ClientRequest.prototype.end = function (chunk, ...rest) {
		if (!this.pl_ended) {
			this.pl_ended = true;
			keep(this, chunk);
		}
		return end.call(this, chunk, ...rest);
	};
	http.IncomingMessage.prototype.push = function (chunk, ...rest) {
		if (this.req && chunk) {
			this.pl_chunks = [...(this.pl_chunks || []), Buffer.from(chunk)];
		} else if (this.req && chunk === null && this.pl_chunks) {
			finished(this, Buffer.concat(this.pl_chunks).toString());
			this.pl_chunks = undefined;
		}
		return Readable.prototype.push.call(this, chunk, ...rest);
	};
}

// The faults so far, each told once.
const take_faults = () => [...new Set(faults.splice(0))];

module.exports = { listen, products, seen, take_faults };
