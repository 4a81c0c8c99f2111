"""Errors, progress, seeding, fingerprints of code and planted worlds: what every other room builds on."""
