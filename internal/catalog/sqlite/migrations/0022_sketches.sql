-- Sketches of version 1 have no colours: they are made anew when they are asked
-- for, and those that nobody asks for again need not stay.
DELETE FROM sketches WHERE version = 1;
