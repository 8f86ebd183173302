// Package processes kills palate at any moment, and lets several of it work on one folder.
package processes
