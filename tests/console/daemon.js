// SPDX-License-Identifier: Apache-2.0
// privlinkd of the lab, killed and started again from within a test. What is started is recorded as ../net/lib.sh records it, so that
// it ends with the lab.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { BUILD: build, PRIVLINK_LAB: lab, CONSOLE_URL: url } = process.env;
let pid = Number(process.env.PRIVLINKD_PID);

function kill(signal = 'SIGKILL') {
	process.kill(pid, signal);
}

const answers = () => fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(1000) }).then(({ ok }) => ok, () => false);

async function until(what) {
	const end = Date.now() + 40_000;

	while (!await what()) {
		if (Date.now() > end)
			throw new Error('privlinkd did not do it within 40 s');
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

// When a process began, in ticks, as ../../scripts/processes.sh has it.
const began = (number) => fs.readFileSync(`/proc/${number}/stat`, 'utf8').split(') ').pop().split(' ')[19];

// As start_privlinkd does; `more` are further options, of which the last of a kind counts.
async function start(...more) {
	const log = fs.openSync(path.join(lab, 'privlinkd.log'), 'a');
	const child = spawn(path.join(build, 'src/cmd/privlinkd'), [
		'--state-dir', path.join(lab, 'state'), '--run-dir', path.join(lab, 'run'), '--user', 'nobody', '--no-rate-limits',
		'--http', new URL(url).host, '--catalogue', path.join(__dirname, '../../data/catalogue.json'), ...more,
	], { detached: true, stdio: ['ignore', log, log] });

	fs.closeSync(log);
	fs.appendFileSync(path.join(lab, 'made'), `pid ${child.pid} ${began(child.pid)}\n`);
	pid = child.pid;
	child.unref();
	await until(answers);
}

async function end() {
	kill();
	await until(async () => !await answers());
}

module.exports = { kill, end, start };
