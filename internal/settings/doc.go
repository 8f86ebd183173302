// Package settings reads what a person has set for all commands: the
// configuration file, and where palate keeps things unless it is told otherwise.
//
// The configuration file is a JSON object of flag names, with dashes or
// underscores, to values: {"model": "dinov2-small", "decode_memory": 1024}. It is
// palate/config.json in the user's configuration folder, unless another is named.
// It has no version: a name that no flag has is refused.
package settings
