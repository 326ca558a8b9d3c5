"""Long runs, and the records that the chapters read."""
