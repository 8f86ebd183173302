// Package client is the Go client of palate's REST API, generated from
// openapi.yaml (go generate ./api). It is what other programs import.
package client
