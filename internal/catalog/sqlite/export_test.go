package sqlite

// KeepTexts says from how many images on what searches keep gives way: found
// ones to a walk through the database, and changed ones to reading all anew.
func (c *Catalog) KeepTexts(few, behind int) { c.texts.few, c.texts.behind = few, behind }
