package museum

// Draw paints a work's picture at another size, for tests that look at many.
func Draw(m *Museum, index, width, height int) []byte {
	return draw(m.cfg.Seed, index, m.styleIndex[index], width, height).Pix
}
