package folder

// Parse parses a metadata file by its name and returns the rows by file name.
func Parse(name string, content []byte) (map[string]*Row, error) {
	t := &table{name: name, rows: map[string]*Row{}}
	parse := parseCSV
	if name == "metadata.json" {
		parse = parseJSON
	}
	err := parse(t, name, content)
	return t.rows, err
}
