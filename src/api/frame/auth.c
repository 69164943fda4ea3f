/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three schemes, told apart by the Authorization header, which only V1 lacks. The order of checks is the same
 * for all: everything there, key known, time right, signature right, nonce new. A nonce is spent only by a
 * request whose signature was right, so that nobody can burn another's.
 */
#include "auth.h"

#include <stdio.h>
#include <strings.h>

#include "../../lib/codec.h"

struct check {
	struct nonces *nonces;
	const struct snapshot *rows;
	const struct sign_request *request;
	int64_t now, stamp; /* the request's */
	struct auth_call *ret;
	struct api_error *error;
	char **ret_detail;
};

static int refuse(struct check *c, const char *code, const char *detail)
{
	return error_set(c->error, code, detail);
}

static int refuse_missing(struct check *c, const char *name)
{
	return error_set_named(c->error, "Missing{Name}", name, NULL);
}

static int refuse_forgotten(struct check *c)
{
	return refuse(c, "InvalidTimeStamp.Expired",
		      "It no longer knows which nonces of that time "
		      "were used: sign the request anew.");
}

static int find_key(struct check *c, const char *id, const struct access_key **ret)
{
	const struct access_key *key = snapshot_find(c->rows, KIND_ACCESS_KEY, id);

	if (!key)
		return refuse(c, "InvalidAccessKeyId.NotFound", NULL);
	if (!key->active)
		return refuse(c, "InvalidAccessKeyId.Inactive", NULL);
	*ret = key;
	return 0;
}

static int check_time(struct check *c, const char *text)
{
	if (time_parse(text, &c->stamp) < 0)
		return refuse(c, "InvalidTimeStamp.Format", NULL);
	if (c->stamp < c->now - AUTH_CLOCK_SKEW_S || c->stamp > c->now + AUTH_CLOCK_SKEW_S)
		return refuse(c, "InvalidTimeStamp.Expired", NULL);
	if (!nonces_remember_since(c->nonces, c->stamp) ||
	    nonces_are_lost_of(c->nonces, c->stamp, c->now - uptime_s()))
		return refuse_forgotten(c);
	return 0;
}

/* Temporary keys are not given out here, so whatever token comes belongs to no key. */
static int check_security_token(struct check *c, const char *token)
{
	return token && token[0] ? refuse(c, "InvalidSecurityToken.MismatchWithAccessKey", NULL) : 0;
}

/* Clients look for the words before the string, to show where theirs differs. */
static int check_signature(struct check *c, const char *given, const char *computed, const char *to_sign)
{
	if (equal_constant_time(given, strlen(given), computed, strlen(computed)))
		return 0;
	if (asprintf(c->ret_detail, "server string to sign is:%.*s", AUTH_ECHO_MAX, to_sign) < 0) {
		*c->ret_detail = NULL;
		return -ENOMEM;
	}
	return refuse(c, "SignatureDoesNotMatch", NULL);
}

static int spend_nonce(struct check *c, const struct access_key *key, const char *nonce)
{
	int r = nonces_spend(c->nonces, key->uid, key->id, nonce, c->stamp, c->now);

	if (r == -EEXIST)
		return refuse(c, "SignatureNonceUsed", NULL);
	if (r == -ESTALE)
		return refuse_forgotten(c);
	if (r == -EDQUOT)
		return refuse(c, "Throttling.User", NULL);
	if (r == -EAGAIN)
		return refuse(
			c, "InvalidTimeStamp.Expired",
			"Its time is ahead of the server's clock, and nonces cannot be written down now: "
			"set the clock, or sign the request anew later.");
	return r;
}

/* A parameter of query or form. */
static const char *param(const struct check *c, const char *name)
{
	const char *value = params_get(c->request->query, name);

	return value || !c->request->form ? value : params_get(c->request->form, name);
}

static int check_v1_complete(struct check *c)
{
	static const char *const needed[] = {"Action",		"Version",	    "AccessKeyId",
					     "SignatureMethod", "SignatureVersion", "Timestamp",
					     "SignatureNonce",	"Signature"};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		const char *value = param(c, needed[i]);

		if (!value || !value[0])
			return refuse_missing(c, needed[i]);
	}
	if (!streq(param(c, "SignatureMethod"), "HMAC-SHA1") || !streq(param(c, "SignatureVersion"), "1.0"))
		return refuse(c, "UnsupportedSignatureMethod", "Use HMAC-SHA1, version 1.0.");
	return 0;
}

static void took_key(struct check *c, const struct access_key *key, const char *action, const char *version)
{
	*c->ret = (struct auth_call){
		.uid = key->uid, .action = action, .version = version, .is_ahead = c->stamp > c->now};
	(void)str_copy(c->ret->user, sizeof(c->ret->user), key->user);
	(void)str_copy(c->ret->key, sizeof(c->ret->key), key->id);
}

static int check_v1(struct check *c)
{
	_cleanup_(freep) char *to_sign = NULL;
	const struct access_key *key = NULL;
	char computed[64];
	int r;

	r = check_v1_complete(c);
	if (r < 0)
		return r;
	r = find_key(c, param(c, "AccessKeyId"), &key);
	if (r < 0)
		return r;
	r = check_time(c, param(c, "Timestamp"));
	if (r < 0)
		return r;
	r = check_security_token(c, param(c, "SecurityToken"));
	if (r < 0)
		return r;
	r = sign_v1(c->request, key->secret, computed, &to_sign);
	if (r < 0)
		return r;
	r = check_signature(c, param(c, "Signature"), computed, to_sign);
	if (r < 0)
		return r;
	r = spend_nonce(c, key, param(c, "SignatureNonce"));
	if (r < 0)
		return r;
	took_key(c, key, param(c, "Action"), param(c, "Version"));
	return 0;
}

static int check_acs3_complete(struct check *c)
{
	/* By the names that the parameters have in V1. */
	static const struct {
		const char *header, *name;
	} needed[] = {
		{"x-acs-action", "Action"},
		{"x-acs-version", "Version"},
		{"x-acs-date", "Timestamp"},
		{"x-acs-signature-nonce", "SignatureNonce"},
		{"x-acs-content-sha256", "ContentSha256"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		const char *value = sign_request_header(c->request, needed[i].header);

		if (!value || !value[0])
			return refuse_missing(c, needed[i].name);
	}
	return 0;
}

static int compute_acs3(struct check *c, const struct sign_acs3 *parts, const char *secret, char ret[65],
			char **ret_to_sign)
{
	int r = sign_acs3(c->request, parts->signed_headers, secret, ret, ret_to_sign);

	if (r == -ENOKEY)
		return refuse(c, "IncompleteSignature",
			      "A header that must be signed is not, or was not sent.");
	if (r == -EBADMSG)
		return refuse(c, "SignatureDoesNotMatch",
			      "The digest x-acs-content-sha256 is not that of the body.");
	return r;
}

static int check_acs3(struct check *c, const char *authorization)
{
	_cleanup_(freep) char *to_sign = NULL;
	const struct access_key *key = NULL;
	struct sign_acs3 parts;
	char computed[65];
	int r;

	r = sign_acs3_parse(authorization, &parts);
	if (r == -EINVAL)
		return refuse(c, "IncompleteSignature", "The Authorization header is malformed.");
	if (r == -ENOENT)
		return refuse(c, "UnsupportedSignatureMethod", "Use ACS3-HMAC-SHA256.");
	if (r < 0)
		return r;
	r = check_acs3_complete(c);
	if (r < 0)
		return r;
	r = find_key(c, parts.key_id, &key);
	if (r < 0)
		return r;
	r = check_time(c, sign_request_header(c->request, "x-acs-date"));
	if (r < 0)
		return r;
	r = check_security_token(c, sign_request_header(c->request, "x-acs-security-token"));
	if (r < 0)
		return r;
	r = compute_acs3(c, &parts, key->secret, computed, &to_sign);
	if (r < 0)
		return r;
	r = check_signature(c, parts.signature, computed, to_sign);
	if (r < 0)
		return r;
	r = spend_nonce(c, key, sign_request_header(c->request, "x-acs-signature-nonce"));
	if (r < 0)
		return r;
	took_key(c, key, sign_request_header(c->request, "x-acs-action"),
		 sign_request_header(c->request, "x-acs-version"));
	return 0;
}

int auth_check(struct nonces *nonces, const struct snapshot *rows, const struct sign_request *request,
	       int64_t now, struct auth_call *ret, struct api_error *error, char **ret_detail)
{
	struct check check = {.nonces = nonces,
			      .rows = rows,
			      .request = request,
			      .now = now,
			      .ret = ret,
			      .error = error,
			      .ret_detail = ret_detail};
	const char *authorization = sign_request_header(request, "authorization");

	*ret_detail = NULL;
	if (!authorization)
		return check_v1(&check);
	if (strncasecmp(authorization, "acs ", strlen("acs ")) == 0)
		return refuse(
			&check, "UnsupportedSignatureMethod",
			"Only products with paths of their own are signed so, and none is served here.");
	return check_acs3(&check, authorization);
}
