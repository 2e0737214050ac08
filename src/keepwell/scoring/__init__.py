"""Scorecards: metric values to points, components, scores and bands."""
