//go:build !cgo || purego

package operators

import (
	"errors"
	"unsafe"
)

// There reports whether there are operators: not without C.
func There() bool { return false }

// Tiles reports whether products can be computed by tiles: not without C.
func Tiles() bool { return false }

// Operators are what sessions need to run nodes of Domain; there are none here.
type Operators struct{}

// Add fails: the operators are C.
func Add(unsafe.Pointer, int, unsafe.Pointer) (*Operators, error) {
	return nil, errors.New("palate was built without its C code, which has the operators of this model")
}

// Close does nothing.
func (*Operators) Close() {}
