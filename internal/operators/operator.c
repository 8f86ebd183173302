//go:build cgo && !purego

#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// OrtApi is a table of functions that only ever grows at its end. These are
// the places of those that are called here.
enum {
	CreateStatus = 0,
	GetErrorMessage = 2,
	CreateCustomOpDomain = 26,
	CustomOpDomain_Add = 27,
	AddCustomOpDomain = 28,
	GetTensorMutableData = 51,
	GetDimensionsCount = 61,
	GetDimensions = 62,
	GetTensorTypeAndShape = 65,
	KernelInfoGetAttribute_float = 85,
	KernelInfoGetAttribute_int64 = 86,
	KernelContext_GetInputCount = 88,
	KernelContext_GetOutputCount = 89,
	KernelContext_GetInput = 90,
	KernelContext_GetOutput = 91,
	ReleaseStatus = 93,
	ReleaseTensorTypeAndShapeInfo = 99,
	ReleaseCustomOpDomain = 101,
	KernelContext_ParallelFor = 274,
};

typedef const void *const *api_table;

#define CALL(result, name, ...) ((result(*)(__VA_ARGS__))api[name])

enum { FLOAT32 = 1, REQUIRED = 0, OPTIONAL = 1, INVALID_ARGUMENT = 2, MOST_DIMENSIONS = 8 };

// ort_operator is OrtCustomOp, as it is since version 18 of the interface. A
// function that is not there has a default.
typedef struct {
	uint32_t version;
	void *create_kernel;
	const char *(*name)(const void *self);
	const char *(*provider)(const void *self);
	int (*input_type)(const void *self, size_t i);
	size_t (*inputs)(const void *self);
	int (*output_type)(const void *self, size_t i);
	size_t (*outputs)(const void *self);
	void *compute;
	void (*destroy)(void *kernel);
	int (*input_kind)(const void *self, size_t i);
	int (*output_kind)(const void *self, size_t i);
	int (*input_memory)(const void *self, size_t i);
	void *variadic[4];
	void *(*create)(const void *self, api_table api, const void *info, void **kernel);
	void *(*compute_status)(void *kernel, void *context);
	void *infer_shape;
	int (*since)(const void *self);
	int (*until)(const void *self);
	void *in_place[4];
} ort_operator;

typedef struct definition definition;

// shared is what the sessions of some options share.
typedef struct {
	api_table api;
	void *domain;
	palate_scratch *scratch;
	struct entry *entries;
} shared;

// entry is one operator as ONNX Runtime knows it.
typedef struct entry {
	ort_operator op; // the first, as ONNX Runtime hands on its address
	const definition *what;
	shared *of;
} entry;

enum { MOST_INPUTS = 6, ATTRIBUTES = 3 };

// kernel is one node.
typedef struct {
	const entry *of;
	int64_t attributes[ATTRIBUTES];
	float real;
} kernel;

// tensor is an input or output with its shape.
typedef struct {
	float *data;
	size_t dimensions;
	int64_t shape[MOST_DIMENSIONS];
} tensor;

// running is one run of a node.
typedef struct {
	api_table api;
	void *context;
	kernel *node;
	size_t inputs, outputs;
	tensor in[MOST_INPUTS];
} running;

struct definition {
	const char *name;
	size_t inputs, required, outputs, given; // given is how many outputs there are always
	const char *attributes[ATTRIBUTES], *real; // real is one of float, or NULL
	void *(*run)(running *r); // a status
};

static void *failed(api_table api, const char *text) { return CALL(void *, CreateStatus, int, const char *)(INVALID_ARGUMENT, text); }

static const definition *what(const void *self) { return ((const entry *)self)->what; }
static const char *op_name(const void *self) { return what(self)->name; }
static const char *op_provider(const void *self) { (void)self; return NULL; }
static int op_type(const void *self, size_t i) { (void)self; (void)i; return FLOAT32; }
static size_t op_inputs(const void *self) { return what(self)->inputs; }
static size_t op_outputs(const void *self) { return what(self)->outputs; }
static int op_input_kind(const void *self, size_t i) { return i < what(self)->required ? REQUIRED : OPTIONAL; }
static int op_output_kind(const void *self, size_t i) { return i < what(self)->given ? REQUIRED : OPTIONAL; }
static int op_memory(const void *self, size_t i) { (void)self; (void)i; return 0; }
static int op_since(const void *self) { (void)self; return 1; }
static int op_until(const void *self) { (void)self; return 0x7fffffff; }

static void *op_create(const void *self, api_table api, const void *info, void **out)
{
	kernel *k = calloc(1, sizeof *k);
	if (!k)
		return failed(api, "Failed to allocate memory for an operator");
	k->of = self;
	for (int i = 0; i < ATTRIBUTES && what(self)->attributes[i]; i++) {
		void *status = CALL(void *, KernelInfoGetAttribute_int64, const void *, const char *, int64_t *)(info, what(self)->attributes[i], &k->attributes[i]);
		if (status) {
			free(k);
			return status;
		}
	}
	void *status = NULL;
	if (what(self)->real)
		status = CALL(void *, KernelInfoGetAttribute_float, const void *, const char *, float *)(info, what(self)->real, &k->real);
	if (status)
		free(k);
	else
		*out = k;
	return status;
}

static void op_destroy(void *k) { free(k); }

static void *read_tensor(running *r, size_t i)
{
	api_table api = r->api;
	tensor *t = &r->in[i];
	const void *value;
	void *info = NULL;
	void *status = CALL(void *, KernelContext_GetInput, const void *, size_t, const void **)(r->context, i, &value);
	if (!status)
		status = CALL(void *, GetTensorMutableData, const void *, void **)(value, (void **)&t->data);
	if (!status)
		status = CALL(void *, GetTensorTypeAndShape, const void *, void **)(value, &info);
	if (!status)
		status = CALL(void *, GetDimensionsCount, const void *, size_t *)(info, &t->dimensions);
	if (!status && t->dimensions > MOST_DIMENSIONS)
		status = failed(api, "a tensor of too many dimensions");
	if (!status)
		status = CALL(void *, GetDimensions, const void *, int64_t *, size_t)(info, t->shape, t->dimensions);
	if (info)
		CALL(void, ReleaseTensorTypeAndShapeInfo, void *)(info);
	return status;
}

static size_t count(const tensor *t, size_t dimensions)
{
	size_t n = 1;
	for (size_t i = 0; i < dimensions; i++)
		n *= (size_t)t->shape[i];
	return n;
}

// output makes room for an output.
static void *output(running *r, size_t i, const int64_t *shape, size_t dimensions, float **data)
{
	api_table api = r->api;
	void *value;
	void *status = CALL(void *, KernelContext_GetOutput, void *, size_t, const int64_t *, size_t, void **)(r->context, i, shape, dimensions, &value);
	if (!status)
		status = CALL(void *, GetTensorMutableData, void *, void **)(value, (void **)data);
	return status;
}

// share lets ONNX Runtime's threads do the work of a run. What they can't be
// had for is done here.
static void share(void *context, palate_work work, size_t n, void *state)
{
	running *r = context;
	api_table api = r->api;
	void *status = NULL;
	if (n > 1)
		status = CALL(void *, KernelContext_ParallelFor, const void *, palate_work, size_t, size_t, void *)(r->context, work, n, 0, state);
	else
		work(state, 0);
	if (status) {
		CALL(void, ReleaseStatus, void *)(status);
		for (size_t i = 0; i < n; i++)
			work(state, i);
	}
}

static const char *no_fit = "a product of matrices that do not fit each other";
static const char *no_memory = "Failed to allocate memory for an operator";

// matrices reads those of a product, and the shape of what they give.
static void *matrices(running *r, palate_product *p, int64_t shape[MOST_DIMENSIONS])
{
	const tensor *a = &r->in[0], *b = &r->in[1];
	if (a->dimensions < 2 || a->dimensions != b->dimensions)
		return failed(r->api, "a product of tensors that are no matrices, or batches of them");
	const int64_t *settings = r->node->attributes;
	*p = (palate_product){.a = a->data, .b = b->data, .batch = 1, .turn_a = settings[0] != 0, .turn_b = settings[1] != 0, .terms = (int)settings[2]};
	size_t n = a->dimensions;
	for (size_t i = 0; i + 2 < n; i++) {
		if (a->shape[i] != b->shape[i])
			return failed(r->api, "a product of batches of different sizes");
		shape[i] = a->shape[i];
		p->batch *= (size_t)a->shape[i];
	}
	p->m = (size_t)a->shape[n - 2 + p->turn_a];
	p->k = (size_t)a->shape[n - 1 - p->turn_a];
	p->n = (size_t)b->shape[n - 1 - p->turn_b];
	if (p->k != (size_t)b->shape[n - 2 + p->turn_b])
		return failed(r->api, no_fit);
	shape[n - 2] = (int64_t)p->m;
	shape[n - 1] = (int64_t)p->n;
	return NULL;
}

// product reads the matrices and makes room for what they give.
static void *product(running *r, palate_product *p, int64_t shape[MOST_DIMENSIONS])
{
	void *status = matrices(r, p, shape);
	return status ? status : output(r, 0, shape, r->in[0].dimensions, &p->c);
}

static void *add_bias(running *r, palate_product *p)
{
	const tensor *bias = &r->in[2];
	p->bias = bias->data;
	return bias->data && (bias->dimensions != 1 || (size_t)bias->shape[0] != p->n) ? failed(r->api, no_fit) : NULL;
}

static void *multiply(running *r, const palate_product *p)
{
	return palate_multiply(p, r->node->of->of->scratch, share, r) ? failed(r->api, no_memory) : NULL;
}

static void *run_product(running *r)
{
	palate_product p;
	int64_t shape[MOST_DIMENSIONS];
	void *status = product(r, &p, shape);
	if (!status)
		status = add_bias(r, &p);
	const int64_t row[] = {1, (int64_t)p.m};
	if (!status && r->outputs > 1)
		status = p.batch == 1 ? output(r, 1, row, 2, &p.sums) : failed(r->api, "sums of a batch of products");
	return status ? status : multiply(r, &p);
}

static void *run_product_gelu(running *r)
{
	palate_product p;
	int64_t shape[MOST_DIMENSIONS];
	void *status = product(r, &p, shape);
	if (!status)
		status = add_bias(r, &p);
	p.gelu = 1;
	if (!status && p.batch != 1)
		status = failed(r->api, "Gelu of a batch of products");
	if (!status && r->outputs > 1)
		status = output(r, 1, shape, r->in[0].dimensions, &p.before);
	return status ? status : multiply(r, &p);
}

static void *run_product_onto(running *r)
{
	palate_product p;
	int64_t shape[MOST_DIMENSIONS];
	const tensor *scale = &r->in[3], *onto = &r->in[4];
	void *status = matrices(r, &p, shape);
	if (!status)
		status = add_bias(r, &p);
	p.scale = scale->data;
	p.onto = onto->data;
	if (!status && (p.batch != 1 || count(scale, scale->dimensions) != p.n || count(onto, onto->dimensions) != p.m * p.n))
		status = failed(r->api, no_fit);
	if (!status)
		status = output(r, 0, onto->shape, onto->dimensions, &p.c);
	if (!status && r->outputs > 1)
		status = output(r, 1, shape, 2, &p.before);
	return status ? status : multiply(r, &p);
}

static void *run_product_gelu_gradient(running *r)
{
	palate_product p;
	int64_t shape[MOST_DIMENSIONS];
	void *status = product(r, &p, shape);
	const tensor *x = &r->in[2];
	p.x = x->data;
	if (!status && (p.batch != 1 || x->dimensions != 2 || memcmp(x->shape, shape, 2 * sizeof *shape) != 0))
		status = failed(r->api, no_fit);
	return status ? status : multiply(r, &p);
}

// run_map_gradients multiplies a gradient [rows, out] with the weights [out, in]
// and, turned, with what the map took.
static void *run_map_gradients(running *r)
{
	const tensor *d = &r->in[0], *w = &r->in[1], *x = &r->in[2], *before = &r->in[3];
	if (d->dimensions != 2 || w->dimensions != 2 || x->dimensions != 2 || d->shape[1] != w->shape[0] || d->shape[0] != x->shape[0] || w->shape[1] != x->shape[1] ||
		(before->data && (before->dimensions != 2 || memcmp(before->shape, x->shape, 2 * sizeof *x->shape) != 0)))
		return failed(r->api, no_fit);
	size_t rows = (size_t)d->shape[0], out = (size_t)d->shape[1], in = (size_t)w->shape[1];
	int terms = (int)r->node->attributes[0];
	palate_product of_x = {.a = d->data, .b = w->data, .x = before->data, .batch = 1, .m = rows, .n = in, .k = out, .terms = terms};
	palate_product of_w = {.a = d->data, .b = x->data, .batch = 1, .m = out, .n = in, .k = rows, .turn_a = 1, .terms = terms};
	const int64_t row[] = {1, (int64_t)out};
	void *status = output(r, 0, x->shape, 2, &of_x.c);
	if (!status)
		status = output(r, 1, w->shape, 2, &of_w.c);
	if (!status && r->outputs > 2)
		status = output(r, 2, row, 2, &of_w.sums);
	if (!status)
		status = multiply(r, &of_w);
	return status ? status : multiply(r, &of_x);
}

// rows_of is the shape of a gradient and its value: their last dimension apart.
typedef struct { size_t rows, width; } rows_of;

// alike sees to it that the first two inputs, a gradient and its value, are of
// one shape, and makes room for an output of it, if out is not NULL.
static void *alike(running *r, rows_of *shape, float **out)
{
	const tensor *d = &r->in[0], *x = &r->in[1];
	if (d->dimensions == 0 || d->dimensions != x->dimensions || memcmp(d->shape, x->shape, d->dimensions * sizeof *d->shape) != 0)
		return failed(r->api, "a gradient of another shape than its value");
	shape->rows = count(d, d->dimensions - 1);
	shape->width = (size_t)d->shape[d->dimensions - 1];
	return out ? output(r, 0, d->shape, d->dimensions, out) : NULL;
}

// scale_of sees to it that an input has a number for each of a row's.
static void *scale_of(running *r, size_t i, size_t width)
{
	return count(&r->in[i], r->in[i].dimensions) != width ? failed(r->api, "a scale of another length than a row") : NULL;
}

static void *run_gelu(running *r)
{
	const tensor *x = &r->in[0];
	float *out;
	void *status = output(r, 0, x->shape, x->dimensions, &out);
	if (!status)
		palate_gelu(x->data, out, count(x, x->dimensions), share, r);
	return status;
}

static void *run_gelu_gradient(running *r)
{
	rows_of shape = {0};
	float *out;
	void *status = alike(r, &shape, &out);
	if (!status)
		palate_gelu_gradient(r->in[0].data, r->in[1].data, out, shape.rows * shape.width, share, r);
	return status;
}

static void *run_softmax_gradient(running *r)
{
	rows_of shape = {0};
	float *out;
	void *status = alike(r, &shape, &out);
	if (!status)
		palate_softmax_gradient(r->in[0].data, r->in[1].data, out, shape.rows, shape.width, share, r);
	return status;
}

static void *run_norm(running *r)
{
	const tensor *x = &r->in[0];
	size_t n = x->dimensions;
	if (n == 0 || n > MOST_DIMENSIONS)
		return failed(r->api, "a norm of what has no rows");
	size_t width = (size_t)x->shape[n - 1];
	void *status = scale_of(r, 1, width);
	if (!status)
		status = scale_of(r, 2, width);
	int64_t of_rows[MOST_DIMENSIONS];
	memcpy(of_rows, x->shape, n * sizeof *of_rows);
	of_rows[n - 1] = 1;
	float *out, *means = NULL, *inverses = NULL;
	if (!status)
		status = output(r, 0, x->shape, n, &out);
	if (!status && r->outputs > 1)
		status = output(r, 1, of_rows, n, &means);
	if (!status && r->outputs > 2)
		status = output(r, 2, of_rows, n, &inverses);
	if (!status)
		palate_norm(x->data, r->in[1].data, r->in[2].data, r->node->real, out, means, inverses, count(x, n - 1), width, share, r);
	return status;
}

// norm_gradient gives, from output i on, that of x, if i is wanted, and those of
// scale and shift.
static void *norm_gradient(running *r, int of_x, int of_scale)
{
	rows_of shape = {0};
	float *out = NULL, *scales = NULL, *shifts = NULL;
	size_t i = 0;
	void *status = alike(r, &shape, NULL);
	if (!status && (count(&r->in[3], r->in[3].dimensions) != shape.rows || count(&r->in[4], r->in[4].dimensions) != shape.rows))
		status = failed(r->api, "means of other rows than there are");
	if (!status)
		status = scale_of(r, 2, shape.width);
	if (!status && of_x)
		status = output(r, i++, r->in[0].shape, r->in[0].dimensions, &out);
	int64_t width = (int64_t)shape.width;
	if (!status && of_scale)
		status = output(r, i++, &width, 1, &scales);
	if (!status && of_scale)
		status = output(r, i++, &width, 1, &shifts);
	if (!status && palate_norm_gradient(r->in[0].data, r->in[1].data, r->in[2].data, r->in[3].data, r->in[4].data, out, scales, shifts, shape.rows, shape.width, share, r))
		status = failed(r->api, no_memory);
	return status;
}

static void *run_norm_gradient(running *r) { return norm_gradient(r, 1, 0); }
static void *run_norm_sums(running *r) { return norm_gradient(r, 0, 1); }
static void *run_norm_gradients(running *r) { return norm_gradient(r, 1, 1); }

static void *run_scale_gradients(running *r)
{
	rows_of shape = {0};
	float *out, *scales;
	void *status = alike(r, &shape, &out);
	if (!status)
		status = scale_of(r, 2, shape.width);
	int64_t width = (int64_t)shape.width;
	if (!status)
		status = output(r, 1, &width, 1, &scales);
	if (!status && palate_scale_gradient(r->in[0].data, r->in[1].data, r->in[2].data, out, scales, shape.rows, shape.width, share, r))
		status = failed(r->api, no_memory);
	return status;
}

// heads_of reads the shape of q, k and v, whose first is input i.
static void *heads_of(running *r, size_t i, palate_attention *a)
{
	const tensor *q = &r->in[i];
	int packed = r->inputs <= i + 1;
	if (q->dimensions != (packed ? 5 : 4) || (packed && q->shape[2] != 3))
		return failed(r->api, "an attention of tensors that are not [batch, tokens, heads, width] each, or [batch, tokens, 3, heads, width]");
	a->batch = (size_t)q->shape[0];
	a->tokens = (size_t)q->shape[1];
	a->heads = (size_t)q->shape[q->dimensions - 2];
	a->width = (size_t)q->shape[q->dimensions - 1];
	a->stride = (packed ? 3 : 1) * a->heads * a->width;
	a->terms = (int)r->node->attributes[0];
	a->q = q->data;
	a->k = packed ? q->data + a->heads * a->width : r->in[i + 1].data;
	a->v = packed ? a->k + a->heads * a->width : r->in[i + 2].data;
	for (size_t n = i + 1; n < r->inputs; n++)
		if (r->in[n].dimensions != 4 || memcmp(r->in[n].shape, q->shape, 4 * sizeof *q->shape) != 0)
			return failed(r->api, "an attention of queries, keys and values of different shapes");
	return NULL;
}

static void *run_attention(running *r)
{
	palate_attention a = {0};
	void *status = heads_of(r, 0, &a);
	int64_t mixed[] = {(int64_t)a.batch, (int64_t)a.tokens, (int64_t)a.heads, (int64_t)a.width}, logs[] = {mixed[0], mixed[2], mixed[1]};
	if (!status)
		status = output(r, 0, mixed, 4, &a.mixed);
	if (!status && r->outputs > 1)
		status = output(r, 1, logs, 3, &a.logs);
	if (!status && palate_attend(&a, r->node->of->of->scratch, share, r))
		status = failed(r->api, no_memory);
	return status;
}

static void *run_attention_gradient(running *r)
{
	palate_attention a = {0};
	void *status = heads_of(r, 3, &a);
	size_t n = a.batch * a.tokens * a.heads;
	if (!status && (count(&r->in[0], r->in[0].dimensions) != n * a.width || count(&r->in[1], r->in[1].dimensions) != n * a.width || count(&r->in[2], r->in[2].dimensions) != n))
		status = failed(r->api, "a gradient of another shape than its attention");
	a.gradient = r->in[0].data;
	a.mixed = r->in[1].data;
	a.logs = r->in[2].data;
	const tensor *q = &r->in[3];
	float **of[] = {&a.dq, &a.dk, &a.dv};
	for (size_t i = 0; !status && i + 3 < r->inputs; i++)
		status = output(r, i, q->shape, q->dimensions, of[i]);
	if (!status && r->inputs == 4) {
		a.dk = a.dq + a.heads * a.width;
		a.dv = a.dk + a.heads * a.width;
	}
	if (!status && palate_attend_gradient(&a, r->node->of->of->scratch, share, r))
		status = failed(r->api, no_memory);
	return status;
}

static const definition definitions[] = {
	{"Product", 3, 2, 2, 1, {"turn_a", "turn_b", "terms"}, NULL, run_product},
	{"ProductGelu", 3, 2, 2, 1, {"turn_a", "turn_b", "terms"}, NULL, run_product_gelu},
	{"ProductOnto", 5, 5, 2, 1, {"turn_a", "turn_b", "terms"}, NULL, run_product_onto},
	{"ProductGeluGradient", 3, 3, 1, 1, {"turn_a", "turn_b", "terms"}, NULL, run_product_gelu_gradient},
	{"MapGradients", 4, 3, 3, 2, {"terms"}, NULL, run_map_gradients},
	{"Attention", 3, 1, 2, 1, {"terms"}, NULL, run_attention},
	{"AttentionGradient", 6, 4, 3, 1, {"terms"}, NULL, run_attention_gradient},
	{"Gelu", 1, 1, 1, 1, {0}, NULL, run_gelu},
	{"GeluGradient", 2, 2, 1, 1, {0}, NULL, run_gelu_gradient},
	{"SoftmaxGradient", 2, 2, 1, 1, {0}, NULL, run_softmax_gradient},
	{"Norm", 3, 3, 3, 1, {0}, "epsilon", run_norm},
	{"NormGradient", 5, 5, 1, 1, {0}, NULL, run_norm_gradient},
	{"NormSums", 5, 5, 2, 2, {0}, NULL, run_norm_sums},
	{"NormGradients", 5, 5, 3, 3, {0}, NULL, run_norm_gradients},
	{"ScaleGradients", 3, 3, 2, 2, {0}, NULL, run_scale_gradients},
};

enum { OPERATORS = sizeof definitions / sizeof *definitions };

static void *op_compute(void *node, void *context)
{
	kernel *k = node;
	api_table api = k->of->of->api;
	running r = {.api = api, .context = context, .node = k};
	void *status = CALL(void *, KernelContext_GetInputCount, const void *, size_t *)(context, &r.inputs);
	if (!status)
		status = CALL(void *, KernelContext_GetOutputCount, const void *, size_t *)(context, &r.outputs);
	for (size_t i = 0; !status && i < r.inputs && i < MOST_INPUTS; i++)
		status = read_tensor(&r, i);
	return status ? status : k->of->what->run(&r);
}

static char *message(api_table api, void *status)
{
	char *text = strdup(CALL(const char *, GetErrorMessage, const void *)(status));
	CALL(void, ReleaseStatus, void *)(status);
	return text;
}

char *palate_operators_add(const void *const *api, uint32_t version, void *options, void **handle)
{
	shared *s = calloc(1, sizeof *s);
	if (!s || !(s->scratch = palate_scratch_new()) || !(s->entries = calloc(OPERATORS, sizeof *s->entries))) {
		if (s)
			palate_scratch_free(s->scratch);
		free(s);
		return strdup("not enough memory");
	}
	s->api = api;
	void *status = CALL(void *, CreateCustomOpDomain, const char *, void **)("palate", &s->domain);
	for (size_t i = 0; !status && i < OPERATORS; i++) {
		s->entries[i] = (entry){
			.op = {
				.version = version, .name = op_name, .provider = op_provider, .input_type = op_type, .inputs = op_inputs, .output_type = op_type, .outputs = op_outputs,
				.destroy = op_destroy, .input_kind = op_input_kind, .output_kind = op_output_kind, .input_memory = op_memory, .create = op_create,
				.compute_status = op_compute, .since = op_since, .until = op_until,
			},
			.what = &definitions[i],
			.of = s,
		};
		status = CALL(void *, CustomOpDomain_Add, void *, const void *)(s->domain, &s->entries[i].op);
	}
	if (!status)
		status = CALL(void *, AddCustomOpDomain, void *, void *)(options, s->domain);
	if (status) {
		char *text = message(api, status);
		palate_operators_close(s);
		return text;
	}
	*handle = s;
	return NULL;
}

void palate_operators_close(void *handle)
{
	shared *s = handle;
	api_table api = s->api;
	if (s->domain)
		CALL(void, ReleaseCustomOpDomain, void *)(s->domain);
	palate_scratch_free(s->scratch);
	free(s->entries);
	free(s);
}
