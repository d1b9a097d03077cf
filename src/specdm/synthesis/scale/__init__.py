"""Generation of any size: tiles drawn part by part, here or by Ray, and the shards of a job array."""
