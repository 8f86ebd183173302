package ort

/*
#cgo linux LDFLAGS: -ldl
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The loader speaks of the calling thread's last error, so opening and asking
// for the error are one call from Go. The caller frees the text.
#ifdef _WIN32
#include <windows.h>

static void *palate_ort_open(const char *path, char **problem) {
	*problem = NULL;
	wchar_t wide[32768];
	HMODULE handle = NULL;
	if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, 32768)) handle = LoadLibraryW(wide);
	if (!handle && (*problem = malloc(64))) snprintf(*problem, 64, "Windows error %lu", (unsigned long)GetLastError());
	return handle;
}

static void *palate_ort_symbol(void *handle, const char *name) { return (void *)GetProcAddress(handle, name); }
static void palate_ort_close(void *handle) { FreeLibrary(handle); }
#else
#include <dlfcn.h>

static void *palate_ort_open(const char *path, char **problem) {
	void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	const char *text = handle ? NULL : dlerror();
	*problem = text ? strdup(text) : NULL;
	return handle;
}

static void *palate_ort_symbol(void *handle, const char *name) { return dlsym(handle, name); }
static void palate_ort_close(void *handle) { dlclose(handle); }
#endif

// The head of OrtApiBase, fixed since the first release.
typedef struct {
	const void *const *(*get_api)(uint32_t version);
	const char *(*get_version)(void);
} palate_ort_base;

static const palate_ort_base *palate_ort_get_base(void *fn) {
	return ((const palate_ort_base *(*)(void))fn)();
}

static const char *palate_ort_version(const palate_ort_base *base) { return base->get_version(); }

static const void *const *palate_ort_api(const palate_ort_base *base, uint32_t version) { return base->get_api(version); }

// OrtApi is a table of functions that only ever grows at its end. These are
// the places of GetAvailableProviders and ReleaseAvailableProviders.
enum { GET_PROVIDERS = 125, RELEASE_PROVIDERS = 126 };

static void *palate_ort_providers(const void *const *api, char ***names, int *n) {
	return ((void *(*)(char ***, int *))api[GET_PROVIDERS])(names, n);
}

static void palate_ort_release_providers(const void *const *api, char **names, int n) {
	((void *(*)(char **, int))api[RELEASE_PROVIDERS])(names, n);
}
*/
import "C"

import (
	"errors"
	"unsafe"
)

// openLibrary loads a library by path, or by name as the system's loader finds it.
func openLibrary(path string) (unsafe.Pointer, error) {
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var problem *C.char
	handle := C.palate_ort_open(cpath, &problem)
	if handle != nil {
		return handle, nil
	}
	if problem == nil {
		return nil, errors.New("the loader gives no reason")
	}
	defer C.free(unsafe.Pointer(problem))
	return nil, errors.New(C.GoString(problem))
}

// openBase loads the library for as long as use runs.
func openBase(path string, use func(base *C.palate_ort_base) error) error {
	handle, err := openLibrary(path)
	if err != nil {
		return err
	}
	defer C.palate_ort_close(handle)
	symbol := C.CString("OrtGetApiBase")
	defer C.free(unsafe.Pointer(symbol))
	fn := C.palate_ort_symbol(handle, symbol)
	if fn == nil {
		return errors.New("it has no function OrtGetApiBase")
	}
	base := C.palate_ort_get_base(fn)
	if base == nil {
		return errors.New("it offers no interface")
	}
	return use(base)
}

// probe gives the version of the library and whether it has the C API that
// palate needs.
func probe(path string) (version string, hasAPI bool, err error) {
	err = openBase(path, func(base *C.palate_ort_base) error {
		version = C.GoString(C.palate_ort_version(base))
		// An old library prints a complaint when it is asked for an
		// interface that it doesn't have; its version says as much.
		if v, err := parseVersion(version); err == nil && v[0] == 1 && v[1] < apiVersion {
			return nil
		}
		hasAPI = C.palate_ort_api(base, apiVersion) != nil
		return nil
	})
	return version, hasAPI, err
}

// builtProviders names the execution providers that the library was built
// with, whether or not their own libraries and devices are there.
func builtProviders(path string) ([]string, error) {
	var names []string
	err := openBase(path, func(base *C.palate_ort_base) error {
		api := C.palate_ort_api(base, apiVersion)
		if api == nil {
			return errors.New("it is too old")
		}
		var list **C.char
		var n C.int
		if C.palate_ort_providers(api, &list, &n) != nil {
			return errors.New("it can't list its execution providers")
		}
		for _, name := range unsafe.Slice(list, int(n)) {
			names = append(names, C.GoString(name))
		}
		C.palate_ort_release_providers(api, list, n)
		return nil
	})
	return names, err
}

// interfaceOf is the OrtApi of a library that stays loaded.
func interfaceOf(path string) (api unsafe.Pointer, err error) {
	err = openBase(path, func(base *C.palate_ort_base) error {
		if api = unsafe.Pointer(C.palate_ort_api(base, apiVersion)); api == nil {
			return errors.New("it is too old")
		}
		return nil
	})
	return api, err
}

// canLoad reports why the system's loader can't load a library.
func canLoad(name string) error {
	handle, err := openLibrary(name)
	if err != nil {
		return err
	}
	C.palate_ort_close(handle)
	return nil
}
