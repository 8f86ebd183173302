// Package terminal is how a command talks to whoever called it: results on one
// stream, as JSON for programs or as lines and tables for people; notes, questions
// and progress on another. It knows nothing of palate: what is said comes from
// its callers, and how numbers are said to people (Bytes, About, Counts) is the
// same everywhere.
package terminal
