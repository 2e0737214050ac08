"""Walks the model's graph: metric values in, scores, segments, signals and reasons out."""
