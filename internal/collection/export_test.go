package collection

import "time"

// Complaint gives the tests what keeps a lasting error from being told again.
type Complaint struct{ c complaint }

func (c *Complaint) Due(err error, now time.Time) bool { return c.c.due(err, now) }
func (c *Complaint) Over() bool                        { return c.c.over() }
