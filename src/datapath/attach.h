/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the data path on the devices of ports: the entry program on what comes from an instance, and the guard
 * on what goes to one. Where the kernel has tcx (6.6), by pinned links, and behind them filters of a clsact
 * qdisc that let nothing pass, should a link be lost; elsewhere by such filters alone. All stays when the
 * agent ends.
 */
#pragma once

#include "../ports/port_device.h"

enum attach_mode { ATTACH_AUTO, ATTACH_TCX, ATTACH_CLSACT };

struct attach;

struct attach_options {
	enum attach_mode mode; /* ATTACH_AUTO: tcx, if the first try works */
	const char *pin_dir;   /* copied */
	int entry_map_fd;      /* pl_entry */
	int guard_veth_fd, guard_tap_fd;
	const int *map_fds; /* copied into the guards' keeping: see attach_find_maps() */
	size_t n_map_fds;
	bool keeps_guards; /* a guard that is there stays, until attach_replace_guards() */
};

/* `options` names descriptors that stay the caller's; its text is copied. Negative errno of the
 * kernel (bpf). Freeing leaves the links attached. */
int attach_new(const struct attach_options *options, struct attach **ret);
struct attach *attach_free(struct attach *attach);

/* -EINVAL: not auto, tcx or clsact. */
int attach_mode_parse(const char *name, enum attach_mode *ret);

/* Makes the device's programs those of the slot; what is right already stays. `delivery` is PL_PORT_VETH or
 * _TAP. */
int attach_port(struct attach *attach, uint32_t slot, uint32_t ifindex, uint8_t delivery);

/* Gives all ports that attach_port() has seen the guard that it would not give them yet. */
int attach_replace_guards(struct attach *attach);

/* Whether attach_port() has still something to do there. */
enum port_check attach_check(struct attach *attach, uint32_t slot, uint32_t ifindex, uint8_t delivery);

/* Removes pinned links whose device is gone. */
int attach_sweep(struct attach *attach);
/* The same of one slot's links, if there are any. */
int attach_sweep_slot(struct attach *attach, uint32_t slot);

/* The ids of the maps that the guard on a device keeps alive: those of the agent that attached it, also after
 * their pins were removed. -ENOENT: there is no guard of ours. */
#define ATTACH_MAPS_MAX 64
int attach_find_maps(uint32_t ifindex, uint32_t ret_ids[ATTACH_MAPS_MAX], size_t *ret_n);
