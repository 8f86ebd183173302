package ort

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// The names of execution providers that palate asks for.
const (
	ProviderCPU  = "CPUExecutionProvider"
	ProviderCUDA = "CUDAExecutionProvider"

	providerTensorRT = "TensorrtExecutionProvider"
	providerWebGPU   = "WebGpuExecutionProvider"
)

// Provider is one way of running models.
type Provider struct {
	Name string `json:"name"` // ONNX Runtime's name, such as CPUExecutionProvider
	// Available says that nothing is known to be missing. No provider is
	// tried out for it.
	Available bool   `json:"available"`
	Why       string `json:"why,omitempty"` // what is missing, if it is not available
}

// examineProviders gives the providers that the library was built with, and
// CUDA in any case, as it is the one that people miss.
func examineProviders(library string) ([]Provider, error) {
	names, err := builtProviders(library)
	if err != nil {
		return nil, fmt.Errorf("list execution providers: %w", err)
	}
	if !slices.Contains(names, ProviderCUDA) {
		names = append(names, ProviderCUDA)
		return describeProviders(library, names, false), nil
	}
	return describeProviders(library, names, true), nil
}

func describeProviders(library string, names []string, builtForCUDA bool) []Provider {
	dir := filepath.Dir(library)
	providers := make([]Provider, 0, len(names))
	for _, name := range names {
		var missing []string
		switch name {
		case ProviderCUDA:
			if !builtForCUDA {
				missing = append(missing, "this build of ONNX Runtime knows no CUDA")
			}
			missing = append(missing, missingLibraries(dir, "cuda")...)
			missing = append(missing, missingDevice()...)
		case providerTensorRT:
			missing = append(missing, missingLibraries(dir, "tensorrt")...)
			missing = append(missing, missingDevice()...)
		case providerWebGPU:
			if runtime.GOOS == "linux" && canLoad("libvulkan.so.1") != nil {
				missing = append(missing, "the loader finds no libvulkan.so.1")
			}
		}
		providers = append(providers, Provider{Name: name, Available: len(missing) == 0, Why: strings.Join(missing, "; ")})
	}
	return providers
}

// missingLibraries says what keeps a provider that lives in a library of its
// own from loading. Nothing of the provider is run.
func missingLibraries(dir, provider string) []string {
	file := func(name string) string {
		switch runtime.GOOS {
		case "windows":
			return "onnxruntime_providers_" + name + ".dll"
		case "darwin":
			return "libonnxruntime_providers_" + name + ".dylib"
		}
		return "libonnxruntime_providers_" + name + ".so"
	}
	var missing []string
	for _, name := range []string{file("shared"), file(provider)} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			missing = append(missing, fmt.Sprintf("%s is not beside the library in %s", name, dir))
		}
	}
	if len(missing) > 0 || runtime.GOOS != "linux" {
		return missing
	}
	f, err := elf.Open(filepath.Join(dir, file(provider)))
	if err != nil {
		return []string{fmt.Sprintf("%s can't be read: %v", file(provider), err)}
	}
	defer f.Close()
	needed, err := f.ImportedLibraries()
	if err != nil {
		return []string{fmt.Sprintf("%s can't be read: %v", file(provider), err)}
	}
	for _, name := range needed {
		if strings.HasPrefix(name, "libonnxruntime") {
			continue
		}
		if err := canLoad(name); err != nil {
			missing = append(missing, "the loader finds no "+name)
		}
	}
	return missing
}

// missingDevice says whether the NVIDIA driver shows no device. On Windows
// the driver's library is what can be looked for.
func missingDevice() []string {
	switch runtime.GOOS {
	case "linux":
		if err := canLoad("libcuda.so.1"); err != nil {
			return []string{"no NVIDIA driver (the loader finds no libcuda.so.1)"}
		}
		devices, err := filepath.Glob("/dev/nvidia[0-9]*")
		if err == nil && len(devices) > 0 {
			return nil
		}
		// In WSL 2 the driver is reached through /dev/dxg.
		if _, err := os.Stat("/dev/dxg"); err == nil {
			return nil
		}
		return []string{"no NVIDIA device (/dev/nvidia*)"}
	case "windows":
		if canLoad("nvcuda.dll") != nil {
			return []string{"no NVIDIA driver (nvcuda.dll)"}
		}
		return nil
	}
	return []string{"CUDA needs Linux or Windows"}
}
