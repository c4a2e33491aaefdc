"""Use cases: one file per noun, one function per use case. Services never commit and never ring the bus."""
