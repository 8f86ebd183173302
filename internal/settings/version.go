package settings

import "runtime/debug"

// Version is the module's version, with the revision where it was built from
// a working tree.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
			return "development-" + setting.Value[:12]
		}
	}
	return "development"
}
