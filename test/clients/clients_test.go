package clients_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
)

// pictures are rated by each client, half of them liked: enough to learn.
const pictures = 24

// bench is where generators work: a server, a folder, the contract.
type bench struct {
	*testing.T
	server           program.Server
	folder, contract string
	tried            int
}

func TestGeneratedClientsGoThroughTheScenario(t *testing.T) {
	if !wanted {
		t.Skip("opt-in: PALATE_TEST_CLIENTS installs generators of clients and runs what they make")
	}
	collection := t.TempDir()
	program.MustRun(t, "import", "--data", collection, program.MuseumPictures(t, pictures))
	program.MustRun(t, "embed", "--data", collection)
	contract, err := filepath.Abs("../../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, server: program.StartServer(t, "--data", collection), folder: t.TempDir(), contract: contract}
	if err := os.CopyFS(b.folder, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}

	npm := b.install("npm", [][]string{{"npm", "install", "--no-audit", "--no-fund", "--silent"}})
	python := b.install("python3", [][]string{{"python3", "-m", "venv", "python"}, {b.bin("pip"), "install", "--quiet", "-r", "requirements.txt"}})
	java := ""
	if _, err := exec.LookPath("java"); err != nil {
		java = "java is not installed"
	}
	node := func(name string) string { return filepath.Join(b.folder, "node_modules", ".bin", name) }
	typescript := func(scenario string) [][]string {
		return [][]string{
			{node("tsc"), "--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "--target", "es2022", "--module", "preserve", "--types", "node", "--noEmit", scenario + ".ts"},
			{node("esbuild"), scenario + ".ts", "--bundle", "--platform=node", "--format=esm", "--log-level=warning", "--outfile=out/" + scenario + ".js"},
			{"node", "out/" + scenario + ".js"},
		}
	}
	b.lint("redocly", npm, "env", "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", node("redocly"), "lint", contract, "--config", "redocly.yaml")
	scripts, err := filepath.Glob("../../api/web/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("got %d scripts of the page and %v", len(scripts), err)
	}
	for i := range scripts {
		if scripts[i], err = filepath.Abs(scripts[i]); err != nil {
			t.Fatal(err)
		}
	}
	b.lint("the page's types", npm, append([]string{node("tsc"), "--allowJs", "--checkJs", "--noEmit", "--target", "es2023", "--lib", "es2023,dom,dom.iterable", "--module", "esnext", "--moduleResolution", "bundler", "--typeRoots", "none"}, scripts...)...)
	b.lint("spectral", npm, node("spectral"), "lint", contract, "--ruleset", "spectral.yaml", "--fail-severity", "hint")
	generator := func(flags ...string) []string {
		return append([]string{b.bin("openapi-generator-cli"), "generate", "-i", contract}, flags...)
	}

	b.try("openapi-typescript and openapi-fetch", npm,
		append([][]string{{node("openapi-typescript"), contract, "-o", "schema.d.ts"}}, typescript("fetch")...)...)
	b.try("@hey-api/openapi-ts", npm,
		append([][]string{{node("openapi-ts"), "-i", contract, "-o", "hey", "-c", "@hey-api/client-fetch"}}, typescript("heyapi")...)...)
	b.try("openapi-python-client", python,
		[]string{b.bin("openapi-python-client"), "generate", "--path", contract, "--output-path", "palate_client", "--meta", "none"},
		[]string{b.bin("python"), "python_client.py"})
	b.try("openapi-generator, Python", python+java,
		generator("-g", "python", "-o", "generated-python", "--additional-properties=packageName=palate_generated"),
		[]string{"env", "PYTHONPATH=generated-python", b.bin("python"), "generator_python.py"})
	b.try("openapi-generator, Go", python+java,
		generator("-g", "go", "-o", "generatorgo/generated", "--additional-properties=packageName=generated,withGoMod=false"),
		[]string{"sh", "-c", "cd generatorgo && rm -rf generated/test && go mod init scenario && go mod tidy && go run ."})
}

// bin is a program of the Python packages.
func (b *bench) bin(name string) string { return filepath.Join(b.folder, "python", "bin", name) }

// install runs the commands and says why what they bring is not there, if so.
func (b *bench) install(needs string, commands [][]string) (missing string) {
	if _, err := exec.LookPath(needs); err != nil {
		return needs + " is not installed. "
	}
	for _, command := range commands {
		if out, err := b.command(b.T, command).CombinedOutput(); err != nil {
			return strings.Join(command[:2], " ") + " failed, as it does without a network: " + lastLine(out) + ". "
		}
	}
	return ""
}

// try runs the commands of one client, the last of which is the scenario.
func (b *bench) try(name, missing string, commands ...[]string) {
	b.tried++
	b.Run(name, func(t *testing.T) {
		program.WriteFile(t, filepath.Join(b.folder, "upload.jpg"), program.MuseumPicture(t, pictures+b.tried))
		if missing != "" {
			t.Skip("opt-in: NOT RUN, " + missing)
		}
		for i, command := range commands {
			out, err := b.command(t, command).CombinedOutput()
			if err != nil || i == len(commands)-1 && !strings.Contains(string(out), "the scenario holds") {
				t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
			}
		}
	})
}

// lint holds the contract to the strict rules of a linter, which finds nothing.
func (b *bench) lint(name, missing string, command ...string) {
	b.Run(name, func(t *testing.T) {
		if missing != "" {
			t.Skip("opt-in: NOT RUN, " + missing)
		}
		if out, err := b.command(t, command).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	})
}

func (b *bench) command(t *testing.T, words []string) *exec.Cmd {
	command := exec.CommandContext(t.Context(), words[0], words[1:]...)
	command.Dir = b.folder
	command.Env = append(slices.Clone(environment), "PALATE_URL="+b.server.URL, "PALATE_PICTURE="+filepath.Join(b.folder, "upload.jpg"),
		fmt.Sprintf("PALATE_PROFILE=client-%d", b.tried))
	return command
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
