/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures against published vectors, and against requests that official clients have sent.
 */
#include <stdio.h>

#include "../tap.h"
#include "sign/sign.h"

#define HEADERS_MAX 32

struct pair {
	const char *name, *value;
};

/* A request put together by hand; everything in it is borrowed but the parameters. */
struct fixture {
	struct params query, form;
	struct sign_request request;
};

static void fixture_begin(struct fixture *f, const char *method, const char *path)
{
	*f = (struct fixture){.request = {.method = method, .path = path}};
	f->request.query = &f->query;
}

static void fixture_query(struct fixture *f, const struct pair *pairs)
{
	for (; pairs->name; pairs++)
		if (params_add(&f->query, pairs->name, pairs->value) < 0)
			abort();
}

static void fixture_end(struct fixture *f)
{
	params_done(&f->query);
	params_done(&f->form);
}

/* clang-format off */
static const struct pair create_endpoint[] = {
	{ "Zone.2.VSwitchId", "vsw-test0002" }, /* the order must not matter */
	{ "Action", "CreateVpcEndpoint" }, { "Version", "2020-04-15" }, { "Format", "JSON" },
	{ "AccessKeyId", "testAccessKeyId" }, { "SignatureMethod", "HMAC-SHA1" }, { "SignatureVersion", "1.0" },
	{ "Timestamp", "2026-01-02T03:04:05Z" }, { "SignatureNonce", "0123456789abcdef0123456789abcdef" },
	{ "RegionId", "cn-hangzhou" }, { "VpcId", "vpc-test0001" },
	{ "ServiceName", "com.aliyuncs.privatelink.cn-hangzhou.pai-dlc" },
	{ "EndpointName", "dlc ep*(1)~'x'!" },
	{ "Zone.1.ZoneId", "cn-hangzhou-h" }, { "Zone.1.VSwitchId", "vsw-test0001" },
	{ "Zone.2.ZoneId", "cn-hangzhou-i" },
	{ "SecurityGroupId.1", "sg-test0001" }, { "SecurityGroupId.2", "sg-test0002" },
	{ "Signature", "must be left out" },
	{ NULL },
};
static const struct pair published_v1[] = {
	{ "AccessKeyId", "testid" }, { "Action", "DescribeRegions" }, { "Format", "XML" },
	{ "SignatureMethod", "HMAC-SHA1" }, { "SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf" },
	{ "SignatureVersion", "1.0" }, { "Timestamp", "2016-02-23T12:46:24Z" }, { "Version", "2014-05-26" },
	{ NULL },
};
static const struct pair our_v1[] = {
	{ "AccessKeyId", "testid" }, { "Action", "CreateVpcEndpoint" }, { "Format", "JSON" },
	{ "SignatureMethod", "HMAC-SHA1" }, { "SignatureNonce", "n-0001" }, { "SignatureVersion", "1.0" },
	{ "Timestamp", "2026-01-02T03:04:05Z" }, { "Version", "2020-04-15" }, { "RegionId", "cn-hangzhou" },
	{ "VpcId", "vpc-a" }, { "ServiceName", "com.aliyuncs.privatelink.cn-hangzhou.pai-dlc" },
	{ "EndpointName", "a b*~" }, { "Zone.1.ZoneId", "cn-hangzhou-h" }, { "Zone.1.VSwitchId", "vsw-a" },
	{ "SecurityGroupId.1", "sg-a" },
	{ NULL },
};
/* clang-format on */

static const char to_sign_v1[] =
	"GET&%2F&AccessKeyId%3DtestAccessKeyId%26Action%3DCreateVpcEndpoint%26EndpointName%3Ddlc%2520ep%252A%"
	"25281"
	"%2529~%2527x%2527%2521%26Format%3DJSON%26RegionId%3Dcn-hangzhou%26SecurityGroupId.1%3Dsg-test0001%26"
	"SecurityGroupId.2%3Dsg-test0002%26ServiceName%3Dcom.aliyuncs.privatelink.cn-hangzhou.pai-dlc%26"
	"SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D0123456789abcdef0123456789abcdef%26SignatureVersion%"
	"3D1.0%26"
	"Timestamp%3D2026-01-02T03%253A04%253A05Z%26Version%3D2020-04-15%26VpcId%3Dvpc-test0001%26Zone.1."
	"VSwitchId"
	"%3Dvsw-test0001%26Zone.1.ZoneId%3Dcn-hangzhou-h%26Zone.2.VSwitchId%3Dvsw-test0002%26Zone.2.ZoneId%3D"
	"cn-hangzhou-i";

static void test_v1(void)
{
	static const struct {
		const char *name, *method;
		const struct pair *params;
		const char *secret, *signature, *to_sign;
	} cases[] = {
		{"V1 by GET", "GET", create_endpoint, "testAccessKeySecret",
		 "RSdpm4P3jACYzc/lR+EFxX2kjnQ=", to_sign_v1},
		{"V1 by POST", "POST", create_endpoint, "testAccessKeySecret",
		 "omBEl3/tMNNeyDPj3Leoi2uU/nA=", NULL},
		{"V1 as published", "GET", published_v1, "testsecret", "OLeaidS1JvxuMvnyHOwuJ+uX5qY=", NULL},
		{"V1 of a short name with special characters", "POST", our_v1, "testsecret",
		 "/cKWkxospm1tDEu/f2+3ywTdpp4=", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *to_sign = NULL;
		char signature[64] = "";
		struct fixture f;

		fixture_begin(&f, cases[i].method, "/");
		fixture_query(&f, cases[i].params);
		(void)sign_v1(&f.request, cases[i].secret, signature, &to_sign);
		tap_is_str(signature, cases[i].signature, "%s", cases[i].name);
		if (cases[i].to_sign)
			tap_is_str(to_sign, cases[i].to_sign, "%s: the string to sign", cases[i].name);
		fixture_end(&f);
	}
}

/* Half of the parameters in the query and half in the form give the same signature. */
static void test_v1_query_and_form(void)
{
	char signature[64] = "";
	struct fixture f;

	fixture_begin(&f, "POST", "/");
	for (size_t i = 0; create_endpoint[i].name; i++)
		(void)params_add(i % 2 ? &f.form : &f.query, create_endpoint[i].name,
				 create_endpoint[i].value);
	f.request.form = &f.form;
	(void)sign_v1(&f.request, "testAccessKeySecret", signature, NULL);
	tap_is_str(signature, "omBEl3/tMNNeyDPj3Leoi2uU/nA=", "V1 takes query and form together");
	fixture_end(&f);
}

/* A name in both: the query's comes first, wherever the two lists lie in memory. */
static void test_v1_name_in_both(void)
{
	for (int form_first = 0; form_first < 2; form_first++) {
		_cleanup_(freep) char *to_sign = NULL;
		char signature[64];
		struct fixture f;

		fixture_begin(&f, "POST", "/");
		for (int i = 0; i < 2; i++) {
			bool form = (i == 0) == (form_first == 1);

			(void)params_add(form ? &f.form : &f.query, "A", form ? "form" : "query");
		}
		f.request.form = &f.form;
		(void)sign_v1(&f.request, "s", signature, &to_sign);
		tap_is_str(to_sign, "POST&%2F&A%3Dquery%26A%3Dform",
			   "V1 orders a name in both, %s made first", form_first ? "the form" : "the query");
		fixture_end(&f);
	}
}

static void test_v1_empty_parameter(void)
{
	_cleanup_(freep) char *to_sign = NULL;
	char signature[64];
	struct fixture f;

	fixture_begin(&f, "POST", "/");
	fixture_query(&f, (struct pair[]){{"SignatureType", ""}, {"A", "1"}, {NULL}});
	(void)sign_v1(&f.request, "s", signature, &to_sign);
	tap_is_str(to_sign, "POST&%2F&A%3D1%26SignatureType%3D", "V1 signs an empty parameter");
	fixture_end(&f);
}

#define EMPTY_DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SIGNED_HEADERS                                                                                       \
	"host;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-"      \
	"nonce;"                                                                                             \
	"x-acs-version"

/* clang-format off */
static const struct sign_header headers_a[] = {
	{ "host", "privatelink.cn-hangzhou.aliyuncs.com" },
	{ "x-acs-action", "CreateVpcEndpoint" },
	{ "x-acs-content-sha256", EMPTY_DIGEST },
	{ "x-acs-credentials-provider", "static_ak" },
	{ "x-acs-date", "2026-01-02T03:04:05Z" },
	{ "x-acs-signature-nonce", "0123456789abcdef0123456789abcdef" },
	{ "x-acs-version", "2020-04-15" },
};
static const struct pair query_a[] = {
	{ "RegionId", "cn-hangzhou" }, { "VpcId", "vpc-test0001" }, { "EndpointName", "dlc ep*(1)~'x'!" },
	{ "ServiceName", "com.aliyuncs.privatelink.cn-hangzhou.pai-dlc" },
	{ "Zone.1.ZoneId", "cn-hangzhou-h" }, { "Zone.1.VSwitchId", "vsw-test0001" },
	{ "Zone.2.ip", "10.0.2.9" }, { "Zone.2.ZoneId", "cn-hangzhou-i" }, { "Zone.2.VSwitchId", "vsw-test0002" },
	{ "SecurityGroupId.1", "sg-test0001" }, { "SecurityGroupId.2", "sg-test0002" },
	{ NULL },
};
static const char body_b[] =
	"RegionId=cn-hangzhou&ResourceType=vpcendpoint&ResourceId.1=ep-test0001&Tag.1.Key=env&Tag.1.Value=a%20b*c";
static const struct sign_header headers_b[] = {
	{ "content-type", "application/x-www-form-urlencoded" },
	{ "host", "privatelink.cn-hangzhou.aliyuncs.com" },
	{ "x-acs-action", "TagResources" },
	{ "x-acs-content-sha256", "03befe2f75846a19acf6a6b3fb8fa99e46c4ca04de680ba2a0cd9e738bf17eff" },
	{ "x-acs-credentials-provider", "static_ak" },
	{ "x-acs-date", "2026-01-02T03:04:05Z" },
	{ "x-acs-signature-nonce", "0123456789abcdef0123456789abcdef" },
	{ "x-acs-version", "2020-04-15" },
};
static const struct sign_header headers_c[] = {
	{ "host", "privatelink.cn-hangzhou.aliyuncs.com" },
	{ "x-acs-action", "GetJob" },
	{ "x-acs-content-sha256", EMPTY_DIGEST },
	{ "x-acs-credentials-provider", "static_ak" },
	{ "x-acs-date", "2026-01-02T03:04:05Z" },
	{ "x-acs-signature-nonce", "0123456789abcdef0123456789abcdef" },
	{ "x-acs-version", "2020-12-03" },
};
static const struct sign_header headers_published[] = {
	{ "host", "ecs.cn-shanghai.aliyuncs.com" },
	{ "x-acs-action", "RunInstances" },
	{ "x-acs-content-sha256", EMPTY_DIGEST },
	{ "x-acs-date", "2023-10-26T10:22:32Z" },
	{ "x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d" },
	{ "x-acs-version", "2014-05-26" },
};
static const struct sign_header headers_ours[] = {
	{ "host", "privatelink.cn-hangzhou.aliyuncs.com" },
	{ "x-acs-action", "GetVpcEndpointAttribute" },
	{ "x-acs-content-sha256", EMPTY_DIGEST },
	{ "x-acs-date", "2026-01-02T03:04:05Z" },
	{ "x-acs-signature-nonce", "n-0002" },
	{ "x-acs-version", "2020-04-15" },
};
/* clang-format on */

#define SHORT_LIST "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"

static void test_acs3(void)
{
	const struct {
		const char *name, *method, *path;
		const struct pair *query;
		const struct sign_header *headers;
		size_t n_headers;
		const char *body, *list, *secret, *digest, *signature;
	} cases[] = {
		{"ACS3 with parameters in the query", "POST", "/", query_a, headers_a, ARRAY_SIZE(headers_a),
		 "", SIGNED_HEADERS, "testAccessKeySecret",
		 "5ed42392d37bf6716376aa5b50d1875ddfb709fcdc2277172bee61bb4844e415",
		 "0ed400a3b76ad1b3f96fe236b8e068229254bea22b426728a145a36d216ae1d5"},
		{"ACS3 with a form", "POST", "/", (struct pair[]){{NULL}}, headers_b, ARRAY_SIZE(headers_b),
		 body_b, "content-type;" SIGNED_HEADERS, "testAccessKeySecret",
		 "46ae6ab92c8cbbd4e3eea2204cda06841169f6ebdd38404dfc7f8c736eb44b0c",
		 "76e4ba9986b046fc7a00dba0187db652f94df88dc065cb113582426b761cc63f"},
		{"ACS3 with a path", "GET", "/api/v1/jobs/dlc0001",
		 (struct pair[]){{"NeedDetail", "true"}, {NULL}}, headers_c, ARRAY_SIZE(headers_c), "",
		 SIGNED_HEADERS, "testAccessKeySecret",
		 "f348a51e7553d6d5037b8e68abb0e6cdf5159020f8ecd06eab2b276e45679dc6",
		 "77180b26513e8dad331ee1af2db53eebfd78bd1733ecfce92fcb6c88dc14bbe7"},
		{"ACS3 as published", "POST", "/",
		 (struct pair[]){{"ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"},
				 {"RegionId", "cn-shanghai"},
				 {NULL}},
		 headers_published, ARRAY_SIZE(headers_published), "", SHORT_LIST, "YourAccessKeySecret",
		 NULL, "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"},
		{"ACS3 of a reading call", "POST", "/",
		 (struct pair[]){{"EndpointId", "ep-a"}, {"RegionId", "cn-hangzhou"}, {NULL}}, headers_ours,
		 ARRAY_SIZE(headers_ours), "", SHORT_LIST, "testsecret",
		 "bf04f1a513149335ce44e525f78363afd4dff3cf70aed804cd74c19d9bf9e2bf",
		 "dfd368a60c54845db8ca5d3d5b26f6b8669d26bee027849d2ce314ebb14e79d5"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *to_sign = NULL;
		char signature[65] = "";
		struct fixture f;

		fixture_begin(&f, cases[i].method, cases[i].path);
		fixture_query(&f, cases[i].query);
		f.request.headers = cases[i].headers;
		f.request.n_headers = cases[i].n_headers;
		f.request.body = cases[i].body;
		f.request.body_size = strlen(cases[i].body);
		(void)sign_acs3(&f.request, cases[i].list, cases[i].secret, signature, &to_sign);
		tap_is_str(signature, cases[i].signature, "%s", cases[i].name);
		if (cases[i].digest)
			tap_ok(to_sign && str_starts(to_sign, "ACS3-HMAC-SHA256\n") &&
				       str_ends(to_sign, cases[i].digest),
			       "%s: the canonical request's digest", cases[i].name);
		fixture_end(&f);
	}
}

static void test_acs3_refusals(void)
{
	static const struct {
		const char *name, *list, *body;
		int want;
	} cases[] = {
		{"a list of the headers that must be signed", SHORT_LIST, "", 0},
		{"the list in capitals",
		 "Host;x-acs-action;x-acs-content-sha256;X-Acs-Date;x-acs-signature-nonce;"
		 "x-acs-version",
		 "", 0},
		{"a list without host",
		 "x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version", "",
		 -ENOKEY},
		{"a list without the nonce",
		 "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-version", "", -ENOKEY},
		{"a list that has the date only inside another name",
		 "host;x-acs-action;x-acs-content-sha256;x-acs-date-x;x-acs-signature-nonce;x-acs-version",
		 "", -ENOKEY},
		{"a list with a header that was not sent", SHORT_LIST ";x-acs-security-token", "", -ENOKEY},
		{"a body that its digest does not fit", SHORT_LIST, "a=b", -EBADMSG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char signature[65];
		struct fixture f;

		fixture_begin(&f, "POST", "/");
		f.request.headers = headers_ours;
		f.request.n_headers = ARRAY_SIZE(headers_ours);
		f.request.body = cases[i].body;
		f.request.body_size = strlen(cases[i].body);
		tap_is_int(sign_acs3(&f.request, cases[i].list, "testsecret", signature, NULL), cases[i].want,
			   "%s", cases[i].name);
		fixture_end(&f);
	}
}

static void test_acs3_header(void)
{
#define HEX EMPTY_DIGEST
	static const struct {
		const char *name, *header;
		int want;
	} cases[] = {
		{"the usual form", "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=a;b,Signature=" HEX, 0},
		{"blanks after commas", "ACS3-HMAC-SHA256 Credential=k, SignedHeaders=a;b, Signature=" HEX,
		 0},
		{"another order", "ACS3-HMAC-SHA256 Signature=" HEX ",SignedHeaders=a;b,Credential=k", 0},
		{"another scheme", "Bearer abc", -ENOENT},
		{"a scheme that begins alike", "ACS3-HMAC-SHA2567 Credential=k", -ENOENT},
		{"the ROA scheme", "acs k:AAAA", -ENOENT},
		{"the scheme alone", "ACS3-HMAC-SHA256", -EINVAL},
		{"no signature", "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=a;b", -EINVAL},
		{"no key", "ACS3-HMAC-SHA256 SignedHeaders=a;b,Signature=" HEX, -EINVAL},
		{"an empty key", "ACS3-HMAC-SHA256 Credential=,SignedHeaders=a;b,Signature=" HEX, -EINVAL},
		{"a part twice",
		 "ACS3-HMAC-SHA256 Credential=k,Credential=l,SignedHeaders=a;b,Signature=" HEX, -EINVAL},
		{"a part that is not known",
		 "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=a,Salt=1,Signature=" HEX, -EINVAL},
		{"a short signature", "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=a;b,Signature=e3b0",
		 -EINVAL},
		{"a long signature", "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=a;b,Signature=" HEX "00",
		 -EINVAL},
		{"nothing", "", -ENOENT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sign_acs3 parts;
		int r = sign_acs3_parse(cases[i].header, &parts);

		tap_is_int(r, cases[i].want, "authorization header: %s", cases[i].name);
		if (r == 0)
			tap_ok(streq(parts.key_id, "k") && streq(parts.signed_headers, "a;b") &&
				       streq(parts.signature, HEX),
			       "authorization header: %s: the parts", cases[i].name);
	}
}

static void test_roa(void)
{
	static const struct sign_header headers[] = {
		{"x-acs-version", "2020-12-03"},
		{"Accept", "application/json"},
		{"date", "Fri, 02 Jan 2026 03:04:05 GMT"},
		{"x-acs-action", "ListJobs"},
		{"x-acs-credentials-provider", "static_ak"},
		{"x-acs-signature-method", "HMAC-SHA1"},
		{"x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"},
		{"x-acs-signature-version", "1.0"},
	};
	_cleanup_(freep) char *to_sign = NULL;
	char signature[64] = "";
	struct fixture f;

	fixture_begin(&f, "GET", "/api/v1/jobs");
	fixture_query(&f, (struct pair[]){
				  {"WorkspaceId", "1"}, {"DisplayName", "a b"}, {"PageNumber", "1"}, {NULL}});
	f.request.headers = headers;
	f.request.n_headers = ARRAY_SIZE(headers);
	(void)sign_roa(&f.request, "testAccessKeySecret", signature, &to_sign);
	tap_is_str(signature, "luc5h4vd1SWTVAuYSJbOaXA8hKs=", "ROA with HMAC-SHA1");
	tap_ok(to_sign &&
		       str_starts(to_sign,
				  "GET\napplication/json\n\n\nFri, 02 Jan 2026 03:04:05 GMT\nx-acs-action:"),
	       "ROA: the string to sign begins with five lines");
	fixture_end(&f);
}

/* One request of the file of recorded ones. Cuts the text up in place. */
static void check_recorded(const char *name, char *text)
{
	struct sign_header headers[HEADERS_MAX];
	char *head = text, *body, *line, *method, *target, *query, *given;
	char signature[65] = "";
	struct sign_acs3 parts;
	const char *type;
	struct fixture f;
	int r;

	body = strstr(text, "\n\n");
	if (body) {
		*body = '\0';
		body += 2;
		body[strcspn(body, "\n")] = '\0';
	}
	line = strsep(&head, "\n");
	method = strsep(&line, " ");
	target = strsep(&line, " ");
	query = target;
	target = strsep(&query, "?");
	fixture_begin(&f, method, target);
	r = query ? params_parse(query, strlen(query), &f.query) : 0;
	while ((line = strsep(&head, "\n")) && line[0]) {
		headers[f.request.n_headers].name = strsep(&line, ":");
		headers[f.request.n_headers++].value = line + 1;
	}
	f.request.headers = headers;
	f.request.body = body ? body : "";
	f.request.body_size = strlen(f.request.body);
	type = sign_request_header(&f.request, "Content-Type");
	if (type && str_starts(type, "application/x-www-form-urlencoded")) {
		r = r < 0 ? r : params_parse(f.request.body, f.request.body_size, &f.form);
		f.request.form = &f.form;
	}
	given = (char *)sign_request_header(&f.request, "authorization");
	if (r == 0 && given) {
		r = sign_acs3_parse(given, &parts);
		r = r < 0 ? r
			  : sign_acs3(&f.request, parts.signed_headers, "testAccessKeySecret", signature,
				      NULL);
		tap_ok(r == 0 && streq(signature, parts.signature), "recorded: %s", name);
	} else {
		const char *want = params_get(&f.query, "Signature");

		want = want ? want : params_get(&f.form, "Signature");
		(void)sign_v1(&f.request, "testAccessKeySecret", signature, NULL);
		tap_is_str(signature, want ? want : "none given", "recorded: %s", name);
	}
	fixture_end(&f);
}

static char *read_all(const char *path)
{
	static char text[256 * 1024];
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[n] = '\0';
	return text;
}

static void test_recorded(void)
{
	const char *root = getenv("PRIVLINK_SOURCE_ROOT");
	char path[4096];
	char *next, *one, *name;
	int n = 0;

	(void)str_format(path, sizeof(path), "%s/tests/unit/data/raw_requests.txt", root ? root : ".");
	next = read_all(path);
	if (!tap_ok(next, "the recorded requests can be read"))
		return;
	next = strstr(next, "\n= ");
	while (next) {
		one = next + 3;
		next = strstr(one, "\n= ");
		if (next)
			*next = '\0';
		name = strsep(&one, "\n");
		check_recorded(name, one);
		n++;
	}
	tap_is_int(n, 22, "all recorded requests were looked at");
}

int main(void)
{
	test_v1();
	test_v1_query_and_form();
	test_v1_name_in_both();
	test_v1_empty_parameter();
	test_acs3();
	test_acs3_refusals();
	test_acs3_header();
	test_roa();
	test_recorded();
	return tap_done();
}
