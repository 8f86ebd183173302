// Package clients tries clients that other people's generators make of
// openapi.yaml: each goes through one scenario against the real server. It has
// nothing but tests. Beside them linters hold the contract to their strict rules,
// and TypeScript's compiler the page's scripts to the types that they state.
// They run where PALATE_TEST_CLIENTS is set, install linters and generators in
// the versions of testdata from the registries that npm, pip and Go are set to,
// and leave nothing in the source tree.
package clients
