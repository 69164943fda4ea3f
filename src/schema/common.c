/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What products share: tags, regions and zones, and how lists come in pages.
 */
#include "common.h"

#include "limits.h"

const struct product_words usual_words = {
	.malformed = "InvalidParameter.{name}",
	.missing_part = "MissingParameter.{name}",
	.unknown_region = "InvalidRegionId.NotFound",
	.token_mismatch = "IdempotentParameterMismatch",
	.no_tag_key = "Invalid{Name}.Malformed",
	.tag_key = "Invalid{Name}.Malformed",
	.tag_value = "Invalid{Name}.Malformed",
	.tag_key_twice = "Duplicate.TagKey",
	.too_many_tags = "NumberExceed.Tags",
};

const struct param_spec tag_params[] = {
	{"Key", PARAM_STRING},
	{"Value", PARAM_STRING},
	{},
};

const struct param_spec tag_resources_params[] = {
	{"ResourceType", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_LIST, .required = true, .min = 1, .max = 50, .help = TAGGED_HELP},
	{"Tag", PARAM_STRUCT_LIST, .required = true, .min = 1, .max = TAGS_PER_RESOURCE_MAX,
	 .members = tag_params},
	{},
};

const struct param_spec untag_resources_params[] = {
	{"ResourceType", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_LIST, .required = true, .min = 1, .max = 50, .help = TAGGED_HELP},
	{"TagKey", PARAM_LIST, .min = 1, .max = TAGS_PER_RESOURCE_MAX},
	{"All", PARAM_BOOL},
	{},
};

const struct param_spec list_tag_resources_params[] = {
	{"ResourceType", PARAM_STRING, .required = true},
	{"ResourceId", PARAM_LIST, .min = 1, .max = 50},
	{"Tag", PARAM_STRUCT_LIST, .min = 1, .max = TAGS_PER_RESOURCE_MAX, .members = tag_params},
	{"MaxResults", PARAM_INT, .min = 1, .max = 50},
	{},
};

const struct param_spec regions_params[] = {
	{"AcceptLanguage", PARAM_STRING},
	{},
};

const struct param_spec zones_params[] = {
	{"AcceptLanguage", PARAM_STRING},
	{"ZoneType", PARAM_STRING},
	{},
};

const struct answer_field key_value_answer[] = {
	{"Key", OF(tag, key)},
	{"Value", OF(tag, value)},
	{},
};

const struct answer_field tag_key_value_answer[] = {
	{"TagKey", OF(tag, key)},
	{"TagValue", OF(tag, value)},
	{},
};

static const struct answer_field tag_resource_answer[] = {
	{"ResourceId", OF(tag, resource)},
	{"ResourceType", OF(tag, resource_type)},
	SAME(tag_key_value_answer),
	{},
};

const struct answer_field tag_resources_answer[] = {
	{"TagResources", LIST(NULL, tag_resource_answer)},
	{},
};

const struct answer_field tag_resources_wrapped_answer[] = {
	{"TagResources", LIST("TagResource", tag_resource_answer)},
	{},
};

const struct answer_field region_answer[] = {
	{"RegionId", A_TEXT, IN_LIST("Region", 1)},
	{"LocalName", A_TEXT, IN_LIST("Name", 2)},
	{"RegionEndpoint", A_TEXT, IN_LIST("Endpoint", 3)},
	{},
};

const struct answer_field regions_answer[] = {
	{"Regions", LIST("Region", region_answer)},
	{},
};

const struct answer_field zone_answer[] = {
	{"ZoneId", A_TEXT, IN_LIST("Zone", 1)},
	{"LocalName", A_TEXT, IN_LIST("Name", 2)},
	{},
};

const struct paging tag_pages = {50, 50};
