/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a connectivity test, carried out: all zones at once, each step for so long at most. In a
 * process of its own, without any right (connectivity_child.h); it blocks until the last step is through.
 */
#pragma once

#include "../model/connectivity.h"

#define CONNECTIVITY_STEP_MS 3000

struct connectivity_probe {
	const struct connectivity_step *steps;
	size_t n_steps;
	uint32_t port;
	int answer_fd; /* gets a line for each step (connectivity_answer.h) */
	int echo_fd;   /* a raw socket for echo requests */
	int trust_fd;  /* authorities that are trusted, PEM; negative: none */
};

/* 0: each step was told; negative errno: none was, or no more can be. */
int connectivity_probe(const struct connectivity_probe *task);
