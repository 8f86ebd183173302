// Package archtest holds the import rules of ARCHITECTURE.md, as a test.
package archtest
