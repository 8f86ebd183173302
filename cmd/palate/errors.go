package main

import (
	"errors"
	"fmt"

	"github.com/palate-art/palate/internal/collection"
)

// errUsage marks an error in what was typed: exit code 2.
var errUsage = errors.New("wrong usage")

type usageError struct{ error }

func (e usageError) Is(target error) bool { return target == errUsage }
func (e usageError) Unwrap() error        { return e.error }

func usage(err error) error { return usageError{err} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// isUsage reports whether what was typed is at fault.
func isUsage(err error) bool {
	var asked collection.AskedError
	return errors.Is(err, errUsage) || errors.As(err, &asked)
}
