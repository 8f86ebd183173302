package main

import (
	"strconv"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
	"github.com/palate-art/palate/internal/settings"
)

// globals are the flags that every command has. Each can also be given as
// PALATE_<NAME> or in the configuration file; a flag wins over the
// environment, the environment over the file.
type globals struct {
	indexFlags `embed:""`

	Config        string `help:"Configuration file, a JSON object of flag names to values (default: palate/config.json in the user's configuration folder)." placeholder:"FILE" type:"path"`
	Data          string `help:"Folder of the collection." placeholder:"DIR" default:"${data}" type:"path"`
	GroupReadable bool   `help:"Let the group of the collection's folder read it too, as a user that makes backups must; nobody else ever may. Once is enough."`
	Profile       string `help:"Whose taste." default:"me" placeholder:"NAME"`
	JSON          bool   `help:"Print results as JSON." name:"json"`
	Quiet         bool   `help:"No progress on standard error." short:"q"`
	Verbose       bool   `help:"Log what happens on standard error." short:"v"`
	ORTLibrary    string `help:"ONNX Runtime library to use, instead of finding or fetching one." name:"ort-library" placeholder:"FILE" type:"path"`
	DecodeMemory  int    `help:"Mebibytes that all pictures that are being decoded may take together, at least 256." placeholder:"MIB" default:"512"`
	MaxPixels     int64  `help:"Megapixels that a picture may have that is imported, uploaded, or a file that is embedded, scored, compared or sorted (default: 200, 50 in uploads)." placeholder:"MEGAPIXELS"`
	Offline       bool   `help:"Fetch no runtime and no weights from the network."`

	modelFlags `embed:"" group:"model"`
}

func (g *globals) profile() (palate.Profile, error) {
	p, err := palate.ParseProfile(g.Profile)
	if err != nil {
		return "", usagef("--profile: %w", err)
	}
	return p, nil
}

func (g *globals) runtimeConfig() ort.Config {
	config := ort.ConfigFromEnv()
	if g.ORTLibrary != "" {
		config.LibraryPath = g.ORTLibrary
	}
	config.Offline = config.Offline || g.Offline
	return config
}

// grammarVars are the defaults that depend on the machine.
func grammarVars() map[string]string {
	return map[string]string{"data": settings.DataFolder(), "port": strconv.Itoa(defaultPort), "models": settings.ModelsFolder()}
}
