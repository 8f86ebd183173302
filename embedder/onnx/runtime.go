package onnx

import (
	"context"

	"github.com/palate-art/palate/internal/ort"
)

// Runtime is ONNX Runtime, loaded into this process. It is safe for
// concurrent use. A process has at most one, and never unloads it.
type Runtime = ort.Runtime

// RuntimeConfig says where ONNX Runtime may come from.
type RuntimeConfig = ort.Config

// DefaultRuntimeConfig looks in the usual places of this machine and, unless
// Offline is set, fetches the pinned release into the user's cache folder.
func DefaultRuntimeConfig() RuntimeConfig { return ort.DefaultConfig() }

// LoadRuntime finds ONNX Runtime, or fetches it, and loads it. The first call
// that succeeds decides for the whole process; later calls give the same
// Runtime. One that can't be found or loaded is palate.ErrUnavailable, with
// every place that was looked at in the text.
func LoadRuntime(ctx context.Context, c RuntimeConfig) (*Runtime, error) { return ort.Load(ctx, c) }

// Device is what computes a model.
type Device = ort.Device

// ParseDevice reads "auto", "cpu", "cuda" or "cuda:N".
func ParseDevice(text string) (Device, error) { return ort.ParseDevice(text) }
