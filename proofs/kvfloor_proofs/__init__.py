"""Derivations, properties and verdicts of every claim about `kvfloor`."""
