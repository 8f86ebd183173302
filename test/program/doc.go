// Package program starts palate in processes of its own for tests, talks to
// it, kills it, and looks into what it left. The packages beside it are tests:
// faults makes real faults happen to it, processes kills it and lets several
// work together, tuning trains with it. They are packages of their own so that
// go test runs them side by side and each stays far below its limit of time.
package program
