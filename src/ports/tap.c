/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap device is made by an ioctl on /dev/net/tun, not by netlink; everything else about it (MAC, MTU,
 * alias, removal) is netlink's like any link's.
 */
#include "tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

int tap_add(const char *name)
{
	_cleanup_(closep) int fd = -EBADF;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL};

	if (str_copy(request.ifr_name, sizeof(request.ifr_name), name) < 0)
		return -EINVAL;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return errno == EBUSY ? -EEXIST : -errno;
	return TAKE_FD(fd);
}

int tap_keep(int fd)
{
	return ioctl(fd, TUNSETPERSIST, 1) < 0 ? -errno : 0;
}
