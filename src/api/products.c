/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All products: what a folder beside this file has to offer is reached from here.
 */
#include "admin/actions.h"
#include "common/balancer.h"
#include "common/tags.h"
#include "ecs/actions.h"
#include "nlb/actions.h"
#include "privatelink/actions.h"
#include "ram/actions.h"
#include "resourcemanager/actions.h"
#include "slb/actions.h"
#include "sts/actions.h"
#include "vpc/actions.h"

static const struct tagged_type privatelink_tagged[] = {
	{"vpcendpoint", KIND_ENDPOINT},
	{"vpcendpointservice", KIND_SERVICE},
	{},
};

static const struct tagged_type vpc_tagged[] = {
	{"VPC", KIND_VPC},
	{"VSWITCH", KIND_VSWITCH},
	{},
};

static const struct tagged_type ecs_tagged[] = {
	{"instance", KIND_INSTANCE},
	{"securitygroup", KIND_SECURITY_GROUP},
	{"eni", KIND_PORT},
	{},
};

static const struct tagged_type nlb_tagged[] = {
	{"loadbalancer", KIND_LOAD_BALANCER, balancer_is_of_nlb},
	{"servergroup", KIND_SERVER_GROUP, balancer_is_of_nlb},
	{"listener", KIND_LISTENER, balancer_is_of_nlb},
	{},
};

static const struct tagged_type slb_tagged[] = {
	{"instance", KIND_LOAD_BALANCER, balancer_is_of_slb},
	{},
};

static const action_handler privatelink_handlers[] = {PRIVATELINK_ACTIONS(ACTION_HANDLER)},
			    vpc_handlers[] = {VPC_ACTIONS(ACTION_HANDLER)},
			    ecs_handlers[] = {ECS_ACTIONS(ACTION_HANDLER)},
			    nlb_handlers[] = {NLB_ACTIONS(ACTION_HANDLER)},
			    ram_handlers[] = {RAM_ACTIONS(ACTION_HANDLER)},
			    resourcemanager_handlers[] = {RESOURCEMANAGER_ACTIONS(ACTION_HANDLER)},
			    slb_handlers[] = {SLB_ACTIONS(ACTION_HANDLER)},
			    sts_handlers[] = {STS_ACTIONS(ACTION_HANDLER)},
			    privlink_handlers[] = {PRIVLINK_ACTIONS(ACTION_HANDLER)};

const struct product_code product_codes[PRODUCT_COUNT_] = {
	[PRODUCT_PRIVATELINK] = {privatelink_handlers, privatelink_tagged},
	[PRODUCT_VPC] = {vpc_handlers, vpc_tagged},
	[PRODUCT_ECS] = {ecs_handlers, ecs_tagged},
	[PRODUCT_NLB] = {nlb_handlers, nlb_tagged},
	[PRODUCT_RAM] = {ram_handlers, .reveal = ram_key_reveal},
	[PRODUCT_RESOURCEMANAGER] = {resourcemanager_handlers},
	[PRODUCT_SLB] = {slb_handlers, slb_tagged},
	[PRODUCT_STS] = {sts_handlers},
	[PRODUCT_PRIVLINK] = {privlink_handlers, .reveal = access_key_reveal},
};
