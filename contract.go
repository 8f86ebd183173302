package palate

import _ "embed"

//go:embed openapi.yaml
var contract string

// OpenAPI is the contract of the REST API, as it is written: an OpenAPI
// document in YAML. A running palate serves it at /openapi.yaml.
func OpenAPI() string { return contract }
